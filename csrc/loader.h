/* What the files of the loader share: where it stands, how it refuses, and the checks of memory. */
#ifndef PG_LOADER_H
#define PG_LOADER_H

#include "checked.h"
#include "program.h"

typedef struct pg_loader {
    pg_program *program;
    pg_error *error;
    pg_body *body; /* being read */
    int number;    /* of that body */
    int64_t instruction, node;
    int64_t max_tapes;
    unsigned segments; /* bit s: the instruction belongs to segment s */
} pg_loader;

enum { PG_SPACE_ARENA = -1, PG_SPACE_CONST = -2, PG_SPACE_NONE = -3 };

/* Refuses the Program at the loader's place; returns the status PG_PROGRAM. */
int pg_refuse(pg_loader *l, const char *format, ...) PG_PRINTF(2, 3);

/* Zeroed memory that lives as long as the Program; NULL, reported, when there is none. */
void *pg_keep(pg_loader *l, int64_t count, size_t size);

/* Each returns 0, or a status after refusing. `what` names the operand. */
int pg_check_dtype(pg_loader *l, int64_t dtype, const char *what);
/* The slot exists and holds elements of `dtype`; PG_RAW: it holds none. A written slot must be writable. */
int pg_check_slot(pg_loader *l, int64_t slot, int dtype, int writes, const char *what);
/* The slot exists and holds elements: of this dtype. */
int pg_find_dtype(pg_loader *l, int64_t slot, const char *what, int *dtype);
/* All elements lie in the slot: element strides over dims, from an element offset. */
int pg_check_access(pg_loader *l, int64_t slot, int dtype, int64_t offset, int ndim, const int64_t *dims,
                    const int64_t *strides, int writes, const char *what, pg_extent *extent);
/* No count is too large. */
int pg_check_counts(pg_loader *l, int64_t offset, int ndim, const int64_t *dims, const int64_t *strides,
                    const char *what);
/* [offset, offset + nbytes) lies in the slot and is aligned for the dtype. */
int pg_check_bytes(pg_loader *l, int64_t slot, int dtype, int64_t offset, int64_t nbytes, int writes, const char *what,
                   pg_extent *extent);
/* No two indices reach one element. */
int pg_check_injective(pg_loader *l, int ndim, const int64_t *dims, const int64_t *strides, const char *what);
int pg_overlap(const pg_extent *x, const pg_extent *y);
/* Two accesses of elements of `size` bytes with equal dims and strides (of elements) reach no byte in common. */
int pg_interleave(int ndim, const int64_t *dims, const int64_t *strides, int64_t size, int64_t apart);
int pg_check_apart(pg_loader *l, const pg_extent *x, const pg_extent *y, const char *what, const char *other);

/* Each reads the words of one instruction after its head: pg_read_ what the table of instructions says of them;
 * pg_decode_ makes of that what runs, `out`; pg_check_ looks at what the table can't say. */
typedef int (*pg_decoder)(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out);
#define PG_DECLARE(OPCODE, name)                                                             \
    int pg_read_##name(pg_loader *l, const int64_t *words, int64_t n, pg_##name##_words *x); \
    int pg_decode_##name(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out);
PG_INSTRUCTIONS(PG_DECLARE)
#undef PG_DECLARE
#define PG_DECLARE(name) int pg_check_##name(pg_loader *l, const pg_##name##_words *x);
PG_CHECKED(PG_DECLARE)
#undef PG_DECLARE

/* What is expected of the dtype of an operand: that it is the one of others, known once one was read. */
enum { PG_SAME = PG_RAW - 1, PG_SAME_NUMBERS = PG_RAW - 2 };
/* An operand of words (slot, offset, strides): as many adjacent elements as the product of `core`, for each index of a
 * batch (NULL: there is none). `same`: the dtype of others, below 0 as long as it is not known. */
int pg_check_operand(pg_loader *l, const int64_t *words, const char *what, int writes, int dtype, int *same,
                     const pg_sizes *batch, int n_core, const int64_t *core, pg_operand *operand);

/* The memory that one instruction with bodies touches; what is written may overlap nothing else. */
typedef struct pg_touched {
    pg_extent *extents;
    unsigned char *written;
    int n;
} pg_touched;
int pg_touched_new(pg_loader *l, int64_t n, pg_touched *touched);
int pg_check_touched(pg_loader *l, const pg_touched *touched, const char *what);
/* Takes a body for the instruction being read: it must come later and be free. */
int pg_take_body(pg_loader *l, int64_t number, const char *what, pg_body **body);
/* The memory for a body's arena. */
int pg_read_workspace(pg_loader *l, int64_t slot, int64_t arena_bytes, const char *what, int *workspace,
                      pg_touched *touched);
/* A port's bytes from the words (slot, byte offset), or (slot, byte offset, stride) for one that moves each step. */
int pg_read_port(pg_loader *l, const int64_t *words, int64_t stride, int64_t steps, int inner, const pg_body *body,
                 int writes, const char *what, pg_port *port, pg_touched *touched);
/* What all loops over a body have, with room for its ports, where the body has `n_xs` further inputs and `n_ys` further
 * outputs; then its workspace and ports themselves. What is written, or a place of its own, is touched. */
int pg_new_carried(pg_loader *l, const pg_carried_words *x, const char *what, int64_t n_xs, int64_t n_ys,
                   pg_body **body, pg_carried *loop);
int pg_read_carried(pg_loader *l, const pg_carried_words *x, const char *what, const pg_body *body, pg_carried *loop,
                    pg_touched *touched);
/* Both extents are the same bytes. */
int pg_same_extent(const pg_extent *x, const pg_extent *y);

/* The type of a micro-op's result: that of the operands, bool, or the floating type of the operands' size. */
enum { PG_RESULT_SAME, PG_RESULT_BOOL, PG_RESULT_FLOATING };
/* The name and operands of a micro-op. */
typedef struct pg_op_info {
    const char *name;
    int arity, result, conditional, casts;
} pg_op_info;
extern const pg_op_info pg_op_infos[PG_MOP_COUNT];
/* A micro-op exists for these dtypes: refused otherwise. */
int pg_check_micro(pg_loader *l, int64_t mop, int64_t dtype_in, int64_t dtype_out);

enum { PG_LONG_ROW = 256 }; /* elements of a row that blocks end with, so that it is read in place */
/* Chooses kernels and locations for a LOOP whose words are verified (loop_plan.c). */
typedef struct pg_raw_loop {
    int64_t n_registers, n_micros;
    const int64_t *micros;
    const int64_t *load_registers, *store_registers; /* stride `step` apart */
    int64_t step;
    const int64_t *reductions;
    const unsigned char *aliases; /* [store][load]: they are the same elements */
} pg_raw_loop;
int pg_plan_loop(pg_loader *l, pg_loop *loop, const pg_raw_loop *raw);

#endif
