// SPDX-License-Identifier: MIT
/* dump.erofs -s and --blkid-udev. The labels of the text form are those scripts look for. */
#include "format/features.h"
#include "image/image.h"
#include "report/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static int64_t created_at(const struct ero_super *s)
{
	return (int64_t)((uint64_t)s->epoch + s->build_time); /* may wrap in a hostile image */
}

static json_object *feature_list(const struct ero_feature *table, uint32_t bits)
{
	json_object *list = json_object_new_array();

	for (const struct ero_feature *f = table; list && f->bit; f++) {
		json_object *one;
		char since[24];

		if (!(bits & f->bit))
			continue;
		one = json_object_new_object();
		ero_json_add(one, "name", json_object_new_string(f->name));
		snprintf(since, sizeof(since), "%u.%u", f->since.major, f->since.minor);
		if (f->since.major)
			ero_json_add(one, "linux", json_object_new_string(since));
		ero_json_append(list, one);
	}
	return list;
}

static json_object *algorithm_list(const struct ero_super *s)
{
	json_object *list = json_object_new_array();

	for (unsigned a = 0; list && a < ERO_ALG_COUNT; a++)
		if ((s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS) ? s->algorithms & (1u << a) :
								      a == 0 && (s->feature_incompat & ERO_INCOMPAT_LZ4_0PADDING))
			ero_json_append(list, json_object_new_string(ero_algorithm_name(a)));
	return list;
}

static int super_json(const struct ero_image *image, FILE *out, struct ero_error *err)
{
	const struct ero_super *s = &image->super;
	struct ero_kernel_version first = ero_super_first_kernel(s);
	json_object *o = json_object_new_object();
	char uuid[37], kernel[32];

	ero_uuid_text(s->uuid, uuid);
	snprintf(kernel, sizeof(kernel), "%u.%u", first.major, first.minor);
	ero_json_add(o, "uuid", json_object_new_string(uuid));
	ero_json_add_name(o, "label", s->label, strlen(s->label));
	ero_json_add_u64(o, "block_size", 1u << s->block_bits);
	ero_json_add_u64(o, "blocks", s->blocks);
	ero_json_add_u64(o, "inodes", s->inodes);
	ero_json_add_u64(o, "root_nid", s->root_nid);
	ero_json_add_u64(o, "packed_nid", s->packed_nid);
	ero_json_add_u64(o, "metabox_nid", s->metabox_nid);
	ero_json_add_u64(o, "meta_block", s->meta_block);
	ero_json_add_u64(o, "xattr_block", s->xattr_block);
	ero_json_add(o, "epoch", json_object_new_int64(s->epoch));
	ero_json_add(o, "created", json_object_new_int64(created_at(s)));
	ero_json_add_u64(o, "extra_devices", s->extra_devices);
	ero_json_add_u64(o, "superblock_size", ero_super_size(s));
	if (s->feature_compat & ERO_COMPAT_SB_CHKSUM)
		ero_json_add(o, "checksum_good", json_object_new_boolean(!image->checksum_bad));
	else
		ero_json_add_null(o, "checksum_good"); /* there is no checksum */
	ero_json_add_u64(o, "feature_compat", s->feature_compat);
	ero_json_add_u64(o, "feature_incompat", s->feature_incompat);
	ero_json_add(o, "compatible_features", feature_list(ero_compat_features, s->feature_compat));
	ero_json_add(o, "incompatible_features", feature_list(ero_incompat_features, s->feature_incompat));
	ero_json_add(o, "algorithms", algorithm_list(s));
	ero_json_add(o, "first_kernel", json_object_new_string(kernel));
	return ero_report_json(o, out, err);
}

static void print_features(FILE *out, const char *title, const struct ero_feature *table, uint32_t bits)
{
	fprintf(out, "%-46s", title);
	for (const struct ero_feature *f = table; f->bit; f++)
		if (bits & f->bit)
			fprintf(out, "%s ", f->name);
	fputc('\n', out);
}

static void print_kernels(FILE *out, const struct ero_super *s)
{
	struct ero_kernel_version first = ero_super_first_kernel(s);

	fprintf(out, "%-46s%u.%u", "Required upstream Linux kernel version:", first.major, first.minor);
	for (const struct ero_feature *f = ero_incompat_features; f->bit; f++)
		if (s->feature_incompat & f->bit)
			fprintf(out, " %s=%u.%u", f->name, f->since.major, f->since.minor);
	for (unsigned a = 0; a < ERO_ALG_COUNT; a++)
		if ((s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS) && (s->algorithms & (1u << a)))
			fprintf(out, " %s=%u.%u", ero_algorithm_name(a), ero_algorithm_since(a).major, ero_algorithm_since(a).minor);
	fputc('\n', out);
}

