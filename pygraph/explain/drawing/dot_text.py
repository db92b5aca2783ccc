"""A graph in the language of Graphviz: all its nodes, in clusters for calls of the user's functions."""

from __future__ import annotations

from collections.abc import Iterator

from ...graph.node import Node
from .drawn_parts import Part
from .scene import type_label
from .svg_text import COLOURS, tooltip


def dot(root: Part) -> str:
    """The text of a directed graph."""
    lines = [f"digraph {_quoted(root.label)} {{", "  node [shape=box, fontname=monospace];"]
    lines += _members(root, "  ", {})
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _members(group: Part, indent: str, names: dict[Node, str]) -> Iterator[str]:
    """The nodes of a group and its groups, and last the edges of the graph that it is."""
    names = dict(names) if group.kind == "body" or group.node is not None else names
    edges: list[str] = []
    yield from _inside(group, indent, names, edges)
    yield from edges


def _inside(group: Part, indent: str, names: dict[Node, str], edges: list[str]) -> Iterator[str]:
    for child in group.children:
        if child.node is None and child.children:
            yield f"{indent}subgraph cluster_{child.number} {{"
            yield f"{indent}  label={_quoted(child.label)};"
            inside = _members if child.kind == "body" else None
            yield from (inside(child, indent + "  ", names) if inside else _inside(child, indent + "  ", names, edges))
            yield f"{indent}}}"
            continue
        name = f"n{id(child):x}"
        stroke = COLOURS[child.sweep or "forward"][0]
        style = "rounded" if child.kind in ("input", "constant", "return") else "solid"
        said = (
            f"label={_quoted(child.label)}, color={_quoted(stroke)}, style={style}, tooltip={_quoted(tooltip(child))}"
        )
        yield f"{indent}{name} [{said}];"
        edges += (
            f"{indent}{names[operand]} -> {name} [label={_quoted(type_label(operand))}];"
            for operand in child.operands
            if operand in names
        )
        if child.node is not None:
            names[child.node] = name
        if child.children:
            yield f"{indent}subgraph cluster_{child.number} {{"
            yield f"{indent}  label={_quoted(child.label)};"
            yield from _members(child, indent + "  ", names)
            yield f"{indent}}}"
