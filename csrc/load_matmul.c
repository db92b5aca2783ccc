/* Loads MATMUL: checks the three operands and what a task covers. */
#include "loader.h"

#include <inttypes.h>

enum { PG_MATMUL_WORDS = 8 };

static int read_operand(pg_loader *l, pg_matmul *m, const int64_t *w, int64_t rows, int64_t columns, int writes,
                        const char *what, pg_operand *operand, pg_extent *extent) {
    int64_t dims[PG_MAX_DIMS + 2], strides[PG_MAX_DIMS + 2];
    const int n = m->n_batch, size = pg_size_of(m->dtype);
    for (int i = 0; i < n; i++) {
        dims[i] = m->dims[i];
        strides[i] = w[2 + i];
    }
    dims[n] = rows;
    dims[n + 1] = columns;
    strides[n] = columns;
    strides[n + 1] = 1;
    int status = pg_check_access(l, w[0], m->dtype, w[1], n + 2, dims, strides, writes, what, extent);
    if (status == PG_OK && writes) status = pg_check_injective(l, n + 2, dims, strides, what);
    if (status != PG_OK) return status;
    const int empty = extent->lo == extent->hi; /* then offset and strides are neither verified nor used */
    operand->slot = (int)w[0];
    operand->offset = empty ? 0 : w[1] * size;
    for (int i = 0; i < n; i++) operand->strides[i] = empty || dims[i] <= 1 ? 0 : strides[i] * size;
    return PG_OK;
}

/* What a task is: rows of one product, or several whole products. */
static int read_cut(pg_loader *l, pg_matmul *m, const int64_t *cut) {
    const int64_t sizes[2] = {m->m, m->batch};
    for (int i = 0; i < 2; i++) {
        if (cut[i] < 1 || cut[i] > (sizes[i] > 1 ? sizes[i] : 1))
            return pg_refuse(l, "MATMUL: %" PRId64 " of %" PRId64 " can't be a task", cut[i], sizes[i]);
    }
    m->panel = cut[0];
    m->per_task = cut[1];
    m->n_panels = 1;
    if (m->batch == 0 || m->m == 0 || m->n == 0) return PG_OK;
    m->n_panels = (m->m - 1) / m->panel + 1;
    if (m->n_panels > 1 && m->per_task > 1)
        return pg_refuse(l, "MATMUL: a task has several products and not all rows of each");
    m->n_tasks = ((m->batch - 1) / m->per_task + 1) * m->n_panels; /* <= rows of C, which exist */
    return PG_OK;
}

int pg_decode_matmul(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_MATMUL_WORDS || words[7] < 0 || words[7] > PG_MAX_DIMS ||
        n != PG_MATMUL_WORDS + words[7] + 3 * (2 + words[7])) {
        return pg_refuse(l, "MATMUL: its number of batch dimensions does not agree with its length");
    }
    for (int i = 0; i < 3; i++) {
        if (words[i] < 0 || words[i] > PG_MAX_MATRIX)
            return pg_refuse(l, "MATMUL: a size of %" PRId64 " is not possible", words[i]);
    }
    if ((words[3] & ~INT64_C(1)) != 0 || (words[4] & ~INT64_C(1)) != 0)
        return pg_refuse(l, "MATMUL: a transpose flag is not 0 or 1");
    pg_matmul *m = pg_keep(l, 1, sizeof *m);
    if (!m) return PG_MEMORY;
    m->m = words[0];
    m->n = words[1];
    m->k = words[2];
    m->transpose_a = (int)words[3];
    m->transpose_b = (int)words[4];
    m->n_batch = (int)words[7];
    for (int i = 0; i < m->n_batch; i++) {
        m->dims[i] = words[PG_MATMUL_WORDS + i];
        if (m->dims[i] < 0) return pg_refuse(l, "MATMUL: batch dimension %d is %" PRId64, i, m->dims[i]);
    }
    if (pg_product(m->n_batch, m->dims, &m->batch)) return pg_refuse(l, "MATMUL: its batch is too large");
    const int64_t step = 2 + m->n_batch, *a = words + PG_MATMUL_WORDS + m->n_batch, *b = a + step, *c = b + step;
    pg_extent at_a, at_b, at_c;
    int status = pg_find_dtype(l, c[0], "MATMUL: C", &m->dtype);
    if (status != PG_OK) return status;
    if (m->dtype == PG_B) return pg_refuse(l, "MATMUL: not defined for bool");
    const int64_t rows_a = m->transpose_a ? m->k : m->m, rows_b = m->transpose_b ? m->n : m->k;
    status = read_operand(l, m, a, rows_a, m->transpose_a ? m->m : m->k, 0, "MATMUL: A", &m->a, &at_a);
    if (status == PG_OK)
        status = read_operand(l, m, b, rows_b, m->transpose_b ? m->k : m->n, 0, "MATMUL: B", &m->b, &at_b);
    if (status == PG_OK) status = read_operand(l, m, c, m->m, m->n, 1, "MATMUL: C", &m->c, &at_c);
    if (status == PG_OK) status = pg_check_apart(l, &at_c, &at_a, "MATMUL: C", "A");
    if (status == PG_OK) status = pg_check_apart(l, &at_c, &at_b, "MATMUL: C", "B");
    if (status == PG_OK) status = read_cut(l, m, words + 5);
    if (status != PG_OK) return status;
    if (m->n_tasks > 1) l->program->parallel = 1;
    out->data = m;
    return PG_OK;
}
