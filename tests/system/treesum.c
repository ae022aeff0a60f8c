// SPDX-License-Identifier: MIT
/*
 * Prints a tree as one line a path, sorted, with everything a file system can say about it: type, mode, owner, size,
 * time, link count, device, xattrs, and the SHA-256 of content. Two trees are the same if their lines are.
 *
 *   treesum [-d] [-x] [-t] DIR     -d no link counts of directories (file systems differ), -x no xattrs, -t no times
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool no_dir_links, no_xattrs, no_times;

static void die(const char *what, const char *path)
{
	fprintf(stderr, "treesum: %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}

/* Names may hold anything: what is not plain is printed as hexadecimal. */
static void print_bytes(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c > 32 && c < 127 && c != '\\')
			putchar(c);
		else
			printf("\\%02x", c);
	}
}

static void print_digest(int fd, const char *name)
{
	static unsigned char buffer[1 << 20], zeros[1 << 20];
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned size = 0;
	off_t at = 0, data, end = lseek(fd, 0, SEEK_END);
	ssize_t n;

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	while (at < end) { /* holes are hashed as the zeros they are, without reading them */
		data = lseek(fd, at, SEEK_DATA);
		if (data < 0)
			data = errno == ENXIO ? end : at;
		for (; at < data; at += n) {
			n = data - at < (off_t)sizeof(zeros) ? (ssize_t)(data - at) : (ssize_t)sizeof(zeros);
			EVP_DigestUpdate(md, zeros, (size_t)n);
		}
		if (at == end)
			break;
		n = pread(fd, buffer, sizeof(buffer), at);
		if (n <= 0)
			die("cannot read", name);
		EVP_DigestUpdate(md, buffer, (size_t)n);
		at += n;
	}
	EVP_DigestFinal_ex(md, digest, &size);
	EVP_MD_CTX_free(md);
	for (unsigned i = 0; i < size; i++)
		printf("%02x", digest[i]);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_xattrs(int dirfd, const char *name)
{
	static char list[65536], value[65536];
	const char *names[1024];
	char path[64 + 256];
	size_t count = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	n = llistxattr(path, list, sizeof(list));
	if (n < 0 && errno != ENOTSUP)
		die("cannot list xattrs of", name);
	for (char *p = list; p < list + n && count < 1024; p += strlen(p) + 1)
		names[count++] = p;
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		ssize_t length = lgetxattr(path, names[i], value, sizeof(value));

		if (length < 0)
			die("cannot read an xattr of", name);
		printf(" %s=", names[i]);
		print_bytes(value, (size_t)length);
	}
}

static void print_one(int dirfd, const char *name, const struct stat *st)
{
	bool dir = S_ISDIR(st->st_mode);

	printf(" %06o %u:%u", st->st_mode, st->st_uid, st->st_gid);
	if (!no_times)
		printf(" %lld.%09ld", (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (!dir || !no_dir_links)
		printf(" n%lu", (unsigned long)st->st_nlink);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		printf(" %u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (!no_xattrs)
		print_xattrs(dirfd, name);
	if (S_ISLNK(st->st_mode)) {
		char target[4097];
		ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

		if (n < 0)
			die("cannot read link", name);
		printf(" -> ");
		print_bytes(target, (size_t)n);
	} else if (S_ISREG(st->st_mode)) {
		int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW);

		if (fd < 0)
			die("cannot open", name);
		printf(" %lld ", (long long)st->st_size);
		print_digest(fd, name);
		close(fd);
	}
	putchar('\n');
}

static void walk(int dirfd, const char *shown);

static void visit(int dirfd, const char *name, const char *shown)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		die("cannot stat", shown);
	print_bytes(shown, strlen(shown));
	print_one(dirfd, name, &st);
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd < 0)
			die("cannot open", shown);
		walk(fd, shown);
		close(fd);
	}
}

static void walk(int dirfd, const char *shown)
{
	DIR *d = fdopendir(dup(dirfd));
	char **names = NULL;
	size_t count = 0, room = 0;
	struct dirent *e;

	if (!d)
		die("cannot list", shown);
	while ((errno = 0, e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (count == room)
			names = realloc(names, (room = room * 2 + 16) * sizeof(*names));
		names[count++] = strdup(e->d_name);
	}
	if (errno)
		die("cannot list", shown);
	closedir(d);
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		char *path = malloc(strlen(shown) + strlen(names[i]) + 2);

		sprintf(path, "%s/%s", shown, names[i]);
		visit(dirfd, names[i], path);
		free(path);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	int option, top;

	while ((option = getopt(argc, argv, "dxt")) != -1) {
		no_dir_links |= option == 'd';
		no_xattrs |= option == 'x';
		no_times |= option == 't';
	}
	top = optind < argc ? open(argv[optind], O_RDONLY | O_DIRECTORY) : -1;
	if (top < 0)
		die("cannot open", optind < argc ? argv[optind] : "(nothing)");
	visit(top, ".", ".");
	return 0;
}
