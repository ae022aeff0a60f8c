// SPDX-License-Identifier: MIT
/* Every rule from a facts file with something changed in it: on both sides of its predicate, with a fact unknown, and at the
 * edges of its kernel windows. The files are tests/corpus/facts/good-*.json, which break no rule. */
#include "unit.h"

#include <json.h>
#include <string.h>

#include "layering/cost.h"
#include "layering/rules.h"

/* ---- facts from a file, with changes ---- */

static json_object *base(const char *name)
{
	const char *top = getenv("ERO_SOURCE");
	char path[4096];
	json_object *o;

	snprintf(path, sizeof(path), "%s/tests/corpus/facts/%s.json", top ? top : ".", name);
	o = json_object_from_file(path);
	if (!o)
		fail_msg("%s: %s", path, json_util_get_last_err());
	return o;
}

static json_object *value_of(const char *word)
{
	json_object *o;

	if (!strcmp(word, "?")) {
		o = json_object_new_object();
		json_object_object_add(o, "unknown", json_object_new_string("for the test"));
		return o;
	}
	if (!strcmp(word, "true") || !strcmp(word, "false"))
		return json_object_new_boolean(*word == 't');
	if (*word && !word[strspn(word, "0123456789")])
		return json_object_new_int64(atoll(word));
	return json_object_new_string(word);
}

/* "group.fact=VALUE", or "devices.N.group.fact=VALUE"; "=?" makes it unknown. */
static void change(json_object *o, char *text)
{
	char *equals = strchr(text, '='), *part, *at = text, *name;
	json_object *next;

	assert_non_null(equals);
	*equals = '\0';
	name = strrchr(text, '.');
	*name++ = '\0';
	while ((part = strsep(&at, "."))) {
		next = json_object_is_type(o, json_type_array) ? json_object_array_get_idx(o, (size_t)atoi(part)) :
								 json_object_object_get(o, part);
		if (!next)
			fail_msg("no %s", part);
		o = next;
	}
	if (!json_object_object_get_ex(o, name, NULL))
		fail_msg("no fact %s", name);
	json_object_object_add(o, name, value_of(equals + 1));
}

static void facts_with(const char *name, const char *changes, struct ero_facts *f)
{
	json_object *o = base(name);
	char *copy = strdup(changes), *at = copy, *one;
	struct ero_error err = { 0 };
	const char *text;

	while ((one = strsep(&at, ";")))
		if (*one)
			change(o, one);
	text = json_object_to_json_string(o);
	if (ero_facts_parse(text, strlen(text), f, &err))
		fail_msg("%s: %s", changes, err.text);
	json_object_put(o);
	free(copy);
}

/* ---- the cases ---- */

#define FILE_ "good-file"
#define DEVS "good-devices"
#define H ERO_HOLDS
#define B ERO_BROKEN
#define U ERO_UNKNOWN
#define OLD "kernel.running=false;kernel.features=?;kernel.file_backed=?;kernel.release="

