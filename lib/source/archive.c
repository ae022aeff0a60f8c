// SPDX-License-Identifier: MIT
/*
 * An archive as source: tar in all its dialects, cpio and zip, through libarchive, from a file or standard input, with
 * any compression. Content is spooled beside the image while the archive passes by, since the tree is only known at
 * its end. What libarchive does not verify is verified here: feed.c has the checksums of compressed files, tarcheck.c the headers
 * of tar members; and a warning of its is a failure.
 */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/spool.h"
#include "base/vec.h"
#include "format/inode.h"
#include "source/acl.h"
#include "source/feed.h"
#include "source/names.h"
#include "source/source.h"
#include "source/tarcheck.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

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
	struct ero_feed *feed;
	struct ero_tarcheck *check;
	struct ero_error feed_err; /* why the feed failed, if it did */
	const char *shown;         /* name of the archive, for messages */
	uint64_t members;
	bool told_xattr, told_record;
};

/* A member on its way into the tree. */
struct member {
	const char *name;          /* cleaned; "" is the root */
	struct archive_entry *entry;
	struct ero_tar_member tar; /* of a tar archive; else nothing */
	bool summed;               /* cpio with checksums: of its content, the sum of all bytes */
	uint32_t sum;
};

static int fail_archive(struct archive_source *s, struct ero_error *err)
{
	const char *why = archive_error_string(s->archive);

	if (s->feed_err.kind != ERO_ERROR_NONE) {
		*err = s->feed_err;
		return -err->code;
	}
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

static int fail_member(struct archive_source *s, const char *member, struct ero_error *err, int code, const char *why)
{
	return ero_fail(err, ERO_ERROR_CORRUPT, code, "%s: %s %s", s->shown, *member ? member : "/", why);
}

static char *member_name(struct archive_source *s, const char *raw, struct ero_error *err)
{
	char *name = strdup(raw ? raw : "");

	if (!name) {
		ero_fail_memory(err);
		return NULL;
	}
	if (!*name) {
		ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: a member has no name", s->shown);
	} else if (!clean_name(name)) {
		ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the member \"%s\" would lie outside of the tree", s->shown, raw);
	} else {
		return name;
	}
	free(name);
	return NULL;
}

/* ---- attributes ---- */

static int add_attribute(struct archive_source *s, struct ero_tree *tree, const char *member, const char *name,
			 const void *value, size_t length, struct ero_error *err)
{
	int rc = strncmp(name, "system.posix_acl_", 17) || ero_acl_is_valid(value, length) ?
			 ero_xattrs_add(&tree->xattrs, name, value, length, err) :
			 fail_member(s, member, err, EINVAL, "has an ACL that cannot be understood");

	if (rc != -EOPNOTSUPP && rc != -E2BIG)
		return rc;
	if (!s->told_xattr)
		ero_source_warn(s->base.options, "%s: xattr %s is left out (%s); more of this kind are not told", member, name,
				rc == -E2BIG ? "too large" : "the format has no place for its name");
	s->told_xattr = true;
	return 0;
}

static int add_acl(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m, int type,
		   const char *name, struct ero_error *err)
{
	ERO_AUTO_FREE uint8_t *bytes = NULL;
	size_t length = 0;
	int mask, rc = ero_acl_from_archive(m->entry, type, &bytes, &length, &mask, err);

	if (rc)
		return ero_error_prefix(err, rc, "%s: %s", s->shown, m->name);
	if (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS && mask >= 0) /* libarchive has put the group's own entry there */
		node->mode = (uint16_t)((node->mode & ~070) | mask << 3);
	return length ? add_attribute(s, tree, m->name, name, bytes, length, err) : 0;
}

/* False for a text that libarchive cannot read, or of which it drops entries that are there twice. */
static bool read_acl_text(struct archive_entry *e, const char *text, int type)
{
	int entries = 0;

	if (!text)
		return true;
	for (const char *p = text; *p; p += strcspn(p, ",\n"), p += *p != '\0')
		entries += strcspn(p, ",\n") != 0;
	return archive_entry_acl_from_text(e, text, type) == ARCHIVE_OK && archive_entry_acl_reset(e, type) >= entries;
}

/* libarchive keeps what it could make of an ACL's text; here it is all or nothing. */
static int read_acls(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m,
		     struct ero_error *err)
{
	const struct ero_tar_text *access = &m->tar.acl_access, *inherited = &m->tar.acl_default;
	bool again = access->bytes || inherited->bytes;
	int rc;

