"""What tracing says of arguments and results that are not what a function of functions takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg

X = np.ones(3)
NO_FUNCTION: dict[str, Callable[[], Any]] = {
    **{name: (lambda name=name: getattr(pg, name)(3.0)) for name in ("grad", "value_and_grad", "jacobian", "jacfwd")},
    **{name: (lambda name=name: getattr(pg, name)(3.0)) for name in ("jacrev", "hessian", "vmap", "sparse_jacobian")},
    "sparse_hessian": lambda: pg.sparse_hessian(3.0),  # type: ignore[arg-type]
    "custom_derivative": lambda: pg.custom_derivative(3.0, jvp=lambda p, t: (p, t)),  # type: ignore[arg-type]
    "jvp": lambda: pg.jvp(3.0, (1.0,), (1.0,)),  # type: ignore[arg-type]
    "hvp": lambda: pg.hvp(3.0, (1.0,), (1.0,)),  # type: ignore[arg-type]
    "vjp": lambda: pg.vjp(3.0, 1.0),  # type: ignore[arg-type]
    "linearize": lambda: pg.linearize(3.0, 1.0),  # type: ignore[arg-type]
    "trace": lambda: pg.trace(3.0, 1.0),  # type: ignore[arg-type]
    "scan": lambda: pg.scan(3.0, 1.0, X),  # type: ignore[arg-type]
    "map": lambda: pg.map(3.0, X),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", NO_FUNCTION)
def test_what_is_no_function_is_refused_under_the_name_that_was_called(name: str) -> None:
    with pytest.raises(pg.SignatureError, match=rf"(differentiating|tracing) {name}: .*3\.0, not a function") as error:
        NO_FUNCTION[name]()
    assert f"pg.{name}(" in str(error.value)
    assert "value_and_grad" not in str(error.value) or name == "value_and_grad"


def test_a_number_that_has_no_derivative() -> None:
    def f(x: Any, n: Any) -> Any:
        return x * n

    for call in (
        lambda: pg.vjp(f, 1.5, 2),
        lambda: pg.linearize(f, 1.5, 2),
        lambda: pg.jvp(f, (1.5, 2), (1.0, 1.0)),
        lambda: pg.hvp(f, (1.5, 2), (1.0, 1.0)),
    ):
        with pytest.raises(pg.DTypeError, match="argument 'n' is int64") as error:
            call()
        assert "argnums" not in str(error.value)
        assert "lambda x: f(x, 2)" in str(error.value)
    with pytest.raises(pg.DTypeError, match="leave it out of argnums"):
        pg.grad(f, argnums=(0, 1))(1.5, 2)
    with pytest.raises(pg.DTypeError, match="differentiating linearize"):
        pg.linearize(f, 1.5, 2)


@pytest.mark.parametrize("start", [0.0, np.zeros(()), pg.var("x")], ids=["number", "array", "expression"])
def test_a_body_that_returns_no_pair(start: Any) -> None:
    for body, text in (
        (lambda c, x: c, "one expression of type float64"),
        (lambda c, x: (c, x, c), "a tuple of 3"),
        (lambda c, x: [c, x], "a list"),
        (lambda c, x: None, "None"),
        (lambda c, x: 1, "an int"),
    ):
        with pytest.raises(pg.GraphError, match=rf"returned {text}, not a pair"):
            pg.scan(body, start, X)  # type: ignore[arg-type]
    with pytest.raises(pg.GraphError, match=r"returned\s+one\s+expression\s+of\s+type\s+float64,\s+not\s+a\s+pair"):
        pg.grad(lambda x: x, has_aux=True)(1.0)


def nested(levels: int, kind: Callable[[Any], Any]) -> Any:
    found: Any = 1.0
    for _ in range(levels):
        found = kind(found)
    return found


@pytest.mark.parametrize("kind", [lambda x: [x], lambda x: (x, 2.0), lambda x: {"a": x}], ids=["list", "tuple", "dict"])
def test_containers_in_containers(kind: Callable[[Any], Any]) -> None:
    deep = nested(98, kind)  # in the tuple of the arguments
    assert pg.compile(lambda t: t)(deep) == deep
    for levels in (101, 500, 20_000):
        for call in (
            lambda: pg.compile(lambda t: 1.0)(nested(levels, kind)),  # noqa: B023
            lambda: pg.grad(lambda t: 1.0)(nested(levels, kind)),  # noqa: B023
            lambda: pg.compile(lambda x: nested(levels, kind))(1.0),  # noqa: B023
            lambda: pg.cond(True, lambda x: nested(levels, kind), lambda x: nested(levels, kind), 1.0),  # noqa: B023
        ):
            with pytest.raises(pg.GraphError, match="nested deeper than 100"):
                call()


def test_a_container_that_contains_itself() -> None:
    loop: list[Any] = [1.0]
    loop.append(loop)
    with pytest.raises(pg.GraphError, match="contains itself"):
        pg.compile(lambda t: 1.0)(loop)
