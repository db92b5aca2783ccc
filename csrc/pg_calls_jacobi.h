/* Kernels of eigenvalues and singular values, by Jacobi's rotations: Golub and Van Loan, Matrix Computations, 8.5, 8.6.
 *
 * An eigenvector or a left singular vector has a positive element where it is first at least half of its largest. */
#ifndef PG_CALLS_JACOBI_H
#define PG_CALLS_JACOBI_H

#include "pg_calls_triangular.h"
#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <math.h>
#include <stdint.h>

enum { PG_MAX_SWEEPS = 60 }; /* ten are usual */

/* Vectors p and q of n elements rotated: c p - s q and s p + c q, which lie `stride` apart. */
#define PG_DEFINE_ROTATE(S, T)                                                      \
    PG_INLINE void pg_rotate_##S(int64_t n, int64_t stride, T *p, T *q, T c, T s) { \
        PG_IVDEP for (int64_t i = 0; i < n; i++) {                                  \
            const T x = p[i * stride], y = q[i * stride];                           \
            p[i * stride] = c * x - s * y;                                          \
            q[i * stride] = s * x + c * y;                                          \
        }                                                                           \
    }
PG_DEFINE_ROTATE(f64, double)
PG_DEFINE_ROTATE(f32, float)

/* x multiplied by a power of two that makes its largest element about 1. The result is half of the power that undoes
 * it: 0 where all elements are zero, nan where one is inf or nan. */
#define PG_DEFINE_SCALE_DOWN(S, T)                                      \
    PG_INLINE T pg_scale_down_##S(int64_t n, T *x) {                    \
        T largest = 0, wrong = 0;                                       \
        for (int64_t i = 0; i < n; i++) {                               \
            if (pg_abs_##S(x[i]) > largest) largest = pg_abs_##S(x[i]); \
            wrong += x[i] - x[i];                                       \
        }                                                               \
        if (wrong != 0 || largest == 0) return wrong;                   \
        int exponent;                                                   \
        (void)frexp((double)largest, &exponent);                        \
        const int least = sizeof(T) == sizeof(double) ? -1000 : -120;   \
        exponent = exponent < least ? least : exponent;                 \
        const T factor = (T)ldexp(1.0, -exponent);                      \
        for (int64_t i = 0; i < n; i++) x[i] *= factor;                 \
        return (T)ldexp(1.0, exponent - 1);                             \
    }
PG_DEFINE_SCALE_DOWN(f64, double)
PG_DEFINE_SCALE_DOWN(f32, float)

