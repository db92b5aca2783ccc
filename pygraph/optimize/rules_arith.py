"""Exact algebra: rewrites of pointwise operations that give the same bits for every operand, nan and -0.0 included.

(The payload and sign of a nan are left out of account, as IEEE 754 does.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import GraphError
from ..graph.construction import constant, make
from ..graph.node import Node
from ..graph.uniform import full, is_value, spread, value_of
from ..ops.arithmetic import (
    absolute as ABSOLUTE,
    add as ADD,
    divide as DIVIDE,
    multiply as MULTIPLY,
    negative as NEGATIVE,
    power_row as POWER,
    square as SQUARE,
    subtract as SUBTRACT,
)
from ..ops.comparison import (
    convert as CONVERT,
    logical_and_row as LOGICAL_AND,
    logical_not_row as LOGICAL_NOT,
    logical_or_row as LOGICAL_OR,
    logical_xor_row as LOGICAL_XOR,
    select as SELECT,
    stop_gradient as STOP_GRADIENT,
)
from ..ops.dtypes import bool_, float32, float64, int32, int64
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import TABLE, DType, Family, lookup
from ..ops.shaping import broadcast_to_row as BROADCAST_TO, reshape_row as RESHAPE
from .engine import RuleSet
from .rule_helpers import converted, kind, negative, same

#: Constants, and operands that are broadcast: these two come before all other rules.
FIRST = RuleSet()
RULES = RuleSet()


POINTWISE = [op for op in TABLE.values() if op.pointwise]
#: What an array of one known value may be: see `uniform.value_of`.
VALUES = frozenset(op for op in TABLE.values() if op is CONSTANT or op.whole_view)


def _is_exact(node: Node) -> bool:
    return node.op.exact or all(kind(x) != "f" for x in (node, *node.inputs))


def fold(node: Node) -> Node | None:
    """An operation on constants is computed now, where that cannot change a bit and makes nothing larger."""
    for operand in node.inputs:  # most often it ends here: no generator, which takes five times as long
        if operand.op is not CONSTANT:
            return None
    if node.op.reference is None or not _is_exact(node):
        return None
    if math.prod(node.shape) > max(1, sum(math.prod(operand.shape) for operand in node.inputs)):
        return None
    try:
        with np.errstate(all="ignore"):
            value = node.op.reference(*(operand.attrs["value"].value for operand in node.inputs), **node.attrs)
    except GraphError:
        return None  # an index out of range: the error belongs to the run
    return constant(np.asarray(value, node.dtype))


def early(node: Node) -> Node | None:
    """Pointwise operations come before `broadcast_to`: their operands are broadcast by themselves, or not at all."""
    for operand in node.inputs:
        if operand.op in _SPREAD:
            break
    else:
        return None
    inputs = [_bare(operand) for operand in node.inputs]
    return None if same(inputs, node.inputs) else spread(make(node.op, inputs, node.attrs), node.shape)


#: What may hold the elements of an operand more often, or in more axes, than a pointwise operation needs them.
_SPREAD = (BROADCAST_TO, RESHAPE, CONSTANT)


def _bare(x: Node) -> Node:
    """What a pointwise operation can have in place of `x` and broadcast by itself."""
    if x.op is BROADCAST_TO:
        return x.inputs[0]
    if x.op is RESHAPE and not x.inputs[0].shape:
        return x.inputs[0]
    if x.op is CONSTANT and x.shape and math.prod(x.shape) == 1:
        return constant(x.attrs["value"].value.reshape(()))
    return x


def _with_value(node: Node) -> tuple[Node, Any] | None:
    """The operands of a commutative operation when one of them is an array of one value: the other, and the value."""
    first, second = node.inputs
    value = value_of(second)
    if value is not None:
        return first, value
    value = value_of(first)
    return None if value is None else (second, value)


def _splat(value: Any, node: Node) -> Node:
    return full(value, node.shape, node.dtype)


def _chained(node: Node, outer: Any) -> tuple[Node, Any] | None:
    """For `inner` = op(x, constant) of the same op as an enclosing one with the constant `outer`: x, and op's value."""
    pair = _with_value(node)
    if pair is None:
        return None
    reference = node.op.reference
    assert reference is not None
    with np.errstate(all="ignore"):
        return pair[0], reference(pair[1], outer)


