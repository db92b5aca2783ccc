/* What a Program is once the loader has verified it: predecoded instructions over resolved slots. */
#ifndef PG_PROGRAM_H
#define PG_PROGRAM_H

#include "kernels.h"
#include "pg_api.h"
#include "pg_status.h"

#include <stdatomic.h>

typedef struct pg_slot {
    pg_slot_kind kind;
    int dtype;     /* PG_RAW: memory that one instruction has for itself */
    unsigned uses; /* bit s: segment s reads or writes it */
    int memory;    /* the slot whose memory it is: its own, or of an output the input that it takes over */
    int64_t where; /* arena: offset; const: offset; input, output: index */
    int64_t nbytes;
} pg_slot;

/* Which memory bytes [lo, hi) lie in: arena, constants, or one input or output slot each. */
typedef struct pg_extent {
    int space;
    int64_t lo, hi;
} pg_extent;

/* The dimensions of a batch or an iteration space, and their product. */
typedef struct pg_sizes {
    int n;
    int64_t count, of[PG_MAX_DIMS];
} pg_sizes;

/* Records among the words of an instruction, one after another. */
typedef struct pg_list {
    int64_t n;
    const int64_t *at;
} pg_list;

/* An operand: so many adjacent elements, for each index of a batch. */
typedef struct pg_operand {
    int slot, dtype;
    int64_t offset; /* bytes */
    int64_t elements;
    int64_t strides[PG_MAX_DIMS]; /* bytes */
    pg_extent extent;
} pg_operand;

#include "generated/pg_instructions.h"

/* How far from its first one the operand for another index of the batch lies. */
static inline int64_t pg_batch_offset(const pg_sizes *batch, const pg_operand *operand, int64_t at) {
    int64_t offset = 0;
    for (int64_t d = batch->n - 1, rest = at; d >= 0; rest /= batch->of[d], d--)
        offset += rest % batch->of[d] * operand->strides[d];
    return offset;
}

/* A constant that lies in the arena from the start: one element. */
typedef struct pg_init {
    int64_t arena, constant, nbytes;
} pg_init;

/* One strided operand of a LOOP, its dims merged: an array with strides in bytes, or counts. */
typedef enum pg_access_kind { PG_CONTIGUOUS, PG_SPLAT, PG_STRIDED } pg_access_kind;
typedef struct pg_access {
    pg_access_kind kind;
    int slot;
    int dtype, size;
    pg_map_fn count;   /* loads of counts, whose offset and strides are of these; NULL: of memory */
    const char *table; /* loads: where that is, if not in the slot */
    int location;      /* loads: where its address is put; stores: where the value to store is found */
    int buffer;        /* loads: location of the buffer or cell it is copied to when it must be, else -1 */
    int copied;        /* loads: always copied, since a store overwrites the memory before its last use */
    int direct;        /* stores: the micro-op writes to memory itself, whose address is put at `location` */
    int64_t offset;    /* bytes */
    int64_t strides[PG_MAX_DIMS];
} pg_access;

/* One micro-op over locations. */
typedef struct pg_step {
    pg_map_fn run;
    int dst, a, b, c;
    int dtype; /* of the result */
} pg_step;

typedef struct pg_fill {
    pg_map_fn run;
    int dst, source;
} pg_fill;

typedef struct pg_reduction {
    pg_reduce_fns run;
    int location, slot, dtype, size;
    int64_t offset; /* bytes */
} pg_reduction;

typedef struct pg_loop {
    int ndim, reduces;
    int n_loads, n_once, n_fills, n_steps, n_stores, n_reductions;
    int n_locations, n_buffers, n_cells; /* locations: buffers, cells, addresses of loads and stores, accumulators */
    int first_accumulator;               /* the location of those of the first reduction */
    int clip;                            /* cut blocks of a map at the ends of rows, so that rows are read in place */
    int scratch_slot;
    int64_t dims[PG_MAX_DIMS], count, block;
    int64_t outer, rows, inner;         /* count = outer rows inner; of maps outer = count */
    int64_t group, chunk, part;         /* what a task covers of each; a group of several has whole rows */
    int64_t n_chunks, n_parts, n_tasks; /* more than one chunk of rows means partial results */
    int64_t buffer_bytes;               /* of one block buffer */
    pg_access *loads, *stores;
    pg_step *once, *steps;
    pg_fill *fills;
    pg_reduction *reductions;
} pg_loop;

typedef struct pg_scalar {
    int64_t n_code;
    const pg_scalar_op *code;
    const uint8_t *lengths,
        *results; /* per micro-op, at its first entry: its entries, its result's dtype or PG_N_DTYPES */
} pg_scalar;

