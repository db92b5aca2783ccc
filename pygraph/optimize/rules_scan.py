"""One loop made smaller: unused results, carries and operands dropped, and loop-invariant work moved out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..graph.construction import constant, make
from ..graph.loop import Loop, Names
from ..graph.loop_split import hoisted
from ..graph.node import Node
from ..graph.record_scan import close_over
from ..graph.rewriting import substitute
from ..graph.traversal import depends_on, walk
from ..graph.uniform import full, reshaped, spread, value_of
from ..ops.comparison import less as LESS


def smaller(loop: Loop, used: Iterable[int]) -> dict[int, Node]:
    """The results of `loop` at positions `used`, from a loop that does no more than these ask for."""
    wanted = sorted(used)
    loop, position = _narrowed(loop, wanted)
    fixed = {place for place, node in enumerate(loop.carry_inputs) if loop.carry_outputs[place] is node}
    results = {index: loop.init[place] for index, place in position.items() if place in fixed}
    loop = _settled(loop)
    if loop.length:
        stacked = {index: place for index, place in position.items() if place >= len(loop.init)}
        results.update(_outside(loop, stacked, loop.length))
    rest = [position[index] for index in wanted if index not in results]
    loop, moved = _narrowed(loop, rest)
    if loop.length == 0:
        built = _none(loop)
    elif loop.length == 1:
        built = _once(loop)
    else:
        built = _hoisted(loop).build()
    for index in wanted:
        if index not in results:
            results[index] = built[moved[position[index]]]
    return results


def needed(loop: Loop, used: Iterable[int]) -> tuple[list[int], list[int], set[Node]]:
    """What the results at positions `used` ask for: carries, ys (by position in their group), and body inputs."""
    n_carry = len(loop.init)
    ys = [index - n_carry for index in used if index >= n_carry]
    update = {slot: (output,) for slot, output in zip(loop.carry_inputs, loop.carry_outputs, strict=True)}
    asked = [loop.carry_inputs[index] if index < n_carry else loop.outputs[index] for index in used]
    if loop.condition is not None:
        asked.append(loop.condition)
    seen = set(walk(asked, operands=lambda node: update.get(node, node.inputs)))
    kept = [k for k, node in enumerate(loop.carry_inputs) if node in seen]
    return kept, ys, seen.intersection(loop.inputs)


def _narrowed(loop: Loop, used: Sequence[int]) -> tuple[Loop, dict[int, int]]:
    """`loop` without what `used` does not need, and where each used result has gone."""
    kept, ys, alive = needed(loop, used)
    consts = [(node, operand) for node, operand in zip(loop.const_inputs, loop.consts, strict=True) if node in alive]
    xs = [(node, operand) for node, operand in zip(loop.x_inputs, loop.xs, strict=True) if node in alive]
    distinct = {node: new for new, node in enumerate(dict.fromkeys(loop.y_outputs[j] for j in ys))}
    n_carry = len(loop.init)
    position = {k: new for new, k in enumerate(kept)}
    position.update((n_carry + j, len(kept) + distinct[loop.y_outputs[j]]) for j in ys)
    narrow = replace(
        loop,
        const_inputs=tuple(node for node, _ in consts),
        consts=tuple(operand for _, operand in consts),
        carry_inputs=tuple(loop.carry_inputs[k] for k in kept),
        init=tuple(loop.init[k] for k in kept),
        carry_outputs=tuple(loop.carry_outputs[k] for k in kept),
        x_inputs=tuple(node for node, _ in xs),
        xs=tuple(operand for _, operand in xs),
        y_outputs=tuple(distinct),
    )
    return narrow, position


def _settled(loop: Loop) -> Loop:
    """`loop` with what is the same in each step among the consts, plain numbers in the body, and no operand twice.

    A carry that never changes is read from the consts; its own place is left for `_narrowed` to drop.
    """
    inside: dict[Node, Node] = {}
    consts: dict[Node, Node] = {}  # operand: the body's input
    xs: dict[Node, Node] = {}
    names = Names(loop.inputs)

    def settle(node: Node, operand: Node, group: dict[Node, Node]) -> None:
        value = value_of(operand)
        if value is not None:
            inside[node] = full(value, node.shape, node.dtype)
        elif group.setdefault(operand, node) is not node:
            inside[node] = group[operand]

    for node, operand in zip(loop.const_inputs, loop.consts, strict=True):
        settle(node, operand, consts)
    for node, operand in zip(loop.x_inputs, loop.xs, strict=True):
        same = None if loop.length is None else _repeated(operand)
        settle(node, operand if same is None else same, xs if same is None else consts)
    for node, operand, output in zip(loop.carry_inputs, loop.init, loop.carry_outputs, strict=True):
        if output is node:
            fixed = names.like(node, node.attrs["name"])
            settle(fixed, operand, consts)
            inside[node] = inside.get(fixed, fixed)
    expressions = substitute(loop.expressions, inside) if inside else loop.expressions
    return replace(
        loop.with_expressions(expressions),
        const_inputs=tuple(consts.values()),
        consts=tuple(consts),
        x_inputs=tuple(xs.values()),
        xs=tuple(xs),
    )


def _repeated(x: Node) -> Node | None:
    """What each slice of `x` along its first axis is, when `x` is a broadcast along it."""
    if not x.op.repeats:
        return None
    (source,) = x.inputs
    if len(source.shape) == len(x.shape):
        if source.shape[0] != 1:
            return None
        source = reshaped(source, source.shape[1:])
    return spread(source, x.shape[1:])


def _outside(loop: Loop, position: dict[int, int], length: int) -> dict[int, Node]:
    """Stacked results that need no loop: slices handed through, and values that are the same in each step."""
    handed = dict(zip(loop.x_inputs, loop.xs, strict=True))
    consts = dict(zip(loop.const_inputs, loop.consts, strict=True))
    varying = depends_on(loop.outputs, (*loop.carry_inputs, *loop.x_inputs))
    results: dict[int, Node] = {}
    for index, place in position.items():
        output = loop.outputs[place]
        if output in handed:
            results[index] = handed[output]
        elif output not in varying:
            (value,) = substitute([output], consts)
            results[index] = spread(value, (length, *value.shape))
    return results


def _hoisted(loop: Loop) -> Loop:
    """`loop` with what depends on consts alone computed once, outside, where there is a step that asks for it."""
    outputs, variables, expressions = close_over(loop.expressions, (*loop.carry_inputs, *loop.x_inputs))
    if set(loop.const_inputs).issuperset(expressions):
        return loop
    begun, always = None, set(loop.const_inputs)
    if loop.condition is not None:
        (begun,) = substitute([loop.condition], dict(zip(loop.inputs, loop.operands, strict=True)))
        always.update(walk([loop.condition]))
    elif loop.count is not None:
        begun = make(LESS, (constant(0), loop.count), {})
    outside: dict[Node, Node] = {}
    for some, condition in (
        ([x for x in expressions if x not in always], begun),
        ([x for x in expressions if x in always], None),
    ):
        outside.update(zip(some, hoisted(loop, some, condition), strict=True))
    consts = tuple(outside[x] for x in expressions)
    return replace(loop.with_expressions(outputs), const_inputs=tuple(variables), consts=consts)


def _none(loop: Loop) -> list[Node]:
    """The results of a loop of no steps."""
    return [*loop.init, *(full(0, (0, *node.shape), node.dtype) for node in loop.y_outputs)]


def _once(loop: Loop) -> list[Node]:
    """The results of a loop of one step: its body, in place."""
    slices = [reshaped(operand, operand.shape[1:]) for operand in loop.xs]
    given = dict(zip(loop.inputs, (*loop.consts, *loop.init, *slices), strict=True))
    results = substitute(loop.outputs, given)
    n_carry = len(loop.init)
    return [*results[:n_carry], *(reshaped(node, (1, *node.shape)) for node in results[n_carry:])]
