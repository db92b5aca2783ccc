"""`pg.scipy.solve_ivp`: SciPy's results from the exact Jacobian, with fewer evaluations, sparse where that pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.sparse

import pygraph as pg

MU = 100.0
SPAN = (0.0, 120.0)


def van_der_pol(t: Any, y: Any, mu: Any) -> Any:
    return np.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])


def jacobian(t: Any, y: Any, mu: Any) -> Any:
    return np.array([[0, 1], [-2 * mu * y[0] * y[1] - 1, mu * (1 - y[0] ** 2)]])


def diffusion(t: Any, y: Any) -> Any:
    """A reaction and diffusion on a line, ends at 0."""
    wide = np.concatenate([np.zeros(1), y, np.zeros(1)])
    return 100.0 * (wide[2:] - 2 * y + wide[:-2]) + y * (1 - y)


@pytest.mark.parametrize("method", [pytest.param("Radau", marks=pytest.mark.deep), "BDF", "LSODA"])
def test_a_stiff_problem_takes_the_same_steps_as_with_the_jacobian_by_hand(method: str) -> None:
    options: dict[str, Any] = {"method": method, "args": (MU,)}
    found = pg.scipy.solve_ivp(van_der_pol, SPAN, [2.0, 0.0], **options)
    wanted = scipy.integrate.solve_ivp(van_der_pol, SPAN, [2.0, 0.0], jac=jacobian, **options)
    assert found.success
    assert {*found} == {*wanted}
    assert abs(found.t.size - wanted.t.size) <= 1 + wanted.t.size // 100
    assert found.y[0, -1] == pytest.approx(wanted.y[0, -1], rel=1e-2)


@pytest.mark.parametrize("method", ["Radau", pytest.param("BDF", marks=pytest.mark.deep)])
def test_a_stiff_problem_takes_fewer_evaluations_than_with_differences(method: str) -> None:
    calls: list[int] = []

    def counted(t: Any, y: Any, mu: Any) -> Any:
        calls.append(1)
        return van_der_pol(t, y, mu)

    scipy.integrate.solve_ivp(counted, SPAN, [2.0, 0.0], method=method, args=(MU,))
    found = pg.scipy.solve_ivp(van_der_pol, SPAN, [2.0, 0.0], method=method, args=(MU,))
    assert found.nfev + 1 < len(calls)  # one more to know the size of the result


def test_explicit_methods_events_and_times() -> None:
    def fall(t: Any, y: Any, g: Any) -> Any:
        return {"x": y["v"], "v": np.stack([0.0 * y["v"][0], -g + 0.0 * y["v"][1]])}

    def ground(t: Any, y: Any, g: Any) -> Any:
        return y["x"][1]

    ground.terminal = True  # type: ignore[attr-defined]
    ground.direction = -1  # type: ignore[attr-defined]
    start = {"x": np.zeros(2), "v": np.array([1.0, 10.0])}
    found = pg.scipy.solve_ivp(
        fall, (0, 100), start, t_eval=[0.0, 0.5, 1.0], events=ground, args=(10.0,), dense_output=True, rtol=1e-8
    )
    assert found.status == 1
    np.testing.assert_allclose(found.t_events[0], 2.0)
    np.testing.assert_allclose(found.y_events[0]["x"], [[2.0, 0.0]], atol=1e-8)
    np.testing.assert_allclose(found.y["x"], [[0, 0.5, 1], [0, 3.75, 5]], atol=1e-8)
    np.testing.assert_allclose(found.sol(1.5)["x"], [1.5, 3.75])
    assert found.sol(np.array([0.1, 0.2, 0.3]))["v"].shape == (2, 3)
    assert found.sol.t_min == 0
    no_event = pg.scipy.solve_ivp(fall, (0, 1), start, events=[lambda t, y, g: y["x"][0] + 1], args=(10.0,))
    assert no_event.y_events[0]["x"].shape == (0, 2)


def test_a_large_sparse_jacobian_is_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = scipy.integrate.solve_ivp

    def watched(*args: Any, **options: Any) -> Any:
        seen.append(options["jac"](0.0, args[2]) if callable(options.get("jac")) else None)
        return real(*args, **options)

    monkeypatch.setattr(scipy.integrate, "solve_ivp", watched)
    start = np.sin(np.linspace(0, np.pi, 80))
    found = pg.scipy.solve_ivp(diffusion, (0, 0.1), start, method="BDF")
    assert scipy.sparse.issparse(seen[-1])
    assert seen[-1].nnz == 3 * 80 - 2
    short = start[::10]
    pattern = seen[-1][:8, :8] != 0
    by_radau = pg.scipy.solve_ivp(diffusion, (0, 0.1), short, method=scipy.integrate.Radau, jac_sparsity=pattern)
    assert scipy.sparse.issparse(seen[-1])
    banded = pg.scipy.solve_ivp(diffusion, (0, 0.1), short, method="LSODA", lband=1, uband=1, rtol=1e-4)
    assert seen[-1].shape == (3, 8)
    dense = pg.scipy.solve_ivp(diffusion, (0, 0.1), short, method="LSODA", rtol=1e-4)
    assert seen[-1].shape == (8, 8)
    np.testing.assert_allclose(banded.y[:, -1], dense.y[:, -1], rtol=1e-6)
    np.testing.assert_allclose(by_radau.y[:, -1], dense.y[:, -1], rtol=1e-2)
    plain = real(lambda t, y: np.asarray(diffusion(t, y)), (0, 0.1), start, method="BDF")
    np.testing.assert_allclose(found.y[:, -1], plain.y[:, -1], rtol=1e-3)


def test_a_given_jacobian_is_used() -> None:
    calls = []

    def given(t: Any, y: Any, mu: Any) -> Any:
        calls.append(t)
        return jacobian(t, y["y"], mu)

    def f(t: Any, y: Any, mu: Any) -> Any:
        return {"y": van_der_pol(t, y["y"], mu)}

    start = {"y": np.array([2.0, 0.0])}
    found = pg.scipy.solve_ivp(f, (0, 10), start, method="Radau", args=(10.0,), jac=given)
    assert len(calls) == found.njev
    matrix = pg.scipy.solve_ivp(lambda t, y: -y, (0, 1), [1.0], method="BDF", jac=[[-1.0]])
    assert matrix.y[0, -1] == pytest.approx(np.exp(-1), rel=1e-2)


def test_a_vectorised_function() -> None:
    def f(t: Any, y: Any) -> Any:
        assert y.ndim == 2
        return np.stack([y[1], -y[0]])

    found = pg.scipy.solve_ivp(f, (0, np.pi), [0.0, 1.0], method="Radau", vectorized=True, rtol=1e-6)
    np.testing.assert_allclose(found.y[:, -1], [0, -1], atol=1e-4)


@pytest.mark.parametrize(
    ("f", "y0", "kind", "words"),
    [
        (lambda t, y: y[:1], np.ones(2), pg.ShapeError, "dy/dt has 1 elements, y0 has 2"),
        (lambda t, y: y, [1j], pg.DTypeError, "give real numbers"),
        (lambda t, y: -y if t > 1 else y, [1.0], pg.TracedBoolError, "pg.where"),
    ],
)
def test_mistakes_in_problems(f: Any, y0: Any, kind: Any, words: str) -> None:
    with pytest.raises(kind) as caught:
        pg.scipy.solve_ivp(f, (0, 2), y0)
    assert words in str(caught.value)
