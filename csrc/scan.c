/* Runs SCAN: a body once per step, its inputs and outputs connected to the places of that step. */
#include "context.h"

int pg_run_scan(const pg_place *place, const void *data) {
    const pg_scan *scan = data;
    const pg_carried *loop = &scan->carried;
    char *const *outer = place->slots;
    char **inner = place->context->frames[loop->body].slots;
    pg_start_loop(place, loop);
    if (scan->length == 0) {
        for (int k = 0; k < loop->n_carry; k++) pg_move_port(outer, &loop->carry[k], &loop->init[k]);
        return PG_OK;
    }
    const pg_port *carry = loop->init;
    for (int64_t i = 0; i < scan->length; i++) {
        const int64_t at = scan->reverse ? scan->length - 1 - i : i;
        const pg_port *next = (scan->length - 1 - i) % 2 == 0 ? loop->carry : loop->spare;
        for (int k = 0; k < scan->n_xs + scan->n_ys; k++) { /* ys follow xs */
            const pg_port *port = &scan->xs[k];
            inner[port->inner] = outer[port->slot] + port->offset + at * port->stride;
        }
        const int status = pg_run_step(place, loop, carry, next);
        if (status != PG_OK) return status;
        carry = next;
    }
    return PG_OK;
}
