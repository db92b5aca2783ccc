"""What Python or NumPy asked of an expression that has no numbers yet, and what the user's line can do instead."""

from __future__ import annotations

import dis
import re
import sys
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from .. import ops
from ..errors import GraphError, TracedBoolError, TracedValueError, UnsupportedAttributeError, UnsupportedError
from ..ops.common import MASKED
from ..ops.leaves import input_row as INPUT
from .numpy_alternatives import ATTRIBUTES, instead, table
from .source import SourceLine, innermost
from .trace_context import current
from .traversal import walk

__all__ = [
    "STORE",
    "attribute_advice",
    "fixed_attribute",
    "missing_attribute",
    "refuse",
    "running",
    "swallowed",
    "wants_dense",
]

_CHOICE = "pg.where(c, a, b) chooses between values, pg.cond(c, f, g, x) between computations"
_LOOP = "pg.while_loop(condition, body, start) loops as long as the condition holds"
_CHAIN = "write a < x < b as (a < x) & (x < b)"
_LOGIC = "write a & b for `a and b`, a | b for `a or b`, ~a for `not a`"
_LARGEST = "np.maximum(x, y) and np.minimum(x, y) take the larger and the smaller, np.max(x) and np.min(x) of an array"
_ASSERT = "check the result outside of the function; pg.compile(f, check_finite=True) looks for inf and nan"
STATIC = (
    "keep what decides shapes, axes or the form of the program out of the trace: close over it, or use "
    "functools.partial"
)
_COUNT = "pg.fori_loop(0, n, body, start) repeats a step n times"
_INTS = f"give ints: {STATIC}"
_LIST = "pg.asarray(values)[i] takes an element of a list of numbers, pg.switch(i, functions, x) calls one of several"
_TABLE = "pg.asarray(T)[i] takes elements of an array of numbers T at computed places; so does pg.take(T, i)"
STORE = (
    "begin with out = np.zeros(shape, like=x), x an expression, or with out = pg.zeros(shape), which can be filled: "
    "out[i] = v; or collect the parts in a list and join them with np.stack"
)
_SHOWN = "f'{x}' and print(x) show the expression"
_JOIN = "pg.array([...]) or np.stack([...]) makes one array of several expressions"

#: What to do, by what was asked and by a pattern of the user's line: what to do. The first that fits is taken.
_BY_LINE: dict[str, tuple[tuple[str, str], ...]] = {
    "bool": (
        (r"^while\b", f"{_LOOP}; {_CHOICE}"),
        (r"^assert\b", _ASSERT),
        (r"[\w\])]\s*[<>]=?\s*[\w.()\[\]]+\s*[<>]=?\s*[\w(-]", f"{_CHAIN}; {_CHOICE}"),
        (r"\b(and|or|not)\b", f"{_LOGIC}; {_CHOICE}"),
        (r"(?<![\w.])(max|min|sorted)\(", _LARGEST),
        (r"(?<![\w.])(any|all)\(", "np.any(x) and np.all(x) take whole arrays"),
        (r"\bif\b", f"{_CHOICE}; {_LOOP}"),
    ),
    "index": ((r"\brange\(", _COUNT),),
    "float": (
        (r"\bmath\.\w", "use NumPy's functions in place of those of math: np.sin for math.sin"),
        (r"[\"']\s*%|\bformat\(", _SHOWN),
    ),
    "np.asarray": (
        (r"\b(array|asarray|asanyarray|stack)\(\s*[\[(]", _JOIN),
        (r"\brandom\.", "draw random numbers outside, and give them as an argument"),
        (r"\bnp\.(float|int)\d*\(", "x.astype('float64') converts an expression"),
        (r"\b(array|asarray|asanyarray)\(", "leave it out, or write pg.asarray(x), which takes expressions too"),
        (r"\b(arange|linspace)\(", "give numbers: shapes are static; start + np.arange(n) shifts by an expression"),
    ),
}
#: What to do, by what was asked and by the instruction that asks, where that says more than the line.
_BY_INSTRUCTION: dict[tuple[str, str], str] = {
    ("bool", "CONTAINS_OP"): "np.any(x == v) says whether an element is v",
    ("index", "BINARY_SUBSCR"): _LIST,
    **{(asked, "BINARY_SUBSCR"): _TABLE for asked in ("float", "np.asarray")},
    **{(asked, f"STORE_{what}"): STORE for asked in ("float", "np.asarray") for what in ("SUBSCR", "SLICE")},
}
_OTHERWISE = {
    "bool": f"{_CHOICE}; {_LOOP}",
    "index": _INTS,
    "float": "leave float() out: an expression is a number already",
    "int": "x.astype('int64') converts an expression (towards zero)",
    "complex": "leave complex() out: graphs hold real numbers",
    "np.asarray": "use a function that records: np.* or pg.* (dir(pg) lists them)",
    "item": "leave .item() out: an expression of one element is a number already; reshape(()) drops its axes",
    "format": _SHOWN,
    "tolist": "list(x) gives the elements along the first axis, as expressions",
}
_NUMBERS = "to see numbers, return them from the compiled function"


def _caller() -> tuple[FrameType | None, FrameType | None]:
    """The user's frame that runs, and the frame of a library's function that it called, where there is one."""
    frame, inner, called = innermost(), sys._getframe(1), None
    while inner.f_back is not None and _is_ours(inner):
        inner = inner.f_back
    while inner is not frame and inner.f_back is not None and not _is_ours(inner):
        inner, called = inner.f_back, inner
    return frame, called


def _is_ours(frame: FrameType) -> bool:
    return bool(frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0])


