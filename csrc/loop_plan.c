/* Chooses, for a verified LOOP, the kernel of each micro-op and the place of each value.
 *
 * A value lives in a block buffer, in a cell (one element for the whole loop), or in memory itself: loads whose
 * elements are adjacent are read in place, and a micro-op whose result is stored to adjacent elements writes there. */
#include "loader.h"

#include <inttypes.h>

/* Places while buffers are still being counted: kind and number; `settle` makes locations of them. */
enum { PG_AT_BUFFER = 0, PG_AT_CELL = 1 << 24, PG_AT_LOAD = 2 << 24, PG_AT_STORE = 3 << 24, PG_AT_KINDS = 3 << 24 };

typedef struct pg_value {
    int place, dtype, splat; /* dtype -1: not yet written */
} pg_value;

typedef struct pg_planner {
    pg_loader *l;
    pg_loop *loop;
    const pg_raw_loop *raw;
    pg_value *values;   /* by register */
    int *buffers;       /* by register: the buffer it owns, or -1 */
    int *store_of;      /* by micro-op: the store whose memory it writes, or -1 */
    int *last_write;    /* by register: the last micro-op that writes it, or -1 */
    int64_t *load_uses; /* by load: when it is used last */
    int spare, n_buffers, n_cells;
} pg_planner;

static int buffer_of(pg_planner *p, int64_t reg) {
    if (p->buffers[reg] < 0) p->buffers[reg] = p->n_buffers++;
    return p->buffers[reg];
}

/* A splat value as a whole block, written once before the first block. */
static int filled(pg_planner *p, const pg_value *value) {
    if (!value->splat || p->loop->count == 1) return value->place;
    for (int i = 0; i < p->loop->n_fills; i++) {
        if (p->loop->fills[i].source == value->place) return p->loop->fills[i].dst;
    }
    pg_fill *fill = &p->loop->fills[p->loop->n_fills++];
    *fill = (pg_fill){p->l->program->kernels->fill[value->dtype], p->n_buffers++, value->place};
    return fill->dst;
}

/* Times: micro-op m at m, then all reductions, then store s at n_micros + 1 + s. */
static int64_t store_time(const pg_planner *p, int s) {
    const int m = p->last_write[p->raw->store_registers[s * p->raw->step]];
    return m >= 0 && p->store_of[m] == s ? m : p->raw->n_micros + 1 + s;
}

/* Finds the last use of each load and the last write of each register, with a first pass over the micro-ops. */
static int scan_uses(pg_planner *p) {
    const pg_raw_loop *raw = p->raw;
    int *load_in = pg_keep(p->l, raw->n_registers, sizeof *load_in);
    if (!load_in) return PG_MEMORY;
    for (int64_t r = 0; r < raw->n_registers; r++) load_in[r] = p->last_write[r] = -1;
    for (int k = 0; k < p->loop->n_loads; k++) {
        const int64_t reg = raw->load_registers[k * raw->step];
        if (load_in[reg] >= 0) return pg_refuse(p->l, "LOOP: two loads write register %" PRId64, reg);
        load_in[reg] = k;
        p->load_uses[k] = -1;
    }
    for (int64_t m = 0; m < raw->n_micros; m++) {
        const int64_t *w = raw->micros + PG_MICRO_WORDS * m;
        const int status = pg_check_micro(p->l, w[0], w[1], w[2]);
        if (status != PG_OK) return status;
        const int arity = pg_op_infos[w[0]].arity;
        for (int i = 0; i < 4; i++) {
            const int64_t reg = w[3 + i];
            if (i > arity ? reg != -1 : reg < 0 || reg >= raw->n_registers) {
                return pg_refuse(p->l, "LOOP: micro-op %" PRId64 " (%s): no register %" PRId64, m,
                                 pg_op_infos[w[0]].name, reg);
            }
            if (i > 0 && i <= arity && load_in[reg] >= 0) p->load_uses[load_in[reg]] = m;
        }
        load_in[w[3]] = -1;
        p->last_write[w[3]] = (int)m;
    }
    for (int k = 0; k < p->loop->n_reductions; k++) {
        const int load = load_in[raw->reductions[4 * k + 1]];
        if (load >= 0) p->load_uses[load] = raw->n_micros;
    }
    for (int k = 0; k < p->loop->n_stores; k++) {
        const int load = load_in[raw->store_registers[k * raw->step]];
        if (load >= 0) p->load_uses[load] = raw->n_micros + 1 + k;
    }
    return PG_OK;
}

/* Contiguous stores of a micro-op's block result; whether the result is a splat is known only later. */
static void choose_direct_stores(pg_planner *p) {
    for (int64_t m = 0; m < p->raw->n_micros; m++) p->store_of[m] = -1;
    for (int s = 0; s < p->loop->n_stores; s++) {
        const int m = p->last_write[p->raw->store_registers[s * p->raw->step]];
        if (m < 0 || p->store_of[m] >= 0 || p->loop->stores[s].kind != PG_CONTIGUOUS) continue;
        p->store_of[m] = s;
    }
}

