/* Kernels that compare: sorted elements, their order, places in a sorted array, and of the largest element.
 *
 * Sorting works on keys: unsigned integers in the order of the elements, nan last. It is stable: equal elements, also
 * zeros of both signs and nans, stay in their order. Few keys are ranked in runs that are then merged; many go into
 * buckets by one byte after another, beginning with the lowest (a radix sort: D. E. Knuth, The Art of Computer
 * Programming, volume 3, section 5.2.5), where bytes that are equal in all keys are left out. */
#ifndef PG_CALLS_SORTING_H
#define PG_CALLS_SORTING_H

#include "pg_math_base.h"

#include <stdint.h>
#include <string.h>

/* Whether an element is nan. */
PG_INLINE int pg_isnan_f64(double x) { return x != x; }
PG_INLINE int pg_isnan_f32(float x) { return x != x; }
#define PG_DEFINE_NO_NAN(S, T)        \
    PG_INLINE int pg_isnan_##S(T x) { \
        (void)x;                      \
        return 0;                     \
    }
PG_DEFINE_NO_NAN(i64, int64_t)
PG_DEFINE_NO_NAN(i32, int32_t)
PG_DEFINE_NO_NAN(b, uint8_t)

/* Keys. -0 counts as 0, and all nans are one. */
PG_INLINE uint64_t pg_key_f64(double x) {
    const uint64_t u = pg_bits_f64(x + 0.0);
    return x != x ? UINT64_MAX : u ^ ((0U - (u >> 63)) | (UINT64_C(1) << 63));
}
PG_INLINE uint32_t pg_key_f32(float x) {
    const uint32_t u = pg_bits_f32(x + 0.0F);
    return x != x ? UINT32_MAX : u ^ ((0U - (u >> 31)) | (UINT32_C(1) << 31));
}
PG_INLINE uint64_t pg_key_i64(int64_t x) { return (uint64_t)x ^ (UINT64_C(1) << 63); }
PG_INLINE uint32_t pg_key_i32(int32_t x) { return (uint32_t)x ^ (UINT32_C(1) << 31); }
PG_INLINE uint32_t pg_key_b(uint8_t x) { return x; }

/* And back. */
PG_INLINE double pg_unkey_f64(uint64_t k) { return pg_from_bits_f64(k ^ (((k >> 63) - 1U) | (UINT64_C(1) << 63))); }
PG_INLINE float pg_unkey_f32(uint32_t k) { return pg_from_bits_f32(k ^ (((k >> 31) - 1U) | (UINT32_C(1) << 31))); }
PG_INLINE int64_t pg_unkey_i64(uint64_t k) { return (int64_t)(k ^ (UINT64_C(1) << 63)); }
PG_INLINE int32_t pg_unkey_i32(uint32_t k) { return (int32_t)(k ^ (UINT32_C(1) << 31)); }
PG_INLINE uint8_t pg_unkey_b(uint32_t k) { return (uint8_t)k; }

/* A key and where its element was. */
typedef struct pg_placed {
    uint64_t key;
    int64_t at;
} pg_placed;

#define PG_KEY_ITSELF(x)    (x)
#define PG_KEY_OF_PLACED(x) ((x).key)
enum { PG_RANKED = 8, PG_FEW = 256 };

/* b = a[0..n) sorted, n at most PG_RANKED: each goes where as many stand before it as are less, or equal and earlier.
 */
#define PG_DEFINE_RANK(S, E, KEY)                              \
    PG_INLINE void pg_rank_##S(const E *a, E *b, int64_t n) {  \
        int64_t rank[PG_RANKED] = {0};                         \
        for (int64_t i = 1; i < n; i++) {                      \
            for (int64_t j = 0; j < i; j++) {                  \
                const int64_t greater = KEY(a[j]) > KEY(a[i]); \
                rank[j] += greater;                            \
                rank[i] += 1 - greater;                        \
            }                                                  \
        }                                                      \
        for (int64_t i = 0; i < n; i++) b[rank[i]] = a[i];     \
    }

