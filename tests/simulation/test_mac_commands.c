/* Every MAC command between network server and device (TS001 §5), each in a row of its own: the device's state changed and the
 * server's followed, and command and answer were on the air. The rows are held against the table of commands, so that none is
 * forgotten. Then what goes wrong: answers that are lost, repeated, missing; what is refused, and what a version does not know. */
#include "tests/harness/harness.h"
#include "tests/harness/mac_rig.h"

#include <string.h>

#define PATIENCE 40

static struct t_mac mac;
static struct sim_device *const device = &mac.region.device;
static struct net_profile *const profile = &mac.region.profile;

static void wish(void)
{
	t_mac_profile(&mac);
}

/* --- one function a command --- */

static bool rekeyed(struct t_mac *at)
{
	return !at->region.device.rekey;
}

/* A lost RekeyConf: the device goes on saying so, and gets another. */
static void rekey(void)
{
	t_true("RekeyConf", t_mac_until(&mac, rekeyed, 3));
	t_true("the session is in use", !(t_mac_session(&mac)->flags & NS_SESSION_PENDING));
}

static bool delay_is_5(struct t_mac *at)
{
	return at->region.device.rx_delay_s == 5 && t_mac_session(at)->rx_delay_s == 5;
}

/* It loses its power: windows and channels are as it boots, the counters go on; the server follows at once. */
static void reset(void)
{
	t_true("RxDelay of the network", t_mac_until(&mac, delay_is_5, PATIENCE));
	uint32_t fcnt_up = t_mac_session(&mac)->fcnt_up;
	sim_device_power_cycle(device, mac.region.rig.now.mono.us, US_PER_S);
	t_uint("boots with", 1, device->rx_delay_s);
	t_mac_exchange(&mac);
	t_true("ResetConf came in the windows that it boots with", !device->rekey);
	t_true("the counter goes on", t_mac_session(&mac)->fcnt_up > fcnt_up);
	t_true("and is brought to the network's again", t_mac_until(&mac, delay_is_5, PATIENCE));
}

static void link_check(void)
{
	t_mac_exchanges(&mac, 2);
	t_true("an answer", device->has_link_check);
	t_uint("gateways", 1, device->link_gateways);
	t_uint("margin: 9 dB above the floor of -7.5, or of -20", device->dr == 5 ? 16 : 29,
	       device->link_margin_db);
}

static bool moved(struct t_mac *at)
{
	return at->region.device.dr == 3 && t_mac_session(at)->last_dr == 3;
}

static void link_adr(void)
{
	profile->min_dr = profile->max_dr = 3;
	wish();
	t_true("moved, on both sides", t_mac_until(&mac, moved, PATIENCE));
	t_mac_exchange(&mac);
	t_uint("power", device->power_index, t_mac_session(&mac)->mac.tx_power);
	t_uint("NbTrans", device->nb_trans, t_mac_session(&mac)->nb_trans);
}

static bool duty_is_3(struct t_mac *at)
{
	return at->region.device.duty_exponent == 3 && t_mac_session(at)->mac.max_duty_cycle == 3;
}

static void duty_cycle(void)
{
	profile->max_duty_cycle = 3;
	wish();
	t_true("both sides", t_mac_until(&mac, duty_is_3, 4));
}

static bool windows_moved(struct t_mac *at)
{
	const struct ns_session *session = t_mac_session(at);
	return at->region.device.rx1_offset == 2 && at->region.device.rx2_freq_hz == 868300000 &&
	       session->rx1_dr_offset == 2 && session->rx2_freq_hz == 868300000 && session->rx2_dr == 3;
}

static void rx_param(void)
{
	profile->rx1_dr_offset = 2;
	profile->rx2_dr = 3;
	profile->rx2_freq_hz = 868300000;
	wish();
	t_true("both sides", t_mac_until(&mac, windows_moved, 4));
	t_uint("RX2's data rate", 3, device->rx2_dr);
}

static bool status_came(struct t_mac *at)
{
	return rig_events_of(&at->region.rig, PROTO_STATUS_EVENT) > 0;
}

static void dev_status(void)
{
	profile->dev_status_interval_h = 1;
	wish();
	t_true("an event", t_mac_until(&mac, status_came, PATIENCE));
	t_true("the session knows when", t_mac_session(&mac)->mac.status_hour != 0);
}

