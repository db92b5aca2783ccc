/* Makes contexts: one piece of memory with everything that calls need; binds their inputs and outputs. */
#include "context.h"
#include "checked.h"
#include "platform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int64_t staged_bytes(const pg_slot *slot) {
    const int port = slot->kind == PG_SLOT_INPUT || slot->kind == PG_SLOT_OUTPUT;
    return port && slot->nbytes <= PG_STAGE_BYTES ? pg_round_up(slot->nbytes + 1) : 0;
}

/* Hands out consecutive pieces of `base`, or only counts when that is NULL. */
typedef struct pg_layout {
    char *base;
    int64_t used;
    int overflow;
} pg_layout;

static void *take(pg_layout *layout, int64_t bytes) {
    char *piece = layout->base == NULL ? NULL : layout->base + layout->used;
    layout->overflow |= PG_ADD_OVERFLOW(layout->used, pg_round_up(bytes), &layout->used);
    return piece;
}

/* The same steps count the memory and then divide it. */
static pg_context *lay_out(pg_layout *layout, const pg_program *program, int workers) {
    const pg_body *bodies = program->bodies, *main_body = &bodies[0];
    pg_context *context = take(layout, (int64_t)sizeof(pg_context));
    pg_frame *frames = take(layout, program->n_bodies * (int64_t)sizeof(pg_frame));
    char **staging = take(layout, main_body->n_slots * (int64_t)sizeof(char *));
    pg_tape *tapes = take(layout, program->n_tapes * (int64_t)sizeof(pg_tape));
    if (context != NULL) {
        context->tapes = tapes;
        context->frames = frames;
        context->staging = staging;
    }
    for (int b = 0; b < program->n_bodies; b++) {
        char **slots = take(layout, bodies[b].n_slots * (int64_t)sizeof(char *));
        if (context != NULL) frames[b] = (pg_frame){NULL, slots};
    }
    for (int i = 0; i < main_body->n_slots; i++) {
        const int64_t bytes = staged_bytes(&main_body->slots[i]);
        char *memory = bytes > 0 ? take(layout, bytes) : NULL;
        if (context != NULL) staging[i] = memory;
    }
    const int64_t stride = pg_round_up(program->scratch_bytes) + 64;
    char *scratch = take(layout, workers * stride);
    char *arena = take(layout, main_body->arena_bytes + 64);
    if (context != NULL) {
        context->scratch = scratch;
        context->scratch_stride = stride;
        frames[0].arena = arena;
    }
    return context;
}

static void fill_slots(pg_context *context) {
    const pg_program *program = context->program;
    for (int b = 0; b < program->n_bodies; b++) {
        const pg_body *body = &program->bodies[b];
        for (int i = 0; i < body->n_slots; i++) {
            const pg_slot *slot = &body->slots[i];
            char **place = &context->frames[b].slots[i];
            if (slot->kind == PG_SLOT_CONST)
                *place = (char *)(uintptr_t)(program->constants + slot->where); /* the loader refuses writes to it */
            else if (b > 0)
                *place = NULL; /* the instruction that runs the body sets them */
            else
                *place = slot->kind == PG_SLOT_ARENA ? context->frames[0].arena + slot->where : context->staging[i];
        }
    }
    const pg_body *body = &program->bodies[0];
    for (int i = 0; i < body->n_inits; i++) {
        const pg_init *init = &body->inits[i];
        memcpy(context->frames[0].arena + init->arena, program->constants + init->constant, (size_t)init->nbytes);
    }
}

