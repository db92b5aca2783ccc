"""Newton's steps with a Hessian that is estimated from gradients: `lbfgs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

import pygraph as pg

from .line_search import Line, Search, Trial, along, searched
from .optimizer import Optimizer, rate_at, step_of
from .parameters import cast, checked_params, dot, leaves_like, placed
from .settings import COUNT, RATE, Settings, is_expression, number

_NAMES = {"step", "evaluations", "value", "grads", "moves", "changes", "curvatures", "scale", "next"}


@dataclass(frozen=True)
class lbfgs(Settings, Optimizer):
    """Limited-memory BFGS (Nocedal and Wright, "Numerical optimization", algorithm 7.4) with a line search for the
    strong Wolfe conditions. One update is one direction and the search along it, of one evaluation or more.

    For losses without noise, of all data at once. The state is {"step", "evaluations": how many the searches made,
    "value", "grads": at the parameters that the last update returned, "moves", "changes": of the parameters and their
    gradients in the last `history_size` steps, "curvatures", "scale", "next"}, of fixed shapes. Each pair is of one
    search, so that gradients of two batches of the data do not mix.

    Args:
        learning_rate: the first step that each search tries, in units of the direction; a number, or a schedule. Where
            there is no history, the direction is the gradient, and the first step at most one whose elements sum to it.
        history_size: how many pairs estimate the Hessian.
        max_evaluations: of one search.
        c1: how much of the decrease that the slope promises is enough, between 0 and 0.5.
        c2: how much of the slope may be left, between c1 and 1.

    Raises:
        DomainError, SignatureError: a setting that is out of its range, or is no number.

    Example:
        >>> def loss(params):
        ...     return np.sum((params["x"] - 3.0) ** 2) + np.cosh(params["y"])
        >>> opt, f = pg.optim.lbfgs(), pg.compile(pg.value_and_grad(loss))
        >>> params = {"x": np.zeros(2), "y": np.array(5.0)}
        >>> state = opt.init(params)
        >>> for _ in range(15):
        ...     params, state = opt.update(None, state, params, value_and_grad=f)
        >>> params["x"].round(6), abs(params["y"]) < 1e-6
        (array([3., 3.]), np.True_)
    """

    learning_rate: Any = field(default=1.0, metadata=RATE)
    _: KW_ONLY
    history_size: int = field(default=10, metadata=COUNT)
    max_evaluations: int = field(default=25, metadata=COUNT)
    c1: float = field(default=1e-4, metadata=number(0.0, 0.5, open_low=True))
    c2: float = field(default=0.9, metadata=number(0.0, 1.0, open_low=True))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_expression(self.c1) and not is_expression(self.c2) and self.c2 <= self.c1:
            problem = f"c2 is {self.c2!r} and c1 {self.c1!r}"
            raise pg.DomainError(problem, "give a c2 above c1", stage="making", subject="lbfgs")

    @property
    def needs_value(self) -> bool:
        return True

    def init(self, params: Any) -> dict[str, Any]:
        leaves = checked_params(params, "lbfgs")
        lead = (self.history_size,)

        def zeros(lead: tuple[int, ...]) -> Any:
            return placed((pg.zeros((*lead, *leaf.shape), leaf.dtype) for leaf in leaves), params)

        return {
            "step": np.zeros((), np.int64),
            "evaluations": np.zeros((), np.int64),
            "value": np.zeros(()),
            "grads": zeros(()),
            "moves": zeros(lead),
            "changes": zeros(lead),
            "curvatures": np.zeros(lead),
            "scale": np.ones(()),
            "next": np.zeros((), np.int64),
        }

    def update(
        self,
        grads: Any,
        state: Any,
        params: Any,
        *,
        value: Any = None,
        value_and_grad: Callable[[Any], tuple[Any, Any]] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """The next parameters, and the next state; the parameters stay as they are where no step lowers the value.

        Args:
            grads: the gradient at `params`; None for that in the state, which the last update left, and at the first
                update for an evaluation. That is right where `value_and_grad` is the same function as then.
            state: of `init`, or of the last update.
            params: the parameters.
            value: the value of the loss at `params`; None with grads None.
            value_and_grad: from parameters to the value, a floating scalar, and its gradient; evaluated by the line
                search, in a trace within the loop. On arrays it may be any function.

        Raises:
            SignatureError: `value_and_grad` is not a function, or one of `grads` and `value` is given alone.
            DTypeError, ShapeError, GraphError: as for every optimiser.
        """
        if not callable(value_and_grad):
            advice = "write opt.update(grads, state, params, value=value, value_and_grad=pg.value_and_grad(loss))"
            problem = "value_and_grad is not given, which the line search evaluates"
            raise pg.SignatureError(problem, advice, stage="optimising", subject="lbfgs")
        if (grads is None) != (value is None):
            problem = f"{'grads' if grads is None else 'value'} is None, and the other one is not"
            raise pg.SignatureError(problem, "give both, or neither", stage="optimising", subject="lbfgs")
        step = step_of(state, _NAMES, "lbfgs")
        _check_state(state, params, self.history_size)
        f, extra = _Checked(value_and_grad, params), np.zeros((), np.int64)
        if grads is None:
            value, grads, extra = _known(f, state, params, step)
        else:
            value, grads = f.checked(value, grads)
        rate = rate_at(self.learning_rate, step, "lbfgs")
        start, direction, first = _aimed(grads, state, value, rate)
        line = Line(params, direction, start, self.c1, self.c2, self.max_evaluations)
        search = searched(line, grads, first, f)
        found: tuple[Any, dict[str, Any]] = _remembered(line, search, grads, state, extra)
        return found


class _Checked:
    """The function that a search evaluates: its value is a scalar, its gradient one of the parameters."""

    def __init__(self, function: Callable[[Any], Any], params: Any) -> None:
        self.function = function
        self.params = params

    def __call__(self, params: Any) -> tuple[Any, Any]:
        found = self.function(params)
        if not isinstance(found, tuple) or len(found) != 2:
            problem = f"value_and_grad returned {type(found).__name__}"
            advice = "return (value, gradient), as pg.value_and_grad(loss) does"
            raise pg.SignatureError(problem, advice, stage="optimising", subject="lbfgs")
        return self.checked(*found)

    def checked(self, value: Any, grads: Any) -> tuple[Any, Any]:
        """The value, as it is, and the gradient in the container and the dtypes of the parameters."""
        value = pg.asarray(value)
        advice = "give the value of a loss, one floating number"
        if value.shape != ():
            problem = f"the value has shape {value.shape}"
            raise pg.ShapeError(problem, advice, stage="optimising", subject="lbfgs")
        if value.dtype.kind != "f":
            raise pg.DTypeError(f"the value is {value.dtype}", advice, stage="optimising", subject="lbfgs")
        advice = "give the gradient of a loss in these parameters"
        return value, placed(leaves_like(grads, "grads", self.params, "lbfgs", advice), self.params)


def _check_state(state: dict[str, Any], params: Any, history_size: int) -> None:
    checked_params(params, "lbfgs")
    advice = f"make the state with lbfgs(history_size={history_size}).init(params), of these parameters"
    for name, lead in (("grads", ()), ("moves", (history_size,)), ("changes", (history_size,))):
        leaves_like(state[name], f"state[{name!r}]", params, "lbfgs", advice, lead)


def _known(f: _Checked, state: dict[str, Any], params: Any, step: Any) -> tuple[Any, Any, Any]:
    """The value and the gradient of the state, or those of an evaluation at the first update; how many that made."""

    def evaluated(params: Any) -> tuple[Any, Any, Any]:
        value, grads = f(params)
        return value.astype(np.float64), grads, np.ones((), np.int64)

    def remembered(params: Any) -> tuple[Any, Any, Any]:
        return state["value"], state["grads"], np.zeros((), np.int64)

    if isinstance(step, pg.Node):
        return pg.cond(step == 0, evaluated, remembered, params)  # type: ignore[no-any-return]
    return evaluated(params) if step == 0 else remembered(params)


@pg.compile
def _aimed(grads: Any, state: dict[str, Any], value: Any, rate: Any) -> tuple[Trial, Any, Any]:
    """The start of the search, its direction −H g by the two loops over the history, and the first step to try."""
    gs = pg.tree_leaves(grads)
    curvatures = state["curvatures"]
    moves, changes = pg.tree_leaves(state["moves"]), pg.tree_leaves(state["changes"])
    size = curvatures.shape[0]
    newest_first = (state["next"] - 1 - np.arange(size)) % size

    def back(q: list[Any], i: Any) -> tuple[list[Any], Any]:
        share = curvatures[i] * dot([m[i] for m in moves], q)
        return [x - cast(share, x) * c[i] for x, c in zip(q, changes, strict=True)], share

    def forth(q: list[Any], place: tuple[Any, Any]) -> tuple[list[Any], None]:
        i, share = place
        rest = share - curvatures[i] * dot([c[i] for c in changes], q)
        return [x + cast(rest, x) * m[i] for x, m in zip(q, moves, strict=True)], None

    q, shares = pg.scan(back, gs, newest_first)
    q = [cast(state["scale"], x) * x for x in q]
    q, _ = pg.scan(forth, q, (newest_first, shares), reverse=True)

    slope = -dot(q, gs)
    downhill = slope < 0.0  # rounding can spoil the estimate; then the gradient is the direction
    direction = [-np.where(downhill, x, g) for x, g in zip(q, gs, strict=True)]
    slope = np.where(downhill, slope, -dot(gs, gs))
    total: Any = np.zeros(())
    for g in gs:
        total = total + np.sum(np.abs(g).astype(np.float64))
    fresh = ~downhill | np.all(curvatures == 0.0)
    first = rate * np.where(fresh, 1.0 / np.maximum(total, 1.0), 1.0)
    start = Trial(np.zeros(()), pg.asarray(value).astype(np.float64), slope)
    return start, placed(direction, grads), first


@pg.compile
def _remembered(
    line: Line, search: Search, grads: Any, state: dict[str, Any], extra: Any
) -> tuple[Any, dict[str, Any]]:
    """The parameters after the search, and the state with its pair; without history where it failed."""
    step, params = search.low.at, along(line.params, line.direction, search.low.at)
    move = [cast(step, d) * d for d in pg.tree_leaves(line.direction)]
    change = [new - old for new, old in zip(pg.tree_leaves(search.grads), pg.tree_leaves(grads), strict=True)]
    curvature, square = dot(move, change), dot(change, change)
    # below rounding errors of the decrease that was promised, a pair says nothing
    sound = (step > 0.0) & (curvature > -np.finfo(np.float64).eps * step * line.start.slope)
    failed = ~(step > 0.0)
    at, size = state["next"], state["curvatures"].shape[0]

    def stored(rows: Any, new: Any) -> Any:
        return rows.at[at].set(np.where(sound, new, rows[at]))

    inverse = 1.0 / np.where(sound, curvature, 1.0)
    return params, {
        "step": state["step"] + 1,
        "evaluations": state["evaluations"] + search.evaluations + extra,
        "value": search.low.value,
        "grads": search.grads,
        "moves": _each(stored, state["moves"], move),
        "changes": _each(stored, state["changes"], change),
        "curvatures": np.where(failed, 0.0, stored(state["curvatures"], inverse)),
        "scale": np.where(failed, 1.0, np.where(sound, curvature / np.where(sound, square, 1.0), state["scale"])),
        "next": np.where(sound, (at + 1) % size, at),
    }


def _each(f: Callable[[Any, Any], Any], tree: Any, leaves: list[Any]) -> Any:
    return placed((f(x, y) for x, y in zip(pg.tree_leaves(tree), leaves, strict=True)), tree)
