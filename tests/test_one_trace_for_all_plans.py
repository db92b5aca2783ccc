"""Within a budget of memory a function is traced once, and its derivatives are written out of that by each plan."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_memory_budget import W, X, assert_near, chain, loop, total, traced

import pygraph as pg
from pygraph.autodiff.checkpoint_plan import Applied, Plan
from pygraph.autodiff.deferral import holds_deferred
from pygraph.errors import BudgetError, ShapeError
from pygraph.graph.trace_context import UNDECIDED, active, current, entered
from pygraph.runtime.compile.budget import PLANS

TS = np.random.default_rng(10).normal(size=(5, 4))


def in_the_step_of_a_scan(x: Any) -> Any:
    big = np.exp(np.sin(x) @ W)

    def step(w: Any, t: Any) -> Any:
        steady = np.tanh(big * 2.0)  # the same in all steps: computed before them
        return w - 0.1 * pg.grad(lambda v: np.sum(chain(v * steady + t) * big))(w), pg.grad(total(loop))(w * t)

    w, ys = pg.scan(step, x, TS)
    return w + np.sum(ys, axis=0)


def in_the_step_of_a_while_loop(x: Any) -> Any:
    big = np.exp(np.sin(x) @ W)

    def step(s: Any) -> Any:
        steady = np.tanh(big * 2.0)
        return s[0] + 1, s[1] - 0.1 * pg.grad(lambda v: np.sum(chain(v * steady) * big))(s[1])

    return pg.while_loop(lambda s: s[0] < 4, step, (0, x))[1]


def in_branches(x: Any) -> Any:
    big = np.exp(np.sin(x) @ W)
    return pg.cond(
        x[0] > 0.0, lambda v: pg.grad(lambda u: np.sum(chain(u * big)))(v), lambda v: pg.grad(total(loop))(v * big), x
    )


def in_a_checkpoint(x: Any) -> Any:
    big = np.exp(np.sin(x) @ W)
    f = pg.checkpoint(lambda v: pg.grad(lambda u: np.sum(chain(u * big)))(v) * big)
    return f(x) + f(x * 2.0)


def in_a_batch(x: Any) -> Any:
    return np.sum(pg.vmap(lambda t: in_the_step_of_a_scan(pg.grad(lambda u: np.sum(chain(u * t) * x))(x)))(TS), axis=0)


def in_a_gradient(x: Any) -> Any:
    return pg.grad(lambda v: np.sum(pg.grad(total(loop))(v * v) * v))(x)


def of_all_kinds(x: Any) -> Any:
    jacobians = np.sum(pg.jacobian(loop)(x), axis=1) + pg.jacrev(chain)(x)[0] + pg.jacfwd(chain)(x)[1]
    value, tangent = pg.jvp(chain, (x,), (np.sin(x),))
    both, pull = pg.vjp(lambda y: (chain(y * x), np.sum(y), pg.astype(y[0], "int64")), x)
    linear, push = pg.linearize(loop, x)
    products = pull((np.cos(x), 2.0, None))[0] + push(x) + pg.hvp(total(chain), (x,), (value,))
    entries = pg.sparse_jacobian(lambda y: np.sin(y[1:] * y[:-1]), values_only=True)(linear)
    return jacobians + tangent + products + both[0] + entries[2] + np.sum(pg.hessian(total(chain))(x), axis=0)


def with_other_results(x: Any) -> Any:
    (value, aux), slope = pg.value_and_grad(
        lambda y: (np.sum(chain(y)), {"a": chain(y) * x, "b": 2.0, "k": np.arange(3)}), has_aux=True
    )(x)
    return value * aux["a"] + slope * aux["b"] + x[aux["k"][1]]


def of_constants(x: Any) -> Any:
    """A derivative that is a number, which powers look at."""
    return (x - 5.0) ** pg.grad(lambda y: 2.0 * y)(x[1]) + pg.grad(lambda y: y * np.float32(2.0))(3.0)


def one_after_another(x: Any) -> Any:
    for _ in range(3):
        x = x - 0.1 * pg.grad(total(chain))(x)
    return x


def soft(x: Any) -> Any:
    return np.tanh(x @ W)


BY_VJP = pg.custom_derivative(soft, vjp=lambda a, ct: (pg.vjp(lambda v: chain(soft(v)), *a)[1](ct)[0],))
BY_JVP = pg.custom_derivative(soft, jvp=lambda a, t: (soft(*a), pg.jvp(soft, a, t)[1]))


def by_a_rule(x: Any) -> Any:
    return pg.grad(lambda v: np.sum(chain(BY_VJP(v)) + loop(BY_JVP(v))))(x)


def called_on_arrays_meanwhile(x: Any) -> Any:
    k = pg.grad(total(loop))(X)
    assert isinstance(k, np.ndarray)
    closing_over = pg.compile(lambda y: pg.grad(lambda z: np.sum(chain(z * x)))(y))
    return pg.grad(lambda v: np.sum(chain(v * k)))(x) + closing_over(np.ones(4))


#: Those whose bodies are planned apart from what they close over, which the plan in force does not leave alone.
APART: list[Callable[[Any], Any]] = [in_branches, in_a_checkpoint]
ALIKE: list[Callable[[Any], Any]] = [
    in_the_step_of_a_scan,
    in_the_step_of_a_while_loop,
    in_a_batch,
    in_a_gradient,
    of_all_kinds,
    with_other_results,
    of_constants,
    one_after_another,
    by_a_rule,
    called_on_arrays_meanwhile,
]


@pytest.mark.parametrize("plan", [Plan(), Plan(True, 2, 3)], ids=str)
@pytest.mark.parametrize("f", [*ALIKE, *APART], ids=lambda f: f.__name__)
def test_what_is_written_out_later_is_what_is_recorded_under_the_plan(f: Callable[[Any], Any], plan: Plan) -> None:
    with entered(plan=Applied(plan)):
        recorded = pg.trace(f, X)
    later = traced(plan, f, X)
    later.verify("traced")
    assert f in APART or later == recorded
    found, wanted = pg.compile(later), pg.compile(recorded)
    assert found.stats.arena_bytes <= wanted.stats.arena_bytes
    assert found.stats.flops <= wanted.stats.flops
    assert_near(found(X), pg.compile(f)(X), 1e-9)
    if f not in APART:
        np.testing.assert_array_equal(found(X), wanted(X))


@pytest.mark.parametrize("f", [chain, in_the_step_of_a_while_loop], ids=lambda f: f.__name__)
def test_the_function_is_called_once_however_many_plans_are_tried(f: Callable[[Any], Any]) -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(x)
        return total(f)(x)

    plain = pg.compile(pg.grad(counted)).executable(X).stats.arena_bytes
    calls.clear()
    with pytest.raises(BudgetError) as caught:
        pg.compile(pg.grad(counted), memory_budget=0)(X)
    assert len(calls) == 1
    least = int(str(caught.value).split("do: give ")[1].split()[0])
    assert least < plain
    calls.clear()
    found = pg.compile(pg.grad(counted), memory_budget=least)
    assert_near(found(X), pg.grad(total(f))(X), 1e-9)
    tried = found.executable(X).stats.memory_plans
    assert tried is not None
    assert len(tried) > 1
    assert len(calls) == 1


def test_a_plan_that_changes_nothing_new_is_not_lowered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from pygraph.runtime.compile import budget

    lowered = []
    before = budget.lowered
    monkeypatch.setattr(budget, "lowered", lambda source, options: lowered.append(source) or before(source, options))
    with pytest.raises(BudgetError):
        pg.compile(pg.grad(total(loop)), memory_budget=0)(X)
    assert len({source.whole for source in lowered}) == len(lowered) < len(PLANS)


def test_expressions_around_it_are_recorded_by_no_plan() -> None:
    """A function with a budget that closes over expressions is a part of the trace around it."""

    def outer(x: Any) -> Any:
        inner = pg.compile(lambda y: pg.grad(lambda z: np.sum(chain(z * x)))(y), memory_budget=10**9)
        found = inner(np.ones(4))
        assert isinstance(found, pg.Node)
        return found

    graph = pg.trace(outer, X)
    assert not holds_deferred(graph.outputs)
    wanted = pg.grad(lambda z: np.sum(chain(z * X)))(np.ones(4))
    np.testing.assert_array_equal(pg.compile(graph)(X), wanted)


def test_graphs_that_are_made_meanwhile() -> None:
    """What a user traces is written out; what is recorded on variables of the user's is when it is compiled."""

    @pg.compile(memory_budget=10**9)
    def f(x: Any) -> Any:
        assert current().plan is UNDECIDED
        graph = pg.trace(pg.grad(total(chain)), X)
        assert not holds_deferred(graph.outputs)
        v = pg.var("v", (4,))
        slope = pg.compile(pg.Graph([v], pg.grad(total(chain))(v)))(X)
        np.testing.assert_array_equal(slope, pg.compile(graph)(X))
        return pg.grad(total(chain))(x) - slope

    np.testing.assert_array_equal(f(X), np.zeros(4))


