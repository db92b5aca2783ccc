/* Runs LOOP instructions that reduce an iteration space [outer][rows][inner] over its rows.
 *
 * The order in which elements combine depends on the Program alone: rows in blocks, blocks of a chunk in order, chunks
 * in a pairwise tree. Threads only decide who computes which chunk. */
#include "context.h"

#include <string.h>

typedef struct pg_reduce_job {
    const pg_place *place;
    const pg_loop *loop;
} pg_reduce_job;

/* Where chunk `chunk` of index `o` of reduction `q` accumulates. */
static char *target(const pg_reduce_job *job, int q, int64_t o, int64_t chunk) {
    const pg_loop *loop = job->loop;
    if (loop->n_chunks > 1) {
        char *scratch = job->place->slots[loop->scratch_slot];
        return scratch + ((q * loop->outer + o) * loop->n_chunks + chunk) * loop->inner * 8;
    }
    const pg_reduction *reduction = &loop->reductions[q];
    return job->place->slots[reduction->slot] + reduction->offset + o * loop->inner * reduction->size;
}

/* Where the chunk's elements from `target` on accumulate: there, or in memory of the worker's own where accumulators
 * are larger than elements and there is but one chunk. */
static char *accumulators(const pg_loop *loop, char *const *locations, int q, char *target) {
    const pg_reduction *reduction = &loop->reductions[q];
    const int apart = loop->n_chunks == 1 && reduction->run.size != reduction->size;
    return apart ? locations[loop->first_accumulator + q] : target;
}

/* `n` results from what accumulated for them. */
static void finish(const pg_reduction *reduction, int64_t n, char *target, const char *accumulated) {
    if (accumulated != target) reduction->run.finish((intptr_t)n, target, accumulated);
}

/* Rows of one element: the block's own fold joins what came before. */
static void add_block(const pg_reduction *reduction, int64_t n, const char *block, char *out, int first) {
    if (first) {
        reduction->run.fold((intptr_t)n, out, block);
    } else {
        pg_cell value;
        reduction->run.fold((intptr_t)n, &value, block);
        reduction->run.join(out, &value);
    }
}

/* Rows of `width` elements, one below the other in the block. */
static void add_rows(const pg_reduction *reduction, int64_t rows, int64_t width, const char *block, char *out,
                     int first) {
    if (first) {
        reduction->run.start((intptr_t)width, out, block);
        block += width * reduction->size;
        rows--;
    }
    reduction->run.accumulate((intptr_t)rows, (intptr_t)width, out, block);
}

/* Elements [k0, k1) of rows [r0, r1) of index `o`. */
static void run_chunk(const pg_reduce_job *job, char **locations, int64_t o, int64_t chunk, int64_t k0, int64_t k1) {
    const pg_loop *loop = job->loop;
    char *const *slots = job->place->slots;
    const int64_t r0 = chunk * loop->chunk, inner = loop->inner, origin = o * loop->rows * inner;
    const int64_t r1 = loop->rows - r0 < loop->chunk ? loop->rows : r0 + loop->chunk;
    if (inner <= loop->block / 2) { /* whole rows, several a block */
        const int64_t step = loop->block / inner;
        for (int64_t r = r0; r < r1; r += step) {
            const int64_t rows = r1 - r < step ? r1 - r : step;
            pg_loop_block(loop, slots, locations, origin + r * inner, rows * inner);
            for (int q = 0; q < loop->n_reductions; q++) {
                const pg_reduction *reduction = &loop->reductions[q];
                const char *block = locations[reduction->location];
                char *out = target(job, q, o, chunk), *sums = accumulators(loop, locations, q, out);
                if (inner == 1)
                    add_block(reduction, rows, block, sums, r == r0);
                else
                    add_rows(reduction, rows, inner, block, sums, r == r0);
                if (r + rows == r1) finish(reduction, inner, out, sums);
            }
        }
        return;
    }
    const int64_t pieces = (k1 - k0 - 1) / loop->block + 1, width = ((k1 - k0 - 1) / pieces / 16 + 1) * 16;
    for (int64_t k = k0; k < k1; k += width) { /* a piece of a row at a time, all rows of it in order */
        const int64_t n = k1 - k < width ? k1 - k : width;
        for (int64_t r = r0; r < r1; r++) {
            pg_loop_block(loop, slots, locations, origin + r * inner + k, n);
            for (int q = 0; q < loop->n_reductions; q++) {
                const pg_reduction *reduction = &loop->reductions[q];
                const int64_t size = loop->n_chunks == 1 ? reduction->size : reduction->run.size;
                char *out = target(job, q, o, chunk) + k * size, *sums = accumulators(loop, locations, q, out);
                add_rows(reduction, 1, n, locations[reduction->location], sums, r == r0);
                if (r + 1 == r1) finish(reduction, n, out, sums);
            }
        }
    }
}