/* b[0..n + m) = the sorted a[0..n) and a[n..n + m) merged. Of two equally long ones both ends are merged at once. */
#define PG_DEFINE_MERGE(S, E, KEY)                                             \
    PG_INLINE void pg_merge_##S(const E *a, E *b, int64_t n, int64_t m) {      \
        int64_t l = 0, r = n, at = 0;                                          \
        if (n == m) {                                                          \
            int64_t last_l = n - 1, last_r = n + m - 1;                        \
            for (; at < n; at++) {                                             \
                const int left = KEY(a[l]) <= KEY(a[r]);                       \
                b[at] = left ? a[l] : a[r];                                    \
                l += left;                                                     \
                r += 1 - left;                                                 \
                const int right = KEY(a[last_r]) >= KEY(a[last_l]);            \
                b[n + m - 1 - at] = right ? a[last_r] : a[last_l];             \
                last_r -= right;                                               \
                last_l -= 1 - right;                                           \
            }                                                                  \
            return;                                                            \
        }                                                                      \
        while (l < n && r < n + m) {                                           \
            const int left = KEY(a[l]) <= KEY(a[r]);                           \
            b[at++] = left ? a[l] : a[r];                                      \
            l += left;                                                         \
            r += 1 - left;                                                     \
        }                                                                      \
        if (l < n) memcpy(b + at, a + l, (size_t)(n - l) * sizeof *b);         \
        if (r < n + m) memcpy(b + at, a + r, (size_t)(n + m - r) * sizeof *b); \
    }

/* The elements of a, of which b has room for as many, in order: in a or in b. */
#define PG_DEFINE_SORTED(S, E, KEY, BYTES)                                                             \
    PG_NOINLINE E *pg_sorted_##S(E *a, E *b, int64_t n) {                                              \
        if (n < PG_FEW) {                                                                              \
            for (int64_t i = 0; i < n; i += PG_RANKED)                                                 \
                pg_rank_##S(a + i, b + i, n - i < PG_RANKED ? n - i : (int64_t)PG_RANKED);             \
            for (int64_t width = PG_RANKED; width < n; width *= 2) {                                   \
                E *from = b;                                                                           \
                b = a;                                                                                 \
                a = from;                                                                              \
                for (int64_t i = 0; i < n; i += 2 * width) {                                           \
                    const int64_t left = n - i < width ? n - i : width;                                \
                    const int64_t right = n - i - left < width ? n - i - left : width;                 \
                    pg_merge_##S(a + i, b + i, left, right);                                           \
                }                                                                                      \
            }                                                                                          \
            return b;                                                                                  \
        }                                                                                              \
        int64_t starts[BYTES][256];                                                                    \
        memset(starts, 0, sizeof starts);                                                              \
        for (int64_t i = 0; i < n; i++)                                                                \
            for (int byte = 0; byte < BYTES; byte++) starts[byte][(KEY(a[i]) >> (8 * byte)) & 255U]++; \
        for (int byte = 0; byte < BYTES; byte++) {                                                     \
            int64_t *start = starts[byte], sum = 0;                                                    \
            if (start[(KEY(a[0]) >> (8 * byte)) & 255U] == n) continue;                                \
            for (int value = 0; value < 256; value++) {                                                \
                const int64_t count = start[value];                                                    \
                start[value] = sum;                                                                    \
                sum += count;                                                                          \
            }                                                                                          \
            for (int64_t i = 0; i < n; i++) b[start[(KEY(a[i]) >> (8 * byte)) & 255U]++] = a[i];       \
            E *to = b;                                                                                 \
            b = a;                                                                                     \
            a = to;                                                                                    \
        }                                                                                              \
        return a;                                                                                      \
    }
