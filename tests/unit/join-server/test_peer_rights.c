/* Messages from other machines against the core: each right that is lacking with its verdict and result code, who is home for a
 * device, and the AppSKey of a session that its application server fetches. */
#include "tests/harness/harness.h"

#include "tests/harness/join_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THEIRS "60000d" /* there is a KEK of that label */

static struct t_join_world world;

static int open_world(void **state)
{
	t_join_world_open(&world);
	return t_setup(state);
}

static int close_world(void **state)
{
	t_join_world_close(&world);
	return t_teardown(state);
}

static struct js_peer peer_of(const char *words)
{
	struct js_peer peer;
	char expect[OPTION_EXPECT_MAX];
	if (!js_peer_parse("b", words, &peer, expect)) {
		fprintf(stderr, "%s\n", expect);
		abort();
	}
	return peer;
}

/* Provisions T_DEV_EUI; `home` 0: none said. */
static void provision(uint32_t home)
{
	static uint64_t version;
	struct js_record record = t_join_record(&world, ++version, LW_MAC_1_0_4);
	record.has_home = home != 0;
	record.home.value = home;
	t_join_provision(&world, &record);
}

static struct bi_message envelope(enum bi_type type, const char *sender, uint32_t transaction)
{
	struct bi_message message = {.envelope = {.type = type, .transaction_id = transaction}};
	snprintf(message.envelope.sender_id, BI_ID_TEXT, "%s", sender);
	snprintf(message.envelope.receiver_id, BI_ID_TEXT, "0807060504030201");
	return message;
}

#define PEER "certificate=b net_ids=" THEIRS " join_euis=0800000000000000/8 "

static const struct {
	const char *name;
	const char *words; /* NULL: the certificate is nobody's; "": on this machine */
	enum bi_type type;
	const char *sender;
	uint32_t home;
	enum js_verdict verdict;
	enum bi_result result;
} rows[] = {
	{"a network has its device join", PEER "messages=joins", BI_JOIN_REQ, THEIRS, 0x60000d, JS_ACCEPTED,
	 BI_SUCCESS},
	{"a certificate that is nobody's", NULL, BI_JOIN_REQ, THEIRS, 0x60000d, JS_PEER_UNKNOWN,
	 BI_UNKNOWN_SENDER},
	{"nobody asks who is home", NULL, BI_HOME_NS_REQ, THEIRS, 0, JS_PEER_UNKNOWN, BI_UNKNOWN_SENDER},
	{"a NetID that is not theirs", PEER "messages=joins", BI_JOIN_REQ, "000024", 0x60000d, JS_PEER_SENDER,
	 BI_UNKNOWN_SENDER},
	{"our NetID", PEER "messages=joins", BI_JOIN_REQ, "010203", 0, JS_PEER_SENDER, BI_UNKNOWN_SENDER},
	{"a SenderID that is no NetID", PEER "messages=joins", BI_JOIN_REQ, "ns.b", 0x60000d, JS_PEER_SENDER,
	 BI_UNKNOWN_SENDER},
	{"joins were not granted", PEER "messages=home", BI_JOIN_REQ, THEIRS, 0x60000d, JS_PEER_MESSAGE,
	 BI_ACTIVATION_DISALLOWED},
	{"nor rejoins", PEER "messages=home", BI_REJOIN_REQ, THEIRS, 0x60000d, JS_PEER_MESSAGE,
	 BI_ACTIVATION_DISALLOWED},
	{"home was not granted", PEER "messages=joins", BI_HOME_NS_REQ, THEIRS, 0, JS_PEER_MESSAGE,
	 BI_ACTIVATION_DISALLOWED},
	{"a network server asks for an AppSKey", PEER "messages=joins,home", BI_APP_S_KEY_REQ, THEIRS, 0,
	 JS_PEER_SENDER, BI_UNKNOWN_SENDER},
	{"an application server that was not granted it", PEER "as_ids=as.b messages=joins", BI_APP_S_KEY_REQ,
	 "as.b", 0, JS_PEER_MESSAGE, BI_ACTIVATION_DISALLOWED},
	{"an application server has a device join",
	 "certificate=b as_ids=as.b kek=application messages=app_keys join_euis=any", BI_JOIN_REQ, THEIRS,
	 0x60000d, JS_PEER_SENDER, BI_UNKNOWN_SENDER},
	{"a JoinEUI that is not theirs",
	 "certificate=b net_ids=" THEIRS " join_euis=0900000000000000/8 messages=joins", BI_JOIN_REQ, THEIRS,
	 0x60000d, JS_PEER_JOIN_EUI, BI_UNKNOWN_RECEIVER},
	{"a JoinEUI that is not theirs to ask about",
	 "certificate=b net_ids=" THEIRS " join_euis=0900000000000000/8 messages=home", BI_HOME_NS_REQ,
	 THEIRS, 0, JS_PEER_JOIN_EUI, BI_UNKNOWN_RECEIVER},
	{"a device whose home is another network", PEER "messages=joins", BI_JOIN_REQ, THEIRS, 0x000024,
	 JS_HOME_ELSEWHERE, BI_ACTIVATION_DISALLOWED},
	{"a device of ours", PEER "messages=joins", BI_JOIN_REQ, THEIRS, 0, JS_HOME_ELSEWHERE,
	 BI_ACTIVATION_DISALLOWED},
	{"our network server, a device of theirs", "", BI_JOIN_REQ, "010203", 0x60000d, JS_HOME_ELSEWHERE,
	 BI_ACTIVATION_DISALLOWED},
	{"our network server, a device of ours said so", "", BI_JOIN_REQ, "010203", 0x010203, JS_ACCEPTED,
	 BI_SUCCESS},
	{"no KEK of that label", PEER "messages=joins kek=elsewhere", BI_JOIN_REQ, THEIRS, 0x60000d,
	 JS_NO_KEK, BI_JOIN_REQ_FAILED},
	{"no KEK of their NetID", "certificate=b net_ids=000024 join_euis=0800000000000000/8 messages=joins",
	 BI_JOIN_REQ, "000024", 0x000024, JS_NO_KEK, BI_JOIN_REQ_FAILED},
	{"a roaming request", PEER "messages=joins,home", BI_PR_START_REQ, THEIRS, 0, JS_UNSUPPORTED_MESSAGE,
	 BI_OTHER},
};

