"""Exported files as every C from C99 on and as C++, also two of them in one translation unit."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import ISA, STRICT, run
from emit.exported_calls import check_calls, write_calls
from emit.test_export import long_sums, repeated, scanned
from emit.test_export_functions import functions, null_runs

import pygraph as pg

#: Compilers of the default run and, with `-m deep`, of all others; each with the newest standard that it may not have.
DIALECTS = [("gcc", ["c99"]), ("g++", ["c++17"]), ("clang", ["c17", "c2x"]), ("clang++", ["c++17", "c++20"])]
MORE = [("gcc", ["c11", "c17", "c2x"]), ("g++", ["c++20"]), ("clang", ["c99", "c11"])]


def kernels() -> dict[str, Any]:
    """What else there is to write: kernels of linear algebra, sorting and draws, loops with tapes, long sums."""
    square, row = np.ones((4, 4)), np.ones(300)
    return {
        "algebra": (lambda a: (np.linalg.inv(a), np.linalg.eigh(a), np.linalg.qr(a), np.linalg.svd(a)), square),
        "sorting": (lambda x: (np.sort(x), np.argsort(x), np.median(x), np.cumsum(x), np.argmax(x)), row),
        "draws": (lambda key: (pg.random.normal(key, (3,)), pg.random.gamma(key, 2.0, (3,))), pg.random.key(0)),
        "product": (lambda a, b: a @ b, np.ones((20, 30)), np.ones((30, 10))),
        "repeated": pg.compile(repeated(20), wrt=["x"]),
        "scanned": pg.compile(scanned(), wrt=["x0"]),
        "sums": long_sums(),
    }


def checked(compiler: str, standards: list[str], folder: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    language = ["-x", "c++"] if compiler.endswith("++") else []
    for standard in standards:
        command = [compiler, *language, f"-std={standard}", *STRICT[1:], "-Wshadow", "-fsyntax-only", "both.c"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode and re.search(r"invalid value|unrecognized command-line option", done.stderr):
            continue  # a compiler from before that standard
        assert done.returncode == 0, done.stderr


def written(folder: Path) -> None:
    pg.export_c(folder, "net", functions())
    pg.export_c(folder, "more", kernels())
    (folder / "both.c").write_text('#include "net.c"\n#include "more.c"\n', encoding="utf-8")


def test_two_exports_are_one_unit_of_any_dialect(tmp_path: Path) -> None:
    written(tmp_path)
    for compiler, standards in DIALECTS[:2]:
        if shutil.which(compiler):
            checked(compiler, standards, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize(("compiler", "standards"), DIALECTS[2:] + MORE)
def test_two_exports_in_more_dialects(compiler: str, standards: list[str], tmp_path: Path) -> None:
    written(tmp_path)
    checked(compiler, standards, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_an_export_runs_as_cpp(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    pg.export_c(tmp_path, "net", functions())
    write_calls(tmp_path, "net", null_runs(), cpp=True)
    flags = ["-x", "c++", "-std=c++17", "-O2", "-ffp-contract=off", *ISA]
    run([compiler, *flags, "main.cpp", "net.c", "-o", "program"], tmp_path)
    check_calls(tmp_path, null_runs(), ["./program"])
