// SPDX-License-Identifier: MIT
/* The kernel that would mount: its release, what was configured, what runs beside it; and who would ask it. */
#include "layering/gather.h"
#include "base/cleanup.h"
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef HAVE_MOUNT
#include <libmount.h>
#endif
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

/* ---- release ---- */

/* Vendors add fixes without counting them: releases such as 5.14.0-427.el9, 6.8.0-45-generic or 6.1.0-50-amd64 name a series. */
static bool is_exact(const char *release)
{
	static const char *const words[] = { ".el", "amzn", "-generic", "-azure", "-aws", "-gcp", "-gke" };
	unsigned major, minor, patch;
	int length = 0;

	if (sscanf(release, "%u.%u.%u%n", &major, &minor, &patch, &length) != 3)
		return false;
	if (!patch && release[length] == '-' && isdigit((unsigned char)release[length + 1]))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(release, words[i]))
			return false;
	return true;
}

/* Debian's /proc/version ends with "Debian 6.1.170-1 (date)"; Ubuntu has "Ubuntu 6.8.0-45.45-generic 6.8.12" in a file of
 * its own. Both name the stable release that `release` stands for. */
static bool stable_release(char *release, size_t size)
{
	char line[512], word[64];
	const char *at;

	if (ero_read_line("/proc/version_signature", line, sizeof(line)) && sscanf(line, "%*s %*s %63s", word) == 1 &&
	    isdigit((unsigned char)word[0])) {
		snprintf(release, size, "%s", word);
		return true;
	}
	if (!ero_read_line("/proc/version", line, sizeof(line)) || !(at = strstr(line, "Debian ")))
		return false;
	for (; at; at = strstr(at + 1, "Debian "))
		if (sscanf(at, "Debian %63[0-9.]-", word) == 1 && strchr(word, '.') && strchr(strchr(word, '.') + 1, '.')) {
			snprintf(release, size, "%s", word);
			return true;
		}
	return false;
}

static void gather_release(struct ero_facts *f)
{
	char stable[64], text[200];
	struct utsname u;

	if (uname(&u)) {
		ero_unknown_text(&f->kernel.release, "uname fails");
		ero_unknown(&f->kernel.exact, "uname fails");
		return;
	}
	if (!stable_release(stable, sizeof(stable))) {
		ero_know_text(&f->kernel.release, u.release);
		ero_know(&f->kernel.exact, is_exact(u.release));
		return;
	}
	snprintf(text, sizeof(text), "%s (%.80s)", stable, u.release);
	ero_know_text(&f->kernel.release, strncmp(stable, u.release, strlen(stable)) ? text : u.release);
	ero_know(&f->kernel.exact, 1);
}

/* ---- configuration ---- */

#ifdef HAVE_LIBDEFLATE
static char *unpack(const char *packed, size_t length)
{
	enum { ROOM = 4 << 20 };
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	char *text = malloc(ROOM + 1);
	size_t got = 0;

	if (!d || !text || libdeflate_gzip_decompress(d, packed, length, text, ROOM, &got) != LIBDEFLATE_SUCCESS) {
		free(text);
		text = NULL;
	} else {
		text[got] = '\0';
	}
	libdeflate_free_decompressor(d);
	return text;
}
#else
static char *unpack(const char *packed, size_t length)
{
	(void)packed;
	(void)length;
	return NULL;
}
#endif

static char *read_whole(const char *path, size_t *length)
{
	enum { ROOM = 4 << 20 };
	FILE *in = fopen(path, "re");
	char *text = in ? malloc(ROOM + 1) : NULL;

	*length = 0;
	if (text) {
		*length = fread(text, 1, ROOM, in);
		text[*length] = '\0';
	}
	if (in)
		fclose(in);
	return text;
}

/* The configuration's text, from the kernel itself or from beside it; NULL if there is none. */
static char *read_config(const char *release)
{
	static const char *const places[] = { "/boot/config-%s", "/lib/modules/%s/config", "/usr/lib/modules/%s/config" };
	char path[200];
	size_t length;
	char *text = read_whole("/proc/config.gz", &length);

	if (text) {
		char *plain = unpack(text, length);

		free(text);
		if (plain)
			return plain;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), places[i], release);
		text = read_whole(path, &length);
		if (text)
			return text;
	}
	return NULL;
}

static bool configured(const char *config, const char *name)
{
	char line[128];
	size_t n = (size_t)snprintf(line, sizeof(line), "\nCONFIG_%s=", name);
	const char *at = strstr(config, line);

	return at && (at[n] == 'y' || at[n] == 'm');
}

static bool file_holds(const char *path, const char *word, bool *there)
{
	FILE *in = fopen(path, "re");
	char line[4096];
	bool found = false;

	*there = in != NULL;
	while (in && !found && fgets(line, sizeof(line), in))
		found = strstr(line, word) != NULL;
	if (in)
		fclose(in);
	return found;
}

/* A module that is not there cannot be loaded; where there are no modules at all, as in a container, nothing is known. */
static void gather_erofs(const char *release, struct ero_fact *erofs)
{
	static const char *const lists[] = { "/lib/modules/%s/modules.dep", "/lib/modules/%s/modules.builtin" };
	char path[200];
	bool there, any = false;

	if (file_holds("/proc/filesystems", "\terofs\n", &there)) {
		ero_know(erofs, 1);
		return;
	}
	for (size_t i = 0; there && i < sizeof(lists) / sizeof(lists[0]); i++) {
		bool here;

		snprintf(path, sizeof(path), lists[i], release);
		if (file_holds(path, "/erofs.ko", &here)) {
			ero_know(erofs, 1);
			return;
		}
		any = any || here;
	}
	if (any)
		ero_know(erofs, 0);
	else
		ero_unknown(erofs, there ? "it is not loaded, and no modules of this kernel are here to look for" : "/proc/filesystems is not there");
}

