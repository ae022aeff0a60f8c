// SPDX-License-Identifier: MIT
/* libFuzzer target: bytes as one structure of the format, which the first byte chooses. What is encoded again must decode to
 * the same. */
#include "fuzz.h"

#include "base/bytes.h"
#include "format/dirent.h"
#include "format/inode.h"
#include "format/xattr.h"
#include "format/zmap.h"

static void try_super(const uint8_t *data, size_t size)
{
	uint8_t bytes[ERO_SUPER_SIZE + 256 * ERO_SUPER_SLOT] = { 0 }, again[sizeof(bytes)];
	struct ero_super s, t;

	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	if (ero_super_decode(bytes, &s, NULL))
		return;
	ero_super_encode(&s, again);
	FUZZ_ASSERT(!ero_super_decode(again, &t, NULL) || (s.feature_incompat & ERO_INCOMPAT_48BIT));
}

static void try_inode(const uint8_t *data, size_t size)
{
	struct ero_super s = { .block_bits = 12, .epoch = 1000, .fixed_nsec = 5, .feature_incompat = size % 2 ? ERO_INCOMPAT_48BIT : 0 };
	struct ero_inode i, k;
	uint8_t bytes[ERO_EXTENDED_SIZE];

	if (ero_inode_decode(data, size, &s, 7, &i, NULL) || i.stray_time || !i.reserved_clear)
		return;
	ero_inode_encode(&i, &s, bytes);
	FUZZ_ASSERT(!ero_inode_decode(bytes, sizeof(bytes), &s, 7, &k, NULL));
	FUZZ_ASSERT(i.mode == k.mode && i.size == k.size && i.uid == k.uid && i.mtime == k.mtime && i.nlink == k.nlink && i.layout == k.layout);
}

static void try_directory(const uint8_t *data, size_t size)
{
	unsigned count = ero_dirblock_count(data, size), bytes = 0;
	struct ero_dirent e;

	for (unsigned i = 0; i < count; i++)
		if (ero_dirblock_entry(data, size, count, i, &e) == ERO_DIRENT_GOOD) {
			FUZZ_ASSERT(e.name_length >= 1 && e.name_length <= ERO_NAME_MAX);
			for (unsigned k = 0; k < e.name_length; k++)
				bytes += (uint8_t)e.name[k];
		}
	FUZZ_ASSERT(bytes < UINT32_MAX);
}

static void try_xattrs(const uint8_t *data, size_t size)
{
	struct ero_xattr_entry e;

	while (ero_xattr_entry_decode(data, size, &e)) {
		uint8_t again[4 + 255 + 65535 + 4];
		size_t used = ero_xattr_entry_size(e.name_length, e.value_length);

		ero_xattr_entry_encode(&e, again);
		FUZZ_ASSERT(!memcmp(again, data, (size_t)ERO_XATTR_ENTRY + e.name_length + e.value_length));
		ero_xattr_filter_bit(e.index, e.name, e.name_length);
		if (used >= size)
			break;
		data += used;
		size -= used;
	}
}

static void try_index(const uint8_t *data, size_t size)
{
	struct ero_lcluster entries[ERO_ZPACK_MAX_ENTRIES];
	enum ero_layout layout = data[0] & 1 ? ERO_LAYOUT_COMPRESSED_FULL : ERO_LAYOUT_COMPRESSED_COMPACT;
	struct ero_zheader h;
	struct ero_zindex z;

	ero_zheader_decode(data, layout, 12, &h);
	if (h.whole_fragment || h.extents) {
		struct ero_zrecord r;

		for (size_t at = 8; h.extents && at + h.record_size <= size; at += h.record_size)
			ero_zrecord_decode(data + at, h.record_size, &r);
		return;
	}
	ero_zindex_init(&z, layout, h.advise, h.lcluster_bits, ero_get32(data + 8), data[12]);
	for (uint64_t lcn = 0; lcn < z.total;) {
		struct ero_zpack p = ero_zindex_pack(&z, lcn);

		FUZZ_ASSERT(p.entries && p.entries <= ERO_ZPACK_MAX_ENTRIES && p.first <= lcn && lcn < p.first + p.entries);
		if (p.offset + p.bytes > size)
			break;
		ero_zpack_decode(&z, &p, data + p.offset, entries);
		lcn = p.first + p.entries;
	}
}

static void try_configuration(const uint8_t *data, size_t size)
{
	struct ero_compr_cfgs cfgs = { 0 };

	ero_compr_cfg_decode((enum ero_algorithm)(data[0] % ERO_ALG_COUNT), data + 1, (unsigned)size - 1, &cfgs, NULL);
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	uint8_t copy[4096];

	if (size < 2)
		return 0;
	size = size - 1 < sizeof(copy) ? size - 1 : sizeof(copy);
	memset(copy, 0, sizeof(copy));
	memcpy(copy, data + 1, size);
	switch (*data % 6) {
	case 0:
		try_super(copy, size);
		break;
	case 1:
		try_inode(data + 1, size);
		break;
	case 2:
		try_directory(data + 1, size);
		break;
	case 3:
		try_xattrs(data + 1, size);
		break;
	case 4:
		if (size >= 16)
			try_index(data + 1, size);
		break;
	default:
		try_configuration(data + 1, size);
		break;
	}
	return 0;
}
