/* The kernel of the QR decomposition, by Householder's reflections with LAPACK's signs. */
#ifndef PG_CALLS_QR_H
#define PG_CALLS_QR_H

#include "pg_calls_triangular.h" /* PG_BY_LAPACK */
#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* Rows first to m of x, of n columns from `column` on, reflected: x -= tau v (v' x), where v is 1 and, below, column
 * `first` of w, of `stride` columns. t is a row of workspace. */
#define PG_DEFINE_REFLECT(S, T)                                                                           \
    PG_INLINE void pg_reflect_##S(int64_t m, int64_t n, int64_t first, int64_t column, T tau, const T *w, \
                                  int64_t stride, T *x, T *t) {                                           \
        for (int64_t c = column; c < n; c++) t[c] = x[first * n + c];                                     \
        for (int64_t i = first + 1; i < m; i++)                                                           \
            for (int64_t c = column; c < n; c++) t[c] += w[i * stride + first] * x[i * n + c];            \
        for (int64_t c = column; c < n; c++) t[c] *= tau;                                                 \
        for (int64_t c = column; c < n; c++) x[first * n + c] -= t[c];                                    \
        for (int64_t i = first + 1; i < m; i++)                                                           \
            for (int64_t c = column; c < n; c++) x[i * n + c] -= w[i * stride + first] * t[c];            \
    }
PG_DEFINE_REFLECT(f64, double)
PG_DEFINE_REFLECT(f32, float)

/* sizes: m, n, k: the columns of q. */
#define PG_DEFINE_KERNEL_QR(S, T)                                                                          \
    PG_INLINE int pg_kernel_qr_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t m = sizes[0], n = sizes[1], k = sizes[2], steps = m < n ? m : n;                     \
        T *w = (T *)work, *tau = w + m * n, *t = tau + n, *q = (T *)args[1], *r = (T *)args[2];            \
        (void)detail;                                                                                      \
        PG_BY_LAPACK(steps, if (pg_lapack_qr_##S(m, n, k, (const T *)args[0], q, r)) return 0);            \
        if (m != 0 && n != 0) memcpy(w, args[0], (size_t)(m * n) * sizeof *w);                             \
        for (int64_t j = 0; j < steps; j++) {                                                              \
            T below = 0, sum = 0;                                                                          \
            for (int64_t i = j + 1; i < m; i++) below += pg_abs_##S(w[i * n + j]);                         \
            tau[j] = 0;                                                                                    \
            if (below == 0) continue;                                                                      \
            const T alpha = w[j * n + j], scale = below + pg_abs_##S(alpha);                               \
            for (int64_t i = j; i < m; i++) sum += (w[i * n + j] / scale) * (w[i * n + j] / scale);        \
            const T norm = scale * pg_sqrt_##S(sum), beta = alpha >= 0 ? -norm : norm;                     \
            tau[j] = (beta - alpha) / beta;                                                                \
            for (int64_t i = j + 1; i < m; i++) w[i * n + j] /= alpha - beta;                              \
            w[j * n + j] = beta;                                                                           \
            pg_reflect_##S(m, n, j, j + 1, tau[j], w, n, w, t);                                            \
        }                                                                                                  \
        for (int64_t i = 0; i < k; i++)                                                                    \
            for (int64_t c = 0; c < n; c++) r[i * n + c] = i <= c && i < m ? w[i * n + c] : 0;             \
        for (int64_t i = 0; i < m; i++)                                                                    \
            for (int64_t c = 0; c < k; c++) q[i * k + c] = i == c;                                         \
        for (int64_t j = steps - 1; j >= 0; j--)                                                           \
            if (tau[j] != 0) pg_reflect_##S(m, k, j, 0, tau[j], w, n, q, t);                               \
        return 0;                                                                                          \
    }
PG_DEFINE_KERNEL_QR(f64, double)
PG_DEFINE_KERNEL_QR(f32, float)

#endif
