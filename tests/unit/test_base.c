// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/outfile.h"
#include "base/pool.h"
#include "base/keys.h"
#include "base/limits.h"
#include "base/spool.h"
#include "base/vec.h"

static void numbers(void **state)
{
	static const char *const bad[] = { "", " 1", "-1", "+1", "1x", "1 ", "0x", "K", "1KK", "18446744073709551616",
					   "18014398509481984K", "9", "101" };
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ero_parse_number(bad[i], 10, 100, &n));
	assert_int_equal(n, 7); /* untouched by failures */
	assert_true(ero_parse_number("10", 10, 100, &n) && n == 10);
	assert_true(ero_parse_number("0x64", 10, 100, &n) && n == 100);
	assert_true(ero_parse_number("4k", 0, UINT64_MAX, &n) && n == 4096);
	assert_true(ero_parse_number("1G", 0, UINT64_MAX, &n) && n == 1u << 30);
	assert_true(ero_parse_number("18446744073709551615", 0, UINT64_MAX, &n) && n == UINT64_MAX);
}

static void sparse_bits(void **state)
{
	struct ero_bits b = { 0 };

	(void)state;
	assert_int_equal(ero_bits_claim(&b, 5, 1), 0);
	assert_int_equal(ero_bits_claim(&b, 5, 1), 1);
	assert_int_equal(ero_bits_claim(&b, 4000, 300), 0); /* over the end of a page */
	assert_int_equal(ero_bits_claim(&b, 1ull << 50, 64), 0);
	assert_int_equal(ero_bits_claim(&b, 3990, 11), 1);
	assert_int_equal(ero_bits_claim(&b, 6, 63), 0);
	assert_int_equal(ero_bits_claim(&b, 68, 1), 1);
	assert_int_equal(ero_bits_claim(&b, 69, 1), 0);
	assert_int_equal(ero_bits_mark(&b, 5), 0);
	assert_int_equal(ero_bits_mark(&b, 5), 1);
	assert_int_equal(ero_bits_mark(&b, 2000), 0); /* in no set */
	assert_int_equal(ero_bits_mark(&b, 2000), 1);
	assert_int_equal(ero_bits_finish(&b), 0);
	assert_true(ero_bits_next(&b, 0, UINT64_MAX) == 5 && ero_bits_next(&b, 5, UINT64_MAX) == 5 && ero_bits_next(&b, 69, UINT64_MAX) == 69);
	assert_true(ero_bits_next(&b, 70, UINT64_MAX) == 3990 || ero_bits_next(&b, 70, UINT64_MAX) == 4000); /* what a refused claim leaves is not said */
	assert_true(ero_bits_next(&b, 4299, UINT64_MAX) == 4299 && ero_bits_next(&b, 4300, UINT64_MAX) == 1ull << 50);
	assert_true(ero_bits_next(&b, (1ull << 50) + 63, UINT64_MAX) == (1ull << 50) + 63 && ero_bits_next(&b, (1ull << 50) + 64, UINT64_MAX) == UINT64_MAX);
	assert_true(ero_bits_next(&b, 0, UINT64_MAX) == 5); /* and back */
	assert_true(ero_bits_next(&b, 0, 6) == 5 && ero_bits_next(&b, 0, 5) == UINT64_MAX && ero_bits_next(&b, 4300, 1ull << 50) == UINT64_MAX);
	assert_true(ero_bits_next(&b, 4300, (1ull << 50) + 1) == 1ull << 50);
	ero_bits_free(&b);
}

static void checksum(void **state)
{
	(void)state;
	/* RFC 3720, B.4: the check value of "123456789" is E3069283 after a final inversion, which EROFS leaves out */
	assert_int_equal(ero_crc32c(~0u, "123456789", 9), ~0xE3069283u);
	assert_int_equal(ero_crc32c(ero_crc32c(~0u, "1234", 4), "56789", 5), ~0xE3069283u);
}

static void ranges(void **state)
{
	(void)state;
	assert_true(ero_in_range(0, 10, 10));
	assert_true(ero_in_range(10, 0, 10));
	assert_false(ero_in_range(11, 0, 10));
	assert_false(ero_in_range(5, UINT64_MAX, 10)); /* would wrap as a sum */
	assert_false(ero_in_range(UINT64_MAX, UINT64_MAX, 10));
	assert_int_equal(ero_div_up(UINT64_MAX, 4096), UINT64_MAX / 4096 + 1);
	assert_true(ero_all_zero("\0\0\0", 3));
	assert_false(ero_all_zero("\0\0\1", 3));
	assert_true(ero_all_zero("", 0));
}

