"""Lesson 5, chains of functions: their values, their derivatives as products, and plots of both.

A chain is a list of functions, applied in order: [f1, f2, f3] is f3(f2(f1(x))). Its derivative is the product of the
members' derivatives, each at the point that it is given: f3'(f2(f1(x))) · f2'(f1(x)) · f1'(x).

For [square, sigmoid] that is σ'(x²) · 2x; for [sigmoid, square] it is 2σ(x) · σ'(x): the same members in another order
are another function, with another derivative. Think of machines that take a number and give one. If the first gives 3
more for 1 more, and the second 2 less for 1 more, then both together give 6 less: rates multiply.

`python -m pygraph.examples.nested_functions` prints the lesson; with a path, such as `chains.png`, it saves the plots.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import pygraph as pg

Array = npt.NDArray[Any]
Chain = Sequence[Any]  # of functions of one array

#: Where the lesson looks at its chains: from −3 to 3 in steps of 0.01.
POINTS: Array = np.arange(-300, 301) / 100.0


def square(x: Any) -> Any:
    """x²."""
    return x**2


def sigmoid(x: Any) -> Any:
    """σ(x) = 1 / (1 + e^−x)."""
    return pg.sigmoid(x)


def leaky_relu(x: Any) -> Any:
    """x where it is positive, else x / 5."""
    return np.where(x > 0.0, x, 0.2 * x)


CHAINS: dict[str, Chain] = {
    "[square, sigmoid]": [square, sigmoid],
    "[sigmoid, square]": [sigmoid, square],
    "[leaky_relu, square, sigmoid]": [leaky_relu, square, sigmoid],
}


def chain_value(chain: Chain, x: Any) -> Array:
    """The chain at each element of x, shape (n,).

    Raises:
        SignatureError: a member that is no function. ShapeError: x is not of one axis, or a member changes its shape.
    """
    return _walk(chain, x)[0]


def chain_deriv(chain: Chain, x: Any) -> Array:
    """The derivative of the chain at each element of x, shape (n,): the product of its members' derivatives.

    Raises: as `chain_value`.
    """
    return _walk(chain, x)[1]


def _walk(chain: Chain, x: Any) -> tuple[Array, Array]:
    """The value and the derivative, member after member."""
    for place, member in enumerate(chain):
        if not callable(member):
            problem = f"member {place} of the chain is {member!r}, which is no function"
            raise pg.SignatureError(problem, "give a list of functions of one array", stage="lesson", subject="chain")
    value = np.asarray(x, dtype=np.float64)
    if value.ndim != 1:
        problem = f"the input of a chain has shape {value.shape}"
        raise pg.ShapeError(problem, "give an array of one axis", stage="lesson", subject="chain")
    derivative = np.ones_like(value)
    for place, member in enumerate(chain):
        # along a tangent of ones, forward mode gives the derivative at every element
        following, slope = pg.jvp(member, (value,), (np.ones_like(value),))
        if np.shape(following) != value.shape:
            problem = f"member {place} of the chain makes shape {np.shape(following)} of {value.shape}"
            raise pg.ShapeError(problem, "give functions of each element", stage="lesson", subject="chain")
        value, derivative = following, slope * derivative
    return value, derivative


def central_difference(chain: Chain, x: Array, step: float = 1e-5) -> Array:
    """The derivative as it is without calculus: how the chain changes from x − step to x + step."""
    return (chain_value(chain, x + step) - chain_value(chain, x - step)) / (2.0 * step)


def plot_chain(axes: Any, chain: Chain, x: Array, label: str = "chain") -> None:
    """Draw the chain over x into axes of Matplotlib."""
    pg.plot.chain(chain, x, axes=axes, label=label)


def plot_chain_deriv(axes: Any, chain: Chain, x: Array, label: str = "derivative") -> None:
    """Draw the derivative of the chain over x into axes of Matplotlib."""
    pg.plot.chain_derivative(chain, x, axes=axes, label=label)


def plot(path: str | None = None) -> Any:
    """Draw all chains and their derivatives, and save the picture to a path; returns the figure. Needs Matplotlib."""
    figure = pg.plot.figure(4.0 * len(CHAINS), 3.0)
    for axes, (name, chain) in zip(figure.subplots(1, len(CHAINS)), CHAINS.items(), strict=True):
        plot_chain(axes, chain, POINTS)
        plot_chain_deriv(axes, chain, POINTS)
        axes.set_title(name)
        axes.grid(alpha=0.3)
    if path is not None:
        figure.savefig(path)
    return figure


def first_machine(u: Any) -> Any:
    """A machine that makes 1 of 5, and there gives 3 more for 1 more."""
    return 1.0 + 3.0 * (u - 5.0)


def second_machine(u: Any) -> Any:
    """A machine that, at 1, gives 2 less for 1 more."""
    return -2.0 * (u - 1.0)


def machines() -> dict[str, float]:
    """The two number machines of the text: each one's derivative, and that of one after the other, at 5."""
    at = np.array([5.0])
    between = chain_value([first_machine], at)
    return {
        "f1(5)": float(between[0]),
        "df1/du(5)": float(chain_deriv([first_machine], at)[0]),
        "df2/du(1)": float(chain_deriv([second_machine], between)[0]),
        "composite": float(chain_deriv([first_machine, second_machine], at)[0]),
    }


def main(path: str | None = None) -> None:
    """Print the lesson, and save its plots to a path."""
    n = machines()
    print(f"Two number machines: f1(5) = {n['f1(5)']:g}, and one unit more gives {n['df1/du(5)']:g} more;")
    print(f"at {n['f1(5)']:g}, one unit more makes f2 greater by {n['df2/du(1)']:g}. One after the other, at 5:")
    print(f"  df2/du(1) · df1/du(5) = {n['df2/du(1)']:g} · {n['df1/du(5)']:g} = {n['composite']:g}")
    at = np.array([-2.0, -0.5, 1.0, 2.5])
    for name, chain in CHAINS.items():
        print(f"\n{name}")
        print("       x      value   derivative   central difference")
        rows = zip(at, chain_value(chain, at), chain_deriv(chain, at), central_difference(chain, at), strict=True)
        for x, value, exact, difference in rows:
            print(f"  {x:6.2f} {value:10.7f} {exact:12.7f} {difference:20.7f}")
        error = np.abs(chain_deriv(chain, POINTS) - central_difference(chain, POINTS)).max()
        print(f"  at {len(POINTS)} points from −3 to 3 the two differ by at most {error:.0e}")
    if path is not None:
        plot(path)
        print(f"\nThe plots are in {path}.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
