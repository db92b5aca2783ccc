"""Expressions and graphs: recording, tracing, verifying, printing, storing and evaluating them.

Read `node.py` and `construction.py` (nodes, each made once), `traversal.py` (graphs gone through and rewritten),
`trace.py` (the call that records a function), `trace_context.py` (what is in force meanwhile), `tree.py` (containers
of arguments), `operators.py` and `numpy_protocol.py` (expressions used like arrays), `record_scan.py`,
`record_while.py` and `record_branch.py` (control flow), `loop.py` (a loop taken apart and put together), `graph.py`
with `verify.py`, `printer.py` and `serialize.py`, and `reference.py`, the slow interpreter that defines what a graph
means. `source.py` finds the user's line.

Boundary: no derivatives, no memory planning, no C.
"""

from __future__ import annotations

from ..ops.constant_array import Constant
from .associative import associative_scan
from .construction import as_node, constant, make, var
from .graph import Graph, bodies_of
from .node import Node
from .record_branch import cond, switch
from .record_scan import scan
from .record_while import fori_loop, while_loop
from .source import SourceLine, attributed
from .trace import Spec, spec, trace
from .traversal import depends_on, rewrite, substitute, walk
from .tree import TreeDef, flatten, unflatten
from .verify import check_enabled, verify

__all__ = [
    "Constant",
    "Graph",
    "Node",
    "SourceLine",
    "Spec",
    "TreeDef",
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
    "rewrite",
    "scan",
    "spec",
    "substitute",
    "switch",
    "trace",
    "unflatten",
    "var",
    "verify",
    "walk",
    "while_loop",
]
