/* One table of messages serves packing, unpacking and names. Unpacking draws from the caller's arena through protobuf-c's
 * allocator port, so nothing is freed one by one; the arena's mark is put back at the end. */
#include "common/proto/envelope.h"

#include "common/proto/convert.h"

static enum status pack_hello(const struct proto_message *message, struct packing *to)
{
	const struct proto_hello *in = &message->hello;
	Lamppost__Hello out = LAMPPOST__HELLO__INIT;
	out.role = (uint32_t)in->role;
	out.name = convert_text(in->name);
	out.major = in->major;
	out.minor = in->minor;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_HELLO, &out);
}

static bool unpack_hello(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__Hello *in = envelope->hello;
	if (in->role >= PROTO_ROLE_COUNT)
		return false;
	struct proto_hello *out = &message->hello;
	*out = (struct proto_hello){
		.role = (enum proto_role)in->role, .major = in->major, .minor = in->minor};
	return convert_take_text(out->name, sizeof out->name, in->name);
}

static enum status pack_bye(const struct proto_message *message, struct packing *to)
{
	Lamppost__Bye out = LAMPPOST__BYE__INIT;
	out.reason = convert_text(message->bye.reason);
	out.has_seq = message->bye.seq != 0;
	out.seq = message->bye.seq;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_BYE, &out);
}

static bool unpack_bye(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	message->bye.seq = envelope->bye->has_seq ? envelope->bye->seq : 0;
	return convert_take_text(message->bye.reason, sizeof message->bye.reason, envelope->bye->reason);
}

static enum status pack_ack(const struct proto_message *message, struct packing *to)
{
	Lamppost__Ack out = LAMPPOST__ACK__INIT;
	out.seq = message->ack.seq;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_ACK, &out);
}

static bool unpack_ack(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	message->ack = (struct proto_ack){.seq = envelope->ack->seq};
	return true;
}

#define ROW(KIND, name) [PROTO_##KIND] = {#name, LAMPPOST__ENVELOPE__BODY_##KIND, pack_##name, unpack_##name}

static const struct row {
	const char *name;
	Lamppost__Envelope__BodyCase body_case;
	enum status (*pack)(const struct proto_message *in, struct packing *to);
	bool (*unpack)(struct proto_message *out, const Lamppost__Envelope *in);
} rows[PROTO_KIND_COUNT] = {
	[PROTO_UNKNOWN] = {"unknown", LAMPPOST__ENVELOPE__BODY__NOT_SET, NULL, NULL},
	ROW(HELLO, hello),
	ROW(BYE, bye),
	ROW(ACK, ack),
	ROW(GATEWAY_UPLINK, gateway_uplink),
	ROW(GATEWAY_TX_ACK, gateway_tx_ack),
	ROW(GATEWAY_STATS, gateway_stats),
	ROW(GATEWAY_PRESENCE, gateway_presence),
	ROW(GATEWAY_DOWNLINK, gateway_downlink),
	ROW(GATEWAY_LIST, gateway_list),
	ROW(UP_EVENT, up_event),
	ROW(JOIN_EVENT, join_event),
	ROW(DOWNLINK_EVENT, downlink_event),
	ROW(EVENT_STORED, event_stored),
	ROW(STATUS_EVENT, status_event),
	ROW(JOIN_REPORT, join_report),
	ROW(AIR_EVENT, air_event),
	ROW(STATE_WANTED, state_wanted),
	ROW(STATE_BEGIN, state_begin),
	ROW(STATE_END, state_end),
	ROW(STATE_APPLIED, state_applied),
	ROW(PROFILE, profile),
	ROW(DEVICE, device),
	ROW(GATEWAY, gateway),
	ROW(ENQUEUE, enqueue),
	ROW(FLUSH, flush),
	ROW(SEAL, seal),
	ROW(SEALED, sealed),
	ROW(FORCE_REJOIN, force_rejoin),
	ROW(FRAMES_WANTED, frames_wanted),
	ROW(FRAME, frame),
};

const char *proto_kind_name(enum proto_kind kind)
{
	return (unsigned)kind < PROTO_KIND_COUNT ? rows[kind].name : "unknown";
}

