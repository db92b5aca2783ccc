"""The C text of single elements: operations by their rows' own expressions, and constants as literals."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from ...errors import GraphError
from ...ops.dtypes import CODES, DTYPES, KINDS, SUFFIXES, bool_
from ...ops.row import Op
from ...ops.table import MICRO_OPS

#: By the code of a dtype: its type in C, the ending of its functions' names, and its size.
TYPES = ("double", "float", "int64_t", "int32_t", "uint8_t")
SIZES = tuple(dtype.itemsize for dtype in DTYPES)

_OPS = {code: op for op, code in MICRO_OPS.items()}
#: The value of a row on an integer or bool twice, by `Op.diagonal`: compilers warn of the operation itself. A truth
#: names the operand, so that it is used.
_DIAGONAL = {"a": "{0}", "1": "(uint8_t)(({0} & 0) | 1)", "0": "(uint8_t)({0} & 0)"}
_FIELDS = {"a": "{0}", "b": "{1}", "c": "{2}"}
#: Signed arithmetic that might overflow, which C leaves undefined.
_UNSAFE = re.compile(r"\b[abc]\s*[-+*]\s*[abc]\b|(?<![\w)]\s)-\s*[abc]\b")
_WORD = re.compile(r"\bM\((\w+)\)|\b[abcT]\b")


class TableError(GraphError):
    """A row that no C can be made from."""


def expression(op: Op, kind: str) -> str | None:
    """The C expression of `op` on operands of a kind, or None where it has none."""
    by_kind = op.c if isinstance(op.c, Mapping) else dict.fromkeys(op.kinds, op.c)
    text = by_kind.get(kind)
    if kind == "i" and text is not None and _UNSAFE.search(text):
        raise TableError(
            f"op {op.name!r}: the integer expression {text!r} might overflow; use M(add), M(subtract), M(multiply) and "
            "M(negative), which wrap"
        )
    return text


def name_of(micro: int) -> str:
    """The name of an operation."""
    return _OPS[micro].name


def micro_text(micro: int, dtype_in: int, dtype_out: int, operands: Sequence[str]) -> str:
    """The value of one operation on named operands (dtypes are codes).

    Example:
        >>> micro_text(next(m for m in range(99) if name_of(m) == "tanh"), 1, 1, ["v2"])
        'pg_tanh_f32(v2)'
    """
    if len(operands) == 2 and operands[0] == operands[1] and KINDS[DTYPES[dtype_in]] != "f":
        diagonal = _OPS[micro].diagonal
        if diagonal:
            return _DIAGONAL[diagonal].format(operands[0])
    return _template(micro, dtype_in, dtype_out).format(*operands)


def guard_text(micro: int, dtype_in: int, operands: Sequence[str]) -> str | None:
    """Where this holds, `fast_text` gives the same bits as `micro_text`; None where there is no faster form."""
    return _fast(micro, dtype_in, 0, operands)


def fast_text(micro: int, dtype_in: int, operands: Sequence[str]) -> str | None:
    """The form that compilers vectorise, for operands under the guard."""
    return _fast(micro, dtype_in, 1, operands)


def is_cheap(micro: int) -> bool:
    """Whether the operation takes a few machine instructions, so that it may be written out each time."""
    return _OPS[micro].cheap


@cache
def operand_dtypes(micro: int, dtype_in: int) -> tuple[int, ...]:
    """The dtypes of the operands of an operation: `dtype_in`, but bool for a condition."""
    op = _OPS[micro]
    assert op.arity is not None
    return tuple(CODES[bool_] if i in op.differs else dtype_in for i in range(op.arity))


def literal(dtype: int, data: bytes) -> str:
    """A constant as C reads it back to the last bit; with parentheses where it starts with a sign.

    Example:
        >>> literal(0, np.float64(0.1).tobytes()), literal(1, np.float32(-2).tobytes())
        ('0.1', '(-2.0f)')
    """
    value = np.frombuffer(data, DTYPES[dtype])[0]
    if KINDS[DTYPES[dtype]] == "f":
        if math.isfinite(value):
            text = str(value) + ("f" if dtype == 1 else "")
        else:
            wide = "(double)" if dtype == 0 else ""  # C has them as floats
            text = f"{wide}NAN" if math.isnan(value) else f"{wide}INFINITY" if value > 0 else f"-{wide}INFINITY"
    elif DTYPES[dtype].kind == "b":
        text = str(int(value))
    elif value == np.iinfo(DTYPES[dtype]).min:
        text = "INT64_MIN" if dtype == 2 else "INT32_MIN"
    else:
        text = str(value) if abs(value) < 2**31 else f"INT64_C({value})"
    return f"({text})" if text.startswith("-") else text


def _expression(micro: int, dtype: int) -> str:
    op = _OPS[micro]
    text = expression(op, KINDS[DTYPES[dtype]])
    assert text is not None, f"{op.name} has no C for {DTYPES[dtype]}"
    return text


@cache
def _template(micro: int, dtype_in: int, dtype_out: int) -> str:
    if _OPS[micro].casts:
        return f"pg_convert_{SUFFIXES[dtype_in]}_{SUFFIXES[dtype_out]}({{0}})"
    return filled(_expression(micro, dtype_in), dtype_in)


def filled(text: str, dtype: int) -> str:
    """An expression with fields for its operands."""

    def word(found: re.Match[str]) -> str:
        if found[1]:
            return f"pg_{found[1]}_{SUFFIXES[dtype]}"
        return TYPES[dtype] if found[0] == "T" else _FIELDS[found[0]]

    return _WORD.sub(word, text)


def _fast(micro: int, dtype: int, which: int, operands: Sequence[str]) -> str | None:
    fast = _OPS[micro].fast
    if fast is None or KINDS[DTYPES[dtype]] != "f":
        return None
    return filled(fast[which], dtype).format(*operands)
