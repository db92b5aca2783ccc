"""The pages that are made of the package: complete, and in Markdown that says what was meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pygraph as pg
from pygraph.docs import coverage_page, docstring_markdown, lesson_pages, operation_table, reference_pages, site_build
from pygraph.ops import TABLE
from pygraph.ops.row import Family


def test_every_operation_is_in_the_table() -> None:
    lines = operation_table.operation_page().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == sum(op.family is not Family.LEAF for op in TABLE.values())
    assert all(len(row.replace("\\|", "").split(" | ")) == 6 for row in rows)
    (tanh,) = [row for row in rows if row.startswith("| `tanh`")]
    assert "`1 - out * out`" in tanh
    (multiply,) = [row for row in rows if row.startswith("| `multiply`")]
    assert "x: `y`; y: `x`" in multiply


def test_formulas_keep_their_meaning() -> None:
    x, y = pg.var("x"), pg.var("y")
    for node in ((x + y) * x, x - (y - x), (x / y) / x, -(x + y), pg.exp(x + y) * (x - y), 2.0 / (x * y)):
        said = operation_table.formula(node)
        names = {"x": 0.7, "y": 1.3, "exp": np.exp}
        assert eval(said, names) == pytest.approx(float(pg.compile(pg.Graph([x, y], node))(0.7, 1.3)), rel=1e-12), said


@pytest.mark.deep  # imports scikit-learn
def test_the_reference_has_every_public_name() -> None:
    pages = reference_pages.reference_pages()
    text = "\n".join(pages.values())
    for name in pg.__all__:
        assert f"## `pg.{name}`" in text
    for namespace in reference_pages.NAMESPACES:
        if namespace != "sklearn":
            for name in getattr(pg, namespace).__all__:
                assert f"## `pg.{namespace}.{name}`" in pages[f"{namespace}.md"]
    assert "- `params, x`" not in text
    assert "**Example**\n\n```python\n>>> " in pages["pygraph.md"]


@pytest.mark.deep
def test_what_is_not_supported_is_listed() -> None:
    text = coverage_page.coverage_page()
    assert "| `numpy.unique` |" in text
    assert "## numpy.linalg" in text
    assert all(line.count("|") - line.count("\\|") == 3 for line in text.splitlines() if line.startswith("|"))


def test_a_docstring() -> None:
    said = docstring_markdown.markdown(
        """Sums *all* of x_i, as `np.sum(*x)`.

        Args:
            x, y: arrays of any
                shape.
            *rest: others, which
            go on here.

        Raises:
            ShapeError or DTypeError: no.

        Example:
            >>> 1 + 1
            2
        """
    )
    assert "Sums \\*all\\* of x\\_i, as `np.sum(*x)`." in said
    assert "- `x, y`: arrays of any shape.\n- `*rest`: others, which go on here." in said
    assert "- `ShapeError or DTypeError`: no." in said
    assert "```python\n>>> 1 + 1\n2\n```" in said


def test_a_folder_with_something_else_stays(tmp_path: Path) -> None:
    for module in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(module)
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match="holds something else"):
        site_build.build(tmp_path)
    assert (tmp_path / "html" / "mine.txt").read_text() == "mine"


@pytest.mark.deep
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("sphinx", "myst_parser", "furo", "matplotlib"):
        pytest.importorskip(module)
    assert site_build.build(tmp_path / "site") == 0
    html = tmp_path / "site" / "html"
    assert "0.7312551" in (html / "lessons" / "chain_rule.html").read_text(encoding="utf-8")
    assert (html / "_images" / "nested_functions.svg").exists()


def test_a_cell_of_a_lesson_runs() -> None:
    names: dict[str, object] = {}
    assert lesson_pages.run_cell("x = 2\nprint(x)", "<cell>", names) == ("2\n", None)
    assert names["x"] == 2
