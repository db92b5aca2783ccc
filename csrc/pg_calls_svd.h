/* Kernels of the singular value decomposition, by one-sided rotations: Golub and Van Loan, Matrix Computations, 8.6. */
#ifndef PG_CALLS_SVD_H
#define PG_CALLS_SVD_H

#include "pg_calls_jacobi.h"
#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>

/* A row of b, of l elements, that is orthogonal to the others: the unit vector that they miss most, without what they
 * have of it. Rows of zeros are not there yet. */
#define PG_DEFINE_COMPLETE(S, T)                                                            \
    PG_INLINE void pg_complete_##S(int64_t k, int64_t l, T *b, int64_t row) {               \
        T *own = b + row * l, least = 2, square = 0;                                        \
        int64_t best = 0;                                                                   \
        for (int64_t c = 0; c < l; c++) {                                                   \
            T sum = 0;                                                                      \
            for (int64_t i = 0; i < k; i++) sum += b[i * l + c] * b[i * l + c];             \
            if (sum < least) least = sum, best = c;                                         \
        }                                                                                   \
        for (int64_t c = 0; c < l; c++) own[c] = c == best;                                 \
        for (int twice = 0; twice < 2; twice++) {                                           \
            for (int64_t i = 0; i < k; i++) {                                               \
                T inner = 0;                                                                \
                for (int64_t c = 0; c < l && i != row; c++) inner += own[c] * b[i * l + c]; \
                for (int64_t c = 0; c < l && i != row; c++) own[c] -= inner * b[i * l + c]; \
            }                                                                               \
        }                                                                                   \
        for (int64_t c = 0; c < l; c++) square += own[c] * own[c];                          \
        for (int64_t c = 0; c < l; c++) own[c] /= pg_sqrt_##S(square);                      \
    }
PG_DEFINE_COMPLETE(f64, double)
PG_DEFINE_COMPLETE(f32, float)

/* b, k rows of l >= k elements, becomes orthonormal rows, and r the k by k rotation with b = r' diag(s) b'. They come
 * in no order. */
#define PG_DEFINE_ORTHOGONALISE(S, T, EPS)                                                              \
    PG_NOINLINE void pg_orthogonalise_##S(int64_t k, int64_t l, T *b, T *r, T *s) {                     \
        for (int64_t i = 0; i < k; i++)                                                                 \
            for (int64_t j = 0; j < k; j++) r[i * k + j] = i == j;                                      \
        int rotated = 1;                                                                                \
        for (int sweep = 0; rotated && sweep < PG_MAX_SWEEPS; sweep++) {                                \
            rotated = 0;                                                                                \
            for (int64_t p = 0; p < k; p++) {                                                           \
                for (int64_t q = p + 1; q < k; q++) {                                                   \
                    T *x = b + p * l, *y = b + q * l, first = 0, second = 0, both = 0;                  \
                    for (int64_t c = 0; c < l; c++) {                                                   \
                        first += x[c] * x[c];                                                           \
                        second += y[c] * y[c];                                                          \
                        both += x[c] * y[c];                                                            \
                    }                                                                                   \
                    if (!(pg_abs_##S(both) > EPS * pg_sqrt_##S(first) * pg_sqrt_##S(second))) continue; \
                    rotated = 1;                                                                        \
                    const T zeta = (second - first) / (2 * both);                                       \
                    const T root = pg_abs_##S(zeta) + pg_sqrt_##S(1 + zeta * zeta);                     \
                    const T t = zeta < 0 ? -1 / root : 1 / root, cosine = 1 / pg_sqrt_##S(1 + t * t);   \
                    pg_rotate_##S(l, 1, x, y, cosine, t * cosine);                                      \
                    pg_rotate_##S(k, 1, r + p * k, r + q * k, cosine, t * cosine);                      \
                }                                                                                       \
            }                                                                                           \
        }                                                                                               \
        for (int64_t i = 0; i < k; i++) {                                                               \
            T square = 0;                                                                               \
            for (int64_t c = 0; c < l; c++) square += b[i * l + c] * b[i * l + c];                      \
            s[i] = pg_sqrt_##S(square);                                                                 \
            for (int64_t c = 0; c < l; c++) b[i * l + c] = s[i] > 0 ? b[i * l + c] / s[i] : 0;          \
        }                                                                                               \
        for (int64_t i = 0; i < k; i++)                                                                 \
            if (s[i] == 0) pg_complete_##S(k, l, b, i);                                                 \
    }
PG_DEFINE_ORTHOGONALISE(f64, double, 0x1p-52)
PG_DEFINE_ORTHOGONALISE(f32, float, 0x1p-23f)

/* The same of numbers of any size. All are nan where an element is inf or nan. */
#define PG_DEFINE_ONE_SIDED(S, T)                                                    \
    PG_INLINE void pg_one_sided_##S(int64_t k, int64_t l, T *b, T *r, T *s) {        \
        const T back = pg_scale_down_##S(k * l, b);                                  \
        int solved = 0;                                                              \
        PG_BY_LAPACK(k, solved = back > 0 && pg_lapack_singular_##S(k, l, b, r, s)); \
        if (!solved) pg_orthogonalise_##S(k, l, b, r, s);                            \
        for (int64_t i = 0; i < k; i++) s[i] *= 2 * back;                            \
        if (back == back) return;                                                    \
        for (int64_t i = 0; i < k * k; i++) r[i] = back;                             \
        for (int64_t i = 0; i < k * l; i++) b[i] = back;                             \
    }
PG_DEFINE_ONE_SIDED(f64, double)
PG_DEFINE_ONE_SIDED(f32, float)

/* The same of a, of m by n elements: rows u of left and v of right singular vectors. */
#define PG_DEFINE_SINGULAR(S, T)                                                         \
    PG_INLINE void pg_singular_##S(int64_t m, int64_t n, const T *a, T *u, T *s, T *v) { \
        for (int64_t i = 0; i < m; i++)                                                  \
            for (int64_t j = 0; j < n; j++) {                                            \
                if (m < n)                                                               \
                    v[i * n + j] = a[i * n + j];                                         \
                else                                                                     \
                    u[j * m + i] = a[i * n + j];                                         \
            }                                                                            \
        if (m < n)                                                                       \
            pg_one_sided_##S(m, n, v, u, s);                                             \
        else                                                                             \
            pg_one_sided_##S(n, m, u, v, s);                                             \
    }
