/* The clock of a profiled run: how long each instruction takes, in a loop of its own that other runs do not pay for. */
#include "context.h"
#include "platform.h"

int64_t pg_now(void) { return pg_clock(); }

int64_t pg_clock_cost(void) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < 1000; i++) {
        const int64_t before = pg_now(), cost = pg_now() - before;
        if (cost < least) least = cost;
    }
    return least;
}

void pg_context_time(pg_context *context, int64_t *clock) { context->clock = clock; }
