/* The library's scalar mathematics: every elementwise function as a `static inline`, f64 and f32.
 *
 * Accuracy  At most 1 ulp for the elementary functions, 2 ulp for those of f32 that are evaluated in f32 alone. Each
 *           row says its limits, held by tests/csrc/test_math_accuracy.py. Special values follow C99 and NumPy.
 * Flags     Written for -O3 -fno-math-errno -fno-trapping-math -ffp-contract=off, never -ffast-math: several
 *           functions depend on the exact order of the operations. Results depend on whether the target has FMA.
 * Vectors   Functions marked [v] are straight-line code; a plain loop over them becomes vector code.
 *           pg_F_core_T (straight-line) is valid where pg_F_ok_T is nonzero; there pg_F_T gives the same bits.
 */
#ifndef PG_MATH_H
#define PG_MATH_H

#include "pg_math_base.h"            /* PG_FMA, bit access, double-double pieces */
#include "pg_math_arith.h"           /* abs floor ceil round sqrt maximum minimum mod floor_divide hypot, integers */
#include "pg_math_parts.h"           /* copysign nextafter exponent scalbn fmod */
#include "pg_math_exp.h"             /* exp expm1 exp2 sinh cosh tanh sigmoid silu gaussian */
#include "pg_math_log.h"             /* log log1p log2 log10 softplus logaddexp arcsinh arccosh arctanh cbrt */
#include "pg_math_trig.h"            /* sin cos tan */
#include "pg_math_inverse.h"         /* arctan arcsin arccos arctan2 */
#include "pg_math_erf.h"             /* erf erfc gelu */
#include "pg_math_single.h"          /* f32 in f32 alone: exp expm1 tanh sigmoid silu log log1p softplus erf */
#include "pg_math_f32.h"             /* the other f32 functions of the four above, in f64 */
#include "pg_math_pow.h"             /* pow hypot */
#include "pg_math_gamma.h"           /* gammaln digamma polygamma */
#include "pg_math_quantile.h"        /* erfinv erfcinv erfcx */
#include "pg_math_beta.h"            /* gamma betaln */
#include "pg_math_incomplete.h"      /* gammainc gammaincc gamma_density */
#include "pg_math_incomplete_beta.h" /* betainc betaincc beta_density stdtr */
#include "pg_math_bessel.h"          /* i0 i0e i1 i1e */
#include "pg_math_random.h"          /* random bits, and numbers made of bits */
#include "pg_math_draws.h"           /* multiply_high, draws by rejection and by iteration */

#endif