static bool has_channel(struct t_mac *at)
{
	const struct lw_channel_plan *plan = ns_session_plan(&at->region.rig.ns.sessions, t_mac_session(at));
	return at->region.device.channels[3].freq_hz == 867100000 && plan->freq_hz[3] == 867100000;
}

static void new_channel(void)
{
	t_region_extra(&mac.region, "867.1 867.3");
	t_true("both sides", t_mac_until(&mac, has_channel, PATIENCE));
	t_true("and it is used", device->channels[3].enabled);
}

static void rx_timing(void)
{
	t_true("both sides", t_mac_until(&mac, delay_is_5, PATIENCE));
	profile->rx_delay_s = 3;
	wish();
	t_mac_exchanges(&mac, 3);
	t_uint("an ABP profile says what the device boots with, which is no wish", 5, device->rx_delay_s);
}

static bool dwell_is_off(struct t_mac *at)
{
	return !at->region.device.uplink_dwell &&
	       !ns_mac_uplink_dwell(t_mac_session(at), ns_region(&at->region.rig.ns, 2)) &&
	       at->region.device.max_eirp_dbm == 10;
}

static void tx_param(void)
{
	t_true("boots with a dwell time", device->uplink_dwell);
	profile->uplink_dwell = profile->downlink_dwell = 0;
	profile->max_eirp_dbm = 10;
	wish();
	t_true("both sides", t_mac_until(&mac, dwell_is_off, 4));
	t_true("as said", t_mac_session(&mac)->mac.tx_param & NS_TX_PARAM_KNOWN);
}

static bool down_moved(struct t_mac *at)
{
	const struct lw_channel_plan *plan = ns_session_plan(&at->region.rig.ns.sessions, t_mac_session(at));
	return at->region.device.channels[3].down_freq_hz == 869100000 && plan->rx1_freq_hz[3] == 869100000;
}

/* The network's plan has another RX1 for a channel: the region rig holds every downlink against the device's. */
static void dl_channel(void)
{
	t_region_extra(&mac.region, "867.1/869.1 867.3");
	t_true("both sides", t_mac_until(&mac, down_moved, PATIENCE));
	bool used = false;
	mac.region.refused = T_RX2_REFUSED;
	device->config.confirmed_every = 1;
	for (unsigned i = 0; i < 20; i++) {
		t_mac_exchange(&mac);
		used |= device->tx_channel == 3 && mac.region.heard[0];
	}
	t_true("an answer was heard there", used);
}

static bool adr_param_is(struct t_mac *at)
{
	return at->region.device.adr_limit == 16 && at->region.device.adr_delay == 8 &&
	       t_mac_rare(at)->known & NS_RARE_ADR_PARAM;
}

static void adr_param(void)
{
	t_uint("boots with", 64, device->adr_limit);
	profile->adr_ack_limit_exp = 4;
	profile->adr_ack_delay_exp = 3;
	wish();
	t_true("the device's back-off", t_mac_until(&mac, adr_param_is, 4));
	t_uint("the server's record", 4, t_mac_rare(&mac)->adr_limit_exp);
	t_uint("likewise", 3, t_mac_rare(&mac)->adr_delay_exp);
	profile->adr_ack_limit_exp = profile->adr_ack_delay_exp = NET_DEVICES_OWN;
	wish();
	t_mac_exchanges(&mac, 3);
	t_uint("and back to what it boots with", 64, device->adr_limit);
}

static void device_time(void)
{
	t_mac_exchanges(&mac, 3);
	t_true("an answer", device->has_time);
	int64_t gps_us = gps_us_from_wall(mac.region.rig.now.wall) - mac.region.rig.now.mono.us;
	int64_t off = device->gps_offset_us - gps_us;
	t_true("the time of the uplink's end, within the backhaul and 1/256 s",
	       off >= -5 * US_PER_MS && off <= 40 * US_PER_MS);
}

