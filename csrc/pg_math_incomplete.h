/* The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), DLMF 8.2, and dP/dx.
 *
 * Method: the smaller of the two, and 1 less it. Both are x^a e^-x / Gamma(a + 1), whose exponent is computed with
 * twice the digits, times a sum: a power series of P below x = a (DLMF 8.7.1), a continued fraction of Q above it
 * (8.9.2), an expansion that holds about x = a where a is large (Temme, 1979; DLMF 8.12); and for small a and x a power
 * series of 1 - Q. Accuracy: 16 ulp. Scalar code with branches. */
#ifndef PG_MATH_INCOMPLETE_H
#define PG_MATH_INCOMPLETE_H

#include "pg_math_beta.h"
#include "pg_math_erf.h"
#include "pg_math_exp.h"
#include "pg_math_gamma.h"
#include "pg_math_log.h"
#include "pg_math_pow.h"
#include "pg_math_quantile.h"

/* Functions of their own, since they are called in many places. */
PG_NOINLINE void pg_log_parts_f64(double x, double r, double *h, double *l) { pg_log_fine_f64(x, r, h, l); }
PG_NOINLINE double pg_exp_called_f64(double x) { return pg_exp_f64(x); }
PG_NOINLINE double pg_expm1_called_f64(double x) { return pg_expm1_f64(x); }
PG_NOINLINE double pg_log1p_called_f64(double x) { return pg_log1p_f64(x); }

/* e^(h + l) s, where e^h may leave the range and the product not. */
PG_NOINLINE double pg_exp_times_f64(double h, double l, double s) {
    double t, e;
    pg_two_sum_f64(h, l, &t, &e);
    const double half = pg_exp_called_f64(0.5 * t);
    return (half * (s + s * e)) * half;
}

/* a (log(x/a) - (x - a)/a) = h + l <= 0, the logarithm of (x/a)^a e^(a - x), for a > 0 and x/a in [1e-40, 100]. */
PG_NOINLINE void pg_gamma_exponent_f64(double a, double x, double *h, double *l) {
    double d, dl, f, fl, p, pl, q, ql;
    pg_two_sum_f64(x, -a, &d, &dl);
    pg_dd_div_f64(d, dl, a, 0.0, &f, &fl);
    if (fabs(f) < 0x1p-5) { /* f^2/2 - (f - log(1 + f)) in double precision is enough */
        const double hfsq = 0.5 * f * f, t = pg_log_t_f64(f, hfsq);
        pg_two_prod_f64(f, f, &p, &pl);
        pl = 0.5 * PG_FMA(f + f, fl, pl);
        p *= 0.5;
        pg_two_prod_f64(-a, p, h, l);
        *l = PG_FMA(-a, pl - t, *l);
        return;
    }
    pg_dd_div_f64(x, 0.0, a, 0.0, &q, &ql);
    pg_log_parts_f64(q, ql / q, &f, &fl);
    pg_two_prod_f64(a, f, &p, &pl);
    pl = PG_FMA(a, fl, pl);
    pg_two_sum_f64(p, -d, h, l);
    *l += pl - dl;
}

/* log Gamma(a) = h + l for 0 < a < 2^1014. */
PG_NOINLINE void pg_gammaln_parts_f64(double a, double *h, double *l) {
    if (a >= 0x1p-60) {
        pg_gammaln_dd_f64(a, h, l);
        return;
    }
    pg_log_parts_f64(a, 0.0, h, l);
    *h = -*h;
    *l = -*l;
}

