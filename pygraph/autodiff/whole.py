"""All of differentiation and batching at once: what `pygraph.autodiff` loads when it is first used."""

from __future__ import annotations

from . import rules as _rules  # noqa: F401  (branches and loops have rules of their own)
from .batching import batch
from .coloured import jacobian_coloured
from .compressed import Compressed, compressed_hessian, compressed_jacobian
from .forward import jvp
from .jacobian import JacobianPlan, jacobian_forward, jacobian_reverse
from .joint import JointGraph
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
    "jvp",
    "vjp",
]
