/* Runs MATMUL: BLAS on fixed panels of rows, plain loops for tiny and integer products. */
#include "blas.h"
#include "context.h"

#include <pthread.h>
#include <string.h>

/* U: the type in which products and sums are defined. */
#define PG_PLAIN_PRODUCT(T, U)                                                                                     \
    static void plain_##T(const pg_panel *p) {                                                                     \
        const T *a = (const T *)(const void *)p->a, *b = (const T *)(const void *)p->b;                            \
        T *c = (T *)(void *)p->c;                                                                                  \
        const int64_t row_a = p->ta ? 1 : p->lda, step_a = p->ta ? p->lda : 1;                                     \
        for (int64_t i = 0; i < p->m; i++, c += p->n, a += row_a) {                                                \
            if (p->tb) {                                                                                           \
                for (int64_t j = 0; j < p->n; j++) {                                                               \
                    U sum = 0;                                                                                     \
                    for (int64_t k = 0; k < p->k; k++) sum += (U)a[k * step_a] * (U)b[j * p->ldb + k];             \
                    c[j] = (T)sum;                                                                                 \
                }                                                                                                  \
                continue;                                                                                          \
            }                                                                                                      \
            for (int64_t j = 0; j < p->n; j++) c[j] = (T)((U)0 + (U)a[0] * (U)b[j]); /* 0 + -0 is 0, as in BLAS */ \
            for (int64_t k = 1; k < p->k; k++) {                                                                   \
                const U x = (U)a[k * step_a];                                                                      \
                for (int64_t j = 0; j < p->n; j++) c[j] = (T)((U)c[j] + x * (U)b[k * p->ldb + j]);                 \
            }                                                                                                      \
        }                                                                                                          \
    }
PG_PLAIN_PRODUCT(double, double)
PG_PLAIN_PRODUCT(float, float)
PG_PLAIN_PRODUCT(int64_t, uint64_t)
PG_PLAIN_PRODUCT(int32_t, uint32_t)

#define PG_BLAS_PRODUCT(T, gemm, gemv)                                                                              \
    static void blas_##T(const pg_panel *p) {                                                                       \
        const T *a = (const T *)(const void *)p->a, *b = (const T *)(const void *)p->b;                             \
        T *c = (T *)(void *)p->c;                                                                                   \
        const int m = (int)p->m, n = (int)p->n, k = (int)p->k, lda = (int)p->lda, ldb = (int)p->ldb;                \
        const int flag_a = p->ta ? PG_BLAS_TRANSPOSED : PG_BLAS_PLAIN;                                              \
        const int flag_b = p->tb ? PG_BLAS_TRANSPOSED : PG_BLAS_PLAIN;                                              \
        if (n == 1) {                                                                                               \
            gemv(PG_BLAS_ROW_MAJOR, flag_a, p->ta ? k : m, p->ta ? m : k, 1, a, lda, b, 1, 0, c, 1);                \
        } else if (m == 1 && (lda == 1 || !p->ta)) {                                                                \
            /* a row times B: B transposed times a column */                                                        \
            gemv(PG_BLAS_ROW_MAJOR, p->tb ? PG_BLAS_PLAIN : PG_BLAS_TRANSPOSED, p->tb ? n : k, p->tb ? k : n, 1, b, \
                 ldb, a, 1, 0, c, 1);                                                                               \
        } else {                                                                                                    \
            gemm(PG_BLAS_ROW_MAJOR, flag_a, flag_b, m, n, k, 1, a, lda, b, ldb, 0, c, n);                           \
        }                                                                                                           \
    }
PG_BLAS_PRODUCT(double, scipy_cblas_dgemm, scipy_cblas_dgemv)
PG_BLAS_PRODUCT(float, scipy_cblas_sgemm, scipy_cblas_sgemv)

static void use_one_thread(void) { scipy_openblas_set_num_threads(1); }

void pg_multiply(int dtype, const pg_panel *p) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_one_thread);
    if (p->k == 0) {
        memset(p->c, 0, (size_t)(p->m * p->n * pg_size_of(dtype)));
        return;
    }
    const int64_t most = PG_TINY_PRODUCT;
    const int tiny = p->m <= most && p->n <= most && p->k <= most && p->m * p->n * p->k <= most;
    switch (dtype) {
    case PG_F64: tiny ? plain_double(p) : blas_double(p); break;
    case PG_F32: tiny ? plain_float(p) : blas_float(p); break;
    case PG_I64: plain_int64_t(p); break;
    default: plain_int32_t(p); break;
    }
}

typedef struct pg_matmul_job {
    const pg_place *place;
    const pg_matmul *matmul;
} pg_matmul_job;

static char *operand_at(const pg_matmul_job *job, const pg_operand *operand, int64_t batch) {
    const pg_matmul *m = job->matmul;
    int64_t offset = operand->offset;
    for (int d = m->n_batch - 1; d >= 0; d--) {
        offset += batch % m->dims[d] * operand->strides[d];
        batch /= m->dims[d];
    }
    return job->place->slots[operand->slot] + offset;
}

static void run_rows(const pg_matmul_job *job, int64_t batch, int64_t row, int64_t rows) {
    const pg_matmul *m = job->matmul;
    const int64_t size = pg_size_of(m->dtype);
    pg_panel p = {.ta = m->transpose_a,
                  .tb = m->transpose_b,
                  .m = rows,
                  .n = m->n,
                  .k = m->k,
                  .lda = m->transpose_a ? m->m : m->k,
                  .ldb = m->transpose_b ? m->k : m->n};
    p.a = operand_at(job, &m->a, batch) + row * (m->transpose_a ? 1 : m->k) * size;
    p.b = operand_at(job, &m->b, batch);
    p.c = operand_at(job, &m->c, batch) + row * m->n * size;
    pg_multiply(m->dtype, &p);
}

static void run_task(void *data, int64_t task, int worker) {
    const pg_matmul_job *job = data;
    const pg_matmul *m = job->matmul;
    (void)worker;
    if (m->n_panels > 1) {
        const int64_t row = task % m->n_panels * m->panel;
        run_rows(job, task / m->n_panels, row, m->m - row < m->panel ? m->m - row : m->panel);
        return;
    }
    const int64_t first = task * m->per_task;
    const int64_t end = m->batch - first < m->per_task ? m->batch : first + m->per_task;
    for (int64_t batch = first; batch < end; batch++) run_rows(job, batch, 0, m->m);
}

int pg_run_matmul(const pg_place *place, const void *data) {
    const pg_matmul *matmul = data;
    pg_matmul_job job = {place, matmul};
    if (matmul->n_tasks == 1)
        run_task(&job, 0, 0);
    else if (matmul->n_tasks > 1)
        pg_run_tasks(place->context, matmul->n_tasks, run_task, &job);
    return PG_OK;
}
