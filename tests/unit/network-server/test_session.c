#include "tests/harness/harness.h"

#include "network-server/foreign.h"
#include "network-server/session.h"

#include <string.h>

static struct ns_sessions sessions;
static struct rng rng;

static void setup(void)
{
	rng = rng_seeded(3);
	assert_int_equal(ST_OK, secret_init());
	ns_sessions_init(&sessions, 32, &rng);
}

static uint32_t device(uint64_t number)
{
	struct lw_eui64 eui = lw_eui64_from_number(number);
	return ns_device_put(&sessions, &eui);
}

static struct ns_session session(uint64_t number, uint32_t dev_addr, uint32_t tag, uint8_t flags)
{
	return (struct ns_session){.dev_eui = lw_eui64_from_number(number),
				   .dev_addr = {dev_addr},
				   .device = device(number),
				   .tag = tag,
				   .flags = flags};
}

static void seen_counters(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t notes[6];
		size_t count;
		uint32_t asked;
		bool seen;
	} rows[] = {
		{"nothing yet", {0}, 0, 0, false},
		{"the first", {0}, 1, 0, true},
		{"one that was skipped", {0, 2}, 2, 1, false},
		{"a late one that was noted", {0, 2, 1}, 3, 1, true},
		{"63 ahead", {5, 68}, 2, 5, true},
		{"64 ahead", {5, 69}, 2, 5, true},
		{"65 ahead", {5, 70}, 2, 5, true},
		{"skipped, 65 ahead", {5, 70}, 2, 6, false},
		{"127 ahead", {5, 132}, 2, 5, true},
		{"skipped, 127 ahead", {5, 132}, 2, 6, false},
		{"out of the window: taken as seen", {5, 133}, 2, 5, true},
		{"far ahead: what is in the window was not seen", {5, 5000}, 2, 4990, false},
		{"ahead of all", {5}, 1, 6, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct ns_session noted = {0};
		for (size_t j = 0; j < rows[i].count; j++)
			ns_session_note(&noted, rows[i].notes[j]);
		t_int("seen", rows[i].seen, ns_session_seen(&noted, rows[i].asked));
	}
}

static void at_most_312_bytes(void **state)
{
	(void)state;
	t_true("session", sizeof(struct ns_session) <= 312);
	t_true("device", sizeof(struct ns_device) <= 64);
}

static void pending_replaces_at_promotion(void **state)
{
	(void)state;
	setup();
	struct ns_session in_use = session(1, 10, 1, 0), pending = session(1, 11, 2, NS_SESSION_PENDING),
			  newer = session(1, 12, 3, NS_SESSION_PENDING),
			  oldest = session(1, 13, 4, NS_SESSION_PENDING);
	uint32_t first = ns_session_add(&sessions, &in_use);
	ns_session_add(&sessions, &oldest);
	uint32_t elder = ns_session_add(&sessions, &pending);
	uint32_t third = ns_session_add(&sessions, &newer);
	t_uint("the one in use and the last two joins", 3, sessions.slab.count);
	t_true("the one in use stays", ns_sessions_has_addr(&sessions, (struct lw_dev_addr){10}));
	t_false("the oldest pending one is gone", ns_sessions_has_addr(&sessions, (struct lw_dev_addr){13}));
	t_uint("the join before is kept", elder, ns_device_at(&sessions, 0)->elder);
	ns_session_promote(&sessions, third);
	t_uint("one is left", 1, sessions.slab.count);
	t_uint("the new one", third, ns_device_at(&sessions, 0)->session);
	t_true("a slot is told from its earlier session by the tag",
	       ns_session_get(&sessions, first, 1) == NULL);
	ns_sessions_release(&sessions);
}

/* A stray join-request came after the join that the device has entered. */
static void elder_is_promoted_as_well(void **state)
{
	(void)state;
	setup();
	struct ns_session joined = session(1, 11, 2, NS_SESSION_PENDING),
			  stray = session(1, 12, 3, NS_SESSION_PENDING);
	uint32_t first = ns_session_add(&sessions, &joined);
	uint32_t second = ns_session_add(&sessions, &stray);
	ns_session_promote(&sessions, first);
	t_uint("in use", first, ns_device_at(&sessions, 0)->session);
	t_uint("still pending", second, ns_device_at(&sessions, 0)->pending);
	t_uint("both", 2, sessions.slab.count);
	ns_sessions_release(&sessions);
}

