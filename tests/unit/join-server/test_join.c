/* The core: every way a join is refused and with which result code, what an accepted one answers (against published
 * vectors too), retries, late copies, crashes. */
#include "tests/harness/harness.h"

#include "common/base/deadlines.h"
#include "common/base/hex.h"
#include "tests/harness/join_world.h"

#include <stdio.h>
#include <string.h>

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

/* How one row differs from a good join. */
enum twist {
	NOTHING,
	SENDER_IS_NO_NET_ID,
	SENDER_WITHOUT_KEK,
	SENDER_WITH_KEK,
	RECEIVER_IS_NO_EUI,
	RECEIVER_IS_ANOTHER,
	FRAME_TOO_SHORT,
	FRAME_OF_ANOTHER_TYPE,
	UNKNOWN_DEV_EUI,
	OTHER_DEVICES_FRAME,
	OTHER_JOIN_EUI_IN_RECORD,
	DISABLED,
	NO_APP_KEY,
	NO_NWK_KEY,
	KEY_REPLACED,
	WRONG_KEY,
	OPT_NEG,
	LABEL_WITHOUT_KEK,
	STORE_BREAKS,
	EXHAUSTED,
	REJOIN,
	HOME_NS,
};

struct refusal_row {
	const char *name;
	enum lw_mac_version version;
	enum twist twist;
	enum js_verdict verdict;
	enum bi_result result;
};

static const struct refusal_row refusals[] = {
	{"1.0.3", LW_MAC_1_0_3, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"1.0.4", LW_MAC_1_0_4, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"1.1", LW_MAC_1_1_0, NOTHING, JS_ACCEPTED, BI_SUCCESS},
	{"1.1 with OptNeg", LW_MAC_1_1_0, OPT_NEG, JS_ACCEPTED, BI_SUCCESS},
	{"another network that we have a KEK for", LW_MAC_1_0_3, SENDER_WITH_KEK, JS_ACCEPTED, BI_SUCCESS},
	{"1.0.x needs no NwkKey", LW_MAC_1_0_3, NO_NWK_KEY, JS_ACCEPTED, BI_SUCCESS},
	{"a sender that is no network", LW_MAC_1_0_3, SENDER_IS_NO_NET_ID, JS_UNKNOWN_SENDER,
	 BI_UNKNOWN_SENDER},
	{"a network that we have no KEK for", LW_MAC_1_0_3, SENDER_WITHOUT_KEK, JS_UNKNOWN_SENDER,
	 BI_UNKNOWN_SENDER},
	{"a receiver that is no EUI", LW_MAC_1_0_3, RECEIVER_IS_NO_EUI, JS_UNKNOWN_RECEIVER,
	 BI_UNKNOWN_RECEIVER},
	{"a receiver that is not the frame's JoinEUI", LW_MAC_1_0_3, RECEIVER_IS_ANOTHER, JS_UNKNOWN_RECEIVER,
	 BI_UNKNOWN_RECEIVER},
	{"a frame too short", LW_MAC_1_0_3, FRAME_TOO_SHORT, JS_NOT_A_JOIN_REQUEST, BI_MALFORMED},
	{"a data frame", LW_MAC_1_0_3, FRAME_OF_ANOTHER_TYPE, JS_NOT_A_JOIN_REQUEST, BI_MALFORMED},
	{"an unknown DevEUI", LW_MAC_1_0_3, UNKNOWN_DEV_EUI, JS_UNKNOWN_DEVICE, BI_UNKNOWN_DEV_EUI},
	{"another device's frame", LW_MAC_1_0_3, OTHER_DEVICES_FRAME, JS_UNKNOWN_DEVICE, BI_UNKNOWN_DEV_EUI},
	{"a JoinEUI that is not the record's", LW_MAC_1_0_3, OTHER_JOIN_EUI_IN_RECORD, JS_UNKNOWN_DEVICE,
	 BI_UNKNOWN_DEV_EUI},
	{"a disabled device", LW_MAC_1_0_3, DISABLED, JS_DISABLED, BI_ACTIVATION_DISALLOWED},
	{"a device without key", LW_MAC_1_0_3, NO_APP_KEY, JS_NO_KEY, BI_UNKNOWN_DEV_EUI},
	{"1.1 without NwkKey", LW_MAC_1_1_0, NO_NWK_KEY, JS_NO_KEY, BI_UNKNOWN_DEV_EUI},
	{"a stored key of another device", LW_MAC_1_0_3, KEY_REPLACED, JS_KEY_UNREADABLE, BI_JOIN_REQ_FAILED},
	{"a MIC of another key", LW_MAC_1_0_3, WRONG_KEY, JS_MIC_FAILED, BI_MIC_FAILED},
	{"1.1: a MIC of the AppKey", LW_MAC_1_1_0, WRONG_KEY, JS_MIC_FAILED, BI_MIC_FAILED},
	{"OptNeg for 1.0.3", LW_MAC_1_0_3, OPT_NEG, JS_BAD_PARAMETERS, BI_JOIN_REQ_FAILED},
	{"a label without its KEK", LW_MAC_1_0_3, LABEL_WITHOUT_KEK, JS_NO_KEK, BI_JOIN_REQ_FAILED},
	{"a store that breaks", LW_MAC_1_0_3, STORE_BREAKS, JS_STORE_FAILED, BI_OTHER},
	{"JoinNonces exhausted", LW_MAC_1_0_3, EXHAUSTED, JS_JOIN_NONCE_EXHAUSTED, BI_JOIN_REQ_FAILED},
	{"a RejoinReq with a join-request", LW_MAC_1_1_0, REJOIN, JS_NOT_A_JOIN_REQUEST, BI_MALFORMED},
	{"a HomeNSReq about nobody", LW_MAC_1_0_3, HOME_NS, JS_UNKNOWN_DEVICE, BI_UNKNOWN_DEV_EUI},
};