PG_DEFINE_RANK(u64, uint64_t, PG_KEY_ITSELF)
PG_DEFINE_RANK(u32, uint32_t, PG_KEY_ITSELF)
PG_DEFINE_RANK(placed, pg_placed, PG_KEY_OF_PLACED)
PG_DEFINE_MERGE(u64, uint64_t, PG_KEY_ITSELF)
PG_DEFINE_MERGE(u32, uint32_t, PG_KEY_ITSELF)
PG_DEFINE_MERGE(placed, pg_placed, PG_KEY_OF_PLACED)
PG_DEFINE_SORTED(u64, uint64_t, PG_KEY_ITSELF, 8)
PG_DEFINE_SORTED(u32, uint32_t, PG_KEY_ITSELF, 4)
PG_DEFINE_SORTED(placed, pg_placed, PG_KEY_OF_PLACED, 8)

/* What keys do not tell of floats, put into the sorted `out`: the nans at its end, and the signs of zeros. */
#define PG_DEFINE_ALIKE(S, T)                                    \
    PG_INLINE void pg_alike_##S(const T *x, T *out, int64_t n) { \
        int64_t low = 0, high = n, zeros = 0, nans = 0;          \
        for (int64_t i = 0; i < n; i++) {                        \
            zeros += x[i] == 0;                                  \
            nans += x[i] != x[i];                                \
        }                                                        \
        while (low < high) {                                     \
            const int64_t middle = low + (high - low) / 2;       \
            if (out[middle] < 0)                                 \
                low = middle + 1;                                \
            else                                                 \
                high = middle;                                   \
        }                                                        \
        int64_t nan = n - nans;                                  \
        for (int64_t i = 0; i < n && zeros + nans > 0; i++) {    \
            if (x[i] == 0) out[low++] = x[i];                    \
            if (x[i] != x[i]) out[nan++] = x[i];                 \
        }                                                        \
    }
PG_DEFINE_ALIKE(f64, double)
PG_DEFINE_ALIKE(f32, float)
#define PG_ALIKE_NOTHING(x, out, n) (void)(x)

/* sizes: n. */
#define PG_DEFINE_SORT(S, T, K, U, ALIKE)                                                                    \
    PG_INLINE int pg_kernel_sort_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                          \
        const T *x = (const T *)args[0];                                                                     \
        T *out = (T *)args[1];                                                                               \
        U *keys = (U *)work;                                                                                 \
        (void)detail;                                                                                        \
        for (int64_t i = 0; i < n; i++) keys[i] = pg_key_##S(x[i]);                                          \
        const U *sorted = pg_sorted_##K(keys, keys + n, n);                                                  \
        for (int64_t i = 0; i < n; i++) out[i] = pg_unkey_##S(sorted[i]);                                    \
        ALIKE(x, out, n);                                                                                    \
        return 0;                                                                                            \
    }
PG_DEFINE_SORT(f64, double, u64, uint64_t, pg_alike_f64)
PG_DEFINE_SORT(f32, float, u32, uint32_t, pg_alike_f32)
PG_DEFINE_SORT(i64, int64_t, u64, uint64_t, PG_ALIKE_NOTHING)
PG_DEFINE_SORT(i32, int32_t, u32, uint32_t, PG_ALIKE_NOTHING)
PG_DEFINE_SORT(b, uint8_t, u32, uint32_t, PG_ALIKE_NOTHING)

/* sizes: n. x[out[k]] is element k of the sorted x. */
#define PG_DEFINE_ARGSORT(S, T)                                                                                 \
    PG_INLINE int pg_kernel_argsort_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0];                                                                             \
        const T *x = (const T *)args[0];                                                                        \
        int64_t *out = (int64_t *)args[1];                                                                      \
        pg_placed *placed = (pg_placed *)work;                                                                  \
        (void)detail;                                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                                       \
            placed[i].key = pg_key_##S(x[i]);                                                                   \
            placed[i].at = i;                                                                                   \
        }                                                                                                       \
        const pg_placed *sorted = pg_sorted_placed(placed, placed + n, n);                                      \
        for (int64_t i = 0; i < n; i++) out[i] = sorted[i].at;                                                  \
        return 0;                                                                                               \
    }
PG_DEFINE_ARGSORT(f64, double)
PG_DEFINE_ARGSORT(f32, float)
PG_DEFINE_ARGSORT(i64, int64_t)
PG_DEFINE_ARGSORT(i32, int32_t)
PG_DEFINE_ARGSORT(b, uint8_t)

