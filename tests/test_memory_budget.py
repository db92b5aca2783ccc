"""`memory_budget`: plans of what is recomputed change no result, and the first that keeps to the budget is used."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers import shallow

import pygraph as pg
from pygraph.autodiff.checkpoint_plan import Applied, Plan
from pygraph.autodiff.deferral import holds_deferred, written_graph
from pygraph.errors import BudgetError, SignatureError
from pygraph.graph.reference import evaluate
from pygraph.graph.trace import record
from pygraph.graph.trace_context import UNDECIDED, entered
from pygraph.runtime.call.executable import _rebuilt

RNG = np.random.default_rng(9)
X = RNG.normal(size=4)
W = RNG.normal(size=(4, 4)) / 2.0
TS = RNG.normal(size=(10, 4))


def chain(x: Any) -> Any:
    for k in range(6):
        x = np.tanh(x @ W + k * 0.1)
        x = x + np.sum(x) * 0.1
    return x


def loop(x: Any) -> Any:
    return pg.scan(lambda c, t: (np.tanh(c @ W + t), None), x, TS)[0]


def backwards(x: Any) -> Any:
    carry, (a, b) = pg.scan(
        lambda c, t: ((np.sin(c[0] * t) + x, c[1] + 1), (c[0], t * c[0])), (x, 0), TS[:7], reverse=True
    )
    return carry[0] * carry[1] + a[2] * b[5] + np.sum(a * b, axis=0)


def loop_in_a_loop(x: Any) -> Any:
    def outer(c: Any, t: Any) -> Any:
        inner, ys = pg.scan(lambda d, s: (np.sin(d * s + c), d), c, TS[:5])
        return np.tanh(inner + t), np.sum(ys, axis=0)

    carry, ys = pg.scan(outer, x, TS)
    return carry + np.sum(ys * ys, axis=0)


def open_loop(x: Any) -> Any:
    found = pg.while_loop(lambda c: np.sum(c * c) < 90.0, lambda c: c * 1.3 + np.sin(x), x)
    return chain(found * 0.1)


def choices(x: Any) -> Any:
    y = pg.cond(x[0] > 0.0, np.sin, lambda v: v * v, chain(x))
    return chain(np.where(y > 0.1, y, x * 2.0)) * pg.astype(np.sum(np.floor(x)), "int64")


def gradient(x: Any) -> Any:
    return pg.grad(lambda x: np.sum(loop(np.sin(x)) ** 2))(x) + pg.vmap(lambda t: loop(x * t))(np.ones(3))[1]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    f.__name__: f for f in (chain, loop, backwards, loop_in_a_loop, open_loop, choices, gradient)
}
PLANS = [
    Plan(True),
    Plan(parts=3),
    Plan(depth=2),
    Plan(depth=3),
    Plan(True, 2, 2),
]


def total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: np.sum(f(x) * np.linspace(1.0, 2.0, 4))


def under(plan: Plan, f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` traced once and compiled by `plan`."""
    return lambda *args: pg.compile(traced(plan, f, *args))(*args)


def traced(plan: Plan, f: Callable[..., Any], *args: Any) -> pg.Graph:
    """The graph of `f`, whose derivatives are written out by `plan` after it is traced."""
    with entered(plan=UNDECIDED):
        graph = record(f, args)
    assert holds_deferred(graph.outputs)
    graph = written_graph(graph, Applied(plan))
    assert not holds_deferred(graph.outputs)
    return graph


def assert_near(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * max(1.0, float(np.max(np.abs(wanted)))))


#: Each plan with some functions, and with `-m deep` with all.
SOME = [(name, plan) for k, name in enumerate(FUNCTIONS) for plan in (PLANS[k % 5], PLANS[(k + 2) % 5])]
ALL = [pair for pair in product(FUNCTIONS, PLANS) if pair not in SOME]


