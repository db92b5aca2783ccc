"""`pg.scipy.solve_ivp`: SciPy's solvers of initial value problems with the exact Jacobian, sparse where that pays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import pygraph as pg

from .decision_variables import DecisionVariables
from .fixed_arguments import FixedArguments
from .flat_function import FlatFunction, flat_function, running, running_sparse
from .requirement import required
from .sparsity_estimate import SPARSE_BELOW, SPARSE_FROM, density

__all__ = ["solve_ivp"]


def solve_ivp(
    fun: Callable[..., Any],
    t_span: tuple[float, float],
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """The solution of dy/dt = fun(t, y), by `scipy.integrate.solve_ivp` with the exact Jacobian.

    The right-hand side runs in C. Radau, BDF and LSODA get its Jacobian: for Radau and BDF a sparse matrix where its
    structure is given (`jac_sparsity`), and from 64 variables on where fewer than a tenth of the entries are not zero;
    for LSODA the band, where `lband` or `uband` say one.

    Args:
        fun: fun(t, y, *args) → dy/dt, in the container of y0. It is recorded.
        t_span, method, t_eval, dense_output: as for SciPy; `method` is a name or a class.
        y0: the start: an array of any shape, numbers, or a container of arrays. All becomes float64.
        events: as for SciPy: functions of (t, y, *args), in Python, y in the container of y0.
        vectorized: whether `fun` takes y of shape (n, k); for an array y0 of one axis. It is called with k = 1.
        args: as for `minimize`.
        options: as for SciPy. `jac`: by default exact; a matrix, or a function of (t, y, *args), is used as given.
            `jac_sparsity`: where the Jacobian has entries: others are promised to be zero.

    Returns:
        SciPy's result. In place of an array of shape (n, …), `y`, the values of `sol` and each of `y_events` are, for
        other y0 than vectors, containers like y0; `y` and `sol` have the axis of times last, `y_events` that of events
        first.

    Raises:
        UnsupportedError: SciPy is not installed, or `fun` does what can't be recorded; ShapeError: dy/dt is not like
        y0; DTypeError: y0 is not of real numbers.

    Example:
        >>> def van_der_pol(t, y, mu):
        ...     return np.stack([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])
        >>> found = pg.scipy.solve_ivp(van_der_pol, (0.0, 10.0), [2.0, 0.0], method="Radau", args=(100.0,))
        >>> print(found.success, found.y.shape[0])
        True 2
    """
    integrate = required("integrate", "solve_ivp")
    variables = DecisionVariables(y0, "solve_ivp", "y0")
    arguments = FixedArguments(() if args is None else tuple(args))
    flat = flat_function(_single(fun) if vectorized else fun, variables, arguments, "timed")
    example, inputs = (float(t_span[0]), variables.start), arguments.inputs
    value = running(flat.value, example, inputs)
    count = value(*example).size
    if count != variables.size:
        problem = f"dy/dt has {count} elements, y0 has {variables.size}"
        raise pg.ShapeError(problem, "return one like y0", stage="calling", subject=variables.subject)
    solver = getattr(integrate, method, None) if isinstance(method, str) else method
    implicit = tuple(getattr(integrate, name) for name in ("Radau", "BDF", "LSODA"))
    if inspect.isclass(solver) and issubclass(solver, implicit):
        jac = options.get("jac")
        if jac is None:
            banded = issubclass(solver, integrate.LSODA)
            options = {**options, **_jacobian(flat, variables, example, inputs, options, banded)}
            options.pop("jac_sparsity", None)
        elif callable(jac):
            options = {**options, "jac": lambda t, y: jac(t, variables.unravel(y), *arguments.args)}
    result = integrate.solve_ivp(
        value,
        t_span,
        variables.start,
        method=method,
        t_eval=t_eval,
        dense_output=dense_output,
        events=_events(events, variables, arguments),
        **options,
    )
    return _unravelled(result, variables)


def _single(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (t, y) with y of shape (n, k) as one with y of shape (n,)."""

    def single(t: Any, y: Any, *args: Any) -> Any:
        return np.reshape(fun(t, np.reshape(y, (-1, 1)), *args), (-1,))

    return single


