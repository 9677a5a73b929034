/* When a device sends, listens and gives up. */
#include "simulator/device.h"

#include "simulator/device_parts.h"

#include "common/base/check.h"

#include <string.h>

#define BATTERY         230 /* nine tenths */
#define S_US            INT64_C(1000000)
#define RX_ERROR_US     INT64_C(10000)
#define TRIES_CONFIRMED 8 /* up to 1.0.3: the specification's suggestion */

static const char *const record_names[SIM_RECORD_KIND_COUNT] = {
	[SIM_RECORD_JOIN_REQUEST] = "join_request",
	[SIM_RECORD_JOINED] = "joined",
	[SIM_RECORD_UPLINK] = "uplink",
	[SIM_RECORD_OUTCOME] = "outcome",
	[SIM_RECORD_DOWNLINK] = "downlink",
};

const char *sim_record_kind_name(enum sim_record_kind kind)
{
	return (unsigned)kind < SIM_RECORD_KIND_COUNT ? record_names[kind] : "unknown";
}

int64_t sim_device_between(struct sim_device *device, int64_t from_us, int64_t to_us)
{
	return from_us + rng_below(&device->rng, (uint32_t)(to_us - from_us + 1));
}

void sim_device_set_state(struct sim_device *device, enum sim_device_state state, int64_t next_us)
{
	static const bool allowed[4][4] = {
		[SIM_DEVICE_IDLE] = {true, true, true, true},
		[SIM_DEVICE_EXCHANGE] = {true, true, true, true},
		[SIM_DEVICE_WAITING] = {true, true, true, true},
		[SIM_DEVICE_OFF] = {true, false, false, true},
	};
	ASSERT(allowed[device->state][state]);
	device->state = state;
	device->next_us = next_us;
}

void sim_device_init(struct sim_device *device, const struct sim_device_config *config, uint32_t index,
		     struct aes *aes, uint64_t seed, struct sim_sink sink)
{
	*device = (struct sim_device){
		.config = *config,
		.rules = sim_rules_of(config->mac_version),
		.index = index,
		.rng = rng_seeded(seed ^ lw_eui64_number(&config->dev_eui)),
		.aes = aes,
		.sink = sink,
		.next_us = config->first_us,
		.due_us = config->first_us,
		.dev_nonce = config->first_dev_nonce,
		.battery = BATTERY,
		.rejoin_order = SIM_NO_REJOIN,
	};
	if (device->config.rx_error_us == 0)
		device->config.rx_error_us = RX_ERROR_US;
	if (device->config.tries == 0)
		device->config.tries = TRIES_CONFIRMED;
	sim_device_boot_parameters(device);
	if (device->rules->two_root_keys)
		device->js_int_key = lw_key_js_int(aes, &config->nwk_key, &config->dev_eui);
	if (config->activation == SIM_ABP) {
		device->joined = true;
		device->rules_1_1 = device->rules->two_root_keys;
		device->rekey = device->rules_1_1;
		device->dev_addr = config->dev_addr;
		device->keys = config->session_keys;
		device->fcnt_up = config->first_fcnt_up;
	}
}

int64_t sim_device_next_us(const struct sim_device *device)
{
	return device->next_us;
}

/* --- sending ------------------------------------------------------------------------------------------------ */

static int64_t channel_free_us(const struct sim_device *device, const struct sim_channel *channel)
{
	int64_t free_us = device->band_free_us[sim_plan_band(device->config.plan, channel->freq_hz)];
	return free_us > device->duty_free_us ? free_us : device->duty_free_us;
}

static bool channel_carries(const struct sim_channel *channel, uint8_t dr)
{
	return channel->enabled && channel->freq_hz != 0 && dr >= channel->min_dr && dr <= channel->max_dr;
}

uint8_t sim_device_rate(const struct sim_device *device)
{
	uint8_t lowest = sim_device_min_dr(device);
	for (uint8_t dr = device->dr; dr > lowest; dr--) {
		for (size_t i = 0; i < device->config.plan->channels; i++) {
			if (channel_carries(&device->channels[i], dr))
				return dr;
		}
	}
	return lowest;
}

