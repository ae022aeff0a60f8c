/* SPDX-License-Identifier: MIT */
/* What the files that gather facts share. Each function fills its part of the facts and judges nothing. */
#ifndef ERO_LAYERING_GATHER_H
#define ERO_LAYERING_GATHER_H

#include <sys/stat.h>
#include "base/vec.h"
#include "layering/facts.h"

/* Extra devices, as they are named; each a copy. */
struct ero_device_list {
	char **data;
	size_t count, room;
};

static inline void ero_know(struct ero_fact *fact, uint64_t value)
{
	fact->known = true;
	fact->value = value;
}

/* facts.c */
void ero_unknown(struct ero_fact *fact, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text that is too long ends with "…". */
void ero_know_text(struct ero_text *text, const char *value);
void ero_unknown_text(struct ero_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first line of a small regular file; false with errno. */
bool ero_read_line(const char *path, char *line, size_t size);

/* gather_file.c: the file itself, and all the facts of a file. `fd` is open for reading, or -1 with `code` the errno. */
void ero_gather_file(const char *path, int fd, int code, struct ero_file_facts *file);
/* gather_filesystem.c: the mount of the mount table that holds a path; false if that is not known. */
struct ero_mount {
	char type[64], source[300];
	dev_t device;
};
bool ero_find_mount(const char *path, struct ero_mount *mount);
void ero_gather_filesystem(const char *path, int fd, const struct stat *st, struct ero_file_facts *file);
/* Calls `fn` with the bytes from..to of each hole of a file, and of each extent that was allocated but never written. */
typedef void (*ero_gap_fn)(void *context, uint64_t from, uint64_t to);
void ero_file_gaps(int fd, uint64_t size, ero_gap_fn fn, void *context);
/* gather_users.c: loop devices, mounts, fanotify marks. */
void ero_gather_users(const char *path, const struct stat *st, struct ero_file_facts *file);
void ero_gather_mounts(const struct stat *st, struct ero_file_facts *file);
/* gather_image.c: header, features, device table; and what a walk over the metadata tells. */
void ero_gather_image(int fd, struct ero_facts *facts);
/* Devices given and what the table says of them; -ENOMEM. */
int ero_gather_devices(const struct ero_preflight_options *options, const struct ero_device_list *given, int fd,
		       struct ero_facts *facts, struct ero_error *err);
/* gather_kernel.c: the running kernel, or what is known of another release; who asks. */
int ero_gather_kernel(const struct ero_preflight_options *options, struct ero_facts *facts, struct ero_error *err);
void ero_gather_who(int fd, struct ero_facts *facts);
/* options.c: how it is to be mounted. The list takes the devices named in both ways, in order. */
int ero_gather_plan(const struct ero_preflight_options *options, const struct stat *st, struct ero_facts *facts,
		    struct ero_device_list *devices, struct ero_error *err);
/* Calls `fn` for each option of a list as mount(8) takes it; value NULL: none. What it returns, if not 0, ends that. */
typedef int (*ero_option_fn)(void *context, const char *name, const char *value, struct ero_error *err);
int ero_options_each(const char *options, ero_option_fn fn, void *context, struct ero_error *err);
bool ero_option_is_general(const char *name);   /* of every file system: ro, nosuid, context, … */
bool ero_option_is_for_mount(const char *name); /* mount(8) keeps it to itself: nofail, x-… */
bool ero_device_list_add(struct ero_device_list *list, const char *path);
void ero_device_list_free(struct ero_device_list *list);
/* verity.c: the digest that was recorded at build, from the option or the file beside the image; and the one of the file,
 * as the kernel measures it or, with `compute`, from the content. */
int ero_gather_recorded(const struct ero_preflight_options *options, struct ero_facts *facts, struct ero_error *err);
void ero_gather_verity(int fd, bool compute, struct ero_file_facts *file);

#endif
