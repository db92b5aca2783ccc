/* gammaln, digamma and polygamma: scalar code with branches.
 *
 * Accuracy: gammaln within 2 ulp, digamma within 1.5 for x > 0, polygamma within 8 for orders up to 7. For x < 0,
 * where terms cancel near the zeros, the error of the last two is within these limits or 1 and 2 eps absolute. */
#ifndef PG_MATH_GAMMA_H
#define PG_MATH_GAMMA_H

#include "pg_math_arith.h"
#include "pg_math_base.h"
#include "pg_math_inverse.h"
#include "pg_math_pow.h"
#include "pg_math_trig.h"

/* t (c + cl + t g) = h + l for |t g| <= |c| or so. */
PG_INLINE void pg_gamma_piece_f64(double t, double c, double cl, double g, double *h, double *l) {
    double s, e;
    pg_fast_two_sum_f64(c, t * g, &s, &e);
    pg_two_prod_f64(t, s, h, l);
    *l = PG_FMA(t, e + cl, *l);
}

/* log Gamma(1 + t) = h + l for t in [-1/4, 3/2]: about its zeros 1 and 2 with these factored out, between them about
 * 3/2; the rest of each by rational interpolation, 2^-57. */
PG_NOINLINE void pg_gammaln_near_f64(double t, double *h, double *l) {
    if (t < 0.25) {
        const double p =
            PG_POLY7(t, 0x1.a51a6625307d3p-1, 0x1.21eeb63e31d82p+1, 0x1.27cac5d055d15p+1, 0x1.110718c2b4c48p+0,
                     0x1.b8787ac483c58p-3, 0x1.dda8bf7262d80p-7, 0x1.4de38a72d8039p-14);
        const double q = PG_POLY7(t, 1.0, 0x1.9edfc1c4fd2c2p+1, 0x1.03d2b45463392p+2, 0x1.3aed495fef328p+1,
                                  0x1.78a6342bb6292p-1, 0x1.8e84e8a2af84fp-4, 0x1.05d2f2b0775bbp-8);
        pg_gamma_piece_f64(t, -0x1.2788cfc6fb619p-1, 0x1.6cb90701fbfabp-58, p / q, h, l);
    } else if (t < 0.75) {
        const double u = t - 0.5;
        const double p = PG_POLY6(u, 0x1.2aed059bd608ap-5, 0x1.10a4e7d736fe6p-1, 0x1.79e1af44ee266p-1,
                                  0x1.75dcac52ef795p-2, 0x1.22839e177fff2p-4, 0x1.13e42cb6c8df0p-8);
        const double q = PG_POLY7(u, 1.0, 0x1.c8c43cd1bf03bp+0, 0x1.283c0b794f4c8p+0, 0x1.50737caddb603p-2,
                                  0x1.3891580d00c58p-5, 0x1.3c75f69d64e84p-10, -0x1.ba7c7776ada8fp-18);
        pg_fast_two_sum_f64(-0x1.eeb95b094c191p-4, u * (p / q), h, l);
        *l -= 0x1.346863f58b075p-58;
    } else {
        const double u = t - 1.0;
        const double p = PG_POLY6(u, 0x1.4a34cc4a60fa6p-2, 0x1.6f2ea2e575c93p-2, 0x1.16e6213048169p-3,
                                  0x1.4b9af3d72df61p-6, 0x1.f64a381d6dd62p-11, 0x1.fa731f37c86adp-19);
        const double q = PG_POLY6(u, 1.0, 0x1.5222d4dd8615ep+0, 0x1.44cba6be2e18cp-1, 0x1.1227ed8683823p-3,
                                  0x1.806bc1e1b0644p-7, 0x1.41722d9fe425ep-12);
        pg_gamma_piece_f64(u, 0x1.b0ee6072093cep-2, 0x1.6cb90701fbfabp-58, p / q, h, l);
    }
}

/* log Gamma(x) = h + l for x in [2^-60, 2^1014]: Stirling's series (Abramowitz & Stegun 6.1.41) from 8 on, below it the
 * recurrence Gamma(x + 1) = x Gamma(x) to [3/4, 5/2]. */
