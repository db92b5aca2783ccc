"""The table of an exported file, to be read at run time: its functions, their arguments, workspaces and sparsity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .export_unit import Entry, Exported, Unit
from .rendering.expressions import TYPES

#: What a table has besides the functions: a function of such a name can't be there.
NAMES = ("argument", "sparsity", "function", "functions")


def declared(functions: Sequence[tuple[Exported, Sequence[Unit]]], name: str) -> str:
    """The types of a table, and its declaration."""
    count = sum(len(unit.entries) for _, units in functions for unit in units)
    return f"""\
/* What functions there are, in the order of this file. */
typedef struct {name}_argument {{
    const char *name;
    const char *dtype; /* "float64", "float32", "int64", "int32" or "bool" */
    int is_output;
    int dimensions;
    const int64_t *shape;
    int64_t size; /* elements */
}} {name}_argument;
typedef struct {name}_sparsity {{
    int64_t rows, columns, nnz;
    const int32_t *csr_indptr, *csr_indices, *ccs_indptr, *ccs_indices, *ccs_order;
}} {name}_sparsity;
typedef struct {name}_function {{
    const char *name;
    int64_t workspace_bytes;
    int count; /* of the arguments */
    const {name}_argument *arguments;
    const {name}_sparsity *sparsity; /* of the matrix whose entries are the first output; NULL where there is none */
    int (*run)(void *const *arguments, void *workspace); /* calls it with pointers to the arguments */
}} {name}_function;
#define {name.upper()}_FUNCTIONS {count}
extern const {name}_function {name}_functions[{name.upper()}_FUNCTIONS];"""


def defined(functions: Sequence[tuple[Exported, Sequence[Unit]]], name: str) -> str:
    """The definition of the table and of what it points to."""
    texts: list[str] = []
    rows: list[str] = []
    for number, (exported, units) in enumerate(functions):
        sparsity = "NULL"
        if exported.pattern is not None:
            height, width = exported.pattern.shape
            words = ("csr_indptr", "csr_indices", "ccs_indptr", "ccs_indices", "ccs_order")
            arrays = ", ".join(f"{exported.name}_{word}" for word in words)
            texts.append(
                f"static const {name}_sparsity pg_sparsity{number} = "
                f"{{{height}, {width}, {exported.pattern.nnz}, {arrays}}};"
            )
            sparsity = f"&pg_sparsity{number}"
        for unit in units:
            for entry in unit.entries:
                texts += _entry(entry, len(rows), name)
                fields = [
                    f'"{entry.function}"',
                    unit.nbytes,
                    len(entry.arguments),
                    f"pg_arguments{len(rows)}",
                    sparsity,
                ]
                rows.append(f"    {{{', '.join(map(str, fields))}, pg_run{len(rows)}}}")
    table = ",\n".join(rows)
    return "\n".join([*texts, f"const {name}_function {name}_functions[{name.upper()}_FUNCTIONS] = {{\n{table}}};"])


def _entry(entry: Entry, number: int, name: str) -> Iterator[str]:
    """The arguments of a function, and a function that takes them as pointers."""
    rows, given = [], []
    for at, argument in enumerate(entry.arguments):
        shape = argument.port.shape
        where = "NULL"
        if shape:
            where = f"pg_shape{number}_{at}"
            yield f"static const int64_t {where}[{len(shape)}] = {{{', '.join(map(str, shape))}}};"
        size = argument.port.nbytes // argument.port.dtype.itemsize
        output = int(argument.written)
        rows.append(f'    {{"{argument.name}", "{argument.port.dtype.name}", {output}, {len(shape)}, {where}, {size}}}')
        const = "" if argument.written else "const "
        given.append(f"({const}{TYPES[argument.dtype]} *)arguments[{at}]")
    if rows:
        listed = ",\n".join(rows)
        yield f"static const {name}_argument pg_arguments{number}[{len(rows)}] = {{\n{listed}}};"
    else:
        yield f"#define pg_arguments{number} NULL"
    call = ", ".join([*given, "workspace"])
    unused = "" if given else "    (void)arguments;\n"
    yield (
        f"static int pg_run{number}(void *const *arguments, void *workspace) {{\n"
        f"{unused}    return {entry.function}({call});\n}}"
    )


def main_text(name: str) -> str:
    """A program that reads arguments as text and writes results as text, for any table."""
    upper = name.upper()
    return _MAIN.replace("NAME", upper).replace("name_", f"{name}_").replace("name.h", f"{name}.h")


_MAIN = r"""/* Runs functions of name.h: reads their inputs as numbers from standard input, one after another, and
 * writes each output as a line of numbers behind its name.
 *
 *   program                        lists the functions
 *   program FUNCTION ... < inputs  runs these in turn, in one workspace: as forward and reverse are
 *
 * A number may also be nan, inf, or hexadecimal. The program ends with 1 where a function gives another status than
 * 0. */
