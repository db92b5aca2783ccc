/* The logarithm family in f64: log log1p log2 log10 softplus logaddexp arcsinh arccosh arctanh cbrt.
 *
 * Method: x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1 (exact), s = f / (2 + f), and (the form of fdlibm's log)
 *   log(1 + f) = f - f^2/2 + s (f^2/2 + s^2 R(s^2)),
 * R a minimax polynomial for (2 atanh(s) - 2 s) / s^3 (Remez, 2^-58). The sum k LN2_HI + f is kept with its error. */
#ifndef PG_MATH_LOG_H
#define PG_MATH_LOG_H

#include "pg_math_base.h"
#include "pg_math_exp.h"

/* x = 2^k m for finite x > 0, subnormals included. */
PG_INLINE void pg_log_split_f64(double x, double *m, double *kd) {
    const int tiny = x < 0x1p-1022;
    const uint64_t u = pg_bits_f64(tiny ? x * 0x1p54 : x) + UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd);
    const double biased = pg_from_bits_f64((u >> 52) | UINT64_C(0x4330000000000000));
    *kd = biased - (tiny ? 0x1p52 + 1023.0 + 54.0 : 0x1p52 + 1023.0);
    *m = pg_from_bits_f64((u & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd));
}

/* f^2/2 - (f - log(1 + f)) without its leading term: log(1 + f) = f - (hfsq - *t), where hfsq = f^2/2. */
PG_INLINE double pg_log_t_f64(double f, double hfsq) {
    const double s = f / (2.0 + f), z = s * s, w = z * z;
    const double even =
        PG_POLY4(w, 0x1.5555555555592p-1, 0x1.24924941fd270p-2, 0x1.74664141d88e0p-3, 0x1.2f0812b775924p-3);
    const double odd = PG_POLY3(w, 0x1.999999997fcf5p-2, 0x1.c71c51feb7fdbp-3, 0x1.39a17a2b921fdp-3);
    return s * PG_FMA(z, PG_FMA(odd, z, even), hfsq);
}

/* The value of a logarithm at 0, negative numbers, inf and NaN; y elsewhere. */
PG_INLINE double pg_log_edges_f64(double x, double y) {
    double r = x == INFINITY ? x : y;
    r = x == 0.0 ? -INFINITY : r;
    return x < 0.0 ? NAN : (x != x ? x : r);
}

/* log(u + c) = h + l for normal u > 0 and |c| <= ulp(u). */
PG_INLINE void pg_log_dd_f64(double u, double c, double *h, double *l) {
    double m, kd, s, e;
    pg_log_split_f64(u, &m, &kd);
    const double f = m - 1.0, hfsq = 0.5 * f * f;
    const double scale = kd > 60.0 ? 0.0 : pg_pow2_f64(PG_MAGIC_BITS_F64 - pg_bits_f64(kd + PG_MAGIC_F64));
    const double g = c * scale;                                /* c 2^-k: log(1 + f + g) = log(1 + f) + g / (1 + f), */
    const double corr = g * PG_POLY4(f, 1.0, -1.0, 1.0, -1.0); /* and g is at most an ulp of 1 + f */
    pg_fast_two_sum_f64(kd * PG_LN2_HI_F64, f, &s, &e);
    const double t = pg_log_t_f64(f, hfsq) + (kd * PG_LN2_LO_F64 + corr);
    *h = s;
    *l = e - (hfsq - t);
}

/* [v] */
PG_INLINE double pg_log_f64(double x) {
    double m, kd, s, e;
    pg_log_split_f64(x, &m, &kd);
    const double f = m - 1.0, hfsq = 0.5 * f * f;
    pg_fast_two_sum_f64(kd * PG_LN2_HI_F64, f, &s, &e);
    const double t = PG_FMA(kd, PG_LN2_LO_F64, pg_log_t_f64(f, hfsq));
    return pg_log_edges_f64(x, s + (e - (hfsq - t)));
}

/* log(1 + v + vl) = h + l for v > -1, |vl| <= ulp(v): 1 + v = u + c exactly; near 0 the series to v^2 is enough. */
PG_INLINE void pg_log1p_dd_f64(double v, double vl, double *h, double *l) {
    double u, c, uh, ul;
    pg_two_sum_f64(1.0, v, &u, &c);
    pg_log_dd_f64(u, v > 0x1p60 ? 0.0 : c + vl, &uh, &ul);
    const int small = fabs(v) < 0x1p-28;
    *h = small ? v : uh;
    *l = small ? PG_FMA(-0.5 * v, v, vl) : ul;
}