PG_NOINLINE void pg_gammaln_dd_f64(double x, double *h, double *l) {
    double a, al, s, e, p, pl;
    if (x >= 8.0) {
        const double i = 1.0 / x, z = i * i;
        const double series = i * PG_POLY9(z, 1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0,
                                           -691.0 / 360360.0, 1.0 / 156.0, -3617.0 / 122400.0, 43867.0 / 244188.0);
        pg_log_fine_f64(x, 0.0, &a, &al);
        pg_fast_two_sum_f64(a, -1.0, &s, &e); /* x (log x - 1) - (log x)/2 + log(2 pi)/2 */
        pg_two_prod_f64(x, s, &p, &pl);
        pl = PG_FMA(x, e + al, pl);
        pg_fast_two_sum_f64(p, -0.5 * a, &s, &e);
        pg_two_sum_f64(s, 0x1.d67f1c864beb5p-1, h, l);
        *l += (e + pl) + (PG_FMA(-0.5, al, series) - 0x1.65b5a1b7ff5dfp-55);
        return;
    }
    if (x < 0.75) {
        pg_gammaln_near_f64(x, h, l);
        pg_log_fine_f64(x, 0.0, &a, &al);
        a = -a;
        al = -al;
    } else if (x <= 2.5) {
        pg_gammaln_near_f64(x - 1.0, h, l);
        return;
    } else {
        double product = x - 1.0, rest = 0.0;
        x -= 1.0;
        while (x > 2.5) {
            x -= 1.0;
            pg_two_prod_f64(product, x, &p, &pl);
            rest = PG_FMA(rest, x, pl);
            product = p;
        }
        pg_gammaln_near_f64(x - 1.0, h, l);
        pg_log_fine_f64(product, rest / product, &a, &al);
    }
    pg_two_sum_f64(a, *h, &s, &e);
    *l += e + al;
    *h = s;
}

/* sin(pi r) = h + l for |r| <= 1/2. */
PG_INLINE void pg_sin_pi_f64(double r, double *h, double *l) {
    const double a = fabs(r), u = a > 0.25 ? 0.5 - a : a;
    double y, yl, s, e;
    pg_two_prod_f64(u, PG_PI_HI_F64, &y, &yl);
    yl = PG_FMA(u, PG_PI_LO_F64, yl);
    if (a > 0.25) {
        pg_cos_poly_f64(y, yl, &s, &e);
    } else {
        pg_sin_poly_f64(y, yl, &s, &e);
    }
    pg_fast_two_sum_f64(copysign(1.0, r) * s, copysign(1.0, r) * e, h, l);
}

/* Gamma(3/2 + u) = h + l for |u| <= 1/2, by interpolation at Chebyshev nodes, 2^-80; its leading part in
 * double-doubles. */
PG_INLINE void pg_gamma_12_f64(double u, double *h, double *l) {
    static const double high[32] = {
        0x1.c5bf891b4ef6bp-1,  0x1.08ea88ee561b1p-5,   0x1.a8c4dba620d57p-2,  -0x1.b77ac1ca2eba5p-4,
        0x1.283bd374eb2a9p-3,  -0x1.3d88cfe50606ep-4,  0x1.e022b7434f05cp-5,  -0x1.374fd5cc9230ap-5,
        0x1.a752c6af00128p-6,  -0x1.1a2c297b7da20p-6,  0x1.7991dd63a6833p-7,  -0x1.f7fc564f201aep-8,
        0x1.504eb1005578ep-8,  -0x1.c0a2318e07638p-9,  0x1.2b2f015080429p-9,  -0x1.8efc5ea48ff35p-10,
        0x1.0a0531ce1fcd6p-10, -0x1.62b7b947bc596p-11, 0x1.d8fc485e5caedp-12, -0x1.3b54d200db99fp-12,
        0x1.a44f36412fc1cp-13, -0x1.18356fed79489p-13, 0x1.771c2e4771602p-14, -0x1.f425fa2b6f7fcp-15,
        0x1.41b8aee46fb2dp-15, -0x1.acf65f84f34ccp-16, 0x1.5e8cdbb78e667p-16, -0x1.d36684e86d155p-17,
        0x1.273338ab9dbb1p-19, -0x1.8999ad9e2c9a7p-20, 0x1.27334f1ff4349p-17, -0x1.8999bf94e2c00p-18};
    static const double low[14] = {-0x1.618f142d16489p-55, 0x1.fbccad90f48f3p-59,  -0x1.bf1830819ecdep-56,
                                   -0x1.b4298808768afp-59, 0x1.dcc74f3e3dfd7p-57,  0x1.9373f408e71a2p-59,
                                   -0x1.8a90b19901eb1p-65, -0x1.46eb4bd4fef67p-59, 0x1.abd4564b8632bp-60,
                                   0x1.8e77c830543eep-61,  -0x1.cf0bafc51d2abp-64, -0x1.2b358a64ed2b2p-65,
                                   0x1.16a9e3bd28b2bp-62,  0x1.44d661e5961f7p-63};
    double s = high[31], sl = 0.0, p, pl;
    for (int k = 30; k >= 14; k--) s = PG_FMA(s, u, high[k]);
    for (int k = 13; k >= 0; k--) {
        pg_two_prod_f64(u, s, &p, &pl);
        pl = PG_FMA(u, sl, pl);
        pg_two_sum_f64(high[k], p, &s, &sl);
        sl += low[k] + pl;
    }
    pg_fast_two_sum_f64(s, sl, h, l);
}

