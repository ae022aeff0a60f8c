// SPDX-License-Identifier: MIT
/* What options say about every node: owner, time, SELinux label. Applied once, after the scan, whatever the source. */
#include "source/source.h"
#include "config.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_SELINUX
#include <selinux/label.h>
#include <selinux/selinux.h>
#endif

#ifdef HAVE_SELINUX
static int label(struct selabel_handle *handle, const struct ero_build_options *o, struct ero_tree *tree,
		 struct ero_node *node, struct ero_error *err)
{
	char path[8192], below[4096];
	const char *mount = o->mount_point ? o->mount_point : "";
	char *context = NULL;
	int rc;

	while (*mount == '/')
		mount++;
	ero_node_path(node, below, sizeof(below));
	snprintf(path, sizeof(path), "/%s%s%s", mount, *mount && *below ? "/" : "", below);
	if (selabel_lookup(handle, &context, path, node->mode)) {
		if (errno == ENOENT)
			return 0;
		return ero_fail_errno(err, "cannot look up the SELinux label of %s in %s", path, o->file_contexts);
	}
	rc = ero_xattrs_reopen(&tree->xattrs, node->xattr_set, err);
	if (!rc)
		rc = ero_xattrs_add(&tree->xattrs, "security.selinux", context, strlen(context) + 1, err);
	if (!rc)
		rc = ero_xattrs_commit(&tree->xattrs, &node->xattr_set, err);
	freecon(context);
	return rc;
}

static int ignore_log(int type, const char *format, ...)
{
	(void)type;
	(void)format;
	return 0; /* libselinux prints by default; failures come back as return values */
}

static int label_all(const struct ero_build_options *o, struct ero_tree *tree, struct ero_error *err)
{
	struct selinux_opt options[] = { { .type = SELABEL_OPT_PATH, .value = o->file_contexts } };
	struct selabel_handle *handle;
	int rc = 0;

	selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){ .func_log = ignore_log });
	handle = selabel_open(SELABEL_CTX_FILE, options, 1);
	if (!handle)
		return ero_fail_errno(err, "cannot read the file contexts in %s", o->file_contexts);
	for (size_t i = 0; !rc && i < tree->node_count; i++)
		rc = label(handle, o, tree, tree->nodes[i], err);
	selabel_close(handle);
	return rc;
}
#else
static int label_all(const struct ero_build_options *o, struct ero_tree *tree, struct ero_error *err)
{
	(void)o;
	(void)tree;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP,
			"--file-contexts: this build of erolith was configured without libselinux");
}
#endif

int ero_source_override(const struct ero_build_options *o, struct ero_tree *tree, struct ero_error *err)
{
	int rc;

	for (size_t i = 0; i < tree->node_count; i++) {
		struct ero_node *node = tree->nodes[i];

		if (o->force_uid)
			node->uid = o->uid;
		if (o->force_gid)
			node->gid = o->gid;
		if (o->times == ERO_TIME_ALL) {
			node->mtime = o->build_time;
			node->mtime_nsec = o->build_time_nsec;
		}
	}
	rc = ero_source_shift_owners(o, tree, err);
	return !rc && o->file_contexts && o->xattr_tolerance >= 0 ? label_all(o, tree, err) : rc;
}
