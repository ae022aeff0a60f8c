// SPDX-License-Identifier: MIT
/* Every object marks the pages it lies in. What lies in the metabox marks the pages of the extents that hold it. */
#include "image/pages.h"
#include "base/bytes.h"
#include "image/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SMALL_FILE = 64 << 10, LINE = 64 };

struct survey {
	struct ero_image *image;
	struct ero_pages *pages;
	/* the directory whose names are being told */
	const struct ero_walk_dir *dir;
	struct ero_dir_cost cost;    /* of it, so far */
	uint32_t *stamps;            /* by page: the last directory that reads it, by number */
	uint32_t dir_number;
};

/* ---- marking ---- */

static void mark_page(struct survey *s, uint64_t page, unsigned flags)
{
	if (page >= s->pages->count)
		return;
	s->pages->flags[page] |= (uint16_t)flags;
	if ((flags & ERO_PAGE_READ_STAT) && s->stamps[page] != s->dir_number) {
		s->stamps[page] = s->dir_number;
		s->cost.pages++;
	}
}

static void mark_image(struct survey *s, uint64_t position, uint64_t length, unsigned flags)
{
	uint64_t base = s->image->devices[0].base, first = (base + position) / ERO_PAGE_SIZE, end;

	if (!length || !s->pages->count || position > s->image->devices[0].size)
		return;
	if (__builtin_add_overflow(base + position, length - 1, &end) || end / ERO_PAGE_SIZE >= s->pages->count)
		end = s->pages->count * ERO_PAGE_SIZE - 1; /* what an image claims beyond its end is not there */
	for (uint64_t p = first; p <= end / ERO_PAGE_SIZE; p++)
		mark_page(s, p, flags);
}

/* How far into the image reading goes: data in whole blocks, encoded data in whole pages. Addresses behind the primary
 * device are those of others. */
static void reach(struct survey *s, uint64_t position, uint64_t length, unsigned unit, uint64_t *end)
{
	const struct ero_super *super = &s->image->super;
	uint64_t to;

	if (super->extra_devices && position >> super->block_bits >= super->blocks)
		return;
	if (!__builtin_add_overflow(position, length, &to) && to <= INT64_MAX && ero_round_up(to, unit) > *end)
		*end = ero_round_up(to, unit);
}

static void mark_meta(struct survey *s, bool metabox, uint64_t position, uint64_t length, unsigned flags)
{
	if (!metabox) {
		mark_image(s, position, length, flags);
		reach(s, position, length, 1, &s->pages->metadata_end);
		return;
	}
	for (size_t i = ero_extent_find(s->pages->metabox.data, s->pages->metabox.count, position); i < s->pages->metabox.count; i++) {
		const struct ero_extent *e = &s->pages->metabox.data[i];

		if (e->logical >= position && e->logical - position >= length)
			break;
		mark_image(s, e->physical, e->stored, flags);
	}
}

static int load_metabox(struct survey *s, struct ero_error *err)
{
	struct ero_inode inode;
	struct ero_extent e;
	struct ero_map map;
	int rc;

	if (!s->image->metabox)
		return 0;
	rc = ero_inode_read(s->image, s->image->super.metabox_nid, &inode, err);
	if (!rc)
		rc = ero_map_init(&map, s->image, &inode, err);
	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0)
		rc = ero_vec_push(&s->pages->metabox, e) ? 0 : ero_fail_memory(err);
	return rc;
}

/* ---- one inode ---- */

/* Marks what an inode refers to; returns the bytes of its map, and those of names or a link target right behind it. */
static int mark_content(struct survey *s, const struct ero_inode *i, uint64_t *index, uint64_t *behind,
			struct ero_error *err)
{
	bool dir = S_ISDIR(i->mode), metabox = ero_in_metabox(i->nid);
	bool is_compressed = ero_layout_compressed(i->layout);
	bool holds_metadata = s->image->metabox && i->nid == s->image->super.metabox_nid; /* what lies in it marks its pages */
	unsigned flags = holds_metadata ? 0 : dir ? ERO_PAGE_NAMES | ERO_PAGE_READ_NAMES | ERO_PAGE_READ_STAT | ERO_PAGE_READ_XATTR :
			 S_ISLNK(i->mode) ? ERO_PAGE_INODES : ERO_PAGE_DATA;
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, s->image, i, err);

	if (rc)
		return rc;
	*index = ero_map_bytes(&map);
	*behind = 0;
	mark_meta(s, metabox, map.behind_head, *index, ERO_PAGE_INDEX);
	s->pages->byte_extents |= is_compressed && !map.header.whole_fragment && map.header.extents;
	while ((rc = ero_map_next(&map, &e, err)) > 0) {
		if (e.kind == ERO_EXTENT_INLINE || e.in_meta)
			mark_meta(s, metabox, e.physical, e.stored, flags);
		if (e.kind == ERO_EXTENT_INLINE)
			*behind += e.stored;
		if ((e.kind == ERO_EXTENT_PLAIN || (e.kind == ERO_EXTENT_ENCODED && !e.in_meta)) && e.device == 0) {
			mark_image(s, e.physical, e.stored, flags | (e.kind == ERO_EXTENT_ENCODED && !e.raw ? ERO_PAGE_ENCODED : 0));
			reach(s, e.physical, e.stored, e.kind == ERO_EXTENT_PLAIN ? ero_block_size(s->image) : ERO_PAGE_SIZE,
			      &s->pages->data_end);
		}
	}
	return rc;
}

