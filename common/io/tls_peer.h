/* What a TLS client proved about itself: its certificate, judged against the server's CA by this machine's clock. A
 * value; nothing in it points anywhere. */
#ifndef LAMPPOST_IO_TLS_PEER_H
#define LAMPPOST_IO_TLS_PEER_H

#include "common/base/units.h"

#include <stddef.h>
#include <stdint.h>

/* Whether a server asks its clients for a certificate. */
enum io_tls_clients {
	IO_TLS_CLIENTS_NONE,     /* never asked */
	IO_TLS_CLIENTS_OPTIONAL, /* asked; without one, or with one that is not good, the request still arrives:
				  * look at the verdict */
	IO_TLS_CLIENTS_REQUIRED, /* without a good one the handshake fails and no request arrives */
};

/* How a client's certificate was judged. Nothing in it may be believed unless this is IO_TLS_PEER_GOOD. */
enum io_tls_verdict {
	IO_TLS_PEER_GOOD,
	IO_TLS_PEER_EXPIRED,
	IO_TLS_PEER_NOT_YET, /* its validity begins later: by our clock, whatever the client's says */
	IO_TLS_PEER_FOREIGN, /* not issued by our CA */
	IO_TLS_PEER_BAD,     /* damaged, wrong purpose, weak key... */
	IO_TLS_VERDICT_COUNT
};

/* "good", "expired"... */
const char *io_tls_verdict_name(enum io_tls_verdict verdict);

#define IO_TLS_SERIAL_MAX  20 /* RFC 5280 §4.1.2.2 */
#define IO_TLS_FINGERPRINT 32

struct io_tls_peer {
	enum io_tls_verdict verdict;
	char common_name[65];              /* of the subject; "" when none or longer (X.520: at most 64) */
	uint8_t serial[IO_TLS_SERIAL_MAX]; /* big endian, as in the certificate, without its sign byte */
	size_t serial_length;
	uint8_t fingerprint[IO_TLS_FINGERPRINT]; /* SHA-256 of the whole certificate */
	struct wall not_before;
	struct wall not_after;
};

#endif
