/* gamma and the logarithm of the beta function: scalar code with branches. Accuracy: gamma within 6 ulp, betaln within
 * 8 of max(1, |betaln|) or so. */
#ifndef PG_MATH_BETA_H
#define PG_MATH_BETA_H

#include "pg_math_exp.h"
#include "pg_math_gamma.h"
#include "pg_math_log.h"

/* Gamma(x): the exponential of log Gamma, in two parts; whole numbers up to 23 by their product. At +-0 it is +-inf, at
 * negative integers and -inf NaN. For x < 0 by the reflection Gamma(x) = pi / (-x sin(pi x) Gamma(-x)), DLMF 5.5.3. */
PG_NOINLINE double pg_gamma_f64(double x) {
    double h, l, a, al;
    if ((x != x) | (x == INFINITY)) {
        return x;
    }
    if (fabs(x) < 0x1p-60) {
        return 1.0 / x;
    }
    const double floor = pg_floor_f64(x);
    if ((x == floor) & (x <= 23.0)) {
        double product = x < 0.0 ? NAN : 1.0;
        for (double i = 2.0; i < x; i += 1.0) {
            product *= i;
        }
        return product;
    }
    if (x > 172.0) {
        return INFINITY;
    }
    if (x < -190.0) {
        return fmod(floor, 2.0) == 0.0 ? 0.0 : -0.0;
    }
    pg_gammaln_dd_f64(fabs(x), &a, &al);
    pg_two_sum_f64(a, al, &h, &l);
    if (x > 0.0) {
        const double half = pg_exp_f64(0.5 * h); /* e^h alone may be beyond the range by its rounding */
        return (half * (1.0 + l)) * half;
    }
    const double nearest = pg_round_f64(x);
    pg_sin_pi_f64(x - nearest, &a, &al);
    const double half = pg_exp_f64(-0.5 * h), sine = fmod(nearest, 2.0) == 0.0 ? a : -a;
    return (half * (PG_PI_HI_F64 / (-x * sine))) * (half * (1.0 - l));
}

/* The rest of Stirling's series, log Gamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), for x >= 10. */
PG_INLINE double pg_stirling_rest_f64(double x) {
    const double i = 1.0 / x, z = i * i;
    return i * PG_POLY7(z, 1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360360.0,
                        1.0 / 156.0);
}

/* log |B(p, q)|. Where one is large, differences of log Gamma are written out by Stirling's series (as in Didonato and
 * Morris, ACM TOMS 708), so that nothing large cancels. */
PG_NOINLINE double pg_betaln_f64(double p, double q) {
    const double a = p < q ? p : q, b = p < q ? q : p;
    if (p + q != p + q) {
        return p + q;
    }
    if (!((b >= 10.0) & (p + q >= 10.0))) {
        const double first = pg_gammaln_f64(p), second = pg_gammaln_f64(q);
        return ((first == INFINITY) & (second == INFINITY)) ? INFINITY : first + (second - pg_gammaln_f64(p + q));
    }
    if (b == INFINITY) {
        return -INFINITY;
    }
    const double h = a / b, sum = a + b, rest = pg_stirling_rest_f64(b) - pg_stirling_rest_f64(sum);
    if (a < 10.0) {
        return pg_gammaln_f64(a) + ((rest + (a - (b - 0.5) * pg_log1p_f64(h))) - a * pg_log_f64(sum));
    }
    const double first = (pg_stirling_rest_f64(a) + rest) + (0x1.d67f1c864beb5p-1 - 0.5 * pg_log_f64(b));
    return (first + (a - 0.5) * pg_log_f64(h / (1.0 + h))) - b * pg_log1p_f64(h);
}

/* f32: through f64, rounded once. */
PG_INLINE float pg_gamma_f32(float x) { return (float)pg_gamma_f64((double)x); }
PG_INLINE float pg_betaln_f32(float p, float q) { return (float)pg_betaln_f64((double)p, (double)q); }

#endif
