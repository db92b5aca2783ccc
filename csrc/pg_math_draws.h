/* Draws that are no formulas: log-gamma and Poisson numbers by rejection, truncated normal ones by iteration. A draw is
 * a function of its parameter and of a seed in (0, 1), under whose bits as a key it counts through Threefry's numbers.
 */
#ifndef PG_MATH_DRAWS_H
#define PG_MATH_DRAWS_H

#include "pg_math_erf.h"
#include "pg_math_exp.h"
#include "pg_math_gamma.h"
#include "pg_math_log.h"
#include "pg_math_random.h"

/* Far more attempts than the worst acceptance, 0.95 and 0.77, leaves in doubt; the loops end whatever the operands. */
enum { PG_ATTEMPTS = 256 };

/* The upper 64 bits of the product of two 64-bit numbers, in parts of 32 bits. */
PG_INLINE uint64_t pg_upper_product(uint64_t a, uint64_t b) {
    const uint64_t al = a & UINT64_C(0xffffffff), ah = a >> 32, bl = b & UINT64_C(0xffffffff), bh = b >> 32;
    const uint64_t low = al * bl, left = ah * bl + (low >> 32), right = al * bh + (left & UINT64_C(0xffffffff));
    return ah * bh + (left >> 32) + (right >> 32);
}

/* [v] The upper half of the product of two numbers without sign. */
PG_INLINE int64_t pg_multiply_high_i64(int64_t a, int64_t b) {
    return (int64_t)pg_upper_product((uint64_t)a, (uint64_t)b);
}
PG_INLINE int32_t pg_multiply_high_i32(int32_t a, int32_t b) {
    return (int32_t)(uint32_t)((uint64_t)(uint32_t)a * (uint32_t)b >> 32);
}

/* The logarithm of a number of the gamma distribution, by Marsaglia and Tsang, "A simple method for generating gamma
 * variables", ACM TOMS 26 (2000); below 1 that of a + 1 plus log(u) / a. */
PG_NOINLINE double pg_log_gamma_draw_f64(double a, double seed) {
    const int64_t key = (int64_t)pg_bits_f64(seed);
    const double d = (a < 1.0 ? a + 1.0 : a) - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    double v = 1.0;
    if (!(a > 0.0)) return a == 0.0 ? -INFINITY : NAN;
    if (a == INFINITY) return a;
    for (int64_t k = 1; k < 2 * PG_ATTEMPTS; k += 2) {
        const double x = pg_normal_bits_i64(pg_threefry_i64(key, k)), t = 1.0 + c * x;
        const double u = pg_open_unit_i64(pg_threefry_i64(key, k + 1));
        if (t <= 0.0) continue;
        v = t * t * t;
        if (u < 1.0 - 0.0331 * (x * x) * (x * x)) break;
        if (pg_log_f64(u) < 0.5 * x * x + d * (1.0 - v + pg_log_f64(v))) break;
    }
    v = pg_log_f64(d) + pg_log_f64(v);
    return a < 1.0 ? v + pg_log_f64(pg_open_unit_i64(pg_threefry_i64(key, 0))) / a : v;
}

/* For e^y <= 1: the same from P(a, x) = x^a / Gamma(a + 1) (1 + a S), S the sum of (-x)^k / (k! (a + k)), k >= 1. */
PG_NOINLINE double pg_log_gamma_moved_near_zero(double a, double y, int bend) {
    const double z = pg_exp_f64(y), level = y - pg_digamma_f64(a + 1.0);
    double term = 1.0, s = 0.0, s1 = 0.0, s2 = 0.0; /* S and its derivatives in a */
    for (double k = 1.0; (k < 40.0) & (fabs(term) > 0x1p-60); k += 1.0) {
        const double r = 1.0 / (a + k);
        term *= -z / k;
        s += term * r;
        s1 -= term * r * r;
        s2 += 2.0 * term * r * r * r;
    }
    const double t = level * (1.0 + a * s) + (s + a * s1);
    if (!bend) return -pg_exp_f64(z) * t / a;
    const double ta = level * (s + a * s1) - pg_polygamma_f64(1.0, a + 1.0) * (1.0 + a * s) + (2.0 * s1 + a * s2);
    return pg_exp_f64(z) * (t / a - ta) / a;
}

