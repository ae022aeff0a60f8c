// SPDX-License-Identifier: MIT
/*
 * Likeness by super-features (Shilane and others, FAST 2012): a rolling hash picks positions by content alone, of each
 * of sixteen transformations of the hashes there the greatest is a feature, and two features hashed together are one
 * super-feature. Files that share most of their content share most of their features.
 */
#include "pack/survey.h"
#include "pack/dedupe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
	PIECE = 1 << 20,
	FILES_A_JOB = 64,
	BYTES_A_JOB = 1 << 20,
	RAW_FEATURES = 2 * ERO_SURVEY_FEATURES,
	SKETCH_LIMIT = 1 << 20, /* larger files fill extents by themselves: neighbours do not matter */
	RANDOM_LEAST = 64 << 10,
	MOST_SAMPLES = 64,
	MOST_CHUNKS = 1 << 19,
	WINDOW_BITS = 8, /* one position in 256 */
};

struct job {
	struct ero_job job;
	struct ero_pack *pack;
	uint32_t average;       /* of chunks; 0: files are not chunked */
	struct ero_surveyed *files;
	size_t count;
	int rc;
	struct ero_error err;
};

struct worker {
	uint8_t *buffer;
	XXH3_state_t *state;
	struct ero_cdc cdc;
};

struct sketch {
	uint64_t rolling;
	uint64_t greatest[RAW_FEATURES];
};

static void *make_worker(void *context)
{
	struct worker *w = calloc(1, sizeof(*w));

	(void)context;
	if (w) {
		w->buffer = malloc(PIECE);
		w->state = XXH3_createState();
	}
	return w;
}

static void free_worker(void *worker)
{
	struct worker *w = worker;

	free(w->buffer);
	XXH3_freeState(w->state);
	ero_cdc_free(&w->cdc);
	free(w);
}

/* ---- one file ---- */

static uint64_t scramble(uint64_t x)
{
	x = htole64(x); /* numbers are hashed as bytes: the same ones on every machine, since the order of files follows from them */
	return XXH3_64bits(&x, sizeof(x));
}

/* Values that only need to be fixed and unrelated: hashes of small numbers. */
struct constants {
	uint64_t gear[256], factor[RAW_FEATURES], offset[RAW_FEATURES];
};

static void make_constants(struct constants *c)
{
	ero_gear(c->gear);
	for (unsigned i = 0; i < RAW_FEATURES; i++) {
		c->factor[i] = scramble(1000 + i) | 1;
		c->offset[i] = scramble(2000 + i);
	}
}

static void sketch_bytes(struct sketch *s, const struct constants *c, const uint8_t *bytes, size_t length)
{
	uint64_t h = s->rolling;

	for (size_t i = 0; i < length; i++) {
		h = (h << 1) + c->gear[bytes[i]];
		if (h >> (64 - WINDOW_BITS))
			continue;
		for (unsigned k = 0; k < RAW_FEATURES; k++) {
			uint64_t t = h * c->factor[k] + c->offset[k];

			if (t > s->greatest[k])
				s->greatest[k] = t;
		}
	}
	s->rolling = h;
}

static void finish_sketch(const struct sketch *s, struct ero_survey_detail *d)
{
	for (unsigned k = 0; k < ERO_SURVEY_FEATURES; k++) {
		uint64_t both[3] = { htole64(s->greatest[2 * k]), htole64(s->greatest[2 * k + 1]), htole64(k) };

		d->features[k] = (uint32_t)XXH3_64bits(both, sizeof(both));
	}
	d->sketched = true;
}

/* Features, if a position was picked, and chunks leave the worker. */
static bool keep_detail(struct worker *w, const struct sketch *sketch, struct ero_surveyed *f)
{
	size_t count = w->cdc.chunks.count, bytes = count * sizeof(f->detail->chunks[0]);

	if (!count && !sketch->greatest[0])
		return true;
	if (count > UINT32_MAX || !(f->detail = calloc(1, sizeof(*f->detail) + bytes)))
		return false;
	if (sketch->greatest[0])
		finish_sketch(sketch, f->detail);
	if (count)
		memcpy(f->detail->chunks, w->cdc.chunks.data, bytes);
	f->detail->chunk_count = (uint32_t)count;
	w->cdc.chunks.count = 0;
	return true;
}

/* Bytes that are all equally frequent leave nothing to an entropy coder, and were made by one, mostly. */
static bool looks_random(const uint8_t *bytes, size_t length)
{
	uint32_t counts[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < length; i++)
		counts[bytes[i]]++;
	for (unsigned i = 0; i < 256; i++)
		if (counts[i])
			bits -= counts[i] * log2((double)counts[i] / (double)length);
	return bits > 7.98 * (double)length;
}

/* Of a large file that is equal to no other: is what lies in it here and there random? */
static int sample_file(struct job *j, struct worker *w, struct ero_source_file *file, struct ero_surveyed *f)
{
	uint64_t size = f->node->size, samples = size / PIECE;
	int rc = 0;

	samples = samples < 3 ? 3 : samples > MOST_SAMPLES ? MOST_SAMPLES : samples;
	f->node->random = !f->node->maybe_sparse; /* holes would be written */
	for (uint64_t i = 0; !rc && f->node->random && i < samples; i++) {
		uint64_t at = (uint64_t)((double)(size - RANDOM_LEAST) * (double)i / (double)(samples - 1));

		rc = j->pack->source->ops->read(file, at, w->buffer, RANDOM_LEAST, &j->err);
		f->node->random = looks_random(w->buffer, RANDOM_LEAST);
	}
	return rc;
}

