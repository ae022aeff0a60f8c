/* SPDX-License-Identifier: MIT */
/* Growable arrays: ERO_VEC(type) is a struct of data, count and room; growth is checked for overflow. */
#ifndef ERO_BASE_VEC_H
#define ERO_BASE_VEC_H

#include <stdbool.h>
#include <stdlib.h>

#define ERO_VEC(type)         \
	struct {              \
		type *data;   \
		size_t count; \
		size_t room;  \
	}

/* Makes room for `more` elements after the last. False when memory ends; the array is then as it was. */
#define ero_vec_reserve(v, more) ero_vec_grow((void **)&(v)->data, &(v)->room, (v)->count, (more), sizeof(*(v)->data))

/* Appends one element. False when memory ends. */
#define ero_vec_push(v, value) (ero_vec_reserve((v), 1) && ((v)->data[(v)->count++] = (value), true))

#define ero_vec_free(v)                \
	do {                           \
		free((v)->data);       \
		(v)->data = NULL;      \
		(v)->count = 0;        \
		(v)->room = 0;         \
	} while (0)

/* Turns the order of the elements from index `from` on: what was pushed first is then taken first from the end. */
#define ero_vec_turn(v, from)                                                           \
	do {                                                                            \
		for (size_t i_ = (from), j_ = (v)->count; i_ + 1 < j_; i_++) {          \
			__typeof__(*(v)->data) element_ = (v)->data[i_];                \
                                                                                        \
			(v)->data[i_] = (v)->data[--j_];                                \
			(v)->data[j_] = element_;                                       \
		}                                                                       \
	} while (0)

static inline bool ero_vec_grow(void **data, size_t *room, size_t count, size_t more, size_t size)
{
	size_t want, bytes;
	void *grown;

	if (__builtin_add_overflow(count, more, &want))
		return false;
	if (want <= *room)
		return true;
	if (want < *room + *room / 2)
		want = *room + *room / 2;
	if (want < 8)
		want = 8;
	if (__builtin_mul_overflow(want, size, &bytes))
		return false;
	grown = realloc(*data, bytes);
	if (!grown)
		return false;
	*data = grown;
	*room = want;
	return true;
}

#endif
