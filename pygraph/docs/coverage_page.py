"""The list of what of NumPy and SciPy is not recorded, with what to write instead."""

from __future__ import annotations

from itertools import groupby

from ..graph.numpy_coverage import Coverage, numpy_coverage
from .docstring_markdown import escaped

_OWNERS = ("numpy.linalg", "numpy.fft", "numpy.ndarray", "scipy.special")


def coverage_page() -> str:
    """The page: what is not supported by namespace, and the parameters that are left out of what is."""
    rows = numpy_coverage()
    counts = {status: sum(row.status == status for row in rows) for status in ("supported", "in place", "unsupported")}
    parts = [
        "# What is not supported",
        f"Of {len(rows):,} functions, methods and attributes of NumPy and scipy.special, {counts['supported']:,} work"
        f" on expressions, {counts['in place']:,} on arrays that are filled in a trace, and {counts['unsupported']:,}"
        " raise an error that says what to write instead. This list is made from the package; the error says the same.",
    ]
    missing = sorted((row for row in rows if row.status == "unsupported"), key=lambda row: (_module(row), row.name))
    for module, found in groupby(missing, key=_module):
        parts += [f"## {module}", _table("name", "instead", [(row.name, row.instead) for row in found])]
    without = [(row.name, ", ".join(f"`{name}`" for name in row.without)) for row in rows if row.without]
    parts += [
        "## Parameters that are left out",
        "Giving one raises an error that names it.",
        _table("function", "without", without, plain=False),
    ]
    return "\n\n".join(parts) + "\n"


def _module(row: Coverage) -> str:
    """What a name belongs to: a module, or `numpy.ndarray`; methods of ufuncs belong to `numpy`."""
    owner = row.name.rpartition(".")[0]
    return owner if owner in _OWNERS else "numpy"


def _table(first: str, second: str, rows: list[tuple[str, str]], plain: bool = True) -> str:
    lines = [f"| {first} | {second} |", "|---|---|"]
    lines += [f"| `{name}` | {escaped(text) if plain else text} |" for name, text in rows]
    return "\n".join(lines)