@pytest.mark.parametrize(("name", "plan"), shallow([*SOME, *ALL], len(SOME)), ids=str)
def test_a_plan_changes_no_result(name: str, plan: Plan) -> None:
    f = FUNCTIONS[name]
    value, derivative = pg.value_and_grad(total(f))(X)
    found = under(plan, pg.value_and_grad(total(f)))(X)
    assert_near(found[0], value)
    assert_near(found[1], derivative)
    assert_near(under(plan, pg.jacrev(f))(X), pg.jacrev(f)(X))
    assert_near(under(plan, lambda x: pg.jvp(f, (x,), (W[0],))[1])(X), pg.jvp(f, (X,), (W[0],))[1])
    if f is not gradient:  # which has taken one derivative already
        assert_near(under(plan, pg.hessian(total(f)))(X), pg.hessian(total(f))(X), 1e-9)
    executable = _rebuilt(pg.trace(f, X), ("x",), pg.compile(pg.trace(f, X))._runner.options, plan)
    graph = traced(plan, pg.grad(total(f)), X)
    assert_near(executable.forward(X), pg.compile(f)(X))
    assert_near(executable.reverse(np.linspace(1.0, 2.0, 4))[0], derivative)
    assert_near(executable.jvp(W[0]), pg.jvp(f, (X,), (W[0],))[1])
    assert_near(evaluate(graph, X), derivative)
    graph.verify("differentiated")


@pytest.mark.parametrize("length", [0, 1, 4, 5, 9, 13])
@pytest.mark.parametrize("reverse", [False, True])
def test_steps_that_are_left_over(length: int, reverse: bool) -> None:
    ts = RNG.normal(size=(length, 4))

    def f(x: Any) -> Any:
        carry, ys = pg.scan(lambda c, t: (np.tanh(c * t + x), c * t), x, ts, reverse=reverse)
        return np.sum(carry * carry) + np.sum(ys * np.reshape(np.arange(4.0 * length), (length, 4)))

    for depth in (2, 3):
        for found, wanted in zip(
            under(Plan(depth=depth), pg.value_and_grad(f))(X), pg.value_and_grad(f)(X), strict=True
        ):
            assert_near(found, wanted)


STEPS, SIZE = 1_000, 64
STATE = RNG.normal(size=SIZE)
FORCES = RNG.normal(size=(STEPS, SIZE)) * 0.3
COUPLING = RNG.normal(size=(SIZE, SIZE)) / SIZE**0.5


def long_loop(state: Any) -> Any:
    def step(state: Any, force: Any) -> Any:
        return np.tanh(COUPLING @ state + force) * 0.9 + np.sin(state) * 0.1, None

    final, _ = pg.scan(step, state, FORCES)
    return np.sum(final * final)


def long_chain(x: Any) -> Any:
    for _ in range(64):
        x = np.tanh(x @ W)
    return np.sum(x)


BATCH = RNG.normal(size=(200, 4))


@pytest.mark.parametrize("divisor", [1, 3, 10, 25])
def test_a_long_loop_keeps_to_its_budget(divisor: int) -> None:
    plain = pg.compile(pg.grad(long_loop)).executable(STATE)
    budget = plain.stats.arena_bytes // divisor
    found = pg.compile(pg.grad(long_loop), memory_budget=budget).executable(STATE)
    assert found.stats.arena_bytes <= budget
    assert_near(found(STATE), plain(STATE))
    if divisor == 1:
        assert found.stats.flops == plain.stats.flops, "nothing is recomputed where all fits"
    both = pg.compile(pg.trace(long_loop, STATE), wrt=("state",), memory_budget=budget + 4_096)
    assert both.stats.arena_bytes <= budget + 4_096
    both.forward(STATE)
    assert_near(both.reverse()[0], plain(STATE))


@pytest.mark.parametrize("divisor", [1, 2, 3])
def test_a_long_chain_keeps_to_its_budget(divisor: int) -> None:
    plain = pg.compile(pg.grad(long_chain)).executable(BATCH)
    budget = plain.stats.arena_bytes // divisor
    found = pg.compile(pg.grad(long_chain), memory_budget=budget).executable(BATCH)
    assert found.stats.arena_bytes <= budget
    assert found.stats.flops <= 1.5 * plain.stats.flops
    assert_near(found(BATCH), plain(BATCH))


def test_copies_and_pickles_keep_to_it() -> None:
    graph = pg.trace(long_loop, STATE)
    executable = pg.compile(graph, wrt=("state",), memory_budget=60_000)
    again = pickle.loads(pickle.dumps(executable))
    assert again.stats.arena_bytes == executable.stats.arena_bytes <= 60_000
    again.forward(STATE)
    executable.forward(STATE)
    np.testing.assert_array_equal(again.reverse()[0], executable.reverse()[0])


def test_as_a_decorator() -> None:
    @pg.compile(memory_budget=60_000)
    def slope(state: Any) -> Any:
        return pg.grad(long_loop)(state)

    assert slope.executable(STATE).stats.arena_bytes <= 60_000
    assert_near(slope(STATE), pg.grad(long_loop)(STATE))


