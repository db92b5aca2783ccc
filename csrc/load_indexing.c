/* Loads SCATTER: the sizes of its operands; the indices themselves are checked when it runs. */
#include "loader.h"

#include <inttypes.h>

/* A C-contiguous [outer][middle][inner] operand. */
static int read_block(pg_loader *l, const int64_t *w, int dtype, int64_t outer, int64_t middle, int64_t inner,
                      int writes, const char *what, pg_operand *operand, pg_extent *extent) {
    const int64_t dims[3] = {outer, middle, inner};
    int64_t count;
    if (outer < 0 || middle < 0 || inner < 0 || pg_product(3, dims, &count) || count > PG_MAX_ARENA) {
        return pg_refuse(l, "%s: [%" PRId64 "][%" PRId64 "][%" PRId64 "] is not a possible size", what, outer, middle,
                         inner);
    }
    const int status = pg_check_access(l, w[0], dtype, w[1], 1, &count, (const int64_t[]){1}, writes, what, extent);
    if (status != PG_OK) return status;
    operand->slot = (int)w[0];
    operand->offset = count == 0 ? 0 : w[1] * pg_size_of(dtype);
    return PG_OK;
}

static pg_indexing *new_indexing(pg_loader *l, int64_t outer, int64_t axis_length, int64_t inner, int64_t n_index) {
    pg_indexing *indexing = pg_keep(l, 1, sizeof *indexing);
    if (indexing) {
        const int nothing = outer < 1 || inner < 1 || n_index < 1; /* the other sizes may then be anything */
        indexing->outer = nothing ? 0 : outer;
        indexing->axis_length = axis_length;
        indexing->inner = nothing ? 0 : inner;
        indexing->n_index = n_index;
    }
    return indexing;
}

int pg_decode_scatter(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n != 11) return pg_refuse(l, "SCATTER: wrong length");
    int dtype, status = pg_find_dtype(l, words[9], "SCATTER: result", &dtype);
    if (status != PG_OK) return status;
    if (words[0] != 0 && words[0] != 1) return pg_refuse(l, "SCATTER: no mode has number %" PRId64, words[0]);
    if (words[0] == 1 && dtype == PG_B) return pg_refuse(l, "SCATTER: adding is not defined for bool");
    const int64_t outer = words[1], axis = words[2], inner = words[3], n_index = words[4];
    pg_indexing *s = new_indexing(l, outer, axis, inner, n_index);
    if (!s) return PG_MEMORY;
    s->dtype = dtype;
    s->size = pg_size_of(s->dtype);
    s->add = (int)words[0];
    pg_extent v, index, result;
    status = read_block(l, words + 5, PG_I64, 1, n_index, 1, 0, "SCATTER: index", &s->index, &index);
    if (status == PG_OK) status = read_block(l, words + 7, s->dtype, outer, n_index, inner, 0, "SCATTER: v", &s->x, &v);
    if (status == PG_OK)
        status = read_block(l, words + 9, s->dtype, outer, axis, inner, 1, "SCATTER: result", &s->out, &result);
    if (status == PG_OK) status = pg_check_apart(l, &result, &v, "SCATTER: the result", "v");
    if (status == PG_OK) status = pg_check_apart(l, &result, &index, "SCATTER: the result", "the index");
    out->data = s;
    return status;
}
