/* MAC commands as a device answers them (TS001-1.0.4 section 5, TS001-1.1 section 5). Answers keep the order of the requests; those that the
 * specification calls sticky stay until a class A downlink is heard, so that a lost uplink cannot leave the two sides with
 * different receive windows. */
#include "simulator/device_parts.h"

#include "common/base/check.h"
#include "common/lorawan/mac_command.h"

#include <string.h>

const char *const sim_mac_fault_names[SIM_MAC_FAULT_COUNT] = {"none", "mute", "refuses_power",
							      "doubles_link_adr", "refuses"};

#define STEP_HZ 100

/* --- answers ------------------------------------------------------------------------------------------------ */

void sim_device_answer(struct sim_device *device, const struct lw_mac_command *command, bool until_downlink)
{
	if (device->answer_count == SIM_ANSWERS_MAX)
		return;
	struct sim_answer *slot = &device->answers[device->answer_count];
	struct wr wr = wr_init(slot->bytes, sizeof slot->bytes);
	if (lw_mac_write(&wr, command, STEP_HZ) != LW_MAC_WRITE_OK)
		return;
	slot->length = (uint8_t)wr_length(&wr);
	slot->until_downlink = until_downlink;
	slot->sent = false;
	device->answer_count++;
}

static void drop_answers(struct sim_device *device, bool heard)
{
	size_t kept = 0;
	for (size_t i = 0; i < device->answer_count; i++) {
		const struct sim_answer *slot = &device->answers[i];
		bool done = slot->sent && (heard || !slot->until_downlink);
		if (!done)
			device->answers[kept++] = *slot;
	}
	device->answer_count = kept;
}

void sim_device_answers_sent(struct sim_device *device)
{
	drop_answers(device, false);
}

void sim_device_answers_heard(struct sim_device *device)
{
	drop_answers(device, true);
}

static bool request_is_due(uint8_t every, uint64_t readings)
{
	return every != 0 && readings % every == 0;
}

/* Commands of the device's own come first, then answers. */
static size_t requests(const struct sim_device *device, struct wr *wr)
{
	struct lw_mac_command command = {.direction = LW_UP};
	if (device->rekey) {
		command.cid = device->config.activation == SIM_OTAA ? LW_CID_REKEY : LW_CID_RESET;
		if (command.cid == LW_CID_REKEY)
			command.as.rekey.minor = 1;
		else
			command.as.reset.minor = 1;
		(void)!lw_mac_write(wr, &command, STEP_HZ);
	}
	command = (struct lw_mac_command){.direction = LW_UP, .cid = LW_CID_LINK_CHECK};
	if (request_is_due(device->config.link_check_every, device->readings))
		(void)!lw_mac_write(wr, &command, STEP_HZ);
	command.cid = LW_CID_DEVICE_TIME;
	if (sim_rules_knows(device->config.mac_version, LW_CID_DEVICE_TIME) &&
	    request_is_due(device->config.device_time_every, device->readings))
		(void)!lw_mac_write(wr, &command, STEP_HZ);
	sim_device_more_requests(device, wr);
	return wr_length(wr);
}

size_t sim_device_commands_length(const struct sim_device *device)
{
	uint8_t room[16];
	struct wr wr = wr_init(room, sizeof room);
	size_t length = requests(device, &wr);
	for (size_t i = 0; i < device->answer_count; i++)
		length += device->answers[i].length;
	return length;
}

size_t sim_device_write_commands(struct sim_device *device, uint8_t *out, size_t capacity)
{
	struct wr wr = wr_init(out, capacity);
	requests(device, &wr);
	for (size_t i = 0; i < device->answer_count; i++) {
		struct sim_answer *slot = &device->answers[i];
		if (slot->length > wr_room(&wr))
			break; /* cut at the end, so that the order stays: the rest goes with the next uplink */
		wr_copy(&wr, slot->bytes, slot->length);
		slot->sent = true;
	}
	return wr_length(&wr);
}

/* --- the other requests ------------------------------------------------------------------------------------- */

bool sim_device_tunable(const struct sim_device *device, uint32_t freq_hz)
{
	return freq_hz >= device->config.plan->min_hz && freq_hz <= device->config.plan->max_hz;
}

