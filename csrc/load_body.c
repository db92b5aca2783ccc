/* What the instructions that run bodies share while they are loaded: the bodies, and the ports that connect them. */
#include "loader.h"

#include <inttypes.h>
#include <stdlib.h>

int pg_touched_new(pg_loader *l, int64_t n, pg_touched *touched) {
    touched->n = 0;
    touched->extents = pg_keep(l, n, sizeof *touched->extents);
    touched->written = pg_keep(l, n, 1);
    return touched->extents != NULL && touched->written != NULL ? PG_OK : PG_MEMORY;
}

typedef struct pg_touch {
    pg_extent extent;
    int port, written;
} pg_touch;

static int by_place(const void *a, const void *b) {
    const pg_touch *x = a, *y = b;
    if (x->extent.space != y->extent.space) return x->extent.space < y->extent.space ? -1 : 1;
    return (x->extent.lo > y->extent.lo) - (x->extent.lo < y->extent.lo);
}

/* In the order of their places each port is compared with what reaches furthest before it, of all and of those that
 * are written: so many ports take no longer than sorting them. */
int pg_check_touched(pg_loader *l, const pg_touched *touched, const char *what) {
    pg_touch *touches = malloc(((size_t)touched->n + 1) * sizeof *touches);
    if (touches == NULL)
        return pg_report(l->error, PG_MEMORY, l->number, l->instruction, l->node, "no memory for %d ports", touched->n);
    int n = 0, status = PG_OK;
    for (int i = 0; i < touched->n; i++) {
        const pg_extent *extent = &touched->extents[i];
        if (extent->lo < extent->hi) touches[n++] = (pg_touch){*extent, i, touched->written[i]};
    }
    qsort(touches, (size_t)n, sizeof *touches, by_place);
    const pg_touch *furthest = NULL, *written = NULL;
    for (int k = 0; k < n && status == PG_OK; k++) {
        const pg_touch *one = &touches[k];
        if (furthest != NULL && furthest->extent.space != one->extent.space) furthest = written = NULL;
        const pg_touch *other = one->written ? furthest : written;
        if (other != NULL && one->extent.lo < other->extent.hi) {
            status = pg_refuse(l, "%s: port %d writes what port %d uses", what, one->written ? one->port : other->port,
                               one->written ? other->port : one->port);
        }
        if (furthest == NULL || one->extent.hi > furthest->extent.hi) furthest = one;
        if (one->written && (written == NULL || one->extent.hi > written->extent.hi)) written = one;
    }
    free(touches);
    return status;
}

int pg_take_body(pg_loader *l, int64_t number, const char *what, pg_body **body) {
    if (number <= l->number || number >= l->program->n_bodies)
        return pg_refuse(l, "%s: body %" PRId64 " can't be run from here", what, number);
    *body = &l->program->bodies[number];
    if ((*body)->used) return pg_refuse(l, "%s: body %" PRId64 " is run by another instruction", what, number);
    (*body)->used = 1;
    if ((*body)->height + 1 > l->body->height) l->body->height = (*body)->height + 1;
    if (l->body->height > PG_MAX_DEPTH) return pg_refuse(l, "%s: nested deeper than %d", what, PG_MAX_DEPTH);
    return PG_OK;
}

int pg_read_workspace(pg_loader *l, int64_t slot, int64_t arena_bytes, const char *what, int *workspace,
                      pg_touched *touched) {
    const int status = pg_check_bytes(l, slot, PG_RAW, 0, arena_bytes, 1, what, &touched->extents[touched->n]);
    if (status != PG_OK) return status;
    const pg_slot *found = &l->body->slots[slot];
    if (found->where % 64 != 0) {
        return pg_refuse(l, "%s: the workspace is not at a multiple of 64", what);
    }
    *workspace = (int)slot;
    touched->written[touched->n++] = 1;
    return PG_OK;
}

int pg_read_port(pg_loader *l, const int64_t *words, int64_t stride, int64_t steps, int inner, const pg_body *body,
                 int writes, const char *what, pg_port *port, pg_touched *touched) {
    const pg_slot *slot = &body->slots[inner];
    pg_extent *extent = &touched->extents[touched->n];
    int64_t reach = 0, low, nbytes;
    port->slot = (int)words[0];
    port->inner = inner;
    port->nbytes = slot->nbytes;
    if (steps == 0) return pg_check_bytes(l, words[0], slot->dtype, 0, 0, writes, what, extent);
    if (steps > 1 && PG_MUL_OVERFLOW(steps - 1, stride, &reach))
        return pg_refuse(l, "%s: its stride is too large", what);
    if (reach < -PG_MAX_ARENA || reach > PG_MAX_ARENA || words[1] < 0 || words[1] > PG_MAX_ARENA) {
        return pg_refuse(l, "%s: offset %" PRId64 " or stride %" PRId64 " leaves its slot", what, words[1], stride);
    }
    low = reach < 0 ? words[1] + reach : words[1];
    nbytes = slot->nbytes + (reach < 0 ? -reach : reach);
    if (stride % pg_size_of(slot->dtype) != 0)
        return pg_refuse(l, "%s: stride %" PRId64 " is not a multiple of %d", what, stride, pg_size_of(slot->dtype));
    if (writes && steps > 1 && stride < slot->nbytes && stride > -slot->nbytes) {
        return pg_refuse(l, "%s: steps overwrite each other", what);
    }
    port->offset = words[1];
    port->stride = stride;
    touched->written[touched->n++] = (unsigned char)writes;
    return pg_check_bytes(l, words[0], slot->dtype, low, nbytes, writes, what, extent);
}

