/* Loads CALL: every extent that a kernel trusts is checked here, from the sizes and the kernel's own signature. */
#include "call.h"
#include "generated/pg_call_table.h"
#include "loader.h"

#include <inttypes.h>

/* One operand or result: a batch of C-contiguous cores. */
static int read_argument(pg_loader *l, pg_invocation *call, int at, const int64_t *words) {
    const pg_kernel_info *kernel = call->kernel;
    const pg_kernel_argument *argument = &kernel->arguments[at];
    int64_t core[PG_MAX_CORE];
    for (int i = 0; i < argument->n_axes; i++) {
        const int axis = argument->axes[i];
        core[i] = axis < 0 ? -axis : call->sizes[axis];
    }
    return pg_check_operand(l, words, kernel->name, at >= kernel->n_inputs, argument->dtype, NULL, &call->batch,
                            argument->n_axes, core, &call->arguments[at]);
}

/* The workspace: a piece for each task. */
static int read_workspace(pg_loader *l, pg_invocation *call, int64_t slot, pg_extent *extent) {
    const double need = call->kernel->work(call->sizes);
    if (!(need >= 0.0 && need <= (double)PG_MAX_ARENA))
        return pg_refuse(l, "CALL %s: a workspace of %g bytes is not possible", call->kernel->name, need);
    call->work_bytes = pg_round_up((int64_t)need);
    call->workspace = -1;
    if (call->work_bytes == 0) return PG_OK;
    int64_t bytes;
    if (PG_MUL_OVERFLOW(call->work_bytes, call->n_tasks, &bytes))
        return pg_refuse(l, "CALL %s: its workspace is too large", call->kernel->name);
    call->workspace = (int)slot;
    return pg_check_bytes(l, slot, PG_RAW, 0, bytes, 1, call->kernel->name, extent);
}

/* The sizes and parameters of the kernel, and how many applications make a task. */
static int read_numbers(pg_loader *l, pg_invocation *call, const pg_call_words *x) {
    const pg_kernel_info *kernel = call->kernel;
    if (x->numbers.n != kernel->n_sizes + kernel->n_params || x->operands.n != kernel->n_inputs ||
        x->updated.n + x->results.n != kernel->n_arguments - kernel->n_inputs) {
        return pg_refuse(l, "CALL %s: it has other numbers, operands or results than its kernel", kernel->name);
    }
    for (int i = 0; i < x->numbers.n; i++) {
        call->sizes[i] = x->numbers.at[i];
        if (i < kernel->n_sizes && (call->sizes[i] < 0 || call->sizes[i] > PG_MAX_ELEMENTS))
            return pg_refuse(l, "CALL %s: size %d is %" PRId64, kernel->name, i, call->sizes[i]);
    }
    call->batch = x->batch;
    call->per_task = x->per_task;
    const int64_t most = x->batch.count < 1 ? 1 : x->batch.count;
    if (x->per_task > most || (most - 1) / x->per_task + 1 > PG_MAX_CALL_TASKS) {
        return pg_refuse(l, "CALL %s: %" PRId64 " of %" PRId64 " applications can't be a task", kernel->name,
                         x->per_task, most);
    }
    call->n_tasks = (most - 1) / x->per_task + 1;
    return PG_OK;
}

int pg_decode_call(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_call_words x;
    int status = pg_read_call(l, words, n, &x);
    if (status != PG_OK) return status;
    pg_invocation *call = pg_keep(l, 1, sizeof *call);
    if (!call) return PG_MEMORY;
    const pg_kernel_info *kernel = call->kernel = &pg_kernel_infos[x.kernel];
    status = read_numbers(l, call, &x);
    const pg_list lists[] = {x.operands, x.updated, x.results};
    for (int k = 0, at = 0; k < 3; k++) {
        for (int64_t i = 0; i < lists[k].n && status == PG_OK; i++)
            status = read_argument(l, call, at++, lists[k].at + i * (2 + x.batch.n));
    }
    pg_extent extents[PG_MAX_ARGUMENTS + 1] = {{0}};
    if (status == PG_OK) status = read_workspace(l, call, x.workspace, &extents[kernel->n_arguments]);
    if (status != PG_OK) return status;
    for (int at = 0; at < kernel->n_arguments; at++) extents[at] = call->arguments[at].extent;
    const int count = kernel->n_arguments + (call->workspace >= 0);
    for (int at = kernel->n_inputs; at < count; at++) {
        for (int other = 0; other < at; other++) {
            const int apart = pg_check_apart(l, &extents[at], &extents[other], kernel->name, "another argument");
            if (apart != PG_OK) return apart;
        }
    }
    if (call->n_tasks > 1) l->program->parallel = 1;
    out->data = call;
    return PG_OK;
}
