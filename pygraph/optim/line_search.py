"""A line search for the strong Wolfe conditions, as a loop over evaluations: in C in a trace, in Python on arrays.

The algorithm is that of Nocedal and Wright, "Numerical optimization" (2nd edition, 2006), 3.5 and 3.6, as one loop: the
trial steps grow until they bracket an acceptable one, then the bracket shrinks. Near the optimum, where differences of
values are rounding errors, the approximate conditions of Hager and Zhang (SIAM J. Optim. 16, 2005) decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pygraph as pg

from .parameters import cast, dot

#: How far a trial goes beyond the last one while no bracket is found, at least and at most, in units of it.
_LEAST_GROWTH, _MOST_GROWTH = 0.01, 10.0
#: How near the ends of a bracket a trial may be, in units of its width.
_MARGIN = 0.1
#: By how many units in the last place two values differ through rounding.
_ROUNDING = 10.0


class Trial(NamedTuple):
    """A step along the direction, the value there, and its slope along it; float64 scalars."""

    at: Any
    value: Any
    slope: Any


class Search(NamedTuple):
    """The carry of the loop.

    `low` has the least value of the steps that decrease the value enough, at first the start; `high` is the other end
    of the bracket, at inf while there is none. `grads` is the gradient at `low`, which is the result in the end.
    """

    step: Any
    low: Trial
    high: Trial
    grads: Any
    evaluations: Any
    going: Any


class Line(NamedTuple):
    """What does not change: the start, the direction and how flat, and how low, is enough."""

    params: Any
    direction: Any
    start: Trial
    decrease: Any
    curvature: Any
    most: Any


def searched(line: Line, grads: Any, first: Any, value_and_grad: Callable[[Any], tuple[Any, Any]]) -> Search:
    """The end of a line search, whose `low` is the step found: that to 0 where none decreases the value.

    Args:
        line: the start, and where to go; of a slope that is not negative no step is tried.
        grads: the gradient at the start.
        first: the first trial step.
        value_and_grad: from parameters to a scalar and its gradient; on arrays it is called as it is.
    """
    search: Search = _begun(line, grads, first)

    def turn(search: Search) -> Search:
        value, found = value_and_grad(along(line.params, line.direction, search.step))
        following: Search = advanced(search, line, value, found)
        return following

    if any(isinstance(leaf, pg.Node) for leaf in pg.tree_leaves((line, search))):
        return pg.while_loop(lambda search: search.going, turn, search)  # type: ignore[no-any-return]
    while search.going:
        search = turn(search)
    return search


@pg.compile
def along(params: Any, direction: Any, step: Any) -> Any:
    """The parameters after a step along a direction."""
    return pg.tree_map(lambda p, d: pg.asarray(p) + cast(step, d) * d, params, direction)


@pg.compile
def _begun(line: Line, grads: Any, first: Any) -> Search:
    start = line.start
    going = (start.slope < 0.0) & np.isfinite(start.value) & (line.most > 0)
    high = Trial(np.inf * np.ones(()), start.value, start.slope)
    return Search(first, start, high, grads, np.zeros((), np.int64), going)


@pg.compile
def advanced(search: Search, line: Line, value: Any, grads: Any) -> Search:
    """The search after the evaluation of a trial step: its place in the bracket, and the next trial."""
    value, start, low, high = pg.asarray(value), line.start, search.low, search.high
    rounding = _ROUNDING * np.finfo(value.dtype).eps * np.abs(start.value)
    slope = dot(pg.tree_leaves(grads), pg.tree_leaves(line.direction))
    trial = Trial(search.step, value.astype(np.float64), slope)

    finite = np.isfinite(trial.value) & np.isfinite(slope)
    enough = trial.value <= start.value + line.decrease * trial.at * start.slope
    nearly = (trial.value <= start.value + rounding) & (slope <= (2.0 * line.decrease - 1.0) * start.slope)
    lower = enough & (trial.value < low.value)
    accepted = finite & (np.abs(slope) <= -line.curvature * start.slope) & (lower | nearly)
    better = accepted | (finite & lower)
    # the minimum is between the trial, when it is the new low, and the old one
    turned = slope * np.where(high.at > low.at, 1.0, -1.0) >= 0.0

    bracketed = np.isfinite(high.at) | ~better | turned
    new_low = _chosen(better, trial, low)
    new_high = _chosen(better, _chosen(turned, low, high), trial)
    step = np.where(bracketed, _between(new_low, new_high), _beyond(low, trial))
    evaluations = search.evaluations + 1
    # a bracket that is below the rounding errors of the parameters has nothing in it to be found
    sizes = [np.max(np.abs(d), initial=0.0).astype(np.float64) for d in pg.tree_leaves(line.direction)]
    scales = [np.max(np.abs(p), initial=0.0).astype(np.float64) for p in map(pg.asarray, pg.tree_leaves(line.params))]
    epsilons = [float(np.finfo(d.dtype).eps) for d in pg.tree_leaves(line.direction)]
    width = np.abs(new_high.at - new_low.at)
    narrow: Any = np.asarray(True)
    for size, scale, epsilon in zip(sizes, scales, epsilons, strict=True):
        narrow = narrow & (width * size <= epsilon * scale)
    going = ~accepted & (evaluations < line.most) & ~(bracketed & narrow)
    kept = pg.tree_map(lambda new, old: np.where(better, new.astype(old.dtype), old), grads, search.grads)
    return Search(step, new_low, new_high, kept, evaluations, going)


def _chosen(first: Any, x: Trial, y: Trial) -> Trial:
    return Trial(*(np.where(first, a, b) for a, b in zip(x, y, strict=True)))


def _between(low: Trial, high: Trial) -> Any:
    """A step in the bracket: the minimum of the cubic through its ends, or its middle where there is none."""
    step = _cubic(low, high)
    middle = low.at + 0.5 * (high.at - low.at)
    margin = _MARGIN * np.abs(high.at - low.at)
    first, last = np.minimum(low.at, high.at) + margin, np.maximum(low.at, high.at) - margin
    return np.where(np.isfinite(step), np.clip(step, first, last), middle)


def _beyond(last: Trial, trial: Trial) -> Any:
    """A longer step: the minimum of the cubic, within limits; the middle of these where there is none."""
    step = _cubic(last, trial)
    least, most = trial.at + _LEAST_GROWTH * (trial.at - last.at), _MOST_GROWTH * trial.at
    return np.where(np.isfinite(step), np.clip(step, least, most), 0.5 * (least + most))


def _cubic(a: Trial, b: Trial) -> Any:
    """The minimum of the cubic with these values and slopes (Nocedal and Wright, equation 3.59); nan for none."""
    first = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.at - b.at)
    square = first * first - a.slope * b.slope
    second = np.where(b.at > a.at, 1.0, -1.0) * np.sqrt(np.where(square >= 0.0, square, np.nan))
    return b.at - (b.at - a.at) * (b.slope + second - first) / (b.slope - a.slope + 2.0 * second)
