// SPDX-License-Identifier: MIT
/* fusefs MODE FILE DIR: a FUSE server of one read-only file, "image", by the kernel's own protocol, since the modes that
 * matter here are those a library hides:
 *   normal  direct (no page cache)  keep (cache kept)  short (half of each read from the second MiB on)
 *   error (EIO from the second MiB on)  passthrough (announces it, which counts as stacking)
 * Runs until DIR is unmounted. Prints "ready" when it serves. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = 1, IMAGE = 2, ROOM = 1 << 21, MAX_READ = 1 << 17, TROUBLE = 1 << 20 };
#define PASSTHROUGH_FLAG2 (1u << 5) /* FUSE_PASSTHROUGH is bit 37 of the flags */

struct server {
	int fuse, file;
	const char *mode;
	struct stat st;
};

static void reply(const struct server *s, uint64_t unique, int error, const void *data, size_t length)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + length), .error = -error, .unique = unique };
	struct iovec parts[2] = { { &head, sizeof(head) }, { (void *)data, length } };

	if (writev(s->fuse, parts, length ? 2 : 1) < 0 && errno != ENOENT)
		perror("fusefs: reply");
}

static struct fuse_attr attributes(const struct server *s, uint64_t node)
{
	struct fuse_attr a = { .ino = node, .nlink = 1, .blksize = 4096 };

	a.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0444;
	a.size = node == ROOT ? 0 : (uint64_t)s->st.st_size;
	a.blocks = (a.size + 511) / 512;
	return a;
}

static void init(const struct server *s, uint64_t unique, const struct fuse_init_in *in)
{
	/* the kernel takes the first word behind flags2 for the depth of stacking */
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 40, .max_readahead = in->max_readahead,
				     .flags = FUSE_ASYNC_READ | FUSE_INIT_EXT, .max_write = 4096, .time_gran = 1 };

	if (!strcmp(s->mode, "passthrough")) {
		uint32_t depth = 1;

		out.flags2 = PASSTHROUGH_FLAG2;
		memcpy((char *)&out.flags2 + sizeof(out.flags2), &depth, sizeof(depth));
	}
	reply(s, unique, 0, &out, sizeof(out));
}

static void entry(const struct server *s, uint64_t unique, const char *name)
{
	struct fuse_entry_out out = { .nodeid = IMAGE, .entry_valid = 60, .attr_valid = 60, .attr = attributes(s, IMAGE) };

	if (strcmp(name, "image"))
		reply(s, unique, ENOENT, NULL, 0);
	else
		reply(s, unique, 0, &out, sizeof(out));
}

static void serve_read(const struct server *s, uint64_t unique, const struct fuse_read_in *in)
{
	static char data[ROOM];
	size_t size = in->size < sizeof(data) ? in->size : sizeof(data);
	ssize_t n;

	if (in->offset >= TROUBLE && !strcmp(s->mode, "error")) {
		reply(s, unique, EIO, NULL, 0);
		return;
	}
	if (in->offset >= TROUBLE && !strcmp(s->mode, "short"))
		size /= 2;
	n = pread(s->file, data, size, (off_t)in->offset);
	reply(s, unique, n < 0 ? errno : 0, data, n < 0 ? 0 : (size_t)n);
}

static void serve(const struct server *s, const struct fuse_in_header *in, const void *body)
{
	struct fuse_attr_out attr = { .attr_valid = 60, .attr = attributes(s, in->nodeid) };
	struct fuse_open_out opened = { .open_flags = !strcmp(s->mode, "direct") ? FOPEN_DIRECT_IO :
						     !strcmp(s->mode, "keep") ? FOPEN_KEEP_CACHE : 0 };
	struct fuse_statfs_out fs = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };

	switch (in->opcode) {
	case FUSE_INIT:
		init(s, in->unique, body);
		break;
	case FUSE_LOOKUP:
		entry(s, in->unique, body);
		break;
	case FUSE_GETATTR:
		reply(s, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(s, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		serve_read(s, in->unique, body);
		break;
	case FUSE_READDIR:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
		reply(s, in->unique, 0, NULL, 0);
		break;
	case FUSE_STATFS:
		reply(s, in->unique, 0, &fs, sizeof(fs));
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* nothing is answered */
	default:
		reply(s, in->unique, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char buffer[ROOM];
	struct server s = { .mode = argc == 4 ? argv[1] : "" };
	char options[128];

	if (argc != 4) {
		fprintf(stderr, "usage: fusefs MODE FILE DIR\n");
		return 2;
	}
	s.file = open(argv[2], O_RDONLY);
	s.fuse = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,max_read=%d", s.fuse, MAX_READ);
	if (s.file < 0 || s.fuse < 0 || fstat(s.file, &s.st) || mount("fusefs", argv[3], "fuse.erotest", MS_NOSUID | MS_NODEV, options)) {
		perror("fusefs");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	fclose(stdout);
	for (;;) {
		ssize_t n = read(s.fuse, buffer, sizeof(buffer));

		if (n < 0 && errno == ENODEV)
			return 0; /* unmounted */
		if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			return 1;
		if (n >= (ssize_t)sizeof(struct fuse_in_header))
			serve(&s, (struct fuse_in_header *)buffer, buffer + sizeof(struct fuse_in_header));
	}
}
