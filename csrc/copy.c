/* Copies between strided memory and adjacent elements, and counts. */
#include "context.h"

#include <string.h>

/* One run along the last dimension; `step` in bytes. */
#define PG_RUNS(T)                                                                      \
    static void in_##T(T *block, const char *memory, int64_t step, int64_t n) {         \
        if (step == (int64_t)sizeof(T)) {                                               \
            memcpy(block, memory, (size_t)n * sizeof(T));                               \
        } else if (step == 0) {                                                         \
            const T value = *(const T *)memory;                                         \
            for (int64_t i = 0; i < n; i++) block[i] = value;                           \
        } else {                                                                        \
            for (int64_t i = 0; i < n; i++) block[i] = *(const T *)(memory + i * step); \
        }                                                                               \
    }                                                                                   \
    static void out_##T(const T *block, char *memory, int64_t step, int64_t n) {        \
        if (step == (int64_t)sizeof(T)) {                                               \
            memcpy(memory, block, (size_t)n * sizeof(T));                               \
        } else {                                                                        \
            for (int64_t i = 0; i < n; i++) *(T *)(memory + i * step) = block[i];       \
        }                                                                               \
    }
PG_RUNS(uint64_t)
PG_RUNS(uint32_t)
PG_RUNS(uint8_t)

/* Several rows of few elements: `across` from one row to the next. */
#define PG_ROWS(T)                                                                                                   \
    static void rows_in_##T(T *block, const char *memory, int64_t across, int64_t step, int64_t rows, int64_t row) { \
        for (int64_t r = 0; r < rows; r++, memory += across, block += row) {                                         \
            for (int64_t i = 0; i < row; i++) block[i] = *(const T *)(memory + i * step);                            \
        }                                                                                                            \
    }
PG_ROWS(uint64_t)
PG_ROWS(uint32_t)
PG_ROWS(uint8_t)
enum { PG_SHORT_ROW = 32 };

/* Steps through the iteration space in C order; `offset` follows in the unit of the strides. */
typedef struct pg_walk {
    int last;
    int64_t at[PG_MAX_DIMS];
    int64_t offset;
} pg_walk;

static pg_walk begin(const pg_loop *loop, const pg_access *access, const int64_t *at) {
    pg_walk walk = {.last = loop->ndim - 1, .offset = 0};
    for (int i = 0; i < loop->ndim; i++) {
        walk.at[i] = at[i];
        walk.offset += at[i] * access->strides[i];
    }
    return walk;
}

/* By `n` elements: to the end of a row or less far, or from the start of a row by whole ones. */
static void advance(pg_walk *walk, const pg_loop *loop, const pg_access *access, int64_t n) {
    int d = walk->last;
    if (walk->at[d] == 0 && n > loop->dims[d]) n /= loop->dims[d--];
    walk->at[d] += n;
    walk->offset += n * access->strides[d];
    for (; d > 0 && walk->at[d] == loop->dims[d]; d--) {
        walk->at[d] = 0;
        walk->at[d - 1] += 1;
        walk->offset += access->strides[d - 1] - loop->dims[d] * access->strides[d];
    }
}

void pg_copy_in(const pg_loop *loop, const pg_access *access, const char *memory, const int64_t *at, int64_t n,
                char *block) {
    if (loop->ndim == 0) {
        memcpy(block, memory, (size_t)access->size);
        return;
    }
    pg_walk walk = begin(loop, access, at);
    const int last = walk.last;
    const int64_t step = access->strides[last], row = loop->dims[last];
    const int short_rows = last > 0 && row <= PG_SHORT_ROW;
    while (n > 0) {
        const int64_t left = row - walk.at[last];
        int64_t run = n < left ? n : left;
        if (short_rows && walk.at[last] == 0 && n >= 2 * row) {
            const int64_t more = loop->dims[last - 1] - walk.at[last - 1], rows = n / row < more ? n / row : more;
            const int64_t across = access->strides[last - 1];
            const char *from = memory + walk.offset;
            switch (access->size) {
            case 8: rows_in_uint64_t((uint64_t *)(void *)block, from, across, step, rows, row); break;
            case 4: rows_in_uint32_t((uint32_t *)(void *)block, from, across, step, rows, row); break;
            default: rows_in_uint8_t((uint8_t *)block, from, across, step, rows, row); break;
            }
            run = rows * row;
            n -= run;
            block += run * access->size;
            if (n > 0) advance(&walk, loop, access, run);
            continue;
        }
        switch (access->size) {
        case 8: in_uint64_t((uint64_t *)(void *)block, memory + walk.offset, step, run); break;
        case 4: in_uint32_t((uint32_t *)(void *)block, memory + walk.offset, step, run); break;
        default: in_uint8_t((uint8_t *)block, memory + walk.offset, step, run); break;
        }
        n -= run;
        block += run * access->size;
        advance(&walk, loop, access, run);
    }
}

void pg_copy_out(const pg_loop *loop, const pg_access *access, char *memory, const int64_t *at, int64_t n,
                 const char *block) {
    if (loop->ndim == 0) {
        memcpy(memory, block, (size_t)access->size);
        return;
    }
    pg_walk walk = begin(loop, access, at);
    const int64_t step = access->strides[walk.last];
    while (n > 0) {
        const int64_t left = loop->dims[walk.last] - walk.at[walk.last], run = n < left ? n : left;
        switch (access->size) {
        case 8: out_uint64_t((const uint64_t *)(const void *)block, memory + walk.offset, step, run); break;
        case 4: out_uint32_t((const uint32_t *)(const void *)block, memory + walk.offset, step, run); break;
        default: out_uint8_t((const uint8_t *)block, memory + walk.offset, step, run); break;
        }
        n -= run;
        block += run * access->size;
        advance(&walk, loop, access, run);
    }
}

void pg_count_in(const pg_loop *loop, const pg_access *access, const int64_t *at, int64_t n, char *block) {
    if (loop->ndim == 0) {
        access->count(1, block, (const int64_t[]){access->offset, 0, 1, 0}, NULL, NULL);
        return;
    }
    pg_walk walk = begin(loop, access, at);
    const int last = walk.last;
    const int64_t row = loop->dims[last];
    while (n > 0) {
        const int64_t left = row - walk.at[last], length = left < n ? left : n;
        int64_t counts[4] = {access->offset + walk.offset, access->strides[last], length, 0}, run = length;
        if (walk.at[last] == 0 &&
            last > 0) { /* rows, and a part of one, as far as the dimension outside of them goes */
            const int64_t whole = (loop->dims[last - 1] - walk.at[last - 1]) * row;
            counts[3] = access->strides[last - 1];
            run = whole < n ? whole : n;
        }
        access->count((intptr_t)run, block, counts, NULL, NULL);
        n -= run;
        block += run * access->size;
        if (n > 0) advance(&walk, loop, access, run);
    }
}
