// SPDX-License-Identifier: MIT
/* The progress line: bytes, files, rate and the time left, drawn ten times a second at most. */
#include "cli/cli.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void cli_progress_begin(struct cli_progress *p, bool wanted)
{
	memset(p, 0, sizeof(*p));
	p->on = wanted && isatty(STDERR_FILENO);
	p->started = now();
}

void cli_progress_draw(struct cli_progress *p, const struct ero_progress *s)
{
	double time, seconds, share;
	char line[160];
	int n;

	if (!p->on)
		return;
	time = now();
	if (time - p->drawn < 0.1)
		return;
	p->drawn = time;
	seconds = time - p->started;
	share = s->bytes_total ? (double)s->bytes_done / (double)s->bytes_total : 1;
	n = snprintf(line, sizeof(line), "%3.0f%%  %llu/%llu files  %.1f/%.1f MiB  %.1f MiB/s  %.0f s left", share * 100,
		     (unsigned long long)s->files_done, (unsigned long long)s->files_total, (double)s->bytes_done / 1048576,
		     (double)s->bytes_total / 1048576, seconds > 0 ? (double)s->bytes_done / 1048576 / seconds : 0,
		     share > 0 ? seconds / share - seconds : 0);
	fprintf(stderr, "\r%-*s", (int)p->width, line);
	p->width = n > 0 ? (size_t)n : 0;
	fflush(stderr);
}

void cli_progress_end(struct cli_progress *p)
{
	if (p->on && p->width)
		fprintf(stderr, "\r%*s\r", (int)p->width, "");
}
