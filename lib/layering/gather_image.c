// SPDX-License-Identifier: MIT
/* The image in the file: superblock, device table, and what a walk over all metadata shows of its reach. No file data is
 * read, but for devices whose tag is a digest. */
#include "layering/gather.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/text.h"
#include "image/pages.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- superblock ---- */

static void unknown_header(struct ero_facts *f, const char *why)
{
	struct ero_fact *const facts[] = {
		&f->image.block_bits, &f->image.blocks, &f->image.inodes, &f->image.feature_compat, &f->image.feature_incompat,
		&f->image.algorithms, &f->image.extra_devices, &f->image.dir_block_bits, &f->image.flat_end,
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ero_unknown(facts[i], "%s", why);
	ero_unknown_text(&f->image.uuid, "%s", why);
}

static void unknown_survey(struct ero_facts *f, const char *why)
{
	struct ero_fact *const facts[] = {
		&f->image.sound, &f->image.data_end, &f->image.metadata_end, &f->image.byte_extents, &f->image.pages,
		&f->image.metadata_pages, &f->image.content_pages, &f->image.hole_in_metadata, &f->image.hole_in_encoded,
		&f->image.hole_in_plain,
	};

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ero_unknown(facts[i], "%.100s", why);
	ero_unknown_text(&f->image.damage, "%.100s", why);
}

static void know_super(const struct ero_super *s, struct ero_facts *f)
{
	char uuid[33];

	ero_know(&f->image.block_bits, s->block_bits);
	ero_know(&f->image.blocks, s->blocks);
	ero_know(&f->image.inodes, s->inodes);
	ero_know(&f->image.feature_compat, s->feature_compat);
	ero_know(&f->image.feature_incompat, s->feature_incompat);
	ero_know(&f->image.algorithms, s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS ? s->algorithms : 1u << ERO_ALG_LZ4);
	ero_know(&f->image.extra_devices, s->feature_incompat & ERO_INCOMPAT_DEVICE_TABLE ? s->extra_devices : 0);
	ero_know(&f->image.dir_block_bits, s->dir_block_bits);
	ero_hex(s->uuid, sizeof(s->uuid), uuid);
	ero_know_text(&f->image.uuid, uuid);
}

/* The kernel reads whole pages: what a short file does not have is zero there. */
static void judge_header(int fd, uint64_t at, struct ero_super *s, struct ero_facts *f)
{
	uint8_t bytes[1 << ERO_MAX_BLOCK_BITS] = { 0 };
	ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)at);
	struct ero_error err = { 0 };

	if (n < 0) {
		ero_unknown(&f->image.header, "the file cannot be read: %s", strerror(errno));
		ero_unknown_text(&f->image.header_error, "the file cannot be read: %s", strerror(errno));
		unknown_header(f, "the file cannot be read");
		return;
	}
	if (ero_super_decode(bytes, s, &err) && err.kind == ERO_ERROR_FOREIGN) {
		ero_know(&f->image.header, 0);
		ero_know_text(&f->image.header_error, err.text);
		unknown_header(f, "there is no superblock");
		return;
	}
	know_super(s, f);
	ero_know(&f->image.header, 1);
	ero_know_text(&f->image.header_error, "");
	if ((s->feature_compat & ERO_COMPAT_SB_CHKSUM) && s->block_bits >= ERO_MIN_BLOCK_BITS && s->block_bits <= 12 &&
	    ero_super_checksum(bytes, s->block_bits) != s->checksum) {
		ero_know(&f->image.header, 0);
		ero_know_text(&f->image.header_error, "its checksum is wrong");
	} else if (err.kind == ERO_ERROR_CORRUPT && s->block_bits >= ERO_MIN_BLOCK_BITS && s->block_bits <= ERO_MAX_BLOCK_BITS) {
		ero_know(&f->image.header, 0);
		ero_know_text(&f->image.header_error, err.text);
	}
}

/* ---- metadata ---- */

/* Which of the image's contents a hole of the file took the place of. A whole page of zeros is never metadata, nor
 * compressed data; as plain data it may be what was meant. */
struct gaps {
	const struct ero_pages *pages;
	struct ero_facts *facts;
};

