/* The f32 functions that need more than f32 on the way: evaluated in f64 with short polynomials and rounded once, so
 * that plain evaluation without compensation is within 0.51 ulp of f32. All [v]; ranges are clamped to where the f32
 * result is settled. Polynomials are minimax (Remez), 2^-32 relative or better; methods as in the f64 twins unless
 * noted. */
#ifndef PG_MATH_F32_H
#define PG_MATH_F32_H

#include "pg_math_base.h"
#include "pg_math_log.h"
#include "pg_math_trig.h"

/* e^x = 2^k (1 + p) for |x| < 1000 or NaN. */
PG_INLINE void pg_exp_short(double x, double *two_k, double *p) {
    const double t = PG_FMA(x, PG_LOG2E_F64, PG_MAGIC_F64);
    const double r = PG_FMA(-(t - PG_MAGIC_F64), PG_LN2_F64, x);
    *p = r * PG_POLY7(r, 0x1.0000000022a74p+0, 0x1.00000028354d0p-1, 0x1.555554c549ed5p-3, 0x1.5554ad5a6ac8ep-5,
                      0x1.1111a70016f0fp-7, 0x1.6d74de7ae9692p-10, 0x1.a019af84a61f0p-13);
    *two_k = pg_pow2_f64(pg_bits_f64(t) - PG_MAGIC_BITS_F64);
}

PG_INLINE double pg_clamp(double x, double low, double high) {
    x = x > high ? high : x;
    return x < low ? low : x;
}

PG_INLINE float pg_exp2_f32(float x) {
    const double y = pg_clamp((double)x, -300.0, 300.0);
    const double t = y + PG_MAGIC_F64, r = y - (t - PG_MAGIC_F64);
    const double p =
        r * PG_POLY7(r, 0x1.62e42fef95adfp-1, 0x1.ebfbe046401d0p-3, 0x1.c6b08dc63a5a9p-5, 0x1.3b2a1b0d9b31dp-7,
                     0x1.5d874bfa0e609p-10, 0x1.44406332438cep-13, 0x1.00dcae4071d8bp-16);
    const double s = pg_pow2_f64(pg_bits_f64(t) - PG_MAGIC_BITS_F64);
    return (float)PG_FMA(s, p, s);
}

/* With e = e^|x| - 1: sinh = (e + e/(e + 1))/2, cosh = (E + 1/E)/2. */
PG_INLINE float pg_sinh_f32(float x) {
    double s, p;
    pg_exp_short(pg_clamp(fabs((double)x), 0.0, 200.0), &s, &p);
    const double e = PG_FMA(s, p, s - 1.0);
    return copysignf((float)(0.5 * (e + e / (e + 1.0))), x);
}

PG_INLINE float pg_cosh_f32(float x) {
    double s, p;
    pg_exp_short(pg_clamp(fabs((double)x), 0.0, 200.0), &s, &p);
    const double e = PG_FMA(s, p, s);
    return (float)(0.5 * (e + 1.0 / e));
}

PG_INLINE float pg_gaussian_f32(float x, float b) {
    double s, p;
    pg_exp_short(pg_clamp(-(double)b * ((double)x * (double)x), -200.0, 200.0), &s, &p);
    return (float)PG_FMA(s, p, s);
}

/* log(x) = k ln2 + log(1 + f) for normal x > 0; f32 subnormals are normal in f64. */
PG_INLINE void pg_log_short(double x, double *kd, double *log1pf) {
    const uint64_t u = pg_bits_f64(x) + UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd);
    *kd = pg_from_bits_f64((u >> 52) | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023.0);
    const double f = pg_from_bits_f64((u & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd)) - 1.0;
    const double z = f * f;
    const double even = PG_POLY6(z, -0x1.0000002544031p-1, -0x1.ffff9138dac03p-3, -0x1.556c6aab04f66p-3,
                                 -0x1.fc1d49a092b9ep-4, -0x1.bc2286ddd27d0p-4, -0x1.0ad987cdd4affp-4);
    const double odd = PG_POLY5(z, 0x1.5555556839296p-2, 0x1.999942b2ef537p-3, 0x1.24b052ba3aa1cp-3,
                                0x1.c00d7605a6905p-4, 0x1.c82da93652608p-4);
    *log1pf = PG_FMA(z, PG_FMA(odd, f, even), f);
}

PG_INLINE float pg_log2_f32(float x) {
    double k, p;
    pg_log_short((double)x, &k, &p);
    return (float)pg_log_edges_f64((double)x, PG_FMA(p, PG_LOG2E_F64, k));
}

PG_INLINE float pg_log10_f32(float x) {
    double k, p;
    pg_log_short((double)x, &k, &p);
    return (float)pg_log_edges_f64((double)x, PG_FMA(k, 0x1.34413509f79ffp-2, p * 0x1.bcb7b1526e50ep-2));
}

PG_INLINE float pg_arctan_f32(float x) {
    const double b = fabs((double)x), a = b > 0x1p60 ? 0x1p60 : b;
    const int middle = a > 0x1.a8279ap-2, large = a > 0x1.3504f4p+1; /* tan(pi/8) and its inverse */
    const double num = large ? -1.0 : (middle ? a - 1.0 : a);
    const double den = large ? a : (middle ? a + 1.0 : 1.0);
    const double base = large ? 0x1.921fb54442d18p+0 : (middle ? 0x1.921fb54442d18p-1 : 0.0);
    const double t = num / den, z = t * t;
    const double p = PG_POLY7(z, -0x1.5555554efb098p-2, 0x1.99999214422e8p-3, -0x1.2490c6824ad2dp-3,
                              0x1.c6d2622980bedp-4, -0x1.7086b208f8267p-4, 0x1.1e6d18bd4d0fap-4, -0x1.36e4cd9aa2f39p-5);
    return copysignf((float)(base + PG_FMA(t * z, p, t)), x);
}

