"""Executable.export_c: what it writes compiles without a warning anywhere, and gives the VM's bits."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import (
    ISA,
    LIBC,
    LIBM,
    NARROW,
    ONE_AND_BOTH,
    SANITIZERS,
    STRICT,
    Case,
    check,
    has_32_bit,
    make_case,
    outputs,
    run,
    write,
)
from helpers import COMPILERS, needs_compiler

import pygraph as pg


def neuron(dtype: str = "float64") -> pg.Graph:
    w = pg.var("w", (3,), dtype)
    x, y = pg.var("x", (10, 3), dtype), pg.var("y", (10,), dtype)
    return pg.Graph([w, x, y], np.sum((y - pg.sigmoid(x @ w)) ** 2), name="neuron")


def scalars() -> pg.Graph:
    a, b = pg.var("a"), pg.var("b")
    c = np.sin(a * b) + np.exp(a) / (b * b + 1.0)
    return pg.Graph([a, b], {"sum": c + a, "where": pg.where(a < b, c, a)}, name="scalars")


def integers() -> pg.Graph:
    i, j = pg.var("i", (5,), "int64"), pg.var("j", (5,), "int32")
    return pg.Graph([i, j], (i * 3 + j, i // (j + 1), i > j, np.max(j), (i * 0.5).astype("float32")), name="integers")


def moved() -> pg.Graph:
    x, k = pg.var("x", (4, 6)), pg.var("k", (3,), "int64")
    return pg.Graph([x, k], (x[k], x[:, ::-2], x.at[k].add(np.ones((3, 6))), x[1:3].T @ x[:2, :3]), name="moved")


def long_sums() -> pg.Graph:
    x = pg.var("x", (3, 5000), "float32")
    y = pg.var("y", (70_000,))
    return pg.Graph([x, y], (np.sum(x * x, axis=1), np.max(x, axis=0), np.sum(np.tanh(y))), name="long_sums")


def scanned() -> pg.Graph:
    x0, xs = pg.var("x0", (2,)), pg.var("xs", (7, 2))

    def step(carry: Any, x: Any) -> Any:
        moved = np.tanh(carry + x)
        return moved, moved * 2.0

    return pg.Graph([x0, xs], pg.scan(step, x0, xs), name="scanned")


def chosen() -> pg.Graph:
    x, i = pg.var("x", (3,)), pg.var("i", (), "int64")
    return pg.Graph([x, i], pg.switch(i, [lambda v: v * 2.0, np.sin, lambda v: v + 1.0], x), name="chosen")


def repeated(limit: int | None) -> pg.Graph:
    x = pg.var("x", (2,))
    found = pg.while_loop(lambda s: np.sum(s) < 40.0, lambda s: s * 1.5 + np.sin(s), x, limit=limit)
    return pg.Graph([x], found, name="repeated")


def empty() -> pg.Graph:
    x = pg.var("x", (0, 3))
    return pg.Graph([x], (np.sum(x, axis=0), x * 2.0), name="empty")


def named_oddly() -> pg.Graph:
    inputs = [pg.var(name, (2,)) for name in ("double", "α", "params[0].w", "params_0_w", "workspace", "1/x")]
    return pg.Graph(inputs, sum(inputs[1:], inputs[0] * 2.0) ** 2, name="a */ name ??/")


GRAPHS: list[Callable[[], pg.Graph]] = [
    neuron, scalars, integers, moved, long_sums, scanned, chosen, lambda: repeated(20), empty, named_oddly,
    lambda: neuron("float32"),
]  # fmt: skip


def arguments(graph: pg.Graph, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    made = []
    for node in graph.inputs:
        value = rng.uniform(0.1, 2.0, node.shape) if node.dtype.kind == "f" else rng.integers(0, 3, node.shape)
        made.append(np.asarray(value).astype(node.dtype))
    return made


def cases() -> list[Case]:
    graphs = [make() for make in GRAPHS]
    return [make_case(f"g{number}", graph, arguments(graph, number)) for number, graph in enumerate(graphs)]


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_exports_give_the_bits_of_the_vm(compiler: str, level: str, tmp_path: Path) -> None:
    made = cases()
    write(tmp_path, made)
    check(tmp_path, made, compiler, [level, *ISA])


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
def test_exports_under_the_sanitizers(compiler: str, tmp_path: Path) -> None:
    made = cases()
    write(tmp_path, made)
    check(tmp_path, made, compiler, [*SANITIZERS, *ISA])


@needs_compiler
@pytest.mark.parametrize("compiler", ONE_AND_BOTH)
def test_exports_compile_for_32_bit_and_as_any_newer_c(compiler: str, tmp_path: Path) -> None:
    if not has_32_bit(compiler):
        pytest.skip("no headers of a 32-bit C library")
    made = cases()
    write(tmp_path, made)
    for case in made:
        for level in ("-O0", "-O3"):
            run([compiler, *STRICT, level, *NARROW, "-c", f"{case.name}.c", "-o", "m32.o"], tmp_path)
        run([compiler, "-std=gnu17", *STRICT[1:], "-Wshadow", "-fsyntax-only", f"{case.name}.c"], tmp_path)


@needs_compiler
def test_exports_run_as_32_bit_programs(tmp_path: Path) -> None:
    if not has_32_bit("gcc"):
        pytest.skip("no gcc with a 32-bit C library")
    made = cases()
    write(tmp_path, made)
    check(tmp_path, made, "gcc", [*NARROW, "-O2"], exact=False)


def transposed(kind: str, a: Any, b: Any) -> Any:
    return (a.T if kind[0] == "t" else a) @ (b.T if kind[1] == "t" else b)


@needs_compiler
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_products_are_summed_in_order(dtype: str, tmp_path: Path) -> None:
    made = []
    for kind in ("nn", "nt", "tn", "tt"):
        for m, n, k in ((28, 7, 4), (33, 70, 36), (3, 130, 67), (64, 1, 300)):
            shapes = (m, k) if kind[0] == "n" else (k, m), (k, n) if kind[1] == "n" else (n, k)
            a, b = (pg.var(name, shape, dtype) for name, shape in zip("ab", shapes, strict=True))
            graph = pg.Graph([a, b], transposed(kind, a, b))
            values = [x.astype(dtype) for x in map(np.random.default_rng(m).standard_normal, shapes)]
            made.append(make_case(f"{kind}_{m}", graph, values, derivatives=False))
    write(tmp_path, made)
    for found in outputs(tmp_path, made, COMPILERS[0], ["-O3", *ISA]):
        a, b = found.case.arguments
        a, b = (a.T if found.case.name[0] == "t" else a), (b.T if found.case.name[1] == "t" else b)
        wanted = np.zeros(found.wanted.shape, dtype)
        for step in range(a.shape[1]):
            wanted += np.outer(a[:, step], b[step])
        assert np.array_equal(found.value, wanted), found.title


@needs_compiler
def test_an_object_has_no_state_and_needs_libm_alone(tmp_path: Path) -> None:
    made = cases()
    write(tmp_path, made)
    for case in made:
        run([COMPILERS[0], *STRICT, "-O2", "-c", f"{case.name}.c"], tmp_path)
        done = subprocess.run(["nm", f"{case.name}.o"], cwd=tmp_path, capture_output=True, text=True, check=True)
        symbols = [line.split()[-2:] for line in done.stdout.splitlines()]
        assert not [name for kind, name in symbols if kind in "bBdDcC"], "writable data"
        entries = {f"{case.name}_{word}" for word in ("values", "forward", "reverse", "jvp")}
        assert {name for kind, name in symbols if kind == "T"} <= entries, "other names are visible"
        needed = {name for kind, name in symbols if kind == "U"}
        assert needed <= LIBM | LIBC


@needs_compiler
def test_the_header_is_for_cpp_too(tmp_path: Path) -> None:
    pg.compile(neuron(), wrt=["w"]).export_c(tmp_path, "neuron")
    (tmp_path / "main.cpp").write_text('#include "neuron.h"\nint main() { return NEURON_OK; }\n')
    run([COMPILERS[0], "-x", "c++", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "main.cpp"], tmp_path)


def test_the_header_says_what_to_call_and_with_what(tmp_path: Path) -> None:
    source, header = pg.compile(neuron(), wrt=["w"]).export_c(tmp_path, "neuron")
    assert (source, header) == (tmp_path / "neuron.c", tmp_path / "neuron.h")
    text = " ".join(header.read_text(encoding="utf-8").split())
    doubles = "const double *w, const double *x, const double *y, double *out"
    assert f"int neuron_forward({doubles}, void *workspace);" in text
    assert "int neuron_reverse(const double *seed, double *grad_w, void *workspace);" in text
    assert "int neuron_jvp(const double *d_w, double *d_out, void *workspace);" in text
    assert "#define NEURON_X_SIZE 30 #define NEURON_Y_SIZE 10 #define NEURON_OUT_SIZE 1" in text
    assert "x input float64 (10, 3)" in text
    assert "NEURON_INDEX" not in text  # nothing in it can fail so
    assert re.search(r"NEURON_WORKSPACE_BYTES \d+", text)
    code = source.read_text(encoding="utf-8")
    assert "test_export.py" in code
    assert "np.sum((y - pg.sigmoid(x @ w)) ** 2)" in code
    assert "malloc" not in code


def test_names_are_the_users(tmp_path: Path) -> None:
    _, header = pg.compile(scalars(), wrt=["b"]).export_c(tmp_path, "f")
    text = " ".join(header.read_text(encoding="utf-8").split())
    assert (
        "int f_forward(const double *a, const double *b, double *out_sum, double *out_where, void *workspace);" in text
    )
    assert "int f_reverse(const double *seed_sum, const double *seed_where, double *grad_b, void *workspace);" in text
    _, header = pg.compile(named_oddly()).export_c(tmp_path, "odd")
    text = header.read_text(encoding="utf-8")
    for word in ("double_", "alpha", "params_0_w", "params_0_w_2", "workspace_", "x1_x"):
        assert f"const double *{word}," in text
    assert "odd_reverse" not in text


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from emit.test_export import cases; import pathlib\n"
    code += "for case in cases(): case.exe.export_c(sys.argv[2], case.name)"
    for number in ("1", "2"):
        folder = tmp_path / number
        folder.mkdir()
        tests = str(Path(__file__).resolve().parents[1])
        subprocess.run([sys.executable, "-c", code, tests, str(folder)], env={"PYTHONHASHSEED": number}, check=True)
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(files) == 2 * len(GRAPHS)
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


STATUS_MAIN = """\
#include "indexed.h"
#include "other.h"
#include "repeated.h"
#include <stdlib.h>
#include <string.h>
int main(void) {
    void *workspace = malloc(INDEXED_WORKSPACE_BYTES + REPEATED_WORKSPACE_BYTES + OTHER_WORKSPACE_BYTES);
    const double x[5] = {1, 2, 3, 4, 5}, small[2] = {0.0, 0.0}, seed[2] = {1.0, 1.0};
    double out[5];
    int64_t k[2] = {4, -5};
    if (indexed_forward(x, k, out, workspace) != INDEXED_OK || out[0] != 5.0 || out[1] != 1.0) return 1;
    k[1] = -6;
    if (indexed_forward(x, k, out, workspace) != INDEXED_INDEX) return 2;
    memset(workspace, 0xff, REPEATED_WORKSPACE_BYTES);
    if (repeated_reverse(seed, out, workspace) != REPEATED_ARGUMENT) return 6; /* before any forward */
    if (other_forward(x, out, workspace) != OTHER_OK) return 7;
    if (repeated_reverse(seed, out, workspace) != REPEATED_ARGUMENT) return 8; /* after another function's */
    if (other_jvp(x, out, workspace) != OTHER_OK || other_reverse(seed, out, workspace) != OTHER_OK) return 9;
    if (repeated_forward(small, out, workspace) != REPEATED_STEPS) return 3;
    if (repeated_reverse(seed, out, workspace) != REPEATED_ARGUMENT) return 10; /* after one that failed */
    if (repeated_jvp(small, out, workspace) != REPEATED_ARGUMENT) return 11;
    if (repeated_forward(x, out, workspace) != REPEATED_OK) return 4;
    if (repeated_reverse(seed, out, workspace) != REPEATED_OK) return 5;
    free(workspace);
    return 0;
}
"""


@needs_compiler
def test_errors_are_statuses(tmp_path: Path) -> None:
    x, k = pg.var("x", (5,)), pg.var("k", (2,), "int64")
    pg.compile(pg.Graph([x, k], x[k])).export_c(tmp_path, "indexed")
    pg.compile(repeated(20), wrt=["x"]).export_c(tmp_path, "repeated")
    pg.compile(repeated(21), wrt=["x"]).export_c(tmp_path, "other")
    (tmp_path / "main.c").write_text(STATUS_MAIN)
    run(
        [COMPILERS[0], *STRICT, *SANITIZERS, "main.c", "indexed.c", "other.c", "repeated.c", "-lm", "-o", "program"],
        tmp_path,
    )
    run(["./program"], tmp_path)


def test_a_loop_without_a_limit_has_no_exported_derivative(tmp_path: Path) -> None:
    exe = pg.compile(repeated(None), wrt=["x"])
    with pytest.raises(pg.UnsupportedError) as caught:
        exe.export_c(tmp_path, "repeated")
    text = str(caught.value)
    assert "exporting repeated, while_loop" in text
    assert "found = pg.while_loop(" in text
    assert "give pg.while_loop a limit" in text
    assert not list(tmp_path.iterdir())
    pg.compile(repeated(None)).export_c(tmp_path, "repeated")  # its values are no problem


def test_a_derivative_for_reverse_mode_only_leaves_out_the_jvp(tmp_path: Path) -> None:
    halved = pg.custom_derivative(lambda x: x * 0.5, vjp=lambda primals, cotangent: (cotangent * 3.0,))
    x = pg.var("x", (2,))
    _, header = pg.compile(pg.Graph([x], halved(x) * x), wrt=["x"]).export_c(tmp_path, "halved")
    text = header.read_text(encoding="utf-8")
    assert "halved_reverse" in text
    assert "int halved_jvp" not in text
    assert "There is no halved_jvp: " in text


@pytest.mark.parametrize("name", ["", "1x", "a-b", "a b", "naïve", "int", "class", "math", "pg_x", "PG", "_x", "x.c"])
def test_a_name_that_is_no_identifier(name: str, tmp_path: Path) -> None:
    with pytest.raises(pg.SignatureError, match=r"no C identifier|would hide") as caught:
        pg.compile(scalars()).export_c(tmp_path, name)
    assert caught.value.subject == f"the name {name!r}"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pg.compile(scalars()).export_c(tmp_path / "nowhere", "f")


def test_importing_pygraph_loads_no_emitter() -> None:
    code = "import sys, pygraph; assert not [name for name in sys.modules if name.startswith('pygraph.emit.')]"
    subprocess.run([sys.executable, "-c", code], check=True)
