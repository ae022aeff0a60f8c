// SPDX-License-Identifier: MIT
/* fanlisten KIND FILE: guards a file by fanotify and allows everything: KIND is pre (content before access), access or open.
 * Prints "ready", and on SIGTERM the number of events it was asked about. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#ifndef FAN_PRE_ACCESS
#define FAN_PRE_ACCESS 0x00100000
#endif

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

/* Answers what was read; returns how many events that were. */
static unsigned answer(int group, char *buffer, ssize_t length)
{
	unsigned events = 0;

	for (struct fanotify_event_metadata *m = (void *)buffer; FAN_EVENT_OK(m, length); m = FAN_EVENT_NEXT(m, length)) {
		struct fanotify_response yes = { .fd = m->fd, .response = FAN_ALLOW };

		if (m->fd < 0)
			continue;
		events++;
		if (write(group, &yes, sizeof(yes)) < 0)
			perror("fanlisten: answer");
		close(m->fd);
	}
	return events;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = end };
	char buffer[1 << 16] __attribute__((aligned(8)));
	unsigned events = 0;
	uint64_t mask;
	int group;

	if (argc != 3) {
		fprintf(stderr, "usage: fanlisten pre|access|open FILE\n");
		return 2;
	}
	mask = !strcmp(argv[1], "pre") ? FAN_PRE_ACCESS : !strcmp(argv[1], "access") ? FAN_ACCESS_PERM : FAN_OPEN_PERM;
	group = fanotify_init(FAN_CLASS_PRE_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);
	if (group < 0 || fanotify_mark(group, FAN_MARK_ADD, mask, AT_FDCWD, argv[2])) {
		perror("fanlisten");
		return 1;
	}
	sigaction(SIGTERM, &action, NULL);
	puts("ready");
	fflush(stdout);
	while (!ended) {
		struct pollfd p = { .fd = group, .events = POLLIN };
		ssize_t n = poll(&p, 1, 100) > 0 ? read(group, buffer, sizeof(buffer)) : 0;

		if (n > 0)
			events += answer(group, buffer, n);
	}
	printf("%u events\n", events);
	return 0;
}
