"""SCATTER in C; an index outside its axis ends the call."""

from __future__ import annotations

from ...lower.instructions import Instruction, Scatter
from ...ops.dtypes import SUFFIXES
from ..rendering.expressions import TYPES
from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.text import commented, failing, function


def emit_scatter(scatter: Scatter, places: Places, name: str) -> Function:
    """out[o, index[j], :] = or += v[o, j, :], one after another: an index may stand there twice."""
    row = scatter.inner
    if row == 0:
        return Function("", "")
    kind = TYPES[scatter.out.dtype]
    lines = [
        f"const int64_t *restrict index = {places.pointer(scatter.at.slot, scatter.at.offset)};",
        f"const {kind} *restrict v = {places.pointer(scatter.v.slot, scatter.v.offset)};",
        f"{kind} *restrict out = {places.pointer(scatter.out.slot, scatter.out.offset, write=True)};",
    ]
    if scatter.adds:
        at = "i" if row == 1 else f"i * {row} + k"
        move = [f"out[{at}] = {_sum(scatter.out.dtype, f'out[{at}]', 'v[0]' if row == 1 else 'v[k]')};"]
        if row > 1:
            move = [f"for (int64_t k = 0; k < {row}; k++) {move[0]}"]
    elif row == 1:
        move = ["out[i] = v[0];"]
    else:
        move = [f"memcpy(out + i * {row}, v, {row} * sizeof *out);"]
    inner = [
        f"for (int64_t j = 0; j < {scatter.count}; j++, v += {row}) {{",
        *_checked(scatter, places, scatter.length, "index[j]"),
        *(f"    {line}" for line in move),
        "}",
    ]
    return _function(scatter, places, name, [*lines, *_outer(scatter.outer, f"out += {scatter.length * row}", inner)])


def _outer(count: int, step: str, inner: list[str]) -> list[str]:
    if count == 1:
        return inner
    return [f"for (int64_t o = 0; o < {count}; o++, {step}) {{", *(f"    {line}" for line in inner), "}"]


def _sum(dtype: int, a: str, b: str) -> str:
    return f"{a} + {b}" if dtype < 2 else f"pg_add_{SUFFIXES[dtype]}({a}, {b})"


def _checked(instruction: Instruction, places: Places, length: int, index: str) -> list[str]:
    fail = failing(places, instruction, "PG_INDEX", index, str(length))
    return [
        f"    const int64_t i = {index} < 0 ? {index} + {length} : {index};",
        f"    if (i < 0 || i >= {length}) {fail}",
    ]


def _function(instruction: Instruction, places: Places, name: str, lines: list[str]) -> Function:
    head = f"static int {name}(const pg_call *call, const {places.frame} *f)"
    text = function(head, [*lines, "return PG_OK;"])
    return Function(commented(places, instruction, text), f"if ((status = {name}(call, f)) != PG_OK) return status;")
