/* Reductions by a combining function `of`, for the kernels and for emitted C: the order in which elements combine, and
 * the type A in which elements of type T do so, are part of what a Program means. */
#ifndef PG_REDUCE_H
#define PG_REDUCE_H

#include "pg_compiler.h"

#include <stdint.h>

/* d[r] = fold of x[r][0..n), n > 0, as type R. Fewer than 16 elements fold from left to right; more run in 16 lanes
 * that fold in halves, so that the result is one and the same at every vector width. */
#define PG_DEFINE_ROWS(T, A, R, of, name)                                                \
    PG_INLINE void name(intptr_t rows, intptr_t n, R *d, const T *x) {                   \
        for (intptr_t r = 0; r < rows; r++, x += n) {                                    \
            if (n < 16) {                                                                \
                A value = x[0];                                                          \
                for (intptr_t i = 1; i < n; i++) value = of(value, x[i]);                \
                d[r] = (R)value;                                                         \
                continue;                                                                \
            }                                                                            \
            A lanes[16];                                                                 \
            for (int j = 0; j < 16; j++) lanes[j] = x[j];                                \
            intptr_t i = 16;                                                             \
            for (; i + 16 <= n; i += 16) {                                               \
                for (int j = 0; j < 16; j++) lanes[j] = of(lanes[j], x[i + j]);          \
            }                                                                            \
            for (int j = 0; i + j < n; j++) lanes[j] = of(lanes[j], x[i + j]);           \
            for (int half = 8; half > 0; half /= 2) {                                    \
                for (int j = 0; j < half; j++) lanes[j] = of(lanes[j], lanes[j + half]); \
            }                                                                            \
            d[r] = (R)lanes[0];                                                          \
        }                                                                                \
    }

/* The same by `quick` for rows of nothing but elements that are `ok`, for which it gives the same bits as `rows_of`,
 * and by that for others. M is an unsigned integer as wide as T. */
#define PG_DEFINE_GUARDED_ROWS(T, M, R, ok, quick, rows_of, name)                       \
    PG_INLINE void name(intptr_t rows, intptr_t n, R *d, const T *x) {                  \
        for (intptr_t r = 0; r < rows; r++, x += n) {                                   \
            M bad[16] = {0};                                                            \
            intptr_t i = 0;                                                             \
            for (; i + 16 <= n; i += 16) {                                              \
                for (int j = 0; j < 16; j++) bad[j] |= ok(x[i + j]) ? (M)0 : (M) ~(M)0; \
            }                                                                           \
            for (int j = 0; i + j < n; j++) bad[j] |= ok(x[i + j]) ? (M)0 : (M) ~(M)0;  \
            for (int j = 1; j < 16; j++) bad[0] |= bad[j];                              \
            if (n >= 16 && bad[0] == 0)                                                 \
                quick(1, n, d + r, x);                                                  \
            else                                                                        \
                rows_of(1, n, d + r, x);                                                \
        }                                                                               \
    }

/* d[j] = fold of d[j], x[0..rows)[j]. */
#define PG_DEFINE_ACCUMULATE(T, A, of, name)                           \
    PG_INLINE void name(intptr_t rows, intptr_t n, A *d, const T *x) { \
        for (intptr_t r = 0; r < rows; r++, x += n) {                  \
            PG_IVDEP                                                   \
            for (intptr_t j = 0; j < n; j++) d[j] = of(d[j], x[j]);    \
        }                                                              \
    }

/* out[j] = fold of the partial results of `chunks` chunks, pairwise: neighbours, then neighbours two apart, and so on.
 * Each partial result has 8 bytes an element. */
#define PG_DEFINE_COMBINE(T, A, of, name)                                  \
    PG_INLINE void name(intptr_t chunks, intptr_t n, T *out, A *partial) { \
        const intptr_t each = n * (intptr_t)(8 / sizeof(A));               \
        for (intptr_t apart = 1; apart < chunks; apart *= 2) {             \
            for (intptr_t c = 0; c + apart < chunks; c += 2 * apart) {     \
                A *d = partial + c * each;                                 \
                const A *x = d + apart * each;                             \
                PG_IVDEP                                                   \
                for (intptr_t j = 0; j < n; j++) d[j] = of(d[j], x[j]);    \
            }                                                              \
        }                                                                  \
        for (intptr_t j = 0; j < n; j++) out[j] = (T)partial[j];           \
    }

#endif