static void twist_record(struct js_record *record, enum twist twist)
{
	switch (twist) {
	case OTHER_JOIN_EUI_IN_RECORD: record->join_eui.bytes[0]++; break;
	case DISABLED: record->enabled = false; break;
	case NO_APP_KEY: record->app_key_length = 0; break;
	case NO_NWK_KEY: record->nwk_key_length = 0; break;
	case LABEL_WITHOUT_KEK: memcpy(record->app_kek_label, "parks", 6); break;
	default: break;
	}
}

static void twist_request(struct bi_message *request, enum twist twist)
{
	struct bi_envelope *envelope = &request->envelope;
	switch (twist) {
	case SENDER_IS_NO_NET_ID: memcpy(envelope->sender_id, "someone", 8); break;
	case SENDER_WITHOUT_KEK: memcpy(envelope->sender_id, "000024", 7); break;
	case SENDER_WITH_KEK: memcpy(envelope->sender_id, "60000d", 7); break;
	case RECEIVER_IS_NO_EUI: memcpy(envelope->receiver_id, "join.example", 13); break;
	case RECEIVER_IS_ANOTHER: envelope->receiver_id[0] = '1'; break;
	case FRAME_TOO_SHORT: request->join_req.phy_length--; break;
	case FRAME_OF_ANOTHER_TYPE: request->join_req.phy_payload[0] = 0x40; break;
	case UNKNOWN_DEV_EUI: request->join_req.dev_eui.bytes[7]++; break;
	case OTHER_DEVICES_FRAME: request->join_req.phy_payload[9]++; break;
	case OPT_NEG: request->join_req.dl_settings |= 0x80; break;
	case REJOIN: envelope->type = BI_REJOIN_REQ; break;
	case HOME_NS:
		envelope->type = BI_HOME_NS_REQ;
		memset(&request->join_req, 0, sizeof request->join_req);
		break;
	default: break;
	}
}

static void twist_store(enum twist twist)
{
	struct t_join_store *store = &world.store;
	const struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI),
			      join_eui = lw_eui64_from_number(T_JOIN_EUI);
	if (twist == KEY_REPLACED) {
		const struct lw_eui64 another = {{9}};
		js_key_vault_seal(&world.options.vault, &another, SEALED_APP_KEY, &t_app_key,
				  t_join_store_device(store, T_DEV_EUI)->app_key);
	}
	if (twist == EXHAUSTED) {
		static struct js_nonces nonces;
		uint8_t mark[JS_KEY_MARK];
		js_key_vault_mark(&world.options.vault, &eui, &t_app_key, mark);
		js_nonces_init(&nonces, mark);
		nonces.join_nonce = JS_JOIN_NONCE_MAX;
		assert_int_equal(world.options.store.save_nonces(store, &join_eui, &eui, &nonces), ST_OK);
	}
	store->fails = twist == STORE_BREAKS;
}

