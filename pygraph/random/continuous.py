"""Draws that are formulas of one uniform number: uniform, normal, truncated normal, exponential, laplace and others."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..ops import log, matmul, random_draws, where
from ..ops.common import explained, operand, static_shape
from ..ops.dtypes import float64
from ..ops.linalg import cholesky
from ..ops.random_bits import normal_bits, open_unit, unit
from ..ops.row import DType, Shape
from .drawing import checked_key, drawn, floating, numbers, parameter, seeds, shape_of


@explained
def uniform(key: Any, shape: Any = (), dtype: Any = "float64", minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    """Uniform numbers from `minval` up to `maxval`: 2^53 values of float64, 2^24 of float32.

    They are minval + (maxval - minval) u with u in [0, 1), so that they have derivatives in the bounds, and may round
    to `maxval` where the range is not [0, 1).

    Args:
        key: a key.
        shape: of the result.
        dtype: float64 or float32.
        minval, maxval: numbers, arrays or expressions that broadcast to `shape`.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.uniform(pg.random.key(0), (3,))
        array([0.41845711, 0.21629545, 0.96532146])
    """
    sizes, wanted = shape_of(static_shape(shape), minval, maxval), floating(dtype)
    if type(minval) is type(maxval) is float and (minval, maxval) == (0.0, 1.0):
        return drawn(_unit, checked_key(key), shape=sizes, dtype=wanted)
    return drawn(_uniform, checked_key(key), minval, maxval, shape=sizes, dtype=wanted)


def _unit(key: Any, shape: Shape, dtype: DType) -> Any:
    return numbers(unit, key, shape, dtype)


def _uniform(key: Any, minval: Any, maxval: Any, shape: Shape, dtype: DType) -> Any:
    low, high = parameter(minval, dtype), parameter(maxval, dtype)
    return low + (high - low) * numbers(unit, key, shape, dtype)


@explained
def normal(key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Normal numbers of mean 0 and standard deviation 1, by the inverse of their distribution to 3 ulp.

    Of float64 none is beyond 8.21, of float32 6.34: the probability of that is 2e-16, and 2e-10. Another mean and
    deviation are ordinary arithmetic, with its derivatives: mean + deviation * normal(key, shape).

    Args:
        key: a key.
        shape: of the result.
        dtype: float64 or float32.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.normal(pg.random.key(0), (3,))
        array([-0.20584214, -0.78476578,  1.81608667])
        >>> sample = lambda mean: np.mean(mean + pg.random.normal(pg.random.key(0), (100,)))
        >>> pg.grad(sample)(1.0)
        np.float64(1.0)
    """
    return drawn(_normal, checked_key(key), shape=static_shape(shape), dtype=floating(dtype))


def _normal(key: Any, shape: Shape, dtype: DType) -> Any:
    return numbers(normal_bits, key, shape, dtype)


