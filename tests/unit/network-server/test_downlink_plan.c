/* Where an answer can go: gateways by margin and RSSI, windows, half duplex, airtime, length. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

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
} rows[] = {
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
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(order_of_attempts),
		t_test(spent_airtime_leaves_other_bands),
		t_test(lead_is_the_95th_percentile),
	};
	return t_run(tests);
}
