/* libuv only says when the socket is readable; datagrams are read 64 at a time. A wakeup reads at most 4
 * batches, so that a flood cannot keep the loop from its commit and its timers. */
#include "common/io/udp.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define BATCH        64
#define BATCHES      4
#define DATAGRAM_MAX 65536
#define SEND_LIMIT   4096
#define SEND_BYTES   (16u << 20) /* in the send queue, whatever the count */
#define CONTROL      CMSG_SPACE(sizeof(uint32_t))

struct outgoing {
	struct io_address to;
	size_t offset; /* in send_bytes */
	size_t length;
};

struct io_udp {
	uv_poll_t poll;
	struct io_loop *loop;
	struct io_flusher flusher;
	int fd;
	uint16_t family; /* 4 or 6 */
	bool waits_for_room;
	uint32_t overflow_seen;
	void (*on_datagram)(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			    size_t length);
	void *ctx;
	struct io_udp_stats stats;
	struct outgoing *queue; /* owned: send_limit */
	size_t queued;
	size_t send_limit;
	uint8_t *send_bytes; /* owned, grows to what send_limit datagrams of DATAGRAM_MAX need at most */
	size_t send_used;
	size_t send_capacity;
	uint8_t *receive_bytes; /* owned: BATCH × DATAGRAM_MAX, touched as far as datagrams are long */
};

static int receive_batch(struct io_udp *udp)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage from[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL];
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){udp->receive_bytes + (size_t)i * DATAGRAM_MAX, DATAGRAM_MAX};
		messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
						      .msg_namelen = sizeof from[i],
						      .msg_iov = &parts[i],
						      .msg_iovlen = 1,
						      .msg_control = control[i],
						      .msg_controllen = CONTROL};
	}
	int count = recvmmsg(udp->fd, messages, BATCH, MSG_DONTWAIT, NULL);
	if (count <= 0)
		return 0;
	struct now now = clock_now();
	for (int i = 0; i < count && udp->fd >= 0; i++) {
		struct msghdr *header = &messages[i].msg_hdr;
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);
		if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SO_RXQ_OVFL) {
			uint32_t overflow;
			memcpy(&overflow, CMSG_DATA(cmsg), sizeof overflow);
			udp->stats.kernel_drops += overflow - udp->overflow_seen; /* wraps at 2^32 */
			udp->overflow_seen = overflow;
		}
		if (header->msg_flags & MSG_TRUNC) {
			udp->stats.truncated++;
			continue;
		}
		udp->stats.received++;
		struct io_address sender = io_address_from_sockaddr((struct sockaddr *)&from[i]);
		udp->on_datagram(udp->ctx, now, &sender, parts[i].iov_base, messages[i].msg_len);
	}
	return count;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct io_udp *udp)
{
	uv_poll_start(&udp->poll, UV_READABLE | (udp->waits_for_room ? UV_WRITABLE : 0), on_poll);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct io_udp *udp = poll->data;
	io_loop_touch(udp->loop);
	if (events & UV_WRITABLE) {
		udp->waits_for_room = false; /* the turn's end sends the rest */
		watch(udp);
	}
	if (status < 0 || (events & UV_READABLE))
		for (int i = 0; i < BATCHES && udp->fd >= 0 && receive_batch(udp) == BATCH; i++)
			;
}

/* Sends up to BATCH datagrams from `first` on; returns how many are dealt with, 0 when the kernel has no
 * room. */
static size_t send_batch(struct io_udp *udp, size_t first)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage to[BATCH];
	size_t count = udp->queued - first < BATCH ? udp->queued - first : BATCH;
	for (size_t i = 0; i < count; i++) {
		const struct outgoing *out = &udp->queue[first + i];
		struct io_address address = out->to;
		if (udp->family == 6 &&
		    address.family == 4) { /* back to the mapped form of a socket for both */
			memmove(address.bytes + 12, address.bytes, 4);
			memset(address.bytes, 0, 10);
			address.bytes[10] = address.bytes[11] = 0xff;
			address.family = 6;
		}
		parts[i] = (struct iovec){udp->send_bytes + out->offset, out->length};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &to[i], .msg_iov = &parts[i], .msg_iovlen = 1};
		messages[i].msg_hdr.msg_namelen = (socklen_t)io_address_to_sockaddr(&address, &to[i]);
	}
	int sent = sendmmsg(udp->fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0) {
		udp->stats.sent += (uint64_t)sent;
		return (size_t)sent;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		return 0;
	udp->stats.send_failed++; /* the first one is at fault; the others get their own attempt */
	return 1;
}

static void flush(void *ctx, struct now now)
{
	struct io_udp *udp = ctx;
	(void)now;
	size_t done = 0;
	while (done < udp->queued && !udp->waits_for_room) {
		size_t count = send_batch(udp, done);
		done += count;
		udp->waits_for_room = count == 0;
	}
	if (done == udp->queued) {
		udp->queued = 0;
		udp->send_used = 0;
		return;
	}
	memmove(udp->queue, udp->queue + done, (udp->queued - done) * sizeof *udp->queue);
	udp->queued -= done;
	watch(udp);
}

static enum status take_receive_buffer(struct io_udp *udp, size_t asked)
{
	int size = (int)asked;
	/* Past net.core.rmem_max only with CAP_NET_ADMIN; the plain request gives what the limit allows. */
	if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0 &&
	    setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0)
		return ST_IO;
	int given = 0;
	socklen_t length = sizeof given;
	if (getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &given, &length) != 0)
		return ST_IO;
	udp->stats.receive_buffer_asked = asked;
	udp->stats.receive_buffer_given = (uint64_t)given /
					  2; /* the kernel doubles it for its own book-keeping */
	return ST_OK;
}

