// SPDX-License-Identifier: MIT
/* fs-verity digests: of a file, and the one that was recorded when an image was built. The digest covers every byte of the
 * file, so that equal digests settle what no look at the metadata can. */
#include "base/cleanup.h"
#include "base/outfile.h"
#include "base/text.h"
#include "config.h"
#include "layering/gather.h"

#include <fcntl.h>
#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef HAVE_FSVERITY
#include <libfsverity.h>
#endif

static void spell(const char *algorithm, const uint8_t *digest, unsigned length, char *text)
{
	ero_hex(digest, length, text + sprintf(text, "%s:", algorithm));
}

/* ---- computed ---- */

#ifdef HAVE_FSVERITY
struct reading {
	int fd;
	off_t at;
};

static int read_some(void *context, void *buffer, size_t count)
{
	struct reading *r = context;

	while (count) {
		ssize_t n = pread(r->fd, buffer, count, r->at);

		if (n <= 0)
			return n ? -errno : -EIO;
		r->at += n;
		buffer = (char *)buffer + n;
		count -= (size_t)n;
	}
	return 0;
}

static int compute(int fd, char text[ERO_VERITY_TEXT], struct ero_error *err)
{
	struct libfsverity_merkle_tree_params params = { .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256 };
	struct libfsverity_digest *digest = NULL;
	struct reading reading = { .fd = fd };
	struct stat st;
	int rc;

	if (fstat(fd, &st))
		return ero_fail_errno(err, "cannot look at the file");
	params.file_size = (uint64_t)st.st_size;
	rc = libfsverity_compute_digest(&reading, read_some, &params, &digest);
	if (rc)
		return ero_fail(err, ERO_ERROR_IO, -rc, "its fs-verity digest cannot be computed: %s", strerror(-rc));
	spell("sha256", digest->digest, digest->digest_size, text);
	free(digest);
	return 0;
}
#else
static int compute(int fd, char text[ERO_VERITY_TEXT], struct ero_error *err)
{
	(void)fd;
	(void)text;
	return ero_fail(err, ERO_ERROR_UNSUPPORTED, ENOTSUP, "fs-verity digests cannot be computed: built without libfsverity");
}
#endif

int ero_verity_digest(const char *path, char text[ERO_VERITY_TEXT], struct ero_error *err)
{
	ERO_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	text[0] = '\0';
	if (fd < 0)
		return ero_fail_errno(err, "cannot open %s", path);
	rc = compute(fd, text, err);
	return rc ? ero_error_prefix(err, rc, "%s", path) : 0;
}

struct ero_verity_record {
	struct ero_outfile *out;
	char *image;
};

int ero_verity_record_open(const char *image, const char *file, struct ero_verity_record **result, struct ero_error *err)
{
	struct ero_verity_record *r = calloc(1, sizeof(*r));
	ERO_AUTO_FREE char *beside = NULL;
	int rc;

	*result = NULL;
	if (!r || !(r->image = strdup(image)) || (!file && asprintf(&beside, "%s.verity", image) < 0)) {
		ero_verity_record_close(r);
		return ero_fail_memory(err);
	}
	rc = ero_outfile_open(file ? file : beside, 0, NULL, &r->out, err);
	if (rc)
		ero_verity_record_close(r);
	else
		*result = r;
	return rc;
}

int ero_verity_record_write(struct ero_verity_record *r, struct ero_error *err)
{
	ERO_AUTO_FREE char *line = NULL;
	char text[ERO_VERITY_TEXT];
	int rc = ero_verity_digest(r->image, text, err), length = 0;

	if (!rc && (length = asprintf(&line, "%s %s\n", text, r->image)) < 0)
		rc = ero_fail_memory(err);
	if (!rc)
		rc = ero_outfile_write(r->out, line, (size_t)length, 0, err);
	if (!rc)
		rc = ero_outfile_prepare(r->out, (uint64_t)length, true, err);
	return rc ? rc : ero_outfile_publish(r->out, (uint64_t)length, true, err);
}

void ero_verity_record_close(struct ero_verity_record *r)
{
	if (!r)
		return;
	ero_outfile_close(r->out);
	free(r->image);
	free(r);
}

/* ---- measured ---- */

void ero_gather_verity(int fd, bool may_compute, struct ero_file_facts *f)
{
	union {
		struct fsverity_digest d;
		uint8_t room[sizeof(struct fsverity_digest) + 64];
	} m = { .d = { .digest_size = 64 } };
	char text[ERO_VERITY_TEXT] = "";
	struct ero_error err;

	if (fd < 0) {
		ero_unknown_text(&f->verity_digest, "the file cannot be opened");
	} else if (!ioctl(fd, FS_IOC_MEASURE_VERITY, &m.d)) {
		spell(m.d.digest_algorithm == FS_VERITY_HASH_ALG_SHA512 ? "sha512" : "sha256", m.d.digest, m.d.digest_size, text);
		ero_know_text(&f->verity_digest, text);
	} else if (!may_compute) {
		ero_unknown_text(&f->verity_digest, "fs-verity is not on, and the content was not asked to be read");
	} else if (compute(fd, text, &err)) {
		ero_unknown_text(&f->verity_digest, "%.100s", err.text);
	} else {
		ero_know_text(&f->verity_digest, text);
	}
}

/* ---- recorded ---- */

static bool is_digest(const char *text)
{
	return !strncmp(text, "sha256:", 7) || !strncmp(text, "sha512:", 7);
}

int ero_gather_recorded(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_error *err)
{
	ERO_AUTO_FREE char *beside = NULL;
	const char *from = o->recorded_verity;
	char line[512];

	ero_know_text(&f->plan.recorded, "");
	if (from && is_digest(from)) {
		ero_know_text(&f->plan.recorded, from);
		return 0;
	}
	if ((!from || !*from) && asprintf(&beside, "%s.verity", o->image) < 0)
		return ero_fail_memory(err);
	if (!ero_read_line(beside ? beside : from, line, sizeof(line))) {
		if (from)
			return ero_fail_errno(err, "the recorded digest cannot be read from %s", beside ? beside : from);
		return 0;
	}
	line[strcspn(line, " \t")] = '\0';
	if (!is_digest(line))
		return from ? ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s holds no fs-verity digest", beside ? beside : from) : 0;
	ero_know_text(&f->plan.recorded, line);
	return 0;
}
