// SPDX-License-Identifier: MIT
/* Reads a mounted tree and prints seconds: everything in path order, the first 4 KiB of random files, and 4 KiB at random
 * places of all data, each cold (page cache dropped) and, for everything, warm.   reads DIRECTORY [COUNT]   needs root */
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct file {
	char *path;
	uint64_t size, start; /* start: in the sum of all */
};

static struct file *files;
static size_t count, room;
static uint64_t total, seed = 1;

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void list(char *top)
{
	char *const tops[] = { top, NULL };
	FTS *walk = fts_open(tops, FTS_PHYSICAL | FTS_XDEV, by_name);
	FTSENT *e;

	while (walk && (e = fts_read(walk))) {
		if (e->fts_info != FTS_F || !e->fts_statp->st_size)
			continue;
		if (count == room) {
			room = room ? room * 2 : 4096;
			files = realloc(files, room * sizeof(*files));
			if (!files)
				exit(1);
		}
		files[count++] = (struct file){ strdup(e->fts_path), (uint64_t)e->fts_statp->st_size, total };
		total += (uint64_t)e->fts_statp->st_size;
	}
	fts_close(walk);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1) {
		perror("drop_caches");
		exit(1);
	}
	close(fd);
}

static void read_at(const struct file *f, uint64_t offset, size_t length)
{
	static char buffer[1 << 20];
	int fd = open(f->path, O_RDONLY);
	ssize_t n;

	if (fd < 0 || (n = pread(fd, buffer, length, (off_t)offset)) < 0) {
		perror(f->path);
		exit(1);
	}
	close(fd);
}

static void read_all(void)
{
	static char buffer[1 << 20];

	for (size_t i = 0; i < count; i++) {
		int fd = open(files[i].path, O_RDONLY);
		ssize_t n;

		while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
			;
		if (fd < 0 || n < 0) {
			perror(files[i].path);
			exit(1);
		}
		close(fd);
	}
}

static uint64_t next_random(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 16;
}

static const struct file *file_at(uint64_t position)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (files[middle].start <= position)
			low = middle;
		else
			high = middle;
	}
	return &files[low];
}

int main(int argc, char **argv)
{
	unsigned tries = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
	double start, cold, warm, heads, random;

	if (argc < 2)
		return 2;
	list(argv[1]);
	drop_caches();
	start = now();
	read_all();
	cold = now() - start;
	start = now();
	read_all();
	warm = now() - start;
	drop_caches();
	start = now();
	for (unsigned i = 0; i < tries; i++)
		read_at(&files[next_random() % count], 0, 4096);
	heads = now() - start;
	drop_caches();
	start = now();
	for (unsigned i = 0; i < tries; i++) {
		uint64_t position = next_random() % total;
		const struct file *f = file_at(position);

		read_at(f, (position - f->start) & ~4095ull, 4096);
	}
	random = now() - start;
	printf("cold %.2f warm %.2f heads %.3f random %.3f\n", cold, warm, heads, random);
	return 0;
}
