"""Differentiation, graph to graph: tangents forward, cotangents backward, and any nesting of the two."""

from . import branch as _branch  # noqa: F401  (gives the row of `branch` its rules)
from . import scan as _scan  # noqa: F401  (gives the rows of loops theirs)
from .forward import jvp
from .jacobian import jacobian_forward, jacobian_reverse
from .joint import JointGraph, joint
from .reverse import vjp

__all__ = ["JointGraph", "jacobian_forward", "jacobian_reverse", "joint", "jvp", "vjp"]