static struct bi_message message_of(enum bi_type type, const char *sender, uint16_t nonce)
{
	struct bi_message message = envelope(type, sender, nonce);
	struct bi_message join = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, nonce, nonce);
	if (type == BI_JOIN_REQ || type == BI_REJOIN_REQ)
		message.join_req = join.join_req;
	else
		message.home_ns_req.dev_eui = lw_eui64_from_number(T_DEV_EUI);
	if (type == BI_APP_S_KEY_REQ)
		message.app_s_key_req.session_key_id.length = JS_SESSION_KEY_ID;
	return message;
}

/* A roaming request has no body here. */
static enum js_verdict ask(const struct js_peer *peer, const struct bi_message *message,
			   struct bi_message *answer)
{
	if (message->envelope.type < BI_BODIES)
		return t_join_ask_as(&world, peer, message, answer);
	char text[512], out[BI_WRITTEN_MAX];
	struct js_outcome outcome;
	struct bi_error error;
	snprintf(text, sizeof text,
		 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"%s\",\"ReceiverID\":\"%s\",\"TransactionID\":7,"
		 "\"MessageType\":\"%s\"}",
		 message->envelope.sender_id, message->envelope.receiver_id,
		 bi_type_name(message->envelope.type));
	size_t length = js_join_on_message(&world.join, world.now, (const uint8_t *)text, strlen(text), peer,
					   out, &outcome);
	assert_true(bi_read(out, length, answer, &error));
	return outcome.verdict;
}

static void each_right_that_is_lacking_has_its_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct js_peer peer = rows[i].words && rows[i].words[0] ? peer_of(rows[i].words)
									: t_join_here;
		provision(rows[i].home);
		struct bi_message request = message_of(rows[i].type, rows[i].sender, (uint16_t)(i + 1)),
				  answer;
		unsigned writes = world.store.writes;
		uint64_t counted = world.join.counters.verdicts[rows[i].verdict];
		enum js_verdict verdict = ask(rows[i].words ? &peer : NULL, &request, &answer);
		t_str("verdict", js_verdict_name(rows[i].verdict), js_verdict_name(verdict));
		t_int("result", rows[i].result, answer.envelope.result);
		t_uint("counted", counted + 1, world.join.counters.verdicts[rows[i].verdict]);
		if (rows[i].verdict != JS_ACCEPTED)
			t_uint("nothing is used up", writes, world.store.writes);
		if (rows[i].result != BI_SUCCESS && rows[i].verdict != JS_NO_KEK)
			t_str("says why", js_verdict_name(rows[i].verdict), answer.envelope.description);
	}
}

