// SPDX-License-Identifier: MIT
/* Open addressing over the array of keys. */
#include "base/keys.h"

#include <xxhash.h>

static size_t find(const struct ero_keys *k, const struct ero_key *key)
{
	size_t at = (size_t)XXH3_64bits(key, sizeof(*key)) & (k->room - 1);

	while (k->slots[at]) {
		const struct ero_key *there = &k->keys.data[k->slots[at] - 1];

		if (there->first == key->first && there->second == key->second)
			break;
		at = (at + 1) & (k->room - 1);
	}
	return at;
}

static bool grow(struct ero_keys *k)
{
	size_t room = k->room ? k->room * 2 : 256;
	uint32_t *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return false;
	free(k->slots);
	k->slots = slots;
	k->room = room;
	for (size_t i = 0; i < k->keys.count; i++)
		slots[find(k, &k->keys.data[i])] = (uint32_t)i + 1;
	return true;
}

uint32_t ero_keys_number(struct ero_keys *k, uint64_t first, uint64_t second, bool *is_new)
{
	struct ero_key key = { first, second };
	size_t at;

	*is_new = false;
	if (k->keys.count * 2 >= k->room && (k->keys.count >= UINT32_MAX - 1 || !grow(k)))
		return UINT32_MAX;
	at = find(k, &key);
	if (k->slots[at])
		return k->slots[at] - 1;
	if (!ero_vec_push(&k->keys, key))
		return UINT32_MAX;
	*is_new = true;
	k->slots[at] = (uint32_t)k->keys.count;
	return k->slots[at] - 1;
}

void ero_keys_free(struct ero_keys *k)
{
	ero_vec_free(&k->keys);
	free(k->slots);
	*k = (struct ero_keys){ 0 };
}
