/* Error records: what went wrong, and where. */
#include "context.h"
#include "loader.h"

#include <inttypes.h>
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

static int report_at(const pg_place *place, int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(&place->context->error, status, place->body, place->instruction, place->node, format, arguments);
    va_end(arguments);
    return status;
}

int pg_failed(const pg_place *place, int status, int64_t first, int64_t second) {
    switch (status) {
    case PG_INDEX:
        report_at(place, status, "index %" PRId64 " is out of range for an axis of length %" PRId64, first, second);
        break;
    case PG_STEPS: report_at(place, status, "the condition still holds after %" PRId64 " steps", first); break;
    case PG_TAPE:
        report_at(place, status, "step %" PRId64 " needs more than %" PRId64 " bytes of tape", first, second);
        break;
    case PG_PROGRAM: report_at(place, status, "no instruction has opcode %" PRId64, first); break;
    case PG_INTERRUPTED: report_at(place, status, "stopped from outside"); break;
    case PG_ARGUMENT:
        report_at(place, status, "a tape has %" PRId64 " records, %" PRId64 " are read", first, second);
        break;
    default: report_at(place, status, "its kernel failed in way %d", status - PG_FAILURE); break;
    }
    place->context->error.detail[0] = first;
    place->context->error.detail[1] = second;
    return status;
}
