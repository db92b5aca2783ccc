/* Kernels for x86 with AVX-512 (F, DQ, VL, BW). */
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && defined(__AVX512BW__)
#define PG_ISA_NAME    "avx512"
#define PG_ISA_KERNELS pg_kernels_avx512
#include "kernels.inc"
#else
#include "kernels.h"
const pg_kernels *pg_kernels_avx512(void) { return 0; }
#endif
