// SPDX-License-Identifier: MIT
/* How the image is to be mounted: the way, and mount options as mount(8) takes them, sorted into the kernel's own, EROFS's,
 * and those nobody knows. */
#include "base/cleanup.h"
#include "config.h"
#include "layering/gather.h"

#include <string.h>

#ifdef HAVE_MOUNT
#include <libmount.h>
#endif

/* EROFS's options and whether they take a value (fs/erofs/super.c, Linux 6.12 to 7.2). */
static const struct {
	const char *name;
	enum { NO_VALUE, ANY_VALUE, MAYBE_VALUE } value;
} own_options[] = {
	{ "user_xattr", NO_VALUE }, { "nouser_xattr", NO_VALUE }, { "acl", NO_VALUE }, { "noacl", NO_VALUE },
	{ "cache_strategy", ANY_VALUE }, { "dax", MAYBE_VALUE }, { "device", ANY_VALUE }, { "fsid", ANY_VALUE },
	{ "domain_id", ANY_VALUE }, { "directio", NO_VALUE }, { "nodirectio", NO_VALUE }, { "fsoffset", ANY_VALUE }, { "inode_share", NO_VALUE },
};

static bool is_own(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(own_options) / sizeof(own_options[0]); i++)
		if (!strcmp(own_options[i].name, name))
			return own_options[i].value == MAYBE_VALUE || (own_options[i].value == ANY_VALUE) == (value != NULL);
	return false;
}

/* A number as the kernel takes it: no unit behind it. */
static bool kernel_number(const char *text, uint64_t *number)
{
	return !text[strspn(text, "0123456789abcdefxABCDEFX")] && ero_parse_number(text, 0, INT64_MAX, number);
}

/* The few values that the kernel looks at when it parses. */
static bool value_is_good(const char *name, const char *value)
{
	if (!strcmp(name, "cache_strategy"))
		return !strcmp(value, "disabled") || !strcmp(value, "readahead") || !strcmp(value, "readaround");
	if (!strcmp(name, "dax") && value)
		return !strcmp(value, "always") || !strcmp(value, "never");
	return strcmp(name, "fsoffset") != 0 || kernel_number(value, &(uint64_t){ 0 });
}

static void append(struct ero_text *list, const char *name, const char *value)
{
	char text[sizeof(list->value) * 2];

	snprintf(text, sizeof(text), "%.200s%s%.100s%s%.100s", list->value, *list->value ? "," : "", name, value ? "=" : "",
		 value ? value : "");
	ero_know_text(list, text);
}

struct planning {
	struct ero_facts *facts;
	struct ero_device_list *devices;
	bool by_loop;
	bool has_offset;
};

/* By a loop device it counts from where that begins; else it is what --offset says, too. */
static int take_fsoffset(struct planning *p, uint64_t n, struct ero_error *err)
{
	struct ero_facts *f = p->facts;

	if (!p->by_loop && p->has_offset && n != f->plan.offset.value)
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "fsoffset=%llu and --offset=%llu name two places",
				(unsigned long long)n, (unsigned long long)f->plan.offset.value);
	ero_know(&f->plan.fsoffset, n);
	return 0;
}

/* One option that is neither the kernel's own nor mount(8)'s. */
static int take_own(struct planning *p, const char *name, const char *value, struct ero_error *err)
{
	struct ero_facts *f = p->facts;
	uint64_t n;

	if (!is_own(name, value) || !value_is_good(name, value)) {
		append(&f->plan.unknown_options, name, value);
		return 0;
	}
	append(&f->plan.options, name, value);
	if (!strcmp(name, "directio") || !strcmp(name, "nodirectio"))
		ero_know(&f->plan.direct_io, *name == 'd');
	else if (!strcmp(name, "inode_share"))
		ero_know(&f->plan.inode_share, 1);
	else if (!strcmp(name, "fsid"))
		ero_know(&f->plan.fsid, 1);
	else if (!strcmp(name, "domain_id"))
		ero_know(&f->plan.domain_id, 1);
	else if (!strcmp(name, "dax"))
		ero_know(&f->plan.dax, !value || !strcmp(value, "always"));
	else if (!strcmp(name, "device"))
		return ero_device_list_add(p->devices, value) ? 0 : ero_fail_memory(err);
	else if (!strcmp(name, "fsoffset") && kernel_number(value, &n))
		return take_fsoffset(p, n, err);
	return 0;
}

/* Is it an option that every file system has, or one that only mount(8) sees? */
static bool is_label(const char *name)
{
	static const char *const labels[] = { "context", "fscontext", "defcontext", "rootcontext", "seclabel" };

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (!strcmp(name, labels[i]))
			return true;
	return false;
}

#ifdef HAVE_MOUNT
static bool in_map(int id, const char *name)
{
	for (const struct libmnt_optmap *m = mnt_get_builtin_optmap(id); m && m->name; m++) {
		size_t length = strcspn(m->name, "=[");

		if (strlen(name) == length && !strncmp(m->name, name, length))
			return true;
	}
	return false;
}

