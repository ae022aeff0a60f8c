// SPDX-License-Identifier: MIT
/*
 * What libarchive swallows. Seen in 3.6.2 (Debian 12) and 3.8 (sid), in archive_read_support_format_tar.c, unless it is said:
 *  - global headers ('g') are skipped with all they say;
 *  - mtime of -10.25 becomes -9.75; "abc", "1e3" or "5x" become numbers (3.6.2), or are left out with a warning (3.8);
 *  - uid, gid, size and the numbers of sparse maps are read up to the first byte that is no digit (3.6.2);
 *  - octal fields of headers, too, in both;
 *  - paths and links that are no UTF-8, or have no place in the locale's character set, are changed;
 *  - a NUL in a path or link cuts it off;
 *  - names of xattrs keep GNU tar's %3D and %25 for '=' and '%', and beside its own records libarchive's %XX;
 *  - types it does not know are regular files;
 *  - behind one block of zeros (an end mark has two) nothing more is read;
 *  - ACLs that make no sense are a warning, and what could be read of them is kept.
 * So the headers of each member are read here once more, when libarchive has found where they are. Everything else (types, sizes, sparse
 * files, content, where the next member begins) is libarchive's.
 */
#include "source/tarcheck.h"
#include "base/bytes.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum { RECORD = 512, MOST_EXTENDED = 1 << 20 }; /* bytes; libarchive takes extended headers up to 1 MiB */

struct record {
	const char *key, *value;
	size_t key_length, length;
};

typedef ERO_VEC(char) text_vec;
typedef ERO_VEC(struct record) record_vec;

struct ero_tarcheck {
	text_vec global, own;            /* bodies of the extended headers */
	record_vec global_records, records;
	ERO_VEC(struct ero_tar_xattr) xattrs;
	text_vec names;                  /* decoded names of xattrs, each terminated */
};

int ero_tarcheck_create(struct ero_tarcheck **result, struct ero_error *err)
{
	*result = calloc(1, sizeof(**result));
	return *result ? 0 : ero_fail_memory(err);
}

void ero_tarcheck_free(struct ero_tarcheck *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->global_records.count; i++)
		free((char *)t->global_records.data[i].key);
	ero_vec_free(&t->global);
	ero_vec_free(&t->own);
	ero_vec_free(&t->global_records);
	ero_vec_free(&t->records);
	ero_vec_free(&t->xattrs);
	ero_vec_free(&t->names);
	free(t);
}

static int fail(struct ero_error *err, const char *what, const char *found, size_t length)
{
	return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s is \"%.*s\"", what, length < 64 ? (int)length : 64, found);
}

/* ---- numbers ---- */

/* A field of a header: octal digits, blanks around them, behind a NUL anything; or base 256 (GNU). */
static int check_octal(const char *field, size_t length, const char *what, struct ero_error *err)
{
	size_t i = 0;

	if ((uint8_t)field[0] & 0x80) {
		uint8_t fill = field[0] & 0x40 ? 0xff : 0; /* of twelve bytes, what is beyond 64 bits repeats the sign */
		bool fits = length == 8 || ((uint8_t)field[1] == fill && (uint8_t)field[2] == fill && (uint8_t)field[3] == fill &&
					    !(((uint8_t)field[4] ^ fill) & 0x80) && ((uint8_t)field[0] | 0x80) == (fill ? 0xff : 0x80));

		return fits ? 0 : ero_fail(err, ERO_ERROR_CORRUPT, ERANGE, "%s has more than 64 bits", what);
	}
	while (i < length && field[i] == ' ')
		i++;
	if (i < length && field[i] == '-') /* of old tars */
		i++;
	while (i < length && field[i] >= '0' && field[i] <= '7')
		i++;
	if (i < length && field[i] != ' ' && field[i])
		return fail(err, what, field, strnlen(field, length));
	return 0;
}

