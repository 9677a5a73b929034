/* Where an answer can go: gateways by margin and RSSI, windows, half duplex, airtime, length. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/airtime.h"
#include "network-server/downlink_plan.h"

static struct rig rig;
static struct ns_frame frame;

static struct ns_gateway *gateway(uint64_t number)
{
	struct lw_eui64 eui = rig_eui(number);
	return ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui));
}

static void heard(uint64_t number, int16_t snr_cdb, int16_t rssi_dbm)
{
	struct lw_eui64 eui = rig_eui(number);
	frame.copies[frame.copy_count++] = (struct ns_copy){
		.gateway = eui,
		.gateway_slot = ns_gateways_find(&rig.ns.gateways, &eui),
		.modulation = lw_region_data_rate(&rig.regions[0], LW_UP, 5)->modulation,
		.has_snr = true,
		.snr_cdb = snr_cdb,
		.rssi_dbm = rssi_dbm,
		.ticks = {1000},
		.arrival = rig.now.mono,
		.sent = rig.now.mono,
	};
}

static struct ns_windows windows_of(span_us rx1_delay)
{
	struct ns_windows windows = {
		.has_rx1 = true, .rx1 = {868100000, 5}, .rx2 = {869525000, 0}, .rx1_delay = rx1_delay};
	ns_windows_hearers(&windows, &frame);
	return windows;
}

static const struct row {
	const char *name;
	int16_t snr[2], rssi[2];  /* of gateways 1 and 2 */
	span_us rx1_delay, later; /* planned that much after the uplink */
	uint8_t length;
	bool busy, silent; /* gateway 1 transmits then; gateway 2 has no link */
	struct {
		uint64_t gateway;
		enum gw_window window;
	} expected[5]; /* until gateway 0 */
} orders[] = {
	{"the better margin first, RX1 before RX2",
	 {-500, 300},
	 {-110, -100},
	 5000000,
	 0,
	 20,
	 false,
	 false,
	 {{2, GW_RX1}, {1, GW_RX1}, {2, GW_RX2}, {1, GW_RX2}}},
	{"both clear: the stronger signal",
	 {1400, 900},
	 {-90, -60},
	 5000000,
	 0,
	 20,
	 false,
	 false,
	 {{2, GW_RX1}, {1, GW_RX1}, {2, GW_RX2}, {1, GW_RX2}}},
	{"RX1 can no longer be reached",
	 {500, 300},
	 {-80, -90},
	 1000000,
	 900000,
	 20,
	 false,
	 false,
	 {{1, GW_RX2}, {2, GW_RX2}}},
	{"nothing can be reached", {500, 300}, {-80, -90}, 1000000, 1990000, 20, false, false, {{0, GW_RX1}}},
	{"too long for RX2's data rate",
	 {500, 300},
	 {-80, -90},
	 5000000,
	 0,
	 100,
	 false,
	 false,
	 {{1, GW_RX1}, {2, GW_RX1}}},
	{"a gateway that transmits then is passed over",
	 {500, 300},
	 {-80, -90},
	 5000000,
	 0,
	 20,
	 true,
	 false,
	 {{2, GW_RX1}, {1, GW_RX2}, {2, GW_RX2}}},
	{"a gateway whose bridge is gone",
	 {500, 800},
	 {-80, -60},
	 5000000,
	 0,
	 20,
	 false,
	 true,
	 {{1, GW_RX1}, {1, GW_RX2}}},
};

static void order_of_attempts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		const struct row *row = &orders[i];
		rig_init(&rig);
		t_row(row->name);
		frame.copy_count = 0;
		heard(1, row->snr[0], row->rssi[0]);
		heard(2, row->snr[1], row->rssi[1]);
		struct ns_windows windows = windows_of(row->rx1_delay);
		struct mono now = mono_add(rig.now.mono, row->later);
		if (row->busy)
			ns_gateway_transmits(gateway(1), &rig.regions[0], 868500000, now,
					     mono_add(rig.now.mono, row->rx1_delay - 10000), 20000);
		if (row->silent)
			gateway(2)->link = 0;
		struct ns_plan plan;
		size_t count = 0;
		while (count < 5 && row->expected[count].gateway != 0)
			count++;
		t_int("any", count > 0,
		      ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways, now, row->length) ==
			      NS_ACCEPTED);
		t_uint("count", count, plan.count);
		for (size_t j = 0; j < count && j < plan.count; j++) {
			t_uint("gateway", row->expected[j].gateway,
			       lw_eui64_number(&plan.attempts[j].tx.gateway));
			t_int("window", row->expected[j].window, plan.attempts[j].tx.window);
			span_us delay = row->rx1_delay + (row->expected[j].window == GW_RX2 ? US_PER_S : 0);
			t_uint("counter", 1000 + (uint32_t)delay, plan.attempts[j].tx.ticks.us);
		}
		rig_release(&rig);
	}
}