static const struct {
	const char *rule, *facts, *changes;
	enum ero_truth want;
} cases[] = {
	/* ---- kernel ---- */
	{ "layer.kernel.no-erofs", FILE_, "kernel.erofs=false", B },
	{ "layer.kernel.no-erofs", FILE_, "kernel.erofs=?", U },
	{ "layer.kernel.no-filebacked", FILE_, "kernel.file_backed=false", B },
	{ "layer.kernel.no-filebacked", FILE_, OLD "6.11.99", B },
	{ "layer.kernel.no-filebacked", FILE_, OLD "6.12.0", H },
	{ "layer.kernel.no-filebacked", FILE_, OLD "6.12.0-rc1", B },
	{ "layer.kernel.no-filebacked", FILE_, OLD "?", U },
	{ "layer.kernel.no-filebacked", FILE_, "kernel.release=5.14.0-427.el9", H }, /* its configuration says that it can */
	{ "layer.kernel.answer", FILE_, "who.answer=22", B },
	{ "layer.kernel.answer", FILE_, "who.answer=?", H },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.0;file.fs_magic=1702057286", B },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.1;image.block_bits=9", B },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.1", H },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.2;image.block_bits=9", H },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.1;image.block_bits=?", U },
	{ "layer.kernel.fuse-subpage-crash", FILE_, "kernel.release=6.12.1;file.fs_magic=?", U },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.12.0", B },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.12.6", B },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.12.7", H },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.13.0-rc3", B },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.13.0-rc4", H },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=?", U },
	{ "layer.kernel.dio-default", FILE_, "kernel.release=6.12;kernel.exact=false", U },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.12.23", B },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.12.24", H },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.13.0", B },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.13.11", B },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.13.12", H },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.14.2", B },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.14.3", H },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.15.0-rc1", B },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.15.0-rc2", H },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.12.23;image.feature_incompat=0", H },
	{ "layer.kernel.lost-io-error", FILE_, "kernel.release=6.12.23;image.feature_incompat=?", U },
	{ "layer.kernel.multidev-uaf", DEVS, "plan.way=device;file.type=block;kernel.release=6.12.33", B },
	{ "layer.kernel.multidev-uaf", DEVS, "plan.way=device;file.type=block;kernel.release=6.12.34", H },
	{ "layer.kernel.multidev-uaf", DEVS, "plan.way=device;file.type=block;kernel.release=6.15.2", B },
	{ "layer.kernel.multidev-uaf", DEVS, "plan.way=device;file.type=block;kernel.release=6.15.3", H },
	{ "layer.kernel.multidev-uaf", DEVS,
	  "plan.way=device;file.type=block;kernel.release=6.15.2;devices.0.file.type=block;devices.1.file.type=block", H },
	{ "layer.kernel.multidev-uaf", DEVS, "plan.way=device;kernel.release=6.15.2;devices.0.file.type=?", U },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.12.71", B },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.12.72", H },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.13.0", B },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.18.10", B },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.18.11", H },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.19.0", B },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.19.1", H },
	{ "layer.kernel.dio-uaf", FILE_, "kernel.release=6.18.10", H },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.18;kernel.exact=false", U },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=true;kernel.release=6.17;kernel.exact=false", B },
	{ "layer.kernel.dio-uaf", FILE_, "plan.direct_io=?;kernel.release=6.18.10", U },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.12.79", B },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.12.80", H },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.18.20", B },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.18.21", H },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.19.10", B },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=6.19.11", H },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=7.0.0-rc5", B },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=7.0.0-rc6", H },
	{ "layer.kernel.shortread-zero", FILE_, "kernel.release=?", U },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.12.63", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.12.62", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.12.65", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.12.66", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.17.12", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.17.13", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.18.2", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.18.5", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.18.6", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.19.0-rc4", B },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=2;kernel.release=6.19.0-rc5", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=1;kernel.release=6.18.5", H },
	{ "layer.kernel.stack-limit-window", FILE_, "plan.overlays=?;kernel.release=6.18.5", U },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.12.62;file.fs_magic=3774210530;file.fs_anonymous=true", B },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.12.62;file.fs_magic=3774210530", H },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.12.63;file.fs_magic=2035054128", H },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.17.12;file.fs_magic=2035054128", B },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.17.13;file.fs_magic=2035054128", H },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.18.1;file.fs_magic=2035054128", B },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.18.2;file.fs_magic=2035054128", H },
	{ "layer.kernel.no-stack-limit", FILE_, "kernel.release=6.18.1;file.fs_magic=?", U },
	{ "layer.kernel.precontent-bypass", FILE_, "kernel.release=7.0.9;file.precontent_marks=1", B },
	{ "layer.kernel.precontent-bypass", FILE_, "kernel.release=7.1.0-rc1;file.precontent_marks=1", H },
	{ "layer.kernel.precontent-bypass", FILE_, "kernel.release=7.0.9", H },
	{ "layer.kernel.precontent-bypass", FILE_, "kernel.release=7.0.9;file.precontent_marks=?", U },
	{ "layer.loop.precontent-bypass", FILE_, "plan.way=loop;kernel.release=7.2.9;file.precontent_marks=1", B },
	{ "layer.loop.precontent-bypass", FILE_, "file.precontent_marks=1", H },
	{ "layer.loop.precontent-bypass", FILE_, "plan.way=loop;file.precontent_marks=?", U },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=6.16.0-rc2;kernel.lsm=capability,selinux", B },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=6.16.0-rc3;kernel.lsm=capability,selinux", H },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=7.1.0-rc1;kernel.lsm=apparmor", B },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=7.2.99;kernel.lsm=smack", B },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=7.3.0-rc1;kernel.lsm=smack", H },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=7.2.0", H },
	{ "layer.kernel.reader-creds", FILE_, "kernel.release=7.2.0;kernel.lsm=?", U },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.18.15;image.feature_incompat=131;image.byte_extents=true", B },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.18.16;image.feature_incompat=131;image.byte_extents=true", H },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.19.5;image.feature_incompat=131;image.byte_extents=true", B },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.19.6;image.feature_incompat=131;image.byte_extents=true", H },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.18.15;image.feature_incompat=131", H },
	{ "layer.kernel.encoded-extents", FILE_, "kernel.release=6.18.15;image.feature_incompat=131;image.byte_extents=?", U },
	/* ---- backing ---- */
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=16914836", B },     /* tmpfs */
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=2035054128", B },   /* overlay */
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=2508478710", B },   /* hugetlbfs */
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=2240043254", H },   /* ramfs */
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=16914836;plan.way=loop", H },
	{ "layer.backing.no-read-folio", FILE_, "file.fs_magic=?", U },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=true", B },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=true;kernel.release=6.12.62", H },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=true;kernel.release=6.12.63", B },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=true;kernel.release=6.18.1", H },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=true;kernel.release=6.18.2", B },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530", H },
	{ "layer.backing.stacked", FILE_, "file.fs_magic=61791", B },              /* ecryptfs */
	{ "layer.backing.stacked", FILE_, "file.fs_magic=3774210530;file.fs_anonymous=?", U },
	{ "layer.backing.fuse-passthrough", FILE_, "file.fs_magic=1702057286;who.answer=15", B },
	{ "layer.backing.fuse-passthrough", FILE_, "file.fs_magic=1702057286;who.answer=0", H },
	{ "layer.backing.fuse-passthrough", FILE_, "file.fs_magic=1702057286;who.answer=?", U },
	{ "layer.backing.dax", FILE_, "file.dax=true", B },
	{ "layer.backing.dax", FILE_, "file.dax=?", U },
	{ "layer.backing.synthetic", FILE_, "file.fs_magic=1650812274", B },       /* sysfs */
	{ "layer.backing.synthetic", FILE_, "file.fs_magic=40864", B },            /* proc */
	{ "layer.backing.synthetic", FILE_, "file.fs_magic=?", U },
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13;file.fs_magic=26985", B },         /* nfs */
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13;file.fs_magic=12805120", B },      /* ceph */
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13;file.fs_magic=198183888", B },     /* lustre */
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13;file.fs_magic=1702057286;file.fs_type=fuse.sshfs", B },
	{ "layer.backing.network", FILE_, "kernel.release=7.3.0-rc1;file.fs_magic=26985", H },
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13", H },
	{ "layer.backing.network", FILE_, "kernel.release=7.2.13;file.fs_magic=?", U },
	{ "layer.backing.cluster", FILE_, "kernel.release=6.18.44;file.fs_magic=18225520", B },     /* gfs2 */
	{ "layer.backing.cluster", FILE_, "kernel.release=6.18.44;file.fs_magic=1952539503", B },   /* ocfs2 */
	{ "layer.backing.cluster", FILE_, "kernel.release=7.3.0;file.fs_magic=18225520", H },
	{ "layer.backing.cluster", FILE_, "kernel.release=6.18.44;file.fs_magic=?", U },
	{ "layer.backing.fuse", FILE_, "file.fs_magic=1702057286", B },
	{ "layer.backing.fuse", FILE_, "file.fs_magic=1702057286;plan.way=loop", B },
	{ "layer.backing.fuse", FILE_, "file.fs_magic=?", U },
	{ "layer.backing.unknown", FILE_, "file.fs_magic=12345;who.answer=?", B },
	{ "layer.backing.unknown", FILE_, "file.fs_magic=12345", H },              /* the kernel said yes */
	{ "layer.backing.unknown", FILE_, "file.fs_magic=?", U },
	{ "layer.backing.compressed", FILE_, "file.compressed=true", B },
	{ "layer.backing.compressed", FILE_, "file.fs_magic=1936814952", B },      /* squashfs */
	{ "layer.backing.compressed", FILE_, "file.compressed=?", U },
	{ "layer.backing.pins-mount", FILE_, "", B },
	{ "layer.backing.pins-mount", FILE_, "file.type=block", H },
	{ "layer.backing.pins-mount", FILE_, "file.fs_source=?", U },
	/* ---- file ---- */
	{ "layer.file.not-regular", FILE_, "file.type=directory", B },
	{ "layer.file.not-regular", FILE_, "file.type=missing", B },
	{ "layer.file.not-regular", FILE_, "file.type=block", H },
	{ "layer.file.not-regular", FILE_, "plan.way=device", B },
	{ "layer.file.not-regular", FILE_, "file.type=?", U },
	{ "layer.file.header", FILE_, "image.header=false", B },
	{ "layer.file.header", FILE_, "image.header=?", U },
	{ "layer.file.short", FILE_, "file.size=12288", B },                       /* metadata is gone */
	{ "layer.file.short", FILE_, "file.size=15000", H },                       /* padding is */
	{ "layer.file.short", FILE_, "file.size=14999", B },
	{ "layer.file.short", FILE_, "file.size=8192;image.metadata_end=4096", B }, /* a block of data is */
	{ "layer.file.short", FILE_, "file.size=8193;image.metadata_end=4096", H }, /* part of one: the next rule's */
	{ "layer.file.short", FILE_, "file.size=20480;plan.offset=4096", H },
	{ "layer.file.short", FILE_, "file.size=16384;plan.offset=4096", B },
	{ "layer.file.short", FILE_, "file.size=8192;image.sound=false", B },
	{ "layer.file.short", FILE_, "file.size=?", U },
	{ "layer.file.short", FILE_, "file.size=15000;image.data_end=?", U },
	{ "layer.file.unaligned-tail", FILE_, "file.size=16383", B },              /* 7.3: metadata in the last page */
	{ "layer.file.unaligned-tail", FILE_, "file.size=16383;kernel.release=7.2.13", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=16383;kernel.release=7.3.0-rc1", B },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.18.21", B },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.18.20", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.12.79", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.12.80", B },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.19.10", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.19.11", B },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=7.0.0-rc5", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=7.0.0-rc6", B },
	{ "layer.file.unaligned-tail", FILE_, "file.size=12287;image.metadata_end=4096;kernel.release=6.18;kernel.exact=false", U },
	{ "layer.file.unaligned-tail", FILE_, "plan.way=loop;file.size=15100;image.metadata_end=15000", B }, /* ends at 14848 */
	{ "layer.file.unaligned-tail", FILE_, "plan.way=loop;file.size=15360;image.metadata_end=15000", H },
	{ "layer.file.unaligned-tail", FILE_, "file.size=?", U },
	{ "layer.file.short", FILE_, "plan.way=loop;plan.size_limit=8192", B },
	{ "layer.file.unsound", FILE_, "image.sound=false", B },
	{ "layer.file.unsound", FILE_, "image.sound=?", U },
	{ "layer.file.holes", FILE_, "file.hole=true", H },                        /* between what is used */
	{ "layer.file.holes", FILE_, "file.hole=true;image.hole_in_metadata=true", B },
	{ "layer.file.holes", FILE_, "file.hole=true;image.hole_in_encoded=true", B },
	{ "layer.file.holes", FILE_, "file.hole=true;image.hole_in_plain=true", U },
	{ "layer.file.holes", FILE_, "file.hole=true;image.hole_in_plain=true;file.unwritten=true", B },
	{ "layer.file.holes", FILE_, "file.hole=true;image.hole_in_plain=true;plan.recorded=sha256:aa", H },
	{ "layer.file.holes", FILE_, "file.hole=?", U },
	{ "layer.file.verity", FILE_, "plan.recorded=sha256:bb", B },
	{ "layer.file.verity", FILE_, "plan.recorded=sha256:aa", H },
	{ "layer.file.verity", FILE_, "plan.recorded=sha256:aa;file.verity_digest=?", U },
	{ "layer.file.writer", FILE_, "file.writer=true", B },
	{ "layer.file.writer", FILE_, "file.writer=?", U },
	{ "layer.file.mutable", FILE_, "file.owner=1000", B },
	{ "layer.file.mutable", FILE_, "file.permissions=438", B },                /* 0666 */
	{ "layer.file.mutable", FILE_, "file.permissions=420", H },                /* 0644 */
	{ "layer.file.mutable", FILE_, "file.parent_open=true", B },
	{ "layer.file.mutable", FILE_, "file.owner=1000;file.immutable=true", H },
	{ "layer.file.mutable", FILE_, "file.owner=1000;file.verity=true", H },
	{ "layer.file.mutable", FILE_, "file.owner=?", U },
	{ "layer.file.guarded", FILE_, "file.permission_marks=1", B },
	{ "layer.file.guarded", FILE_, "file.permission_marks=?", U },
	{ "layer.file.on-loop-too", FILE_, "file.loops=1", B },
	{ "layer.file.on-loop-too", FILE_, "file.loops=1;plan.way=loop", H },
	{ "layer.file.on-loop-too", FILE_, "file.loops=?", U },
	{ "layer.file.mounted-twice", FILE_, "file.mounts=1", B },
	{ "layer.file.mounted-twice", FILE_, "file.mounts=?", U },
	{ "layer.file.identity-lost", FILE_, "file.path=a.erofs", B },
	{ "layer.file.identity-lost", FILE_, "file.path=/proc/self/fd/4", B },
	{ "layer.file.identity-lost", FILE_, "file.path=?", U },
	/* ---- image ---- */
	{ "layer.image.incompat", FILE_, "image.feature_incompat=512", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=129;kernel.features=zero_padding", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=129;kernel.release=5.14.0-600.el9", H }, /* it lists 48bit */
	{ "layer.image.incompat", FILE_, "image.feature_incompat=129;" OLD "6.14.99", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=129;" OLD "6.15.0", H },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=257;" OLD "6.16.99", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=257;" OLD "6.17.0", H },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=32;" OLD "6.0.99", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=32;" OLD "6.1.0", H },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=64;" OLD "6.3.99", B },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=64;" OLD "6.4.0", H },
	{ "layer.image.incompat", FILE_, "image.feature_incompat=?", U },
	{ "layer.image.incompat", FILE_, OLD "?", U },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=16", B },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=2;kernel.lzma=false", B },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=2", H },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=0;image.algorithms=1;kernel.zip=false", H },
	{ "layer.image.algorithm", FILE_, "kernel.zip=false", B },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=8;kernel.zstd=?;kernel.release=6.9.99", B },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=8;kernel.zstd=?;kernel.release=6.10.0", U },
	{ "layer.image.algorithm", FILE_, "image.feature_incompat=3;image.algorithms=4;kernel.deflate=?;kernel.release=6.5.0", B },
	{ "layer.image.algorithm", FILE_, "image.algorithms=?", U },
	{ "layer.image.block-size", FILE_, "image.block_bits=13", B },
	{ "layer.image.block-size", FILE_, "image.block_bits=13;kernel.page_size=16384", H },
	{ "layer.image.block-size", FILE_, "image.block_bits=8", B },
	{ "layer.image.block-size", FILE_, "image.block_bits=9;image.feature_incompat=0;" OLD "5.10.200", B },
	{ "layer.image.block-size", FILE_, "image.block_bits=9;image.feature_incompat=0;" OLD "5.11.0", U },
	{ "layer.image.block-size", FILE_, "image.block_bits=9;image.feature_incompat=0;" OLD "6.1.0", H },
	{ "layer.image.block-size", FILE_, "image.block_bits=9;" OLD "6.7.99", B },
	{ "layer.image.block-size", FILE_, "image.block_bits=9;" OLD "6.8.0", H },
	{ "layer.image.block-size", FILE_, "image.block_bits=?", U },
	{ "layer.image.dir-blocks", FILE_, "image.dir_block_bits=1", B },
	{ "layer.image.dir-blocks", FILE_, "image.dir_block_bits=?", U },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=4096;plan.offset=4096;" OLD "6.15.99", B },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=4096;plan.offset=4096;" OLD "6.16.0", H },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512;plan.offset=512;image.block_bits=9;kernel.release=6.18.44", B },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512;plan.offset=512;image.block_bits=9;kernel.release=7.2.6", B },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512;plan.offset=512;image.block_bits=9;kernel.release=7.2.7", H },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512;plan.offset=512;image.block_bits=9;kernel.release=7.3.0-rc2", B },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512;plan.offset=512;image.block_bits=9;kernel.release=7.3.0-rc3", H },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=512", B },
	{ "layer.image.fsoffset", FILE_, "plan.offset=512;plan.way=loop", H },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=4096;plan.way=loop;" OLD "6.15.0", B },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=4096;kernel.page_size=0", U },
	{ "layer.image.fsoffset", FILE_, "plan.fsoffset=?", U },
	/* ---- extra devices ---- */
	{ "layer.dev.missing", DEVS, "devices.0.slot.given=false;devices.1.slot.given=false", B },
	{ "layer.dev.missing", DEVS, "devices.0.slot.given=false;devices.1.slot.given=false;image.flat_end=16384", H },
	{ "layer.dev.missing", DEVS, "devices.0.slot.given=false;devices.1.slot.given=false;image.flat_end=16385", B },
	{ "layer.dev.missing", DEVS, "devices.1.slot.given=false", B },
	{ "layer.dev.missing", DEVS, "", H },
	{ "layer.dev.missing", DEVS, "image.extra_devices=?", U },
	{ "layer.dev.missing", DEVS, "image.extra_devices=3", U },
	{ "layer.dev.missing", DEVS, "devices.1.slot.given=?", U },
	{ "layer.dev.count", DEVS, "devices.1.slot.given=false", B },
	{ "layer.dev.count", DEVS, "devices.0.slot.given=false;devices.1.slot.given=false", H },
	{ "layer.dev.count", DEVS, "image.extra_devices=0", B },
	{ "layer.dev.count", DEVS, "image.extra_devices=?", U },
	{ "layer.dev.kind", DEVS, "devices.1.file.type=block", B },
	{ "layer.dev.kind", DEVS, "devices.1.file.type=missing", B },
	{ "layer.dev.kind", DEVS, "plan.way=loop", B },
	{ "layer.dev.kind", DEVS, "plan.way=device;file.type=block;devices.0.file.type=block;devices.1.file.type=block", H },
	{ "layer.dev.kind", DEVS, "devices.1.file.type=?", U },
	{ "layer.dev.unreadable", DEVS, "devices.1.file.readable=false", B },
	{ "layer.dev.unreadable", DEVS, "devices.1.file.readable=?", U },
	{ "layer.dev.short", DEVS, "devices.1.file.size=8191", B },
	{ "layer.dev.short", DEVS, "devices.1.file.size=8192", H },
	{ "layer.dev.short", DEVS, "devices.1.file.size=?", U },
	{ "layer.dev.identity", DEVS, "devices.0.slot.digest=cc", B },
	{ "layer.dev.identity", DEVS, "devices.1.slot.uuid=none", B },
	{ "layer.dev.identity", DEVS, "devices.0.slot.digest=?", U },
	{ "layer.dev.identity", DEVS, "devices.0.slot.tag=", U },
	{ "layer.dev.identity", DEVS, "devices.0.slot.tag=;devices.1.slot.uuid=none", B },
	{ "layer.dev.identity", DEVS, "devices.0.slot.tag=;plan.trust_devices=true", H },
	{ "layer.dev.holes", DEVS, "devices.0.file.hole=true", H },                /* its digest is right */
	{ "layer.dev.holes", DEVS, "devices.1.file.hole=true", U },
	{ "layer.dev.holes", DEVS, "devices.1.file.hole=?", U },
	{ "layer.dev.unchecked-stack", DEVS, "devices.1.file.fs_magic=2035054128", B },
	{ "layer.dev.unchecked-stack", DEVS, "devices.1.file.fs_magic=3774210530", H },
	{ "layer.dev.unchecked-stack", DEVS, "devices.1.file.fs_magic=3774210530;devices.1.file.fs_anonymous=true", B },
	{ "layer.dev.unchecked-stack", DEVS, "devices.1.file.fs_magic=?", U },
	/* ---- plan ---- */
	{ "layer.priv.userns", FILE_, "who.admin=false", B },
	{ "layer.priv.userns", FILE_, "who.admin=?", U },
	{ "layer.priv.dac", FILE_, "file.readable=false", B },
	{ "layer.priv.dac", FILE_, "file.readable=false;file.type=missing", H },
	{ "layer.priv.dac", FILE_, "file.readable=?", U },
	{ "layer.loop.unavailable", FILE_, "plan.way=loop;kernel.loop=false", B },
	{ "layer.loop.unavailable", FILE_, "kernel.loop=false", H },
	{ "layer.loop.unavailable", FILE_, "plan.way=loop;kernel.loop=?", U },
	{ "layer.policy.not-inherited", FILE_, "file.fs_nosuid=true", B },
	{ "layer.policy.not-inherited", FILE_, "file.fs_nosuid=true;plan.nosuid=true", H },
	{ "layer.policy.not-inherited", FILE_, "file.fs_nodev=true", B },
	{ "layer.policy.not-inherited", FILE_, "file.fs_noexec=true", B },
	{ "layer.policy.not-inherited", FILE_, "file.fs_noexec=true;plan.noexec=true", H },
	{ "layer.policy.not-inherited", FILE_, "file.fs_nodev=?", U },
	{ "layer.policy.setuid", FILE_, "file.owner=1000", B },
	{ "layer.policy.setuid", FILE_, "file.owner=1000;plan.nosuid=true", H },
	{ "layer.policy.setuid", FILE_, "file.owner=?", U },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=4096;image.block_bits=9", B },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=4096", H },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=4096;plan.offset=512", B },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=0;image.block_bits=9", H },
	{ "layer.io.dio-align", FILE_, "file.dio_align=4096;image.block_bits=9", H },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=?", H },
	{ "layer.io.dio-align", FILE_, "plan.direct_io=true;file.dio_align=?;image.block_bits=9", U },
	{ "layer.loop.dio-align", FILE_, "plan.way=loop;plan.loop_direct_io=true;file.dio_align=4096;image.block_bits=9", B },
	{ "layer.loop.dio-align", FILE_, "plan.way=loop;plan.loop_direct_io=true;file.dio_align=4096", H },
	{ "layer.loop.dio-align", FILE_, "plan.way=loop;file.dio_align=4096;image.block_bits=9", H },
	{ "layer.loop.dio-align", FILE_, "plan.way=loop;plan.loop_direct_io=true;file.dio_align=?", U },
	{ "layer.io.dio-dirty", FILE_, "plan.direct_io=true;file.dirty=1", B },
	{ "layer.io.dio-dirty", FILE_, "file.dirty=1", H },
	{ "layer.io.dio-dirty", FILE_, "plan.direct_io=true;file.dirty=?", U },
	{ "layer.io.double-cache", FILE_, "", B },
	{ "layer.io.double-cache", FILE_, "plan.direct_io=true", H },
	{ "layer.io.double-cache", FILE_, "plan.direct_io=?", U },
	{ "layer.io.atime", FILE_, "file.fs_atime=true", B },
	{ "layer.io.atime", FILE_, "file.fs_atime=?", U },
	{ "layer.stack.overlay-depth", FILE_, "plan.overlays=3", B },
	{ "layer.stack.overlay-depth", FILE_, "plan.overlays=2", H },
	{ "layer.stack.overlay-depth", FILE_, "plan.overlays=?", U },
	{ "layer.opt.unsupported", FILE_, "plan.unknown_options=loop", B },
	{ "layer.opt.unsupported", FILE_, "plan.unknown_options=?", U },
	{ "layer.opt.window", FILE_, "plan.inode_share=true;kernel.release=6.19.99", B },
	{ "layer.opt.window", FILE_, "plan.inode_share=true;kernel.release=7.0.0", H },
	{ "layer.opt.window", FILE_, "plan.fsid=true;kernel.release=7.1.99", H },
	{ "layer.opt.window", FILE_, "plan.fsid=true;kernel.release=7.2.0-rc1", B },
	{ "layer.opt.window", FILE_, "plan.domain_id=true;kernel.release=7.2.0-rc1", H },
	{ "layer.opt.window", FILE_, "plan.direct_io=true;kernel.release=6.12.6", B },
	{ "layer.opt.window", FILE_, "plan.direct_io=true;kernel.release=6.12.7", H },
	{ "layer.opt.window", FILE_, "plan.direct_io=true;kernel.release=6.13.0-rc3", B },
	{ "layer.opt.window", FILE_, "plan.direct_io=true;kernel.release=6.13.0-rc4", H },
	{ "layer.opt.window", FILE_, "plan.direct_io=true;kernel.release=6.12;kernel.exact=false", U },
	{ "layer.opt.window", FILE_, "plan.direct_io=?", U },
	{ "layer.opt.inode-share", FILE_, "plan.inode_share=true", B },
	{ "layer.opt.inode-share", FILE_, "plan.inode_share=true;plan.domain_id=true", H },
	{ "layer.opt.inode-share", FILE_, "plan.inode_share=true;plan.domain_id=true;plan.dax=true", B },
	{ "layer.opt.inode-share", FILE_, "plan.inode_share=true;plan.domain_id=?", U },
	{ "layer.tool.silent-loop", FILE_, "kernel.mounter=", B },
	{ "layer.tool.silent-loop", FILE_, "kernel.mounter=?", U },
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* True of every image on every host: they are told as notes. */
static bool always_applies(const char *id)
{
	return !strcmp(id, "layer.backing.pins-mount") || !strcmp(id, "layer.io.double-cache");
}

