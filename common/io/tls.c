#include "common/io/tls.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/tls_bytes.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define TICKET_S    (12 * 3600)
#define PROBLEM_MAX 120

struct io_tls_context {
	SSL_CTX *ssl;
	SSL_SESSION *ticket; /* a client's latest; NULL: none */
};

struct io_tls {
	SSL *ssl;
	struct tls_bytes bytes; /* what the SSL reads from and writes to */
	int first_error;        /* of the client's chain: X509_V_ */
	bool certificate_refused;
	char problem[PROBLEM_MAX];
};

/* --- context */

static enum status refuse_file(const char *file)
{
	char reason[160];
	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
	LOG_ERROR("tls", "file=\"%s\" reason=\"%s\"", file, reason);
	ERR_clear_error();
	return ST_INVALID;
}

/* An optional certificate that is not good does not end the handshake: who judges the request sees the verdict, and can tell a
 * gateway whose certificate has expired from a stranger. The first error is the verdict: OpenSSL goes on and would let a foreign
 * certificate that is also old pass for one of ours that expired. */
static int let_pass(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct io_tls *tls = SSL_get_app_data(ssl);
	if (!good && tls->first_error == X509_V_OK)
		tls->first_error = X509_STORE_CTX_get_error(store);
	ERR_clear_error(); /* a signature that is wrong is left there, and would end the handshake */
	if (tls->first_error != X509_V_OK)
		X509_STORE_CTX_set_error(store, tls->first_error);
	return 1;
}

static enum status read_own(SSL_CTX *ssl, const struct io_tls_options *options)
{
	if (options->cert_file &&
	    (SSL_CTX_use_certificate_chain_file(ssl, options->cert_file) != 1 ||
	     SSL_CTX_use_PrivateKey_file(ssl, options->key_file, SSL_FILETYPE_PEM) != 1 ||
	     SSL_CTX_check_private_key(ssl) != 1))
		return refuse_file(options->cert_file);
	return ST_OK;
}

static enum status read_trust(SSL_CTX *ssl, const struct io_tls_options *options)
{
	/* A file may name an authority below the root: who holds it need not hold the root. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
	if (options->client) {
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
		int trusted = options->ca_file ? SSL_CTX_load_verify_locations(ssl, options->ca_file, NULL)
					       : SSL_CTX_set_default_verify_paths(ssl);
		return trusted == 1 ? ST_OK : refuse_file(options->ca_file ? options->ca_file : "system");
	}
	if (options->clients == IO_TLS_CLIENTS_NONE)
		return ST_OK;
	const char *file = options->ca_file ? options->ca_file : "";
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
	if (!names || SSL_CTX_load_verify_locations(ssl, file, NULL) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return refuse_file(file);
	}
	SSL_CTX_set_client_CA_list(ssl, names);
	if (options->clients == IO_TLS_CLIENTS_REQUIRED)
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	else
		SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, let_pass);
	return ST_OK;
}

static int on_ticket(SSL *ssl, SSL_SESSION *ticket)
{
	struct io_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	SSL_SESSION_free(context->ticket);
	context->ticket = ticket;
	return 1; /* kept */
}

