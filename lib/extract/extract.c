// SPDX-License-Identifier: MIT
/* The walk of an extraction: directories are made on the way down, their attributes set on the way back. */
#include "extract/extract.h"
#include "base/cleanup.h"
#include "image/dir.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOLD = 100 }; /* findings of one id; those beyond are counted */

/* Findings of an id so far, this one included. */
static uint64_t count(struct ero_extractor *x, const char *id)
{
	unsigned i = 0;

	while (i < x->kind_count && strcmp(x->kinds[i].id, id) != 0)
		i++;
	if (i == x->kind_count && i < ERO_EXTRACT_KINDS)
		x->kinds[x->kind_count++].id = id;
	return i < x->kind_count ? ++x->kinds[i].count : 1;
}

void ero_extract_tell(struct ero_extractor *x, const struct ero_node *dir, const char *name, uint64_t nid,
		      const char *id, const char *format, ...)
{
	struct ero_finding f = { .id = id, .severity = ERO_DAMAGE, .has_nid = true, .nid = nid };
	char message[1024], above[4096], path[4096 + 300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	ero_node_path(dir, above, sizeof(above));
	snprintf(path, sizeof(path), "/%s%s%.256s", above, *above && *name ? "/" : "", name);
	f.message = message;
	f.path = path;
	if (!strncmp(id, "extract.", 8)) /* the image is good, the target is not */
		x->result->failures++;
	else
		x->result->damages++;
	if (x->result->damages && !x->options->salvage)
		x->stopped = true;
	if (!x->options->all && count(x, id) > TOLD)
		x->result->untold++;
	else if (x->options->finding)
		x->options->finding(x->options->context, &f);
}

/* A directory of the tree as a node, so that the descriptors of the target can be found by it. */
static struct ero_node *add_dir(struct ero_extractor *x, struct ero_node *parent, const char *name, uint64_t nid)
{
	struct ero_node *node = ero_arena_alloc(&x->arena, sizeof(*node));

	if (!node || !(node->name = ero_arena_string(&x->arena, name, strlen(name))))
		return NULL;
	node->parent = parent;
	node->data[0] = nid;
	return ero_vec_push(&x->dirs, node) ? node : NULL;
}

struct entry_context {
	struct ero_extractor *x;
	struct ero_node *dir;
	int dirfd;
	bool encoded; /* takes memory to decode while it is being read */
};

static int extract_directory(struct ero_extractor *x, struct ero_node *dir, struct ero_error *err);

/* What it holds is extracted now, or later: see ERO_DIR_NESTED. */
static int enter(struct entry_context *c, const char *name, uint64_t nid, struct ero_error *err)
{
	struct ero_extractor *x = c->x;
	struct ero_node *node = add_dir(x, c->dir, name, nid);

	if (!node)
		return ero_fail_memory(err);
	if (!c->encoded && x->depth < ERO_DIR_NESTED)
		return extract_directory(x, node, err);
	return ero_vec_push(&x->stack, node) ? 0 : ero_fail_memory(err);
}

static int stop_at_limit(struct ero_extractor *x, struct ero_error *err)
{
	x->stopped = true;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG, "more than %llu files are to be made%s: --max-files=N allows more",
			(unsigned long long)x->max_files, x->options->max_files ? "" : ", which is what the superblock counts");
}

static int make_directory(struct entry_context *c, const char *name, uint64_t nid, struct ero_error *err)
{
	struct ero_extractor *x = c->x;
	struct stat st;
	bool is_new;

	if (ero_keys_number(&x->made, nid, 0, &is_new) == UINT32_MAX)
		return ero_fail_memory(err);
	if (!is_new) {
		ero_extract_tell(x, c->dir, name, nid, "dir.twice", "the directory has a second name; it is extracted once");
		return 0;
	}
	if (++x->files > x->max_files)
		return stop_at_limit(x, err);
	/* what is there already may only be a directory, and is entered without following a link */
	if (mkdirat(c->dirfd, name, 0700) &&
	    (errno != EEXIST || fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))) {
		ero_fail_errno(err, "cannot create the directory");
		ero_extract_tell(x, c->dir, name, nid, "extract.dir", "%s", err->text);
		return 0;
	}
	return enter(c, name, nid, err);
}

