/* Trigonometry in f64: sin cos tan with their bounded straight-line cores.
 *
 * Method: x = k pi/2 + r, |r| <= pi/4, pi/2 in three or four parts (Cody & Waite) and r kept as y + yl; the minimax
 * polynomials for sin (2^-58) and cos (2^-64) on that interval (Remez) are both evaluated and k picks between them. */
#ifndef PG_MATH_TRIG_H
#define PG_MATH_TRIG_H

#include "pg_math_base.h"

#define PG_TRIG_BOUND_F64 0x1p20

/* x = k pi/2 + (y + yl) for |x| <= 2^20, to more than 2^-70 relative even at the doubles closest to a multiple of pi/2.
 * With FMA: parts of 53, 30 and 53 bits. x - k P1 is exact; the short P2 makes the next step exact whenever it cancels,
 * and otherwise its error is found by Dekker's argument. Without: parts of 33 bits make every k P exact. */
PG_INLINE void pg_rem_pio2_f64(double x, uint64_t *k, double *y, double *yl) {
    const double t = PG_FMA(x, 0x1.45f306dc9c883p-1, PG_MAGIC_F64);
    const double n = t - PG_MAGIC_F64;
    *k = pg_bits_f64(t);
#if PG_HAS_FMA
    const double a = fma(-n, 0x1.921fb54442d18p+0, x);
    const double b = fma(-n, 0x1.1a62633000000p-54, a);
    *y = b;
    *yl = fma(-n, 0x1.45c06e0e68948p-86, fma(-n, 0x1.1a62633000000p-54, a - b));
#else
    double r1, e1, c;
    const double r0 = x - n * 0x1.921fb54400000p+0;
    pg_two_sum_f64(r0, -(n * 0x1.0b4611a600000p-34), &r1, &e1);
    c = e1 - n * 0x1.3198a2e000000p-69;
    pg_two_sum_f64(r1, c, y, &e1);
    *yl = e1 - n * 0x1.b839a252049c1p-104;
#endif
}

/* The same for any finite |x| >= 2, returning k mod 4 (Payne & Hanek 1983). x = m 2^e, m < 2^53, times the 192 bits of
 * 2/pi that start where the product is below 8: integer part mod 8, then at least 136 correct bits of fraction, of
 * which at most about 62 can be zeros. */
