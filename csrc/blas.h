/* The BLAS and LAPACK routines in use, as scipy-openblas32 names them. */
#ifndef PG_BLAS_H
#define PG_BLAS_H

#include <stdint.h>

enum {
    PG_BLAS_ROW_MAJOR = 101,
    PG_COLUMN_MAJOR = 102,
    PG_BLAS_PLAIN = 111,
    PG_BLAS_TRANSPOSED = 112,
    PG_BLAS_UPPER = 121,
    PG_BLAS_LOWER = 122,
    PG_BLAS_NON_UNIT = 131,
    PG_BLAS_UNIT = 132,
    PG_BLAS_LEFT = 141,
};

void scipy_cblas_dgemm(int order, int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda,
                       const double *b, int ldb, double beta, double *c, int ldc);
void scipy_cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                       const float *b, int ldb, float beta, float *c, int ldc);
void scipy_cblas_dgemv(int order, int ta, int m, int n, double alpha, const double *a, int lda, const double *x,
                       int incx, double beta, double *y, int incy);
void scipy_cblas_sgemv(int order, int ta, int m, int n, float alpha, const float *a, int lda, const float *x, int incx,
                       float beta, float *y, int incy);
void scipy_openblas_set_num_threads(int threads);

#define PG_DECLARE_ROUTINES(T, L)                                                                                      \
    void scipy_cblas_##L##trsm(int order, int side, int part, int ta, int diagonal, int m, int n, T alpha, const T *a, \
                               int lda, T *b, int ldb);                                                                \
    void scipy_cblas_##L##trsv(int order, int part, int ta, int diagonal, int n, const T *a, int lda, T *x, int incx); \
    int scipy_LAPACKE_##L##potrf_work(int order, char part, int n, T *a, int lda);                                     \
    int scipy_LAPACKE_##L##getrf_work(int order, int m, int n, T *a, int lda, int *pivots);                            \
    int scipy_LAPACKE_##L##geqrf_work(int order, int m, int n, T *a, int lda, T *tau, T *work, int lwork);             \
    int scipy_LAPACKE_##L##orgqr_work(int order, int m, int n, int k, T *a, int lda, const T *tau, T *work,            \
                                      int lwork);                                                                      \
    int scipy_LAPACKE_##L##syevd_work(int order, char job, char part, int n, T *a, int lda, T *w, T *work, int lwork,  \
                                      int *iwork, int liwork);                                                         \
    int scipy_LAPACKE_##L##gesdd_work(int order, char job, int m, int n, T *a, int lda, T *s, T *u, int ldu, T *vt,    \
                                      int ldvt, T *work, int lwork, int *iwork);
PG_DECLARE_ROUTINES(double, d)
PG_DECLARE_ROUTINES(float, s)

/* Whoever calls one of these calls it before: tasks run in parallel, not BLAS. */
void pg_blas_of_one_thread(void);

#endif
