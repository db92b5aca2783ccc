/* Kernels: work that is not a loop over elements, done by a function that gets its operands' sizes and memory. */
#ifndef PG_CALL_H
#define PG_CALL_H

#include "program.h"

/* An operand or result: its core axes are numbers of sizes, or, below 0, minus their fixed size. */
typedef struct pg_kernel_argument {
    int dtype, n_axes, axes[PG_MAX_CORE];
} pg_kernel_argument;

typedef struct pg_kernel_info {
    const char *name;
    int n_sizes, n_params, n_inputs, n_arguments;
    double (*work)(const int64_t *s); /* bytes of workspace of one application */
    pg_kernel_argument arguments[PG_MAX_ARGUMENTS];
} pg_kernel_info;

extern const pg_kernel_info pg_kernel_infos[];
int pg_failure_status(const pg_kernel_info *kernel, int failure);

typedef struct pg_invocation {
    const pg_kernel_info *kernel;
    int workspace;
    int64_t per_task, n_tasks, work_bytes, sizes[PG_MAX_SIZES];
    pg_sizes batch;
    pg_operand arguments[PG_MAX_ARGUMENTS];
} pg_invocation;

/* The kernel on the whole batch, from the places of the first application: 0, or the number of its failure. */
int pg_run_batch(const pg_context *context, const pg_invocation *call, char *const *bases, char *work, int64_t *detail);

#endif
