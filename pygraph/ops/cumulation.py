"""Rows that combine all elements up to each: sums, products and extremes, in linear time.

Each works along the last axis but one, and on the elements of the last axis apart. The derivatives of those that are
not linear are linear recurrences h[k] = a[k] h[k-1] + b[k], which are a row too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import mask_rules
from .comparison import convert, equal, select
from .expr import Expr, Mask
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .row import Attrs, DType, Family, Op, lookup, register
from .shaping import concatenate_row, slice_row

__all__: list[str] = []

Array = npt.NDArray[Any]
#: Shapes of the operands that tests make.
_SAMPLES = ((5, 1), (4, 3), (1, 2), (0, 3), (3, 0), (2, 4, 1), (2, 3, 2), (0, 2, 1))


def _samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
    for shape in _SAMPLES:
        x = rng.uniform(-2.0, 2.0, shape)
        for reverse in (False, True):
            yield (
                (np.asarray(x > 0.0 if dtype == np.bool_ else x if dtype.kind == "f" else np.rint(3 * x), dtype),),
                {"reverse": reverse},
            )


def _accumulated(ufunc: np.ufunc) -> Callable[..., Array]:
    """NumPy's accumulation along the last axis but one, from either end."""

    def reference(x: Array, reverse: bool = False) -> Array:
        turned = x[..., ::-1, :] if reverse else x
        found = ufunc.accumulate(turned, axis=-2, dtype=x.dtype)
        return np.asarray(found[..., ::-1, :] if reverse else found)

    return reference


def _kernel(name: str) -> Kernel:
    return Kernel(name, "(n,i)->(n,i)", "T->T", params=("reverse",), flops="n * i")


def before(x: Expr, first: float, reverse: bool) -> Expr:
    """For each element the one before it, or `first` where there is none; after it with `reverse`."""
    *lead, n, inner = x.shape
    if n == 0:
        return x
    edge = np.broadcast_to(np.asarray(first, x.dtype), (*lead, 1, inner))
    starts = (*[0] * len(lead), 0 if not reverse else 1, 0)
    kept = slice_row(x, starts=starts if n > 1 else (0,) * x.ndim, steps=(1,) * x.ndim, shape=(*lead, n - 1, inner))
    parts = (kept, edge) if reverse else (edge, kept)
    return concatenate_row(*parts, axis=len(lead))


def _given(tangents: Sequence[Expr | None]) -> Expr:
    """The tangent of the only operand, without which no rule is called."""
    (tangent,) = tangents
    assert tangent is not None
    return tangent


# --- sums ------------------------------------------------------------------------------------------------------------


