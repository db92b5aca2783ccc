/* Runs BRANCH, WHILE and REPLAY: bodies chosen, and repeated as often as is known at run time. */
#include "context.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PG_LEAST_TAPE = 4096 };
static _Atomic int64_t tape_limit = INT64_C(1) << 30;

void pg_set_tape_limit(int64_t bytes) { atomic_store(&tape_limit, bytes); }
int64_t pg_get_tape_limit(void) { return atomic_load(&tape_limit); }

void pg_start_body(pg_context *context, int number, char *arena) {
    const pg_body *body = &context->program->bodies[number];
    pg_frame *frame = &context->frames[number];
    if (frame->arena != arena) {
        frame->arena = arena;
        for (int i = 0; i < body->n_slots; i++) {
            if (body->slots[i].kind == PG_SLOT_ARENA) frame->slots[i] = arena + body->slots[i].where;
        }
    }
    for (int i = 0; i < body->n_inits; i++) {
        const pg_init *init = &body->inits[i];
        memcpy(arena + init->arena, context->program->constants + init->constant, (size_t)init->nbytes);
    }
}

int pg_run_body(pg_context *context, int number) {
    const int64_t *segment = context->program->bodies[number].segments[0];
    const int status = pg_run_code(context, number, segment[0], segment[1]);
    if (status != PG_OK || !pg_stopped(context)) return status;
    /* stopped in a body that has no instruction which looks */
    return pg_interrupted(&(pg_place){.context = context, .body = number, .instruction = -1, .node = -1});
}

void pg_move_port(char *const *outer, const pg_port *to, const pg_port *from) {
    char *target = outer[to->slot] + to->offset;
    const char *source = outer[from->slot] + from->offset;
    if (source != target) memcpy(target, source, (size_t)to->nbytes);
}

static void connect(const pg_port *ports, int n, char *const *outer, char **inner) {
    for (int k = 0; k < n; k++) inner[ports[k].inner] = outer[ports[k].slot] + ports[k].offset;
}

void pg_start_loop(const pg_place *place, const pg_carried *loop) {
    char *const *outer = place->slots;
    pg_start_body(place->context, loop->body, outer[loop->workspace]);
    connect(loop->consts, loop->n_consts, outer, place->context->frames[loop->body].slots);
    for (int k = 0; k < loop->n_carry; k++) {
        if (loop->seed[k].slot >= 0) pg_move_port(outer, &loop->carry[k], &loop->seed[k]);
    }
}

int pg_run_step(const pg_place *place, const pg_carried *loop, const pg_port *carry, const pg_port *next) {
    char *const *outer = place->slots;
    char **inner = place->context->frames[loop->body].slots;
    for (int k = 0; k < loop->n_carry; k++) {
        inner[carry[k].inner] = outer[carry[k].slot] + carry[k].offset;
        inner[loop->result[k]] = outer[next[k].slot] + next[k].offset;
    }
    return pg_run_body(place->context, loop->body);
}

int pg_run_branch(const pg_place *place, const void *data) {
    const pg_branch *branch = data;
    pg_context *context = place->context;
    char *const *outer = place->slots;
    int64_t index;
    memcpy(&index, outer[branch->chosen.slot] + branch->chosen.offset, sizeof index);
    const int chosen = index < 0 ? 0 : index >= branch->n_bodies ? branch->n_bodies - 1 : (int)index;
    const int number = branch->bodies[chosen];
    char **inner = context->frames[number].slots;
    const pg_body *body = &context->program->bodies[number];
    pg_start_body(context, number, outer[branch->workspace]);
    for (int i = 0; i < body->n_shares; i++) {
        const pg_share *share = &body->shares[i];
        pg_move_port(outer, &branch->results[(int64_t)chosen * branch->n_results + share->output],
                     &branch->seeds[(int64_t)chosen * branch->n_consts + share->input]);
    }
    connect(branch->consts + (int64_t)chosen * branch->n_consts, branch->n_consts, outer, inner);
    connect(branch->results + (int64_t)chosen * branch->n_results, branch->n_results, outer, inner);
    return pg_run_body(context, number);
}

