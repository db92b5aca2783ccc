"""`pg.scipy.minimize`: SciPy's minimisers with the exact gradient, Hessian or products with the Hessian."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import pygraph as pg

from .constraints import constraints_with_derivatives
from .decision_variables import DecisionVariables
from .fixed_arguments import FixedArguments
from .flat_function import FlatFunction, flat_function, running
from .requirement import required
from .second_derivatives import curvature

__all__ = ["minimize"]

#: What the methods take.
_VALUES = ("nelder-mead", "powell", "cobyla", "cobyqa")
_GRADIENTS = ("cg", "bfgs", "l-bfgs-b", "tnc", "slsqp")
_PRODUCTS = ("newton-cg", "trust-ncg", "trust-krylov")
_MATRICES = ("dogleg", "trust-exact")
_METHODS = (*_VALUES, *_GRADIENTS, *_PRODUCTS, *_MATRICES, "trust-constr")
_DIFFERENCES = ("2-point", "3-point")


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """The minimum of a scalar function, by `scipy.optimize.minimize` with exact derivatives.

    The method is SciPy's choice where none is given (BFGS, L-BFGS-B with bounds, SLSQP with constraints). The value and
    the gradient come from one call in C for each point. Newton-CG, trust-ncg and trust-krylov get products with the
    Hessian, dogleg and trust-exact the Hessian, and trust-constr the one that suits: from 64 variables on a sparse
    Hessian where few entries are not zero, and products from 1,001 on where many are. Nelder-Mead, Powell, COBYLA and
    COBYQA take values alone.

    Args:
        fun: fun(x, *args) → scalar. It is recorded, once for each form of its arguments. What it reads besides them is
            looked at when a solve begins.
        x0: the start: an array of any shape, numbers, or a container of arrays. All becomes float64.
        args: passed to `fun` and to derivatives that are given. Arrays and floats in it may change between solves
            without a new trace; other objects are known to `fun` when it is recorded.
        method: a name, or a minimiser as SciPy's custom ones, which gets `fun`, `jac` and `hessp` of vectors.
        jac: None: exact. A function of (x, *args) that returns the gradient, in a container like x0 or as a vector.
            True: `fun` returns (value, gradient). "2-point" or "3-point": SciPy's differences; False: its default ones.
        hess: None: exact. A function of (x, *args) that returns the matrix (also sparse, or a LinearOperator), in the
            order of `pg.ravel_pytree`; for trust-constr also what else SciPy takes.
        hessp: None: exact. A function of (x, p, *args).
        bounds: as for SciPy; for a container also a pair (lower, upper) of containers like it, or numbers for all.
        constraints: as for SciPy. Functions of x without a Jacobian get the exact one, and for trust-constr the exact
            Hessian; also those of a NonlinearConstraint with SciPy's defaults jac="2-point" and hess=BFGS(). Matrices
            of a LinearConstraint have a column for each element of x0.
        tol, options: as for SciPy.
        callback: as for SciPy; what it gets is in the container of x0.

    Returns:
        SciPy's `OptimizeResult`; x and gradients are in the container of x0.

    Raises:
        UnsupportedError: SciPy is not installed, or `fun` does what can't be recorded; ShapeError: `fun` returns no
        scalar, or bounds do not fit x0; DTypeError: x0 is not of real numbers; SignatureError: an unknown method.

    Example:
        >>> def rosenbrock(x):
        ...     return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
        >>> result = pg.scipy.minimize(rosenbrock, np.zeros(3))
        >>> print(result.x.round(4), result.success)
        [1. 1. 1.] True
        >>> found = pg.scipy.minimize(lambda p: (p["a"] - 3) ** 2 + (p["b"] + 1) ** 2, {"a": 0.0, "b": 0.0})
        >>> print({name: round(float(value), 6) for name, value in found.x.items()})
        {'a': 3.0, 'b': -1.0}
    """
    optimize = required("optimize", "minimize")
    variables = DecisionVariables(x0, "minimize")
    arguments = FixedArguments(args)
    name = _method_name(method, bounds, constraints)
    pair = jac is True
    flat = flat_function(fun, variables, arguments, "scalar pair" if pair else "scalar")
    point = _Point(flat, variables, arguments, jac)
    passed: dict[str, Any] = {"jac": None, "hess": hess, "hessp": hessp}
    if name not in _VALUES:
        passed["jac"] = point.gradient
    elif callable(jac):
        passed["jac"] = jac  # SciPy says that it is not used
    if callable(hess):
        passed["hess"] = lambda x: hess(variables.unravel(x), *arguments.args)
    if callable(hessp):
        passed["hessp"] = lambda x, p: variables.ravel(
            hessp(variables.unravel(x), variables.unravel(p), *arguments.args), "the product with the Hessian"
        )
    if hess is None and hessp is None:
        passed.update(_second(name, flat, variables, arguments))
    options = dict(options or {})
    conditions = constraints_with_derivatives(constraints, variables, name, bounds is not None, options)
    result = optimize.minimize(
        point.value,
        variables.start,
        method=method,
        bounds=_bounds(bounds, variables, optimize.Bounds),
        constraints=conditions,
        tol=tol,
        callback=_unravelling(callback, variables, name),
        options=options,
        **passed,
    )
    gradients = ("grad", "lagrangian_grad") if name == "trust-constr" else ("jac",)
    return variables.put_back(result, ("x", *gradients))


class _Point:
    """The value and the gradient at the point where they were asked for last."""

    def __init__(self, flat: FlatFunction, variables: DecisionVariables, arguments: FixedArguments, jac: Any) -> None:
        start, inputs = (variables.start,), arguments.inputs
        self._found: tuple[Any, Any] = (None, None)
        self._at: bytes | None = None
        self.value: Callable[..., Any]
        self.gradient: Any
        if callable(jac):
            self.value = running(flat.value, start, inputs)
            self.gradient = lambda x: variables.ravel(jac(variables.unravel(x), *arguments.args), "the gradient")
        elif jac is None or jac is True:
            self._both = running(flat.value_and_given if jac else flat.value_and_gradient, start, inputs)
            self.value = lambda x: self._evaluated(x)[0]
            self.gradient = lambda x: self._evaluated(x)[1]
        elif jac is False or jac in _DIFFERENCES:
            self.value = running(flat.value, start, inputs)
            self.gradient = jac or None
        else:
            problem = f"jac={jac!r}"
            advice = "leave it out for the exact gradient, or give a function, True, False, '2-point' or '3-point'"
            raise pg.SignatureError(problem, advice, stage="calling", subject=variables.subject)

    def _evaluated(self, x: Any) -> tuple[Any, Any]:
        key = x.tobytes()
        if key != self._at:
            self._found = self._both(x)
            if self._found[1].shape != x.shape:
                problem = f"fun returns a gradient of {self._found[1].size} elements, and x0 has {x.size}"
                raise pg.ShapeError(problem, "return one like x0", stage="calling", subject="pg.scipy.minimize")
            self._at = key
        return self._found


def _method_name(method: Any, bounds: Any, constraints: Any) -> str:
    """The method in lower case, SciPy's choice where none is given; "custom" for a function."""
    if method is None:
        if _any(constraints):
            return "slsqp"
        return "bfgs" if bounds is None else "l-bfgs-b"
    if callable(method):
        return "custom"
    name = str(method).lower()
    if name not in _METHODS:
        advice = f"give one of {', '.join(_METHODS)}"
        raise pg.SignatureError(f"method={method!r}", advice, stage="calling", subject="pg.scipy.minimize")
    return name


