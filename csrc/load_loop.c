/* Loads LOOP: verifies its words; loop_plan.c then chooses kernels and places. */
#include "context.h"
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>

enum { PG_MAX_TABLE = 1024 /* counts of a load */ };

typedef struct pg_operands {
    int64_t n;
    const int64_t *words; /* register, slot, offset, strides */
    pg_extent *extents;
    pg_access *accesses;
    const char *name;
} pg_operands;

/* What a stride of one is: bytes of an element, or one count. */
static int64_t unit(const pg_access *access) { return access->count != NULL ? 1 : access->size; }

/* Drops dims of one element and merges neighbours that every operand walks in one stride. */
static void merge_dims(pg_loop *loop, int ndim, const int64_t *dims, pg_operands *groups[2]) {
    int kept = 0;
    if (loop->count == 0) { /* strides of no elements are not verified, nor used */
        loop->ndim = 0;
        return;
    }
    for (int i = 0; i < ndim; i++) {
        if (dims[i] == 1) continue;
        int merges = kept > 0;
        for (int g = 0; g < 2 && merges; g++) {
            for (int64_t k = 0; k < groups[g]->n && merges; k++) {
                const int64_t *strides = groups[g]->words + k * (3 + ndim) + 3;
                int64_t whole;
                merges = !PG_MUL_OVERFLOW(strides[i] * unit(&groups[g]->accesses[k]), dims[i], &whole) &&
                         groups[g]->accesses[k].strides[kept - 1] == whole;
            }
        }
        if (!merges)
            loop->dims[kept++] = dims[i];
        else
            loop->dims[kept - 1] *= dims[i];
        for (int g = 0; g < 2; g++) {
            for (int64_t k = 0; k < groups[g]->n; k++) {
                const int64_t *strides = groups[g]->words + k * (3 + ndim) + 3;
                groups[g]->accesses[k].strides[kept - 1] = strides[i] * unit(&groups[g]->accesses[k]);
            }
        }
    }
    loop->ndim = kept;
}

static void classify(const pg_loop *loop, pg_access *access) {
    int splat = 1, contiguous = 1;
    int64_t step = access->size;
    for (int i = loop->ndim - 1; i >= 0; i--) {
        splat &= access->strides[i] == 0;
        contiguous &= access->strides[i] == step;
        if (contiguous) step *= loop->dims[i];
    }
    access->kind = splat ? PG_SPLAT : contiguous && access->count == NULL ? PG_CONTIGUOUS : PG_STRIDED;
}

/* Whether a table of counts has the dimension `i`: all where that is a table of few, else those that they vary with. */
static int in_table(const pg_loop *loop, const pg_access *access, int i) {
    return access->strides[i] != 0 || (access->kind != PG_SPLAT && loop->count <= PG_MAX_TABLE);
}

/* Counts of which blocks may read few in place are written down once: the load is then one of memory. */
static int tabulate(pg_loader *l, const pg_loop *loop, pg_access *access) {
    const int last = loop->ndim - 1;
    pg_loop space = {.ndim = 0};
    pg_access all = *access;
    int64_t count = 1;
    for (int i = 0; i < loop->ndim; i++) {
        if (!in_table(loop, access, i)) continue;
        if (loop->dims[i] > PG_MAX_TABLE / count) return PG_OK;
        count *= loop->dims[i];
        all.strides[space.ndim] = access->strides[i];
        space.dims[space.ndim++] = loop->dims[i];
    }
    if (space.ndim > 0 && space.ndim < loop->ndim && (access->strides[last] == 0 || loop->dims[last] < PG_LONG_ROW))
        return PG_OK;
    char *table = pg_keep(l, count, (size_t)access->size);
    if (!table) return PG_MEMORY;
    pg_count_in(&space, &all, (const int64_t[PG_MAX_DIMS]){0}, count, table);
    int64_t step = access->size;
    for (int i = last; i >= 0; i--) {
        if (!in_table(loop, access, i)) continue;
        access->strides[i] = step;
        step *= loop->dims[i];
    }
    access->table = table;
    access->offset = 0;
    access->count = NULL;
    classify(loop, access);
    return PG_OK;
}

