"""Functions built from rows, which need no operation of their own: statistics, softmax and the like, activations."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..errors import DTypeError, UnsupportedError, shown
from .arithmetic import divide, maximum, minimum, multiply, square
from .common import explained, kind, normal_axes, operand
from .comparison import astype, floating, floats, isfinite_row, not_equal, select, stop_gradient
from .dtypes import as_dtype
from .reductions import chosen, kept_shape, reduce, reduce_max, reduce_sum
from .shaping import reshape
from .special import gelu_row
from .transcendental import exp, expm1, log, silu_row, sqrt, tanh

__all__ = [
    "clip",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "mean",
    "relu",
    "silu",
    "softmax",
    "std",
    "var",
]


def _floating(x: Any, bools: bool = False) -> Any:
    """The operand as floats: integers as float64; bools are refused, or taken as 0 and 1."""
    x = operand(x)
    if kind(x) == "b" and not bools:
        raise DTypeError("bool operand, a number needed", "use x.astype('float64')")
    return floating(x)


def _count(x: Any, axis: Any) -> int:
    """How many elements are combined along an `axis` argument."""
    return math.prod(x.shape[k] for k in normal_axes(axis, x.ndim))


def _counted(x: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    """How many elements take part: a float, or with `where` an array of them."""
    if where is None or where is True:
        return float(_count(x, axis))
    ones = chosen(np.ones((), x.dtype) + np.zeros(x.shape, x.dtype), where, 0)
    return reduce(reduce_sum, ones, axis, keepdims)


@explained
def mean(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    """The mean over `axis` (None for all, an int or several); float64 for integers and bools; nan of nothing.

    Args:
        x: an array.
        axis: what to take the mean of.
        dtype: to which the elements are converted first, and the mean.
        keepdims: keep the axes, of size 1.
        where: bools that broadcast with `x`: which elements take part.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> pg.mean(np.array([[1, 2], [3, 5]]), axis=1)
        array([1.5, 4. ])
    """
    x = _floating(x, bools=True) if dtype is None else astype(operand(x), as_dtype(dtype))
    x = chosen(x, where, 0)
    if kind(x) == "b":
        raise DTypeError("a mean in bools", "leave dtype out")
    found = divide(reduce(reduce_sum, x, axis, keepdims), _counted(x, axis, where, keepdims))
    return found if kind(x) == "f" else astype(found, x.dtype)


@explained
def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The variance over `axis`: the sum of squared deviations from the mean, divided by n - `ddof`.

    float64 for integers and bools; nan where nothing is combined, or n <= `ddof`.

    Args:
        x: an array.
        axis: None for all, an int or several.
        dtype: to which the elements are converted first: a floating one.
        ddof, correction: two names of what is taken off the number of elements.
        keepdims: keep the axes, of size 1.
        where: bools that broadcast with `x`: which elements take part.
        mean: the mean, with the axes kept, where it is known.

    Raises:
        ShapeError: an axis out of range or named twice; DTypeError: another dtype, or `ddof` is not a number.
        ValueError: both `ddof` and `correction`.

    Example:
        >>> float(pg.ops.var(np.array([1.0, 2.0, 3.0]), ddof=1))
        1.0
    """
    if correction is not None:
        if ddof != 0:
            raise ValueError("ddof and correction are two names of one number: give one of them")
        ddof = correction
    if not isinstance(ddof, (int, float, np.number)):
        raise DTypeError(f"ddof is {shown(ddof)}", "give a number that is known when recording")
    x = _floating(x, bools=True) if dtype is None else astype(operand(x), as_dtype(dtype))
    if kind(x) != "f":
        raise DTypeError(f"a variance in {x.dtype}", "give a floating dtype")
    deviation = x - (_mean(x, axis, keepdims=True, where=where) if mean is None else mean)
    total = reduce(reduce_sum, chosen(square(deviation), where, 0), axis, keepdims)
    count = _counted(x, axis, where, keepdims) - ddof
    return divide(total, builtins.max(count, 0.0) if isinstance(count, float) else maximum(count, 0.0))


_mean = mean


