// SPDX-License-Identifier: MIT
/* --xattr-inode-digest: the SHA-256 of every regular file's content as an xattr, by which kernels may share the page cache of
 * equal files of many images. Files are read once for it, in threads, before they are read to be packed. */
#include "base/digest.h"
#include "base/pool.h"
#include "format/xattr.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 1 << 20 };

struct job {
	struct ero_job job;
	struct ero_source *source;
	struct ero_node *node;
	uint8_t digest[ERO_SHA256_SIZE];
	int rc;
	struct ero_error err;
};

static int hash(struct job *j, struct ero_source_file *file, struct ero_sha256 *digest, uint8_t *piece)
{
	int rc = 0;

	for (uint64_t at = 0; !rc && at < j->node->size; at += PIECE) {
		size_t part = j->node->size - at < PIECE ? (size_t)(j->node->size - at) : PIECE;

		rc = j->source->ops->read(file, at, piece, part, &j->err);
		if (!rc && !ero_sha256_update(digest, piece, part))
			rc = ero_fail_memory(&j->err);
	}
	return rc;
}

static void run(struct ero_job *job, void *worker)
{
	struct job *j = (struct job *)job;
	struct ero_source_file file;
	struct ero_sha256 *digest = worker ? ero_sha256_create() : NULL;

	j->rc = digest ? j->source->ops->open(j->source, j->node, &file, &j->err) : ero_fail_memory(&j->err);
	if (!j->rc) {
		j->rc = hash(j, &file, digest, worker);
		j->source->ops->close(&file);
	}
	if (digest && !ero_sha256_final(digest, j->rc ? NULL : j->digest) && !j->rc)
		j->rc = ero_fail_memory(&j->err);
}

/* Notes the digest of the oldest job in its node. */
static int take(struct ero_pool *pool, const char *name, struct ero_tree *tree, struct ero_error *err)
{
	struct job *j = (struct job *)ero_pool_take(pool);
	uint8_t value[7 + ERO_SHA256_SIZE] = "sha256:";
	size_t skip;
	int rc = j->rc;

	if (rc)
		*err = j->err;
	memcpy(value + 7, j->digest, sizeof(j->digest));
	if (!rc)
		rc = ero_xattrs_reopen(&tree->xattrs, j->node->xattr_set, err);
	if (!rc)
		rc = (ero_xattr_index(name, &skip) < 0 ? ero_xattrs_add_hidden : ero_xattrs_add)(&tree->xattrs, name, value, sizeof(value), err);
	if (!rc)
		rc = ero_xattrs_commit(&tree->xattrs, &j->node->xattr_set, err);
	free(j);
	return rc;
}

static void *make_piece(void *context)
{
	(void)context;
	return malloc(PIECE);
}

int ero_source_fingerprints(struct ero_source *source, struct ero_tree *tree, struct ero_error *err)
{
	struct ero_pool_options options = {
		.threads = source->options->workers, .in_flight = 64, .make_worker = make_piece, .free_worker = free
	};
	struct ero_pool *pool;
	int rc = ero_pool_create(&options, &pool, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < tree->node_count; i++) {
		struct job *j;

		if (!S_ISREG(tree->nodes[i]->mode) || !tree->nodes[i]->size)
			continue;
		j = calloc(1, sizeof(*j));
		if (!j) {
			rc = ero_fail_memory(err);
			break;
		}
		j->job.run = run;
		j->source = source;
		j->node = tree->nodes[i];
		if (ero_pool_full(pool))
			rc = take(pool, source->options->inode_digest, tree, err);
		ero_pool_submit(pool, &j->job);
	}
	while (!ero_pool_empty(pool)) {
		struct ero_error local;
		int taken = take(pool, source->options->inode_digest, tree, rc ? &local : err);

		rc = rc ? rc : taken;
	}
	ero_pool_free(pool);
	return rc;
}
