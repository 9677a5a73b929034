/* A study of ADR: a city on a virtual clock in which the network server's own adr.c decides and devices follow the specification's
 * rules (TS001-1.0.4 §4.3.1.1), so that algorithms can be compared on the same draws of chance: places, shadows, fading, times and
 * channels depend on the seed alone, not on what an algorithm decides. eu868, eight channels, 30-byte frames.
 *
 * Two radio models. A: the simulator's own: distance law with exponent 3.5, independent shadows of 8 dB, Rayleigh
 * fading, its table of rejection between spreading factors, 6 dB capture. B: exponent 3.0 and 14 dB of walls, shadows of 10 dB of
 * which three fifths of the variance are the device's own place (the same towards every gateway), fading normal in dB (4 dB), 16 dB of
 * rejection between any two factors, 1 dB capture.
 *
 * What it leaves out: duty cycle of gateways, RX2, joins, MAC commands but LinkADRReq. A gateway that sends is deaf; it demodulates eight
 * frames at once. Pure but for memory: no clock, no files. */
#ifndef LAMPPOST_TESTS_STUDY_STUDY_H
#define LAMPPOST_TESTS_STUDY_STUDY_H

#include "network-server/adr/adr.h"

#define STUDY_GATEWAYS 10
#define STUDY_DRS      6
#define STUDY_HOUR_US  INT64_C(3600000000)

enum study_radio { STUDY_RADIO_A, STUDY_RADIO_B, STUDY_RADIOS };

enum study_scenario {
	STUDY_STATIC_500,
	STUDY_STATIC_2000,
	STUDY_PARKED,       /* a car over each sensor, 10 to 25 dB, for 2 to 8 hours, then none for as long */
	STUDY_LOST_GATEWAY, /* the busiest gateway is off from the middle on; measured from then on */
	STUDY_MOVING,       /* 1 to 15 m/s between random places, shadows change every 100 m */
	STUDY_SCENARIOS
};
extern const char *const study_scenario_names[STUDY_SCENARIOS];

struct study_job {
	enum study_radio radio;
	enum study_scenario scenario;
	enum net_adr_algorithm algorithm;
	uint64_t seed;
};

/* Of the measured part of a run: all but the first third. */
struct study_result {
	double made, delivered; /* readings */
	double energy_mj;       /* of all devices: sending and receive windows */
	double airtime_s;       /* of uplinks */
	double downlinks;
	double frames[STUDY_DRS]; /* transmissions, by data rate */
	double weak,
		drowned; /* transmissions that nobody read: too weak for every gateway; strong enough for one */
};

void study_run(const struct study_job *job, struct study_result *result);

/* --- the radio (study_radio.c) --- */
struct study_place {
	double x_m, y_m;
};
/* Loss without fading, dB, of the link of a device at a place to a gateway. `cell`: where its shadow is drawn; 0 for static devices. */
double study_loss_db(enum study_radio radio, uint64_t seed, uint32_t device, uint32_t gateway,
		     double distance_m, uint32_t cell);
double study_fading_db(enum study_radio radio, uint64_t seed, uint32_t device, uint32_t gateway,
		       uint64_t frame);
double study_rejection_db(enum study_radio radio, uint8_t wanted_sf, uint8_t other_sf);
/* A number in 0 .. 1 that belongs to what is named. */
double study_chance(uint64_t seed, uint32_t who, uint32_t what, uint64_t which);

/* --- power (study_radio.c) ---
 * Sending: 40 mW and what is radiated at 35 %. Listening: 15 mW, 8 symbols in RX1 and 8 of SF12 in RX2 after each transmission; a
 * downlink costs its airtime. Sleep is left out, being the same for all. */
double study_tx_mw(uint8_t power_index);
double study_listen_mj(uint8_t spreading_factor);
#define STUDY_RX_MW 15.0

#endif
