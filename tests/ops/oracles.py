"""What NumPy and SciPy say a row's value is, written apart from the rows' own references."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
from helpers import is_exact, reference, row_graph
from samples import Case

from pygraph.ops.dtypes import KINDS, floating_like
from pygraph.ops.row import TABLE, Family, Op

Array = npt.NDArray[Any]


def _polygamma(n: Array, x: Array) -> Array:
    """SciPy's for orders and arguments it takes; elsewhere the row's own definition."""
    ours = np.asarray(TABLE["polygamma"].reference(n, x))  # type: ignore[misc]
    taken = (n >= 1) & (n == np.rint(n)) & (n < 100) & (x > 1e-3) & (x < 1e6)
    return np.where(taken, scipy.special.polygamma(np.where(taken, n, 1.0), np.where(taken, x, 1.0)), ours)


def _gammaln(x: Array) -> Array:
    """SciPy's, with the value that C's lgamma has at -inf, and log 1/|x| near zero."""
    value = np.where(np.isneginf(x), np.inf, scipy.special.gammaln(x))
    return np.where(np.abs(x) < 1e-100, -np.log(np.abs(x)), value)


def _sigmoid(x: Array) -> Array:
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


#: Pointwise rows that NumPy has no function of their name for.
POINTWISE: Mapping[str, Callable[..., Any]] = {
    "select": np.where,
    "round": np.rint,
    "stop_gradient": np.array,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "gammaln": _gammaln,
    "digamma": scipy.special.digamma,
    "polygamma": _polygamma,
    **{name: getattr(scipy.special, name) for name in ("entr", "erfinv", "gamma", "rel_entr", "xlog1py", "xlogy")},
    "sigmoid": _sigmoid,
    "softplus": lambda x: np.logaddexp(x, np.zeros((), x.dtype)),
    "convert": lambda x, dtype: x.astype(dtype),
}


def _grid(starts: tuple[int, ...], steps: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    return np.ix_(*(start + step * np.arange(size) for start, step, size in zip(starts, steps, shape, strict=True)))


def _slice(x: Array, starts: Any, steps: Any, shape: Any) -> Array:
    return x[_grid(starts, steps, shape)] if x.ndim else x


def _unslice(x: Array, starts: Any, steps: Any, shape: Any) -> Array:
    result = np.zeros(shape, x.dtype)
    result[_grid(starts, steps, x.shape) if x.ndim else ()] = x
    return result


def _put(x: Array, *parts: Array, places: Any) -> Array:
    result = x.copy()
    for part, (starts, steps, counts) in zip(parts, places, strict=True):
        result[_grid(starts, steps, counts) if x.ndim else ()] = part.reshape(counts)
    return result


def _scatter(x: Array, index: Array, values: Array, axis: int, add: bool) -> Array:
    result = np.moveaxis(x.copy(), axis, 0)
    parts = values.reshape(*x.shape[:axis], index.size, *x.shape[axis + 1 :])
    for place, part in zip(index.reshape(-1), np.moveaxis(parts, axis, 0), strict=True):
        result[place] = result[place] + part if add else part
    return np.moveaxis(result, 0, axis)


def _matmul(x: Array, y: Array, transpose_a: bool, transpose_b: bool) -> Array:
    left, right = "...ki" if transpose_a else "...ik", "...jk" if transpose_b else "...kj"
    return np.asarray(np.einsum(f"{left},{right}->...ij", x, y))


def _extreme(x: Array, axes: tuple[int, ...], function: Callable[..., Any], sign: int) -> Array:
    match x.dtype.kind:
        case "f":
            start: Any = sign * np.inf
        case "b":
            start = sign > 0
        case _:
            start = np.iinfo(x.dtype).max if sign > 0 else np.iinfo(x.dtype).min
    return np.asarray(function.reduce(x, axis=axes, initial=start))  # type: ignore[attr-defined]


#: Rows that are not pointwise.
STRUCTURE: Mapping[str, Callable[..., Any]] = {
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axes: x.transpose(axes),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "slice": _slice,
    "unslice": _unslice,
    "put": _put,
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis=axis),
    "take": lambda x, index, axis: np.take(x, index % x.shape[axis], axis=axis),
    "scatter_add": lambda x, index, v, axis: _scatter(x, index, v, axis, True),
    "scatter_set": lambda x, index, v, axis: _scatter(x, index, v, axis, False),
    "wrap_index": lambda index, size: index % size,
    "strict_index": lambda index, size: index,
    "reduce_sum": lambda x, axes: np.add.reduce(x, axis=axes, dtype=x.dtype),
    "reduce_prod": lambda x, axes: np.multiply.reduce(x, axis=axes, dtype=x.dtype),
    "reduce_max": lambda x, axes: _extreme(x, axes, np.maximum if x.dtype.kind != "b" else np.logical_or, -1),
    "reduce_min": lambda x, axes: _extreme(x, axes, np.minimum if x.dtype.kind != "b" else np.logical_and, 1),
    "matmul": _matmul,
}


def oracle_of(op: Op) -> Callable[..., Any]:
    """What computes a row's value in NumPy; a row that nothing here knows is its own reference."""
    found = POINTWISE.get(op.name) or getattr(np, op.name, None) if op.pointwise else STRUCTURE.get(op.name)
    computes = found or op.reference
    assert computes is not None
    return computes


