/* TS002 messages: each member missing, of the wrong type, out of range; the tolerant forms; what is written
 * reads back. */
#include "tests/harness/harness.h"

#include "common/backend/ts002.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE(type)                                                                             \
	"\"ProtocolVersion\":\"1.0\",\"SenderID\":\"000013\",\"ReceiverID\":\"0807060504030201\"," \
	"\"TransactionID\":4711,\"MessageType\":\"" type "\",\"SenderToken\":\"a1b2\""
#define SUCCESS ",\"Result\":{\"ResultCode\":\"Success\"}"
#define JOIN_MEMBERS                                                                                    \
	",\"MACVersion\":\"1.0.3\",\"PHYPayload\":\"000102030405060708080706050403020101000a0b0c0d\","  \
	"\"DevEUI\":\"0102030405060708\",\"DevAddr\":\"26000001\",\"DLSettings\":\"12\",\"RxDelay\":5," \
	"\"CFList\":\"184f84e85684b85e84886684586e8400\"}"

static const char join_req[] = "{" ENVELOPE("JoinReq") JOIN_MEMBERS;
static const char rejoin_req[] = "{" ENVELOPE("RejoinReq") JOIN_MEMBERS;
static const char join_ans[] = "{" ENVELOPE("JoinAns") SUCCESS
	",\"PHYPayload\":\"20c9fbb259e11649096a568a9e3b7117c3\",\"Lifetime\":0,"
	"\"NwkSKey\":{\"KEKLabel\":\"ns-13\",\"AESKey\":\"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5\"}"
	","
	"\"AppSKey\":{\"AESKey\":\"00112233445566778899aabbccddeeff\"},\"SessionKeyID\":\"0a0b0c0d\"}";
static const char join_ans_1_1[] = "{" ENVELOPE("JoinAns") SUCCESS
	",\"PHYPayload\":\"20a4c899795a42f5d16067a822c21b379af8aaa301a90d1c60d4cb792cb8eeb0a3\","
	"\"FNwkSIntKey\":{\"AESKey\":\"11112233445566778899aabbccddeeff\"},"
	"\"SNwkSIntKey\":{\"AESKey\":\"22112233445566778899aabbccddeeff\"},"
	"\"NwkSEncKey\":{\"AESKey\":\"33112233445566778899aabbccddeeff\"}}";
static const char app_s_key_req[] = "{" ENVELOPE(
	"AppSKeyReq") ",\"DevEUI\":\"0102030405060708\",\"SessionKeyID\":\"0a\"}";
static const char app_s_key_ans[] = "{" ENVELOPE("AppSKeyAns") SUCCESS
	",\"DevEUI\":\"0102030405060708\","
	"\"AppSKey\":{\"AESKey\":\"00112233445566778899aabbccddeeff\"},\"SessionKeyID\":\"0a\"}";
static const char home_ns_req[] = "{" ENVELOPE("HomeNSReq") ",\"DevEUI\":\"0102030405060708\"}";
static const char home_ns_ans[] = "{" ENVELOPE("HomeNSAns") SUCCESS ",\"HNetID\":\"60000d\"}";

static const char rejoin_ans[] = "{" ENVELOPE("RejoinAns") SUCCESS
	",\"PHYPayload\":\"20c9fbb259e11649096a568a9e3b7117c3\","
	"\"NwkSKey\":{\"AESKey\":\"00112233445566778899aabbccddeeff\"}}";
static const char error_notif[] = "{" ENVELOPE(
	"ErrorNotif") ",\"Result\":{\"ResultCode\":\"MalformedRequest\",\"Description\":\"PHYPayload\"}}";
/* 1.1 names the network servers as well. */
static const char home_ns_req_1_1[] =
	"{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"000013\",\"SenderNSID\":\"1122334455667788\","
	"\"ReceiverID\":"
	"\"0807060504030201\",\"ReceiverNSID\":\"2122334455667788\",\"TransactionID\":0,\"MessageType\":"
	"\"HomeNSReq\",\"DevEUI\":\"0102030405060708\"}";
static const char home_ns_ans_1_1[] = "{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"0807060504030201\","
				      "\"ReceiverID\":\"000013\",\"ReceiverNSID\":"
				      "\"1122334455667788\",\"TransactionID\":0,\"MessageType\":"
				      "\"HomeNSAns\",\"Result\":{\"ResultCode\":\"Success\"},"
				      "\"HNetID\":\"60000d\",\"HNSID\":\"1122334455667788\"}";

static const char *const good[] = {rejoin_ans,    error_notif,   home_ns_req_1_1, home_ns_ans_1_1,
				   join_req,      rejoin_req,    join_ans,        join_ans_1_1,
				   app_s_key_req, app_s_key_ans, home_ns_req,     home_ns_ans};

#define HEX_64  "0011223344556677889900112233445566778899001122334455667788990011"
#define LONG_ID "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345\""