static const struct lw_key *mic_key(enum lw_mac_version version, enum twist twist)
{
	bool is_1_1 = version >= LW_MAC_1_1_0;
	return is_1_1 == (twist != WRONG_KEY) ? &t_nwk_key : &t_app_key;
}

static void each_refusal_has_its_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal_row *row = &refusals[i];
		t_row(row->name);
		t_join_world_close(&world);
		t_join_world_open(&world);
		struct js_record record = t_join_record(&world, 1, row->version);
		twist_record(&record, row->twist);
		t_join_provision(&world, &record);
		twist_store(row->twist);
		unsigned writes = world.store.writes;
		struct bi_message request = t_join_request(&world, mic_key(row->version, row->twist),
							   row->version, 1, 77);
		twist_request(&request, row->twist);
		struct bi_message answer;
		t_str("verdict", js_verdict_name(row->verdict),
		      js_verdict_name(t_join_ask(&world, &request, &answer)));
		t_int("result", row->result, answer.envelope.result);
		t_int("type", request.envelope.type + 1, answer.envelope.type);
		t_str("sender", request.envelope.receiver_id, answer.envelope.sender_id);
		t_str("receiver", request.envelope.sender_id, answer.envelope.receiver_id);
		t_uint("transaction", 77, answer.envelope.transaction_id);
		t_uint("counted", 1, world.join.counters.verdicts[row->verdict]);
		if (row->twist != STORE_BREAKS)
			t_uint("nonces and AppSKey saved", row->verdict == JS_ACCEPTED ? 2 : 0,
			       world.store.writes - writes);
		t_int("a refusal says why", row->verdict != JS_ACCEPTED,
		      answer.envelope.description[0] != '\0');
	}
}

static const struct lw_kek *kek_of(const char *label)
{
	for (size_t i = 0; i < world.options.kek_count; i++)
		if (strcmp(world.options.keks[i].label, label) == 0)
			return &world.options.keks[i];
	return NULL;
}

static void check_key(const char *member, const char *label, const char *expected,
		      const struct bi_key_envelope *got)
{
	uint8_t key[16], bytes[16] = {0};
	assert_true(hex_decode_exact(bytes, sizeof bytes, expected));
	t_str("label", label, got->label);
	t_uint("length", BI_KEY_WRAPPED, got->length);
	const struct lw_kek *kek = kek_of(label);
	assert_non_null(kek);
	assert_int_equal(aes_unwrap(kek->bytes, kek->length, got->key, BI_KEY_WRAPPED, key), AES_WRAP_OK);
	t_bytes(member, bytes, 16, key, 16);
}