static void spent_airtime_leaves_other_bands(void **state)
{
	(void)state;
	rig_init(&rig);
	frame.copy_count = 0;
	heard(1, 500, -80);
	struct ns_windows windows = windows_of(5 * US_PER_S);
	ns_gateway_transmits(gateway(1), &rig.regions[0], 868300000, rig.now.mono,
			     mono_add(rig.now.mono, -60 * US_PER_S), 36000000);
	struct ns_plan plan;
	t_int("a way is left", NS_ACCEPTED,
	      ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways, rig.now.mono, 20));
	t_uint("one", 1, plan.count);
	t_int("RX2, another sub-band", GW_RX2, plan.attempts[0].tx.window);
	ns_gateway_transmits(gateway(1), &rig.regions[0], 869525000, rig.now.mono,
			     mono_add(rig.now.mono, -600 * US_PER_S), 360000000);
	t_int("then none, for want of airtime", NS_DROP_DUTY_CYCLE,
	      ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways, rig.now.mono, 20));
	rig_release(&rig);
}

/* What one attempt is better by. Two gateways heard the device at that data rate and SNR. */
static void what_makes_an_attempt_better(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t dr; /* of the uplink; RX1 has the same */
		int16_t snr[2];
		span_us sent_for[2]; /* airtime of the gateways within the hour */
		span_us latency[2];  /* from PULL_RESP to TX_ACK, as measured; 0: not known */
		span_us left;        /* until RX1 */
		struct {
			uint64_t gateway;
			enum gw_window window;
		} expected;
	} rows[] = {
		{"a good link: the fast window", 5, {500, -600}, {0}, {0}, 800000, {1, GW_RX1}},
		{"a thin link: RX2 is slower, and louder by 13 dB",
		 5,
		 {-700, -740},
		 {0},
		 {0},
		 800000,
		 {1, GW_RX2}},
		{"at SF12 both are as slow: the louder one",
		 0,
		 {-1900, -2000},
		 {0},
		 {0},
		 800000,
		 {1, GW_RX2}},
		{"at SF12 with a good link the earlier one", 0, {0, -2000}, {0}, {0}, 800000, {1, GW_RX1}},
		{"equally good links: the one that has sent less",
		 5,
		 {800, 700},
		 {9000000, 3000000},
		 {0},
		 800000,
		 {2, GW_RX1}},
		{"a worse link is not taken for that",
		 5,
		 {800, -200},
		 {20000000, 0},
		 {0},
		 800000,
		 {1, GW_RX1}},
		{"a gateway that needs long is not asked in haste",
		 5,
		 {800, 700},
		 {0},
		 {500000, 50000},
		 520000,
		 {2, GW_RX1}},
		{"nor one that cannot make it", 5, {800, 700}, {0}, {600000, 50000}, 520000, {2, GW_RX1}},
		{"with time enough it is", 5, {800, 100}, {0}, {300000, 50000}, 520000, {1, GW_RX1}},
		{"RX2 where nobody makes RX1", 5, {800, 700}, {0}, {600000, 600000}, 520000, {1, GW_RX2}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		frame.copy_count = 0;
		for (uint64_t number = 1; number <= 2; number++) {
			heard(number, rows[i].snr[number - 1], -80);
			frame.copies[number - 1].modulation =
				lw_region_data_rate(&rig.regions[0], LW_UP, rows[i].dr)->modulation;
			if (rows[i].sent_for[number - 1])
				ns_gateway_transmits(gateway(number), &rig.regions[0], 868100000,
						     rig.now.mono, mono_add(rig.now.mono, -600 * US_PER_S),
						     (uint32_t)rows[i].sent_for[number - 1]);
			for (int j = 0; j < 4 && rows[i].latency[number - 1]; j++)
				ns_gateway_latency(gateway(number), rows[i].latency[number - 1]);
		}
		struct ns_windows windows = windows_of(5 * US_PER_S);
		windows.rx1.dr = rows[i].dr;
		struct ns_plan plan;
		t_int("some way", NS_ACCEPTED,
		      ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways,
				   mono_add(rig.now.mono, 5 * US_PER_S - rows[i].left), 20));
		t_uint("gateway", rows[i].expected.gateway, lw_eui64_number(&plan.attempts[0].tx.gateway));
		t_int("window", rows[i].expected.window, plan.attempts[0].window);
		rig_release(&rig);
	}
}

