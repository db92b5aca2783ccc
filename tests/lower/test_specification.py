"""The specification of each stage of lowering: what lowering makes keeps to it, and what is broken is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from programs import derived

from pygraph.errors import VerificationError
from pygraph.graph import Graph, scan, var
from pygraph.lower import lower, lowering
from pygraph.lower.body import Body, Unit
from pygraph.lower.format import SlotKind
from pygraph.lower.lowering import STAGES, run, verify
from pygraph.lower.steps import LoopStep, Value
from pygraph.ops import exp, matmul, sum, tanh
from pygraph.ops.row import lookup

X = var("x", (4, 4))


def chain() -> Graph:
    """A loop, a product, a concatenation of two loops, and a sum."""
    joined = np.concatenate([tanh(X), matmul(exp(X), X) * 2.0])
    return Graph([X], sum(joined) * joined)


def after(stage: str, graph: Graph, *counts: Any) -> tuple[lowering.Stage, Body]:
    """A body that has gone through the stages up to one."""
    segments, groups = counts or ((), ())
    body = Body(Unit(True, run), graph, groups, segments)
    for at in STAGES:
        at.run([body])
        verify(at, [body])
        if at.name == stage:
            return at, body
    raise AssertionError(stage)


def loops(body: Body) -> Iterator[LoopStep]:
    return (step for step in body.steps if isinstance(step, LoopStep))


def arrays(body: Body) -> list[Value]:
    """The values of the arena with several elements, in the order in which they are written."""
    written = (value for step in body.steps for value in step.writes)
    return list(dict.fromkeys(value for value in written if value.kind is SlotKind.ARENA and not value.cell))


def undefined(body: Body) -> None:
    body.graph = Graph.from_parts(body.graph.inputs, [lookup("constant_power")(X, exponent=3.0)])


def turned(body: Body) -> None:
    body.forward.regions.reverse()
    for index, region in enumerate(body.forward.regions):
        region.index = index


def lost(body: Body) -> None:
    region = body.forward.regions[0]
    del body.forward.region_of[region.nodes.pop()]


def twice(body: Body) -> None:
    first, second, *_ = body.forward.regions
    second.nodes.append(first.nodes[0])


def outside(body: Body) -> None:
    parts = body.forward.parts[tanh(X)]
    parts[0] = replace(parts[0], offset=17)


def forgotten(body: Body) -> None:
    body.forward.needed.clear()


def unread(body: Body) -> None:
    body.segments[0].steps.pop(0)


def unwritten(body: Body) -> None:
    body.segments[0].steps.pop()


def far(body: Body) -> None:
    next(loops(body)).loads[0].offset = 1


def unfilled(body: Body) -> None:
    next(loops(body)).stores[0].register = 99


def rematerialised(body: Body) -> None:
    body.rematerialised = {X}


def merged(body: Body) -> None:
    """Two values that live at once, as one."""
    first, second, *_ = arrays(body)
    first.merged = second


def on_top(body: Body) -> None:
    first, second, *_ = arrays(body)
    second.offset = first.offset


def unaligned(body: Body) -> None:
    arrays(body)[0].offset += 4


BROKEN: list[tuple[str, Callable[[Body], None], str]] = [
    ("expand", undefined, "has no instruction of its own"),
    ("forward_regions", turned, "which comes after it"),
    ("forward_regions", lost, "is in no region"),
    ("forward_regions", twice, "is in two regions"),
    ("rematerialise", rematerialised, "is rematerialised"),
    ("concatenate_in_place", outside, "is written to elements 17 to 32"),
    ("materialise", forgotten, "which has no memory"),
    ("emit_steps", unread, "reads a value that nothing has written"),
    ("emit_steps", unwritten, "output 0 is not written"),
    ("emit_steps", far, "touches elements 1 to 16 of an array of 128 bytes"),
    ("emit_steps", unfilled, "stores register 99, which is not filled"),
    ("update_in_place", merged, "has overwritten"),
    ("plan", on_top, "are both alive at step"),
    ("plan", unaligned, "is not aligned"),
]


@pytest.mark.parametrize(("name", "break_it", "said"), BROKEN, ids=[f"{x[0]} {x[1].__name__}" for x in BROKEN])
def test_what_is_broken_is_named(name: str, break_it: Callable[[Body], None], said: str) -> None:
    stage, body = after(name, chain())
    break_it(body)
    with pytest.raises(VerificationError) as error:
        verify(stage, [body])
    assert f"verifying lowered graph 'graph' after {name}: " in error.value.headline
    assert said in error.value.headline


def test_values_of_later_segments_are_kept() -> None:
    stage, body = after("emit_steps", *derived(Graph([X], sum(exp(matmul(X, X))))))
    made = {value for step in body.forward.steps for value in step.writes if value.kept}
    (kept,) = made - {*body.inputs_kept.values()}
    kept.kept = False
    with pytest.raises(VerificationError, match=r"of\s+reverse\s+reads\s+a\s+value\s+that\s+nothing"):
        verify(stage, [body])


def test_every_stage_is_verified_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the bodies of loops as well."""

    def plan(bodies: Sequence[Body]) -> None:
        """No plan at all."""

    *others, last_stage = STAGES
    monkeypatch.setattr(lowering, "STAGES", (*others, replace(last_stage, run=plan)))
    last, _ = scan(lambda c, _: (tanh(c) @ c, None), X, None, length=3)
    graph = Graph([X], last, name="main")
    monkeypatch.setenv("PYGRAPH_CHECK", "0")
    lower(graph)
    monkeypatch.setenv("PYGRAPH_CHECK", "1")
    with pytest.raises(VerificationError, match=r"graph 'lambda_' after plan:\s+bytes -1\+128\s+lie outside"):
        lower(graph)


def test_the_stages_are_logged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    last, _ = scan(lambda c, _: (tanh(c) @ c, None), X, None, length=3)
    texts = []
    for level in range(6):
        monkeypatch.setenv("PYGRAPH_DEBUG", str(level))
        lower(Graph([X], last))
        texts.append(capsys.readouterr().err)
    assert texts[0] == texts[1] == ""
    lines = texts[2].splitlines()
    assert [line.split()[1] for line in lines] == [*(stage.name for stage in STAGES), "encode"]
    assert all(" ms  " in line for line in lines)
    assert "(unchanged)" in texts[2]
    assert "1 steps" in texts[2]
    assert "memory of body 1: " in texts[3]
    assert len(texts[5].splitlines()) == len(texts[3].splitlines()) + len(STAGES)
