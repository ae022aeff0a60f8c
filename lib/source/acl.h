/* SPDX-License-Identifier: MIT */
/* POSIX ACLs of archives as the value of the xattr a kernel expects. */
#ifndef ERO_SOURCE_ACL_H
#define ERO_SOURCE_ACL_H

#include "base/error.h"

struct archive_entry;

/* Is this the value of such an xattr? */
bool ero_acl_is_valid(const void *bytes, size_t length);

/* `type` is ARCHIVE_ENTRY_ACL_TYPE_ACCESS or _DEFAULT. *bytes is malloc'ed; *length is 0 when there is none beyond
 * the mode. *mask becomes the permissions of the mask entry, which the group bits of the mode stand for, or -1.
 * An entry whose user or group this host cannot resolve is -ENOTSUP. */
int ero_acl_from_archive(struct archive_entry *entry, int type, uint8_t **bytes, size_t *length, int *mask,
			 struct ero_error *err);

#endif
