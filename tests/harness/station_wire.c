#include "tests/harness/station_wire.h"

#include "common/base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX   20480 /* a frame of the server fits */
#define IN_FIRST 1024
#define LAST_MAX 4096

struct t_wire_tls {
	SSL_CTX *ctx;
};

struct t_wire {
	struct t_wire_options options;
	char path[160], token[300];
	enum t_wire_state state;
	int fd;
	SSL *ssl;
	uint8_t *in, *out;
	size_t in_length, in_room, out_length, out_room;
	unsigned http_status, close_code, texts, pings;
	char close_text[126];
	char *last;
};

struct t_wire_tls *t_wire_tls_new(const char *ca_file)
{
	struct t_wire_tls *tls = calloc(1, sizeof *tls);
	ASSERT(tls != NULL);
	tls->ctx = SSL_CTX_new(TLS_client_method());
	ASSERT(tls->ctx != NULL);
	SSL_CTX_set_max_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	ASSERT(SSL_CTX_load_verify_locations(tls->ctx, ca_file, NULL) == 1);
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	return tls;
}

void t_wire_tls_free(struct t_wire_tls *tls)
{
	SSL_CTX_free(tls->ctx);
	free(tls);
}

static int connect_to(const struct t_wire_options *options)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options->port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ASSERT_CMP(fd, >=, 0);
	ASSERT(inet_pton(AF_INET, options->host ? options->host : "127.0.0.1", &to.sin_addr) == 1);
	if (options->receive_buffer > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &options->receive_buffer, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)!connect(fd, (const struct sockaddr *)&to,
		       sizeof to); /* in progress, or told at the first write */
	return fd;
}

struct t_wire *t_wire_open(const struct t_wire_options *options)
{
	struct t_wire *wire = calloc(1, sizeof *wire);
	ASSERT(wire != NULL);
	wire->options = *options;
	if (options->path)
		snprintf(wire->path, sizeof wire->path, "%s", options->path);
	if (options->token)
		snprintf(wire->token, sizeof wire->token, "Authorization: Bearer %s\r\n", options->token);
	wire->fd = connect_to(options);
	if (options->tls) {
		wire->ssl = SSL_new(options->tls->ctx);
		ASSERT(wire->ssl != NULL && SSL_set_fd(wire->ssl, wire->fd) == 1);
		if (options->certificate_length > 0) {
			ASSERT(SSL_use_certificate_ASN1(wire->ssl, options->certificate,
							(int)options->certificate_length) == 1);
			ASSERT(SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, wire->ssl, options->key,
						       (long)options->key_length) == 1);
		}
		if (options->chain_length > 0) {
			const unsigned char *at = options->chain;
			X509 *more = d2i_X509(NULL, &at, (long)options->chain_length);
			ASSERT(more != NULL && SSL_add0_chain_cert(wire->ssl, more) == 1);
		}
		SSL_set_connect_state(wire->ssl);
	}
	return wire;
}

static void end(struct t_wire *wire)
{
	wire->state = T_WIRE_CLOSED;
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	SSL_free(wire->ssl);
	wire->ssl = NULL;
	wire->out_length = 0;
}

void t_wire_free(struct t_wire *wire)
{
	if (wire == NULL)
		return;
	end(wire);
	free(wire->in);
	free(wire->out);
	free(wire->last);
	free(wire);
}

void t_wire_reset(struct t_wire *wire)
{
	const struct linger at_once = {.l_onoff = 1};
	if (wire->fd >= 0)
		setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	end(wire);
}

/* --- bytes out --- */

static void put(struct t_wire *wire, const void *bytes, size_t length)
{
	if (wire->state == T_WIRE_CLOSED || length == 0)
		return;
	if (wire->out_length + length > wire->out_room) {
		wire->out_room = 2 * (wire->out_length + length);
		wire->out = realloc(wire->out, wire->out_room);
		ASSERT(wire->out != NULL);
	}
	memcpy(wire->out + wire->out_length, bytes, length);
	wire->out_length += length;
}

void t_wire_raw(struct t_wire *wire, const void *bytes, size_t length)
{
	put(wire, bytes, length);
	t_wire_flush(wire);
}