static int read_operands(pg_loader *l, int ndim, const int64_t *dims, int64_t n_registers, pg_operands *group,
                         int writes) {
    group->extents = pg_keep(l, group->n, sizeof *group->extents);
    group->accesses = pg_keep(l, group->n, sizeof *group->accesses);
    if (!group->extents || !group->accesses) return PG_MEMORY;
    for (int64_t k = 0; k < group->n; k++) {
        const int64_t *w = group->words + k * (3 + ndim);
        char what[40];
        snprintf(what, sizeof what, "LOOP: %s %" PRId64, group->name, k);
        if (w[0] < 0 || w[0] >= n_registers) return pg_refuse(l, "%s: no register %" PRId64, what, w[0]);
        int dtype, status = pg_find_dtype(l, w[1], what, &dtype);
        if (status != PG_OK) return status;
        const int counts = !writes && l->body->slots[w[1]].kind == PG_SLOT_COUNT;
        if (counts) {
            group->extents[k].space = PG_SPACE_NONE;
            status = pg_check_counts(l, w[2], ndim, dims, w + 3, what);
        } else {
            status = pg_check_access(l, w[1], dtype, w[2], ndim, dims, w + 3, writes, what, &group->extents[k]);
        }
        if (status == PG_OK && writes) status = pg_check_injective(l, ndim, dims, w + 3, what);
        if (status != PG_OK) return status;
        pg_access *access = &group->accesses[k];
        access->slot = (int)w[1];
        access->dtype = dtype;
        access->size = pg_size_of(dtype);
        if (counts) {
            access->count = l->program->kernels->count[dtype];
            access->offset = w[2];
            continue;
        }
        const int empty = group->extents[k].lo == group->extents[k].hi; /* then the offset is not verified, nor used */
        access->offset = empty ? 0 : w[2] * access->size;
    }
    return PG_OK;
}

/* What a task covers of [outer][rows][inner]: some of the rows or of `inner` only of one outer index. */
static int read_cut(pg_loader *l, pg_loop *loop, const pg_loop_words *x) {
    const int64_t sizes[3] = {loop->outer, loop->rows, loop->inner};
    const int64_t cut[3] = {x->cut.outer, x->cut.rows, x->cut.inner};
    for (int i = 0; i < 3; i++) {
        if (cut[i] > (sizes[i] > 1 ? sizes[i] : 1))
            return pg_refuse(l, "LOOP: %" PRId64 " of %" PRId64 " indices can't be a task", cut[i], sizes[i]);
    }
    loop->group = cut[0];
    loop->chunk = cut[1];
    loop->part = cut[2];
    loop->n_chunks = loop->n_parts = loop->n_tasks = 1;
    if (loop->count == 0) return PG_OK;
    loop->n_chunks = (loop->rows - 1) / loop->chunk + 1;
    loop->n_parts = (loop->inner - 1) / loop->part + 1;
    loop->n_tasks = ((loop->outer - 1) / loop->group + 1) * loop->n_chunks * loop->n_parts; /* <= count */
    if (loop->n_chunks > PG_MAX_PARTIALS)
        return pg_refuse(l, "LOOP: %" PRId64 " partial results of one are too many", loop->n_chunks);
    if (loop->n_parts > 1 && loop->part % loop->block != 0)
        return pg_refuse(l, "LOOP: a task of %" PRId64 " inner elements has no whole blocks", loop->part);
    if (loop->group > 1 && (loop->n_chunks > 1 || loop->n_parts > 1))
        return pg_refuse(l, "LOOP: a task has several outer indices and not all of each");
    return PG_OK;
}

