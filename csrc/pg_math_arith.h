/* Rounding, extrema, division with NumPy's sign rules, and integer arithmetic without undefined behaviour. */
#ifndef PG_MATH_ARITH_H
#define PG_MATH_ARITH_H

#include "pg_math_base.h"

/* [v] */
PG_INLINE double pg_abs_f64(double x) { return fabs(x); }
PG_INLINE float pg_abs_f32(float x) { return fabsf(x); }
PG_INLINE double pg_sqrt_f64(double x) { return sqrt(x); }
PG_INLINE float pg_sqrt_f32(float x) { return sqrtf(x); }

/* [v] Half to even, keeping the sign of zero. Without a rounding instruction, adding and taking away 2^52 rounds
 * every smaller |x|; floor and ceil then step back where that went the wrong way. */
#if defined(__SSE4_1__) || defined(__aarch64__)
PG_INLINE double pg_round_f64(double x) { return rint(x); }
PG_INLINE float pg_round_f32(float x) { return rintf(x); }
PG_INLINE double pg_floor_f64(double x) { return floor(x); }
PG_INLINE float pg_floor_f32(float x) { return floorf(x); }
PG_INLINE double pg_ceil_f64(double x) { return ceil(x); }
PG_INLINE float pg_ceil_f32(float x) { return ceilf(x); }
#else
PG_INLINE double pg_round_f64(double x) {
    const double a = fabs(x), r = (a + 0x1p52) - 0x1p52;
    return copysign(a < 0x1p52 ? r : a, x);
}
PG_INLINE float pg_round_f32(float x) {
    const float a = fabsf(x), r = (a + 0x1p23f) - 0x1p23f;
    return copysignf(a < 0x1p23f ? r : a, x);
}
PG_INLINE double pg_floor_f64(double x) {
    const double r = pg_round_f64(x);
    return copysign(r - (r > x ? 1.0 : 0.0), x);
}
PG_INLINE float pg_floor_f32(float x) {
    const float r = pg_round_f32(x);
    return copysignf(r - (r > x ? 1.0F : 0.0F), x);
}
PG_INLINE double pg_ceil_f64(double x) {
    const double r = pg_round_f64(x);
    return copysign(r + (r < x ? 1.0 : 0.0), x);
}
PG_INLINE float pg_ceil_f32(float x) {
    const float r = pg_round_f32(x);
    return copysignf(r + (r < x ? 1.0F : 0.0F), x);
}
#endif

/* [v] NaN in either argument gives NaN, as np.maximum and np.minimum. */
PG_INLINE double pg_maximum_f64(double a, double b) { return ((a >= b) | (a != a)) ? a : b; }
PG_INLINE float pg_maximum_f32(float a, float b) { return ((a >= b) | (a != a)) ? a : b; }
PG_INLINE double pg_minimum_f64(double a, double b) { return ((a <= b) | (a != a)) ? a : b; }
PG_INLINE float pg_minimum_f32(float a, float b) { return ((a <= b) | (a != a)) ? a : b; }

/* A finite f32 pair can't overflow in f64, and the squares are exact there. */
PG_INLINE float pg_hypot_f32(float x, float y) {
    const double a = (double)x, b = (double)y;
    const float r = (float)sqrt(a * a + b * b);
    return ((fabsf(x) == INFINITY) | (fabsf(y) == INFINITY)) ? INFINITY : r;
}

/* The remainder with the sign of the divisor; b = 0 gives NaN, a zero result takes b's sign. */
PG_INLINE double pg_mod_f64(double a, double b) {
    const double m = fmod(a, b);
    if (m == 0.0) {
        return copysign(0.0, b);
    }
    return ((m != m) | (b == 0.0) | ((b < 0.0) == (m < 0.0))) ? m : m + b;
}
PG_INLINE float pg_mod_f32(float a, float b) {
    const float m = fmodf(a, b);
    if (m == 0.0F) {
        return copysignf(0.0F, b);
    }
    return ((m != m) | (b == 0.0F) | ((b < 0.0F) == (m < 0.0F))) ? m : m + b;
}

