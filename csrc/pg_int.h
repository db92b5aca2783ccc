/* Integer arithmetic that wraps around, as the op table's expressions name it: M(add), M(subtract), ... */
#ifndef PG_INT_H
#define PG_INT_H

#include "pg_math_base.h"

#define PG_WRAPPING(S, T, U)                                           \
    PG_INLINE T pg_add_##S(T a, T b) { return (T)((U)a + (U)b); }      \
    PG_INLINE T pg_subtract_##S(T a, T b) { return (T)((U)a - (U)b); } \
    PG_INLINE T pg_multiply_##S(T a, T b) { return (T)((U)a * (U)b); } \
    PG_INLINE T pg_square_##S(T a) { return (T)((U)a * (U)a); }        \
    PG_INLINE T pg_negative_##S(T a) { return (T)(0U - (U)a); }
PG_WRAPPING(i32, int32_t, uint32_t)
PG_WRAPPING(i64, int64_t, uint64_t)
#undef PG_WRAPPING

#endif
