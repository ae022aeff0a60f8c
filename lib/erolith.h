/* SPDX-License-Identifier: MIT */
/*
 * erolith: build, check, judge and inspect EROFS images.
 *
 * This is the one public header. Handles are opaque and made and freed by the functions below; there is no global
 * state, so any number of builds and images may live in one process, each used by one thread at a time.
 * Every function that can fail returns 0 or a negative errno value and, when `err` is not NULL, fills it with a
 * sentence that names what was being done, to what, and what to do. Strings are UTF-8 or raw file name bytes.
 */
#ifndef EROLITH_H
#define EROLITH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ERO_API __attribute__((visibility("default")))

/* ---- errors ------------------------------------------------------------------------------------------------ */

/* What kind of thing went wrong; the errno beside it says more, the text says all. */
enum ero_error_kind {
	ERO_ERROR_NONE = 0,
	ERO_ERROR_ARGUMENT,    /* the caller asked for something that has no meaning */
	ERO_ERROR_UNSUPPORTED, /* valid, but not in this build or this release */
	ERO_ERROR_FOREIGN,     /* not an EROFS image at all */
	ERO_ERROR_CORRUPT,     /* the image or archive is damaged */
	ERO_ERROR_IO,          /* the system refused: file, permission, space, device */
	ERO_ERROR_MEMORY,
};

struct ero_error {
	enum ero_error_kind kind;
	int code;         /* positive errno */
	char text[1024];  /* one sentence, no newline */
};

/* The version of this library, and the erofs-utils release whose options the tools follow. Static strings. */
ERO_API const char *ero_version(void);
ERO_API const char *ero_compat_version(void);

/* What this build can do: names of compressors and their level ranges, for --help and --version.
 * Returns NULL past the last; the pointers are static. */
struct ero_compressor_info {
	const char *name;
	int min_level, max_level, default_level;
	uint32_t max_dict; /* bytes; 0: dictsize= is not taken */
};
ERO_API const struct ero_compressor_info *ero_compressor_info(unsigned index);

/* The number parser of every option: decimal, 0x hexadecimal or 0 octal, an optional K, M or G (1024) suffix, nothing
 * else. False for anything but a number in [min, max]; *value is written on success only. */
ERO_API bool ero_parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* Parses a -z value, "alg[,level=N][,dictsize=N][,lc=N][,lp=N][,pb=N][:…]" or "alg,N", into at most `room` compressors. */
struct ero_compressor;
ERO_API int ero_parse_compressors(const char *text, struct ero_compressor *compressors, unsigned room, unsigned *count,
				  struct ero_error *err);

/* Parses a UUID in its usual text form; "random" makes one. */
ERO_API int ero_parse_uuid(const char *text, uint8_t uuid[16], struct ero_error *err);

/* Writes a name of any bytes for people to read: control characters, what turns the direction of text or has no width, backslashes and
 * what is no UTF-8 become \xNN, so that no name can play tricks on a terminal or a line-based reader. The second is for sentences that
 * hold names, such as ero_error.text, and leaves backslashes as they are. */
ERO_API void ero_print_name(FILE *out, const char *name, size_t length);
ERO_API void ero_print_text(FILE *out, const char *text, size_t length);

/* ---- building ---------------------------------------------------------------------------------------------- */

/* Called now and then from the thread that builds. */
struct ero_progress {
	uint64_t files_done, files_total;
	uint64_t bytes_done, bytes_total; /* of source data */
	uint64_t image_bytes;             /* written so far */
};

#define ERO_MAX_COMPRESSORS 8
#define ERO_MAX_PCLUSTER (1u << 20) /* bytes */

struct ero_compressor {
	char name[16];     /* lz4 lz4hc lzma deflate libdeflate zstd */
	int level;         /* or ERO_LEVEL_DEFAULT */
	uint32_t dictsize; /* bytes, 0: chosen from the pcluster size */
	int lc, lp, pb;    /* lzma, or -1 */
};
#define ERO_LEVEL_DEFAULT (-1)

enum ero_time_mode {
	ERO_TIME_PRESERVE = 0, /* every file keeps its own mtime */
	ERO_TIME_ALL,          /* every file gets build_time */
};

