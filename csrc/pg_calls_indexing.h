/* Kernels that read at integer indices; negative ones count from the end, and one out of range ends the call. */
#ifndef PG_CALLS_INDEXING_H
#define PG_CALLS_INDEXING_H

#include "pg_compiler.h"

#include <stdint.h>
#include <string.h>

/* The index and the length of its axis are what an error says. */
PG_INLINE int pg_outside(int64_t index, int64_t length, int64_t *detail) {
    detail[0] = index;
    detail[1] = length;
    return 1;
}

/* sizes: n, then the length of the axis. out[j] = index[j]. */
PG_INLINE int pg_kernel_wrap_index(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {
    const int64_t n = sizes[0], length = sizes[1];
    const int64_t *index = (const int64_t *)args[0];
    int64_t *out = (int64_t *)args[1];
    (void)work;
    for (int64_t j = 0; j < n; j++) {
        const int64_t i = index[j] < 0 ? index[j] + length : index[j];
        if (i < 0 || i >= length) return pg_outside(index[j], length, detail);
        out[j] = i;
    }
    return 0;
}

/* sizes: outer, length of the axis, inner, n. out[o, j, :] = x[o, index[j], :]. Rows of no elements, of which there may
 * be any number, are not gone through: their indices are looked at once. */
#define PG_DEFINE_TAKE(S, T)                                                                                 \
    PG_INLINE int pg_kernel_take_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t length = sizes[1], inner = sizes[2], n = sizes[3];                                     \
        const int64_t outer = n == 0 ? 0 : inner == 0 && sizes[0] > 1 ? 1 : sizes[0];                        \
        const T *x = (const T *)args[0];                                                                     \
        const int64_t *index = (const int64_t *)args[1];                                                     \
        T *out = (T *)args[2];                                                                               \
        (void)work;                                                                                          \
        for (int64_t o = 0; o < outer; o++, x += length * inner, out += n * inner) {                         \
            for (int64_t j = 0; j < n; j++) {                                                                \
                const int64_t i = index[j] < 0 ? index[j] + length : index[j];                               \
                if (i < 0 || i >= length) return pg_outside(index[j], length, detail);                       \
                if (inner == 1)                                                                              \
                    out[j] = x[i];                                                                           \
                else if (inner > 1)                                                                          \
                    memcpy(out + j * inner, x + i * inner, (size_t)inner * sizeof *out);                     \
            }                                                                                                \
        }                                                                                                    \
        return 0;                                                                                            \
    }
PG_DEFINE_TAKE(f64, double)
PG_DEFINE_TAKE(f32, float)
PG_DEFINE_TAKE(i64, int64_t)
PG_DEFINE_TAKE(i32, int32_t)
PG_DEFINE_TAKE(b, uint8_t)

#endif
