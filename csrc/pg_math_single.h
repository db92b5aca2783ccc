/* The f32 functions that are evaluated in f32 alone: exp expm1 tanh sigmoid silu log log1p softplus erf, all [v].
 * Vectors hold twice as many floats as doubles, nothing is converted, and a processor without doubles runs them.
 *
 * Polynomials are minimax for the relative error of the result, with coefficients rounded one after another to floats;
 * values are within 2 ulp, with a fused multiply-add and without. */
#ifndef PG_MATH_SINGLE_H
#define PG_MATH_SINGLE_H

#include "pg_math_base.h"

#define PG_POLYF2(x, a, b)                   PG_FMAF(b, x, a)
#define PG_POLYF3(x, a, b, c)                PG_FMAF(PG_POLYF2(x, b, c), x, a)
#define PG_POLYF4(x, a, b, c, d)             PG_FMAF(PG_POLYF3(x, b, c, d), x, a)
#define PG_POLYF5(x, a, b, c, d, e)          PG_FMAF(PG_POLYF4(x, b, c, d, e), x, a)
#define PG_POLYF6(x, a, b, c, d, e, f)       PG_FMAF(PG_POLYF5(x, b, c, d, e, f), x, a)
#define PG_POLYF7(x, a, b, c, d, e, f, g)    PG_FMAF(PG_POLYF6(x, b, c, d, e, f, g), x, a)
#define PG_POLYF8(x, a, b, c, d, e, f, g, h) PG_FMAF(PG_POLYF7(x, b, c, d, e, f, g, h), x, a)

#define PG_LN2_F32    0x1.62e430p-1F
#define PG_LN2_HI_F32 0x1.62e400p-1F /* 15 bits: k LN2_HI is exact for |k| < 2^9 */
#define PG_LN2_LO_F32 0x1.7f7d1cp-20F

/* 2^k of the low bits of `bits`, k in [-126, 127]. */
PG_INLINE float pg_pow2_f32(uint32_t bits) { return pg_from_bits_f32((bits << 23) + UINT32_C(0x3f800000)); }

/* x 2^k for `bits` = PG_MAGIC_BITS_F32 + k, k in [-252, 254], in two steps so that the one rounding is the last one. */
PG_INLINE float pg_scale_f32(float x, uint32_t bits) {
    const uint32_t half = bits >> 1;
    return x * pg_pow2_f32(half) * pg_pow2_f32(bits - half);
}

/* s + e = a + b exactly for |a| >= |b| or a = 0 (Dekker). */
PG_INLINE void pg_fast_two_sum_f32(float a, float b, float *s, float *e) {
    const float t = a + b;
    *e = (a - t) + b;
    *s = t;
}

/* p + e = a b exactly; without FMA by halves of 12 bits. */
PG_INLINE void pg_two_prod_f32(float a, float b, float *p, float *e) {
    const float t = a * b;
#if PG_HAS_FMAF
    *e = fmaf(a, b, -t);
#else
    const float ah = pg_from_bits_f32(pg_bits_f32(a) & UINT32_C(0xfffff000));
    const float bh = pg_from_bits_f32(pg_bits_f32(b) & UINT32_C(0xfffff000));
    const float al = a - ah, bl = b - bh;
    *e = ((ah * bh - t) + ah * bl + al * bh) + al * bl;
#endif
    *p = t;
}

/* e^(x + xl) = 2^k (1 + p); k stands in the low bits of what is returned. For |x| < 2^14 or NaN, and |xl| of a few ulp.
 */
PG_INLINE uint32_t pg_exp_sum_f32(float x, float xl, float *p) {
    const float t = PG_FMAF(x, 0x1.715476p+0F, PG_MAGIC_F32), n = t - PG_MAGIC_F32;
    const float r = PG_FMAF(-n, PG_LN2_LO_F32, PG_FMAF(-n, PG_LN2_HI_F32, x)) + xl;
    const float q = PG_POLYF5(r, 0x1.fffffcp-2F, 0x1.555492p-3F, 0x1.5558bep-5F, 0x1.1239e0p-7F, 0x1.6a3fb4p-10F);
    *p = PG_FMAF(q * r, r, r);
    return pg_bits_f32(t);
}
PG_INLINE uint32_t pg_exp_parts_f32(float x, float *p) { return pg_exp_sum_f32(x, -0.0F, p); }

