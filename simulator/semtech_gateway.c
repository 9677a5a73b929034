/* The way down is JSON that a program wrote, so a general reader (jansson) does the grammar: UTF-8, numbers,
 * duplicates. The rules of the members are rows of a table below; each row says what the member must be
 * before anything looks at its value. */
#include "simulator/semtech_gateway.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <jansson.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PUSH_ACK = 1, PULL_RESP = 3, PULL_ACK = 4 };

#define DEPTH_MAX 8

static const char *const verdict_names[SIM_DOWN_VERDICT_COUNT] = {
	[SIM_DOWN_OK] = "ok",
	[SIM_DOWN_TRUNCATED] = "truncated",
	[SIM_DOWN_BAD_VERSION] = "bad_version",
	[SIM_DOWN_BAD_IDENTIFIER] = "bad_identifier",
	[SIM_DOWN_BAD_LENGTH] = "bad_length",
	[SIM_DOWN_BAD_JSON] = "bad_json",
	[SIM_DOWN_TOO_DEEP] = "too_deep",
	[SIM_DOWN_NO_TXPK] = "no_txpk",
	[SIM_DOWN_MISSING] = "missing",
	[SIM_DOWN_WRONG_TYPE] = "wrong_type",
	[SIM_DOWN_OUT_OF_RANGE] = "out_of_range",
	[SIM_DOWN_NO_TIMING] = "no_timing",
	[SIM_DOWN_BAD_MODULATION] = "bad_modulation",
	[SIM_DOWN_BAD_DATA_RATE] = "bad_data_rate",
	[SIM_DOWN_BAD_CODING_RATE] = "bad_coding_rate",
	[SIM_DOWN_BAD_BASE64] = "bad_base64",
	[SIM_DOWN_SIZE_DIFFERS] = "size_differs",
};

const char *sim_down_verdict_name(enum sim_down_verdict verdict)
{
	return (unsigned)verdict < SIM_DOWN_VERDICT_COUNT ? verdict_names[verdict] : "unknown";
}

/* --- the way down
 * ------------------------------------------------------------------------------------------- */

enum member_type { BOOLEAN, INTEGER, NUMBER, STRING, STRING_OR_INTEGER };

/* The members of a txpk: their type, and the bounds of an integer. */
static const struct member_row {
	const char *name;
	enum member_type type;
	bool required;
	json_int_t min;
	json_int_t max;
} members[] = {
	{"imme", BOOLEAN, false, 0, 0},
	{"tmst", INTEGER, false, 0, UINT32_MAX},
	{"tmms", INTEGER, false, 0, INT64_MAX},
	{"time", STRING, false, 0, 0},
	{"freq", NUMBER, true, 0, 0},
	{"rfch", INTEGER, true, 0, 255},
	{"powe", INTEGER, false, -128, 127},
	{"modu", STRING, true, 0, 0},
	{"datr", STRING_OR_INTEGER, true, 1, UINT32_MAX},
	{"codr", STRING, false, 0, 0},
	{"fdev", INTEGER, false, 0, UINT32_MAX},
	{"ipol", BOOLEAN, false, 0, 0},
	{"prea", INTEGER, false, 0, UINT16_MAX},
	{"size", INTEGER, true, 0, LW_PHY_PAYLOAD_MAX},
	{"data", STRING, true, 0, 0},
	{"ncrc", BOOLEAN, false, 0, 0},
	{"nhdr", BOOLEAN, false, 0, 0},
	{"ant", INTEGER, false, 0, 255},
	{"brd", INTEGER, false, 0, 255},
};

/* Counts brackets outside strings, so that the reader below never descends further. */
static bool too_deep(const char *text, size_t length)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

/* Lends a member; NULL when absent or null, which mean the same. */
static const json_t *member_get(const json_t *txpk, const char *name)
{
	const json_t *value = json_object_get(txpk, name);
	return json_is_null(value) ? NULL : value;
}

static bool has_type(const json_t *value, enum member_type type)
{
	switch (type) {
	case BOOLEAN: return json_is_boolean(value);
	case INTEGER: return json_is_integer(value);
	case NUMBER: return json_is_number(value);
	case STRING: return json_is_string(value);
	case STRING_OR_INTEGER: return json_is_string(value) || json_is_integer(value);
	}
	return false;
}

static enum sim_down_verdict check_members(const json_t *txpk, const char **member)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member_row *row = &members[i];
		const json_t *value = member_get(txpk, row->name);
		*member = row->name;
		if (value == NULL) {
			if (row->required)
				return SIM_DOWN_MISSING;
			continue;
		}
		if (!has_type(value, row->type))
			return SIM_DOWN_WRONG_TYPE;
		if (json_is_integer(value) && row->max != 0 &&
		    (json_integer_value(value) < row->min || json_integer_value(value) > row->max))
			return SIM_DOWN_OUT_OF_RANGE;
	}
	*member = NULL;
	return SIM_DOWN_OK;
}

