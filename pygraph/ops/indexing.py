"""Rows that read and write at integer indices, and `take`; basic and advanced keys are in keys.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import DTypeError, IndexRangeError, ShapeError, UnsupportedError, shown
from . import mask_rules
from .arithmetic import maximum, minimum, mod
from .common import explained, is_expression, kind, normal_axis, operand
from .comparison import astype, equal, logical_and_row, select
from .dtypes import int64
from .expr import Expr
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .leaves import iota_row
from .reductions import reduce_max
from .row import Attrs, DType, Family, Op, Shape, register
from .shaping import in_batch, ravel, reshape_row, transpose_row

__all__ = ["take"]

Array: TypeAlias = npt.NDArray[Any]


def _checked(index: Array, size: int) -> Array:
    """An index array with its negative entries wrapped; raises `IndexRangeError` for entries out of range."""
    bad = np.asarray((index < -size) | (index >= size))
    if bad.any():
        problem = f"index {np.asarray(index)[bad].flat[0]} is out of range for an axis of size {size}"
        raise IndexRangeError(problem, f"give {-size} to {size - 1}" if size else "the axis is empty")
    return np.where(np.asarray(index) < 0, index + size, index)


def _take_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    (x, index), axis = shapes[:2], attrs["axis"]
    if not 0 <= axis < len(x):
        raise ShapeError(f"axis {axis} is out of range for an operand of shape {x}")
    return (*x[:axis], *index, *x[axis + 1 :])


def _scatter_shape(shapes: Sequence[Shape], attrs: Attrs) -> Shape:
    wanted = _take_shape(shapes, attrs)
    if shapes[2] != wanted:
        raise ShapeError(f"values of shape {shapes[2]} where the places have shape {wanted}")
    return shapes[0]


def _take_reference(x: Array, index: Array, axis: int) -> Array:
    return np.take(x, _checked(index, x.shape[axis]), axis=axis)


def _flat(x: Array, index: Array, values: Array, axis: int) -> tuple[Array, tuple[Any, ...], Array]:
    """A copy of x, a key that picks a 1-D index along `axis`, and the values with the index's axes made one."""
    index = np.asarray(index)
    flat = _checked(index.reshape(-1), x.shape[axis])
    values = np.reshape(values, (*x.shape[:axis], flat.size, *x.shape[axis + 1 :]))
    return np.array(x), (*[slice(None)] * axis, flat), values


def _scatter_add_reference(x: Array, index: Array, values: Array, axis: int) -> Array:
    result, key, values = _flat(x, index, values, axis)
    np.add.at(result, key, values)
    return result


def _scatter_set_reference(x: Array, index: Array, values: Array, axis: int) -> Array:
    result, key, values = _flat(x, index, values, axis)
    for k, place in enumerate(key[-1]):  # one by one: NumPy does not promise which of equal indices wins
        result[(*key[:-1], place)] = values[(*key[:-1], k)]
    return result


def _zeros(shape: Shape, dtype: DType) -> Array:
    """Zeros that take no memory but one number's."""
    return np.broadcast_to(np.zeros((), dtype), shape)


def _take_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    x, index = node.inputs
    return scatter_add(_zeros(x.shape, cotangent.dtype), index, cotangent, axis=node.attrs["axis"])


def _moved(x: Expr, first: int, count: int, to: int) -> Expr:
    """`count` axes that begin at `first` moved so that they begin at `to`."""
    rest = [axis for axis in range(len(x.shape)) if not first <= axis < first + count]
    order = (*rest[:to], *range(first, first + count), *rest[to:])
    return x if order == tuple(range(len(x.shape))) else transpose_row(x, axes=order)


def _own_rows(index: Expr, n: int) -> Expr:
    """A batch of indices into axes of size n as indices into these axes laid end to end."""
    size = index.shape[0]
    wrapped = wrap_index_row(index, size=n)
    if not n:
        return wrapped
    offsets = iota_row(size=size, start=0, step=n, dtype=int64)
    return wrapped + reshape_row(offsets, shape=(size, *[1] * (wrapped.ndim - 1)))


