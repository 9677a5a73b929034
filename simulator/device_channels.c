/* What a device boots with, and what it may send on and listen to: channels, the CFList of a join-accept, windows. */
#include "simulator/device_parts.h"

#include <string.h>

#define STEP_HZ   100
#define ADR_LIMIT 64
#define ADR_DELAY 32

static bool in_sub_band(const struct sim_device *device, size_t channel)
{
	if (!device->config.plan->fixed || device->config.sub_band == 0)
		return true;
	size_t bank = channel < 64 ? channel / 8 : channel - 64;
	return bank == device->config.sub_band - 1u;
}

void sim_device_restore_channels(struct sim_device *device)
{
	const struct sim_plan *plan = device->config.plan;
	for (uint8_t i = 0; i < plan->default_channels; i++)
		device->channels[i].enabled = in_sub_band(device, i);
}

uint8_t sim_device_min_dr(const struct sim_device *device)
{
	return sim_plan_min_dr(device->config.plan, device->uplink_dwell);
}

void sim_device_boot_parameters(struct sim_device *device)
{
	const struct sim_plan *plan = device->config.plan;
	memset(device->channels, 0, sizeof device->channels);
	for (uint8_t i = 0; i < plan->default_channels; i++) {
		struct sim_channel *channel = &device->channels[i];
		channel->freq_hz = sim_plan_default_freq_hz(plan, i);
		sim_plan_default_rates(plan, i, &channel->min_dr, &channel->max_dr);
	}
	sim_device_restore_channels(device);
	device->dr = device->config.dr;
	device->power_index = 0;
	device->nb_trans = device->config.nb_trans ? device->config.nb_trans : 1;
	device->rx1_offset = 0;
	device->rx2_dr = plan->rx2_dr;
	device->rx2_freq_hz = plan->rx2_freq_hz;
	device->rx_delay_s = device->config.rx_delay_s ? device->config.rx_delay_s : 1;
	device->duty_exponent = 0;
	device->silenced = false;
	device->uplink_dwell = plan->tx_param_setup;
	device->downlink_dwell = false;
	device->max_eirp_dbm = plan->max_eirp_dbm;
	if (device->dr < sim_device_min_dr(device))
		device->dr = sim_device_min_dr(device);
	device->adr_count = 0;
	device->adr_limit = ADR_LIMIT;
	device->adr_delay = ADR_DELAY;
	device->answer_count = 0;
	sim_device_boot_more(device);
	sim_device_windows_in_force(device);
}

void sim_device_apply_cflist(struct sim_device *device, const uint8_t bytes[LW_CFLIST_LENGTH])
{
	const struct sim_plan *plan = device->config.plan;
	struct lw_cflist list;
	if (!lw_cflist_decode(&list, bytes, STEP_HZ) || (list.type == 1) != plan->fixed ||
	    (list.type == 1 && !device->rules->cflist_has_masks))
		return; /* of another kind of plan, or RFU in this version: ignored */
	if (list.type == 0) {
		for (size_t i = 0; i < LW_CFLIST_FREQUENCIES; i++) {
			uint32_t freq_hz = list.frequencies_hz[i];
			struct sim_channel *channel = &device->channels[plan->default_channels + i];
			if (freq_hz >= plan->min_hz && freq_hz <= plan->max_hz)
				*channel = (struct sim_channel){
					.freq_hz = freq_hz, .max_dr = 5, .enabled = true};
		}
		return;
	}
	for (size_t i = 0; i < plan->channels; i++)
		device->channels[i].enabled = (list.ch_masks[i / 16] >> (i % 16) & 1) != 0;
	sim_device_need_channel(device);
}

void sim_device_need_channel(struct sim_device *device)
{
	for (size_t i = 0; i < device->config.plan->channels; i++) {
		if (device->channels[i].enabled && device->channels[i].freq_hz != 0)
			return;
	}
	sim_device_restore_channels(device);
}

void sim_device_windows_in_force(struct sim_device *device)
{
	for (size_t i = 0; i < device->answer_count; i++) {
		if (device->answers[i].until_downlink && !device->answers[i].sent)
			return;
	}
	device->in_force = (struct sim_windows){.rx1_offset = device->rx1_offset,
						.rx2_dr = device->rx2_dr,
						.rx2_freq_hz = device->rx2_freq_hz,
						.rx_delay_s = device->rx_delay_s,
						.downlink_dwell = device->downlink_dwell};
	for (size_t i = 0; i < device->config.plan->channels; i++)
		device->channels[i].window_freq_hz = device->channels[i].down_freq_hz;
}
