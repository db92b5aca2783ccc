/* Random bits that are a function of a key and a count, and the numbers made of them.
 *
 * Bits: Threefry-2x32 with 20 rounds, by Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. A key, a count and a result are pairs of 32-bit words, the first in the upper half of an int64.
 *
 * Normal numbers: sqrt(2) erfinv(x), x = the bits in (-1, 1), by two rational functions (interpolated at Chebyshev
 * nodes; 2^-58 and, for f32, 2^-31 relative): in w = -log(1 - x^2) of the factor of x, and for |x| near 1 in
 * sqrt(-log(1 - |x|)) of the number itself. All coefficients are positive, so that nothing cancels. */
#ifndef PG_MATH_RANDOM_H
#define PG_MATH_RANDOM_H

#include "pg_math_base.h"
#include "pg_math_f32.h"
#include "pg_math_log.h"

PG_INLINE void pg_threefry_mix(uint32_t *x, uint32_t *y, int left) {
    *x += *y;
    *y = (*y << left | *y >> (32 - left)) ^ *x;
}

PG_INLINE void pg_threefry_even(uint32_t *x, uint32_t *y) {
    pg_threefry_mix(x, y, 13);
    pg_threefry_mix(x, y, 15);
    pg_threefry_mix(x, y, 26);
    pg_threefry_mix(x, y, 6);
}

PG_INLINE void pg_threefry_odd(uint32_t *x, uint32_t *y) {
    pg_threefry_mix(x, y, 17);
    pg_threefry_mix(x, y, 29);
    pg_threefry_mix(x, y, 16);
    pg_threefry_mix(x, y, 24);
}

/* [v] */
PG_INLINE int64_t pg_threefry_i64(int64_t key, int64_t count) {
    const uint32_t k = (uint32_t)((uint64_t)key >> 32), l = (uint32_t)(uint64_t)key;
    const uint32_t m = k ^ l ^ UINT32_C(0x1bd11bda);
    uint32_t x = (uint32_t)((uint64_t)count >> 32) + k, y = (uint32_t)(uint64_t)count + l;
    pg_threefry_even(&x, &y);
    x += l, y += m + 1U;
    pg_threefry_odd(&x, &y);
    x += m, y += k + 2U;
    pg_threefry_even(&x, &y);
    x += k, y += l + 3U;
    pg_threefry_odd(&x, &y);
    x += l, y += m + 4U;
    pg_threefry_even(&x, &y);
    x += m, y += k + 5U;
    return (int64_t)((uint64_t)x << 32 | y);
}

/* [v] The lower word. */
PG_INLINE int32_t pg_threefry_i32(int32_t key, int32_t count) {
    return (int32_t)(uint32_t)(uint64_t)pg_threefry_i64(key, count);
}

/* [v] The upper 53 bits, or 24, as a multiple of 2^-53, or 2^-24. */
PG_INLINE double pg_unit_i64(int64_t bits) {
    const uint64_t u = (uint64_t)bits, lowest = 0U - (u >> 11 & 1U);
    const double most = pg_from_bits_f64(u >> 12 | UINT64_C(0x3ff0000000000000)) - 1.0;
    return most + pg_from_bits_f64(lowest & UINT64_C(0x3ca0000000000000));
}
PG_INLINE float pg_unit_i32(int32_t bits) { return (float)(int32_t)((uint32_t)bits >> 8) * 0x1p-24f; }

/* [v] The upper 52 bits k, or 23, as k + 1/2 multiples of 2^-52, or 2^-23: never 0 or 1. */
PG_INLINE double pg_open_unit_i64(int64_t bits) {
    const double over = pg_from_bits_f64((uint64_t)bits >> 12 | UINT64_C(0x3ff0000000000000));
    return over - 0x1.fffffffffffffp-1;
}
PG_INLINE float pg_open_unit_i32(int32_t bits) {
    return pg_from_bits_f32((uint32_t)bits >> 9 | UINT32_C(0x3f800000)) - 0x1.fffffep-1f;
}

