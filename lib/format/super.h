/* SPDX-License-Identifier: MIT */
/* The superblock and what hangs on it by position: compression configurations and device slots. */
#ifndef ERO_FORMAT_SUPER_H
#define ERO_FORMAT_SUPER_H

#include <stdbool.h>
#include "base/error.h"
#include "format/ondisk.h"

struct ero_super {
	uint32_t checksum;
	uint32_t feature_compat, feature_incompat;
	uint8_t block_bits;
	uint8_t ext_slots;
	uint64_t root_nid;
	uint64_t inodes;
	int64_t epoch;
	uint32_t fixed_nsec;
	uint64_t blocks;           /* of the primary device */
	uint32_t meta_block, xattr_block;
	uint8_t uuid[16];
	char label[ERO_LABEL_SIZE + 1];
	uint16_t algorithms;       /* bitmap, when COMPR_CFGS */
	uint16_t lz4_distance;     /* otherwise */
	uint16_t extra_devices, device_slot;
	uint8_t dir_block_bits;
	uint8_t prefix_count;
	uint32_t prefix_start;
	uint64_t packed_nid, metabox_nid;
	uint8_t ishare_prefix;
	uint32_t build_time;       /* seconds after epoch */
	bool reserved_clear;       /* reserved bytes are zero, as they should be */
};

/* What a compression configuration says, per algorithm. */
struct ero_compr_cfgs {
	uint16_t lz4_distance, lz4_max_blocks;
	uint32_t lzma_dict;
	uint16_t lzma_format;
	uint8_t deflate_bits;
	uint8_t zstd_format, zstd_window_bits;
};

struct ero_device_slot {
	uint8_t tag[64];
	uint64_t blocks, unified;  /* size and first block in the flat address space */
};

/* Decodes 144 bytes from byte 1024 (the extension slot may be missing from the file: zeros). Verifies the magic and
 * what no reader can do without: block size, known features, slots. */
int ero_super_decode(const uint8_t *bytes, struct ero_super *super, struct ero_error *err);
/* Encodes ERO_SUPER_SIZE + ext_slots * 16 bytes, the checksum field 0. */
void ero_super_encode(const struct ero_super *super, uint8_t *bytes);
unsigned ero_super_size(const struct ero_super *super);
/* Checksum over the first block from byte 1024 on, checksum field taken as 0; `bytes` starts at byte 1024. */
uint32_t ero_super_checksum(const uint8_t *bytes, unsigned block_bits);
/* Bytes the checksum covers. */
unsigned ero_super_checksum_length(unsigned block_bits);

/* Configurations for the set bits of `algorithms`: encoded size, encoding, and decoding of one payload. */
unsigned ero_compr_cfgs_size(uint16_t algorithms);
void ero_compr_cfgs_encode(uint16_t algorithms, const struct ero_compr_cfgs *cfgs, uint8_t *bytes);
int ero_compr_cfg_decode(enum ero_algorithm algorithm, const uint8_t *payload, unsigned length,
			 struct ero_compr_cfgs *cfgs, struct ero_error *err);

void ero_device_slot_decode(const uint8_t *bytes, struct ero_device_slot *slot);
void ero_device_slot_encode(const struct ero_device_slot *slot, uint8_t *bytes);

#endif
