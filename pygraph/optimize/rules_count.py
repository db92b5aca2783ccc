"""Exact rewrites of counts: what is made of them by slices and integer arithmetic counts too, and no index is read."""

from __future__ import annotations

from ..errors import ShapeError
from ..graph.construction import make
from ..graph.node import Node
from ..graph.uniform import full, reshaped, value_of
from ..ops.arithmetic import add as ADD, multiply as MULTIPLY, subtract as SUBTRACT
from ..ops.comparison import convert as CONVERT
from ..ops.dtypes import int32, int64
from ..ops.indexing import take_row as TAKE, wrap_index_row as WRAP_INDEX
from ..ops.leaves import iota_row as IOTA
from ..ops.row import TABLE, DType
from ..ops.shaping import reshape_row as RESHAPE, slice_row as SLICE
from .engine import RuleSet

RULES = RuleSet()


def counted(x: Node, size: int, start: int, step: int, dtype: DType) -> Node | None:
    """Counts in the shape of `x`, which has one axis longer than 1 at most; None where they would be too large."""
    try:
        return reshaped(make(IOTA, (), {"size": size, "start": start, "step": step, "dtype": dtype}), x.shape)
    except ShapeError:
        return None


def _counts(x: Node) -> Node | None:
    """The counts that `x` is, in this shape or another."""
    source = x.inputs[0] if x.op is RESHAPE else x
    return source if source.op is IOTA else None


@RULES.on(SLICE, sees=(IOTA,))
def slice_of_counts(node: Node) -> Node | None:
    """A slice of counts = fewer counts."""
    (x,) = node.inputs
    if x.op is not IOTA or 0 in node.shape:
        return None
    (first,), (by,), (size,) = node.attrs["starts"], node.attrs["steps"], node.shape
    start, step, _, dtype = (x.attrs[name] for name in ("start", "step", "size", "dtype"))
    return counted(node, size, start + first * step, by * step, dtype)


@RULES.on(CONVERT, sees=(IOTA, RESHAPE))
def converted_counts(node: Node) -> Node | None:
    """int64 counts in another dtype = counts of that dtype."""
    (x,) = node.inputs
    found = _counts(x)
    if found is None or x.dtype != int64 or node.dtype.kind == "b":
        return None
    attrs = found.attrs
    return counted(x, attrs["size"], attrs["start"], attrs["step"], node.dtype)


@RULES.on(ADD, SUBTRACT, MULTIPLY, sees=(IOTA, RESHAPE))
def shifted_counts(node: Node) -> Node | None:
    """int64 counts and a number added, subtracted or multiplied = other counts."""
    first, second = node.inputs
    if node.dtype != int64 or node.shape != (second if value_of(first) is not None else first).shape:
        return None
    value = value_of(second)
    x, left = (first, False) if value is not None else (second, True)
    value = value_of(first) if value is None else value
    found = _counts(x)
    if found is None or value is None:
        return None
    size, start, step, number = found.attrs["size"], found.attrs["start"], found.attrs["step"], int(value)
    if node.op is MULTIPLY:
        start, step = start * number, step * number
    elif node.op is ADD:
        start += number
    else:
        start, step = (number - start, -step) if left else (start - number, step)
    return counted(x, size, start, step, int64) if step else None


@RULES.on(TAKE, sees=(IOTA, RESHAPE))
def take_counts(node: Node) -> Node | None:
    """Elements at counts that lie in the axis = a slice."""
    x, index = node.inputs
    found, axis = _counts(index), node.attrs["axis"]
    if found is None or not _inside(found, x.shape[axis]):
        return None
    starts, steps, shape = [0] * len(x.shape), [1] * len(x.shape), list(x.shape)
    starts[axis], steps[axis], shape[axis] = found.attrs["start"], found.attrs["step"], found.attrs["size"]
    attrs = {"starts": tuple(starts), "steps": tuple(steps), "shape": tuple(shape)}
    return reshaped(make(SLICE, (x,), attrs), node.shape)


@RULES.on(WRAP_INDEX, sees=(IOTA, RESHAPE))
def wrapped_counts(node: Node) -> Node | None:
    """Counts that lie in the axis need no wrapping."""
    (x,) = node.inputs
    found = _counts(x)
    return x if found is not None and _inside(found, node.attrs["size"]) else None


def _inside(counts: Node, size: int) -> bool:
    """Whether all counts are places along an axis of `size`."""
    ends = counts.attrs["start"], counts.attrs["start"] + counts.attrs["step"] * (counts.attrs["size"] - 1)
    return bool(counts.attrs["size"] > 0 and min(ends) >= 0 and max(ends) < size)


def compared_counts(node: Node) -> Node | None:
    """int64 counts compared with others, or with a number, that all fit in 32 bits = as int32, of half the size."""
    if node.inputs[0].dtype != int64:
        return None
    narrow = [x for operand in node.inputs if (x := _narrow(operand)) is not None]
    return make(node.op, tuple(narrow), {}) if len(narrow) == 2 else None


_COMPARISONS = [op for op in TABLE.values() if op.result == "bool" and op.arity == 2 and "i" in op.kinds]
RULES.extend(_COMPARISONS, compared_counts, (IOTA, RESHAPE))


def _narrow(x: Node) -> Node | None:
    """Counts, or a number, as int32; None where `x` is neither or has others."""
    found, value = _counts(x), value_of(x)
    if found is not None:
        size, start, step = found.attrs["size"], found.attrs["start"], found.attrs["step"]
        fits = size and all(-(2**31) <= end < 2**31 for end in (start, start + step * (size - 1)))
        return counted(x, size, start, step, int32) if fits else None
    fits = value is not None and -(2**31) <= int(value) < 2**31
    return full(value, x.shape, int32) if fits else None
