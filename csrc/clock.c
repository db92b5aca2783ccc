/* The clock of a profiled run: how long each instruction takes, in a loop of its own that other runs do not pay for. */
#if !defined(_POSIX_C_SOURCE) && !defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#endif
#include "context.h"

#include <time.h>

int64_t pg_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t pg_clock_cost(void) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < 1000; i++) {
        const int64_t before = pg_now(), cost = pg_now() - before;
        if (cost < least) least = cost;
    }
    return least;
}

void pg_context_time(pg_context *context, int64_t *clock) { context->clock = clock; }
