"""The passes as a whole: random graphs keep every bit, the log, verification, and linear work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bits import identical, sample
from hypothesis import HealthCheck, given, settings, strategies as st

from pygraph.autodiff.joint_graph import joint
from pygraph.errors import VerificationError
from pygraph.graph import Graph, Node, constant, make, scan, var
from pygraph.graph.reference import evaluate_flat
from pygraph.ops.row import TABLE
from pygraph.optimize import PASSES, optimize, passes

SHAPES = [(), (3,), (2, 3), (1, 3), (2, 1)]
UNARY = ["negative", "absolute", "square", "sqrt", "floor", "sign", "reciprocal", "stop_gradient"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum"]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -4.0, 3.0, 0.25, 2.0**600, np.inf]


def row(name: str, *operands: Node, **attrs: Any) -> Node:
    return make(TABLE[name], operands, attrs)


def fits(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(first, second)
    except ValueError:
        return False
    return True


@st.composite
def graphs(draw: st.DrawFn, loops: bool = True) -> Graph:
    """A random graph of operations whose results IEEE 754 fixes to the bit, over structure, choice and loops."""
    inputs = [var(f"x{i}", draw(st.sampled_from(SHAPES))) for i in range(draw(st.integers(1, 3)))]
    pool: list[Node] = list(inputs)
    for _ in range(draw(st.integers(2, 25))):
        x = draw(st.sampled_from(pool))
        kind = draw(
            st.sampled_from(["unary", "binary", "binary", "number", "shape", "slice", "join", "select", "max", "loop"])
        )
        if kind == "unary":
            pool.append(row(draw(st.sampled_from(UNARY)), x))
        elif kind == "number":
            operands = [x, constant(draw(st.sampled_from(NUMBERS)))]
            pool.append(row(draw(st.sampled_from(BINARY)), *(operands if draw(st.booleans()) else operands[::-1])))
        elif kind in ("binary", "select"):
            y = draw(st.sampled_from([node for node in pool if fits(node.shape, x.shape)]))
            if kind == "binary":
                pool.append(row(draw(st.sampled_from(BINARY)), x, y))
            else:
                condition = row(draw(st.sampled_from(["less", "equal", "not_equal"])), x, y)
                if draw(st.booleans()):
                    condition = row("logical_not", condition)
                pool.append(row("select", condition, x, y))
        elif kind == "shape":
            choice = draw(st.integers(0, 2))
            if choice == 0:
                pool.append(row("reshape", x, shape=draw(st.sampled_from([(*x.shape, 1), (1, *x.shape)]))))
            elif choice == 1:
                pool.append(row("transpose", x, axes=tuple(draw(st.permutations(range(x.ndim))))))
            else:
                pool.append(row("broadcast_to", x, shape=(draw(st.integers(1, 2)), *x.shape)))
        elif kind == "slice" and x.ndim:
            steps = tuple(draw(st.sampled_from([1, -1, 2])) for _ in x.shape)
            starts = tuple(draw(st.integers(0, size - 1)) if size else 0 for size in x.shape)
            shape = tuple(
                0 if not size else len(range(start, size if step > 0 else -1, step))
                for size, start, step in zip(x.shape, starts, steps, strict=True)
            )
            pool.append(row("slice", x, starts=starts, steps=steps, shape=shape))
            if draw(st.booleans()):
                pool.append(row("unslice", pool[-1], starts=starts, steps=steps, shape=x.shape))
        elif kind == "join" and x.ndim:
            pool.append(row("concatenate", x, draw(st.sampled_from([y for y in pool if y.shape == x.shape])), axis=0))
        elif kind == "max" and x.ndim and 0 not in x.shape:
            pool.append(row("reduce_max", x, axes=tuple(sorted(draw(st.sets(st.integers(0, x.ndim - 1)))))))
        elif kind == "loop" and loops and x.ndim:
            pool.append(draw(loop_results(x, pool)))
        if int(np.prod(pool[-1].shape)) > 200 or pool[-1].ndim > 5:
            pool.pop()
    outputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3))
    return Graph(inputs, [pool[-1], *outputs])


@st.composite
def loop_results(draw: st.DrawFn, xs: Node, pool: list[Node]) -> Node:
    """One result of a loop over `xs` whose body mixes carry, slice, a const and a carry that may never change."""
    init = draw(st.sampled_from(pool))
    const = draw(st.sampled_from([node for node in pool if fits(node.shape, init.shape)]))
    add, still, turn = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())

    def body(carry: Any, x: Any) -> Any:
        first, second = carry
        mixed = row("add" if add else "multiply", first, const) if fits(const.shape, first.shape) else first
        moved = mixed if mixed.shape == first.shape else -first
        return (moved, second if still else -second), (x * 1.0, first - 0.0, const)

    (first, second), (handed, carried, steady) = scan(body, (init, init), xs, reverse=turn)
    return draw(st.sampled_from([first, second, handed, carried, steady]))


@given(graphs(), st.integers(0, 2**32 - 1))
def keeps_every_bit(graph: Graph, seed: int) -> None:
    better = optimize(graph)
    better.verify("optimised")
    rng = np.random.default_rng(seed)
    values = [sample(node, rng) for node in graph.inputs]
    for one, other in zip(evaluate_flat(graph, values), evaluate_flat(better, values), strict=True):
        assert identical(other, one), f"{graph}\n{better}"


@given(graphs(), st.integers(0, 2**32 - 1))
def keeps_every_bit_of_derivatives(graph: Graph, seed: int) -> None:
    both = joint(graph, range(len(graph.inputs)))
    both.graph.verify("differentiated")
    better = optimize(both.graph, both.levels)
    better.verify("optimised")
    rng = np.random.default_rng(seed)
    values = [sample(node, rng) for node in better.inputs]
    for one, other in zip(evaluate_flat(both.graph, values), evaluate_flat(better, values), strict=True):
        assert identical(other, one), f"{both.graph}\n{better}"


@given(graphs())
def is_done_after_one_time(graph: Graph) -> None:
    once = optimize(graph)
    twice = optimize(once)
    assert len(twice.nodes) <= len(once.nodes)
    assert all(map(lambda a, b: a is b, optimize(twice).outputs, twice.outputs))


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.deep)])
@pytest.mark.parametrize(
    ("check", "examples"),
    [(keeps_every_bit, 60), (keeps_every_bit_of_derivatives, 20), (is_done_after_one_time, 12)],
)
def test_random_graphs(check: Callable[[], None], examples: int, times: int) -> None:
    """Optimising keeps every bit, and a second time changes nothing."""
    settings(max_examples=examples * times, deadline=None, suppress_health_check=list(HealthCheck))(check)()


def test_the_graphs_frame_is_kept() -> None:
    x = var("x")
    graph = Graph([x], {"a": x * 1.0, "b": (x, x + 0.0)}, name="frame")
    better = optimize(graph)
    assert (better.name, better.output_tree, better.names) == (graph.name, graph.output_tree, graph.names)


@pytest.fixture
def chain() -> Graph:
    x = var("x")
    final, _ = scan(lambda c, _: (np.negative(-c) * x, None), x * 1.0, None, length=3)
    return Graph([x], final, name="chain")


def test_the_log_has_five_levels(
    chain: Graph, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    for level in range(6):
        monkeypatch.setenv("PYGRAPH_DEBUG", str(level))
        optimize(chain)
        texts.append(capsys.readouterr().err)
    assert texts[0] == ""
    (summary,) = texts[1].splitlines()
    assert summary.startswith("optimize chain: ")
    assert summary.endswith(" ms")
    assert "simplify" in texts[2]
    assert "(unchanged)" in texts[2]
    assert "graph chain(" not in texts[2]
    assert "graph chain(" in texts[3]
    assert "multiply_constant: multiply(" in texts[4]
    assert "negative_of" not in texts[4]
    assert "negative_of: negative(negative)" in texts[5]
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)


def test_every_pass_is_verified_on_request(chain: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: Graph, levels: object, depth: int) -> list[Node]:
        return [var("stray") + 1.0]

    monkeypatch.setattr(passes, "PASSES", (broken,))
    monkeypatch.setenv("PYGRAPH_CHECK", "1")
    with pytest.raises(VerificationError, match="optimised graph 'chain'"):
        optimize(chain)


def test_passes_are_documented() -> None:
    assert all(step.__doc__ for step in PASSES)


def test_deep_graphs_do_not_recurse() -> None:
    x = var("x")
    y: Node = x
    for _ in range(5_000):
        y = -(y + (-x))
    better = optimize(Graph([x], y))
    assert len(better.nodes) <= 10_001


def test_rules_that_undo_each_other_end() -> None:
    from pygraph.optimize.engine import RuleSet, sweep

    rules = RuleSet()

    @rules.on(TABLE["sin"])
    def to_cos(node: Node) -> Node:
        return row("cos", *node.inputs)

    @rules.on(TABLE["cos"])
    def to_sin(node: Node) -> Node:
        return row("sin", *node.inputs)

    x = var("x")
    graph = Graph([x], np.sin(x))
    assert sweep(graph.nodes, graph.outputs, rules)[0].op.name in ("sin", "cos")