/* Draws a channel that carries `dr` and is free, for a repeat another one than before if there is one. Returns −1 where none is,
 * `*free_us` being when one will be, or SIM_DEVICE_NEVER when no channel carries that rate. Joins take default channels only. */
static int draw_channel(struct sim_device *device, int64_t now_us, uint8_t dr, int64_t *free_us)
{
	const struct sim_plan *plan = device->config.plan;
	size_t limit = device->joining ? plan->default_channels : plan->channels;
	uint8_t candidates[SIM_CHANNELS_MAX] = {0};
	uint32_t count = 0;
	*free_us = SIM_DEVICE_NEVER;
	for (size_t i = 0; i < limit; i++) {
		const struct sim_channel *channel = &device->channels[i];
		if (!channel_carries(channel, dr))
			continue;
		int64_t at_us = channel_free_us(device, channel);
		if (at_us < *free_us)
			*free_us = at_us;
		if (at_us <= now_us)
			candidates[count++] = (uint8_t)i;
	}
	if (device->attempt > 0 && count > 1) {
		for (uint32_t i = 0; i < count; i++) {
			if (candidates[i] == device->tx_channel)
				candidates[i--] = candidates[--count];
		}
	}
	return count == 0 ? -1 : candidates[rng_below(&device->rng, count)];
}

/* After a frame the band rests: the share of time that its limit allows, and DutyCycleReq's over all bands. */
static void account_airtime(struct sim_device *device, uint32_t freq_hz, int64_t end_us, int64_t airtime_us)
{
	size_t band = sim_plan_band(device->config.plan, freq_hz);
	uint16_t permille = band < SIM_BANDS_MAX ? device->config.plan->bands[band].duty_permille : 1000;
	device->band_free_us[band] = end_us + airtime_us * 1000 / permille - airtime_us;
	device->duty_free_us = end_us + airtime_us * ((INT64_C(1) << device->duty_exponent) - 1);
}

struct sim_record sim_device_record(const struct sim_device *device, enum sim_record_kind kind, int64_t at_us)
{
	return (struct sim_record){.kind = kind,
				   .at_us = at_us,
				   .device = device->index,
				   .dev_addr = device->dev_addr,
				   .fport = -1};
}

void sim_device_put(const struct sim_device *device, const struct sim_record *record)
{
	if (device->sink.put != NULL)
		device->sink.put(device->sink.ctx, record);
}

static void put_phy(struct sim_record *record, const uint8_t *phy, size_t length)
{
	record->phy_length = (uint8_t)length;
	memcpy(record->phy, phy, length);
}

static void record_uplink(const struct sim_device *device, const struct sim_uplink *uplink)
{
	struct sim_record record = sim_device_record(
		device, sim_device_awaits_accept(device) ? SIM_RECORD_JOIN_REQUEST : SIM_RECORD_UPLINK,
		uplink->start_us);
	record.attempt = device->attempt;
	record.dr = device->tx_dr;
	record.freq_hz = uplink->freq_hz;
	if (device->joining) {
		record.join_req_type = LW_JOIN_REQ_TYPE_JOIN;
		record.dev_nonce = (uint16_t)device->dev_nonce;
	} else if (device->rejoining) {
		record.join_req_type = device->rejoin_type;
		record.dev_nonce = (uint16_t)device->rj_count[device->rejoin_type == 1];
	} else {
		record.fcnt = device->frame_fcnt;
		record.confirmed = device->confirmed;
		record.acknowledged = device->frame_ack;
		record.reading = device->is_reading;
		record.fport = device->frame_fport;
		record.length = device->frame_length;
		memcpy(record.payload, device->frame_payload, device->frame_length);
	}
	put_phy(&record, uplink->phy, uplink->length);
	sim_device_put(device, &record);
}

