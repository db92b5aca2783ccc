"""Stochastic gradient descent, one row of the data at a time, as a scan that runs in C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pygraph as pg

Params = Any
Gradient = Callable[..., tuple[Any, Params]]


def sgd_epoch(
    loss: Callable[..., Any], learning_rate: float, value_and_grad: Gradient | None = None
) -> Callable[..., tuple[Params, Any]]:
    """One pass over a data set: after each row, params ← params − learning_rate · ∂loss/∂params.

    Args:
        loss: loss(params, *row) → scalar, where `row` holds one element along the first axis of each data array.
        learning_rate: the step size.
        value_and_grad: (params, *row) → (loss, gradient), used in place of the exact derivative of `loss`.

    Returns:
        epoch(params, *data) → (params, losses): the parameters after the last row, in a container like theirs, and
        the loss of each row before its step, shape (rows,). Compile it with `pg.compile`: the loop over the rows, the
        derivative and the step are then one Program.

    Example:
        >>> epoch = pg.compile(pg.train.sgd_epoch(lambda w, x, y: (y - w * x) ** 2, 0.1))
        >>> w, losses = epoch(0.0, np.array([1.0, 1.0]), np.array([2.0, 2.0]))
        >>> print(round(w, 6), losses)
        0.72 [4.   2.56]
    """
    step = pg.value_and_grad(loss) if value_and_grad is None else value_and_grad

    def update(params: Params, row: tuple[Any, ...]) -> tuple[Params, Any]:
        value, gradient = step(params, *row)
        return pg.tree_map(lambda p, g: p - learning_rate * g, params, gradient), value

    def epoch(params: Params, *data: Any) -> tuple[Params, Any]:
        result: tuple[Params, Any] = pg.scan(update, params, data)
        return result

    return epoch
