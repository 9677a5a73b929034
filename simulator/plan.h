/* What a device's firmware knows of its region: data rates, default channels, receive windows, powers, and
 * how long a frame is on the air. Written from RP002-1.0.4 for the device alone; the server has its own
 * tables and its own formula, and the two share nothing, so that neither can hide the other's mistake.
 *
 * LoRa rates only: these devices have neither FSK nor LR-FHSS and refuse them, as many do. A device can speak FSK: a plan
 * of one's own with such a rate makes it. Pure, static tables. */
#ifndef LAMPPOST_SIM_PLAN_H
#define LAMPPOST_SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CHANNELS_MAX 72
#define SIM_RATES_MAX    16
#define SIM_BANDS_MAX    8
#define SIM_DEFAULTS_MAX 3

struct sim_rate {
	uint8_t spreading_factor; /* 0: FSK, or the device has no such rate */
	uint32_t bandwidth_hz;
	bool up;
	bool down;
	uint8_t max_mac_payload;   /* M of the region's table, bytes */
	uint8_t max_dwell_payload; /* uplinks of 400 ms at most; 0: such an uplink cannot have this rate */
	uint32_t bit_rate_bps;     /* FSK */
};

/* A range of frequencies with a limit on the share of time. */
struct sim_band {
	uint32_t min_hz;
	uint32_t max_hz;
	uint16_t duty_permille; /* 1000: no limit */
};

struct sim_plan {
	const char *name;
	bool fixed;          /* channels are enumerated and only masked; else the network adds some */
	bool tx_param_setup; /* devices know TxParamSetupReq, and boot with uplinks of 400 ms at most */
	uint32_t first_hz;   /* channel 0 */
	uint32_t step_hz;    /* to the next; 0: `default_hz` has them */
	uint32_t default_hz[SIM_DEFAULTS_MAX];
	uint32_t wide_first_hz; /* fixed: channel 64, 1.6 MHz to the next */
	uint8_t narrow_max_dr;  /* of 125 kHz channels, from DR0 on */
	uint8_t wide_dr;        /* fixed: of 500 kHz channels */
	uint8_t join_dr;        /* lowest (fixed: the only one of 125 kHz channels) of join-requests */
	uint8_t rx1_base, rx1_lowest, rx1_highest; /* RX1 answers DR0 at offset 0 with `rx1_base` */
	bool rx1_faster;                           /* offsets 6 and 7 are one and two rates faster */
	uint8_t default_channels;
	uint8_t channels; /* size of the channel table */
	uint8_t min_dr;   /* for uplinks */
	uint8_t max_dr;
	uint8_t usual_dr; /* where a device starts unless its configuration says otherwise */
	uint8_t rx2_dr;
	uint32_t rx2_freq_hz;
	uint32_t min_hz; /* what the radio can tune to */
	uint32_t max_hz;
	uint8_t max_rx1_offset;
	int8_t max_eirp_dbm;
	uint8_t max_power_index; /* 2 dB a step */
	struct sim_rate rates[SIM_RATES_MAX];
	struct sim_band bands[SIM_BANDS_MAX]; /* ends at max_hz 0 */
};

/* Returns the plan of "eu868", "us915", "au915", "as923-1" to "as923-4", "in865", "ru864", "eu433" or "kr920"; NULL for others. */
const struct sim_plan *sim_plan_find(const char *name);
/* The frequency of a default channel, by its index below `default_channels`. */
uint32_t sim_plan_default_freq_hz(const struct sim_plan *plan, uint8_t channel);
/* The rates of a channel: fixed plans have them by index; for others 0 to 5. */
void sim_plan_default_rates(const struct sim_plan *plan, uint8_t channel, uint8_t *min_dr, uint8_t *max_dr);
/* RX1's data rate for an uplink's, at an offset of at most max_rx1_offset; `dwell`: downlinks are of 400 ms at most. */
uint8_t sim_plan_rx1_dr(const struct sim_plan *plan, uint8_t uplink_dr, uint8_t offset, bool dwell);
/* M of an uplink, bytes; 0 where the dwell time does not let it have that rate. */
uint8_t sim_plan_max_payload(const struct sim_plan *plan, uint8_t dr, bool dwell);
/* Lowest data rate of uplinks. */
uint8_t sim_plan_min_dr(const struct sim_plan *plan, bool dwell);
/* RX1's frequency for an uplink on that channel and frequency, before any DlChannelReq. */
uint32_t sim_plan_rx1_freq_hz(const struct sim_plan *plan, uint8_t channel, uint32_t uplink_freq_hz);
/* Whether the device has that rate in that direction. */
bool sim_plan_has_rate(const struct sim_plan *plan, uint8_t dr, bool up);
/* Index of the narrowest band that holds the frequency; SIM_BANDS_MAX for none. */
size_t sim_plan_band(const struct sim_plan *plan, uint32_t freq_hz);

/* Microseconds on the air of `length` bytes with 8 preamble symbols at 4/5, explicit header. */
int64_t sim_airtime_us(uint8_t spreading_factor, uint32_t bandwidth_hz, size_t length, bool crc);
/* The same for FSK, 5 preamble bytes. */
int64_t sim_airtime_fsk_us(uint32_t bit_rate_bps, size_t length);
/* Microseconds on the air of a frame at a rate of a plan. */
int64_t sim_rate_airtime_us(const struct sim_rate *rate, size_t length, bool crc);
/* How long a receiver waits for a preamble at that rate before it gives up. */
int64_t sim_rate_patience_us(const struct sim_rate *rate);
/* Microseconds of one LoRa symbol. */
int64_t sim_symbol_us(uint8_t spreading_factor, uint32_t bandwidth_hz);

#endif
