// SPDX-License-Identifier: MIT
/* The content of all regular files, a few files at a time in a pool; what is found is told in the order of the tree. */
#include "base/limits.h"
#include "base/pool.h"
#include "check/check.h"
#include "check/content.h"
#include "format/xattr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_LEAST = 2048,         /* bytes that could be decoded in the time that any file costs */
	PLAIN_EASE = 16,           /* plain bytes that are read in the time that one is decoded */
	BATCH = 32,                /* most files that are handed to a thread at once */
	BATCH_WEIGHT = 64 << 10,   /* bytes that are enough for it */
	GAP = 4096                 /* bytes between two plain extents that are read with them */
};

struct range {
	uint64_t start, end;
};

struct file {
	struct ero_content content;
	uint8_t *again;         /* malloc'ed, or NULL */
	struct ero_place at;
	int rc;
	struct ero_error *err;  /* if there is one */
	struct ero_extent extents[]; /* and the name behind them */
};

struct batch {
	struct ero_job job;
	unsigned count;
	struct file *files[BATCH];
};

struct ero_data_check {
	struct ero_checker *c;
	struct ero_pool *pool;
	struct batch *batch; /* being filled; may be NULL */
	ERO_VEC(struct range) bad; /* of the packed inode, in order */
	int null; /* /dev/null; -1: there is none */
	char digest_name[32 + 256]; /* "": none */
};

/* The first extents of files, where they are plain and one lies behind the other, are read at once. If that fails, each file will say so
 * itself. */
static void read_together(struct batch *b)
{
	const struct ero_content *first = &b->files[0]->content; /* image and /dev/null are the same for all */
	const struct ero_extent *e, *next;
	uint64_t end;

	if (first->image->device_count > 1) /* addresses that follow each other may lie on different ones */
		return;
	for (unsigned i = 0, last; i < b->count; i = last) {
		last = i + 1;
		e = ero_content_plain(&b->files[i]->content);
		if (!e || __builtin_add_overflow(e->physical, e->length, &end))
			continue;
		for (; last < b->count && (next = ero_content_plain(&b->files[last]->content)); last++) {
			uint64_t next_end;

			if (next->physical < end || next->physical - end >= GAP || __builtin_add_overflow(next->physical, next->length, &next_end))
				break;
			end = next_end;
		}
		if (last == i + 1 || ero_device_read_nowhere(first->image, e->device, e->physical, end - e->physical, first->null, NULL))
			continue;
		for (unsigned k = i; k < last; k++)
			b->files[k]->content.read = 1;
	}
}

static void run(struct ero_job *job, void *worker)
{
	struct batch *b = (struct batch *)job;
	struct ero_error err;

	read_together(b);
	for (unsigned i = 0; i < b->count; i++) {
		struct file *f = b->files[i];

		f->rc = worker ? ero_check_content(&f->content, worker, &err) : ero_fail_memory(&err);
		if (f->rc && (f->err = malloc(sizeof(err))))
			*f->err = err;
		else if (f->rc)
			f->rc = -ENOMEM;
	}
}

/* The name that is asked for, or the one in the superblock. */
static int choose_name(struct ero_data_check *d, const char *name, struct ero_error *err)
{
	const struct ero_image *image = d->c->image;
	unsigned number = image->super.ishare_prefix;
	const struct ero_long_prefix *p = number < image->prefix_count ? &image->prefixes[number] : NULL;
	const char *base = p ? ero_xattr_prefix(p->base_index) : NULL;

	if (!name)
		return 0;
	if (*name)
		snprintf(d->digest_name, sizeof(d->digest_name), "%s", name);
	else if (p && (image->super.feature_compat & ERO_COMPAT_ISHARE_XATTRS))
		snprintf(d->digest_name, sizeof(d->digest_name), "%s%.*s", base ? base : "", (int)p->length, p->infix);
	else
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENODATA, "%s names no xattr for the digests of its files; --xattr-inode-digest=NAME does",
				image->devices[0].path);
	return 0;
}

static void drop(struct ero_data_check *d)
{
	if (d->null >= 0)
		close(d->null);
	ero_vec_free(&d->bad);
	free(d);
}

int ero_data_check_create(struct ero_checker *c, struct ero_data_check **result, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = ero_limits_workers(c->options->workers, c->options->memory, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), .in_flight = 4096 / BATCH, .make_worker = ero_data_buffer_make,
		.free_worker = ero_data_buffer_free
	};
	struct ero_data_check *d = calloc(1, sizeof(*d));
	int rc;

	*result = NULL;
	if (!d)
		return ero_fail_memory(err);
	d->c = c;
	d->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rc = choose_name(d, c->options->inode_digest, err);
	if (!rc)
		rc = ero_pool_create(&options, &d->pool, err);
	if (rc)
		drop(d);
	else
		*result = d;
	return rc;
}

