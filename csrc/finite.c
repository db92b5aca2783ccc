/* The check for inf and nan after each instruction, for contexts made with check_finite. */
#include "call.h"
#include "context.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static int not_finite(const pg_place *place, int64_t destination, int64_t element) {
    pg_error *error = &place->context->error;
    pg_report(error, PG_NONFINITE, place->body, place->instruction, place->node,
              "result %" PRId64 ", element %" PRId64 ", is not finite", destination, element);
    error->detail[0] = destination;
    error->detail[1] = element;
    return PG_NONFINITE;
}

static int is_finite(const char *memory, int dtype) {
    if (dtype == PG_F64) {
        double value;
        memcpy(&value, memory, sizeof value);
        return isfinite(value) != 0;
    }
    float value;
    memcpy(&value, memory, sizeof value);
    return isfinite(value) != 0;
}

/* The first non-finite element among n adjacent ones, or -1. */
static int64_t search(const char *memory, int dtype, int64_t n) {
    if (dtype != PG_F64 && dtype != PG_F32) return -1;
    const int size = pg_size_of(dtype);
    for (int64_t i = 0; i < n; i++) {
        if (!is_finite(memory + i * size, dtype)) return i;
    }
    return -1;
}

static int64_t search_store(const pg_loop *loop, const pg_access *store, const char *memory) {
    if (store->kind != PG_STRIDED) return search(memory, store->dtype, loop->count);
    if (store->dtype != PG_F64 && store->dtype != PG_F32) return -1;
    for (int64_t i = 0; i < loop->count; i++) {
        int64_t offset = 0;
        for (int64_t d = loop->ndim - 1, rest = i; d >= 0; rest /= loop->dims[d], d--) {
            offset += rest % loop->dims[d] * store->strides[d];
        }
        if (!is_finite(memory + offset, store->dtype)) return i;
    }
    return -1;
}

int pg_finite_loop(const pg_place *place, const void *data) {
    const pg_loop *loop = data;
    for (int i = 0; i < loop->n_stores && loop->count > 0; i++) {
        const pg_access *store = &loop->stores[i];
        const int64_t at = search_store(loop, store, place->slots[store->slot] + store->offset);
        if (at >= 0) return not_finite(place, i, at);
    }
    for (int i = 0; i < loop->n_reductions && loop->count > 0; i++) {
        const pg_reduction *reduction = &loop->reductions[i];
        const char *memory = place->slots[reduction->slot] + reduction->offset;
        const int64_t at = search(memory, reduction->dtype, loop->outer * loop->inner);
        if (at >= 0) return not_finite(place, loop->n_stores + i, at);
    }
    return PG_OK;
}

int pg_finite_operand(const pg_place *place, int number, const pg_sizes *batch, const pg_operand *operand) {
    const char *memory = place->slots[operand->slot] + operand->offset;
    const int64_t n = batch == NULL ? 1 : batch->count;
    for (int64_t k = 0; k < n; k++) {
        const int64_t offset = batch == NULL ? 0 : pg_batch_offset(batch, operand, k);
        const int64_t at = search(memory + offset, operand->dtype, operand->elements);
        if (at >= 0) return not_finite(place, number, k * operand->elements + at);
    }
    return PG_OK;
}

int pg_finite_call(const pg_place *place, const void *data) {
    const pg_invocation *call = data;
    const int first = call->kernel->n_inputs;
    int status = PG_OK;
    for (int k = first; k < call->kernel->n_arguments && status == PG_OK; k++)
        status = pg_finite_operand(place, k - first, &call->batch, &call->arguments[k]);
    return status;
}

/* SCALAR checks while it runs, and the bodies that others run have been checked. */
#define PG_NOTHING_LEFT(name)                                       \
    int pg_finite_##name(const pg_place *place, const void *data) { \
        (void)place;                                                \
        (void)data;                                                 \
        return PG_OK;                                               \
    }
PG_NOTHING_LEFT(scalar)
PG_NOTHING_LEFT(scan)
PG_NOTHING_LEFT(branch)
PG_NOTHING_LEFT(while)
PG_NOTHING_LEFT(replay)

/* One micro-op at a time, since cells are reused within the instruction; the result's number is the micro-op's. */
int pg_run_scalar_checked(const pg_place *place, const pg_scalar *scalar, pg_cell *cells) {
    const pg_scalar_fn run = place->context->program->kernels->scalar;
    int64_t micro = 0;
    for (int64_t i = 0; i < scalar->n_code; micro++) {
        pg_scalar_op code[3];
        const int length = scalar->lengths[i];
        memset(code, 0, sizeof code); /* ends with PG_SCALAR_END, which is 0 */
        memcpy(code, scalar->code + i, (size_t)length * sizeof *code);
        run(code, cells, place->slots);
        const int dtype = scalar->results[i];
        if ((dtype == PG_F64 || dtype == PG_F32) && !is_finite((const char *)&cells[code[0].dst], dtype)) {
            return not_finite(place, micro, 0);
        }
        i += length;
    }
    return PG_OK;
}

#include "generated/pg_finite.h"
