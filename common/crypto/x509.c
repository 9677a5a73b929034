/* OpenSSL's objects live within one call each; what is kept is DER. A failure of OpenSSL on input of ours is no memory, on
 * input of others it is their fault: both end as "no", and its error queue is emptied. */
#include "common/crypto/x509.h"

#include "common/base/bytes.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/x509_key.h"

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

/* --- names --------------------------------------------------------------------------------------------------------- */

/* Fills an address in network order; returns its length, 0: it is none. */
static int address_of(const char *host, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, host, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, host, bytes) == 1 ? 16 : 0;
}

bool x509_host_ok(const char *host)
{
	uint8_t bytes[16];
	const char *name = strncmp(host, "*.", 2) == 0 ? host + 2 : host;
	size_t length = strlen(name);
	if (strlen(host) >= X509_HOST_TEXT || length == 0)
		return false;
	return address_of(host, bytes) > 0 ||
	       (strspn(name, HOST_CHARACTERS) == length && name[0] != '.' && name[0] != '-' &&
		name[length - 1] != '.' && !strstr(name, ".."));
}

static bool push_name(GENERAL_NAMES *names, int type, const void *bytes, int length)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	if (name && value && ASN1_STRING_set(value, bytes, length)) {
		GENERAL_NAME_set0_value(name, type, value);
		if (sk_GENERAL_NAME_push(names, name))
			return true;
		value = NULL; /* belongs to the name */
	}
	ASN1_STRING_free(value);
	GENERAL_NAME_free(name);
	return false;
}

static bool add_hosts(X509 *certificate, const struct x509_wish *wish)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool good = names != NULL;
	for (size_t i = 0; good && i < wish->host_count; i++) {
		uint8_t address[16];
		const char *host = wish->hosts[i];
		int length = address_of(host, address);
		good = (length == 0 || push_name(names, GEN_IPADD, address, length)) &&
		       push_name(names, GEN_DNS, host, (int)strlen(host));
	}
	good = good && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
	GENERAL_NAMES_free(names);
	return good;
}

static bool set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

/* Takes the text out of a memory buffer, with NUL; its length, 0: does not fit. */
static size_t take_text(BIO *bio, char *text, size_t capacity)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);
	if (length <= 0 || (size_t)length >= capacity)
		return 0;
	memcpy(text, bytes, (size_t)length);
	text[length] = '\0';
	return (size_t)length;
}

bool x509_request_write(const struct x509_key *key, const char *common_name, char pem[X509_PEM_MAX])
{
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	bool done = request && bio && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
		    set_name(X509_REQ_get_subject_name(request), common_name) &&
		    X509_REQ_set_pubkey(request, key->pkey) == 1 &&
		    X509_REQ_sign(request, key->pkey, EVP_sha256()) > 0 &&
		    PEM_write_bio_X509_REQ(bio, request) == 1 && take_text(bio, pem, X509_PEM_MAX) > 0;
	BIO_free(bio);
	X509_REQ_free(request);
	ERR_clear_error();
	return done;
}

struct x509_key *x509_request_read(const char *pem, size_t length, const char **why)
{
	struct x509_key *key = NULL;
	BIO *bio = length <= X509_PEM_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, x509_no_password, NULL) : NULL;
	EVP_PKEY *pkey = request ? X509_REQ_get0_pubkey(request) : NULL;
	*why = "is not a certificate request in PEM";
	if (pkey && !x509_is_p256(pkey))
		*why = "is for a key of another kind than ECDSA on P-256";
	else if (pkey && X509_REQ_verify(request, pkey) != 1)
		*why = "is not signed with the key that it is for";
	else if (pkey && EVP_PKEY_up_ref(pkey))
		key = x509_key_wrap(pkey);
	X509_REQ_free(request);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

void x509_serial(uint8_t serial[X509_SERIAL_BYTES], struct wall issued, const uint8_t random[8])
{
	struct wr wr = wr_init(serial, X509_SERIAL_BYTES);
	wr_u64be(&wr, (uint64_t)issued.us);
	wr_copy(&wr, random, 8);
}

static bool set_serial(X509 *certificate, const uint8_t serial[X509_SERIAL_BYTES])
{
	BIGNUM *number = BN_bin2bn(serial, X509_SERIAL_BYTES, NULL);
	bool done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return done;
}

static bool add_extension(X509 *certificate, X509 *ca, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, ca, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static bool add_extensions(X509 *certificate, X509 *ca, const struct x509_wish *wish)
{
	static const struct {
		const char *basic, *usage, *extended;
	} rows[] = {
		[X509_FOR_CA] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL},
		[X509_FOR_CLIENT] = {"critical,CA:FALSE", "critical,digitalSignature", "clientAuth"},
		[X509_FOR_SERVER] = {"critical,CA:FALSE", "critical,digitalSignature", "serverAuth"},
	};
	return add_extension(certificate, ca, NID_basic_constraints, rows[wish->use].basic) &&
	       add_extension(certificate, ca, NID_key_usage, rows[wish->use].usage) &&
	       (!rows[wish->use].extended ||
		add_extension(certificate, ca, NID_ext_key_usage, rows[wish->use].extended)) &&
	       add_extension(certificate, ca, NID_subject_key_identifier, "hash") &&
	       (ca == certificate || add_extension(certificate, ca, NID_authority_key_identifier, "keyid")) &&
	       (wish->host_count == 0 || add_hosts(certificate, wish));
}

