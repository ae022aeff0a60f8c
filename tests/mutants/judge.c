// SPDX-License-Identifier: MIT
/*
 * Our verdict, mutant by mutant: "R NUMBER fsck VERDICT entries errors first data all", VERDICT being clean, meta:ID (the
 * metadata check told ID first), data:ID (only decoding showed it), open:ID, failed, CRASH or HANG.
 *    judge DIR LIST             DIR holds the images and is written to
 *    judge DIR LIST COMMAND…    another checker's instead: its exit code, of COMMAND… IMAGE
 */
#include "mutant.h"
#include "record.h"

#include "base/arena.h"
#include "base/vec.h"
#include "image/data.h"
#include "image/dir.h"
#include "image/xattr.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECONDS = 5 };

/* ---- what the library reads ---- */

struct reader {
	struct ero_image *image;
	struct record *record;
	struct ero_data_buffer buffer;
	struct ero_arena arena;
};

struct attribute {
	char *name;
	uint8_t *value;
	size_t length;
};

typedef ERO_VEC(struct attribute) attributes;

struct xattr_context {
	struct reader *r;
	attributes list;
};

static int add_attribute(void *context, const struct ero_xattr *x, struct ero_error *err)
{
	struct xattr_context *c = context;
	struct attribute a = { .length = x->value_length };

	(void)err;
	if (x->base_index == ERO_XATTR_LUSTRE || !x->base_index) /* no kernel shows it */
		return 0;
	a.name = ero_arena_string(&c->r->arena, x->name, strlen(x->name));
	a.value = ero_arena_alloc(&c->r->arena, x->value_length + 1);
	memcpy(a.value, x->value, x->value_length);
	return ero_vec_push(&c->list, a) ? 0 : -ENOMEM;
}

