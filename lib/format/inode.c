// SPDX-License-Identifier: MIT
/* The two widths share a description of the fields they share; what differs is said once for each. */
#include "format/inode.h"
#include "base/bytes.h"

#include <sys/stat.h>

unsigned ero_xattr_body_size(uint16_t icount)
{
	return icount ? ERO_XATTR_HEADER + 4u * (icount - 1u) : 0;
}

unsigned ero_inode_head_size(const struct ero_inode *inode)
{
	return (inode->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE) + ero_xattr_body_size(inode->xattr_icount);
}

unsigned ero_file_type(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return ERO_FT_REG;
	case S_IFDIR:
		return ERO_FT_DIR;
	case S_IFCHR:
		return ERO_FT_CHR;
	case S_IFBLK:
		return ERO_FT_BLK;
	case S_IFIFO:
		return ERO_FT_FIFO;
	case S_IFSOCK:
		return ERO_FT_SOCK;
	case S_IFLNK:
		return ERO_FT_SYMLINK;
	default:
		return ERO_FT_UNKNOWN;
	}
}

uint32_t ero_rdev_encode(unsigned major, unsigned minor)
{
	return (minor & 0xffu) | major << 8 | (minor & ~0xffu) << 12;
}

unsigned ero_rdev_major(uint32_t rdev)
{
	return (rdev & 0xfff00u) >> 8;
}

unsigned ero_rdev_minor(uint32_t rdev)
{
	return (rdev & 0xffu) | ((rdev >> 12) & 0xfff00u);
}

/* What i_u and i_nb mean depends on type and layout, equally for both widths. */
static void decode_union(struct ero_inode *i, uint32_t u, uint16_t high)
{
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode)) {
		i->rdev = u;
		return;
	}
	switch (i->layout) {
	case ERO_LAYOUT_FLAT_PLAIN:
	case ERO_LAYOUT_FLAT_INLINE:
		i->start_block = u | (uint64_t)high << 32;
		if (u == ERO_NULL_BLOCK32 && (high == 0 || high == 0xffff))
			i->start_block = ERO_NULL_BLOCK48;
		break;
	case ERO_LAYOUT_COMPRESSED_FULL:
	case ERO_LAYOUT_COMPRESSED_COMPACT:
		i->comp_blocks = u | (uint64_t)high << 32;
		break;
	case ERO_LAYOUT_CHUNK:
		i->chunk_format = (uint16_t)u;
		break;
	}
}

static void decode_compact(const uint8_t *b, const struct ero_super *s, struct ero_inode *i)
{
	bool wide = s->feature_incompat & ERO_INCOMPAT_48BIT;
	bool one_link = wide && !S_ISDIR(i->mode) && (i->format & ERO_FORMAT_NLINK_1);

	i->nlink = one_link ? 1 : ero_get16(b + 6);
	i->size = ero_get32(b + 8);
	i->mtime = (int64_t)((uint64_t)s->epoch + (wide ? ero_get32(b + 12) : 0)); /* may wrap in a hostile image */
	i->mtime_nsec = s->fixed_nsec;
	i->stray_time = !wide && ero_get32(b + 12) != 0;
	i->reserved_clear = ero_all_zero(b + 28, 4);
	i->ino = ero_get32(b + 20);
	i->uid = ero_get16(b + 24);
	i->gid = ero_get16(b + 26);
	decode_union(i, ero_get32(b + 16), one_link ? ero_get16(b + 6) : 0);
}

static void decode_extended(const uint8_t *b, const struct ero_super *s, struct ero_inode *i)
{
	bool wide = s->feature_incompat & ERO_INCOMPAT_48BIT;

	i->size = ero_get64(b + 8);
	i->ino = ero_get32(b + 20);
	i->uid = ero_get32(b + 24);
	i->gid = ero_get32(b + 28);
	i->mtime = (int64_t)ero_get64(b + 32);
	i->mtime_nsec = ero_get32(b + 40);
	i->nlink = ero_get32(b + 44);
	i->stray_high = !wide && ero_get16(b + 6) != 0;
	i->reserved_clear = ero_all_zero(b + 48, 16);
	decode_union(i, ero_get32(b + 16), wide ? ero_get16(b + 6) : 0);
}

int ero_inode_decode(const uint8_t *b, size_t room, const struct ero_super *s, uint64_t nid, struct ero_inode *i,
		     struct ero_error *err)
{
	unsigned layout, format;

