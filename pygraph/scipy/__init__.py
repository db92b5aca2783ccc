"""SciPy's solvers with exact derivatives: minima, least squares, roots and initial value problems.

Functions take and return what SciPy's of the same name do. What they are given is recorded and runs in C; Jacobians,
Hessians and products with Hessians come from it, sparse where that pays. SciPy is imported when a solver is called.

Read `decision_variables.py` and `fixed_arguments.py` (what a function is called with), `flat_function.py` (a function
of a vector and its derivatives), `sparsity_estimate.py`, then the solvers: `minimization.py` with `constraints.py`,
`residuals.py` (least squares), `root_finding.py` and `initial_value.py`.

Boundary: no algorithm of optimisation or integration, which are SciPy's; the public interface alone.
"""

from __future__ import annotations

from .initial_value import solve_ivp
from .minimization import minimize
from .residuals import least_squares
from .root_finding import root

__all__ = ["least_squares", "minimize", "root", "solve_ivp"]
