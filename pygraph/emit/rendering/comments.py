"""What emitted C says of the nodes it computes."""

from __future__ import annotations

import re

from ...lower.program import Program

#: The column where the comments of lines begin, if the code is not longer.
_COLUMN = 52
#: Longer descriptions of nodes are cut.
_LONGEST = 96


def comment_text(text: str) -> str:
    """A comment of one line; nothing in `text` ends it, or is a trigraph."""
    plain = text if text.isprintable() else "".join(x if x.isprintable() else " " for x in text)
    plain = plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
    return f"/* {plain} */"


def without_comments(text: str) -> str:
    """C without what users' lines may say in its comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL) if "/*" in text else text


def node_comment(program: Program, node: int) -> str:
    """A node's op, its shape and the user's line: `/* multiply (3,) model.py:12: y = x * w */`."""
    info = program.nodes[node]
    where = "" if info.line is None else f" {info.line}"
    shapes = ", ".join(str(shape) for shape, _ in info.types)
    text = f"{info.op} {shapes}{where}"
    return comment_text(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def noted(code: str, comment: str) -> str:
    """A line of code with a comment, where there is one, at its end."""
    return f"{code:<{_COLUMN}} {comment}" if comment else code
