/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes of a tree, interned: an item is one name with one value, a set is what one inode has. Most
 * inodes of a real system share a handful of sets.
 */
#ifndef ERO_TREE_XATTRS_H
#define ERO_TREE_XATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"

struct ero_xattr_item {
	const char *name;      /* after the built-in prefix; terminated */
	const uint8_t *value;
	uint64_t shared_at;    /* byte position of the entry when shared */
	uint32_t value_length;
	uint32_t users;        /* inodes that have it; counted by the builder */
	uint8_t base_index;    /* built-in prefix; 0: none */
	uint8_t name_length;
	uint8_t long_prefix;   /* number + 1 of the long prefix used, or 0 */
	uint8_t long_skip;     /* bytes of the name that prefix stands for */
	bool shared;
};

struct ero_xattr_set {
	uint32_t first, count; /* into members */
	uint32_t body_size;    /* inline bytes; set by the builder */
};

struct ero_xattrs {
	struct ero_arena arena;
	struct ero_xattr_item *items;
	size_t item_count, item_room;
	struct ero_xattr_set *sets; /* [0] is the empty one */
	size_t set_count, set_room;
	uint32_t *members;          /* item numbers of all sets, each set sorted by name */
	size_t member_count, member_room;
	uint32_t *pending;          /* of the set being collected */
	size_t pending_count, pending_room;
	struct ero_xattr_lookup *lookup;
};

int ero_xattrs_init(struct ero_xattrs *x, struct ero_error *err);
void ero_xattrs_free(struct ero_xattrs *x);

/* Collects one attribute for the set in progress. A name no prefix covers is -EOPNOTSUPP; a name that is there already
 * gets the new value. Values are limited to 65535 bytes and names to 255 behind their prefix (-E2BIG). */
int ero_xattrs_add(struct ero_xattrs *x, const char *name, const void *value, size_t length, struct ero_error *err);
/* The same for a name without any prefix, which kernels keep for themselves. */
int ero_xattrs_add_hidden(struct ero_xattrs *x, const char *name, const void *value, size_t length, struct ero_error *err);
/* Ends the set in progress and returns its number. */
int ero_xattrs_commit(struct ero_xattrs *x, uint32_t *set, struct ero_error *err);
/* Begins a new set as a copy of an old one, for changes to it. */
int ero_xattrs_reopen(struct ero_xattrs *x, uint32_t set, struct ero_error *err);
/* Frees what only adding needs. */
void ero_xattrs_drop_lookup(struct ero_xattrs *x);

#endif
