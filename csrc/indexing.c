/* Runs SCATTER; an index outside its axis ends the call. */
#include "context.h"
#include "loader.h"

#include <inttypes.h>
#include <string.h>

static int out_of_range(const pg_place *place, int64_t index, int64_t length) {
    return pg_failed(place, PG_INDEX, index, length);
}

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

int pg_run_scatter(const pg_place *place, const void *data) {
    const pg_indexing *s = data;
    const int64_t *index = (const int64_t *)(void *)at(place, &s->index);
    const char *v = at(place, &s->x);
    char *out = at(place, &s->out);
    const int64_t row = s->inner * s->size;
    if (row == 0) return PG_OK;
    for (int64_t o = 0; o < s->outer; o++, out += s->axis_length * row) {
        for (int64_t j = 0; j < s->n_index; j++, v += row) {
            const int64_t i = index[j] < 0 ? index[j] + s->axis_length : index[j];
            if (i < 0 || i >= s->axis_length) return out_of_range(place, index[j], s->axis_length);
            if (s->add)
                add_row(s->dtype, s->inner, out + i * row, v);
            else
                memcpy(out + i * row, v, (size_t)row);
        }
    }
    return PG_OK;
}
