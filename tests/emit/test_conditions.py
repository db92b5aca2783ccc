"""What exported C, native code and the C library ask of a compiler: where it is not available, they do not compile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from emit.exported import GCC_AND_CLANG, ISA, NARROW, STRICT, check, has_32_bit, make_case, write
from helpers import needs_compiler

import pygraph as pg

CSRC = Path(__file__).resolve().parents[2] / "csrc"
FAST = "compile without -Ofast and -ffast-math"
MEANING = "compile without -ffinite-math-only and -fno-signed-zeros"
REFUSED = {
    "-Ofast": FAST,
    "-O2 -ffast-math": FAST,
    "-O1 -ffinite-math-only": MEANING,
    "-O1 -mfpmath=387 -m32": "-msse2 -mfpmath=sse",
}
#: Clang has no macro that tells of these; pragmas take their effect away.
GCC_ONLY = {
    "-O2 -funsafe-math-optimizations": FAST,
    "-mfpmath=387 -m32": "-msse2 -mfpmath=sse",
    "-fassociative-math -fno-signed-zeros -fno-trapping-math": FAST,
    "-freciprocal-math": FAST,
    "-fno-signed-zeros": MEANING,
    "-fsingle-precision-constant": "without_fsingle_precision_constant",
}


def compiled(compiler: str, flags: str, file: Path) -> subprocess.CompletedProcess[str]:
    command = [compiler, *STRICT, *flags.split(), "-fsyntax-only", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_compiler
@pytest.mark.parametrize("compiler", GCC_AND_CLANG)
def test_arithmetic_that_would_give_garbage_is_refused(compiler: str, tmp_path: Path) -> None:
    exe = pg.compile(pg.Graph([x := pg.var("x", (3,))], np.exp(x)))
    exe.export_c(tmp_path, "f")
    library = tmp_path / "library.c"
    library.write_text(f'#include "{CSRC / "pg_math.h"}"\ntypedef int some;\n', encoding="utf-8")
    refused = {**REFUSED, **(GCC_ONLY if compiler == "gcc" else {})}
    for flags, said in refused.items():
        if "-m32" in flags and not has_32_bit(compiler):
            continue
        for file in (tmp_path / "f.c", library):
            done = compiled(compiler, flags, file)
            assert done.returncode != 0, f"{flags}: compiled"
            assert said in done.stderr, f"{flags}: {done.stderr}"
    undone = ["-O3 -ffast-math -fno-fast-math"] if compiler == "gcc" else []  # clang warns of it
    for flags in ["-O2", *undone, *[" ".join(NARROW)] * has_32_bit(compiler)]:
        done = compiled(compiler, flags, tmp_path / "f.c")
        assert done.returncode == 0, f"{flags}: {done.stderr}"


@needs_compiler
@pytest.mark.parametrize("compiler", GCC_AND_CLANG)
@pytest.mark.parametrize(
    ("machine", "doubles", "floats"),
    [
        ([], 0, 0),
        (["-D__FMA__"], 1, 1),
        (["-D__FP_FAST_FMA", "-D__FP_FAST_FMAF"], 1, 1),
        (["-D__FP_FAST_FMAF"], 0, 1),
        (["-D__ARM_FEATURE_FMA", "-D__ARM_FP=4"], 0, 1),  # Cortex-M4F: single precision alone
        (["-D__ARM_FEATURE_FMA", "-D__ARM_FP=6"], 0, 1),
        (["-D__ARM_FEATURE_FMA", "-D__ARM_FP=14"], 1, 1),
        (["-D__ARM_FEATURE_FMA"], 0, 0),
        (["-D__aarch64__", "-D__ARM_FEATURE_FMA", "-D__ARM_FP=14"], 1, 1),
    ],
)
def test_a_fused_multiply_add_is_used_in_the_precisions_that_have_one(
    compiler: str, machine: list[str], doubles: int, floats: int
) -> None:
    text = '#include "pg_math_base.h"\nfused PG_HAS_FMA PG_FMA(1, 2, 3) PG_FMAF(1, 2, 3)\n'
    own = ["-U__FMA__", "-U__FP_FAST_FMA", "-U__FP_FAST_FMAF", "-U__ARM_FEATURE_FMA", "-U__ARM_FP", "-U__aarch64__"]
    command = [compiler, "-E", "-P", f"-I{CSRC}", *own, *machine, "-x", "c", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"fused {doubles} "), last
    assert last.count("fma(") == doubles, last
    assert last.count("fmaf(") == floats, last


@needs_compiler
@pytest.mark.parametrize("compiler", [name for name in GCC_AND_CLANG if name == "clang"])
@pytest.mark.parametrize("flags", [["-O3", "-funsafe-math-optimizations"], ["-O3", "-freciprocal-math"]])
def test_clang_is_told_what_it_has_no_macro_for(compiler: str, flags: list[str], tmp_path: Path) -> None:
    x = pg.var("x", (9,))
    graph = pg.Graph([x], (np.exp(x), np.sin(x) / 3.0, pg.digamma(x), np.log1p(x), np.floor(x)), name="f")
    made = [make_case("f", graph, [np.linspace(0.1, 3.0, 9)])]
    write(tmp_path, made)
    check(tmp_path, made, compiler, [*flags, *ISA])
