// SPDX-License-Identifier: MIT
/* Paths are followed as namei does it in the kernel (fs/namei.c, fs/erofs/namei.c), on a mount that nobody has used before. */
#include "report/lookups.h"
#include "base/bytes.h"
#include "image/data.h"
#include "image/dir.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	MOST_LINKS = 40,
	LINK_MOST = 4095,
	DIR_MOST = 64 << 20, /* bytes of a directory: two million names */
	LEVELS = 8           /* of the tree: of each the directory that was looked into last is kept */
};

struct directory {
	struct ero_inode inode;
	uint8_t *bytes;      /* its content; NULL: there is no directory here */
	ERO_VEC(struct ero_extent) extents;
	struct ero_map map;
};

struct place {
	uint64_t nid;
	bool is_dir;
};

struct lookups {
	struct ero_image *image;
	struct ero_pages *pages;
	struct ero_lookups *result;
	unsigned links;            /* followed on this path */
	ERO_VEC(struct place) way; /* from the root to where the path has led */
	struct directory levels[LEVELS];
};

static void mark(struct lookups *l, bool metabox, uint64_t position, uint64_t length)
{
	ero_pages_mark_list(l->pages, l->image, metabox, position, length);
}

static void mark_inode(struct lookups *l, const struct ero_inode *i)
{
	mark(l, ero_in_metabox(i->nid), i->position, i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE);
}

/* ---- content ---- */

static void forget(struct directory *d)
{
	free(d->bytes);
	ero_vec_free(&d->extents);
	*d = (struct directory){ 0 };
}

/* The content of a directory or link of at most `limit` bytes, and where it lies. */
static int load(struct lookups *l, const struct ero_inode *inode, uint64_t limit, struct directory *d, struct ero_error *err)
{
	struct ero_extent e;
	int rc;

	forget(d);
	rc = ero_map_init(&d->map, l->image, inode, err);
	while (!rc && (rc = ero_map_next(&d->map, &e, err)) > 0)
		rc = ero_vec_push(&d->extents, e) ? 0 : ero_fail_memory(err);
	if (!rc)
		rc = ero_data_read_all(l->image, inode, limit, &d->bytes, err);
	if (rc)
		forget(d);
	d->inode = *inode;
	return rc;
}

/* What holds bytes `from` to `end`, of what is encoded the whole extent, and the map that tells of it. */
static void mark_content(struct lookups *l, const struct directory *d, uint64_t from, uint64_t end)
{
	bool metabox = ero_in_metabox(d->inode.nid);

	mark(l, metabox, d->map.behind_head, ero_map_bytes(&d->map));
	for (size_t i = ero_extent_find(d->extents.data, d->extents.count, from); i < d->extents.count; i++) {
		const struct ero_extent *e = &d->extents.data[i];
		bool encoded = e->kind == ERO_EXTENT_ENCODED, meta = e->kind == ERO_EXTENT_INLINE || e->in_meta;
		uint64_t first = from > e->logical ? from - e->logical : 0, last = end - e->logical < e->length ? end - e->logical : e->length;

		if (e->logical >= end)
			break;
		if (!e->device && (meta || encoded || e->kind == ERO_EXTENT_PLAIN))
			mark(l, meta && metabox, e->physical + (encoded ? 0 : first), encoded ? e->stored : last - first);
	}
}

/* ---- one name ---- */

/* A block's first byte, and how many it has. */
static const uint8_t *block_of(const struct directory *d, uint64_t number, size_t *length)
{
	uint64_t size = ero_block_size(d->map.image), at = number * size;

	*length = (size_t)(d->inode.size - at < size ? d->inode.size - at : size);
	return d->bytes + at;
}

static bool search_block(const struct directory *d, uint64_t number, const char *name, size_t length, uint64_t *nid)
{
	size_t part;
	const uint8_t *block = block_of(d, number, &part);
	unsigned count = ero_dirblock_count(block, part);
	struct ero_dirent e;

	for (unsigned i = 0; i < count; i++)
		if (ero_dirblock_entry(block, part, count, i, &e) == ERO_DIRENT_GOOD && !ero_name_compare(name, length, e.name, e.name_length)) {
			*nid = e.nid;
			return true;
		}
	return false;
}

