/* The kernel of integer powers, by repeated squaring with wrap-around; a negative exponent ends the call. */
#ifndef PG_CALLS_POWERS_H
#define PG_CALLS_POWERS_H

#include "pg_compiler.h"

#include <stdint.h>

/* sizes: n. out[j] = x[j]^y[j]. The exponent is what an error says. */
#define PG_DEFINE_INTEGER_POWER(S, T, U)                                                                              \
    PG_INLINE int pg_kernel_integer_power_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const T *x = (const T *)args[0], *y = (const T *)args[1];                                                     \
        T *out = (T *)args[2];                                                                                        \
        (void)work;                                                                                                   \
        for (int64_t j = 0; j < sizes[0]; j++) {                                                                      \
            U base = (U)x[j], result = 1U;                                                                            \
            if (y[j] < 0) {                                                                                           \
                detail[0] = y[j];                                                                                     \
                return 1;                                                                                             \
            }                                                                                                         \
            for (U rest = (U)y[j]; rest != 0U; rest >>= 1) {                                                          \
                if ((rest & 1U) != 0U) result *= base;                                                                \
                base *= base;                                                                                         \
            }                                                                                                         \
            out[j] = (T)result;                                                                                       \
        }                                                                                                             \
        return 0;                                                                                                     \
    }
PG_DEFINE_INTEGER_POWER(i64, int64_t, uint64_t)
PG_DEFINE_INTEGER_POWER(i32, int32_t, uint32_t)

#endif
