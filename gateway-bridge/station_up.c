/* What a station says: each msgtype is a row with its reader. */
#include "gateway-bridge/station_fields.h"

#include "common/base/check.h"
#include "gateway-bridge/schema.h"

#include <string.h>

#define WORD  -2147483648.0, 4294967295.0 /* 32 bits, signed or not */
#define INT64 0, 9223372036854774784.0

static const struct gb_member up_rows[UP_ROWS] = {
	[UP_MSGTYPE] = {"msgtype", GB_MEMBER_STRING, 0, 0},
	[UP_MHDR] = {"MHdr", GB_MEMBER_INTEGER, 0, 255},
	[UP_JOIN_EUI] = {"JoinEui", GB_MEMBER_STRING, 0, 0},
	[UP_JOIN_EUI_UPPER] = {"JoinEUI", GB_MEMBER_STRING, 0, 0},
	[UP_DEV_EUI] = {"DevEui", GB_MEMBER_RAW, 0, 0},
	[UP_DEV_EUI_UPPER] = {"DevEUI", GB_MEMBER_RAW, 0, 0},
	[UP_DEV_NONCE] = {"DevNonce", GB_MEMBER_INTEGER, 0, 65535},
	[UP_DEV_ADDR] = {"DevAddr", GB_MEMBER_INTEGER, WORD},
	[UP_FCTRL] = {"FCtrl", GB_MEMBER_INTEGER, 0, 255},
	[UP_FCNT] = {"FCnt", GB_MEMBER_INTEGER, 0, 65535},
	[UP_FOPTS] = {"FOpts", GB_MEMBER_STRING, 0, 0},
	[UP_FPORT] = {"FPort", GB_MEMBER_INTEGER, -1, 255},
	[UP_FRM_PAYLOAD] = {"FRMPayload", GB_MEMBER_STRING, 0, 0},
	[UP_MIC] = {"MIC", GB_MEMBER_INTEGER, WORD},
	[UP_PDU] = {"pdu", GB_MEMBER_STRING, 0, 0},
	[UP_DR] = {"DR", GB_MEMBER_INTEGER, 0, 255},
	[UP_FREQ] = {"Freq", GB_MEMBER_INTEGER, 0, 4294967295.0},
	[UP_UPINFO] = {"upinfo", GB_MEMBER_OBJECT, 0, 0},
	[UP_DIID] = {"diid", GB_MEMBER_INTEGER, 0, 0},
	[UP_RCTX] = {"rctx", GB_MEMBER_INTEGER, 0, 0},
	[UP_XTIME] = {"xtime", GB_MEMBER_INTEGER, INT64},
	[UP_GPSTIME] = {"gpstime", GB_MEMBER_INTEGER, INT64},
	[UP_TXTIME] = {"txtime", GB_MEMBER_REAL, 0, 0},
	[UP_STATION] = {"station", GB_MEMBER_STRING, 0, 0},
	[UP_FIRMWARE] = {"firmware", GB_MEMBER_STRING, 0, 0},
	[UP_PACKAGE] = {"package", GB_MEMBER_STRING, 0, 0},
	[UP_MODEL] = {"model", GB_MEMBER_STRING, 0, 0},
	[UP_PROTOCOL] = {"protocol", GB_MEMBER_INTEGER, 0, 65535},
	[UP_FEATURES] = {"features", GB_MEMBER_RAW, 0, 0},
	[UP_RMTSH] = {"rmtsh", GB_MEMBER_RAW, 0, 0},
};

int64_t gb_station_number(const struct gb_station_reading *of, int row)
{
	return gb_schema_integer(of->json, of->values[row], 0);
}

bool gb_station_has_all(const struct gb_station_reading *of, const int *rows)
{
	for (; *rows >= 0; rows++)
		if (of->values[*rows] == GB_JSON_NONE)
			return false;
	return true;
}

static void read_text(const struct gb_station_reading *of, int row, char text[GB_STATION_TEXT_MAX])
{
	if (of->values[row] != GB_JSON_NONE)
		(void)gb_json_string(of->json, of->values[row], text, GB_STATION_TEXT_MAX);
}

