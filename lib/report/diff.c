// SPDX-License-Identifier: MIT
/* dump.erofs --diff: what differs between two images, path by path: first the superblocks, then the trees, both walked in
 * the order of names. How files are stored is compared as well, and told where nothing else differs. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/keys.h"
#include "base/vec.h"
#include "format/features.h"
#include "image/data.h"
#include "image/dir.h"
#include "image/dirspace.h"
#include "image/xattr.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { PATH_LIMIT = 4096, SMALL = 16 << 20 };

struct side {
	struct ero_image *image;
	struct ero_keys met;          /* directories whose blocks are taken */
	struct ero_dir_space space;
	struct ero_data_buffer buffer;
};

struct diff {
	struct side side[2];
	enum ero_report_form form;
	FILE *out;
	json_object *list;
	uint64_t count;
	struct ero_keys pairs;        /* inodes that were compared, of both */
	char path[PATH_LIMIT];
};

/* ---- telling ---- */

static void tell(struct diff *d, const char *what, const char *one, const char *other)
{
	const char *path = *d->path ? d->path : "/";

	d->count++;
	if (d->list) {
		json_object *o = json_object_new_object();

		ero_json_add_name(o, "path", path, strlen(path));
		ero_json_add(o, "what", json_object_new_string(what));
		ero_json_add_name(o, "one", one, strlen(one));
		ero_json_add_name(o, "other", other, strlen(other));
		ero_json_append(d->list, o);
		return;
	}
	ero_print_name(d->out, path, strlen(path));
	fprintf(d->out, ": %s: ", what);
	ero_print_name(d->out, one, strlen(one));
	fputs(" / ", d->out);
	ero_print_name(d->out, other, strlen(other));
	fputc('\n', d->out);
}

static void tell_numbers(struct diff *d, const char *what, uint64_t one, uint64_t other, const char *format)
{
	char texts[2][32];

	if (one == other)
		return;
	snprintf(texts[0], sizeof(texts[0]), format, one);
	snprintf(texts[1], sizeof(texts[1]), format, other);
	tell(d, what, texts[0], texts[1]);
}

/* ---- superblocks ---- */

static void compare_supers(struct diff *d)
{
	const struct ero_super *a = &d->side[0].image->super, *b = &d->side[1].image->super;
	char one[512], other[512];

	snprintf(d->path, sizeof(d->path), "(superblock)");
	ero_super_feature_names(a, one, sizeof(one));
	ero_super_feature_names(b, other, sizeof(other));
	if (strcmp(one, other) != 0)
		tell(d, "features", one, other);
	ero_uuid_text(a->uuid, one);
	ero_uuid_text(b->uuid, other);
	if (strcmp(one, other) != 0)
		tell(d, "uuid", one, other);
	if (strcmp(a->label, b->label) != 0)
		tell(d, "label", a->label, b->label);
	tell_numbers(d, "block size", 1ull << a->block_bits, 1ull << b->block_bits, "%" PRIu64);
	tell_numbers(d, "blocks", a->blocks, b->blocks, "%" PRIu64);
	tell_numbers(d, "inodes", a->inodes, b->inodes, "%" PRIu64);
	tell_numbers(d, "time", (uint64_t)a->epoch, (uint64_t)b->epoch, "%" PRId64);
	tell_numbers(d, "nanoseconds", a->fixed_nsec, b->fixed_nsec, "%" PRIu64);
	tell_numbers(d, "build time", a->build_time, b->build_time, "%" PRIu64);
	tell_numbers(d, "algorithms", a->algorithms, b->algorithms, "%#" PRIx64);
	*d->path = '\0';
}

/* ---- content ---- */

static int hash_piece(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	static const uint8_t zeros[65536];
	XXH3_state_t *state = context;

	(void)offset;
	(void)err;
	if (bytes)
		XXH3_128bits_update(state, bytes, length);
	for (size_t part; !bytes && length; length -= part) {
		part = length < sizeof(zeros) ? length : sizeof(zeros);
		XXH3_128bits_update(state, zeros, part);
	}
	return 0;
}