	memset(i, 0, sizeof(*i));
	i->nid = nid;
	if (room < ERO_COMPACT_SIZE)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu lies past the end of the metadata",
				(unsigned long long)nid);
	i->format = ero_get16(b);
	layout = (i->format >> ERO_FORMAT_LAYOUT_SHIFT) & ERO_FORMAT_LAYOUT_MASK;
	if ((i->format & ~ERO_FORMAT_KNOWN) || layout > ERO_LAYOUT_CHUNK)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu has format %#x, which has no meaning",
				(unsigned long long)nid, i->format);
	i->extended = i->format & ERO_FORMAT_EXTENDED;
	i->layout = (enum ero_layout)layout;
	i->xattr_icount = ero_get16(b + 2);
	i->mode = ero_get16(b + 4);
	if (ero_file_type(i->mode) == ERO_FT_UNKNOWN)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu has mode %#o, which is no file type",
				(unsigned long long)nid, i->mode);
	if (i->extended && room < ERO_EXTENDED_SIZE)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu is cut off by the end of the metadata",
				(unsigned long long)nid);
	i->dot_omitted = S_ISDIR(i->mode) && (i->format & ERO_FORMAT_DOT_OMITTED);
	if (i->extended)
		decode_extended(b, s, i);
	else
		decode_compact(b, s, i);
	format = S_ISCHR(i->mode) || S_ISBLK(i->mode) ? i->rdev & 0xffff : i->chunk_format;
	if (i->layout == ERO_LAYOUT_CHUNK && (format & ~ERO_CHUNK_KNOWN)) /* whatever its type is: kernels look at the layout alone */
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu has chunk format %#x, which has no meaning",
				(unsigned long long)nid, format);
	if (i->size > INT64_MAX)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "inode %llu says it has %llu bytes, more than any file can have",
				(unsigned long long)nid, (unsigned long long)i->size);
	return 0;
}

static uint32_t encode_union(const struct ero_inode *i, uint16_t *high)
{
	*high = 0;
	if (S_ISCHR(i->mode) || S_ISBLK(i->mode))
		return i->rdev;
	switch (i->layout) {
	case ERO_LAYOUT_FLAT_PLAIN:
	case ERO_LAYOUT_FLAT_INLINE:
		*high = (uint16_t)(i->start_block >> 32);
		return (uint32_t)i->start_block;
	case ERO_LAYOUT_COMPRESSED_FULL:
	case ERO_LAYOUT_COMPRESSED_COMPACT:
		*high = (uint16_t)(i->comp_blocks >> 32);
		return (uint32_t)i->comp_blocks;
	case ERO_LAYOUT_CHUNK:
		return i->chunk_format;
	}
	return 0;
}

void ero_inode_encode(const struct ero_inode *i, const struct ero_super *s, uint8_t *b)
{
	bool wide = s->feature_incompat & ERO_INCOMPAT_48BIT;
	uint16_t format = (uint16_t)(i->layout << ERO_FORMAT_LAYOUT_SHIFT | (i->extended ? ERO_FORMAT_EXTENDED : 0));
	uint16_t high;
	uint32_t u = encode_union(i, &high);

	memset(b, 0, i->extended ? ERO_EXTENDED_SIZE : ERO_COMPACT_SIZE);
	if (wide && S_ISDIR(i->mode) && i->dot_omitted)
		format |= ERO_FORMAT_DOT_OMITTED;
	ero_put16(b + 2, i->xattr_icount);
	ero_put16(b + 4, i->mode);
	ero_put32(b + 16, u);
	ero_put32(b + 20, i->ino);
	if (i->extended) {
		ero_put16(b + 6, wide ? high : 0);
		ero_put64(b + 8, i->size);
		ero_put32(b + 24, i->uid);
		ero_put32(b + 28, i->gid);
		ero_put64(b + 32, (uint64_t)i->mtime);
		ero_put32(b + 40, i->mtime_nsec);
		ero_put32(b + 44, i->nlink);
	} else {
		bool one_link = wide && !S_ISDIR(i->mode) && i->nlink == 1;

		if (one_link)
			format |= ERO_FORMAT_NLINK_1;
		ero_put16(b + 6, one_link ? high : (uint16_t)i->nlink);
		ero_put32(b + 8, (uint32_t)i->size);
		ero_put32(b + 12, wide ? (uint32_t)(i->mtime - s->epoch) : 0);
		ero_put16(b + 24, (uint16_t)i->uid);
		ero_put16(b + 26, (uint16_t)i->gid);
	}
	ero_put16(b, format);
}
