// SPDX-License-Identifier: MIT
/* One inode: its fields, its link target, and the room it takes. */
#include "check/check.h"
#include "image/data.h"
#include "image/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void check_link_target(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	uint8_t *target = NULL;
	struct ero_error err;
	int rc;

	if (!inode->size || inode->size > 4095) {
		ero_check_tell(c, "inode.link-size", at, "a symbolic link has a target of %llu bytes; 1 to 4095 are possible",
			       (unsigned long long)inode->size);
		return;
	}
	rc = ero_data_read_all(c->image, inode, 4095, &target, &err);
	if (rc)
		ero_check_blame(c, "inode.link-target", at, rc, &err);
	else if (memchr(target, 0, (size_t)inode->size))
		ero_check_tell(c, "inode.link-target", at, "the target of a symbolic link holds a zero byte");
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

/* A superblock that says nothing of compression: new kernels take no inode, of whatever type, with a compressed layout. */
static bool is_plain(const struct ero_super *s)
{
	return !(s->feature_incompat & (ERO_INCOMPAT_COMPR_CFGS | ERO_INCOMPAT_LZ4_0PADDING)) && !s->lz4_distance;
}

static void check_fields(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	if (inode->mtime_nsec >= 1000000000)
		ero_check_tell(c, "inode.time", at, "%u is no number of nanoseconds below a second", inode->mtime_nsec);
	if (inode->stray_time)
		ero_check_tell(c, "inode.mtime", at, "a compact inode has a time of its own, and the image is without 48BIT");
	if (inode->uid == UINT32_MAX || inode->gid == UINT32_MAX)
		ero_check_tell(c, "inode.owner", at, "user %u, group %u: no file can belong to them", inode->uid, inode->gid);
	if (!inode->nlink)
		ero_check_tell(c, "inode.nlink", at, "an inode that has a name says it has no links");
	if (!inode->reserved_clear)
		ero_check_tell(c, "inode.reserved", at, "reserved bytes of the inode are not zero");
	if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode) && !S_ISLNK(inode->mode) && inode->size)
		ero_check_tell(c, "inode.special-size", at, "a special file says it has %llu bytes", (unsigned long long)inode->size);
	if (ero_layout_compressed(inode->layout) && is_plain(&c->image->super))
		ero_check_tell(c, "feature.missing", at, "an inode is compressed, and the superblock says nothing of compression");
	if (inode->stray_high)
		ero_check_tell(c, "inode.high", at, "an extended inode has address bits above 32, and the image is without 48BIT");
	if (inode->dot_omitted || (inode->format & ERO_FORMAT_NLINK_1))
		ero_check_uses(c, ERO_INCOMPAT_48BIT, at, "an inode has a form that came with 48BIT");
	else if ((c->image->super.feature_incompat & ERO_INCOMPAT_48BIT) && !inode->extended && inode->mtime != c->image->super.epoch)
		c->used |= ERO_INCOMPAT_48BIT;
}

/* Claims what the inode takes: itself, xattrs, map (if it can be read), and what lies inline. False if somebody else has claimed of it. */
static bool claim(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode, const struct ero_map *map)
{
	bool metabox = ero_in_metabox(inode->nid);
	uint64_t position = inode->position, end = position + ero_inode_head_size(inode), room = ero_meta_size(c->image, metabox);
	int rc;

	if (map)
		end += ero_map_bytes(map) + map->header.inline_size; /* a compressed tail follows its index */
	if (inode->layout == ERO_LAYOUT_FLAT_INLINE && (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		end += inode->size & (ero_block_size(c->image) - 1);
	rc = ero_space_claim(&c->space, metabox, position, (end < room ? end : room) - position);
	if (rc < 0)
		ero_check_no_memory(c);
	if (rc != 1)
		return true;
	ero_check_tell(c, "inode.overlap", at, "bytes %llu to %llu%s hold more than one inode with its map, or the superblock",
		       (unsigned long long)position, (unsigned long long)end, metabox ? " of the metabox" : "");
	return false;
}

bool ero_check_inode(struct ero_checker *c, const struct ero_place *at, uint64_t nid, struct ero_inode *inode)
{
	struct ero_error err;
	struct ero_map map;
	int rc = ero_inode_read(c->image, nid, inode, &err);

	if (rc) {
		ero_check_blame(c, "inode.damaged", at, rc, &err);
		return false;
	}
	c->extent_count = 0;
	c->again.count = 0;
	c->none_again = true;
	c->sparse = false;
	count(c->result, inode->mode);
	check_fields(c, at, inode);
	rc = ero_map_init(&map, c->image, inode, &err);
	if (!claim(c, at, inode, rc ? NULL : &map))
		return true; /* where its map is read as another's, each could be as long as the image */
	ero_check_xattrs(c, at, inode);
	if (rc)
		ero_check_blame(c, "extent.map", at, rc, &err);
	else if (S_ISREG(inode->mode) || S_ISDIR(inode->mode))
		ero_check_extents(c, at, &map);
	else if (S_ISLNK(inode->mode))
		check_link_target(c, at, inode);
	return true;
}
