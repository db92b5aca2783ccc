"""Optimisers, schedules, clipping and line searches against PyTorch's, recorded, and running where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch_reference as reference

import pygraph as pg

STEPS = reference.STEPS


def loss(params: dict[str, Any]) -> Any:
    return np.mean((np.tanh(reference.X @ params["w"] + params["b"]) - reference.Y) ** 2)


def trajectory(opt: Any) -> Any:
    """The parameters after each step, in a compiled loop: w, then b."""

    def step(carry: Any, _: None) -> tuple[Any, Any]:
        params, state = carry
        params, state = opt.update(pg.grad(loss)(params), state, params)
        return (params, state), params

    start = {"w": reference.W, "b": reference.B}
    _, params = pg.scan(step, (start, opt.init(start)), length=STEPS)
    return np.column_stack([params["w"], params["b"]])


def optimizer(name: str) -> Any:
    kind, settings, *_ = reference.OPTIMIZERS[name]
    return getattr(pg.optim, kind)(**settings)


#: Each of pygraph's, from the same settings.
SCHEDULES = {
    "step": pg.optim.step(0.1, 7, 0.3),
    "exponential": pg.optim.exponential(0.1, 0.9),
    "cosine": pg.optim.cosine(0.1, reference.CYCLE, 0.01),
    "warm_up": pg.optim.warm_up(pg.optim.exponential(0.1, 0.9), 5, start=0.025),
    "one_cycle": pg.optim.one_cycle(0.1, reference.CYCLE),
    "one_cycle, all": pg.optim.one_cycle(0.1, reference.CYCLE, rise=0.45, start=0.01, final=1e-4),
}


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return reference.recorded()


@pytest.mark.parametrize("name", reference.OPTIMIZERS)
def test_twenty_steps(record: dict[str, Any], name: str) -> None:
    expected = np.array(record["trajectories"][name])
    assert expected.shape == (STEPS, 4)
    np.testing.assert_allclose(trajectory(optimizer(name)), expected, rtol=1e-9)


def test_twenty_steps_with_the_norm_clipped(record: dict[str, Any]) -> None:
    opt = pg.optim.chain(pg.optim.clip_by_norm(reference.LIMIT), pg.optim.sgd(0.5))
    # PyTorch divides by the norm plus 1e-6
    np.testing.assert_allclose(trajectory(opt), record["clipped"], rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(record: dict[str, Any], name: str) -> None:
    expected = record["rates"][name]
    np.testing.assert_allclose(SCHEDULES[name](np.arange(len(expected))), expected, rtol=1e-9)


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def squares(x: Any) -> Any:
    return np.sum((reference.MATRIX @ x - reference.TARGET) ** 2)


def minimum(f: Any, start: Any) -> tuple[Any, int]:
    """Where lbfgs ends, and how many evaluations it took."""
    opt, value_and_grad, x = pg.optim.lbfgs(), pg.compile(pg.value_and_grad(f)), start
    state = opt.init(x)
    for _ in range(300):
        x, state = opt.update(None, state, x, value_and_grad=value_and_grad)
        if np.max(np.abs(state["grads"])) <= reference.FLAT:
            break
    return x, int(state["evaluations"])


MINIMA = {
    "rosenbrock, 2": (rosenbrock, reference.ROSENBROCK["2"]),
    "rosenbrock, 10": (rosenbrock, reference.ROSENBROCK["10"]),
    "least squares": (squares, np.zeros(8)),
}


@pytest.mark.parametrize("name", MINIMA)
def test_lbfgs_finds_the_same_minimum_in_about_as_many_evaluations(record: dict[str, Any], name: str) -> None:
    expected = record["minima"][name]
    x, evaluations = minimum(*MINIMA[name])
    np.testing.assert_allclose(x, expected["point"], rtol=1e-7, atol=1e-9)
    assert 0.6 * expected["evaluations"] <= evaluations <= 1.2 * expected["evaluations"] + 2


def test_the_record_is_what_torch_does(record: dict[str, Any]) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed; its recorded numbers are compared with")
    now = reference.everything()
    assert record["trajectories"].keys() == now["trajectories"].keys() == reference.OPTIMIZERS.keys()
    for name, rows in now["trajectories"].items():
        np.testing.assert_allclose(rows, record["trajectories"][name], rtol=1e-9)
    for name, rates in now["rates"].items():
        np.testing.assert_allclose(rates, record["rates"][name], rtol=1e-12)
    np.testing.assert_allclose(now["clipped"], record["clipped"], rtol=1e-9)
    for name, found in now["minima"].items():
        np.testing.assert_allclose(found["point"], record["minima"][name]["point"], rtol=1e-6)
