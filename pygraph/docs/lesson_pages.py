"""The lessons as pages: the cells of their notebooks, with what they print and draw."""

from __future__ import annotations

import contextlib
import io
import linecache
from pathlib import Path
from typing import Any

from ..examples.catalogue import entries
from .lesson_cells import cells


def write_lesson_pages(folder: Path) -> None:
    """Run the lessons' cells, and write a page for each of them to `folder`, with its pictures."""
    names = []
    for lesson in entries():
        if not lesson.lesson:
            continue
        parts, namespace = list[str](), {"__name__": "__main__"}  # as in a notebook
        for number, cell in enumerate(cells(lesson)):
            if cell.kind == "markdown":
                parts.append(cell.source)
                continue
            printed, result = run_cell(cell.source, f"<{lesson.name} {number}>", namespace)
            parts.append(f"```python\n{cell.source}\n```")
            if printed:
                parts.append(f"```text\n{printed.rstrip()}\n```")
            if hasattr(result, "savefig"):
                result.savefig(folder / f"{lesson.name}.svg")
                parts.append(f"![The plots of this lesson]({lesson.name}.svg)")
        parts.append(f"Run it: `python -m pygraph.examples.{lesson.name}`")
        (folder / f"{lesson.name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        names.append(lesson.name)
    tree = "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"
    about = (
        "Five lessons on the chain rule, from one neuron to nets. `python -m pygraph.docs notebooks FOLDER` writes"
        " them as Jupyter notebooks."
    )
    (folder / "index.md").write_text(f"# Lessons\n\n{about}\n\n{tree}", encoding="utf-8")


def run_cell(source: str, name: str, namespace: dict[str, Any]) -> tuple[str, Any]:
    """Run a cell as a notebook does: what it prints, and the value of its last expression."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)  # so that its lines are found
    printed, result = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        if source == "plot()":
            result = eval(compile(source, name, "eval", dont_inherit=True), namespace)
        else:
            exec(compile(source, name, "exec", dont_inherit=True), namespace)
    return printed.getvalue(), result