static int check_header(const char *h, struct ero_error *err)
{
	int rc = check_octal(h + 100, 8, "the mode in the header", err);

	if (!rc)
		rc = check_octal(h + 108, 8, "the owner's id in the header", err);
	if (!rc)
		rc = check_octal(h + 116, 8, "the group's id in the header", err);
	if (!rc)
		rc = check_octal(h + 124, 12, "the size in the header", err);
	if (!rc)
		rc = check_octal(h + 136, 12, "the time in the header", err);
	if (!rc && (h[156] == '3' || h[156] == '4'))
		rc = check_octal(h + 329, 8, "the major device number in the header", err);
	if (!rc && (h[156] == '3' || h[156] == '4'))
		rc = check_octal(h + 337, 8, "the minor device number in the header", err);
	return rc;
}

static size_t digits(const char *p, size_t length)
{
	size_t n = 0;

	while (n < length && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

static int read_number(const struct record *r, uint64_t most, const char *what, uint64_t *value, struct ero_error *err)
{
	uint64_t n = 0;

	if (!r->length || digits(r->value, r->length) != r->length)
		return fail(err, what, r->value, r->length);
	for (size_t i = 0; i < r->length; i++)
		if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (unsigned)(r->value[i] - '0'), &n) || n > most)
			return fail(err, what, r->value, r->length);
	*value = n;
	return 0;
}

/* "[-]seconds[.fraction]"; a fraction counts away from zero, so that -10.25 lies a quarter of a second before -10. */
static int read_time(const struct record *r, int64_t *seconds, uint32_t *nsec, struct ero_error *err)
{
	static const char what[] = "the time in a pax record";
	bool negative = r->length && r->value[0] == '-', rest = false;
	const char *p = r->value + negative;
	size_t left = r->length - negative, whole = digits(p, left), i;
	struct record number = { .value = p, .length = whole };
	uint64_t n;
	int rc;

	*nsec = 0;
	if (!whole)
		return fail(err, what, r->value, r->length);
	rc = read_number(&number, INT64_MAX - 1, what, &n, err);
	if (rc)
		return rc;
	p += whole;
	left -= whole;
	if (left) {
		if (*p != '.' || digits(p + 1, left - 1) != left - 1)
			return fail(err, what, r->value, r->length);
		for (i = 1; i <= 9; i++)
			*nsec = *nsec * 10 + (i < left ? (uint32_t)(p[i] - '0') : 0);
		for (; i < left; i++)
			rest |= p[i] != '0';
	}
	*seconds = negative ? -(int64_t)n : (int64_t)n;
	if (negative) { /* rounded down, as positive ones are */
		*nsec += rest;
		if (*nsec) {
			*seconds -= 1;
			*nsec = 1000000000u - *nsec;
		}
	}
	return 0;
}

/* ---- records ---- */

static bool is(const struct record *r, const char *key)
{
	return r->key_length == strlen(key) && !memcmp(r->key, key, r->key_length);
}

static bool begins(const struct record *r, const char *prefix)
{
	return r->key_length > strlen(prefix) && !memcmp(r->key, prefix, strlen(prefix));
}

/* "length key=value\n", one behind the other; each newline becomes a NUL. */
static int split(char *body, size_t size, record_vec *records, struct ero_error *err)
{
	static const char what[] = "the length of a pax record";

	records->count = 0;
	for (size_t at = 0; at < size;) {
		struct record number = { .value = body + at, .length = digits(body + at, size - at) };
		size_t start = at + number.length + 1; /* of the key */
		struct record r = { .key = body + start };
		const char *equals;
		uint64_t length;
		int rc = number.length < 20 ? read_number(&number, size - at, what, &length, err) :
					      fail(err, what, number.value, number.length);

		if (rc)
			return rc;
		if (length < number.length + 4 || length > size - at || body[start - 1] != ' ' || body[at + length - 1] != '\n')
			return fail(err, what, number.value, number.length);
		equals = memchr(r.key, '=', (size_t)length - number.length - 2);
		if (!equals || equals == r.key)
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "a pax record has no name and value");
		r.key_length = (size_t)(equals - r.key);
		r.value = equals + 1;
		r.length = (size_t)(body + at + length - 1 - r.value);
		body[at + length - 1] = '\0';
		if (!ero_vec_push(records, r))
			return ero_fail_memory(err);
		at += (size_t)length;
	}
	return 0;
}

