// SPDX-License-Identifier: MIT
/* Devices of an image: files or block devices, and where an address of the image lies on them. */
#include "image/image.h"
#include "base/bytes.h"
#include "base/io.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int ero_device_open(struct ero_device *d, const char *path, uint64_t base, struct ero_error *err)
{
	struct stat st;
	uint64_t size;

	memset(d, 0, sizeof(*d));
	d->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a fifo must not hang us: it is refused below */
	if (d->fd < 0)
		return ero_fail_errno(err, "cannot open %s", path);
	d->path = strdup(path);
	if (!d->path)
		return ero_fail_memory(err);
	if (fstat(d->fd, &st))
		return ero_fail_errno(err, "cannot look at %s", path);
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(d->fd, BLKGETSIZE64, &size))
			return ero_fail_errno(err, "cannot learn the size of device %s", path);
	} else if (S_ISREG(st.st_mode)) {
		size = (uint64_t)st.st_size;
	} else {
		return ero_fail(err, ERO_ERROR_ARGUMENT, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				"%s is %s, not an image file or a block device", path,
				S_ISDIR(st.st_mode) ? "a directory" : "a special file");
	}
	if (base > size)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s has %llu bytes, the image cannot begin at byte %llu", path,
				(unsigned long long)size, (unsigned long long)base);
	d->base = base;
	d->size = size - base;
	return 0;
}

void ero_device_close(struct ero_device *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	free(d->path);
	d->path = NULL;
}

/* Flat addressing: an address inside an extra device's unified range belongs to that device. */
static unsigned resolve(const struct ero_image *image, unsigned device, uint64_t *address)
{
	unsigned bits = image->super.block_bits;

	if (device || image->device_count < 2)
		return device;
	for (unsigned i = 1; i < image->device_count; i++) {
		const struct ero_device_slot *slot = &image->devices[i].slot;
		uint64_t block = *address >> bits;

		if (slot->unified && block >= slot->unified && block - slot->unified < slot->blocks) {
			*address -= slot->unified << bits;
			return i;
		}
	}
	return 0;
}

uint64_t ero_device_room(const struct ero_image *image, unsigned device, uint64_t address)
{
	if (device >= image->device_count)
		return 0;
	device = resolve(image, device, &address);
	return address < image->devices[device].size ? image->devices[device].size - address : 0;
}

/* The device that holds a range, with the range's place on its file in *address. */
static int find_range(const struct ero_image *image, unsigned device, uint64_t *address, uint64_t length, const struct ero_device **d,
		      struct ero_error *err)
{
	if (device >= image->device_count)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "data lies on device %u; the image was opened with %u extra ones",
				device, image->device_count - 1);
	*d = &image->devices[resolve(image, device, address)];
	if (!ero_in_range(*address, length, (*d)->size))
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "%llu bytes at byte %llu lie past the end of %s (%llu bytes)",
				(unsigned long long)length, (unsigned long long)*address, (*d)->path, (unsigned long long)(*d)->size);
	*address += (*d)->base;
	return 0;
}

int ero_device_read(struct ero_image *image, unsigned device, uint64_t address, void *buffer, size_t length,
		    struct ero_error *err)
{
	const struct ero_device *d;
	int rc = find_range(image, device, &address, length, &d, err);

	return rc ? rc : ero_pread_full(d->fd, buffer, length, address, d->path, err);
}

int ero_device_read_nowhere(struct ero_image *image, unsigned device, uint64_t address, uint64_t length, int null,
			    struct ero_error *err)
{
	const struct ero_device *d;
	int rc = find_range(image, device, &address, length, &d, err);

	return rc ? rc : ero_pread_nowhere(d->fd, null, length, address, d->path, err);
}
