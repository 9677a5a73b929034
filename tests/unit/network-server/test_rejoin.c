/* Rejoins at the network server: which are passed on to the join server and with what, each refusal, that RJcount0 is never
 * taken twice, restarts included, and what the new session has of the old one. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/base/check.h"
#include "common/lorawan/join_frame.h"
#include "network-server/join_course.h"

#include <string.h>

#define FIRST_KEY 0x61

enum { PROFILE_103, PROFILE_11, PROFILE_KEYS, PROFILE_NONE };

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];
static uint8_t next_key;

static void keys_alone(struct net_profile *profile)
{
	profile->rejoin = NET_REJOIN_KEYS;
}

static void no_rejoin(struct net_profile *profile)
{
	profile->rejoin = NET_REJOIN_NONE;
}

static void setup(uint8_t profile)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_11, LW_MAC_1_1_0, "eu868", NULL);
	rig_profile(&rig, PROFILE_KEYS, LW_MAC_1_1_0, "eu868", keys_alone);
	rig_profile(&rig, PROFILE_NONE, LW_MAC_1_1_0, "eu868", no_rejoin);
	rig_state_end(&rig);
	rig_otaa(&rig, &device, 1, profile);
	next_key = FIRST_KEY;
}

static void hear(uint64_t gateway, uint8_t length)
{
	rig_hears(&rig, gateway, phy, length, 0);
	rig_run(&rig, 250 * US_PER_MS);
}

static uint8_t encode(uint8_t type, uint32_t net_id, uint16_t rj_count)
{
	struct lw_rejoin_request frame = {.type = type,
					  .net_id.value = net_id,
					  .join_eui = device.join_eui,
					  .dev_eui = device.dev_eui,
					  .rj_count = rj_count};
	uint8_t length = (uint8_t)lw_rejoin_request_encode(&frame, phy);
	struct lw_mic mic = lw_mic_join(rig.aes, &device.keys.s_nwk_s_int_key, phy, (size_t)length - 4);
	memcpy(phy + length - 4, mic.bytes, 4);
	return length;
}

static void rejoin(uint8_t type, uint16_t rj_count)
{
	hear(1, encode(type, rig.config.net_id.value, rj_count));
}

static void wrap(struct bi_key_envelope *envelope, struct lw_key *key)
{
	memset(key->bytes, next_key++, sizeof key->bytes);
	snprintf(envelope->label, sizeof envelope->label, "network");
	envelope->length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(rig.config.kek, 16, key->bytes, 16, envelope->key));
}

/* The join server says yes to the last call; `then` becomes the device as it is after the accept. */
static void say_yes(struct rig_device *then)
{
	const struct ns_join_call *call = &rig.joins[rig.join_count - 1];
	struct bi_message message = {
		.envelope = {.type = (enum bi_type)(call->type + 1), .transaction_id = call->transaction}};
	struct bi_join_ans *answer = &message.join_ans;
	answer->phy_length = call->request.has_cflist ? 33 : 17;
	*then = device;
	then->dev_addr = call->request.dev_addr;
	then->fcnt_up = 0;
	then->v1_1 = call->request.dl_settings >> 7;
	if (then->v1_1) {
		wrap(&answer->f_nwk_s_int_key, &then->keys.f_nwk_s_int_key);
		wrap(&answer->s_nwk_s_int_key, &then->keys.s_nwk_s_int_key);
		wrap(&answer->nwk_s_enc_key, &then->keys.nwk_s_enc_key);
	} else {
		wrap(&answer->nwk_s_key, &then->keys.f_nwk_s_int_key);
		then->keys.s_nwk_s_int_key = then->keys.nwk_s_enc_key = then->keys.f_nwk_s_int_key;
	}
	snprintf(answer->app_s_key.label, sizeof answer->app_s_key.label, "application");
	answer->app_s_key.length = BI_KEY_WRAPPED;
	ns_on_join_answer(&rig.ns, rig.now, call->transaction, &message);
	rig_turn(&rig);
}

static void uplink(struct rig_device *of, const uint8_t *fopts, uint8_t fopts_length)
{
	uint8_t length = rig_uplink(
		&rig, of, &(struct rig_frame){.fport = 1, .fopts = fopts, .fopts_length = fopts_length}, phy);
	hear(1, length);
	of->fcnt_up++;
	rig_run(&rig, 10 * US_PER_S);
}

