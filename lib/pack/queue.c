// SPDX-License-Identifier: MIT
/* Batches of jobs through the pool. A batch holds so many small files that waking a thread costs little beside them. */
#include "pack/job.h"

#include <stdlib.h>

enum { BATCHES = 32, BATCH_BYTES = 256 << 10, BATCH_JOBS = 64 };

struct ero_pack_batch {
	struct ero_job job;
	struct ero_pack_job *jobs[BATCH_JOBS];
	unsigned count;
	size_t bytes;
};

bool ero_pack_ensure(uint8_t **buffer, size_t *room, size_t want)
{
	uint8_t *grown;

	if (*room >= want)
		return true;
	if (want < *room + *room / 2)
		want = *room + *room / 2;
	grown = realloc(*buffer, want);
	if (!grown)
		return false;
	*buffer = grown;
	*room = want;
	return true;
}

static void *make_worker(void *context)
{
	struct ero_pack_worker *w = calloc(1, sizeof(*w));

	if (w)
		w->pack = context;
	return w;
}

static void free_worker(void *worker)
{
	struct ero_pack_worker *w = worker;

	for (unsigned i = 0; i < ERO_MAX_COMPRESSORS; i++)
		if (w->encoders[i])
			ero_codec_find(w->pack->compressors[i].name, NULL)->destroy(w->encoders[i]);
	free(w->in);
	free(w->scratch);
	free(w->blocks);
	free(w);
}

void ero_pack_job_free(struct ero_pack_job *j)
{
	free(j->out);
	free(j->owned);
	free(j->tail);
	ero_vec_free(&j->extents);
	ero_vec_free(&j->pieces);
	ero_vec_free(&j->reuses);
	ero_vec_free(&j->repeats);
	ero_vec_free(&j->parts);
	ero_vec_free(&j->chunks);
	free(j);
}

static void free_batch(struct ero_pack_batch *b)
{
	for (unsigned i = 0; b && i < b->count; i++)
		ero_pack_job_free(b->jobs[i]);
	free(b);
}

static void run_batch(struct ero_job *job, void *worker)
{
	struct ero_pack_batch *b = (struct ero_pack_batch *)job;

	for (unsigned i = 0; i < b->count; i++) {
		if (worker)
			b->jobs[i]->run(b->jobs[i], worker);
		else
			b->jobs[i]->rc = ero_fail_memory(&b->jobs[i]->err);
	}
}

static int take_batch(struct ero_pack_queue *q, struct ero_error *err)
{
	struct ero_pack_batch *b = (struct ero_pack_batch *)ero_pool_take(q->pool);
	int rc = 0;

	q->in_flight -= b->bytes;
	for (unsigned i = 0; !rc && i < b->count; i++) {
		rc = b->jobs[i]->rc;
		if (rc)
			*err = b->jobs[i]->err;
		else
			rc = q->place(q->context, b->jobs[i], err);
	}
	free_batch(b);
	return rc;
}

static void send_open(struct ero_pack_queue *q)
{
	if (q->open)
		ero_pool_submit(q->pool, &q->open->job);
	q->open = NULL;
}

int ero_pack_queue_open(struct ero_pack_queue *q, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = q->pack->options->workers,
		.in_flight = BATCHES,
		.make_worker = make_worker,
		.free_worker = free_worker,
		.context = q->pack,
	};

	return ero_pool_create(&options, &q->pool, err);
}

/* Plain bytes of jobs that may be under way. Where jobs are long, as many as there are threads. */
static size_t most_in_flight(const struct ero_pack_queue *q, const struct ero_pack_job *job)
{
	size_t of_all = job->length * q->pack->options->workers;

	return of_all > ERO_PACK_IN_FLIGHT ? of_all : ERO_PACK_IN_FLIGHT;
}

int ero_pack_queue_submit(struct ero_pack_queue *q, struct ero_pack_job *job, struct ero_error *err)
{
	struct ero_pack_batch *b = q->open;
	int rc = 0;

	if (b && (b->count == BATCH_JOBS || b->bytes + job->length > BATCH_BYTES))
		send_open(q);
	/* what is taken here depends on the jobs alone, not on how far the threads are */
	while (!rc && !ero_pool_empty(q->pool) &&
	       ((!q->open && ero_pool_full(q->pool)) || q->in_flight + job->length > most_in_flight(q, job)))
		rc = take_batch(q, err);
	if (!rc && !q->open && !(q->open = calloc(1, sizeof(*q->open))))
		rc = ero_fail_memory(err);
	if (rc) {
		ero_pack_job_free(job);
		return rc;
	}
	q->open->job.run = run_batch;
	q->open->jobs[q->open->count++] = job;
	q->open->bytes += job->length;
	q->in_flight += job->length;
	return 0;
}

bool ero_pack_queue_idle(const struct ero_pack_queue *q)
{
	return !q->open && ero_pool_empty(q->pool);
}

int ero_pack_queue_advance(struct ero_pack_queue *q, struct ero_error *err)
{
	send_open(q); /* there is room: it was made before the batch was opened */
	return ero_pool_empty(q->pool) ? 0 : take_batch(q, err);
}

int ero_pack_queue_drain(struct ero_pack_queue *q, struct ero_error *err)
{
	int rc = 0;

	send_open(q); /* there is room: it was made before the batch was opened */
	while (!rc && !ero_pool_empty(q->pool))
		rc = take_batch(q, err);
	return rc;
}

void ero_pack_queue_close(struct ero_pack_queue *q)
{
	while (q->pool && !ero_pool_empty(q->pool))
		free_batch((struct ero_pack_batch *)ero_pool_take(q->pool));
	ero_pool_free(q->pool);
	free_batch(q->open);
}
