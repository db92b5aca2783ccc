"""How the work of instructions is cut into tasks, and reductions into partial results: decided here alone.

The cuts are words of the Program: C checks and follows them, and emitted C is written from them. They depend on shapes
alone, never on the number of threads, so the bits of a sum or a product don't either.
"""

from __future__ import annotations

from typing import NamedTuple

from .format import MAX_PARTIALS

#: Elements of work that are never split.
CHUNK = 32768
#: Micro-operations of a map whose tasks have CHUNK elements; tasks of more have fewer.
TASK_MICROS = 16
#: The least rows that a partial result covers.
MIN_ROWS_PER_PARTIAL = 16
#: The least rows of a task of a matrix product, and its multiplications: BLAS rounds by such panels. The second count
#: is for products with a vector, where each element of the matrix is used once.
PANEL_ROWS, PANEL_WORK, PANEL_MEMORY = 256, 1 << 21, 1 << 18


class Cut(NamedTuple):
    """What a task covers of a space [outer][rows][inner]: so many indices of each.

    A task has several outer indices only where it has all of their rows and inner elements. Where it has some of the
    rows, each result is made of partial results.
    """

    outer: int
    rows: int
    inner: int

    def partials(self, rows: int) -> int:
        """How many partial results make a result over so many rows."""
        return -(-rows // self.rows)

    def tasks(self, outer: int, rows: int, inner: int) -> int:
        """The tasks of a space."""
        return -(-outer // self.outer) * self.partials(rows) * -(-inner // self.inner)


def map_cut(count: int, micros: int, block: int) -> Cut:
    """The cut of a map over [count][1][1] into tasks of whole blocks; where a map is cut decides nothing."""
    share = CHUNK * TASK_MICROS // max(micros, TASK_MICROS)
    return Cut(max(1, min(max(share // block, 1) * block, count)), 1, 1)


def reduction_cut(outer: int, rows: int, inner: int, block: int) -> Cut:
    """The cut of a reduction over the rows of [outer][rows][inner]; its partial results decide the bits of a sum."""
    per = rows * inner
    if per <= CHUNK:
        return Cut(max(1, min(CHUNK // max(per, 1), outer)), max(rows, 1), max(inner, 1))
    partials = min(MAX_PARTIALS, -(-per // CHUNK), max(1, rows // MIN_ROWS_PER_PARTIAL))
    each = -(-rows // partials)
    parts = min(-(-each * inner // CHUNK), inner // block)
    return Cut(1, each, inner if parts <= 1 else ((inner - 1) // parts // block + 1) * block)


class Panels(NamedTuple):
    """What a task covers of a batch of matrix products: rows of one product, or several whole products."""

    rows: int
    products: int

    def count(self, m: int) -> int:
        """The tasks of one product of m rows, or 1 where a task has several."""
        return -(-m // self.rows)

    def tasks(self, batch: int, m: int, n: int) -> int:
        """The tasks of a batch of products of (m, n) elements."""
        return -(-batch // self.products) * self.count(m) if batch and m and n else 0


def panels(batch: int, m: int, n: int, k: int) -> Panels:
    """The cut of `batch` products of (m, k) by (k, n)."""
    row, work = max(1, k * n), PANEL_MEMORY if n == 1 else PANEL_WORK
    rows = max(-(-work // row), PANEL_ROWS)
    if m >= 2 * rows:
        return Panels(rows, 1)
    return Panels(max(m, 1), max(1, min(work // row // max(m, 1), batch)))
