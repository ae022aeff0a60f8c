// SPDX-License-Identifier: MIT
/*
 * Online best fit leaves hardly any waste when sizes are spread, and keeps neighbours close: of blocks with the same
 * room the newest is taken. Finding one is a search for a set bit.
 */
#include "base/bins.h"
#include "base/bytes.h"

enum { UNIT = 32 };

static unsigned room_of(const struct ero_bins *b, const struct ero_bin *bin)
{
	return (b->block_size - bin->used) / UNIT;
}

static void insert(struct ero_bins *b, uint32_t index)
{
	unsigned class = room_of(b, &b->bins.data[index]);

	if (!class)
		return;
	b->bins.data[index].next = b->heads[class];
	b->heads[class] = index + 1;
	b->occupied[class / 64] |= 1ull << (class % 64);
}

/* The smallest class of at least `least` units that has a bin; 0 if none. */
static unsigned find_class(const struct ero_bins *b, unsigned least)
{
	uint64_t word = b->occupied[least / 64] & (~0ull << (least % 64));

	for (unsigned i = least / 64;; word = b->occupied[i]) {
		if (word)
			return i * 64 + (unsigned)__builtin_ctzll(word);
		if (++i >= sizeof(b->occupied) / sizeof(b->occupied[0]))
			return 0;
	}
}

int ero_bins_offer(struct ero_bins *b, uint64_t block, uint32_t used, struct ero_error *err)
{
	struct ero_bin bin = { .block = block, .used = (uint32_t)ero_round_up(used, UNIT) };

	if (bin.used >= b->block_size)
		return 0;
	if (!ero_vec_push(&b->bins, bin))
		return ero_fail_memory(err);
	insert(b, (uint32_t)b->bins.count - 1);
	return 0;
}

int ero_bins_place(struct ero_bins *b, uint32_t size, uint64_t *next_block, uint64_t *address, struct ero_error *err)
{
	unsigned class = find_class(b, (unsigned)ero_div_up(size, UNIT));
	struct ero_bin *bin;
	uint32_t index;

	if (!class) {
		int rc = ero_bins_offer(b, *next_block, 0, err);

		if (rc)
			return rc;
		++*next_block;
		class = b->block_size / UNIT;
	}
	index = b->heads[class] - 1;
	bin = &b->bins.data[index];
	b->heads[class] = bin->next;
	if (!bin->next)
		b->occupied[class / 64] &= ~(1ull << (class % 64));
	*address = bin->block * b->block_size + bin->used;
	bin->used += (uint32_t)ero_round_up(size, UNIT);
	insert(b, index);
	return 0;
}