/* Answers to a device that two gateways hear equally well: each does about half of the work. */
static void equal_gateways_share_the_work(void **state)
{
	(void)state;
	unsigned of_first = 0;
	rig_init(&rig);
	for (int i = 0; i < 40; i++) {
		frame.copy_count = 0;
		heard(1, 900, -80);
		heard(2, 880, -81);
		struct ns_windows windows = windows_of(5 * US_PER_S);
		struct ns_plan plan;
		assert_int_equal(NS_ACCEPTED, ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways,
							   rig.now.mono, 50));
		const struct ns_attempt *best = &plan.attempts[0];
		uint64_t number = lw_eui64_number(&best->tx.gateway);
		of_first += number == 1;
		ns_gateway_transmits(gateway(number), &rig.regions[0], best->tx.freq_hz, rig.now.mono,
				     best->start, best->airtime_us);
		rig.now.mono = mono_add(rig.now.mono, 60 * US_PER_S);
	}
	t_true("each does its share", of_first >= 15 && of_first <= 25);
	rig_release(&rig);
}

/* A gateway transmits one frame at a time: the second device's goes by another gateway, the third's in RX2, and one more
 * by nobody. */
static void plans_that_meet_give_way(void **state)
{
	(void)state;
	static const struct {
		uint64_t gateway;
		enum gw_window window;
	} expected[] = {{1, GW_RX1}, {2, GW_RX1}, {1, GW_RX2}, {2, GW_RX2}};
	rig_init(&rig);
	struct ns_plan plan;
	for (size_t i = 0; i <= ARRAY_SIZE(expected); i++) {
		frame.copy_count = 0;
		heard(1, 900, -60);
		heard(2, 880, -80);
		struct ns_windows windows = windows_of(5 * US_PER_S);
		enum ns_drop drop = ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways,
						 rig.now.mono, 20);
		if (i == ARRAY_SIZE(expected)) {
			t_int("nobody is left", NS_DROP_GATEWAYS_BUSY, drop);
			break;
		}
		assert_int_equal(NS_ACCEPTED, drop);
		const struct ns_attempt *best = &plan.attempts[0];
		t_uint("gateway", expected[i].gateway, lw_eui64_number(&best->tx.gateway));
		t_int("window", expected[i].window, best->window);
		ns_gateway_transmits(gateway(expected[i].gateway), &rig.regions[0], best->tx.freq_hz,
				     rig.now.mono, best->start, best->airtime_us);
	}
	ns_gateway_is_free(gateway(2), plan.attempts[0].start);
	rig_release(&rig);
}

/* In a storm many accepts go out in RX2, on one channel at one data rate. Another gateway that the device hears about as well sends one
 * then: the device would read neither. */
