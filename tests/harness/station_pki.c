#include "tests/harness/station_pki.h"

#include "tests/harness/process.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t wall_us(void)
{
	return (int64_t)time(NULL) * 1000000;
}

static void write_pem(const char *path, const char *label, const uint8_t *der, size_t length)
{
	char pem[X509_PEM_MAX];
	ASSERT(x509_pem_write(pem, sizeof pem, label, der, length) > 0);
	t_write_file(path, pem);
}

static struct x509_wish wish_of(enum x509_use use, const char *common_name, int64_t issued_us)
{
	struct x509_wish wish = {
		.use = use, .common_name = common_name, .until = {wall_us() + INT64_C(86400000000) * 365}};
	const uint8_t random[8] = {(uint8_t)use, 1, 2, 3, 4, 5, 6, 7};
	x509_serial(wish.serial, (struct wall){issued_us}, random);
	return wish;
}

void t_pki_make(struct t_pki *pki, const char *dir)
{
	uint8_t der[X509_DER_MAX], key_der[X509_KEY_DER_MAX];
	*pki = (struct t_pki){0};
	snprintf(pki->dir, sizeof pki->dir, "%s", dir);
	snprintf(pki->ca, sizeof pki->ca, "%s/gateway-ca.crt", dir);
	snprintf(pki->server, sizeof pki->server, "%s/lns.crt", dir);
	snprintf(pki->server_key, sizeof pki->server_key, "%s/lns.key", dir);
	pki->ca_key = x509_key_generate();
	pki->gateway_key = x509_key_generate();
	struct x509_key *server_key = x509_key_generate();
	ASSERT(pki->ca_key && pki->gateway_key && server_key);
	pki->gateway_key_length = x509_key_der(pki->gateway_key, pki->gateway_key_der);
	struct x509_wish wish = wish_of(X509_FOR_CA, "Lamppost test CA", wall_us());
	pki->ca_length = x509_issue(&wish, pki->ca_key, pki->ca_key, NULL, 0, pki->ca_der);
	ASSERT_CMP(pki->ca_length, >, 0);
	write_pem(pki->ca, "CERTIFICATE", pki->ca_der, pki->ca_length);
	wish = wish_of(X509_FOR_SERVER, "lns.test", wall_us());
	snprintf(wish.hosts[0], sizeof wish.hosts[0], "127.0.0.1");
	snprintf(wish.hosts[1], sizeof wish.hosts[1], "localhost");
	wish.host_count = 2;
	size_t length = x509_issue(&wish, server_key, pki->ca_key, pki->ca_der, pki->ca_length, der);
	ASSERT_CMP(length, >, 0);
	write_pem(pki->server, "CERTIFICATE", der, length);
	write_pem(pki->server_key, "EC PRIVATE KEY", key_der, x509_key_der(server_key, key_der));
	x509_key_free(server_key);
}

void t_pki_free(struct t_pki *pki)
{
	x509_key_free(pki->ca_key);
	x509_key_free(pki->gateway_key);
	explicit_bzero(pki, sizeof *pki);
}

size_t t_pki_gateway(const struct t_pki *pki, uint64_t eui, int64_t issued_us, uint8_t der[X509_DER_MAX])
{
	char name[20];
	snprintf(name, sizeof name, "%016" PRIx64, eui);
	struct x509_wish wish = wish_of(X509_FOR_CLIENT, name, issued_us);
	size_t length = x509_issue(&wish, pki->gateway_key, pki->ca_key, pki->ca_der, pki->ca_length, der);
	ASSERT_CMP(length, >, 0);
	return length;
}

void t_pki_gateway_files(const struct t_pki *pki, uint64_t eui, char certificate[160], char key[160])
{
	uint8_t der[X509_DER_MAX];
	size_t length = t_pki_gateway(pki, eui, wall_us(), der);
	snprintf(certificate, 160, "%s/%016" PRIx64 ".crt", pki->dir, eui);
	snprintf(key, 160, "%s/%016" PRIx64 ".key", pki->dir, eui);
	write_pem(certificate, "CERTIFICATE", der, length);
	write_pem(key, "EC PRIVATE KEY", pki->gateway_key_der, pki->gateway_key_length);
}
