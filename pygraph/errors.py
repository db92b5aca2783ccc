"""The exceptions pygraph raises; every one derives from `GraphError`."""

from __future__ import annotations

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
    "UnsupportedError",
    "VerificationError",
]


#: What stands before the user's line in an error's text.
LINE_MARK = "\n  at: "
_locate: Callable[[], object] | None = None


def bind_locator(locate: Callable[[], object]) -> None:
    """Tell the errors how the user's running line is found (called once, by `pygraph.graph`)."""
    global _locate
    _locate = locate


class GraphError(Exception):
    """Base class of all pygraph errors. A text that does not name the user's line yet has it added."""

    def __init__(self, *args: object) -> None:
        if _locate is not None and len(args) == 1 and isinstance(args[0], str) and LINE_MARK not in args[0]:
            line = _locate()
            if line is not None:
                args = (f"{args[0]}{LINE_MARK}{line}",)
        super().__init__(*args)


class ShapeError(GraphError, ValueError):
    """Operand shapes do not fit the operation."""


class DTypeError(GraphError, TypeError):
    """An operand's dtype is not one the operation accepts."""


class UnsupportedError(GraphError, NotImplementedError):
    """A NumPy function, argument or feature that cannot be recorded; the text names it."""


class TracedBoolError(GraphError, TypeError):
    """Python asked for the truth value (or the number) of a traced expression."""


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
