"""Plans of what reverse mode recomputes: long loops in groups of steps, long expressions in parts.

A plan is applied to expressions before they are differentiated. What it makes are branches of one body, as
`pg.checkpoint` does, so that all derivatives follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, prod

from ..graph.construction import constant, make
from ..graph.graph import Graph
from ..graph.loop import Loop, Names, is_stack
from ..graph.node import Node, self_contained
from ..graph.rewriting import rewrite, substitute
from ..graph.source import SourceLine
from ..graph.trace_context import current
from ..graph.traversal import walk
from ..graph.uniform import reshaped
from ..ops.control import branch as BRANCH
from ..ops.leaves import output_row as OUTPUT
from ..ops.shaping import concatenate_row as CONCATENATE, slice_row as SLICE

#: A loop of fewer steps than this stays as it is.
SHORTEST = 4


@dataclass(frozen=True)
class Plan:
    """What is recomputed.

    Attributes:
        steps: whether the inside of each step of a loop is.
        depth: into how many loops, one in the other, a loop is divided; the inner ones are recomputed.
        parts: into how many parts everything else is divided, each of which is recomputed.
    """

    steps: bool = False
    depth: int = 1
    parts: int = 1

    @property
    def empty(self) -> bool:
        """Whether nothing is recomputed."""
        return self == Plan()

    def __str__(self) -> str:
        said = [f"loops {self.depth} deep"] if self.depth > 1 else []
        said += ["steps"] if self.steps else []
        said += [f"{self.parts} parts"] if self.parts > 1 else []
        return ", ".join(said) or "no rematerialisation"


@dataclass(frozen=True)
class Applied:
    """A plan that is being applied to a function, and what it has found to change so far.

    Attributes:
        changed: the kinds: "loops", "parts".
        rematerialised: in words, each thing once, in the order in which it was found.
        made: of functions and what they close over, their outputs by the plan; see `deferral`.
    """

    plan: Plan
    changed: set[str] = field(default_factory=set)
    rematerialised: dict[str, None] = field(default_factory=dict)
    made: dict[tuple[object, ...], Sequence[Node]] = field(default_factory=dict)


def as_planned(outputs: Sequence[Node], fixed: Sequence[Node]) -> list[Node]:
    """`outputs` by the plan in force; see `rewritten`."""
    applied = current().plan
    return rewritten(outputs, fixed, applied) if isinstance(applied, Applied) else list(outputs)


def rewritten(outputs: Sequence[Node], fixed: Sequence[Node], applied: Applied) -> list[Node]:
    """`outputs` with the same values, of which a plan has parts recomputed in reverse mode.

    The nodes `fixed`, which they are differentiated by, stay what they are. Expressions with stacks, which are parts of
    a loop of run-time length, are not divided.
    """
    plan, result = applied.plan, list(outputs)
    if plan.steps or plan.depth > 1:
        result = _with_loops(outputs, fixed, applied)
        if _differ(result, outputs):
            applied.changed.add("loops")
    order = walk(result)
    if plan.parts > 1 and not any(map(is_stack, order)):
        divided = _divided(result, order, set(fixed), applied)
        if _differ(divided, result):
            applied.changed.add("parts")
        result = divided
    return result


def _differ(after: Sequence[Node], before: Sequence[Node]) -> bool:
    return any(a is not b for a, b in zip(after, before, strict=True))


def recomputed(inputs: Sequence[Node], outputs: Sequence[Node], operands: Sequence[Node], name: str) -> list[Node]:
    """`outputs`, expressions of `inputs`, of the `operands`: as the results of a branch of one body."""
    body = Graph.from_parts(inputs, outputs, name=name)
    node = make(BRANCH, (constant(0), *operands), {"bodies": (body,), "recompute": True})
    return [make(OUTPUT, (node,), {"index": index}) for index in range(len(outputs))]


# --- loops -----------------------------------------------------------------------------------------------------------


def _with_loops(outputs: Sequence[Node], fixed: Sequence[Node], applied: Applied) -> list[Node]:
    plan = applied.plan

    def visit(node: Node, inputs: tuple[Node, ...]) -> list[Node] | None:
        if not node.op.loop or node.op.unbounded or node.attrs["length"] < SHORTEST:
            return None
        loop = Loop.of(node).with_operands(inputs)
        applied.rematerialised[_loop_text(loop, plan, node.line)] = None
        if plan.steps:
            loop = _over(loop, recomputed(loop.inputs, loop.outputs, _slots(loop.inputs), loop.name))
        return _grouped(loop, plan.depth)

    return rewrite(outputs, visit, {node: node for node in fixed})


def _loop_text(loop: Loop, plan: Plan, line: SourceLine | None) -> str:
    """What a plan does to a loop: the lengths of its groups of steps, the outermost first."""
    lengths: list[int] = []
    length, depth = loop.length or 0, plan.depth
    while depth > 1 and length >= SHORTEST:
        length = _group_length(length, depth)
        lengths.append(length)
        depth -= 1
    said = [f"groups of {' and in these of '.join(map(str, lengths))}"] if lengths else []
    said += ["the inside of each step"] if plan.steps else []
    place = f" ({line.place})" if line is not None else ""
    return f"scan {loop.name}{place}, {loop.length:,} steps: {', '.join(said)}"


def _group_length(length: int, depth: int) -> int:
    share: float = length ** ((depth - 1) / depth)
    return ceil(share)


def _slots(nodes: Sequence[Node]) -> list[Node]:
    """New inputs like `nodes`."""
    names = Names(())
    return [names.like(node, f"x{at}") for at, node in enumerate(nodes)]


def _over(loop: Loop, results: Sequence[Node]) -> Loop:
    """`loop` whose step gives `results`, which are those of one branch of new inputs for the loop's."""
    inputs = results[0].inputs[0].inputs[1:]
    first, second = len(loop.consts), len(loop.consts) + len(loop.init)
    return replace(
        loop.with_expressions(results),
        const_inputs=inputs[:first],
        carry_inputs=inputs[first:second],
        x_inputs=inputs[second:],
    )