/* Rules that an unknown fact cannot make unknown, or that a known one cannot break. */
static bool never(const char *id, enum ero_truth truth)
{
	return (truth == ERO_UNKNOWN && !strcmp(id, "layer.kernel.answer")) || (truth == ERO_BROKEN && !strcmp(id, "layer.dev.holes"));
}

static void each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		const struct ero_rule *r = ero_rule_find(cases[i].rule);
		struct ero_detail detail;
		struct ero_facts f;
		enum ero_truth got;

		if (!r)
			fail_msg("no rule %s", cases[i].rule);
		facts_with(cases[i].facts, cases[i].changes, &f);
		got = ero_rule_judge(r, &f, &detail);
		if (got != cases[i].want)
			fail_msg("%s with %s: %d, not %d (%s)", cases[i].rule, cases[i].changes, got, cases[i].want, detail.text);
		ero_facts_free(&f);
	}
}

static void good_facts_break_nothing(void **state)
{
	static const char *const names[] = { FILE_, DEVS };
	struct ero_judgement j;
	struct ero_detail detail;
	struct ero_facts f;

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		const struct ero_rule *r;

		facts_with(names[n], "", &f);
		for (size_t i = 0; (r = ero_rule_at(i)); i++)
			if (ero_rule_judge(r, &f, &detail) != ERO_HOLDS && !always_applies(r->id))
				fail_msg("%s: %s: %s", names[n], r->id, detail.text);
		ero_judge(&f, NULL, NULL, &j);
		assert_int_equal(j.verdict, ERO_GO);
		ero_facts_free(&f);
	}
}