int pg_same_extent(const pg_extent *x, const pg_extent *y) {
    return x->space == y->space && x->lo == y->lo && x->hi == y->hi;
}

int pg_new_carried(pg_loader *l, const pg_carried_words *x, const char *what, int64_t n_xs, int64_t n_ys,
                   pg_body **body, pg_carried *loop) {
    const int64_t n = x->init.n;
    const int status = pg_take_body(l, x->body, what, body);
    if (status != PG_OK) return status;
    if (x->consts.n + n + n_xs != (*body)->n_inputs || n + n_ys != (*body)->n_outputs)
        return pg_refuse(l, "%s: it connects other inputs and outputs than body %" PRId64 " has", what, x->body);
    loop->body = (int)x->body;
    loop->n_consts = (int)x->consts.n;
    loop->n_carry = (int)n;
    loop->consts = pg_keep(l, x->consts.n + 4 * n, sizeof *loop->consts);
    loop->result = pg_keep(l, n, sizeof *loop->result);
    if (!loop->consts || !loop->result) return PG_MEMORY;
    loop->init = loop->consts + loop->n_consts;
    loop->carry = loop->init + n;
    loop->spare = loop->carry + n;
    loop->seed = loop->spare + n;
    return PG_OK;
}

/* A carry is both read and written by the body: its slots are of one size and dtype. Those that the body updates in
 * place have a `seed`, marked here by its `nbytes`. */
static int join_carries(pg_loader *l, const pg_body *body, pg_carried *loop) {
    for (int k = 0; k < loop->n_carry; k++) {
        const pg_slot *in = &body->slots[body->inputs[loop->n_consts + k]], *out = &body->slots[body->outputs[k]];
        if (in->nbytes != out->nbytes || in->dtype != out->dtype) {
            return pg_refuse(l, "carry %d goes in as %" PRId64 " bytes of dtype %d and comes out as %" PRId64 " of %d",
                             k, in->nbytes, in->dtype, out->nbytes, out->dtype);
        }
        loop->result[k] = body->outputs[k];
        loop->seed[k] = (pg_port){.slot = -1};
    }
    for (int i = 0; i < body->n_shares; i++) {
        const pg_share *share = &body->shares[i];
        if (share->output >= loop->n_carry || share->input != loop->n_consts + share->output)
            return pg_refuse(l, "a body that takes over input %d, which is not its carry %d", share->input,
                             share->output);
        loop->seed[share->output].slot = 0;
    }
    return PG_OK;
}

static int read_carry(pg_loader *l, const pg_carried_words *x, int k, const pg_body *body, pg_carried *loop,
                      pg_touched *touched) {
    const int inner = body->inputs[loop->n_consts + k];
    const int64_t *init = x->init.at + 2 * k, *first = x->carry.at + 2 * k, *second = x->spare.at + 2 * k;
    int status = pg_read_port(l, init, 0, 1, inner, body, 0, "a loop's carry", &loop->init[k], touched);
    if (status == PG_OK)
        status = pg_read_port(l, first, 0, 1, inner, body, 1, "a loop's carry", &loop->carry[k], touched);
    if (status != PG_OK) return status;
    if (loop->seed[k].slot < 0)
        return pg_read_port(l, second, 0, 1, inner, body, 1, "a loop's carry", &loop->spare[k], touched);
    if (second[0] != first[0] || second[1] != first[1])
        return pg_refuse(l, "a loop's carry %d is updated in place and has two places", k);
    pg_extent *from = &touched->extents[touched->n - 2], *to = &touched->extents[touched->n - 1];
    if (pg_same_extent(from, to)) { /* it begins where it stays */
        touched->written[touched->n - 2] = 1;
        touched->n--;
    }
    loop->seed[k] = loop->init[k];
    loop->init[k] = loop->spare[k] = loop->carry[k];
    return PG_OK;
}

int pg_read_carried(pg_loader *l, const pg_carried_words *x, const char *what, const pg_body *body, pg_carried *loop,
                    pg_touched *touched) {
    int status = pg_read_workspace(l, x->workspace, body->arena_bytes, what, &loop->workspace, touched);
    for (int k = 0; k < loop->n_consts && status == PG_OK; k++) {
        status = pg_read_port(l, x->consts.at + 2 * k, 0, 1, body->inputs[k], body, 0, "a loop's constant",
                              &loop->consts[k], touched);
    }
    if (status == PG_OK) status = join_carries(l, body, loop);
    for (int k = 0; k < loop->n_carry && status == PG_OK; k++) status = read_carry(l, x, k, body, loop, touched);
    return status;
}
