/* Large matrices by the bundled LAPACK and BLAS, on one thread: tasks are what runs in parallel. */
#include "lapack.h"

#ifndef PG_WITHOUT_LAPACK
#include "blas.h"

#include <stdlib.h>
#include <string.h>

#define PG_LAPACK(S, T, L)                                                                                             \
    int pg_lapack_cholesky_##S(int64_t n, const T *a, T *l, int64_t *detail) {                                         \
        pg_blas_of_one_thread();                                                                                       \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < n; j++) l[i * n + j] = j <= i ? a[i * n + j] : 0;                                  \
        const int info = scipy_LAPACKE_##L##potrf_work(PG_COLUMN_MAJOR, 'U', (int)n, l, (int)n);                       \
        detail[0] = info;                                                                                              \
        return info > 0;                                                                                               \
    }                                                                                                                  \
    int pg_lapack_substitute_##S(int64_t m, int64_t n, const T *a, int64_t rows, int lower, int unit, T *x) {          \
        pg_blas_of_one_thread();                                                                                       \
        const int transposed = rows == 1, own = lower != transposed;                                                   \
        const int part = own ? PG_BLAS_LOWER : PG_BLAS_UPPER, diagonal = unit ? PG_BLAS_UNIT : PG_BLAS_NON_UNIT;       \
        const int how = transposed ? PG_BLAS_TRANSPOSED : PG_BLAS_PLAIN;                                               \
        if (n == 1)                                                                                                    \
            scipy_cblas_##L##trsv(PG_BLAS_ROW_MAJOR, part, how, diagonal, (int)m, a, (int)m, x, 1);                    \
        else                                                                                                           \
            scipy_cblas_##L##trsm(PG_BLAS_ROW_MAJOR, PG_BLAS_LEFT, part, how, diagonal, (int)m, (int)n, 1, a, (int)m,  \
                                  x, (int)n);                                                                          \
        return 0;                                                                                                      \
    }                                                                                                                  \
    int pg_lapack_lu_##S(int64_t m, int64_t n, T *lu, int64_t *order, T *parity) {                                     \
        const int64_t steps = m < n ? m : n;                                                                           \
        int *pivots = malloc((size_t)steps * sizeof *pivots);                                                          \
        T *turned = malloc((size_t)(m * n) * sizeof *turned);                                                          \
        const int ready = pivots != NULL && turned != NULL;                                                            \
        if (ready) {                                                                                                   \
            pg_blas_of_one_thread();                                                                                   \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) turned[j * m + i] = lu[i * n + j];                                     \
            (void)scipy_LAPACKE_##L##getrf_work(PG_COLUMN_MAJOR, (int)m, (int)n, turned, (int)m, pivots);              \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) lu[i * n + j] = turned[j * m + i];                                     \
            *parity = 1;                                                                                               \
            for (int64_t i = 0; i < m; i++) order[i] = i;                                                              \
            for (int64_t i = 0; i < steps; i++) {                                                                      \
                const int64_t other = pivots[i] - 1, kept = order[i];                                                  \
                if (other == i) continue;                                                                              \
                order[i] = order[other];                                                                               \
                order[other] = kept;                                                                                   \
                *parity = -*parity;                                                                                    \
            }                                                                                                          \
        }                                                                                                              \
        free(pivots);                                                                                                  \
        free(turned);                                                                                                  \
        return ready;                                                                                                  \
    }                                                                                                                  \
    int pg_lapack_eigen_##S(int64_t n, T *u, T *v, T *w) {                                                             \
        T size;                                                                                                        \
        int whole, info = -1;                                                                                          \
        const int order = (int)n;                                                                                      \
        pg_blas_of_one_thread();                                                                                       \
        memcpy(v, u, (size_t)(n * n) * sizeof *v);                                                                     \
        if (scipy_LAPACKE_##L##syevd_work(PG_COLUMN_MAJOR, 'V', 'U', order, v, order, w, &size, -1, &whole, -1) != 0)  \
            return 0;                                                                                                  \
        T *work = malloc((size_t)size * sizeof *work);                                                                 \
        int *integers = malloc((size_t)whole * sizeof *integers);                                                      \
        if (work != NULL && integers != NULL)                                                                          \
            info = scipy_LAPACKE_##L##syevd_work(PG_COLUMN_MAJOR, 'V', 'U', order, v, order, w, work, (int)size,       \
                                                 integers, whole);                                                     \
        free(work);                                                                                                    \
        free(integers);                                                                                                \
        return info == 0;                                                                                              \
    }                                                                                                                  \
    int pg_lapack_singular_##S(int64_t k, int64_t l, T *b, T *r, T *s) {                                               \
        T size;                                                                                                        \
        int info = -1;                                                                                                 \
        const int rows = (int)l, columns = (int)k;                                                                     \
        pg_blas_of_one_thread();                                                                                       \
        if (scipy_LAPACKE_##L##gesdd_work(PG_COLUMN_MAJOR, 'O', rows, columns, b, rows, s, b, rows, r, columns, &size, \
                                          -1, NULL) != 0)                                                              \
            return 0;                                                                                                  \
        T *work = malloc((size_t)size * sizeof *work), *kept = malloc((size_t)(k * l) * sizeof *kept);                 \
        int *integers = malloc((size_t)(8 * k) * sizeof *integers);                                                    \
        if (work != NULL && kept != NULL && integers != NULL) {                                                        \
            memcpy(kept, b, (size_t)(k * l) * sizeof *kept);                                                           \
            info = scipy_LAPACKE_##L##gesdd_work(PG_COLUMN_MAJOR, 'O', rows, columns, b, rows, s, b, rows, r, columns, \
                                                 work, (int)size, integers);                                           \
            if (info != 0) memcpy(b, kept, (size_t)(k * l) * sizeof *kept);                                            \
        }                                                                                                              \
        free(work);                                                                                                    \
        free(kept);                                                                                                    \
        free(integers);                                                                                                \
        for (int64_t i = 0; i < k && info == 0; i++) {                                                                 \
            for (int64_t j = 0; j < i; j++) {                                                                          \
                const T x = r[i * k + j];                                                                              \
                r[i * k + j] = r[j * k + i];                                                                           \
                r[j * k + i] = x;                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        return info == 0;                                                                                              \
    }                                                                                                                  \
    int pg_lapack_qr_##S(int64_t m, int64_t n, int64_t k, const T *x, T *q, T *r) {                                    \
        const int rows = (int)m, columns = (int)n, wide = (int)k, steps = m < n ? rows : columns;                      \
        const int used = steps < wide ? steps : wide;                                                                  \
        T sizes[2] = {0, 0};                                                                                           \
        pg_blas_of_one_thread();                                                                                       \
        int info = scipy_LAPACKE_##L##geqrf_work(PG_COLUMN_MAJOR, rows, columns, NULL, rows, NULL, &sizes[0], -1);     \
        info |= scipy_LAPACKE_##L##orgqr_work(PG_COLUMN_MAJOR, rows, wide, used, NULL, rows, NULL, &sizes[1], -1);     \
        const int size = (int)(sizes[0] > sizes[1] ? sizes[0] : sizes[1]), most = wide > columns ? wide : columns;     \
        T *turned = malloc((size_t)(m * most) * sizeof *turned), *tau = malloc((size_t)steps * sizeof *tau);           \
        T *work = malloc((size_t)size * sizeof *work);                                                                 \
        if (info == 0 && turned != NULL && tau != NULL && work != NULL) {                                              \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) turned[j * m + i] = x[i * n + j];                                      \
            info = scipy_LAPACKE_##L##geqrf_work(PG_COLUMN_MAJOR, rows, columns, turned, rows, tau, work, size);       \
            for (int64_t i = 0; i < k; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) r[i * n + j] = i <= j && i < m ? turned[j * m + i] : 0;                \
            info |= scipy_LAPACKE_##L##orgqr_work(PG_COLUMN_MAJOR, rows, wide, used, turned, rows, tau, work, size);   \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < k; j++) q[i * k + j] = turned[j * m + i];                                      \
        } else {                                                                                                       \
            info = -1;                                                                                                 \
        }                                                                                                              \
        free(turned);                                                                                                  \
        free(tau);                                                                                                     \
        free(work);                                                                                                    \
        return info == 0;                                                                                              \
    }                                                                                                                  \
    int pg_lapack_multiply_##S(int64_t n, const T *a, int64_t rows, const T *b, T *c) {                                \
        const int size = (int)n;                                                                                       \
        pg_blas_of_one_thread();                                                                                       \
        scipy_cblas_##L##gemm(PG_BLAS_ROW_MAJOR, rows == 1 ? PG_BLAS_TRANSPOSED : PG_BLAS_PLAIN, PG_BLAS_PLAIN, size,  \
                              size, size, 1, a, size, b, size, 0, c, size);                                            \
        return 1;                                                                                                      \
    }
PG_LAPACK(f64, double, d)
PG_LAPACK(f32, float, s)
#endif
