"""lbfgs: on arrays and in a trace, its state, its line search at the edges, and what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.optim.line_search import Line, Trial, searched


def rosenbrock(p: dict[str, Any]) -> Any:
    return 100.0 * (p["y"] - p["x"] ** 2) ** 2 + (1.0 - p["x"]) ** 2


START = {"x": np.array(-1.2), "y": np.array(1.0)}
F = pg.compile(pg.value_and_grad(rosenbrock))


def minimised(opt: Any, f: Any, params: Any, steps: int) -> tuple[Any, Any]:
    state = opt.init(params)
    for _ in range(steps):
        params, state = opt.update(None, state, params, value_and_grad=f)
    return params, state


def test_a_scan_is_the_loop_on_arrays() -> None:
    opt, f = pg.optim.lbfgs(history_size=4), pg.value_and_grad(rosenbrock)

    def step(carry: Any, _: None) -> tuple[Any, Any]:
        params, state = carry
        return opt.update(None, state, params, value_and_grad=f), state["value"]

    (params, state), values = pg.scan(step, (START, opt.init(START)), length=20)
    assert (np.diff(values[1:]) < 0.0).all()
    again, own = minimised(opt, F, START, 20)
    assert state["evaluations"] == own["evaluations"]
    for x, y in zip(pg.tree_leaves((params, state)), pg.tree_leaves((again, own)), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-12)


def test_gradients_that_are_given_are_those_of_the_state() -> None:
    opt = pg.optim.lbfgs()
    params, state = START, opt.init(START)
    for _ in range(12):
        value, grads = F(params)
        params, state = opt.update(grads, state, params, value=value, value_and_grad=F)
    found, own = minimised(opt, F, START, 12)
    assert params == found
    assert own["evaluations"] == state["evaluations"] + 1  # the first one
    assert own["value"] == F(found)[0]


def test_any_function_on_arrays() -> None:
    """One that pygraph can't record."""

    def f(x: Any) -> tuple[float, Any]:
        d = np.array([float(v) for v in x]) - 3.0
        return float(d @ d) if d[0] < 100.0 else float("nan"), 2.0 * d

    x, state = minimised(pg.optim.lbfgs(), f, np.zeros(2), 4)
    np.testing.assert_allclose(x, 3.0, rtol=1e-9)
    assert state["value"] < 1e-15


def test_float32_parameters_stay_and_come_close() -> None:
    start = {"x": np.float32(-1.2), "y": np.array(1.0)}
    params, state = minimised(pg.optim.lbfgs(), pg.compile(pg.value_and_grad(rosenbrock)), start, 45)
    assert params["x"].dtype == state["grads"]["x"].dtype == state["moves"]["x"].dtype == np.float32
    assert params["y"].dtype == np.float64
    np.testing.assert_allclose([params["x"], params["y"]], 1.0, rtol=1e-5)


def test_at_the_minimum_nothing_happens() -> None:
    f = pg.compile(pg.value_and_grad(lambda x: np.sum((x - 1.0) ** 2)))
    x, state = minimised(pg.optim.lbfgs(), f, np.ones(3), 3)
    np.testing.assert_array_equal(x, np.ones(3))
    assert state["evaluations"] == 1
    assert (state["curvatures"] == 0.0).all()


def test_no_step_lowers_the_value() -> None:
    """The gradient has the wrong sign: the parameters stay, and there is no history."""
    opt = pg.optim.lbfgs(max_evaluations=6)
    x, state = minimised(opt, lambda x: (float(x @ x), -2.0 * x), np.ones(2), 2)
    np.testing.assert_array_equal(x, np.ones(2))
    assert (state["curvatures"] == 0.0).all()
    assert state["value"] == 2.0
    assert state["evaluations"] == 1 + 2 * 6


def test_values_that_are_not_finite_are_too_far() -> None:
    f = pg.compile(pg.value_and_grad(lambda x: np.sum(x - np.log(x))))
    x, _ = minimised(pg.optim.lbfgs(10.0), f, np.array([5.0, 0.01]), 25)
    np.testing.assert_allclose(x, 1.0, rtol=1e-6)


def test_nothing_to_do_where_the_value_is_nan() -> None:
    x, state = minimised(pg.optim.lbfgs(), lambda x: (np.nan, x), np.ones(2), 1)
    np.testing.assert_array_equal(x, np.ones(2))
    assert np.isnan(state["value"])


