"""Rows that combine the rows of a matrix by segments: sums, products, extremes, and the value of each one's segment.

Each row has the number of its segment; one that has none, because the number is out of range, takes no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arithmetic import maximum
from .comparison import convert, equal, select
from .cumulation import before, recurrence_row
from .expr import Expr
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .row import Attrs, DType, Family, Op, register
from .shaping import broadcast_to_row, reshape_row, transpose_row
from .sorting import along_last, argsort_row

__all__: list[str] = []

Array = npt.NDArray[Any]


def _samples(numbers: Sequence[Sequence[int]]) -> Callable[..., Iterator[tuple[tuple[Array, ...], Attrs]]]:
    def samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
        for segment in numbers:
            for lead, inner in (((), 1), ((), 3), ((2,), 2)):
                x = rng.uniform(-3.0, 3.0, (*lead, len(segment), inner))
                made = np.asarray(x > 0.0 if dtype == np.bool_ else x if dtype.kind == "f" else np.rint(x), dtype)
                yield (made, np.array(segment, np.int64)), {"segments": max(segment, default=-1) + 1}

    return samples


def _reference(ufunc: np.ufunc, empty: Callable[[DType], Any]) -> Callable[..., Array]:
    def reference(x: Array, segment: Array, segments: int) -> Array:
        lead = np.broadcast_shapes(x.shape[:-2], segment.shape[:-1])
        x, segment = np.broadcast_to(x, lead + x.shape[-2:]), np.broadcast_to(segment, lead + segment.shape[-1:])
        found = np.full((*lead, segments, x.shape[-1]), empty(x.dtype), x.dtype)
        for at in np.ndindex(lead):
            inside = (segment[at] >= 0) & (segment[at] < segments)
            ufunc.at(found[at], segment[at][inside], x[at][inside])
        return found

    return reference


def _kernel(name: str) -> Kernel:
    return Kernel(name, "(n,i),(n)->(segments,i)", "Tl->T", flops="n * i + segments * i")


segment_sum_row: Op = register(
    Op(
        "segment_sum",
        Family.LINEAR,
        doc="The sums of the rows of x with equal numbers y, from 0, added one after another; 0 where there are none.",
        reference=_reference(np.add, lambda dtype: 0),
        transpose=lambda cotangent, node, i: segment_take_row(cotangent, node.inputs[1]),
        linear_in=(0,),
        samples=_samples([[1, 0, 2, 1, 1], [0, 3], [], [2]]),
        **kernel_rules(_kernel("segment_sum"), "fi"),
    )
)


def _segment_take(x: Array, segment: Array) -> Array:
    lead = np.broadcast_shapes(x.shape[:-2], segment.shape[:-1])
    segments = x.shape[-2]
    padded = np.zeros((*lead, segments + 1, x.shape[-1]), x.dtype)
    padded[..., :segments, :] = x
    places = np.where((segment >= 0) & (segment < segments), segment, segments)
    return np.take_along_axis(padded, np.broadcast_to(places, lead + segment.shape[-1:])[..., None], -2)


segment_take_row: Op = register(
    Op(
        "segment_take",
        Family.LINEAR,
        doc="For each number y the row of x with it, from 0; zeros where there is none.",
        reference=_segment_take,
        transpose=lambda cotangent, node, i: segment_sum_row(
            cotangent, node.inputs[1], segments=node.inputs[0].shape[-2]
        ),
        linear_in=(0,),
        samples=lambda rng, dtype: (
            ((x, np.array([1, -1, 0, 1, x.shape[-2]])), {}) for (x, _), _ in _samples([[0, 1], [0], []])(rng, dtype)
        ),
        **kernel_rules(Kernel("segment_take", "(segments,i),(n)->(n,i)", "Tl->T", flops="n * i"), "fib"),
    )
)


def _in_order(x: Expr, order: Expr) -> Expr:
    """The rows of matrices in an order of their own each."""
    *lead, n, inner = x.shape
    swap = (*range(len(lead)), len(lead) + 1, len(lead))
    index = broadcast_to_row(reshape_row(order, shape=(*lead, 1, n)), shape=(*lead, inner, n))
    return transpose_row(along_last(transpose_row(x, axes=swap), index), axes=swap)


def _others(node: Expr) -> Expr:
    """For each row the product of all others of its segment, by products from both ends of each."""
    x, segment = node.inputs
    lead, (n, inner) = node.shape[:-2], x.shape[-2:]
    x = broadcast_to_row(x, shape=(*lead, n, inner))
    segment = broadcast_to_row(segment, shape=(*lead, n))
    order = argsort_row(segment)
    sorted_x, number = _in_order(x, order), along_last(segment, order)
    number = reshape_row(convert(number, dtype=x.dtype), shape=(*lead, n, 1))
    found = None
    for reverse in (False, True):
        alike = equal(number, before(number, -np.inf, reverse))
        alike = broadcast_to_row(alike, shape=x.shape)
        factor = select(alike, before(sorted_x, 1.0, reverse), 0.0)
        part = recurrence_row(factor, select(alike, np.zeros((), x.dtype), np.ones((), x.dtype)), reverse=reverse)
        found = part if found is None else found * part
    assert found is not None
    return _in_order(found, argsort_row(order))


def _prod_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    tangent, _ = tangents
    assert tangent is not None
    return segment_sum_row(tangent * _others(node), node.inputs[1], segments=node.attrs["segments"])


def _prod_vjp(node: Expr, cotangent: Expr) -> tuple[Expr, None]:
    return segment_take_row(cotangent, node.inputs[1]) * _others(node), None


segment_prod_row: Op = register(
    Op(
        "segment_prod",
        Family.CUSTOM,
        doc="The products of the rows of x with equal numbers y, from 0; 1 where there are none. The derivative has no "
        "division, and zeros are as good as other elements; where elements are inf or nan it may be nan in other "
        "segments too.",
        reference=_reference(np.multiply, lambda dtype: 1),
        jvp=_prod_jvp,
        vjp=_prod_vjp,
        samples=_samples([[1, 0, 2, 1, 1, -1], [0, 3], [], [0, 0]]),
        **kernel_rules(_kernel("segment_prod"), "fi"),
    )
)


def _extreme_shares(node: Expr) -> tuple[Expr, Expr]:
    """Which elements attain the extreme of their segment, and how many do in each, one at least."""
    x, segment = node.inputs
    hits = equal(x, segment_take_row(node, segment))
    count = segment_sum_row(convert(hits, dtype=node.dtype), segment, segments=node.attrs["segments"])
    return hits, maximum(count, 1.0)


def _extreme_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    tangent, _ = tangents
    assert tangent is not None
    hits, count = _extreme_shares(node)
    return segment_sum_row(select(hits, tangent, 0.0), node.inputs[1], segments=node.attrs["segments"]) / count


def _extreme_vjp(node: Expr, cotangent: Expr) -> tuple[Expr, None]:
    hits, count = _extreme_shares(node)
    return select(hits, segment_take_row(cotangent / count, node.inputs[1]), 0.0), None


def _limit(dtype: DType, highest: bool) -> Any:
    if dtype.kind == "f":
        return np.inf if highest else -np.inf
    return highest if dtype == np.bool_ else np.iinfo(dtype).max if highest else np.iinfo(dtype).min


def _extreme(name: str, what: str, ufunc: np.ufunc, highest: bool) -> Op:
    return register(
        Op(
            name,
            Family.CUSTOM,
            doc=f"The {what} of the rows of x with equal numbers y, from 0, nan when there is one; the "
            f"{'highest' if highest else 'lowest'} value of the dtype where there are none. Elements that tie for it "
            "share the derivative equally.",
            reference=_reference(ufunc, lambda dtype: _limit(dtype, highest)),
            jvp=_extreme_jvp,
            vjp=_extreme_vjp,
            gaps="t",
            samples=_samples([[1, 0, 2, 1, 1, -1], [0, 1], [], [0, 0]]),
            **kernel_rules(_kernel(name), "fib"),
        )
    )


segment_max_row = _extreme("segment_max", "largest", np.maximum, False)
segment_min_row = _extreme("segment_min", "smallest", np.minimum, True)
