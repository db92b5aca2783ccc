"""A copy of the project's sources: it is edited, installed into a folder of its own, and run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from helpers import COMPILER_MARKS

ROOT = Path(__file__).resolve().parents[2]
MARKS = [
    pytest.mark.deep,
    pytest.mark.skipif(not (ROOT / "csrc").exists(), reason="the C sources are not beside the tests"),
    *COMPILER_MARKS,
]


class Copy:
    """The sources in a folder, and who edited which of its files.

    Attributes:
        edited: the files by who edited them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edited: dict[str, set[str]] = defaultdict(set)
        for name in ("pygraph", "csrc"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "_libs"))
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in"):
            shutil.copy(ROOT / name, folder / name)

    def append(self, who: str, file: str, text: str) -> None:
        """Add to the end of a file, which need not be there."""
        with (self.folder / file).open("a", encoding="utf-8") as end:
            end.write(text)
        self.edited[who].add(file)

    def replace(self, who: str, file: str, *pairs: tuple[str, str]) -> None:
        """Edit a file: each first text, which it has, becomes the second."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, f"{file} has no {old!r}"
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        self.edited[who].add(file)

    def changed(self) -> set[str]:
        """The files that differ from the project's, without those that are generated."""
        found = set()
        for path in self.folder.rglob("*.*"):
            file = path.relative_to(self.folder)
            if path.suffix in (".py", ".c", ".h") and {"generated", "build"}.isdisjoint(file.parts):
                original = ROOT / file
                if not original.exists() or original.read_bytes() != path.read_bytes():
                    found.add(file.as_posix())
        return found

    def installed(self, target: Path) -> Path:
        """Generate the headers, build, and install into `target`."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        # the headers are made without the C library, which can't be loaded before it is built from them
        install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), "."]
        for command in (["-m", "pygraph.emit.tables"], install):
            _run(command, self.folder, environment)
        return target


def run(installed: Path, *command: str) -> str:
    """What a command of Python prints with the installed copy."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    return _run(command, installed, environment)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout
