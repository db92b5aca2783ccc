"""Recording choices: `cond` and `switch` trace every branch, and the one that is chosen when the graph runs is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import DTypeError, GraphError, ShapeError, SignatureError, named
from ..ops.control import branch as _BRANCH
from ..ops.dtypes import KINDS, bool_, int64
from ..ops.leaves import input_row as INPUT
from .construction import as_node, convert, make, new_input, outputs_of, watched
from .graph import Graph
from .node import Node, maker, self_contained
from .record_scan import in_dtype, weak_fits
from .recording import leak, recording
from .rewriting import substitute
from .source import type_text
from .trace import function_name, leaf_type, make_inputs, parameter_names, require_functions, result_node
from .traversal import walk
from .tree import TreeDef, flatten, flatten_named, unflatten
from .weak import Weak, is_weak, weakened

__all__ = ["capture", "cond", "switch"]

_VALUES = "pg.where(p, x, y) chooses between values; between functions: pg.cond(p, lambda x: x, lambda x: -x, x)"


def cond(pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any) -> Any:
    """`true_fun(*operands) if pred else false_fun(*operands)`, recorded as one node; as `jax.lax.cond`.

    Both functions are traced, one of them runs. What they close over is taken in as well.

    Args:
        pred: a scalar bool.
        true_fun, false_fun: functions of the operands, whose results have one container, with one shape and dtype
            for each leaf; Python numbers in it take the dtype of the other function's.
        operands: containers of arrays.

    Raises:
        DTypeError: `pred` is not bool, or a leaf of the results has two dtypes; ShapeError: `pred` is not scalar, or a
        leaf has two shapes; GraphError: the results have two containers.

    Example:
        >>> x = pg.var("x")
        >>> cond(x > 0, lambda x: x, lambda x: -x, x)
        <output : float64>
    """
    node = as_node(pred)
    if node.shape != ():
        problem = f"the predicate has shape {node.shape}"
        raise ShapeError(problem, "choose element by element with pg.where", operands=(node,))
    if node.dtype != bool_:
        problem = f"the predicate is {node.dtype}, not bool"
        raise DTypeError(problem, "compare it with something: x > 0, x != 0", operands=(node,))
    return _branch("cond", convert(node, int64), [false_fun, true_fun], ["false_fun", "true_fun"], operands)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`, recorded as one node; as `jax.lax.switch`.

    Args:
        index: a scalar integer; it is clamped to the valid range.
        branches: at least one function of the operands; as for `cond`.
        operands: containers of arrays.

    Raises:
        DTypeError: `index` is not an integer; SignatureError: `branches` is not a list of functions; else as `cond`.

    Example:
        >>> k, x = pg.var("k", dtype="int64"), pg.var("x")
        >>> switch(k, [np.sin, np.cos, lambda x: x * 2.0], x)
        <output : float64>
    """
    node, functions = as_node(index), branches_of(branches)
    if not functions:
        raise GraphError("there are no branches", "give at least one function")
    if node.shape != ():
        problem = f"the index has shape {node.shape}"
        raise ShapeError(problem, "give a scalar, or use pg.where", operands=(node,))
    if KINDS[node.dtype] != "i":
        problem = f"the index is {node.dtype}, not an integer"
        raise DTypeError(problem, "convert it: index.astype('int64')", operands=(node,))
    names = [f"branch {number}" for number in range(len(functions))]
    return _branch("switch", convert(node, int64), functions, names, operands)


def branches_of(branches: Any) -> list[Callable[..., Any]]:
    """The branches of a `switch` as a list; raises `SignatureError` where they are not a sequence."""
    if callable(branches) or not isinstance(branches, Iterable):
        problem = f"branches is {named(branches)}, not a list"
        raise SignatureError(problem, "write pg.switch(index, [f, g], *operands)")
    return list(branches)


class _Traced:
    """One branch: what it returned, by leaf."""

    def __init__(
        self, op: str, f: Callable[..., Any], title: str, operands: Sequence[Any], names: Sequence[str]
    ) -> None:
        leaves, form = flatten(tuple(operands))
        self.title = title
        self.name = function_name(f)
        self.inputs = make_inputs(names, [leaf_type(leaf, name) for name, leaf in zip(names, leaves, strict=True)])
        with recording(self.inputs):
            named, self.form = flatten_named(f(*unflatten(form, weakened(self.inputs, leaves))), "result")
        self.names = [name for name, _ in named]
        self.leaves = [leaf if is_weak(leaf) else result_node(leaf, op) for _, leaf in named]


