/* Join servers of others: what the configuration may say, which one a JoinEUI goes to, the breaker, and joins through the core:
 * one that is slow or down delays nobody else's, its answers are opened with its own key, and the reports name it. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_flow.h"

#include <stdio.h>
#include <string.h>

/* --- the configuration ------------------------------------------------------------------------------------------ */

#define GOOD "join_euis=70b3d57ed0000000/36 url=https://js.example/"

static const struct {
	const char *name, *words, *expect; /* expect: a part of it; NULL: good */
} words[] = {
	{"the least", GOOD, NULL},
	{"all that there is",
	 "join_euis=70b3d57ed0000000/36,0000000000000001/64 url=https://js.example:9443/ts002 ca=/a "
	 "certificate=/b "
	 "key=/c headers=/d protocol=1.1 sender=60000d ns_id=1122334455667788 kek=ns-13 kek_file=/e "
	 "asynchronous=true answers_from=js.example timeout_ms=900 in_flight=5",
	 NULL},
	{"nothing", "", "expected join_euis"},
	{"no block", "url=https://js.example/", "expected join_euis"},
	{"no URL", "join_euis=70b3d57ed0000000/36", "expected url"},
	{"a URL without TLS", "join_euis=70b3d57ed0000000/36 url=http://js.example/", "https://"},
	{"a bit beyond the block", "join_euis=70b3d57ed0000001/36 url=https://a/", "EUI/bits"},
	{"nine blocks",
	 "url=https://a/ "
	 "join_euis=0100000000000000/8,0200000000000000/8,0300000000000000/8,0400000000000000/8,"
	 "0500000000000000/8,0600000000000000/8,0700000000000000/8,0800000000000000/8,0900000000000000/8",
	 "at most 8"},
	{"a word that is none", GOOD " https", "members such as"},
	{"an unknown word", GOOD " color=red", "color: expected each at most once"},
	{"a word twice", GOOD " in_flight=5 in_flight=6", "in_flight: expected each at most once"},
	{"a certificate without its key", GOOD " certificate=/a", "certificate and key together"},
	{"a label without its file", GOOD " kek=a", "kek and kek_file together"},
	{"a version of nobody", GOOD " protocol=2.0", "1.0 or 1.1"},
	{"a sender that is no NetID", GOOD " sender=js", "NetID"},
	{"an ns_id of 7 octets", GOOD " ns_id=11223344556677", "16 hexadecimal"},
	{"asynchronous without whose answers", GOOD " asynchronous=true", "expected answers_from"},
	{"asynchronous perhaps", GOOD " asynchronous=perhaps", "true or false"},
	{"a time-out of a minute", GOOD " timeout_ms=60000", "100 to 5000 ms"},
	{"no place for a join", GOOD " in_flight=0", "1 to 1024"},
};

static void what_the_configuration_may_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct bi_join_server server;
		char expect[OPTION_EXPECT_MAX] = "";
		t_row(words[i].name);
		t_int("good", words[i].expect == NULL,
		      bi_join_server_parse(BI_NETWORK_SERVER, "maker", words[i].words, &server, expect));
		if (words[i].expect && !t_true("says what was expected", strstr(expect, words[i].expect)))
			fprintf(stderr, "%s\n", expect);
	}
}

static void the_longest_block_wins(void **state)
{
	(void)state;
	static const char *const of[] = {"join_euis=7000000000000000/4 url=https://a/",
					 "join_euis=70b3d57ed0000000/36,0000000000000001/64 url=https://b/",
					 "join_euis=70b3d57ed0000000/37 url=https://c/"};
	static const struct {
		uint64_t join_eui;
		uint8_t server;
	} rows[] = {{0x7fffffffffffffff, 0},  {0x70b3d57ed8000000, 1},
		    {0x70b3d57ed7ffffff, 2},  {1, 1},
		    {2, NS_JOIN_SERVER_OURS}, {0x8000000000000000, NS_JOIN_SERVER_OURS}};
	static struct bi_join_server servers[3];
	char expect[OPTION_EXPECT_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(of); i++)
		assert_true(bi_join_server_parse(BI_NETWORK_SERVER, "x", of[i], &servers[i], expect));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_eui64 eui = lw_eui64_from_number(rows[i].join_eui);
		t_uint("server", rows[i].server, bi_join_server_for(servers, 3, &eui));
	}
}