/* What matters more where a file's tail could share a page with inodes. */
enum ero_metadata_layout {
	ERO_METADATA_DENSE = 0, /* inline tails, but where they would cost nearly a page of their own */
	ERO_METADATA_WALK,      /* no file data in pages with inodes: larger images, far fewer pages for a stat of everything */
	ERO_METADATA_LEGACY,    /* inline tails wherever they fit, as erofs-utils places them */
};

/* What goes into the packed inode (Linux 6.1) when files are stored in pclusters. */
enum ero_fragments {
	ERO_FRAGMENTS_NONE = 0,
	ERO_FRAGMENTS_TAILS,    /* what does not fill a pcluster: files' ends, and whole files that are small */
	ERO_FRAGMENTS_ALL,      /* all files */
};

enum ero_source_kind {
	ERO_SOURCE_DIRECTORY = 0,
	ERO_SOURCE_ARCHIVE, /* tar and whatever else libarchive reads; path NULL: standard input */
};

/* What to build. Set by ero_build_options_init() to the defaults; strings and arrays stay the caller's. */
struct ero_build_options {
	const char *target;       /* image file, block device, or "-" for standard output */
	uint64_t target_offset;   /* bytes to leave untouched before the image */
	enum ero_source_kind source_kind;
	const char *source;
	bool aufs;                /* archive: AUFS whiteouts become overlayfs ones */

	unsigned block_size;      /* bytes, 512..65536, a power of two */
	const char *label;        /* at most 15 bytes, or NULL */
	uint8_t uuid[16];
	bool uuid_given;          /* else random */

	/* time, in seconds since 1970 */
	bool build_time_given;    /* else now */
	int64_t build_time;
	uint32_t build_time_nsec;
	enum ero_time_mode times;

	/* owners */
	bool force_uid, force_gid;
	uint32_t uid, gid;
	int64_t uid_offset, gid_offset;

	/* names */
	const char *const *exclude_paths;   /* relative to the source, exact */
	size_t exclude_path_count;
	const char *const *exclude_regexes; /* POSIX extended, on the relative path */
	size_t exclude_regex_count;
	const char *file_contexts;          /* SELinux file_contexts file, or NULL */
	const char *mount_point;            /* prefix for the label lookup, or NULL */
	bool hard_dereference;

	/* xattrs */
	int xattr_tolerance;      /* an xattr is shared when more inodes than this have it; < 0: no xattrs at all */
	bool xattr_name_filter;
	bool plain_xattr_prefixes;
	const char *const *xattr_prefixes;  /* long prefixes, such as "trusted.overlay." */
	size_t xattr_prefix_count;
	const char *inode_digest;           /* name of an xattr that takes "sha256:" and the digest of each regular file that is not
	                                     * empty, and is announced for sharing (ISHARE_XATTRS); or NULL */
	unsigned root_xattr_isize;          /* bytes, the least inline xattr size of the root directory */

	/* data */
	struct ero_compressor compressors[ERO_MAX_COMPRESSORS];
	unsigned compressor_count;   /* 0: uncompressed */
	unsigned pcluster_size;      /* bytes, 0: one block */
	const char *compress_hints;  /* file, or NULL */
	uint32_t extent_size;        /* bytes, a power of two or 12 MiB: extents of byte granularity (48BIT), each of this many plain
	                              * bytes, and files up to this size gathered in the packed inode; 0: pclusters */
	enum ero_fragments fragments;
	uint32_t packed_pcluster_size; /* bytes, of the packed inode with fragments; 0: as all others */
	uint32_t metabox_size;       /* bytes, a power of two: inodes, links, xattrs and the ends of directories are the content of an
	                              * inode of their own, compressed in extents of this many plain bytes (METABOX); 0: not */
	struct ero_compressor metabox_compressor; /* of it; name "": as the files' */
	bool keep_equal;             /* where files are gathered, equal ones are stored each */
	int dedupe;                  /* 1 yes, -1 no, 0 as the preset says: what is there twice is stored once: whole files, and ranges of 32 KiB or more wherever they lie */
	bool compress_dirs;          /* directories of more than a block are compressed like files, by the first compressor */
	bool wide;                   /* 48BIT: 32-byte inodes keep each file's time, addresses have 48 bits */
	bool dot_omitted;            /* directories without "."; needs wide */
	uint32_t max_extent_bytes;   /* 0: no limit but the format's */
	bool legacy_compress;        /* full indexes instead of compact ones */
	bool ztailpacking;
	bool inline_data;
	unsigned chunk_size;         /* bytes, 0: no chunked files but sparse ones */
	bool force_chunk_indexes;    /* 8 bytes a chunk instead of 4 */
	const char *blob_device;     /* file that takes the chunks, or NULL */
	uint64_t max_waste;          /* bytes: a file whose holes would cost more is refused */
	enum ero_metadata_layout layout;
	int inode_form;              /* 0 as small as possible, 32, 64 */
	bool superblock_checksum;
	unsigned data_alignment;     /* --dsunit: blocks, 0: none */
	unsigned size_alignment;     /* --fsalignblks: blocks, 0: none beyond 4096 bytes */

