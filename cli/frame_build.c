/* Members and their rules, and data frames. Joins: frame_build_join.c. */
#include "cli/frame_build.h"

#include "cli/frame_mac.h"
#include "cli/frame_mic.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BIT(ftype) (1u << (ftype))
#define UP         (BIT(LW_UNCONFIRMED_UP) | BIT(LW_CONFIRMED_UP))
#define DOWN       (BIT(LW_UNCONFIRMED_DOWN) | BIT(LW_CONFIRMED_DOWN))
#define DATA       (UP | DOWN)
#define ACCEPT     BIT(LW_JOIN_ACCEPT)
#define REJOIN     BIT(LW_REJOIN_REQUEST)
#define ALL        0xffu

static const struct cli_frame_field fields[] = {
	{"type", "TYPE", ALL,
	 "UnconfirmedDataUp, ConfirmedDataUp, ...Down, JoinRequest, JoinAccept, RejoinRequest, Proprietary"},
	{"dev_addr", "ADDR", DATA | ACCEPT, "DevAddr"},
	{"adr", NULL, DATA, "FCtrl: ADR"},
	{"adr_ack_req", NULL, UP, "FCtrl of an uplink: ADRACKReq"},
	{"ack", NULL, DATA, "FCtrl: ACK"},
	{"class_b", NULL, UP, "FCtrl of an uplink: ClassB"},
	{"f_pending", NULL, DOWN, "FCtrl of a downlink: FPending"},
	{"fport", "N", DATA, "FPort; none: the frame has no FRMPayload"},
	{"frm_payload", "HEX", DATA, "FRMPayload in clear"},
	{"mac", "COMMANDS", DATA,
	 "MAC commands as in \"LinkADRReq data_rate=5 ...; DevStatusReq\": into FOpts, or on FPort 0 into "
	 "FRMPayload"},
	{"fopts", "HEX", DATA, "FOpts in clear"},
	{"mic", "HEX", ALL, "the MIC as it is, where no key for it is given"},
	{"join_nonce", "N", ACCEPT, "JoinNonce"},
	{"net_id", "NETID", ACCEPT | REJOIN, "NetID"},
	{"opt_neg", NULL, ACCEPT, "DLSettings: OptNeg"},
	{"rx1_dr_offset", "N", ACCEPT, "DLSettings: RX1DROffset"},
	{"rx2_data_rate", "N", ACCEPT, "DLSettings: RX2DataRate"},
	{"rx_delay", "N", ACCEPT, "RxDelay in seconds"},
	{"cflist", "HEX", ACCEPT, "CFList, 16 bytes"},
	{"rejoin_type", "N", REJOIN, "0, 1 or 2"},
	{"rj_count", "N", REJOIN, "RJcount0 or RJcount1"},
	{"mac_payload", "HEX", BIT(LW_PROPRIETARY), "what a proprietary frame has behind its MHDR"},
	{"fopts_encrypted", "HEX", DATA, "FOpts as on the air, where no key for them is given"},
	{"frm_payload_encrypted", "HEX", DATA, "FRMPayload as on the air, where no key for it is given"},
	{"fopts_commands", NULL, DATA, NULL},
	{"commands", NULL, DATA, NULL},
	{"phy_payload", NULL, ALL, NULL},
	{"mic_valid", NULL, ALL, NULL},
	{"problem", NULL, ALL, NULL},
	{"verdict", NULL, ALL, NULL},
	{"rfu", NULL, ALL, NULL},
	{"major", NULL, ALL, NULL},
};

const struct cli_frame_field *cli_frame_fields(size_t *count)
{
	*count = ARRAY_SIZE(fields);
	return fields;
}

/* --- reading members ------------------------------------------------------------------------------------------- */

bool cli_frame_refuse(char problem[CLI_FRAME_PROBLEM_MAX], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(problem, CLI_FRAME_PROBLEM_MAX, format, arguments);
	va_end(arguments);
	return false;
}

bool cli_frame_has(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return value && !json_is_null(value);
}

bool cli_frame_get_bytes(const json_t *object, const char *name, uint8_t *bytes, size_t capacity,
			 size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	*length = 0;
	if (!cli_frame_has(object, name))
		return true;
	const char *text = json_string_value(json_object_get(object, name));
	if (!text || !hex_decode(bytes, capacity, length, text, strlen(text)))
		return cli_frame_refuse(problem, "%s: expected at most %zu bytes in hex", name, capacity);
	return true;
}

