"""The C expression of every row, for every dtype it takes, compiles without a warning wherever exported C must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from emit.exported import NARROW, ONE_AND_BOTH, STRICT, has_32_bit, run
from helpers import needs_compiler, shallow

from pygraph.emit.prelude import EXPORT, prelude
from pygraph.emit.rendering.expressions import TYPES, expression, fast_text, guard_text, micro_text, operand_dtypes
from pygraph.graph import constant
from pygraph.ops.dtypes import DTYPES, KINDS
from pygraph.ops.table import MICRO_OPS


def values() -> list[tuple[str, list[str], str]]:
    """The type of a value, the types of x0, x1 … and the value: of each row, also with operands that are the same."""
    found = []
    for op, micro in MICRO_OPS.items():
        for dtype in range(len(DTYPES)):
            if op.name == "convert":
                found += [(to, [TYPES[dtype]], micro_text(micro, dtype, k, ["x0"])) for k, to in enumerate(TYPES)]
                continue
            if expression(op, KINDS[DTYPES[dtype]]) is None:
                continue
            given = operand_dtypes(micro, dtype)
            operands = [constant(np.zeros((), DTYPES[x])) for x in given]
            result = DTYPES.index(op(*operands).dtype)
            types = [TYPES[x] for x in given]
            names = [f"x{k}" for k in range(len(types))]
            found.append((TYPES[result], types, micro_text(micro, dtype, result, names)))
            if len(types) > 1:
                alike = [*names[:-1], names[-2]]
                found.append((TYPES[result], types[:-1], micro_text(micro, dtype, result, alike)))
            guard, fast = guard_text(micro, dtype, names), fast_text(micro, dtype, names)
            if guard is not None and fast is not None:
                found += [("int", types, guard), (TYPES[result], types, fast)]
    return found


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
@pytest.mark.parametrize("level", shallow(["-O0", "-O3"]))
def test_every_row_compiles_without_a_warning(compiler: str, level: str, tmp_path: Path) -> None:
    text = ""
    for number, (result, types, value) in enumerate(values()):
        head = f"{result} row{number}({', '.join(f'{kind} x{k}' for k, kind in enumerate(types))})"
        text += f"{head};\n{head} {{\n    const {result} v = {value};\n    return v;\n}}\n"
    (tmp_path / "rows.c").write_text(prelude(text, EXPORT) + text, encoding="utf-8")
    for flags in [[], *(NARROW,) * has_32_bit(compiler)]:
        run([compiler, *STRICT, "-Wshadow", level, *flags, "-c", "rows.c", "-o", "rows.o"], tmp_path)
