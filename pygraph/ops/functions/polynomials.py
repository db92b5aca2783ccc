"""Products of vectors at all shifts, and polynomials, whose coefficients are vectors, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError
from ..arithmetic import add, divide, multiply, subtract
from ..common import explained, is_expression, kind, operand
from ..comparison import astype, logical_and, logical_or, zeros_like
from ..counting import iota
from ..indexing import take
from ..products import matmul
from ..shaping import concatenate, expand_dims, flip, ravel

_MODES = ("full", "same", "valid")


def _all_shifts(a: Any, v: Any) -> Any:
    """Σ a[i] v[k - i] for all k: the longer vector, with zeros around, as a matrix of windows, times the other one."""
    a, v = (v, a) if a.shape[0] < v.shape[0] else (a, v)
    dtype = np.result_type(a.dtype, v.dtype)
    a, v = astype(a, dtype), astype(v, dtype)
    n, m = a.shape[0], v.shape[0]
    edge = np.zeros(m - 1, dtype)
    wide = concatenate([edge, a, edge]) if m > 1 else a
    count = np.arange if not is_expression(a) and not is_expression(v) else iota
    windows = add(expand_dims(count(n + m - 1), 1), count(m))
    return matmul(take(wide, windows), flip(v))


def _vectors(name: str, a: Any, v: Any, mode: Any) -> tuple[Any, Any]:
    if mode not in _MODES:
        raise ValueError(f"mode is {mode!r}, it must be one of {_MODES}")
    a, v = operand(a), operand(v)
    a, v = (ravel(x) if not x.ndim else x for x in (a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.shape[0] or not v.shape[0]:
        raise ShapeError(f"{name} of shapes {a.shape} and {v.shape}", "give two vectors that have elements")
    return a, v


def _part(whole: Any, n: int, m: int, mode: str, start: int) -> Any:
    """The part of all shifts that `mode` names; of "same" from `start` on."""
    short, long = min(n, m), max(n, m)
    if mode == "full":
        return whole
    return whole[short - 1 : long] if mode == "valid" else whole[start : start + long]


@explained
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Σ a[i] v[k - i] for each shift k of two vectors: their discrete convolution, by direct sums.

    Args:
        a, v: vectors.
        mode: "full": all shifts; "same": as many as the longer vector has elements, from the middle; "valid": those at
            which the shorter vector lies within the longer one.

    Raises:
        ShapeError: not vectors, or without elements; ValueError: another mode.

    Example:
        >>> pg.convolve(np.array([1, 2, 3]), np.array([1, 10]))
        array([ 1, 12, 23, 30])
    """
    a, v = _vectors("convolve", a, v, mode)
    n, m = a.shape[0], v.shape[0]
    return _part(_all_shifts(a, v), n, m, mode, (min(n, m) - 1) // 2)


@explained
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Σ a[i + k] v[i] for each shift k of two vectors; see `convolve`.

    Raises:
        ShapeError: not vectors, or without elements; ValueError: another mode.

    Example:
        >>> pg.correlate(np.array([1, 2, 3]), np.array([1, 10]), "full")
        array([10, 21, 32,  3])
    """
    a, v = _vectors("correlate", a, v, mode)
    n, m = a.shape[0], v.shape[0]
    return _part(_all_shifts(a, flip(v)), n, m, mode, (m - 1) // 2 if n >= m else n // 2)


def _coefficients(p: Any) -> Any:
    p = operand(p)
    if p.ndim > 1:
        raise ShapeError(f"coefficients of shape {p.shape} are not a vector")
    return p if p.ndim else ravel(p)


@explained
def polyval(p: Any, x: Any) -> Any:
    """The polynomial with coefficients `p`, the highest power first, at `x`, by Horner's rule.

    Raises:
        ShapeError: `p` is not a vector.

    Example:
        >>> pg.polyval(np.array([1, 0, 2]), np.array([1, 3]))
        array([ 3, 11])
    """
    p, x = _coefficients(p), operand(x)
    y = zeros_like(x)
    for at in range(p.shape[0]):
        product = logical_and(y, x) if kind(y) == kind(x) == "b" else multiply(y, x)
        y = logical_or(product, p[at]) if kind(product) == kind(p) == "b" else add(product, p[at])
    return y


def _aligned(a1: Any, a2: Any) -> tuple[Any, Any]:
    """Coefficients with zeros in front of the shorter ones."""
    a1, a2 = _coefficients(a1), _coefficients(a2)
    size = max(a1.shape[0], a2.shape[0])
    padded = [x if x.shape[0] == size else concatenate([np.zeros(size - x.shape[0], x.dtype), x]) for x in (a1, a2)]
    return padded[0], padded[1]


@explained
def polyadd(a1: Any, a2: Any) -> Any:
    """The coefficients of the sum of two polynomials, the highest power first.

    Raises:
        ShapeError: what is not a vector.

    Example:
        >>> pg.polyadd(np.array([1, 2]), np.array([9, 5, 4]))
        array([9, 6, 6])
    """
    return add(*_aligned(a1, a2))


@explained
def polysub(a1: Any, a2: Any) -> Any:
    """The coefficients of the difference of two polynomials, the highest power first.

    Raises:
        ShapeError: what is not a vector.

    Example:
        >>> pg.polysub(np.array([1, 2]), np.array([9, 5, 4]))
        array([-9, -4, -2])
    """
    return subtract(*_aligned(a1, a2))


@explained
def polymul(a1: Any, a2: Any) -> Any:
    """The coefficients of the product of two polynomials, the highest power first.

    Zeros at the front of an operand stay: there are always as many coefficients as of two polynomials without.

    Raises:
        ShapeError: what is not a vector.

    Example:
        >>> pg.polymul(np.array([1, 2]), np.array([1, -2]))
        array([ 1,  0, -4])
    """
    return convolve(_coefficients(a1), _coefficients(a2))


@explained
def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the `m`-th derivative of a polynomial, the highest power first.

    Raises:
        ShapeError: `p` is not a vector; ValueError: a negative `m`.

    Example:
        >>> pg.polyder(np.array([1, 1, 1]))
        array([2, 1])
    """
    if m < 0:
        raise ValueError(f"m is {m}, it must not be negative")
    p = _coefficients(p)
    for _ in range(m):
        p = multiply(p[:-1], np.arange(p.shape[0] - 1, 0, -1))
    return p


@explained
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of the `m`-th integral of a polynomial, the highest power first, with constants `k`.

    Args:
        p: coefficients.
        m: how many times.
        k: the constants in the order of integration, one for all of them, or None for zeros.

    Raises:
        ShapeError: `p` is not a vector, or another number of constants; ValueError: a negative `m`.

    Example:
        >>> pg.polyint(np.array([6, 2]))
        array([3., 2., 0.])
    """
    if m < 0:
        raise ValueError(f"m is {m}, it must not be negative")
    p = _coefficients(p)
    constants = np.zeros(m) if k is None else _coefficients(k)
    if constants.shape[0] == 1 < m:
        constants = take(constants, np.zeros(m, np.int64))
    if constants.shape[0] < m:
        raise ShapeError(f"{constants.shape[0]} constants for {m} integrals", "give one for each")
    for at in range(m):
        p = concatenate([p / np.arange(p.shape[0], 0, -1), constants[at : at + 1]])
    return p


@explained
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """The quotient and the remainder of two polynomials.

    The remainder has as many coefficients as its degree can take, with leading zeros, which NumPy leaves out.

    Args:
        u, v: vectors of coefficients, the highest power first; the first one of `v` is not zero.

    Raises:
        ShapeError: an operand that is no vector of elements.

    Example:
        >>> pg.polydiv(np.array([3.0, 5.0, 2.0]), np.array([2.0, 1.0]))
        (array([1.5 , 1.75]), array([0.25]))
    """
    u, v = (_coefficients(x) for x in (u, v))
    dtype = np.promote_types(np.promote_types(u.dtype, v.dtype), np.float32)
    rest, v = astype(u, dtype), astype(v, dtype)
    steps, degree = u.shape[0] - v.shape[0] + 1, v.shape[0] - 1
    if steps < 1:
        return zeros_like(rest[:1]), rest
    quotients = []
    for _ in range(steps):
        quotients.append(divide(rest[:1], v[:1]))
        rest = concatenate([subtract(rest[1 : degree + 1], multiply(quotients[-1], v[1:])), rest[degree + 1 :]])
    return concatenate(quotients), rest if degree else zeros_like(quotients[0])


@explained
def poly(seq_of_zeros: Any) -> Any:
    """The polynomial with these zeros and the leading coefficient 1.

    Raises:
        ShapeError: zeros that are no vector; those of a symmetric matrix are pg.linalg.eigvalsh(x).

    Example:
        >>> pg.poly(np.array([1.0, 2.0]))
        array([ 1., -3.,  2.])
    """
    zeros = operand(seq_of_zeros)
    if zeros.ndim != 1:
        raise ShapeError(f"zeros of shape {zeros.shape}", "give a vector; of a symmetric matrix pg.linalg.eigvalsh(x)")
    zeros = zeros if kind(zeros) == "f" else astype(zeros, np.float64)
    if not zeros.shape[0]:
        return np.float64(1.0)
    found = astype(np.ones(1), zeros.dtype)
    for i in range(zeros.shape[0]):
        edge = astype(np.zeros(1), zeros.dtype)
        found = subtract(concatenate([found, edge]), multiply(zeros[i], concatenate([edge, found])))
    return found
