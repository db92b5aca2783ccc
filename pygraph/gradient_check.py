"""`check_grads`: analytic derivatives of a function against central finite differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import SignatureError, shown
from .graph.trace import function_name, parameter_names, result_node
from .graph.tree import flatten, flatten_named, unflatten
from .ops.dtypes import is_float
from .runtime.functions.compile_function import compile
from .transforms import grad, jvp

__all__ = ["check_grads"]

Array = npt.NDArray[Any]
MODES = ("forward", "reverse")
#: Entries compared per argument; of larger arguments a fixed random sample.
MAX_ENTRIES = 500


#: Rounding errors of a value that a difference is forgiven, in units in the last place.
_NOISE = 16.0
_Entry = tuple[int, tuple[int, ...]]  # which argument, and where in it


@dataclass(frozen=True)
class _Difference:
    """One entry whose analytic and numeric derivative were compared; `excess` above 1 is a failure."""

    excess: float
    argument: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    mode: str
    order: int

    def __str__(self) -> str:
        at = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return (
            f"worst entry {self.argument}{at}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g} "
            f"(mode {self.mode}, order {self.order}), {self.excess:.3g} times the tolerance"
        )


def check_grads(
    f: Callable[..., Any],
    args: Any,
    order: int = 2,
    modes: Sequence[str] = MODES,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Compare derivatives of `f` at `args` with central finite differences.

    The outputs are multiplied by fixed random numbers and summed, and every partial derivative of that scalar is
    compared; for the next order, so is that of its derivative along a fixed random direction, in every mix of modes.
    Differences are taken in float64, also where the arguments are float32. Of an argument with more than 500 elements a
    fixed sample is compared.

    Args:
        f: a function of arrays or containers of them, which returns arrays or a container of them.
        args: a tuple of its arguments; those that are not floating are held fixed.
        order: up to which order.
        modes: "forward", "reverse" or both.
        atol, rtol: an entry passes when |analytic - numeric| <= atol + rtol * |numeric| + noise. By default 1e-6 and
            1e-5, or 2e-3 and 2e-3 when float32 takes part. The noise is what rounding of the two values leaves of their
            difference: 16 units in their last place, divided by the distance of the two points.
        eps: the step of a difference, times max(1, |x|); 1e-5 by default.

    Raises:
        AssertionError: names the worst entry: argument, index, both values, mode and order.
        SignatureError: an unknown mode, or an order below 1.

    Example:
        >>> pg.check_grads(lambda x: np.sin(x) * x, (0.7,))
    """
    modes = (modes,) if isinstance(modes, str) else tuple(modes)
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown or not modes:
        raise _refused(f, f"modes must be among {MODES}, not {unknown or modes!r}", "give one of them, or both")
    if order < 1:
        raise _refused(f, f"order must be at least 1, not {shown(order)}", "give 1, 2 or more")
    args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
    names = [
        name
        for arg, parameter in zip(args, parameter_names(f, len(args)), strict=True)
        for name, _ in flatten_named(arg, parameter)[0]
    ]
    leaves = [np.asarray(leaf) for leaf in flatten(args)[0]]
    single = any(leaf.dtype == np.float32 for leaf in leaves)
    step = 1e-5 if eps is None else eps
    defaults = (2e-3, 2e-3) if single else (1e-6, 1e-5)
    tolerance = (defaults[0] if atol is None else atol, defaults[1] if rtol is None else rtol)
    found = list(_differences(_projected(f, flatten(args)[1]), names, leaves, order, modes, step, tolerance))
    worst = max(found, key=lambda difference: difference.excess, default=None)
    if worst is not None and not worst.excess <= 1.0:
        raise AssertionError(f"check_grads({function_name(f)}): {worst}")


def _refused(f: Callable[..., Any], problem: str, advice: str) -> SignatureError:
    return SignatureError(problem, advice, stage="checking", subject=f"check_grads({function_name(f)})")


def _projected(f: Callable[..., Any], form: Any) -> Callable[..., Any]:
    """`f` of flat leaves, its floating outputs multiplied by fixed random numbers and summed to one scalar."""

    def scalar(*leaves: Any) -> Any:
        generator = np.random.default_rng(20240607)
        outputs, _ = flatten(f(*unflatten(form, leaves)))
        total: Any = np.float64(0.0)
        for output in (result_node(output, function_name(f)) for output in outputs):
            if is_float(output.dtype):
                weights = generator.uniform(0.5, 1.5, output.shape)
                total = total + (output * weights.astype(output.dtype)).sum()
        return total

    return scalar


