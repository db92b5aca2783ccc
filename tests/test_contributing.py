"""What CONTRIBUTING.md says about adding an operation is true: its text is applied to a copy of the package and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pygraph as pg
from pygraph.emit.rendering.headers import folder

ROOT = Path(__file__).resolve().parents[1]
CHECK = """
import numpy as np, pygraph as pg
x = np.linspace(-3.0, 3.0, 101)
np.testing.assert_allclose(pg.compile(lambda x: pg.softsign(x) * 2.0)(x), 2.0 * x / (1.0 + abs(x)), rtol=1e-15)
slope = pg.grad(lambda x: pg.sum(pg.softsign(x)))
np.testing.assert_allclose(slope(x), 1.0 / (1.0 + abs(x)) ** 2, rtol=1e-14)
print(pg.__file__)
"""


def rows() -> list[str]:
    blocks = re.findall(r"   ```python\n(.*?)   ```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    return [re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in blocks]


def test_a_row_by_definition_is_one_edit_of_one_file(tmp_path: Path) -> None:
    package = tmp_path / "pygraph"
    shutil.copytree(Path(pg.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(folder(), package / "emit" / "include", dirs_exist_ok=True)  # as an installed copy has them
    file = package / "ops" / "elementwise.py"
    text = file.read_text(encoding="utf-8").replace(
        '__all__ = ["elementwise_op"]', '__all__ = ["elementwise_op", "softsign"]'
    )
    file.write_text(f"{text}\n\n{rows()[0]}", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(package))


def test_the_row_with_a_c_expression_is_accepted_and_asks_for_a_rebuild() -> None:
    check = f"""
import pygraph as pg
from pygraph.ops import arithmetic
from pygraph.ops.elementwise import elementwise_op
{rows()[1]}
print(softsign(3.0))
try:
    pg.compile(lambda x: softsign(x))(1.0)
except pg.UnsupportedError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0.75")
    assert "python -m pygraph.emit.tables" in " ".join(done.stdout.split()).replace("\n    ", " ")
