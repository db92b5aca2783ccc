/* Kernels that combine all elements up to each, along the first of two axes. */
#ifndef PG_CALLS_CUMULATIVE_H
#define PG_CALLS_CUMULATIVE_H

#include "pg_int.h"
#include "pg_math_arith.h"

#include <stdint.h>
#include <string.h>

/* sizes: n, inner, then whether it goes from the last element to the first. out[k] = of(out[k - 1], x[k]), in order. */
#define PG_DEFINE_CUMULATIVE(name, S, T, of)                                                                     \
    PG_INLINE int pg_kernel_##name##_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0], inner = sizes[1], step = sizes[2] ? -inner : inner;                          \
        const T *x = (const T *)args[0];                                                                         \
        T *out = (T *)args[1];                                                                                   \
        (void)work, (void)detail;                                                                                \
        if (n == 0 || inner == 0) return 0;                                                                      \
        int64_t at = sizes[2] ? (n - 1) * inner : 0;                                                             \
        memcpy(out + at, x + at, (size_t)inner * sizeof *out);                                                   \
        if (inner == 1) {                                                                                        \
            T before = x[at];                                                                                    \
            for (int64_t k = 1; k < n; k++) {                                                                    \
                at += step;                                                                                      \
                out[at] = before = of(before, x[at]);                                                            \
            }                                                                                                    \
            return 0;                                                                                            \
        }                                                                                                        \
        for (int64_t k = 1; k < n; k++) {                                                                        \
            const T *before = out + at;                                                                          \
            at += step;                                                                                          \
            PG_IVDEP                                                                                             \
            for (int64_t j = 0; j < inner; j++) out[at + j] = of(before[j], x[at + j]);                          \
        }                                                                                                        \
        return 0;                                                                                                \
    }
#define PG_PLUS(a, b)    ((a) + (b))
#define PG_TIMES(a, b)   ((a) * (b))
#define PG_LARGER(a, b)  ((a) > (b) ? (a) : (b))
#define PG_SMALLER(a, b) ((a) < (b) ? (a) : (b))
PG_DEFINE_CUMULATIVE(cumsum, f64, double, PG_PLUS)
PG_DEFINE_CUMULATIVE(cumsum, f32, float, PG_PLUS)
PG_DEFINE_CUMULATIVE(cumsum, i64, int64_t, pg_add_i64)
PG_DEFINE_CUMULATIVE(cumsum, i32, int32_t, pg_add_i32)
PG_DEFINE_CUMULATIVE(cumprod, f64, double, PG_TIMES)
PG_DEFINE_CUMULATIVE(cumprod, f32, float, PG_TIMES)
PG_DEFINE_CUMULATIVE(cumprod, i64, int64_t, pg_multiply_i64)
PG_DEFINE_CUMULATIVE(cumprod, i32, int32_t, pg_multiply_i32)
PG_DEFINE_CUMULATIVE(cummax, f64, double, pg_maximum_f64)
PG_DEFINE_CUMULATIVE(cummax, f32, float, pg_maximum_f32)
PG_DEFINE_CUMULATIVE(cummax, i64, int64_t, PG_LARGER)
PG_DEFINE_CUMULATIVE(cummax, i32, int32_t, PG_LARGER)
PG_DEFINE_CUMULATIVE(cummax, b, uint8_t, PG_LARGER)
PG_DEFINE_CUMULATIVE(cummin, f64, double, pg_minimum_f64)
PG_DEFINE_CUMULATIVE(cummin, f32, float, pg_minimum_f32)
PG_DEFINE_CUMULATIVE(cummin, i64, int64_t, PG_SMALLER)
PG_DEFINE_CUMULATIVE(cummin, i32, int32_t, PG_SMALLER)
PG_DEFINE_CUMULATIVE(cummin, b, uint8_t, PG_SMALLER)

/* sizes: n, inner, then whether it goes from the last element to the first. out[k] = a[k] out[k - 1] + b[k], in order;
 * out[-1] is 0, whatever a[0] is. */
#define PG_DEFINE_RECURRENCE(S, T)                                                                     \
    PG_INLINE int pg_kernel_linear_recurrence_##S(const int64_t *sizes, void *const *args, void *work, \
                                                  int64_t *detail) {                                   \
        const int64_t n = sizes[0], inner = sizes[1], step = sizes[2] ? -inner : inner;                \
        const T *a = (const T *)args[0], *b = (const T *)args[1];                                      \
        T *out = (T *)args[2];                                                                         \
        (void)work, (void)detail;                                                                      \
        if (n == 0 || inner == 0) return 0;                                                            \
        int64_t at = sizes[2] ? (n - 1) * inner : 0;                                                   \
        memcpy(out + at, b + at, (size_t)inner * sizeof *out);                                         \
        if (inner == 1) {                                                                              \
            T before = b[at];                                                                          \
            for (int64_t k = 1; k < n; k++) {                                                          \
                at += step;                                                                            \
                out[at] = before = a[at] * before + b[at];                                             \
            }                                                                                          \
            return 0;                                                                                  \
        }                                                                                              \
        for (int64_t k = 1; k < n; k++) {                                                              \
            const T *before = out + at;                                                                \
            at += step;                                                                                \
            PG_IVDEP                                                                                   \
            for (int64_t j = 0; j < inner; j++) out[at + j] = a[at + j] * before[j] + b[at + j];       \
        }                                                                                              \
        return 0;                                                                                      \
    }
PG_DEFINE_RECURRENCE(f64, double)
PG_DEFINE_RECURRENCE(f32, float)

#endif