@explained
def std(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation over `axis`: the square root of `var`; its gradient is nan where it is 0.

    The arguments are those of `var`.

    Raises:
        ShapeError: an axis out of range or named twice; DTypeError, ValueError: as `var`.

    Example:
        >>> float(pg.std(np.array([1.0, 2.0, 3.0]), ddof=1))
        1.0
    """
    return sqrt(var(x, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction))


def _peak(x: Any, axes: tuple[int, ...]) -> Any:
    """The largest element over `axes`, kept, without derivative: the shift that keeps exp from overflowing."""
    return stop_gradient(reshape(reduce_max(x, axes=axes) if axes else x, kept_shape(x.shape, axes)))


def _exponentials(x: Any, axis: Any) -> tuple[Any, Any, Any, tuple[int, ...]]:
    """x less a finite shift, its exponentials, the shift, and the axes."""
    axes = tuple(sorted(normal_axes(axis, x.ndim)))
    peak = _peak(x, axes)
    shift = select(isfinite_row(peak), peak, 0.0)
    shifted = x - shift
    return shifted, exp(shifted), shift, axes


@explained
def logsumexp(x: Any, axis: Any = None, b: Any = None, *, keepdims: bool = False) -> Any:
    """log Σ exp(x) over `axis` (None for all, an int or several), shifted by the largest element against overflow.

    -inf where all elements are -inf or there are none, inf where one is inf; integers become float64. The gradient is
    the softmax.

    Args:
        x: an array.
        axis: over which axes.
        b: factors of the exponentials, broadcast with `x`: log Σ b exp(x), nan where that sum is negative; elements
            whose factor is 0 are left out.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ShapeError: an axis out of range or named twice, or shapes that do not broadcast.
        DTypeError: a bool operand.

    Example:
        >>> float(pg.logsumexp(np.array([1000.0, 0.0])))
        1000.0
    """
    if b is None:
        x = _floating(x)
    else:
        x, b = floats(x, b)
        used = not_equal(b, 0.0)
        x = select(used, x, -np.inf)
    _, exponentials, shift, axes = _exponentials(x, axis)
    if b is not None:
        exponentials = select(used, multiply(b, exponentials), 0.0)
    total = reduce(reduce_sum, exponentials, axes, True)
    result = log(total) + shift
    return result if keepdims else reshape(result, tuple(n for k, n in enumerate(x.shape) if k not in axes))


@explained
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / Σ exp(x) over `axis` (an int, several, or None for all), shifted by the largest element.

    nan where all elements are -inf or one is inf; integers become float64.

    Raises:
        ShapeError: an axis out of range or named twice.
        DTypeError: a bool operand.

    Example:
        >>> pg.softmax(np.array([0.0, 0.0, -np.inf]))
        array([0.5, 0.5, 0. ])
    """
    x = _floating(x)
    axes = tuple(sorted(normal_axes(axis, x.ndim)))
    exponentials = exp(x - _peak(x, axes))
    return exponentials / reduce(reduce_sum, exponentials, axes, True)


@explained
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """log softmax(x) over `axis` (an int, several, or None for all), as x - logsumexp(x), accurate far from the peak.

    Raises:
        ShapeError: an axis out of range or named twice.
        DTypeError: a bool operand.

    Example:
        >>> pg.log_softmax(np.array([0.0, -1000.0]))
        array([    0., -1000.])
    """
    x = _floating(x)
    shifted, exponentials, _, axes = _exponentials(x, axis)
    return shifted - log(reduce(reduce_sum, exponentials, axes, True))


@explained
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """`x` limited to a lower and an upper bound (either may be None), broadcast and promoted; nan stays nan.

    The bounds are the second and third argument, or `min` and `max`, or, as in older NumPy, `a_min` and `a_max`. Where
    `x` equals a bound, half the gradient reaches it.

    Raises:
        UnsupportedError: a bound given under both its names.

    Example:
        >>> pg.clip(np.array([-2.0, 0.5, 2.0]), -1.0, 1.0)
        array([-1. ,  0.5,  1. ])
    """
    if (min is not None and a_min is not None) or (max is not None and a_max is not None):
        raise UnsupportedError("a bound is given twice", "use min and max alone")
    low, high = min if a_min is None else a_min, max if a_max is None else a_max
    x = operand(x)  # a Python number counts as an array here, as in NumPy
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


@explained
def relu(x: Any) -> Any:
    """max(x, 0) elementwise; nan stays nan; the derivative is 0 at 0.

    Example:
        >>> pg.relu(np.array([-1.0, 2.0]))
        array([0., 2.])
    """
    x = operand(x)
    return select(x <= 0, 0, x)


@explained
def silu(x: Any) -> Any:
    """x sigmoid(x) elementwise, also called swish (Elfwing et al. 2017, arXiv:1702.03118); nan at -inf.

    Within 1.5 ulp, 2.7 in float32, also where the sigmoid is subnormal.

    Example:
        >>> pg.silu(np.array([0.0]))
        array([0.])
    """
    x = _floating(x)
    return silu_row(x)


@explained
def gelu(x: Any, approximate: str = "none") -> Any:
    """x Φ(x) elementwise, Φ the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415).

    Within 1.5 ulp through erfc, without cancellation for negative x; with `approximate="tanh"` the paper's formula
    0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))). nan at -inf.

    Raises:
        UnsupportedError: another `approximate` than "none" and "tanh".

    Example:
        >>> pg.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
        array([-0.1587,  0.    ,  0.8413])
    """
    x = _floating(x)
    if approximate == "none":
        return gelu_row(x)
    if approximate == "tanh":
        return 0.5 * x * (1.0 + tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))))
    raise UnsupportedError(f"approximate={shown(approximate)}", "give 'none' or 'tanh'")


@explained
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where it is positive, else alpha (eˣ - 1), elementwise (Clevert et al. 2015, arXiv:1511.07289).

    Example:
        >>> pg.elu(np.array([-np.inf, 0.0, 2.0]))
        array([-1.,  0.,  2.])
    """
    x = _floating(x)
    positive = x > 0.0
    return select(positive, x, alpha * expm1(select(positive, 0.0, x)))


@explained
def leaky_relu(x: Any, negative_slope: Any = 0.01) -> Any:
    """x where it is not negative, else `negative_slope` times x, elementwise; the derivative is 1 at 0.

    Example:
        >>> pg.leaky_relu(np.array([-2.0, 2.0]))
        array([-0.02,  2.  ])
    """
    x = _floating(x)
    return select(x < 0.0, negative_slope * x, x)
