/* SPDX-License-Identifier: MIT */
/* A build in progress: what the steps in this folder hand to each other. */
#ifndef ERO_BUILD_BUILD_H
#define ERO_BUILD_BUILD_H

#include "base/bytes.h"
#include "layout/layout.h"
#include "pack/pack.h"

struct ero_build {
	struct ero_build_options options; /* defaults filled in */
	struct ero_tree tree;
	struct ero_source *source;
	struct ero_spool *spool;
	struct ero_spool_reader *stored;  /* what the packer has left in it, while metadata is written */
	struct ero_outfile *out, *blob;
	struct ero_outfile_watch watch;
	struct ero_super super;
	struct ero_compr_cfgs cfgs;
	struct ero_pack pack;
	struct ero_layout_plan plan;
	uint32_t max_pcluster;            /* bytes, over all files */
	uint8_t *prefix_table;            /* long xattr prefixes as stored */
	size_t prefix_table_size;
	uint64_t prefix_start, device_start, head_end; /* byte positions in the head; of a metabox's prefixes: there */
	bool boxed_prefixes;
	uint64_t late_start, late_end;    /* where content lies that was packed after the layout: directories, the metabox */
	uint64_t image_bytes;
	uint64_t verity_offset;     /* 0: no tree */
	char verity_root[65];
};

/* Bytes of the blob that takes the chunks: whole pages. */
static inline uint64_t ero_build_blob_bytes(const struct ero_build *b)
{
	return ero_round_up(b->pack.blob_end, 4096);
}

/* plan.c: before anything is packed: epoch, inode forms, xattr bodies, superblock features, the head's geometry. */
int ero_build_plan(struct ero_build *b, struct ero_error *err);

/* May there be a packed inode? */
static inline bool ero_build_may_pack(const struct ero_build_options *o)
{
	return o->extent_size || o->fragments || (o->dedupe && o->compressor_count);
}

/* presets.c: fills in what --preset and --for-kernel imply; and refuses what the kernel asked for cannot read. */
int ero_build_choose(struct ero_build_options *options, struct ero_error *err);
int ero_build_check_kernel(const struct ero_build *b, struct ero_error *err);

/* verity.c: the tree behind what was written, if it is asked for. */
int ero_build_verity(struct ero_build *b, struct ero_error *err);

/* late.c: after the layout, packs what is metadata and content of inodes: directories (--zD), then the metabox. */
int ero_build_late(struct ero_build *b, struct ero_error *err);

/* write.c: everything but file data, after the layout. First what is in the metabox, as bytes (malloc'ed). */
int ero_build_boxed(struct ero_build *b, uint8_t **bytes, struct ero_error *err);
int ero_build_write(struct ero_build *b, struct ero_error *err);

/* inode.c: one inode with its xattrs, map and tail as bytes (malloc'ed). */
int ero_build_inode(struct ero_build *b, const struct ero_node *node, uint8_t **bytes, size_t *length,
		    struct ero_error *err);
uint64_t ero_build_nid(const struct ero_build *b, const struct ero_node *node);

/* xattrs.c */
int ero_build_plan_xattrs(struct ero_build *b, struct ero_error *err);
/* Writes the inline body of a set: header, shared ids, entries. */
void ero_build_xattr_body(const struct ero_build *b, uint32_t set, uint8_t *bytes);
void ero_build_shared_xattr(const struct ero_build *b, uint32_t item, uint8_t *bytes);

/* dirs.c: all blocks of a directory but the inline one into `bytes`, or the inline one. */
void ero_build_dir_blocks(const struct ero_build *b, const struct ero_node *dir, uint8_t *bytes);
void ero_build_dir_tail(const struct ero_build *b, const struct ero_node *dir, uint8_t *bytes);

#endif
