// SPDX-License-Identifier: MIT
/* dump.erofs --path/--nid: one inode, its extents, its entries, its content. */
#include "image/data.h"
#include "image/dir.h"
#include "image/map.h"
#include "image/xattr.h"
#include "format/features.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const type_names[] = {
	[ERO_FT_UNKNOWN] = "unknown", [ERO_FT_REG] = "regular file", [ERO_FT_DIR] = "directory",
	[ERO_FT_CHR] = "character device", [ERO_FT_BLK] = "block device", [ERO_FT_FIFO] = "fifo",
	[ERO_FT_SOCK] = "socket", [ERO_FT_SYMLINK] = "symlink",
};

static const char *const layout_names[] = {
	[ERO_LAYOUT_FLAT_PLAIN] = "flat plain", [ERO_LAYOUT_COMPRESSED_FULL] = "compressed full",
	[ERO_LAYOUT_FLAT_INLINE] = "flat inline", [ERO_LAYOUT_COMPRESSED_COMPACT] = "compressed compact",
	[ERO_LAYOUT_CHUNK] = "chunk based",
};

static const char *kind_name(const struct ero_extent *e)
{
	if (e->sparse)
		return "hole";
	switch (e->kind) {
	case ERO_EXTENT_HOLE:
		return "hole";
	case ERO_EXTENT_PLAIN:
		return "plain";
	case ERO_EXTENT_INLINE:
		return "inline";
	case ERO_EXTENT_FRAGMENT:
		return "fragment";
	case ERO_EXTENT_ENCODED:
		return e->raw ? "plain" : ero_algorithm_name(e->algorithm);
	}
	return "?";
}

struct extent_sink {
	FILE *out;
	json_object *list;
	uint64_t count, stored;
};

static void add_extent(struct extent_sink *s, const struct ero_extent *e)
{
	json_object *o;

	if (s->list) {
		o = json_object_new_object();
		ero_json_add_u64(o, "logical", e->logical);
		ero_json_add_u64(o, "length", e->length);
		ero_json_add_u64(o, "physical", e->physical);
		ero_json_add_u64(o, "stored", e->stored);
		ero_json_add_u64(o, "device", e->device);
		ero_json_add(o, "kind", json_object_new_string(kind_name(e)));
		ero_json_append(s->list, o);
	} else if (s->out) {
		fprintf(s->out, "%4" PRIu64 ":%10" PRIu64 "..%10" PRIu64 " |%8" PRIu64 " :%11" PRIu64 "..%11" PRIu64 " |%8" PRIu64 "  # device %u, %s%s\n",
			s->count, e->logical, e->logical + e->length, e->length, e->physical,
			e->physical + (e->kind == ERO_EXTENT_HOLE ? 0 : e->stored), e->kind == ERO_EXTENT_HOLE ? 0 : e->stored,
			e->device, kind_name(e), e->in_meta || e->kind == ERO_EXTENT_INLINE ? " (with the inode)" : "");
	}
	s->count++;
	if (e->kind != ERO_EXTENT_HOLE)
		s->stored += e->stored;
}

static int walk_extents(struct ero_image *image, const struct ero_inode *inode, struct extent_sink *s,
			struct ero_error *err)
{
	struct ero_map map;
	struct ero_extent e;
	int rc = ero_map_init(&map, image, inode, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0) {
		add_extent(s, &e);
		rc = 0;
	}
	return rc;
}

struct xattr_sink {
	FILE *out;
	json_object *list;
};

static int add_xattr(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct xattr_sink *s = context;

	(void)err;
	if (s->list) {
		json_object *o = json_object_new_object();

		ero_json_add_name(o, "name", x->name, strlen(x->name));
		ero_json_add_name(o, "value", (const char *)x->value, x->value_length);
		ero_json_add(o, "shared", json_object_new_boolean(x->shared));
		ero_json_append(s->list, o);
	} else {
		fprintf(s->out, "Xattr: ");
		ero_print_name(s->out, x->name, strlen(x->name));
		fprintf(s->out, " (%zu bytes%s)\n", x->value_length, x->shared ? ", shared" : "");
	}
	return 0;
}

static int inode_json(struct ero_image *image, const struct ero_inode *i, const char *path, bool extents, FILE *out,
		      struct ero_error *err)
{
	json_object *o = json_object_new_object();
	struct xattr_sink xattrs = { .list = json_object_new_array() };
	struct extent_sink sink = { .list = extents ? json_object_new_array() : NULL };
	int rc;

	if (path)
		ero_json_add_name(o, "path", path, strlen(path));
	ero_json_add_u64(o, "nid", i->nid);
	ero_json_add(o, "type", json_object_new_string(type_names[ero_file_type(i->mode)]));
	ero_json_add_u64(o, "mode", i->mode & 07777);
	ero_json_add_u64(o, "uid", i->uid);
	ero_json_add_u64(o, "gid", i->gid);
	ero_json_add_u64(o, "nlink", i->nlink);
	ero_json_add_u64(o, "size", i->size);
	ero_json_add(o, "mtime", json_object_new_int64(i->mtime));
	ero_json_add_u64(o, "mtime_nsec", i->mtime_nsec);
	ero_json_add(o, "layout", json_object_new_string(layout_names[i->layout]));
	ero_json_add_u64(o, "inode_size", i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE);
	ero_json_add_u64(o, "xattr_size", ero_xattr_body_size(i->xattr_icount));
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode)) {
		ero_json_add_u64(o, "major", ero_rdev_major(i->rdev));
		ero_json_add_u64(o, "minor", ero_rdev_minor(i->rdev));
	}
	rc = ero_xattr_each(image, i, add_xattr, &xattrs, err);
	ero_json_add(o, "xattrs", xattrs.list);
	if (!rc)
		rc = walk_extents(image, i, &sink, err);
	ero_json_add_u64(o, "stored", sink.stored);
	if (extents)
		ero_json_add(o, "extents", sink.list);
	if (rc) {
		json_object_put(o);
		return rc;
	}
	return ero_report_json(o, out, err);
}

