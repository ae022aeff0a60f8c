// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "format/dirent.h"
#include "format/features.h"
#include "format/inode.h"
#include "format/xattr.h"
#include "format/zmap.h"

static void superblock(void **state)
{
	struct ero_super in = {
		.feature_compat = ERO_COMPAT_MTIME, .feature_incompat = ERO_INCOMPAT_COMPR_CFGS, .block_bits = 12,
		.root_nid = 36, .inodes = 1234567890123, .epoch = -5, .fixed_nsec = 999999999, .blocks = 77, .meta_block = 3,
		.xattr_block = 9, .label = "label", .algorithms = 9, .extra_devices = 2, .device_slot = 10,
		.prefix_count = 4, .prefix_start = 5000, .build_time = 4000000000u, .reserved_clear = true,
	}, out;
	uint8_t bytes[ERO_SUPER_SIZE + ERO_SUPER_SLOT] = { 0 };
	struct ero_error err;

	(void)state;
	ero_super_encode(&in, bytes);
	assert_int_equal(ero_super_decode(bytes, &out, &err), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	in.feature_incompat |= ERO_INCOMPAT_48BIT | ERO_INCOMPAT_METABOX;
	in.ext_slots = 1;
	in.metabox_nid = 88;
	in.blocks = 0x123456789abull;
	in.root_nid = 1ull << 40;
	ero_super_encode(&in, bytes);
	assert_int_equal(ero_super_decode(bytes, &out, &err), 0);
	assert_memory_equal(&in, &out, sizeof(in));

	bytes[12] = 8;
	assert_int_equal(ero_super_decode(bytes, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "2^8"));
	bytes[12] = 12;
	ero_put32(bytes + 80, 0x200);
	assert_int_equal(ero_super_decode(bytes, &out, &err), -ENOTSUP);
	bytes[0] ^= 1;
	assert_int_equal(ero_super_decode(bytes, &out, &err), -EINVAL);
	assert_int_equal(err.kind, ERO_ERROR_FOREIGN);
}

static void configurations(void **state)
{
	struct ero_compr_cfgs in = { .lz4_distance = 65535, .lz4_max_blocks = 16, .lzma_dict = 1 << 20, .deflate_bits = 15,
				     .zstd_window_bits = 20 }, out = { 0 };
	uint8_t bytes[128];
	unsigned at = 0;

	(void)state;
	assert_int_equal(ero_compr_cfgs_size(15), 16 + 16 + 8 + 8);
	assert_int_equal(ero_compr_cfgs_size(0), 0);
	ero_compr_cfgs_encode(15, &in, bytes);
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++) {
		at = (unsigned)ero_round_up(at, 4);
		assert_int_equal(ero_compr_cfg_decode(a, bytes + at + 2, ero_get16(bytes + at), &out, NULL), 0);
		at += 2u + ero_get16(bytes + at);
	}
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(ero_compr_cfg_decode(ERO_ALG_ZSTD, (const uint8_t *)"\0\13\0\0\0\0", 6, &out, NULL), -EINVAL);
	assert_int_equal(ero_compr_cfg_decode(ERO_ALG_LZMA, bytes, 3, &out, NULL), -EINVAL);
}

static void inode_round_trip(const struct ero_inode *in, const struct ero_super *s)
{
	uint8_t bytes[ERO_EXTENDED_SIZE];
	struct ero_inode out;
	struct ero_error err;

	ero_inode_encode(in, s, bytes);
	assert_int_equal(ero_inode_decode(bytes, sizeof(bytes), s, in->nid, &out, &err), 0);
	out.format = in->format;
	assert_true(out.reserved_clear && !out.stray_time);
	out.reserved_clear = in->reserved_clear;
	assert_memory_equal(in, &out, sizeof(out));
}