def test_what_is_called_on_arrays_meanwhile_is_compiled_as_ever() -> None:
    inner = pg.grad(long_loop)

    @pg.compile(memory_budget=60_000)
    def outer(state: Any) -> Any:
        return inner(state) * inner(STATE)

    assert_near(outer(STATE), inner(STATE) ** 2)
    (executable,) = inner.executables
    assert executable.stats.arena_bytes == pg.compile(inner).executable(STATE).stats.arena_bytes


def test_a_budget_that_cannot_be_met() -> None:
    f = pg.compile(pg.grad(long_loop), memory_budget=1_000)
    with pytest.raises(BudgetError) as caught:
        f(STATE)
    text = str(caught.value)
    least = int(text.split("do: give ")[1].split()[0])
    assert f"more than memory_budget=1000\n  at: {__file__.rsplit('/', 1)[-1]}:" in text
    assert "needs" in text
    assert 1_000 < least < 30_000
    assert isinstance(caught.value, MemoryError)
    assert pg.compile(pg.grad(long_loop), memory_budget=least).executable(STATE).stats.arena_bytes <= least
    with pytest.raises(BudgetError):
        pg.compile(pg.trace(long_loop, STATE), wrt=("state",), memory_budget=0)


def test_where_nothing_can_be_computed_again_it_says_so_at_once() -> None:
    calls = []

    @pg.compile(memory_budget=0)
    def f(x: Any) -> Any:
        calls.append(1)
        return np.sin(x @ W @ W)

    with pytest.raises(BudgetError, match="compiling f: a call needs"):
        f(X)
    assert len(calls) == 1


@pytest.mark.parametrize("budget", [-1, 2.5, "1", True])
def test_what_is_no_number_of_bytes(budget: Any) -> None:
    with pytest.raises(SignatureError, match="not a number of bytes"):
        pg.compile(long_loop, memory_budget=budget)


def test_stats_say_what_was_traded() -> None:
    plain = pg.compile(pg.grad(long_loop)).executable(STATE).stats
    assert (plain.memory_budget, plain.rematerialised, plain.memory_plans) == (None, None, None)
    fits = pg.compile(pg.grad(long_loop), memory_budget=plain.arena_bytes).executable(STATE).stats
    assert (fits.memory_budget, fits.rematerialised) == (plain.arena_bytes, ())
    assert fits.memory_plans == {"no rematerialisation": plain.arena_bytes}
    compiled = pg.compile(pg.trace(long_loop, STATE), wrt=("state",), memory_budget=60_000)
    for found in (compiled.stats, pickle.loads(pickle.dumps(compiled)).stats):
        assert found.rematerialised is not None
        assert found.memory_plans is not None
        (said,) = found.rematerialised
        assert re.fullmatch(r"scan step \(test_memory_budget.py:\d+\), 1,000 steps: groups of 32", said)
        assert list(found.memory_plans) == ["no rematerialisation", "2 parts", "steps", "loops 2 deep"]
        assert (
            list(found.memory_plans.values())[-1]
            == found.arena_bytes
            <= 60_000
            < min(list(found.memory_plans.values())[:-1])
        )
        text = str(found)
        assert "memory budget     58.6 KiB" in text
        assert f"rematerialised    {said}" in text
        assert "loops 2 deep: " in text
    tight = pg.compile(pg.grad(long_loop), memory_budget=fits.arena_bytes // 25).executable(STATE).stats
    assert tight.rematerialised is not None
    assert tight.rematerialised[0].endswith(", 1,000 steps: groups of 32, the inside of each step") or (
        tight.rematerialised[0].endswith(", 1,000 steps: groups of 100 and in these of 10")
    )


def test_stats_name_the_parts_of_a_chain() -> None:
    plain = pg.compile(pg.grad(long_chain)).executable(BATCH).stats
    found = pg.compile(pg.grad(long_chain), memory_budget=plain.arena_bytes // 2).executable(BATCH).stats
    assert found.rematerialised == ("129 operations: in 4 parts",)
    assert found.memory_plans is not None
    assert list(found.memory_plans) == ["no rematerialisation", "2 parts", "4 parts"]


def test_stats_name_no_loop_of_another_function() -> None:
    inner = pg.grad(long_loop)

    def outer(x: Any) -> Any:
        return pg.grad(long_chain)(x) * float(inner(STATE)[0])

    plain = pg.compile(outer).executable(BATCH).stats
    found = pg.compile(outer, memory_budget=plain.arena_bytes // 2).executable(BATCH).stats
    assert found.rematerialised is not None
    assert all("scan" not in said for said in found.rematerialised)
