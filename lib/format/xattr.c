// SPDX-License-Identifier: MIT
/* Entry: name length, name index, value size, name, value, padding to 4 bytes. */
#include "format/xattr.h"
#include "base/bytes.h"

#include <xxhash.h>

static const char *const prefixes[] = {
	[ERO_XATTR_USER] = "user.",
	[ERO_XATTR_ACL_ACCESS] = "system.posix_acl_access",
	[ERO_XATTR_ACL_DEFAULT] = "system.posix_acl_default",
	[ERO_XATTR_TRUSTED] = "trusted.",
	[ERO_XATTR_LUSTRE] = "lustre.",
	[ERO_XATTR_SECURITY] = "security.",
};

const char *ero_xattr_prefix(unsigned index)
{
	return index < sizeof(prefixes) / sizeof(prefixes[0]) ? prefixes[index] : NULL;
}

int ero_xattr_index(const char *name, size_t *skip)
{
	for (unsigned i = 1; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i]);
		bool whole = i == ERO_XATTR_ACL_ACCESS || i == ERO_XATTR_ACL_DEFAULT;

		if (i == ERO_XATTR_LUSTRE || strncmp(name, prefixes[i], length) || (whole && name[length]))
			continue;
		*skip = length;
		return (int)i;
	}
	return -1;
}

size_t ero_xattr_entry_size(unsigned name_length, unsigned value_length)
{
	return (size_t)ero_round_up((uint64_t)ERO_XATTR_ENTRY + name_length + value_length, 4);
}

void ero_xattr_entry_encode(const struct ero_xattr_entry *e, uint8_t *bytes)
{
	memset(bytes, 0, ero_xattr_entry_size(e->name_length, e->value_length));
	bytes[0] = e->name_length;
	bytes[1] = e->index;
	ero_put16(bytes + 2, e->value_length);
	memcpy(bytes + ERO_XATTR_ENTRY, e->name, e->name_length);
	memcpy(bytes + ERO_XATTR_ENTRY + e->name_length, e->value, e->value_length);
}

bool ero_xattr_entry_decode(const uint8_t *bytes, size_t room, struct ero_xattr_entry *e)
{
	if (room < ERO_XATTR_ENTRY)
		return false;
	e->name_length = bytes[0];
	e->index = bytes[1];
	e->value_length = ero_get16(bytes + 2);
	e->name = (const char *)bytes + ERO_XATTR_ENTRY;
	e->value = bytes + ERO_XATTR_ENTRY + e->name_length;
	return (size_t)ERO_XATTR_ENTRY + e->name_length + e->value_length <= room;
}

unsigned ero_xattr_filter_bit(unsigned base_index, const char *name, size_t length)
{
	return XXH32(name, length, ERO_XATTR_FILTER_SEED + base_index) & 31;
}
