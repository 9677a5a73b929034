/* The rows of all MAC commands. A payload is a little-endian string of bits, so that a field is {first bit,
 * bits} whether it is a nibble, a 16-bit mask or a 24-bit frequency that starts in the middle. Tables of the
 * specification count bits within a byte or word from the right as well: bit b of byte n is 8n + b here. */
#include "common/lorawan/mac_command.h"

#include "common/base/check.h"

#define FIELD(field_kind, as, member, from, count)                                          \
	{                                                                                   \
#member, field_kind, from, count, offsetof(union lw_mac_fields, as.member), \
			sizeof(((union lw_mac_fields *)0)->as.member)                       \
	}
#define UINT(as, member, from, count)  FIELD(LW_MAC_UINT, as, member, from, count)
#define SINT(as, member, from, count)  FIELD(LW_MAC_SINT, as, member, from, count)
#define FLAG(as, member, from)         FIELD(LW_MAC_BOOL, as, member, from, 1)
#define FREQUENCY(as, member, from)    FIELD(LW_MAC_FREQUENCY, as, member, from, 24)
#define BYTES(as, member, from, count) FIELD(LW_MAC_BYTES, as, member, from, count)

/* Up and down. */
static const struct lw_mac_field reset[] = {UINT(reset, minor, 0, 4)};
static const struct lw_mac_field rekey[] = {UINT(rekey, minor, 0, 4)};
static const struct lw_mac_field device_mode[] = {UINT(device_mode, class, 0, 8)};

/* Up. */
static const struct lw_mac_field link_adr_ans[] = {
	FLAG(link_adr_ans, ch_mask_ack, 0),
	FLAG(link_adr_ans, data_rate_ack, 1),
	FLAG(link_adr_ans, power_ack, 2),
};
static const struct lw_mac_field rx_param_setup_ans[] = {
	FLAG(rx_param_setup_ans, channel_ack, 0),
	FLAG(rx_param_setup_ans, rx2_data_rate_ack, 1),
	FLAG(rx_param_setup_ans, rx1_dr_offset_ack, 2),
};
static const struct lw_mac_field dev_status_ans[] = {
	UINT(dev_status_ans, battery, 0, 8),
	SINT(dev_status_ans, margin, 8, 6),
};
static const struct lw_mac_field new_channel_ans[] = {
	FLAG(new_channel_ans, channel_frequency_ok, 0),
	FLAG(new_channel_ans, data_rate_range_ok, 1),
};
static const struct lw_mac_field dl_channel_ans[] = {
	FLAG(dl_channel_ans, channel_frequency_ok, 0),
	FLAG(dl_channel_ans, uplink_frequency_exists, 1),
};
static const struct lw_mac_field rejoin_param_setup_ans[] = {FLAG(rejoin_param_setup_ans, time_ok, 0)};
static const struct lw_mac_field ping_slot_info_req[] = {UINT(ping_slot_info_req, periodicity, 0, 3)};
static const struct lw_mac_field ping_slot_channel_ans[] = {
	FLAG(ping_slot_channel_ans, channel_frequency_ok, 0),
	FLAG(ping_slot_channel_ans, data_rate_ok, 1),
};
static const struct lw_mac_field beacon_freq_ans[] = {FLAG(beacon_freq_ans, beacon_frequency_ok, 0)};
static const struct lw_mac_field relay_conf_ans[] = {
	FLAG(relay_conf_ans, second_ch_freq_ack, 0), FLAG(relay_conf_ans, second_ch_ack_offset_ack, 1),
	FLAG(relay_conf_ans, second_ch_dr_ack, 2),   FLAG(relay_conf_ans, second_ch_idx_ack, 3),
	FLAG(relay_conf_ans, default_ch_idx_ack, 4), FLAG(relay_conf_ans, cad_periodicity_ack, 5),
};
static const struct lw_mac_field end_device_conf_ans[] = {
	FLAG(end_device_conf_ans, second_ch_freq_ack, 0),
	FLAG(end_device_conf_ans, second_ch_dr_ack, 1),
	FLAG(end_device_conf_ans, second_ch_idx_ack, 2),
	FLAG(end_device_conf_ans, backoff_ack, 3),
};
static const struct lw_mac_field filter_list_ans[] = {
	FLAG(filter_list_ans, filter_list_action_ack, 0),
	FLAG(filter_list_ans, filter_list_len_ack, 1),
	FLAG(filter_list_ans, combined_rules_ack, 2),
};
static const struct lw_mac_field ctrl_uplink_list_ans[] = {
	FLAG(ctrl_uplink_list_ans, uplink_list_idx_ack, 0),
	UINT(ctrl_uplink_list_ans, wfcnt32, 8, 32),
};
static const struct lw_mac_field notify_new_end_device_req[] = {
	UINT(notify_new_end_device_req, dev_addr, 0, 32),
	UINT(notify_new_end_device_req, wor_snr_raw, 32, 5),
	UINT(notify_new_end_device_req, wor_rssi_raw, 37, 7),
};

