// SPDX-License-Identifier: MIT
/*
 * Mutants of images, from a seed:    generate DIR SEED COUNT IMAGE…  > LIST
 * Damages metadata where it means something: bits and bytes of metadata, fields set to boundary values, two fields of a
 * kind swapped, files cut, blocks taken from elsewhere or from another image. What the superblock's checksum covers gets a
 * right checksum again, mostly, so that what lies behind that check is tested, too.
 */
#include "mutant.h"

#include "base/bytes.h"
#include "base/vec.h"
#include "format/xattr.h"
#include "image/map.h"
#include "image/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- chance, the same everywhere ---- */

static uint64_t state;

static uint64_t chance(uint64_t below)
{
	uint64_t z = state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return (z ^ (z >> 31)) % below;
}

/* ---- where the fields of an image are ---- */

enum class { SUPER, CONFIG, DEVICE, INODE, XATTR, MAP, DIRENT, NAME, SHARED, CLASSES };
static const char *const class_names[CLASSES] = { "super", "config", "device", "inode", "xattr", "map", "dirent", "name", "shared" };

struct field {
	uint64_t offset;
	unsigned width;
	enum class class;
	const char *what;
};

typedef ERO_VEC(struct field) fields;

struct base {
	struct mutant_base file;
	struct ero_image *image;
	struct ero_pages pages;
	fields fields[CLASSES];
	ERO_VEC(uint32_t) metadata; /* pages that hold any */
};

static void add(struct base *b, enum class class, uint64_t offset, unsigned width, const char *what)
{
	struct field f = { .offset = offset, .width = width, .class = class, .what = what };

	if (offset + width <= b->file.size && !ero_vec_push(&b->fields[class], f))
		exit(3);
}

static void add_super(struct base *b)
{
	static const struct field super[] = {
		{ 0, 4, SUPER, "magic" },	   { 4, 4, SUPER, "checksum" },	     { 8, 4, SUPER, "compat" },
		{ 12, 1, SUPER, "blkszbits" },	   { 13, 1, SUPER, "extslots" },     { 14, 2, SUPER, "rootnid" },
		{ 16, 8, SUPER, "inos" },	   { 24, 8, SUPER, "epoch" },	     { 32, 4, SUPER, "nsec" },
		{ 36, 4, SUPER, "blocks" },	   { 40, 4, SUPER, "meta_blkaddr" }, { 44, 4, SUPER, "xattr_blkaddr" },
		{ 48, 8, SUPER, "uuid" },	   { 64, 8, SUPER, "label" },	     { 80, 4, SUPER, "incompat" },
		{ 84, 2, SUPER, "algorithms" },	   { 86, 2, SUPER, "extra_devices" }, { 88, 2, SUPER, "devt_slotoff" },
		{ 90, 1, SUPER, "dirblkbits" },	   { 91, 1, SUPER, "prefix_count" }, { 92, 4, SUPER, "prefix_start" },
		{ 96, 8, SUPER, "packed_nid" },	   { 104, 1, SUPER, "filter_reserved" }, { 105, 1, SUPER, "ishare" },
		{ 106, 2, SUPER, "reserved" },	   { 108, 4, SUPER, "build_time" },  { 112, 8, SUPER, "rootnid8" },
		{ 120, 8, SUPER, "reserved2" },	   { 128, 8, SUPER, "metabox_nid" }, { 136, 8, SUPER, "reserved3" },
	};
	const struct ero_super *s = &b->image->super;

	for (size_t i = 0; i < sizeof(super) / sizeof(super[0]); i++)
		add(b, SUPER, ERO_SUPER_OFFSET + super[i].offset, super[i].width, super[i].what);
	for (uint64_t at = ERO_SUPER_OFFSET + ero_super_size(s); at + 2 <= b->image->super_end; at += 2)
		add(b, CONFIG, at, 2, "compression-configuration");
	for (unsigned i = 0; (s->feature_incompat & ERO_INCOMPAT_DEVICE_TABLE) && i < s->extra_devices; i++)
		for (unsigned k = 60; k < 80; k += 4)
			add(b, DEVICE, (s->device_slot + i) * ERO_DEVICE_SLOT + k, 4, "device-slot");
}

