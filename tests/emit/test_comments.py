"""What emitted C says of the nodes it computes."""

from __future__ import annotations

import numpy as np

import pygraph as pg
from pygraph.emit.native_source import native_source
from pygraph.emit.rendering.comments import comment_text, node_comment
from pygraph.lower import lower


def test_a_comment_names_op_shape_and_line() -> None:
    x = pg.var("x", (3,))
    program = lower(pg.Graph([x], x * 2.0))
    comments = [node_comment(program, node) for node in range(len(program.nodes))]
    assert any(c.startswith("/* multiply (3,) test_comments.py:") and "x * 2.0" in c for c in comments)


def test_nothing_ends_a_comment_early() -> None:
    assert comment_text("a */ b /* c ??/ d\ne") == "/* a * / b / * c ? ?/ d e */"


def test_native_code_does_not_change_with_lines() -> None:
    """Of any instruction: else a function that moves within its file would be compiled again."""
    x, i = pg.var("x", (5, 5)), pg.var("i", (4,), "int64")
    loop = pg.scan(lambda c, row: (c * row, c), x[0], x)
    outputs = (pg.take(x, i, axis=0), x @ x, x.at[i].add(np.ones((4, 5))), pg.cond(x[0, 0] > 0.0, pg.sin, pg.cos, x))
    program = lower(pg.Graph([x, i], (*outputs, *loop)))
    assert native_source(program, comments=True).count("test_comments.py") >= 5
    assert "test_comments.py" not in native_source(program)
