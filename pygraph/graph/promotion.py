"""Rows applied to what users write: operands are promoted by NumPy's rules, and become expressions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..concurrency import Memo
from ..ops.dtypes import KINDS, as_dtype, float64
from ..ops.leaves import constant_row as CONSTANT
from ..ops.row import Family, Op
from .construction import Attrs, Items, as_array, cast_array, convert, infer, known, make, make_typed, outputs_of
from .node import DType, Node, ValueType
from .stand_in import StandIn
from .weak import WEAK_CLASSES, WEAK_TYPES, Weak

__all__ = ["record"]

#: By the row and the types of operands: the type of the result, and the dtypes that Python numbers are taken in, where
#: expressions are taken as they are.
_plain: Memo[tuple[Any, ...], tuple[ValueType, tuple[DType, ...]]] = Memo(10_000)
#: Python numbers in a dtype, as constants.
_numbers: Memo[tuple[Any, ...], tuple[Items, ValueType]] = Memo(10_000)
_targets_known: Memo[tuple[Hashable, ...], tuple[DType | None, ...]] = Memo(10_000)

_WEAK_EXAMPLE: dict[Any, Any] = {bool: False, int: 0, float: 0.0}


def _promoted(op: Op, classes: Sequence[Any]) -> tuple[DType | None, ...]:
    """The dtype each operand is brought to (None: left as it is), by NumPy's rules.

    `classes` holds a dtype for each array or expression, and bool, int or float for each weak number.
    """
    if not op.promote or (op.arity is not None and len(classes) != op.arity):
        return tuple(WEAK_TYPES.get(c) if isinstance(c, type) else None for c in classes)
    taking_part = [c for i, c in enumerate(classes) if i not in op.differs]
    common = np.result_type(*(_WEAK_EXAMPLE[c] if isinstance(c, type) else c for c in taking_part))
    kind = KINDS[common]
    # np.sin(int) is float64; np.sin(bool) is float16, which graphs do not have; np.divide(bool, bool) is float64
    if kind not in op.kinds and "f" in op.kinds and kind in op.to_float:
        common = float64
    common = as_dtype(common)
    own = (WEAK_TYPES.get(c) if isinstance(c, type) else None for c in classes)
    return tuple(dtype if i in op.differs else common for i, dtype in enumerate(own))


def record(op: Op, operands: Sequence[Any], attrs: Attrs) -> Any:
    """Apply `op` to expressions, arrays and numbers: a node (a tuple of them for an op with several results).

    Operands are promoted by NumPy's rules, Python numbers and what stands for them (weak.py) being weak. With no
    expression among the operands the value of the op's reference is returned, but for leaves, which have no operands.

    Raises:
        ShapeError, DTypeError: the operands do not fit the op.
    """
    if not attrs:
        known_type = _plain.get((op, *[x.type if type(x) is Node else type(x) for x in operands]))
        if known_type is not None:
            value_type, dtypes = known_type
            for x in operands:
                if type(x) is not Node:
                    return make_typed(op, _nodes_of(operands, dtypes), (), value_type)
            return make_typed(op, tuple(operands), (), value_type)
    classes: list[Any] = []
    values: list[Any] = []
    traced = False
    for x in operands:
        if type(x) is Node:
            traced = True
            classes.append(x.dtype)
        elif type(x) in WEAK_TYPES:
            classes.append(type(x))
        elif type(x) is Weak:
            traced = True
            x = x.node
            classes.append(WEAK_CLASSES[x.dtype])
        elif isinstance(x, StandIn):
            traced = True
            x = x.node
            classes.append(x.dtype)
        else:
            x = as_array(x, op.title or op.name, operands)
            classes.append(x.dtype)
        values.append(x)
    key = (op, *classes)
    targets = _targets_known.get(key)
    if targets is None:
        targets = _targets_known.add(key, _promoted(op, classes))
    if not traced and op.family is not Family.LEAF and (op.results is None or op.kernel is not None):
        return _evaluate(op, values, targets, attrs)
    inputs: list[Node] = []
    for x, target in zip(values, targets, strict=True):
        if type(x) is not Node:
            inputs.append(known(_number(x, target)))
        elif target is None or target is x.dtype:
            inputs.append(x)
        else:
            inputs.append(convert(x, target))
    node = make(op, inputs, attrs)
    if node.results is not None:
        return outputs_of(node)
    if operands and not attrs and node.type is not None and all(map(_as_given, operands, inputs)):
        signature = (op, *[x.type if type(x) is Node else type(x) for x in operands])
        _plain.add(signature, (node.type, tuple([x.dtype for x in inputs])))
    return node


def _as_given(operand: Any, node: Node) -> bool:
    """Whether `node` is the operand itself, or the constant of a number."""
    return operand is node or (type(operand) in WEAK_TYPES and node.op is CONSTANT)


def _nodes_of(operands: Sequence[Any], dtypes: Sequence[DType]) -> tuple[Node, ...]:
    """The operands as expressions, numbers in these dtypes."""
    return tuple([x if type(x) is Node else _constant_number(x, d) for x, d in zip(operands, dtypes, strict=True)])


def _constant_number(x: float, dtype: DType) -> Node:
    """The constant of a Python number in the dtype that it is promoted to."""
    key = (type(x), x if x else str(x), dtype)  # 0.0 == -0.0
    known_constant = _numbers.get(key)
    if known_constant is None:
        node = known(_number(x, dtype))
        assert node.type is not None
        _numbers.add(key, (node.items, node.type))
        return node
    return make_typed(CONSTANT, (), *known_constant)


def _number(value: Any, target: DType | None) -> npt.NDArray[Any]:
    """An operand that is not an expression, in the dtype it is promoted to."""
    if target is None:
        return as_array(value)
    if type(value) is int and target.kind == "f" and abs(value) < 2**1023:
        return cast_array(np.asarray(float(value)), value, target)
    if type(value) is int:
        return cast_array(as_array(value), value, target)
    return cast_array(np.asarray(value), value, target)


def _evaluate(op: Op, values: Sequence[Any], targets: Sequence[DType | None], attrs: Attrs) -> Any:
    """The value of `op` on plain arrays by its reference, in the dtype that a node would have."""
    arrays = [_number(value, target) for value, target in zip(values, targets, strict=True)]
    types = infer(op, arrays, attrs)
    with np.errstate(all="ignore"):
        value = op.computed(*arrays, **attrs)
    if op.results is not None:
        return tuple(np.asarray(x).astype(d, copy=False)[()] for x, (_, d) in zip(value, types, strict=True))
    ((shape, dtype),) = types
    found = np.asarray(value).astype(dtype, copy=False)
    return (found if found.shape == shape else np.broadcast_to(found, shape))[()]