/* The values of the loads; a load that is overwritten before its last use must be copied first. */
static void place_loads(pg_planner *p) {
    for (int k = 0; k < p->loop->n_loads; k++) {
        pg_access *load = &p->loop->loads[k];
        const int64_t reg = p->raw->load_registers[k * p->raw->step];
        for (int s = 0; s < p->loop->n_stores; s++) {
            if (!p->raw->aliases[(int64_t)s * p->loop->n_loads + k]) continue;
            if (p->load_uses[k] > store_time(p, s)) load->copied = 1;
        }
        load->location = PG_AT_LOAD | k;
        load->buffer = -1;
        if (load->count != NULL) {
            load->location = buffer_of(p, reg);
        } else if (load->kind == PG_SPLAT) {
            if (load->copied) load->buffer = PG_AT_CELL | p->n_cells++;
        } else if (load->copied || load->kind == PG_STRIDED) {
            load->buffer = buffer_of(p, reg);
        }
        p->values[reg] = (pg_value){load->location, load->dtype, load->kind == PG_SPLAT};
    }
}

static int plan_micro(pg_planner *p, int64_t m) {
    const int64_t *w = p->raw->micros + PG_MICRO_WORDS * m;
    const pg_op_info *info = &pg_op_infos[w[0]];
    const pg_kernels *kernels = p->l->program->kernels;
    const pg_value none = {-1, 0, 1};
    pg_value in[3] = {none, none, none};
    int splat = 1;
    for (int i = 0; i < info->arity; i++) {
        in[i] = p->values[w[4 + i]];
        const int expected = info->conditional && i == 0 ? PG_B : (int)w[1];
        if (in[i].dtype != expected) {
            return pg_refuse(p->l, "LOOP: micro-op %" PRId64 " (%s): register %" PRId64 " holds dtype %d, not %d", m,
                             info->name, w[4 + i], in[i].dtype, expected);
        }
        splat &= in[i].splat;
    }
    const int dtype = (int)w[2];
    pg_step step = {.dtype = dtype};
    int form = PG_VV;
    if (splat) {
        step.dst = PG_AT_CELL | p->n_cells++;
    } else {
        if (info->conditional) {
            in[0].place = filled(p, &in[0]);
            form = in[1].splat ? (in[2].splat ? PG_SS : PG_SV) : in[2].splat ? PG_VS : PG_VV;
        } else if (info->arity == 2) {
            form = in[0].splat ? PG_SV : in[1].splat ? PG_VS : PG_VV;
        } else {
            for (int i = 0; i < info->arity; i++) in[i].place = filled(p, &in[i]);
        }
        if (p->store_of[m] >= 0) {
            step.dst = PG_AT_STORE | p->store_of[m];
        } else {
            step.dst = buffer_of(p, w[3]);
            for (int i = 0; i < info->arity; i++) {
                const int size = info->conditional && i == 0 ? 1 : pg_size_of((int)w[1]);
                const int overlays =
                    in[i].place == step.dst || ((in[i].place & PG_AT_KINDS) == PG_AT_LOAD &&
                                                p->loop->loads[in[i].place & ~PG_AT_KINDS].buffer == step.dst);
                if (!overlays || size == pg_size_of(dtype)) continue;
                /* Elements of two sizes in one buffer: take the spare one instead. */
                if (p->spare < 0) p->spare = p->n_buffers++;
                const int old = p->buffers[w[3]];
                step.dst = p->buffers[w[3]] = p->spare;
                p->spare = old;
                break;
            }
        }
    }
    step.a = in[0].place;
    step.b = in[1].place;
    step.c = in[2].place;
    step.run = info->casts ? kernels->convert[w[1]][dtype] : kernels->map[w[1]][w[0]][form];
    if (step.run == NULL) return pg_refuse(p->l, "LOOP: micro-op %" PRId64 " (%s) has no kernel", m, info->name);
    p->values[w[3]] = (pg_value){step.dst, dtype, splat};
    if (splat)
        p->loop->once[p->loop->n_once++] = step;
    else
        p->loop->steps[p->loop->n_steps++] = step;
    return PG_OK;
}

static int plan_results(pg_planner *p) {
    for (int k = 0; k < p->loop->n_reductions; k++) {
        pg_reduction *reduction = &p->loop->reductions[k];
        const pg_value *value = &p->values[p->raw->reductions[4 * k + 1]];
        if (value->dtype != reduction->dtype) {
            return pg_refuse(p->l, "LOOP: reduction %d of dtype %d reads dtype %d", k, reduction->dtype, value->dtype);
        }
        reduction->location = filled(p, value);
    }
    for (int k = 0; k < p->loop->n_stores; k++) {
        pg_access *store = &p->loop->stores[k];
        const pg_value *value = &p->values[p->raw->store_registers[k * p->raw->step]];
        if (value->dtype != store->dtype) {
            return pg_refuse(p->l, "LOOP: store %d of dtype %d reads dtype %d", k, store->dtype, value->dtype);
        }
        store->direct = value->place == (PG_AT_STORE | k);
        store->location = filled(p, value);
    }
    return PG_OK;
}

