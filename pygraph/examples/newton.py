"""Newton's method on a function of 50 variables: value, gradient and Hessian from one function, one call into C."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

VARIABLES = 50
TERMS = 200
TOLERANCE = 1e-10
DECREASE, SHRINK = 0.1, 0.5  # of the line search


def problem() -> tuple[Array, Array]:
    """A and b of log Σ exp(a_i·x + b_i). The rows come in pairs ±a, so that the function has one minimum."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(TERMS // 2, VARIABLES))
    return np.concatenate([half, -half]), rng.normal(size=TERMS)


A, B = problem()


def f(x: Any) -> Any:
    """f(x) = log Σ exp(a_i·x + b_i), convex, and far from quadratic."""
    return pg.logsumexp(A @ x + B)


@pg.compile
def derivatives(x: Any) -> Any:
    """(f, ∇f, ∇²f) at x; what they have in common is computed once."""
    return f(x), pg.grad(f)(x), pg.hessian(f)(x)


@dataclass(frozen=True)
class Iterate:
    """A point on the way: the point, f there, |∇f|, half the square of the Newton decrement, the step that follows."""

    x: Array
    value: float
    slope: float
    decrement: float
    step: float


def minimise(x: Array) -> list[Iterate]:
    """The iterates of Newton's method from x, with a backtracking line search.

    Source: Boyd and Vandenberghe, Convex Optimization (2004), algorithms 9.5 and 9.2; the decrement is λ² = gᵀH⁻¹g, and
    λ²/2 estimates how far f is above its minimum.
    """
    value_at = pg.compile(f)
    iterates = []
    while True:
        value, gradient, hessian = derivatives(x)
        direction = -np.linalg.solve(hessian, gradient)
        decrease = -float(gradient @ direction)
        step = 1.0
        if decrease / 2 > TOLERANCE:
            while value_at(x + step * direction) > value - DECREASE * step * decrease:
                step *= SHRINK
        iterates.append(Iterate(x, float(value), float(np.linalg.norm(gradient)), decrease / 2, step))
        if decrease / 2 <= TOLERANCE:
            return iterates
        x = x + step * direction


def main() -> None:
    """Print the iterates."""
    start = np.linspace(-1.0, 1.0, VARIABLES)
    print(f"Newton's method on f(x) = log Σ exp(a_i·x + b_i): {TERMS} terms, {VARIABLES} variables")
    print(f"{derivatives.executable(start).stats.instructions} instructions give f, ∇f and ∇²f in one call\n")
    print(f"{'k':>2} {'f(x)':>18} {'|∇f|':>10} {'λ²/2':>10} {'step':>8}")
    iterates = minimise(start)
    for k, at in enumerate(iterates):
        print(f"{k:2d} {at.value:18.14f} {at.slope:10.1e} {at.decrement:10.1e} {at.step:8.4f}")
    print("\nAt the end each step squares λ²/2, up to a factor.")
    hessian = derivatives(iterates[-1].x)[2]
    print(f"The least eigenvalue of ∇²f there is {np.linalg.eigvalsh(hessian)[0]:.4f}: a minimum.")


if __name__ == "__main__":
    main()
