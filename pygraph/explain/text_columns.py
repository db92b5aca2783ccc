"""Cells of text in aligned columns that fit a width: cells that are too long go on in further lines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_GAP = 2
INDENT = "    "
#: A column is not made narrower than this for the sake of others.
_NARROWEST = 9


def columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int, below: Sequence[str] | None = None
) -> list[str]:
    """Lines of at most `width` characters; with `below`, a text for each row that stands below it, indented.

    Example:
        >>> columns(("name", "value"), [("z", "1.5")], 80)
        ['name  value', '----  -----', 'z     1.5']
    """
    cells = [header, *rows]
    widths = [max(len(line) for row in cells for line in (row[at].split("\n") or [""])) for at in range(len(header))]
    spare = width - _GAP * (len(header) - 1)
    while sum(widths) > spare and max(widths) > _NARROWEST:
        widest = max(widths)
        others = [w for w in widths if w < widest] or [_NARROWEST]
        count = widths.count(widest)
        lower = max(max(others), _NARROWEST, widest - -(-(sum(widths) - spare) // count))
        lower = lower if lower < widest else widest - 1
        widths = [lower if w == widest else w for w in widths]
    lines = _row(header, widths)
    lines.append((" " * _GAP).join("-" * w for w in widths))
    for at, row in enumerate(rows):
        lines += _row(row, widths)
        if below is not None and below[at]:
            lines += [f"{INDENT}{line}" for line in below[at].split("\n")]
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [_wrapped(cell, w) for cell, w in zip(cells, widths, strict=True)]
    height = max(len(lines) for lines in wrapped)
    padded = [lines + [""] * (height - len(lines)) for lines in wrapped]
    return [
        (" " * _GAP).join(line.ljust(w) for line, w in zip(lines, widths, strict=True)).rstrip()
        for lines in zip(*padded, strict=True)
    ]


def _wrapped(cell: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in cell.split("\n"):
        if len(line) <= width:
            lines.append(line)
        else:
            lines += textwrap.wrap(line, width, subsequent_indent=" " if width > _NARROWEST else "") or [""]
    return lines
