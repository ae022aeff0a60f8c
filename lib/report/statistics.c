// SPDX-License-Identifier: MIT
/* dump.erofs -S: what the image is made of, counted in one walk over the directories. */
#include "base/bytes.h"
#include "image/map.h"
#include "image/walk.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIZE_CLASSES = 16, LAYOUTS = 5 };

struct statistics {
	uint64_t types[8];
	uint64_t layouts[LAYOUTS];
	uint64_t compact, extended, with_xattrs, xattr_bytes;
	uint64_t plain_bytes, stored_bytes, extents;
	uint64_t encoded_files;
	uint64_t sizes[SIZE_CLASSES]; /* by log2(size / 1 KiB) */
};

struct walk {
	struct ero_image *image;
	struct statistics s;
};

static int count_file(struct walk *w, const struct ero_inode *i, struct ero_error *err)
{
	struct ero_map map;
	struct ero_extent e;
	unsigned class = 0;
	int rc = ero_map_init(&map, w->image, i, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0) {
		w->s.extents++;
		if (e.kind != ERO_EXTENT_HOLE)
			w->s.stored_bytes += e.stored;
		rc = 0;
	}
	while (i->size >> class > 1024 && class + 1 < SIZE_CLASSES)
		class++;
	w->s.sizes[class]++;
	w->s.plain_bytes += i->size;
	w->s.encoded_files += i->layout == ERO_LAYOUT_COMPRESSED_COMPACT || i->layout == ERO_LAYOUT_COMPRESSED_FULL;
	return rc;
}

static int count_inode(struct walk *w, const struct ero_inode *i, struct ero_error *err)
{
	w->s.types[ero_file_type(i->mode)]++;
	w->s.layouts[i->layout]++;
	if (i->extended)
		w->s.extended++;
	else
		w->s.compact++;
	w->s.with_xattrs += i->xattr_icount != 0;
	w->s.xattr_bytes += ero_xattr_body_size(i->xattr_icount);
	return S_ISREG(i->mode) ? count_file(w, i, err) : 0;
}

static int visit(void *context, const struct ero_walk_entry *e, struct ero_error *err)
{
	return e->first ? count_inode(context, e->inode, err) : 0;
}

static double ratio(const struct statistics *s)
{
	return s->plain_bytes ? 100.0 * (double)s->stored_bytes / (double)s->plain_bytes : 100.0;
}

static const struct {
	const char *key, *title;
	unsigned type;
} type_rows[] = {
	{ "regular", "Regular files:", ERO_FT_REG }, { "directories", "Directories:", ERO_FT_DIR },
	{ "symlinks", "Symbolic links:", ERO_FT_SYMLINK }, { "character_devices", "Character devices:", ERO_FT_CHR },
	{ "block_devices", "Block devices:", ERO_FT_BLK }, { "fifos", "Fifos:", ERO_FT_FIFO },
	{ "sockets", "Sockets:", ERO_FT_SOCK },
};

static const struct {
	const char *key, *title;
} layout_rows[LAYOUTS] = {
	{ "flat_plain", "Flat plain:" }, { "compressed_full", "Compressed, full indexes:" }, { "flat_inline", "Flat inline:" },
	{ "compressed_compact", "Compressed, compact indexes:" }, { "chunk_based", "Chunk based:" },
};

static int statistics_json(const struct statistics *s, FILE *out, struct ero_error *err)
{
	json_object *o = json_object_new_object(), *types = json_object_new_object(), *layouts = json_object_new_object();
	json_object *sizes = json_object_new_array();

	for (size_t i = 0; i < sizeof(type_rows) / sizeof(type_rows[0]); i++)
		ero_json_add_u64(types, type_rows[i].key, s->types[type_rows[i].type]);
	for (size_t i = 0; i < LAYOUTS; i++)
		ero_json_add_u64(layouts, layout_rows[i].key, s->layouts[i]);
	for (unsigned i = 0; sizes && i < SIZE_CLASSES; i++) {
		json_object *row = json_object_new_object();

		if (i + 1 < SIZE_CLASSES)
			ero_json_add_u64(row, "up_to", 1024ull << i);
		ero_json_add_u64(row, "files", s->sizes[i]);
		ero_json_append(sizes, row);
	}
	ero_json_add(o, "types", types);
	ero_json_add(o, "layouts", layouts);
	ero_json_add_u64(o, "compact_inodes", s->compact);
	ero_json_add_u64(o, "extended_inodes", s->extended);
	ero_json_add_u64(o, "inodes_with_xattrs", s->with_xattrs);
	ero_json_add_u64(o, "xattr_bytes", s->xattr_bytes);
	ero_json_add_u64(o, "compressed_files", s->encoded_files);
	ero_json_add_u64(o, "extents", s->extents);
	ero_json_add_u64(o, "file_bytes", s->plain_bytes);
	ero_json_add_u64(o, "stored_bytes", s->stored_bytes);
	ero_json_add(o, "file_sizes", sizes);
	return ero_report_json(o, out, err);
}

static int statistics_text(const struct statistics *s, FILE *out, struct ero_error *err)
{
	fprintf(out, "Files by type\n");
	for (size_t i = 0; i < sizeof(type_rows) / sizeof(type_rows[0]); i++)
		fprintf(out, "  %-34s%" PRIu64 "\n", type_rows[i].title, s->types[type_rows[i].type]);
	fprintf(out, "Inodes by layout\n");
	for (size_t i = 0; i < LAYOUTS; i++)
		fprintf(out, "  %-34s%" PRIu64 "\n", layout_rows[i].title, s->layouts[i]);
	fprintf(out, "  %-34s%" PRIu64 " of 32 bytes, %" PRIu64 " of 64 bytes\n", "Inode sizes:", s->compact, s->extended);
	fprintf(out, "  %-34s%" PRIu64 " (%" PRIu64 " bytes)\n", "With xattrs:", s->with_xattrs, s->xattr_bytes);
	fprintf(out, "Data\n  %-34s%" PRIu64 "\n", "Compressed files:", s->encoded_files);
	fprintf(out, "  %-34s%" PRIu64 "\n  %-34s%" PRIu64 "\n  %-34s%" PRIu64 "\n", "Extents:", s->extents,
		"Bytes of files:", s->plain_bytes, "Bytes as stored:", s->stored_bytes);
	fprintf(out, "  %-34s%.2f%%\n", "Compression ratio:", ratio(s));
	fprintf(out, "Regular files by size\n");
	for (unsigned i = 0; i < SIZE_CLASSES; i++)
		if (s->sizes[i])
			fprintf(out, "  %s %8llu KiB%20s%" PRIu64 "\n", i + 1 < SIZE_CLASSES ? "up to" : "over ",
				(unsigned long long)1 << (i + 1 < SIZE_CLASSES ? i : i - 1), "", s->sizes[i]);
	return ero_report_end(out, err);
}

int ero_report_statistics(struct ero_image *image, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	struct walk w = { .image = image };
	int rc = ero_walk(image, visit, &w, err);

	if (rc)
		return rc;
	return form == ERO_REPORT_JSON ? statistics_json(&w.s, out, err) : statistics_text(&w.s, out, err);
}