static void judge_gap(void *context, uint64_t from, uint64_t to)
{
	const struct gaps *g = context;

	for (uint64_t page = from / ERO_PAGE_SIZE; page < g->pages->count && page * ERO_PAGE_SIZE < to; page++) {
		bool whole = page * ERO_PAGE_SIZE >= from && (page + 1) * ERO_PAGE_SIZE <= to;
		unsigned flags = g->pages->flags[page];

		if (whole && (flags & (ERO_PAGE_SUPER | ERO_PAGE_NAMES | ERO_PAGE_INODES | ERO_PAGE_XATTRS)))
			g->facts->image.hole_in_metadata.value = 1;
		else if (whole && (flags & ERO_PAGE_ENCODED))
			g->facts->image.hole_in_encoded.value = 1;
		else if (flags)
			g->facts->image.hole_in_plain.value = 1;
	}
}

static void judge_gaps(int fd, const struct ero_pages *p, struct ero_facts *f)
{
	struct gaps g = { p, f };

	ero_know(&f->image.hole_in_metadata, 0);
	ero_know(&f->image.hole_in_encoded, 0);
	ero_know(&f->image.hole_in_plain, 0);
	if (f->file.hole.known && f->file.hole.value)
		ero_file_gaps(fd, f->file.size.value, judge_gap, &g);
}

static void know_survey(const struct ero_pages *p, struct ero_facts *f)
{
	ero_know(&f->image.sound, 1);
	ero_know_text(&f->image.damage, "");
	ero_know(&f->image.data_end, p->data_end);
	ero_know(&f->image.metadata_end, p->metadata_end);
	ero_know(&f->image.byte_extents, p->byte_extents);
	ero_know(&f->image.pages, ero_pages_with(p, 0xffff));
	ero_know(&f->image.metadata_pages, ero_pages_with(p, ERO_PAGE_SUPER | ERO_PAGE_INODES | ERO_PAGE_INDEX | ERO_PAGE_XATTRS));
	ero_know(&f->image.content_pages, p->content_pages);
}

static void survey(int fd, uint64_t offset, struct ero_facts *f)
{
	struct ero_open_options options = { .offset = offset };
	struct ero_image *image = NULL;
	struct ero_pages pages = { 0 };
	struct ero_error err;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* the same file, whatever its path names now */
	rc = ero_image_open(path, &options, &image, &err);
	if (!rc)
		rc = ero_pages_survey(image, &pages, &err);
	if (!rc) {
		know_survey(&pages, f);
		judge_gaps(fd, &pages, f);
	} else {
		unknown_survey(f, err.text);
		if (err.kind == ERO_ERROR_CORRUPT || (err.kind == ERO_ERROR_IO && err.code == EIO)) {
			ero_know(&f->image.sound, 0);
			ero_know_text(&f->image.damage, err.text);
		}
	}
	ero_pages_free(&pages);
	ero_image_close(image);
}

void ero_gather_image(int fd, struct ero_facts *f)
{
	bool readable = fd >= 0 && f->file.type.known &&
			(!strcmp(f->file.type.value, "regular") || !strcmp(f->file.type.value, "block"));
	struct ero_super s = { 0 };

	if (!readable) {
		static const char why[] = "there is no file or device to read it from";

		ero_unknown(&f->image.header, why);
		ero_unknown_text(&f->image.header_error, why);
		unknown_header(f, why);
		unknown_survey(f, why);
		return;
	}
	ero_know(&f->image.flat_end, 0);
	judge_header(fd, f->plan.offset.value + ERO_SUPER_OFFSET, &s, f);
	if (f->image.header.known && f->image.header.value)
		survey(fd, f->plan.offset.value, f);
	else
		unknown_survey(f, "there is no sound superblock");
}

/* ---- device table ---- */

/* Tags are text by custom: a layer's digest or the identifier of its image, both in hexadecimal. */
static void know_tag(const uint8_t tag[64], struct ero_text *text)
{
	char copy[65];

	memcpy(copy, tag, 64);
	copy[64] = '\0';
	ero_know_text(text, copy);
}