	if (inherited->bytes && !S_ISDIR(node->mode))
		return fail_member(s, m->name, err, EINVAL, "has a default ACL, and is no directory");

	if (again)
		archive_entry_acl_clear(m->entry);
	if (!read_acl_text(m->entry, access->bytes, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) ||
	    !read_acl_text(m->entry, inherited->bytes, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT))
		return fail_member(s, m->name, err, EINVAL, "has an ACL that cannot be understood");
	rc = add_acl(s, tree, node, m, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", err);
	return rc ? rc : add_acl(s, tree, node, m, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", err);
}

/* Is this an xattr that tarcheck.c has read, under the name that libarchive leaves as it is? */
static bool is_read(const struct member *m, const char *raw_name)
{
	for (size_t i = 0; i < m->tar.xattr_count; i++)
		if (m->tar.xattrs[i].raw_name && !strcmp(m->tar.xattrs[i].raw_name, raw_name))
			return true;
	return false;
}

static int read_attributes(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m,
			   struct ero_error *err)
{
	bool label = s->base.options->file_contexts;
	const char *name;
	const void *value;
	size_t length;
	int rc = 0;

	if (s->base.options->xattr_tolerance < 0)
		return 0;
	for (size_t i = 0; !rc && i < m->tar.xattr_count; i++) {
		const struct ero_tar_xattr *x = &m->tar.xattrs[i];

		if (!label || strcmp(x->name.bytes, "security.selinux") != 0)
			rc = add_attribute(s, tree, m->name, x->name.bytes, x->value.bytes, x->value.length, err);
	}
	archive_entry_xattr_reset(m->entry);
	while (!rc && archive_entry_xattr_next(m->entry, &name, &value, &length) == ARCHIVE_OK) {
		if (!(label && !strcmp(name, "security.selinux")) && !is_read(m, name))
			rc = add_attribute(s, tree, m->name, name, value, length, err);
	}
	if (!rc)
		rc = read_acls(s, tree, node, m, err);
	return rc ? rc : ero_xattrs_commit(&tree->xattrs, &node->xattr_set, err);
}

static int read_owner(struct archive_source *s, struct ero_node *node, const struct member *m, struct ero_error *err)
{
	int64_t uid = m->tar.has_uid ? m->tar.uid : archive_entry_uid(m->entry);
	int64_t gid = m->tar.has_gid ? m->tar.gid : archive_entry_gid(m->entry);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return ero_fail(err, ERO_ERROR_CORRUPT, ERANGE, "%s: %s has owner %lld:%lld, which no file can have", s->shown, m->name,
				(long long)uid, (long long)gid);
	node->uid = (uint32_t)uid;
	node->gid = (uint32_t)gid;
	node->mtime = m->tar.has_mtime ? m->tar.mtime : archive_entry_mtime(m->entry);
	node->mtime_nsec = m->tar.has_mtime ? m->tar.mtime_nsec : (uint32_t)archive_entry_mtime_nsec(m->entry);
	if (node->mtime_nsec > 999999999)
		return fail_member(s, m->name, err, ERANGE, "has a time that is none");
	return 0;
}

static int fill_node(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m,
		     struct ero_error *err)
{
	int rc = read_owner(s, node, m, err);

	if (rc)
		return rc;
	node->mode = (uint16_t)((node->mode & S_IFMT) | (archive_entry_perm(m->entry) & 07777));
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode)) {
		uint64_t major = archive_entry_rdevmajor(m->entry), minor = archive_entry_rdevminor(m->entry);

		if (major > 0xfff || minor > 0xfffff) /* the 12 and 20 bits of Linux */
			return ero_fail(err, ERO_ERROR_CORRUPT, ERANGE, "%s: %s is device %llu:%llu, which cannot be", s->shown, m->name,
					(unsigned long long)major, (unsigned long long)minor);
		node->rdev = ero_rdev_encode((unsigned)major, (unsigned)minor);
	}
	return read_attributes(s, tree, node, m, err);
}

/* ---- content ---- */

static int format_of(const struct archive_source *s)
{
	return archive_format(s->archive) & ARCHIVE_FORMAT_BASE_MASK;
}

