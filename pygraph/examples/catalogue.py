"""The lessons and examples that there are, read from their files, which are not run for that."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A lesson or an example.

    Attributes:
        name: of the module.
        path: of its file.
        lesson: its number, or 0 for an example.
        title: the first line of its text, without the number.
        text: the rest.
        source: all of the file.
    """

    name: str
    path: Path
    lesson: int
    title: str
    text: str
    source: str


def entries() -> list[Entry]:
    """The lessons in their order, then the examples by name: all modules of this package that can be run."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        if not any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            continue
        title, _, text = (ast.get_docstring(tree) or "").partition("\n")
        numbered = re.match(r"Lesson (\d+), (.*)", title)
        lesson, said = (int(numbered[1]), numbered[2]) if numbered else (0, title)
        found.append(Entry(path.stem, path, lesson, said[0].upper() + said[1:], text.strip(), source))
    return sorted(found, key=lambda entry: (not entry.lesson, entry.lesson, entry.name))
