/* Loads SCAN: checks its body's ports against the slots they are connected to. */
#include "loader.h"

/* Operands or results, of which each step has its own place. */
static int read_stacked(pg_loader *l, const pg_list *list, int64_t length, const int *inner, const pg_body *body,
                        int writes, pg_port *ports, pg_touched *touched) {
    const char *what = writes ? "SCAN: an output" : "SCAN: an input";
    int status = PG_OK;
    for (int k = 0; k < list->n && status == PG_OK; k++) {
        const int64_t *w = list->at + 3 * k;
        status = pg_read_port(l, w, w[2], length, inner[k], body, writes, what, &ports[k], touched);
    }
    return status;
}

int pg_decode_scan(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_scan_words x;
    pg_body *body = NULL;
    pg_touched touched;
    int status = pg_read_scan(l, words, n, &x);
    if (status != PG_OK) return status;
    pg_scan *scan = pg_keep(l, 1, sizeof *scan);
    if (!scan) return PG_MEMORY;
    pg_carried *loop = &scan->carried;
    status = pg_new_carried(l, &x.carried, "SCAN", x.xs.n, x.ys.n, &body, loop);
    if (status != PG_OK) return status;
    scan->length = x.length;
    scan->reverse = (int)x.reverse;
    scan->n_xs = (int)x.xs.n;
    scan->n_ys = (int)x.ys.n;
    scan->xs = pg_keep(l, x.xs.n + x.ys.n, sizeof *scan->xs);
    if (!scan->xs) return PG_MEMORY;
    scan->ys = scan->xs + x.xs.n;
    const int first = loop->n_consts + loop->n_carry;
    status = pg_touched_new(l, 1 + (int64_t)first + 2 * loop->n_carry + x.xs.n + x.ys.n, &touched);
    if (status == PG_OK) status = pg_read_carried(l, &x.carried, "SCAN", body, loop, &touched);
    if (status == PG_OK) status = read_stacked(l, &x.xs, x.length, body->inputs + first, body, 0, scan->xs, &touched);
    if (status == PG_OK)
        status = read_stacked(l, &x.ys, x.length, body->outputs + loop->n_carry, body, 1, scan->ys, &touched);
    if (status == PG_OK) status = pg_check_touched(l, &touched, "SCAN");
    out->data = scan;
    return status;
}