/* Shared entries: the ids stand behind the body's header. */
static int mark_shared(struct survey *s, const struct ero_inode *i, uint64_t body, struct ero_error *err)
{
	bool own = ero_in_metabox(i->nid), box = s->image->super.feature_compat & ERO_COMPAT_SHARED_EA_IN_METABOX;
	uint8_t header[ERO_XATTR_HEADER], id[4];
	int rc = ero_meta_read(s->image, own, body, header, sizeof(header), err);

	for (unsigned k = 0; !rc && k < header[4]; k++) {
		uint64_t at;

		rc = ero_meta_read(s->image, own, body + ERO_XATTR_HEADER + k * 4u, id, 4, err);
		at = ((uint64_t)s->image->super.xattr_block << s->image->super.block_bits) + ero_get32(id) * 4ull;
		if (!rc)
			mark_meta(s, box, at, ERO_XATTR_ENTRY, ERO_PAGE_XATTRS | ERO_PAGE_READ_XATTR);
	}
	return rc;
}

static void count_lines(struct survey *s, const struct ero_inode *i, uint64_t position, uint64_t whole)
{
	unsigned head = i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE;

	s->pages->straddling += position / ERO_PAGE_SIZE != (position + head - 1) / ERO_PAGE_SIZE;
	if (!S_ISREG(i->mode) || i->size > SMALL_FILE)
		return;
	s->pages->small++;
	s->pages->small_in_line += position / LINE == (position + whole - 1) / LINE;
}

/* What the inode's own page cache holds when all of it was read; link targets are kept elsewhere. */
static void count_content(struct survey *s, const struct ero_inode *i)
{
	if (S_ISREG(i->mode) || S_ISDIR(i->mode))
		s->pages->content_pages += ero_div_up(i->size, ERO_PAGE_SIZE);
}

static int mark_inode(struct survey *s, const struct ero_inode *i, struct ero_error *err)
{
	unsigned head = i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE, body = ero_xattr_body_size(i->xattr_icount);
	unsigned walks = ERO_PAGE_READ_STAT | ERO_PAGE_READ_XATTR | (S_ISDIR(i->mode) ? ERO_PAGE_READ_NAMES : 0);
	bool metabox = ero_in_metabox(i->nid);
	uint64_t position = i->position, index = 0, behind = 0;
	int rc;

	rc = mark_content(s, i, &index, &behind, err);
	if (rc)
		return rc;
	mark_meta(s, metabox, position, head, ERO_PAGE_INODES | walks);
	mark_meta(s, metabox, position + head, body, ERO_PAGE_INODES | ERO_PAGE_READ_XATTR);
	count_content(s, i);
	s->pages->inodes++;
	s->pages->inode_bytes += head + body + (S_ISLNK(i->mode) ? i->size : 0);
	s->pages->index_bytes += index;
	s->pages->names_bytes += S_ISDIR(i->mode) ? i->size : 0;
	if (S_ISREG(i->mode))
		behind = 0; /* data */
	s->pages->slot_bytes += ero_round_up(head + body + index + behind, ERO_INODE_UNIT) + (S_ISDIR(i->mode) ? i->size - behind : 0);
	count_lines(s, i, position, head + body + index);
	return body ? mark_shared(s, i, position + head, err) : 0;
}

/* ---- the whole ---- */

