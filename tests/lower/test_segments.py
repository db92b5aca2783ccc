"""Forward, reverse and tangent segments over one arena: sweeps in any order and number over what forward kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pygraph.autodiff.joint_graph import joint
from pygraph.graph import Graph, scan, var
from pygraph.lower import Segment, lower
from pygraph.ops import exp, matmul, sin, sum, tanh

pytestmark = pytest.mark.sanitize
Array = npt.NDArray[Any]


def network(n: int) -> Graph:
    """Two layers: (n, 4) inputs, the result (n,)."""
    x, w, v = var("x", (n, 4)), var("w", (4, 3)), var("v", (3,))
    return Graph([x, w, v], matmul(tanh(matmul(x, w)), v))


def arguments(n: int, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)]


def gradients(arrays: list[Array], seed: Array) -> list[Array]:
    """The gradients of the network by hand."""
    x, w, v = arrays
    hidden = np.tanh(x @ w)
    back = np.outer(seed, v) * (1 - hidden**2)
    return [back @ w.T, x.T @ back, hidden.T @ seed]


def tangent(arrays: list[Array], moves: list[Array]) -> Array:
    (x, w, v), (dx, dw, dv) = arrays, moves
    hidden = np.tanh(x @ w)
    return np.asarray(((1 - hidden**2) * (dx @ w + x @ dw)) @ v + hidden @ dv)


def close(found: Any, wanted: Any) -> None:
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("n", [1, 7, 3000])
def test_sweeps_in_any_order(n: int) -> None:
    from pygraph.runtime.call.executable import Executable

    exe = Executable(network(n), wrt=["x", "w", "v"])
    rng = np.random.default_rng(1)
    for trial in range(3):
        arrays = arguments(n, trial)
        hidden = np.tanh(arrays[0] @ arrays[1])
        np.testing.assert_allclose(exe.forward(*arrays), hidden @ arrays[2], rtol=1e-12, atol=1e-13)
        for kind in "rrjrjjr":
            if kind == "r":
                seed = rng.normal(size=n)
                close(exe.reverse(seed), gradients(arrays, seed))
            else:
                moves = [rng.normal(size=x.shape) for x in arrays]
                close([exe.jvp(*moves)], [tangent(arrays, moves)])


@pytest.mark.parametrize("n", [7, 3000])
def test_inputs_are_kept(n: int) -> None:
    """What the sweeps read of the arguments is what forward was given, whatever became of the arrays since."""
    from pygraph.runtime.call.executable import Executable

    exe = Executable(network(n), wrt=["x", "w", "v"])
    arrays = arguments(n)
    given = [x.copy() for x in arrays]
    exe.forward(*arrays)
    for x in arrays:
        x.fill(np.nan)
    exe(*arguments(n, 5))  # a plain call keeps nothing, and disturbs nothing
    seed, moves = np.ones(n), [np.ones_like(x) for x in given]
    close(exe.reverse(seed), gradients(given, seed))
    close([exe.jvp(*moves)], [tangent(given, moves)])


def test_results_stay_intact() -> None:
    from pygraph.runtime.call.executable import Executable

    exe = Executable(network(9), wrt=["x", "w", "v"])
    first = exe.forward(*arguments(9, 1))
    kept = first.copy()
    back = exe.reverse(np.ones(9))
    copies = [x.copy() for x in back]
    exe.forward(*arguments(9, 2))
    exe.reverse(-np.ones(9))
    assert np.array_equal(first, kept)
    assert all(np.array_equal(a, b) for a, b in zip(back, copies, strict=True))


def test_what_is_kept_is_counted() -> None:
    """sin(x) needs x for its derivative, exp(x) its own result: 100 elements each; the product needs both factors."""
    x = var("x", (100,))
    for output, arrays in ((sum(exp(x)), 1), (sum(x + x), 0), (sum(sin(x) * x), 2)):
        whole = joint(Graph([x], output), [0])
        program = lower(whole.graph, whole.segments, whole.groups)
        assert arrays * 800 <= program.cached_bytes <= arrays * 800 + 800
    assert lower(Graph([x], sum(exp(x)))).cached_bytes == 0


def test_ports_belong_to_segments() -> None:
    whole = joint(network(5), [1])
    program = lower(whole.graph, whole.segments, whole.groups)
    assert [(port.name, port.segment) for port in program.inputs] == [
        ("x", Segment.FORWARD),
        ("w", Segment.FORWARD),
        ("v", Segment.FORWARD),
        ("seed0", Segment.REVERSE),
        ("d_w", Segment.TANGENT),
    ]
    assert [(port.shape, port.segment) for port in program.outputs] == [
        ((5,), Segment.FORWARD),
        ((4, 3), Segment.REVERSE),
        ((5,), Segment.TANGENT),
    ]


def test_loops_are_kept_too() -> None:
    """The sweeps over a scan read its stacked residuals; the primal loop does not run again."""
    from pygraph.runtime.call.executable import Executable

    a, x = var("a"), var("x", (6,))
    last, ys = scan(lambda c, x: (tanh(c * a + x), c), 0.5, x)
    exe = Executable(Graph([a, x], (last, ys)), wrt=["a", "x"])
    xs = np.linspace(-1, 1, 6)

    def value(a: float, xs: Array) -> Array:
        c, ys = 0.5, []
        for x in xs:
            ys.append(c)
            c = float(np.tanh(c * a + x))
        return np.array([c, *ys])

    exe.forward(0.7, xs)
    step = 1e-6
    dx = np.sin(np.arange(6.0))
    wanted = (value(0.7 + step, xs + step * dx) - value(0.7 - step, xs - step * dx)) / (2 * step)
    for _ in range(2):
        moved = exe.jvp(1.0, dx)
        np.testing.assert_allclose([moved[0], *moved[1]], wanted, rtol=1e-8, atol=1e-9)
        seed = np.cos(np.arange(7.0))
        ga, gx = exe.reverse((seed[0], seed[1:]))
        np.testing.assert_allclose(ga + gx @ dx, seed @ wanted, rtol=1e-8)


def test_outputs_that_are_inputs_or_constants() -> None:
    """A segment's results may be arguments, constants, views of them, or one value several times."""
    from pygraph.runtime.call.executable import Executable

    x = var("x", (2, 3))
    y = exp(x)
    exe = Executable(Graph([x], (x, x.T, np.arange(3.0), y, y, y[:, ::-1], x[1])), wrt=["x"])
    data = np.arange(6.0).reshape(2, 3) / 10
    found = exe.forward(data)
    wanted = (data, data.T, np.arange(3.0), np.exp(data), np.exp(data), np.exp(data)[:, ::-1], data[1])
    close(found, wanted)
    seeds = tuple(np.ones(w.shape) for w in wanted)
    row = np.array([[0.0], [1.0]])
    close(exe.reverse(seeds), [2.0 + 3 * np.exp(data) + row])
    close(
        exe.jvp(data), [data, data.T, np.zeros(3), *[np.exp(data) * data] * 2, (np.exp(data) * data)[:, ::-1], data[1]]
    )
