// SPDX-License-Identifier: MIT
/* All data of regular files decoded, and hashed if its digests are asked for, file by file in a pool; what fails is told in
 * the order of the tree. */
#include "image/data.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/pool.h"
#include "check/check.h"
#include "format/xattr.h"
#include "image/xattr.h"

#include <stdlib.h>
#include <string.h>

struct job {
	struct ero_job job;
	struct ero_image *image;
	struct ero_inode inode;
	struct ero_place at;
	char *name;
	const char *digest_name;  /* of the xattr; NULL: not asked for */
	struct ero_sha256 *digest;
	bool differs, missing, unclean;
	int rc;
	struct ero_error err;
};

struct ero_data_check {
	struct ero_checker *c;
	struct ero_pool *pool;
	char digest_name[32 + 256]; /* "": none */
};

static int take_bytes(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	static const uint8_t zeros[65536];
	struct job *j = context;
	bool good = true;

	(void)offset;
	if (!j->digest)
		return 0;
	if (bytes)
		good = ero_sha256_update(j->digest, bytes, length);
	for (size_t part; !bytes && good && length; length -= part) {
		part = length < sizeof(zeros) ? length : sizeof(zeros);
		good = ero_sha256_update(j->digest, zeros, part);
	}
	return good ? 0 : ero_fail_memory(err);
}

struct wanted {
	const struct job *job;
	uint8_t value[7 + ERO_SHA256_SIZE];
	bool found, equal;
};

static int compare(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct wanted *w = context;

	(void)err;
	if (strcmp(x->name, w->job->digest_name) != 0)
		return 0;
	w->found = true;
	w->equal = x->value_length == sizeof(w->value) && !memcmp(x->value, w->value, sizeof(w->value));
	return 1;
}

/* The digest of what was read against the one in the xattr. */
static int check_digest(struct job *j)
{
	struct wanted w = { .job = j, .value = "sha256:" };
	bool good = ero_sha256_final(j->digest, j->rc ? NULL : w.value + 7);
	int rc;

	j->digest = NULL;
	if (j->rc)
		return j->rc;
	if (!good)
		return ero_fail_memory(&j->err);
	rc = ero_xattr_each(j->image, &j->inode, compare, &w, &j->err);
	j->missing = !w.found && j->inode.size;
	j->differs = w.found && !w.equal;
	return rc < 0 ? rc : 0;
}

/* Bytes between the end of a plain file and that of its block. */
static int check_padding(struct job *j)
{
	unsigned block = ero_block_size(j->image), used = (unsigned)(j->inode.size & (block - 1));
	uint8_t bytes[1 << ERO_MAX_BLOCK_BITS];
	struct ero_extent e;
	struct ero_map map;
	int rc;

	if (!used || (j->inode.layout != ERO_LAYOUT_FLAT_PLAIN && j->inode.layout != ERO_LAYOUT_CHUNK))
		return 0;
	rc = ero_map_init(&map, j->image, &j->inode, &j->err);
	while (!rc && (rc = ero_map_next(&map, &e, &j->err)) > 0 && map.at < j->inode.size)
		rc = 0;
	if (rc <= 0 || e.kind != ERO_EXTENT_PLAIN || ero_device_room(j->image, e.device, e.physical) < e.length + block - used)
		return rc < 0 ? rc : 0;
	rc = ero_device_read(j->image, e.device, e.physical + e.length, bytes, block - used, &j->err);
	j->unclean = !rc && !ero_all_zero(bytes, block - used);
	return rc;
}

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;

	if (!worker)
		j->rc = ero_fail_memory(&j->err);
	else if (j->digest_name && !(j->digest = ero_sha256_create()))
		j->rc = ero_fail_memory(&j->err);
	else
		j->rc = ero_data_stream(j->image, &j->inode, worker, take_bytes, j, &j->err);
	if (j->digest)
		j->rc = check_digest(j);
	if (!j->rc)
		j->rc = check_padding(j);
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
		.threads = c->options->workers, .in_flight = 256, .make_worker = ero_data_buffer_make,
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

	if (j->rc)
		ero_check_blame(d->c, "data.damaged", &j->at, j->rc, &j->err);
	else if (j->unclean)
		ero_check_tell(d->c, "data.padding", &j->at, "what lies behind its end in its last block is not zero");
	if (j->differs)
		ero_check_tell(d->c, "digest.differs", &j->at, "the content is not what xattr %s says", d->digest_name);
	if (j->missing)
		ero_check_tell(d->c, "digest.missing", &j->at, "there is no xattr %s", d->digest_name);
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
	j->digest_name = *d->digest_name ? d->digest_name : NULL;
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
