"""The multivariate normal distribution, through the Cholesky factor of its covariance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import add, multiply, square, subtract
from ..common import explained
from ..comparison import astype, floating
from ..linalg import cholesky, solve_triangular
from ..reductions import sum as total
from ..shaping import broadcast_to, moveaxis, reshape
from ..transcendental import log


class multivariate_normal:
    """The multivariate normal distribution."""

    @staticmethod
    @explained
    def logpdf(x: Any, mean: Any = None, cov: Any = 1) -> Any:
        """The logarithm of the density at points `x`.

        Args:
            x: points of shape (..., n); of one dimension, numbers of any shape.
            mean: a vector of n; None: zeros.
            cov: the covariance of shape (n, n), positive definite; a vector: the variances on its diagonal; a number:
                all variances.

        Raises:
            ShapeError: shapes that do not fit; LinAlgError: a covariance that is not positive definite.

        Example:
            >>> cov = np.array([[2.0, 0.5], [0.5, 1.0]])
            >>> pg.stats.multivariate_normal.logpdf(np.array([0.0, 1.0]), cov=cov).round(6)
            np.float64(-2.689114)
        """
        strong = [z for z in (x, mean, cov) if z is not None and type(z) not in (bool, int, float)]
        dtype = np.result_type(*(floating(z).dtype for z in strong)) if strong else np.dtype(np.float64)
        x, mean, cov = (astype(z, dtype) for z in (x, 0.0 if mean is None else mean, cov))
        sizes = {*mean.shape, *cov.shape}
        if mean.ndim > 1 or cov.ndim > 2 or len(sizes) > 1:
            raise ShapeError(
                f"a mean of shape {mean.shape} and a covariance of shape {cov.shape}", "give (n,) and (n, n)"
            )
        n = sizes.pop() if sizes else 1
        if cov.ndim < 2:
            cov = multiply(reshape(broadcast_to(cov, (n,)), (n, 1)), astype(np.eye(n), cov.dtype))
        if n == 1 and not (x.ndim and x.shape[-1] == 1 and x.ndim > 1):
            x = reshape(x, (*x.shape, 1))
        if x.ndim == 0 or x.shape[-1] != n:
            raise ShapeError(f"points of shape {x.shape} in {n} dimensions", "give them along the last axis")
        factor = cholesky(cov)
        deviations = reshape(subtract(x, mean), (-1, n))
        z = solve_triangular(factor, moveaxis(deviations, 0, 1), lower=True)
        diagonal = total(multiply(factor, astype(np.eye(n), factor.dtype)), -1)
        squares = reshape(total(square(z), 0), x.shape[:-1])
        return subtract(multiply(-0.5, squares), add(total(log(diagonal)), 0.5 * n * math.log(2.0 * math.pi)))