/* One member of a good message replaced. `value` NULL takes it away; "Outer/Inner" goes one level down. */
struct bad_row {
	const char *name;
	const char *message;
	const char *member;
	const char *value;
	enum bi_fault fault;
	const char *field;
	bool has_envelope;
};

static const struct bad_row bad[] = {
	{"no MessageType", join_req, "MessageType", NULL, BI_FAULT_MISSING, "MessageType", false},
	{"a number as MessageType", join_req, "MessageType", "7", BI_FAULT_TYPE, "MessageType", false},
	{"a MessageType of nobody", join_req, "MessageType", "\"JoinRequest\"", BI_FAULT_UNKNOWN_TYPE,
	 "MessageType", false},
	{"no SenderID", join_req, "SenderID", NULL, BI_FAULT_MISSING, "SenderID", false},
	{"an empty SenderID", join_req, "SenderID", "\"\"", BI_FAULT_MISSING, "SenderID", false},
	{"a number as SenderID", join_req, "SenderID", "19", BI_FAULT_TYPE, "SenderID", false},
	{"a SenderID of 65 characters", join_req, "SenderID", LONG_ID, BI_FAULT_VALUE, "SenderID", false},
	{"a SenderID with a control character", join_req, "SenderID", "\"a\\nb\"", BI_FAULT_VALUE, "SenderID",
	 false},
	{"no ReceiverID", join_req, "ReceiverID", NULL, BI_FAULT_MISSING, "ReceiverID", false},
	{"a list as ReceiverID", join_req, "ReceiverID", "[]", BI_FAULT_TYPE, "ReceiverID", false},
	{"no TransactionID", join_req, "TransactionID", NULL, BI_FAULT_MISSING, "TransactionID", false},
	{"a text as TransactionID", join_req, "TransactionID", "\"4711\"", BI_FAULT_TYPE, "TransactionID",
	 false},
	{"a negative TransactionID", join_req, "TransactionID", "-1", BI_FAULT_VALUE, "TransactionID", false},
	{"a TransactionID of 33 bits", join_req, "TransactionID", "4294967296", BI_FAULT_VALUE,
	 "TransactionID", false},
	{"a SenderToken that is no hex", join_req, "SenderToken", "\"xyz\"", BI_FAULT_VALUE, "SenderToken",
	 false},
	{"a SenderToken of 65 octets", join_req, "SenderToken", "\"" HEX_64 HEX_64 "00\"", BI_FAULT_VALUE,
	 "SenderToken", false},
	{"a number as ReceiverToken", join_req, "ReceiverToken", "5", BI_FAULT_TYPE, "ReceiverToken", false},
	{"no ProtocolVersion", join_req, "ProtocolVersion", NULL, BI_FAULT_MISSING, "ProtocolVersion", true},
	{"a number as ProtocolVersion", join_req, "ProtocolVersion", "1.0", BI_FAULT_TYPE, "ProtocolVersion",
	 true},
	{"ProtocolVersion 2.0", join_req, "ProtocolVersion", "\"2.0\"", BI_FAULT_VERSION, "ProtocolVersion",
	 true},

	{"no MACVersion", join_req, "MACVersion", NULL, BI_FAULT_MISSING, "MACVersion", true},
	{"a number as MACVersion", join_req, "MACVersion", "1.1", BI_FAULT_TYPE, "MACVersion", true},
	{"MACVersion 1.2", join_req, "MACVersion", "\"1.2\"", BI_FAULT_VALUE, "MACVersion", true},
	{"no PHYPayload", join_req, "PHYPayload", "null", BI_FAULT_MISSING, "PHYPayload", true},
	{"a list as PHYPayload", join_req, "PHYPayload", "[0]", BI_FAULT_TYPE, "PHYPayload", true},
	{"a PHYPayload of odd digits", join_req, "PHYPayload", "\"000\"", BI_FAULT_VALUE, "PHYPayload", true},
	{"a PHYPayload of nothing but a prefix", join_req, "PHYPayload", "\"0x\"", BI_FAULT_VALUE,
	 "PHYPayload", true},
	{"a PHYPayload of 256 octets", join_req, "PHYPayload",
	 "\"" HEX_64 HEX_64 HEX_64 HEX_64 HEX_64 HEX_64 HEX_64 HEX_64 "\"", BI_FAULT_VALUE, "PHYPayload",
	 true},
	{"no DevEUI", join_req, "DevEUI", NULL, BI_FAULT_MISSING, "DevEUI", true},
	{"a DevEUI of 7 octets", join_req, "DevEUI", "\"01020304050607\"", BI_FAULT_VALUE, "DevEUI", true},
	{"a DevEUI of 9 octets", join_req, "DevEUI", "\"010203040506070809\"", BI_FAULT_VALUE, "DevEUI",
	 true},
	{"a DevEUI with hyphens", join_req, "DevEUI", "\"01-02-03-04-05-06-07-08\"", BI_FAULT_VALUE, "DevEUI",
	 true},
	{"a boolean as DevEUI", join_req, "DevEUI", "true", BI_FAULT_TYPE, "DevEUI", true},
	{"no DevAddr", join_req, "DevAddr", NULL, BI_FAULT_MISSING, "DevAddr", true},
	{"a number as DevAddr", join_req, "DevAddr", "637534209", BI_FAULT_TYPE, "DevAddr", true},
	{"a DevAddr of 5 octets", join_req, "DevAddr", "\"2600000100\"", BI_FAULT_VALUE, "DevAddr", true},
	{"no DLSettings", join_req, "DLSettings", NULL, BI_FAULT_MISSING, "DLSettings", true},
	{"a number as DLSettings", join_req, "DLSettings", "0", BI_FAULT_TYPE, "DLSettings", true},
	{"DLSettings of 2 octets", join_req, "DLSettings", "\"0000\"", BI_FAULT_VALUE, "DLSettings", true},
	{"no RxDelay", join_req, "RxDelay", NULL, BI_FAULT_MISSING, "RxDelay", true},
	{"a text as RxDelay", join_req, "RxDelay", "\"5\"", BI_FAULT_TYPE, "RxDelay", true},
	{"RxDelay 16", join_req, "RxDelay", "16", BI_FAULT_VALUE, "RxDelay", true},
	{"RxDelay -1", join_req, "RxDelay", "-1", BI_FAULT_VALUE, "RxDelay", true},
	{"a fraction as RxDelay", join_req, "RxDelay", "1.5", BI_FAULT_TYPE, "RxDelay", true},
	{"a CFList of 15 octets", join_req, "CFList", "\"184f84e85684b85e84886684586e84\"", BI_FAULT_VALUE,
	 "CFList", true},
	{"an object as CFList", join_req, "CFList", "{}", BI_FAULT_TYPE, "CFList", true},
	{"a rejoin without DevAddr", rejoin_req, "DevAddr", NULL, BI_FAULT_MISSING, "DevAddr", true},

	{"an answer without Result", join_ans, "Result", NULL, BI_FAULT_MISSING, "Result", true},
	{"a text as Result", join_ans, "Result", "\"Success\"", BI_FAULT_TYPE, "Result", true},
	{"a Result without ResultCode", join_ans, "Result/ResultCode", NULL, BI_FAULT_MISSING, "ResultCode",
	 true},
	{"a number as ResultCode", join_ans, "Result/ResultCode", "0", BI_FAULT_TYPE, "ResultCode", true},
	{"a success without PHYPayload", join_ans, "PHYPayload", NULL, BI_FAULT_MISSING, "PHYPayload", true},
	{"a join-accept of 18 octets", join_ans, "PHYPayload", "\"20c9fbb259e11649096a568a9e3b7117c300\"",
	 BI_FAULT_VALUE, "PHYPayload", true},
	{"a join-accept of 34 octets", join_ans, "PHYPayload", "\"" HEX_64 "2021\"", BI_FAULT_VALUE,
	 "PHYPayload", true},
	{"a text as Lifetime", join_ans, "Lifetime", "\"0\"", BI_FAULT_TYPE, "Lifetime", true},
	{"a negative Lifetime", join_ans, "Lifetime", "-5", BI_FAULT_VALUE, "Lifetime", true},
	{"a success without network key", join_ans, "NwkSKey", NULL, BI_FAULT_MISSING, "NwkSKey", true},
	{"an empty network key", join_ans, "NwkSKey", "{}", BI_FAULT_MISSING, "NwkSKey", true},
	{"a network key as text", join_ans, "NwkSKey", "\"00112233445566778899aabbccddeeff\"", BI_FAULT_TYPE,
	 "NwkSKey", true},
	{"a wrapped key without its label", join_ans, "NwkSKey/KEKLabel", NULL, BI_FAULT_VALUE, "NwkSKey",
	 true},
	{"a label of 33 characters", join_ans, "NwkSKey/KEKLabel", "\"aaaaaaaaaabbbbbbbbbbcccccccccc123\"",
	 BI_FAULT_VALUE, "NwkSKey", true},
	{"a number as label", join_ans, "NwkSKey/KEKLabel", "13", BI_FAULT_TYPE, "NwkSKey", true},
	{"a clear key under a label", join_ans, "AppSKey/KEKLabel", "\"application\"", BI_FAULT_VALUE,
	 "AppSKey", true},
	{"a key that is no hex", join_ans, "AppSKey/AESKey", "\"zz112233445566778899aabbccddeeff\"",
	 BI_FAULT_VALUE, "AppSKey", true},
	{"a number as AESKey", join_ans, "AppSKey/AESKey", "1", BI_FAULT_TYPE, "AppSKey", true},
	{"a SessionKeyID of 33 octets", join_ans, "SessionKeyID", "\"" HEX_64 "00\"", BI_FAULT_VALUE,
	 "SessionKeyID", true},
	{"1.1 without FNwkSIntKey", join_ans_1_1, "FNwkSIntKey", NULL, BI_FAULT_MISSING, "FNwkSIntKey", true},
	{"1.1 without SNwkSIntKey", join_ans_1_1, "SNwkSIntKey", NULL, BI_FAULT_MISSING, "SNwkSIntKey", true},
	{"1.1 without NwkSEncKey", join_ans_1_1, "NwkSEncKey", NULL, BI_FAULT_MISSING, "NwkSEncKey", true},

	{"AppSKeyReq without DevEUI", app_s_key_req, "DevEUI", NULL, BI_FAULT_MISSING, "DevEUI", true},
	{"AppSKeyReq without SessionKeyID", app_s_key_req, "SessionKeyID", NULL, BI_FAULT_MISSING,
	 "SessionKeyID", true},
	{"AppSKeyReq with a number as SessionKeyID", app_s_key_req, "SessionKeyID", "10", BI_FAULT_TYPE,
	 "SessionKeyID", true},
	{"AppSKeyAns without AppSKey", app_s_key_ans, "AppSKey", NULL, BI_FAULT_MISSING, "AppSKey", true},
	{"AppSKeyAns without DevEUI", app_s_key_ans, "DevEUI", NULL, BI_FAULT_MISSING, "DevEUI", true},
	{"HomeNSReq without DevEUI", home_ns_req, "DevEUI", NULL, BI_FAULT_MISSING, "DevEUI", true},
	{"HomeNSReq with a short DevEUI", home_ns_req, "DevEUI", "\"01\"", BI_FAULT_VALUE, "DevEUI", true},
	{"HomeNSAns without HNetID", home_ns_ans, "HNetID", NULL, BI_FAULT_MISSING, "HNetID", true},
	{"HomeNSAns with a NetID of 4 octets", home_ns_ans, "HNetID", "\"0060000d\"", BI_FAULT_VALUE,
	 "HNetID", true},
	{"HomeNSAns with an HNSID of 7 octets", home_ns_ans, "HNSID", "\"01020304050607\"", BI_FAULT_VALUE,
	 "HNSID", true},
	{"HomeNSAns with a number as HNSID", home_ns_ans, "HNSID", "7", BI_FAULT_TYPE, "HNSID", true},
	{"a number as SenderNSID", join_req, "SenderNSID", "7", BI_FAULT_TYPE, "SenderNSID", true},
	{"a SenderNSID of 9 octets", join_req, "SenderNSID", "\"010203040506070809\"", BI_FAULT_VALUE,
	 "SenderNSID", true},
	{"a list as ReceiverNSID", join_ans, "ReceiverNSID", "[]", BI_FAULT_TYPE, "ReceiverNSID", true},
	{"a text as VSExtension", join_req, "VSExtension", "\"00005e\"", BI_FAULT_TYPE, "VSExtension", true},
	{"a VendorID of 2 octets", join_req, "VSExtension", "{\"VendorID\":\"005e\"}", BI_FAULT_VALUE,
	 "VendorID", true},
	{"a number as VendorID", join_ans, "VSExtension", "{\"VendorID\":94,\"Object\":{}}", BI_FAULT_TYPE,
	 "VendorID", true},
	{"a notification whose Result is text", error_notif, "Result", "\"Other\"", BI_FAULT_TYPE, "Result",
	 true},
	{"a notification without ResultCode", error_notif, "Result/ResultCode", NULL, BI_FAULT_MISSING,
	 "ResultCode", true},
	{"AppSKeyReq with a DevEUI of 9 octets", app_s_key_req, "DevEUI", "\"010203040506070809\"",
	 BI_FAULT_VALUE, "DevEUI", true},
	{"AppSKeyReq with a list as DevEUI", app_s_key_req, "DevEUI", "[]", BI_FAULT_TYPE, "DevEUI", true},
	{"AppSKeyReq with a SessionKeyID of 33 octets", app_s_key_req, "SessionKeyID", "\"" HEX_64 "00\"",
	 BI_FAULT_VALUE, "SessionKeyID", true},
	{"AppSKeyAns with a text as AppSKey", app_s_key_ans, "AppSKey", "\"00\"", BI_FAULT_TYPE, "AppSKey",
	 true},
	{"AppSKeyAns with a number as DevEUI", app_s_key_ans, "DevEUI", "1", BI_FAULT_TYPE, "DevEUI", true},
	{"AppSKeyAns with a number as SessionKeyID", app_s_key_ans, "SessionKeyID", "10", BI_FAULT_TYPE,
	 "SessionKeyID", true},
	{"HomeNSReq with an object as DevEUI", home_ns_req, "DevEUI", "{\"a\":1}", BI_FAULT_TYPE, "DevEUI",
	 true},
	{"HomeNSReq with a DevEUI of 9 octets", home_ns_req, "DevEUI", "\"010203040506070809\"",
	 BI_FAULT_VALUE, "DevEUI", true},
	{"RejoinReq without PHYPayload", rejoin_req, "PHYPayload", NULL, BI_FAULT_MISSING, "PHYPayload",
	 true},
	{"RejoinReq without MACVersion", rejoin_req, "MACVersion", NULL, BI_FAULT_MISSING, "MACVersion",
	 true},
	{"RejoinReq without DevEUI", rejoin_req, "DevEUI", NULL, BI_FAULT_MISSING, "DevEUI", true},
	{"RejoinReq without DLSettings", rejoin_req, "DLSettings", NULL, BI_FAULT_MISSING, "DLSettings",
	 true},
	{"RejoinReq without RxDelay", rejoin_req, "RxDelay", NULL, BI_FAULT_MISSING, "RxDelay", true},
	{"RejoinAns without PHYPayload", rejoin_ans, "PHYPayload", NULL, BI_FAULT_MISSING, "PHYPayload",
	 true},
	{"RejoinAns without keys", rejoin_ans, "NwkSKey", NULL, BI_FAULT_MISSING, "NwkSKey", true},
	{"RejoinAns with a key of 15 octets", rejoin_ans, "NwkSKey/AESKey",
	 "\"112233445566778899aabbccddeeff\"", BI_FAULT_VALUE, "NwkSKey", true},
	{"HomeNSAns with a number as NetID", home_ns_ans, "HNetID", "13", BI_FAULT_TYPE, "HNetID", true},
};