PG_INLINE float pg_clamp_f32(float x, float low, float high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

PG_INLINE float pg_exp_f32(float x) {
    float p;
    const uint32_t k = pg_exp_parts_f32(pg_clamp_f32(x, -104.0F, 89.0F), &p);
    return pg_scale_f32(1.0F + p, k);
}

/* 2^k (1 + p) - 1; half of it twice, since 2^128 is no float. */
PG_INLINE float pg_expm1_f32(float x) {
    float p;
    const uint32_t k = pg_exp_parts_f32(pg_clamp_f32(x, -25.0F, 89.0F), &p);
    const float half = pg_pow2_f32(k - 1U), y = PG_FMAF(half, p, half - 0.5F);
    return fabsf(x) < 0x1p-30F ? x : copysignf(y + y, x);
}

/* x + x^3 P(x^2) below 0.55, else 1 - 2/(e^(2|x|) + 1). */
PG_INLINE float pg_tanh_f32(float x) {
    const float a = fabsf(x), z = a * a, y = a > 10.0F ? 10.0F : a;
    float p;
    const float two_k = pg_pow2_f32(pg_exp_parts_f32(y + y, &p));
    const float q = z * PG_POLYF5(z, -0x1.55554ap-2F, 0x1.110cf0p-3F, -0x1.b91f20p-5F, 0x1.58ec78p-6F, -0x1.99565ep-8F);
    const float far = 1.0F - 2.0F / (PG_FMAF(two_k, p, two_k) + 1.0F);
    return copysignf(a < 0.55F ? PG_FMAF(a, q, a) : far, x);
}

/* 1/(1 + e^-|x|), or e^-|x| times it. */
PG_INLINE float pg_sigmoid_f32(float x) {
    const float a = fabsf(x), y = a > 104.0F ? 104.0F : a;
    float p;
    const uint32_t k = pg_exp_parts_f32(-y, &p);
    const float e = pg_scale_f32(1.0F + p, k);
    return (x < 0.0F ? e : 1.0F) / (1.0F + e);
}

/* x sigmoid(x); x is a factor before e^-|x| may become subnormal. */
PG_INLINE float pg_silu_f32(float x) {
    const float a = fabsf(x), y = a > 120.0F ? 120.0F : a, low = x < -120.0F ? -120.0F : x;
    float p;
    const uint32_t k = pg_exp_parts_f32(-y, &p);
    const float e = pg_scale_f32(1.0F + p, k), left = pg_scale_f32(PG_FMAF(low, p, low), k);
    return x == -INFINITY ? NAN : (x < 0.0F ? left : x) / (1.0F + e);
}

/* log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1], plus n ln2. */
PG_INLINE float pg_log_sum_f32(float n, float f) {
    const float q = PG_FMAF(PG_POLYF8(f, 0x1.555550p-2F, -0x1.000438p-2F, 0x1.99a428p-3F, -0x1.542422p-3F,
                                      0x1.226b44p-3F, -0x1.0f4cc0p-3F, 0x1.087be0p-3F, -0x1.384924p-4F),
                            f, -0x1.fffff8p-2F);
    return PG_FMAF(n, PG_LN2_HI_F32, PG_FMAF(q * f, f, PG_FMAF(n, PG_LN2_LO_F32, f)));
}

/* x = 2^n m with m in [sqrt(1/2), sqrt(2)), for normal x > 0. */
PG_INLINE void pg_log_split_f32(float x, float *m, uint32_t *n) {
    const uint32_t u = pg_bits_f32(x) + (UINT32_C(0x3f800000) - UINT32_C(0x3f3504f3));
    *n = (u >> 23) - 127U;
    *m = pg_from_bits_f32((u & UINT32_C(0x007fffff)) + UINT32_C(0x3f3504f3));
}
PG_INLINE float pg_count_f32(uint32_t n) { return pg_from_bits_f32(PG_MAGIC_BITS_F32 + n) - PG_MAGIC_F32; }

/* The value of a logarithm at 0, negative numbers, inf and NaN; y elsewhere. */
PG_INLINE float pg_log_edges_f32(float x, float y) {
    const float r = x == 0.0F ? -INFINITY : (x < 0.0F ? NAN : x);
    return ((x > 0.0F) & (x <= FLT_MAX)) ? y : r;
}

PG_INLINE float pg_log_f32(float x) {
    const int tiny = x < FLT_MIN;
    float m;
    uint32_t n;
    pg_log_split_f32(tiny ? x * 0x1p23F : x, &m, &n);
    return pg_log_edges_f32(x, pg_log_sum_f32(pg_count_f32(n) - (tiny ? 23.0F : 0.0F), m - 1.0F));
}

/* 1 + x = 2^n (1 + f): f is x 2^-n + (2^-n - 1), rounded once, and that of 1 + x where the 1 counts no more. */
PG_INLINE float pg_log1p_sum_f32(float x) {
    float m;
    uint32_t n;
    pg_log_split_f32(1.0F + x, &m, &n);
    const float two_n = pg_pow2_f32(0U - n), near = x * two_n + (two_n - 1.0F);
    return pg_log_sum_f32(pg_count_f32(n), x > 0x1p30F ? m - 1.0F : near);
}

PG_INLINE float pg_log1p_f32(float x) { return copysignf(pg_log_edges_f32(1.0F + x, pg_log1p_sum_f32(x)), x); }

PG_INLINE float pg_softplus_f32(float x) {
    const float a = fabsf(x), y = a > 104.0F ? 104.0F : a;
    float p;
    const uint32_t k = pg_exp_parts_f32(-y, &p);
    return (x < 0.0F ? 0.0F : x) + pg_log1p_sum_f32(pg_scale_f32(1.0F + p, k));
}

/* erf: x + x P(x^2) below 1, else 1 - 2^L(x - 1); 1 from 4 on. */
PG_INLINE float pg_erf_f32(float x) {
    const float a = fabsf(x), z = a * a, t = (a > 4.0F ? 4.0F : a) - 1.0F;
    const float q = PG_POLYF7(z, 0x1.06eba8p-3F, -0x1.81273ep-2F, 0x1.ce2ce6p-4F, -0x1.b7f71ap-6F, 0x1.53f224p-8F,
                              -0x1.a3515ep-11F, 0x1.4771fep-14F);
    const float l = PG_POLYF7(t, -0x1.558eaep+1F, -0x1.e75306p+1F, -0x1.37666ap+0F, -0x1.e8d722p-5F, 0x1.c736b6p-7F,
                              -0x1.317230p-9F, 0x1.7d6134p-13F);
    const float s = l + PG_MAGIC_F32, r = l - (s - PG_MAGIC_F32), two_k = pg_pow2_f32(pg_bits_f32(s));
    const float e = r * PG_POLYF6(r, 0x1.62e430p-1F, 0x1.ebfbdcp-3F, 0x1.c6af7ap-5F, 0x1.3b2ddep-7F, 0x1.5f09a6p-10F,
                                  0x1.416f42p-13F);
    return copysignf(a < 1.0F ? PG_FMAF(a, q, a) : (1.0F - two_k) - two_k * e, x);
}

#endif
