"""Pages around drawings, without scripts and network, and texts that are also written to a file where one is given."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

from .svg_text import INK


def page(title: str, inside: str) -> str:
    """A page in the colours that the reader's system prefers, light or dark."""
    paper = INK["paper"]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>:root{{color-scheme:light dark}}body{{margin:12px;background:{paper[0]}}}"
        f"@media (prefers-color-scheme:dark){{body{{background:{paper[1]}}}}}</style></head><body>\n"
        f"{inside}</body></html>\n"
    )


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """The text, which is also written to `path` where that is given."""
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
