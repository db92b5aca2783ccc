"""Nodes and graphs: recording, tracing, verifying, printing and storing them."""

from __future__ import annotations

from .build import as_node, constant, depends_on, make, substitute, topological, var
from .control import scan
from .graph import Graph
from .node import Constant, Node
from .trace import Spec, spec, trace
from .tree import TreeDef, flatten, unflatten
from .verify import check_enabled, verify
from .where import Where, attributed

__all__ = [
    "Constant",
    "Graph",
    "Node",
    "Spec",
    "TreeDef",
    "Where",
    "as_node",
    "attributed",
    "check_enabled",
    "constant",
    "depends_on",
    "flatten",
    "make",
    "scan",
    "spec",
    "substitute",
    "topological",
    "trace",
    "unflatten",
    "var",
    "verify",
]
