/* Large matrices by the bundled LAPACK: what the plain kernels of headers leave to it when the library holds them. */
#ifndef PG_LAPACK_H
#define PG_LAPACK_H

#ifndef PG_WITHOUT_LAPACK
#include "generated/pg_format.h"

#include <stdint.h>

#define PG_BY_LAPACK(size, statement) \
    if ((size) > PG_LAPACK_ABOVE) statement

/* Each does what the function of its name in pg_calls_*.h does for matrices of any size. Those that have to get memory
 * return 0 where they did nothing, for want of it or because LAPACK gave up. */
#define PG_DECLARE_LAPACK(S, T)                                                                              \
    int pg_lapack_cholesky_##S(int64_t n, const T *a, T *l, int64_t *detail);                                \
    int pg_lapack_substitute_##S(int64_t m, int64_t n, const T *a, int64_t rows, int lower, int unit, T *x); \
    int pg_lapack_lu_##S(int64_t m, int64_t n, T *lu, int64_t *order, T *parity);                            \
    int pg_lapack_eigen_##S(int64_t n, T *u, T *v, T *w);                                                    \
    int pg_lapack_singular_##S(int64_t k, int64_t l, T *b, T *r, T *s);                                      \
    int pg_lapack_qr_##S(int64_t m, int64_t n, int64_t k, const T *x, T *q, T *r);                           \
    int pg_lapack_multiply_##S(int64_t n, const T *a, int64_t rows, const T *b, T *c);
PG_DECLARE_LAPACK(f64, double)
PG_DECLARE_LAPACK(f32, float)
#endif

#endif
