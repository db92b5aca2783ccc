/* Inverse trigonometry in f64 (f32 at the end): arctan arcsin arccos arctan2, all straight-line code. */
#ifndef PG_MATH_INVERSE_H
#define PG_MATH_INVERSE_H

#include "pg_math_base.h"

#define PG_PI_HI_F64 0x1.921fb54442d18p+1
#define PG_PI_LO_F64 0x1.1a62633145c07p-53

/* (arctan(t) - t) / t^3 for z = t^2, |t| <= 1/2: minimax (Remez, 2^-62). */
PG_INLINE double pg_arctan_poly_f64(double z) {
    const double w = z * z;
    const double even =
        PG_POLY7(w, -0x1.5555555555552p-2, -0x1.24924924513e0p-3, -0x1.745d138184390p-4, -0x1.110c693b0cb5bp-4,
                 -0x1.ac709fada2ed0p-5, -0x1.300eac8c54c98p-5, -0x1.1213aff6d3b22p-7);
    const double odd = PG_POLY6(w, 0x1.9999999999056p-3, 0x1.c71c71aa51f7dp-4, 0x1.3b135fe62de52p-4,
                                0x1.e18269d36dec1p-5, 0x1.77f55de617dc0p-5, 0x1.8384478c108a1p-6);
    return PG_FMA(odd, z, even);
}

/* [v] arctan(x) is arctan(x) below 1/2, pi/4 + arctan((x - 1)/(x + 1)) to 2, and pi/2 + arctan(-1/x) beyond: one
 * division, corrected by its remainder, and a polynomial on |t| <= 1/2. */
PG_INLINE double pg_arctan_f64(double x) {
    const double b = fabs(x), a = b > 0x1p60 ? 0x1p60 : b;
    const int middle = a > 0.5, large = a > 2.0;
    const double den1 = a + 1.0, low = a - (den1 - 1.0); /* a - 1 is exact in the middle, a + 1 = den1 + low */
    const double num = large ? -1.0 : (middle ? a - 1.0 : a);
    const double den = large ? a : (middle ? den1 : 1.0);
    double hi = middle ? 0.25 * PG_PI_HI_F64 : 0.0, lo = middle ? 0.25 * PG_PI_LO_F64 : 0.0;
    hi = large ? 0.5 * PG_PI_HI_F64 : hi;
    lo = large ? 0.5 * PG_PI_LO_F64 : lo;
    const double extra = large ? 0.0 : (middle ? low : 0.0);
    double t, tl, s, e;
    pg_dd_div_f64(num, 0.0, den, extra, &t, &tl);
    const double z = t * t, p = PG_FMA(t * z, pg_arctan_poly_f64(z), lo + tl);
    pg_fast_two_sum_f64(hi, t, &s, &e);
    return copysign(s + (e + p), x);
}

/* [v] The angle of n/d, the smaller of |x| and |y| over the larger, is arctan(n/d) up to 1/2 and beyond it
 * pi/4 + arctan((n - d)/(n + d)); the octant adds it to a multiple of pi/2 or takes it from there. */
PG_INLINE double pg_arctan2_f64(double y0, double x0) {
    const double x = pg_along_f64(x0, y0), y = pg_along_f64(y0, x0);
    const double ax = fabs(x), ay = fabs(y), right = copysign(1.0, x);
    const int steep = ay > ax;
    const double least = steep ? ax : ay, most = steep ? ay : ax;
    double n = most == INFINITY ? (least == INFINITY ? 1.0 : 0.0) : least;
    double d = ((most == INFINITY) | (most == 0.0)) ? 1.0 : most;
    const double scale = d > 0x1p500 ? 0x1p-600 : (d < 0x1p-400 ? 0x1p600 : 1.0);
    n *= scale;
    d *= scale;
    const int middle = n + n > d;
    double den, low, t, tl, base, rest, s, e;
    pg_fast_two_sum_f64(d, n, &den, &low);
    pg_dd_div_f64(middle ? n - d : n, 0.0, middle ? den : d, middle ? low : 0.0, &t, &tl);
    const double z = t * t, p = PG_FMA(t * z, pg_arctan_poly_f64(z), tl);
    const double turns = steep ? 0.5 : (right < 0.0 ? 1.0 : 0.0); /* of half a turn, to which the angle */
    const double sign = steep ? -right : right;                   /* is added, or from which it is taken */
    const double quarter = middle ? 0.25 * sign : 0.0;
    pg_fast_two_sum_f64(turns * PG_PI_HI_F64, quarter * PG_PI_HI_F64, &base, &rest);
    rest = PG_FMA(turns + quarter, PG_PI_LO_F64, rest);
    pg_fast_two_sum_f64(base, sign * t, &s, &e);
    double r = s + (e + PG_FMA(sign, p, rest));
    /* a small quotient is the angle, and may be subnormal */
    r = ((least <= most * 0x1p-60) & !steep & (right > 0.0) & (most > 0.0) & (most < INFINITY)) ? least / most : r;
    return ((x != x) | (y != y)) ? x + y : copysign(r, y);
}