/* Is something of what the file has in the packed inode damaged? All of that has been taken before any file. */
static const struct range *bad_fragment(const struct ero_data_check *d, const struct ero_content *c)
{
	size_t low = 0, high = d->bad.count;

	while (low < high) { /* the first one that ends behind its beginning */
		size_t middle = low + (high - low) / 2;

		if (d->bad.data[middle].end <= c->fragment)
			low = middle + 1;
		else
			high = middle;
	}
	return c->fragment_length && low < d->bad.count && d->bad.data[low].start < c->fragment + c->fragment_length ? &d->bad.data[low] : NULL;
}

static void tell(struct ero_data_check *d, const struct file *f)
{
	const struct range *bad = bad_fragment(d, &f->content);

	if (f->content.packed && f->err && f->err->kind == ERO_ERROR_CORRUPT) {
		const struct ero_extent *last = &f->content.extents[f->content.extent_count - 1];
		struct range r = { f->content.extents[0].logical, last->logical + last->length };

		if (!ero_vec_push(&d->bad, r))
			ero_check_no_memory(d->c);
	}
	if (bad)
		ero_check_tell(d->c, "data.damaged", &f->at, "its data lie in bytes %llu to %llu of the packed inode, which are damaged",
			       (unsigned long long)bad->start, (unsigned long long)bad->end);
	if (f->err)
		ero_check_blame(d->c, "data.damaged", &f->at, f->rc, f->err);
	else if (f->rc)
		ero_check_no_memory(d->c);
	else if (f->content.unclean)
		ero_check_tell(d->c, "data.padding", &f->at, "what lies behind its end in its last block is not zero");
	if (f->content.filled)
		ero_check_tell(d->c, "data.hole", &f->at, "an extent is marked as a hole, and what is stored there is not zero");
	if (f->content.differs)
		ero_check_tell(d->c, "digest.differs", &f->at, "the content is not what xattr %s says", d->digest_name);
	if (f->content.missing)
		ero_check_tell(d->c, "digest.missing", &f->at, "there is no xattr %s", d->digest_name);
}

static void take(struct ero_data_check *d)
{
	struct batch *b = (struct batch *)ero_pool_take(d->pool);

	for (unsigned i = 0; i < b->count; i++) {
		tell(d, b->files[i]);
		free(b->files[i]->err);
		free(b->files[i]->again);
		free(b->files[i]);
	}
	free(b);
}

static void submit(struct ero_data_check *d)
{
	if (!d->batch)
		return;
	if (ero_pool_full(d->pool))
		take(d);
	ero_pool_submit(d->pool, &d->batch->job);
	d->batch = NULL;
}

static int add(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode, const struct ero_extent *extents,
	       unsigned count, bool packed, struct ero_error *err)
{
	bool some_again = !packed && !d->c->none_again;
	uint64_t bytes;
	struct file *f;

	if (d->c->image->lacks_devices || (!inode->size && !*d->digest_name)) /* the former is told once */
		return 0;
	f = calloc(1, sizeof(*f) + count * sizeof(f->extents[0]) + at->name_length);
	if (!f || (!d->batch && !(d->batch = calloc(1, sizeof(*d->batch))))) {
		free(f);
		return ero_fail_memory(err);
	}
	f->content.image = d->c->image;
	f->content.null = d->null;
	f->content.digest_name = *d->digest_name && !packed ? d->digest_name : NULL;
	f->content.packed = packed;
	if (some_again && !(f->again = malloc(d->c->again.count))) {
		free(f);
		return ero_fail_memory(err);
	}
	if (some_again)
		f->content.again = memcpy(f->again, d->c->again.data, d->c->again.count);
	f->content.inode = *inode;
	memcpy(f->extents, extents, count * sizeof(f->extents[0]));
	f->content.extents = f->extents;
	f->content.extent_count = count;
	f->at = *at;
	if (at->name)
		f->at.name = memcpy(&f->extents[count], at->name, at->name_length); /* no string: a damaged one may hold zeros */
	d->batch->job.run = run;
	bytes = packed ? extents[0].length : inode->size;
	d->batch->job.weight += ero_job_weight(ero_content_plain(&f->content) ? bytes / PLAIN_EASE : bytes, FILE_LEAST);
	d->batch->files[d->batch->count++] = f;
	if (d->batch->count == BATCH || d->batch->job.weight >= BATCH_WEIGHT)
		submit(d);
	return 0;
}

int ero_data_check_add(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode, struct ero_error *err)
{
	return add(d, at, inode, d->c->extents, d->c->extent_count, false, err);
}

int ero_data_check_packed(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode, struct ero_error *err)
{
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, d->c->image, inode, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0)
		rc = add(d, at, inode, &e, 1, true, err);
	return rc == -EUCLEAN ? 0 : rc; /* what its map lacks has been told */
}

void ero_data_check_finish(struct ero_data_check *d)
{
	if (!d)
		return;
	submit(d);
	while (!ero_pool_empty(d->pool))
		take(d);
	ero_pool_free(d->pool);
	drop(d);
}
