/* Loads SCAN: checks its body's ports against the slots they are connected to. */
#include "loader.h"

#include <inttypes.h>

enum { PG_SCAN_WORDS = 8 };

static int read_ports(pg_loader *l, pg_scan *scan, const pg_body *body, const int64_t *w, pg_touched *touched) {
    int status = PG_OK;
    for (int k = 0; k < scan->n_consts && status == PG_OK; k++, w += 2)
        status = pg_read_port(l, w, 0, 1, body->inputs[k], body, 0, "SCAN: a constant", &scan->consts[k], touched);
    const pg_carries carries = {scan->n_consts,  scan->n_carry, scan->init,        scan->carry_out,
                                scan->carry_tmp, scan->seed,    scan->carry_result};
    if (status == PG_OK) status = pg_read_carries(l, w, body, &carries, "SCAN: a carry", touched);
    w += (int64_t)6 * scan->n_carry;
    for (int k = 0; k < scan->n_xs && status == PG_OK; k++, w += 3) {
        status = pg_read_port(l, w, w[2], scan->length, body->inputs[scan->n_consts + scan->n_carry + k], body, 0,
                              "SCAN: an input", &scan->xs[k], touched);
    }
    for (int k = 0; k < scan->n_ys && status == PG_OK; k++, w += 3) {
        status = pg_read_port(l, w, w[2], scan->length, body->outputs[scan->n_carry + k], body, 1, "SCAN: an output",
                              &scan->ys[k], touched);
    }
    return status == PG_OK ? pg_check_touched(l, touched, "SCAN") : status;
}

int pg_decode_scan(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_SCAN_WORDS) return pg_refuse(l, "SCAN: too short");
    const int64_t number = words[0], length = words[1];
    pg_body *body = NULL;
    int status = pg_take_body(l, number, "SCAN", &body);
    if (status != PG_OK) return status;
    /* without a bound a forged Program might never return */
    if (length < 0 || length > PG_MAX_STEPS || (words[2] & ~INT64_C(1)) != 0) {
        return pg_refuse(l, "SCAN: impossible length or direction");
    }
    for (int i = 4; i < 8; i++) {
        if (words[i] < 0 || words[i] > n) return pg_refuse(l, "SCAN: %" PRId64 " is not a possible count", words[i]);
    }
    const int64_t n_consts = words[4], n_carry = words[5], n_xs = words[6], n_ys = words[7];
    if (n != PG_SCAN_WORDS + 2 * n_consts + 6 * n_carry + 3 * n_xs + 3 * n_ys)
        return pg_refuse(l, "SCAN: its counts do not agree with its length");
    if (n_consts + n_carry + n_xs != body->n_inputs || n_carry + n_ys != body->n_outputs) {
        return pg_refuse(l, "SCAN: it connects other inputs and outputs than body %" PRId64 " has", number);
    }
    const int64_t n_ports = n_consts + 4 * n_carry + n_xs + n_ys;
    pg_scan *scan = pg_keep(l, 1, sizeof *scan);
    pg_port *ports = pg_keep(l, n_ports, sizeof *ports);
    pg_touched touched;
    status = pg_touched_new(l, n_ports + 1, &touched);
    if (!scan || !ports || status != PG_OK) return PG_MEMORY;
    scan->carry_result = pg_keep(l, n_carry, sizeof *scan->carry_result);
    if (!scan->carry_result) return PG_MEMORY;
    scan->body = (int)number;
    scan->length = length;
    scan->reverse = (int)words[2];
    scan->n_consts = (int)n_consts;
    scan->n_carry = (int)n_carry;
    scan->n_xs = (int)n_xs;
    scan->n_ys = (int)n_ys;
    scan->consts = ports;
    scan->init = scan->consts + n_consts;
    scan->carry_out = scan->init + n_carry;
    scan->carry_tmp = scan->carry_out + n_carry;
    scan->seed = scan->carry_tmp + n_carry;
    scan->xs = scan->seed + n_carry;
    scan->ys = scan->xs + n_xs;
    status = pg_read_workspace(l, words[3], body->arena_bytes, "SCAN", &scan->workspace, &touched);
    if (status == PG_OK) status = read_ports(l, scan, body, words + PG_SCAN_WORDS, &touched);
    out->data = scan;
    return status;
}