static void note_feature(struct gb_station_version *version, const char *name, size_t length)
{
	struct {
		const char *name;
		bool *has;
	} known[] = {{"rmtsh", &version->rmtsh}, {"prod", &version->prod}, {"gps", &version->gps}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
			*known[i].has = true;
}

/* A text with blanks between, or an array of texts. */
static bool read_features(const struct gb_station_reading *of, struct gb_station_version *version)
{
	char text[256];
	int value = of->values[UP_FEATURES];
	if (value == GB_JSON_NONE)
		return true;
	if (gb_json_type(of->json, value) == GB_JSON_STRING) {
		(void)gb_json_string(of->json, value, text, sizeof text);
		for (const char *at = text; *at != 0;) {
			size_t length = strcspn(at, " ,");
			note_feature(version, at, length);
			at += length + (at[length] != 0);
		}
		return true;
	}
	if (gb_json_type(of->json, value) != GB_JSON_ARRAY)
		return false;
	for (int at = gb_json_first(of->json, value); at != GB_JSON_NONE;
	     at = gb_json_next(of->json, value, at)) {
		if (gb_json_type(of->json, at) != GB_JSON_STRING)
			return false;
		if (gb_json_string(of->json, at, text, sizeof text))
			note_feature(version, text, strlen(text));
	}
	return true;
}

static enum gb_verdict read_version(const struct gb_station_reading *of)
{
	struct gb_station_version *version = &of->message->version;
	read_text(of, UP_STATION, version->station);
	read_text(of, UP_FIRMWARE, version->firmware);
	read_text(of, UP_PACKAGE, version->package);
	read_text(of, UP_MODEL, version->model);
	version->protocol = gb_station_number(of, UP_PROTOCOL);
	return read_features(of, version) ? GB_ACCEPTED : GB_WRONG_TYPE;
}

static enum gb_verdict read_dntxed(const struct gb_station_reading *of)
{
	struct gb_station_sent *sent = &of->message->sent;
	struct lw_eui64 dev_eui;
	int eui = of->values[UP_DEV_EUI] != GB_JSON_NONE ? of->values[UP_DEV_EUI]
							 : of->values[UP_DEV_EUI_UPPER];
	if (!GB_STATION_HAS_ALL(of, UP_DIID, UP_XTIME))
		return GB_MISSING_MEMBER;
	if (eui != GB_JSON_NONE && !gb_station_identifier(of->json, eui, &dev_eui))
		return GB_BAD_EUI;
	sent->diid = gb_station_number(of, UP_DIID);
	sent->xtime = gb_station_number(of, UP_XTIME);
	sent->rctx = gb_station_number(of, UP_RCTX);
	sent->gps_time_us = gb_station_number(of, UP_GPSTIME);
	sent->has_gps_time = sent->gps_time_us > 0;
	return GB_ACCEPTED;
}

static enum gb_verdict read_timesync(const struct gb_station_reading *of)
{
	if (of->values[UP_TXTIME] == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	return gb_json_number_text(of->json, of->values[UP_TXTIME], of->message->txtime,
				   sizeof of->message->txtime)
		       ? GB_ACCEPTED
		       : GB_OUT_OF_RANGE;
}

/* {"rmtsh": [{"user", "started", "age", "pid"}, ...]}: the first is the one that we start. */
static enum gb_verdict read_shells(const struct gb_station_reading *of)
{
	static const struct gb_member rows[] = {{"started", GB_MEMBER_BOOL, 0, 0}};
	int array = of->values[UP_RMTSH], first, started;
	if (array == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	if (gb_json_type(of->json, array) != GB_JSON_ARRAY)
		return GB_WRONG_TYPE;
	first = gb_json_first(of->json, array);
	if (first == GB_JSON_NONE)
		return GB_ACCEPTED;
	if (gb_json_type(of->json, first) != GB_JSON_OBJECT)
		return GB_WRONG_TYPE;
	enum gb_verdict verdict = gb_schema_read(of->json, first, rows, 1, &started);
	of->message->shell_runs = verdict == GB_ACCEPTED && started != GB_JSON_NONE &&
				  gb_json_bool(of->json, started);
	return verdict;
}

static enum gb_verdict read_ignored(const struct gb_station_reading *of)
{
	(void)of;
	return GB_ACCEPTED;
}

static const struct {
	const char *msgtype;
	enum gb_station_kind kind;
	enum gb_verdict (*read)(const struct gb_station_reading *of);
} kinds[] = {
	{"updf", GB_STATION_FRAME, gb_station_updf},     {"jreq", GB_STATION_FRAME, gb_station_jreq},
	{"rejoin", GB_STATION_FRAME, gb_station_rejoin}, {"propdf", GB_STATION_FRAME, gb_station_propdf},
	{"dntxed", GB_STATION_SENT, read_dntxed},        {"timesync", GB_STATION_TIMESYNC, read_timesync},
	{"version", GB_STATION_VERSION, read_version},   {"dndf", GB_STATION_OVERHEARD, gb_station_dndf},
	{"jacc", GB_STATION_OVERHEARD, gb_station_jacc}, {"getxtime", GB_STATION_IGNORED, read_ignored},
	{"rmtsh", GB_STATION_SHELLS, read_shells},       {"event", GB_STATION_EVENT_TOLD, read_ignored},
	{"error", GB_STATION_ERROR_TOLD, read_ignored},
};

enum gb_verdict gb_station_parse(struct gb_json *json, const char *text, size_t length,
				 const struct lw_region *region, struct gb_station_message *message)
{
	int values[UP_ROWS];
	enum gb_verdict verdict = gb_station_open(json, text, length);
	if (verdict == GB_ACCEPTED)
		verdict = gb_schema_read(json, 0, up_rows, UP_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (values[UP_MSGTYPE] == GB_JSON_NONE)
		return GB_MISSING_MEMBER;
	struct gb_station_message read = {0};
	const struct gb_station_reading of = {json, region, values, &read};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!gb_json_equals(json, values[UP_MSGTYPE], kinds[i].msgtype))
			continue;
		read.kind = kinds[i].kind;
		verdict = kinds[i].read(&of);
		if (verdict == GB_ACCEPTED)
			*message = read;
		return verdict;
	}
	return GB_UNKNOWN_MESSAGE;
}
