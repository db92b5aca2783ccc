/* Loads WHILE and REPLAY: loops whose number of steps is known at run time, and the tapes they write and read. */
#include "loader.h"

#include <inttypes.h>

/* One instruction writes a tape, and none below a reader does: records stay where they are while they are read. */
static int read_stack(pg_loader *l, int64_t tape, int inner, const pg_body *body, int writes, pg_stack *stack) {
    const int64_t nbytes = body->slots[inner].nbytes;
    const int dtype = body->slots[inner].dtype;
    if (tape < 0 || tape >= l->max_tapes) return pg_refuse(l, "no tape can have number %" PRId64, tape);
    pg_tape_info *info = &l->program->tapes[tape];
    if (info->known && (info->nbytes != nbytes || info->dtype != dtype)) {
        return pg_refuse(l, "tape %" PRId64 " has records of %" PRId64 " bytes of dtype %d and of %" PRId64 " of %d",
                         tape, info->nbytes, info->dtype, nbytes, dtype);
    }
    if (writes && info->written) return pg_refuse(l, "tape %" PRId64 " is written by two instructions", tape);
    if (!writes && info->written && info->writer != l->number)
        return pg_refuse(l, "tape %" PRId64 " is read here and written by a later body", tape);
    info->known = 1;
    info->nbytes = nbytes;
    info->dtype = dtype;
    if (writes) {
        info->written = 1;
        info->writer = l->number;
    }
    if (tape >= l->program->n_tapes) l->program->n_tapes = (int)tape + 1;
    *stack = (pg_stack){(int)tape, inner};
    return PG_OK;
}

/* The condition reads what the step reads. */
static int read_condition(pg_loader *l, pg_while *loop, const pg_body *body, const pg_body *condition,
                          const pg_while_words *x, pg_touched *touched) {
    const int first = loop->carried.n_consts, n_carry = loop->carried.n_carry, n = first + n_carry;
    if (condition->n_inputs != n || condition->n_outputs != 1 || condition->n_shares != 0)
        return pg_refuse(l, "WHILE: its condition has other inputs than its step, or more than an output of its own");
    const pg_slot *given = &condition->slots[condition->outputs[0]];
    if (given->nbytes != 1 || given->dtype != PG_B) return pg_refuse(l, "WHILE: its condition does not give one bool");
    loop->condition_consts = pg_keep(l, n, sizeof *loop->condition_consts);
    if (!loop->condition_consts) return PG_MEMORY;
    loop->condition_carry = loop->condition_consts + first;
    int status =
        pg_read_port(l, x->flag.at, 0, 1, condition->outputs[0], condition, 1, "WHILE: the flag", &loop->flag, touched);
    for (int k = 0; k < n && status == PG_OK; k++) { /* the carry starts as init, which follows the constants */
        if (condition->slots[condition->inputs[k]].nbytes != body->slots[body->inputs[k]].nbytes)
            return pg_refuse(l, "WHILE: its condition reads input %d in another size than its step", k);
        const int64_t *place = k < first ? x->carried.consts.at + 2 * k : x->carried.init.at + 2 * (k - first);
        status = pg_read_port(l, place, 0, 1, condition->inputs[k], condition, 0, "WHILE: a condition's input",
                              &loop->condition_consts[k], touched);
        if (k >= first && status == PG_OK) touched->n--; /* the step touches the same places */
    }
    /* later steps read it from the two places it alternates between */
    for (int k = 0; k < 2 * n_carry && status == PG_OK; k++) {
        const pg_slot *slot = &condition->slots[condition->inputs[first + k / 2]];
        const int64_t *place = (k % 2 == 0 ? x->carried.carry.at : x->carried.spare.at) + 2 * (k / 2);
        pg_extent unused;
        status =
            pg_check_bytes(l, place[0], slot->dtype, place[1], slot->nbytes, 0, "WHILE: a condition's carry", &unused);
    }
    return status;
}

/* What is on the tapes that each step reads, `xs`, and writes. */
static int read_stacks(pg_loader *l, pg_while *loop, const pg_body *body, const pg_list *xs, const pg_list *ys) {
    const int first = loop->carried.n_consts + loop->carried.n_carry;
    int status = PG_OK;
    loop->n_xs = (int)xs->n;
    loop->n_ys = (int)ys->n;
    loop->xs = pg_keep(l, xs->n + ys->n, sizeof *loop->xs);
    if (!loop->xs) return PG_MEMORY;
    loop->ys = loop->xs + xs->n;
    for (int k = 0; k < loop->n_xs && status == PG_OK; k++) {
        status = read_stack(l, xs->at[k], body->inputs[first + k], body, 0, &loop->xs[k]);
        if (status == PG_OK) l->program->tapes[xs->at[k]].reader = loop;
    }
    for (int k = 0; k < loop->n_ys && status == PG_OK; k++) {
        const int64_t tape = ys->at[k];
        status = read_stack(l, tape, body->outputs[loop->carried.n_carry + k], body, 1, &loop->ys[k]);
        if (status == PG_OK && l->program->tapes[tape].reader == loop)
            status = pg_refuse(l, "tape %" PRId64 " is read and written at once", tape);
    }
    return status;
}

int pg_decode_while(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_while_words x;
    pg_body *body = NULL, *condition = NULL;
    pg_touched touched;
    int status = pg_read_while(l, words, n, &x);
    if (status != PG_OK) return status;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    status = pg_new_carried(l, &x.carried, "WHILE", 0, x.ys.n, &body, &loop->carried);
    if (status == PG_OK) status = pg_take_body(l, x.condition, "WHILE", &condition);
    if (status != PG_OK) return status;
    loop->condition = (int)x.condition;
    loop->limit = x.limit;
    const int64_t n_places = 2 * (int64_t)loop->carried.n_consts + 4 * (int64_t)loop->carried.n_carry;
    status = pg_touched_new(l, 3 + n_places, &touched);
    if (status == PG_OK) {
        status = pg_read_workspace(l, x.condition_workspace, condition->arena_bytes, "WHILE: the condition",
                                   &loop->condition_workspace, &touched);
    }
    if (status == PG_OK) status = read_condition(l, loop, body, condition, &x, &touched);
    if (status == PG_OK) status = pg_read_carried(l, &x.carried, "WHILE", body, &loop->carried, &touched);
    const pg_list none = {0, NULL};
    if (status == PG_OK) status = read_stacks(l, loop, body, &none, &x.ys);
    if (status == PG_OK) status = pg_check_touched(l, &touched, "WHILE");
    out->data = loop;
    return status;
}

int pg_decode_replay(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_replay_words x;
    pg_body *body = NULL;
    pg_touched touched;
    int status = pg_read_replay(l, words, n, &x);
    if (status != PG_OK) return status;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    status = pg_new_carried(l, &x.carried, "REPLAY", x.xs.n, x.ys.n, &body, &loop->carried);
    if (status != PG_OK) return status;
    loop->condition = -1;
    loop->limit = -1;
    loop->reverse = (int)x.reverse;
    loop->count = x.count;
    status = pg_touched_new(l, 2 + (int64_t)loop->carried.n_consts + 3 * (int64_t)loop->carried.n_carry, &touched);
    if (status == PG_OK) touched.extents[touched.n++] = x.count.extent;
    if (status == PG_OK) status = pg_read_carried(l, &x.carried, "REPLAY", body, &loop->carried, &touched);
    if (status == PG_OK) status = read_stacks(l, loop, body, &x.xs, &x.ys);
    if (status == PG_OK) status = pg_check_touched(l, &touched, "REPLAY");
    out->data = loop;
    return status;
}
