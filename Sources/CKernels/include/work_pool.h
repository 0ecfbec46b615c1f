#pragma once

/// A fork-join pool: helper threads that sleep in the kernel between calls, and the caller.
typedef struct ck_pool ck_pool;

/// `task` runs from 0, `thread` is 0 for the caller and 1… for the helpers.
typedef void (*ck_pool_body)(void *context, long task, long thread);

/// Starts `helpers` threads; fewer run if the system refuses. Null if there is no memory.
ck_pool *ck_pool_create(long helpers);

/// Helpers that were started.
long ck_pool_helpers(const ck_pool *pool);

/// Calls `body` once for every task in 0..<tasks, on whichever thread is free, and returns when all have returned.
void ck_pool_run(ck_pool *pool, long tasks, ck_pool_body body, void *context);

/// Joins the helpers.
void ck_pool_destroy(ck_pool *pool);