#include "name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t size_of(const name_argument *argument) {
    if (strcmp(argument->dtype, "float64") == 0 || strcmp(argument->dtype, "int64") == 0) return 8;
    return strcmp(argument->dtype, "bool") == 0 ? 1 : 4;
}

static void *room(size_t bytes) {
    void *memory = calloc(bytes > 0 ? bytes : 1, 1);
    if (memory == NULL) {
        fprintf(stderr, "no memory\n");
        exit(2);
    }
    return memory;
}

static void read_one(const name_argument *argument, char *to) {
    char word[512], *end = word;
    if (scanf("%511s", word) != 1) {
        fprintf(stderr, "%s: %ld numbers are needed, and there are less\n", argument->name, (long)argument->size);
        exit(2);
    }
    if (strncmp(argument->dtype, "float", 5) == 0) {
        const double value = strtod(word, &end);
        const float single = (float)value;
        if (size_of(argument) == 8) memcpy(to, &value, sizeof value);
        else memcpy(to, &single, sizeof single);
    } else {
        errno = 0;
        const long long value = strtoll(word, &end, word[strcspn(word, "xX")] != '\0' ? 16 : 10);
        const int fits = size_of(argument) != 4 || (value >= INT32_MIN && value <= INT32_MAX);
        if (errno != 0 || !fits) end = word;
        const int64_t wide = (int64_t)value;
        const int32_t narrow = (int32_t)value;
        const uint8_t truth = value != 0;
        if (size_of(argument) == 8) memcpy(to, &wide, sizeof wide);
        else if (size_of(argument) == 4) memcpy(to, &narrow, sizeof narrow);
        else memcpy(to, &truth, sizeof truth);
    }
    if (*end != '\0') {
        fprintf(stderr, "%s: %s is no number of %s\n", argument->name, word, argument->dtype);
        exit(2);
    }
}

static void write_one(const name_argument *argument, const char *from) {
    double value;
    float single;
    int64_t wide;
    int32_t narrow;
    if (strcmp(argument->dtype, "float64") == 0) {
        memcpy(&value, from, sizeof value);
        printf(" %.17g", value);
    } else if (strcmp(argument->dtype, "float32") == 0) {
        memcpy(&single, from, sizeof single);
        printf(" %.9g", (double)single);
    } else if (strcmp(argument->dtype, "int64") == 0) {
        memcpy(&wide, from, sizeof wide);
        printf(" %lld", (long long)wide);
    } else if (strcmp(argument->dtype, "int32") == 0) {
        memcpy(&narrow, from, sizeof narrow);
        printf(" %ld", (long)narrow);
    } else {
        printf(" %d", (int)*(const unsigned char *)from);
    }
}

static int run(const name_function *function, void *workspace) {
    void **arguments = (void **)room((size_t)function->count * sizeof(void *));
    for (int at = 0; at < function->count; at++) {
        const name_argument *argument = &function->arguments[at];
        const size_t bytes = size_of(argument);
        arguments[at] = room((size_t)argument->size * bytes);
        for (int64_t i = 0; i < argument->size && !argument->is_output; i++)
            read_one(argument, (char *)arguments[at] + (size_t)i * bytes);
    }
    const int status = function->run(arguments, workspace);
    if (status != NAME_OK) fprintf(stderr, "%s: status %d\n", function->name, status);
    for (int at = 0; at < function->count; at++) {
        const name_argument *argument = &function->arguments[at];
        if (argument->is_output && status == NAME_OK) {
            printf("%s", argument->name);
            for (int64_t i = 0; i < argument->size; i++)
                write_one(argument, (const char *)arguments[at] + (size_t)i * size_of(argument));
            printf("\n");
        }
        free(arguments[at]);
    }
    free((void *)arguments);
    return status != NAME_OK;
}

int main(int argc, char **argv) {
    int64_t most = 0;
    for (int i = 0; i < NAME_FUNCTIONS; i++) {
        const name_function *function = &name_functions[i];
        if (function->workspace_bytes > most) most = function->workspace_bytes;
        if (argc > 1) continue;
        printf("%s\n", function->name);
        for (int at = 0; at < function->count; at++) {
            const name_argument *argument = &function->arguments[at];
            printf("    %s %s %s (", argument->is_output ? "output" : "input ", argument->name, argument->dtype);
            for (int axis = 0; axis < argument->dimensions; axis++)
                printf("%s%ld", axis > 0 ? ", " : "", (long)argument->shape[axis]);
            printf(")\n");
        }
    }
    void *workspace = room((size_t)most);
    int failed = 0;
    for (int given = 1; given < argc && !failed; given++) {
        int i = 0;
        while (i < NAME_FUNCTIONS && strcmp(name_functions[i].name, argv[given]) != 0) i++;
        if (i == NAME_FUNCTIONS) {
            fprintf(stderr, "there is no function %s\n", argv[given]);
            free(workspace);
            return 2;
        }
        failed = run(&name_functions[i], workspace);
    }
    free(workspace);
    return failed;
}
"""