@RULES.on(ADD, sees=VALUES)
def add_constant(node: Node) -> Node | None:
    """x + (-0.0) = x; for integers x + 0 = x, (x + c) + d = x + (c + d)."""
    pair = _with_value(node)
    if pair is None:
        return None
    x, value = pair
    letter = kind(node)
    if value == 0 and (letter == "i" or (letter == "f" and np.signbit(value))):
        return spread(x, node.shape)
    if letter == "i" and x.op is ADD:
        chained = _chained(x, value)
        if chained is not None:
            return make(ADD, (spread(chained[0], node.shape), constant(np.asarray(chained[1], node.dtype))), {})
    return None


@RULES.on(ADD, sees=(NEGATIVE,))
def add_negative(node: Node) -> Node | None:
    """a + (-b) = a - b, (-a) + b = b - a."""
    first, second = node.inputs
    if second.op is NEGATIVE:
        return make(SUBTRACT, (first, second.inputs[0]), {})
    if first.op is NEGATIVE:
        return make(SUBTRACT, (second, first.inputs[0]), {})
    return None


@RULES.on(SUBTRACT, sees=VALUES, twice=True)
def subtract_constant(node: Node) -> Node | None:
    """x - 0.0 = x, (-0.0) - x = -x; for integers also 0 - x = -x, x - x = 0."""
    first, second = node.inputs
    letter = kind(node)
    if is_value(second, lambda v: v == 0 and (letter == "i" or not np.signbit(v))):
        return spread(first, node.shape)
    if is_value(first, lambda v: v == 0 and (letter == "i" or bool(np.signbit(v)))):
        return spread(negative(second), node.shape)
    if letter == "i" and first is second:
        return _splat(0, node)
    return None


@RULES.on(SUBTRACT, sees=(NEGATIVE,))
def subtract_negative(node: Node) -> Node | None:
    """a - (-b) = a + b."""
    first, second = node.inputs
    return make(ADD, (first, second.inputs[0]), {}) if second.op is NEGATIVE else None


@RULES.on(NEGATIVE, sees=(NEGATIVE, MULTIPLY, DIVIDE))
def negative_of(node: Node) -> Node | None:
    """-(-x) = x, -(x * c) = x * (-c), -(x / c) = x / (-c)."""
    (x,) = node.inputs
    if x.op is NEGATIVE:
        return x.inputs[0]
    if kind(x) == "f" and x.op in (MULTIPLY, DIVIDE):
        first, second = x.inputs
        if value_of(second) is not None:
            return make(x.op, (first, negative(second)), {})
        if value_of(first) is not None:
            return make(x.op, (negative(first), second), {})
    return None


@RULES.on(MULTIPLY, sees=VALUES)
def multiply_constant(node: Node) -> Node | None:
    """x * 1 = x, x * (-1) = -x, (x * c) * d = x * (c * d) for integers and powers of two; for integers x * 0 = 0."""
    pair = _with_value(node)
    if pair is None or kind(node) == "b":
        return None
    x, value = pair
    if value == 1:
        return spread(x, node.shape)
    if value == -1:
        return spread(negative(x), node.shape)
    letter = kind(node)
    if value == 0 and letter == "i":
        return _splat(0, node)
    if x.op is NEGATIVE and letter == "f":
        return spread(make(MULTIPLY, (x.inputs[0], constant(np.asarray(-value, node.dtype))), {}), node.shape)
    if x.op is MULTIPLY:
        inner = _with_value(x)
        chained = _chained(x, value)
        exact = inner is not None and chained is not None and all(map(_doubles, (inner[1], value, chained[1])))
        if chained is not None and (letter == "i" or exact):
            return make(MULTIPLY, (spread(chained[0], node.shape), constant(np.asarray(chained[1], node.dtype))), {})
    return None


def _doubles(value: Any) -> bool:
    """Whether multiplying by `value` is exact unless it overflows: a power of two of magnitude at least 1."""
    return bool(np.isfinite(value)) and abs(math.frexp(value)[0]) == 0.5 and abs(value) >= 1


@RULES.on(MULTIPLY, sees=(), twice=True)
def multiply_same(node: Node) -> Node | None:
    """x * x = x²."""
    first, second = node.inputs
    return make(SQUARE, (first,), {}) if first is second and kind(node) != "b" else None


@RULES.on(MULTIPLY, sees=(NEGATIVE,))
def multiply_negatives(node: Node) -> Node | None:
    """(-a) * (-b) = a * b."""
    return _drop_negatives(node)


@RULES.on(DIVIDE, sees=(NEGATIVE,))
def divide_negatives(node: Node) -> Node | None:
    """(-a) / (-b) = a / b."""
    return _drop_negatives(node)


def _drop_negatives(node: Node) -> Node | None:
    first, second = node.inputs
    if first.op is NEGATIVE and second.op is NEGATIVE:
        return make(node.op, (first.inputs[0], second.inputs[0]), {})
    return None


