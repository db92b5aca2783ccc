/* The kernel of the matrix exponential: Higham, "The scaling and squaring method for the matrix exponential revisited",
 * SIAM J. Matrix Anal. Appl. 26 (2005): the Padé approximant of order 13. */
#ifndef PG_CALLS_EXPM_H
#define PG_CALLS_EXPM_H

#include "pg_calls_jacobi.h"
#include "pg_calls_lu.h"
#include "pg_compiler.h"
#include "pg_math_arith.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* sizes: n. */
#define PG_DEFINE_KERNEL_EXPM(S, T)                                                                          \
    PG_INLINE int pg_kernel_expm_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        static const double b[] = {64764752532480000.0,                                                      \
                                   32382376266240000.0,                                                      \
                                   7771770303897600.0,                                                       \
                                   1187353796428800.0,                                                       \
                                   129060195264000.0,                                                        \
                                   10559470521600.0,                                                         \
                                   670442572800.0,                                                           \
                                   33522128640.0,                                                            \
                                   1323241920.0,                                                             \
                                   40840800.0,                                                               \
                                   960960.0,                                                                 \
                                   16380.0,                                                                  \
                                   182.0,                                                                    \
                                   1.0};                                                                     \
        const int64_t n = sizes[0], size = n * n;                                                            \
        T *x = (T *)args[1], *a = (T *)work, *a2 = a + size, *a4 = a2 + size, *a6 = a4 + size;               \
        T *u = a6 + size, *v = u + size, *z = v + size, norm = 0;                                            \
        int64_t *order = (int64_t *)((char *)work + 56 * size);                                              \
        if (n == 0) return 0;                                                                                \
        memcpy(a, args[0], (size_t)size * sizeof *a);                                                        \
        for (int64_t j = 0; j < n; j++) {                                                                    \
            T sum = 0;                                                                                       \
            for (int64_t i = 0; i < n; i++) sum += pg_abs_##S(a[i * n + j]);                                 \
            if (!(sum <= norm)) norm = sum;                                                                  \
            if (sum - sum != 0) norm = sum - sum;                                                            \
            if (norm != norm) break;                                                                         \
        }                                                                                                    \
        if (norm != norm) {                                                                                  \
            for (int64_t i = 0; i < size; i++) x[i] = norm;                                                  \
            return 0;                                                                                        \
        }                                                                                                    \
        int squarings = 0;                                                                                   \
        if (norm > (T)5.371920351148152) (void)frexp((double)norm / 5.371920351148152, &squarings);          \
        for (int64_t i = 0; i < size; i++) a[i] = (T)ldexp((double)a[i], -squarings);                        \
        pg_multiply_##S(n, a, n, 1, a, a2);                                                                  \
        pg_multiply_##S(n, a2, n, 1, a2, a4);                                                                \
        pg_multiply_##S(n, a4, n, 1, a2, a6);                                                                \
        for (int64_t i = 0; i < size; i++) z[i] = (T)b[13] * a6[i] + (T)b[11] * a4[i] + (T)b[9] * a2[i];     \
        pg_multiply_##S(n, a6, n, 1, z, x);                                                                  \
        for (int64_t i = 0; i < size; i++) x[i] += (T)b[7] * a6[i] + (T)b[5] * a4[i] + (T)b[3] * a2[i];      \
        for (int64_t i = 0; i < n; i++) x[i * (n + 1)] += (T)b[1];                                           \
        pg_multiply_##S(n, a, n, 1, x, u);                                                                   \
        for (int64_t i = 0; i < size; i++) z[i] = (T)b[12] * a6[i] + (T)b[10] * a4[i] + (T)b[8] * a2[i];     \
        pg_multiply_##S(n, a6, n, 1, z, v);                                                                  \
        for (int64_t i = 0; i < size; i++) v[i] += (T)b[6] * a6[i] + (T)b[4] * a4[i] + (T)b[2] * a2[i];      \
        for (int64_t i = 0; i < n; i++) v[i * (n + 1)] += (T)b[0];                                           \
        for (int64_t i = 0; i < size; i++) {                                                                 \
            z[i] = v[i] + u[i];                                                                              \
            v[i] -= u[i];                                                                                    \
        }                                                                                                    \
        (void)pg_lu_##S(n, n, v, order);                                                                     \
        if (pg_lu_solve_##S(n, n, 0, v, order, z, x, u, detail))                                             \
            for (int64_t i = 0; i < size; i++) x[i] = (T)NAN;                                                \
        for (int at = 0; at < squarings; at++) {                                                             \
            memcpy(z, x, (size_t)size * sizeof *z);                                                          \
            pg_multiply_##S(n, z, n, 1, z, x);                                                               \
        }                                                                                                    \
        return 0;                                                                                            \
    }
PG_DEFINE_KERNEL_EXPM(f64, double)
PG_DEFINE_KERNEL_EXPM(f32, float)

#endif
