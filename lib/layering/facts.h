/* SPDX-License-Identifier: MIT */
/*
 * What is known about an image file, what lies below it, the kernel, and how it is to be mounted. Facts are gathered
 * (facts.c, gather_*.c) or read from a document (document.c); the rules judge them and touch nothing else. A fact that
 * could not be learnt is unknown, with the reason, never a guess. fields.c names and explains each one.
 */
#ifndef ERO_LAYERING_FACTS_H
#define ERO_LAYERING_FACTS_H

#include "base/error.h"
#include "format/features.h"

/* A number, or a flag: 0 or 1. */
struct ero_fact {
	bool known;
	uint64_t value;
	char why_not[120];
};

struct ero_text {
	bool known;
	char value[256];
	char why_not[120];
};

/* A file: the image, or an extra device of it. */
struct ero_file_facts {
	struct ero_text path;          /* as it was named */
	struct ero_text type;          /* "regular", "directory", "block", … or "missing" */
	struct ero_fact readable;
	struct ero_fact size;          /* bytes */
	struct ero_fact owner, permissions;
	struct ero_fact parent_open;   /* others than root may replace the file in its directory */
	struct ero_fact immutable, verity, dax, compressed;
	struct ero_text verity_digest; /* "sha256:…" */
	struct ero_fact dio_align;     /* bytes; 0: no direct I/O */
	struct ero_fact hole;          /* somewhere before `size` */
	struct ero_fact unwritten;     /* allocated, never written: a download that goes on? */
	struct ero_fact writer;        /* somebody has it open for writing */
	struct ero_fact cached, dirty; /* pages */
	/* the file system it lies on */
	struct ero_fact fs_magic;
	struct ero_text fs_type, fs_source;
	struct ero_fact fs_anonymous;  /* no block device of its own */
	struct ero_fact fs_noexec, fs_nosuid, fs_nodev, fs_atime;
	struct ero_fact sector_size;   /* of the disk below, bytes */
	/* who else uses the file */
	struct ero_fact loops, writable_loops, mounts;
	struct ero_fact precontent_marks, permission_marks; /* of fanotify */
};

struct ero_device_facts {
	/* what the image's table says */
	struct ero_text tag;           /* "": none */
	struct ero_fact blocks;
	/* what is given for it */
	struct ero_fact given;
	struct ero_text digest;        /* SHA-256 of the content, in hexadecimal, where the tag is one */
	struct ero_text uuid;          /* of the image in it, 32 digits, where the tag is one */
	struct ero_file_facts file;
};

enum { ERO_MOST_DEVICES = 4096 };

struct ero_facts {
	struct {
		struct ero_text way;           /* "file", "loop" or "device" */
		struct ero_fact offset;        /* bytes before the image in the file */
		struct ero_fact fsoffset;      /* of them those that EROFS itself is told to skip */
		struct ero_fact size_limit;    /* of a loop device, bytes from `offset` on; 0: none */
		struct ero_fact loop_direct_io;
		struct ero_fact direct_io, nosuid, nodev, noexec;
		struct ero_text options;       /* EROFS's own, as they were given */
		struct ero_text unknown_options; /* those that EROFS never had */
		struct ero_fact inode_share, fsid, domain_id, dax; /* options of a window of releases; dax: =always */
		struct ero_fact overlays;      /* overlay mounts above, one on the other */
		struct ero_fact trust_devices; /* the operator vouches for the devices and their order */
		struct ero_text recorded;      /* fs-verity digest from when the image was built, "": none */
	} plan;
	struct {
		struct ero_text release;
		struct ero_fact running;       /* 0: judged for another host */
		struct ero_fact exact;         /* the release tells the patch level */
		struct ero_fact page_size;
		struct ero_fact erofs, file_backed, zip, lzma, deflate, zstd; /* built in or at hand as modules */
		struct ero_text features;      /* /sys/fs/erofs/features, separated by blanks */
		struct ero_text lsm;           /* active security modules */
		struct ero_fact loop;          /* loop devices can be made */
		struct ero_text mounter;       /* "mount", "mount.erofs" or "": mounts a file without a loop device */
	} kernel;
	struct {
		struct ero_fact admin;         /* CAP_SYS_ADMIN in the first user namespace */
		struct ero_fact lease;         /* may take a lease on the file */
		struct ero_fact answer;        /* errno of a mount that was prepared and thrown away; 0: it would succeed */
	} who;
	struct {
		struct ero_fact header;        /* 1: magic number and checksum are right */
		struct ero_text header_error;
		struct ero_fact block_bits, blocks, inodes, feature_compat, feature_incompat, algorithms, extra_devices;
		struct ero_fact dir_block_bits;
		struct ero_fact flat_end;      /* bytes: the end of the last device where all are one after the other; 0: not so */
		struct ero_text uuid;
		/* from a walk over the metadata */
		struct ero_fact sound;         /* it can be read whole */
		struct ero_text damage;
		struct ero_fact data_end;      /* bytes of the image up to the last one that reading file data asks for */
		struct ero_fact metadata_end;
		struct ero_fact byte_extents;  /* has extents of byte granularity */
		struct ero_fact hole_in_metadata, hole_in_encoded, hole_in_plain; /* holes of the file where these should be */
		struct ero_fact pages, metadata_pages; /* of the image: all that are used; those read as metadata */
		struct ero_fact content_pages; /* of all files, plain */
	} image;
	struct ero_file_facts file;
	struct ero_device_facts *devices;
	size_t device_count;
};

/* The release in numbers; false if it is not known. */
bool ero_facts_kernel(const struct ero_facts *facts, struct ero_kernel_version *version);

/* Gathers everything; only a request that has no meaning or a lack of memory is an error. */
int ero_facts_gather(const struct ero_preflight_options *options, struct ero_facts *facts, struct ero_error *err);
void ero_facts_free(struct ero_facts *facts);

/* probe.c: the kernel's own answer to a mount prepared as planned and thrown away. */
struct ero_probe {
	bool asked;
	int code;                 /* errno, 0: it would mount */
	char words[256];          /* the kernel's, or "" */
	char why_not[120];        /* it was not asked */
};
int ero_probe(const struct ero_preflight_options *options, const struct ero_facts *facts, struct ero_probe *probe,
	      struct ero_error *err);

/* document.c: facts as a JSON document, and back. Reading is strict: names and kinds that do not exist are errors;
 * what is missing is unknown. */
int ero_facts_save(const struct ero_facts *facts, FILE *out, struct ero_error *err);
int ero_facts_parse(const char *text, size_t length, struct ero_facts *facts, struct ero_error *err);
int ero_facts_load(const char *path, struct ero_facts *facts, struct ero_error *err);

/* fields.c: one row a fact, by group. */
enum ero_field_kind { ERO_FIELD_NUMBER, ERO_FIELD_FLAG, ERO_FIELD_TEXT };
struct ero_field {
	const char *name;
	enum ero_field_kind kind;
	size_t offset;            /* in the group's struct */
	const char *what;         /* and how it is learnt */
};
struct ero_field_group {
	const char *name;         /* NULL behind the last */
	size_t offset;            /* in ero_facts; of "devices" and what is in it: in ero_device_facts */
	const struct ero_field *fields; /* the last has no name */
};
extern const struct ero_field_group ero_field_groups[];   /* of the document: plan, kernel, who, image, file */
extern const struct ero_field_group ero_device_groups[];  /* of an element of "devices": slot, file */

#endif
