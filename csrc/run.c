/* Runs instructions one after another. */
#include "context.h"

/* The loader refuses what is not listed, so that all cases are here. */
#define PG_RUN(OPCODE, name) \
    case PG_OP_##OPCODE: return pg_run_##name(place, instruction->data);
#define PG_FINITE(OPCODE, name) \
    case PG_OP_##OPCODE: return pg_finite_##name(place, instruction->data);

static int run_one(const pg_place *place, const pg_instruction *instruction) {
    switch (instruction->opcode) { PG_INSTRUCTIONS(PG_RUN) }
    return pg_failed(place, PG_PROGRAM, instruction->opcode, 0);
}

static int check_one(const pg_place *place, const pg_instruction *instruction) {
    switch (instruction->opcode) { PG_INSTRUCTIONS(PG_FINITE) }
    return pg_failed(place, PG_PROGRAM, instruction->opcode, 0);
}

/* The end of one instruction is the beginning of the next: one look at the clock for each. */
static int run_timed(const pg_context *context, pg_place *place, const pg_instruction *instructions, int64_t end) {
    int64_t *record = context->clock + 2 * (context->program->bodies[place->body].n_before + place->instruction);
    int64_t before = pg_now();
    for (; place->instruction < end; place->instruction++, record += 2) {
        const pg_instruction *instruction = &instructions[place->instruction];
        place->node = instruction->node;
        int status = run_one(place, instruction);
        if (status == PG_OK && pg_stopped(context)) status = pg_interrupted(place);
        if (status != PG_OK) return status;
        const int64_t now = pg_now();
        record[0] += now - before;
        record[1]++;
        before = now;
    }
    return PG_OK;
}

int pg_run_code(pg_context *context, int body, int64_t first, int64_t end) {
    const pg_instruction *instructions = context->program->bodies[body].instructions;
    pg_place place = {.context = context, .body = body, .slots = context->frames[body].slots};
    if (context->clock != NULL) {
        place.instruction = first;
        return run_timed(context, &place, instructions, end);
    }
    for (int64_t i = first; i < end; i++) {
        place.instruction = i;
        place.node = instructions[i].node;
        int status = run_one(&place, &instructions[i]);
        if (status == PG_OK && pg_stopped(context)) status = pg_interrupted(&place);
        if (status == PG_OK && context->check_finite) status = check_one(&place, &instructions[i]);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}

int pg_run_scalar(const pg_place *place, const void *data) {
    const pg_scalar *scalar = data;
    pg_cell *cells = (pg_cell *)(void *)place->context->frames[place->body].arena;
    if (place->context->check_finite) return pg_run_scalar_checked(place, scalar, cells);
    place->context->program->kernels->scalar(scalar->code, cells, place->slots);
    return PG_OK;
}

int pg_run_loop(const pg_place *place, const void *data) {
    const pg_loop *loop = data;
    if (loop->reduces)
        pg_run_reduction(place, loop);
    else
        pg_run_map(place, loop);
    return PG_OK;
}
