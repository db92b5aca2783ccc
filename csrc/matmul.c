/* Runs MATMUL: BLAS on fixed panels of rows, plain loops for tiny and integer products. */
#include "blas.h"
#include "context.h"
#include "loader.h"
#include "platform.h"

#include <inttypes.h>
#include <string.h>

/* W columns of C, each row of them in registers. U: the type in which products and sums are defined. */
#define PG_PLAIN_COLUMNS(T, U, W)                                                                         \
    static inline void columns_##T##_##W(const pg_panel *p, int64_t column) {                             \
        const T *a = (const T *)(const void *)p->a, *b = (const T *)(const void *)p->b + column;          \
        T *c = (T *)(void *)p->c + column;                                                                \
        const int64_t row = p->ta ? 1 : p->lda, step = p->ta ? p->lda : 1;                                \
        for (int64_t i = 0; i < p->m; i++, c += p->n, a += row) {                                         \
            U sums[W];                                                                                    \
            for (int j = 0; j < W; j++) sums[j] = (U)0 + (U)a[0] * (U)b[j]; /* 0 + -0 is 0, as in BLAS */ \
            for (int64_t k = 1; k < p->k; k++) {                                                          \
                const U x = (U)a[k * step];                                                               \
                for (int j = 0; j < W; j++) sums[j] += x * (U)b[k * p->ldb + j];                          \
            }                                                                                             \
            for (int j = 0; j < W; j++) c[j] = (T)sums[j];                                                \
        }                                                                                                 \
    }
#define PG_PLAIN_PRODUCT(T, U)                                                                   \
    PG_PLAIN_COLUMNS(T, U, 1)                                                                    \
    PG_PLAIN_COLUMNS(T, U, 8)                                                                    \
    static void plain_##T(const pg_panel *p) {                                                   \
        const T *a = (const T *)(const void *)p->a, *b = (const T *)(const void *)p->b;          \
        T *c = (T *)(void *)p->c;                                                                \
        const int64_t row = p->ta ? 1 : p->lda, step = p->ta ? p->lda : 1;                       \
        int64_t column = 0;                                                                      \
        if (!p->tb) {                                                                            \
            for (; column + 8 <= p->n; column += 8) columns_##T##_8(p, column);                  \
            for (; column < p->n; column++) columns_##T##_1(p, column);                          \
            return;                                                                              \
        }                                                                                        \
        for (int64_t i = 0; i < p->m; i++, c += p->n, a += row) {                                \
            for (int64_t j = 0; j < p->n; j++) {                                                 \
                U sum = 0;                                                                       \
                for (int64_t k = 0; k < p->k; k++) sum += (U)a[k * step] * (U)b[j * p->ldb + k]; \
                c[j] = (T)sum;                                                                   \
            }                                                                                    \
        }                                                                                        \
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

void pg_blas_of_one_thread(void) {
    static pg_once once = PG_ONCE_INIT;
    pg_run_once(&once, use_one_thread);
}

void pg_multiply(int dtype, const pg_panel *p) {
    pg_blas_of_one_thread();
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

/* The tasks of one product, and of all. */
static int64_t n_panels(const pg_matmul_words *m) { return (m->rows - 1) / m->cut.rows + 1; }
static int64_t n_tasks(const pg_matmul_words *m) {
    if (m->batch.count == 0 || m->rows == 0 || m->columns == 0) return 0;
    return ((m->batch.count - 1) / m->cut.products + 1) * n_panels(m); /* <= rows of C, which exist */
}

/* What a task is: rows of one product, or several whole products. */
int pg_check_matmul(pg_loader *l, const pg_matmul_words *m) {
    if (m->cut.rows > (m->rows > 1 ? m->rows : 1) || m->cut.products > (m->batch.count > 1 ? m->batch.count : 1) ||
        (m->cut.rows < m->rows && m->cut.products > 1)) {
        return pg_refuse(l, "MATMUL: %" PRId64 " of %" PRId64 " rows of %" PRId64 " products can't be a task",
                         m->cut.rows, m->rows, m->cut.products);
    }
    if (n_tasks(m) > 1) l->program->parallel = 1;
    return PG_OK;
}

typedef struct pg_matmul_job {
    const pg_place *place;
    const pg_matmul_words *matmul;
} pg_matmul_job;

static char *operand_at(const pg_matmul_job *job, const pg_operand *operand, int64_t batch) {
    return job->place->slots[operand->slot] + operand->offset + pg_batch_offset(&job->matmul->batch, operand, batch);
}

static void run_rows(const pg_matmul_job *job, int64_t batch, int64_t row, int64_t rows) {
    const pg_matmul_words *m = job->matmul;
    const int64_t size = pg_size_of(m->c.dtype);
    pg_panel p = {.ta = (int)m->transpose_a,
                  .tb = (int)m->transpose_b,
                  .m = rows,
                  .n = m->columns,
                  .k = m->middle,
                  .lda = m->transpose_a ? m->rows : m->middle,
                  .ldb = m->transpose_b ? m->middle : m->columns};
    p.a = operand_at(job, &m->a, batch) + row * (m->transpose_a ? 1 : m->middle) * size;
    p.b = operand_at(job, &m->b, batch);
    p.c = operand_at(job, &m->c, batch) + row * m->columns * size;
    pg_multiply(m->c.dtype, &p);
}

static void run_task(void *data, int64_t task, int worker) {
    const pg_matmul_job *job = data;
    const pg_matmul_words *m = job->matmul;
    (void)worker;
    const int64_t panels = n_panels(m);
    if (panels > 1) {
        const int64_t row = task % panels * m->cut.rows;
        run_rows(job, task / panels, row, m->rows - row < m->cut.rows ? m->rows - row : m->cut.rows);
        return;
    }
    const int64_t first = task * m->cut.products;
    const int64_t end = m->batch.count - first < m->cut.products ? m->batch.count : first + m->cut.products;
    for (int64_t batch = first; batch < end; batch++) run_rows(job, batch, 0, m->rows);
}

int pg_run_matmul(const pg_place *place, const void *data) {
    const pg_matmul_words *matmul = data;
    pg_matmul_job job = {place, matmul};
    const int64_t tasks = n_tasks(matmul);
    if (tasks == 1)
        run_task(&job, 0, 0);
    else if (tasks > 1)
        pg_run_tasks(place->context, tasks, run_task, &job);
    return PG_OK;
}