bool ero_option_is_general(const char *name)
{
	return in_map(MNT_LINUX_MAP, name) || is_label(name);
}

int ero_options_each(const char *options, ero_option_fn fn, void *context, struct ero_error *err)
{
	ERO_AUTO_FREE char *copy = strdup(options);
	char *at = copy, *name, *value;
	size_t name_length, value_length;
	int rc = copy ? 0 : ero_fail_memory(err);

	while (!rc && !mnt_optstr_next_option(&at, &name, &name_length, &value, &value_length)) {
		ERO_AUTO_FREE char *n = strndup(name, name_length);
		ERO_AUTO_FREE char *v = value ? strndup(value, value_length) : NULL;

		rc = n && (!value || v) ? fn(context, n, v, err) : ero_fail_memory(err);
	}
	return rc;
}

bool ero_option_is_for_mount(const char *name)
{
	static const char *const loops[] = { "loop", "offset", "sizelimit", "encryption" };

	for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++)
		if (!strcmp(name, loops[i]))
			return false;
	return !strncasecmp(name, "x-", 2) || in_map(MNT_USERSPACE_MAP, name);
}
#else
bool ero_option_is_general(const char *name)
{
	return is_label(name);
}

int ero_options_each(const char *options, ero_option_fn fn, void *context, struct ero_error *err)
{
	(void)options;
	(void)fn;
	(void)context;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "mount options cannot be judged: built without libmount");
}

bool ero_option_is_for_mount(const char *name)
{
	(void)name;
	return false;
}
#endif

static int take(void *context, const char *name, const char *value, struct ero_error *err)
{
	struct planning *p = context;
	struct ero_facts *f = p->facts;
	uint64_t n;

	if (!strcmp(name, "nosuid"))
		ero_know(&f->plan.nosuid, 1);
	else if (!strcmp(name, "nodev"))
		ero_know(&f->plan.nodev, 1);
	else if (!strcmp(name, "noexec"))
		ero_know(&f->plan.noexec, 1);
	if (ero_option_is_general(name) || ero_option_is_for_mount(name))
		return 0;
	if (p->by_loop && !strcmp(name, "loop"))
		return 0;
	if (p->by_loop && !strcmp(name, "offset") && value && ero_parse_number(value, 0, INT64_MAX, &n)) {
		ero_know(&f->plan.offset, n);
		return 0;
	}
	if (p->by_loop && !strcmp(name, "sizelimit") && value && ero_parse_number(value, 0, INT64_MAX, &n)) {
		ero_know(&f->plan.size_limit, n);
		return 0;
	}
	return take_own(p, name, value, err);
}

bool ero_device_list_add(struct ero_device_list *list, const char *path)
{
	char *copy = strdup(path);

	if (copy && ero_vec_push(list, copy))
		return true;
	free(copy);
	return false;
}

void ero_device_list_free(struct ero_device_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->data[i]);
	ero_vec_free(list);
}

int ero_gather_plan(const struct ero_preflight_options *o, const struct stat *st, struct ero_facts *f,
		    struct ero_device_list *devices, struct ero_error *err)
{
	static const char *const ways[] = { [ERO_WAY_FILE] = "file", [ERO_WAY_LOOP] = "loop", [ERO_WAY_DEVICE] = "device" };
	enum ero_way way = o->way != ERO_WAY_AUTO ? o->way : S_ISBLK(st->st_mode) ? ERO_WAY_DEVICE : ERO_WAY_FILE;
	struct planning p = { .facts = f, .devices = devices, .by_loop = way == ERO_WAY_LOOP, .has_offset = o->offset != 0 };

	ero_know_text(&f->plan.way, ways[way]);
	ero_know(&f->plan.offset, o->offset);
	ero_know(&f->plan.direct_io, 0);
	ero_know(&f->plan.nosuid, 0);
	ero_know(&f->plan.nodev, 0);
	ero_know(&f->plan.noexec, 0);
	ero_know_text(&f->plan.options, "");
	ero_know_text(&f->plan.unknown_options, "");
	ero_know(&f->plan.inode_share, 0);
	ero_know(&f->plan.fsid, 0);
	ero_know(&f->plan.domain_id, 0);
	ero_know(&f->plan.dax, 0);
	ero_know(&f->plan.fsoffset, p.by_loop ? 0 : o->offset);
	ero_know(&f->plan.size_limit, 0);
	ero_know(&f->plan.loop_direct_io, 0);
	ero_know(&f->plan.overlays, o->overlays);
	ero_know(&f->plan.trust_devices, o->trust_devices);
	for (size_t i = 0; i < o->device_count; i++)
		if (!ero_device_list_add(devices, o->devices[i]))
			return ero_fail_memory(err);
	if (o->mount_options) {
		int rc = ero_options_each(o->mount_options, take, &p, err);

		if (rc)
			return rc;
	}
	if (p.by_loop)
		f->plan.offset.value += f->plan.fsoffset.value;
	else
		f->plan.offset.value = f->plan.fsoffset.value;
	return 0;
}
