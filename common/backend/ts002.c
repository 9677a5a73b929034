/* Names, rows and the small helpers of TS002; ts002_read.c and ts002_write.c walk the rows. */
#include "common/backend/ts002.h"
#include "common/backend/ts002_fields.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

static const char *const type_names[BI_TYPE_COUNT] = {
	[BI_JOIN_REQ] = "JoinReq",          [BI_JOIN_ANS] = "JoinAns",
	[BI_REJOIN_REQ] = "RejoinReq",      [BI_REJOIN_ANS] = "RejoinAns",
	[BI_APP_S_KEY_REQ] = "AppSKeyReq",  [BI_APP_S_KEY_ANS] = "AppSKeyAns",
	[BI_HOME_NS_REQ] = "HomeNSReq",     [BI_HOME_NS_ANS] = "HomeNSAns",
	[BI_PR_START_REQ] = "PRStartReq",   [BI_PR_START_ANS] = "PRStartAns",
	[BI_PR_STOP_REQ] = "PRStopReq",     [BI_PR_STOP_ANS] = "PRStopAns",
	[BI_HR_START_REQ] = "HRStartReq",   [BI_HR_START_ANS] = "HRStartAns",
	[BI_HR_STOP_REQ] = "HRStopReq",     [BI_HR_STOP_ANS] = "HRStopAns",
	[BI_PROFILE_REQ] = "ProfileReq",    [BI_PROFILE_ANS] = "ProfileAns",
	[BI_XMIT_DATA_REQ] = "XmitDataReq", [BI_XMIT_DATA_ANS] = "XmitDataAns",
	[BI_ERROR_NOTIF] = "ErrorNotif",
};

/* Spellings: what we write in 1.0 and in 1.1, and one more that others write. */
struct result_row {
	const char *v1_0;
	const char *v1_1;
	const char *also;
};

static const struct result_row results[BI_RESULT_COUNT] = {
	[BI_SUCCESS] = {"Success", "Success", NULL},
	[BI_MIC_FAILED] = {"MICFailed", "MICFailed", NULL},
	[BI_JOIN_REQ_FAILED] = {"JoinReqFailed", "JoinReqFailed", NULL},
	[BI_NO_ROAMING_AGREEMENT] = {"NoRoamingAgreement", "NoRoamingAgreement", NULL},
	[BI_DEV_ROAMING_DISALLOWED] = {"DevRoamingDisallowed", "DevRoamingDisallowed", NULL},
	[BI_ROAMING_ACT_DISALLOWED] = {"RoamingActDisallowed", "RoamingActDisallowed",
				       "RoamingActDisallowedA"},
	[BI_ACTIVATION_DISALLOWED] = {"ActivationDisallowed", "ActivationDisallowed", NULL},
	[BI_UNKNOWN_DEV_EUI] = {"UnknownDevEUI", "UnknownDevEUI", NULL},
	[BI_UNKNOWN_DEV_ADDR] = {"UnknownDevAddr", "UnknownDevAddr", NULL},
	[BI_UNKNOWN_SENDER] = {"UnknownSender", "UnknownSender", NULL},
	[BI_UNKNOWN_RECEIVER] = {"UnkownReceiver", "UnkownReceiver", "UnknownReceiver"},
	[BI_DEFERRED] = {"Deferred", "Deferred", NULL},
	[BI_XMIT_FAILED] = {"XmitFailed", "XmitFailed", NULL},
	[BI_INVALID_FPORT] = {"InvalidFPort", "InvalidFPort", NULL},
	[BI_INVALID_PROTOCOL_VERSION] = {"InvalidProtocolVersion", "InvalidProtocolVersion", NULL},
	[BI_STALE_DEVICE_PROFILE] = {"StaleDeviceProfile", "StaleDeviceProfile", NULL},
	[BI_MALFORMED] = {"MalformedRequest", "MalformedMessage", NULL},
	[BI_FRAME_SIZE_ERROR] = {"FrameSizeError", "FrameSizeError", NULL},
	[BI_OTHER] = {"Other", "Other", NULL},
	[BI_NO_ACTION] = {"Other", "NoAction", NULL},
	[BI_FRAME_REPLAYED] = {"JoinReqFailed", "FrameReplayed", NULL},
};