/* By halves over the first names of blocks, then in the block. Sets *nid, if the name is there. */
static bool search(struct lookups *l, const struct directory *d, const char *name, size_t length, uint64_t *nid)
{
	uint64_t size = ero_block_size(l->image), low = 0, high = ero_div_up(d->inode.size, size); /* the block before `low` may hold the name */

	while (low < high) {
		uint64_t middle = low + (high - low - 1) / 2;
		struct ero_dirent first;
		size_t part;
		const uint8_t *block = block_of(d, middle, &part);
		int order;

		mark_content(l, d, middle * size, middle * size + part);
		if (ero_dirblock_entry(block, part, ero_dirblock_count(block, part), 0, &first) != ERO_DIRENT_GOOD)
			return false;
		order = ero_name_compare(name, length, first.name, first.name_length);
		if (!order) {
			*nid = first.nid;
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low && search_block(d, low - 1, name, length, nid);
}

/* ---- paths ---- */

/* On from where the way has led; *found says whether there is such a path. Recursion is bounded by MOST_LINKS. */
static int follow(struct lookups *l, const char *path, bool *found, struct ero_error *err);

static int follow_link(struct lookups *l, const struct ero_inode *link, bool *found, struct ero_error *err)
{
	struct directory target = { 0 };
	char *text = NULL;
	int rc;

	*found = ++l->links <= MOST_LINKS && link->size;
	if (!*found)
		return 0;
	rc = load(l, link, LINK_MOST, &target, err);
	if (!rc)
		mark_content(l, &target, 0, link->size);
	if (!rc && !(text = strndup((const char *)target.bytes, (size_t)link->size)))
		rc = ero_fail_memory(err);
	if (!rc)
		rc = follow(l, text, found, err);
	free(text);
	forget(&target);
	return rc;
}

/* The directory that the way has led to: kept from before, if the same stood there. */
static int look_into(struct lookups *l, struct directory **result, struct ero_error *err)
{
	uint64_t nid = l->way.data[l->way.count - 1].nid;
	struct directory *d = &l->levels[l->way.count % LEVELS];
	struct ero_inode inode;
	int rc = 0;

	*result = d;
	if (d->bytes && d->inode.nid == nid)
		return 0;
	rc = ero_inode_read(l->image, nid, &inode, err);
	return rc ? rc : load(l, &inode, DIR_MOST, d, err);
}

/* One name in the directory that the way has led to. */
static int step(struct lookups *l, const char *name, size_t length, bool *found, struct ero_error *err)
{
	struct place place = { 0 };
	struct ero_inode next;
	struct directory *d;
	int rc = look_into(l, &d, err);

	*found = !rc && search(l, d, name, length, &place.nid);
	if (rc || !*found)
		return rc;
	rc = ero_inode_read(l->image, place.nid, &next, err);
	if (!rc)
		mark_inode(l, &next);
	if (!rc && S_ISLNK(next.mode))
		return follow_link(l, &next, found, err);
	place.is_dir = !rc && S_ISDIR(next.mode);
	if (!rc && !ero_vec_push(&l->way, place))
		rc = ero_fail_memory(err);
	return rc;
}

static int follow(struct lookups *l, const char *path, bool *found, struct ero_error *err)
{
	int rc = 0;

	*found = true;
	if (*path == '/')
		l->way.count = 1;
	while (!rc && *found) {
		size_t slashes = strspn(path, "/"), length = strcspn(path + slashes, "/");

		path += slashes;
		if ((slashes || length) && !l->way.data[l->way.count - 1].is_dir)
			*found = false;
		else if (length == 2 && !memcmp(path, "..", 2))
			l->way.count -= l->way.count > 1;
		else if (length && (length != 1 || *path != '.'))
			rc = step(l, path, length, found, err);
		if (!length)
			break;
		path += length;
	}
	return rc;
}

static int take_line(void *context, char *line, struct ero_error *err)
{
	struct lookups *l = context;
	bool found;
	int rc;

	if (!*line)
		return 0;
	l->links = 0;
	l->way.count = 1;
	rc = follow(l, line, &found, err);
	l->result->paths++;
	l->result->missing += !rc && !found;
	return rc;
}

/* What a mount reads by itself. */
static int mark_mount(struct lookups *l, struct ero_error *err)
{
	const struct ero_super *super = &l->image->super;
	uint64_t nids[] = { super->root_nid, l->image->packed ? super->packed_nid : super->root_nid,
			    l->image->metabox ? super->metabox_nid : super->root_nid };
	int rc = 0;

	mark(l, false, 0, l->image->super_end);
	for (unsigned i = 0; !rc && i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct ero_inode inode;

		rc = ero_inode_read(l->image, nids[i], &inode, err);
		if (!rc)
			mark_inode(l, &inode);
	}
	return rc;
}

int ero_lookups_mark(struct ero_image *image, struct ero_pages *pages, const char *list, struct ero_lookups *result,
		     struct ero_error *err)
{
	struct lookups l = { .image = image, .pages = pages, .result = result };
	struct place root = { image->super.root_nid, true };
	int rc = ero_vec_push(&l.way, root) ? mark_mount(&l, err) : ero_fail_memory(err);

	*result = (struct ero_lookups){ 0 };
	if (!rc)
		rc = ero_source_lines(list, "list of paths", take_line, &l, err);
	ero_vec_free(&l.way);
	for (unsigned i = 0; i < LEVELS; i++)
		forget(&l.levels[i]);
	return rc;
}
