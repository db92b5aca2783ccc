"""Recording loops: `scan` traces its body once and turns what the body closes over into operands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ..errors import DTypeError, GraphError, ShapeError, shown
from ..ops.control import scan as _SCAN
from ..ops.dtypes import KINDS
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT
from .construction import as_node, constant, convert, make, new_input, outputs_of
from .filled import Filled, filled
from .graph import Graph
from .node import DType, Node, Result, self_contained
from .recording import recording
from .rewriting import substitute
from .source import type_text
from .trace import function_name, leaf_type, make_inputs, parameter_names, result_node, returned_text
from .traversal import walk
from .tree import TreeDef, flatten, flatten_named, unflatten
from .weak import WEAK_TYPES, Weak, is_weak

__all__ = ["Carried", "close_over", "in_dtype", "scan", "settled", "weak_fits"]

T = TypeVar("T")
_RANK = {"b": 0, "i": 1, "f": 2}


@dataclass(frozen=True)
class _Body:
    """A traced body: its inputs and what it returned, not yet closed."""

    carry: list[Node]
    x: list[Node]
    carry_out: list[Any]
    carry_tree: TreeDef
    ys: list[Node]
    y_tree: TreeDef


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """`pg.scan` recorded as one node, whatever the arguments; what the body closes over becomes its constants.

    Example:
        >>> total, sums = pg.scan(lambda c, x: (c + x, c + x), 0.0, pg.var("x", (3,)))
        >>> total, sums
        (<output : float64>, <output : float64[3]>)
    """
    carry_name, x_name = parameter_names(f, 2)
    named_init, init_tree = flatten_named(init, carry_name)
    named_xs, xs_tree = flatten_named(xs, x_name)
    xs_nodes = [as_node(leaf) for _, leaf in named_xs]
    steps = _length([(name, node) for (name, _), node in zip(named_xs, xs_nodes, strict=True)], length)
    names = [name for name, _ in named_init]
    x_names = [name for name, _ in named_xs]
    x_types = [(node.shape[1:], node.dtype) for node in xs_nodes]

    def traced(carried: Carried) -> tuple[_Body, list[Any]]:
        inputs = make_inputs([*names, *x_names], [*carried.types, *x_types])
        carry, x = inputs[: len(names)], inputs[len(names) :]
        body = _call(f, init_tree, xs_tree, carry, x, carried)
        if body.carry_tree != init_tree:
            problem = f"the carry goes in as {init_tree!r} and comes out of the body as {body.carry_tree!r}"
            raise GraphError(problem, "return a carry of the form of init")
        return body, body.carry_out

    carried, body = settled(Carried.of(named_init), traced)
    carry_out = carried.returned(_SCAN.name, names, body.carry_out)
    first = carried.started([leaf for _, leaf in named_init])
    if steps == 0:  # what only a step would read is not computed
        nothing = [constant(np.zeros((0, *y.shape), y.dtype)) for y in body.ys]
        return unflatten(init_tree, carried.marked(first)), unflatten(body.y_tree, nothing)
    inputs = [*body.carry, *body.x]
    outputs, const_inputs, consts = close_over([*carry_out, *body.ys], inputs)
    attrs = {
        "body": Graph.from_parts([*const_inputs, *inputs], outputs, name=function_name(f)),
        "length": steps,
        "reverse": bool(reverse),
        "n_consts": len(consts),
        "n_carry": len(first),
    }
    results = outputs_of(make(_SCAN, [*consts, *first, *xs_nodes], attrs))
    return unflatten(init_tree, carried.marked(results[: len(first)])), unflatten(body.y_tree, results[len(first) :])


def step_count(f: Callable[..., Any], xs: Any, length: int | None) -> int:
    """How many steps a scan takes."""
    return _length([(name, as_node(leaf)) for name, leaf in flatten_named(xs, parameter_names(f, 2)[1])[0]], length)


def _length(xs: Sequence[tuple[str, Node]], length: int | None) -> int:
    """The number of steps that all of `xs` and `length` agree on."""
    found: tuple[str, int] | None = None
    if length is not None:
        try:
            found = ("length", operator.index(length))
        except TypeError as error:
            problem = f"length is {shown(length)}"
            raise ShapeError(problem, "give an int known when tracing") from error
        if found[1] < 0:
            raise ShapeError(f"length is {length}", "give 0 or more")
    for name, node in xs:
        if not node.shape:
            problem = f"{name} is a scalar, which has no axis to step along"
            raise ShapeError(problem, "close over it in the body", operands=(node,))
        here = (name if name != "length" else "xs", node.shape[0])
        if found is not None and found[1] != here[1]:
            problem = f"{found[0]} has length {found[1]}, {here[0]} has length {here[1]}"
            raise ShapeError(problem, "give arrays with leading axes of one length")
        found = here
    if found is None:
        problem = "xs has no array and length is not given"
        raise ShapeError(problem, "give length=n, the number of steps")
    return found[1]


def _call(
    f: Callable[[Any, Any], Any],
    init_tree: TreeDef,
    xs_tree: TreeDef,
    carry: list[Node],
    x: list[Node],
    carried: Carried,
) -> _Body:
    with recording((*carry, *x)):
        returned = f(unflatten(init_tree, carried.marked(carry)), unflatten(xs_tree, x))
    if not isinstance(returned, tuple) or len(returned) != 2:
        problem = f"the body {function_name(f)!r} returned {returned_text(returned)}, not a pair"
        raise GraphError(problem, "return (carry, y); y may be None")
    carry_out, carry_tree = flatten(returned[0])
    ys, y_tree = flatten(returned[1])
    return _Body(carry, x, carry_out, carry_tree, [result_node(y, _SCAN.name) for y in ys], y_tree)


def carried_leaf(op: str, name: str, type_: Result, out: Any) -> Node:
    """The carry's leaf that the body returned, which must have the type it went in with."""
    shape, dtype = type_
    node = in_dtype(out, dtype) if is_weak(out) and weak_fits(out, dtype) else result_node(out, op)
    if (node.shape, node.dtype) == (shape, dtype):
        return node
    problem = (
        f"carry {name!r} goes in as {type_text(shape, dtype)} and comes out of the body as {node.type_text}; "
        "its type must stay the same"
    )
    line = node.line if isinstance(out, Node) and node.inputs else None
    if node.shape != shape:
        advice = f"return {name!r} with shape {shape}, or give init that shape (np.broadcast_to)"
        raise ShapeError(problem, advice, line=line)
    advice = f"convert one of the two: .astype({dtype.name!r}) in the body, or .astype({node.dtype.name!r}) on init"
    raise DTypeError(problem, advice, line=line)


