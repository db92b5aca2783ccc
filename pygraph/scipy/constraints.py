"""Constraints of `minimize` as SciPy takes them, of vectors, with exact Jacobians and Hessians where none are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pygraph as pg

from .decision_variables import DecisionVariables
from .fixed_arguments import FixedArguments
from .flat_function import FlatFunction, flat_function, running, running_sparse
from .requirement import required
from .second_derivatives import curvature
from .sparsity_estimate import SPARSE_BELOW, SPARSE_FROM, density

__all__ = ["constraints_with_derivatives"]


class _Condition:
    """One nonlinear constraint: its function and derivatives, exact or given.

    Attributes:
        jac, hess: as the user gave them; None where they are to be exact.
        rows: how many numbers the function returns.
    """

    def __init__(self, fun: Any, jac: Any, hess: Any, args: Any, variables: DecisionVariables) -> None:
        self.variables, self.arguments = variables, FixedArguments(args)
        self.jac, self.hess = jac, hess
        self.flat: FlatFunction = flat_function(fun, variables, self.arguments)
        self.value = running(self.flat.value, (variables.start,), self.arguments.inputs)
        self.rows = int(self.value(variables.start).size)

    def share(self) -> float:
        """The estimated share of entries of the Jacobian that are not zero; 1 where the user gives it."""
        if self.jac is not None:
            return 1.0
        start = self.variables.start
        return density(running(self.flat.jacobian_product, (start, start), self.arguments.inputs), start)

    def jacobian(self, sparse: bool, structure: Any = None) -> Any:
        """The Jacobian, exact or as given: a function of vectors, or the name of a difference formula."""
        if callable(self.jac):
            return _of_vectors(self.jac, self.variables, self.arguments)
        if self.jac is not None:
            return self.jac
        start, inputs = (self.variables.start,), self.arguments.inputs
        if not sparse and structure is None:
            return running(self.flat.jacobian, start, inputs)
        make = required("sparse", "minimize").csr_array
        return running_sparse(self.flat.sparse_jacobian(structure), start, inputs, make)

    def curvature(self) -> Any:
        """(vector, v) → the Hessian of the sum of v times the constraint, exact or as given."""
        if callable(self.hess):
            return _of_vectors(self.hess, self.variables, self.arguments)
        if self.hess is not None:
            return self.hess
        return curvature(self.flat.weighted, self.variables, (np.ones(self.rows),), self.arguments.inputs)


def constraints_with_derivatives(
    constraints: Any, variables: DecisionVariables, method: str, bounded: bool, options: dict[str, Any]
) -> Any:
    """SciPy's constraints on vectors.

    For trust-constr all Jacobians are of one kind, sparse or not. That is decided here, by all rows together, unless
    the option `sparse_jacobian` decides it, which is set otherwise.
    """
    if constraints is None or (isinstance(constraints, (list, tuple)) and not len(constraints)):
        return ()
    optimize = required("optimize", "minimize")
    if isinstance(constraints, (dict, optimize.NonlinearConstraint, optimize.LinearConstraint)):
        constraints = [constraints]
    found = [_condition(given, variables, optimize) for given in constraints]
    if method != "trust-constr":
        return [
            _old(given, condition) if isinstance(given, dict) else _new(given, condition, method, False, optimize)
            for given, condition in zip(constraints, found, strict=True)
        ]
    sparse = bool(options.get("sparse_jacobian"))
    if options.get("sparse_jacobian") is None and any(found):
        sparse = options["sparse_jacobian"] = _pays(constraints, found, variables, bounded)
    return [
        _new(given, condition, method, sparse, optimize) for given, condition in zip(constraints, found, strict=True)
    ]


def _condition(given: Any, variables: DecisionVariables, optimize: Any) -> _Condition | None:
    """A constraint of the user's; None for a linear one."""
    if isinstance(given, optimize.LinearConstraint):
        return None
    if isinstance(given, optimize.NonlinearConstraint):
        jac = None if isinstance(given.jac, str) and given.jac == "2-point" else given.jac
        usual = type(given.hess) is optimize.BFGS and vars(given.hess) == vars(optimize.BFGS())
        return _Condition(given.fun, jac, None if usual else given.hess, (), variables)
    if isinstance(given, dict) and str(given.get("type", "")).lower() in ("eq", "ineq") and "fun" in given:
        return _Condition(given["fun"], given.get("jac") or None, None, given.get("args", ()), variables)
    problem = f"a constraint is {given!r}" if isinstance(given, dict) else f"a constraint is a {type(given).__name__}"
    advice = "give {'type': 'eq' or 'ineq', 'fun': f}, a NonlinearConstraint or a LinearConstraint of SciPy"
    raise pg.SignatureError(problem, advice, stage="calling", subject=variables.subject)


def _old(given: dict[str, Any], condition: _Condition | None) -> dict[str, Any]:
    """A constraint as SLSQP, COBYLA and COBYQA take it."""
    assert condition is not None
    made = {"type": given["type"], "fun": condition.value}
    jacobian = condition.jacobian(False)
    return {**made, "jac": jacobian} if callable(jacobian) else made


def _new(given: Any, condition: _Condition | None, method: str, sparse: bool, optimize: Any) -> Any:
    """A NonlinearConstraint of vectors; a linear one stays as it is."""
    if condition is None:
        return given
    options: dict[str, Any] = {}
    if isinstance(given, dict):
        lower, upper = 0.0, 0.0 if given["type"].lower() == "eq" else np.inf
        structure = None
    else:
        lower, upper, structure = given.lb, given.ub, given.finite_diff_jac_sparsity
        options["keep_feasible"] = given.keep_feasible
        if condition.jac is not None and not callable(condition.jac):
            options["finite_diff_rel_step"] = given.finite_diff_rel_step
            options["finite_diff_jac_sparsity"] = structure
    if method == "trust-constr":
        options["hess"] = condition.curvature()
    if method in ("trust-constr", "slsqp", "custom"):
        options["jac"] = condition.jacobian(sparse, structure if sparse else None)
    return optimize.NonlinearConstraint(condition.value, lower, upper, **options)


def _pays(constraints: Any, found: list[_Condition | None], variables: DecisionVariables, bounded: bool) -> bool:
    """Whether sparse Jacobians pay: few entries of all rows together, those of bounds included, are not zero."""
    size = variables.size
    if size < SPARSE_FROM:
        return False
    rows, entries = (size, float(size)) if bounded else (0, 0.0)
    for given, condition in zip(constraints, found, strict=True):
        if condition is not None:
            rows += condition.rows
            entries += condition.share() * condition.rows * size
        else:
            rows += given.A.shape[0]
            entries += given.A.nnz if hasattr(given.A, "nnz") else np.count_nonzero(given.A)
    return entries < SPARSE_BELOW * rows * size


def _of_vectors(f: Callable[..., Any], variables: DecisionVariables, arguments: FixedArguments) -> Callable[..., Any]:
    """A given function of the container as one of the vector."""
    return lambda x, *others: f(variables.unravel(x), *others, *arguments.args)
