"""What NumPy asks of complex numbers, of real ones: real and imaginary parts, conjugates, angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import DTypeError
from ..common import explained, kind, operand
from ..comparison import floating, isnan, isnan_row, select, zeros_like
from .floating_parts import signbit


@explained
def real(val: Any) -> Any:
    """The real part: `val` itself, since graphs are real.

    Example:
        >>> pg.real(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """
    return operand(val)


@explained
def imag(val: Any) -> Any:
    """The imaginary part: zeros, since graphs are real.

    Example:
        >>> pg.imag(np.array([1.0, -2.0]))
        array([0., 0.])
    """
    return zeros_like(val)


@explained
def conjugate(x: Any) -> Any:
    """The complex conjugate: `x` itself, since graphs are real.

    Example:
        >>> pg.conjugate(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """
    return operand(x)


conj = conjugate


@explained
def real_if_close(a: Any, tol: Any = 100) -> Any:
    """`a` itself, which is real already; `tol` has no effect.

    Example:
        >>> pg.real_if_close(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """
    return operand(a)


@explained
def positive(x: Any) -> Any:
    """`x` itself; also what `+x` means.

    Raises:
        DTypeError: bools, as in NumPy.

    Example:
        >>> pg.positive(np.array([1.0, -2.0]))
        array([ 1., -2.])
    """
    if kind(x) == "b":
        raise DTypeError("bool operand, a number needed", "use x.astype('int64')")
    return operand(x)


@explained
def angle(z: Any, deg: bool = False) -> Any:
    """The angle in the complex plane: 0, or π (180 with `deg`) where the sign of `z` is negative; nan for nan.

    The derivative is zero.

    Example:
        >>> pg.angle(np.array([1.0, -2.0]), deg=True)
        array([  0., 180.])
    """
    z = floating(z)
    turned = z.dtype.type(180.0 if deg else math.pi)
    return select(isnan_row(z), z.dtype.type(np.nan), select(signbit(z), turned, z.dtype.type(0.0)))


@explained
def iscomplex(x: Any) -> Any:
    """Whether each element has an imaginary part: false, since graphs are real.

    Example:
        >>> pg.iscomplex(np.array([1.0, -2.0]))
        array([False, False])
    """
    return zeros_like(isnan(x))


@explained
def isreal(x: Any) -> Any:
    """Whether each element has no imaginary part: true, since graphs are real.

    Example:
        >>> pg.isreal(np.array([1.0, -2.0]))
        array([ True,  True])
    """
    return ~iscomplex(x)
