/* Kernels of convolutions over three axes, channels last, and of their derivatives by the filter.
 *
 * Tap t of output o reads the input at (o stride + t dilation - low) / expansion where that is a place of the input,
 * and nothing elsewhere. Along an axis the taps of an output that read something follow one another at equal distances,
 * and so do the places that they read, the outputs that a tap reaches, and the outputs that have their taps in common.
 * Output channels, or columns of the filter, lie next to each other: a block of some rows of them stays in registers.
 */
#ifndef PG_CALLS_CONVOLUTION_H
#define PG_CALLS_CONVOLUTION_H

#include "pg_compiler.h"

#include <stdint.h>
#include <string.h>

/* Bytes of a vector register. */
#if defined(__AVX512F__)
#define PG_VECTOR_BYTES 64
#elif defined(__AVX__)
#define PG_VECTOR_BYTES 32
#else
#define PG_VECTOR_BYTES 16
#endif

/* Vectors of elements that lie anywhere; a compiler without them gets single elements. Unsigned integers wrap around.
 */
#if defined(__GNUC__) || defined(__clang__)
#define PG_VECTOR(T, bytes) T __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias))
#else
#define PG_VECTOR(T, bytes) T
#endif
typedef PG_VECTOR(double, PG_VECTOR_BYTES) pg_long_f64;
typedef PG_VECTOR(float, PG_VECTOR_BYTES) pg_long_f32;
typedef PG_VECTOR(uint64_t, PG_VECTOR_BYTES) pg_long_i64;
typedef PG_VECTOR(uint32_t, PG_VECTOR_BYTES) pg_long_i32;
typedef PG_VECTOR(double, 16) pg_short_f64;
typedef PG_VECTOR(float, 16) pg_short_f32;
typedef PG_VECTOR(uint64_t, 16) pg_short_i64;
typedef PG_VECTOR(uint32_t, 16) pg_short_i32;

/* No row gives larger numbers; up to here places are computed without overflow. */
#define PG_WINDOW_LIMIT (INT64_C(1) << 30)

/* One axis of a convolution. */
typedef struct pg_window {
    int64_t inputs, taps, outputs, stride, dilation, low, expansion;
} pg_window;

/* count numbers first, first + step, ... and the places at, at + move, ... that belong to them. */
typedef struct pg_progress {
    int64_t first, step, count, at, move;
} pg_progress;

/* Whether the numbers of an axis can be; its parameters are every third one of `params`. */
PG_INLINE int pg_make_window(pg_window *w, int64_t inputs, int64_t taps, int64_t outputs, const int64_t *params) {
    const int64_t most = PG_WINDOW_LIMIT;
    *w = (pg_window){inputs, taps, outputs, params[0], params[3], params[6], params[9]};
    return inputs <= most && taps <= most && outputs <= most && w->stride >= 1 && w->stride <= most &&
           w->dilation >= -most && w->dilation <= most && w->low >= -most && w->low <= most && w->expansion >= 1 &&
           w->expansion <= most;
}

/* Where a tap of an output reads the input, or -1. */
PG_INLINE int64_t pg_place_of(const pg_window *w, int64_t output, int64_t tap) {
    int64_t place = output * w->stride + tap * w->dilation - w->low;
    if (place < 0) return -1;
    if (w->expansion != 1) {
        if (place % w->expansion != 0) return -1;
        place /= w->expansion;
    }
    return place < w->inputs ? place : -1;
}

PG_INLINE void pg_extend(pg_progress *p, int64_t number, int64_t place) {
    if (place < 0) return;
    if (p->count == 0) {
        p->first = number;
        p->at = place;
    } else if (p->count == 1) {
        p->step = number - p->first;
        p->move = place - p->at;
    }
    p->count++;
}

/* The taps of an output that read something. */
PG_INLINE pg_progress pg_taps_of(const pg_window *w, int64_t output) {
    pg_progress found = {0, 1, 0, 0, 0};
    for (int64_t tap = 0; tap < w->taps; tap++) pg_extend(&found, tap, pg_place_of(w, output, tap));
    return found;
}