/* Global records stay until others of the same name come; an empty value takes one away. */
static int keep_global(struct ero_tarcheck *t, const struct record *r, struct ero_error *err)
{
	struct record kept = { .key_length = r->key_length, .length = r->length };
	char *copy;
	size_t i = 0;

	while (i < t->global_records.count && (t->global_records.data[i].key_length != r->key_length ||
					       memcmp(t->global_records.data[i].key, r->key, r->key_length) != 0))
		i++;
	if (i < t->global_records.count) {
		free((char *)t->global_records.data[i].key);
		t->global_records.data[i] = t->global_records.data[--t->global_records.count];
	}
	if (!r->length)
		return 0;
	copy = malloc(r->key_length + r->length + 2);
	if (!copy || !ero_vec_reserve(&t->global_records, 1)) {
		free(copy);
		return ero_fail_memory(err);
	}
	memcpy(copy, r->key, r->key_length);
	copy[r->key_length] = '\0';
	memcpy(copy + r->key_length + 1, r->value, r->length + 1);
	kept.key = copy;
	kept.value = copy + r->key_length + 1;
	t->global_records.data[t->global_records.count++] = kept;
	return 0;
}

static int read_global(struct ero_tarcheck *t, struct ero_error *err)
{
	static const char *const single[] = { "path", "linkpath", "size", "SCHILY.devmajor", "SCHILY.devminor", "SCHILY.realsize" };
	int rc = split(t->global.data, t->global.count, &t->records, err);

	for (size_t i = 0; !rc && i < t->records.count; i++) {
		const struct record *r = &t->records.data[i];
		bool wrong = begins(r, "GNU.sparse.") || begins(r, "SCHILY.acl.") || begins(r, "LIBARCHIVE.xattr.");

		for (size_t k = 0; k < sizeof(single) / sizeof(single[0]); k++)
			wrong |= is(r, single[k]);
		if (wrong && r->length)
			return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "a global header sets \"%.*s\" for all members, which cannot be meant",
					r->key_length < 64 ? (int)r->key_length : 64, r->key);
		rc = keep_global(t, r, err);
	}
	t->records.count = 0;
	return rc;
}

static int take_text(const struct record *r, const char *what, struct ero_tar_text *text, struct ero_error *err)
{
	if (memchr(r->value, '\0', r->length))
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s in a pax record has a NUL byte", what);
	*text = (struct ero_tar_text){ r->value, r->length };
	return 0;
}

static int take_id(const struct record *r, const char *what, bool *has, uint32_t *id, struct ero_error *err)
{
	uint64_t n;
	int rc = read_number(r, UINT32_MAX - 1, what, &n, err);

	*has = !rc;
	if (!rc)
		*id = (uint32_t)n;
	return rc;
}

