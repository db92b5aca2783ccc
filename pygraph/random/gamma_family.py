"""Gamma numbers and what is made of them, with derivatives in their parameters: gamma, loggamma, beta, dirichlet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.given_derivatives import given, given_batch
from ..autodiff.masks import Derivative, settle
from ..errors import ShapeError
from ..graph.construction import as_node
from ..graph.node import Node
from ..ops import exp, sigmoid, softmax
from ..ops.common import explained, operand, static_shape
from ..ops.dtypes import float64
from ..ops.random_draws import log_gamma_draw, log_gamma_slope
from ..ops.row import DType, Shape
from .drawing import checked_key, drawn, floating, parameter, part, seeds, shape_of


@explained
def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Gamma numbers of the shape parameter `a` and scale 1, by the method of Marsaglia and Tsang (2000).

    The derivative in `a` is that at a fixed place in the distribution (implicit reparameterisation: Figurnov, Mohamed
    and Mnih, 2018), by quadrature. Numbers below the smallest float are 0: see `loggamma`. A negative `a` gives nan.

    Args:
        key: a key.
        a: a number, array or expression.
        shape: of the result; None: that of `a`.
        dtype: float64 or float32.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.gamma(pg.random.key(0), 3.0, (3,)).round(6)
        array([1.387637, 1.532711, 2.41584 ])
        >>> pg.grad(lambda a: np.mean(pg.random.gamma(pg.random.key(0), a, (1000,))))(3.0).round(2)
        np.float64(1.0)
    """
    return drawn(_gamma, checked_key(key), a, shape=shape_of(shape, a), dtype=floating(dtype))


def _gamma(key: Any, a: Any, shape: Shape, dtype: DType) -> Any:
    return parameter(exp(_log_gamma(key, a, shape)), dtype)


class _AtItsPlace:
    """The derivative of log-gamma numbers in their parameter where their place in the distribution stays."""

    def jvp(self, primals: Sequence[Node], tangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """The slope times the tangent of the parameter."""
        tangent = settle(tangents)[0]
        return [None if tangent is None else self._slope(primals) * tangent]

    def vjp(self, primals: Sequence[Node], cotangents: Sequence[Derivative | None]) -> list[Derivative | None]:
        """The slope times the cotangent, and nothing for the seed."""
        (cotangent,) = settle(cotangents)
        return [None if cotangent is None else self._slope(primals) * cotangent, None]

    def batch(
        self, node: Node, operands: Sequence[Node], flags: Sequence[bool], size: int
    ) -> tuple[list[Node], list[bool]]:
        """As of any rule."""
        return given_batch(self, node, operands, flags, size)

    def _slope(self, primals: Sequence[Node]) -> Any:
        return log_gamma_slope(primals[0], _moving(*primals))


_RULE = _AtItsPlace()


def _moving(a: Any, seed: Any) -> Any:
    return given(_RULE, (a, seed), [as_node(log_gamma_draw(a, seed))])[0]


def _log_gamma(key: Any, a: Any, shape: Shape) -> Any:
    return _moving(as_node(parameter(a, float64, shape)), as_node(seeds(key, shape)))


@explained
def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """The logarithms of gamma numbers, for small `a` where these are below the smallest float; else as `gamma`.

    Example:
        >>> pg.random.loggamma(pg.random.key(0), 1e-3, (2,)).round(3)
        array([-439.842, -394.988])
    """
    return drawn(_loggamma, checked_key(key), a, shape=shape_of(shape, a), dtype=floating(dtype))


def _loggamma(key: Any, a: Any, shape: Shape, dtype: DType) -> Any:
    return parameter(_log_gamma(key, a, shape), dtype)


@explained
def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Beta numbers of the parameters `a` and `b`: x / (x + y) of gamma numbers x and y, with their derivatives.

    Example:
        >>> pg.random.beta(pg.random.key(0), 2.0, 3.0, (2,)).shape
        (2,)
    """
    return drawn(_beta, checked_key(key), a, b, shape=shape_of(shape, a, b), dtype=floating(dtype))


def _beta(key: Any, a: Any, b: Any, shape: Shape, dtype: DType) -> Any:
    found = sigmoid(_log_gamma(part(key, 0), a, shape) - _log_gamma(part(key, 1), b, shape))
    return parameter(found, dtype)


@explained
def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Vectors of the Dirichlet distribution of the parameters along the last axis of `alpha`: they sum to 1.

    Args:
        key: a key.
        alpha: an array or expression of one axis or more.
        shape: of the result without its last axis; None: that of `alpha` without its last axis.
        dtype: float64 or float32.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.dirichlet(pg.random.key(0), np.array([1.0, 2.0, 3.0])).sum().round(12)
        np.float64(1.0)
    """
    sizes = operand(alpha).shape
    if not sizes:
        raise ShapeError("the parameters are one number", "give a vector of them")
    batch = sizes[:-1] if shape is None else shape_of(static_shape(shape), np.broadcast_to(0.0, sizes[:-1]))
    return drawn(_dirichlet, checked_key(key), alpha, shape=(*batch, sizes[-1]), dtype=floating(dtype))


def _dirichlet(key: Any, alpha: Any, shape: Shape, dtype: DType) -> Any:
    return parameter(softmax(_log_gamma(key, alpha, shape)), dtype)
