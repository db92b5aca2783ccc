"""Derivatives of loops: against finite differences, against the unrolled loop, nested, of second and third order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numeric import check, derivative_graphs, like, run

from pygraph.autodiff import jvp, vjp
from pygraph.graph import Graph, Node, constant, scan, var, walk
from pygraph.graph.loop import SCAN
from pygraph.graph.reference import evaluate_flat
from pygraph.optimize import optimize

RNG = np.random.default_rng(5)

W, B = var("w", (3, 3)), var("b", (3,))
S = var("s", (3,))
XS = var("xs", (4, 3))
VALUES = {node: 0.5 * RNG.standard_normal(node.shape) for node in (W, B, S, XS)}


def unrolled(f: Callable[[Any, Any], Any], init: Any, xs: Node, reverse: bool = False) -> tuple[Any, Node]:
    """The loop written out."""
    carry, ys = init, []
    order = range(xs.shape[0])
    for i in reversed(order) if reverse else order:
        carry, y = f(carry, xs[i])
        ys.append(y)
    return carry, np.stack(ys[::-1] if reverse else ys)


def rnn(carry: Any, x: Any) -> Any:
    h = np.tanh(W @ carry + B * x)
    return h, np.sum(h * x)


def momentum(carry: Any, x: Any) -> Any:
    """Two carries of which one is a counter of integers."""
    h, n = carry
    return (h * 0.9 + x * B, n + 1), h * n


def running(carry: Any, x: Any) -> Any:
    return carry * x, (carry, np.sin(x))


def outer(carry: Any, x: Any) -> Any:
    """A loop in a loop; the inner one closes over the outer carry."""
    inner, ys = scan(lambda c, w: (c * np.cos(w * carry[0]), c), x, W)
    return carry + inner * B, np.sum(ys)


@pytest.mark.parametrize("linear", [False, True], ids=["one loop", "apart"])
@pytest.mark.parametrize("reverse", [False, True])
def test_recurrence(linear: bool, reverse: bool) -> None:
    final, ys = scan(rnn, S, XS, reverse=reverse)
    wrt = [W, B, S, XS]
    check([final, ys], wrt, [VALUES[node] for node in wrt], linear=linear)


@pytest.mark.parametrize("linear", [False, True], ids=["one loop", "apart"])
@pytest.mark.parametrize(
    "outputs",
    [
        [scan(rnn, S, XS)[0]],
        [scan(rnn, S, XS)[1]],
        [scan(momentum, (S, 0), XS)[0][0]],
        [scan(momentum, (S, 0), XS)[1]],
        [scan(running, S, XS)[1][0], scan(running, S, XS)[0]],
        [scan(running, S, XS)[1][1]],
        [scan(lambda c, x: (c + np.sum(x * S), None), 0.0, XS)[0]],
        [scan(lambda c, x: (c, x * c), S, XS)[1] * scan(rnn, S, XS)[0]],
        [scan(rnn, scan(rnn, S, XS)[0], XS)[0]],
        [scan(outer, S, XS)[0], scan(outer, S, XS)[1]],
        [scan(lambda c, _: (np.sin(c) * B, None), S, None, length=3)[0]],
        [scan(rnn, S, XS[:1])[0], scan(rnn, S, XS[:0])[0]],
    ],
    ids=range(12),
)
def test_forms_of_loops(outputs: list[Node], linear: bool) -> None:
    wrt = [W, B, S, XS]
    check(outputs, wrt, [VALUES[node] for node in wrt], linear=linear)
    check(outputs, [S], [VALUES[S]], others=[W, B, XS], other_values=[VALUES[n] for n in (W, B, XS)], linear=linear)


@pytest.mark.parametrize("f", [rnn, outer], ids=["plain", "nested"])
@pytest.mark.parametrize("reverse", [False, True])
def test_as_the_unrolled_loop(f: Callable[[Any, Any], Any], reverse: bool) -> None:
    """First and second derivatives of a loop are those of its copies written out."""
    wrt = [W, B, S, XS]
    values = [VALUES[node] for node in wrt]

    def gradients(outputs: tuple[Node, Node]) -> list[Node]:
        loss = np.sum(outputs[0] ** 2) + np.sum(outputs[1])
        first = vjp([loss], wrt, [constant(1.0)])
        dot = sum(
            (np.sum(g * constant(VALUES[x])) for g, x in zip(first, wrt, strict=True) if g is not None), start=loss
        )
        return [*first, *vjp([dot], wrt, [constant(1.0)]), *jvp([dot], wrt, [constant(v) for v in values])]

    looped = gradients(scan(f, S, XS, reverse=reverse))
    written = gradients(unrolled(f, S, XS, reverse=reverse))
    for one, other in zip(run(wrt, looped, values), run(wrt, written, values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_third_order() -> None:
    x = var("x")
    y: Node = scan(lambda c, _: (np.sin(c * x), None), x, None, length=3)[0]
    z: Node = x
    for _ in range(3):
        z = np.sin(z * x)
    one = constant(1.0)
    for derive in (vjp, jvp, vjp):
        (y,), (z,) = derive([y], [x], [one]), derive([z], [x], [one])
        assert y is not None
        assert z is not None
        a, b = run([x], [y, z], [0.8])
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_zero_cotangents_stay_none() -> None:
    final, ys = scan(lambda c, x: ((c[0] * x, c[1] + 1.0), c[1]), (S, S), XS)
    s = like(final[0], "s")
    assert vjp([final[0]], [B], [s]) == [None]
    back = vjp([final[1]], [XS], [like(S, "s")])
    assert back == [None], "the second carry does not depend on xs"
    assert jvp([ys], [XS], [like(XS, "t")]) == [None]


def loops_of(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op is SCAN]


def test_reverse_runs_the_primal_loop_once() -> None:
    """After optimisation there are two loops: the primal one, stacking residuals, and the reverse one."""
    final, ys = scan(rnn, S, XS)
    seed = like(final, "seed")
    gradients = vjp([final], [W], [seed])
    graph = optimize(Graph([W, B, S, XS, seed], [final, ys, *gradients]))
    forward, back = loops_of(graph)
    assert forward.attrs["reverse"] is False
    assert back.attrs["reverse"] is True
    names = {node.attrs["name"] for node in graph.nodes if node.op.name == "input"}
    assert names >= {"w", "b", "s", "xs"}
    stacked = forward.attrs["body"].outputs[1:]
    assert len(stacked) == 3, "y, the carry and the tanh (or its derivative)"


def test_forward_runs_the_primal_loop_once() -> None:
    final, ys = scan(rnn, S, XS)
    tangent = like(S, "t")
    graph = optimize(Graph([W, B, S, XS, tangent], [final, ys, *jvp([final, ys], [S], [tangent])]))
    assert len(loops_of(graph)) == 1


def test_unused_cotangents_are_not_computed() -> None:
    """Gradients of consts and xs that nobody asks for leave the reverse loop, and their residuals the primal one."""
    final, _ = scan(rnn, S, XS)
    seed = like(final, "seed")
    (gradient,) = vjp([final], [S], [seed])
    graph = optimize(Graph([W, B, S, XS, seed], [gradient]))
    back = loops_of(graph)[-1]
    assert back.attrs["n_carry"] == 1
    assert len(back.attrs["body"].outputs) == 1


def test_residuals_exclude_consts_xs_and_constants() -> None:
    final, _ = scan(lambda c, x: (c * np.exp(B) * np.sin(x) * 2.0, None), S, XS)
    seed = like(final, "seed")
    (gradient,) = vjp([final], [S], [seed])
    assert gradient is not None
    forward = next(node for node in walk([gradient]) if node.op is SCAN and not node.attrs["reverse"])
    body = forward.attrs["body"]
    carry = body.inputs[forward.attrs["n_consts"]]
    for node in body.outputs[1:]:
        assert node is carry or node.op.name not in ("input", "constant", "broadcast_to")
    assert len(optimize(Graph([B, S, XS, seed], [gradient])).nodes) < 40


@pytest.mark.parametrize("linear", [False, True], ids=["one loop", "apart"])
def test_derivatives_of_consts_are_computed_once_outside(linear: bool) -> None:
    final, _ = scan(lambda c, x: (c / W[0] + x, None), S, XS)
    wrt = [W, S]
    check([final], wrt, [VALUES[x] + 2.0 for x in wrt], others=[XS], other_values=[VALUES[XS]], linear=linear)
    (gradient,) = vjp([final], [S], [like(final, "seed")])
    assert gradient is not None
    body = gradient.inputs[0].attrs["body"]
    assert "reciprocal" not in {node.op.name for node in body.nodes}


def test_cheap_arithmetic_is_done_again_rather_than_stored() -> None:
    """The derivative of a logistic step refers to six values; all follow from the exponential and the slices."""

    def step(carry: Any, x: Any) -> Any:
        e = np.exp(-(carry * x))
        s = 1.0 / (1.0 + e)
        return carry - 0.1 * (s - x) * s * (1.0 - s) * x, None

    final, _ = scan(step, S, XS)
    seed = like(final, "seed")
    (gradient,) = vjp([final], [S], [seed])
    forward, _ = loops_of(optimize(Graph([S, XS, seed], [final, gradient])))
    assert [node.op.name for node in forward.attrs["body"].outputs[1:]] == ["exp"]


def test_names_inside_bodies_stay_distinct() -> None:
    """Bodies of high derivatives have many inputs; a graph refuses two of one name."""
    x = var("d_x", (3,))
    final, _ = scan(lambda d_c, c_d_c: (d_c * x + c_d_c, None), S, XS)
    wrt = [x, S, XS]
    check([final], wrt, [VALUES[S], VALUES[B], VALUES[XS]], order=2)


def test_float32_loops() -> None:
    x = var("x", (3,), "float32")
    final, ys = scan(lambda c, _: (np.sin(c) * x, c), x, None, length=4)
    _, _, pushed, pulled = derivative_graphs([final, ys], [x])
    assert all(node is not None for node in [*pushed, *pulled])


def test_long_loops_differentiate_as_fast_as_short_ones() -> None:
    def nodes(length: int) -> int:
        final, _ = scan(rnn, S, var("xs", (length, 3)))
        return len(walk([node for node in vjp([np.sum(final)], [W, S], [constant(1.0)]) if node is not None]))

    assert nodes(10) == nodes(100_000)


def test_many_steps_by_value() -> None:
    """x(t+1) = r x (1 - x) for 50 steps: its derivative is the product of r (1 - 2 x)."""
    r, x0 = 3.2, 0.3
    x = var("x")
    final, _ = scan(lambda c, _: (r * c * (1.0 - c), None), x, None, length=50)
    (gradient,) = vjp([final], [x], [constant(1.0)])
    (tangent,) = jvp([final], [x], [constant(1.0)])
    expected, value = 1.0, x0
    for _ in range(50):
        expected *= r * (1 - 2 * value)
        value = r * value * (1 - value)
    assert gradient is not None
    assert tangent is not None
    for node in (gradient, tangent):
        np.testing.assert_allclose(evaluate_flat(Graph([x], [node]), [x0])[0], expected, rtol=1e-9)
