/* Runs segment 0 of a Program that was written to a file, for tests/csrc/test_other_machines.py: run_program FILE
 * [LIBRARY], where the library is the native code of the Program.
 *
 * The file has int64 words (of the Program, bytes of its constants, inputs, outputs), the words, the constants, and for
 * each input its slot, its bytes and the data, for each output its slot and its bytes. Outputs go to standard output.
 */
#include "blas.h"
#include "pg_api.h"

#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#define PLAIN_GEMM(name, T)                                                                                      \
    void name(int order, int ta, int tb, int m, int n, int k, T alpha, const T *a, int lda, const T *b, int ldb, \
              T beta, T *c, int ldc) {                                                                           \
        (void)order, (void)alpha, (void)beta;                                                                    \
        for (int i = 0; i < m; i++) {                                                                            \
            for (int j = 0; j < n; j++) {                                                                        \
                T sum = 0;                                                                                       \
                for (int s = 0; s < k; s++) {                                                                    \
                    sum += (ta == PG_BLAS_PLAIN ? a[i * lda + s] : a[s * lda + i]) *                             \
                           (tb == PG_BLAS_PLAIN ? b[s * ldb + j] : b[j * ldb + s]);                              \
                }                                                                                                \
                c[i * ldc + j] = sum;                                                                            \
            }                                                                                                    \
        }                                                                                                        \
    }
#define PLAIN_GEMV(name, T)                                                                                           \
    void name(int order, int ta, int m, int n, T alpha, const T *a, int lda, const T *x, int incx, T beta, T *y,      \
              int incy) {                                                                                             \
        (void)order, (void)alpha, (void)beta, (void)incx, (void)incy;                                                 \
        const int rows = ta == PG_BLAS_PLAIN ? m : n, columns = ta == PG_BLAS_PLAIN ? n : m;                          \
        for (int i = 0; i < rows; i++) {                                                                              \
            y[i] = 0;                                                                                                 \
            for (int s = 0; s < columns; s++) y[i] += (ta == PG_BLAS_PLAIN ? a[i * lda + s] : a[s * lda + i]) * x[s]; \
        }                                                                                                             \
    }
PLAIN_GEMM(scipy_cblas_dgemm, double)
PLAIN_GEMM(scipy_cblas_sgemm, float)
PLAIN_GEMV(scipy_cblas_dgemv, double)
PLAIN_GEMV(scipy_cblas_sgemv, float)
void scipy_openblas_set_num_threads(int threads) { (void)threads; }

static void *get(FILE *file, int64_t bytes) {
    void *memory = malloc((size_t)bytes + 1);
    if (memory == NULL || fread(memory, 1, (size_t)bytes, file) != (size_t)bytes) exit(2);
    return memory;
}

static int64_t get_word(FILE *file) {
    int64_t *memory = get(file, 8), word = *memory;
    free(memory);
    return word;
}

static void need(int fine, const char *what, const char *said) {
    if (fine) return;
    fprintf(stderr, "%s: %s\n", what, said);
    exit(1);
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 || argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) return 2;
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY); /* else a byte 10 becomes two */
#endif
    const int64_t n_words = get_word(file), n_bytes = get_word(file);
    const int64_t n_inputs = get_word(file), n_outputs = get_word(file);
    int64_t *words = get(file, 8 * n_words);
    uint8_t *constants = get(file, n_bytes);
    pg_error error;
    pg_program *program = pg_program_load(words, (size_t)n_words, constants, (size_t)n_bytes, &error);
    need(program != NULL, "loading", error.text);
    if (argc == 3) need(pg_program_load_native(program, argv[2], &error) == 0, "loading native code", error.text);
    pg_context *context = pg_context_new(program, 2, 0, &error);
    need(context != NULL, "making a context", error.text);
    void **memory = calloc((size_t)(n_inputs + n_outputs), sizeof *memory);
    int64_t *sizes = calloc((size_t)(n_inputs + n_outputs), sizeof *sizes);
    if (memory == NULL || sizes == NULL) return 2;
    for (int64_t i = 0; i < n_inputs + n_outputs; i++) {
        const int slot = (int)get_word(file);
        sizes[i] = get_word(file);
        memory[i] = i < n_inputs ? get(file, sizes[i]) : calloc(1, (size_t)sizes[i] + 1);
        need(pg_context_bind(context, slot, memory[i]) == 0, "binding", pg_context_error(context)->text);
    }
    need(pg_context_run(context, 0) == 0, "running", pg_context_error(context)->text);
    for (int64_t i = 0; i < n_inputs + n_outputs; i++) {
        if (i >= n_inputs) fwrite(memory[i], 1, (size_t)sizes[i], stdout);
        free(memory[i]);
    }
    pg_context_free(context);
    pg_program_free(program);
    free(memory), free(sizes), free(words), free(constants);
    return fclose(file);
}