/* Gives the text of `message` with one member replaced or taken away; free() it. */
static char *changed(const char *message, const char *member, const char *value)
{
	json_t *root = json_loads(message, 0, NULL);
	assert_non_null(root);
	json_t *object = root;
	char outer[32];
	const char *slash = strchr(member, '/');
	if (slash) {
		snprintf(outer, sizeof outer, "%.*s", (int)(slash - member), member);
		object = json_object_get(root, outer);
		member = slash + 1;
	}
	if (value) {
		json_t *replacement = json_loads(value, JSON_DECODE_ANY, NULL);
		assert_non_null(replacement);
		json_object_set_new(object, member, replacement);
	} else {
		assert_int_equal(json_object_del(object, member), 0);
	}
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return text;
}

static void each_fault_names_its_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		t_row(bad[i].name);
		char *text = changed(bad[i].message, bad[i].member, bad[i].value);
		struct bi_message message;
		struct bi_error error;
		t_false("read", bi_read(text, strlen(text), &message, &error));
		t_str("fault", bi_fault_name(bad[i].fault), bi_fault_name(error.fault));
		t_str("field", bad[i].field, error.field);
		t_int("has_envelope", bad[i].has_envelope, error.has_envelope);
		t_true("rule", error.rule[0] != '\0');
		t_uint("transaction_id", bad[i].has_envelope ? 4711 : 0, message.envelope.transaction_id);
		struct bi_join_ans none = {0};
		t_bytes("nothing is left of the body", (uint8_t *)&none, sizeof none,
			(uint8_t *)&message.join_ans, sizeof none);
		free(text);
	}
}

