#include "work_pool.h"
#include "compute_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct ck_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t *threads;
    long helpers, tasks, active;
    unsigned long generation;
    bool open, stopping;
    ck_pool_body body;
    void *context;
    atomic_long next;
};

typedef struct {
    ck_pool *pool;
    long thread;
} helper_start;

static void take_tasks(ck_pool *pool, long thread) {
    for (;;) {
        long task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (task >= pool->tasks) return;
        pool->body(pool->context, task, thread);
    }
}

static void *help(void *argument) {
    helper_start start = *(helper_start *)argument;
    free(argument);
    ck_pool *pool = start.pool;
    ck_enter_compute_mode();
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->stopping && !(pool->open && pool->generation != seen)) pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->stopping) break;
        seen = pool->generation;
        pool->active++;
        pthread_mutex_unlock(&pool->lock);
        take_tasks(pool, start.thread);
        pthread_mutex_lock(&pool->lock);
        if (--pool->active == 0) pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

ck_pool *ck_pool_create(long helpers) {
    ck_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->threads = calloc((size_t)(helpers > 0 ? helpers : 1), sizeof *pool->threads);
    if (!pool->threads) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    while (pool->helpers < helpers) {
        helper_start *start = malloc(sizeof *start);
        if (!start) break;
        *start = (helper_start){pool, pool->helpers + 1};
        if (pthread_create(&pool->threads[pool->helpers], NULL, help, start) != 0) {
            free(start);
            break;
        }
        pool->helpers++;
    }
    return pool;
}

long ck_pool_helpers(const ck_pool *pool) {
    return pool->helpers;
}

void ck_pool_run(ck_pool *pool, long tasks, ck_pool_body body, void *context) {
    pthread_mutex_lock(&pool->lock);
    pool->tasks = tasks;
    pool->body = body;
    pool->context = context;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->generation++;
    pool->open = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);

    take_tasks(pool, 0);

    pthread_mutex_lock(&pool->lock);
    pool->open = false;  // a helper that wakes only now must not enter: the next call changes what it would read
    while (pool->active > 0) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void ck_pool_destroy(ck_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (long i = 0; i < pool->helpers; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
