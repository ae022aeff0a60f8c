// SPDX-License-Identifier: MIT
/* dump.erofs --footprint and --map: what walks cost in pages of the host's cache, and a drawing of the image. */
#include "base/bytes.h"
#include "image/pages.h"
#include "report/lookups.h"
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

enum { META = ERO_PAGE_NAMES | ERO_PAGE_INODES | ERO_PAGE_XATTRS };

static const struct {
	const char *key, *title;
	unsigned flag;
} walks[] = {
	{ "names", "names (getdents)", ERO_PAGE_READ_NAMES },
	{ "stat", "stat (and lstat)", ERO_PAGE_READ_STAT },
	{ "xattr", "xattr (and listxattr)", ERO_PAGE_READ_XATTR },
	{ "list", "stat of the list", ERO_PAGE_READ_LIST }, /* if there is one */
};
enum { WALKS = sizeof(walks) / sizeof(walks[0]) };

/* Pages that hold metadata a walk reads, and those of them that hold file data as well. */
static void count_shared(const struct ero_pages *p, uint64_t *meta, uint64_t *mixed)
{
	*meta = *mixed = 0;
	for (uint64_t i = 0; i < p->count; i++) {
		*meta += (p->flags[i] & META) != 0;
		*mixed += (p->flags[i] & META) && (p->flags[i] & ERO_PAGE_DATA);
	}
}

/* The first page behind the superblock's own that holds metadata: in our images all from there on does. */
static uint64_t first_metadata(const struct ero_pages *p)
{
	uint64_t i = 1;

	while (i < p->count && !(p->flags[i] & META))
		i++;
	return i;
}

static uint64_t floor_pages(const struct ero_pages *p)
{
	return ero_div_up(p->slot_bytes, ERO_PAGE_SIZE);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 100.0;
}

static int footprint_json(const struct ero_pages *p, const struct ero_lookups *list, FILE *out, struct ero_error *err)
{
	json_object *o = json_object_new_object(), *pages = json_object_new_object(), *dirs = json_object_new_array();
	uint64_t meta, mixed;

	count_shared(p, &meta, &mixed);
	for (unsigned i = 0; i < WALKS - !list; i++)
		ero_json_add_u64(pages, walks[i].key, ero_pages_with(p, walks[i].flag));
	ero_json_add(o, "pages", pages);
	if (list) {
		ero_json_add_u64(o, "list_paths", list->paths);
		ero_json_add_u64(o, "list_missing", list->missing);
	}
	ero_json_add_u64(o, "floor_pages", floor_pages(p));
	ero_json_add_u64(o, "inodes", p->inodes);
	ero_json_add_u64(o, "inode_bytes", p->inode_bytes);
	ero_json_add_u64(o, "names_bytes", p->names_bytes);
	ero_json_add_u64(o, "index_bytes", p->index_bytes);
	ero_json_add_u64(o, "metadata_pages", meta);
	ero_json_add_u64(o, "metadata_pages_with_data", mixed);
	ero_json_add_u64(o, "first_metadata_page", first_metadata(p));
	ero_json_add_u64(o, "straddling_inodes", p->straddling);
	ero_json_add_u64(o, "small_files", p->small);
	ero_json_add_u64(o, "small_files_in_one_line", p->small_in_line);
	for (unsigned i = 0; dirs && i < ERO_DEAREST && p->dearest[i].pages; i++) {
		json_object *row = json_object_new_object();

		ero_json_add_name(row, "path", p->dearest[i].path, strlen(p->dearest[i].path));
		ero_json_add_u64(row, "pages", p->dearest[i].pages);
		ero_json_add_u64(row, "entries", p->dearest[i].entries);
		ero_json_append(dirs, row);
	}
	ero_json_add(o, "dearest_directories", dirs);
	return ero_report_json(o, out, err);
}