def _grouped(loop: Loop, depth: int) -> list[Node]:
    """The results of a scan as a loop over groups of its steps, and so on inside of these; only the carry is kept.

    The steps that are left over are a group of their own, which runs last.
    """
    length = loop.length
    assert length is not None
    if depth < 2 or length < SHORTEST:
        return loop.build()
    size = _group_length(length, depth)
    count, rest = divmod(length, size)
    start = rest if loop.reverse else 0
    n_carry = len(loop.init)
    xs = [_part(x, start, count * size) for x in loop.xs]
    slots = _slots([*loop.consts, *loop.init, *(_part(x, 0, size) for x in loop.xs)])
    grouped = recomputed(slots, _group(loop, slots, size, depth), _slots(slots), loop.name)
    outer = _over(
        replace(
            loop,
            xs=tuple(reshaped(x, (count, size, *x.shape[1:])) for x in xs),
            length=count,
            carry_outputs=tuple(grouped[:n_carry]),
            y_outputs=tuple(grouped[n_carry:]),
        ),
        grouped,
    )
    results = outer.build()
    carry = results[:n_carry]
    ys = [reshaped(y, (count * size, *y.shape[2:])) for y in results[n_carry:]]
    if rest:
        operands = [*loop.consts, *carry, *(_part(x, 0 if loop.reverse else count * size, rest) for x in loop.xs)]
        slots = _slots(operands)
        last = recomputed(slots, _group(loop, slots, rest, depth), operands, loop.name)
        carry = last[:n_carry]
        pairs = zip(ys, last[n_carry:], strict=True)
        ys = [make(CONCATENATE, (b, a) if loop.reverse else (a, b), {"axis": 0}) for a, b in pairs]
    return [*carry, *ys]


def _group(loop: Loop, operands: Sequence[Node], length: int, depth: int) -> list[Node]:
    return _grouped(replace(loop, length=length).with_operands(operands), depth - 1)


def _part(x: Node, start: int, length: int) -> Node:
    """Some slices of a stacked operand."""
    if length == x.shape[0]:
        return x
    zeros, ones = (0,) * (len(x.shape) - 1), (1,) * len(x.shape)
    return make(SLICE, (x,), {"starts": (start, *zeros), "steps": ones, "shape": (length, *x.shape[1:])})


# --- parts -----------------------------------------------------------------------------------------------------------


def _divided(outputs: Sequence[Node], order: Sequence[Node], fixed: set[Node], applied: Applied) -> list[Node]:
    """`outputs` computed in parts one after another, each a branch; cut where little is handed on."""
    parts = applied.plan.parts
    place: dict[Node, int] = {}
    work: list[Node] = []
    for node in order:
        if node.op is OUTPUT and node.inputs[0] in place:
            place[node] = place[node.inputs[0]]
        elif node not in fixed and node.inputs and not self_contained(node):
            place[node] = len(work)
            work.append(node)
    if len(work) < 2 * parts:
        return list(outputs)
    last = dict(place)
    for node in order:
        for x in node.inputs:
            if x in place and node in place:
                last[x] = max(last[x], place[node])
    last.update((node, len(work)) for node in outputs if node in place)
    crossing = [0] * (len(work) + 1)  # bytes handed on after each node
    made = [0] * len(work)
    for node, at in place.items():
        if node.results is None:
            size = prod(node.shape) * node.dtype.itemsize
            made[at] += size
            crossing[at] += size
            crossing[last[node]] -= size
    for at in range(1, len(crossing)):
        crossing[at] += crossing[at - 1]
    ends = _ends(made, crossing, parts)
    applied.rematerialised[f"{len(work):,} operations: in {len(ends) + 1} parts"] = None
    part = {node: sum(at > end for end in ends) for node, at in place.items()}
    done: dict[Node, Node] = {}
    for number in range(len(ends) + 1):
        _one_part([node for node in order if part.get(node) == number], part, set(outputs), order, done)
    return [done.get(node, node) for node in outputs]


def _ends(made: Sequence[int], crossing: Sequence[int], parts: int) -> list[int]:
    """The last place of each part but the last: equal shares of the bytes, moved to where least is handed on."""
    total, cumulated, at = sum(made), 0, 0
    ends: list[int] = []
    reach = max(len(made) // (3 * parts), 1)
    for k in range(1, parts):
        while at < len(made) - 1 and cumulated + made[at] < total * k / parts:
            cumulated += made[at]
            at += 1
        near = range(max(at - reach, ends[-1] + 1 if ends else 0), min(at + reach, len(made) - 2) + 1)
        if near:
            ends.append(min(near, key=lambda place: (crossing[place], abs(place - at))))
    return ends


def _one_part(
    nodes: Sequence[Node], part: dict[Node, int], outputs: set[Node], order: Sequence[Node], done: dict[Node, Node]
) -> None:
    """Put in `done` what later parts and the outputs need of `nodes`, as results of one branch."""
    own = set(nodes)
    wanted = {x for node in order if node not in own for x in node.inputs} | outputs
    read = dict.fromkeys(x for node in nodes for x in node.inputs)
    given = [x for x in read if x not in own and not self_contained(x)]
    results = [node for node in nodes if node in wanted and node.results is None]
    if not results:
        return
    slots = _slots(given)
    inside = substitute(results, dict(zip(given, slots, strict=True)))
    operands = [done.get(x, x) for x in given]
    found = recomputed(slots, inside, operands, "part")
    done.update(zip(results, found, strict=True))