static void add_inode(struct base *b, uint64_t at, const struct ero_inode *inode)
{
	static const struct field compact[] = { { 8, 4, INODE, "size" }, { 12, 4, INODE, "mtime" }, { 24, 2, INODE, "uid" },
						{ 26, 2, INODE, "gid" }, { 28, 4, INODE, "reserved" } };
	static const struct field extended[] = { { 8, 8, INODE, "size" },  { 24, 4, INODE, "uid" },	{ 28, 4, INODE, "gid" },
						 { 32, 8, INODE, "mtime" }, { 40, 4, INODE, "nsec" },	{ 44, 4, INODE, "nlink" },
						 { 48, 8, INODE, "reserved" }, { 56, 8, INODE, "reserved" } };
	const struct field *own = inode->extended ? extended : compact;
	size_t count = inode->extended ? sizeof(extended) / sizeof(*own) : sizeof(compact) / sizeof(*own);

	add(b, INODE, at, 2, "format");
	add(b, INODE, at + 2, 2, "xattr_icount");
	add(b, INODE, at + 4, 2, "mode");
	add(b, INODE, at + 6, 2, "nb");
	add(b, INODE, at + 16, 4, "u");
	add(b, INODE, at + 20, 4, "ino");
	for (size_t i = 0; i < count; i++)
		add(b, INODE, at + own[i].offset, own[i].width, own[i].what);
}

static void add_xattrs(struct base *b, uint64_t at, const struct ero_inode *inode)
{
	unsigned size = ero_xattr_body_size(inode->xattr_icount);

	if (!size)
		return;
	add(b, XATTR, at, 4, "filter");
	add(b, XATTR, at + 4, 1, "shared_count");
	add(b, XATTR, at + 5, 4, "reserved");
	for (unsigned k = ERO_XATTR_HEADER; k + 4 <= size; k += 4) {
		add(b, XATTR, at + k, 4, "shared-id-or-entry");
		add(b, XATTR, at + k, 1, "name_len");
		add(b, XATTR, at + k + 1, 1, "name_index");
		add(b, XATTR, at + k + 2, 2, "value_size");
	}
}

static void add_map(struct base *b, uint64_t behind, const struct ero_inode *inode)
{
	uint64_t at = ero_round_up(behind, 8), entries = (inode->size >> 12) + 4;

	if (entries > 64)
		entries = 64;
	if (inode->layout == ERO_LAYOUT_CHUNK) {
		for (uint64_t k = 0; k < entries; k++)
			add(b, MAP, ero_round_up(behind, 4) + k * 4, 4, "chunk-index");
	} else if (inode->layout == ERO_LAYOUT_COMPRESSED_FULL || inode->layout == ERO_LAYOUT_COMPRESSED_COMPACT) {
		for (int weight = 0; weight < 3; weight++) { /* as many chances as a few entries have */
			add(b, MAP, at, 4, "header-low");
			add(b, MAP, at + 4, 2, "advise");
			add(b, MAP, at + 6, 1, "algorithms");
			add(b, MAP, at + 7, 1, "clusterbits");
		}
		for (uint64_t k = 0; k < entries * 2; k++)
			add(b, MAP, at + 8 + k * 2, k % 2 ? 2 : 4, "index");
	}
}

