/* gammaln, digamma and polygamma: scalar code with branches.
 *
 * Accuracy: gammaln (the C library's) and digamma within 4 ulp, polygamma within 8 for orders up to 7. For x < 0, where
 * terms cancel near the zeros, the error is within those limits or 1 (gammaln) to 2 eps absolute. */
#ifndef PG_MATH_GAMMA_H
#define PG_MATH_GAMMA_H

#include "pg_math_base.h"

#define PG_PI_F64 0x1.921fb54442d18p+1

/* log |Gamma(x)|; inf at 0 and at negative integers. */
PG_INLINE double pg_gammaln_f64(double x) { return lgamma(x); }

/* digamma on [1, 2]: (x - x0) P(x - 1)/Q(x - 1), x0 its zero in two parts; rational interpolation, 2^-63. */
PG_INLINE double pg_digamma_12_f64(double x) {
    const double t = x - 1.0;
    const double d = (x - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54;
    const double p = PG_POLY7(t, 0x1.4018e9a62525ep+0, 0x1.de1a8af2745b4p+0, 0x1.f1384fe93553ep-1, 0x1.bb02df58e8a54p-3,
                              0x1.47176e9e0baf9p-6, 0x1.30abbc0abe46ap-11, 0x1.2473a928133bep-20);
    const double q = PG_POLY7(t, 1.0, 0x1.16ad65259c04ep+1, 0x1.a9bf32a0bb7acp+0, 0x1.246015d6a895ep-1,
                              0x1.7539385d2a729p-4, 0x1.8fd563129c5eap-8, 0x1.f92059df5b1d1p-14);
    return d * (p / q);
}

/* pi cot(pi x) with the argument reduced exactly; x is not an integer. */
PG_INLINE double pg_pi_cot_pi_f64(double x) {
    const double r = x - rint(x);
    return fabs(r) > 0.25 ? PG_PI_F64 * tan(PG_PI_F64 * (r > 0.0 ? 0.5 - r : -0.5 - r))
                          : PG_PI_F64 / tan(PG_PI_F64 * r);
}

/* psi(x) for x > 0: the asymptotic series (Abramowitz & Stegun 6.3.18) from 10 on, below it the recurrence
 * psi(x + 1) = psi(x) + 1/x to [1, 2], where the zero is factored out. */
PG_INLINE double pg_digamma_positive_f64(double x) {
    if (x >= 10.0) {
        const double i = 1.0 / x, z = i * i;
        const double b = PG_POLY8(z, 1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0,
                                  1.0 / 12.0, -3617.0 / 8160.0);
        return log(x) - (0.5 * i + z * b);
    }
    double sum = 0.0;
    if (x < 1.0) {
        sum = -1.0 / x;
        x += 1.0;
    }
    while (x > 2.0) {
        x -= 1.0;
        sum += 1.0 / x;
    }
    return sum + pg_digamma_12_f64(x);
}

/* The logarithmic derivative of Gamma; -/+inf at +/-0, NaN at negative integers and -inf. For x < 0 the reflection
 * psi(x) = psi(1 - x) - pi cot(pi x), written psi(-x) + 1/(-x) so that small arguments lose nothing. */
PG_INLINE double pg_digamma_f64(double x) {
    if (x == 0.0) {
        return copysign(INFINITY, -x);
    }
    if (x > 0.0) {
        return pg_digamma_positive_f64(x);
    }
    if ((x == -INFINITY) | (x == floor(x))) {
        return NAN;
    }
    if (x != x) {
        return x;
    }
    if (x > -0x1p-60) {
        return -1.0 / x; /* what follows is below half an ulp, and would be inf - inf */
    }
    return pg_digamma_positive_f64(-x) + (-1.0 / x - pg_pi_cot_pi_f64(x));
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
        const double term = pow(x * inv_c, -s);
        sum += term;
        x += 1.0;
        if (term < sum * 0x1p-60) {
            return sum;
        }
    }
    const double a = pow(x * inv_c, -s);
    double factor = s * a / x, tail = 0.0;
    for (int j = 0; j < 12; j++) {
        tail += factor * b_over_factorial[j];
        factor *= ((s + 2.0 * j + 1.0) / x) * ((s + 2.0 * j + 2.0) / x);
    }
    return sum + (tail + 0.5 * a + a * x / (s - 1.0));
}

/* n! zeta(n + 1, x) for x > 0, by a product of ratios where a factor alone would leave the range. */
PG_INLINE double pg_factorial_zeta_f64(double n, double x) {
    const double s = n + 1.0;
    double factorial = 1.0;
    for (double i = 2.0; i <= n; i += 1.0) {
        factorial *= i;
    }
    if (x > 1e100) {
        return factorial / n * pow(x, -n);
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
PG_INLINE double pg_polygamma_f64(double n, double x) {
    if ((n != n) | (x != x)) {
        return n + x;
    }
    if (n == 0.0) {
        return pg_digamma_f64(x);
    }
    if ((n < 0.0) | (n != floor(n)) | (n > 169.0) | (x == -INFINITY)) {
        return NAN;
    }
    const int odd = fmod(n, 2.0) != 0.0;
    if (x > 0.0) {
        const double r = pg_factorial_zeta_f64(n, x);
        return odd ? r : -r;
    }
    if (x == floor(x)) {
        return odd ? INFINITY : (x == 0.0 ? copysign(INFINITY, -x) : NAN);
    }
    const double d = x - rint(x);
    const double right = pg_factorial_zeta_f64(n, d > 0.0 ? d : 1.0 + d);
    const double left = pg_factorial_zeta_f64(n, d > 0.0 ? 1.0 - d : -d) - pg_factorial_zeta_f64(n, 1.0 - x);
    return odd ? right + left : left - right;
}

/* f32: through f64, rounded once. */
PG_INLINE float pg_gammaln_f32(float x) { return (float)pg_gammaln_f64((double)x); }
PG_INLINE float pg_digamma_f32(float x) { return (float)pg_digamma_f64((double)x); }
PG_INLINE float pg_polygamma_f32(float n, float x) { return (float)pg_polygamma_f64((double)n, (double)x); }

#endif
