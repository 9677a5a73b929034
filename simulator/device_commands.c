/* What a device makes of the commands that came with 1.1 and class B (TS001-1.1 sections 5 and 14, TS001-1.0.2 section 14): the rejoin's
 * parameters, beacon, ping slot, its class. Of class B the device has the commands alone: it opens no ping slots. */
#include "simulator/device_parts.h"

#define STEP_HZ    100
#define NOT_ASKED  255
#define CLASS_B_US 30000 /* unit of BeaconTimingAns */
#define MODE_A     0
#define MODE_C     2

void sim_device_boot_more(struct sim_device *device)
{
	device->rejoin_max_time_n = NOT_ASKED;
	device->rejoin_max_count_n = NOT_ASKED;
	device->beacon_freq_hz = 0;
	device->ping_slot_freq_hz = 0;
	device->ping_slot_dr = NOT_ASKED;
	device->asks_ping_slot = device->knows_ping_slot = false;
	device->asks_beacon = device->has_beacon = false;
	device->tells_mode = false;
	device->device_mode = MODE_A;
}

void sim_device_tell_mode(struct sim_device *device, uint8_t mode)
{
	device->device_mode = mode;
	device->tells_mode = true;
}

void sim_device_ask_ping_slot(struct sim_device *device, uint8_t periodicity)
{
	device->ping_periodicity = periodicity;
	device->asks_ping_slot = true;
	device->knows_ping_slot = false;
}

void sim_device_ask_beacon(struct sim_device *device)
{
	device->asks_beacon = true;
	device->has_beacon = false;
}

void sim_device_more_requests(const struct sim_device *device, struct wr *wr)
{
	struct lw_mac_command command = {.direction = LW_UP, .cid = LW_CID_DEVICE_MODE};
	command.as.device_mode.class = device->device_mode;
	if (device->tells_mode && device->rules_1_1)
		(void)!lw_mac_write(wr, &command, STEP_HZ);
	command = (struct lw_mac_command){.direction = LW_UP, .cid = LW_CID_PING_SLOT_INFO};
	command.as.ping_slot_info_req.periodicity = device->ping_periodicity;
	if (device->asks_ping_slot)
		(void)!lw_mac_write(wr, &command, STEP_HZ);
	command = (struct lw_mac_command){.direction = LW_UP, .cid = LW_CID_BEACON_TIMING};
	if (device->asks_beacon)
		(void)!lw_mac_write(wr, &command, STEP_HZ);
}

/* Every device takes the count; one without a timer refuses the time (TimeOK 0). */
static void rejoin_param_setup(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_REJOIN_PARAM_SETUP};
	device->rejoin_max_count_n = request->as.rejoin_param_setup_req.max_count_n;
	ans.as.rejoin_param_setup_ans.time_ok = !device->config.no_rejoin_timer;
	if (!device->config.no_rejoin_timer)
		device->rejoin_max_time_n = request->as.rejoin_param_setup_req.max_time_n;
	sim_device_answer(device, &ans, false);
}

static bool tunable_or_default(const struct sim_device *device, uint32_t freq_hz)
{
	return freq_hz == 0 || sim_device_tunable(device, freq_hz);
}

static void beacon_freq(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_BEACON_FREQ};
	uint32_t freq_hz = request->as.beacon_freq_req.frequency_hz;
	bool good = tunable_or_default(device, freq_hz);
	if (good)
		device->beacon_freq_hz = freq_hz;
	ans.as.beacon_freq_ans.beacon_frequency_ok = good;
	sim_device_answer(device, &ans, false);
}

/* Both or none; the answer is repeated until a downlink is heard. */
static void ping_slot_channel(struct sim_device *device, const struct lw_mac_command *request)
{
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_PING_SLOT_CHANNEL};
	uint32_t freq_hz = request->as.ping_slot_channel_req.frequency_hz;
	uint8_t dr = request->as.ping_slot_channel_req.data_rate;
	bool freq_ok = tunable_or_default(device, freq_hz);
	bool dr_ok = sim_plan_has_rate(device->config.plan, dr, false);
	if (freq_ok && dr_ok) {
		device->ping_slot_freq_hz = freq_hz;
		device->ping_slot_dr = dr;
	}
	ans.as.ping_slot_channel_ans.channel_frequency_ok = freq_ok;
	ans.as.ping_slot_channel_ans.data_rate_ok = dr_ok;
	sim_device_answer(device, &ans, true);
}

/* The delay counts from the end of the downlink that brought it. */
static void beacon_timing(struct sim_device *device, int64_t now_us, const struct lw_mac_command *answer)
{
	device->asks_beacon = false;
	device->has_beacon = true;
	device->beacon_us = now_us + (int64_t)answer->as.beacon_timing_ans.delay * CLASS_B_US;
	device->beacon_channel = answer->as.beacon_timing_ans.channel;
}

bool sim_device_apply_more(struct sim_device *device, int64_t now_us, const struct lw_mac_command *command)
{
	switch (command->cid) {
	case LW_CID_REJOIN_PARAM_SETUP: rejoin_param_setup(device, command); return true;
	case LW_CID_BEACON_FREQ: beacon_freq(device, command); return true;
	case LW_CID_PING_SLOT_CHANNEL: ping_slot_channel(device, command); return true;
	case LW_CID_BEACON_TIMING: beacon_timing(device, now_us, command); return true;
	case LW_CID_PING_SLOT_INFO:
		device->knows_ping_slot = device->asks_ping_slot;
		device->asks_ping_slot = false;
		return true;
	case LW_CID_DEVICE_MODE: device->tells_mode = false; return true;
	default: return false;
	}
}
