"""How linear rows move a mask: where their result may differ from zero, from where their operands may.

A mask is a bool expression that broadcasts with the operand it belongs to, True (everywhere) or False (nowhere). Axes
along which it does not change have size 1 or are left out, so masks of slices and rows stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import GraphError
from .expr import Expr, Mask
from .row import Shape, lookup

#: A mask that is known when recording.
Flags: TypeAlias = npt.NDArray[np.bool_]
#: Masks known when recording are constants up to this many elements; longer ones are made at run time.
KNOWN = 4096
#: A mask that holds at one in so many places, or fewer, is written into another one at these.
FEW = 8


def _unbound(value: npt.ArrayLike) -> Expr:
    raise GraphError("pygraph.graph is not imported yet", "import pygraph", stage="differentiating", subject="a mask")


_constant: Callable[[npt.ArrayLike], Expr] = _unbound


def bind_constant(constant: Callable[[npt.ArrayLike], Expr]) -> None:
    """Tell the masks how a constant is recorded (called once, by `pygraph.graph`)."""
    global _constant
    _constant = constant


def padded(mask: Expr, ndim: int) -> Expr:
    """A mask with axes of size 1 in front until it has `ndim` axes."""
    lead = ndim - len(mask.shape)
    return mask if lead <= 0 else lookup("reshape")(mask, shape=(*[1] * lead, *mask.shape))


def spread(mask: Mask, shape: Shape) -> Expr:
    """A mask, True or False as an array of `shape`."""
    known = _constant(np.bool_(mask)) if isinstance(mask, bool) else mask
    return known if known.shape == shape else lookup("broadcast_to")(known, shape=shape)


def either(first: Mask, second: Mask) -> Mask:
    """Where one of two masks holds, or both."""
    if isinstance(first, bool):
        return first or second
    if isinstance(second, bool):
        return second or first
    if first is second:
        return first
    for whole, other in ((first, second), (second, first)):
        if _is_rectangle(other) and whole.shape == other.shape and whole.op.name != "constant":
            return _put_in(whole, other)
        part = _part(other)
        if part is not None and _is_along(whole, part):
            return part.set_in(whole)
    return lookup("logical_or")(first, second)


def _is_rectangle(mask: Expr) -> bool:
    """Whether a mask holds nowhere but in a small rectangle, that is cut along several axes."""
    if mask.op.name != "unslice" or FEW * prod(mask.inputs[0].shape) > prod(mask.shape):
        return False
    return sum(n != size for n, size in zip(mask.inputs[0].shape, mask.shape, strict=True)) > 1


def _put_in(whole: Expr, rectangle: Expr) -> Expr:
    """Where `whole` holds, or a mask that is a rectangle."""
    (values,) = rectangle.inputs
    starts, steps = rectangle.attrs["starts"], rectangle.attrs["steps"]
    held = lookup("slice")(whole, starts=starts, steps=steps, shape=values.shape)
    both = lookup("logical_or")(held, values)
    return lookup("put")(whole, both, places=((starts, steps, values.shape),))


class _Part(NamedTuple):
    """A mask that holds nowhere but at the entries of an index along an axis, where it is `values`."""

    shape: Shape
    entries: Expr
    values: Expr
    axis: int

    def set_in(self, mask: Expr) -> Expr:
        """Where `mask` holds, or this one."""
        held = lookup("take")(mask, self.entries, axis=self.axis)
        values = lookup("logical_or")(held, self.values)
        return lookup("scatter_set")(mask, self.entries, values, axis=self.axis)


def _is_along(whole: Expr, part: _Part) -> bool:
    """Whether a mask has all the places of a part of one."""
    if len(whole.shape) != len(part.shape) or whole.shape[part.axis] != part.shape[part.axis]:
        return False
    return whole.op.name != "constant" and all(n in (1, size) for n, size in zip(part.shape, whole.shape, strict=True))


def _part(mask: Expr) -> _Part | None:
    """A mask that holds at few places as a part of one."""
    shape, line = mask.shape, mask
    lines = [k for k, size in enumerate(shape) if size != 1]
    if mask.op.name == "reshape" and len(mask.inputs[0].shape) == len(lines) == 1:
        line = mask.inputs[0]
    if line.op.name == "scatter_set" and _is_false(line.inputs[0]):
        _, index, values = line.inputs
        if line is mask:
            return _Part(shape, index, values, line.attrs["axis"])
    elif len(lines) == 1 and line.op.name == "constant" and prod(shape) >= FEW * FEW:
        found = np.flatnonzero(line.attrs["value"].value)
        if FEW * found.size > prod(shape):
            return None
        index, values = _constant(found), _constant(np.ones(found.size, np.bool_))
    elif line.op.name == "unslice" and FEW * prod(line.inputs[0].shape) <= prod(shape):
        (values,) = line.inputs
        cut = [k for k, (n, size) in enumerate(zip(values.shape, line.shape, strict=True)) if n != size]
        if len(cut) != 1:
            return None
        counts = np.arange(values.shape[cut[0]])
        index = _constant(line.attrs["starts"][cut[0]] + counts * line.attrs["steps"][cut[0]])
        if line is mask:
            return _Part(shape, index, values, cut[0])
    else:
        return None
    axis = lines[0] if lines else 0
    count = prod(values.shape)
    wide = tuple(count if k == axis else 1 for k in range(len(shape)))
    return _Part(shape, _reshaped(index, (count,)), _reshaped(values, wide), axis)


def _reshaped(node: Expr, shape: Shape) -> Expr:
    return node if node.shape == shape else lookup("reshape")(node, shape=shape)


def _is_false(mask: Expr) -> bool:
    while mask.op.whole_view:
        mask = mask.inputs[0]
    return mask.op.name == "constant" and mask.attrs["value"].value.size == 1 and not mask.attrs["value"].value.any()


def inside(move: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    """A move that makes no zeros, so that it commutes with `not`: opposite masks stay recognisable as such."""

    def moved(mask: Expr) -> Expr:
        if mask.op.name == "logical_not":
            return mask.op(move(mask.inputs[0]))
        return move(mask)

    return moved


def _single(node: Expr, masks: Sequence[Mask], move: Callable[[Expr], Expr]) -> Mask:
    mask = masks[0]
    return mask if isinstance(mask, bool) else inside(move)(mask)


def unchanged(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Of a row whose result broadcasts with its operand element by element."""
    return masks[0]


