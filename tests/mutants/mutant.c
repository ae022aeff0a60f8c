// SPDX-License-Identifier: MIT
/* Mutants as text, and on files. */
#include "mutant.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool parse_patch(struct mutant *m, char *text, unsigned *used)
{
	struct mutant_patch *p = &m->patch[m->patches];
	char *hex;

	p->offset = strtoull(text, &hex, 10);
	if (*hex++ != ':' || m->patches == MUTANT_PATCHES)
		return false;
	p->bytes = m->store + *used;
	for (p->length = 0; *hex; hex += 2, p->length++) {
		unsigned byte;

		if (*used == MUTANT_BYTES || sscanf(hex, "%2x", &byte) != 1 || !hex[1])
			return false;
		m->store[(*used)++] = (uint8_t)byte;
	}
	m->patches++;
	return true;
}

bool mutant_parse(const char *line, struct mutant *m)
{
	static char patches[MUTANT_LINE];
	char length[24], *save = NULL;
	unsigned used = 0;

	m->words[0] = '\0';
	if (sscanf(line, "%u %63s %15s %23s %32767s | %127[^\n]", &m->number, m->image, m->kind, length, patches, m->words) < 5)
		return false;
	m->cut = strcmp(length, "-") != 0;
	m->length = m->cut ? strtoull(length, NULL, 10) : 0;
	m->patches = 0;
	if (!strcmp(patches, "-"))
		return true;
	for (char *p = strtok_r(patches, ",", &save); p; p = strtok_r(NULL, ",", &save))
		if (!parse_patch(m, p, &used))
			return false;
	return true;
}

void mutant_print(const struct mutant *m, FILE *out)
{
	fprintf(out, "%u %s %s ", m->number, m->image, m->kind);
	if (m->cut)
		fprintf(out, "%llu", (unsigned long long)m->length);
	else
		fputc('-', out);
	for (unsigned i = 0; i < m->patches; i++) {
		fprintf(out, "%c%llu:", i ? ',' : ' ', (unsigned long long)m->patch[i].offset);
		for (unsigned k = 0; k < m->patch[i].length; k++)
			fprintf(out, "%02x", m->patch[i].bytes[k]);
	}
	fprintf(out, "%s | %s\n", m->patches ? "" : " -", m->words);
}

static bool write_at(int fd, const uint8_t *bytes, uint64_t length, uint64_t offset)
{
	while (length) {
		ssize_t n = pwrite(fd, bytes, length, (off_t)offset);

		if (n <= 0)
			return false;
		bytes += n;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return true;
}

bool mutant_open(struct mutant_base *base, const char *dir, const char *name)
{
	char path[512];
	struct stat st;
	uint64_t at = 0;

	snprintf(base->name, sizeof(base->name), "%s", name);
	snprintf(path, sizeof(path), "%s%s%s", dir ? dir : "", dir ? "/" : "", name);
	base->fd = open(path, O_RDWR | O_CLOEXEC);
	if (base->fd < 0 || fstat(base->fd, &st))
		return false;
	base->size = (uint64_t)st.st_size;
	base->bytes = malloc(base->size + 1);
	while (base->bytes && at < base->size) {
		ssize_t n = pread(base->fd, base->bytes + at, base->size - at, (off_t)at);

		if (n <= 0)
			return false;
		at += (uint64_t)n;
	}
	return base->bytes != NULL;
}

struct mutant_base *mutant_base_of(const char *dir, const char *name)
{
	static struct mutant_base bases[256];
	static unsigned count;

	for (unsigned i = 0; i < count; i++)
		if (!strcmp(bases[i].name, name))
			return &bases[i];
	if (count == sizeof(bases) / sizeof(bases[0]) || !mutant_open(&bases[count], dir, name))
		return NULL;
	return &bases[count++];
}

const char *mutant_device(const char *path)
{
	static char device[600];

	snprintf(device, sizeof(device), "%s.device", path);
	return access(device, R_OK) ? NULL : device;
}

bool mutant_apply(struct mutant_base *base, const struct mutant *m)
{
	for (unsigned i = 0; i < m->patches; i++)
		if (!write_at(base->fd, m->patch[i].bytes, m->patch[i].length, m->patch[i].offset))
			return false;
	return !m->cut || !ftruncate(base->fd, (off_t)m->length);
}

bool mutant_revert(struct mutant_base *base, const struct mutant *m)
{
	bool good = !m->cut || write_at(base->fd, base->bytes + m->length, base->size - m->length, m->length);

	for (unsigned i = 0; i < m->patches; i++)
		good = good && write_at(base->fd, base->bytes + m->patch[i].offset, m->patch[i].length, m->patch[i].offset);
	return good;
}
