/* What native code of a Program and the library that loads it know of each other: part of each emitted native text.
 *
 * The text defines
 *     const uint64_t pg_native_abi = PG_NATIVE_ABI;
 *     int pg_native_run(const pg_call *call, int segment);
 * and keeps no state: many contexts run it at once. pg_native_run returns 0 or what `fail` and `tape_reserve` gave it;
 * it may return 0 from a run that was stopped. */
#ifndef PG_NATIVE_H
#define PG_NATIVE_H

#include <stdint.h>

/* Changes with anything below; a library that was made for another one is not run. */
#define PG_NATIVE_ABI UINT64_C(0x70674e4154000003)

struct pg_host;

/* One run of a segment: the memory of a context, and its ways out. */
typedef struct pg_call {
    void *context;
    const volatile int *stop; /* not 0: the run is to end soon */
    char *arena;              /* of the main body */
    const char *constants;    /* of the Program */
    char *const *slots;       /* of the main body: where each lives now */
    int64_t *clock;           /* of a profiled run: two numbers for each instruction; else NULL */
    const struct pg_host *host;
} pg_call;

/* What the library does for native code. Status: 3 an index out of range (the index, the axis length), 5 a tape of
 * another length (its records, those to be read), 6 too many steps (how many), 8 stopped. */
typedef struct pg_host {
    /* Runs all tasks, some of them on other threads; fewer when the run is stopped. */
    void (*run_tasks)(const pg_call *call, int64_t n_tasks, void (*run)(void *job, int64_t task, int worker),
                      void *job);
    /* Fills the error record for an instruction (-1: none) of a body and returns `status`. */
    int (*fail)(const pg_call *call, int status, int body, int64_t instruction, int64_t node, int64_t first,
                int64_t second);
    /* C = op(A) op(B) of m by n elements over k: one panel of a MATMUL. */
    void (*product_f64)(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb,
                        const double *a, const double *b, double *c);
    void (*product_f32)(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb,
                        const float *a, const float *b, float *c);
    /* A kernel on each index of a batch. words: the kernel, the axes of the batch, how many a task has; the kernel's
     * sizes and parameters; the axes; for each operand and result its strides in bytes. bases: the first of each.
     * Returns 0 or the number of its failure. */
    int (*kernel)(const pg_call *call, const int64_t *words, char *const *bases, char *work, int64_t *detail);
    /* Makes room for n records on a tape, which may move it; returns a status, its record filled. */
    int (*tape_reserve)(const pg_call *call, int body, int64_t instruction, int64_t node, int tape, int64_t n);
    char *(*tape_at)(const pg_call *call, int tape, int64_t at);
    int64_t (*tape_count)(const pg_call *call, int tape);
    void (*tape_set_count)(const pg_call *call, int tape, int64_t n);
    int64_t (*now)(void); /* in nanoseconds */
} pg_host;

#endif
