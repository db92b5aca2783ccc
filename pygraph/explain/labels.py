"""Names for the nodes of a graph: the variable a line of the user's code assigned, else a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..graph.node import self_contained
from ..ops.leaves import constant_row as CONSTANT, input_row as INPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph.node import Node

_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)")


def labels(nodes: Sequence[Node]) -> dict[Node, str]:
    """A short unique name for each node, in the order given (operands before their users).

    An input keeps its name and a constant shows its value. The last node of a line `z = w * x + b` is called `z`;
    nodes that no line names are called `v0`, `v1`, … .
    """
    inner = {
        operand
        for node in nodes
        for operand in node.inputs
        if _place(operand) is not None and _place(operand) == _place(node)
    }
    names: dict[Node, str] = {}
    taken = {str(node.attrs["name"]) for node in nodes if node.op is INPUT}
    numbered = 0
    for node in nodes:
        if node.op is INPUT:
            names[node] = str(node.attrs["name"])
        elif node.op is CONSTANT:
            value = node.attrs["value"].value
            names[node] = f"{value.item():g}" if value.size == 1 else f"constant{list(value.shape)}"
        elif self_contained(node):
            names[node] = f"counts{list(node.shape)}"
        else:
            match = None if node in inner or node.line is None else _ASSIGNMENT.match(node.line.code)
            if match is not None and match[1] not in taken:
                names[node] = match[1]
            else:
                while f"v{numbered}" in taken:
                    numbered += 1
                names[node] = f"v{numbered}"
            taken.add(names[node])
    return names


def _place(node: Node) -> tuple[str, int] | None:
    return None if node.line is None else (node.line.file, node.line.number)


def formula(node: Node, names: dict[Node, str]) -> str:
    """The node's operation on the names of its operands: `w * x`, `sigmoid(z)`."""
    operands = [names[operand] for operand in node.inputs]
    notation = node.op.notation
    if notation and not any(value for key, value in node.attrs.items() if f"{{{key}" not in notation):
        return notation.format(*operands, **node.attrs)
    return f"{node.op.name}({', '.join(operands)})"
