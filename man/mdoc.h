/* SPDX-License-Identifier: MIT */
/* What the programs that print manual pages from tables share. */
#ifndef MAN_MDOC_H
#define MAN_MDOC_H

#include <stdio.h>

/* Text for mdoc: no line may begin as a request, and a backslash is not one. */
static inline void mdoc_put(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
	putchar('\n');
}

#endif
