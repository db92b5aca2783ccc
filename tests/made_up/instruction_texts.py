"""A made-up instruction: ROTATE, with operands that it reads, writes and updates over a batch."""

from __future__ import annotations

from project_copy import Copy

NUMBER = 23

#: What is added to the table of instructions.
TABLE = f'''

@instruction({NUMBER}, checked=True)
@dataclass(eq=False, slots=True)
class Rotate(Instruction):
    """total[b, (i + shift) % length] += x[b, i], or back; `last` is the last element that was added."""

    back: Yes
    length: Size
    shift: Annotated[int, Number(0, 1000)]
    batch: Annotated[tuple[int, ...], Sizes()]
    x: Annotated[Operand, Array(Use.READ, "N", "length", "batch")]
    last: Annotated[Operand, Array(Use.WRITE, "N")]
    total: Annotated[Operand, Array(Use.UPDATE, "N", "length", "batch")]
'''

#: Its runner.
C = """/* Runs ROTATE. */
#include "context.h"
#include "loader.h"

#include <inttypes.h>
#include <string.h>

int pg_check_rotate(pg_loader *l, const pg_rotate_words *x) {
    if (x->shift < x->length && x->batch.count > 0) return PG_OK;
    return pg_refuse(l, "ROTATE: rows of %" PRId64 " can't be rotated by %" PRId64, x->length, x->shift);
}

#define ROTATE(T, U)                                                                                             \\
    for (int64_t b = 0; b < x->batch.count; b++) {                                                               \\
        const T *from = (const T *)(const void *)(in + pg_batch_offset(&x->batch, &x->x, b));                    \\
        T *to = (T *)(void *)(out + pg_batch_offset(&x->batch, &x->total, b));                                   \\
        for (int64_t i = 0; i < x->length; i++) {                                                                \\
            T *at = &to[(x->back ? i + x->length - x->shift : i + x->shift) % x->length];                        \\
            *at = (T)((U)*at + (U)from[i]);                                                                      \\
        }                                                                                                        \\
        memcpy(last, from + x->length - 1, sizeof *from);                                                        \\
    }

int pg_run_rotate(const pg_place *place, const void *data) {
    const pg_rotate_words *x = data;
    const char *in = place->slots[x->x.slot] + x->x.offset;
    char *out = place->slots[x->total.slot] + x->total.offset, *last = place->slots[x->last.slot] + x->last.offset;
    switch (x->x.dtype) {
    case PG_F64: ROTATE(double, double) break;
    case PG_F32: ROTATE(float, float) break;
    case PG_I64: ROTATE(int64_t, uint64_t) break;
    default: ROTATE(int32_t, uint32_t) break;
    }
    return PG_OK;
}
"""

#: Its emitter.
EMITTER = '''
def emit_rotate(rotate: Rotate, places: Places, name: str) -> Function:
    """The function of a ROTATE, called `name`."""
    kind, n = TYPES[rotate.x.dtype], rotate.length
    dims = [Dim(at, size, Group.OUTER) for at, size in enumerate(rotate.batch)]
    wrap = {2: "(int64_t)((uint64_t){} + (uint64_t){})", 3: "(int32_t)((uint32_t){} + (uint32_t){})"}
    lines = [
        f"const {kind} *x = {places.pointer(rotate.x.slot, rotate.x.offset)};",
        f"{kind} *last = {places.pointer(rotate.last.slot, rotate.last.offset, write=True)};",
        f"{kind} *total = {places.pointer(rotate.total.slot, rotate.total.offset, write=True)};",
        *(f"for (intptr_t {dim.var} = 0; {dim.var} < {dim.size}; {dim.var}++)" for dim in dims),
        f"for (intptr_t i = 0; i < {n}; i++) {{",
        f"    {kind} *at = total + {index_text(rotate.total.strides, dims)}"
        f" + (i + {n - rotate.shift if rotate.back else rotate.shift}) % {n};",
        f"    const {kind} one = x[{index_text(rotate.x.strides, dims)} + i];",
        f"    *at = {wrap.get(rotate.x.dtype, '{} + {}').format('*at', 'one')};",
        "    last[0] = one;",
        "}",
    ]
    head = f"static void {name}(const pg_call *call, const {places.frame} *f)"
    return Function(commented(places, rotate, function(head, lines)), f"{name}(call, f);")


'''


#: What it needs of other modules.
IMPORTS = """
from ..lower.instructions import Rotate
from .loops.loop_values import Dim, Group, index_text
from .rendering.expressions import TYPES
from .rendering.text import commented
"""


def add(copy: Copy) -> None:
    """Add it to a copy of the project."""
    future = "from __future__ import annotations\n"
    place = "#: What writes each instruction"
    entry = "    Call: emit_call,\n"
    edits = (future, future + IMPORTS), (place, EMITTER + place), (entry, f"{entry}    Rotate: emit_rotate,\n")
    copy.append("instruction", "pygraph/lower/instructions.py", TABLE)
    copy.append("instruction", "csrc/rotate.c", C)
    copy.replace("instruction", "pygraph/emit/c_program.py", *edits)
