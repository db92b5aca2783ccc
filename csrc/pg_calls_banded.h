/* The kernel of banded systems: elimination with exchanged rows inside the band. */
#ifndef PG_CALLS_BANDED_H
#define PG_CALLS_BANDED_H

#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* sizes: p: the diagonals; n, m: the sizes of x; then the diagonals below the main one, and whether the matrix is
 * transposed. Element (i, j) lies in row upper + i - j and column j of the band, as in LAPACK. In the workspace row i
 * holds its columns from i - lower on, with space for what exchanged rows bring. Fails at a zero pivot. */
#define PG_DEFINE_KERNEL_SOLVE_BANDED(S, T)                                                                          \
    PG_INLINE int pg_kernel_solve_banded_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t p = sizes[0], n = sizes[1], m = sizes[2], below = sizes[3];                                    \
        const int transposed = sizes[4] != 0;                                                                        \
        const T *band = (const T *)args[0];                                                                          \
        T *x = (T *)args[2], *w = (T *)work;                                                                         \
        if (n == 0 || m == 0 || below < 0 || below >= p) return 0;                                                   \
        const int64_t above = p - 1 - below, lower = transposed ? above : below, width = p + lower;                  \
        memcpy(x, args[1], (size_t)(n * m) * sizeof *x);                                                             \
        for (int64_t i = 0; i < n; i++) {                                                                            \
            for (int64_t c = 0; c < width; c++) {                                                                    \
                const int64_t j = i - lower + c, row = above + (transposed ? j - i : i - j);                         \
                const int inside = c < p && j >= 0 && j < n;                                                         \
                w[i * width + c] = inside ? band[row * n + (transposed ? i : j)] : 0;                                \
            }                                                                                                        \
        }                                                                                                            \
        for (int64_t k = 0; k < n; k++) {                                                                            \
            const int64_t last = n - 1 - k < lower ? n - 1 : k + lower; /* row i: column j is at lower + j - i */    \
            int64_t best = k;                                                                                        \
            for (int64_t i = k + 1; i <= last; i++)                                                                  \
                if (pg_abs_##S(w[i * width + lower + k - i]) > pg_abs_##S(w[best * width + lower + k - best]))       \
                    best = i;                                                                                        \
            if (w[best * width + lower + k - best] == 0) {                                                           \
                detail[0] = k;                                                                                       \
                return 1;                                                                                            \
            }                                                                                                        \
            T *pivot = w + k * width + lower;                                                                        \
            const int64_t count = width - lower; /* columns k to k + p - 1 */                                        \
            if (best != k) {                                                                                         \
                T *other = w + best * width + lower + k - best;                                                      \
                for (int64_t c = 0; c < count; c++) {                                                                \
                    const T kept = pivot[c];                                                                         \
                    pivot[c] = other[c];                                                                             \
                    other[c] = kept;                                                                                 \
                }                                                                                                    \
                for (int64_t c = 0; c < m; c++) {                                                                    \
                    const T kept = x[k * m + c];                                                                     \
                    x[k * m + c] = x[best * m + c];                                                                  \
                    x[best * m + c] = kept;                                                                          \
                }                                                                                                    \
            }                                                                                                        \
            for (int64_t i = k + 1; i <= last; i++) {                                                                \
                T *own = w + i * width + lower + k - i;                                                              \
                const T factor = own[0] / pivot[0];                                                                  \
                for (int64_t c = 1; c < count; c++) own[c] -= factor * pivot[c];                                     \
                for (int64_t c = 0; c < m; c++) x[i * m + c] -= factor * x[k * m + c];                               \
            }                                                                                                        \
        }                                                                                                            \
        for (int64_t k = n - 1; k >= 0; k--) {                                                                       \
            const T *pivot = w + k * width + lower;                                                                  \
            for (int64_t c = 1; c < width - lower && k + c < n; c++)                                                 \
                for (int64_t j = 0; j < m; j++) x[k * m + j] -= pivot[c] * x[(k + c) * m + j];                       \
            for (int64_t j = 0; j < m; j++) x[k * m + j] /= pivot[0];                                                \
        }                                                                                                            \
        return 0;                                                                                                    \
    }
PG_DEFINE_KERNEL_SOLVE_BANDED(f64, double)
PG_DEFINE_KERNEL_SOLVE_BANDED(f32, float)

#endif
