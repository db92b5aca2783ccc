"""Whole Jacobians and Hessians of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

from .. import autodiff
from ..autodiff import JacobianPlan
from ..errors import SignatureError, UnsupportedError, shown
from ..graph.graph import Graph
from ..graph.node import Node
from ..graph.trace_context import note
from ..graph.tree import unflatten
from ..runtime.compile.notes import JacobianNote
from ..runtime.functions.compiled_function import CompiledFunction
from .evaluation_point import Function, compiled, positions_of, record_point, refusal, require_function
from .of_expressions import are_expressions, of_expressions, of_graph
from .sparse import sparse_hessian, sparse_jacobian

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]

Engine = Callable[[Sequence[Node], Sequence[Node]], JacobianPlan | None]
#: The ways to evaluate a Jacobian, None where one is not fit for it; "auto" takes the one of least estimated cost, the
#: first of equals.
ENGINES: Mapping[str, Engine] = {
    "forward": autodiff.jacobian_forward,
    "reverse": autodiff.jacobian_reverse,
    "coloured": autodiff.jacobian_coloured,
    "unrolled": autodiff.jacobian_unrolled,
}
#: Those of `jacfwd` and `jacrev`, of which the cheaper one is taken as well.
FORWARD: Mapping[str, Engine] = {
    "forward": autodiff.jacobian_forward,
    "unrolled": partial(autodiff.jacobian_unrolled, modes=("forward",)),
}
REVERSE: Mapping[str, Engine] = {
    "reverse": autodiff.jacobian_reverse,
    "unrolled": partial(autodiff.jacobian_unrolled, modes=("reverse",)),
}
#: "auto" plans a coloured evaluation only of matrices with at least this many rows and columns (there is little to gain
#: below) and at most this many entries (the structure of a larger dense one takes a second and more to find).
COLOURED_FROM = 8
COLOURED_ENTRIES = 250_000


def jacfwd(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> CompiledFunction:
    """The Jacobian of a function by forward mode: one tangent per element of the argument. For few inputs.

    All tangents are pushed at once, as a batch. Where their intermediate values would take more than 64 MiB, they are
    pushed in chunks, one after another in one loop in C, of as many as fit. Those of a function of a few numbers are
    pushed element by element where that is estimated to cost less, so that zeros take no part.

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
    return _differentiated("jacfwd", FORWARD, f, argnums, has_aux, (jacfwd, (f, argnums, has_aux)))


def jacrev(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> CompiledFunction:
    """The Jacobian of a function by reverse mode: one cotangent per element of the output. For few outputs.

    Arguments and result as for `jacfwd`; all cotangents are pulled at once, or in chunks, in the same way.

    Example:
        >>> pg.jacrev(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
        array([2., 4.])
    """
    return _differentiated("jacrev", REVERSE, f, argnums, has_aux, (jacrev, (f, argnums, has_aux)))


def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    mode: str = "auto",
    has_aux: bool = False,
    sparse: bool = False,
    *,
    wrt: Any = None,
    backend: str = "auto",
    **options: Any,
) -> Any:
    """The Jacobian of a function by the mode of least estimated cost; or that of expressions, or of a graph.

    `pg.jacobian(y, x)` of an expression, or a container of them, and a variable, or several, is an expression of shape
    y.shape + x.shape; `pg.jacobian(graph, wrt="x")` is a graph of the same inputs.

    Arguments and result as for `jacfwd`. What was chosen is reported: `jacobian(f).executable(*args).stats` has
    `jacobian_mode`, `jacobian_costs` (estimated operations by mode, as far as they were compared) and `jacobian_chunk`
    (how many basis vectors go through the function at once).

    Args:
        mode: "forward" (as `jacfwd`), "reverse" (as `jacrev`), "coloured" (a tangent or cotangent for each colour of
            the matrix's structure), "unrolled" (of functions of a few numbers, such as a camera's projection: each
            entry by an expression of its own, without the zeros), or "auto", which plans all of these (the last two
            where the matrix is of a size for them). With `sparse` those of `pg.sparse_jacobian`.
        sparse: return a `scipy.sparse.csr_array` of fixed structure: `pg.sparse_jacobian`.
        wrt: for a graph: the input or inputs to differentiate, by name or variable; None: all floating ones.
        backend: as for `pg.compile`.
        options: of `pg.sparse_jacobian`: `sparsity`, `values_only`.

    Raises:
        SignatureError: another mode, or an option of sparse matrices without `sparse`.
        UnsupportedError: `sparse` without SciPy (the extra `sparse`); "unrolled" for a function that is not small.

    Example:
        >>> wide = pg.jacobian(lambda x: np.stack([np.sum(x**2), np.sum(x)]))
        >>> wide(np.array([1.0, 2.0, 3.0]))
        array([[2., 4., 6.],
               [1., 1., 1.]])
        >>> wide.executable(np.zeros(1000)).stats.jacobian_mode
        'reverse'
        >>> x = pg.var("x", (2,))
        >>> pg.compile(pg.Graph([x], pg.jacobian(x**2, x)))(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """
    if isinstance(f, Graph):
        return of_graph("jacobian", f, wrt, _blocks)
    if are_expressions(f):
        return of_expressions("jacobian", f, argnums if wrt is None else wrt, _blocks)
    if wrt is not None:
        raise refusal(SignatureError, "jacobian", f, "wrt is for graphs", "name arguments of a function by argnums")
    if sparse:
        return sparse_jacobian(f, argnums, has_aux, mode, backend=backend, **options)
    _refuse("jacobian", f, options)
    if mode != "auto" and mode not in ENGINES:
        problem = f"mode {shown(mode)} is unknown"
        listed = ", ".join(map(repr, ENGINES))
        raise refusal(SignatureError, "jacobian", f, problem, f"give 'auto', {listed}")
    engines = ENGINES if mode == "auto" else {mode: ENGINES[mode]}
    made = (partial(jacobian, backend=backend), (f, argnums, mode, has_aux))
    return _differentiated("jacobian", engines, f, argnums, has_aux, made, backend)


