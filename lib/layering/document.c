// SPDX-License-Identifier: MIT
/* Facts as a JSON document: one object a group, one member a fact; {"unknown": REASON} for what could not be learnt.
 * What comes in is hostile: depth, kinds, lengths and names are checked. */
#include "base/json.h"
#include "layering/gather.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_VERSION = 1, MAX_DEPTH = 8, MAX_DOCUMENT = 16 << 20, PIECE = 64 << 10 };

/* ---- out ---- */

static json_object *unknown_out(const char *why)
{
	json_object *o = json_object_new_object();

	ero_json_add_name(o, "unknown", why, strlen(why));
	return o;
}

static void field_out(json_object *group, const struct ero_field *field, const void *base)
{
	const void *at = (const char *)base + field->offset;
	const struct ero_fact *fact = at;
	const struct ero_text *text = at;

	if (field->kind == ERO_FIELD_TEXT) {
		if (text->known)
			ero_json_add_name(group, field->name, text->value, strlen(text->value));
		else
			ero_json_add(group, field->name, unknown_out(text->why_not));
	} else if (!fact->known) {
		ero_json_add(group, field->name, unknown_out(fact->why_not));
	} else if (field->kind == ERO_FIELD_FLAG) {
		ero_json_add(group, field->name, json_object_new_boolean(fact->value != 0));
	} else {
		ero_json_add_u64(group, field->name, fact->value);
	}
}

static void groups_out(json_object *document, const struct ero_field_group *groups, const void *base)
{
	for (const struct ero_field_group *g = groups; g->name; g++) {
		json_object *o = json_object_new_object();

		for (const struct ero_field *f = g->fields; f->name; f++)
			field_out(o, f, (const char *)base + g->offset);
		ero_json_add(document, g->name, o);
	}
}

int ero_facts_save(const struct ero_facts *facts, FILE *out, struct ero_error *err)
{
	json_object *document = json_object_new_object(), *devices = json_object_new_array();
	int rc;

	ero_json_add(document, "erolith_facts", json_object_new_int(DOCUMENT_VERSION));
	groups_out(document, ero_field_groups, facts);
	for (size_t i = 0; devices && i < facts->device_count; i++) {
		json_object *o = json_object_new_object();

		groups_out(o, ero_device_groups, &facts->devices[i]);
		ero_json_append(devices, o);
	}
	ero_json_add(document, "devices", devices);
	rc = ero_json_write(document, out, err);
	if (!rc && fflush(out))
		rc = ero_fail_errno(err, "cannot write the facts");
	json_object_put(document);
	return rc;
}

/* ---- in ---- */

static int wrong(struct ero_error *err, const char *group, const char *name, const char *what)
{
	return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "the facts' \"%.40s.%.40s\" %s", group, name, what);
}

static const char *unknown_in(json_object *value)
{
	json_object *why;

	if (!json_object_is_type(value, json_type_object) || !json_object_object_get_ex(value, "unknown", &why) ||
	    !json_object_is_type(why, json_type_string))
		return NULL;
	return json_object_get_string(why);
}

/* What is too long is cut, as when it is gathered: bytes that are no UTF-8 grow in the document. */
static bool text_in(struct ero_text *text, json_object *value)
{
	const char *s = json_object_get_string(value);

	if (!json_object_is_type(value, json_type_string) || strlen(s) != (size_t)json_object_get_string_len(value))
		return false;
	ero_know_text(text, s);
	return true;
}

static bool number_in(struct ero_fact *fact, enum ero_field_kind kind, json_object *value)
{
	if (kind == ERO_FIELD_FLAG) {
		if (!json_object_is_type(value, json_type_boolean))
			return false;
		fact->value = json_object_get_boolean(value) != 0;
	} else {
		if (!json_object_is_type(value, json_type_int))
			return false;
		fact->value = json_object_get_uint64(value);
		if (json_object_get_int64(value) < 0 || fact->value > INT64_MAX)
			return false;
	}
	fact->known = true;
	return true;
}

static int field_in(const char *group, const struct ero_field *field, json_object *value, void *base, struct ero_error *err)
{
	void *at = (char *)base + field->offset;
	const char *why = unknown_in(value);
	bool text = field->kind == ERO_FIELD_TEXT;

	if (why) {
		if (text)
			snprintf(((struct ero_text *)at)->why_not, sizeof(((struct ero_text *)at)->why_not), "%.119s", why);
		else
			snprintf(((struct ero_fact *)at)->why_not, sizeof(((struct ero_fact *)at)->why_not), "%.119s", why);
		return 0;
	}
	if (text ? text_in(at, value) : number_in(at, field->kind, value))
		return 0;
	return wrong(err, group, field->name,
		     text ? "is no text" : field->kind == ERO_FIELD_FLAG ? "is neither true nor false" :
		     "is no number of 63 bits");
}

static const struct ero_field *find_field(const struct ero_field_group *group, const char *name)
{
	const struct ero_field *f = group->fields;

	while (f->name && strcmp(f->name, name) != 0)
		f++;
	return f->name ? f : NULL;
}

/* "path_hex" stands beside a "path" that is not UTF-8: for readers, not for rules. */
static bool is_hex_companion(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, "_hex");
}

