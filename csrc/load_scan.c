/* Loads SCAN: checks its body's ports against the slots they are connected to. */
#include "loader.h"

#include <inttypes.h>

enum { PG_SCAN_WORDS = 8 };

/* More steps than could ever run; without a bound a forged Program might never return. */
#define PG_MAX_STEPS (INT64_C(1) << 40)

/* The memory that one SCAN touches; what is written may overlap nothing else. */
typedef struct pg_touched {
    pg_extent *extents;
    unsigned char *written;
    int n;
} pg_touched;

/* A port's bytes, at each step when it moves with a stride. */
static int read_port(pg_loader *l, const pg_scan *scan, const int64_t *w, int moves, const pg_slot *inner, int writes,
                     const char *what, pg_port *port, pg_touched *touched) {
    pg_extent *extent = &touched->extents[touched->n];
    const int64_t stride = moves ? w[2] : 0, steps = scan->length;
    int64_t reach = 0, low, nbytes;
    port->slot = (int)w[0];
    port->nbytes = inner->nbytes;
    if (moves && steps == 0) return pg_check_bytes(l, w[0], 0, 0, 1, writes, what, extent);
    if (steps > 1 && PG_MUL_OVERFLOW(steps - 1, stride, &reach))
        return pg_refuse(l, "%s: its stride is too large", what);
    if (reach < -PG_MAX_ARENA || reach > PG_MAX_ARENA || w[1] < 0 || w[1] > PG_MAX_ARENA) {
        return pg_refuse(l, "%s: offset %" PRId64 " or stride %" PRId64 " leaves its slot", what, w[1], stride);
    }
    low = reach < 0 ? w[1] + reach : w[1];
    nbytes = inner->nbytes + (reach < 0 ? -reach : reach);
    if (stride % inner->align != 0)
        return pg_refuse(l, "%s: stride %" PRId64 " is not a multiple of %d", what, stride, inner->align);
    if (moves && writes && steps > 1 && stride < inner->nbytes && stride > -inner->nbytes) {
        return pg_refuse(l, "%s: steps overwrite each other", what);
    }
    port->offset = w[1];
    port->stride = stride;
    touched->written[touched->n++] = (unsigned char)writes;
    return pg_check_bytes(l, w[0], low, nbytes, inner->align, writes, what, extent);
}

static int check_touched(pg_loader *l, const pg_touched *touched) {
    for (int i = 0; i < touched->n; i++) {
        if (!touched->written[i]) continue;
        for (int j = 0; j < touched->n; j++) {
            if (j == i || !pg_overlap(&touched->extents[i], &touched->extents[j])) continue;
            return pg_refuse(l, "SCAN: port %d writes what port %d uses", i, j);
        }
    }
    return PG_OK;
}

/* Carries are both read and written by the body. */
static int join_carry(pg_loader *l, int k, pg_slot *in, pg_slot *out) {
    if (in->nbytes != out->nbytes) {
        return pg_refuse(l, "SCAN: carry %d goes in as %" PRId64 " bytes and comes out as %" PRId64, k, in->nbytes,
                         out->nbytes);
    }
    in->align = out->align = in->align > out->align ? in->align : out->align;
    return PG_OK;
}

static int read_ports(pg_loader *l, pg_scan *scan, const pg_body *body, const int64_t *w, pg_touched *touched) {
    int status = PG_OK;
    for (int k = 0; k < scan->n_consts && status == PG_OK; k++, w += 2) {
        scan->consts[k].inner = body->inputs[k];
        status =
            read_port(l, scan, w, 0, &body->slots[body->inputs[k]], 0, "SCAN: a constant", &scan->consts[k], touched);
    }
    for (int k = 0; k < scan->n_carry && status == PG_OK; k++) {
        scan->carry_result[k] = body->outputs[k];
        status = join_carry(l, k, &body->slots[body->inputs[scan->n_consts + k]], &body->slots[body->outputs[k]]);
    }
    pg_port *carries[3] = {scan->init, scan->carry_out, scan->carry_tmp};
    for (int c = 0; c < 3; c++) {
        for (int k = 0; k < scan->n_carry && status == PG_OK; k++, w += 2) {
            const int inner = carries[c][k].inner = body->inputs[scan->n_consts + k];
            status = read_port(l, scan, w, 0, &body->slots[inner], c > 0, "SCAN: a carry", &carries[c][k], touched);
        }
    }
    for (int k = 0; k < scan->n_xs && status == PG_OK; k++, w += 3) {
        const int inner = scan->xs[k].inner = body->inputs[scan->n_consts + scan->n_carry + k];
        status = read_port(l, scan, w, 1, &body->slots[inner], 0, "SCAN: an input", &scan->xs[k], touched);
    }
    for (int k = 0; k < scan->n_ys && status == PG_OK; k++, w += 3) {
        const int inner = scan->ys[k].inner = body->outputs[scan->n_carry + k];
        status = read_port(l, scan, w, 1, &body->slots[inner], 1, "SCAN: an output", &scan->ys[k], touched);
    }
    return status == PG_OK ? check_touched(l, touched) : status;
}

static int read_workspace(pg_loader *l, pg_scan *scan, const pg_body *body, int64_t slot, pg_touched *touched) {
    const int status =
        pg_check_bytes(l, slot, 0, body->arena_bytes, 1, 1, "SCAN: the workspace", &touched->extents[touched->n]);
    if (status != PG_OK) return status;
    const pg_slot *workspace = &l->body->slots[slot];
    if (workspace->kind != PG_SLOT_ARENA || workspace->where % 64 != 0) {
        return pg_refuse(l, "SCAN: the workspace is not in the arena at a multiple of 64");
    }
    scan->workspace = (int)slot;
    touched->written[touched->n++] = 1;
    return PG_OK;
}

int pg_decode_scan(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_SCAN_WORDS) return pg_refuse(l, "SCAN: too short");
    const int64_t number = words[0], length = words[1];
    if (number <= l->number || number >= l->program->n_bodies)
        return pg_refuse(l, "SCAN: body %" PRId64 " can't be run from here", number);
    pg_body *body = &l->program->bodies[number];
    if (body->used) return pg_refuse(l, "SCAN: body %" PRId64 " is run by another SCAN", number);
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
    body->used = 1;
    if (body->height + 1 > l->body->height) l->body->height = body->height + 1;
    if (l->body->height > PG_MAX_DEPTH) return pg_refuse(l, "SCAN: nested deeper than %d", PG_MAX_DEPTH);
    const int64_t n_ports = n_consts + 3 * n_carry + n_xs + n_ys;
    pg_scan *scan = pg_keep(l, 1, sizeof *scan);
    pg_port *ports = pg_keep(l, n_ports, sizeof *ports);
    pg_touched touched = {pg_keep(l, n_ports + 1, sizeof *touched.extents), pg_keep(l, n_ports + 1, 1), 0};
    if (!scan || !ports || !touched.extents || !touched.written) return PG_MEMORY;
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
    scan->xs = scan->carry_tmp + n_carry;
    scan->ys = scan->xs + n_xs;
    int status = read_workspace(l, scan, body, words[3], &touched);
    if (status == PG_OK) status = read_ports(l, scan, body, words + PG_SCAN_WORDS, &touched);
    out->data = scan;
    return status;
}
