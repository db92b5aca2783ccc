"""Products with the Jacobian and its transpose."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import autodiff
from ..errors import SignatureError
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.trace import function_name
from ..graph.tree import flatten, unflatten
from ..ops.dtypes import is_float
from ..runtime.functions.compiled_function import CompiledFunction, traced_at_each_call
from .evaluation_point import Function, Point, filled, fitting, record_point, refusal, require_function
from .gradients import grad

__all__ = ["hvp", "jvp", "linearize", "vjp"]


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its derivative along `tangents`, by forward mode.

    On arrays it is traced, compiled unless an equal graph already was, and run; among expressions it is recorded.

    Args:
        f: any function of arrays.
        primals: a tuple of arguments.
        tangents: a tuple of the same containers and shapes.
        has_aux: whether `f` returns (output, aux).

    Returns:
        (output, tangent of the output), and aux with `has_aux`. Outputs that are not floating have the tangent None.

    Raises:
        ShapeError: tangents unlike the primals; DTypeError: a primal that is not floating.

    Example:
        >>> pg.jvp(np.sin, (0.0,), (2.0,))
        (np.float64(0.0), np.float64(2.0))
    """
    require_function("jvp", f)
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise refusal(SignatureError, "jvp", f, "primals and tangents must be tuples", "write jvp(f, (x,), (dx,))")
    result: tuple[Any, ...] = _make_jvp(f, has_aux)(tuple(primals), tuple(tangents))
    return result


def _make_jvp(f: Function, has_aux: bool, transform: str = "jvp") -> CompiledFunction:
    def recorded(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, ...]:
        point = record_point(transform, f, range(len(primals)), primals, {}, has_aux)
        given = fitting(transform, f, "tangent", tangents, point.forms, point.variables)
        return (point.value(), _pushed(point, given, linear=False), *([point.aux_value()] if has_aux else []))

    recorded.__name__ = f"jvp_{function_name(f)}"
    return traced_at_each_call(recorded, at_point=True)