static bool is_ero_hex(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

static void know_digest(int fd, uint64_t size, struct ero_text *digest)
{
	char text[ERO_SHA256_TEXT];
	struct ero_error err;

	if (ero_sha256_file(fd, size, text, &err))
		ero_unknown_text(digest, "%.100s", err.text);
	else
		ero_know_text(digest, text);
}

static void know_uuid(int fd, struct ero_text *uuid)
{
	uint8_t bytes[ERO_SUPER_SIZE + ERO_SUPER_SLOT];
	char text[33];

	if (pread(fd, bytes, sizeof(bytes), ERO_SUPER_OFFSET) != (ssize_t)sizeof(bytes) || ero_get32(bytes) != ERO_SUPER_MAGIC) {
		ero_know_text(uuid, "none");
		return;
	}
	ero_hex(bytes + 48, 16, text);
	ero_know_text(uuid, text);
}

static void gather_given(const char *path, bool digests, struct ero_device_facts *d)
{
	ERO_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int code = errno;

	ero_know(&d->given, 1);
	ero_gather_file(path, fd, code, &d->file);
	ero_unknown_text(&d->digest, "the tag is no digest");
	ero_unknown_text(&d->uuid, "the tag is no identifier of an image");
	if (fd < 0 || !d->tag.known)
		return;
	if (is_ero_hex(d->tag.value, 64) && !digests)
		ero_unknown_text(&d->digest, "the device was not read");
	else if (is_ero_hex(d->tag.value, 64))
		know_digest(fd, d->file.size.value, &d->digest);
	else if (is_ero_hex(d->tag.value, 32))
		know_uuid(fd, &d->uuid);
}

static void gather_slot(int fd, uint64_t at, unsigned block_bits, struct ero_facts *f, struct ero_device_facts *d)
{
	uint8_t bytes[ERO_DEVICE_SLOT];
	struct ero_device_slot slot;
	uint64_t end;

	if (fd < 0 || pread(fd, bytes, sizeof(bytes), (off_t)at) != (ssize_t)sizeof(bytes)) {
		ero_unknown_text(&d->tag, "the device table cannot be read");
		ero_unknown(&d->blocks, "the device table cannot be read");
		return;
	}
	ero_device_slot_decode(bytes, &slot);
	know_tag(slot.tag, &d->tag);
	ero_know(&d->blocks, slot.blocks);
	if (slot.unified && !__builtin_add_overflow(slot.unified, slot.blocks, &end) && end <= UINT64_MAX >> block_bits &&
	    end << block_bits > f->image.flat_end.value)
		ero_know(&f->image.flat_end, end << block_bits);
}

/* The table's place is in the superblock's bytes, which the facts do not keep. */
static uint64_t table_place(int fd, uint64_t offset)
{
	uint8_t bytes[ERO_SUPER_SIZE + ERO_SUPER_SLOT] = { 0 };
	struct ero_super s;
	struct ero_error err;

	if (fd < 0 || pread(fd, bytes, sizeof(bytes), (off_t)(offset + ERO_SUPER_OFFSET)) < 0)
		return 0;
	ero_super_decode(bytes, &s, &err);
	return offset + (uint64_t)s.device_slot * ERO_DEVICE_SLOT;
}

int ero_gather_devices(const struct ero_preflight_options *o, const struct ero_device_list *given, int fd,
		       struct ero_facts *f, struct ero_error *err)
{
	size_t told = f->image.extra_devices.known ? (size_t)f->image.extra_devices.value : 0;
	size_t slots = told > ERO_MOST_DEVICES ? ERO_MOST_DEVICES : told; /* of more, nothing is said */
	uint64_t table = slots ? table_place(fd, f->plan.offset.value) : 0;
	unsigned bits = f->image.block_bits.known && f->image.block_bits.value < 32 ? (unsigned)f->image.block_bits.value : 0;

	f->device_count = slots > given->count ? slots : given->count;
	f->devices = calloc(f->device_count + 1, sizeof(*f->devices));
	if (!f->devices) {
		f->device_count = 0;
		return ero_fail_memory(err);
	}
	for (size_t i = 0; i < f->device_count; i++) {
		struct ero_device_facts *d = &f->devices[i];

		ero_know_text(&d->tag, "");
		ero_know(&d->blocks, 0);
		if (i < slots)
			gather_slot(fd, table + i * ERO_DEVICE_SLOT, bits, f, d);
		ero_know(&d->given, 0);
		if (i < given->count)
			gather_given(given->data[i], !o->no_digests && !o->trust_devices, d);
	}
	return 0;
}