static void a_kept_answer_is_for_who_asked_alone(void **state)
{
	(void)state;
	provision(0x60000d);
	struct js_peer theirs = peer_of(PEER "messages=joins");
	struct js_peer other = peer_of("certificate=c net_ids=000024 messages=joins join_euis=any");
	struct bi_message request = message_of(BI_JOIN_REQ, THEIRS, 9), answer;
	t_int("join", JS_ACCEPTED, t_join_ask_as(&world, &theirs, &request, &answer));
	t_int("their retry", JS_RETRIED, t_join_ask_as(&world, &theirs, &request, &answer));
	t_int("the same bytes from another", JS_PEER_SENDER,
	      t_join_ask_as(&world, &other, &request, &answer));
	t_uint("gets no key", 0, answer.join_ans.nwk_s_key.length);
	t_int("the refusal is not kept for the other", JS_RETRIED,
	      t_join_ask_as(&world, &theirs, &request, &answer));
}

static void keys_go_out_under_the_peer_s_label(void **state)
{
	(void)state;
	provision(0x60000d);
	struct bi_message request = message_of(BI_JOIN_REQ, THEIRS, 1), answer;
	struct js_peer peer = peer_of(PEER "messages=joins");
	t_int("join", JS_ACCEPTED, t_join_ask_as(&world, &peer, &request, &answer));
	t_str("the NetID where none is said", THEIRS, answer.join_ans.nwk_s_key.label);
	t_uint("wrapped", BI_KEY_WRAPPED, answer.join_ans.nwk_s_key.length);
	t_str("the AppSKey under the record's", JS_KEK_APPLICATION, answer.join_ans.app_s_key.label);
	peer = peer_of(PEER "messages=joins kek=network");
	request = message_of(BI_JOIN_REQ, THEIRS, 2);
	t_int("join", JS_ACCEPTED, t_join_ask_as(&world, &peer, &request, &answer));
	t_str("the peer's label", "network", answer.join_ans.nwk_s_key.label);
}

static void who_is_home(void **state)
{
	(void)state;
	struct js_peer peer = peer_of(PEER "messages=joins,home");
	struct bi_message answer, request = envelope(BI_HOME_NS_REQ, THEIRS, 1);
	request.home_ns_req.dev_eui = lw_eui64_from_number(T_DEV_EUI);
	t_int("nobody knows the device", JS_UNKNOWN_DEVICE, t_join_ask_as(&world, &peer, &request, &answer));
	t_int("result", BI_UNKNOWN_DEV_EUI, answer.envelope.result);

	t_row("a device of ours that never joined");
	provision(0);
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &peer, &request, &answer));
	t_uint("ours", 0x010203, answer.home_ns_ans.h_net_id.value);
	t_false("1.0 knows no network server", answer.home_ns_ans.has_h_ns_id);

	t_row("a device that joined through another network of this machine");
	struct bi_message join = message_of(BI_JOIN_REQ, THEIRS, 1);
	join.envelope.protocol = BI_PROTOCOL_1_1;
	join.envelope.has_sender_ns_id = true;
	join.envelope.sender_ns_id = lw_eui64_from_number(0x1122334455667788);
	t_int("join", JS_ACCEPTED, t_join_ask(&world, &join, &answer));
	t_true("its network server is addressed", answer.envelope.has_receiver_ns_id);
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &peer, &request, &answer));
	t_uint("that one", 0x60000d, answer.home_ns_ans.h_net_id.value);
	t_false("1.0 knows no network server", answer.home_ns_ans.has_h_ns_id);
	request.envelope.protocol = BI_PROTOCOL_1_1;
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &peer, &request, &answer));
	t_true("1.1 does", answer.home_ns_ans.has_h_ns_id);
	t_uint("which", 0x1122334455667788, lw_eui64_number(&answer.home_ns_ans.h_ns_id));
	t_int("answered in 1.1", BI_PROTOCOL_1_1, answer.envelope.protocol);

	t_row("what the city says goes before");
	provision(0x000024);
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &peer, &request, &answer));
	t_uint("home", 0x000024, answer.home_ns_ans.h_net_id.value);
	t_false("whose network server nobody told", answer.home_ns_ans.has_h_ns_id);

	t_row("another JoinEUI of the peer's block");
	snprintf(request.envelope.receiver_id, BI_ID_TEXT, "0807060504030202");
	t_int("verdict", JS_UNKNOWN_RECEIVER, t_join_ask_as(&world, &peer, &request, &answer));
	t_int("result", BI_UNKNOWN_RECEIVER, answer.envelope.result);
	snprintf(request.envelope.receiver_id, BI_ID_TEXT, "js.example");
	t_int("a name", JS_UNKNOWN_RECEIVER, t_join_ask(&world, &request, &answer));
}

