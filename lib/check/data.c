// SPDX-License-Identifier: MIT
/* The content of all regular files, file by file in a pool; what is found is told in the order of the tree. */
#include "base/pool.h"
#include "check/check.h"
#include "check/content.h"
#include "format/xattr.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_LEAST = 2048 }; /* bytes that could be decoded in the time that any file costs */

struct job {
	struct ero_job job;
	struct ero_content content;
	struct ero_place at;
	int rc;
	struct ero_error *err;  /* if there is one */
	struct ero_extent extents[]; /* and the name behind them */
};

struct ero_data_check {
	struct ero_checker *c;
	struct ero_pool *pool;
	char digest_name[32 + 256]; /* "": none */
};

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;
	struct ero_error err;

	j->rc = worker ? ero_check_content(&j->content, worker, &err) : ero_fail_memory(&err);
	if (j->rc && (j->err = malloc(sizeof(err))))
		*j->err = err;
	else if (j->rc)
		j->rc = -ENOMEM;
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

int ero_data_check_create(struct ero_checker *c, struct ero_data_check **result, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = c->options->workers, .in_flight = 4096, .make_worker = ero_data_buffer_make,
		.free_worker = ero_data_buffer_free
	};
	struct ero_data_check *d = calloc(1, sizeof(*d));
	int rc;

	*result = NULL;
	if (!d)
		return ero_fail_memory(err);
	d->c = c;
	rc = choose_name(d, c->options->inode_digest, err);
	if (!rc)
		rc = ero_pool_create(&options, &d->pool, err);
	if (rc) {
		free(d);
		return rc;
	}
	*result = d;
	return 0;
}

static void take(struct ero_data_check *d)
{
	struct job *j = (struct job *)ero_pool_take(d->pool);

	if (j->err)
		ero_check_blame(d->c, "data.damaged", &j->at, j->rc, j->err);
	else if (j->rc)
		ero_check_no_memory(d->c);
	else if (j->content.unclean)
		ero_check_tell(d->c, "data.padding", &j->at, "what lies behind its end in its last block is not zero");
	if (j->content.filled)
		ero_check_tell(d->c, "data.hole", &j->at, "an extent is marked as a hole, and what is stored there is not zero");
	if (j->content.differs)
		ero_check_tell(d->c, "digest.differs", &j->at, "the content is not what xattr %s says", d->digest_name);
	if (j->content.missing)
		ero_check_tell(d->c, "digest.missing", &j->at, "there is no xattr %s", d->digest_name);
	free(j->err);
	free(j);
}

int ero_data_check_add(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode,
		       struct ero_error *err)
{
	unsigned count = d->c->extent_count;
	struct job *j;

	if (d->c->image->lacks_devices || (!inode->size && !*d->digest_name)) /* the former is told once */
		return 0;
	j = calloc(1, sizeof(*j) + count * sizeof(j->extents[0]) + at->name_length);
	if (!j)
		return ero_fail_memory(err);
	j->job.run = run;
	j->job.weight = ero_job_weight(inode->size, JOB_LEAST);
	j->content.image = d->c->image;
	j->content.digest_name = *d->digest_name ? d->digest_name : NULL;
	j->content.inode = *inode;
	memcpy(j->extents, d->c->extents, count * sizeof(j->extents[0]));
	j->content.extents = j->extents;
	j->content.extent_count = count;
	j->at = *at;
	if (at->name)
		j->at.name = memcpy(&j->extents[count], at->name, at->name_length); /* no string: a damaged one may hold zeros */
	if (ero_pool_full(d->pool))
		take(d);
	ero_pool_submit(d->pool, &j->job);
	return 0;
}

void ero_data_check_finish(struct ero_data_check *d)
{
	if (!d)
		return;
	while (!ero_pool_empty(d->pool))
		take(d);
	ero_pool_free(d->pool);
	free(d);
}