static bool get_bool(const json_t *txpk, const char *name)
{
	return json_is_true(member_get(txpk, name));
}

static json_int_t get_integer(const json_t *txpk, const char *name)
{
	return json_integer_value(member_get(txpk, name));
}

static enum sim_down_verdict read_timing(const json_t *txpk, struct sim_txpk *out, const char **member)
{
	if (get_bool(txpk, "imme")) {
		out->timing = SIM_TIMING_NOW;
	} else if (member_get(txpk, "tmst") != NULL) {
		out->timing = SIM_TIMING_TICKS;
		out->tmst.us = (uint32_t)get_integer(txpk, "tmst");
	} else if (member_get(txpk, "tmms") != NULL) {
		out->timing = SIM_TIMING_GPS;
		out->tmms = (uint64_t)get_integer(txpk, "tmms");
	} else {
		*member = "tmst";
		return SIM_DOWN_NO_TIMING;
	}
	return SIM_DOWN_OK;
}

static enum sim_down_verdict read_freq(const json_t *txpk, struct sim_txpk *out, const char **member)
{
	double mhz = json_number_value(member_get(txpk, "freq"));
	*member = "freq";
	if (!(mhz > 0 && mhz <= 10000))
		return SIM_DOWN_OUT_OF_RANGE;
	long long hz = llround(mhz * 1e6);
	if (hz < 1 || hz > UINT32_MAX)
		return SIM_DOWN_OUT_OF_RANGE;
	out->freq_hz = (uint32_t)hz;
	return SIM_DOWN_OK;
}

/* "SF7BW125": a spreading factor of 5 to 12 and a bandwidth in kHz, nothing else. */
static bool read_lora_rate(const char *text, struct lw_modulation *modulation)
{
	static const unsigned widths_khz[] = {125, 250, 500, 200, 203, 400, 406, 800, 812, 1600, 1625};
	unsigned factor = 0, width = 0;
	int used = 0;
	if (sscanf(text, "SF%2uBW%4u%n", &factor, &width, &used) != 2 || text[used] != '\0')
		return false;
	char again[24];
	snprintf(again, sizeof again, "SF%uBW%u", factor, width);
	if (strcmp(again, text) != 0 || factor < 5 || factor > 12)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(widths_khz); i++) {
		if (widths_khz[i] == width) {
			modulation->spreading_factor = (uint8_t)factor;
			modulation->bandwidth_hz = width * 1000;
			return true;
		}
	}
	return false;
}

static enum sim_down_verdict read_lora(const json_t *txpk, struct lw_modulation *modulation,
				       const char **member)
{
	static const char *const rates[] = {"4/5", "4/6", "4/7", "4/8", "4/5LI", "4/6LI", "4/8LI"};
	const char *datr = json_string_value(member_get(txpk, "datr"));
	const char *codr = json_string_value(member_get(txpk, "codr"));
	modulation->kind = LW_LORA;
	*member = "datr";
	if (datr == NULL)
		return SIM_DOWN_WRONG_TYPE;
	if (!read_lora_rate(datr, modulation))
		return SIM_DOWN_BAD_DATA_RATE;
	*member = "codr";
	if (codr == NULL)
		return SIM_DOWN_MISSING;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		if (strcmp(rates[i], codr) == 0) {
			snprintf(modulation->code_rate, sizeof modulation->code_rate, "%s", codr);
			return SIM_DOWN_OK;
		}
	}
	return SIM_DOWN_BAD_CODING_RATE;
}

static enum sim_down_verdict read_fsk(const json_t *txpk, struct lw_modulation *modulation,
				      const char **member)
{
	const json_t *datr = member_get(txpk, "datr");
	modulation->kind = LW_FSK;
	*member = "datr";
	if (!json_is_integer(datr))
		return SIM_DOWN_WRONG_TYPE;
	modulation->bit_rate_bps = (uint32_t)json_integer_value(datr);
	*member = "fdev";
	if (member_get(txpk, "fdev") == NULL)
		return SIM_DOWN_MISSING;
	modulation->freq_deviation_hz = (uint32_t)get_integer(txpk, "fdev");
	return SIM_DOWN_OK;
}

static enum sim_down_verdict read_modulation(const json_t *txpk, struct sim_txpk *out, const char **member)
{
	const char *modu = json_string_value(member_get(txpk, "modu"));
	if (strcmp(modu, "LORA") == 0)
		return read_lora(txpk, &out->modulation, member);
	if (strcmp(modu, "FSK") == 0)
		return read_fsk(txpk, &out->modulation, member);
	*member = "modu";
	return SIM_DOWN_BAD_MODULATION;
}

static enum sim_down_verdict read_data(const json_t *txpk, struct sim_txpk *out, const char **member)
{
	const json_t *data = member_get(txpk, "data");
	*member = "data";
	if (!base64_decode(out->phy, sizeof out->phy, &out->length, json_string_value(data),
			   json_string_length(data)))
		return SIM_DOWN_BAD_BASE64;
	*member = "size";
	return (json_int_t)out->length == get_integer(txpk, "size") ? SIM_DOWN_OK : SIM_DOWN_SIZE_DIFFERS;
}

