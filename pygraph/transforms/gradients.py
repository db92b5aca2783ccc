"""Gradients of scalar functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import autodiff
from ..errors import DTypeError, ShapeError
from ..graph.construction import constant
from ..graph.node import Node
from ..ops.dtypes import is_float
from ..runtime.functions.compiled_function import CompiledFunction
from .evaluation_point import Function, Point, compiled, filled, positions_of, record_point, refusal, require_function

__all__ = ["grad", "value_and_grad"]


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> CompiledFunction:
    """A function that returns both the value and the gradient of a scalar function.

    Args:
        f: returns a floating scalar, or (scalar, aux) with `has_aux`.
        argnums: which argument to differentiate, a container or an array; several give a tuple of gradients.
        has_aux: whether `f` returns other values besides the one to differentiate.

    Returns:
        A function of the same arguments that returns (value, gradient), or ((value, aux), gradient). On arrays it is
        compiled, once per signature until something that `f` reads besides its arguments changes; among expressions it
        is recorded.

    Raises (when called):
        ShapeError: `f` returns no scalar; DTypeError: an argument or the value is not floating.

    Example:
        >>> pg.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
        (np.float64(5.0), array([2., 4.]))
    """

    def recorded(*args: Any, **named: Any) -> Any:
        positions = positions_of("grad", f, argnums, len(args))
        point = record_point("grad", f, positions, args, named, has_aux)
        seed = constant(1.0, _scalar(f, point).dtype)

        def pulled(outputs: Sequence[Node], _: Sequence[Node]) -> list[Node]:
            return filled(autodiff.vjp(outputs, point.variables, [seed]), point.variables)

        gradients = point.nested(point.transformed(pulled))
        value = (point.value(), point.aux_value()) if has_aux else point.value()
        return value, gradients if isinstance(argnums, Sequence) else gradients[0]

    return compiled(recorded, f, "value_and_grad", (value_and_grad, (f, argnums, has_aux)), at_point=True)


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> CompiledFunction:
    """The gradient of a scalar function, as a function; arguments as for `value_and_grad`.

    Returns:
        A function that returns the gradient in the container of the argument, or (gradient, aux).

    Example:
        >>> pg.grad(lambda x: x**3)(2.0)
        np.float64(12.0)
        >>> pg.grad(pg.grad(lambda x: x**3))(2.0)
        np.float64(12.0)
    """
    require_function("grad", f)
    both = value_and_grad(f, argnums, has_aux).function

    def recorded(*args: Any, **named: Any) -> Any:
        value, gradient = both(*args, **named)
        return (gradient, value[1]) if has_aux else gradient

    return compiled(recorded, f, "grad", (grad, (f, argnums, has_aux)), at_point=True)


def _scalar(f: Function, point: Point) -> Node:
    """The one output of a scalar function."""
    if len(point.outputs) != 1 or point.output_tree.kind is not None:
        problem = f"the function returned {point.output_tree!r}, not one scalar"
        advice = "return a scalar; with other results, return (scalar, aux) and has_aux=True"
        raise refusal(ShapeError, "grad", f, problem, advice)
    (output,) = point.outputs
    if output.shape:
        problem = f"the function returned {output.type_text}, not a scalar"
        raise refusal(ShapeError, "grad", f, problem, "sum it, or use pg.jacrev, pg.jacfwd or pg.vjp")
    if not is_float(output.dtype):
        raise refusal(DTypeError, "grad", f, f"the function returned {output.type_text}", "return a floating scalar")
    return output
