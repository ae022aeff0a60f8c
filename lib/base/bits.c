// SPDX-License-Identifier: MIT
/* Pages of bits, found by a hash of their number. */
#include "base/bits.h"

#include <errno.h>
#include <string.h>

static struct ero_bits_page *page_of(struct ero_bits *b, uint64_t number)
{
	static const struct ero_bits_page empty;
	__auto_type near = &b->near[number % ERO_BITS_NEAR];
	uint32_t at;
	bool is_new;

	if (near->at && near->number == number)
		return &b->pages.data[near->at - 1];
	if (!ero_vec_reserve(&b->pages, 1)) /* before there is a number for it */
		return NULL;
	at = ero_keys_number(&b->numbers, number, 0, &is_new);
	if (at == UINT32_MAX)
		return NULL;
	if (is_new)
		b->pages.data[b->pages.count++] = empty;
	near->number = number;
	near->at = (size_t)at + 1;
	return &b->pages.data[at];
}

int ero_bits_claim(struct ero_bits *b, uint64_t from, uint64_t count)
{
	while (count) {
		struct ero_bits_page *page = page_of(b, from / ERO_BITS_PAGE);
		unsigned in = (unsigned)(from % ERO_BITS_PAGE);

		if (!page)
			return -ENOMEM;
		while (count && in < ERO_BITS_PAGE) {
			unsigned most = 64 - in % 64, part = count < most ? (unsigned)count : most;
			uint64_t mask = (part == 64 ? ~0ull : (1ull << part) - 1) << (in % 64);

			if (page->words[in / 64] & mask)
				return 1;
			page->words[in / 64] |= mask;
			count -= part;
			from += part;
			in += part;
		}
	}
	return 0;
}

int ero_bits_mark(struct ero_bits *b, uint64_t number)
{
	struct ero_bits_page *page = page_of(b, number / ERO_BITS_PAGE);
	uint64_t bit = 1ull << number % 64, *word;

	if (!page)
		return -ENOMEM;
	word = &page->marks[number % ERO_BITS_PAGE / 64];
	if (*word & bit)
		return 1;
	*word |= bit;
	return 0;
}

static int compare(const void *a, const void *b, void *bits)
{
	const struct ero_key *keys = ((const struct ero_bits *)bits)->numbers.keys.data;
	uint64_t x = keys[*(const uint32_t *)a].first, y = keys[*(const uint32_t *)b].first;

	return x < y ? -1 : x > y;
}

int ero_bits_finish(struct ero_bits *b)
{
	b->order = malloc((b->pages.count + 1) * sizeof(*b->order));
	if (!b->order)
		return -ENOMEM;
	for (size_t i = 0; i < b->pages.count; i++)
		b->order[i] = (uint32_t)i;
	qsort_r(b->order, b->pages.count, sizeof(*b->order), compare, b);
	return 0;
}

/* Place in the order of the first page that is not before `number`: mostly where the last search ended. */
static size_t first_page(struct ero_bits *b, uint64_t number)
{
	const struct ero_key *keys = b->numbers.keys.data;
	size_t low = b->next, high = b->pages.count;

	if (low && keys[b->order[low - 1]].first >= number)
		low = 0;
	if (low < high && keys[b->order[low]].first >= number)
		return low;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keys[b->order[middle]].first < number)
			low = middle + 1;
		else
			high = middle;
	}
	return b->next = low;
}

uint64_t ero_bits_next(struct ero_bits *b, uint64_t from, uint64_t end)
{
	uint64_t number = from / ERO_BITS_PAGE;

	for (size_t low = first_page(b, number); low < b->pages.count; low++) {
		uint64_t page = b->numbers.keys.data[b->order[low]].first, at = page == number ? from : page * ERO_BITS_PAGE;
		const uint64_t *words = b->pages.data[b->order[low]].words;

		for (; at < end && at / ERO_BITS_PAGE == page; at = (at | 63) + 1) {
			uint64_t word = words[at % ERO_BITS_PAGE / 64] >> at % 64;

			if (word) {
				at += (unsigned)__builtin_ctzll(word);
				return at < end ? at : UINT64_MAX;
			}
		}
		if (at >= end)
			break;
	}
	return UINT64_MAX;
}

void ero_bits_free(struct ero_bits *b)
{
	ero_keys_free(&b->numbers);
	ero_vec_free(&b->pages);
	free(b->order);
	*b = (struct ero_bits){ 0 };
}
