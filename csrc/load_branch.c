/* Loads BRANCH: checks that each of its bodies fits the same operands and results. */
#include "loader.h"

#include <inttypes.h>
#include <string.h>

enum { PG_BRANCH_WORDS = 6 };

static int read_body_ports(pg_loader *l, pg_branch *branch, int number, const pg_body *body, const int64_t *w,
                           pg_touched *touched) {
    const int first = touched->n;
    pg_port *consts = branch->consts + (int64_t)number * branch->n_consts;
    pg_port *results = branch->results + (int64_t)number * branch->n_results;
    int status = PG_OK;
    for (int k = 0; k < branch->n_consts && status == PG_OK; k++, w += 2)
        status = pg_read_port(l, w, 0, 1, body->inputs[k], body, 0, "BRANCH: an operand", &consts[k], touched);
    for (int k = 0; k < branch->n_results && status == PG_OK; k++, w += 2)
        status = pg_read_port(l, w, 0, 1, body->outputs[k], body, 1, "BRANCH: a result", &results[k], touched);
    memcpy(branch->seeds + (int64_t)number * branch->n_consts, consts, (size_t)branch->n_consts * sizeof *consts);
    for (int i = 0; i < body->n_shares && status == PG_OK; i++) {
        const pg_share *share = &body->shares[i];
        const int inner = consts[share->input].inner;
        pg_extent *from = &touched->extents[first + share->input];
        if (pg_same_extent(from, &touched->extents[first + branch->n_consts + share->output])) {
            *from = (pg_extent){.space = PG_SPACE_NONE};
        }
        consts[share->input] = results[share->output];
        consts[share->input].inner = inner;
    }
    if (status == PG_OK) status = pg_check_touched(l, touched, "BRANCH");
    touched->n = first; /* bodies write the same places, one of them at a time */
    return status;
}

int pg_decode_branch(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    if (n < PG_BRANCH_WORDS) return pg_refuse(l, "BRANCH: too short");
    const int64_t n_bodies = words[0], n_consts = words[1], n_results = words[2];
    if (n_bodies < 1 || n_consts < 0 || n_results < 0 || n_bodies > n || n_consts > n || n_results > n ||
        n != PG_BRANCH_WORDS + 2 * n_consts + 2 * n_results + n_bodies) {
        return pg_refuse(l, "BRANCH: its counts do not agree with its length");
    }
    pg_branch *branch = pg_keep(l, 1, sizeof *branch);
    if (!branch) return PG_MEMORY;
    branch->n_bodies = (int)n_bodies;
    branch->n_consts = (int)n_consts;
    branch->n_results = (int)n_results;
    const int64_t *ports = words + PG_BRANCH_WORDS, *bodies = ports + 2 * (n_consts + n_results);
    int64_t arena = 0;
    for (int b = 0; b < branch->n_bodies; b++) {
        pg_body *body = NULL;
        const int status = pg_take_body(l, bodies[b], "BRANCH", &body);
        if (status != PG_OK) return status;
        if (n_consts != body->n_inputs || n_results != body->n_outputs) {
            return pg_refuse(l, "BRANCH: it connects other inputs and outputs than body %" PRId64 " has", bodies[b]);
        }
        if (body->arena_bytes > arena) arena = body->arena_bytes;
    }
    branch->bodies = pg_keep(l, n_bodies, sizeof *branch->bodies);
    branch->consts = pg_keep(l, n_bodies * n_consts, sizeof *branch->consts);
    branch->seeds = pg_keep(l, n_bodies * n_consts, sizeof *branch->seeds);
    branch->results = pg_keep(l, n_bodies * n_results, sizeof *branch->results);
    if (!branch->bodies || !branch->consts || !branch->seeds || !branch->results) return PG_MEMORY;
    pg_touched touched;
    int status = pg_touched_new(l, 2 + n_consts + n_results, &touched);
    if (status == PG_OK) status = pg_read_workspace(l, words[3], arena, "BRANCH", &branch->workspace, &touched);
    if (status == PG_OK) {
        branch->index = (pg_port){.slot = (int)words[4], .inner = -1, .offset = words[5], .nbytes = 8};
        status = pg_check_bytes(l, words[4], PG_I64, words[5], 8, 0, "BRANCH: the index", &touched.extents[touched.n]);
        touched.n++;
    }
    for (int b = 0; b < branch->n_bodies && status == PG_OK; b++) {
        branch->bodies[b] = (int)bodies[b];
        status = read_body_ports(l, branch, b, &l->program->bodies[bodies[b]], ports, &touched);
    }
    out->data = branch;
    return status;
}
