/* Kernels of the LU decomposition with exchanged rows: factors, solutions, determinants and cofactors. */
#ifndef PG_CALLS_LU_H
#define PG_CALLS_LU_H

#include "pg_calls_triangular.h"
#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* Rows first and other of x, of n elements, exchanged. */
#define PG_DEFINE_EXCHANGE(S, T)                                                    \
    PG_INLINE void pg_exchange_##S(T *x, int64_t n, int64_t first, int64_t other) { \
        for (int64_t j = 0; j < n && first != other; j++) {                         \
            const T kept = x[first * n + j];                                        \
            x[first * n + j] = x[other * n + j];                                    \
            x[other * n + j] = kept;                                                \
        }                                                                           \
    }
PG_DEFINE_EXCHANGE(f64, double)
PG_DEFINE_EXCHANGE(f32, float)
PG_DEFINE_EXCHANGE(i64, int64_t)

/* lu, of m by n elements, in place: row i of the product of its factors is row order[i] of what it was. The result is
 * the determinant of that permutation. */
#define PG_DEFINE_LU(S, T)                                                                \
    PG_INLINE T pg_lu_##S(int64_t m, int64_t n, T *lu, int64_t *order) {                  \
        T parity = 1;                                                                     \
        int done = 0;                                                                     \
        PG_BY_LAPACK(m < n ? m : n, done = pg_lapack_lu_##S(m, n, lu, order, &parity));   \
        if (done) return parity;                                                          \
        for (int64_t i = 0; i < m; i++) order[i] = i;                                     \
        for (int64_t k = 0; k < m && k < n; k++) {                                        \
            int64_t best = k;                                                             \
            for (int64_t i = k + 1; i < m; i++)                                           \
                if (pg_abs_##S(lu[i * n + k]) > pg_abs_##S(lu[best * n + k])) best = i;   \
            if (best != k) {                                                              \
                pg_exchange_##S(lu, n, k, best);                                          \
                pg_exchange_i64(order, 1, k, best);                                       \
                parity = -parity;                                                         \
            }                                                                             \
            if (lu[k * n + k] == 0) continue;                                             \
            const T *pivot = lu + k * n;                                                  \
            for (int64_t i = k + 1; i < m; i++) {                                         \
                T *own = lu + i * n;                                                      \
                const T factor = own[k] /= pivot[k];                                      \
                PG_IVDEP for (int64_t j = k + 1; j < n; j++) own[j] -= factor * pivot[j]; \
            }                                                                             \
        }                                                                                 \
        return parity;                                                                    \
    }
PG_DEFINE_LU(f64, double)
PG_DEFINE_LU(f32, float)

/* sizes: m, n. */
#define PG_DEFINE_KERNEL_LU(S, T)                                                                          \
    PG_INLINE int pg_kernel_lu_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t m = sizes[0], n = sizes[1];                                                          \
        T *lu = (T *)args[1], *parity = (T *)args[3];                                                      \
        int64_t *order = (int64_t *)args[2];                                                               \
        (void)work, (void)detail;                                                                          \
        if (m != 0 && n != 0) memcpy(lu, args[0], (size_t)(m * n) * sizeof *lu);                           \
        switch (m == n ? n : 0) {                                                                          \
        case 2: *parity = pg_lu_##S(2, 2, lu, order); break;                                               \
        case 3: *parity = pg_lu_##S(3, 3, lu, order); break;                                               \
        case 4: *parity = pg_lu_##S(4, 4, lu, order); break;                                               \
        case 6: *parity = pg_lu_##S(6, 6, lu, order); break;                                               \
        default: *parity = pg_lu_##S(m, n, lu, order);                                                     \
        }                                                                                                  \
        return 0;                                                                                          \
    }
PG_DEFINE_KERNEL_LU(f64, double)
PG_DEFINE_KERNEL_LU(f32, float)

/* x := a^-1 b, or the same of the transpose, from the factors of a; the workspace z is as large as x. Fails in the
 * first way at a zero pivot, in the second where `order` is no order. */
