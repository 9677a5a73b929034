#include "tests/harness/certificates.h"

#include "tests/harness/harness.h"
#include "tests/harness/temp.h"

#include "common/io/clock.h"

#include <stdio.h>
#include <string.h>

static void write_pem(const char *path, const char *label, const uint8_t *der, size_t length)
{
	char pem[X509_PEM_MAX];
	size_t size = x509_pem_write(pem, sizeof pem, label, der, length);
	assert_true(size > 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(size, fwrite(pem, 1, size, file));
	fclose(file);
}

static void path_of(char out[T_PEM_PATH], const char *stem, const char *suffix)
{
	char name[128];
	snprintf(name, sizeof name, "%s%s", stem, suffix);
	snprintf(out, T_PEM_PATH, "%s", t_temp(name));
}

static int64_t in_seconds(int64_t seconds)
{
	return clock_now().wall.us / US_PER_S * US_PER_S + seconds * US_PER_S;
}

void t_ca_make(struct t_ca *ca, const char *name)
{
	static const uint8_t random[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct x509_wish wish = {
		.use = X509_FOR_CA, .common_name = name, .until = {in_seconds(INT64_C(86400) * 365)}};
	x509_serial(wish.serial, clock_now().wall, random);
	memset(ca, 0, sizeof *ca);
	ca->key = x509_key_generate();
	assert_non_null(ca->key);
	ca->length = x509_issue(&wish, ca->key, ca->key, NULL, 0, ca->der);
	assert_true(ca->length > 0);
	path_of(ca->file, name, ".ca.pem");
	write_pem(ca->file, "CERTIFICATE", ca->der, ca->length);
}

void t_ca_free(struct t_ca *ca)
{
	x509_key_free(ca->key);
	ca->key = NULL;
}

void t_ca_issue(struct t_ca *ca, enum x509_use use, const char *common_name, int64_t serial_s,
		int64_t valid_s, const char *stem, struct t_identity *identity)
{
	static const uint8_t random[8] = {8, 7, 6, 5, 4, 3, 2, 1};
	struct x509_wish wish = {
		.use = use, .common_name = common_name, .until = {in_seconds(valid_s)}, .host_count = 2};
	snprintf(wish.hosts[0], sizeof wish.hosts[0], "127.0.0.1");
	snprintf(wish.hosts[1], sizeof wish.hosts[1], "localhost");
	if (use != X509_FOR_SERVER)
		wish.host_count = 0;
	x509_serial(wish.serial, (struct wall){serial_s * US_PER_S}, random);
	struct x509_key *key = x509_key_generate();
	assert_non_null(key);
	uint8_t der[X509_DER_MAX], secret[X509_KEY_DER_MAX];
	size_t length = x509_issue(&wish, key, ca->key, ca->der, ca->length, der);
	assert_true(length > 0);
	path_of(identity->cert, stem, ".crt.pem");
	path_of(identity->key, stem, ".key.pem");
	write_pem(identity->cert, "CERTIFICATE", der, length);
	write_pem(identity->key, "EC PRIVATE KEY", secret, x509_key_der(key, secret));
	x509_key_free(key);
}