/* Room for n records on a tape: doubled, so that a loop allocates rarely, unless only what is needed is allowed. */
int pg_reserve_tape(const pg_place *place, int number, int64_t n) {
    pg_context *context = place->context;
    pg_tape *tape = &context->tapes[number];
    const int64_t record = context->program->tapes[number].nbytes, limit = atomic_load(&tape_limit);
    const int64_t others = context->tape_bytes - tape->capacity;
    if (tape->base != NULL && (record == 0 || n <= tape->capacity / record)) return PG_OK;
    /* the records of other tapes are never more than the limit or memory: this sum does not overflow */
    int64_t need = INT64_MAX;
    if (record == 0 || n <= (INT64_MAX / 4) / record) need = n * record > PG_LEAST_TAPE ? n * record : PG_LEAST_TAPE;
    int64_t bytes = need < 2 * tape->capacity ? 2 * tape->capacity : need;
    if (bytes > limit - others) bytes = need;
    if (bytes > limit - others) return pg_failed(place, PG_TAPE, n, limit);
    char *base = pg_addressable(bytes) ? realloc(tape->base, (size_t)bytes) : NULL;
    if (base == NULL) {
        return pg_report(&context->error, PG_MEMORY, place->body, place->instruction, place->node,
                         "no memory for a tape of %" PRId64 " bytes", bytes);
    }
    context->tape_bytes = others + bytes;
    tape->base = base;
    tape->capacity = bytes;
    return PG_OK;
}

/* Lets the stacks of a step be read and written in place. */
static int connect_stacks(const pg_place *place, const pg_stack *stacks, int n, int64_t at, int64_t room,
                          char **inner) {
    const pg_context *context = place->context;
    for (int k = 0; k < n; k++) {
        const int number = stacks[k].tape;
        if (room > 0) {
            const int status = pg_reserve_tape(place, number, room);
            if (status != PG_OK) return status;
        }
        inner[stacks[k].inner] = pg_tape_record(context, number, at);
    }
    return PG_OK;
}

static void set_records(pg_context *context, const pg_while *loop, int64_t n) {
    for (int k = 0; k < loop->n_ys; k++) context->tapes[loop->ys[k].tape].count = n;
}

/* The carry of a loop alternates between two places and must end in the first. */
static void settle_carry(const pg_carried *loop, const pg_port *carry, char *const *outer) {
    for (int k = 0; k < loop->n_carry && carry != loop->carry; k++) pg_move_port(outer, &loop->carry[k], &carry[k]);
}

static const pg_port *next_place(const pg_carried *loop, const pg_port *carry) {
    return carry == loop->carry ? loop->spare : loop->carry;
}

int pg_run_while(const pg_place *place, const void *data) {
    const pg_while *loop = data;
    const pg_carried *carried = &loop->carried;
    pg_context *context = place->context;
    char *const *outer = place->slots;
    char **inner = context->frames[carried->body].slots, **condition = context->frames[loop->condition].slots;
    const char *flag = outer[loop->flag.slot] + loop->flag.offset;
    set_records(context, loop, 0);
    pg_start_body(context, loop->condition, outer[loop->condition_workspace]);
    connect(loop->condition_consts, carried->n_consts, outer, condition);
    connect(&loop->flag, 1, outer, condition);
    pg_start_loop(place, carried);
    const pg_port *carry = carried->init;
    int64_t step = 0;
    for (;; step++) {
        for (int k = 0; k < carried->n_carry; k++)
            condition[loop->condition_carry[k].inner] = outer[carry[k].slot] + carry[k].offset;
        int status = pg_run_body(context, loop->condition);
        if (status != PG_OK) return status;
        if (*flag == 0) break;
        if (step == loop->limit) return pg_failed(place, PG_STEPS, step, 0);
        const pg_port *next = next_place(carried, carry);
        status = connect_stacks(place, loop->ys, loop->n_ys, step, step + 1, inner);
        if (status == PG_OK) status = pg_run_step(place, carried, carry, next);
        if (status != PG_OK) return status;
        carry = next;
    }
    settle_carry(carried, carry, outer);
    set_records(context, loop, step);
    return PG_OK;
}

int pg_run_replay(const pg_place *place, const void *data) {
    const pg_while *loop = data;
    const pg_carried *carried = &loop->carried;
    pg_context *context = place->context;
    char *const *outer = place->slots;
    char **inner = context->frames[carried->body].slots;
    int64_t count;
    memcpy(&count, outer[loop->count.slot] + loop->count.offset, sizeof count);
    for (int k = 0; k < loop->n_xs; k++) {
        const int64_t records = context->tapes[loop->xs[k].tape].count;
        if (records != count) return pg_failed(place, PG_ARGUMENT, records, count);
    }
    set_records(context, loop, 0);
    pg_start_loop(place, carried);
    const pg_port *carry = carried->init;
    for (int64_t step = 0; step < count; step++) {
        const int64_t at = loop->reverse ? count - 1 - step : step;
        const pg_port *next = next_place(carried, carry);
        int status = connect_stacks(place, loop->xs, loop->n_xs, at, 0, inner);
        if (status == PG_OK) status = connect_stacks(place, loop->ys, loop->n_ys, at, count, inner);
        if (status == PG_OK) status = pg_run_step(place, carried, carry, next);
        if (status != PG_OK) return status;
        carry = next;
    }
    settle_carry(carried, carry, outer);
    set_records(context, loop, count < 0 ? 0 : count);
    return PG_OK;
}