PG_INLINE uint64_t pg_rem_pio2_large_f64(double x, double *y, double *yl) {
    static const uint32_t two_over_pi[38] = {
        0xa2f9836eU, 0x4e441529U, 0xfc2757d1U, 0xf534ddc0U, 0xdb629599U, 0x3c439041U, 0xfe5163abU, 0xdebbc561U,
        0xb7246e3aU, 0x424dd2e0U, 0x06492eeaU, 0x09d1921cU, 0xfe1deb1cU, 0xb129a73eU, 0xe88235f5U, 0x2ebb4484U,
        0xe99c7026U, 0xb45f7e41U, 0x3991d639U, 0x835339f4U, 0x9c845f8bU, 0xbdf9283bU, 0x1ff897ffU, 0xde05980fU,
        0xef2f118bU, 0x5a0a6d1fU, 0x6d367ecfU, 0x27cb09b7U, 0x4f463f66U, 0x9e5fea2dU, 0x7527bac7U, 0xebe5f17bU,
        0x3d0739f7U, 0x8a5292eaU, 0x6bfb5fb1U, 0x1f8d5d08U, 0x56033046U, 0xfc7b6babU};
    const uint64_t bits = pg_bits_f64(x);
    const uint64_t m = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x0010000000000000);
    const int e = (int)((bits >> 52) & 0x7ffU) - 1075; /* in [-52, 971] */
    /* Bit i (from 1) of 2/pi has weight 2^-i; those with i <= e - 3 add multiples of 8. */
    const int skip = e > 3 ? e - 3 : 0, word = skip / 32, shift = skip % 32;
    uint32_t product[8]; /* m times the window, least significant word last, as 256 bits */
    uint64_t carry_lo = 0, carry_hi = 0;
    const uint64_t m_lo = m & 0xffffffffU, m_hi = m >> 32;
    for (int i = 5; i >= 0; i--) {
        const uint64_t pair = ((uint64_t)two_over_pi[word + i] << 32) | two_over_pi[word + i + 1];
        const uint64_t w = (pair << shift) >> 32;
        const uint64_t lo = w * m_lo + carry_lo;
        product[i + 2] = (uint32_t)lo;
        const uint64_t hi = w * m_hi + (lo >> 32) + carry_hi;
        carry_lo = hi & 0xffffffffU;
        carry_hi = hi >> 32;
    }
    product[1] = (uint32_t)carry_lo;
    product[0] = (uint32_t)carry_hi;
    /* The value is product 2^(e - skip - 192): its integer part ends `whole` bits from the top of the 256. */
    const int whole = 64 + e - skip, wword = whole / 32, wshift = whole % 32;
    uint32_t part[6]; /* part[0]: integer mod 2^32; part[1..]: fraction */
    for (int i = 0; i < 6; i++) {
        const int j = wword - 1 + i;
        const uint64_t high = ((j >= 0) & (j < 8)) ? product[j] : 0U;
        const uint64_t low = ((j >= -1) & (j < 7)) ? product[j + 1] : 0U;
        part[i] = (uint32_t)((((high << 32) | low) << wshift) >> 32);
    }
    const int up = part[1] >= 0x80000000U; /* fraction of 1/2 or more: towards the next k, with a negative rest */
    uint64_t k = (uint64_t)part[0] + (uint64_t)up;
    const uint32_t flip = up ? 0xffffffffU : 0U;
    double f = 0.0, fl = 0.0, scale = up ? -0x1p-32 : 0x1p-32;
    for (int i = 1; i < 6; i++) {
        double s, r;
        pg_two_sum_f64(f, scale * (double)(part[i] ^ flip), &s, &r);
        f = s;
        fl += r;
        scale *= 0x1p-32;
    }
    /* times pi/2 */
    double p, pe;
    pg_fast_two_sum_f64(f, fl, &f, &fl);
    pg_two_prod_f64(f, 0x1.921fb54442d18p+0, &p, &pe);
    pg_fast_two_sum_f64(p, pe + (f * 0x1.1a62633145c07p-54 + fl * 0x1.921fb54442d18p+0), y, yl);
    if (x < 0.0) {
        *y = -*y;
        *yl = -*yl;
        k = 0U - k;
    }
    return k;
}

/* sin(y + yl) and cos(y + yl) as leading term and rest. */
PG_INLINE void pg_sin_poly_f64(double y, double yl, double *h, double *l) {
    const double z = y * y;
    const double p = PG_POLY6(z, -0x1.5555555555549p-3, 0x1.111111110f862p-7, -0x1.a01a019c0e53fp-13,
                              0x1.71de3574bbc0ep-19, -0x1.ae5e63cb857bbp-26, 0x1.5d92458803146p-33);
    *h = y;
    *l = PG_FMA(y * z, p, PG_FMA(-0.5 * z, yl, yl));
}
PG_INLINE void pg_cos_poly_f64(double y, double yl, double *h, double *l) {
    const double z = y * y, hz = 0.5 * z, w = 1.0 - hz;
    const double p = PG_POLY6(z, 0x1.555555555554cp-5, -0x1.6c16c16c15163p-10, 0x1.a01a019caf0d0p-16,
                              -0x1.27e4f807e88dcp-22, 0x1.1ee9ea7951e4ep-29, -0x1.8fadd6f541cebp-37);
    *h = w;
    *l = PG_FMA(z * z, p, ((1.0 - w) - hz) - y * yl);
}

