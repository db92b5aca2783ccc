"""A lesson as cells: its text, its functions a few at a time, and the steps of its `main`, one section a cell."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import pairwise

from ..examples.catalogue import Entry

#: Definitions share a cell while it has at most so many lines.
LINES = 24


@dataclass(frozen=True)
class Cell:
    """A part of a notebook: Markdown, or Python."""

    kind: str
    source: str


def cells(lesson: Entry) -> list[Cell]:
    """The cells of a lesson; together the code does what running the module does, in the notebook's own namespace.

    Where the lesson has a function `plot`, its picture is the last cell's result.
    """
    title = f"# Lesson {lesson.lesson}: {lesson.title.rstrip('.').split(': ')[0]}"
    found = [Cell("markdown", f"{title}\n\n{lesson.text}")]
    lines = lesson.source.splitlines()
    tree = ast.parse(lesson.source)
    body = [node for node in tree.body if not _is_guard(node)]
    if ast.get_docstring(tree) is not None:
        body = body[1:]
    (main,) = (node for node in body if isinstance(node, ast.FunctionDef) and node.name == "main")
    own = [node for node in body if node is not main]
    imports = [node for node in own if isinstance(node, (ast.Import, ast.ImportFrom))]
    text = "\n".join(_text(lines, node) for node in imports if not _is_future(node))
    found.append(Cell("code", re.sub(r"^from \.(\w+) import", r"from pygraph.examples.\1 import", text, flags=re.M)))
    group: list[str] = []
    for node in own:
        if node in imports:
            continue
        text = _text(lines, node)
        if group and sum(part.count("\n") + 2 for part in [*group, text]) > LINES:
            found.append(Cell("code", "\n\n".join(group)))
            group = []
        group.append(text)
    found += [Cell("code", "\n\n".join(group))] if group else []
    found += [Cell("code", source) for source in _sections(lines, main)]
    if any(isinstance(node, ast.FunctionDef) and node.name == "plot" for node in own):
        found.append(Cell("code", "plot()"))
    return found


def _is_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__")


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _text(lines: list[str], node: ast.stmt) -> str:
    """The source of a statement with its decorators and the comments right above it."""
    first = min([node.lineno, *(found.lineno for found in getattr(node, "decorator_list", []))]) - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def _sections(lines: list[str], main: ast.FunctionDef) -> list[str]:
    """The statements of `main`, those from one heading that it prints to the next; without those on its arguments."""
    arguments = {argument.arg for argument in main.args.args}
    body = [node for node in main.body[1:] if not arguments & _names(node)]
    starts = [0, *(i for i, node in enumerate(body) if i and _is_heading(node)), len(body)]
    found = []
    for first, end in pairwise(starts):
        texts = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in body[first:end]]
        indent = main.body[0].col_offset
        found.append("\n".join(line[indent:] for line in "\n".join(texts).splitlines()))
    return found


def _names(node: ast.stmt) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


def _is_heading(node: ast.stmt) -> bool:
    """Whether a statement prints an empty line and then a text: a new part of the lesson."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args):
        return False
    said = node.value.args[0]
    if isinstance(said, ast.JoinedStr) and said.values:
        said = said.values[0]
    return isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value.startswith("\n")