/* Decimal numbers with `separator` between them. */
static int check_numbers(const struct record *r, char separator, uint64_t *count, struct ero_error *err)
{
	for (size_t at = 0; at <= r->length;) {
		size_t n = digits(r->value + at, r->length - at);

		if (!n || (at + n < r->length && r->value[at + n] != separator))
			return fail(err, "the map of a sparse file", r->value, r->length);
		++*count;
		at += n + 1;
	}
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_pair(const char *p)
{
	return hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0 ? -1 : hex_digit(p[0]) << 4 | hex_digit(p[1]);
}

/* libarchive's own form of xattrs, which it reads itself and forgivingly: a name with %XX, a value in base 64 without padding. */
static int check_encoded_xattr(const struct record *r, struct ero_error *err)
{
	static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	for (size_t i = 0; i < r->key_length; i++)
		if (r->key[i] == '%' && (r->key_length - i < 3 || hex_pair(r->key + i + 1) <= 0))
			return fail(err, "the name of an xattr in a pax record", r->key, r->key_length);
	if (r->length % 4 == 1 || strspn(r->value, digits64) < r->length)
		return fail(err, "the value of an xattr in a pax record", r->value, r->length);
	return 0;
}

static int take_xattr(struct ero_tarcheck *t, const struct record *r, bool gnu, struct ero_error *err)
{
	const char *key = r->key + strlen("SCHILY.xattr.");
	size_t length = r->key_length - strlen("SCHILY.xattr.");
	struct ero_tar_xattr x = { .value = { r->value, r->length } };

	if (!length || memchr(key, '\0', length))
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "the name of an xattr in a pax record %s", length ? "has a NUL byte" : "is empty");
	if (!ero_vec_reserve(&t->names, 2 * length + 2)) /* there was room for all: see read_member() */
		return ero_fail_memory(err);
	x.raw_name = t->names.data + t->names.count;
	memcpy(t->names.data + t->names.count, key, length);
	t->names.data[t->names.count + length] = '\0';
	t->names.count += length + 1;
	x.name.bytes = t->names.data + t->names.count;
	for (size_t i = 0; i < length; i++) {
		int code = key[i] == '%' && length - i > 2 ? hex_pair(key + i + 1) : -1;
		bool encoded = gnu ? code == '=' || code == '%' : code > 0;

		t->names.data[t->names.count++] = encoded ? (char)code : key[i];
		i += encoded ? 2 : 0;
		x.name.length++;
	}
	t->names.data[t->names.count++] = '\0';
	for (size_t i = 0; i < t->xattrs.count; i++) /* the last one of a name counts */
		if (!strcmp(t->xattrs.data[i].name.bytes, x.name.bytes)) {
			t->xattrs.data[i] = x;
			return 0;
		}
	return ero_vec_push(&t->xattrs, x) ? 0 : ero_fail_memory(err);
}

/* Names of records whose content an image has no place for, or that libarchive handles. */
static bool is_known(const struct record *r)
{
	static const char *const names[] = { "atime", "ctime", "comment", "charset", "hdrcharset", "uname", "gname", "RHT.security.selinux" };
	static const char *const families[] = { "GNU.dumpdir", "realtime.", "LIBARCHIVE.", "GNU.volume.", "SCHILY.", "SUN.", "APK-TOOLS.", "MSWINDOWS." };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is(r, names[i]))
			return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (begins(r, families[i]))
			return true;
	return false;
}

static int take_sparse(const struct record *r, struct ero_tar_member *m, struct ero_error *err)
{
	uint64_t n;

	if (is(r, "GNU.sparse.name"))
		return take_text(r, "the path", &m->path, err);
	if (is(r, "GNU.sparse.map"))
		return check_numbers(r, ',', &m->map_numbers, err);
	m->map_numbers += is(r, "GNU.sparse.offset") || is(r, "GNU.sparse.numbytes");
	n = 0;
	if (read_number(r, INT64_MAX, "a number of a sparse file in a pax record", &n, err))
		return -EINVAL;
	if (is(r, "GNU.sparse.numblocks"))
		m->map_blocks = n + 1;
	m->map_within |= is(r, "GNU.sparse.major") && n;
	return 0;
}

