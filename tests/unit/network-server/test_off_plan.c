/* Gateways that hear frequencies outside the network's plan: when that is raised, what does not raise it, and that it ends by
 * itself. On the whole core with a virtual clock: foreign frames are counted before they are dropped. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/why/record.h"

#include <string.h>

#define EU_GATEWAY 1
#define US_GATEWAY 3 /* its plan: 8-15,65 */

static struct rig rig;

static struct ns_gateway *gateway(uint64_t number)
{
	struct lw_eui64 eui = rig_eui(number);
	return ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui));
}

/* A frame of another network; `number` makes it different from others. */
static uint8_t foreign(uint8_t *phy, uint32_t number)
{
	struct lw_frame frame = {
		.ftype = LW_UNCONFIRMED_UP, .dev_addr = {0x01020304}, .fcnt = (uint16_t)number};
	memcpy(frame.mic.bytes, &number, sizeof number);
	return (uint8_t)lw_frame_encode(&frame, phy, LW_PHY_PAYLOAD_MAX);
}

static uint32_t frames_made;

static void hears(uint64_t number, uint32_t freq_hz, unsigned times, span_us apart)
{
	for (unsigned i = 0; i < times; i++) {
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		uint8_t length = foreign(phy, ++frames_made);
		rig_hears_on(&rig, number, phy, length, 0, freq_hz, number == US_GATEWAY ? 3 : 5, 500);
		rig_run(&rig, apart);
	}
}

static void another_sub_band(void **state)
{
	(void)state;
	char text[NS_OFF_PLAN_TEXT];
	rig_init(&rig);
	t_row("foreign frames of another sub-band");
	hears(US_GATEWAY, 902300000, NS_OFF_PLAN_LEAST - 1, 10 * US_PER_S);
	t_false("nine are not enough", gateway(US_GATEWAY)->off_plan.raised);
	hears(US_GATEWAY, 902500000, 1, 10 * US_PER_S);
	t_true("ten are", gateway(US_GATEWAY)->off_plan.raised);
	t_uint("one gateway", 1, rig.ns.off_plan_raised);
	t_uint("receptions", NS_OFF_PLAN_LEAST, rig.ns.off_plan_receptions);
	t_uint("they were dropped as ever", NS_OFF_PLAN_LEAST, rig.ns.drops[NS_DROP_FOREIGN_DEV_ADDR]);
	ns_off_plan_say(text, &rig.ns, gateway(US_GATEWAY), rig.now.mono);
	t_true("cause",
	       strstr(text, "hears 902.3 MHz and more (10 of its 10 frames in the last 2 min") != NULL);
	t_true("plan", strstr(text, "its plan is 8-15,65: its channel configuration differs") != NULL);
	t_true("next step",
	       strstr(text, "next: lamppost gateway config 0000000000000003 --for lora_pkt_fwd --server ") !=
		       NULL);
	uint32_t slot = ns_gateways_find(&rig.ns.gateways, &gateway(US_GATEWAY)->record.gateway.eui);
	const struct decision *kept = decision_newest(&rig.ns.decisions,
						      ns_of_gateway(&rig.ns, slot).subject);
	assert_non_null(kept);
	t_uint("a decision of it", NS_TABLE_NOTE << 8 | NS_NOTE_OFF_PLAN, kept->table << 8 | kept->verdict);
	t_uint("its frequency", 902300000, kept->a);
	t_uint("outside, and in all", decision_halves(NS_OFF_PLAN_LEAST, NS_OFF_PLAN_LEAST), kept->b);
	rig_release(&rig);
}

static void ends_by_itself(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("nothing is heard any more");
	hears(US_GATEWAY, 902300000, 12, US_PER_S);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	rig_run(&rig, 3 * NS_OFF_PLAN_HALF);
	t_false("ended", gateway(US_GATEWAY)->off_plan.raised);
	t_uint("none", 0, rig.ns.off_plan_raised);
	t_uint("two changes", 2, rig.ns.off_plan_changes);
	uint32_t slot = ns_gateways_find(&rig.ns.gateways, &gateway(US_GATEWAY)->record.gateway.eui);
	const struct decision *kept = decision_newest(&rig.ns.decisions,
						      ns_of_gateway(&rig.ns, slot).subject);
	assert_non_null(kept);
	t_uint("a decision of it", NS_TABLE_NOTE << 8 | NS_NOTE_ON_PLAN, kept->table << 8 | kept->verdict);
	t_true("and nothing is due for it", ns_off_plan_next(&rig.ns).us == INT64_MAX);

	t_row("the gateway hears its plan again");
	hears(US_GATEWAY, 902300000, 12, US_PER_S);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	hears(US_GATEWAY, 904300000, 60, 10 * US_PER_S);
	t_false("ended", gateway(US_GATEWAY)->off_plan.raised);
	rig_release(&rig);
}

