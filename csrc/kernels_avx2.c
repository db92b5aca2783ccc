/* Kernels for x86 with AVX2 and FMA. */
#if defined(__AVX2__) && defined(__FMA__)
#define PG_ISA_NAME    "avx2"
#define PG_ISA_KERNELS pg_kernels_avx2
#include "kernels.inc"
#else
#include "kernels.h"
const pg_kernels *pg_kernels_avx2(void) { return 0; }
#endif
