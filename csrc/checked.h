/* Checked int64 arithmetic for the loader: each returns nonzero when the result does not fit. */
#ifndef PG_CHECKED_H
#define PG_CHECKED_H

#include <stdint.h>

#if (defined(__GNUC__) || defined(__clang__)) && !defined(PG_PLAIN_C)
#define PG_ADD_OVERFLOW(a, b, result) __builtin_add_overflow((a), (b), (result))
#define PG_MUL_OVERFLOW(a, b, result) __builtin_mul_overflow((a), (b), (result))
#else
static inline int pg_add_overflow(int64_t a, int64_t b, int64_t *result) {
    if ((b > 0 && a > INT64_MAX - b) || (b < 0 && a < INT64_MIN - b)) return 1;
    *result = a + b;
    return 0;
}

static inline int pg_mul_overflow(int64_t a, int64_t b, int64_t *result) {
    if (a == 0 || b == 0) {
        *result = 0;
        return 0;
    }
    if ((a == -1 && b == INT64_MIN) || (b == -1 && a == INT64_MIN)) return 1;
    if (a != -1 && b != -1) {
        const int64_t limit = (a > 0) == (b > 0) ? INT64_MAX : INT64_MIN;
        if (a > 0 ? (b > 0 ? a > limit / b : b < limit / a) : (b > 0 ? a < limit / b : a < limit / b)) return 1;
    }
    *result = a * b;
    return 0;
}
#define PG_ADD_OVERFLOW(a, b, result) pg_add_overflow((a), (b), (result))
#define PG_MUL_OVERFLOW(a, b, result) pg_mul_overflow((a), (b), (result))
#endif

/* The product of non-negative factors; nonzero when it does not fit. */
static inline int pg_product(int n, const int64_t *factors, int64_t *result) {
    int64_t product = 1;
    int overflow = 0, zero = 0;
    for (int i = 0; i < n; i++) {
        zero |= factors[i] == 0;
        overflow |= PG_MUL_OVERFLOW(product, factors[i], &product);
        if (overflow) product = 1;
    }
    *result = zero ? 0 : product;
    return zero ? 0 : overflow;
}

#endif
