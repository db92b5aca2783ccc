"""Values as text: a number in full, a small array whole, a large one by its type, norm, extremes and some elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..graph.source import type_text

Array = npt.NDArray[Any]

#: Elements of an array that is written in one line, and of one that is written whole; the same where there are many.
IN_LINE, WHOLE, FEW = 4, 36, 12


def number_text(value: Any) -> str:
    """One number, with seven digits."""
    item = np.asarray(value).item()
    return f"{item:.7g}" if isinstance(item, float) else str(item)


def scaled_text(value: float, units: Sequence[tuple[str, float]], plain: str = "") -> str:
    """A number with three digits in the first of the units that it reaches, else as a whole number before `plain`."""
    for unit, size in units:
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}{plain}"


def bytes_text(n: int) -> str:
    """A number of bytes: `1.5 kB`."""
    return scaled_text(n, (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)), " B")


def short_text(value: Array) -> str:
    """A value in one line: a number, a short array whole, else its type, norm and extremes."""
    if value.ndim == 0:
        return number_text(value)
    if _is_in_line(value):
        return np.array2string(value, precision=5, separator=", ", max_line_width=10**6).replace("\n", "")
    return summary(value)


def _is_in_line(value: Array) -> bool:
    return value.size == 1 or (value.ndim == 1 and 0 < value.size <= IN_LINE)


def is_uniform(value: Array) -> bool:
    """Whether all elements, one at least, are equal."""
    return value.size > 0 and bool((value == value.flat[0]).all())


def summary(value: Array) -> str:
    """An array by its type, norm and extremes."""
    text = type_text(value.shape, value.dtype)
    if not value.size:
        return text
    if value.dtype.kind == "b":
        return f"{text}, {int(value.sum())} true"
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(value.ravel().astype("float64")))
        return f"{text}, norm {size:.5g}, {value.min():.5g} to {value.max():.5g}"


def elements_text(value: Array, width: int = 60, few: bool = False) -> str:
    """The elements, in lines: of a small array all, of a large one some from its corners; with `few`, fewer."""
    whole = FEW if few else WHOLE
    return np.array2string(
        value,
        precision=4,
        separator=", ",
        max_line_width=width,
        threshold=whole if value.size <= whole else 0,
        edgeitems=1 if few else 2,
    )


def below_text(value: Array, width: int, few: bool = False) -> str:
    """The elements of an array that is too long for one line; empty for others."""
    return "" if _is_in_line(value) or not value.size else elements_text(value, width, few)
