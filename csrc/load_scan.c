/* Loads SCAN: checks its body's ports against the slots they are connected to. */
#include "loader.h"

#include <inttypes.h>

static int read_ports(pg_loader *l, pg_scan *scan, const pg_body *body, const pg_scan_words *x, pg_touched *touched) {
    int status = PG_OK;
    for (int k = 0; k < scan->n_consts && status == PG_OK; k++) {
        status = pg_read_port(l, x->consts.at + 2 * k, 0, 1, body->inputs[k], body, 0, "SCAN: a constant",
                              &scan->consts[k], touched);
    }
    const pg_carries carries = {scan->n_consts,  scan->n_carry, scan->init,        scan->carry_out,
                                scan->carry_tmp, scan->seed,    scan->carry_result};
    const pg_list places[3] = {x->init, x->carry, x->spare};
    if (status == PG_OK) status = pg_read_carries(l, places, body, &carries, "SCAN: a carry", touched);
    for (int k = 0; k < scan->n_xs && status == PG_OK; k++) {
        const int64_t *w = x->xs.at + 3 * k;
        status = pg_read_port(l, w, w[2], scan->length, body->inputs[scan->n_consts + scan->n_carry + k], body, 0,
                              "SCAN: an input", &scan->xs[k], touched);
    }
    for (int k = 0; k < scan->n_ys && status == PG_OK; k++) {
        const int64_t *w = x->ys.at + 3 * k;
        status = pg_read_port(l, w, w[2], scan->length, body->outputs[scan->n_carry + k], body, 1, "SCAN: an output",
                              &scan->ys[k], touched);
    }
    return status == PG_OK ? pg_check_touched(l, touched, "SCAN") : status;
}

int pg_decode_scan(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_scan_words x;
    pg_body *body = NULL;
    int status = pg_read_scan(l, words, n, &x);
    if (status == PG_OK) status = pg_take_body(l, x.body, "SCAN", &body);
    if (status != PG_OK) return status;
    const int64_t n_carry = x.init.n;
    if (x.consts.n + n_carry + x.xs.n != body->n_inputs || n_carry + x.ys.n != body->n_outputs)
        return pg_refuse(l, "SCAN: it connects other inputs and outputs than body %" PRId64 " has", x.body);
    const int64_t n_ports = x.consts.n + 4 * n_carry + x.xs.n + x.ys.n;
    pg_scan *scan = pg_keep(l, 1, sizeof *scan);
    pg_port *ports = pg_keep(l, n_ports, sizeof *ports);
    pg_touched touched;
    status = pg_touched_new(l, n_ports + 1, &touched);
    if (!scan || !ports || status != PG_OK) return PG_MEMORY;
    scan->carry_result = pg_keep(l, n_carry, sizeof *scan->carry_result);
    if (!scan->carry_result) return PG_MEMORY;
    scan->body = (int)x.body;
    scan->length = x.length;
    scan->reverse = (int)x.reverse;
    scan->n_consts = (int)x.consts.n;
    scan->n_carry = (int)n_carry;
    scan->n_xs = (int)x.xs.n;
    scan->n_ys = (int)x.ys.n;
    scan->consts = ports;
    scan->init = scan->consts + x.consts.n;
    scan->carry_out = scan->init + n_carry;
    scan->carry_tmp = scan->carry_out + n_carry;
    scan->seed = scan->carry_tmp + n_carry;
    scan->xs = scan->seed + n_carry;
    scan->ys = scan->xs + x.xs.n;
    status = pg_read_workspace(l, x.workspace, body->arena_bytes, "SCAN", &scan->workspace, &touched);
    if (status == PG_OK) status = read_ports(l, scan, body, &x, &touched);
    out->data = scan;
    return status;
}
