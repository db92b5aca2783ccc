"""Where in the user's source an expression was recorded, and how error texts say it."""

from __future__ import annotations

import linecache
import os
import sys
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import LINE_MARK, bind_locator

__all__ = ["Where", "attributed", "describe", "here", "type_text"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
#: Frames of these places are passed over when the user's line is looked for; the examples are user code.
_PASSED_OVER = (_PACKAGE, os.path.dirname(os.path.abspath(np.__file__)) + os.sep, "<frozen ", "<__array_function__")
_USER_CODE = _PACKAGE + "examples" + os.sep

_internal: dict[str, bool] = {}
_known: dict[tuple[str, int], Where] = {}
_KNOWN_LIMIT = 100_000


class Where:
    """A line of the user's source; its text is read when it is first asked for."""

    __slots__ = ("_code", "file", "line")

    def __init__(self, file: str, line: int, code: str | None = None) -> None:
        self.file = file
        self.line = line
        self._code = code

    @property
    def code(self) -> str:
        """The source line without its indentation; empty when the source is not at hand."""
        if self._code is None:
            self._code = linecache.getline(self.file, self.line).strip()
        return self._code

    @property
    def place(self) -> str:
        """The file's name and the line number, `train.py:12`."""
        return f"{os.path.basename(self.file)}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place}: {self.code}" if self.code else self.place

    def __repr__(self) -> str:
        return f"<where {self}>"

    def __reduce__(self) -> tuple[type[Where], tuple[str, int, str]]:
        return Where, (self.file, self.line, self.code)


class _Override(threading.local):
    where: Where | None = None


_override = _Override()


def _is_internal(file: str) -> bool:
    internal = file.startswith(_PASSED_OVER) and not file.startswith(_USER_CODE)
    _internal[file] = internal
    return internal


def here() -> Where | None:
    """The innermost line of the running call stack that belongs to the user."""
    if _override.where is not None:
        return _override.where
    frame = sys._getframe(1)
    while True:
        file = frame.f_code.co_filename
        internal = _internal.get(file)
        if internal is None:
            internal = _is_internal(file)
        if not internal:
            break
        outer = frame.f_back
        if outer is None:
            return None
        frame = outer
    place = (file, frame.f_lineno)
    where = _known.get(place)
    if where is None:
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()
        where = _known[place] = Where(*place)
    return where


class attributed:  # read as a function: `with attributed(node.where):`
    """Within the block, this thread's new nodes belong to `where`: a derivative's nodes to the primal's line.

    With None they belong to the line that is running, as outside of any block.
    """

    __slots__ = ("_before", "_where")

    def __init__(self, where: Where | None) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._before = _override.where
        _override.where = self._where

    def __exit__(self, *exception: object) -> None:
        _override.where = self._before


def type_text(shape: Iterable[int], dtype: Any) -> str:
    """A type as text: `float64[100, 3]`, or `float64` for a scalar."""
    sizes = ", ".join(map(str, shape))
    return f"{np.dtype(dtype).name}[{sizes}]" if sizes else np.dtype(dtype).name


def describe(
    stage: str,
    subject: str,
    problem: str,
    advice: str,
    operands: Iterable[Any] = (),
    where: Where | None = None,
) -> str:
    """The text of an error: stage, op, what is wrong, the operands' types, the user's line, and what to do.

    `operands` are expressions or arrays, anything with a shape and a dtype; `where` is the running line if not given.
    """
    lines = [f"{stage} {subject}: {problem.partition(LINE_MARK)[0]}"]
    types = [
        type_text(x.shape, x.dtype) if hasattr(x, "dtype") and hasattr(x, "shape") else type(x).__name__
        for x in operands
    ]
    if types:
        lines.append(f"  operands: {', '.join(types)}")
    where = where or here()
    if where is not None:
        lines[-1] += f"{LINE_MARK}{where}"
    lines.append(f"  do: {advice}")
    return "\n".join(lines)


bind_locator(here)
