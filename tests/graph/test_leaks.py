"""An expression that is kept from inside a function is refused wherever it is used, with the line that made it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import pygraph as pg

#: Each calls a transformation or loop on a function that keeps an expression, and gives what was kept.
KEPT: dict[str, Callable[[Any, list[Any]], Any]] = {
    "grad": lambda y, k: pg.grad(lambda z: (k.append(z * 2.0), z * z)[1])(y),
    "value_and_grad": lambda y, k: pg.value_and_grad(lambda z: (k.append(z * 2.0), z * z)[1])(y),
    "the variable itself": lambda y, k: pg.grad(lambda z: (k.append(z), z * z)[1])(y),
    "jvp": lambda y, k: pg.jvp(lambda z: (k.append(z * 2.0), z * z)[1], (y,), (1.0,)),
    "vjp": lambda y, k: pg.vjp(lambda z: (k.append(z * 2.0), z * z)[1], y)[1](1.0),
    "linearize": lambda y, k: pg.linearize(lambda z: (k.append(z * 2.0), z * z)[1], y)[1](1.0),
    "hvp": lambda y, k: pg.hvp(lambda z: (k.append(z * 2.0), z * z)[1], (y,), (1.0,)),
    "jacfwd": lambda y, k: pg.jacfwd(lambda z: (k.append(z * 2.0), z * z)[1])(y),
    "hessian": lambda y, k: pg.hessian(lambda z: (k.append(z * 2.0), z * z)[1])(y),
    "vmap": lambda y, k: pg.vmap(lambda z: (k.append(z * 2.0), z * z)[1])(np.ones(3) * y),
    "scan": lambda y, k: pg.scan(lambda c, _: ((k.append(c * y), c * y)[1], None), y, None, 3),
    "scan from a number": lambda y, k: pg.scan(lambda c, _: ((k.append(c * y), c * y)[1], None), 1.0, None, 3),
    "scan on arrays": lambda y, k: pg.scan(lambda c, u: ((k.append(c * 2.0), c * u)[1], None), 1.0, np.ones(3)),
    "the slice of a scan": lambda y, k: pg.scan(lambda c, u: (c, k.append(u * 2.0)), y, np.ones(3)),
    "while_loop": lambda y, k: pg.while_loop(lambda c: c < 9.0, lambda c: (k.append(c * y), c * 2.0)[1], y),
    "its condition": lambda y, k: pg.while_loop(lambda c: (k.append(c * 2.0), c < 9.0)[1], lambda c: c * 2.0, y),
    "fori_loop": lambda y, k: pg.fori_loop(0, 3, lambda i, c: (k.append(c * 1.0), c * 2.0)[1], y),
    "map": lambda y, k: pg.map(lambda u: (k.append(u * 2.0), u * y)[1], np.ones(3)),
    "cond": lambda y, k: pg.cond(y > 0.0, lambda z: (k.append(z * 2.0), z)[1], lambda z: -z, y),
    "the other branch": lambda y, k: pg.cond(
        y > 0.0, lambda z: z * (k[0] if k else 1.0), lambda z: (k.append(z * 2.0), z)[1], y
    ),
    "switch": lambda y, k: pg.switch(0, [lambda z: (k.append(z * 2.0), z)[1], lambda z: -z], y),
    "checkpoint": lambda y, k: pg.checkpoint(lambda z: (k.append(z * 2.0), z * z)[1])(y),
    "custom_derivative": lambda y, k: pg.custom_derivative(
        lambda z: (k.append(z * 2.0), z * z)[1], jvp=lambda p, t: (p[0] * p[0], 2.0 * p[0] * t[0])
    )(y),
    "a custom jvp": lambda y, k: pg.grad(
        pg.custom_derivative(
            lambda z: z * z, jvp=lambda p, t: (k.append(t[0] * 2.0), (p[0] * p[0], 2.0 * p[0] * t[0]))[1]
        )
    )(y),
    "a custom vjp": lambda y, k: pg.grad(
        pg.custom_derivative(lambda z: z * z, vjp=lambda p, ct: (k.append(ct * p[0]), (2.0 * p[0] * ct,))[1])
    )(y),
    "residuals": lambda y, k: pg.grad(
        pg.custom_derivative(
            lambda z: z * z,
            vjp=(lambda z: (k.append(z * 3.0), (z * z, z))[1], lambda z, ct: (2.0 * z * ct,)),
        )
    )(y),
    "a custom jvp in a loop": lambda y, k: pg.grad(
        lambda y: pg.scan(
            lambda c, _: (
                pg.custom_derivative(
                    lambda z: z * z, jvp=lambda p, t: (k.append(p[0] * 2.0), (p[0] * p[0], 2.0 * p[0] * t[0]))[1]
                )(c),
                None,
            ),
            y,
            None,
            3,
        )[0]
    )(y),
    "a custom jvp in a batch": lambda y, k: pg.vmap(
        pg.grad(
            pg.custom_derivative(
                lambda z: z * z, jvp=lambda p, t: (k.append(p[0] * t[0]), (p[0] * p[0], 2.0 * p[0] * t[0]))[1]
            )
        )
    )(np.ones(2) * y),
    "trace": lambda y, k: pg.trace(lambda z: (k.append(z * 2.0), z * z)[1], 1.0),
    "two levels": lambda y, k: pg.grad(lambda z: pg.grad(lambda u: (k.append(u * z), u * u)[1])(z) * z)(y),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_was_kept_is_refused_in_the_enclosing_function(name: str) -> None:
    def f(y: Any) -> Any:
        kept: list[Any] = []
        KEPT[name](y, kept)
        return y + kept[-1] * 0.0

    for use in (pg.compile(f), pg.grad(f), pg.jacfwd(f), lambda y: pg.jvp(f, (y,), (1.0,)), lambda y: pg.vjp(f, y)):
        with pytest.raises(pg.GraphError, match=r"recording\s+has\s+ended") as error:
            use(3.0)
        assert "at: test_leaks.py" in str(error.value)
        assert "k." in str(error.value) or name == "the variable itself"


USES: dict[str, Callable[[Any, Any], Any]] = {
    "compile": lambda e, x: pg.compile(lambda x: x * e)(x),
    "grad, of which it is no part": lambda e, x: pg.grad(lambda x: x + e)(x),
    "vjp": lambda e, x: pg.vjp(lambda x: x + e, x),
    "linearize": lambda e, x: pg.linearize(lambda x: x + e, x),
    "hvp": lambda e, x: pg.hvp(lambda x: x * x + e, (x,), (1.0,)),
    "jacobian": lambda e, x: pg.jacobian(lambda x: x + e)(x),
    "has_aux": lambda e, x: pg.grad(lambda x: (x, e), has_aux=True)(x),
    "vmap": lambda e, x: pg.vmap(lambda x: x + e)(np.ones(2)),
    "scan": lambda e, x: pg.scan(lambda c, u: (c + e * u, None), 0.0, np.ones(2)),
    "while_loop": lambda e, x: pg.while_loop(lambda c: c < e, lambda c: c + 1.0, x),
    "cond": lambda e, x: pg.cond(True, lambda z: z + e, lambda z: z, np.ones(2)),
    "checkpoint": lambda e, x: pg.checkpoint(lambda x: x + e)(x),
    "custom_derivative": lambda e, x: pg.custom_derivative(lambda x: x + e, jvp=lambda p, t: (p[0], t[0]))(x),
    "trace": lambda e, x: pg.trace(lambda x: x + e, x),
    "sparsity": lambda e, x: pg.sparsity(lambda x: x + e, np.ones(2)),
    "sparse_jacobian": lambda e, x: pg.sparse_jacobian(lambda x: x + e)(np.ones(2)),
    "explain": lambda e, x: pg.explain(lambda x: x + e, x),
    "Graph": lambda e, x: pg.Graph([pg.var("v")], pg.var("v") + e),
}


@pytest.mark.parametrize("name", USES)
def test_what_was_kept_from_an_earlier_call_is_refused_everywhere(name: str) -> None:
    kept: list[Any] = []
    pg.grad(lambda z: (kept.append(z * 2.0), z * z)[1])(1.0)
    with pytest.raises(pg.GraphError, match=r"recording\s+has\s+ended") as error:
        USES[name](kept[0], 3.0)
    assert "kept.append(z * 2.0)" in str(error.value)


def test_a_generator_that_goes_on_after_its_function() -> None:
    def numbers(z: Any) -> Iterator[Any]:
        while True:
            yield z * 2.0
            z = z * z

    running: list[Iterator[Any]] = []

    def f(y: Any) -> Any:
        def g(z: Any) -> Any:
            running.append(numbers(z))
            return next(running[-1])

        return pg.grad(g)(y) + next(running[-1])

    with pytest.raises(pg.GraphError, match=r"recording\s+has\s+ended") as error:
        pg.compile(f)(3.0)
    assert "return pg.grad(g)(y) + next(running[-1])" in str(error.value)


def test_a_line_of_its_own_for_each() -> None:
    kept = {}

    def g(z: Any) -> Any:
        kept["first"] = np.sin(z)
        kept["second"] = np.cos(z)
        return z * z

    pg.grad(g)(1.0)
    for key in kept:
        with pytest.raises(pg.GraphError) as error:
            pg.compile(lambda x, key=key: np.exp(x * kept[key]))(1.0)
        assert f'kept["{key}"]' in str(error.value)


def test_an_expression_of_another_thread() -> None:
    handed, used, failures = threading.Event(), threading.Event(), []
    kept: list[Any] = []

    def recorder() -> None:
        def f(x: Any) -> Any:
            kept.append(x * 2.0)
            handed.set()
            assert used.wait(60.0)
            return x

        pg.compile(f)(1.0)

    thread = threading.Thread(target=recorder)
    thread.start()
    try:
        assert handed.wait(60.0)
        for use in (pg.compile(lambda x: x + kept[0]), pg.grad(lambda x: x + kept[0])):
            with pytest.raises(pg.GraphError, match=r"which\s+another\s+thread\s+is\s+recording") as error:
                use(1.0)
            failures.append(str(error.value))
    finally:
        used.set()
        thread.join()
    assert all("kept.append(x * 2.0)" in text for text in failures)


def test_threads_may_help_to_record() -> None:
    def f(x: Any) -> Any:
        parts: list[Any] = [None, None]

        def work(i: int) -> None:
            parts[i] = pg.grad(lambda z: z * x * float(i + 1))(x)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return parts[0] + parts[1]

    assert pg.compile(f)(2.0) == 6.0


def test_what_closes_over_a_live_expression_goes_on_working() -> None:
    q = pg.var("q")  # made outside of any function
    assert pg.compile(pg.Graph([q], pg.compile(lambda x: x * q)(2.0)))(3.0) == 6.0
    assert pg.compile(pg.Graph([q], pg.cond(q > 0.0, lambda: q * 2.0, lambda: q)))(3.0) == 6.0

    def inner(x: Any) -> Any:
        return pg.grad(lambda z: pg.scan(lambda c, u: (c * z * x + u, None), z, np.ones(2))[0])(x)

    assert pg.grad(inner)(2.0) == pytest.approx(97.0)  # d/dz of z^3 x^2 + z x + 1 at z = x is 3x^4 + x


def square_rule(p: Any, t: Any) -> Any:
    """A rule that uses loops and derivatives on numbers, closing over the expressions that it is given."""
    slope = pg.fori_loop(0, 2, lambda i, c: c + p[0], 0.0)
    once = pg.grad(lambda z: z * p[0])(1.0)
    return p[0] * once, (slope * 0.5 + once) * t[0]


@pytest.mark.parametrize("rules", ["jvp", "vjp"])
def test_rules_may_close_over_what_they_are_given_wherever_they_are_applied(rules: str) -> None:
    if rules == "jvp":
        square = pg.custom_derivative(lambda z: z * z, jvp=square_rule)
    else:
        square = pg.custom_derivative(lambda z: z * z, vjp=lambda p, ct: (square_rule(p, (ct,))[1],))

    def looped(f: Any) -> Callable[[Any], Any]:
        def g(x: Any) -> Any:
            steps = pg.scan(lambda c, _: (f(c), c), x, None, 2)[0]
            rest = pg.while_loop(lambda c: c < 50.0, lambda c: f(c), x)
            return steps + rest + pg.cond(x > 0.0, f, lambda c: c, x) + pg.checkpoint(f)(x)

        return g

    x = 1.5
    plain = looped(lambda z: z * z)
    assert pg.grad(looped(square))(x) == pytest.approx(pg.grad(plain)(x))
    np.testing.assert_allclose(
        pg.vmap(pg.grad(looped(square)))(np.array([1.5, 2.0])), pg.vmap(pg.grad(plain))(np.array([1.5, 2.0]))
    )
    if rules == "jvp":
        assert pg.grad(pg.grad(looped(square)))(x) == pytest.approx(pg.grad(pg.grad(plain))(x))
        assert pg.jvp(looped(square), (x,), (1.0,))[1] == pytest.approx(pg.grad(plain)(x))


def test_a_condition_may_hold_a_loop_over_the_carry() -> None:
    def f(x: Any) -> Any:
        return pg.while_loop(lambda c: pg.fori_loop(0, 2, lambda i, s: s + c, 0.0) < 10.0, lambda c: c * 2.0, x)

    assert pg.compile(f)(1.0) == 8.0
    assert pg.grad(f)(1.0) == 8.0