static void end_directory(struct survey *s)
{
	struct ero_dir_cost *list = s->pages->dearest;
	unsigned at = ERO_DEAREST;

	while (at && list[at - 1].pages < s->cost.pages)
		at--;
	if (!s->dir || at == ERO_DEAREST)
		return;
	memmove(list + at + 1, list + at, (ERO_DEAREST - 1 - at) * sizeof(*list));
	list[at] = s->cost;
}

/* The blocks of the directory itself belong to what listing it costs. */
static int begin_directory(struct survey *s, const struct ero_walk_dir *dir, struct ero_error *err)
{
	struct ero_inode inode;
	uint64_t index, behind;
	int rc;

	end_directory(s);
	s->dir = dir;
	s->dir_number++;
	s->cost.pages = s->cost.entries = 0;
	ero_walk_path(dir, s->cost.path, sizeof(s->cost.path));
	rc = ero_inode_read(s->image, dir->nid, &inode, err);
	return rc ? rc : mark_content(s, &inode, &index, &behind, err);
}

static int visit(void *context, const struct ero_walk_entry *e, struct ero_error *err)
{
	struct survey *s = context;
	int rc = e->dir && e->dir != s->dir ? begin_directory(s, e->dir, err) : 0;

	s->cost.entries++;
	if (rc)
		return rc;
	if (e->first)
		return mark_inode(s, e->inode, err);
	return 0;
}

/* Inodes in no directory: what they hold is data, or was marked by what lies in it. */
static int mark_hidden(struct survey *s, uint64_t nid, struct ero_error *err)
{
	struct ero_inode inode;
	uint64_t index, behind;
	int rc = ero_inode_read(s->image, nid, &inode, err);

	if (!rc) {
		count_content(s, &inode);
		rc = mark_content(s, &inode, &index, &behind, err);
	}
	if (!rc)
		mark_meta(s, ero_in_metabox(nid), inode.position, ERO_COMPACT_SIZE,
			  ERO_PAGE_INODES | ERO_PAGE_READ_NAMES | ERO_PAGE_READ_STAT | ERO_PAGE_READ_XATTR);
	return rc;
}

/* What lies behind the image in its file is not looked at, however much that is. */
static uint64_t image_size(const struct ero_image *image)
{
	uint64_t bytes, whole = image->devices[0].size;

	if (image->super.extra_devices || __builtin_mul_overflow(image->super.blocks, (uint64_t)ero_block_size(image), &bytes))
		return whole;
	return bytes < whole ? bytes : whole;
}

int ero_pages_survey(struct ero_image *image, struct ero_pages *pages, struct ero_error *err)
{
	const unsigned always = ERO_PAGE_READ_NAMES | ERO_PAGE_READ_STAT | ERO_PAGE_READ_XATTR;
	struct survey s = { .image = image, .pages = pages };
	int rc;

	memset(pages, 0, sizeof(*pages));
	pages->count = ero_div_up(image->devices[0].base + image_size(image), ERO_PAGE_SIZE);
	if (pages->count >= SIZE_MAX / sizeof(*s.stamps)) /* of an image that this machine cannot address */
		return ero_fail_memory(err);
	pages->flags = calloc((size_t)pages->count + 1, sizeof(*pages->flags));
	s.stamps = calloc((size_t)pages->count + 1, sizeof(*s.stamps));
	rc = pages->flags && s.stamps ? load_metabox(&s, err) : ero_fail_memory(err);
	if (!rc) {
		mark_image(&s, 0, image->super_end, ERO_PAGE_SUPER | always);
		rc = ero_walk(image, visit, &s, err);
	}
	end_directory(&s);
	if (!rc && image->packed) /* opened by the mount itself */
		rc = mark_hidden(&s, image->super.packed_nid, err);
	if (!rc && image->metabox)
		rc = mark_hidden(&s, image->super.metabox_nid, err);
	free(s.stamps);
	return rc;
}

void ero_pages_mark_list(struct ero_pages *pages, struct ero_image *image, bool metabox, uint64_t position, uint64_t length)
{
	struct survey s = { .image = image, .pages = pages };

	if (metabox)
		mark_meta(&s, true, position, length, ERO_PAGE_READ_LIST);
	else
		mark_image(&s, position, length, ERO_PAGE_READ_LIST);
}

void ero_pages_free(struct ero_pages *pages)
{
	free(pages->flags);
	pages->flags = NULL;
	ero_vec_free(&pages->metabox);
}

uint64_t ero_pages_with(const struct ero_pages *pages, unsigned flags)
{
	uint64_t n = 0;

	for (uint64_t p = 0; p < pages->count; p++)
		n += (pages->flags[p] & flags) != 0;
	return n;
}
