"""Compiles exported C beside a main that feeds it recorded inputs and writes what comes out, to compare with the VM."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from helpers import COMPILERS, same, shallow

from pygraph.emit.flags import ISA as SETS
from pygraph.graph import Graph
from pygraph.graph.tree import flatten
from pygraph.lower.decode import decode
from pygraph.lower.format import TINY_PRODUCT
from pygraph.lower.instructions import Matmul
from pygraph.runtime.call.executable import Executable
from pygraph.runtime.clib import library

Array = npt.NDArray[Any]

#: What exported C is held to.
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
GCC_AND_CLANG = [name for name in ("gcc", "clang") if name in COMPILERS]
#: One of them, and with `-m deep` the other too.
ONE_AND_BOTH = shallow(GCC_AND_CLANG)
#: The flags of the instruction set that the VM uses on this machine.
ISA = SETS[library.isa()]
SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

#: What a file may need of libm and of the compiler's own library.
LIBM = frozenset(
    [
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "pow",
        "sqrt",
        "fma",
        "fmaf",
        "fmod",
        "fmodf",
        "hypot",
        "lgamma",
        "asin",
        "acos",
        "atan2",
        "floor",
        "ceil",
        "rint",
    ]
)
LIBC = frozenset(["memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"])

_TYPES = {"float64": "double", "float32": "float", "int64": "int64_t", "int32": "int32_t", "bool": "uint8_t"}

_MAIN = """\
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
{includes}

static FILE *given, *found;

static void *room(size_t bytes) {{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL) exit(3);
    memset(memory, 0xa5, bytes > 0 ? bytes : 1);
    return memory;
}}

static void *take(size_t bytes) {{
    void *memory = room(bytes);
    if (fread(memory, 1, bytes, given) != bytes) exit(4);
    return memory;
}}

static void give(const void *memory, size_t bytes) {{
    if (fwrite(memory, 1, bytes, found) != bytes) exit(5);
}}

static void say(int status) {{
    const int32_t word = status;
    give(&word, sizeof word);
}}

{functions}

int main(int argc, char **argv) {{
    if (argc != 3) return 2;
    given = fopen(argv[1], "rb");
    found = fopen(argv[2], "wb");
    if (given == NULL || found == NULL) return 2;
{calls}
    fclose(given);
    return fclose(found);
}}
"""


@dataclass(frozen=True, eq=False)
class Case:
    """One Executable with the arguments of its entries."""

    name: str
    exe: Executable
    arguments: tuple[Array, ...]
    seeds: tuple[Array, ...] = ()
    tangents: tuple[Array, ...] = ()

    @property
    def graph(self) -> Graph:
        return self.exe.graph

    @cached_property
    def uses_blas(self) -> bool:
        """Whether the VM gives a product to BLAS, whose sums have another order."""
        bodies = decode(self.exe.program)
        products = [x for body in bodies for segment in body.segments for x in segment if isinstance(x, Matmul)]
        return any(x.c.dtype < 2 and x.rows * x.columns * x.middle > TINY_PRODUCT for x in products)

    def entries(self) -> list[tuple[str, tuple[Array, ...], list[Array]]]:
        """Each entry's name, what it is given, and what the VM makes of that."""
        forward = self.exe.forward if self.tangents else self.exe
        found = [("forward", self.arguments, _leaves(forward(*self.arguments)))]
        if self.seeds:
            cotangents = iter(self.seeds)
            form = [next(cotangents) if y.dtype.kind == "f" else None for y in self.graph.outputs]
            gradients = self.exe.reverse(self.graph.unflatten(form))
            found.append(("reverse", self.seeds, _leaves(gradients)))
        if self.tangents:
            found.append(("jvp", self.tangents, _leaves(self.exe.jvp(*self.tangents))))
        return found


def _leaves(tree: Any) -> list[Array]:
    return [np.asarray(leaf) for leaf in flatten(tree)[0]]


def make_case(name: str, graph: Graph, arguments: Sequence[Array], seed: int = 0, derivatives: bool = True) -> Case:
    """A case with all floating inputs differentiated, and random seeds and tangents; arguments without containers."""
    graph = Graph(graph.inputs, graph.unflatten(graph.outputs), name=graph.name)
    wrt = [node for node in graph.inputs if node.dtype.kind == "f"] if derivatives else []
    exe = Executable(graph, wrt=wrt or None)
    rng = np.random.default_rng([seed, 9])

    def drawn(nodes: Sequence[Any]) -> tuple[Array, ...]:
        return tuple(np.asarray(rng.uniform(-1, 1, node.shape)).astype(node.dtype) for node in nodes)

    seeds = drawn([y for y in graph.outputs if y.dtype.kind == "f"]) if wrt else ()
    return Case(name, exe, tuple(map(np.asarray, arguments)), seeds, drawn(wrt))