static void every_rule_has_cases(void **state)
{
	const struct ero_rule *r;

	(void)state;
	for (size_t i = 0; (r = ero_rule_at(i)); i++) {
		unsigned seen[3] = { 1, 0, 0 }; /* the good facts are the first side */

		if (always_applies(r->id))
			seen[ERO_HOLDS] = 0;
		for (size_t c = 0; c < CASES; c++)
			if (!strcmp(cases[c].rule, r->id))
				seen[cases[c].want]++;
		for (int truth = ERO_HOLDS; truth <= ERO_UNKNOWN; truth++)
			if (!seen[truth] && !never(r->id, (enum ero_truth)truth))
				fail_msg("%s has no case with truth %d", r->id, truth);
	}
}

static void rules_are_complete(void **state)
{
	const struct ero_rule *a, *b;

	(void)state;
	for (size_t i = 0; (a = ero_rule_at(i)); i++) {
		assert_true(a->sentence && a->remedy && a->source && a->tried && a->judge && a->ways);
		assert_true(a->severity == ERO_DAMAGE || a->doubt != ERO_DOUBT_STOPS);
		for (size_t k = i + 1; (b = ero_rule_at(k)); k++)
			assert_string_not_equal(a->id, b->id);
	}
	assert_null(ero_rule_find("layer.none"));
}