static int read_whole(struct job *j, struct worker *w, const struct constants *c, struct ero_source_file *file,
		      struct ero_surveyed *f)
{
	uint64_t size = f->node->size;
	bool chunked = j->average && size >= ERO_COPY_LEAST;
	struct sketch sketch = { 0 };
	int rc = 0;

	f->node->random = size >= RANDOM_LEAST && !f->node->maybe_sparse;
	XXH3_64bits_reset(w->state);
	for (uint64_t at = 0, part; !rc && at < size; at += part) {
		uint64_t data = at, end = size;

		if (f->node->maybe_sparse)
			rc = j->pack->source->ops->next_data(file, at, &data, &end, &j->err);
		if (!rc && data > at) { /* a hole is as good as its length */
			part = data - at;
			XXH3_64bits_update(w->state, &(uint64_t){ htole64(part) }, sizeof(part));
			if (chunked && !ero_cdc_hole(&w->cdc, part))
				rc = ero_fail_memory(&j->err);
			continue;
		}
		part = end - at < PIECE ? end - at : PIECE;
		if (!rc)
			rc = j->pack->source->ops->read(file, at, w->buffer, (size_t)part, &j->err);
		if (rc)
			break;
		XXH3_64bits_update(w->state, w->buffer, (size_t)part);
		f->node->random = f->node->random && (part < RANDOM_LEAST || looks_random(w->buffer, (size_t)part));
		if (size <= SKETCH_LIMIT && !f->node->random && ero_pack_gathers(j->pack->options))
			sketch_bytes(&sketch, c, w->buffer, (size_t)part);
		if (chunked && !ero_cdc_take(&w->cdc, w->buffer, (size_t)part))
			rc = ero_fail_memory(&j->err);
	}
	f->hash = XXH3_64bits_digest(w->state);
	f->node->hashed = true;
	if (!rc && ((chunked && !ero_cdc_end(&w->cdc)) || !keep_detail(w, &sketch, f)))
		rc = ero_fail_memory(&j->err);
	return rc;
}

static int survey_file(struct job *j, struct worker *w, const struct constants *c, struct ero_surveyed *f)
{
	struct ero_source_file file;
	int rc = j->pack->source->ops->open(j->pack->source, f->node, &file, &j->err);

	if (rc)
		return rc;
	if (f->node->twin || f->node->size <= SKETCH_LIMIT || j->average)
		rc = read_whole(j, w, c, &file, f);
	else
		rc = sample_file(j, w, &file, f);
	j->pack->source->ops->close(&file);
	return rc;
}

/* ---- all files ---- */

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;
	struct worker *w = worker;
	struct constants c;

	if (!w || !w->buffer || !w->state) {
		j->rc = ero_fail_memory(&j->err);
		return;
	}
	if (j->average && !w->cdc.digest && !ero_cdc_init(&w->cdc, j->average)) {
		j->rc = ero_fail_memory(&j->err);
		return;
	}
	make_constants(&c);
	for (size_t i = 0; !j->rc && i < j->count; i++)
		j->rc = survey_file(j, w, &c, &j->files[i]);
}

static int take(struct ero_pool *pool, struct ero_error *err)
{
	struct job *j = (struct job *)ero_pool_take(pool);
	int rc = j->rc;

	if (rc)
		*err = j->err;
	free(j);
	return rc;
}

static int submit(struct ero_pack *pack, struct ero_pool *pool, uint32_t average, struct ero_surveyed *files, size_t count,
		  struct ero_error *err)
{
	struct job *j;
	int rc = ero_pool_full(pool) ? take(pool, err) : 0;

	if (rc)
		return rc;
	j = calloc(1, sizeof(*j));
	if (!j)
		return ero_fail_memory(err);
	j->job.run = run;
	j->pack = pack;
	j->average = average;
	j->files = files;
	j->count = count;
	ero_pool_submit(pool, &j->job);
	return 0;
}

/* So large that half a million chunks, or not many more, hold all: they take about 120 bytes each until the files are stored. */
static uint32_t chunk_average(const struct ero_pack *pack)
{
	uint32_t average = ERO_CDC_AVERAGE_LEAST;

	while (average < ERO_CDC_AVERAGE_MOST && pack->tree->file_bytes / average > MOST_CHUNKS)
		average *= 2;
	return pack->options->dedupe && pack->options->compressor_count ? average : 0;
}

int ero_survey(struct ero_pack *pack, struct ero_surveyed *files, size_t count, struct ero_error *err)
{
	struct ero_pool_options options = { .threads = pack->options->workers, .make_worker = make_worker,
					    .free_worker = free_worker };
	struct ero_pool *pool;
	uint32_t average = chunk_average(pack);
	uint64_t bytes = 0;
	size_t from = 0;
	int rc = ero_pool_create(&options, &pool, err);

	for (size_t i = 0; !rc && i < count; i++) {
		bytes += files[i].node->size;
		if (i + 1 < count && i + 1 - from < FILES_A_JOB && bytes < BYTES_A_JOB)
			continue;
		rc = submit(pack, pool, average, files + from, i + 1 - from, err);
		from = i + 1;
		bytes = 0;
	}
	while (pool && !ero_pool_empty(pool)) {
		int late = take(pool, rc ? &(struct ero_error){ 0 } : err);

		rc = rc ? rc : late;
	}
	ero_pool_free(pool);
	return rc;
}
