/* SPDX-License-Identifier: MIT */
/*
 * File data to stored extents: every regular file and long symlink is read, cut into segments, encoded by a pool of
 * threads and placed in the order of the tree, which does not depend on the number of threads. What the packer decides
 * is noted in node->stored; tails and maps go to the spool.
 */
#ifndef ERO_PACK_PACK_H
#define ERO_PACK_PACK_H

#include "base/outfile.h"
#include "base/spool.h"
#include "base/vec.h"
#include "codec/codec.h"
#include "source/source.h"

/* Segments bound memory: what is read, encoded and not yet written never exceeds this (plus one segment), or a segment a thread. */
#define ERO_PACK_IN_FLIGHT (48u << 20)

/* How a file with holes is stored: see sparse.c. */
enum ero_sparse_form { ERO_SPARSE_NOT, ERO_SPARSE_CHUNKS, ERO_SPARSE_EXTENTS, ERO_SPARSE_PLAIN_EXTENTS };

struct ero_sparse {
	const struct ero_node *node;
	uint8_t form;            /* enum ero_sparse_form */
	uint8_t chunk_bits;      /* of chunks: log2 of their bytes */
};

struct ero_pack {
	/* set by the caller */
	const struct ero_build_options *options;
	struct ero_compressor *compressors;  /* resolved */
	struct ero_source *source;
	struct ero_tree *tree;
	struct ero_outfile *out, *blob;      /* blob: NULL without --blobdev */
	struct ero_spool *spool;
	bool inodes_beside;                  /* inodes of files may lie among the data */
	unsigned block_bits;
	uint64_t end;                        /* first free byte of the image; moves on */
	struct ero_progress progress;

	ERO_VEC(struct ero_sparse) sparse;   /* in the order of the tree; while it runs */

	/* results */
	uint64_t blob_end;                   /* bytes, whole blocks */
	uint64_t packed_files, compressed_files, plain_files, inline_files, chunked_files, changed_files;
	uint64_t stored_bytes;
	bool chunked, tails_encoded, zero_extents; /* features that were used */
	struct ero_node *packed;             /* the inode that holds small files and tails, in no directory; or NULL */
	struct ero_node *metabox;            /* the inode that holds metadata, in no directory; or NULL; set by the caller */
	uint64_t duplicate_files;            /* stored once with another of the same content */
	uint64_t shared_bytes;               /* plain bytes of files and the packed inode that refer to what was stored before */
	struct ero_bins *beside;             /* blocks among the data, for inodes; while it runs */
	bool flat_indexes;                   /* 8-byte chunk indexes are needed */
};

int ero_pack_run(struct ero_pack *pack, struct ero_error *err);

/*
 * contents.c, after the layout: packs what `next` gives as the content of nodes, from `pack->end` on, up to a whole block.
 * The bytes (malloc'ed, at least one) are taken over, also after an error; a NULL node ends it.
 */
typedef int (*ero_pack_content_fn)(void *context, struct ero_node **node, uint8_t **bytes, size_t *length, struct ero_error *err);
int ero_pack_contents(struct ero_pack *pack, ero_pack_content_fn next, void *context, struct ero_error *err);
/* An inode that no directory names: the packed one, or the metabox. NULL when memory ends. */
struct ero_node *ero_pack_hidden_inode(struct ero_pack *pack, uint64_t size);

/* Bytes of an inode with its xattrs, before any data: decided by now. */
unsigned ero_pack_head_size(const struct ero_pack *pack, const struct ero_node *node);

/* True if small files and tails become the content of a packed inode. */
static inline bool ero_pack_gathers(const struct ero_build_options *options)
{
	return options->extent_size || options->fragments;
}

/* First free block, when nothing but whole blocks was placed so far. */
static inline uint64_t ero_pack_next_block(const struct ero_pack *pack)
{
	return pack->end >> pack->block_bits;
}

#endif
