/* SPDX-License-Identifier: MIT */
/*
 * An image's tree written below a directory, and never outside it: names are checked, every file is made relative to
 * an open directory of our own, and no link is ever followed. What the parts of this folder share.
 */
#ifndef ERO_EXTRACT_EXTRACT_H
#define ERO_EXTRACT_EXTRACT_H

#include "base/arena.h"
#include "base/pool.h"
#include "base/keys.h"
#include "base/vec.h"
#include "image/dirspace.h"
#include "image/image.h"
#include "source/dirfds.h"

/* A file with several names: where the first one is. */
struct ero_extracted_link {
	const struct ero_node *dir;
	const char *name;
};

enum { ERO_EXTRACT_KINDS = 32 }; /* ids of findings; there are fewer */

struct ero_extractor {
	struct ero_image *image;
	const struct ero_extract_options *options;
	struct ero_check_result *result;
	struct ero_arena arena;
	struct ero_dirfds *fds;       /* of the target, by node */
	struct ero_pool *pool;
	mode_t umask;
	struct {
		const char *id;
		uint64_t count;
	} kinds[ERO_EXTRACT_KINDS];   /* of what was told */
	unsigned kind_count;
	unsigned depth;               /* directories that are being read */
	ERO_VEC(struct ero_node *) stack, dirs; /* directories that wait, and all: data[0] is the nid */
	struct ero_dir_space space;   /* and their blocks */
	struct ero_bits met[2];       /* where inodes lie that were met, in units of 32 bytes; [1]: in the metabox */
	uint64_t max_bytes, max_files, files;
	_Atomic uint64_t bytes;       /* written */
	_Atomic bool stopped;         /* nothing more is begun */
	struct ero_keys made;         /* their nids: a directory with two names would be made without end */
	struct ero_keys linked;       /* nids of files with several names, and where each was made */
	ERO_VEC(struct ero_extracted_link) links;
};

/* Tells that something could not be done. After damage the extraction stops, if it is no salvage. */
void ero_extract_tell(struct ero_extractor *x, const struct ero_node *dir, const char *name, uint64_t nid,
		      const char *id, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* attributes.c: owner, xattrs, mode and times of an open file or directory, or of a link or a special file that was made
 * under a name in `dirfd`. Failures are sentences in err, but only the first. */
int ero_extract_attributes(struct ero_extractor *x, int fd, const struct ero_inode *inode, struct ero_error *err);
int ero_extract_attributes_of_special(struct ero_extractor *x, int dirfd, const char *name, const struct ero_inode *inode,
			      struct ero_error *err);

/* files.c: one file that is not a directory. */
void ero_extract_file(struct ero_extractor *x, const struct ero_node *dir, int dirfd, const char *name,
		      const struct ero_inode *inode);
int ero_extract_files_begin(struct ero_extractor *x, struct ero_error *err);
void ero_extract_files_end(struct ero_extractor *x);

#endif
