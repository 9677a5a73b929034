/* See semtech_udp.h; the facts are in docs of the protocol: PROTOCOL.TXT of packet_forwarder, PROTOCOL.md of
 * sx1302_hal, and what gateways were seen to do beyond them.
 *
 * The header, TX_ACK and PULL_RESP are here; the entries of PUSH_DATA in semtech_push.c. */
#include "gateway-bridge/semtech_udp.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "gateway-bridge/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const identifier_names[] = {"PUSH_DATA", "PUSH_ACK", "PULL_DATA",
					       "PULL_RESP", "PULL_ACK", "TX_ACK"};

const char *gb_identifier_name(unsigned identifier)
{
	return identifier < ARRAY_SIZE(identifier_names) ? identifier_names[identifier] : "unknown";
}

enum gb_verdict gb_header_parse(const uint8_t *bytes, size_t length, struct gb_header *header)
{
	struct rd rd = rd_init(bytes, length);
	struct gb_header read = {.version = rd_u8(&rd)};
	rd_copy(&rd, read.token.bytes, sizeof read.token.bytes);
	unsigned identifier = rd_u8(&rd);
	if (!rd_ok(&rd))
		return GB_TRUNCATED;
	if (read.version != 1 && read.version != 2)
		return GB_BAD_VERSION;
	if (identifier >= ARRAY_SIZE(identifier_names))
		return GB_BAD_IDENTIFIER;
	read.identifier = (enum gb_identifier)identifier;
	if (read.identifier != GB_PUSH_DATA && read.identifier != GB_PULL_DATA &&
	    read.identifier != GB_TX_ACK)
		return GB_WRONG_DIRECTION;
	rd_copy(&rd, read.gateway.bytes, sizeof read.gateway.bytes);
	if (!rd_ok(&rd))
		return GB_TRUNCATED;
	*header = read;
	return GB_ACCEPTED;
}

size_t gb_ack_build(const struct gb_header *request, uint8_t bytes[GB_ACK_SIZE])
{
	if (request->identifier == GB_TX_ACK)
		return 0;
	struct wr wr = wr_init(bytes, GB_ACK_SIZE);
	wr_u8(&wr, request->version);
	wr_copy(&wr, request->token.bytes, sizeof request->token.bytes);
	wr_u8(&wr, request->identifier == GB_PUSH_DATA ? GB_PUSH_ACK : GB_PULL_ACK);
	return wr_length(&wr);
}

/* --- TX_ACK */

/* The causes of a gateway's queue: the forwarder's own, then ChirpStack's. */
static const struct {
	const char *cause;
	enum gw_tx_result result;
} causes[] = {
	{"", GW_TX_OK},
	{"NONE", GW_TX_OK},
	{"TOO_LATE", GW_TX_TOO_LATE},
	{"TOO_EARLY", GW_TX_TOO_EARLY},
	{"COLLISION_PACKET", GW_TX_COLLISION_PACKET},
	{"COLLISION_BEACON", GW_TX_COLLISION_BEACON},
	{"TX_FREQ", GW_TX_FREQ},
	{"TX_POWER", GW_TX_POWER},
	{"GPS_UNLOCKED", GW_TX_GPS_UNLOCKED},
	{"QUEUE_FULL", GW_TX_QUEUE_FULL},
	{"DUTY_CYCLE_OVERFLOW", GW_TX_DUTY_CYCLE},
	{"IGNORED", GW_TX_IGNORED},
};

static enum gw_tx_result result_of(const char *cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (strcmp(causes[i].cause, cause) == 0)
			return causes[i].result;
	}
	return GW_TX_OTHER;
}

static bool is_blank_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
			return false;
	}
	return true;
}

enum { ACK_ERROR, ACK_WARN, ACK_VALUE, ACK_ROWS };
static const struct gb_member ack_rows[ACK_ROWS] = {
	[ACK_ERROR] = {"error", GB_MEMBER_STRING, 0, 0},
	[ACK_WARN] = {"warn", GB_MEMBER_STRING, 0, 0},
	[ACK_VALUE] = {"value", GB_MEMBER_INTEGER, -200, 200},
};

