/* The judge: what is promised (DESIGN 3), held against what is seen after every step, from both ends. The devices' own records and
 * the bytes on the air are one side, events and items of the servers the other; the judge shares with the servers
 * nothing but bytes and ciphers.
 *
 *	a frame (judge_frames.c)          sent ─▶ committed once, under one event id ─▶ at the subscriber, with the device's plaintext
 *	                                          └─ acknowledged to the device only if committed
 *	the air (judge_air.c)             no FCntDown, no JoinNonce, no DevNonce for two contents; no downlink that its device cannot
 *	                                  take; no gateway above its share of the hour
 *	an item (judge_items.c)           accepted ─▶ acknowledged only if the device got it; it ends, and is not lost
 *	at the end (judge.c)              both sides agree on the MAC state; the journal is folded and emptied */
#ifndef LAMPPOST_TESTS_WORLD_JUDGE_H
#define LAMPPOST_TESTS_WORLD_JUDGE_H

#include "common/proto/envelope.h"
#include "tests/simulation/world/world_parts.h"

/* One frame of a device, however often it was transmitted. */
struct judge_frame {
	uint32_t dev_addr, fcnt;
	int64_t sent_us;
	int fport;
	uint8_t length;
	uint8_t payload[16];
	bool reading, committed;
	struct net_uuid id; /* of its event, once committed */
	unsigned delivered;
};

/* What was used up, and for what: a map from a number to the hash of a content. */
struct judge_map {
	struct judge_entry {
		uint64_t key, content; /* key 0: free */
	} * entries;
	size_t count, room;
};

struct judge_device {
	struct judge_frame *frames; /* owned, in order of sending */
	size_t count, room;
	size_t looked;           /* frames before it have all been delivered */
	int64_t served_us;       /* when the last reading that was delivered had been sent */
	int64_t acknowledged_us; /* when the last frame that was acknowledged was over */
	uint32_t accepts;
};

struct judge_item {
	unsigned received; /* times that the device got it */
	bool acknowledged; /* the network server said so */
	bool planned;
	bool taken_back; /* a gateway said that it did not send it, or the network server died before it knew: it goes again */
	bool ended;
};

#define JUDGE_BANDS 8
struct judge_air_use {
	struct {
		int64_t end_us, airtime_us;
	} * sent;
	size_t first, count, room;
	int64_t sum_us;
};

struct judge {
	uint64_t join_row; /* the last join event's; a restart reads them again */
	struct judge_device *devices;
	struct judge_map counters;    /* FCntDown of a session → frame */
	struct judge_map join_nonces; /* of a device → join-accept */
	struct judge_map dev_nonces;  /* of a device → join-accept */
	struct judge_air_use air[WORLD_GATEWAYS_MAX][JUDGE_BANDS];
	struct judge_item *items; /* by command */
	size_t item_room;
	size_t entries_seen, air_seen;
	struct aes *aes;
	struct arena arena;
	struct proto_message *message;
	struct world_totals totals;
};

/* Whether the number was used for another content before; notes it. */
bool judge_used_twice(struct judge_map *map, uint64_t key, const uint8_t *bytes, size_t length);

/* --- judge_frames.c */
/* The device of a DevEUI; −1: none of the world's. */
int judge_device_of(const struct world *world, const struct lw_eui64 *dev_eui);
void judge_uplink(struct world *world, const struct sim_record *record);
void judge_outcome(struct world *world, const struct sim_record *record);
void judge_up_event(struct world *world, const struct net_up_event *event);
void judge_frames_end(struct world *world);

/* --- judge_air.c */
void judge_downlink_at_device(struct world *world, const struct sim_record *record);
void judge_on_air(struct world *world, const struct sim_air_entry *entry);

/* --- judge_items.c */
struct judge_item *judge_item(struct world *world, size_t number);
void judge_command_received(struct world *world, const struct sim_record *record);
void judge_downlink_event(struct world *world, const struct net_downlink_event *event);
bool judge_items_ended(struct world *world, char *who, size_t capacity);

#endif
