"""Choices between arrays: choose, fmax, fmin, heaviside, piecewise, select."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError, UnsupportedError, shown
from ..arithmetic import maximum, minimum, mod
from ..common import explained, is_expression, kind, operand
from ..comparison import (
    astype,
    equal,
    floating,
    greater,
    isnan_row,
    less,
    select as chosen,
    truth,
    zeros_like,
)
from ..indexing import wrap_index_row
from ..shaping import broadcast_to


def _beside_nan(row: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """`row`, where neither is nan, else the other one."""
    if "f" not in kind(x) + kind(y):
        return row(x, y)
    both = row(x, y)
    x, y = astype(x, both.dtype), astype(y, both.dtype)
    return chosen(isnan_row(x), y, chosen(isnan_row(y), x, both))


@explained
def fmax(x: Any, y: Any) -> Any:
    """The larger of two, or the one that is not nan; equal operands get half the derivative each.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.fmax(np.array([1.0, np.nan]), 0.0)
        array([1., 0.])
    """
    return _beside_nan(maximum, x, y)


@explained
def fmin(x: Any, y: Any) -> Any:
    """The smaller of two, or the one that is not nan; equal operands get half the derivative each.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.fmin(np.array([1.0, np.nan]), 2.0)
        array([1., 2.])
    """
    return _beside_nan(minimum, x, y)


@explained
def heaviside(x1: Any, x2: Any) -> Any:
    """0 where `x1` is negative, `x2` where it is 0, 1 where it is positive; nan where it is nan.

    The derivative in `x1` is zero, in `x2` it is 1 where `x1` is 0. Integers and bools become float64.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.heaviside(np.array([-1.5, 0.0, 2.0]), 0.5)
        array([0. , 0.5, 1. ])
    """
    dtype = maximum(x1 if kind(x1) == "f" else floating(x1), x2 if kind(x2) == "f" else floating(x2)).dtype
    x, middle = astype(x1, dtype), astype(x2, dtype)
    sides = chosen(greater(x, 0.0), dtype.type(1.0), chosen(isnan_row(x), dtype.type(np.nan), dtype.type(0.0)))
    return chosen(equal(x, 0.0), middle, sides)


@explained
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """The element of the first choice whose condition holds, else `default`; all are broadcast.

    The derivative reaches only what is chosen.

    Args:
        condlist: bools.
        choicelist: as many arrays or numbers, which are promoted.
        default: where no condition holds.

    Raises:
        ShapeError: lists of different lengths, or shapes that do not broadcast; DTypeError: conditions that are no
            bools.

    Example:
        >>> x = np.arange(4)
        >>> pg.ops.select([x < 1, x > 2], [x, x**2], 7)
        array([0, 7, 7, 9])
    """
    if len(condlist) != len(choicelist) or not condlist:
        problem = f"{len(condlist)} conditions and {len(choicelist)} choices"
        raise ShapeError(problem, "give as many of each, and at least one")
    if any(kind(x) != "b" for x in condlist):
        raise DTypeError("a condition is no bool", "compare it: x != 0")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = chosen(condition, choice, result)
    numbers = [*choicelist, default]
    dtype = _promoted(numbers)
    return astype(result, dtype)


def _promoted(values: Sequence[Any]) -> Any:
    """The dtype of several arrays and numbers, of which Python numbers are weak."""
    return np.result_type(*(x if type(x) in (bool, int, float) else operand(x).dtype for x in values))


@explained
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """The value of one of several functions at each element of `x`, of the last one whose condition holds.

    Unlike NumPy, which calls each function on the elements that it is for, this calls it on all of `x`: the functions
    have to be elementwise. The derivative reaches only what is chosen.

    Args:
        x: an array.
        condlist: bools, each as `x`; or one of them.
        funclist: functions or numbers, as many as there are conditions, and perhaps one more for where none holds,
            which is else 0.
        args: further arguments of the functions.
        kw: further keyword arguments of the functions.

    Raises:
        ShapeError: numbers of conditions and functions that do not fit.

    Example:
        >>> x = np.array([-1.0, 2.0])
        >>> pg.piecewise(x, [x < 0, x >= 0], [lambda x: -x, 10.0])
        array([ 1., 10.])
    """
    x = operand(x)
    several = isinstance(condlist, (list, tuple)) or not (is_expression(condlist) or np.ndim(condlist) < 2)
    single = several and not is_expression(condlist[0]) and np.ndim(condlist[0]) == 0 and x.ndim != 0
    conditions = [truth(c) for c in ([condlist] if not several or single else condlist)]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        problem = f"{len(conditions)} conditions and {len(funclist)} functions"
        raise ShapeError(problem, "give a function for each condition, and perhaps one for where none holds")

    def value(f: Any) -> Any:
        found = f(x, *args, **kw) if callable(f) else f
        return astype(broadcast_to(operand(found), x.shape), x.dtype)

    result: Any = value(funclist[-1]) if len(funclist) > len(conditions) else zeros_like(x)
    for condition, f in zip(conditions, funclist, strict=False):
        result = chosen(condition, value(f), result)
    return result


@explained
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """At each place the element of `choices[a]`; all are broadcast.

    Args:
        a: integers.
        choices: several arrays, or one whose first axis is gone through.
        out: not supported.
        mode: what happens to integers out of range: with "raise" an error at run time, with "wrap" they are taken
            modulo the number of choices, with "clip" as the nearest one.

    Raises:
        IndexRangeError: an integer out of range, also a negative one; DTypeError: no integers; UnsupportedError:
            another mode, or `out`.

    Example:
        >>> pg.choose(np.array([1, 0]), [np.array([1.0, 2.0]), 9.0])
        array([9., 2.])
    """
    if out is not None:
        raise UnsupportedError("the argument 'out'", "use the result: expressions are not written in place")
    if kind(a) == "f":
        raise DTypeError("floating operand, integers needed", "use a.astype('int64')")
    arrays = list(choices)
    count, index = len(arrays), astype(a, np.int64)
    if not count:
        raise ShapeError("there are no choices", "give at least one")
    if mode == "raise":  # from the end counts no negative integer here: it is out of range, as `count` is
        index = wrap_index_row(chosen(less(index, 0), count, index), size=count)
    elif mode == "wrap":
        index = mod(index, count)
    elif mode == "clip":
        index = minimum(maximum(index, 0), count - 1)
    else:
        raise UnsupportedError(f"mode={shown(mode)}", "give 'raise', 'wrap' or 'clip'")
    dtype = _promoted(arrays)
    result = astype(arrays[-1], dtype)
    for k in reversed(range(count - 1)):
        result = chosen(equal(index, k), astype(arrays[k], dtype), result)
    return result if count > 1 else chosen(equal(index, 0), result, result)