static void gather_config(const char *release, struct ero_facts *f)
{
	const struct {
		const char *name;
		struct ero_fact *fact;
	} wanted[] = {
		{ "EROFS_FS_BACKED_BY_FILE", &f->kernel.file_backed }, { "EROFS_FS_ZIP", &f->kernel.zip },
		{ "EROFS_FS_ZIP_LZMA", &f->kernel.lzma }, { "EROFS_FS_ZIP_DEFLATE", &f->kernel.deflate },
		{ "EROFS_FS_ZIP_ZSTD", &f->kernel.zstd },
	};
	ERO_AUTO_FREE char *config = read_config(release);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (config)
			ero_know(wanted[i].fact, configured(config, wanted[i].name));
		else
			ero_unknown(wanted[i].fact, "no configuration of %.40s is at hand", release);
	}
}

static void gather_features(struct ero_facts *f)
{
	DIR *list = opendir("/sys/fs/erofs/features");
	char text[256] = "";
	const struct dirent *d;

	if (!list) {
		ero_unknown_text(&f->kernel.features, "/sys/fs/erofs/features is not there");
		return;
	}
	while ((d = readdir(list))) {
		size_t used = strlen(text);

		if (d->d_name[0] != '.')
			snprintf(text + used, sizeof(text) - used, "%s%.60s", used ? " " : "", d->d_name);
	}
	closedir(list);
	ero_know_text(&f->kernel.features, text);
}

/* ---- beside the kernel ---- */

static bool in_path(const char *program)
{
	static const char *const places[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin" };
	char path[128];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], program);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

/* mount(8) of util-linux tries the file itself since 2.41, and a loop device only when the kernel says ENOTBLK. */
static bool mount_knows_files(void)
{
#ifdef HAVE_MOUNT
	unsigned major = 0, minor = 0;
	const char *version = NULL;

	mnt_get_library_version(&version);
	return version && sscanf(version, "%u.%u", &major, &minor) == 2 && (major > 2 || (major == 2 && minor >= 41));
#else
	return false;
#endif
}

static void gather_beside(struct ero_facts *f)
{
	char line[256];

	if (ero_read_line("/sys/kernel/security/lsm", line, sizeof(line)))
		ero_know_text(&f->kernel.lsm, line);
	else
		ero_unknown_text(&f->kernel.lsm, "/sys/kernel/security/lsm is not there");
	ero_know(&f->kernel.loop, !access("/dev/loop-control", F_OK));
	ero_know_text(&f->kernel.mounter, mount_knows_files() ? "mount" : in_path("mount.erofs") ? "mount.erofs" : "");
}

/* Another kernel: only its number is known; the machine stays this one. */
static int another_kernel(const char *release, struct ero_facts *f, struct ero_error *err)
{
	static const char why[] = "it is another kernel than the running one";
	struct ero_fact *const facts[] = { &f->kernel.erofs, &f->kernel.file_backed, &f->kernel.zip, &f->kernel.lzma,
					   &f->kernel.deflate, &f->kernel.zstd, &f->kernel.loop };
	struct ero_kernel_version v;

	if (!ero_kernel_parse(release, &v))
		return ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "\"%s\" is no kernel version, such as 6.12.3", release);
	ero_know_text(&f->kernel.release, release);
	ero_know(&f->kernel.exact, is_exact(release)); /* "6.12" alone stands for whatever 6.12.y is installed there */
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		ero_unknown(facts[i], why);
	ero_unknown_text(&f->kernel.features, why);
	ero_unknown_text(&f->kernel.lsm, why);
	ero_unknown_text(&f->kernel.mounter, why);
	return 0;
}

int ero_gather_kernel(const struct ero_preflight_options *o, struct ero_facts *f, struct ero_error *err)
{
	struct utsname u;

	ero_know(&f->kernel.page_size, (uint64_t)sysconf(_SC_PAGESIZE));
	ero_know(&f->kernel.running, !o->for_kernel);
	if (o->for_kernel)
		return another_kernel(o->for_kernel, f, err);
	if (uname(&u))
		return ero_fail_errno(err, "uname");
	gather_release(f);
	gather_config(u.release, f);
	gather_erofs(u.release, &f->kernel.erofs);
	gather_features(f);
	gather_beside(f);
	return 0;
}

/* ---- who asks ---- */

/* Capabilities count only in the first user namespace, which has a number of its own (linux/proc_ns.h). */
static bool capabilities(unsigned long long *caps)
{
	static const ino_t first_namespace = 0xEFFFFFFD;
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	struct stat st;
	bool good = false;

	*caps = 0;
	while (status && !good && fgets(line, sizeof(line), status))
		good = sscanf(line, "CapEff: %llx", caps) == 1;
	if (status)
		fclose(status);
	if (!good || stat("/proc/self/ns/user", &st))
		return false;
	if (st.st_ino != first_namespace)
		*caps = 0;
	return true;
}

void ero_gather_who(int fd, struct ero_facts *f)
{
	enum { CAP_SYS_ADMIN = 21, CAP_LEASE = 28 };
	unsigned long long caps;
	struct stat st;

	if (!capabilities(&caps)) {
		ero_unknown(&f->who.admin, "/proc/self cannot be read");
		ero_unknown(&f->who.lease, "/proc/self cannot be read");
		return;
	}
	ero_know(&f->who.admin, caps >> CAP_SYS_ADMIN & 1);
	ero_know(&f->who.lease, (caps >> CAP_LEASE & 1) || (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid()));
}