/* What a sparse file's map counts as data is what the archive has of it; libarchive makes up for either. */
static int check_map(struct archive_source *s, const struct member *m, uint64_t taken, struct ero_error *err)
{
	uint64_t map = m->tar.stored - taken; /* bytes in front of the content */
	bool mapped = m->tar.map_numbers || m->tar.map_within || m->tar.type == 'S';
	uint64_t counted = mapped ? taken : (uint64_t)archive_entry_size(m->entry);
	la_int64_t at, length;

	if (archive_entry_hardlink(m->entry))
		return 0;
	if (archive_entry_sparse_reset(m->entry) > 0)
		counted = 0;
	while (archive_entry_sparse_next(m->entry, &at, &length) == ARCHIVE_OK)
		counted += (uint64_t)length;
	if (counted == taken && (m->tar.map_within ? taken <= m->tar.stored && map && map % 512 == 0 : !map))
		return 0;
	return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: %s has %llu bytes of data by its map, and the archive %llu", s->shown, m->name,
			(unsigned long long)counted, (unsigned long long)(m->tar.map_within ? taken : m->tar.stored));
}

static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	while (length--)
		sum += *bytes++;
	return sum;
}

static int spool_content(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m,
			 bool sized, struct ero_error *err)
{
	uint32_t sum = 0;
	uint64_t taken = 0;
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

		if (code != ARCHIVE_OK) {
			rc = ero_error_prefix(err, fail_archive(s, err), "content of %s", m->name);
			break;
		}
		if (!length)
			continue;
		taken += length;
		if (m->summed)
			sum += sum_of(bytes, length);
		if (!sized) /* a streamed zip tells the size behind the content */
			node->size = p.logical + length;
		if (at < 0 || (last && p.logical < last->logical + last->length) || p.logical + length > node->size) {
			rc = ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the content of %s does not fit its size", s->shown, m->name);
			break;
		}
		rc = ero_spool_append(s->spool, bytes, length, &p.spooled, err);
		if (!rc && last && p.logical == last->logical + last->length && p.spooled == last->spooled + last->length)
			last->length += length;
		else if (!rc && !ero_vec_push(&pieces, p))
			rc = ero_fail_memory(err);
	}
	if (!rc && m->summed && sum != m->sum)
		rc = fail_member(s, m->name, err, EINVAL, "has content that does not fit its checksum");
	if (!rc && format_of(s) == ARCHIVE_FORMAT_TAR)
		rc = check_map(s, m, taken, err);
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

static int add_link(struct archive_source *s, struct ero_tree *tree, const struct member *m, struct ero_error *err)
{
	const char *target = m->tar.link.bytes ? m->tar.link.bytes : archive_entry_hardlink(m->entry);
	ERO_AUTO_FREE char *name = member_name(s, target, err);
	struct ero_node *node;

	if (!name)
		return -EINVAL;
	if (!*m->name)
		return fail_member(s, m->name, err, EINVAL, "is no directory, but a hard link");
	node = ero_names_find(s->names, name);
	if (!node || S_ISDIR(node->mode))
		return ero_fail(err, ERO_ERROR_CORRUPT, ENOENT, "%s: %s is a hard link to %s, which the archive does not have before it",
				s->shown, m->name, target);
	if (S_ISREG(node->mode) && !node->size && archive_entry_size(m->entry) > 0) { /* cpio: the last name brings the content */
		int rc;

		node->size = (uint64_t)archive_entry_size(m->entry);
		rc = spool_content(s, tree, node, m, true, err);
		if (rc)
			return rc;
	}
	return ero_names_put(s->names, m->name, node, err);
}

/*
 * AUFS whiteouts of image layers: the marker files become what overlayfs understands. They are files, or (of AUFS itself) hard links;
 * what stands behind ".wh." is a name like any other. Returns 1 if the member was one.
 */
