"""Differentiation and batching, graph to graph: tangents forward, cotangents backward, batches, and any nesting."""

from . import batching_branch as _batching_branch  # noqa: F401  (gives the row of `branch` its batch)
from . import batching_control as _batching_control  # noqa: F401  (gives the rows of loops theirs)
from . import branch as _branch  # noqa: F401  (gives the row of `branch` its rules)
from . import scan as _scan  # noqa: F401  (gives the rows of loops theirs)
from .batching import batch
from .coloured import jacobian_coloured
from .compressed import Compressed, compressed_hessian, compressed_jacobian
from .forward import jvp
from .jacobian import JacobianPlan, jacobian_forward, jacobian_reverse
from .joint import JointGraph, joint
from .recompute import as_planned
from .reverse import vjp
from .sparsity import jacobian_sparsity
from .unrolled import jacobian_unrolled

__all__ = [
    "Compressed",
    "JacobianPlan",
    "JointGraph",
    "as_planned",
    "batch",
    "compressed_hessian",
    "compressed_jacobian",
    "jacobian_coloured",
    "jacobian_forward",
    "jacobian_reverse",
    "jacobian_sparsity",
    "jacobian_unrolled",
    "joint",
    "jvp",
    "vjp",
]