static void the_breaker_opens_and_closes(void **state)
{
	(void)state;
	struct bi_join_server server = {.in_flight = 2};
	struct ns_join_server_state at = {0};
	struct mono now = {100 * US_PER_S};
	for (unsigned i = 0; i < NS_BREAKER_FAILURES - 1; i++)
		ns_join_server_failed(&at, now);
	t_int("a few failures are nothing", NS_JOIN_ADMITTED, ns_join_server_admit(&server, &at, now));
	ns_join_server_answered(&at);
	for (unsigned i = 0; i < NS_BREAKER_FAILURES - 1; i++)
		ns_join_server_failed(&at, now);
	t_int("an answer begins the count anew", NS_JOIN_ADMITTED, ns_join_server_admit(&server, &at, now));
	ns_join_server_failed(&at, now);
	t_int("open", NS_JOIN_SHUNNED, ns_join_server_admit(&server, &at, now));
	t_false("nor again for those that wait", ns_join_server_may_repeat(&at));
	now.us += NS_BREAKER_PAUSE;
	t_int("one may try", NS_JOIN_ADMITTED, ns_join_server_admit(&server, &at, now));
	ns_join_server_began(&at, now);
	t_int("one at a time", NS_JOIN_SHUNNED, ns_join_server_admit(&server, &at, now));
	t_true("again as well", ns_join_server_may_repeat(&at));
	ns_join_server_failed(&at, now);
	ns_join_server_ended(&at);
	now.us += NS_BREAKER_PAUSE;
	t_int("the pause doubles", NS_JOIN_SHUNNED, ns_join_server_admit(&server, &at, now));
	for (unsigned i = 0; i < 10; i++) {
		now.us += NS_BREAKER_LONGEST;
		t_int("up to a minute", NS_JOIN_ADMITTED, ns_join_server_admit(&server, &at, now));
		ns_join_server_began(&at, now);
		ns_join_server_failed(&at, now);
		ns_join_server_ended(&at);
	}
	now.us += NS_BREAKER_LONGEST;
	ns_join_server_began(&at, now);
	ns_join_server_answered(&at);
	t_int("an answer closes it", NS_JOIN_ADMITTED, ns_join_server_admit(&server, &at, now));
	ns_join_server_began(&at, now);
	t_int("its limit is what it was", NS_JOIN_BUSY, ns_join_server_admit(&server, &at, now));
}

/* --- joins ------------------------------------------------------------------------------------------------------ */

static struct rig rig;
static struct rig_device theirs, ours;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static const uint8_t kek[16] = {9, 8, 7};

enum { PROFILE_103, PROFILE_11 };

static void add_device(struct rig_device *device, uint64_t number, uint64_t join_eui, uint8_t profile)
{
	rig_otaa(&rig, device, number, profile);
	struct net_device record = {.version = ++rig.version,
				    .dev_eui = device->dev_eui,
				    .enabled = true,
				    .join_eui = lw_eui64_from_number(join_eui),
				    .profile = rig_uuid(profile),
				    .activation = NET_OTAA};
	device->join_eui = record.join_eui;
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
}

/* One server of another's, with one block; `more` words. */
static void setup(const char *more)
{
	char line[OPTION_VALUE_MAX], expect[OPTION_EXPECT_MAX];
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", NULL);
	rig_state_end(&rig);
	snprintf(line, sizeof line, GOOD " kek=maker kek_file=/k %s", more);
	struct bi_join_server *server = &rig.ns.config.join_servers[0];
	assert_true(bi_join_server_parse(BI_NETWORK_SERVER, "maker", line, server, expect));
	memcpy(server->kek, kek, sizeof kek);
	rig.ns.config.join_server_count = 1;
	add_device(&theirs, 1, 0x70b3d57ed0000001, PROFILE_103);
	add_device(&ours, 2, 0x1122334455667700, PROFILE_103);
}

static struct ns_join_server_state *server_state(void)
{
	return &rig.ns.join_server_states[0];
}

/* Sends a join-request; its window closes. */
static void asks(const struct rig_device *device)
{
	static uint16_t dev_nonce = 100;
	struct lw_join_request join = {
		.join_eui = device->join_eui, .dev_eui = device->dev_eui, .dev_nonce = dev_nonce};
	dev_nonce++;
	uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 250 * US_PER_MS);
}

