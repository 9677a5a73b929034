/* LinkADRReq: what the network wants of data rate, power, repeats and channels (TS001-1.0.4 section 5.2). */
#include "simulator/device_parts.h"

#define KEEP 15 /* from 1.0.4 on: leave it as it is */

/* Applies one ChMask to `enabled`; false if ChMaskCntl means nothing in this plan or asks for channels that do not exist. */
static bool apply_mask(const struct sim_device *device, bool *enabled, uint8_t control, uint16_t mask)
{
	const struct sim_plan *plan = device->config.plan;
	size_t first = 16u * control, count = 16;
	if (!plan->fixed && control == 6) {
		for (size_t i = 0; i < plan->channels; i++)
			enabled[i] = device->channels[i].freq_hz != 0;
		return true;
	}
	if (!plan->fixed && control != 0)
		return false;
	if (plan->fixed && control == 5) {
		if (!device->rules->link_adr_banks)
			return false;
		for (size_t i = 0; i < plan->channels; i++)
			enabled[i] = (mask >> (i < 64 ? i / 8 : i - 64) & 1) != 0;
		return true;
	}
	if (plan->fixed && control >= 6) {
		for (size_t i = 0; i < 64; i++)
			enabled[i] = control == 6;
		first = 64;
	}
	if (first == 64)
		count = 8;
	for (size_t i = 0; i < count; i++) {
		bool on = (mask >> i & 1) != 0;
		if (on && device->channels[first + i].freq_hz == 0)
			return false;
		enabled[first + i] = on;
	}
	return true;
}

static bool any_channel(const struct sim_device *device, const bool *enabled, int dr)
{
	for (size_t i = 0; i < device->config.plan->channels; i++) {
		const struct sim_channel *channel = &device->channels[i];
		if (enabled[i] && (dr < 0 || (dr >= channel->min_dr && dr <= channel->max_dr)))
			return true;
	}
	return false;
}

static void decide(struct sim_device *device, const struct lw_mac_command *block, size_t count);

/* A run of LinkADRReq is one block (5.2): masks add up in order, the rest is the last one's, all or nothing. Before 1.0.2 the
 * text knew no blocks: each request stands for itself. */
void sim_device_link_adr(struct sim_device *device, const struct lw_mac_command *block, size_t count)
{
	bool blocks = device->rules->link_adr_blocks;
	for (size_t i = 0; i < count && !blocks; i++)
		decide(device, &block[i], 1);
	if (blocks)
		decide(device, block, count);
}

static void decide(struct sim_device *device, const struct lw_mac_command *block, size_t count)
{
	bool keeps = device->rules->link_adr_keeps;
	bool enabled[SIM_CHANNELS_MAX];
	bool mask_ok = true;
	for (size_t i = 0; i < SIM_CHANNELS_MAX; i++)
		enabled[i] = device->channels[i].enabled;
	for (size_t i = 0; i < count; i++)
		mask_ok = mask_ok && apply_mask(device, enabled, block[i].as.link_adr_req.ch_mask_cntl,
						block[i].as.link_adr_req.ch_mask);
	const struct lw_mac_command *last = &block[count - 1];
	uint8_t dr = last->as.link_adr_req.data_rate, power = last->as.link_adr_req.tx_power;
	if (keeps && dr == KEEP)
		dr = device->dr;
	if (keeps && power == KEEP)
		power = device->power_index;
	mask_ok = mask_ok && any_channel(device, enabled, -1);
	bool dr_ok = sim_plan_has_rate(device->config.plan, dr, true) &&
		     sim_plan_max_payload(device->config.plan, dr, device->uplink_dwell) > 0 &&
		     any_channel(device, enabled, dr);
	bool power_ok = power <= device->config.plan->max_power_index &&
			(power == 0 || device->config.mac_fault != SIM_MAC_REFUSES_POWER);
	if (!device->config.adr) {
		/* Without ADR the network decides on the mask alone (1.0.4, 4.3.1.1). */
		dr_ok = power_ok = false;
	}
	if (device->config.mac_fault == SIM_MAC_REFUSES)
		mask_ok = dr_ok = power_ok = false;
	bool all = mask_ok && dr_ok && power_ok;
	if (all || (mask_ok && !device->config.adr)) {
		for (size_t i = 0; i < SIM_CHANNELS_MAX; i++)
			device->channels[i].enabled = enabled[i];
	}
	if (all) {
		uint8_t nb_trans = last->as.link_adr_req.nb_trans;
		device->dr = dr;
		device->power_index = power;
		if (nb_trans != 0)
			device->nb_trans = nb_trans;
		else if (device->rules->nb_trans_0_is_1)
			device->nb_trans = 1;
	}
	struct lw_mac_command ans = {.direction = LW_UP, .cid = LW_CID_LINK_ADR};
	ans.as.link_adr_ans.ch_mask_ack = mask_ok;
	ans.as.link_adr_ans.data_rate_ack = dr_ok;
	ans.as.link_adr_ans.power_ack = power_ok;
	size_t answers = device->rules->link_adr_one_answer ? 1 : count;
	if (device->config.mac_fault == SIM_MAC_DOUBLES_LINK_ADR)
		answers *= 2;
	for (size_t i = 0; i < answers; i++)
		sim_device_answer(device, &ans, false);
}