def write(folder: Path, cases: Sequence[Case]) -> None:
    """The exported files, the main and its input."""
    functions, calls = [], []
    for case in cases:
        case.exe.export_c(folder, case.name)
        functions.append(_case_function(case))
        calls.append(f"    case_{case.name}();")
    includes = "\n".join(f'#include "{case.name}.h"' for case in cases)
    text = _MAIN.format(includes=includes, functions="\n\n".join(functions), calls="\n".join(calls))
    (folder / "main.c").write_text(text, encoding="utf-8")
    recorded = [x for case in cases for _, given, _ in case.entries() for x in given]
    (folder / "given.bin").write_bytes(b"".join(np.ascontiguousarray(x).tobytes() for x in recorded))


def _case_function(case: Case) -> str:
    lines = [f"    void *workspace = room({case.name.upper()}_WORKSPACE_BYTES);"]
    number = 0
    for entry, given, results in case.entries():
        words = []
        for x in given:
            kind = _TYPES[x.dtype.name]
            lines.append(f"    {kind} *x{number} = take({x.size} * sizeof({kind}));")
            words.append(f"x{number}")
            number += 1
        written = []
        for y in results:
            kind = _TYPES[y.dtype.name]
            lines.append(f"    {kind} *x{number} = room({y.size} * sizeof({kind}));")
            written.append((f"x{number}", y.nbytes))
            words.append(f"x{number}")
            number += 1
        lines.append(f"    say({case.name}_{entry}({', '.join([*words, 'workspace'])}));")
        lines += [f"    give({word}, {nbytes});" for word, nbytes in written]
    lines += [f"    free(x{i});" for i in range(number)]
    return "\n".join([f"static void case_{case.name}(void) {{", *lines, "    free(workspace);", "}"])


def build(folder: Path, cases: Sequence[Case], compiler: str, flags: Sequence[str]) -> Path:
    """The program made of what `write` wrote."""
    names = [case.name for case in cases]

    def compile_one(name: str) -> str:
        target = f"{name}.o"
        strict = STRICT if name != "main" else ["-std=c99", "-Wall", "-Werror"]
        run([compiler, *strict, *flags, "-c", f"{name}.c", "-o", target], folder)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, [*names, "main"]))
    run([compiler, *flags, *objects, "-lm", "-o", "program"], folder)
    return folder / "program"


def run(command: Sequence[str], folder: Path) -> None:
    """Run a command in a folder; its own words when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@dataclass(frozen=True, eq=False)
class Found:
    """One output of an entry, and what the VM makes of it."""

    case: Case
    title: str
    value: Array
    wanted: Array


def outputs(folder: Path, cases: Sequence[Case], compiler: str, flags: Sequence[str]) -> Iterator[Found]:
    """Compile and run what `write` wrote."""
    program = build(folder, cases, compiler, flags)
    run([str(program), "given.bin", "found.bin"], folder)
    data = (folder / "found.bin").read_bytes()
    at = 0
    for case in cases:
        for entry, _, results in case.entries():
            status = int(np.frombuffer(data, np.int32, 1, at)[0])
            at += 4
            assert status == 0, f"{case.name}_{entry} returned {status}\n{case.graph}"
            for number, wanted in enumerate(results):
                value = np.frombuffer(data, wanted.dtype, wanted.size, at).reshape(wanted.shape)
                at += wanted.nbytes
                yield Found(case, f"{case.name}_{entry}, output {number}", value, wanted)
    assert at == len(data)


def check(folder: Path, cases: Sequence[Case], compiler: str, flags: Sequence[str], exact: bool = True) -> None:
    """Each output has the VM's bits; is near it where BLAS sums in another order, or without `exact`."""
    for found in outputs(folder, cases, compiler, flags):
        said = f"{found.title}: {found.value} for {found.wanted}\n{found.case.graph}\n{found.case.exe.disassemble()}"
        if exact and not found.case.uses_blas:
            assert same(found.value, found.wanted), said
        else:
            limit = 1e-3 if found.value.dtype == np.float32 else 1e-9
            assert np.allclose(found.value, found.wanted, limit, limit, equal_nan=True), said


#: A 32-bit program whose floats are rounded to their own digits.
NARROW = ("-m32", "-msse2", "-mfpmath=sse")


@cache
def has_32_bit(compiler: str) -> bool:
    """Whether there are headers of a 32-bit C library."""
    command = [compiler, "-m32", "-x", "c", "-c", "-", "-o", "/dev/null"]
    done = subprocess.run(command, input="#include <string.h>\n", capture_output=True, text=True, check=False)
    return done.returncode == 0
