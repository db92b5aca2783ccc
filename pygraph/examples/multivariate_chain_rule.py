"""Lesson 4, the chain rule revisited: composition, programs of trivial steps, Jacobians, directional derivatives.

To compose functions is to use the result of one as the argument of the next. The order matters: (x − 3)³ is not x³ − 3.
The derivative of a composition is the product of the derivatives, each taken at the point that its function is given.

Every formula is such a composition. The sigmoid is four trivial steps, a = −x, b = e^a, c = 1 + b, d = 1/c, and each
has a derivative that anyone can write down. A computer needs to know no more: it records the steps, and multiplies.

Functions of several numbers have several partial derivatives, and functions with several results have a row of them for
each result: the Jacobian, an m × n matrix for f: Rⁿ → Rᵐ. The chain rule says that Jacobians are multiplied as
matrices:

    D(f∘g)(a) = Df(g(a)) · Dg(a)

A product of matrices can be computed from either end. From the right, a small change of the input is pushed forward
through the steps (forward mode, a jvp); from the left, the output's derivative is pulled backward (reverse mode, a
vjp). Both give the same numbers. Forward mode costs one pass for each input, reverse mode one for each output.

The directional derivative D_v f = ∇f · v, how f changes along v, is one forward pass. Along the velocity v = Dg(t) of a
curve it is the derivative of f along the curve.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]


def cube(x: Any) -> Any:
    """g(x) = x³."""
    return x**3


def minus_three(x: Any) -> Any:
    """f(x) = x − 3."""
    return x - 3.0


def sigmoid_program(x: Any) -> Any:
    """The sigmoid in trivial steps: a = −x, b = e^a, c = 1 + b, d = 1/c."""
    a = -x
    b = np.exp(a)
    c = 1.0 + b
    d = 1.0 / c
    return d  # noqa: RET504  (explain names nodes after the variables they are assigned to)


def field(p: Any) -> Any:
    """f(x, y, z) = x² + 5y + 10z + xyz."""
    x, y, z = p
    return x**2 + 5.0 * y + 10.0 * z + x * y * z


def curve(t: Any) -> Any:
    """g(t) = (t, t², t³)."""
    return np.stack([t, t**2, t**3])


def along_curve(t: Any) -> Any:
    """(f∘g)(t)."""
    return field(curve(t))


def curve_jacobians(t: float) -> dict[str, Array]:
    """Df(g(t)), Dg(t), their matrix product, and the derivative of the composite by both modes."""
    Df = pg.jacrev(field)(curve(t)).reshape(1, 3)
    Dg = pg.jacfwd(curve)(t).reshape(3, 1)
    return {
        "Df": Df,
        "Dg": Dg,
        "product": Df @ Dg,
        "forward": np.asarray(pg.jacfwd(along_curve)(t)),
        "reverse": np.asarray(pg.jacrev(along_curve)(t)),
        "formula": np.asarray(12 * t + 6 * t**5 + 30 * t**2),
    }


def directional(p: Array, v: Array) -> tuple[float, float]:
    """D_v f at p: as one jvp, and as ∇f · v."""
    _, tangent = pg.jvp(field, (p,), (v,))
    return float(tangent), float(pg.grad(field)(p) @ v)


def main() -> None:
    """Print the lesson."""
    x = 5.0
    print("Composition is not commutative")
    print(f"  g∘f at {x:g}: (x − 3)³ = {cube(minus_three(x)):g}     f∘g at {x:g}: x³ − 3 = {minus_three(cube(x)):g}")
    print(f"  d(x − 2)²/dx at {x:g}: {pg.grad(lambda x: (x - 2.0) ** 2)(x):g} = 2(x − 2)")
    got = pg.grad(lambda x: np.cos((x - 2.0) ** 3))(x)
    print(f"  d cos((x − 2)³)/dx at {x:g}: {got:.7f} = −3 sin((x − 2)³)(x − 2)² = {-3 * np.sin(27.0) * 9:.7f}")

    print("\nThe sigmoid as a program of trivial steps, at x = 1")
    print(pg.trace(sigmoid_program, 1.0))
    explanation = pg.explain(sigmoid_program, 1.0)
    print(explanation)
    closed = np.exp(-1.0) / (1.0 + np.exp(-1.0)) ** 2
    print(f"  the product of the local derivatives is {explanation.totals['x']:.7f}; e^−x/(1 + e^−x)² = {closed:.7f}")

    t = 2.0
    n = curve_jacobians(t)
    print(f"\nD(f∘g)(t) = Df(g(t)) · Dg(t), f = x² + 5y + 10z + xyz, g = (t, t², t³), at t = {t:g}")
    print(f"  Df(g(t)) = {n['Df'][0]}    [2t + t⁵, t⁴ + 5, t³ + 10]")
    print(f"  Dg(t)    = {n['Dg'][:, 0]}ᵀ       [1, 2t, 3t²]ᵀ")
    print(
        f"  product  = {n['product'].item():g}; forward mode {n['forward']:g}; reverse mode {n['reverse']:g}; ", end=""
    )
    print(f"12t + 6t⁵ + 30t² = {n['formula']:g}")

    p, v = curve(t), np.array([1.0, 2 * t, 3 * t**2])
    pushed, dotted = directional(p, v)
    print(f"\nThe directional derivative along v = Dg(t): one jvp gives {pushed:g}, ∇f · v gives {dotted:g}")

    z = np.array([1.0, 2.0, 0.5])
    print("\nThe Jacobian of softmax at (1, 2, 0.5): 3 × 3, its rows sum to 0")
    print(pg.jacrev(pg.softmax)(z).round(7))
    single = np.asarray(pg.jacfwd(lambda x: x**3)(2.0))
    print(
        f"\nFor f: R → R the Jacobian is the derivative: d(x³)/dx at 2 = {single:g}, an array of shape {single.shape}"
    )


if __name__ == "__main__":
    main()