/* Forms that differ from ours and mean the same. */
struct same_row {
	const char *name;
	const char *message;
	const char *member;
	const char *value;
};

static const struct same_row same[] = {
	{"a prefix", join_req, "DevEUI", "\"0x0102030405060708\""},
	{"a capital prefix and capital digits", join_req, "CFList", "\"0X184F84E85684B85E84886684586E8400\""},
	{"SenderID with a prefix", join_req, "SenderID", "\"0x000013\""},
	{"ReceiverID with a prefix", join_req, "ReceiverID", "\"0X0807060504030201\""},
	{"an unknown member", join_req, "VSExtension", "{\"VendorID\":\"00005e\",\"Object\":[1,2]}"},
	{"a Result in a request", join_req, "Result", "7"},
	{"an absent token as null", join_req, "ReceiverToken", "null"},
	{"an absent key as null", join_ans, "FNwkSIntKey", "null"},
	{"an absent key as an empty object", join_ans, "FNwkSIntKey", "{}"},
	{"an absent key with an empty AESKey", join_ans, "FNwkSIntKey",
	 "{\"KEKLabel\":\"x\",\"AESKey\":\"\"}"},
	{"an empty label", join_ans, "AppSKey/KEKLabel", "\"\""},
	{"a null label", join_ans, "AppSKey/KEKLabel", "null"},
	{"an empty description", join_ans, "Result/Description", "\"\""},
	{"a description that is no text", join_ans, "Result/Description", "[]"},
};

