/* Error records: what went wrong, and where. */
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(pg_error *error, int status, int body, int64_t instruction, int64_t node, const char *format,
                 va_list arguments) {
    if (error == NULL) return;
    memset(error, 0, sizeof *error);
    error->status = status;
    error->body = body;
    error->instruction = instruction;
    error->node = node;
    vsnprintf(error->text, sizeof error->text, format, arguments);
}

int pg_report(pg_error *error, int status, int body, int64_t instruction, int64_t node, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, body, instruction, node, format, arguments);
    va_end(arguments);
    return status;
}

int pg_refuse(pg_loader *l, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(l->error, PG_PROGRAM, l->number, l->instruction, l->node, format, arguments);
    va_end(arguments);
    return PG_PROGRAM;
}