def _end_to_end(x: Expr, axis: int) -> Expr:
    """A batch of arrays, with `axis` (of each) brought next to the batch axis and the two made one."""
    x = _moved(x, axis + 1, 1, 1)
    return reshape_row(x, shape=(x.shape[0] * x.shape[1], *x.shape[2:]))


def _take_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    (x, index), axis = xs, node.attrs["axis"]
    if not batched[1]:
        return take_row(x, index, axis=axis + 1)
    if not batched[0]:
        return _moved(take_row(x, index, axis=axis), axis, 1, 0)
    taken = take_row(_end_to_end(x, axis), _own_rows(index, x.shape[axis + 1]), axis=0)
    return _moved(taken, 1, len(index.shape) - 1, axis + 1)


def _scatter_batch(node: Expr, xs: Sequence[Expr], batched: Sequence[bool], size: int) -> Expr:
    axis = node.attrs["axis"]
    x, values = in_batch(xs[0], batched[0], size), in_batch(xs[2], batched[2], size)
    index = xs[1]
    if not batched[1]:
        return node.op(x, index, values, axis=axis + 1)
    n = x.shape[axis + 1]
    values = _moved(values, axis + 1, len(index.shape) - 1, 1)
    flat = node.op(_end_to_end(x, axis), _own_rows(index, n), values, axis=0)
    return _moved(reshape_row(flat, shape=(size, n, *flat.shape[1:])), 1, 1, axis + 1)


#: What kernels say of an index that is not one.
OUT_OF_RANGE = Failure(
    IndexRangeError,
    "index {0} is out of range for an axis of length {1}",
    "clip or check the indices; negative ones count from the end",
    "INDEX",
)


def _layout(shapes: Sequence[Shape], attrs: Attrs) -> dict[str, int]:
    (x, index), axis = shapes[:2], attrs["axis"]
    return {"o": prod(x[:axis]), "s": x[axis], "i": prod(x[axis + 1 :]), "n": prod(index)}


take_row: Op = register(
    Op(
        "take",
        Family.LINEAR,
        doc="Slices of x along `axis` at an int64 index of any shape, which takes the place of that axis; negative "
        "entries count from the end, and entries out of range are an error at run time.",
        shape=_take_shape,
        reference=_take_reference,
        transpose=_take_transpose,
        batch=_take_batch,
        linear_in=(0,),
        title="indexing x[i]",
        **kernel_rules(
            Kernel("take", "(o,s,i),(n)->(o,n,i)", "Tl->T", failures=(OUT_OF_RANGE,), layout=_layout), "fib"
        ),
        mask=mask_rules.take,
        moves=True,
        gaps="t",
    )
)


def _scatter_kernel(name: str) -> Kernel:
    signature = "(o,s,i),(n),(o,n,i)->(o,s,i)"
    return Kernel(name, signature, "TlT->T", updates=(0,), failures=(OUT_OF_RANGE,), layout=_layout)


def _scatter_add_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    return cotangent if i == 0 else take_row(cotangent, node.inputs[1], axis=node.attrs["axis"])


scatter_add = register(
    Op(
        "scatter_add",
        Family.LINEAR,
        doc="x with the values added to its slices along `axis` at an int64 index, in the order of the index, so that "
        "equal entries add up. The values have the shape that take gives for this index.",
        shape=_scatter_shape,
        reference=_scatter_add_reference,
        transpose=_scatter_add_transpose,
        batch=_scatter_batch,
        linear_in=(0, 2),
        mask=mask_rules.scatter_add,
        title="x.at[i].add",
        **kernel_rules(_scatter_kernel("scatter_add"), "fi"),
    )
)


