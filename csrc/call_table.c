/* The table of kernels, made of the list that the rows generate. */
#include "call.h"
#include "generated/pg_call_table.h"

#define PG_WORK(number, function, n_sizes, n_params, n_inputs, n_arguments, bytes, ...) \
    static double work_##function(const int64_t *s) {                                   \
        (void)s;                                                                        \
        return bytes;                                                                   \
    }
PG_KERNELS(PG_WORK)

#define PG_INFO(number, function, n_sizes, n_params, n_inputs, n_arguments, bytes, ...) \
    [number] = {#function, n_sizes, n_params, n_inputs, n_arguments, work_##function, {__VA_ARGS__}},
const pg_kernel_info pg_kernel_infos[] = {PG_KERNELS(PG_INFO)};

/* The status of a kernel's failure. */
int pg_failure_status(const pg_kernel_info *kernel, int failure) {
#define PG_STATUSES(number, ...)                                      \
    case number: {                                                    \
        static const int statuses[] = {__VA_ARGS__};                  \
        const int n = (int)(sizeof statuses / sizeof statuses[0]);    \
        return failure <= n ? statuses[failure - 1] : PG_FAILURE + n; \
    }
    switch (kernel - pg_kernel_infos) { PG_KERNEL_FAILURES(PG_STATUSES) }
    return PG_FAILURE;
}
