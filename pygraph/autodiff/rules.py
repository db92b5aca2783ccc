"""Gives the rows of branches and loops their derivatives and batches, before anything is differentiated."""

from __future__ import annotations

from . import branch_derivatives, scan_derivatives
from .batching import batching_branch, batching_control

__all__ = ["batching_branch", "batching_control", "branch_derivatives", "scan_derivatives"]
