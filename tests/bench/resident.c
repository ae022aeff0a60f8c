// SPDX-License-Identifier: MIT
/* Mounts an image by mount(2) with the file itself as source, cold, walks the tree, and prints how many pages of the image
 * are in the page cache then, and the milliseconds it took.   resident IMAGE DIRECTORY names|stat|xattr|paths=FILE|COMMAND [PAGE]
 * paths: a stat of each path in FILE, one a line, with the image as root directory.
 * PAGE: only what lies from there on, and page 0, is counted. COMMAND is given to the image's own /bin/sh, with the image as root directory. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <dirent.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "resident: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		fail("drop_caches");
	close(fd);
}

/* From page `from` on, and page 0. */
static size_t count_pages(const char *image, size_t from)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages, n = 0;
	int fd = open(image, O_RDONLY);
	unsigned char *present;
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st))
		fail(image);
	pages = ((size_t)st.st_size + page - 1) / page;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	present = malloc(pages);
	if (map == MAP_FAILED || !present || mincore(map, (size_t)st.st_size, present))
		fail(image);
	for (size_t i = 0; i < pages; i++)
		n += (i == 0 || i >= from) && (present[i] & 1);
	free(present);
	munmap(map, (size_t)st.st_size);
	close(fd);
	return n;
}

/* As find(1) does: a directory is read to its end, then its subdirectories in turn. Types come from the entries, so that
 * names alone touch no inode but directories'. */
static void walk(int dirfd, const char *name, char mode)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char path[64 + 256], list[4096], **subdirs = NULL;
	size_t count = 0;
	struct dirent *e;
	struct stat st;

	if (!dir)
		fail(name);
	while ((e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (mode != 'n' && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			fail(e->d_name);
		if (mode == 'x') {
			snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", fd, e->d_name);
			if (llistxattr(path, list, sizeof(list)) < 0 && errno != ERANGE && errno != ENOTSUP)
				fail(e->d_name);
		}
		if (e->d_type != DT_DIR)
			continue;
		subdirs = realloc(subdirs, (count + 1) * sizeof(*subdirs));
		if (!subdirs || !(subdirs[count++] = strdup(e->d_name)))
			fail(name);
	}
	for (size_t i = 0; i < count; i++) {
		walk(fd, subdirs[i], mode);
		free(subdirs[i]);
	}
	free(subdirs);
	closedir(dir);
}

static void stat_all(FILE *list)
{
	char *line = NULL;
	size_t room = 0;
	struct stat st;
	ssize_t n;

	while ((n = getline(&line, &room, list)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		if (stat(line, &st) && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			fail(line);
	}
	exit(ferror(list) != 0);
}

static void boot(const char *top, const char *command)
{
	const char *paths = strncmp(command, "paths=", 6) ? NULL : command + 6;
	FILE *list = paths ? fopen(paths, "r") : NULL;
	pid_t child;
	int status = 0;

	if (paths && !list)
		fail(paths);
	child = fork();
	if (child == 0) {
		if (chroot(top) || chdir("/"))
			fail(top);
		if (list)
			stat_all(list);
		if (!freopen("/dev/null", "w", stdout)) /* an image may have no devices */
			close(1);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		fail("/bin/sh");
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		fail("/bin/sh");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fprintf(stderr, "resident: the command ended with status %d\n", status);
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	size_t pages, from = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;

	if (argc < 4)
		return 2;
	drop_caches();
	if (mount(argv[1], argv[2], "erofs", MS_RDONLY, NULL))
		fail(argv[1]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (!strcmp(argv[3], "names") || !strcmp(argv[3], "stat") || !strcmp(argv[3], "xattr"))
		walk(AT_FDCWD, argv[2], argv[3][0]);
	else
		boot(argv[2], argv[3]);
	clock_gettime(CLOCK_MONOTONIC, &end);
	pages = count_pages(argv[1], from);
	umount(argv[2]);
	printf("%zu %.0f\n", pages, (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6);
	return 0;
}
