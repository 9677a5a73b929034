/* Rejoins (TS001-1.1 §6.2.4): each way one is refused, published answers to types 0 and 2 and a computed one to type 1, that
 * RJcount1 never goes back, who may ask for types 0 and 2, retries and crashes. */
#include "tests/harness/harness.h"

#include "common/base/hex.h"
#include "tests/harness/join_world.h"

#include <stdio.h>
#include <string.h>

#define NET_ID 0x010203u

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

static void provision(enum lw_mac_version version)
{
	struct js_record record = t_join_record(&world, world.join.state.applied_version + 1, version);
	t_join_provision(&world, &record);
}

/* A RejoinReq as our network server sends it. The MIC of types 0 and 2 is anything: nobody here can check it. */
static struct bi_message rejoin(uint8_t type, uint16_t rj_count, uint32_t transaction_id)
{
	struct bi_message message = t_join_request(&world, &t_nwk_key, LW_MAC_1_1_0, 0, transaction_id);
	message.envelope.type = BI_REJOIN_REQ;
	message.join_req.dl_settings = 0x92;
	struct lw_rejoin_request frame = {
		.type = type,
		.net_id.value = NET_ID,
		.join_eui = lw_eui64_from_number(T_JOIN_EUI),
		.dev_eui = lw_eui64_from_number(T_DEV_EUI),
		.rj_count = rj_count,
		.mic = {{1, 2, 3, 4}},
	};
	uint8_t *phy = message.join_req.phy_payload;
	size_t length = lw_rejoin_request_encode(&frame, phy);
	message.join_req.phy_length = (uint8_t)length;
	if (type == 1) {
		struct lw_key key = lw_key_js_int(world.options.aes, &t_nwk_key, &frame.dev_eui);
		uint8_t mac[AES_BLOCK];
		aes_cmac(world.options.aes, key.bytes, phy, length - 4, mac);
		memcpy(phy + length - 4, mac, 4);
	}
	return message;
}

enum twist {
	NOTHING,
	JOIN_REQUEST_INSIDE,
	TOO_SHORT,
	RECEIVER_IS_ANOTHER,
	UNKNOWN_DEV_EUI,
	OTHER_DEVICES_FRAME,
	BEFORE_1_1,
	DISABLED,
	NO_NWK_KEY,
	WRONG_MIC,
	NO_OPT_NEG,
	FRAME_OF_OTHER_NET_ID,
	OTHER_NETWORK_ASKS,
	OTHER_NETWORKS_SESSION,
	EXHAUSTED,
	STORE_BREAKS,
};

static const struct refusal_row {
	const char *name;
	uint8_t type;
	enum twist twist;
	enum js_verdict verdict;
	enum bi_result result;
} refusals[] = {
	{"type 0", 0, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"type 1", 1, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"type 2", 2, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"a join-request in a RejoinReq", 0, JOIN_REQUEST_INSIDE, JS_NOT_A_JOIN_REQUEST, BI_MALFORMED},
	{"too short", 1, TOO_SHORT, JS_NOT_A_JOIN_REQUEST, BI_MALFORMED},
	{"type 1 to another receiver than it names", 1, RECEIVER_IS_ANOTHER, JS_UNKNOWN_RECEIVER,
	 BI_UNKNOWN_RECEIVER},
	{"type 0 to another receiver than the device's", 0, RECEIVER_IS_ANOTHER, JS_UNKNOWN_RECEIVER,
	 BI_UNKNOWN_RECEIVER},
	{"an unknown device", 0, UNKNOWN_DEV_EUI, JS_UNKNOWN_DEVICE, BI_UNKNOWN_DEV_EUI},
	{"another device's frame", 2, OTHER_DEVICES_FRAME, JS_UNKNOWN_DEVICE, BI_UNKNOWN_DEV_EUI},
	{"a device of 1.0.4", 0, BEFORE_1_1, JS_REJOIN_NOT_1_1, BI_JOIN_REQ_FAILED},
	{"a disabled device", 1, DISABLED, JS_DISABLED, BI_ACTIVATION_DISALLOWED},
	{"a device without NwkKey", 2, NO_NWK_KEY, JS_NO_KEY, BI_UNKNOWN_DEV_EUI},
	{"type 1 with a wrong MIC", 1, WRONG_MIC, JS_MIC_FAILED, BI_MIC_FAILED},
	{"an accept without OptNeg", 0, NO_OPT_NEG, JS_BAD_PARAMETERS, BI_JOIN_REQ_FAILED},
	{"type 0 of another NetID", 0, FRAME_OF_OTHER_NET_ID, JS_REJOIN_OTHER_NETWORK,
	 BI_ACTIVATION_DISALLOWED},
	{"type 2 from another network", 2, OTHER_NETWORK_ASKS, JS_REJOIN_OTHER_NETWORK,
	 BI_ACTIVATION_DISALLOWED},
	{"type 1 from another network, which the device may move to", 1, OTHER_NETWORK_ASKS, JS_ACCEPTED,
	 BI_SUCCESS},
	{"type 0 of a device that has moved to another network", 0, OTHER_NETWORKS_SESSION,
	 JS_REJOIN_OTHER_NETWORK, BI_ACTIVATION_DISALLOWED},
	{"JoinNonces exhausted", 2, EXHAUSTED, JS_JOIN_NONCE_EXHAUSTED, BI_JOIN_REQ_FAILED},
	{"a store that breaks", 1, STORE_BREAKS, JS_STORE_FAILED, BI_OTHER},
};

