/* ChirpStack's gateway interface over MQTT: topics and protobuf bodies to plain values and back. Pure.
 *
 *	[prefix/]gateway/EUI/event/up        Uplink       gateway ──▶      EUI: 16 lower-case digits
 *	                     event/stats     Stats        gateway ──▶
 *	                     event/ack       Ack          gateway ──▶
 *	                     state/conn      Connection   gateway ──▶      retained; OFFLINE is its last will
 *	                     command/down    Downlink     ──▶ gateway
 *
 * A body names its gateway a second time; one that names another than its topic is refused, since the broker's access rules are
 * about topics. The context of an uplink is the gateway's own: kept as bytes, given back with the answer, and looked into only
 * where its length is that of a form that is known (4: the counter, 16: rctx and xtime of a Basics Station).
 *
 * Invariants: a body that is refused has a verdict; out-parameters are filled with GB_ACCEPTED alone. */
#ifndef LAMPPOST_BRIDGE_CHIRPSTACK_H
#define LAMPPOST_BRIDGE_CHIRPSTACK_H

#include "common/base/arena.h"
#include "gateway-bridge/semtech_udp.h"

#define GB_CHIRPSTACK_BODY_MAX    32768 /* of an event; longer ones are refused unread */
#define GB_CHIRPSTACK_SCRATCH     (512u << 10)
#define GB_CHIRPSTACK_CONTEXT_MAX 64
#define GB_CHIRPSTACK_ITEMS_MAX   GW_ATTEMPTS_MAX
#define GB_CHIRPSTACK_DOWN_ROOM   4096 /* no command is longer */
#define GB_CHIRPSTACK_PREFIX_MAX  40   /* "eu868", "city/eu868"; without the slash behind it */
#define GB_CHIRPSTACK_TOPIC_MAX   96
#define GB_CHIRPSTACK_TEXT_MAX    32 /* of the texts in statistics; longer ones are cut */

enum gb_chirpstack_kind {
	GB_CHIRPSTACK_UP,
	GB_CHIRPSTACK_STATS,
	GB_CHIRPSTACK_ACK,
	GB_CHIRPSTACK_CONN,
	GB_CHIRPSTACK_OTHER /* exec, raw, mesh and whatever comes later: nothing is done about it */
};

struct gb_chirpstack_topic {
	char prefix[GB_CHIRPSTACK_PREFIX_MAX]; /* "": none */
	struct lw_eui64 gateway;
	enum gb_chirpstack_kind kind;
};

/* Reads the topic of a message from a gateway. GB_ACCEPTED, GB_MQTT_TOPIC. A prefix is printable ASCII without space, quote and
 * backslash. */
enum gb_verdict gb_chirpstack_topic(const char *topic, struct gb_chirpstack_topic *out);
/* Fills the topic of this gateway's commands. */
void gb_chirpstack_down_topic(char topic[GB_CHIRPSTACK_TOPIC_MAX], const char *prefix,
			      const struct lw_eui64 *gateway);

/* --- bodies. `gateway` is the topic's; `scratch` is left as it was. All of them may answer GB_MQTT_JSON (the body is JSON, the
 * interface's other encoding), GB_TOO_LONG, GB_NOT_PROTOBUF, GB_MISSING_MEMBER, GB_ID_DIFFERS, GB_OUT_OF_RANGE. */

struct gb_chirpstack_context {
	uint8_t length;
	uint8_t bytes[GB_CHIRPSTACK_CONTEXT_MAX];
};

struct gb_chirpstack_uplink {
	struct gb_rxpk rxpk; /* ticks: of a known context; else 0 */
	bool has_ticks;
	struct gb_chirpstack_context context; /* length 0: the gateway gave none, or one that is too long */
	bool context_too_long;
	uint32_t uplink_id;
};
/* Beside the above: GB_BAD_FREQUENCY, GB_BAD_MODULATION, GB_BAD_DATA_RATE. */
enum gb_verdict gb_chirpstack_uplink(struct arena *scratch, const uint8_t *bytes, size_t length,
				     const struct lw_eui64 *gateway, struct gb_chirpstack_uplink *out);

struct gb_chirpstack_stats {
	struct gw_stats stats; /* but for the arrival */
	char model[GB_CHIRPSTACK_TEXT_MAX], program[GB_CHIRPSTACK_TEXT_MAX], hal[GB_CHIRPSTACK_TEXT_MAX];
};
enum gb_verdict gb_chirpstack_stats(struct arena *scratch, const uint8_t *bytes, size_t length,
				    const struct lw_eui64 *gateway, struct gb_chirpstack_stats *out);

enum gb_verdict gb_chirpstack_conn(struct arena *scratch, const uint8_t *bytes, size_t length,
				   const struct lw_eui64 *gateway, bool *online);

struct gb_chirpstack_ack {
	uint32_t downlink_id;
	size_t count; /* 1 .. GB_CHIRPSTACK_ITEMS_MAX */
	uint32_t statuses[GB_CHIRPSTACK_ITEMS_MAX];
};
enum gb_verdict gb_chirpstack_ack(struct arena *scratch, const uint8_t *bytes, size_t length,
				  const struct lw_eui64 *gateway, struct gb_chirpstack_ack *out);

/* What a status says: "OK", "TOO_LATE", ...; "STATUS_77" for a number that the interface does not have. */
void gb_chirpstack_status_text(uint32_t status, char text[GW_CAUSE_MAX]);
enum gw_tx_result gb_chirpstack_result(uint32_t status);
/* Which item of an acknowledgement tells what became of the downlink: the one that was sent, else the last that was tried, else
 * the first. */
size_t gb_chirpstack_telling(const struct gb_chirpstack_ack *ack);

/* --- downlinks */

/* One attempt of a downlink with the context that it goes by; GW_AT_TICKS: `delay_us` behind its uplink. */
struct gb_chirpstack_item {
	const struct gw_tx_attempt *attempt;         /* borrowed */
	const struct gb_chirpstack_context *context; /* borrowed; NULL: none */
	span_us delay_us;
};

/* Writes the command; `bytes` has GB_CHIRPSTACK_DOWN_ROOM. GB_BEYOND_RADIO: LR-FHSS only goes up. */
enum gb_verdict gb_chirpstack_down(uint32_t downlink_id, const struct lw_eui64 *gateway,
				   const struct gb_chirpstack_item *items, size_t count, const uint8_t *phy,
				   size_t phy_length, uint8_t *bytes, size_t *length);

#endif
