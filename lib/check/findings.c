// SPDX-License-Identifier: MIT
/* From a place and a sentence to a finding in the caller's hands; and the ids of what stops an image from opening. */
#include "check/catalogue.h"
#include "check/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* "/a/b/name", cut at the front if it does not fit. */
static void build_path(const struct ero_place *at, char *path, size_t size)
{
	const struct ero_check_dir *dir = at->dir;
	const char *name = at->name;
	size_t length = at->name_length, end = size - 1;

	path[end] = '\0';
	if (!name && dir) {
		name = dir->name;
		length = strlen(name);
		dir = dir->parent;
	}
	while (name && length) {
		if (length + 1 > end)
			break;
		end -= length;
		memcpy(path + end, name, length);
		path[--end] = '/';
		name = dir ? dir->name : NULL;
		length = name ? strlen(name) : 0;
		dir = dir ? dir->parent : NULL;
	}
	if (end == size - 1)
		path[--end] = '/';
	memmove(path, path + end, size - end);
}

static void emit(struct ero_checker *c, const char *id, const struct ero_place *at, const char *message,
		 const char *expected, const char *found)
{
	const struct ero_invariant *invariant = ero_invariant_find(id);
	enum ero_severity severity = invariant ? invariant->severity : ERO_DAMAGE; /* a test makes sure that all are listed */
	char path[4096];
	struct ero_finding f = {
		.id = id,
		.severity = severity,
		.message = message,
		.expected = expected,
		.found = found,
	};

	if (at) {
		f.has_nid = at->has_nid;
		f.nid = at->nid;
		f.has_offset = at->has_offset;
		f.offset = at->offset;
		if (at->dir || at->name) {
			build_path(at, path, sizeof(path));
			f.path = path;
		}
	}
	if (severity == ERO_DAMAGE)
		c->result->damages++;
	else if (severity == ERO_WARNING)
		c->result->warnings++;
	if (invariant && c->told[invariant - ero_invariants]++ >= ERO_CHECK_TOLD && !c->options->all)
		c->result->untold++;
	else if (c->options->finding)
		c->options->finding(c->options->context, &f);
}

void ero_check_tell(struct ero_checker *c, const char *id, const struct ero_place *at, const char *format, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	emit(c, id, at, message, NULL, NULL);
}

void ero_check_differs(struct ero_checker *c, const char *id, const struct ero_place *at, const char *message,
		       uint64_t expected, uint64_t found)
{
	char want[24], have[24];

	snprintf(want, sizeof(want), "%" PRIu64, expected);
	snprintf(have, sizeof(have), "%" PRIu64, found);
	emit(c, id, at, message, want, have);
}

void ero_check_blame(struct ero_checker *c, const char *id, const struct ero_place *at, int rc, const struct ero_error *err)
{
	if (err->kind == ERO_ERROR_CORRUPT) {
		ero_check_tell(c, id, at, "%s", err->text);
	} else if (!c->rc) {
		c->rc = rc;
		c->failure = *err;
	}
}

void ero_check_no_memory(struct ero_checker *c)
{
	if (!c->rc)
		c->rc = ero_fail_memory(&c->failure);
}

const char *ero_open_finding_id(const struct ero_error *err)
{
	if (err->code == EBADMSG)
		return "super.checksum";
	switch (err->kind) {
	case ERO_ERROR_CORRUPT:
		return "super.damaged";
	case ERO_ERROR_UNSUPPORTED:
		return "super.unsupported";
	case ERO_ERROR_FOREIGN:
		return "super.not-erofs";
	default:
		return "io.open";
	}
}
