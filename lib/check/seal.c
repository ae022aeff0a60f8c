// SPDX-License-Identifier: MIT
/* The chain from a certificate to an image: a signature of a root hash, and the root hash of a dm-verity tree (which verity.c compares). */
#include "base/cleanup.h"
#include "base/error.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Root hashes of SHA-256 in hexadecimal; a newline behind it is what an editor leaves, and was not signed. */
static int read_root(const char *image, char root[65], struct ero_error *err)
{
	ERO_AUTO_FREE char *path = NULL;
	char text[68] = "";
	size_t n;
	FILE *f;

	if (asprintf(&path, "%s.roothash", image) < 0)
		return ero_fail_memory(err);
	f = fopen(path, "re");
	if (!f)
		return ero_fail_errno(err, "cannot open %s", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	while (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n != 64 || strspn(text, "0123456789abcdefABCDEF") != 64)
		return ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s holds no root hash of 64 hexadecimal digits", path);
	memcpy(root, text, 65);
	return 0;
}

static int verify(PKCS7 *p7, X509 *cert, const char *root, const char *path, struct ero_error *err)
{
	BIO *text = BIO_new_mem_buf(root, -1);
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool good = false;

	/* the certificate is trusted since it was given: only by its key the signature counts, and by none that comes with it */
	if (text && certs && sk_X509_push(certs, cert))
		good = PKCS7_verify(p7, certs, NULL, text, NULL, PKCS7_BINARY | PKCS7_NOVERIFY | PKCS7_NOINTERN) == 1;
	sk_X509_free(certs);
	BIO_free(text);
	ERR_clear_error();
	return good ? 0 : ero_fail(err, ERO_ERROR_CORRUPT, EKEYREJECTED, "%s is no signature of the root hash %s by this certificate", path, root);
}

int ero_seal_verify(const char *image, const char *cert_path, const char *given, char root[65], struct ero_error *err)
{
	ERO_AUTO_FREE char *path = NULL;
	X509 *cert = NULL;
	PKCS7 *p7 = NULL;
	FILE *f = NULL;
	int rc = 0;

	if (given && strlen(given) == 64)
		memcpy(root, given, 65);
	else
		rc = given ? ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s is no root hash of 64 hexadecimal digits", given) : read_root(image, root, err);
	for (char *c = root; !rc && *c; c++) /* what is signed has small letters */
		*c = (char)tolower((unsigned char)*c);
	if (!rc && asprintf(&path, "%s.roothash.p7s", image) < 0)
		rc = ero_fail_memory(err);
	if (!rc && !(f = fopen(cert_path, "re")))
		rc = ero_fail_errno(err, "cannot open the certificate %s", cert_path);
	if (!rc && !(cert = PEM_read_X509(f, NULL, NULL, NULL)))
		rc = ero_fail(err, ERO_ERROR_ARGUMENT, EINVAL, "%s holds no certificate in PEM form", cert_path);
	if (f)
		fclose(f);
	f = rc ? NULL : fopen(path, "re");
	if (!rc && !f)
		rc = ero_fail_errno(err, "cannot open the signature %s", path);
	if (!rc && !(p7 = d2i_PKCS7_fp(f, NULL)))
		rc = ero_fail(err, ERO_ERROR_CORRUPT, EINVAL, "%s is no PKCS#7 signature in DER form", path);
	if (f)
		fclose(f);
	if (!rc)
		rc = verify(p7, cert, root, path, err);
	PKCS7_free(p7);
	X509_free(cert);
	ERR_clear_error();
	return rc;
}