/* [v] sin(k pi/2 + y + yl) */
PG_INLINE double pg_sin_rem_f64(uint64_t k, double y, double yl) {
    double sh, sl, ch, cl;
    pg_sin_poly_f64(y, yl, &sh, &sl);
    pg_cos_poly_f64(y, yl, &ch, &cl);
    const uint64_t odd = 0U - (k & 1U);
    const double r = pg_pick_f64(odd, ch, sh) + pg_pick_f64(odd, cl, sl);
    return pg_from_bits_f64(pg_bits_f64(r) ^ ((k & 2U) << 62));
}

/* [v] tan(k pi/2 + y + yl): sin/cos or -cos/sin by one division of double-doubles. */
PG_INLINE double pg_tan_rem_f64(uint64_t k, double y, double yl) {
    double sh, sl, ch, cl, q, ql;
    pg_sin_poly_f64(y, yl, &sh, &sl);
    pg_cos_poly_f64(y, yl, &ch, &cl);
    const uint64_t odd = 0U - (k & 1U);
    double z, zl; /* the rounding error of y^2, which sin and cos may neglect */
    pg_two_prod_f64(y, y, &z, &zl);
    cl -= 0.5 * zl;
    sl -= 0x1.5555555555555p-3 * y * zl;
    pg_fast_two_sum_f64(sh, sl, &sh, &sl);
    pg_fast_two_sum_f64(ch, cl, &ch, &cl);
    pg_dd_div_f64(pg_pick_f64(odd, ch, sh), pg_pick_f64(odd, cl, sl), pg_pick_f64(odd, -sh, ch),
                  pg_pick_f64(odd, -sl, cl), &q, &ql);
    return q + ql;
}

/* [v] Nonzero where the cores hold; inf and NaN are not ok. */
PG_INLINE int pg_sin_ok_f64(double x) { return fabs(x) <= PG_TRIG_BOUND_F64; }
PG_INLINE int pg_cos_ok_f64(double x) { return fabs(x) <= PG_TRIG_BOUND_F64; }
PG_INLINE int pg_tan_ok_f64(double x) { return fabs(x) <= PG_TRIG_BOUND_F64; }

/* [v] */
PG_INLINE double pg_sin_core_f64(double x) {
    double y, yl;
    uint64_t k;
    pg_rem_pio2_f64(x, &k, &y, &yl);
    const double r = pg_sin_rem_f64(k, y, yl);
    return x == 0.0 ? x : r;
}
PG_INLINE double pg_cos_core_f64(double x) {
    double y, yl;
    uint64_t k;
    pg_rem_pio2_f64(x, &k, &y, &yl);
    return pg_sin_rem_f64(k + 1U, y, yl);
}
PG_INLINE double pg_tan_core_f64(double x) {
    double y, yl;
    uint64_t k;
    pg_rem_pio2_f64(x, &k, &y, &yl);
    const double r = pg_tan_rem_f64(k, y, yl);
    return fabs(x) < 0x1p-30 ? x : r;
}

/* Beyond the bound: as the cores on the exact remainder. */
PG_INLINE double pg_sin_large_f64(double x, uint64_t shift) {
    double y, yl;
    if (!(fabs(x) < INFINITY)) {
        return x - x;
    }
    const uint64_t k = pg_rem_pio2_large_f64(x, &y, &yl);
    return pg_sin_rem_f64(k + shift, y, yl);
}
PG_INLINE double pg_tan_large_f64(double x) {
    double y, yl;
    if (!(fabs(x) < INFINITY)) {
        return x - x;
    }
    const uint64_t k = pg_rem_pio2_large_f64(x, &y, &yl);
    return pg_tan_rem_f64(k, y, yl);
}
PG_INLINE double pg_sin_f64(double x) { return pg_sin_ok_f64(x) ? pg_sin_core_f64(x) : pg_sin_large_f64(x, 0U); }
PG_INLINE double pg_cos_f64(double x) { return pg_cos_ok_f64(x) ? pg_cos_core_f64(x) : pg_sin_large_f64(x, 1U); }
PG_INLINE double pg_tan_f64(double x) { return pg_tan_ok_f64(x) ? pg_tan_core_f64(x) : pg_tan_large_f64(x); }

#endif
