// SPDX-License-Identifier: MIT
/* Directories: blocks that can be read, names in order and unique, "." and ".." right, types that match inodes. */
#include "image/dir.h"
#include "check/check.h"

#include <string.h>
#include <sys/stat.h>

struct state {
	struct ero_checker *c;
	const struct ero_check_dir *dir;
	uint64_t parent_nid;
	bool encoded; /* takes memory to decode while it is being read */
	bool has_last, dot, dotdot;
	char last[ERO_NAME_MAX];
	size_t last_length;
	uint32_t subdirs;
};

static struct ero_place entry_place(const struct state *s, const struct ero_dirent *e)
{
	return (struct ero_place){
		.dir = s->dir, .name = e->name, .name_length = e->name_length, .has_nid = true, .nid = e->nid
	};
}

static void check_name(struct state *s, const struct ero_dirent *e, const struct ero_place *at)
{
	if (memchr(e->name, '/', e->name_length) || memchr(e->name, 0, e->name_length))
		ero_check_tell(s->c, "dir.name", at, "a name holds '/' or a zero byte");
	if (s->has_last) {
		int order = ero_name_compare(s->last, s->last_length, e->name, e->name_length);

		if (order == 0)
			ero_check_tell(s->c, "dir.duplicate", at, "the same name stands twice in one directory");
		else if (order > 0)
			ero_check_tell(s->c, "dir.order", at,
				       "names are not sorted: readers that search by halves will not find this one or the one before");
	}
	memcpy(s->last, e->name, e->name_length);
	s->last_length = e->name_length;
	s->has_last = true;
}

static void check_dots(struct state *s, const struct ero_dirent *e, const struct ero_place *at)
{
	bool up = e->name_length == 2;
	uint64_t expected = up ? s->parent_nid : s->dir->nid;

	*(up ? &s->dotdot : &s->dot) = true;
	if (e->nid != expected && expected != ERO_CHECK_ANY_NID)
		ero_check_differs(s->c, up ? "dir.dotdot" : "dir.dot", at,
				  up ? "\"..\" is not the directory this one lies in" : "\".\" is not the directory itself",
				  expected, e->nid);
	if (e->type != ERO_FT_DIR)
		ero_check_differs(s->c, "dir.type", at, "\".\" and \"..\" must have the type of directories", ERO_FT_DIR, e->type);
}

static int enter(struct state *s, const struct ero_dirent *e, const struct ero_inode *inode, struct ero_error *err)
{
	struct ero_check_dir *d = ero_arena_alloc(&s->c->arena, sizeof(*d));

	if (!d || !(d->name = ero_arena_string(&s->c->arena, e->name, e->name_length)))
		return ero_fail_memory(err);
	d->parent = s->dir;
	d->nid = e->nid;
	return ero_check_enter(s->c, d, inode, s->encoded, err);
}

/* One more name of a file. Those with one link need no memory: a second name is one too many. */
static int count_name(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode, bool again,
		      struct ero_error *err)
{
	struct ero_check_links links = { .nlink = inode->nlink };
	uint32_t number;
	bool is_new;

	if (inode->nlink == 1) {
		if (again)
			ero_check_tell(c, "inode.nlink", at, "a file has a second name, and its link count is 1");
		return 0;
	}
	number = ero_keys_number(&c->linked, inode->nid, 0, &is_new);
	if (number == UINT32_MAX || (is_new && !ero_vec_push(&c->links, links)))
		return ero_fail_memory(err);
	c->links.data[number].names++;
	return 0;
}

