"""Losses at the ends of their domains, infinite and certain predictions among them; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pygraph as pg

INF = np.inf


def with_slopes(loss: Callable[..., Any], prediction: Any) -> tuple[Any, Any]:
    """The losses of examples, and the gradient of their sum, compiled."""

    def both(p: Any) -> Any:
        def f(p: Any) -> Any:
            values = loss(p)
            return pg.sum(values), values

        (_, values), slopes = pg.value_and_grad(f, has_aux=True)(p)
        return values, slopes

    values, slopes = pg.compile(both)(prediction)
    np.testing.assert_array_equal(loss(prediction), values)
    return values, slopes


def test_infinite_logits_of_classes() -> None:
    z = np.array(
        [[INF, 0.0, 1.0], [0.0, INF, 1.0], [-INF, 0.0, 0.0], [0.0, -INF, 0.0], [INF, INF, 0.0], [0.0, 0.0, INF]]
    )
    labels = np.zeros(6, int)
    values, slopes = with_slopes(lambda z: pg.losses.softmax_cross_entropy(z, labels, reduction="none"), z)
    half = np.log(2.0)
    np.testing.assert_allclose(values, [0.0, INF, INF, half, half, INF], rtol=1e-15)
    probability = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0, 0, 1]])
    expected = probability - np.eye(3)[labels]
    infinite = z == INF  # these have no influence; and what is subtracted is the same for all
    np.testing.assert_allclose(np.where(infinite, 0, slopes)[[0, 2, 3]], np.where(infinite, 0, expected)[[0, 2, 3]])
    assert np.isfinite(slopes).all()
    none = np.full((1, 3), -INF)
    assert np.isnan(pg.losses.softmax_cross_entropy(none, labels[:1]))
    rows = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    z = np.array([[5.0, -INF, INF], [5.0, 5.0, -INF]])
    values, slopes = with_slopes(lambda z: pg.losses.softmax_cross_entropy(z, rows, reduction="none"), z)
    np.testing.assert_allclose(values, [INF, half], rtol=1e-15)
    np.testing.assert_allclose(slopes[1], [0.0, 0.0, 0.0], atol=1e-16)


def test_infinite_logits_and_certain_probabilities_of_two_classes() -> None:
    y = np.array([1, 1, 0, 0])
    z = np.array([INF, -INF, INF, -INF])
    values, slopes = with_slopes(lambda z: pg.losses.bce_with_logits(z, y, reduction="none"), z)
    np.testing.assert_array_equal(values, [0.0, INF, INF, 0.0])
    np.testing.assert_array_equal(slopes, [0.0, -1.0, 1.0, 0.0])
    p = np.array([1.0, 0.0, 1.0, 0.0])
    values, slopes = with_slopes(lambda p: pg.losses.bce(p, y, reduction="none"), p)
    np.testing.assert_array_equal(values, [0.0, INF, INF, 0.0])
    np.testing.assert_array_equal(slopes, [-1.0, -INF, INF, 1.0])
    assert np.isnan(pg.losses.bce(np.array([-0.1, 1.1]), y[:2], reduction="none")).all()
    slope = pg.grad(lambda y: pg.losses.bce_with_logits(np.array([3.0, -2.0]), y, reduction="sum"))(
        np.array([0.0, 1.0])
    )
    np.testing.assert_array_equal(slope, [-3.0, 2.0])  # of a target that is certain


def test_divergences_at_their_ends() -> None:
    t = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    p = np.array([[0.5, 0.0, 0.5], [1.0, 0.0, 0.0]])
    values, slopes = with_slopes(lambda p: pg.losses.kl(p, t, reduction="none"), p)
    np.testing.assert_array_equal(values, [INF, 0.0])
    np.testing.assert_array_equal(slopes, [[-1.0, -INF, 0.0], [-1.0, 0.0, 0.0]])
    z = np.array([[0.0, 0.0, -INF], [1e4, -INF, -1e4]])
    values, slopes = with_slopes(lambda z: pg.losses.kl(z, t, from_logits=True, reduction="none"), z)
    np.testing.assert_allclose(values, [0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(slopes, np.zeros((2, 3)), atol=1e-15)


def test_cosines_of_large_small_near_and_zero_vectors() -> None:
    p = np.array([[1e200, 0.0], [1e-200, 0.0], [1.0, 1e-9], [0.0, 0.0], [-3.0, 0.0], [1.0, 1.0]])
    t = np.array([[1e200, 1e200], [0.0, 1e-200], [1.0, 0.0], [1.0, 2.0], [2.0, 0.0], [0.0, 0.0]])
    values, slopes = with_slopes(lambda p: pg.losses.cosine(p, t, reduction="none"), p)
    np.testing.assert_allclose(values, [1 - 0.5**0.5, 1.0, 5e-19, 1.0, 2.0, 1.0], rtol=1e-14)
    np.testing.assert_array_equal(slopes[[3, 5]], np.zeros((2, 2)))
    np.testing.assert_allclose(slopes[2], [-1e-18, 1e-9], rtol=1e-8)


def test_errors_of_any_size() -> None:
    r = np.array([INF, -INF, 1e308, 5e-324, np.nan])
    zero = np.zeros(5)
    for loss in (pg.losses.mae, pg.losses.log_cosh, pg.losses.huber):
        values, slopes = with_slopes(lambda r, loss=loss: loss(r, zero, reduction="none"), r)
        assert values[0] == values[1] == INF
        assert np.isfinite(values[2:4]).all()
        assert np.isnan(values[4])
        np.testing.assert_array_equal(slopes[:3], [1.0, -1.0, 1.0])
    for loss in (pg.losses.mae, pg.losses.mse, pg.losses.log_cosh, pg.losses.huber):
        assert pg.grad(lambda r, loss=loss: loss(r, 0.0))(0.0) == 0.0


X, Y = np.zeros((4, 3)), np.array([0, 1, 2, 0])
MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "column and vector": (lambda: pg.losses.mse(np.ones((3, 1)), np.ones(3)), pg.ShapeError, r"losses\.mse.*\(3, 1\)"),
    "shapes": (lambda: pg.losses.mae(np.ones(3), np.ones(4)), pg.ShapeError, r"losses\.mae: a prediction of shape"),
    "reduction": (lambda: pg.losses.mse(X, X, reduction="avg"), pg.UnsupportedError, "'mean', 'sum', 'none'"),
    "weights": (lambda: pg.losses.mse(X, X, weights=np.ones(3)), pg.ShapeError, r"weights of shape \(3,\)"),
    "many weights": (lambda: pg.losses.nll(X, Y, weights=np.ones((4, 3))), pg.ShapeError, r"losses of shape \(4,\)"),
    "class weights": (
        lambda: pg.losses.nll(X, Y, class_weights=np.ones(4)),
        pg.ShapeError,
        r"class_weights of shape \(4,\) for 3 classes",
    ),
    "label": (lambda: pg.losses.softmax_cross_entropy(X, Y + 1), pg.IndexRangeError, "label 3 for 3 classes"),
    "negative label": (lambda: pg.losses.nll(X, Y - 1), pg.IndexRangeError, "label -1 for 3 classes"),
    "label of a hinge": (lambda: pg.losses.hinge(X, Y * 2), pg.IndexRangeError, "losses.hinge: label 4"),
    "floating labels": (lambda: pg.losses.softmax_cross_entropy(X, Y * 1.0), pg.DTypeError, r"y\.astype\('int64'\)"),
    "column of labels": (lambda: pg.losses.nll(X, Y[:, None]), pg.ShapeError, r"labels have shape \(4,\)"),
    "rows of integers": (
        lambda: pg.losses.softmax_cross_entropy(X, np.eye(3, dtype=int)[Y]),
        pg.DTypeError,
        r"probabilities are floats",
    ),
    "no classes": (lambda: pg.losses.softmax_cross_entropy(np.zeros((4, 0)), Y), pg.ShapeError, "has no elements"),
    "scalar": (lambda: pg.losses.softmax_cross_entropy(1.0, 0), pg.ShapeError, "the prediction is a scalar"),
    "axis": (lambda: pg.losses.cosine(X, X, axis=2), pg.ShapeError, "axis 2"),
    "smoothing": (lambda: pg.losses.softmax_cross_entropy(X, Y, label_smoothing=2), pg.DomainError, "from 0 to 1"),
    "signs": (lambda: pg.losses.hinge(X[:, 0], Y), pg.DomainError, r"2 \* y - 1"),
    "text": (lambda: pg.losses.mse("a", X), pg.DTypeError, "'a'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, kind, text = MISTAKES[name]
    with pytest.raises(kind, match=text) as error:
        call()
    assert isinstance(error.value, pg.GraphError)
    assert "do: " in str(error.value)
    assert max(map(len, str(error.value).splitlines())) <= 100


def test_labels_out_of_range_are_found_when_a_compiled_function_runs() -> None:
    f = pg.compile(lambda x, y: pg.grad(pg.losses.softmax_cross_entropy)(x, y))
    assert f(X, Y).shape == (4, 3)
    for wrong, text in ((Y + 1, "index 3 is not from 0 to below 3"), (Y - 1, "index -1 is not from 0 to below 3")):
        with pytest.raises(pg.IndexRangeError, match=text):
            f(X, wrong)
    np.testing.assert_allclose(f(X, Y).sum(), 0.0, atol=1e-15)


def test_losses_batch_and_run_in_a_loop() -> None:
    z, labels = np.random.default_rng(0).normal(size=(5, 4, 3)), np.arange(20).reshape(5, 4) % 3
    expected = [pg.losses.softmax_cross_entropy(a, b) for a, b in zip(z, labels, strict=True)]
    np.testing.assert_allclose(pg.vmap(pg.losses.softmax_cross_entropy)(z, labels), expected, rtol=1e-15)
    _, found = pg.scan(lambda c, row: (c, pg.losses.softmax_cross_entropy(*row)), 0.0, (z, labels))
    np.testing.assert_allclose(found, expected, rtol=1e-15)
