"""Transformations of functions: derivatives and batches. On arrays they compile; in a trace they inline.

Each is written once, on expressions: the function is called on new variables, transformed graph to graph, and the
variables are replaced by the actual arguments. Anything else the function uses, also of an enclosing trace, is a
constant of the result; that is all that nesting needs.

Read `evaluation_point.py` (a function recorded at a point), `gradients.py`, `jacobian_products.py`, `jacobians.py` and
`sparse.py`, `mapping.py` (vmap), `custom.py` and `checkpointing.py`.

Boundary: no rules of differentiation, which are in `ops` and `autodiff`.
"""

from .checkpointing import checkpoint
from .custom import custom_derivative
from .gradients import grad, value_and_grad
from .jacobian_products import hvp, jvp, linearize, vjp
from .jacobians import hessian, jacfwd, jacobian, jacrev
from .mapping import vmap
from .sparse import sparse_hessian, sparse_jacobian, sparsity

__all__ = [
    "checkpoint",
    "custom_derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "sparse_hessian",
    "sparse_jacobian",
    "sparsity",
    "value_and_grad",
    "vjp",
    "vmap",
]
