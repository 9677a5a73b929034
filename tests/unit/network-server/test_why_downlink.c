/* What is recorded of downlinks and their items: which way and why, what the gateway said, what became of the item. */
#include "tests/harness/harness.h"
#include "tests/harness/network_why.h"

#include "network-server/downlink.h"
#include "network-server/why/explain.h"

#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], phy_length;

static void boots_with_5_s(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->confirmed_downlink_tries = 2;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", boots_with_5_s);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
}

/* A confirmed uplink, whose ACK has to go; gateway 1 hears it, and 2. */
static void hears(bool confirmed, bool ack, bool two)
{
	phy_length = rig_uplink(&rig, &device,
				&(struct rig_frame){.fport = 1, .confirmed = confirmed, .ack = ack}, phy);
	rig_hears(&rig, 1, phy, phy_length, 0);
	if (two)
		rig_hears(&rig, 2, phy, phy_length, 0);
	device.fcnt_up++;
}

static void leaves(void)
{
	rig_run(&rig, 4210 * US_PER_MS);
}

static void answered(enum gw_tx_result result)
{
	hears(true, false, true);
	leaves();
	rig_tx_ack(&rig, result);
}

static struct net_enqueue item_of(uint8_t number, uint8_t length)
{
	struct net_enqueue item = {
		.item = rig_uuid(number), .dev_eui = device.dev_eui, .fport = 2, .length = length};
	memcpy(item.item.bytes, (const uint8_t[]){0xab, 0xcd, 0xef, 0x01}, 4);
	return item;
}

static void enqueue(const struct net_enqueue *item)
{
	ns_on_enqueue(&rig.ns, rig.now, item);
	rig_turn(&rig);
}

static void seal(bool ok)
{
	const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
	struct net_sealed sealed = {
		.item = asked->item, .fcnt_down = asked->fcnt_down, .ok = ok, .frm_payload_length = 3};
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
}

/* A confirmed item in a frame that the gateway took. */
static void item_is_sent(void)
{
	struct net_enqueue item = item_of(1, 3);
	item.confirmed = true;
	enqueue(&item);
	hears(false, false, false);
	leaves();
	seal(true);
	rig_tx_ack(&rig, GW_TX_OK);
}

/* --- downlinks --- */

static void an_ack_goes(void)
{
	answered(GW_TX_OK);
}

static void nobody_says_anything(void)
{
	hears(true, false, false);
	rig_run(&rig, 20 * US_PER_S);
}

static void a_gateway_is_late(void)
{
	answered(GW_TX_TOO_LATE);
}

static void a_station_says_nothing(void)
{
	hears(true, false, true);
	leaves();
	rig_tx_ack_of(&rig, GW_TX_NO_ANSWER, "no_dntxed", 0);
}

static void both_cannot_send_there(void)
{
	answered(GW_TX_FREQ);
	rig_tx_ack(&rig, GW_TX_FREQ);
	rig_tx_ack(&rig, GW_TX_FREQ);
	rig_tx_ack(&rig, GW_TX_FREQ);
}

static void the_bridge_goes(void)
{
	hears(true, false, true);
	ns_on_bridge_gone(&rig.ns, rig.now, RIG_LINK);
	leaves();
}

static void the_frame_came_too_late(void)
{
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	for (unsigned i = 0; i < 30; i++) { /* the gateway's clock is known */
		rig_hears(&rig, 1, phy, phy_length, 0);
		rig_run(&rig, 10 * US_PER_S);
		device.fcnt_up++;
		phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true},
					phy);
	}
	rig_hears(&rig, 1, phy, phy_length, 7 * US_PER_S);
	rig_run(&rig, 10 * US_PER_S);
}

static void no_airtime_is_left(void)
{
	const struct lw_region *region = &rig.regions[0];
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
	const uint32_t frequencies[] = {868100000, 869525000};
	rig_run(&rig, 3600 * US_PER_S);
	for (size_t i = 0; i < 2; i++)
		for (unsigned j = 0; j < 400; j++)
			ns_gateway_transmits(gateway, region, frequencies[i], rig.now.mono,
					     mono_add(rig.now.mono, -(span_us)(j + 20) * US_PER_S), US_PER_S);
	hears(true, false, false);
	leaves();
}

static void the_gateway_sends_then(void)
{
	const struct lw_region *region = &rig.regions[0];
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
	hears(true, false, false);
	ns_gateway_transmits(gateway, region, 868100000, rig.now.mono,
			     mono_add(rig.now.mono, 4900 * US_PER_MS), 2 * US_PER_S);
	leaves();
}

static void counters_are_used_up(void)
{
	ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down = UINT32_MAX;
	hears(true, false, false);
	leaves();
}