/* Published joins (tests/vectors/join.json), through the whole core: JoinNonce 65,536, so 65,535 have been given. */
static void published_joins_come_out_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		uint8_t dl_settings;
		struct lw_key app_key, nwk_key;
		const char *phy;
		const char *f_nwk, *s_nwk, *nwk_s_enc, *app_s; /* 1.0.x: f_nwk is the NwkSKey */
	} rows[] = {
		{"join 1.0.2",
		 LW_MAC_1_0_2,
		 0x15,
		 {{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}},
		 {{0}},
		 "2026f4b247f0a5d7e46a720e61c8bccbc5179f4566e185ed6889589bb1a9c68cc0",
		 "df53c35f3034ccced0ff354c70de04df",
		 NULL,
		 NULL,
		 "927b9c911183cffe4cb2ff4b75545f6d"},
		{"join 1.1.0",
		 LW_MAC_1_1_0,
		 0x95,
		 {{0}},
		 {{1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}},
		 "20a4c899795a42f5d16067a822c21b379af8aaa301a90d1c60d4cb792cb8eeb0a3",
		 "537f8aae896c79e015d102d06286354e",
		 "589498993092cfdb5fd2e02ac7510bf1",
		 "9898283c4f66eb6c6fd5165882046c40",
		 "01621215d1ca08febf0c602cc2ad90fa"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct js_record record = t_join_record(&world, i + 1, rows[i].version);
		const uint8_t *box = secret_box_public(world.box);
		assert_int_equal(sealed_key_seal(record.app_key, box, SEALED_APP_KEY, record.dev_eui.bytes,
						 rows[i].app_key.bytes),
				 ST_OK);
		assert_int_equal(sealed_key_seal(record.nwk_key, box, SEALED_NWK_KEY, record.dev_eui.bytes,
						 rows[i].nwk_key.bytes),
				 ST_OK);
		t_join_provision(&world, &record);
		static struct js_nonces nonces;
		uint8_t none[JS_KEY_MARK] = {0};
		js_nonces_init(&nonces, none);
		nonces.join_nonce = 0xffff;
		assert_int_equal(world.options.store.save_nonces(&world.store, &record.join_eui,
								 &record.dev_eui, &nonces),
				 ST_OK);

		char text[1024];
		snprintf(text, sizeof text,
			 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"010203\",\"ReceiverID\":"
			 "\"0807060504030201\","
			 "\"TransactionID\":%zu,\"MessageType\":\"JoinReq\",\"MACVersion\":\"1.0\","
			 "\"PHYPayload\":"
			 "\"00010203040506070808070605040302010201cde6acb8\",\"DevEUI\":\"0102030405060708\","
			 "\"DevAddr\":\"01020304\",\"DLSettings\":\"%02x\",\"RxDelay\":1,"
			 "\"CFList\":\"988d8468958400000000000000000000\"}",
			 i, rows[i].dl_settings);
		char out[BI_WRITTEN_MAX];
		struct js_outcome outcome;
		size_t length = js_join_on_message(&world.join, world.now, (uint8_t *)text, strlen(text),
						   &t_join_here, out, &outcome);
		struct bi_message answer;
		struct bi_error error;
		assert_true(bi_read(out, length, &answer, &error));
		t_int("result", BI_SUCCESS, answer.envelope.result);
		t_uint("join_nonce", 0x10000, outcome.join_nonce);
		const struct bi_join_ans *ans = &answer.join_ans;
		uint8_t phy[33];
		assert_true(hex_decode_exact(phy, sizeof phy, rows[i].phy));
		t_bytes("phy", phy, sizeof phy, ans->phy_payload, ans->phy_length);
		check_key("app_s_key", "application", rows[i].app_s, &ans->app_s_key);
		t_uint("session_key_id", JS_SESSION_KEY_ID, ans->session_key_id.length);
		t_int("NwkSKey only without OptNeg", rows[i].s_nwk == NULL, ans->nwk_s_key.length > 0);
		if (rows[i].s_nwk) {
			check_key("f_nwk_s_int_key", "network", rows[i].f_nwk, &ans->f_nwk_s_int_key);
			check_key("s_nwk_s_int_key", "network", rows[i].s_nwk, &ans->s_nwk_s_int_key);
			check_key("nwk_s_enc_key", "network", rows[i].nwk_s_enc, &ans->nwk_s_enc_key);
		} else {
			check_key("nwk_s_key", "network", rows[i].f_nwk, &ans->nwk_s_key);
		}
	}
}

static void provision(enum lw_mac_version version)
{
	struct js_record record = t_join_record(&world, world.join.state.applied_version + 1, version);
	t_join_provision(&world, &record);
}

static void the_same_request_gets_the_same_answer(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 5), first, again;
	t_int("first", JS_ACCEPTED, t_join_ask(&world, &request, &first));
	unsigned writes = world.store.writes;
	world.now.mono.us += 60 * US_PER_S;
	t_int("again within the minute", JS_RETRIED, t_join_ask(&world, &request, &again));
	t_bytes("answer", (uint8_t *)&first, sizeof first, (uint8_t *)&again, sizeof again);
	t_uint("nothing is used up", writes, world.store.writes);
	world.now.mono.us += 1;
	world.now.wall.us += 61 * US_PER_S;
	t_int("after the minute", JS_LATE_COPY, t_join_ask(&world, &request, &again));
	t_uint("nothing is used up", writes, world.store.writes);
}

static void a_failure_of_the_store_is_no_answer_to_repeat(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 5), answer;
	world.store.fails = true;
	t_int("the disk is full", JS_STORE_FAILED, t_join_ask(&world, &request, &answer));
	world.store.fails = false;
	t_int("the same request, with room again", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
}

static void seal(uint8_t sealed[SEALED_KEY_LENGTH], enum sealed_key_kind kind, const struct lw_key *key)
{
	struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI);
	assert_int_equal(sealed_key_seal(sealed, secret_box_public(world.box), kind, eui.bytes, key->bytes),
			 ST_OK);
}