/* -1 where a vector of n elements is to change its sign, else 1. */
#define PG_DEFINE_SIGN_OF(S, T)                                            \
    PG_INLINE T pg_sign_of_##S(int64_t n, const T *x) {                    \
        T largest = 0;                                                     \
        for (int64_t i = 0; i < n; i++)                                    \
            if (pg_abs_##S(x[i]) > largest) largest = pg_abs_##S(x[i]);    \
        for (int64_t i = 0; i < n; i++)                                    \
            if (pg_abs_##S(x[i]) >= largest / 2) return x[i] < 0 ? -1 : 1; \
        return 1;                                                          \
    }
PG_DEFINE_SIGN_OF(f64, double)
PG_DEFINE_SIGN_OF(f32, float)

/* The eigenvalues w and the rows v of eigenvectors of the symmetric matrix u, in no order. */
#define PG_DEFINE_JACOBI(S, T, EPS)                                                                          \
    PG_NOINLINE void pg_jacobi_##S(int64_t n, T *u, T *v, T *w) {                                            \
        T square = 0;                                                                                        \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            for (int64_t j = 0; j < n; j++) {                                                                \
                square += u[i * n + j] * u[i * n + j];                                                       \
                v[i * n + j] = i == j;                                                                       \
            }                                                                                                \
        }                                                                                                    \
        const T small = EPS / 128 * pg_sqrt_##S(square) / (T)n;                                              \
        int rotated = 1;                                                                                     \
        for (int sweep = 0; rotated && sweep < PG_MAX_SWEEPS; sweep++) {                                     \
            rotated = 0;                                                                                     \
            for (int64_t p = 0; p < n; p++) {                                                                \
                for (int64_t q = p + 1; q < n; q++) {                                                        \
                    const T off = u[p * n + q];                                                              \
                    if (!(pg_abs_##S(off) > small)) continue;                                                \
                    rotated = 1;                                                                             \
                    const T theta = (u[q * n + q] - u[p * n + p]) / (2 * off);                               \
                    const T root = pg_abs_##S(theta) + pg_sqrt_##S(1 + theta * theta);                       \
                    const T t = theta < 0 ? -1 / root : 1 / root, c = 1 / pg_sqrt_##S(1 + t * t), s = t * c; \
                    pg_rotate_##S(n, 1, u + p * n, u + q * n, c, s);                                         \
                    pg_rotate_##S(n, n, u + p, u + q, c, s);                                                 \
                    pg_rotate_##S(n, 1, v + p * n, v + q * n, c, s);                                         \
                    u[p * n + q] = u[q * n + p] = 0;                                                         \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
        for (int64_t i = 0; i < n; i++) w[i] = u[i * (n + 1)];                                               \
    }
PG_DEFINE_JACOBI(f64, double, 0x1p-52)
PG_DEFINE_JACOBI(f32, float, 0x1p-23f)

/* The eigenvalues w, ascending, and the rows v of eigenvectors of a symmetric matrix whose lower triangle is that of a,
 * in a copy u of it. All are nan where an element is inf or nan. */
#define PG_DEFINE_EIGEN(S, T)                                                            \
    PG_NOINLINE void pg_eigen_##S(int64_t n, const T *a, T *u, T *v, T *w) {             \
        for (int64_t i = 0; i < n; i++)                                                  \
            for (int64_t j = 0; j <= i; j++) u[i * n + j] = u[j * n + i] = a[i * n + j]; \
        const T back = pg_scale_down_##S(n * n, u);                                      \
        int solved = 0;                                                                  \
        PG_BY_LAPACK(n, solved = back > 0 && pg_lapack_eigen_##S(n, u, v, w));           \
        if (!solved) pg_jacobi_##S(n, u, v, w);                                          \
        for (int64_t i = 0; i < n; i++) {                                                \
            int64_t least = i;                                                           \
            for (int64_t j = i + 1; j < n; j++)                                          \
                if (w[j] < w[least]) least = j;                                          \
            const T value = w[least], sign = pg_sign_of_##S(n, v + least * n);           \
            w[least] = w[i];                                                             \
            w[i] = back == back ? value * 2 * back : back;                               \
            for (int64_t j = 0; j < n; j++) {                                            \
                const T x = v[least * n + j];                                            \
                v[least * n + j] = v[i * n + j];                                         \
                v[i * n + j] = back == back ? sign * x : back;                           \
            }                                                                            \
        }                                                                                \
    }
PG_DEFINE_EIGEN(f64, double)
PG_DEFINE_EIGEN(f32, float)

/* sizes: n. */
#define PG_DEFINE_KERNEL_EIGH(S, T)                                                                          \
    PG_INLINE int pg_kernel_eigh_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                          \
        T *u = (T *)work, *v = u + n * n, *out = (T *)args[2];                                               \
        (void)detail;                                                                                        \
        pg_eigen_##S(n, (const T *)args[0], u, v, (T *)args[1]);                                             \
        for (int64_t i = 0; i < n; i++)                                                                      \
            for (int64_t j = 0; j < n; j++) out[i * n + j] = v[j * n + i];                                   \
        return 0;                                                                                            \
    }
PG_DEFINE_KERNEL_EIGH(f64, double)
PG_DEFINE_KERNEL_EIGH(f32, float)

/* A function of a symmetric matrix: v' diag(w) v from its rows v of eigenvectors, and what became of its eigenvalues.
 */
#define PG_DEFINE_RECOMPOSE(S, T)                                                                     \
    PG_INLINE void pg_recompose_##S(int64_t n, const T *v, const T *w, T *out) {                      \
        for (int64_t i = 0; i < n * n; i++) out[i] = 0;                                               \
        for (int64_t k = 0; k < n; k++)                                                               \
            for (int64_t i = 0; i < n; i++)                                                           \
                for (int64_t j = 0; j < n; j++) out[i * n + j] += v[k * n + i] * w[k] * v[k * n + j]; \
    }
PG_DEFINE_RECOMPOSE(f64, double)
PG_DEFINE_RECOMPOSE(f32, float)

/* sizes: n. Fails at a negative eigenvalue; those that rounding may have moved below zero are zero. */
#define PG_DEFINE_KERNEL_SQRTM(S, T, EPS)                                                                     \
    PG_INLINE int pg_kernel_sqrtm_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                           \
        T *u = (T *)work, *v = u + n * n, *w = v + n * n;                                                     \
        if (n == 0) return 0;                                                                                 \
        pg_eigen_##S(n, (const T *)args[0], u, v, w);                                                         \
        const T least = -EPS * 8 * (T)n * (w[n - 1] > -w[0] ? w[n - 1] : -w[0]);                              \
        for (int64_t i = 0; i < n; i++) {                                                                     \
            if (w[i] < least) {                                                                               \
                detail[0] = i;                                                                                \
                return 1;                                                                                     \
            }                                                                                                 \
            w[i] = w[i] < 0 ? 0 : pg_sqrt_##S(w[i]);                                                          \
        }                                                                                                     \
        pg_recompose_##S(n, v, w, (T *)args[1]);                                                              \
        return 0;                                                                                             \
    }
PG_DEFINE_KERNEL_SQRTM(f64, double, 0x1p-52)
PG_DEFINE_KERNEL_SQRTM(f32, float, 0x1p-23f)

/* c := a b, all of n by n elements; a is transposed where its rows lie 1 apart and its columns n. */
#define PG_DEFINE_MULTIPLY(S, T)                                                                             \
    PG_INLINE void pg_multiply_##S(int64_t n, const T *a, int64_t rows, int64_t columns, const T *b, T *c) { \
        int done = 0;                                                                                        \
        PG_BY_LAPACK(n, done = pg_lapack_multiply_##S(n, a, rows, b, c));                                    \
        if (done) return;                                                                                    \
        for (int64_t i = 0; i < n; i++) {                                                                    \
            for (int64_t j = 0; j < n; j++) c[i * n + j] = 0;                                                \
            for (int64_t k = 0; k < n; k++) {                                                                \
                const T factor = a[i * rows + k * columns];                                                  \
                PG_IVDEP for (int64_t j = 0; j < n; j++) c[i * n + j] += factor * b[k * n + j];              \
            }                                                                                                \
        }                                                                                                    \
    }
PG_DEFINE_MULTIPLY(f64, double)
PG_DEFINE_MULTIPLY(f32, float)

/* sizes: n. y of x y + y x = b for a symmetric x: in the basis of its eigenvectors a quotient. */
#define PG_DEFINE_KERNEL_LYAPUNOV(S, T)                                                                          \
    PG_INLINE int pg_kernel_lyapunov_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                              \
        T *u = (T *)work, *v = u + n * n, *z = v + n * n, *w = z + n * n, *y = (T *)args[2];                     \
        (void)detail;                                                                                            \
        pg_eigen_##S(n, (const T *)args[0], u, v, w);                                                            \
        pg_multiply_##S(n, v, n, 1, (const T *)args[1], u);                                                      \
        for (int64_t i = 0; i < n; i++) { /* z = u v' */                                                         \
            for (int64_t j = 0; j < n; j++) {                                                                    \
                T sum = 0;                                                                                       \
                for (int64_t k = 0; k < n; k++) sum += u[i * n + k] * v[j * n + k];                              \
                z[i * n + j] = sum / (w[i] + w[j]);                                                              \
            }                                                                                                    \
        }                                                                                                        \
        pg_multiply_##S(n, v, 1, n, z, u);                                                                       \
        pg_multiply_##S(n, u, n, 1, v, y);                                                                       \
        return 0;                                                                                                \
    }
PG_DEFINE_KERNEL_LYAPUNOV(f64, double)
PG_DEFINE_KERNEL_LYAPUNOV(f32, float)

#endif
