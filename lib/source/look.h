/* SPDX-License-Identifier: MIT */
/* What is known of names in a directory before their content is read: attributes, link targets, xattrs. Looking runs in
 * threads, some names at a time. */
#ifndef ERO_SOURCE_LOOK_H
#define ERO_SOURCE_LOOK_H

#include <sys/stat.h>
#include "base/pool.h"
#include "base/syscalls.h"
#include "base/vec.h"
#include "source/dirfds.h"
#include "source/source.h"

struct ero_look_entry {
	struct statx st;
	size_t name, link, xattrs; /* positions in `text`; link: of symlinks only */
	uint32_t xattr_count;
	bool gone;                 /* between listing and looking */
};

/* One job: the lister fills in names, the thread the rest. */
struct ero_look {
	struct ero_job job;
	const struct ero_build_options *options;
	const char *by_path;       /* path of the source, if xattrs are to be read by full paths; or NULL */
	struct ero_node *dir;      /* holds the names */
	struct ero_dirfd *held;    /* and is open */
	ERO_VEC(struct ero_look_entry) entries;
	ERO_VEC(char) text;        /* terminated strings, and for each xattr: name, le32 length, value */
	int rc;
	struct ero_error err;
};

/* False when memory ends. */
bool ero_look_name(struct ero_look *look, const char *name);
/* The job, and what each thread owns. */
void ero_look_run(struct ero_job *job, void *worker);
void *ero_look_make_worker(void *context);
void ero_look_free_worker(void *worker);

/* Steps through an entry's xattrs: *at begins as entry->xattrs. */
void ero_look_xattr(const struct ero_look *look, size_t *at, const char **name, const char **value, uint32_t *length);

#endif
