"""What the plots draw is what is computed, and mistakes are told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pygraph as pg

pytest.importorskip("matplotlib")
X = np.linspace(-3.0, 3.0, 25)


def test_chains() -> None:
    figure = pg.plot.chain([np.square, pg.sigmoid], X)
    assert pg.plot.chain_derivative([np.square, pg.sigmoid], X, axes=figure.axes[0]) is figure
    value, slope = figure.axes[0].get_lines()
    s = 1.0 / (1.0 + np.exp(-(X**2)))
    np.testing.assert_allclose(value.get_ydata(), s, rtol=1e-14)
    np.testing.assert_allclose(slope.get_ydata(), 2.0 * X * s * (1.0 - s), rtol=1e-9, atol=1e-15)


def test_the_empty_chain_is_the_identity() -> None:
    (line,) = pg.plot.chain_derivative([], X).axes[0].get_lines()
    np.testing.assert_array_equal(line.get_ydata(), np.ones_like(X))


def test_a_tangent_touches() -> None:
    curve, line, point = pg.plot.tangent(np.sin, 1.0, X).axes[0].get_lines()
    np.testing.assert_allclose(curve.get_ydata(), np.sin(X), rtol=1e-14)
    np.testing.assert_allclose(line.get_ydata(), np.sin(1.0) + np.cos(1.0) * (X - 1.0), rtol=1e-12, atol=1e-14)
    assert point.get_ydata()[0] == pytest.approx(np.sin(1.0))


def bowl(p: Any, scale: Any) -> Any:
    return scale * (p["a"] ** 2 + 3.0 * p["b"] ** 2)


def test_a_loss_with_its_descent() -> None:
    steps = [{"a": 2.0 * 0.5**k, "b": -1.0 * 0.3**k} for k in range(6)]
    figure = pg.plot.loss_surface(bowl, steps, 2.0)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")
    np.testing.assert_array_equal(axes.get_lines()[0].get_xdata(), [p["a"] for p in steps])
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), [p["b"] for p in steps])
    assert axes.get_title() == f"loss: 14 → {bowl(steps[-1], 2.0):.3g}"
    assert axes.get_xlim()[0] < steps[-1]["a"] < steps[0]["a"] < axes.get_xlim()[1]


@pytest.mark.deep
def test_figures_are_shown_and_saved(tmp_path: Path) -> None:
    figure = pg.plot.tangent(np.sin, 1.0, path=tmp_path / "tangent.png")
    assert (tmp_path / "tangent.png").read_bytes() == figure._repr_png_()
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_descent_of_one_step_or_that_stays() -> None:
    for steps in (np.array([[1.0, 2.0]]), np.full((3, 2), 5.0)):
        axes = pg.plot.loss_surface(lambda p: p[0] * p[1], steps).axes[0]
        assert axes.get_xlim()[0] < steps[0, 0] < axes.get_xlim()[1]


def test_a_field_of_gradients() -> None:
    figure = pg.plot.gradient_field(lambda x, y: x**2 * y, (-1.0, 1.0), (0.0, 2.0), arrows=5)
    arrows = figure.axes[0].collections[-1]
    x, y = (each.ravel() for each in np.meshgrid(np.linspace(-1, 1, 5), np.linspace(0, 2, 5)))
    np.testing.assert_allclose(arrows.U, 2 * x * y, atol=1e-15)
    np.testing.assert_allclose(arrows.V, x**2, atol=1e-15)


def bordered(x: Any) -> Any:
    return np.append(x[0] * x[1:] ** 2, np.sum(x))


@pytest.mark.parametrize(
    ("f", "size", "title"),
    [
        (lambda x: x[1:] - x[:-1], 6, "5 × 6, 10 entries: 2 products by columns"),
        (bordered, 12, "12 × 12, 34 entries: 3 products by columns and rows"),
        (lambda x: pg.sum(x, keepdims=True), 9, "1 × 9, 9 entries: 1 product by rows"),
        (lambda x: pg.zeros(3) + 0.0 * pg.stop_gradient(x), 3, "3 × 3, 0 entries: 0 products by columns"),
        (np.sin, 1000, "1,000 × 1,000, 1,000 entries: 1 product by columns"),
    ],
)
def test_the_structure_of_a_jacobian(f: Any, size: int, title: str) -> None:
    pytest.importorskip("scipy")
    axes = pg.plot.sparsity(f, pg.spec((size,))).axes[0]
    assert axes.get_title() == title
    pattern = pg.sparsity(f, pg.spec((size,)))
    if pattern.nnz and size <= 200:
        np.testing.assert_array_equal(np.isfinite(axes.images[0].get_array().filled(np.nan)), pattern.toarray())
    if pattern.nnz and size <= 24:  # entries of one number share no row, or no column
        found = [(int(t.get_text()), *map(round, reversed(t.get_position()))) for t in axes.texts]
        for product in {number for number, _, _ in found}:
            rows, columns = zip(*((r, c) for number, r, c in found if number == product), strict=True)
            assert len(set(rows)) == len(rows) or len(set(columns)) == len(columns)


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "no function": (lambda: pg.plot.chain([np.sin, 2.0], X), pg.SignatureError, r"member 1 of the chain is 2\.0"),
    "two axes": (lambda: pg.plot.chain(np.sin, np.ones((2, 2))), pg.ShapeError, r"x has shape \(2, 2\)"),
    "another shape": (lambda: pg.plot.chain_derivative([np.sum], X), pg.ShapeError, r"member 0 .* shape \(\)"),
    "several axes": (lambda: pg.plot.chain(np.sin, X, axes=[1, 2]), pg.ShapeError, "axes is a list"),
    "three parameters": (lambda: pg.plot.loss_surface(np.sum, np.ones((4, 3))), pg.ShapeError, "has 3 parameters"),
    "no steps": (lambda: pg.plot.loss_surface(np.sum, []), pg.ShapeError, "the descent has no steps"),
    "several losses": (
        lambda: pg.plot.loss_surface(lambda p: p * 2.0, np.ones((2, 2))),
        pg.ShapeError,
        r"the result of the function has shape \(2,\)",
    ),
    "no history": (lambda: pg.plot.history([1]), pg.SignatureError, r"\[1\] has no epochs"),
    "no epochs": (lambda: pg.train.History().plot(), pg.SignatureError, "<history of 0 epochs"),
    "no range": (lambda: pg.plot.gradient_field(np.add, 1.0, (0, 1)), pg.ShapeError, r"x has shape \(\)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(name: str) -> None:
    call, kind, said = MISTAKES[name]
    with pytest.raises(kind, match=said) as caught:
        call()
    assert isinstance(caught.value, pg.GraphError)
    assert caught.value.stage == "plotting"
    assert caught.value.advice


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    from pygraph.plot.figures import _figure_class

    _figure_class.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    history = pg.train.History()
    history.append({"epoch": 1, "loss": 0.5, "seconds": 0.01})
    for draw in (lambda: pg.plot.tangent(np.sin, 0.0), lambda: history.plot()):
        with pytest.raises(pg.UnsupportedError, match="matplotlib is not installed") as caught:
            draw()
        assert caught.value.advice == "pip install 'pygraph-ad[plot]'"