def running(code: CodeType, at: int) -> str:
    """The name of the instruction of `code` at an offset, where a frame or a traceback stands."""
    name = dis.opname[code.co_code[at]]
    if name == "BINARY_OP":  # subscripts are one of the binary operations since Python 3.14
        operations = getattr(dis, "_nb_ops", ())
        at = code.co_code[at + 1]
        return "BINARY_SUBSCR" if at < len(operations) and operations[at][1] == "[]" else name
    return name


def wants_dense() -> bool:
    """Whether SciPy asks for an array to multiply a sparse one with: it leaves the product to what is none."""
    frame = sys._getframe(2)
    return frame.f_code.co_name == "_matmul_dispatch" and frame.f_globals.get("__name__", "").startswith("scipy.sparse")


def refuse(x: Any, asked: str) -> NoReturn:
    """Raise the error for an expression whose numbers were asked for.

    Args:
        x: the expression.
        asked: "bool", "index", "float", "int", "complex", "np.asarray", "item", "tolist" or "format".

    Raises:
        TracedBoolError: for "bool"; TracedValueError: for all else.
    """
    frame, called = _caller()
    line = None if frame is None else SourceLine(frame.f_code.co_filename, frame.f_lineno)
    code = "" if line is None else line.code
    kind = TracedBoolError if asked == "bool" else TracedValueError
    problem = f"{x!r} has no value before the graph runs"
    if called is not None and asked == "np.asarray":
        raise _refused_by(_full_name(called), x, line)
    advice = next((text for pattern, text in _BY_LINE.get(asked, ()) if re.search(pattern, code)), _OTHERWISE[asked])
    if frame is not None:
        advice = _BY_INSTRUCTION.get((asked, running(frame.f_code, frame.f_lasti)), advice)
    if asked in ("bool", "index", "int") and advice is not _INTS and _decides(x):
        advice += f"; or {STATIC}"
    elif asked not in ("bool", "index", "np.asarray"):
        advice += f"; {_NUMBERS}"
    error = kind(problem, advice, stage="tracing", subject=f"{asked}()", operands=(x,), line=line)
    for recording in current().recordings:
        recording.refusal = error.again_as(kind)  # a new one, without a traceback that would keep frames alive
    raise error


def _refused_by(function: str, x: Any, line: SourceLine | None) -> GraphError:
    """The error for a library's function that asks for numbers."""
    if function.startswith("numpy.ma."):
        return UnsupportedError(*MASKED, stage="tracing", subject=function, operands=(x,), line=line)
    module, _, name = function.rpartition(".")
    recorded = module == "numpy" and name in ops.NAMES and function not in table()
    return TracedValueError(
        f"it computes with numbers, and {x!r} has none before the graph runs",
        f"give one expression in place of a list: {_JOIN}" if recorded else instead(function),
        stage="tracing",
        subject=function,
        operands=(x,),
        line=line,
    )


def swallowed(line: SourceLine | None) -> GraphError | None:
    """What `refuse` raised last in the function that is being recorded, if it was at that line.

    NumPy asks for an index, drops the error, and raises one of its own in its place.
    """
    recordings = current().recordings
    refusal = recordings[-1].refusal if recordings else None
    if refusal is None or refusal.line is None or line is None:
        return None
    return refusal if (refusal.line.file, refusal.line.number) == (line.file, line.number) else None


def attribute_advice(name: str) -> str:
    """What to write in place of an attribute or a method that expressions do not have."""
    if name in ATTRIBUTES:
        return ATTRIBUTES[name]
    if name in ops.NAMES:
        return f"write {'np' if hasattr(np, name) else 'pg'}.{name}(x, ...)"
    if hasattr(np, name):
        return instead(f"numpy.{name}")
    return "x.dtype, x.shape and x.size are known; what depends on memory or on values is not"


def missing_attribute(x: Any, name: str) -> UnsupportedAttributeError:
    """The error for an attribute or a method of other libraries' arrays that expressions do not have."""
    problem = f"expressions have no .{name}"
    return UnsupportedAttributeError(
        problem, attribute_advice(name), stage="tracing", subject=f"x.{name}", operands=(x,)
    )


def fixed_attribute(x: Any, name: str) -> UnsupportedAttributeError:
    """The error for `x.shape = …` and `x.dtype = …`, which NumPy's arrays take."""
    advice = {"shape": "write x = x.reshape(shape)", "dtype": "write x = x.astype(dtype)"}[name]
    problem = f"the {name} of an expression cannot be set"
    return UnsupportedAttributeError(problem, advice, stage="tracing", subject=f"x.{name} = v", operands=(x,))


def _full_name(frame: FrameType) -> str:
    """A library's function by the shortest module that has it: `scipy.special.logsumexp`."""
    name = frame.f_code.co_name
    owner = frame.f_locals.get("self")
    if owner is not None:
        name = type(owner).__name__ if name.startswith("__") else f"{type(owner).__name__}.{name}"
    parts = frame.f_globals.get("__name__", "").split(".")
    for count in range(1, len(parts) + 1):
        module = ".".join(parts[:count])
        if hasattr(sys.modules.get(module), name.partition(".")[0]):
            return f"{module}.{name}"
    return f"{'.'.join(part for part in parts if not part.startswith('_'))}.{name}"


def _decides(x: Any) -> bool:
    """Whether a scalar is made of integer and bool arguments alone, which may be meant to shape the program."""
    if x.shape or x.dtype.kind not in "ib":
        return False
    inputs = [node for node in walk([x]) if node.op is INPUT]
    return bool(inputs) and all(not node.shape and node.dtype.kind in "ib" for node in inputs)
