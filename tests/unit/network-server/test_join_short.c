/* Accepts without their CFList in a storm, what is owed for it afterwards; and by what price and limits a storm's accepts are planned. */
#include "tests/harness/harness.h"
#include "tests/harness/storm_rig.h"

#include "common/lorawan/airtime.h"
#include "network-server/join_short.h"
#include "network-server/join_storm.h"

static struct storm_rig city;

static uint32_t slot_of(uint64_t number)
{
	struct lw_eui64 eui = rig_eui(number);
	return ns_gateways_find(&city.rig.ns.gateways, &eui);
}

static void the_cflist_stays_at_home(void **state)
{
	static const struct {
		const char *name;
		bool storm, first_come, fixed, no_limit;
		uint8_t type;
		bool is_short;
	} rows[] = {
		{"in a storm", true, false, false, false, LW_JOIN_REQ_TYPE_JOIN, true},
		{"in calm", false, false, false, false, LW_JOIN_REQ_TYPE_JOIN, false},
		{"planning of storms is switched off", true, true, false, false, LW_JOIN_REQ_TYPE_JOIN,
		 false},
		{"a fixed plan", true, false, true, false, LW_JOIN_REQ_TYPE_JOIN, false},
		{"nothing limits what a gateway sends", true, false, false, true, LW_JOIN_REQ_TYPE_JOIN,
		 false},
		{"a rejoin", true, false, false, false, 0, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		storm_rig_init(&city, rows[i].first_come);
		city.rig.ns.storm.on = rows[i].storm;
		if (rows[i].fixed)
			city.rig.regions[0].plan_type = LW_PLAN_FIXED;
		struct ns_join join = {.type = rows[i].type,
				       .windows = {.has_rx1 = true, .rx1 = {868100000, 5}}};
		if (rows[i].no_limit)
			join.windows.rx1.freq_hz = 902300000;
		t_true("short", ns_short_accept(&city.rig.ns, &join) == rows[i].is_short);
		storm_rig_release(&city);
	}
}

static void the_join_server_is_told(void **state)
{
	(void)state;
	storm_rig_init(&city, false);
	storm_rig_all_ask(&city, 5);
	t_true("storm", city.rig.ns.storm.on);
	rig_run(&city.rig, 20 * US_PER_S);
	size_t before = city.rig.join_count;
	storm_rig_asks(&city, 0, 1, 5);
	rig_run(&city.rig, 250 * US_PER_MS);
	t_uint("asked", before + 1, city.rig.join_count);
	t_true("without a CFList", !city.rig.joins[before % RIG_SENT_MAX].request.has_cflist);
	storm_rig_release(&city);
}

static void the_debt_is_paid_slowly(void **state)
{
	static const struct {
		const char *name;
		uint64_t storms;
		bool on;
		span_us since, later; /* the storm's end; the second frame */
		bool first, second, other;
	} rows[] = {
		{"there never was a storm", 0, false, 0, 0, true, true, true},
		{"in a storm", 1, true, 0, 30 * US_PER_S, false, false, false},
		{"after it, at once again", 1, false, US_PER_S, 0, true, false, true},
		{"not quite a pause later", 1, false, US_PER_S, NS_SHORT_PAUSE - 1, true, false, true},
		{"a pause later", 1, false, US_PER_S, NS_SHORT_PAUSE, true, true, true},
		{"a day later all is as ever", 1, false, NS_SHORT_DEBT + 1, 0, true, true, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		storm_rig_init(&city, false);
		struct ns *ns = &city.rig.ns;
		struct now now = city.rig.now;
		ns->storm.storms = rows[i].storms;
		ns->storm.on = rows[i].on;
		ns->storm.until = mono_add(now.mono, -rows[i].since);
		t_true("the first frame", ns_short_pays(ns, now, slot_of(1)) == rows[i].first);
		t_true("through another gateway", ns_short_pays(ns, now, slot_of(2)) == rows[i].other);
		now.mono = mono_add(now.mono, rows[i].later);
		t_true("the second frame", ns_short_pays(ns, now, slot_of(1)) == rows[i].second);
		storm_rig_release(&city);
	}
}

/* Waves of short answers pass where a long one has to wait. */
static void short_answers_come_in_waves(void **state)
{
	static const struct {
		const char *name;
		uint32_t airtime_us;
		int64_t share_us;
		enum ns_storm_class which;
		enum ns_drop drop;
	} rows[] = {
		{"a long one at a gateway that rests", 1155000, 0, NS_STORM_USUAL, NS_ACCEPTED},
		{"a long one, and it would be too much", 1155000, 2900000, NS_STORM_USUAL,
		 NS_DROP_GATEWAYS_BUSY},
		{"the same for one that is patient", 1155000, 2900000, NS_STORM_PATIENT, NS_ACCEPTED},
		{"a short one then", 47000, 2900000, NS_STORM_USUAL, NS_ACCEPTED},
		{"a short one in a wave", 47000, 19000000, NS_STORM_USUAL, NS_ACCEPTED},
		{"a short one when the wave is too long", 47000, 19990000, NS_STORM_USUAL,
		 NS_DROP_GATEWAYS_BUSY},
		{"one that has joined before waits sooner", 47000, 10000000, NS_STORM_SERVED,
		 NS_DROP_GATEWAYS_BUSY},
	};
	(void)state;
	storm_rig_init(&city, false);
	struct ns_gateway *gateway = ns_gateways_at(&city.rig.ns.gateways, slot_of(1));
	struct mono now = city.rig.now.mono;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		gateway->share_us = rows[i].share_us;
		gateway->share_at = now;
		t_int("verdict", rows[i].drop,
		      ns_policy_admits(ns_policy(NS_POLICY_STORM), rows[i].which, gateway,
				       &city.rig.regions[0], 869525000, now, mono_add(now, 6 * US_PER_S),
				       rows[i].airtime_us));
	}
	gateway->share_us = 1100000;
	t_int("it leaks away at eleven per cent of the time", 0,
	      ns_gateway_share(gateway, mono_add(now, 10 * US_PER_S)));
	t_int("and not sooner", 110000, ns_gateway_share(gateway, mono_add(now, 9 * US_PER_S)));
	storm_rig_release(&city);
}

/* Half of those are heard whose margin is nothing: the same answer costs twice. */
static void a_doubtful_link_is_dear(void **state)
{
	static const struct {
		const char *name;
		int32_t margin_cdb, percent;
	} rows[] = {
		{"far below what is heard", -2000, 7},
		{"4 dB below", -400, 7},
		{"3 dB below", -300, 15},
		{"nothing to spare", 0, 50},
		{"1 dB", 100, 63},
		{"2 dB", 200, 77},
		{"5 dB", 500, 96},
		{"6 dB", 600, 99},
		{"plenty", 1000, 99},
	};
	(void)state;
	storm_rig_init(&city, false);
	const struct ns_gateway *gateway = ns_gateways_at(&city.rig.ns.gateways, slot_of(1));
	struct mono now = city.rig.now.mono;
	int64_t sure = -ns_policy_score(gateway, &city.rig.regions[0], 868100000, now, 1000000, 1000) * 99;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		int64_t price = -ns_policy_score(gateway, &city.rig.regions[0], 868100000, now, 1000000,
						 rows[i].margin_cdb);
		t_int("chance, percent", rows[i].percent, (sure + price / 2) / price);
	}
	storm_rig_release(&city);
}