static void vectors(void **state)
{
	ERO_VEC(uint32_t) v = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(ero_vec_push(&v, i));
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(v.data[i], i);
	assert_false(ero_vec_reserve(&v, SIZE_MAX)); /* count + more wraps */
	assert_false(ero_vec_reserve(&v, SIZE_MAX / 3)); /* bytes wrap */
	assert_int_equal(v.count, 1000);
	ero_vec_free(&v);
}

static void put_line(const char *root, const char *path, const char *line)
{
	char name[512], *slash;
	FILE *f;

	snprintf(name, sizeof(name), "%s/%s", root, path);
	for (slash = strchr(name + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(name, 0700);
		*slash = '/';
	}
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(line, f);
	fclose(f);
}

/* Limits of control groups: of one's own and of those above, in both versions. */
static void groups(void **state)
{
	char root[] = "/tmp/erolith-groups.XXXXXX", command[64];
	struct ero_limits plain, l;

	(void)state;
	assert_non_null(mkdtemp(root));
	ero_limits_read("/nowhere", &plain);
	assert_true(plain.processors >= 1 && plain.memory > 0);
	put_line(root, "proc/self/cgroup", "0::/a/b\n");
	put_line(root, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	put_line(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
	ero_limits_read(root, &l);
	assert_true(l.processors == plain.processors && l.memory == plain.memory);
	put_line(root, "sys/fs/cgroup/a/cpu.max", "50000 100000\n"); /* half a processor is one thread */
	put_line(root, "sys/fs/cgroup/a/memory.max", "268435456\n");
	ero_limits_read(root, &l);
	assert_int_equal(l.processors, 1);
	assert_int_equal(l.memory, 256 << 20);
	put_line(root, "proc/self/cgroup", "4:memory:/x\n1:cpu,cpuacct:/y\n0::/\n");
	put_line(root, "sys/fs/cgroup/cpu,cpuacct/y/cpu.cfs_quota_us", "-1\n");
	put_line(root, "sys/fs/cgroup/cpu,cpuacct/y/cpu.cfs_period_us", "100000\n");
	ero_limits_read(root, &l);
	assert_int_equal(l.processors, plain.processors);
	put_line(root, "sys/fs/cgroup/cpu,cpuacct/y/cpu.cfs_quota_us", "20000\n");
	put_line(root, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1048576\n");
	ero_limits_read(root, &l);
	assert_int_equal(l.processors, 1);
	assert_int_equal(l.memory, 1 << 20);
	assert_int_equal(ero_limits_workers(8, 100 << 20, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), 1);
	assert_int_equal(ero_limits_workers(8, 256 << 20, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), 8);
	assert_int_equal(ero_limits_workers(8, 1, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), 1);
	assert_int_equal(ero_limits_workers(5, 0, ERO_LIMITS_BASE, ERO_LIMITS_WORKER), 5);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void printed(char *to, size_t size, void (*print)(FILE *, const char *, size_t), const char *text)
{
	FILE *f = fmemopen(to, size, "w");

	assert_non_null(f);
	print(f, text, strlen(text));
	fclose(f);
}

/* No name plays with a terminal, or hides something. */
static void escapes(void **state)
{
	static const char *const hostile[] = { "\x1b[31m", "\n", "\r", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b", "\xe2\x81\xa6", "\xef\xbb\xbf",
					       "\xf3\xa0\x80\xa1", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xd8\x9c", "\xe2\x80\xa8", "\xe2" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		printed(text, sizeof(text), ero_print_name, hostile[i]);
		assert_memory_equal(text, "\\x", 2);
		for (const char *c = text; *c; c++)
			assert_true(*c >= ' ' && *c < 127);
		printed(text, sizeof(text), ero_print_text, hostile[i]);
		assert_memory_equal(text, "\\x", 2);
	}
	printed(text, sizeof(text), ero_print_name, "caf\xc3\xa9 \xe6\x97\xa5 a\\b");
	assert_string_equal(text, "caf\xc3\xa9 \xe6\x97\xa5 a\\x5cb");
	printed(text, sizeof(text), ero_print_text, "caf\xc3\xa9 a\\b");
	assert_string_equal(text, "caf\xc3\xa9 a\\b");
}

static void arenas(void **state)
{
	struct ero_arena a = { 0 };
	char *names[5000];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char text[32];
		int n = snprintf(text, sizeof(text), "name-%d", i);
		uint64_t *p = ero_arena_alloc(&a, 24);

		names[i] = ero_arena_string(&a, text, (size_t)n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % sizeof(uint64_t), 0);
		assert_int_equal(p[0] | p[1] | p[2], 0);
		p[0] = p[1] = p[2] = ~0ull;
	}
	assert_non_null(ero_arena_alloc(&a, 1 << 20)); /* larger than a chunk */
	for (int i = 0; i < 5000; i++)
		assert_int_equal(atoi(names[i] + 5), i);
	ero_arena_free(&a);
}

/* A spool gives back what was put in, whether it lies in memory, in the file, or across the border. */
static void spools(void **state)
{
	const size_t limit = 100000, total = 5u << 20;
	unsigned char *all = malloc(total), *back = malloc(total);
	struct ero_spool *spool;
	uint64_t seed = 1, at, offset;
	size_t done = 0;

	(void)state;
	assert_int_equal(ero_spool_create("/tmp/spooltest", limit, &spool, NULL), 0);
	while (done < total) {
		size_t part = (size_t)(next_random(&seed) % 70000) + 1;

		if (part > total - done)
			part = total - done;
		for (size_t i = 0; i < part; i++)
			all[done + i] = (unsigned char)next_random(&seed);
		assert_int_equal(ero_spool_append(spool, all + done, part, &at, NULL), 0);
		assert_int_equal(at, done);
		done += part;
	}
	assert_int_equal(ero_spool_read(spool, back, total, 0, NULL), 0);
	assert_memory_equal(all, back, total);
	for (int i = 0; i < 200; i++) {
		size_t part = (size_t)(next_random(&seed) % 200000) + 1;

		offset = next_random(&seed) % (total - part);
		if (i < 20)
			offset = limit - part / 2; /* across the border */
		if (offset + part > total || part > 2 * limit)
			continue;
		assert_int_equal(ero_spool_read(spool, back, part, offset, NULL), 0);
		assert_memory_equal(all + offset, back, part);
	}
	ero_spool_free(spool);
	free(all);
	free(back);
}

struct counted {
	struct ero_job job;
	int number;
	int result;
};

static void run_counted(struct ero_job *job, void *worker)
{
	struct counted *c = (struct counted *)job;

	(void)worker;
	usleep((unsigned)(c->number * 7919 % 300)); /* later jobs often end first */
	c->result = c->number * 2;
}

/* Jobs come back in order, each after it has run: large ones (weight 0), small ones, and ones of all sizes. */
static void order_of(unsigned weight, bool mixed)
{
	struct ero_pool_options options = { .threads = 4, .in_flight = 16 };
	struct counted jobs[500];
	struct ero_pool *pool;
	int taken = 0;

	assert_int_equal(ero_pool_create(&options, &pool, NULL), 0);
	assert_null(ero_pool_take(pool));
	for (int i = 0; i < 500; i++) {
		jobs[i] = (struct counted){ .job = { .run = run_counted, .weight = mixed && i % 3 ? weight * (unsigned)i : weight }, .number = i };
		if (ero_pool_full(pool)) {
			assert_ptr_equal(ero_pool_take(pool), &jobs[taken].job);
			assert_int_equal(jobs[taken].result, taken * 2);
			taken++;
		}
		ero_pool_submit(pool, &jobs[i].job);
	}
	while (!ero_pool_empty(pool)) {
		assert_ptr_equal(ero_pool_take(pool), &jobs[taken].job);
		assert_int_equal(jobs[taken].result, taken * 2);
		taken++;
	}
	assert_int_equal(taken, 500);
	ero_pool_free(pool);
}

static void pool_order(void **state)
{
	(void)state;
	order_of(0, false);
	order_of(1, false);
	order_of(1000, true);
}

static void keys_are_numbered(void **state)
{
	struct ero_keys k = { 0 };
	bool is_new;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(ero_keys_number(&k, i * 36ull, i & 1, &is_new), i);
		assert_true(is_new);
	}
	for (uint32_t i = 5000; i-- > 0;) {
		assert_int_equal(ero_keys_number(&k, i * 36ull, i & 1, &is_new), i);
		assert_false(is_new);
	}
	assert_int_equal(ero_keys_number(&k, 0, 1, &is_new), 5000); /* the second word counts */
	assert_true(is_new);
	assert_int_equal(ero_keys_number(&k, UINT64_MAX, UINT64_MAX, &is_new), 5001);
	ero_keys_free(&k);
}

static void error_texts(void **state)
{
	struct ero_error err;

	(void)state;
	errno = ENOENT;
	assert_int_equal(ero_fail_errno(&err, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
	assert_int_equal(err.kind, ERO_ERROR_IO);
	assert_int_equal(ero_error_prefix(&err, -5, "inode %d", 3), -5);
	assert_string_equal(err.text, "inode 3: cannot open x: No such file or directory");
	assert_int_equal(ero_fail(NULL, ERO_ERROR_CORRUPT, EUCLEAN, "nobody reads this"), -EUCLEAN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),    cmocka_unit_test(checksum), cmocka_unit_test(ranges),
		cmocka_unit_test(sparse_bits), cmocka_unit_test(vectors),    cmocka_unit_test(groups), cmocka_unit_test(escapes), cmocka_unit_test(arenas),	  cmocka_unit_test(spools),
		cmocka_unit_test(pool_order), cmocka_unit_test(keys_are_numbered), cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
