"""`polyfit`: the polynomial of least squares through samples."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...errors import ShapeError, UnsupportedError, shown
from ..arithmetic import divide, multiply, square
from ..common import explained, operand
from ..comparison import floating
from ..linalg.least_squares import lstsq
from ..reductions import sum as total
from ..sequences import vander
from ..shaping import expand_dims
from ..transcendental import sqrt


@explained
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: bool = False) -> Any:
    """The coefficients, the highest power first, of the polynomial of degree `deg` nearest to samples `y` at `x`.

    Columns of powers are scaled to norm 1 before they are fitted, as in NumPy.

    Args:
        x: places, of shape (m,).
        y: samples, of shape (m,) or, for several polynomials, (m, k).
        deg: the degree, known when recording.
        rcond: singular values up to rcond times the largest count as zeros; m times the machine epsilon by default.
        full: return residuals, rank, singular values and `rcond` as well.
        w: weights of shape (m,), by which deviations are multiplied.
        cov: must be False.

    Raises:
        ShapeError: a negative degree, or shapes that do not fit.
        UnsupportedError: `cov`.

    Example:
        >>> pg.polyfit(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]), 1).round(6)
        array([2., 1.])
    """
    if cov:
        raise UnsupportedError("covariances of coefficients are not supported", "leave cov out")
    x, y = floating(x), floating(y)
    order = operator.index(deg) + 1
    if order < 1:
        raise ShapeError(f"deg is {shown(deg)}", "give 0 or more")
    if x.ndim != 1 or not x.shape[0] or y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ShapeError(f"places of shape {x.shape} and samples of shape {y.shape}", "give (m,), and (m,) or (m, k)")
    powers, samples = vander(x, order), y
    if w is not None:
        weights = operand(w)
        if weights.shape != x.shape:
            raise ShapeError(f"weights of shape {weights.shape} for {x.shape[0]} samples", "give one for each sample")
        powers = multiply(powers, expand_dims(weights, 1))
        samples = multiply(samples, expand_dims(weights, 1) if y.ndim == 2 else weights)
    if rcond is None:
        rcond = x.shape[0] * float(np.finfo(x.dtype).eps)
    scale = sqrt(total(square(powers), 0))
    found, residuals, rank, values = lstsq(divide(powers, scale), samples, rcond)
    found = divide(found, expand_dims(scale, 1) if y.ndim == 2 else scale)
    return (found, residuals, rank, values, rcond) if full else found
