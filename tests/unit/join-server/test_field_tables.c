/* Every field of every message of TS002 that a join server or its client reads: missing, null, empty, of every JSON type it may not
 * have, shorter, longer, far longer, with foreign characters. One description of the fields, written from TS002-1.1 tables 5 to 20
 * and not from the reader's rows, makes all of them; what each has to lead to is told by its kind alone:
 *
 *	requests        at the join server: the result code that its answer carries, or none where who asked cannot be told
 *	answers         at the client: the fault and the field that it names, so that the answer is not used
 *	ErrorNotif      at both: never answered, whatever stands in it
 *
 * Both protocol versions; their spelling of the result differs. */
#include "tests/harness/harness.h"
#include "tests/harness/join_world.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIG_DIGITS 2000
#define SENDER     "010203"
#define RECEIVER   "0807060504030201"

/* What a field may hold. */
enum kind {
	MESSAGE_TYPE,
	PROTOCOL,
	ID,      /* 1 to 64 printable characters */
	U32,     /* a number of 32 bits */
	SECONDS, /* 0 to 15 */
	VERSION, /* a version of LoRaWAN */
	HEX,     /* octets: `least` to `most` */
	ACCEPT,  /* 17 or 33 octets */
	KEY,     /* a key envelope */
	RESULT,
	VENDOR /* VSExtension */
};

/* Where it stands decides who can be told: without a whole envelope nobody. */
enum place { FRAME, PROTOCOL_VERSION, ENVELOPE, BODY };

struct field {
	const char *name;
	enum place place;
	enum kind kind;
	bool required;
	size_t least, most;
};

#define ENVELOPE_FIELDS                                                                                   \
	{"MessageType", FRAME, MESSAGE_TYPE, true, 0, 0}, {"SenderID", FRAME, ID, true, 0, 0},            \
		{"ReceiverID", FRAME, ID, true, 0, 0}, {"TransactionID", FRAME, U32, true, 0, 0},         \
		{"SenderToken", FRAME, HEX, false, 1, 64}, {"ReceiverToken", FRAME, HEX, false, 1, 64},   \
		{"ProtocolVersion", PROTOCOL_VERSION, PROTOCOL, true, 0, 0},                              \
		{"SenderNSID", ENVELOPE, HEX, false, 8, 8}, {"ReceiverNSID", ENVELOPE, HEX, false, 8, 8}, \
	{                                                                                                 \
		"VSExtension", ENVELOPE, VENDOR, false, 0, 0                                              \
	}
#define RESULT_FIELD                                   \
	{                                              \
		"Result", ENVELOPE, RESULT, true, 0, 0 \
	}
#define JOIN_FIELDS                                                                            \
	{"MACVersion", BODY, VERSION, true, 0, 0}, {"PHYPayload", BODY, HEX, true, 1, 255},    \
		{"DevEUI", BODY, HEX, true, 8, 8}, {"DevAddr", BODY, HEX, true, 4, 4},         \
		{"DLSettings", BODY, HEX, true, 1, 1}, {"RxDelay", BODY, SECONDS, true, 0, 0}, \
	{                                                                                      \
		"CFList", BODY, HEX, false, 16, 16                                             \
	}
#define ACCEPT_FIELDS                                                                    \
	{"PHYPayload", BODY, ACCEPT, true, 0, 0}, {"Lifetime", BODY, U32, false, 0, 0},  \
		{"NwkSKey", BODY, KEY, true, 0, 0}, {"AppSKey", BODY, KEY, false, 0, 0}, \
	{                                                                                \
		"SessionKeyID", BODY, HEX, false, 1, 32                                  \
	}
/* Of 1.1: three network keys in the place of one. */
#define ACCEPT_FIELDS_1_1                                                                      \
	{"PHYPayload", BODY, ACCEPT, true, 0, 0}, {"FNwkSIntKey", BODY, KEY, true, 0, 0},      \
		{"SNwkSIntKey", BODY, KEY, true, 0, 0}, {"NwkSEncKey", BODY, KEY, true, 0, 0}, \
	{                                                                                      \
		"AppSKey", BODY, KEY, false, 0, 0                                              \
	}