static void inodes(void **state)
{
	struct ero_super s = { .block_bits = 12, .epoch = 1000, .fixed_nsec = 7 };
	struct ero_inode i;
	uint8_t bytes[ERO_EXTENDED_SIZE] = { 0 };

	(void)state;
	memset(&i, 0, sizeof(i));
	i.nid = 5;
	i.layout = ERO_LAYOUT_FLAT_INLINE;
	i.mode = S_IFREG | 04755;
	i.uid = 65535;
	i.gid = 1;
	i.nlink = 3;
	i.ino = 9;
	i.size = UINT32_MAX;
	i.mtime = 1000;
	i.mtime_nsec = 7;
	i.xattr_icount = 4;
	i.start_block = 12345;
	inode_round_trip(&i, &s);
	i.extended = true;
	i.uid = UINT32_MAX - 1;
	i.size = 1ull << 60;
	i.mtime = -77;
	i.mtime_nsec = 123456789;
	i.nlink = 100000;
	inode_round_trip(&i, &s);
	i.start_block = ERO_NULL_BLOCK48;
	s.feature_incompat = ERO_INCOMPAT_48BIT;
	inode_round_trip(&i, &s);
	/* a 32-byte inode of the 48BIT form keeps its own time */
	i.extended = false;
	i.uid = 5;
	i.size = 4096;
	i.mtime = 1000 + 4000000000ll;
	i.mtime_nsec = 7;
	i.nlink = 1;
	i.start_block = 0x123456789aull;
	inode_round_trip(&i, &s);

	assert_int_equal(ero_inode_decode(bytes, 31, &s, 1, &i, NULL), -EUCLEAN);
	assert_int_equal(ero_inode_decode(bytes, 64, &s, 1, &i, NULL), -EUCLEAN); /* mode 0 */
	ero_put16(bytes + 4, S_IFREG);
	ero_put16(bytes, 0x20);
	assert_int_equal(ero_inode_decode(bytes, 64, &s, 1, &i, NULL), -EUCLEAN); /* unknown format bit */
	ero_put16(bytes, ERO_FORMAT_EXTENDED);
	assert_int_equal(ero_inode_decode(bytes, 32, &s, 1, &i, NULL), -EUCLEAN); /* cut off */
}

static void device_numbers(void **state)
{
	(void)state;
	for (unsigned major = 0; major < 4096; major += 511)
		for (unsigned minor = 0; minor < 1u << 20; minor += 65537) {
			uint32_t rdev = ero_rdev_encode(major, minor);

			assert_int_equal(ero_rdev_major(rdev), major);
			assert_int_equal(ero_rdev_minor(rdev), minor);
		}
}

static void dirents(void **state)
{
	const struct ero_dirent in[] = { { 1, ERO_FT_DIR, 1, "." }, { 2, ERO_FT_DIR, 2, ".." }, { ~0ull >> 1, ERO_FT_REG, 3, "abc" } };
	uint8_t block[64] = { 0 };
	struct ero_dirent e;
	unsigned n;

	(void)state;
	ero_dirblock_encode(in, 3, block);
	n = ero_dirblock_count(block, sizeof(block));
	assert_int_equal(n, 3);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(ero_dirblock_entry(block, sizeof(block), n, i, &e), ERO_DIRENT_GOOD);
		assert_int_equal(e.nid, in[i].nid);
		assert_int_equal(e.type, in[i].type);
		assert_int_equal(e.name_length, in[i].name_length);
		assert_memory_equal(e.name, in[i].name, e.name_length);
	}
	assert_int_equal(ero_dirblock_count(block, 11), 0);
	ero_put16(block + 8, 13);
	assert_int_equal(ero_dirblock_count(block, sizeof(block)), 0);
	ero_put16(block + 8, 36);
	ero_put16(block + 20, 65); /* second name outside */
	assert_int_equal(ero_dirblock_entry(block, sizeof(block), 3, 0, &e), ERO_DIRENT_BAD_OFFSET);
	assert_int_equal(ero_dirblock_entry(block, sizeof(block), 3, 1, &e), ERO_DIRENT_BAD_OFFSET);
	assert_true(ero_name_compare("a", 1, "ab", 2) < 0);
	assert_true(ero_name_compare("\xff", 1, "a", 1) > 0); /* bytes, not signed characters */
}

static void xattr_names(void **state)
{
	static const char *const good[] = { "user.x", "trusted.overlay.opaque", "security.selinux", "system.posix_acl_access" };
	static const int index[] = { ERO_XATTR_USER, ERO_XATTR_TRUSTED, ERO_XATTR_SECURITY, ERO_XATTR_ACL_ACCESS };
	struct ero_xattr_entry e;
	uint8_t bytes[64];
	size_t skip;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ero_xattr_index(good[i], &skip), index[i]);
		assert_int_equal(strlen(ero_xattr_prefix((unsigned)index[i])), skip);
		assert_memory_equal(ero_xattr_prefix((unsigned)index[i]), good[i], skip);
	}
	assert_int_equal(ero_xattr_index("btrfs.compression", &skip), -1);
	assert_int_equal(ero_xattr_index("system.posix_acl_accessory", &skip), -1);
	ero_xattr_entry_encode(&(struct ero_xattr_entry){ 1, 3, 2, "abc", (const uint8_t *)"xy" }, bytes);
	assert_int_equal(ero_xattr_entry_size(3, 2), 12);
	assert_true(ero_xattr_entry_decode(bytes, 12, &e));
	assert_memory_equal(e.name, "abc", 3);
	assert_memory_equal(e.value, "xy", 2);
	assert_false(ero_xattr_entry_decode(bytes, 8, &e));
	assert_false(ero_xattr_entry_decode(bytes, 3, &e));
}

