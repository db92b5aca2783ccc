/* The exponential family in f64: exp expm1 exp2 sinh cosh tanh sigmoid silu gaussian, all
 * straight-line code.
 *
 * Method: x = k ln2 + r with |r| <= ln2/2, ln2 in two parts (Cody & Waite 1980), the leading one short enough that
 * k LN2_HI and x - k LN2_HI are exact, so r = rh - rl is known to about 80 bits. e^r = 1 + r + r^2/2 + r^3 q(r), with q
 * a minimax polynomial (Remez, weighted for the relative error of e^r, 2^-62); 1 + rh is added without error, which
 * leaves little more than the final rounding. */
#ifndef PG_MATH_EXP_H
#define PG_MATH_EXP_H

#include "pg_math_base.h"

#define PG_LOG2E_F64  0x1.71547652b82fep+0
#define PG_LN2_F64    0x1.62e42fefa39efp-1
#define PG_LN2_HI_F64 0x1.62e42fefa3000p-1 /* 41 bits: k LN2_HI is exact for |k| < 2^12 */
#define PG_LN2_LO_F64 0x1.3de6af278ece6p-42

/* e^r - 1 - rh for r = rh - rl; by Estrin's scheme, in which few operations wait for each other */
PG_INLINE double pg_exp_tail_f64(double rh, double rl) {
    const double r = rh - rl, z = r * r, r3 = r * z;
    const double a = PG_POLY2(r, 0x1.5555555555556p-3, 0x1.555555555553cp-5);
    const double b = PG_POLY2(r, 0x1.1111111110146p-7, 0x1.6c16c16c248e5p-10);
    const double c = PG_POLY2(r, 0x1.a01a01ac3e9bdp-13, 0x1.a01a0153a6a9ep-16);
    const double d = PG_POLY2(r, 0x1.71de0085ee1e0p-19, 0x1.27e59cb8bc5f4p-22);
    const double e = PG_POLY2(r, 0x1.af51c91e0ce97p-26, 0x1.1e3927f6217c8p-29);
    const double low = PG_FMA(r3, PG_FMA(z, b, a), PG_FMA(0.5 * r, r, -rl));
    return PG_FMA(r3 * (z * z), PG_POLY3(z, c, d, e), low);
}

/* x = k ln2 + (rh - rl); *k is k in two's complement, *kd is k as a double. For |x| < 2^40 or NaN. */
PG_INLINE void pg_exp_reduce_f64(double x, double *kd, uint64_t *k, double *rh, double *rl) {
    const double t = PG_FMA(x, PG_LOG2E_F64, PG_MAGIC_F64);
    const double n = t - PG_MAGIC_F64;
    *k = pg_bits_f64(t) - PG_MAGIC_BITS_F64;
    *kd = n;
    *rh = PG_FMA(-n, PG_LN2_HI_F64, x);
    *rl = n * PG_LN2_LO_F64;
}

/* e^x = 2^k (h + l), |l| <= ulp(h), where e^x neither overflows nor underflows twice over. */
PG_INLINE void pg_exp_dd_f64(double x, uint64_t *k, double *h, double *l) {
    double kd, rh, rl, s, e;
    pg_exp_reduce_f64(x, &kd, k, &rh, &rl);
    const double p = pg_exp_tail_f64(rh, rl);
    pg_fast_two_sum_f64(1.0, rh, &s, &e);
    pg_fast_two_sum_f64(s, e + p, h, l);
}

/* [v] Past the clamps the result is inf or 0 already; NaN passes through. */
PG_INLINE double pg_exp_f64(double x) {
    double kd, rh, rl, s, e;
    uint64_t k;
    x = x > 710.0 ? 710.0 : x;
    x = x < -746.0 ? -746.0 : x;
    pg_exp_reduce_f64(x, &kd, &k, &rh, &rl);
    const double p = pg_exp_tail_f64(rh, rl);
    pg_fast_two_sum_f64(1.0, rh, &s, &e);
    return pg_scale_f64(s + (e + p), k);
}