def _jacobian(
    flat: FlatFunction,
    variables: DecisionVariables,
    example: tuple[Any, ...],
    inputs: tuple[Any, ...],
    options: dict[str, Any],
    banded: bool,
) -> dict[str, Any]:
    """The exact Jacobian as an option of the solver."""
    size = variables.size
    make = required("sparse", "solve_ivp").csr_array
    if banded:
        lower, upper = options.get("lband"), options.get("uband")
        if lower is None and upper is None:
            return {"jac": running(flat.jacobian, example, inputs)}
        return {"jac": _band(flat, size, int(lower or 0), int(upper or 0), example, inputs)}
    structure = options.get("jac_sparsity")
    sparse = structure is not None
    if not sparse and size >= SPARSE_FROM:
        product = running(flat.jacobian_product, (*example, variables.start), inputs)
        sparse = density(lambda point, vector: product(example[0], point, vector), variables.start) < SPARSE_BELOW
    if sparse:
        return {"jac": running_sparse(flat.sparse_jacobian(structure), example, inputs, make)}
    return {"jac": running(flat.jacobian, example, inputs)}


def _band(
    flat: FlatFunction, size: int, lower: int, upper: int, example: tuple[Any, ...], inputs: tuple[Any, ...]
) -> Callable[..., Any]:
    """The Jacobian packed as LSODA takes a band: entry (i, j) in row i - j + upper, column j."""
    offset = np.arange(size)[:, None] - np.arange(size)  # row - column
    inside = (offset <= lower) & (-offset <= upper)
    rows, columns = np.nonzero(inside)
    entries = running(flat.sparse_jacobian(inside).values, example, inputs)

    def packed(t: float, y: Any) -> Any:
        out = np.zeros((lower + upper + 1, size))
        out[rows - columns + upper, columns] = entries(t, y)
        return out

    return packed


def _events(events: Any, variables: DecisionVariables, arguments: FixedArguments) -> Any:
    """The functions of events as functions of vectors, with the attributes that SciPy reads."""
    if events is None:
        return None
    made = []
    for event in (events,) if callable(events) else events:

        def of_vector(t: float, y: Any, event: Callable[..., Any] = event) -> Any:
            return event(t, variables.unravel(y), *arguments.args)

        for name in ("terminal", "direction"):
            if hasattr(event, name):
                setattr(of_vector, name, getattr(event, name))
        made.append(of_vector)
    return made


def _unravelled(result: Any, variables: DecisionVariables) -> Any:
    """A result with containers in place of vectors."""
    if variables.pieces is None:
        return result
    result.y = _with_axis(result.y, variables)
    if result.y_events is not None:
        result.y_events = [
            _with_axis(np.reshape(values, (-1, variables.size)).T, variables, first=True) for values in result.y_events
        ]
    if result.sol is not None:
        result.sol = _Solution(result.sol, variables)
    return result


class _Solution:
    """The continuous solution: called with a time, or several, it returns containers."""

    def __init__(self, solution: Any, variables: DecisionVariables) -> None:
        self.solution, self.variables = solution, variables

    def __call__(self, t: Any) -> Any:
        return _with_axis(self.solution(t), self.variables)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["solution"], name)


def _with_axis(vectors: Any, variables: DecisionVariables, first: bool = False) -> Any:
    """Containers of the columns of an array of shape (n, …), the axes after the first at the end, or first."""
    others = vectors.shape[1:]

    def part(piece: Any) -> Any:
        values = vectors[piece.start : piece.stop].reshape(piece.shape + others)
        return np.moveaxis(values, -1, 0) if first else values

    return pg.tree_map(part, variables.pieces)
