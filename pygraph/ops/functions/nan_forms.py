"""Reductions that leave nan out, also of the gradient: nanmax, nanmean, nanmin, nanprod, nanstd, nansum, nanvar."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import reductions
from ..common import explained, kind, operand
from ..comparison import astype, isnan_row, logical_and, logical_not, select
from ..composite import mean as plain_mean, var as plain_var
from ..reductions import chosen
from ..shaping import broadcast_to
from ..transcendental import sqrt


def _numbers(x: Any, where: Any) -> Any:
    """The elements that take part; None for all."""
    if kind(x) != "f":
        return where
    numbers = logical_not(isnan_row(x))
    if where is None or where is True:
        return numbers
    return logical_and(numbers, broadcast_to(operand(where), x.shape))


@explained
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """As `sum`, with nan counted as 0.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> float(pg.nansum(np.array([1.0, np.nan, 2.0])))
        3.0
    """
    a = operand(a)
    return reductions.sum(a, axis, dtype, keepdims=keepdims, initial=initial, where=_numbers(a, where))


@explained
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """As `prod`, with nan counted as 1.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> float(pg.nanprod(np.array([2.0, np.nan, 3.0])))
        6.0
    """
    a = operand(a)
    return reductions.prod(a, axis, dtype, keepdims=keepdims, initial=initial, where=_numbers(a, where))


def _extreme(name: str, a: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
    a, extreme = operand(a), getattr(reductions, name)
    if kind(a) != "f":
        return extreme(a, axis, keepdims=keepdims, initial=initial, where=where)
    numbers = _numbers(a, where)
    filled = chosen(a, numbers, -np.inf if name == "max" else np.inf)
    if initial is not None:
        return extreme(filled, axis, keepdims=keepdims, initial=initial)
    found = extreme(filled, axis, keepdims=keepdims)
    return select(reductions.any(numbers, axis, keepdims=keepdims), found, np.nan)


@explained
def nanmax(a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
    """As `max`, with nan left out; nan where all are nan.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements.

    Example:
        >>> float(pg.nanmax(np.array([1.0, np.nan, 2.0])))
        2.0
    """
    return _extreme("max", a, axis, keepdims, initial, where)


@explained
def nanmin(a: Any, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = None) -> Any:
    """As `min`, with nan left out; nan where all are nan.

    Raises:
        ShapeError: an axis out of range or named twice, or without elements.

    Example:
        >>> float(pg.nanmin(np.array([1.0, np.nan, 2.0])))
        1.0
    """
    return _extreme("min", a, axis, keepdims, initial, where)


@explained
def nanmean(a: Any, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = None) -> Any:
    """As `mean`, with nan left out; nan where all are nan.

    Raises:
        ShapeError: an axis out of range or named twice.

    Example:
        >>> float(pg.nanmean(np.array([1.0, np.nan, 2.0])))
        1.5
    """
    a = operand(a)
    return plain_mean(a, axis, dtype, keepdims=keepdims, where=_numbers(a, where))


@explained
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """As `var`, with nan left out; nan where `ddof` elements or fewer are left.

    Raises:
        ShapeError: an axis out of range or named twice; DTypeError, ValueError: as `var`.

    Example:
        >>> float(pg.nanvar(np.array([1.0, np.nan, 3.0])))
        1.0
    """
    a = operand(a)
    numbers = _numbers(a, where)
    found = plain_var(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=numbers, mean=mean, correction=correction)
    if numbers is None or numbers is True:
        return found
    count = reductions.sum(astype(numbers, np.float64), axis, keepdims=keepdims)
    return select(count - (ddof if correction is None else correction) > 0.0, found, np.nan)


@explained
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """As `std`, with nan left out; nan where `ddof` elements or fewer are left.

    Raises:
        ShapeError: an axis out of range or named twice; DTypeError, ValueError: as `var`.

    Example:
        >>> float(pg.nanstd(np.array([1.0, np.nan, 3.0])))
        1.0
    """
    return sqrt(nanvar(a, axis, dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean, correction=correction))