const char *proto_role_name(enum proto_role role)
{
	static const char *const names[PROTO_ROLE_COUNT] = {
		[PROTO_NETWORK_SERVER] = "network-server",
		[PROTO_GATEWAY_BRIDGE] = "gateway-bridge",
		[PROTO_APPLICATION_SERVER] = "application-server",
	};
	return (unsigned)role < PROTO_ROLE_COUNT ? names[role] : "unknown";
}

const char *gw_protocol_name(enum gw_protocol protocol)
{
	static const char *const names[GW_PROTOCOL_COUNT] = {
		[GW_SEMTECH_UDP_V1] = "semtech-udp-1",
		[GW_SEMTECH_UDP_V2] = "semtech-udp-2",
		[GW_BASICS_STATION] = "basics-station",
		[GW_CHIRPSTACK_MQTT] = "chirpstack-mqtt",
	};
	ASSERT((unsigned)protocol < GW_PROTOCOL_COUNT);
	return names[protocol];
}

const char *gw_tx_result_name(enum gw_tx_result result)
{
	static const char *const names[GW_TX_RESULT_COUNT] = {
		[GW_TX_OK] = "ok",
		[GW_TX_TOO_LATE] = "too_late",
		[GW_TX_TOO_EARLY] = "too_early",
		[GW_TX_COLLISION_PACKET] = "collision_packet",
		[GW_TX_COLLISION_BEACON] = "collision_beacon",
		[GW_TX_FREQ] = "tx_freq",
		[GW_TX_POWER] = "tx_power",
		[GW_TX_GPS_UNLOCKED] = "gps_unlocked",
		[GW_TX_QUEUE_FULL] = "queue_full",
		[GW_TX_DUTY_CYCLE] = "duty_cycle",
		[GW_TX_IGNORED] = "ignored",
		[GW_TX_NO_PATH] = "no_path",
		[GW_TX_NO_ANSWER] = "no_answer",
		[GW_TX_OTHER] = "other",
	};
	return (unsigned)result < GW_TX_RESULT_COUNT ? names[result] : "unknown";
}

const char *net_item_status_name(enum net_item_status status)
{
	static const char *const names[NET_ITEM_STATUS_COUNT] = {
		[NET_ITEM_QUEUED] = "queued",   [NET_ITEM_PLANNED] = "planned",
		[NET_ITEM_SENT] = "sent",       [NET_ITEM_ACKNOWLEDGED] = "acknowledged",
		[NET_ITEM_FAILED] = "failed",   [NET_ITEM_EXPIRED] = "expired",
		[NET_ITEM_REFUSED] = "refused", [NET_ITEM_STALE_COUNTER] = "stale_counter",
	};
	return (unsigned)status < NET_ITEM_STATUS_COUNT ? names[status] : "unknown";
}

enum status proto_pack(const struct proto_message *message, uint8_t *bytes, size_t capacity, size_t *length)
{
	ASSERT(message->kind > PROTO_UNKNOWN && message->kind < PROTO_KIND_COUNT);
	struct packing to = {.seq = message->seq, .bytes = bytes, .capacity = capacity};
	enum status status = rows[message->kind].pack(message, &to);
	if (status == ST_OK)
		*length = to.length;
	return status;
}

static void *arena_port_alloc(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void arena_port_free(void *arena, void *pointer)
{
	(void)arena;
	(void)pointer;
}

static enum proto_kind kind_of(Lamppost__Envelope__BodyCase body_case)
{
	for (unsigned kind = PROTO_UNKNOWN + 1; kind < PROTO_KIND_COUNT; kind++) {
		if (rows[kind].body_case == body_case)
			return (enum proto_kind)kind;
	}
	return PROTO_UNKNOWN;
}

enum status proto_unpack(struct proto_message *message, const uint8_t *bytes, size_t length,
			 struct arena *scratch)
{
	size_t mark = scratch->used;
	ProtobufCAllocator allocator = {arena_port_alloc, arena_port_free, scratch};
	enum status status = ST_INVALID;
	message->kind = PROTO_UNKNOWN;
	message->seq = 0;
	Lamppost__Envelope *envelope = lamppost__envelope__unpack(&allocator, length, bytes);
	if (!envelope)
		goto out;
	message->seq = envelope->seq;
	message->kind = kind_of(envelope->body_case);
	if (message->kind == PROTO_UNKNOWN || rows[message->kind].unpack(message, envelope))
		status = ST_OK;
out:
	scratch->used = mark;
	return status;
}