/* The dims, the view of them as [outer][rows][inner], and the tasks. */
static int read_space(pg_loader *l, pg_loop *loop, const pg_loop_words *x) {
    const int64_t split[3] = {x->space.outer, x->space.rows, x->space.inner};
    loop->count = x->dims.count;
    loop->block = x->block;
    loop->reduces = (int)x->folds;
    if (loop->block % 16 != 0) return pg_refuse(l, "LOOP: a block of %" PRId64 " elements is not possible", x->block);
    int64_t product;
    if (pg_product(3, split, &product) || product != loop->count ||
        pg_product(2, (const int64_t[]){split[0], split[2]}, &product) || product > INT64_MAX / 4096 ||
        (!loop->reduces && (split[1] != 1 || split[2] != 1))) {
        return pg_refuse(l, "LOOP: [%" PRId64 "][%" PRId64 "][%" PRId64 "] is not a view of its %" PRId64 " elements",
                         split[0], split[1], split[2], loop->count);
    }
    loop->outer = split[0];
    loop->rows = split[1];
    loop->inner = split[2];
    return read_cut(l, loop, x);
}

static int read_reductions(pg_loader *l, pg_loop *loop, const pg_loop_words *x, pg_extent *extents) {
    const int64_t cells = loop->outer * loop->inner, n = x->reduces.n, *words = x->reduces.at;
    loop->scratch_slot = -1;
    for (int64_t k = 0; k < n; k++, words += 4) {
        const int64_t rop = words[0];
        int dtype;
        char what[40];
        snprintf(what, sizeof what, "LOOP: reduction %" PRId64, k);
        if (rop < 0 || rop >= PG_ROP_COUNT) return pg_refuse(l, "%s: no reduction has number %" PRId64, what, rop);
        if (words[1] < 0 || words[1] >= x->registers) return pg_refuse(l, "%s: no register %" PRId64, what, words[1]);
        int status = pg_find_dtype(l, words[2], what, &dtype);
        if (status == PG_OK)
            status =
                pg_check_access(l, words[2], dtype, words[3], 1, &cells, (const int64_t[]){1}, 1, what, &extents[k]);
        if (status != PG_OK) return status;
        pg_reduction *reduction = &loop->reductions[k];
        reduction->run = l->program->kernels->reduce[dtype][rop];
        if (reduction->run.rows == NULL) return pg_refuse(l, "%s: not defined for dtype %d", what, dtype);
        reduction->dtype = dtype;
        reduction->size = pg_size_of(dtype);
        reduction->slot = (int)words[2];
        reduction->offset = cells == 0 ? 0 : words[3] * reduction->size;
    }
    if (loop->n_chunks > 1) {
        int64_t bytes;
        if (pg_product(5, (const int64_t[]){n, loop->outer, loop->n_chunks, loop->inner, 8}, &bytes)) {
            return pg_refuse(l, "LOOP: its partial results are too many");
        }
        loop->scratch_slot = (int)x->scratch;
        return pg_check_bytes(l, x->scratch, PG_RAW, 0, bytes, 1, "LOOP: scratch", &extents[n]);
    }
    extents[n] = (pg_extent){INT32_MIN, 0, 0};
    return PG_OK;
}

