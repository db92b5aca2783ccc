"""MATMUL instructions as C: small products as loops with constant bounds, large ones as calls, panel by panel."""

from __future__ import annotations

from collections.abc import Sequence

from ...lower.format import TINY_PRODUCT
from ...lower.instructions import Matmul
from ...ops.dtypes import SUFFIXES
from ..loops.loop_nest import Writer
from ..loops.loop_values import Dim, Group, index_text
from ..loops.tasks import task_functions
from ..rendering.expressions import SIZES, TYPES
from ..rendering.frames import Places
from ..rendering.function import Function
from ..rendering.local_arrays import LocalArrays

#: Up to so many terms of a sum, compilers unroll the loop over them and vectorise the one around it.
SHORT = 8

#: The elements of the second operand that csrc/pg_export.h copies at a time: so many steps of k, so many columns.
PRODUCT_STEPS, PRODUCT_COLUMNS = 32, 64

_UNSIGNED = {"int64_t": "uint64_t", "int32_t": "uint32_t"}


def emit_matmul(matmul: Matmul, places: Places, name: str) -> Function:
    """The function of a MATMUL, called `name`, and of its tasks."""
    m, n, k = matmul.rows, matmul.columns, matmul.middle
    dims, strides = _batch(matmul)
    batch = 1
    for dim in dims:
        batch *= dim.size
    if 0 in (batch, m, n):
        return Function("", "")
    kind = TYPES[matmul.c.dtype]
    tiny = max(m, n, k) <= TINY_PRODUCT and m * n * k <= TINY_PRODUCT
    plain = tiny or k == 0 or kind in _UNSIGNED
    writer = Writer()
    if places.comments:
        writer.line(places.comment(matmul.node))
    for word, operand in zip("abc", (matmul.a, matmul.b, matmul.c), strict=True):
        if k == 0 and word != "c":
            continue
        pointer = places.pointer(operand.slot, operand.offset, word == "c")
        const = "" if word == "c" else "const "
        writer.line(f"{const}{kind} *{'restrict ' if plain else ''}{word} = {pointer};")
    rows = _enter(writer, matmul, dims, batch)
    a, b, c = (index_text(s, dims) for s in strides)
    if plain:
        origin = [f"{text} + " if text != "0" else "" for text in (a, b, c)]
        if rows != str(m):
            origin[0] += f"row{'' if matmul.transpose_a else f' * {k}'} + "
            origin[2] += f"row * {n} + " if n > 1 else "row + "
        _plain(writer, matmul, rows, origin, LocalArrays(places.scratch))
    else:
        at = f"row{'' if matmul.transpose_a or k == 1 else f' * {k}'}"
        shift_a, shift_c = (f" + {at}", f" + row{f' * {n}' if n > 1 else ''}") if rows != str(m) else ("", "")
        lda, ldb = m if matmul.transpose_a else k, k if matmul.transpose_b else n
        flags = f"{int(matmul.transpose_a)}, {int(matmul.transpose_b)}"
        sums = ", ".join(
            word + (f" + {text}" if text != "0" else "") + shift
            for word, text, shift in zip("abc", (a, b, c), (shift_a, "", shift_c), strict=True)
        )
        if places.scratch.start is not None:  # it copies blocks of b
            block = min(k, PRODUCT_STEPS) * min(n, PRODUCT_COLUMNS) * SIZES[matmul.c.dtype]
            LocalArrays(places.scratch).reserve(block)
        call = f"pg_product_{SUFFIXES[matmul.c.dtype]}(call, {flags}, {rows}, {n}, {k}, {lda}, {ldb}, {sums});"
        writer.line(call)
    while writer.level:
        writer.close()
    return task_functions(writer.lines, places, name, matmul.tasks)


def _batch(matmul: Matmul) -> tuple[list[Dim], list[list[int]]]:
    """The batch without dimensions of one element, neighbours merged; the strides of a, b, c."""
    operands = (matmul.a, matmul.b, matmul.c)
    sizes: list[int] = []
    strides: list[list[int]] = [[], [], []]
    for at, size in enumerate(matmul.batch):
        if size == 1:
            continue
        if sizes and all(s[-1] == x.strides[at] * size for s, x in zip(strides, operands, strict=True)):
            sizes[-1] *= size
            for s, x in zip(strides, operands, strict=True):
                s[-1] = x.strides[at]
        else:
            sizes.append(size)
            for s, x in zip(strides, operands, strict=True):
                s.append(x.strides[at])
    return [Dim(i, size, Group.OUTER) for i, size in enumerate(sizes)], strides