def test_errors_name_the_line_in_the_function() -> None:
    @pg.compile(memory_budget=10**9)
    def f(x: Any) -> Any:
        return pg.grad(chain)(x)

    with pytest.raises(
        ShapeError, match=r"grad\(chain\): the\s+function\s+returned\s+float64\[4\],\s+not\s+a\s+scalar"
    ):
        f(X)
    assert active() is None


def test_what_fails_at_run_time_names_the_line_in_the_function() -> None:
    def f(x: Any) -> Any:
        y = np.log(x)
        return np.sum(y * y)

    checked = pg.compile(pg.grad(f), memory_budget=10**9, check_finite=True)
    with pytest.raises(pg.NonFiniteError, match=r"y = np.log\(x\)"):
        checked(np.array([1.0, -1.0]))


def test_threads_with_budgets_of_their_own() -> None:
    def twice(x: Any) -> Any:
        return chain(chain(x))

    budget = pg.compile(pg.grad(total(twice))).executable(X).stats.arena_bytes * 3 // 4
    errors: list[BaseException] = []

    def work(k: float) -> None:
        try:
            for i in range(4):
                f = total(lambda x, k=k + i: twice(x * k))
                found = pg.compile(pg.grad(f), memory_budget=budget)
                assert_near(found(X), pg.grad(f)(X))
                assert found.executable(X).stats.arena_bytes <= budget
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(10.0 * k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_handler_compiles_while_a_plan_is_undecided() -> None:
    found = []

    def handler(*_: Any) -> None:
        found.append(pg.grad(total(chain))(X))
        v = pg.var("v", (4,))
        found.append(pg.compile(pg.Graph([v], pg.grad(total(chain))(v)))(X))
        found.append(pg.compile(pg.grad(total(chain)), memory_budget=10**9)(X))
        found.append(pg.linearize(chain, X)[1](X))

    before = signal.signal(signal.SIGUSR1, handler)
    try:

        @pg.compile(memory_budget=10**9)
        def f(x: Any) -> Any:
            signal.raise_signal(signal.SIGUSR1)
            assert current().plan is UNDECIDED
            return pg.grad(total(chain))(x)

        slope = f(X)
    finally:
        signal.signal(signal.SIGUSR1, before)
    for other in found[:3]:
        np.testing.assert_array_equal(other, slope)
    np.testing.assert_array_equal(found[3], pg.linearize(chain, X)[1](X))
