/* Counters of 16 and 32 bits, devices that begin theirs again, repeats beyond NbTrans, counters used up. Complaint numbers are those
 * of users of other network servers that each test stands for. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include <string.h>

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

enum {
	PROFILE_103,
	PROFILE_16,
	PROFILE_16_104,
	PROFILE_RESET,
	PROFILE_104,
	PROFILE_LATE,
	PROFILE_RESET_104,
	PROFILE_HOUR
};

static void is_16_bit(struct net_profile *profile)
{
	profile->fcnt_16_bit = true;
}

static void may_restart(struct net_profile *profile)
{
	profile->allow_fcnt_reset = true;
}

static void adapts(struct net_profile *profile)
{
	profile->adr = true;
}

static void takes_late(struct net_profile *profile)
{
	profile->late_uplink_s = 50;
}

static void takes_an_hour(struct net_profile *profile)
{
	profile->late_uplink_s = 3600;
}

static void setup(uint8_t profile)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_16, LW_MAC_1_0_3, "eu868", is_16_bit);
	rig_profile(&rig, PROFILE_16_104, LW_MAC_1_0_4, "eu868", is_16_bit);
	rig_profile(&rig, PROFILE_RESET, LW_MAC_1_0_3, "eu868", may_restart);
	rig_profile(&rig, PROFILE_RESET_104, LW_MAC_1_0_4, "eu868", may_restart);
	rig_profile(&rig, PROFILE_104, LW_MAC_1_0_4, "eu868", adapts);
	rig_profile(&rig, PROFILE_LATE, LW_MAC_1_0_4, "eu868", takes_late);
	rig_profile(&rig, PROFILE_HOUR, LW_MAC_1_0_4, "eu868", takes_an_hour);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, profile, 0x26000001, false);
}

static struct ns_session *session(void)
{
	return ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session);
}

static void send(uint32_t fcnt, const struct rig_frame *frame)
{
	device.fcnt_up = fcnt;
	uint8_t length = rig_uplink(&rig, &device, frame, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

static void send_reading(uint32_t fcnt)
{
	send(fcnt, &(struct rig_frame){.fport = 1, .payload = (const uint8_t[]){(uint8_t)fcnt}, .length = 1});
}

static const struct net_up_event *last_up(void)
{
	for (size_t i = rig.event_count; i-- > 0;)
		if (rig.events[i].kind == PROTO_UP_EVENT)
			return &rig.events[i].up_event;
	return NULL;
}

static void sixteen_and_thirty_two_bits(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		uint32_t next; /* of the session */
		uint32_t sent; /* as the device's keys have it */
		enum ns_drop expected;
		uint32_t next_after;
	} rows[] = {
		{"0 follows 65,535", PROFILE_16, 0x10000, 0, NS_ACCEPTED, 0x10001},
		{"the second round goes on", PROFILE_16, 0x10005, 7, NS_ACCEPTED, 0x10008},
		{"65,535 of the second round", PROFILE_16, 0x1ffff, 65535, NS_ACCEPTED, 0x20000},
		{"over the end of a round with some missing", PROFILE_16, 65530, 3, NS_ACCEPTED, 0x10004},
		{"a counter of the round before", PROFILE_16, 0x10005, 65530, NS_DROP_FCNT_OLD, 0x10005},
		{"16,385 are missing", PROFILE_16, 0x10000, 16385, NS_DROP_FCNT_GAP, 0x10000},
		{"a device of 32 bits is none of 16", PROFILE_16, 0x10000, 0x10000, NS_DROP_MIC, 0x10000},
		{"a device of 16 bits whose profile says nothing of it", PROFILE_103, 0x10000, 0,
		 NS_DROP_FCNT_RESET, 0x10000},
		{"the same in its second frame", PROFILE_103, 0x10000, 1, NS_DROP_FCNT_RESET, 0x10000},
		{"1.0.4 knows 32 bits alone", PROFILE_16_104, 0x10000, 0x10000, NS_ACCEPTED, 0x10001},
		{"1.0.4 after 40,000 frames that nobody heard", PROFILE_104, 100000, 140000, NS_ACCEPTED,
		 140001},
		{"1.0.3 after as many", PROFILE_103, 100000, 140000, NS_DROP_FCNT_GAP, 100000},
		{"1.0.3 after 16,384", PROFILE_103, 100000, 116384, NS_ACCEPTED, 116385},
		{"1.0.4 with 16 bits began again", PROFILE_16_104, 0x10000, 5, NS_DROP_FCNT_RESET, 0x10000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		session()->fcnt_up = rows[i].next;
		send_reading(rows[i].sent);
		bool accepted = rows[i].expected == NS_ACCEPTED;
		if (t_uint("events", accepted, rig_events_of(&rig, PROTO_UP_EVENT)) && accepted) {
			t_uint("counter of the event", rows[i].sent, last_up()->fcnt_up);
			t_false("a restart", last_up()->restarted);
		}
		if (!accepted)
			t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		t_uint("next", rows[i].next_after, session()->fcnt_up);
		rig_release(&rig);
	}
}

