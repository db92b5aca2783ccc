"""Differentiation and batching, graph to graph: tangents forward, cotangents backward, batches, and any nesting.

Read `forward.py` and `reverse.py` (the two sweeps; most rules are in the rows), `masks.py` (structural zeros) and
`unbroadcast.py`, then `scan_derivatives.py` and `branch_derivatives.py` (loops and branches), `given_derivatives.py`
(rules that the user gives), `checkpoint_plan.py` (rematerialisation for a memory budget), `deferral.py` (derivatives
that are written out once a plan is known) and `joint_graph.py` (values, gradients and tangents in one graph). Batches
and whole Jacobians have packages of their own.

Boundary: no kernels and no buffers. `import pygraph` loads none of it: its modules load when a name is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..concurrency import ensure_imported

if TYPE_CHECKING:
    from .load_all import (
        Compressed,
        JacobianPlan,
        JointGraph,
        as_planned,
        batch,
        compressed_hessian,
        compressed_jacobian,
        jacobian_coloured,
        jacobian_forward,
        jacobian_reverse,
        jacobian_sparsity,
        jacobian_unrolled,
        jvp,
        transformed,
        vjp,
    )

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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    ensure_imported(f"{__name__}.load_all")
    from . import load_all

    return globals().setdefault(name, getattr(load_all, name))