	const char *hot_list;        /* file of paths in the order of first use: their metadata comes first; or NULL */
	bool hot_data;               /* and so does their data */
	const char *order_from;      /* an image, or a file of paths: data is stored in that order; or NULL */
	const char *preset;          /* "compat", "dense", "fast", "live" or NULL: gives what was left at its default */
	const char *for_kernel;      /* "6.1", "6.18.16" or NULL: only what this release reads, the best of it if no
	                              * compression was asked for; without a patch level the newest of the series */
	const char *verity_salt;     /* a dm-verity tree is written behind the image: up to 256 bytes of salt in hexadecimal, "" for
	                              * one that follows from the UUID, "-" for none; NULL: no tree */
	unsigned workers;            /* 0: one per processor that this process may use, by affinity and quota */
	uint64_t memory;             /* bytes: fewer workers if they would need more; 0: what this process may use */
	bool sync;                   /* write to stable storage before the image takes its name */

	/* Called, where set, with progress, and with warnings and notes (one sentence each). */
	void (*progress)(void *context, const struct ero_progress *state);
	void (*warning)(void *context, const char *text);
	void (*note)(void *context, const char *text); /* what to expect of the build, before it begins */
	/* Tells under which path a temporary file lies that belongs to an output, so that who ends by a signal can remove it; NULL: there
	 * is none any more. `output` tells one output from another and means nothing else. Signals are blocked in the calling thread. */
	void (*temporary)(void *context, const void *output, const char *path);
	void *context;
};

/* What was built. */
struct ero_build_summary {
	uint64_t image_bytes, blob_bytes;
	uint64_t source_bytes;      /* file content, each hard-linked file once */
	uint64_t stored_bytes;      /* the same, as stored */
	uint64_t metadata_bytes;    /* everything else, padding included */
	uint64_t inodes, regular, directories, symlinks, specials, hard_links;
	uint64_t compressed_files, plain_files, inline_files, chunked_files;
	uint64_t packed_files;      /* of the compressed ones: those in the packed inode */
	uint64_t shared_xattrs;
	uint64_t duplicate_files;   /* stored once with another one of the same content */
	uint64_t shared_bytes;      /* of file content, besides that: bytes that refer to what was stored for others */
	uint64_t changed_files;     /* files that changed while they were read */
	uint32_t block_size;
	uint32_t feature_compat, feature_incompat;
	uint8_t uuid[16];
	uint64_t verity_offset;     /* byte at which the dm-verity superblock lies, 0: none; image_bytes counts it and the tree */
	char verity_root[65];       /* root hash, in hexadecimal */
	char first_kernel[16];      /* first Linux release that mounts it */
	char avoid_kernels[128];    /* later releases that read it wrong, or "" */
	char features[256];         /* names, separated by blanks */
	double seconds;
};

ERO_API void ero_build_options_init(struct ero_build_options *options);

/* Builds an image. The target appears whole under its name, or is left as it was. -EINVAL for options that do not
 * go together, -ENOTSUP for what this build cannot do, else what the system said. */
ERO_API int ero_build(const struct ero_build_options *options, struct ero_build_summary *summary,
		      struct ero_error *err);

/* ---- images ------------------------------------------------------------------------------------------------ */

struct ero_image;

struct ero_open_options {
	uint64_t offset;             /* bytes before the image in its file */
	const char *const *devices;  /* extra devices, in the order of the device table */
	size_t device_count;
	bool ignore_checksum;        /* of the superblock */
	bool salvage;                /* the packed inode, the metabox and long xattr prefixes may be damaged: what lies in them is
	                              * told where it is asked for */
};

/* Opens an image (or block device) for reading; reads and verifies the superblock. `options` may be NULL.
 * -EBADMSG: the checksum is wrong; -EINVAL: not an EROFS image; -ENOTSUP: a feature this library does not know. */
