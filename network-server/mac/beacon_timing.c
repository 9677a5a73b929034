/* BeaconTimingReq (TS001-1.0.2 §14.3; from 1.0.3 on DeviceTimeReq takes its place): how long it is from the end of the downlink
 * with the answer to the next beacon, in steps of 30 ms, and on which of the region's beacon channels that will be. So the
 * answer can be filled in only when the frame is whole, and for one window: such a frame goes into RX2 alone. While nobody
 * knows the time there is no answer. */
#include "network-server/why/record_mac.h"

#include "common/lorawan/airtime.h"
#include "common/lorawan/class_b.h"

#define STEP_US (LW_PING_SLOT_MS * US_PER_MS)

void ns_mac_beacon_timing(struct ns *ns, struct now now, struct ns_uplink *uplink,
			  const struct lw_mac_command *command)
{
	int64_t gps_us;
	if (!ns_mac_end_of_uplink(ns, uplink->frame, &gps_us) || gps_us <= 0) {
		ns_record_drop(ns, now, NS_DROP_TIME_UNKNOWN, ns_of_device(ns, uplink->session->device),
			       (struct ns_numbers){
				       .a = decision_bytes(uplink->frame->copy_count, command->cid, 0, 0)});
		return;
	}
	uint8_t before = uplink->answer.answers_length;
	ns_mac_answer(ns, uplink,
		      &(struct lw_mac_command){.direction = LW_DOWN, .cid = LW_CID_BEACON_TIMING});
	if (uplink->answer.answers_length > before)
		uplink->answer.beacon_from_gps_us = gps_us;
}

/* The beacon channel by its number; 0 where there is one alone. */
static uint8_t channel_of(const struct lw_region *region, const struct ns_rare *rare, int64_t beacon_s)
{
	const struct lw_hop *hop = &region->beacon.hop;
	if (hop->method != LW_HOP_HOPPING || rare->beacon_freq_hz != 0)
		return 0;
	uint32_t freq_hz = lw_region_beacon_freq(region, (uint32_t)beacon_s, 0);
	for (uint8_t i = 0; i < hop->freq_count; i++)
		if (hop->freqs_hz[i] == freq_hz)
			return i;
	return 0;
}

void ns_mac_beacon_timing_fill(const struct ns *ns, const struct ns_session *session,
			       const struct ns_downlink *downlink, uint8_t *commands, uint8_t length,
			       uint8_t phy_length)
{
	const struct lw_region *region = ns_region(ns, session->region);
	const struct lw_data_rate *rate = lw_region_data_rate(region, LW_DOWN, downlink->windows.rx2.dr);
	if (downlink->beacon_from_gps_us == 0 || !rate)
		return;
	int64_t end_us = downlink->beacon_from_gps_us + downlink->windows.rx1_delay + US_PER_S +
			 lw_airtime_us(&rate->modulation, LW_DOWN, phy_length);
	int64_t beacon_s = lw_beacon_start(end_us / US_PER_S) + LW_BEACON_PERIOD_S;
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_BEACON_TIMING};
	answer.as.beacon_timing_ans.delay = (uint16_t)((beacon_s * US_PER_S - end_us) / STEP_US);
	answer.as.beacon_timing_ans.channel = channel_of(region, ns_session_rare(&ns->sessions, session),
							 beacon_s);
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	lw_mac_reader_init(&reader, LW_DOWN, commands, length, region->freq_step_hz);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		if (command.cid == LW_CID_BEACON_TIMING) {
			struct wr wr = wr_init(commands + reader.offset, length - reader.offset);
			(void)!lw_mac_write(&wr, &answer, region->freq_step_hz);
			return;
		}
}
