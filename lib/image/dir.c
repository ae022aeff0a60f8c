// SPDX-License-Identifier: MIT
/* Directories are files of blocks, flat or compressed: content is gathered into blocks and handed on. */
#include "image/dir.h"
#include "base/bytes.h"
#include "image/data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct blocks {
	uint8_t *block;
	size_t size, filled;
	uint64_t offset; /* of the block being filled */
	ero_dir_block_fn fn;
	void *context;
};

static int flush(struct blocks *b, struct ero_error *err)
{
	int rc = b->filled ? b->fn(b->context, b->block, b->filled, b->offset, err) : 0;

	b->offset += b->filled;
	b->filled = 0;
	return rc;
}

static int block_sink(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	struct blocks *b = context;

	if (!bytes)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "a directory has a hole at byte %llu", (unsigned long long)offset);
	while (length) {
		size_t part = b->size - b->filled < length ? b->size - b->filled : length;
		int rc = 0;

		memcpy(b->block + b->filled, bytes, part);
		b->filled += part;
		bytes += part;
		length -= part;
		if (b->filled == b->size)
			rc = flush(b, err);
		if (rc)
			return rc;
	}
	return 0;
}

int ero_dir_blocks(struct ero_image *image, const struct ero_inode *dir, ero_dir_block_fn block, void *context,
		   struct ero_error *err)
{
	struct blocks b = { .size = ero_block_size(image), .fn = block, .context = context };
	struct ero_data_buffer buffer = { 0 };
	int rc;

	if (!S_ISDIR(dir->mode))
		return ero_fail(err, ERO_ERROR_ARGUMENT, ENOTDIR, "inode %llu is not a directory", (unsigned long long)dir->nid);
	b.block = malloc(b.size);
	if (!b.block)
		return ero_fail_memory(err);
	rc = ero_data_stream(image, dir, &buffer, block_sink, &b, err);
	if (!rc)
		rc = flush(&b, err);
	ero_data_buffer_clear(&buffer);
	free(b.block);
	return rc;
}

struct entries {
	ero_dir_entry_fn fn;
	void *context;
	uint64_t nid;
};

static int entries_block(void *context, const uint8_t *block, size_t length, uint64_t offset, struct ero_error *err)
{
	struct entries *e = context;
	unsigned count = ero_dirblock_count(block, length);

	if (!count)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "directory %llu is damaged at byte %llu: no entries can be read",
				(unsigned long long)e->nid, (unsigned long long)offset);
	for (unsigned i = 0; i < count; i++) {
		struct ero_dirent entry;
		int rc;

		if (ero_dirblock_entry(block, length, count, i, &entry) != ERO_DIRENT_GOOD)
			return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "directory %llu is damaged at byte %llu: entry %u has no valid name",
					(unsigned long long)e->nid, (unsigned long long)offset, i);
		rc = e->fn(e->context, &entry, err);
		if (rc)
			return rc;
	}
	return 0;
}

int ero_dir_entries(struct ero_image *image, const struct ero_inode *dir, ero_dir_entry_fn entry, void *context,
		    struct ero_error *err)
{
	struct entries e = { .fn = entry, .context = context, .nid = dir->nid };

	return ero_dir_blocks(image, dir, entries_block, &e, err);
}

/* ---- paths ---- */

struct wanted {
	const char *name;
	size_t length;
	uint64_t nid;
};

static int match(void *context, const struct ero_dirent *entry, struct ero_error *err)
{
	struct wanted *w = context;

	(void)err;
	if (entry->name_length != w->length || memcmp(entry->name, w->name, w->length))
		return 0;
	w->nid = entry->nid;
	return 1;
}

int ero_image_lookup(struct ero_image *image, const char *path, uint64_t *nid, struct ero_error *err)
{
	uint64_t at = image->super.root_nid;
	const char *p = path;

	for (;;) {
		struct ero_inode inode;
		struct wanted w;
		int rc;

		while (*p == '/')
			p++;
		if (!*p)
			break;
		w.name = p;
		w.length = strcspn(p, "/");
		p += w.length;
		if (w.length == 1 && w.name[0] == '.')
			continue;
		rc = ero_inode_read(image, at, &inode, err);
		if (rc)
			return rc;
		if (!S_ISDIR(inode.mode))
			return ero_fail(err, ERO_ERROR_ARGUMENT, ENOTDIR, "%s: \"%.*s\" is looked for in something that is no directory",
					path, (int)w.length, w.name);
		rc = ero_dir_entries(image, &inode, match, &w, err);
		if (rc < 0)
			return rc;
		if (!rc)
			return ero_fail(err, ERO_ERROR_ARGUMENT, ENOENT, "%s: the image has no \"%.*s\" there", path, (int)w.length,
					w.name);
		at = w.nid;
	}
	*nid = at;
	return 0;
}
