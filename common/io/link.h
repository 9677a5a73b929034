/* Framed Unix stream links between our processes: u32 little-endian length (256 KiB at most) + payload
 * (DESIGN 11, Links). What the payload means is the caller's. One write a turn and link; a link is named by
 * an id that is never used again in this process, never by a pointer.
 *
 * A slow peer: the out-buffer is bounded, past it ST_FULL; a hostile one (message too long, empty): closed
 * with a reason. */
#ifndef LAMPPOST_IO_LINK_H
#define LAMPPOST_IO_LINK_H

#include "common/base/rng.h"
#include "common/base/units.h"
#include "common/io/address.h"
#include "common/io/frames.h"
#include "common/io/loop.h"

typedef uint64_t io_link_id; /* 0: none */

enum io_link_reason {
	IO_LINK_PEER_CLOSED, /* the other side closed, orderly or not */
	IO_LINK_IO,          /* read or write failed */
	IO_LINK_TOO_LONG,    /* announced a message longer than IO_FRAME_MAX */
	IO_LINK_EMPTY,       /* announced an empty message */
	IO_LINK_NO_MEMORY,
	IO_LINK_WE_CLOSED, /* io_link_*_close() or the end of server or client; not reported when those
			      release it */
	IO_LINK_REASON_COUNT
};
const char *io_link_reason_name(enum io_link_reason reason);

/* No callback runs inside a send, and none after the server or client was freed. */
struct io_link_events {
	void (*on_open)(void *ctx, struct now now, io_link_id link, const struct io_peer *peer);
	/* `bytes` are lent during the call. */
	void (*on_message)(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length);
	/* Once for every on_open. The client then tries again by itself. */
	void (*on_close)(void *ctx, struct now now, io_link_id link, enum io_link_reason reason);
	void *ctx;
};

#define IO_LINK_BUFFER_DEFAULT (64u << 20)

struct io_link_server;

struct io_link_server_options {
	const char *path;  /* a stale socket there is removed, another kind of file never */
	size_t max_links;  /* 0: 64; more are closed at once, counted */
	size_t out_buffer; /* bytes a link; 0: IO_LINK_BUFFER_DEFAULT */
	struct io_link_events events;
};

/* Listens, mode 0660. ST_EXISTS: another process serves that path, or the path is no socket. */
enum status io_link_server_open(struct io_loop *loop, const struct io_link_server_options *options,
				struct io_link_server **out) MUST_USE;
void io_link_server_free(struct io_link_server *server); /* unlinks the path; NULL is allowed */
/* Queues a copy of one message (1 .. IO_FRAME_MAX bytes). ST_FULL: no room; ST_NOT_FOUND: the link has gone.
 */
enum status io_link_server_send(struct io_link_server *server, io_link_id link, const uint8_t *bytes,
				size_t length) MUST_USE;
/* Bytes that wait to be written: for backpressure. 0 for a link that has gone. */
size_t io_link_server_queued(const struct io_link_server *server, io_link_id link);
/* Flushes what fits, then closes; on_close(IO_LINK_WE_CLOSED) follows in a later turn. */
void io_link_server_close(struct io_link_server *server, io_link_id link);
size_t io_link_server_count(const struct io_link_server *server);

struct io_link_client;

struct io_link_client_options {
	const char *path;
	size_t out_buffer; /* bytes; 0: IO_LINK_BUFFER_DEFAULT */
	struct rng *rng;   /* jitter; keeps a borrow until freed */
	struct io_link_events events;
};

/* Connects and keeps connecting: 50 ms, doubling to 1 s, each ± 25 %. */
enum status io_link_client_open(struct io_loop *loop, const struct io_link_client_options *options,
				struct io_link_client **out) MUST_USE;
void io_link_client_free(struct io_link_client *client); /* NULL is allowed */
/* As the server's; ST_UNAVAILABLE: not connected. What was queued when a link broke is gone: on_close tells.
 */
enum status io_link_client_send(struct io_link_client *client, const uint8_t *bytes, size_t length) MUST_USE;
size_t io_link_client_queued(const struct io_link_client *client);
bool io_link_client_is_open(const struct io_link_client *client);
/* Drops the connection and tries again, as if the peer had closed (a protocol error). */
void io_link_client_close(struct io_link_client *client);

#endif