def _differences(
    scalar: Callable[..., Any],
    names: Sequence[str],
    leaves: Sequence[Array],
    order: int,
    modes: Sequence[str],
    step: float,
    tolerance: tuple[float, float],
    path: tuple[str, ...] = (),
) -> Any:
    """Each compared entry of the first derivative of `scalar`, then those of the next order."""
    floating = [i for i, leaf in enumerate(leaves) if leaf.dtype.kind == "f"]
    if not floating:
        return
    chosen = {i: _entries(leaves[i].shape) for i in floating}
    numeric, noise = _numeric(compile(scalar), leaves, chosen, step)
    for mode in modes:
        trail = (*path, mode)
        for (i, index), analytic in _analytic(scalar, leaves, floating, chosen, mode):
            expected = numeric[i, index]
            allowed = tolerance[0] + tolerance[1] * abs(expected) + noise[i, index]
            excess = abs(analytic - expected) / allowed if allowed else float(analytic != expected) * np.inf
            if np.isnan(excess):
                excess = np.inf
            named = " over ".join(reversed(trail))
            yield _Difference(excess, names[i], index, analytic, expected, named, len(trail))
        if order > 1:
            along = _along(scalar, leaves, floating, mode)
            yield from _differences(along, names, leaves, order - 1, modes, step, tolerance, trail)


def _entries(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The indices to compare: all, or a fixed sample."""
    size = int(np.prod(shape, dtype=np.int64))
    if size <= MAX_ENTRIES:
        return list(itertools.product(*map(range, shape)))
    sample = np.random.default_rng(0).choice(size, MAX_ENTRIES, replace=False)
    return [tuple(int(k) for k in np.unravel_index(flat, shape)) for flat in np.sort(sample)]


def _numeric(
    scalar: Callable[..., Any], leaves: Sequence[Array], chosen: dict[int, list[tuple[int, ...]]], step: float
) -> tuple[dict[_Entry, float], dict[_Entry, float]]:
    """Central differences in float64, and what rounding may have added to them."""
    point = [leaf.astype(np.float64) if leaf.dtype.kind == "f" else leaf for leaf in leaves]
    found, noise = {}, {}
    for i, indices in chosen.items():
        moved = list(point)
        moved[i] = moving = point[i].copy()
        for index in indices:
            middle = point[i][index]
            h = step * max(1.0, abs(float(middle)))
            moving[index] = above = middle + h
            high = float(scalar(*moved))
            moving[index] = below = middle - h
            low = float(scalar(*moved))
            moving[index] = middle
            found[i, index] = (high - low) / float(above - below)
            ulp = np.spacing(max(abs(high), abs(low)))
            noise[i, index] = float(_NOISE * ulp / (above - below)) if np.isfinite(ulp) else 0.0
    return found, noise


def _analytic(
    scalar: Callable[..., Any],
    leaves: Sequence[Array],
    floating: Sequence[int],
    chosen: dict[int, list[tuple[int, ...]]],
    mode: str,
) -> Any:
    """((argument, index), derivative) for every chosen entry, by one mode."""
    if mode == "reverse":
        for i, gradient in zip(floating, grad(scalar, tuple(floating))(*leaves), strict=True):
            for index in chosen[i]:
                yield (i, index), float(gradient[index])
        return
    pushed = compile(_push(scalar, floating))
    directions = [np.zeros_like(leaves[i]) for i in floating]
    for i, direction in zip(floating, directions, strict=True):
        for index in chosen[i]:
            direction[index] = 1
            yield (i, index), float(pushed(list(leaves), directions))
            direction[index] = 0


def _push(scalar: Callable[..., Any], floating: Sequence[int]) -> Callable[..., Any]:
    """(leaves, tangents) -> the derivative of `scalar` along the tangents, by forward mode."""

    def push(leaves: Sequence[Any], directions: Sequence[Any]) -> Any:
        def of_floating(*moving: Any) -> Any:
            replaced = dict(zip(floating, moving, strict=True))
            return scalar(*(replaced.get(i, leaf) for i, leaf in enumerate(leaves)))

        return jvp(of_floating, tuple(leaves[i] for i in floating), tuple(directions))[1]

    return push


def _along(
    scalar: Callable[..., Any], leaves: Sequence[Array], floating: Sequence[int], mode: str
) -> Callable[..., Any]:
    """The derivative of `scalar` along a fixed random direction, taken by `mode`, as a function of the leaves."""
    generator = np.random.default_rng(len(leaves))
    fixed = [generator.uniform(0.5, 1.5, leaves[i].shape) for i in floating]
    push = _push(scalar, floating)

    def along(*point: Any) -> Any:
        directions = [direction.astype(point[i].dtype) for i, direction in zip(floating, fixed, strict=True)]
        if mode == "forward":
            return push(point, directions)
        gradients = grad(scalar, tuple(floating))(*point)
        return sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))

    return along
