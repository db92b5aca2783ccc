/* Building blocks of pg_math: fused multiply-add, bit access, polynomials, error-free transformations. */
#ifndef PG_MATH_BASE_H
#define PG_MATH_BASE_H

#include "pg_arithmetic.h"
#include "pg_compiler.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Whether the machine has a fused multiply-add in double precision. __ARM_FEATURE_FMA speaks of any precision: a
 * Cortex-M4F has one for floats alone (bit 3 of __ARM_FP: doubles), and the fma of some C libraries is not fused. */
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__aarch64__)
#define PG_HAS_FMA 1
#elif defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && (__ARM_FP & 8)
#define PG_HAS_FMA 1
#else
#define PG_HAS_FMA 0
#endif
#if PG_HAS_FMA
#define PG_FMA(a, b, c) fma((a), (b), (c))
#else
#define PG_FMA(a, b, c) ((a) * (b) + (c))
#endif

/* The same for floats (bit 2). */
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__aarch64__)
#define PG_HAS_FMAF 1
#elif defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && (__ARM_FP & 4)
#define PG_HAS_FMAF 1
#else
#define PG_HAS_FMAF 0
#endif
#if PG_HAS_FMAF
#define PG_FMAF(a, b, c) fmaf((a), (b), (c))
#else
#define PG_FMAF(a, b, c) ((a) * (b) + (c))
#endif

/* Adding 1.5 * 2^52 to |v| < 2^51 rounds v to an integer, whose two's complement lands in the low bits: the one
 * float-to-integer conversion that exists as vector code on every target. The f32 twin holds for |v| < 2^22. */
#define PG_MAGIC_F64      0x1.8p52
#define PG_MAGIC_BITS_F64 UINT64_C(0x4338000000000000)
#define PG_MAGIC_F32      0x1.8p23f
#define PG_MAGIC_BITS_F32 UINT32_C(0x4b400000)

/* Polynomials in Horner's form: PG_POLYn(x, c0, ..., c(n-1)) has n coefficients, lowest first. */
#define PG_POLY2(x, a, b)                             PG_FMA(b, x, a)
#define PG_POLY3(x, a, b, c)                          PG_FMA(PG_POLY2(x, b, c), x, a)
#define PG_POLY4(x, a, b, c, d)                       PG_FMA(PG_POLY3(x, b, c, d), x, a)
#define PG_POLY5(x, a, b, c, d, e)                    PG_FMA(PG_POLY4(x, b, c, d, e), x, a)
#define PG_POLY6(x, a, b, c, d, e, f)                 PG_FMA(PG_POLY5(x, b, c, d, e, f), x, a)
#define PG_POLY7(x, a, b, c, d, e, f, g)              PG_FMA(PG_POLY6(x, b, c, d, e, f, g), x, a)
#define PG_POLY8(x, a, b, c, d, e, f, g, h)           PG_FMA(PG_POLY7(x, b, c, d, e, f, g, h), x, a)
#define PG_POLY9(x, a, b, c, d, e, f, g, h, i)        PG_FMA(PG_POLY8(x, b, c, d, e, f, g, h, i), x, a)
#define PG_POLY10(x, a, b, c, d, e, f, g, h, i, j)    PG_FMA(PG_POLY9(x, b, c, d, e, f, g, h, i, j), x, a)
#define PG_POLY11(x, a, b, c, d, e, f, g, h, i, j, k) PG_FMA(PG_POLY10(x, b, c, d, e, f, g, h, i, j, k), x, a)

PG_INLINE uint64_t pg_bits_f64(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

PG_INLINE double pg_from_bits_f64(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

PG_INLINE uint32_t pg_bits_f32(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

PG_INLINE float pg_from_bits_f32(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* a where every bit of mask is set, b where none is; SSE2 has no 64-bit comparison to make vector code of a ternary. */
PG_INLINE double pg_pick_f64(uint64_t mask, double a, double b) {
#if defined(__SSE4_1__) || defined(__aarch64__)
    return mask != 0U ? a : b;
#else
    return pg_from_bits_f64((pg_bits_f64(a) & mask) | (pg_bits_f64(b) & ~mask));
#endif
}

/* x, as a number that varies where y does: GCC makes no vector code of choices by what is the same in a whole loop. */
PG_INLINE double pg_along_f64(double x, double y) {
    return pg_from_bits_f64(pg_bits_f64(x) | (pg_bits_f64(fabs(y)) >> 63));
}

PG_INLINE float pg_along_f32(float x, float y) {
    return pg_from_bits_f32(pg_bits_f32(x) | (pg_bits_f32(fabsf(y)) >> 31));
}

/* 2^k for the two's complement k in [-1022, 1023]. */
PG_INLINE double pg_pow2_f64(uint64_t k) { return pg_from_bits_f64((k + 1023U) << 52); }

/* x 2^k for k in [-2044, 2046], in two steps so that the one rounding is that of the last product. */
PG_INLINE double pg_scale_f64(double x, uint64_t k) {
    const uint64_t half = ((k + 4096U) >> 1) - 2048U;
    return x * pg_pow2_f64(half) * pg_pow2_f64(k - half);
}

/* s + e = a + b exactly (Knuth). */
PG_INLINE void pg_two_sum_f64(double a, double b, double *s, double *e) {
    const double t = a + b, bb = t - a;
    *e = (a - (t - bb)) + (b - bb);
    *s = t;
}

/* The same for |a| >= |b| or a = 0 (Dekker). */
PG_INLINE void pg_fast_two_sum_f64(double a, double b, double *s, double *e) {
    const double t = a + b;
    *e = (a - t) + b;
    *s = t;
}

/* p + e = a b, exactly with FMA; without it exact up to the product of two 27-bit tails, by Veltkamp's split. */
PG_INLINE void pg_two_prod_f64(double a, double b, double *p, double *e) {
    const double t = a * b;
#if PG_HAS_FMA
    *e = fma(a, b, -t);
#else
    const double ah = pg_from_bits_f64(pg_bits_f64(a) & UINT64_C(0xfffffffff8000000));
    const double bh = pg_from_bits_f64(pg_bits_f64(b) & UINT64_C(0xfffffffff8000000));
    const double al = a - ah, bl = b - bh;
    *e = ((ah * bh - t) + ah * bl + al * bh) + al * bl;
#endif
    *p = t;
}

/* (nh + nl) / (dh + dl) as q + ql, for |nl| and |dl| of an ulp or so: one division, then a Newton correction with the
 * exact residual. */
PG_INLINE void pg_dd_div_f64(double nh, double nl, double dh, double dl, double *q, double *ql) {
    const double r = 1.0 / dh, t = nh * r;
    double p, e;
    pg_two_prod_f64(t, dh, &p, &e);
    *ql = ((((nh - p) - e) + nl) - t * dl) * r;
    *q = t;
}

/* sqrt(a + al) as w + wl for a >= 0. */
PG_INLINE void pg_dd_sqrt_f64(double a, double al, double *w, double *wl) {
    const double t = sqrt(a);
    double p, e;
    pg_two_prod_f64(t, t, &p, &e);
    *wl = (((a - p) - e) + al) / (t == 0.0 ? 1.0 : t + t);
    *w = t;
}

#endif
