/* Runs LOOP instructions that map: blocks of elements through the micro-ops, in tasks of consecutive blocks. */
#include "context.h"

#include <string.h>

/* Where the first element of a load lies. */
static char *memory_of(const pg_access *load, char *const *slots) {
    char *memory = load->table != NULL ? (char *)(uintptr_t)load->table : slots[load->slot]; /* which is only read */
    return memory + load->offset;
}

char **pg_loop_begin(const pg_loop *loop, char *const *slots, char *scratch) {
    char **locations = (char **)(void *)scratch;
    char *cells = scratch + pg_round_up((int64_t)loop->n_locations * 8);
    char *buffers = cells + pg_round_up((int64_t)loop->n_cells * 8);
    for (int i = 0; i < loop->n_buffers; i++) locations[i] = buffers + i * loop->buffer_bytes;
    char *accumulators = buffers + loop->n_buffers * loop->buffer_bytes;
    for (int i = 0; i < loop->n_reductions; i++)
        locations[loop->first_accumulator + i] = accumulators + i * loop->buffer_bytes;
    for (int i = 0; i < loop->n_cells; i++) locations[loop->n_buffers + i] = cells + 8 * i;
    for (int i = 0; i < loop->n_loads; i++) {
        const pg_access *load = &loop->loads[i];
        if (load->kind != PG_SPLAT) continue;
        char *memory = memory_of(load, slots);
        if (load->buffer >= 0) memory = memcpy(locations[load->buffer], memory, (size_t)load->size);
        locations[load->location] = memory;
    }
    for (int i = 0; i < loop->n_once; i++) {
        const pg_step *step = &loop->once[i];
        step->run(1, locations[step->dst], locations[step->a], locations[step->b], locations[step->c]);
    }
    const int64_t n = loop->block < loop->count ? loop->block : loop->count;
    for (int i = 0; i < loop->n_fills; i++) {
        const pg_fill *fill = &loop->fills[i];
        fill->run(n, locations[fill->dst], locations[fill->source], NULL, NULL);
    }
    return locations;
}

/* The place in the iteration space of an element counted in C order. */
static void place_of(const pg_loop *loop, int64_t index, int64_t *at) {
    for (int d = loop->ndim - 1; d > 0; d--) {
        at[d] = index % loop->dims[d];
        index /= loop->dims[d];
    }
    at[0] = index;
}

void pg_loop_block(const pg_loop *loop, char *const *slots, char **locations, int64_t start, int64_t n) {
    int64_t at[PG_MAX_DIMS];
    int placed = 0;
    for (int i = 0; i < loop->n_loads; i++) {
        const pg_access *load = &loop->loads[i];
        if (load->kind == PG_SPLAT) continue;
        if (load->kind == PG_STRIDED && !placed) {
            place_of(loop, start, at);
            placed = 1;
        }
        if (load->count != NULL) {
            pg_count_in(loop, load, at, n, locations[load->location]);
            continue;
        }
        char *memory = memory_of(load, slots);
        if (load->kind == PG_CONTIGUOUS) {
            memory += start * load->size;
            if (load->copied) memory = memcpy(locations[load->buffer], memory, (size_t)(n * load->size));
        } else {
            const int last = loop->ndim - 1;
            if (!load->copied && load->strides[last] == load->size && at[last] + n <= loop->dims[last]) {
                for (int d = 0; d <= last; d++) memory += at[d] * load->strides[d];
            } else {
                pg_copy_in(loop, load, memory, at, n, locations[load->buffer]);
                memory = locations[load->buffer];
            }
        }
        locations[load->location] = memory;
    }
    for (int i = 0; i < loop->n_stores; i++) {
        const pg_access *store = &loop->stores[i];
        if (store->direct) locations[store->location] = slots[store->slot] + store->offset + start * store->size;
    }
    for (int i = 0; i < loop->n_steps; i++) {
        const pg_step *step = &loop->steps[i];
        step->run((intptr_t)n, locations[step->dst], locations[step->a], locations[step->b], locations[step->c]);
    }
    for (int i = 0; i < loop->n_stores; i++) {
        const pg_access *store = &loop->stores[i];
        if (store->direct) continue;
        char *memory = slots[store->slot] + store->offset;
        const char *block = locations[store->location];
        if (store->kind == PG_CONTIGUOUS) {
            memory += start * store->size;
            if (memory != block) memcpy(memory, block, (size_t)(n * store->size));
        } else {
            if (!placed) place_of(loop, start, at);
            placed = 1;
            pg_copy_out(loop, store, memory, at, n, block);
        }
    }
}

typedef struct pg_map_job {
    const pg_place *place;
    const pg_loop *loop;
} pg_map_job;

static void run_task(void *data, int64_t task, int worker) {
    const pg_map_job *job = data;
    const pg_loop *loop = job->loop;
    const pg_context *context = job->place->context;
    char *const *slots = job->place->slots;
    char **locations = pg_loop_begin(loop, slots, context->scratch + worker * context->scratch_stride);
    int64_t start = task * loop->group;
    const int64_t end = loop->count - start < loop->group ? loop->count : start + loop->group;
    while (start < end) {
        int64_t n = end - start < loop->block ? end - start : loop->block;
        if (loop->clip) {
            const int64_t row = loop->dims[loop->ndim - 1], left = row - start % row;
            if (n > left) n = left;
        }
        pg_loop_block(loop, slots, locations, start, n);
        start += n;
    }
}

void pg_run_map(const pg_place *place, const pg_loop *loop) {
    pg_map_job job = {place, loop};
    if (loop->count == 0) return;
    if (loop->n_tasks == 1) {
        run_task(&job, 0, 0);
    } else {
        pg_run_tasks(place->context, loop->n_tasks, run_task, &job);
    }
}
