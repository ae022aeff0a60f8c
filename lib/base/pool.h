/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads with ordered results: jobs run in any order and come back in the order of submission, so that
 * nothing that follows can depend on the number of threads. One thread submits and takes; the jobs must not. Small jobs may not
 * begin before there are many, or somebody takes.
 */
#ifndef ERO_BASE_POOL_H
#define ERO_BASE_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct ero_job {
	void (*run)(struct ero_job *job, void *worker); /* `worker`: what make_worker returned for this thread */
	uint32_t weight;   /* of a small job: bytes it handles, about; threads are woken for many of them at once. 0: not small */
	atomic_bool done;
};

struct ero_pool_options {
	unsigned threads;  /* 0: one per processor that this process may use */
	size_t in_flight;  /* most jobs submitted and not yet taken; 0: four per thread */
	/* Makes and frees what each thread owns (encoders, buffers); made inside the thread. May be NULL. */
	void *(*make_worker)(void *context);
	void (*free_worker)(void *worker);
	void *context;
};

struct ero_pool;

int ero_pool_create(const struct ero_pool_options *options, struct ero_pool **pool, struct ero_error *err);
/* True when a submission would exceed in_flight: take a result first. */
bool ero_pool_full(const struct ero_pool *pool);
bool ero_pool_empty(const struct ero_pool *pool);
void ero_pool_submit(struct ero_pool *pool, struct ero_job *job);
/* Waits for the oldest job, and on that occasion for some of the next ones, and returns it; NULL when none is in flight. */
struct ero_job *ero_pool_take(struct ero_pool *pool);
/* The jobs still in flight must have been taken. NULL is fine. */
void ero_pool_free(struct ero_pool *pool);

/* The weight of a job that handles so many bytes, and takes the time of `least` even for none. */
static inline uint32_t ero_job_weight(uint64_t bytes, uint32_t least)
{
	return bytes < least ? least : bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

#endif