@explained
def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Normal numbers of mean 0 and standard deviation 1 between two bounds, by the inverse of their distribution.

    They have derivatives in both bounds, which may be infinite, or far out in one tail. nan where lower > upper.

    Args:
        key: a key.
        lower, upper: numbers, arrays or expressions.
        shape: of the result; None: that to which the bounds broadcast.
        dtype: float64 or float32.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit.

    Example:
        >>> pg.random.truncated_normal(pg.random.key(0), -1.0, 1.0, (3,))
        array([-0.13999612, -0.50631466,  0.90652156])
    """
    sizes, wanted = shape_of(shape, lower, upper), floating(dtype)
    return drawn(_truncated_normal, checked_key(key), lower, upper, shape=sizes, dtype=wanted)


def _truncated_normal(key: Any, lower: Any, upper: Any, shape: Shape, dtype: DType) -> Any:
    low, high = parameter(lower, float64), parameter(upper, float64)
    return parameter(random_draws.truncated_normal(low, high, seeds(key, shape)), dtype)


@explained
def multivariate_normal(key: Any, mean: Any, cov: Any, shape: Any = None, dtype: Any = "float64") -> Any:
    """Vectors of the normal distribution of this mean and covariance: mean + L z, L the factor of Cholesky of `cov`.

    They have derivatives in both.

    Args:
        key: a key.
        mean: an array or expression of shape (…, n).
        cov: symmetric and positive definite, of shape (…, n, n); its lower triangle counts.
        shape: of the result without its last axis; None: that to which the leading axes of the two broadcast.
        dtype: float64 or float32.

    Raises:
        DTypeError, ShapeError: what is not a key, or a dtype or shape that does not fit; numpy.linalg.LinAlgError: a
            `cov` that is not positive definite.

    Example:
        >>> pg.random.multivariate_normal(pg.random.key(0), np.zeros(2), np.eye(2), (3,)).shape
        (3, 2)
    """
    mean, cov = operand(mean), operand(cov)
    if mean.ndim < 1 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        problem = f"mean has shape {mean.shape}, cov has {cov.shape}"
        raise ShapeError(problem, "give a vector of n numbers and a matrix of n × n")
    batch = shape_of(shape, np.broadcast_to(0.0, mean.shape[:-1]), np.broadcast_to(0.0, cov.shape[:-2]))
    wanted = floating(dtype)
    return drawn(_multivariate_normal, checked_key(key), mean, cov, shape=(*batch, mean.shape[-1]), dtype=wanted)


def _multivariate_normal(key: Any, mean: Any, cov: Any, shape: Shape, dtype: DType) -> Any:
    factor = cholesky(parameter(cov, dtype))
    return parameter(mean, dtype) + matmul(factor, numbers(normal_bits, key, shape, dtype)[..., None])[..., 0]


@explained
def exponential(key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Exponential numbers of mean 1: -log(u), u in (0, 1).

    Example:
        >>> pg.random.exponential(pg.random.key(0), (3,))
        array([0.87118088, 1.53110996, 0.03529411])
    """
    return drawn(_exponential, checked_key(key), shape=static_shape(shape), dtype=floating(dtype))


def _exponential(key: Any, shape: Shape, dtype: DType) -> Any:
    return -log(numbers(open_unit, key, shape, dtype))


@explained
def laplace(key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Numbers of the Laplace distribution of mean 0 and scale 1: log(2 u), and above the median -log(2 - 2 u).

    Example:
        >>> pg.random.laplace(pg.random.key(0), (3,))
        array([-0.17803369, -0.83796278,  2.66848708])
    """
    return drawn(_laplace, checked_key(key), shape=static_shape(shape), dtype=floating(dtype))


def _laplace(key: Any, shape: Shape, dtype: DType) -> Any:
    u = numbers(open_unit, key, shape, dtype)
    below = u < 0.5
    size = log(2.0 * where(below, u, 1.0 - u))
    return where(below, size, -size)


@explained
def logistic(key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Numbers of the logistic distribution: log(u / (1 - u)), u in (0, 1).

    Example:
        >>> pg.random.logistic(pg.random.key(0), (3,))
        array([-0.32911032, -1.28738678,  3.32634015])
    """
    return drawn(_logistic, checked_key(key), shape=static_shape(shape), dtype=floating(dtype))


def _logistic(key: Any, shape: Shape, dtype: DType) -> Any:
    u = numbers(open_unit, key, shape, dtype)
    return log(u / (1.0 - u))


@explained
def gumbel(key: Any, shape: Any = (), dtype: Any = "float64") -> Any:
    """Numbers of the Gumbel distribution of location 0 and scale 1: -log(-log(u)), u in (0, 1).

    Example:
        >>> pg.random.gumbel(pg.random.key(0), (3,))
        array([ 0.13790566, -0.42599294,  3.34403911])
    """
    return drawn(standard_gumbel, checked_key(key), shape=static_shape(shape), dtype=floating(dtype))


def standard_gumbel(key: Any, shape: Shape, dtype: DType) -> Any:
    """The draw itself, of checked operands."""
    return -log(-log(numbers(open_unit, key, shape, dtype)))
