/* Exports a loop over every function of pg_math.h, for tests/csrc/test_math_accuracy.py. */
#include "pg_math.h"

#define PROBE1(S, T, F)                                                  \
    void probe_##F##_##S(const T *x, T *out, long n);                    \
    void probe_##F##_##S(const T *restrict x, T *restrict out, long n) { \
        for (long i = 0; i < n; i++) {                                   \
            out[i] = pg_##F##_##S(x[i]);                                 \
        }                                                                \
    }
#define PROBE2(S, T, F)                                                                       \
    void probe_##F##_##S(const T *x, const T *y, T *out, long n);                             \
    void probe_##F##_##S(const T *restrict x, const T *restrict y, T *restrict out, long n) { \
        for (long i = 0; i < n; i++) {                                                        \
            out[i] = pg_##F##_##S(x[i], y[i]);                                                \
        }                                                                                     \
    }
#define PROBE3(S, T, F)                                                        \
    void probe_##F##_##S(const T *x, const T *y, const T *z, T *out, long n);  \
    void probe_##F##_##S(const T *x, const T *y, const T *z, T *out, long n) { \
        for (long i = 0; i < n; i++) {                                         \
            out[i] = pg_##F##_##S(x[i], y[i], z[i]);                           \
        }                                                                      \
    }
#define PROBE_OK(S, T, F)                                                   \
    void probe_##F##_ok_##S(const T *x, T *out, long n);                    \
    void probe_##F##_ok_##S(const T *restrict x, T *restrict out, long n) { \
        for (long i = 0; i < n; i++) {                                      \
            out[i] = (T)(pg_##F##_ok_##S(x[i]) != 0);                       \
        }                                                                   \
    }
#define BOTH(PROBE, F)     PROBE(f64, double, F) PROBE(f32, float, F)
#define CORE(F)            BOTH(PROBE1, F##_core) BOTH(PROBE_OK, F)
#define INTEGERS(PROBE, F) PROBE(i64, int64_t, F) PROBE(i32, int32_t, F)

BOTH(PROBE1, exp)
BOTH(PROBE1, expm1)
BOTH(PROBE1, exp2)
BOTH(PROBE1, log)
BOTH(PROBE1, log1p)
BOTH(PROBE1, log2)
BOTH(PROBE1, log10)
BOTH(PROBE1, sqrt)
BOTH(PROBE1, cbrt)
BOTH(PROBE1, sin)
BOTH(PROBE1, cos)
BOTH(PROBE1, tan)
BOTH(PROBE1, arcsin)
BOTH(PROBE1, arccos)
BOTH(PROBE1, arctan)
BOTH(PROBE1, sinh)
BOTH(PROBE1, cosh)
BOTH(PROBE1, tanh)
BOTH(PROBE1, arcsinh)
BOTH(PROBE1, arccosh)
BOTH(PROBE1, arctanh)
BOTH(PROBE1, erf)
BOTH(PROBE1, erfc)
BOTH(PROBE1, gammaln)
BOTH(PROBE1, digamma)
BOTH(PROBE1, sigmoid)
BOTH(PROBE1, softplus)
BOTH(PROBE1, silu)
BOTH(PROBE1, gelu)
BOTH(PROBE1, erfinv)
BOTH(PROBE1, erfcinv)
BOTH(PROBE1, erfcx)
BOTH(PROBE1, gamma)
BOTH(PROBE1, i0)
BOTH(PROBE1, i0e)
BOTH(PROBE1, i1)
BOTH(PROBE1, i1e)
BOTH(PROBE1, exponent)
BOTH(PROBE1, floor)
BOTH(PROBE1, ceil)
BOTH(PROBE1, round)
BOTH(PROBE1, abs)
CORE(sin)
CORE(cos)
CORE(tan)
BOTH(PROBE2, pow)
BOTH(PROBE2, arctan2)
BOTH(PROBE2, hypot)
BOTH(PROBE2, gaussian)
BOTH(PROBE2, logaddexp)
BOTH(PROBE2, floor_divide)
BOTH(PROBE2, mod)
BOTH(PROBE2, maximum)
BOTH(PROBE2, minimum)
BOTH(PROBE2, polygamma)
BOTH(PROBE2, betaln)
BOTH(PROBE2, gammainc)
BOTH(PROBE2, gammaincc)
BOTH(PROBE2, gamma_density)
BOTH(PROBE2, stdtr)
BOTH(PROBE3, betainc)
BOTH(PROBE3, betaincc)
BOTH(PROBE3, beta_density)
INTEGERS(PROBE1, abs)
INTEGERS(PROBE2, floor_divide)
INTEGERS(PROBE2, mod)