/* log |Gamma(x)| for -20 < x < -2, where it has two zeros between neighbouring integers, with an error that is small
 * beside the value: Gamma(x) = Gamma(x + n) / (x (x + 1) ... (x + n - 1)), x + n in [1, 2]. */
PG_INLINE double pg_gammaln_between_f64(double x) {
    double product = x, rest = 0.0, p, pl, g, gl, q, ql;
    for (x += 1.0; x < 1.0; x += 1.0) {
        pg_two_prod_f64(product, x, &p, &pl);
        rest = PG_FMA(rest, x, pl);
        pg_fast_two_sum_f64(p, rest, &product, &rest);
    }
    pg_gamma_12_f64(x - 1.5, &g, &gl);
    pg_dd_div_f64(g, gl, product, rest, &q, &ql);
    pg_log_fine_f64(fabs(q), ql / q, &g, &gl);
    return g + gl;
}

/* log |Gamma(x)|; inf at 0, at negative integers and at both infinities. For x < 0 the reflection
 * |Gamma(x)| = pi / (|x sin(pi x)| Gamma(-x)). */
PG_NOINLINE double pg_gammaln_f64(double x) {
    double h, l, a, al, p, pl, s, e;
    if (x != x) {
        return x;
    }
    const double m = fabs(x);
    if ((m > 0x1.754d9278b51a7p+1014) | ((x <= 0.0) & (x == pg_floor_f64(x)))) {
        return INFINITY;
    }
    if (m < 0x1p-60) {
        return -pg_log_f64(m);
    }
    if ((x < -2.0) & (x > -20.0)) {
        return pg_gammaln_between_f64(x);
    }
    pg_gammaln_dd_f64(m, &h, &l);
    if (x > 0.0) {
        return h + l;
    }
    pg_sin_pi_f64(x - pg_round_f64(x), &a, &al);
    pg_two_prod_f64(m, a, &p, &pl);
    pl = PG_FMA(m, al, pl);
    pg_log_fine_f64(fabs(p), pl / p, &a, &al);
    pg_two_sum_f64(0x1.250d048e7a1bdp+0, -a, &s, &e);
    e += 0x1.7abf2ad8d5088p-57 - al;
    pg_two_sum_f64(s, -h, &h, &p);
    return h + (p + (e - l));
}

/* psi(1 + t) = h + l for t in [0, 1]: its zero x0 is factored out, and the first derivative there;
 * the rest by rational interpolation, 2^-58. */
PG_INLINE void pg_digamma_near_f64(double t, double *h, double *l) {
    const double first = t - 0x1.d8b618d5af8fep-2;
    double d, dl, s, e;
    pg_two_sum_f64(first, 0x1.1e563779a1f5bp-56, &d, &dl);
    const double p = PG_POLY6(d, -0x1.c563b54aa1a35p-2, -0x1.fa4fb6e7591a5p-2, -0x1.910fae852b7aap-3,
                              -0x1.11dadc4fd107dp-5, -0x1.31d3fcaa49c08p-9, -0x1.90aaf6b8ef077p-15);
    const double q = PG_POLY7(d, 1.0, 0x1.b357c5c5e8aa5p+0, 0x1.109ad1f41dc42p+0, 0x1.3e86acee18630p-2,
                              0x1.6598b102052f8p-5, 0x1.5cc684fbfceecp-9, 0x1.a1f6a3f223e0bp-15);
    pg_fast_two_sum_f64(0x1.ef72bc8ee38acp-1, d * (p / q), &s, &e);
    pg_two_prod_f64(d, s, h, l);
    *l = PG_FMA(d, e - 0x1.3879eb97bf58dp-55, PG_FMA(dl, s, *l));
}