/* [v] 2^x: k = round(x), and x - k is exact. r ln2 is formed from an upper half of r times a short LN2. */
PG_INLINE double pg_exp2_f64(double x) {
    x = x > 1025.0 ? 1025.0 : x;
    x = x < -1077.0 ? -1077.0 : x;
    const double t = x + PG_MAGIC_F64;
    const uint64_t k = pg_bits_f64(t) - PG_MAGIC_BITS_F64;
    const double r = x - (t - PG_MAGIC_F64), z = r * r;
    const double even = PG_POLY5(z, 0x1.ebfbdff82c598p-3, 0x1.3b2ab6fba1cd3p-7, 0x1.43091309fb4c9p-13,
                                 0x1.62bfd299fc7d2p-20, 0x1.e609fe67ca91fp-28);
    const double odd = PG_POLY5(z, 0x1.c6b08d704a05bp-5, 0x1.5d87fe78c126fp-10, 0x1.ffcbfbc939cc6p-17,
                                0x1.b526604aafddep-24, 0x1.e79f5c4bd4648p-32);
    const double c = 0x1.8p26, rh = (r + c) - c, rl = r - rh; /* rh has at most 26 bits, */
    const double h = rh * 0x1.62e42f8p-1;                     /* so this is exact */
    const double l = PG_FMA(rh, 0x1.be8e7bcd5e4f2p-27, rl * 0x1.62e42fefa39efp-1);
    double s, e;
    pg_fast_two_sum_f64(1.0, h, &s, &e);
    return pg_scale_f64(s + (e + PG_FMA(z, PG_FMA(odd, r, even), l)), k);
}

/* [v] e^x - 1 = 2^k ((1 - 2^-k) + e^r - 1), every addition of a leading term kept with its error. */
PG_INLINE double pg_expm1_f64(double x) {
    double kd, rh, rl, a, ae, s, e;
    uint64_t k;
    double y = x > 710.0 ? 710.0 : x;
    y = y < -50.0 ? -50.0 : y;
    pg_exp_reduce_f64(y, &kd, &k, &rh, &rl);
    const double r = rh - rl; /* its rounding error shows in r^2/2 when 1 + r nearly cancels */
    const double p = PG_FMA(r, (rh - r) - rl, pg_exp_tail_f64(rh, rl));
    const double inv = kd > 1000.0 ? 0.0 : pg_pow2_f64(0U - k);
    pg_two_sum_f64(1.0, -inv, &a, &ae);
    pg_two_sum_f64(a, rh, &s, &e);
    return copysign(pg_scale_f64(s + ((e + ae) + p), k), x);
}

/* cosh r - 1 and sinh r - r on |r| <= ln2/2, by minimax polynomials in r^2 (2^-70 and 2^-61 relative). */
PG_INLINE double pg_cosh_c_f64(double z) {
    return z * PG_POLY6(z, 0x1.0000000000000p-1, 0x1.555555555555cp-5, 0x1.6c16c16c13efdp-10, 0x1.a01a01b18b257p-16,
                        0x1.27e4c4e8adefap-22, 0x1.1f956bc9b8e08p-29);
}
PG_INLINE double pg_sinh_s_f64(double r, double z) {
    return r * z *
           PG_POLY5(z, 0x1.5555555555559p-3, 0x1.111111110f699p-7, 0x1.a01a01afeedc1p-13, 0x1.71ddf83863a0ap-19,
                    0x1.af5ef2e8922f3p-26);
}

/* sinh (sign = -1) or cosh (sign = +1) of x >= 0. With x = k ln2 + r and w = 2^-2k,
 *   2^(1-k) cosh x = (1 + w) cosh r + (1 - w) sinh r,   2^(1-k) sinh x = (1 - w) cosh r + (1 + w) sinh r,
 * whose leading terms 1, w, r and w r are exact; for k = 0 sinh is the odd polynomial alone. No division. */
PG_INLINE double pg_sinh_cosh_f64(double x, double sign) {
    double kd, rh, rl, a, ae, s, e, u, ue;
    uint64_t k;
    x = x > 711.0 ? 711.0 : x;
    pg_exp_reduce_f64(x, &kd, &k, &rh, &rl);
    const double w = sign * (kd > 500.0 ? 0.0 : pg_pow2_f64(0U - 2U * k));
    const double r = rh - rl, z = r * r;
    pg_fast_two_sum_f64(1.0, w, &a, &ae);
    pg_two_sum_f64(a, rh, &s, &e);
    pg_two_sum_f64(s, -w * rh, &u, &ue);
    const double d = 1.0 - w;
    const double rest = PG_FMA(a, pg_cosh_c_f64(z), d * (pg_sinh_s_f64(r, z) - rl));
    return pg_scale_f64(u + (((e + ue) + ae) + rest), k - 1U);
}

/* [v] */
PG_INLINE double pg_sinh_f64(double x) { return copysign(pg_sinh_cosh_f64(fabs(x), -1.0), x); }
PG_INLINE double pg_cosh_f64(double x) { return pg_sinh_cosh_f64(fabs(x), 1.0); }

/* [v] tanh x = x + x^3 P(x^2)/Q(x^2) for |x| < 0.5625 (the form of Cody & Waite; P and Q interpolate at Chebyshev
 * nodes, 2^-57), else 1 - 2/(e^2x + 1). Both share one division. */
