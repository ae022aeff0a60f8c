// SPDX-License-Identifier: MIT
/* What all stages have in common, and the first one: a file or standard input. */
#include "source/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t ero_stage_read(struct ero_stage *s, void *to, size_t room, struct ero_error *err)
{
	size_t left = s->ahead_end - s->ahead_at, part = left < room ? left : room;

	if (!left)
		return s->read(s, to, room, err);
	memcpy(to, s->ahead + s->ahead_at, part);
	s->ahead_at += part;
	return (ssize_t)part;
}

ssize_t ero_stage_peek(struct ero_stage *s, const uint8_t **bytes, struct ero_error *err)
{
	memmove(s->ahead, s->ahead + s->ahead_at, s->ahead_end - s->ahead_at);
	s->ahead_end -= s->ahead_at;
	s->ahead_at = 0;
	while (s->ahead_end < sizeof(s->ahead)) {
		ssize_t n = s->read(s, s->ahead + s->ahead_end, sizeof(s->ahead) - s->ahead_end, err);

		if (n < 0)
			return n;
		if (!n)
			break;
		s->ahead_end += (size_t)n;
	}
	*bytes = s->ahead;
	return (ssize_t)s->ahead_end;
}

void ero_stage_free(struct ero_stage *s)
{
	while (s) {
		struct ero_stage *below = s->below;

		s->free(s);
		s = below;
	}
}

/* ---- a file ---- */

struct file {
	struct ero_stage stage;
	int fd;
	bool opened;
};

static ssize_t read_file(struct ero_stage *stage, void *to, size_t room, struct ero_error *err)
{
	struct file *f = (struct file *)stage;
	ssize_t n;

	do
		n = read(f->fd, to, room);
	while (n < 0 && errno == EINTR);
	return n < 0 ? ero_fail_errno(err, "cannot read %s", stage->shown) : n;
}

static void free_file(struct ero_stage *stage)
{
	struct file *f = (struct file *)stage;

	if (f->opened)
		close(f->fd);
	free(f);
}

static struct file *new_file(int fd, bool opened, const char *shown)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->stage.read = read_file;
	f->stage.free = free_file;
	f->stage.shown = shown;
	f->fd = fd;
	f->opened = opened;
	return f;
}

int ero_stage_file(const char *path, const char *shown, struct ero_stage **stage, struct ero_error *err)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct file *f;

	*stage = NULL;
	if (fd < 0)
		return ero_fail_errno(err, "cannot open the archive %s", path);
	f = new_file(fd, path != NULL, shown);
	if (!f && path)
		close(fd);
	*stage = f ? &f->stage : NULL;
	return f ? 0 : ero_fail_memory(err);
}

int ero_stage_descriptor_file(int fd, const char *shown, struct ero_stage **stage, struct ero_error *err)
{
	struct file *f = new_file(fd, true, shown);

	*stage = f ? &f->stage : NULL;
	return f ? 0 : ero_fail_memory(err);
}

int ero_stage_descriptor(const struct ero_stage *stage)
{
	return stage->below ? -1 : ((const struct file *)stage)->fd;
}
