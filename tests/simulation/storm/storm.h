/* A join storm in a simulated city: simulated devices, radio and gateways of simulator/world.h, the real cores of gateway-bridge
 * and network-server, and a join server that says yes. One virtual clock and one seed decide everything.
 *
 * The city: gateways on a grid with streets between them, devices anywhere; distance law, shadows of 6 dB that stay with a link,
 * Rician fading for each frame. A gateway demodulates 16 frames at once (SX1302), hears nothing while it sends, and refuses what
 * its queue cannot send; frames collide, 6 dB of capture. Running sensors (ABP) send a reading every few minutes at a data rate that
 * leaves them 10 dB of margin.
 *
 * The storm: at second 60 the power of the lights comes back, and they ask to join within `spread_s`, from then on as the
 * specification has it (TS001-1.0.4 §7: one per cent of airtime in the first hour, after each request a pause of 99 times its
 * airtime, and a random one beside it), but for one in ten, which ask again every 10 s whatever happens. */
#ifndef LAMPPOST_TESTS_SIMULATION_STORM_H
#define LAMPPOST_TESTS_SIMULATION_STORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORM_QUANTILES 6
extern const unsigned storm_quantiles[STORM_QUANTILES]; /* percent */

/* What became of an accept that was handed to a gateway. */
enum storm_fate {
	STORM_JOINED,
	STORM_UNSENT,
	STORM_ON_ITS_WAY,
	STORM_JOINED_BEFORE,
	STORM_NO_WINDOW,
	STORM_ELSEWHERE,
	STORM_WEAK,
	STORM_DROWNED,
	STORM_NOT_TAKEN,
	STORM_FATE_COUNT
};
extern const char *const storm_fate_names[STORM_FATE_COUNT];

struct storm_setup {
	const char *region; /* "us915", "eu868" */
	uint64_t seed;
	unsigned gateways, devices, sensors;
	unsigned spread_s, measured_s;
	uint8_t nb_trans; /* of the sensors: times that each reading is sent */
	bool first_come;  /* the network server knows no storm */
	bool calm;        /* the lights keep their power: what the sensors deliver then */
	bool open;        /* gateways hear while they send: what their deafness costs */
	bool silent;      /* nobody answers the lights: what their requests alone do to the sensors */
};

struct storm_result {
	double joined_percent; /* of the lights, at the end */
	unsigned joined;
	double quantile_s
		[STORM_QUANTILES]; /* from the power's return until that share has joined; −1: not by the end */
	double median_s[2]; /* of those that keep to the back-off, and of the others; −1: not by the end */
	double delivered_percent; /* of the sensors' readings, while it is measured */
	double deaf_percent;      /* of the time that gateways were sending, in the mean */
	/* storm_bound.c: lights that could have been answered, and those of which any request was received */
	unsigned bound, heard_lights;
	uint64_t heard[16]; /* requests that were received, by data rate */
	uint64_t offered, asked, answered, in_flight, refused[5], too_late, collisions, sent;
	uint64_t downlinks_data; /* frames on the air that were no accept */
	uint64_t nonces_lost;    /* asked of the join server, and no accept was sent */
	double storm_s;          /* that the state lasted; 0: never */
	uint64_t counted_joined; /* by the network server */
	unsigned really_joined_in_storm;
	uint64_t accepts_heard, accepts_lost; /* by a light that listened: read, or drowned and too weak */
	uint64_t fates[STORM_FATE_COUNT];     /* accepts, by what became of them */
	uint64_t by_rate[2][16][STORM_FATE_COUNT]; /* in RX1 and RX2, by spreading factor */
	double wall_s;
};

void storm_run(const struct storm_setup *setup, struct storm_result *result);

#endif