PG_INLINE double pg_tanh_f64(double x) {
    const double a = fabs(x), z = a * a;
    const double y = a > 20.0 ? 20.0 : a;
    double h, l, d, dl, p, pe, s, se;
    uint64_t k;
    pg_exp_dd_f64(y + y, &k, &h, &l);
    const double two_k = pg_pow2_f64(k);
    pg_two_sum_f64(h * two_k, 1.0, &d, &dl);
    dl = PG_FMA(l, two_k, dl);
    const double num = a * z * PG_POLY3(z, -0x1.5555555555555p-2, -0x1.4fe55cb152ab2p-6, -0x1.a1f43a7aa22edp-13);
    const double den = PG_POLY4(z, 1.0, 0x1.d8949afad9185p-2, 0x1.7da9cee144345p-6, 0x1.b165c972af204p-13);
    const int small = a < 0.5625;
    const double q = (small ? num : 2.0) / (small ? den : d);
    pg_two_prod_f64(q, d, &p, &pe); /* the remainder of 2/(d + dl), and 1/d = q/2 */
    const double correction = (((2.0 - p) - pe) - q * dl) * (0.5 * q);
    pg_fast_two_sum_f64(1.0, -q, &s, &se);
    return copysign(small ? a + q : s + (se - correction), x);
}

/* [v] 1/(1 + e^-x) as n/d with n = 1 or e^-|x| and d = 1 + e^-|x|, each in two parts so that neither end loses digits.
 * The quotient is corrected by its remainder, an ulp or so: for that, 1/d on [1, 2] is close enough to a straight line.
 * Training loops wait for it, so little of it waits for itself, and nothing is chosen by the sign but factors. */
PG_INLINE double pg_sigmoid_f64(double x) {
    double y = fabs(x), kd, rh, rl, s, e, d0, d1;
    uint64_t k;
    y = y > 746.0 ? 746.0 : y;
    pg_exp_reduce_f64(-y, &kd, &k, &rh, &rl);
    pg_fast_two_sum_f64(1.0, rh, &s, &e);
    const double p = pg_exp_tail_f64(rh, rl), two_k = y > 708.0 ? 0.0 : pg_pow2_f64(k);
    const uint64_t negative = (uint64_t)0 - (pg_bits_f64(x) >> 63);
    const double factor = pg_from_bits_f64(pg_bits_f64(two_k) & negative);
    const double n0 = PG_FMA(s, factor, pg_from_bits_f64(pg_bits_f64(1.0) & ~negative));
    const double n = PG_FMA(p, factor, n0), nl = PG_FMA(p, factor, n0 - n) + e * factor;
    pg_fast_two_sum_f64(1.0, s * two_k, &d0, &d1);
    const double d = PG_FMA(p, two_k, d0), dl = PG_FMA(p, two_k, d0 - d) + PG_FMA(e, two_k, d1);
    const double q = n / d;
#if PG_HAS_FMA
    const double rest = fma(-q, d, n);
#else
    double qd, qe;
    pg_two_prod_f64(q, d, &qd, &qe);
    const double rest = (n - qd) - qe;
#endif
    const double value = PG_FMA(rest + PG_FMA(-q, dl, nl), 1.457 - 0.5 * d, q);
    return x < -708.0 ? pg_scale_f64(s + (e + p), k) : value;
}

/* [v] x sigmoid(x); where sigmoid(x) would be subnormal, x e^x, scaled at last. */
PG_INLINE double pg_silu_f64(double x) {
    double y = x > -708.0 ? -708.0 : x, h, l;
    uint64_t k;
    y = y < -800.0 ? -800.0 : y;
    pg_exp_dd_f64(y, &k, &h, &l);
    const double far = pg_scale_f64(PG_FMA(y, h, y * l), k), near = x * pg_sigmoid_f64(x);
    return ((x < -708.0) & (x > -INFINITY)) ? far : near;
}

/* [v] e^(-b x^2), the exponent as a double-double. */
PG_INLINE double pg_gaussian_f64(double x0, double b0) {
    const double x = pg_along_f64(x0, b0), b = pg_along_f64(b0, x0);
    double p, pl, q, ql, kd, rh, rl, s, e;
    uint64_t k;
    pg_two_prod_f64(x, x, &p, &pl);
    pg_two_prod_f64(-b, p, &q, &ql);
    ql = ((q > 710.0) | (q < -746.0) | (p > 0x1p900)) ? 0.0 : PG_FMA(-b, pl, ql);
    q = q > 710.0 ? 710.0 : q;
    q = q < -746.0 ? -746.0 : q;
    pg_exp_reduce_f64(q, &kd, &k, &rh, &rl);
    const double tail = pg_exp_tail_f64(rh, rl - ql);
    pg_fast_two_sum_f64(1.0, rh, &s, &e);
    return pg_scale_f64(s + (e + tail), k);
}

#endif
