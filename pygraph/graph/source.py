"""The line of the user's source where an expression was recorded."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Iterable
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..concurrency import Memo
from ..errors import bind_locator
from .trace_context import NOTHING, TraceContext, variable

__all__ = ["SourceLine", "attributed", "attributing", "here", "innermost", "is_user_code", "line_of", "type_text"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MODULES = __name__.partition(".")[0] + "."
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
#: Frames of these places are passed over when the user's line is looked for; the examples are user code.
_PASSED_OVER = (_PACKAGE, os.path.dirname(os.path.abspath(np.__file__)) + os.sep, "<frozen ", "<__array_function__")
_USER_CODE = _PACKAGE + "examples" + os.sep
#: So are those of Python's library and of these packages, which call back what they were given: no user wrote the line.
_LIBRARIES = re.compile(r"[\\/](?:site|dist)-packages[\\/](?:numpy|scipy|pandas|sklearn|matplotlib)[\\/]")

_internal: dict[str, bool] = {}
#: By code, place in it and caller: the line, and that code, so that no other one has its identity meanwhile.
_known: Memo[tuple[int, int, int], tuple[SourceLine, CodeType]] = Memo(100_000)
_lines: Memo[tuple[str, int, str, int], SourceLine] = Memo(100_000)
#: Flags of the code of functions whose frames may be called by one line and then by another.
_RESUMED = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
#: Of a deeper recursion only the innermost calls are told apart.
_CALLS = 32


class SourceLine:
    """A line of the user's source; its text is read when it is first asked for.

    Attributes:
        file, number: where it is.
        function: the name of the function that it is a line of, as Python writes it; empty where that is not known.
        caller: the user's line that called that function, within what is recorded.
        sweep: "reverse" or "tangent" for what derivatives of the line compute; else empty.
        differentiated: of a sweep, the names of the operations of the line whose derivatives it computes.
    """

    __slots__ = ("_code", "_swept", "caller", "differentiated", "file", "function", "number", "sweep")

    def __init__(
        self,
        file: str,
        number: int,
        code: str | None = None,
        function: str = "",
        caller: SourceLine | None = None,
        sweep: str = "",
    ) -> None:
        self.file = file
        self.number = number
        self._code = code
        self.function = function
        self.caller = caller
        self.sweep = sweep
        self.differentiated: tuple[str, ...] = ()
        self._swept: dict[str, SourceLine] = {} if not sweep else {sweep: self}

    def of(self, operation: str) -> SourceLine:
        """The line itself, which belongs to a sweep, and now also to that of an operation."""
        if operation not in self.differentiated:
            self.differentiated += (operation,)
        return self

    def swept(self, sweep: str) -> SourceLine:
        """The same line for what a sweep of its derivatives computes."""
        found = self._swept.get(sweep)
        if found is None:
            found = SourceLine(self.file, self.number, self._code, self.function, self.caller, sweep)
            self._swept[sweep] = found
        return found

    @property
    def calls(self) -> tuple[SourceLine, ...]:
        """The lines that were running, the outermost first, and itself."""
        found: list[SourceLine] = []
        line: SourceLine | None = self
        while line is not None:
            found.append(line)
            line = line.caller
        return tuple(reversed(found))

    @property
    def code(self) -> str:
        """The source line without its indentation; empty when the source is not at hand."""
        if self._code is None:
            self._code = linecache.getline(self.file, self.number).strip()
        return self._code

    @property
    def place(self) -> str:
        """The file's name and the line number, `train.py:12`."""
        return f"{os.path.basename(self.file)}:{self.number}"

    def __str__(self) -> str:
        return f"{self.place}: {self.code}" if self.code else self.place

    def __repr__(self) -> str:
        return f"<SourceLine {self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.file, self.number, self.code, self.function, self.caller, self.sweep)


def _again(
    file: str, number: int, code: str, function: str = "", caller: SourceLine | None = None, sweep: str = ""
) -> SourceLine:
    """A line that was stored: one object for each line, function and caller."""
    line = _lines.get((file, number, function, id(caller)))
    if line is None or line.code != code:
        line = _entered(SourceLine(file, number, code, function, caller))
    return line.swept(sweep) if sweep else line


def _entered(line: SourceLine) -> SourceLine:
    return _lines.put((line.file, line.number, line.function, id(line.caller)), line)


