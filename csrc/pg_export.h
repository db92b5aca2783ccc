/* What exported C calls in place of the library: no threads, no interruption, no BLAS; tapes are in the workspace. */
#ifndef PG_EXPORT_H
#define PG_EXPORT_H

#include "pg_compiler.h"
#include "pg_status.h"

#include <stdint.h>
#include <string.h>

/* Room for the records of a loop of `most` steps: the bytes of a record, and where the first lies in the workspace. */
typedef struct pg_tape {
    int64_t nbytes, most, where;
} pg_tape;

/* One run: the caller's workspace, which begins with the arena, and what lies there. */
typedef struct pg_call {
    char *arena;
    const pg_tape *tapes;
    int64_t counts;  /* where the numbers of records lie in the workspace */
    int64_t mark;    /* where it says whether it holds a forward run of this file */
    int64_t scratch; /* where memory is that each function may use while it runs */
} pg_call;

PG_INLINE void pg_mark(const pg_call *call, uint64_t mark) { memcpy(call->arena + call->mark, &mark, sizeof mark); }
PG_INLINE int pg_is_marked(const pg_call *call, uint64_t mark) {
    uint64_t found;
    memcpy(&found, call->arena + call->mark, sizeof found);
    return found == mark;
}

PG_INLINE int pg_stopped(const pg_call *call) {
    (void)call;
    return 0;
}

PG_INLINE int pg_fail(const pg_call *call, int status, int body, int64_t instruction, int64_t node, int64_t first,
                      int64_t second) {
    (void)call;
    (void)body;
    (void)instruction;
    (void)node;
    (void)first;
    (void)second;
    return status;
}

PG_INLINE void pg_tasks(const pg_call *call, int64_t n, void (*run)(void *job, int64_t task, int worker), void *job) {
    (void)call;
    for (int64_t task = 0; task < n; task++) run(job, task, 0);
}

/* Tapes: where the record of step `at` lies; how many records there are. */
PG_INLINE char *pg_tape_at(const pg_call *call, int tape, int64_t at) {
    return call->arena + call->tapes[tape].where + at * call->tapes[tape].nbytes;
}
PG_INLINE int64_t pg_tape_count(const pg_call *call, int tape) {
    int64_t count;
    memcpy(&count, call->arena + call->counts + 8 * (int64_t)tape, sizeof count);
    return count;
}
PG_INLINE void pg_tape_set_count(const pg_call *call, int tape, int64_t n) {
    memcpy(call->arena + call->counts + 8 * (int64_t)tape, &n, sizeof n);
}
PG_INLINE int pg_tape_reserve(const pg_call *call, int body, int64_t instruction, int64_t node, int tape, int64_t n) {
    const int64_t most = call->tapes[tape].most;
    return n <= most ? PG_OK : pg_fail(call, PG_TAPE, body, instruction, node, n, most);
}

/* C = op(A) op(B) of m by n elements over k. Each element is summed in the order of k, from 0; blocks of B are copied
 * to the scratch memory, so that the innermost loop runs over adjacent elements. */
#define PG_PRODUCT(S, T)                                                                                               \
    PG_NOINLINE void pg_product_##S(const pg_call *call, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t lda, \
                                    int64_t ldb, const T *a, const T *b, T *c) {                                       \
        const int64_t most_steps = 32, most_columns = 64;                                                              \
        T *block = (T *)(void *)(call->arena + call->scratch);                                                         \
        const int64_t row_a = ta ? 1 : lda, step_a = ta ? lda : 1, row_b = tb ? 1 : ldb, step_b = tb ? ldb : 1;        \
        for (int64_t i = 0; i < m * n; i++) c[i] = 0;                                                                  \
        for (int64_t j0 = 0; j0 < n; j0 += most_columns) {                                                             \
            const int64_t columns = n - j0 < most_columns ? n - j0 : most_columns;                                     \
            for (int64_t k0 = 0; k0 < k; k0 += most_steps) {                                                           \
                const int64_t steps = k - k0 < most_steps ? k - k0 : most_steps, fours = steps / 4 * 4;                \
                for (int64_t s = 0; s < steps; s++) {                                                                  \
                    const T *from = b + (k0 + s) * row_b + j0 * step_b;                                                \
                    T *to = block + s * columns;                                                                       \
                    for (int64_t j = 0; j < columns; j++) to[j] = from[j * step_b];                                    \
                }                                                                                                      \
                for (int64_t i = 0; i < m; i++) {                                                                      \
                    const T *x = a + i * row_a + k0 * step_a;                                                          \
                    T *restrict sum = c + i * n + j0;                                                                  \
                    for (int64_t s = 0; s < fours; s += 4) {                                                           \
                        const T x0 = x[s * step_a], x1 = x[(s + 1) * step_a];                                          \
                        const T x2 = x[(s + 2) * step_a], x3 = x[(s + 3) * step_a];                                    \
                        const T *y0 = block + s * columns, *y1 = y0 + columns, *y2 = y1 + columns, *y3 = y2 + columns; \
                        for (int64_t j = 0; j < columns; j++) {                                                        \
                            sum[j] = (((sum[j] + x0 * y0[j]) + x1 * y1[j]) + x2 * y2[j]) + x3 * y3[j];                 \
                        }                                                                                              \
                    }                                                                                                  \
                    for (int64_t s = fours; s < steps; s++) {                                                          \
                        const T x0 = x[s * step_a], *y0 = block + s * columns;                                         \
                        for (int64_t j = 0; j < columns; j++) sum[j] += x0 * y0[j];                                    \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
PG_PRODUCT(f64, double)
PG_PRODUCT(f32, float)
#undef PG_PRODUCT

#endif