static enum gb_verdict read_ack(struct gb_json *json, int object, struct gb_tx_ack *ack)
{
	int values[ACK_ROWS];
	enum gb_verdict verdict = gb_schema_read(json, object, ack_rows, ACK_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	struct gb_tx_ack read = {.outcome = GB_TX_OK, .result = GW_TX_OK};
	char error[GB_CAUSE_TEXT_MAX] = "", warning[GB_CAUSE_TEXT_MAX] = "";
	/* A cause that is cut is still an unknown cause. */
	if (values[ACK_ERROR] != GB_JSON_NONE)
		(void)gb_json_string(json, values[ACK_ERROR], error, sizeof error);
	if (values[ACK_WARN] != GB_JSON_NONE)
		(void)gb_json_string(json, values[ACK_WARN], warning, sizeof warning);
	if (result_of(error) != GW_TX_OK) {
		read.outcome = GB_TX_ERROR;
		read.result = result_of(error);
		memcpy(read.cause, error, sizeof error);
	} else if (result_of(warning) != GW_TX_OK) {
		read.outcome = GB_TX_WARNING;
		memcpy(read.cause, warning, sizeof warning);
		read.has_power = values[ACK_VALUE] != GB_JSON_NONE && result_of(warning) == GW_TX_POWER;
		if (read.has_power)
			read.power_dbm = (int16_t)gb_schema_integer(json, values[ACK_VALUE], 0);
	}
	*ack = read;
	return GB_ACCEPTED;
}

enum gb_verdict gb_tx_ack_parse(struct gb_json *json, const uint8_t *body, size_t length,
				struct gb_tx_ack *ack)
{
	const char *text = (const char *)body;
	static const struct gb_member rows[] = {{"txpk_ack", GB_MEMBER_RAW, 0, 0}};
	if (length > 0 && text[length - 1] == 0)
		length--;
	if (is_blank_text(text, length)) {
		*ack = (struct gb_tx_ack){.outcome = GB_TX_OK, .result = GW_TX_OK};
		return GB_ACCEPTED;
	}
	enum gb_verdict verdict = gb_json_parse(json, text, length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (gb_json_type(json, 0) != GB_JSON_OBJECT)
		return GB_NOT_AN_OBJECT;
	int inner;
	verdict = gb_schema_read(json, 0, rows, ARRAY_SIZE(rows), &inner);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (inner == GB_JSON_NONE) {
		*ack = (struct gb_tx_ack){.outcome = GB_TX_OK, .result = GW_TX_OK};
		return GB_ACCEPTED;
	}
	if (gb_json_type(json, inner) != GB_JSON_OBJECT)
		return GB_WRONG_TYPE;
	return read_ack(json, inner, ack);
}

/* --- PULL_RESP */

/* Text that is built piece by piece; `used` passes the capacity when it did not fit. */
struct text {
	char bytes[GB_PULL_RESP_ROOM];
	size_t used;
};

static void append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct text *text, const char *format, ...)
{
	if (text->used >= sizeof text->bytes)
		return;
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text->bytes + text->used, sizeof text->bytes - text->used, format, arguments);
	va_end(arguments);
	ASSERT(length >= 0);
	text->used += (size_t)length;
}

static void append_time(struct text *text, const struct gw_tx_attempt *attempt)
{
	switch (attempt->timing) {
	case GW_AT_TICKS: append(text, "\"imme\":false,\"tmst\":%" PRIu32, attempt->ticks.us); break;
	case GW_AT_GPS_TIME:
		append(text, "\"imme\":false,\"tmms\":%" PRId64, attempt->gps_time_us / 1000);
		break;
	case GW_IMMEDIATELY: append(text, "\"imme\":true"); break;
	}
}

static void append_modulation(struct text *text, const struct lw_modulation *modulation)
{
	if (modulation->kind == LW_LORA) {
		append(text, "\"modu\":\"LORA\",\"datr\":\"SF%uBW%" PRIu32 "\",\"codr\":\"%s\",\"prea\":8",
		       modulation->spreading_factor, modulation->bandwidth_hz / 1000,
		       modulation->code_rate[0] ? modulation->code_rate : "4/5");
		return;
	}
	uint32_t deviation = modulation->freq_deviation_hz ? modulation->freq_deviation_hz
							   : modulation->bit_rate_bps / 2;
	append(text, "\"modu\":\"FSK\",\"datr\":%" PRIu32 ",\"fdev\":%" PRIu32 ",\"prea\":5",
	       modulation->bit_rate_bps, deviation);
}

/* Board and antenna are named only when they are not the first: some gateways refuse the members, some need
 * them. */
static void append_place(struct text *text, const struct gw_tx_attempt *attempt)
{
	if (attempt->board != 0)
		append(text, ",\"brd\":%" PRIu32, attempt->board);
	if (attempt->antenna != 0)
		append(text, ",\"ant\":%" PRIu32, attempt->antenna);
}

enum gb_verdict gb_pull_resp_build(uint8_t version, struct gb_token token,
				   const struct gw_tx_attempt *attempt, const uint8_t *phy, size_t phy_length,
				   uint8_t *bytes, size_t *length)
{
	if (attempt->modulation.kind == LW_LR_FHSS || phy_length > LW_PHY_PAYLOAD_MAX)
		return GB_BEYOND_RADIO;
	char data[BASE64_ROOM(LW_PHY_PAYLOAD_MAX)];
	base64_encode(data, phy, phy_length);

	struct text text = {.used = 0};
	append(&text, "{\"txpk\":{");
	append_time(&text, attempt);
	append(&text, ",\"freq\":%" PRIu32 ".%06" PRIu32 ",\"rfch\":0,\"powe\":%d,",
	       attempt->freq_hz / 1000000, attempt->freq_hz % 1000000, attempt->power_dbm);
	append_modulation(&text, &attempt->modulation);
	append(&text, ",\"ipol\":%s,\"ncrc\":true", attempt->invert_polarity ? "true" : "false");
	append_place(&text, attempt);
	append(&text, ",\"size\":%zu,\"data\":\"%s\"}}", phy_length, data);

	struct wr wr = wr_init(bytes, GB_PULL_RESP_ROOM);
	wr_u8(&wr, version);
	wr_copy(&wr, token.bytes, sizeof token.bytes);
	wr_u8(&wr, GB_PULL_RESP);
	if (text.used >= sizeof text.bytes)
		return GB_BEYOND_RADIO;
	wr_copy(&wr, (const uint8_t *)text.bytes, text.used);
	if (!wr_ok(&wr))
		return GB_BEYOND_RADIO;
	*length = wr_length(&wr);
	return GB_ACCEPTED;
}
