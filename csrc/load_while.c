/* Loads WHILE and REPLAY: loops whose number of steps is known at run time, and the tapes they write and read. */
#include "loader.h"

#include <inttypes.h>

enum { PG_WHILE_WORDS = 10, PG_REPLAY_WORDS = 9 };

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

/* The counts at `words`: constants, carries, stacks in, stacks out. */
static int read_counts(pg_loader *l, const int64_t *words, int64_t n, int64_t head, const pg_body *body,
                       pg_while *loop) {
    for (int i = 0; i < 4; i++) {
        if (words[i] < 0 || words[i] > n) return pg_refuse(l, "%" PRId64 " is not a possible count", words[i]);
    }
    if (n != head + 2 * words[0] + 6 * words[1] + words[2] + words[3])
        return pg_refuse(l, "the counts do not agree with the instruction's length");
    if (words[0] + words[1] + words[2] != body->n_inputs || words[1] + words[3] != body->n_outputs)
        return pg_refuse(l, "the loop connects other inputs and outputs than its body has");
    loop->n_consts = (int)words[0];
    loop->n_carry = (int)words[1];
    loop->n_xs = (int)words[2];
    loop->n_ys = (int)words[3];
    const int64_t carry = words[1], ports = words[0] + 4 * carry;
    loop->consts = pg_keep(l, ports, sizeof *loop->consts);
    loop->xs = pg_keep(l, words[2] + words[3], sizeof *loop->xs);
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
                          const int64_t *flag, const int64_t *w, pg_touched *touched) {
    const int n = loop->n_consts + loop->n_carry;
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
        status = pg_read_port(l, w + 2 * k, 0, 1, condition->inputs[k], condition, 0, "WHILE: a condition's input",
                              &loop->condition_consts[k], touched);
        if (k >= loop->n_consts && status == PG_OK) touched->n--; /* the step touches the same places */
    }
    /* later steps read it from the two places it alternates between */
    const int64_t *places = w + 2 * n;
    for (int k = 0; k < 2 * loop->n_carry && status == PG_OK; k++) {
        const pg_slot *slot = &condition->slots[condition->inputs[loop->n_consts + k % loop->n_carry]];
        pg_extent unused;
        status = pg_check_bytes(l, places[2 * k], slot->dtype, places[2 * k + 1], slot->nbytes, 0,
                                "WHILE: a condition's carry", &unused);
    }
    return status;
}

static int read_ports(pg_loader *l, pg_while *loop, const pg_body *body, const int64_t *w, pg_touched *touched) {
    int status = PG_OK;
    for (int k = 0; k < loop->n_consts && status == PG_OK; k++, w += 2)
        status = pg_read_port(l, w, 0, 1, body->inputs[k], body, 0, "a loop's constant", &loop->consts[k], touched);
    const pg_carries carries = {loop->n_consts,  loop->n_carry, loop->init,        loop->carry_out,
                                loop->carry_tmp, loop->seed,    loop->carry_result};
    if (status == PG_OK) status = pg_read_carries(l, w, body, &carries, "a loop's carry", touched);
    w += (int64_t)6 * loop->n_carry;
    for (int k = 0; k < loop->n_xs && status == PG_OK; k++, w++) {
        status = read_stack(l, *w, body->inputs[loop->n_consts + loop->n_carry + k], body, 0, &loop->xs[k]);
        if (status == PG_OK) l->program->tapes[*w].reader = loop;
    }
    for (int k = 0; k < loop->n_ys && status == PG_OK; k++, w++) {
        status = read_stack(l, *w, body->outputs[loop->n_carry + k], body, 1, &loop->ys[k]);
        if (status == PG_OK && l->program->tapes[*w].reader == loop)
            status = pg_refuse(l, "tape %" PRId64 " is read and written at once", *w);
    }
    return status == PG_OK ? pg_check_touched(l, touched, "a loop") : status;
}

int pg_decode_while(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_WHILE_WORDS) return pg_refuse(l, "WHILE: too short");
    pg_body *body = NULL, *condition = NULL;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    int status = pg_take_body(l, words[0], "WHILE", &body);
    if (status == PG_OK) status = pg_take_body(l, words[1], "WHILE", &condition);
    if (status != PG_OK) return status;
    if (words[4] < -1) return pg_refuse(l, "WHILE: %" PRId64 " is not a possible limit", words[4]);
    const int64_t counts[4] = {words[5], words[6], 0, words[7]};
    status = read_counts(l, counts, n, PG_WHILE_WORDS, body, loop);
    if (status != PG_OK) return status;
    loop->body = (int)words[0];
    loop->condition = (int)words[1];
    loop->limit = words[4];
    pg_touched touched;
    status = pg_touched_new(l, 3 + 2 * ((int64_t)loop->n_consts + loop->n_carry) + 2 * loop->n_carry, &touched);
    if (status == PG_OK)
        status = pg_read_workspace(l, words[2], body->arena_bytes, "WHILE", &loop->workspace, &touched);
    if (status == PG_OK) {
        status = pg_read_workspace(l, words[3], condition->arena_bytes, "WHILE: the condition",
                                   &loop->condition_workspace, &touched);
    }
    if (status == PG_OK) status = read_condition(l, loop, body, condition, words + 8, words + PG_WHILE_WORDS, &touched);
    if (status == PG_OK) status = read_ports(l, loop, body, words + PG_WHILE_WORDS, &touched);
    out->data = loop;
    return status;
}

int pg_decode_replay(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_REPLAY_WORDS) return pg_refuse(l, "REPLAY: too short");
    pg_body *body = NULL;
    pg_while *loop = pg_keep(l, 1, sizeof *loop);
    if (!loop) return PG_MEMORY;
    int status = pg_take_body(l, words[0], "REPLAY", &body);
    if (status != PG_OK) return status;
    if ((words[2] & ~INT64_C(1)) != 0) return pg_refuse(l, "REPLAY: impossible direction");
    status = read_counts(l, words + 3, n, PG_REPLAY_WORDS, body, loop);
    if (status != PG_OK) return status;
    loop->body = (int)words[0];
    loop->condition = -1;
    loop->limit = -1;
    loop->reverse = (int)words[2];
    loop->count = (pg_port){.slot = (int)words[7], .inner = -1, .offset = words[8], .nbytes = 8};
    pg_touched touched;
    status = pg_touched_new(l, 2 + (int64_t)loop->n_consts + 3 * loop->n_carry, &touched);
    if (status == PG_OK)
        status = pg_read_workspace(l, words[1], body->arena_bytes, "REPLAY", &loop->workspace, &touched);
    if (status == PG_OK) {
        status = pg_check_bytes(l, words[7], PG_I64, words[8], 8, 0, "REPLAY: the number of steps",
                                &touched.extents[touched.n]);
        touched.n++;
    }
    if (status == PG_OK) status = read_ports(l, loop, body, words + PG_REPLAY_WORDS, &touched);
    out->data = loop;
    return status;
}
