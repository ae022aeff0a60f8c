// SPDX-License-Identifier: MIT
/* File systems by their statfs magic (linux/magic.h and the file systems' own headers). */
#include "layering/rules.h"

static const struct {
	uint32_t magic;
	enum ero_fs_class class;
	const char *name;
} classes[] = {
	{ 0xEF53, ERO_FS_DISK, "ext2/3/4" },
	{ 0x58465342, ERO_FS_DISK, "xfs" },
	{ 0x9123683E, ERO_FS_DISK, "btrfs" },
	{ 0xF2F52010, ERO_FS_DISK, "f2fs" },
	{ 0xCA451A4E, ERO_FS_DISK, "bcachefs" },
	{ 0x2011BAB0, ERO_FS_DISK, "exfat" },
	{ 0x4D44, ERO_FS_DISK, "vfat" },
	{ 0x7366746E, ERO_FS_DISK, "ntfs3" },
	{ 0x3434, ERO_FS_DISK, "nilfs2" },
	{ 0x5A4F4653, ERO_FS_DISK, "zonefs" },
	{ 0x24051905, ERO_FS_DISK, "ubifs" },
	{ 0x73717368, ERO_FS_READ_ONLY, "squashfs" },
	{ 0x9660, ERO_FS_READ_ONLY, "iso9660" },
	{ 0x15013346, ERO_FS_READ_ONLY, "udf" },
	{ 0x28CD3D45, ERO_FS_READ_ONLY, "cramfs" },
	{ 0xE0F5E1E2, ERO_FS_READ_ONLY, "erofs" },
	{ 0x858458F6, ERO_FS_DISK, "ramfs" },
	{ 0x6969, ERO_FS_NETWORK, "nfs" },
	{ 0xFF534D42, ERO_FS_NETWORK, "cifs" },
	{ 0xFE534D42, ERO_FS_NETWORK, "smb2" },
	{ 0x517B, ERO_FS_NETWORK, "smb" },
	{ 0x01021997, ERO_FS_NETWORK, "9p" },
	{ 0x00C36400, ERO_FS_NETWORK, "ceph" },
	{ 0x5346414F, ERO_FS_NETWORK, "afs" },
	{ 0x6B414653, ERO_FS_NETWORK, "afs" },
	{ 0x73757245, ERO_FS_NETWORK, "coda" },
	{ 0x20030528, ERO_FS_NETWORK, "orangefs" },
	{ 0x0BD00BD0, ERO_FS_NETWORK, "lustre" },
	{ 0x47504653, ERO_FS_CLUSTER, "gpfs" },
	{ 0x786F4256, ERO_FS_NETWORK, "vboxsf" },
	{ 0x01161970, ERO_FS_CLUSTER, "gfs2" },
	{ 0x7461636F, ERO_FS_CLUSTER, "ocfs2" },
	{ 0x65735546, ERO_FS_FUSE, "fuse" },
	{ 0x794C7630, ERO_FS_STACKED, "overlayfs" },
	{ 0xF15F, ERO_FS_STACKED, "ecryptfs" },
	{ 0x01021994, ERO_FS_MEMORY, "tmpfs" },
	{ 0x958458F6, ERO_FS_MEMORY, "hugetlbfs" },
	{ 0x62656572, ERO_FS_SYNTHETIC, "sysfs" },
	{ 0x9FA0, ERO_FS_SYNTHETIC, "proc" },
	{ 0x27E0EB, ERO_FS_SYNTHETIC, "cgroup" },
	{ 0x63677270, ERO_FS_SYNTHETIC, "cgroup2" },
	{ 0x62656570, ERO_FS_SYNTHETIC, "configfs" },
	{ 0x64626720, ERO_FS_SYNTHETIC, "debugfs" },
	{ 0x74726163, ERO_FS_SYNTHETIC, "tracefs" },
	{ 0x73636673, ERO_FS_SYNTHETIC, "securityfs" },
	{ 0xF97CFF8C, ERO_FS_SYNTHETIC, "selinuxfs" },
	{ 0x6165676C, ERO_FS_SYNTHETIC, "pstore" },
	{ 0xDE5E81E4, ERO_FS_SYNTHETIC, "efivarfs" },
	{ 0xCAFE4A11, ERO_FS_SYNTHETIC, "bpf" },
	{ 0x42494E4D, ERO_FS_SYNTHETIC, "binfmt_misc" },
	{ 0x6E736673, ERO_FS_SYNTHETIC, "nsfs" },
};

enum ero_fs_class ero_fs_classify(uint64_t magic, const char **name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (classes[i].magic == magic) {
			*name = classes[i].name;
			return classes[i].class;
		}
	}
	*name = "unknown";
	return ERO_FS_UNKNOWN;
}

bool ero_is_on_fuse(const struct ero_facts *f)
{
	const char *name;

	return f->file.fs_magic.known && ero_fs_classify(f->file.fs_magic.value, &name) == ERO_FS_FUSE;
}