/* (a - less) log x - x - log Gamma(a) = h + l for 0 < a < 10, x > 0. */
PG_NOINLINE void pg_gamma_exponent_small_f64(double a, double less, double x, double *h, double *l) {
    double c, cl, f, fl, p, pl, g, gl, s, e;
    pg_log_parts_f64(x, 0.0, &f, &fl);
    pg_two_sum_f64(a, -less, &c, &cl);
    pg_two_prod_f64(c, f, &p, &pl);
    pl = PG_FMA(c, fl, PG_FMA(cl, f, pl));
    pg_gammaln_parts_f64(a, &g, &gl);
    pg_two_sum_f64(p, -x, &s, &e);
    pl += e;
    pg_two_sum_f64(s, -g, h, &e);
    *l = pl + (e - gl);
}

/* x^a e^-x / Gamma(a) s, for a, x > 0. */
PG_NOINLINE double pg_gamma_factor_f64(double a, double x, double s) {
    double h, l;
    if (a < 10.0) {
        pg_gamma_exponent_small_f64(a, 0.0, x, &h, &l);
        return pg_exp_times_f64(h, l, s);
    }
    const double q = x / a;
    if (!((q > 1e-40) & (q < 100.0))) {
        return 0.0;
    }
    pg_gamma_exponent_f64(a, x, &h, &l);
    return pg_exp_times_f64(h, l - pg_stirling_rest_f64(a), s * (sqrt(a) * 0x1.9884533d43651p-2)); /* 1/sqrt(2 pi) */
}

/* The smaller of P and Q for large a, |x - a| <= 2/5 a. With eta^2/2 = -h/a, eta of the sign of x - a, it is
 *   e^h (erfcx(sqrt(-h)) / 2 +- sum of c_k(eta) a^-k / sqrt(2 pi a)),
 * the c_k by their Taylor series (DLMF 8.12.9 to 8.12.11). */