PG_DEFINE_SINGULAR(f64, double)
PG_DEFINE_SINGULAR(f32, float)

/* sizes: m, n, k, which is the smaller of them. */
#define PG_DEFINE_KERNEL_SVD(S, T)                                                                          \
    PG_INLINE int pg_kernel_svd_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t m = sizes[0], n = sizes[1], k = sizes[2];                                             \
        T *u = (T *)work, *out = (T *)args[1], *s = (T *)args[2], *v = (T *)args[3];                        \
        (void)detail;                                                                                       \
        if (k != (m < n ? m : n)) return 0;                                                                 \
        pg_singular_##S(m, n, (const T *)args[0], u, s, v);                                                 \
        for (int64_t i = 0; i < k; i++) {                                                                   \
            int64_t most = i;                                                                               \
            for (int64_t j = i + 1; j < k; j++)                                                             \
                if (s[j] > s[most]) most = j;                                                               \
            const T value = s[most], sign = pg_sign_of_##S(m, u + most * m);                                \
            s[most] = s[i];                                                                                 \
            s[i] = value;                                                                                   \
            for (int64_t j = 0; j < m; j++) {                                                               \
                const T x = u[most * m + j];                                                                \
                u[most * m + j] = u[i * m + j];                                                             \
                u[i * m + j] = out[j * k + i] = sign * x;                                                   \
            }                                                                                               \
            for (int64_t j = 0; j < n; j++) {                                                               \
                const T x = v[most * n + j];                                                                \
                v[most * n + j] = v[i * n + j];                                                             \
                v[i * n + j] = sign * x;                                                                    \
            }                                                                                               \
        }                                                                                                   \
        return 0;                                                                                           \
    }
PG_DEFINE_KERNEL_SVD(f64, double)
PG_DEFINE_KERNEL_SVD(f32, float)

/* sizes: m, n. The pseudoinverse; singular values up to `cutoff` times the largest count as zeros. */
#define PG_DEFINE_KERNEL_PINV(S, T)                                                                          \
    PG_INLINE int pg_kernel_pinv_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t m = sizes[0], n = sizes[1], k = m < n ? m : n;                                         \
        const T cutoff = *(const T *)args[1];                                                                \
        T *u = (T *)work, *v = u + m * n, *s = v + m * n, *out = (T *)args[2], largest = 0;                  \
        (void)detail;                                                                                        \
        pg_singular_##S(m, n, (const T *)args[0], u, s, v);                                                  \
        for (int64_t i = 0; i < k; i++)                                                                      \
            if (!(s[i] <= largest)) largest = s[i];                                                          \
        for (int64_t i = 0; i < m * n; i++) out[i] = 0;                                                      \
        for (int64_t i = 0; i < k; i++) {                                                                    \
            if (s[i] <= cutoff * largest) continue;                                                          \
            for (int64_t row = 0; row < n; row++) {                                                          \
                const T factor = v[i * n + row] / s[i];                                                      \
                PG_IVDEP for (int64_t j = 0; j < m; j++) out[row * m + j] += factor * u[i * m + j];          \
            }                                                                                                \
        }                                                                                                    \
        return 0;                                                                                            \
    }
PG_DEFINE_KERNEL_PINV(f64, double)
PG_DEFINE_KERNEL_PINV(f32, float)

#endif