static void a_few_among_many(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("a tenth of all is no misconfiguration");
	for (int i = 0; i < 40; i++) {
		hears(US_GATEWAY, 903900000, 9, 100 * US_PER_MS);
		hears(US_GATEWAY, 902300000, 1, 100 * US_PER_MS);
	}
	t_false("raised", gateway(US_GATEWAY)->off_plan.raised);
	t_uint("counted all the same", 40, rig.ns.off_plan_receptions);
	rig_release(&rig);
}

static void frequencies_inside(void **state)
{
	static const struct {
		const char *name;
		uint64_t gateway;
		uint32_t freq_hz;
		bool inside;
	} rows[] = {
		{"a channel of the plan", US_GATEWAY, 903900000, true},
		{"the last of it", US_GATEWAY, 905300000, true},
		{"its 500 kHz channel", US_GATEWAY, 904600000, true},
		{"rounded by the gateway", US_GATEWAY, 903899976, true},
		{"one below", US_GATEWAY, 903700000, false},
		{"one above", US_GATEWAY, 905500000, false},
		{"another 500 kHz channel", US_GATEWAY, 903000000, false},
		{"a region's own channel", EU_GATEWAY, 868300000, true},
		{"no channel of anybody", EU_GATEWAY, 865100000, false},
		{"an extra channel of the network", EU_GATEWAY, 867100000, true},
		{"the usual ones are not these", EU_GATEWAY, 867300000, false},
		{"one that a device was given", EU_GATEWAY, 866100000, true},
	};
	(void)state;
	rig_init(&rig);
	rig_extra_channels(&rig, "867.1");
	struct lw_channel_plan plan;
	const struct lw_new_channel given = {.index = 9, .freq_hz = 866100000, .max_dr = 5};
	lw_plan_init(&plan, &rig.regions[0]);
	t_int("given", 3, lw_plan_apply_new_channel(&plan, &rig.regions[0], &given));
	t_true("kept", ns_plans_keep(&rig.ns.sessions.plans, &plan) != NS_NO_PLAN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("inside", rows[i].inside,
		      ns_off_plan_inside(&rig.ns, gateway(rows[i].gateway), rows[i].freq_hz));
		hears(rows[i].gateway, rows[i].freq_hz, 12, US_PER_S);
		t_int("raised", !rows[i].inside, gateway(rows[i].gateway)->off_plan.raised);
		rig_run(&rig, 3 * NS_OFF_PLAN_HALF);
	}
	rig_release(&rig);
}

/* A strong signal comes twice, on its own channel and on a neighbouring one, in either order. */
static void ghosts(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("reports of one signal on two frequencies");
	for (unsigned i = 0; i < 40; i++) {
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		uint8_t length = foreign(phy, ++frames_made);
		bool first = i % 2 == 0;
		rig_hears_on(&rig, US_GATEWAY, phy, length, 0, first ? 903900000 : 903700000, 3, 500);
		rig_run(&rig, 5 * US_PER_MS);
		rig_hears_on(&rig, US_GATEWAY, phy, length, 0, first ? 903700000 : 903900000, 3, -500);
		rig_run(&rig, 3 * US_PER_S);
		t_false("raised", gateway(US_GATEWAY)->off_plan.raised);
	}
	t_uint("of the window", 0, ns_off_plan_sum(&gateway(US_GATEWAY)->off_plan, rig.now.mono).off);

	t_row("without the report inside they are what they are");
	hears(US_GATEWAY, 903700000, 15, US_PER_S);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	rig_release(&rig);
}

/* A device that repeats its frame, first on a channel of the plan, later on others, is no ghost. */
static void repeats_are_no_ghosts(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("the same bytes again after the time of one signal");
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	uint8_t length = foreign(phy, ++frames_made);
	rig_hears_on(&rig, US_GATEWAY, phy, length, 0, 903900000, 3, 500);
	rig_run(&rig, NS_OFF_PLAN_SAME + US_PER_S);
	rig_hears_on(&rig, US_GATEWAY, phy, length, 0, 902300000, 3, 500);
	t_uint("outside", 1, ns_off_plan_sum(&gateway(US_GATEWAY)->off_plan, rig.now.mono).off);
	rig_release(&rig);
}

