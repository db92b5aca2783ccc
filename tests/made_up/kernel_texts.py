"""Made-up kernels: `sincos` with two results, `solver` with a workspace and a failure, and `pushed`, which updates."""

from __future__ import annotations

from project_copy import Copy

#: What is added to a file of rows.
ROWS = """

def _sincos_jvp(node, tangents):
    sine, cosine = node.op(*node.inputs)
    return tangents[0] * cosine, -(tangents[0] * sine)


def _sincos_vjp(node, cotangents):
    sine, cosine = node.op(*node.inputs)
    parts = [ct * x for ct, x in zip(cotangents, (cosine, -sine)) if ct is not None]
    return (parts[0] if len(parts) == 1 else parts[0] + parts[1],)


sincos = register(
    Op(
        "sincos",
        Family.CUSTOM,
        doc="Sine and cosine at once.",
        reference=lambda x: (np.sin(x), np.cos(x)),
        jvp=_sincos_jvp,
        vjp=_sincos_vjp,
        **kernel_rules(Kernel("sincos", "()->(),()", "T->TT", flops="40", ulps=(4.0, 4.0)), "f"),
    )
)


def _solve_jvp(node, tangents):
    x, (da, db) = node.op(*node.inputs), tangents
    right = db if da is None else -(da @ x) if db is None else db - da @ x
    return node.op(node.inputs[0], right)


def _solve_vjp(node, cotangent):
    x = node.op(*node.inputs)
    w = node.op(node.inputs[0].swapaxes(-1, -2), cotangent)
    return -(w @ x.swapaxes(-1, -2)), w


def _solve_samples(rng, dtype):
    leading = [((), ()), ((4,), (4,)), ((), (3,)), ((2, 1), (3,)), ((), ())]
    for (lead, other), m, n in zip(leading, (3, 2, 1, 3, 0), (2, 1, 2, 1, 2)):
        a = rng.uniform(-0.2, 0.2, (*lead, m, m)) + np.eye(m)
        yield (a.astype(dtype), rng.uniform(-1.0, 1.0, (*other, m, n)).astype(dtype)), {}


SINGULAR = Failure(ZeroPivotError, "column {0} of the matrix has no pivot", "give a matrix of full rank")

solver = register(
    Op(
        "solver",
        Family.CUSTOM,
        doc="The solution of a x = b by elimination.",
        reference=np.linalg.solve,
        jvp=_solve_jvp,
        vjp=_solve_vjp,
        samples=_solve_samples,
        **kernel_rules(
            Kernel(
                "solver",
                "(m,m),(m,n)->(m,n)",
                "TT->T",
                work="m * m * 8",
                flops="m * m * (m + n)",
                failures=(SINGULAR,),
                ulps=(64.0, 64.0),
            ),
            "f",
        ),
    )
)


def _pushed_reference(x, y):
    out = np.array(np.broadcast_to(x, (*np.broadcast_shapes(x.shape[:-1], y.shape), x.shape[-1])))
    out[..., :1] += y[..., None]
    out[..., -1:] -= y[..., None]
    return out


def _pushed_jvp(node, tangents):
    zeros = (np.zeros(x.shape, x.dtype) for x in node.inputs)
    return node.op(*(zero if tangent is None else tangent for tangent, zero in zip(tangents, zeros)))


def _pushed_vjp(node, cotangent):
    return cotangent, cotangent[..., :1].sum(axis=-1) - cotangent[..., -1:].sum(axis=-1)


pushed = register(
    Op(
        "pushed",
        Family.CUSTOM,
        doc="x with y added to its first element and taken from its last.",
        reference=_pushed_reference,
        jvp=_pushed_jvp,
        vjp=_pushed_vjp,
        **kernel_rules(Kernel("pushed", "(n),()->(n)", "TT->T", updates=(0,)), "f"),
    )
)
"""