static void add_block(struct base *b, uint64_t at, uint64_t length)
{
	const uint8_t *block = b->file.bytes + at;
	unsigned count;

	if (!ero_in_range(at, length, b->file.size) || length < ERO_DIRENT_SIZE)
		return;
	count = ero_get16(block + 8) / ERO_DIRENT_SIZE;
	for (unsigned i = 0; i < count && (i + 1) * ERO_DIRENT_SIZE <= length; i++) {
		add(b, DIRENT, at + i * ERO_DIRENT_SIZE, 8, "nid");
		add(b, DIRENT, at + i * ERO_DIRENT_SIZE + 8, 2, "nameoff");
		add(b, DIRENT, at + i * ERO_DIRENT_SIZE + 10, 1, "type");
		add(b, DIRENT, at + i * ERO_DIRENT_SIZE + 11, 1, "reserved");
		add(b, NAME, at + ero_get16(block + i * ERO_DIRENT_SIZE + 8), 1, "name");
		add(b, NAME, at + ero_get16(block + i * ERO_DIRENT_SIZE + 8) + 1, 1, "name");
	}
}

static void add_directory(struct base *b, const struct ero_inode *inode)
{
	uint64_t block = 1ull << b->image->super.block_bits;
	struct ero_map map;
	struct ero_extent e;

	if (ero_map_init(&map, b->image, inode, NULL))
		return;
	while (ero_map_next(&map, &e, NULL) > 0)
		for (uint64_t in = 0; (e.kind == ERO_EXTENT_PLAIN || e.kind == ERO_EXTENT_INLINE) && in < e.length; in += block)
			add_block(b, e.physical + in, e.length - in < block ? e.length - in : block);
}

static void add_object(struct base *b, const struct ero_inode *inode)
{
	unsigned core = inode->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE;
	uint64_t at = inode->position;

	if (ero_in_metabox(inode->nid))
		return;
	add_inode(b, at, inode);
	add_xattrs(b, at + core, inode);
	add_map(b, at + ero_inode_head_size(inode), inode);
	if (S_ISDIR(inode->mode))
		add_directory(b, inode);
}

static int visit(void *context, const struct ero_walk_entry *entry, struct ero_error *err)
{
	(void)err;
	if (entry->first)
		add_object(context, entry->inode);
	return 0;
}

static void prepare(struct base *b, const char *dir, const char *name)
{
	const char *device;
	struct ero_open_options options = { .devices = &device };
	const struct ero_super *s;
	struct ero_inode inode;
	struct ero_error err;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	device = mutant_device(path);
	options.device_count = device != NULL;
	if (!mutant_open(&b->file, dir, name) || ero_image_open(path, &options, &b->image, &err) ||
	    ero_pages_survey(b->image, &b->pages, &err) || ero_walk(b->image, visit, b, &err)) {
		fprintf(stderr, "generate: %s cannot be read\n", path);
		exit(1);
	}
	s = &b->image->super;
	add_super(b);
	if (s->packed_nid && !ero_inode_read(b->image, s->packed_nid, &inode, NULL))
		add_object(b, &inode);
	if (s->metabox_nid && !ero_inode_read(b->image, s->metabox_nid, &inode, NULL))
		add_object(b, &inode);
	for (uint64_t k = 0; s->xattr_block && k < 256; k += 4)
		add(b, SHARED, ((uint64_t)s->xattr_block << s->block_bits) + k, 4, "shared-xattr");
	for (uint32_t p = 0; p < b->pages.count; p++)
		if (b->pages.flags[p] & (ERO_PAGE_SUPER | ERO_PAGE_NAMES | ERO_PAGE_INODES | ERO_PAGE_XATTRS | ERO_PAGE_INDEX))
			if (!ero_vec_push(&b->metadata, p))
				exit(3);
}

/* ---- damage ---- */

static unsigned used; /* of the mutant's store */

static uint8_t *patch(struct mutant *m, const struct base *b, uint64_t offset, unsigned length)
{
	struct mutant_patch *p = &m->patch[m->patches];

	if (m->patches == MUTANT_PATCHES || used + length > MUTANT_BYTES || offset + length > b->file.size)
		return NULL;
	m->patches++;
	p->offset = offset;
	p->length = length;
	p->bytes = m->store + used;
	memcpy(p->bytes, b->file.bytes + offset, length);
	used += length;
	return p->bytes;
}

