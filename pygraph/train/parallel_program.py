"""The Programs of data-parallel training: the gradients of a part of a batch, and the step with their sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import pygraph as pg

from .epoch_program import Carry, healthy
from .objective import Objective


class Shares(NamedTuple):
    """What a part of a batch counts in it, float64 each.

    Attributes:
        rows: its rows, divided by those of the batch.
        weights: the sum of their weights, divided by that of the batch.
    """

    rows: Any
    weights: Any


class Sums(NamedTuple):
    """What is added up over the parts of a batch.

    Attributes:
        gradients: in the container of the parameters, each times the part's share.
        state: the floating leaves of the new state, each times the part's share of the rows.
        integers: its other leaves as int64, of which the largest is taken.
        losses: of the sum of the losses and of each of them, times the part's share, float64.
    """

    gradients: Any
    state: list[Any]
    integers: list[Any]
    losses: dict[str, Any]


def sums_like(params: Any, state: Any, names: Sequence[str]) -> Sums:
    """Arrays of the shapes and dtypes of `Sums`."""
    floats = [leaf for leaf in pg.tree_leaves(state) if leaf.dtype.kind == "f"]
    others = [leaf for leaf in pg.tree_leaves(state) if leaf.dtype.kind != "f"]
    integers = [np.zeros(leaf.shape, np.int64) for leaf in others]
    return Sums(pg.tree_map(np.zeros_like, params), floats, integers, dict.fromkeys(names, np.zeros(())))


class PartProgram:
    """The function (params, state, step, noise, part, shares, weights, data) → `Sums` as a plain tuple.

    Each part draws its own random numbers. `rows` makes it one of whole data sets, that gathers so many rows: with the
    arguments (…, start, order, weights, data).

    Attributes:
        unchanged: which leaves of the state the losses return as they were given, known when it was traced.
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.unchanged: list[bool] = []

    def of_batch(
        self, params: Any, state: Any, step: Any, noise: Any, part: Any, shares: Shares, weights: Any, data: Any
    ) -> tuple[Any, ...]:
        """Of a batch that is given."""
        key = pg.random.fold_in(pg.random.fold_in(noise, part), step)
        shares = Shares(*shares)
        if weights is not None:  # of rows that all weigh nothing, the weighted mean is 0 / 0
            weights = np.where(shares.weights == 0, 1.0, weights).astype(weights.dtype)

        def loss(params: Any) -> Any:
            return self._objective.training(params, state, key, weights, data, shares)

        (value, (parts, new)), gradients = pg.value_and_grad(loss, has_aux=True)(params)
        before, after = pg.tree_leaves(state), pg.tree_leaves(new)
        self.unchanged = [a is b for a, b in zip(before, after, strict=True)]
        typed = [(a.dtype.kind, pg.astype(b, a.dtype)) for a, b in zip(before, after, strict=True)]
        floats = [leaf * pg.astype(shares.rows, leaf.dtype) for kind, leaf in typed if kind == "f"]
        integers = [pg.astype(leaf, np.int64) for kind, leaf in typed if kind != "f"]
        losses = {name: pg.astype(x, np.float64) for name, x in {"loss": value, **parts}.items()}
        return tuple(Sums(gradients, floats, integers, losses))

    def of_rows(self, rows: int) -> Callable[..., tuple[Any, ...]]:
        """Of so many rows of whole data sets."""

        def run(
            params: Any,
            state: Any,
            step: Any,
            noise: Any,
            part: Any,
            shares: Shares,
            start: Any,
            order: Any,
            weights: Any,
            data: Any,
        ) -> tuple[Any, ...]:
            places = start + pg.arange(rows)
            if order is not None:
                places = order[places]
            chosen = pg.tree_map(lambda x: x[places], data)
            weights = None if weights is None else weights[places]
            return self.of_batch(params, state, step, noise, part, shares, weights, chosen)

        return run


def update_step(optimizer: Any, transform: Callable[[Any], Any], unchanged: Sequence[bool]) -> Callable[..., Any]:
    """The step with the sums of a batch: (carry, sums, rows) → (carry, healthy), both carries as plain tuples.

    Args:
        optimizer: whose update it is.
        transform: clips the gradients.
        unchanged: which leaves of the state stay as they are.
    """

    def run(point: tuple[Any, ...], summed: tuple[Any, ...], rows: Any) -> Any:
        carry, sums = Carry(*point), Sums(*summed)
        params, memory = optimizer.update(transform(sums.gradients), carry.optimizer, carry.params)
        floats, integers, same = iter(sums.state), iter(sums.integers), iter(unchanged)

        def renewed(old: Any) -> Any:
            new = next(floats) if old.dtype.kind == "f" else next(integers)
            return old if next(same) else pg.astype(new, old.dtype)

        state = pg.tree_map(renewed, carry.state)
        totals = {name: total + rows * sums.losses[name] for name, total in carry.sums.items()}
        bad = np.where((carry.bad < 0) & ~np.isfinite(sums.losses["loss"]), carry.at, carry.bad)
        carry = Carry(params, memory, state, carry.step + 1, carry.at + 1, totals, bad)
        return tuple(carry), healthy(carry)

    return run