bool cli_frame_get_number(const json_t *object, const char *name, uint64_t most, bool required,
			  uint64_t *number, char problem[CLI_FRAME_PROBLEM_MAX])
{
	if (!cli_frame_has(object, name))
		return !required || cli_frame_refuse(problem, "%s is missing", name);
	if (!cli_frame_number(json_object_get(object, name), most, number))
		return cli_frame_refuse(problem, "%s: expected a number from 0 to %llu", name,
					(unsigned long long)most);
	return true;
}

bool cli_frame_get_flag(const json_t *object, const char *name, bool *flag,
			char problem[CLI_FRAME_PROBLEM_MAX])
{
	const json_t *value = json_object_get(object, name);
	if (!value || json_is_null(value))
		return true;
	if (!json_is_boolean(value))
		return cli_frame_refuse(problem, "%s: expected true or false", name);
	*flag = json_is_true(value);
	return true;
}

/* --- rules ------------------------------------------------------------------------------------------------------ */

static bool read_type(const json_t *object, unsigned *ftype, char problem[CLI_FRAME_PROBLEM_MAX])
{
	const char *type = json_string_value(json_object_get(object, "type"));
	for (unsigned i = 0; type && i < 8; i++)
		if (strcasecmp(type, lw_ftype_name((enum lw_ftype)i)) == 0) {
			*ftype = i;
			return true;
		}
	return cli_frame_refuse(
		problem, type ? "type: no such frame; there are UnconfirmedDataUp, UnconfirmedDataDown, "
				"ConfirmedDataUp, ConfirmedDataDown, JoinRequest, JoinAccept, "
				"RejoinRequest, Proprietary"
			      : "type is missing: UnconfirmedDataUp, JoinRequest, ...");
}

/* Every member is known, and one of this kind of frame. A flag that is off stands for none. */
static bool check_members(const json_t *object, unsigned ftype, char problem[CLI_FRAME_PROBLEM_MAX])
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const struct cli_frame_field *field = NULL;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			if (strcmp(fields[i].name, key) == 0)
				field = &fields[i];
		if (!field && cli_frame_is_member(key))
			continue;
		if (!field)
			return cli_frame_refuse(problem, "%s: no such field of a frame", key);
		if (!(field->kinds & BIT(ftype)) && !json_is_null(value) && !json_is_false(value))
			return cli_frame_refuse(problem, "%s: a frame of type %s has none", key,
						lw_ftype_name((enum lw_ftype)ftype));
	}
	uint64_t rfu = 0, major = 0;
	if (!cli_frame_get_number(object, "rfu", 7, false, &rfu, problem) ||
	    !cli_frame_get_number(object, "major", 3, false, &major, problem))
		return false;
	if (ftype != LW_PROPRIETARY && (rfu || major))
		return cli_frame_refuse(problem, "%s: a LoRaWAN 1.x frame has 0 there",
					rfu ? "rfu" : "major");
	return true;
}

/* --- data frames ------------------------------------------------------------------------------------------------ */

struct building {
	const json_t *object;                    /* borrowed */
	const struct cli_frame_context *context; /* borrowed */
	struct aes *aes;
	enum lw_direction direction;
	bool is_1_1;
	struct lw_frame frame;
	uint8_t payload[LW_PHY_PAYLOAD_MAX];
	char *problem;
};