static int take(struct ero_tarcheck *t, const struct record *r, bool gnu, struct ero_tar_member *m, struct ero_error *err)
{
	uint64_t n = 0;

	if (begins(r, "SCHILY.xattr.") || is(r, "SCHILY.xattr."))
		return take_xattr(t, r, gnu, err);
	if (begins(r, "LIBARCHIVE.xattr."))
		return check_encoded_xattr(r, err);
	if (!r->length) /* "as if it were not there" */
		return 0;
	if (is(r, "mtime")) {
		m->has_mtime = true;
		return read_time(r, &m->mtime, &m->mtime_nsec, err);
	}
	if (is(r, "uid"))
		return take_id(r, "the owner's id in a pax record", &m->has_uid, &m->uid, err);
	if (is(r, "gid"))
		return take_id(r, "the group's id in a pax record", &m->has_gid, &m->gid, err);
	if (is(r, "path"))
		return take_text(r, "the path", &m->path, err);
	if (is(r, "linkpath"))
		return take_text(r, "the link's target", &m->link, err);
	if (is(r, "SCHILY.acl.access"))
		return take_text(r, "the ACL", &m->acl_access, err);
	if (is(r, "SCHILY.acl.default"))
		return take_text(r, "the default ACL", &m->acl_default, err);
	if (is(r, "size"))
		return read_number(r, INT64_MAX, "the size in a pax record", &m->stored, err);
	if (is(r, "SCHILY.realsize"))
		return read_number(r, INT64_MAX, "the size in a pax record", &n, err);
	if (is(r, "SCHILY.devmajor") || is(r, "SCHILY.devminor"))
		return read_number(r, UINT32_MAX, "the device number in a pax record", &n, err);
	if (begins(r, "GNU.sparse."))
		return take_sparse(r, m, err);
	if (is(r, "SUN.holesdata"))
		return check_numbers(&(struct record){ .value = r->value + (*r->value == ' '), .length = r->length - (*r->value == ' ') }, ' ', &m->map_numbers, err);
	if (!is_known(r) && !m->ignored.bytes)
		m->ignored = (struct ero_tar_text){ r->key, r->key_length };
	return 0;
}

/* The last record of a name is the one that counts, so they are taken in order; the path of a sparse file goes before any other. */
static int take_all(struct ero_tarcheck *t, struct ero_tar_member *m, struct ero_error *err)
{
	size_t bytes = 0;
	bool gnu = true;
	int rc = 0;

	for (size_t i = 0; i < t->records.count; i++) {
		bytes += 2 * t->records.data[i].key_length + 2;
		gnu &= !begins(&t->records.data[i], "LIBARCHIVE."); /* libarchive writes the names as they are */
	}
	for (size_t i = 0; i < t->global_records.count; i++)
		bytes += 2 * t->global_records.data[i].key_length + 2;
	if (!ero_vec_reserve(&t->names, bytes))
		return ero_fail_memory(err);
	for (size_t i = 0; !rc && i < t->global_records.count; i++)
		rc = take(t, &t->global_records.data[i], true, m, err);
	for (size_t i = 0; !rc && i < t->records.count; i++)
		if (!is(&t->records.data[i], "GNU.sparse.name"))
			rc = take(t, &t->records.data[i], gnu, m, err);
	for (size_t i = 0; !rc && i < t->records.count; i++)
		if (is(&t->records.data[i], "GNU.sparse.name"))
			rc = take(t, &t->records.data[i], gnu, m, err);
	m->xattrs = t->xattrs.data;
	m->xattr_count = t->xattrs.count;
	return rc;
}

/* ---- headers ---- */

static int recall(const struct ero_feed *feed, uint64_t at, void *to, size_t length, struct ero_error *err)
{
	if (ero_feed_recall(feed, at, to, length))
		return 0;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, E2BIG, "its headers are too large, or begin where none was expected");
}

static uint64_t octal(const char *field, size_t length)
{
	uint64_t n = 0;

	while (length && *field == ' ')
		field++, length--;
	for (; length && *field >= '0' && *field <= '7'; field++, length--)
		n = n << 3 | (uint64_t)(*field - '0');
	return n;
}

/* A field in octal, or in base 256: that of a size, which is no negative one and fits. */
static uint64_t number_of(const char *field, size_t length)
{
	uint64_t n = 0;

	if (!((uint8_t)field[0] & 0x80))
		return octal(field, length);
	for (size_t i = 1; i < length; i++)
		n = n << 8 | (uint8_t)field[i];
	return n;
}