/* Puts the frame under way on the air, on a free channel; false where it has to wait, and `next_us` says until when. */
bool sim_device_transmit(struct sim_device *device, int64_t now_us, uint8_t dr, struct sim_uplink *uplink)
{
	int64_t free_us;
	int channel = draw_channel(device, now_us, dr, &free_us);
	while (channel < 0 && free_us == SIM_DEVICE_NEVER && dr > sim_device_min_dr(device))
		channel = draw_channel(device, now_us, --dr, &free_us);
	if (channel < 0) {
		device->next_us = free_us;
		return false;
	}
	const struct sim_rate *rate = &device->config.plan->rates[dr];
	device->tx_channel = (uint8_t)channel;
	device->tx_dr = dr;
	device->attempt++;
	uplink->length = device->joining     ? sim_device_encode_join(device, uplink->phy)
			 : device->rejoining ? sim_device_encode_rejoin(device, uplink->phy)
					     : sim_device_encode(device, uplink->phy, sizeof uplink->phy);
	uplink->start_us = now_us;
	uplink->spreading_factor = rate->spreading_factor;
	uplink->bandwidth_hz = rate->bandwidth_hz;
	uplink->freq_hz = device->channels[channel].freq_hz;
	uplink->eirp_dbm = device->max_eirp_dbm - 2.0 * (device->joining ? 0 : device->power_index);
	int64_t airtime_us = sim_rate_airtime_us(rate, uplink->length, true);
	uplink->end_us = now_us + airtime_us;
	account_airtime(device, uplink->freq_hz, uplink->end_us, airtime_us);
	if (device->joining)
		device->join_airtime_us += airtime_us;
	int64_t close_us = sim_device_plan_windows(device, uplink->end_us);
	record_uplink(device, uplink);
	sim_device_set_state(device, SIM_DEVICE_EXCHANGE, close_us);
	return true;
}

/* --- the exchange ------------------------------------------------------------------------------------------- */

/* ADR back-off (1.0.4, 4.3.1.1): when LIMIT + DELAY frames have had no answer, power to the maximum; after each DELAY more
 * one rate lower, then the default channels. The frame that is about to leave is not counted yet. */
static void adr_back_off(struct sim_device *device)
{
	uint32_t sent = device->adr_count;
	if (!device->config.adr || sent < device->adr_limit + device->adr_delay ||
	    (sent - device->adr_limit) % device->adr_delay != 0)
		return;
	if (device->power_index > 0) {
		device->power_index = 0;
	} else if (device->dr > sim_device_min_dr(device)) {
		device->dr--;
	} else {
		sim_device_restore_channels(device);
		device->nb_trans = 1;
	}
}

/* Counters are never used twice: with the last one the session ends, and a device that can joins anew (4.3.1.5). */
static bool counter_is_spent(struct sim_device *device)
{
	if (device->fcnt_up != UINT32_MAX || device->config.fcnt_16)
		return false;
	if (device->config.activation == SIM_OTAA) {
		device->joined = false;
		sim_device_boot_parameters(device);
	} else {
		device->next_us = SIM_DEVICE_NEVER;
	}
	return true;
}

static bool start_data(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	int64_t free_us;
	device->joining = false;
	device->attempt = 0;
	if (counter_is_spent(device))
		return false;
	/* Contents and counter are settled once the frame can leave. */
	if (draw_channel(device, now_us, sim_device_rate(device), &free_us) < 0) {
		device->next_us = free_us;
		return false;
	}
	bool reading = device->due_us <= now_us;
	device->soon = false;
	if (reading)
		device->due_us += device->config.interval_us;
	if (device->due_us <= now_us)
		device->due_us = now_us +
				 device->config.interval_us; /* it fell behind: duty cycle, or was off */
	/* What the frame may carry depends on the rate that it will leave at. */
	adr_back_off(device);
	uint8_t dr = sim_device_rate(device);
	sim_device_compose(device, now_us, dr, reading);
	if (reading && !device->is_reading)
		device->due_us = now_us; /* commands went first */
	device->rejoin_uplinks++;
	if (sim_device_transmit(device, now_us, dr, uplink))
		return true;
	sim_device_set_state(device, SIM_DEVICE_WAITING, device->next_us);
	return false;
}

/* How often the frame under way may be sent in all (section 4 of the fact sheet). */
static uint8_t transmissions_allowed(const struct sim_device *device)
{
	return device->confirmed && device->rules->own_retries ? device->config.tries : device->nb_trans;
}

