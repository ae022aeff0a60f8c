// SPDX-License-Identifier: MIT
/* Interning through two hash tables (items, sets) with open addressing; both are dropped when the tree is complete. */
#include "tree/xattrs.h"
#include "base/vec.h"
#include "format/xattr.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct table {
	uint32_t *slots; /* number + 1, 0: free */
	size_t room, used;
};

struct ero_xattr_lookup {
	struct table items, sets;
};

int ero_xattrs_init(struct ero_xattrs *x, struct ero_error *err)
{
	memset(x, 0, sizeof(*x));
	if (!ero_vec_grow((void **)&x->sets, &x->set_room, 0, 1, sizeof(*x->sets)))
		return ero_fail_memory(err);
	memset(&x->sets[0], 0, sizeof(x->sets[0]));
	x->set_count = 1;
	return 0;
}

void ero_xattrs_drop_lookup(struct ero_xattrs *x)
{
	if (x->lookup) {
		free(x->lookup->items.slots);
		free(x->lookup->sets.slots);
	}
	free(x->lookup);
	x->lookup = NULL;
}

void ero_xattrs_free(struct ero_xattrs *x)
{
	ero_xattrs_drop_lookup(x);
	free(x->items);
	free(x->sets);
	free(x->members);
	free(x->pending);
	ero_arena_free(&x->arena);
}

static uint64_t hash_item(const struct ero_xattr_item *i)
{
	return XXH3_64bits_withSeed(i->name, i->name_length, i->base_index) ^ XXH3_64bits(i->value, i->value_length);
}

static bool same_item(const struct ero_xattr_item *a, const struct ero_xattr_item *b)
{
	return a->base_index == b->base_index && a->name_length == b->name_length && a->value_length == b->value_length &&
	       !memcmp(a->name, b->name, a->name_length) && !memcmp(a->value, b->value, a->value_length);
}

/* Doubles a table when it is more than half full; `hash` gives the hash of an element by number. */
static int make_room(struct ero_xattrs *x, struct table *t, uint64_t (*hash)(const struct ero_xattrs *, uint32_t),
		     struct ero_error *err)
{
	size_t room = t->room ? t->room * 2 : 256;
	uint32_t *slots;

	if (t->used * 2 < t->room)
		return 0;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return ero_fail_memory(err);
	for (size_t i = 0; i < t->room; i++) {
		size_t at;

		if (!t->slots[i])
			continue;
		for (at = (size_t)hash(x, t->slots[i] - 1) & (room - 1); slots[at]; at = (at + 1) & (room - 1))
			;
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->room = room;
	return 0;
}

static uint64_t item_hash_by_number(const struct ero_xattrs *x, uint32_t n)
{
	return hash_item(&x->items[n]);
}

static uint64_t hash_members(const uint32_t *members, size_t count)
{
	return XXH3_64bits(members, count * sizeof(*members));
}

static uint64_t set_hash_by_number(const struct ero_xattrs *x, uint32_t n)
{
	return hash_members(x->members + x->sets[n].first, x->sets[n].count);
}

static int lookup(struct ero_xattrs *x, struct ero_error *err)
{
	if (!x->lookup)
		x->lookup = calloc(1, sizeof(*x->lookup));
	return x->lookup ? 0 : ero_fail_memory(err);
}

static int intern_item(struct ero_xattrs *x, const struct ero_xattr_item *wanted, uint32_t *number,
		       struct ero_error *err)
{
	struct ero_xattr_item item = *wanted;
	struct table *t;
	size_t at;
	int rc = lookup(x, err);

