"""Rows that combine elements along axes, and the functions sum, prod, max, min, any and all around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod as _product
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from ..errors import DTypeError, ShapeError, shown
from . import mask_rules
from .arithmetic import add, maximum, minimum, multiply
from .common import explained, is_expression, kind, normal_axes, operand
from .comparison import astype, convert, equal, logical_and, logical_or, select, truth
from .dtypes import as_dtype
from .row import Attrs, DType, Family, Op, Shape, register
from .shaping import (
    broadcast_to,
    broadcast_to_row,
    concatenate_row,
    reshape,
    reshape_row,
    slice_row,
    stack,
    transpose,
    transpose_row,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .expr import Expr, Jvp, MaskRule, Transpose, Vjp

__all__ = ["all", "any", "max", "min", "prod", "sum"]

_LOWEST = "(T)(sizeof(T) == 8 ? INT64_MIN : INT32_MIN)"
_HIGHEST = "(T)(sizeof(T) == 8 ? INT64_MAX : INT32_MAX)"


def _reduced_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    axes, shape = attrs["axes"], shapes[0]
    if list(axes) != sorted(set(axes)) or (axes and not 0 <= axes[0] <= axes[-1] < len(shape)):
        raise ShapeError(f"axes {axes} are not ascending axes of shape {shape}")
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _notation(combiner: str, shapes: Sequence[Shape], attrs: Attrs) -> str:
    """As in NumPy: `sum(x)`, `sum(x, axis=0)`."""
    axes = attrs["axes"]
    if len(axes) == len(shapes[0]):
        return f"{combiner}({{0}})"
    return f"{combiner}({{0}}, axis={axes[0] if len(axes) == 1 else axes})"


def _reduced_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    return node.op(xs[0], axes=tuple(axis + 1 for axis in node.attrs["axes"]))


class _Rules(TypedDict, total=False):
    """What else a reduction may say; see `Op`."""

    neutral: Mapping[str, str]
    accumulator: Mapping[str, str]
    transpose: Transpose
    mask: MaskRule
    jvp: Jvp
    vjp: Vjp
    gaps: str
    exact: bool
    fast: tuple[str, str]


def _reduction(
    combiner: str,
    doc: str,
    reference: Callable[..., Any],
    c: Mapping[str, str],
    identity: Mapping[str, str],
    **rules: Unpack[_Rules],
) -> Op:
    """`reduce_<combiner>`, over the axes of its attribute `axes`."""
    family = Family.LINEAR if "transpose" in rules else Family.CUSTOM
    kinds = "".join(identity)
    return register(
        Op(
            f"reduce_{combiner}",
            family,
            1,
            doc,
            kinds=kinds,
            shape=_reduced_shape,
            reference=reference,
            c=c,
            combiner=combiner,
            identity=identity,
            batch=_reduced_batch,
            notation=partial(_notation, combiner),
            **rules,
        )
    )


def _kept(value: Expr, node: Expr) -> Expr:
    """A value shaped like the result of a reduction, with the reduced axes back as axes of size 1."""
    shape = tuple(1 if k in node.attrs["axes"] else n for k, n in enumerate(node.inputs[0].shape))
    return reshape_row(value, shape=shape)


reduce_sum = _reduction(
    "sum",
    "The sum over `axes`, in a fixed order at any number of threads, of float32 in float64 and rounded once; 0 when "
    "empty.",
    lambda x, axes: np.sum(x, axis=axes, dtype=x.dtype),
    {"f": "a + b", "i": "M(add)(a, b)"},
    {"f": "0", "i": "0"},
    neutral={"f": "-0.0"},  # 0 + -0 is 0
    accumulator={"f": "double"},
    transpose=lambda cotangent, node, i: _spread(cotangent, node),
    mask=mask_rules.sum_,
)


def _spread(cotangent: Expr, node: Expr) -> Expr:
    """The cotangent of a sum, repeated over what was summed."""
    return broadcast_to_row(_kept(cotangent, node), shape=node.inputs[0].shape)


def _others(x: Expr, axes: tuple[int, ...]) -> Expr:
    """For each element, the product of all the others that `axes` multiply it with.

    Products of pairs are formed level by level and handed down again, so there is no division: the result is exact
    with any number of zeros, and so are its own derivatives.
    """
    kept = tuple(k for k in range(len(x.shape)) if k not in axes)
    order = (*kept, *axes)
    moved = transpose_row(x, axes=order)
    lead = tuple(x.shape[k] for k in kept)
    level = reshape_row(moved, shape=(*lead, _product(x.shape[k] for k in axes)))
    levels = []
    while level.shape[-1] > 1:
        if level.shape[-1] % 2:
            level = concatenate_row(level, _ones((*lead, 1), x.dtype), axis=len(lead))
        levels.append(level)
        level = _every_other(level, 0) * _every_other(level, 1)
    result: Expr | npt.NDArray[Any] = _ones((*lead, 1), x.dtype)
    for level in reversed(levels):
        count = level.shape[-1] // 2
        outer = result if result.shape[-1] == count else _first(result, count)
        pairs = stack([outer * _every_other(level, 1), outer * _every_other(level, 0)], axis=-1)
        result = reshape_row(pairs, shape=(*lead, 2 * count))
    total = _product(x.shape[k] for k in axes)
    result = _first(result, total) if result.shape[-1] != total else result
    inverse = tuple(sorted(range(len(order)), key=order.__getitem__))
    shaped: Expr = transpose(reshape(result, moved.shape), inverse)
    return shaped


def _ones(shape: Shape, dtype: DType) -> npt.NDArray[Any]:
    """Ones that take no memory but one number's."""
    return np.broadcast_to(np.ones((), dtype), shape)


