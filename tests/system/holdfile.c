// SPDX-License-Identifier: MIT
/* holdfile HOW FILE: keeps a file in use until it is killed: write (open for writing), map (mapped for writing, descriptor
 * closed), memfd (prints the path of a copy in a memfd). Prints "ready" or that path. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_to_memfd(int from, off_t size)
{
	int fd = memfd_create("image", 0);

	while (fd >= 0 && size > 0) {
		ssize_t n = sendfile(fd, from, NULL, (size_t)size);

		if (n <= 0)
			return -1;
		size -= n;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd;

	if (argc != 3 || (fd = open(argv[2], O_RDWR)) < 0 || fstat(fd, &st)) {
		perror("holdfile");
		return 1;
	}
	if (!strcmp(argv[1], "map")) {
		if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
			return 1;
		close(fd);
	}
	if (!strcmp(argv[1], "memfd")) {
		fd = copy_to_memfd(fd, st.st_size);
		if (fd < 0)
			return 1;
		printf("/proc/%ld/fd/%d\n", (long)getpid(), fd);
	} else {
		puts("ready");
	}
	fflush(stdout);
	for (;;)
		pause();
}
