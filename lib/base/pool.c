// SPDX-License-Identifier: MIT
/*
 * A ring of jobs: [taken, started) are running or done, [started, submitted) wait for a thread. To wake a thread costs more
 * than a small job: threads are called when a share of work has come together, take as much at once, and call back when so
 * many jobs are done that there is something to take for a while.
 */
#include "base/pool.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHARE = 128 << 10, SHARE_JOBS = 32 };

struct ero_pool {
	struct ero_pool_options options;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct ero_job **ring;
	size_t room, taken, started, submitted; /* counters only grow; index = counter % room */
	size_t held;       /* weight of the jobs that no thread was called for yet */
	size_t awaited;    /* while somebody waits: the jobs up to here are to be done, and there is one */
	bool waiting, stop;
	unsigned running;  /* threads made */
	pthread_t *threads;
};

static size_t weight(const struct ero_job *job)
{
	return job->weight ? job->weight : SHARE;
}

static struct ero_job *at(const struct ero_pool *pool, size_t number)
{
	return pool->ring[number % pool->room];
}

static bool done(const struct ero_job *job)
{
	return atomic_load_explicit(&job->done, memory_order_acquire);
}

/* Is there what take() waits for? The oldest job, and a later one, so that it need not wait again at once. */
static bool ready(const struct ero_pool *pool)
{
	return done(at(pool, pool->taken)) && done(at(pool, pool->awaited));
}

/* A thread's next share of the jobs, never more than leaves as much for each of the others. With the lock held. */
static unsigned start_some(struct ero_pool *pool, struct ero_job **jobs)
{
	size_t fair = (pool->submitted - pool->started) / pool->running + 1, sum = 0;
	unsigned count = 0;

	while (pool->started < pool->submitted && count < SHARE_JOBS && count < fair && sum < SHARE) {
		jobs[count] = at(pool, pool->started++);
		sum += weight(jobs[count++]);
	}
	return count;
}

static void *thread_main(void *argument)
{
	struct ero_pool *pool = argument;
	void *worker = pool->options.make_worker ? pool->options.make_worker(pool->options.context) : NULL;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct ero_job *jobs[SHARE_JOBS];
		unsigned count;

		while (!pool->stop && pool->started == pool->submitted)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->started == pool->submitted)
			break;
		count = start_some(pool, jobs);
		pthread_mutex_unlock(&pool->lock);
		for (unsigned i = 0; i < count; i++) {
			jobs[i]->run(jobs[i], worker);
			/* from here on it belongs to who takes it */
			atomic_store_explicit(&jobs[i]->done, true, memory_order_release);
		}
		pthread_mutex_lock(&pool->lock);
		if (pool->waiting && ready(pool))
			pthread_cond_signal(&pool->done);
	}
	pthread_mutex_unlock(&pool->lock);
	if (pool->options.free_worker && worker)
		pool->options.free_worker(worker);
	return NULL;
}

int ero_pool_create(const struct ero_pool_options *options, struct ero_pool **result, struct ero_error *err)
{
	struct ero_pool *pool = calloc(1, sizeof(*pool));
	unsigned threads = ero_limits_workers(options->threads, 0, 0, 1);

	*result = NULL;
	if (!pool)
		return ero_fail_memory(err);
	pool->options = *options;
	pool->room = options->in_flight ? options->in_flight : (size_t)threads * 4;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->done, NULL);
	pool->ring = calloc(pool->room, sizeof(struct ero_job *));
	pool->threads = calloc(threads, sizeof(pthread_t));
	if (!pool->ring || !pool->threads) {
		ero_pool_free(pool);
		return ero_fail_memory(err);
	}
	for (; pool->running < threads; pool->running++) {
		int code = pthread_create(&pool->threads[pool->running], NULL, thread_main, pool);

		if (code && pool->running)
			break; /* fewer threads than wished for do the same work */
		if (code) {
			ero_pool_free(pool);
			errno = code;
			return ero_fail_errno(err, "cannot start a thread");
		}
	}
	*result = pool;
	return 0;
}

bool ero_pool_full(const struct ero_pool *pool)
{
	return pool->submitted - pool->taken == pool->room;
}

bool ero_pool_empty(const struct ero_pool *pool)
{
	return pool->submitted == pool->taken;
}

void ero_pool_submit(struct ero_pool *pool, struct ero_job *job)
{
	atomic_store_explicit(&job->done, false, memory_order_relaxed);
	pthread_mutex_lock(&pool->lock);
	pool->ring[pool->submitted++ % pool->room] = job;
	pool->held += weight(job);
	if (pool->held >= SHARE) {
		pool->held = 0;
		pthread_cond_signal(&pool->work);
	}
	pthread_mutex_unlock(&pool->lock);
}

struct ero_job *ero_pool_take(struct ero_pool *pool)
{
	struct ero_job *job;

	if (ero_pool_empty(pool))
		return NULL;
	job = at(pool, pool->taken);
	if (!done(job)) {
		pthread_mutex_lock(&pool->lock);
		pool->held = 0;
		if (pool->started < pool->submitted)
			pthread_cond_broadcast(&pool->work);
		pool->awaited = pool->taken + (pool->submitted - pool->taken) / 4;
		pool->waiting = true;
		while (!ready(pool))
			pthread_cond_wait(&pool->done, &pool->lock);
		pool->waiting = false;
		pthread_mutex_unlock(&pool->lock);
	}
	pool->taken++; /* nobody else reads it, but while this one waits */
	return job;
}

void ero_pool_free(struct ero_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->running; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->done);
	free(pool->ring);
	free(pool->threads);
	free(pool);
}
