"""The table of an exported file, and the program that reads and writes text by it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from emit.exported import ISA, STRICT, run
from helpers import COMPILERS, needs_compiler

import pygraph as pg


def mixed() -> pg.Graph:
    x, n, flag = pg.var("x", (2, 3)), pg.var("n", (), "int32"), pg.var("flag", (2,), "bool")
    return pg.Graph([x, n, flag], (np.sum(x, axis=1), (x * 0.1).astype("float32"), n * 2, ~flag), name="mixed")


def exported(folder: Path) -> None:
    def cost(x):  # type: ignore[no-untyped-def]
        return np.sum((x[1:] - x[:-1] ** 2) ** 2)

    layer = pg.compile(pg.trace(np.tanh, np.ones(2)), wrt=[0])
    functions = {"mixed": mixed(), "hessian": (pg.sparse_hessian(cost), np.ones(3)), "layer": layer}
    pg.export_c(folder, "net", functions, main=True)


@needs_compiler
def test_the_program_reads_and_writes_text(tmp_path: Path) -> None:
    exported(tmp_path)
    run([COMPILERS[0], *STRICT, "-O0", *ISA, "net.c", "net_main.c", "-lm", "-o", "program"], tmp_path)

    def output(given: str, *functions: str, status: int = 0) -> list[list[str]]:
        command = ["./program", *functions]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, input=given, check=False)
        assert done.returncode == status, done.stderr
        return [line.split() for line in (done.stdout or done.stderr).splitlines()]

    x = np.array([[0.1, 2.0, -3.0], [np.inf, 1e-300, 7.0]])
    found = output("0.1 2 -3 inf 1e-300 0x7p0 -21 1 0", "net_mixed")
    assert [line[0] for line in found] == ["out_0", "out_1", "out_2", "out_3"]
    sums, tenth, twice, opposite = (line[1:] for line in found)
    assert list(map(float, sums)) == np.sum(x, axis=1).tolist()
    assert [np.float32(word) for word in tenth] == (x * 0.1).astype("float32").ravel().tolist()
    assert (twice, opposite) == (["-42"], ["0", "1"])
    gradient = output("0.5 -1  1 2", "net_layer_forward", "net_layer_reverse")[1]
    assert np.allclose(np.array(gradient[1:], float), np.array([1.0, 2.0]) / np.cosh([0.5, -1.0]) ** 2, rtol=1e-15)
    assert output("1 2", "net_layer_reverse", status=1) == [["net_layer_reverse:", "status", "5"]]
    assert "x: 6 numbers are needed" in " ".join(output("1 2", "net_mixed", status=2)[0])
    assert "x is no number" in " ".join(output("1 2 x", "net_mixed", status=2)[0])
    for word in ("2147483648", "99999999999999999999", "2.5"):
        assert f"n: {word} is no number of int32" in " ".join(output(f"1 2 3 4 5 6 {word}", "net_mixed", status=2)[0])
    assert output("0 0 0 0 0 0 010 0 0", "net_mixed")[2] == ["out_2", "20"]  # not octal
    assert "no function f" in " ".join(output("", "f", status=2)[0])
    listed = output("")
    assert [line[0] for line in listed if len(line) == 1][:2] == ["net_mixed", "net_hessian"]
    assert ["input", "x", "float64", "(2,", "3)"] in listed


def test_the_table_says_what_there_is(tmp_path: Path) -> None:
    exported(tmp_path)
    header, source = ((tmp_path / f"net.{ending}").read_text(encoding="utf-8") for ending in "hc")
    assert "#define NET_FUNCTIONS 6" in header
    assert '{"net_hessian", ' in source
    assert "{3, 3, 7, net_hessian_csr_indptr, net_hessian_csr_indices, net_hessian_ccs_indptr," in source
    pg.export_c(tmp_path, "net", {"functions": mixed()})
    assert "NET_FUNCTIONS " not in (tmp_path / "net.h").read_text(encoding="utf-8")
    with pytest.raises(pg.SignatureError, match="net_functions"):
        pg.export_c(tmp_path, "net", {"functions": mixed()}, metadata=True)
