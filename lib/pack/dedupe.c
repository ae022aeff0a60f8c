// SPDX-License-Identifier: MIT
#include "pack/dedupe.h"

#include <stdlib.h>
#include <string.h>

#define NO_CONTENT UINT32_MAX

void ero_dedupe_free(struct ero_dedupe *d)
{
	ero_vec_free(&d->entries);
	ero_vec_free(&d->streams);
	ero_vec_free(&d->copies);
	ero_vec_free(&d->cuts);
	ero_keys_free(&d->contents);
	ero_vec_free(&d->first);
	ero_vec_free(&d->latest);
}

static bool is_blank(const uint64_t digest[3])
{
	return !(digest[0] | digest[1] | digest[2]);
}

/* ---- the line ---- */

uint64_t ero_dedupe_stream(struct ero_dedupe *d, struct ero_node *node)
{
	struct ero_line_stream stream = { d->end, node };

	return ero_vec_push(&d->streams, stream) ? d->end : UINT64_MAX;
}

static bool add_entry(struct ero_dedupe *d, const uint64_t digest[3], uint64_t length)
{
	uint32_t stream = (uint32_t)d->streams.count - 1;
	struct ero_line_entry e = { .at = d->end, .stream = stream, .content = NO_CONTENT };
	const struct ero_line_entry *last = d->entries.count ? &d->entries.data[d->entries.count - 1] : NULL;

	d->end += length;
	if (digest)
		memcpy(e.digest, digest, sizeof(e.digest));
	else if (last && d->entries.count > d->searched && last->stream == stream && is_blank(last->digest))
		return true; /* it grows */
	return ero_vec_push(&d->entries, e);
}

bool ero_dedupe_add(struct ero_dedupe *d, const struct ero_surveyed *file, uint64_t from, uint64_t to)
{
	uint64_t at = 0;
	bool good = true;

	for (uint32_t i = 0; good && file->detail && i < file->detail->chunk_count && at < to; i++) {
		const struct ero_cdc_chunk *c = &file->detail->chunks[i];
		uint64_t end = at + c->length;

		if (at >= from && end <= to) {
			good = add_entry(d, is_blank(c->digest) ? NULL : c->digest, c->length);
		} else if (end > from) {
			uint64_t begin = at > from ? at : from;

			good = add_entry(d, NULL, (end < to ? end : to) - begin);
		}
		at = end;
	}
	if (at < from)
		at = from;
	return good && (at >= to || add_entry(d, NULL, to - at));
}

/* ---- the search ---- */

/* Numbers an entry's content. Only what has all of a known digest is taken to be the same. */
static int number(struct ero_dedupe *d, size_t entry, struct ero_error *err)
{
	struct ero_line_entry *e = &d->entries.data[entry];
	bool is_new;
	uint32_t n;

	if (is_blank(e->digest))
		return 0;
	n = ero_keys_number(&d->contents, e->digest[0], e->digest[1], &is_new);
	if (n == UINT32_MAX)
		return ero_fail_memory(err);
	if (is_new && (!ero_vec_push(&d->first, (uint32_t)entry) || !ero_vec_push(&d->latest, (uint32_t)entry)))
		return ero_fail_memory(err);
	if (d->entries.data[d->first.data[n]].content == NO_CONTENT && d->first.data[n] != entry)
		d->first.data[n] = d->latest.data[n] = (uint32_t)entry; /* the first one was forgotten */
	if (d->entries.data[d->first.data[n]].digest[2] == e->digest[2])
		e->content = n;
	return 0;
}

static uint64_t end_of(const struct ero_dedupe *d, size_t entry)
{
	return entry + 1 < d->entries.count ? d->entries.data[entry + 1].at : d->end;
}

/* Entries from `source` on that are equal to those from `at` on. */
static size_t equal_run(const struct ero_dedupe *d, size_t source, size_t at)
{
	const struct ero_line_entry *s = &d->entries.data[source], *e = &d->entries.data[at];
	size_t n = 0;

	while (source + n < at && at + n < d->entries.count && s[n].content == e[n].content && e[n].content != NO_CONTENT &&
	       s[n].stream == s[0].stream && e[n].stream == e[0].stream)
		n++;
	return n;
}

static const struct ero_copy *copy_inside(const struct ero_dedupe *d, uint64_t at)
{
	const struct ero_copy *c = ero_dedupe_copy(d, at);

	return c && c->at < at ? c : NULL;
}

/* A cut inside a copy is one in what it is a copy of. */
static bool cut(struct ero_dedupe *d, uint64_t at)
{
	const struct ero_copy *c;

	while ((c = copy_inside(d, at)))
		at = c->source + (at - c->at);
	return ero_vec_push(&d->cuts, at);
}

/* ---- the same bytes twice in one page ---- */

/*
 * A page that holds the end of one reference to an extent and the beginning of another one to the same is not always filled by
 * Linux 6.18, where the extent is plain: EIO. So what lies this far ahead of a copy may not come from the same place.
 */
enum { APART = 65536 };

struct stretch {
	uint64_t from, to;
};
typedef ERO_VEC(struct stretch) stretches;

