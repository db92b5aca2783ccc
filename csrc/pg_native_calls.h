/* What native code calls of the library that loaded it. */
#ifndef PG_NATIVE_CALLS_H
#define PG_NATIVE_CALLS_H

#include "pg_compiler.h"
#include "pg_native.h"
#include "pg_status.h"

#include <stdint.h>

PG_INLINE int pg_stopped(const pg_call *call) { return *call->stop; }

PG_INLINE int pg_fail(const pg_call *call, int status, int body, int64_t instruction, int64_t node, int64_t first,
                      int64_t second) {
    return call->host->fail(call, status, body, instruction, node, first, second);
}

PG_INLINE void pg_tasks(const pg_call *call, int64_t n, void (*run)(void *job, int64_t task, int worker), void *job) {
    call->host->run_tasks(call, n, run, job);
}

/* Tapes: where the record of step `at` lies; how many records there are. */
PG_INLINE char *pg_tape_at(const pg_call *call, int tape, int64_t at) { return call->host->tape_at(call, tape, at); }
PG_INLINE int64_t pg_tape_count(const pg_call *call, int tape) { return call->host->tape_count(call, tape); }
PG_INLINE void pg_tape_set_count(const pg_call *call, int tape, int64_t n) {
    call->host->tape_set_count(call, tape, n);
}
PG_INLINE int pg_tape_reserve(const pg_call *call, int body, int64_t instruction, int64_t node, int tape, int64_t n) {
    return call->host->tape_reserve(call, body, instruction, node, tape, n);
}

/* In code that is emitted to be profiled: an instruction began at `since` and is over; returns the time. */
PG_INLINE int64_t pg_begun(const pg_call *call) { return call->host->now(); }
PG_INLINE int64_t pg_timed(const pg_call *call, int64_t instruction, int64_t since) {
    const int64_t now = call->host->now();
    if (call->clock != NULL) {
        call->clock[2 * instruction] += now - since;
        call->clock[2 * instruction + 1]++;
    }
    return now;
}

PG_INLINE int pg_kernel(const pg_call *call, const int64_t *words, char *const *bases, char *work, int64_t *detail) {
    return call->host->kernel(call, words, bases, work, detail);
}

/* C = op(A) op(B) of m by n elements over k: one panel of a MATMUL. */
PG_INLINE void pg_product_f64(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda,
                              int64_t ldb, const double *a, const double *b, double *c) {
    call->host->product_f64(call, ta, tb, m, n, k, lda, ldb, a, b, c);
}
PG_INLINE void pg_product_f32(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda,
                              int64_t ldb, const float *a, const float *b, float *c) {
    call->host->product_f32(call, ta, tb, m, n, k, lda, ldb, a, b, c);
}

#endif