/* ---- indexes: what is encoded comes back, for any sequence of extents ---- */

static size_t random_extents(struct ero_zextent *x, uint64_t size, unsigned bits, bool big, bool contiguous, uint64_t *seed)
{
	uint64_t at = 0, block = 1000;
	size_t n = 0;

	while (at < size) {
		uint64_t least = (1ull << bits) - (at & ((1ull << bits) - 1)); /* at least to the next lcluster */
		uint64_t span = next_random(seed) % (big ? 40ull << bits : 5ull << bits);
		uint64_t length = least + span;

		x[n] = (struct ero_zextent){ .block = block, .type = ERO_LC_HEAD1, .blocks = 1 };
		if (next_random(seed) % 8 == 0) {
			x[n].type = ERO_LC_PLAIN;
			length = 1ull << bits;
		} else if (next_random(seed) % 50 == 0) {
			length += 3000ull << bits; /* deltas past what an entry can tell */
		}
		if (length > size - at)
			length = size - at;
		if (big && x[n].type != ERO_LC_PLAIN && length > 3ull << bits)
			x[n].blocks = (uint16_t)(1 + next_random(seed) % 2);
		x[n].length = (uint32_t)length;
		block += x[n].blocks + (contiguous ? 0 : next_random(seed) % 9);
		at += length;
		n++;
	}
	return n;
}

static void check_index(struct ero_zindex *z, const struct ero_zextent *x, size_t n, const uint8_t *bytes)
{
	uint64_t at = 0;
	size_t next = 0;

	for (uint64_t lcn = 0; lcn < z->total;) {
		struct ero_lcluster entries[ERO_ZPACK_MAX_ENTRIES];
		struct ero_zpack p = ero_zindex_pack(z, lcn);

		assert_int_equal(p.first, lcn);
		assert_true(p.offset + p.bytes <= z->size);
		assert_true(ero_zpack_decode(z, &p, bytes + p.offset, entries));
		for (unsigned i = 0; i < p.entries && lcn < z->total; i++, lcn++) {
			if (next < n && at >> z->lcluster_bits == lcn) {
				assert_int_equal(entries[i].type, x[next].type);
				assert_int_equal(entries[i].clusterofs, at & ((1u << z->lcluster_bits) - 1));
				assert_int_equal(entries[i].block, x[next].block);
				at += x[next++].length;
			} else {
				assert_int_equal(entries[i].type, ERO_LC_NONHEAD);
				if (entries[i].delta0 & ERO_LC_CBLKCNT)
					assert_int_equal(entries[i].delta0 & ~ERO_LC_CBLKCNT, x[next - 1].blocks);
			}
		}
	}
	assert_int_equal(next, n);
}

static void indexes(void **state)
{
	static struct ero_zextent x[40000];
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 400; round++) {
		bool full = round % 3 == 0, big = round % 2;
		unsigned bits = 9 + (unsigned)(next_random(&seed) % 6);
		uint64_t size = 1 + next_random(&seed) % (500ull << bits);
		uint64_t header_end = 8 * (1 + next_random(&seed) % 20);
		uint16_t advise = (uint16_t)((big ? ERO_ADVISE_BIG_PCLUSTER_1 | ERO_ADVISE_BIG_PCLUSTER_2 : 0) |
					     (!full && bits <= 12 ? ERO_ADVISE_COMPACTED_2B : 0));
		struct ero_zindex z;
		uint8_t *bytes;
		size_t n;

		if (!full && bits > 14)
			bits = 14;
		ero_zindex_init(&z, full ? ERO_LAYOUT_COMPRESSED_FULL : ERO_LAYOUT_COMPRESSED_COMPACT, advise, bits, size, header_end);
		n = random_extents(x, size, bits, big, !full, &seed);
		bytes = malloc(z.size);
		ero_zindex_encode(&z, x, n, bytes);
		check_index(&z, x, n, bytes);
		free(bytes);
	}
}

static void headers(void **state)
{
	struct ero_zheader in = { .advise = ERO_ADVISE_INLINE_PCLUSTER | ERO_ADVISE_BIG_PCLUSTER_1, .algorithm = { 3, 1 },
				  .lcluster_bits = 13, .inline_size = 777 }, out;
	uint8_t b[8];

	(void)state;
	ero_zheader_encode(&in, 12, b);
	ero_zheader_decode(b, ERO_LAYOUT_COMPRESSED_COMPACT, 12, &out);
	assert_memory_equal(&in, &out, sizeof(in));
	in = (struct ero_zheader){ .whole_fragment = true, .fragment_offset = 0x123456789abcdull, .advise = ERO_ADVISE_FRAGMENT,
				   .lcluster_bits = 12 };
	ero_zheader_encode(&in, 12, b);
	ero_zheader_decode(b, ERO_LAYOUT_COMPRESSED_FULL, 12, &out);
	assert_memory_equal(&in, &out, sizeof(in));
}

