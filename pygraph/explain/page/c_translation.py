"""The C expression of a row, translated to JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...ops.dtypes import KINDS
from ...ops.row import DType, Op
from .c_functions import name_of

#: What functions of `csrc/pg_int.h` are called: a page has the integers that are exact in 64 floating bits.
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
    names = {name: _INTEGERS.get(name) if KINDS[source] == "i" else name_of(name) for name in _CALL.findall(c)}
    if None in names.values() or (source == np.int64 and _BITWISE.search(c)):
        return None
    text = _CALL.sub(lambda match: str(names[match[1]]), c.replace("(T)", ""))
    words = set(_WORD.findall(text)) - {"a", "b", "c"} - set(names.values())
    return None if words else text


def with_operands(expression: str, operands: Sequence[str]) -> str:
    """An expression of a, b and c with these in their places."""
    places = dict(zip("abc", operands, strict=False))
    return re.sub(r"(?<![\w.])[abc](?![\w.(])", lambda match: places[match[0]], expression)
