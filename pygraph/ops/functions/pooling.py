"""Pooling: the largest, or the mean, of each window of a batch of signals, images or volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import divide
from ..common import explained, kind, operand
from ..composite import mean
from ..keys import index
from ..reductions import max as largest, sum as total
from ..shaping import reshape
from .padding import pad
from .windows import channels_back, channels_last, is_channels_last, numbers, outputs, widths


@explained
def max_pool(x: Any, window_shape: Any, strides: Any = 1, padding: Any = "VALID", layout: str = "NHWC") -> Any:
    """The largest element of each window; elements that tie for it share its derivative equally.

    Args:
        x: (n, *axes, channels) with 1 to 3 axes, or (n, channels, *axes) with layout "NCHW".
        window_shape: the size of a window along each axis, an int or one for each; parameters are named as in Flax.
        strides: how far apart windows are, an int or one for each axis.
        padding: "VALID", "SAME", an int or pairs of ints (before, behind), as for `conv`. What lies outside of `x` is
            smaller than all elements: -inf, or the lowest number of the dtype.
        layout: as for `conv`.

    Returns:
        (n, *outputs, channels), or (n, channels, *outputs), with (s - window) // strides + 1 outputs of an axis that is
        s long with its padding, none where that is negative; of the dtype of `x`.

    Raises:
        ShapeError: axes or parameters that do not fit, or a negative padding.
        UnsupportedError: other layouts and paddings.

    Example:
        >>> pg.max_pool(np.array([3.0, 1.0, 2.0, 4.0]).reshape(1, 4, 1), 2, 2).ravel()
        array([3., 4.])
    """
    x, last = _operand(x, layout)
    lowest = -np.inf if kind(x) == "f" else False if kind(x) == "b" else np.iinfo(x.dtype).min
    windows, axes, _ = _windows(x, window_shape, strides, padding, lowest)
    return channels_back(largest(windows, axes), last)


@explained
def avg_pool(
    x: Any,
    window_shape: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    count_include_pad: bool = True,
    layout: str = "NHWC",
) -> Any:
    """The mean of each window; integers and bools as float64.

    Args:
        x, window_shape, strides, padding, layout: as for `max_pool`.
        count_include_pad: whether what lies outside of `x` counts, as zeros; a window of that alone is nan otherwise.

    Returns:
        As `max_pool`.

    Raises:
        ShapeError: axes or parameters that do not fit, or a negative padding.
        UnsupportedError: other layouts and paddings.

    Example:
        >>> pg.avg_pool(np.array([3.0, 1.0, 2.0, 4.0]).reshape(1, 4, 1), 2, 2).ravel()
        array([2., 3.])
    """
    x, last = _operand(x, layout)
    windows, axes, pairs = _windows(x, window_shape, strides, padding, 0)
    size = prod(windows.shape[axis] for axis in axes)
    if count_include_pad or not any(map(any, pairs)):
        counts: Any = size
    else:
        ones = np.ones((1, *x.shape[1:-1], 1), windows.dtype if kind(x) == "f" else np.float64)
        counts = np.asarray(total(_windows(ones, window_shape, strides, padding, 0)[0], axes))
        counts[counts == 0] = np.nan
    return channels_back(divide(total(windows, axes), counts), last)


@explained
def global_max_pool(x: Any, layout: str = "NHWC") -> Any:
    """The largest element of each channel over all axes: (n, channels).

    Args:
        x, layout: as for `max_pool`.

    Raises:
        ShapeError: another number of axes.
        UnsupportedError: other layouts.

    Example:
        >>> pg.global_max_pool(np.array([3.0, 1.0, 2.0]).reshape(1, 3, 1))
        array([[3.]])
    """
    x, _ = _operand(x, layout)
    return largest(x, tuple(range(1, x.ndim - 1)))


@explained
def global_avg_pool(x: Any, layout: str = "NHWC") -> Any:
    """The mean of each channel over all axes: (n, channels); integers and bools as float64.

    Args:
        x, layout: as for `max_pool`.

    Raises:
        ShapeError: another number of axes.
        UnsupportedError: other layouts.

    Example:
        >>> pg.global_avg_pool(np.array([3.0, 1.0, 2.0]).reshape(1, 3, 1))
        array([[2.]])
    """
    x, _ = _operand(x, layout)
    return mean(x, tuple(range(1, x.ndim - 1)))


def _operand(x: Any, layout: str) -> tuple[Any, bool]:
    """The operand with channels last, and whether the layout has them there."""
    x = operand(x)
    if not 3 <= x.ndim <= 5:
        raise ShapeError(f"an operand of {x.ndim} dimensions", "give 1 to 3 axes and two more, for batch and channels")
    last = is_channels_last(layout, x.ndim - 2)
    return channels_last(x, last), last


def _windows(
    x: Any, window_shape: Any, strides: Any, padding: Any, fill: Any
) -> tuple[Any, tuple[int, ...], Sequence[tuple[int, int]]]:
    """The windows as axes of their own, behind the axis that counts them; which these are; and the padding."""
    ndim = x.ndim - 2
    sizes, steps = numbers(window_shape, ndim, "window_shape"), numbers(strides, ndim, "strides")
    pairs = widths(padding, x.shape[1:-1], sizes, steps)
    if min(map(min, pairs)) < 0:
        raise ShapeError(f"padding {pairs}", "give 0 or more, and slice what is to be left out")
    counts = outputs(x.shape[1:-1], sizes, steps, pairs)
    if any(map(any, pairs)):
        x = pad(x, [(0, 0), *pairs, (0, 0)], constant_values=fill)
    for at in reversed(range(ndim)):
        x = _cut(x, at + 1, counts[at], sizes[at], steps[at])
    return x, tuple(range(2, 2 * ndim + 1, 2)), pairs


def _cut(x: Any, axis: int, count: int, size: int, step: int) -> Any:
    """An axis as two: which window, and where in it. Windows side by side are a view."""
    lead = (slice(None),) * axis
    if count > 1 and step != size:
        return index(x, (*lead, np.arange(count)[:, None] * step + np.arange(size)))
    kept = index(x, (*lead, slice(0, count * size))) if x.shape[axis] != count * size else x
    return reshape(kept, (*x.shape[:axis], count, size, *x.shape[axis + 1 :]))
