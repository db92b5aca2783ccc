/* Loads SCALAR: micro-ops over 8-byte cells become the scalar loop's code. */
#include "loader.h"

#include <inttypes.h>

enum {
    PG_MICRO_LOAD = -1,
    PG_MICRO_STORE = -2,
    PG_PREDICTED = 1500 /* micro-ops in a row that branch predictors learn by heart */
};

static int check_cell(pg_loader *l, int64_t cell, const char *what) {
    const int64_t cells = l->body->arena_bytes / 8;
    if (cell >= 0 && cell < cells && cell <= INT64_C(0xffffffff)) return PG_OK;
    return pg_refuse(l, "%s: no cell %" PRId64 ", the arena has %" PRId64, what, cell, cells);
}

/* A load from or store to memory: two entries, the second holding the byte offset. */
static int decode_memory(pg_loader *l, const int64_t *w, pg_scalar_op *code) {
    const int load = w[0] == PG_MICRO_LOAD;
    const char *what = load ? "LOAD" : "STORE";
    pg_extent extent;
    int status = pg_check_dtype(l, w[1], what);
    if (status != PG_OK) return status;
    if (w[2] != w[1] || w[6] != -1) return pg_refuse(l, "%s: its dtypes differ or an unused word is not -1", what);
    const int size = pg_size_of((int)w[1]);
    const int64_t cell = load ? w[3] : w[4], slot = load ? w[4] : w[3], offset = w[5];
    status = check_cell(l, cell, what);
    if (status == PG_OK) status = pg_check_bytes(l, slot, (int)w[1], offset, size, !load, what, &extent);
    if (status != PG_OK) return status;
    const uint32_t by_size = size == 8 ? 0 : size == 4 ? 1 : 2;
    code[0].op = (load ? PG_SCALAR_LOAD8 : PG_SCALAR_STORE8) + by_size;
    code[0].dst = (uint32_t)w[3];
    code[0].a = (uint32_t)w[4];
    code[1].a = (uint32_t)((uint64_t)offset & UINT32_MAX);
    code[1].b = (uint32_t)((uint64_t)offset >> 32);
    return PG_OK;
}

/* The f64 operations that have a branch-free body in common, for long code; a square is a product. */
static uint32_t arithmetic(int64_t mop, int64_t n_micros) {
    if (n_micros <= PG_PREDICTED) return 0;
    switch (mop) {
    case PG_MOP_add: return PG_SCALAR_ADD;
    case PG_MOP_subtract: return PG_SCALAR_SUBTRACT;
    case PG_MOP_multiply:
    case PG_MOP_square: return PG_SCALAR_MULTIPLY;
    case PG_MOP_negative: return PG_SCALAR_NEGATIVE;
    default: return 0;
    }
}

static int decode_operation(pg_loader *l, const int64_t *w, int64_t n_micros, pg_scalar_op *code) {
    int status = pg_check_micro(l, w[0], w[1], w[2]);
    if (status != PG_OK) return status;
    const pg_op_info *info = &pg_op_infos[w[0]];
    status = check_cell(l, w[3], info->name);
    for (int i = 0; i < 3 && status == PG_OK; i++) {
        if (i < info->arity) {
            status = check_cell(l, w[4 + i], info->name);
        } else if (w[4 + i] != -1) {
            status = pg_refuse(l, "%s: operand %d should be -1", info->name, i);
        }
    }
    if (status != PG_OK) return status;
    const uint32_t common = w[1] == PG_F64 ? arithmetic(w[0], n_micros) : 0;
    if (info->casts)
        code[0].op = (uint32_t)PG_SCALAR_CONVERT_OP(w[1], w[2]);
    else
        code[0].op = common != 0 ? common : (uint32_t)PG_SCALAR_OP(w[1], w[0]);
    code[0].dst = (uint32_t)w[3];
    code[0].a = (uint32_t)w[4];
    code[0].b = (uint32_t)(info->arity > 1 ? w[5] : w[4]);
    if (info->arity > 2) code[1].a = (uint32_t)w[6];
    return PG_OK;
}

int pg_decode_scalar(pg_loader *l, const int64_t *words, int64_t n, pg_instruction *out) {
    pg_scalar_words x;
    const int read = pg_read_scalar(l, words, n, &x);
    if (read != PG_OK) return read;
    const int64_t n_micros = x.micros.n;
    pg_scalar *scalar = pg_keep(l, 1, sizeof *scalar);
    pg_scalar_op *code = pg_keep(l, 2 * n_micros + 1, sizeof *code);
    uint8_t *lengths = pg_keep(l, 2 * n_micros, 1), *results = pg_keep(l, 2 * n_micros, 1);
    if (!scalar || !code || !lengths || !results) return PG_MEMORY;
    int64_t length = 0;
    for (int64_t i = 0; i < n_micros; i++) {
        const int64_t *w = x.micros.at + i * PG_MICRO_WORDS;
        const int memory = w[0] == PG_MICRO_LOAD || w[0] == PG_MICRO_STORE;
        const int status =
            memory ? decode_memory(l, w, code + length) : decode_operation(l, w, n_micros, code + length);
        if (status != PG_OK) return status;
        lengths[length] = memory || pg_op_infos[w[0]].arity > 2 ? 2 : 1;
        results[length] = (uint8_t)(w[0] == PG_MICRO_STORE ? PG_N_DTYPES : w[2]);
        length += lengths[length];
    }
    code[length].op = PG_SCALAR_END;
    scalar->code = code;
    scalar->n_code = length;
    scalar->lengths = lengths;
    scalar->results = results;
    out->data = scalar;
    return PG_OK;
}