PG_NOINLINE double pg_gamma_middle_f64(double a, double x) {
    static const double coefficients[97] = {
        -0x1.5555555555555p-2,  0x1.5555555555555p-4,   -0x1.e573ac901e574p-7,  0x1.2f684bda12f68p-10,
        0x1.71de3a556c734p-12,  -0x1.76e06fec7273bp-13, 0x1.48c5892f7cd83p-15,  -0x1.255370652afc1p-19,
        -0x1.f1b22f594c6b5p-20, 0x1.bd6d21e4b4109p-21,  -0x1.7b5f9a2d0465cp-23, 0x1.ccf5ceb7f0d9fp-28,
        0x1.6097d55c37c1cp-27,  -0x1.2d2197c7a2faap-28, 0x1.f6e66d24d5c8ap-31,  -0x1.c0d9b6edf2b0bp-36,
        -0x1.0070a87340428p-34, 0x1.ac9475c463659p-36,  -0x1.e573ac901e574p-10, -0x1.c71c71c71c71cp-9,
        0x1.5ac056b015acp-9,    -0x1.0394f6f09e723p-10, 0x1.af83440e53dbcp-13,  -0x1.af83440e53dbcp-22,
        -0x1.2fa4ae89e5afp-16,  0x1.00a9cabd6b83ep-17,  -0x1.b0bdfcc629cbap-20, 0x1.3f59230a8357cp-28,
        0x1.280f2cde3f847p-23,  -0x1.ee23d0cba8aeep-25, 0x1.9aa7a30de114cp-27,  -0x1.349fbca3a377bp-36,
        -0x1.1564ecff73d58p-30, 0x1.c9b434bf3c34ep-32,  0x1.0ee643b990ee6p-8,   -0x1.5f7268edab4c8p-9,
        0x1.948b0fcd6e9ep-11,   0x1.0db20a88f4696p-19,  -0x1.c253efaa1a932p-14, 0x1.bbf43daf4fe53p-15,
        -0x1.ac2d05890f2c3p-17, 0x1.26154ae39151dp-25,  0x1.7058929663937p-20,  -0x1.522cb05171911p-21,
        0x1.32ac81c15d3d7p-23,  -0x1.c24bd0e740a6cp-33, -0x1.e437343a46f5dp-27, 0x1.ac0d455e2536p-28,
        -0x1.77c5829460139p-30, 0x1.547d93b34e2b6p-11,  0x1.e13ce465fa859p-13,  -0x1.ebfb188b7cap-12,
        0x1.18b9b5bf2d984p-12,  -0x1.3d2a3a29b5d9dp-14, -0x1.0152a1871f27ap-22, 0x1.73df462204ef4p-17,
        -0x1.7cd6f27b3f02p-18,  0x1.7e0201539310ep-20,  -0x1.ea23269c140a7p-36, -0x1.6c2dcffbefeefp-23,
        0x1.5bde8ef4c4dc7p-24,  -0x1.4853ced169327p-26, -0x1.c3e0b02da7bf9p-11, 0x1.9b0ff6874f2c4p-11,
        -0x1.3999a85a4237ap-12, -0x1.88f2ae1def9dp-20,  0x1.16908b48ce058p-14,  -0x1.4ce3fd902bcadp-15,
        0x1.7db4c02846e81p-17,  0x1.13b3c5b7cb45ep-32,  -0x1.c71c074985d3fp-20, 0x1.de37d9f09164cp-21,
        -0x1.ec676cf33153cp-23, -0x1.6128ac5a4fa71p-12, -0x1.247604839c038p-14, 0x1.22be87360ef1fp-12,
        -0x1.a2042c5148e27p-13, 0x1.1d1e9cb24760bp-14,  0x1.30bdcf208080ep-23,  -0x1.c823fc1b3cc36p-17,
        0x1.0d0e229150428p-17,  -0x1.338eb19652fd9p-19, 0x1.168ef1b0931c8p-11,  -0x1.36773bdb97b48p-11,
        0x1.1c0950d3ecb9dp-12,  0x1.a8411da6cab49p-21,  -0x1.5600945495b37p-14, 0x1.d6bdf83130dc1p-15,
        -0x1.3382f4cf48618p-16, 0x1.691879c01efb4p-12,  0x1.b1d75d3346711p-15,  -0x1.5f3385098cebfp-12,
        0x1.26eeb5ece1d9fp-12,  -0x1.cc642787368cep-14, -0x1.5629b3187b744p-11, 0x1.b8239c670e69p-11,
        -0x1.cb967b4446107p-12};
    static const unsigned char lengths[9] = {3, 5, 7, 9, 11, 13, 15, 16, 18};
    double h, l, sum = 0.0;
    pg_gamma_exponent_f64(a, x, &h, &l);
    const double y = sqrt(-(h + l)), eta = (x < a ? -y : y) * (0x1.6a09e667f3bcdp+0 / sqrt(a));
    const double *c = coefficients + 97;
    for (int k = 0; k < 9; k++) {
        double s = 0.0;
        for (int i = lengths[k]; i > 0; i--) s = PG_FMA(s, eta, *--c);
        sum = sum / a + s;
    }
    sum *= 0x1.9884533d43651p-2 / sqrt(a);
    return pg_exp_times_f64(h, l, 0.5 * pg_erfcx_f64(y) + (x < a ? -sum : sum));
}

/* P by its power series. */
PG_NOINLINE double pg_gamma_lower_f64(double a, double x) {
    double term = 1.0, sum = 1.0;
    for (double n = 1.0; (term > sum * 0x1p-56) & (n < 1000.0); n += 1.0) {
        term *= x / (a + n);
        sum += term;
    }
    return pg_gamma_factor_f64(a, x, sum / a);
}

/* Q by its continued fraction, for x > 1 and x >= a, or x >= 7/5 a where a is large; as many terms as 2^-56 takes. */
PG_INLINE double pg_gamma_upper_f64(double a, double x) {
    double n = pg_floor_f64(7.0 + 112.0 / x + (a < 30.0 ? a : 30.0)), rest = 0.0;
    for (; n > 0.0; n -= 1.0) {
        rest = n * (n - a) / (((x - a) + (n + n + 1.0)) - rest);
    }
    return pg_gamma_factor_f64(a, x, 1.0 / (((x - a) + 1.0) - rest));
}

