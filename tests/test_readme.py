"""The Python in README.md runs as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from helpers import COMPILERS, needs_compiler

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_examples_run_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    namespace: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"README block {number}", "exec"), namespace)
    printed = capsys.readouterr().out
    assert "graph neuron" in printed
    assert "= product" in printed
    assert namespace["history"]["validation_accuracy"][-1] > 0.9
    _check_jacobians(namespace)


@needs_compiler
def test_the_exported_neuron_runs(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (program,) = re.findall(r"```c\n(.*?)```", text, re.DOTALL)
    (tmp_path / "main.c").write_text(program, encoding="utf-8")
    (block,) = [found for found in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if 'name="neuron"' in found]
    namespace: dict[str, Any] = {}
    exec(compile(block, "README block", "exec"), namespace)
    namespace["exe"].export_c(tmp_path, "neuron")
    (arguments,) = re.findall(r"`cc (-std=c99 .*?)`", text)
    for command in ([COMPILERS[0], *arguments.split(), "-o", "program"], ["./program"]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _check_jacobians(found: dict[str, Any]) -> None:
    """The Jacobians are what the comments beside them say."""
    x, dense, sparse = found["x"], found["J"], found["S"]
    expected = np.zeros((398, 400))
    rows = np.arange(398)
    expected[rows, rows] = expected[rows, rows + 2] = -0.5
    expected[rows, rows + 1] = 3 * x[1:-1] ** 2
    np.testing.assert_allclose(dense, expected, rtol=1e-12, atol=1e-15)
    assert min(found["costs"], key=found["costs"].get) == "coloured"
    assert set(found["costs"]) == {"forward", "reverse", "coloured"}
    assert isinstance(sparse, scipy.sparse.csr_array)
    assert sparse.nnz == found["pattern"].nnz == 1194
    np.testing.assert_allclose(sparse.toarray(), expected, rtol=1e-12, atol=1e-15)
    assert found["pg"].sparse_jacobian(found["residual"]).plan(x).stats["colouring"] == "local"
    np.testing.assert_allclose(found["H"], np.diag(-2 * np.cos(2 * x[:5])), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["Hv"], -2 * np.cos(2 * x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["batch"], np.broadcast_to(np.cos(1.0) * np.eye(5), (32, 5, 5)), rtol=1e-14)


def test_every_example_is_listed() -> None:
    listed = re.findall(r"python -m pygraph\.examples\.(\w+)", README.read_text(encoding="utf-8"))
    folder = README.parent / "pygraph" / "examples"
    runnable = [path.stem for path in folder.glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8")]
    assert sorted(listed) == sorted(runnable)
