"""Figures and axes of Matplotlib, the error where it is not installed, and the colours of all plots."""

from __future__ import annotations

import functools
import io
from typing import Any

from ..errors import ShapeError, UnsupportedError

#: Colours that differ for colour-blind eyes too (Okabe and Ito, "Color Universal Design", 2008), without its black.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442")


@functools.cache
def _figure_class() -> Any:
    """Matplotlib's figure, which notebooks show also where pyplot is not imported."""
    from matplotlib.figure import Figure

    def png(self: Any) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()

    return type("ShownFigure", (Figure,), {"_repr_png_": png, "__module__": __name__})


def figure(width: float = 6.0, height: float = 4.0) -> Any:
    """An empty Matplotlib figure, to put several plots into; a notebook shows it, and it needs no window.

    Args:
        width, height: in inches.

    Raises:
        UnsupportedError: Matplotlib is not installed.

    Example:
        >>> figure = pg.plot.figure(9.0, 3.0)
        >>> left, right = figure.subplots(1, 2)
        >>> figure is pg.plot.tangent(np.sin, 0.0, axes=left)
        True
    """
    return new_figure("figure", (width, height))


def new_figure(subject: str, size: tuple[float, float] = (6.0, 4.0)) -> Any:
    """An empty figure of `size` inches.

    Raises:
        UnsupportedError: Matplotlib is not installed.
    """
    try:
        make = _figure_class()
    except ImportError as error:
        advice = "pip install 'pygraph-ad[plot]'"
        raise UnsupportedError("matplotlib is not installed", advice, stage="plotting", subject=subject) from error
    return make(figsize=size, layout="constrained")


def axes_for(subject: str, axes: Any) -> Any:
    """The given axes, or those of a new figure.

    Raises:
        UnsupportedError: Matplotlib is not installed.
        ShapeError: `axes` are several, or no axes.
    """
    if axes is None:
        made = new_figure(subject).subplots()
        made.grid(alpha=0.3)
        return made
    if not hasattr(axes, "plot") or not hasattr(axes, "figure"):
        problem = f"axes is a {type(axes).__name__}"
        raise ShapeError(problem, "give one axes of Matplotlib, or leave it out", stage="plotting", subject=subject)
    return axes


def finished(axes: Any, path: Any) -> Any:
    """The figure of `axes`, saved where there is a path."""
    figure = axes.figure
    if path is not None:
        figure.savefig(path)
    return figure
