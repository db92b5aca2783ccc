/* Kernels of a few applications at once, an element of each beside those of the others, where matrices are small.
 *
 * sizes: as the kernel of that name has them. args: those of the first application, then those of the next, …. Returns
 * 0, or 1 and nothing is written where they are to be done one by one: of these sizes that is faster, or one of them
 * fails. The bits are those of the kernel. */
#ifndef PG_LANES_H
#define PG_LANES_H

#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <stdint.h>

enum { PG_TOGETHER = 8 };

/* The factors of the packed lower triangles, as pg_cholesky has it. */
#define PG_DEFINE_LANES_CHOLESKY(S, T)                                                                  \
    PG_INLINE int pg_lanes_cholesky_##S(const int64_t *sizes, void *const *args) {                      \
        T w[136 * PG_TOGETHER], inverse[16 * PG_TOGETHER];                                              \
        const int64_t n = sizes[0];                                                                     \
        if (n < 5 || n > 16) return 1;                                                                  \
        for (int lane = 0; lane < PG_TOGETHER; lane++) {                                                \
            const T *a = (const T *)args[2 * lane];                                                     \
            T *to = w + lane;                                                                           \
            for (int64_t i = 0; i < n; i++)                                                             \
                for (int64_t j = 0; j <= i; j++, to += PG_TOGETHER) *to = a[i * n + j];                 \
        }                                                                                               \
        T *own = w;                                                                                     \
        for (int64_t i = 0; i < n; own += ++i * PG_TOGETHER) {                                          \
            const T *row = w;                                                                           \
            T sum[PG_TOGETHER];                                                                         \
            for (int64_t j = 0; j <= i; row += ++j * PG_TOGETHER) {                                     \
                for (int lane = 0; lane < PG_TOGETHER; lane++) sum[lane] = own[j * PG_TOGETHER + lane]; \
                for (int64_t k = 0; k < j; k++)                                                         \
                    for (int lane = 0; lane < PG_TOGETHER; lane++)                                      \
                        sum[lane] -= own[k * PG_TOGETHER + lane] * row[k * PG_TOGETHER + lane];         \
                if (j < i)                                                                              \
                    for (int lane = 0; lane < PG_TOGETHER; lane++)                                      \
                        own[j * PG_TOGETHER + lane] = sum[lane] * inverse[j * PG_TOGETHER + lane];      \
            }                                                                                           \
            int bad = 0;                                                                                \
            for (int lane = 0; lane < PG_TOGETHER; lane++) bad |= sum[lane] <= 0;                       \
            if (bad) return 1;                                                                          \
            for (int lane = 0; lane < PG_TOGETHER; lane++) {                                            \
                own[i * PG_TOGETHER + lane] = pg_sqrt_##S(sum[lane]);                                   \
                inverse[i * PG_TOGETHER + lane] = 1 / own[i * PG_TOGETHER + lane];                      \
            }                                                                                           \
        }                                                                                               \
        for (int lane = 0; lane < PG_TOGETHER; lane++) {                                                \
            T *l = (T *)args[2 * lane + 1];                                                             \
            const T *from = w + lane;                                                                   \
            for (int64_t i = 0; i < n; i++) {                                                           \
                for (int64_t j = 0; j <= i; j++, from += PG_TOGETHER) l[i * n + j] = *from;             \
                for (int64_t j = i + 1; j < n; j++) l[i * n + j] = 0;                                   \
            }                                                                                           \
        }                                                                                               \
        return 0;                                                                                       \
    }
PG_DEFINE_LANES_CHOLESKY(f64, double)
PG_DEFINE_LANES_CHOLESKY(f32, float)

#endif
