/* Powers: a^b for any two numbers, as straight-line code, and hypot.
 *
 * Method: log a as a double-double of about 66 bits, from 2 atanh(s) = 2 s (1 + z/3 + z^2/5 + z^3 Q(z)), z = s^2, s =
 * f/(2 + f) by a division of double-doubles; b log a, whose error then stays below 2^-56; and the exponential of
 * pg_math_exp.h with the low part carried along. Zeros, infinities, NaN and signs are chosen at the end, as in C99
 * Annex F. */
#ifndef PG_MATH_POW_H
#define PG_MATH_POW_H

#include "pg_math_arith.h"
#include "pg_math_base.h"
#include "pg_math_exp.h"
#include "pg_math_log.h"
#include "pg_math_single.h"

/* log(x (1 + r)) = h + l, to about 2^-66 relative, for finite x > 0 and |r| <= 2^-52; some finite numbers for 0, inf
 * and NaN. Q by Remez, 2^-52. */
PG_INLINE void pg_log_fine_f64(double x, double r, double *h, double *l) {
    double m, kd, d, dl, s, sl, z, zl, t, tl, v, vl, p, pl, a, al, e;
    pg_log_split_f64(x, &m, &kd);
    const double f = m - 1.0;
    const double g = r * m; /* x (1 + r) = 2^k (1 + f + g) */
    pg_fast_two_sum_f64(2.0, f, &d, &dl);
    pg_dd_div_f64(f, g, d, dl + g, &s, &sl);
    pg_two_prod_f64(s, s, &z, &zl);
    zl = PG_FMA(s + s, sl, zl);
    const double w = z * z;
    const double even =
        PG_POLY4(w, 0x1.2492492492499p-3, 0x1.745d175a5f0bfp-4, 0x1.11168746f7667p-4, 0x1.dc7df93e82092p-5);
    const double odd = PG_POLY3(w, 0x1.c71c71c71224dp-4, 0x1.3b13a1dcfb4afp-4, 0x1.dfe5b107d07abp-5);
    pg_fast_two_sum_f64(0x1.999999999999ap-3, z * PG_FMA(odd, z, even), &t, &tl);
    tl -= 0x1.999999999999ap-57;
    pg_two_prod_f64(z, t, &v, &vl);
    vl = PG_FMA(z, tl, PG_FMA(zl, t, vl));
    pg_fast_two_sum_f64(0x1.5555555555555p-2, v, &t, &tl);
    tl += 0x1.5555555555555p-56 + vl;
    pg_two_prod_f64(z, t, &v, &vl);
    vl = PG_FMA(z, tl, PG_FMA(zl, t, vl));
    pg_two_prod_f64(s + s, v, &p, &pl);
    pl = PG_FMA(s + s, vl, PG_FMA(sl + sl, v, pl));
    pg_fast_two_sum_f64(kd * PG_LN2_HI_F64, s + s, &a, &al);
    pg_fast_two_sum_f64(a, p, h, &e);
    *l = (al + e) + PG_FMA(kd, PG_LN2_LO_F64, pl + (sl + sl));
}

/* x^y where |x|^y = r for finite x != 0, and all special cases. */
PG_INLINE double pg_pow_edges_f64(double x, double y, double r) {
    const double a = fabs(x), half = 0.5 * y;
    const int whole = pg_round_f64(y) == y, odd = whole & (pg_round_f64(half) != half);
    r = a == 0.0 ? (y < 0.0 ? INFINITY : 0.0) : r;
    r = a == INFINITY ? (y < 0.0 ? 0.0 : INFINITY) : r;
    r *= odd ? copysign(1.0, x) : 1.0;
    r = ((x < 0.0) & (a < INFINITY) & !whole) ? NAN : r;
    r = ((x != x) | (y != y)) ? x + y : r;
    return ((y == 0.0) | (x == 1.0)) ? 1.0 : r;
}

/* [v] Beyond 2^70 an exponent gives 0, 1 or inf; beyond the clamps the result is 0 or inf already. */
PG_INLINE double pg_pow_f64(double x0, double y0) {
    const double x = pg_along_f64(x0, y0), y = pg_along_f64(y0, x0);
    double h, l, p, pl, kd, rh, rl, s, e;
    uint64_t k;
    double b = y > 0x1p70 ? 0x1p70 : y;
    b = b < -0x1p70 ? -0x1p70 : b;
    pg_log_fine_f64(fabs(x), 0.0, &h, &l);
    pg_two_prod_f64(b, h, &p, &pl);
    pl = ((p > 710.0) | (p < -746.0)) ? 0.0 : PG_FMA(b, l, pl);
    p = p > 710.0 ? 710.0 : p;
    p = p < -746.0 ? -746.0 : p;
    pg_exp_reduce_f64(p, &kd, &k, &rh, &rl);
    const double tail = pg_exp_tail_f64(rh, rl - pl);
    pg_fast_two_sum_f64(1.0, rh, &s, &e);
    return pg_pow_edges_f64(x, y, pg_scale_f64(s + (e + tail), k));
}

