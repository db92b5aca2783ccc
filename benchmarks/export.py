"""Exported C beside CasADi's for thirteen models: time with each sweep, text size, stack and workspace."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import pygraph as pg
from pygraph.emit.flags import ISA
from pygraph.runtime.clib.library import isa

from .export_models import MODELS, Model, Objects
from .harness import Figure, Report, peer, print_rest

#: Calls of a sample, and samples of each function; the least time counts, as all else is the machine's.
CALLS, SAMPLES = 2_000, 15

_MAIN = """\
#define _POSIX_C_SOURCE 199309L
#include "{name}.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
{declared}
static double now(void) {{
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return 1e9 * (double)at.tv_sec + (double)at.tv_nsec;
}}
static double workspace[{name_upper}_WORKSPACE_BYTES / 8 + 1];
{arrays}
int main(void) {{
    double best[4] = {{1e30, 1e30, 1e30, 1e30}};
    for (int sample = 0; sample < {samples}; sample++) {{
{loops}
    }}
    for (int k = 0; k < 4; k++) printf("%.1f ", best[k] / {calls});
{shown}
    return 0;
}}
"""
_LOOP = """\
        {{
            const double start = now();
            for (int i = 0; i < {calls}; i++) {{
                {call}
            }}
            const double taken = now() - start;
            if (taken < best[{k}]) best[{k}] = taken;
        }}"""


def run(rounds: int | None) -> Report:
    """Measure the workload and print it."""
    report = Report("export")
    compiler = shutil.which("gcc")
    casadi = peer("casadi", report.left_out)
    if compiler is None:
        report.left_out.append("gcc (not installed)")
    if compiler is not None and casadi is not None:
        print(
            "\n## export: C of thirteen models beside CasADi's, gcc -O3 for time, -Os for text; ratios are ours / its"
        )
        head = (
            "model",
            "reverse ns",
            "CasADi",
            "ratio",
            "jvp ns",
            "CasADi",
            "ratio",
            "text",
            "CasADi",
            "stack",
            "CasADi",
            "workspace",
        )
        print(" ".join(f"{word:>10}" for word in head))
        for model in MODELS:
            with tempfile.TemporaryDirectory() as folder:
                _measure(model, Path(folder), casadi, report, rounds or SAMPLES)
    print_rest(report)
    return report


def _measure(model: Model, folder: Path, casadi: Any, report: Report, samples: int) -> None:
    exe = pg.compile(model.recorded(), wrt=[0], backend="vm")
    pg.export_c(folder, model.name, {"f": exe}, assume_finite=True)
    sizes = _casadi(model, folder, casadi)
    seed, tangent = np.ones(sizes[0]), np.ones(np.size(model.arguments[0]))
    _main(model, folder, seed, tangent, sizes, samples)
    sources = (f"{model.name}.c", "theirs.c")
    flags = ["-std=c99", *ISA[isa()]]
    for source in sources:
        _run(["gcc", *flags, "-O3", "-c", source, "-o", source.replace(".c", ".o")], folder)
    objects = [source.replace(".c", ".o") for source in sources]
    _run(["gcc", *flags, "-O1", "main.c", *objects, "-lm", "-o", "program"], folder)
    out = _run(["./program"], folder).split("\n")
    ours_reverse, theirs_reverse, ours_jvp, theirs_jvp = map(float, out[0].split()[:4])
    for line in out[1:3]:
        mine, other = (np.array(part.split(), float) for part in line.split("|"))
        limit = 1e-4 if np.asarray(model.arguments[0]).dtype == np.float32 else 1e-9
        assert np.allclose(mine, other, rtol=limit, atol=limit), f"{model.name}: {mine} and {other}"
    texts, stacks = zip(*(_size(source, folder, flags) for source in sources), strict=True)
    (bytes_,) = re.findall(rf"{model.name.upper()}_F_WORKSPACE_BYTES +(\d+)", (folder / f"{model.name}.h").read_text())
    row = (ours_reverse, theirs_reverse, ours_reverse / theirs_reverse, ours_jvp, theirs_jvp, ours_jvp / theirs_jvp)
    cells = [f"{x:10.0f}" if k % 3 < 2 else f"{x:10.2f}" for k, x in enumerate(row)]
    cells += [f"{x:>10}" for x in (*texts, *stacks, bytes_)]
    print(f"{model.name:>10}", *cells)
    report.figures += [
        Figure(f"{model.name}: forward and reverse, ours / CasADi's", row[2], "", 1.0),
        Figure(f"{model.name}: forward and jvp, ours / CasADi's", row[5], "", 1.0),
        Figure(f"{model.name}: text at -Os, ours / CasADi's", texts[0] / texts[1], ""),
    ]


def _casadi(model: Model, folder: Path, casadi: Any) -> tuple[int, int, int, int]:
    """Writes theirs.c: a function of values and gradients, and one of values and tangents.

    Returns:
        The elements of a result, and how many pointers, integers and doubles the functions need.
    """
    objects = Objects(casadi)
    vectors, arrays = zip(*(objects.symbols(x) for x in model.arguments), strict=True)
    y = objects.column(model.function(objects, *arrays))
    seed, tangent = casadi.SX.sym("seed", y.size1()), casadi.SX.sym("tangent", vectors[0].size1())
    pulled = casadi.jtimes(y, vectors[0], seed, True)
    pushed = casadi.jtimes(y, vectors[0], tangent)
    code = casadi.CodeGenerator("theirs.c")
    needs = [0, 0, 0]
    for name, given, outputs in (("reverse", seed, pulled), ("push", tangent, pushed)):
        function = casadi.Function(f"theirs_{name}", [*vectors, given], [y, outputs], {"cse": True})
        code.add(function)
        sizes = (function.sz_arg() + function.sz_res(), function.sz_iw(), function.sz_w())
        needs = list(map(max, needs, sizes))
    code.generate(f"{folder}/")
    return int(y.size1()), *needs


def _main(model: Model, folder: Path, seed: Any, tangent: Any, sizes: tuple[int, int, int, int], samples: int) -> None:
    """The main that times the four functions, and shows what the first two and the last two give."""
    single = np.asarray(model.arguments[0]).dtype == np.float32
    kind = "float" if single else "double"
    lines = []
    for at, x in enumerate((*model.arguments, seed, tangent)):
        values = ", ".join(float(v).hex() for v in np.ravel(np.asarray(x, float)))
        lines.append(f"static double d{at}[] = {{{values}}};")
        lines.append(f"static {kind} x{at}[sizeof d{at} / 8];")
    count = len(model.arguments)
    outputs, inputs = sizes[0], len(tangent)
    lines += [
        f"static {kind} y[{outputs}], gradient[{inputs}], pushed[{outputs}];",
        f"static double other_y[{outputs}], other_gradient[{inputs}], other_pushed[{outputs}];",
        f"static const double *arg[{sizes[1] + 1}];\nstatic double *res[{sizes[1] + 1}];",
        f"static long long iw[{sizes[2] + 1}];\nstatic double w[{sizes[3] + 1}];",
    ]
    given = ", ".join(f"x{at}" for at in range(count))
    forward = f"{model.name}_f_forward({given}, y, workspace);"
    step = "x0[0] += 0;"
    theirs = "".join(f"arg[{at}] = d{at}; " for at in range(count)) + "res[0] = other_y;"
    calls = [
        f"{step} {forward} {model.name}_f_reverse(x{count}, gradient, workspace);",
        f"{theirs} arg[{count}] = d{count}; res[1] = other_gradient; theirs_reverse(arg, res, iw, w, 0);",
        f"{step} {forward} {model.name}_f_jvp(x{count + 1}, pushed, workspace);",
        f"{theirs} arg[{count}] = d{count + 1}; res[1] = other_pushed; theirs_push(arg, res, iw, w, 0);",
    ]
    loops = [_LOOP.format(calls=CALLS, call=call, k=k) for k, call in enumerate(calls)]
    fill = [
        f"    for (size_t i = 0; i < sizeof d{at} / 8; i++) x{at}[i] = ({kind})d{at}[i];" for at in range(count + 2)
    ]
    shown = ['    printf("\\n");']
    for mine, other, length in (("gradient", "other_gradient", inputs), ("pushed", "other_pushed", outputs)):
        shown += [f'    for (int i = 0; i < {length}; i++) printf("%.17g ", (double){mine}[i]);', '    printf("| ");']
        shown += [f'    for (int i = 0; i < {length}; i++) printf("%.17g ", {other}[i]);', '    printf("\\n");']
    declared = "\n".join(
        f"int theirs_{name}(const double **arg, double **res, long long *iw, double *w, int mem);"
        for name in ("reverse", "push")
    )
    text = _MAIN.format(
        name=model.name,
        name_upper=f"{model.name.upper()}_F",
        declared=declared,
        arrays="\n".join(lines),
        samples=samples,
        loops="\n".join(loops),
        calls=CALLS,
        shown="\n".join(shown),
    )
    start = "    double best[4]"
    (folder / "main.c").write_text(text.replace(start, "\n".join([*fill, start]), 1), encoding="utf-8")


def _size(source: str, folder: Path, flags: Sequence[str]) -> tuple[int, int]:
    """The bytes of text at -Os, and of the largest frame on the stack."""
    _run(["gcc", *flags, "-Os", "-fstack-usage", "-c", source, "-o", "size.o"], folder)
    text = int(_run(["size", "size.o"], folder).split("\n")[1].split()[0])
    frames = [int(line.split("\t")[1]) for line in (folder / "size.su").read_text().splitlines()]
    return text, max(frames)


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