/* A device that gets a new root key begins its DevNonces anew; the JoinNonce goes on. For 1.1 that key is the NwkKey. */
static void a_new_root_key_begins_the_nonces_anew(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_mac_version version;
		bool new_app_key, new_nwk_key, anew;
	} rows[] = {
		{"1.0.4, the same keys", LW_MAC_1_0_4, false, false, false},
		{"1.0.4, another AppKey", LW_MAC_1_0_4, true, false, true},
		{"1.1, another NwkKey", LW_MAC_1_1_0, false, true, true},
		{"1.1, another AppKey alone", LW_MAC_1_1_0, true, false, false},
	};
	const struct lw_key other = {{0x42}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_join_world_close(&world);
		t_join_world_open(&world);
		provision(rows[i].version);
		const struct lw_key *key = rows[i].version >= LW_MAC_1_1_0 ? &t_nwk_key : &t_app_key;
		struct bi_message request = t_join_request(&world, key, rows[i].version, 9, 1), answer;
		t_int("first", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
		struct js_record record = t_join_record(&world, world.join.state.applied_version + 1,
							rows[i].version);
		if (rows[i].new_app_key)
			seal(record.app_key, SEALED_APP_KEY, &other);
		if (rows[i].new_nwk_key)
			seal(record.nwk_key, SEALED_NWK_KEY, &other);
		t_join_provision(&world, &record);
		request = t_join_request(&world, rows[i].anew ? &other : key, rows[i].version, 3, 2);
		t_int("a lower DevNonce", rows[i].anew ? JS_ACCEPTED : JS_DEV_NONCE_NOT_INCREASING,
		      t_join_ask(&world, &request, &answer));
		t_uint("JoinNonce", rows[i].anew ? 2 : 1, world.store.now.nonces[0].nonces.join_nonce);
	}
}

static void retries_are_told_by_sender_transaction_and_body(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 5), answer;
	t_int("first", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	request.envelope.transaction_id = 6;
	t_int("another transaction", JS_LATE_COPY, t_join_ask(&world, &request, &answer));
	t_int("told in 1.0 as a failed join", BI_JOIN_REQ_FAILED, answer.envelope.result);
	request.envelope.protocol = BI_PROTOCOL_1_1;
	t_int("another body", JS_LATE_COPY, t_join_ask(&world, &request, &answer));
	t_int("told in 1.1 as a replay", BI_FRAME_REPLAYED, answer.envelope.result);
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 5);
	memcpy(request.envelope.sender_id, "60000d", 7);
	t_int("another sender", JS_LATE_COPY, t_join_ask(&world, &request, &answer));
}

static void the_retry_cache_is_bounded(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message first = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 1), request, answer;
	t_int("first", JS_ACCEPTED, t_join_ask(&world, &first, &answer));
	for (uint16_t i = 2; i <= 8; i++) {
		request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, i, i);
		t_int("others", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	}
	t_int("eight fit", JS_RETRIED, t_join_ask(&world, &first, &answer));
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 9, 9);
	t_int("a ninth", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	t_int("the oldest made room", JS_DEV_NONCE_NOT_INCREASING, t_join_ask(&world, &first, &answer));
	t_uint("never more than eight", 8, world.join.retries.index.count);
}

static void a_crash_loses_what_was_not_committed_and_no_more(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_3);
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_3, 500, 1), answer;
	t_int("a join", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	t_join_world_crash(&world);
	t_int("its answer never left, so it may come again", JS_ACCEPTED,
	      t_join_ask(&world, &request, &answer));
	t_join_store_commit(&world.store);
	t_join_world_crash(&world);
	t_int("committed: the copy is told", JS_LATE_COPY, t_join_ask(&world, &request, &answer));
	world.now.wall.us += 601 * US_PER_S;
	request.envelope.transaction_id = 2;
	t_int("and later the replay", JS_DEV_NONCE_USED, t_join_ask(&world, &request, &answer));
	t_int("as a failed join", BI_JOIN_REQ_FAILED, answer.envelope.result);
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_3, 499, 3);
	t_int("the next join", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	struct js_nonces *nonces = &world.store.now.nonces[0].nonces;
	t_uint("its JoinNonce", 2, nonces->join_nonce);
}

static void the_record_decides_the_policy_not_the_request(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message answer, request = t_join_request(&world, &t_app_key, LW_MAC_1_0_3, 9, 1);
	t_int("claims 1.0.3", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_3, 8, 2);
	t_int("and must count all the same", JS_DEV_NONCE_NOT_INCREASING,
	      t_join_ask(&world, &request, &answer));
}

