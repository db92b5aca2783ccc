/* The checks that all instructions share: slots, dtypes, accesses to memory, overlap, micro-ops. */
#include "loader.h"

#include <inttypes.h>

int pg_check_dtype(pg_loader *l, int64_t dtype, const char *what) {
    if (dtype >= 0 && dtype < PG_N_DTYPES) return PG_OK;
    return pg_refuse(l, "%s: no dtype has number %" PRId64, what, dtype);
}

int pg_find_dtype(pg_loader *l, int64_t slot, const char *what, int *dtype) {
    if (slot < 0 || slot >= l->body->n_slots)
        return pg_refuse(l, "%s: no slot %" PRId64 ", the body has %d", what, slot, l->body->n_slots);
    *dtype = l->body->slots[slot].dtype;
    return *dtype >= 0 ? PG_OK : pg_refuse(l, "%s: slot %" PRId64 " holds no elements", what, slot);
}

int pg_check_slot(pg_loader *l, int64_t slot, int dtype, int writes, const char *what) {
    if (slot < 0 || slot >= l->body->n_slots)
        return pg_refuse(l, "%s: no slot %" PRId64 ", the body has %d", what, slot, l->body->n_slots);
    const pg_slot *s = &l->body->slots[slot];
    if (s->dtype != dtype)
        return pg_refuse(l, "%s: slot %" PRId64 " holds dtype %d, not %d", what, slot, s->dtype, dtype);
    if (s->kind == PG_SLOT_COUNT)
        return pg_refuse(l, "%s: slot %" PRId64 " holds counts, which only loops load", what, slot);
    if (writes && (s->kind == PG_SLOT_CONST || s->kind == PG_SLOT_INPUT)) {
        return pg_refuse(l, "%s: slot %" PRId64 " is %s and must not be written", what, slot,
                         s->kind == PG_SLOT_CONST ? "a constant" : "an input");
    }
    return PG_OK;
}

/* Bytes [lo, hi) of the slot, known to lie in it, are used by the instruction. */
static pg_extent use_slot(pg_loader *l, int64_t slot, int64_t lo, int64_t hi) {
    pg_slot *s = &l->body->slots[slot];
    s->uses |= l->segments;
    const int placed = s->kind == PG_SLOT_ARENA || s->kind == PG_SLOT_CONST;
    const int space = s->kind == PG_SLOT_ARENA ? PG_SPACE_ARENA : s->kind == PG_SLOT_CONST ? PG_SPACE_CONST : s->memory;
    return (pg_extent){space, lo + (placed ? s->where : 0), hi + (placed ? s->where : 0)};
}

int pg_check_bytes(pg_loader *l, int64_t slot, int dtype, int64_t offset, int64_t nbytes, int writes, const char *what,
                   pg_extent *extent) {
    const int status = pg_check_slot(l, slot, dtype, writes, what);
    if (status != PG_OK) return status;
    const int64_t size = l->body->slots[slot].nbytes;
    if (offset < 0 || nbytes < 0 || offset > size || nbytes > size - offset) {
        return pg_refuse(l, "%s: bytes %" PRId64 "+%" PRId64 " lie outside slot %" PRId64 ", which has %" PRId64, what,
                         offset, nbytes, slot, size);
    }
    if (dtype >= 0 && offset % pg_size_of(dtype) != 0) {
        return pg_refuse(l, "%s: byte offset %" PRId64 " is not a multiple of %d", what, offset, pg_size_of(dtype));
    }
    *extent = use_slot(l, slot, offset, offset + nbytes);
    return PG_OK;
}

/* The least and the greatest element that strides over dims reach from `offset`. */
typedef struct pg_reach {
    int64_t first, last;
    int empty, overflow;
} pg_reach;

static pg_reach reach_of(int64_t offset, int ndim, const int64_t *dims, const int64_t *strides) {
    pg_reach found = {offset, offset, 0, 0};
    for (int i = 0; i < ndim; i++) {
        int64_t reach;
        if (dims[i] == 0) found.empty = 1;
        if (dims[i] <= 1 || found.overflow) continue;
        found.overflow = PG_MUL_OVERFLOW(dims[i] - 1, strides[i], &reach) ||
                         (reach < 0 ? PG_ADD_OVERFLOW(found.first, reach, &found.first)
                                    : PG_ADD_OVERFLOW(found.last, reach, &found.last));
    }
    return found;
}

int pg_check_access(pg_loader *l, int64_t slot, int dtype, int64_t offset, int ndim, const int64_t *dims,
                    const int64_t *strides, int writes, const char *what, pg_extent *extent) {
    const int status = pg_check_slot(l, slot, dtype, writes, what);
    if (status != PG_OK) return status;
    const int size = pg_size_of(dtype);
    const pg_reach reach = reach_of(offset, ndim, dims, strides);
    if (reach.empty) {
        *extent = use_slot(l, slot, 0, 0);
        return PG_OK;
    }
    const int64_t nbytes = l->body->slots[slot].nbytes;
    if (reach.overflow || reach.first < 0 || reach.last >= nbytes / size) {
        return pg_refuse(
            l, "%s: elements %" PRId64 " to %" PRId64 " (%d bytes each) leave slot %" PRId64 " of %" PRId64 " bytes",
            what, reach.first, reach.last, size, slot, nbytes);
    }
    *extent = use_slot(l, slot, reach.first * size, (reach.last + 1) * size);
    return PG_OK;
}