static enum sim_down_verdict read_txpk(const json_t *txpk, struct sim_txpk *out, const char **member)
{
	typedef enum sim_down_verdict (*step)(const json_t *, struct sim_txpk *, const char **);
	static const step steps[] = {read_timing, read_freq, read_modulation, read_data};
	enum sim_down_verdict verdict = check_members(txpk, member);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && verdict == SIM_DOWN_OK; i++)
		verdict = steps[i](txpk, out, member);
	if (verdict != SIM_DOWN_OK)
		return verdict;
	out->rfch = (uint32_t)get_integer(txpk, "rfch");
	out->has_power = member_get(txpk, "powe") != NULL;
	out->power_dbm = (int)get_integer(txpk, "powe");
	out->inverted = get_bool(txpk, "ipol");
	out->no_crc = get_bool(txpk, "ncrc");
	out->no_header = get_bool(txpk, "nhdr");
	out->preamble = (uint32_t)get_integer(txpk, "prea");
	*member = NULL;
	return SIM_DOWN_OK;
}

static enum sim_down_verdict read_body(struct rd *rd, struct sim_txpk *out, const char **member)
{
	size_t length = rd_left(rd);
	const char *text = (const char *)rd_take(rd, length);
	if (length > 0 && text[length - 1] == '\0')
		length--;
	if (too_deep(text, length))
		return SIM_DOWN_TOO_DEEP;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (root == NULL)
		return SIM_DOWN_BAD_JSON;
	const json_t *txpk = json_object_get(root, "txpk");
	enum sim_down_verdict verdict = SIM_DOWN_NO_TXPK;
	if (json_is_object(txpk))
		verdict = read_txpk(txpk, out, member);
	json_decref(root);
	return verdict;
}

enum sim_down_verdict sim_semtech_parse_down_member(const uint8_t *bytes, size_t length, struct sim_down *out,
						    const char **member)
{
	struct rd rd = rd_init(bytes, length);
	struct sim_down down = {.version = rd_u8(&rd), .token = rd_u16be(&rd)};
	uint8_t identifier = rd_u8(&rd);
	*member = NULL;
	if (!rd_ok(&rd))
		return SIM_DOWN_TRUNCATED;
	if (down.version != 1 && down.version != 2)
		return SIM_DOWN_BAD_VERSION;
	switch (identifier) {
	case PUSH_ACK: down.kind = SIM_DOWN_PUSH_ACK; break;
	case PULL_ACK: down.kind = SIM_DOWN_PULL_ACK; break;
	case PULL_RESP: down.kind = SIM_DOWN_PULL_RESP; break;
	default: return SIM_DOWN_BAD_IDENTIFIER;
	}
	if (down.kind == SIM_DOWN_PULL_RESP) {
		enum sim_down_verdict verdict = read_body(&rd, &down.txpk, member);
		if (verdict != SIM_DOWN_OK)
			return verdict;
	} else if (rd_left(&rd) != 0) {
		return SIM_DOWN_BAD_LENGTH;
	}
	*out = down;
	return SIM_DOWN_OK;
}

enum sim_down_verdict sim_semtech_parse_down(const uint8_t *bytes, size_t length, struct sim_down *out)
{
	const char *member;
	return sim_semtech_parse_down_member(bytes, length, out, &member);
}

/* --- TX_ACK */

static const char *const jit_names[SIM_JIT_VERDICT_COUNT] = {
	[SIM_JIT_OK] = "NONE",
	[SIM_JIT_TOO_LATE] = "TOO_LATE",
	[SIM_JIT_TOO_EARLY] = "TOO_EARLY",
	[SIM_JIT_COLLISION_PACKET] = "COLLISION_PACKET",
	[SIM_JIT_COLLISION_BEACON] = "COLLISION_BEACON",
	[SIM_JIT_TX_FREQ] = "TX_FREQ",
	[SIM_JIT_TX_POWER] = "TX_POWER",
	[SIM_JIT_GPS_UNLOCKED] = "GPS_UNLOCKED",
};

const char *sim_jit_verdict_name(enum sim_jit_verdict verdict)
{
	return (unsigned)verdict < SIM_JIT_VERDICT_COUNT ? jit_names[verdict] : "UNKNOWN";
}

size_t sim_semtech_write_tx_ack(uint8_t *out, size_t capacity, uint8_t version, uint16_t token,
				const struct lw_eui64 *eui, enum sim_jit_verdict verdict, bool warn,
				int warn_power_dbm)
{
	const char *cause = verdict == SIM_JIT_OK ? NULL : sim_jit_verdict_name(verdict);
	return semtech_write_tx_ack(out, capacity, version, token, eui, cause, warn, warn_power_dbm);
}