static void downlinks_of_16_bits(void **state)
{
	(void)state;
	setup(PROFILE_16);
	t_row("the answer's counter has 16 bits");
	session()->fcnt_up = 9;
	session()->n_fcnt_down = 0x10003;
	send(9, &(struct rig_frame){.fport = 1, .confirmed = true});
	struct lw_frame frame;
	uint8_t commands[LW_PHY_PAYLOAD_MAX], length;
	assert_int_equal(rig.downlink_count, 1);
	t_true("MIC with the upper half 0", rig_last_downlink(&rig, &device, &frame, 3, commands, &length));
	t_uint("counter", 3, frame.fcnt);
	t_uint("next in the event", 3, last_up()->next_fcnt_down);
	t_uint("ours goes on", 0x10004, session()->n_fcnt_down);
	t_row("the width outlasts a crash");
	rig_restart(&rig);
	t_true("16 bits", session()->flags & NS_SESSION_FCNT_16);
	send_reading(10);
	t_uint("next", 11, session()->fcnt_up);
	rig_release(&rig);
}

/* Complaints 21 and 25: devices that begin again at power-up. */
static void what_a_restart_takes_with_it(void **state)
{
	(void)state;
	setup(PROFILE_RESET);
	struct ns_session *at = session();
	at->fcnt_up = 500;
	at->n_fcnt_down = 40;
	at->nb_trans = 3;
	at->mac.tx_power = 4;
	at->mac.refused_drs = 0x20;
	at->adr.count = 7;
	at->flags |= NS_SESSION_STICKY;
	at->repeats = 2;
	at->seen[0] = at->seen[1] = UINT64_MAX;
	uint32_t tag = at->tag;
	send_reading(2);
	t_row("a restart that is allowed");
	t_uint("events", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_true("said in the event", last_up()->restarted);
	t_uint("counted", 1, rig.ns.counter_restarts);
	t_uint("next counter", 3, at->fcnt_up);
	t_uint("NbTrans as it boots", 1, at->nb_trans);
	t_uint("power as it boots", 0, at->mac.tx_power);
	t_uint("nothing refused", 0, at->mac.refused_drs);
	t_uint("ADR begins anew", 1, at->adr.count);
	t_uint("repeats", 0, at->repeats);
	t_false("no answer is owed", at->flags & NS_SESSION_STICKY);
	t_uint("of the counters of before none is seen", 1, at->seen[0]);
	t_uint("nor further back", 0, at->seen[1]);
	t_true("a session of its own in the journal", at->tag != tag);
	t_true("the downlink counter goes on", at->n_fcnt_down >= 40);
	t_row("the next frame is nothing special");
	send_reading(3);
	t_uint("events", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	t_false("a restart", last_up()->restarted);
	t_uint("counted", 1, rig.ns.counter_restarts);
	t_row("a crash does not forget it");
	rig_restart(&rig);
	t_uint("next counter", 4, session()->fcnt_up);
	send_reading(4);
	t_uint("events", 3, rig_events_of(&rig, PROTO_UP_EVENT));
	t_false("a restart", last_up()->restarted);
	rig_release(&rig);
}

static void who_may_restart(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		bool ack;
		enum ns_drop expected;
	} rows[] = {
		{"1.0.3, allowed", PROFILE_RESET, false, NS_ACCEPTED},
		{"1.0.3, not allowed", PROFILE_103, false, NS_DROP_FCNT_RESET},
		{"1.0.4 must not, whatever its profile says", PROFILE_RESET_104, false, NS_DROP_FCNT_RESET},
		{"one that begins again has heard nothing to acknowledge", PROFILE_RESET, true,
		 NS_DROP_FCNT_RESET},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		session()->fcnt_up = 70000;
		send(0, &(struct rig_frame){.fport = 1, .ack = rows[i].ack});
		t_uint("events", rows[i].expected == NS_ACCEPTED, rig_events_of(&rig, PROTO_UP_EVENT));
		if (rows[i].expected != NS_ACCEPTED)
			t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		rig_release(&rig);
	}
}

static void what_is_taken_for_a_restart(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t sent;
		enum ns_drop expected;
	} rows[] = {
		{"one of the last 128: a backhaul brought it late", 450, NS_DROP_FCNT_OLD},
		{"the last of those", 372, NS_DROP_FCNT_OLD},
		{"further back", 371, NS_ACCEPTED},
		{"one of the first eight", 7, NS_ACCEPTED},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(PROFILE_RESET);
		t_row(rows[i].name);
		session()->fcnt_up = 500;
		send_reading(rows[i].sent);
		t_uint("restarts", rows[i].expected == NS_ACCEPTED, rig.ns.counter_restarts);
		t_uint("dropped", rows[i].expected != NS_ACCEPTED, rig.ns.drops[NS_DROP_FCNT_OLD]);
		rig_release(&rig);
	}
	setup(PROFILE_RESET);
	t_row("one of the first eight, few frames later");
	session()->fcnt_up = 12;
	send_reading(7);
	t_uint("restarts", 1, rig.ns.counter_restarts);
	rig_release(&rig);
}