static void tolerant_forms_read_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		t_row(same[i].name);
		char *text = changed(same[i].message, same[i].member, same[i].value);
		struct bi_message expected, got;
		struct bi_error error;
		assert_true(bi_read(same[i].message, strlen(same[i].message), &expected, &error));
		t_true("read", bi_read(text, strlen(text), &got, &error));
		t_str("field", "", error.field);
		t_bytes("message", (uint8_t *)&expected, sizeof expected, (uint8_t *)&got, sizeof got);
		free(text);
	}
	t_row("member names in another case");
	static const char lower[] =
		"{\"protocolversion\":\"1.0\",\"senderid\":\"000013\",\"RECEIVERID\":\"aa\","
		"\"transactionId\":1,\"messageType\":\"HomeNSReq\",\"devEui\":\"0102030405060708\"}";
	struct bi_message message;
	struct bi_error error;
	t_true("read", bi_read(lower, strlen(lower), &message, &error));
	t_uint("dev_eui", 0x0102030405060708, lw_eui64_number(&message.home_ns_req.dev_eui));
}

static void values_land_where_they_belong(void **state)
{
	(void)state;
	struct bi_message message;
	struct bi_error error;
	t_row("JoinReq");
	assert_true(bi_read(join_req, strlen(join_req), &message, &error));
	t_int("type", BI_JOIN_REQ, message.envelope.type);
	t_str("sender_id", "000013", message.envelope.sender_id);
	t_str("receiver_id", "0807060504030201", message.envelope.receiver_id);
	t_uint("transaction_id", 4711, message.envelope.transaction_id);
	t_bytes("sender_token", (const uint8_t[]){0xa1, 0xb2}, 2, message.envelope.sender_token.bytes,
		message.envelope.sender_token.length);
	t_int("mac_version", LW_MAC_1_0_3, message.join_req.mac_version);
	t_uint("phy_length", 23, message.join_req.phy_length);
	t_uint("last octet of phy", 0x0d, message.join_req.phy_payload[22]);
	t_uint("dev_eui", 0x0102030405060708, lw_eui64_number(&message.join_req.dev_eui));
	t_uint("dev_addr", 0x26000001, message.join_req.dev_addr.value);
	t_uint("dl_settings", 0x12, message.join_req.dl_settings);
	t_uint("rx_delay", 5, message.join_req.rx_delay);
	t_true("has_cflist", message.join_req.has_cflist);
	t_uint("cflist[1]", 0x4f, message.join_req.cflist[1]);

	t_row("JoinAns");
	assert_true(bi_read(join_ans, strlen(join_ans), &message, &error));
	t_int("result", BI_SUCCESS, message.envelope.result);
	t_uint("phy_length", 17, message.join_ans.phy_length);
	t_true("has_lifetime", message.join_ans.has_lifetime);
	t_str("label", "ns-13", message.join_ans.nwk_s_key.label);
	t_uint("wrapped", 24, message.join_ans.nwk_s_key.length);
	t_str("no label", "", message.join_ans.app_s_key.label);
	t_uint("clear", 16, message.join_ans.app_s_key.length);
	t_uint("no 1.1 key", 0, message.join_ans.f_nwk_s_int_key.length);
	t_uint("session_key_id", 4, message.join_ans.session_key_id.length);

	t_row("HomeNSAns");
	assert_true(bi_read(home_ns_ans, strlen(home_ns_ans), &message, &error));
	t_uint("h_net_id", 0x60000d, message.home_ns_ans.h_net_id.value);
}