static void twist_record(struct js_record *record, enum twist twist)
{
	if (twist == BEFORE_1_1)
		record->mac_version = LW_MAC_1_0_4;
	if (twist == DISABLED)
		record->enabled = false;
	if (twist == NO_NWK_KEY)
		record->nwk_key_length = 0;
}

static void twist_message(struct bi_message *message, enum twist twist)
{
	struct bi_join_req *req = &message->join_req;
	switch (twist) {
	case JOIN_REQUEST_INSIDE:
		*message = t_join_request(&world, &t_nwk_key, LW_MAC_1_1_0, 5, 77);
		message->envelope.type = BI_REJOIN_REQ;
		break;
	case TOO_SHORT: req->phy_length--; break;
	case RECEIVER_IS_ANOTHER: message->envelope.receiver_id[0] = '1'; break;
	case UNKNOWN_DEV_EUI: req->dev_eui.bytes[7]++; break;
	case OTHER_DEVICES_FRAME: req->phy_payload[5]++; break;
	case WRONG_MIC: req->phy_payload[req->phy_length - 1] ^= 1; break;
	case NO_OPT_NEG: req->dl_settings = 0x12; break;
	case FRAME_OF_OTHER_NET_ID: req->phy_payload[2]++; break;
	case OTHER_NETWORK_ASKS:
		memcpy(message->envelope.sender_id, "60000d", 7);
		req->phy_payload[2] = 0x0d;
		req->phy_payload[3] = 0;
		req->phy_payload[4] = 0x60;
		if (req->phy_payload[1] == 1) /* its bytes are those of the JoinEUI */
			*req = rejoin(1, 9, 77).join_req;
		break;
	default: break;
	}
}

static void twist_store(enum twist twist)
{
	static struct js_nonces nonces;
	struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI), join_eui = lw_eui64_from_number(T_JOIN_EUI);
	uint8_t mark[JS_KEY_MARK];
	js_key_vault_mark(&world.options.vault, &eui, &t_nwk_key, mark);
	js_nonces_init(&nonces, mark);
	if (twist == EXHAUSTED)
		nonces.join_nonce = JS_JOIN_NONCE_MAX;
	if (twist == OTHER_NETWORKS_SESSION)
		js_nonces_answered(&nonces, (struct lw_net_id){0x60000d}, NULL);
	if (twist == EXHAUSTED || twist == OTHER_NETWORKS_SESSION)
		assert_int_equal(world.options.store.save_nonces(&world.store, &join_eui, &eui, &nonces),
				 ST_OK);
	world.store.fails = twist == STORE_BREAKS;
}

