/* The macros that make kernels from the op table's rows. T, S and PG_KIND (element type, suffix, kind letter) are set
 * where they are used. */
#ifndef PG_KERNELS_STAMP_H
#define PG_KERNELS_STAMP_H

#include "kernels.h"
#include "pg_int.h"
#include "pg_math.h"

#define PG_JOIN2_(x, y) x##_##y
#define PG_JOIN2(x, y) PG_JOIN2_(x, y)
#define PG_JOIN3_(x, y, z) x##_##y##_##z
#define PG_JOIN3(x, y, z) PG_JOIN3_(x, y, z)

/* A loop whose iterations are independent although dst may equal a source. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* calls of libm do not vectorise */
#define PG_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define PG_IVDEP _Pragma("GCC ivdep")
#else
#define PG_IVDEP
#endif

#if defined(__GNUC__) || defined(__clang__)
#define PG_NOINLINE __attribute__((noinline, unused))
#define PG_UNUSED   __attribute__((unused))
#else
#define PG_NOINLINE
#define PG_UNUSED
#endif

#define M(name) PG_JOIN2(pg_##name, S)

#define PG_DTYPE_f64 PG_F64
#define PG_DTYPE_f32 PG_F32
#define PG_DTYPE_i64 PG_I64
#define PG_DTYPE_i32 PG_I32
#define PG_DTYPE_b   PG_B
#define PG_DTYPE     PG_JOIN2(PG_DTYPE, S)

#define PG_LIST_(kind, group) PG_OPS_##kind##_##group
#define PG_LIST(kind, group)  PG_LIST_(kind, group)
#define PG_K(name, form)      PG_JOIN3(k_##name, S, form)
#define PG_E(name)            PG_JOIN2(e_##name, S)
#define PG_G(name)            PG_JOIN2(g_##name, S)
#define PG_Q(name)            PG_JOIN2(q_##name, S)
#define PG_ARGUMENTS          intptr_t n, void *dst, const void *pa, const void *pb, const void *pc
#define PG_FOR_EACH           PG_IVDEP for (intptr_t i = 0; i < n; i++)

/* The type of a result: that of the operands, or bool. */
#define PG_TYPE(R)   PG_TYPE_##R
#define PG_TYPE_SAME T
#define PG_TYPE_BOOL uint8_t

/* One element. e_: the expression; q_: the fast expression; g_: the guard under which both give the same bits. */
#define PG_ELEMENT_1(name, R, cost, expression)                                                                        \
    PG_INLINE PG_TYPE(R) PG_E(name)(T a) { return (PG_TYPE(R))(expression); }
#define PG_ELEMENT_2(name, R, cost, expression)                                                                        \
    PG_INLINE PG_TYPE(R) PG_E(name)(T a, T b) { return (PG_TYPE(R))(expression); }
#define PG_ELEMENT_3(name, R, cost, expression)                                                                        \
    PG_INLINE PG_TYPE(R) PG_E(name)(T a, T b, T c) { return (PG_TYPE(R))(expression); }
#define PG_ELEMENT_C(name, R, cost, expression)                                                                        \
    PG_INLINE PG_TYPE(R) PG_E(name)(uint8_t a, T b, T c) { return (PG_TYPE(R))(expression); }
#define PG_ELEMENT_1_FAST(name, R, cost, expression, guard, fast)                                                      \
    PG_ELEMENT_1(name, R, cost, expression)                                                                            \
    PG_INLINE int PG_G(name)(T a) { return (guard) != 0; }                                                             \
    PG_INLINE PG_TYPE(R) PG_Q(name)(T a) { return (PG_TYPE(R))(fast); }
#define PG_ELEMENT_2_FAST(name, R, cost, expression, guard, fast)                                                      \
    PG_ELEMENT_2(name, R, cost, expression)                                                                            \
    PG_INLINE int PG_G(name)(T a, T b) { return (guard) != 0; }                                                        \
    PG_INLINE PG_TYPE(R) PG_Q(name)(T a, T b) { return (PG_TYPE(R))(fast); }

/* The scalar loop expands cheap expressions (PG_CALL_CHEAP) and calls the others: s_. */
#define PG_S(name)           PG_JOIN2(s_##name, S)
#define PG_CALL_CHEAP(name)  PG_E(name)
#define PG_CALL_DEAR(name)   PG_S(name)
#define PG_CALLED_1(name, R, cost, expression)                                                                         \
    PG_NOINLINE static PG_TYPE(R) PG_S(name)(T a) { return PG_E(name)(a); }
