/* SPDX-License-Identifier: MIT */
/*
 * Where trees come from. A source fills a tree once and then hands out file content to any thread. Directory and archive are the first two; each is one file here.
 */
#ifndef ERO_SOURCE_SOURCE_H
#define ERO_SOURCE_SOURCE_H

#include <sys/types.h>
#include "tree/tree.h"

struct ero_source;

/* One file's content in use. `fd` is the source's. */
struct ero_source_file {
	struct ero_source *source;
	const struct ero_node *node;
	int fd;
	bool changed; /* what was read is not what the scan saw; the rest was filled with zeros */
};

struct ero_source_ops {
	int (*scan)(struct ero_source *source, struct ero_tree *tree, struct ero_error *err);
	/* Any thread, one at a time per opened file: opens, reads exactly `length` bytes (what is missing is zeros and
	 * marks the file changed), closes and looks whether it changed meanwhile. */
	int (*open)(struct ero_source *source, const struct ero_node *node, struct ero_source_file *file,
		    struct ero_error *err);
	int (*read)(struct ero_source_file *file, uint64_t offset, void *buffer, size_t length, struct ero_error *err);
	/* The next range at or after `offset` that is not a hole; *start = size when only a hole is left. */
	int (*next_data)(struct ero_source_file *file, uint64_t offset, uint64_t *start, uint64_t *end,
			 struct ero_error *err);
	void (*close)(struct ero_source_file *file);
	void (*destroy)(struct ero_source *source);
};

struct ero_source {
	const struct ero_source_ops *ops;
	const struct ero_build_options *options;
	struct ero_filter *filter;
};

/* Makes the source that the options name. */
int ero_source_create(const struct ero_build_options *options, struct ero_source **source, struct ero_error *err);
int ero_source_directory(const struct ero_build_options *options, struct ero_source **source, struct ero_error *err);
int ero_source_archive(const struct ero_build_options *options, struct ero_source **source, struct ero_error *err);

/* Says a warning through the options' callback. */
void ero_source_warn(const struct ero_build_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* filter.c: --exclude-path and --exclude-regex. */
int ero_filter_create(const struct ero_build_options *options, struct ero_filter **filter, struct ero_error *err);
bool ero_filter_excludes(const struct ero_filter *filter, const char *path);
void ero_filter_free(struct ero_filter *filter);

/* overrides.c: owners, times and labels that the options give to every node of a finished tree. */
int ero_source_override(const struct ero_build_options *options, struct ero_tree *tree, struct ero_error *err);

/* owners.c: and shifts owners. */
int ero_source_shift_owners(const struct ero_build_options *options, struct ero_tree *tree, struct ero_error *err);

/* fingerprint.c: options->inode_digest, an xattr for every regular file of a finished tree. */
int ero_source_fingerprints(struct ero_source *source, struct ero_tree *tree, struct ero_error *err);

/* lines.c: calls `each` with every line of a file, without its newline; what that returns, if not 0, ends it. `what` names the file in
 * messages. */
int ero_source_lines(const char *path, const char *what, int (*each)(void *context, char *line, struct ero_error *err),
		     void *context, struct ero_error *err);

/* hints.c: --compress-hints, noted on every node of a finished tree. Returns through *max_pcluster the largest
 * pcluster size (bytes) any hint asks for. */
int ero_source_hints(const struct ero_build_options *options, struct ero_tree *tree, uint32_t *max_pcluster,
		     struct ero_error *err);

/* hotlist.c: --hot-list, noted in nodes and in tree->by_use of a finished tree. */
int ero_source_hot_list(const struct ero_build_options *options, struct ero_tree *tree, struct ero_error *err);

/* order.c: --order-from, noted in tree->by_data of a finished tree. */
int ero_source_order(const struct ero_build_options *options, struct ero_tree *tree, struct ero_error *err);

#endif