static void each_refusal_has_its_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal_row *row = &refusals[i];
		t_row(row->name);
		t_join_world_close(&world);
		t_join_world_open(&world);
		struct js_record record = t_join_record(&world, 1, LW_MAC_1_1_0);
		twist_record(&record, row->twist);
		t_join_provision(&world, &record);
		twist_store(row->twist);
		unsigned writes = world.store.writes;
		struct bi_message message = rejoin(row->type, 9, 77), answer;
		twist_message(&message, row->twist);
		t_str("verdict", js_verdict_name(row->verdict),
		      js_verdict_name(t_join_ask(&world, &message, &answer)));
		t_int("result", row->result, answer.envelope.result);
		t_int("type", BI_REJOIN_ANS, answer.envelope.type);
		t_uint("counted", 1, world.join.counters.verdicts[row->verdict]);
		if (row->twist != STORE_BREAKS)
			t_uint("nonces and AppSKey saved", row->verdict == JS_ACCEPTED ? 2 : 0,
			       world.store.writes - writes);
		t_int("a refusal says why", row->verdict != JS_ACCEPTED,
		      answer.envelope.description[0] != '\0');
	}
}

/* Opens a key of the answer with the KEK of that index in t_join_world_open(). */
static void check_key(const char *member, size_t kek, const char *expected, const struct bi_key_envelope *got)
{
	uint8_t key[16], bytes[16];
	assert_true(hex_decode_exact(bytes, sizeof bytes, expected));
	t_str("label", world.options.keks[kek].label, got->label);
	assert_int_equal(aes_unwrap(world.options.keks[kek].bytes, world.options.keks[kek].length, got->key,
				    BI_KEY_WRAPPED, key),
			 AES_WRAP_OK);
	t_bytes(member, bytes, 16, key, 16);
}

/* tests/vectors/join.json, "rejoin type 0" and "rejoin type 2 (2)": JoinNonce 65,536, RJcount0 123. */
static void published_rejoins_come_out_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t type;
		const char *cflist, *phy;
	} rows[] = {
		{"rejoin type 0", 0, "988d8468958400000000000000000000",
		 "20df04b2ac9d57d1124724b5c24811a12ffe23eaedcb43a97d9a05d08df66c3dc5"},
		{"rejoin type 2", 2, NULL, "20296bc45da4b01356e5453109a10f9ab3"},
	};
	const struct lw_key nwk_key = {{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}}, app_key = {{0}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct js_record record = t_join_record(&world, i + 1, LW_MAC_1_1_0);
		const uint8_t *box = secret_box_public(world.box);
		assert_int_equal(sealed_key_seal(record.nwk_key, box, SEALED_NWK_KEY, record.dev_eui.bytes,
						 nwk_key.bytes),
				 ST_OK);
		assert_int_equal(sealed_key_seal(record.app_key, box, SEALED_APP_KEY, record.dev_eui.bytes,
						 app_key.bytes),
				 ST_OK);
		t_join_provision(&world, &record);
		static struct js_nonces nonces;
		uint8_t none[JS_KEY_MARK] = {0};
		js_nonces_init(&nonces, none);
		nonces.join_nonce = 0xffff;
		assert_int_equal(world.options.store.save_nonces(&world.store, &record.join_eui,
								 &record.dev_eui, &nonces),
				 ST_OK);
		struct bi_message message = rejoin(rows[i].type, 123, (uint32_t)i), answer;
		struct bi_join_req *req = &message.join_req;
		req->dev_addr.value = 0x01020304;
		req->dl_settings = 0x95;
		req->rx_delay = 1;
		req->has_cflist = rows[i].cflist != NULL;
		if (req->has_cflist)
			assert_true(hex_decode_exact(req->cflist, sizeof req->cflist, rows[i].cflist));
		t_int("verdict", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
		uint8_t phy[33];
		size_t length = strlen(rows[i].phy) / 2;
		assert_true(hex_decode_exact(phy, length, rows[i].phy));
		t_bytes("phy", phy, length, answer.join_ans.phy_payload, answer.join_ans.phy_length);
		check_key("FNwkSIntKey", 0, "7aae91b421cd273a1573d1edf5b23e75",
			  &answer.join_ans.f_nwk_s_int_key);
		t_uint("no NwkSKey", 0, answer.join_ans.nwk_s_key.length);
	}
}

