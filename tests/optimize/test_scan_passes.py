"""Loops made smaller and merged: each case for itself, and with every bit kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from bits import optimised

from pygraph.autodiff import jvp, vjp
from pygraph.graph import Graph, Node, constant, scan, var
from pygraph.graph.loop import SCAN, Loop
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize

S, W = var("s", (3,)), var("w", (3,))
XS = var("xs", (4, 3))
INPUTS = [S, W, XS]


def loops(graph: Graph) -> list[Loop]:
    return [Loop.of(node) for node in graph.nodes if node.op is SCAN]


def test_unused_results_and_what_they_need_are_dropped() -> None:
    (a, _), (y, _) = scan(lambda c, x: ((c[0] * x, c[1] + W), (c[0], c[1] * 2.0)), (S, S), XS)
    (loop,) = loops(optimised(INPUTS, [a]))
    assert (len(loop.consts), len(loop.init), len(loop.xs), len(loop.y_outputs)) == (0, 1, 1, 0)
    (loop,) = loops(optimised(INPUTS, [y]))
    assert (len(loop.init), len(loop.y_outputs)) == (1, 1)


def test_a_carry_that_another_needs_stays() -> None:
    (a, _), _ = scan(lambda c, x: ((c[0] + c[1], c[1] * x), None), (S, W), XS)
    (loop,) = loops(optimised(INPUTS, [a]))
    assert len(loop.init) == 2


def test_dead_loops_that_feed_dead_results_go_too() -> None:
    _, ys = scan(lambda c, x: (c, np.sin(x * c)), S, XS)
    (a, _), _ = scan(lambda c, x: ((c[0] * 2.0, c[1] + x), None), (S, S), ys)
    assert len(loops(optimised(INPUTS, [a]))) == 1


def test_a_carry_that_never_changes_is_a_const() -> None:
    (a, b), _ = scan(lambda c, x: ((c[0] * x + c[1], c[1]), None), (S, W), XS)
    better = optimised(INPUTS, [a, b])
    assert better.outputs[1] is W
    (loop,) = loops(better)
    assert (len(loop.consts), len(loop.init)) == (1, 1)


def test_ys_that_need_no_loop() -> None:
    a, (handed, steady, same) = scan(lambda c, x: (c * x, (x, W * 2.0, W)), S, XS)
    better = optimised(INPUTS, [a, handed, steady, same])
    assert better.outputs[1] is XS
    assert Graph(INPUTS, better.outputs[2]) == Graph(INPUTS, np.broadcast_to(W * 2.0, (4, 3)))
    assert Graph(INPUTS, better.outputs[3]) == Graph(INPUTS, np.broadcast_to(W, (4, 3)))
    assert not loops(better)[0].y_outputs


def test_equal_ys_are_stacked_once() -> None:
    _, (first, second) = scan(lambda c, x: (c * x, (np.sin(c), np.sin(c))), S, XS)
    better = optimised(INPUTS, [first, second])
    assert better.outputs[0] is better.outputs[1]
    assert len(loops(better)[0].y_outputs) == 1


def test_operands_given_twice_are_passed_once() -> None:
    a, _ = scan(lambda c, x: (c * x[0] + x[1], None), S, (XS, XS))
    (loop,) = loops(optimised(INPUTS, [a]))
    assert len(loop.xs) == 1


def test_repeated_slices_are_consts_and_numbers_are_in_the_body() -> None:
    a, _ = scan(
        lambda c, x: (c * x[0] + x[1], None), S, (np.broadcast_to(W, (4, 3)), np.broadcast_to(constant(2.0), (4, 3)))
    )
    (loop,) = loops(optimised(INPUTS, [a]))
    assert (len(loop.consts), len(loop.xs)) == (1, 0)
    assert loop.consts[0] is W
    b, _ = scan(lambda c, x: (c * x, None), S, np.broadcast_to(np.reshape(W, (1, 3)), (4, 3)))
    (loop,) = loops(optimised(INPUTS, [b]))
    assert loop.consts[0] is W


def test_slices_that_differ_stay() -> None:
    column = np.broadcast_to(XS[:, :1], (4, 3))
    a, _ = scan(lambda c, x: (c * x, None), S, column)
    (loop,) = loops(optimised(INPUTS, [a]))
    assert len(loop.xs) == 1


def test_loop_invariant_work_is_moved_out() -> None:
    derived = vjp([scan(lambda c, x: (c * x * W, None), S, XS)[0]], [S], [np.sin(S)])
    (loop,) = loops(optimised(INPUTS, [node for node in derived if node is not None]))
    assert len(loop.consts) == 1
    body_of_two, _ = scan(lambda c, x: (scan(lambda d, y: (d * np.exp(x), None), c, XS)[0], None), S, XS)
    better = optimised(INPUTS, [body_of_two], tries=5)
    inner = next(node for node in loops(better)[0].carry_outputs if node.op.name == "output").inputs[0]
    assert "exp" not in {node.op.name for node in inner.attrs["body"].nodes}


def test_no_steps_and_one_step_need_no_loop() -> None:
    for length in (0, 1):
        a, ys = scan(lambda c, x: (c * x + W, c), S, XS[:length])
        assert not loops(optimised(INPUTS, [a, ys]))
        a, ys = scan(lambda c, x: (c * x + W, c), S, XS[:length], reverse=True)
        assert not loops(optimised(INPUTS, [a, ys]))


def test_bodies_are_optimised_at_every_depth() -> None:
    def body(c: Any, x: Any) -> Any:
        inner, _ = scan(lambda d, y: (np.negative(-d) * y * 1.0, None), c * 1.0, XS)
        return inner + x, None

    (loop,) = loops(optimised(INPUTS, [scan(body, S, XS)[0]]))
    names = [node.op.name for node in Graph(list(loop.inputs), list(loop.outputs)).nodes]
    assert "multiply" not in names
    (inner,) = loops(Graph(list(loop.inputs), list(loop.outputs)))
    assert [node.op.name for node in inner.carry_outputs] == ["multiply"]


def test_loops_of_equal_operands_are_one() -> None:
    a, first = scan(lambda c, x: (c * x, np.sin(c)), S, XS)
    b, second = scan(lambda c, x: (c * x, np.cos(c)), S, XS)
    better = optimised(INPUTS, [a, b, first, second])
    (loop,) = loops(better)
    assert len(loop.y_outputs) == 2
    assert better.outputs[0] is better.outputs[1]


def test_loops_that_differ_stay_apart() -> None:
    a, _ = scan(lambda c, x: (c * x, None), S, XS)
    b, _ = scan(lambda c, x: (c + x, None), S, XS)
    d, _ = scan(lambda c, x: (c * x, None), S, XS, reverse=True)
    assert len(loops(optimised(INPUTS, [a, b, d]))) == 3


def test_a_loop_that_is_part_of_a_larger_one() -> None:
    a, ys = scan(lambda c, x: (c * x, c + 1.0), S, XS)
    (larger, _), _ = scan(lambda c, x: ((c[1] + c[0], c[1] * x), None), (W, S), XS)
    better = optimised(INPUTS, [a, ys, larger])
    (loop,) = loops(better)
    assert len(loop.init) == 2
    assert len(loop.y_outputs) == 1


def test_a_loop_is_not_merged_with_one_that_needs_it() -> None:
    a, _ = scan(lambda c, x: (c * x, None), S, XS)
    (larger, again), _ = scan(lambda c, x: ((c[1] + c[0], c[1] * x), None), (a, S), XS)
    assert len(loops(optimised(INPUTS, [larger]))) == 2
    assert len(loops(optimised(INPUTS, [larger, again]))) == 2


def test_merges_that_would_need_each_other_are_not_both_done() -> None:
    """Two loops, each part of a larger one that needs the other: one merge is possible, both would be a cycle."""
    a, _ = scan(lambda c, x: (c * x, None), S, XS)
    b, _ = scan(lambda c, x: (c + x, None), S, XS)
    (first, _), _ = scan(lambda c, x: ((c[0] - c[1], c[1] * x), None), (b, S), XS)
    (second, _), _ = scan(lambda c, x: ((c[0] - c[1], c[1] + x), None), (a, S), XS)
    assert len(loops(optimised(INPUTS, [first, second]))) == 3


def test_levels_keep_early_loops_early() -> None:
    final, _ = scan(lambda c, x: (np.sin(c) * x, None), S, XS)
    tangent = var("t", (3,))
    graph = Graph([S, XS, tangent], [final, *jvp([final], [S], [tangent])])
    assert len(loops(optimize(graph))) == 1
    assert len(loops(optimize(graph, levels=(0, 0, 2)))) == 2


def test_many_loops_take_linear_time() -> None:
    def build(n: int) -> Graph:
        state: Node = S
        for i in range(n):
            state, _ = scan(lambda c, x, i=i: (c * x + float(i), None), state, XS)
        (gradient,) = vjp([state], [S], [W])
        return Graph([S, W, XS], [state, gradient])

    graph = build(40)
    better = optimize(graph)
    assert len(loops(better)) == 80
    values = [np.full(3, 0.3), np.ones(3), np.full((4, 3), 0.5)]
    for one, other in zip(evaluate_flat(graph, values), evaluate_flat(better, values), strict=True):
        np.testing.assert_array_equal(one, other)