/* A socket that was handed over: it may hold datagrams that came before we did. */
static enum status adopt_socket(struct io_udp *udp, const struct io_udp_options *options)
{
	int on = 1;
	udp->fd = options->listen_fd;
	struct sockaddr_storage name = {0};
	socklen_t length = sizeof name;
	if (getsockname(udp->fd, (struct sockaddr *)&name, &length) != 0 ||
	    setsockopt(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0 ||
	    take_receive_buffer(udp, options->receive_buffer ? options->receive_buffer
							     : IO_UDP_RECEIVE_BUFFER) != ST_OK) {
		LOG_ERROR("udp_bind", "fd=%d reason=\"%s\"", udp->fd, strerror(errno));
		return ST_IO;
	}
	udp->family = name.ss_family == AF_INET6 ? 6 : 4;
	return ST_OK;
}

static enum status open_socket(struct io_udp *udp, const struct io_udp_options *options)
{
	struct io_address address;
	enum status status = io_address_parse(options->host, options->port, &address);
	if (status != ST_OK) {
		LOG_ERROR("udp_bind", "host=\"%s\" reason=\"not a numeric address\"", options->host);
		return status;
	}
	udp->family = address.family;
	udp->fd = socket(address.family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			 0);
	int on = 1, off = 0;
	struct sockaddr_storage bound;
	socklen_t length = (socklen_t)io_address_to_sockaddr(&address, &bound);
	/* No SO_REUSEADDR: with UDP it would let a second process take over the port, and its datagrams, unnoticed. */
	if (udp->fd < 0 || setsockopt(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0 ||
	    (address.family == 6 && setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
	    take_receive_buffer(udp, options->receive_buffer ? options->receive_buffer
							     : IO_UDP_RECEIVE_BUFFER) != ST_OK ||
	    bind(udp->fd, (struct sockaddr *)&bound, length) != 0) {
		LOG_ERROR("udp_bind", "host=\"%s\" port=%u reason=\"%s\"", options->host, options->port,
			  strerror(errno));
		return ST_IO;
	}
	return ST_OK;
}

static void release(struct io_udp *udp)
{
	if (udp->fd >= 0)
		close(udp->fd);
	free(udp->queue);
	free(udp->send_bytes);
	free(udp->receive_bytes);
	free(udp);
}

enum status io_udp_open(struct io_loop *loop, const struct io_udp_options *options, struct io_udp **out)
{
	struct io_udp *udp = calloc(1, sizeof *udp);
	if (!udp)
		return ST_NO_MEMORY;
	udp->fd = -1;
	udp->loop = loop;
	udp->on_datagram = options->on_datagram;
	udp->ctx = options->ctx;
	udp->send_limit = options->send_limit ? options->send_limit : SEND_LIMIT;
	udp->queue = calloc(udp->send_limit, sizeof *udp->queue);
	udp->receive_bytes = malloc((size_t)BATCH * DATAGRAM_MAX);
	enum status status = ST_NO_MEMORY;
	if (udp->queue && udp->receive_bytes)
		status = options->listen_fd ? adopt_socket(udp, options) : open_socket(udp, options);
	if (status == ST_OK && uv_poll_init(io_loop_uv(loop), &udp->poll, udp->fd) != 0)
		status = ST_IO;
	if (status != ST_OK) {
		release(udp);
		return status;
	}
	udp->poll.data = udp;
	watch(udp);
	udp->flusher = (struct io_flusher){.flush = flush, .ctx = udp};
	io_loop_add_flusher(loop, &udp->flusher);
	*out = udp;
	return ST_OK;
}

static void on_closed(uv_handle_t *handle)
{
	release(handle->data);
}

void io_udp_close(struct io_udp *udp)
{
	if (!udp)
		return;
	io_loop_remove_flusher(udp->loop, &udp->flusher);
	uv_poll_stop(&udp->poll);
	close(udp->fd);
	udp->fd = -1;
	uv_close((uv_handle_t *)&udp->poll, on_closed);
}

static bool make_room(struct io_udp *udp, size_t length)
{
	if (udp->send_capacity - udp->send_used >= length)
		return true;
	if (udp->send_used + length > SEND_BYTES)
		return false;
	size_t capacity = udp->send_capacity ? udp->send_capacity * 2 : 65536;
	while (capacity - udp->send_used < length)
		capacity *= 2;
	uint8_t *bytes = realloc(udp->send_bytes, capacity);
	if (!bytes)
		return false;
	udp->send_bytes = bytes;
	udp->send_capacity = capacity;
	return true;
}

enum status io_udp_send(struct io_udp *udp, const struct io_address *to, const uint8_t *bytes, size_t length)
{
	ASSERT_CMP(length, <, DATAGRAM_MAX);
	if (udp->queued == udp->send_limit || !make_room(udp, length)) {
		udp->stats.send_dropped++;
		return ST_FULL;
	}
	udp->queue[udp->queued++] = (struct outgoing){*to, udp->send_used, length};
	if (length > 0)
		memcpy(udp->send_bytes + udp->send_used, bytes, length);
	udp->send_used += length;
	io_loop_touch(udp->loop);
	return ST_OK;
}

struct io_address io_udp_local(const struct io_udp *udp)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof name;
	if (getsockname(udp->fd, (struct sockaddr *)&name, &length) != 0)
		return (struct io_address){0};
	return io_address_from_sockaddr((struct sockaddr *)&name);
}

const struct io_udp_stats *io_udp_stats(const struct io_udp *udp)
{
	return &udp->stats;
}