PG_INLINE float pg_pow_edges_f32(float x, float y, float r) {
    const float a = fabsf(x), half = 0.5F * y;
    const int whole = pg_round_f32(y) == y, odd = whole & (pg_round_f32(half) != half);
    r = a == 0.0F ? (y < 0.0F ? INFINITY : 0.0F) : r;
    r = a == INFINITY ? (y < 0.0F ? 0.0F : INFINITY) : r;
    r *= odd ? copysignf(1.0F, x) : 1.0F;
    r = ((x < 0.0F) & (a < INFINITY) & !whole) ? NAN : r;
    r = ((x != x) | (y != y)) ? x + y : r;
    return ((y == 0.0F) | (x == 1.0F)) ? 1.0F : r;
}

/* log x = h + l, to about 2^-35 relative, for finite x > 0; some finite numbers for 0, inf and NaN. With s = f/(2 + f)
 * the inverse of 2 + f is (1 - s)/2. */
PG_INLINE void pg_log_fine_f32(float x, float *h, float *l) {
    const int tiny = x < FLT_MIN;
    uint32_t n;
    float m, d, dl, p, pl, z, zl, c, cl, v, vl, a, al, e;
    pg_log_split_f32(tiny ? x * 0x1p23F : x, &m, &n);
    const float kd = pg_count_f32(n) - (tiny ? 23.0F : 0.0F), f = m - 1.0F;
    pg_fast_two_sum_f32(2.0F, f, &d, &dl);
    const float s = f / d;
    pg_two_prod_f32(s, d, &p, &pl);
    const float sl = (((f - p) - pl) - s * dl) * (0.5F - 0.5F * s);
    pg_two_prod_f32(s, s, &z, &zl);
    zl = PG_FMAF(s + s, sl, zl);
    pg_fast_two_sum_f32(0x1.555556p-2F, z * PG_POLYF3(z, 0x1.999a00p-3F, 0x1.24527ep-3F, 0x1.dfa1b6p-4F), &c, &cl);
    cl -= 0x1.555556p-27F;
    pg_two_prod_f32(z, c, &v, &vl);
    vl = PG_FMAF(z, cl, PG_FMAF(zl, c, vl));
    pg_two_prod_f32(s + s, v, &p, &pl);
    pl = PG_FMAF(s + s, vl, PG_FMAF(sl + sl, v, pl));
    pg_fast_two_sum_f32(kd * PG_LN2_HI_F32, s + s, &a, &al);
    pg_fast_two_sum_f32(a, p, h, &e);
    *l = (al + e) + PG_FMAF(kd, PG_LN2_LO_F32, pl + (sl + sl));
}

/* [v] As in f64, in f32 alone: within 2 ulp. */
PG_INLINE float pg_pow_f32(float x0, float y0) {
    const float x = pg_along_f32(x0, y0), y = pg_along_f32(y0, x0);
    float h, l, p, pl, q;
    pg_log_fine_f32(fabsf(x), &h, &l);
    const float b = pg_clamp_f32(y, -0x1p100F, 0x1p100F);
    pg_two_prod_f32(b, h, &p, &pl);
    pl = ((p > 89.0F) | (p < -104.0F)) ? 0.0F : PG_FMAF(b, l, pl);
    const uint32_t k = pg_exp_sum_f32(pg_clamp_f32(p, -104.0F, 89.0F), pl, &q);
    return pg_pow_edges_f32(x, y, pg_scale_f32(1.0F + q, k));
}

/* [v] sqrt(x^2 + y^2) with the sum as a double-double, scaled so that no square leaves the range that matters. */
PG_INLINE double pg_hypot_f64(double x0, double y0) {
    const double x = pg_along_f64(x0, y0), y = pg_along_f64(y0, x0);
    const double a = fabs(x), b = fabs(y), high = a > b ? a : b;
    const double scale = high > 0x1p500 ? 0x1p-600 : (high < 0x1p-400 ? 0x1p600 : 1.0);
    const double back = high > 0x1p500 ? 0x1p600 : (high < 0x1p-400 ? 0x1p-600 : 1.0);
    const double u = (a > b ? a : b) * scale, v = (a > b ? b : a) * scale;
    double p, pl, q, ql, s, e, w, wl;
    pg_two_prod_f64(u, u, &p, &pl);
    pg_two_prod_f64(v, v, &q, &ql);
    pg_fast_two_sum_f64(p, q, &s, &e);
    pg_dd_sqrt_f64(s, e + (pl + ql), &w, &wl);
    const double r = (w + wl) * back;
    return ((a == INFINITY) | (b == INFINITY)) ? INFINITY : (((x != x) | (y != y)) ? x + y : r);
}

#endif
