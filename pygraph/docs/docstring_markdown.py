"""Docstrings as Markdown: their sections become lists, and their examples blocks of Python."""

from __future__ import annotations

import inspect
import re
from typing import Any

_SECTIONS = (
    "Args", "Attributes", "Returns", "Raises", "Example", "Examples", "Args, returns, raises", "Returns, raises",
    "Args, raises", "Keys", "Yields",
)  # fmt: skip
_HEADING = re.compile(rf"^({'|'.join(_SECTIONS)}):(.*)$")
_NAME = r"\*{0,2}[\w.]+"
_ITEM = re.compile(rf"^({_NAME}(?:(?:, | or | and ){_NAME})*): (.*)$")


def markdown(docstring: str) -> str:
    """A docstring as Markdown.

    Example:
        >>> print(markdown("Twice x.\\n\\nArgs:\\n    x: any number."))
        Twice x.
        <BLANKLINE>
        **Args**
        <BLANKLINE>
        - `x`: any number.
        <BLANKLINE>
    """
    parts: list[str] = []
    heading, lines = "", list[str]()
    for line in [*inspect.cleandoc(docstring).splitlines(), "Args:"]:
        found = _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        parts.append(_section(heading, lines))
        heading, lines = found[1], [found[2].strip()] if found[2].strip() else []
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(heading: str, lines: list[str]) -> str:
    text = inspect.cleandoc("\n".join(lines)).strip("\n") if heading else "\n".join(lines).strip("\n")
    if not text:
        return ""
    if heading.startswith("Example"):
        return f"**{heading}**\n\n```python\n{text}\n```"
    body = _items(text) if heading in ("Args", "Attributes", "Raises", "Keys") else _prose(text)
    return f"**{heading}**\n\n{body}" if heading else body


def _items(text: str) -> str:
    """A list of "name: what it is"; other lines belong to the item before."""
    items: list[str] = []
    for line in text.splitlines():
        if items and (line.startswith(" ") or not _ITEM.match(line)):
            items[-1] += f" {line.strip()}"
        else:
            items.append(line.strip())
    made = []
    for item in filter(None, items):
        found = _ITEM.match(item)
        made.append(f"- `{found[1]}`: {escaped(found[2])}" if found else f"- {escaped(item)}")
    return "\n".join(made)


def _prose(text: str) -> str:
    """Paragraphs; those that are further in are code."""
    made = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith(("    ", ">>>")):
            made.append(f"```text\n{inspect.cleandoc(paragraph)}\n```")
        else:
            made.append("\n".join(escaped(line.strip()) for line in paragraph.splitlines()))
    return "\n\n".join(made)


def escaped(text: str) -> str:
    """Text whose characters mean themselves in Markdown; what stands in backticks stays."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([\\*_<>\[\]|$#~{}])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def signature_of(found: Any) -> str:
    """The parameters of a function or a class, without types; "" where Python can't tell."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return ""
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return str(inspect.Signature([parameter for parameter in plain if parameter.name != "self"]))
