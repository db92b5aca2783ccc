/* The four BLAS routines in use, as scipy-openblas32 names them; row-major, without increments. */
#ifndef PG_BLAS_H
#define PG_BLAS_H

#include <stdint.h>

enum { PG_BLAS_ROW_MAJOR = 101, PG_BLAS_PLAIN = 111, PG_BLAS_TRANSPOSED = 112 };

void scipy_cblas_dgemm(int order, int ta, int tb, int m, int n, int k, double alpha, const double *a, int lda,
                       const double *b, int ldb, double beta, double *c, int ldc);
void scipy_cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                       const float *b, int ldb, float beta, float *c, int ldc);
void scipy_cblas_dgemv(int order, int ta, int m, int n, double alpha, const double *a, int lda, const double *x,
                       int incx, double beta, double *y, int incy);
void scipy_cblas_sgemv(int order, int ta, int m, int n, float alpha, const float *a, int lda, const float *x, int incx,
                       float beta, float *y, int incy);
void scipy_openblas_set_num_threads(int threads);

#endif
