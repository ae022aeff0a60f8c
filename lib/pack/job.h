/* SPDX-License-Identifier: MIT */
/* What the parts of lib/pack share: a job is one segment of one file, from reading to encoded blocks; small ones go to
 * the threads in batches; results come back in order and are placed. */
#ifndef ERO_PACK_JOB_H
#define ERO_PACK_JOB_H

#include "base/pool.h"
#include "base/vec.h"
#include "format/zmap.h"
#include "pack/pack.h"

#define ERO_CHUNK_KEPT (4u << 20) /* chunks up to this are kept in memory between hashing and writing */

struct ero_pack_chunk {
	uint64_t offset;       /* in the file */
	uint32_t length;
	bool hole;
	uint8_t digest[32];    /* SHA-256 */
	size_t in_out;         /* where its bytes are in job->out, if kept */
};

/* Bytes of a file. */
struct ero_pack_range {
	struct ero_node *node;
	uint64_t offset, length;
};

/* Takes at most `length` bytes from the beginning of a range. */
static inline struct ero_pack_range ero_pack_range_take(struct ero_pack_range *r, uint64_t length)
{
	struct ero_pack_range part = { r->node, r->offset, r->length < length ? r->length : length };

	r->offset += part.length;
	r->length -= part.length;
	return part;
}

/* A part of a file that an extent holds. */
struct ero_pack_piece {
	struct ero_node *node;
	uint64_t offset;
	uint32_t length;
	bool changed;
};

/* One of the extents a job became: mostly there is one. */
struct ero_pack_part {
	uint32_t length, stored; /* plain and encoded bytes */
	bool raw;                /* stored as it is */
};

/* Form A: a pcluster that somebody has stored already and that holds what comes at a place of the segment. */
struct ero_pack_reuse {
	size_t at;
	struct ero_zextent extent;
};

/* The same for what the segment itself stores: it is known when it is there. */
struct ero_pack_repeat {
	size_t at, source, length;
};

struct ero_pack_job;
struct ero_pack_worker;
typedef void (*ero_pack_run_fn)(struct ero_pack_job *job, struct ero_pack_worker *worker);

struct ero_pack_job {
	ero_pack_run_fn run;
	struct ero_pack *pack;
	struct ero_node *node;
	struct ero_source_file file;
	uint64_t offset;       /* of the segment */
	size_t length;
	uint64_t hole;         /* instead of a length: so many bytes of a hole, and nothing to do */
	bool plain;            /* extents are not encoded */
	bool first, last;      /* segment of the file */
	uint64_t block;        /* flat files: where the segment goes */
	const uint8_t *bytes;  /* content that is in memory already, instead of pieces; or NULL */
	uint8_t *owned;        /* freed with the job */
	ERO_VEC(struct ero_pack_piece) pieces; /* what the segment holds, where it is more than a range of the node's file */
	ERO_VEC(struct ero_pack_reuse) reuses;   /* ascending */
	ERO_VEC(struct ero_pack_repeat) repeats; /* ascending; so many of them have become reuses */
	size_t repeats_done;
	uint64_t line_end;     /* its end on the line (see dedupe.h), or 0 */
	uint64_t source;       /* Form B, without pieces and bytes: it is a copy of what lies there on the line */

	/* results */
	uint8_t *out;          /* encoded blocks, or raw bytes, or a tail: malloc'ed */
	size_t out_length;
	ERO_VEC(struct ero_zextent) extents; /* blocks relative to the segment */
	ERO_VEC(struct ero_pack_part) parts;
	bool raw;              /* nothing could be saved: `out` is the segment as it is */
	uint8_t *tail;         /* inline pcluster: malloc'ed */
	size_t tail_length;
	size_t fragment_length; /* the end of the file, left for the packed inode */
	ERO_VEC(struct ero_pack_chunk) chunks;
	int rc;
	struct ero_error err;
};

/* What each thread owns. */
struct ero_pack_worker {
	struct ero_pack *pack;
	void *encoders[ERO_MAX_COMPRESSORS];
	uint8_t *in, *scratch, *blocks;
	size_t in_room, scratch_room, blocks_room;
};

bool ero_pack_ensure(uint8_t **buffer, size_t *room, size_t want);