/* Complaint 25: with the check off, one replayed frame shut a sensor out for good. */
static void a_replay_does_not_shut_a_sensor_out(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint32_t replayed, sent;
	} rows[] = {
		{"set back by half a round", 40000, 70000},
		{"set back by more than the gap", 100, 30000},
		{"set back by a round", 100, 70000},
		{"set back by three rounds", 5, 200000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(PROFILE_RESET);
		t_row(rows[i].name);
		session()->fcnt_up = rows[i].sent;
		send_reading(rows[i].replayed);
		t_true("the replay is taken for a restart", last_up() && last_up()->restarted);
		send_reading(rows[i].sent);
		t_uint("the sensor is heard", 2, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("next", rows[i].sent + 1, session()->fcnt_up);
		rig_release(&rig);
	}
}

/* Complaint 25: NbTrans above 1 is no error. */
static void repeats_and_nb_trans(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile, nb_trans, repeats;
		bool adr, confirmed;
		unsigned answered;
	} rows[] = {
		{"1.0.4, set by the network: NbTrans in all", PROFILE_104, 3, 5, true, true, 2},
		{"1.0.4, unconfirmed likewise", PROFILE_104, 2, 3, true, false, 1},
		{"1.0.4, one transmission", PROFILE_104, 1, 2, true, true, 0},
		{"1.0.4 with ADR off sets it itself", PROFILE_104, 1, 6, false, true, 6},
		{"1.0.4, the network does not set it", PROFILE_LATE, 1, 6, true, true, 6},
		{"1.0.3, a confirmed frame: 8", PROFILE_103, 1, 10, true, true, 8},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		struct rig_frame frame = {.fport = 1,
					  .adr = rows[i].adr,
					  .confirmed = rows[i].confirmed,
					  .payload = phy,
					  .length = 0};
		session()->nb_trans = rows[i].nb_trans;
		send(0, &frame);
		for (unsigned n = 0; n < rows[i].repeats; n++) {
			session()->nb_trans = rows[i].nb_trans;
			send(0, &frame);
		}
		t_uint("delivered once", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("repeats answered", rows[i].answered, rig.ns.drops[NS_DROP_REPEATED]);
		t_uint("dropped", rows[i].repeats - rows[i].answered, rig.ns.drops[NS_DROP_REPEAT_LIMIT]);
		t_uint("no counter twice", 0, rig.counters_repeated);
		rig_release(&rig);
	}
}

static void counters_are_used_up(void **state)
{
	(void)state;
	setup(PROFILE_104);
	t_row("the last uplink counter is none");
	session()->fcnt_up = UINT32_MAX - 1;
	send_reading(UINT32_MAX);
	t_uint("events", 0, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("fcnt_exhausted", 1, rig.ns.drops[NS_DROP_FCNT_EXHAUSTED]);
	t_row("nor the last downlink counter");
	session()->n_fcnt_down = UINT32_MAX;
	send(UINT32_MAX - 1, &(struct rig_frame){.fport = 1, .confirmed = true});
	t_uint("events", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("downlinks", 0, rig.downlink_count);
	t_uint("fcnt_down_exhausted", 1, rig.ns.drops[NS_DROP_FCNT_DOWN_EXHAUSTED]);
	rig_release(&rig);
}

/* Complaint 29: readings that a gateway kept while its backhaul was down. */
static void late_readings(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		uint32_t fcnt;
		int late_s;
		bool token;
		enum ns_drop expected;
	} rows[] = {
		{"kept by a gateway with a token", PROFILE_LATE, 15, 30, true, NS_ACCEPTED},
		{"kept for longer than the profile takes", PROFILE_LATE, 15, 100, true, NS_DROP_LATE_REFUSED},
		{"kept for longer than any backhaul holds a frame", PROFILE_LATE, 15, 300, true,
		 NS_DROP_LATE_REFUSED},
		{"kept as long, and the profile takes it", PROFILE_HOUR, 15, 300, true, NS_ACCEPTED},
		{"kept for 42 minutes", PROFILE_HOUR, 15, 2500, true, NS_ACCEPTED},
		{"kept for longer than the gateway's counter tells", PROFILE_HOUR, 15, 3500, true,
		 NS_DROP_LATE_REFUSED},
		{"from a gateway that does not prove who it is", PROFILE_LATE, 15, 30, false,
		 NS_DROP_LATE_REFUSED},
		{"the profile takes none", PROFILE_104, 15, 30, true, NS_DROP_FCNT_OLD},
		{"one that was delivered already", PROFILE_LATE, 20, 30, true, NS_DROP_FCNT_OLD},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(rows[i].profile);
		t_row(rows[i].name);
		rig_state_begin(&rig, false);
		rig_gateway(&rig, 1, "eu868", rows[i].token);
		rig_state_end(&rig);
		session()->fcnt_up = 20;
		send_reading(20);
		send_reading(21);
		rig_run(&rig, 1000 * US_PER_S);
		device.fcnt_up = rows[i].fcnt;
		uint8_t length = rig_uplink(&rig, &device,
					    &(struct rig_frame){.confirmed = true,
								.fport = 1,
								.fopts = (const uint8_t[]){0x02},
								.fopts_length = 1},
					    phy);
		size_t downlinks = rig.downlink_count;
		int64_t sent = rig.now.wall.us - rows[i].late_s * US_PER_S;
		rig_hears(&rig, 1, phy, length, rows[i].late_s * US_PER_S);
		rig_run(&rig, 10 * US_PER_S);
		bool accepted = rows[i].expected == NS_ACCEPTED;
		if (t_uint("events", 2u + accepted, rig_events_of(&rig, PROTO_UP_EVENT)) && accepted) {
			t_true("marked", last_up()->late);
			t_int("when it was on the air, to the second", 0,
			      (last_up()->head.time.us - sent) / US_PER_S);
			t_uint("its counter", rows[i].fcnt, last_up()->fcnt_up);
		}
		if (!accepted)
			t_uint(ns_verdict(rows[i].expected)->name, 1, rig.ns.drops[rows[i].expected]);
		t_uint("no answer, not even to LinkCheckReq", downlinks, rig.downlink_count);
		t_uint("the counter stays", 22, session()->fcnt_up);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(sixteen_and_thirty_two_bits),
		t_test(downlinks_of_16_bits),
		t_test(what_a_restart_takes_with_it),
		t_test(who_may_restart),
		t_test(what_is_taken_for_a_restart),
		t_test(a_replay_does_not_shut_a_sensor_out),
		t_test(repeats_and_nb_trans),
		t_test(counters_are_used_up),
		t_test(late_readings),
	};
	return t_run(tests);
}
