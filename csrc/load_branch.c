/* Loads BRANCH: checks that each of its bodies fits the same operands and results. */
#include "loader.h"

#include <inttypes.h>
#include <string.h>

static int read_body_ports(pg_loader *l, pg_branch *branch, int number, const pg_body *body, const pg_branch_words *x,
                           pg_touched *touched) {
    const int first = touched->n;
    pg_port *consts = branch->consts + (int64_t)number * branch->n_consts;
    pg_port *results = branch->results + (int64_t)number * branch->n_results;
    int status = PG_OK;
    for (int k = 0; k < branch->n_consts && status == PG_OK; k++) {
        status = pg_read_port(l, x->operands.at + 2 * k, 0, 1, body->inputs[k], body, 0, "BRANCH: an operand",
                              &consts[k], touched);
    }
    for (int k = 0; k < branch->n_results && status == PG_OK; k++) {
        status = pg_read_port(l, x->results.at + 2 * k, 0, 1, body->outputs[k], body, 1, "BRANCH: a result",
                              &results[k], touched);
    }
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
    pg_branch_words x;
    int status = pg_read_branch(l, words, n, &x);
    if (status != PG_OK) return status;
    if (x.bodies.n < 1) return pg_refuse(l, "BRANCH: it has no bodies");
    const int64_t n_bodies = x.bodies.n, n_consts = x.operands.n, n_results = x.results.n;
    pg_branch *branch = pg_keep(l, 1, sizeof *branch);
    if (!branch) return PG_MEMORY;
    branch->n_bodies = (int)n_bodies;
    branch->n_consts = (int)n_consts;
    branch->n_results = (int)n_results;
    branch->chosen = x.chosen;
    int64_t arena = 0;
    for (int b = 0; b < branch->n_bodies; b++) {
        pg_body *body = NULL;
        status = pg_take_body(l, x.bodies.at[b], "BRANCH", &body);
        if (status != PG_OK) return status;
        if (n_consts != body->n_inputs || n_results != body->n_outputs) {
            return pg_refuse(l, "BRANCH: it connects other inputs and outputs than body %" PRId64 " has",
                             x.bodies.at[b]);
        }
        if (body->arena_bytes > arena) arena = body->arena_bytes;
    }
    branch->bodies = pg_keep(l, n_bodies, sizeof *branch->bodies);
    branch->consts = pg_keep(l, n_bodies * n_consts, sizeof *branch->consts);
    branch->seeds = pg_keep(l, n_bodies * n_consts, sizeof *branch->seeds);
    branch->results = pg_keep(l, n_bodies * n_results, sizeof *branch->results);
    if (!branch->bodies || !branch->consts || !branch->seeds || !branch->results) return PG_MEMORY;
    pg_touched touched;
    status = pg_touched_new(l, 2 + n_consts + n_results, &touched);
    if (status == PG_OK) status = pg_read_workspace(l, x.workspace, arena, "BRANCH", &branch->workspace, &touched);
    if (status == PG_OK) touched.extents[touched.n++] = x.chosen.extent;
    for (int b = 0; b < branch->n_bodies && status == PG_OK; b++) {
        branch->bodies[b] = (int)x.bodies.at[b];
        status = read_body_ports(l, branch, b, &l->program->bodies[branch->bodies[b]], &x, &touched);
    }
    out->data = branch;
    return status;
}
