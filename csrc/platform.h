/* What the library needs of the operating system: threads, locks, a clock, aligned memory, libraries loaded at run
 * time. platform_posix.c and platform_windows.c say how; no other file includes a header of a system. */
#ifndef PG_PLATFORM_H
#define PG_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
/* SRWLOCK, CONDITION_VARIABLE and INIT_ONCE are one pointer each, which 0 initialises. */
typedef struct pg_mutex {
    void *state;
} pg_mutex;
typedef struct pg_condition {
    void *state;
} pg_condition;
typedef struct pg_once {
    void *state;
} pg_once;
#define PG_MUTEX_INIT     {0}
#define PG_CONDITION_INIT {0}
#define PG_ONCE_INIT      {0}
#else
#include <pthread.h>
typedef pthread_mutex_t pg_mutex;
typedef pthread_cond_t pg_condition;
typedef pthread_once_t pg_once;
#define PG_MUTEX_INIT     PTHREAD_MUTEX_INITIALIZER
#define PG_CONDITION_INIT PTHREAD_COND_INITIALIZER
#define PG_ONCE_INIT      PTHREAD_ONCE_INIT
#endif

void pg_mutex_reset(pg_mutex *mutex); /* as if new, whoever held it: in the child of a fork */
void pg_lock(pg_mutex *mutex);
int pg_try_lock(pg_mutex *mutex);
void pg_unlock(pg_mutex *mutex);
void pg_condition_reset(pg_condition *condition);
void pg_wait(pg_condition *condition, pg_mutex *mutex);
void pg_wake_one(pg_condition *condition);
void pg_wake_all(pg_condition *condition);
void pg_run_once(pg_once *once, void (*run)(void));

/* Starts threads that nobody joins and no signal interrupts; returns how many of `count` were started. */
int pg_start_threads(int count, void (*run)(void));
/* How many processors there are, at least 1. */
int pg_processors(void);
/* Calls `run` in each child that a fork makes from now on; nothing where processes are never copied. */
void pg_call_after_fork(void (*run)(void));

/* Nanoseconds since some moment. */
int64_t pg_clock(void);

/* Memory at a multiple of 64 bytes; `size` is one. */
void *pg_allocate(size_t size);
void pg_release(void *memory);

/* A library of a file, or NULL, and why not in `problem`. */
void *pg_open_library(const char *path, char *problem, size_t size);
void *pg_find_symbol(void *library, const char *name);
void pg_close_library(void *library);

#endif
