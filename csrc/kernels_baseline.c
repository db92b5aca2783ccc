/* Kernels for whatever the compiler targets by default. */
#define PG_ISA_NAME    "baseline"
#define PG_ISA_KERNELS pg_kernels_baseline
#include "kernels.inc"