	if (rc)
		return rc;
	t = &x->lookup->items;
	rc = make_room(x, t, item_hash_by_number, err);
	if (rc)
		return rc;
	for (at = (size_t)hash_item(&item) & (t->room - 1); t->slots[at]; at = (at + 1) & (t->room - 1)) {
		if (same_item(&x->items[t->slots[at] - 1], &item)) {
			*number = t->slots[at] - 1;
			return 0;
		}
	}
	item.name = ero_arena_string(&x->arena, wanted->name, wanted->name_length);
	item.value = (const uint8_t *)ero_arena_string(&x->arena, (const char *)wanted->value, wanted->value_length);
	if (!item.name || !item.value ||
	    !ero_vec_grow((void **)&x->items, &x->item_room, x->item_count, 1, sizeof(*x->items)))
		return ero_fail_memory(err);
	x->items[x->item_count] = item;
	*number = (uint32_t)x->item_count++;
	t->slots[at] = *number + 1;
	t->used++;
	return 0;
}

static int compare_names(const struct ero_xattr_item *a, const struct ero_xattr_item *b)
{
	if (a->base_index != b->base_index)
		return a->base_index < b->base_index ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int add(struct ero_xattrs *x, int index, const char *name, size_t skip, const void *value, size_t length,
	       struct ero_error *err)
{
	struct ero_xattr_item item = { .value = value, .value_length = (uint32_t)length };
	uint32_t number = 0;
	size_t at;
	int rc;

	if (strlen(name) > 255 || length > UINT16_MAX)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, E2BIG, "xattr %s is too large: %zu bytes of value", name, length);
	item.base_index = (uint8_t)index;
	item.name = name + skip;
	item.name_length = (uint8_t)strlen(item.name);
	rc = intern_item(x, &item, &number, err);
	if (rc)
		return rc;
	if (!ero_vec_grow((void **)&x->pending, &x->pending_room, x->pending_count, 1, sizeof(*x->pending)))
		return ero_fail_memory(err);
	/* kept sorted by name: sets are small */
	for (at = 0; at < x->pending_count; at++) {
		int order = compare_names(&x->items[number], &x->items[x->pending[at]]);

		if (order == 0) {
			x->pending[at] = number;
			return 0;
		}
		if (order < 0)
			break;
	}
	memmove(x->pending + at + 1, x->pending + at, (x->pending_count - at) * sizeof(*x->pending));
	x->pending[at] = number;
	x->pending_count++;
	return 0;
}

int ero_xattrs_add(struct ero_xattrs *x, const char *name, const void *value, size_t length, struct ero_error *err)
{
	size_t skip = 0;
	int index = ero_xattr_index(name, &skip);

	if (index < 0 || (index != 2 && index != 3 && !name[skip])) /* all but ACLs have a name behind the prefix */
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, EOPNOTSUPP, "the format has no place for xattrs named %s", name);
	return add(x, index, name, skip, value, length, err);
}

int ero_xattrs_add_hidden(struct ero_xattrs *x, const char *name, const void *value, size_t length, struct ero_error *err)
{
	return add(x, 0, name, 0, value, length, err);
}

int ero_xattrs_commit(struct ero_xattrs *x, uint32_t *set, struct ero_error *err)
{
	size_t count = x->pending_count, at;
	struct ero_xattr_set *s;
	struct table *t;
	int rc;

	*set = 0;
	x->pending_count = 0;
	if (!count)
		return 0;
	t = &x->lookup->sets; /* adding the items has made the lookup */
	rc = make_room(x, t, set_hash_by_number, err);
	if (rc)
		return rc;
	for (at = (size_t)hash_members(x->pending, count) & (t->room - 1); t->slots[at]; at = (at + 1) & (t->room - 1)) {
		s = &x->sets[t->slots[at] - 1];
		if (s->count == count && !memcmp(x->members + s->first, x->pending, count * sizeof(*x->pending))) {
			*set = t->slots[at] - 1;
			return 0;
		}
	}
	if (!ero_vec_grow((void **)&x->sets, &x->set_room, x->set_count, 1, sizeof(*x->sets)) ||
	    !ero_vec_grow((void **)&x->members, &x->member_room, x->member_count, count, sizeof(*x->members)))
		return ero_fail_memory(err);
	memcpy(x->members + x->member_count, x->pending, count * sizeof(*x->pending));
	x->sets[x->set_count] = (struct ero_xattr_set){ .first = (uint32_t)x->member_count, .count = (uint32_t)count };
	x->member_count += count;
	*set = (uint32_t)x->set_count++;
	t->slots[at] = *set + 1;
	t->used++;
	return 0;
}

int ero_xattrs_reopen(struct ero_xattrs *x, uint32_t set, struct ero_error *err)
{
	const struct ero_xattr_set *s = &x->sets[set];

	if (!ero_vec_grow((void **)&x->pending, &x->pending_room, 0, s->count, sizeof(*x->pending)))
		return ero_fail_memory(err);
	if (s->count)
		memcpy(x->pending, x->members + s->first, s->count * sizeof(*x->pending));
	x->pending_count = s->count;
	return lookup(x, err);
}