static void joins(void)
{
	struct lw_join_request join = {
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = 1};
	hear(1, (uint8_t)lw_join_request_encode(&join, phy));
	struct rig_device then;
	say_yes(&then);
	device = then;
	rig_run(&rig, 10 * US_PER_S);
	uplink(&device, (const uint8_t[]){0x0b, 1}, 2);
}

static const struct ns_device *record(void)
{
	return ns_device_at(&rig.ns.sessions, ns_device_find(&rig.ns.sessions, &device.dev_eui));
}

/* What the join server is asked, and where the accept goes. */
static void each_type_is_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t type;
		bool cflist;
		uint8_t dl_settings, rx_delay;
	} rows[] = {
		{"type 0: our parameters", 0, true, 0x80, 5},
		{"type 1: our parameters", 1, true, 0x80, 5},
		{"type 2: those that the device has", 2, false, 0xb4, 3},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		setup(PROFILE_11);
		rig_extra_channels(&rig, NULL);
		joins();
		struct ns_session *session = ns_session_at(&rig.ns.sessions, record()->session);
		session->rx1_dr_offset = 3;
		session->rx2_dr = 4;
		session->rx_delay_s = 3;
		size_t before = rig.downlink_count;
		rejoin(rows[i].type, 0);
		t_uint("one more call", 2, rig.join_count);
		const struct ns_join_call *call = &rig.joins[1];
		t_int("as a RejoinReq", BI_REJOIN_REQ, call->type);
		t_bytes("PHYPayload", phy, rows[i].type == 1 ? 24 : 19, call->request.phy_payload,
			call->request.phy_length);
		t_true("to the device's join server", lw_eui64_equal(&call->join_eui, &device.join_eui));
		t_uint("DLSettings", rows[i].dl_settings, call->request.dl_settings);
		t_uint("RxDelay", rows[i].rx_delay, call->request.rx_delay);
		t_int("CFList", rows[i].cflist, call->request.has_cflist);
		t_true("another address", call->request.dev_addr.value != device.dev_addr.value);
		struct rig_device then;
		say_yes(&then);
		t_uint("the accept leaves", before + 1, rig.downlink_count);
		const struct gw_downlink *down = &rig.downlinks[before];
		const struct gw_tx_attempt *attempt = &down->attempts[0];
		t_uint("RX1", 868100000, attempt->freq_hz);
		t_int("5 s after", 5 * US_PER_S - 250 * US_PER_MS - 30 * US_PER_MS,
		      gw_ticks_since(attempt->ticks,
				     (struct gw_ticks){(uint32_t)(rig.now.mono.us + 1000000007)}));
		t_uint("with the session's RX1DROffset", 10, attempt->modulation.spreading_factor);
		rig_tx_ack(&rig, GW_TX_TOO_LATE);
		attempt = &rig.downlinks[rig.downlink_count - 1].attempts[0];
		t_int("then RX2", GW_RX2, attempt->window);
		t_uint("at the session's rate", 8, attempt->modulation.spreading_factor);
		t_int("event", NET_REQUEST_REJOIN_0 + rows[i].type,
		      rig.events[rig.event_count - 1].join_event.request);
		rig_release(&rig);
	}
}

enum change {
	NOTHING,
	BEFORE_1_1,
	OTHER_NET_ID,
	OTHER_KEY,
	NO_SESSION,
	SESSION_OF_1_0,
	KEYS_ALONE,
	NONE_ALLOWED,
	OTHER_JOIN_EUI,
	DISABLED,
	UNREGISTERED,
	COUNT_AGAIN,
	COUNT_OF_BEFORE,
	COUNT_AT_ITS_END
};

