// SPDX-License-Identifier: MIT
/* All data of regular files decoded, file by file in a pool; what fails is told in the order of the tree. */
#include "image/data.h"
#include "base/pool.h"
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

struct job {
	struct ero_job job;
	struct ero_image *image;
	struct ero_inode inode;
	struct ero_place at;
	char *name;
	int rc;
	struct ero_error err;
};

struct ero_data_check {
	struct ero_checker *c;
	struct ero_pool *pool;
};

static int discard(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	(void)context;
	(void)bytes;
	(void)offset;
	(void)length;
	(void)err;
	return 0;
}

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;

	if (!worker)
		j->rc = ero_fail_memory(&j->err);
	else
		j->rc = ero_data_stream(j->image, &j->inode, worker, discard, NULL, &j->err);
}

int ero_data_check_create(struct ero_checker *c, struct ero_data_check **result, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = c->options->workers, .in_flight = 256, .make_worker = ero_data_buffer_make,
		.free_worker = ero_data_buffer_free
	};
	struct ero_data_check *d = calloc(1, sizeof(*d));
	int rc;

	*result = NULL;
	if (!d)
		return ero_fail_memory(err);
	d->c = c;
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

	if (j->rc)
		ero_check_blame(d->c, "data.damaged", &j->at, j->rc, &j->err);
	free(j->name);
	free(j);
}

int ero_data_check_add(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode,
		       struct ero_error *err)
{
	struct job *j;

	if (d->c->image->lacks_devices) /* told once; what lies on them cannot be decoded */
		return 0;
	j = calloc(1, sizeof(*j));
	if (!j || !(j->name = malloc(at->name_length + 1))) {
		free(j);
		return ero_fail_memory(err);
	}
	if (at->name)
		memcpy(j->name, at->name, at->name_length); /* not a string: a damaged one may hold zeros */
	j->job.run = run;
	j->image = d->c->image;
	j->inode = *inode;
	j->at = *at;
	j->at.name = at->name ? j->name : NULL;
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
