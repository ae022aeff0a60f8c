/* SPDX-License-Identifier: MIT */
/*
 * What will become an image: nodes (one per inode), their names, links and attributes. A source fills it, the packer
 * notes where each file's data went, the layout gives each node its address, the builder writes it out.
 */
#ifndef ERO_TREE_TREE_H
#define ERO_TREE_TREE_H

#include <stdbool.h>
#include <sys/stat.h>
#include "base/arena.h"
#include "base/error.h"
#include "format/ondisk.h"
#include "tree/xattrs.h"

struct ero_node;

struct ero_dentry {
	const char *name; /* terminated, 1 to 255 bytes, free of '/' */
	struct ero_node *node;
};

/* How a node's content is stored; written by the packer. */
struct ero_stored {
	uint64_t start_block;   /* flat: first block of the whole blocks, ERO_NULL_BLOCK32 for none; extent records: byte
	                         * position of the first extent */
	uint64_t tail;          /* spool offset of tail_size bytes that follow the inode; of a fragment: its place in the
	                         * packed inode */
	uint64_t map;           /* spool offset of map_count extents (compressed), extent records or chunk blocks */
	uint32_t blocks;        /* encoded blocks in the image */
	uint32_t map_count;
	uint32_t tail_size;
	uint8_t layout;         /* enum ero_layout */
	uint8_t chunk_bits;     /* log2 of bytes: of a chunk, or of an extent with 4- or 8-byte records */
	uint8_t record_size;    /* of extent records (Form B); 0: logical-cluster indexes */
	uint8_t algorithm : 2;
	bool fragment : 1;      /* the whole file lies in the packed inode */
	bool tail_fragment : 1; /* its last bytes do */
	bool tail_encoded : 1;  /* the tail is an inline pcluster */
	bool big : 1;           /* pclusters of several blocks */
	bool full : 1;          /* logical-cluster indexes in the full form, which can refer to what others have stored */
};

/* There are millions of them, of 128 bytes: what only some need is elsewhere, or shares its room with what the others need. */
struct ero_node {
	struct ero_node *parent;     /* directory that holds the first name; NULL for the root */
	const char *name;            /* first name, for messages; "" for the root */
	union {
		struct {                     /* of a directory */
			struct ero_dentry *entries; /* malloc'ed, sorted by ero_tree_finish() */
			uint32_t entry_count, entry_room;
		};
		uint64_t data[2];            /* of a regular file: the source's own reference to the content; of a directory that is being
		                              * extracted, which has no entries here: its inode number */
		const char *link;            /* target of a symbolic link */
		uint32_t rdev;               /* of a device: as encoded on disk */
	};
	uint64_t size;               /* of a directory: set by the layout */
	int64_t mtime;
	uint64_t address;            /* byte position of the inode in the image, or in the metabox */
	struct ero_stored stored;
	uint32_t mtime_nsec;
	uint32_t uid, gid;
	uint32_t nlink;
	uint32_t ino;                /* in order of appearance, from 1 */
	uint32_t xattr_set;          /* see xattrs.h; 0: none */
	uint16_t mode;
	uint16_t pcluster_sectors;   /* of 512 bytes, by hint or of the packed inode; or 0 */
	uint8_t compressor;          /* index into the build's compressors, by hint; 0xff: store plain */
	bool maybe_sparse : 1;       /* the source saw a sign of holes */
	bool changed : 1;            /* while it was read */
	bool apart : 1;              /* shares nothing with others: no fragment, no twin */
	bool extended : 1;           /* 64-byte inode; decided by the builder */
	bool in_metabox : 1;
	/* of a regular file: notes of the survey before packing */
	bool twin : 1;               /* another file has the same size */
	bool hashed : 1;
	bool random : 1;             /* looks as if no encoder could shorten it */
};

struct ero_tree {
	struct ero_arena arena;      /* names, link targets, and what sources keep */
	struct ero_arena node_arena;
	struct ero_node *root;
	struct ero_node **nodes;     /* all, in order of appearance; made by ero_tree_finish() */
	size_t node_count, node_room;
	struct ero_node **by_use;    /* the same, what a hot list names first; NULL without one */
	uint32_t *heat;              /* by ino - 1: place in the hot list, from 1, or 0; NULL without one */
	struct ero_node **by_data;   /* the same, in the order in which data is to lie; NULL: the packer finds one */
	struct ero_xattrs xattrs;
	uint64_t file_bytes;         /* sum of regular file sizes */
	uint64_t files;              /* regular files */
	uint64_t hard_links;         /* names beyond the first of a node */
};

int ero_tree_init(struct ero_tree *tree, struct ero_error *err);
void ero_tree_free(struct ero_tree *tree);

/* A new node that no directory holds yet; NULL when memory ends. */
struct ero_node *ero_tree_node(struct ero_tree *tree, uint16_t mode);
/* Adds a name (copied) to a directory. The same name twice is the source's fault and found by ero_tree_finish(). */
int ero_tree_link(struct ero_tree *tree, struct ero_node *dir, const char *name, struct ero_node *node,
		  struct ero_error *err);
/* The same with a name that lies in the tree's arena already. */
int ero_tree_link_kept(struct ero_tree *tree, struct ero_node *dir, const char *name, struct ero_node *node, struct ero_error *err);
/* Takes a directory that is empty so far out of the one that holds it. */
void ero_tree_unlink(struct ero_node *dir);
/* Sorts names, counts links, drops what is not reachable, numbers nodes. Call once, when the source is done. */
int ero_tree_finish(struct ero_tree *tree, struct ero_error *err);

/* All nodes in the order of use, as far as it is known. */
static inline struct ero_node *const *ero_tree_by_use(const struct ero_tree *tree)
{
	return tree->by_use ? tree->by_use : tree->nodes;
}

/* Place of a node in the hot list, from 1; 0: not in it. */
static inline uint32_t ero_tree_heat(const struct ero_tree *tree, const struct ero_node *node)
{
	return tree->heat && node->ino <= tree->node_count ? tree->heat[node->ino - 1] : 0; /* hidden inodes come behind */
}

/* All nodes of a finished tree in the order of their first paths, as who reads them in order meets them: malloc'ed; NULL when
 * memory ends. */
struct ero_node **ero_tree_by_path(const struct ero_tree *tree);

/* The entry of a finished tree's directory; what a path from `root` leads to, links not followed. NULL if there is none. */
struct ero_node *ero_tree_entry(const struct ero_node *dir, const char *name, size_t length);
struct ero_node *ero_tree_find(struct ero_node *root, const char *path);

/* Path of a node below the root, without a leading '/'. Cut at the front with "…" if it does not fit. */
void ero_node_path(const struct ero_node *node, char *path, size_t size);

#endif