static const struct refusal {
	const char *name;
	uint8_t type;
	enum change change;
	enum ns_drop drop;
	enum net_join_verdict told; /* in the report; NET_JOIN_VERDICT_COUNT: none */
} refusals[] = {
	{"type 0", 0, NOTHING, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"type 1", 1, NOTHING, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"type 2", 2, NOTHING, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"a profile of 1.0.3", 0, BEFORE_1_1, NS_DROP_REJOIN_VERSION, NET_JOIN_REJOIN_VERSION},
	{"another NetID", 2, OTHER_NET_ID, NS_DROP_REJOIN_NET_ID, NET_JOIN_REJOIN_NET_ID},
	{"another key", 0, OTHER_KEY, NS_DROP_REJOIN_MIC, NET_JOIN_REJOIN_MIC},
	{"type 1, whose MIC is the join server's to check", 1, OTHER_KEY, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"type 0 without a session", 0, NO_SESSION, NS_DROP_REJOIN_NO_SESSION, NET_JOIN_REJOIN_NO_SESSION},
	{"type 1 without a session", 1, NO_SESSION, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"type 2 of a session of 1.0", 2, SESSION_OF_1_0, NS_DROP_REJOIN_NO_SESSION,
	 NET_JOIN_REJOIN_NO_SESSION},
	{"type 2, the profile takes keys alone", 2, KEYS_ALONE, NS_ACCEPTED, NET_JOIN_ACCEPT_SENT},
	{"type 0, the profile takes keys alone", 0, KEYS_ALONE, NS_DROP_REJOIN_NOT_ALLOWED,
	 NET_JOIN_REJOIN_NOT_ALLOWED},
	{"type 1, the profile takes none", 1, NONE_ALLOWED, NS_DROP_REJOIN_NOT_ALLOWED,
	 NET_JOIN_REJOIN_NOT_ALLOWED},
	{"type 1 with another JoinEUI", 1, OTHER_JOIN_EUI, NS_DROP_JOIN_EUI_DIFFERS,
	 NET_JOIN_JOIN_EUI_DIFFERS},
	{"a device that is not enabled", 2, DISABLED, NS_DROP_DEVICE_DISABLED, NET_JOIN_DEVICE_DISABLED},
	{"type 0 of a device that is not registered", 0, UNREGISTERED, NS_DROP_FOREIGN_REJOIN,
	 NET_JOIN_VERDICT_COUNT},
	{"type 1 of a device that is not registered", 1, UNREGISTERED, NS_DROP_JOIN_UNKNOWN_DEVICE,
	 NET_JOIN_VERDICT_COUNT},
	{"a count once more", 0, COUNT_AGAIN, NS_DROP_RJ_COUNT, NET_JOIN_RJ_COUNT},
	{"a count of before", 2, COUNT_OF_BEFORE, NS_DROP_RJ_COUNT, NET_JOIN_RJ_COUNT},
	{"a count at its end", 2, COUNT_AT_ITS_END, NS_DROP_RJ_COUNT, NET_JOIN_RJ_COUNT},
};

static uint8_t profile_for(enum change change)
{
	return change == KEYS_ALONE ? PROFILE_KEYS : change == NONE_ALLOWED ? PROFILE_NONE : PROFILE_11;
}

static void prepare(const struct refusal *row)
{
	setup(profile_for(row->change));
	if (row->change != NO_SESSION)
		joins();
	struct ns_device *device_record = ns_device_at(&rig.ns.sessions, 0);
	switch (row->change) {
	case BEFORE_1_1:
		rig_state_begin(&rig, false);
		rig_profile(&rig, PROFILE_11, LW_MAC_1_0_3, "eu868", NULL);
		rig_state_end(&rig);
		break;
	case OTHER_KEY: device.keys.s_nwk_s_int_key.bytes[0] ^= 1; break;
	case SESSION_OF_1_0:
		ns_session_at(&rig.ns.sessions, device_record->session)->flags &= (uint8_t)~NS_SESSION_1_1;
		break;
	case OTHER_JOIN_EUI: device.join_eui.bytes[7] ^= 1; break;
	case DISABLED: device_record->flags &= (uint8_t)~NS_DEVICE_ENABLED; break;
	case UNREGISTERED: device.dev_eui.bytes[7] ^= 0x40; break;
	case COUNT_AGAIN:
	case COUNT_OF_BEFORE: ns_session_at(&rig.ns.sessions, device_record->session)->rj_count0 = 8; break;
	default: break;
	}
}

static void each_refusal_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *row = &refusals[i];
		t_row(row->name);
		prepare(row);
		size_t joins_before = rig.join_count;
		uint16_t rj_count = row->change == COUNT_OF_BEFORE    ? 3
				    : row->change == COUNT_AT_ITS_END ? 65535
								      : 7;
		uint64_t drops = rig.ns.drops[row->drop];
		rig.report_count = 0;
		hear(1, encode(row->type, rig.config.net_id.value ^ (row->change == OTHER_NET_ID), rj_count));
		t_uint("asked", row->drop == NS_ACCEPTED, rig.join_count - joins_before);
		if (row->drop != NS_ACCEPTED)
			t_uint(ns_verdict(row->drop)->name, drops + 1, rig.ns.drops[row->drop]);
		struct rig_device then;
		if (row->drop == NS_ACCEPTED)
			say_yes(&then);
		rig_turn(&rig);
		if (row->told != NET_JOIN_VERDICT_COUNT) {
			t_true("told", rig.report_count > 0);
			const struct net_join_report *told = &rig.reports[rig.report_count - 1];
			t_str("verdict", net_join_row(row->told)->name, net_join_row(told->verdict)->name);
			if (row->drop != NS_ACCEPTED)
				t_int("what was asked", NET_REQUEST_REJOIN_0 + row->type, told->request);
		}
		rig_release(&rig);
	}
}

