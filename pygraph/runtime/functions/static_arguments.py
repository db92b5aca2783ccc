"""Static arguments: values that a function takes as they are, each of which makes a signature of its own."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import SignatureError, shown
from ...graph.trace import function_name
from .compiled_function import CompiledFunction


@dataclass(frozen=True, slots=True)
class StaticArgument:
    """A container without leaves, told from others by the type and content of its value."""

    value: Any = field(metadata={"static": True})


class StaticCompiledFunction(CompiledFunction):
    """A compiled function of which some arguments are static; see `pg.compile`."""

    __slots__ = ("_positions", "_static_names")

    def __init__(
        self, function: Callable[..., Any], options: Mapping[str, Any], cache_size: int, argnums: Any, argnames: Any
    ) -> None:
        self._positions, self._static_names = _places(function, argnums, argnames)
        arguments = (function, dict(options), cache_size, argnums, argnames)
        super().__init__(_unwrapping(function), options, cache_size, made=(StaticCompiledFunction, arguments))
        self._signatures.owner = None  # every call wraps its static arguments first
        self.__call__ = self._call

    @property
    def function(self) -> Callable[..., Any]:
        """The Python function."""
        found: Callable[..., Any] = self._signatures.function.__wrapped__  # type: ignore[attr-defined]
        return found

    def executable(self, /, *args: Any, **named: Any) -> Any:
        args, named = self._wrapped(args, named)
        return super().executable(*args, **named)

    def clear(self) -> None:
        self._signatures.entries.clear()

    def _call(self, /, *args: Any, **named: Any) -> Any:
        args, named = self._wrapped(args, named)
        return self._signatures.call(*args, **named)

    def _wrapped(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        count, static = len(args), {i % len(args) if i < 0 <= i + len(args) else i for i in self._positions if args}
        return (
            tuple(self._static(args[i]) if i in static else args[i] for i in range(count)),
            {name: self._static(x) if name in self._static_names else x for name, x in named.items()},
        )

    def _static(self, value: Any) -> StaticArgument:
        try:
            hash(value)
        except TypeError as error:
            problem = f"a static argument is {shown(value)}: {error}"
            advice = "give values that hash: a tuple for a list; or leave the argument out of static_argnums"
            raise SignatureError(problem, advice, stage="calling", subject=function_name(self.function)) from error
        return StaticArgument(value)


def _unwrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` taking static arguments in their containers."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return function(*map(_value, args), **{name: _value(x) for name, x in named.items()})

    return call


def _value(x: Any) -> Any:
    return x.value if isinstance(x, StaticArgument) else x


def _places(function: Callable[..., Any], argnums: Any, argnames: Any) -> tuple[frozenset[int], frozenset[str]]:
    """The positions and names of static arguments; either follows from the other by the function's parameters."""
    positions, names = {*_ints(argnums)}, {*_strings(argnames)}
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some functions written in C
        return frozenset(positions), frozenset(names)
    placed = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    more = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    subject = function_name(function)
    unknown = names - {p.name for p in parameters}
    if unknown and not anything:
        raise SignatureError(
            f"static_argnames names {min(unknown)!r}, which is no parameter",
            f"the parameters are {', '.join(p.name for p in parameters)}",
            stage="compiling",
            subject=subject,
        )
    for i in positions:
        if not -len(placed) <= i < len(placed) and not more:
            raise SignatureError(
                f"static_argnums has {i}, and the function takes {len(placed)} arguments by position",
                f"give numbers from 0 to {len(placed) - 1}",
                stage="compiling",
                subject=subject,
            )
    positions |= {placed.index(name) for name in names if name in placed}
    if not more:
        positions = {i % len(placed) for i in positions}
    names |= {placed[i] for i in positions if -len(placed) <= i < len(placed)}
    return frozenset(positions), frozenset(names)


def _ints(argnums: Any) -> tuple[int, ...]:
    if argnums is None:
        return ()
    try:
        return tuple(map(operator.index, argnums if isinstance(argnums, Iterable) else (argnums,)))
    except TypeError as error:
        problem = f"static_argnums is {shown(argnums)}"
        raise SignatureError(problem, "give an int or several", stage="compiling", subject="compile") from error


def _strings(argnames: Any) -> tuple[str, ...]:
    names = (argnames,) if isinstance(argnames, str) else tuple(argnames or ())
    if not all(isinstance(name, str) for name in names):
        problem = f"static_argnames is {shown(argnames)}"
        raise SignatureError(problem, "give a name or several", stage="compiling", subject="compile")
    return names