/* Q for small a and x: 1 - (x^a / Gamma(a + 1)) (1 + a sum of (-x)^k / (k! (a + k))), k >= 1. */
PG_INLINE double pg_gamma_corner_f64(double a, double x) {
    double h, l, term = 1.0, sum = 0.0;
    for (double n = 1.0; (fabs(term) > fabs(sum) * 0x1p-56) & (n < 100.0); n += 1.0) {
        term *= -x / n;
        sum += term / (a + n);
    }
    pg_gammaln_near_f64(a, &h, &l);
    const double e = PG_FMA(a, pg_log_f64(x), -h) - l, rest = pg_expm1_called_f64(e);
    return -(rest + (1.0 + rest) * (a * sum));
}

/* P where `upper` is 0, else Q. */
PG_NOINLINE double pg_gamma_share_f64(double a, double x, int upper) {
    if ((a != a) | (x != x)) {
        return a + x;
    }
    if ((a < 0.0) | (x < 0.0) | ((a == 0.0) & (x == 0.0)) | ((a == INFINITY) & (x == INFINITY))) {
        return NAN;
    }
    if ((x == 0.0) | (a == INFINITY)) {
        return upper ? 1.0 : 0.0;
    }
    if ((a == 0.0) | (x == INFINITY)) {
        return upper ? 0.0 : 1.0;
    }
    int is_upper = x > a; /* which is computed */
    double found;
    if ((a >= 30.0) & (fabs(x - a) <= 0.4 * a)) {
        found = pg_gamma_middle_f64(a, x);
        is_upper = x >= a;
    } else if (x <= 1.1) {
        is_upper = x <= 0.5 ? a * pg_log_f64(x) > -0.4 : a < 1.1 * x;
        found = is_upper & upper ? pg_gamma_corner_f64(a, x) : pg_gamma_lower_f64(a, x);
        is_upper = is_upper & upper;
    } else {
        found = is_upper ? pg_gamma_upper_f64(a, x) : pg_gamma_lower_f64(a, x);
    }
    found = found > 1.0 ? 1.0 : found;
    return is_upper == upper ? found : 1.0 - found;
}
PG_INLINE double pg_gammainc_f64(double a, double x) { return pg_gamma_share_f64(a, x, 0); }
PG_INLINE double pg_gammaincc_f64(double a, double x) { return pg_gamma_share_f64(a, x, 1); }

/* dP/dx = x^(a - 1) e^-x / Gamma(a). At x = 0 it is inf for a < 1, 1 for a = 1 and else 0. */
PG_NOINLINE double pg_gamma_density_f64(double a, double x) {
    double h, l;
    if (!((a >= 0.0) & (x >= 0.0))) {
        return NAN;
    }
    if ((a == 0.0) | (a == INFINITY) | (x == INFINITY)) {
        return ((a == x) & (a == INFINITY)) | ((a == 0.0) & (x == 0.0)) ? NAN : 0.0;
    }
    if (x == 0.0) {
        return a < 1.0 ? INFINITY : a == 1.0 ? 1.0 : 0.0;
    }
    if (a >= 10.0) {
        return pg_gamma_factor_f64(a, x, 1.0 / x);
    }
    pg_gamma_exponent_small_f64(a, 1.0, x, &h, &l);
    return pg_exp_times_f64(h, l, 1.0);
}

/* f32: through f64, rounded once. */
PG_INLINE float pg_gammainc_f32(float a, float x) { return (float)pg_gammainc_f64((double)a, (double)x); }
PG_INLINE float pg_gammaincc_f32(float a, float x) { return (float)pg_gammaincc_f64((double)a, (double)x); }
PG_INLINE float pg_gamma_density_f32(float a, float x) { return (float)pg_gamma_density_f64((double)a, (double)x); }

#endif
