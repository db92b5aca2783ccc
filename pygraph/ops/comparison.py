"""Rows of comparison, logic, tests for special values, choice and conversion; and the functions around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import mask_rules
from .common import explained, is_expression, kind, operand, pointwise, pointwise_shape, same_shape
from .dtypes import as_dtype
from .expr import Expr
from .row import Family, Op, register

__all__ = [
    "astype",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "stop_gradient",
    "where",
]

_REAL = (-3.0, 3.0)
_BOOL = (0.0, 1.0)


def _comparison(name: str, symbol: str, doc: str, reference: Callable[..., Any], opposite: str = "") -> Op:
    return pointwise(
        name,
        f"Whether x {symbol} y, as a bool, after promotion to one dtype; {doc}.",
        f"a {symbol} b",
        reference,
        domain=(_REAL, _REAL),
        kinds="fib",
        result="bool",
        nondiff=True,
        exact=True,
        diagonal="1" if "=" in symbol and symbol != "!=" else "0",
        opposite=opposite,
        notation=f"{{0}} {symbol} {{1}}",
    )


equal = _comparison("equal", "==", "false when either is nan", np.equal, opposite="not_equal")
not_equal = _comparison("not_equal", "!=", "true when either is nan", np.not_equal, opposite="equal")
less = _comparison("less", "<", "false when either is nan", np.less)
less_equal = _comparison("less_equal", "<=", "false when either is nan", np.less_equal)
greater = _comparison("greater", ">", "false when either is nan", np.greater)
greater_equal = _comparison("greater_equal", ">=", "false when either is nan", np.greater_equal)


def _logical(name: str, doc: str, c: str, reference: Callable[..., Any], diagonal: str) -> Op:
    return pointwise(
        name,
        doc,
        c,
        reference,
        domain=(_BOOL,) * (2 if diagonal else 1),
        kinds="b",
        result="bool",
        nondiff=True,
        diagonal=diagonal,
    )


logical_and_row = _logical("logical_and", "Whether both bools are true.", "a && b", np.logical_and, "a")
logical_or_row = _logical("logical_or", "Whether one of two bools, or both, is true.", "a || b", np.logical_or, "a")
logical_xor_row = _logical("logical_xor", "Whether exactly one of two bools is true.", "a != b", np.logical_xor, "0")
logical_not_row = _logical("logical_not", "Whether a bool is false.", "!a", np.logical_not, "")


def _test(name: str, doc: str, c: str, reference: Callable[..., Any]) -> Op:
    return pointwise(name, doc, c, reference, domain=(_REAL,), result="bool", nondiff=True, exact=True)


isfinite_row = _test("isfinite", "Whether a is neither infinite nor nan.", "a - a == 0", np.isfinite)
isnan_row = _test("isnan", "Whether a is nan.", "a != a", np.isnan)
isinf_row = _test("isinf", "Whether a is inf or -inf.", "(a == a) & (a - a != 0)", np.isinf)


def _select_transpose(cotangent: Expr, node: Expr, i: int) -> Expr:
    condition = node.inputs[0]
    return select(condition, cotangent, 0.0) if i == 1 else select(condition, 0.0, cotangent)


select = register(
    Op(
        "select",
        Family.LINEAR,
        3,
        "b where the bool a is true, else c; the operand not chosen has no influence, even where it is nan.",
        result=lambda dtypes, attrs: dtypes[1],
        shape=pointwise_shape,
        reference=np.where,
        transpose=_select_transpose,
        linear_in=(1, 2),
        c="a ? b : c",
        domain=(_BOOL, _REAL, _REAL),
        differs=(0,),
        title="where",
        moves=True,
        chooses=True,
        exact=True,
    )
)


def _convert_reference(x: Any, dtype: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


convert: Op = register(
    Op(
        "convert",
        Family.LINEAR,
        1,
        "a in another dtype, as a C cast: towards zero from floating to integer (for nan, inf and values out of "
        "range the result is unspecified), != 0 to bool. Linear between floating dtypes; nothing else carries a "
        "derivative.",
        result=lambda dtypes, attrs: as_dtype(attrs["dtype"]),
        shape=same_shape,
        reference=_convert_reference,
        transpose=lambda cotangent, node, i: convert(cotangent, dtype=node.inputs[0].dtype),
        casts=True,
        notation="{dtype}({0})",
        c="(T)a",
        domain=(_REAL,),
        promote=False,
        edges=False,
        mask=mask_rules.unchanged,
        moves=True,
        exact=True,
        vanishes="all",
    )
)
stop_gradient = pointwise(
    "stop_gradient",
    "x itself, with derivative zero in every mode: for a shift that cancels in exact arithmetic, as in softmax.",
    "a",
    lambda x: x,
    domain=(_REAL,),
    kinds="fib",
    nondiff=True,
    exact=True,
)


@explained
def astype(x: Any, dtype: Any) -> Any:
    """`x` converted to `dtype`, or `x` itself when it has that dtype.

    Floating to integer rounds towards zero; to bool is `x != 0`.

    Raises:
        DTypeError: a dtype other than float64, float32, int64, int32 and bool.

    Example:
        >>> pg.astype(np.array([1.7, -1.7]), "int64")
        array([ 1, -1])
    """
    wanted = as_dtype(dtype)
    x = operand(x)
    return x if x.dtype == wanted else convert(x, dtype=wanted)


def floating(x: Any) -> Any:
    """`x` as floats: integers and bools as float64."""
    x = operand(x)
    return x if kind(x) == "f" else astype(x, np.float64)


def floats(*operands: Any) -> tuple[Any, ...]:
    """Operands as floats of the dtype that they are promoted to, in which Python numbers are weak."""
    strong = next((x for x in operands if type(x) not in (bool, int, float)), operands[0])
    dtype = np.result_type(*(floating(select(np.True_, strong, x)).dtype for x in operands))
    return tuple(astype(x, dtype) for x in operands)


def truth(x: Any) -> Any:
    """`x` as bools: itself, or `x != 0`."""
    x = operand(x)
    return x if kind(x) == "b" else not_equal(x, 0)


@explained
def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where `condition` is true (or not 0), else `y`; all three are broadcast and `x`, `y` promoted.

    The derivative reaches only the chosen operand: nan or inf in the other, or in its derivative, does no harm to the
    value nor to the gradient, of any order and in either mode.

    Raises:
        ShapeError: shapes that do not broadcast.

    Example:
        >>> pg.where(np.array([True, False]), np.array([1.0, 2.0]), 0.0)
        array([1., 0.])
    """
    return select(truth(condition), x, y)


