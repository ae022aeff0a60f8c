// SPDX-License-Identifier: MIT
/* Files of all types but directories. Regular ones are made here and filled by the pool, a file each. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/limits.h"
#include "extract/extract.h"
#include "image/data.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	SPARSE_UNIT = 65536, /* aligned runs of zeros this long are left as holes */
	JOB_LEAST = 16384,   /* bytes that could be written in the time that any file costs */
};

/* Bytes that could not be read, and why. */
struct hole {
	uint64_t offset, length;
	char *why;
};

struct job {
	struct ero_job job;
	struct ero_extractor *x;
	struct ero_inode inode;
	const struct ero_node *dir;
	char *name;
	int fd;
	uint64_t written; /* end of what was written */
	int rc;
	struct ero_error err;
	ERO_VEC(struct hole) holes; /* of a file that is salvaged */
};

/* ---- in the pool ---- */

static int write_part(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	struct job *j = context;

	if (!bytes)
		return 0;
	while (length) {
		size_t part = (size_t)(SPARSE_UNIT - offset % SPARSE_UNIT);
		int rc = 0;

		if (part > length)
			part = length;
		if (part < SPARSE_UNIT || !ero_all_zero(bytes, part)) {
			/* as much as possible at once: up to the next unit of zeros */
			while (part < length) {
				size_t unit = length - part < SPARSE_UNIT ? length - part : SPARSE_UNIT;

				if (unit == SPARSE_UNIT && ero_all_zero(bytes + part, unit))
					break;
				part += unit;
			}
			if (atomic_fetch_add(&j->x->bytes, part) + part > j->x->max_bytes) {
				j->x->stopped = true;
				return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG, "the limit of what may be written is reached");
			}
			rc = ero_pwrite_full(j->fd, bytes, part, offset, j->name, err);
			j->written = offset + part;
		}
		if (rc)
			return rc;
		bytes += part;
		offset += part;
		length -= part;
	}
	return 0;
}

static int note_hole(struct job *j, uint64_t offset, uint64_t length, struct ero_error *err)
{
	struct hole hole = { .offset = offset, .length = length, .why = strdup(err->text) };

	if (hole.why && ero_vec_push(&j->holes, hole))
		return 0;
	free(hole.why);
	return ero_fail_memory(err);
}

/* What decodes of a damaged extent; the rest of it is a hole. */
static int salvage_extent(struct job *j, const struct ero_extent *e, struct ero_data_buffer *buffer, struct ero_error *err)
{
	struct ero_error why = *err;
	size_t good = 0;

	/* the buffer has room: decoding has failed in it */
	if (e->kind == ERO_EXTENT_ENCODED && !ero_data_decode_prefix(j->x->image, &j->inode, e, buffer, buffer->bytes, &good, err)) {
		int rc = write_part(j, buffer->bytes, e->logical, good, err);

		if (rc)
			return rc;
	}
	return note_hole(j, e->logical + good, e->length - good, &why);
}

/* All extents that can be read, one by one; the others are left as holes. */
static int salvage(struct job *j, struct ero_data_buffer *buffer, struct ero_error *err)
{
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, j->x->image, &j->inode, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0) {
		rc = ero_data_stream_extent(j->x->image, &j->inode, &e, buffer, write_part, j, err);
		if (rc && err->kind == ERO_ERROR_CORRUPT)
			rc = salvage_extent(j, &e, buffer, err);
	}
	if (rc && err->kind == ERO_ERROR_CORRUPT) /* where it goes on is not known */
		rc = note_hole(j, map.at, j->inode.size - map.at, err);
	return rc;
}

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;

	if (!worker)
		j->rc = ero_fail_memory(&j->err);
	else if (j->x->options->salvage)
		j->rc = salvage(j, worker, &j->err);
	else
		j->rc = ero_data_stream(j->x->image, &j->inode, worker, write_part, j, &j->err);
	if (!j->rc && j->written != j->inode.size && ftruncate(j->fd, (off_t)j->inode.size))
		j->rc = ero_fail_errno(&j->err, "cannot set its size");
	if (!j->rc)
		j->rc = ero_extract_attributes(j->x, j->fd, &j->inode, &j->err);
	if (close(j->fd) && !j->rc)
		j->rc = ero_fail_errno(&j->err, "cannot finish writing it");
}

/* ---- in the thread that walks ---- */

static void take(struct ero_extractor *x)
{
	struct job *j = (struct job *)ero_pool_take(x->pool);

	if (j->rc && j->rc != -EFBIG) /* which is said once, at the end */
		ero_extract_tell(x, j->dir, j->name, j->inode.nid,
				 j->err.kind == ERO_ERROR_CORRUPT ? "data.damaged" : "extract.file", "%s", j->err.text);
	for (size_t i = 0; i < j->holes.count; i++) {
		const struct hole *h = &j->holes.data[i];

		ero_extract_tell(x, j->dir, j->name, j->inode.nid, "data.damaged", "%llu bytes from byte %llu on are lost: %s",
				 (unsigned long long)h->length, (unsigned long long)h->offset, h->why);
		free(h->why);
	}
	ero_vec_free(&j->holes);
	free(j->name);
	free(j);
}

int ero_extract_files_begin(struct ero_extractor *x, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = ero_limits_workers(x->options->workers, x->options->memory, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), .in_flight = 128, .make_worker = ero_data_buffer_make,
		.free_worker = ero_data_buffer_free
	};

	return ero_pool_create(&options, &x->pool, err);
}