def _cumsum_mask(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Where some element so far may differ from zero."""
    mask = masks[0]
    if isinstance(mask, bool):
        return mask
    mask = mask_rules.padded(mask, node.ndim)
    if mask.shape[-2] == 1:
        return mask
    return lookup("cummax")(mask, reverse=node.attrs["reverse"])


cumsum_row: Op = register(
    Op(
        "cumsum",
        Family.LINEAR,
        doc="The sums of all elements up to each, with `reverse` from it to the end, added one after another.",
        reference=_accumulated(np.add),
        transpose=lambda cotangent, node, i: cumsum_row(cotangent, reverse=not node.attrs["reverse"]),
        mask=_cumsum_mask,
        samples=_samples,
        **kernel_rules(_kernel("cumsum"), "fi"),
    )
)

# --- linear recurrences ----------------------------------------------------------------------------------------------


def _recurrence_reference(a: Array, b: Array, reverse: bool) -> Array:
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + a.shape[-2:]
    a, found = np.broadcast_to(a, shape), np.array(np.broadcast_to(b, shape))
    order = range(shape[-2])[::-1] if reverse else range(shape[-2])
    for last, k in itertools.pairwise(order):
        found[..., k, :] = a[..., k, :] * found[..., last, :] + found[..., k, :]
    return found


def _recurrence_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    (a, _), (da, db), reverse = node.inputs, tangents, node.attrs["reverse"]
    moved = None if da is None else da * before(node, 0.0, reverse)
    driven = moved if db is None else db if moved is None else moved + db
    assert driven is not None
    return recurrence_row(a, driven, reverse=reverse)


def _recurrence_vjp(node: Expr, cotangent: Expr) -> tuple[Expr, Expr]:
    reverse = node.attrs["reverse"]
    back = recurrence_row(before(node.inputs[0], 0.0, not reverse), cotangent, reverse=not reverse)
    return back * before(node, 0.0, reverse), back


def _recurrence_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[tuple[Array, ...], Attrs]]:
    for shape in _SAMPLES:
        for reverse in (False, True):
            a, b = (rng.uniform(-1.5, 1.5, lead + shape[-2:]).astype(dtype) for lead in (shape[:-2], ()))
            yield (a, b), {"reverse": reverse}


recurrence_row: Op = register(
    Op(
        "linear_recurrence",
        Family.CUSTOM,
        doc="h[k] = x[k] h[k-1] + y[k] along the last axis but one, with h[-1] = 0, whatever the first x; with "
        "`reverse` from the last element to the first.",
        reference=_recurrence_reference,
        jvp=_recurrence_jvp,
        vjp=_recurrence_vjp,
        samples=_recurrence_samples,
        **kernel_rules(
            Kernel("linear_recurrence", "(n,i),(n,i)->(n,i)", "TT->T", params=("reverse",), flops="2 * n * i"), "f"
        ),
    )
)

# --- products --------------------------------------------------------------------------------------------------------
# Of p[k] = p[k-1] x[k]: dp[k] = dp[k-1] x[k] + p[k-1] dx[k]. No division, so zeros are as good as other elements.


def _cumprod_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    (x,), reverse = node.inputs, node.attrs["reverse"]
    return recurrence_row(x, before(node, 1.0, reverse) * _given(tangents), reverse=reverse)


def _cumprod_vjp(node: Expr, cotangent: Expr) -> tuple[Expr]:
    (x,), reverse = node.inputs, node.attrs["reverse"]
    back = recurrence_row(before(x, 0.0, not reverse), cotangent, reverse=not reverse)
    return (back * before(node, 1.0, reverse),)


cumprod_row: Op = register(
    Op(
        "cumprod",
        Family.CUSTOM,
        doc="The products of all elements up to each, with `reverse` from it to the end, multiplied one after another. "
        "The derivative needs no division: it is exact with any number of zeros.",
        reference=_accumulated(np.multiply),
        jvp=_cumprod_jvp,
        vjp=_cumprod_vjp,
        samples=_samples,
        **kernel_rules(_kernel("cumprod"), "fi"),
    )
)

# --- extremes --------------------------------------------------------------------------------------------------------
# The derivative is the mean of those of all elements so far that equal the extreme: a sum that begins anew where the
# extreme changes, over a count that does so too.


def _runs(node: Expr) -> tuple[Expr, Expr, Expr]:
    """Where the extreme is that of the element before, where the element equals it, and how many do, as floats."""
    (x,), reverse = node.inputs, node.attrs["reverse"]
    kept = convert(equal(node, before(node, 0.0, reverse)), dtype=node.dtype)
    hits = equal(x, node)
    return kept, hits, recurrence_row(kept, convert(hits, dtype=node.dtype), reverse=reverse)


def _extreme_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    kept, hits, count = _runs(node)
    return recurrence_row(kept, select(hits, _given(tangents), 0.0), reverse=node.attrs["reverse"]) / count


def _extreme_vjp(node: Expr, cotangent: Expr) -> tuple[Expr]:
    kept, hits, count = _runs(node)
    reverse = node.attrs["reverse"]
    back = recurrence_row(before(kept, 0.0, not reverse), cotangent / count, reverse=not reverse)
    return (select(hits, back, 0.0),)


cummax_row: Op = register(
    Op(
        "cummax",
        Family.CUSTOM,
        doc="The largest of all elements up to each, with `reverse` from it to the end (logical or of bools); nan from "
        "the first nan on. Elements that tie for it share its derivative equally.",
        reference=_accumulated(np.maximum),
        jvp=_extreme_jvp,
        vjp=_extreme_vjp,
        samples=_samples,
        gaps="t",
        **kernel_rules(_kernel("cummax"), "fib"),
    )
)
cummin_row: Op = register(
    Op(
        "cummin",
        Family.CUSTOM,
        doc="The smallest of all elements up to each, with `reverse` from it to the end (logical and of bools); nan "
        "from the first nan on. Elements that tie for it share its derivative equally.",
        reference=_accumulated(np.minimum),
        jvp=_extreme_jvp,
        vjp=_extreme_vjp,
        samples=_samples,
        gaps="t",
        **kernel_rules(_kernel("cummin"), "fib"),
    )
)