ERO_API int ero_image_open(const char *path, const struct ero_open_options *options, struct ero_image **image,
			   struct ero_error *err);
ERO_API void ero_image_close(struct ero_image *image);

/* Finds a path (absolute, or relative to the root; links are not followed). -ENOENT, -ENOTDIR. */
ERO_API int ero_image_lookup(struct ero_image *image, const char *path, uint64_t *nid, struct ero_error *err);

/* ---- reports ----------------------------------------------------------------------------------------------- */

enum ero_report_form { ERO_REPORT_TEXT = 0, ERO_REPORT_JSON };

/* Each writes one report to `out`: as text, or as one JSON object. */
ERO_API int ero_report_superblock(struct ero_image *image, enum ero_report_form form, FILE *out,
				  struct ero_error *err);
/* Pages of the host's cache that walks over the tree read, and why; `list`, if not NULL, is a file of paths, one a line, whose lookups are
 * counted, too. And a drawing of the image by kind of page. */
ERO_API int ero_report_footprint(struct ero_image *image, const char *list, enum ero_report_form form, FILE *out,
				 struct ero_error *err);
ERO_API int ero_report_map(struct ero_image *image, FILE *out, struct ero_error *err);
ERO_API int ero_report_statistics(struct ero_image *image, enum ero_report_form form, FILE *out,
				  struct ero_error *err);
ERO_API int ero_report_inode(struct ero_image *image, uint64_t nid, const char *path, bool extents,
			     enum ero_report_form form, FILE *out, struct ero_error *err);
ERO_API int ero_report_directory(struct ero_image *image, uint64_t nid, enum ero_report_form form, FILE *out,
				 struct ero_error *err);
/* KEY=value lines as blkid -o udev prints them. */
ERO_API int ero_report_udev(struct ero_image *image, enum ero_report_form form, FILE *out, struct ero_error *err);
/* The fs-verity digest of a file: "sha256:… PATH", as fsverity(1) prints it. */
ERO_API int ero_report_verity(const char *path, enum ero_report_form form, FILE *out, struct ero_error *err);
/* What differs between two images: superblocks, and trees path by path (type, mode, owner, times, links, xattrs, content, and
 * where all that is equal, how it is stored). *differences is how much. */
ERO_API int ero_report_diff(struct ero_image *one, struct ero_image *other, enum ero_report_form form, FILE *out,
			    uint64_t *differences, struct ero_error *err);
/* Raw content (regular file or link target). */
ERO_API int ero_report_content(struct ero_image *image, uint64_t nid, FILE *out, struct ero_error *err);
/* The summary of a build. */
ERO_API int ero_report_build(const struct ero_build_summary *summary, const char *target, enum ero_report_form form,
			     FILE *out, struct ero_error *err);

/* ---- checking ---------------------------------------------------------------------------------------------- */

enum ero_severity { ERO_INFO = 0, ERO_WARNING, ERO_DAMAGE };

/* One thing found; pointers are valid during the call only. */
struct ero_finding {
	const char *id;         /* stable, such as "dir.order" */
	enum ero_severity severity;
	bool has_nid, has_offset;
	uint64_t nid;
	uint64_t offset;        /* byte in the image */
	const char *path;       /* or NULL */
	const char *message;    /* a sentence */
	const char *expected, *found; /* or NULL */
};

struct ero_check_options {
	bool data;               /* decode all file data too */
	const char *inode_digest; /* compare content with the digests in the xattrs of this name, "": the one the superblock
	                           * names; needs data. NULL: not */
	const char *verity_root; /* the dm-verity tree behind the image must have this root hash, in hexadecimal; needs data. NULL:
	                          * a tree that is there is verified by itself */
	bool has_nid;
	uint64_t nid;            /* check only what is below this inode */
	bool all;                /* tell every finding; else those of one id beyond the hundredth are counted */
	unsigned workers;        /* 0: one per processor that this process may use, by affinity and quota */
	uint64_t memory;         /* bytes: fewer workers if they would need more (64 MiB, and 24 MiB each); 0: what this process may use */
	void (*finding)(void *context, const struct ero_finding *finding);
	void *context;
};

