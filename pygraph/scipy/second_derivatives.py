"""The Hessian of a scalar function in the form that suits trust-constr: sparse, full, or as products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .decision_variables import DecisionVariables
from .flat_function import FlatFunction, running, running_sparse
from .requirement import required
from .sparsity_estimate import DENSE_UP_TO, SPARSE_BELOW, SPARSE_FROM, density

__all__ = ["curvature"]


def curvature(
    flat: FlatFunction, variables: DecisionVariables, others: tuple[Any, ...], inputs: tuple[Any, ...]
) -> Callable[..., Any]:
    """(vector, *others) → the Hessian, as SciPy's trust-constr takes it.

    Args:
        others: examples of the arguments between the vector and the `inputs`.
    """
    start, size = variables.start, variables.size
    if size < SPARSE_FROM:
        return running(flat.hessian, (start, *others), inputs)
    product = running(flat.hessian_product, (start, start, *others), inputs)
    if density(lambda point, vector: product(point, vector, *others), start) < SPARSE_BELOW:
        make = required("sparse", variables.subject).csr_array
        return running_sparse(flat.sparse_hessian, (start, *others), inputs, make)
    if size <= DENSE_UP_TO:
        return running(flat.hessian, (start, *others), inputs)
    operator = required("sparse.linalg", variables.subject).LinearOperator

    def products(vector: Any, *given: Any) -> Any:
        at = vector.copy()
        multiplied = lambda p: product(at, p.ravel(), *given)  # noqa: E731
        return operator((size, size), matvec=multiplied, rmatvec=multiplied, dtype=float)

    return products