pg_context *pg_context_new(const pg_program *program, int threads, int check_finite, pg_error *error) {
    pg_report(error, PG_OK, -1, -1, -1, "%s", "");
    if (program == NULL || threads < 1) {
        pg_report(error, PG_ARGUMENT, -1, -1, -1, "a context needs a Program and at least 1 thread, not %d", threads);
        return NULL;
    }
    if (threads > PG_MAX_THREADS) threads = PG_MAX_THREADS;
    if (!program->parallel) threads = 1;
    pg_layout layout = {0};
    lay_out(&layout, program, threads);
    layout.base = layout.overflow || !pg_addressable(layout.used) ? NULL : pg_allocate((size_t)layout.used);
    if (layout.base == NULL) {
        pg_report(error, PG_MEMORY, -1, -1, -1, "no memory for a context of %" PRId64 " bytes", layout.used);
        return NULL;
    }
    layout.used = 0;
    pg_context *context = lay_out(&layout, program, threads);
    context->program = (pg_program *)(uintptr_t)program; /* only the count of references changes */
    atomic_fetch_add(&context->program->references, 1);
    context->threads = threads;
    context->check_finite = check_finite != 0;
    atomic_init(&context->stop, 0);
    pg_report(&context->error, PG_OK, -1, -1, -1, "%s", "");
    context->tape_bytes = 0;
    context->clock = NULL;
    context->gain = atomic_load_explicit(&program->gain, memory_order_relaxed);
    for (int i = 0; i < program->n_tapes; i++) context->tapes[i] = (pg_tape){NULL, 0, 0};
    fill_slots(context);
    return context;
}

void pg_context_free(pg_context *context) {
    if (context == NULL) return;
    pg_program *program = context->program;
    for (int i = 0; i < program->n_tapes; i++) free(context->tapes[i].base);
    if (context->gain > atomic_load_explicit(&program->gain, memory_order_relaxed))
        atomic_store_explicit(&program->gain, context->gain, memory_order_relaxed);
    pg_release(context);
    pg_program_free(program);
}

void *pg_context_slot(pg_context *context, int slot) {
    if (slot < 0 || slot >= context->program->bodies[0].n_slots) return NULL;
    return context->frames[0].slots[slot];
}

int pg_context_bind(pg_context *context, int slot, void *pointer) {
    const pg_body *body = &context->program->bodies[0];
    pg_error *error = &context->error;
    if (slot < 0 || slot >= body->n_slots) return pg_report(error, PG_ARGUMENT, 0, -1, -1, "no slot %d to bind", slot);
    const pg_slot *s = &body->slots[slot];
    if (s->kind != PG_SLOT_INPUT && s->kind != PG_SLOT_OUTPUT) {
        return pg_report(error, PG_ARGUMENT, 0, -1, -1, "slot %d is neither input nor output", slot);
    }
    const unsigned size = (unsigned)pg_size_of(s->dtype);
    if ((uintptr_t)pointer % size != 0) {
        return pg_report(error, PG_ARGUMENT, 0, -1, -1, "the memory for slot %d is not aligned to %u bytes", slot,
                         size);
    }
    context->frames[0].slots[slot] = pointer != NULL ? pointer : context->staging[slot];
    return PG_OK;
}

int pg_context_run(pg_context *context, int segment) {
    const pg_program *program = context->program;
    const pg_body *body = &program->bodies[0];
    if (segment < 0 || segment >= body->n_segments) {
        return pg_report(&context->error, PG_ARGUMENT, 0, -1, -1, "no segment %d, the Program has %d", segment,
                         body->n_segments);
    }
    context->error.status = PG_OK;
    atomic_store_explicit(&context->stop, 0, memory_order_relaxed);
    for (int i = 0; i < body->n_ports[segment]; i++) {
        const int slot = body->ports[segment][i];
        if (context->frames[0].slots[slot] != NULL) continue;
        return pg_report(&context->error, PG_ARGUMENT, 0, -1, -1, "slot %d has no memory: bind it first", slot);
    }
    const pg_native_fn native = atomic_load_explicit(&program->native, memory_order_acquire);
    if (native != NULL && !context->check_finite) return pg_run_native(context, native, segment);
    const int status = pg_run_code(context, 0, body->segments[segment][0], body->segments[segment][1]);
    return status == PG_OK && !context->check_finite ? pg_count_gain(context, segment) : status;
}

void pg_context_stop(pg_context *context) { atomic_store_explicit(&context->stop, 1, memory_order_relaxed); }

const pg_error *pg_context_error(const pg_context *context) { return &context->error; }
