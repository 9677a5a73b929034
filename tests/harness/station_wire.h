/* A light WebSocket client over TCP or TLS for tests and benchmarks: one socket, OpenSSL on it, no loop of its own. It says whatever it
 * is told to, right or wrong: frames of any opcode, length or masking, raw bytes in the middle of anything. It shares no code with
 * common/io.
 *
 *	struct t_wire *wire = t_wire_open(&(struct t_wire_options){.port = port, .path = "/router-info", .tls = tls});
 *	while (t_wire_pump(wire) < T_WIRE_OPEN) poll(...)
 *	t_wire_text(wire, "{\"router\":\"::1\"}");
 *
 * Nothing blocks. */
#ifndef LAMPPOST_TESTS_STATION_WIRE_H
#define LAMPPOST_TESTS_STATION_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t_wire;
struct t_wire_tls; /* a client's TLS context: whom it trusts */

enum t_wire_state {
	T_WIRE_CONNECTING, /* TCP */
	T_WIRE_SHAKING,    /* TLS */
	T_WIRE_UPGRADING,
	T_WIRE_OPEN,
	T_WIRE_CLOSED
};

struct t_wire_options {
	const char *host; /* numeric; NULL: 127.0.0.1 */
	uint16_t port;
	const char *path;             /* NULL: TCP, and TLS if given, and no request */
	const char *post;             /* instead of an upgrade this body; lent; NULL: none */
	const char *token;            /* "Authorization: Bearer"; NULL: none */
	const struct t_wire_tls *tls; /* NULL: clear text */
	/* The client's own certificate and key, DER; 0: none. */
	const uint8_t *certificate, *key;
	size_t certificate_length, key_length;
	const uint8_t *chain; /* one more certificate that it sends, DER; its length 0: none */
	size_t chain_length;
	int receive_buffer; /* SO_RCVBUF; 0: the kernel's */
	bool is_deaf;       /* answers no ping */
	void *ctx;
	/* A text of the server; lent. */
	void (*on_text)(void *ctx, struct t_wire *wire, const char *text, size_t length);
	/* The same of bytes. */
	void (*on_binary)(void *ctx, struct t_wire *wire, const uint8_t *bytes, size_t length);
};

/* `ca_file`: PEM. TLS 1.2 at most, as stations speak it. */
struct t_wire_tls *t_wire_tls_new(const char *ca_file);
void t_wire_tls_free(struct t_wire_tls *tls);

struct t_wire *t_wire_open(const struct t_wire_options *options);
/* NULL is allowed. Closes without a word. */
void t_wire_free(struct t_wire *wire);
/* Reads and writes whatever the socket lets it. */
enum t_wire_state t_wire_pump(struct t_wire *wire);
/* Without reading: what waits to be written. */
void t_wire_flush(struct t_wire *wire);
int t_wire_fd(const struct t_wire *wire);
bool t_wire_wants_write(const struct t_wire *wire);

void t_wire_text(struct t_wire *wire, const char *text);
struct t_wire_frame {
	uint8_t head; /* FIN, RSV and opcode: 0x81 for a text */
	bool unmasked;
	const void *bytes;
	size_t length;
	uint64_t claimed; /* the length in its header; 0: `length` */
};
void t_wire_frame(struct t_wire *wire, const struct t_wire_frame *frame);
/* Bytes as they are, below the WebSocket and above TLS. */
void t_wire_raw(struct t_wire *wire, const void *bytes, size_t length);
/* The same below TLS: into the TCP connection. */
void t_wire_garbage(struct t_wire *wire, const void *bytes, size_t length);
/* RST instead of an orderly end. */
void t_wire_reset(struct t_wire *wire);

/* What is known of it. */
enum t_wire_state t_wire_state(const struct t_wire *wire);
unsigned t_wire_http_status(const struct t_wire *wire);   /* of a refused upgrade; 101; 0: none yet */
unsigned t_wire_close_code(const struct t_wire *wire);    /* of the server's close frame; 0: none came */
const char *t_wire_close_text(const struct t_wire *wire); /* its text; "" */
unsigned t_wire_texts(const struct t_wire *wire);
unsigned t_wire_pings(const struct t_wire *wire);
const char *t_wire_last(const struct t_wire *wire); /* the last text, cut to 4 KiB */

#endif
