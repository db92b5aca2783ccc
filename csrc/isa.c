/* Which kernels run: the best that this machine has, chosen once. */
#include "kernels.h"
#include "pg_api.h"
#include "platform.h"

#include <stdlib.h>
#include <string.h>

#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && has_avx2();
}
static void detect(void) { __builtin_cpu_init(); }
#else
static int has_avx2(void) { return 0; }
static int has_avx512(void) { return 0; }
static void detect(void) {}
#endif

static const pg_kernels *chosen;
static pg_once once = PG_ONCE_INIT;

/* From worst to best; PYGRAPH_ISA may stop the climb early. */
static void choose(void) {
    const char *wanted = getenv("PYGRAPH_ISA");
    detect();
    const pg_kernels *ladder[] = {
        pg_kernels_baseline(),
        pg_kernels_neon(),
        has_avx2() ? pg_kernels_avx2() : NULL,
        has_avx512() ? pg_kernels_avx512() : NULL,
    };
    for (size_t i = 0; i < sizeof ladder / sizeof ladder[0]; i++) {
        if (ladder[i] == NULL) continue;
        chosen = ladder[i];
        if (wanted != NULL && strcmp(wanted, chosen->isa) == 0) break;
    }
}

const pg_kernels *pg_kernels_best(void) {
    pg_run_once(&once, choose);
    return chosen;
}

const char *pg_isa(void) { return pg_kernels_best()->isa; }
