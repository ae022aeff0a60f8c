/* SPDX-License-Identifier: MIT */
/* Stored data that is wanted piece after piece, in the order in which it lies, read ahead of use: one call for many small extents. */
#ifndef ERO_IMAGE_AHEAD_H
#define ERO_IMAGE_AHEAD_H

#include "image/image.h"

/* What was read last; all zero at first. For one thread, and one image. */
struct ero_ahead {
	uint8_t *bytes;
	size_t room, length;
	uint64_t start;   /* address of the first byte on `device` */
	uint64_t next;    /* where the range wanted last ended */
	unsigned device;
};
void ero_ahead_clear(struct ero_ahead *ahead);

/* `length` bytes of a device; *bytes points to them until the next call. Errors are those of ero_device_read: what could not be read
 * ahead is no error as long as nobody wants it. */
int ero_ahead_read(struct ero_ahead *ahead, struct ero_image *image, unsigned device, uint64_t address, size_t length,
		   const uint8_t **bytes, struct ero_error *err);

#endif
