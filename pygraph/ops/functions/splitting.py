"""An array cut into parts along an axis: split, array_split, hsplit, vsplit, dsplit, unstack."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import ShapeError, shown
from ..common import explained, is_expression, normal_axis, operand
from ..keys import index
from .parts import part


@explained
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Parts along `axis`: so many, the first ones larger by one where they do not divide it; or cut at these indices.

    Raises:
        ShapeError: no sections, sections that are not known when recording, or an axis out of range.

    Example:
        >>> pg.array_split(np.arange(5), 2)
        [array([0, 1, 2]), array([3, 4])]
    """
    x = operand(ary)
    k = normal_axis(axis, x.ndim)
    size = x.shape[k]
    if is_expression(indices_or_sections):
        raise ShapeError("sections are given as an expression", "give ints known when recording: shapes are static")
    if np.ndim(indices_or_sections) == 0:
        count = _section_count(indices_or_sections)
        sizes = [size // count + (section < size % count) for section in range(count)]
        cuts = [0, *np.cumsum(sizes).tolist()]
    else:
        cuts = [0, *(operator.index(cut) for cut in indices_or_sections), size]
    return [part(x, k, a, b) for a, b in pairwise(cuts)]


def _section_count(sections: Any) -> int:
    try:
        count = operator.index(sections)
    except TypeError as error:
        raise ShapeError(f"sections is {shown(sections)}", "give an int, or a list of indices") from error
    if count <= 0:
        raise ShapeError(f"{count} sections", "give 1 or more")
    return count


@explained
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Parts of equal size along `axis`, or cut at these indices.

    Raises:
        ShapeError: sections that do not divide the axis, or are not known when recording; an axis out of range.

    Example:
        >>> pg.split(np.arange(4), [1])
        [array([0]), array([1, 2, 3])]
    """
    x = operand(ary)
    size = x.shape[normal_axis(axis, x.ndim)]
    if not is_expression(indices_or_sections) and np.ndim(indices_or_sections) == 0:
        count = _section_count(indices_or_sections)
        if size % count:
            raise ShapeError(f"{count} sections do not divide an axis of {size}", "use np.array_split")
    return array_split(x, indices_or_sections, axis)


def _axis_of(x: Any, axis: int, name: str) -> Any:
    x = operand(x)
    if x.ndim <= axis:
        raise ShapeError(f"an operand of shape {x.shape} has no axis {axis}", f"{name} takes {axis + 1} axes at least")
    return x


@explained
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 0, of arrays with two axes at least.

    Raises:
        ShapeError: as `split`.

    Example:
        >>> pg.vsplit(np.array([[1], [2]]), 2)
        [array([[1]]), array([[2]])]
    """
    return split(_axis_of(_axis_of(ary, 1, "vsplit"), 0, "vsplit"), indices_or_sections, 0)


@explained
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 1, of a vector along axis 0.

    Raises:
        ShapeError: as `split`.

    Example:
        >>> pg.hsplit(np.array([1, 2, 3, 4]), 2)
        [array([1, 2]), array([3, 4])]
    """
    x = _axis_of(ary, 0, "hsplit")
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@explained
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along axis 2, of arrays with three axes at least.

    Raises:
        ShapeError: as `split`.

    Example:
        >>> [x.shape for x in pg.dsplit(np.ones((1, 2, 4)), 2)]
        [(1, 2, 2), (1, 2, 2)]
    """
    return split(_axis_of(ary, 2, "dsplit"), indices_or_sections, 2)


@explained
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The entries along `axis`, each without that axis.

    Raises:
        ShapeError: an axis out of range.

    Example:
        >>> pg.unstack(np.array([[1, 2], [3, 4]]), axis=1)
        (array([1, 3]), array([2, 4]))
    """
    x = operand(x)
    k = normal_axis(axis, x.ndim)
    lead = (slice(None),) * k
    return tuple(index(x, (*lead, i)) for i in range(x.shape[k]))
