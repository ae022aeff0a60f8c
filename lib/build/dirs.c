// SPDX-License-Identifier: MIT
/* Directory content as bytes, in the blocks the layout has cut. */
#include "build/build.h"
#include "format/dirent.h"
#include "format/inode.h"

#include <string.h>

enum { MAX_ENTRIES = (1 << ERO_MAX_BLOCK_BITS) / (ERO_DIRENT_SIZE + 1) };

/* Encodes block after block: whole ones to `whole`, the last one to `last`; either may be NULL for "not wanted". */
static void write_blocks(const struct ero_build *b, const struct ero_node *dir, uint8_t *whole, uint8_t *last)
{
	unsigned block_size = 1u << b->pack.block_bits, used = 0, count = 0;
	struct ero_dir_cut cut = ero_dir_cut(dir, block_size, b->options.dot_omitted);
	struct ero_dir_walk walk = { .dir = dir, .dots = b->options.dot_omitted };
	struct ero_dirent entries[MAX_ENTRIES];
	const struct ero_node *node;
	const char *name;
	uint32_t length, block = 0;
	bool more = true;

	while (more) {
		more = ero_dir_walk_next(&walk, &name, &length, &node);
		if (!more || used + ERO_DIRENT_SIZE + length > block_size) {
			bool is_last = block + 1 == cut.blocks;

			if (is_last && last)
				ero_dirblock_encode(entries, count, last);
			else if (whole && !(is_last && dir->stored.layout == ERO_LAYOUT_FLAT_INLINE))
				ero_dirblock_encode(entries, count, whole + (size_t)block * block_size);
			block++;
			used = count = 0;
		}
		if (!more)
			break;
		entries[count++] = (struct ero_dirent){
			.nid = ero_build_nid(b, node),
			.type = (uint8_t)ero_file_type(node->mode),
			.name = name,
			.name_length = (uint16_t)length,
		};
		used += ERO_DIRENT_SIZE + length;
	}
}

void ero_build_dir_blocks(const struct ero_build *b, const struct ero_node *dir, uint8_t *bytes)
{
	unsigned block = 1u << b->pack.block_bits;
	uint64_t blocks = dir->stored.blocks ? dir->stored.blocks : ero_div_up(dir->size, block); /* packed: all */

	memset(bytes, 0, (size_t)(blocks * block));
	write_blocks(b, dir, bytes, NULL);
}

void ero_build_dir_tail(const struct ero_build *b, const struct ero_node *dir, uint8_t *bytes)
{
	write_blocks(b, dir, NULL, bytes);
}