def expected(case: Case) -> list[Array]:
    """The value of a case by NumPy; float32 functions are evaluated in float64 and rounded once."""
    op = case.op
    if op.interpret is not None:  # its definition is the interpreter's loop
        return reference(row_graph(op, case.operands, case.attrs), case.operands)
    operands = case.operands
    dtype = operands[0].dtype
    if op.pointwise and KINDS[operands[-1].dtype] != "f" and op.name not in ("convert", "select"):
        dtype = operands[-1].dtype
        compute: Callable[..., Any] = oracle_of(op)
        if op.name in ("floor", "ceil", "round", "trunc", "absolute"):  # NumPy's dtype for these depends on its version
            assert op.reference is not None
            compute = op.reference
    else:
        compute = oracle_of(op)
    with np.errstate(all="ignore"):
        if op.pointwise and dtype == np.float32 and not is_exact(op, dtype):
            return [np.asarray(compute(*(x.astype(np.float64) for x in operands), **case.attrs)).astype(np.float32)]
        found = compute(*operands, **case.attrs)
        return [np.asarray(x) for x in (found if op.results is not None else [found])]


#: Ulps that a row's value may be off, where it is not the default; the two values are float64's and float32's.
#: NumPy's and SciPy's own errors are in these figures: tests/csrc/test_math_accuracy.py holds C to 1 ulp of mpmath.
ULPS: Mapping[str, tuple[float, float]] = {
    "constant_power": (20, 20),
    "erfc": (16, 4),
    "gaussian": (800, 4),
    "gelu": (200, 4),
    "betaln": (1500, 4),
    "erfcinv": (40, 4),
    "erfcx": (12, 4),
    "erfinv": (40, 4),
    "gamma": (12, 4),
    "kl_div": (40, 40),
    "log_ndtr": (20, 20),
    "rel_entr": (40, 40),
    "silu": (8, 8),
    "gammaln": (20, 4),
    "digamma": (20, 4),
    "polygamma": (200, 8),
    "sigmoid": (6, 6),
    "softplus": (6, 6),
    "logaddexp": (6, 6),
    "normal_bits": (12, 4),
    "log_gamma_draw": (200, 4),
    "log_gamma_slope": (200, 8),
    "log_gamma_bend": (400, 8),
    "truncated_normal": (20, 4),
}
#: NumPy's vectorised functions are within 4 ulps.
DEFAULT_ULPS = (6.0, 4.0)


def floor_of(case: Case) -> Any:
    """The size of values below which errors are counted in ulps of this size."""
    op = case.op
    if op.kernel is not None and KINDS[case.operands[0].dtype] == "f":
        return max((float(np.max(np.abs(x), initial=0.0)) for x in expected(case)), default=0.0)
    if op.interpret is not None:
        return 1.0
    if op.family in (Family.LINEAR, Family.BILINEAR) and not op.exact:
        return 4.0  # sums
    if op.name != "polygamma":
        return op.floor
    order, x = (operand.astype(np.float64) for operand in case.operands)  # below zero poles of both signs cancel
    order = np.where((order >= 0) & (order <= 20), order, 0.0)
    with np.errstate(all="ignore"):
        return np.where(x < 0, scipy.special.gamma(order + 1.0) * np.pi ** (order + 1.0), 1e-300)


def ulps_of(case: Case) -> float:
    """How far C or the reference may be from NumPy; 0 where arithmetic is exact."""
    dtype = case.operands[-1].dtype
    if case.op.result == "floating":
        dtype = floating_like(dtype)
    if is_exact(case.op, dtype):
        return 0.0
    if case.op.kernel is not None:
        return case.op.kernel.ulps[dtype == np.float32]
    if case.op.combiner or case.op.family is Family.BILINEAR:  # another order of summation
        return 2.0 + 4.0 * math.sqrt(max(x.size for x in case.operands))
    return ULPS.get(case.op.name, DEFAULT_ULPS)[dtype == np.float32]
