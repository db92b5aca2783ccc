"""Batching, graph to graph: what `vmap` and whole Jacobians are built on.

Read `batch.py` (the sweep; most rules are in the rows), then the rules of what runs sub-graphs: `batching_control.py`
(loops), `batching_branch.py`, and `batching_masks.py`, which both use.

Boundary: nothing here differentiates.
"""
