/* A downlink item: something that an agency wants sent to a device, from the command until its end. The network server plans
 * and sends; this side keeps the payload, the fate and the history.
 *
 *	         ┌────── again, with a cause ──────┐
 *	QUEUED ──┴▶ PLANNED ──▶ SENT ──(confirmed)─┴▶ ACKNOWLEDGED │ FAILED
 *	   │           │          └─(unconfirmed: the end)
 *	   └───────────┴──▶ FAILED │ EXPIRED │ REFUSED │ STALE_COUNTER
 *
 * Invariants: an item that has ended never moves again, whatever a repeated or restored event says; the same event twice
 * changes nothing; the payload is sealed while it waits and gone once the item has ended. Pure. */
#ifndef LAMPPOST_AS_ITEM_H
#define LAMPPOST_AS_ITEM_H

#include "application-server/keys.h"
#include "common/proto/network_messages.h"

#define AS_ITEM_SEALED   (NET_PAYLOAD_MAX + SECRET_SEAL_OVERHEAD)
#define AS_ITEM_PORT_MAX 223 /* TS001 §4.3.2: beyond are test and standard packages of the network's own */
#define AS_PRIORITY_MAX  6

struct as_item {
	/* What was asked for; fixed. */
	struct net_uuid item;
	struct lw_eui64 dev_eui;
	struct net_uuid agency; /* at the time */
	uint8_t fport;
	uint8_t length; /* of the payload */
	bool confirmed;
	uint8_t priority;    /* 0 lowest .. AS_PRIORITY_MAX */
	struct wall expires; /* .us 0: never */
	bool encrypted;      /* by the agency, under fcnt_given */
	uint32_t fcnt_given;
	uint8_t digest[SECRET_HASH]; /* keyed, of all of the above but the expiry */
	uint32_t airtime_us;         /* about, while it waits: it counts for quotas */
	/* What became of it. */
	enum net_item_status status;
	bool ended;
	bool flushing; /* the network server has been, or is to be, told to drop it */
	bool has_fcnt_down;
	uint32_t fcnt_down;
	bool has_gateway;
	struct lw_eui64 gateway;
	uint8_t tries;
	char cause[NET_TEXT_MAX];
	struct wall created, changed;
	/* as_item_seal(); none once it has ended. */
	uint8_t sealed[AS_ITEM_SEALED];
	size_t sealed_length;
};

/* Fills length, digest and sealed payload from the rest of the item and the payload in clear. */
void as_item_seal(const struct as_keys *keys, struct as_item *item, const uint8_t *payload, size_t length);
/* Opens the payload into `payload`, item->length bytes; false when it is gone or not ours. The caller wipes it. */
bool as_item_open(const struct as_keys *keys, const struct as_item *item, uint8_t payload[NET_PAYLOAD_MAX]);
/* Whether the two were asked for alike (as_item_seal() has been called on both). */
bool as_item_same(const struct as_item *a, const struct as_item *b);

/* Whether an item that has come to `status` moves no more. */
bool as_item_is_end(enum net_item_status status, bool confirmed);
/* Whether the item may move there: forward, or back to the queue for another try. */
bool as_item_may_move(const struct as_item *item, enum net_item_status to);

/* Keyed hash for what must be known again and not be guessed back (payloads of one byte are). */
void as_keyed_hash(const struct as_keys *keys, uint8_t hash[SECRET_HASH], const void *bytes, size_t length);

#endif