/* sizes: n, m, then whether places are behind equal elements. out[j] = how many of the sorted a are less than v[j]. */
#define PG_DEFINE_SEARCHSORTED(S, T)                                                                                 \
    PG_INLINE int pg_kernel_searchsorted_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0], m = sizes[1], right = sizes[2] != 0;                                             \
        const T *a = (const T *)args[0], *v = (const T *)args[1];                                                    \
        int64_t *out = (int64_t *)args[2];                                                                           \
        (void)work, (void)detail;                                                                                    \
        for (int64_t j = 0; j < m; j++) {                                                                            \
            const T x = v[j];                                                                                        \
            int64_t low = 0, count = n;                                                                              \
            while (count > 0) {                                                                                      \
                const int64_t half = count / 2;                                                                      \
                const T y = a[low + half];                                                                           \
                const int y_less = (y < x) | (pg_isnan_##S(x) & !pg_isnan_##S(y));                                   \
                const int x_less = (x < y) | (pg_isnan_##S(y) & !pg_isnan_##S(x));                                   \
                const int beyond = right ? !x_less : y_less;                                                         \
                low = beyond ? low + half + 1 : low;                                                                 \
                count = beyond ? count - half - 1 : half;                                                            \
            }                                                                                                        \
            out[j] = low;                                                                                            \
        }                                                                                                            \
        return 0;                                                                                                    \
    }
PG_DEFINE_SEARCHSORTED(f64, double)
PG_DEFINE_SEARCHSORTED(f32, float)
PG_DEFINE_SEARCHSORTED(i64, int64_t)
PG_DEFINE_SEARCHSORTED(i32, int32_t)
PG_DEFINE_SEARCHSORTED(b, uint8_t)

enum { PG_LANES = 16, PG_BLOCK = 256 };

/* The first place of the best of x[0..n), or of a nan; `better` is < or >, `worse` its opposite with equality, M an
 * integer as wide as T. Blocks are passed over that have nothing better than what was found before them and no nan;
 * of others the best is kept, and its place looked for at the end. Both loops over a block are vector code. */
#define PG_DEFINE_BEST_OF_LINE(name, S, T, M, better, worse)                                                       \
    PG_INLINE int64_t pg_##name##_line_##S(const T *restrict x, int64_t n) {                                       \
        T best = x[0];                                                                                             \
        int64_t at = 0, k = 0;                                                                                     \
        if (pg_isnan_##S(best)) return 0;                                                                          \
        for (; k + PG_BLOCK <= n; k += PG_BLOCK) {                                                                 \
            M open[PG_LANES] = {0}, any = 0;                                                                       \
            T most[PG_LANES];                                                                                      \
            for (int i = 0; i < PG_BLOCK; i += PG_LANES)                                                           \
                for (int j = 0; j < PG_LANES; j++) open[j] |= (x[k + i + j] worse best) ? (M)0 : (M) ~(M)0;        \
            for (int j = 0; j < PG_LANES; j++) any |= open[j];                                                     \
            if (any == 0) continue;                                                                                \
            for (int j = 0; j < PG_LANES; j++) {                                                                   \
                most[j] = best;                                                                                    \
                open[j] = 0;                                                                                       \
            }                                                                                                      \
            for (int i = 0; i < PG_BLOCK; i += PG_LANES)                                                           \
                for (int j = 0; j < PG_LANES; j++) open[j] |= x[k + i + j] == x[k + i + j] ? (M)0 : (M) ~(M)0;     \
            for (int i = 0; i < PG_BLOCK; i += PG_LANES)                                                           \
                for (int j = 0; j < PG_LANES; j++) most[j] = x[k + i + j] better most[j] ? x[k + i + j] : most[j]; \
            any = 0;                                                                                               \
            for (int j = 0; j < PG_LANES; j++) {                                                                   \
                any |= open[j];                                                                                    \
                best = most[j] better best ? most[j] : best;                                                       \
            }                                                                                                      \
            at = k;                                                                                                \
            if (any != 0) {                                                                                        \
                while (!pg_isnan_##S(x[at])) at++;                                                                 \
                return at;                                                                                         \
            }                                                                                                      \
        }                                                                                                          \
        for (; k < n; k++) {                                                                                       \
            if (pg_isnan_##S(x[k])) return k;                                                                      \
            at = x[k] better best ? k : at;                                                                        \
            best = x[k] better best ? x[k] : best;                                                                 \
        }                                                                                                          \
        while (!(x[at] == best)) at++;                                                                             \
        return at;                                                                                                 \
    }

PG_DEFINE_BEST_OF_LINE(argmax, f64, double, uint64_t, >, <=)
PG_DEFINE_BEST_OF_LINE(argmax, f32, float, uint32_t, >, <=)
PG_DEFINE_BEST_OF_LINE(argmax, i64, int64_t, uint64_t, >, <=)
PG_DEFINE_BEST_OF_LINE(argmax, i32, int32_t, uint32_t, >, <=)
PG_DEFINE_BEST_OF_LINE(argmin, f64, double, uint64_t, <, >=)
PG_DEFINE_BEST_OF_LINE(argmin, f32, float, uint32_t, <, >=)
PG_DEFINE_BEST_OF_LINE(argmin, i64, int64_t, uint64_t, <, >=)
PG_DEFINE_BEST_OF_LINE(argmin, i32, int32_t, uint32_t, <, >=)

/* Of bools the best of all is known: the first true, the first false. */
PG_INLINE int64_t pg_first_bool(const uint8_t *x, int64_t n, int value) {
    const void *found = memchr(x, value, (size_t)n);
    return found == NULL ? 0 : (const uint8_t *)found - x;
}
PG_INLINE int64_t pg_argmax_line_b(const uint8_t *x, int64_t n) { return pg_first_bool(x, n, 1); }
PG_INLINE int64_t pg_argmin_line_b(const uint8_t *x, int64_t n) { return pg_first_bool(x, n, 0); }

/* sizes: n, inner. out[j] = the first place of the best of x[0..n)[j], or of a nan. */
#define PG_DEFINE_BEST(name, S, T, better)                                                                       \
    PG_INLINE int pg_kernel_##name##_##S(const int64_t *sizes, void *const *args, void *work, int64_t *detail) { \
        const int64_t n = sizes[0], inner = sizes[1];                                                            \
        const T *x = (const T *)args[0];                                                                         \
        int64_t *out = (int64_t *)args[1];                                                                       \
        (void)work, (void)detail;                                                                                \
        if (inner == 1) {                                                                                        \
            out[0] = pg_##name##_line_##S(x, n);                                                                 \
            return 0;                                                                                            \
        }                                                                                                        \
        for (int64_t j = 0; j < inner; j++) out[j] = 0;                                                          \
        for (int64_t k = 1; k < n; k++) {                                                                        \
            for (int64_t j = 0; j < inner; j++) {                                                                \
                const T was = x[out[j] * inner + j], is = x[k * inner + j];                                      \
                const int kept = pg_isnan_##S(was) | (was == is) | (was better is);                              \
                out[j] = kept ? out[j] : k;                                                                      \
            }                                                                                                    \
        }                                                                                                        \
        return 0;                                                                                                \
    }
PG_DEFINE_BEST(argmax, f64, double, >)
PG_DEFINE_BEST(argmax, f32, float, >)
PG_DEFINE_BEST(argmax, i64, int64_t, >)
PG_DEFINE_BEST(argmax, i32, int32_t, >)
PG_DEFINE_BEST(argmax, b, uint8_t, >)
PG_DEFINE_BEST(argmin, f64, double, <)
PG_DEFINE_BEST(argmin, f32, float, <)
PG_DEFINE_BEST(argmin, i64, int64_t, <)
PG_DEFINE_BEST(argmin, i32, int32_t, <)
PG_DEFINE_BEST(argmin, b, uint8_t, <)

#endif