void t_wire_garbage(struct t_wire *wire, const void *bytes, size_t length)
{
	if (wire->fd >= 0 && send(wire->fd, bytes, length, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		end(wire);
}

/* Whether an attempt ended for good. */
static bool is_over(const struct t_wire *wire, long done)
{
	if (!wire->ssl)
		return done == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN);
	int why = SSL_get_error(wire->ssl, (int)done);
	return why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
}

void t_wire_flush(struct t_wire *wire)
{
	while (wire->out_length > 0 && wire->state >= T_WIRE_UPGRADING && wire->state < T_WIRE_CLOSED) {
		long done = wire->ssl ? SSL_write(wire->ssl, wire->out, (int)wire->out_length)
				      : send(wire->fd, wire->out, wire->out_length, MSG_NOSIGNAL);
		if (done <= 0) {
			if (is_over(wire, done))
				end(wire);
			return;
		}
		wire->out_length -= (size_t)done;
		memmove(wire->out, wire->out + done, wire->out_length);
	}
}

void t_wire_frame(struct t_wire *wire, const struct t_wire_frame *frame)
{
	uint64_t length = frame->claimed ? frame->claimed : frame->length;
	uint8_t head[10] = {frame->head}, mask[4] = {0x12, 0x34, 0x56, 0x78};
	uint8_t bit = frame->unmasked ? 0 : 0x80;
	size_t at = 2, wide = length < 126 ? 0 : length < 65536 ? 2 : 8;
	head[1] = (uint8_t)(bit | (wide == 0 ? length : wide == 2 ? 126 : 127));
	for (size_t i = 0; i < wide; i++)
		head[at++] = (uint8_t)(length >> (8 * (wide - 1 - i)));
	put(wire, head, at);
	if (!frame->unmasked)
		put(wire, mask, 4);
	size_t start = wire->out_length;
	put(wire, frame->bytes, frame->length);
	for (size_t i = 0; !frame->unmasked && start + i < wire->out_length; i++)
		wire->out[start + i] ^= mask[i % 4];
	t_wire_flush(wire);
}

void t_wire_text(struct t_wire *wire, const char *text)
{
	t_wire_frame(wire, &(struct t_wire_frame){.head = 0x81, .bytes = text, .length = strlen(text)});
}

/* --- bytes in --- */

static void take_text(struct t_wire *wire, const uint8_t *bytes, size_t length)
{
	wire->texts++;
	if (wire->options.on_text) {
		wire->options.on_text(wire->options.ctx, wire, (const char *)bytes, length);
		return;
	}
	if (!wire->last)
		wire->last = calloc(1, LAST_MAX);
	ASSERT(wire->last != NULL);
	size_t kept = length < LAST_MAX ? length : LAST_MAX - 1;
	memcpy(wire->last, bytes, kept);
	wire->last[kept] = 0;
}

static void take_frame(struct t_wire *wire, uint8_t opcode, const uint8_t *bytes, size_t length)
{
	if (opcode == 0x1) {
		take_text(wire, bytes, length);
	} else if (opcode == 0x2) {
		if (wire->options.on_binary)
			wire->options.on_binary(wire->options.ctx, wire, bytes, length);
	} else if (opcode == 0x9) {
		wire->pings++;
		if (!wire->options.is_deaf)
			t_wire_frame(wire,
				     &(struct t_wire_frame){.head = 0x8a, .bytes = bytes, .length = length});
	} else if (opcode == 0x8) {
		wire->close_code = length >= 2 ? (unsigned)bytes[0] << 8 | bytes[1] : 1005;
		size_t text = length > 2 ? length - 2 : 0;
		memcpy(wire->close_text, bytes + (length > 2 ? 2 : 0), text);
		wire->close_text[text] = 0;
		t_wire_frame(wire, &(struct t_wire_frame){.head = 0x88, .bytes = bytes, .length = length});
	}
}

/* Takes whole frames off the front. The server's are unmasked, whole and below 64 KiB: anything else is a failure of the test. */
static void take_frames(struct t_wire *wire)
{
	size_t at = 0;
	while (wire->in_length - at >= 2 && wire->state != T_WIRE_CLOSED) {
		const uint8_t *in = wire->in + at;
		size_t head = 2, length = in[1] & 0x7f;
		ASSERT((in[0] & 0x70) == 0 && (in[1] & 0x80) == 0 && (in[0] & 0x80) != 0 && length != 127);
		if (length == 126) {
			head = 4;
			if (wire->in_length - at < head)
				break;
			length = (size_t)in[2] << 8 | in[3];
		}
		if (wire->in_length - at < head + length)
			break;
		at += head + length;
		take_frame(wire, in[0] & 0x0f, in + head, length);
	}
	memmove(wire->in, wire->in + at, wire->in_length - at);
	wire->in_length -= at;
}

static void take_head(struct t_wire *wire)
{
	uint8_t *stop = memmem(wire->in, wire->in_length, "\r\n\r\n", 4);
	if (stop == NULL)
		return;
	wire->http_status = (unsigned)strtoul((const char *)wire->in + 9, NULL, 10);
	if (wire->http_status != 101) {
		end(wire);
		return;
	}
	size_t head = (size_t)(stop - wire->in) + 4;
	wire->in_length -= head;
	memmove(wire->in, wire->in + head, wire->in_length);
	wire->state = T_WIRE_OPEN;
}

static bool read_some(struct t_wire *wire)
{
	if (wire->in_length == wire->in_room) {
		wire->in_room = wire->in_room ? 2 * wire->in_room : IN_FIRST;
		ASSERT_CMP(wire->in_room, <=, 4 * IN_MAX);
		wire->in = realloc(wire->in, wire->in_room);
		ASSERT(wire->in != NULL);
	}
	size_t room = wire->in_room - wire->in_length;
	long done = wire->ssl ? SSL_read(wire->ssl, wire->in + wire->in_length, (int)room)
			      : recv(wire->fd, wire->in + wire->in_length, room, 0);
	if (done <= 0) {
		if (is_over(wire, done))
			end(wire);
		return false;
	}
	wire->in_length += (size_t)done;
	return true;
}

static void upgrade(struct t_wire *wire)
{
	char request[640];
	wire->state = T_WIRE_UPGRADING;
	if (wire->path[0] == 0)
		return;
	int length = 0;
	if (wire->options.post) {
		length = snprintf(request, sizeof request,
				  "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
				  "Content-Length: %zu\r\n\r\n%s",
				  wire->path, strlen(wire->options.post), wire->options.post);
		put(wire, request, (size_t)length);
		return;
	}
	length = snprintf(
		request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
		"Sec-WebSocket-Key: bpse8nVmEl6ZlX4lSb6RMw==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
		wire->path, wire->options.port, wire->token);
	put(wire, request, (size_t)length);
}

enum t_wire_state t_wire_pump(struct t_wire *wire)
{
	ERR_clear_error(); /* what another wire left there would be taken for an end of this one */
	if (wire->state == T_WIRE_CONNECTING) {
		int error = 0;
		socklen_t size = sizeof error;
		struct tcp_info info;
		socklen_t info_size = sizeof info;
		getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		getsockopt(wire->fd, IPPROTO_TCP, TCP_INFO, &info, &info_size);
		if (error != 0)
			end(wire);
		else if (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT)
			wire->ssl ? (void)(wire->state = T_WIRE_SHAKING) : upgrade(wire);
	}
	if (wire->state == T_WIRE_SHAKING) {
		int done = SSL_do_handshake(wire->ssl);
		if (done == 1)
			upgrade(wire);
		else if (is_over(wire, done))
			end(wire);
	}
	t_wire_flush(wire);
	while ((wire->state == T_WIRE_UPGRADING || wire->state == T_WIRE_OPEN) && read_some(wire)) {
		if (wire->state == T_WIRE_UPGRADING && wire->path[0] != 0)
			take_head(wire);
		if (wire->state == T_WIRE_OPEN)
			take_frames(wire);
	}
	t_wire_flush(wire);
	return wire->state;
}

/* --- questions --- */

int t_wire_fd(const struct t_wire *wire)
{
	return wire->fd;
}

bool t_wire_wants_write(const struct t_wire *wire)
{
	return wire->state == T_WIRE_CONNECTING || wire->out_length > 0 ||
	       (wire->ssl && SSL_want_write(wire->ssl));
}

enum t_wire_state t_wire_state(const struct t_wire *wire)
{
	return wire->state;
}

unsigned t_wire_http_status(const struct t_wire *wire)
{
	return wire->http_status;
}

unsigned t_wire_close_code(const struct t_wire *wire)
{
	return wire->close_code;
}

const char *t_wire_close_text(const struct t_wire *wire)
{
	return wire->close_text;
}

unsigned t_wire_texts(const struct t_wire *wire)
{
	return wire->texts;
}

unsigned t_wire_pings(const struct t_wire *wire)
{
	return wire->pings;
}

const char *t_wire_last(const struct t_wire *wire)
{
	return wire->last ? wire->last : "";
}