static const struct field join_req[] = {ENVELOPE_FIELDS, JOIN_FIELDS};
static const struct field app_s_key_req[] = {
	ENVELOPE_FIELDS, {"DevEUI", BODY, HEX, true, 8, 8}, {"SessionKeyID", BODY, HEX, true, 1, 32}};
static const struct field home_ns_req[] = {ENVELOPE_FIELDS, {"DevEUI", BODY, HEX, true, 8, 8}};
static const struct field join_ans[] = {ENVELOPE_FIELDS, RESULT_FIELD, ACCEPT_FIELDS};
static const struct field join_ans_1_1[] = {ENVELOPE_FIELDS, RESULT_FIELD, ACCEPT_FIELDS_1_1};
static const struct field app_s_key_ans[] = {ENVELOPE_FIELDS,
					     RESULT_FIELD,
					     {"DevEUI", BODY, HEX, true, 8, 8},
					     {"AppSKey", BODY, KEY, true, 0, 0},
					     {"SessionKeyID", BODY, HEX, false, 1, 32}};
static const struct field home_ns_ans[] = {
	ENVELOPE_FIELDS, RESULT_FIELD, {"HNetID", BODY, HEX, true, 3, 3}, {"HNSID", BODY, HEX, false, 8, 8}};
/* A notification without Result says Other. */
static const struct field error_notif[] = {ENVELOPE_FIELDS, {"Result", ENVELOPE, RESULT, false, 0, 0}};

#define CLEAR   "{\"AESKey\":\"00112233445566778899aabbccddeeff\"}"
#define WRAPPED "{\"KEKLabel\":\"ns\",\"AESKey\":\"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5\"}"
#define SUCCESS ",\"Result\":{\"ResultCode\":\"Success\"}"
#define PHY     ",\"PHYPayload\":\"20c9fbb259e11649096a568a9e3b7117c3\""
#define JOIN_BODY                                                                                      \
	",\"MACVersion\":\"1.0.4\",\"PHYPayload\":\"%s\",\"DevEUI\":\"0102030405060708\",\"DevAddr\":" \
	"\"26000001\",\"DLSettings\":\"12\",\"RxDelay\":5,\"CFList\":\"184f84e85684b85e84886684586e8400\""

static const struct message {
	const char *type;
	const struct field *fields;
	size_t count;
	const char *body; /* behind the envelope; %s: a PHYPayload that is fresh every time */
	/* Of the message as it is, with fields that may be absent or not: what it gets. Answers: BI_SUCCESS, they read. */
	enum bi_result good;
	bool is_answer, is_silent;
} messages[] = {
	{"JoinReq", join_req, ARRAY_SIZE(join_req), JOIN_BODY, BI_SUCCESS, false, false},
	{"RejoinReq", join_req, ARRAY_SIZE(join_req), JOIN_BODY, BI_MALFORMED, false, false},
	{"AppSKeyReq", app_s_key_req, ARRAY_SIZE(app_s_key_req),
	 ",\"DevEUI\":\"0102030405060708\",\"SessionKeyID\":\"0a0b\"", BI_OTHER, false, false},
	{"HomeNSReq", home_ns_req, ARRAY_SIZE(home_ns_req), ",\"DevEUI\":\"0102030405060708\"", BI_SUCCESS,
	 false, false},
	{"JoinAns", join_ans, ARRAY_SIZE(join_ans),
	 SUCCESS PHY ",\"Lifetime\":0,\"NwkSKey\":" WRAPPED ",\"AppSKey\":" CLEAR
		     ",\"SessionKeyID\":\"0a0b\"",
	 BI_SUCCESS, true, true},
	{"JoinAns", join_ans_1_1, ARRAY_SIZE(join_ans_1_1),
	 SUCCESS PHY ",\"FNwkSIntKey\":" CLEAR ",\"SNwkSIntKey\":" CLEAR ",\"NwkSEncKey\":" CLEAR
		     ",\"AppSKey\":" WRAPPED,
	 BI_SUCCESS, true, true},
	{"RejoinAns", join_ans, ARRAY_SIZE(join_ans),
	 SUCCESS PHY ",\"Lifetime\":0,\"NwkSKey\":" WRAPPED ",\"AppSKey\":" CLEAR
		     ",\"SessionKeyID\":\"0a0b\"",
	 BI_SUCCESS, true, true},
	{"AppSKeyAns", app_s_key_ans, ARRAY_SIZE(app_s_key_ans),
	 SUCCESS ",\"DevEUI\":\"0102030405060708\",\"AppSKey\":" WRAPPED ",\"SessionKeyID\":\"0a0b\"",
	 BI_SUCCESS, true, true},
	{"HomeNSAns", home_ns_ans, ARRAY_SIZE(home_ns_ans),
	 SUCCESS ",\"HNetID\":\"60000d\",\"HNSID\":\"0102030405060708\"", BI_SUCCESS, true, true},
	{"ErrorNotif", error_notif, ARRAY_SIZE(error_notif),
	 ",\"Result\":{\"ResultCode\":\"MalformedRequest\",\"Description\":\"PHYPayload\"}", BI_SUCCESS, true,
	 true},
};

