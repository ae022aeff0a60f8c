// SPDX-License-Identifier: MIT
/* libFuzzer target: any bytes as an image, extracted below a directory in memory, whose parent must be left as it was. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#include "erolith.h"

static char parent[64];

static void leave(void)
{
	fuzz_remove(parent);
}

static void prepare(void)
{
	char path[128];
	FILE *f;

	snprintf(parent, sizeof(parent), "/dev/shm/erolith-fuzz.XXXXXX");
	FUZZ_ASSERT(mkdtemp(parent));
	atexit(leave);
	snprintf(path, sizeof(path), "%s/witness", parent);
	f = fopen(path, "w");
	FUZZ_ASSERT(f && fputs("as it was", f) >= 0 && !fclose(f));
}

/* Only the witness and the target, and that unchanged. */
static void verify(void)
{
	char path[128], text[32] = "";
	struct dirent *e;
	unsigned others = 0;
	DIR *d = opendir(parent);
	FILE *f;

	while ((e = readdir(d)))
		others += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "witness") && strcmp(e->d_name, "target");
	closedir(d);
	snprintf(path, sizeof(path), "%s/witness", parent);
	f = fopen(path, "r");
	FUZZ_ASSERT(f && fgets(text, sizeof(text), f) && !strcmp(text, "as it was") && !others);
	fclose(f);
}

static int fuzz_one(const uint8_t *data, size_t size)
{
	struct ero_open_options open_options = { .ignore_checksum = true };
	char path[64], target[128];
	struct ero_extract_options options = { .target = target, .workers = 1, .xattrs = true, .permissions = true };
	struct ero_check_result result;
	struct ero_image *image;
	int fd = fuzz_file(data, size, path);

	if (!*parent)
		prepare();
	snprintf(target, sizeof(target), "%s/target", parent);
	if (!ero_image_open(path, &open_options, &image, NULL)) {
		options.salvage = size % 2;
		ero_extract(image, &options, &result, NULL);
		ero_image_close(image);
		verify();
		fuzz_remove(target);
	}
	close(fd);
	return 0;
}