static const char *const fault_names[BI_FAULT_COUNT] = {
	[BI_FAULT_NONE] = "none",         [BI_FAULT_TOO_LONG] = "too_long",
	[BI_FAULT_NOT_JSON] = "not_json", [BI_FAULT_MISSING] = "missing",
	[BI_FAULT_TYPE] = "wrong_type",   [BI_FAULT_VALUE] = "out_of_range",
	[BI_FAULT_VERSION] = "version",   [BI_FAULT_UNKNOWN_TYPE] = "unknown_message_type",
};

#define AT(member) offsetof(struct bi_message, member)
#define ROW(name, kind, required, member)           \
	{                                           \
		name, kind, required, AT(member), 0 \
	}

static const struct bi_field join_req_fields[] = {
	ROW("MACVersion", BI_KIND_MAC_VERSION, true, join_req.mac_version),
	{"PHYPayload", BI_KIND_FRAME, true, AT(join_req.phy_payload), AT(join_req.phy_length)},
	ROW("DevEUI", BI_KIND_EUI64, true, join_req.dev_eui),
	ROW("DevAddr", BI_KIND_DEV_ADDR, true, join_req.dev_addr),
	ROW("DLSettings", BI_KIND_OCTET, true, join_req.dl_settings),
	ROW("RxDelay", BI_KIND_SECONDS_15, true, join_req.rx_delay),
	{"CFList", BI_KIND_CFLIST, false, AT(join_req.cflist), AT(join_req.has_cflist)},
};

static const struct bi_field join_ans_fields[] = {
	{"PHYPayload", BI_KIND_JOIN_ACCEPT, true, AT(join_ans.phy_payload), AT(join_ans.phy_length)},
	{"Lifetime", BI_KIND_U32, false, AT(join_ans.lifetime_s), AT(join_ans.has_lifetime)},
	ROW("NwkSKey", BI_KIND_KEY, false, join_ans.nwk_s_key),
	ROW("FNwkSIntKey", BI_KIND_KEY, false, join_ans.f_nwk_s_int_key),
	ROW("SNwkSIntKey", BI_KIND_KEY, false, join_ans.s_nwk_s_int_key),
	ROW("NwkSEncKey", BI_KIND_KEY, false, join_ans.nwk_s_enc_key),
	ROW("AppSKey", BI_KIND_KEY, false, join_ans.app_s_key),
	ROW("SessionKeyID", BI_KIND_SESSION_KEY_ID, false, join_ans.session_key_id),
};

static const struct bi_field app_s_key_req_fields[] = {
	ROW("DevEUI", BI_KIND_EUI64, true, app_s_key_req.dev_eui),
	ROW("SessionKeyID", BI_KIND_SESSION_KEY_ID, true, app_s_key_req.session_key_id),
};

static const struct bi_field app_s_key_ans_fields[] = {
	ROW("DevEUI", BI_KIND_EUI64, true, app_s_key_ans.dev_eui),
	ROW("AppSKey", BI_KIND_KEY, true, app_s_key_ans.app_s_key),
	ROW("SessionKeyID", BI_KIND_SESSION_KEY_ID, false, app_s_key_ans.session_key_id),
};

static const struct bi_field home_ns_req_fields[] = {
	ROW("DevEUI", BI_KIND_EUI64, true, home_ns_req.dev_eui),
};

static const struct bi_field home_ns_ans_fields[] = {
	ROW("HNetID", BI_KIND_NET_ID, true, home_ns_ans.h_net_id),
	{"HNSID", BI_KIND_OPTIONAL_EUI64, false, AT(home_ns_ans.h_ns_id), AT(home_ns_ans.has_h_ns_id)},
};

