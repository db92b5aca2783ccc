"""What convolutions and pooling share: layouts, and the windows that slide over the axes between batch and channels."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError, UnsupportedError, shown
from ..shaping import moveaxis

#: Whether channels are last, by the name of the layout; of any number of axes "NHWC" or "NCHW" says the same.
LAYOUTS = {"NWC": True, "NHWC": True, "NDHWC": True, "NCW": False, "NCHW": False, "NCDHW": False}


def is_channels_last(layout: str, ndim: int) -> bool:
    """Whether a layout's channels are last.

    Raises:
        UnsupportedError: it is none, or one of another number of axes.
    """
    if layout not in LAYOUTS or (layout not in ("NHWC", "NCHW") and len(layout) != ndim + 2):
        problem = f"layout {shown(layout)} of {ndim} axes"
        raise UnsupportedError(problem, 'give "NHWC", with channels last, or "NCHW", with channels before the axes')
    return LAYOUTS[layout]


def channels_last(x: Any, last: bool) -> Any:
    """An array with its channels last, from where they are."""
    return x if last else moveaxis(x, 1, -1)


def channels_back(x: Any, last: bool) -> Any:
    """An array with its channels where the layout has them."""
    return x if last else moveaxis(x, -1, 1)


def numbers(value: Any, ndim: int, name: str, least: int = 1) -> tuple[int, ...]:
    """An int for each axis, of one for all or a sequence of them."""
    try:
        found = (operator.index(value),) * ndim
    except TypeError:
        try:
            found = tuple(map(operator.index, value))
        except TypeError as error:
            raise ShapeError(f"{name} is {shown(value)}", "give an int, or one for each axis") from error
    if len(found) != ndim or min(found, default=least) < least:
        raise ShapeError(
            f"{name} is {shown(value)} for {ndim} axes", f"give an int of at least {least}, or one for each"
        )
    return found


def widths(
    padding: Any, sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """How much lies before and behind each axis, of "VALID", "SAME", an int, or ints or pairs for the axes.

    With "SAME" there are as many windows as strides fit into the axis, rounded up; the odd one is behind.
    """
    if isinstance(padding, str):
        if padding.upper() == "VALID":
            return ((0, 0),) * len(sizes)
        if padding.upper() != "SAME":
            raise UnsupportedError(f"padding {shown(padding)}", 'give "VALID", "SAME", or a pair of ints for each axis')
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, windows, strides, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    try:
        each = [padding] * len(sizes) if hasattr(padding, "__index__") else list(padding)
        pairs = [(p, p) if hasattr(p, "__index__") else tuple(p) for p in each]
        found = tuple((operator.index(a), operator.index(b)) for a, b in pairs)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"padding is {shown(padding)}", "give an int, or a pair of ints for each axis") from error
    if len(found) != len(sizes):
        raise ShapeError(f"padding is {shown(padding)} for {len(sizes)} axes", "give a pair of ints for each")
    return found


def outputs(
    sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int], padding: Sequence[tuple[int, int]]
) -> tuple[int, ...]:
    """How many windows fit into each padded axis."""
    return tuple(
        max((n + before + behind - k) // s + 1, 0)
        for n, k, s, (before, behind) in zip(sizes, windows, strides, padding, strict=True)
    )
