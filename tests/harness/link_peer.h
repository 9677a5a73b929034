/* A peer of network.sock as a test writes it, message by message or byte by byte: a bridge, the application server, or somebody hostile.
 * Blocking, one connection each.
 *
 *	struct t_peer bridge;
 *	t_true("greeted", t_peer_greet(&bridge, network_sock, PROTO_GATEWAY_BRIDGE, PROTO_MAJOR));
 *	t_peer_send(&bridge, PROTO_GATEWAY_PRESENCE, &message);
 *	t_true("answered", t_peer_expect(&bridge, PROTO_GATEWAY_DOWNLINK, &message));
 *	t_peer_close(&bridge); */
#ifndef LAMPPOST_TESTS_LINK_PEER_H
#define LAMPPOST_TESTS_LINK_PEER_H

#include "common/proto/envelope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t_peer {
	int fd;
	uint64_t seq; /* of the message that was sent last */
	bool closed;  /* by whichever side */
	size_t length;
	uint8_t bytes[4 + PROTO_FRAME_MAX];
};

void t_peer_open(struct t_peer *peer, const char *socket_path);
void t_peer_close(struct t_peer *peer);
/* As they are; with the length before them. False: the other side has closed. */
bool t_peer_write(struct t_peer *peer, const void *bytes, size_t length);
bool t_peer_frame(struct t_peer *peer, const void *bytes, uint32_t length);
/* Sends a message that is filled but for its kind and number. */
bool t_peer_send(struct t_peer *peer, enum proto_kind kind, struct proto_message *message);
/* Fills the next message, valid until the next call for any peer. False: closed, or nothing in that time. */
bool t_peer_receive(struct t_peer *peer, struct proto_message *message, double seconds);
/* Passes over those of other kinds. */
bool t_peer_expect(struct t_peer *peer, enum proto_kind kind, struct proto_message *message);
/* Opens, and exchanges the Hellos. */
bool t_peer_greet(struct t_peer *peer, const char *socket_path, enum proto_role role, uint32_t major);

#endif
