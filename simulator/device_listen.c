/* Receive windows: when and where they open, and what becomes of a frame that one of them hears (TS001-1.0.4 section 3.3). */
#include "simulator/device_parts.h"

#include <string.h>

#define S_US            INT64_C(1000000)
#define JOIN_DELAY_1_US (5 * S_US)
#define JOIN_DELAY_2_US (6 * S_US)
#define FRAME_OVERHEAD  5 /* MHDR and MIC */

static const char *const result_names[SIM_DOWN_RESULT_COUNT] = {
	[SIM_DOWN_ACCEPTED] = "accepted",     [SIM_DOWN_MALFORMED] = "malformed",
	[SIM_DOWN_NOT_OURS] = "not_ours",     [SIM_DOWN_MIC] = "mic",
	[SIM_DOWN_REPEATED] = "repeated",     [SIM_DOWN_GAP] = "gap",
	[SIM_DOWN_JOIN_NONCE] = "join_nonce", [SIM_DOWN_PARAMETERS] = "parameters",
	[SIM_DOWN_TOO_LONG] = "too_long",     [SIM_DOWN_UNREADABLE] = "unreadable",
};

const char *sim_down_result_name(enum sim_down_result result)
{
	return (unsigned)result < SIM_DOWN_RESULT_COUNT ? result_names[result] : "unknown";
}

static int64_t exchange_close_us(const struct sim_device *device)
{
	const struct sim_rate *rate = &device->config.plan->rates[device->window_rx2_dr];
	return device->rx2_us + device->config.rx_error_us + sim_rate_patience_us(rate);
}

/* Opens the windows of a frame that ends at `end_us`. */
int64_t sim_device_plan_windows(struct sim_device *device, int64_t end_us)
{
	const struct sim_plan *plan = device->config.plan;
	const struct sim_channel *channel = &device->channels[device->tx_channel];
	uint8_t offset = device->joining ? 0 : device->in_force.rx1_offset;
	device->uplink_end_us = end_us;
	/* A rejoin has a join's delays, and else the windows of the session (1.1, 6.2.3). */
	bool accept = sim_device_awaits_accept(device);
	device->rx1_us = end_us + (accept ? JOIN_DELAY_1_US : device->in_force.rx_delay_s * S_US);
	device->rx2_us = end_us + (accept ? JOIN_DELAY_2_US : (device->in_force.rx_delay_s + 1) * S_US);
	device->rx1_dr = sim_plan_rx1_dr(plan, device->tx_dr, offset,
					 device->in_force.downlink_dwell && !device->joining);
	device->rx1_freq_hz = channel->window_freq_hz != 0
				      ? channel->window_freq_hz
				      : sim_plan_rx1_freq_hz(plan, device->tx_channel, channel->freq_hz);
	device->window_rx2_dr = device->joining ? plan->rx2_dr : device->in_force.rx2_dr;
	device->window_rx2_freq_hz = device->joining ? plan->rx2_freq_hz : device->in_force.rx2_freq_hz;
	device->locked_window = 0;
	return exchange_close_us(device);
}

static bool window_hears(const struct sim_device *device, int64_t opens_us, uint32_t freq_hz, uint8_t dr,
			 const struct sim_downlink *downlink)
{
	const struct sim_rate *rate = &device->config.plan->rates[dr];
	int64_t off_us = downlink->start_us - opens_us;
	return off_us >= -device->config.rx_error_us && off_us <= device->config.rx_error_us &&
	       downlink->freq_hz == freq_hz && downlink->spreading_factor == rate->spreading_factor &&
	       downlink->bandwidth_hz == rate->bandwidth_hz;
}

bool sim_device_listens(struct sim_device *device, const struct sim_downlink *downlink)
{
	bool lora = downlink->spreading_factor != 0; /* FSK has no polarity */
	if (device->state != SIM_DEVICE_EXCHANGE || device->locked_window != 0 || downlink->inverted != lora)
		return false;
	if (window_hears(device, device->rx1_us, device->rx1_freq_hz, device->rx1_dr, downlink))
		device->locked_window = 1;
	else if (window_hears(device, device->rx2_us, device->window_rx2_freq_hz, device->window_rx2_dr,
			      downlink))
		device->locked_window = 2;
	else
		return false;
	device->next_us = SIM_DEVICE_NEVER; /* until the frame has ended */
	return true;
}