/* With nothing known nothing may hold, and nothing may be broken, but what does not depend on facts. */
static void nothing_known(void **state)
{
	static const char empty[] = "{\"erolith_facts\": 1, \"plan\": {\"way\": \"file\"}}";
	const struct ero_rule *r;
	struct ero_judgement j;
	struct ero_detail detail;
	struct ero_facts f;
	struct ero_error err;

	(void)state;
	assert_int_equal(ero_facts_parse(empty, strlen(empty), &f, &err), 0);
	for (size_t i = 0; (r = ero_rule_at(i)); i++) {
		enum ero_truth truth = ero_rule_judge(r, &f, &detail);

		if ((r->ways & ERO_BY_FILE) && !never(r->id, ERO_UNKNOWN) && truth != ERO_UNKNOWN)
			fail_msg("%s: %d from nothing", r->id, truth);
	}
	ero_judge(&f, NULL, NULL, &j);
	assert_int_equal(j.verdict, ERO_CANNOT_JUDGE);
	ero_facts_free(&f);
}

static void verdicts(void **state)
{
	static const struct {
		const char *changes;
		enum ero_verdict want;
	} table[] = {
		{ "", ERO_GO }, { "file.writer=true", ERO_GO_WITH_WARNINGS }, { "file.dax=?", ERO_GO_WITH_WARNINGS },
		{ "file.writer=?", ERO_GO }, { "file.size=?", ERO_CANNOT_JUDGE }, { "file.size=?;file.type=char", ERO_NO_GO },
		{ "image.header=false;file.writer=true", ERO_NO_GO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ero_judgement j;
		struct ero_facts f;

		facts_with(FILE_, table[i].changes, &f);
		ero_judge(&f, NULL, NULL, &j);
		if (j.verdict != table[i].want)
			fail_msg("%s: verdict %d", table[i].changes, j.verdict);
		ero_facts_free(&f);
	}
}

/* What is saved is read back the same. */
static void documents(void **state)
{
	struct ero_facts a, b;
	struct ero_error err = { 0 };
	char *first = NULL, *second = NULL;
	size_t first_size, second_size;
	FILE *out;

	(void)state;
	facts_with(DEVS, "file.size=?;devices.1.slot.tag=x y;plan.options=a=b", &a);
	out = open_memstream(&first, &first_size);
	assert_int_equal(ero_facts_save(&a, out, &err), 0);
	fclose(out);
	assert_int_equal(ero_facts_parse(first, first_size, &b, &err), 0);
	assert_string_equal(b.file.size.why_not, "for the test");
	out = open_memstream(&second, &second_size);
	assert_int_equal(ero_facts_save(&b, out, &err), 0);
	fclose(out);
	assert_string_equal(first, second);
	free(first);
	free(second);
	ero_facts_free(&a);
	ero_facts_free(&b);
}

static void bad_documents(void **state)
{
	static const struct {
		const char *text, *complaint;
	} table[] = {
		{ "", "no JSON" }, { "[]", "no document" }, { "{}", "no document" }, { "{\"erolith_facts\": 2}", "no document" },
		{ "{\"erolith_facts\": 1, \"plan\": 3}", "no object" },
		{ "{\"erolith_facts\": 1, \"other\": {}}", "no group" },
		{ "{\"erolith_facts\": 1, \"plan\": {\"wy\": \"file\"}}", "no fact" },
		{ "{\"erolith_facts\": 1, \"plan\": {\"way\": 1}}", "no text" },
		{ "{\"erolith_facts\": 1, \"plan\": {\"way\": \"a\\u0000b\"}}", "no text" },
		{ "{\"erolith_facts\": 1, \"file\": {\"size\": -1}}", "no number" },
		{ "{\"erolith_facts\": 1, \"file\": {\"size\": 1.5}}", "no number" },
		{ "{\"erolith_facts\": 1, \"file\": {\"size\": null}}", "no number" },
		{ "{\"erolith_facts\": 1, \"file\": {\"hole\": 1}}", "neither" },
		{ "{\"erolith_facts\": 1, \"file\": {\"hole\": {\"why\": \"x\"}}}", "neither" },
		{ "{\"erolith_facts\": 1, \"devices\": 1}", "no list" },
		{ "{\"erolith_facts\": 1, \"devices\": [{\"slot\": {\"tag\": 1}}]}", "no text" },
		{ "{\"erolith_facts\": 1, \"devices\": [7]}", "no JSON object" },
		{ "[[[[[[[[[[[[1]]]]]]]]]]]]", "no JSON" },
		{ "{\"erolith_facts\": 1} x", "no JSON" },
		{ "{\"erolith_facts\": 1 /* x */}", "no JSON" },
		{ "{\"erolith_facts\": \"1\"}", "no document" },
		{ "{\"erolith_facts\": 1, \"file\": {\"size\": 18446744073709551615}}", "no number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ero_error err = { 0 };
		struct ero_facts f;

		if (!ero_facts_parse(table[i].text, strlen(table[i].text), &f, &err) || !strstr(err.text, table[i].complaint))
			fail_msg("%s: \"%s\"", table[i].text, err.text);
	}
}

static void costs(void **state)
{
	struct ero_facts f;

	(void)state;
	facts_with(FILE_, "image.pages=100;image.metadata_pages=10;image.content_pages=300", &f);
	assert_int_equal(ero_cost_of(&f, "file", false).total, 400);
	assert_int_equal(ero_cost_of(&f, "file", true).total, 310);
	assert_int_equal(ero_cost_of(&f, "loop", false).total, 410);
	assert_int_equal(ero_cost_of(&f, "loop", true).total, 310);
	assert_int_equal(ero_cost_of(&f, "device", false).total, 310);
	f.file.compressed.value = 1; /* direct reads are buffered ones there */
	assert_int_equal(ero_cost_of(&f, "file", true).total, 400);
	f.image.pages.known = false;
	assert_false(ero_cost_of(&f, "file", false).known);
	ero_facts_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_facts_break_nothing), cmocka_unit_test(each_case), cmocka_unit_test(every_rule_has_cases),
		cmocka_unit_test(rules_are_complete),       cmocka_unit_test(nothing_known), cmocka_unit_test(verdicts),
		cmocka_unit_test(documents),                cmocka_unit_test(bad_documents), cmocka_unit_test(costs),
	};

	return cmocka_run_group_tests_name("layering", tests, NULL, NULL);
}
