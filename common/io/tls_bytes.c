#include "common/io/tls_bytes.h"

#include "common/base/check.h"

#include <openssl/x509_vfy.h>
#include <string.h>
#include <time.h>

/* --- bytes */

static int read_bytes(BIO *bio, char *out, int capacity)
{
	struct tls_bytes *bytes = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (bytes->in_left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	size_t count = bytes->in_left < (size_t)capacity ? bytes->in_left : (size_t)capacity;
	memcpy(out, bytes->in, count);
	bytes->in += count;
	bytes->in_left -= count;
	return (int)count;
}

static int write_bytes(BIO *bio, const char *in, int length)
{
	struct tls_bytes *bytes = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	return http_buffer_add(&bytes->out, in, (size_t)length) ? length : -1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

static int create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

/* Made once and kept: OpenSSL has no constant form of it. */
static const BIO_METHOD *method(void)
{
	static BIO_METHOD *made;
	if (made)
		return made;
	made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "lamppost");
	ASSERT(made);
	BIO_meth_set_read(made, read_bytes);
	BIO_meth_set_write(made, write_bytes);
	BIO_meth_set_ctrl(made, control);
	BIO_meth_set_create(made, create);
	return made;
}

BIO *tls_bytes_bio(struct tls_bytes *bytes)
{
	BIO *bio = BIO_new(method());
	if (bio)
		BIO_set_data(bio, bytes);
	return bio;
}

void tls_bytes_lend(struct tls_bytes *bytes, const uint8_t *in, size_t length)
{
	bytes->in = in;
	bytes->in_left = length;
}

uint8_t *tls_bytes_take(struct tls_bytes *bytes, size_t *length)
{
	uint8_t *taken = bytes->out.bytes;
	*length = bytes->out.used;
	bytes->out = (struct http_buffer){0};
	return taken;
}

void tls_bytes_release(struct tls_bytes *bytes)
{
	http_buffer_release(&bytes->out);
}

/* --- a peer's certificate */

static const char *const verdicts[IO_TLS_VERDICT_COUNT] = {"good", "expired", "not_yet", "foreign", "bad"};

const char *io_tls_verdict_name(enum io_tls_verdict verdict)
{
	return (unsigned)verdict < IO_TLS_VERDICT_COUNT ? verdicts[verdict] : "unknown";
}

static enum io_tls_verdict verdict_of(long verified)
{
	switch (verified) {
	case X509_V_OK: return IO_TLS_PEER_GOOD;
	case X509_V_ERR_CERT_HAS_EXPIRED: return IO_TLS_PEER_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID: return IO_TLS_PEER_NOT_YET;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: return IO_TLS_PEER_FOREIGN;
	default: return IO_TLS_PEER_BAD;
	}
}

static struct wall wall_of(const ASN1_TIME *time)
{
	struct tm utc;
	if (ASN1_TIME_to_tm(time, &utc) != 1)
		return (struct wall){0};
	return (struct wall){(int64_t)timegm(&utc) * US_PER_S};
}

static void fill_name(struct io_tls_peer *peer, X509 *certificate)
{
	int at = X509_NAME_get_index_by_NID(X509_get_subject_name(certificate), NID_commonName, -1);
	if (at < 0)
		return;
	unsigned char *text = NULL;
	int length = ASN1_STRING_to_UTF8(
		&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(certificate), at)));
	if (length > 0 && (size_t)length < sizeof peer->common_name && !memchr(text, 0, (size_t)length))
		memcpy(peer->common_name, text, (size_t)length);
	OPENSSL_free(text);
}

void tls_peer_fill(struct io_tls_peer *peer, X509 *certificate, long verified, struct wall now)
{
	*peer = (struct io_tls_peer){.verdict = verdict_of(verified)};
	fill_name(peer, certificate);
	X509_digest(certificate, EVP_sha256(), peer->fingerprint, NULL);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	int length = ASN1_STRING_length(serial);
	if (length > 0 && length <= IO_TLS_SERIAL_MAX) {
		peer->serial_length = (size_t)length;
		memcpy(peer->serial, ASN1_STRING_get0_data(serial), peer->serial_length);
	}
	peer->not_before = wall_of(X509_get0_notBefore(certificate));
	peer->not_after = wall_of(X509_get0_notAfter(certificate));
	if (peer->verdict == IO_TLS_PEER_GOOD && now.us > peer->not_after.us)
		peer->verdict = IO_TLS_PEER_EXPIRED;
	else if (peer->verdict == IO_TLS_PEER_GOOD && now.us < peer->not_before.us)
		peer->verdict = IO_TLS_PEER_NOT_YET;
}

struct wall tls_certificate_until(const X509 *certificate)
{
	return certificate ? wall_of(X509_get0_notAfter(certificate)) : (struct wall){0};
}
