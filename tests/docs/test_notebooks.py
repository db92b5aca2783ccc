"""The lessons as notebooks: valid, and they run from a fresh kernel to the figures of the lessons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pygraph.docs.lesson_cells import cells
from pygraph.docs.notebooks import notebook, write_notebooks
from pygraph.examples.catalogue import Entry, entries

LESSONS = [entry for entry in entries() if entry.lesson]
#: What the cells of each lesson print, among others.
PRINTED = {
    "chain_rule": ["0.7312551", "= -0.10573", "finite difference                 -0.10510"],
    "backpropagation": ["dJ/dz = -0.2497 is computed once", "w = 2.0479336  b = -1.9754037"],
    "two_layer_net": ["100 rows", "softmax, cross-entropy"],
    "multivariate_chain_rule": ["forward mode 336; reverse mode 336", "an array of shape ()"],
    "nested_functions": ["-2 · 3 = -6", "[leaky_relu, square, sigmoid]"],
}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda entry: entry.name)
def test_a_notebook_holds_all_of_its_lesson(lesson: Entry) -> None:
    """Every line of code of the lesson, but for what only a script has."""
    made = notebook(lesson)
    assert made["cells"][0]["source"][0].startswith(f"# Lesson {lesson.lesson}: ")
    assert lesson.text.splitlines()[-1] in "".join(made["cells"][0]["source"])
    code = {line.strip() for cell in cells(lesson) if cell.kind == "code" for line in cell.source.splitlines()}
    body = lesson.source.split('"""', 2)[2].split("\nif __name__")[0]
    left_out = {line.strip() for line in body.splitlines()} - code
    script = ("from __future__", "from .", "def main(", '"""Print the lesson', "if path is not None", "plot(path)")
    assert [line for line in left_out if line and not line.startswith(script) and "{path}" not in line] == []
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])


@pytest.mark.deep
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda entry: entry.name)
def test_the_cells_run_in_a_fresh_process(lesson: Entry, tmp_path: Path) -> None:
    """As IPython runs them: each cell compiled apart, in one namespace that begins empty."""
    path = tmp_path / "cells.json"
    path.write_text(json.dumps([cell.source for cell in cells(lesson) if cell.kind == "code"]), encoding="utf-8")
    run = """
import json, linecache, sys
names = {"__name__": "__main__"}
for number, source in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))):
    if source == "plot()":
        try: import matplotlib
        except ImportError: continue
    file = f"<cell {number}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), names)
"""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-c", run, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment, cwd=tmp_path)
    for line in PRINTED[lesson.name]:
        assert line in done.stdout


@pytest.mark.deep
def test_notebooks_run_in_jupyter(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    for path, lesson in zip(write_notebooks(tmp_path), LESSONS, strict=True):
        made = nbformat.read(path, as_version=4)
        nbformat.validate(made)
        nbclient.NotebookClient(made, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
        outputs = [output for cell in made.cells if cell.cell_type == "code" for output in cell.outputs]
        printed = "".join(output.text for output in outputs if output.output_type == "stream")
        for line in PRINTED[lesson.name]:
            assert line in printed
        pictures = [output for output in outputs if "image/png" in output.get("data", {})]
        assert len(pictures) == (lesson.name == "nested_functions")
