/* Kernels of triangular matrices: the Cholesky factor, and the solution of a triangular system. */
#ifndef PG_CALLS_TRIANGULAR_H
#define PG_CALLS_TRIANGULAR_H

#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* What is done by LAPACK in the library that has it, for matrices above a size; elsewhere nothing is. */
#ifndef PG_BY_LAPACK
#define PG_BY_LAPACK(size, statement) (void)(size)
#endif

/* x := op(a)^-1 x for a triangular a of m by m elements, whose element (i, k) of op(a) lies at i * rows + k * columns,
 * and x of m by n. Returns 0, or 1 where a diagonal element is zero. */
#define PG_DEFINE_SUBSTITUTE(S, T)                                                                              \
    PG_INLINE int pg_substitute_##S(int64_t m, int64_t n, const T *a, int64_t rows, int64_t columns, int lower, \
                                    int unit, T *x, int64_t *detail) {                                          \
        for (int64_t i = 0; i < m && !unit; i++) {                                                              \
            if (a[i * (rows + columns)] != 0) continue;                                                         \
            detail[0] = i;                                                                                      \
            return 1;                                                                                           \
        }                                                                                                       \
        PG_BY_LAPACK(m, return pg_lapack_substitute_##S(m, n, a, rows, lower, unit, x));                        \
        for (int64_t step = 0; step < m; step++) {                                                              \
            const int64_t i = lower ? step : m - 1 - step;                                                      \
            const int64_t first = lower ? 0 : i + 1, end = lower ? i : m;                                       \
            T *own = x + i * n;                                                                                 \
            if (n == 1) {                                                                                       \
                T sum = own[0];                                                                                 \
                for (int64_t k = first; k < end; k++) sum -= a[i * rows + k * columns] * x[k];                  \
                own[0] = unit ? sum : sum / a[i * (rows + columns)];                                            \
                continue;                                                                                       \
            }                                                                                                   \
            for (int64_t k = first; k < end; k++) {                                                             \
                const T factor = a[i * rows + k * columns];                                                     \
                const T *other = x + k * n;                                                                     \
                PG_IVDEP for (int64_t j = 0; j < n; j++) own[j] -= factor * other[j];                           \
            }                                                                                                   \
            if (!unit)                                                                                          \
                for (int64_t j = 0; j < n; j++) own[j] /= a[i * (rows + columns)];                              \
        }                                                                                                       \
        return 0;                                                                                               \
    }
PG_DEFINE_SUBSTITUTE(f64, double)
PG_DEFINE_SUBSTITUTE(f32, float)

/* sizes: m, n, then whether the matrix is lower, transposed, and has ones for its diagonal. Fails at a zero on it. */
#define PG_DEFINE_SOLVE_TRIANGULAR(S, T)                                                              \
    PG_INLINE int pg_kernel_solve_triangular_##S(const int64_t *sizes, void *const *args, void *work, \
                                                 int64_t *detail) {                                   \
        const int64_t m = sizes[0], n = sizes[1];                                                     \
        const int lower = sizes[2] != 0, transposed = sizes[3] != 0, unit = sizes[4] != 0;            \
        T *x = (T *)args[2];                                                                          \
        (void)work;                                                                                   \
        if (m == 0 || n == 0) return 0;                                                               \
        memcpy(x, args[1], (size_t)(m * n) * sizeof *x);                                              \
        return pg_substitute_##S(m, n, (const T *)args[0], transposed ? 1 : m, transposed ? m : 1,    \
                                 lower != transposed, unit, x, detail);                               \
    }
PG_DEFINE_SOLVE_TRIANGULAR(f64, double)
PG_DEFINE_SOLVE_TRIANGULAR(f32, float)

/* l := the factor of the lower triangle of a, both of n by n elements. Fails where a leading minor is not positive. The
 * reciprocals of its diagonal are kept where its first row will be zero. */
#define PG_DEFINE_CHOLESKY(S, T)                                                  \
    PG_INLINE int pg_cholesky_##S(int64_t n, const T *a, T *l, int64_t *detail) { \
        T first = 0;                                                              \
        PG_BY_LAPACK(n, return pg_lapack_cholesky_##S(n, a, l, detail));          \
        for (int64_t i = 0; i < n; i++) {                                         \
            T *own = l + i * n;                                                   \
            for (int64_t j = 0; j < i; j++) {                                     \
                T sum = a[i * n + j];                                             \
                for (int64_t k = 0; k < j; k++) sum -= own[k] * l[j * n + k];     \
                own[j] = sum * (j == 0 ? first : l[j]);                           \
            }                                                                     \
            T sum = a[i * n + i];                                                 \
            for (int64_t k = 0; k < i; k++) sum -= own[k] * own[k];               \
            if (sum <= 0) {                                                       \
                detail[0] = i + 1;                                                \
                return 1;                                                         \
            }                                                                     \
            own[i] = pg_sqrt_##S(sum);                                            \
            if (i == 0)                                                           \
                first = 1 / own[0];                                               \
            else                                                                  \
                l[i] = 1 / own[i];                                                \
            for (int64_t j = i + 1; j < n; j++) own[j] = 0;                       \
        }                                                                         \
        for (int64_t j = 1; j < n; j++) l[j] = 0;                                 \
        return 0;                                                                 \
    }
PG_DEFINE_CHOLESKY(f64, double)
PG_DEFINE_CHOLESKY(f32, float)

/* sizes: n. Loops over a constant number of elements are unrolled. */
#define PG_DEFINE_KERNEL_CHOLESKY(S, T)                                                                          \
    PG_INLINE int pg_kernel_cholesky_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const T *a = (const T *)args[0];                                                                         \
        T *l = (T *)args[1];                                                                                     \
        (void)work;                                                                                              \
        switch (sizes[0]) {                                                                                      \
        case 2: return pg_cholesky_##S(2, a, l, detail);                                                         \
        case 3: return pg_cholesky_##S(3, a, l, detail);                                                         \
        case 4: return pg_cholesky_##S(4, a, l, detail);                                                         \
        case 6: return pg_cholesky_##S(6, a, l, detail);                                                         \
        case 8: return pg_cholesky_##S(8, a, l, detail);                                                         \
        default: return pg_cholesky_##S(sizes[0], a, l, detail);                                                 \
        }                                                                                                        \
    }
PG_DEFINE_KERNEL_CHOLESKY(f64, double)
PG_DEFINE_KERNEL_CHOLESKY(f32, float)

#endif
