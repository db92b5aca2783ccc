"""`check_grads`: passes right derivatives, and names the worst entry of wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.gradient_check import MAX_ENTRIES


def test_right_derivatives_pass_in_every_mode_and_order() -> None:
    def f(p: Any, n: Any) -> Any:
        return np.sin(p["x"]) * p["y"] ** n, np.sum(p["x"])

    args = ({"x": np.array([0.3, 0.8]), "y": np.array([1.5, 0.7])}, np.array([2, 3]))
    pg.check_grads(f, args, order=3)
    pg.check_grads(f, args, order=1, modes="reverse")
    pg.check_grads(f, args, order=2, modes=("forward",))


def test_float32_has_wider_tolerances() -> None:
    pg.check_grads(lambda x: np.sum(np.tanh(x) ** 2), (np.linspace(-1.0, 1.0, 5, dtype="float32"),))


def test_one_argument_need_not_be_in_a_tuple() -> None:
    pg.check_grads(np.exp, 0.3)


def test_large_arguments_are_sampled() -> None:
    pg.check_grads(lambda x: np.sum(x**3), (np.linspace(0.0, 1.0, 3 * MAX_ENTRIES),), order=1)


def test_functions_without_floating_arguments_pass() -> None:
    pg.check_grads(lambda n: n + 1, (np.arange(3),))


def test_the_worst_entry_is_named() -> None:
    def kinked(a: Any, p: Any) -> Any:
        return np.sum(a) + np.sum(np.absolute(p["x"]) * np.array([[1.0, 1.0], [1.0, 100.0]]))

    x = np.array([[1.0, -2.0], [3.0, 4e-6]])
    with pytest.raises(AssertionError) as caught:
        pg.check_grads(kinked, (np.ones(2), {"x": x}))
    said = str(caught.value)
    assert said.startswith("check_grads(kinked): worst entry p.x[1, 1]: analytic ")
    assert "times the tolerance" in said
    assert "order " in said
    assert "mode " in said


def test_a_wrong_second_derivative_is_found() -> None:
    """|x|·x has a continuous first derivative, 2|x|, and none of second order at 0."""
    f = lambda x: np.absolute(x) * x  # noqa: E731
    at = (np.array([0.5, 2e-6]),)
    pg.check_grads(f, at, order=1, atol=1e-4)
    with pytest.raises(AssertionError, match=r"worst entry x\[1\].*order 2") as caught:
        pg.check_grads(f, at, order=2, atol=1e-4)
    assert " over " in str(caught.value)


def test_nan_fails() -> None:
    with pytest.raises(AssertionError, match="nan"):
        pg.check_grads(np.log, (-1.0,), order=1)


def test_what_it_refuses() -> None:
    with pytest.raises(pg.SignatureError, match="modes must be among"):
        pg.check_grads(np.sin, 1.0, modes=("sideways",))
    with pytest.raises(pg.SignatureError, match="modes must be among"):
        pg.check_grads(np.sin, 1.0, modes=())
    with pytest.raises(pg.SignatureError, match="order must be at least 1"):
        pg.check_grads(np.sin, 1.0, order=0)


def test_a_constant_function_passes() -> None:
    pg.check_grads(lambda x: 3.0, (1.0,))
    pg.check_grads(lambda x: (3.0, x, 1), (1.0,))


@pytest.mark.parametrize("options", [{"modes": ("x",)}, {"modes": ()}, {"order": 0}], ids=str)
def test_options_that_say_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(pg.SignatureError, match=r"check_grads\(.*\n  do: "):
        pg.check_grads(np.sin, (1.0,), **options)


def test_rounding_of_large_values_is_no_alarm() -> None:
    """The second element's difference is 4e8 of a value of 1e16, whose last place is 2."""
    pg.check_grads(lambda x: np.sum(x**2) * 1e8, (np.array([1e4, 2.0]),))

    def slightly_wrong(primals: Any, tangents: Any) -> Any:
        return primals[0] ** 2 * 1e8, tangents[0] * primals[0] * 2.001e8

    wrong = pg.custom_derivative(lambda x: x**2 * 1e8, jvp=slightly_wrong)
    with pytest.raises(AssertionError, match="worst entry"):
        pg.check_grads(lambda x: np.sum(wrong(x)), (np.array([1e4, 2.0]),))
