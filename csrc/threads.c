/* The worker pool that all contexts share: started when first needed, one job at a time, and recreated after a fork. */
#include "context.h"
#include "platform.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define PG_PAUSE() __builtin_ia32_pause()
#else
#define PG_PAUSE() ((void)0)
#endif

/* How often an idle worker looks for a job before it sleeps: some ten microseconds. */
enum { PG_SPINS = 400 };

typedef struct pg_job {
    const pg_context *context;
    pg_task_fn run;
    void *data;
    int64_t n_tasks;
    atomic_llong next;
} pg_job;

static struct {
    pg_mutex busy;  /* held by the caller whose job it is */
    pg_mutex mutex; /* guards what follows */
    pg_condition wake, done;
    int size;                  /* wanted, counting the caller; 0: not yet chosen */
    int started;               /* workers that run */
    int wanted, entered, left; /* workers this job may have, that took part, that finished */
    atomic_uint round;         /* counts jobs */
    pg_job job;
} pool = {.busy = PG_MUTEX_INIT, .mutex = PG_MUTEX_INIT, .wake = PG_CONDITION_INIT, .done = PG_CONDITION_INIT};

static void work(pg_job *job, int worker) {
    while (!pg_stopped(job->context)) {
        const long long task = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (task >= job->n_tasks) return;
        job->run(job->data, task, worker);
    }
}

/* A worker takes part in a job when it comes before the job's caller is through and places are left. */
static void serve(void) {
    unsigned seen = 0;
    for (;;) {
        for (int i = 0; i < PG_SPINS && atomic_load_explicit(&pool.round, memory_order_relaxed) == seen; i++)
            PG_PAUSE();
        pg_lock(&pool.mutex);
        while (atomic_load_explicit(&pool.round, memory_order_relaxed) == seen) pg_wait(&pool.wake, &pool.mutex);
        seen = atomic_load_explicit(&pool.round, memory_order_relaxed);
        const int takes_part = pool.entered < pool.wanted;
        if (takes_part) pool.entered++;
        const int worker = pool.entered;
        pg_unlock(&pool.mutex);
        if (!takes_part) continue;
        work(&pool.job, worker);
        pg_lock(&pool.mutex);
        pool.left++;
        if (pool.left == pool.entered) pg_wake_one(&pool.done);
        pg_unlock(&pool.mutex);
    }
}

/* In the child only the forking thread exists: no other thread holds a lock or works. */
static void after_fork(void) {
    pg_mutex_reset(&pool.busy);
    pg_mutex_reset(&pool.mutex);
    pg_condition_reset(&pool.wake);
    pg_condition_reset(&pool.done);
    pool.started = pool.wanted = pool.entered = pool.left = 0;
}

static void register_after_fork(void) { pg_call_after_fork(after_fork); }

/* Called before a lock is taken: a fork may come while another thread holds it for the first time. */
static void watch_forks(void) {
    static pg_once once = PG_ONCE_INIT;
    pg_run_once(&once, register_after_fork);
}

static int pool_size(void) {
    if (pool.size == 0) {
        const int there = pg_processors();
        pool.size = there > PG_MAX_THREADS ? PG_MAX_THREADS : there;
    }
    return pool.size;
}

/* Starts workers until there are `count`; returns how many there are. */
static int start_workers(int count) {
    if (pool.started < count) pool.started += pg_start_threads(count - pool.started, serve);
    return pool.started;
}

void pg_run_tasks(const pg_context *context, int64_t n_tasks, pg_task_fn run, void *job) {
    const int threads = context->threads;
    if (threads > 1) watch_forks();
    if (threads > 1 && n_tasks > 1 && pg_try_lock(&pool.busy)) {
        pg_lock(&pool.mutex);
        int helpers = (threads < pool_size() ? threads : pool.size) - 1;
        if (helpers > n_tasks - 1) helpers = (int)(n_tasks - 1);
        const int workers = helpers > 0 ? start_workers(helpers) : 0;
        pool.wanted = helpers < workers ? helpers : workers;
        pool.entered = pool.left = 0;
        pool.job.context = context;
        pool.job.run = run;
        pool.job.data = job;
        pool.job.n_tasks = n_tasks;
        atomic_store_explicit(&pool.job.next, 0, memory_order_relaxed);
        const int helped = pool.wanted > 0;
        if (helped) {
            atomic_fetch_add_explicit(&pool.round, 1, memory_order_relaxed);
            pg_wake_all(&pool.wake);
        }
        pg_unlock(&pool.mutex);
        work(&pool.job, 0);
        if (helped) {
            pg_lock(&pool.mutex);
            pool.wanted = 0; /* a thread that wakes up now is too late */
            while (pool.left < pool.entered) pg_wait(&pool.done, &pool.mutex);
            pg_unlock(&pool.mutex);
        }
        pg_unlock(&pool.busy);
        return;
    }
    for (int64_t task = 0; task < n_tasks && !pg_stopped(context); task++) run(job, task, 0);
}

void pg_set_threads(int n) {
    watch_forks();
    pg_lock(&pool.mutex);
    pool.size = n < 1 ? 1 : n > PG_MAX_THREADS ? PG_MAX_THREADS : n;
    pg_unlock(&pool.mutex);
}

int pg_get_threads(void) {
    watch_forks();
    pg_lock(&pool.mutex);
    const int size = pool_size();
    pg_unlock(&pool.mutex);
    return size;
}
