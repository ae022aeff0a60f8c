/* SPDX-License-Identifier: MIT */
/*
 * What a reader of an image sees, as two digests: "data" (names, types, contents, link targets) and "all" (with everything
 * that stat(2) and listxattr(2) tell). The guest feeds them from a mount, the judge from the library: they must agree.
 * Both walk depth first, names in byte order, within the same limits.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	RECORD_DEPTH = 32,          /* directories below this are not entered */
	RECORD_ENTRIES = 4000,      /* names in all; the walk ends there */
	RECORD_HEAD = 4 << 20,      /* bytes read of a longer file, and as many at its end as fit RECORD_TAIL */
	RECORD_TAIL = 64 << 10,
};

struct record {
	XXH3_state_t all, data;
	unsigned entries, errors;
	bool limited;
	char first[160];            /* error, in words without blanks */
};

struct record_inode {
	const char *path;
	unsigned d_type;
	uint32_t mode, uid, gid, rdev;
	uint64_t nlink, size;       /* of directories neither counts */
	int64_t mtime;
	uint32_t nsec;
};

static inline void record_start(struct record *r)
{
	memset(r, 0, sizeof(*r));
	XXH3_128bits_reset(&r->all);
	XXH3_128bits_reset(&r->data);
}

static inline void record_error(struct record *r, const char *what, const char *path, const char *why)
{
	if (!r->errors++) {
		snprintf(r->first, sizeof(r->first), "%s:%.100s:%s", what, path, why);
		for (char *p = r->first; *p; p++)
			if (*p <= ' ' || *p > '~')
				*p = '?';
	}
}

static inline void record_inode(struct record *r, const struct record_inode *i)
{
	bool dir = S_ISDIR(i->mode);
	struct {
		uint32_t d_type, mode, uid, gid, rdev, nsec;
		uint64_t nlink, size, mtime;
	} fields = {
		i->d_type, i->mode, i->uid, i->gid, i->rdev, i->nsec, dir ? 0 : i->nlink, dir ? 0 : i->size, (uint64_t)i->mtime
	};
	uint32_t type = i->mode & S_IFMT;

	r->entries++;
	XXH3_128bits_update(&r->all, i->path, strlen(i->path) + 1);
	XXH3_128bits_update(&r->all, &fields, sizeof(fields));
	XXH3_128bits_update(&r->data, i->path, strlen(i->path) + 1);
	XXH3_128bits_update(&r->data, &type, sizeof(type));
}

static inline void record_xattr(struct record *r, const char *name, const void *value, size_t length)
{
	XXH3_128bits_update(&r->all, name, strlen(name) + 1);
	XXH3_128bits_update(&r->all, value, length);
}

/* Content of a file or link, in pieces. */
static inline void record_bytes(struct record *r, const void *bytes, size_t length)
{
	XXH3_128bits_update(&r->all, bytes, length);
	XXH3_128bits_update(&r->data, bytes, length);
}

/* "entries errors first data all" for a line of a report. */
static inline void record_print(struct record *r, char *text, size_t size)
{
	XXH128_hash_t data = XXH3_128bits_digest(&r->data), all = XXH3_128bits_digest(&r->all);

	snprintf(text, size, "%u%s %u %s %016llx %016llx", r->entries, r->limited ? "+" : "", r->errors, r->errors ? r->first : "-",
		 (unsigned long long)data.low64, (unsigned long long)all.low64);
}

#endif
