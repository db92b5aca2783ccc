"""Functions of two numbers, seen from above: losses with the path of a descent, and fields of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..containers import ravel_pytree, tree_names
from ..errors import ShapeError
from ..transforms import value_and_grad, vmap
from .figures import axes_for, finished

Array = npt.NDArray[Any]

#: So many points a side are computed of a surface; of a field, so many arrows a side are drawn.
GRID, ARROWS = 80, 17


def loss_surface(
    loss: Callable[..., Any],
    descent: Sequence[Any],
    *args: Any,
    levels: int = 25,
    margin: float = 0.3,
    axes: Any = None,
    path: Any = None,
) -> Any:
    """Draw a loss of two parameters as a map of its heights, and the path of a descent on it.

    Args:
        loss: loss(params, *args), a scalar; it is computed on a grid around the path, in one batch.
        descent: the parameters after each step, the first ones first: containers with two numbers, as a pair or a dict;
            or an array of shape (steps, 2).
        *args: further arguments of the loss, such as the data.
        levels: how many heights are told apart.
        margin: how much further than the path the map reaches, as a share of the path's extent.
        axes: Matplotlib's axes to draw into; a new figure by default.
        path: where to save the picture.

    Returns:
        The Matplotlib figure.

    Raises:
        ShapeError: no parameters, or others than two numbers.
        UnsupportedError: Matplotlib is not installed.

    Example:
        >>> steps = [np.array([1.0, 1.0])]
        >>> bowl = lambda p: p[0] ** 2 + 5.0 * p[1] ** 2
        >>> for _ in range(20):
        ...     steps.append(steps[-1] - 0.05 * pg.grad(bowl)(steps[-1]))
        >>> figure = pg.plot.loss_surface(bowl, steps)
        >>> figure.axes[0].get_title()
        'loss: 6 → 0.0148'
    """
    points, names, unravel = _points(descent)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.where(high > low, high - low, max(float((high - low).max()), 1e-3 * max(1.0, float(np.abs(low).max()))))
    low, high = low - margin * extent, high + margin * extent
    x, y = np.linspace(low[0], high[0], GRID), np.linspace(low[1], high[1], GRID)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    heights = _scalars("loss_surface", vmap(lambda p: loss(unravel(p), *args))(np.concatenate([grid, points])))
    axes = axes_for("loss_surface", axes)
    axes.grid(False)
    drawn = axes.contourf(x, y, heights[: len(grid)].reshape(GRID, GRID), levels=levels, cmap="cividis")
    axes.figure.colorbar(drawn, ax=axes, label="loss")
    axes.plot(points[:, 0], points[:, 1], ".-", color="white", markersize=4 if len(points) < 200 else 1, linewidth=1)
    axes.plot(*points[0], "o", color="white", markeredgecolor="black", label="start")
    axes.plot(*points[-1], "*", color="white", markeredgecolor="black", markersize=13, label="end")
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.set_title(f"loss: {heights[len(grid)]:.3g} → {heights[-1]:.3g}")
    axes.legend()
    return finished(axes, path)


def gradient_field(
    f: Callable[[Any, Any], Any], x: Any, y: Any, *, arrows: int = ARROWS, axes: Any = None, path: Any = None
) -> Any:
    """Draw the gradient of a function of two numbers as arrows, over a map of its values.

    The arrows point to where f grows; their lengths are in proportion to the gradient's.

    Args:
        f: f(x, y), a scalar.
        x, y: (low, high), the part of the plane to draw.
        arrows: how many there are a side.
        axes, path: as for `loss_surface`.

    Returns:
        The Matplotlib figure.

    Raises:
        ShapeError: x or y is not a pair of numbers, or f's result is not a scalar.
        UnsupportedError: Matplotlib is not installed.

    Example:
        >>> figure = pg.plot.gradient_field(lambda x, y: x * y, (-1.0, 1.0), (-1.0, 1.0), arrows=3)
        >>> arrows = figure.axes[0].collections[-1]
        >>> [(float(u), float(v)) for u, v in zip(arrows.U[:2], arrows.V[:2])]
        [(-1.0, -1.0), (-1.0, 0.0)]
    """
    for name, ends in (("x", x), ("y", y)):
        if np.shape(ends) != (2,):
            problem = f"{name} has shape {np.shape(ends)}"
            raise ShapeError(problem, "give (low, high)", stage="plotting", subject="gradient_field")
    axes = axes_for("gradient_field", axes)
    axes.grid(False)
    fine = [np.linspace(ends[0], ends[1], GRID) for ends in (x, y)]
    xs, ys = np.meshgrid(*fine)
    values = _scalars("gradient_field", vmap(f)(xs.ravel(), ys.ravel()))
    drawn = axes.contourf(*fine, values.reshape(xs.shape), levels=25, cmap="cividis")
    axes.figure.colorbar(drawn, ax=axes, label="value")
    xs, ys = (each.ravel() for each in np.meshgrid(*(np.linspace(ends[0], ends[1], arrows) for ends in (x, y))))
    _, (u, v) = vmap(value_and_grad(f, argnums=(0, 1)))(xs, ys)
    axes.quiver(xs, ys, u, v, color="white", edgecolor="black", linewidth=0.4, angles="xy")
    axes.set(xlabel="x", ylabel="y")
    return finished(axes, path)


def _scalars(subject: str, values: Any) -> Array:
    """One value for each point."""
    if np.ndim(values) != 1:
        problem = f"the result of the function has shape {np.shape(values)[1:]}"
        raise ShapeError(problem, "give a function with one number as its result", stage="plotting", subject=subject)
    return np.asarray(values)


def _points(descent: Sequence[Any]) -> tuple[Array, list[str], Callable[[Any], Any]]:
    """The steps as an array of shape (steps, 2), the names of its columns, and what makes parameters of a row."""

    def refused(problem: str) -> ShapeError:
        return ShapeError(problem, "give the two parameters after each step", stage="plotting", subject="loss_surface")

    if not len(descent):
        raise refused("the descent has no steps")
    rows = [ravel_pytree(params)[0] for params in descent]
    if any(np.shape(row) != (2,) for row in rows):
        raise refused(f"a step has {np.size(next(row for row in rows if np.shape(row) != (2,)))} parameters")
    _, unravel = ravel_pytree(descent[0])
    names = [name.removeprefix("parameter.") for name in tree_names(descent[0], "parameter")]
    if len(names) == 1:  # an array of two
        names = [f"{names[0]}[0]", f"{names[0]}[1]"]
    return np.stack(rows).astype(np.float64), names, unravel