/* RJcount0 of one session, each with whether it is passed on. A restart in between changes nothing. */
static void rj_count_0_always_increases(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t type;
		uint16_t rj_count;
		bool restart, taken;
	} rows[] = {
		{"0 may be the first", 0, 0, false, true},
		{"0 again", 0, 0, false, false},
		{"0 again after a restart", 2, 0, true, false},
		{"type 2 counts with type 0", 2, 1, false, true},
		{"a gap", 0, 300, false, true},
		{"one in the gap, after a restart", 0, 299, true, false},
		{"the last that there is", 2, 65534, false, true},
		{"65,535 is never taken", 2, 65535, false, false},
		{"and there is no wrap", 2, 0, true, false},
	};
	setup(PROFILE_11);
	joins();
	size_t asked = rig.join_count;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		if (rows[i].restart)
			rig_restart(&rig);
		rejoin(rows[i].type, rows[i].rj_count);
		asked += rows[i].taken;
		t_uint("asked", asked, rig.join_count);
		rig_run(&rig, 20 * US_PER_S); /* nobody answers: the calls are made again, then given up */
		asked = rig.join_count;
	}
	t_row("a new session counts from 0, and its keys sign");
	rig_release(&rig);
	setup(PROFILE_11);
	joins();
	rejoin(0, 5);
	struct rig_device then;
	say_yes(&then);
	rig_run(&rig, 10 * US_PER_S);
	device = then;
	rejoin(0, 0);
	t_uint("asked", 3, rig.join_count);
	rig_release(&rig);
}