/* How such a number y moves with a where its place in the distribution stays: -(dF/da) / (dF/dy); with `bend` the
 * derivative of that in a. With t = e^(y -+ s) in the integral of the distribution below or above e^y, whichever has an
 * integrand of one sign, it is the integral of w g, g = +-(psi(a) - y) + s, over s > 0, and the derivative that of
 * -+(s g - psi'(a)) w, with
 *   w = e^(-+a s - z (e^-+s - 1)), z = e^y,
 * by the trapezoidal rule in x, s = scale e^(x - e^-x) (Takahasi and Mori, 1974). */
PG_NOINLINE double pg_log_gamma_moved(double a, double y, int bend) {
    const double z = pg_exp_f64(y), level = y - pg_digamma_f64(a), side = z > a ? 1.0 : -1.0, h = 1.0 / 14.0;
    const double scale = 1.0 / sqrt((z - a) * (z - a) + z + (z > a ? 1.0 : 0.0)),
                 slope = bend ? pg_polygamma_f64(1.0, a) : 0.0;
    double sum = 0.0;
    if (!(a > 0.0 && a < INFINITY && fabs(y) < INFINITY)) return NAN;
    if (a < 1.0 && z <= 1.0) return pg_log_gamma_moved_near_zero(a, y, bend);
    for (int k = -64; k <= 64; k++) {
        const double x = h * k, e = pg_exp_f64(-x), s = scale * pg_exp_f64(x - e), g = side * level + s;
        const double w = pg_exp_f64(side * a * s - z * pg_expm1_f64(side * s));
        sum += w * (bend ? side * (s * g - slope) : g) * (s * (1.0 + e));
    }
    return sum * h;
}
PG_INLINE double pg_log_gamma_slope_f64(double a, double y) { return pg_log_gamma_moved(a, y, 0); }
PG_INLINE double pg_log_gamma_bend_f64(double a, double y) { return pg_log_gamma_moved(a, y, 1); }

/* log(1 + q) - q. */
PG_INLINE double pg_log1p_rest(double q) { return pg_log1p_f64(q) - q; }

/* log of r^k e^-r / k!; from 10 on with Stirling's series (DLMF 5.11.1). */
PG_INLINE double pg_poisson_log_f64(double r, double k) {
    if (k < 10.0) return k * pg_log_f64(r) - r - pg_gammaln_f64(k + 1.0);
    const double w = 1.0 / (k * k);
    const double rest = PG_POLY4(w, 1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0) / k;
    return k * pg_log1p_rest((r - k) / k) - 0.5 * pg_log_f64(6.283185307179586 * k) - rest;
}

/* A number of the Poisson distribution: products of uniform numbers below the rate 10, and else the transformed
 * rejection PTRS of Hoermann, "The transformed rejection method for generating Poisson random variables", Insurance:
 * Mathematics and Economics 12 (1993). */
PG_NOINLINE double pg_poisson_draw_f64(double rate, double seed) {
    const int64_t key = (int64_t)pg_bits_f64(seed);
    double k = 0.0;
    if (!(rate >= 0.0 && rate <= 0x1p62)) return NAN;
    if (rate < 10.0) {
        const double limit = pg_exp_f64(-rate);
        double product = pg_open_unit_i64(pg_threefry_i64(key, 0));
        for (; product > limit && k < PG_ATTEMPTS; k += 1.0) {
            product *= pg_open_unit_i64(pg_threefry_i64(key, (int64_t)k + 1));
        }
        return k;
    }
    const double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    const double scale = pg_log_f64(1.1239 + 1.1328 / (b - 3.4)), narrow = 0.9277 - 3.6224 / (b - 2.0);
    k = floor(rate);
    for (int64_t count = 0; count < 2 * PG_ATTEMPTS; count += 2) {
        const double u = pg_open_unit_i64(pg_threefry_i64(key, count)) - 0.5, s = 0.5 - fabs(u);
        const double v = pg_open_unit_i64(pg_threefry_i64(key, count + 1));
        const double found = floor((2.0 * a / s + b) * u + rate + 0.43);
        if (found < 0.0 || (s < 0.013 && v > s)) continue;
        k = found;
        if (s >= 0.07 && v <= narrow) break;
        if (pg_log_f64(v) + scale - pg_log_f64(a / (s * s) + b) <= pg_poisson_log_f64(rate, found)) break;
    }
    return k;
}

