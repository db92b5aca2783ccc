"""What optimisers, schedules, clippings and averages are made of: settings, each checked by what its field says."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pygraph as pg

#: From what was given for a setting, its name and whose it is, to what is kept.
Check: TypeAlias = Callable[[Any, str, str], Any]


class Settings:
    """The base class of frozen dataclasses whose fields are `number(...)`, `COUNT`, `FLAG` and `RATE`.

    All fields are static: an object of such a class, given to a compiled function, is part of its signature.
    """

    def __post_init__(self) -> None:
        subject = type(self).__name__
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # the classes below are dataclasses
            check: Check = field.metadata["check"]
            object.__setattr__(self, field.name, check(getattr(self, field.name), field.name, subject))


def checked(check: Check) -> Mapping[str, Any]:
    """The metadata of a field."""
    return {"static": True, "check": check}


def number(low: float = -math.inf, high: float = math.inf, *, open_low: bool = False) -> Mapping[str, Any]:
    """The metadata of a finite number from `low` (above it, with `open_low`) up to, not including, `high`."""

    def check(x: Any, name: str, subject: str) -> Any:
        if isinstance(x, pg.Node):
            return _scalar(x, name, subject)
        found = _float(x, name, subject)
        if not math.isfinite(found) or not low <= found < high or (open_low and found == low):
            limits = [f"{'above' if open_low else 'at least'} {low:g}"] if low > -math.inf else []
            limits += [f"below {high:g}"] if high < math.inf else []
            advice = f"give a finite number {' and '.join(limits)}".rstrip()
            raise pg.DomainError(f"{name} is {found!r}", advice, stage="making", subject=subject)
        return found

    return checked(check)


def is_expression(x: object) -> bool:
    """Whether a setting is an expression of a trace, whose number is not known."""
    return isinstance(x, pg.Node)


def optional(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of a setting that may be None."""
    check: Check = metadata["check"]
    return checked(lambda x, name, subject: None if x is None else check(x, name, subject))


def _float(x: Any, name: str, subject: str) -> float:
    wrong = isinstance(x, bool | str | bytes)
    try:
        found = math.nan if wrong else float(x)
    except (TypeError, ValueError):
        wrong = True
    if wrong:
        problem = f"{name} is {_shown(x)}, not a number"
        raise pg.SignatureError(problem, "give a float", stage="making", subject=subject)
    return found


def _scalar(x: pg.Node, name: str, subject: str) -> pg.Node:
    """An expression as a setting, for derivatives in it."""
    if x.shape != ():
        problem = f"{name} has shape {x.shape}, and is one number"
        raise pg.ShapeError(problem, "give a scalar", stage="making", subject=subject)
    return x


def _count(x: Any, name: str, subject: str) -> int:
    try:
        found = operator.index(x)
    except TypeError:
        found = 0
        if not isinstance(x, float):  # of a float the text says the same as of 0
            problem = f"{name} is {_shown(x)}, not a whole number"
            raise pg.SignatureError(problem, "give an int", stage="making", subject=subject) from None
    if found < 1 or isinstance(x, bool):
        problem = f"{name} is {_shown(x)}"
        raise pg.DomainError(problem, "give an int of at least 1", stage="making", subject=subject)
    return found


def _flag(x: Any, name: str, subject: str) -> bool:
    if not isinstance(x, bool):
        problem = f"{name} is {_shown(x)}"
        raise pg.SignatureError(problem, "give True or False", stage="making", subject=subject)
    return x


def _rate(x: Any, name: str, subject: str) -> Any:
    if callable(x) and not isinstance(x, pg.Node):
        return x
    try:
        return LEAST_ZERO["check"](x, name, subject)
    except pg.SignatureError as error:
        error.problem = f"{name} is {_shown(x)}, neither a number nor a schedule"
        error.advice = "give a float, or a function of the step such as pg.optim.cosine(1e-3, 1000)"
        raise


def _shown(x: Any) -> str:
    text = " ".join(repr(x).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


LEAST_ZERO = number(0.0)
POSITIVE = number(0.0, open_low=True)
#: Of an exponential average: how much of it stays at each step.
DECAY = number(0.0, 1.0)
COUNT = checked(_count)
FLAG = checked(_flag)
#: A number, or a function from the number of the step, beginning with 0, to one.
RATE = checked(_rate)