static struct t_join_world world;
static uint32_t transaction;
static uint16_t dev_nonce;

/* --- one message ------------------------------------------------------------------------------------------------- */

static json_t *make(const struct message *message, enum bi_protocol protocol)
{
	char text[2048], body[1536], phy[2 * LW_JOIN_REQUEST_LENGTH + 1] = "";
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, ++dev_nonce, 1);
	for (size_t i = 0; i < LW_JOIN_REQUEST_LENGTH; i++)
		snprintf(phy + 2 * i, 3, "%02x", request.join_req.phy_payload[i]);
	const char *place = strstr(message->body, "%s");
	if (place)
		snprintf(body, sizeof body, "%.*s%s%s", (int)(place - message->body), message->body, phy,
			 place + 2);
	else
		snprintf(body, sizeof body, "%s", message->body);
	snprintf(text, sizeof text,
		 "{\"ProtocolVersion\":\"%s\",\"SenderID\":\"" SENDER "\",\"ReceiverID\":\"" RECEIVER
		 "\",\"TransactionID\":%u,\"MessageType\":\"%s\",\"SenderToken\":\"a1b2\"%s}",
		 protocol == BI_PROTOCOL_1_1 ? "1.1" : "1.0", ++transaction, message->type, body);
	json_t *root = json_loads(text, 0, NULL);
	assert_non_null(root);
	return root;
}

/* What has to become of it. */
struct expected {
	bool readable;         /* its envelope: it can be answered */
	enum bi_result result; /* of the answer */
	enum bi_fault fault;
	const char *field;
};

static void check_answer(const struct message *message, enum bi_protocol protocol, const char *answer,
			 size_t length, const struct js_outcome *outcome, const struct expected *expected)
{
	struct bi_message read;
	struct bi_error error;
	if (message->is_silent || !expected->readable) {
		t_uint("nothing is said", 0, length);
		t_str("unreadable", expected->readable ? "" : "unreadable",
		      outcome->verdict == JS_UNREADABLE ? "unreadable" : "");
		return;
	}
	bool good = bi_read(answer, length, &read, &error);
	if (expected->result == BI_INVALID_PROTOCOL_VERSION && !good)
		good = error.fault == BI_FAULT_VERSION; /* it goes out under the version that was asked in */
	t_true("an answer", length > 0 && good);
	char code[64];
	snprintf(code, sizeof code, "\"ResultCode\":\"%s\"", bi_result_name(expected->result, protocol));
	if (!strstr(answer, code))
		t_str("result", code, answer);
	if (expected->fault != BI_FAULT_NONE && !strstr(answer, expected->field))
		t_str("the answer names the field", expected->field, answer);
}

/* To the join server, whoever sends what; and to the reader of both sides. */
static void give(const struct message *message, enum bi_protocol protocol, const json_t *root,
		 const struct expected *expected)
{
	static char answer[BI_WRITTEN_MAX];
	struct bi_message read;
	struct bi_error error;
	struct js_outcome outcome;
	char *text = json_dumps(root, JSON_COMPACT);
	assert_non_null(text);
	bool good = bi_read(text, strlen(text), &read, &error);
	t_str("fault", bi_fault_name(expected->fault), bi_fault_name(error.fault));
	t_str("field", expected->field, error.field);
	t_int("it reads", expected->fault == BI_FAULT_NONE, good);
	t_int("who sent it is known", expected->readable, error.fault == BI_FAULT_NONE || error.has_envelope);
	answer[0] = '\0';
	size_t length = js_join_on_message(&world.join, world.now, (const uint8_t *)text, strlen(text),
					   &t_join_here, answer, &outcome);
	check_answer(message, protocol, answer, length, &outcome, expected);
	t_join_store_commit(&world.store);
	free(text);
}

