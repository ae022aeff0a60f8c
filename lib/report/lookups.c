// SPDX-License-Identifier: MIT
/* Paths are followed as namei does it in the kernel (fs/namei.c, fs/erofs/namei.c), on a mount that nobody has used before. */
#include "report/lookups.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/data.h"
#include "image/dir.h"
#include "source/source.h"

#include <string.h>
#include <sys/stat.h>

enum { MOST_LINKS = 40, LINK_MOST = 4095 };

struct lookups {
	struct ero_image *image;
	struct ero_pages *pages;
	struct ero_lookups *result;
	unsigned links;         /* followed on this path */
	ERO_VEC(uint64_t) way;  /* from the root to where the path has led */
};

static int mark_inode(struct lookups *l, const struct ero_inode *i, struct ero_error *err)
{
	return ero_pages_mark(l->pages, l->image, ero_in_metabox(i->nid), i->position, i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE,
			      ERO_PAGE_READ_LIST, err);
}

/* What holds bytes `from` to `end` of a directory or link: of what is encoded the whole extent. */
static int mark_content(struct lookups *l, const struct ero_inode *i, uint64_t from, uint64_t end, struct ero_error *err)
{
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, l->image, i, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0 && e.logical < end) {
		bool encoded = e.kind == ERO_EXTENT_ENCODED, meta = e.kind == ERO_EXTENT_INLINE || e.in_meta;
		uint64_t first = from > e.logical ? from - e.logical : 0, last = end - e.logical < e.length ? end - e.logical : e.length;

		rc = 0;
		if (first >= last || e.device || (!meta && !encoded && e.kind != ERO_EXTENT_PLAIN))
			continue;
		rc = ero_pages_mark(l->pages, l->image, meta && ero_in_metabox(i->nid), e.physical + (encoded ? 0 : first),
				    encoded ? e.stored : last - first, ERO_PAGE_READ_LIST, err);
	}
	return rc < 0 ? rc : 0;
}

/* ---- one name ---- */

struct directory {
	const struct ero_inode *inode;
	uint8_t *bytes;
	unsigned block_size;
};

/* A block's first byte, and how many it has. */
static const uint8_t *block_of(const struct directory *d, uint64_t number, size_t *length)
{
	uint64_t at = number * d->block_size;

	*length = d->inode->size - at < d->block_size ? (size_t)(d->inode->size - at) : d->block_size;
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

/* By halves over the first names of blocks, then in the block. *nid is set if the name is there. */
static int search(struct lookups *l, const struct directory *d, const char *name, size_t length, uint64_t *nid, bool *found,
		  struct ero_error *err)
{
	uint64_t low = 0, high = ero_div_up(d->inode->size, d->block_size); /* the block before `low` may hold the name */

	while (low < high) {
		uint64_t middle = low + (high - low - 1) / 2;
		struct ero_dirent first;
		size_t part;
		const uint8_t *block = block_of(d, middle, &part);
		int rc = mark_content(l, d->inode, middle * d->block_size, middle * d->block_size + part, err), order;

		if (rc || ero_dirblock_entry(block, part, ero_dirblock_count(block, part), 0, &first) != ERO_DIRENT_GOOD)
			return rc;
		order = ero_name_compare(name, length, first.name, first.name_length);
		if (!order) {
			*nid = first.nid;
			*found = true;
			return 0;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*found = low && search_block(d, low - 1, name, length, nid);
	return 0;
}

/* ---- paths ---- */

/* On from where the way has led; *found says whether there is such a path. Recursion is bounded by MOST_LINKS. */
static int follow(struct lookups *l, const char *path, bool *found, struct ero_error *err);

static int follow_link(struct lookups *l, const struct ero_inode *link, bool *found, struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *target = NULL;
	ERO_AUTO_FREE char *text = NULL;
	int rc;

	*found = ++l->links <= MOST_LINKS;
	if (!*found)
		return 0;
	rc = ero_data_read_all(l->image, link, LINK_MOST, &target, err);
	if (!rc)
		rc = mark_content(l, link, 0, link->size, err);
	if (!rc && !(text = strndup((const char *)target, (size_t)link->size)))
		rc = ero_fail_memory(err);
	return rc ? rc : follow(l, text, found, err);
}

/* One name in the directory that the way has led to. */
static int step(struct lookups *l, const char *name, size_t length, bool *found, struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *bytes = NULL;
	struct ero_inode dir, next;
	struct directory d = { .inode = &dir, .block_size = ero_block_size(l->image) };
	uint64_t nid = 0;
	int rc = ero_inode_read(l->image, l->way.data[l->way.count - 1], &dir, err);

	*found = !rc && S_ISDIR(dir.mode);
	if (rc || !*found)
		return rc;
	*found = false;
	rc = ero_data_read_all(l->image, &dir, UINT32_MAX, &bytes, err);
	d.bytes = bytes;
	if (!rc)
		rc = search(l, &d, name, length, &nid, found, err);
	if (rc || !*found)
		return rc;
	rc = ero_inode_read(l->image, nid, &next, err);
	if (!rc)
		rc = mark_inode(l, &next, err);
	if (!rc && S_ISLNK(next.mode))
		return follow_link(l, &next, found, err);
	if (!rc && !ero_vec_push(&l->way, nid))
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
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (!length)
			break;
		if (length == 2 && !memcmp(path, "..", 2))
			l->way.count -= l->way.count > 1;
		else if (length != 1 || *path != '.')
			rc = step(l, path, length, found, err);
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
	int rc = ero_pages_mark(l->pages, l->image, false, 0, l->image->super_end, ERO_PAGE_READ_LIST, err);

	for (unsigned i = 0; !rc && i < sizeof(nids) / sizeof(nids[0]); i++) {
		struct ero_inode inode;

		rc = ero_inode_read(l->image, nids[i], &inode, err);
		if (!rc)
			rc = mark_inode(l, &inode, err);
	}
	return rc;
}

int ero_lookups_mark(struct ero_image *image, struct ero_pages *pages, const char *list, struct ero_lookups *result,
		     struct ero_error *err)
{
	struct lookups l = { .image = image, .pages = pages, .result = result };
	int rc = ero_vec_push(&l.way, image->super.root_nid) ? mark_mount(&l, err) : ero_fail_memory(err);

	*result = (struct ero_lookups){ 0 };
	if (!rc)
		rc = ero_source_lines(list, "list of paths", take_line, &l, err);
	ero_vec_free(&l.way);
	return rc;
}
