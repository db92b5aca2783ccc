/* All kernels, compiled for any machine of the architecture. One that is missing does not link. */
#include "kernels.h"

#include "generated/pg_call_table.h"
#include "lapack.h"
#include "pg_calls.h"

/* Those that are not plain C of a header are elsewhere. */
#define PG_DECLARE(number, function, ...) \
    int pg_kernel_##function(const int64_t *sizes, void *const *args, void *work, int64_t *detail);
PG_KERNELS(PG_DECLARE)
#define PG_CALLED(number, function, ...) [number] = pg_kernel_##function,
const pg_kernel_fn pg_plain_kernels[] = {PG_KERNELS(PG_CALLED)};