/* Where a range was stored first: copies lead to what they are copies of. */
static bool origins(const struct ero_dedupe *d, uint64_t from, uint64_t to, stretches *result)
{
	while (from < to) {
		uint64_t at = from, length = to - from;
		const struct ero_copy *c;
		struct stretch s;

		while ((c = ero_dedupe_copy(d, at)) && c->at <= at) {
			uint64_t left = c->at + c->length - at;

			length = left < length ? left : length;
			at = c->source + (at - c->at);
		}
		if (c && c->at < at + length)
			length = c->at - at;
		s = (struct stretch){ at, at + length };
		if (!ero_vec_push(result, s))
			return false;
		from += length;
	}
	return true;
}

/* Does something shortly before a copy come from where the copy does? `*good` is false when memory ends. */
static bool comes_twice(const struct ero_dedupe *d, const struct ero_copy *copy, bool *good)
{
	stretches before = { 0 }, here = { 0 };
	bool twice = false;

	*good = origins(d, copy->at > APART ? copy->at - APART : 0, copy->at, &before) &&
		origins(d, copy->source, copy->source + copy->length, &here);
	for (size_t i = 0; *good && !twice && i < before.count; i++)
		for (size_t k = 0; !twice && k < here.count; k++)
			twice = before.data[i].from < here.data[k].to && here.data[k].from < before.data[i].to;
	ero_vec_free(&before);
	ero_vec_free(&here);
	return twice;
}

/* Takes the longest copy that begins at an entry. Returns the entries it has; 0 for none. */
static size_t take_copy(struct ero_dedupe *d, size_t at, int *rc, struct ero_error *err)
{
	const struct ero_line_entry *e = &d->entries.data[at];
	size_t source, n, other;
	struct ero_copy c;
	bool good;

	if (e->content == NO_CONTENT || d->first.data[e->content] == at)
		return 0;
	source = d->first.data[e->content]; /* which may have been forgotten: then it is equal to nothing */
	n = equal_run(d, source, at);
	other = equal_run(d, d->latest.data[e->content], at);
	if (other > n) {
		source = d->latest.data[e->content];
		n = other;
	}
	if (!n)
		return 0;
	c.at = e->at;
	c.source = d->entries.data[source].at;
	c.length = end_of(d, at + n - 1) - c.at;
	if (c.length < (c.at - c.source < d->window ? d->window : d->least))
		return 0;
	if (comes_twice(d, &c, &good))
		return 0;
	if (!good || !cut(d, c.source) || !cut(d, c.source + c.length) || !ero_vec_push(&d->copies, c))
		*rc = ero_fail_memory(err);
	return n;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort_cuts(struct ero_dedupe *d)
{
	size_t n = 0;

	if (d->cuts.count)
		qsort(d->cuts.data, d->cuts.count, sizeof(*d->cuts.data), by_value);
	for (size_t i = 0; i < d->cuts.count; i++)
		if (!n || d->cuts.data[n - 1] != d->cuts.data[i])
			d->cuts.data[n++] = d->cuts.data[i];
	d->cuts.count = n;
}

int ero_dedupe_find(struct ero_dedupe *d, struct ero_error *err)
{
	size_t at = d->searched;
	int rc = 0;

	for (size_t i = at; !rc && i < d->entries.count; i++)
		rc = number(d, i, err);
	while (!rc && at < d->entries.count) {
		size_t n = take_copy(d, at, &rc, err);

		for (size_t i = 0; i < n + !n; i++, at++)
			if (d->entries.data[at].content != NO_CONTENT)
				d->latest.data[d->entries.data[at].content] = (uint32_t)at;
	}
	d->searched = d->entries.count;
	sort_cuts(d);
	return rc;
}

void ero_dedupe_forget(struct ero_dedupe *d, uint64_t from, uint64_t to)
{
	size_t low = 0, high = d->entries.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->entries.data[mid].at < from)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < d->entries.count && d->entries.data[low].at < to; low++) {
		struct ero_line_entry *e = &d->entries.data[low];

		memset(e->digest, 0, sizeof(e->digest));
		e->content = NO_CONTENT;
	}
}

/* ---- what was found ---- */

const struct ero_copy *ero_dedupe_copy(const struct ero_dedupe *d, uint64_t at)
{
	size_t low = 0, high = d->copies.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->copies.data[mid].at + d->copies.data[mid].length > at)
			high = mid;
		else
			low = mid + 1;
	}
	return low < d->copies.count ? &d->copies.data[low] : NULL;
}

uint64_t ero_dedupe_cut(const struct ero_dedupe *d, uint64_t at)
{
	size_t low = 0, high = d->cuts.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->cuts.data[mid] > at)
			high = mid;
		else
			low = mid + 1;
	}
	return low < d->cuts.count ? d->cuts.data[low] : UINT64_MAX;
}

const struct ero_line_stream *ero_dedupe_stream_at(const struct ero_dedupe *d, uint64_t at)
{
	size_t low = 0, high = d->streams.count;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (d->streams.data[mid].at <= at)
			low = mid;
		else
			high = mid;
	}
	return &d->streams.data[low];
}

/* Both ends of a source are cuts, and a copy shows itself. */
bool ero_dedupe_touches(const struct ero_dedupe *d, uint64_t from, uint64_t to)
{
	const struct ero_copy *c = ero_dedupe_copy(d, from);
	uint64_t source = from ? ero_dedupe_cut(d, from - 1) : d->cuts.count ? d->cuts.data[0] : UINT64_MAX;

	return (c && c->at < to) || source < to;
}
