#include "tests/harness/harness.h"

#include "common/crypto/x509.h"

#include <stdlib.h>
#include <string.h>

#define YEAR_US (365 * INT64_C(86400) * US_PER_S)

static const struct wall today = {INT64_C(1795305600000000)}; /* 2026-11-22 */
static const uint8_t random_a[8] = {1, 2, 3, 4, 5, 6, 7, 8};

struct authority {
	struct x509_key *key;
	uint8_t der[X509_DER_MAX];
	size_t length;
};

static struct x509_wish wish_for(enum x509_use use, const char *name)
{
	struct x509_wish wish = {.use = use, .common_name = name, .until = {today.us + YEAR_US}};
	x509_serial(wish.serial, today, random_a);
	return wish;
}

static void make_authority(struct authority *ca, const char *name)
{
	struct x509_wish wish = wish_for(X509_FOR_CA, name);
	ca->key = x509_key_generate();
	assert_non_null(ca->key);
	ca->length = x509_issue(&wish, ca->key, ca->key, NULL, 0, ca->der);
	t_uint("CA made", 1, ca->length > 0);
}

static void a_key_is_written_as_stations_can_read_it(void **state)
{
	(void)state;
	uint8_t der[X509_KEY_DER_MAX], again[X509_KEY_DER_MAX], point[X509_POINT_BYTES],
		same[X509_POINT_BYTES];
	struct x509_key *key = x509_key_generate();
	size_t length = x509_key_der(key, der);
	t_uint("length", 121, length);
	t_uint("a length of one byte", 119, der[1]);
	struct x509_key *back = x509_key_from(der, length);
	assert_non_null(back);
	t_uint("again", length, x509_key_der(back, again));
	t_bytes("again", der, length, again, length);
	x509_key_point(key, point);
	struct x509_key *public = x509_key_from_point(point);
	assert_non_null(public);
	x509_key_point(public, same);
	t_bytes("point", point, sizeof point, same, sizeof same);
	t_uint("a public half has no private one", 0, x509_key_der(public, again));
	assert_null(x509_key_from(der, length - 1));
	memset(point, 7, sizeof point);
	assert_null(x509_key_from_point(point));
	x509_key_free(key);
	x509_key_free(back);
	x509_key_free(public);
}

static void a_certificate_says_what_was_wished(void **state)
{
	(void)state;
	struct authority ca;
	make_authority(&ca, "Lamppost gateway CA");
	struct x509_key *key = x509_key_generate();
	struct x509_wish wish = wish_for(X509_FOR_CLIENT, "0016c001ff10a235");
	uint8_t der[X509_DER_MAX], point[X509_POINT_BYTES];
	struct x509_facts facts;
	size_t length = x509_issue(&wish, key, ca.key, ca.der, ca.length, der);
	t_uint("read", 1, x509_read(der, length, &facts));
	t_str("name", "0016c001ff10a235", facts.common_name);
	t_bytes("serial", wish.serial, sizeof wish.serial, facts.serial, sizeof facts.serial);
	t_int("issued", today.us, facts.issued.us);
	t_int("until", wish.until.us, facts.until.us);
	x509_key_point(key, point);
	t_bytes("key", point, sizeof point, facts.point, sizeof facts.point);
	t_uint("signed by the CA", 1, x509_signed_by(der, length, ca.der, ca.length));
	t_uint("two bytes of length, as stations read them", 0x82, der[1]);
	struct authority other;
	make_authority(&other, "Lamppost gateway CA");
	t_uint("not signed by another of the same name", 0,
	       x509_signed_by(der, length, other.der, other.length));
	der[length - 1] ^= 1;
	t_uint("nor when changed", 0, x509_signed_by(der, length, ca.der, ca.length));
	t_uint("cut", 0, x509_read(der, length - 1, &facts));
	x509_key_free(key);
	x509_key_free(ca.key);
	x509_key_free(other.key);
}

static void a_server_s_names_stand_in_its_certificate(void **state)
{
	(void)state;
	struct authority ca;
	make_authority(&ca, "CA");
	struct x509_key *key = x509_key_generate();
	struct x509_wish wish = wish_for(X509_FOR_SERVER, "lamppost.example.city");
	static const char *const hosts[] = {"lamppost.example.city", "192.0.2.10", "2001:db8::1"};
	for (size_t i = 0; i < 3; i++)
		snprintf(wish.hosts[wish.host_count++], X509_HOST_TEXT, "%s", hosts[i]);
	uint8_t der[X509_DER_MAX];
	size_t length = x509_issue(&wish, key, ca.key, ca.der, ca.length, der);
	static const uint8_t as_name[] = {0x82, 10, '1', '9', '2', '.', '0', '.', '2', '.', '1', '0'};
	static const uint8_t as_address[] = {0x87, 4, 192, 0, 2, 10};
	t_uint("an address as a name", 1, memmem(der, length, as_name, sizeof as_name) != NULL);
	t_uint("and as an address", 1, memmem(der, length, as_address, sizeof as_address) != NULL);
	for (size_t i = 0; i < X509_HOSTS_MAX; i++) {
		memset(wish.hosts[i], 'a', X509_HOST_TEXT - 1);
		wish.hosts[i][X509_HOST_TEXT - 1] = '\0';
	}
	wish.host_count = X509_HOSTS_MAX;
	t_uint("more than fits", 0, x509_issue(&wish, key, ca.key, ca.der, ca.length, der));
	x509_key_free(key);
	x509_key_free(ca.key);
}

