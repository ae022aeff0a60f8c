// SPDX-License-Identifier: MIT
/* The table. What kernels do was observed on Linux 6.1 to 7.2 with damaged images (tests/mutants). */
#include "check/catalogue.h"

#include <string.h>

const struct ero_invariant ero_invariants[] = {
	/* ---- superblock ---- */
	{ "super.not-erofs", ERO_DAMAGE, "The file is long enough for a superblock, which begins with the magic number at byte 1024.",
	  "The mount fails with EINVAL." },
	{ "super.unsupported", ERO_DAMAGE, "No incompatible feature, algorithm or directory block size is set that this version does not know.",
	  "A kernel that does not know it either fails the mount with EINVAL or EOPNOTSUPP." },
	{ "super.damaged", ERO_DAMAGE,
	  "What is needed to open the image can be read: the block size is 2^9 to 2^16 bytes, compression configurations have the sizes and values of the format, and "
	  "the packed inode, the metabox and the long xattr prefixes lie inside of the image and make sense.",
	  "The mount fails, mostly with EINVAL or EUCLEAN. Configurations that are too short are accepted by some kernels." },
	{ "super.checksum", ERO_DAMAGE, "With SB_CHKSUM, the CRC-32C of the superblock's block is the one in it.", "The mount fails with EBADMSG." },
	{ "super.reserved", ERO_WARNING, "Reserved bytes of the superblock are zero.", "Kernels do not look at them; a later one may give them a meaning." },
	{ "super.size", ERO_DAMAGE, "The file or device has all the blocks that the superblock counts.",
	  "What is missing gives EIO, by a loop device zeros. Where only padding is missing, everything can be read." },
	{ "super.slots", ERO_DAMAGE, "The superblock with its extension slots ends within its page.", "The mount fails with EINVAL." },
	{ "super.time", ERO_DAMAGE, "Nanoseconds are fewer than a second.", "Kernels show them as they are; programs that read them fail in their own ways." },
	{ "super.root", ERO_DAMAGE, "The root is a directory.", "The mount fails with EINVAL." },
	{ "super.inodes", ERO_WARNING, "The superblock counts the inodes, with or without the packed inode and the metabox.", "statfs(2) tells a wrong number." },
	{ "super.devices", ERO_WARNING, "All extra devices are given to the check.", "Data on them is not checked." },
	{ "config.range", ERO_DAMAGE,
	  "An LZ4 configuration allows pclusters of 1 MiB at most; windows and dictionaries are those of the format.", "The mount fails with EINVAL." },
	{ "config.distance", ERO_WARNING, "LZ4 is configured for matches as far back as 65535 bytes, which is what encoders use.",
	  "Kernels keep only so much of what they decoded: where a match goes farther back, they give other bytes." },
	{ "device.table", ERO_DAMAGE, "With a device table, its slots lie inside of the image.", "The mount fails with EIO or EINVAL." },
	{ "device.digest", ERO_DAMAGE, "An extra device whose tag is a SHA-256 in hexadecimal has that of its blocks.",
	  "Kernels do not compare it: files have the bytes of another device, without an error." },
	{ "device.overlap", ERO_DAMAGE, "Flat address ranges of devices do not overlap each other or the primary device's blocks.",
	  "Reads come from one device or the other." },
	{ "feature.missing", ERO_DAMAGE, "What an image uses is announced by the superblock's feature bits.",
	  "New kernels refuse the mount or the inode (EUCLEAN, EOPNOTSUPP); those too old for the feature do not refuse the mount, as they should, and read wrong." },
	{ "feature.chunked", ERO_WARNING, "Chunked files are announced.",
	  "Kernels from 5.15 on read them all the same, and composefs writes such images; older ones do not refuse the mount, as they should." },
	{ "feature.unused", ERO_INFO, "What the feature bits announce is used.", "Old kernels refuse an image they could read." },
	/* ---- inodes ---- */
	{ "inode.damaged", ERO_DAMAGE, "An inode's format, mode and chunk format have a meaning, and it lies inside of the image.",
	  "Looking it up fails with EUCLEAN, EOPNOTSUPP or EIO." },
	{ "inode.overlap", ERO_DAMAGE, "No two inodes, with what lies behind them, share bytes, nor does one with the superblock.",
	  "Kernels read what is there: at least one of the two is nonsense." },
	{ "inode.nlink", ERO_DAMAGE, "The link count of what is no directory is the number of its names.", "Kernels show the wrong count; archivers lose links." },
	{ "inode.time", ERO_DAMAGE, "Nanoseconds are fewer than a second.", "Kernels show them as they are." },
	{ "inode.mtime", ERO_DAMAGE, "Without 48BIT, compact inodes have no time of their own: the field is zero.",
	  "Since 6.15 kernels add it to the superblock's time, before that they do not look." },
	{ "inode.high", ERO_DAMAGE, "Without 48BIT, extended inodes have no address bits above 32.", "Since 6.15 kernels look at them and read elsewhere, mostly EIO." },
	{ "inode.owner", ERO_DAMAGE, "User and group are not 4294967295, which stands for none.", "Kernels show the overflow id (65534)." },
	{ "inode.reserved", ERO_WARNING, "Reserved bytes of inodes are zero.", "Kernels do not look at them." },
	{ "inode.special-size", ERO_WARNING, "Devices, pipes and sockets have no size.", "stat(2) shows it; there is nothing to read." },
	{ "inode.link-size", ERO_DAMAGE, "The target of a symbolic link has 1 to 4095 bytes.", "readlink(2) fails with EUCLEAN, or gives an empty target." },
	{ "inode.link-target", ERO_DAMAGE, "The target of a symbolic link can be read and holds no zero byte.", "readlink(2) fails, or ends at the zero." },
	/* ---- directories ---- */
	{ "dir.unreadable", ERO_DAMAGE, "The blocks of a directory can be read.", "readdir(3) fails with EIO or EUCLEAN." },
	{ "dir.shared", ERO_DAMAGE, "Each directory has blocks of its own, and all of them.",
	  "Kernels show the names of another directory, or garbage. A small image has millions of names so: they are not looked at." },
	{ "dir.block", ERO_DAMAGE, "The first name of a block begins behind its entries, at a multiple of 12.", "readdir(3) fails with EUCLEAN." },
	{ "dir.entry", ERO_DAMAGE, "Each entry's name has 1 to 255 bytes inside of the block, behind the entries and behind the name before.",
	  "readdir(3) fails with EUCLEAN." },
	{ "dir.name", ERO_DAMAGE, "Names hold neither '/' nor a zero byte.", "readdir(3) shows a name that cannot be opened, or fails with EIO." },
	{ "dir.order", ERO_DAMAGE, "Names are in bytewise order over the whole directory.", "Lookups search by halves and do not find them: ENOENT." },
	{ "dir.duplicate", ERO_DAMAGE, "No name stands twice in a directory.", "Lookups find either one." },
	{ "dir.dot", ERO_DAMAGE, "\".\" is there, unless it is omitted by the inode's format, and means the directory itself.",
	  "Kernels do not look at it; readdir(3) shows another inode number, or the name is missing." },
	{ "dir.dotdot", ERO_DAMAGE, "\"..\" is there and means the directory this one lies in.", "Kernels look at it for NFS exports only." },
	{ "dir.type", ERO_DAMAGE, "The type in an entry is that of the inode.", "readdir(3) shows the wrong type, on which find(1) and others rely." },
	{ "dir.nid", ERO_DAMAGE, "An entry's inode lies inside of the image.", "Looking it up fails with EIO or EUCLEAN." },
	{ "dir.twice", ERO_DAMAGE, "A directory has one name.", "Kernels refuse it (ELOOP, ESTALE) or loop." },
	{ "dir.nlink", ERO_DAMAGE, "The link count of a directory is 2 and one for each subdirectory, or 1.", "find(1) leaves out subdirectories." },
	{ "dir.reserved", ERO_WARNING, "The byte behind an entry's type is zero.", "Kernels do not look at it." },
	/* ---- extended attributes ---- */
	{ "xattr.damaged", ERO_DAMAGE, "All entries lie inside of the inode's body, or of the shared area, and have prefixes with a meaning.",
	  "listxattr(2) or getxattr(2) fails with EUCLEAN, EIO or ERANGE, or leaves them out." },
	{ "xattr.reserved", ERO_WARNING, "Reserved bytes of an xattr header are zero.", "Kernels do not look at them." },
	{ "xattr.filter", ERO_DAMAGE, "The name filter has no bit set for a name that is there.", "getxattr(2) fails with ENODATA." },
	{ "xattr.name", ERO_DAMAGE, "Something follows the prefix of a name, but for ACLs, where nothing does; a whole name has at most 255 bytes and no zero.",
	  "getxattr(2) fails with EINVAL or ERANGE." },
	{ "xattr.duplicate", ERO_DAMAGE, "No name stands twice at an inode.", "listxattr(2) shows it twice; getxattr(2) gives the first value." },
	{ "xattr.acl", ERO_DAMAGE, "The value of an ACL is one: version 2, then entries of 8 bytes with tags that have a meaning, and ids where the tag asks for one.",
	  "getxattr(2) fails with EINVAL or EOPNOTSUPP, and so may opening the file for everybody but root." },
	/* ---- where data is ---- */
	{ "extent.map", ERO_DAMAGE, "The map of a file tells its extents one behind the other, from its first byte to its last; distances lead to the right entries.",
	  "Reads fail with EUCLEAN or EIO, or give other bytes, or, where only a reader that starts in the middle goes by the entry, only such reads do." },
	{ "extent.range", ERO_DAMAGE, "Extents lie inside of their device; fragments inside of the packed inode.",
	  "Reads fail with EIO; behind the packed inode's end they give zeros; by a loop device zeros, too." },
	{ "extent.algorithm", ERO_DAMAGE, "Compression algorithms that a file names are known, and those it uses are in the superblock's list.",
	  "Reads fail with EUCLEAN or EOPNOTSUPP." },
	{ "extent.start", ERO_DAMAGE, "A file with inline data has a start block if it has whole blocks; a file without one, in an image with 48BIT, is a hole.",
	  "Reads fail with EIO." },
	{ "extent.reserved", ERO_WARNING, "Bits of maps that have no meaning are not set.", "Kernels do not look at them; a later one may give them a meaning." },
	{ "extent.overlap", ERO_DAMAGE, "Extents that share bytes are the same encoded one, or plain.", "Kernels decode what is there: at least one is nonsense." },
	{ "extent.ways", ERO_DAMAGE, "An encoded extent is used by files in a handful of ways at most: decoded to different lengths.",
	  "Kernels decode it for each; no writer does it, and a small image asks for hours of decoding so." },
	{ "extent.over-metadata", ERO_DAMAGE, "No file's data lies where inodes are.", "Kernels read what is there." },
	{ "space.lost", ERO_INFO, "All blocks are used.", "They only take room." },
	/* ---- data ---- */
	{ "data.damaged", ERO_DAMAGE, "All extents decode to exactly their length. (Shown by --extract only.)", "Reads fail with EUCLEAN or EIO." },
	{ "data.hole", ERO_DAMAGE, "What is marked as a hole, and stored all the same, is zero. (Shown by --extract only.)",
	  "Kernels from 7.2 on read zeros, those before what is stored." },
	{ "data.padding", ERO_WARNING, "What lies behind the end of a plain file in its last block is zero. (Shown by --extract only.)",
	  "Programs that map the file see it." },
	{ "digest.differs", ERO_DAMAGE, "The fingerprint in a file's xattr is that of its content. (Shown by --xattr-inode-digest only.)",
	  "Whoever trusts the fingerprint opens another file." },
	{ "digest.missing", ERO_WARNING, "Every regular file with data has a fingerprint. (Shown by --xattr-inode-digest only.)", "It is not shared by fingerprint." },
	{ "verity.signature", ERO_DAMAGE, "With a certificate, IMAGE.roothash.p7s is a signature by it of the root hash.",
	  "Who mounts by this certificate (dm-verity with a signature, systemd) refuses the image." },
	{ "verity.damaged", ERO_DAMAGE, "The blocks of the image hash to the root of the dm-verity tree behind it. (Shown by --extract only.)",
	  "dm-verity fails reads of such blocks with EIO." },
	/* ---- not the image's fault ---- */
	{ "io.open", ERO_DAMAGE, "The image can be opened.", "Nothing is said about it." },
	{ "extract.dir", ERO_DAMAGE, "The target of an extraction takes the directory.", "The image may be sound." },
	{ "extract.file", ERO_DAMAGE, "The target of an extraction takes the file.", "The image may be sound." },
	{ NULL, ERO_INFO, NULL, NULL },
};

size_t ero_invariant_count(void)
{
	return sizeof(ero_invariants) / sizeof(ero_invariants[0]) - 1; /* the last one is the end */
}

const struct ero_invariant *ero_invariant_find(const char *id)
{
	for (const struct ero_invariant *i = ero_invariants; i->id; i++)
		if (!strcmp(i->id, id))
			return i;
	return NULL;
}
