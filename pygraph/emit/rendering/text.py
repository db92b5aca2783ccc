"""Pieces of text that all emitted functions have: their heads, and how they fail."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...lower.instructions import Instruction
from .comments import without_comments
from .frames import Places


def failing(places: Places, instruction: Instruction, status: str, first: str = "0", second: str = "0") -> str:
    """The statement that ends a function with an error at `instruction`."""
    place = f"{places.body.number}, {instruction.index}, {instruction.node}"
    return f"return pg_fail(call, {status}, {place}, {first}, {second});"


def commented(places: Places, instruction: Instruction, text: str) -> str:
    """The functions of an instruction below what is said of its node, where anything is."""
    comment = places.comment(instruction.node)
    return f"{comment}\n{text}" if comment else text


def function(head: str, lines: Sequence[str]) -> str:
    """A function that takes `call` and `f`: its head without parameters' names, and its statements."""
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    code = without_comments(body)
    unused = [f"    (void){word};" for word in ("call", "f") if not re.search(rf"\b{word}\b", code)]
    status = ["    int status;"] if "status = " in code else []
    return "\n".join([f"{head} {{", *unused, *status, body, "}"])