@RULES.on(DIVIDE, sees=VALUES)
def divide_constant(node: Node) -> Node | None:
    """x / 1 = x, x / c = x * (1 / c) where c and 1 / c are normal powers of two."""
    x, divisor = node.inputs
    value = value_of(divisor)
    if value is None:
        return None
    if value == 1:
        return spread(x, node.shape)
    if value == 0 or not np.isfinite(value) or abs(math.frexp(value)[0]) != 0.5:
        return None
    with np.errstate(all="ignore"):
        inverse = node.dtype.type(1) / value
    tiny = np.finfo(node.dtype).tiny
    if not np.isfinite(inverse) or abs(inverse) < tiny or abs(value) < tiny:
        return None
    return make(MULTIPLY, (x, spread(constant(np.asarray(inverse, node.dtype)), divisor.shape)), {})


@RULES.on(SQUARE, ABSOLUTE, sees=(NEGATIVE, ABSOLUTE))
def even(node: Node) -> Node | None:
    """(-x)² = x², |-x| = |x|, |x|² = x², ||x|| = |x|."""
    (x,) = node.inputs
    return make(node.op, x.inputs, {}) if x.op in (NEGATIVE, ABSOLUTE) else None


@RULES.on(POWER, sees=VALUES)
def power_one(node: Node) -> Node | None:
    """x ** 1 = x, x ** 0 = 1 (also for nan)."""
    x, exponent = node.inputs
    if is_value(exponent, lambda v: v == 1):
        return spread(x, node.shape)
    return _splat(1, node) if is_value(exponent, lambda v: v == 0) else None


def same_operands(node: Node) -> Node | None:
    """max(x, x) = x, and the like."""
    first, second = node.inputs
    return first if first is second else None


RULES.extend((op for op in TABLE.values() if op.diagonal == "a"), same_operands, (), twice=True)


@RULES.on(LOGICAL_AND, LOGICAL_OR, LOGICAL_XOR, sees=VALUES)
def logic_with_constant(node: Node) -> Node | None:
    """x and true = x, x and false = false, x or false = x, x or true = true, x xor false = x, x xor true = not x."""
    pair = _with_value(node)
    if pair is None:
        return None
    x, value = pair
    if node.op is LOGICAL_XOR:
        return spread(make(LOGICAL_NOT, (x,), {}) if value else x, node.shape)
    return spread(x, node.shape) if bool(value) == (node.op is LOGICAL_AND) else _splat(value, node)


@RULES.on(LOGICAL_NOT)
def not_of(node: Node) -> Node | None:
    """not not x = x, not (a == b) = (a != b) and the like."""
    (x,) = node.inputs
    if x.op is LOGICAL_NOT:
        return x.inputs[0]
    return make(lookup(x.op.opposite), x.inputs, {}) if x.op.opposite else None


@RULES.on(SELECT, sees=(*VALUES, LOGICAL_NOT), twice=True)
def select_constant(node: Node) -> Node | None:
    """select(true, a, b) = a, select(false, a, b) = b, select(c, a, a) = a, select(not c, a, b) = select(c, b, a)."""
    condition, first, second = node.inputs
    value = value_of(condition)
    if value is not None:
        return spread(first if value else second, node.shape)
    if first is second:
        return spread(first, node.shape)
    return make(SELECT, (condition.inputs[0], second, first), {}) if condition.op is LOGICAL_NOT else None


@RULES.on(STOP_GRADIENT)
def identity(node: Node) -> Node | None:
    """Differentiation is over when a graph is optimised: stop_gradient(x) = x."""
    return node.inputs[0]


#: Conversions that keep every value.
_LOSSLESS: dict[DType, tuple[DType, ...]] = {
    bool_: (int32, int64, float32, float64),
    int32: (int64, float64),
    float32: (float64,),
}


@RULES.on(CONVERT)
def convert_chain(node: Node) -> Node | None:
    """A conversion to the same dtype, or back from a wider one, or through a wider one, is left out."""
    (x,) = node.inputs
    if x.dtype == node.dtype:
        return x
    if x.op is not CONVERT:
        return None
    source = x.inputs[0]
    if x.dtype not in _LOSSLESS.get(source.dtype, ()):
        return None
    # out of range, floating to integer is unspecified, so it is left alone
    if source.dtype == float32 and kind(node) == "i":
        return None
    return converted(source, node.dtype)


FIRST.extend((op for op in TABLE.values() if op.family is not Family.LEAF and op.results is None), fold, (CONSTANT,))
FIRST.extend(POINTWISE, early, _SPREAD)