/* Extent records: what is written is read back, in every width, as far as the width can tell. */
static void records(void **state)
{
	static const unsigned widths[] = { 4, 8, 16, 32 };
	struct ero_zrecord in = { .length = 0x12345, .partial = true, .format = 4, .physical = 0x123456789abull,
				  .logical = 0x2000000000ull }, out;
	uint8_t b[32];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		ero_zrecord_encode(&in, widths[i], b);
		ero_zrecord_decode(b, widths[i], &out);
		assert_int_equal(out.length, in.length);
		assert_true(out.partial);
		assert_int_equal(out.format, in.format);
		if (widths[i] >= 8)
			assert_int_equal((uint32_t)out.physical, (uint32_t)in.physical);
		if (widths[i] >= 16)
			assert_int_equal(out.physical, in.physical);
		if (widths[i] >= 32)
			assert_int_equal(out.logical, in.logical);
	}
	in = (struct ero_zrecord){ .fragment = true, .raw_plen = 0xfedcba98u, .physical = 7 };
	ero_zrecord_encode(&in, 8, b);
	ero_zrecord_decode(b, 8, &out);
	assert_int_equal(out.raw_plen, 0xfedcba98u);
	assert_int_equal(out.physical, 7);
	assert_int_equal(ero_zrecords_size(40, 4, 3), 8 + 12);
	assert_int_equal(ero_zrecords_size(40, 16, 2), 8 + 32);
	assert_int_equal(ero_zrecords_size(40, 32, 1), 24 + 32);
}

static void record_headers(void **state)
{
	struct ero_zheader in = { .extents = true, .record_size = 8, .advise = ERO_ADVISE_EXTENTS | 1 << 1, .lcluster_bits = 20 },
			   out;
	uint8_t b[8];

	(void)state;
	ero_zheader_encode(&in, 12, b);
	ero_zheader_decode(b, ERO_LAYOUT_COMPRESSED_FULL, 12, &out);
	assert_memory_equal(&in, &out, sizeof(in));
	in = (struct ero_zheader){ .extents = true, .record_size = 16, .advise = ERO_ADVISE_EXTENTS | 2 << 1, .lcluster_bits = 12,
				   .extent_count = 0xa00000001ull };
	ero_zheader_encode(&in, 12, b);
	ero_zheader_decode(b, ERO_LAYOUT_COMPRESSED_FULL, 12, &out);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void kernels(void **state)
{
	struct ero_super s = { .block_bits = 12 };
	struct ero_kernel_version v;
	char names[256];

	(void)state;
	assert_true(ero_kernel_parse("6.12.3-foo", &v) && v.major == 6 && v.minor == 12 && v.patch == 3);
	assert_true(ero_kernel_parse("7.0", &v) && v.patch == 0);
	assert_false(ero_kernel_parse("six", &v));
	assert_true(ero_kernel_compare((struct ero_kernel_version)ERO_LINUX(6, 9, 0), (struct ero_kernel_version)ERO_LINUX(6, 12, 0)) < 0);
	assert_int_equal(ero_super_first_kernel(&s).minor, 4);
	assert_int_equal(ero_incompat_since(ERO_INCOMPAT_48BIT).minor, 15);
	assert_false(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 14, 99), ero_extent_bugs));
	assert_true(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 15, 0), ero_extent_bugs));
	assert_true(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 18, 15), ero_extent_bugs));
	assert_false(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 18, 16), ero_extent_bugs));
	assert_true(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 19, 5), ero_extent_bugs));
	assert_false(ero_kernel_in_windows((struct ero_kernel_version)ERO_LINUX(6, 19, 6), ero_extent_bugs));
	s.feature_incompat = ERO_INCOMPAT_COMPR_CFGS;
	s.algorithms = 1u << ERO_ALG_ZSTD;
	assert_int_equal(ero_super_first_kernel(&s).minor, 10);
	s.block_bits = 9;
	s.algorithms = 1;
	assert_int_equal(ero_super_first_kernel(&s).minor, 8);
	s.feature_compat = ERO_COMPAT_SB_CHKSUM;
	ero_super_feature_names(&s, names, sizeof(names));
	assert_string_equal(names, "sb_csum compr_cfgs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(superblock),	  cmocka_unit_test(configurations), cmocka_unit_test(inodes),
		cmocka_unit_test(device_numbers), cmocka_unit_test(dirents),	    cmocka_unit_test(xattr_names),
		cmocka_unit_test(indexes),	  cmocka_unit_test(headers),	    cmocka_unit_test(kernels),
		cmocka_unit_test(records),	  cmocka_unit_test(record_headers),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
