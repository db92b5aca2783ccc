/* Kernels that read or write at integer indices: negative ones count from the end, one out of range ends the call. */
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

/* sizes: n, then the length of the axis. out[j] = index[j], which is not negative. */
PG_INLINE int pg_kernel_strict_index(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {
    const int64_t n = sizes[0], length = sizes[1];
    const int64_t *index = (const int64_t *)args[0];
    int64_t *out = (int64_t *)args[1];
    (void)work;
    for (int64_t j = 0; j < n; j++) {
        if (index[j] < 0 || index[j] >= length) return pg_outside(index[j], length, detail);
        out[j] = index[j];
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

/* sizes: as of take. out[o, index[j], :] = or += v[o, j, :], one after another: an index may stand there twice. */
#define PG_DEFINE_SCATTER(NAME, T, VALUE)                                                                  \
    PG_INLINE int pg_kernel_##NAME(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t length = sizes[1], inner = sizes[2], n = sizes[3];                                   \
        const int64_t outer = n == 0 ? 0 : inner == 0 && sizes[0] > 1 ? 1 : sizes[0];                      \
        const int64_t *restrict index = (const int64_t *)args[0];                                          \
        const T *restrict v = (const T *)args[1];                                                          \
        T *restrict out = (T *)args[2];                                                                    \
        (void)work;                                                                                        \
        for (int64_t o = 0; o < outer; o++, out += length * inner) {                                       \
            for (int64_t j = 0; j < n; j++, v += inner) {                                                  \
                const int64_t i = index[j] < 0 ? index[j] + length : index[j];                             \
                if (i < 0 || i >= length) return pg_outside(index[j], length, detail);                     \
                T *restrict row = out + i * inner;                                                         \
                int64_t k = 0;                                                                             \
                if (inner == 1)                                                                            \
                    row[k] = VALUE;                                                                        \
                else                                                                                       \
                    for (; k < inner; k++) row[k] = VALUE;                                                 \
            }                                                                                              \
        }                                                                                                  \
        return 0;                                                                                          \
    }
PG_DEFINE_SCATTER(scatter_set_f64, double, v[k])
PG_DEFINE_SCATTER(scatter_set_f32, float, v[k])
PG_DEFINE_SCATTER(scatter_set_i64, int64_t, v[k])
PG_DEFINE_SCATTER(scatter_set_i32, int32_t, v[k])
PG_DEFINE_SCATTER(scatter_set_b, uint8_t, v[k])
PG_DEFINE_SCATTER(scatter_add_f64, double, row[k] + v[k])
PG_DEFINE_SCATTER(scatter_add_f32, float, row[k] + v[k])
PG_DEFINE_SCATTER(scatter_add_i64, int64_t, (int64_t)((uint64_t)row[k] + (uint64_t)v[k]))
PG_DEFINE_SCATTER(scatter_add_i32, int32_t, (int32_t)((uint32_t)row[k] + (uint32_t)v[k]))

#endif
