/* The public C interface: load a Program, make contexts, run segments. Python's cffi declarations are made from this.
 */
#ifndef PG_API_H
#define PG_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct pg_program pg_program;
typedef struct pg_context pg_context;

/* status: 0 ok, 1 program refused, 2 out of memory, 3 index out of range, 4 a value is not finite, 5 bad argument, 6 a
 * loop has more steps than its limit, 7 the tapes of a context would pass their limit, 8 stopped by
 * pg_context_stop, 9 a good run, after which native code would pay (see pg_program_watch).
 * `instruction` counts from 0 within its body; -1 stands for "none" in body, instruction and node.
 * detail: index error: the index and the axis length; not finite: which destination of the instruction, which element;
 * steps: the limit; tape: the step, and the limit in bytes.
 */
typedef struct pg_error {
    int status;
    int body;
    int64_t instruction;
    int64_t node;
    int64_t detail[2];
    char text[192];
} pg_error;

/* The hash of the op table this library was generated from. */
uint64_t pg_table_hash(void);

/* The instruction set in use: the best this machine has, or a lower one named by the environment's PYGRAPH_ISA. */
const char *pg_isa(void);

/* The checksum of a Program: of its words after the checksum word, and of its constants. */
uint64_t pg_checksum(const int64_t *words, size_t n_words, const uint8_t *constants, size_t n_bytes);

/* Verify a Program and translate it. The constants, aligned to 8 bytes, are not copied: they stay where they are, and
 * as they are, until the Program and its contexts are freed; the words may go. NULL, with `error` filled, when it is
 * refused. */
pg_program *pg_program_load(const int64_t *words, size_t n_words, const uint8_t *constants, size_t n_bytes,
                            pg_error *error);

/* Give the Program up; contexts made from it stay valid. */
void pg_program_free(pg_program *program);

/* Let native code run the Program, from the next run of each context on: a shared library made from the Program's own
 * emitted text (pg_native.h), which is closed with the Program. It is trusted: nothing but its version is checked. */
int pg_program_load_native(pg_program *program, const char *path, pg_error *error);
int pg_program_is_native(const pg_program *program);

/* Ask to be told when native code would pay: by status 9, once, from the run that brings the sum of a context's gains
 * to `price`. gains: of a run of each segment, at most 2**61 as is the price. Asking again allows another telling. */
void pg_program_watch(pg_program *program, const int64_t *gains, int n_gains, int64_t price);

/* All the memory of a call: arena, tables, block scratch for up to `threads` threads. One call at a time per context.
 */
pg_context *pg_context_new(const pg_program *program, int threads, int check_finite, pg_error *error);
void pg_context_free(pg_context *context);

/* Where a slot of the main body lives now; inputs and outputs too large to be staged give NULL until bound. */
void *pg_context_slot(pg_context *context, int slot);

/* Let an input or output slot live at `pointer` (aligned for its elements, kept alive by the caller; an output may not
 * overlap any other slot). NULL goes back to the staging memory, if the slot is small enough to have any. */
int pg_context_bind(pg_context *context, int slot, void *pointer);

/* Run one segment of the main body: 0 forward, 1 reverse, 2 tangent. Returns the status; allocates
 * nothing but tapes. With native code where the Program has it, and the context does not check for finite values. */
int pg_context_run(pg_context *context, int segment);

/* Let each instruction of the next runs be timed: `clock` has two numbers for each, the bodies and the instructions of
 * each one after another, to which every run adds the nanoseconds that it took, with those of the bodies it runs, and
 * the times that it ran. NULL ends that. Native code that was not emitted for it times nothing. */
void pg_context_time(pg_context *context, int64_t *clock);
/* The clock that they are timed with, in nanoseconds. */
int64_t pg_now(void);
/* The least that one look at it takes, which is in the time of each instruction. */
int64_t pg_clock_cost(void);

/* End the run that another thread has on this context, after the step of a loop, instruction or task it is at. Outputs
 * and intermediates of that run are then undefined. A run that starts later is not stopped. */
void pg_context_stop(pg_context *context);

/* The most bytes that the tapes of one context may take: what loops of a run-time length record for their reverse. */
void pg_set_tape_limit(int64_t bytes);
int64_t pg_get_tape_limit(void);

/* What the last call on this context met. */
const pg_error *pg_context_error(const pg_context *context);

/* The size of the worker pool that all contexts share, counting the calling thread. A busy pool is not waited for. */
void pg_set_threads(int n);
int pg_get_threads(void);

#endif
