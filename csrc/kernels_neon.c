/* Kernels for 64-bit ARM, where NEON is always there. */
#if defined(__aarch64__) && defined(__ARM_NEON)
#define PG_ISA_NAME    "neon"
#define PG_ISA_KERNELS pg_kernels_neon
#include "kernels.inc"
#else
#include "kernels.h"
const pg_kernels *pg_kernels_neon(void) { return 0; }
#endif
