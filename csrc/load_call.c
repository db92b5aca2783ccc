/* Loads CALL: every extent that a kernel trusts is checked here, from the sizes and the kernel's own signature. */
#include "call.h"
#include "generated/pg_call_table.h"
#include "loader.h"

#include <inttypes.h>

enum { PG_CALL_WORDS = 4 };

/* One operand or result: a batch of C-contiguous cores. */
static int read_argument(pg_loader *l, pg_invocation *call, int at, const int64_t *w, pg_extent *extent) {
    const pg_kernel_info *kernel = call->kernel;
    const pg_kernel_argument *argument = &kernel->arguments[at];
    const int writes = at >= kernel->n_inputs, n = call->n_batch, size = pg_size_of(argument->dtype);
    int64_t dims[PG_MAX_DIMS + PG_MAX_CORE], strides[PG_MAX_DIMS + PG_MAX_CORE], core = 1;
    for (int i = 0; i < n; i++) {
        dims[i] = call->dims[i];
        strides[i] = w[2 + i];
    }
    for (int i = argument->n_axes - 1; i >= 0; i--) {
        const int axis = argument->axes[i];
        dims[n + i] = axis < 0 ? -axis : call->sizes[axis];
        strides[n + i] = core;
        if (PG_MUL_OVERFLOW(core, dims[n + i], &core) || core > PG_MAX_ELEMENTS)
            return pg_refuse(l, "CALL %s: argument %d is too large", kernel->name, at);
    }
    int status = pg_check_access(l, w[0], argument->dtype, w[1], n + argument->n_axes, dims, strides, writes,
                                 kernel->name, extent);
    if (status == PG_OK && writes) status = pg_check_injective(l, n + argument->n_axes, dims, strides, kernel->name);
    if (status != PG_OK) return status;
    const int empty = extent->lo == extent->hi; /* then offset and strides are neither verified nor used */
    pg_operand *operand = &call->arguments[at];
    operand->slot = (int)w[0];
    operand->offset = empty ? 0 : w[1] * size;
    for (int i = 0; i < n; i++) operand->strides[i] = empty || dims[i] <= 1 ? 0 : strides[i] * size;
    call->cores[at] = core;
    return PG_OK;
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

/* The kernel, its sizes and the batch; returns the words of the arguments, or NULL after refusing. */
static const int64_t *read_head(pg_loader *l, pg_invocation *call, const int64_t *words, int64_t n) {
    if (n < PG_CALL_WORDS || words[0] < 0 || words[0] >= PG_KERNEL_COUNT) {
        pg_refuse(l, "CALL: no kernel has number %" PRId64, n < PG_CALL_WORDS ? -1 : words[0]);
        return NULL;
    }
    const pg_kernel_info *kernel = call->kernel = &pg_kernel_infos[words[0]];
    const int n_numbers = kernel->n_sizes + kernel->n_params;
    if (words[1] < 0 || words[1] > PG_MAX_DIMS ||
        n != PG_CALL_WORDS + n_numbers + words[1] + kernel->n_arguments * (2 + words[1])) {
        pg_refuse(l, "CALL %s: its number of batch dimensions does not agree with its length", kernel->name);
        return NULL;
    }
    call->n_batch = (int)words[1];
    const int64_t *numbers = words + PG_CALL_WORDS, *dims = numbers + n_numbers;
    for (int i = 0; i < n_numbers; i++) {
        call->sizes[i] = numbers[i];
        if (i < kernel->n_sizes && (numbers[i] < 0 || numbers[i] > PG_MAX_ELEMENTS)) {
            pg_refuse(l, "CALL %s: size %d is %" PRId64, kernel->name, i, numbers[i]);
            return NULL;
        }
    }
    for (int i = 0; i < call->n_batch; i++) {
        call->dims[i] = dims[i];
        if (dims[i] < 0) {
            pg_refuse(l, "CALL %s: batch dimension %d is %" PRId64, kernel->name, i, dims[i]);
            return NULL;
        }
    }
    if (pg_product(call->n_batch, call->dims, &call->batch) || call->batch > PG_MAX_ELEMENTS) {
        pg_refuse(l, "CALL %s: its batch is too large", kernel->name);
        return NULL;
    }
    call->per_task = words[2];
    const int64_t most = call->batch < 1 ? 1 : call->batch;
    if (words[2] < 1 || words[2] > most || (most - 1) / words[2] + 1 > PG_MAX_CALL_TASKS) {
        pg_refuse(l, "CALL %s: %" PRId64 " of %" PRId64 " applications can't be a task", kernel->name, words[2], most);
        return NULL;
    }
    call->n_tasks = (most - 1) / words[2] + 1;
    return dims + call->n_batch;
}

int pg_decode_call(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_invocation *call = pg_keep(l, 1, sizeof *call);
    if (!call) return PG_MEMORY;
    const int64_t *w = read_head(l, call, words, n);
    if (w == NULL) return PG_PROGRAM;
    const pg_kernel_info *kernel = call->kernel;
    pg_extent extents[PG_MAX_ARGUMENTS + 1] = {{0}};
    int count = kernel->n_arguments;
    for (int at = 0; at < count; at++, w += 2 + call->n_batch) {
        const int status = read_argument(l, call, at, w, &extents[at]);
        if (status != PG_OK) return status;
    }
    const int status = read_workspace(l, call, words[3], &extents[count]);
    if (status != PG_OK) return status;
    if (call->workspace >= 0) count++;
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
