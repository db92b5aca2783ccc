/* Runs SCAN: a body once per step, its inputs and outputs connected to the places of that step. */
#include "context.h"

#include <string.h>

static void start_body(pg_context *context, const pg_scan *scan, char *arena) {
    const pg_body *body = &context->program->bodies[scan->body];
    pg_frame *frame = &context->frames[scan->body];
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

int pg_run_scan(const pg_place *place, const pg_scan *scan) {
    pg_context *context = place->context;
    char *const *outer = place->slots;
    char **inner = context->frames[scan->body].slots;
    start_body(context, scan, outer[scan->workspace]);
    if (scan->length == 0) {
        for (int k = 0; k < scan->n_carry; k++) {
            const pg_port *to = &scan->carry_out[k], *from = &scan->init[k];
            memcpy(outer[to->slot] + to->offset, outer[from->slot] + from->offset, (size_t)to->nbytes);
        }
        return PG_OK;
    }
    for (int k = 0; k < scan->n_consts; k++)
        inner[scan->consts[k].inner] = outer[scan->consts[k].slot] + scan->consts[k].offset;
    const pg_port *carry = scan->init;
    const int64_t end = context->program->bodies[scan->body].segments[0][1];
    for (int64_t i = 0; i < scan->length; i++) {
        const int64_t at = scan->reverse ? scan->length - 1 - i : i;
        const pg_port *next = (scan->length - 1 - i) % 2 == 0 ? scan->carry_out : scan->carry_tmp;
        for (int k = 0; k < scan->n_carry; k++) {
            inner[carry[k].inner] = outer[carry[k].slot] + carry[k].offset;
            inner[scan->carry_result[k]] = outer[next[k].slot] + next[k].offset;
        }
        for (int k = 0; k < scan->n_xs + scan->n_ys; k++) { /* ys follow xs */
            const pg_port *port = &scan->xs[k];
            inner[port->inner] = outer[port->slot] + port->offset + at * port->stride;
        }
        const int status = pg_run_code(context, scan->body, context->program->bodies[scan->body].segments[0][0], end);
        if (status != PG_OK) return status;
        carry = next;
    }
    return PG_OK;
}