void ero_extract_files_end(struct ero_extractor *x)
{
	if (!x->pool)
		return;
	while (!ero_pool_empty(x->pool))
		take(x);
	ero_pool_free(x->pool);
	x->pool = NULL;
}

/* A second name of a file that says it has one would be a second file, and a small image could have millions of them. */
static int is_second(struct ero_extractor *x, const struct ero_inode *inode, struct ero_error *err)
{
	int again = ero_bits_mark(&x->met[ero_in_metabox(inode->nid)], inode->position / ERO_INODE_UNIT);

	if (again < 0)
		return ero_fail_memory(err);
	return again ? ero_fail(err, ERO_ERROR_CORRUPT, EMLINK, "it is a second name of a file whose link count is %u: it is not written again",
				inode->nlink) : 0;
}

/* A further name of a file that was made already: 1 if so, 0 if this is its first name. */
static int try_link(struct ero_extractor *x, const struct ero_node *dir, int dirfd, const char *name,
		    const struct ero_inode *inode, struct ero_error *err)
{
	struct ero_extracted_link new = { .dir = dir }, *l;
	struct ero_dirfd *first;
	uint32_t number;
	bool is_new;
	int rc;

	if (inode->nlink < 2)
		return is_second(x, inode, err);
	if (!ero_vec_push(&x->links, new)) /* before it has a number, so that each number has its place */
		return ero_fail_memory(err);
	number = ero_keys_number(&x->linked, inode->nid, 0, &is_new);
	if (number == UINT32_MAX || !is_new)
		x->links.count--;
	if (number == UINT32_MAX)
		return ero_fail_memory(err);
	l = &x->links.data[number];
	if (is_new)
		return (l->name = ero_arena_string(&x->arena, name, strlen(name))) ? 0 : ero_fail_memory(err);
	if (!l->name)
		return ero_fail(err, ERO_ERROR_IO, ENOMEM, "its first name could not be kept in memory");
	rc = ero_dirfds_get(x->fds, l->dir, &first, err);
	if (rc)
		return rc;
	if (linkat(first->fd, l->name, dirfd, name, 0))
		rc = ero_fail_errno(err, "cannot link it to its first name %s", l->name);
	ero_dirfds_put(x->fds, first);
	return rc ? rc : 1;
}

static int make_regular(struct ero_extractor *x, const struct ero_node *dir, int dirfd, const char *name,
			const struct ero_inode *inode, struct ero_error *err)
{
	struct job *j = calloc(1, sizeof(*j));
	int rc = 0;

	if (!j || !(j->name = strdup(name)))
		rc = ero_fail_memory(err);
	while (ero_pool_full(x->pool))
		take(x);
	if (!rc) {
		while ((j->fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0 &&
		       (errno == EMFILE || errno == ENFILE) && !ero_pool_empty(x->pool))
			take(x); /* which closes one */
		if (j->fd < 0)
			rc = ero_fail_errno(err, "cannot create it");
	}
	if (rc) {
		if (j)
			free(j->name);
		free(j);
		return rc;
	}
	j->job.run = run;
	j->job.weight = ero_job_weight(inode->size, JOB_LEAST);
	j->x = x;
	j->inode = *inode;
	j->dir = dir;
	ero_pool_submit(x->pool, &j->job);
	return 0;
}

static int make_link(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
		     struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *target = NULL;
	ERO_AUTO_FREE char *text = NULL;
	int rc = ero_data_read_all(x->image, inode, 4095, &target, err);

	if (rc)
		return rc;
	text = strndup((const char *)target, (size_t)inode->size);
	if (!text)
		return ero_fail_memory(err);
	if (symlinkat(text, dirfd, name))
		return ero_fail_errno(err, "cannot create the symbolic link");
	return ero_extract_attributes_of_special(x, dirfd, name, inode, err);
}

static int make_special(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
			struct ero_error *err)
{
	dev_t dev = makedev(ero_rdev_major(inode->rdev), ero_rdev_minor(inode->rdev));

	if (mknodat(dirfd, name, (inode->mode & S_IFMT) | 0600, dev))
		return ero_fail_errno(err, "cannot create the special file");
	return ero_extract_attributes_of_special(x, dirfd, name, inode, err);
}

void ero_extract_file(struct ero_extractor *x, const struct ero_node *dir, int dirfd, const char *name,
		      const struct ero_inode *inode)
{
	struct ero_error err = { 0 };
	int rc = 0;

	if (x->options->overwrite && unlinkat(dirfd, name, 0) && errno != ENOENT)
		rc = ero_fail_errno(&err, "cannot remove what is there");
	if (!rc)
		rc = try_link(x, dir, dirfd, name, inode, &err);
	if (rc == 1)
		return;
	if (!rc && ++x->files > x->max_files) /* the limit is said by who asked for it */
		return;
	if (!rc && S_ISREG(inode->mode))
		rc = make_regular(x, dir, dirfd, name, inode, &err);
	else if (!rc && S_ISLNK(inode->mode))
		rc = make_link(x, dirfd, name, inode, &err);
	else if (!rc)
		rc = make_special(x, dirfd, name, inode, &err);
	if (rc)
		ero_extract_tell(x, dir, name, inode->nid, rc == -EMLINK ? "inode.nlink" : err.kind == ERO_ERROR_CORRUPT ? "data.damaged" :
				 "extract.file", "%s", err.text);
}