def _any(constraints: Any) -> bool:
    return len(constraints) > 0 if isinstance(constraints, (list, tuple, dict)) else constraints is not None


def _second(name: str, flat: FlatFunction, variables: DecisionVariables, arguments: FixedArguments) -> dict[str, Any]:
    """The second derivative that a method takes, by the name of the argument that takes it."""
    start, inputs = variables.start, arguments.inputs
    if name in _MATRICES:
        return {"hess": running(flat.hessian, (start,), inputs)}
    if name in _PRODUCTS or name == "custom":
        return {"hessp": running(flat.hessian_product, (start, start), inputs)}
    if name == "trust-constr":
        return {"hess": curvature(flat, variables, (), inputs)}
    return {}


def _bounds(bounds: Any, variables: DecisionVariables, make: type[Any]) -> Any:
    """Bounds of the vector."""
    if bounds is None:
        return None
    if isinstance(bounds, make):
        keep: Any = np.asarray(bounds.keep_feasible)
        lower, upper = (variables.ravel(side, "a bound") for side in (bounds.lb, bounds.ub))
        return make(lower, upper, keep if keep.size == 1 else variables.ravel(keep, "keep_feasible").astype(bool))
    if variables.is_container and isinstance(bounds, tuple) and len(bounds) == 2:
        return make(*(variables.ravel(side, "a bound") for side in bounds))
    return bounds


def _unravelling(callback: Callable[..., Any] | None, variables: DecisionVariables, name: str) -> Any:
    """A callback of SciPy that calls the user's with the container of x0. SciPy tells its kind by its parameter."""
    if callback is None or variables.pieces is None:
        return callback
    if name not in ("tnc", "cobyla", "custom") and set(inspect.signature(callback).parameters) == {
        "intermediate_result"
    }:

        def with_result(intermediate_result: Any) -> Any:
            return callback(
                intermediate_result=variables.put_back(intermediate_result, ("x", "grad", "lagrangian_grad"))
            )

        return with_result
    return lambda x, *state: callback(variables.unravel(x), *state)