def _distinct(index: Expr) -> bool:
    """Whether no two entries of an index are equal, as far as can be told when recording."""
    if prod(index.shape) < 2:
        return True
    if index.op is iota_row:
        start, step = index.attrs["start"], index.attrs["step"]
        return bool(min(start, start + step * (index.shape[0] - 1)) >= 0)
    value = index.attrs["value"].value if index.op.name == "constant" else None
    return value is not None and (value >= 0).all() and len(np.unique(value)) == value.size


def _winners(node: Expr) -> Expr:
    """Which values are there at the end; the others were overwritten by a later equal index.

    Takes one pass over the axis, or compares all pairs of indices where that is less.
    """
    x, index, _ = node.inputs
    axis = node.attrs["axis"]
    count, size = prod(index.shape), x.shape[axis]
    order = iota_row(size=count, start=0, step=1, dtype=int64)
    flat = reshape_row(index, shape=(count,))
    if count * count <= size:
        flat = wrap_index_row(flat, size=size)
        last = reduce_max(select(equal(reshape_row(flat, shape=(count, 1)), flat), order, -1), axes=(1,))
    else:
        last = take_row(scatter_set(_zeros((size,), int64), flat, order, axis=0), flat, axis=0)
    shape = (*[1] * axis, *index.shape, *[1] * (len(x.shape) - axis - 1))
    return reshape_row(equal(last, order), shape=shape)


def _scatter_set_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    _, index, values = node.inputs
    axis = node.attrs["axis"]
    if i == 0:
        return scatter_set(cotangent, index, _zeros(values.shape, values.dtype), axis=axis)
    taken = take_row(cotangent, index, axis=axis)
    return taken if _distinct(index) else select(_winners(node), taken, 0.0)


scatter_set: Op = register(
    Op(
        "scatter_set",
        Family.LINEAR,
        doc="x with the values in place of its slices along `axis` at an int64 index; the last of equal entries wins. "
        "The values have the shape that take gives for this index.",
        shape=_scatter_shape,
        reference=_scatter_set_reference,
        transpose=_scatter_set_transpose,
        batch=_scatter_batch,
        linear_in=(0, 2),
        mask=mask_rules.scatter_set,
        title="x.at[i].set",
        **kernel_rules(_scatter_kernel("scatter_set"), "fib"),
        moves=True,
        gaps="t",
    )
)


def _all_within(index: Array, size: int) -> Array:
    bad = np.asarray((index < 0) | (index >= size))
    if bad.any():
        problem = f"index {np.asarray(index)[bad].flat[0]} is not from 0 to below {size}"
        raise IndexRangeError(problem, "check the indices; negative ones do not count from the end here")
    return np.asarray(index)


def _index_row(name: str, doc: str, checked: Callable[..., Array], failure: Failure, title: str) -> Op:
    """A row that looks at an int64 index into an axis of `size`, in a kernel of its name."""
    kernel = Kernel(
        name,
        "(n)->(n)",
        "l->l",
        params=("size",),
        failures=(failure,),
        layout=lambda shapes, attrs: {"n": prod(shapes[0])},
    )
    return register(
        Op(
            name,
            Family.ELEMENTWISE,
            doc=doc,
            shape=lambda shapes, attrs: shapes[0],
            reference=checked,
            nondiff=True,
            title=title,
            **kernel_rules(kernel, "i"),
        )
    )


wrap_index_row: Op = _index_row(
    "wrap_index",
    "An int64 index into an axis of `size`: negative entries count from the end, and entries out of range are an error "
    "at run time.",
    _checked,
    OUT_OF_RANGE,
    "indexing x[i]",
)
strict_index: Op = _index_row(
    "strict_index",
    "An int64 index into an axis of `size`, where entries that are negative or out of range are an error at run time.",
    _all_within,
    Failure(
        IndexRangeError,
        "index {0} is not from 0 to below {1}",
        "check the indices; negative ones do not count from the end here",
    ),
    "take(mode='strict')",
)