#define BODY(fields)                       \
	{                                  \
		fields, ARRAY_SIZE(fields) \
	}

static const struct bi_body bodies[BI_BODIES] = {
	[BI_JOIN_REQ] = BODY(join_req_fields),           [BI_JOIN_ANS] = BODY(join_ans_fields),
	[BI_REJOIN_REQ] = BODY(join_req_fields),         [BI_REJOIN_ANS] = BODY(join_ans_fields),
	[BI_APP_S_KEY_REQ] = BODY(app_s_key_req_fields), [BI_APP_S_KEY_ANS] = BODY(app_s_key_ans_fields),
	[BI_HOME_NS_REQ] = BODY(home_ns_req_fields),     [BI_HOME_NS_ANS] = BODY(home_ns_ans_fields),
};

static const char *const kind_rules[BI_KIND_COUNT] = {
	[BI_KIND_EUI64] = "16 hexadecimal digits",
	[BI_KIND_OPTIONAL_EUI64] = "16 hexadecimal digits",
	[BI_KIND_DEV_ADDR] = "8 hexadecimal digits",
	[BI_KIND_NET_ID] = "6 hexadecimal digits",
	[BI_KIND_MAC_VERSION] = "one of 1.0, 1.0.1, 1.0.2, 1.0.3, 1.0.4, 1.1",
	[BI_KIND_OCTET] = "2 hexadecimal digits",
	[BI_KIND_SECONDS_15] = "an integer from 0 to 15",
	[BI_KIND_U32] = "an integer from 0 to 4294967295",
	[BI_KIND_FRAME] = "1 to 255 octets in hexadecimal",
	[BI_KIND_JOIN_ACCEPT] = "17 or 33 octets in hexadecimal",
	[BI_KIND_CFLIST] = "32 hexadecimal digits",
	[BI_KIND_KEY] =
		"an object with AESKey of 32 hexadecimal digits, or of 48 and a KEKLabel of at most 32 bytes",
	[BI_KIND_SESSION_KEY_ID] = "1 to 32 octets in hexadecimal",
};

const struct bi_body *bi_body_of(enum bi_type type)
{
	ASSERT_CMP((unsigned)type, <, BI_BODIES);
	return &bodies[type];
}

const char *bi_kind_rule(enum bi_kind kind)
{
	ASSERT_CMP((unsigned)kind, <, BI_KIND_COUNT);
	return kind_rules[kind];
}

bool bi_type_parse(const char *text, enum bi_type *type)
{
	for (unsigned i = 0; i < BI_TYPE_COUNT; i++) {
		if (strcmp(text, type_names[i]) == 0) {
			*type = (enum bi_type)i;
			return true;
		}
	}
	return false;
}

const char *bi_type_name(enum bi_type type)
{
	return (unsigned)type < BI_TYPE_COUNT ? type_names[type] : "unknown";
}

bool bi_type_is_answer(enum bi_type type)
{
	return type < BI_ERROR_NOTIF && type % 2 == 1;
}

const char *bi_result_name(enum bi_result result, enum bi_protocol protocol)
{
	if ((unsigned)result >= BI_RESULT_COUNT)
		result = BI_OTHER;
	return protocol == BI_PROTOCOL_1_1 ? results[result].v1_1 : results[result].v1_0;
}

enum bi_result bi_result_parse(const char *text)
{
	/* In order, so that the codes which 1.0 writes in another's name are not taken for that name. */
	for (unsigned i = 0; i < BI_RESULT_COUNT; i++) {
		const struct result_row *row = &results[i];
		if (strcmp(text, row->v1_0) == 0 || strcmp(text, row->v1_1) == 0 ||
		    (row->also && strcmp(text, row->also) == 0))
			return (enum bi_result)i;
	}
	return BI_OTHER;
}