struct ero_check_result {
	uint64_t inodes, directories, regular, symlinks, specials;
	uint64_t damages, warnings;
	uint64_t untold;                   /* findings that were counted and not told, for there were so many of their id */
	uint64_t failures;                 /* extraction: what the target refused; the image is not to blame */
	uint64_t data_bytes, stored_bytes; /* of regular files, plain and as stored */
	char verity_root[65];              /* of the dm-verity tree that was verified, or "" */
};

/* Checks an open image; damage is told through `finding` and counted, it is not an error of the call.
 * -ENOMEM, or -EIO and others when the image cannot be read: then nothing is said about it. */
ERO_API int ero_check(struct ero_image *image, const struct ero_check_options *options,
		      struct ero_check_result *result, struct ero_error *err);

/* The finding that an image which cannot be opened stands for: its id, such as "super.checksum", from the error
 * of ero_image_open(). Static string. */
ERO_API const char *ero_open_finding_id(const struct ero_error *err);

/* Findings gathered for a JSON report. */
struct ero_findings;
ERO_API int ero_findings_create(struct ero_findings **findings, struct ero_error *err);
ERO_API void ero_findings_add(struct ero_findings *findings, const struct ero_finding *finding);
/* Writes one JSON object with the findings, the counts and fsck's exit code, and frees the findings. */
ERO_API int ero_findings_report(struct ero_findings *findings, const char *image, int exit_code,
				const struct ero_check_result *result, FILE *out, struct ero_error *err);

/* Prints the invariants that are checked, or the one with this id; -ENOENT if there is none. */
ERO_API int ero_report_invariants(const char *id, enum ero_report_form form, FILE *out, struct ero_error *err);

struct ero_extract_options {
	const char *target;      /* directory, made if missing */
	bool has_nid;
	uint64_t nid;            /* extract only what is below this inode */
	bool owners, permissions, xattrs, overwrite;
	bool salvage;            /* damaged files are kept, with holes for what cannot be read, and each hole is told; else the
	                          * extraction stops at the first damage */
	bool all;                /* tell every finding; else those of one id beyond the hundredth are counted */
	uint64_t max_bytes;      /* stop when more file content than this has been written; 0: 3072 times what the image has, which
	                          * is what a block can hold of zeros */
	uint64_t max_files;      /* stop when more files than this have been made; 0: as many as the superblock counts */
	unsigned workers;        /* as for a check */
	uint64_t memory;
	void (*finding)(void *context, const struct ero_finding *finding);
	void *context;
};

/* Writes an image's tree below a directory and never outside it. What cannot be read or written is told through
 * `finding`. What the target refuses is left out; damage ends it, but for a salvage. Returns -EIO when anything was told, -EUCLEAN
 * when it has stopped at damage, -EFBIG at one of its limits. */
ERO_API int ero_extract(struct ero_image *image, const struct ero_extract_options *options,
			struct ero_check_result *result, struct ero_error *err);

/* ---- judging: may this file be mounted here, this way? ------------------------------------------------------ */

enum ero_verdict { ERO_GO = 0, ERO_GO_WITH_WARNINGS, ERO_NO_GO, ERO_CANNOT_JUDGE };

/* Ways of mounting: AUTO is the file itself, or the device if it is one. */
enum ero_way { ERO_WAY_AUTO = 0, ERO_WAY_FILE, ERO_WAY_LOOP, ERO_WAY_DEVICE };

struct ero_hold;

struct ero_preflight_options {
	const char *image;
	uint64_t offset;         /* bytes before the image in its file */
	const char *const *devices;
	size_t device_count;
	const char *for_kernel;  /* "6.12.3": judge for this release instead of the running one; NULL: this host */
	enum ero_way way;
	const char *mount_options; /* as mount(8) takes them: "ro,nosuid,directio", or NULL */
	unsigned overlays;       /* overlay mounts planned above, one on the other */
	bool trust_devices;      /* the caller vouches for the devices and their order */
	bool no_digests;         /* devices are not read to compare them with the digests in their tags */
	const char *recorded_verity; /* fs-verity digest of the image from when it was built ("sha256:…"), or a file that holds
	                          * it, "" for IMAGE.verity: the whole file is read and compared. NULL: IMAGE.verity is
	                          * compared if it is there and the kernel has the file's digest */
	bool probe;              /* ask the kernel, too: a mount is prepared and thrown away. Files on FUSE are always tried */
	struct ero_hold *held;   /* judge the file that this keeps, or NULL */
	const char *facts;       /* judge this document of facts and look at nothing here, or NULL; "-" is standard input */
	FILE *save_facts;        /* takes the facts as a JSON document, or NULL */
	bool notes;              /* text: tell what is merely good to know, too */
};

