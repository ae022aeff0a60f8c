/* SPDX-License-Identifier: MIT */
/*
 * Where every piece of metadata goes. By now the packer has decided how each file is stored, so that the size of each
 * inode's metadata is known. The image looks like this:
 *
 *   block 0   superblock and tables, then the root and the directories that still fit
 *   data      as the packer has placed it
 *   zone D    directory inodes with their inline entries, then the blocks of larger directories
 *   zone X    shared xattrs
 *   zone I    inodes without data behind them: symlinks, specials, files with maps
 *   zone T    inodes with an inline tail, which no block boundary may cross, best-fit
 *
 * But where the root is in block 0, and without a metabox, inodes with a tail lie in blocks of their own among the data, each
 * near its file's, and those of other files fill what these leave: who reads the files in order then has them read ahead. A stat
 * walk touches no more pages so. What a hot list names comes before zone D, and the packed inode with it.
 *
 * With a metabox, all but the root's inode and the blocks of directories goes into a space of its own, in the same zones; what
 * that becomes when it is packed lies behind the image's other blocks, and the inode that holds it comes last.
 *
 * Nothing is read or written here.
 */
#ifndef ERO_LAYOUT_LAYOUT_H
#define ERO_LAYOUT_LAYOUT_H

#include "base/vec.h"
#include "pack/pack.h"

enum ero_item_kind {
	ERO_ITEM_INODE,       /* inode, xattrs, map, tail */
	ERO_ITEM_DIR_BLOCKS,  /* whole blocks of a directory */
	ERO_ITEM_SHARED_XATTR,
};

struct ero_item {
	uint64_t address : 62; /* byte position in the image, or in the metabox */
	uint64_t kind : 2;     /* enum ero_item_kind */
	union {
		struct ero_node *node;
		uint32_t xattr;
	};
};

struct ero_layout_plan {
	/* set by the caller */
	const struct ero_pack *pack;
	uint64_t head_end;         /* byte behind superblock and tables */
	uint64_t first_block;      /* where metadata goes when block 0 is full */
	bool metabox;              /* there is one */
	uint32_t box_head;         /* bytes at its beginning that are taken */

	/* results */
	ERO_VEC(struct ero_item) items; /* by address */
	ERO_VEC(struct ero_item) boxed; /* those in the metabox, by address there */
	uint64_t boxed_bytes;
	uint64_t end_block;
	uint32_t meta_block, xattr_block;
};

/* Does the root fit behind the head? Known before anything is packed. */
bool ero_layout_root_in_head(const struct ero_layout_plan *plan);
int ero_layout_run(struct ero_layout_plan *plan, struct ero_error *err);
/* A place for the metabox's own inode, when it is packed: behind the content. */
int ero_layout_metabox(struct ero_layout_plan *plan, struct ero_error *err);
/* Can as many blocks be addressed? */
int ero_layout_check_end(const struct ero_layout_plan *plan, struct ero_error *err);
void ero_layout_free(struct ero_layout_plan *plan);

/* How a directory is cut into blocks: calls nothing, allocates nothing. */
struct ero_dir_cut {
	uint32_t blocks;      /* in all */
	uint32_t last_bytes;  /* used in the last one */
};
/* An entry of a directory as it is stored: index -> "." and ".." in their sorted places among the names. */
struct ero_dir_walk {
	const struct ero_node *dir;
	uint32_t next;        /* of dir->entries */
	unsigned dots;        /* of "." and ".." already told; begins as 1 to leave out "." */
};
/* Next entry in stored order; false at the end. */
bool ero_dir_walk_next(struct ero_dir_walk *walk, const char **name, uint32_t *length, const struct ero_node **node);
struct ero_dir_cut ero_dir_cut(const struct ero_node *dir, unsigned block_size, bool dot_omitted);

/* Metadata bytes of an inode: head, map and tail. */
uint64_t ero_layout_inode_size(const struct ero_pack *pack, const struct ero_node *node);

#endif
