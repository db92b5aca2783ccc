"""`pg.scipy.least_squares`: SciPy's nonlinear least squares with the exact Jacobian, sparse where that pays."""

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

__all__ = ["least_squares"]

_DIFFERENCES = ("2-point", "3-point")


def least_squares(
    fun: Callable[..., Any],
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    method: str = "trf",
    ftol: float | None = 1e-8,
    xtol: float | None = 1e-8,
    gtol: float | None = 1e-8,
    x_scale: Any = None,
    loss: Any = "linear",
    f_scale: float = 1.0,
    diff_step: Any = None,
    tr_solver: str | None = None,
    tr_options: dict[str, Any] | None = None,
    jac_sparsity: Any = None,
    max_nfev: int | None = None,
    verbose: int = 0,
    args: Any = (),
    kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """The minimum of a sum of squares, by `scipy.optimize.least_squares` with the exact Jacobian.

    The Jacobian is a sparse matrix, and the steps are computed by LSMR, with `tr_solver="lsmr"`, where its structure is
    given (`jac_sparsity`), and with `tr_solver=None` from 64 variables on where fewer than a tenth of the entries are
    not zero. Otherwise it is dense, as it is for `method="lm"`.

    Args:
        fun: fun(x, *args, **kwargs) → the residuals, an array or a container of arrays. It is recorded.
        x0: the start: an array of any shape, numbers, or a container of arrays. All becomes float64.
        jac: None: exact. A function like `fun` that returns the Jacobian as SciPy takes it, with the residuals and the
            variables in the order of `pg.ravel_pytree`. "2-point" or "3-point": SciPy's differences.
        bounds: a pair (lower, upper), each like x0 or a number, or SciPy's `Bounds`.
        x_scale: as for SciPy; an array may be a container like x0.
        jac_sparsity: where the Jacobian has entries: others are promised to be zero.
        args, kwargs: as for `minimize`.
        options: what newer versions of SciPy take besides: `callback`, `workers`.
        method, ftol, xtol, gtol, loss, f_scale, diff_step, tr_solver, tr_options, max_nfev, verbose: as for SciPy.

    Returns:
        SciPy's `OptimizeResult`; `x`, `grad` and `active_mask` are in the container of x0, `fun` is one vector.

    Raises:
        UnsupportedError: SciPy is not installed, or `fun` does what can't be recorded; SignatureError: options that
        exclude one another; ShapeError, DTypeError: x0 or bounds do not fit.

    Example:
        >>> t = np.linspace(0.0, 3.0, 20)
        >>> def residuals(p, y):
        ...     return p["height"] * np.exp(-p["rate"] * t) - y
        >>> fit = pg.scipy.least_squares(residuals, {"height": 1.0, "rate": 1.0}, args=(3.0 * np.exp(-0.5 * t),))
        >>> print({name: round(float(value), 6) for name, value in fit.x.items()})
        {'height': 3.0, 'rate': 0.5}
    """
    optimize = required("optimize", "least_squares")
    variables = DecisionVariables(x0, "least_squares")
    arguments = FixedArguments(args, kwargs)
    flat = flat_function(fun, variables, arguments)
    passed = dict(options)
    if jac is None:
        _refuse_dense(jac_sparsity, method, tr_solver)
        passed["jac"] = _jacobian(flat, variables, arguments, method, tr_solver, jac_sparsity)
    elif callable(jac):
        passed["jac"] = lambda x: jac(variables.unravel(x), *arguments.args, **arguments.kwargs)
    elif jac in _DIFFERENCES:
        passed |= {"jac": jac, "jac_sparsity": jac_sparsity, "diff_step": diff_step}
    else:
        advice = "leave it out for the exact Jacobian, or give a function, '2-point' or '3-point'"
        raise pg.SignatureError(f"jac={jac!r}", advice, stage="calling", subject=variables.subject)
    if x_scale is not None:
        passed["x_scale"] = x_scale if isinstance(x_scale, str) else variables.ravel(x_scale, "x_scale")
    if options.get("callback") is not None:
        passed["callback"] = _unravelling(options["callback"], variables)
    if isinstance(bounds, optimize.Bounds):
        bounds = (bounds.lb, bounds.ub)
    if len(bounds) != 2:
        advice = "give a pair (lower, upper)"
        raise pg.SignatureError(f"there are {len(bounds)} bounds", advice, stage="calling", subject=variables.subject)
    result = optimize.least_squares(
        running(flat.value, (variables.start,), arguments.inputs),
        variables.start,
        bounds=tuple(variables.ravel(side, "a bound") for side in bounds),
        method=method,
        ftol=ftol,
        xtol=xtol,
        gtol=gtol,
        loss=loss,
        f_scale=f_scale,
        tr_solver=tr_solver,
        tr_options=tr_options,
        max_nfev=max_nfev,
        verbose=verbose,
        **passed,
    )
    return variables.put_back(result, ("x", "grad", "active_mask"))


def _jacobian(
    flat: FlatFunction,
    variables: DecisionVariables,
    arguments: FixedArguments,
    method: str,
    tr_solver: str | None,
    structure: Any,
) -> Callable[..., Any]:
    """The exact Jacobian, sparse or dense."""
    start, inputs = variables.start, arguments.inputs
    sparse = structure is not None or (method != "lm" and tr_solver == "lsmr")
    if not sparse and method != "lm" and tr_solver is None and start.size >= SPARSE_FROM:
        column = running(flat.jacobian_product, (start, start), inputs)
        sparse = density(column, start) < SPARSE_BELOW
    if not sparse:
        return running(flat.jacobian, (start,), inputs)
    make = required("sparse", "least_squares").csr_array
    return running_sparse(flat.sparse_jacobian(structure), (start,), inputs, make)


def _refuse_dense(structure: Any, method: str, tr_solver: str | None) -> None:
    """Refuse a structure where the Jacobian has to be dense."""
    option = "method='lm'" if method == "lm" else "tr_solver='exact'" if tr_solver == "exact" else ""
    if structure is not None and option:
        advice = f"leave out jac_sparsity, or {option}"
        problem = f"jac_sparsity is given, and {option} takes a dense Jacobian"
        raise pg.SignatureError(problem, advice, stage="calling", subject="pg.scipy.least_squares")


def _unravelling(callback: Callable[..., Any], variables: DecisionVariables) -> Callable[..., Any]:
    if variables.pieces is None:
        return callback
    if set(inspect.signature(callback).parameters) != {"intermediate_result"}:
        return lambda x: callback(variables.unravel(x))

    def with_result(intermediate_result: Any) -> Any:
        return callback(intermediate_result=variables.put_back(intermediate_result, ("x", "grad", "active_mask")))

    return with_result