/* The kinds of job; each one file here. They run in a thread and write results into the job. */
void ero_pack_run_flat(struct ero_pack_job *job, struct ero_pack_worker *worker);
void ero_pack_run_raw(struct ero_pack_job *job, struct ero_pack_worker *worker);
void ero_pack_run_encode(struct ero_pack_job *job, struct ero_pack_worker *worker);
void ero_pack_run_chunks(struct ero_pack_job *job, struct ero_pack_worker *worker);
void ero_pack_run_extent(struct ero_pack_job *job, struct ero_pack_worker *worker);
void ero_pack_run_copy(struct ero_pack_job *job, struct ero_pack_worker *worker);
/* The worker's encoder for compressor `index`; NULL after an error noted in the job. */
void *ero_pack_encoder(struct ero_pack_job *job, struct ero_pack_worker *worker, unsigned index);

/* Directories are looked into a block at a time: what is decoded for that is kept small. */
#define ERO_DIR_EXTENT (64u << 10)

/* extent.c: plain bytes of a job of Form B: one extent, or several. */
uint64_t ero_pack_extent_run(const struct ero_pack *pack, const struct ero_node *node);
/* Plain bytes of a whole extent of byte granularity. */
static inline uint32_t ero_pack_extent_size(const struct ero_pack *pack, const struct ero_node *node)
{
	if (node == pack->metabox)
		return pack->options->metabox_size;
	if (!pack->options->extent_size) /* of files with holes alone */
		return ERO_PCLUSTER_MAX_ENCODED;
	return S_ISDIR(node->mode) && pack->options->extent_size > ERO_DIR_EXTENT ? ERO_DIR_EXTENT : pack->options->extent_size;
}
/* Reads all pieces of a job one behind the other; *zero tells if there was nothing but zeros. */
int ero_pack_read_pieces(struct ero_pack_job *job, uint8_t *to, bool *zero);
/* sparse.c: reads bytes of an open file, but for its holes, which become zeros; *hole tells if there was nothing else. */
int ero_pack_read(struct ero_pack *pack, struct ero_source_file *file, uint64_t offset, uint8_t *to, size_t length, bool *hole,
		  struct ero_error *err);
/* True if a flat tail of `length` bytes goes behind the inode. */
bool ero_pack_inlines(const struct ero_pack *pack, const struct ero_node *node, size_t length);
/* Bytes between an inode's head and its inline pcluster: map header, indexes, padding. */
unsigned ero_pack_map_size(const struct ero_pack *pack, const struct ero_node *node);
unsigned ero_pack_pcluster_size(const struct ero_pack *pack, const struct ero_node *node);
/* Most plain bytes of a pcluster of the packed inode. */
size_t ero_pack_packed_limit(const struct ero_pack *pack, const struct ero_node *packed);

/* ---- queue.c: jobs on their way through the threads ---- */

struct ero_pack_queue {
	struct ero_pack *pack;
	struct ero_pool *pool;
	struct ero_pack_batch *open; /* takes more jobs */
	size_t in_flight;            /* bytes of source data in jobs that were not taken yet */
	int (*place)(void *context, struct ero_pack_job *job, struct ero_error *err);
	void *context;
};

/* `place` gets each job in the order of submission, in the thread that submits; the job is freed behind it. */
int ero_pack_queue_open(struct ero_pack_queue *queue, struct ero_error *err);
void ero_pack_job_free(struct ero_pack_job *job);
/* Takes the job over. May place others. */
int ero_pack_queue_submit(struct ero_pack_queue *queue, struct ero_pack_job *job, struct ero_error *err);
bool ero_pack_queue_idle(const struct ero_pack_queue *queue);
/* Places one batch more, if there is any. */
int ero_pack_queue_advance(struct ero_pack_queue *queue, struct ero_error *err);
/* Places all that is left. */
int ero_pack_queue_drain(struct ero_pack_queue *queue, struct ero_error *err);
/* Waits for the threads; what was not placed is dropped. */
void ero_pack_queue_close(struct ero_pack_queue *queue);

/* ---- place.c: results become blocks of the image and facts of nodes ---- */

struct ero_placer {
	struct ero_pack *pack;
	struct ero_chunk_table *chunks;
	uint8_t *buffer;          /* encoded blocks on their way out */
	size_t buffered;
	uint64_t buffer_start;    /* where they go, in bytes */
	bool file_raw;            /* no segment of the current file gained anything so far */
	const struct ero_dedupe *dedupe;
	uint64_t line_end;        /* all of the line up to here is placed */
	struct {                  /* the file whose extents of byte granularity are being placed */
		uint64_t start, end;  /* byte positions in the image: of the first one, behind the last one */
		uint64_t highest;     /* behind the one that lies last */
		uint64_t stored;      /* bytes of those that were not stored before */
		uint64_t logical;     /* plain bytes so far */
		bool apart;           /* they do not follow each other without a gap */
		bool uneven;          /* they do not all have the same plain length */
	} extents;
};

