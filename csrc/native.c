/* Native code of a Program: loads it, runs segments with it, and tells when it would pay to have it. */
#include "call.h"
#include "context.h"
#include "pg_native.h"
#include "platform.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(sizeof(atomic_int) == sizeof(int), "native code reads the stop word as an int");

static void run_tasks(const pg_call *call, int64_t n_tasks, pg_task_fn run, void *job) {
    pg_run_tasks(call->context, n_tasks, run, job);
}

static int fail(const pg_call *call, int status, int body, int64_t instruction, int64_t node, int64_t first,
                int64_t second) {
    const pg_place place = {.context = call->context, .body = body, .instruction = instruction, .node = node};
    return pg_failed(&place, status, first, second);
}

#define PG_PRODUCT(name, T, dtype)                                                                                   \
    static void name(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, \
                     const T *a, const T *b, T *c) {                                                                 \
        (void)call;                                                                                                  \
        pg_multiply(dtype, &(pg_panel){ta, tb, m, n, k, lda, ldb, (const char *)a, (const char *)b, (char *)c});     \
    }
PG_PRODUCT(product_f64, double, PG_F64)
PG_PRODUCT(product_f32, float, PG_F32)

static int kernel(const pg_call *call, const int64_t *words, char *const *bases, char *work, int64_t *detail) {
    pg_invocation found = {.kernel = &pg_kernel_infos[words[0]], .batch.n = (int)words[1], .per_task = words[2]};
    const int n_numbers = found.kernel->n_sizes + found.kernel->n_params;
    words += 3;
    for (int i = 0; i < n_numbers; i++) found.sizes[i] = *words++;
    found.batch.count = 1;
    for (int i = 0; i < found.batch.n; i++) found.batch.count *= found.batch.of[i] = *words++;
    found.n_tasks = (found.batch.count - 1) / found.per_task + 1;
    for (int k = 0; k < found.kernel->n_arguments; k++) {
        for (int i = 0; i < found.batch.n; i++) found.arguments[k].strides[i] = *words++;
    }
    if (work != NULL) found.work_bytes = pg_round_up((int64_t)found.kernel->work(found.sizes));
    return pg_run_batch(call->context, &found, bases, work, detail);
}

static int tape_reserve(const pg_call *call, int body, int64_t instruction, int64_t node, int tape, int64_t n) {
    const pg_place place = {.context = call->context, .body = body, .instruction = instruction, .node = node};
    return pg_reserve_tape(&place, tape, n);
}

static char *tape_at(const pg_call *call, int tape, int64_t at) { return pg_tape_record(call->context, tape, at); }

static int64_t tape_count(const pg_call *call, int tape) {
    const pg_context *context = call->context;
    return context->tapes[tape].count;
}

static void tape_set_count(const pg_call *call, int tape, int64_t n) {
    pg_context *context = call->context;
    context->tapes[tape].count = n;
}

static const pg_host host = {
    .run_tasks = run_tasks,
    .fail = fail,
    .product_f64 = product_f64,
    .product_f32 = product_f32,
    .kernel = kernel,
    .tape_reserve = tape_reserve,
    .tape_at = tape_at,
    .tape_count = tape_count,
    .tape_set_count = tape_set_count,
    .now = pg_now,
};

int pg_run_native(pg_context *context, pg_native_fn run, int segment) {
    const pg_call call = {
        .context = context,
        .stop = (const volatile int *)&context->stop,
        .arena = context->frames[0].arena,
        .constants = (const char *)context->program->constants,
        .slots = context->frames[0].slots,
        .clock = context->clock,
        .host = &host,
    };
    const int status = run(&call, segment);
    if (status != PG_OK || !pg_stopped(context)) return status;
    return pg_interrupted(&(pg_place){.context = context, .instruction = -1, .node = -1});
}

/* The function of a library that fits, or NULL. */
static pg_native_fn find_run(void *library) {
    const uint64_t *abi = pg_find_symbol(library, "pg_native_abi");
    void *symbol = abi != NULL && *abi == PG_NATIVE_ABI ? pg_find_symbol(library, "pg_native_run") : NULL;
    pg_native_fn run = NULL;
    memcpy(&run, &symbol, sizeof run); /* ISO C has no conversion from void * to a function */
    return run;
}

int pg_program_load_native(pg_program *program, const char *path, pg_error *error) {
    pg_report(error, PG_OK, -1, -1, -1, "%s", "");
    char problem[sizeof error->text];
    void *library = pg_open_library(path, problem, sizeof problem);
    if (library == NULL) return pg_report(error, PG_ARGUMENT, -1, -1, -1, "%s", problem);
    const pg_native_fn run = find_run(library);
    if (run == NULL) {
        pg_close_library(library);
        return pg_report(error, PG_ARGUMENT, -1, -1, -1, "%s is no native code for this library", path);
    }
    void *none = NULL;
    if (!atomic_compare_exchange_strong(&program->library, &none, library)) {
        pg_close_library(library); /* another thread was first */
        return PG_OK;
    }
    atomic_store_explicit(&program->native, run, memory_order_release);
    return PG_OK;
}

void pg_unload_native(pg_program *program) {
    void *library = atomic_load(&program->library);
    if (library != NULL) pg_close_library(library);
}

int pg_program_is_native(const pg_program *program) {
    return atomic_load_explicit(&program->native, memory_order_relaxed) != NULL;
}

void pg_program_watch(pg_program *program, const int64_t *gains, int n_gains, int64_t price) {
    for (int s = 0; s < n_gains && s < PG_MAX_SEGMENTS; s++)
        atomic_store_explicit(&program->gains[s], gains[s], memory_order_relaxed);
    atomic_store_explicit(&program->price, price, memory_order_relaxed);
    atomic_store(&program->said, 0);
}

int pg_count_gain(pg_context *context, int segment) {
    pg_program *program = context->program;
    context->gain += atomic_load_explicit(&program->gains[segment], memory_order_relaxed);
    if (context->gain < atomic_load_explicit(&program->price, memory_order_relaxed)) return PG_OK;
    context->gain = 0;
    return atomic_exchange(&program->said, 1) ? PG_OK : PG_PAYS;
}