/* No answer to type 1 is published as a whole: the device's side of it, from TS001-1.1 §6.2.3 and §6.2.5. */
static void an_answer_to_type_1_is_what_the_device_expects(void **state)
{
	(void)state;
	provision(LW_MAC_1_1_0);
	struct bi_message message = rejoin(1, 0x0123, 1), answer;
	t_int("verdict", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
	struct aes *aes = world.options.aes;
	struct lw_eui64 dev_eui = lw_eui64_from_number(T_DEV_EUI),
			join_eui = lw_eui64_from_number(T_JOIN_EUI);
	struct lw_key enc = lw_key_js_enc(aes, &t_nwk_key, &dev_eui),
		      mic = lw_key_js_int(aes, &t_nwk_key, &dev_eui);
	uint8_t *phy = answer.join_ans.phy_payload, length = answer.join_ans.phy_length;
	struct lw_join_accept accept;
	t_int("deciphers", LW_OK, lw_join_accept_decrypt(aes, &enc, phy, length));
	t_int("parses", LW_OK, lw_join_accept_parse(&accept, phy, length));
	struct lw_mic expected = lw_mic_join_accept_1_1(aes, &mic, 1, &join_eui, 0x0123, phy,
							(size_t)length - 4);
	t_true("MIC", lw_mic_equal(expected, accept.mic));
	t_uint("JoinNonce", 1, accept.join_nonce);
	struct lw_session_keys keys;
	lw_session_keys_1_1(aes, &t_nwk_key, &t_app_key, 1, &join_eui, 0x0123, &keys);
	char text[33];
	hex_encode(text, keys.app_s_key.bytes, 16);
	check_key("AppSKey", 1, text, &answer.join_ans.app_s_key);
}

static void rj_count_1_never_goes_back(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t type;
		uint16_t rj_count;
		int seconds; /* since the row before */
		enum js_verdict verdict;
	} rows[] = {
		{"any first one", 1, 7, 0, JS_ACCEPTED},
		{"the same at once", 1, 7, 1, JS_LATE_COPY},
		{"the same after ten minutes", 1, 7, 601, JS_RJ_COUNT_NOT_INCREASING},
		{"a smaller one", 1, 6, 1, JS_RJ_COUNT_NOT_INCREASING},
		{"a gap", 1, 700, 1, JS_ACCEPTED},
		{"one in the gap", 1, 8, 1, JS_RJ_COUNT_NOT_INCREASING},
		{"type 0 counts elsewhere", 0, 3, 1, JS_ACCEPTED},
		{"type 2 as well, and it may restart", 2, 0, 1, JS_ACCEPTED},
		{"the greatest", 1, 65535, 1, JS_ACCEPTED},
		{"no wrap", 1, 0, 601, JS_RJ_COUNT_NOT_INCREASING},
	};
	provision(LW_MAC_1_1_0);
	uint32_t join_nonce = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		world.now.mono.us += rows[i].seconds * US_PER_S;
		world.now.wall.us += rows[i].seconds * US_PER_S;
		struct bi_message message = rejoin(rows[i].type, rows[i].rj_count, (uint32_t)i + 1), answer;
		t_str("verdict", js_verdict_name(rows[i].verdict),
		      js_verdict_name(t_join_ask(&world, &message, &answer)));
		join_nonce += rows[i].verdict == JS_ACCEPTED;
		t_uint("JoinNonce", join_nonce, world.store.now.nonces[0].nonces.join_nonce);
	}
}