int ero_placer_open(struct ero_placer *placer, struct ero_error *err);
void ero_placer_close(struct ero_placer *placer);
int ero_place(void *placer, struct ero_pack_job *job, struct ero_error *err);
/* Writes bytes at the end of the image and moves it on; zeros up to a multiple of `unit` bytes; bytes and then zeros
 * up to the next block. */
int ero_place_bytes(struct ero_placer *placer, const uint8_t *bytes, size_t length, struct ero_error *err);
int ero_place_padding(struct ero_placer *placer, uint64_t unit, struct ero_error *err);
int ero_place_blocks(struct ero_placer *placer, const uint8_t *bytes, size_t length, struct ero_error *err);
/* Notes how many encoded blocks a file has, which are fewer than 2^32. */
int ero_place_count(struct ero_stored *stored, uint64_t blocks, struct ero_error *err);
/* --dsunit: moves the end to a multiple of it for data of that many blocks or more. */
int ero_place_align(struct ero_placer *placer, uint64_t blocks, struct ero_error *err);
int ero_place_flush(struct ero_placer *placer, struct ero_error *err);

/* Gives an inode with `map` bytes of map and `tail` bytes of tail (or none) its place among the data, if it may lie there. */
int ero_place_beside(struct ero_pack *pack, struct ero_node *node, uint32_t map, size_t tail, struct ero_error *err);
/* The same for an inode without a tail, beside its file's data: it fills what those with one leave, and who reads everything in
 * order meets it with the data. */
int ero_place_alone(struct ero_pack *pack, struct ero_node *node, uint32_t map, struct ero_error *err);

/* extent.c, building thread: places the parts of a finished job; at the last one chooses the form of the records. */
int ero_place_extents(struct ero_placer *placer, struct ero_pack_job *job, struct ero_error *err);

/* ---- pack.c and gather.c: which file goes where ---- */

struct ero_packer {
	struct ero_pack *pack;
	struct ero_pack_queue queue;
	struct ero_placer placer;
	uint8_t *abandoned;       /* contents.c: what jobs use until the queue is closed */
};

/* A whole file of an image without a packed inode, in the way that is best for it. */
int ero_pack_file(struct ero_packer *packer, struct ero_node *node, struct ero_error *err);
/* Bytes of a segment of a file that is encoded into pclusters. */
uint64_t ero_pack_segment_size(const struct ero_pack *pack, const struct ero_node *node);
/* A whole uncompressed file: its blocks are reserved, a thread writes them. */
int ero_pack_flat_file(struct ero_packer *packer, struct ero_node *node, struct ero_error *err);
/* gather.c: all regular files of an image that has a packed inode, or stores what is there twice once. */
int ero_pack_gathering(struct ero_packer *packer, struct ero_error *err);

/* stream.c: the content of one inode, range after range, in segments. */
struct ero_stream {
	struct ero_node *node;
	struct ero_pack_range (*range)(const void *context, size_t index);
	const void *context;
	uint64_t length;                  /* bytes, of all ranges */
	const struct ero_dedupe *dedupe;  /* or NULL: it shares nothing */
	uint64_t line;                    /* where it begins on the line */
};
int ero_pack_stream(struct ero_packer *packer, const struct ero_stream *stream, struct ero_error *err);

/* reuse.c: Form A, extents that were stored before. In the building thread: what the copy of `length` bytes from `source`
 * (on the line) at `at` of the job's segment can use of them. In a worker: the same of the segment's own, as far as they are
 * there; then the first one to use at or behind `at`, or NULL. */
struct ero_dedupe;
int ero_pack_reuse_placed(struct ero_placer *placer, struct ero_pack_job *job, size_t at, uint64_t source, uint64_t length,
			  struct ero_error *err);
bool ero_pack_reuse_repeats(struct ero_pack_job *job, size_t at);
const struct ero_pack_reuse *ero_pack_next_reuse(const struct ero_pack_job *job, size_t *index, size_t at);

/* chunk.c, building thread: places the chunks of a finished job; at the last one notes the file's table. */
struct ero_chunk_table;
int ero_chunk_table_create(struct ero_chunk_table **table, struct ero_error *err);
void ero_chunk_table_free(struct ero_chunk_table *table);
int ero_pack_place_chunks(struct ero_chunk_table *table, struct ero_pack_job *job, struct ero_error *err);
/* log2 of the chunk size a file gets: --chunksize, or what a sparse file of its size needs. */
unsigned ero_pack_chunk_bits(const struct ero_pack *pack, const struct ero_node *node);

#endif
