"""Functions of one number: chains of functions, their derivatives, and tangent lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError, SignatureError
from ..transforms import jvp
from .figures import COLOURS, axes_for, finished

Array = npt.NDArray[Any]
Function = Callable[[Any], Any]


def chain(
    fs: Function | Sequence[Function], x: Any, *, axes: Any = None, label: str = "chain", path: Any = None
) -> Any:
    """Draw a chain of functions, fs[-1](…fs[1](fs[0](x))), over x.

    Args:
        fs: functions of an array that work element by element, in the order in which they are applied; or one function.
        x: shape (n,), where to draw it.
        axes: Matplotlib's axes to draw into; a new figure by default.
        label: the name of the line.
        path: where to save the picture, such as "chain.png".

    Returns:
        The Matplotlib figure.

    Raises:
        SignatureError: a member of the chain is no function.
        ShapeError: x has not one axis, or a function changes its shape.
        UnsupportedError: Matplotlib is not installed.

    Example:
        >>> x = np.linspace(-3.0, 3.0, 601)
        >>> figure = pg.plot.chain([np.square, pg.sigmoid], x)
        >>> figure = pg.plot.chain_derivative([np.square, pg.sigmoid], x, axes=figure.axes[0])
        >>> [line.get_label() for line in figure.axes[0].get_lines()]
        ['chain', 'derivative']
    """
    x, value, _ = _walked("chain", fs, x)
    axes = axes_for("chain", axes)
    axes.plot(x, value, label=label, color=COLOURS[0])
    axes.legend()
    return finished(axes, path)


def chain_derivative(
    fs: Function | Sequence[Function], x: Any, *, axes: Any = None, label: str = "derivative", path: Any = None
) -> Any:
    """Draw the derivative of a chain of functions over x: at each point the product of the members' derivatives.

    Args, returns, raises: as `chain`.

    Example:
        >>> figure = pg.plot.chain_derivative(np.sin, np.linspace(0.0, 6.0, 7))
        >>> float(figure.axes[0].get_lines()[0].get_ydata()[0])
        1.0
    """
    x, _, slope = _walked("chain_derivative", fs, x)
    axes = axes_for("chain_derivative", axes)
    axes.plot(x, slope, label=label, color=COLOURS[1], linestyle="--")
    axes.legend()
    return finished(axes, path)


def tangent(f: Function, at: float, x: Any = None, *, axes: Any = None, path: Any = None) -> Any:
    """Draw a function of one number, and its tangent line at a point, whose slope is one `pg.jvp`.

    Args:
        f: a function of an array that works element by element.
        at: where the line touches it.
        x: shape (n,), where to draw both; by default from at − 2 to at + 2.
        axes, path: as for `chain`.

    Returns, raises: as `chain`.

    Example:
        >>> figure = pg.plot.tangent(lambda x: x**2, 3.0)
        >>> figure.axes[0].get_lines()[1].get_label()
        'tangent, slope 6'
    """
    x, value, _ = _walked("tangent", f, np.linspace(at - 2.0, at + 2.0, 201) if x is None else x)
    _, (touched,), (slope,) = _walked("tangent", f, [at])
    axes = axes_for("tangent", axes)
    axes.plot(x, value, label=getattr(f, "__name__", "f").replace("<lambda>", "f"), color=COLOURS[0])
    axes.plot(x, touched + slope * (x - at), label=f"tangent, slope {slope:.6g}", color=COLOURS[1], linestyle="--")
    axes.plot([at], [touched], "o", color=COLOURS[1])
    axes.legend()
    return finished(axes, path)


def _walked(subject: str, fs: Function | Sequence[Function], x: Any) -> tuple[Array, Array, Array]:
    """The points, the chain's values there, and its derivatives, by one tangent of ones."""
    members: list[Any] = [fs] if callable(fs) else list(fs)
    for place, member in enumerate(members):
        if not callable(member):
            problem = f"member {place} of the chain is {member!r}, which is no function"
            raise SignatureError(problem, "give a list of functions of one array", stage="plotting", subject=subject)
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 1:
        problem = f"x has shape {points.shape}"
        raise ShapeError(problem, "give an array of one axis", stage="plotting", subject=subject)

    def composed(x: Any) -> Any:
        for place, member in enumerate(members):
            x = member(x)
            if np.shape(x) != points.shape:
                problem = f"member {place} of the chain makes shape {np.shape(x)} of {points.shape}"
                raise ShapeError(problem, "give functions of each element", stage="plotting", subject=subject)
        return x

    value, slope = jvp(composed, (points,), (np.ones_like(points),))
    return points, value, slope
