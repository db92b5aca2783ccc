/* Kernels of random order. */
#ifndef PG_CALLS_RANDOM_H
#define PG_CALLS_RANDOM_H

#include "pg_math_draws.h"

#include <stdint.h>

/* sizes: n. The numbers below n in an order that the bits choose, by Fisher and Yates: number i changes places with one
 * of those up to i. */
PG_INLINE int pg_kernel_random_order(const int64_t *sizes, void *const *args, void *work, int64_t *detail) {
    const int64_t n = sizes[0];
    const int64_t *bits = (const int64_t *)args[0];
    int64_t *out = (int64_t *)args[1];
    (void)work;
    (void)detail;
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = pg_multiply_high_i64(bits[i], i + 1);
        if (j < i) out[i] = out[j];
        out[j] = i;
    }
    return 0;
}

#endif