static int extract_entry(void *context, const struct ero_dirent *e, struct ero_error *err)
{
	struct entry_context *c = context;
	struct ero_inode inode;
	char name[ERO_NAME_MAX + 1];

	if (ero_is_dot(e))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)e->name_length, e->name);
	if (strlen(name) != e->name_length || strchr(name, '/')) {
		ero_extract_tell(c->x, c->dir, name, e->nid, "dir.name", "the name holds '/' or a zero byte; it is not extracted");
		return 0;
	}
	if (ero_inode_read(c->x->image, e->nid, &inode, err)) {
		ero_extract_tell(c->x, c->dir, name, e->nid, "inode.damaged", "%s", err->text);
		return 0;
	}
	c->x->result->inodes++;
	if (S_ISDIR(inode.mode))
		return make_directory(c, name, e->nid, err);
	ero_extract_file(c->x, c->dir, c->dirfd, name, &inode);
	return c->x->files > c->x->max_files ? stop_at_limit(c->x, err) : 0;
}

/* Block by block, so that damage in one does not lose what lies in others. */
static int extract_block(void *context, const uint8_t *block, size_t length, uint64_t offset, struct ero_error *err)
{
	struct entry_context *c = context;
	unsigned count = ero_dirblock_count(block, length);
	int rc = 0;

	if (!count)
		ero_extract_tell(c->x, c->dir, "", c->dir->data[0], "dir.block", "no entries can be read in the block at byte %llu of the directory",
				 (unsigned long long)offset);
	for (unsigned i = 0; !rc && !c->x->stopped && i < count; i++) {
		struct ero_dirent e;

		if (ero_dirblock_entry(block, length, count, i, &e) == ERO_DIRENT_GOOD)
			rc = extract_entry(c, &e, err);
		else
			ero_extract_tell(c->x, c->dir, "", c->dir->data[0], "dir.entry",
					 "entry %u of the block at byte %llu of the directory has no valid name", i, (unsigned long long)offset);
	}
	return rc;
}

static int extract_directory(struct ero_extractor *x, struct ero_node *dir, struct ero_error *err)
{
	struct entry_context c = { .x = x, .dir = dir };
	struct ero_dirfd *held;
	struct ero_inode inode;
	int rc;

	if (ero_inode_read(x->image, dir->data[0], &inode, err) || ero_dir_space_take(&x->space, x->image, &inode, err)) {
		ero_extract_tell(x, dir, "", dir->data[0], err->kind == ERO_ERROR_MEMORY ? "extract.dir" :
				 err->code == EMLINK ? "dir.shared" : "dir.unreadable", "%s", err->text);
		return 0;
	}
	if (ero_dirfds_get(x->fds, dir, &held, err)) {
		ero_extract_tell(x, dir, "", dir->data[0], "extract.dir", "%s", err->text);
		return 0;
	}
	c.dirfd = held->fd;
	c.encoded = ero_layout_compressed(inode.layout);
	x->depth++;
	rc = ero_dir_blocks(x->image, &inode, extract_block, &c, err);
	x->depth--;
	ero_dirfds_put(x->fds, held);
	if (!rc || rc == -ENOMEM || rc == -EFBIG)
		return rc;
	ero_extract_tell(x, dir, "", dir->data[0], "dir.unreadable", "%s", err->text);
	return 0;
}

/* Deepest first, since a parent's time moves when anything happens in it, and its mode may forbid it. */
static void finish_directories(struct ero_extractor *x)
{
	for (size_t i = x->dirs.count; i-- > 0;) {
		struct ero_node *dir = x->dirs.data[i];
		struct ero_dirfd *held;
		struct ero_inode inode;
		struct ero_error err;
		int rc = ero_inode_read(x->image, dir->data[0], &inode, &err);

		if (!rc)
			rc = ero_dirfds_get(x->fds, dir, &held, &err);
		if (!rc) {
			rc = ero_extract_attributes(x, held->fd, &inode, &err);
			ero_dirfds_put(x->fds, held);
		}
		if (rc)
			ero_extract_tell(x, dir, "", dir->data[0], "extract.dir", "%s", err.text);
	}
}

