"""`conv` and `conv_transpose`: convolutions of one to three axes, as neural networks use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError, UnsupportedError
from ..common import explained, operand
from ..comparison import astype
from ..convolution_rows import OUTPUTS, axes_attrs, convolve_row
from ..shaping import moveaxis, reshape
from .windows import channels_back, channels_last, is_channels_last, numbers, outputs, widths


@explained
def conv(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    input_dilation: Any = 1,
    kernel_dilation: Any = 1,
    feature_group_count: int = 1,
    layout: str = "NHWC",
) -> Any:
    """The convolution of a batch of signals, images or volumes with a kernel, which is not flipped (a correlation).

    `y[n, p, o] = sum over t, i of x[n, p strides + t kernel_dilation - before, i] kernel[t, i, o]`, with zeros outside
    of `x`. Parameters are named as in JAX and Flax.

    Args:
        x: (n, *axes, channels) with 1 to 3 axes, or (n, channels, *axes) with layout "NCHW".
        kernel: (*taps, channels / feature_group_count, features), or (features, channels / feature_group_count, *taps)
            with layout "NCHW". Dtypes are promoted.
        strides: how far apart the outputs are; an int, or one for each axis, as for the dilations.
        padding: "VALID": none. "SAME": as many outputs as strides fit into an axis, rounded up. Or an int, or a pair of
            ints (before, behind) for each axis; negative ones leave something out.
        input_dilation: how far apart the elements of `x` are put, with zeros between them.
        kernel_dilation: how far apart the taps are.
        feature_group_count: groups of channels that have their own features: feature o belongs to group
            o // (features / groups).
        layout: "NHWC" or "NCHW" for any number of axes; also "NWC", "NCW", "NDHWC", "NCDHW".

    Returns:
        (n, *outputs, features), or (n, features, *outputs) with layout "NCHW". An axis of size s, dilated and padded,
        gives (s - (taps - 1) kernel_dilation - 1) // strides + 1 outputs, none where that is negative.

    Raises:
        ShapeError: axes, channels or parameters that do not fit.
        UnsupportedError: other layouts and paddings, and "SAME" with an input dilation.

    Example:
        >>> pg.conv(np.arange(5.0).reshape(1, 5, 1), np.ones((2, 1, 1))).ravel()
        array([1., 3., 5., 7.])
    """
    x, kernel, last = _operands(x, kernel, layout)
    ndim = x.ndim - 2
    strides, input_dilation, kernel_dilation = (
        numbers(value, ndim, name)
        for value, name in (
            (strides, "strides"),
            (input_dilation, "input_dilation"),
            (kernel_dilation, "kernel_dilation"),
        )
    )
    if isinstance(padding, str) and padding.upper() == "SAME" and max(input_dilation) > 1:
        raise UnsupportedError('padding "SAME" with an input dilation', "give a pair of ints for each axis")
    (groups,) = numbers(feature_group_count, 1, "feature_group_count")
    if x.shape[-1] != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        problem = f"{x.shape[-1]} channels and a kernel of {kernel.shape[-2]} channels and {kernel.shape[-1]} features"
        raise ShapeError(
            f"{problem}, in {groups} groups", "give kernel channels = channels / groups, and features for each group"
        )
    return channels_back(_convolved(x, kernel, strides, padding, input_dilation, kernel_dilation), last)


@explained
def conv_transpose(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "SAME",
    kernel_dilation: Any = 1,
    layout: str = "NHWC",
    transpose_kernel: bool = False,
) -> Any:
    """A convolution with fractional strides, which makes axes longer: of `x` with `strides - 1` zeros between elements.

    Args:
        x, kernel, kernel_dilation, layout: as in `conv`, in one group.
        strides: how many times longer an axis becomes; an int, or one for each axis.
        padding: "SAME": an axis of size n gives n strides. "VALID": n strides + max(taps - strides, 0). Or pairs of
            ints (before, behind) of the dilated axes, as `conv` has them.
        transpose_kernel: flip the kernel, and exchange its channels and features: with the padding of a `conv` this is
            the transpose of that `conv` of the same kernel, its derivative by the input.

    Returns:
        As `conv`.

    Raises:
        ShapeError: axes, channels or parameters that do not fit.
        UnsupportedError: other layouts and paddings.

    Example:
        >>> pg.conv_transpose(np.ones((1, 3, 1)), np.ones((2, 1, 1)), strides=2).ravel()
        array([1., 1., 1., 1., 1., 1.])
    """
    x, kernel, last = _operands(x, kernel, layout)
    ndim = x.ndim - 2
    strides, dilation = numbers(strides, ndim, "strides"), numbers(kernel_dilation, ndim, "kernel_dilation")
    if transpose_kernel:
        kernel = moveaxis(kernel[(slice(None, None, -1),) * ndim], -1, -2)
    if x.shape[-1] != kernel.shape[-2]:
        problem = f"{x.shape[-1]} channels and a kernel of {kernel.shape[-2]}"
        raise ShapeError(problem, "give a kernel of as many channels")
    if isinstance(padding, str):
        extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:-2], dilation, strict=True)]
        padding = [_transposed_width(padding, k, s) for k, s in zip(extents, strides, strict=True)]
    return channels_back(_convolved(x, kernel, (1,) * ndim, padding, strides, dilation), last)


def _transposed_width(padding: str, extent: int, stride: int) -> tuple[int, int]:
    """What lies before and behind a dilated axis so that it becomes `stride` times longer."""
    if padding.upper() == "VALID":
        return extent - 1, stride - 1 + max(extent - stride, 0)
    if padding.upper() != "SAME":
        raise UnsupportedError(f"padding {padding!r}", 'give "VALID", "SAME", or a pair of ints for each axis')
    total = extent + stride - 2
    before = extent - 1 if stride > extent - 1 else -(-total // 2)
    return before, total - before


def _operands(x: Any, kernel: Any, layout: str) -> tuple[Any, Any, bool]:
    """The operands, of one dtype and with channels last."""
    x, kernel = operand(x), operand(kernel)
    if not 3 <= x.ndim <= 5 or kernel.ndim != x.ndim:
        problem = f"operands of {x.ndim} and {kernel.ndim} dimensions"
        raise ShapeError(
            problem, "give both 1 to 3 axes and two dimensions more: batch and channels, of the kernel both"
        )
    last = is_channels_last(layout, x.ndim - 2)
    if not last:
        kernel = moveaxis(kernel, (0, 1), (-1, -2))
    dtype = np.result_type(x.dtype, kernel.dtype)
    if dtype == np.bool_:
        dtype = np.dtype(np.int64)
    return astype(channels_last(x, last), dtype), astype(kernel, dtype), last


def _convolved(
    x: Any, kernel: Any, strides: Sequence[int], padding: Any, expansion: Sequence[int], dilation: Sequence[int]
) -> Any:
    """A convolution with channels last, by the row over three axes."""
    ndim = x.ndim - 2
    sizes = [(n - 1) * e + 1 if n else 0 for n, e in zip(x.shape[1:-1], expansion, strict=True)]
    extents = [(k - 1) * d + 1 if k else 0 for k, d in zip(kernel.shape[:-2], dilation, strict=True)]
    pairs = widths(padding, sizes, extents, strides)
    counts = outputs(sizes, extents, strides, pairs)
    fill, ones, zeros = 3 - ndim, (1,) * (3 - ndim), (0,) * (3 - ndim)
    low = [before for before, _ in pairs]
    attrs = axes_attrs(
        (*ones, *strides),
        (*ones, *dilation),
        (*zeros, *low),
        (*ones, *expansion),
        **dict(zip(OUTPUTS, (*ones, *counts), strict=True)),
    )
    if fill:
        x = reshape(x, (x.shape[0], *ones, *x.shape[1:]))
        kernel = reshape(kernel, (*ones, *kernel.shape))
    made = convolve_row(x, kernel, **attrs)
    return reshape(made, (x.shape[0], *counts, kernel.shape[-1])) if fill else made