static void a_bad_mic_uses_nothing_up(void **state)
{
	(void)state;
	provision(LW_MAC_1_0_4);
	struct bi_message answer, request = t_join_request(&world, &t_nwk_key, LW_MAC_1_0_4, 60000, 1);
	t_int("forged", JS_MIC_FAILED, t_join_ask(&world, &request, &answer));
	request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, 1, 2);
	t_int("the device itself", JS_ACCEPTED, t_join_ask(&world, &request, &answer));
}

static void what_is_no_join_is_answered_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		enum js_verdict verdict;
		const char *in_answer; /* NULL: no answer */
	} rows[] = {
		{"no JSON", "hello", JS_UNREADABLE, NULL},
		{"no envelope", "{}", JS_UNREADABLE, NULL},
		{"an answer",
		 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"PRStopAns\",\"Result\":{\"ResultCode\":\"Success\"}}",
		 JS_NOT_A_REQUEST, NULL},
		{"an ErrorNotif",
		 "{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"ErrorNotif\"}",
		 JS_ERROR_NOTIFIED, NULL},
		{"a roaming request",
		 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"PRStartReq\"}",
		 JS_UNSUPPORTED_MESSAGE,
		 "\"MessageType\":\"PRStartAns\",\"Result\":{\"ResultCode\":\"Other\""},
		{"a version of the future",
		 "{\"ProtocolVersion\":\"2.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\"}",
		 JS_WRONG_PROTOCOL, "\"ResultCode\":\"InvalidProtocolVersion\""},
		{"a version of the future is answered in it",
		 "{\"ProtocolVersion\":\"2.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\"}",
		 JS_WRONG_PROTOCOL, "{\"ProtocolVersion\":\"2.0\",\"SenderID\":\"b\""},
		{"a version of the future of more digits",
		 "{\"ProtocolVersion\":\"12.3.45\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":"
		 "1,"
		 "\"MessageType\":\"JoinReq\"}",
		 JS_WRONG_PROTOCOL, "{\"ProtocolVersion\":\"12.3.45\",\"SenderID\":\"b\""},
		{"a version of the future that is too long is answered in 1.0",
		 "{\"ProtocolVersion\":\"2.0.0.0.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\","
		 "\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\"}",
		 JS_WRONG_PROTOCOL, "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"b\""},
		{"a version of the future that is no number is answered in 1.0",
		 "{\"ProtocolVersion\":\"v2\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\"}",
		 JS_WRONG_PROTOCOL, "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"b\""},
		{"a JoinReq without DevEUI in 1.1",
		 "{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\",\"MACVersion\":\"1.0.3\",\"PHYPayload\":\"00\"}",
		 JS_MALFORMED, "\"ResultCode\":\"MalformedMessage\",\"Description\":\"DevEUI: expected 16"},
		{"the same in 1.0",
		 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinReq\",\"MACVersion\":\"1.0.3\",\"PHYPayload\":\"00\"}",
		 JS_MALFORMED, "\"ResultCode\":\"MalformedRequest\""},
		{"a faulty answer is not answered",
		 "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"a\",\"ReceiverID\":\"b\",\"TransactionID\":1,"
		 "\"MessageType\":\"JoinAns\"}",
		 JS_MALFORMED, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char out[BI_WRITTEN_MAX];
		struct js_outcome outcome;
		size_t length = js_join_on_message(&world.join, world.now, (const uint8_t *)rows[i].text,
						   strlen(rows[i].text), &t_join_here, out, &outcome);
		t_str("verdict", js_verdict_name(rows[i].verdict), js_verdict_name(outcome.verdict));
		t_int("answered", rows[i].in_answer != NULL, length > 0);
		if (rows[i].in_answer && length > 0 && !strstr(out, rows[i].in_answer))
			t_str("answer", rows[i].in_answer, out);
	}
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(each_refusal_has_its_result),
		IN_WORLD(published_joins_come_out_the_same),
		IN_WORLD(the_same_request_gets_the_same_answer),
		IN_WORLD(a_failure_of_the_store_is_no_answer_to_repeat),
		IN_WORLD(a_new_root_key_begins_the_nonces_anew),
		IN_WORLD(retries_are_told_by_sender_transaction_and_body),
		IN_WORLD(the_retry_cache_is_bounded),
		IN_WORLD(a_crash_loses_what_was_not_committed_and_no_more),
		IN_WORLD(the_record_decides_the_policy_not_the_request),
		IN_WORLD(a_bad_mic_uses_nothing_up),
		IN_WORLD(what_is_no_join_is_answered_or_not),
	};
	return t_run(tests);
}
