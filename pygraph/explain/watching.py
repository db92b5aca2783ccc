"""What the user's code called things: it is watched while it is traced, for names of variables and for calls."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..graph.node import Node
from ..graph.source import SourceLine, is_user_code
from ..graph.trace_context import entered

Array = npt.NDArray[Any]

#: Code of Python's own that runs in a frame of its own, and is no call that a user wrote.
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>"})
#: Elements of a container, or fields of an object, that are looked at.
_LOOKED_AT = 200


class Call:
    """One call of a function of the user's.

    Attributes:
        label: the function's name, and which call of it this is where its caller calls it several times: `dense 2`.
        depth: how many calls it is inside of; 0 for the function that is explained.
    """

    def __init__(self, name: str, caller: Call | None) -> None:
        self._made: dict[str, int] = {}
        self.caller: Call | None = caller
        self.depth: int = 0 if caller is None else caller.depth + 1
        self.label = name
        if caller is not None:
            number = caller._made[name] = caller._made.get(name, 0) + 1
            self.label = name if number == 1 else f"{name} {number}"

    @property
    def path(self) -> tuple[str, ...]:
        """The labels of the calls that it is inside of and its own, without that of the function that is explained."""
        return () if self.caller is None else (*self.caller.path, self.label)


class CalledLine(SourceLine):
    """The line that recorded one node, the call that ran it, and how many were recorded before.

    It stays with the node when that is rewritten.
    """

    __slots__ = ("call", "turn")

    def __init__(self, file: str, number: int, function: str, call: Call, turn: int, sweep: str = "") -> None:
        super().__init__(file, number, None, function, None, sweep)
        self.call, self.turn = call, turn

    def swept(self, sweep: str) -> SourceLine:
        """The same for what a sweep of the line's derivatives computes."""
        return CalledLine(self.file, self.number, self.function, self.call, self.turn, sweep)


class Watch:
    """The variables, calls and arrays that the user's code had while it was traced.

    Attributes:
        names: of each node that a variable held, how many calls deep that was, and the variable, as `z1` or `params.w`.
        lines: the same, for the lines of these nodes: a node that is recorded anew keeps its line.
        arrays: names of arrays, of all that the code could see, and these.
    """

    def __init__(self) -> None:
        self.names: dict[Node, tuple[int, str]] = {}
        self.lines: dict[CalledLine, tuple[int, str]] = {}
        self.arrays: dict[int, tuple[str, Array]] = {}
        self._calls: dict[int, tuple[FrameType, Call]] = {}
        self._ours: dict[str, bool] = {}
        self._arguments: dict[int, set[int]] = {}
        self._turns = itertools.count()

    def locate(self, frame: FrameType) -> SourceLine:
        """The line of a node that is being recorded."""
        call = self._call_of(frame)
        code = frame.f_code
        place = code.co_filename, frame.f_lineno
        if call is None:
            return SourceLine(*place)
        return CalledLine(*place, getattr(code, "co_qualname", code.co_name), call, next(self._turns))

    def trace(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """Called by Python when a function is called."""
        code = frame.f_code
        ours = self._ours.get(code.co_filename)
        if ours is None:
            ours = self._ours[code.co_filename] = is_user_code(code)
        if not ours:
            return None
        caller = None if frame.f_back is None else self._call_of(frame.f_back)
        if code.co_name in _COMPREHENSIONS and caller is not None:
            call = caller
        else:
            name = "lambda" if code.co_name == "<lambda>" else code.co_name
            call = Call(name, caller)
        self._calls[id(frame)] = frame, call
        self._arguments[id(frame)] = {id(value) for _, value in _parts(frame.f_locals, Node)}
        self._captured(frame)
        return self._within

    def _within(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event in ("line", "return"):
            self._assigned(frame)
        if event == "return":
            self._captured(frame)
            self._calls.pop(id(frame), None)
            self._arguments.pop(id(frame), None)
        return self._within

    def _call_of(self, frame: FrameType | None) -> Call | None:
        """The call that a frame is in: its own, or that of the nearest frame that called it."""
        while frame is not None:
            known = self._calls.get(id(frame))
            if known is not None and known[0] is frame:
                return known[1]
            frame = frame.f_back
        return None

    def _assigned(self, frame: FrameType) -> None:
        known, passed = self._calls.get(id(frame)), self._arguments.get(id(frame), set())
        depth = 0 if known is None else known[1].depth
        for name, value in (*_parts(frame.f_locals, Node), *_attributes(frame.f_locals, frame.f_code, Node)):
            if id(value) in passed:
                continue  # the caller's variable, under the parameter's name
            before = self.names.get(value)
            if before is not None and before[0] <= depth:
                continue
            self.names[value] = depth, name
            if isinstance(value.line, CalledLine):
                self.lines[value.line] = depth, name

    def _captured(self, frame: FrameType) -> None:
        """Keep the names of arrays among the variables, and those that the code takes from outside of it."""
        code = frame.f_code
        outer = {name: frame.f_globals[name] for name in code.co_names if name in frame.f_globals}
        for variables in (frame.f_locals, outer):
            for name, array in (*_parts(variables, np.ndarray), *_attributes(variables, code, np.ndarray)):
                self.arrays.setdefault(id(array), (name, array))


def _parts(variables: Mapping[str, Any], kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """What is of a kind among variables and in containers that they hold, with its name: `w`, `params.w`, `h[0]`."""
    for name, value in list(variables.items()):
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, (Node, np.ndarray)):
            continue
        elif isinstance(value, dict) and len(value) <= _LOOKED_AT:
            for key, part in list(value.items()):
                if isinstance(part, kind):
                    plain = isinstance(key, str) and key.isidentifier()
                    yield (f"{name}.{key}" if plain else f"{name}[{key!r}]"), part
        elif type(value) in (list, tuple) and len(value) <= _LOOKED_AT:
            for at, part in enumerate(value):
                if isinstance(part, kind):
                    yield f"{name}[{at}]", part
        elif isinstance(value, tuple) and hasattr(value, "_fields"):
            for key, part in zip(value._fields, value, strict=True):
                if isinstance(part, kind):
                    yield f"{name}.{key}", part
        elif is_dataclass(value) and not isinstance(value, type):
            for each in fields(value):
                if isinstance(part := getattr(value, each.name, None), kind):
                    yield f"{name}.{each.name}", part


def _attributes(variables: Mapping[str, Any], code: CodeType, kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """What is of a kind among the attributes, of objects that variables hold, that the code mentions: `self.W`."""
    for name, value in list(variables.items()):
        held = getattr(value, "__dict__", None)
        if isinstance(held, Mapping) and not isinstance(value, type):
            for attribute in code.co_names:
                if isinstance(held.get(attribute), kind):
                    yield f"{name}.{attribute}", held[attribute]


@contextmanager
def watched() -> Iterator[Watch]:
    """Within the block, functions of the user's are watched. A debugger that was at work goes on after it."""
    watch = Watch()
    before = sys.gettrace()
    with entered(locate=watch.locate):
        sys.settrace(watch.trace)
        try:
            yield watch
        finally:
            sys.settrace(before)