/* [v] */
PG_INLINE double pg_log1p_f64(double x) {
    double h, l;
    pg_log1p_dd_f64(x, 0.0, &h, &l);
    return copysign(pg_log_edges_f64(1.0 + x, h + l), x);
}

/* log(x) / log(b) + k log_b(2): f - f^2/2 is cut to 21 bits, so that its product with the short half of
 * 1/log(b) is exact. */
PG_INLINE double pg_log_base_f64(double x, double inv_hi, double inv_lo, double two_hi, double two_lo) {
    double m, kd, s, e;
    pg_log_split_f64(x, &m, &kd);
    const double f = m - 1.0, hfsq = 0.5 * f * f;
    const double hi = pg_from_bits_f64(pg_bits_f64(f - hfsq) & UINT64_C(0xffffffff00000000));
    const double lo = ((f - hi) - hfsq) + pg_log_t_f64(f, hfsq);
    const double small = PG_FMA(kd, two_lo, PG_FMA(lo + hi, inv_lo, lo * inv_hi));
    pg_fast_two_sum_f64(kd * two_hi, hi * inv_hi, &s, &e);
    return pg_log_edges_f64(x, s + (e + small));
}

/* [v] */
PG_INLINE double pg_log2_f64(double x) {
    return pg_log_base_f64(x, 0x1.7154765200000p+0, 0x1.705fc2eefa200p-33, 1.0, 0.0);
}
PG_INLINE double pg_log10_f64(double x) {
    return pg_log_base_f64(x, 0x1.bcb7b15200000p-2, 0x1.b9438ca9aadd5p-36, 0x1.34413509f0000p-2, 0x1.e7fbcc47c4acdp-40);
}

/* m + log(1 + e^-d) for d = dh + dl >= 0, dh not NaN. */
PG_INLINE double pg_log1pexp_add_f64(double m, double dh, double dl) {
    double h, l, s, e;
    uint64_t k;
    const double y = dh > 746.0 ? 746.0 : dh;
    pg_exp_dd_f64(-y, &k, &h, &l);
    h = pg_scale_f64(h, k);
    l = pg_scale_f64(l, k) - h * dl;
    pg_log1p_dd_f64(h, l, &h, &l);
    pg_two_sum_f64(m, h, &s, &e);
    return s + (e + l);
}

/* [v] log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). */
PG_INLINE double pg_softplus_f64(double x) {
    const double r = pg_log1pexp_add_f64(x > 0.0 ? x : 0.0, fabs(x), 0.0);
    return x == INFINITY ? x : r;
}

/* [v] log(e^a + e^b), within an ulp, or an eps near its zeros; equal infinities give themselves. */
PG_INLINE double pg_logaddexp_f64(double a, double b) {
    const double hi = a >= b ? a : b, lo = a >= b ? b : a;
    double d, dl;
    pg_two_sum_f64(hi, -lo, &d, &dl);
    const double r = pg_log1pexp_add_f64(hi, d, d < 746.0 ? dl : 0.0);
    const double sum = a + b; /* NaN if either is; with one infinite, the larger is the answer */
    return sum != sum ? (((a != a) | (b != b)) ? sum : INFINITY) : (fabs(sum) == INFINITY ? hi + 0.0 : r);
}

/* [v] log(a + sqrt(a^2 + 1)), a = |x|, its argument as a double-double; log(2 a) beyond 2^30. */
PG_INLINE double pg_arcsinh_f64(double x) {
    const double a = fabs(x);
    const int large = a > 0x1p30;
    const double b = large ? 0.0 : a;
    double p, pe, s, se, w, wl, u, c, h, l;
    pg_two_prod_f64(b, b, &p, &pe);
    pg_two_sum_f64(1.0, p, &s, &se);
    pg_dd_sqrt_f64(s, se + pe, &w, &wl);
    pg_two_sum_f64(b, w, &u, &c);
    pg_log_dd_f64(large ? a : u, large ? 0.0 : c + wl, &h, &l);
    const double r = large ? h + (PG_LN2_F64 + l) : h + l;
    return copysign(a < INFINITY ? r : a, x);
}

/* [v] log(x + sqrt(x^2 - 1)) likewise. */
PG_INLINE double pg_arccosh_f64(double x) {
    const int large = x > 0x1p30;
    const double b = large ? 1.0 : x;
    double p, pe, s, se, w, wl, u, c, h, l;
    pg_two_prod_f64(b, b, &p, &pe);
    pg_two_sum_f64(p, -1.0, &s, &se);
    pg_dd_sqrt_f64(s, se + pe, &w, &wl);
    pg_two_sum_f64(b, w, &u, &c);
    pg_log_dd_f64(large ? x : u, large ? 0.0 : c + wl, &h, &l);
    const double r = large ? h + (PG_LN2_F64 + l) : h + l;
    return x < 1.0 ? NAN : (x < INFINITY ? r : x);
}

