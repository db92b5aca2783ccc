"""What emitted C says of the nodes it computes."""

from __future__ import annotations

import pygraph as pg
from pygraph.emit.comments import comment_text, node_comment
from pygraph.lower import lower


def test_a_comment_names_op_shape_and_line() -> None:
    x = pg.var("x", (3,))
    program = lower(pg.Graph([x], x * 2.0))
    comments = [node_comment(program, node) for node in range(len(program.nodes))]
    assert any(c.startswith("/* multiply (3,) test_comments.py:") and "x * 2.0" in c for c in comments)


def test_nothing_ends_a_comment_early() -> None:
    assert comment_text("a */ b /* c ??/ d\ne") == "/* a * / b / * c ? ?/ d e */"
