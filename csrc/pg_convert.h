/* Conversions between the five element types: C casts, made whole where C leaves them undefined. */
#ifndef PG_CONVERT_H
#define PG_CONVERT_H

#include "pg_compiler.h"

#include <stdint.h>

/* A floating value outside the integer's range, or nan, gives the smallest integer, as the hardware's conversion. Small
 * values have a case of their own since GCC makes a rounding of this and a conversion back, which keeps the sign of 0.
 */
#define PG_TO_INTEGER(from, to, F, R, inside, least) \
    PG_INLINE R pg_convert_##from##_##to(F a) { return a > -1 && a < 1 ? 0 : inside ? (R)a : least; }
PG_TO_INTEGER(f64, i64, double, int64_t, a >= -0x1p63 && a < 0x1p63, INT64_MIN)
PG_TO_INTEGER(f32, i64, float, int64_t, a >= -0x1p63F && a < 0x1p63F, INT64_MIN)
PG_TO_INTEGER(f64, i32, double, int32_t, a > -0x1.00000002p31 && a < 0x1p31, INT32_MIN)
PG_TO_INTEGER(f32, i32, float, int32_t, a >= -0x1p31F && a < 0x1p31F, INT32_MIN)

/* The same type, and the pairs that C defines. */
#define PG_CAST(from, to, F, R) \
    PG_INLINE R pg_convert_##from##_##to(F a) { return (R)a; }
/* A choice stays in the vector unit where the bool is a comparison's; a cast makes GCC narrow it to bytes and back. */
#define PG_CHOICE(to, R) \
    PG_INLINE R pg_convert_b_##to(uint8_t a) { return a ? (R)1 : (R)0; }
#define PG_TRUTH(from, F) \
    PG_INLINE uint8_t pg_convert_##from##_b(F a) { return a != 0; }
PG_CAST(f64, f64, double, double)
PG_CAST(f64, f32, double, float)
PG_CAST(f32, f64, float, double)
PG_CAST(f32, f32, float, float)
PG_CAST(i64, f64, int64_t, double)
PG_CAST(i64, f32, int64_t, float)
PG_CAST(i64, i64, int64_t, int64_t)
PG_CAST(i64, i32, int64_t, int32_t)
PG_CAST(i32, f64, int32_t, double)
PG_CAST(i32, f32, int32_t, float)
PG_CAST(i32, i64, int32_t, int64_t)
PG_CAST(i32, i32, int32_t, int32_t)
PG_CHOICE(f64, double)
PG_CHOICE(f32, float)
PG_CHOICE(i64, int64_t)
PG_CHOICE(i32, int32_t)
PG_TRUTH(f64, double)
PG_TRUTH(f32, float)
PG_TRUTH(i64, int64_t)
PG_TRUTH(i32, int32_t)
PG_TRUTH(b, uint8_t)
#undef PG_CAST
#undef PG_CHOICE
#undef PG_TRUTH

#endif