/* floor(a / b) by way of the exact remainder, so that a = floor_divide(a, b) b + mod(a, b) up to rounding. */
PG_INLINE double pg_floor_divide_f64(double a, double b) {
    if (b == 0.0) {
        return a / b;
    }
    const double m = fmod(a, b);
    double q = (a - m) / b;
    if ((m != 0.0) & ((b < 0.0) != (m < 0.0))) {
        q -= 1.0;
    }
    if (q == 0.0) {
        return copysign(0.0, a / b);
    }
    const double f = pg_floor_f64(q);
    return q - f > 0.5 ? f + 1.0 : f;
}
PG_INLINE float pg_floor_divide_f32(float a, float b) {
    if (b == 0.0F) {
        return a / b;
    }
    const float m = fmodf(a, b);
    float q = (a - m) / b;
    if ((m != 0.0F) & ((b < 0.0F) != (m < 0.0F))) {
        q -= 1.0F;
    }
    if (q == 0.0F) {
        return copysignf(0.0F, a / b);
    }
    const float f = pg_floor_f32(q);
    return q - f > 0.5F ? f + 1.0F : f;
}

/* Integers: a zero divisor gives 0, and MIN // -1 wraps to MIN with remainder 0, as in NumPy; so do shifts by negative
 * counts and by the width or more: 0, or the sign. The count is cut off so that no lane of vector code shifts too far.
 */
#define PG_INTEGER_FUNCTIONS(S, T, U)                                   \
    PG_INLINE T pg_abs_##S(T a) { return a < 0 ? (T)(0U - (U)a) : a; }  \
    PG_INLINE T pg_floor_divide_##S(T a, T b) {                         \
        if (b == 0) {                                                   \
            return 0;                                                   \
        }                                                               \
        if (b == -1) {                                                  \
            return (T)(0U - (U)a);                                      \
        }                                                               \
        const T q = (T)(a / b), r = (T)(a % b);                         \
        return (T)(q - (T)((r != 0) & ((r < 0) != (b < 0))));           \
    }                                                                   \
    PG_INLINE T pg_mod_##S(T a, T b) {                                  \
        if ((b == 0) | (b == -1)) {                                     \
            return 0;                                                   \
        }                                                               \
        const T r = (T)(a % b);                                         \
        return (T)(((r != 0) & ((r < 0) != (b < 0))) ? r + b : r);      \
    }                                                                   \
    PG_INLINE T pg_left_shift_##S(T a, T b) {                           \
        const U width = 8U * sizeof(T), count = (U)b;                   \
        return count < width ? (T)((U)a << (count & (width - 1U))) : 0; \
    }                                                                   \
    PG_INLINE T pg_right_shift_##S(T a, T b) {                          \
        const U last = 8U * sizeof(T) - 1U, count = (U)b;               \
        const U down = count < last ? count : last;                     \
        const U sign = a < 0 ? ~(U)0 : 0U;                              \
        return (T)((((U)a ^ sign) >> down) ^ sign);                     \
    }                                                                   \
    PG_INLINE T pg_gcd_##S(T a, T b) {                                  \
        U x = a < 0 ? (U)(0U - (U)a) : (U)a;                            \
        U y = b < 0 ? (U)(0U - (U)b) : (U)b;                            \
        while (y != 0U) {                                               \
            const U r = x % y;                                          \
            x = y;                                                      \
            y = r;                                                      \
        }                                                               \
        return (T)x;                                                    \
    }
PG_INTEGER_FUNCTIONS(i32, int32_t, uint32_t)
PG_INTEGER_FUNCTIONS(i64, int64_t, uint64_t)
#undef PG_INTEGER_FUNCTIONS

#endif