/* Down. */
static const struct lw_mac_field link_check_ans[] = {
	UINT(link_check_ans, margin, 0, 8),
	UINT(link_check_ans, gw_cnt, 8, 8),
};
static const struct lw_mac_field link_adr_req[] = {
	UINT(link_adr_req, tx_power, 0, 4),      UINT(link_adr_req, data_rate, 4, 4),
	UINT(link_adr_req, ch_mask, 8, 16),      UINT(link_adr_req, nb_trans, 24, 4),
	UINT(link_adr_req, ch_mask_cntl, 28, 3),
};
static const struct lw_mac_field duty_cycle_req[] = {UINT(duty_cycle_req, max_dcycle, 0, 4)};
static const struct lw_mac_field rx_param_setup_req[] = {
	UINT(rx_param_setup_req, rx2_data_rate, 0, 4),
	UINT(rx_param_setup_req, rx1_dr_offset, 4, 3),
	FREQUENCY(rx_param_setup_req, frequency_hz, 8),
};
static const struct lw_mac_field new_channel_req[] = {
	UINT(new_channel_req, ch_index, 0, 8),
	FREQUENCY(new_channel_req, frequency_hz, 8),
	UINT(new_channel_req, min_dr, 32, 4),
	UINT(new_channel_req, max_dr, 36, 4),
};
static const struct lw_mac_field rx_timing_setup_req[] = {UINT(rx_timing_setup_req, delay, 0, 4)};
static const struct lw_mac_field tx_param_setup_req[] = {
	UINT(tx_param_setup_req, max_eirp, 0, 4),
	FLAG(tx_param_setup_req, uplink_dwell_time, 4),
	FLAG(tx_param_setup_req, downlink_dwell_time, 5),
};
static const struct lw_mac_field dl_channel_req[] = {
	UINT(dl_channel_req, ch_index, 0, 8),
	FREQUENCY(dl_channel_req, frequency_hz, 8),
};
static const struct lw_mac_field adr_param_setup_req[] = {
	UINT(adr_param_setup_req, delay_exp, 0, 4),
	UINT(adr_param_setup_req, limit_exp, 4, 4),
};
static const struct lw_mac_field device_time_ans[] = {
	UINT(device_time_ans, gps_seconds, 0, 32),
	UINT(device_time_ans, fraction_256, 32, 8),
};
static const struct lw_mac_field force_rejoin_req[] = {
	UINT(force_rejoin_req, data_rate, 0, 4),
	UINT(force_rejoin_req, rejoin_type, 4, 3),
	UINT(force_rejoin_req, max_retries, 8, 3),
	UINT(force_rejoin_req, period, 11, 3),
};
static const struct lw_mac_field rejoin_param_setup_req[] = {
	UINT(rejoin_param_setup_req, max_count_n, 0, 4),
	UINT(rejoin_param_setup_req, max_time_n, 4, 4),
};
static const struct lw_mac_field ping_slot_channel_req[] = {
	FREQUENCY(ping_slot_channel_req, frequency_hz, 0),
	UINT(ping_slot_channel_req, data_rate, 24, 4),
};
static const struct lw_mac_field beacon_timing_ans[] = {
	UINT(beacon_timing_ans, delay, 0, 16),
	UINT(beacon_timing_ans, channel, 16, 8),
};
static const struct lw_mac_field beacon_freq_req[] = {FREQUENCY(beacon_freq_req, frequency_hz, 0)};
static const struct lw_mac_field relay_conf_req[] = {
	UINT(relay_conf_req, second_ch_ack_offset, 0, 3), UINT(relay_conf_req, second_ch_dr, 3, 4),
	UINT(relay_conf_req, second_ch_idx, 7, 2),        UINT(relay_conf_req, default_ch_idx, 9, 1),
	UINT(relay_conf_req, cad_periodicity, 10, 3),     UINT(relay_conf_req, start_stop, 13, 1),
	FREQUENCY(relay_conf_req, second_ch_freq_hz, 16),
};
static const struct lw_mac_field end_device_conf_req[] = {
	UINT(end_device_conf_req, smart_enable_level, 0, 2),
	UINT(end_device_conf_req, relay_mode_activation, 2, 2),
	UINT(end_device_conf_req, second_ch_ack_offset, 8, 3),
	UINT(end_device_conf_req, second_ch_dr, 11, 4),
	UINT(end_device_conf_req, second_ch_idx, 15, 2),
	UINT(end_device_conf_req, backoff, 17, 6),
	FREQUENCY(end_device_conf_req, second_ch_freq_hz, 24),
};
static const struct lw_mac_field filter_list_req[] = {
	UINT(filter_list_req, filter_list_len, 0, 5),
	UINT(filter_list_req, filter_list_action, 5, 2),
	UINT(filter_list_req, filter_list_idx, 7, 4),
	BYTES(filter_list_req, filter_list_eui_wire, 16, 128),
};
static const struct lw_mac_field update_uplink_list_req[] = {
	UINT(update_uplink_list_req, uplink_list_idx, 0, 4),
	UINT(update_uplink_list_req, reload_rate, 8, 6),
	UINT(update_uplink_list_req, bucket_size, 14, 2),
	UINT(update_uplink_list_req, dev_addr, 16, 32),
	UINT(update_uplink_list_req, wfcnt32, 48, 32),
	BYTES(update_uplink_list_req, root_wor_skey, 80, 128),
};
static const struct lw_mac_field ctrl_uplink_list_req[] = {
	UINT(ctrl_uplink_list_req, uplink_list_idx, 0, 4),
	UINT(ctrl_uplink_list_req, ctrl_uplink_action, 4, 1),
};
static const struct lw_mac_field configure_fwd_limit_req[] = {
	UINT(configure_fwd_limit_req, overall_reload_rate, 0, 7),
	UINT(configure_fwd_limit_req, global_uplink_reload_rate, 7, 7),
	UINT(configure_fwd_limit_req, notify_reload_rate, 14, 7),
	UINT(configure_fwd_limit_req, join_req_reload_rate, 21, 7),
	UINT(configure_fwd_limit_req, reset_limit_counter, 28, 2),
	UINT(configure_fwd_limit_req, overall_limit_size, 32, 2),
	UINT(configure_fwd_limit_req, global_uplink_limit_size, 34, 2),
	UINT(configure_fwd_limit_req, notify_limit_size, 36, 2),
	UINT(configure_fwd_limit_req, join_req_limit_size, 38, 2),
};