/* --- what is wrong with a field ---------------------------------------------------------------------------------- */

static char row_name[256];

/* Takes `value` over. `fault` NONE: it is no fault, as when an optional field is not there. */
static void try_value(const struct message *message, const struct field *field, enum bi_protocol protocol,
		      const char *what, json_t *value, enum bi_fault fault, const char *inner)
{
	json_t *root = make(message, protocol);
	snprintf(row_name, sizeof row_name, "%s %s, %s: %s", message->type,
		 protocol == BI_PROTOCOL_1_1 ? "1.1" : "1.0", field->name, what);
	t_row(row_name);
	if (value)
		json_object_set_new(root, field->name, value);
	else
		json_object_del(root, field->name);
	struct expected expected = {.readable = fault == BI_FAULT_NONE || field->place != FRAME,
				    .result = message->good,
				    .fault = fault,
				    .field = fault == BI_FAULT_NONE ? ""
					     : inner                ? inner
								    : field->name};
	if (fault == BI_FAULT_VERSION)
		expected.result = BI_INVALID_PROTOCOL_VERSION;
	else if (fault != BI_FAULT_NONE)
		expected.result = BI_MALFORMED;
	/* Without a version that we know the answer goes out in 1.0. */
	bool known = field->place != PROTOCOL_VERSION || fault == BI_FAULT_NONE;
	give(message, known ? protocol : BI_PROTOCOL_1_0, root, &expected);
	json_decref(root);
}

static json_t *digits(size_t octets, const char *more)
{
	static char text[2 * BIG_DIGITS + 8];
	for (size_t i = 0; i < octets; i++)
		snprintf(text + 2 * i, 3, "a%c", (char)('0' + i % 10));
	snprintf(text + 2 * octets, 8, "%s", more);
	return json_string(text);
}

static json_t *letters(size_t count)
{
	static char text[BIG_DIGITS + 1];
	memset(text, 'a', count);
	text[count] = '\0';
	return json_string(text);
}

struct bad_value {
	enum kind kind;
	const char *what, *json;
	enum bi_fault fault;
	const char *inner; /* the field that is named, where it is one within */
};

