// SPDX-License-Identifier: MIT
/* A dm-verity tree behind the image, if there is one. */
#include "base/bytes.h"
#include "base/hashtree.h"
#include "base/text.h"
#include "check/check.h"

#include <strings.h>

enum { TOLD = 16 };

struct state {
	struct ero_checker *c;
	uint64_t blocks; /* of data */
	unsigned told;
};

static void tell_bad(void *context, uint64_t block)
{
	struct state *s = context;
	struct ero_place at = { .has_offset = true, .offset = block * ERO_HASHTREE_BLOCK };

	if (s->told++ < TOLD)
		ero_check_tell(s->c, "verity.damaged", &at, "%s does not hash to what the dm-verity tree says",
			       block < s->blocks ? "a block" : "a block of the tree");
}

static void verify(struct ero_checker *c, struct ero_hashtree *t, const struct ero_place *at)
{
	struct state s = { .c = c, .blocks = t->blocks };
	struct ero_error err;
	int rc = ero_hashtree_verify(t, tell_bad, &s, &err);

	if (rc) {
		ero_check_blame(c, "verity.damaged", at, rc, &err);
		return;
	}
	ero_hex(t->root, sizeof(t->root), c->result->verity_root);
	if (c->options->verity_root && strcasecmp(c->options->verity_root, c->result->verity_root) != 0)
		ero_check_tell(c, "verity.damaged", at, "the root hash of the dm-verity tree is %s, not %s", c->result->verity_root,
			       c->options->verity_root);
}

void ero_check_verity(struct ero_checker *c)
{
	const struct ero_image *image = c->image;
	struct ero_hashtree t = {
		.fd = image->devices[0].fd, .base = image->devices[0].base, .workers = c->options->workers,
		.blocks = ero_div_up(image->super.blocks << image->super.block_bits, ERO_HASHTREE_BLOCK),
	};
	struct ero_place at = { .has_offset = true, .offset = t.blocks * ERO_HASHTREE_BLOCK };
	struct ero_error err;
	int rc = ero_hashtree_find(&t, &err);

	if (rc < 0)
		ero_check_blame(c, "verity.damaged", &at, rc, &err);
	else if (rc)
		verify(c, &t, &at);
	else if (c->options->verity_root)
		ero_check_tell(c, "verity.damaged", &at, "there is no dm-verity tree behind the image");
}