/* Bytes that are given as hex, as commands, or as both, which then must agree. */
static bool bytes_or_commands(struct building *b, const char *hex_name, const char *list_name, bool with_mac,
			      uint8_t *bytes, size_t capacity, size_t *length)
{
	uint8_t made[LW_PHY_PAYLOAD_MAX];
	size_t made_length = 0;
	if (!cli_frame_get_bytes(b->object, hex_name, bytes, capacity, length, b->problem))
		return false;
	bool has_hex = cli_frame_has(b->object, hex_name),
	     has_mac = with_mac && cli_frame_has(b->object, "mac");
	const char *name = has_mac ? "mac" : cli_frame_has(b->object, list_name) ? list_name : NULL;
	if (has_mac && has_hex && *length > 0)
		return cli_frame_refuse(b->problem, "mac and %s are both given: one is enough", hex_name);
	if (!name || (!has_mac && has_hex && json_array_size(json_object_get(b->object, name)) == 0))
		return true;
	if (!cli_frame_mac_build(json_object_get(b->object, name), b->direction,
				 b->context->region ? b->context->region->freq_step_hz : 0, made, capacity,
				 &made_length, b->problem))
		return false;
	if (has_hex && !has_mac) {
		/* Decoded commands beside their bytes: RFU bits and what could not be read are in the bytes alone. */
		struct cli_frame_report *report = cli_frame_report_new(bytes, *length);
		json_t *read = cli_frame_mac_explain(report, 0, 0, bytes, *length, b->direction,
						     b->context->region);
		bool agree = json_equal(read, json_object_get(b->object, name));
		json_decref(read);
		cli_frame_report_free(report);
		return agree || cli_frame_refuse(b->problem, "%s and %s say different things: leave one out",
						 hex_name, name);
	}
	memcpy(bytes, made, made_length);
	*length = made_length;
	return true;
}

static bool read_fctrl(struct building *b)
{
	struct lw_fctrl *fctrl = &b->frame.fctrl;
	return cli_frame_get_flag(b->object, "adr", &fctrl->adr, b->problem) &&
	       cli_frame_get_flag(b->object, "adr_ack_req", &fctrl->adr_ack_req, b->problem) &&
	       cli_frame_get_flag(b->object, "ack", &fctrl->ack, b->problem) &&
	       cli_frame_get_flag(b->object, "class_b", &fctrl->class_b, b->problem) &&
	       cli_frame_get_flag(b->object, "f_pending", &fctrl->f_pending, b->problem);
}

static bool read_fhdr(struct building *b)
{
	const char *address = json_string_value(json_object_get(b->object, "dev_addr"));
	uint64_t fport = 0;
	if (!address || !lw_dev_addr_parse(address, &b->frame.dev_addr))
		return cli_frame_refuse(b->problem, "dev_addr: expected 8 hex digits");
	if (!b->context->has_fcnt)
		return cli_frame_refuse(b->problem, "fcnt is missing");
	b->frame.fcnt = (uint16_t)b->context->fcnt;
	if (!cli_frame_get_number(b->object, "fport", 255, false, &fport, b->problem))
		return false;
	b->frame.has_fport = cli_frame_has(b->object, "fport");
	b->frame.fport = (uint8_t)fport;
	return read_fctrl(b);
}

static bool put_fopts(struct building *b)
{
	struct lw_frame *frame = &b->frame;
	size_t length, ciphered_length;
	uint8_t ciphered[LW_FOPTS_MAX];
	bool fport0 = frame->has_fport && frame->fport == 0;
	if (!bytes_or_commands(b, "fopts", "fopts_commands", !fport0, frame->fopts, LW_FOPTS_MAX, &length) ||
	    !cli_frame_get_bytes(b->object, "fopts_encrypted", ciphered, sizeof ciphered, &ciphered_length,
				 b->problem))
		return false;
	const struct lw_key *key = cli_frame_context_key(b->context, FRAME_NWK_S_ENC_KEY);
	if (length == 0 && ciphered_length > 0) {
		memcpy(frame->fopts, ciphered, ciphered_length);
		length = ciphered_length;
	} else if (b->is_1_1 && length > 0 && !key) {
		return cli_frame_refuse(b->problem,
					"FOpts of 1.1 are ciphered with NwkSEncKey, which is not given; "
					"or give fopts_encrypted");
	} else if (b->is_1_1 && length > 0) {
		lw_cipher_fopts(b->aes, key, b->direction, frame->dev_addr, b->context->fcnt,
				lw_fopts_counter(b->direction, frame->has_fport, frame->fport), frame->fopts,
				length, frame->fopts);
	}
	frame->fctrl.fopts_length = (uint8_t)length;
	if (fport0 && length > 0)
		return cli_frame_refuse(b->problem,
					"MAC commands stand in FOpts or, on FPort 0, in FRMPayload: not in "
					"both");
	return true;
}

