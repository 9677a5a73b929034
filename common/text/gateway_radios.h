/* How the channels of a plan fit a gateway's receiver. An SX1301, SX1302 or SX1303 has two radios, each of which hears a band
 * around its centre, and behind them ten demodulators: eight for LoRa at 125 kHz with any spreading factor, one for LoRa at
 * one bandwidth and spreading factor (the "std" or service channel), one for FSK. A channel is heard at an intermediate
 * frequency, its distance from a radio's centre, which the radio's filter limits. Pure. */
#ifndef LAMPPOST_TEXT_GATEWAY_RADIOS_H
#define LAMPPOST_TEXT_GATEWAY_RADIOS_H

#include "common/lorawan/channel_plan.h"

#define GATEWAY_MULTI_SF          8
#define GATEWAY_RADIOS            2
#define GATEWAY_RADIO_PROBLEM_MAX 400

/* One demodulator's channel. */
struct gateway_channel {
	uint32_t freq_hz;
	uint32_t bandwidth_hz;
	uint8_t spreading_factor; /* of the service channel */
	uint32_t bit_rate_bps;    /* of the FSK channel */
	uint8_t radio;
	int32_t if_hz; /* freq_hz − centre of the radio */
};

struct gateway_radios {
	uint32_t centre_hz[GATEWAY_RADIOS]; /* radio 1 has the centre of radio 0 when one hears everything */
	struct gateway_channel multi[GATEWAY_MULTI_SF]; /* by frequency */
	size_t multi_count;
	bool has_service, has_fsk;
	struct gateway_channel service, fsk;
	/* Channels whose service or FSK rate is not heard because the one demodulator is taken. */
	unsigned left_out;
};

/* The farthest that a channel of a bandwidth may be from a radio's centre: the filter of 925 kHz (1,000 for channels of 250,
 * 1,100 for 500) has to pass all of it. */
int32_t gateway_if_limit_hz(uint32_t bandwidth_hz);

/* Places every enabled channel of `plan`. False with a sentence in `problem`: too many channels of a kind, or no two bands
 * that hold them all, or a bandwidth that the receiver does not have. */
bool gateway_radios_fit(struct gateway_radios *radios, const struct lw_region *region,
			const struct lw_channel_plan *plan, char problem[GATEWAY_RADIO_PROBLEM_MAX]);

#endif
