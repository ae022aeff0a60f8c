// SPDX-License-Identifier: MIT
/* In pieces, so that devices of any size can be read. */
#include "base/digest.h"
#include "base/cleanup.h"

#include <openssl/evp.h>
#include <string.h>

enum { PIECE = 1 << 20 };

static int feed(EVP_MD_CTX *context, int fd, uint64_t length, uint8_t *piece, struct ero_error *err)
{
	for (uint64_t at = 0; at < length;) {
		size_t want = length - at < PIECE ? (size_t)(length - at) : PIECE;
		ssize_t n = pread(fd, piece, want, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ero_fail_errno(err, "cannot read at byte %llu", (unsigned long long)at);
		if (n == 0) {
			memset(piece, 0, want);
			n = (ssize_t)want;
		}
		if (!EVP_DigestUpdate(context, piece, (size_t)n))
			return ero_fail_memory(err);
		at += (uint64_t)n;
	}
	return 0;
}

int ero_sha256_file(int fd, uint64_t length, char text[ERO_SHA256_TEXT], struct ero_error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	ERO_AUTO_FREE uint8_t *piece = malloc(PIECE);
	uint8_t result[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	int rc = context && piece && EVP_DigestInit_ex(context, EVP_sha256(), NULL) ? 0 : ero_fail_memory(err);

	if (!rc)
		rc = feed(context, fd, length, piece, err);
	if (!rc && !EVP_DigestFinal_ex(context, result, &size))
		rc = ero_fail_memory(err);
	EVP_MD_CTX_free(context);
	for (unsigned i = 0; !rc && i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", result[i]);
	return rc;
}
