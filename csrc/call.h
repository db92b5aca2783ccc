/* Kernels: work that is not a loop over elements, done by a function that gets its operands' sizes and memory. */
#ifndef PG_CALL_H
#define PG_CALL_H

#include "program.h"

/* sizes: of the names in the kernel's signature, then its parameters. args: the C-contiguous cores of operands and
 * results. Returns 0, or the number of the failure from 1, with two numbers that say more of it in `detail`. */
typedef int (*pg_kernel_fn)(const int64_t *sizes, void *const *args, void *work, int64_t *detail);

/* An operand or result: its core axes are numbers of sizes, or, below 0, minus their fixed size. */
typedef struct pg_kernel_argument {
    int dtype, n_axes, axes[PG_MAX_CORE];
} pg_kernel_argument;

typedef struct pg_kernel_info {
    const char *name;
    pg_kernel_fn run;
    int n_sizes, n_params, n_inputs, n_arguments;
    double (*work)(const int64_t *s); /* bytes of workspace of one application */
    pg_kernel_argument arguments[PG_MAX_ARGUMENTS];
} pg_kernel_info;

extern const pg_kernel_info pg_kernel_infos[];
int pg_failure_status(const pg_kernel_info *kernel, int failure);

typedef struct pg_invocation {
    const pg_kernel_info *kernel;
    int n_batch, workspace;
    int64_t batch, per_task, n_tasks, work_bytes;
    int64_t dims[PG_MAX_DIMS], sizes[PG_MAX_SIZES], cores[PG_MAX_ARGUMENTS]; /* elements of each core */
    pg_operand arguments[PG_MAX_ARGUMENTS];
} pg_invocation;

/* How far from its first application another one's operand or result lies. */
static inline int64_t pg_batch_offset(const pg_invocation *call, int k, int64_t at) {
    int64_t offset = 0;
    for (int64_t d = call->n_batch - 1, rest = at; d >= 0; rest /= call->dims[d], d--)
        offset += rest % call->dims[d] * call->arguments[k].strides[d];
    return offset;
}

/* The kernel on the whole batch, from the places of the first application: 0, or the number of its failure. */
int pg_run_batch(const pg_context *context, const pg_invocation *call, char *const *bases, char *work, int64_t *detail);

#endif
