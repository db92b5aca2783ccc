"""Schedules: on numbers, arrays and in a trace; their ends; what is refused. Values are in `test_against_torch`."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import pygraph as pg

SCHEDULES = [
    pg.optim.constant(0.1),
    pg.optim.step(0.1, 3, 0.5),
    pg.optim.exponential(0.1, 0.9, every=2),
    pg.optim.cosine(0.1, 5, 0.02),
    pg.optim.warm_up(0.1, 4, start=0.01),
    pg.optim.warm_up(pg.optim.cosine(0.1, 3), 2),
    pg.optim.one_cycle(0.1, 7),
    pg.optim.one_cycle(0.1, 1),
]
STEPS = np.arange(10)


def test_numbers_arrays_and_traced_integers_agree() -> None:
    def rates(_: None, i: Any) -> tuple[None, Any]:
        return None, tuple(schedule(i) for schedule in SCHEDULES)

    _, traced = pg.scan(rates, None, STEPS)
    for schedule, found in zip(SCHEDULES, traced, strict=True):
        assert found.dtype == np.float64
        array = schedule(STEPS)
        assert array.shape == STEPS.shape
        np.testing.assert_allclose(found, array, rtol=1e-14)
        np.testing.assert_allclose([schedule(int(i)) for i in STEPS], array, rtol=1e-14)
        assert (array >= 0.0).all()


def test_they_stay_at_their_ends() -> None:
    assert pg.optim.cosine(1.0, 5, 0.25)(10**9) == 0.25
    assert pg.optim.one_cycle(1.0, 10, final=0.5)(9) == 0.5
    assert pg.optim.one_cycle(1.0, 10, final=0.5)(10**9) == 0.5
    assert pg.optim.one_cycle(0.5, 1)(0) == 0.5
    assert pg.optim.cosine(1.0, 1)(np.arange(2)).tolist() == [1.0, 0.0]
    assert pg.optim.warm_up(1.0, 1, start=0.5)(np.arange(3)).tolist() == [0.5, 1.0, 1.0]
    assert pg.optim.step(1.0, 2, 0.5)(-1) == 2.0


def test_a_rate_has_a_derivative_in_its_settings() -> None:
    pg.check_grads(lambda peak, final: pg.optim.cosine(peak, 4, final)(3) ** 2, (0.5, 0.1), order=1)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_schedules_pickle_and_can_be_read(schedule: Any) -> None:
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert eval(repr(schedule), vars(pg.optim).copy()) == schedule


def test_a_schedule_in_the_loop_is_that_of_the_step() -> None:
    opt = pg.optim.sgd(pg.optim.warm_up(1.0, 4))
    start = np.zeros(2)

    def turn(carry: Any, _: None) -> tuple[Any, Any]:
        params, state = carry
        carry = opt.update(np.ones(2), state, params)
        return carry, params - carry[0]

    _, moves = pg.scan(turn, (start, opt.init(start)), length=6)
    np.testing.assert_allclose(moves[:, 0], [0.0, 0.25, 0.5, 0.75, 1.0, 1.0], rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: pg.optim.cosine(0.1, 0), pg.DomainError, r"making cosine: steps is 0.*at least 1"),
        (lambda: pg.optim.cosine(0.1, 2.5), pg.DomainError, r"steps is 2.5.*give an int"),
        (lambda: pg.optim.cosine(0.1, "ten"), pg.SignatureError, "steps is 'ten', not a whole number"),
        (lambda: pg.optim.cosine(0.1, True), pg.DomainError, "steps is True"),
        (lambda: pg.optim.step(0.1, 3, 0.0), pg.DomainError, r"factor is 0.0.*above 0"),
        (lambda: pg.optim.warm_up(None, 3), pg.SignatureError, "then is None, neither a number nor a schedule"),
        (lambda: pg.optim.one_cycle(0.1, 9, rise=1.0), pg.DomainError, "rise is 1.0"),
        (lambda: pg.optim.one_cycle(0.1, 9, final=-1.0), pg.DomainError, "final is -1.0"),
    ],
)
def test_mistakes(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=f"(?s){text}"):
        call()
