"""Optimisation, graph to graph: exact rewrites in an explicit order. Never needed for correctness."""

from .passes import PASSES, optimize

__all__ = ["PASSES", "optimize"]