const char *bi_fault_name(enum bi_fault fault)
{
	return (unsigned)fault < BI_FAULT_COUNT ? fault_names[fault] : "unknown";
}

struct bi_envelope bi_answer_envelope(const struct bi_envelope *request)
{
	ASSERT(!bi_type_is_answer(request->type) && request->type < BI_ERROR_NOTIF);
	struct bi_envelope answer = {
		.protocol = request->protocol,
		.type = (enum bi_type)(request->type + 1),
		.transaction_id = request->transaction_id,
		.receiver_token = request->sender_token,
		.result = BI_SUCCESS,
	};
	answer.has_receiver_ns_id = request->has_sender_ns_id;
	answer.receiver_ns_id = request->sender_ns_id;
	memcpy(answer.foreign_version, request->foreign_version, sizeof answer.foreign_version);
	memcpy(answer.sender_id, request->receiver_id, sizeof answer.sender_id);
	memcpy(answer.receiver_id, request->sender_id, sizeof answer.receiver_id);
	return answer;
}

struct bi_envelope bi_error_envelope(const struct bi_envelope *answer, enum bi_result result)
{
	struct bi_envelope error = {
		.protocol = answer->protocol,
		.type = BI_ERROR_NOTIF,
		.transaction_id = answer->transaction_id,
		.receiver_token = answer->sender_token,
		.result = result,
	};
	memcpy(error.sender_id, answer->receiver_id, sizeof error.sender_id);
	memcpy(error.receiver_id, answer->sender_id, sizeof error.receiver_id);
	return error;
}

enum bi_match bi_answer_match(const struct bi_envelope *request, const struct bi_envelope *answer)
{
	ASSERT(!bi_type_is_answer(request->type) && request->type < BI_ERROR_NOTIF);
	const struct bi_token *sent = &request->sender_token, *back = &answer->receiver_token;
	if (answer->type != request->type + 1)
		return BI_MATCH_TYPE;
	if (answer->transaction_id != request->transaction_id)
		return BI_MATCH_TRANSACTION;
	if (strcmp(answer->sender_id, request->receiver_id) != 0)
		return BI_MATCH_SENDER;
	if (strcmp(answer->receiver_id, request->sender_id) != 0)
		return BI_MATCH_RECEIVER;
	if (sent->length && back->length &&
	    (sent->length != back->length || memcmp(sent->bytes, back->bytes, sent->length) != 0))
		return BI_MATCH_TOKEN;
	if (answer->protocol != request->protocol && answer->result != BI_INVALID_PROTOCOL_VERSION)
		return BI_MATCH_VERSION;
	return BI_MATCH_OK;
}

const char *bi_match_name(enum bi_match match)
{
	static const char *const names[BI_MATCH_COUNT] = {
		[BI_MATCH_OK] = "ok",
		[BI_MATCH_TYPE] = "wrong_message",
		[BI_MATCH_TRANSACTION] = "wrong_transaction",
		[BI_MATCH_SENDER] = "wrong_sender",
		[BI_MATCH_RECEIVER] = "wrong_receiver",
		[BI_MATCH_TOKEN] = "wrong_token",
		[BI_MATCH_VERSION] = "wrong_version",
	};
	return (unsigned)match < BI_MATCH_COUNT ? names[match] : "unknown";
}

static const char *without_prefix(const char *id)
{
	return id[0] == '0' && (id[1] == 'x' || id[1] == 'X') ? id + 2 : id;
}

bool bi_id_eui64(const char *id, struct lw_eui64 *eui)
{
	return lw_eui64_parse(without_prefix(id), eui);
}

bool bi_id_net_id(const char *id, struct lw_net_id *net_id)
{
	return lw_net_id_parse(without_prefix(id), net_id);
}

void bi_message_wipe(struct bi_message *message)
{
	volatile uint8_t *bytes = (volatile uint8_t *)message;
	for (size_t i = 0; i < sizeof *message; i++)
		bytes[i] = 0;
}
