"""`pg.var`: declares a variable by its name, or takes the variance of an operand, as `np.var` does."""

from __future__ import annotations

from typing import Any, overload

from . import ops
from .errors import SignatureError, shown
from .graph import construction
from .graph.node import Node

__all__ = ["var"]


@overload
def var(name: str, /, shape: int | tuple[int, ...] = (), dtype: Any = "float64") -> Node: ...
@overload
def var(x: Any, /, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any: ...
def var(name: Any, /, *args: Any, **named: Any) -> Any:
    """`var(name, shape=(), dtype="float64")`: a new variable, an input of graphs.

    `var(x, axis=None, ddof=0, keepdims=False)`: the variance of an expression or an array, as `np.var`.

    Raises:
        ShapeError, DTypeError: no such shape or dtype, or an axis out of range; SignatureError: a shape without a name.

    Example:
        >>> pg.var("x", (100, 3))
        <x : float64[100, 3]>
        >>> pg.var(np.array([1.0, 3.0]))
        np.float64(1.0)
    """
    if isinstance(name, str):
        return construction.var(name, *args, **named)
    if isinstance(name, int) or (isinstance(name, tuple) and all(type(size) is int for size in name)):
        problem = f"{shown(name)} is not the name of a variable"
        advice = f"give a name before the shape: pg.var('x', {name!r}); for the variance give np.asarray(x)"
        raise SignatureError(problem, advice, stage="tracing", subject="var")
    return ops.var(name, *args, **named)
