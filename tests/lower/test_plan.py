"""The memory plan, checked without the planner: no two values that are alive at once share memory; memory is reused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from fuzz.graphs import grow
from programs import bodies_of, derived, opcodes

from pygraph.graph import Graph, var
from pygraph.lower import lower
from pygraph.lower.body_builder import Body
from pygraph.lower.format import SlotKind
from pygraph.lower.steps import LoopStep, PlainStep, ScalarStep, Step, Value
from pygraph.ops import exp, matmul, sin, tanh


class Overlap(AssertionError):
    """Two values share memory while both are needed."""


def bytes_of(value: Value) -> int:
    return 8 if value.cell else value.nbytes


def accesses(step: Step) -> tuple[list[Value], list[Value], list[Value]]:
    """The arena values that a step reads, writes, and needs only while it runs."""
    temporaries = () if isinstance(step, ScalarStep) else step.temporaries
    groups = (step.reads, step.writes, temporaries)
    roots = (dict.fromkeys(value.root for value in group) for group in groups)
    reads, writes, spare = ([v for v in group if v.kind is SlotKind.ARENA] for group in roots)
    return reads, writes, spare


def check_body(body: Body) -> int:
    """Raise unless the plan of a body keeps every value from its first write to its last read; counts values.

    The reverse and the tangent segment may run in any order and any number of times after the forward one, so what is
    written in one segment and read in another must never be overwritten.
    """
    steps = [(number, step) for number, segment in enumerate(body.segments) for step in segment]
    check_takeovers(body, [step for _, step in steps])
    never = len(steps) + 1
    first: dict[Value, int] = dict.fromkeys(body.constant_cells, -1)
    last: dict[Value, int] = dict.fromkeys(body.constant_cells, never)
    home: dict[Value, int] = {}
    brief: list[tuple[Value, int]] = []
    for now, (segment, step) in enumerate(steps):
        reads, writes, temporaries = accesses(step)
        for value in reads:
            if value.nbytes and value not in first:
                raise Overlap(f"step {now} reads a value that nothing has written")
            last[value] = max(last.get(value, -1), now if home.get(value, segment) == segment else never)
        for value in writes:
            first.setdefault(value, now)
            home.setdefault(value, segment)
            last[value] = max(last.get(value, -1), now)
        brief += [(value, now) for value in temporaries]
    spans = [(value, first[value], last[value]) for value in first if value.nbytes]
    spans += [(value, now, now) for value, now in brief if value.nbytes]
    for value, _, _ in spans:
        if not (value.offset >= 0 and value.offset + bytes_of(value) <= body.arena_bytes):
            raise Overlap(f"bytes {value.offset}+{bytes_of(value)} lie outside an arena of {body.arena_bytes}")
        if value.offset % (8 if value.cell else 64):
            raise Overlap(f"offset {value.offset} is not aligned")
    spans.sort(key=lambda span: span[0].offset)
    for at, (x, x_first, x_last) in enumerate(spans):
        for y, y_first, y_last in spans[at + 1 :]:
            if y.offset >= x.offset + bytes_of(x):
                break
            if x_last < y_first or y_last < x_first:
                continue
            (old, _, end), (new, begin, _) = sorted([(x, x_first, x_last), (y, y_first, y_last)], key=lambda s: s[1])
            if end == begin and old is not new:
                require_in_place(steps[begin][1], old, new)
            else:
                raise Overlap(f"bytes {x.offset}+{bytes_of(x)} and {y.offset}+{bytes_of(y)} are both alive")
    return len(spans)


def check_takeovers(body: Body, steps: list[Step]) -> None:
    """Raise unless values of one memory are used one after another: none is read once the next one is written."""
    taken = {body.outputs[o]: body.inputs[i] for i, o in body.shares}
    spans: dict[Value, dict[Value, list[int]]] = {}
    for now, step in enumerate(steps):
        for value in (*step.reads, *step.writes):
            root = taken.get(value.root, value.root)
            span = spans.setdefault(root, {}).setdefault(value, [now, now])
            span[1] = now
    for group in spans.values():
        ordered = sorted(group.items(), key=lambda item: item[1])
        for (old, (_, end)), (new, (begin, _)) in pairwise(ordered):
            if begin < end or (begin == end and not updates(steps[end], new.root, old.root)):
                raise Overlap(f"step {end} reads what step {begin} has overwritten")


def updates(step: Step, new: Value, old: Value) -> bool:
    """Whether a step may write the one value where the other lies."""
    if isinstance(step, LoopStep):
        return bool(step.in_place((new,), (old,)))
    return isinstance(step, PlainStep) and (new, old) in [(w.root, r.root) for w, r in step.in_place]


def require_in_place(step: Step, old: Value, new: Value) -> None:
    """Raise unless a step that reads `old` last and writes `new` may do so in one place."""
    if isinstance(step, ScalarStep):
        return  # operands are read before the result is written
    if not isinstance(step, LoopStep) or new not in [store.value.root for store in step.stores]:
        raise Overlap("only an elementwise result may take its operand's memory")
    (store,) = [store for store in step.stores if store.value.root is new]
    loads = [load for load in step.loads if load.value.root is old]
    if old.offset != new.offset or old.dtype.itemsize != new.dtype.itemsize:
        raise Overlap("an elementwise result lies across its operand")
    made = [at for at, micro in enumerate(step.micros) if micro.target == store.register]
    for load in loads:
        if (load.offset, list(load.strides)) != (store.offset, list(store.strides)):
            raise Overlap("an element is written where another one is still to be read")
        if load.register == store.register:
            continue
        tails = [store.register for store in step.stores] + [reduce.register for reduce in step.reduces]
        used = [at for at, micro in enumerate(step.micros) if load.register in micro.sources]
        if load.register in tails or (made and used and max(used) > made[-1]):
            raise Overlap("an operand is read after its memory was written")


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("fuse", [True, False])
def test_live_ranges_never_overlap(seed: int, fuse: bool) -> None:
    graph = grow(seed + 500, 10 + seed).graph
    whole, segments, groups = derived(graph)
    bodies = [*bodies_of(graph, fuse=fuse), *bodies_of(whole, segments, groups, fuse)]
    assert sum(map(check_body, bodies)) > 0


def test_the_check_finds_broken_plans() -> None:
    """Moving any array onto another one that is alive is noticed."""
    x = var("x", (100,))
    first, second = sin(x), exp(x)
    graph = Graph([x], matmul(first.reshape(10, 10), second.reshape(10, 10)) @ first.reshape(10, 10))
    (body,) = bodies_of(graph, fuse=False)
    assert check_body(body) >= 3
    values = list(dict.fromkeys(v for step in body.segments[0] for v in step.writes if v.kind is SlotKind.ARENA))
    found = 0
    for value in values:
        for other in values:
            kept, value.offset = value.offset, other.offset
            try:
                check_body(body)
            except Overlap:
                found += 1
            value.offset = kept
    assert found >= 4


def test_results_take_the_memory_of_dying_operands() -> None:
    x = var("x", (1000,))
    bodies = bodies_of(Graph([x], matmul(sin(tanh(exp(x))), x)), fuse=False)
    written = [step.writes[0] for step in bodies[0].segments[0] if isinstance(step, LoopStep)][:3]
    assert len({value.offset for value in written}) == 1, "exp, tanh and sin run in one place"


def test_a_chain_needs_no_memory_when_fused() -> None:
    x = var("x", (1000,))
    assert lower(Graph([x], tanh(sin(exp(x))))).arena_bytes == 0
    assert lower(Graph([x], tanh(sin(exp(x)))), fuse=False).arena_bytes == 8000 // 64 * 64


@pytest.mark.parametrize("make", [lambda x: tanh(x), lambda x: matmul(x, x)], ids=["elementwise", "matmul"])
def test_arena_of_a_chain_does_not_grow(make: Callable[[Any], Any]) -> None:
    def arena(count: int) -> int:
        x = y = var("x", (20, 20))
        for _ in range(count):
            y = make(y)
        return lower(Graph([x], y), fuse=False).arena_bytes

    assert arena(50) == arena(5) <= 2 * 20 * 20 * 8


def test_inputs_and_outputs_need_no_copies() -> None:
    x, y = var("x", (50, 50)), var("y", (50, 50))
    program = lower(Graph([x, y], matmul(x, y)))
    assert program.arena_bytes == 0
    assert opcodes(program) == {"MATMUL": 1}
