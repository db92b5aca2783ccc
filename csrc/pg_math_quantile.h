/* erfinv, erfcinv and erfcx: the error function's inverses and its scaled complement; scalar code with branches.
 *
 * The inverses are quantiles of the normal distribution by Wichura's algorithm AS 241 (Applied Statistics 37, 1988,
 * PPND16): rational functions in 0.180625 - q^2 for |q| <= 0.425, q = p - 1/2, and in sqrt(-log p) of the smaller tail
 * p beyond. Accuracy: 4 ulp. */
#ifndef PG_MATH_QUANTILE_H
#define PG_MATH_QUANTILE_H

#include "pg_math_base.h"
#include "pg_math_erf.h"
#include "pg_math_exp.h"
#include "pg_math_log.h"

/* The quantile of which q is the probability less 1/2, and t >= 0 twice the smaller of it and the rest to 1. */
PG_NOINLINE double pg_normal_quantile_f64(double q, double t) {
    if (fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return q * (PG_POLY8(r, 3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
                             1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                             3.3430575583588128105e+4, 2.5090809287301226727e+3) /
                    PG_POLY8(r, 1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
                             2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
                             5.2264952788528545610e+3));
    }
    if (t == 0.0) {
        return copysign(INFINITY, q);
    }
    const double r = sqrt(0x1.62e42fefa39efp-1 - pg_log_f64(t));
    double x;
    if (r <= 5.0) {
        const double s = r - 1.6;
        x = PG_POLY8(s, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                     2.27238449892691845833e-2, 7.74545014278341407640e-4) /
            PG_POLY8(s, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                     1.05075007164441684324e-9);
    } else {
        const double s = r - 5.0;
        x = PG_POLY8(s, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                     2.71155556874348757815e-5, 2.01033439929228813265e-7) /
            PG_POLY8(s, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
                     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
                     2.04426310338993978564e-15);
    }
    return copysign(x, q);
}

/* erf(y) = x for -1 <= x <= 1, else NaN. */
PG_INLINE double pg_erfinv_f64(double x) {
    const double tail = 1.0 - fabs(x);
    if (fabs(x) < 0x1p-1000) {
        return 0x1.c5bf891b4ef6bp-1 * x; /* sqrt(pi)/2 */
    }
    return tail >= 0.0 ? 0x1.6a09e667f3bcdp-1 * pg_normal_quantile_f64(0.5 * x, tail) : NAN;
}
/* erfc(y) = x for 0 <= x <= 2, else NaN. */
PG_INLINE double pg_erfcinv_f64(double x) {
    const double tail = x < 1.0 ? x : 2.0 - x;
    return tail >= 0.0 ? 0x1.6a09e667f3bcdp-1 * pg_normal_quantile_f64(0.5 - 0.5 * x, tail) : NAN;
}

/* e^(x^2) erfc(x) */
PG_NOINLINE double pg_erfcx_f64(double x) {
    double n, nl;
    if (x != x) {
        return x;
    }
    if (x < 0.84) {
        return pg_gaussian_f64(x, -1.0) * pg_erfc_f64(x);
    }
    pg_erfcx_n_f64(x, &n, &nl);
    return (n + nl) / x;
}

/* f32: through f64, rounded once. */
PG_INLINE float pg_erfinv_f32(float x) { return (float)pg_erfinv_f64((double)x); }
PG_INLINE float pg_erfcinv_f32(float x) { return (float)pg_erfcinv_f64((double)x); }
PG_INLINE float pg_erfcx_f32(float x) { return (float)pg_erfcx_f64((double)x); }

#endif