def _every_other(x: Expr, start: int) -> Expr:
    """Elements start, start + 2, … along the last axis, whose size is even."""
    ndim = len(x.shape)
    return slice_row(
        x,
        starts=(*[0] * (ndim - 1), start),
        steps=(*[1] * (ndim - 1), 2),
        shape=(*x.shape[:-1], x.shape[-1] // 2),
    )


def _first(x: Expr | npt.NDArray[Any], count: int) -> Expr:
    """The first `count` elements along the last axis."""
    return slice_row(x, starts=(0,) * len(x.shape), steps=(1,) * len(x.shape), shape=(*x.shape[:-1], count))


reduce_prod = _reduction(
    "prod",
    "The product over `axes`; 1 when empty. The derivative by each element is the product of the others, without "
    "division.",
    lambda x, axes: np.prod(x, axis=axes, dtype=x.dtype),
    {"f": "a * b", "i": "M(multiply)(a, b)"},
    {"f": "1", "i": "1"},
    jvp=lambda node, tangents: reduce_sum(
        _given(tangents) * _others(node.inputs[0], node.attrs["axes"]), axes=node.attrs["axes"]
    ),
    vjp=lambda node, cotangent: (_kept(cotangent, node) * _others(node.inputs[0], node.attrs["axes"]),),
)


def _given(tangents: Sequence[Expr | None]) -> Expr:
    """The tangent of the only operand, without which no rule is called."""
    (tangent,) = tangents
    assert tangent is not None
    return tangent


def _extreme_shares(node: Expr) -> tuple[Expr, Expr]:
    """Which elements attain a maximum or minimum, as bools, and how many do, in the operand's dtype."""
    x = node.inputs[0]
    hits = equal(x, _kept(node, node))
    return hits, reduce_sum(convert(hits, dtype=x.dtype), axes=node.attrs["axes"])


def _extreme_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    hits, count = _extreme_shares(node)
    return reduce_sum(select(hits, _given(tangents), 0.0), axes=node.attrs["axes"]) / count


def _extreme_vjp(node: Expr, cotangent: Expr) -> Sequence[Expr]:
    hits, count = _extreme_shares(node)
    return (select(hits, _kept(cotangent / count, node), 0.0),)


def _limit(dtype: DType, highest: bool) -> Any:
    """The largest or smallest value of a dtype, which an extreme over nothing gives."""
    if dtype.kind == "b":
        return np.bool_(highest)
    if dtype.kind == "f":
        return dtype.type(np.inf if highest else -np.inf)
    return np.iinfo(dtype).max if highest else np.iinfo(dtype).min


reduce_max = _reduction(
    "max",
    "The largest element over `axes` (logical or on bools), nan when there is one; the lowest value of the dtype when "
    "empty. Elements that tie for it share the derivative equally.",
    lambda x, axes: np.max(x, axis=axes, initial=_limit(x.dtype, False)),
    {"f": "M(maximum)(a, b)", "i": "a > b ? a : b", "b": "a || b"},
    {"f": "-INFINITY", "i": _LOWEST, "b": "0"},
    jvp=_extreme_jvp,
    vjp=_extreme_vjp,
    gaps="t",
    exact=True,
    fast=("a == a", "b > a ? b : a"),
)
reduce_min = _reduction(
    "min",
    "The smallest element over `axes` (logical and on bools), nan when there is one; the highest value of the dtype "
    "when empty. Elements that tie for it share the derivative equally.",
    lambda x, axes: np.min(x, axis=axes, initial=_limit(x.dtype, True)),
    {"f": "M(minimum)(a, b)", "i": "a < b ? a : b", "b": "a && b"},
    {"f": "INFINITY", "i": _HIGHEST, "b": "1"},
    jvp=_extreme_jvp,
    vjp=_extreme_vjp,
    gaps="t",
    exact=True,
    fast=("a == a", "b < a ? b : a"),
)


def reduce(row: Op, x: Any, axis: Any, keepdims: bool) -> Any:
    """`row` over an `axis` argument as NumPy takes it: None for all, an int, or several, negative from the end."""
    if not isinstance(keepdims, (bool, int, np.bool_)):
        raise DTypeError(f"keepdims is {shown(keepdims)}", "give True or False")
    axes = tuple(sorted(normal_axes(axis, x.ndim)))
    result = row(x, axes=axes) if axes else x
    return reshape(result, kept_shape(x.shape, axes)) if keepdims else result


def kept_shape(shape: Shape, axes: Sequence[int]) -> Shape:
    """`shape` with the reduced axes as axes of size 1."""
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def chosen(x: Any, where: Any, value: Any) -> Any:
    """`x` with `value` in place of the elements for which `where`, a bool array that broadcasts with it, is false."""
    if where is None or where is True:
        return x
    where = operand(where)
    if kind(where) != "b":
        raise DTypeError(f"where is of {where.dtype}", "give bools")
    return select(broadcast_to(where, x.shape), x, np.asarray(value, x.dtype) if not is_expression(value) else value)


def _summable(x: Any, dtype: Any) -> Any:
    """The operand of a sum or product in a given dtype, or that NumPy accumulates it in: int64 for bool and int32."""
    x = operand(x)
    return astype(x, as_dtype(dtype) if dtype is not None else x.dtype if kind(x) == "f" else np.int64)


def _joined(row: Op, x: Any, initial: Any) -> Any:
    """A result with what it begins with, by a row of numbers; bools by the logical function."""
    start = astype(operand(initial), x.dtype)
    if kind(x) != "b":
        return row(x, start)
    return logical_or(x, start) if row in (add, maximum) else logical_and(x, start)


def _accumulated(rows: tuple[Op, Op], x: Any, axis: Any, keepdims: bool, initial: Any) -> Any:
    """A sum or product with the row that joins two; of bools, which dtype=bool makes, the logical one."""
    row, join = rows
    if kind(x) == "b":
        row = reduce_max if row is reduce_sum else reduce_min
    found = reduce(row, x, axis, keepdims)
    return found if initial is None else _joined(join, found, initial)


@explained
def sum(
    x: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The sum over `axis` (None for all, an int or several); bool and int32 are summed as int64.

    Args:
        x: an array.
        axis: what to sum over.
        dtype: to which the elements are converted first.
        keepdims: keep the axes, of size 1.
        initial: what the sum begins with.
        where: bools that broadcast with `x`: which elements take part.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.sum(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        array([4., 6.])
    """
    return _accumulated((reduce_sum, add), chosen(_summable(x, dtype), where, 0), axis, keepdims, initial)


@explained
def prod(
    x: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The product over `axis` (None for all, an int or several); bool and int32 are multiplied as int64.

    The gradient is exact where elements are zero, to any order. The other arguments are those of `sum`.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.prod(np.array([[1.0, 2.0], [3.0, 4.0]]), axis=1)
        array([ 2., 12.])
    """
    return _accumulated((reduce_prod, multiply), chosen(_summable(x, dtype), where, 1), axis, keepdims, initial)


def _extreme(row: Op, x: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    x = operand(x)
    if initial is None:
        if 0 in (x.shape[k] for k in normal_axes(axis, x.ndim)):
            raise ShapeError(f"shape {x.shape} has no elements along axis {axis}", "test x.size, or give initial=")
        if where is not None and where is not True:
            raise ShapeError("where without initial: there may be no elements", "give initial= too")
        return reduce(row, x, axis, keepdims)
    found = reduce(row, chosen(x, where, _limit(x.dtype, row is reduce_min)), axis, keepdims)
    return _joined(maximum if row is reduce_max else minimum, found, initial)


@explained
def max(x: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
    """The largest element along `axis` (None for all, an int or several); nan when there is one.

    Elements that tie for it share the gradient equally.

    Args:
        x: an array.
        axis: what to look through.
        keepdims: keep the axes, of size 1.
        initial: a value that takes part too; the result where there are no elements.
        where: bools that broadcast with `x`: which elements take part; with `initial` only.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements.

    Example:
        >>> pg.max(np.array([[1.0, 5.0], [3.0, 4.0]]), axis=1)
        array([5., 4.])
    """
    return _extreme(reduce_max, x, axis, keepdims, initial, where)


@explained
def min(x: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
    """The smallest element along `axis` (None for all, an int or several); nan when there is one.

    Elements that tie for it share the gradient equally. The other arguments are those of `max`.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements.

    Example:
        >>> pg.min(np.array([[1.0, 5.0], [3.0, 4.0]]), axis=1)
        array([1., 3.])
    """
    return _extreme(reduce_min, x, axis, keepdims, initial, where)


@explained
def any(x: Any, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    """Whether any element along `axis` (None for all, an int or several) is true (not 0); False for none; bool.

    `where` says which elements take part.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.any(np.array([[0, 1], [0, 0]]), axis=1)
        array([ True, False])
    """
    return reduce(reduce_max, chosen(truth(x), where, False), axis, keepdims)


@explained
def all(x: Any, axis: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    """Whether all elements along `axis` (None for all, an int or several) are true (not 0); True for none; bool.

    `where` says which elements take part.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.all(np.array([[0, 1], [2, 3]]), axis=1)
        array([False,  True])
    """
    return reduce(reduce_min, chosen(truth(x), where, True), axis, keepdims)