static int inode_text(struct ero_image *image, const struct ero_inode *i, const char *path, bool extents, FILE *out,
		      struct ero_error *err)
{
	struct xattr_sink xattrs = { .out = out };
	struct extent_sink sums = { 0 }, sink = { .out = out };
	time_t seconds = (time_t)i->mtime;
	char when[64] = "?";
	struct tm tm;
	int rc = walk_extents(image, i, &sums, err);

	if (rc)
		return rc;
	if (localtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	if (path) {
		fputs("Path : ", out);
		ero_print_text(out, path, strlen(path));
		fputc('\n', out);
	}
	fprintf(out, "Size: %" PRIu64 "  On-disk size: %" PRIu64 "  %s\n", i->size, sums.stored,
		type_names[ero_file_type(i->mode)]);
	fprintf(out, "NID: %" PRIu64 "   Links: %u   Layout: %d (%s)   Compression ratio: %.2f%%\n", i->nid, i->nlink, i->layout,
		layout_names[i->layout], i->size ? 100.0 * (double)sums.stored / (double)i->size : 100.0);
	fprintf(out, "Inode size: %u   Xattr size: %u\n", i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE,
		ero_xattr_body_size(i->xattr_icount));
	fprintf(out, "Uid: %u   Gid: %u   Access: %04o\n", i->uid, i->gid, i->mode & 07777);
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		fprintf(out, "Device: %u:%u\n", ero_rdev_major(i->rdev), ero_rdev_minor(i->rdev));
	fprintf(out, "Timestamp: %s.%09u\n", when, i->mtime_nsec);
	rc = ero_xattr_each(image, i, add_xattr, &xattrs, err);
	if (!rc && extents) {
		fprintf(out, "\n Ext:   logical offset     |  length :     physical offset     |  length\n");
		rc = walk_extents(image, i, &sink, err);
		fprintf(out, "%" PRIu64 " extents found\n", sink.count);
	}
	return rc ? rc : ero_report_end(out, err);
}

int ero_report_inode(struct ero_image *image, uint64_t nid, const char *path, bool extents, enum ero_report_form form,
		     FILE *out, struct ero_error *err)
{
	struct ero_inode inode;
	int rc = ero_inode_read(image, nid, &inode, err);

	if (rc)
		return rc;
	return form == ERO_REPORT_JSON ? inode_json(image, &inode, path, extents, out, err) :
					 inode_text(image, &inode, path, extents, out, err);
}

struct list_sink {
	FILE *out;
	json_object *list;
};

static int list_entry(void *context, const struct ero_dirent *e, struct ero_error *err)
{
	struct list_sink *s = context;

	(void)err;
	if (s->list) {
		json_object *o = json_object_new_object();

		ero_json_add_u64(o, "nid", e->nid);
		ero_json_add(o, "type", json_object_new_string(type_names[e->type < 8 ? e->type : 0]));
		ero_json_add_name(o, "name", e->name, e->name_length);
		ero_json_append(s->list, o);
	} else {
		fprintf(s->out, "%10" PRIu64 "    %u  ", e->nid, e->type);
		ero_print_name(s->out, e->name, e->name_length);
		fputc('\n', s->out);
	}
	return 0;
}

int ero_report_directory(struct ero_image *image, uint64_t nid, enum ero_report_form form, FILE *out,
			 struct ero_error *err)
{
	struct list_sink s = { .out = out };
	struct ero_inode inode;
	int rc = ero_inode_read(image, nid, &inode, err);

	if (rc)
		return rc;
	if (form == ERO_REPORT_JSON && !(s.list = json_object_new_array()))
		return ero_fail_memory(err);
	if (form == ERO_REPORT_TEXT && S_ISDIR(inode.mode))
		fprintf(out, "       NID TYPE  FILENAME\n");
	rc = ero_dir_entries(image, &inode, list_entry, &s, err);
	if (rc) {
		json_object_put(s.list);
		return rc;
	}
	return form == ERO_REPORT_JSON ? ero_report_json(s.list, out, err) : ero_report_end(out, err);
}

static int print_bytes(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	static const uint8_t zeros[65536];
	FILE *out = context;

	(void)offset;
	while (length) {
		size_t part = bytes || length < sizeof(zeros) ? length : sizeof(zeros);

		if (fwrite(bytes ? bytes : zeros, 1, part, out) != part)
			return ero_fail_errno(err, "cannot write the content");
		length -= part;
	}
	return 0;
}

int ero_report_content(struct ero_image *image, uint64_t nid, FILE *out, struct ero_error *err)
{
	struct ero_data_buffer buffer = { 0 };
	struct ero_inode inode;
	int rc = ero_inode_read(image, nid, &inode, err);

	if (!rc && !S_ISREG(inode.mode) && !S_ISLNK(inode.mode))
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "inode %" PRIu64 " is a %s: it has no content to show", nid,
			      type_names[ero_file_type(inode.mode)]);
	if (!rc)
		rc = ero_data_stream(image, &inode, &buffer, print_bytes, out, err);
	ero_data_buffer_clear(&buffer);
	return rc ? rc : ero_report_end(out, err);
}
