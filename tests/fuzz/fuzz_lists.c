// SPDX-License-Identifier: MIT
/* libFuzzer target: a byte that chooses which, then a file that users write for a build: compression hints, a hot list, an
 * order, an exclusion. A small tree is built with it. */
#include "fuzz.h"

#include <sys/stat.h>

#include "erolith.h"

static char tree[64];

static void leave(void)
{
	fuzz_remove(tree);
}

static void make_tree(void)
{
	static const char *const names[] = { "a", "b.txt", "dir/c", "dir/d.so" };
	char path[128];

	snprintf(tree, sizeof(tree), "/dev/shm/erolith-lists.XXXXXX");
	FUZZ_ASSERT(mkdtemp(tree));
	atexit(leave);
	snprintf(path, sizeof(path), "%s/dir", tree);
	mkdir(path, 0755);
	for (int i = 0; i < 4; i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", tree, names[i]);
		f = fopen(path, "w");
		for (int k = 0; f && k < 3000; k++)
			fprintf(f, "%s %d\n", names[i], k);
		if (f)
			fclose(f);
	}
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	struct ero_build_options options;
	struct ero_build_summary summary;
	char path[64], target[64], *text;
	const char *word;
	int fd;

	if (!size)
		return 0;
	if (!*tree)
		make_tree();
	text = calloc(1, size);
	memcpy(text, data + 1, size - 1);
	word = text;
	fd = fuzz_file(data + 1, size - 1, path);
	snprintf(target, sizeof(target), "/dev/shm/erolith-lists-%d", getpid());
	ero_build_options_init(&options);
	options.source = tree;
	options.target = target;
	options.workers = 1;
	ero_parse_compressors("lz4:deflate", options.compressors, ERO_MAX_COMPRESSORS, &options.compressor_count, NULL);
	switch (*data % 6) {
	case 0:
		options.compress_hints = path;
		break;
	case 1:
		options.hot_list = path;
		options.hot_data = true;
		break;
	case 2:
		options.order_from = path;
		break;
	case 3:
		options.exclude_regexes = &word;
		options.exclude_regex_count = 1;
		break;
	case 4:
		options.exclude_paths = &word;
		options.exclude_path_count = 1;
		break;
	default:
		options.xattr_prefixes = &word;
		options.xattr_prefix_count = 1;
		break;
	}
	if (!ero_build(&options, &summary, NULL))
		unlink(target);
	close(fd);
	free(text);
	return 0;
}
