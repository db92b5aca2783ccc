/* A context: the memory of one call, and what the instructions share while they run. */
#ifndef PG_CONTEXT_H
#define PG_CONTEXT_H

#include "program.h"

/* Where a body's slots live now. */
typedef struct pg_frame {
    char *arena;
    char **slots;
} pg_frame;

/* Records that a loop has written, one a step. Grows, and keeps its memory for the next run. */
typedef struct pg_tape {
    char *base;
    int64_t count, capacity; /* records; bytes */
} pg_tape;

struct pg_context {
    pg_program *program;
    int threads, check_finite;
    atomic_int stop;        /* set from another thread: the run is to end */
    int64_t scratch_stride; /* per worker */
    char *scratch;
    pg_frame *frames; /* by body */
    char **staging;   /* by main-body slot: memory inside the context, or NULL */
    pg_tape *tapes;   /* by number: the only memory that running allocates */
    int64_t tape_bytes;
    int64_t *clock; /* of a profiled run, else NULL: see pg_context_time */
    int64_t gain;   /* that native code would have had since it was last asked for */
    pg_error error;
};

/* One instruction that runs: where it stands, and where its slots are. */
typedef struct pg_place {
    pg_context *context;
    int body;
    int64_t instruction, node;
    char *const *slots;
} pg_place;

/* A task of a parallel instruction; `worker` owns one block scratch. */
typedef void (*pg_task_fn)(void *job, int64_t task, int worker);
/* Runs all tasks, on the shared pool where it is free and the context allows, else here; fewer when it is stopped. */
void pg_run_tasks(const pg_context *context, int64_t n_tasks, pg_task_fn run, void *job);
static inline int pg_stopped(const pg_context *context) {
    return atomic_load_explicit(&context->stop, memory_order_relaxed);
}
/* `status`, with its record: what running instructions, and native code, may meet. `first` and `second` are the
 * index and the axis length; the records of a tape and those to be read; the steps; a tape's step and the limit. */
int pg_failed(const pg_place *place, int status, int64_t first, int64_t second);
/* The status of a run that was stopped, with its record. */
static inline int pg_interrupted(const pg_place *place) { return pg_failed(place, PG_INTERRUPTED, 0, 0); }

int pg_run_code(pg_context *context, int body, int64_t first, int64_t end);
/* Each instruction, `data` as its reader made it: pg_run_ runs it, pg_finite_ looks at its floating results. */
#define PG_DECLARE(OPCODE, name)                                \
    int pg_run_##name(const pg_place *place, const void *data); \
    int pg_finite_##name(const pg_place *place, const void *data);
PG_INSTRUCTIONS(PG_DECLARE)
#undef PG_DECLARE
/* The first element of a result, counted from 0, that is inf or nan is reported. */
int pg_finite_operand(const pg_place *place, int number, const pg_sizes *batch, const pg_operand *operand);
void pg_run_map(const pg_place *place, const pg_loop *loop);
void pg_run_reduction(const pg_place *place, const pg_loop *loop);
/* Gives a body its arena and the constants in it; runs it, once its ports are connected. */
void pg_start_body(pg_context *context, int number, char *arena);
int pg_run_body(pg_context *context, int number);
/* Copies what is not there already: one place to another, and carries that stay in place to where that is. */
void pg_move_port(char *const *outer, const pg_port *to, const pg_port *from);
/* Before the first step of a loop: its constants are connected, and what is updated in place lies where it stays. */
void pg_start_loop(const pg_place *place, const pg_carried *loop);
/* A step that reads its carry at one place and writes it to another. */
int pg_run_step(const pg_place *place, const pg_carried *loop, const pg_port *carry, const pg_port *next);
/* Runs a SCALAR one micro-op at a time, and looks at the result of each. */
int pg_run_scalar_checked(const pg_place *place, const pg_scalar *scalar, pg_cell *cells);

/* Native code (native.c): a run with it, and the count of what runs without it cost. */
int pg_run_native(pg_context *context, pg_native_fn run, int segment);
int pg_count_gain(pg_context *context, int segment);

/* Rows of one product C = op(A) op(B). Leading dimensions are those of the stored matrices. */
typedef struct pg_panel {
    int ta, tb;
    int64_t m, n, k, lda, ldb;
    const char *a, *b;
    char *c;
} pg_panel;
void pg_multiply(int dtype, const pg_panel *panel);

/* Room for n records on a tape, which may move it; and where a record is. */
int pg_reserve_tape(const pg_place *place, int tape, int64_t n);
static inline char *pg_tape_record(const pg_context *context, int tape, int64_t at) {
    return context->tapes[tape].base + at * context->program->tapes[tape].nbytes;
}

/* Blocks of a LOOP (loop.c): locations are set up once per task, then blocks run. */
char **pg_loop_begin(const pg_loop *loop, char *const *slots, char *scratch);
void pg_loop_block(const pg_loop *loop, char *const *slots, char **locations, int64_t start, int64_t n);

/* Strided elements to and from adjacent ones, and counts to these, n of them from a place in the iteration space
 * (copy.c). */
void pg_copy_in(const pg_loop *loop, const pg_access *access, const char *memory, const int64_t *at, int64_t n,
                char *block);
void pg_copy_out(const pg_loop *loop, const pg_access *access, char *memory, const int64_t *at, int64_t n,
                 const char *block);
void pg_count_in(const pg_loop *loop, const pg_access *access, const int64_t *at, int64_t n, char *block);

#endif
