"""An explanation as one HTML page that needs no network: drawing, tables, steps and sliders.

Read `page_data.py` (what the page shows), `box_drawing.py` (where its boxes are), `c_functions.py`, `c_translation.py`,
`linear_terms.py`, `scalar_code.py`, `loop_code.py` and `live_code.py` (how it computes again what a slider changes),
then what the browser runs: `arithmetic.js`, the others in the order of `SCRIPTS`, and `page.css`.

Boundary: the numbers and formulas are those of the explanation. The page computes only with code that is generated from
the rows.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .c_functions import definitions
from .page_data import page_data

if TYPE_CHECKING:
    from ..explanation import Explanation

__all__ = ["framed", "page"]

_FOLDER = Path(__file__).parent
#: Elements and state, tables, the drawing's size and itself, numbers and sliders, and the page as a whole.
SCRIPTS = tuple(f"script/{name}.js" for name in ("state", "tables", "zoom", "drawing", "numbers", "start"))


def page(explanation: Explanation) -> str:
    """The page."""
    views, programs = page_data(explanation)
    functions = ",\n".join(f"function(v,s,tick){{{program}}}" for program in programs)
    # "<" in a text must not end the script
    data = json.dumps(views, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    title = html.escape(f"{explanation.function}: the chain rule")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{_read("page.css")}</style>
</head>
<body>
<main id="page"></main>
<noscript><pre>{html.escape(str(explanation))}</pre></noscript>
<script>
const VIEWS = {data};
const PROGRAMS = [];
{_script(functions)}</script>
</body>
</html>
"""


def framed(explanation: Explanation) -> str:
    """The page in a frame, so that its style and a notebook's do not touch each other."""
    source = html.escape(page(explanation))
    title = html.escape(f"{explanation.function}: the chain rule")
    return f'<iframe srcdoc="{source}" title="{title}" style="width:100%;height:640px;border:0"></iframe>'


def _script(functions: str) -> str:
    """What the browser runs: the programs, and files that share one scope, since they are parts of one function."""
    programs = f"PROGRAMS.push(\n{functions}\n);\n"
    files = "".join(map(_read, SCRIPTS))
    return (
        f'"use strict";\n(() => {{\n{_read("script/arithmetic.js")}{definitions(functions)}\n{programs}{files}}})();\n'
    )


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
