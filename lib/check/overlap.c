// SPDX-License-Identifier: MIT
/* Runs of data in the order of the device, against each other and against metadata; and what nobody claims. */
#include "base/bytes.h"
#include "check/check.h"

#include <inttypes.h>
#include <stdlib.h>

/* Does `late`, which begins inside of `early`, cut any of its extents? Plain bytes are shared as one likes, encoded
 * extents from their first byte to their last. */
static bool clash(const struct ero_run *early, const struct ero_run *late)
{
	if (!early->unit && !late->unit)
		return false;
	if (!early->unit || !late->unit)
		return true;
	return early->unit != late->unit || (late->start - early->start) % early->unit != 0;
}

/* The places that clash most are told; a hostile image has no end of them. */
enum { TOLD = 16 };

static void tell_overlap(struct ero_checker *c, const struct ero_run *early, const struct ero_run *late, unsigned *told)
{
	struct ero_place at = { .has_offset = true, .offset = late->start };

	if ((*told)++ < TOLD)
		ero_check_tell(c, "extent.overlap", &at, "%s extents at byte %" PRIu64 " and %s ones at byte %" PRIu64 "%s share bytes",
			       early->unit ? "encoded" : "plain", early->start, late->unit ? "encoded" : "plain", late->start,
			       early->device ? " of an extra device" : "");
}

/* What of [from, to) holds inodes? */
static void against_metadata(struct ero_checker *c, uint64_t from, uint64_t to, unsigned *told)
{
	uint64_t end = ero_div_up(to, ERO_INODE_UNIT), slot = ero_bits_next(&c->space.claimed[0], from / ERO_INODE_UNIT, end);
	struct ero_place at = { .has_offset = true };

	/* data of byte granularity may begin or end within a slot */
	if (slot == from / ERO_INODE_UNIT && from % ERO_INODE_UNIT)
		slot = ero_bits_next(&c->space.claimed[0], slot + 1, end);
	if (slot == UINT64_MAX || (*told)++ >= TOLD)
		return;
	at.offset = slot * ERO_INODE_UNIT;
	ero_check_tell(c, "extent.over-metadata", &at, "file data at bytes %" PRIu64 " to %" PRIu64 " lies over the inode or map there", from, to);
}

/* Blocks of [from, to) that hold no metadata, either. */
static uint64_t unclaimed(struct ero_checker *c, uint64_t from, uint64_t to)
{
	unsigned bits = c->image->super.block_bits, slots = 1u << bits >> 5;
	uint64_t block = ero_div_up(from, 1ull << bits), end = to >> bits, lost = block < end ? end - block : 0;

	while (block < end) { /* hop from one that is used to the next */
		uint64_t slot = ero_bits_next(&c->space.claimed[0], block * slots, end * slots), other = ero_bits_next(&c->space.others, block, end);
		uint64_t used = slot == UINT64_MAX ? UINT64_MAX : slot / slots;

		used = other < used ? other : used;
		if (used >= end)
			break;
		lost--;
		block = used + 1;
	}
	return lost;
}

static void sweep(struct ero_checker *c)
{
	const struct ero_image *image = c->image;
	uint64_t size = image->super.blocks << image->super.block_bits, at = 0, lost = 0;
	const struct ero_run *encoded = NULL, *plain = NULL; /* of those before, the ones that reach farthest */
	unsigned overlaps = 0, overlays = 0;
	struct ero_place whole = { .has_offset = true };

	for (size_t i = 0; i < c->space.runs.count; i++) {
		const struct ero_run *r = &c->space.runs.data[i], **kind = r->unit ? &encoded : &plain;

		if (i && r->device != r[-1].device)
			encoded = plain = NULL;
		if (encoded && encoded->start + encoded->length > r->start && clash(encoded, r))
			tell_overlap(c, encoded, r, &overlaps);
		if (plain && plain->start + plain->length > r->start && clash(plain, r))
			tell_overlap(c, plain, r, &overlaps);
		if (!*kind || r->start + r->length > (*kind)->start + (*kind)->length)
			*kind = r;
		if (r->device)
			continue;
		against_metadata(c, r->start, r->start + r->length, &overlays);
		if (r->start > at)
			lost += unclaimed(c, at, r->start);
		if (r->start + r->length > at)
			at = r->start + r->length;
	}
	if (size > at)
		lost += unclaimed(c, at, size);
	if (lost) {
		whole.offset = 0;
		ero_check_tell(c, "space.lost", &whole, "%" PRIu64 " of %" PRIu64 " blocks are used by nothing", lost, image->super.blocks);
	}
}

void ero_check_space(struct ero_checker *c)
{
	if (c->space.runs.count)
		qsort(c->space.runs.data, c->space.runs.count, sizeof(struct ero_run), ero_space_compare_runs);
	if (ero_bits_finish(&c->space.claimed[0]) || ero_bits_finish(&c->space.others))
		ero_check_no_memory(c);
	else
		sweep(c);
}