static void accepts_that_drown_each_other(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_policy policy;
		int16_t rssi[2];
		uint32_t freq_hz; /* of the other gateway's frame */
		span_us later;    /* it begins so much after RX2 */
		uint8_t length;
		bool planned;
	} rows[] = {
		{"as strong at the device", NS_POLICY_STORM, {-100, -100}, 869525000, 0, 17, false},
		{"weaker by less than 6 dB", NS_POLICY_STORM, {-100, -105}, 869525000, 0, 17, false},
		{"weaker by 6 dB", NS_POLICY_STORM, {-100, -106}, 869525000, 0, 17, true},
		{"its end meets ours", NS_POLICY_STORM, {-100, -100}, 869525000, -900000, 17, false},
		{"its beginning does", NS_POLICY_STORM, {-100, -100}, 869525000, 900000, 17, false},
		{"long before", NS_POLICY_STORM, {-100, -100}, 869525000, -3000000, 17, true},
		{"long after", NS_POLICY_STORM, {-100, -100}, 869525000, 3000000, 17, true},
		{"on another channel", NS_POLICY_STORM, {-100, -100}, 868100000, 0, 17, true},
		{"of another length", NS_POLICY_STORM, {-100, -100}, 869525000, 0, 33, true},
		{"in calm nobody looks", NS_POLICY_USUAL, {-100, -100}, 869525000, 0, 17, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		rig_init(&rig);
		frame.copy_count = 0;
		heard(1, 900, rows[i].rssi[0]);
		heard(2, 900, rows[i].rssi[1]);
		struct ns_windows windows = windows_of(5 * US_PER_S);
		windows.policy = rows[i].policy;
		windows.storm_class = NS_STORM_USUAL;
		const struct lw_data_rate *slow = lw_region_data_rate(&rig.regions[0], LW_DOWN, 0);
		ns_gateway_transmits(gateway(2), &rig.regions[0], rows[i].freq_hz, rig.now.mono,
				     mono_add(rig.now.mono, 6 * US_PER_S + rows[i].later),
				     lw_airtime_us(&slow->modulation, LW_DOWN, rows[i].length));
		struct ns_plan plan;
		(void)ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways, rig.now.mono, 17);
		bool planned = false;
		for (uint8_t a = 0; a < plan.count; a++)
			planned |= plan.attempts[a].window == GW_RX2 &&
				   lw_eui64_number(&plan.attempts[a].tx.gateway) == 1;
		t_int("RX2 of the first gateway", rows[i].planned, planned);
		rig_release(&rig);
	}
}

/* A device that was heard at SF7 just above its floor hears one RX1 of two: where the hour of the sub-band is limited that takes the
 * airtime of another's answer. RX2 at SF12 it hears. */
static void accepts_that_would_hardly_be_heard(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum ns_policy policy;
		enum ns_storm_class which;
		uint8_t region, unheard;
		struct lw_rx_window rx1, rx2;
		int16_t snr_cdb; /* the floor of SF7 is -7.5 dB */
		bool rx1_planned, rx2_planned;
		uint8_t weak;
	} rows[] = {
#define EU868 {868100000, 5}, {869525000, 0}
		{"just above its floor", NS_POLICY_STORM, NS_STORM_USUAL, 0, 0, EU868, -700, false, true, 1},
		{"likely enough", NS_POLICY_STORM, NS_STORM_USUAL, 0, 0, EU868, -550, true, true, 0},
		{"likely enough, but it has not heard two", NS_POLICY_STORM, NS_STORM_USUAL, 0, 2, EU868,
		 -550, false, true, 1},
		{"who has joined before", NS_POLICY_STORM, NS_STORM_SERVED, 0, 0, EU868, -700, false, true,
		 1},
		{"who has asked in vain is not kept waiting", NS_POLICY_STORM, NS_STORM_PATIENT, 0, 0, EU868,
		 -700, true, true, 0},
		{"nor whom commands wait for", NS_POLICY_STORM, NS_STORM_COMMANDED, 0, 0, EU868, -700, true,
		 true, 0},
		{"in calm each is tried", NS_POLICY_USUAL, NS_STORM_USUAL, 0, 0, EU868, -700, true, true, 0},
		{"where no sub-band is limited as well",
		 NS_POLICY_STORM,
		 NS_STORM_USUAL,
		 1,
		 0,
		 {923300000, 13},
		 {923300000, 8},
		 -700,
		 true,
		 true,
		 0},
		{"neither window would do",
		 NS_POLICY_STORM,
		 NS_STORM_USUAL,
		 0,
		 0,
		 {868100000, 5},
		 {868300000, 5},
		 -700,
		 false,
		 false,
		 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		rig_init(&rig);
		frame.copy_count = 0;
		heard(1, rows[i].snr_cdb, -110);
		struct ns_windows windows = windows_of(5 * US_PER_S);
		windows.rx1 = rows[i].rx1;
		windows.rx2 = rows[i].rx2;
		windows.policy = rows[i].policy;
		windows.storm_class = rows[i].which;
		windows.unheard = rows[i].unheard;
		struct ns_plan plan;
		bool planned[2] = {false};
		enum ns_drop drop = ns_plan_make(&plan, &windows, &rig.regions[rows[i].region],
						 &rig.ns.gateways, rig.now.mono, 17);
		for (uint8_t a = 0; a < plan.count; a++)
			planned[plan.attempts[a].window == GW_RX2] = true;
		t_int("RX1", rows[i].rx1_planned, planned[0]);
		t_int("RX2", rows[i].rx2_planned, planned[1]);
		t_int("too weak", rows[i].weak, plan.why.weak);
		t_int("verdict", plan.count > 0 ? NS_ACCEPTED : NS_DROP_NO_GATEWAY, drop);
		rig_release(&rig);
	}
}