/* Another gateway that is heard as well sends at the same data rate then. */
static void two_accepts_do_not_meet(void **state)
{
	static const struct {
		const char *name;
		int16_t other_rssi_dbm;
		uint32_t freq_hz;
		span_us after; /* its start, from RX2's */
		uint32_t longer_us;
		enum ns_policy policy;
		bool rx2;
	} rows[] = {
		{"nearly as strong", -105, 869525000, 0, 0, NS_POLICY_STORM, false},
		{"begins during it", -105, 869525000, 900000, 0, NS_POLICY_STORM, false},
		{"it is over by then", -105, 869525000, -1500000, 0, NS_POLICY_STORM, true},
		{"6 dB weaker", -106, 869525000, 0, 0, NS_POLICY_STORM, true},
		{"on another channel", -105, 868100000, 0, 0, NS_POLICY_STORM, true},
		{"at another data rate", -105, 869525000, 0, 300000, NS_POLICY_STORM, true},
		{"in calm", -105, 869525000, 0, 0, NS_POLICY_USUAL, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		storm_rig_init(&city, false);
		struct ns *ns = &city.rig.ns;
		struct mono now = city.rig.now.mono, rx2 = mono_add(now, 6 * US_PER_S);
		struct ns_windows windows = {
			.policy = rows[i].policy, .storm_class = NS_STORM_USUAL, .rx2 = {869525000, 0}};
		windows.rx1_delay = 5 * US_PER_S;
		windows.count = 2;
		windows.by[0] = (struct ns_hearer){.gateway = slot_of(1),
						   .sent = now,
						   .has_snr = true,
						   .snr_cdb = -500,
						   .bandwidth_hz = 125000,
						   .rssi_dbm = -100};
		windows.by[1] = windows.by[0];
		windows.by[1].gateway = slot_of(2);
		windows.by[1].rssi_dbm = rows[i].other_rssi_dbm;
		uint32_t airtime_us = lw_airtime_us(
			&lw_region_data_rate(&city.rig.regions[0], LW_DOWN, 0)->modulation, LW_DOWN, 17);
		ns_gateway_transmits(ns_gateways_at(&ns->gateways, slot_of(2)), &city.rig.regions[0],
				     rows[i].freq_hz, now, mono_add(rx2, rows[i].after),
				     airtime_us + rows[i].longer_us);
		struct ns_plan plan;
		(void)ns_plan_make(&plan, &windows, &city.rig.regions[0], &ns->gateways, now, 17);
		bool by_first = false;
		for (uint8_t a = 0; a < plan.count; a++)
			by_first |= plan.attempts[a].hearer == 0;
		t_true("the first gateway sends in RX2", by_first == rows[i].rx2);
		storm_rig_release(&city);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_cflist_stays_at_home), t_test(the_join_server_is_told),
		t_test(the_debt_is_paid_slowly),  t_test(short_answers_come_in_waves),
		t_test(a_doubtful_link_is_dear),  t_test(two_accepts_do_not_meet),
	};
	return t_run(tests);
}