static int add_marker(struct archive_source *s, struct ero_tree *tree, const struct member *m, struct ero_error *err)
{
	ERO_AUTO_FREE char *path = strdup(m->name);
	char *last = path;
	struct ero_node *node;
	int rc;

	if (!path)
		return ero_fail_memory(err);
	for (char *slash; (slash = strchr(last, '/')); last = slash + 1) {
		if (!strncmp(last, ".wh..wh.", 8)) /* a folder of AUFS' own: others may be hard links to what it holds */
			return 0;
		if (!strncmp(last, ".wh.", 4))
			return fail_member(s, m->name, err, EINVAL, "lies below a whiteout, which is no directory");
	}
	if (strncmp(last, ".wh.", 4) != 0)
		return 0;
	if (!strncmp(last, ".wh..wh.", 8) && strcmp(last, ".wh..wh..opq") != 0)
		return 0;
	if (!archive_entry_hardlink(m->entry) && archive_entry_filetype(m->entry) != AE_IFREG)
		return fail_member(s, m->name, err, EINVAL, "is a whiteout by its name, but no file");
	if (!strcmp(last, ".wh..wh..opq")) {
		last[last > path ? -1 : 0] = '\0';
		rc = ero_names_opaque(s->names, path, err);
		return rc ? rc : 1;
	}
	memmove(last, last + 4, strlen(last + 4) + 1);
	if (!*last || !strcmp(last, ".") || !strcmp(last, ".."))
		return fail_member(s, m->name, err, EINVAL, "is a whiteout of no name that a file can have");
	node = ero_tree_node(tree, S_IFCHR);
	if (!node)
		return ero_fail_memory(err);
	rc = read_owner(s, node, m, err);
	if (!rc)
		rc = ero_names_hide(s->names, path, node, err);
	return rc ? rc : 1;
}

static int add_directory(struct archive_source *s, struct ero_tree *tree, const struct member *m, struct ero_error *err)
{
	struct ero_node *node;
	int rc;

	/* a name that ends with '/' is a directory by an old custom, which holds for what has no content */
	if (m->tar.type != 'D' && archive_entry_size_is_set(m->entry) && archive_entry_size(m->entry) > 0)
		return fail_member(s, m->name, err, EINVAL, "is a directory by its name and a file by its content");
	if (m->tar.type >= '1' && m->tar.type <= '6' && m->tar.type != '5') /* libarchive has taken it for one */
		return fail_member(s, m->name, err, EINVAL, "is a directory by its name and something else by its type");
	rc = ero_names_directory(s->names, m->name, &node, err);
	return rc ? rc : fill_node(s, tree, node, m, err);
}

static int add_symlink(struct archive_source *s, struct ero_tree *tree, struct ero_node *node, const struct member *m,
		       struct ero_error *err)
{
	const char *target = m->tar.link.bytes ? m->tar.link.bytes : archive_entry_symlink(m->entry);

	if (!target || !*target || strlen(target) > 4095)
		return fail_member(s, m->name, err, EINVAL, "is a symbolic link without a valid target");
	node->size = strlen(target);
	node->link = ero_arena_string(&tree->arena, target, strlen(target));
	return node->link ? 0 : ero_fail_memory(err);
}

static int add_other(struct archive_source *s, struct ero_tree *tree, const struct member *m, struct ero_error *err)
{
	uint16_t type = (uint16_t)(archive_entry_filetype(m->entry) & S_IFMT);
	struct ero_node *node;
	int rc;

	if (!*m->name)
		return fail_member(s, m->name, err, EINVAL, "is no directory");
	if (ero_file_type(type) == ERO_FT_UNKNOWN)
		return fail_member(s, m->name, err, EINVAL, "has a file type no file system has");
	node = ero_tree_node(tree, type);
	if (!node)
		return ero_fail_memory(err);
	rc = fill_node(s, tree, node, m, err);
	if (!rc && S_ISREG(type)) {
		bool sized = archive_entry_size_is_set(m->entry);

		node->size = sized ? (uint64_t)archive_entry_size(m->entry) : 0;
		rc = node->size || !sized ? spool_content(s, tree, node, m, sized, err) : 0;
	} else if (!rc && S_ISLNK(type)) {
		rc = add_symlink(s, tree, node, m, err);
	}
	return rc ? rc : ero_names_put(s->names, m->name, node, err);
}

static int put_member(struct archive_source *s, struct ero_tree *tree, const struct member *m, struct ero_error *err)
{
	int rc = 0;

	if (*m->name && ero_filter_excludes(s->base.filter, m->name))
		return 0;
	if (s->base.options->aufs && *m->name)
		rc = add_marker(s, tree, m, err);
	if (rc)
		return rc < 0 ? rc : 0;
	if (archive_entry_hardlink(m->entry))
		return add_link(s, tree, m, err);
	if (archive_entry_filetype(m->entry) == AE_IFDIR)
		return add_directory(s, tree, m, err);
	return add_other(s, tree, m, err);
}

/* ---- formats ---- */