/* Reads the body of an extended header at *at, and moves *at behind it. */
static int read_body(const struct ero_feed *feed, const char *header, uint64_t *at, text_vec *to, struct ero_error *err)
{
	uint64_t size = octal(header + 124, 12);
	int rc;

	if ((uint8_t)header[124] & 0x80 || size > MOST_EXTENDED)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, E2BIG, "an extended header has more than 1 MiB");
	to->count = 0;
	if (!ero_vec_reserve(to, (size_t)size + 1))
		return ero_fail_memory(err);
	rc = recall(feed, *at, to->data, (size_t)size, err);
	to->count = (size_t)size;
	*at += ero_round_up(size, RECORD);
	return rc;
}

static bool is_member(char type)
{
	return type == '\0' || (type >= '0' && type <= '7') || type == 'S' || type == 'D';
}

int ero_tarcheck_member(struct ero_tarcheck *t, const struct ero_feed *feed, uint64_t at, struct ero_tar_member *m, struct ero_error *err)
{
	char header[RECORD];
	int rc;

	memset(m, 0, sizeof(*m));
	t->records.count = t->xattrs.count = t->names.count = t->own.count = 0;
	for (;;) {
		text_vec unused = { 0 };

		rc = recall(feed, at, header, sizeof(header), err);
		if (!rc)
			rc = check_header(header, err);
		if (rc)
			return rc;
		at += RECORD;
		m->type = header[156];
		if (is_member(m->type)) {
			m->stored = number_of(header + 124, 12);
			break;
		}
		switch (m->type) {
		case 'g':
			rc = read_body(feed, header, &at, &t->global, err);
			if (!rc)
				rc = read_global(t, err);
			break;
		case 'x':
		case 'X':
			rc = read_body(feed, header, &at, &t->own, err);
			break;
		case 'L': /* GNU tar's long names, Solaris' ACLs, a volume's label: libarchive's */
		case 'K':
		case 'A':
		case 'V':
			rc = read_body(feed, header, &at, &unused, err);
			ero_vec_free(&unused);
			break;
		default:
			return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "its type is \"%c\" (byte 0x%02x), which is not known",
					m->type > ' ' && m->type < 127 ? m->type : '?', (uint8_t)m->type);
		}
		if (rc)
			return rc;
	}
	rc = split(t->own.data, t->own.count, &t->records, err);
	if (!rc)
		rc = take_all(t, m, err);
	if (!rc && m->map_blocks && !m->map_within && m->map_numbers != 2 * (m->map_blocks - 1))
		rc = ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "the map of a sparse file has %llu numbers, where %llu blocks would have twice as many",
			      (unsigned long long)m->map_numbers, (unsigned long long)(m->map_blocks - 1));
	return rc;
}

/* Does a block look like a header? Its checksum is the sum of all its bytes, with blanks in its own place. */
static bool is_header(const char *block)
{
	uint64_t sum = 8 * ' ';

	for (size_t i = 0; i < RECORD; i++)
		sum += i < 148 || i >= 156 ? (uint8_t)block[i] : 0;
	return !ero_all_zero(block, RECORD) && octal(block + 148, 8) == sum;
}

int ero_tarcheck_end(const struct ero_feed *feed, uint64_t position, bool any, bool *marked, bool *clean, struct ero_error *err)
{
	char block[RECORD];
	uint64_t at = position;

	*clean = true;
	*marked = ero_feed_recall(feed, at, block, sizeof(block));
	for (; ero_feed_recall(feed, at, block, sizeof(block)); at += RECORD) {
		bool zero = ero_all_zero(block, sizeof(block));

		if (!zero && (at - position < 2 * RECORD || !any || is_header(block)))
			return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, any ?
					"blocks of zeros lie at byte %llu among the members, where two mark the end: what follows would be lost" :
					"there is no member, but something at byte %llu, behind zeros", (unsigned long long)(any ? position : at));
		*clean &= zero;
	}
	return 0;
}
