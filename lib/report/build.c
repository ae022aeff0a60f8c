// SPDX-License-Identifier: MIT
/* The summary at the end of a build. */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int build_json(const struct ero_build_summary *s, const char *target, FILE *out, struct ero_error *err)
{
	json_object *o = json_object_new_object();
	char uuid[37];
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "image_bytes", s->image_bytes }, { "blob_bytes", s->blob_bytes }, { "source_bytes", s->source_bytes },
		{ "stored_bytes", s->stored_bytes }, { "metadata_bytes", s->metadata_bytes }, { "block_size", s->block_size },
		{ "inodes", s->inodes }, { "regular", s->regular }, { "directories", s->directories },
		{ "symlinks", s->symlinks }, { "specials", s->specials }, { "hard_links", s->hard_links },
		{ "compressed_files", s->compressed_files }, { "plain_files", s->plain_files },
		{ "packed_files", s->packed_files }, { "duplicate_files", s->duplicate_files }, { "shared_bytes", s->shared_bytes }, { "inline_files", s->inline_files }, { "chunked_files", s->chunked_files },
		{ "shared_xattrs", s->shared_xattrs }, { "changed_files", s->changed_files },
		{ "feature_compat", s->feature_compat }, { "feature_incompat", s->feature_incompat },
	};

	ero_uuid_text(s->uuid, uuid);
	ero_json_add_name(o, "image", target, strlen(target));
	ero_json_add(o, "uuid", json_object_new_string(uuid));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		ero_json_add_u64(o, numbers[i].key, numbers[i].value);
	if (s->verity_offset) {
		ero_json_add_u64(o, "verity_offset", s->verity_offset);
		ero_json_add(o, "verity_root", json_object_new_string(s->verity_root));
	}
	ero_json_add(o, "features", json_object_new_string(s->features));
	ero_json_add(o, "first_kernel", json_object_new_string(s->first_kernel));
	ero_json_add(o, "avoid_kernels", json_object_new_string(s->avoid_kernels));
	ero_json_add(o, "seconds", json_object_new_double(s->seconds));
	return ero_report_json(o, out, err);
}

int ero_report_build(const struct ero_build_summary *s, const char *target, enum ero_report_form form, FILE *out,
		     struct ero_error *err)
{
	char uuid[37];

	if (form == ERO_REPORT_JSON)
		return build_json(s, target, out, err);
	ero_uuid_text(s->uuid, uuid);
	ero_print_text(out, target, strlen(target));
	fprintf(out, ": %" PRIu64 " bytes (%.1f%% of %" PRIu64 " bytes of file data), %.2f s\n",
		s->image_bytes + s->blob_bytes, percent(s->image_bytes + s->blob_bytes, s->source_bytes), s->source_bytes,
		s->seconds);
	fprintf(out, "  inodes    %" PRIu64 ": %" PRIu64 " files, %" PRIu64 " directories, %" PRIu64 " symlinks, %" PRIu64
		" special; %" PRIu64 " further hard links\n", s->inodes, s->regular, s->directories, s->symlinks, s->specials,
		s->hard_links);
	fprintf(out, "  data      %" PRIu64 " bytes stored: %" PRIu64 " files compressed, %" PRIu64 " plain (%" PRIu64
		" with inline tail), %" PRIu64 " chunked\n", s->stored_bytes, s->compressed_files, s->plain_files,
		s->inline_files, s->chunked_files);
	if (s->packed_files)
		fprintf(out, "  packed    %" PRIu64 " files, one with another\n", s->packed_files);
	if (s->duplicate_files || s->shared_bytes)
		fprintf(out, "  once      %" PRIu64 " files stored with an equal one; %" PRIu64 " bytes of others refer to what was there\n",
			s->duplicate_files, s->shared_bytes);
	fprintf(out, "  metadata  %" PRIu64 " bytes, padding included\n", s->metadata_bytes);
	fprintf(out, "  uuid      %s\n", uuid);
	fprintf(out, "  features  %s\n", s->features);
	if (s->verity_offset)
		fprintf(out, "  verity    root hash %s, --hash-offset=%" PRIu64 "\n", s->verity_root, s->verity_offset);
	fprintf(out, "  mounts on Linux %s and later%s%s\n", s->first_kernel, *s->avoid_kernels ? ", but read wrong by " : "",
		s->avoid_kernels);
	return ero_report_end(out, err);
}
