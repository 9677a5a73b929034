/* What reaches a receiver, and whether it can be read. A link's loss is a distance law, a shadow that stays
 *with the link, and a fading drawn for each frame; all draws are hashed from the seed and what they belong
 *to, so they do not depend on the order of events. Pure; decibels in double.
 *
 *	received power = EIRP − path loss(distance) − shadowing(link) + fading(link, frame)
 *
 * A frame is read if its power reaches the sensitivity of its spreading factor and it stands above everything
 *that overlaps it in time and frequency: 6 dB above what has the same spreading factor (capture), and by the
 *rejection of the factors' near orthogonality against others. */
#ifndef LAMPPOST_SIM_RADIO_H
#define LAMPPOST_SIM_RADIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_CAPTURE_DB         6.0
#define SIM_NOISE_FIGURE_DB    6.0
#define SIM_GHOST_REJECTION_DB 75.0 /* how much weaker a frame is heard one channel beside its own */
#define SIM_SNR_MIN_CDB        (-2500)
#define SIM_SNR_MAX_CDB        1400 /* demodulators report no more, however near the device */

enum sim_fading { SIM_FADING_NONE, SIM_FADING_RAYLEIGH, SIM_FADING_RICIAN };

struct sim_path_loss {
	double exponent;     /* 2 in free space, about 3 in a street */
	double shadowing_db; /* standard deviation */
	enum sim_fading fading;
};

/* Free-space loss at 1 m plus 10 × exponent × log10(distance); nearer than 1 m counts as 1 m. */
double sim_radio_path_loss_db(const struct sim_path_loss *loss, double freq_hz, double distance_m);
/* The link's shadow: normal, mean 0; the same for the same seed and link. */
double sim_radio_shadowing_db(const struct sim_path_loss *loss, uint64_t seed, uint32_t link_a,
			      uint32_t link_b);
/* The gain of one frame on a link, 0 dB in the mean of the power. */
double sim_radio_fading_db(const struct sim_path_loss *loss, uint64_t seed, uint32_t link_a, uint32_t link_b,
			   uint64_t frame);
/* Thermal noise in a bandwidth with the receiver's noise figure: −117 dBm in 125 kHz. */
double sim_radio_noise_dbm(uint32_t bandwidth_hz);
/* The signal-to-noise ratio that a spreading factor needs: −7.5 dB for SF7, 2.5 dB less for each step. */
double sim_radio_required_snr_db(uint8_t spreading_factor);
double sim_radio_sensitivity_dbm(uint8_t spreading_factor, uint32_t bandwidth_hz);
/* How far above (or, negative, below) an interferer of another or the same factor the wanted frame must be.
 */
double sim_radio_rejection_db(uint8_t wanted_sf, uint8_t interferer_sf);
/* What a gateway reports: the ratio clipped, and the power of signal and noise together. */
int sim_radio_reported_snr_cdb(double snr_db);
int sim_radio_reported_rssi_dbm(double signal_dbm, double noise_dbm);

/* One frame at one receiver. Times are of the virtual world, microseconds. */
struct sim_signal {
	uint64_t id;
	int64_t start_us;
	int64_t end_us;
	uint32_t freq_hz;
	uint32_t bandwidth_hz;
	uint8_t spreading_factor; /* 0: not LoRa, noise to every other */
	double power_dbm;         /* at this receiver */
};

enum sim_reception {
	SIM_RECEIVED = 0,
	SIM_TOO_WEAK,       /* below the sensitivity */
	SIM_COLLIDED,       /* something that overlaps was too strong */
	SIM_NOT_TUNED,      /* the receiver has no such channel */
	SIM_NO_DEMODULATOR, /* all were busy when the frame began */
	SIM_DEAF,           /* the receiver was sending */
	SIM_RECEPTION_COUNT
};
const char *sim_reception_name(enum sim_reception reception);

/* Judges a wanted signal against the others at the same receiver (itself among them is skipped). Powers of
 * interferers with the same factor add up. What overlaps the first three preamble symbols alone does no harm.
 */
enum sim_reception sim_radio_judge(const struct sim_signal *wanted, const struct sim_signal *others,
				   size_t count);
/* Whether two signals share spectrum. */
bool sim_radio_same_channel(const struct sim_signal *a, const struct sim_signal *b);

#endif