def _pushed(point: Point, tangents: Sequence[Node], linear: bool) -> Any:
    """Tangents in the output's container: zeros written out, None at outputs that are not floating."""

    def pushed(outputs: Sequence[Node], given: Sequence[Node]) -> list[Node]:
        return filled(autodiff.jvp(outputs, point.variables, given, linear=linear), outputs)

    leaves = point.transformed(pushed, tangents)
    return unflatten(
        point.output_tree,
        [leaf if is_float(output.dtype) else None for leaf, output in zip(leaves, point.outputs, strict=True)],
    )


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function, and a function that multiplies cotangents by its Jacobian, by reverse mode.

    On arrays the forward evaluation is kept: each call of the returned function is one reverse sweep. `f` is traced,
    and compiled unless an equal graph already was; among expressions it is recorded.

    Args:
        f: any function of arrays.
        primals: its arguments.
        has_aux: whether `f` returns (output, aux).

    Returns:
        (output, pull), and aux with `has_aux`. `pull(cotangent)`, for a cotangent like the output (None at outputs
        that are not floating), returns a tuple with a gradient for each of `primals`.

    Raises:
        DTypeError: a primal that is not floating.

    Example:
        >>> value, pull = pg.vjp(lambda x, y: x * y, 2.0, 3.0)
        >>> value, pull(1.0)
        (np.float64(6.0), (np.float64(3.0), np.float64(2.0)))
    """
    if not any(isinstance(leaf, Node) for leaf in flatten(primals)[0]):
        checked = _make_vjp("vjp", f, has_aux)
        found = checked._signatures.executable(*primals)
        if not isinstance(found, Graph):
            value, kept = found.keep(*primals)

            def recorded() -> Function:
                pull: Function = _inline_vjp(f, primals, has_aux)[1]
                return pull

            if not has_aux:
                return value, _of_expressions(kept.reverse, recorded)
            output, aux = value
            nothing = _zeros_like(aux)
            return output, _of_expressions(lambda cotangent: kept.reverse((cotangent, nothing)), recorded), aux
    return _inline_vjp(f, primals, has_aux)


def _of_expressions(kept: Function, recorded: Callable[[], Function]) -> Function:
    """A sweep over a kept evaluation, which among expressions is recorded instead."""

    def sweep(*vectors: Any) -> Any:
        traced = any(isinstance(leaf, Node) for leaf in flatten(vectors)[0])
        return recorded()(*vectors) if traced else kept(*vectors)

    return sweep


def _make_vjp(name: str, f: Function, has_aux: bool) -> CompiledFunction:
    require_function(name, f)

    def checked(*primals: Any) -> Any:
        point = record_point(name, f, range(len(primals)), primals, {}, has_aux)
        return (point.value(), point.aux_value()) if has_aux else point.value()

    functools.update_wrapper(checked, f)
    return traced_at_each_call(checked, wrt_all=True, at_point=True)


def _inline_vjp(f: Function, primals: tuple[Any, ...], has_aux: bool) -> tuple[Any, ...]:
    point = record_point("vjp", f, range(len(primals)), primals, {}, has_aux)
    floating = [output for output in point.outputs if is_float(output.dtype)]
    forms = flatten(unflatten(point.output_tree, [0 if is_float(o.dtype) else None for o in point.outputs]))[1]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = fitting("vjp", f, "cotangent", (cotangent,), (forms,), floating)

        def pulled(outputs: Sequence[Node], given: Sequence[Node]) -> list[Node]:
            outputs = [output for output in outputs if is_float(output.dtype)]
            return filled(autodiff.vjp(outputs, point.variables, given), point.variables)

        return point.nested(point.transformed(pulled, seeds))

    return (point.value(), pull, *([point.aux_value()] if has_aux else []))


def _zeros_like(tree: Any) -> Any:
    """Zero cotangents for a container of arrays; None where they are not floating."""
    leaves, form = flatten(tree)
    return unflatten(form, [np.zeros_like(leaf) if np.asarray(leaf).dtype.kind == "f" else None for leaf in leaves])


def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of a function, and a function that multiplies tangents by its Jacobian at that point.

    On arrays the evaluation is kept: each call of the returned function does only the linear part. `f` is traced,
    and compiled unless an equal graph already was; among expressions it is recorded.

    Args:
        f: any function of arrays.
        primals: its arguments.

    Returns:
        (output, push). `push(*tangents)`, for a tangent like each of `primals`, returns the tangent of the output
        (None at outputs that are not floating).

    Raises:
        DTypeError: a primal that is not floating; SignatureError, ShapeError: tangents unlike the primals.

    Example:
        >>> value, push = pg.linearize(lambda x, y: x * y, 2.0, 3.0)
        >>> value, push(1.0, 0.0), push(0.0, 1.0)
        (np.float64(6.0), np.float64(3.0), np.float64(2.0))
    """
    if not any(isinstance(leaf, Node) for leaf in flatten(primals)[0]):
        found = _make_vjp("linearize", f, False)._signatures.executable(*primals)
        if not isinstance(found, Graph):
            value, kept = found.keep(*primals)
            return value, _of_expressions(kept.jvp, lambda: _inline_linearize(f, primals)[1])
    return _inline_linearize(f, primals)


def _inline_linearize(f: Function, primals: tuple[Any, ...]) -> tuple[Any, Function]:
    point = record_point("linearize", f, range(len(primals)), primals, {}, False)

    def push(*tangents: Any) -> Any:
        given = fitting("linearize", f, "tangent", tangents, point.forms, point.variables)
        return _pushed(point, given, linear=True)

    return point.value(), push


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of a scalar function times a vector, by forward over reverse mode: a few evaluations' work.

    On arrays it is traced, compiled unless an equal graph already was, and run; among expressions it is recorded.

    Args:
        f: a scalar function of arrays.
        primals: a tuple of arguments.
        tangents: a tuple of the same containers and shapes.

    Returns:
        The derivative of the gradient along `tangents`: a container like the argument where there is one, a tuple with
        one for each of several.

    Raises:
        ShapeError: tangents unlike the primals, or `f` returns no scalar; DTypeError: a primal that is not floating.

    Example:
        >>> pg.hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
        array([6., 0.])
    """
    require_function("hvp", f)
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise refusal(SignatureError, "hvp", f, "primals and tangents must be tuples", "write hvp(f, (x,), (dx,))")
    return _make_hvp(f, len(primals))(tuple(primals), tuple(tangents))


def _make_hvp(f: Function, count: int) -> CompiledFunction:
    gradient = grad(f, 0 if count == 1 else tuple(range(count))).function
    functools.update_wrapper(gradient, f)  # errors name the function itself
    along = _make_jvp(gradient, False, "hvp").function

    def recorded(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        return along(primals, tangents)[1]

    recorded.__name__ = f"hvp_{function_name(f)}"
    return traced_at_each_call(recorded, at_point=True)
