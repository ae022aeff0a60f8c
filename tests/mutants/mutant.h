/* SPDX-License-Identifier: MIT */
/*
 * A mutant: an image and what is changed in it, as one line of text:
 *    NUMBER IMAGE KIND LENGTH OFFSET:HEX[,OFFSET:HEX…] | what was done, in words
 * IMAGE is a file name (IMAGE.device beside it is its extra device, which stays as it is), LENGTH the size the file is cut to (or "-"), "-" for no changed bytes. The generator writes such lines;
 * the judge and the guest apply them to a copy of the image and take them back.
 */
#ifndef MUTANT_H
#define MUTANT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MUTANT_PATCHES = 8, MUTANT_BYTES = 8192, MUTANT_LINE = 4 * MUTANT_BYTES };

struct mutant_patch {
	uint64_t offset;
	unsigned length;
	uint8_t *bytes; /* in the mutant's store */
};

struct mutant {
	unsigned number;
	char image[64], kind[16], words[128];
	bool cut;
	uint64_t length; /* if cut */
	unsigned patches;
	struct mutant_patch patch[MUTANT_PATCHES];
	uint8_t store[MUTANT_BYTES];
};

/* An image file that mutants are applied to, one after the other, with its bytes as they were. */
struct mutant_base {
	char name[64];
	int fd;
	uint8_t *bytes;
	uint64_t size;
};

bool mutant_parse(const char *line, struct mutant *m);
void mutant_print(const struct mutant *m, FILE *out);
bool mutant_open(struct mutant_base *base, const char *dir, const char *name);
/* The image of that name, opened at its first use and kept; NULL if it cannot be. */
struct mutant_base *mutant_base_of(const char *dir, const char *name);
/* The extra device of the image at `path`: its path in static memory, or NULL if it has none. */
const char *mutant_device(const char *path);
bool mutant_apply(struct mutant_base *base, const struct mutant *m);
bool mutant_revert(struct mutant_base *base, const struct mutant *m);

#endif
