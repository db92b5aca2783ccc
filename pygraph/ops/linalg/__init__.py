"""Linear algebra, `pg.linalg`: the functions of `numpy.linalg`, each imported when it is first used.

`FUNCTIONS` is the only list of their names. Read `matrix_products.py` first.

Boundary: compositions of rows, some of them those of `functions`; rows are in modules of `pygraph.ops`, since
importing numbers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..later import Later

FUNCTIONS = Later(
    __name__,
    {
        "matrix_products": "diagonal outer trace",
        ".functions.arranging": "matrix_transpose",
        ".functions.contractions": "cross tensordot vecdot",
        ".products": "matmul",
        "factorisations": "cho_factor cholesky lu",
        "decompositions": "eigh eigvalsh qr svd svdvals",
        "least_squares": "cond lstsq matrix_rank pinv",
        "matrix_functions": "expm matrix_power multi_dot sqrtm",
        "norms": "matrix_norm norm vector_norm",
        "solvers": "cho_solve det inv slogdet solve solve_triangular tensorinv tensorsolve",
        "structured": "block_diag solve_banded solveh_banded toeplitz tridiagonal_solve",
    },
)

__all__ = [*FUNCTIONS.modules]


def __getattr__(name: str) -> Callable[..., Any]:
    return FUNCTIONS.find(name)


def __dir__() -> list[str]:
    return sorted(__all__)