/* The inode behind a name: read and checked at its first name, counted at each. */
static int check_target(struct state *s, const struct ero_dirent *e, const struct ero_place *at, struct ero_error *err)
{
	struct ero_inode inode;
	uint64_t position;
	int rc = 0, again;

	if (!ero_inode_position(s->c->image, e->nid, &position)) {
		ero_check_tell(s->c, "dir.nid", at, "the entry's inode number lies outside the image");
		return 0;
	}
	if (ero_in_metabox(e->nid))
		ero_check_uses(s->c, ERO_INCOMPAT_METABOX, at, "an inode lies in the metabox");
	again = ero_space_inode(&s->c->space, ero_in_metabox(e->nid), position);
	if (again < 0)
		return ero_fail_memory(err);
	if (again ? ero_inode_read(s->c->image, e->nid, &inode, NULL) : !ero_check_inode(s->c, at, e->nid, &inode))
		return 0;
	if (S_ISDIR(inode.mode) && again)
		ero_check_tell(s->c, "dir.twice", at, "a directory has a second name: the tree has a loop, or two parents claim it");
	else if (S_ISDIR(inode.mode))
		rc = enter(s, e, &inode, err);
	else
		rc = count_name(s->c, at, &inode, again, err);
	if (!rc && !again && s->c->data && S_ISREG(inode.mode))
		rc = ero_data_check_add(s->c->data, at, &inode, err);
	s->subdirs += S_ISDIR(inode.mode) != 0;
	if (e->type != ero_file_type(inode.mode))
		ero_check_differs(s->c, "dir.type", at, "the type in the directory is not that of the inode",
				  ero_file_type(inode.mode), e->type);
	return rc;
}

static int check_block(void *context, const uint8_t *block, size_t length, uint64_t offset, struct ero_error *err)
{
	struct state *s = context;
	unsigned count = ero_dirblock_count(block, length);
	struct ero_place here = { .dir = s->dir, .has_nid = true, .nid = s->dir->nid };

	if (!count)
		ero_check_tell(s->c, "dir.block", &here, "no entries can be read in the block at byte %llu of the directory",
			       (unsigned long long)offset);
	for (unsigned i = 0; i < count; i++) {
		struct ero_dirent e;
		struct ero_place at;
		int rc = 0;

		if (ero_dirblock_entry(block, length, count, i, &e) != ERO_DIRENT_GOOD) {
			ero_check_tell(s->c, "dir.entry", &here,
				       "entry %u of the block at byte %llu of the directory has no valid name", i,
				       (unsigned long long)offset);
			continue;
		}
		at = entry_place(s, &e);
		if (block[i * ERO_DIRENT_SIZE + 11])
			ero_check_tell(s->c, "dir.reserved", &at, "the reserved byte of the entry is not zero");
		check_name(s, &e, &at);
		if (ero_is_dot(&e))
			check_dots(s, &e, &at);
		else
			rc = check_target(s, &e, &at, err);
		if (rc)
			return rc;
	}
	return 0;
}

void ero_check_directory(struct ero_checker *c, const struct ero_check_dir *dir, const struct ero_inode *inode,
			 uint64_t parent_nid)
{
	struct state s = { .c = c, .dir = dir, .parent_nid = parent_nid, .encoded = ero_layout_compressed(inode->layout) };
	struct ero_place at = { .dir = dir, .has_nid = true, .nid = dir->nid };
	struct ero_error local;
	int rc = ero_dir_space_take(&c->dir_space, c->image, inode, &local);

	if (rc) { /* its names are those of another, which has been looked at */
		ero_check_blame(c, rc == -EMLINK ? "dir.shared" : "dir.unreadable", &at, rc, &local);
		return;
	}
	rc = ero_dir_blocks(c->image, inode, check_block, &s, &local);
	if (rc)
		ero_check_blame(c, "dir.unreadable", &at, rc, &local);
	if (c->rc)
		return;
	if (!s.dot && !inode->dot_omitted)
		ero_check_tell(c, "dir.dot", &at, "a directory has no \".\"");
	if (!s.dotdot)
		ero_check_tell(c, "dir.dotdot", &at, "a directory has no \"..\"");
	if (!rc && inode->nlink != s.subdirs + 2 && inode->nlink != 1) /* 1: "not counted", for many subdirectories */
		ero_check_differs(c, "dir.nlink", &at, "a directory's link count is 2 and one for each subdirectory", s.subdirs + 2ull,
				  inode->nlink);
}
