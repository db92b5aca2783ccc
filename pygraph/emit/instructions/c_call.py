"""CALL in C: the kernel's plain-C text where the library's headers have it, else a call of the library's."""

from __future__ import annotations

from math import prod

from ...errors import UnsupportedError
from ...lower.format import LAPACK_ABOVE, failures
from ...lower.instructions import Call
from ...ops.table import kernel_at
from ..loops.loop_values import Dim, Group, index_text
from ..rendering import headers
from ..rendering.expressions import SIZES
from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.text import commented, function


def emit_call(call: Call, places: Places, name: str) -> Function:
    """The function of a CALL, called `name`.

    Raises:
        UnsupportedError: the text stands alone, and the kernel is in the library only.
    """
    op, dtype = kernel_at(call.kernel)
    kernel = op.kernel
    assert kernel is not None
    if 0 in call.batch:
        return Function("", "")
    symbol = f"pg_kernel_{kernel.function(dtype)}"
    own = headers.has(symbol)
    large = kernel.large or (kernel.lapack and max(call.numbers, default=0) > LAPACK_ABOVE)
    if places.embed and not own:
        info = places.program.nodes[call.node]
        problem = f"its kernel {kernel.function(dtype)} is not plain C that a file can hold"
        advice = "leave this operation out of what is exported"
        raise UnsupportedError(problem, advice, stage="exporting", subject=op.title or op.name, line=info.line)
    arguments = (*call.operands, *call.updated, *call.results)
    bases = [places.pointer(x.slot, x.offset, write=at >= len(call.operands)) for at, x in enumerate(arguments)]
    work = "NULL" if call.workspace < 0 else places.pointer(call.workspace, write=True, dtype=0)
    batch = prod(call.batch)
    if own and (places.embed or (batch <= call.per_task and not large)):
        dims = [Dim(at, size, Group.OUTER) for at, size in enumerate(call.batch)]
        shifts = [index_text(argument.strides, dims) for argument in arguments]
        pointers = [f"(void *)({x}{'' if y == '0' else f' + {y}'})" for x, y in zip(bases, shifts, strict=True)]
        lines = [f"static const int64_t sizes[] = {{{', '.join(map(str, call.numbers or (0,)))}}};"]
        lines += [f"for (intptr_t {dim.var} = 0; {dim.var} < {dim.size}; {dim.var}++)" for dim in dims]
        before = [f"    void *const arrays[] = {{{', '.join(pointers)}}};"]
        if call.workspace < 0 and kernel.work != "0":  # of no bytes here, and offsets from NULL are not defined
            before.append("    double nothing = 0;")
            work = "(void *)&nothing"
        run = f"{symbol}(sizes, arrays, {work}, detail)"
    else:
        words = [call.kernel, len(call.batch), call.per_task, *call.numbers, *call.batch]
        for argument in arguments:
            words += [stride * SIZES[argument.dtype] for stride in argument.strides]
        lines = [f"static const int64_t words[] = {{{', '.join(map(str, words))}}};"]
        pointers = [f"(char *)({base})" for base in bases]
        before = [f"    char *const arrays[] = {{{', '.join(pointers)}}};"]
        run = f"pg_kernel(call, words, arrays, (char *){work}, detail)"
    statuses = failures(op)
    if statuses:
        fail = f"return pg_fail(call, {_chosen(statuses)}, {places.body.number}, {call.index}, {call.node}, "
        lines += ["{", *before, "    int64_t detail[2] = {0, 0};", f"    const int failed = {run};"]
        lines += [f"    if (failed) {fail}detail[0], detail[1]);", "}", "return PG_OK;"]
        statement = f"if ((status = {name}(call, f)) != PG_OK) return status;"
    else:
        lines += ["{", *before, "    int64_t detail[2];", f"    (void){run};", "}"]
        statement = f"{name}(call, f);"
    head = f"PG_STEP {'int' if statuses else 'void'} {name}(const pg_call *call, const {places.frame} *f)"
    return Function(commented(places, call, function(head, lines)), statement)


def _chosen(statuses: list[str]) -> str:
    """The status of the failure `failed`."""
    *first, last = statuses
    text = last
    for at, status in reversed(list(enumerate(first, 1))):
        text = f"failed == {at} ? {status} : {text}"
    return text
