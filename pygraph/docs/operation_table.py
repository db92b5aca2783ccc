"""The table of operations, made from the rows: formula, derivative, dtypes, and how exact a value is."""

from __future__ import annotations

from typing import Any

import pygraph as pg

from ..explain.formulas import formula_of
from ..graph.construction import as_node
from ..graph.node import Node
from ..ops import TABLE
from ..ops.row import Choice, Family, Op
from .docstring_markdown import escaped

_KINDS = {"f": "float", "i": "int", "b": "bool"}
_GROUPS = {
    Family.ELEMENTWISE: ("Elementwise", "One result element for each (broadcast) element of the operands."),
    Family.LINEAR: ("Linear", "Their own derivative; reverse mode uses the transpose."),
    Family.BILINEAR: ("Bilinear", "Linear in each of two operands."),
    Family.CUSTOM: ("With rules of their own", "Forward and reverse mode are each written out in the row."),
}


def operation_page() -> str:
    """The page: a table for each family of operations."""
    parts = [
        "# Operations",
        "Every function of pygraph is made of these. In derivatives `out` is the operation's own result. Errors are in"
        " units in the last place (ulp) of float64 / float32, as the tests hold them; 0 is exact. `finite where` is the"
        " condition on finite operands, overflow apart.",
    ]
    for family, (title, about) in _GROUPS.items():
        rows = [op for op in TABLE.values() if op.family is family]
        lines = ["| name | formula | derivative | finite where | dtypes | ulp |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(_cells(op))} |" for op in sorted(rows, key=lambda op: op.name)]
        parts += [f"## {title}", about, "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _cells(op: Op) -> list[str]:
    dtypes = ", ".join(_KINDS[kind] for kind in op.kinds)
    return [f"`{op.name}`", escaped(" ".join(op.doc.split())), _derivative(op), _finite(op), dtypes, _error(op)]


def _finite(op: Op) -> str:
    """Where the value of finite operands is finite, and the derivative; empty for everywhere, overflow apart."""
    parts = [f"`{op.defined}`"] if op.defined else []
    parts += [f"derivative: `{op.smooth}`"] if op.smooth else []
    return "; ".join(parts).replace("|", "\\|")


def _error(op: Op) -> str:
    if op.exact:
        return "0"
    ulps = op.ulps if op.kernel is None else op.kernel.ulps
    return " / ".join(f"{limit:g}" for limit in ulps) if ulps and any(ulps) else ""


def _derivative(op: Op) -> str:
    if op.nondiff:
        return "none"
    if op.family is Family.LINEAR:
        names = op.parameters
        linear = op.linear_in if op.linear_in is not None else range(op.arity or 0)
        return "linear" + (f" in {', '.join(names[i] for i in linear)}" if names and len(names) > 1 else "")
    if op.family is Family.BILINEAR:
        return "linear in each operand"
    if op.family is not Family.ELEMENTWISE:
        return "its own rules"
    if not op.partials:
        return "follows from the formula"
    names = op.parameters or tuple("xyzuvw"[: op.arity])
    operands = [pg.var(name) for name in names]
    found = []
    for name, partial in zip(names, op.partials, strict=True):
        if partial is not None:
            try:
                said = _text(partial(pg.var("out"), *operands))
            except KeyError as attribute:  # of the node, which has none here
                return f"depends on {attribute.args[0]}"
            found.append(f"`{said}`" if len(op.partials) == 1 else f"{name}: `{said}`")
    return "; ".join(found).replace("|", "\\|")


def _text(partial: Any) -> str:
    """A partial derivative as a formula."""
    if isinstance(partial, Choice):
        return f"{_text(partial.value)} where {formula(as_node(partial.where))}, else 0"
    return formula(partial) if isinstance(partial, Node) else f"{partial:g}"


def formula(node: Node) -> str:
    """An expression as it is written, by the notations of the rows.

    Example:
        >>> x, y = pg.var("x"), pg.var("y")
        >>> formula(pg.sin(x) * (x + y))
        'sin(x) * (x + y)'
    """
    found = formula_of(node, {})
    assert found is not None
    return found.text
