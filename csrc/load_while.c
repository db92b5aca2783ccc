/* Loads WHILE and REPLAY: loops whose number of steps is known at run time, and the tapes they write and read. */
#include "loader.h"

#include <inttypes.h>

/* The words that WHILE and REPLAY have in common. */
typedef struct pg_carried_words {
    pg_list consts, carries[3], xs, ys; /* carries: where they start, and the two places they alternate between */
} pg_carried_words;

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

static int new_loop(pg_loader *l, const pg_carried_words *x, const pg_body *body, pg_while *loop) {
    const int64_t carry = x->carries[0].n;
    if (x->consts.n + carry + x->xs.n != body->n_inputs || carry + x->ys.n != body->n_outputs)
        return pg_refuse(l, "the loop connects other inputs and outputs than its body has");
    loop->n_consts = (int)x->consts.n;
    loop->n_carry = (int)carry;
    loop->n_xs = (int)x->xs.n;
    loop->n_ys = (int)x->ys.n;
    loop->consts = pg_keep(l, x->consts.n + 4 * carry, sizeof *loop->consts);
    loop->xs = pg_keep(l, x->xs.n + x->ys.n, sizeof *loop->xs);
    loop->carry_result = pg_keep(l, carry, sizeof *loop->carry_result);
    if (!loop->consts || !loop->xs || !loop->carry_result) return PG_MEMORY;
    loop->init = loop->consts + loop->n_consts;
    loop->carry_out = loop->init + carry;
    loop->carry_tmp = loop->carry_out + carry;
    loop->seed = loop->carry_tmp + carry;
    loop->ys = loop->xs + loop->n_xs;
    return PG_OK;
}

/* The condition reads what the step reads. */
static int read_condition(pg_loader *l, pg_while *loop, const pg_body *body, const pg_body *condition,
                          const int64_t *flag, const pg_carried_words *x, pg_touched *touched) {
    const int first = loop->n_consts, n = first + loop->n_carry;
    if (condition->n_inputs != n || condition->n_outputs != 1 || condition->n_shares != 0)
        return pg_refuse(l, "WHILE: its condition has other inputs than its step, or more than an output of its own");
    const pg_slot *given = &condition->slots[condition->outputs[0]];
    if (given->nbytes != 1 || given->dtype != PG_B) return pg_refuse(l, "WHILE: its condition does not give one bool");
    loop->condition_consts = pg_keep(l, n, sizeof *loop->condition_consts);
    if (!loop->condition_consts) return PG_MEMORY;
    loop->condition_carry = loop->condition_consts + loop->n_consts;
    int status =
        pg_read_port(l, flag, 0, 1, condition->outputs[0], condition, 1, "WHILE: the flag", &loop->flag, touched);
    for (int k = 0; k < n && status == PG_OK; k++) { /* the carry starts as init, which follows the constants */
        if (condition->slots[condition->inputs[k]].nbytes != body->slots[body->inputs[k]].nbytes)
            return pg_refuse(l, "WHILE: its condition reads input %d in another size than its step", k);
        const int64_t *place = k < first ? x->consts.at + 2 * k : x->carries[0].at + 2 * (k - first);
        status = pg_read_port(l, place, 0, 1, condition->inputs[k], condition, 0, "WHILE: a condition's input",
                              &loop->condition_consts[k], touched);
        if (k >= first && status == PG_OK) touched->n--; /* the step touches the same places */
    }
    /* later steps read it from the two places it alternates between */
    for (int k = 0; k < 2 * loop->n_carry && status == PG_OK; k++) {
        const pg_slot *slot = &condition->slots[condition->inputs[first + k / 2]];
        const int64_t *place = x->carries[1 + k % 2].at + 2 * (k / 2);
        pg_extent unused;
        status =
            pg_check_bytes(l, place[0], slot->dtype, place[1], slot->nbytes, 0, "WHILE: a condition's carry", &unused);
    }
    return status;
}