/* psi(x) for x > 0 as a double-double of about 60 bits, so that rounded values rise as psi does: the asymptotic series
 * (Abramowitz & Stegun 6.3.18) from 10 on; from 2 on it and the recurrence psi(x + 1) = psi(x) + 1/x. */
PG_INLINE void pg_digamma_dd_f64(double x, double *high, double *low) {
    double h, l, q, ql, e;
    if (x <= 2.0) {
        if (x >= 1.0) {
            pg_digamma_near_f64(x - 1.0, high, low);
            return;
        }
        pg_digamma_near_f64(x, &h, &l);
        pg_dd_div_f64(1.0, 0.0, x, 0.0, &q, &ql);
        pg_two_sum_f64(-q, h, high, &e);
        *low = e + (l - ql);
        return;
    }
    double sum = 0.0, rest = 0.0, y = x, yl = 0.0;
    for (double k = 1.0; y < 10.0; k += 1.0) {
        pg_dd_div_f64(1.0, 0.0, y, yl, &q, &ql);
        pg_two_sum_f64(sum, q, &sum, &e);
        rest += e + ql;
        pg_two_sum_f64(x, k, &y, &yl);
    }
    const double i = 1.0 / y, z = i * i;
    const double b = PG_POLY10(z, 1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0,
                               1.0 / 12.0, -3617.0 / 8160.0, 43867.0 / 14364.0, -174611.0 / 6600.0);
    pg_log_fine_f64(y, yl * i, &h, &l);
    pg_dd_div_f64(0.5, 0.0, y, yl, &q, &ql);
    pg_two_sum_f64(h, -q, &h, &e);
    l += e - ql;
    pg_two_sum_f64(h, -sum, &h, &e);
    pg_fast_two_sum_f64(h, (l - PG_FMA(z, b, rest)) + e, high, low);
}

/* pi cot(pi x) = h + l with the argument reduced exactly; x is not an integer. */
PG_INLINE void pg_pi_cot_pi_f64(double x, double *h, double *l) {
    const double r = x - pg_round_f64(x);
    double s, sl, c, cl, q, ql;
    pg_sin_pi_f64(r, &s, &sl);
    pg_sin_pi_f64(0.5 - fabs(r), &c, &cl);
    pg_dd_div_f64(c, cl, s, sl, &q, &ql);
    pg_two_prod_f64(q, PG_PI_HI_F64, h, l);
    *l += q * PG_PI_LO_F64 + ql * PG_PI_HI_F64;
}

/* The logarithmic derivative of Gamma; -/+inf at +/-0, NaN at negative integers and -inf. For x < 0 the reflection
 * psi(x) = psi(1 - x) - pi cot(pi x), written psi(-x) + 1/(-x) so that small arguments lose nothing. */
PG_NOINLINE double pg_digamma_f64(double x) {
    double h, l, q, ql, c, cl, s, e;
    if (x == 0.0) {
        return copysign(INFINITY, -x);
    }
    if ((x < 0.0) & (x == pg_floor_f64(x))) { /* -inf too */
        return NAN;
    }
    if ((x != x) | (x == INFINITY)) {
        return x;
    }
    if (fabs(x) < 0x1p-60) {
        return -1.0 / x; /* what follows is below half an ulp, and would be inf - inf */
    }
    pg_digamma_dd_f64(fabs(x), &h, &l);
    if (x > 0.0) {
        return h + l;
    }
    pg_dd_div_f64(-1.0, 0.0, x, 0.0, &q, &ql);
    pg_pi_cot_pi_f64(x, &c, &cl);
    pg_two_sum_f64(q, -c, &s, &e);
    e += ql - cl;
    pg_two_sum_f64(h, s, &h, &q);
    return h + (q + (l + e));
}