static void rx_param_setup(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_RX_PARAM_SETUP};
	uint8_t offset = request->as.rx_param_setup_req.rx1_dr_offset;
	uint8_t dr = request->as.rx_param_setup_req.rx2_data_rate;
	uint32_t freq_hz = request->as.rx_param_setup_req.frequency_hz;
	bool offset_ok = offset <= device->config.plan->max_rx1_offset;
	bool dr_ok = sim_plan_has_rate(device->config.plan, dr, false);
	bool freq_ok = sim_device_tunable(device, freq_hz);
	if (offset_ok && dr_ok && freq_ok) {
		device->rx1_offset = offset;
		device->rx2_dr = dr;
		device->rx2_freq_hz = freq_hz;
	}
	ans.as.rx_param_setup_ans.rx1_dr_offset_ack = offset_ok;
	ans.as.rx_param_setup_ans.rx2_data_rate_ack = dr_ok;
	ans.as.rx_param_setup_ans.channel_ack = freq_ok;
	sim_device_answer(device, &ans, true);
}

static void new_channel(struct sim_device *device, const struct lw_mac_command *request)
{
	const struct sim_plan *plan = device->config.plan;
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_NEW_CHANNEL};
	uint8_t at = request->as.new_channel_req.ch_index;
	uint32_t freq_hz = request->as.new_channel_req.frequency_hz;
	uint8_t min_dr = request->as.new_channel_req.min_dr, max_dr = request->as.new_channel_req.max_dr;
	bool freq_ok = at >= plan->default_channels && at < plan->channels &&
		       (freq_hz == 0 || sim_device_tunable(device, freq_hz));
	bool dr_ok = at >= plan->default_channels && min_dr <= max_dr &&
		     sim_plan_has_rate(plan, min_dr, true) && sim_plan_has_rate(plan, max_dr, true);
	if (plan->fixed)
		return; /* not a command of such plans */
	if (freq_ok && dr_ok && freq_hz == 0)
		device->channels[at] = (struct sim_channel){0};
	else if (freq_ok && dr_ok)
		device->channels[at] = (struct sim_channel){
			.freq_hz = freq_hz, .min_dr = min_dr, .max_dr = max_dr, .enabled = true};
	sim_device_need_channel(device);
	ans.as.new_channel_ans.channel_frequency_ok = freq_ok;
	ans.as.new_channel_ans.data_rate_range_ok = dr_ok;
	sim_device_answer(device, &ans, false);
}

static void dl_channel(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_DL_CHANNEL};
	uint8_t at = request->as.dl_channel_req.ch_index;
	uint32_t freq_hz = request->as.dl_channel_req.frequency_hz;
	bool exists = at < device->config.plan->channels && device->channels[at].freq_hz != 0;
	bool freq_ok = sim_device_tunable(device, freq_hz);
	if (device->config.plan->fixed)
		return;
	if (exists && freq_ok)
		device->channels[at].down_freq_hz = freq_hz;
	ans.as.dl_channel_ans.uplink_frequency_exists = exists;
	ans.as.dl_channel_ans.channel_frequency_ok = freq_ok;
	sim_device_answer(device, &ans, true);
}

/* `raw`: the byte as it came; up to 1.0.1 the value 255 means more than its low nibble. */
static void duty_cycle(struct sim_device *device, const struct lw_mac_command *request, uint8_t raw)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_DUTY_CYCLE};
	device->duty_exponent = request->as.duty_cycle_req.max_dcycle;
	device->silenced = device->rules->duty_cycle_255_is_off && raw == 255;
	sim_device_answer(device, &ans, false);
}

static void dev_status(struct sim_device *device)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_DEV_STATUS};
	ans.as.dev_status_ans.battery = device->battery;
	ans.as.dev_status_ans.margin = device->margin_db;
	sim_device_answer(device, &ans, false);
}

static void rx_timing_setup(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_RX_TIMING_SETUP};
	uint8_t delay_s = request->as.rx_timing_setup_req.delay;
	device->rx_delay_s = delay_s ? delay_s : 1;
	sim_device_answer(device, &ans, true);
}

/* 5.9: a device whose rate the dwell time forbids goes to the lowest that it allows. */
static void tx_param_setup(struct sim_device *device, const struct lw_mac_command *request)
{
	static const int8_t eirp_dbm[16] = {8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36};
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_TX_PARAM_SETUP};
	if (!device->config.plan->tx_param_setup)
		return; /* not a command of such plans */
	device->uplink_dwell = request->as.tx_param_setup_req.uplink_dwell_time;
	device->downlink_dwell = request->as.tx_param_setup_req.downlink_dwell_time;
	/* A bound from above: no device sends with more than it can. */
	int8_t bound_dbm = eirp_dbm[request->as.tx_param_setup_req.max_eirp & 15],
	       own_dbm = device->config.plan->max_eirp_dbm;
	device->max_eirp_dbm = bound_dbm < own_dbm ? bound_dbm : own_dbm;
	if (device->dr < sim_device_min_dr(device))
		device->dr = sim_device_min_dr(device);
	sim_device_answer(device, &ans, true);
}