static void what_is_written_reads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		t_row(good[i]);
		struct bi_message first, second;
		struct bi_error error;
		assert_true(bi_read(good[i], strlen(good[i]), &first, &error));
		char text[BI_WRITTEN_MAX];
		size_t length = bi_write(&first, text, sizeof text);
		t_true("written", length > 0 && text[length] == '\0');
		t_true("read", bi_read(text, length, &second, &error));
		t_bytes("message", (uint8_t *)&first, sizeof first, (uint8_t *)&second, sizeof second);
		t_uint("no room, nothing written", 0, bi_write(&first, text, length));
	}
}

static void the_longest_message_fits(void **state)
{
	(void)state;
	struct bi_message message = {.envelope = {.type = BI_JOIN_ANS, .transaction_id = UINT32_MAX}};
	memset(message.envelope.sender_id, '"', BI_ID_TEXT - 1);
	memset(message.envelope.receiver_id, '\\', BI_ID_TEXT - 1);
	memset(message.envelope.description, '"', BI_DESCRIPTION_TEXT - 1);
	message.envelope.sender_token.length = message.envelope.receiver_token.length = BI_TOKEN_MAX;
	struct bi_join_ans *ans = &message.join_ans;
	ans->phy_length = 33;
	ans->has_lifetime = true;
	struct bi_key_envelope *keys[] = {&ans->nwk_s_key, &ans->f_nwk_s_int_key, &ans->s_nwk_s_int_key,
					  &ans->nwk_s_enc_key, &ans->app_s_key};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		memset(keys[i]->label, '"', BI_LABEL_TEXT - 1);
		keys[i]->length = BI_KEY_WRAPPED;
	}
	ans->session_key_id.length = BI_SESSION_KEY_ID_MAX;
	char text[BI_WRITTEN_MAX];
	size_t length = bi_write(&message, text, sizeof text);
	t_true("written", length > 0);
	struct bi_message back;
	struct bi_error error;
	t_true("read", bi_read(text, length, &back, &error));
	t_bytes("message", (uint8_t *)&message, sizeof message, (uint8_t *)&back, sizeof back);
}