#define PG_DEFINE_LU_SOLVE(S, T)                                                                                       \
    PG_INLINE int pg_lu_solve_##S(int64_t m, int64_t n, int transposed, const T *lu, const int64_t *order, const T *b, \
                                  T *x, T *z, int64_t *detail) {                                                       \
        for (int64_t i = 0; i < m; i++) {                                                                              \
            if (order[i] < 0 || order[i] >= m) {                                                                       \
                detail[0] = order[i];                                                                                  \
                detail[1] = m;                                                                                         \
                return 2;                                                                                              \
            }                                                                                                          \
        }                                                                                                              \
        if (!transposed) {                                                                                             \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) x[i * n + j] = b[order[i] * n + j];                                    \
            (void)pg_substitute_##S(m, n, lu, m, 1, 1, 1, x, detail);                                                  \
            return pg_substitute_##S(m, n, lu, m, 1, 0, 0, x, detail);                                                 \
        }                                                                                                              \
        for (int64_t at = 0; at < m * n; at++) {                                                                       \
            z[at] = b[at];                                                                                             \
            x[at] = 0;                                                                                                 \
        }                                                                                                              \
        if (pg_substitute_##S(m, n, lu, 1, m, 1, 0, z, detail)) return 1;                                              \
        (void)pg_substitute_##S(m, n, lu, 1, m, 0, 1, z, detail);                                                      \
        for (int64_t i = 0; i < m; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) x[order[i] * n + j] = z[i * n + j];                                        \
        return 0;                                                                                                      \
    }
PG_DEFINE_LU_SOLVE(f64, double)
PG_DEFINE_LU_SOLVE(f32, float)

/* sizes: m, n, then whether the matrix is transposed. The matrix itself is not read: its factors say all. */
#define PG_DEFINE_KERNEL_LU_SOLVE(S, T)                                                                          \
    PG_INLINE int pg_kernel_lu_solve_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t m = sizes[0], n = sizes[1];                                                                \
        const int transposed = sizes[2] != 0;                                                                    \
        const T *lu = (const T *)args[1], *b = (const T *)args[3];                                               \
        const int64_t *order = (const int64_t *)args[2];                                                         \
        T *x = (T *)args[4], *z = (T *)work;                                                                     \
        if (n == 1 && m == 2) return pg_lu_solve_##S(2, 1, transposed, lu, order, b, x, z, detail);              \
        if (n == 1 && m == 3) return pg_lu_solve_##S(3, 1, transposed, lu, order, b, x, z, detail);              \
        if (n == 1 && m == 4) return pg_lu_solve_##S(4, 1, transposed, lu, order, b, x, z, detail);              \
        if (n == 1 && m == 6) return pg_lu_solve_##S(6, 1, transposed, lu, order, b, x, z, detail);              \
        return pg_lu_solve_##S(m, n, transposed, lu, order, b, x, z, detail);                                    \
    }
PG_DEFINE_KERNEL_LU_SOLVE(f64, double)
PG_DEFINE_KERNEL_LU_SOLVE(f32, float)

/* sizes: n. The determinant from the factors and the parity. */
#define PG_DEFINE_KERNEL_DETERMINANT(S, T)                                                                          \
    PG_INLINE int pg_kernel_determinant_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                                 \
        const T *lu = (const T *)args[1];                                                                           \
        T product = *(const T *)args[2];                                                                            \
        (void)work, (void)detail;                                                                                   \
        for (int64_t i = 0; i < n; i++) product *= lu[i * (n + 1)];                                                 \
        *(T *)args[3] = product;                                                                                    \
        return 0;                                                                                                   \
    }
PG_DEFINE_KERNEL_DETERMINANT(f64, double)
PG_DEFINE_KERNEL_DETERMINANT(f32, float)

