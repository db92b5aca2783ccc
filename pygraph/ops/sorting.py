"""Rows that compare: sorted elements, their order, places in a sorted array and of the largest and smallest element.

Sorting is stable and puts nan last, as NumPy's. The derivative of the sorted elements is that of the elements in this
order: each moves its own place, also among equal ones. All else here are integers, which have no derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from .dtypes import int64
from .expr import Expr
from .indexing import scatter_add, take_row
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .leaves import iota_row
from .row import Attrs, DType, Family, Op, register
from .shaping import reshape_row

__all__: list[str] = []

Array = npt.NDArray[Any]


def _random(rng: np.random.Generator, shape: Sequence[int], dtype: DType) -> Array:
    x = rng.uniform(-3.0, 3.0, tuple(shape))
    return np.asarray(x > 0.0 if dtype == np.bool_ else x if dtype.kind == "f" else np.rint(x), dtype)


def _samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
    for shape in ((5,), (1,), (0,), (2, 4), (3, 0), (0, 3), (2, 1, 9)):
        yield (_random(rng, shape, dtype),), {}


def flat_places(index: Expr, n: int) -> Expr:
    """Indices from 0 in each line of n elements, which are laid end to end, as indices into them all."""
    *lead, m = index.shape
    lines = prod(lead)
    if lines > 1 and n:
        starts = iota_row(size=lines, start=0, step=n, dtype=int64)
        index = index + reshape_row(starts, shape=(*lead, 1))
    return reshape_row(index, shape=(lines * m,))


def along_last(x: Expr, index: Expr) -> Expr:
    """In each line along the last axis the elements at the indices, from 0, of that line."""
    flat = reshape_row(x, shape=(prod(x.shape),))
    return reshape_row(take_row(flat, flat_places(index, x.shape[-1]), axis=0), shape=index.shape)


def _sort_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    (tangent,) = tangents
    assert tangent is not None
    return along_last(tangent, argsort_row(*node.inputs))


def _sort_vjp(node: Expr, cotangent: Expr) -> tuple[Expr]:
    size = prod(node.shape)
    zeros = np.broadcast_to(np.zeros((), cotangent.dtype), (size,))
    places = flat_places(argsort_row(*node.inputs), node.shape[-1])
    moved = scatter_add(zeros, places, reshape_row(cotangent, shape=(size,)), axis=0)
    return (reshape_row(moved, shape=node.shape),)


sort_row: Op = register(
    Op(
        "sort",
        Family.CUSTOM,
        doc="The elements of each line along the last axis in ascending order, nan last; equal ones stay in order.",
        reference=lambda x: np.sort(x, axis=-1, kind="stable"),
        jvp=_sort_jvp,
        vjp=_sort_vjp,
        samples=_samples,
        **kernel_rules(Kernel("sort", "(n)->(n)", "T->T", work="16 * n", flops="20 * n"), "fib"),
    )
)


def _places(name: str, doc: str, reference: Callable[..., Any], samples: Any, kernel: Kernel) -> Op:
    return register(
        Op(
            name,
            Family.ELEMENTWISE,
            doc=doc,
            reference=reference,
            nondiff=True,
            samples=samples,
            **kernel_rules(kernel, "fib"),
        )
    )


argsort_row = _places(
    "argsort",
    "The order of each line along the last axis: the indices of its elements as sort has them; int64.",
    lambda x: np.argsort(x, axis=-1, kind="stable"),
    _samples,
    Kernel("argsort", "(n)->(n)", "T->l", work="32 * n", flops="40 * n"),
)


def _searchsorted_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
    for a, v in (((5,), (4,)), ((7,), (0,)), ((0,), (3,)), ((2, 6), (3,)), ((3,), (2, 2)), ((2, 4), (2, 3))):
        for right in (False, True):
            yield (np.sort(_random(rng, a, dtype), axis=-1), _random(rng, v, dtype)), {"right": right}


def _searchsorted(a: Array, v: Array, right: bool) -> Array:
    """By bisection, as C does it, so that the places in what is not sorted are the same too."""
    lead, n = np.broadcast_shapes(a.shape[:-1], v.shape[:-1]), a.shape[-1]
    a, v = np.broadcast_to(a, (*lead, n)), np.broadcast_to(v, (*lead, v.shape[-1]))
    low, count = np.zeros(v.shape, np.int64), np.full(v.shape, n, np.int64)
    while count.size and count.max() > 0:
        half = count // 2
        y = np.take_along_axis(a, np.minimum(low + half, n - 1), -1)
        y_less, v_less = (y < v) | ((v != v) & (y == y)), (v < y) | ((y != y) & (v == v))
        beyond = (~v_less if right else y_less) & (count > 0)
        low, count = np.where(beyond, low + half + 1, low), np.where(beyond, count - half - 1, half)
    return low


searchsorted_row = _places(
    "searchsorted",
    "For each element of y along its last axis, how many of the sorted x are less, with `right` less or equal; int64. "
    "nan is greater than all else.",
    _searchsorted,
    _searchsorted_samples,
    Kernel("searchsorted", "(n),(m)->(m)", "TT->l", params=("right",), flops="40 * m"),
)


def _best_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
    for shape in ((5, 1), (4, 3), (1, 2), (3, 0), (2, 4, 1), (2, 3, 2), (0, 2, 1)):
        yield (_random(rng, shape, dtype),), {}


argmax_row = _places(
    "argmax",
    "Along the last axis but one, the index of the first nan, or where there is none of the first largest; int64.",
    lambda x: np.argmax(x, axis=-2),
    _best_samples,
    Kernel("argmax", "(n,i)->(i)", "T->l", flops="n * i", vector=True),
)
argmin_row = _places(
    "argmin",
    "Along the last axis but one, the index of the first nan, or where there is none of the first smallest; int64.",
    lambda x: np.argmin(x, axis=-2),
    _best_samples,
    Kernel("argmin", "(n,i)->(i)", "T->l", flops="n * i", vector=True),
)