static void a_join_does_not_restart_rj_count_1_and_a_new_nwk_key_does(void **state)
{
	(void)state;
	provision(LW_MAC_1_1_0);
	struct bi_message message = rejoin(1, 10, 1), answer;
	t_int("a rejoin", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
	message = t_join_request(&world, &t_nwk_key, LW_MAC_1_1_0, 1, 2);
	t_int("a join", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
	message = rejoin(1, 9, 3);
	t_int("a smaller count", JS_RJ_COUNT_NOT_INCREASING, t_join_ask(&world, &message, &answer));
	static struct js_nonces nonces;
	uint8_t other[JS_KEY_MARK] = {9};
	nonces = world.store.now.nonces[0].nonces;
	js_nonces_rekey(&nonces, other);
	t_int("under another key", JS_ACCEPTED, js_nonces_judge_rejoin(&nonces, 1, 9, world.now.wall));
	t_true("the network is known still", nonces.has_net_id && nonces.net_id.value == NET_ID);
	t_uint("the JoinNonce goes on", 2, nonces.join_nonce);
}

static void the_same_rejoin_gets_the_same_answer(void **state)
{
	(void)state;
	provision(LW_MAC_1_1_0);
	struct bi_message message = rejoin(0, 1, 5), first, again;
	t_int("first", JS_ACCEPTED, t_join_ask(&world, &message, &first));
	t_int("again", JS_RETRIED, t_join_ask(&world, &message, &again));
	t_bytes("answer", (uint8_t *)&first, sizeof first, (uint8_t *)&again, sizeof again);
	t_uint("JoinNonce", 1, world.store.now.nonces[0].nonces.join_nonce);
}

static void a_crash_gives_no_count_and_no_join_nonce_twice(void **state)
{
	(void)state;
	provision(LW_MAC_1_1_0);
	struct bi_message message = rejoin(1, 4, 1), answer;
	t_int("a rejoin", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
	t_join_world_crash(&world);
	t_int("its answer never left, so it may come again", JS_ACCEPTED,
	      t_join_ask(&world, &message, &answer));
	t_join_store_commit(&world.store);
	t_join_world_crash(&world);
	t_int("committed: the copy is told", JS_LATE_COPY, t_join_ask(&world, &message, &answer));
	message = rejoin(1, 5, 2);
	t_int("the next", JS_ACCEPTED, t_join_ask(&world, &message, &answer));
	t_uint("its JoinNonce", 2, world.store.now.nonces[0].nonces.join_nonce);
}

/* What `lamppost why` says names the request and its count, not a DevNonce. */
static void what_is_recorded_names_the_rejoin(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t type;
		uint16_t rj_count;
		const char *says;
	} rows[] = {
		{"type 0", 0, 3, "The rejoin of type 0 with RJcount0 3 was accepted"},
		{"type 1", 1, 8, "The rejoin of type 1 with RJcount1 8 was accepted"},
		{"type 1 again", 1, 7,
		 "The rejoin of type 1 with RJcount1 7 was refused: RJcount1 must be greater than the last, "
		 "8"},
	};
	provision(LW_MAC_1_1_0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct bi_message message = rejoin(rows[i].type, rows[i].rj_count, (uint32_t)i + 1), answer;
		(void)t_join_ask(&world, &message, &answer);
		struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI);
		char text[DECISION_TEXT];
		const struct decision *newest = decision_euis_newest(&world.join.decisions, eui.bytes);
		assert_non_null(newest);
		decision_say(text, &js_rules, newest, &(struct decision_names){0});
		t_true(text, strncmp(text, rows[i].says, strlen(rows[i].says)) == 0);
	}
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(each_refusal_has_its_result),
		WITH_WORLD(published_rejoins_come_out_the_same),
		WITH_WORLD(an_answer_to_type_1_is_what_the_device_expects),
		WITH_WORLD(rj_count_1_never_goes_back),
		WITH_WORLD(a_join_does_not_restart_rj_count_1_and_a_new_nwk_key_does),
		WITH_WORLD(the_same_rejoin_gets_the_same_answer),
		WITH_WORLD(a_crash_gives_no_count_and_no_join_nonce_twice),
		WITH_WORLD(what_is_recorded_names_the_rejoin),
	};
	return t_run(tests);
}
