"""Calls of exported functions: a main that makes them with given arrays, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import Any

import numpy as np
import numpy.typing as npt
from emit.exported import run as succeed

Array = npt.NDArray[Any]

_TYPES = {"float64": "double", "float32": "float", "int64": "int64_t", "int32": "int32_t", "bool": "uint8_t"}
_MAIN = """\
#include "{name}.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const void *memory, size_t bytes) {{
    const unsigned char *each = (const unsigned char *)memory;
    for (size_t i = 0; i < bytes; i++) printf("%02x", each[i]);
    printf("\\n");
}}

int main(void) {{
    int status = 0;
{lines}
    return 0;
}}
"""


@dataclass(frozen=True, eq=False)
class Call:
    """A call of a C function in a workspace: its inputs, and what its outputs should be; None for NULL."""

    function: str
    inputs: Sequence[Any]
    outputs: Sequence[Any]
    status: int = 0


def write_calls(folder: Path, name: str, runs: Sequence[tuple[str, Sequence[Call]]], cpp: bool = False) -> None:
    """The main of runs: for each a macro that says how large its workspace is, and the calls in it."""
    lines: list[str] = []
    for bytes_macro, calls in runs:
        lines += ["{", f"    void *workspace = malloc({bytes_macro});", f"    memset(workspace, 0xa5, {bytes_macro});"]
        for call in calls:
            words = []
            lines.append("    {")
            for number, x in enumerate((*call.inputs, *call.outputs)):
                if x is None:
                    words.append("NULL")
                    continue
                array = np.asarray(x)
                kind, given = _TYPES[array.dtype.name], number < len(call.inputs)
                values = ", ".join(map(_text, array.reshape(-1).tolist())) if given and array.size else "0"
                words.append(f"x{number}")
                const = "const " if given else ""
                lines.append(f"    static {const}{kind} x{number}[{max(array.size, 1)}] = {{{values}}};")
            lines.append(f"    status = {call.function}({', '.join([*words, 'workspace'])});")
            lines.append("    show(&status, sizeof status);")
            for number, x in enumerate(call.outputs, len(call.inputs)):
                if x is not None:
                    lines.append(f"    show(x{number}, {np.asarray(x).nbytes});")
            lines.append("    }")
        lines += ["    free(workspace);", "}"]
    text = _MAIN.format(name=name, lines="\n".join("    " + line for line in lines))
    (folder / ("main.cpp" if cpp else "main.c")).write_text(text, encoding="utf-8")


def _text(value: Any) -> str:
    return float(value).hex() if isinstance(value, float) else str(int(value))


def check_calls(
    folder: Path,
    runs: Sequence[tuple[str, Sequence[Call]]],
    program: Sequence[str],
    order: str = "<",
    ulps: int = 0,
) -> None:
    """Run the program; every output has the bits that are wanted, or is near enough.

    Args:
        order: "<" or ">": which byte of a number the machine has first.
        ulps: how far a number may be from what is wanted, in units of the largest one's last place.
    """
    done = run(program, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = iter(done.stdout.split("\n"))

    def read(dtype: Any, shape: tuple[int, ...]) -> Array:
        found = np.frombuffer(bytes.fromhex(next(shown)), np.dtype(dtype).newbyteorder(order))
        return found.astype(dtype).reshape(shape)

    for _, calls in runs:
        for call in calls:
            status = read(np.int32, ())
            assert status == call.status, call
            for number, wanted in enumerate(call.outputs):
                if wanted is not None:
                    array = np.asarray(wanted)
                    found = read(array.dtype, array.shape)
                    limit = ulps * np.spacing(np.max(np.abs(array), initial=1.0)) if array.dtype.kind == "f" else 0
                    near = found.tobytes() == array.tobytes() or np.all(np.abs(found - array) <= limit)
                    assert near if limit else found.tobytes() == array.tobytes(), (
                        f"{call.function}, output {number}: {found} for {array}"
                    )
    assert list(shown) == [""]


def build_and_check(
    folder: Path, name: str, runs: Sequence[tuple[str, Sequence[Call]]], compiler: str, flags: Sequence[str]
) -> None:
    """Compile NAME.c beside a main that makes these calls; run and check it."""
    write_calls(folder, name, runs)
    succeed([compiler, *flags, "main.c", f"{name}.c", "-lm", "-o", "program"], folder)
    check_calls(folder, runs, ["./program"])
