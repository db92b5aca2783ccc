/* erf, erfc and gelu.
 *
 * Method of erf: below 0.92, x + x P(x^2); above, 1 - exp(L(x - 1)) with L a polynomial for log erfc, whose error
 * counts only times erfc <= 0.2. Both minimax (Remez; 2^-62 and 2^-59 relative to erf).
 *
 * Method of erfc: below 0.47, 1 - erf(x); to 0.84, a series about 0.65625; above, e^(-x^2) N(x) / x with x^2, the
 * exponential and the quotient as double-doubles. N(x) = x e^(x^2) erfc(x) varies little: in each of three intervals it
 * is a constant in two parts plus a small rational function (interpolated at Chebyshev nodes, below 2^-54 relative to
 * N), whose error counts little. */
#ifndef PG_MATH_ERF_H
#define PG_MATH_ERF_H

#include "pg_math_base.h"
#include "pg_math_exp.h"

/* erf(x) = x + l for |x| <= 0.92, l = x P(z), z = x^2. The coefficients of 1 and z are split so that what rounds is
 * small: P = (c0 - 3/8 z) + z Q(z) with |Q| < 0.1, and 3/8 of the upper half of z is exact. */
PG_INLINE double pg_erf_small_f64(double x) {
    double z, ze, s, e;
    pg_two_prod_f64(x, x, &z, &ze);
    const double w = z * z, zh = (z + 0x1.8p3) - 0x1.8p3, zl = (z - zh) + ze;
    const double even = PG_POLY6(w, -0x1.2746b0379e6p-10, -0x1.b82ce31284f37p-6, -0x1.c02db3db48fe4p-11,
                                 -0x1.f4d1e43404de5p-17, -0x1.5f1f40c397769p-23, -0x1.38ac1ce0f9400p-30);
    const double odd = PG_POLY6(w, 0x1.ce2f21a042b34p-4, 0x1.565bcd0dbd8f1p-8, 0x1.f9a321e4acd63p-14,
                                0x1.b9df305501d0bp-20, 0x1.f7b99b73bcee9p-27, 0x1.06274b5d49439p-34);
    const double q = PG_FMA(odd, z, even);
    pg_fast_two_sum_f64(-0.375 * zh, 0x1.06eba8214db68p-3, &s, &e);
    pg_fast_two_sum_f64(s, (e + 0x1.1ae3a914fed80p-56) + PG_FMA(z, q, -0.375 * zl), &s, &e);
    return PG_FMA(x, s, x * e);
}

/* [v] */
PG_INLINE double pg_erf_f64(double x) {
    const double a = fabs(x);
    const double small = a + pg_erf_small_f64(a);
    const double t = (a > 6.0 ? 6.0 : a) - 1.0, u = t * t;
    const double le =
        PG_POLY10(u, -0x1.afabc11a28f3bp-1, 0x1.48c9d40cca721p-7, 0x1.f1b4a0fa58c01p-13, -0x1.c768838664bb8p-16,
                  -0x1.1049773b4e50cp-19, 0x1.00a76b1492b6fp-23, 0x1.5a9a9f15e2745p-26, 0x1.a02e4d3e44867p-31,
                  0x1.0ceeb1bbf33f9p-37, 0x1.4dc35cc4968e8p-47);
    const double lo =
        PG_POLY10(u, -0x1.51c9b0006c23cp+1, -0x1.5477f09cb10fep-5, -0x1.033f6977ebd4ap-9, 0x1.b8c2e9789106fp-16,
                  0x1.41986d35709acp-17, 0x1.e55a44cd185b6p-24, -0x1.1486bf85a1601p-24, -0x1.3806a955e8a6bp-28,
                  -0x1.93677dfe73f24p-34, -0x1.b89dae4a0f462p-42);
    double h, l; /* the leading coefficient is added without error: at t = 0.07 an ulp of L costs half an ulp of erf */
    pg_fast_two_sum_f64(-0x1.d97fbf27aa2a1p+0, PG_FMA(lo, t, u * le), &h, &l);
    const double e = pg_exp_f64(h), big = 1.0 - PG_FMA(e, l - 0x1.8b8270425550ep-57, e);
    return copysign(a < 0.92 ? small : big, x);
}

