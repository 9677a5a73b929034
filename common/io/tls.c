#include "common/io/tls.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct io_tls_context {
	SSL_CTX *ssl;
};

struct io_tls {
	SSL *ssl;
	BIO *in;  /* from the socket; the SSL owns both */
	BIO *out; /* to the socket */
};

static void log_failure(const char *file)
{
	char reason[160];
	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
	LOG_ERROR("tls", "file=\"%s\" reason=\"%s\"", file, reason);
	ERR_clear_error();
}

enum status io_tls_context_new(const char *cert_file, const char *key_file, struct io_tls_context **out)
{
	SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
	if (!ssl)
		return ST_NO_MEMORY;
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (SSL_CTX_use_certificate_chain_file(ssl, cert_file) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ssl, key_file, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ssl) != 1) {
		log_failure(cert_file);
		SSL_CTX_free(ssl);
		return ST_INVALID;
	}
	struct io_tls_context *context = malloc(sizeof *context);
	ASSERT(context);
	context->ssl = ssl;
	*out = context;
	return ST_OK;
}

void io_tls_context_free(struct io_tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

struct io_tls *io_tls_new(struct io_tls_context *context)
{
	struct io_tls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return NULL;
	tls->ssl = SSL_new(context->ssl);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		SSL_free(tls->ssl);
		BIO_free(tls->in);
		BIO_free(tls->out);
		free(tls);
		return NULL;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void io_tls_free(struct io_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

enum status io_tls_feed(struct io_tls *tls, const uint8_t *bytes, size_t length)
{
	return BIO_write(tls->in, bytes, (int)length) == (int)length ? ST_OK : ST_NO_MEMORY;
}

ssize_t io_tls_read(struct io_tls *tls, uint8_t *out, size_t capacity)
{
	ERR_clear_error();
	int count = SSL_read(tls->ssl, out, (int)capacity);
	if (count > 0)
		return count;
	return SSL_get_error(tls->ssl, count) == SSL_ERROR_WANT_READ ? 0 : -1;
}

enum status io_tls_write(struct io_tls *tls, const uint8_t *bytes, size_t length)
{
	ERR_clear_error();
	return length == 0 || SSL_write(tls->ssl, bytes, (int)length) == (int)length ? ST_OK : ST_UNAVAILABLE;
}

void io_tls_end(struct io_tls *tls)
{
	ERR_clear_error();
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

size_t io_tls_pending(struct io_tls *tls)
{
	return BIO_ctrl_pending(tls->out);
}

size_t io_tls_take(struct io_tls *tls, uint8_t *out, size_t capacity)
{
	int count = BIO_read(tls->out, out, (int)capacity);
	return count > 0 ? (size_t)count : 0;
}