static void result_codes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		enum bi_result result;
	} rows[] = {
		{"the standard's own spelling", "UnkownReceiver", BI_UNKNOWN_RECEIVER},
		{"the right spelling", "UnknownReceiver", BI_UNKNOWN_RECEIVER},
		{"malformed in 1.0", "MalformedRequest", BI_MALFORMED},
		{"malformed in 1.1", "MalformedMessage", BI_MALFORMED},
		{"a stray A", "RoamingActDisallowedA", BI_ROAMING_ACT_DISALLOWED},
		{"a code that 1.0 shares", "JoinReqFailed", BI_JOIN_REQ_FAILED},
		{"a replay", "FrameReplayed", BI_FRAME_REPLAYED},
		{"a code of nobody", "GatewayOnFire", BI_OTHER},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("result", rows[i].result, bi_result_parse(rows[i].text));
	}
	for (int i = 0; i < BI_RESULT_COUNT; i++) {
		t_row(bi_result_name((enum bi_result)i, BI_PROTOCOL_1_1));
		t_int("1.1 reads back", i,
		      bi_result_parse(bi_result_name((enum bi_result)i, BI_PROTOCOL_1_1)));
	}
	t_row("what 1.0 does not have");
	t_str("malformed", "MalformedRequest", bi_result_name(BI_MALFORMED, BI_PROTOCOL_1_0));
	t_str("replayed", "JoinReqFailed", bi_result_name(BI_FRAME_REPLAYED, BI_PROTOCOL_1_0));
	t_str("no action", "Other", bi_result_name(BI_NO_ACTION, BI_PROTOCOL_1_0));
}

static void answers_mirror_the_request(void **state)
{
	(void)state;
	struct bi_message request, answer = {0}, back;
	struct bi_error error;
	assert_true(bi_read(join_req, strlen(join_req), &request, &error));
	request.envelope.protocol = BI_PROTOCOL_1_1;
	answer.envelope = bi_answer_envelope(&request.envelope);
	answer.envelope.result = BI_MALFORMED;
	memcpy(answer.envelope.description, "DevEUI \"?\"", 11);
	char text[BI_WRITTEN_MAX];
	size_t length = bi_write(&answer, text, sizeof text);
	assert_true(bi_read(text, length, &back, &error));
	t_int("type", BI_JOIN_ANS, back.envelope.type);
	t_int("protocol", BI_PROTOCOL_1_1, back.envelope.protocol);
	t_str("sender_id", "0807060504030201", back.envelope.sender_id);
	t_str("receiver_id", "000013", back.envelope.receiver_id);
	t_uint("transaction_id", 4711, back.envelope.transaction_id);
	t_bytes("the sender's token comes back", request.envelope.sender_token.bytes, 2,
		back.envelope.receiver_token.bytes, back.envelope.receiver_token.length);
	t_uint("no token of ours", 0, back.envelope.sender_token.length);
	t_int("result", BI_MALFORMED, back.envelope.result);
	t_str("description", "DevEUI \"?\"", back.envelope.description);
	t_true("1.1 spelling", strstr(text, "MalformedMessage"));

	t_row("a roaming request, known by name only");
	struct bi_message roaming = {
		.envelope = {.type = BI_PR_START_REQ, .sender_id = "a", .receiver_id = "b"}};
	answer.envelope = bi_answer_envelope(&roaming.envelope);
	answer.envelope.result = BI_OTHER;
	length = bi_write(&answer, text, sizeof text);
	t_true("read", bi_read(text, length, &back, &error));
	t_int("type", BI_PR_START_ANS, back.envelope.type);
}

static void an_answer_is_matched_to_its_request(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *member, *value;
		enum bi_match match;
	} rows[] = {
		{"the answer", "Lifetime", "5", BI_MATCH_OK},
		{"the answer to a rejoin", "MessageType", "\"RejoinAns\"", BI_MATCH_TYPE},
		{"another TransactionID", "TransactionID", "4712", BI_MATCH_TRANSACTION},
		{"another JoinEUI answers", "SenderID", "\"0807060504030202\"", BI_MATCH_SENDER},
		{"for another network", "ReceiverID", "\"000014\"", BI_MATCH_RECEIVER},
		{"our token", "ReceiverToken", "\"A1B2\"", BI_MATCH_OK},
		{"no token", "ReceiverToken", "null", BI_MATCH_OK},
		{"another token", "ReceiverToken", "\"a1b3\"", BI_MATCH_TOKEN},
		{"a longer token", "ReceiverToken", "\"a1b200\"", BI_MATCH_TOKEN},
		{"another version", "ProtocolVersion", "\"1.1\"", BI_MATCH_VERSION},
	};
	static const char answer_text[] = "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"0807060504030201\","
					  "\"ReceiverID\":\"000013\",\"TransactionID\":4711,\"MessageType\":"
					  "\"JoinAns\",\"Result\":{\"ResultCode\":\"MICFailed\"}}";
	struct bi_message request, answer;
	struct bi_error error;
	assert_true(bi_read(join_req, strlen(join_req), &request, &error));
	/* A token that nobody sent proves nothing, and does no harm. */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		json_t *root = json_loads(answer_text, 0, NULL);
		json_object_set_new(root, rows[i].member, json_loads(rows[i].value, JSON_DECODE_ANY, NULL));
		char *text = json_dumps(root, 0);
		/* A success needs keys; a refusal of another type is one as well. */
		assert_true(bi_read(text, strlen(text), &answer, &error));
		t_str("match", bi_match_name(rows[i].match),
		      bi_match_name(bi_answer_match(&request.envelope, &answer.envelope)));
		free(text);
		json_decref(root);
	}
	t_row("a refusal of the version comes in the version of the other side");
	answer.envelope = bi_answer_envelope(&request.envelope);
	answer.envelope.protocol = BI_PROTOCOL_1_1;
	answer.envelope.result = BI_INVALID_PROTOCOL_VERSION;
	t_int("match", BI_MATCH_OK, bi_answer_match(&request.envelope, &answer.envelope));
}