static int hash(struct side *s, const struct ero_inode *inode, XXH128_hash_t *result, struct ero_error *err)
{
	XXH3_state_t *state = XXH3_createState();
	int rc;

	if (!state)
		return ero_fail_memory(err);
	XXH3_128bits_reset(state);
	rc = ero_data_stream(s->image, inode, &s->buffer, hash_piece, state, err);
	*result = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return rc;
}

/* Small ones are laid side by side, so that the first byte that differs can be told. */
static int compare_small(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	uint8_t *bytes[2] = { NULL, NULL };
	uint64_t at = 0, least = inodes[0].size < inodes[1].size ? inodes[0].size : inodes[1].size;
	char one[64], other[64];
	int rc = ero_data_read_all(d->side[0].image, &inodes[0], SMALL, &bytes[0], err);

	if (!rc)
		rc = ero_data_read_all(d->side[1].image, &inodes[1], SMALL, &bytes[1], err);
	while (!rc && at < least && bytes[0][at] == bytes[1][at])
		at++;
	if (!rc && S_ISLNK(inodes[0].mode) && (at < least || inodes[0].size != inodes[1].size)) {
		snprintf(one, sizeof(one), "%.*s", (int)inodes[0].size, (const char *)bytes[0]);
		snprintf(other, sizeof(other), "%.*s", (int)inodes[1].size, (const char *)bytes[1]);
		tell(d, "link target", one, other);
	} else if (!rc && at < least) {
		snprintf(one, sizeof(one), "%02x at byte %" PRIu64, bytes[0][at], at);
		snprintf(other, sizeof(other), "%02x", bytes[1][at]);
		tell(d, "content", one, other);
	}
	free(bytes[0]);
	free(bytes[1]);
	return rc;
}

static int compare_content(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	XXH128_hash_t hashes[2];
	char texts[2][40];
	int rc;

	if (inodes[0].size <= SMALL && inodes[1].size <= SMALL)
		return compare_small(d, inodes, err);
	if (inodes[0].size != inodes[1].size)
		return 0; /* told by its size */
	for (int i = 0; i < 2; i++) {
		rc = hash(&d->side[i], &inodes[i], &hashes[i], err);
		if (rc)
			return rc;
		snprintf(texts[i], sizeof(texts[i]), "xxh128 %016" PRIx64 "…", hashes[i].high64);
	}
	if (!XXH128_isEqual(hashes[0], hashes[1]))
		tell(d, "content", texts[0], texts[1]);
	return 0;
}

/* ---- how it is stored ---- */

static int describe(struct side *s, const struct ero_inode *inode, char *text, size_t size, struct ero_error *err)
{
	uint64_t extents = 0, stored = 0, first = 0;
	struct ero_extent e;
	struct ero_map map;
	int rc = ero_map_init(&map, s->image, inode, err);

	while (!rc && (rc = ero_map_next(&map, &e, err)) > 0) {
		if (!extents++)
			first = e.physical;
		if (e.kind != ERO_EXTENT_HOLE)
			stored += e.stored;
		rc = 0;
	}
	snprintf(text, size, "nid %" PRIu64 ", %u bytes, layout %u, %" PRIu64 " extents of %" PRIu64 " bytes from %" PRIu64,
		 inode->nid, inode->extended ? 64u : 32u, (unsigned)inode->layout, extents, stored, first);
	return rc;
}

static int compare_storage(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	char texts[2][160];
	int rc = describe(&d->side[0], &inodes[0], texts[0], sizeof(texts[0]), err);

	if (!rc)
		rc = describe(&d->side[1], &inodes[1], texts[1], sizeof(texts[1]), err);
	if (!rc && strcmp(texts[0], texts[1]) != 0)
		tell(d, "stored", texts[0], texts[1]);
	return rc;
}

/* ---- xattrs ---- */

struct attribute {
	char *name;
	uint64_t hash;
	size_t length;
};