/* sizes: n. The cofactors of a matrix, also of one without an inverse: with rows and columns exchanged so that each
 * pivot is the largest element left, a = P' L U Q', whence cof(a) = det(P) det(Q) P' L'^-1 cof(U) Q'. Where the last
 * pivot alone is zero, cof(U) has one row, from the vector that U takes to zero; where more are, no cofactor is left.
 */
#define PG_DEFINE_KERNEL_COFACTORS(S, T)                                                                          \
    PG_INLINE int pg_kernel_cofactors_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0], size = n * n;                                                                 \
        T *u = (T *)work, *z = u + size, *out = (T *)args[1], determinant = 1;                                    \
        int64_t *rows = (int64_t *)((char *)work + 16 * size), *columns = rows + n, rank = 0;                     \
        if (n == 0) return 0;                                                                                     \
        memcpy(u, args[0], (size_t)size * sizeof *u);                                                             \
        for (int64_t i = 0; i < n; i++) rows[i] = columns[i] = i;                                                 \
        (void)detail;                                                                                             \
        T wrong = 0;                                                                                              \
        for (int64_t i = 0; i < size; i++) wrong += u[i] - u[i];                                                  \
        for (int64_t i = 0; i < size; i++) z[i] = 0, out[i] = wrong;                                              \
        if (wrong != 0) return 0;                                                                                 \
        for (; rank < n; rank++) {                                                                                \
            int64_t row = rank, column = rank;                                                                    \
            for (int64_t i = rank; i < n; i++)                                                                    \
                for (int64_t j = rank; j < n; j++)                                                                \
                    if (pg_abs_##S(u[i * n + j]) > pg_abs_##S(u[row * n + column])) row = i, column = j;          \
            if (u[row * n + column] == 0) break;                                                                  \
            if (row != rank) determinant = -determinant;                                                          \
            if (column != rank) determinant = -determinant;                                                       \
            pg_exchange_##S(u, n, rank, row);                                                                     \
            pg_exchange_i64(rows, 1, rank, row);                                                                  \
            pg_exchange_i64(columns, 1, rank, column);                                                            \
            for (int64_t i = 0; i < n && column != rank; i++) {                                                   \
                const T kept = u[i * n + rank];                                                                   \
                u[i * n + rank] = u[i * n + column];                                                              \
                u[i * n + column] = kept;                                                                         \
            }                                                                                                     \
            const T *pivot = u + rank * n;                                                                        \
            for (int64_t i = rank + 1; i < n; i++) {                                                              \
                T *own = u + i * n;                                                                               \
                const T factor = own[rank] /= pivot[rank];                                                        \
                for (int64_t j = rank + 1; j < n; j++) own[j] -= factor * pivot[j];                               \
            }                                                                                                     \
            determinant *= pivot[rank];                                                                           \
        }                                                                                                         \
        if (rank + 1 < n) return 0;                                                                               \
        if (rank == n) {                                                                                          \
            for (int64_t i = 0; i < n; i++) z[i * (n + 1)] = determinant;                                         \
            (void)pg_substitute_##S(n, n, u, 1, n, 1, 0, z, detail);                                              \
        } else {                                                                                                  \
            T *last = z + rank * n;                                                                               \
            last[rank] = 1;                                                                                       \
            for (int64_t i = rank - 1; i >= 0; i--) {                                                             \
                T sum = 0;                                                                                        \
                for (int64_t k = i + 1; k < n; k++) sum -= u[i * n + k] * last[k];                                \
                last[i] = sum / u[i * n + i];                                                                     \
            }                                                                                                     \
            for (int64_t k = 0; k < n; k++) last[k] *= determinant;                                               \
        }                                                                                                         \
        (void)pg_substitute_##S(n, n, u, 1, n, 0, 1, z, detail);                                                  \
        for (int64_t i = 0; i < n; i++)                                                                           \
            for (int64_t j = 0; j < n; j++) out[rows[i] * n + columns[j]] = z[i * n + j];                         \
        return 0;                                                                                                 \
    }
PG_DEFINE_KERNEL_COFACTORS(f64, double)
PG_DEFINE_KERNEL_COFACTORS(f32, float)

#endif
