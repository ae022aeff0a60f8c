// SPDX-License-Identifier: MIT
/* Superblock bytes to struct and back. Offsets are those of the format's table, one line a field. */
#include "format/super.h"
#include "base/bytes.h"
#include "base/crc32c.h"

unsigned ero_super_size(const struct ero_super *super)
{
	return ERO_SUPER_SIZE + ERO_SUPER_SLOT * super->ext_slots;
}

static int check_basics(const struct ero_super *s, struct ero_error *err)
{
	if (s->block_bits < ERO_MIN_BLOCK_BITS || s->block_bits > ERO_MAX_BLOCK_BITS)
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL,
				"the superblock says blocks of 2^%u bytes; 2^9 to 2^16 are possible", s->block_bits);
	if (s->feature_incompat & ~(uint32_t)ERO_INCOMPAT_KNOWN)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
				"the image uses features this version does not know (incompatible bits %#x)",
				s->feature_incompat & ~(uint32_t)ERO_INCOMPAT_KNOWN);
	if (s->dir_block_bits)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
				"directory blocks of another size than blocks (2^%u) are not supported by any reader",
				s->dir_block_bits);
	if ((s->feature_incompat & ERO_INCOMPAT_METABOX) && !s->ext_slots)
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL,
				"the superblock has the metabox feature but no extension slot to hold its inode number");
	return 0;
}

int ero_super_decode(const uint8_t *b, struct ero_super *s, struct ero_error *err)
{
	bool wide;

	memset(s, 0, sizeof(*s));
	if (ero_get32(b) != ERO_SUPER_MAGIC)
		return ero_fail(err, ERO_ERROR_FOREIGN, EINVAL, "not an EROFS image: magic number %#010x, not %#010x",
				ero_get32(b), ERO_SUPER_MAGIC);
	s->checksum = ero_get32(b + 4);
	s->feature_compat = ero_get32(b + 8);
	s->block_bits = b[12];
	s->ext_slots = b[13];
	s->inodes = ero_get64(b + 16);
	s->epoch = (int64_t)ero_get64(b + 24);
	s->fixed_nsec = ero_get32(b + 32);
	s->blocks = ero_get32(b + 36);
	s->meta_block = ero_get32(b + 40);
	s->xattr_block = ero_get32(b + 44);
	memcpy(s->uuid, b + 48, 16);
	memcpy(s->label, b + 64, ERO_LABEL_SIZE);
	s->feature_incompat = ero_get32(b + 80);
	if (s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS)
		s->algorithms = ero_get16(b + 84);
	else
		s->lz4_distance = ero_get16(b + 84);
	s->extra_devices = ero_get16(b + 86);
	s->device_slot = ero_get16(b + 88);
	s->dir_block_bits = b[90];
	s->prefix_count = b[91];
	s->prefix_start = ero_get32(b + 92);
	s->packed_nid = ero_get64(b + 96);
	s->ishare_prefix = b[105];
	s->build_time = ero_get32(b + 108);
	s->metabox_nid = s->ext_slots ? ero_get64(b + 128) : 0;
	/* the wide root number is in use only if it is not 0; its absence keeps the old meaning of the 2 bytes */
	wide = (s->feature_incompat & ERO_INCOMPAT_48BIT) && ero_get64(b + 112) != 0;
	if (wide) {
		s->root_nid = ero_get64(b + 112);
		s->blocks |= (uint64_t)ero_get16(b + 14) << 32;
	} else {
		s->root_nid = ero_get16(b + 14);
	}
	s->reserved_clear = b[104] == 0 && ero_all_zero(b + 106, 2) && ero_all_zero(b + 120, 8) &&
			    (wide || ero_all_zero(b + 112, 8)) && (!s->ext_slots || ero_all_zero(b + 136, 8));
	return check_basics(s, err);
}

void ero_super_encode(const struct ero_super *s, uint8_t *b)
{
	bool wide = s->feature_incompat & ERO_INCOMPAT_48BIT;

	memset(b, 0, ero_super_size(s));
	ero_put32(b, ERO_SUPER_MAGIC);
	ero_put32(b + 8, s->feature_compat);
	b[12] = s->block_bits;
	b[13] = s->ext_slots;
	ero_put16(b + 14, wide ? (uint16_t)(s->blocks >> 32) : (uint16_t)s->root_nid);
	ero_put64(b + 16, s->inodes);
	ero_put64(b + 24, (uint64_t)s->epoch);
	ero_put32(b + 32, s->fixed_nsec);
	ero_put32(b + 36, (uint32_t)s->blocks);
	ero_put32(b + 40, s->meta_block);
	ero_put32(b + 44, s->xattr_block);
	memcpy(b + 48, s->uuid, 16);
	memcpy(b + 64, s->label, ERO_LABEL_SIZE);
	ero_put32(b + 80, s->feature_incompat);
	ero_put16(b + 84, s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS ? s->algorithms : s->lz4_distance);
	ero_put16(b + 86, s->extra_devices);
	ero_put16(b + 88, s->device_slot);
	b[91] = s->prefix_count;
	ero_put32(b + 92, s->prefix_start);
	ero_put64(b + 96, s->packed_nid);
	b[105] = s->ishare_prefix;
	ero_put32(b + 108, s->build_time);
	if (wide)
		ero_put64(b + 112, s->root_nid);
	if (s->ext_slots)
		ero_put64(b + 128, s->metabox_nid);
}

