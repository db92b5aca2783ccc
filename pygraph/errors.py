"""The exceptions pygraph raises; every one derives from `GraphError`."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = [
    "BackendError",
    "DTypeError",
    "GraphError",
    "IndexRangeError",
    "LimitError",
    "NonFiniteError",
    "ProgramError",
    "ShapeError",
    "SignatureError",
    "StateError",
    "TracedBoolError",
    "TracedValueError",
    "UnsupportedAttributeError",
    "UnsupportedError",
    "VerificationError",
]


#: What stands before the user's line in an error's text.
LINE_MARK = "\n  at: "
#: No line of a text is longer, unless it is one word or another program's.
COLUMNS = 100
_locate: Callable[[], object] | None = None


def bind_locator(locate: Callable[[], object]) -> None:
    """Tell the errors how the user's running line is found (called once, by `pygraph.graph`)."""
    global _locate
    _locate = locate


def wrapped(line: str) -> str:
    """A line broken between words at `COLUMNS`; what follows is indented by four columns more."""
    if len(line) <= COLUMNS:
        return line
    from textwrap import wrap  # only now: most runs of a program make no error

    indent = " " * (len(line) - len(line.lstrip()) + 4)
    line = re.sub(r"<[^<>]*>", lambda found: found[0].replace(" ", "\0"), line)  # an expression stays in one line
    lines = wrap(line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def line_text(where: object) -> str:
    """The line of an error's text that names the user's line, which is cut where it is too long."""
    text = str(where)
    room = COLUMNS - len(LINE_MARK) + 1
    return LINE_MARK + (text if len(text) <= room else text[: room - 1] + "…")


def said(error: BaseException) -> str:
    """An error's own words, without the user's line, in one line."""
    return str(error).partition(LINE_MARK)[0].replace("\n    ", " ")


class GraphError(Exception):
    """Base class of all pygraph errors. A text that does not name the user's line yet has it added.

    Attributes:
        advice: what to do, where the raiser knows better than what is said in general; it is part of the text once the
            error is described in full.
    """

    def __init__(self, *args: object, advice: str | None = None) -> None:
        self.advice = advice
        if len(args) == 1 and isinstance(args[0], str):
            text = args[0] if "\n" in args[0] else wrapped(args[0])
            line = _locate() if _locate is not None and LINE_MARK not in text else None
            args = (text if line is None else text + line_text(line),)
        super().__init__(*args)


class ShapeError(GraphError, ValueError):
    """Operand shapes do not fit the operation."""


class DTypeError(GraphError, TypeError):
    """An operand's dtype is not one the operation accepts."""


class UnsupportedError(GraphError, NotImplementedError):
    """A NumPy function, argument or feature that cannot be recorded; the text names it."""


class UnsupportedAttributeError(UnsupportedError, AttributeError):
    """A method or an attribute of NumPy's arrays that expressions do not have."""


class TracedValueError(GraphError, TypeError):
    """Python or NumPy asked for the numbers of a traced expression, which has none before the graph runs."""


class TracedBoolError(TracedValueError):
    """Python asked whether a traced expression is true, as `if`, `while`, `and` and `assert` do."""


class StateError(GraphError, RuntimeError):
    """`reverse` or `jvp` was called before `forward` in this thread."""


class SignatureError(GraphError, TypeError):
    """Wrong number, name, shape or dtype of an argument to an Executable."""


class IndexRangeError(GraphError, IndexError):
    """An integer index computed at run time lies outside its axis."""


class LimitError(GraphError, RuntimeError):
    """A loop ran more steps than its `limit`, or recorded more for its reverse mode than `pg.set_tape_limit` allows."""


class BudgetError(GraphError, MemoryError):
    """No plan keeps a compiled function to its `memory_budget`; the text says how much is missing."""


class NonFiniteError(GraphError, FloatingPointError):
    """With `check_finite=True`: a node produced inf or nan; the text names the node and the user's line."""


class BackendError(GraphError, RuntimeError):
    """No compiler, or a failed native build; carries the compiler's own words."""


class ProgramError(GraphError):
    """A corrupted or foreign Program, refused by the C loader."""


class VerificationError(GraphError):
    """A Graph breaks the specification of its stage (an internal error, raised under `PYGRAPH_CHECK=1`)."""
