// SPDX-License-Identifier: MIT
/* A ring of jobs: [taken, started) are running or done, [started, submitted) wait for a thread. */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct ero_pool {
	struct ero_pool_options options;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct ero_job **ring;
	size_t room, taken, started, submitted; /* counters only grow; index = counter % room */
	bool stop;
	unsigned running;  /* threads made */
	pthread_t *threads;
};

unsigned ero_processor_count(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : (unsigned)n;
}

static void *thread_main(void *argument)
{
	struct ero_pool *pool = argument;
	void *worker = pool->options.make_worker ? pool->options.make_worker(pool->options.context) : NULL;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct ero_job *job;

		while (!pool->stop && pool->started == pool->submitted)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->started == pool->submitted)
			break;
		job = pool->ring[pool->started++ % pool->room];
		pthread_mutex_unlock(&pool->lock);
		job->run(job, worker);
		pthread_mutex_lock(&pool->lock);
		job->done = true;
		if (job == pool->ring[pool->taken % pool->room])
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
	unsigned threads = options->threads ? options->threads : ero_processor_count();

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
	job->done = false;
	pthread_mutex_lock(&pool->lock);
	pool->ring[pool->submitted++ % pool->room] = job;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

struct ero_job *ero_pool_take(struct ero_pool *pool)
{
	struct ero_job *job;

	if (ero_pool_empty(pool))
		return NULL;
	pthread_mutex_lock(&pool->lock);
	job = pool->ring[pool->taken % pool->room];
	while (!job->done)
		pthread_cond_wait(&pool->done, &pool->lock);
	pool->taken++;
	pthread_mutex_unlock(&pool->lock);
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
