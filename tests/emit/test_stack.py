"""What exported functions take of the stack: large arrays are in the workspace, and the header's bound holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emit.exported import STRICT, run
from emit.test_export import scalars
from emit.test_exported_models import mixture, posterior

import pygraph as pg

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc, which writes the sizes of frames")


def functions() -> dict[str, Any]:
    square, row = np.ones((32, 32)), np.ones(1000)
    return {
        "mixture": (pg.value_and_grad(posterior, (0, 1, 2)), *mixture(20, 3, 4)),
        "product": (lambda a, b: np.tanh(a @ b), square, square),
        "sums": (lambda x: (np.sum(np.exp(x)), np.max(np.sin(x * x))), row),
        "narrow": (lambda x: np.sum(np.tanh(x), axis=0), np.ones((300, 3), "float32")),
        "columns": (lambda x: np.sum(np.tanh(x), axis=0), np.ones((50, 40), "float32")),
        "inverse": (np.linalg.inv, np.ones((5, 5))),
        "scalars": pg.compile(scalars(), wrt=["a", "b"]),
    }


def deepest(graph: str) -> int:
    """The bytes of the longest chain of calls in what `gcc -fcallgraph-info=su` wrote."""
    own = {title: int(nbytes) for title, nbytes in re.findall(r'title: "([^"]+)" label: "[^"]*?\\n(\d+) bytes', graph)}
    calls: dict[str, set[str]] = {}
    for caller, callee in re.findall(r'sourcename: "([^"]+)" targetname: "([^"]+)"', graph):
        calls.setdefault(caller, set()).add(callee)

    def at(name: str) -> int:
        return own.get(name, 0) + max((at(callee) for callee in calls.get(name, ())), default=0)

    assert own, "gcc wrote no sizes"
    return max(map(at, own))


def bound(header: Path) -> int:
    found = re.search(r"_STACK_BYTES (\d+)", header.read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1])


@needs_gcc
def test_the_bound_of_the_header_holds(tmp_path: Path) -> None:
    some = {
        name: function for name, function in functions().items() if name in ("mixture", "product", "narrow", "sums")
    }
    source, header = pg.export_c(tmp_path, "net", some)
    assert not [
        line
        for line in re.findall(
            r"^ +(?:double|float|\w+_t) \w+\[\d+\];", source.read_text(encoding="utf-8"), re.MULTILINE
        )
        if int(re.findall(r"\[(\d+)\]", line)[0]) > 32
    ]
    run(["gcc", *STRICT, "-Os", "-fcallgraph-info=su", "-c", "net.c"], tmp_path)
    taken = deepest((tmp_path / "net.ci").read_text(encoding="utf-8"))
    assert taken <= bound(header) <= 4096


@needs_gcc
@pytest.mark.deep
@pytest.mark.parametrize("level", ["-O1", "-O2", "-O3", "-O2 -m32 -msse2 -mfpmath=sse"])
def test_the_bound_at_each_level(level: str, tmp_path: Path) -> None:
    for name, function in functions().items():
        _, header = pg.export_c(tmp_path, name, {"f": function})
        command = ["gcc", *STRICT, *level.split(), "-fcallgraph-info=su", "-c", f"{name}.c"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if "-m32" in level and done.returncode and "No such file" in done.stderr:
            pytest.skip("no headers of a 32-bit C library")
        assert done.returncode == 0, done.stderr
        assert deepest((tmp_path / f"{name}.ci").read_text(encoding="utf-8")) <= bound(header), name


@needs_gcc
def test_buffers_have_the_size_of_what_they_hold(tmp_path: Path) -> None:
    _, header = pg.export_c(tmp_path, "net", {"f": (pg.value_and_grad(posterior, (0, 1, 2)), *mixture(20, 3, 4))})
    (nbytes,) = re.findall(r"NET_F_WORKSPACE_BYTES +(\d+)", header.read_text(encoding="utf-8"))
    assert int(nbytes) < 20_000