/* A confirmed frame of an old device goes down one rate every second attempt. */
static uint8_t retry_rate(const struct sim_device *device)
{
	uint32_t down = device->confirmed && device->rules->own_retries ? device->attempt / 2u : 0;
	uint8_t dr = sim_device_rate(device), lowest = sim_device_min_dr(device);
	size_t needed = 8u + device->frame_fopts_length + device->frame_length;
	while (down-- > 0 && dr > lowest &&
	       sim_plan_max_payload(device->config.plan, (uint8_t)(dr - 1), device->uplink_dwell) >= needed)
		dr--;
	return dr;
}

void sim_device_rest(struct sim_device *device, int64_t now_us)
{
	int64_t next_us = device->due_us, rejoin_us = sim_device_rejoin_due_us(device);
	if (rejoin_us < next_us)
		next_us = rejoin_us > now_us ? rejoin_us : now_us;
	if (device->soon) {
		int64_t soon_us = now_us + sim_device_between(device, S_US, 3 * S_US);
		next_us = soon_us < next_us ? soon_us : next_us;
	}
	sim_device_set_state(device, SIM_DEVICE_IDLE, next_us);
}

void sim_device_frame_is_over(struct sim_device *device, int64_t now_us, bool acknowledged)
{
	struct sim_record record = sim_device_record(device, SIM_RECORD_OUTCOME, now_us);
	record.fcnt = device->frame_fcnt;
	record.attempt = device->attempt;
	record.confirmed = device->confirmed;
	record.reading = device->is_reading;
	record.acknowledged = acknowledged;
	record.fport = device->frame_fport;
	sim_device_put(device, &record);
	sim_device_answers_sent(device);
	sim_device_rest(device, now_us);
}

/* RX2 has closed and nothing was accepted. */
void sim_device_exchange_closes(struct sim_device *device, int64_t now_us)
{
	if (device->joining) {
		sim_device_set_state(device, SIM_DEVICE_IDLE, now_us + sim_device_join_pause_us(device));
		return;
	}
	if (device->rejoining) {
		sim_device_rejoin_closes(device);
		sim_device_rest(device, now_us);
		return;
	}
	if (device->attempt < transmissions_allowed(device))
		sim_device_set_state(device, SIM_DEVICE_WAITING,
				     now_us + sim_device_between(device, S_US, 3 * S_US));
	else
		sim_device_frame_is_over(device, now_us, false);
}

bool sim_device_tick(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	if (device->next_us > now_us)
		return false;
	if (device->silenced) {
		device->next_us = SIM_DEVICE_NEVER;
		return false;
	}
	switch (device->state) {
	case SIM_DEVICE_OFF: sim_device_set_state(device, SIM_DEVICE_IDLE, now_us); return false;
	case SIM_DEVICE_EXCHANGE: sim_device_exchange_closes(device, now_us); return false;
	case SIM_DEVICE_WAITING: return sim_device_transmit(device, now_us, retry_rate(device), uplink);
	case SIM_DEVICE_IDLE: break;
	}
	if (!device->joined)
		return sim_device_start_join(device, now_us, uplink);
	return sim_device_rejoin_due_us(device) <= now_us ? sim_device_start_rejoin(device, now_us, uplink)
							  : start_data(device, now_us, uplink);
}

void sim_device_power_cycle(struct sim_device *device, int64_t now_us, int64_t off_us)
{
	device->locked_window = 0;
	device->joining = false;
	if (device->rejoining)
		sim_device_rejoin_closes(device);
	device->rejoin_order = SIM_NO_REJOIN;
	device->ack = false;
	if (device->config.activation == SIM_OTAA) {
		device->joined = false;
		device->join_attempts = 0;
	}
	sim_device_boot_parameters(device);
	device->rekey = device->config.activation == SIM_ABP && device->rules_1_1;
	device->soon = false;
	if (device->config.activation == SIM_ABP && device->config.forgets_counters) {
		device->fcnt_up = 0;
		device->seen_down[0] = device->seen_down[1] = false;
		device->fcnt_down[0] = device->fcnt_down[1] = 0;
	}
	sim_device_set_state(device, SIM_DEVICE_OFF, now_us + off_us);
}