@pytest.mark.parametrize("first", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("name", ["quadratic", "quartic", "wavy"])
def test_a_search_ends_where_the_strong_wolfe_conditions_hold(name: str, first: float) -> None:
    f = {
        "quadratic": lambda t: (t - 1.5) ** 2,
        "quartic": lambda t: (t - 2.0) ** 4 - t,
        "wavy": lambda t: 0.05 * np.sin(12.0 * t) - t + 0.2 * t**2,
    }[name]
    value_and_grad = pg.compile(pg.value_and_grad(f))
    start = np.array(0.0)
    value, slope = value_and_grad(start)
    c1, c2 = 1e-4, 0.4
    direction = np.asarray(-np.sign(slope))
    line = Line(start, direction, Trial(np.zeros(()), value, slope * direction), c1, c2, 30)
    found = searched(line, slope, np.asarray(first), value_and_grad)
    after, there = value_and_grad(found.low.at * direction)
    assert after <= value + c1 * found.low.at * slope * direction
    assert abs(there) <= c2 * abs(slope)
    assert found.low.value == after
    assert found.grads == there
    assert found.evaluations < 20


def test_one_evaluation_where_that_is_enough() -> None:
    f = pg.compile(pg.value_and_grad(lambda x: np.sum((x - 0.25) ** 2) / 2))
    _, state = minimised(pg.optim.lbfgs(), f, np.zeros(2), 1)
    assert state["evaluations"] == 2


def test_a_chain_with_an_average() -> None:
    opt = pg.optim.chain(pg.optim.lbfgs(), pg.optim.ema(0.5))
    assert opt.needs_value
    params, state = START, opt.init(START)
    params, state = opt.update(None, state, params, value_and_grad=F)
    np.testing.assert_allclose(state[1]["average"]["x"], 0.5 * (START["x"] + params["x"]), rtol=1e-12)


def test_it_pickles_and_can_be_read() -> None:
    opt = pg.optim.lbfgs(history_size=5)
    assert pickle.loads(pickle.dumps(opt)) == opt
    assert repr(opt) == "lbfgs(learning_rate=1.0, history_size=5, max_evaluations=25, c1=0.0001, c2=0.9)"
    assert opt.needs_value


P = np.ones(2)
OPT = pg.optim.lbfgs()


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: pg.optim.lbfgs(c1=0.3, c2=0.2), pg.DomainError, "c2 is 0.2 and c1 0.3"),
        (lambda: pg.optim.lbfgs(history_size=0), pg.DomainError, "history_size is 0"),
        (lambda: OPT.init(np.arange(2)), pg.DTypeError, "params is no parameter"),
        (lambda: OPT.update(P, OPT.init(P), P), pg.SignatureError, "value_and_grad is not given"),
        (lambda: OPT.update(P, OPT.init(P), P, value_and_grad=F), pg.SignatureError, "value is None"),
        (lambda: OPT.update(None, OPT.init(P), P, value_and_grad=lambda x: 1.0), pg.SignatureError, "returned float"),
        (lambda: OPT.update(None, OPT.init(P), P, value_and_grad=lambda x: (P, P)), pg.ShapeError, "value has shape"),
        (lambda: OPT.update(None, OPT.init(P), P, value_and_grad=lambda x: (1, P)), pg.DTypeError, "value is int64"),
        (
            lambda: OPT.update(None, OPT.init(P), P, value_and_grad=lambda x: (1.0, 1.0)),
            pg.ShapeError,
            "grads has shape",
        ),
        (lambda: OPT.update(None, OPT.init(1.0), P, value_and_grad=F), pg.ShapeError, r"state\['grads'\] has shape"),
        (
            lambda: OPT.update(None, pg.optim.lbfgs(history_size=3).init(P), P, value_and_grad=F),
            pg.ShapeError,
            r"state\['moves'\] has shape \(3, 2\)",
        ),
    ],
)
def test_mistakes(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=f"(?s){text}"):
        call()


@pytest.mark.deep
@pytest.mark.parametrize("size", [2, 20, 100])
def test_scipy_takes_about_as_many_evaluations(size: int) -> None:
    from scipy.optimize import minimize

    def f(x: Any) -> Any:
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    value_and_grad = pg.compile(pg.value_and_grad(f))
    start = np.tile([-1.2, 1.0], size // 2)
    opt, x = pg.optim.lbfgs(), start
    state = opt.init(x)
    while state["step"] == 0 or np.max(np.abs(state["grads"])) > 1e-6:
        x, state = opt.update(None, state, x, value_and_grad=value_and_grad)
        assert state["step"] < 2000
    theirs = minimize(value_and_grad, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-6, "ftol": 0.0})
    np.testing.assert_allclose(x, theirs.x, atol=1e-5)
    assert state["evaluations"] <= 1.3 * theirs.nfev + 5