static void allow_tickets(struct io_tls_context *context, bool client)
{
	static const unsigned char name[] = "lamppost";
	SSL_CTX_set_app_data(context->ssl, context);
	SSL_CTX_set_timeout(context->ssl, TICKET_S);
	if (client) {
		SSL_CTX_set_session_cache_mode(context->ssl,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(context->ssl, on_ticket);
		return;
	}
	/* Nothing is kept here: the client holds its ticket, with its certificate inside, sealed by this context's key. */
	SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(context->ssl, name, sizeof name - 1);
	SSL_CTX_set_num_tickets(context->ssl, 1);
}

enum status io_tls_context_new(const struct io_tls_options *options, struct io_tls_context **out)
{
	struct io_tls_context *context = calloc(1, sizeof *context);
	ASSERT(context);
	context->ssl = SSL_CTX_new(options->client ? TLS_client_method() : TLS_server_method());
	ASSERT(context->ssl);
	SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
	if (options->tls_1_2_only)
		SSL_CTX_set_max_proto_version(context->ssl, TLS1_2_VERSION);
	SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	ERR_clear_error();
	enum status status = read_own(context->ssl, options);
	if (status == ST_OK)
		status = read_trust(context->ssl, options);
	if (status != ST_OK) {
		io_tls_context_free(context);
		return status;
	}
	allow_tickets(context, options->client);
	*out = context;
	return ST_OK;
}

void io_tls_context_free(struct io_tls_context *context)
{
	if (!context)
		return;
	SSL_SESSION_free(context->ticket);
	SSL_CTX_free(context->ssl);
	free(context);
}

/* --- connection */

static bool expect(struct io_tls *tls, const char *server_name)
{
	uint8_t address[16];
	if (inet_pton(AF_INET, server_name, address) == 1 || inet_pton(AF_INET6, server_name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), server_name) == 1;
	return SSL_set_tlsext_host_name(tls->ssl, server_name) == 1 &&
	       SSL_set1_host(tls->ssl, server_name) == 1;
}

struct io_tls *io_tls_new(struct io_tls_context *context, const char *server_name)
{
	struct io_tls *tls = calloc(1, sizeof *tls);
	if (!tls)
		return NULL;
	tls->ssl = SSL_new(context->ssl);
	BIO *bio = tls_bytes_bio(&tls->bytes);
	if (!tls->ssl || !bio || (server_name && !expect(tls, server_name))) {
		SSL_free(tls->ssl);
		BIO_free(bio);
		free(tls);
		return NULL;
	}
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_app_data(tls->ssl, tls);
	if (server_name) {
		if (context->ticket)
			SSL_set_session(tls->ssl, context->ticket);
		SSL_set_connect_state(tls->ssl);
	} else {
		SSL_set_accept_state(tls->ssl);
	}
	return tls;
}

void io_tls_free(struct io_tls *tls)
{
	if (!tls)
		return;
	/* OpenSSL spoils the ticket of a connection that ended without a goodbye: just those are dialled again. */
	SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	tls_bytes_release(&tls->bytes);
	free(tls);
}

void io_tls_feed(struct io_tls *tls, const uint8_t *bytes, size_t length)
{
	tls_bytes_lend(&tls->bytes, bytes, length);
}

/* Keeps the first failure's words: OpenSSL's queue is one for all connections. */
static void keep_problem(struct io_tls *tls)
{
	unsigned long error = ERR_peek_error();
	if (tls->problem[0] || error == 0)
		return;
	int reason = ERR_GET_REASON(error);
	tls->certificate_refused = reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
				   reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
	long verified = SSL_get_verify_result(tls->ssl);
	const char *words = reason == SSL_R_CERTIFICATE_VERIFY_FAILED
				    ? X509_verify_cert_error_string(verified)
				    : ERR_reason_error_string(error);
	snprintf(tls->problem, sizeof tls->problem, "%s", words ? words : "unknown");
	ERR_clear_error();
}

ssize_t io_tls_read(struct io_tls *tls, uint8_t *out, size_t capacity)
{
	ERR_clear_error();
	int count = SSL_read(tls->ssl, out, (int)capacity);
	if (count > 0)
		return count;
	tls_bytes_lend(&tls->bytes, NULL, 0); /* what was lent ends here */
	if (SSL_get_error(tls->ssl, count) == SSL_ERROR_WANT_READ)
		return 0;
	keep_problem(tls);
	return -1;
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

uint8_t *io_tls_take(struct io_tls *tls, size_t *length)
{
	return tls_bytes_take(&tls->bytes, length);
}

struct wall io_tls_context_until(const struct io_tls_context *context)
{
	return tls_certificate_until(SSL_CTX_get0_certificate(context->ssl));
}

bool io_tls_ready(const struct io_tls *tls)
{
	return SSL_is_init_finished(tls->ssl) != 0;
}

bool io_tls_resumed(const struct io_tls *tls)
{
	return SSL_session_reused(tls->ssl) == 1;
}

bool io_tls_certificate_refused(const struct io_tls *tls)
{
	return tls->certificate_refused;
}

const char *io_tls_problem(const struct io_tls *tls)
{
	return tls->problem;
}

bool io_tls_peer(const struct io_tls *tls, struct wall now, struct io_tls_peer *peer)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	if (certificate)
		tls_peer_fill(peer, certificate, SSL_get_verify_result(tls->ssl), now);
	return certificate != NULL;
}