#define PG_CALLED_2(name, R, cost, expression)                                                                         \
    PG_NOINLINE static PG_TYPE(R) PG_S(name)(T a, T b) { return PG_E(name)(a, b); }
#define PG_CALLED_3(name, R, cost, expression)                                                                         \
    PG_NOINLINE static PG_TYPE(R) PG_S(name)(T a, T b, T c) { return PG_E(name)(a, b, c); }
#define PG_CALLED_C(name, R, cost, expression)                                                                         \
    PG_NOINLINE static PG_TYPE(R) PG_S(name)(uint8_t a, T b, T c) { return PG_E(name)(a, b, c); }
#define PG_CALLED_1_FAST(name, R, cost, expression, guard, fast) PG_CALLED_1(name, R, cost, expression)
#define PG_CALLED_2_FAST(name, R, cost, expression, guard, fast) PG_CALLED_2(name, R, cost, expression)
/* The member of a cell that holds a result. */
#define PG_MEMBER(R)         PG_MEMBER_##R
#define PG_MEMBER_SAME       S
#define PG_MEMBER_BOOL       b

/* Blocks. */
#define PG_KERNEL(name, form, sources, body)                                                                           \
    static void PG_K(name, form)(PG_ARGUMENTS) {                                                                       \
        sources;                                                                                                       \
        (void)pb;                                                                                                      \
        (void)pc;                                                                                                      \
        body                                                                                                           \
    }
#define PG_UNARY(R)       PG_TYPE(R) *d = dst; const T *x = pa
#define PG_VECTORS(R)     PG_TYPE(R) *d = dst; const T *x = pa, *y = pb
#define PG_RIGHT(R)       PG_TYPE(R) *d = dst; const T *x = pa, b = *(const T *)pb
#define PG_LEFT(R)        PG_TYPE(R) *d = dst; const T a = *(const T *)pa, *y = pb
#define PG_LOOP(element)  PG_FOR_EACH d[i] = element;
#define PG_GUARDED(good, fast, element)                                                                                \
    int ok = 1;                                                                                                        \
    for (intptr_t i = 0; i < n; i++) ok &= good;                                                                       \
    if (ok) {                                                                                                          \
        PG_LOOP(fast)                                                                                                  \
    } else {                                                                                                           \
        PG_LOOP(element)                                                                                               \
    }

#define PG_KERNELS_1(name, R, cost, expression) PG_KERNEL(name, vv, PG_UNARY(R), PG_LOOP(PG_E(name)(x[i])))
#define PG_KERNELS_2(name, R, cost, expression)                                                                        \
    PG_KERNEL(name, vv, PG_VECTORS(R), PG_LOOP(PG_E(name)(x[i], y[i])))                                                \
    PG_KERNEL(name, vs, PG_RIGHT(R), PG_LOOP(PG_E(name)(x[i], b)))                                                     \
    PG_KERNEL(name, sv, PG_LEFT(R), PG_LOOP(PG_E(name)(a, y[i])))
#define PG_KERNELS_3(name, R, cost, expression)                                                                        \
    PG_KERNEL(name, vv, PG_VECTORS(R); const T *z = pc, PG_LOOP(PG_E(name)(x[i], y[i], z[i])))
#define PG_CONDITION(R, right, left) PG_TYPE(R) *d = dst; const uint8_t *x = pa; const T right, left
#define PG_KERNELS_C(name, R, cost, expression)                                                                        \
    PG_KERNEL(name, vv, PG_CONDITION(R, *y = pb, *z = pc), PG_LOOP(PG_E(name)(x[i], y[i], z[i])))                      \
    PG_KERNEL(name, vs, PG_CONDITION(R, *y = pb, z = *(const T *)pc), PG_LOOP(PG_E(name)(x[i], y[i], z)))              \
    PG_KERNEL(name, sv, PG_CONDITION(R, y = *(const T *)pb, *z = pc), PG_LOOP(PG_E(name)(x[i], y, z[i])))              \
    PG_KERNEL(name, ss, PG_CONDITION(R, y = *(const T *)pb, z = *(const T *)pc), PG_LOOP(PG_E(name)(x[i], y, z)))
#define PG_KERNELS_1_FAST(name, R, cost, expression, guard, fast)                                                      \
    PG_KERNEL(name, vv, PG_UNARY(R), PG_GUARDED(PG_G(name)(x[i]), PG_Q(name)(x[i]), PG_E(name)(x[i])))
