// SPDX-License-Identifier: MIT
/*
 * An archive as source: tar in all its dialects, cpio and zip, through libarchive, from a file or standard input, with
 * any compression. Content is spooled beside the image while the archive passes by, since the tree is only known at
 * its end.
 */
#include "base/cleanup.h"
#include "base/spool.h"
#include "base/vec.h"
#include "format/inode.h"
#include "source/acl.h"
#include "source/names.h"
#include "source/source.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_MEMORY = 4 << 20 };

/* A piece of a file's content in the spool; what lies between pieces is a hole. node->data: array, count; or for one piece that
 * holds the whole file, its place in the spool and WHOLE. */
struct piece {
	uint64_t logical, length, spooled;
};

#define WHOLE UINT64_MAX

struct archive_source {
	struct ero_source base;
	struct ero_spool *spool;
	struct ero_names *names;
	struct archive *archive;
	const char *shown;      /* name of the archive, for messages */
	bool told_xattr;
};

static int fail_archive(struct archive_source *s, struct ero_error *err)
{
	const char *why = archive_error_string(s->archive);

	return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: %s", s->shown, why ? why : "cannot be read as an archive");
}

/* ---- names ---- */

/* Cleans a member's name in place: no leading or doubled '/', no "."; false when a ".." would leave the tree. */
static bool clean_name(char *name)
{
	char *out = name;

	for (char *in = name; *in;) {
		size_t n = strcspn(in, "/");

		if (n == 2 && in[0] == '.' && in[1] == '.')
			return false;
		if (n && !(n == 1 && in[0] == '.')) {
			if (out != name)
				*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in += n;
		while (*in == '/')
			in++;
	}
	*out = '\0';
	return true;
}

static char *member_name(struct archive_source *s, const char *raw, struct ero_error *err)
{
	char *name = strdup(raw ? raw : "");

	if (!name) {
		ero_fail_memory(err);
		return NULL;
	}
	if (!clean_name(name)) {
		ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the member \"%s\" would lie outside of the tree", s->shown, raw);
		free(name);
		return NULL;
	}
	return name;
}

/* ---- attributes ---- */

static int add_attribute(struct archive_source *s, struct ero_tree *tree, const char *member, const char *name,
			 const void *value, size_t length, struct ero_error *err)
{
	int rc = ero_xattrs_add(&tree->xattrs, name, value, length, err);

	if (rc != -EOPNOTSUPP && rc != -E2BIG)
		return rc;
	if (!s->told_xattr)
		ero_source_warn(s->base.options, "%s: xattr %s is left out (%s); more of this kind are not told", member, name,
				rc == -E2BIG ? "too large" : "the format has no place for its name");
	s->told_xattr = true;
	return 0;
}

static int add_acl(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const char *member,
		   struct archive_entry *e, int type, const char *name, struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *bytes = NULL;
	size_t length = 0;
	int mask, rc = ero_acl_from_archive(e, type, &bytes, &length, &mask, err);

	if (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS && mask >= 0) /* libarchive has put the group's own entry there */
		node->mode = (uint16_t)((node->mode & ~070) | mask << 3);
	return rc || !length ? rc : add_attribute(s, tree, member, name, bytes, length, err);
}

