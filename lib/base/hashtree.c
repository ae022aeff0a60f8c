// SPDX-License-Identifier: MIT
/* Level by level: what 128 blocks hash to is one block of the level above. A job is one such block. */
#include "base/hashtree.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/pool.h"

#include <stdlib.h>

enum { BLOCK = ERO_HASHTREE_BLOCK, FAN = BLOCK / ERO_SHA256_SIZE, LEVELS = 9, SUPER = 512 };

static const uint8_t signature[8] = "verity\0\0";

struct geometry {
	unsigned levels;
	uint64_t start[LEVELS + 1], count[LEVELS + 1]; /* blocks; [0] is the data, [levels] the top */
};

static struct geometry measure(uint64_t blocks)
{
	struct geometry g = { .count = { blocks } };
	uint64_t at = blocks + 1;

	while (g.count[g.levels] > 1 && g.levels < LEVELS) {
		g.count[g.levels + 1] = ero_div_up(g.count[g.levels], FAN);
		g.levels++;
	}
	for (unsigned l = g.levels; l > 0; l--) { /* the top lies first */
		g.start[l] = at;
		at += g.count[l];
	}
	return g;
}

uint64_t ero_hashtree_size(uint64_t blocks)
{
	struct geometry g = measure(blocks);
	uint64_t count = 1;

	for (unsigned l = 1; l <= g.levels; l++)
		count += g.count[l];
	return count * BLOCK;
}

struct worker {
	uint8_t below[FAN * BLOCK];
	uint8_t stored[BLOCK];
};

struct job {
	struct ero_job job;
	const struct ero_hashtree *tree;
	uint64_t from, count, to; /* blocks: those hashed, and the one that takes it */
	bool verify;
	uint8_t hashes[BLOCK];
	bool bad[FAN];
	int rc;
	struct ero_error err;
};

static bool hash_block(const struct ero_hashtree *t, const uint8_t *block, uint8_t *result)
{
	struct ero_sha256 *digest = ero_sha256_create();
	bool good = digest && ero_sha256_update(digest, t->salt, t->salt_size) && ero_sha256_update(digest, block, BLOCK);

	return (digest ? ero_sha256_final(digest, good ? result : NULL) : false) && good;
}

static void run(struct ero_job *job, void *context)
{
	struct job *j = (struct job *)job;
	const struct ero_hashtree *t = j->tree;
	struct worker *w = context;

	j->rc = w ? ero_pread_full(t->fd, w->below, (size_t)j->count * BLOCK, t->base + j->from * BLOCK, "the image", &j->err) :
		    ero_fail_memory(&j->err);
	for (uint64_t i = 0; !j->rc && i < j->count; i++)
		if (!hash_block(t, w->below + i * BLOCK, j->hashes + i * ERO_SHA256_SIZE))
			j->rc = ero_fail_memory(&j->err);
	if (j->rc || !j->to)
		return;
	if (!j->verify) {
		j->rc = ero_pwrite_full(t->fd, j->hashes, BLOCK, t->base + j->to * BLOCK, "the hash tree", &j->err);
		return;
	}
	j->rc = ero_pread_full(t->fd, w->stored, BLOCK, t->base + j->to * BLOCK, "the image", &j->err);
	for (uint64_t i = 0; !j->rc && i < j->count; i++)
		j->bad[i] = memcmp(j->hashes + i * ERO_SHA256_SIZE, w->stored + i * ERO_SHA256_SIZE, ERO_SHA256_SIZE) != 0;
}

static void *make_worker(void *context)
{
	(void)context;
	return malloc(sizeof(struct worker));
}

struct listener {
	void (*bad)(void *context, uint64_t block); /* NULL: the tree is written */
	void *context;
};

static int take(struct ero_pool *pool, const struct listener *listener, struct ero_error *err)
{
	struct job *j = (struct job *)ero_pool_take(pool);
	int rc = j->rc;

	if (rc)
		*err = j->err;
	for (uint64_t i = 0; !rc && i < j->count; i++)
		if (j->bad[i])
			listener->bad(listener->context, j->from + i);
	free(j);
	return rc;
}

