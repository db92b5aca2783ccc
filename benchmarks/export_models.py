"""Thirteen models of control, robotics, estimation and learning, for exported C: one list for benchmark and tests.

Each is written once with NumPy's functions. pygraph records it; CasADi's expressions run through it as NumPy arrays of
objects, with `Objects` for what NumPy does not pass on to their methods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np

import pygraph as pg

from .camera import project

__all__ = ["MODELS", "Model", "Objects"]


class Arrays:
    """The functions of models on pygraph's expressions."""

    sigmoid = staticmethod(pg.sigmoid)
    logsumexp = staticmethod(pg.logsumexp)
    interp = staticmethod(np.interp)
    median = staticmethod(np.median)
    clip = staticmethod(np.clip)
    stack = staticmethod(np.stack)
    inverse = staticmethod(np.linalg.inv)
    project = staticmethod(lambda parameters: project(np, parameters))

    @staticmethod
    def zeros(shape: tuple[int, ...], like: Any) -> Any:
        """Zeros."""
        return np.zeros(shape, like.dtype)


class Objects:
    """The same on NumPy arrays of expressions of CasADi."""

    sqrt, sin, cos = np.sqrt, np.sin, np.cos
    sum, dot = staticmethod(np.sum), staticmethod(lambda x, y: np.sum(x * y))

    def __init__(self, casadi: Any) -> None:
        self.casadi = casadi
        casadi.GlobalOptions.setNumpyMode(-1)  # arrays of expressions stay arrays of NumPy

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + e^-x)."""
        return 1.0 / (1.0 + np.exp(-x))

    def logsumexp(self, x: Any, axis: int = -1) -> Any:
        """As scipy.special.logsumexp, over the last axis."""
        top = x[..., 0]
        for k in range(1, x.shape[-1]):
            top = self._each(self.casadi.fmax, top, x[..., k])
        return np.log(np.sum(np.exp(x - top[..., None]), axis=-1)) + top

    def interp(self, x: Any, points: Any, values: Any) -> Any:
        """As np.interp."""
        return self._each(lambda at: self.casadi.pw_lin(at, points, values), self.clip(x, points[0], points[-1]))

    def median(self, x: Any) -> Any:
        """Of an odd number of elements, by a network of exchanges."""
        items = list(x)
        for end in range(len(items) - 1, 0, -1):
            for k in range(end):
                a, b = items[k], items[k + 1]
                items[k], items[k + 1] = self.casadi.fmin(a, b), self.casadi.fmax(a, b)
        return items[len(items) // 2]

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """As np.clip."""
        return self._each(lambda at: self.casadi.fmin(self.casadi.fmax(at, low), high), x)

    def inverse(self, x: Any) -> Any:
        """Of a matrix of two rows."""
        (a, b), (c, d) = x
        return self.stack([self.stack([d, -b]), self.stack([-c, a])]) / (a * d - b * c)

    def stack(self, items: Any) -> Any:
        """As np.stack."""
        inner = items[0].shape if isinstance(items[0], np.ndarray) else ()
        made = np.empty((len(items), *inner), object)
        for at, item in enumerate(items):
            made[at] = item
        return made

    def project(self, parameters: Any) -> Any:
        """`camera.project`."""
        return project(self, parameters)

    def zeros(self, shape: tuple[int, ...], like: Any) -> Any:
        """Zeros."""
        return np.zeros(shape)

    @staticmethod
    def _each(function: Callable[..., Any], *arrays: Any) -> Any:
        return np.frompyfunc(function, len(arrays), 1)(*arrays)

    def symbols(self, x: Any) -> tuple[Any, Any]:
        """A vector of variables, one for each element of an array, and an array of them."""
        array = np.asarray(x)
        vector = self.casadi.SX.sym("x", array.size)
        made = np.empty(array.shape, object)
        for at, index in enumerate(np.ndindex(array.shape)):
            made[index] = vector[at]
        return vector, made if array.shape else made[()]

    def column(self, result: Any) -> Any:
        """The elements of a result as one column."""
        return self.casadi.vertcat(*(result.ravel() if isinstance(result, np.ndarray) else [result]))


@dataclass(frozen=True, eq=False)
class Model:
    """A model: f(functions, *arguments), differentiated by its first argument."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def recorded(self) -> pg.Graph:
        """Its graph."""
        return pg.trace(self.on_arrays, *self.arguments)

    def on_arrays(self, *arguments: Any) -> Any:
        """It on arrays or expressions of pygraph."""
        return self.function(Arrays, *arguments)


def neuron(xp: Any, w: Any, x: Any, y: Any) -> Any:
    """The squared error of one neuron."""
    return np.sum((y - xp.sigmoid(x @ w)) ** 2)


def mlp(xp: Any, weights: Any, x: Any) -> Any:
    """A net of one hidden layer: 4 inputs, 8 hidden units, 2 outputs."""
    first, second = weights[:32].reshape(4, 8), weights[32:48].reshape(8, 2)
    return np.tanh(x @ first) @ second


def mixture(xp: Any, parameters: Any, points: Any) -> Any:
    """The log-likelihood of a mixture of three Gaussians in the plane with diagonal covariances."""
    weights, means, logs = parameters[:3], parameters[3:9].reshape(3, 2), parameters[9:15].reshape(3, 2)
    scaled = (points[:, None, :] - means) * np.exp(-logs)
    inside = weights - np.sum(logs, axis=1) - 0.5 * np.sum(scaled**2, axis=2)
    return np.sum(xp.logsumexp(inside, axis=-1)) - len(points) * xp.logsumexp(weights[None, :], axis=-1)[0]