/* A place of the body that holds an instruction, connected to a slot of the body that the instruction runs. */
typedef struct pg_port {
    int slot, inner;
    int64_t offset, stride, nbytes;
} pg_port;

/* What all loops over a body have. A carry is read from `init` at first, and alternates between `carry` and `spare`.
 * One that the body updates in place is copied from `seed` to `carry` before the first step, unless it lies there, and
 * is then there always: its `init` and `spare` are `carry`. */
typedef struct pg_carried {
    int body, workspace, n_consts, n_carry;
    pg_port *consts, *init, *carry, *spare, *seed;
    int *result; /* per carry: the body's output slot */
} pg_carried;

typedef struct pg_scan {
    pg_carried carried;
    int reverse, n_xs, n_ys;
    int64_t length;
    pg_port *xs, *ys;
} pg_scan;

/* A tape connected to a slot of a body. */
typedef struct pg_stack {
    int tape, inner;
} pg_stack;

/* WHILE, and REPLAY where `condition` is -1: only one of them has a limit, a flag, xs; a count. */
typedef struct pg_while {
    pg_carried carried;
    int condition, condition_workspace, reverse, n_xs, n_ys;
    int64_t limit; /* of steps; -1: none */
    pg_port flag;
    pg_operand count;
    pg_port *condition_consts, *condition_carry; /* the same places, the condition's slots */
    pg_stack *xs, *ys;
} pg_while;

typedef struct pg_branch {
    int n_bodies, n_consts, n_results, workspace;
    int *bodies;
    pg_operand chosen;
    pg_port *consts, *results; /* per body, one after another */
    pg_port *seeds; /* per body: its operands; where it takes one over, the port among `consts` is that of the result */
} pg_branch;

typedef struct pg_instruction {
    int opcode;
    int64_t node;
    const void *data;
} pg_instruction;

/* An output that takes over the memory of an input: both have one address whenever the body runs. */
typedef struct pg_share {
    int input, output;
} pg_share;

typedef struct pg_body {
    int n_slots, n_inits, n_segments, n_inputs, n_outputs, n_shares;
    int used;   /* an instruction runs it */
    int height; /* of the tree of bodies below it */
    int64_t arena_bytes, n_instructions;
    int64_t n_before; /* instructions of the bodies before it */
    pg_slot *slots;
    pg_init *inits;
    pg_share *shares;
    int *inputs, *outputs;                /* slot of each index */
    int64_t segments[PG_MAX_SEGMENTS][2]; /* first instruction, end */
    int *ports[PG_MAX_SEGMENTS];          /* main body: the input and output slots a segment uses */
    int n_ports[PG_MAX_SEGMENTS];
    pg_instruction *instructions;
} pg_body;

/* A tape: one record for each step of the one instruction that writes it. */
typedef struct pg_tape_info {
    int64_t nbytes; /* of a record */
    int dtype;
    int known, written;
    int writer;             /* the body of the instruction that writes it */
    const pg_while *reader; /* the last one that was loaded */
} pg_tape_info;

typedef struct pg_block {
    struct pg_block *next;
} pg_block;

struct pg_call;
typedef int (*pg_native_fn)(const struct pg_call *call, int segment);

struct pg_program {
    atomic_int references;
    int n_bodies;
    int parallel; /* some instruction has more than one task */
    int64_t scratch_bytes, n_constants;
    const pg_kernels *kernels;
    const uint8_t *constants; /* of who loaded it */
    pg_body *bodies;
    int n_tapes;
    pg_tape_info *tapes;
    pg_block *memory;                              /* everything else, freed together */
    _Atomic(pg_native_fn) native;                  /* runs segments in place of the instructions, once it is there */
    _Atomic(void *) library;                       /* where it comes from */
    _Atomic int64_t gains[PG_MAX_SEGMENTS], price; /* see pg_program_watch */
    _Atomic int64_t gain;                          /* the largest sum of a context that was freed */
    atomic_int said;                               /* that native code would pay */
};

#if defined(__GNUC__) || defined(__clang__)
#define PG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define PG_PRINTF(text, first)
#endif

/* Fills an error record; returns the status. */
int pg_report(pg_error *error, int status, int body, int64_t instruction, int64_t node, const char *format, ...)
    PG_PRINTF(6, 7);

static inline int pg_size_of(int dtype) {
    static const int sizes[PG_N_DTYPES] = {8, 4, 8, 4, 1};
    return sizes[dtype];
}

/* Closes the library of native code, at the end of the Program. */
void pg_unload_native(pg_program *program);

/* Whether memory of so many bytes can be asked for: a size_t of 32 bits holds less than an arena may have. */
static inline int pg_addressable(int64_t bytes) { return (uint64_t)bytes <= SIZE_MAX - 64; }

/* The next multiple of 64. */
static inline int64_t pg_round_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }

#endif
