"""Differentiation and batching, graph to graph: tangents forward, cotangents backward, batches, and any nesting."""

from . import batching_scan as _batching_scan  # noqa: F401  (gives the row of `scan` its rule for a batch)
from . import scan as _scan  # noqa: F401  (gives the row of `scan` its derivatives)
from .batching import batch
from .forward import jvp
from .jacobian import JacobianPlan, jacobian_forward, jacobian_reverse
from .joint import JointGraph, joint
from .reverse import vjp

__all__ = ["JacobianPlan", "JointGraph", "batch", "jacobian_forward", "jacobian_reverse", "joint", "jvp", "vjp"]
