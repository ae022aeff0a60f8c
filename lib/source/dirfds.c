// SPDX-License-Identifier: MIT
/*
 * A few hundred slots, searched by hash of the node; the least recently used idle one is reused. Directories at every 64th level have slots
 * of their own: else the way down a deep tree would throw out what the way back needs, and each level would be reached from the root.
 */
#include "source/dirfds.h"
#include "base/vec.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { SETS = 48, WAYS = 4, LEVELS = 64 };

struct ero_dirfds {
	pthread_mutex_t lock;
	struct ero_dirfd slots[2][SETS][WAYS]; /* [1]: of every 64th level */
	struct ero_dirfd root;
	uint64_t clock;
};

int ero_dirfds_create(int root, struct ero_dirfds **result, struct ero_error *err)
{
	struct ero_dirfds *fds = calloc(1, sizeof(*fds));

	*result = fds;
	if (!fds) {
		close(root);
		return ero_fail_memory(err);
	}
	pthread_mutex_init(&fds->lock, NULL);
	fds->root.fd = root;
	return 0;
}

void ero_dirfds_free(struct ero_dirfds *fds)
{
	if (!fds)
		return;
	for (int kind = 0; kind < 2; kind++)
		for (int s = 0; s < SETS; s++)
			for (int w = 0; w < WAYS; w++)
				if (fds->slots[kind][s][w].node)
					close(fds->slots[kind][s][w].fd);
	close(fds->root.fd);
	pthread_mutex_destroy(&fds->lock);
	free(fds);
}

static size_t set_of(const struct ero_node *dir)
{
	return (size_t)(((uintptr_t)dir >> 6) % SETS);
}

static struct ero_dirfd *find(struct ero_dirfds *fds, const struct ero_node *dir)
{
	size_t s = set_of(dir);

	if (!dir->parent)
		return &fds->root;
	for (int kind = 0; kind < 2; kind++)
		for (int w = 0; w < WAYS; w++)
			if (fds->slots[kind][s][w].node == dir)
				return &fds->slots[kind][s][w];
	return NULL;
}

/* A slot for a directory just opened; when all of its set are in use, an allocated one that is freed on put. */
static struct ero_dirfd *take_slot(struct ero_dirfds *fds, const struct ero_node *dir, uint32_t level, int fd)
{
	struct ero_dirfd *set = fds->slots[level % LEVELS == 0][set_of(dir)], *best = NULL;

	for (int w = 0; w < WAYS; w++)
		if (!set[w].users && (!best || set[w].used < best->used))
			best = &set[w];
	if (best) {
		if (best->node)
			close(best->fd);
	} else {
		best = calloc(1, sizeof(*best));
		if (!best)
			return NULL;
	}
	best->fd = fd;
	best->node = dir;
	best->users = 0;
	best->level = level;
	return best;
}

static bool is_cached(const struct ero_dirfds *fds, const struct ero_dirfd *d)
{
	return (const char *)d >= (const char *)fds && (const char *)d < (const char *)(fds + 1);
}

static int open_below(struct ero_dirfds *fds, struct ero_dirfd *parent, const struct ero_node *dir,
		      struct ero_dirfd **result, struct ero_error *err)
{
	int fd = openat(parent->fd, dir->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[512];

	if (fd < 0) {
		int code = errno;

		ero_node_path(dir, path, sizeof(path));
		errno = code;
		return ero_fail_errno(err, "cannot open the directory %s", path);
	}
	*result = take_slot(fds, dir, parent->level + 1, fd);
	if (!*result) {
		close(fd);
		return ero_fail_memory(err);
	}
	return 0;
}

static void put(struct ero_dirfds *fds, struct ero_dirfd *held)
{
	if (--held->users || is_cached(fds, held))
		return;
	close(held->fd);
	free(held);
}

static int get(struct ero_dirfds *fds, const struct ero_node *dir, struct ero_dirfd **held, struct ero_error *err)
{
	ERO_VEC(const struct ero_node *) chain = { 0 };
	struct ero_dirfd *at = NULL, *next;
	int rc = 0;

	for (const struct ero_node *n = dir; !(at = find(fds, n)); n = n->parent) {
		if (!ero_vec_push(&chain, n)) {
			ero_vec_free(&chain);
			return ero_fail_memory(err);
		}
	}
	at->users++;
	while (!rc && chain.count) {
		rc = open_below(fds, at, chain.data[--chain.count], &next, err);
		put(fds, at);
		if (!rc) {
			at = next;
			at->users++;
		}
	}
	ero_vec_free(&chain);
	if (!rc) {
		at->used = ++fds->clock;
		*held = at;
	}
	return rc;
}

int ero_dirfds_get(struct ero_dirfds *fds, const struct ero_node *dir, struct ero_dirfd **held, struct ero_error *err)
{
	int rc;

	*held = NULL;
	pthread_mutex_lock(&fds->lock);
	rc = get(fds, dir, held, err);
	pthread_mutex_unlock(&fds->lock);
	return rc;
}

void ero_dirfds_put(struct ero_dirfds *fds, struct ero_dirfd *held)
{
	pthread_mutex_lock(&fds->lock);
	put(fds, held);
	pthread_mutex_unlock(&fds->lock);
}
