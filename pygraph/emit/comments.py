"""What emitted C says of the nodes it computes."""

from __future__ import annotations

from ..lower.program import Program


def comment_text(text: str) -> str:
    """A comment of one line; nothing in `text` ends it, or is a trigraph."""
    plain = text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").replace("\n", " ")
    return f"/* {plain} */"


def node_comment(program: Program, node: int) -> str:
    """A node's op, its shape and the user's line: `/* multiply (3,) model.py:12: y = x * w */`."""
    info = program.nodes[node]
    where = "" if info.where is None else f" {info.where}"
    return comment_text(f"{info.op} {info.shape}{where}")
