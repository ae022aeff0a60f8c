// SPDX-License-Identifier: MIT
/* The names of all facts, as the document has them, and what each one says. The manual's list is made from these rows. */
#include "layering/facts.h"

#include <stddef.h>

#define AT(group, member) (offsetof(struct ero_facts, group.member) - offsetof(struct ero_facts, group))
#define PLAN(kind, member, what) { #member, ERO_FIELD_##kind, AT(plan, member), what }
#define KERNEL(kind, member, what) { #member, ERO_FIELD_##kind, AT(kernel, member), what }
#define WHO(kind, member, what) { #member, ERO_FIELD_##kind, AT(who, member), what }
#define IMAGE(kind, member, what) { #member, ERO_FIELD_##kind, AT(image, member), what }
#define OF_FILE(kind, member, what) { #member, ERO_FIELD_##kind, offsetof(struct ero_file_facts, member), what }
#define DEVICE(kind, member, what) { #member, ERO_FIELD_##kind, offsetof(struct ero_device_facts, member), what }
#define END { NULL, ERO_FIELD_NUMBER, 0, NULL }

static const struct ero_field plan[] = {
	PLAN(TEXT, way, "file, loop or device: what the mount's source will be"),
	PLAN(NUMBER, offset, "bytes before the image in its file"),
	PLAN(NUMBER, fsoffset, "of them those that EROFS itself is told to skip, by the option fsoffset"),
	PLAN(NUMBER, size_limit, "bytes of a loop device, from the offset on; 0: to the end of the file"),
	PLAN(FLAG, direct_io, "the option directio"),
	PLAN(FLAG, loop_direct_io, "losetup --direct-io=on"),
	PLAN(FLAG, nosuid, "the option nosuid"),
	PLAN(FLAG, nodev, "the option nodev"),
	PLAN(FLAG, noexec, "the option noexec"),
	PLAN(TEXT, options, "the options that are EROFS's own"),
	PLAN(TEXT, unknown_options, "options that EROFS does not have"),
	PLAN(FLAG, inode_share, "the option inode_share"),
	PLAN(FLAG, fsid, "the option fsid"),
	PLAN(FLAG, domain_id, "the option domain_id"),
	PLAN(FLAG, dax, "the option dax=always"),
	PLAN(NUMBER, overlays, "overlay mounts planned above, one on the other"),
	PLAN(FLAG, trust_devices, "the operator vouches for the extra devices and their order"),
	PLAN(TEXT, recorded, "the fs-verity digest that was recorded when the image was built"),
	END,
};

static const struct ero_field kernel[] = {
	KERNEL(TEXT, release, "uname -r, completed by what Debian and Ubuntu say of the stable release it stands for"),
	KERNEL(FLAG, running, "it is the kernel that runs here"),
	KERNEL(FLAG, exact, "the release tells the patch level; vendors' releases may not"),
	KERNEL(NUMBER, page_size, "bytes"),
	KERNEL(FLAG, erofs, "EROFS is built in, or a module of it is there"),
	KERNEL(FLAG, file_backed, "CONFIG_EROFS_FS_BACKED_BY_FILE"),
	KERNEL(FLAG, zip, "CONFIG_EROFS_FS_ZIP"),
	KERNEL(FLAG, lzma, "CONFIG_EROFS_FS_ZIP_LZMA"),
	KERNEL(FLAG, deflate, "CONFIG_EROFS_FS_ZIP_DEFLATE"),
	KERNEL(FLAG, zstd, "CONFIG_EROFS_FS_ZIP_ZSTD"),
	KERNEL(TEXT, features, "the names in /sys/fs/erofs/features"),
	KERNEL(TEXT, lsm, "active security modules, from /sys/kernel/security/lsm"),
	KERNEL(FLAG, loop, "there is /dev/loop-control"),
	KERNEL(TEXT, mounter, "a program here that mounts a file without a loop device"),
	END,
};

static const struct ero_field who[] = {
	WHO(FLAG, admin, "CAP_SYS_ADMIN in the first user namespace"),
	WHO(FLAG, lease, "the file's owner, or CAP_LEASE: leases may be taken"),
	WHO(NUMBER, answer, "the kernel's own answer: errno of a mount that was prepared and thrown away, 0 if it would succeed"),
	END,
};