def reshape(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Axes that are split or joined are spread only where the mask changes along them."""
    return _single(node, masks, lambda mask: reshaped(mask, node.inputs[0].shape, node.shape))


def reshaped(mask: Expr, before: Shape, after: Shape) -> Expr:
    """A mask for an array of shape `before` as one for the same elements in shape `after`."""
    if prod(mask.shape) == 1:
        return mask if not mask.shape else lookup("reshape")(mask, shape=())
    if prod(before) == 0:
        return spread(True, (1,) * len(after))
    mask = padded(mask, len(before))
    wide: list[int] = []
    found: list[int] = []
    i = j = 0
    while i < len(before) or j < len(after):  # groups of axes with equal numbers of elements
        first, second = i, j
        left = right = 1
        while (i, j) == (first, second) or left != right:
            if (left <= right and i < len(before)) or j == len(after):
                left *= before[i]
                i += 1
            else:
                right *= after[j]
                j += 1
        steady = all(n == 1 for n in mask.shape[first:i])
        wide += [1] * (i - first) if steady else before[first:i]
        found += [1] * (j - second) if steady else after[second:j]
    mask = spread(mask, tuple(wide))
    return mask if tuple(found) == mask.shape else lookup("reshape")(mask, shape=tuple(found))


def transpose(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The axes of the mask permuted."""
    axes = node.attrs["axes"]
    return _single(node, masks, lambda mask: lookup("transpose")(padded(mask, len(axes)), axes=axes))


def slice_(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The mask sliced along the axes where it changes."""

    def move(mask: Expr) -> Expr:
        mask = padded(mask, len(node.shape))
        places = [
            (0, 1, 1) if n == 1 else place
            for n, *place in zip(mask.shape, node.attrs["starts"], node.attrs["steps"], node.shape, strict=True)
        ]
        starts, steps, shape = zip(*places, strict=True) if places else ((), (), ())
        return mask if prod(mask.shape) == 1 else lookup("slice")(mask, starts=starts, steps=steps, shape=shape)

    return _single(node, masks, move)


def unslice(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Only where the operand is put."""
    (operand,), mask = node.inputs, masks[0]
    if isinstance(mask, bool):
        return footprint(operand.shape, node.attrs["starts"], node.attrs["steps"], node.shape) if mask else False
    ndim = len(node.shape)
    mask = padded(mask, ndim)
    # along axes that the operand fills the mask may stay of size 1
    whole = [count == size for count, size in zip(operand.shape, node.shape, strict=True)]
    part = tuple(
        n if n != 1 or filled else count for n, filled, count in zip(mask.shape, whole, operand.shape, strict=True)
    )
    keep = [n == 1 and filled for n, filled in zip(part, whole, strict=True)]
    return lookup("unslice")(
        spread(mask, part),
        starts=tuple(0 if kept else start for kept, start in zip(keep, node.attrs["starts"], strict=True)),
        steps=tuple(1 if kept else step for kept, step in zip(keep, node.attrs["steps"], strict=True)),
        shape=tuple(1 if kept else size for kept, size in zip(keep, node.shape, strict=True)),
    )


def footprint(part: Shape, starts: Sequence[int], steps: Sequence[int], whole: Shape) -> Mask:
    """Where an array of shape `part` lies in one of shape `whole`; True where that is everywhere."""
    result: Expr | Flags | None = None
    cut = [n for n, size in zip(part, whole, strict=True) if n != size]
    if len(cut) > 1 and prod(whole) > KNOWN and FEW * prod(part) <= prod(whole):
        return lookup("unslice")(spread(True, part), starts=tuple(starts), steps=tuple(steps), shape=whole)
    for axis, (count, start, step, size) in enumerate(zip(part, starts, steps, whole, strict=True)):
        if count == size:
            continue
        line: Expr | Flags
        if size <= KNOWN:
            line = np.zeros(size, np.bool_)
            line[[start + k * step for k in range(count)]] = True
        else:
            line = lookup("unslice")(spread(True, (count,)), starts=(start,), steps=(step,), shape=(size,))
        line = _along(line, axis, len(whole))
        result = line if result is None else lookup("logical_and")(result, line)
    return True if result is None else recorded(result)


def _along(line: Expr | Flags, axis: int, ndim: int) -> Expr | Flags:
    """A vector along one of `ndim` axes."""
    shape = (len(line) if isinstance(line, np.ndarray) else line.shape[0], *[1] * (ndim - axis - 1))
    return np.reshape(line, shape) if isinstance(line, np.ndarray) else lookup("reshape")(line, shape=shape)


def recorded(mask: Expr | Flags) -> Mask:
    """A mask that is known now as an expression; True where it holds everywhere, False where it holds nowhere."""
    if not isinstance(mask, np.ndarray):
        return mask
    return True if mask.all() else _constant(mask) if mask.any() else False


def concatenate(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The masks of the pieces one after another."""
    axis = node.attrs["axis"]
    if all(isinstance(mask, bool) for mask in masks):
        if len(set(masks)) == 1:
            return masks[0]
        lines = [(mask, x.shape[axis]) for mask, x in zip(masks, node.inputs, strict=True)]
        line: Expr | Flags
        if node.shape[axis] <= KNOWN:
            line = np.concatenate([np.full(size, mask) for mask, size in lines])
        else:
            line = lookup("concatenate")(*(spread(mask, (size,)) for mask, size in lines), axis=0)
        return recorded(_along(line, axis, len(node.shape)))
    ndim = len(node.shape)
    whole = [mask if isinstance(mask, bool) else padded(mask, ndim) for mask in masks]
    common = np.broadcast_shapes(
        *(
            tuple(1 if k == axis else n for k, n in enumerate(mask.shape))
            for mask in whole
            if not isinstance(mask, bool)
        )
    )
    parts = [
        spread(mask, (*common[:axis], x.shape[axis], *common[axis + 1 :]))
        for mask, x in zip(whole, node.inputs, strict=True)
    ]
    return lookup("concatenate")(*parts, axis=axis)


def summed(mask: Expr, shape: Shape, axes: Sequence[int]) -> Expr:
    """Where a sum over `axes` of an array of `shape` may differ from zero; these axes are kept, of size 1."""
    mask = padded(mask, len(shape))
    changing = tuple(axis for axis in axes if mask.shape[axis] != 1)
    if not changing:
        return mask
    kept = tuple(1 if axis in changing else n for axis, n in enumerate(mask.shape))
    return lookup("reshape")(lookup("reduce_max")(mask, axes=changing), shape=kept)


def sum_(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Where some element of the sum may differ from zero."""
    mask, axes = masks[0], node.attrs["axes"]
    if isinstance(mask, bool):
        return mask
    found = summed(mask, node.inputs[0].shape, axes)
    shape = tuple(n for axis, n in enumerate(found.shape) if axis not in axes)
    return found if shape == found.shape else lookup("reshape")(found, shape=shape)


def take(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The mask at the index, where it changes along that axis."""
    x, index = node.inputs
    axis = node.attrs["axis"]

    def move(mask: Expr) -> Expr:
        mask = padded(mask, len(x.shape))
        if mask.shape[axis] != 1:
            return lookup("take")(mask, index, axis=axis)
        shape = (*mask.shape[:axis], *[1] * len(index.shape), *mask.shape[axis + 1 :])
        return lookup("reshape")(mask, shape=shape)

    return _single(node, masks, move)


def scatter_add(node: Expr, masks: Sequence[Mask]) -> Mask:
    """Where something was, or something is added."""
    return either(masks[0], _written(node, masks[2])) if masks[2] is not False else masks[0]


def scatter_set(node: Expr, masks: Sequence[Mask]) -> Mask:
    """The mask of the values written over that of the array."""
    was, _, new = masks
    if isinstance(was, bool) and isinstance(new, bool) and (was == new or new):
        return was or _written(node, True)
    x, index, values = node.inputs
    return node.op(spread(was, x.shape), index, spread(new, values.shape), axis=node.attrs["axis"])


def _written(node: Expr, mask: Mask) -> Mask:
    """Where the values of a scatter, which have a mask, lie along its axis."""
    x, index, values = node.inputs
    axis, ndim = node.attrs["axis"], len(x.shape)
    size = x.shape[axis]
    if isinstance(mask, bool):
        line: Expr | Flags
        if index.op.name == "constant" and size <= KNOWN:
            line = np.zeros(size, np.bool_)
            line[index.attrs["value"].value.reshape(-1) if index.attrs["value"].value.size else []] = True
        else:
            count = prod(index.shape)
            flat = lookup("reshape")(index, shape=(count,))
            line = lookup("scatter_set")(spread(False, (size,)), flat, spread(True, (count,)), axis=0)
        return recorded(_along(line, axis, ndim))
    places = range(axis, axis + len(index.shape))
    mask = padded(mask, len(values.shape))
    mask = spread(mask, tuple(values.shape[k] if k in places else n for k, n in enumerate(mask.shape)))
    rest = (*mask.shape[:axis], size, *mask.shape[axis + len(index.shape) :])
    count = prod(index.shape)
    if count < 2 or (count * count <= size and len(mask.shape) == len(index.shape)):
        if count > 1:  # equal entries of the index get what holds at any of them
            flat = lookup("wrap_index")(lookup("reshape")(index, shape=(count,)), size=size)
            same = lookup("equal")(lookup("reshape")(flat, shape=(count, 1)), flat)
            pairs = lookup("logical_and")(same, lookup("reshape")(mask, shape=(count,)))
            mask = lookup("reshape")(lookup("reduce_max")(pairs, axes=(1,)), shape=mask.shape)
        return lookup("scatter_set")(spread(False, rest), index, mask, axis=axis)
    number = lookup("convert")(mask, dtype=np.dtype(np.int64))
    zeros = lookup("broadcast_to")(_constant(np.int64(0)), shape=rest)
    return lookup("not_equal")(lookup("scatter_add")(zeros, index, number, axis=axis), np.int64(0))


def matmul(node: Expr, i: int, mask: Expr) -> tuple[Expr | None, Expr | None]:
    """What becomes of a mask of operand `i`: the mask of the result, or the one that the other operand needs too.

    A mask of whole rows (columns) of the operand is one of rows (columns) of the product. One that leaves out terms of
    all the sums leaves out what they are multiplied by; (None, None) where it is neither.
    """
    operand, flags = node.inputs[i], (node.attrs["transpose_a"], node.attrs["transpose_b"])
    mask = padded(mask, len(operand.shape))
    summed_axis, free_axis = (-1, -2) if flags[i] == bool(i) else (-2, -1)
    swap = (*range(len(mask.shape) - 2), len(mask.shape) - 1, len(mask.shape) - 2)
    if mask.shape[summed_axis] == 1:
        return (mask if not flags[i] else lookup("transpose")(mask, axes=swap)), None
    if mask.shape[free_axis] != 1 or operand.shape[free_axis] == 1:
        return None, None
    # its summed axis has to become that of the other operand, which is the last but one where this one's is the last
    other = (-1, -2) if flags[1 - i] == bool(1 - i) else (-2, -1)
    return None, mask if summed_axis == other[0] else lookup("transpose")(mask, axes=swap)