/* log of the probability that a normal number is above x >= -1; beyond 30 by the series DLMF 7.12.1. */
PG_INLINE double pg_log_tail_f64(double x) {
    if (x < 30.0) return pg_log_f64(0.5 * pg_erfc_f64(x * 0x1.6a09e667f3bcdp-1));
    const double w = 1.0 / (x * x);
    const double rest = w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w * (1.0 - 9.0 * w))));
    return pg_log1p_f64(-rest) - 0.5 * x * x - pg_log_f64(x) - 0x1.d67f1c864beb5p-1;
}

/* The normal number between a and b below which the share u of that interval's probability lies, nan where u is none:
 * the root z < 0 of log(tail(-z)) = l, a concave function, by Newton's steps from a point below, so that each stays
 * below. */
PG_NOINLINE double pg_truncated_normal_f64(double a, double b, double u) {
    double sign = 1.0, l;
    if (!(a < b)) return a == b ? a : NAN;
    if (!(u > 0.0 && u < 1.0)) return u == 0.0 ? a : u == 1.0 ? b : NAN;
    if (a + b > 0.0) {
        const double other = -a;
        a = -b, b = other, u = 1.0 - u, sign = -1.0;
    }
    if (b <= 0.0) {
        const double la = pg_log_tail_f64(-a), lb = pg_log_tail_f64(-b);
        l = lb + pg_log1p_f64((1.0 - u) * pg_expm1_f64(la - lb));
    } else {
        const double below = -a * 0x1.6a09e667f3bcdp-1, above = b * 0x1.6a09e667f3bcdp-1;
        const double mass = 0.5 * (pg_erf_f64(below) + pg_erf_f64(above));
        double p = 0.5 * pg_erfc_f64(below) + u * mass;
        if (p > 0.5) {
            const double other = -a;
            p = 0.5 * pg_erfc_f64(above) + (1.0 - u) * mass;
            a = -b, b = other, sign = -sign;
        }
        l = pg_log_f64(p);
    }
    double z = -sqrt(-2.0 * l);
    for (int k = 0; k < 16; k++) {
        const double at = pg_log_tail_f64(-z), step = (l - at) * pg_exp_f64(at + 0.5 * z * z + 0x1.d67f1c864beb5p-1);
        z += step;
        if (!(fabs(step) > 1e-15 * fabs(z))) break;
    }
    z = z < a ? a : z;
    return sign * (z > b ? b : z);
}

PG_INLINE float pg_truncated_normal_f32(float a, float b, float u) {
    return (float)pg_truncated_normal_f64((double)a, (double)b, (double)u);
}
PG_INLINE float pg_log_gamma_draw_f32(float a, float seed) {
    return (float)pg_log_gamma_draw_f64((double)a, (double)seed);
}
PG_INLINE float pg_log_gamma_slope_f32(float a, float y) { return (float)pg_log_gamma_slope_f64((double)a, (double)y); }
PG_INLINE float pg_log_gamma_bend_f32(float a, float y) { return (float)pg_log_gamma_bend_f64((double)a, (double)y); }
PG_INLINE float pg_poisson_draw_f32(float rate, float seed) {
    return (float)pg_poisson_draw_f64((double)rate, (double)seed);
}

#endif
