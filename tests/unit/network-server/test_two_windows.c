/* RX1 and RX2 of one gateway in one message: what a gateway that takes both says of the one that it sent, and what its silence means. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/downlink.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

/* A confirmed uplink that gateways 1 to `gateways` heard, until its answer has left. */
static void answer(uint64_t gateways)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	for (uint64_t i = 1; i <= gateways; i++)
		rig_hears(&rig, i, phy, length, 0);
	rig_run(&rig, 4210 * US_PER_MS);
	assert_int_equal(1, rig.downlink_count);
}

static void say(uint8_t attempt, enum gw_tx_result result, const char *cause)
{
	rig_tx_ack_of(&rig, result, cause, attempt);
}

static void rx2_goes_along(void **state)
{
	(void)state;
	answer(2);
	const struct gw_downlink *sent = &rig.downlinks[0];
	t_uint("attempts", 2, sent->attempt_count);
	t_int("RX1", GW_RX1, sent->attempts[0].window);
	t_int("RX2", GW_RX2, sent->attempts[1].window);
	t_true("of the same gateway", lw_eui64_equal(&sent->attempts[0].gateway, &sent->attempts[1].gateway));
	t_int("a second later", US_PER_S, gw_ticks_since(sent->attempts[1].ticks, sent->attempts[0].ticks));
	t_row("a refusal of RX1 leaves RX2 to be tried");
	say(0, GW_TX_COLLISION_PACKET, "");
	t_uint("again", 2, rig.downlink_count);
	t_uint("the other gateway", 2, lw_eui64_number(&rig.downlinks[1].attempts[0].gateway));
	say(0, GW_TX_COLLISION_PACKET, "");
	t_uint("again", 3, rig.downlink_count);
	t_int("RX2", GW_RX2, rig.downlinks[2].attempts[0].window);
	t_uint("alone", 1, rig.downlinks[2].attempt_count);
	rig_release(&rig);
}

static void airtime_counts_where_it_was_sent(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t attempt;
	} rows[] = {{"in RX1", 0}, {"in RX2", 1}};
	uint64_t airtime[2];
	for (uint8_t i = 0; i < 2; i++) {
		t_row(rows[i].name);
		answer(1);
		const struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
		uint64_t booked = ns_gateway_airtime_us(gateway, rig.now.mono);
		rig_run(&rig, 3 * US_PER_S);
		say(rows[i].attempt, GW_TX_OK, "");
		airtime[i] = ns_gateway_airtime_us(gateway, rig.now.mono);
		t_uint("over", 0, rig.ns.downlinks.count);
		t_uint("nothing more is sent", 1, rig.downlink_count);
		if (i == 0)
			t_uint("as it was booked", booked, airtime[0]);
		rig_restart(&rig);
		uint64_t kept = ns_gateway_airtime_us(ns_gateways_at(&rig.ns.gateways, 0), rig.now.mono);
		t_true("and after a restart", kept >= airtime[i] && kept < airtime[i] + booked);
		rig_release(&rig);
	}
	t_true("SF12 takes longer", airtime[1] > 10 * airtime[0]);
}

static void silence_is_judged_by_who_is_silent(void **state)
{
	(void)state;
	static const struct {
		const char *name, *cause;
		uint64_t counted; /* as not sent */
	} rows[] = {
		{"one that has no word for it", "", 0},
		{"one that tells whatever it sends", "no_dntxed", 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		answer(1);
		rig_run(&rig, 6 * US_PER_S);
		t_uint("its bridge is waited for", 1, rig.ns.downlinks.count);
		say(0, GW_TX_NO_ANSWER, rows[i].cause);
		t_uint("over", 0, rig.ns.downlinks.count);
		t_uint("counted", rows[i].counted, rig.ns.drops[NS_DROP_TX_SILENT]);
		t_uint("counted as sent", 1 - rows[i].counted, rig.ns.downlinks_acked);
		rig_release(&rig);
	}
	t_row("a connection that broke in time leaves it to another gateway");
	answer(2);
	say(0, GW_TX_NO_ANSWER, "station_cut");
	t_uint("again", 2, rig.downlink_count);
	t_uint("the other gateway", 2, lw_eui64_number(&rig.downlinks[1].attempts[0].gateway));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(rx2_goes_along),
		t_test(airtime_counts_where_it_was_sent),
		t_test(silence_is_judged_by_who_is_silent),
	};
	return t_run(tests);
}
