/* Inside common/proto alone: how each message's plain value becomes protobuf-c's struct and back. A `pack` fills generated
 * structs on its stack, whose pointers borrow from the message, and hands them to convert_pack(); an `unpack` copies out of
 * the generated struct and checks every length, range and enumeration. envelope.c has the table of all of them. */
#ifndef LAMPPOST_PROTO_CONVERT_H
#define LAMPPOST_PROTO_CONVERT_H

#include "common/proto/envelope.h"
#include "common/proto/lamppost.pb-c.h"

#include "common/base/check.h"

/* Where a packed envelope goes. */
struct packing {
	uint64_t seq;
	uint8_t *bytes;
	size_t capacity;
	size_t length; /* filled */
};

/* Packs the envelope around one generated body. ST_FULL when it does not fit. */
enum status convert_pack(struct packing *to, Lamppost__Envelope__BodyCase body_case, void *body) MUST_USE;

/* Lends bytes and text to a generated struct, whose members are not const though packing only reads. */
ProtobufCBinaryData convert_bytes(const uint8_t *bytes, size_t length);
char *convert_text(const char *text);
/* Copy out; false when the length does not fit. Text keeps its NUL. */
bool convert_take(uint8_t *out, size_t capacity, size_t *length, const ProtobufCBinaryData *in);
bool convert_take_exact(uint8_t *out, size_t length, const ProtobufCBinaryData *in);
bool convert_take_text(char *out, size_t capacity, const char *in);
/* Whether a number that came over the wire is in range of a field. */
bool convert_fits_u8(uint32_t value);
bool convert_fits_i16(int32_t value);

void convert_modulation_out(Lamppost__Modulation *out, const struct lw_modulation *in);
bool convert_modulation_in(struct lw_modulation *out, const Lamppost__Modulation *in);
void convert_head_out(Lamppost__EventHead *out, const struct net_event_head *in);
bool convert_head_in(struct net_event_head *out, const Lamppost__EventHead *in);
/* `tokens` is lent to `out`. */
void convert_gateway_out(Lamppost__Gateway *out, ProtobufCBinaryData tokens[GW_TOKENS_MAX],
			 const struct gw_gateway *in);
bool convert_gateway_in(struct gw_gateway *out, const Lamppost__Gateway *in);

void convert_reception_out(Lamppost__Reception *out, const struct net_reception *in);
bool convert_reception_in(struct net_reception *out, const Lamppost__Reception *in);
/* `modulation` is lent to `out`. */
void convert_attempt_out(Lamppost__TxAttempt *out, Lamppost__Modulation *modulation,
			 const struct gw_tx_attempt *in);
bool convert_attempt_in(struct gw_tx_attempt *out, const Lamppost__TxAttempt *in);

#define CONVERT_PAIR(name)                                                                    \
	enum status pack_##name(const struct proto_message *in, struct packing *to) MUST_USE; \
	bool unpack_##name(struct proto_message *out, const Lamppost__Envelope *in)

CONVERT_PAIR(gateway_uplink);
CONVERT_PAIR(gateway_tx_ack);
CONVERT_PAIR(gateway_stats);
CONVERT_PAIR(gateway_presence);
CONVERT_PAIR(gateway_downlink);
CONVERT_PAIR(gateway_list);
CONVERT_PAIR(up_event);
CONVERT_PAIR(join_event);
CONVERT_PAIR(downlink_event);
CONVERT_PAIR(status_event);
CONVERT_PAIR(join_report);
CONVERT_PAIR(air_event);
CONVERT_PAIR(event_stored);
CONVERT_PAIR(state_wanted);
CONVERT_PAIR(state_begin);
CONVERT_PAIR(state_end);
CONVERT_PAIR(state_applied);
CONVERT_PAIR(profile);
CONVERT_PAIR(device);
CONVERT_PAIR(gateway);
CONVERT_PAIR(enqueue);
CONVERT_PAIR(flush);
CONVERT_PAIR(force_rejoin);
CONVERT_PAIR(seal);
CONVERT_PAIR(sealed);
CONVERT_PAIR(frames_wanted);
CONVERT_PAIR(frame);

#endif
