/* SPDX-License-Identifier: MIT */
/* The headers of a tar member as they are written, beside what libarchive makes of them. */
#ifndef ERO_SOURCE_TARCHECK_H
#define ERO_SOURCE_TARCHECK_H

#include <stdbool.h>
#include "source/feed.h"

struct ero_tar_text {
	const char *bytes;       /* terminated, and without a NUL within but for values of xattrs */
	size_t length;
};

struct ero_tar_xattr {
	struct ero_tar_text name, value;
	const char *raw_name;    /* as libarchive gives it: GNU tar writes '=' as %3D and '%' as %25 */
};

/* What pax records say of a member, with global ones where it has none of its own; what has none is as the header has it. */
struct ero_tar_member {
	char type;               /* of the header: '0' to '7', 'S', 'D', or NUL */
	struct ero_tar_text path, link, acl_access, acl_default; /* bytes NULL: no record */
	bool has_mtime, has_uid, has_gid;
	int64_t mtime;           /* seconds since 1970, rounded down */
	uint32_t mtime_nsec;
	uint32_t uid, gid;
	const struct ero_tar_xattr *xattrs;
	size_t xattr_count;
	uint64_t stored;         /* bytes that follow the headers */
	uint64_t map_numbers, map_blocks; /* of a sparse file: offsets and lengths, and how many blocks there should be + 1, or 0 */
	bool map_within;         /* the map lies in front of the content */
	struct ero_tar_text ignored; /* the name (not terminated) of a record that is not known, if there is one */
};

struct ero_tarcheck;

int ero_tarcheck_create(struct ero_tarcheck **check, struct ero_error *err);
void ero_tarcheck_free(struct ero_tarcheck *check);
/* Reads the headers of the member that begins at byte `position`, and passed by not long ago. What `member` points to is valid until
 * the next call. -EINVAL with a sentence (without the archive's name) for what is written wrong or has no meaning here. */
int ero_tarcheck_member(struct ero_tarcheck *check, const struct ero_feed *feed, uint64_t position, struct ero_tar_member *member,
			struct ero_error *err);
/* At the end of the archive, where libarchive has stopped: do members follow a block of zeros? `any`: there were some before it. *marked:
 * there is an end mark; *clean: nothing but zeros follows it, as far as it was read. */
int ero_tarcheck_end(const struct ero_feed *feed, uint64_t position, bool any, bool *marked, bool *clean, struct ero_error *err);

#endif