#define ANY          LW_MAC_1_0_0, LW_MAC_1_1_0
#define FROM(since)  since, LW_MAC_1_1_0
#define FIELDS(rows) rows, ARRAY_SIZE(rows)
#define NONE         NULL, 0

/* clang-format off */
static const struct lw_mac_row rows[] = {
	{LW_UP, 0x01, "ResetInd",              1,  LW_MAC_UNTIL_CONF,     FROM(LW_MAC_1_1_0), FIELDS(reset)},
	{LW_UP, 0x02, "LinkCheckReq",          0,  LW_MAC_ONCE,           ANY,                NONE},
	{LW_UP, 0x03, "LinkADRAns",            1,  LW_MAC_ONCE,           ANY,                FIELDS(link_adr_ans)},
	{LW_UP, 0x04, "DutyCycleAns",          0,  LW_MAC_ONCE,           ANY,                NONE},
	{LW_UP, 0x05, "RXParamSetupAns",       1,  LW_MAC_UNTIL_DOWNLINK, ANY,                FIELDS(rx_param_setup_ans)},
	{LW_UP, 0x06, "DevStatusAns",          2,  LW_MAC_ONCE,           ANY,                FIELDS(dev_status_ans)},
	{LW_UP, 0x07, "NewChannelAns",         1,  LW_MAC_ONCE,           ANY,                FIELDS(new_channel_ans)},
	{LW_UP, 0x08, "RXTimingSetupAns",      0,  LW_MAC_UNTIL_DOWNLINK, ANY,                NONE},
	{LW_UP, 0x09, "TxParamSetupAns",       0,  LW_MAC_UNTIL_DOWNLINK, FROM(LW_MAC_1_0_2), NONE},
	{LW_UP, 0x0a, "DlChannelAns",          1,  LW_MAC_UNTIL_DOWNLINK, FROM(LW_MAC_1_0_2), FIELDS(dl_channel_ans)},
	{LW_UP, 0x0b, "RekeyInd",              1,  LW_MAC_UNTIL_CONF,     FROM(LW_MAC_1_1_0), FIELDS(rekey)},
	{LW_UP, 0x0c, "ADRParamSetupAns",      0,  LW_MAC_ONCE,           FROM(LW_MAC_1_1_0), NONE},
	{LW_UP, 0x0d, "DeviceTimeReq",         0,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_3), NONE},
	{LW_UP, 0x0f, "RejoinParamSetupAns",   1,  LW_MAC_ONCE,           FROM(LW_MAC_1_1_0), FIELDS(rejoin_param_setup_ans)},
	{LW_UP, 0x10, "PingSlotInfoReq",       1,  LW_MAC_ONCE,           ANY,                FIELDS(ping_slot_info_req)},
	{LW_UP, 0x11, "PingSlotChannelAns",    1,  LW_MAC_UNTIL_DOWNLINK, ANY,                FIELDS(ping_slot_channel_ans)},
	{LW_UP, 0x12, "BeaconTimingReq",       0,  LW_MAC_ONCE,           LW_MAC_1_0_0, LW_MAC_1_0_2, NONE},
	{LW_UP, 0x13, "BeaconFreqAns",         1,  LW_MAC_ONCE,           ANY,                FIELDS(beacon_freq_ans)},
	{LW_UP, 0x20, "DeviceModeInd",         1,  LW_MAC_UNTIL_CONF,     FROM(LW_MAC_1_1_0), FIELDS(device_mode)},
	{LW_UP, 0x40, "RelayConfAns",          1,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), FIELDS(relay_conf_ans)},
	{LW_UP, 0x41, "EndDeviceConfAns",      1,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), FIELDS(end_device_conf_ans)},
	{LW_UP, 0x42, "FilterListAns",         1,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), FIELDS(filter_list_ans)},
	{LW_UP, 0x43, "UpdateUplinkListAns",   0,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), NONE},
	{LW_UP, 0x44, "CtrlUplinkListAns",     5,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), FIELDS(ctrl_uplink_list_ans)},
	{LW_UP, 0x45, "ConfigureFwdLimitAns",  0,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), NONE},
	{LW_UP, 0x46, "NotifyNewEndDeviceReq", 6,  LW_MAC_ONCE,           FROM(LW_MAC_1_0_4), FIELDS(notify_new_end_device_req)},

	{LW_DOWN, 0x01, "ResetConf",            1,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(reset)},
	{LW_DOWN, 0x02, "LinkCheckAns",         2,  LW_MAC_ONCE, ANY,                FIELDS(link_check_ans)},
	{LW_DOWN, 0x03, "LinkADRReq",           4,  LW_MAC_ONCE, ANY,                FIELDS(link_adr_req)},
	{LW_DOWN, 0x04, "DutyCycleReq",         1,  LW_MAC_ONCE, ANY,                FIELDS(duty_cycle_req)},
	{LW_DOWN, 0x05, "RXParamSetupReq",      4,  LW_MAC_ONCE, ANY,                FIELDS(rx_param_setup_req)},
	{LW_DOWN, 0x06, "DevStatusReq",         0,  LW_MAC_ONCE, ANY,                NONE},
	{LW_DOWN, 0x07, "NewChannelReq",        5,  LW_MAC_ONCE, ANY,                FIELDS(new_channel_req)},
	{LW_DOWN, 0x08, "RXTimingSetupReq",     1,  LW_MAC_ONCE, ANY,                FIELDS(rx_timing_setup_req)},
	{LW_DOWN, 0x09, "TxParamSetupReq",      1,  LW_MAC_ONCE, FROM(LW_MAC_1_0_2), FIELDS(tx_param_setup_req)},
	{LW_DOWN, 0x0a, "DlChannelReq",         4,  LW_MAC_ONCE, FROM(LW_MAC_1_0_2), FIELDS(dl_channel_req)},
	{LW_DOWN, 0x0b, "RekeyConf",            1,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(rekey)},
	{LW_DOWN, 0x0c, "ADRParamSetupReq",     1,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(adr_param_setup_req)},
	{LW_DOWN, 0x0d, "DeviceTimeAns",        5,  LW_MAC_ONCE, FROM(LW_MAC_1_0_3), FIELDS(device_time_ans)},
	{LW_DOWN, 0x0e, "ForceRejoinReq",       2,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(force_rejoin_req)},
	{LW_DOWN, 0x0f, "RejoinParamSetupReq",  1,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(rejoin_param_setup_req)},
	{LW_DOWN, 0x10, "PingSlotInfoAns",      0,  LW_MAC_ONCE, ANY,                NONE},
	{LW_DOWN, 0x11, "PingSlotChannelReq",   4,  LW_MAC_ONCE, ANY,                FIELDS(ping_slot_channel_req)},
	{LW_DOWN, 0x12, "BeaconTimingAns",      3,  LW_MAC_ONCE, LW_MAC_1_0_0, LW_MAC_1_0_2, FIELDS(beacon_timing_ans)},
	{LW_DOWN, 0x13, "BeaconFreqReq",        3,  LW_MAC_ONCE, ANY,                FIELDS(beacon_freq_req)},
	{LW_DOWN, 0x20, "DeviceModeConf",       1,  LW_MAC_ONCE, FROM(LW_MAC_1_1_0), FIELDS(device_mode)},
	{LW_DOWN, 0x40, "RelayConfReq",         5,  LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(relay_conf_req)},
	{LW_DOWN, 0x41, "EndDeviceConfReq",     6,  LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(end_device_conf_req)},
	{LW_DOWN, 0x42, "FilterListReq",        2,  LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(filter_list_req)},
	{LW_DOWN, 0x43, "UpdateUplinkListReq",  26, LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(update_uplink_list_req)},
	{LW_DOWN, 0x44, "CtrlUplinkListReq",    1,  LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(ctrl_uplink_list_req)},
	{LW_DOWN, 0x45, "ConfigureFwdLimitReq", 5,  LW_MAC_ONCE, FROM(LW_MAC_1_0_4), FIELDS(configure_fwd_limit_req)},
	/* NotifyNewEndDeviceReq has no answer. */
};
/* clang-format on */

const struct lw_mac_row *lw_mac_rows(size_t *count)
{
	*count = ARRAY_SIZE(rows);
	return rows;
}

const struct lw_mac_row *lw_mac_row_find(enum lw_direction direction, uint8_t cid)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].cid == cid && rows[i].direction == direction)
			return &rows[i];
	}
	return NULL;
}

bool lw_mac_row_in_version(const struct lw_mac_row *row, enum lw_mac_version version)
{
	return version >= row->since && version <= row->until;
}

int lw_max_eirp_dbm(uint8_t index)
{
	static const int8_t dbm[16] = {8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36};
	return index < ARRAY_SIZE(dbm) ? dbm[index] : 0;
}
