/* The operating system, where it follows POSIX: Linux, macOS, the BSDs. */
#ifndef _WIN32
#if !defined(_POSIX_C_SOURCE) && !defined(__APPLE__)
#define _POSIX_C_SOURCE 200809L
#endif
#include "platform.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void pg_mutex_reset(pg_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
void pg_lock(pg_mutex *mutex) { pthread_mutex_lock(mutex); }
int pg_try_lock(pg_mutex *mutex) { return pthread_mutex_trylock(mutex) == 0; }
void pg_unlock(pg_mutex *mutex) { pthread_mutex_unlock(mutex); }
void pg_condition_reset(pg_condition *condition) { pthread_cond_init(condition, NULL); }
void pg_wait(pg_condition *condition, pg_mutex *mutex) { pthread_cond_wait(condition, mutex); }
void pg_wake_one(pg_condition *condition) { pthread_cond_signal(condition); }
void pg_wake_all(pg_condition *condition) { pthread_cond_broadcast(condition); }
void pg_run_once(pg_once *once, void (*run)(void)) { pthread_once(once, run); }

typedef struct pg_start {
    void (*run)(void);
} pg_start;

static void *begin(void *data) {
    const pg_start start = *(pg_start *)data;
    free(data);
    start.run();
    return NULL;
}

static int start_thread(const pthread_attr_t *attributes, void (*run)(void)) {
    pthread_t thread;
    pg_start *start = malloc(sizeof *start);
    if (start == NULL) return 0;
    start->run = run;
    if (pthread_create(&thread, attributes, begin, start) == 0) return 1;
    free(start);
    return 0;
}

int pg_start_threads(int count, void (*run)(void)) {
    pthread_attr_t detached;
    sigset_t all, before;
    int started = 0;
    if (pthread_attr_init(&detached) != 0) return 0;
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (started < count && start_thread(&detached, run)) started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return started;
}

int pg_processors(void) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > INT32_MAX ? INT32_MAX : (int)online;
}

void pg_call_after_fork(void (*run)(void)) { pthread_atfork(NULL, NULL, run); }

int64_t pg_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void *pg_allocate(size_t size) { return aligned_alloc(64, size); }
void pg_release(void *memory) { free(memory); }

void *pg_open_library(const char *path, char *problem, size_t size) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) snprintf(problem, size, "%s", dlerror());
    return library;
}

void *pg_find_symbol(void *library, const char *name) { return dlsym(library, name); }
void pg_close_library(void *library) { dlclose(library); }
#else
typedef int pg_platform_posix_is_not_used;
#endif
