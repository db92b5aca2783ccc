/* The operating system, where it is Windows, from version 7 on. */
#ifdef _WIN32
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include "platform.h"

#include <malloc.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

_Static_assert(sizeof(pg_mutex) == sizeof(SRWLOCK), "a mutex is an SRWLOCK");
_Static_assert(sizeof(pg_condition) == sizeof(CONDITION_VARIABLE), "a condition is a CONDITION_VARIABLE");
_Static_assert(sizeof(pg_once) == sizeof(INIT_ONCE), "a pg_once is an INIT_ONCE");

void pg_mutex_reset(pg_mutex *mutex) { InitializeSRWLock((SRWLOCK *)mutex); }
void pg_lock(pg_mutex *mutex) { AcquireSRWLockExclusive((SRWLOCK *)mutex); }
int pg_try_lock(pg_mutex *mutex) { return TryAcquireSRWLockExclusive((SRWLOCK *)mutex) != 0; }
void pg_unlock(pg_mutex *mutex) { ReleaseSRWLockExclusive((SRWLOCK *)mutex); }
void pg_condition_reset(pg_condition *condition) { InitializeConditionVariable((CONDITION_VARIABLE *)condition); }

void pg_wait(pg_condition *condition, pg_mutex *mutex) {
    SleepConditionVariableSRW((CONDITION_VARIABLE *)condition, (SRWLOCK *)mutex, INFINITE, 0);
}

void pg_wake_one(pg_condition *condition) { WakeConditionVariable((CONDITION_VARIABLE *)condition); }
void pg_wake_all(pg_condition *condition) { WakeAllConditionVariable((CONDITION_VARIABLE *)condition); }

void pg_run_once(pg_once *once, void (*run)(void)) {
    BOOL pending = FALSE;
    if (!InitOnceBeginInitialize((INIT_ONCE *)once, 0, &pending, NULL) || !pending) return;
    run();
    InitOnceComplete((INIT_ONCE *)once, 0, NULL);
}

typedef struct pg_start {
    void (*run)(void);
} pg_start;

static unsigned __stdcall begin(void *data) {
    const pg_start start = *(pg_start *)data;
    free(data);
    start.run();
    return 0;
}

int pg_start_threads(int count, void (*run)(void)) {
    int started = 0;
    for (; started < count; started++) {
        pg_start *start = malloc(sizeof *start);
        if (start == NULL) break;
        start->run = run;
        const uintptr_t thread = _beginthreadex(NULL, 0, begin, start, 0, NULL);
        if (thread == 0) {
            free(start);
            break;
        }
        CloseHandle((HANDLE)thread);
    }
    return started;
}

int pg_processors(void) {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwNumberOfProcessors < 1 ? 1 : (int)info.dwNumberOfProcessors;
}

void pg_call_after_fork(void (*run)(void)) { (void)run; } /* there is no fork */

int64_t pg_clock(void) {
    LARGE_INTEGER count, rate;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&rate);
    const int64_t seconds = count.QuadPart / rate.QuadPart, rest = count.QuadPart % rate.QuadPart;
    return seconds * 1000000000 + rest * 1000000000 / rate.QuadPart;
}

void *pg_allocate(size_t size) { return _aligned_malloc(size, 64); }
void pg_release(void *memory) { _aligned_free(memory); }

static void describe(const char *path, char *problem, size_t size) {
    const DWORD code = GetLastError();
    char text[256] = "";
    FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, code, 0, text, sizeof text, NULL);
    text[strcspn(text, "\r\n")] = '\0';
    snprintf(problem, size, "%s: %s (error %lu)", path, text, (unsigned long)code);
}

/* `path` is UTF-8, as Python gives it. */
void *pg_open_library(const char *path, char *problem, size_t size) {
    const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    wchar_t *wide = length > 0 ? malloc((size_t)length * sizeof *wide) : NULL;
    HMODULE library = NULL;
    if (wide != NULL && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, length) > 0)
        library = LoadLibraryExW(wide, NULL, 0);
    if (library == NULL) describe(path, problem, size);
    free(wide);
    return library;
}

void *pg_find_symbol(void *library, const char *name) {
    const FARPROC found = GetProcAddress((HMODULE)library, name);
    void *symbol = NULL;
    memcpy(&symbol, &found, sizeof symbol); /* ISO C has no conversion from a function to void * */
    return symbol;
}

void pg_close_library(void *library) { FreeLibrary((HMODULE)library); }
#else
typedef int pg_platform_windows_is_not_used;
#endif