/* The Hurwitz zeta function times c^s: the sum over k >= 0 of ((x + k)/c)^-s, for s >= 2, x > 0. Terms until x + k is
 * large, then the Euler-Maclaurin tail (Abramowitz & Stegun 23.2.9 with its remainder expanded): y^(1-s)/(s-1) +
 * y^-s/2 + sum over j of B_2j/(2j)! s (s+1) ... (s+2j-2) y^(1-s-2j). */
PG_INLINE double pg_zeta_f64(double s, double x, double inv_c) {
    static const double b_over_factorial[12] = {0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
                                                -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,  -0x1.22805d644267fp-31,
                                                0x1.d6db2c4e09162p-37,  -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47,
                                                -0x1.f57d968caacf1p-53, 0x1.967e1f09c376fp-58,  -0x1.497d9033a2b5cp-63};
    double sum = 0.0;
    while (x < 8.0 + 0.5 * s) {
        const double term = pg_pow_f64(x * inv_c, -s);
        sum += term;
        x += 1.0;
        if (term < sum * 0x1p-60) {
            return sum;
        }
    }
    const double a = pg_pow_f64(x * inv_c, -s);
    double factor = s * a / x, tail = 0.0;
    for (int j = 0; j < 12; j++) {
        tail += factor * b_over_factorial[j];
        factor *= ((s + 2.0 * j + 1.0) / x) * ((s + 2.0 * j + 2.0) / x);
    }
    return sum + (tail + 0.5 * a + a * x / (s - 1.0));
}

/* n! zeta(n + 1, x) for x > 0, by a product of ratios where a factor alone would leave the range. */
PG_NOINLINE double pg_factorial_zeta_f64(double n, double x) {
    const double s = n + 1.0;
    double factorial = 1.0;
    for (double i = 2.0; i <= n; i += 1.0) {
        factorial *= i;
    }
    if (x > 1e100) {
        return factorial / n * pg_pow_f64(x, -n);
    }
    const double z = pg_zeta_f64(s, x, 1.0);
    if ((z >= 0x1p-1000) & (z < INFINITY)) {
        return factorial * z;
    }
    double pole = 1.0 / x; /* n! / x^s */
    for (double i = 1.0; i <= n; i += 1.0) {
        pole *= i / x;
    }
    return pole < INFINITY ? pole * pg_zeta_f64(s, x, 1.0 / x) : INFINITY;
}

/* The n-th derivative of digamma, n = 0, 1, ... 169, the last whose n! is finite (NaN for another n):
 *   psi_n(x) = (-1)^(n+1) n! sum over k >= 0 of (x + k)^-(n+1).
 * For x < 0 the sum is that over all integers, by its two halves about the one nearest to x, less what lies to the left
 * of x. A pole gives +inf for odd n; for even n it is -/+inf at +/-0 and NaN elsewhere. */
PG_NOINLINE double pg_polygamma_f64(double n, double x) {
    if ((n != n) | (x != x)) {
        return n + x;
    }
    if (n == 0.0) {
        return pg_digamma_f64(x);
    }
    if ((n < 0.0) | (n != pg_floor_f64(n)) | (n > 169.0) | (x == -INFINITY)) {
        return NAN;
    }
    const int odd = fmod(n, 2.0) != 0.0;
    if (x > 0.0) {
        const double r = pg_factorial_zeta_f64(n, x);
        return odd ? r : -r;
    }
    if (x == pg_floor_f64(x)) {
        return odd ? INFINITY : (x == 0.0 ? copysign(INFINITY, -x) : NAN);
    }
    const double d = x - pg_round_f64(x);
    const double right = pg_factorial_zeta_f64(n, d > 0.0 ? d : 1.0 + d);
    const double left = pg_factorial_zeta_f64(n, d > 0.0 ? 1.0 - d : -d);
    const double beyond = pg_factorial_zeta_f64(n, 1.0 - x);
    return (odd ? right + left : left - right) - beyond; /* the halves first: they cancel where x is half an integer */
}

/* f32: through f64, rounded once. */
PG_INLINE float pg_gammaln_f32(float x) { return (float)pg_gammaln_f64((double)x); }
PG_INLINE float pg_digamma_f32(float x) { return (float)pg_digamma_f64((double)x); }
PG_INLINE float pg_polygamma_f32(float n, float x) { return (float)pg_polygamma_f64((double)n, (double)x); }

#endif