/* The outputs for which a tap reads something. */
PG_INLINE pg_progress pg_outputs_of(const pg_window *w, int64_t tap) {
    pg_progress found = {0, 1, 0, 0, 0};
    for (int64_t output = 0; output < w->outputs; output++) pg_extend(&found, output, pg_place_of(w, output, tap));
    return found;
}

/* How far apart outputs are that have their taps in common. */
PG_INLINE int64_t pg_period(const pg_window *w) {
    int64_t a = w->stride, b = w->expansion;
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return w->expansion / a;
}

/* The sums of a block over three axes, and then channels: how many, and how far apart they and its rows lie. For
 * outputs these are sums over taps, for a filter's derivative over outputs, whose rows begin at `at` each. */
typedef struct pg_block {
    int64_t counts[3], x_step[3], y_step[3], channels, x_next, y_next, out_next, at[6];
} pg_block;

/* Rows R of W vectors V: of outputs, from x and the filter y; and added to a filter's derivative, from x and outputs.
 */
#define PG_DEFINE_BLOCK(name, T, V, R, W)                                                                   \
    PG_NOINLINE void pg_outputs_##name##_##R(const pg_block *b, const T *x, const T *y, T *out) {           \
        V sums[R][W];                                                                                       \
        for (int r = 0; r < R; r++)                                                                         \
            for (int o = 0; o < W; o++) sums[r][o] = (V){0};                                                \
        for (int64_t i = 0; i < b->counts[0]; i++)                                                          \
            for (int64_t j = 0; j < b->counts[1]; j++)                                                      \
                for (int64_t k = 0; k < b->counts[2]; k++) {                                                \
                    const T *px = x + i * b->x_step[0] + j * b->x_step[1] + k * b->x_step[2];               \
                    const T *py = y + i * b->y_step[0] + j * b->y_step[1] + k * b->y_step[2];               \
                    for (int64_t c = 0; c < b->channels; c++) {                                             \
                        const V *row = (const V *)(const void *)(py + c * b->y_next);                       \
                        for (int r = 0; r < R; r++)                                                         \
                            for (int o = 0; o < W; o++) sums[r][o] += px[r * b->x_next + c] * row[o];       \
                    }                                                                                       \
                }                                                                                           \
        for (int r = 0; r < R; r++) {                                                                       \
            V *row = (V *)(void *)(out + r * b->out_next);                                                  \
            for (int o = 0; o < W; o++) row[o] = sums[r][o];                                                \
        }                                                                                                   \
    }                                                                                                       \
    PG_NOINLINE void pg_weights_##name##_##R(const pg_block *b, const T *x, const T *y, T *out) {           \
        V sums[R][W];                                                                                       \
        for (int r = 0; r < R; r++) {                                                                       \
            const V *row = (const V *)(const void *)(out + r * b->out_next);                                \
            for (int o = 0; o < W; o++) sums[r][o] = row[o];                                                \
        }                                                                                                   \
        for (int64_t i = 0; i < b->counts[0]; i++)                                                          \
            for (int64_t j = 0; j < b->counts[1]; j++) {                                                    \
                const T *px = x + i * b->x_step[0] + j * b->x_step[1];                                      \
                const T *py = y + i * b->y_step[0] + j * b->y_step[1];                                      \
                for (int64_t k = 0; k < b->counts[2]; k++) {                                                \
                    const V *row = (const V *)(const void *)(py + k * b->y_step[2]);                        \
                    for (int r = 0; r < R; r++)                                                             \
                        for (int o = 0; o < W; o++) sums[r][o] += px[k * b->x_step[2] + b->at[r]] * row[o]; \
                }                                                                                           \
            }                                                                                               \
        for (int r = 0; r < R; r++) {                                                                       \
            V *row = (V *)(void *)(out + r * b->out_next);                                                  \
            for (int o = 0; o < W; o++) row[o] = sums[r][o];                                                \
        }                                                                                                   \
    }
