// SPDX-License-Identifier: MIT
/* In pieces, so that devices of any size can be read. */
#include "base/digest.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <string.h>

enum { PIECE = 1 << 20 };

struct ero_sha256 *ero_sha256_create(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && !EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		EVP_MD_CTX_free(context);
		context = NULL;
	}
	return (struct ero_sha256 *)context;
}

bool ero_sha256_update(struct ero_sha256 *digest, const void *bytes, size_t length)
{
	return EVP_DigestUpdate((EVP_MD_CTX *)digest, bytes, length) == 1;
}

bool ero_sha256_final(struct ero_sha256 *digest, uint8_t result[ERO_SHA256_SIZE])
{
	bool good = !result || EVP_DigestFinal_ex((EVP_MD_CTX *)digest, result, NULL) == 1;

	EVP_MD_CTX_free((EVP_MD_CTX *)digest);
	return good;
}

static int feed(struct ero_sha256 *context, int fd, uint64_t length, uint8_t *piece, struct ero_error *err)
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
		if (!ero_sha256_update(context, piece, (size_t)n))
			return ero_fail_memory(err);
		at += (uint64_t)n;
	}
	return 0;
}

int ero_sha256_file(int fd, uint64_t length, char text[ERO_SHA256_TEXT], struct ero_error *err)
{
	struct ero_sha256 *context = ero_sha256_create();
	ERO_AUTO_FREE uint8_t *piece = malloc(PIECE);
	uint8_t result[ERO_SHA256_SIZE];
	int rc = context && piece ? 0 : ero_fail_memory(err);

	if (!rc)
		rc = feed(context, fd, length, piece, err);
	if (context && !ero_sha256_final(context, rc ? NULL : result) && !rc)
		rc = ero_fail_memory(err);
	if (!rc)
		ero_hex(result, sizeof(result), text);
	return rc;
}