/* arcsin(s) = s + s z P(z) for s = |x| <= 1/2 or s = sqrt((1 - |x|)/2), z = s^2, as leading term s and rest *l: P by
 * Remez, 2^-56 absolute. */
PG_INLINE double pg_arcsin_half_f64(double a, double *l) {
    const int large = a > 0.5;
    const double z = large ? 0.5 * (1.0 - a) : a * a, w = z * z;
    double r, rl;
    pg_dd_sqrt_f64(large ? z : 0.0, 0.0, &r, &rl);
    const double even =
        PG_POLY7(w, 0x1.5555555555556p-3, 0x1.6db6db6e4000ep-5, 0x1.6e8bb30c761b7p-6, 0x1.c9d2594d3432ap-7,
                 0x1.530d95f2852b0p-7, 0x1.21960646a4398p-6, 0x1.dbce387530128p-6);
    const double odd = PG_POLY6(w, 0x1.3333333332e35p-4, 0x1.f1c71c1561514p-6, 0x1.1c4d18a862d1bp-6,
                                0x1.78067bd5a573dp-7, 0x1.5ef37573abb31p-8, -0x1.f477264ddc7efp-7);
    const double s = large ? r : a;
    *l = PG_FMA(s * z, PG_FMA(odd, z, even), large ? rl : 0.0);
    return s;
}

/* [v] arcsin(x) for |x| <= 1/2, pi/2 - 2 arcsin(sqrt((1 - |x|)/2)) beyond. */
PG_INLINE double pg_arcsin_f64(double x) {
    const double a = fabs(x);
    double l, h, e;
    const double s = pg_arcsin_half_f64(a, &l);
    pg_fast_two_sum_f64(0.5 * PG_PI_HI_F64, -(s + s), &h, &e);
    const double r = a > 0.5 ? h + (e + (0.5 * PG_PI_LO_F64 - (l + l))) : s + l;
    return a > 1.0 ? NAN : copysign(r, x);
}

/* [v] pi/2 - arcsin(x) for |x| <= 1/2, beyond 2 arcsin(sqrt((1 - |x|)/2)), or pi less that. */
PG_INLINE double pg_arccos_f64(double x) {
    const double a = fabs(x);
    double l, h, e;
    const double s = pg_arcsin_half_f64(a, &l);
    const int large = a > 0.5;
    const double turn = large ? 1.0 : 0.5, take = large ? s + s : copysign(s, x),
                 rest = large ? l + l : copysign(1.0, x) * l;
    pg_fast_two_sum_f64(turn * PG_PI_HI_F64, -take, &h, &e);
    const double r = h + (e + (turn * PG_PI_LO_F64 - rest));
    return a > 1.0 ? NAN : ((large & (x > 0.0)) ? take + rest : r);
}

/* [v] f32: through f64, rounded once. */
PG_INLINE float pg_arcsin_f32(float x) { return (float)pg_arcsin_f64((double)x); }
PG_INLINE float pg_arccos_f32(float x) { return (float)pg_arccos_f64((double)x); }
PG_INLINE float pg_arctan2_f32(float y, float x) { return (float)pg_arctan2_f64((double)y, (double)x); }

#endif