static int settled(const pg_planner *p, int place) {
    if (place < 0) return 0; /* an operand the kernel does not read */
    const int number = place & ~PG_AT_KINDS, cells = p->n_buffers, loads = cells + p->n_cells;
    switch (place & PG_AT_KINDS) {
    case PG_AT_CELL: return cells + number;
    case PG_AT_LOAD: return loads + number;
    case PG_AT_STORE: return loads + p->loop->n_loads + number;
    default: return number;
    }
}

static void settle(pg_planner *p) {
    pg_loop *loop = p->loop;
    loop->n_buffers = p->n_buffers;
    loop->n_cells = p->n_cells;
    loop->first_accumulator = p->n_buffers + p->n_cells + loop->n_loads + loop->n_stores;
    loop->n_locations = loop->first_accumulator + loop->n_reductions;
    pg_step *lists[2] = {loop->once, loop->steps};
    const int lengths[2] = {loop->n_once, loop->n_steps};
    for (int i = 0; i < 2; i++) {
        for (pg_step *step = lists[i]; step < lists[i] + lengths[i]; step++) {
            step->dst = settled(p, step->dst);
            step->a = settled(p, step->a);
            step->b = settled(p, step->b);
            step->c = settled(p, step->c);
        }
    }
    for (int i = 0; i < loop->n_fills; i++) {
        loop->fills[i].dst = settled(p, loop->fills[i].dst);
        loop->fills[i].source = settled(p, loop->fills[i].source);
    }
    for (int i = 0; i < loop->n_loads; i++) {
        loop->loads[i].location = settled(p, loop->loads[i].location);
        if (loop->loads[i].buffer >= 0) loop->loads[i].buffer = settled(p, loop->loads[i].buffer);
    }
    for (int i = 0; i < loop->n_stores; i++) loop->stores[i].location = settled(p, loop->stores[i].location);
    for (int i = 0; i < loop->n_reductions; i++)
        loop->reductions[i].location = settled(p, loop->reductions[i].location);
}

/* Whether blocks of a map end at the ends of long rows, so that rows need not be copied. */
static int clips(const pg_loop *loop) {
    if (loop->reduces || loop->ndim < 2 || loop->dims[loop->ndim - 1] < PG_LONG_ROW) return 0;
    for (int i = 0; i < loop->n_loads; i++) {
        const pg_access *load = &loop->loads[i];
        if (load->kind == PG_STRIDED && load->count == NULL && load->strides[loop->ndim - 1] == load->size) return 1;
    }
    return 0;
}

int pg_plan_loop(pg_loader *l, pg_loop *loop, const pg_raw_loop *raw) {
    pg_planner p = {.l = l, .loop = loop, .raw = raw, .spare = -1};
    const int64_t n_fills = raw->n_registers + raw->n_micros;
    p.values = pg_keep(l, raw->n_registers, sizeof *p.values);
    p.buffers = pg_keep(l, raw->n_registers, sizeof *p.buffers);
    p.last_write = pg_keep(l, raw->n_registers, sizeof *p.last_write);
    p.store_of = pg_keep(l, raw->n_micros, sizeof *p.store_of);
    p.load_uses = pg_keep(l, loop->n_loads, sizeof *p.load_uses);
    loop->once = pg_keep(l, raw->n_micros, sizeof *loop->once);
    loop->steps = pg_keep(l, raw->n_micros, sizeof *loop->steps);
    loop->fills = pg_keep(l, n_fills, sizeof *loop->fills);
    if (!p.values || !p.buffers || !p.last_write || !p.store_of || !p.load_uses || !loop->once || !loop->steps ||
        !loop->fills) {
        return PG_MEMORY;
    }
    for (int64_t r = 0; r < raw->n_registers; r++) {
        p.values[r].dtype = -1;
        p.buffers[r] = -1;
    }
    int status = scan_uses(&p);
    if (status != PG_OK) return status;
    choose_direct_stores(&p);
    place_loads(&p);
    for (int64_t m = 0; m < raw->n_micros && status == PG_OK; m++) status = plan_micro(&p, m);
    if (status == PG_OK) status = plan_results(&p);
    if (status != PG_OK) return status;
    settle(&p);
    loop->clip = clips(loop);
    loop->buffer_bytes = loop->block * 8 + 64;
    const int64_t bytes = pg_round_up((int64_t)loop->n_locations * 8) + pg_round_up((int64_t)loop->n_cells * 8) +
                          (int64_t)(loop->n_buffers + loop->n_reductions) * loop->buffer_bytes;
    if (bytes > l->program->scratch_bytes) l->program->scratch_bytes = bytes;
    return PG_OK;
}
