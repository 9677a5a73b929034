/* Requests to devices (mac/request.c): asked, taken, refused, each with its values. A request that was asked before and got
 * no answer says so by its number of tries. Numbers: a and b the values, c0 how many requests in the block and tries. */
#include "network-server/why/book.h"

#define TRY          " Request number {tries:c1} since the last answer."
#define UNANSWERED   "From the third on: the device does not know the command, or does not hear us."
#define REFUSED_NEXT "It is not asked again until something else is wanted."

#define REJOIN                                                                                               \
	"type {rejoin_type:a0} at {dr:a1:dr}, at most {max_retries:a2:count repeat}, 32 s × 2^{period:a3} " \
	"apart"

#define KIND(kind, name, command, values)                                                                  \
	[(kind)*NS_MAC_BECAME_COUNT +                                                                      \
		NS_MAC_ASKED] = NS_RULE("mac_" name "_asked", DEBUG, command " goes out: " values "." TRY, \
					UNANSWERED),                                                       \
		[(kind)*NS_MAC_BECAME_COUNT + NS_MAC_WAS_TAKEN] = NS_RULE(                                 \
			"mac_" name "_taken", DEBUG_GOOD, "The device took " command ": " values ".", ""), \
		[(kind)*NS_MAC_BECAME_COUNT + NS_MAC_WAS_REFUSED] = NS_RULE(                               \
			"mac_" name "_refused", INFO_GOING,                                                \
			"The device refused " command " (answer {answer:c0:hex}): " values ".",            \
			REFUSED_NEXT)

const struct decision_rule ns_mac_rules[NS_MAC_KINDS * NS_MAC_BECAME_COUNT] = {
	KIND(NS_MAC_DUTY_CYCLE, "duty_cycle", "DutyCycleReq", "a share of 1/2^{exponent:a0} of the time"),
	KIND(NS_MAC_TX_PARAM_SETUP, "tx_param_setup", "TxParamSetupReq",
	     "at most {eirp_dbm:a0} dBm, dwell time up {uplink_dwell:a1}, down {downlink_dwell:a2}"),
	KIND(NS_MAC_RX_PARAM_SETUP, "rx_param_setup", "RXParamSetupReq",
	     "RX1 offset {rx1_dr_offset:b0}, RX2 at {rx2_dr:b1:dr} on {rx2_freq_hz:a:hz}"),
	KIND(NS_MAC_NEW_CHANNEL, "new_channel", "NewChannelReq",
	     "channel {channel:b0} on {freq_hz:a:hz}, {min_dr:b1:dr} to {max_dr:b2:dr}, {requests:b3:count "
	     "channel} in all"),
	KIND(NS_MAC_LINK_ADR, "link_adr", "LinkADRReq",
	     "{dr:b0:dr}, power {power:b1}, NbTrans {nb_trans:b2}, last mask {mask:al:hex} of block "
	     "{mask_cntl:ah}, "
	     "{requests:b3:count request}"),
	KIND(NS_MAC_RX_TIMING_SETUP, "rx_timing_setup", "RXTimingSetupReq", "RxDelay {rx_delay_s:a0:s}"),
	KIND(NS_MAC_DL_CHANNEL, "dl_channel", "DlChannelReq",
	     "RX1 of channel {channel:b0} on {freq_hz:a:hz}, {requests:b3:count channel} in all"),
	KIND(NS_MAC_ADR_PARAM_SETUP, "adr_param_setup", "ADRParamSetupReq",
	     "ADRACKReq after 2^{limit_exp:a0} uplinks, slower after 2^{delay_exp:a1} more"),
	KIND(NS_MAC_REJOIN_PARAM_SETUP, "rejoin_param_setup", "RejoinParamSetupReq",
	     "a rejoin-request after 2^{count_exp:a1} × 16 uplinks or 2^{time_exp:a0} × 1024 s"),
	KIND(NS_MAC_BEACON_FREQ, "beacon_freq", "BeaconFreqReq",
	     "beacons on {freq_hz:a:hz}, the region's own where that is 0"),
	KIND(NS_MAC_PING_SLOT_CHANNEL, "ping_slot_channel", "PingSlotChannelReq",
	     "ping slots at {dr:b0:dr} on {freq_hz:a:hz}, the region's own where that is 0"),
	[NS_MAC_FORCE_REJOIN * NS_MAC_BECAME_COUNT + NS_MAC_ASKED] = NS_RULE(
		"mac_force_rejoin_asked", DEBUG, "ForceRejoinReq goes out: " REJOIN "." TRY,
		"It has no answer: the device's rejoin-request shows that it was heard."),
	[NS_MAC_FORCE_REJOIN * NS_MAC_BECAME_COUNT + NS_MAC_WAS_TAKEN] = NS_RULE(
		"mac_force_rejoin_taken", INFO_GOOD,
		"The device made a rejoin-request after ForceRejoinReq: " REJOIN ".", ""),
	[NS_MAC_FORCE_REJOIN * NS_MAC_BECAME_COUNT + NS_MAC_WAS_REFUSED] = NS_RULE(
		"mac_force_rejoin_given_up", INFO,
		"{tries:c1:count ForceRejoinReq} went out and no rejoin-request was heard: " REJOIN
		". The order is given up.",
		"See whether the device hears its downlinks at all, and whether its firmware has rejoins. "
		"Some "
		"read the request's bytes the other way around: lamppost profile update SLUG "
		"--quirk-force-rejoin-high-byte-first true."),
	[NS_MAC_DEV_STATUS * NS_MAC_BECAME_COUNT + NS_MAC_ASKED] = NS_RULE(
		"mac_dev_status_asked", DEBUG, "DevStatusReq goes out." TRY, UNANSWERED),
	[NS_MAC_DEV_STATUS * NS_MAC_BECAME_COUNT + NS_MAC_WAS_TAKEN] = NS_RULE(
		"mac_dev_status_taken", DEBUG_GOOD,
		"The device told its battery, {battery:a0} of 255, and the margin of the last downlink, "
		"{margin_db:a1:signed} dB.",
		""),
	[NS_MAC_DEV_STATUS * NS_MAC_BECAME_COUNT +
		NS_MAC_WAS_REFUSED] = NS_RULE("mac_dev_status_refused", INFO_GOING,
					      "The device would not tell its battery and margin.", ""),
};