/* Every kind's own; types that no field of it may have are in `types`. */
static const struct bad_value values[] = {
	{MESSAGE_TYPE, "of nobody", "\"JoinRequest\"", BI_FAULT_UNKNOWN_TYPE, NULL},
	{MESSAGE_TYPE, "in another case", "\"joinreq\"", BI_FAULT_UNKNOWN_TYPE, NULL},
	{PROTOCOL, "of the future", "\"2.0\"", BI_FAULT_VERSION, NULL},
	{PROTOCOL, "half of one", "\"1\"", BI_FAULT_VERSION, NULL},
	{PROTOCOL, "words", "\"one point one\"", BI_FAULT_VERSION, NULL},
	{ID, "a control character", "\"a\\nb\"", BI_FAULT_VALUE, NULL},
	{ID, "beyond ASCII", "\"caf\\u00e9\"", BI_FAULT_VALUE, NULL},
	{U32, "below", "-1", BI_FAULT_VALUE, NULL},
	{U32, "one above", "4294967296", BI_FAULT_VALUE, NULL},
	{U32, "of 63 bits", "9223372036854775807", BI_FAULT_VALUE, NULL},
	{U32, "a fraction", "1.5", BI_FAULT_TYPE, NULL},
	{SECONDS, "below", "-1", BI_FAULT_VALUE, NULL},
	{SECONDS, "one above", "16", BI_FAULT_VALUE, NULL},
	{SECONDS, "of 63 bits", "9223372036854775807", BI_FAULT_VALUE, NULL},
	{SECONDS, "a fraction", "1.5", BI_FAULT_TYPE, NULL},
	{VERSION, "of the future", "\"1.2\"", BI_FAULT_VALUE, NULL},
	{VERSION, "words", "\"newest\"", BI_FAULT_VALUE, NULL},
	{ACCEPT, "16 octets", "\"20c9fbb259e11649096a568a9e3b7117\"", BI_FAULT_VALUE, NULL},
	{ACCEPT, "18 octets", "\"20c9fbb259e11649096a568a9e3b7117c300\"", BI_FAULT_VALUE, NULL},
	{ACCEPT, "half an octet more", "\"20c9fbb259e11649096a568a9e3b7117c30\"", BI_FAULT_VALUE, NULL},
	{ACCEPT, "no hexadecimal", "\"20c9fbb259e11649096a568a9e3b7117cg\"", BI_FAULT_VALUE, NULL},
	{KEY, "15 octets", "{\"AESKey\":\"112233445566778899aabbccddeeff\"}", BI_FAULT_VALUE, NULL},
	{KEY, "17 octets", "{\"AESKey\":\"0000112233445566778899aabbccddeeff\"}", BI_FAULT_VALUE, NULL},
	{KEY, "in clear under a label",
	 "{\"KEKLabel\":\"ns\",\"AESKey\":\"00112233445566778899aabbccddeeff\"}", BI_FAULT_VALUE, NULL},
	{KEY, "wrapped under none", "{\"AESKey\":\"1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5\"}",
	 BI_FAULT_VALUE, NULL},
	{KEY, "no hexadecimal", "{\"AESKey\":\"zz112233445566778899aabbccddeeff\"}", BI_FAULT_VALUE, NULL},
	{KEY, "a number in it", "{\"AESKey\":7}", BI_FAULT_TYPE, NULL},
	{KEY, "a number as label", "{\"KEKLabel\":7,\"AESKey\":\"00\"}", BI_FAULT_TYPE, NULL},
	{KEY, "a label of 33 characters",
	 "{\"KEKLabel\":\"aaaaaaaaaabbbbbbbbbbcccccccccc123\",\"AESKey\":\"00\"}", BI_FAULT_VALUE, NULL},
	{RESULT, "without a code", "{}", BI_FAULT_MISSING, "ResultCode"},
	{RESULT, "a null as code", "{\"ResultCode\":null}", BI_FAULT_MISSING, "ResultCode"},
	{RESULT, "a number as code", "{\"ResultCode\":0}", BI_FAULT_TYPE, "ResultCode"},
	{RESULT, "a list as code", "{\"ResultCode\":[\"Success\"]}", BI_FAULT_TYPE, "ResultCode"},
	{VENDOR, "a VendorID of 2 octets", "{\"VendorID\":\"005e\"}", BI_FAULT_VALUE, "VendorID"},
	{VENDOR, "a VendorID of 4 octets", "{\"VendorID\":\"0000005e\"}", BI_FAULT_VALUE, "VendorID"},
	{VENDOR, "a number as VendorID", "{\"VendorID\":94}", BI_FAULT_TYPE, "VendorID"},
};

/* JSON types that a field may not have: what a text, a number and an object are is up to its kind. */
static const struct {
	const char *what, *json;
	bool text, number, object;
} types[] = {
	{"true", "true", false, false, false},          {"false", "false", false, false, false},
	{"a list", "[\"00\"]", false, false, false},    {"an empty list", "[]", false, false, false},
	{"a text", "\"7\"", true, false, false},        {"a number", "7", false, true, false},
	{"an object", "{\"a\":1}", false, false, true},
};

static bool takes_text(enum kind kind)
{
	return kind != U32 && kind != SECONDS && kind != KEY && kind != RESULT && kind != VENDOR;
}

static void try_types(const struct message *message, const struct field *field, enum bi_protocol protocol)
{
	bool number = field->kind == U32 || field->kind == SECONDS;
	bool object = field->kind == KEY || field->kind == RESULT || field->kind == VENDOR;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bool may = (types[i].text && takes_text(field->kind)) || (types[i].number && number) ||
			   (types[i].object && object);
		if (!may)
			try_value(message, field, protocol, types[i].what,
				  json_loads(types[i].json, JSON_DECODE_ANY, NULL), BI_FAULT_TYPE, NULL);
	}
}