static int read_attributes(struct archive_source *s, struct ero_tree *tree, struct ero_node *node,
			   const char *member, struct archive_entry *e, struct ero_error *err)
{
	const char *name;
	const void *value;
	size_t length;
	int rc = 0;

	if (s->base.options->xattr_tolerance < 0)
		return 0;
	if (s->base.options->aufs && node->xattr_set) /* an opaque marker may have come before its directory */
		rc = ero_xattrs_reopen(&tree->xattrs, node->xattr_set, err);
	archive_entry_xattr_reset(e);
	while (!rc && archive_entry_xattr_next(e, &name, &value, &length) == ARCHIVE_OK) {
		if (s->base.options->file_contexts && !strcmp(name, "security.selinux"))
			continue;
		rc = add_attribute(s, tree, member, name, value, length, err);
	}
	if (!rc)
		rc = add_acl(s, tree, node, member, e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", err);
	if (!rc)
		rc = add_acl(s, tree, node, member, e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", err);
	return rc ? rc : ero_xattrs_commit(&tree->xattrs, &node->xattr_set, err);
}

static int fill_node(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const char *member,
		     struct archive_entry *e, struct ero_error *err)
{
	int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return ero_fail(err, ERO_ERROR_CORRUPT, ERANGE, "%s: %s has owner %lld:%lld, which no file can have", s->shown, member,
				(long long)uid, (long long)gid);
	node->uid = (uint32_t)uid;
	node->gid = (uint32_t)gid;
	node->mode = (uint16_t)((node->mode & S_IFMT) | (archive_entry_perm(e) & 07777));
	node->mtime = archive_entry_mtime(e);
	node->mtime_nsec = (uint32_t)archive_entry_mtime_nsec(e);
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
		node->rdev = ero_rdev_encode((unsigned)archive_entry_rdevmajor(e), (unsigned)archive_entry_rdevminor(e));
	return read_attributes(s, tree, node, member, e, err);
}

/* ---- content ---- */

static int spool_content(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const char *member,
			 bool sized, struct ero_error *err)
{
	ERO_VEC(struct piece) pieces = { 0 };
	struct piece *kept;
	const void *bytes;
	la_int64_t at;
	size_t length;
	int code, rc = 0;
	bool whole;

	while (!rc && (code = archive_read_data_block(s->archive, &bytes, &length, &at)) != ARCHIVE_EOF) {
		struct piece p = { .logical = (uint64_t)at, .length = length };
		struct piece *last = pieces.count ? &pieces.data[pieces.count - 1] : NULL;

		if (code < ARCHIVE_WARN) {
			rc = ero_error_prefix(err, fail_archive(s, err), "content of %s", member);
			break;
		}
		if (!length)
			continue;
		if (!sized) /* a streamed zip tells the size behind the content */
			node->size = p.logical + length;
		if (at < 0 || (last && p.logical < last->logical + last->length) || p.logical + length > node->size) {
			rc = ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the content of %s does not fit its size", s->shown, member);
			break;
		}
		rc = ero_spool_append(s->spool, bytes, length, &p.spooled, err);
		if (!rc && last && p.logical == last->logical + last->length && p.spooled == last->spooled + last->length)
			last->length += length;
		else if (!rc && !ero_vec_push(&pieces, p))
			rc = ero_fail_memory(err);
	}
	whole = pieces.count == 1 && pieces.data[0].length == node->size;
	if (!rc && whole) {
		node->data[0] = pieces.data[0].spooled;
		node->data[1] = WHOLE;
	} else if (!rc && pieces.count) {
		kept = ero_arena_alloc(&tree->arena, pieces.count * sizeof(*kept));
		if (kept)
			memcpy(kept, pieces.data, pieces.count * sizeof(*kept));
		else
			rc = ero_fail_memory(err);
		node->data[0] = (uint64_t)(uintptr_t)kept;
		node->data[1] = pieces.count;
	}
	node->maybe_sparse = node->size && !whole;
	ero_vec_free(&pieces);
	return rc;
}

/* ---- members ---- */

static int add_link(struct archive_source *s, struct ero_tree *tree, const char *member, struct archive_entry *e,
		    struct ero_error *err)
{
	const char *target = archive_entry_hardlink(e);
	ERO_AUTO_FREE char *name = member_name(s, target, err);
	struct ero_node *node;

	if (!name)
		return -EINVAL;
	node = ero_names_find(s->names, name);
	if (!node || S_ISDIR(node->mode))
		return ero_fail(err, ERO_ERROR_CORRUPT, ENOENT, "%s: %s is a hard link to %s, which the archive does not have before it",
				s->shown, member, target);
	if (S_ISREG(node->mode) && !node->size && archive_entry_size(e) > 0) { /* cpio: the last name brings the content */
		int rc;

		node->size = (uint64_t)archive_entry_size(e);
		rc = spool_content(s, tree, node, member, true, err);
		if (rc)
			return rc;
	}
	return ero_names_put(s->names, member, node, err);
}

/* AUFS whiteouts of image layers: the marker files become what overlayfs understands. Returns 1 if `name` was one. */
static int add_aufs(struct archive_source *s, struct ero_tree *tree, char *member, struct archive_entry *e,
		    struct ero_error *err)
{
	char *slash = strrchr(member, '/'), *last = slash ? slash + 1 : member;
	struct ero_node *node;
	int rc;

	if (strncmp(last, ".wh.", 4))
		return 0;
	if (!strcmp(last, ".wh..wh..opq")) {
		last[slash ? -1 : 0] = '\0';
		rc = ero_names_directory(s->names, member, &node, err);
		if (!rc)
			rc = ero_xattrs_reopen(&tree->xattrs, node->xattr_set, err);
		if (!rc)
			rc = ero_xattrs_add(&tree->xattrs, "trusted.overlay.opaque", "y", 1, err);
		if (!rc)
			rc = ero_xattrs_commit(&tree->xattrs, &node->xattr_set, err);
		return rc ? rc : 1;
	}
	if (!strncmp(last, ".wh..wh.", 8))
		return 1; /* AUFS' own bookkeeping */
	memmove(last, last + 4, strlen(last + 4) + 1);
	node = ero_tree_node(tree, S_IFCHR);
	if (!node)
		return ero_fail_memory(err);
	node->uid = (uint32_t)archive_entry_uid(e);
	node->gid = (uint32_t)archive_entry_gid(e);
	node->mtime = archive_entry_mtime(e);
	rc = ero_names_put(s->names, member, node, err);
	return rc ? rc : 1;
}

static int add_directory(struct archive_source *s, struct ero_tree *tree, const char *member, struct archive_entry *e,
			 struct ero_error *err)
{
	struct ero_node *node;
	int rc = ero_names_directory(s->names, member, &node, err);

	return rc ? rc : fill_node(s, tree, node, *member ? member : "/", e, err);
}

static int add_other(struct archive_source *s, struct ero_tree *tree, const char *member, struct archive_entry *e,
		     struct ero_error *err)
{
	uint16_t type = (uint16_t)(archive_entry_filetype(e) & S_IFMT);
	struct ero_node *node = ero_tree_node(tree, type);
	const char *target;
	int rc;

	if (!node)
		return ero_fail_memory(err);
	if (ero_file_type(type) == ERO_FT_UNKNOWN)
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: %s has a file type no file system has", s->shown, member);
	rc = fill_node(s, tree, node, member, e, err);
	if (!rc && S_ISREG(type)) {
		bool sized = archive_entry_size_is_set(e);

		node->size = sized ? (uint64_t)archive_entry_size(e) : 0;
		rc = node->size || !sized ? spool_content(s, tree, node, member, sized, err) : 0;
	} else if (!rc && S_ISLNK(type)) {
		target = archive_entry_symlink(e);
		if (!target || !*target || strlen(target) > 4095)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the symbolic link %s has no valid target", s->shown, member);
		node->size = strlen(target);
		node->link = ero_arena_string(&tree->arena, target, strlen(target));
		rc = node->link ? 0 : ero_fail_memory(err);
	}
	return rc ? rc : ero_names_put(s->names, member, node, err);
}

static int add_member(struct archive_source *s, struct ero_tree *tree, struct archive_entry *e, struct ero_error *err)
{
	ERO_AUTO_FREE char *member = member_name(s, archive_entry_pathname(e), err);
	int rc = 0;

	if (!member)
		return -EINVAL;
	if (*member && ero_filter_excludes(s->base.filter, member))
		return 0;
	if (s->base.options->aufs && *member)
		rc = add_aufs(s, tree, member, e, err);
	if (rc)
		return rc < 0 ? rc : 0;
	if (archive_entry_hardlink(e))
		return add_link(s, tree, member, e, err);
	if (archive_entry_filetype(e) == AE_IFDIR || !*member)
		return add_directory(s, tree, member, e, err);
	return add_other(s, tree, member, e, err);
}

static int open_archive(struct archive_source *s, struct ero_error *err)
{
	const char *path = s->base.options->source;
	int code;

	s->shown = path ? path : "standard input";
	s->archive = archive_read_new();
	if (!s->archive)
		return ero_fail_memory(err);
	archive_read_support_filter_all(s->archive);
	archive_read_support_format_tar(s->archive);
	archive_read_support_format_cpio(s->archive);
	archive_read_support_format_zip(s->archive);
	archive_read_support_format_empty(s->archive);
	code = path ? archive_read_open_filename(s->archive, path, 1 << 17) :
		      archive_read_open_fd(s->archive, STDIN_FILENO, 1 << 17);
	return code == ARCHIVE_OK ? 0 : fail_archive(s, err);
}

static int scan(struct ero_source *source, struct ero_tree *tree, struct ero_error *err)
{
	struct archive_source *s = (struct archive_source *)source;
	struct archive_entry *e = NULL;
	int code, rc = ero_spool_create(source->options->target, SPOOL_MEMORY, &s->spool, err);

	/* directories that no member describes get the image's time */
	tree->root->mtime = source->options->build_time;
	tree->root->mtime_nsec = source->options->build_time_nsec;
	if (!rc)
		rc = ero_names_create(tree, &s->names, err);
	if (!rc)
		rc = open_archive(s, err);
	if (!rc && !(e = archive_entry_new2(s->archive))) /* libarchive's own is not looked at where memory is short */
		rc = ero_fail_memory(err);
	while (!rc) {
		code = archive_read_next_header2(s->archive, e);
		if (code == ARCHIVE_EOF)
			break;
		rc = code < ARCHIVE_WARN ? fail_archive(s, err) : add_member(s, tree, e, err);
	}
	if (!rc)
		rc = ero_names_finish(s->names, err);
	archive_entry_free(e);
	if (s->archive)
		archive_read_free(s->archive);
	s->archive = NULL;
	ero_names_free(s->names);
	s->names = NULL;
	return rc;
}

static int open_file(struct ero_source *source, const struct ero_node *node, struct ero_source_file *file,
		     struct ero_error *err)
{
	(void)err;
	*file = (struct ero_source_file){ .source = source, .node = node, .fd = -1 };
	return 0;
}

static void close_file(struct ero_source_file *file)
{
	(void)file;
}

struct content {
	struct piece one;
	const struct piece *pieces;
	size_t count;
};

static void content_of(const struct ero_node *node, struct content *c)
{
	bool whole = node->data[1] == WHOLE;

	c->one = (struct piece){ .length = node->size, .spooled = node->data[0] };
	c->pieces = whole ? &c->one : (const struct piece *)(uintptr_t)node->data[0];
	c->count = whole ? 1 : node->data[1];
}

/* Index of the first piece that ends after `offset`. */
static size_t find_piece(const struct content *c, uint64_t offset)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->pieces[middle].logical + c->pieces[middle].length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int read_file(struct ero_source_file *file, uint64_t offset, void *buffer, size_t length, struct ero_error *err)
{
	struct archive_source *s = (struct archive_source *)file->source;
	uint64_t end = offset + length;
	struct content c;
	int rc = 0;

	content_of(file->node, &c);
	memset(buffer, 0, length);
	for (size_t i = find_piece(&c, offset); !rc && i < c.count && c.pieces[i].logical < end; i++) {
		const struct piece *p = &c.pieces[i];
		uint64_t from = p->logical > offset ? p->logical : offset;
		uint64_t to = p->logical + p->length < end ? p->logical + p->length : end;

		rc = ero_spool_read(s->spool, (char *)buffer + (from - offset), (size_t)(to - from), p->spooled + (from - p->logical), err);
	}
	return rc;
}

static int next_data(struct ero_source_file *file, uint64_t offset, uint64_t *start, uint64_t *end,
		     struct ero_error *err)
{
	struct content c;
	size_t i;

	(void)err;
	content_of(file->node, &c);
	i = find_piece(&c, offset);
	if (i == c.count) {
		*start = *end = file->node->size;
		return 0;
	}
	*start = c.pieces[i].logical > offset ? c.pieces[i].logical : offset;
	*end = c.pieces[i].logical + c.pieces[i].length;
	return 0;
}

static void destroy(struct ero_source *source)
{
	struct archive_source *s = (struct archive_source *)source;

	ero_spool_free(s->spool);
	ero_filter_free(source->filter);
	free(s);
}

int ero_source_archive(const struct ero_build_options *options, struct ero_source **result, struct ero_error *err)
{
	static const struct ero_source_ops ops = { scan, open_file, read_file, next_data, close_file, destroy };
	struct archive_source *s = calloc(1, sizeof(*s));
	int rc;

	*result = NULL;
	if (!s)
		return ero_fail_memory(err);
	s->base.ops = &ops;
	s->base.options = options;
	rc = ero_filter_create(options, &s->base.filter, err);
	if (rc) {
		destroy(&s->base);
		return rc;
	}
	*result = &s->base;
	return 0;
}
