"""Recording loops whose number of steps is known at run time, and loops that are written with `scan`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import DTypeError, GraphError, ShapeError, shown
from ..ops.control import while_loop as _WHILE
from ..ops.dtypes import KINDS, bool_, int64
from .construction import as_node, constant, convert, make, new_input, outputs_of, watched
from .graph import Graph
from .guard import guarded
from .node import Node
from .record_branch import capture
from .record_scan import Carried, close_over, scan, settled
from .recording import recording
from .rewriting import substitute
from .trace import function_name, make_inputs, parameter_names, result_node, returned_text
from .traversal import walk
from .tree import TreeDef, flatten, flatten_named, unflatten

__all__ = ["bound", "close_step", "fori_loop", "map_", "while_loop"]


def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any, *, limit: int | None = None
) -> Any:
    """`pg.while_loop` recorded as one node, whatever the arguments; what it closes over becomes its constants.

    Example:
        >>> x = pg.var("x")
        >>> while_loop(lambda v: v < 100.0, lambda v: v * v, x)
        <output : float64>
    """
    steps = _limit(limit)
    (carry_name,) = parameter_names(body_fun, 1)
    named, form = flatten_named(init_val, carry_name)
    names = [name for name, _ in named]

    def traced(carried: Carried) -> tuple[tuple[list[Node], list[Any], Any], list[Any]]:
        inputs = make_inputs(names, carried.types)
        with recording(inputs):
            out = _step(body_fun, form, unflatten(form, carried.marked(inputs)))
            return (inputs, out, cond_fun(unflatten(form, carried.marked(inputs)))), out

    with watched() as asked:
        carried, (inputs, out, holds) = settled(Carried.of(named), traced)
        carry, condition = carried.returned(_WHILE.name, names, out), _condition(holds)
    first = carried.started([leaf for _, leaf in named])
    expressions, const_inputs, consts = close_step([*carry, condition], inputs, first, asked, function_name(body_fun))
    slots = [*const_inputs, *inputs]
    if not first:
        problem = "the carry has no array, so the condition can't change"
        raise GraphError(problem, "carry what the condition depends on")
    attrs = {
        "body": Graph.from_parts(slots, expressions[:-1], name=function_name(body_fun)),
        "condition": Graph.from_parts(slots, expressions[-1:], name=function_name(cond_fun)),
        "n_consts": len(consts),
        "n_carry": len(first),
        "limit": steps,
    }
    return unflatten(form, carried.marked(outputs_of(make(_WHILE, [*consts, *first], attrs))))


def close_step(
    outputs: Sequence[Node], inputs: Sequence[Node], first: Sequence[Node], asked: set[Node], title: str
) -> tuple[list[Node], list[Node], list[Node]]:
    """A body and its condition as `close_over` gives them, with all that only a step computes computed if there is one.

    Args:
        outputs: the carry after a step and the condition, in terms of `inputs`.
        first: the carry before the first step.
        asked: what was computed in the body or the condition, rather than before.
        title: of the body, for errors.
    """
    condition = outputs[-1]
    expressions, variables, found = close_over(outputs, inputs)
    always = set(walk([condition]))
    invariant = [x for x in found if x in asked and x not in always]
    if invariant:
        outside = list(capture(invariant, asked, set(), title))
        slots = [new_input(f"const{k}", x.shape, x.dtype) for k, x in enumerate(outside)]
        inside = substitute(invariant, dict(zip(outside, slots, strict=True)))
        (begun,) = substitute([condition], dict(zip(inputs, first, strict=True)))
        values = dict(zip(invariant, guarded(begun, inside, slots, outside, "invariant"), strict=True))
        found = [values.get(x, x) for x in found]
    return expressions, variables, found


def _limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    try:
        steps = operator.index(limit)
    except TypeError as error:
        problem = f"limit is {shown(limit)}"
        raise DTypeError(problem, "give an int, or None for no limit") from error
    if steps < 0:
        raise ShapeError(f"limit is {steps}", "give 0 or more")
    return steps


def _step(f: Callable[[Any], Any], form: TreeDef, carry: Any) -> list[Any]:
    out, out_form = flatten(f(carry))
    if out_form != form:
        problem = f"the carry goes in as {form!r} and comes out of the body as {out_form!r}"
        raise GraphError(problem, "return a carry of the form of init_val")
    return out


def _condition(found: Any) -> Node:
    """What the condition returned, which is one bool."""
    leaves, _ = flatten(found)
    if len(leaves) != 1 or leaves[0] is not found:
        problem = f"the condition returned {returned_text(found)}"
        raise GraphError(problem, "return one scalar bool")
    node = result_node(found, _WHILE.name)
    if node.shape != ():
        problem = f"the condition gives {node.type_text}, not one bool"
        raise ShapeError(problem, "reduce it with np.all or np.any", operands=(node,))
    if node.dtype != bool_:
        problem = f"the condition gives {node.dtype}, not bool"
        raise DTypeError(problem, "compare it: x > 0, x != 0", operands=(node,))
    return node


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """`for i in range(lower, upper): val = body_fun(i, val)`, recorded as one node; as `jax.lax.fori_loop`.

    Bounds that are plain integers make a `scan`, expressions as bounds a `while_loop`.

    Args:
        lower, upper: scalar integers.
        body_fun: (i, carry) -> the next carry, of the same container and types; i is an int64.
        init_val: the first carry.

    Raises:
        DTypeError: a bound is not an integer; ShapeError: a bound is not scalar; else as `scan`.

    Example:
        >>> x = pg.var("x")
        >>> fori_loop(0, 5, lambda i, v: v * x + i, 0.0)
        <output : float64>
    """
    if not isinstance(lower, Node) and not isinstance(upper, Node):
        start, end = bound(lower, "lower"), bound(upper, "upper")

        def step(carry: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
            i, value = carry
            return (i + 1, body_fun(i, value)), None

        step.__name__ = function_name(body_fun)
        (_, value), _ = scan(step, (constant(start, int64), init_val), None, max(end - start, 0))
        return value
    first, last = (_traced_bound(x, name) for x, name in ((lower, "lower"), (upper, "upper")))

    def body(carry: tuple[Any, Any]) -> tuple[Any, Any]:
        i, value = carry
        return i + 1, body_fun(i, value)

    body.__name__ = function_name(body_fun)
    return while_loop(lambda carry: carry[0] < last, body, (first, init_val))[1]


def bound(x: Any, name: str) -> int:
    """A bound of `fori_loop` as an int."""
    try:
        return operator.index(x)
    except TypeError as error:
        problem = f"{name} is {shown(x)}"
        raise DTypeError(problem, "give an integer") from error


def _traced_bound(x: Any, name: str) -> Node:
    node = as_node(x)
    if node.shape != ():
        problem = f"{name} has shape {node.shape}"
        raise ShapeError(problem, "give a scalar", operands=(node,))
    if KINDS[node.dtype] != "i":
        problem = f"{name} is {node.dtype}, not an integer"
        raise DTypeError(problem, "convert it: .astype('int64')", operands=(node,))
    return convert(node, int64)


def map_(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice of `xs` along its first axis, the results stacked, recorded as one node; as `jax.lax.map`.

    Args:
        f: a function of one container like `xs`.
        xs: arrays with a leading axis of equal length, in a container.

    Raises:
        ShapeError: the lengths differ, or there is no array.

    Example:
        >>> map_(lambda row: np.sum(row * row), pg.var("x", (4, 3)))
        <output : float64[4]>
    """

    def step(carry: None, x: Any) -> tuple[None, Any]:
        return carry, f(x)

    step.__name__ = function_name(f)
    return scan(step, None, xs)[1]
