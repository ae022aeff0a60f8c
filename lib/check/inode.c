// SPDX-License-Identifier: MIT
/* One inode: its fields, its xattrs, its link target. */
#include "check/check.h"
#include "image/data.h"
#include "image/xattr.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct xattr_state {
	struct ero_checker *c;
	const struct ero_place *at;
	uint32_t filter;
	bool filtered;
};

static int check_xattr(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct xattr_state *s = context;
	unsigned bit = ero_xattr_filter_bit(x->base_index, x->suffix, strlen(x->suffix));

	(void)err;
	if (s->filtered && (s->filter >> bit & 1))
		ero_check_tell(s->c, ERO_DAMAGE, "xattr.filter", s->at, "xattr %s is there, but the name filter says it is not",
			       x->name);
	if (!*x->suffix && x->base_index != ERO_XATTR_ACL_ACCESS && x->base_index != ERO_XATTR_ACL_DEFAULT)
		ero_check_tell(s->c, ERO_DAMAGE, "xattr.name", s->at, "an xattr has an empty name behind \"%s\"", x->name);
	return 0;
}

static void check_xattrs(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	struct xattr_state s = { .c = c, .at = at };
	struct ero_error err;
	int rc = 0;

	if (!inode->xattr_icount)
		return;
	s.filtered = c->image->super.feature_compat & ERO_COMPAT_XATTR_FILTER;
	if (s.filtered)
		rc = ero_xattr_filter(c->image, inode, &s.filter, &err);
	if (!rc)
		rc = ero_xattr_each(c->image, inode, check_xattr, &s, &err);
	if (rc)
		ero_check_tell(c, ERO_DAMAGE, "xattr.damaged", at, "%s", err.text);
}

static void check_link_target(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	uint8_t *target = NULL;
	struct ero_error err;

	if (!inode->size || inode->size > 4095) {
		ero_check_tell(c, ERO_DAMAGE, "inode.link-size", at, "a symbolic link has a target of %llu bytes; 1 to 4095 are possible",
			       (unsigned long long)inode->size);
		return;
	}
	if (ero_data_read_all(c->image, inode, 4095, &target, &err))
		ero_check_tell(c, ERO_DAMAGE, "inode.link-target", at, "%s", err.text);
	else if (memchr(target, 0, (size_t)inode->size))
		ero_check_tell(c, ERO_DAMAGE, "inode.link-target", at, "the target of a symbolic link holds a zero byte");
	free(target);
}

static void count(struct ero_check_result *r, uint16_t mode)
{
	r->inodes++;
	r->regular += S_ISREG(mode);
	r->directories += S_ISDIR(mode);
	r->symlinks += S_ISLNK(mode);
	r->specials += !S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode);
}

bool ero_check_inode(struct ero_checker *c, const struct ero_place *at, uint64_t nid, struct ero_inode *inode)
{
	struct ero_error err;

	if (ero_inode_read(c->image, nid, inode, &err)) {
		ero_check_tell(c, ERO_DAMAGE, "inode.damaged", at, "%s", err.text);
		return false;
	}
	count(c->result, inode->mode);
	if (inode->mtime_nsec >= 1000000000)
		ero_check_tell(c, ERO_DAMAGE, "inode.time", at, "%u is no number of nanoseconds below a second", inode->mtime_nsec);
	if (!inode->nlink)
		ero_check_tell(c, ERO_DAMAGE, "inode.nlink", at, "an inode that has a name says it has no links");
	check_xattrs(c, at, inode);
	if (S_ISREG(inode->mode) || S_ISDIR(inode->mode))
		ero_check_extents(c, at, inode);
	else if (S_ISLNK(inode->mode))
		check_link_target(c, at, inode);
	return true;
}
