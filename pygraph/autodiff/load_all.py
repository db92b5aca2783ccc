"""All of differentiation and batching at once: what `pygraph.autodiff` loads when it is first used."""

from __future__ import annotations

from . import rules as _rules  # noqa: F401  (branches and loops have rules of their own)
from .batching.batch import batch
from .checkpoint_plan import as_planned
from .deferral import transformed
from .forward import jvp
from .jacobians.coloured_jacobian import jacobian_coloured
from .jacobians.compressed_jacobian import Compressed, compressed_hessian, compressed_jacobian
from .jacobians.dense_jacobian import JacobianPlan, jacobian_forward, jacobian_reverse
from .jacobians.sparsity import jacobian_sparsity
from .jacobians.unrolled_jacobian import jacobian_unrolled
from .joint_graph import JointGraph
from .reverse import vjp

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
    "jvp",
    "transformed",
    "vjp",
]
