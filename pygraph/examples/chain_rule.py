"""Lesson 1, understanding the chain rule: three small functions, their derivatives, and the finite difference.

A neuron looks at one number x of a cell, its mean area, and says how likely the cell is malignant. It does so in three
steps, each a function of the one before:

    z = w·x    σ = 1 / (1 + e^−z)    J = (y − σ)²

The weight w is what can be changed; y is the truth, 1 or 0; and J, the loss, is how wrong the neuron is. To learn is to
change w so that J becomes smaller, so we ask: when w grows a little, how much does J grow? That is the derivative
dJ/dw.

The chain rule answers it step by step. When w grows by a small dw, z grows by dz = (dz/dw)·dw. That makes σ grow by
(dσ/dz)·dz, and this makes J grow by (dJ/dσ)·dσ. Put one into the next and the small amounts in between cancel:

    dJ/dw = dJ/dσ · dσ/dz · dz/dw

Each factor is the derivative of one small function. `pg.grad` gives each of them, and that of all three at once. To see
that it is right, make a step from w = 1.00 to w = 1.01 and divide: the finite difference is close, but not equal, since
over any step that is not infinitely small the slope itself changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

from .cells import load_cells


def weighted(w: Any, x: Any) -> Any:
    """z = w · x."""
    return w * x


def sigmoid(z: Any) -> Any:
    """σ(z) = 1 / (1 + e^−z)."""
    return 1.0 / (1.0 + np.exp(-z))


def squared_error(s: Any, y: Any) -> Any:
    """J = (y − σ)²."""
    return (y - s) ** 2


def figures(w: float = 1.0, step: float = 0.01) -> dict[str, float]:
    """Every number of the lesson: the three functions at `w` and `w + step`, their derivatives, finite differences."""
    areas, labels = load_cells()
    x, y = areas[0], labels[0]
    found: dict[str, float] = {"x": x, "y": y}
    for suffix, at in (("", w), ("_next", w + step)):
        found["w" + suffix] = at
        found["z" + suffix] = z = float(weighted(at, x))
        found["s" + suffix] = s = float(sigmoid(z))
        found["J" + suffix] = float(squared_error(s, y))
    found["dz/dw"] = float(pg.grad(weighted)(w, x))
    found["ds/dz"] = float(pg.grad(sigmoid)(found["z"]))
    found["dJ/ds"] = float(pg.grad(squared_error)(found["s"], y))
    found["ds/dw"] = float(pg.grad(lambda w: sigmoid(weighted(w, x)))(w))
    found["dJ/dw"] = float(pg.grad(lambda w: squared_error(sigmoid(weighted(w, x)), y))(w))
    for name in ("s", "J"):  # from the seven digits that the table shows
        found[f"Δ{name}/Δw"] = (round(found[f"{name}_next"], 7) - round(found[name], 7)) / step
    return found


def main() -> None:
    """Print the lesson."""
    n = figures()
    areas, labels = load_cells()
    print(f"{len(areas)} cells; the first two are ({areas[0]}, {labels[0]:.0f}) and ({areas[1]}, {labels[1]:.0f})")
    print(f"One cell: x = {n['x']:.3f} (mean area / 1000), y = {n['y']:.0f} (malignant)")
    print("z = w·x    σ = 1 / (1 + e^−z)    J = (y − σ)²\n")
    print(f"{'w':>6} {'z':>9} {'σ(z)':>11} {'J':>11}")
    for suffix in ("", "_next"):
        print(f"{n['w' + suffix]:6.2f} {n['z' + suffix]:9.5f} {n['s' + suffix]:11.7f} {n['J' + suffix]:11.7f}")
    print("\nHow σ changes with w: the dz cancel")
    print("  dσ   dσ   dz")
    print("  ── = ── · ──")
    print("  dw   dz   dw")
    print(f"       = {n['ds/dz']:.5f} · {n['dz/dw']:.3f} = {n['ds/dz'] * n['dz/dw']:.5f}")
    print(f"  pg.grad gives           {n['ds/dw']:.5f}")
    print(f"  finite difference       {n['Δs/Δw']:.5f}")
    print("\nHow J changes with w: the dσ and the dz cancel")
    print("  dJ   dJ   dσ   dz")
    print("  ── = ── · ── · ──")
    print("  dw   dσ   dz   dw")
    product = n["dJ/ds"] * n["ds/dz"] * n["dz/dw"]
    print(f"       = {n['dJ/ds']:.5f} · {n['ds/dz']:.5f} · {n['dz/dw']:.3f} = {product:.5f}")
    print(f"  pg.grad gives                     {n['dJ/dw']:.5f}")
    print(f"  finite difference                 {n['ΔJ/Δw']:.5f}")


if __name__ == "__main__":
    main()