static const struct ns_join_call *call_of(size_t number)
{
	return &rig.joins[number - 1];
}

static void wrap(struct bi_key_envelope *envelope, const uint8_t *with, const char *label)
{
	const struct lw_key key = {{0x61}};
	snprintf(envelope->label, sizeof envelope->label, "%s", label);
	envelope->length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(with, 16, key.bytes, 16, envelope->key));
}

static struct bi_message answer_to(const struct ns_join_call *call, enum bi_result result)
{
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = result}};
	struct bi_join_ans *answer = &message.join_ans;
	answer->phy_length = call->request.has_cflist ? 33 : 17;
	if (call->server == NS_JOIN_SERVER_OURS)
		wrap(&answer->nwk_s_key, rig.config.kek, "network");
	else
		wrap(&answer->nwk_s_key, kek, "maker");
	snprintf(answer->app_s_key.label, sizeof answer->app_s_key.label, "as-of-maker");
	answer->app_s_key.length = BI_KEY_WRAPPED;
	memset(answer->app_s_key.key, 0xa5, BI_KEY_WRAPPED);
	return message;
}

static void give(const struct ns_join_call *call, const struct bi_message *message)
{
	ns_on_join_answer(&rig.ns, rig.now, call->transaction, message);
	rig_turn(&rig);
}

static void call_fails(const struct ns_join_call *call, const char *cause)
{
	ns_on_join_failure(&rig.ns, rig.now, call->transaction, cause);
	rig_turn(&rig);
}

static const struct net_join_report *last(void)
{
	static const struct net_join_report none = {.verdict = NET_JOIN_VERDICT_COUNT};
	return rig.report_count ? &rig.reports[(rig.report_count - 1) % RIG_SENT_MAX] : &none;
}

static void told(enum net_join_verdict verdict, const char *cause)
{
	t_int("verdict", verdict, last()->verdict);
	t_str("cause", cause, last()->cause);
}

static void a_join_is_routed_and_opened(void **state)
{
	(void)state;
	setup("");
	asks(&theirs);
	asks(&ours);
	t_uint("calls", 2, rig.join_count);
	t_uint("theirs", 0, call_of(1)->server);
	t_uint("ours", NS_JOIN_SERVER_OURS, call_of(2)->server);
	struct bi_message answer = answer_to(call_of(1), BI_SUCCESS);
	give(call_of(1), &answer);
	t_uint("the accept leaves", 1, rig.downlink_count);
	t_uint("event", 1, rig_events_of(&rig, PROTO_JOIN_EVENT));
	t_str("the AppSKey's label as it came", "as-of-maker", rig.events[0].join_event.app_s_key_label);
	t_bytes("the AppSKey as it came", answer.join_ans.app_s_key.key, BI_KEY_WRAPPED,
		rig.events[0].join_event.app_s_key_wrapped, NET_WRAPPED_KEY_SIZE);
	t_uint("accepted", 1, server_state()->accepted);
	t_uint("nothing waits", 0, server_state()->in_flight);
	answer = answer_to(call_of(2), BI_SUCCESS);
	give(call_of(2), &answer);
	t_uint("ours as well", 2, rig.downlink_count);
	rig_release(&rig);
}

static void other_label(struct bi_join_ans *answer)
{
	wrap(&answer->nwk_s_key, kek, "network");
}

static void our_key(struct bi_join_ans *answer)
{
	wrap(&answer->nwk_s_key, rig.config.kek, "maker");
}

static void key_in_clear(struct bi_join_ans *answer)
{
	answer->nwk_s_key = (struct bi_key_envelope){.length = BI_KEY_CLEAR};
}

static void app_key_in_clear(struct bi_join_ans *answer)
{
	answer->app_s_key = (struct bi_key_envelope){.length = BI_KEY_CLEAR};
}

static void keys_of_1_1(struct bi_join_ans *answer)
{
	answer->f_nwk_s_int_key = answer->s_nwk_s_int_key = answer->nwk_s_enc_key = answer->nwk_s_key;
	answer->nwk_s_key.length = 0;
}

static void no_accept(struct bi_join_ans *answer)
{
	answer->phy_length = 0;
}

