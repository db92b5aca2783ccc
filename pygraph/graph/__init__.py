"""Expressions and graphs: recording, tracing, verifying, printing, storing and evaluating them.

Read in the order of their imports, a file after those that it needs:
- `trace_context.py`, `source.py`: what is in force while functions are traced, and the user's line;
- `traversal.py`, `operators.py`, `node.py`: a walk over expressions, what is written with them, and their data;
- `interning.py`, `construction.py`, `promotion.py`, `rewriting.py`: each node made once, rows applied to what users
  write, and graphs made of others;
- `recording.py`, `tree.py`, `graph.py`: calls on variables, containers of arguments, and the Graph;
- `printer.py`, `serialize.py`, `verify.py`, and `reference.py`, the slow interpreter that says what a graph means;
- `creation.py`, `numpy_protocol.py`: NumPy's functions on expressions; `numpy_coverage.py`: which of them there are;
- `trace.py`, `record_scan.py`, `record_branch.py`, `record_while.py`: functions and control flow recorded;
- `loop.py`: a loop taken apart and put together; `precision.py`: a graph in float32.

Boundary: no derivatives, no memory planning, no C.
"""

from __future__ import annotations

from ..ops.constant_array import Constant
from ..ops.row import bind_recorder
from .associative import associative_scan
from .construction import as_node, constant, make, var
from .graph import Graph, bind_views, bodies_of
from .node import Node, bind_state
from .numpy_protocol import apply_function, apply_ufunc
from .operators import bind_protocols
from .printer import listing
from .promotion import record
from .record_branch import cond, switch
from .record_scan import scan
from .record_while import fori_loop, while_loop
from .rewriting import rewrite, substitute
from .serialize import graph_reduced, node_reduced
from .source import SourceLine, attributed
from .trace import Spec, spec, trace
from .traversal import depends_on, walk
from .tree import TreeDef, bind_leaves, flatten, unflatten
from .verify import check_enabled, verify
from .weak import Weak

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

# What the methods of expressions, nodes and graphs call that lies above them.
bind_protocols(record, apply_ufunc, apply_function)
bind_recorder(record)
bind_state(node_reduced)
bind_leaves(Node, Weak, Spec)
bind_views(listing, graph_reduced, verify)
