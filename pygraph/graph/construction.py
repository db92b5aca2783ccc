"""Making nodes: type inference, and each one made once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..concurrency import Memo, in_child
from ..errors import DTypeError, GraphError, ShapeError, shown
from ..ops.common import checked_shape, explained, numbers_of, static_shape
from ..ops.comparison import convert as CONVERT
from ..ops.constant_array import Constant
from ..ops.dtypes import KINDS, as_dtype, floating_like
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT, output_row as OUTPUT
from ..ops.mask_rules import bind_constant
from ..ops.row import Op
from ..ops.shaping import broadcast_to_row as BROADCAST_TO
from .interning import SHARED
from .node import DType, Node, Result, ValueType, known_type, new_node, twin, type_of
from .source import SourceLine, here
from .trace_context import active, current, entered
from .weak import strong

__all__ = [
    "as_node",
    "constant",
    "convert",
    "definition_of",
    "infer",
    "known",
    "make",
    "make_all",
    "make_typed",
    "outputs_of",
    "remake",
    "var",
    "watched",
]

Shape = tuple[int, ...]
Attrs = Mapping[str, Any]
Items: TypeAlias = tuple[tuple[str, Any], ...]
#: A node to be made of some that are there: its row, static arguments and type, and what takes its operands from these.
Step: TypeAlias = tuple[Op, Items, ValueType, Callable[[Sequence[Node]], tuple[Node, ...]]]

_NO_ATTRS: dict[str, Any] = {}
_inferred: Memo[tuple[Hashable, ...], ValueType] = Memo(10_000)


# --- type inference --------------------------------------------------------------------------------------------------


def infer(op: Op, inputs: Sequence[Any], attrs: Attrs) -> tuple[Result, ...]:
    """The types of the results of `op`, shape and dtype each, on operands that have these.

    Raises:
        ShapeError, DTypeError: the operands do not fit the op.
    """
    try:
        return _inferred_types(op, inputs, attrs)
    except GraphError as error:
        error.complete("tracing", op.title or op.name, inputs)
        raise


def _inferred_types(op: Op, inputs: Sequence[Any], attrs: Attrs) -> tuple[Result, ...]:
    if op is INPUT:
        return ((checked_shape(tuple(attrs["shape"])), attrs["dtype"]),)
    if op is CONSTANT:
        value = attrs["value"].value
        return ((value.shape, as_dtype(value.dtype)),)
    if op is OUTPUT:
        results = inputs[0].results
        if results is None or not 0 <= attrs["index"] < len(results):
            raise GraphError(f"{inputs[0]!r} has no result {attrs['index']}")
        return (results[attrs["index"]],)
    if op.arity is not None and len(inputs) != op.arity:
        raise GraphError(f"{len(inputs)} operands given", f"give {op.arity}")
    if op.arity is None and not inputs and op.results is None:
        raise GraphError("no operands given", "give at least one")
    dtypes = tuple(x.dtype for x in inputs)
    _check_dtypes(op, dtypes)
    if op.results is not None:
        found = op.results(inputs, attrs)
        return tuple((checked_shape(tuple(s)), as_dtype(dtype)) for s, dtype in found)
    assert op.shape is not None
    shape = checked_shape(tuple(op.shape([x.shape for x in inputs], attrs)))
    if op.result == "same":
        same = [dtype for i, dtype in enumerate(dtypes) if i not in op.differs]
        dtype = same[0]
    elif op.result == "floating":
        dtype = floating_like(dtypes[0])
    else:
        dtype = as_dtype(op.result if isinstance(op.result, str) else op.result(dtypes, attrs))
    return ((shape, dtype),)


_KIND_NAMES = {"f": "floating", "i": "integer", "b": "bool"}


def _check_dtypes(op: Op, dtypes: Sequence[DType]) -> None:
    """Refuse operands of a kind the op does not take, or of unequal dtypes where it wants one."""
    if not op.promote:
        return
    common: DType | None = None
    for i, dtype in enumerate(dtypes):
        if i in op.differs:
            continue
        if KINDS[dtype] not in op.kinds:
            wanted = " or ".join(_KIND_NAMES[kind] for kind in op.kinds)
            raise DTypeError(f"takes {wanted} operands, not {dtype.name}")
        if common is not None and dtype != common:
            raise DTypeError(f"operands of unequal dtypes {common.name} and {dtype.name}")
        common = dtype


# --- nodes -----------------------------------------------------------------------------------------------------------


def make(op: Op, inputs: Sequence[Node], attrs: Attrs = _NO_ATTRS, line: SourceLine | None = None) -> Node:
    """The node that applies `op` to `inputs`, which are not promoted; the existing one if there is one.

    `line` is the user's line it belongs to, by default the one that is running.

    Raises:
        ShapeError, DTypeError: the operands do not fit the op.
    """
    if not attrs:
        return make_typed(op, tuple(inputs), (), None, line=line)
    return make_typed(op, tuple(inputs), tuple(sorted(attrs.items())), None, dict(attrs), line)


def make_typed(
    op: Op,
    inputs: tuple[Node, ...],
    items: Items,
    value_type: ValueType | None,
    attrs: dict[str, Any] | None = None,
    line: SourceLine | None = None,
) -> Node:
    """The same, for static arguments as a node has them (`attrs` where their order counts), and the type if known."""
    context = active()
    table = SHARED if context is None or context.table is None or op is INPUT else context.table
    key = (op, items, inputs)
    node = table.get(key)
    if node is None:
        if attrs is None:
            attrs = dict(items) if items else _NO_ATTRS
        made = new_node(op, inputs, attrs, items, value_type or _type(op, inputs, attrs, items), line or here())
        node = table.setdefault(key, made)
    if context is not None and context.watching:
        for asked in context.watching:
            asked.add(node)
    return node


def make_all(steps: Iterable[Step], there: list[Node]) -> None:
    """Add to the nodes that are `there` those of `steps`, which take operands from them: `make_typed` for each."""
    context = active()
    if context is None or context.table is None or context.line is None or context.watching:
        for op, items, value_type, operands in steps:
            there.append(make_typed(op, operands(there), items, value_type))
        return
    table, line = context.table, context.line
    for op, items, value_type, operands in steps:
        inputs = operands(there)
        key = (op, items, inputs)
        node = table.get(key)
        if node is None:
            attrs = dict(items) if items else _NO_ATTRS
            node = table.setdefault(key, new_node(op, inputs, attrs, items, value_type, line))
        there.append(node)


def _type(op: Op, inputs: Sequence[Node], attrs: Attrs, items: Items) -> ValueType | tuple[Result, ...]:
    """The type of a node that is going to be made."""
    if op.results is not None:
        return infer(op, inputs, attrs)
    if not inputs or op is OUTPUT:
        return type_of(*infer(op, inputs, attrs)[0])
    signature = (op, items, *[x.type for x in inputs])
    found = _inferred.get(signature)
    if found is None:
        found = _inferred.add(signature, type_of(*infer(op, inputs, attrs)[0]))
    return found


def remake(node: Node, inputs: tuple[Node, ...]) -> Node:
    """`node` on other operands, with its source line: as `make`, and in less time where they have the same types.

    Raises:
        ShapeError, DTypeError: the operands do not fit the op.
    """
    value_type, old = node.type, node.inputs
    if len(inputs) == 2 == len(old):  # most often
        same = inputs[0].type is old[0].type and inputs[1].type is old[1].type
    else:
        same = [x.type for x in inputs] == [x.type for x in old]
    if not same or node.op is OUTPUT:
        value_type = None
    context = active()
    if value_type is None or node.line is None or context is None or context.table is None or context.watching:
        return make_typed(node.op, inputs, node.items, value_type, node.attrs, node.line)
    return context.table.setdefault((node.op, node.items, inputs), twin(node, inputs))  # seldom there already


@contextmanager
def watched() -> Iterator[set[Node]]:
    """Within the block, the nodes that are asked for here are put in the set given, also those that exist already."""
    asked: set[Node] = set()
    with entered(watching=(*current().watching, asked)):
        yield asked


def outputs_of(node: Node) -> tuple[Node, ...]:
    """One node for each result of a node with several results."""
    assert node.results is not None
    return tuple(make(OUTPUT, (node,), {"index": i}, node.line) for i in range(len(node.results)))


# --- leaves ----------------------------------------------------------------------------------------------------------


def _start() -> None:
    """Start numbering variables from a random 64-bit token, so that no two processes share a number."""
    global _uids
    _uids = itertools.count(int.from_bytes(os.urandom(8), "little") << 32)


_uids: itertools.count[int]
_start()
in_child(_start)


@explained
def var(name: str, shape: Any = (), dtype: Any = "float64") -> Node:
    """A new variable: an input of the graphs it will be in. Two calls give two variables, whatever their names.

    Args:
        name: its name in listings and errors, and as a keyword.
        shape: its sizes, a tuple or one int; () for a scalar.
        dtype: float64, float32, int64, int32 or bool.

    Raises:
        ShapeError, DTypeError: no such shape or dtype.

    Example:
        >>> pg.var("x", (100, 3))
        <x : float64[100, 3]>
    """
    if isinstance(shape, str):
        problem = f"the shape of {name!r} is {shape!r}"
        advice = f"give the shape before the dtype: pg.var({name!r}, (), {shape!r})"
        raise ShapeError(problem, advice)
    return new_input(name, static_shape(shape), as_dtype(dtype))


def new_input(name: Any, shape: Shape, dtype: DType, line: SourceLine | None = None) -> Node:
    """A new `input` node; of the running line by default. No table knows it before it is stored: nobody has its key."""
    if not isinstance(name, str) or not name:
        raise GraphError(f"{shown(name)} is not a name", "give a non-empty string")
    if not name.isprintable():
        problem = f"the name {name!r} has characters that can't be printed"
        raise GraphError(problem, "leave out line breaks and control characters")
    attrs = {"name": name, "uid": next(_uids), "shape": shape, "dtype": dtype}
    items = (("dtype", dtype), ("name", name), ("shape", shape), ("uid", attrs["uid"]))
    node = new_node(INPUT, (), attrs, items, known_type(shape, dtype) or _type(INPUT, (), attrs, items), line or here())
    context = active()
    if context is not None and context.watching:
        for asked in context.watching:
            asked.add(node)
    return node


def constant(value: npt.ArrayLike, dtype: Any = None) -> Node:
    """A node for a value; Python numbers take NumPy's default dtypes unless `dtype` says otherwise.

    Raises:
        DTypeError: a dtype that graphs do not have, or an int that does not fit.
    """
    array = as_array(value)
    if dtype is not None:
        array = cast_array(array, value, as_dtype(dtype))
    return _constant(array if array.dtype in KINDS else cast_array(array, value, as_dtype(array.dtype)))


def _constant(array: npt.NDArray[Any]) -> Node:
    return make(CONSTANT, (), {"value": Constant(array)})


def as_node(x: Any) -> Node:
    """`x` itself when it is a node (or the one that it stands for), else a constant of its value."""
    if type(x) is Node:
        return x
    return strong(x) if isinstance(x, Node) else constant(x)


def as_array(x: Any, subject: str = "", operands: Sequence[Any] = ()) -> npt.NDArray[Any]:
    """An array of one of the graph's dtypes from anything that is like one; `subject` is what it is an operand of."""
    try:
        array = numbers_of(x)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        if array.dtype not in KINDS:
            if type(x) is int:
                raise DTypeError(f"{x!r} does not fit in int64", "use a float, or a smaller number")
            as_dtype(array.dtype)
        return array
    except GraphError as error:
        if subject:
            error.complete("tracing", subject, operands)
        raise