/* The old session goes on until the first uplink under the new one. */
static void the_old_session_goes_on_until_the_first_uplink(void **state)
{
	(void)state;
	for (uint8_t type = 0; type <= 2; type++) {
		t_row((const char *[]){"type 0", "type 1", "type 2"}[type]);
		setup(PROFILE_11);
		joins();
		rejoin(type, 0);
		struct rig_device then;
		say_yes(&then);
		rig_run(&rig, 10 * US_PER_S);
		unsigned events = rig_events_of(&rig, PROTO_UP_EVENT);
		uplink(&device, NULL, 0);
		t_uint("the accept was lost: the old one works", events + 1,
		       rig_events_of(&rig, PROTO_UP_EVENT));
		rig_restart(&rig);
		uplink(&device, NULL, 0);
		t_uint("after a restart too", events + 2, rig_events_of(&rig, PROTO_UP_EVENT));
		uplink(&then, (const uint8_t[]){0x0b, 1}, 2);
		t_uint("the new one", events + 3, rig_events_of(&rig, PROTO_UP_EVENT));
		uint8_t commands[LW_PHY_PAYLOAD_MAX], length = 0;
		struct lw_frame frame;
		t_true("answered with RekeyConf",
		       rig_last_downlink(&rig, &then, &frame, 0, commands, &length) && length >= 2 &&
			       commands[0] == 0x0b && commands[1] == 1);
		uplink(&device, NULL, 0);
		t_uint("the old one is over", events + 3, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("sessions", 1, rig.ns.sessions.slab.count);
		rig_release(&rig);
	}
}

/* The device is in a session under which no uplink has come, and hears no further accept: its rejoin-requests prove that session,
 * which stays, and each join event names it. */
static void a_session_that_a_rejoin_proved_stays(void **state)
{
	(void)state;
	setup(PROFILE_11);
	joins();
	rejoin(0, 0);
	struct rig_device then, lost;
	say_yes(&then);
	rig_run(&rig, 10 * US_PER_S);
	struct net_session_id its = ns_session_at(&rig.ns.sessions, record()->pending)->id;
	device = then;
	for (uint16_t i = 0; i < 5; i++) {
		rejoin(i % 2 ? 0 : 2, i);
		say_yes(&lost);
		const struct net_join_event *event = &rig.events[rig.event_count - 1].join_event;
		t_true("the session in use is named",
		       event->has_in_use && memcmp(event->in_use.bytes, its.bytes, sizeof its.bytes) == 0);
		rig_run(&rig, 10 * US_PER_S);
	}
	unsigned events = rig_events_of(&rig, PROTO_UP_EVENT);
	uplink(&device, NULL, 0);
	t_uint("its uplink is taken", events + 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("sessions", 2, rig.ns.sessions.slab.count);
	rig_release(&rig);
}

/* Its MIC proves the new keys, whether it says so with RekeyInd or not. */
static void a_first_uplink_without_rekey_ind_is_taken(void **state)
{
	(void)state;
	setup(PROFILE_11);
	joins();
	rejoin(0, 0);
	struct rig_device then;
	say_yes(&then);
	rig_run(&rig, 10 * US_PER_S);
	unsigned events = rig_events_of(&rig, PROTO_UP_EVENT);
	uplink(&then, NULL, 0);
	t_uint("delivered", events + 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("sessions", 1, rig.ns.sessions.slab.count);
	rig_release(&rig);
}

/* What the network knows of the device's radio: kept by type 2, begun anew by the others. */
static void what_of_the_radio_is_kept(void **state)
{
	(void)state;
	for (uint8_t type = 0; type <= 2; type++) {
		t_row((const char *[]){"type 0", "type 1", "type 2"}[type]);
		setup(PROFILE_11);
		joins();
		struct ns_session *session = ns_session_at(&rig.ns.sessions, record()->session);
		session->rx1_dr_offset = 1;
		session->rx2_freq_hz = 869100000;
		session->nb_trans = 3;
		session->mac.tx_power = 4;
		session->fcnt_up = 90;
		session->n_fcnt_down = 50;
		session->a_fcnt_down = 60;
		session->mac.question_length = 5;
		session->mac.question[0] = 0x03;
		rejoin(type, 4);
		struct rig_device then;
		say_yes(&then);
		const struct ns_session *now = ns_session_at(&rig.ns.sessions, record()->pending);
		bool kept = type == 2;
		t_uint("RX1DROffset", kept ? 1 : 0, now->rx1_dr_offset);
		t_uint("RX2", kept ? 869100000 : 869525000, now->rx2_freq_hz);
		t_uint("NbTrans", kept ? 3 : 1, now->nb_trans);
		t_uint("power", kept ? 4 : 0, now->mac.tx_power);
		t_uint("no question is in flight", 0, now->mac.question_length);
		t_uint("FCntUp", 0, now->fcnt_up);
		t_uint("NFCntDown", 0, now->n_fcnt_down);
		t_uint("AFCntDown", 0, now->a_fcnt_down);
		t_uint("RJcount0", 0, now->rj_count0);
		t_true("another id", memcmp(now->id.bytes, session->id.bytes, 16) != 0);
		rig_release(&rig);
	}
}

/* A copy that a slow backhaul brings is neither asked about twice nor a new session. */
static void copies_and_repeats(void **state)
{
	(void)state;
	setup(PROFILE_11);
	joins();
	uint8_t length = encode(0, rig.config.net_id.value, 0);
	rig_hears(&rig, 1, phy, length, 0);
	rig_hears(&rig, 2, phy, length, 0);
	rig_run(&rig, 250 * US_PER_MS);
	t_uint("one call for two copies", 2, rig.join_count);
	rig_hears(&rig, 2, phy, length, 0);
	rig_run(&rig, 400 * US_PER_MS);
	t_uint("a late one changes nothing", 2, rig.join_count);
	rig_run(&rig, 10 * US_PER_S);
	size_t asked = rig.join_count;
	hear(1, length);
	t_uint("nor does a repeat", asked, rig.join_count);
	t_uint("join_repeated", 1, rig.ns.drops[NS_DROP_JOIN_REPEATED]);
	rig_restart(&rig); /* who was heard is forgotten */
	hear(1, length);
	t_uint("nor does a replay", asked, rig.join_count);
	t_uint("rj_count", 1, rig.ns.drops[NS_DROP_RJ_COUNT]);
	rig_release(&rig);
}

/* Asked, then the server dies: the count is spent, the session is not. */
static void a_restart_between_request_and_answer(void **state)
{
	(void)state;
	setup(PROFILE_11);
	joins();
	rejoin(2, 0);
	uint32_t transaction = rig.joins[1].transaction;
	rig_restart(&rig);
	struct bi_message late = {.envelope = {.type = BI_REJOIN_ANS, .transaction_id = transaction}};
	ns_on_join_answer(&rig.ns, rig.now, transaction, &late);
	rig_turn(&rig);
	unsigned events = rig_events_of(&rig, PROTO_UP_EVENT);
	uplink(&device, NULL, 0);
	t_uint("the session goes on", events + 1, rig_events_of(&rig, PROTO_UP_EVENT));
	size_t asked = rig.join_count;
	rejoin(2, 0);
	t_uint("the count is spent", asked, rig.join_count);
	rejoin(2, 1);
	t_uint("the next is taken", asked + 1, rig.join_count);
	rig_release(&rig);
}

/* An order goes with the answer to the next uplink, survives a restart, and is done when the rejoin comes. */
static void an_order_is_sent_and_followed(void **state)
{
	(void)state;
	const struct net_force_rejoin wanted = {device.dev_eui, 2, 1, 3, true, 4};
	for (unsigned restart = 0; restart < 2; restart++) {
		t_row(restart ? "with a restart" : "without");
		setup(PROFILE_11);
		joins();
		struct net_force_rejoin of_it = wanted;
		of_it.dev_eui = device.dev_eui;
		ns_on_force_rejoin(&rig.ns, rig.now, &of_it);
		rig_turn(&rig);
		if (restart)
			rig_restart(&rig);
		size_t before = rig.downlink_count;
		uint8_t commands[LW_PHY_PAYLOAD_MAX], length = 0;
		struct lw_frame frame;
		uplink(&device, NULL, 0);
		t_uint("an answer", before + 1, rig.downlink_count);
		uint32_t fcnt = ns_session_at(&rig.ns.sessions, record()->session)->n_fcnt_down - 1;
		t_true("reads", rig_last_downlink(&rig, &device, &frame, fcnt, commands, &length));
		const uint8_t expected[] = {0x0e, 0x24, 0x0b}; /* type 2, DR4; period 1, retries 3 */
		bool found = false;
		for (uint8_t i = 0; i + sizeof expected <= length; i++)
			found |= memcmp(commands + i, expected, sizeof expected) == 0;
		t_true("with ForceRejoinReq", found);
		rejoin(2, 0);
		t_uint("the rejoin is asked for", 2, rig.join_count);
		t_uint("the order is done", 1, rig.ns.mac_counts[NS_MAC_FORCE_REJOIN].taken);
		rig_release(&rig);
	}
}

static void an_order_that_cannot_be(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum change change;
		enum ns_drop drop;
	} orders[] = {
		{"an unknown device", UNREGISTERED, NS_DROP_ORDER_UNKNOWN_DEVICE},
		{"a device without a session", NO_SESSION, NS_DROP_ORDER_NO_SESSION},
		{"a session of 1.0", SESSION_OF_1_0, NS_DROP_ORDER_NOT_TAKEN},
		{"a profile that answers none", NONE_ALLOWED, NS_DROP_ORDER_NOT_ALLOWED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		t_row(orders[i].name);
		prepare(&(struct refusal){.change = orders[i].change});
		ns_on_force_rejoin(&rig.ns, rig.now,
				   &(struct net_force_rejoin){.dev_eui = device.dev_eui, .rejoin_type = 2});
		t_uint(ns_verdict(orders[i].drop)->name, 1, rig.ns.drops[orders[i].drop]);
		rig_release(&rig);
	}
}

/* What the join server's refusals of a rejoin mean. */
static void refusals_of_the_join_server(void **state)
{
	(void)state;
	t_int("a count", NET_JOIN_RJ_COUNT,
	      ns_course_refusal(BI_JOIN_REQ_FAILED, "rj_count_not_increasing: 3, the last was 7"));
	t_int("a version", NET_JOIN_REJOIN_VERSION, ns_course_refusal(BI_JOIN_REQ_FAILED, "rejoin_not_1_1"));
	t_int("a network", NET_JOIN_REJOIN_NET_ID,
	      ns_course_refusal(BI_ACTIVATION_DISALLOWED, "rejoin_other_network"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_type_is_asked_for),
		t_test(each_refusal_has_its_verdict),
		t_test(rj_count_0_always_increases),
		t_test(the_old_session_goes_on_until_the_first_uplink),
		t_test(a_session_that_a_rejoin_proved_stays),
		t_test(a_first_uplink_without_rekey_ind_is_taken),
		t_test(what_of_the_radio_is_kept),
		t_test(copies_and_repeats),
		t_test(refusals_of_the_join_server),
		t_test(an_order_is_sent_and_followed),
		t_test(an_order_that_cannot_be),
		t_test(a_restart_between_request_and_answer),
	};
	return t_run(tests);
}
