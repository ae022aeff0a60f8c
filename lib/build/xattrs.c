// SPDX-License-Identifier: MIT
/* Which xattrs are shared, which long prefix each name uses, how large each inode's body is, and its bytes. */
#include "base/bytes.h"
#include "build/build.h"
#include "format/inode.h"
#include "format/xattr.h"

#include <stdlib.h>
#include <string.h>

struct prefix {
	uint8_t base_index, length;
	const char *infix;
};

static int parse_prefix(const char *text, struct prefix *p, struct ero_error *err)
{
	size_t skip = 0;
	int index = ero_xattr_index(text, &skip);

	if (index < 0 || !text[skip] || strlen(text + skip) > 255 || index == ERO_XATTR_ACL_ACCESS ||
	    index == ERO_XATTR_ACL_DEFAULT)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL,
				"--xattr-prefix=%s: a prefix is user., trusted. or security. and something more", text);
	p->base_index = (uint8_t)index;
	p->infix = text + skip;
	p->length = (uint8_t)strlen(p->infix);
	return 0;
}

/* Each item uses the longest prefix that begins its name. */
static void assign_prefix(struct ero_xattr_item *item, const struct prefix *prefixes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct prefix *p = &prefixes[i];

		if (p->base_index == item->base_index && p->length <= item->name_length && p->length > item->long_skip &&
		    !memcmp(p->infix, item->name, p->length)) {
			item->long_prefix = (uint8_t)(i + 1);
			item->long_skip = p->length;
		}
	}
}

static int encode_prefix_table(struct ero_build *b, const struct prefix *prefixes, size_t count, struct ero_error *err)
{
	size_t at = 0;

	b->prefix_table = calloc(count, 4 + 2 + 1 + 256);
	if (!b->prefix_table)
		return ero_fail_memory(err);
	for (size_t i = 0; i < count; i++) {
		at = (size_t)ero_round_up(at, 4);
		ero_put16(b->prefix_table + at, (uint16_t)(1 + prefixes[i].length));
		b->prefix_table[at + 2] = prefixes[i].base_index;
		memcpy(b->prefix_table + at + 3, prefixes[i].infix, prefixes[i].length);
		at += 3u + prefixes[i].length;
	}
	b->prefix_table_size = at;
	return 0;
}

/* The whole name of the fingerprints' xattr is a prefix, which the superblock names. */
static int add_fingerprint(struct ero_build *b, struct prefix *p, size_t number, struct ero_error *err)
{
	const char *name = b->options.inode_digest;
	size_t skip = 0;
	int index = ero_xattr_index(name, &skip);

	if (!name[skip] || strlen(name + skip) > 255)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "--xattr-inode-digest=%s: that is no name of an xattr", name);
	p->base_index = index < 0 ? 0 : (uint8_t)index;
	p->infix = name + skip;
	p->length = (uint8_t)strlen(p->infix);
	b->super.ishare_prefix = (uint8_t)number;
	b->super.feature_compat |= ERO_COMPAT_ISHARE_XATTRS;
	return 0;
}

static int plan_prefixes(struct ero_build *b, struct ero_error *err)
{
	struct ero_xattrs *x = &b->tree.xattrs;
	struct prefix prefixes[128];
	size_t given = b->options.xattr_prefix_count, count = given + (b->options.inode_digest ? 1 : 0);
	int rc = 0;

	if (!count)
		return 0;
	if (count > sizeof(prefixes) / sizeof(prefixes[0]))
		return ero_fail(err, ERO_ERROR_ARGUMENT, E2BIG, "--xattr-prefix: %zu prefixes; 128 are possible", count);
	for (size_t i = 0; !rc && i < given; i++)
		rc = parse_prefix(b->options.xattr_prefixes[i], &prefixes[i], err);
	if (!rc && given < count)
		rc = add_fingerprint(b, &prefixes[given], given, err);
	if (rc)
		return rc;
	b->super.prefix_count = (uint8_t)count;
	for (size_t i = 0; i < x->item_count; i++)
		assign_prefix(&x->items[i], prefixes, count);
	return encode_prefix_table(b, prefixes, count, err);
}

static size_t entry_size(const struct ero_xattr_item *item)
{
	return ero_xattr_entry_size((unsigned)(item->name_length - item->long_skip), item->value_length);
}

static void count_users(struct ero_build *b)
{
	struct ero_xattrs *x = &b->tree.xattrs;

	for (size_t i = 0; i < b->tree.node_count; i++) {
		const struct ero_xattr_set *s = &x->sets[b->tree.nodes[i]->xattr_set];

		for (uint32_t m = 0; m < s->count; m++)
			x->items[x->members[s->first + m]].users++;
	}
	for (size_t i = 0; i < x->item_count; i++)
		x->items[i].shared = x->items[i].users > (uint32_t)b->options.xattr_tolerance;
}