static void a_notification_turns_the_ids_round(void **state)
{
	(void)state;
	struct bi_message answer, notif = {0}, back;
	struct bi_error error;
	assert_true(bi_read(join_ans, strlen(join_ans), &answer, &error));
	notif.envelope = bi_error_envelope(&answer.envelope, BI_MALFORMED);
	char text[BI_WRITTEN_MAX];
	size_t length = bi_write(&notif, text, sizeof text);
	t_true("read", bi_read(text, length, &back, &error));
	t_int("type", BI_ERROR_NOTIF, back.envelope.type);
	t_str("sender_id", answer.envelope.receiver_id, back.envelope.sender_id);
	t_str("receiver_id", answer.envelope.sender_id, back.envelope.receiver_id);
	t_uint("transaction_id", 4711, back.envelope.transaction_id);
	t_int("result", BI_MALFORMED, back.envelope.result);
	static const char bare[] = "{" ENVELOPE("ErrorNotif") "}";
	t_row("without a Result");
	t_true("read", bi_read(bare, strlen(bare), &back, &error));
	t_int("result", BI_OTHER, back.envelope.result);
}

static void bodies_that_are_no_message(void **state)
{
	(void)state;
	static char long_text[BI_BODY_MAX + 2];
	memset(long_text, ' ', sizeof long_text - 1);
	memcpy(long_text, home_ns_req, sizeof home_ns_req - 1);
	static char deep[BI_BODY_MAX];
	memset(deep, '[', sizeof deep - 1);
	const struct {
		const char *name, *text;
		enum bi_fault fault;
	} rows[] = {
		{"nothing", "", BI_FAULT_NOT_JSON},
		{"a number", "7", BI_FAULT_NOT_JSON},
		{"a list", "[]", BI_FAULT_NOT_JSON},
		{"half an object", "{\"a\":", BI_FAULT_NOT_JSON},
		{"an object and more", "{} {}", BI_FAULT_NOT_JSON},
		{"a member twice", "{\"SenderID\":\"a\",\"SenderID\":\"b\"}", BI_FAULT_NOT_JSON},
		{"a NUL in a text", "{\"SenderID\":\"a\\u0000\"}", BI_FAULT_NOT_JSON},
		{"text that is not UTF-8", "{\"SenderID\":\"\xff\"}", BI_FAULT_NOT_JSON},
		{"32767 brackets", deep, BI_FAULT_NOT_JSON},
		{"an empty object", "{}", BI_FAULT_MISSING},
		{"one byte over the limit", long_text, BI_FAULT_TOO_LONG},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct bi_message message;
		struct bi_error error;
		t_false("read", bi_read(rows[i].text, strlen(rows[i].text), &message, &error));
		t_str("fault", bi_fault_name(rows[i].fault), bi_fault_name(error.fault));
		t_false("has_envelope", error.has_envelope);
	}
	t_row("at the limit");
	struct bi_message message;
	struct bi_error error;
	t_true("read", bi_read(long_text, BI_BODY_MAX, &message, &error));
}

static void a_refusal_needs_no_body(void **state)
{
	(void)state;
	static const char text[] = "{" ENVELOPE(
		"JoinAns") ",\"Result\":{\"ResultCode\":\"MICFailed\","
			   "\"Description\":\"no \\u00e9\"},\"PHYPayload\":7}";
	struct bi_message message;
	struct bi_error error;
	t_true("read", bi_read(text, strlen(text), &message, &error));
	t_int("result", BI_MIC_FAILED, message.envelope.result);
	t_str("description", "no ??", message.envelope.description);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_fault_names_its_field),
		t_test(tolerant_forms_read_the_same),
		t_test(values_land_where_they_belong),
		t_test(what_is_written_reads_back),
		t_test(the_longest_message_fits),
		t_test(result_codes),
		t_test(answers_mirror_the_request),
		t_test(bodies_that_are_no_message),
		t_test(a_refusal_needs_no_body),
		t_test(an_answer_is_matched_to_its_request),
		t_test(a_notification_turns_the_ids_round),
	};
	return t_run(tests);
}