/* What is written may be read in this LOOP as exactly the same elements, or not at all. */
static int check_hazards(pg_loader *l, int ndim, const int64_t *dims, const pg_operands *loads,
                         const pg_operands *stores, const pg_extent *results, int64_t n_results,
                         unsigned char *aliases) {
    for (int64_t s = 0; s < stores->n; s++) {
        const int64_t *store = stores->words + s * (3 + ndim);
        for (int64_t k = 0; k < loads->n; k++) {
            if (!pg_overlap(&stores->extents[s], &loads->extents[k])) continue;
            const int64_t *load = loads->words + k * (3 + ndim);
            int same = stores->extents[s].lo == loads->extents[k].lo && stores->extents[s].hi == loads->extents[k].hi &&
                       stores->accesses[s].size == loads->accesses[k].size;
            for (int i = 0; i < ndim && same; i++) same = dims[i] == 1 || store[3 + i] == load[3 + i];
            if (!same) return pg_refuse(l, "LOOP: store %" PRId64 " overlaps load %" PRId64 " in part", s, k);
            aliases[s * loads->n + k] = 1;
        }
        for (int64_t k = 0; k < s; k++) {
            if (!pg_overlap(&stores->extents[s], &stores->extents[k])) continue;
            const int64_t *other = stores->words + k * (3 + ndim), size = stores->accesses[s].size;
            int alike = size == stores->accesses[k].size;
            for (int i = 0; i < ndim && alike; i++) alike = dims[i] == 1 || store[3 + i] == other[3 + i];
            if (!alike || !pg_interleave(ndim, dims, store + 3, size, stores->extents[s].lo - stores->extents[k].lo)) {
                return pg_refuse(l, "LOOP: stores %" PRId64 " and %" PRId64 " overlap", k, s);
            }
        }
    }
    for (int64_t r = 0; r < n_results; r++) {
        int status = PG_OK;
        for (int64_t k = 0; k < loads->n && status == PG_OK; k++) {
            status = pg_check_apart(l, &results[r], &loads->extents[k], "LOOP: a result", "a load");
        }
        for (int64_t k = 0; k < stores->n && status == PG_OK; k++) {
            status = pg_check_apart(l, &results[r], &stores->extents[k], "LOOP: a result", "a store");
        }
        for (int64_t k = 0; k < r && status == PG_OK; k++) {
            status = pg_check_apart(l, &results[r], &results[k], "LOOP: a result", "another");
        }
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

int pg_decode_loop(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_loop_words x;
    int status = pg_read_loop(l, words, n, &x);
    if (status != PG_OK) return status;
    const int ndim = x.dims.n;
    const int64_t *dims = x.dims.of;
    if (x.loads.n > x.registers || x.stores.n > PG_MAX_REGISTERS || x.reduces.n > PG_MAX_REGISTERS ||
        x.micros.n > PG_MAX_MICROS) {
        return pg_refuse(l, "LOOP: more registers, loads, stores or reductions than %d, or more loads than registers",
                         PG_MAX_REGISTERS);
    }
    if (!x.folds && x.reduces.n > 0) return pg_refuse(l, "LOOP: reductions in a map");
    pg_loop *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    status = read_space(l, loop, &x);
    if (status != PG_OK) return status;
    pg_operands loads = {x.loads.n, x.loads.at, NULL, NULL, "load"},
                stores = {x.stores.n, x.stores.at, NULL, NULL, "store"};
    status = read_operands(l, ndim, dims, x.registers, &loads, 0);
    if (status == PG_OK) status = read_operands(l, ndim, dims, x.registers, &stores, 1);
    if (status != PG_OK) return status;
    pg_extent *results = pg_keep(l, x.reduces.n + 1, sizeof *results);
    unsigned char *aliases = pg_keep(l, x.stores.n * x.loads.n, 1);
    loop->reductions = pg_keep(l, x.reduces.n, sizeof *loop->reductions);
    if (!results || !aliases || !loop->reductions) return PG_MEMORY;
    status = read_reductions(l, loop, &x, results);
    if (status == PG_OK) status = check_hazards(l, ndim, dims, &loads, &stores, results, x.reduces.n + 1, aliases);
    if (status != PG_OK) return status;
    merge_dims(loop, ndim, dims, (pg_operands *[]){&loads, &stores});
    loop->loads = loads.accesses;
    loop->stores = stores.accesses;
    loop->n_loads = (int)x.loads.n;
    loop->n_stores = (int)x.stores.n;
    loop->n_reductions = (int)x.reduces.n;
    for (int i = 0; i < loop->n_loads; i++) {
        classify(loop, &loop->loads[i]);
        if (loop->loads[i].count != NULL) status = tabulate(l, loop, &loop->loads[i]);
        if (status != PG_OK) return status;
    }
    for (int i = 0; i < loop->n_stores; i++) classify(loop, &loop->stores[i]);
    const pg_raw_loop raw = {x.registers, x.micros.n, x.micros.at,  x.loads.at,
                             x.stores.at, 3 + ndim,   x.reduces.at, aliases};
    status = pg_plan_loop(l, loop, &raw);
    if (status != PG_OK) return status;
    if (loop->n_tasks > 1) l->program->parallel = 1;
    out->data = loop;
    return PG_OK;
}
