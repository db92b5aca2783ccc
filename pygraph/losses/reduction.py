"""What every loss shares: operands as floats of one dtype, shapes that fit, weights, and the mean, sum or none."""

from __future__ import annotations

from typing import Any

import numpy as np

import pygraph as pg

__all__ = ["fitting", "floats", "given", "reduced", "shape_of", "without_axis"]

_REDUCTIONS = ("mean", "sum", "none")
_NUMBERS = (bool, int, float)


def given(x: Any) -> Any:
    """An operand as an expression, an array or a Python number; what else NumPy takes as an array becomes one."""
    if type(x) in _NUMBERS or isinstance(x, pg.Node | np.ndarray | np.generic):
        return x
    return pg.asarray(x)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of what `given` returned."""
    return () if type(x) in _NUMBERS else tuple(x.shape)


def is_floating(x: Any) -> bool:
    """Whether what `given` returned is floating."""
    return type(x) is float if type(x) in _NUMBERS else x.dtype.kind == "f"


def floats(*operands: Any) -> list[Any]:
    """Operands as floats: integers and bools take the dtype of the first floating array, or else float64."""
    taken = [given(x) for x in operands]
    arrays = [x for x in taken if type(x) not in _NUMBERS]
    dtype = next((x.dtype for x in arrays if is_floating(x)), np.dtype(np.float64))
    found = [x if is_floating(x) else float(x) if type(x) in _NUMBERS else pg.astype(x, dtype) for x in taken]
    return found if arrays else [np.asarray(x) for x in found]


def fitting(prediction: Any, target: Any, subject: str) -> list[Any]:
    """Both as floats, where one broadcasts to the shape of the other.

    Raises:
        ShapeError: they do not broadcast, or to a shape that neither has, as (n, 1) and (n,) do.
    """
    p, t = floats(prediction, target)
    shapes = shape_of(p), shape_of(t)
    try:
        fits = np.broadcast_shapes(*shapes) in shapes
    except ValueError:
        fits = False
    if not fits:
        raise pg.ShapeError(
            f"a prediction of shape {shapes[0]} for a target of shape {shapes[1]}",
            "give equal shapes: y[:, None] makes a column of a vector, x[:, 0] or x.reshape(-1) a vector of a column",
            stage="tracing",
            subject=subject,
        )
    return [p, t]


def without_axis(prediction: Any, axis: int, subject: str) -> Any:
    """A floating prediction with the axis of classes, or of components, put last; ShapeError where there is none."""
    (p,) = floats(prediction)
    if p.ndim == 0 or not -p.ndim <= axis < p.ndim or p.shape[axis] == 0:
        raise pg.ShapeError(
            f"axis {axis} of a prediction of shape {p.shape} has no elements"
            if p.ndim
            else "the prediction is a scalar",
            "give shape (examples, classes), or name the axis with axis=",
            stage="tracing",
            subject=subject,
        )
    return p if axis in (-1, p.ndim - 1) else pg.moveaxis(p, axis, -1)


def _aligned(weights: Any, like: Any, subject: str) -> Any:
    """Weights in the dtype of the losses, with axes of size 1 behind, so that they belong to the first axes."""
    w, shape = pg.astype(given(weights), like.dtype), tuple(like.shape)
    wide = (*w.shape, *[1] * (len(shape) - w.ndim))
    if len(wide) != len(shape) or any(n not in (1, m) for n, m in zip(wide, shape, strict=True)):
        raise pg.ShapeError(
            f"weights of shape {tuple(w.shape)} for losses of shape {shape}",
            "give one for each example, or a shape that broadcasts behind the examples: (1, m) for m columns",
            stage="tracing",
            subject=subject,
        )
    return w if w.shape == wide else pg.reshape(w, wide)


def reduced(losses: Any, weights: Any, reduction: str, subject: str, share: Any = None) -> Any:
    """The weighted mean or sum of losses, or themselves.

    Args:
        losses: of elements or examples, floating.
        weights: None, or of the first axes of `losses`.
        reduction: "mean", "sum" or "none".
        subject: the name of the loss.
        share: the weight of the class of each example, which `losses` contain already and the mean is divided by.

    Raises:
        UnsupportedError: another reduction; ShapeError: weights that do not fit.
    """
    if reduction not in _REDUCTIONS:
        problem, advice = f"reduction={reduction!r}", f"give one of {', '.join(map(repr, _REDUCTIONS))}"
        raise pg.UnsupportedError(problem, advice, stage="tracing", subject=subject)
    total_weight = share
    if weights is not None:
        w = _aligned(weights, losses, subject)
        losses = w * pg.where((w == 0) & ~pg.isfinite(losses), 0.0, losses)
        total_weight = w if share is None else w * share
    if reduction == "none":
        return losses
    if reduction == "sum":
        return pg.sum(losses)
    if total_weight is None:
        return pg.mean(losses)
    return pg.sum(losses) / pg.sum(pg.broadcast_to(total_weight, losses.shape))