static void many_on_one_address(void **state)
{
	(void)state;
	setup();
	for (uint64_t i = 1; i <= 20; i++) {
		struct ns_session one = session(i, 7, (uint32_t)i, 0);
		ns_session_add(&sessions, &one);
	}
	for (uint64_t i = 2; i <= 20; i += 2) {
		struct lw_eui64 eui = lw_eui64_from_number(i);
		ns_device_remove(&sessions, ns_device_find(&sessions, &eui));
	}
	uint32_t at = 0, slot, sum = 0, count = 0;
	while ((slot = ns_sessions_next(&sessions, (struct lw_dev_addr){7}, &at)) != NS_NO_SLOT) {
		sum += ns_session_at(&sessions, slot)->tag;
		count++;
	}
	t_uint("left", 10, count);
	t_uint("the odd ones", 100, sum);
	ns_sessions_release(&sessions);
}

static void stored_and_read(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate(), *other = secret_master_generate();
	struct ns_session written = session(9, 0x26000001, 77, NS_SESSION_1_1), read;
	memset(&written.f_nwk_s_int_key, 0x11, sizeof(struct lw_key));
	memset(&written.s_nwk_s_int_key, 0x22, sizeof(struct lw_key));
	memset(&written.nwk_s_enc_key, 0x33, sizeof(struct lw_key));
	written.fcnt_up = 0x12345678;
	written.a_fcnt_down = 5;
	struct lw_channel_plan plan = {.freq_hz[3] = 867100000};
	t_true("a plan", ns_session_set_plan(&sessions, &written, &plan));
	written.mac.question_length = 3;
	memcpy(written.mac.question, (const uint8_t[]){0x08, 5, 0x06}, 3);
	written.mac.tries[NS_MAC_DEV_STATUS] = 7;
	*ns_mac_refused(&written.mac, NS_MAC_LINK_ADR) = 0x1234;
	written.adr = (struct ns_adr_history){.count = 2, .dr = 5, .snr_qdb = {-20, 17}};
	uint8_t bytes[NS_SESSION_BYTES];
	size_t length = ns_session_encode(&sessions, &written, master, bytes);
	t_true("reads", ns_session_decode(&sessions, &read, master, bytes, length));
	read.device = written.device;
	t_bytes("the same", (const uint8_t *)&written, sizeof written, (const uint8_t *)&read, sizeof read);
	for (size_t i = 0; i + 16 <= length; i++)
		if (memcmp(bytes + i, &written.f_nwk_s_int_key, 16) == 0)
			t_true("a key stands in clear", false);
	t_false("another master key", ns_session_decode(&sessions, &read, other, bytes, length));
	for (size_t cut = 0; cut < length; cut++)
		t_false("cut short", ns_session_decode(&sessions, &read, master, bytes, cut));
	bytes[1] ^= 1;
	t_false("moved to another device", ns_session_decode(&sessions, &read, master, bytes, length));
	secret_master_free(master);
	secret_master_free(other);
	ns_sessions_release(&sessions);
}