/* "newc" with checksums has one for each member, as eight hexadecimal digits at the end of its header. */
static int read_sum(struct archive_source *s, uint64_t position, struct member *m, struct ero_error *err)
{
	char header[111] = "", *end;

	if (!ero_feed_recall(s->feed, position, header, 110) || memcmp(header, "070702", 6) != 0)
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the header of a cpio member is not where it should be", s->shown);
	m->sum = (uint32_t)strtoul(header + 102, &end, 16);
	m->summed = archive_entry_filetype(m->entry) == AE_IFREG && archive_entry_size(m->entry) > 0;
	return *end ? ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s: the checksum of a cpio member is no number", s->shown) : 0;
}

static int add_member(struct archive_source *s, struct ero_tree *tree, struct archive_entry *e, struct ero_error *err)
{
	uint64_t position = (uint64_t)archive_read_header_position(s->archive);
	struct member m = { .entry = e };
	ERO_AUTO_FREE char *name = NULL;
	const char *raw;
	int rc = 0;

	if (format_of(s) == ARCHIVE_FORMAT_TAR)
		rc = ero_tarcheck_member(s->check, s->feed, position, &m.tar, err);
	else if (archive_format(s->archive) == ARCHIVE_FORMAT_CPIO_SVR4_CRC)
		rc = read_sum(s, position, &m, err);
	raw = m.tar.path.bytes ? m.tar.path.bytes : archive_entry_pathname(e);
	if (rc)
		return ero_error_prefix(err, rc, "%s: %s", s->shown, raw ? raw : "a member");
	if (m.tar.ignored.bytes && !s->told_record)
		ero_source_warn(s->base.options, "%s: %s: the pax record \"%.*s\" is not known and left out; more of this kind are not told",
				s->shown, raw ? raw : "a member", (int)m.tar.ignored.length, m.tar.ignored.bytes);
	s->told_record |= m.tar.ignored.bytes != NULL;
	name = member_name(s, raw, err);
	if (!name)
		return -EINVAL;
	m.name = name;
	if (raw[strlen(raw) - 1] == '/' && (archive_entry_hardlink(e) || archive_entry_filetype(e) != AE_IFDIR))
		return fail_member(s, raw, err, EINVAL, "is a directory by its name and something else by its type");
	rc = put_member(s, tree, &m, err);
	if (rc && !strstr(err->text, s->shown))
		ero_error_prefix(err, rc, "%s: %s", s->shown, name);
	return rc;
}

/* A warning is no success: what libarchive warns of, it has left out or changed; but for names it cannot convert, which tarcheck.c has
 * read as they are. */
static bool is_good(struct archive_source *s, int code)
{
	const char *why = archive_error_string(s->archive);

	return code == ARCHIVE_OK ||
	       (code == ARCHIVE_WARN && format_of(s) == ARCHIVE_FORMAT_TAR && why && strstr(why, "can't be converted"));
}

/* Zeros behind the trailer of a cpio archive, as far as it was read: its name ends with a NUL within any header's length of `position`. */
static bool is_cpio_end(struct archive_source *s, uint64_t position)
{
	enum { MOST_HEADER = 160 };
	static const char name[] = "TRAILER!!!";
	char bytes[4096];
	uint64_t at = position, end = ero_feed_position(s->feed);
	size_t head = end - at < MOST_HEADER ? (size_t)(end - at) : MOST_HEADER;
	const char *found = ero_feed_recall(s->feed, at, bytes, head) ? memmem(bytes, head, name, sizeof(name)) : NULL;

	if (!found)
		return false;
	for (at += (size_t)(found - bytes) + sizeof(name); at < end; at += sizeof(bytes)) {
		size_t part = end - at < sizeof(bytes) ? (size_t)(end - at) : sizeof(bytes);

		if (!ero_feed_recall(s->feed, at, bytes, part) || !ero_all_zero(bytes, part))
			return false;
	}
	return true;
}