static void answers_are_checked_as_ours(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*spoil)(struct bi_join_ans *answer);
	} rows[] = {{"another label", other_label},
		    {"under the city's own key", our_key},
		    {"in clear, although a key is agreed on", key_in_clear},
		    {"an AppSKey in clear", app_key_in_clear},
		    {"keys of 1.1 for a device of 1.0", keys_of_1_1},
		    {"no accept", no_accept}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup("");
		asks(&theirs);
		struct bi_message answer = answer_to(call_of(1), BI_SUCCESS);
		rows[i].spoil(&answer.join_ans);
		give(call_of(1), &answer);
		t_uint("no accept", 0, rig.downlink_count);
		t_uint("no event", 0, rig_events_of(&rig, PROTO_JOIN_EVENT));
		t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_BAD_ANSWER]);
		told(NET_JOIN_FOREIGN_BAD_ANSWER, "maker");
		t_uint("unusable", 1, server_state()->unusable);
		rig_release(&rig);
	}
	t_row("in clear where nothing is agreed on");
	setup("");
	rig.ns.config.join_servers[0].kek_label[0] = '\0';
	asks(&theirs);
	struct bi_message answer = answer_to(call_of(1), BI_SUCCESS);
	key_in_clear(&answer.join_ans);
	give(call_of(1), &answer);
	t_uint("the accept leaves", 1, rig.downlink_count);
	rig_release(&rig);
}

static void a_refusal_names_the_server(void **state)
{
	(void)state;
	setup("");
	asks(&theirs);
	struct bi_message answer = answer_to(call_of(1), BI_MIC_FAILED);
	snprintf(answer.envelope.description, sizeof answer.envelope.description, "key 7 differs");
	give(call_of(1), &answer);
	told(NET_JOIN_FOREIGN_REFUSED, "maker: MICFailed: key 7 differs");
	t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_REFUSED]);
	t_uint("refused", 1, server_state()->refused);
	t_int("that is an answer, no failure", NS_BREAKER_CLOSED, server_state()->breaker);
	rig_release(&rig);
}

/* Every ResultCode of the standard, in the spelling of either version. */
static void every_refusal_ends_the_join_and_is_no_failure(void **state)
{
	(void)state;
	for (int result = BI_SUCCESS + 1; result < BI_RESULT_COUNT; result++) {
		for (int protocol = BI_PROTOCOL_1_0; protocol <= BI_PROTOCOL_1_1; protocol++) {
			char cause[64];
			const char *name = bi_result_name((enum bi_result)result, (enum bi_protocol)protocol);
			t_row(name);
			setup("");
			rig.ns.config.join_servers[0].protocol = (enum bi_protocol)protocol;
			asks(&theirs);
			struct bi_message answer = answer_to(call_of(1), (enum bi_result)result);
			answer.envelope.protocol = (enum bi_protocol)protocol;
			give(call_of(1), &answer);
			snprintf(cause, sizeof cause, "maker: %s", name);
			told(NET_JOIN_FOREIGN_REFUSED, cause);
			t_uint("no accept", 0, rig.downlink_count);
			t_uint("no event", 0, rig_events_of(&rig, PROTO_JOIN_EVENT));
			t_uint("nothing waits", 0, server_state()->in_flight);
			t_uint("refused", 1, server_state()->refused);
			t_int("no failure", NS_BREAKER_CLOSED, server_state()->breaker);
			rig_run(&rig, 10 * US_PER_S);
			t_uint("it is not asked again", 1, rig.join_count);
			rig_release(&rig);
		}
	}
}

static void a_failed_call_is_made_again(void **state)
{
	(void)state;
	setup("timeout_ms=1000");
	asks(&theirs);
	uint32_t transaction = call_of(1)->transaction;
	call_fails(call_of(1), "HTTP 500");
	t_uint("not at once", 1, rig.join_count);
	rig_run(&rig, 300 * US_PER_MS);
	t_uint("after a pause", 2, rig.join_count);
	t_uint("the same TransactionID", transaction, call_of(2)->transaction);
	t_bytes("the same request", (const uint8_t *)&call_of(1)->request, sizeof call_of(1)->request,
		(const uint8_t *)&call_of(2)->request, sizeof call_of(2)->request);
	rig_run(&rig, 900 * US_PER_MS);
	t_uint("a call is given its time", 2, rig.join_count);
	rig_run(&rig, 300 * US_PER_MS);
	t_uint("and made again when that is over", 3, rig.join_count);
	struct bi_message answer = answer_to(call_of(3), BI_SUCCESS);
	give(call_of(3), &answer);
	t_uint("an answer in time is taken", 1, rig.downlink_count);
	t_uint("failures", 2, server_state()->failed);
	call_fails(call_of(3), "HTTP 500");
	t_uint("the end of a join that has ended is nothing", 2, server_state()->failed);
	rig_release(&rig);
}