int ero_report_superblock(struct ero_image *image, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	const struct ero_super *s = &image->super;
	time_t created = (time_t)created_at(s);
	char uuid[37], when[64] = "?";
	struct tm tm;

	if (form == ERO_REPORT_JSON)
		return super_json(image, out, err);
	ero_uuid_text(s->uuid, uuid);
	if (localtime_r(&created, &tm))
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	fprintf(out, "%-46s0x%X\n", "Filesystem magic number:", ERO_SUPER_MAGIC);
	fprintf(out, "%-46s%u\n", "Filesystem blocksize:", 1u << s->block_bits);
	fprintf(out, "%-46s%" PRIu64 "\n", "Filesystem blocks:", s->blocks);
	fprintf(out, "%-46s%u\n", "Filesystem inode metadata start block:", s->meta_block);
	fprintf(out, "%-46s%u\n", "Filesystem shared xattr metadata start block:", s->xattr_block);
	fprintf(out, "%-46s%" PRIu64 "\n", "Filesystem root nid:", s->root_nid);
	if (s->packed_nid)
		fprintf(out, "%-46s%" PRIu64 "\n", "Filesystem packed nid:", s->packed_nid);
	if (s->feature_incompat & ERO_INCOMPAT_METABOX)
		fprintf(out, "%-46s%" PRIu64 "\n", "Filesystem metabox nid:", s->metabox_nid);
	if (!(s->feature_incompat & ERO_INCOMPAT_COMPR_CFGS))
		fprintf(out, "%-46s%u\n", "Filesystem lz4_max_distance:", s->lz4_distance);
	fprintf(out, "%-46s%u\n", "Filesystem sb_size:", ero_super_size(s));
	fprintf(out, "%-46s%" PRIu64 "\n", "Filesystem inode count:", s->inodes);
	fprintf(out, "%-46s%s\n", "Filesystem created:", when);
	if (*s->label) {
		fprintf(out, "%-46s", "Filesystem label:");
		ero_print_name(out, s->label, strlen(s->label));
		fputc('\n', out);
	}
	if (s->extra_devices)
		fprintf(out, "%-46s%u\n", "Filesystem extra devices:", s->extra_devices);
	print_features(out, "Filesystem compatible features:", ero_compat_features, s->feature_compat);
	print_features(out, "Filesystem incompatible features:", ero_incompat_features, s->feature_incompat);
	fprintf(out, "%-46s%s\n", "Filesystem UUID:", uuid);
	print_kernels(out, s);
	return ero_report_end(out, err);
}

/* As udev wants labels: one where anything odd is '_', one where it is \xNN. A label must not make lines of its own. */
static void encode_label(const char *label, char *safe, char *encoded)
{
	for (; *label; label++) {
		bool plain = isalnum((unsigned char)*label) || strchr("#+-.:=@_", *label);

		*safe++ = plain ? *label : '_';
		encoded += sprintf(encoded, plain ? "%c" : "\\x%02x", (unsigned char)*label);
	}
	*safe = '\0';
}

int ero_report_udev(struct ero_image *image, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	const struct ero_super *s = &image->super;
	char uuid[37], size[24], last[32];
	char safe[ERO_LABEL_SIZE + 1] = "", encoded[ERO_LABEL_SIZE * 4 + 1] = "";
	const char *values[][2] = {
		{ "ID_FS_TYPE", "erofs" }, { "ID_FS_USAGE", "filesystem" }, { "ID_FS_UUID", uuid }, { "ID_FS_UUID_ENC", uuid },
		{ "ID_FS_LABEL", safe }, { "ID_FS_LABEL_ENC", encoded }, { "ID_FS_BLOCKSIZE", size }, { "ID_FS_LASTBLOCK", last },
	};
	json_object *o = form == ERO_REPORT_JSON ? json_object_new_object() : NULL;

	ero_uuid_text(s->uuid, uuid);
	encode_label(s->label, safe, encoded);
	snprintf(size, sizeof(size), "%u", 1u << s->block_bits);
	snprintf(last, sizeof(last), "%" PRIu64, s->blocks);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!*values[i][1])
			continue;
		if (o)
			ero_json_add_name(o, values[i][0], values[i][1], strlen(values[i][1]));
		else
			fprintf(out, "%s=%s\n", values[i][0], values[i][1]);
	}
	return form == ERO_REPORT_JSON ? ero_report_json(o, out, err) : ero_report_end(out, err);
}
