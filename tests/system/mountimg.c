// SPDX-License-Identifier: MIT
/* Mounts an image with the file itself as source: mount(2), no loop device, read-only.   mountimg IMAGE DIR [OPTIONS] */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if (!mount(argv[1], argv[2], "erofs", MS_RDONLY, argc > 3 ? argv[3] : NULL))
		return 0;
	fprintf(stderr, "mountimg: %s: %s (%d)\n", argv[1], strerror(errno), errno);
	return 1;
}