/* Gathers facts about an image file and its surroundings, judges a mount by the layering rules, and advises on the best way.
 * Writes the report to `out`. -EINVAL for options or facts that have no meaning. */
ERO_API int ero_preflight(const struct ero_preflight_options *options, enum ero_report_form form, FILE *out,
			  enum ero_verdict *verdict, struct ero_error *err);
/* Asks of an image that was just built what does not depend on who mounts it: calls `warning` with one sentence for each
 * broken rule, for the way of mounting from the file where it lies now, and `for_kernel` or the running one. */
ERO_API int ero_preflight_built(const char *image, uint64_t offset, const char *for_kernel,
				void (*warning)(void *context, const char *text), void *context, struct ero_error *err);
/* Writes all rules, a line each, or one rule in full; -ENOENT if there is no rule of that id. */
ERO_API int ero_report_rules(const char *id, enum ero_report_form form, FILE *out, struct ero_error *err);

/* Keeps a file from changing between verdict and mount: an open descriptor and, where the file system has them, a read lease,
 * which nobody can open the file for writing against. -EAGAIN if somebody has it open for writing now. When somebody tries
 * to, the process gets SIGURG (block it before this call, lest it be lost), and the kernel breaks the lease after /proc/sys/fs/lease-break-time seconds. */
ERO_API int ero_hold_take(const char *path, struct ero_hold **hold, struct ero_error *err);
ERO_API int ero_hold_descriptor(const struct ero_hold *hold);
/* Is there a lease? If not, *why_not (which may be NULL) says why. */
ERO_API bool ero_hold_is_leased(const struct ero_hold *hold, const char **why_not);
/* -ESTALE: the file changed since it was taken hold of; -EBUSY: somebody waits to write to it, or already may. */
ERO_API int ero_hold_recheck(struct ero_hold *hold, struct ero_error *err);
/* Does the path still name the file that is held? */
ERO_API bool ero_hold_is_named(const struct ero_hold *hold, const char *path);
/* EROFS mounts of the file, and of loop devices on it, in the mount table. */
ERO_API uint64_t ero_hold_mounts(const struct ero_hold *hold);
ERO_API void ero_hold_release(struct ero_hold *hold);

/* The fs-verity digest of a file's content (SHA-256, blocks of 4096 bytes, no salt) as "sha256:…". -ENOTSUP: this build has
 * no libfsverity. */
enum { ERO_VERITY_TEXT = 8 + 2 * 64 };
ERO_API int ero_verity_digest(const char *path, char text[ERO_VERITY_TEXT], struct ero_error *err);
/* The files beside a sealed image: IMAGE.roothash, and with a key and its certificate (PEM files; both or NULL) the PKCS#7 signature
 * IMAGE.roothash.p7s. Opened before the image is built, so that what cannot be written or read stops the build; written with the root
 * hash of the finished image (ero_build_summary.verity_root); closed without that, they leave nothing. */
struct ero_seal;
ERO_API int ero_seal_open(const char *image, const char *key, const char *cert, struct ero_seal **seal, struct ero_error *err);
ERO_API int ero_seal_write(struct ero_seal *seal, const char *root_hash, struct ero_error *err);
ERO_API void ero_seal_close(struct ero_seal *seal);
/* Verifies IMAGE.roothash.p7s: that it is the signature, by the key of this certificate, of the root hash that is given, or (NULL) of the
 * one in IMAGE.roothash; which goes to `root` for ero_check_options.verity_root. -EKEYREJECTED if it is not. */
ERO_API int ero_seal_verify(const char *image, const char *cert, const char *given, char root[65], struct ero_error *err);

/* Records the fs-verity digest of an image for later: "sha256:… IMAGE" in `file`, or (NULL) in IMAGE.verity. Opened before the image is
 * built, so that a file which cannot be written stops the build; written when the image is there; closed without that, it leaves nothing. */
struct ero_verity_record;
ERO_API int ero_verity_record_open(const char *image, const char *file, struct ero_verity_record **record, struct ero_error *err);
ERO_API int ero_verity_record_write(struct ero_verity_record *record, struct ero_error *err);
ERO_API void ero_verity_record_close(struct ero_verity_record *record);

#ifdef __cplusplus
}
#endif
#endif
