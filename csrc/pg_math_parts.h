/* The parts of a number: its sign, its exponent, its neighbours; scaling by 2^n; the remainder towards zero. Exact. */
#ifndef PG_MATH_PARTS_H
#define PG_MATH_PARTS_H

#include "pg_math_arith.h"
#include "pg_math_base.h"

/* [v] */
PG_INLINE double pg_copysign_f64(double x, double y) { return copysign(x, y); }
PG_INLINE float pg_copysign_f32(float x, float y) { return copysignf(x, y); }

/* One more or less in the bits is one step away from or towards zero. */
PG_NOINLINE double pg_nextafter_f64(double x, double y) {
    const uint64_t bits = pg_bits_f64(x);
    const double step = pg_from_bits_f64((x < y) == (x > 0.0) ? bits + 1U : bits - 1U);
    const double moved = x == 0.0 ? copysign(0x1p-1074, y) : step;
    return ((x != x) | (y != y)) ? x + y : x == y ? y : moved;
}
PG_NOINLINE float pg_nextafter_f32(float x, float y) {
    const uint32_t bits = pg_bits_f32(x);
    const float step = pg_from_bits_f32((x < y) == (x > 0.0F) ? bits + 1U : bits - 1U);
    const float moved = x == 0.0F ? copysignf(0x1p-149F, y) : step;
    return ((x != x) | (y != y)) ? x + y : x == y ? y : moved;
}

/* [v] n of x = m 2^n, 1/2 <= |m| < 1; 0 for 0, inf and nan. Subnormals are scaled up first. */
PG_INLINE double pg_exponent_f64(double x) {
    const double a = fabs(x), normal = a < 0x1p-1022 ? a * 0x1p54 : a;
    const double biased = pg_from_bits_f64(PG_MAGIC_BITS_F64 + (pg_bits_f64(normal) >> 52)) - PG_MAGIC_F64;
    return ((a > 0.0) & (a <= DBL_MAX)) ? biased - (a < 0x1p-1022 ? 1076.0 : 1022.0) : 0.0;
}
PG_INLINE float pg_exponent_f32(float x) { return (float)pg_exponent_f64((double)x); }

/* x 2^trunc(n) in one rounding, nan for nan. Steps down leave 53 bits above the smallest normal number, so that
 * only the last product rounds, or all is 0. */
PG_NOINLINE double pg_scalbn_f64(double x, double n) {
    double k = n < 0.0 ? pg_ceil_f64(n) : pg_floor_f64(n);
    k = k < -2500.0 ? -2500.0 : k > 2500.0 ? 2500.0 : k;
    double y = x * (k < -1022.0 ? 0x1p-969 : k > 1023.0 ? 0x1p1023 : 1.0);
    k += k < -1022.0 ? 969.0 : k > 1023.0 ? -1023.0 : 0.0;
    y *= k < -1022.0 ? 0x1p-969 : k > 1023.0 ? 0x1p1023 : 1.0;
    k += k < -1022.0 ? 969.0 : k > 1023.0 ? -1023.0 : 0.0;
    k = k < -1022.0 ? -1022.0 : k > 1023.0 ? 1023.0 : k;
    const double whole = k == k ? k : 0.0;
    y *= pg_pow2_f64(pg_bits_f64(whole + PG_MAGIC_F64) - PG_MAGIC_BITS_F64);
    return n == n ? y : n;
}
/* In double precision the product with 2^k is exact, and rounded once at the end. */
PG_NOINLINE float pg_scalbn_f32(float x, float n) {
    const double k = (double)(n < 0.0F ? pg_ceil_f32(n) : pg_floor_f32(n));
    const double cut = k < -400.0 ? -400.0 : k > 400.0 ? 400.0 : k, whole = k == k ? cut : 0.0;
    const double scale = pg_pow2_f64(pg_bits_f64(whole + PG_MAGIC_F64) - PG_MAGIC_BITS_F64);
    return n == n ? (float)((double)x * scale) : n;
}

PG_INLINE double pg_fmod_f64(double a, double b) { return fmod(a, b); }
PG_INLINE float pg_fmod_f32(float a, float b) { return fmodf(a, b); }
PG_INLINE int64_t pg_fmod_i64(int64_t a, int64_t b) { return ((b == 0) | (b == -1)) ? 0 : a % b; }
PG_INLINE int32_t pg_fmod_i32(int32_t a, int32_t b) { return ((b == 0) | (b == -1)) ? 0 : a % b; }

#endif
