// SPDX-License-Identifier: MIT
/* One image: open, check, extract; findings as lines or as JSON, and fsck(8)'s exit code. */
#include "fsck/fsck.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

enum { CLEAN = 0, DAMAGED = 4, OPERATIONAL = 8 };

static void tell(const struct ero_finding *f, const char *image)
{
	ero_print_text(stderr, image, strlen(image));
	fprintf(stderr, ": %s: %s", cli_severity(f->severity), f->id);
	if (f->path) {
		fputc(' ', stderr);
		ero_print_name(stderr, f->path, strlen(f->path));
	}
	if (f->has_nid)
		fprintf(stderr, " (nid %" PRIu64 ")", f->nid);
	if (f->has_offset)
		fprintf(stderr, " at byte %" PRIu64, f->offset);
	fputs(": ", stderr);
	ero_print_text(stderr, f->message, strlen(f->message));
	if (f->expected)
		fprintf(stderr, "; expected %s, found %s", f->expected, f->found);
	fputc('\n', stderr);
}

struct context {
	const struct fsck_options *options;
	const char *image;
	struct ero_findings *findings; /* with --json */
	struct checking *checking;     /* with an extraction */
};

static void on_finding(void *context, const struct ero_finding *f)
{
	struct context *c = context;

	if (c->findings)
		ero_findings_add(c->findings, f);
	else if (f->severity == ERO_DAMAGE || c->options->verbosity > (f->severity == ERO_INFO ? 2u : 0u))
		tell(f, c->image);
}

/* An image that does not even open: one finding, or an operational error. */
static int not_opened(struct context *c, const struct ero_error *err)
{
	struct ero_finding f = { .id = ero_open_finding_id(err), .severity = ERO_DAMAGE, .message = err->text };

	if (err->kind == ERO_ERROR_UNSUPPORTED && c->findings)
		ero_findings_add(c->findings, &f);
	if (err->kind != ERO_ERROR_CORRUPT && err->kind != ERO_ERROR_FOREIGN)
		return OPERATIONAL; /* what cannot be understood cannot be judged */
	if (c->findings)
		ero_findings_add(c->findings, &f);
	else
		tell(&f, c->image);
	return DAMAGED;
}

/* A check, which runs in a thread of its own while the image is extracted: most of it is waiting for metadata in turn. */
struct checking {
	struct ero_image *image;
	const struct ero_check_options *options;
	struct ero_check_result *result;
	struct ero_error *err;
	int rc;
	bool running;
	pthread_t thread;
};

static void *run_check(void *checking)
{
	struct checking *k = checking;

	k->rc = ero_check(k->image, k->options, k->result, k->err);
	return NULL;
}

static void start_check(struct checking *k, bool alone)
{
	k->running = !alone && !pthread_create(&k->thread, NULL, run_check, k);
	if (!k->running)
		run_check(k);
}

static int finish_check(struct checking *k)
{
	if (k->running)
		pthread_join(k->thread, NULL);
	k->running = false;
	return k->rc;
}

/* Findings of the check come first, as if it had been made before. */
static void on_extract_finding(void *context, const struct ero_finding *f)
{
	struct context *c = context;

	finish_check(c->checking);
	on_finding(c, f);
}

static int extract(struct context *c, struct ero_image *image, bool has_nid, uint64_t nid,
		   struct ero_check_result *result, struct ero_error *err)
{
	const struct fsck_options *o = c->options;
	struct ero_extract_options e = {
		.target = o->extract_to, .has_nid = has_nid, .nid = nid, .owners = o->owners, .permissions = o->permissions,
		.xattrs = o->xattrs, .overwrite = o->overwrite, .salvage = o->salvage, .all = o->all, .workers = o->workers,
		.memory = o->memory, .max_bytes = o->max_size, .max_files = o->max_files, .finding = on_extract_finding,
		.context = c,
	};

	return ero_extract(image, &e, result, err);
}