static const struct field *any_field(const struct base *b, int class)
{
	const fields *f;

	do {
		f = &b->fields[class < 0 ? (int)chance(CLASSES) : class];
	} while (!f->count && class < 0);
	return f->count ? &f->data[chance(f->count)] : NULL;
}

static uint64_t get(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	memcpy(&v, p, width);
	return le64toh(v);
}

static void put(uint8_t *p, unsigned width, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, width);
}

static uint64_t boundary(const struct base *b, uint64_t old, unsigned width)
{
	uint64_t all = width == 8 ? ~0ull : (1ull << (8 * width)) - 1;

	switch (chance(14)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return all;
	case 3: return all - 1;
	case 4: return all >> 1;
	case 5: return (all >> 1) + 1;
	case 6: return (old + 1) & all;
	case 7: return (old - 1) & all;
	case 8: return (1ull << chance(8 * width)) & all;
	case 9: return (old << 1) & all;
	case 10: return old >> 1;
	case 11: return (b->file.size >> 12) & all;
	case 12: return (old ^ (1ull << chance(8 * width))) & all;
	default: return chance(256) & all;
	}
}

/* A place in metadata, or now and then anywhere. */
static uint64_t any_byte(const struct base *b)
{
	uint64_t at;

	if (!chance(8) || !b->metadata.count)
		return chance(b->file.size);
	do
		at = (uint64_t)b->metadata.data[chance(b->metadata.count)] * ERO_PAGE_SIZE + chance(ERO_PAGE_SIZE);
	while (at >= b->file.size);
	return at;
}

static void change_byte(struct mutant *m, const struct base *b)
{
	const struct field *f = chance(3) ? any_field(b, -1) : NULL;
	uint64_t at = f ? f->offset + chance(f->width) : any_byte(b);
	uint8_t *p = patch(m, b, at, 1);
	bool bit = chance(2);

	snprintf(m->kind, sizeof(m->kind), bit ? "bit" : "byte");
	snprintf(m->words, sizeof(m->words), "%s at %llu%s%s", m->kind, (unsigned long long)at, f ? " of " : "", f ? f->what : "");
	*p = bit ? (uint8_t)(*p ^ (1u << chance(8))) : (uint8_t)chance(256);
}

static void change_field(struct mutant *m, const struct base *b)
{
	const struct field *f = any_field(b, -1);
	uint8_t *p = patch(m, b, f->offset, f->width);
	uint64_t old = get(p, f->width), new = boundary(b, old, f->width);

	put(p, f->width, new);
	snprintf(m->kind, sizeof(m->kind), "field");
	snprintf(m->words, sizeof(m->words), "%s.%s at %llu: %llu to %llu", class_names[f->class], f->what, (unsigned long long)f->offset,
		 (unsigned long long)old, (unsigned long long)new);
}

static void swap_fields(struct mutant *m, const struct base *b)
{
	const struct field *one = any_field(b, -1), *two = NULL;
	uint8_t *p, *q, save[8];

	for (int i = 0; i < 50 && (!two || two == one || two->width != one->width || strcmp(two->what, one->what)); i++)
		two = any_field(b, (int)one->class);
	snprintf(m->kind, sizeof(m->kind), "swap");
	if (two->width != one->width || two->offset == one->offset) {
		change_field(m, b);
		return;
	}
	p = patch(m, b, one->offset, one->width);
	q = patch(m, b, two->offset, two->width);
	memcpy(save, p, one->width);
	memcpy(p, q, one->width);
	memcpy(q, save, one->width);
	snprintf(m->words, sizeof(m->words), "%s.%s: %llu and %llu swapped", class_names[one->class], one->what,
		 (unsigned long long)one->offset, (unsigned long long)two->offset);
}

static void cut(struct mutant *m, const struct base *b)
{
	m->cut = true;
	m->length = chance(4) ? ero_round_down(chance(b->file.size), 4096) : chance(b->file.size);
	if (!chance(3) && b->file.size > 8192)
		m->length = b->file.size - 1 - chance(8191);
	snprintf(m->kind, sizeof(m->kind), "cut");
	snprintf(m->words, sizeof(m->words), "%llu of %llu bytes", (unsigned long long)m->length, (unsigned long long)b->file.size);
}