static bool put_payload(struct building *b)
{
	struct lw_frame *frame = &b->frame;
	size_t length, ciphered_length;
	uint8_t ciphered[LW_PHY_PAYLOAD_MAX];
	bool fport0 = frame->has_fport && frame->fport == 0;
	if (!bytes_or_commands(b, "frm_payload", "commands", fport0, b->payload, sizeof b->payload,
			       &length) ||
	    !cli_frame_get_bytes(b->object, "frm_payload_encrypted", ciphered, sizeof ciphered,
				 &ciphered_length, b->problem))
		return false;
	if (!frame->has_fport && (length > 0 || ciphered_length > 0))
		return cli_frame_refuse(b->problem, "a frame with FRMPayload has an FPort");
	enum cli_frame_key which = !fport0     ? FRAME_APP_S_KEY
				   : b->is_1_1 ? FRAME_NWK_S_ENC_KEY
					       : FRAME_NWK_S_KEY;
	const struct lw_key *key = cli_frame_context_key(b->context, which);
	if (length > 0 && key) {
		lw_cipher_frm_payload(b->aes, key, b->direction, frame->dev_addr, b->context->fcnt,
				      b->payload, length, b->payload);
	} else if (ciphered_length > 0) {
		memcpy(b->payload, ciphered, ciphered_length);
		length = ciphered_length;
	} else if (length > 0) {
		return cli_frame_refuse(b->problem,
					"FRMPayload is ciphered with %s, which is not given; or give "
					"frm_payload_encrypted",
					!fport0     ? "AppSKey"
					: b->is_1_1 ? "NwkSEncKey"
						    : "NwkSKey");
	}
	frame->frm_payload = b->payload;
	frame->frm_payload_length = (uint8_t)length;
	return true;
}

/* The MIC by the keys, else as given. */
static bool put_mic(struct building *b, uint8_t *phy, size_t length)
{
	struct lw_mic mic = {{0}};
	char why[CLI_FRAME_WHY_MAX];
	size_t given;
	b->frame.msg = phy;
	b->frame.msg_length = (uint8_t)(length - 4);
	if (!cli_frame_mic_compute(&mic, b->aes, &b->frame, b->direction, b->context, b->context->fcnt,
				   why)) {
		if (!cli_frame_get_bytes(b->object, "mic", mic.bytes, sizeof mic.bytes, &given, b->problem))
			return false;
		if (given != sizeof mic.bytes)
			return cli_frame_refuse(b->problem, "no MIC: %s; or give the MIC itself, 4 bytes",
						why);
	}
	lw_frame_set_mic(phy, length, mic);
	return true;
}

static bool build_data(struct building *b, uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length)
{
	if (!read_fhdr(b) || !put_fopts(b) || !put_payload(b))
		return false;
	*length = lw_frame_encode(&b->frame, phy, LW_PHY_PAYLOAD_MAX);
	if (*length == 0)
		return cli_frame_refuse(b->problem, "it would be longer than %u bytes", LW_PHY_PAYLOAD_MAX);
	return put_mic(b, phy, *length);
}

static bool build_proprietary(const json_t *object, uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length,
			      char problem[CLI_FRAME_PROBLEM_MAX])
{
	uint64_t rfu = 0, major = 0;
	size_t payload;
	if (!cli_frame_get_number(object, "rfu", 7, false, &rfu, problem) ||
	    !cli_frame_get_number(object, "major", 3, false, &major, problem) ||
	    !cli_frame_get_bytes(object, "mac_payload", phy + 1, LW_PHY_PAYLOAD_MAX - 1, &payload, problem))
		return false;
	phy[0] = (uint8_t)(LW_PROPRIETARY << 5 | rfu << 2 | major);
	*length = 1 + payload;
	return true;
}

bool cli_frame_build(const json_t *object, const struct cli_frame_context *context, struct aes *aes,
		     uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length, char problem[CLI_FRAME_PROBLEM_MAX])
{
	unsigned ftype = 0;
	if (!read_type(object, &ftype, problem) || !check_members(object, ftype, problem))
		return false;
	if (ftype == LW_PROPRIETARY)
		return build_proprietary(object, phy, length, problem);
	if (!(BIT(ftype) & DATA))
		return cli_frame_build_join(object, ftype, context, aes, phy, length, problem);
	struct building b = {.object = object, .context = context, .aes = aes, .problem = problem};
	b.direction = BIT(ftype) & UP ? LW_UP : LW_DOWN;
	b.is_1_1 = cli_frame_context_is_1_1(context);
	b.frame.ftype = (enum lw_ftype)ftype;
	return build_data(&b, phy, length);
}
