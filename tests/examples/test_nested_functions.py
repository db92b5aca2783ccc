"""Lesson 5: derivatives of chains of any length, on the lesson's points, and the errors of a chain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg
from pygraph.examples import nested_functions as lesson

X = lesson.POINTS


def test_the_points() -> None:
    np.testing.assert_allclose(X, np.arange(-3, 3.005, 0.01), rtol=0, atol=1e-12)


def test_square_then_sigmoid() -> None:
    s = 1.0 / (1.0 + np.exp(-(X**2)))
    np.testing.assert_allclose(lesson.chain_value([lesson.square, lesson.sigmoid], X), s, rtol=1e-14)
    derivative = lesson.chain_deriv([lesson.square, lesson.sigmoid], X)
    np.testing.assert_allclose(derivative, 2 * X * s * (1 - s), rtol=1e-10, atol=1e-15)


def test_sigmoid_then_square() -> None:
    s = 1.0 / (1.0 + np.exp(-X))
    np.testing.assert_allclose(lesson.chain_value([lesson.sigmoid, lesson.square], X), s**2, rtol=1e-14)
    derivative = lesson.chain_deriv([lesson.sigmoid, lesson.square], X)
    np.testing.assert_allclose(derivative, 2 * s * s * (1 - s), rtol=1e-13)


@pytest.mark.parametrize("length", [0, 1, 6])
def test_a_chain_of_any_length(length: int) -> None:
    chain = [lesson.sigmoid, lesson.square, np.sin, lesson.leaky_relu, np.exp, np.tanh][:length]

    def composite(x: Any) -> Any:
        for member in chain:
            x = member(x)
        return np.sum(x)

    x = np.array([-3.0, -0.25, 0.0, 1.5])
    np.testing.assert_allclose(lesson.chain_deriv(chain, x), pg.grad(composite)(x), rtol=1e-13)
    np.testing.assert_allclose(lesson.chain_deriv(chain, x), lesson.central_difference(chain, x), rtol=1e-8, atol=1e-9)


def test_number_machines() -> None:
    assert lesson.machines() == {"f1(5)": 1.0, "df1/du(5)": 3.0, "df2/du(1)": -2.0, "composite": -6.0}


def test_a_member_that_is_no_function() -> None:
    with pytest.raises(pg.SignatureError, match=r"member 1 of the chain is 2\.0, which is no function"):
        lesson.chain_deriv([lesson.square, 2.0], X)


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_an_input_not_of_one_axis(shape: tuple[int, ...]) -> None:
    with pytest.raises(pg.ShapeError, match="the input of a chain has shape") as caught:
        lesson.chain_value([lesson.square], np.zeros(shape))
    assert "give an array of one axis" in str(caught.value)


def test_a_member_that_changes_the_shape() -> None:
    with pytest.raises(pg.ShapeError, match=r"member 0 of the chain makes shape \(\) of \(3,\)"):
        lesson.chain_value([np.sum], np.zeros(3))


@pytest.mark.deep
def test_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    figure = lesson.plot(str(tmp_path / "chains.png"))
    assert (tmp_path / "chains.png").read_bytes().startswith(b"\x89PNG")
    lines = figure.axes[0].get_lines()
    np.testing.assert_array_equal(lines[0].get_ydata(), lesson.chain_value([lesson.square, lesson.sigmoid], X))
    np.testing.assert_array_equal(lines[1].get_ydata(), lesson.chain_deriv([lesson.square, lesson.sigmoid], X))