static void splice(struct mutant *m, const struct base *b, const struct base *other)
{
	unsigned length = 32u << chance(8);
	uint64_t to = ero_round_down(any_byte(b), length), from = ero_round_down(any_byte(other), length);
	uint8_t *p;

	while (to + length > b->file.size || from + length > other->file.size)
		length /= 2;
	p = patch(m, b, to, length);
	memcpy(p, other->file.bytes + from, length);
	snprintf(m->kind, sizeof(m->kind), "splice");
	snprintf(m->words, sizeof(m->words), "%u bytes at %llu from %llu of %s", length, (unsigned long long)to, (unsigned long long)from,
		 other->file.name);
}

/* A checksum that is right for the changed bytes. */
static void fix_checksum(struct mutant *m, const struct base *b)
{
	unsigned bits = b->image->super.block_bits, length = ero_super_checksum_length(bits);
	static uint8_t block[1 << ERO_MAX_BLOCK_BITS];
	bool touched = false;
	uint8_t *p;

	if (!(b->image->super.feature_compat & ERO_COMPAT_SB_CHKSUM) || ERO_SUPER_OFFSET + length > b->file.size)
		return;
	memcpy(block, b->file.bytes + ERO_SUPER_OFFSET, length);
	for (unsigned i = 0; i < m->patches; i++) {
		for (unsigned k = 0; k < m->patch[i].length; k++) {
			uint64_t at = m->patch[i].offset + k;

			if (at < ERO_SUPER_OFFSET || at >= ERO_SUPER_OFFSET + length)
				continue;
			block[at - ERO_SUPER_OFFSET] = m->patch[i].bytes[k];
			touched = touched || at < ERO_SUPER_OFFSET + 4 || at >= ERO_SUPER_OFFSET + 8;
		}
	}
	/* other block sizes are summed up differently: the damaged field decides */
	if (touched && block[12] >= ERO_MIN_BLOCK_BITS && block[12] <= bits && (p = patch(m, b, ERO_SUPER_OFFSET + 4, 4)))
		ero_put32(p, ero_super_checksum(block, block[12]));
}

static void mutate(struct mutant *m, const struct base *bases, unsigned count)
{
	const struct base *b = &bases[chance(count)];
	uint64_t kind = chance(100);

	m->patches = 0;
	m->cut = false;
	used = 0;
	snprintf(m->image, sizeof(m->image), "%s", b->file.name);
	if (kind < 40)
		change_byte(m, b);
	else if (kind < 82)
		change_field(m, b);
	else if (kind < 90)
		swap_fields(m, b);
	else if (kind < 94)
		cut(m, b);
	else
		splice(m, b, &bases[chance(count)]);
	if (!m->cut && chance(20))
		fix_checksum(m, b);
}

int main(int argc, char **argv)
{
	static struct mutant m;
	struct base *bases;
	unsigned count = (unsigned)argc - 4;

	if (argc < 5)
		return 2;
	state = strtoull(argv[2], NULL, 0);
	bases = calloc(count, sizeof(*bases));
	for (unsigned i = 0; i < count; i++)
		prepare(&bases[i], argv[1], argv[4 + i]);
	for (unsigned i = 0; i < count; i++) { /* first, each as it is: what a reader should see */
		m.number = i;
		snprintf(m.image, sizeof(m.image), "%s", bases[i].file.name);
		snprintf(m.kind, sizeof(m.kind), "whole");
		snprintf(m.words, sizeof(m.words), "unchanged");
		mutant_print(&m, stdout);
	}
	for (m.number = count; m.number < count + strtoul(argv[3], NULL, 10); m.number++) {
		mutate(&m, bases, count);
		mutant_print(&m, stdout);
	}
	return 0;
}
