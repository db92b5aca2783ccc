"""Lessons as Jupyter notebooks, made of the lessons' own sources (nbformat 4.5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..examples.catalogue import Entry, entries
from .lesson_cells import Cell, cells


def notebook(lesson: Entry) -> dict[str, Any]:
    """The notebook of a lesson, not yet run."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "cells": [_cell(cell, f"{lesson.name.replace('_', '-')}-{i}") for i, cell in enumerate(cells(lesson))],
    }


def _cell(cell: Cell, name: str) -> dict[str, Any]:
    made = {"cell_type": cell.kind, "id": name, "metadata": {}, "source": cell.source.splitlines(keepends=True)}
    return made | {"execution_count": None, "outputs": []} if cell.kind == "code" else made


def write_notebooks(folder: Path) -> list[Path]:
    """Write the notebook of each lesson to `folder`, which is made where there is none; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lesson in entries():
        if lesson.lesson:
            path = folder / f"{lesson.lesson}_{lesson.name}.ipynb"
            text = json.dumps(notebook(lesson), ensure_ascii=False, indent=1)
            path.write_text(text + "\n", encoding="utf-8")
            written.append(path)
    return written