@dataclass(frozen=True)
class Carried:
    """The types of a loop's carry, before each step and after it.

    Attributes:
        weak: which leaves stand for Python numbers.
        filled: which are arrays that are filled, in the body and after the loop as before it.
    """

    types: tuple[Result, ...]
    weak: tuple[bool, ...]
    filled: tuple[bool, ...]

    @classmethod
    def of(cls, named: Sequence[tuple[str, Any]]) -> Carried:
        """Those of the first carry."""
        leaves = [leaf for _, leaf in named]
        types = tuple(leaf_type(leaf, name) for name, leaf in named)
        return cls(types, tuple(map(is_weak, leaves)), tuple(isinstance(leaf, Filled) for leaf in leaves))

    def marked(self, nodes: Sequence[Node]) -> list[Node]:
        """`nodes` for the leaves: weak where they stand for Python numbers, new arrays where those are filled."""
        return [
            Weak(node) if weak else filled(node) if fills else node
            for node, weak, fills in zip(nodes, self.weak, self.filled, strict=True)
        ]

    def after(self, out: Sequence[Any]) -> Carried:
        """What a step that returned `out` makes of it: a number takes the dtype of an expression, and a wider kind."""
        types, weak = list(self.types), list(self.weak)
        for i, (leaf, (_, dtype)) in enumerate(zip(out, self.types, strict=True)):
            if not weak[i]:
                continue
            found = leaf_type(leaf, "") if isinstance(leaf, (Node, np.ndarray, np.generic, bool, int, float)) else None
            if found is None or _RANK[KINDS[found[1]]] < _RANK[KINDS[dtype]]:
                continue
            types[i], weak[i] = ((), found[1]), is_weak(leaf)
        return Carried(tuple(types), tuple(weak), self.filled)

    def started(self, leaves: Sequence[Any]) -> list[Node]:
        """The first carry as nodes of these types."""
        return [
            in_dtype(leaf, dtype) if is_weak(leaf) else as_node(leaf)
            for leaf, (_, dtype) in zip(leaves, self.types, strict=True)
        ]

    def returned(self, op: str, names: Sequence[str], out: Sequence[Any]) -> list[Node]:
        """The next carry as nodes of these types; raises where it has others."""
        return [carried_leaf(op, *part) for part in zip(names, self.types, out, strict=True)]


def settled(carried: Carried, traced: Callable[[Carried], tuple[T, list[Any]]]) -> tuple[Carried, T]:
    """The types that a step leaves as they are, and what `traced` made of the body with these.

    `traced` gives that and the carry that the body returned. It is called again while a step changes what a Python
    number in the carry is: each time at least one becomes an expression of some dtype, or a number of a wider kind.
    """
    while True:
        made, out = traced(carried)
        after = carried.after(out)
        if after == carried:
            return carried, made
        carried = after


def weak_fits(value: Any, dtype: DType) -> bool:
    """Whether a Python number, or what stands for one, keeps its kind in `dtype`."""
    own = value.dtype if type(value) is Weak else WEAK_TYPES[type(value)]
    return _RANK[KINDS[dtype]] >= _RANK[KINDS[own]]


def in_dtype(value: Any, dtype: DType) -> Node:
    """A Python number, or what stands for one, as a node of the dtype that its place asks for."""
    return convert(value, dtype) if type(value) is Weak else constant(value, dtype)


def close_over(outputs: Sequence[Node], inputs: Sequence[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """Make outputs that depend on `inputs` and on anything else depend on new variables for the else.

    The largest sub-expressions that do not depend on `inputs` are taken out. Constants and counts stay, and so does
    what costs nothing inside, broadcasts and `stop_gradient`: their operands are taken out instead.

    Returns:
        The new outputs, the new variables, and the expressions that these stand for.
    """
    dependent = set(inputs)
    taken: dict[Node, None] = {}

    def take(node: Node) -> None:
        if self_contained(node):
            return
        while node.op.repeats or node.op.transparent:
            (node,) = node.inputs
        if node.op is not CONSTANT:
            taken[node] = None

    for node in walk(outputs):
        if not dependent.isdisjoint(node.inputs):
            dependent.add(node)
            for x in node.inputs:
                if x not in dependent:
                    take(x)
    for node in outputs:
        if node not in dependent:
            take(node)
    names = _const_names(taken, {node.attrs["name"] for node in inputs})
    variables = [new_input(name, node.shape, node.dtype) for name, node in zip(names, taken, strict=True)]
    return substitute(outputs, dict(zip(taken, variables, strict=True))), variables, list(taken)


def _const_names(nodes: Iterable[Node], taken: set[str]) -> list[str]:
    names = []
    for i, node in enumerate(nodes):
        name = node.attrs["name"] if node.op is INPUT else f"const{i}"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names
