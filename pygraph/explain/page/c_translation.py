"""The C expression of a row, translated to JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...ops.dtypes import KINDS
from ...ops.row import DType, Op

#: What functions of `csrc/pg_math.h` are called in JavaScript, where both compute the same in 64 bits.
_FUNCTIONS = {
    "abs": "Math.abs",
    "arccos": "Math.acos",
    "arccosh": "Math.acosh",
    "arcsin": "Math.asin",
    "arcsinh": "Math.asinh",
    "arctan": "Math.atan",
    "arctan2": "Math.atan2",
    "arctanh": "Math.atanh",
    "cbrt": "Math.cbrt",
    "ceil": "Math.ceil",
    "cos": "Math.cos",
    "cosh": "Math.cosh",
    "exp": "Math.exp",
    "expm1": "Math.expm1",
    "floor": "Math.floor",
    "hypot": "Math.hypot",
    "log": "Math.log",
    "log1p": "Math.log1p",
    "log2": "Math.log2",
    "log10": "Math.log10",
    "maximum": "Math.max",
    "minimum": "Math.min",
    "pow": "Math.pow",
    "sin": "Math.sin",
    "sinh": "Math.sinh",
    "sqrt": "Math.sqrt",
    "tan": "Math.tan",
    "tanh": "Math.tanh",
}
#: The same for integers, of which a page has those that are exact in 64 floating bits.
_INTEGERS = {
    "abs": "Math.abs",
    "add": "whole.add",
    "floor_divide": "whole.floor_divide",
    "mod": "whole.mod",
    "multiply": "whole.multiply",
    "negative": "whole.negative",
    "square": "whole.square",
    "subtract": "whole.subtract",
}
_CALL = re.compile(r"M\((\w+)\)")
#: Operators on bits, of which JavaScript has those of 32 bits.
_BITWISE = re.compile(r"~|\^|<<|>>|(?<!&)&(?!&)|(?<!\|)\|(?!\|)")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
#: A conversion to each kind of dtype.
_CASTS = {"f": "+(a)", "i": "Math.trunc(a)", "b": "a != 0"}


def javascript(op: Op, source: DType, target: DType) -> str | None:
    """The expression of one element in a, b and c, for operands of dtype `source`; None where there is none.

    Example:
        >>> import numpy as np
        >>> from pygraph.ops.row import TABLE
        >>> javascript(TABLE["square"], np.dtype("float64"), np.dtype("float64"))
        'a * a'
    """
    if op.casts:
        return _CASTS[KINDS[target]]
    c = op.c if op.c is None or isinstance(op.c, str) else op.c.get(KINDS[source])
    if c is None:
        return None
    functions = _INTEGERS if KINDS[source] == "i" else _FUNCTIONS
    names = _CALL.findall(c)
    if any(name not in functions for name in names) or (source == np.int64 and _BITWISE.search(c)):
        return None
    text = _CALL.sub(lambda match: functions[match[1]], c.replace("(T)", ""))
    words = set(_WORD.findall(text)) - {"a", "b", "c"} - {functions[name] for name in names}
    return None if words else text


def with_operands(expression: str, operands: Sequence[str]) -> str:
    """An expression of a, b and c with these in their places."""
    places = dict(zip("abc", operands, strict=False))
    return re.sub(r"(?<![\w.])[abc](?![\w.(])", lambda match: places[match[0]], expression)