unsigned ero_super_checksum_length(unsigned block_bits)
{
	unsigned block = 1u << block_bits;

	return block > ERO_SUPER_OFFSET ? block - ERO_SUPER_OFFSET : block;
}

uint32_t ero_super_checksum(const uint8_t *bytes, unsigned block_bits)
{
	static const uint8_t zero[4];
	uint32_t crc = ero_crc32c(~0u, bytes, 4);

	crc = ero_crc32c(crc, zero, 4);
	return ero_crc32c(crc, bytes + 8, ero_super_checksum_length(block_bits) - 8);
}

/* Payload bytes of each algorithm's configuration. */
static const uint8_t cfg_length[ERO_ALG_COUNT] = {
	[ERO_ALG_LZ4] = 14, [ERO_ALG_LZMA] = 14, [ERO_ALG_DEFLATE] = 6, [ERO_ALG_ZSTD] = 6
};

unsigned ero_compr_cfgs_size(uint16_t algorithms)
{
	unsigned size = 0;

	for (unsigned a = 0; a < ERO_ALG_COUNT; a++)
		if (algorithms & (1u << a))
			size = (unsigned)ero_round_up(size, 4) + 2 + cfg_length[a];
	return size;
}

void ero_compr_cfgs_encode(uint16_t algorithms, const struct ero_compr_cfgs *cfgs, uint8_t *bytes)
{
	unsigned at = 0;

	memset(bytes, 0, ero_compr_cfgs_size(algorithms));
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++) {
		uint8_t *p;

		if (!(algorithms & (1u << a)))
			continue;
		at = (unsigned)ero_round_up(at, 4);
		ero_put16(bytes + at, cfg_length[a]);
		p = bytes + at + 2;
		switch ((enum ero_algorithm)a) {
		case ERO_ALG_LZ4:
			ero_put16(p, cfgs->lz4_distance);
			ero_put16(p + 2, cfgs->lz4_max_blocks);
			break;
		case ERO_ALG_LZMA:
			ero_put32(p, cfgs->lzma_dict);
			ero_put16(p + 4, cfgs->lzma_format);
			break;
		case ERO_ALG_DEFLATE:
			p[0] = cfgs->deflate_bits;
			break;
		case ERO_ALG_ZSTD:
			p[0] = cfgs->zstd_format;
			p[1] = (uint8_t)(cfgs->zstd_window_bits - 10);
			break;
		case ERO_ALG_COUNT:
			break;
		}
		at += 2u + cfg_length[a];
	}
}

int ero_compr_cfg_decode(enum ero_algorithm algorithm, const uint8_t *p, unsigned length,
			 struct ero_compr_cfgs *cfgs, struct ero_error *err)
{
	if (length < cfg_length[algorithm])
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL,
				"the configuration of compression algorithm %u has %u bytes, %u are needed",
				(unsigned)algorithm, length, cfg_length[algorithm]);
	switch (algorithm) {
	case ERO_ALG_LZ4:
		cfgs->lz4_distance = ero_get16(p);
		cfgs->lz4_max_blocks = ero_get16(p + 2);
		break;
	case ERO_ALG_LZMA:
		cfgs->lzma_dict = ero_get32(p);
		cfgs->lzma_format = ero_get16(p + 4);
		if (cfgs->lzma_format || cfgs->lzma_dict < 4096 || cfgs->lzma_dict > ERO_LZMA_MAX_DICT)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL,
					"the MicroLZMA configuration says dictionary %u, format %u; 4096 to %u and 0 are possible",
					cfgs->lzma_dict, cfgs->lzma_format, ERO_LZMA_MAX_DICT);
		break;
	case ERO_ALG_DEFLATE:
		cfgs->deflate_bits = p[0];
		if (p[0] > 15)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "the DEFLATE configuration says window 2^%u; 2^15 is the most",
					p[0]);
		break;
	case ERO_ALG_ZSTD:
		cfgs->zstd_format = p[0];
		cfgs->zstd_window_bits = (uint8_t)(p[1] + 10);
		if (p[0] || p[1] > ERO_ZSTD_MAX_WINDOW_BITS - 10)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL,
					"the Zstandard configuration says format %u, window 2^%u; 0 and at most 2^20 are possible",
					p[0], p[1] + 10u);
		break;
	case ERO_ALG_COUNT:
		break;
	}
	return 0;
}

void ero_device_slot_decode(const uint8_t *b, struct ero_device_slot *slot)
{
	memcpy(slot->tag, b, sizeof(slot->tag));
	slot->blocks = ero_get32(b + 64) | (uint64_t)ero_get16(b + 72) << 32;
	slot->unified = ero_get32(b + 68) | (uint64_t)ero_get16(b + 74) << 32;
}

void ero_device_slot_encode(const struct ero_device_slot *slot, uint8_t *b)
{
	memset(b, 0, ERO_DEVICE_SLOT);
	memcpy(b, slot->tag, sizeof(slot->tag));
	ero_put32(b + 64, (uint32_t)slot->blocks);
	ero_put32(b + 68, (uint32_t)slot->unified);
	ero_put16(b + 72, (uint16_t)(slot->blocks >> 32));
	ero_put16(b + 74, (uint16_t)(slot->unified >> 32));
}