static void a_word_of_a_downlink_that_is_over(void)
{
	an_ack_goes();
	rig_tx_ack(&rig, GW_TX_OK);
}

/* --- items --- */

static void an_item_comes(void)
{
	const struct net_enqueue item = item_of(1, 3);
	enqueue(&item);
}

static void a_seal_is_late(void)
{
	an_item_comes();
	hears(false, false, false);
	leaves();
	rig_run(&rig, 100 * US_PER_MS);
}

static void a_seal_is_refused(void)
{
	an_item_comes();
	hears(false, false, false);
	leaves();
	seal(false);
}

static void an_item_is_acknowledged(void)
{
	item_is_sent();
	rig_run(&rig, 20 * US_PER_S);
	hears(false, true, false);
	rig_run(&rig, 20 * US_PER_S);
}

static void an_item_is_not_acknowledged(void)
{
	item_is_sent();
	rig_run(&rig, 20 * US_PER_S);
	hears(false, false, false);
	rig_run(&rig, US_PER_S);
}

static void and_once_more(void)
{
	an_item_is_not_acknowledged();
	rig_run(&rig, 3210 * US_PER_MS);
	seal(true);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 20 * US_PER_S);
	hears(false, false, false);
	rig_run(&rig, 20 * US_PER_S);
}

static void an_item_expires(void)
{
	struct net_enqueue item = item_of(1, 3);
	item.expires.us = rig.now.wall.us + 5 * US_PER_S;
	enqueue(&item);
	rig_run(&rig, 120 * US_PER_S);
}

static void an_item_is_too_long(void)
{
	const struct net_enqueue item = item_of(1, 242);
	device.dr = 0;
	enqueue(&item);
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears_on(&rig, 1, phy, phy_length, 0, 868100000, 0, 700);
	leaves();
}

static void an_item_is_impossible(void)
{
	struct net_enqueue item = item_of(1, 3);
	item.fport = 0;
	enqueue(&item);
}

static void an_item_of_nobody(void)
{
	struct net_enqueue item = item_of(1, 3);
	item.dev_eui = rig_eui(0x1122);
	enqueue(&item);
}

static void a_counter_is_spent(void)
{
	struct net_enqueue item = item_of(1, 3);
	item.encrypted = true;
	item.fcnt_down = 4;
	ns_session_at(&rig.ns.sessions, 0)->n_fcnt_down = 9;
	enqueue(&item);
}

static void the_queue_is_full(void)
{
	for (uint8_t i = 0; i < 33; i++) {
		const struct net_enqueue item = item_of(i, 3);
		enqueue(&item);
	}
}

static void an_item_comes_twice(void)
{
	an_item_comes();
	an_item_comes();
}

#define GATEWAY_1 "gateway:0000000000000001"