static void try_lengths(const struct message *message, const struct field *field, enum bi_protocol protocol)
{
	if (field->kind == ID) {
		try_value(message, field, protocol, "65 characters", letters(65), BI_FAULT_VALUE, NULL);
		try_value(message, field, protocol, "far too long", letters(BIG_DIGITS), BI_FAULT_VALUE,
			  NULL);
	}
	if (field->kind == VERSION || field->kind == ACCEPT)
		try_value(message, field, protocol, "far too long", digits(BIG_DIGITS, ""), BI_FAULT_VALUE,
			  NULL);
	if (field->kind != HEX)
		return;
	if (field->least > 1)
		try_value(message, field, protocol, "an octet too few", digits(field->least - 1, ""),
			  BI_FAULT_VALUE, NULL);
	try_value(message, field, protocol, "an octet too many", digits(field->most + 1, ""), BI_FAULT_VALUE,
		  NULL);
	try_value(message, field, protocol, "half an octet more", digits(field->least, "a"), BI_FAULT_VALUE,
		  NULL);
	try_value(message, field, protocol, "no hexadecimal", digits(field->least - 1, "0g"), BI_FAULT_VALUE,
		  NULL);
	try_value(message, field, protocol, "far too long", digits(BIG_DIGITS, ""), BI_FAULT_VALUE, NULL);
}

static void try_field(const struct message *message, const struct field *field, enum bi_protocol protocol)
{
	enum bi_fault missing = field->required ? BI_FAULT_MISSING : BI_FAULT_NONE;
	try_value(message, field, protocol, "not there", NULL, missing, NULL);
	try_value(message, field, protocol, "null", json_null(), missing, NULL);
	if (takes_text(field->kind))
		try_value(message, field, protocol, "empty", json_string(""), missing, NULL);
	try_types(message, field, protocol);
	try_lengths(message, field, protocol);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].kind == field->kind)
			try_value(message, field, protocol, values[i].what,
				  json_loads(values[i].json, JSON_DECODE_ANY, NULL), values[i].fault,
				  values[i].inner);
}

static void every_field_of_every_message(void **state)
{
	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(messages); m++) {
		for (int protocol = BI_PROTOCOL_1_0; protocol <= BI_PROTOCOL_1_1; protocol++) {
			for (size_t f = 0; f < messages[m].count; f++)
				try_field(&messages[m], &messages[m].fields[f], (enum bi_protocol)protocol);
		}
	}
}

/* The body as a whole: what is longer than a message may be is not read at all. */
static void a_body_that_is_too_long_or_no_object(void **state)
{
	static const char *const bodies[] = {"",     "{",           "[]", "7",
					     "null", "\"JoinReq\"", "{}", "{\"a\":1,\"a\":2}"};
	static char long_body[BI_BODY_MAX + 2];
	char answer[BI_WRITTEN_MAX];
	struct js_outcome outcome;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		t_row(bodies[i]);
		t_uint("nothing is said", 0,
		       js_join_on_message(&world.join, world.now, (const uint8_t *)bodies[i],
					  strlen(bodies[i]), &t_join_here, answer, &outcome));
		t_str("verdict", "unreadable", js_verdict_name(outcome.verdict));
	}
	t_row("a message with blanks behind it");
	json_t *root = make(&messages[0], BI_PROTOCOL_1_0);
	char *text = json_dumps(root, JSON_COMPACT);
	memset(long_body, ' ', sizeof long_body);
	memcpy(long_body, text, strlen(text));
	t_uint("one byte too long", 0,
	       js_join_on_message(&world.join, world.now, (const uint8_t *)long_body, BI_BODY_MAX + 1,
				  &t_join_here, answer, &outcome));
	t_str("verdict", "unreadable", js_verdict_name(outcome.verdict));
	t_true("just as long as it may be",
	       js_join_on_message(&world.join, world.now, (const uint8_t *)long_body, BI_BODY_MAX,
				  &t_join_here, answer, &outcome) > 0);
	t_str("verdict", "accepted", js_verdict_name(outcome.verdict));
	free(text);
	json_decref(root);
}

static int open_world(void **state)
{
	t_join_world_open(&world);
	struct js_record record = t_join_record(&world, 1, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
	dev_nonce = 0;
	return t_setup(state);
}

static int close_world(void **state)
{
	t_join_world_close(&world);
	return t_teardown(state);
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {IN_WORLD(every_field_of_every_message),
					   IN_WORLD(a_body_that_is_too_long_or_no_object)};
	return t_run(tests);
}