#define PG_KERNELS_2_FAST(name, R, cost, expression, guard, fast)                                                      \
    PG_KERNEL(name, vv, PG_VECTORS(R),                                                                                 \
              PG_GUARDED(PG_G(name)(x[i], y[i]), PG_Q(name)(x[i], y[i]), PG_E(name)(x[i], y[i])))                      \
    PG_KERNEL(name, vs, PG_RIGHT(R), PG_GUARDED(PG_G(name)(x[i], b), PG_Q(name)(x[i], b), PG_E(name)(x[i], b)))        \
    PG_KERNEL(name, sv, PG_LEFT(R), PG_GUARDED(PG_G(name)(a, y[i]), PG_Q(name)(a, y[i]), PG_E(name)(a, y[i])))

#define PG_ROW_1(name, R, cost, expression) [PG_MOP_##name] = {PG_K(name, vv), 0, 0, 0},
#define PG_ROW_2(name, R, cost, expression) [PG_MOP_##name] = {PG_K(name, vv), PG_K(name, vs), PG_K(name, sv), 0},
#define PG_ROW_C(name, R, cost, expression)                                                                            \
    [PG_MOP_##name] = {PG_K(name, vv), PG_K(name, vs), PG_K(name, sv), PG_K(name, ss)},
#define PG_ROW_1_FAST(name, R, cost, expression, guard, fast) PG_ROW_1(name, R, cost, expression)
#define PG_ROW_2_FAST(name, R, cost, expression, guard, fast) PG_ROW_2(name, R, cost, expression)

/* Reductions. Fewer than 16 elements fold from left to right; more run in 16 lanes that fold in halves, so that the
 * result is one and the same at every vector width. */
#define PG_R(name, what) PG_JOIN3(r_##name, S, what)
#define PG_REDUCTION(name, expression, empty)                                                                          \
    PG_INLINE T PG_R(name, of)(T a, T b) { return (T)(expression); }                                                   \
    static void PG_R(name, rows)(intptr_t rows, intptr_t n, void *out, const void *px) {                               \
        T *d = out;                                                                                                    \
        const T *x = px;                                                                                               \
        for (intptr_t r = 0; r < rows; r++, x += n) {                                                                  \
            if (n < 16) {                                                                                              \
                T value = x[0];                                                                                        \
                for (intptr_t i = 1; i < n; i++) value = PG_R(name, of)(value, x[i]);                                  \
                d[r] = value;                                                                                          \
                continue;                                                                                              \
            }                                                                                                          \
            T lanes[16];                                                                                               \
            for (int j = 0; j < 16; j++) lanes[j] = x[j];                                                              \
            intptr_t i = 16;                                                                                           \
            for (; i + 16 <= n; i += 16) {                                                                             \
                for (int j = 0; j < 16; j++) lanes[j] = PG_R(name, of)(lanes[j], x[i + j]);                            \
            }                                                                                                          \
            for (int j = 0; i + j < n; j++) lanes[j] = PG_R(name, of)(lanes[j], x[i + j]);                             \
            for (int half = 8; half > 0; half /= 2) {                                                                  \
                for (int j = 0; j < half; j++) lanes[j] = PG_R(name, of)(lanes[j], lanes[j + half]);                   \
            }                                                                                                          \
            d[r] = lanes[0];                                                                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void PG_R(name, accumulate)(intptr_t rows, intptr_t n, void *out, const void *px) {                         \
        T *d = out;                                                                                                    \
        const T *x = px;                                                                                               \
        for (intptr_t r = 0; r < rows; r++, x += n) {                                                                  \
            PG_IVDEP for (intptr_t j = 0; j < n; j++) d[j] = PG_R(name, of)(d[j], x[j]);                               \
        }                                                                                                              \
    }                                                                                                                  \
    static void PG_R(name, identity)(intptr_t n, void *out) {                                                          \
        T *d = out;                                                                                                    \
        for (intptr_t i = 0; i < n; i++) d[i] = (T)(empty);                                                            \
    }
#define PG_REDUCTIONS_(kind)    PG_REDUCTIONS_##kind
#define PG_REDUCTIONS_OF(kind)  PG_REDUCTIONS_(kind)

#define PG_REDUCTION_ROW(name, expression, empty)                                                                      \
    [PG_ROP_##name] = {PG_R(name, rows), PG_R(name, accumulate), PG_R(name, identity)},

#endif