/* As the first release wrote a session, byte by byte. */
static size_t first_format(const struct secret_master *master, uint8_t flags, uint8_t bytes[NS_SESSION_BYTES])
{
	struct wr wr = wr_init(bytes, NS_SESSION_BYTES);
	uint8_t context[20] = "session/", plain[48], sealed[48 + SECRET_SEAL_OVERHEAD];
	const uint8_t eui[8] = {0, 0, 0, 0, 0, 0, 0, 9}, zeros[16] = {0};
	memcpy(context + 8, eui, 8);
	context[16] = 77;
	memset(plain, 0x11, sizeof plain);
	secret_seal(master, context, sizeof context, plain, sizeof plain, sealed);
	wr_u8(&wr, 1);
	wr_copy(&wr, eui, 8);
	wr_u32le(&wr, 0x26000001);
	wr_u32le(&wr, 77);
	wr_copy(&wr, sealed, sizeof sealed);
	wr_copy(&wr, zeros, 16);
	for (uint32_t i = 0; i < 4; i++)
		wr_u32le(&wr, 100 + i);
	wr_copy(&wr, zeros, 16);
	wr_u64le(&wr, 7);
	wr_u64le(&wr, 8);
	wr_u64le(&wr, 9);
	wr_copy(&wr, zeros, 4);
	wr_copy(&wr, (const uint8_t[]){2, flags, 1, LW_MAC_1_0_3, 1, 5, 3, 4, 2, 6, 5}, 11);
	wr_u32le(&wr, 869525000);
	for (unsigned i = 0; i < LW_MASK_WORDS; i++)
		wr_u16le(&wr, i == 0 ? 0xf : 0);
	for (uint32_t i = 0; i < LW_PLAN_DYNAMIC_MAX; i++) {
		wr_u32le(&wr, i == 3 ? 867100000 : 0);
		wr_u32le(&wr, i == 3 ? 869100000 : 0);
		wr_u8(&wr, i == 3 ? 0x50 : 0);
	}
	t_true("all of it", wr_ok(&wr));
	return wr_length(&wr);
}