/* What follows the end: checksums of what the archive is compressed by, padding; nothing else. */
static int finish(struct archive_source *s, struct ero_error *err)
{
	uint64_t position = (uint64_t)archive_read_header_position(s->archive);
	int format = format_of(s), rc = 0;
	bool marked = true, clean = true, zeros;

	if (format == ARCHIVE_FORMAT_ZIP)
		return 0; /* its directory lies at the end, and was read first */
	if (format == ARCHIVE_FORMAT_TAR)
		rc = ero_tarcheck_end(s->feed, position, s->members != 0, &marked, &clean, err);
	if (rc)
		return ero_error_prefix(err, rc, "%s", s->shown);
	if (format == ARCHIVE_FORMAT_CPIO)
		clean = is_cpio_end(s, position);
	rc = ero_feed_drain(s->feed, &zeros, err);
	if (rc)
		return rc;
	if (!(clean && zeros) && (format == ARCHIVE_FORMAT_CPIO || !s->members))
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "%s: something else follows the end of the archive, and would be lost", s->shown);
	if (!(clean && zeros))
		ero_source_warn(s->base.options, "%s: what follows the end of the archive is left out", s->shown);
	if (format == ARCHIVE_FORMAT_EMPTY)
		ero_source_warn(s->base.options, "%s: there is not a byte in it, so the image is empty", s->shown);
	else if (!marked)
		ero_source_warn(s->base.options, "%s: the archive ends without the blocks of zeros that mark its end: it may have been cut off",
				s->shown);
	return 0;
}

static la_ssize_t read_feed(struct archive *archive, void *context, const void **bytes)
{
	struct archive_source *s = context;
	ssize_t n = ero_feed_read(s->feed, bytes, &s->feed_err);

	if (n < 0)
		archive_set_error(archive, (int)-n, "%s", s->feed_err.text);
	return n < 0 ? -1 : n;
}

static la_int64_t seek_feed(struct archive *archive, void *context, la_int64_t offset, int whence)
{
	struct archive_source *s = context;
	struct ero_error err;
	int64_t at = ero_feed_seek(s->feed, offset, whence, &err);

	(void)archive;
	return at < 0 ? ARCHIVE_FATAL : at;
}

static int open_archive(struct archive_source *s, struct ero_error *err)
{
	const char *path = s->base.options->source;
	int rc;

	s->shown = path ? path : "standard input";
	rc = ero_feed_open(path, s->shown, s->base.options->target, &s->feed, err);
	if (!rc)
		rc = ero_tarcheck_create(&s->check, err);
	if (rc)
		return rc;
	s->archive = archive_read_new();
	if (!s->archive)
		return ero_fail_memory(err);
	archive_read_support_format_tar(s->archive);
	archive_read_support_format_cpio(s->archive);
	archive_read_support_format_zip_seekable(s->archive); /* without its directory a zip has neither modes nor links */
	archive_read_support_format_empty(s->archive);
	archive_read_set_read_callback(s->archive, read_feed);
	if (ero_feed_seekable(s->feed))
		archive_read_set_seek_callback(s->archive, seek_feed);
	archive_read_set_callback_data(s->archive, s);
	return archive_read_open1(s->archive) == ARCHIVE_OK ? 0 : fail_archive(s, err);
}

static int read_members(struct archive_source *s, struct ero_tree *tree, struct ero_error *err)
{
	struct archive_entry *e = archive_entry_new2(s->archive); /* libarchive's own is not looked at where memory is short */
	int code, rc = e ? 0 : ero_fail_memory(err);

	while (!rc) {
		code = archive_read_next_header2(s->archive, e);
		if (code == ARCHIVE_EOF)
			break;
		s->members++;
		rc = is_good(s, code) ? add_member(s, tree, e, err) : fail_archive(s, err);
	}
	archive_entry_free(e);
	return rc ? rc : finish(s, err);
}

/* libarchive converts names to the locale's character set: UTF-8, whatever the caller's is, for this thread and for as long. */
static int scan_in_utf8(struct archive_source *s, struct ero_tree *tree, struct ero_error *err)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
	int rc = open_archive(s, err);

	if (!rc)
		rc = read_members(s, tree, err);
	if (s->archive)
		archive_read_free(s->archive);
	s->archive = NULL;
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return rc;
}

static int scan(struct ero_source *source, struct ero_tree *tree, struct ero_error *err)
{
	struct archive_source *s = (struct archive_source *)source;
	int rc = ero_spool_create(source->options->target, SPOOL_MEMORY, &s->spool, err);

	/* directories that no member describes get the image's time */
	tree->root->mtime = source->options->build_time;
	tree->root->mtime_nsec = source->options->build_time_nsec;
	if (!rc)
		rc = ero_names_create(tree, &s->names, err);
	if (!rc)
		rc = scan_in_utf8(s, tree, err);
	if (!rc)
		rc = ero_names_finish(s->names, source->options->aufs ? ".wh..wh." : NULL, err);
	ero_feed_free(s->feed);
	ero_tarcheck_free(s->check);
	ero_names_free(s->names);
	s->feed = NULL;
	s->check = NULL;
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
