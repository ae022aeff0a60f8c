/* SPDX-License-Identifier: MIT */
/*
 * An open image: devices, superblock, and access to its metadata and data. Every offset and length from the image is
 * checked in this folder, once, before anyone uses it. Reading is safe from several threads at once.
 */
#ifndef ERO_IMAGE_IMAGE_H
#define ERO_IMAGE_IMAGE_H

#include <pthread.h>
#include <stdbool.h>
#include "base/error.h"
#include "format/inode.h"
#include "format/super.h"

struct ero_shared_file;
struct ero_meta_cache;

struct ero_device {
	int fd;
	char *path;
	uint64_t base;     /* bytes before the image in the file (primary device only) */
	uint64_t size;     /* bytes from base to the end */
	struct ero_device_slot slot; /* extra devices */
};

struct ero_long_prefix {
	uint8_t base_index;
	uint8_t length;
	char infix[256];
};

struct ero_image {
	struct ero_super super;
	struct ero_compr_cfgs cfgs;
	struct ero_device *devices; /* [0] is the primary one */
	unsigned device_count;
	bool zero_padding;          /* encoded data is right-aligned */
	bool checksum_bad;          /* only possible with ignore_checksum */
	bool salvage;               /* what can be read of damaged extents counts */
	bool lacks_devices;         /* a device table, and no device given: flat addressing */
	uint64_t super_end;         /* byte behind superblock and configurations */
	struct ero_long_prefix *prefixes;
	unsigned prefix_count;
	struct ero_meta_cache *cache;
	struct ero_shared_file *packed, *metabox; /* NULL when the image has none */
};

static inline unsigned ero_block_size(const struct ero_image *image)
{
	return 1u << image->super.block_bits;
}

/* Does the superblock list this compression algorithm? */
static inline bool ero_has_algorithm(const struct ero_image *image, unsigned algorithm)
{
	if (image->super.feature_incompat & ERO_INCOMPAT_COMPR_CFGS)
		return algorithm < ERO_ALG_COUNT && (image->super.algorithms >> algorithm & 1);
	return algorithm == ERO_ALG_LZ4;
}

/* device.c: data. Device 0 follows the flat address space: a range that a device slot claims is on that device. */
int ero_device_open(struct ero_device *device, const char *path, uint64_t base, struct ero_error *err);
void ero_device_close(struct ero_device *device);
int ero_device_read(struct ero_image *image, unsigned device, uint64_t address, void *buffer, size_t length,
		    struct ero_error *err);
/* Only that it can be read: ero_pread_nowhere(). */
int ero_device_read_nowhere(struct ero_image *image, unsigned device, uint64_t address, uint64_t length, int null,
			    struct ero_error *err);
/* Bytes of the address range that exist on the device it lies on, from address on; 0 if none. */
uint64_t ero_device_room(const struct ero_image *image, unsigned device, uint64_t address);

/* meta.c: metadata, from the primary device or the metabox, through a small cache. */
int ero_meta_cache_create(struct ero_image *image, struct ero_error *err);
void ero_meta_cache_free(struct ero_image *image);
int ero_meta_read(struct ero_image *image, bool metabox, uint64_t position, void *buffer, size_t length,
		  struct ero_error *err);
/* Bytes from the start to the end of the metadata space a position may lie in. */
uint64_t ero_meta_size(const struct ero_image *image, bool metabox);

/* inode.c */
/* Byte position of an inode in its space (see ero_meta_read); false when it cannot exist. */
bool ero_inode_position(const struct ero_image *image, uint64_t nid, uint64_t *position);
static inline bool ero_in_metabox(uint64_t nid)
{
	return nid & ERO_METABOX_BIT;
}
/* Reads and decodes; -EUCLEAN for what makes no sense. */
int ero_inode_read(struct ero_image *image, uint64_t nid, struct ero_inode *inode, struct ero_error *err);

#endif
