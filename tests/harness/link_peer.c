#include "tests/harness/link_peer.h"

#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What a message that was received borrows. */
static struct arena *received(void)
{
	static struct arena arena;
	static bool made;
	if (!made)
		arena_init(&arena, 1u << 20);
	made = true;
	return &arena;
}

void t_peer_open(struct t_peer *peer, const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	*peer = (struct t_peer){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_true(peer->fd >= 0);
	peer->closed = connect(peer->fd, (struct sockaddr *)&address, sizeof address) != 0;
}

void t_peer_close(struct t_peer *peer)
{
	if (peer->fd > 0)
		close(peer->fd);
	peer->fd = 0;
	peer->closed = true;
}

bool t_peer_write(struct t_peer *peer, const void *bytes, size_t length)
{
	for (size_t sent = 0; sent < length;) {
		ssize_t some = send(peer->fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
		if (some <= 0)
			return false;
		sent += (size_t)some;
	}
	return true;
}

bool t_peer_frame(struct t_peer *peer, const void *bytes, uint32_t length)
{
	const uint8_t head[4] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
				 (uint8_t)(length >> 24)};
	return t_peer_write(peer, head, 4) && t_peer_write(peer, bytes, length);
}

bool t_peer_send(struct t_peer *peer, enum proto_kind kind, struct proto_message *message)
{
	static uint8_t packed[PROTO_FRAME_MAX];
	size_t length;
	message->kind = kind;
	message->seq = ++peer->seq;
	assert_int_equal(ST_OK, proto_pack(message, packed, sizeof packed, &length));
	return t_peer_frame(peer, packed, (uint32_t)length);
}

bool t_peer_receive(struct t_peer *peer, struct proto_message *message, double seconds)
{
	double until = t_seconds() + seconds;
	for (;;) {
		size_t length = peer->length < 4 ? 0
						 : (size_t)peer->bytes[0] | (size_t)peer->bytes[1] << 8 |
							   (size_t)peer->bytes[2] << 16;
		if (length > 0 && peer->length >= 4 + length) {
			assert_int_equal(ST_OK, proto_unpack(message, peer->bytes + 4, length, received()));
			peer->length -= 4 + length;
			memmove(peer->bytes, peer->bytes + 4 + length, peer->length);
			return true;
		}
		double left = until - t_seconds();
		struct pollfd poll_fd = {.fd = peer->fd, .events = POLLIN};
		if (peer->closed || left < 0 || poll(&poll_fd, 1, (int)(left * 1000) + 1) <= 0)
			return false;
		ssize_t some = recv(peer->fd, peer->bytes + peer->length, sizeof peer->bytes - peer->length,
				    0);
		if (some <= 0)
			peer->closed = true;
		else
			peer->length += (size_t)some;
	}
}

bool t_peer_expect(struct t_peer *peer, enum proto_kind kind, struct proto_message *message)
{
	while (t_peer_receive(peer, message, T_CEILING))
		if (message->kind == kind)
			return true;
	return false;
}

bool t_peer_greet(struct t_peer *peer, const char *socket_path, enum proto_role role, uint32_t major)
{
	static struct proto_message message;
	t_peer_open(peer, socket_path);
	message = (struct proto_message){.hello = {.role = role, .name = "test", .major = major}};
	return !peer->closed && t_peer_send(peer, PROTO_HELLO, &message) &&
	       t_peer_expect(peer, PROTO_HELLO, &message);
}
