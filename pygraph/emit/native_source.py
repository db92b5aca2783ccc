"""A Program as the C text of a library that pygraph itself loads (see pg_native.h)."""

from __future__ import annotations

from ..lower.program import Program
from ..ops.dtypes import CODES
from .c_program import core
from .prelude import NATIVE, prelude
from .rendering.expressions import TYPES
from .rendering.text import function
from .text_parts import main, parts_of

_NAME = "net"


def native_source(program: Program, comments: bool = False, timed: bool = False) -> str:
    """The C of `program`: `pg_native_run` and its version.

    Args:
        timed: each instruction looks at the clock when it is done, for a profile.
        comments: say of each operation what it is; without, the text does not change with lines of the user's file.
    """
    made = core(program, _NAME, embed=False, stoppable=True, comments=comments, timed=timed)
    lines = [f"{made.frame.type} f;", "f.arena = call->arena;"]
    for port in (*program.inputs, *program.outputs):
        const = "const " if port.slot < len(program.inputs) else ""
        element = f"{const}{TYPES[CODES[port.dtype]]}"
        lines.append(f"f.{made.frame.members[port.slot]} = PG_AT({element}, call->slots[{port.slot}], 0);")
    lines += [f"if (segment == {at}) return {word}(call, &f);" for at, word in enumerate(made.segments[1:], 1)]
    lines.append(f"return {made.segments[0]}(call, &f);")
    head = "int pg_native_run(const pg_call *call, int segment)"
    unused = ["(void)segment;"] if len(made.segments) == 1 else []
    ending = f"const uint64_t pg_native_abi = PG_NATIVE_ABI;\n\n{function(head, [*unused, *lines])}"
    text = f"{made.text}\n{main(ending) if parts_of(made.text) else ending}\n"
    return f"{prelude(text, NATIVE)}\n{text}"