def cast_array(array: npt.NDArray[Any], value: Any, dtype: DType) -> npt.NDArray[Any]:
    """`array`, which came from `value`, in another dtype; a Python int that does not fit is refused as in NumPy."""
    if array.dtype == dtype:
        return array
    with np.errstate(all="ignore"):
        if KINDS[dtype] != "i":
            return array.astype(dtype)
        cast = array.astype(dtype)
        if type(value) is int and cast[()] != value:
            advice = "convert the expression to a wider dtype first: x.astype('int64')"
            raise DTypeError(f"{value} does not fit in {dtype.name}", advice, stage="tracing", subject=CONSTANT.name)
        return cast


def known(array: npt.NDArray[Any]) -> Node:
    """The node of an array of one of the graph's dtypes: one number broadcast, where it is that."""
    if array.size < 2 or any(array.strides):
        return _constant(array)
    return make(BROADCAST_TO, (_constant(array[(0,) * array.ndim]),), {"shape": array.shape})


def convert(x: Node, dtype: DType) -> Node:
    """`x` in another dtype; itself when it has that dtype, a constant when it is one."""
    x = strong(x)
    if x.dtype == dtype:
        return x
    if x.op is CONSTANT and KINDS[dtype] != "i":
        return _constant(x.attrs["value"].value.astype(dtype))
    return make(CONVERT, (x,), {"dtype": dtype})


def definition_of(node: Node, operands: Sequence[Node]) -> Node:
    """What the op of `node` is defined as, in the type of the node, of operands with the types of its own."""
    define = node.op.define
    assert define is not None, f"op {node.op.name} has no definition"
    found = convert(as_node(define(*operands, **node.attrs)), node.dtype)
    return found if found.shape == node.shape else make(BROADCAST_TO, (found,), {"shape": node.shape})


bind_constant(constant)
