"""Transformations of functions: derivatives in both modes, and `scan`. On arrays they compile; in a trace they inline.

Each is written once, on expressions: the function is called on new variables, differentiated graph to graph, and the
variables are replaced by the actual arguments. Anything else the function uses, also of an enclosing trace, is a
constant of the derivative; that is all that nesting needs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import autodiff
from .errors import DTypeError, GraphError, ShapeError, SignatureError
from .graph import control
from .graph.build import as_node, constant, convert, substitute
from .graph.graph import Graph
from .graph.node import Node
from .graph.trace import function_name, make_inputs, parameter_names, result_node
from .graph.tree import TreeDef, flatten, flatten_named, unflatten
from .graph.where import Where, describe
from .ops.dtypes import is_float
from .remembered import remembered
from .runtime.compile import CACHE_SIZE, CompiledFunction

__all__ = ["grad", "jacfwd", "jacrev", "jvp", "scan", "value_and_grad", "vjp"]

Function = Callable[..., Any]


# --- a function at a point -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Point:
    """A function recorded on new variables in place of some arguments.

    Attributes:
        variables: in place of the leaves of the chosen arguments.
        actual: those leaves.
        forms: of the chosen arguments.
        outputs, output_tree: what is differentiated.
        aux: what else the function returned, a container.
    """

    name: str
    variables: list[Node]
    actual: list[Node]
    forms: tuple[TreeDef, ...]
    outputs: list[Node]
    output_tree: TreeDef
    aux: Any

    def at_actual(self, expressions: Sequence[Node]) -> list[Node]:
        """Expressions of the variables as expressions of the actual arguments."""
        return substitute(expressions, dict(zip(self.variables, self.actual, strict=True)))

    def value(self) -> Any:
        """The outputs at the actual arguments."""
        return unflatten(self.output_tree, self.at_actual(self.outputs))

    def aux_value(self) -> Any:
        """What else the function returned, at the actual arguments."""
        leaves, tree = flatten(self.aux)
        return unflatten(tree, self.at_actual([result_node(leaf, self.name) for leaf in leaves]))

    def nested(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """One value for each variable, in the containers of the chosen arguments."""
        remaining = iter(leaves)
        return tuple(unflatten(form, [next(remaining) for _ in range(form.n_leaves)]) for form in self.forms)


def _point(
    transform: str, f: Function, positions: Sequence[int], args: Sequence[Any], named: dict[str, Any], has_aux: bool
) -> _Point:
    """Record `f` on variables in place of `args[i]` for i in `positions`."""
    names = parameter_names(f, len(args))
    leaves: list[tuple[str, Any]] = []
    forms = []
    for i in positions:
        parts, form = flatten_named(args[i], names[i])
        leaves += parts
        forms.append(form)
    actual = [as_node(leaf) for _, leaf in leaves]
    for (name, _), node in zip(leaves, actual, strict=True):
        if not is_float(node.dtype):
            raise _error(
                DTypeError,
                transform,
                f,
                f"argument {name!r} is {node.type_text}, which has no derivative",
                "give it as a float (1.0, x.astype('float64')), or leave it out of argnums",
            )
    variables = make_inputs([name for name, _ in leaves], [(node.shape, node.dtype) for node in actual])
    remaining = iter(variables)
    replaced = list(args)
    for i, form in zip(positions, forms, strict=True):
        replaced[i] = unflatten(form, [next(remaining) for _ in range(form.n_leaves)])
    returned, aux = f(*replaced, **named), None
    if has_aux:
        if not isinstance(returned, tuple) or len(returned) != 2:
            problem = f"has_aux=True, and the function returned a {type(returned).__name__}, not a pair"
            raise _error(GraphError, transform, f, problem, "return (output, aux)")
        returned, aux = returned
    outputs, output_tree = flatten(returned)
    name = function_name(f)
    return _Point(
        name, variables, actual, tuple(forms), [result_node(output, name) for output in outputs], output_tree, aux
    )


def _error(kind: type[GraphError], transform: str, f: Function, problem: str, advice: str) -> GraphError:
    """An error of a transformation of `f`, with the line where `f` begins."""
    code = getattr(f, "__code__", None)
    where = Where(code.co_filename, code.co_firstlineno) if code is not None else None
    return kind(describe("differentiating", f"{transform}({function_name(f)})", problem, advice, where=where))


def _positions(transform: str, f: Function, argnums: int | Sequence[int], n: int) -> tuple[int, ...]:
    """`argnums` as positions among `n` arguments."""
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in given:
        if not -n <= i < n:
            raise _error(SignatureError, transform, f, f"argnums={argnums!r}, with {n} arguments", f"give 0 to {n - 1}")
    positions = tuple(i % n for i in given)
    if len(set(positions)) < len(positions):
        raise _error(SignatureError, transform, f, f"argnums={argnums!r} names an argument twice", "name each once")
    return positions


def _compiled(recorded: Function, f: Function, name: str) -> CompiledFunction:
    """`recorded`, which works on expressions, as a compiled function that presents itself as `name` of `f`."""
    functools.update_wrapper(recorded, f)
    recorded.__name__ = recorded.__qualname__ = f"{name}_{function_name(f)}"
    if f.__doc__:
        recorded.__doc__ = f"{name} of {function_name(f)}, whose documentation is:\n\n{f.__doc__}"
    return CompiledFunction(recorded, {"threads": None, "check_finite": False}, CACHE_SIZE)


# --- gradients -------------------------------------------------------------------------------------------------------


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns both the value and the gradient of a scalar function.

    Args:
        f: returns a floating scalar, or (scalar, aux) with `has_aux`.
        argnums: which argument to differentiate, a container or an array; several give a tuple of gradients.
        has_aux: whether `f` returns other values beside the one to differentiate.

    Returns:
        A function of the same arguments that returns (value, gradient), or ((value, aux), gradient). On arrays it is
        traced once per signature and runs in C, as by `pg.compile`; among expressions it is recorded.

    Raises (when called):
        ShapeError: `f` returns no scalar; DTypeError: an argument or the value is not floating.

    Example:
        >>> pg.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
        (np.float64(5.0), array([2., 4.]))
    """

    def recorded(*args: Any, **named: Any) -> Any:
        positions = _positions("grad", f, argnums, len(args))
        point = _point("grad", f, positions, args, named, has_aux)
        scalar = _scalar(f, point)
        found = autodiff.vjp([scalar], point.variables, [constant(1.0, scalar.dtype)])
        gradients = point.nested(point.at_actual(_filled(found, point.variables)))
        value = (point.value(), point.aux_value()) if has_aux else point.value()
        return value, gradients[0] if isinstance(argnums, int) else gradients

    return _compiled(recorded, f, "value_and_grad")


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient of a scalar function, as a function; arguments as for `value_and_grad`.

    Returns:
        A function that returns the gradient in the container of the argument, or (gradient, aux).

    Example:
        >>> pg.grad(lambda x: x**3)(2.0)
        np.float64(12.0)
        >>> pg.grad(pg.grad(lambda x: x**3))(2.0)
        np.float64(12.0)
    """
    both = value_and_grad(f, argnums, has_aux).__wrapped__  # type: ignore[attr-defined]

    def recorded(*args: Any, **named: Any) -> Any:
        value, gradient = both(*args, **named)
        return (gradient, value[1]) if has_aux else gradient

    return _compiled(recorded, f, "grad")


def _scalar(f: Function, point: _Point) -> Node:
    """The one output of a scalar function."""
    if len(point.outputs) != 1 or point.output_tree.kind is not None:
        problem = f"the function returned {point.output_tree!r}, not one scalar"
        advice = "return a scalar; with other results, return (scalar, aux) and has_aux=True"
        raise _error(ShapeError, "grad", f, problem, advice)
    (output,) = point.outputs
    if output.shape:
        problem = f"the function returned {output.type_text}, not a scalar"
        raise _error(ShapeError, "grad", f, problem, "sum it, or use pg.jacrev, pg.jacfwd or pg.vjp")
    if not is_float(output.dtype):
        raise _error(DTypeError, "grad", f, f"the function returned {output.type_text}", "return a floating scalar")
    return output


def _filled(derivatives: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    """Derivatives with zeros written out."""
    return [
        constant(np.zeros(node.shape, node.dtype)) if derivative is None else derivative
        for derivative, node in zip(derivatives, like, strict=True)
    ]


# --- Jacobians -------------------------------------------------------------------------------------------------------


def jacfwd(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The Jacobian of a function by forward mode: one tangent per element of the argument. For few inputs.

    Args:
        f, argnums, has_aux: as for `grad`; `f` may return any container of arrays.

    Returns:
        A function that returns, for each output, and in it for each leaf of the argument, an array of shape
        output.shape + argument.shape; with `has_aux` a pair of that and aux.

    Example:
        >>> pg.jacfwd(lambda x: x**2)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """
    return _jacobian("jacfwd", autodiff.jacobian_forward, f, argnums, has_aux)