static void a_server_that_is_down_is_given_up(void **state)
{
	(void)state;
	setup("timeout_ms=1000");
	asks(&theirs);
	for (size_t calls = 0; calls < rig.join_count && calls < 3;) {
		call_fails(call_of(++calls), "not reached");
		rig_run(&rig, 600 * US_PER_MS);
	}
	t_uint("asked", 3, rig.join_count);
	t_int("meanwhile", NET_JOIN_WAITING, last()->verdict);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
	t_int("verdict", NET_JOIN_FOREIGN_AWAY, last()->verdict);
	t_true("cause", strncmp(last()->cause, "maker: no answer in time, asked ", 32) == 0);
	t_uint("nothing waits", 0, server_state()->in_flight);
	t_uint("no join is left", 0, rig.ns.joins.count);
	rig_release(&rig);
}

/* Failures until the breaker opens, by joins of one device after the other. */
static void open_breaker(void)
{
	for (unsigned i = 0; i < 20 && server_state()->breaker != NS_BREAKER_OPEN; i++) {
		asks(&theirs);
		call_fails(call_of(rig.join_count), "not reached");
		rig_run(&rig, 10 * US_PER_S);
		if (server_state()->breaker == NS_BREAKER_OPEN)
			break;
	}
}

static void a_server_that_fails_is_left_alone(void **state)
{
	(void)state;
	setup("timeout_ms=500");
	open_breaker();
	t_int("open", NS_BREAKER_OPEN, server_state()->breaker);
	server_state()->until = mono_add(rig.now.mono, 3 * US_PER_S);
	size_t calls = rig.join_count;
	asks(&theirs);
	t_uint("not asked", calls, rig.join_count);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_SERVER_SHUNNED]);
	told(NET_JOIN_FOREIGN_AWAY, "maker: not asked, its last calls failed");
	asks(&ours);
	t_uint("ours is", calls + 1, rig.join_count);
	rig_run(&rig, 4 * US_PER_S);
	calls = rig.join_count;
	asks(&theirs);
	t_uint("tried again after the pause", calls + 1, rig.join_count);
	struct bi_message answer = answer_to(call_of(rig.join_count), BI_SUCCESS);
	give(call_of(rig.join_count), &answer);
	t_int("closed", NS_BREAKER_CLOSED, server_state()->breaker);
	rig_release(&rig);
}

static void one_that_is_slow_delays_nobody_else(void **state)
{
	(void)state;
	setup("in_flight=3 timeout_ms=5000");
	struct rig_device more[4];
	for (unsigned i = 0; i < ARRAY_SIZE(more); i++)
		add_device(&more[i], 10 + i, 0x70b3d57ed0000001, PROFILE_103);
	for (unsigned i = 0; i < 3; i++)
		asks(&more[i]);
	t_uint("wait", 3, server_state()->in_flight);
	asks(&more[3]);
	t_uint("no more than may", 3, rig.join_count);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_SERVER_BUSY]);
	told(NET_JOIN_FOREIGN_BUSY, "maker");
	asks(&ours);
	struct bi_message answer = answer_to(call_of(4), BI_SUCCESS);
	give(call_of(4), &answer);
	t_uint("ours joins meanwhile", 1, rig.downlink_count);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("none waits for ever", 0, server_state()->in_flight);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_the_configuration_may_say),
		t_test(the_longest_block_wins),
		t_test(the_breaker_opens_and_closes),
		t_test(a_join_is_routed_and_opened),
		t_test(answers_are_checked_as_ours),
		t_test(a_refusal_names_the_server),
		t_test(every_refusal_ends_the_join_and_is_no_failure),
		t_test(a_failed_call_is_made_again),
		t_test(a_server_that_is_down_is_given_up),
		t_test(a_server_that_fails_is_left_alone),
		t_test(one_that_is_slow_delays_nobody_else),
	};
	return t_run(tests);
}
