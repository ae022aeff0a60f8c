// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/bins.h"
#include "layout/layout.h"
#include "pack/job.h"
#include "source/names.h"
#include "tree/tree.h"

static void order_and_links(void **state)
{
	struct ero_tree t;
	struct ero_node *dir, *file;
	char path[64];

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	dir = ero_tree_node(&t, S_IFDIR | 0755);
	file = ero_tree_node(&t, S_IFREG | 0644);
	file->size = 10;
	assert_int_equal(ero_tree_link(&t, t.root, "z", dir, NULL), 0);
	assert_int_equal(ero_tree_link(&t, t.root, "b", file, NULL), 0);
	assert_int_equal(ero_tree_link(&t, dir, "again", file, NULL), 0);
	assert_int_equal(ero_tree_link(&t, t.root, "!", ero_tree_node(&t, S_IFIFO), NULL), 0);
	assert_int_equal(ero_tree_link(&t, t.root, "", file, NULL), -ENAMETOOLONG);
	assert_non_null(ero_tree_node(&t, S_IFREG)); /* never linked: dropped */
	assert_int_equal(ero_tree_finish(&t, NULL), 0);
	assert_int_equal(t.node_count, 4);
	assert_int_equal(t.hard_links, 1);
	assert_int_equal(file->nlink, 2);
	assert_int_equal(t.root->nlink, 3);
	assert_int_equal(dir->nlink, 2);
	assert_string_equal(t.root->entries[0].name, "!");
	assert_int_equal(t.file_bytes, 10);
	ero_node_path(file, path, sizeof(path));
	assert_string_equal(path, "b");
	ero_tree_free(&t);
}

static void twice_the_same_name(void **state)
{
	struct ero_tree t;
	struct ero_error err;

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	ero_tree_link(&t, t.root, "a", ero_tree_node(&t, S_IFREG), NULL);
	ero_tree_link(&t, t.root, "a", ero_tree_node(&t, S_IFREG), NULL);
	assert_int_equal(ero_tree_finish(&t, &err), -EEXIST);
	ero_tree_free(&t);
}

/* Archive members replace each other; directories are made and kept. */
static void replaced_members(void **state)
{
	struct ero_names *n;
	struct ero_tree t;
	struct ero_node *first, *second, *dir;

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	assert_int_equal(ero_names_create(&t, &n, NULL), 0);
	first = ero_tree_node(&t, S_IFREG);
	second = ero_tree_node(&t, S_IFREG);
	assert_int_equal(ero_names_put(n, "a/b/c", first, NULL), 0);
	assert_ptr_equal(ero_names_find(n, "a/b/c"), first);
	assert_int_equal(ero_names_put(n, "a/b/c", second, NULL), 0);
	assert_ptr_equal(ero_names_find(n, "a/b/c"), second);
	assert_int_equal(ero_names_directory(n, "a/b", &dir, NULL), 0);
	assert_ptr_equal(dir, ero_names_find(n, "a/b"));
	assert_int_equal(ero_names_put(n, "a/b/c/d", first, NULL), -ENOTDIR); /* a file in the way is not lost */
	assert_int_equal(ero_names_put(n, "a/b", first, NULL), -EISDIR);      /* nor what a directory holds */
	assert_int_equal(ero_names_directory(n, "a/b/c", &dir, NULL), 0);     /* who names it as a directory means it */
	assert_int_equal(ero_names_put(n, "a/b/c/d", first, NULL), 0);
	assert_true(S_ISDIR(ero_names_find(n, "a/b/c")->mode));
	assert_null(ero_names_find(n, "a/x"));
	for (int i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many/%d", i);
		assert_int_equal(ero_names_put(n, name, ero_tree_node(&t, S_IFREG), NULL), 0);
	}
	assert_int_equal(ero_names_finish(n, NULL, NULL), 0);
	ero_names_free(n);
	assert_int_equal(ero_tree_finish(&t, NULL), 0);
	assert_int_equal(t.node_count, 1 + 4 + 1 + 5000);
	ero_tree_free(&t);
}

static void xattr_sets(void **state)
{
	struct ero_tree t;
	struct ero_error err;
	uint32_t a, b, c, none;

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	assert_int_equal(ero_xattrs_commit(&t.xattrs, &none, NULL), 0);
	assert_int_equal(none, 0);
	ero_xattrs_add(&t.xattrs, "user.b", "2", 1, NULL);
	ero_xattrs_add(&t.xattrs, "user.a", "1", 1, NULL);
	assert_int_equal(ero_xattrs_commit(&t.xattrs, &a, NULL), 0);
	ero_xattrs_add(&t.xattrs, "user.a", "1", 1, NULL);
	ero_xattrs_add(&t.xattrs, "user.b", "2", 1, NULL);
	assert_int_equal(ero_xattrs_commit(&t.xattrs, &b, NULL), 0);
	assert_int_equal(a, b); /* whatever the order */
	assert_int_equal(ero_xattrs_reopen(&t.xattrs, a, NULL), 0);
	ero_xattrs_add(&t.xattrs, "user.a", "other", 5, NULL);
	assert_int_equal(ero_xattrs_commit(&t.xattrs, &c, NULL), 0);
	assert_int_not_equal(a, c);
	assert_int_equal(t.xattrs.sets[c].count, 2);
	assert_int_equal(ero_xattrs_add(&t.xattrs, "btrfs.compression", "zstd", 4, &err), -EOPNOTSUPP);
	assert_int_equal(ero_xattrs_add(&t.xattrs, "user.big", "", 70000, &err), -E2BIG);
	ero_tree_free(&t);
}

