/* Runs CALL: the kernel on each index of its batch, in parallel tasks. */
#include "call.h"
#include "context.h"
#include "lanes.h"

/* Of the applications from `first` to `end` those that are done several at once; returns the first of the others. */
static int64_t run_lanes(const pg_context *context, const pg_invocation *call, char *const *bases, int64_t first,
                         int64_t end) {
    const pg_lanes_fn run = context->program->kernels->lanes[call->kernel - pg_kernel_infos];
    const int n = call->kernel->n_arguments;
    for (; run != NULL && end - first >= PG_TOGETHER && !pg_stopped(context); first += PG_TOGETHER) {
        void *args[PG_TOGETHER * PG_MAX_ARGUMENTS];
        for (int lane = 0; lane < PG_TOGETHER; lane++)
            for (int k = 0; k < n; k++)
                args[lane * n + k] = bases[k] + pg_batch_offset(&call->batch, &call->arguments[k], first + lane);
        if (run(call->sizes, args) != 0) break;
    }
    return first;
}

/* The applications from `first` to `end`: 0, or the number of the failure that ended them. */
static int run_range(const pg_context *context, const pg_invocation *call, char *const *bases, char *work,
                     int64_t first, int64_t end, int64_t *detail) {
    const pg_kernel_info *kernel = call->kernel;
    const pg_kernel_fn best = context->program->kernels->calls[kernel - pg_kernel_infos];
    const pg_kernel_fn run = best != NULL ? best : pg_plain_kernels[kernel - pg_kernel_infos];
    double nothing = 0; /* a workspace of no bytes: offsets from NULL are not defined */
    int failure = 0;
    first = run_lanes(context, call, bases, first, end);
    for (int64_t at = first; at < end && failure == 0 && !pg_stopped(context); at++) {
        void *args[PG_MAX_ARGUMENTS];
        for (int k = 0; k < kernel->n_arguments; k++)
            args[k] = bases[k] + pg_batch_offset(&call->batch, &call->arguments[k], at);
        failure = run(call->sizes, args, work != NULL ? (void *)work : (void *)&nothing, detail);
    }
    return failure;
}

typedef struct pg_call_job {
    const pg_context *context;
    const pg_invocation *call;
    char *const *bases;
    char *work;
    struct {
        int failure;
        int64_t detail[2];
    } results[PG_MAX_CALL_TASKS];
} pg_call_job;

static void run_task(void *data, int64_t task, int worker) {
    (void)worker;
    pg_call_job *job = data;
    const pg_invocation *call = job->call;
    char *work = job->work == NULL ? NULL : job->work + task * call->work_bytes;
    const int64_t first = task * call->per_task;
    const int64_t end = call->batch.count - first < call->per_task ? call->batch.count : first + call->per_task;
    job->results[task].failure = run_range(job->context, call, job->bases, work, first, end, job->results[task].detail);
}

int pg_run_batch(const pg_context *context, const pg_invocation *call, char *const *bases, char *work,
                 int64_t *detail) {
    if (call->n_tasks == 1) return run_range(context, call, bases, work, 0, call->batch.count, detail);
    pg_call_job job = {.context = context, .call = call, .bases = bases, .work = work};
    pg_run_tasks(context, call->n_tasks, run_task, &job);
    for (int64_t task = 0; task < call->n_tasks; task++) { /* the first in the order of the batch */
        if (job.results[task].failure == 0) continue;
        detail[0] = job.results[task].detail[0];
        detail[1] = job.results[task].detail[1];
        return job.results[task].failure;
    }
    return 0;
}

int pg_run_call(const pg_place *place, const void *data) {
    const pg_invocation *call = data;
    char *bases[PG_MAX_ARGUMENTS];
    for (int k = 0; k < call->kernel->n_arguments; k++)
        bases[k] = place->slots[call->arguments[k].slot] + call->arguments[k].offset;
    int64_t detail[2] = {0, 0};
    char *work = call->workspace < 0 ? NULL : place->slots[call->workspace];
    const int failure = pg_run_batch(place->context, call, bases, work, detail);
    return failure == 0 ? PG_OK : pg_failed(place, pg_failure_status(call->kernel, failure), detail[0], detail[1]);
}
