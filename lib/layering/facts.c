// SPDX-License-Identifier: MIT
/* Gathers facts from the system, each part in a file of its own; judges nothing. */
#include "layering/facts.h"
#include "base/cleanup.h"
#include "layering/gather.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

void ero_unknown(struct ero_fact *fact, const char *format, ...)
{
	va_list ap;

	fact->known = false;
	va_start(ap, format);
	vsnprintf(fact->why_not, sizeof(fact->why_not), format, ap);
	va_end(ap);
}

void ero_unknown_text(struct ero_text *text, const char *format, ...)
{
	va_list ap;

	text->known = false;
	va_start(ap, format);
	vsnprintf(text->why_not, sizeof(text->why_not), format, ap);
	va_end(ap);
}

void ero_know_text(struct ero_text *text, const char *value)
{
	static const char more[] = "…";

	text->known = true;
	if ((size_t)snprintf(text->value, sizeof(text->value), "%s", value) >= sizeof(text->value))
		memcpy(text->value + sizeof(text->value) - sizeof(more), more, sizeof(more));
}

bool ero_read_line(const char *path, char *line, size_t size)
{
	ERO_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st))
		return false;
	if (!S_ISREG(st.st_mode)) { /* a fifo that somebody put there must not hang us */
		errno = EINVAL;
		return false;
	}
	n = read(fd, line, size - 1);
	if (n < 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

bool ero_facts_kernel(const struct ero_facts *f, struct ero_kernel_version *version)
{
	return f->kernel.release.known && ero_kernel_parse(f->kernel.release.value, version);
}

static int gather_all(const struct ero_preflight_options *o, int fd, int code, struct ero_device_list *devices,
		      struct ero_facts *f, struct ero_error *err)
{
	struct stat st;
	int rc;

	if (fd < 0 ? stat(o->image, &st) : fstat(fd, &st))
		memset(&st, 0, sizeof(st));
	rc = ero_gather_plan(o, &st, f, devices, err);
	if (!rc)
		rc = ero_gather_kernel(o, f, err);
	if (rc)
		return rc;
	ero_gather_file(o->image, fd, code, &f->file);
	ero_gather_who(fd, f);
	ero_gather_image(fd, f);
	rc = ero_gather_recorded(o, f, err);
	if (!rc)
		rc = ero_gather_devices(o, devices, fd, f, err);
	if (!rc)
		ero_gather_verity(fd, o->recorded_verity != NULL, &f->file);
	return rc;
}

int ero_facts_gather(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_error *err)
{
	/* a fifo must not hang us, and a lease wants a descriptor that only reads */
	ERO_AUTO_CLOSE int opened = o->held ? -1 : open(o->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int fd = o->held ? ero_hold_descriptor(o->held) : opened, code = errno, rc;
	struct ero_device_list devices = { 0 };

	memset(f, 0, sizeof(*f));
	rc = gather_all(o, fd, code, &devices, f, err);
	ero_device_list_free(&devices);
	if (rc)
		ero_facts_free(f);
	return rc;
}

void ero_facts_free(struct ero_facts *f)
{
	free(f->devices);
	f->devices = NULL;
	f->device_count = 0;
}
