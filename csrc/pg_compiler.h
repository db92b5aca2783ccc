/* What is said differently to each compiler: inlining, and loops without dependences. */
#ifndef PG_COMPILER_H
#define PG_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#define PG_INLINE   static inline __attribute__((always_inline, unused))
#define PG_NOINLINE static __attribute__((noinline, unused))
#else
#define PG_INLINE   static inline
#define PG_NOINLINE static
#endif

/* A function that writes by pointers into one memory. GCC 12 may compute such addresses from differences of others,
 * then find that the function writes to nothing, and leave out its calls; noipa keeps what it finds from the callers.
 */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 8
#define PG_STEP static __attribute__((noipa))
#else
#define PG_STEP static
#endif

/* C++ has no such word, but compilers have one. */
#if defined(__cplusplus) || defined(_MSC_VER)
#define PG_RESTRICT __restrict
#else
#define PG_RESTRICT restrict
#endif

/* A loop whose iterations are independent although what it writes may equal what it reads. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* calls of libm do not vectorise */
#define PG_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define PG_IVDEP _Pragma("GCC ivdep")
#else
#define PG_IVDEP
#endif

#endif
