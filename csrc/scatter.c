/* Runs SCATTER; an index outside its axis ends the call. */
#include "context.h"
#include "loader.h"

#include <inttypes.h>
#include <string.h>

static char *at(const pg_place *place, const pg_operand *operand) {
    return place->slots[operand->slot] + operand->offset;
}

/* out[k] += v[k] for one row. U: the type in which the sum is defined. */
#define PG_ADD_ROW(T, U) \
    for (int64_t k = 0; k < n; k++) ((T *)out)[k] = (T)((U)((T *)out)[k] + (U)((const T *)v)[k]);

static void add_row(int dtype, int64_t n, void *out, const void *v) {
    switch (dtype) {
    case PG_F64: PG_ADD_ROW(double, double) break;
    case PG_F32: PG_ADD_ROW(float, float) break;
    case PG_I64: PG_ADD_ROW(int64_t, uint64_t) break;
    default: PG_ADD_ROW(int32_t, uint32_t) break;
    }
}

int pg_check_scatter(pg_loader *l, const pg_scatter_words *s) {
    return s->adds && s->out.dtype == PG_B ? pg_refuse(l, "SCATTER: adding is not defined for bool") : PG_OK;
}

int pg_run_scatter(const pg_place *place, const void *data) {
    const pg_scatter_words *s = data;
    const int64_t *index = (const int64_t *)(void *)at(place, &s->at);
    const char *v = at(place, &s->v);
    char *out = at(place, &s->out);
    const int64_t row = s->inner * pg_size_of(s->out.dtype);
    if (row == 0 || s->count == 0) return PG_OK;
    for (int64_t o = 0; o < s->outer; o++, out += s->length * row) {
        for (int64_t j = 0; j < s->count; j++, v += row) {
            const int64_t i = index[j] < 0 ? index[j] + s->length : index[j];
            if (i < 0 || i >= s->length) return pg_failed(place, PG_INDEX, index[j], s->length);
            if (s->adds)
                add_row(s->out.dtype, s->inner, out + i * row, v);
            else
                memcpy(out + i * row, v, (size_t)row);
        }
    }
    return PG_OK;
}
