"""Whole models that pygraph and JAX compute: each written once, against a namespace `m` (see `functions.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import add, positive, real

POINTS = np.linspace(-1.0, 1.0, 6)
#: Masses and lengths of the links of a planar arm of seven.
MASSES, LENGTHS = np.linspace(2.0, 0.5, 7), np.linspace(0.6, 0.2, 7)


def gaussian_process(m: Any, y: Any, scale: Any, noise: Any) -> Any:
    """The log-likelihood of samples at `POINTS`, with a squared exponential kernel (Rasmussen & Williams, eq. 2.30)."""
    apart = (POINTS[:, None] - POINTS) / scale
    factor = m.linalg.cholesky(m.exp(-0.5 * apart**2) + (noise + 1e-3) * np.eye(len(POINTS)))
    white = m.linalg.solve_triangular(factor, y, lower=True)
    return -0.5 * m.sum(white**2) - m.sum(m.log(m.diagonal(factor))) - 0.5 * len(POINTS) * np.log(2 * np.pi)


def kalman(m: Any, measured: Any, noise: Any) -> Any:
    """The log-likelihood of positions of a point of constant speed, by a Kalman filter of two states."""
    move, look = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])

    def step(carry: Any, z: Any) -> Any:
        mean, spread = carry
        mean, spread = move @ mean, move @ spread @ move.T + noise * np.eye(2)
        surprise = z - look @ mean
        total = look @ spread @ look.T + 0.1
        gain = m.linalg.solve(total, look @ spread).T
        value = -0.5 * (surprise @ m.linalg.solve(total, surprise) + m.linalg.slogdet(total)[1])
        return (mean + gain @ surprise, spread - gain @ look @ spread), value

    _, values = m.scan(step, (np.zeros(2), np.eye(2)), m.reshape(measured, (-1, 1)))
    return m.sum(values)


def arm_inertia(m: Any, q: Any) -> Any:
    """The inertia matrix of a planar arm of point masses at the ends of its links."""

    def places(q: Any) -> Any:
        angles = m.cumsum(q)
        return m.concatenate([m.cumsum(LENGTHS * m.cos(angles)), m.cumsum(LENGTHS * m.sin(angles))])

    slopes = m.jacfwd(places)(q)
    return slopes.T @ (np.concatenate([MASSES, MASSES])[:, None] * slopes)


def arm_acceleration(m: Any, q: Any, speed: Any, torque: Any) -> Any:
    """Its forward dynamics without gravity: M q'' = torque - (M' q' - d/dq q'M q'/2)."""

    def energy(q: Any) -> Any:
        return 0.5 * speed @ arm_inertia(m, q) @ speed

    _, moved = m.jvp(lambda q: arm_inertia(m, q) @ speed, (q,), (speed,))
    return m.linalg.solve(arm_inertia(m, q), torque - moved + m.grad(energy)(q))


add("gaussian process", gaussian_process, real(6), positive(), positive())
add("kalman filter", kalman, real(8), positive())
add("inertia of an arm", arm_inertia, real(7))
add("acceleration of an arm", arm_acceleration, real(7), real(7), real(7))


def mixture(m: Any, values: Any, means: Any, weights: Any) -> Any:
    """The log-likelihood of groups of samples, each of one of three normal distributions."""
    logs = -0.5 * (values[:, None] - means) ** 2
    groups = m.segment_sum(logs, np.array([0, 0, 1, 2, 2, 2, 3]), 4)
    return m.sum(m.logsumexp(groups + m.log_softmax(weights), axis=1))


def robust_regression(m: Any, slope: Any, offset: Any, noise: Any) -> Any:
    """The median of the absolute deviations of samples from a plane, and a quartile of them."""
    places = np.random.default_rng(0).normal(size=(9, 3))
    apart = m.abs(places @ slope + offset - noise)
    return m.median(apart) + 0.1 * m.quantile(apart, 0.75)


add("mixture of normal distributions", mixture, real(7), real(3), real(3))
add("robust regression", robust_regression, real(3), real(), real(9))


def convolutional_net(m: Any, images: Any, kernel: Any, bias: Any, readout: Any) -> Any:
    """The loss of a small net: a convolution, pooling, and a linear layer with softmax."""
    hidden = m.max_pool(m.tanh(m.conv(images, kernel, (1, 1), "SAME") + bias), (2, 2), (2, 2), "VALID")
    scores = m.reshape(hidden, (2, -1)) @ readout
    return -m.mean(m.log_softmax(scores, axis=1)[np.arange(2), np.array([0, 2])])


add("convolutional net", convolutional_net, real(2, 4, 4, 1), real(3, 3, 1, 2), real(2), real(8, 3))