static int group_in(const struct ero_field_group *group, json_object *o, void *base, struct ero_error *err)
{
	json_object_iter i;

	if (!json_object_is_type(o, json_type_object))
		return wrong(err, group->name, "", "is no object");
	json_object_object_foreachC(o, i) {
		const struct ero_field *field = find_field(group, i.key);
		int rc = 0;

		if (field)
			rc = field_in(group->name, field, i.val, (char *)base + group->offset, err);
		else if (!is_hex_companion(i.key))
			rc = wrong(err, group->name, i.key, "is no fact that is known");
		if (rc)
			return rc;
	}
	return 0;
}

/* Says of everything that it is not in the document; what is there replaces that. */
static void nothing_known(const struct ero_field_group *groups, void *base)
{
	static const char why[] = "the facts do not say";

	for (const struct ero_field_group *g = groups; g->name; g++) {
		for (const struct ero_field *f = g->fields; f->name; f++) {
			void *at = (char *)base + g->offset + f->offset;

			memcpy(f->kind == ERO_FIELD_TEXT ? ((struct ero_text *)at)->why_not : ((struct ero_fact *)at)->why_not, why,
			       sizeof(why));
		}
	}
}

/* Members of an object that are groups; `other` names those that somebody else reads. */
static int groups_in(const struct ero_field_group *groups, const char *const *other, json_object *o, void *base,
		     struct ero_error *err)
{
	json_object_iter i;

	if (!json_object_is_type(o, json_type_object))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "the facts are no JSON object");
	json_object_object_foreachC(o, i) {
		const struct ero_field_group *g = groups;
		bool known = false;
		int rc;

		while (g->name && strcmp(g->name, i.key) != 0)
			g++;
		for (const char *const *p = other; *p; p++)
			known = known || !strcmp(*p, i.key);
		if (!g->name && !known)
			return wrong(err, i.key, "*", "is no group that is known");
		rc = g->name ? group_in(g, i.val, base, err) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

static int devices_in(json_object *document, struct ero_facts *facts, struct ero_error *err)
{
	static const char *const none[] = { NULL };
	json_object *list;
	int rc = 0;

	if (!json_object_object_get_ex(document, "devices", &list))
		return 0;
	if (!json_object_is_type(list, json_type_array) || json_object_array_length(list) > ERO_MOST_DEVICES)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "the facts' \"devices\" is no list of up to %d", ERO_MOST_DEVICES);
	facts->device_count = json_object_array_length(list);
	facts->devices = calloc(facts->device_count + 1, sizeof(*facts->devices));
	if (!facts->devices)
		return ero_fail_memory(err);
	for (size_t i = 0; !rc && i < facts->device_count; i++) {
		nothing_known(ero_device_groups, &facts->devices[i]);
		rc = groups_in(ero_device_groups, none, json_object_array_get_idx(list, i), &facts->devices[i], err);
	}
	return rc;
}

int ero_facts_parse(const char *text, size_t length, struct ero_facts *facts, struct ero_error *err)
{
	static const char *const other[] = { "erolith_facts", "devices", NULL };
	json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	json_object *document = NULL, *version;
	int rc = 0;

	memset(facts, 0, sizeof(*facts));
	if (!tokener)
		return ero_fail_memory(err);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	if (length > MAX_DOCUMENT)
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EFBIG, "the facts have more than %d MiB", MAX_DOCUMENT >> 20);
	else
		document = json_tokener_parse_ex(tokener, text, (int)length);
	if (!rc && !document)
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "the facts are no JSON: %s at byte %zu",
			      json_tokener_error_desc(json_tokener_get_error(tokener)), json_tokener_get_parse_end(tokener));
	nothing_known(ero_field_groups, facts);
	if (!rc && (!json_object_is_type(document, json_type_object) ||
		    !json_object_object_get_ex(document, "erolith_facts", &version) || !json_object_is_type(version, json_type_int) ||
		    json_object_get_int(version) != DOCUMENT_VERSION))
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "this is no document of facts (\"erolith_facts\": %d)", DOCUMENT_VERSION);
	if (!rc)
		rc = groups_in(ero_field_groups, other, document, facts, err);
	if (!rc)
		rc = devices_in(document, facts, err);
	json_object_put(document);
	json_tokener_free(tokener);
	if (rc)
		ero_facts_free(facts);
	return rc;
}

int ero_facts_load(const char *path, struct ero_facts *facts, struct ero_error *err)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	ERO_VEC(char) text = { 0 };
	size_t got = 1;
	int rc = 0;

	memset(facts, 0, sizeof(*facts));
	if (!in)
		return ero_fail_errno(err, "cannot open the facts in %s", path);
	while (!rc && got && text.count <= MAX_DOCUMENT) {
		if (!ero_vec_reserve(&text, PIECE))
			rc = ero_fail_memory(err);
		got = rc ? 0 : fread(text.data + text.count, 1, PIECE, in);
		text.count += got;
	}
	if (!rc && ferror(in))
		rc = ero_fail_errno(err, "cannot read the facts in %s", path);
	if (!rc)
		rc = ero_facts_parse(text.data, text.count, facts, err);
	ero_vec_free(&text);
	if (in != stdin)
		fclose(in);
	return rc ? ero_error_prefix(err, rc, "%s", path) : 0;
}
