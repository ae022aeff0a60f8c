// SPDX-License-Identifier: MIT
/* The value is le32 version 2, then le16 tag, le16 permissions, le32 id per entry, sorted by tag and id (acl(5),
 * linux/posix_acl_xattr.h). */
#include "source/acl.h"
#include "base/bytes.h"

#include <archive.h>
#include <archive_entry.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

enum { VERSION = 2, USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };

static uint16_t tag_of(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return MASK;
	case ARCHIVE_ENTRY_ACL_OTHER:
		return OTHER;
	default:
		return 0;
	}
}

static int compare(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* GNU tar writes names only: they are looked up here, as tar itself would on extraction. */
static int resolve(struct acl_entry *e, int id, const char *name, struct ero_error *err)
{
	e->id = UINT32_MAX;
	if (e->tag != USER && e->tag != GROUP)
		return 0;
	if (id >= 0) {
		e->id = (uint32_t)id;
		return 0;
	}
	if (name && e->tag == USER) {
		struct passwd *p = getpwnam(name);

		if (p)
			e->id = p->pw_uid;
	} else if (name) {
		struct group *g = getgrnam(name);

		if (g)
			e->id = g->gr_gid;
	}
	if (e->id == UINT32_MAX)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "an ACL names the %s \"%s\", which this host does not know",
				e->tag == USER ? "user" : "group", name ? name : "");
	return 0;
}

/* What posix_acl_valid() of kernels asks for, of a sorted list: nothing twice, and a mask where users or groups are named. */
static int check(const struct acl_entry *list, int n, struct ero_error *err)
{
	bool named = false, mask = false;

	for (int i = 0; i < n; i++) {
		named |= list[i].tag == USER || list[i].tag == GROUP;
		mask |= list[i].tag == MASK;
		if (!list[i].tag || (i && !compare(&list[i - 1], &list[i])))
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "an ACL has an entry twice, or one of no known kind");
	}
	return named && !mask ? ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "an ACL names users or groups and has no mask") : 0;
}

bool ero_acl_is_valid(const void *bytes, size_t length)
{
	struct acl_entry *list;
	size_t count = length < 4 ? 0 : (length - 4) / 8;
	bool good;

	if (length < 4 || (length - 4) % 8 || ero_get32(bytes) != VERSION || !(list = calloc(count + 1, sizeof(*list))))
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = (const uint8_t *)bytes + 4 + i * 8;

		list[i] = (struct acl_entry){ ero_get16(at), ero_get16(at + 2), ero_get32(at + 4) };
	}
	qsort(list, count, sizeof(*list), compare);
	good = !check(list, (int)count, NULL);
	free(list);
	return good;
}

int ero_acl_from_archive(struct archive_entry *entry, int type, uint8_t **bytes, size_t *length, int *mask,
			 struct ero_error *err)
{
	int count = archive_entry_acl_reset(entry, type), kind, perm, tag, id, n = 0, rc = 0;
	struct acl_entry *list;
	const char *name;

	*bytes = NULL;
	*length = 0;
	*mask = -1;
	/* three entries say what the mode says */
	if (count <= (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? 3 : 0))
		return 0;
	list = calloc((size_t)count, sizeof(*list));
	if (!list)
		return ero_fail_memory(err);
	while (!rc && n < count && archive_entry_acl_next(entry, type, &kind, &perm, &tag, &id, &name) == ARCHIVE_OK) {
		list[n].tag = tag_of(tag);
		list[n].perm = (uint16_t)(perm & 7);
		if (list[n].tag == MASK)
			*mask = list[n].perm;
		rc = resolve(&list[n], id, name, err);
		n++;
	}
	qsort(list, (size_t)n, sizeof(*list), compare);
	if (!rc)
		rc = check(list, n, err);
	*length = 4 + (size_t)n * 8;
	*bytes = rc ? NULL : malloc(*length);
	if (!rc && !*bytes)
		rc = ero_fail_memory(err);
	if (!rc) {
		ero_put32(*bytes, VERSION);
		for (int i = 0; i < n; i++) {
			ero_put16(*bytes + 4 + i * 8, list[i].tag);
			ero_put16(*bytes + 6 + i * 8, list[i].perm);
			ero_put32(*bytes + 8 + i * 8, list[i].id);
		}
	}
	free(list);
	return rc;
}