/* All of outer indices [o0, o1), several a block where they fit. */
static void run_group(const pg_reduce_job *job, char **locations, int64_t o0, int64_t o1) {
    const pg_loop *loop = job->loop;
    const int64_t per = loop->rows * loop->inner;
    if (per > loop->block) {
        for (int64_t o = o0; o < o1; o++) run_chunk(job, locations, o, 0, 0, loop->inner);
        return;
    }
    const int64_t step = loop->block / per;
    for (int64_t o = o0; o < o1; o += step) {
        const int64_t m = o1 - o < step ? o1 - o : step;
        pg_loop_block(loop, job->place->slots, locations, o * per, m * per);
        for (int q = 0; q < loop->n_reductions; q++) {
            const pg_reduction *reduction = &loop->reductions[q];
            const char *block = locations[reduction->location];
            char *out = target(job, q, o, 0);
            if (loop->inner == 1) {
                reduction->run.rows((intptr_t)m, (intptr_t)loop->rows, out, block);
                continue;
            }
            for (int64_t i = 0; i < m; i++, out += loop->inner * reduction->size) {
                char *sums = accumulators(loop, locations, q, out);
                add_rows(reduction, loop->rows, loop->inner, block + i * per * reduction->size, sums, 1);
                finish(reduction, loop->inner, out, sums);
            }
        }
    }
}

static void run_task(void *data, int64_t task, int worker) {
    const pg_reduce_job *job = data;
    const pg_loop *loop = job->loop;
    const pg_context *context = job->place->context;
    char **locations = pg_loop_begin(loop, job->place->slots, context->scratch + worker * context->scratch_stride);
    if (loop->n_chunks == 1 && loop->n_parts == 1) {
        const int64_t o = task * loop->group;
        run_group(job, locations, o, loop->outer - o < loop->group ? loop->outer : o + loop->group);
        return;
    }
    const int64_t part = task % loop->n_parts, rest = task / loop->n_parts;
    const int64_t k0 = part * loop->part, k1 = loop->inner - k0 < loop->part ? loop->inner : k0 + loop->part;
    run_chunk(job, locations, rest / loop->n_chunks, rest % loop->n_chunks, k0, k1);
}

/* Folds the chunks of one outer index pairwise. */
static void combine(const pg_reduce_job *job, int q, int64_t o) {
    const pg_loop *loop = job->loop;
    const pg_reduction *reduction = &loop->reductions[q];
    char *out = job->place->slots[reduction->slot] + reduction->offset + o * loop->inner * reduction->size;
    reduction->run.combine((intptr_t)loop->n_chunks, (intptr_t)loop->inner, out, target(job, q, o, 0));
}

void pg_run_reduction(const pg_place *place, const pg_loop *loop) {
    pg_reduce_job job = {place, loop};
    if (loop->count == 0) {
        for (int q = 0; q < loop->n_reductions; q++) {
            const pg_reduction *reduction = &loop->reductions[q];
            reduction->run.identity((intptr_t)(loop->outer * loop->inner),
                                    place->slots[reduction->slot] + reduction->offset);
        }
        return;
    }
    if (loop->n_tasks == 1)
        run_task(&job, 0, 0);
    else
        pg_run_tasks(place->context, loop->n_tasks, run_task, &job);
    if (loop->n_chunks == 1) return;
    for (int q = 0; q < loop->n_reductions; q++) {
        for (int64_t o = 0; o < loop->outer; o++) combine(&job, q, o);
    }
}
