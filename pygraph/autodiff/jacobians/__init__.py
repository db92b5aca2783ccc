"""Whole Jacobians, dense and sparse, as graphs.

Dense: `dense_jacobian.py` (one batched product), `unrolled_jacobian.py` (small functions, element by element, by
`scalarise.py`). Sparse: `pattern.py`, `index_sets.py` and `sparsity.py` (where entries can be), `colouring.py`,
`coloured_jacobian.py` (few products), `compressed_jacobian.py` (the cheapest plan). What repeats one small computation:
`lanes.py`, `reroll.py`, `linear_tail.py`, `data_movement.py`, `sparse_assembly.py`, `local_jacobian.py`. Border: the
sweeps of `forward.py` and `reverse.py` know nothing of this package.
"""