static void force_rejoin(void)
{
	const struct ns_rejoin_order order = {2, 3, 2, NS_REJOIN_ORDER_OWN_DR};
	struct ns *ns = &mac.region.rig.ns;
	t_int("ordered", NS_ORDER_TAKEN,
	      ns_mac_order_rejoin(ns, mac.region.rig.now, t_mac_slot(&mac), &order));
	t_uint("stands", NS_REJOIN_ORDER_TRIES, ns_mac_rejoin_left(ns, t_mac_slot(&mac)));
	t_mac_exchange(&mac);
	t_uint("with the next uplink's answer", 1, mac.seen[LW_DOWN][LW_CID_FORCE_REJOIN]);
	const struct lw_mac_command *said = &mac.down[mac.down_count - 1];
	t_uint("period", 2, said->as.force_rejoin_req.period);
	t_uint("retries", 3, said->as.force_rejoin_req.max_retries);
	t_uint("type", 2, said->as.force_rejoin_req.rejoin_type);
	t_uint("at the device's data rate", t_mac_session(&mac)->last_dr,
	       said->as.force_rejoin_req.data_rate);
}

static bool rejoin_param_is(struct t_mac *at)
{
	return at->region.device.rejoin_max_count_n == 5 && t_mac_rare(at)->known & NS_RARE_REJOIN_COUNT;
}

static void rejoin_param(void)
{
	profile->rejoin_time_exp = 6;
	profile->rejoin_count_exp = 5;
	wish();
	t_true("both sides", t_mac_until(&mac, rejoin_param_is, 4));
	t_uint("the device's time", 6, device->rejoin_max_time_n);
	t_uint("the server's", 6, t_mac_rare(&mac)->rejoin_time_exp);
	t_uint("count", 5, t_mac_rare(&mac)->rejoin_count_exp);
}

static bool knows_ping_slot(struct t_mac *at)
{
	return at->region.device.knows_ping_slot;
}

static void ping_slot_info(void)
{
	sim_device_ask_ping_slot(device, 4);
	t_true("answered", t_mac_until(&mac, knows_ping_slot, 3));
	t_true("the server knows", t_mac_rare(&mac)->known & NS_RARE_PERIODICITY);
	t_uint("how often", 4, t_mac_rare(&mac)->ping_periodicity);
}

static bool ping_slot_is(struct t_mac *at)
{
	return at->region.device.ping_slot_freq_hz == 868300000 && at->region.device.ping_slot_dr == 4 &&
	       t_mac_rare(at)->ping_slot_freq_hz == 868300000;
}

static void ping_slot_channel(void)
{
	profile->ping_slot_freq_hz = 868300000;
	profile->ping_slot_dr = 4;
	wish();
	t_true("both sides", t_mac_until(&mac, ping_slot_is, 4));
	t_uint("data rate", 4, t_mac_rare(&mac)->ping_slot_dr);
	profile->ping_slot_freq_hz = 0;
	profile->ping_slot_dr = NET_REGIONS_OWN;
	wish();
	t_mac_exchanges(&mac, 3);
	t_uint("and back to the region's", 0, device->ping_slot_freq_hz);
}

static bool has_beacon(struct t_mac *at)
{
	return at->region.device.has_beacon;
}

static void beacon_timing(void)
{
	sim_device_ask_beacon(device);
	t_true("answered", t_mac_until(&mac, has_beacon, 3));
	/* As the device's clock would have it, were it GPS time. */
	int64_t to_gps = gps_us_from_wall(mac.region.rig.now.wall) - mac.region.rig.now.mono.us;
	int64_t into = (device->beacon_us + to_gps) % (128 * US_PER_S);
	t_true("the device looks from less than a step and the backhaul before a beacon on",
	       into > 128 * US_PER_S - 70 * US_PER_MS || into <= 5 * US_PER_MS);
	t_true("the next one", device->beacon_us - mac.region.rig.now.mono.us <= 128 * US_PER_S);
	t_true("it counts from the end of RX2, the only window", !mac.region.heard[0] && mac.region.heard[1]);
}

static bool beacon_is(struct t_mac *at)
{
	return at->region.device.beacon_freq_hz == 869100000 && t_mac_rare(at)->beacon_freq_hz == 869100000;
}

static void beacon_freq(void)
{
	profile->beacon_freq_hz = 869100000;
	wish();
	t_true("both sides", t_mac_until(&mac, beacon_is, 4));
}

static bool mode_is_told(struct t_mac *at)
{
	return !at->region.device.tells_mode;
}

static void device_mode(void)
{
	sim_device_tell_mode(device, 2);
	t_true("confirmed", t_mac_until(&mac, mode_is_told, 3));
	t_uint("the server knows", 2, t_mac_rare(&mac)->device_mode);
	sim_device_tell_mode(device, 0);
	t_true("confirmed", t_mac_until(&mac, mode_is_told, 3));
	t_uint("and follows back", 0, t_mac_rare(&mac)->device_mode);
}