def _blocks(outputs: Sequence[Node], variables: Sequence[Node]) -> Sequence[Sequence[Node]]:
    return _chosen(ENGINES, outputs, variables, jacobian).blocks


def _second_blocks(outputs: Sequence[Node], variables: Sequence[Node]) -> Sequence[Sequence[Node]]:
    if len(variables) != 1:
        problem, advice = f"{len(variables)} variables", "give one: join several with np.concatenate"
        raise SignatureError(problem, advice, stage="tracing", subject="hessian")
    first = [row[0] for row in _chosen(REVERSE, outputs, variables, hessian).blocks]
    return _chosen(FORWARD, first, variables, hessian).blocks


def _refuse(name: str, f: Function, options: Mapping[str, Any]) -> None:
    """Options of sparse matrices are refused for dense ones."""
    if options:
        problem = f"{next(iter(options))}= is an option of sparse matrices"
        raise refusal(SignatureError, name, f, problem, "give sparse=True, or leave it out")


def _differentiated(
    name: str,
    engines: Mapping[str, Engine],
    f: Function,
    argnums: int | Sequence[int],
    has_aux: bool,
    made: tuple[Function, tuple[Any, ...]],
    backend: str = "auto",
) -> CompiledFunction:
    def recorded(*args: Any, **named: Any) -> Any:
        positions = positions_of(name, f, argnums, len(args))
        point = record_point(name, f, positions, args, named, has_aux)

        def evaluated(outputs: Sequence[Node], _: Sequence[Node]) -> list[Node]:
            return [block for row in _chosen(engines, outputs, point.variables, f).blocks for block in row]

        found = iter(point.transformed(evaluated))
        blocks = []
        for _ in point.outputs:
            nested = point.nested([next(found) for _ in point.variables])
            blocks.append(nested if isinstance(argnums, Sequence) else nested[0])
        result = unflatten(point.output_tree, blocks)
        return (result, point.aux_value()) if has_aux else result

    return compiled(recorded, f, name, made, backend, at_point=True)


def _chosen(
    engines: Mapping[str, Engine], outputs: Sequence[Node], variables: Sequence[Node], f: Function
) -> JacobianPlan:
    """The cheapest plan."""
    engines = dict(engines)
    rows, columns = (sum(prod(x.shape) for x in nodes) for nodes in (outputs, variables))
    if len(engines) > 1 and (min(rows, columns) < COLOURED_FROM or rows * columns > COLOURED_ENTRIES):
        engines.pop("coloured", None)
    found = [engine(outputs, variables) for engine in engines.values()]
    plans = [plan for plan in found if plan is not None]
    if not plans:
        problem = f"mode {next(iter(engines))!r} is for small arrays, without loops"
        raise refusal(UnsupportedError, "jacobian", f, problem, "give 'auto', 'forward' or 'reverse'")
    best = min(plans, key=lambda plan: plan.cost)
    note(JacobianNote(best.mode, {plan.mode: plan.cost for plan in plans}, best.chunk))
    return best


def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    sparse: bool = False,
    *,
    backend: str = "auto",
    **options: Any,
) -> Any:
    """The second derivatives of a function: `jacfwd(jacrev(f))`, forward over reverse; or of an expression.

    `pg.hessian(y, x)` of an expression and a variable is an expression of shape y.shape + x.shape + x.shape.

    Args:
        f, argnums, has_aux: as for `jacfwd`; `f` is usually scalar.
        sparse: return a `scipy.sparse.csr_array` of fixed structure: `pg.sparse_hessian`.
        backend: as for `pg.compile`.
        options: of `pg.sparse_hessian`: `mode`, `triangle`, `sparsity`, `values_only`.

    Returns:
        A function that returns, for each output, for each leaf of the argument, and in it for each leaf again, an array
        of shape output.shape + leaf.shape + leaf.shape; with `has_aux` a pair of that and aux.

    Example:
        >>> pg.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 3.0]))
        array([[6., 2.],
               [2., 0.]])
    """
    if are_expressions(f):
        return of_expressions("hessian", f, argnums, _second_blocks)
    if sparse:
        return sparse_hessian(f, argnums, has_aux, backend=backend, **options)
    _refuse("hessian", f, options)
    require_function("hessian", f)
    twice = jacfwd(jacrev(f, argnums, has_aux).function, argnums, has_aux).function

    def recorded(*args: Any, **named: Any) -> Any:
        return twice(*args, **named)

    made = (partial(hessian, backend=backend), (f, argnums, has_aux))
    return compiled(recorded, f, "hessian", made, backend, at_point=True)