int pg_check_counts(pg_loader *l, int64_t offset, int ndim, const int64_t *dims, const int64_t *strides,
                    const char *what) {
    const pg_reach reach = reach_of(offset, ndim, dims, strides);
    if (!reach.empty && (reach.overflow || reach.first < -PG_MAX_ELEMENTS || reach.last > PG_MAX_ELEMENTS))
        return pg_refuse(l, "%s: counts %" PRId64 " to %" PRId64 " are too large", what, reach.first, reach.last);
    return PG_OK;
}

/* Sorted by stride, each must step over all that the smaller ones reach. Known not to overflow by pg_check_access. */
int pg_check_injective(pg_loader *l, int ndim, const int64_t *dims, const int64_t *strides, const char *what) {
    int64_t steps[2 * PG_MAX_DIMS], reach[2 * PG_MAX_DIMS], covered = 0;
    int n = 0;
    for (int i = 0; i < ndim; i++) {
        if (dims[i] == 0) return PG_OK;
        if (dims[i] == 1) continue;
        const int64_t step = strides[i] < 0 ? -strides[i] : strides[i];
        int at = n++;
        for (; at > 0 && steps[at - 1] > step; at--) {
            steps[at] = steps[at - 1];
            reach[at] = reach[at - 1];
        }
        steps[at] = step;
        reach[at] = step * (dims[i] - 1);
    }
    for (int i = 0; i < n; i++) {
        if (steps[i] <= covered) return pg_refuse(l, "%s: its strides write one element more than once", what);
        covered += reach[i];
    }
    return PG_OK;
}

int pg_overlap(const pg_extent *x, const pg_extent *y) {
    return x->space == y->space && x->lo < y->hi && y->lo < x->hi;
}

/* Both walk the same dims by the same steps, from places `apart` bytes from one another. Steps are divided in large and
 * small ones: elements that the large ones (multiples of `period`) reach lie apart where the spans of the small ones
 * do. */
int pg_interleave(int ndim, const int64_t *dims, const int64_t *strides, int64_t size, int64_t apart) {
    for (int i = 0; i < ndim; i++) {
        if (dims[i] <= 1 || strides[i] == 0) continue;
        const int64_t least = strides[i] < 0 ? -strides[i] : strides[i];
        int64_t period = 0, span = size;
        for (int k = 0; k < ndim; k++) {
            if (dims[k] <= 1) continue;
            int64_t step = strides[k] < 0 ? -strides[k] : strides[k];
            if (step < least) {
                span += step * (dims[k] - 1) * size;
                continue;
            }
            while (step) {
                const int64_t rest = period % step;
                period = step;
                step = rest;
            }
        }
        const int64_t shift = (apart < 0 ? -apart : apart) % (period * size);
        if (shift >= span && period * size - shift >= span) return 1;
    }
    return 0;
}

int pg_check_apart(pg_loader *l, const pg_extent *x, const pg_extent *y, const char *what, const char *other) {
    if (!pg_overlap(x, y)) return PG_OK;
    return pg_refuse(l, "%s at bytes %" PRId64 " to %" PRId64 " overlaps %s at %" PRId64 " to %" PRId64, what, x->lo,
                     x->hi, other, y->lo, y->hi);
}

#define PG_INFO(name, arity, result, conditional, casts) \
    [PG_MOP_##name] = {#name, arity, PG_RESULT_##result, conditional, casts},
const pg_op_info pg_op_infos[PG_MOP_COUNT] = {PG_OPS(PG_INFO)};

static int64_t result_of(int result, int64_t dtype) {
    switch (result) {
    case PG_RESULT_BOOL: return PG_B;
    case PG_RESULT_FLOATING: return pg_size_of((int)dtype) == 8 ? PG_F64 : PG_F32;
    default: return dtype;
    }
}

int pg_check_micro(pg_loader *l, int64_t mop, int64_t dtype_in, int64_t dtype_out) {
    if (mop < 0 || mop >= PG_MOP_COUNT) return pg_refuse(l, "no micro-op has number %" PRId64, mop);
    int status = pg_check_dtype(l, dtype_in, pg_op_infos[mop].name);
    if (status == PG_OK) status = pg_check_dtype(l, dtype_out, pg_op_infos[mop].name);
    if (status != PG_OK || pg_op_infos[mop].casts) return status;
    if (l->program->kernels->map[dtype_in][mop][PG_VV] == NULL) {
        return pg_refuse(l, "%s does not take dtype %" PRId64, pg_op_infos[mop].name, dtype_in);
    }
    if (dtype_out != result_of(pg_op_infos[mop].result, dtype_in)) {
        return pg_refuse(l, "%s of dtype %" PRId64 " does not give dtype %" PRId64, pg_op_infos[mop].name, dtype_in,
                         dtype_out);
    }
    return PG_OK;
}