def jacrev(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The Jacobian of a function by reverse mode: one cotangent per element of the output. For few outputs.

    Arguments and result as for `jacfwd`.

    Example:
        >>> pg.jacrev(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
        array([2., 4.])
    """
    return _jacobian("jacrev", autodiff.jacobian_reverse, f, argnums, has_aux)


def _jacobian(
    name: str,
    engine: Callable[[Sequence[Node], Sequence[Node]], list[list[Node]]],
    f: Function,
    argnums: int | Sequence[int],
    has_aux: bool,
) -> Function:
    def recorded(*args: Any, **named: Any) -> Any:
        positions = _positions(name, f, argnums, len(args))
        point = _point(name, f, positions, args, named, has_aux)
        blocks = []
        for row in engine(point.outputs, point.variables):
            nested = point.nested(point.at_actual(row))
            blocks.append(nested[0] if isinstance(argnums, int) else nested)
        jacobian = unflatten(point.output_tree, blocks)
        return (jacobian, point.aux_value()) if has_aux else jacobian

    return _compiled(recorded, f, name)


# --- products with the Jacobian --------------------------------------------------------------------------------------


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its derivative along `tangents`, by forward mode.

    On arrays it is traced once per function and signature, as by `pg.compile`; among expressions it is recorded.

    Args:
        f: any function of arrays.
        primals: a tuple of arguments.
        tangents: a tuple of the same containers and shapes.
        has_aux: whether `f` returns (output, aux).

    Returns:
        (output, tangent of the output), and aux where asked for. Outputs that are not floating have the tangent None.

    Raises:
        ShapeError: tangents unlike the primals; DTypeError: a primal that is not floating.

    Example:
        >>> pg.jvp(np.sin, (0.0,), (2.0,))
        (np.float64(0.0), np.float64(2.0))
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise _error(SignatureError, "jvp", f, "primals and tangents must be tuples", "write jvp(f, (x,), (dx,))")
    result: tuple[Any, ...] = remembered(_make_jvp, f, has_aux)(tuple(primals), tuple(tangents))
    return result


def _make_jvp(f: Function, has_aux: bool) -> CompiledFunction:
    def recorded(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, ...]:
        point = _point("jvp", f, range(len(primals)), primals, {}, has_aux)
        given = _like("jvp", f, "tangent", tangents, point.forms, point.variables)
        pushed = autodiff.jvp(point.outputs, point.variables, given)
        return (point.value(), _floating(point, pushed), *([point.aux_value()] if has_aux else []))

    recorded.__name__ = f"jvp_{function_name(f)}"
    return CompiledFunction(recorded, {"threads": None, "check_finite": False}, CACHE_SIZE)


def _floating(point: _Point, pushed: Sequence[Node | None]) -> Any:
    """Tangents in the output's container: zeros written out, None at outputs that are not floating."""
    leaves = point.at_actual(_filled(pushed, point.outputs))
    return unflatten(
        point.output_tree,
        [leaf if is_float(output.dtype) else None for leaf, output in zip(leaves, point.outputs, strict=True)],
    )


def _like(
    transform: str, f: Function, what: str, given: Any, forms: Sequence[TreeDef], like: Sequence[Node]
) -> list[Node]:
    """Tangents or cotangents as nodes of the dtypes of `like`, after a check of containers and shapes."""
    leaves, form = flatten(given)
    if form.children != tuple(forms):
        wanted = TreeDef(tuple, (), tuple(forms))
        raise _error(ShapeError, transform, f, f"{what}s of the form {form!r}", f"give the form {wanted!r}")
    nodes = []
    for leaf, node in zip(leaves, like, strict=True):
        found = as_node(leaf)
        if found.shape != node.shape:
            problem = f"a {what} of shape {found.shape} for a value of shape {node.shape}"
            raise _error(ShapeError, transform, f, problem, f"give each {what} the shape of its value")
        nodes.append(convert(found, node.dtype))
    return nodes


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function, and a function that multiplies cotangents by its Jacobian, by reverse mode.

    On arrays the forward evaluation is kept: each call of the returned function is one reverse sweep. It is traced once
    per function and signature, as by `pg.compile`; among expressions it is recorded.

    Args:
        f: any function of arrays.
        primals: its arguments.
        has_aux: whether `f` returns (output, aux).

    Returns:
        (output, pull), and aux where asked for. `pull(cotangent)`, for a cotangent like the output (None at outputs
        that are not floating), returns a tuple with a gradient for each of `primals`.

    Raises:
        DTypeError: a primal that is not floating.

    Example:
        >>> value, pull = pg.vjp(lambda x, y: x * y, 2.0, 3.0)
        >>> value, pull(1.0)
        (np.float64(6.0), (np.float64(3.0), np.float64(2.0)))
    """
    if not any(isinstance(leaf, Node) for leaf in flatten(primals)[0]):
        checked = remembered(_make_vjp, f, has_aux)
        found = checked._signatures.executable(*primals)
        if not isinstance(found, Graph):
            value, kept = found.keep(*primals)
            if not has_aux:
                return value, kept.reverse
            output, aux = value
            nothing = _zeros_like(aux)
            return output, lambda cotangent: kept.reverse((cotangent, nothing)), aux
    return _inline_vjp(f, primals, has_aux)


def _make_vjp(f: Function, has_aux: bool) -> CompiledFunction:
    def checked(*primals: Any) -> Any:
        point = _point("vjp", f, range(len(primals)), primals, {}, has_aux)
        return (point.value(), point.aux_value()) if has_aux else point.value()

    functools.update_wrapper(checked, f)
    return CompiledFunction(checked, {"threads": None, "check_finite": False}, CACHE_SIZE, wrt_all=True)


def _inline_vjp(f: Function, primals: tuple[Any, ...], has_aux: bool) -> tuple[Any, ...]:
    point = _point("vjp", f, range(len(primals)), primals, {}, has_aux)
    floating = [output for output in point.outputs if is_float(output.dtype)]
    forms = flatten(unflatten(point.output_tree, [0 if is_float(o.dtype) else None for o in point.outputs]))[1]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = _like("vjp", f, "cotangent", (cotangent,), (forms,), floating)
        found = autodiff.vjp(floating, point.variables, seeds)
        return point.nested(point.at_actual(_filled(found, point.variables)))

    return (point.value(), pull, *([point.aux_value()] if has_aux else []))


def _zeros_like(tree: Any) -> Any:
    """Zero cotangents for a container of arrays; None where they are not floating."""
    leaves, form = flatten(tree)
    return unflatten(form, [np.zeros_like(leaf) if np.asarray(leaf).dtype.kind == "f" else None for leaf in leaves])


# --- loops -----------------------------------------------------------------------------------------------------------


def scan(f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """A loop that carries a state along the first axis of `xs`; as `jax.lax.scan`.

    Equal to `for x in xs: carry, y = f(carry, x)` with the y stacked, but the body is traced once and the loop runs in
    C. On arrays it is traced once per body and signature, as by `pg.compile`; among expressions it is recorded.

    Args:
        f: the body, (carry, x) -> (carry, y); containers as carry, x and y.
        init: the first carry. Python numbers in it take the dtype that the body returns.
        xs: arrays with a leading axis of equal length, in a container; None for none.
        length: the number of steps; needed where `xs` has no array.
        reverse: whether the steps run from the last index to the first.

    Returns:
        The last carry, and the stacked ys, each of shape (length, ...).

    Raises:
        ShapeError: the lengths of xs differ, or the carry changes its shape; DTypeError: it changes its dtype;
        GraphError: it changes its container, or the body does not return a pair.

    Example:
        >>> pg.scan(lambda total, x: (total + x, total + x), 0.0, np.array([1.0, 2.0, 3.0]))
        (np.float64(6.0), array([1., 3., 6.]))
    """
    leaves, init_tree = flatten(init)
    x_leaves, x_tree = flatten(xs)
    if any(isinstance(leaf, Node) for leaf in (*leaves, *x_leaves)):
        return control.scan(f, init, xs, length, reverse)
    weak = tuple((i, type(leaf), leaf) for i, leaf in enumerate(leaves) if type(leaf) in (bool, int, float))
    strong = [leaf for leaf in leaves if type(leaf) not in (bool, int, float)]
    result: tuple[Any, Any] = remembered(_make_scan, f, weak, init_tree, x_tree, length, reverse)(strong, x_leaves)
    return result


def _make_scan(
    f: Function,
    weak: tuple[tuple[int, type, Any], ...],
    init_tree: TreeDef,
    x_tree: TreeDef,
    length: int | None,
    reverse: bool,
) -> CompiledFunction:
    def recorded(strong: list[Any], x_leaves: list[Any]) -> tuple[Any, Any]:
        leaves = list(strong)
        for i, _, number in weak:
            leaves.insert(i, number)
        return control.scan(f, unflatten(init_tree, leaves), unflatten(x_tree, x_leaves), length, reverse)

    recorded.__name__ = f"scan_{function_name(f)}"
    return CompiledFunction(recorded, {"threads": None, "check_finite": False}, CACHE_SIZE)
