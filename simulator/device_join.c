/* Join-requests and their back-off (TS001-1.0.4 sections 6 and 7). */
#include "simulator/device_parts.h"

#include "common/base/check.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define S_US INT64_C(1000000)

size_t sim_device_encode_join(struct sim_device *device, uint8_t *phy)
{
	bool is_1_1 = device->rules->two_root_keys;
	struct lw_join_request request = {.join_eui = device->config.join_eui,
					  .dev_eui = device->config.dev_eui,
					  .dev_nonce = (uint16_t)device->dev_nonce};
	size_t length = lw_join_request_encode(&request, phy);
	struct lw_mic mic = lw_mic_join(
		device->aes, is_1_1 ? &device->config.nwk_key : &device->config.app_key, phy, length - 4);
	memcpy(phy + length - 4, mic.bytes, sizeof mic.bytes);
	return length;
}

/* Join back-off (TS001-1.0.4 section 7): so much airtime in the first hour, in the next ten, in each day after. */
static const struct join_step {
	int64_t length_us;
	int64_t budget_us;
} join_steps[] = {
	{3600 * S_US, 36 * S_US},
	{36000 * S_US, 36 * S_US},
	{86400 * S_US, 8700000},
};

/* Returns when an attempt of that airtime may leave. */
static int64_t join_allowed_us(struct sim_device *device, int64_t now_us, int64_t airtime_us)
{
	if (device->join_attempts == 0) {
		device->join_first_us = now_us;
		device->join_airtime_us = 0;
		device->join_step = 0;
	}
	const struct join_step *step = &join_steps[device->join_step];
	while (now_us >= device->join_first_us + step->length_us) {
		device->join_first_us += step->length_us;
		device->join_airtime_us = 0;
		if (device->join_step + 1u < ARRAY_SIZE(join_steps))
			device->join_step++;
		step = &join_steps[device->join_step];
	}
	return device->join_airtime_us + airtime_us <= step->budget_us ||
			       device->config.join_manner == SIM_JOIN_STUBBORN
		       ? now_us
		       : device->join_first_us + step->length_us;
}

int64_t sim_device_join_pause_us(struct sim_device *device)
{
	const struct sim_rate *rate = &device->config.plan->rates[device->tx_dr];
	int64_t pause_us = sim_device_between(device, S_US, 8 * S_US);
	int64_t airtime_us = sim_rate_airtime_us(rate, LW_JOIN_REQUEST_LENGTH, true);
	int64_t since_us = device->rx2_us - device->uplink_end_us; /* about what has passed */
	switch (device->config.join_manner) {
	case SIM_JOIN_BUDGET: break;
	case SIM_JOIN_PACED:
		if (99 * airtime_us > since_us + pause_us)
			pause_us += 99 * airtime_us - since_us;
		break;
	case SIM_JOIN_STUBBORN: return 10 * S_US > since_us ? 10 * S_US - since_us : S_US;
	}
	return pause_us;
}

/* Fixed plans alternate between the 125 kHz channels and the 500 kHz ones; others go down one rate every second attempt, or, paced, through
 * all rates in turn. */
static uint8_t join_rate(const struct sim_device *device)
{
	const struct sim_plan *plan = device->config.plan;
	if (plan->fixed)
		return device->join_attempts % 2 == 0 ? plan->join_dr : plan->wide_dr;
	uint32_t down = device->config.join_manner == SIM_JOIN_STUBBORN ? 0 : device->join_attempts / 2;
	uint8_t dr = device->config.dr > 5 ? 5 : device->config.dr;
	/* The same for the same attempt, as it is asked for twice. */
	if (device->config.join_manner == SIM_JOIN_PACED && dr > plan->join_dr)
		return (uint8_t)(dr - (device->index + device->join_attempts) % (dr - plan->join_dr + 1u));
	return down + plan->join_dr >= dr ? plan->join_dr : (uint8_t)(dr - down);
}

bool sim_device_start_join(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	const struct sim_rate *rate = &device->config.plan->rates[join_rate(device)];
	int64_t airtime_us = sim_airtime_us(rate->spreading_factor, rate->bandwidth_hz,
					    LW_JOIN_REQUEST_LENGTH, true);
	int64_t allowed_us = join_allowed_us(device, now_us, airtime_us);
	if (allowed_us > now_us) {
		device->next_us = allowed_us;
		return false;
	}
	device->joining = true;
	device->attempt = 0;
	uint32_t nonce_before = device->dev_nonce;
	if (device->rules->dev_nonce_counts)
		device->dev_nonce++;
	else
		device->dev_nonce = rng_below(&device->rng, 0x10000);
	if (device->dev_nonce > 0xffff) {
		device->next_us =
			SIM_DEVICE_NEVER; /* the counter is used up: never again under this JoinEUI */
		return false;
	}
	if (!sim_device_transmit(device, now_us, join_rate(device), uplink)) {
		device->dev_nonce = nonce_before;
		return false;
	}
	device->join_attempts++;
	return true;
}