/* [v] With 2^k near (1 + a)/(1 - a), a = |x|, and s = (1 + a - 2^k (1 - a)) / (1 + a + 2^k (1 - a)),
 *   arctanh(a) = k ln2/2 + arctanh(s), |s| < 0.205, where k = 0 and s = a for a < 1/6.
 * k comes from the difference of the two representations as integers; polynomial in s^2 by Remez, 2^-62. */
PG_INLINE double pg_arctanh_f64(double x) {
    const double a = fabs(x);
    const double b = a < 1.0 ? a : 0.0;
    double p, pe, m, me, s, sl, hi, lo;
    pg_fast_two_sum_f64(1.0, b, &p, &pe);
    pg_fast_two_sum_f64(1.0, -b, &m, &me);
    const uint64_t k = (pg_bits_f64(p) - pg_bits_f64(m) + (UINT64_C(1) << 51)) >> 52;
    const double two_k = pg_pow2_f64(k), kd = pg_from_bits_f64(k | UINT64_C(0x4330000000000000)) - 0x1p52;
    double nh, nl, dh, dl;
    pg_two_sum_f64(p, -m * two_k, &nh, &nl);
    pg_two_sum_f64(nh, nl + (pe - me * two_k), &nh, &nl);
    pg_two_sum_f64(p, m * two_k, &dh, &dl);
    pg_dd_div_f64(nh, nl, dh, dl + (pe + me * two_k), &s, &sl);
    const double z = s * s;
    const double poly =
        PG_POLY8(z, 0x1.555555555554cp-2, 0x1.999999999d1b9p-3, 0x1.24924920fa1b1p-3, 0x1.c71c75563adeep-4,
                 0x1.745c1e2b68ef5p-4, 0x1.3b3b407db0692p-4, 0x1.0d723e7acc6d0p-4, 0x1.1dcb0c95f3a10p-4);
    pg_fast_two_sum_f64(kd * (0.5 * PG_LN2_HI_F64), s, &hi, &lo);
    const double r = hi + (lo + PG_FMA(s * z, poly, PG_FMA(kd, 0.5 * PG_LN2_LO_F64, sl)));
    return a > 1.0 ? NAN : (a == 1.0 ? copysign(INFINITY, x) : (x != x ? x : copysign(r, x)));
}

/* [v] A third of the exponent field is within 6 % (Kahan); Halley's step takes that below 2^-14, the result is cut to
 * 17 bits so that its cube is exact, and three terms of (1 + d)^(1/3), d = x/y^3 - 1, give the rest. */
PG_INLINE double pg_cbrt_f64(double x) {
    const double a = fabs(x);
    const int tiny = a < 0x1p-1000, huge = a > 0x1p1000;
    const double v = tiny ? a * 0x1p102 : (huge ? a * 0x1p-102 : a);
    const uint64_t third = ((pg_bits_f64(v) >> 32) * UINT64_C(0x55555556)) & UINT64_C(0xffffffff00000000);
    const double g = pg_from_bits_f64(third + UINT64_C(0x2a9f789300000000));
    const double g3 = g * g * g;
    const double y0 = g * ((g3 + (v + v)) / ((g3 + g3) + v));
    const double y = pg_from_bits_f64((pg_bits_f64(y0) + UINT64_C(0x800000000)) & UINT64_C(0xfffffff000000000));
    const double y3 = y * y * y, d = (v - y3) / y3;
    const double r = PG_FMA(y, d * PG_POLY3(d, 0x1.5555555555555p-2, -0x1.c71c71c71c71cp-4, 0x1.f9add3c0ca458p-5), y);
    const double back = tiny ? r * 0x1p-34 : (huge ? r * 0x1p34 : r);
    return ((a == 0.0) | !(a < INFINITY)) ? x : copysign(back, x);
}

/* [v] f32: through f64, rounded once. */
PG_INLINE float pg_logaddexp_f32(float a, float b) { return (float)pg_logaddexp_f64((double)a, (double)b); }
PG_INLINE float pg_cbrt_f32(float x) { return (float)pg_cbrt_f64((double)x); }
PG_INLINE float pg_arcsinh_f32(float x) { return (float)pg_arcsinh_f64((double)x); }
PG_INLINE float pg_arccosh_f32(float x) { return (float)pg_arccosh_f64((double)x); }
PG_INLINE float pg_arctanh_f32(float x) { return (float)pg_arctanh_f64((double)x); }

#endif