def _enter(writer: Writer, matmul: Matmul, dims: Sequence[Dim], batch: int) -> str:
    """The loops over the batch, or the part of them that `task` is; returns the number of rows of each product."""
    m, (panel, each) = matmul.rows, matmul.cut
    count = matmul.cut.count(m)
    if matmul.tasks == 1:
        for dim in dims:
            writer.open(f"for (intptr_t {dim.var} = 0; {dim.var} < {dim.size}; {dim.var}++)")
        return str(m)
    index = "task"
    rows = str(m)
    if count > 1:
        writer.line(f"const intptr_t row = task{f' % {count}' if dims else ''} * {panel};")
        writer.line(f"const intptr_t rows = {m} - row < {panel} ? {m} - row : {panel};")
        index, rows = f"task / {count}", "rows"
    elif each > 1:
        writer.line(f"const intptr_t first = task * {each};")
        writer.line(f"const intptr_t end = {batch} - first < {each} ? {batch} : first + {each};")
        index = dims[0].var if len(dims) == 1 else "batch"
        writer.open(f"for (intptr_t {index} = first; {index} < end; {index}++)")
        if len(dims) == 1:
            return rows
    left = batch
    for dim in dims:
        left //= dim.size
        text = index if left == 1 else f"{index} / {left}"
        if dim is not dims[0]:
            text += f" % {dim.size}"
        writer.line(f"const intptr_t {dim.var} = {text};")
    return rows


def _plain(writer: Writer, matmul: Matmul, rows: str, origin: Sequence[str], local: LocalArrays) -> None:
    """Loops that sum each element in the order of k, from 0 (0 + -0 is 0)."""
    m, n, k = matmul.rows, matmul.columns, matmul.middle
    kind = TYPES[matmul.c.dtype]
    row_a, step_a = (1, m) if matmul.transpose_a else (k, 1)
    step_b, column_b = (1, k) if matmul.transpose_b else (n, 1)
    a = f"a[{origin[0]}{_sum(('i', row_a if rows != '1' else 0), ('k', step_a))}]"
    b = f"b[{origin[1]}{_sum(('k', step_b), ('j', column_b))}]"
    c = f"c[{origin[2]}{_sum(('i', n if rows != '1' else 0), ('j', 1))}]"
    unsigned = _UNSIGNED.get(kind)
    zero, cast = ("0.0" if kind == "double" else "0.0f", "") if unsigned is None else ("0", f"({unsigned})")
    term = f"{cast}{a} * {cast}{b}"
    back = f"({kind})" if unsigned else ""
    writer.open(f"for (intptr_t i = 0; i < {rows}; i++)") if rows != "1" else writer.open("")
    if k <= SHORT or n == 1 or n > TINY_PRODUCT:
        writer.open(f"for (intptr_t j = 0; j < {n}; j++)")
        writer.line(f"{unsigned or kind} sum = {zero};")
        if k:
            writer.line(f"for (intptr_t k = 0; k < {k}; k++) sum = sum + {term};")
        writer.line(f"{c} = {back}sum;")
        writer.close()
    else:
        writer.line(f"{unsigned or kind} sum[{n}];" if unsigned else local.declare(kind, "sum", n))
        writer.line(f"for (intptr_t j = 0; j < {n}; j++) sum[j] = {zero};")
        writer.open(f"for (intptr_t k = 0; k < {k}; k++)")
        writer.line(f"for (intptr_t j = 0; j < {n}; j++) sum[j] = sum[j] + {term};")
        writer.close()
        writer.line(f"for (intptr_t j = 0; j < {n}; j++) {c} = {back}sum[j];")
    writer.close()


def _sum(*terms: tuple[str, int]) -> str:
    """A sum of variables times constants."""
    return " + ".join(v if factor == 1 else f"{v} * {factor}" for v, factor in terms if factor) or "0"
