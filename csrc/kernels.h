/* The kernels of one instruction set, as tables of functions. */
#ifndef PG_KERNELS_H
#define PG_KERNELS_H

#include "generated/pg_format.h"
#include "generated/pg_ops.h"

#include <stdint.h>

/* Operand forms: V is a block, S one element. Binary: VV VS SV. Conditional (the condition is a block): VV VS SV SS. */
enum { PG_VV, PG_VS, PG_SV, PG_SS, PG_N_FORMS };

/* dst[i] = op(a[i], b[i], c[i]) for i < n. dst may equal a source exactly when their elements have one size. */
typedef void (*pg_map_fn)(intptr_t n, void *dst, const void *a, const void *b, const void *c);

/* Elements combine as elements themselves, or in a wider type: `size` bytes of an accumulator. */
typedef struct pg_reduce_fns {
    void (*rows)(intptr_t rows, intptr_t n, void *out, const void *x); /* out[r] = fold of x[r][0..n), n > 0 */
    void (*fold)(intptr_t n, void *accumulator, const void *x);        /* of x[0..n), n > 0 */
    void (*start)(intptr_t n, void *accumulators, const void *x);      /* accumulators[j] = x[j] */
    void (*accumulate)(intptr_t rows, intptr_t n, void *accumulators,
                       const void *x);                  /* [j] = fold of [j], x[0..rows)[j] */
    void (*join)(void *accumulator, const void *other); /* fold of two accumulators */
    void (*finish)(intptr_t n, void *out, const void *accumulators);
    void (*combine)(intptr_t chunks, intptr_t n, void *out,
                    void *partial); /* out[j] = pairwise fold of the accumulators partial[0..chunks)[j], 8 bytes each */
    void (*identity)(intptr_t n, void *out);
    int size;
} pg_reduce_fns;

/* A scalar variable of 8 bytes; its value stands in the low bytes. */
typedef union pg_cell {
    double f64;
    float f32;
    int64_t i64;
    int32_t i32;
    uint8_t b;
} pg_cell;

/* One scalar instruction over cells. A third operand, and the byte offset of a load or store (low word in a, high
 * word in b), follow in an entry of their own. */
typedef struct pg_scalar_op {
    uint32_t op, dst, a, b;
} pg_scalar_op;

enum {
    PG_SCALAR_END,
    PG_SCALAR_LOAD8, /* cell dst <- memory of slot a */
    PG_SCALAR_LOAD4,
    PG_SCALAR_LOAD1,
    PG_SCALAR_STORE8, /* memory of slot dst <- cell a */
    PG_SCALAR_STORE4,
    PG_SCALAR_STORE1,
    PG_SCALAR_ADD, /* of f64: these four share one branch-free body */
    PG_SCALAR_SUBTRACT,
    PG_SCALAR_MULTIPLY,
    PG_SCALAR_NEGATIVE,
    PG_SCALAR_CONVERT,
    PG_SCALAR_FIRST = PG_SCALAR_CONVERT + PG_N_DTYPES * PG_N_DTYPES,
    PG_SCALAR_COUNT = PG_SCALAR_FIRST + PG_N_DTYPES * PG_MOP_COUNT
};
#define PG_SCALAR_CONVERT_OP(from, to) (PG_SCALAR_CONVERT + (from) * PG_N_DTYPES + (to))
#define PG_SCALAR_OP(dtype, mop)       (PG_SCALAR_FIRST + (dtype) * PG_MOP_COUNT + (mop))

typedef void (*pg_scalar_fn)(const pg_scalar_op *code, pg_cell *cells, char *const *slots);

/* A kernel. sizes: of the names in its signature, then its parameters. args: the C-contiguous cores of operands and
 * results. Returns 0, or the number of the failure from 1, with two numbers that say more of it in `detail`. */
typedef int (*pg_kernel_fn)(const int64_t *sizes, void *const *args, void *work, int64_t *detail);

/* Several applications of a kernel: see lanes.h. */
typedef int (*pg_lanes_fn)(const int64_t *sizes, void *const *args);

extern const pg_kernel_fn pg_plain_kernels[]; /* by number, compiled for any machine of the architecture */

typedef struct pg_kernels {
    const char *isa;
    const pg_map_fn (*map[PG_N_DTYPES])[PG_N_FORMS]; /* by operand dtype, micro-op, form */
    const pg_map_fn (*convert)[PG_N_DTYPES];         /* by operand dtype, result dtype */
    const pg_map_fn *fill;                           /* by dtype: dst[i] = a[0] */
    const pg_map_fn *count; /* by dtype: rows of a[2] counts: a[0] + i a[1], the next one a[3] further; not for bool */
    const pg_reduce_fns *reduce[PG_N_DTYPES]; /* by dtype, reduction */
    pg_scalar_fn scalar;
    const pg_kernel_fn *calls; /* by number of the kernel; NULL: see pg_plain_kernels */
    const pg_lanes_fn *lanes;  /* by number of the kernel, or NULL */
} pg_kernels;

/* NULL where this build or this machine's architecture does not have the instruction set. */
const pg_kernels *pg_kernels_baseline(void);
const pg_kernels *pg_kernels_avx2(void);
const pg_kernels *pg_kernels_avx512(void);
const pg_kernels *pg_kernels_neon(void);

/* The kernels chosen for this process. */
const pg_kernels *pg_kernels_best(void);

#endif
