// SPDX-License-Identifier: MIT
/* The walk: superblock, then every directory from the root down, then what only the whole tree can tell. */
#include "check/catalogue.h"
#include "check/check.h"
#include "image/dir.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int ero_check_enter(struct ero_checker *c, const struct ero_check_dir *dir, const struct ero_inode *inode, bool later, struct ero_error *err)
{
	/* of a part of the tree it is not known what ".." should be */
	uint64_t parent = dir->parent ? dir->parent->nid : c->options->has_nid ? ERO_CHECK_ANY_NID : dir->nid;

	if (c->rc) {
		if (err)
			*err = c->failure;
		return c->rc;
	}
	if (later || c->depth == ERO_DIR_NESTED)
		return ero_vec_push(&c->stack, dir) ? 0 : ero_fail_memory(err);
	c->depth++;
	ero_check_directory(c, dir, inode, parent);
	c->depth--;
	return 0;
}

static int check_tree(struct ero_checker *c, const struct ero_check_dir *root, struct ero_error *err)
{
	int rc = ero_vec_push(&c->stack, root) ? 0 : ero_fail_memory(err);

	while (!rc && !c->rc && c->stack.count) {
		const struct ero_check_dir *dir = c->stack.data[--c->stack.count];
		size_t others = c->stack.count;
		struct ero_place at = { .dir = dir, .has_nid = true, .nid = dir->nid };
		struct ero_inode inode;
		struct ero_error why;
		int read_rc = ero_inode_read(c->image, dir->nid, &inode, &why);

		if (read_rc) /* though it was read when its name was met */
			ero_check_blame(c, "inode.damaged", &at, read_rc, &why);
		else
			rc = ero_check_enter(c, dir, &inode, false, err);
		ero_vec_turn(&c->stack, others);
	}
	return rc;
}

/* Link counts and the number of inodes, when the whole tree was seen. */
static void check_counts(struct ero_checker *c)
{
	const struct ero_super *s = &c->image->super;
	struct ero_place super = { .has_offset = true, .offset = ERO_SUPER_OFFSET };

	for (size_t i = 0; i < c->links.count; i++) {
		const struct ero_check_links *l = &c->links.data[i];
		struct ero_place at = { .has_nid = true, .nid = c->linked.keys.data[i].first };

		if (l->names != l->nlink)
			ero_check_differs(c, "inode.nlink", &at, "an inode's link count is not the number of its names", l->names,
					  l->nlink);
	}
	/* the packed inode and the metabox are inodes without a name, counted or not */
	if (c->result->inodes > s->inodes || s->inodes - c->result->inodes > 2)
		ero_check_tell(c, "super.inodes", &super, "the superblock counts %llu inodes, the tree has %llu",
			       (unsigned long long)s->inodes, (unsigned long long)c->result->inodes);
}

/* Inodes without a name: what they hold is claimed like any file's. */
static void check_hidden(struct ero_checker *c, uint64_t nid, uint32_t feature)
{
	struct ero_place at = { .has_nid = true, .nid = nid };
	struct ero_check_result counts = *c->result;
	struct ero_inode inode;
	uint64_t position;

	c->used |= feature;
	if (ero_inode_position(c->image, nid, &position) && ero_space_inode(&c->space, ero_in_metabox(nid), position) < 0)
		ero_check_no_memory(c);
	if (ero_check_inode(c, &at, nid, &inode) && c->data && ero_data_check_packed(c->data, &at, &inode, NULL))
		ero_check_no_memory(c);
	counts.damages = c->result->damages;
	counts.warnings = c->result->warnings;
	*c->result = counts; /* it is not in the tree */
}

static int check_start(struct ero_checker *c, uint64_t nid, bool whole, struct ero_error *err)
{
	struct ero_check_dir *root = ero_arena_alloc(&c->arena, sizeof(*root));
	struct ero_place at = { .dir = root, .has_nid = true, .nid = nid };
	struct ero_inode inode;
	uint64_t position;

	if (!root || (ero_inode_position(c->image, nid, &position) && ero_space_inode(&c->space, ero_in_metabox(nid), position) < 0))
		return ero_fail_memory(err);
	root->name = "";
	root->nid = nid;
	if (!ero_check_inode(c, &at, nid, &inode))
		return 0;
	if (S_ISDIR(inode.mode))
		return check_tree(c, root, err);
	if (whole)
		ero_check_tell(c, "super.root", &at, "the root is not a directory (mode %#o)", inode.mode);
	else if (c->data && S_ISREG(inode.mode))
		return ero_data_check_add(c->data, &at, &inode, err);
	return 0;
}

int ero_check(struct ero_image *image, const struct ero_check_options *options, struct ero_check_result *result,
	      struct ero_error *err)
{
	struct ero_checker c = { .image = image, .options = options, .result = result };
	uint64_t nid = options->has_nid ? options->nid : image->super.root_nid;
	bool whole = !options->has_nid;
	int rc = 0;

	memset(result, 0, sizeof(*result));
	c.told = calloc(ero_invariant_count(), sizeof(*c.told));
	if (!c.told)
		return ero_fail_memory(err);
	if (whole)
		ero_check_super(&c, image->devices[0].path);
	if (options->data)
		rc = ero_data_check_create(&c, &c.data, err);
	if (!rc && whole && image->metabox)
		check_hidden(&c, image->super.metabox_nid, ERO_INCOMPAT_METABOX);
	if (!rc && whole && image->packed)
		check_hidden(&c, image->super.packed_nid, ERO_INCOMPAT_FRAGMENTS);
	if (!rc)
		rc = check_start(&c, nid, whole, err);
	if (!rc && !c.rc && whole) { /* while the last data is still being decoded */
		check_counts(&c);
		ero_check_space(&c);
		ero_check_unused(&c);
	}
	ero_data_check_finish(c.data);
	if (!rc && !c.rc && whole && options->data)
		ero_check_verity(&c);
	if (!rc && !c.rc && whole && options->data)
		ero_check_digests(&c);
	if (!rc && c.rc) {
		rc = c.rc;
		if (err)
			*err = c.failure;
	}
	free(c.told);
	ero_vec_free(&c.stack);
	ero_arena_free(&c.arena);
	ero_space_free(&c.space);
	ero_dir_space_free(&c.dir_space);
	ero_keys_free(&c.linked);
	ero_vec_free(&c.links);
	ero_vec_free(&c.again);
	ero_decoded_free(&c.decoded);
	return rc;
}
