"""Losses and their gradients against definitions written out in mpmath or by other libraries, and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
import sklearn.metrics

import pygraph as pg

RNG = np.random.default_rng(0)
Z = np.array([-1e4, -745.5, -40.0, -1.5, -1e-9, 0.0, 1e-9, 0.3, 2.0, 40.0, 745.5, 1e4])
Y = np.array([0.0, 1.0, 0.3, 1.0, 0.0, 1.0, 0.9, 0.0, 1.0, 1.0, 0.5, 0.0])
R = np.array([0.0, 1e-12, -1e-5, 0.3, -0.99, 1.0, 1.01, -2.5, 30.0, -1e4, 1e200, 0.0])
P = np.array([1e-300, 1e-17, 0.2, 0.5, 0.7, 1.0 - 1e-16, 0.25, 0.999, 0.5, 0.1, 0.6, 0.75])


def bce_of_logits(z: Any, y: Any) -> Any:
    return mpmath.log1p(mpmath.exp(-abs(z))) + (z * (1 - y) if z > 0 else -z * y)


def bce_of_probabilities(p: Any, y: Any) -> Any:
    return -(y * mpmath.log(p) + ((1 - y) * mpmath.log1p(-p) if y < 1 else 0))


def log_cosh(r: Any, _: Any) -> Any:
    return abs(r) + mpmath.log1p(mpmath.exp(-2 * abs(r))) - mpmath.log(2)


def huber(r: Any, _: Any) -> Any:
    return r * r / 2 if abs(r) <= mpmath.mpf("1.5") else mpmath.mpf("1.5") * (abs(r) - mpmath.mpf("0.75"))


def pinball(p: Any, y: Any) -> Any:
    r = y - p
    return mpmath.mpf(0.9) * r if r > 0 else (mpmath.mpf(0.9) - 1) * r


#: loss, prediction, target, its definition in exact arithmetic
ELEMENTWISE: dict[str, tuple[Callable[..., Any], Any, Any, Callable[[Any, Any], Any]]] = {
    "mse": (pg.losses.mse, R[:-2], Y[:-2], lambda p, y: (p - y) ** 2),
    "mae": (pg.losses.mae, R, Y, lambda p, y: abs(p - y)),
    "huber": (lambda p, y, **k: pg.losses.huber(p, y, delta=1.5, **k), R, 0.0 * Y, huber),
    "log_cosh": (pg.losses.log_cosh, R, 0.0 * Y, log_cosh),
    "pinball": (lambda p, y, **k: pg.losses.pinball(p, y, quantile=0.9, **k), R, Y, pinball),
    "bce": (pg.losses.bce, P, Y, bce_of_probabilities),
    "bce_with_logits": (pg.losses.bce_with_logits, Z, Y, bce_of_logits),
    "hinge": (pg.losses.hinge, R, np.where(Y > 0.5, 1.0, -1.0), lambda p, y: max(mpmath.mpf(0), 1 - p * y)),
}


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """The values of all elementwise losses and the gradients of their sums, from one compiled function."""

    def each(given: Any) -> Any:
        found = {}
        for name, (p, y) in given.items():
            loss = ELEMENTWISE[name][0]
            values = loss(p, y, reduction="none")
            found[name] = values, pg.grad(lambda p, loss=loss, y=y: loss(p, y, reduction="sum"))(p)
        return found

    found: dict[str, Any] = pg.compile(each)({name: case[1:3] for name, case in ELEMENTWISE.items()})
    return found


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_losses_are_exact_to_rounding(compiled: dict[str, Any], name: str) -> None:
    loss, prediction, target, definition = ELEMENTWISE[name]
    values, slopes = compiled[name]
    with mpmath.workprec(400):
        pairs = [(mpmath.mpf(float(p)), mpmath.mpf(float(y))) for p, y in zip(prediction, target, strict=True)]
        expected = [float(definition(p, y)) for p, y in pairs]
        smooth = [k for k, (p, y) in enumerate(pairs) if 1e-6 < abs(p) < 50 and abs(p - y) > 1e-6]
        smooth = [k for k in smooth if abs(abs(prediction[k]) - 1.0) > 1e-9]
        exact = [float(mpmath.diff(lambda p, y=pairs[k][1]: definition(p, y), pairs[k][0])) for k in smooth]
    np.testing.assert_allclose(values, expected, rtol=2e-15, atol=0)
    np.testing.assert_allclose(loss(prediction, target, reduction="none"), values, rtol=1e-15, atol=0)
    assert len(smooth) > 4
    np.testing.assert_allclose(slopes[smooth], exact, rtol=1e-13, atol=1e-300)


def test_a_bce_of_logits_has_the_gradient_of_the_sigmoid_everywhere() -> None:
    slopes = pg.vmap(pg.grad(lambda z, y: pg.losses.bce_with_logits(z, y, reduction="sum")), (None, 0))(Z, np.eye(3)[0])
    np.testing.assert_allclose(slopes[0], -scipy.special.expit(-Z), rtol=4e-16)
    np.testing.assert_allclose(slopes[1], scipy.special.expit(Z), rtol=4e-16)


def labels_as_rows(labels: Any, n: int) -> Any:
    return np.eye(n)[labels]


def cross_entropy(z: Any, t: Any, c: Any) -> Any:
    """-Σ c t log softmax(z) of rows, in extended precision."""
    found = []
    with mpmath.workprec(200):
        for row, targets in zip(z, t, strict=True):
            normaliser = mpmath.log(sum(mpmath.exp(float(x)) for x in row))
            found.append(
                float(sum(float(w * u) * (normaliser - float(x)) for x, u, w in zip(row, targets, c, strict=True)))
            )
    return np.array(found)


LOGITS = np.array([[0.0, 0.0, 0.0, 0.0], [1e4, -1e4, 1e4, 0.0], [3.0, 1.0, -2.0, 0.5], [-800.0, -801.0, -799.0, 20.0]])
LABELS = np.array([3, 1, 0, 2])
ONES = np.ones(4)
C = np.array([1.0, 0.5, 4.0, 0.25])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("c", [None, C], ids=["equal", "weighted"])
def test_softmax_cross_entropy(smoothing: float, c: Any) -> None:
    options: dict[str, Any] = {"label_smoothing": smoothing, "class_weights": c, "reduction": "none"}
    rows = labels_as_rows(LABELS, 4)
    smooth = (1 - smoothing) * rows + smoothing / 4
    expected = cross_entropy(LOGITS, smooth, ONES if c is None else c)
    np.testing.assert_allclose(pg.losses.softmax_cross_entropy(LOGITS, LABELS, **options), expected, rtol=1e-14)
    np.testing.assert_allclose(pg.losses.softmax_cross_entropy(LOGITS, rows, **options), expected, rtol=1e-14)
    if (smoothing == 0.1) == (c is None):  # of the rest the values
        return

    def both(z: Any, labels: Any, rows: Any) -> Any:
        mean = {**options, "reduction": "mean"}
        first = pg.value_and_grad(lambda z: pg.losses.softmax_cross_entropy(z, labels, **mean))(z)
        return first, pg.value_and_grad(lambda z: pg.losses.softmax_cross_entropy(z, rows, **mean))(z)

    weights = smooth * (1 if c is None else c)
    slopes = weights.sum(1, keepdims=True) * scipy.special.softmax(LOGITS, axis=1) - weights
    total = 4 if c is None else c[LABELS].sum()  # as in PyTorch
    for value, slope in pg.compile(both)(LOGITS, LABELS, rows):
        np.testing.assert_allclose(value, expected.sum() / total, rtol=1e-14)
        np.testing.assert_allclose(slope, slopes / total, rtol=1e-12, atol=1e-16)


def test_classes_along_another_axis() -> None:
    z, labels = RNG.normal(size=(2, 3, 5)), RNG.integers(0, 3, (2, 5))
    expected = pg.losses.softmax_cross_entropy(np.moveaxis(z, 1, -1), labels, reduction="none")
    assert expected.shape == (2, 5)
    np.testing.assert_array_equal(pg.losses.softmax_cross_entropy(z, labels, axis=1, reduction="none"), expected)
    rows = np.moveaxis(labels_as_rows(labels, 3), -1, 1)
    np.testing.assert_allclose(pg.losses.softmax_cross_entropy(z, rows, axis=1, reduction="none"), expected, rtol=1e-14)
    logs = scipy.special.log_softmax(z, axis=1)
    np.testing.assert_allclose(pg.losses.nll(logs, labels, axis=1, reduction="none"), expected, rtol=1e-13)


def test_losses_against_scikit_learn_and_scipy() -> None:
    z, labels, w = RNG.normal(size=(20, 3)), np.arange(20) % 3, RNG.uniform(0.1, 2.0, 20)
    p, q = scipy.special.softmax(z, axis=1), scipy.special.softmax(z[::-1] * 2, axis=1)
    expected = sklearn.metrics.log_loss(labels, p, sample_weight=w * C[labels])
    for given in (
        pg.losses.softmax_cross_entropy(z, labels, weights=w, class_weights=C[:3]),
        pg.losses.nll(np.log(p), labels, weights=w, class_weights=C[:3]),
    ):
        np.testing.assert_allclose(given, expected, rtol=1e-13)
    expected = sklearn.metrics.hinge_loss(labels, z, sample_weight=w)
    np.testing.assert_allclose(pg.losses.hinge(z, labels, weights=w), expected, rtol=1e-13)
    signs = np.where(labels > 0, 1, -1)
    expected = sklearn.metrics.hinge_loss(signs, z[:, 0], sample_weight=w)
    for target in (signs, signs > 0, signs.astype(float)):
        np.testing.assert_allclose(pg.losses.hinge(z[:, 0], target, weights=w), expected, rtol=1e-13)
    squares = pg.losses.hinge(z, labels, reduction="none") ** 2
    np.testing.assert_allclose(pg.losses.hinge(z, labels, squared=True, reduction="none"), squares, rtol=1e-13)
    expected = sklearn.metrics.mean_pinball_loss(z[:, 0], z[:, 1], sample_weight=w, alpha=0.2)
    np.testing.assert_allclose(pg.losses.pinball(z[:, 1], z[:, 0], quantile=0.2, weights=w), expected, rtol=1e-13)
    expected = scipy.stats.entropy(p, q, axis=1)
    np.testing.assert_allclose(pg.losses.kl(q, p, reduction="none"), expected, rtol=1e-12)
    np.testing.assert_allclose(pg.losses.kl(2 * z[::-1], p, from_logits=True, reduction="none"), expected, rtol=1e-12)
    np.testing.assert_allclose(pg.losses.kl(np.log(q.T), p.T, from_logits=True, axis=0), expected.mean(), rtol=1e-12)
    expected = [scipy.spatial.distance.cosine(a, b) for a, b in zip(z, p, strict=True)]
    np.testing.assert_allclose(pg.losses.cosine(z, p, reduction="none"), expected, rtol=1e-12)
    expected = np.average(scipy.special.huber(0.7, z - p), axis=0, weights=w).mean()
    np.testing.assert_allclose(pg.losses.huber(z, p, delta=0.7, weights=w), expected, rtol=1e-13)
    y = (labels > 0).astype(int)
    expected = sklearn.metrics.log_loss(y, scipy.special.expit(z[:, 0]), sample_weight=np.where(y, 3.0, 1.0)) * (
        np.where(y, 3.0, 1.0).sum() / 20
    )
    np.testing.assert_allclose(pg.losses.bce_with_logits(z[:, 0], y, pos_weight=3.0), expected, rtol=1e-13)


def test_vector_losses_have_right_derivatives_of_both_orders() -> None:
    z, p = RNG.normal(size=(3, 4)), scipy.special.softmax(RNG.normal(size=(3, 4)), axis=1)
    pg.check_grads(lambda z, p: pg.losses.cosine(z, p) + pg.losses.kl(z, p, from_logits=True), (z, p), order=1)
    pg.check_grads(lambda q: pg.losses.kl(q, p) + pg.losses.cosine(q, z), (p[::-1],), order=2, modes=("reverse",))


def test_reductions_and_weights() -> None:
    p, t, w = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), np.array([1.0, 0.0, 2.0, 0.5])
    squares = (p - t) ** 2
    assert pg.losses.mse(p, t) == pytest.approx(squares.mean(), rel=1e-14)
    assert pg.losses.sse(p, t) == pytest.approx(squares.sum(), rel=1e-14)
    assert pg.losses.sse(p, t, weights=w) == pytest.approx((w[:, None] * squares).sum(), rel=1e-14)
    assert pg.losses.mse(p, t, weights=w) == pytest.approx(np.average(squares.mean(1), weights=w), rel=1e-14)
    columns = np.array([[1.0, 2.0, 0.0]])
    assert pg.losses.mse(p, t, weights=columns) == pytest.approx(np.average(squares.mean(0), weights=columns[0]))
    np.testing.assert_allclose(pg.losses.mse(p, t, weights=w, reduction="none"), w[:, None] * squares, rtol=1e-14)
    spoilt = np.where(w[:, None] == 0, np.nan, p)
    value, slope = pg.value_and_grad(lambda p: pg.losses.mse(p, t, weights=w))(spoilt)
    assert value == pytest.approx(pg.losses.mse(p, t, weights=w), rel=1e-14)
    np.testing.assert_allclose(slope, 2 * w[:, None] * (p - t) / (3 * w.sum()), rtol=1e-13)
    slope = pg.grad(lambda w: pg.losses.sse(p, t, weights=w))(w)  # also where the weight is 0
    np.testing.assert_allclose(slope, squares.sum(1), rtol=1e-13)


def test_scalars_broadcasting_and_nothing() -> None:
    assert pg.losses.mse(3.0, 1) == 4.0
    assert pg.losses.mse(np.float32(3.0), 1).dtype == np.float32
    assert pg.losses.mse(np.array([1.0, 3.0]), 1.0) == 2.0
    assert pg.losses.mse(2.0, [1, 3]) == 1.0
    assert np.isnan(pg.losses.mse(np.ones(0), np.ones(0)))
    assert pg.losses.sse(np.ones((0, 2)), np.ones((0, 2))) == 0.0
    assert pg.losses.softmax_cross_entropy(np.zeros(2), 1).round(6) == 0.693147
    assert pg.losses.softmax_cross_entropy(np.zeros((0, 2)), np.zeros(0, int), reduction="sum") == 0.0
    assert pg.losses.mse(np.ones((6, 1))[::2], np.ones((3, 1))) == 0.0


EACH: dict[str, Callable[[Any, Any, Any], Any]] = {
    "mse": lambda x, y, i: pg.losses.mse(x, y),
    "sse": lambda x, y, i: pg.losses.sse(x, y),
    "mae": lambda x, y, i: pg.losses.mae(x, y),
    "huber": lambda x, y, i: pg.losses.huber(x, i[:, None], delta=0.5),
    "log_cosh": lambda x, y, i: pg.losses.log_cosh(x, y),
    "pinball": lambda x, y, i: pg.losses.pinball(x, y, quantile=0.1, weights=i),
    "bce": lambda x, y, i: pg.losses.bce(y, i[:, None] > 0),
    "bce_with_logits": lambda x, y, i: pg.losses.bce_with_logits(x, i[:, None], pos_weight=np.arange(1.0, 4.0)),
    "nll": lambda x, y, i: pg.losses.nll(x, i),
    "labels": lambda x, y, i: pg.losses.softmax_cross_entropy(
        x, i, label_smoothing=0.1, class_weights=C[:3], weights=i
    ),
    "probabilities": lambda x, y, i: pg.losses.softmax_cross_entropy(x, y, label_smoothing=0.1, class_weights=C[:3]),
    "hinge": lambda x, y, i: pg.losses.hinge(x, i),
    "kl": lambda x, y, i: pg.losses.kl(y, y[::-1]) + pg.losses.kl(x, y, from_logits=True),
    "cosine": lambda x, y, i: pg.losses.cosine(x, y),
}


@pytest.fixture(scope="module")
def in_both_dtypes() -> Any:
    """Every loss and its gradient, in one compiled function, of float64 and of float32 operands."""
    x, y, i = RNG.normal(size=(2, 3)), RNG.uniform(0.1, 0.9, (2, 3)), np.array([0, 1])
    f = pg.compile(lambda x, y, i: [pg.value_and_grad(f)(x, y, i) for f in EACH.values()])
    small = x.astype(np.float32), y.astype(np.float32), i.astype(np.int32)
    eager = [f(*small) for f in EACH.values()]
    return f(*(a.astype(float) for a in small[:2]), i), f(*small), eager


@pytest.mark.parametrize("k", range(len(EACH)), ids=list(EACH))
def test_float32_stays_float32(in_both_dtypes: Any, k: int) -> None:
    wide, small, eager = (found[k] for found in in_both_dtypes)
    assert eager.dtype == np.float32
    for a, b in zip(pg.tree_leaves(wide), pg.tree_leaves(small), strict=True):
        assert (a.dtype, b.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(b, a, rtol=3e-6, atol=1e-6)
    np.testing.assert_allclose(eager, small[0], rtol=1e-6)