@explained
def logical_and(x: Any, y: Any) -> Any:
    """Whether both `x` and `y` are true (not 0), elementwise and broadcast; bool.

    Example:
        >>> pg.logical_and(np.array([True, True]), np.array([0, 2]))
        array([False,  True])
    """
    return logical_and_row(truth(x), truth(y))


@explained
def logical_or(x: Any, y: Any) -> Any:
    """Whether one of `x` and `y`, or both, is true (not 0), elementwise and broadcast; bool.

    Example:
        >>> pg.logical_or(np.array([True, False]), np.array([0, 0]))
        array([ True, False])
    """
    return logical_or_row(truth(x), truth(y))


@explained
def logical_xor(x: Any, y: Any) -> Any:
    """Whether exactly one of `x` and `y` is true (not 0), elementwise and broadcast; bool.

    Example:
        >>> pg.logical_xor(np.array([True, False]), np.array([1, 0]))
        array([False, False])
    """
    return logical_xor_row(truth(x), truth(y))


@explained
def logical_not(x: Any) -> Any:
    """Whether `x` is false (0), elementwise; bool.

    Example:
        >>> pg.logical_not(np.array([0.0, 2.0]))
        array([ True, False])
    """
    return logical_not_row(truth(x))


def _tested(row: Op, x: Any) -> Any:
    """A test for special values, which also takes integers and bools, as NumPy's do."""
    return row(floating(x))


@explained
def isfinite(x: Any) -> Any:
    """Whether each element is neither infinite nor nan; bool.

    Example:
        >>> pg.isfinite(np.array([1.0, np.inf, np.nan]))
        array([ True, False, False])
    """
    return _tested(isfinite_row, x)


@explained
def isnan(x: Any) -> Any:
    """Whether each element is nan; bool.

    Example:
        >>> pg.isnan(np.array([1.0, np.inf, np.nan]))
        array([False, False,  True])
    """
    return _tested(isnan_row, x)


@explained
def isinf(x: Any) -> Any:
    """Whether each element is inf or -inf; bool.

    Example:
        >>> pg.isinf(np.array([1.0, -np.inf, np.nan]))
        array([False,  True, False])
    """
    return _tested(isinf_row, x)


def _filled_like(x: Any, value: int) -> Any:
    x = operand(x)
    if not is_expression(x):
        return np.full(x.shape, value, x.dtype)
    # a choice that never falls on x: the one way to a new expression of its shape that no nan can reach
    return select(np.False_, x, np.asarray(value, x.dtype))


def zeros_like(x: Any) -> Any:
    """Zeros in the shape and dtype of `x`; an expression when `x` is one."""
    return _filled_like(x, 0)


def ones_like(x: Any) -> Any:
    """Ones in the shape and dtype of `x`; an expression when `x` is one."""
    return _filled_like(x, 1)
