/* A UDP socket that receives and sends in batches (recvmmsg, sendmmsg) and counts every loss that it can see:
 * the kernel's at the receive buffer (SO_RXQ_OVFL), its own at the bounded send queue. Opaque.
 *
 * The receive buffer is asked for (16 MiB) and read back: the default loses frames at 20,000 uplinks/s;
 * whoever reports health compares `receive_buffer_given` with what was asked. */
#ifndef LAMPPOST_IO_UDP_H
#define LAMPPOST_IO_UDP_H

#include "common/base/units.h"
#include "common/io/address.h"
#include "common/io/loop.h"

#define IO_UDP_RECEIVE_BUFFER (16u << 20)

struct io_udp;

struct io_udp_options {
	const char *host; /* numeric, or "*" */
	uint16_t port;    /* 0: any free one */
	int listen_fd; /* a bound socket that was handed over (listen_fds.h), taken; 0: none, host and port are bound */
	size_t receive_buffer; /* bytes asked of the kernel; 0: IO_UDP_RECEIVE_BUFFER */
	size_t send_limit;     /* datagrams in the send queue; 0: 4096 */
	/* `bytes` are lent during the call. */
	void (*on_datagram)(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			    size_t length);
	void *ctx;
};

struct io_udp_stats {
	uint64_t received;
	uint64_t sent;
	uint64_t kernel_drops; /* lost at the receive buffer */
	uint64_t truncated; /* longer than 64 KiB − 1: cannot happen in UDP, counted all the same; dropped */
	uint64_t send_dropped; /* the send queue or the kernel's buffer was full */
	uint64_t send_failed;  /* the kernel refused: unreachable, forbidden */
	uint64_t receive_buffer_asked;
	uint64_t receive_buffer_given; /* bytes usable, as read back */
};

/* Binds at once. ST_INVALID: no numeric host; ST_IO: the kernel refused (in use, forbidden), logged with the
 * address. */
enum status io_udp_open(struct io_loop *loop, const struct io_udp_options *options,
			struct io_udp **out) MUST_USE;
void io_udp_close(struct io_udp *udp); /* NULL is allowed */
/* Queues a copy; it leaves at the end of the turn. ST_FULL: dropped and counted. */
enum status io_udp_send(struct io_udp *udp, const struct io_address *to, const uint8_t *bytes,
			size_t length) MUST_USE;
struct io_address io_udp_local(const struct io_udp *udp);
const struct io_udp_stats *io_udp_stats(const struct io_udp *udp);

#endif