static void a_busy_span_and_its_neighbours(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us start, length;
		bool busy;
	} rows[] = {
		{"long before", 100000, 50000, false},
		{"ends well before", 900000, 90000, false},
		{"ends a moment before: within the guard", 900000, 97000, true},
		{"reaches into it", 900000, 150000, true},
		{"the same", 1000000, 100000, true},
		{"within", 1020000, 1000, true},
		{"begins a moment behind: within the guard", 1103000, 50000, true},
		{"begins well behind", 1106000, 50000, false},
	};
	struct ns_gateway busy = {0};
	rig_init(&rig);
	ns_gateway_transmits(&busy, &rig.regions[0], 868100000, (struct mono){0}, (struct mono){1000000},
			     100000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("busy", rows[i].busy,
		      ns_gateway_is_busy(&busy, (struct mono){rows[i].start}, rows[i].length));
	}
	t_row("what is over makes room, what is to come stays");
	for (int i = 0; i < NS_BUSY - 1; i++)
		ns_gateway_transmits(&busy, &rig.regions[0], 868100000, (struct mono){0},
				     (struct mono){(2 + i) * US_PER_S}, 100000);
	ns_gateway_transmits(&busy, &rig.regions[0], 868100000, (struct mono){0},
			     (struct mono){90 * US_PER_S}, 100000);
	t_true("the new one", ns_gateway_is_busy(&busy, (struct mono){90 * US_PER_S}, 1000));
	t_true("the next one", ns_gateway_is_busy(&busy, (struct mono){2 * US_PER_S}, 1000));
	t_false("the first", ns_gateway_is_busy(&busy, (struct mono){US_PER_S}, 1000));
	rig_release(&rig);
}

/* Where downlinks may last 400 ms, a slower window is none. */
static void dwell_time_of_downlinks(void **state)
{
	(void)state;
	rig_init(&rig);
	rig.regions[0].dwell.limit_ms = 400;
	frame.copy_count = 0;
	heard(1, 500, -80);
	struct ns_windows windows = windows_of(5 * US_PER_S);
	windows.dwell = true;
	struct ns_plan plan;
	t_int("a way is left", NS_ACCEPTED,
	      ns_plan_make(&plan, &windows, &rig.regions[0], &rig.ns.gateways, rig.now.mono, 20));
	t_uint("one", 1, plan.count);
	t_int("RX1 at SF7", GW_RX1, plan.attempts[0].window);
	rig_release(&rig);
}

static void lead_is_the_95th_percentile(void **state)
{
	(void)state;
	struct ns_gateway measured = {0};
	t_int("unknown", NS_LEAD_UNKNOWN, ns_gateway_lead(&measured));
	for (int i = 1; i <= 20; i++)
		ns_gateway_latency(&measured, i * US_PER_MS);
	t_int("of 20", 19 * US_PER_MS + NS_LEAD_EXTRA, ns_gateway_lead(&measured));
	ns_gateway_latency(&measured, -5);
	ns_gateway_latency(&measured, 3600 * US_PER_S);
	t_int("nonsense is not taken", 19 * US_PER_MS + NS_LEAD_EXTRA, ns_gateway_lead(&measured));
	for (int i = 0; i < NS_LATENCIES; i++)
		ns_gateway_latency(&measured, 8 * US_PER_S);
	t_int("a slow while does not put every window out of reach", NS_LATENCY_MOST + NS_LEAD_EXTRA,
	      ns_gateway_lead(&measured));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(order_of_attempts),
		t_test(what_makes_an_attempt_better),
		t_test(equal_gateways_share_the_work),
		t_test(plans_that_meet_give_way),
		t_test(accepts_that_drown_each_other),
		t_test(accepts_that_would_hardly_be_heard),
		t_test(a_busy_span_and_its_neighbours),
		t_test(dwell_time_of_downlinks),
		t_test(spent_airtime_leaves_other_bands),
		t_test(lead_is_the_95th_percentile),
	};
	return t_run(tests);
}
