/* SPDX-License-Identifier: MIT */
/* Is this image sound? What the concerns of checking share; each concern is one file in this folder, and all that can be
 * told is in catalogue.c. Memory: what space.h keeps, and 40 bytes for each file with several names. */
#ifndef ERO_CHECK_CHECK_H
#define ERO_CHECK_CHECK_H

#include "base/arena.h"
#include "base/keys.h"
#include "base/vec.h"
#include "check/decoded.h"
#include "check/space.h"
#include "image/dirspace.h"
#include "image/image.h"

/* A directory on the way from the root, for paths in findings. */
struct ero_check_dir {
	const struct ero_check_dir *parent;
	const char *name;
	uint64_t nid;
};

/* A file with several names. */
struct ero_check_links {
	uint32_t names;      /* found */
	uint32_t nlink;      /* as the inode says */
};

struct ero_data_check;

enum {
	ERO_CHECK_EXTENTS = 8, /* most files have no more */
	ERO_CHECK_TOLD = 100,  /* findings of one id; those beyond are counted */
};

struct ero_checker {
	struct ero_image *image;
	const struct ero_check_options *options;
	struct ero_check_result *result;
	struct ero_arena arena;
	unsigned depth;                  /* directories that are being read */
	ERO_VEC(const struct ero_check_dir *) stack; /* those that wait */
	struct ero_space space;
	struct ero_dir_space dir_space;
	struct ero_keys linked;          /* nids of files with several names */
	ERO_VEC(struct ero_check_links) links;
	struct ero_extent extents[ERO_CHECK_EXTENTS]; /* of the file that was looked at last, if it has no more: else 0 of them */
	unsigned extent_count;
	struct ero_decoded decoded;
	ERO_VEC(uint8_t) again;          /* of each of that file's extents: it need not be decoded; all 0 if `none_again` */
	bool none_again;
	bool sparse;                     /* some of that file's extents are holes that are stored all the same */
	uint32_t used;                   /* incompatible features that something was seen to use */
	struct ero_data_check *data;     /* NULL: metadata only */
	uint64_t *told;                  /* findings of each row of the catalogue */
	int rc;                          /* the check itself has failed somewhere on the way: what is said of the image is worth nothing */
	struct ero_error failure;
};

/* Where a finding is. */
struct ero_place {
	const struct ero_check_dir *dir;  /* may be NULL */
	const char *name;                 /* in dir, or NULL; `name_length` bytes */
	size_t name_length;
	bool has_nid, has_offset;
	uint64_t nid, offset;
};

/* findings.c: tells one finding and counts it; the catalogue knows how grave it is. */
void ero_check_tell(struct ero_checker *c, const char *id, const struct ero_place *at, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* What kept something from being read: told, if the image is to blame; else the check has failed. */
void ero_check_blame(struct ero_checker *c, const char *id, const struct ero_place *at, int rc, const struct ero_error *err);
/* Memory has ended. */
void ero_check_no_memory(struct ero_checker *c);
/* The same with what was expected and found. */
void ero_check_differs(struct ero_checker *c, const char *id, const struct ero_place *at, const char *message,
		       uint64_t expected, uint64_t found);

/* super.c */
void ero_check_super(struct ero_checker *c, const char *path);
/* features.c: something uses these incompatible features; told if one is not announced. */
void ero_check_uses(struct ero_checker *c, uint32_t features, const struct ero_place *at, const char *what);
void ero_check_unused(struct ero_checker *c);
/* inode.c: everything about one inode but a directory's entries. Returns false if it cannot be read at all. */
bool ero_check_inode(struct ero_checker *c, const struct ero_place *at, uint64_t nid, struct ero_inode *inode);
/* xattrs.c, extents.c */
void ero_check_xattrs(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode);
void ero_check_extents(struct ero_checker *c, const struct ero_place *at, struct ero_map *map); /* at its beginning */
#define ERO_CHECK_ANY_NID (~0ull)
/* check.c: a directory that is met for the first time. It is read now (see ERO_DIR_NESTED), or later, when all others are done. */
int ero_check_enter(struct ero_checker *c, const struct ero_check_dir *dir, const struct ero_inode *inode, bool later,
		    struct ero_error *err);
/* dir.c: entries of a directory, whose ".." must be parent_nid (or ERO_CHECK_ANY_NID); enters subdirectories. */
void ero_check_directory(struct ero_checker *c, const struct ero_check_dir *dir, const struct ero_inode *inode,
			 uint64_t parent_nid);
/* overlap.c: what only all claims on space together can tell. */
void ero_check_space(struct ero_checker *c);

/* device.c: extra devices against the digests in the device table. */
void ero_check_digests(struct ero_checker *c);
/* verity.c: every byte of the image against a tree behind it. */
void ero_check_verity(struct ero_checker *c);

/* data.c: decodes files in threads, each right after ero_check_inode(); findings come out in order. */
int ero_data_check_create(struct ero_checker *c, struct ero_data_check **d, struct ero_error *err);
int ero_data_check_add(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode,
		       struct ero_error *err);
/* The same for what others' data lie in, extent by extent: before any of these. */
int ero_data_check_packed(struct ero_data_check *d, const struct ero_place *at, const struct ero_inode *inode, struct ero_error *err);
/* Waits for all. */
void ero_data_check_finish(struct ero_data_check *d);

#endif
