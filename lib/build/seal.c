// SPDX-License-Identifier: MIT
/*
 * What lies beside a sealed image: its dm-verity root hash as text (IMAGE.roothash, without a newline, as systemd and mkosi have it) and
 * the signature of that text (IMAGE.roothash.p7s: PKCS#7, detached, DER, without certificates and attributes, as the kernel and
 * systemd-dissect(1) take it).
 */
#include "base/cleanup.h"
#include "base/outfile.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ero_seal {
	struct ero_outfile *hash, *signature; /* signature: NULL without a key */
	EVP_PKEY *key;
	X509 *cert;
};

static int fail_crypto(struct ero_error *err, enum ero_error_kind kind, const char *what, const char *path)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return ero_fail(err, kind, EINVAL, "%s %s: %s", what, path, why ? why : "it cannot be understood");
}

static int open_beside(const char *image, const char *suffix, struct ero_outfile **out, struct ero_error *err)
{
	ERO_AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s%s", image, suffix) < 0)
		return ero_fail_memory(err);
	return ero_outfile_open(path, 0, NULL, out, err);
}

static int read_key(struct ero_seal *s, const char *key, const char *cert, struct ero_error *err)
{
	FILE *f = fopen(key, "re");

	if (!f)
		return ero_fail_errno(err, "cannot open the key %s", key);
	s->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (!s->key)
		return fail_crypto(err, ERO_ERROR_ARGUMENT, "no private key in PEM form is in", key);
	f = fopen(cert, "re");
	if (!f)
		return ero_fail_errno(err, "cannot open the certificate %s", cert);
	s->cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	if (!s->cert)
		return fail_crypto(err, ERO_ERROR_ARGUMENT, "no certificate in PEM form is in", cert);
	if (X509_check_private_key(s->cert, s->key) != 1)
		return fail_crypto(err, ERO_ERROR_ARGUMENT, "the key does not belong to the certificate", cert);
	return 0;
}

int ero_seal_open(const char *image, const char *key, const char *cert, struct ero_seal **result, struct ero_error *err)
{
	struct ero_seal *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : ero_fail_memory(err);

	*result = NULL;
	if (!rc && key)
		rc = read_key(s, key, cert, err);
	if (!rc)
		rc = open_beside(image, ".roothash", &s->hash, err);
	if (!rc && key)
		rc = open_beside(image, ".roothash.p7s", &s->signature, err);
	if (rc)
		ero_seal_close(s);
	else
		*result = s;
	return rc;
}

static int put(struct ero_outfile *out, const void *bytes, size_t length, struct ero_error *err)
{
	int rc = ero_outfile_write(out, bytes, length, 0, err);

	if (!rc)
		rc = ero_outfile_prepare(out, length, true, err);
	return rc ? rc : ero_outfile_publish(out, length, true, err);
}

static int sign(struct ero_seal *s, const char *root, struct ero_error *err)
{
	BIO *text = BIO_new_mem_buf(root, -1);
	PKCS7 *p7 = text ? PKCS7_sign(s->cert, s->key, NULL, text, PKCS7_DETACHED | PKCS7_BINARY | PKCS7_NOATTR | PKCS7_NOCERTS) : NULL;
	unsigned char *der = NULL;
	int length = p7 ? i2d_PKCS7(p7, &der) : -1;
	int rc = length > 0 ? put(s->signature, der, (size_t)length, err) :
			      fail_crypto(err, ERO_ERROR_ARGUMENT, "the root hash cannot be signed", root);

	OPENSSL_free(der);
	PKCS7_free(p7);
	BIO_free(text);
	return rc;
}

int ero_seal_write(struct ero_seal *s, const char *root, struct ero_error *err)
{
	int rc = s->signature ? sign(s, root, err) : 0;

	return rc ? rc : put(s->hash, root, strlen(root), err);
}

void ero_seal_close(struct ero_seal *s)
{
	if (!s)
		return;
	ero_outfile_close(s->hash);
	ero_outfile_close(s->signature);
	EVP_PKEY_free(s->key);
	X509_free(s->cert);
	free(s);
}
