// SPDX-License-Identifier: MIT
/* --uid-offset and --gid-offset: owners are shifted wherever they stand, in inodes, ACLs and capabilities of a user namespace. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "format/ondisk.h"
#include "source/source.h"

#include <stdlib.h>
#include <string.h>

/* linux/posix_acl_xattr.h: le32 version 2, then 8 bytes an entry: le16 tag, le16 permissions, le32 id. linux/capability.h: le32 of
 * revision 3 and flags, 16 bytes of capabilities, le32 id of the namespace's root. */
enum { ACL_HEADER = 4, ACL_ENTRY = 8, ACL_USER = 2, ACL_GROUP = 8, CAPABILITY_SIZE = 24, CAPABILITY_ROOT = 20 };
#define CAPABILITY_REVISION_MASK 0xff000000u
#define CAPABILITY_REVISION_3    0x03000000u

static int shift_id(const char *what, uint32_t *id, int64_t by, const struct ero_node *node, struct ero_error *err)
{
	int64_t shifted = (int64_t)*id + by;
	char path[256];

	if (shifted < 0 || shifted > (int64_t)UINT32_MAX - 1) {
		ero_node_path(node, path, sizeof(path));
		return ero_fail(err, ERO_ERROR_ARGUMENT, ERANGE, "--%s-offset: %lld is no valid id (for /%s)", what, (long long)shifted,
				path);
	}
	*id = (uint32_t)shifted;
	return 0;
}

static int shift_stored(const char *what, uint8_t *at, int64_t by, const struct ero_node *node, struct ero_error *err)
{
	uint32_t id = ero_get32(at);
	int rc = shift_id(what, &id, by, node, err);

	ero_put32(at, id);
	return rc;
}

static int shift_value(const struct ero_build_options *o, const struct ero_xattr_item *item, uint8_t *value, const struct ero_node *node,
		       struct ero_error *err)
{
	bool acl = item->base_index == ERO_XATTR_ACL_ACCESS || item->base_index == ERO_XATTR_ACL_DEFAULT;
	int rc = 0;

	if (!acl)
		return shift_stored("uid", value + CAPABILITY_ROOT, o->uid_offset, node, err);
	for (uint8_t *at = value + ACL_HEADER; !rc && at + ACL_ENTRY <= value + item->value_length; at += ACL_ENTRY) {
		uint16_t tag = ero_get16(at);

		if (tag == ACL_USER)
			rc = shift_stored("uid", at + 4, o->uid_offset, node, err);
		else if (tag == ACL_GROUP)
			rc = shift_stored("gid", at + 4, o->gid_offset, node, err);
	}
	return rc;
}

static bool has_owner(const struct ero_xattr_item *item)
{
	if (item->base_index == ERO_XATTR_ACL_ACCESS || item->base_index == ERO_XATTR_ACL_DEFAULT)
		return item->value_length > ACL_HEADER;
	return item->base_index == ERO_XATTR_SECURITY && !strcmp(item->name, "capability") && item->value_length == CAPABILITY_SIZE &&
	       (ero_get32(item->value) & CAPABILITY_REVISION_MASK) == CAPABILITY_REVISION_3;
}

/* Makes the shifted form of a set; *shifted is the set itself where nothing in it has an owner. */
static int shift_set(const struct ero_build_options *o, struct ero_xattrs *x, uint32_t set, const struct ero_node *node, uint32_t *shifted,
		     struct ero_error *err)
{
	static const char *const names[] = { [ERO_XATTR_ACL_ACCESS] = "system.posix_acl_access",
					     [ERO_XATTR_ACL_DEFAULT] = "system.posix_acl_default",
					     [ERO_XATTR_SECURITY] = "security.capability" };
	bool any = false;
	int rc = 0;

	*shifted = set;
	for (uint32_t i = 0; i < x->sets[set].count; i++)
		any |= has_owner(&x->items[x->members[x->sets[set].first + i]]);
	if (any)
		rc = ero_xattrs_reopen(x, set, err);
	for (uint32_t i = 0; any && !rc && i < x->sets[set].count; i++) {
		struct ero_xattr_item item = x->items[x->members[x->sets[set].first + i]]; /* the array may move */
		ERO_AUTO_FREE uint8_t *value = NULL;

		if (!has_owner(&item))
			continue;
		value = malloc(item.value_length);
		if (!value)
			return ero_fail_memory(err);
		memcpy(value, item.value, item.value_length);
		rc = shift_value(o, &item, value, node, err);
		if (!rc)
			rc = ero_xattrs_add(x, names[item.base_index], value, item.value_length, err);
	}
	return any && !rc ? ero_xattrs_commit(x, shifted, err) : rc;
}

int ero_source_shift_owners(const struct ero_build_options *o, struct ero_tree *tree, struct ero_error *err)
{
	size_t sets = tree->xattrs.set_count;
	ERO_AUTO_FREE uint32_t *shifted = NULL; /* by set, + 1; 0: not yet known */
	int rc = 0;

	if (!o->uid_offset && !o->gid_offset)
		return 0;
	shifted = calloc(sets, sizeof(*shifted));
	if (!shifted)
		return ero_fail_memory(err);
	for (size_t i = 0; !rc && i < tree->node_count; i++) {
		struct ero_node *node = tree->nodes[i];
		uint32_t set = node->xattr_set, made = 0;

		rc = shift_id("uid", &node->uid, o->uid_offset, node, err);
		if (!rc)
			rc = shift_id("gid", &node->gid, o->gid_offset, node, err);
		if (!rc && set && !shifted[set]) {
			rc = shift_set(o, &tree->xattrs, set, node, &made, err);
			shifted[set] = made + 1;
		}
		if (!rc && set)
			node->xattr_set = shifted[set] - 1;
	}
	return rc;
}
