/* When a device sends, listens and gives up. */
#include "simulator/device.h"

#include "simulator/device_parts.h"

#include "common/base/check.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define S_US             INT64_C(1000000)
#define JOIN_DELAY_1_US  (5 * S_US)
#define JOIN_DELAY_2_US  (6 * S_US)
#define RX_ERROR_US      INT64_C(10000)
#define TRIES_CONFIRMED  8 /* up to 1.0.3: the specification's suggestion */
#define PREAMBLE_SYMBOLS 8

static const char *const result_names[SIM_DOWN_RESULT_COUNT] = {
	[SIM_DOWN_ACCEPTED] = "accepted",     [SIM_DOWN_MALFORMED] = "malformed",
	[SIM_DOWN_NOT_OURS] = "not_ours",     [SIM_DOWN_MIC] = "mic",
	[SIM_DOWN_REPEATED] = "repeated",     [SIM_DOWN_GAP] = "gap",
	[SIM_DOWN_JOIN_NONCE] = "join_nonce", [SIM_DOWN_PARAMETERS] = "parameters",
	[SIM_DOWN_UNREADABLE] = "unreadable",
};

const char *sim_down_result_name(enum sim_down_result result)
{
	return (unsigned)result < SIM_DOWN_RESULT_COUNT ? result_names[result] : "unknown";
}

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

static int64_t between(struct sim_device *device, int64_t from_us, int64_t to_us)
{
	return from_us + rng_below(&device->rng, (uint32_t)(to_us - from_us + 1));
}