static void what_is_a_host(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{"lamppost.example.city", true},
		{"*.example.city", true},
		{"localhost", true},
		{"192.0.2.10", true},
		{"2001:db8::1", true},
		{"", false},
		{"*.", false},
		{"a..b", false},
		{".a", false},
		{"a.", false},
		{"-a", false},
		{"a,DNS:evil", false},
		{"a b", false},
		{"[2001:db8::1]", false},
		{"a:3001", false},
		{"*.*.city", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		t_uint(rows[i].name, rows[i].good, x509_host_ok(rows[i].name));
}

static void a_request_proves_the_key(void **state)
{
	(void)state;
	char pem[X509_PEM_MAX];
	const char *why;
	uint8_t point[X509_POINT_BYTES], found[X509_POINT_BYTES];
	struct x509_key *key = x509_key_generate();
	t_uint("written", 1, x509_request_write(key, "0016c001ff10a235", pem));
	struct x509_key *read = x509_request_read(pem, strlen(pem), &why);
	assert_non_null(read);
	x509_key_point(key, point);
	x509_key_point(read, found);
	t_bytes("key", point, sizeof point, found, sizeof found);
	x509_key_free(read);
	uint8_t der[X509_DER_MAX];
	size_t length = x509_pem_read(pem, strlen(pem), "CERTIFICATE REQUEST", der, sizeof der);
	der[length - 1] ^= 1;
	x509_pem_write(pem, sizeof pem, "CERTIFICATE REQUEST", der, length);
	assert_null(x509_request_read(pem, strlen(pem), &why));
	t_str("why", "is not signed with the key that it is for", why);
	assert_null(x509_request_read("hello", 5, &why));
	t_str("why", "is not a certificate request in PEM", why);
	x509_key_free(key);
}

static void pem_and_back(void **state)
{
	(void)state;
	char pem[X509_KEY_PEM_MAX];
	uint8_t der[X509_KEY_DER_MAX], back[X509_KEY_DER_MAX];
	struct x509_key *key = x509_key_generate();
	size_t length = x509_key_der(key, der);
	size_t text = x509_pem_write(pem, sizeof pem, "EC PRIVATE KEY", der, length);
	t_uint("label", 0, strncmp(pem, "-----BEGIN EC PRIVATE KEY-----\n", 31) != 0);
	t_uint("back", length, x509_pem_read(pem, text, "EC PRIVATE KEY", back, sizeof back));
	t_bytes("back", der, length, back, length);
	t_uint("another label", 0, x509_pem_read(pem, text, "CERTIFICATE", back, sizeof back));
	t_uint("no room", 0, x509_pem_read(pem, text, "EC PRIVATE KEY", back, length - 1));
	t_uint("no room for text", 0, x509_pem_write(pem, text, "EC PRIVATE KEY", der, length));
	x509_key_free(key);
}

static void a_signature_over_firmware(void **state)
{
	(void)state;
	struct x509_key *key = x509_key_generate(), *other = x509_key_generate();
	uint8_t digest[X509_SHA512_BYTES], signature[X509_SIGNATURE_MAX], point[X509_POINT_BYTES];
	struct x509_sha512 *sha = x509_sha512_new();
	x509_sha512_add(sha, "abc", 3);
	x509_sha512_digest(sha, digest);
	x509_sha512_free(sha);
	t_uint("SHA-512 of abc (FIPS 180)", 0xdd, digest[0]);
	t_uint("and its end", 0x9f, digest[63]);
	size_t length = x509_sign(key, digest, signature);
	x509_key_point(key, point);
	struct x509_key *public = x509_key_from_point(point);
	t_uint("verified", 1, x509_verify(public, digest, signature, length));
	t_uint("another key", 0, x509_verify(other, digest, signature, length));
	t_uint("cut", 0, x509_verify(public, digest, signature, length - 1));
	digest[0] ^= 1;
	t_uint("another content", 0, x509_verify(public, digest, signature, length));
	t_uint("a public half signs nothing", 0, x509_sign(public, digest, signature));
	x509_key_free(key);
	x509_key_free(other);
	x509_key_free(public);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_key_is_written_as_stations_can_read_it),
		t_test(a_certificate_says_what_was_wished),
		t_test(a_server_s_names_stand_in_its_certificate),
		t_test(what_is_a_host),
		t_test(a_request_proves_the_key),
		t_test(pem_and_back),
		t_test(a_signature_over_firmware),
	};
	return t_run(tests);
}
