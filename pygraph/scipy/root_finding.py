"""`pg.scipy.root`: SciPy's solvers of systems of equations with the exact Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pygraph as pg

from .decision_variables import DecisionVariables
from .fixed_arguments import FixedArguments
from .flat_function import flat_function, running
from .requirement import required

__all__ = ["root"]

#: The methods that take a Jacobian; the others estimate it as they go.
_WITH_JACOBIAN = ("hybr", "lm")


def root(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """A root of a system of equations, by `scipy.optimize.root` with the exact Jacobian.

    "hybr" and "lm" get it; the other methods (broyden1, krylov, df-sane …) use values alone, which run in C.

    Args:
        fun: fun(x, *args) → an array or a container of arrays, as many elements as x0 (more for "lm"). It is recorded.
        x0: the start: an array of any shape, numbers, or a container of arrays. All becomes float64.
        args: as for `minimize`.
        jac: None: exact. A function of (x, *args) that returns the Jacobian, in the order of `pg.ravel_pytree`. True:
            `fun` returns (value, jacobian). False: SciPy's differences.
        method, tol, options: as for SciPy.
        callback: as for SciPy; it gets x in the container of x0, and the residuals as one vector.

    Returns:
        SciPy's `OptimizeResult`; `x` is in the container of x0, `fun` is one vector.

    Raises:
        UnsupportedError: SciPy is not installed, or `fun` does what can't be recorded; ShapeError: another number of
        equations than unknowns; DTypeError: x0 is not of real numbers.

    Example:
        >>> def circle_and_line(p):
        ...     return {"circle": p["x"] ** 2 + p["y"] ** 2 - 1, "line": p["x"] - p["y"]}
        >>> found = pg.scipy.root(circle_and_line, {"x": 1.0, "y": 0.0})
        >>> print(found.success, round(float(found.x["x"]), 6))
        True 0.707107
    """
    optimize = required("optimize", "root")
    variables = DecisionVariables(x0, "root")
    arguments = FixedArguments(args)
    start, inputs = (variables.start,), arguments.inputs
    flat = flat_function(fun, variables, arguments, "vector pair" if jac is True else "vector")
    value: Any = running(flat.value, start, inputs)
    _require_square(value(variables.start).size, variables, method)
    given: Any = None
    if str(method).lower() not in _WITH_JACOBIAN:
        given = jac if callable(jac) else None  # SciPy says that it is not used
    elif callable(jac):
        given = lambda x: np.asarray(jac(variables.unravel(x), *arguments.args), float)  # noqa: E731
    elif jac is True:
        value, given = running(flat.value_and_given, start, inputs), True
        both, transposed = value, (options or {}).get("col_deriv")
        size = variables.size
        value = lambda x: _shaped(both(x), size, bool(transposed))  # noqa: E731
    elif jac is None:
        exact = running(flat.jacobian, start, inputs)
        given = (lambda x: exact(x).T) if (options or {}).get("col_deriv") else exact
    elif jac is not False:
        advice = "leave it out for the exact Jacobian, or give a function, True or False"
        raise pg.SignatureError(f"jac={jac!r}", advice, stage="calling", subject=variables.subject)
    if callback is not None and variables.pieces is not None:
        user = callback
        callback = lambda x, f: user(variables.unravel(x), f)  # noqa: E731
    result = optimize.root(
        value, variables.start, method=method, jac=given, tol=tol, callback=callback, options=options
    )
    return variables.put_back(result, ("x",))


def _shaped(both: tuple[Any, Any], size: int, transposed: bool) -> tuple[Any, Any]:
    """(value, Jacobian) of a function that returns both, the matrix from one vector."""
    value, entries = both
    return value, entries.reshape((size, value.size) if transposed else (value.size, size))


def _require_square(count: int, variables: DecisionVariables, method: str) -> None:
    enough = count >= variables.size if str(method).lower() == "lm" else count == variables.size
    if not enough:
        problem = f"there are {count} equations for {variables.size} unknowns"
        advice = "give as many equations as unknowns, or use pg.scipy.least_squares"
        raise pg.ShapeError(problem, advice, stage="calling", subject=variables.subject)
