"""The Rosenbrock function in 1,000 variables: its sparse Hessian, in two ways, and Newton steps by SciPy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

VARIABLES = 1000
TOLERANCE = 1e-9


def rosenbrock(x: Any) -> Any:
    """f(x) = Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)², with its least value 0 at x = 1."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


value_and_gradient = pg.value_and_grad(rosenbrock)
hessian = pg.sparse_hessian(rosenbrock)  # also pg.hessian(rosenbrock, sparse=True)


def start() -> Array:
    """A point around the minimum, near enough for Newton's method without a line search: 1 + 0.2 sin i."""
    x: Array = 1.0 + 0.2 * np.sin(np.arange(float(VARIABLES)))
    return x


def newton_step(x: Array) -> Array:
    """The solution s of ∇²f(x) s = −∇f(x), by a sparse LU factorisation."""
    matrix = hessian(x)
    from scipy.sparse.linalg import spsolve  # the extra `sparse`; without it the line above says so

    step: Array = spsolve(matrix.tocsc(), -value_and_gradient(x)[1])
    return step


@dataclass(frozen=True)
class Iterate:
    """A point on the way, with f and max |∇f| there."""

    x: Array
    value: float
    slope: float


def minimise(x: Array, most: int = 50) -> list[Iterate]:
    """The iterates of Newton's method from x, until max |∇f| is small; RuntimeError after `most` steps."""
    iterates = []
    for _ in range(most + 1):
        value, gradient = value_and_gradient(x)
        iterates.append(Iterate(x, float(value), float(np.abs(gradient).max())))
        if iterates[-1].slope <= TOLERANCE:
            return iterates
        x = x + newton_step(x)
    raise RuntimeError(f"Newton's method has not converged after {most} steps; start nearer to the minimum")


def main() -> None:
    """Print the plan of the Hessian, a corner of it, and the iterates."""
    if find_spec("scipy") is None:
        raise SystemExit("This example needs SciPy, which is not installed: pip install 'pygraph-ad[sparse]'")
    x = start()
    stats = hessian.plan(x).stats
    coloured = pg.sparse_hessian(rosenbrock, mode="coloured").plan(x).stats
    print(f"The Rosenbrock function in {VARIABLES:,} variables")
    print(f"  the Hessian is {stats['shape'][0]:,} × {stats['shape'][1]:,} with {stats['nnz']:,} structural nonzeros")
    print(
        f"  the plan {stats['colouring']!r} has an expression for each entry of a term's 2 × 2 block, all terms at once"
    )
    print(f"  a {coloured['colouring']} colouring would take {coloured['tangents']} tangents of the gradient")
    matrix = hessian(x)
    dense = VARIABLES**2 * matrix.dtype.itemsize
    print(f"  stored: {matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes:,} bytes; dense: {dense:,}")
    print("\nIts upper left corner:")
    print(np.array2string(matrix[:5, :5].toarray(), precision=2, suppress_small=True))
    print("\nNewton's method with full steps by scipy.sparse.linalg.spsolve (f may rise at first):")
    print(f"{'k':>4} {'f(x)':>12} {'max |∇f|':>12} {'max |x − 1|':>12}")
    for k, at in enumerate(minimise(x)):
        print(f"{k:4d} {at.value:12.3e} {at.slope:12.3e} {np.abs(at.x - 1.0).max():12.3e}")


if __name__ == "__main__":
    main()