static void adr_param_setup(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_ADR_PARAM_SETUP};
	device->adr_limit = 1u << request->as.adr_param_setup_req.limit_exp;
	device->adr_delay = 1u << request->as.adr_param_setup_req.delay_exp;
	sim_device_answer(device, &ans, false);
}

/* Time of the end of the uplink (5.11): not of the answer. */
static void device_time(struct sim_device *device, const struct lw_mac_command *ans)
{
	int64_t gps_us = (int64_t)ans->as.device_time_ans.gps_seconds * 1000000 +
			 (int64_t)ans->as.device_time_ans.fraction_256 * 1000000 / 256;
	device->has_time = true;
	device->gps_offset_us = gps_us - device->uplink_end_us;
}

/* What the network asks, as against what it answers. */
static bool is_request(uint8_t cid)
{
	return cid != LW_CID_RESET && cid != LW_CID_REKEY && cid != LW_CID_LINK_CHECK &&
	       cid != LW_CID_DEVICE_TIME && cid != LW_CID_PING_SLOT_INFO && cid != LW_CID_BEACON_TIMING &&
	       cid != LW_CID_DEVICE_MODE;
}

static void apply_one(struct sim_device *device, int64_t now_us, const struct lw_mac_command *command,
		      uint8_t raw)
{
	switch (command->cid) {
	case LW_CID_RESET:
		if (device->config.activation == SIM_ABP)
			device->rekey = false;
		break;
	case LW_CID_REKEY:
		if (device->config.activation == SIM_OTAA)
			device->rekey = false;
		break;
	case LW_CID_LINK_CHECK:
		device->has_link_check = true;
		device->link_margin_db = command->as.link_check_ans.margin;
		device->link_gateways = command->as.link_check_ans.gw_cnt;
		break;
	case LW_CID_DUTY_CYCLE: duty_cycle(device, command, raw); break;
	case LW_CID_RX_PARAM_SETUP: rx_param_setup(device, command); break;
	case LW_CID_DEV_STATUS: dev_status(device); break;
	case LW_CID_NEW_CHANNEL: new_channel(device, command); break;
	case LW_CID_RX_TIMING_SETUP: rx_timing_setup(device, command); break;
	case LW_CID_TX_PARAM_SETUP: tx_param_setup(device, command); break;
	case LW_CID_DL_CHANNEL: dl_channel(device, command); break;
	case LW_CID_DEVICE_TIME: device_time(device, command); break;
	case LW_CID_ADR_PARAM_SETUP: adr_param_setup(device, command); break;
	case LW_CID_FORCE_REJOIN: sim_device_force_rejoin(device, command); break;
	default: (void)sim_device_apply_more(device, now_us, command); break;
	}
}

/* A device that will have none of it: every bit of its answer is 0, and nothing is done. False: no answer to this can say so. */
static bool refuse(struct sim_device *device, uint8_t cid)
{
	switch (cid) {
	case LW_CID_RX_PARAM_SETUP:
	case LW_CID_DL_CHANNEL:
	case LW_CID_PING_SLOT_CHANNEL:
		sim_device_answer(device, &(struct lw_mac_command){.direction = LW_UP, .cid = cid}, true);
		return true;
	case LW_CID_NEW_CHANNEL:
	case LW_CID_REJOIN_PARAM_SETUP:
	case LW_CID_BEACON_FREQ:
		sim_device_answer(device, &(struct lw_mac_command){.direction = LW_UP, .cid = cid}, false);
		return true;
	default: return false;
	}
}

void sim_device_apply_commands(struct sim_device *device, int64_t now_us, const uint8_t *bytes, size_t length)
{
	struct lw_mac_command block[LW_PHY_PAYLOAD_MAX / 5];
	size_t count = 0, blocks = 0;
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	lw_mac_reader_init(&reader, LW_DOWN, bytes, length, STEP_HZ);
	for (;;) {
		bool got = lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND &&
			   sim_rules_knows(device->config.mac_version, command.cid);
		if (got && device->config.mac_fault == SIM_MAC_MUTE && is_request(command.cid))
			continue;
		if (got && command.cid == LW_CID_LINK_ADR && count < ARRAY_SIZE(block)) {
			block[count++] = command;
			continue;
		}
		/* A second block is the network's mistake, and not answered. */
		if (count > 0 && (blocks++ == 0 || !device->rules->link_adr_one_block))
			sim_device_link_adr(device, block, count);
		count = 0;
		if (!got)
			return;
		if (device->config.mac_fault == SIM_MAC_REFUSES && refuse(device, command.cid))
			continue;
		size_t after_cid = reader.offset + 1;
		apply_one(device, now_us, &command, after_cid < length ? bytes[after_cid] : 0);
	}
}