static void set_state(struct sim_device *device, enum sim_device_state state, int64_t next_us)
{
	static const bool allowed[4][4] = {
		[SIM_DEVICE_IDLE] = {true, true, false, true},
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
		.index = index,
		.rng = rng_seeded(seed ^ lw_eui64_number(&config->dev_eui)),
		.aes = aes,
		.sink = sink,
		.next_us = config->first_us,
		.due_us = config->first_us,
		.dev_nonce = config->first_dev_nonce,
	};
	if (device->config.rx_error_us == 0)
		device->config.rx_error_us = RX_ERROR_US;
	if (device->config.tries == 0)
		device->config.tries = TRIES_CONFIRMED;
	sim_device_boot_parameters(device);
	if (config->mac_version >= LW_MAC_1_1_0)
		device->js_int_key = lw_key_js_int(aes, &config->nwk_key, &config->dev_eui);
	if (config->activation == SIM_ABP) {
		device->joined = true;
		device->rules_1_1 = config->mac_version >= LW_MAC_1_1_0;
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

/* Draws a channel that carries `dr` and is free. Returns −1 where none is, `*free_us` being when one will be, or
 * SIM_DEVICE_NEVER when no channel carries that rate. Joins take the default channels whatever the mask says. */
static int draw_channel(struct sim_device *device, int64_t now_us, uint8_t dr, int64_t *free_us)
{
	const struct sim_plan *plan = device->config.plan;
	size_t limit = device->joining ? plan->default_channels : plan->channels;
	uint8_t candidates[SIM_CHANNELS_MAX];
	uint32_t count = 0;
	*free_us = SIM_DEVICE_NEVER;
	for (size_t i = 0; i < limit; i++) {
		const struct sim_channel *channel = &device->channels[i];
		if (!channel->enabled || channel->freq_hz == 0 || dr < channel->min_dr ||
		    dr > channel->max_dr)
			continue;
		int64_t at_us = channel_free_us(device, channel);
		if (at_us < *free_us)
			*free_us = at_us;
		if (at_us <= now_us)
			candidates[count++] = (uint8_t)i;
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

/* Opens the windows of a frame that ends at `end_us`. */
static void plan_windows(struct sim_device *device, int64_t end_us)
{
	const struct sim_plan *plan = device->config.plan;
	const struct sim_channel *channel = &device->channels[device->tx_channel];
	uint8_t offset = device->joining ? 0 : device->rx1_offset;
	device->uplink_end_us = end_us;
	device->rx1_us = end_us + (device->joining ? JOIN_DELAY_1_US : device->rx_delay_s * S_US);
	device->rx2_us = end_us + (device->joining ? JOIN_DELAY_2_US : (device->rx_delay_s + 1) * S_US);
	device->rx1_dr = sim_plan_rx1_dr(plan, device->tx_dr, offset);
	device->rx1_freq_hz = channel->down_freq_hz != 0
				      ? channel->down_freq_hz
				      : sim_plan_rx1_freq_hz(plan, device->tx_channel, channel->freq_hz);
	device->window_rx2_dr = device->joining ? plan->rx2_dr : device->rx2_dr;
	device->window_rx2_freq_hz = device->joining ? plan->rx2_freq_hz : device->rx2_freq_hz;
	device->locked_window = 0;
}

static int64_t exchange_close_us(const struct sim_device *device)
{
	const struct sim_rate *rate = &device->config.plan->rates[device->window_rx2_dr];
	return device->rx2_us + device->config.rx_error_us +
	       PREAMBLE_SYMBOLS * sim_symbol_us(rate->spreading_factor, rate->bandwidth_hz);
}

static struct sim_record record_of(const struct sim_device *device, enum sim_record_kind kind, int64_t at_us)
{
	return (struct sim_record){.kind = kind,
				   .at_us = at_us,
				   .device = device->index,
				   .dev_addr = device->dev_addr,
				   .fport = -1};
}

static void put(const struct sim_device *device, const struct sim_record *record)
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
	struct sim_record record = record_of(
		device, device->joining ? SIM_RECORD_JOIN_REQUEST : SIM_RECORD_UPLINK, uplink->start_us);
	record.attempt = device->attempt;
	record.dr = device->tx_dr;
	record.freq_hz = uplink->freq_hz;
	if (device->joining) {
		record.dev_nonce = (uint16_t)device->dev_nonce;
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
	put(device, &record);
}

static size_t encode_join_request(struct sim_device *device, uint8_t *phy)
{
	bool is_1_1 = device->config.mac_version >= LW_MAC_1_1_0;
	struct lw_join_request request = {.join_eui = device->config.join_eui,
					  .dev_eui = device->config.dev_eui,
					  .dev_nonce = (uint16_t)device->dev_nonce};
	size_t length = lw_join_request_encode(&request, phy);
	struct lw_mic mic = lw_mic_join(
		device->aes, is_1_1 ? &device->config.nwk_key : &device->config.app_key, phy, length - 4);
	memcpy(phy + length - 4, mic.bytes, sizeof mic.bytes);
	return length;
}

/* Puts the frame under way on the air, on a free channel; false where it has to wait, and `next_us` says until when. */
static bool transmit(struct sim_device *device, int64_t now_us, uint8_t dr, struct sim_uplink *uplink)
{
	int64_t free_us;
	int channel = draw_channel(device, now_us, dr, &free_us);
	while (channel < 0 && free_us == SIM_DEVICE_NEVER && dr > device->config.plan->min_dr)
		channel = draw_channel(device, now_us, --dr, &free_us);
	if (channel < 0) {
		device->next_us = free_us;
		return false;
	}
	const struct sim_rate *rate = &device->config.plan->rates[dr];
	device->tx_channel = (uint8_t)channel;
	device->tx_dr = dr;
	device->attempt++;
	uplink->length = device->joining ? encode_join_request(device, uplink->phy)
					 : sim_device_encode(device, uplink->phy, sizeof uplink->phy);
	uplink->start_us = now_us;
	uplink->spreading_factor = rate->spreading_factor;
	uplink->bandwidth_hz = rate->bandwidth_hz;
	uplink->freq_hz = device->channels[channel].freq_hz;
	uplink->eirp_dbm = device->config.plan->max_eirp_dbm -
			   2.0 * (device->joining ? 0 : device->power_index);
	int64_t airtime_us = sim_airtime_us(rate->spreading_factor, rate->bandwidth_hz, uplink->length, true);
	uplink->end_us = now_us + airtime_us;
	account_airtime(device, uplink->freq_hz, uplink->end_us, airtime_us);
	if (device->joining)
		device->join_airtime_us += airtime_us;
	plan_windows(device, uplink->end_us);
	record_uplink(device, uplink);
	set_state(device, SIM_DEVICE_EXCHANGE, exchange_close_us(device));
	return true;
}

/* --- joins -------------------------------------------------------------------------------------------------- */

/* Join back-off (TS001-1.0.4 section 7): so much airtime in the first hour, in the next ten, in each day after. */
static const struct join_step {
	int64_t length_us;
	int64_t budget_us;
} join_steps[] = {
	{3600 * S_US, 36 * S_US},
	{36000 * S_US, 36 * S_US},
	{86400 * S_US, 8700000},
};

/* Returns when the next attempt may leave. */
static int64_t join_allowed_us(struct sim_device *device, int64_t now_us)
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
	return device->join_airtime_us < step->budget_us ? now_us : device->join_first_us + step->length_us;
}

/* Fixed plans alternate between the 125 kHz channels and the 500 kHz ones; others go down one rate every second attempt. */
static uint8_t join_rate(const struct sim_device *device)
{
	const struct sim_plan *plan = device->config.plan;
	if (plan->fixed)
		return device->join_attempts % 2 == 0 ? 0 : 4;
	uint32_t down = device->join_attempts / 2;
	uint8_t dr = device->config.dr > 5 ? 5 : device->config.dr;
	return down >= dr ? plan->min_dr : (uint8_t)(dr - down);
}

static bool start_join(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	int64_t allowed_us = join_allowed_us(device, now_us);
	if (allowed_us > now_us) {
		device->next_us = allowed_us;
		return false;
	}
	device->joining = true;
	device->attempt = 0;
	uint32_t nonce_before = device->dev_nonce;
	if (device->config.mac_version <= LW_MAC_1_0_3)
		device->dev_nonce = rng_below(&device->rng, 0x10000);
	else
		device->dev_nonce++;
	if (device->dev_nonce > 0xffff) {
		device->next_us =
			SIM_DEVICE_NEVER; /* the counter is used up: never again under this JoinEUI */
		return false;
	}
	if (!transmit(device, now_us, join_rate(device), uplink)) {
		device->dev_nonce = nonce_before;
		return false;
	}
	device->join_attempts++;
	return true;
}

/* --- the exchange ------------------------------------------------------------------------------------------- */

/* ADR back-off (1.0.4, 4.3.1.1): when LIMIT + DELAY frames have had no answer, power to the maximum; after each DELAY more
 * one rate lower, then the default channels. The frame that is about to leave is counted already. */
static void adr_back_off(struct sim_device *device)
{
	uint32_t sent = device->adr_count - 1;
	if (!device->config.adr || sent < device->adr_limit + device->adr_delay ||
	    (sent - device->adr_limit) % device->adr_delay != 0)
		return;
	if (device->power_index > 0) {
		device->power_index = 0;
	} else if (device->dr > device->config.plan->min_dr) {
		device->dr--;
	} else {
		sim_device_restore_channels(device);
		device->nb_trans = 1;
	}
}

static bool start_data(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	int64_t free_us;
	uint8_t dr = device->dr;
	device->joining = false;
	/* Contents and counter are settled once the frame can leave. */
	while (draw_channel(device, now_us, dr, &free_us) < 0) {
		if (free_us != SIM_DEVICE_NEVER || dr == device->config.plan->min_dr) {
			device->next_us = free_us;
			return false;
		}
		dr--;
	}
	bool reading = device->due_us <= now_us;
	device->soon = false;
	if (reading)
		device->due_us += device->config.interval_us;
	if (device->due_us <= now_us)
		device->due_us = now_us +
				 device->config.interval_us; /* it fell behind: duty cycle, or was off */
	sim_device_compose(device, now_us, reading);
	if (reading && !device->is_reading)
		device->due_us = now_us; /* commands went first */
	device->attempt = 0;
	adr_back_off(device);
	return transmit(device, now_us, device->dr, uplink);
}

/* How often the frame under way may be sent in all (section 4 of the fact sheet). */
static uint8_t transmissions_allowed(const struct sim_device *device)
{
	bool old = device->config.mac_version <= LW_MAC_1_0_3;
	return device->confirmed && old ? device->config.tries : device->nb_trans;
}

/* A confirmed frame of an old device goes down one rate every second attempt. */
static uint8_t retry_rate(const struct sim_device *device)
{
	uint32_t down = device->confirmed && device->config.mac_version <= LW_MAC_1_0_3 ? device->attempt / 2u
											: 0;
	uint8_t dr = device->dr, lowest = device->config.plan->min_dr;
	size_t needed = 8u + device->frame_fopts_length + device->frame_length;
	while (down-- > 0 && dr > lowest && device->config.plan->rates[dr - 1].max_mac_payload >= needed)
		dr--;
	return dr;
}

static void rest(struct sim_device *device, int64_t now_us)
{
	int64_t next_us = device->due_us;
	if (device->soon) {
		int64_t soon_us = now_us + between(device, S_US, 3 * S_US);
		next_us = soon_us < next_us ? soon_us : next_us;
	}
	set_state(device, SIM_DEVICE_IDLE, next_us);
}

static void frame_is_over(struct sim_device *device, int64_t now_us, bool acknowledged)
{
	struct sim_record record = record_of(device, SIM_RECORD_OUTCOME, now_us);
	record.fcnt = device->frame_fcnt;
	record.attempt = device->attempt;
	record.confirmed = device->confirmed;
	record.reading = device->is_reading;
	record.acknowledged = acknowledged;
	record.fport = device->frame_fport;
	put(device, &record);
	sim_device_answers_sent(device);
	rest(device, now_us);
}

/* RX2 has closed and nothing was accepted. */
static void exchange_closes(struct sim_device *device, int64_t now_us)
{
	if (device->joining) {
		set_state(device, SIM_DEVICE_IDLE, now_us + between(device, S_US, 8 * S_US));
		return;
	}
	if (device->attempt < transmissions_allowed(device))
		set_state(device, SIM_DEVICE_WAITING, now_us + between(device, S_US, 3 * S_US));
	else
		frame_is_over(device, now_us, false);
}

bool sim_device_tick(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	if (device->next_us > now_us)
		return false;
	switch (device->state) {
	case SIM_DEVICE_OFF: set_state(device, SIM_DEVICE_IDLE, now_us); return false;
	case SIM_DEVICE_EXCHANGE: exchange_closes(device, now_us); return false;
	case SIM_DEVICE_WAITING: return transmit(device, now_us, retry_rate(device), uplink);
	case SIM_DEVICE_IDLE: break;
	}
	return device->joined ? start_data(device, now_us, uplink) : start_join(device, now_us, uplink);
}

/* --- listening ---------------------------------------------------------------------------------------------- */

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
	if (device->state != SIM_DEVICE_EXCHANGE || device->locked_window != 0 || !downlink->inverted)
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
	struct sim_record record = record_of(device, SIM_RECORD_DOWNLINK, now_us);
	record.window = device->locked_window;
	record.result = SIM_DOWN_UNREADABLE;
	put(device, &record);
	keep_listening(device, now_us);
}

/* A join-accept ends the join; the first uplink follows at once, so that the network learns of the new session. */
static void joined(struct sim_device *device, int64_t now_us, const struct sim_record *downlink)
{
	struct sim_record record = record_of(device, SIM_RECORD_JOINED, now_us);
	record.dev_nonce = downlink->dev_nonce;
	record.join_nonce = downlink->join_nonce;
	record.window = downlink->window;
	put(device, &record);
	device->joining = false;
	device->due_us = now_us + between(device, S_US / 10, S_US);
	set_state(device, SIM_DEVICE_IDLE, device->due_us);
}

/* A downlink ends the frame, but a confirmed frame up to 1.0.3 ends by an acknowledgement alone. */
static void data_heard(struct sim_device *device, int64_t now_us, const struct sim_record *downlink)
{
	bool acknowledged = device->confirmed && downlink->acknowledged;
	if (device->confirmed && !acknowledged && device->config.mac_version <= LW_MAC_1_0_3)
		exchange_closes(device, now_us);
	else
		frame_is_over(device, now_us, acknowledged);
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
	struct sim_record record = record_of(device, SIM_RECORD_DOWNLINK, now_us);
	int margin = snr_cdb / 100;
	record.window = device->locked_window;
	device->margin_db = (int8_t)(margin < -32 ? -32 : margin > 31 ? 31 : margin);
	put_phy(&record, phy, length);
	record.result = sim_device_read_downlink(device, now_us, phy, length, &record);
	put(device, &record);
	if (record.result != SIM_DOWN_ACCEPTED) {
		keep_listening(device, now_us);
		return record.result;
	}
	device->locked_window = 0;
	if (device->joining)
		joined(device, now_us, &record);
	else
		data_heard(device, now_us, &record);
	return SIM_DOWN_ACCEPTED;
}

void sim_device_power_cycle(struct sim_device *device, int64_t now_us, int64_t off_us)
{
	device->locked_window = 0;
	device->joining = false;
	device->ack = false;
	if (device->config.activation == SIM_OTAA) {
		device->joined = false;
		device->join_attempts = 0;
	}
	sim_device_boot_parameters(device);
	device->rekey = device->config.activation == SIM_ABP && device->rules_1_1;
	device->soon = false;
	set_state(device, SIM_DEVICE_OFF, now_us + off_us);
}
