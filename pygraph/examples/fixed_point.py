"""A fixed point found by a loop of run-time length, and its derivative by the implicit function theorem."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]
Params = tuple[Any, Any]

SIZE = 8
TOLERANCE = 1e-13
LIMIT = 1000


def layer(params: Params, x: Any) -> Any:
    """g(W, b; x) = tanh(W x + b); a contraction in x where the spectral norm of W is below 1."""
    w, b = params
    return np.tanh(w @ x + b)


def iterate(step: Any, start: Any) -> tuple[Any, Any]:
    """(x, count): x ← step(x) from `start` until no element moves by more than TOLERANCE."""

    def moving(carry: Any) -> Any:
        x, before, _ = carry
        return np.max(np.abs(x - before)) > TOLERANCE

    def advance(carry: Any) -> Any:
        x, _, count = carry
        return step(x), x, count + 1

    x, _, count = pg.while_loop(moving, advance, (step(start), start, 1), limit=LIMIT)
    return x, count


def solve(params: Params) -> Any:
    """x* with x* = g(params, x*). Its derivative as it stands is that of all the steps of the loop."""
    return iterate(lambda x: layer(params, x), np.zeros(SIZE))[0]


def steps(params: Params) -> Any:
    """How many steps the loop of `solve` takes."""
    return iterate(lambda x: layer(params, x), np.zeros(SIZE))[1]


def tangent_rule(primals: Any, tangents: Any) -> tuple[Any, Any]:
    """ẋ = (∂g/∂x) ẋ + (∂g/∂params) ṗ, from differentiating x* = g(params, x*): a fixed point again."""
    (params,), (direction,) = primals, tangents
    x = equilibrium(params)
    push_x = pg.linearize(lambda x: layer(params, x), x)[1]
    from_params = pg.jvp(lambda p: layer(p, x), (params,), (direction,))[1]
    return x, iterate(lambda dx: push_x(dx) + from_params, from_params)[0]


def keep(params: Params) -> tuple[Any, Any]:
    """x*, and what the reverse sweep needs: no step of the loop, only its end."""
    x = equilibrium(params)
    return x, (params, x)


def cotangent_rule(residuals: Any, cotangent: Any) -> Any:
    """p̄ = (∂g/∂params)ᵀ u where u = (∂g/∂x)ᵀ u + x̄: a fixed point that the same contraction finds.

    Source: B. Christianson, Reverse accumulation and attractive fixed points, Optimization Methods and Software 3
    (1994) 311–326, https://doi.org/10.1080/10556789408805572.
    """
    params, x = residuals
    pull_x = pg.vjp(lambda x: layer(params, x), x)[1]
    u = iterate(lambda u: pull_x(u)[0] + cotangent, cotangent)[0]
    return pg.vjp(lambda p: layer(p, x), params)[1](u)


equilibrium = pg.custom_derivative(solve, jvp=tangent_rule, vjp=(keep, cotangent_rule))


def problem() -> tuple[tuple[Array, Array], Array]:
    """W of spectral norm 0.9 and b; and a target for x*."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(SIZE, SIZE))
    return (0.9 * w / np.linalg.norm(w, 2), rng.normal(size=SIZE)), rng.uniform(-0.5, 0.5, size=SIZE)


def loss_of(solver: Any) -> Any:
    """The function loss(params, target) = ½ |x* − target|², with x* found by `solver`."""

    def loss(params: Params, target: Any) -> Any:
        return 0.5 * np.sum((solver(params) - target) ** 2)

    return loss


def dense_gradient(params: tuple[Array, Array], target: Array) -> tuple[Array, Array]:
    """The gradient written out: u = (I − Jᵀ)⁻¹ (x* − target), J = diag(s) W, s = 1 − x*²; b̄ = s u, W̄ = (s u) x*ᵀ."""
    x = pg.compile(solve)(params)
    slope = 1.0 - x**2
    u = np.linalg.solve(np.eye(SIZE) - (slope[:, None] * params[0]).T, x - target)
    return np.outer(slope * u, x), slope * u


def main() -> None:
    """Print the fixed point and its gradient by three ways."""
    params, target = problem()
    x = equilibrium(params)
    print(f"x = tanh(W x + b) in {SIZE} variables, |W| = {np.linalg.norm(params[0], 2):.1f}")
    print(f"  pg.while_loop ends after {pg.compile(steps)(params)} steps; the residual is ", end="")
    print(f"{np.abs(layer(params, x) - x).max():.0e}")
    print(f"  x* = {np.array2string(x, precision=4, suppress_small=True)}")
    print("\nThe gradient of ½ |x* − target|² with respect to b")
    implicit, unrolled = pg.grad(loss_of(equilibrium)), pg.grad(loss_of(solve))
    by_theorem, by_tape = implicit(params, target), unrolled(params, target)
    written_out = dense_gradient(params, target)
    for title, (_, b_bar) in (
        ("implicit function theorem", by_theorem),
        ("through every step, by a tape", by_tape),
        ("a dense linear system", written_out),
    ):
        print(f"  {title:30} {np.array2string(b_bar[:5], precision=9, floatmode='fixed')[:-1]} …]")
    for title, other in (("the tape", by_tape), ("the linear system", written_out)):
        most = max(np.abs(a - b).max() for a, b in zip(by_theorem, other, strict=True))
        print(f"  the theorem and {title} differ by at most {most:.0e}")
    jacobian = pg.jacfwd(lambda b: equilibrium((params[0], b)))(params[1])
    backward = pg.jacrev(lambda b: equilibrium((params[0], b)))(params[1])
    print(f"\ndx*/db is {jacobian.shape[0]} × {jacobian.shape[1]}; forward and reverse mode differ by at most ", end="")
    print(f"{np.abs(jacobian - backward).max():.0e}")


if __name__ == "__main__":
    main()