/* A frame that was not for us, or could not be read: after RX1, RX2 opens if it is not past. */
static void keep_listening(struct sim_device *device, int64_t now_us)
{
	int64_t close_us = device->locked_window == 1 ? exchange_close_us(device) : now_us;
	device->locked_window = 0;
	device->next_us = close_us > now_us ? close_us : now_us;
}

void sim_device_lost(struct sim_device *device, int64_t now_us)
{
	if (device->locked_window == 0)
		return; /* it was switched off meanwhile */
	struct sim_record record = sim_device_record(device, SIM_RECORD_DOWNLINK, now_us);
	record.window = device->locked_window;
	record.result = SIM_DOWN_UNREADABLE;
	sim_device_put(device, &record);
	keep_listening(device, now_us);
}

/* A join-accept ends the join; the first uplink follows at once, so that the network learns of the new session. */
static void joined(struct sim_device *device, int64_t now_us, const struct sim_record *downlink)
{
	struct sim_record record = sim_device_record(device, SIM_RECORD_JOINED, now_us);
	record.dev_nonce = downlink->dev_nonce;
	record.join_req_type = downlink->join_req_type;
	record.join_nonce = downlink->join_nonce;
	record.window = downlink->window;
	sim_device_put(device, &record);
	if (device->rejoining) {
		device->rejoining = false;
		device->soon = true;
		sim_device_rest(device, now_us);
		return;
	}
	device->joining = false;
	device->due_us = now_us + sim_device_between(device, S_US / 10, S_US);
	sim_device_set_state(device, SIM_DEVICE_IDLE, device->due_us);
}

/* A downlink ends the frame, but a confirmed frame up to 1.0.3 ends by an acknowledgement alone. */
static void data_heard(struct sim_device *device, int64_t now_us, const struct sim_record *downlink)
{
	bool acknowledged = device->confirmed && downlink->acknowledged;
	if (device->confirmed && !acknowledged && device->rules->own_retries)
		sim_device_exchange_closes(device, now_us);
	else
		sim_device_frame_is_over(device, now_us, acknowledged);
}

/* Devices hold a frame against the table without dwell time (RP002, regional README): the dwell time is the sender's affair. */
static bool is_too_long(const struct sim_device *device, size_t length)
{
	uint8_t dr = device->locked_window == 1 ? device->rx1_dr : device->window_rx2_dr;
	return !sim_device_awaits_accept(device) &&
	       length > FRAME_OVERHEAD + (size_t)sim_plan_max_payload(device->config.plan, dr, false);
}

enum sim_down_result sim_device_receive(struct sim_device *device, int64_t now_us, int snr_cdb,
					const uint8_t *phy, size_t length)
{
	if (device->locked_window == 0)
		return SIM_DOWN_UNREADABLE;
	if (device->miss_downlinks > 0) {
		device->miss_downlinks--;
		sim_device_lost(device, now_us);
		return SIM_DOWN_UNREADABLE;
	}
	struct sim_record record = sim_device_record(device, SIM_RECORD_DOWNLINK, now_us);
	int margin = (snr_cdb + (snr_cdb < 0 ? -50 : 50)) / 100; /* the nearest decibel (5.5) */
	record.window = device->locked_window;
	device->margin_db = (int8_t)(margin < -32 ? -32 : margin > 31 ? 31 : margin);
	record.phy_length = (uint8_t)length;
	memcpy(record.phy, phy, length);
	record.result = is_too_long(device, length)
				? SIM_DOWN_TOO_LONG
				: sim_device_read_downlink(device, now_us, phy, length, &record);
	sim_device_put(device, &record);
	if (record.result != SIM_DOWN_ACCEPTED) {
		keep_listening(device, now_us);
		return record.result;
	}
	device->locked_window = 0;
	if (sim_device_awaits_accept(device))
		joined(device, now_us, &record);
	else
		data_heard(device, now_us, &record);
	return SIM_DOWN_ACCEPTED;
}