static void what_is_long_past_counts_no_more(void **state)
{
	static const struct {
		const char *name;
		span_us pause;
		bool raised;
	} rows[] = {
		{"after a minute", 60 * US_PER_S, true},
		{"in the half behind it", NS_OFF_PLAN_HALF, true},
		{"a whole window later", 2 * NS_OFF_PLAN_HALF + US_PER_S, false},
		{"an hour later", 12 * NS_OFF_PLAN_HALF, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		hears(US_GATEWAY, 902300000, NS_OFF_PLAN_LEAST - 1, US_PER_MS);
		rig_run(&rig, rows[i].pause);
		hears(US_GATEWAY, 902300000, 1, US_PER_MS);
		t_int("raised", rows[i].raised, gateway(US_GATEWAY)->off_plan.raised);
		rig_release(&rig);
	}
}

static void noise_and_hops(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("bad CRC, LR-FHSS");
	for (unsigned i = 0; i < 40; i++) {
		struct gw_uplink uplink = {
			.gateway = rig_eui(US_GATEWAY), .freq_hz = 902300000, .crc = GW_CRC_BAD};
		uplink.phy_length = foreign(uplink.phy, ++frames_made);
		uplink.modulation = lw_region_data_rate(&rig.regions[1], LW_UP, 3)->modulation;
		ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
		uplink.crc = GW_CRC_OK;
		uplink.modulation = lw_region_data_rate(&rig.regions[1], LW_UP, 5)->modulation;
		ns_on_uplink(&rig.ns, rig.now, RIG_LINK, ++rig.seq, &uplink);
		rig_run(&rig, US_PER_S);
	}
	t_uint("counted", 0, ns_off_plan_sum(&gateway(US_GATEWAY)->off_plan, rig.now.mono).all);
	t_false("raised", gateway(US_GATEWAY)->off_plan.raised);
	rig_release(&rig);
}

static void put_record(const char *channel_plan, bool deleted)
{
	struct net_gateway record = gateway(US_GATEWAY)->record;
	rig_state_begin(&rig, false);
	record.version = ++rig.version;
	record.deleted = deleted;
	snprintf(record.channel_plan, sizeof record.channel_plan, "%s", channel_plan);
	ns_on_gateway(&rig.ns, rig.now, &record);
	rig_turn(&rig);
	rig_state_end(&rig);
}

static void the_record_changes(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("the record is put right");
	hears(US_GATEWAY, 902300000, 12, US_PER_S);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	put_record("0-7,64", false);
	rig_run(&rig, 0);
	t_false("at once", gateway(US_GATEWAY)->off_plan.raised);
	hears(US_GATEWAY, 902300000, 12, US_PER_S);
	t_false("and it stays so", gateway(US_GATEWAY)->off_plan.raised);
	t_row("a gateway that is removed");
	hears(US_GATEWAY, 905300000, 12, US_PER_S);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	put_record("0-7,64", true);
	t_uint("none", 0, rig.ns.off_plan_raised);
	rig_run(&rig, 3 * NS_OFF_PLAN_HALF);
	rig_release(&rig);
}

/* A scanner, or an attack: more frequencies than are kept. */
static void many_frequencies(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("more frequencies than the table holds");
	for (unsigned i = 0; i < 4 * NS_OFF_PLAN_FREQS; i++)
		hears(US_GATEWAY, 906100000 + i * 100000, 1, 100 * US_PER_MS);
	t_uint("all are counted", 4 * NS_OFF_PLAN_FREQS,
	       ns_off_plan_sum(&gateway(US_GATEWAY)->off_plan, rig.now.mono).off);
	t_true("raised", gateway(US_GATEWAY)->off_plan.raised);
	hears(US_GATEWAY, 903900000, 5, US_PER_MS);
	t_uint("a channel of the plan for which there was no room is none of them", 4 * NS_OFF_PLAN_FREQS,
	       ns_off_plan_sum(&gateway(US_GATEWAY)->off_plan, rig.now.mono).off);
	rig_run(&rig, 3 * NS_OFF_PLAN_HALF);
	t_false("ended", gateway(US_GATEWAY)->off_plan.raised);
	hears(US_GATEWAY, 903900000, 1, US_PER_S);
	t_uint("the table has room again", 903900000, gateway(US_GATEWAY)->off_plan.freqs[0].freq_hz);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(another_sub_band),
					   t_test(ends_by_itself),
					   t_test(a_few_among_many),
					   t_test(frequencies_inside),
					   t_test(ghosts),
					   t_test(noise_and_hops),
					   t_test(the_record_changes),
					   t_test(many_frequencies),
					   t_test(repeats_are_no_ghosts),
					   t_test(what_is_long_past_counts_no_more)};
	return t_run(tests);
}
