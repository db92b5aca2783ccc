"""Arrays that loops count instead of reading: indices, arithmetic progressions, and identity matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .comparison import equal, greater_equal, select
from .dtypes import as_dtype, bool_, is_float
from .leaves import iota_row
from .limits import MAX_ELEMENTS
from .shaping import expand_dims

__all__: list[str] = []


def iota(size: int, start: int = 0, step: int = 1, dtype: Any = "int64") -> Any:
    """The expression of `start` + i `step` at index i, for a `step` other than 0; no constant of a graph.

    Args:
        dtype: float64, float32, int64 or int32, to which the counts are converted.

    Raises:
        ShapeError: a step of 0, or counts beyond 2**57.

    Example:
        >>> from pygraph.ops.counting import iota
        >>> iota(3, start=5, step=-2)
        <iota : int64[3]>
    """
    return iota_row(size=int(size), start=int(start), step=int(step), dtype=as_dtype(dtype))


def arange(start: Any, stop: Any, step: Any = 1, dtype: Any = None) -> Any:
    """`np.arange(start, stop, step, dtype)` as an expression, of equal bits.

    NumPy computes the first element, `start`, and the second, `start + step`, and with their difference d in the dtype
    of the result each further one as `start + i * d`; so does this. What does not count is an array: equal elements,
    which take the memory of one, and bools.

    Raises:
        What NumPy raises for bounds of which it makes no array.

    Example:
        >>> from pygraph.ops.counting import arange
        >>> arange(0.0, 1.0, 0.1).shape
        (10,)
    """
    wanted = as_dtype(np.arange(start, start + 0 * stop, step).dtype if dtype is None else dtype)
    size = _length(start, stop, step)
    if wanted == bool_ or not size <= MAX_ELEMENTS:
        found: Any = np.arange(start, stop, step, dtype=wanted)
        return found
    if size < 1:
        return iota(0, dtype=wanted)
    ends = np.zeros(2, wanted)
    ends[0] = start
    if size > 1:
        ends[1] = start + step
    return _progression(int(size), ends)


def _length(start: Any, stop: Any, step: Any) -> float:
    """How many elements `np.arange` makes: the quotient rounded up, of which one that underflows counts as one."""
    reach = stop - start
    steps = float(reach / step)
    if steps == 0 and reach != 0:
        return float(math.copysign(1.0, steps) > 0)
    return math.ceil(steps) if math.isfinite(steps) else steps


def _progression(size: int, ends: np.ndarray[Any, Any]) -> Any:
    """`size` elements of which the first two are `ends`."""
    dtype, first = ends.dtype, ends[0]
    with np.errstate(all="ignore"):
        delta = ends[1] - first if size > 1 else dtype.type(0)
    if not delta:
        return np.broadcast_to(first, (size,))
    if _is_counted(size, first, delta):
        return iota(size, int(first), int(delta), dtype)
    counts = iota(size, dtype=dtype)
    found = counts * delta + first
    for at in range(min(size, 2)):  # where the difference was rounded, or the first element is -0.0
        with np.errstate(all="ignore"):
            here = dtype.type(at) * delta + first
        if here.tobytes() != ends[at].tobytes():
            found = select(equal(counts, dtype.type(at)), ends[at], found)
    return found


def _is_counted(size: int, first: Any, delta: Any) -> bool:
    """Whether the elements are counts: ints that no operation on the way has to round."""
    limit = MAX_ELEMENTS
    if is_float(first.dtype):
        if not (float(first).is_integer() and float(delta).is_integer()) or (first == 0 and np.signbit(first)):
            return False
        limit = 2 ** np.finfo(first.dtype).nmant
    return abs(int(first)) + abs(int(delta)) * size <= limit


def eye(rows: int, columns: int, k: int) -> Any:
    """`np.eye(rows, columns, k, bool)` as an expression: where the column's number is the row's plus `k`.

    Example:
        >>> from pygraph.ops.counting import eye
        >>> eye(2, 3, 0)
        <equal : bool[2, 3]>
    """
    return equal(*positions(rows, columns, k))


def tri(rows: int, columns: int, k: int) -> Any:
    """`np.tri(rows, columns, k, bool)` as an expression: where the row's number plus `k` is the column's at least.

    Example:
        >>> from pygraph.ops.counting import tri
        >>> tri(2, 3, 0)
        <greater_equal : bool[2, 3]>
    """
    return greater_equal(*positions(rows, columns, k))


def positions(rows: int, columns: int, k: int) -> tuple[Any, Any]:
    """The numbers of the rows plus `k`, as a column, and those of the columns."""
    shift = max(min(k, columns), -rows)
    return expand_dims(iota(rows, shift), 1), iota(columns)