/* erfc(t) = e^(-t^2) s P(u) for t >= 0, with s = 6/(t + 3) and u = 1 - s = (t - 3)/(t + 3): P varies little
 * (interpolated at Chebyshev nodes, 2^-32 relative up to t = 11; shifted, so that erfc(0) = 1). t^2 is given, since it
 * may be known more exactly than t. */
PG_INLINE double pg_erfc_short(double t, double square) {
    double k, p;
    const double s = 6.0 / (t + 3.0), u = 1.0 - s;
    const double q =
        PG_POLY11(u, -0x1.2d882f685dd22p-3, 0x1.92ede1d1e5415p-4, -0x1.a7e42ab558cd8p-5, 0x1.4663eba3997c8p-6,
                  -0x1.25078c3cb6cb0p-8, -0x1.a7adb48f42ac0p-13, 0x1.0968225be258ep-11, -0x1.7e772e79eab19p-14,
                  -0x1.916f6a53a66c9p-15, 0x1.10933747de245p-16, 0x1.c2e164eb9d9fbp-18);
    pg_exp_short(-square, &k, &p);
    return PG_FMA(k, p, k) * s * PG_FMA(q, u, 0x1.6e9827d2b9c24p-3);
}

PG_INLINE float pg_erfc_f32(float x) {
    const double a = pg_clamp(fabs((double)x), 0.0, 12.0), r = pg_erfc_short(a, a * a);
    return (float)(x < 0.0f ? 2.0 - r : r);
}

/* x erfc(-x / sqrt 2) / 2; at 25 the tail is smaller than all f32, and 0 so that -inf gives NaN. */
PG_INLINE float pg_gelu_f32(float x) {
    const double w = (double)x, a = pg_clamp(fabs(w), 0.0, 25.0);
    const double tail = 0.5 * pg_erfc_short(a * 0x1.6a09e667f3bcdp-1, 0.5 * a * a);
    const double r = a < 25.0 ? tail : 0.0;
    return (float)(w * (w < 0.0 ? r : 1.0 - r));
}

/* x = k pi/2 + r for |x| <= 2^20 in f32, where |r| > 2^-30: two parts of pi/2 suffice. */
PG_INLINE double pg_rem_pio2_short(double x, uint64_t *k) {
    const double t = PG_FMA(x, 0x1.45f306dc9c883p-1, PG_MAGIC_F64), n = t - PG_MAGIC_F64;
    *k = pg_bits_f64(t);
    return PG_FMA(-n, 0x1.0b4611a626331p-34, PG_FMA(-n, 0x1.921fb54400000p+0, x));
}
PG_INLINE double pg_sin_short(double r, double z) {
    return PG_FMA(
        r * z, PG_POLY4(z, -0x1.5555554cb2957p-3, 0x1.11110890b3e61p-7, -0x1.a00f990498a3ap-13, 0x1.6cd737eb94e5ap-19),
        r);
}
PG_INLINE double pg_cos_short(double z) {
    return PG_FMA(
        z, PG_POLY4(z, -0x1.ffffffd098f0ep-2, 0x1.55553dff3874dp-5, -0x1.6c08776db4404p-10, 0x1.993275daacb3ap-16),
        1.0);
}
PG_INLINE float pg_sin_shift_f32(float x, uint64_t shift) {
    uint64_t k;
    const double r = pg_rem_pio2_short((double)x, &k), z = r * r;
    const double s = pg_sin_short(r, z), c = pg_cos_short(z);
    k += shift;
    const double y = pg_pick_f64(0U - (k & 1U), c, s);
    return (float)pg_from_bits_f64(pg_bits_f64(y) ^ ((k & 2U) << 62));
}

PG_INLINE int pg_sin_ok_f32(float x) { return fabsf(x) <= 0x1p20F; }
PG_INLINE int pg_cos_ok_f32(float x) { return fabsf(x) <= 0x1p20F; }
PG_INLINE int pg_tan_ok_f32(float x) { return fabsf(x) <= 0x1p20F; }
PG_INLINE float pg_sin_core_f32(float x) { return x == 0.0F ? x : pg_sin_shift_f32(x, 0U); }
PG_INLINE float pg_cos_core_f32(float x) { return pg_sin_shift_f32(x, 1U); }
PG_INLINE float pg_tan_core_f32(float x) {
    uint64_t k;
    const double r = pg_rem_pio2_short((double)x, &k), z = r * r;
    const double s = pg_sin_short(r, z), c = pg_cos_short(z);
    const uint64_t odd = 0U - (k & 1U);
    const float y = (float)(pg_pick_f64(odd, -c, s) / pg_pick_f64(odd, s, c));
    return x == 0.0F ? x : y;
}
PG_INLINE float pg_sin_f32(float x) {
    return pg_sin_ok_f32(x) ? pg_sin_core_f32(x) : (float)pg_sin_large_f64((double)x, 0U);
}
PG_INLINE float pg_cos_f32(float x) {
    return pg_cos_ok_f32(x) ? pg_cos_core_f32(x) : (float)pg_sin_large_f64((double)x, 1U);
}
PG_INLINE float pg_tan_f32(float x) {
    return pg_tan_ok_f32(x) ? pg_tan_core_f32(x) : (float)pg_tan_large_f64((double)x);
}

#endif
