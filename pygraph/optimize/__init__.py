"""Optimisation, graph to graph: exact rewrites in an explicit order. Never needed for correctness.

Read `passes.py` (the passes in their order), `engine.py` (how rules are applied), one file of rules, such as
`rules_arith.py`, then `loop_passes.py`, `merge_branches.py` and `speculate.py`. `log.py` prints what passes do.

Boundary: a rewrite keeps every bit of every result, or it is not made; those of `rules_finite.py` are made where the
user says that all numbers are finite.
"""

from .passes import PASSES, optimize

__all__ = ["PASSES", "optimize"]