static void a_block_of_join_euis_is_at_home_elsewhere(void **state)
{
	(void)state;
	static struct js_peers peers;
	struct option_map map = {.count = 2};
	char problem[256];
	snprintf(map.entries[0].label, OPTION_LABEL_MAX, "b");
	snprintf(map.entries[0].value, OPTION_VALUE_MAX, PEER "messages=joins home_of=0800000000000000/8");
	snprintf(map.entries[1].label, OPTION_LABEL_MAX, "c");
	snprintf(map.entries[1].value, OPTION_VALUE_MAX,
		 "certificate=c net_ids=000024 join_euis=any messages=joins,home home_of=0800000000000000/5 "
		 "kek=network");
	assert_true(js_peers_init(&peers, &map, problem, sizeof problem));
	world.join.options.peers = &peers;
	provision(0);
	struct bi_message request = message_of(BI_JOIN_REQ, THEIRS, 1), answer;
	t_int("theirs", JS_ACCEPTED, t_join_ask_as(&world, &peers.peers[0], &request, &answer));
	request = message_of(BI_JOIN_REQ, "000024", 2);
	t_int("not those of a shorter block", JS_HOME_ELSEWHERE,
	      t_join_ask_as(&world, &peers.peers[1], &request, &answer));
	request = message_of(BI_JOIN_REQ, "010203", 3);
	t_int("nor ours any more", JS_HOME_ELSEWHERE, t_join_ask(&world, &request, &answer));
	request = message_of(BI_HOME_NS_REQ, "000024", 4);
	t_int("who is home", JS_ANSWERED, t_join_ask_as(&world, &peers.peers[1], &request, &answer));
	t_uint("theirs", 0x60000d, answer.home_ns_ans.h_net_id.value);
	provision(0x000024);
	request = message_of(BI_JOIN_REQ, "000024", 5);
	t_int("what the city says goes before", JS_ACCEPTED,
	      t_join_ask_as(&world, &peers.peers[1], &request, &answer));
}

/* Joins with that DevNonce, and gives the request that fetches the AppSKey. */
static struct bi_message join_and_ask(uint16_t nonce, struct bi_key_envelope *app_s_key)
{
	struct bi_message request = message_of(BI_JOIN_REQ, "010203", nonce), answer;
	t_int("join", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	t_join_store_commit(&world.store);
	struct bi_message fetch = message_of(BI_APP_S_KEY_REQ, "as.b", nonce);
	fetch.app_s_key_req.session_key_id = answer.join_ans.session_key_id;
	*app_s_key = answer.join_ans.app_s_key;
	return fetch;
}

static void an_application_server_fetches_its_key(void **state)
{
	(void)state;
	struct js_peer as = peer_of(
		"certificate=as as_ids=as.b kek=application messages=app_keys join_euis=any");
	struct js_peer other = peer_of(
		"certificate=as as_ids=as.b kek=60000d messages=app_keys join_euis=any");
	struct bi_key_envelope keys[3];
	struct bi_message answer, fetch[3];
	provision(0);
	fetch[0] = join_and_ask(1, &keys[0]);
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &as, &fetch[0], &answer));
	t_int("type", BI_APP_S_KEY_ANS, answer.envelope.type);
	t_str("label", keys[0].label, answer.app_s_key_ans.app_s_key.label);
	t_bytes("the key of the JoinAns", keys[0].key, BI_KEY_WRAPPED, answer.app_s_key_ans.app_s_key.key,
		answer.app_s_key_ans.app_s_key.length);
	t_uint("dev_eui", T_DEV_EUI, lw_eui64_number(&answer.app_s_key_ans.dev_eui));
	t_row("a restart");
	t_join_world_crash(&world);
	t_int("verdict", JS_ANSWERED, t_join_ask_as(&world, &as, &fetch[0], &answer));
	t_row("another application server's key");
	t_int("verdict", JS_OTHER_APPLICATION, t_join_ask_as(&world, &other, &fetch[0], &answer));
	t_int("result", BI_ACTIVATION_DISALLOWED, answer.envelope.result);
	t_uint("no key", 0, answer.app_s_key_ans.app_s_key.length);
	t_row("the last two sessions are kept");
	fetch[1] = join_and_ask(2, &keys[1]);
	fetch[2] = join_and_ask(3, &keys[2]);
	t_int("the first is gone", JS_UNKNOWN_SESSION, t_join_ask_as(&world, &as, &fetch[0], &answer));
	t_int("result", BI_OTHER, answer.envelope.result);
	t_int("the second", JS_ANSWERED, t_join_ask_as(&world, &as, &fetch[1], &answer));
	t_int("the third", JS_ANSWERED, t_join_ask_as(&world, &as, &fetch[2], &answer));
	t_row("a SessionKeyID of nobody");
	fetch[2].app_s_key_req.session_key_id.bytes[3] ^= 1;
	t_int("verdict", JS_UNKNOWN_SESSION, t_join_ask_as(&world, &as, &fetch[2], &answer));
	fetch[1].app_s_key_req.session_key_id.length = 4;
	t_int("a short one", JS_UNKNOWN_SESSION, t_join_ask_as(&world, &as, &fetch[1], &answer));
	t_row("they expire");
	fetch[1].app_s_key_req.session_key_id.length = JS_SESSION_KEY_ID;
	world.now.wall.us += JS_SESSION_SPAN_US + US_PER_S;
	t_int("verdict", JS_UNKNOWN_SESSION, t_join_ask_as(&world, &as, &fetch[1], &answer));
	t_uint("not swept yet", 2, world.store.now.session_count);
	world.now.mono.us += JS_SESSION_CYCLE_US;
	t_int("tick", ST_OK, js_join_on_tick(&world.join, world.now));
	t_uint("swept", 0, world.store.now.session_count);
}

