"""A damped pendulum integrated by RK4 in one loop in C, and how its end depends on its beginning, in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]

GRAVITY = 9.81  # m/s²
LENGTH = 1.0  # m
DAMPING = 0.2  # 1/s
SECONDS = 10.0
STEPS = 1000
START = np.array([2.0, 0.0])  # angle in rad, angular velocity in rad/s


def motion(state: Any) -> Any:
    """d/dt (θ, ω) = (ω, −(g/l) sin θ − c ω)."""
    theta, omega = state[0], state[1]
    return np.stack([omega, -(GRAVITY / LENGTH) * np.sin(theta) - DAMPING * omega])


def rk4(state: Any, dt: float) -> Any:
    """One step of the classical Runge–Kutta method of order 4."""
    k1 = motion(state)
    k2 = motion(state + 0.5 * dt * k1)
    k3 = motion(state + 0.5 * dt * k2)
    k4 = motion(state + dt * k3)
    return state + (dt / 6.0) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def simulate(start: Any, steps: int = STEPS) -> tuple[Any, Any]:
    """The last state, and the states after each step as an array of shape (steps, 2), over SECONDS."""
    dt = SECONDS / steps

    def step(state: Any, _: Any) -> tuple[Any, Any]:
        after = rk4(state, dt)
        return after, after

    return pg.scan(step, start, length=steps)


def last(start: Any) -> Any:
    """The state after SECONDS."""
    return simulate(start)[0]


def energy(state: Any) -> Any:
    """ω²/2 + (g/l)(1 − cos θ), per unit of mass and length²."""
    return 0.5 * state[..., 1] ** 2 + (GRAVITY / LENGTH) * (1.0 - np.cos(state[..., 0]))


def central_differences(start: Array, step: float = 1e-5) -> Array:
    """The sensitivity of the last state, column by column from two more simulations each."""
    run = pg.compile(last)
    columns = [(run(start + step * unit) - run(start - step * unit)) / (2 * step) for unit in np.eye(start.size)]
    return np.stack(columns, axis=1)


def sensitivities(start: Array) -> dict[str, Array]:
    """∂(θ, ω)(SECONDS) / ∂(θ, ω)(0): by forward mode, by reverse mode, and by central differences."""
    return {
        "forward": pg.jacfwd(last)(start),
        "reverse": pg.jacrev(last)(start),
        "differences": central_differences(start),
    }


def main() -> None:
    """Print the motion and the sensitivity of its end."""
    end, path = pg.compile(simulate)(START)
    print(f"θ'' = −(g/l) sin θ − c θ', l = {LENGTH:g} m, c = {DAMPING:g}/s, from θ = {START[0]:g}, ω = {START[1]:g}")
    print(f"{STEPS:,} steps of RK4 over {SECONDS:g} s, in one pg.scan\n")
    print(f"{'t':>5} {'θ':>10} {'ω':>10} {'energy':>10}")
    every = STEPS // 10
    for k in range(every - 1, STEPS, every):
        print(f"{(k + 1) * SECONDS / STEPS:5.1f} {path[k, 0]:10.6f} {path[k, 1]:10.6f} {energy(path[k]):10.6f}")

    n = sensitivities(START)
    print(f"\nThe sensitivity of the last state ({end[0]:.6f}, {end[1]:.6f}) to the first")
    titles = {"forward": "forward mode, pg.jacfwd", "reverse": "reverse mode, pg.jacrev"}
    for name, title in {**titles, "differences": "central differences"}.items():
        print(f"  {title:24} [{n[name][0, 0]:.8f}  {n[name][0, 1]:.8f}]")
        print(f"  {'':24} [{n[name][1, 0]:.8f}  {n[name][1, 1]:.8f}]")
    print(f"  the two modes differ by {np.abs(n['forward'] - n['reverse']).max():.0e} at most,", end=" ")
    print(f"forward mode and the differences by {np.abs(n['forward'] - n['differences']).max():.0e}")
    determinant = np.linalg.det(n["forward"])
    print(f"\nDamping shrinks areas of the (θ, ω) plane by e^−cT = {np.exp(-DAMPING * SECONDS):.9f} (Liouville);")
    print(f"the determinant of the sensitivity is {determinant:.9f}.")


if __name__ == "__main__":
    main()
