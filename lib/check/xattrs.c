// SPDX-License-Identifier: MIT
/* The extended attributes of one inode: entries, names, the filter, ACLs. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "check/check.h"
#include "image/xattr.h"

#include <string.h>
#include <xxhash.h>

struct state {
	struct ero_checker *c;
	const struct ero_place *at;
	struct ero_keys names;   /* by hash */
	uint32_t filter;
	bool filtered;
};

/* What posix_acl_from_xattr() takes: see <linux/posix_acl_xattr.h> of the kernel's headers for the form. */
static const char *acl_flaw(const uint8_t *value, size_t length)
{
	enum { HEADER = 4, ENTRY = 8, VERSION = 2 };
	enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

	if (length < HEADER || (length - HEADER) % ENTRY)
		return "it is cut off";
	if (ero_get32(value) != VERSION)
		return "its version is not 2";
	for (size_t at = HEADER; at < length; at += ENTRY) {
		uint16_t tag = ero_get16(value + at);
		uint32_t id = ero_get32(value + at + 4);

		if (ero_get16(value + at + 2) > 7)
			return "an entry has permissions without a meaning";
		if (tag == USER || tag == GROUP ? id == ~0u : id != ~0u)
			return "an entry has the wrong id";
		if (tag != USER_OBJ && tag != USER && tag != GROUP_OBJ && tag != GROUP && tag != MASK && tag != OTHER)
			return "an entry has a tag without a meaning";
	}
	return length == HEADER ? "it has no entries" : NULL;
}

static int check_one(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct state *s = context;
	bool acl = x->base_index == ERO_XATTR_ACL_ACCESS || x->base_index == ERO_XATTR_ACL_DEFAULT;
	unsigned bit = ero_xattr_filter_bit(x->base_index, x->suffix, strlen(x->suffix));
	XXH128_hash_t hash = XXH3_128bits(x->name, strlen(x->name));
	const char *flaw = acl ? acl_flaw(x->value, x->value_length) : NULL;
	bool is_new;

	if (s->filtered && (s->filter >> bit & 1))
		ero_check_tell(s->c, "xattr.filter", s->at, "xattr %s is there, but the name filter says it is not", x->name);
	if (acl ? *x->suffix != '\0' : !*x->suffix)
		ero_check_tell(s->c, "xattr.name", s->at, acl ? "something follows the name of an ACL: %s" : "an xattr has an empty name behind \"%s\"",
			       x->name);
	if (strlen(x->name) > ERO_NAME_MAX || strlen(x->name) != x->name_length)
		ero_check_tell(s->c, "xattr.name", s->at, "the name of an xattr has %zu bytes, or a zero byte in it: %.60s", x->name_length, x->name);
	if (flaw)
		ero_check_tell(s->c, "xattr.acl", s->at, "%s is no ACL: %s", x->name, flaw);
	if (ero_keys_number(&s->names, hash.low64, hash.high64, &is_new) == UINT32_MAX)
		return ero_fail_memory(err);
	if (!is_new)
		ero_check_tell(s->c, "xattr.duplicate", s->at, "xattr %s is there twice", x->name);
	if (x->shared && ero_space_other(&s->c->space, s->c->image->super.block_bits, x->position, ERO_XATTR_ENTRY + x->value_length))
		return ero_fail_memory(err);
	if (x->long_prefix)
		ero_check_uses(s->c, ERO_INCOMPAT_XATTR_PREFIXES, s->at, "an xattr has a long prefix");
	return 0;
}

void ero_check_xattrs(struct ero_checker *c, const struct ero_place *at, const struct ero_inode *inode)
{
	struct state s = { .c = c, .at = at };
	struct ero_error err;
	bool clear = true;
	int rc;

	if (!inode->xattr_icount)
		return;
	s.filtered = c->image->super.feature_compat & ERO_COMPAT_XATTR_FILTER;
	rc = ero_xattr_header(c->image, inode, &s.filter, &clear, &err);
	if (!rc)
		rc = ero_xattr_each(c->image, inode, check_one, &s, &err);
	if (rc)
		ero_check_blame(c, "xattr.damaged", at, rc, &err);
	if (!clear)
		ero_check_tell(c, "xattr.reserved", at, "reserved bytes of the xattr header are not zero");
	ero_keys_free(&s.names);
}
