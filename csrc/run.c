/* Runs instructions one after another. */
#include "context.h"
#include "loader.h"

static int run_one(const pg_place *place, const pg_instruction *instruction, char *arena) {
    switch (instruction->opcode) {
    case PG_OP_SCALAR: {
        const pg_scalar *scalar = instruction->data;
        if (place->context->check_finite) return pg_run_scalar_checked(place, scalar, (pg_cell *)(void *)arena);
        place->context->program->kernels->scalar(scalar->code, (pg_cell *)(void *)arena, place->slots);
        return PG_OK;
    }
    case PG_OP_LOOP: {
        const pg_loop *loop = instruction->data;
        if (loop->reduces)
            pg_run_reduce(place, loop);
        else
            pg_run_loop(place, loop);
        return PG_OK;
    }
    case PG_OP_MATMUL: pg_run_matmul(place, instruction->data); return PG_OK;
    case PG_OP_GATHER: return pg_run_gather(place, instruction->data);
    case PG_OP_SCATTER: return pg_run_scatter(place, instruction->data);
    case PG_OP_SCAN: return pg_run_scan(place, instruction->data);
    case PG_OP_BRANCH: return pg_run_branch(place, instruction->data);
    case PG_OP_WHILE: return pg_run_while(place, instruction->data);
    case PG_OP_REPLAY: return pg_run_replay(place, instruction->data);
    default: return pg_run_wrap(place, instruction->data);
    }
}

int pg_run_code(pg_context *context, int body, int64_t first, int64_t end) {
    const pg_instruction *instructions = context->program->bodies[body].instructions;
    const pg_frame *frame = &context->frames[body];
    pg_place place = {.context = context, .body = body, .slots = frame->slots};
    for (int64_t i = first; i < end; i++) {
        place.instruction = i;
        place.node = instructions[i].node;
        int status = run_one(&place, &instructions[i], frame->arena);
        if (status == PG_OK && pg_stopped(context)) status = pg_interrupted(&place);
        if (status == PG_OK && context->check_finite) status = pg_check_results(&place, &instructions[i]);
        if (status != PG_OK) return status;
    }
    return PG_OK;
}