static int footprint_text(const struct ero_pages *p, const struct ero_lookups *list, FILE *out, struct ero_error *err)
{
	uint64_t meta, mixed, bytes = p->names_bytes + p->inode_bytes + p->index_bytes;

	count_shared(p, &meta, &mixed);
	fprintf(out, "Pages of %u bytes that a walk over the whole tree reads, cold, mounted without a loop device:\n", ERO_PAGE_SIZE);
	for (unsigned i = 0; i < WALKS - !list; i++) {
		uint64_t n = ero_pages_with(p, walks[i].flag);

		fprintf(out, "  %-24s %10" PRIu64 "  %10" PRIu64 " KiB\n", walks[i].title, n, n * (ERO_PAGE_SIZE / 1024));
	}
	fprintf(out, "  %-24s %10" PRIu64 "  its own size, inodes in slots of 32 bytes: without -m nothing can be less\n", "all metadata", floor_pages(p));
	if (list && list->missing)
		fprintf(out, "  of the %" PRIu64 " paths of the list %" PRIu64 " lead nowhere\n", list->paths, list->missing);
	fprintf(out, "Metadata: %" PRIu64 " bytes, %.1f for each of %" PRIu64 " inodes: names %" PRIu64 ", inodes %" PRIu64
		", maps %" PRIu64 "\n", bytes, p->inodes ? (double)bytes / (double)p->inodes : 0.0, p->inodes, p->names_bytes,
		p->inode_bytes, p->index_bytes);
	fprintf(out, "Pages with metadata: %" PRIu64 ", %.1f%% of them with file data as well\n", meta,
		meta ? percent(mixed, meta) : 0.0);
	fprintf(out, "Inodes that cross a page: %" PRIu64 "; files up to 64 KiB whose metadata lies in one line of 64 bytes: %.1f%%\n",
		p->straddling, percent(p->small_in_line, p->small));
	fprintf(out, "Directories that cost most to list with attributes:\n");
	for (unsigned i = 0; i < ERO_DEAREST && p->dearest[i].pages; i++) {
		fprintf(out, "  %8" PRIu64 " pages %8" PRIu64 " entries  ", p->dearest[i].pages, p->dearest[i].entries);
		ero_print_name(out, p->dearest[i].path, strlen(p->dearest[i].path));
		fputc('\n', out);
	}
	return ero_report_end(out, err);
}

int ero_report_footprint(struct ero_image *image, const char *list, enum ero_report_form form, FILE *out, struct ero_error *err)
{
	struct ero_lookups lookups, *counted = list ? &lookups : NULL;
	struct ero_pages pages;
	int rc = ero_pages_survey(image, &pages, err);

	if (!rc && list)
		rc = ero_lookups_mark(image, &pages, list, &lookups, err);
	if (!rc)
		rc = form == ERO_REPORT_JSON ? footprint_json(&pages, counted, out, err) : footprint_text(&pages, counted, out, err);
	ero_pages_free(&pages);
	return rc;
}

/* ---- map ---- */

/* What a letter of the drawing stands for; where a cell has several kinds, the first of these is shown. */
static const struct {
	char letter;
	unsigned all;
	const char *meaning;
} kinds[] = {
	{ 'S', ERO_PAGE_SUPER, "superblock and what shares its page" },
	{ 'm', ERO_PAGE_INODES | ERO_PAGE_DATA, "inodes among file data" },
	{ 'd', ERO_PAGE_NAMES, "directories" },
	{ 'i', ERO_PAGE_INODES, "inodes" },
	{ 'x', ERO_PAGE_XATTRS, "shared xattrs" },
	{ 't', ERO_PAGE_INDEX, "maps of files" },
	{ '#', ERO_PAGE_DATA, "file data" },
};

static char letter_of(const struct ero_pages *p, uint64_t from, uint64_t to)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (uint64_t i = from; i < to; i++)
			if ((p->flags[i] & kinds[k].all) == kinds[k].all)
				return kinds[k].letter;
	return '.';
}

int ero_report_map(struct ero_image *image, FILE *out, struct ero_error *err)
{
	enum { COLUMNS = 72, ROWS = 32 };
	struct ero_pages pages;
	uint64_t cell, cells;
	int rc = ero_pages_survey(image, &pages, err);

	if (!rc) {
		cell = ero_div_up(pages.count ? pages.count : 1, COLUMNS * ROWS);
		cells = ero_div_up(pages.count, cell);
		fprintf(out, "%" PRIu64 " pages of %u bytes, %" PRIu64 " to a letter:\n", pages.count, ERO_PAGE_SIZE, cell);
		for (uint64_t c = 0; c < cells; c++) {
			if (c % COLUMNS == 0)
				fprintf(out, "%s%12" PRIu64 " ", c ? "\n" : "", c * cell * ERO_PAGE_SIZE);
			fputc(letter_of(&pages, c * cell, c * cell + cell < pages.count ? c * cell + cell : pages.count), out);
		}
		fputc('\n', out);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			fprintf(out, "%c %s%s", kinds[k].letter, kinds[k].meaning, k % 3 == 2 ? "\n" : "   ");
		fprintf(out, ". nothing\n");
		rc = ero_report_end(out, err);
	}
	ero_pages_free(&pages);
	return rc;
}