static int compare_attributes(const void *a, const void *b)
{
	return strcmp(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

static void read_xattrs(struct reader *r, const struct ero_inode *inode, const char *path)
{
	struct xattr_context c = { .r = r };

	if (ero_xattr_each(r->image, inode, add_attribute, &c, NULL))
		record_error(r->record, "xattr", path, "?");
	if (c.list.count)
		qsort(c.list.data, c.list.count, sizeof(*c.list.data), compare_attributes);
	for (size_t i = 0; i < c.list.count; i++)
		record_xattr(r->record, c.list.data[i].name, c.list.data[i].value, c.list.data[i].length);
	ero_vec_free(&c.list);
}

struct span {
	struct reader *r;
	uint64_t head, tail; /* bytes below head count, and from tail on */
};

static void take_span(struct span *s, const uint8_t *bytes, uint64_t from, uint64_t to)
{
	static const uint8_t zeros[65536];

	if (bytes && from < to)
		record_bytes(s->r->record, bytes, (size_t)(to - from));
	for (; !bytes && from < to; from += sizeof(zeros))
		record_bytes(s->r->record, zeros, to - from < sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros));
}

static int sink(void *context, const uint8_t *bytes, uint64_t offset, size_t length, struct ero_error *err)
{
	struct span *s = context;
	uint64_t end = offset + length, from = offset > s->tail ? offset : s->tail;

	(void)err;
	take_span(s, bytes, offset, end < s->head ? end : s->head);
	if (s->tail > s->head || offset >= s->head)
		take_span(s, bytes ? bytes + (from < end ? from - offset : 0) : NULL, from, end);
	return 0;
}

static void read_content(struct reader *r, const struct ero_inode *inode, const char *path)
{
	bool all = inode->size <= RECORD_HEAD + RECORD_TAIL;
	struct span s = { .r = r, .head = all ? inode->size : RECORD_HEAD, .tail = all ? inode->size : inode->size - RECORD_TAIL };

	if (ero_data_stream(r->image, inode, &r->buffer, sink, &s, NULL))
		record_error(r->record, "read", path, "?");
}

struct name {
	char *text;
	uint64_t nid;
};

typedef ERO_VEC(struct name) names;

struct dir_context {
	struct reader *r;
	names list;
};

static int add_name(void *context, const struct ero_dirent *e, struct ero_error *err)
{
	struct dir_context *c = context;
	struct name n = { .nid = e->nid };

	(void)err;
	if (ero_is_dot(e) || c->list.count >= RECORD_ENTRIES)
		return 0;
	n.text = ero_arena_string(&c->r->arena, e->name, e->name_length);
	return ero_vec_push(&c->list, n) ? 0 : -ENOMEM;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static void read_one(struct reader *r, uint64_t nid, const char *path, unsigned depth);

static void read_directory(struct reader *r, const struct ero_inode *inode, const char *path, unsigned depth)
{
	struct dir_context c = { .r = r };

	if (ero_dir_entries(r->image, inode, add_name, &c, NULL))
		record_error(r->record, "readdir", path, "?");
	if (c.list.count)
		qsort(c.list.data, c.list.count, sizeof(*c.list.data), compare_names);
	for (size_t i = 0; i < c.list.count; i++) {
		char *full = malloc(strlen(path) + strlen(c.list.data[i].text) + 2);

		sprintf(full, "%s/%s", path, c.list.data[i].text);
		read_one(r, c.list.data[i].nid, full, depth);
		free(full);
	}
	ero_vec_free(&c.list);
}

static void read_one(struct reader *r, uint64_t nid, const char *path, unsigned depth)
{
	struct record_inode i = { .path = path };
	struct ero_inode inode;

	if (r->record->entries >= RECORD_ENTRIES) {
		r->record->limited = true;
		return;
	}
	if (ero_inode_read(r->image, nid, &inode, NULL)) {
		record_error(r->record, "inode", path, "?");
		return;
	}
	i.d_type = IFTODT(inode.mode);
	i.mode = inode.mode;
	i.uid = inode.uid;
	i.gid = inode.gid;
	i.rdev = S_ISCHR(inode.mode) || S_ISBLK(inode.mode) ?
			 (uint32_t)(ero_rdev_major(inode.rdev) << 20 | ero_rdev_minor(inode.rdev)) : 0;
	i.nlink = inode.nlink;
	i.size = inode.size;
	i.mtime = inode.mtime;
	i.nsec = inode.mtime_nsec;
	record_inode(r->record, &i);
	read_xattrs(r, &inode, path);
	if (S_ISREG(inode.mode) || S_ISLNK(inode.mode))
		read_content(r, &inode, path);
	else if (S_ISDIR(inode.mode) && depth == RECORD_DEPTH)
		r->record->limited = true;
	else if (S_ISDIR(inode.mode))
		read_directory(r, &inode, path, depth + 1);
}

/* ---- what the checker says ---- */

static void note_finding(void *context, const struct ero_finding *f)
{
	const char **first = context;

	if (f->severity == ERO_DAMAGE && !*first)
		*first = f->id; /* ids are static */
}

/* In a child: the verdict as text. */
static void judge(const char *path, char *verdict, size_t size)
{
	const char *first = NULL;
	const char *device = mutant_device(path);
	struct ero_open_options opening = { .devices = &device, .device_count = device != NULL };
	struct ero_check_options options = { .workers = 1, .finding = note_finding, .context = &first };
	struct ero_check_result result;
	struct ero_image *image;
	struct ero_error err;
	struct record record;
	struct reader r = { .record = &record };
	char text[400];

	if (ero_image_open(path, &opening, &image, &err)) {
		snprintf(verdict, size, "open:%s 0 0 - - -", ero_open_finding_id(&err));
		return;
	}
	for (int data = 0; data < 2; data++) {
		options.data = data;
		if (ero_check(image, &options, &result, &err)) {
			snprintf(verdict, size, "failed 0 0 - - -");
			return;
		}
		if (result.damages) {
			snprintf(verdict, size, "%s:%s 0 0 - - -", data ? "data" : "meta", first);
			return;
		}
	}
	r.image = image;
	record_start(&record);
	read_one(&r, image->super.root_nid, "", 0);
	record_print(&record, text, sizeof(text));
	snprintf(verdict, size, "clean %s", text);
	ero_arena_free(&r.arena);
	ero_data_buffer_clear(&r.buffer);
	ero_image_close(image);
}

static void run_command(char **command, const char *path)
{
	struct rlimit limit = { .rlim_cur = 200 << 20, .rlim_max = 200 << 20 };
	int nowhere = open("/dev/null", O_RDWR);
	char *argv[32], device[620];
	int n = 0;

	while (command[n] && n < 29) {
		argv[n] = command[n];
		n++;
	}
	if (mutant_device(path)) {
		snprintf(device, sizeof(device), "--device=%s", mutant_device(path));
		argv[n++] = device;
	}
	argv[n++] = (char *)path;
	argv[n] = NULL;
	dup2(nowhere, 0);
	dup2(nowhere, 1);
	dup2(nowhere, 2);
	setrlimit(RLIMIT_FSIZE, &limit);
	execvp(argv[0], argv);
	_exit(127);
}

/* Waits for a child at most so long; false if it had to be killed. */
static bool wait_for(pid_t child, int *status)
{
	struct timespec pause = { .tv_nsec = 300000 };
	time_t end = time(NULL) + SECONDS + 1;

	while (!waitpid(child, status, WNOHANG)) {
		if (time(NULL) > end) {
			kill(child, SIGKILL);
			waitpid(child, status, 0);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

static void one(unsigned number, const char *path, char **command)
{
	char verdict[512] = "";
	int pipes[2], status = 0;
	bool ended;
	pid_t child;
	ssize_t n;

	if (pipe2(pipes, O_CLOEXEC) || (child = fork()) < 0)
		exit(3);
	if (!child) {
		if (*command)
			run_command(command, path);
		judge(path, verdict, sizeof(verdict));
		if (write(pipes[1], verdict, strlen(verdict)) < 0)
			_exit(1);
		exit(0); /* through the leak check of a build that has one */
	}
	close(pipes[1]);
	ended = wait_for(child, &status);
	n = read(pipes[0], verdict, sizeof(verdict) - 1);
	verdict[n < 0 ? 0 : n] = '\0';
	close(pipes[0]);
	if (!ended)
		snprintf(verdict, sizeof(verdict), "HANG 0 0 - - -");
	else if (*command && WIFEXITED(status))
		snprintf(verdict, sizeof(verdict), "exit%d 0 0 - - -", WEXITSTATUS(status));
	else if (status)
		snprintf(verdict, sizeof(verdict), "CRASH%x 0 0 - - -", (unsigned)status);
	printf("R %u fsck %s\n", number, verdict);
}

int main(int argc, char **argv)
{
	struct mutant_base list = { .fd = -1 }; /* as a whole, since a child that ends would move the place in a stream */
	static struct mutant m;
	char path[512];

	if (argc < 3 || !mutant_open(&list, NULL, argv[2]))
		return 2;
	list.bytes[list.size] = '\0';
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (char *line = strtok((char *)list.bytes, "\n"); line; line = strtok(NULL, "\n")) {
		struct mutant_base *base;

		if (!mutant_parse(line, &m))
			return 2;
		base = mutant_base_of(argv[1], m.image);
		if (!base || !mutant_apply(base, &m))
			return 3;
		snprintf(path, sizeof(path), "%s/%s", argv[1], m.image);
		one(m.number, path, argv + 3);
		if (!mutant_revert(base, &m))
			return 3;
	}
	return 0;
}