/* x e^(x^2) erfc(x) = h + l for x >= 0.84. */
PG_INLINE void pg_erfcx_n_f64(double x, double *h, double *l) {
    if (x < 2.0) {
        const double t = x - 1.25;
        const double p = PG_POLY6(t, -0x1.348a84149b820p-4, -0x1.5f20c26c40e42p-4, -0x1.5ce14422ee7e2p-5,
                                  -0x1.71fd8fb03e79cp-7, -0x1.a020688ef82fdp-10, -0x1.8bd87834b2b94p-14);
        const double q = PG_POLY7(t, 1.0, 0x1.b8f22935ddc2cp+0, 0x1.4545a3c21a529p+0, 0x1.0794b7043e46dp-1,
                                  0x1.f00fa1d91f350p-4, 0x1.01adcd6a3f508p-6, 0x1.cf54c9cf6432cp-11);
        double g, gl; /* the linear term, exactly */
        pg_two_prod_f64(t, 0x1.b56f45eef7e58p-4, &g, &gl);
        pg_fast_two_sum_f64(0x1.d6d0369869419p-2, g, h, l);
        *l += (gl + (t * -0x1.5c37ce2707fbbp-58 + -0x1.fccd05dfda414p-56)) + t * t * (p / q);
    } else if (x < 4.5) {
        const double t = x - 2.0;
        const double p =
            PG_POLY7(t, 0x1.5672b9ea13de6p-5, 0x1.a024d087238a2p-5, 0x1.bfa70e0d7530ap-6, 0x1.0e3d0c938d329p-7,
                     0x1.8077abcd79d2dp-10, 0x1.30c134bf387ffp-13, 0x1.a3d6fb12beb7ep-18);
        const double q =
            PG_POLY8(t, 1.0, 0x1.c51cfa76e8248p+0, 0x1.600f2485d3b36p+0, 0x1.37d2f1f1facc0p-1, 0x1.54acb9fb5100cp-3,
                     0x1.cc23fd4414abbp-6, 0x1.64b352fc0ec76p-9, 0x1.eb66d5f8c39c7p-14);
        pg_fast_two_sum_f64(0x1.058671b52c776p-1, t * (p / q), h, l);
        *l += -0x1.3b83c701df899p-57;
    } else {
        const double s = 1.0 / (x * x);
        const double p = PG_POLY5(s, -0x1.fffffffffffbfp-2, -0x1.5809fe1d784b4p+3, -0x1.1b73a0ab7d25cp+6,
                                  -0x1.3b4a384be1b26p+7, -0x1.53be25638df69p+6);
        const double q = PG_POLY6(s, 1.0, 0x1.7009fe1d77a68p+4, 0x1.58f5805128303p+7, 0x1.f4e000e9d5e3ap+8,
                                  0x1.029d7f02aa7b0p+9, 0x1.fe705460b0955p+6);
        pg_fast_two_sum_f64(0x1.20dd750429b6dp-1, 0x1.20dd750429b6dp-1 * (s * (p / q)), h, l);
        *l += 0x1.1ae3a914fed80p-57;
    }
}

PG_INLINE double pg_erfc_body_f64(double x) {
    double s, e, p, pe;
    if (x < 0.46875) {
        if (x < -0.46875) {
            return 1.0 + pg_erf_f64(-x);
        }
        pg_two_sum_f64(1.0, -x, &s, &e);
        return s + (e - pg_erf_small_f64(x));
    }
    if (x < 0.84) {
        const double t = x - 0.65625; /* erfc(0.65625) - t g - t^2 G(t), g = -erfc' there, the first two exact */
        const double g = PG_POLY7(t, -0x1.ecef42310f845p-2, -0x1.15c3c5ce70666p-5, 0x1.5f6890aff9ff9p-3,
                                  -0x1.1da642fac88b4p-5, -0x1.3859910562ec3p-5, 0x1.fa4f3baac3986p-7,
                                  PG_POLY6(t, 0x1.7152fdc8ebdc5p-8, -0x1.f583ee01cafbep-9, -0x1.05fddaa4be1a6p-11,
                                           0x1.677689dc8027fp-11, 0x1.df96761a5d215p-20, -0x1.8e70c75185f0ap-14));
        pg_two_prod_f64(t, 0x1.7791b886e7403p-1, &p, &pe);
        pg_fast_two_sum_f64(0x1.69d91d8a595dap-2, -p, &s, &e);
        return s + (e - (pe + (0x1.e941d89557082p-57 + t * -0x1.da79bb2a7fe7fp-57)) - t * t * g);
    }
    if (!(x < 28.0)) {
        return x != x ? x : 0.0;
    }
    double z, zl, h, l, n, nl, q, ql;
    uint64_t k;
    pg_two_prod_f64(x, x, &z, &zl);
    pg_exp_dd_f64(-z, &k, &h, &l);
    pg_erfcx_n_f64(x, &n, &nl);
    pg_two_prod_f64(h, n, &p, &pe);
    pg_dd_div_f64(p, pe + (h * (nl - n * zl) + l * n), x, 0.0, &q, &ql);
    return pg_scale_f64(q + ql, k);
}

/* One copy of what is long and no vector code. */
PG_NOINLINE double pg_erfc_f64(double x) { return pg_erfc_body_f64(x); }

/* x Phi(x) = -sqrt(1/2) n(z) e^(-x^2/2) with z = -x/sqrt(2) and n(z) = z e^(z^2) erfc(z), for large z; else x
 * erfc(z)/2, where for x < 0 the rounding error of z is made good. */
PG_NOINLINE double pg_gelu_f64(double x) {
    double z, zl, p, pl, h, l, n, nl;
    uint64_t k;
    if (x >= 0.0) {
        return 0.5 * x * pg_erfc_body_f64(x * -0x1.6a09e667f3bcdp-1);
    }
    pg_two_prod_f64(x, -0x1.6a09e667f3bcdp-1, &z, &zl);
    zl = PG_FMA(x, 0x1.bdd3413b26456p-55, zl);
    if (z < 0.84) {
        const double slope = 0x1.20dd750429b6dp+0 * pg_exp_f64(-z * z);
        return 0.5 * x * PG_FMA(-slope, zl, pg_erfc_body_f64(z));
    }
    if (!(z < 28.0)) {
        return x > -INFINITY ? -0.0 : NAN;
    }
    pg_two_prod_f64(x, x, &p, &pl);
    pg_exp_dd_f64(-0.5 * p, &k, &h, &l);
    l = PG_FMA(h, -0.5 * pl, l);
    pg_erfcx_n_f64(z, &n, &nl);
    pg_two_prod_f64(h, n, &p, &pl);
    pl += h * nl + l * n;
    pg_two_prod_f64(p, -0x1.6a09e667f3bcdp-1, &h, &l);
    l += p * 0x1.bdd3413b26456p-55 - pl * 0x1.6a09e667f3bcdp-1;
    return pg_scale_f64(h + l, k);
}

#endif