static int size_set(struct ero_build *b, struct ero_xattr_set *s, struct ero_error *err)
{
	struct ero_xattrs *x = &b->tree.xattrs;
	uint64_t size = ERO_XATTR_HEADER;
	unsigned shared = 0;

	for (uint32_t m = 0; m < s->count; m++) {
		struct ero_xattr_item *item = &x->items[x->members[s->first + m]];
		bool by_id = item->shared && shared < 255; /* the count of ids is one byte */

		shared += by_id;
		size += by_id ? 4 : entry_size(item);
	}
	if (size > ero_xattr_body_size(UINT16_MAX))
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, E2BIG, "an inode has %llu bytes of xattrs; %u are possible",
				(unsigned long long)size, ero_xattr_body_size(UINT16_MAX));
	s->body_size = s->count ? (uint32_t)size : 0;
	return 0;
}

/* --root-xattr-isize: a set of its own for the root, with room behind the entries. */
static int widen_root(struct ero_build *b, struct ero_error *err)
{
	struct ero_xattrs *x = &b->tree.xattrs;
	uint32_t want = (uint32_t)ero_round_up(b->options.root_xattr_isize, 4);
	struct ero_xattr_set set = x->sets[b->tree.root->xattr_set];

	if (want <= set.body_size)
		return 0;
	if (want > ero_xattr_body_size(UINT16_MAX))
		return ero_fail(err, ERO_ERROR_ARGUMENT, E2BIG, "--root-xattr-isize=%u: at most %u are possible", want,
				ero_xattr_body_size(UINT16_MAX));
	if (!ero_vec_grow((void **)&x->sets, &x->set_room, x->set_count, 1, sizeof(*x->sets)))
		return ero_fail_memory(err);
	set.body_size = want < ERO_XATTR_HEADER ? ERO_XATTR_HEADER : want;
	x->sets[x->set_count] = set;
	b->tree.root->xattr_set = (uint32_t)x->set_count++;
	return 0;
}

int ero_build_plan_xattrs(struct ero_build *b, struct ero_error *err)
{
	struct ero_xattrs *x = &b->tree.xattrs;
	int rc = plan_prefixes(b, err);

	ero_xattrs_drop_lookup(x);
	if (!rc)
		count_users(b);
	for (size_t i = 0; !rc && i < x->set_count; i++)
		rc = size_set(b, &x->sets[i], err);
	return rc || !b->options.root_xattr_isize ? rc : widen_root(b, err);
}

static void encode_item(const struct ero_xattr_item *item, uint8_t *bytes)
{
	struct ero_xattr_entry e = {
		.index = item->long_prefix ? (uint8_t)(ERO_XATTR_PREFIX_BIT | (item->long_prefix - 1)) : item->base_index,
		.name_length = (uint8_t)(item->name_length - item->long_skip),
		.value_length = (uint16_t)item->value_length,
		.name = item->name + item->long_skip,
		.value = item->value,
	};

	ero_xattr_entry_encode(&e, bytes);
}

void ero_build_shared_xattr(const struct ero_build *b, uint32_t item, uint8_t *bytes)
{
	encode_item(&b->tree.xattrs.items[item], bytes);
}

void ero_build_xattr_body(const struct ero_build *b, uint32_t set, uint8_t *bytes)
{
	const struct ero_xattrs *x = &b->tree.xattrs;
	const struct ero_xattr_set *s = &x->sets[set];
	uint64_t area = (uint64_t)b->plan.xattr_block << b->pack.block_bits;
	uint32_t filter = ~0u;
	uint8_t *ids = bytes + ERO_XATTR_HEADER;

	if (!s->body_size)
		return;
	memset(bytes, 0, s->body_size);
	for (uint32_t m = 0; m < s->count; m++) {
		const struct ero_xattr_item *item = &x->items[x->members[s->first + m]];

		filter &= ~(1u << ero_xattr_filter_bit(item->base_index, item->name, item->name_length));
		if (!item->shared || bytes[4] == 255)
			continue;
		ero_put32(ids, (uint32_t)((item->shared_at - area) / 4));
		ids += 4;
		bytes[4]++;
	}
	if (b->options.xattr_name_filter)
		ero_put32(bytes, filter);
	for (uint32_t m = 0, by_id = 0; m < s->count; m++) {
		const struct ero_xattr_item *item = &x->items[x->members[s->first + m]];

		if (item->shared && by_id < bytes[4]) {
			by_id++;
			continue;
		}
		encode_item(item, ids);
		ids += entry_size(item);
	}
}