/* Blocks of a directory: what the walk tells is what the cut has counted, "." and ".." in their places. */
static void directory_cut(void **state)
{
	struct ero_tree t;
	struct ero_dir_walk walk;
	const struct ero_node *node;
	const char *name, *last = "";
	uint32_t length, told = 0, last_length = 0;
	char text[300];

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(text, sizeof(text), "%s%0*d", i % 3 ? "" : "!", i % 200 + 4, i);

		assert_true(n > 0);
		ero_tree_link(&t, t.root, text, ero_tree_node(&t, S_IFREG), NULL);
	}
	assert_int_equal(ero_tree_finish(&t, NULL), 0);
	walk = (struct ero_dir_walk){ .dir = t.root };
	while (ero_dir_walk_next(&walk, &name, &length, &node)) {
		size_t shared = length < last_length ? length : last_length;
		int order = memcmp(last, name, shared);

		assert_true(!told || order < 0 || (order == 0 && last_length < length));
		last = name;
		last_length = length;
		told++;
	}
	assert_int_equal(told, 1002);
	assert_true(ero_dir_cut(t.root, 512, false).blocks > ero_dir_cut(t.root, 4096, false).blocks);
	assert_true(ero_dir_cut(t.root, 4096, false).last_bytes <= 4096);
	walk = (struct ero_dir_walk){ .dir = t.root, .dots = 1 }; /* "." omitted, ".." not */
	for (told = 0, last = ""; ero_dir_walk_next(&walk, &name, &length, &node); told++) {
		assert_false(length == 1 && name[0] == '.');
		if (length == 2 && !memcmp(name, "..", 2))
			last = "..";
	}
	assert_int_equal(told, 1001);
	assert_string_equal(last, "..");
	ero_tree_free(&t);
}

/* No piece crosses a block, none overlaps another, and little is wasted. */
static void best_fit(void **state)
{
	struct ero_bins *b = calloc(1, sizeof(*b));
	uint64_t next = 5, seed = 7, sum = 0;
	static uint8_t used[4000][128];

	(void)state;
	b->block_size = 4096;
	for (int i = 0; i < 5000; i++) {
		uint32_t size = 33 + (uint32_t)(next_random(&seed) % 4000);
		uint64_t at;

		assert_int_equal(ero_bins_place(b, size, &next, &at, NULL), 0);
		assert_int_equal(at % 32, 0);
		assert_true(at % 4096 + size <= 4096);
		assert_true(at / 4096 >= 5 && at / 4096 < next);
		for (uint32_t u = 0; u < (size + 31) / 32; u++) {
			assert_int_equal(used[at / 4096][at % 4096 / 32 + u], 0);
			used[at / 4096][at % 4096 / 32 + u] = 1;
		}
		sum += (size + 31) / 32 * 32;
	}
	assert_true(sum * 100 >= (next - 5) * 4096 * 94);
	ero_vec_free(&b->bins);
	free(b);
}

/* Names that begin like others, in any order; names that are not there. */
static void entries(void **state)
{
	static const char *const names[] = { "a", "ab", "abc", "ac", "\x01", "\xff", "a\xff", "A", "a b" };
	struct ero_tree t;

	(void)state;
	assert_int_equal(ero_tree_init(&t, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(ero_tree_link(&t, t.root, names[i], ero_tree_node(&t, S_IFREG), NULL), 0);
	assert_int_equal(ero_tree_finish(&t, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct ero_node *node = ero_tree_entry(t.root, names[i], strlen(names[i]));

		assert_non_null(node);
		assert_string_equal(node->name, names[i]);
	}
	assert_string_equal(ero_tree_entry(t.root, "abcd", 2)->name, "ab");
	assert_null(ero_tree_entry(t.root, "abcd", 4));
	assert_null(ero_tree_entry(t.root, "b", 1));
	assert_null(ero_tree_entry(t.root, "", 0));
	assert_string_equal(t.root->entries[0].name, "\x01");
	assert_string_equal(t.root->entries[8].name, "\xff");
	ero_tree_free(&t);
}

/* Ranges are longer than 32 bits can say. */
static void ranges(void **state)
{
	struct ero_pack_range r = { NULL, 7, 5ull << 30 }, part;

	(void)state;
	part = ero_pack_range_take(&r, 3ull << 30);
	assert_true(part.offset == 7 && part.length == 3ull << 30);
	part = ero_pack_range_take(&r, UINT64_MAX);
	assert_true(part.offset == 7 + (3ull << 30) && part.length == 2ull << 30 && !r.length);
	r.length = 5ull << 30;
	part = ero_pack_range_take(&r, 4ull << 30);
	assert_true(part.length == 4ull << 30 && r.length == 1ull << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_links), cmocka_unit_test(twice_the_same_name), cmocka_unit_test(replaced_members),
		cmocka_unit_test(xattr_sets),	   cmocka_unit_test(directory_cut),	  cmocka_unit_test(best_fit),
		cmocka_unit_test(entries),	   cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