#define PG_DEFINE_BLOCKS(S, T, R)                     \
    PG_DEFINE_BLOCK(S##_wide, T, pg_long_##S, R, 2)   \
    PG_DEFINE_BLOCK(S##_long, T, pg_long_##S, R, 1)   \
    PG_DEFINE_BLOCK(S##_short, T, pg_short_##S, R, 1) \
    PG_DEFINE_BLOCK(S##_single, T, T, R, 1)

/* R rows of n columns, so many at a time as there is a block for. */
#define PG_DEFINE_ROWS_OF(what, S, T, R)                                                                        \
    PG_NOINLINE void pg_##what##_rows_##S##_##R(const pg_block *b, int64_t n, const T *x, const T *y, T *out) { \
        const int64_t lanes = (int64_t)(sizeof(pg_long_##S) / sizeof(T));                                       \
        const int64_t few = (int64_t)(sizeof(pg_short_##S) / sizeof(T));                                        \
        int64_t o = 0;                                                                                          \
        for (; n - o >= 2 * lanes; o += 2 * lanes) pg_##what##_##S##_wide_##R(b, x, y + o, out + o);            \
        for (; n - o >= lanes; o += lanes) pg_##what##_##S##_long_##R(b, x, y + o, out + o);                    \
        for (; n - o >= few; o += few) pg_##what##_##S##_short_##R(b, x, y + o, out + o);                       \
        for (; o < n; o++) pg_##what##_##S##_single_##R(b, x, y + o, out + o);                                  \
    }
/* At most 6 rows: returns how many were made. */
#define PG_DEFINE_ROWS_UP_TO(what, S, T)                                                                    \
    PG_INLINE int pg_##what##_##S(const pg_block *b, int rows, int64_t n, const T *x, const T *y, T *out) { \
        switch (rows) {                                                                                     \
        case 1: pg_##what##_rows_##S##_1(b, n, x, y, out); return 1;                                        \
        case 2: pg_##what##_rows_##S##_2(b, n, x, y, out); return 2;                                        \
        case 3: pg_##what##_rows_##S##_3(b, n, x, y, out); return 3;                                        \
        case 4:                                                                                             \
        case 5: pg_##what##_rows_##S##_4(b, n, x, y, out); return 4;                                        \
        default: pg_##what##_rows_##S##_6(b, n, x, y, out); return 6;                                       \
        }                                                                                                   \
    }
#define PG_DEFINE_ROWS_OF_BOTH(S, T, R) \
    PG_DEFINE_BLOCKS(S, T, R)           \
    PG_DEFINE_ROWS_OF(outputs, S, T, R) \
    PG_DEFINE_ROWS_OF(weights, S, T, R)

/* Where each group has a single channel, and each of them a single output: one row of outputs, and of a filter's
 * derivative. */
#define PG_DEFINE_CHANNELS_APART(S, T)                                                                                \
    PG_NOINLINE void pg_outputs_apart_##S(const pg_block *b, int64_t n, const T *x, const T *y, T *out) {             \
        for (int64_t i = 0; i < b->counts[0]; i++)                                                                    \
            for (int64_t j = 0; j < b->counts[1]; j++)                                                                \
                for (int64_t k = 0; k < b->counts[2]; k++) {                                                          \
                    const T *px = x + i * b->x_step[0] + j * b->x_step[1] + k * b->x_step[2];                         \
                    const T *py = y + i * b->y_step[0] + j * b->y_step[1] + k * b->y_step[2];                         \
                    PG_IVDEP for (int64_t c = 0; c < n; c++) out[c] += px[c] * py[c];                                 \
                }                                                                                                     \
    }                                                                                                                 \
    PG_NOINLINE void pg_weights_apart_##S(const pg_block *b, const pg_progress *t, int64_t n, const T *x, const T *y, \
                                          T *out) {                                                                   \
        for (int64_t i = 0; i < b->counts[0]; i++)                                                                    \
            for (int64_t j = 0; j < b->counts[1]; j++)                                                                \
                for (int64_t k = 0; k < t->count; k++) {                                                              \
                    const T *px = x + i * b->x_step[0] + j * b->x_step[1] + (t->at + k * t->move) * b->channels;      \
                    const T *py = y + i * b->y_step[0] + j * b->y_step[1] + (t->first + k * t->step) * b->out_next;   \
                    PG_IVDEP for (int64_t c = 0; c < n; c++) out[c] += px[c] * py[c];                                 \
                }                                                                                                     \
    }

/* sizes: depth, height, width and channels of the input; those of the filter, channels of a group and of the result;
 * depth, height and width of the result; then for each axis its stride, dilation, padding before it, and expansion. */
#define PG_DEFINE_CONVOLVE(S, T)                                                                                  \
    PG_INLINE int pg_kernel_convolve_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {  \
        const int64_t c = sizes[3], in = sizes[7], all = sizes[8], *taps = sizes + 4, *outputs = sizes + 9;       \
        const int64_t groups = in > 0 ? c / in : 0, own = groups > 0 ? all / groups : 0;                          \
        const T *x = (const T *)args[0], *y = (const T *)args[1];                                                 \
        T *out = (T *)args[2];                                                                                    \
        (void)detail;                                                                                             \
        if (all == 0 || outputs[0] == 0 || outputs[1] == 0 || outputs[2] == 0) return 0;                          \
        memset(out, 0, (size_t)(outputs[0] * outputs[1] * outputs[2] * all) * sizeof *out);                       \
        pg_window w[3];                                                                                           \
        int possible = own > 0;                                                                                   \
        for (int a = 0; a < 3; a++) {                                                                             \
            possible &= sizes[a] > 0 && taps[a] > 0;                                                              \
            possible &= pg_make_window(&w[a], sizes[a], taps[a], outputs[a], sizes + 12 + a);                     \
        }                                                                                                         \
        if (!possible) return 0;                                                                                  \
        const int64_t x_of[3] = {sizes[1] * sizes[2] * c, sizes[2] * c, c};                                       \
        const int64_t y_of[3] = {taps[1] * taps[2] * in * all, taps[2] * in * all, in * all};                     \
        pg_progress *const found[3] = {(pg_progress *)work, (pg_progress *)work + outputs[0],                     \
                                       (pg_progress *)work + outputs[0] + outputs[1]};                            \
        for (int a = 0; a < 3; a++)                                                                               \
            for (int64_t o = 0; o < outputs[a]; o++) found[a][o] = pg_taps_of(&w[a], o);                          \
        const int64_t period = pg_period(&w[2]), shift = w[2].stride * period / w[2].expansion;                   \
        pg_block b = {.channels = in, .x_next = shift * c, .y_next = all, .out_next = period * all};              \
        for (int64_t line = 0; line < outputs[0] * outputs[1]; line++) {                                          \
            const pg_progress *own_taps[3] = {&found[0][line / outputs[1]], &found[1][line % outputs[1]], NULL};  \
            if (own_taps[0]->count == 0 || own_taps[1]->count == 0) continue;                                     \
            for (int64_t phase = 0; phase < period && phase < outputs[2]; phase++) {                              \
                for (int64_t o = phase; o < outputs[2];) {                                                        \
                    const pg_progress *t = own_taps[2] = &found[2][o];                                            \
                    if (t->count == 0) {                                                                          \
                        o += period;                                                                              \
                        continue;                                                                                 \
                    }                                                                                             \
                    int rows = 1;                                                                                 \
                    while (rows < 6 && o + rows * period < outputs[2]) {                                          \
                        const pg_progress *next = &found[2][o + rows * period];                                   \
                        if (next->first != t->first || next->count != t->count) break;                            \
                        rows++;                                                                                   \
                    }                                                                                             \
                    int64_t at = 0, first = 0;                                                                    \
                    for (int a = 0; a < 3; a++) {                                                                 \
                        b.counts[a] = own_taps[a]->count;                                                         \
                        b.x_step[a] = own_taps[a]->move * x_of[a];                                                \
                        b.y_step[a] = own_taps[a]->step * y_of[a];                                                \
                        at += own_taps[a]->at * x_of[a];                                                          \
                        first += own_taps[a]->first * y_of[a];                                                    \
                    }                                                                                             \
                    T *to = out + (line * outputs[2] + o) * all;                                                  \
                    if (in == 1 && own == 1) {                                                                    \
                        pg_outputs_apart_##S(&b, groups, x + at, y + first, to);                                  \
                        o += period;                                                                              \
                        continue;                                                                                 \
                    }                                                                                             \
                    int made = 0;                                                                                 \
                    for (int64_t g = 0; g < groups; g++)                                                          \
                        made = pg_outputs_##S(&b, rows, own, x + at + g * in, y + first + g * own, to + g * own); \
                    o += made * period;                                                                           \
                }                                                                                                 \
            }                                                                                                     \
        }                                                                                                         \
        return 0;                                                                                                 \
    }

/* Adds to rows of a filter's derivative, which are channels of its taps along the last axis, from `first` on, what
 * `count` outputs from `from` on give: they reach all of these taps. */
#define PG_DEFINE_WEIGHTS_SPAN(S, T)                                                                                 \
    PG_INLINE void pg_weights_span_##S(pg_block *b, int rows, int64_t first, int64_t in, int64_t groups,             \
                                       const pg_progress *taps, int64_t from, int64_t count, const T *x, const T *y, \
                                       int64_t own, T *out) {                                                        \
        const int64_t all = b->out_next;                                                                             \
        if (count <= 0) return;                                                                                      \
        for (int r = 0; r < rows; r++) {                                                                             \
            const pg_progress *t = &taps[(first + r) / in];                                                          \
            b->at[r] = (t->at + (from - t->first) / t->step * t->move) * b->channels + (first + r) % in;             \
        }                                                                                                            \
        b->counts[2] = count;                                                                                        \
        b->x_step[2] = taps[first / in].move * b->channels;                                                          \
        b->y_step[2] = taps[first / in].step * all;                                                                  \
        for (int64_t g = 0; g < groups; g++)                                                                         \
            (void)pg_weights_##S(b, rows, own, x + g * in, y + from * all + g * own, out + first * all + g * own);   \
    }

/* sizes: how many there are; depth, height, width and channels of the inputs; of the outputs; of the filter and the
 * channels of a group; then for each axis its stride, dilation, padding before it, and expansion. */
#define PG_DEFINE_CONVOLVE_FILTER(S, T)                                                                               \
    PG_INLINE int pg_kernel_convolve_filter_##S(const int64_t *sizes, void *const *args, void *work,                  \
                                                int64_t *detail) {                                                    \
        const int64_t n = sizes[0], c = sizes[4], all = sizes[8], in = sizes[12];                                     \
        const int64_t *inputs = sizes + 1, *outputs = sizes + 5, *taps = sizes + 9;                                   \
        const int64_t groups = in > 0 ? c / in : 0, own = groups > 0 ? all / groups : 0;                              \
        const T *x = (const T *)args[0], *y = (const T *)args[1];                                                     \
        T *out = (T *)args[2];                                                                                        \
        (void)detail;                                                                                                 \
        if (all == 0 || in == 0 || taps[0] == 0 || taps[1] == 0 || taps[2] == 0) return 0;                            \
        memset(out, 0, (size_t)(taps[0] * taps[1] * taps[2] * in * all) * sizeof *out);                               \
        pg_window w[3];                                                                                               \
        int possible = own > 0;                                                                                       \
        for (int a = 0; a < 3; a++) {                                                                                 \
            possible &= inputs[a] > 0 && outputs[a] > 0;                                                              \
            possible &= pg_make_window(&w[a], inputs[a], taps[a], outputs[a], sizes + 13 + a);                        \
        }                                                                                                             \
        if (!possible) return 0;                                                                                      \
        pg_progress *const planes = (pg_progress *)work, *const lines = planes + taps[0], *const t = lines + taps[1]; \
        for (int64_t k = 0; k < taps[0]; k++) planes[k] = pg_outputs_of(&w[0], k);                                    \
        for (int64_t k = 0; k < taps[1]; k++) lines[k] = pg_outputs_of(&w[1], k);                                     \
        for (int64_t k = 0; k < taps[2]; k++) t[k] = pg_outputs_of(&w[2], k);                                         \
        const int64_t x_line = inputs[2] * c, y_line = outputs[2] * all, rows_of_line = taps[2] * in;                 \
        pg_block b = {.channels = c, .out_next = all};                                                                \
        for (int64_t at = 0; at < n * taps[0] * taps[1]; at++) {                                                      \
            const int64_t image = at / (taps[0] * taps[1]), pair = at % (taps[0] * taps[1]);                          \
            const pg_progress *p = &planes[pair / taps[1]], *q = &lines[pair % taps[1]];                              \
            if (p->count == 0 || q->count == 0) continue;                                                             \
            b.counts[0] = p->count;                                                                                   \
            b.counts[1] = q->count;                                                                                   \
            b.x_step[0] = p->move * inputs[1] * x_line;                                                               \
            b.x_step[1] = q->move * x_line;                                                                           \
            b.y_step[0] = p->step * outputs[1] * y_line;                                                              \
            b.y_step[1] = q->step * y_line;                                                                           \
            const T *px = x + ((image * inputs[0] + p->at) * inputs[1] + q->at) * x_line;                             \
            const T *py = y + ((image * outputs[0] + p->first) * outputs[1] + q->first) * y_line;                     \
            T *to = out + pair * rows_of_line * all;                                                                  \
            if (in == 1 && own == 1) {                                                                                \
                for (int64_t k = 0; k < taps[2]; k++) pg_weights_apart_##S(&b, &t[k], groups, px, py, to + k * all);  \
                continue;                                                                                             \
            }                                                                                                         \
            for (int64_t row = 0; row < rows_of_line;) {                                                              \
                int64_t rows = rows_of_line - row < 6 ? rows_of_line - row : 6;                                       \
                if (w[2].expansion != 1 && rows > in - row % in) rows = in - row % in;                                \
                if (rows == 5) rows = 4;                                                                              \
                const int64_t first = row / in, last = (row + rows - 1) / in;                                         \
                int64_t from = t[first].first, count = t[first].count;                                                \
                for (int64_t k = first + 1; k <= last && count > 0; k++) { /* outputs next to each other */           \
                    const int64_t end = from + count, other = t[k].first + t[k].count;                                \
                    if (t[k].first > from) from = t[k].first;                                                         \
                    count = t[k].count == 0 ? 0 : (end < other ? end : other) - from;                                 \
                }                                                                                                     \
                if (count < 0) count = 0;                                                                             \
                pg_weights_span_##S(&b, (int)rows, row, in, groups, t, from, count, px, py, own, to);                 \
                for (int64_t r = row; r < row + rows && first != last; r++) {                                         \
                    const pg_progress *k = &t[r / in];                                                                \
                    const int64_t end = k->first + k->count, before = count > 0 ? from : end;                         \
                    const int64_t after = count > 0 ? from + count : end;                                             \
                    pg_weights_span_##S(&b, 1, r, in, groups, t, k->first, before - k->first, px, py, own, to);       \
                    pg_weights_span_##S(&b, 1, r, in, groups, t, after, end - after, px, py, own, to);                \
                }                                                                                                     \
                row += rows;                                                                                          \
            }                                                                                                         \
        }                                                                                                             \
        return 0;                                                                                                     \
    }

#define PG_DEFINE_CONVOLUTIONS(S, T)    \
    PG_DEFINE_ROWS_OF_BOTH(S, T, 1)     \
    PG_DEFINE_ROWS_OF_BOTH(S, T, 2)     \
    PG_DEFINE_ROWS_OF_BOTH(S, T, 3)     \
    PG_DEFINE_ROWS_OF_BOTH(S, T, 4)     \
    PG_DEFINE_ROWS_OF_BOTH(S, T, 6)     \
    PG_DEFINE_ROWS_UP_TO(outputs, S, T) \
    PG_DEFINE_ROWS_UP_TO(weights, S, T) \
    PG_DEFINE_CHANNELS_APART(S, T)      \
    PG_DEFINE_CONVOLVE(S, T)            \
    PG_DEFINE_WEIGHTS_SPAN(S, T)        \
    PG_DEFINE_CONVOLVE_FILTER(S, T)
PG_DEFINE_CONVOLUTIONS(f64, double)
PG_DEFINE_CONVOLUTIONS(f32, float)
PG_DEFINE_CONVOLUTIONS(i64, uint64_t)
PG_DEFINE_CONVOLUTIONS(i32, uint32_t)

#endif