/* [v] |result| <= 8.13. */
PG_INLINE double pg_normal_bits_i64(int64_t bits) {
    const double x = 2.0 * (pg_open_unit_i64(bits) - 0.5), a = fabs(x);
    const int near = a < 0x1.fc2589ab0961ap-1; /* w < 4.2 */
    const double w = -pg_log_f64(near ? (1.0 - a) * (1.0 + a) : 1.0 - a), t = near ? w : sqrt(w) - 2.25;
    const double p = PG_POLY9(
        t, near ? 0x1.40d931ff62706p+0 : 0x1.5d76fb5391540p+1, near ? 0x1.f0c3accad192bp-2 : 0x1.911f46edad475p+2,
        near ? 0x1.07210d2d4a627p-3 : 0x1.8586a26474c00p+2, near ? 0x1.90a3f613d45b1p-6 : 0x1.9db9e85646f77p+1,
        near ? 0x1.c2c6293ff1faap-9 : 0x1.02eae24b424d7p+0, near ? 0x1.7f5fc2f386296p-12 : 0x1.7e7ceb127ed91p-3,
        near ? 0x1.df39ad5efce50p-16 : 0x1.3b35dd566c799p-6, near ? 0x1.9083bbcf370e7p-20 : 0x1.fa3f39c3ee96fp-11,
        near ? 0x1.58fb5ed76f03bp-25 : 0x1.1d074c48b0237p-16);
    const double q = PG_POLY9(
        t, 1.0, near ? 0x1.008e5ac8fa96dp-3 : 0x1.c096be9c73e95p+0, near ? 0x1.d05cff54eb8a0p-5 : 0x1.4758192b2d30bp+0,
        near ? 0x1.73c9d3cff8bcfp-8 : 0x1.f95edf33dbe52p-2, near ? 0x1.04bf1a0239513p-10 : 0x1.b1e9aea9312bap-4,
        near ? 0x1.2f045e6317ff0p-14 : 0x1.8e78fa8b361c8p-7, near ? 0x1.5be91f06339a9p-18 : 0x1.57d65e46289bep-11,
        near ? 0x1.be60b373d4814p-23 : 0x1.931341f312b5ap-17, near ? 0x1.e4e4317b88437p-30 : 0x1.6eefe9eeabfc6p-39);
    return copysign((near ? a : 1.0) * (p / q), x);
}

/* [v] |result| <= 6.24; in f64, rounded once. */
PG_INLINE float pg_normal_bits_i32(int32_t bits) {
    const double x = 0x1p-31 * ((double)bits + 0.5), a = fabs(x);
    const int near = a < 0x1.f3177fce47c25p-1; /* w < 3 */
    double k, l;
    pg_log_short(near ? (1.0 - a) * (1.0 + a) : 1.0 - a, &k, &l);
    const double w = -PG_FMA(k, PG_LN2_F64, l), t = near ? w : sqrt(w) - 2.0;
    const double p = PG_POLY5(
        t, near ? 0x1.40d932000e9c4p+0 : 0x1.2df96e6d04696p+1, near ? 0x1.8c30d066af2d3p-2 : 0x1.e2fe111932dd5p+1,
        near ? 0x1.0176e4e605f6ep-4 : 0x1.1790edd967ff0p+1, near ? 0x1.aaa86da44e334p-8 : 0x1.1045f47001365p-1,
        near ? 0x1.7520704905633p-12 : 0x1.69052d4807b17p-5);
    const double q = PG_POLY5(
        t, 1.0, near ? 0x1.804140105a38ap-5 : 0x1.f0ca03538f3d3p-1, near ? 0x1.96fe8aef9a47dp-6 : 0x1.4258e7eb2f6f1p-2,
        near ? 0x1.76d1d51c3db01p-11 : 0x1.fdfa1270b35ddp-6, near ? 0x1.55c5957990e11p-15 : 0x1.df088c0a33210p-21);
    return (float)copysign((near ? a : 1.0) * (p / q), x);
}

#endif