static X509 *parse(const uint8_t *der, size_t length)
{
	const unsigned char *at = der;
	X509 *certificate = length <= X509_DER_MAX ? d2i_X509(NULL, &at, (long)length) : NULL;
	if (certificate && at != der + length) {
		X509_free(certificate);
		certificate = NULL;
	}
	return certificate;
}

size_t x509_issue(const struct x509_wish *wish, const struct x509_key *subject, const struct x509_key *issuer,
		  const uint8_t *ca, size_t ca_length, uint8_t der[X509_DER_MAX])
{
	X509 *certificate = X509_new(), *signer = ca ? parse(ca, ca_length) : NULL;
	X509 *by = ca ? signer : certificate;
	size_t length = 0;
	if (certificate && by && X509_set_version(certificate, X509_VERSION_3) == 1 &&
	    set_serial(certificate, wish->serial) && ASN1_TIME_set(X509_getm_notBefore(certificate), 0) &&
	    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(wish->until.us / US_PER_S)) &&
	    set_name(X509_get_subject_name(certificate), wish->common_name) &&
	    X509_set_issuer_name(certificate, X509_get_subject_name(by)) == 1 &&
	    X509_set_pubkey(certificate, subject->pkey) == 1 && add_extensions(certificate, by, wish) &&
	    X509_sign(certificate, issuer->pkey, EVP_sha256()) > 0) {
		unsigned char *at = der;
		int size = i2d_X509(certificate, NULL);
		if (size > 0 && size <= X509_DER_MAX)
			length = (size_t)i2d_X509(certificate, &at);
	}
	X509_free(signer);
	X509_free(certificate);
	ERR_clear_error();
	return length;
}

static bool read_serial(const X509 *certificate, uint8_t serial[X509_SERIAL_BYTES])
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	bool done = number && !BN_is_negative(number) && BN_bn2binpad(number, serial, X509_SERIAL_BYTES) > 0;
	BN_free(number);
	return done;
}

static bool read_until(const X509 *certificate, struct wall *until)
{
	int days, seconds;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool done = epoch && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) == 1;
	if (done)
		until->us = ((int64_t)days * 86400 + seconds) * US_PER_S;
	ASN1_TIME_free(epoch);
	return done;
}

bool x509_read(const uint8_t *der, size_t length, struct x509_facts *facts)
{
	struct x509_facts read = {0};
	X509 *certificate = parse(der, length);
	EVP_PKEY *pkey = certificate ? X509_get0_pubkey(certificate) : NULL;
	bool good = pkey && x509_is_p256(pkey) && read_serial(certificate, read.serial) &&
		    read_until(certificate, &read.until) &&
		    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
					      read.common_name, sizeof read.common_name) > 0;
	if (good) {
		const struct x509_key borrowed = {.pkey = pkey};
		struct rd rd = rd_init(read.serial, sizeof read.serial);
		x509_key_point(&borrowed, read.point);
		read.issued.us = (int64_t)rd_u64be(&rd);
		*facts = read;
	}
	X509_free(certificate);
	ERR_clear_error();
	return good;
}

bool x509_signed_by(const uint8_t *der, size_t length, const uint8_t *ca, size_t ca_length)
{
	X509 *certificate = parse(der, length), *signer = parse(ca, ca_length);
	EVP_PKEY *pkey = signer ? X509_get0_pubkey(signer) : NULL;
	bool good = certificate && pkey && X509_verify(certificate, pkey) == 1;
	X509_free(certificate);
	X509_free(signer);
	ERR_clear_error();
	return good;
}

/* --- text ---------------------------------------------------------------------------------------------------------- */

size_t x509_pem_write(char *pem, size_t capacity, const char *label, const uint8_t *der, size_t length)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	size_t used = 0;
	if (bio && PEM_write_bio(bio, label, "", der, (long)length) > 0)
		used = take_text(bio, pem, capacity);
	BIO_free(bio);
	ERR_clear_error();
	return used;
}

size_t x509_pem_read(const char *pem, size_t length, const char *label, uint8_t *der, size_t capacity)
{
	BIO *bio = length < INT32_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;
	char *name = NULL, *header = NULL;
	unsigned char *bytes = NULL;
	long count = 0;
	size_t used = 0;
	while (bio && used == 0 && PEM_read_bio(bio, &name, &header, &bytes, &count) == 1) {
		if (strcmp(name, label) == 0 && count > 0 && (size_t)count <= capacity) {
			memcpy(der, bytes, (size_t)count);
			used = (size_t)count;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(bytes, (size_t)count);
	}
	BIO_free(bio);
	ERR_clear_error();
	return used;
}
