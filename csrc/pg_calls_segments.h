/* Kernels that combine rows of a matrix by the number of the segment that each belongs to; others take no part. */
#ifndef PG_CALLS_SEGMENTS_H
#define PG_CALLS_SEGMENTS_H

#include "pg_int.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* sizes: n, inner, segments. out[s] = of all x[k] with segment[k] = s, in order, beginning with `empty`. */
#define PG_DEFINE_SEGMENTS(name, S, T, of, empty)                                                                \
    PG_INLINE int pg_kernel_##name##_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0], inner = sizes[1], segments = sizes[2];                                       \
        const T *x = (const T *)args[0];                                                                         \
        const int64_t *segment = (const int64_t *)args[1];                                                       \
        T *out = (T *)args[2];                                                                                   \
        (void)work, (void)detail;                                                                                \
        for (int64_t j = 0; j < segments * inner; j++) out[j] = (empty);                                         \
        for (int64_t k = 0; k < n; k++) {                                                                        \
            if (segment[k] < 0 || segment[k] >= segments) continue;                                              \
            T *sum = out + segment[k] * inner;                                                                   \
            for (int64_t j = 0; j < inner; j++) sum[j] = of(sum[j], x[k * inner + j]);                           \
        }                                                                                                        \
        return 0;                                                                                                \
    }
#define PG_SEGMENT_PLUS(a, b)    ((a) + (b))
#define PG_SEGMENT_TIMES(a, b)   ((a) * (b))
#define PG_SEGMENT_LARGER(a, b)  ((a) > (b) ? (a) : (b))
#define PG_SEGMENT_SMALLER(a, b) ((a) < (b) ? (a) : (b))
PG_DEFINE_SEGMENTS(segment_sum, f64, double, PG_SEGMENT_PLUS, 0)
PG_DEFINE_SEGMENTS(segment_sum, f32, float, PG_SEGMENT_PLUS, 0)
PG_DEFINE_SEGMENTS(segment_sum, i64, int64_t, pg_add_i64, 0)
PG_DEFINE_SEGMENTS(segment_sum, i32, int32_t, pg_add_i32, 0)
PG_DEFINE_SEGMENTS(segment_prod, f64, double, PG_SEGMENT_TIMES, 1)
PG_DEFINE_SEGMENTS(segment_prod, f32, float, PG_SEGMENT_TIMES, 1)
PG_DEFINE_SEGMENTS(segment_prod, i64, int64_t, pg_multiply_i64, 1)
PG_DEFINE_SEGMENTS(segment_prod, i32, int32_t, pg_multiply_i32, 1)
PG_DEFINE_SEGMENTS(segment_max, f64, double, pg_maximum_f64, -INFINITY)
PG_DEFINE_SEGMENTS(segment_max, f32, float, pg_maximum_f32, -INFINITY)
PG_DEFINE_SEGMENTS(segment_max, i64, int64_t, PG_SEGMENT_LARGER, INT64_MIN)
PG_DEFINE_SEGMENTS(segment_max, i32, int32_t, PG_SEGMENT_LARGER, INT32_MIN)
PG_DEFINE_SEGMENTS(segment_max, b, uint8_t, PG_SEGMENT_LARGER, 0)
PG_DEFINE_SEGMENTS(segment_min, f64, double, pg_minimum_f64, INFINITY)
PG_DEFINE_SEGMENTS(segment_min, f32, float, pg_minimum_f32, INFINITY)
PG_DEFINE_SEGMENTS(segment_min, i64, int64_t, PG_SEGMENT_SMALLER, INT64_MAX)
PG_DEFINE_SEGMENTS(segment_min, i32, int32_t, PG_SEGMENT_SMALLER, INT32_MAX)
PG_DEFINE_SEGMENTS(segment_min, b, uint8_t, PG_SEGMENT_SMALLER, 1)

/* sizes: segments, inner, n. out[k] = x[segment[k]], or 0 where there is no such segment. */
#define PG_DEFINE_SEGMENT_TAKE(S, T)                                                                                 \
    PG_INLINE int pg_kernel_segment_take_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t segments = sizes[0], inner = sizes[1], n = sizes[2];                                           \
        const T *x = (const T *)args[0];                                                                             \
        const int64_t *segment = (const int64_t *)args[1];                                                           \
        T *out = (T *)args[2];                                                                                       \
        (void)work, (void)detail;                                                                                    \
        for (int64_t k = 0; k < n; k++) {                                                                            \
            const int has = segment[k] >= 0 && segment[k] < segments;                                                \
            for (int64_t j = 0; j < inner; j++) out[k * inner + j] = has ? x[segment[k] * inner + j] : 0;            \
        }                                                                                                            \
        return 0;                                                                                                    \
    }
PG_DEFINE_SEGMENT_TAKE(f64, double)
PG_DEFINE_SEGMENT_TAKE(f32, float)
PG_DEFINE_SEGMENT_TAKE(i64, int64_t)
PG_DEFINE_SEGMENT_TAKE(i32, int32_t)
PG_DEFINE_SEGMENT_TAKE(b, uint8_t)

#endif
