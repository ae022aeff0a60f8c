// SPDX-License-Identifier: MIT
/* Every rule from facts made by hand: broken, kept, and not known. */
#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#include "layering/rules.h"

static struct ero_fact fact(uint64_t value)
{
	return (struct ero_fact){ .known = true, .value = value };
}

/* A sound image on ext4, on a kernel that can all. */
static struct ero_facts good(void)
{
	struct ero_facts f = {
		.mode = fact(S_IFREG | 0444), .size = fact(8192), .readable = fact(1), .hole = fact(0), .mutable = fact(0),
		.header = fact(1), .devices_given = fact(0), .fs_magic = fact(0xEF53), .fs_bdev = fact(1), .kernel = fact(1),
		.version = { 6, 18, 0 }, .release = "6.18.0", .page_size = fact(4096),
		.may_mount = fact(1), .super = { .block_bits = 12, .blocks = 2 },
	};

	return f;
}

static enum ero_truth judge(const char *id, const struct ero_facts *f)
{
	char detail[600] = "";

	for (const struct ero_rule *r = ero_rules; r->id; r++)
		if (!strcmp(r->id, id))
			return r->judge(f, detail, sizeof(detail));
	fail_msg("no rule %s", id);
	return ERO_UNKNOWN;
}

static void all_hold(void **state)
{
	struct ero_facts f = good();

	(void)state;
	for (const struct ero_rule *r = ero_rules; r->id; r++)
		assert_int_equal(judge(r->id, &f), ERO_HOLDS);
}

static void nothing_known(void **state)
{
	struct ero_facts f;

	(void)state;
	memset(&f, 0, sizeof(f));
	for (const struct ero_rule *r = ero_rules; r->id; r++)
		assert_int_equal(judge(r->id, &f), ERO_UNKNOWN);
}

#define BREAKS(id, change)                                  \
	do {                                                \
		struct ero_facts f = good();                \
		change;                                     \
		assert_int_equal(judge(id, &f), ERO_BROKEN); \
	} while (0)

static void each_broken(void **state)
{
	(void)state;
	BREAKS("layer.kernel.no-filebacked", (f.version = (struct ero_kernel_version){ 6, 11, 99 }));
	BREAKS("layer.file.not-regular", f.mode = fact(S_IFDIR));
	BREAKS("layer.file.header", f.header = fact(0));
	BREAKS("layer.file.short", f.size = fact(8191));
	BREAKS("layer.file.unaligned-tail", f.size = fact(8193));
	BREAKS("layer.file.holes", f.hole = fact(1));
	BREAKS("layer.file.mutable", f.mutable = fact(1));
	BREAKS("layer.backing.no-read-folio", f.fs_magic = fact(0x01021994));
	BREAKS("layer.backing.no-read-folio", f.fs_magic = fact(0x794C7630));
	BREAKS("layer.backing.no-read-folio", f.fs_magic = fact(0x62656572));
	BREAKS("layer.backing.stacked", (f.fs_magic = fact(0xE0F5E1E2), f.fs_bdev = fact(0)));
	BREAKS("layer.backing.coherence", f.fs_magic = fact(0x6969));
	BREAKS("layer.backing.coherence", f.fs_magic = fact(0x65735546));
	BREAKS("layer.image.incompat", (f.super.feature_incompat = ERO_INCOMPAT_METABOX, f.version.minor = 16));
	BREAKS("layer.image.block-size", f.super.block_bits = 14);
	BREAKS("layer.dev.missing", (f.super.feature_incompat = ERO_INCOMPAT_DEVICE_TABLE, f.super.extra_devices = 1));
	BREAKS("layer.dev.missing", f.devices_given = fact(1));
	BREAKS("layer.priv.dac", f.readable = fact(0));
	BREAKS("layer.priv.userns", f.may_mount = fact(0));
}

/* The edges of windows. */
static void edges(void **state)
{
	struct ero_facts f = good();

	(void)state;
	f.version = (struct ero_kernel_version){ 6, 12, 0 };
	assert_int_equal(judge("layer.kernel.no-filebacked", &f), ERO_HOLDS);
	f.super.feature_incompat = ERO_INCOMPAT_48BIT;
	f.version = (struct ero_kernel_version){ 6, 14, 99 };
	assert_int_equal(judge("layer.image.incompat", &f), ERO_BROKEN);
	f.version = (struct ero_kernel_version){ 6, 15, 0 };
	assert_int_equal(judge("layer.image.incompat", &f), ERO_HOLDS);
	f.fs_magic = fact(0xE0F5E1E2); /* erofs on a device is a fine place */
	assert_int_equal(judge("layer.backing.stacked", &f), ERO_HOLDS);
}

static void ids_are_unique(void **state)
{
	(void)state;
	for (const struct ero_rule *a = ero_rules; a->id; a++) {
		assert_true(a->sentence && a->remedy && a->source);
		for (const struct ero_rule *b = a + 1; b->id; b++)
			assert_string_not_equal(a->id, b->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_hold),    cmocka_unit_test(nothing_known), cmocka_unit_test(each_broken),
		cmocka_unit_test(edges),       cmocka_unit_test(ids_are_unique),
	};

	return cmocka_run_group_tests_name("layering", tests, NULL, NULL);
}
