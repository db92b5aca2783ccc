"""Pages around pictures that are shown in several sizes, without scripts and network; texts that go to a file too."""

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


#: The sizes of a picture: as wide as there is room, as long as it can be read; all of it; and larger.
_SIZES = (("fit", "fits the width"), ("whole", "all of it"), ("full", "100 %"), ("large", "200 %"))
#: The part of their size at which letters can still be read.
_READABLE = 0.65
SIZE_STYLE = (
    ".pygraph-sized svg{display:block;width:100%;height:auto;max-width:var(--w);"
    f"min-width:calc(var(--w)*{_READABLE})}}"
    ".pygraph-sized:has(.whole:checked) svg{width:auto;min-width:0;max-width:100%;max-height:86vh}"
    ".pygraph-sized:has(.full:checked) svg{min-width:var(--w)}"
    ".pygraph-sized:has(.large:checked) svg{min-width:calc(var(--w)*2);max-width:none}"
    ".pygraph-scroll{overflow:auto}@media screen{.pygraph-scroll{max-height:88vh}}"
    ".pygraph-sizes{border:0;margin:0 0 4px;padding:0;display:flex;flex-wrap:wrap;gap:2px 14px;"
    f"font:13px system-ui,sans-serif;color:{INK['soft'][0]}}}.pygraph-sizes label{{padding:4px 0}}"
    f"@media (prefers-color-scheme:dark){{.pygraph-sizes{{color:{INK['soft'][1]}}}}}"
)


def sized(picture: str, width: float, name: str) -> str:
    """A picture with a choice of its size; a part of it that is seen is moved by touch and by the arrow keys.

    Args:
        picture: SVG.
        width: its width in pixels.
        name: unique on a page.
    """
    choices = "".join(
        f'<label><input type="radio" name="{name}-size" class="{kind}"{" checked" if kind == "fit" else ""}> '
        f"{text}</label>"
        for kind, text in _SIZES
    )
    return (
        f'<div class="pygraph-sized" style="--w:{width:g}px"><fieldset class="pygraph-sizes" '
        f'aria-label="size of the picture">{choices}</fieldset>'
        f'<div class="pygraph-scroll" tabindex="0" role="region" aria-label="picture">{picture}</div></div>'
    )


def written(text: str, path: str | os.PathLike[str] | None) -> str:
    """The text, which is also written to `path` where that is given."""
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
