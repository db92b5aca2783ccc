/* What all arithmetic here needs of the compiler: IEEE floats and doubles, each operation rounded to its own type. The
 * elementary functions round by adding large constants and carry rounding errors along, which is garbage without. */
#ifndef PG_ARITHMETIC_H
#define PG_ARITHMETIC_H

#include <float.h>

#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53 || DBL_MAX_EXP != 1024
#error "this code needs a float of 32 bits and a double of 64 bits (AVR: -mdouble=64)"
#endif
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(_M_FP_FAST)
#error "fast-math rules change the results of this code: compile without -Ofast and -ffast-math, or add -fno-fast-math"
#endif
#if defined(__NO_SIGNED_ZEROS__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "inf, nan and -0.0 have their meaning here: compile without -ffinite-math-only and -fno-signed-zeros"
#endif
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "floats and doubles are rounded to more digits than they have: for 32-bit x86 add -msse2 -mfpmath=sse"
#endif
/* Clang has no macro for some of these flags, but can be told. What follows also says that a * b + c is two roundings;
 * GCC has no such pragma, it does not contract with -std=c99 or -ffp-contract=off. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-pragmas"
#pragma clang diagnostic ignored "-Wignored-pragmas"
#pragma float_control(precise, on)
#pragma clang diagnostic pop
#pragma STDC FP_CONTRACT OFF
#endif
/* An error here: 1.0 is not a double. */
typedef char pg_compile_without_fsingle_precision_constant[sizeof(1.0) == sizeof(double) ? 1 : -1];

#endif