struct attributes {
	struct ero_arena *arena;
	ERO_VEC(struct attribute) list;
};

static int add_attribute(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct attributes *a = context;
	struct attribute one = {
		.name = ero_arena_string(a->arena, x->name, strlen(x->name)), .hash = XXH3_64bits(x->value, x->value_length), .length = x->value_length
	};

	return one.name && ero_vec_push(&a->list, one) ? 0 : ero_fail_memory(err);
}

static int compare_attributes(const void *a, const void *b)
{
	return strcmp(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

static int compare_xattrs(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	struct ero_arena arena = { 0 };
	struct attributes a[2] = { { .arena = &arena }, { .arena = &arena } };
	size_t i = 0, k = 0;
	int rc = 0;

	for (int s = 0; !rc && s < 2; s++) {
		rc = ero_xattr_each(d->side[s].image, &inodes[s], add_attribute, &a[s], err);
		if (a[s].list.count)
			qsort(a[s].list.data, a[s].list.count, sizeof(*a[s].list.data), compare_attributes);
	}
	while (!rc && (i < a[0].list.count || k < a[1].list.count)) {
		const struct attribute *x = i < a[0].list.count ? &a[0].list.data[i] : NULL, *y = k < a[1].list.count ? &a[1].list.data[k] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		if (order < 0)
			tell(d, "xattr", x->name, "none");
		else if (order > 0)
			tell(d, "xattr", "none", y->name);
		else if (x->hash != y->hash || x->length != y->length)
			tell(d, "xattr", x->name, "another value");
		i += order <= 0;
		k += order >= 0;
	}
	ero_vec_free(&a[0].list);
	ero_vec_free(&a[1].list);
	ero_arena_free(&arena);
	return rc;
}

/* ---- trees ---- */

static int compare_trees(struct diff *d, uint64_t one, uint64_t other, struct ero_error *err);

static int compare_inodes(struct diff *d, const struct ero_inode *i, struct ero_error *err)
{
	uint64_t before = d->count;
	int rc;

	tell_numbers(d, "mode", i[0].mode, i[1].mode, "%06" PRIo64);
	tell_numbers(d, "user", i[0].uid, i[1].uid, "%" PRIu64);
	tell_numbers(d, "group", i[0].gid, i[1].gid, "%" PRIu64);
	tell_numbers(d, "time", (uint64_t)i[0].mtime, (uint64_t)i[1].mtime, "%" PRId64);
	tell_numbers(d, "nanoseconds", i[0].mtime_nsec, i[1].mtime_nsec, "%" PRIu64);
	tell_numbers(d, "links", i[0].nlink, i[1].nlink, "%" PRIu64);
	tell_numbers(d, "device", i[0].rdev, i[1].rdev, "%#" PRIx64);
	rc = compare_xattrs(d, i, err);
	if (rc || ((i[0].mode ^ i[1].mode) & S_IFMT))
		return rc;
	if (S_ISREG(i->mode) || S_ISLNK(i->mode)) {
		tell_numbers(d, "size", i[0].size, i[1].size, "%" PRIu64);
		rc = compare_content(d, i, err);
	}
	return rc || d->count > before ? rc : compare_storage(d, i, err);
}

struct name {
	const char *text;
	uint64_t nid;
};

struct names {
	struct ero_arena *arena;
	ERO_VEC(struct name) list;
};

static int add_name(void *context, const struct ero_dirent *e, struct ero_error *err)
{
	struct names *n = context;
	struct name one = { .nid = e->nid };

	if (ero_is_dot(e))
		return 0;
	one.text = ero_arena_string(n->arena, e->name, e->name_length);
	return one.text && ero_vec_push(&n->list, one) ? 0 : ero_fail_memory(err);
}

/* One name of a directory, in one of the images or both. */
static int compare_name(struct diff *d, const struct name *x, const struct name *y, struct ero_error *err)
{
	size_t length = strlen(d->path);
	int rc = 0;

	if (length + strlen(x ? x->text : y->text) + 2 > sizeof(d->path))
		return ero_fail(err, ERO_ERROR_CORRUPT, ENAMETOOLONG, "a path below %.200s is too long, or the tree has a loop", d->path);
	sprintf(d->path + length, "/%s", x ? x->text : y->text);
	if (!x || !y)
		tell(d, "name", x ? "there" : "not there", y ? "there" : "not there");
	else
		rc = compare_trees(d, x->nid, y->nid, err);
	d->path[length] = '\0';
	return rc;
}

static int compare_directories(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	struct ero_arena arena = { 0 };
	struct names n[2] = { { .arena = &arena }, { .arena = &arena } };
	size_t i = 0, k = 0;
	int rc = 0;

	for (int s = 0; !rc && s < 2; s++)
		rc = ero_dir_entries(d->side[s].image, &inodes[s], add_name, &n[s], err);
	while (!rc && (i < n[0].list.count || k < n[1].list.count)) {
		const struct name *x = i < n[0].list.count ? &n[0].list.data[i] : NULL, *y = k < n[1].list.count ? &n[1].list.data[k] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->text, y->text);

		rc = compare_name(d, order <= 0 ? x : NULL, order >= 0 ? y : NULL, err);
		i += order <= 0;
		k += order >= 0;
	}
	ero_vec_free(&n[0].list);
	ero_vec_free(&n[1].list);
	ero_arena_free(&arena);
	return rc;
}

/* Directories that a damaged image has under many names are compared once, and none has the blocks of another. */
static int take_blocks(struct diff *d, const struct ero_inode *inodes, struct ero_error *err)
{
	bool is_new;
	int rc = 0;

	for (int s = 0; !rc && s < 2; s++) {
		if (ero_keys_number(&d->side[s].met, inodes[s].nid, 0, &is_new) == UINT32_MAX)
			return ero_fail_memory(err);
		if (is_new)
			rc = ero_dir_space_take(&d->side[s].space, d->side[s].image, &inodes[s], err);
	}
	return rc;
}

/* Two inodes under a path that both have; what has been compared under another path is not compared again. */
static int compare_trees(struct diff *d, uint64_t one, uint64_t other, struct ero_error *err)
{
	struct ero_inode inodes[2];
	bool is_new, both;
	int rc;

	if (ero_keys_number(&d->pairs, one, other, &is_new) == UINT32_MAX)
		return ero_fail_memory(err);
	if (!is_new)
		return 0;
	rc = ero_inode_read(d->side[0].image, one, &inodes[0], err);

	if (!rc)
		rc = ero_inode_read(d->side[1].image, other, &inodes[1], err);
	if (!rc)
		rc = compare_inodes(d, inodes, err);
	both = !rc && S_ISDIR(inodes[0].mode) && S_ISDIR(inodes[1].mode);
	if (both)
		rc = take_blocks(d, inodes, err);
	return both && !rc ? compare_directories(d, inodes, err) : rc;
}

int ero_report_diff(struct ero_image *one, struct ero_image *other, enum ero_report_form form, FILE *out, uint64_t *differences,
		    struct ero_error *err)
{
	struct diff *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return ero_fail_memory(err);
	d->side[0].image = one;
	d->side[1].image = other;
	d->out = out;
	d->list = form == ERO_REPORT_JSON ? json_object_new_array() : NULL;
	compare_supers(d);
	rc = compare_trees(d, one->super.root_nid, other->super.root_nid, err);
	*differences = d->count;
	if (d->list && rc)
		json_object_put(d->list);
	else if (!rc)
		rc = d->list ? ero_report_json(d->list, out, err) : ero_report_end(out, err);
	for (int s = 0; s < 2; s++) {
		ero_data_buffer_clear(&d->side[s].buffer);
		ero_keys_free(&d->side[s].met);
		ero_dir_space_free(&d->side[s].space);
	}
	ero_keys_free(&d->pairs);
	free(d);
	return rc;
}