static void read_from_the_first_format(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate();
	static const struct {
		const char *name;
		uint8_t flags, kept, question;
	} rows[] = {
		{"nothing in flight", NS_SESSION_ABP, NS_SESSION_ABP, 0},
		{"RXTimingSetupReq in flight", 128 | NS_SESSION_ABP, NS_SESSION_ABP, 2},
		{"LinkADRReq in flight", 64 | NS_SESSION_SETTLE, NS_SESSION_SETTLE, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t bytes[NS_SESSION_BYTES];
		struct ns_session read;
		size_t length = first_format(master, rows[i].flags, bytes);
		t_true("reads", ns_session_decode(&sessions, &read, master, bytes, length));
		t_uint("FCntUp", 100, read.fcnt_up);
		t_uint("flags", rows[i].kept, read.flags);
		t_uint("RxDelay", 1, read.rx_delay_s);
		t_uint("RX1DROffset", 3, read.rx1_dr_offset);
		t_uint("RX2's data rate", 4, read.rx2_dr);
		t_uint("NbTrans", 2, read.nb_trans);
		t_uint("data rate", 5, read.last_dr);
		t_uint("RX2's frequency", 869525000, read.rx2_freq_hz);
		t_uint("channel", 867100000, ns_session_plan(&sessions, &read)->freq_hz[3]);
		t_uint("its RX1", 869100000, ns_session_plan(&sessions, &read)->rx1_freq_hz[3]);
		t_uint("power", 0, read.mac.tx_power);
		t_uint("samples", 0, read.adr.count);
		t_bytes("question", (const uint8_t[]){0x08, 5}, rows[i].question, read.mac.question,
			read.mac.question_length);
		t_false("cut short", ns_session_decode(&sessions, &read, master, bytes, length - 1));
		uint8_t again[NS_SESSION_BYTES];
		struct ns_session second;
		length = ns_session_encode(&sessions, &read, master, again);
		t_true("and is written anew", ns_session_decode(&sessions, &second, master, again, length));
		t_bytes("the same", (const uint8_t *)&read, sizeof read, (const uint8_t *)&second,
			sizeof second);
		bytes[0] = 4;
		t_false("a format to come", ns_session_decode(&sessions, &read, master, bytes, length));
	}
	secret_master_free(master);
	ns_sessions_release(&sessions);
}

/* What the second release wrote between plan and ADR history: `answered` in one byte, eight kinds; and no tail. */
static void read_from_the_second_format(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate();
	uint8_t bytes[NS_SESSION_BYTES];
	size_t length = first_format(master, NS_SESSION_ABP | NS_SESSION_ADR, bytes);
	/* The first format's windows had two members more, and its plan all channels. */
	enum {
		LAST = 17 + 48 + SECRET_SEAL_OVERHEAD + 16 + 16 + 16 + 16 + 8 + 4,
		DELAY_ASKED = LAST + 5,
		TRIES = LAST + 9,
		PLAN = LAST + 15
	};
	struct wr wr = wr_init(bytes, sizeof bytes);
	uint8_t old[NS_SESSION_BYTES];
	memcpy(old, bytes, length);
	wr_u8(&wr, 2);
	wr_copy(&wr, old + 1, DELAY_ASKED - 1);
	wr_copy(&wr, old + DELAY_ASKED + 1, TRIES - DELAY_ASKED - 1);
	wr_copy(&wr, old + TRIES + 1, PLAN - TRIES - 1);
	wr_copy(&wr, old + PLAN, 2 * LW_MASK_WORDS);
	wr_u16le(&wr, 1u << 3);
	wr_u32le(&wr, 867100000);
	wr_u32le(&wr, 869100000);
	wr_u8(&wr, 0x50);
	wr_copy(&wr, (const uint8_t[]){4, 0x85, 3, 2, 0x08, 5}, 6);
	wr_u8(&wr, 0x81); /* answered */
	wr_u8(&wr, 8);
	for (uint8_t i = 0; i < 8; i++)
		wr_copy(&wr, (const uint8_t[]){i, (uint8_t)(i + 1), 0x10, i}, 4);
	for (uint16_t i = 0; i < 6; i++)
		wr_u16le(&wr, (uint16_t)(100 + i));
	wr_copy(&wr, (const uint8_t[]){3, 4}, 2);
	wr_u16le(&wr, 0x1234);
	wr_u8(&wr, 2);
	wr_u32le(&wr, 490000);
	wr_copy(&wr, (const uint8_t[]){1, 5, 17}, 3);
	struct ns_session read;
	t_true("reads", ns_session_decode(&sessions, &read, master, bytes, wr_length(&wr)));
	t_uint("RX2's frequency", 869525000, read.rx2_freq_hz);
	t_uint("data rate", 5, read.last_dr);
	t_uint("channel", 867100000, ns_session_plan(&sessions, &read)->freq_hz[3]);
	t_uint("power", 4, read.mac.tx_power);
	t_uint("question", 2, read.mac.question_length);
	t_uint("answered", 0x81, read.mac.answered);
	t_uint("tries", 7, read.mac.tries[NS_MAC_DEV_STATUS]);
	t_uint("pause", 8, read.mac.wait[NS_MAC_DEV_STATUS]);
	t_uint("refused", 0x410, *ns_mac_refused(&read.mac, NS_MAC_LINK_ADR));
	t_uint("channels refused", 102, read.mac.refused_channels);
	t_uint("hour of the last status", 490000, read.mac.status_hour);
	t_int("sample", 17, read.adr.snr_qdb[0]);
	t_uint("nothing rare", 0, read.rare);
	t_false("it has no tail", ns_session_decode(&sessions, &read, master, bytes, wr_length(&wr) + 1));
	secret_master_free(master);
	ns_sessions_release(&sessions);
}

/* Where the tail of a row begins: the row of the same session without anything rare. */
static size_t tail_of(const struct ns_session *of, const struct secret_master *master)
{
	struct ns_session plain = *of;
	uint8_t bytes[NS_SESSION_BYTES];
	plain.rare = 0;
	return ns_session_encode(&sessions, &plain, master, bytes);
}

static void groups_of_the_tail(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate();
	struct ns_session written = session(9, 0x26000001, 77, NS_SESSION_1_1), read;
	struct lw_channel_plan plan = {.freq_hz[3] = 867100000};
	t_true("a plan", ns_session_set_plan(&sessions, &written, &plan));
	const struct ns_rare rare = {.beacon_freq_hz = 869525000,
				     .ping_slot_freq_hz = 869525000,
				     .refused_beacon_freq = 0x1234,
				     .refused_ping_freq = 0x2345,
				     .order = 0x0102,
				     .order_left = 3,
				     .known = 31,
				     .adr_limit_exp = 4,
				     .adr_delay_exp = 3,
				     .rejoin_time_exp = 2,
				     .rejoin_count_exp = 5,
				     .refused_time_exp = 6,
				     .ping_slot_dr = 3,
				     .refused_ping_dr = 5,
				     .ping_periodicity = 7,
				     .device_mode = 2};
	t_true("a set", ns_session_set_rare(&sessions, &written, &rare));
	uint8_t bytes[NS_SESSION_BYTES];
	size_t length = ns_session_encode(&sessions, &written, master, bytes);
	size_t tail = tail_of(&written, master);
	t_true("reads", ns_session_decode(&sessions, &read, master, bytes, length));
	t_bytes("all of it", (const uint8_t *)&rare, sizeof rare,
		(const uint8_t *)ns_session_rare(&sessions, &read), sizeof rare);
	t_true("without its tail", ns_session_decode(&sessions, &read, master, bytes, tail));
	t_uint("is as booted", 0, read.rare);
	for (size_t cut = tail + 1; cut < length; cut++)
		t_false("cut short", ns_session_decode(&sessions, &read, master, bytes, cut));
	/* A release before had four members. */
	uint8_t shorter[NS_SESSION_BYTES];
	memcpy(shorter, bytes, tail + 6);
	shorter[tail + 1] = 4;
	t_true("a group that had fewer members",
	       ns_session_decode(&sessions, &read, master, shorter, tail + 6));
	t_uint("is taken as far as it goes", 2, ns_session_rare(&sessions, &read)->rejoin_time_exp);
	t_uint("the others are the usual ones", 0, ns_session_rare(&sessions, &read)->beacon_freq_hz);
	/* A group of a release to come, before and behind. */
	uint8_t longer[NS_SESSION_BYTES];
	struct wr wr = wr_init(longer, sizeof longer);
	wr_copy(&wr, bytes, tail);
	wr_copy(&wr, (const uint8_t[]){250, 2, 9, 9}, 4);
	wr_copy(&wr, bytes + tail, length - tail);
	wr_copy(&wr, (const uint8_t[]){251, 0}, 2);
	t_true("groups to come", ns_session_decode(&sessions, &read, master, longer, wr_length(&wr)));
	t_bytes("are left out", (const uint8_t *)&rare, sizeof rare,
		(const uint8_t *)ns_session_rare(&sessions, &read), sizeof rare);
	secret_master_free(master);
	ns_sessions_release(&sessions);
}

/* Rows of releases with fewer or more kinds of requests. */
static void another_number_of_kinds(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate();
	struct ns_session written = session(9, 0x26000001, 77, 0), read;
	for (size_t i = 0; i < NS_MAC_KINDS; i++)
		written.mac.tries[i] = (uint8_t)(10 + i);
	written.mac.deaf = 9;
	uint8_t bytes[NS_SESSION_BYTES], other[NS_SESSION_BYTES];
	size_t length = ns_session_encode(&sessions, &written, master, bytes);
	/* Behind the kinds: 21 bytes of the MAC state, 2 of the ADR history. */
	size_t end = length - 2 - 21, begin = end - 4 * (size_t)NS_MAC_KINDS;
	t_uint("their number stands before them", NS_MAC_KINDS, bytes[begin - 1]);
	for (size_t kinds = 0; kinds <= 16; kinds++) {
		struct wr wr = wr_init(other, sizeof other);
		size_t known = kinds < NS_MAC_KINDS ? kinds : NS_MAC_KINDS;
		wr_copy(&wr, bytes, begin - 1);
		wr_u8(&wr, (uint8_t)kinds);
		wr_copy(&wr, bytes + begin, 4 * known);
		wr_zeros(&wr, 4 * (kinds - known));
		wr_copy(&wr, bytes + end, length - end);
		t_true("reads", ns_session_decode(&sessions, &read, master, other, wr_length(&wr)));
		for (size_t i = 0; i < NS_MAC_KINDS; i++)
			t_uint("tries", i < kinds ? 10 + i : 0, read.mac.tries[i]);
		t_uint("what follows", 9, read.mac.deaf);
	}
	other[begin - 1] = 17;
	t_false("more than there can be", ns_session_decode(&sessions, &read, master, other, sizeof other));
	secret_master_free(master);
	ns_sessions_release(&sessions);
}

/* The fullest row there can be. */
static void the_longest_row_fits(void **state)
{
	(void)state;
	setup();
	struct secret_master *master = secret_master_generate();
	struct ns_session full = session(9, 0x26000001, 77, NS_SESSION_1_1), read;
	struct lw_channel_plan plan;
	memset(&plan, 0x77, sizeof plan);
	t_true("a plan", ns_session_set_plan(&sessions, &full, &plan));
	memset(&full.mac, 0x55, sizeof full.mac);
	full.mac.due = 0;
	struct ns_rare rare;
	memset(&rare, 0x44, sizeof rare);
	t_true("a set", ns_session_set_rare(&sessions, &full, &rare));
	full.mac.question_length = NS_QUESTION_MAX;
	full.adr.count = NS_ADR_HISTORY;
	memset(full.adr.snr_qdb, 0x33, sizeof full.adr.snr_qdb);
	uint8_t bytes[NS_SESSION_BYTES];
	size_t length = ns_session_encode(&sessions, &full, master, bytes);
	t_true("reads", ns_session_decode(&sessions, &read, master, bytes, length));
	t_bytes("ADR", (const uint8_t *)&full.adr, sizeof full.adr, (const uint8_t *)&read.adr,
		sizeof read.adr);
	t_bytes("question", full.mac.question, NS_QUESTION_MAX, read.mac.question, read.mac.question_length);
	secret_master_free(master);
	ns_sessions_release(&sessions);
}

/* More distinct plans than the table holds, over time: those that no session has any more make room. */
static void plans_make_room(void **state)
{
	(void)state;
	setup();
	struct ns_session one = session(1, 7, 1, 0);
	uint32_t kept = ns_session_add(&sessions, &one);
	struct lw_channel_plan plan = {.enabled.words[0] = 7};
	t_true("a plan", ns_session_set_plan(&sessions, ns_session_at(&sessions, kept), &plan));
	struct ns_session other = session(2, 8, 2, 0);
	uint32_t changing = ns_session_add(&sessions, &other);
	for (uint32_t i = 0; i < 3 * NS_PLANS_MAX; i++) {
		struct lw_channel_plan next = {.freq_hz[5] = i + 1};
		if (!ns_session_set_plan(&sessions, ns_session_at(&sessions, changing), &next)) {
			t_true("room", false);
			break;
		}
	}
	t_uint("its last", 3 * NS_PLANS_MAX,
	       ns_session_plan(&sessions, ns_session_at(&sessions, changing))->freq_hz[5]);
	t_uint("the other's is as it was", 7,
	       ns_session_plan(&sessions, ns_session_at(&sessions, kept))->enabled.words[0]);
	struct lw_channel_plan same = {.enabled.words[0] = 7};
	t_uint("equal plans are one", ns_session_at(&sessions, kept)->plan,
	       ns_plans_keep(&sessions.plans, &same));
	ns_sessions_release(&sessions);
}

/* More distinct sets than the table holds, in use at the same time: the session stays as it is. */
static void a_full_table_of_rare_sets(void **state)
{
	(void)state;
	setup();
	for (uint32_t i = 1; i < NS_RARES_MAX; i++) {
		struct ns_rare rare = {.beacon_freq_hz = i};
		t_true("room", ns_rares_keep(&sessions.rares, &rare) != NS_NO_RARE);
	}
	struct ns_session one = session(1, 7, 1, 0);
	struct ns_session *kept = ns_session_at(&sessions, ns_session_add(&sessions, &one));
	struct ns_rare first = {.beacon_freq_hz = 5}, more = {.beacon_freq_hz = NS_RARES_MAX};
	t_true("one that is there", ns_session_set_rare(&sessions, kept, &first));
	t_true("sets that no session has make room", ns_session_set_rare(&sessions, kept, &more));
	t_uint("the new one", NS_RARES_MAX, ns_session_rare(&sessions, kept)->beacon_freq_hz);
	t_uint("what the one that was named until now and what a device boots with are left with it", 3,
	       sessions.rares.count);
	ns_sessions_release(&sessions);
}

static void restored_over_what_is_there(void **state)
{
	(void)state;
	setup();
	(void)device(1);
	struct ns_session older = session(1, 10, 1, 0);
	older.fcnt_up = 10;
	older.n_fcnt_down = 20;
	t_true("a row", ns_session_restore(&sessions, 5, &older));
	struct ns_session tail = older;
	tail.fcnt_up = 8;
	tail.n_fcnt_down = 25;
	t_true("the tail says it again", ns_session_restore(&sessions, 5, &tail));
	t_uint("the greater counter wins", 10, ns_session_at(&sessions, 5)->fcnt_up);
	t_uint("each of them", 25, ns_session_at(&sessions, 5)->n_fcnt_down);
	struct ns_session next = session(1, 11, 2, 0);
	t_true("a new session in another slot", ns_session_restore(&sessions, 6, &next));
	t_uint("the old one is over", 1, sessions.slab.count);
	struct ns_session nobody = {.dev_eui = lw_eui64_from_number(99), .tag = 1};
	t_false("no such device", ns_session_restore(&sessions, 7, &nobody));
	t_false("no such slot", ns_session_restore(&sessions, 1u << 30, &next));
	ns_slab_loaded(&sessions.slab);
	for (uint64_t i = 2; i <= 20; i++) {
		struct ns_session more = session(i, (uint32_t)i, (uint32_t)i, 0);
		uint32_t slot = ns_session_add(&sessions, &more);
		t_true("a slot of its own", slot != 6 && slot != NS_NO_SLOT);
	}
	ns_sessions_release(&sessions);
}

static bool never(const void *ctx, struct lw_dev_addr dev_addr)
{
	(void)ctx;
	(void)dev_addr;
	return false;
}

static void addresses(void **state)
{
	(void)state;
	rng = rng_seeded(5);
	struct lw_dev_addr_prefix prefix = {0x26001230, 28};
	struct ns_foreign foreign;
	ns_foreign_init(&foreign, &prefix, 1, 64, &rng);
	struct lw_dev_addr drawn;
	for (uint32_t i = 0; i < 15; i++)
		ns_foreign_released(&foreign, (struct lw_dev_addr){0x26001230 + i}, 100);
	t_true("one is left", ns_foreign_draw(&foreign, &rng, 110, never, NULL, &drawn) ||
				      ns_foreign_draw(&foreign, &rng, 110, never, NULL, &drawn));
	t_uint("that one", 0x2600123f, drawn.value);
	ns_foreign_released(&foreign, drawn, 100);
	t_false("none within 30 days", ns_foreign_draw(&foreign, &rng, 129, never, NULL, &drawn));
	t_true("after 30 days", ns_foreign_draw(&foreign, &rng, 130, never, NULL, &drawn));
	t_true("ours", ns_foreign_is_our_addr(&foreign, drawn));
	t_false("not ours", ns_foreign_is_our_addr(&foreign, (struct lw_dev_addr){0x26001240}));
	for (uint32_t i = 0; i < 100000; i++)
		ns_foreign_count(&foreign, (struct lw_dev_addr){i * 40503u * 2654435761u});
	uint64_t sum = foreign.other;
	const struct {
		uint32_t id, padding;
		uint64_t count;
	} * row;
	for (size_t at = 0; (row = table_next(&foreign.net_ids, &at));)
		sum += row->count;
	t_uint("each is counted once, in bounded room", 100000, sum);
	t_true("bounded", foreign.net_ids.count <= NS_NET_IDS_MAX);
	ns_foreign_release(&foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(seen_counters),
		t_test(at_most_312_bytes),
		t_test(pending_replaces_at_promotion),
		t_test(elder_is_promoted_as_well),
		t_test(many_on_one_address),
		t_test(stored_and_read),
		t_test(restored_over_what_is_there),
		t_test(addresses),
		t_test(read_from_the_first_format),
		t_test(read_from_the_second_format),
		t_test(groups_of_the_tail),
		t_test(another_number_of_kinds),
		t_test(a_full_table_of_rare_sets),
		t_test(the_longest_row_fits),
		t_test(plans_make_room),
	};
	return t_run(tests);
}
