/* The envelope of every message on network.sock: {seq, one body}. The first message each way is a Hello; an
 * unknown major protocol version closes the link with a reason (Bye). `seq` increases by one for each message
 * of a direction; `ack.seq` acknowledges all up to it (a bridge lets go of ring entries only then).
 *
 * A minor version may add bodies: an unknown one is PROTO_UNKNOWN and is skipped. Malformed bytes are
 * ST_INVALID, and the link is closed, with a Bye that names the message. Where a message stands for itself alone (what a
 * bridge says of its gateways), one with a value outside its range is skipped, counted and acknowledged instead. */
#ifndef LAMPPOST_PROTO_ENVELOPE_H
#define LAMPPOST_PROTO_ENVELOPE_H

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/proto/frame_messages.h"
#include "common/proto/gateway_messages.h"
#include "common/proto/join_report.h"
#include "common/proto/network_messages.h"

#include <stddef.h>
#include <stdint.h>

#define PROTO_MAJOR     1
#define PROTO_MINOR     0
#define PROTO_FRAME_MAX (256 * 1024) /* bytes of one framed message */

enum proto_role { PROTO_NETWORK_SERVER, PROTO_GATEWAY_BRIDGE, PROTO_APPLICATION_SERVER, PROTO_ROLE_COUNT };
const char *proto_role_name(enum proto_role role);

struct proto_hello {
	enum proto_role role;
	char name[64]; /* of the instance, for people */
	uint32_t major, minor;
};

struct proto_bye {
	char reason[NET_TEXT_MAX];
	uint64_t seq; /* of the message that the link is closed for; 0: not for one */
};

struct proto_ack {
	uint64_t seq;
};

enum proto_kind {
	PROTO_UNKNOWN,
	PROTO_HELLO,
	PROTO_BYE,
	PROTO_ACK,
	PROTO_GATEWAY_UPLINK,
	PROTO_GATEWAY_TX_ACK,
	PROTO_GATEWAY_STATS,
	PROTO_GATEWAY_PRESENCE,
	PROTO_GATEWAY_DOWNLINK,
	PROTO_GATEWAY_LIST,
	PROTO_UP_EVENT,
	PROTO_JOIN_EVENT,
	PROTO_DOWNLINK_EVENT,
	PROTO_EVENT_STORED,
	PROTO_STATUS_EVENT,
	PROTO_JOIN_REPORT,
	PROTO_AIR_EVENT,
	PROTO_STATE_WANTED,
	PROTO_STATE_BEGIN,
	PROTO_STATE_END,
	PROTO_STATE_APPLIED,
	PROTO_PROFILE,
	PROTO_DEVICE,
	PROTO_GATEWAY,
	PROTO_ENQUEUE,
	PROTO_FLUSH,
	PROTO_SEAL,
	PROTO_SEALED,
	PROTO_FORCE_REJOIN,
	PROTO_FRAMES_WANTED,
	PROTO_FRAME,
	PROTO_KIND_COUNT
};
const char *proto_kind_name(enum proto_kind kind);

/* One decoded message: `kind` says which member of the union holds. */
struct proto_message {
	uint64_t seq;
	enum proto_kind kind;
	union {
		struct proto_hello hello;
		struct proto_bye bye;
		struct proto_ack ack;
		struct gw_uplink gateway_uplink;
		struct gw_tx_ack gateway_tx_ack;
		struct gw_stats gateway_stats;
		struct gw_presence gateway_presence;
		struct gw_downlink gateway_downlink;
		struct gw_gateway_list gateway_list;
		struct net_up_event up_event;
		struct net_join_event join_event;
		struct net_downlink_event downlink_event;
		struct net_event_stored event_stored;
		struct net_status_event status_event;
		struct net_join_report join_report;
		struct net_air_event air_event;
		struct net_state_wanted state_wanted;
		struct net_state_begin state_begin;
		struct net_state_end state_end;
		struct net_state_applied state_applied;
		struct net_profile profile;
		struct net_device device;
		struct net_gateway gateway;
		struct net_enqueue enqueue;
		struct net_flush flush;
		struct net_force_rejoin force_rejoin;
		struct net_seal seal;
		struct net_sealed sealed;
		struct net_frames_wanted frames_wanted;
		struct net_frame frame;
	};
};

/* Packs a message into `bytes` (without the link's length prefix). ST_FULL when `capacity` is too small; a
 * value outside its range is a bug and asserts. `length` is filled on success. */
enum status proto_pack(const struct proto_message *message, uint8_t *bytes, size_t capacity,
		       size_t *length) MUST_USE;

/* Unpacks one message; `scratch` is used during the call alone and is left as it was. Every length, range and enumeration is
 * checked. ST_INVALID otherwise: then `kind` is PROTO_UNKNOWN and `seq` 0, unless the envelope can be read and it is a value of
 * its body that is outside its range: then `kind` and `seq` are those of the message, and the body means nothing. */
enum status proto_unpack(struct proto_message *message, const uint8_t *bytes, size_t length,
			 struct arena *scratch) MUST_USE;

#endif
