/* Loads a Program: checks the header, reads every body, and gives out predecoded instructions. */
#include "loader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t pg_table_hash(void) { return PG_TABLE_HASH; }

/* FNV-1a over 64-bit words, with a shift because its multiplication never carries high bits down. */
uint64_t pg_checksum(const int64_t *words, size_t n_words, const uint8_t *constants, size_t n_bytes) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = PG_CHECKSUM_WORD + 1; i < n_words; i++) {
        hash = (hash ^ (uint64_t)words[i]) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    for (size_t i = 0; i < n_bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, constants + i, n_bytes - i < 8 ? n_bytes - i : 8);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

static int read_slots(pg_loader *l, const int64_t *words) {
    pg_body *body = l->body;
    const int64_t n_constants = l->program->n_constants;
    for (int i = 0; i < body->n_inputs; i++) body->inputs[i] = -1;
    for (int i = 0; i < body->n_outputs; i++) body->outputs[i] = -1;
    for (int i = 0; i < body->n_slots; i++, words += 4) {
        const int64_t kind = words[0], dtype = words[1], where = words[2], nbytes = words[3];
        if (nbytes < 0 || nbytes > PG_MAX_ARENA) {
            return pg_refuse(l, "slot %d: %" PRId64 " bytes are not a possible size", i, nbytes);
        }
        if (dtype >= PG_N_DTYPES || dtype < PG_RAW || (dtype == PG_RAW && kind != PG_SLOT_ARENA) ||
            (dtype >= 0 && nbytes % pg_size_of((int)dtype) != 0)) {
            return pg_refuse(l, "slot %d: %" PRId64 " bytes can't be elements of dtype %" PRId64, i, nbytes, dtype);
        }
        if (kind == PG_SLOT_ARENA || kind == PG_SLOT_CONST) {
            const int64_t size = kind == PG_SLOT_ARENA ? body->arena_bytes : n_constants;
            if (where < 0 || where % 8 != 0 || where > size || nbytes > size - where) {
                return pg_refuse(
                    l, "slot %d: bytes %" PRId64 "+%" PRId64 " do not lie, aligned to 8, in the %s's %" PRId64, i,
                    where, nbytes, kind == PG_SLOT_ARENA ? "arena" : "constants", size);
            }
        } else if (kind == PG_SLOT_INPUT || kind == PG_SLOT_OUTPUT) {
            const int input = kind == PG_SLOT_INPUT;
            const int64_t count = input ? body->n_inputs : body->n_outputs;
            int *table = input ? body->inputs : body->outputs;
            if (where < 0 || where >= count || table[where] >= 0) {
                return pg_refuse(l, "slot %d: %s %" PRId64 " of %" PRId64 " does not exist or has a slot already", i,
                                 input ? "input" : "output", where, count);
            }
            table[where] = i;
        } else if (kind == PG_SLOT_COUNT) {
            if (where != 0 || nbytes != 0) return pg_refuse(l, "slot %d: counts have no place and no bytes", i);
            if (l->program->kernels->count[dtype] == NULL)
                return pg_refuse(l, "slot %d: no counts have dtype %" PRId64, i, dtype);
        } else {
            return pg_refuse(l, "slot %d: no slot kind has number %" PRId64, i, kind);
        }
        body->slots[i] =
            (pg_slot){.kind = (pg_slot_kind)kind, .dtype = (int)dtype, .memory = i, .where = where, .nbytes = nbytes};
    }
    for (int i = 0; i < body->n_inputs; i++) {
        if (body->inputs[i] < 0) return pg_refuse(l, "input %d has no slot", i);
    }
    for (int i = 0; i < body->n_outputs; i++) {
        if (body->outputs[i] < 0) return pg_refuse(l, "output %d has no slot", i);
    }
    return PG_OK;
}

static int read_inits(pg_loader *l, const int64_t *words) {
    pg_body *body = l->body;
    for (int i = 0; i < body->n_inits; i++, words += 3) {
        const int64_t arena = words[0], constant = words[1], dtype = words[2];
        const int status = pg_check_dtype(l, dtype, "an initial value");
        if (status != PG_OK) return status;
        const int64_t nbytes = pg_size_of((int)dtype);
        if (arena < 0 || constant < 0 || arena > body->arena_bytes || nbytes > body->arena_bytes - arena ||
            constant > l->program->n_constants || nbytes > l->program->n_constants - constant) {
            return pg_refuse(
                l, "initial value %d: %" PRId64 " bytes from constant %" PRId64 " to arena %" PRId64 " lie outside", i,
                nbytes, constant, arena);
        }
        body->inits[i] = (pg_init){arena, constant, nbytes};
    }
    return PG_OK;
}

static int read_shares(pg_loader *l, const int64_t *words) {
    pg_body *body = l->body;
    unsigned char *taken = pg_keep(l, body->n_inputs, 1);
    if (!taken) return PG_MEMORY;
    if (body->n_shares > 0 && l->number == 0) return pg_refuse(l, "the main body's outputs have memory of their own");
    for (int i = 0; i < body->n_shares; i++, words += 2) {
        const int64_t input = words[0], output = words[1];
        if (input < 0 || input >= body->n_inputs || output < 0 || output >= body->n_outputs || taken[input] ||
            body->slots[body->outputs[output]].memory != body->outputs[output]) {
            return pg_refuse(l, "output %" PRId64 " can't take over input %" PRId64, output, input);
        }
        pg_slot *in = &body->slots[body->inputs[input]], *out = &body->slots[body->outputs[output]];
        if (in->nbytes != out->nbytes || in->dtype != out->dtype)
            return pg_refuse(l, "output %" PRId64 " has another size or dtype than input %" PRId64, output, input);
        taken[input] = 1;
        out->memory = body->inputs[input];
        body->shares[i] = (pg_share){(int)input, (int)output};
    }
    return PG_OK;
}

/* Finds the instructions' boundaries, counts them, and turns segments from words into instruction numbers. */
static int read_segments(pg_loader *l, const int64_t *words, const int64_t *code, int64_t n_code) {
    pg_body *body = l->body;
    int found[PG_MAX_SEGMENTS][2] = {{0}};
    int64_t at = 0, count = 0;
    for (;;) {
        for (int s = 0; s < body->n_segments; s++) {
            for (int end = 0; end < 2; end++) {
                if (words[2 * s + end] == at) {
                    body->segments[s][end] = count;
                    found[s][end] = 1;
                }
            }
        }
        if (at == n_code) break;
        if (n_code - at < 3 || code[at + 1] < 3 || code[at + 1] > n_code - at) {
            return pg_refuse(
                l, "instruction %" PRId64 " at word %" PRId64 " does not fit in the %" PRId64 " words of code", count,
                at, n_code);
        }
        at += code[at + 1];
        count++;
    }
    for (int s = 0; s < body->n_segments; s++) {
        if (!found[s][0] || !found[s][1] || words[2 * s] > words[2 * s + 1]) {
            return pg_refuse(l, "segment %d: words %" PRId64 " to %" PRId64 " are not instruction boundaries", s,
                             words[2 * s], words[2 * s + 1]);
        }
    }
    body->n_instructions = count;
    return PG_OK;
}

static int read_code(pg_loader *l, const int64_t *code) {
#define PG_ENTRY(OPCODE, name) [PG_OP_##OPCODE] = pg_decode_##name,
    static const pg_decoder decoders[] = {PG_INSTRUCTIONS(PG_ENTRY)};
#undef PG_ENTRY
    const int64_t n_opcodes = (int64_t)(sizeof decoders / sizeof decoders[0]);
    pg_body *body = l->body;
    for (int64_t i = 0; i < body->n_instructions; i++) {
        const int64_t opcode = code[0];
        l->instruction = i;
        l->node = code[2];
        if (opcode < 0 || opcode >= n_opcodes || decoders[opcode] == NULL) {
            return pg_refuse(l, "no instruction has opcode %" PRId64, opcode);
        }
        if (l->node < -1) return pg_refuse(l, "%" PRId64 " is not a node number", l->node);
        l->segments = 0;
        for (int s = 0; s < body->n_segments; s++) {
            if (i >= body->segments[s][0] && i < body->segments[s][1]) l->segments |= 1U << s;
        }
        pg_instruction *out = &body->instructions[i];
        out->opcode = (int)opcode;
        out->node = l->node;
        const int status = decoders[opcode](l, code + 3, code[1] - 3, out);
        if (status != PG_OK) return status;
        code += code[1];
    }
    l->instruction = l->node = -1;
    return PG_OK;
}

/* The sizes of a body and all but its code. */
static int read_body(pg_loader *l, const int64_t *words, int64_t n_words, const int64_t **code) {
    pg_body *body = l->body;
    int64_t need = PG_BODY_WORDS;
    for (int i = 2; i < PG_BODY_WORDS; i++) {
        if (words[i] < 0 || words[i] > n_words) {
            return pg_refuse(l, "body word %d: %" PRId64 " is not a possible count", i, words[i]);
        }
    }
    /* Counts are at most n_words, which is the size of memory that exists: these sums cannot overflow. */
    need += 4 * words[2] + 3 * words[3] + 2 * words[8] + 2 * words[4] + words[7];
    if (need != n_words || n_words > INT32_MAX) {
        return pg_refuse(l, "the counts ask for %" PRId64 " words, the body has %" PRId64, need, n_words);
    }
    if (words[1] < 0 || words[1] > PG_MAX_ARENA)
        return pg_refuse(l, "an arena of %" PRId64 " bytes is not possible", words[1]);
    if (words[4] < 1 || words[4] > (l->number == 0 ? PG_MAX_SEGMENTS : 1)) {
        return pg_refuse(l, "%" PRId64 " segments are not possible", words[4]);
    }
    body->arena_bytes = words[1];
    body->n_slots = (int)words[2];
    body->n_inits = (int)words[3];
    body->n_segments = (int)words[4];
    body->n_inputs = (int)words[5];
    body->n_outputs = (int)words[6];
    body->n_shares = (int)words[8];
    if ((int64_t)body->n_inputs + body->n_outputs > body->n_slots)
        return pg_refuse(l, "fewer slots than inputs and outputs");
    body->slots = pg_keep(l, body->n_slots, sizeof *body->slots);
    body->inits = pg_keep(l, body->n_inits, sizeof *body->inits);
    body->inputs = pg_keep(l, body->n_inputs, sizeof *body->inputs);
    body->outputs = pg_keep(l, body->n_outputs, sizeof *body->outputs);
    body->shares = pg_keep(l, body->n_shares, sizeof *body->shares);
    if (!body->slots || !body->inits || !body->inputs || !body->outputs || !body->shares) return PG_MEMORY;
    const int64_t *slots = words + PG_BODY_WORDS, *inits = slots + 4 * words[2], *shares = inits + 3 * words[3];
    const int64_t *segments = shares + 2 * words[8];
    *code = segments + 2 * words[4];
    int status = read_slots(l, slots);
    if (status == PG_OK) status = read_inits(l, inits);
    if (status == PG_OK) status = read_shares(l, shares);
    if (status == PG_OK) status = read_segments(l, segments, *code, words[7]);
    if (status != PG_OK) return status;
    body->instructions = pg_keep(l, body->n_instructions, sizeof *body->instructions);
    return body->instructions ? PG_OK : PG_MEMORY;
}

/* The input and output slots that each segment uses, which must have memory before it runs. */
static int list_ports(pg_loader *l, pg_body *body) {
    for (int s = 0; s < body->n_segments; s++) {
        body->ports[s] = pg_keep(l, (int64_t)body->n_inputs + body->n_outputs, sizeof(int));
        if (!body->ports[s]) return PG_MEMORY;
        for (int i = 0; i < body->n_slots; i++) {
            const int port = body->slots[i].kind == PG_SLOT_INPUT || body->slots[i].kind == PG_SLOT_OUTPUT;
            if (port && body->slots[i].uses >> s & 1U) body->ports[s][body->n_ports[s]++] = i;
        }
    }
    return PG_OK;
}

static int read_bodies(pg_loader *l, const int64_t *words, int64_t n_words) {
    pg_program *program = l->program;
    const int64_t **code = pg_keep(l, program->n_bodies, sizeof *code);
    program->bodies = pg_keep(l, program->n_bodies, sizeof *program->bodies);
    program->tapes = pg_keep(l, n_words, sizeof *program->tapes); /* each needs a word to be named */
    if (!code || !program->bodies || !program->tapes) return PG_MEMORY;
    l->max_tapes = n_words;
    for (int b = 0; b < program->n_bodies; b++) {
        l->number = b;
        l->body = &program->bodies[b];
        if (n_words < PG_BODY_WORDS || words[0] < PG_BODY_WORDS || words[0] > n_words) {
            return pg_refuse(l, "the body does not fit in the %" PRId64 " words left", n_words);
        }
        const int status = read_body(l, words, words[0], &code[b]);
        if (status != PG_OK) return status;
        program->bodies[b].n_before = b > 0 ? l->body[-1].n_before + l->body[-1].n_instructions : 0;
        n_words -= words[0];
        words += words[0];
    }
    if (n_words != 0) return pg_refuse(l, "%" PRId64 " words follow the last body", n_words);
    /* What runs a body needs to know how its inputs are read: bodies come after those that run them, so go backwards.
     */
    for (int b = program->n_bodies - 1; b >= 0; b--) {
        l->number = b;
        l->body = &program->bodies[b];
        const int status = read_code(l, code[b]);
        if (status != PG_OK) return status;
    }
    for (int b = 1; b < program->n_bodies; b++) {
        l->number = b;
        if (!program->bodies[b].used) return pg_refuse(l, "no instruction runs this body");
    }
    return list_ports(l, &program->bodies[0]);
}

static int read_program(pg_loader *l, const int64_t *words, size_t n_words, const uint8_t *constants, size_t n_bytes) {
    pg_program *program = l->program;
    if (words == NULL || n_words < PG_HEADER_WORDS || n_words > INT32_MAX)
        return pg_refuse(l, "%" PRIu64 " words are not a Program", (uint64_t)n_words);
    if (words[0] != PG_MAGIC) return pg_refuse(l, "the first word is not a Program's");
    if ((uint64_t)words[1] != PG_TABLE_HASH) {
        return pg_refuse(l, "made with op table %016" PRIx64 ", this library has %016" PRIx64 ": rebuild or recompile",
                         (uint64_t)words[1], PG_TABLE_HASH);
    }
    if (words[4] < 0 || words[4] > PG_MAX_ARENA || (uint64_t)words[4] != n_bytes ||
        (n_bytes > 0 && constants == NULL)) {
        return pg_refuse(l, "the header says %" PRId64 " bytes of constants, %" PRIu64 " were given", words[4],
                         (uint64_t)n_bytes);
    }
    if ((uint64_t)words[PG_CHECKSUM_WORD] != pg_checksum(words, n_words, constants, n_bytes))
        return pg_refuse(l, "the checksum does not match");
    if (words[3] < 1 || words[3] > (int64_t)n_words)
        return pg_refuse(l, "%" PRId64 " bodies are not possible", words[3]);
    program->n_bodies = (int)words[3];
    program->n_constants = (int64_t)n_bytes;
    static const uint64_t none[1];
    program->constants = n_bytes > 0 ? constants : (const uint8_t *)none;
    if ((uintptr_t)program->constants % 8 != 0) return pg_refuse(l, "the constants are not aligned to 8 bytes");
    return read_bodies(l, words + PG_HEADER_WORDS, (int64_t)n_words - PG_HEADER_WORDS);
}

pg_program *pg_program_load(const int64_t *words, size_t n_words, const uint8_t *constants, size_t n_bytes,
                            pg_error *error) {
    pg_report(error, PG_OK, -1, -1, -1, "%s", "");
    pg_program *program = calloc(1, sizeof *program);
    if (program == NULL) {
        pg_report(error, PG_MEMORY, -1, -1, -1, "no memory for a Program");
        return NULL;
    }
    atomic_init(&program->references, 1);
    atomic_init(&program->price, INT64_MAX);
    program->kernels = pg_kernels_best();
    pg_loader loader = {.program = program, .error = error, .number = -1, .instruction = -1, .node = -1};
    if (read_program(&loader, words, n_words, constants, n_bytes) != PG_OK) {
        pg_program_free(program);
        return NULL;
    }
    return program;
}