#: What these need of other modules.
IMPORTS = '''
import numpy as np

from ..errors import GraphError
from .kernel import Failure, Kernel
from .kernel_rows import kernel_rules
from .row import Family, Op, register


class ZeroPivotError(GraphError, ArithmeticError):
    """A matrix without an inverse."""

'''

#: The C functions.
C = """/* Two made-up kernels. */
#include "pg_math.h"

#include <stdint.h>
#include <string.h>

#define KERNELS(S, T)                                                                                            \\
    int pg_kernel_sincos_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail);              \\
    int pg_kernel_sincos_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {             \\
        const T x = *(const T *)args[0];                                                                         \\
        (void)sizes, (void)work, (void)detail;                                                                   \\
        *(T *)args[1] = pg_sin_##S(x);                                                                           \\
        *(T *)args[2] = pg_cos_##S(x);                                                                           \\
        return 0;                                                                                                \\
    }                                                                                                            \\
    int pg_kernel_solver_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail);              \\
    int pg_kernel_solver_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {             \\
        const int64_t m = sizes[0], n = sizes[1];                                                                \\
        T *a = (T *)work, *x = (T *)args[2];                                                                     \\
        if (m * n == 0) return 0;                                                                                \\
        memcpy(a, args[0], (size_t)(m * m) * sizeof *a);                                                         \\
        memcpy(x, args[1], (size_t)(m * n) * sizeof *x);                                                         \\
        for (int64_t k = 0; k < m; k++) {                                                                        \\
            int64_t best = k;                                                                                    \\
            for (int64_t i = k + 1; i < m; i++)                                                                  \\
                if (pg_abs_##S(a[i * m + k]) > pg_abs_##S(a[best * m + k])) best = i;                            \\
            if (a[best * m + k] == 0) {                                                                          \\
                detail[0] = k;                                                                                   \\
                return 1;                                                                                        \\
            }                                                                                                    \\
            for (int64_t j = 0; j < m && best != k; j++) {                                                       \\
                const T swap = a[k * m + j];                                                                     \\
                a[k * m + j] = a[best * m + j];                                                                  \\
                a[best * m + j] = swap;                                                                          \\
            }                                                                                                    \\
            for (int64_t j = 0; j < n && best != k; j++) {                                                       \\
                const T swap = x[k * n + j];                                                                     \\
                x[k * n + j] = x[best * n + j];                                                                  \\
                x[best * n + j] = swap;                                                                          \\
            }                                                                                                    \\
            for (int64_t i = 0; i < m; i++) {                                                                    \\
                const T factor = a[i * m + k] / a[k * m + k];                                                    \\
                for (int64_t j = k; j < m && i != k; j++) a[i * m + j] -= factor * a[k * m + j];                 \\
                for (int64_t j = 0; j < n && i != k; j++) x[i * n + j] -= factor * x[k * n + j];                 \\
            }                                                                                                    \\
        }                                                                                                        \\
        for (int64_t i = 0; i < m; i++)                                                                          \\
            for (int64_t j = 0; j < n; j++) x[i * n + j] /= a[i * m + i];                                        \\
        return 0;                                                                                                \\
    }                                                                                                            \
    int pg_kernel_pushed_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail);              \
    int pg_kernel_pushed_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {             \
        const T y = *(const T *)args[0];                                                                         \
        T *x = (T *)args[1];                                                                                     \
        (void)work, (void)detail;                                                                                \
        if (sizes[0] > 0) x[0] += y, x[sizes[0] - 1] -= y;                                                       \
        return 0;                                                                                                \
    }
KERNELS(f64, double)
KERNELS(f32, float)
"""


def add(copy: Copy) -> None:
    """Add them to a copy of the project."""
    future = "from __future__ import annotations\n"
    public = ("__all__ = [", '__all__ = ["pushed", "sincos", "solver", ')
    copy.replace("kernels", "pygraph/ops/special.py", (future, future + IMPORTS), public)
    copy.append("kernels", "pygraph/ops/special.py", ROWS)
    copy.append("kernels", "csrc/made_up.c", C)