static const struct {
	const char *name;
	void (*happens)(void);
	const char *about; /* NULL: the device */
	const char *verdict, *numbers;
} rows[] = {
	{"a downlink is planned", an_ack_goes, NULL, "downlink_planned",
	 "window:RX1,dr:5,freq_hz:868100000,left_ms:800,ways:4,worth_db:12,attempt:1"},
	{"and sent", an_ack_goes, NULL, "downlink_sent", "fcnt:0,latency_ms:40,airtime_ms:41"},
	{"its gateway's last", an_ack_goes, GATEWAY_1, "downlink_sent", "fcnt:0,latency_ms:40,airtime_ms:41"},
	{"silence", nobody_says_anything, NULL, "downlink_sent_silently",
	 "fcnt:0,waited_ms:5991,airtime_ms:41"},
	{"silence of one that tells what it sends", a_station_says_nothing, NULL, "tx_silent",
	 "attempt:1,window:RX1,freq_hz:868100000,ahead_ms:800"},
	{"too late", a_gateway_is_late, NULL, "tx_too_late",
	 "attempt:1,window:RX1,freq_hz:868100000,ahead_ms:800"},
	{"too late, of the gateway", a_gateway_is_late, GATEWAY_1, "tx_too_late",
	 "attempt:1,window:RX1,freq_hz:868100000,ahead_ms:800"},
	{"the next attempt", a_gateway_is_late, NULL, "downlink_planned",
	 "window:RX2,dr:0,freq_hz:869525000,left_ms:1790,ways:4,worth_db:5,attempt:2"},
	{"no attempt is left", both_cannot_send_there, NULL, "attempts_spent", "attempts:4,cause:tx_freq"},
	{"no gateway", the_bridge_goes, NULL, "no_gateway", "hearers:2,offline:4,too_long:0,length:12"},
	{"too late for all windows", the_frame_came_too_late, NULL, "too_late", "left_ms:-999,lead_ms:240"},
	{"no airtime", no_airtime_is_left, NULL, "duty_cycle",
	 "used_s:400,limit_s:360,freq_hz:869525000,airtime_ms:991"},
	{"busy", the_gateway_sends_then, NULL, "gateways_busy", "freq_hz:869525000,airtime_ms:991"},
	{"counters used up", counters_are_used_up, NULL, "fcnt_down_exhausted", "fcnt:4294967295"},
	{"a word too much", a_word_of_a_downlink_that_is_over, GATEWAY_1, "unknown_tx_ack", ""},
	{"an item", an_item_comes, NULL, "item_queued", "length:3,fport:2"},
	{"a late Seal", a_seal_is_late, NULL, "seal_timeout", "limit_ms:20,fcnt:0"},
	{"it stays", a_seal_is_late, NULL, "item_held", "length:3,fport:2,cause:seal_timeout"},
	{"a refused Seal", a_seal_is_refused, NULL, "seal_refused", "fcnt:0"},
	{"it ends", a_seal_is_refused, NULL, "item_refused", "length:3,fport:2,cause:seal_refused"},
	{"in a frame", item_is_sent, NULL, "item_planned", "tries:1,limit:2,fcnt:0"},
	{"waits for its ACK", item_is_sent, NULL, "item_waiting", "tries:1,limit:2,fcnt:0"},
	{"acknowledged", an_item_is_acknowledged, NULL, "item_acknowledged", "tries:1,limit:2,fcnt:0"},
	{"not acknowledged", an_item_is_not_acknowledged, NULL, "not_acknowledged", "tries:1,limit:2,fcnt:0"},
	{"back in the queue", an_item_is_not_acknowledged, NULL, "item_back",
	 "tries:1,limit:2,fcnt:0,cause:not_acknowledged"},
	{"in vain", and_once_more, NULL, "item_failed", "tries:2,limit:2,fcnt:1,cause:not_acknowledged"},
	{"expired", an_item_expires, NULL, "expired", "late_s:0,tries:0"},
	{"expired, its end", an_item_expires, NULL, "item_expired", "tries:0,limit:1,fcnt:0,cause:expired"},
	{"too long for now", an_item_is_too_long, NULL, "item_too_long_now", "length:242,limit:51"},
	{"an impossible item", an_item_is_impossible, NULL, "item_invalid", "fport:0,length:3"},
	{"an item of nobody", an_item_of_nobody, "server", "item_unknown_device", "dev_eui:0000000000001122"},
	{"a spent counter", a_counter_is_spent, NULL, "stale_counter", "fcnt:4,next_fcnt:9"},
	{"a full queue", the_queue_is_full, NULL, "item_queue_full", "queued:32"},
	{"twice", an_item_comes_twice, NULL, "item_again", ""},
};

static void verdicts_have_their_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rows[i].happens();
		const char *about = rows[i].about, *verdict = rows[i].verdict;
		const char *numbers = about ? rig_decided(&rig, about, verdict)
					    : rig_decided_of_device(&rig, verdict);
		if (strcmp(verdict, "unknown_tx_ack") == 0) /* its number is drawn */
			t_true(verdict, strncmp(numbers, "downlink:0x", 11) == 0);
		else
			t_str(verdict, rows[i].numbers, numbers);
		rig_release(&rig);
	}
}

static void a_frame_down_is_found_by_its_mic(void **state)
{
	(void)state;
	setup();
	a_gateway_is_late();
	rig_tx_ack(&rig, GW_TX_OK);
	const struct gw_downlink *sent = &rig.downlinks[rig.downlink_count - 1];
	char about[16] = "frame:";
	for (unsigned i = 0; i < 4; i++)
		snprintf(about + 6 + 2 * i, 3, "%02x", sent->phy[sent->phy_length - 4 + i]);
	t_str("its way", "downlink_sent downlink_planned tx_too_late downlink_planned",
	      rig_verdicts(&rig, about));
	rig_release(&rig);
}

static void an_item_is_named_by_its_first_digits(void **state)
{
	(void)state;
	setup();
	an_item_comes();
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	char *text = rig_why(&rig, about, 1);
	t_true("in its member", strstr(text, "\"item\":\"abcdef01\"") != NULL);
	t_true("and in the sentence", strstr(text, "Item abcdef01 waits") != NULL);
	free(text);
	rig_release(&rig);
}

/* It is a gateway's last downlink and among its troubles. */
static void a_refused_attempt_is_told_once(void **state)
{
	(void)state;
	setup();
	both_cannot_send_there();
	t_str("of two refused", "tx_freq tx_freq accepted", rig_verdicts(&rig, "gateway:0000000000000001"));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(verdicts_have_their_numbers),
		t_test(a_frame_down_is_found_by_its_mic),
		t_test(an_item_is_named_by_its_first_digits),
		t_test(a_refused_attempt_is_told_once),
	};
	return t_run(tests);
}
