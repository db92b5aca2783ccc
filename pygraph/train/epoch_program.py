"""The Program of training: steps over mini-batches in one loop, whose bounds are arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pygraph as pg

from .objective import Objective

#: Streams of random numbers that a seed is split into.
SHUFFLING, NOISE = 0, 1


class Carry(NamedTuple):
    """What a step of training takes and gives.

    Attributes:
        params, optimizer, state: containers of arrays.
        step: how many steps were done, an int64.
        at: how many of them in this epoch.
        sums: of the loss and of each part over the examples of this epoch so far, float64.
        bad: the place in the epoch of the first step whose loss was not finite, or -1.
    """

    params: Any
    optimizer: Any
    state: Any
    step: Any
    at: Any
    sums: Any
    bad: Any


def training_step(
    objective: Objective, optimizer: Any, transform: Callable[[Any], Any], noise: Any
) -> Callable[[Carry, Any, Any, int], Carry]:
    """The function of one step, (carry, data, weights, rows) → carry; `transform` clips the gradients."""
    needs_value = bool(getattr(optimizer, "needs_value", False))

    def step(carry: Carry, data: Any, weights: Any, rows: int) -> Carry:
        key = pg.random.fold_in(noise, carry.step)

        def loss(params: Any) -> Any:
            return objective.training(params, carry.state, key, weights, data)

        with_gradient = pg.value_and_grad(loss, has_aux=True)
        (value, (parts, state)), gradient = with_gradient(carry.params)
        gradient = transform(gradient)
        more: dict[str, Any] = {}
        if needs_value:

            def plain(params: Any) -> Any:
                (found, _), slope = with_gradient(params)
                return found, slope

            more = {"value": value, "value_and_grad": plain}
        params, memory = optimizer.update(gradient, carry.optimizer, carry.params, **more)
        sums = {name: carry.sums[name] + rows * _double(x) for name, x in {"loss": value, **parts}.items()}
        bad = np.where((carry.bad < 0) & ~np.isfinite(value), carry.at, carry.bad)
        return Carry(params, memory, state, carry.step + 1, carry.at + 1, sums, bad)

    return step


def epoch_steps(
    objective: Objective, optimizer: Any, transform: Callable[[Any], Any], count: int, batch_size: int
) -> Callable[..., Any]:
    """Some steps of an epoch over `count` rows: (carry, stop, order, weights, data, noise) → (carry, healthy),
    the carry as a plain tuple.

    The loop runs from `carry.at` up to `stop`, and ends at a loss that is not finite. The rows of each batch are
    gathered inside it, by `order` (None: as they lie). What is left of the rows after the last whole batch is a
    smaller step behind the loop. `healthy` is whether the losses and the parameters are finite.
    """
    whole, left = divmod(count, batch_size)

    def run(point: tuple[Any, ...], stop: Any, order: Any, weights: Any, data: Any, noise: Any) -> Any:
        carry = Carry(*point)
        step = training_step(objective, optimizer, transform, noise)

        def batch(carry: Carry, rows: int) -> Carry:
            places = carry.at * batch_size + pg.arange(rows)
            if order is not None:
                places = order[places]
            chosen = pg.tree_map(lambda x: x[places], data)
            return step(carry, chosen, None if weights is None else weights[places], rows)

        def going(carry: Carry) -> Any:
            return (carry.at < pg.minimum(stop, whole)) & (carry.bad < 0)

        if whole:
            carry = Carry(*pg.while_loop(going, lambda carry: batch(carry, batch_size), carry))
        if left:
            last = (stop > whole) & (carry.bad < 0)
            carry = Carry(*pg.cond(last, lambda carry: batch(carry, left), lambda carry: carry, carry))
        return tuple(carry), healthy(carry)

    return run


def single_step(objective: Objective, optimizer: Any, transform: Callable[[Any], Any]) -> Callable[..., Any]:
    """A step on a batch that is given: (carry, weights, data, noise) → (carry, healthy), the carry as a plain tuple."""

    def run(point: tuple[Any, ...], weights: Any, data: Any, noise: Any) -> Any:
        rows = next(x.shape[0] for x in pg.tree_leaves(data) if x.ndim)
        carry = training_step(objective, optimizer, transform, noise)(Carry(*point), data, weights, rows)
        return tuple(carry), healthy(carry)

    return run


def order_of(count: int) -> Callable[[Any, Any], Any]:
    """The order of the rows in an epoch: (key, epoch) → int64[count]."""

    def order(key: Any, epoch: Any) -> Any:
        return pg.random.permutation(pg.random.fold_in(key, epoch), count)

    return order


def healthy(carry: Carry) -> Any:
    """Whether the losses and the parameters are finite."""
    finite = carry.bad < 0
    for leaf in pg.tree_leaves(carry.params):
        finite = finite & np.all(np.isfinite(leaf))
    return finite


def _double(x: Any) -> Any:
    return pg.astype(x, np.float64)
