// SPDX-License-Identifier: MIT
/* libFuzzer target: a byte that chooses how, then an archive (tar, cpio and what else libarchive reads), built into an image,
 * which the checker must call clean. */
#include "fuzz.h"

#include "erolith.h"

static void on_finding(void *context, const struct ero_finding *finding)
{
	(void)context;
	if (finding->severity == ERO_DAMAGE)
		fprintf(stderr, "%s: %s: %s\n", finding->id, finding->path ? finding->path : "", finding->message);
}

static void verify(const char *path)
{
	struct ero_check_options options = { .data = true, .workers = 1, .finding = on_finding };
	struct ero_check_result result;
	struct ero_image *image;
	struct ero_error err;

	if (ero_image_open(path, NULL, &image, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	FUZZ_ASSERT(!ero_check(image, &options, &result, &err) && !result.damages);
	ero_image_close(image);
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	static const char *const presets[] = { NULL, "dense", "compat", "live" };
	struct ero_build_options options;
	struct ero_build_summary summary;
	char path[64], target[64];
	struct ero_error err;
	int fd;

	if (size < 2)
		return 0;
	fd = fuzz_file(data + 1, size - 1, path);
	snprintf(target, sizeof(target), "/dev/shm/erolith-fuzz-%d", getpid());
	ero_build_options_init(&options);
	options.source_kind = ERO_SOURCE_ARCHIVE;
	options.source = path;
	options.target = target;
	options.preset = presets[*data & 3];
	options.aufs = *data & 4;
	options.workers = 1;
	options.uuid_given = options.build_time_given = true;
	if (!ero_build(&options, &summary, &err)) {
		verify(target);
		unlink(target);
	}
	FUZZ_ASSERT(access(target, F_OK));
	close(fd);
	return 0;
}
