"""The exceptions that pygraph raises: records of what is wrong, and the one place where a record becomes a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

__all__ = [
    "BackendError",
    "BudgetError",
    "DTypeError",
    "DomainError",
    "FileFormatError",
    "GraphError",
    "IndexRangeError",
    "LimitError",
    "LinAlgError",
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

#: No line of a text is longer, unless it is one word or another program's.
COLUMNS = 100
#: The most characters that a text shows of an object.
SHOWN = 60
_LINE = "  at: "
_Kind = TypeVar("_Kind", bound="GraphError")


class Line(Protocol):
    """A line of the user's source: `graph.source.SourceLine`, which this module does not import."""

    file: str
    number: int

    @property
    def code(self) -> str: ...


_locate: Callable[[], Line | None] | None = None


def bind_locator(locate: Callable[[], Line | None]) -> None:
    """Tell the errors how the user's running line is found (called once, by `pygraph.graph`)."""
    global _locate
    _locate = locate


class GraphError(Exception):
    """Base class of all pygraph errors: a record of what is wrong, which `str(error)` makes a text of.

    Who finds a mistake says what the problem is, and all that it knows; what it can't know is filled in on the way
    out, by `complete`. Records can be pickled and copied; they hold texts, no expressions and no arrays.

    Args:
        problem: what is wrong.
        advice: what to do about it.
        stage: what pygraph was doing: "tracing", "differentiating", "compiling", "calling", "running" and the like.
        subject: with what: the name of an operation, a function, a graph or an argument.
        operands: expressions, arrays or what was given in place of one; the record keeps their types.
        line: the user's line; the one that is running if not given.

    Attributes:
        problem, advice, stage, subject: as given, "" where not given.
        operands: the types of the operands as texts.
        line: the user's line, with its `file`, `number` and `code`; None where no user's code was running.

    Example:
        >>> try:
        ...     pg.var("x", (3,)) + pg.var("y", (4,))
        ... except pg.ShapeError as error:
        ...     print(error.stage, error.subject, error.operands)
        tracing add ('float64[3]', 'float64[4]')
    """

    #: What to do about errors of a class where the raiser knows no better.
    usual_advice: ClassVar[str] = "give operands and arguments that the operation accepts"

    def __init__(
        self,
        problem: str = "",
        advice: str = "",
        *,
        stage: str = "",
        subject: str = "",
        operands: Iterable[Any] = (),
        line: Line | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice
        self.stage = stage
        self.subject = subject
        self.operands = tuple(map(_type_of, operands))
        self.line = line if line is not None or _locate is None else _locate()

    def complete(self, stage: str, subject: str, operands: Iterable[Any] = ()) -> None:
        """Fill in what the raiser did not say; an error that has a stage is complete, and stays as it is."""
        if self.stage:
            return
        self.stage = stage
        self.subject = self.subject or subject
        self.operands = self.operands or tuple(map(_type_of, operands))
        self.advice = self.advice or self.usual_advice

    @property
    def headline(self) -> str:
        """What is wrong with what, in one line: "tracing add: operands of shapes (3,) and (4,) do not broadcast"."""
        about = " ".join(filter(None, (self.stage, self.subject)))
        return f"{about}: {self.problem}" if about else self.problem

    def again_as(self, kind: type[_Kind]) -> _Kind:
        """The same record as a new error of another class, or of its own."""
        return _remade(kind, vars(self))

    def __str__(self) -> str:
        # another program's words, such as a compiler's, stay as they are
        lines = [self.headline if "\n" in self.problem else _wrapped(self.headline)]
        if self.operands:
            lines.append(_wrapped(f"  operands: {', '.join(self.operands)}"))
        if self.line is not None:
            text = f"{_LINE}{self.line}"
            lines.append(text if len(text) <= COLUMNS else f"{text[: COLUMNS - 1]}…")
        if self.advice:
            lines.append(_wrapped(f"  do: {self.advice}"))
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Callable[..., GraphError], tuple[type[GraphError], dict[str, Any]]]:
        return _remade, (type(self), vars(self))


def _remade(kind: type[_Kind], record: Mapping[str, Any]) -> _Kind:
    error = kind(record["problem"])
    vars(error).update(record)
    return error


def _type_of(x: Any) -> str:
    """A type as text: `float64[100, 3]` of an array or an expression, `float64` of a scalar, else the class."""
    if not (hasattr(x, "shape") and hasattr(x, "dtype")):
        return type(x).__name__
    sizes = ", ".join(map(str, x.shape))
    name = getattr(x.dtype, "name", x.dtype)
    return f"{name}[{sizes}]" if sizes else str(name)


def named(x: Any) -> str:
    """What an object is, for a text: "a list", "an int", or "None"."""
    if x is None:
        return "None"
    name = "function" if isinstance(x, FunctionType) else type(x).__name__
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def shown(x: Any) -> str:
    """An object that a user gave, for a text: as Python prints it, in one short line; the type of a large array."""
    text = " ".join(repr(x).split())
    if len(text) <= SHOWN:
        return text
    is_array = hasattr(x, "shape") and hasattr(x, "dtype")
    return f"an array of type {_type_of(x)}" if is_array else f"{text[: SHOWN - 1]}…"


def _wrapped(line: str) -> str:
    """A line broken between words at `COLUMNS`; what follows is indented by four columns more."""
    if len(line) <= COLUMNS:
        return line
    from textwrap import wrap  # only now: most runs of a program show no error

    indent = " " * (len(line) - len(line.lstrip()) + 4)
    line = re.sub(r"<[^<>]*>", lambda found: found[0].replace(" ", "\0"), line)  # an expression stays in one line
    lines = wrap(line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


class ShapeError(GraphError, ValueError):
    """Operand shapes do not fit the operation."""

    usual_advice = "bring the operands to shapes that fit (x.reshape(...), np.expand_dims, np.broadcast_to)"


class DTypeError(GraphError, TypeError):
    """An operand's dtype is not one the operation accepts."""

    usual_advice = "convert an operand with x.astype(dtype)"


class UnsupportedError(GraphError, NotImplementedError):
    """A NumPy function, argument or feature that cannot be recorded; the text names it."""

    usual_advice = "write it with the operations that pygraph has (dir(pg) lists them)"


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
    """An integer index lies outside its axis."""

    usual_advice = "give an index from -size to size - 1"


class DomainError(GraphError, ValueError):
    """An operand has a value for which an operation has no result."""


class LimitError(GraphError, RuntimeError):
    """A loop ran more steps than its `limit`, or recorded more for its reverse mode than `pg.set_tape_limit` allows."""


class LinAlgError(GraphError, np.linalg.LinAlgError):
    """A matrix has no factorisation or no inverse; the text says which and names the user's line."""

    usual_advice = "give a matrix that has an inverse"


class BudgetError(GraphError, MemoryError):
    """No plan keeps a compiled function to its `memory_budget`; the text says how much is missing."""


class NonFiniteError(GraphError, FloatingPointError):
    """With `check_finite=True`: what first became inf or nan, on which line, of what operands, and why."""


class BackendError(GraphError, RuntimeError):
    """No compiler, or a failed native build; the text has the compiler's messages."""


class ProgramError(GraphError):
    """A corrupted or foreign Program, refused by the C loader, or where it is decoded."""


class FileFormatError(GraphError, ValueError):
    """A file that is damaged, incomplete or of another format, or holds containers that are not known here."""


class VerificationError(GraphError):
    """A Graph breaks the specification of its stage (an internal error, raised under `PYGRAPH_CHECK=1`)."""
