/* What the core wants sent, in order, drained only after the turn's commit (invariant 2 holds by that). Bounded: a
 * producer asks ns_outbox_room() before it changes anything that it could not take back. */
#ifndef LAMPPOST_NETWORK_SERVER_OUTBOX_H
#define LAMPPOST_NETWORK_SERVER_OUTBOX_H

#include "common/backend/ts002.h"
#include "common/base/units.h"
#include "common/proto/gateway_messages.h"
#include "common/proto/network_messages.h"
#include "network-server/join_servers.h"

enum ns_out_kind {
	NS_OUT_ACK,           /* to a bridge: `seq` */
	NS_OUT_DOWNLINK,      /* to a bridge */
	NS_OUT_EVENT,         /* to the application server: packed, in the turn's blob */
	NS_OUT_SEAL,          /* to the application server */
	NS_OUT_STATE_APPLIED, /* to the application server: `seq` is the version */
	NS_OUT_STATE_WANTED,  /* to the application server: what we have */
	NS_OUT_JOIN           /* to the join server of `join_eui` */
};

struct ns_join_call {
	enum bi_type type; /* BI_JOIN_REQ or BI_REJOIN_REQ */
	uint32_t transaction;
	uint8_t server; /* place in the configuration's join_servers, NS_JOIN_SERVER_OURS: the city's own */
	struct lw_eui64 join_eui;
	struct bi_join_req request;
};

/* What a downlink is, for the share of those that leave early enough. */
enum ns_out_answer {
	NS_OUT_NOT_COUNTED, /* not the first attempt, or a command that came after its time */
	NS_OUT_ANSWER,
	NS_OUT_JOIN_ACCEPT
};

struct ns_out {
	enum ns_out_kind kind;
	enum ns_out_answer answer;
	struct mono rx1; /* when RX1 opens */
	uint64_t link;   /* of a bridge */
	uint64_t seq;
	union {
		struct gw_downlink downlink;
		struct {
			size_t offset, length; /* in the turn's blob */
			uint64_t row;
		} event;
		struct net_seal seal;
		struct ns_join_call join;
	};
};

struct ns_outbox {
	struct ns_out *entries; /* owned */
	size_t count, capacity;
};

void ns_outbox_init(struct ns_outbox *outbox, size_t capacity);
void ns_outbox_release(struct ns_outbox *outbox);
size_t ns_outbox_room(const struct ns_outbox *outbox);
/* Lends a zeroed entry to fill; NULL when full. */
struct ns_out *ns_outbox_add(struct ns_outbox *outbox, enum ns_out_kind kind);
void ns_outbox_clear(struct ns_outbox *outbox);

#endif
