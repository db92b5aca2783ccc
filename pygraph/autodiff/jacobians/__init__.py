"""Whole Jacobians, dense and sparse, as graphs.

Read, for dense ones, `dense_jacobian.py` (one batched product), `unrolled_jacobian.py` (small functions, element by
element, by `scalarise.py`; `single_elements.py` writes out whole graphs so); for sparse ones, `pattern.py`,
`index_sets.py` and `sparsity.py` (where entries can be), `colouring.py`, `coloured_jacobian.py` (few products),
`compressed_jacobian.py` (the cheapest plan); and for functions that repeat one small computation, `lanes.py`,
`reroll.py`, `linear_tail.py`, `data_movement.py`, `sparse_assembly.py`, `local_jacobian.py`.

Boundary: the sweeps of `forward.py` and `reverse.py` know nothing of this package.
"""
