"""The row of the matrix exponential."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arithmetic import absolute
from .comparison import greater, less, logical_and_row, select, stop_gradient
from .expr import Expr
from .kernel import Kernel
from .kernel_rows import kernel_rules
from .matrix_rules import identity, transposed
from .reductions import reduce, reduce_max
from .row import DType, Family, Op, register
from .shaping import broadcast_to, concatenate

__all__: list[str] = []

Array = npt.NDArray[Any]


def _expm_reference(x: Array) -> Array:
    """Taylor's series of x / 2^s, squared s times, in the widest floats."""
    if not x.size:
        return np.array(x)
    wide: Array = np.asarray(x, np.longdouble)
    broken = ~np.isfinite(x).all((-2, -1), keepdims=True)
    wide = np.where(broken, 0, wide)
    norm = float(np.abs(wide).sum(-2).max())
    squarings = max(0, int(np.ceil(np.log2(norm))) + 4) if norm > 0 else 0
    wide = np.ldexp(wide, -min(squarings, 2000))
    term: Array = np.broadcast_to(np.eye(x.shape[-1], dtype=np.longdouble), x.shape)
    total = term
    for k in range(1, 24):
        term = term @ wide / k
        total = total + term
    with np.errstate(all="ignore"):
        for _ in range(squarings):
            total = total @ total
        return np.where(broken, np.nan, total).astype(x.dtype)


def _in_corner(x: Expr, moved: Expr) -> Expr:
    """The derivative of exp at x in a direction: what stands right above in exp of [[x, x'], [0, x]]: Higham,
    "Functions of Matrices", 2008, theorem 3.6.

    It is linear in the direction, which is taken at size 1: a large one would be scaled down, and squared as often,
    for itself alone, and each squaring doubles the rounding of exp(x).
    """
    n = x.shape[-1]
    x = broadcast_to(x, moved.shape)
    size = stop_gradient(reduce(reduce_max, absolute(moved), (-2, -1), True))
    size = select(logical_and_row(greater(size, 0.0), less(size, np.inf)), size, 1.0)
    below = concatenate([np.zeros(moved.shape, x.dtype), x], -1)
    whole = expm_row(concatenate([concatenate([x, moved / size], -1), below], -2))
    return whole[..., :n, n:] * size


def _expm_jvp(node: Expr, tangents: Sequence[Expr | None]) -> Expr:
    (moved,) = tangents
    assert moved is not None
    return _in_corner(node.inputs[0], moved)


def _expm_samples(rng: np.random.Generator, dtype: DType) -> Iterator[tuple[Sequence[Array], dict[str, int]]]:
    for shape in ((3, 3), (1, 1), (4, 2, 2), (2, 1, 3, 3), (0, 0), (0, 2, 2)):
        yield (np.asarray(rng.uniform(-1.0, 1.0, shape), dtype),), {}
    yield (np.asarray(rng.uniform(-6.0, 6.0, (3, 3)) - 4 * identity(3, dtype), dtype),), {}


expm_row: Op = register(
    Op(
        "expm",
        Family.CUSTOM,
        doc="The exponential of square matrices, by a Padé approximant of order 13 and squaring; nan where an "
        "element is inf or nan.",
        reference=_expm_reference,
        jvp=_expm_jvp,
        vjp=lambda node, cotangent: (_in_corner(transposed(node.inputs[0]), cotangent),),
        settled=True,
        samples=_expm_samples,
        **kernel_rules(
            Kernel(
                "expm",
                "(n,n)->(n,n)",
                "T->T",
                work="n * n * 56 + n * 8",
                flops="20 * n * n * n + 100 * n",
                ulps=(2048.0, 2048.0),
                lapack=True,
            ),
            "f",
        ),
    )
)