/* --- the rows --- */

static void with_adr(struct sim_device_config *config)
{
	config->adr = true;
}

static void with_link_check(struct sim_device_config *config)
{
	config->link_check_every = 1;
}

static void with_device_time(struct sim_device_config *config)
{
	config->device_time_every = 1;
}

static const struct command_row {
	const char *name;
	uint8_t cid;
	void (*run)(void);
	struct t_mac_setup setup;
} rows[] = {
	{"01 ResetInd, ResetConf", 0x01, reset, {.version = LW_MAC_1_1_0, .abp = true}},
	{"02 LinkCheckReq, LinkCheckAns", 0x02, link_check, {.device = with_link_check}},
	{"03 LinkADRReq, LinkADRAns", 0x03, link_adr, {.version = LW_MAC_1_0_4, .device = with_adr}},
	{"04 DutyCycleReq, DutyCycleAns", 0x04, duty_cycle, {.version = LW_MAC_1_0_3}},
	{"05 RXParamSetupReq, RXParamSetupAns", 0x05, rx_param, {.version = LW_MAC_1_0_0}},
	{"06 DevStatusReq, DevStatusAns", 0x06, dev_status, {.version = LW_MAC_1_0_2}},
	{"07 NewChannelReq, NewChannelAns", 0x07, new_channel, {.version = LW_MAC_1_0_1}},
	{"08 RXTimingSetupReq, RXTimingSetupAns", 0x08, rx_timing, {.version = LW_MAC_1_0_3, .abp = true}},
	{"09 TxParamSetupReq, TxParamSetupAns",
	 0x09,
	 tx_param,
	 {.region = "as923-1", .version = LW_MAC_1_0_2}},
	{"0a DlChannelReq, DlChannelAns",
	 0x0a,
	 dl_channel,
	 {.version = LW_MAC_1_0_2, .extra = "867.1 867.3"}},
	{"0b RekeyInd, RekeyConf", 0x0b, rekey, {.version = LW_MAC_1_1_0}},
	{"0c ADRParamSetupReq, ADRParamSetupAns", 0x0c, adr_param, {.version = LW_MAC_1_1_0}},
	{"0d DeviceTimeReq, DeviceTimeAns",
	 0x0d,
	 device_time,
	 {.version = LW_MAC_1_0_3, .device = with_device_time}},
	{"0e ForceRejoinReq", 0x0e, force_rejoin, {.version = LW_MAC_1_1_0}},
	{"0f RejoinParamSetupReq, RejoinParamSetupAns", 0x0f, rejoin_param, {.version = LW_MAC_1_1_0}},
	{"10 PingSlotInfoReq, PingSlotInfoAns", 0x10, ping_slot_info, {.version = LW_MAC_1_0_3}},
	{"11 PingSlotChannelReq, PingSlotChannelAns", 0x11, ping_slot_channel, {.version = LW_MAC_1_0_4}},
	{"12 BeaconTimingReq, BeaconTimingAns", 0x12, beacon_timing, {.version = LW_MAC_1_0_2}},
	{"13 BeaconFreqReq, BeaconFreqAns", 0x13, beacon_freq, {.version = LW_MAC_1_0_4}},
	{"20 DeviceModeInd, DeviceModeConf", 0x20, device_mode, {.version = LW_MAC_1_1_0}},
};

static void every_command_is_followed_by_both_sides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_mac_open(&mac, &rows[i].setup);
		rows[i].run();
		t_true("was sent down", mac.seen[LW_DOWN][rows[i].cid] > 0);
		if (lw_mac_row_find(LW_UP, rows[i].cid))
			t_true("was sent up", mac.seen[LW_UP][rows[i].cid] > 0);
		t_mac_close(&mac);
	}
}

static void every_command_has_a_row(void **state)
{
	(void)state;
	size_t count;
	const struct lw_mac_row *commands = lw_mac_rows(&count);
	for (size_t i = 0; i < count; i++) {
		if (commands[i].cid > LW_CID_DEVICE_MODE)
			continue; /* of the relay */
		t_row(commands[i].name);
		bool found = false;
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
			found |= rows[j].cid == commands[i].cid && strstr(rows[j].name, commands[i].name);
		t_true("a row of its own", found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_command_has_a_row),
		t_test(every_command_is_followed_by_both_sides),
	};
	return t_run(tests);
}
