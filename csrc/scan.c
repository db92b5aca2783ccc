/* Runs SCAN: a body once per step, its inputs and outputs connected to the places of that step. */
#include "context.h"

int pg_run_scan(const pg_place *place, const void *data) {
    const pg_scan *scan = data;
    pg_context *context = place->context;
    char *const *outer = place->slots;
    char **inner = context->frames[scan->body].slots;
    pg_start_body(context, scan->body, outer[scan->workspace]);
    pg_seed_carries(outer, scan->n_carry, scan->carry_out, scan->seed);
    if (scan->length == 0) {
        for (int k = 0; k < scan->n_carry; k++) pg_move_port(outer, &scan->carry_out[k], &scan->init[k]);
        return PG_OK;
    }
    for (int k = 0; k < scan->n_consts; k++)
        inner[scan->consts[k].inner] = outer[scan->consts[k].slot] + scan->consts[k].offset;
    const pg_port *carry = scan->init;
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
        const int status = pg_run_body(context, scan->body);
        if (status != PG_OK) return status;
        carry = next;
    }
    return PG_OK;
}