#: Lengths, offsets and twists of six joints (Denavit and Hartenberg's parameters).
JOINTS = ((0.1, 0.3, 90), (0.2, 0.0, 0), (0.05, 0.1, -90), (0.0, 0.4, 90), (0.0, 0.0, -90), (0.0, 0.1, 0))


def kinematics(xp: Any, q: Any) -> Any:
    """Where the end of an arm of six joints is, by matrices with literal zeros and ones."""
    place = np.eye(4)
    for at, (length, offset, twist) in enumerate(JOINTS):
        c, s = np.cos(q[at]), np.sin(q[at])
        ct, st = (round(float(x)) for x in (np.cos(twist * pi / 180), np.sin(twist * pi / 180)))
        zero = 0.0 * c
        rows = [
            [c, -s * ct, s * st, length * c],
            [s, c * ct, -c * st, length * s],
            [zero, zero + st, zero + ct, zero + offset],
            [zero, zero, zero, zero + 1.0],
        ]
        place = place @ xp.stack([xp.stack(row) for row in rows])
    return place[:3, 3]


def pendulum(xp: Any, state: Any, force: Any) -> Any:
    """A cart with a pendulum after ten steps of the classical Runge-Kutta method."""

    def slope(x: Any) -> Any:
        s, c = np.sin(x[1]), np.cos(x[1])
        turn = x[3] * x[3]
        cart = (force + 0.2 * s * (0.5 * turn + 9.81 * c)) / (1.0 + 0.2 * s * s)
        swing = -(force * c + 0.1 * turn * c * s + 11.772 * s) / (0.5 * (1.0 + 0.2 * s * s))
        return xp.stack([x[2], x[3], cart, swing])

    for _ in range(10):
        k1 = slope(state)
        k2 = slope(state + 0.01 * k1)
        k3 = slope(state + 0.01 * k2)
        k4 = slope(state + 0.02 * k3)
        state = state + (0.02 / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return state


def kepler(xp: Any, orbit: Any) -> Any:
    """The eccentric anomaly of a mean anomaly and an eccentricity, by six steps of Newton's method."""
    mean, eccentricity = orbit[0], orbit[1]
    found = mean
    for _ in range(6):
        found = found - (found - eccentricity * np.sin(found) - mean) / (1.0 - eccentricity * np.cos(found))
    return found


def controller(xp: Any, error: Any, state: Any, gains: Any) -> Any:
    """A controller of three axes with a filtered derivative and limits."""
    filtered = 0.9 * state + 0.1 * error
    asked = gains @ error + 0.3 * filtered + 0.05 * (error - filtered)
    return xp.clip(asked, -1.0, 1.0)


def table(xp: Any, x: Any) -> Any:
    """A characteristic curve between sixteen points, at five places."""
    points = np.linspace(0.0, 3.0, 16)
    return xp.interp(x, points, np.exp(-points) * np.sin(3.0 * points))


def log_sum(xp: Any, x: Any) -> Any:
    """The logarithm of a sum of exponentials."""
    return xp.logsumexp(x[None, :], axis=-1)[0]


def median(xp: Any, x: Any) -> Any:
    """The median of seven measurements, weighed by a polynomial."""
    middle = xp.median(x)
    return middle * (1.0 + 0.1 * middle)


def camera(xp: Any, parameters: Any) -> Any:
    """Where a camera sees a point."""
    return xp.project(parameters)


def kalman(xp: Any, x: Any, covariance: Any, seen: Any) -> Any:
    """An update of four states by two measurements: the new states."""
    measure = np.array([[1.0, 0.0, 0.1, 0.0], [0.0, 1.0, 0.0, 0.1]])
    expected = measure @ x + 0.05 * xp.stack([x[0] * x[1], x[2] * x[3]])
    spread = measure @ covariance @ measure.T + 0.01 * np.eye(2)
    return x + covariance @ measure.T @ (xp.inverse(spread) @ (seen - expected))


def _models() -> tuple[Model, ...]:
    rng = np.random.default_rng(13)
    draw = rng.normal
    square = draw(size=(4, 4))
    centre = np.array([0.2, 0.1, -0.3, 0, 0, 0, 1.2, 0.5, 0.5, 0.01, 0.001, 0.3, -0.2, 5.0])
    weights, x = draw(size=48), draw(size=(5, 4))
    return (
        Model("neuron", neuron, (draw(size=3), draw(size=(10, 3)), rng.uniform(size=10))),
        Model("mlp", mlp, (weights, x)),
        Model("mlp_single", mlp, (weights.astype("float32"), x.astype("float32"))),
        Model("mixture", mixture, (0.3 * draw(size=15), draw(size=(20, 2)))),
        Model("kinematics", kinematics, (np.linspace(0.1, 1.0, 6),)),
        Model("pendulum", pendulum, (np.array([0.0, 0.3, 0.1, -0.2]), np.asarray(0.5))),
        Model("kepler", kepler, (np.array([0.8, 0.3]),)),
        Model("controller", controller, (draw(size=3), draw(size=3), draw(size=(3, 3)))),
        Model("table", table, (np.array([0.05, 0.7, 1.31, 2.2, 2.95]),)),
        Model("log_sum", log_sum, (draw(size=16),)),
        Model("median", median, (draw(size=7),)),
        Model("camera", camera, (centre,)),
        Model("kalman", kalman, (draw(size=4), square @ square.T, draw(size=2))),
    )


MODELS = _models()