def _branch(
    op: str, index: Node, functions: Sequence[Callable[..., Any]], titles: Sequence[str], operands: Sequence[Any]
) -> Any:
    for f, title in zip(functions, titles, strict=True):
        require_functions(op, _VALUES, **{title.replace(" ", "_"): f})
    parameters = parameter_names(functions[0], len(operands))
    named = [leaf for name, tree in zip(parameters, operands, strict=True) for leaf in flatten_named(tree, name)[0]]
    with watched() as made:
        traced = [
            _Traced(op, f, title, operands, [name for name, _ in named])
            for f, title in zip(functions, titles, strict=True)
        ]
        outputs = _agreed(op, traced)
    form: TreeDef = traced[0].form
    if not traced[0].leaves:
        return unflatten(form, [])
    taken: dict[Node, None] = {}
    for branch, found in zip(traced, outputs, strict=True):
        taken.update(capture(found, made, set(branch.inputs), branch.name))
    bodies = []
    for branch, found in zip(traced, outputs, strict=True):
        slots = [new_input(f"const{k}", node.shape, node.dtype) for k, node in enumerate(taken)]
        inside = substitute(found, dict(zip(taken, slots, strict=True)))
        bodies.append(Graph.from_parts([*slots, *branch.inputs], inside, name=branch.name))
    given = [as_node(leaf) for _, leaf in named]
    results = outputs_of(make(_BRANCH, [index, *taken, *given], {"bodies": tuple(bodies)}))
    numbers = [all(map(is_weak, leaves)) for leaves in zip(*(branch.leaves for branch in traced), strict=True)]
    return unflatten(form, [Weak(node) if number else node for node, number in zip(results, numbers, strict=True)])


def _agreed(op: str, traced: Sequence[_Traced]) -> list[list[Node]]:
    """The results of all branches as nodes of one type each; raises where they differ."""
    first = traced[0]
    for other in traced[1:]:
        if other.form != first.form:
            problem = f"{first.title} returns {first.form!r}, {other.title} returns {other.form!r}"
            raise GraphError(problem, "return one container from all branches")
    outputs: list[list[Node]] = [[] for _ in traced]
    for k, name in enumerate(first.names):
        leaves = [branch.leaves[k] for branch in traced]
        strong = [leaf.dtype for leaf in leaves if not is_weak(leaf)]
        weak = [as_node(leaf).dtype for leaf in leaves if is_weak(leaf)]
        dtype = strong[0] if strong else max(weak, key=lambda dtype: "bif".index(KINDS[dtype]))
        nodes = [
            in_dtype(leaf, dtype) if is_weak(leaf) and weak_fits(leaf, dtype) else as_node(leaf) for leaf in leaves
        ]
        for branch, node in zip(traced, nodes, strict=True):
            if (node.shape, node.dtype) == (nodes[0].shape, nodes[0].dtype):
                continue
            types = type_text(nodes[0].shape, nodes[0].dtype), type_text(node.shape, node.dtype)
            problem = f"leaf {name!r} is {types[0]} in {first.title} and {types[1]} in {branch.title}"
            line = node.line if node.inputs else None
            if node.shape != nodes[0].shape:
                advice = "return one shape from all branches (np.broadcast_to)"
                raise ShapeError(problem, advice, line=line)
            raise DTypeError(problem, "convert one of them with .astype", line=line)
        for found, node in zip(outputs, nodes, strict=True):
            found.append(node)
    return outputs


def capture(outputs: Sequence[Node], made: set[Node], own: set[Node], title: str) -> dict[Node, None]:
    """What `outputs` are made of that was there before their functions were traced, in a fixed order.

    Constants and counts are copied, and of a broadcast, which costs nothing inside, the source is taken.

    Args:
        outputs: what the functions returned.
        made: the nodes made while they were traced.
        own: the inputs of the body that the outputs are to have.
        title: of the function, for errors.
    """

    def inside(node: Node) -> bool:
        if node.op is INPUT:
            return False
        return maker(node) in made or node.op.repeats or self_contained(node)

    taken: dict[Node, None] = {}
    for node in walk(outputs[::-1], stops=own, operands=lambda x: x.inputs[::-1] if inside(x) else ()):
        if inside(node):
            continue
        if node in made and node.recording is not None and node.recording.end is not None:
            raise leak(outputs, node, title)  # of another branch, or of a function that a branch called
        taken[node] = None
    return taken