def _is_internal(file: str) -> bool:
    internal = file.startswith(_PASSED_OVER) and not file.startswith(_USER_CODE)
    if not internal:
        internal = _LIBRARIES.search(file) is not None or (file.startswith(_STANDARD) and "-packages" not in file)
    _internal[file] = internal
    return internal


def innermost() -> FrameType | None:
    """The innermost frame of the running call stack that belongs to the user."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        internal = _internal.get(file)
        if not (_is_internal(file) if internal is None else internal) and not _is_generated(frame):
            return frame
        frame = frame.f_back
    return None


def _is_generated(frame: FrameType) -> bool:
    """Whether the frame runs a method that `dataclasses` made for a class of this package."""
    return frame.f_code.co_filename == "<string>" and str(frame.f_globals.get("__name__")).startswith(_MODULES)


def is_user_code(code: CodeType) -> bool:
    """Whether a function's code was written by the user, not in this package or a library."""
    return not _is_internal(code.co_filename)


def here() -> SourceLine | None:
    """The innermost line of the running call stack that belongs to the user, with those that called it.

    The calls are those since the innermost recording began, and then those that led to it; outside of recordings those
    since the module began.
    """
    context = variable.get() or NOTHING
    if context.line is not None:
        return context.line
    if context.locate is not None:
        running = innermost()
        return None if running is None else context.locate(running)
    begun = context.recordings[-1] if context.recordings else None
    end, line, latest, caller = None, None, None, None
    if begun is not None:
        end, line, (latest, caller) = begun.frame, begun.line, begun.running
    frame: FrameType | None = sys._getframe(1)
    path: list[FrameType] = []
    while frame is not None:
        code = frame.f_code
        internal = _internal.get(code.co_filename)
        if not (_is_internal(code.co_filename) if internal is None else internal) and not _is_generated(frame):
            path.append(frame)
            if frame is latest and len(path) == 1:  # it runs still, so it is where it was called by the same line
                line = caller
                break
            if code.co_name == "<module>" or len(path) == _CALLS:
                break
        if frame is end:
            break
        frame = frame.f_back
    while path:
        frame = path.pop()
        if not path and frame is not latest and begun is not None and not frame.f_code.co_flags & _RESUMED:
            begun.running = frame, line
        key = (id(frame.f_code), frame.f_lasti, id(line))
        found = _known.get(key)
        line = _line_in(frame, line, key) if found is None else found[0]
    return line


def _line_in(frame: FrameType, caller: SourceLine | None, key: tuple[int, int, int]) -> SourceLine:
    """The line that a frame is at."""
    code, number = frame.f_code, frame.f_lineno
    function = getattr(code, "co_qualname", code.co_name)
    line = _lines.get((code.co_filename, number, function, id(caller)))
    if line is None:
        line = _entered(SourceLine(code.co_filename, number, None, function, caller))
    _known.put(key, (line, code))
    return line


def line_of(error: BaseException) -> SourceLine | None:
    """The user's innermost line that an error passed through."""
    found, traceback = None, error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not _is_internal(file):
            found = SourceLine(file, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


class attributed:  # read as a function: `with attributed(node.line):`
    """Within the block, new nodes belong to `line`: a derivative's nodes to the primal's line.

    With None they belong to the line that is running, as outside of any block.
    """

    __slots__ = ("_line", "_token")

    def __init__(self, line: SourceLine | None) -> None:
        self._line = line

    def __enter__(self) -> None:
        before = variable.get() or NOTHING
        line = self._line
        self._token = None if line is before.line else variable.set(before.at_line(line))

    def __exit__(self, *exception: object) -> None:
        if self._token is not None:
            variable.reset(self._token)


class attributing:  # read as a function: `with attributing() as context: context.line = node.line`
    """The same for many nodes in turn: within the block, new nodes belong to the `line` that is set last."""

    __slots__ = ("_token",)

    def __enter__(self) -> TraceContext:
        before = variable.get() or NOTHING
        context = before.at_line(before.line)
        self._token = variable.set(context)
        return context

    def __exit__(self, *exception: object) -> None:
        variable.reset(self._token)


def type_text(shape: Iterable[int], dtype: Any) -> str:
    """A type as text: `float64[100, 3]`, or `float64` for a scalar."""
    sizes = ", ".join(map(str, shape))
    return f"{np.dtype(dtype).name}[{sizes}]" if sizes else np.dtype(dtype).name


bind_locator(here)