def as_index(index: Any) -> Any:
    """An integer array or expression as int64; raises for all else."""
    if not is_expression(index) and np.asarray(index).dtype.kind not in "fiub":
        problem = f"an index must be an integer, not {shown(index)}"
        raise DTypeError(problem, "give ints, slices, ..., None, or arrays of integers or bools")
    index = operand(index)
    if not is_expression(index) and (index.dtype.kind in "iu" or index.size == 0):  # an empty list is of floats
        return index.astype(int64)
    letter = kind(index)
    if letter == "b":
        raise UnsupportedError(
            "an index must be an integer, not bool",
            "keep the shape: np.where(mask, x, 0.0); x[mask] takes a mask that is known when recording",
        )
    if letter == "f":
        raise DTypeError(f"an index must be an integer, not {index.dtype}", "convert the index: i.astype('int64')")
    return astype(index, int64)


def wrapped(index: Any, size: int) -> Any:
    """An int64 index without negative entries; one known now is checked now, an expression when it runs."""
    return wrap_index_row(index, size=size) if is_expression(index) else _checked(index, size)


def bounded(index: Any, size: int, mode: str, *, from_end: bool) -> tuple[Any, Any]:
    """An int64 index brought into an axis of `size`, and, where `mode` is "fill", which entries were within it.

    Args:
        mode: "clip", "wrap" or "fill".
        from_end: negative entries count from the end; else they are before the first element.

    Raises:
        UnsupportedError: another mode; IndexRangeError: an index with entries into an axis without elements.
    """
    if mode not in ("clip", "wrap", "fill"):
        raise UnsupportedError(f"mode {shown(mode)}", "give 'clip', 'wrap' or 'fill', or leave mode out")
    if not size and prod(index.shape):
        raise IndexRangeError("the axis is empty", "give an array with elements")
    if mode == "wrap":
        return mod(index, np.int64(max(size, 1))), None
    if from_end:
        index = select(index < 0, index + np.int64(size), index)
    if mode == "clip":
        return maximum(minimum(index, np.int64(size - 1)), np.int64(0)), None
    inside = logical_and_row(index >= 0, index < size)
    return select(inside, index, np.int64(0)), inside


def filling(dtype: DType) -> Any:
    """What stands for an element that is not there: nan, of ints the smallest, of bools True."""
    return dtype.type(np.nan) if dtype.kind == "f" else np.True_ if dtype.kind == "b" else np.iinfo(dtype).min


@explained
def take(x: Any, indices: Any, axis: Any = None, *, mode: str = "raise") -> Any:
    """Slices of `x` along `axis` (None: of its elements in C order) at integer `indices` of any shape.

    The shape of `indices` takes the place of the axis.

    Args:
        x: the array or expression.
        indices: ints, an array or an expression.
        axis: along which they count.
        mode: what becomes of indices that are out of range: "raise", an error, while negative ones count from the end;
            "strict", the same error for negative ones too; "wrap", the index modulo the size; "clip", the first or the
            last.

    Raises:
        IndexRangeError: an index out of range; at run time where it is an expression.
        DTypeError, UnsupportedError: `indices` are floats or bools; another mode.

    Example:
        >>> pg.take(np.array([10.0, 20.0, 30.0]), [2, -3])
        array([30., 10.])
        >>> pg.take(np.array([10.0, 20.0, 30.0]), [3, -1], mode="clip")
        array([30., 10.])
    """
    x = operand(x)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normal_axis(axis, x.ndim)
    index = as_index(indices)
    if mode == "strict":
        within = strict_index if is_expression(index) else _all_within
        index = within(index, size=x.shape[axis])
    elif mode != "raise":
        index, inside = bounded(index, x.shape[axis], mode, from_end=False)
        if inside is not None:
            raise UnsupportedError(f"mode {shown(mode)}", "give 'raise', 'strict', 'wrap' or 'clip'")
    elif not is_expression(index):
        index = _checked(index, x.shape[axis])
    return take_row(x, index, axis=axis)