static void answers_and_notifications_are_heard(void **state)
{
	(void)state;
	struct js_peer peer = peer_of(PEER "messages=joins");
	struct bi_message notif = envelope(BI_ERROR_NOTIF, THEIRS, 7), answer;
	char text[BI_WRITTEN_MAX], out[BI_WRITTEN_MAX];
	struct js_outcome outcome;
	notif.envelope.result = BI_MALFORMED;
	size_t length = bi_write(&notif, text, sizeof text);
	t_uint("no answer", 0,
	       js_join_on_message(&world.join, world.now, (uint8_t *)text, length, &peer, out, &outcome));
	t_int("verdict", JS_ERROR_NOTIFIED, outcome.verdict);
	t_int("what it says", BI_MALFORMED, outcome.notified);
	t_row("in another's name");
	snprintf(notif.envelope.sender_id, BI_ID_TEXT, "000024");
	t_int("verdict", JS_PEER_SENDER, t_join_ask_as(&world, &peer, &notif, &answer));
	t_int("nobody's", JS_PEER_UNKNOWN, t_join_ask_as(&world, NULL, &notif, &answer));
	t_row("a version of nobody");
	static const char future[] =
		"{\"ProtocolVersion\":\"2.0\",\"SenderID\":\"60000d\",\"ReceiverID\":"
		"\"0807060504030201\",\"TransactionID\":7,\"MessageType\":\"HomeNSReq\"}";
	length = js_join_on_message(&world.join, world.now, (const uint8_t *)future, strlen(future), &peer,
				    out, &outcome);
	t_int("who may not ask learns no version", JS_PEER_MESSAGE, outcome.verdict);
	struct js_peer asks = peer_of(PEER "messages=home");
	length = js_join_on_message(&world.join, world.now, (const uint8_t *)future, strlen(future), &asks,
				    out, &outcome);
	t_int("who may does", JS_WRONG_PROTOCOL, outcome.verdict);
	t_true("in its own version", length > 0 && strstr(out, "\"ProtocolVersion\":\"2.0\"") &&
					     strstr(out, "InvalidProtocolVersion"));
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(each_right_that_is_lacking_has_its_result),
		IN_WORLD(a_kept_answer_is_for_who_asked_alone),
		IN_WORLD(keys_go_out_under_the_peer_s_label),
		IN_WORLD(who_is_home),
		IN_WORLD(a_block_of_join_euis_is_at_home_elsewhere),
		IN_WORLD(an_application_server_fetches_its_key),
		IN_WORLD(answers_and_notifications_are_heard),
	};
	return t_run(tests);
}