static int read_ports(pg_loader *l, pg_while *loop, const pg_body *body, const pg_carried_words *x,
                      pg_touched *touched) {
    int status = PG_OK;
    for (int k = 0; k < loop->n_consts && status == PG_OK; k++) {
        status = pg_read_port(l, x->consts.at + 2 * k, 0, 1, body->inputs[k], body, 0, "a loop's constant",
                              &loop->consts[k], touched);
    }
    const pg_carries carries = {loop->n_consts,  loop->n_carry, loop->init,        loop->carry_out,
                                loop->carry_tmp, loop->seed,    loop->carry_result};
    if (status == PG_OK) status = pg_read_carries(l, x->carries, body, &carries, "a loop's carry", touched);
    for (int k = 0; k < loop->n_xs && status == PG_OK; k++) {
        const int64_t tape = x->xs.at[k];
        status = read_stack(l, tape, body->inputs[loop->n_consts + loop->n_carry + k], body, 0, &loop->xs[k]);
        if (status == PG_OK) l->program->tapes[tape].reader = loop;
    }
    for (int k = 0; k < loop->n_ys && status == PG_OK; k++) {
        const int64_t tape = x->ys.at[k];
        status = read_stack(l, tape, body->outputs[loop->n_carry + k], body, 1, &loop->ys[k]);
        if (status == PG_OK && l->program->tapes[tape].reader == loop)
            status = pg_refuse(l, "tape %" PRId64 " is read and written at once", tape);
    }
    return status == PG_OK ? pg_check_touched(l, touched, "a loop") : status;
}

int pg_decode_while(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_while_words x;
    pg_body *body = NULL, *condition = NULL;
    int status = pg_read_while(l, words, n, &x);
    if (status == PG_OK) status = pg_take_body(l, x.body, "WHILE", &body);
    if (status == PG_OK) status = pg_take_body(l, x.condition, "WHILE", &condition);
    if (status != PG_OK) return status;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    const pg_carried_words carried = {x.consts, {x.init, x.carry, x.spare}, {0, NULL}, x.ys};
    status = new_loop(l, &carried, body, loop);
    if (status != PG_OK) return status;
    loop->body = (int)x.body;
    loop->condition = (int)x.condition;
    loop->limit = x.limit;
    pg_touched touched;
    status = pg_touched_new(l, 3 + 2 * ((int64_t)loop->n_consts + loop->n_carry) + 2 * loop->n_carry, &touched);
    if (status == PG_OK)
        status = pg_read_workspace(l, x.workspace, body->arena_bytes, "WHILE", &loop->workspace, &touched);
    if (status == PG_OK) {
        status = pg_read_workspace(l, x.condition_workspace, condition->arena_bytes, "WHILE: the condition",
                                   &loop->condition_workspace, &touched);
    }
    if (status == PG_OK) status = read_condition(l, loop, body, condition, x.flag.at, &carried, &touched);
    if (status == PG_OK) status = read_ports(l, loop, body, &carried, &touched);
    out->data = loop;
    return status;
}

int pg_decode_replay(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_replay_words x;
    pg_body *body = NULL;
    int status = pg_read_replay(l, words, n, &x);
    if (status == PG_OK) status = pg_take_body(l, x.body, "REPLAY", &body);
    if (status != PG_OK) return status;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    const pg_carried_words carried = {x.consts, {x.init, x.carry, x.spare}, x.xs, x.ys};
    status = new_loop(l, &carried, body, loop);
    if (status != PG_OK) return status;
    loop->body = (int)x.body;
    loop->condition = -1;
    loop->limit = -1;
    loop->reverse = (int)x.reverse;
    loop->count = x.count;
    pg_touched touched;
    status = pg_touched_new(l, 2 + (int64_t)loop->n_consts + 3 * loop->n_carry, &touched);
    if (status == PG_OK)
        status = pg_read_workspace(l, x.workspace, body->arena_bytes, "REPLAY", &loop->workspace, &touched);
    if (status == PG_OK) touched.extents[touched.n++] = x.count.extent;
    if (status == PG_OK) status = read_ports(l, loop, body, &carried, &touched);
    out->data = loop;
    return status;
}
