/* Reads the words of instructions as the table of instructions says: numbers within bounds, lists that fit, operands
 * that lie in their slots and are of the right dtype, and written ones that overlap nothing else. */
#include "context.h"
#include "generated/pg_call_table.h"
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The words of an instruction that are left; after a refusal all that is taken is 0. */
typedef struct pg_words {
    pg_loader *l;
    const char *name;
    const int64_t *at;
    int64_t left;
    int status, same, n_operands;
    pg_operand *operands[PG_MAX_ARGUMENTS];
    int writes[PG_MAX_ARGUMENTS];
} pg_words;

static pg_words words_of(pg_loader *l, const char *name, const int64_t *words, int64_t n) {
    return (pg_words){.l = l, .name = name, .at = words, .left = n, .same = -1};
}

static const int64_t *take(pg_words *w, const char *what, int64_t n) {
    if (w->status != PG_OK) return NULL;
    if (n > w->left) {
        w->status = pg_refuse(w->l, "%s: its words end before %s", w->name, what);
        return NULL;
    }
    const int64_t *found = w->at;
    w->at += n;
    w->left -= n;
    return found;
}

static void take_number(pg_words *w, const char *what, int64_t low, int64_t high, int64_t *number) {
    const int64_t *word = take(w, what, 1);
    *number = word == NULL ? 0 : *word;
    if (word != NULL && (*word < low || *word > high))
        w->status = pg_refuse(w->l, "%s: %s can't be %" PRId64, w->name, what, *word);
}

/* `count` records of `width` words; below 0: the word before them says how many. */
static void take_list(pg_words *w, const char *what, int64_t width, int64_t count, pg_list *list) {
    const int64_t *word = count < 0 ? take(w, what, 1) : &count;
    *list = (pg_list){0, NULL};
    if (word == NULL || w->status != PG_OK) return;
    if (*word < 0 || *word > w->left) {
        w->status = pg_refuse(w->l, "%s: %" PRId64 " %s are not possible", w->name, *word, what);
        return;
    }
    const int64_t n = *word, *at = take(w, what, n * width);
    if (at != NULL) *list = (pg_list){n, at};
}

static void take_sizes(pg_words *w, const char *what, pg_sizes *sizes) {
    pg_list list;
    take_list(w, what, 1, -1, &list);
    memset(sizes, 0, sizeof *sizes);
    if (w->status != PG_OK) return;
    int bad = list.n > PG_MAX_DIMS;
    for (int64_t i = 0; i < list.n && !bad; i++) {
        bad = list.at[i] < 0;
        sizes->of[i] = list.at[i];
    }
    if (bad || pg_product((int)list.n, sizes->of, &sizes->count) || sizes->count > PG_MAX_ELEMENTS)
        w->status = pg_refuse(w->l, "%s: its %s are not possible or too large", w->name, what);
    else
        sizes->n = (int)list.n;
}

int pg_check_operand(pg_loader *l, const int64_t *words, const char *what, int writes, int dtype, int *same,
                     const pg_sizes *batch, int n_core, const int64_t *core, pg_operand *operand) {
    int64_t dims[PG_MAX_DIMS + 1], strides[PG_MAX_DIMS + 1];
    const int n = batch == NULL ? 0 : batch->n;
    for (int i = 0; i < n; i++) {
        dims[i] = batch->of[i];
        strides[i] = words[2 + i];
    }
    strides[n] = 1;
    if (pg_product(n_core, core, &dims[n]) || dims[n] > PG_MAX_ELEMENTS) return pg_refuse(l, "%s is too large", what);
    int found = dtype, status = PG_OK;
    if (dtype < 0) {
        status = pg_find_dtype(l, words[0], what, &found);
        if (status == PG_OK && dtype == PG_SAME_NUMBERS && found == PG_B)
            status = pg_refuse(l, "%s: not defined for bool", what);
        if (*same < 0) *same = found;
        found = *same;
    }
    if (status == PG_OK)
        status = pg_check_access(l, words[0], found, words[1], n + 1, dims, strides, writes, what, &operand->extent);
    if (status == PG_OK && writes) status = pg_check_injective(l, n + 1, dims, strides, what);
    if (status != PG_OK) return status;
    const int empty = operand->extent.lo == operand->extent.hi; /* then offset and strides are not verified, nor used */
    const int64_t size = pg_size_of(found);
    operand->slot = (int)words[0];
    operand->dtype = found;
    operand->offset = empty ? 0 : words[1] * size;
    operand->elements = dims[n];
    for (int i = 0; i < n; i++) operand->strides[i] = empty || dims[i] <= 1 ? 0 : strides[i] * size;
    return PG_OK;
}

static void take_array(pg_words *w, const char *what, int writes, int dtype, const pg_sizes *batch, int n_core,
                       const int64_t *core, pg_operand *operand) {
    const int64_t *words = take(w, what, 2 + (batch == NULL ? 0 : batch->n));
    memset(operand, 0, sizeof *operand);
    if (words == NULL) return;
    char said[80];
    snprintf(said, sizeof said, "%s: %s", w->name, what);
    w->status = pg_check_operand(w->l, words, said, writes, dtype, &w->same, batch, n_core, core, operand);
    w->operands[w->n_operands] = operand;
    w->writes[w->n_operands++] = writes;
}

/* All words are taken, and what is written overlaps nothing else. */
static int end_of_words(const pg_words *w) {
    if (w->status != PG_OK) return w->status;
    if (w->left != 0) return pg_refuse(w->l, "%s: %" PRId64 " words too many", w->name, w->left);
    for (int i = 0; i < w->n_operands; i++) {
        for (int k = 0; k < i; k++) {
            if (!w->writes[i] && !w->writes[k]) continue;
            const int status =
                pg_check_apart(w->l, &w->operands[i]->extent, &w->operands[k]->extent, w->name, "another operand");
            if (status != PG_OK) return status;
        }
    }
    return PG_OK;
}

#include "generated/pg_readers.h"