static int run_level(const struct ero_hashtree *t, const struct geometry *g, unsigned level, struct ero_pool *pool,
		     const struct listener *listener, struct ero_error *err)
{
	struct ero_error local;
	int rc = 0;

	for (uint64_t i = 0; !rc && i < g->count[level]; i += FAN) {
		struct job *j = calloc(1, sizeof(*j));

		if (!j) {
			rc = ero_fail_memory(err);
			break;
		}
		j->job.run = run;
		j->tree = t;
		j->from = g->start[level] + i;
		j->count = g->count[level] - i < FAN ? g->count[level] - i : FAN;
		j->to = g->start[level + 1] + i / FAN;
		j->verify = listener->bad != NULL;
		if (ero_pool_full(pool))
			rc = take(pool, listener, err);
		ero_pool_submit(pool, &j->job);
	}
	while (!ero_pool_empty(pool)) {
		int taken = take(pool, listener, rc ? &local : err);

		rc = rc ? rc : taken;
	}
	return rc;
}

static int run_all(struct ero_hashtree *t, const struct listener *listener, struct ero_error *err)
{
	struct ero_pool_options options = { .threads = t->workers, .make_worker = make_worker, .free_worker = free };
	struct geometry g = measure(t->blocks);
	struct job top = { .tree = t, .from = g.levels ? g.start[g.levels] : 0, .count = 1 };
	struct ero_pool *pool;
	struct worker *w;
	int rc = ero_pool_create(&options, &pool, err);

	if (rc)
		return rc;
	for (unsigned level = 0; !rc && level < g.levels; level++)
		rc = run_level(t, &g, level, pool, listener, err);
	ero_pool_free(pool);
	if (rc)
		return rc;
	w = malloc(sizeof(*w));
	run(&top.job, w);
	free(w);
	memcpy(t->root, top.hashes, sizeof(t->root));
	if (top.rc)
		*err = top.err;
	return top.rc;
}

int ero_hashtree_write(struct ero_hashtree *t, struct ero_error *err)
{
	const struct listener none = { 0 };
	uint8_t super[BLOCK] = { 0 };
	int rc = run_all(t, &none, err);

	memcpy(super, signature, sizeof(signature));
	ero_put32(super + 8, 1);  /* version of the superblock */
	ero_put32(super + 12, 1); /* the salt comes first */
	memcpy(super + 16, t->uuid, sizeof(t->uuid));
	memcpy(super + 32, "sha256", 6);
	ero_put32(super + 64, BLOCK);
	ero_put32(super + 68, BLOCK);
	ero_put64(super + 72, t->blocks);
	ero_put16(super + 80, (uint16_t)t->salt_size);
	memcpy(super + 88, t->salt, t->salt_size);
	return rc ? rc : ero_pwrite_full(t->fd, super, sizeof(super), t->base + t->blocks * BLOCK, "the hash tree", err);
}

int ero_hashtree_find(struct ero_hashtree *t, struct ero_error *err)
{
	uint8_t super[SUPER];
	ssize_t n = ero_pread_some(t->fd, super, sizeof(super), t->base + t->blocks * BLOCK);

	if (n != (ssize_t)sizeof(super) || memcmp(super, signature, sizeof(signature)) != 0)
		return 0;
	t->salt_size = ero_get16(super + 80);
	if (ero_get32(super + 8) != 1 || ero_get32(super + 12) != 1 || memcmp(super + 32, "sha256\0", 7) != 0 ||
	    ero_get32(super + 64) != BLOCK || ero_get32(super + 68) != BLOCK || ero_get64(super + 72) != t->blocks ||
	    t->salt_size > ERO_HASHTREE_SALT)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN,
				"the dm-verity superblock at byte %llu is not for SHA-256 and these %llu blocks of %d bytes",
				(unsigned long long)(t->base + t->blocks * BLOCK), (unsigned long long)t->blocks, BLOCK);
	memcpy(t->uuid, super + 16, sizeof(t->uuid));
	memcpy(t->salt, super + 88, t->salt_size);
	return 1;
}

int ero_hashtree_verify(struct ero_hashtree *t, void (*bad)(void *context, uint64_t block), void *context, struct ero_error *err)
{
	const struct listener listener = { .bad = bad, .context = context };

	return run_all(t, &listener, err);
}