static int extract_tree(struct ero_extractor *x, uint64_t nid, struct ero_error *err)
{
	struct ero_node *top;
	bool is_new;
	int root, rc;

	if (mkdir(x->options->target, 0777) && errno != EEXIST)
		return ero_fail_errno(err, "cannot create the directory %s", x->options->target);
	root = open(x->options->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return ero_fail_errno(err, "cannot open the directory %s", x->options->target);
	rc = ero_dirfds_create(root, &x->fds, err);
	if (!rc && (ero_keys_number(&x->made, nid, 0, &is_new) == UINT32_MAX || !(top = add_dir(x, NULL, "", nid)) ||
		    !ero_vec_push(&x->stack, top)))
		rc = ero_fail_memory(err);
	x->result->inodes = 1;
	while (!rc && !x->stopped && x->stack.count) {
		struct ero_node *dir = x->stack.data[--x->stack.count];
		size_t others = x->stack.count;

		rc = extract_directory(x, dir, err);
		ero_vec_turn(&x->stack, others);
	}
	ero_extract_files_end(x);
	if (rc != -ENOMEM)
		finish_directories(x);
	return rc;
}

/* A start that is no directory becomes the target itself. */
static int extract_single(struct ero_extractor *x, const struct ero_inode *inode, struct ero_error *err)
{
	ERO_AUTO_FREE char *copy = strdup(x->options->target);
	struct ero_node *dir = ero_arena_alloc(&x->arena, sizeof(*dir));
	struct ero_dirfd *held;
	char *slash;
	int fd, rc;

	if (!copy || !dir)
		return ero_fail_memory(err);
	dir->name = "";
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	fd = open(slash ? (*copy ? copy : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ero_fail_errno(err, "cannot open the directory of %s", x->options->target);
	rc = ero_dirfds_create(fd, &x->fds, err);
	if (!rc)
		rc = ero_dirfds_get(x->fds, dir, &held, err);
	if (rc)
		return rc;
	x->result->inodes = 1;
	ero_extract_file(x, dir, held->fd, slash ? slash + 1 : copy, inode);
	ero_extract_files_end(x);
	ero_dirfds_put(x->fds, held);
	return 0;
}

/* The kernel tells the umask without changing it, which would be seen by other threads. */
static mode_t read_umask(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned mask = 022;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	if (status)
		fclose(status);
	return mask;
}

/* What an honest image may become: as many files as it counts, and all of its blocks full of zeros. */
static void set_limits(struct ero_extractor *x)
{
	enum { EXPANSION = ERO_PCLUSTER_MAX_DECODED / 4096 };
	uint64_t size = 0;

	for (unsigned i = 0; i < x->image->device_count; i++)
		size += x->image->devices[i].size;
	if (__builtin_mul_overflow(size, (uint64_t)EXPANSION, &x->max_bytes))
		x->max_bytes = UINT64_MAX;
	if (x->options->max_bytes)
		x->max_bytes = x->options->max_bytes;
	x->max_files = x->options->max_files ? x->options->max_files : x->image->super.inodes;
	if (x->options->salvage && !x->options->max_files) /* of a damaged image it may be anything */
		x->max_files = UINT64_MAX;
}

int ero_extract(struct ero_image *image, const struct ero_extract_options *options, struct ero_check_result *result,
		struct ero_error *err)
{
	struct ero_extractor x = { .image = image, .options = options, .result = result };
	uint64_t nid = options->has_nid ? options->nid : image->super.root_nid;
	struct ero_inode inode;
	struct ero_error local;
	int rc;

	if (!err)
		err = &local;
	memset(result, 0, sizeof(*result));
	set_limits(&x);
	x.umask = read_umask();
	rc = ero_inode_read(image, nid, &inode, err);
	if (!rc)
		rc = ero_extract_files_begin(&x, err);
	if (!rc)
		rc = S_ISDIR(inode.mode) ? extract_tree(&x, nid, err) : extract_single(&x, &inode, err);
	ero_extract_files_end(&x);
	ero_dirfds_free(x.fds);
	ero_dir_space_free(&x.space);
	ero_vec_free(&x.stack);
	ero_vec_free(&x.dirs);
	ero_keys_free(&x.made);
	ero_arena_free(&x.arena);
	ero_keys_free(&x.linked);
	ero_vec_free(&x.links);
	for (int i = 0; i < 2; i++)
		ero_bits_free(&x.met[i]);
	if (!rc && x.bytes > x.max_bytes)
		return ero_fail(err, ERO_ERROR_UNSUPPORTED, EFBIG, "more than %llu bytes are to be written%s: --max-size=N allows more",
				(unsigned long long)x.max_bytes, options->max_bytes ? "" : ", 3072 times what the image has");
	if (!rc && x.stopped && result->damages)
		return ero_fail(err, ERO_ERROR_CORRUPT, EUCLEAN, "the extraction has stopped at damage; --salvage goes on");
	if (!rc && (result->damages || result->failures))
		rc = ero_fail(err, ERO_ERROR_IO, EIO, "%llu files or attributes could not be extracted",
			      (unsigned long long)(result->damages + result->failures));
	return rc;
}