static void print_result(const struct context *c, const struct ero_check_result *r)
{
	const struct fsck_options *o = c->options;

	if (o->print_ratio)
		printf("Compression ratio: %.2f%%\n", r->data_bytes ? 100.0 * (double)r->stored_bytes / (double)r->data_bytes : 100.0);
	if (r->untold && o->verbosity)
		cli_error(c->image, "%" PRIu64 " more findings are not shown, for there are more than 100 of their kind: --all shows them", r->untold);
	if (o->verbosity < 2)
		return;
	ero_print_text(stdout, c->image, strlen(c->image));
	if (o->salvage && r->damages)
		printf(": of %" PRIu64 " inodes, %" PRIu64 " things could not be read or only in part\n", r->inodes, r->damages);
	else if (o->salvage)
		printf(": everything could be read\n");
	else if (r->damages)
		printf(": %" PRIu64 " errors, %" PRIu64 " warnings in %" PRIu64 " inodes\n", r->damages, r->warnings, r->inodes);
	else
		printf(": clean, %" PRIu64 " inodes%s%s%s\n", r->inodes, o->extract ? ", all data decoded" : "",
		       *r->verity_root ? ", dm-verity root hash " : "", r->verity_root);
}

static int check_open(struct context *c, struct ero_image *image, struct ero_check_result *result,
		      struct ero_error *err)
{
	const struct fsck_options *o = c->options;
	char root[65] = "";
	struct ero_check_options options = {
		.data = (o->extract && !o->extract_to) || o->inode_digest || o->root_hash || o->cert,
		.verity_root = o->root_hash, .inode_digest = o->inode_digest, .has_nid = o->has_nid, .nid = o->nid, .all = o->all, .workers = o->workers, .memory = o->memory,
		.finding = on_finding, .context = c,
	};
	struct ero_check_result extracted = { 0 };
	struct ero_error check_err = { 0 };
	struct checking checking = { .image = image, .options = &options, .result = result, .err = &check_err };
	bool unsealed = false;
	int rc = 0;

	if (o->path) {
		options.has_nid = true;
		rc = ero_image_lookup(image, o->path, &options.nid, err);
	}
	if (rc)
		return OPERATIONAL;
	if (o->cert) {
		struct ero_finding f = { .id = "verity.signature", .severity = ERO_DAMAGE, .message = err->text };

		rc = ero_seal_verify(c->image, o->cert, o->root_hash, root, err);
		if (rc && err->kind != ERO_ERROR_CORRUPT)
			return OPERATIONAL;
		options.verity_root = root;
		if (rc)
			on_finding(c, &f);
		unsealed = rc != 0;
	}
	c->checking = &checking;
	if (!o->salvage)
		start_check(&checking, !o->extract_to);
	rc = o->extract_to ? extract(c, image, options.has_nid, options.nid, &extracted, err) : 0;
	if (finish_check(&checking)) {
		if (rc && (extracted.failures || !extracted.damages))
			cli_error(FSCK, "%s: %s", c->image, err->text);
		*err = check_err;
		return OPERATIONAL;
	}
	result->damages += unsealed;
	result->untold += extracted.untold;
	if (rc) {
		result->damages += extracted.damages;
		result->inodes = o->salvage ? extracted.inodes : result->inodes;
		if (extracted.failures || !extracted.damages)
			return OPERATIONAL | (result->damages ? DAMAGED : 0);
	}
	err->text[0] = '\0';
	return result->damages ? DAMAGED : CLEAN;
}

static bool is_root_directory(const char *path)
{
	struct stat root, st;

	return !stat("/", &root) && !stat(path, &st) && root.st_dev == st.st_dev && root.st_ino == st.st_ino;
}

int fsck_check(const struct fsck_options *o, const char *path)
{
	struct ero_open_options open_options = {
		.offset = o->offset, .devices = o->devices.items, .device_count = o->devices.count,
		.ignore_checksum = o->no_checksum, .salvage = o->salvage,
	};
	struct context c = { .options = o, .image = path };
	struct ero_check_result result = { 0 };
	struct ero_error err = { 0 };
	struct ero_image *image;
	int code;

	if (o->extract_to && !o->force && is_root_directory(o->extract_to)) {
		cli_error(FSCK, "extracting to / replaces the running system; --force if that is meant");
		return CLI_EXIT_USAGE_FSCK;
	}
	if (o->json && ero_findings_create(&c.findings, &err))
		code = OPERATIONAL;
	else if (ero_image_open(path, &open_options, &image, &err)) {
		code = not_opened(&c, &err);
	} else {
		code = check_open(&c, image, &result, &err);
		ero_image_close(image);
		if (code != OPERATIONAL && !o->json)
			print_result(&c, &result);
	}
	if (code & OPERATIONAL)
		cli_error(FSCK, "%s: %s", path, err.text);
	if (c.findings && ero_findings_report(c.findings, path, code, &result, stdout, &err)) {
		cli_error(FSCK, "%s", err.text);
		code |= OPERATIONAL;
	}
	return code;
}
