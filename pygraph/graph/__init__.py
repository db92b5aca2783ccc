"""Nodes and graphs: recording, tracing, verifying, printing and storing them."""

from __future__ import annotations

from .associative import associative_scan
from .branching import cond, switch
from .build import as_node, constant, depends_on, make, substitute, topological, var
from .control import scan
from .graph import Graph, bodies_of
from .looping import fori_loop, while_loop
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
    "associative_scan",
    "attributed",
    "bodies_of",
    "check_enabled",
    "cond",
    "constant",
    "depends_on",
    "flatten",
    "fori_loop",
    "make",
    "scan",
    "spec",
    "substitute",
    "switch",
    "topological",
    "trace",
    "unflatten",
    "var",
    "verify",
    "while_loop",
]