static const struct ero_field image[] = {
	IMAGE(FLAG, header, "magic number and checksum of the superblock are right"),
	IMAGE(TEXT, header_error, "what is wrong with it"),
	IMAGE(NUMBER, block_bits, "log2 of the block size"),
	IMAGE(NUMBER, blocks, "of the image, or of its primary device"),
	IMAGE(NUMBER, inodes, "as the superblock counts them"),
	IMAGE(NUMBER, feature_compat, "bits"),
	IMAGE(NUMBER, feature_incompat, "bits"),
	IMAGE(NUMBER, algorithms, "bits; lz4 alone where the superblock has none"),
	IMAGE(NUMBER, extra_devices, "in the device table"),
	IMAGE(NUMBER, dir_block_bits, "must be 0"),
	IMAGE(NUMBER, flat_end, "bytes, up to the last device's end where all lie one after the other; 0: they do not"),
	IMAGE(TEXT, uuid, "32 digits"),
	IMAGE(FLAG, sound, "its metadata can be read whole"),
	IMAGE(TEXT, damage, "what cannot be read of it"),
	IMAGE(NUMBER, data_end, "bytes of the image, up to the last that reading file data asks for"),
	IMAGE(NUMBER, metadata_end, "bytes of the image, up to the last of its metadata"),
	IMAGE(FLAG, byte_extents, "some files have extents that begin at any byte"),
	IMAGE(FLAG, hole_in_metadata, "a whole page of metadata is a hole of the file"),
	IMAGE(FLAG, hole_in_encoded, "a whole page of compressed data is a hole of the file"),
	IMAGE(FLAG, hole_in_plain, "plain data, or part of a page, is a hole of the file"),
	IMAGE(NUMBER, pages, "of the file that reading everything touches"),
	IMAGE(NUMBER, metadata_pages, "of them those that are read as metadata"),
	IMAGE(NUMBER, content_pages, "of all files of the tree, plain"),
	END,
};

static const struct ero_field file[] = {
	OF_FILE(TEXT, path, "as it was named"),
	OF_FILE(TEXT, type, "regular, directory, block, char, fifo, socket or missing"),
	OF_FILE(FLAG, readable, "may be opened for reading"),
	OF_FILE(NUMBER, size, "bytes"),
	OF_FILE(NUMBER, owner, "user id"),
	OF_FILE(NUMBER, permissions, "mode & 07777"),
	OF_FILE(FLAG, parent_open, "others than root may put another file in its place"),
	OF_FILE(FLAG, immutable, "statx: chattr +i"),
	OF_FILE(FLAG, verity, "statx: fs-verity is on"),
	OF_FILE(FLAG, dax, "statx: no page cache lies between"),
	OF_FILE(FLAG, compressed, "FIEMAP or flags: the file system below compresses it"),
	OF_FILE(TEXT, verity_digest, "measured by the kernel, or computed when asked for"),
	OF_FILE(NUMBER, dio_align, "bytes, statx STATX_DIOALIGN: direct I/O must begin and end at multiples; 0: there is none"),
	OF_FILE(FLAG, hole, "SEEK_HOLE finds one in it"),
	OF_FILE(FLAG, unwritten, "FIEMAP: space that was taken and never written"),
	OF_FILE(FLAG, writer, "a read lease is refused: somebody has it open for writing"),
	OF_FILE(NUMBER, cached, "pages in the page cache, cachestat(2) or mincore(2)"),
	OF_FILE(NUMBER, dirty, "pages not yet written back, cachestat(2)"),
	OF_FILE(NUMBER, fs_magic, "statfs(2): f_type"),
	OF_FILE(TEXT, fs_type, "the mount table's word, such as ext4 or fuse.sshfs"),
	OF_FILE(TEXT, fs_source, "what is mounted there"),
	OF_FILE(FLAG, fs_anonymous, "st_dev has major number 0"),
	OF_FILE(FLAG, fs_noexec, "statvfs(2)"),
	OF_FILE(FLAG, fs_nosuid, "statvfs(2)"),
	OF_FILE(FLAG, fs_nodev, "statvfs(2)"),
	OF_FILE(FLAG, fs_atime, "reads may set access times there"),
	OF_FILE(NUMBER, sector_size, "bytes, of the disk below, from sysfs"),
	OF_FILE(NUMBER, loops, "loop devices on the file, from sysfs"),
	OF_FILE(NUMBER, writable_loops, "of them those that may write it"),
	OF_FILE(NUMBER, mounts, "EROFS mounts of the file, from the mount table"),
	OF_FILE(NUMBER, precontent_marks, "fanotify marks that ask before content is read, from /proc/PID/fdinfo"),
	OF_FILE(NUMBER, permission_marks, "fanotify marks that ask before it is opened or read"),
	END,
};

static const struct ero_field slot[] = {
	DEVICE(TEXT, tag, "of the device table"),
	DEVICE(NUMBER, blocks, "of the device table"),
	DEVICE(FLAG, given, "a file is given for it"),
	DEVICE(TEXT, digest, "SHA-256 of the content, when the tag is one"),
	DEVICE(TEXT, uuid, "of the image in it, when the tag is one"),
	END,
};

const struct ero_field_group ero_field_groups[] = {
	{ "plan", offsetof(struct ero_facts, plan), plan },
	{ "kernel", offsetof(struct ero_facts, kernel), kernel },
	{ "who", offsetof(struct ero_facts, who), who },
	{ "image", offsetof(struct ero_facts, image), image },
	{ "file", offsetof(struct ero_facts, file), file },
	{ NULL, 0, NULL },
};

const struct ero_field_group ero_device_groups[] = {
	{ "slot", 0, slot },
	{ "file", offsetof(struct ero_device_facts, file), file },
	{ NULL, 0, NULL },
};
