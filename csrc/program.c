/* The memory of a Program: given out while it is loaded, and freed with its last reference. */
#include "loader.h"

#include <inttypes.h>
#include <stdlib.h>

void *pg_keep(pg_loader *l, int64_t count, size_t size) {
    int64_t bytes;
    if (count < 0 || PG_MUL_OVERFLOW(count, (int64_t)size, &bytes) || bytes > PG_MAX_ARENA || !pg_addressable(bytes)) {
        pg_refuse(l, "a table of %" PRId64 " entries is too large", count);
        return NULL;
    }
    pg_block *block = calloc(1, (size_t)bytes + 16);
    if (block == NULL) {
        pg_report(l->error, PG_MEMORY, l->number, l->instruction, l->node,
                  "no memory for %" PRId64 " bytes of the Program", bytes);
        return NULL;
    }
    block->next = l->program->memory;
    l->program->memory = block;
    return (char *)block + 16;
}

void pg_program_free(pg_program *program) {
    if (program == NULL || atomic_fetch_sub(&program->references, 1) != 1) return;
    for (pg_block *block = program->memory, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    pg_unload_native(program);
    free(program);
}
