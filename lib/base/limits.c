// SPDX-License-Identifier: MIT
/*
 * Control groups: version 2 has cpu.max ("quota period", or "max period") and memory.max, version 1 cpu.cfs_quota_us, cpu.cfs_period_us and
 * memory.limit_in_bytes. A limit of a group holds for those below, so all on the way up count. Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst, Documentation/scheduler/sched-bwc.rst of Linux.
 */
#include "base/limits.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned affinity(void)
{
	for (int room = 1024; room <= 1 << 20; room *= 2) { /* EINVAL where the machine has more */
		cpu_set_t *set = CPU_ALLOC((size_t)room);
		size_t size = CPU_ALLOC_SIZE((size_t)room);
		int n = 0;

		if (!set)
			break;
		if (!sched_getaffinity(0, size, set))
			n = CPU_COUNT_S(size, set);
		else if (errno != EINVAL)
			n = 1;
		CPU_FREE(set);
		if (n)
			return (unsigned)n;
	}
	return 1;
}

/* The first line of DIR/NAME; false if there is none. */
static bool read_line(const char *directory, const char *name, char line[64])
{
	char path[PATH_MAX];
	FILE *f;
	bool good;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	good = f && fgets(line, 64, f);
	if (f)
		fclose(f);
	return good;
}

static void limit_processors(struct ero_limits *l, long long quota, long long period)
{
	if (quota > 0 && period > 0 && (quota + period - 1) / period < (long long)l->processors)
		l->processors = (unsigned)((quota + period - 1) / period);
}

static void limit_memory(struct ero_limits *l, unsigned long long bytes)
{
	if (bytes && bytes < l->memory)
		l->memory = bytes;
}

/* What one group says. */
static void read_group(struct ero_limits *l, const char *directory)
{
	char line[64], period[64];
	long long quota, length;
	unsigned long long bytes;

	if (read_line(directory, "cpu.max", line) && sscanf(line, "%lld %lld", &quota, &length) == 2)
		limit_processors(l, quota, length);
	if (read_line(directory, "cpu.cfs_quota_us", line) && read_line(directory, "cpu.cfs_period_us", period))
		limit_processors(l, atoll(line), atoll(period));
	if ((read_line(directory, "memory.max", line) || read_line(directory, "memory.limit_in_bytes", line)) &&
	    sscanf(line, "%llu", &bytes) == 1)
		limit_memory(l, bytes);
}

/* A group and all above it. */
static void read_groups(struct ero_limits *l, const char *top, char *group)
{
	char directory[PATH_MAX];

	for (;;) {
		char *slash = strrchr(group, '/');

		if (snprintf(directory, sizeof(directory), "%s%s", top, group) < (int)sizeof(directory))
			read_group(l, directory);
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* "number:controllers:/group", of version 2 "0::/group". Where a container has its own view of the groups, the path is of that view. */
static void read_controllers(struct ero_limits *l, const char *root, char *line)
{
	char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
	char top[PATH_MAX];

	if (!group)
		return;
	controllers++;
	*group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (!*controllers) {
		char again[PATH_MAX];

		snprintf(again, sizeof(again), "%s", group);
		snprintf(top, sizeof(top), "%s/sys/fs/cgroup/unified", root); /* beside version 1 */
		read_groups(l, top, again);
		snprintf(top, sizeof(top), "%s/sys/fs/cgroup", root);
		read_groups(l, top, group);
		return;
	}
	if (!strstr(controllers, "cpu") && !strstr(controllers, "memory"))
		return;
	snprintf(top, sizeof(top), "%s/sys/fs/cgroup/%s", root, controllers);
	read_groups(l, top, group);
}

void ero_limits_read(const char *root, struct ero_limits *l)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	char path[PATH_MAX], line[PATH_MAX];
	struct rlimit r;
	FILE *groups;

	l->processors = affinity();
	l->memory = pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
	if (!getrlimit(RLIMIT_AS, &r) && r.rlim_cur != RLIM_INFINITY)
		limit_memory(l, r.rlim_cur);
	if (!getrlimit(RLIMIT_DATA, &r) && r.rlim_cur != RLIM_INFINITY)
		limit_memory(l, r.rlim_cur);
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	groups = fopen(path, "re");
	while (groups && fgets(line, sizeof(line), groups))
		read_controllers(l, root, line);
	if (groups)
		fclose(groups);
}

unsigned ero_limits_workers(unsigned asked, uint64_t memory, uint64_t base, uint64_t each)
{
	struct ero_limits l;
	uint64_t room;
	unsigned workers;

	ero_limits_read("", &l);
	workers = asked ? asked : l.processors;
	if (!memory && asked) /* who asks for threads and does not speak of memory gets them */
		return workers;
	room = memory ? memory : l.memory;
	room = room > base ? (room - base) / each : 0;
	if (room < workers)
		workers = (unsigned)room;
	return workers ? workers : 1;
}
