// SPDX-License-Identifier: MIT
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/ahead.h"
#include "image/image.h"

enum { SIZE = 1 << 20, FIRST = 512 };

struct fixture {
	struct ero_device devices[2];
	struct ero_image image;
	struct ero_ahead ahead;
	uint8_t *bytes;
};

/* One device of random bytes, behind FIRST others in its file. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t seed = 9;

	assert_non_null(f);
	f->bytes = malloc(SIZE);
	assert_non_null(f->bytes);
	for (size_t i = 0; i < SIZE; i++)
		f->bytes[i] = (uint8_t)next_random(&seed);
	for (unsigned i = 0; i < 2; i++) {
		f->devices[i] = (struct ero_device){ .fd = memfd_create("device", MFD_CLOEXEC), .path = "device", .base = i ? 0 : FIRST, .size = SIZE };
		assert_int_equal(pwrite(f->devices[i].fd, f->bytes, SIZE, (off_t)f->devices[i].base), SIZE);
	}
	f->image = (struct ero_image){ .devices = f->devices, .device_count = 1 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	ero_ahead_clear(&f->ahead);
	close(f->devices[0].fd);
	close(f->devices[1].fd);
	free(f->bytes);
	free(f);
	return 0;
}

static void wants(struct fixture *f, uint64_t address, size_t length)
{
	const uint8_t *bytes;
	struct ero_error err;

	assert_int_equal(ero_ahead_read(&f->ahead, &f->image, 0, address, length, &bytes, &err), 0);
	assert_memory_equal(bytes, f->bytes + address, length);
}

static void test_ranges_that_follow_are_read_once(void **state)
{
	struct fixture *f = *state;
	const uint8_t zeros[4] = { 0 };

	wants(f, 300000, 4096);
	assert_int_equal(f->ahead.length, 4096); /* nothing tells yet that more will be wanted */
	wants(f, 304096, 4096);
	assert_true(f->ahead.length > 8192);
	/* what was read stays what it was: the file is not asked again */
	assert_int_equal(pwrite(f->devices[0].fd, zeros, 4, FIRST + 308192), 4);
	wants(f, 308192, 4096);
	wants(f, 304096, 1);
}

static void test_ranges_elsewhere_are_read_alone(void **state)
{
	struct fixture *f = *state;

	wants(f, 900000, 100);
	wants(f, 100000, 100);
	assert_int_equal(f->ahead.length, 100);
	wants(f, 99900, 150);
	assert_int_equal(f->ahead.length, 150);
	wants(f, 0, SIZE);
	wants(f, 5, 0);
}

static void test_random_ranges(void **state)
{
	struct fixture *f = *state;
	uint64_t seed = 77, at = 0;

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t r = next_random(&seed);
		size_t length = (size_t)(r % (r & 1 << 20 ? 100000 : 5000));

		at = r >> 40 & 7 ? at + (r >> 44) % 3000 : (r >> 44) % SIZE; /* mostly onwards */
		if (at + length > SIZE)
			at = SIZE - length;
		wants(f, at, length);
		at += length;
	}
}

static void test_the_end_of_the_device(void **state)
{
	struct fixture *f = *state;
	const uint8_t *bytes;
	struct ero_error err;

	wants(f, SIZE - 9000, 3000);
	wants(f, SIZE - 6000, 3000);
	assert_int_equal(f->ahead.length, 6000);
	wants(f, SIZE - 3000, 3000);
	assert_int_equal(ero_ahead_read(&f->ahead, &f->image, 0, SIZE - 3000, 3001, &bytes, &err), -EUCLEAN);
	assert_int_equal(ero_ahead_read(&f->ahead, &f->image, 0, UINT64_MAX - 10, 3000, &bytes, &err), -EUCLEAN);
	assert_int_equal(ero_ahead_read(&f->ahead, &f->image, 1, 0, 1, &bytes, &err), -EUCLEAN);
	wants(f, SIZE - 3000, 3000);
}

/* What cannot be read ahead matters to nobody who does not want it. */
static void test_bytes_that_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	const uint8_t *bytes;
	struct ero_error err;

	assert_int_equal(ftruncate(f->devices[0].fd, FIRST + 20000), 0);
	wants(f, 4096, 4096);
	wants(f, 8192, 4096);
	wants(f, 12288, 7712);
	assert_true(ero_ahead_read(&f->ahead, &f->image, 0, 20000, 10, &bytes, &err) < 0);
	wants(f, 12288, 7712);
}

static void test_nothing_is_read_ahead_over_devices(void **state)
{
	struct fixture *f = *state;
	const uint8_t *bytes;
	struct ero_error err;

	f->image.device_count = 2;
	wants(f, 0, 4096);
	wants(f, 4096, 4096);
	assert_int_equal(f->ahead.length, 4096);
	assert_int_equal(pwrite(f->devices[1].fd, "other", 5, 4096), 5);
	assert_int_equal(ero_ahead_read(&f->ahead, &f->image, 1, 4096, 5, &bytes, &err), 0);
	assert_memory_equal(bytes, "other", 5);
	wants(f, 4096, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges_that_follow_are_read_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ranges_elsewhere_are_read_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_random_ranges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_of_the_device, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes_that_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_read_ahead_over_devices, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
