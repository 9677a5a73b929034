/* What the parts of a run share: the air (study_air.c) and the devices with the server's side of each (study_run.c). */
#ifndef LAMPPOST_TESTS_STUDY_STUDY_PARTS_H
#define LAMPPOST_TESTS_STUDY_STUDY_PARTS_H

#include "network-server/adr/adr_load.h"
#include "tests/study/study.h"

#define STUDY_CHANNELS 8
#define STUDY_DEAF     32 /* the last downlinks of a gateway that are remembered */

/* One transmission, from its start until it is judged. */
struct study_tx {
	int64_t start_us, end_us, vulnerable_us;
	uint8_t sf, channel;
	bool locked[STUDY_GATEWAYS];               /* a demodulator is on it */
	float power_dbm[STUDY_GATEWAYS];           /* −300: too weak to matter */
	float noise_mw[STUDY_GATEWAYS][STUDY_DRS]; /* what overlaps, by SF − 7 */
	int32_t next;                              /* on the same channel; −1: the last */
};

struct study_gateway {
	struct study_place place;
	bool off;
	unsigned busy;
	int64_t deaf_us[STUDY_DEAF][2];
	unsigned deaf;
	double heard;
	struct ns_adr_load load;
};

struct study_air {
	enum study_radio radio;
	struct study_tx *txs; /* one a device */
	int32_t first[STUDY_CHANNELS];
	struct study_gateway gateways[STUDY_GATEWAYS];
};

void study_air_start(struct study_air *air, int32_t device);
/* Ends a transmission. The gateways that read it, as bits, and the best signal-to-noise ratio among them with its gateway.
 * `strong`: some gateway would have read it, had nothing else been on the air. */
uint32_t study_air_end(struct study_air *air, int32_t device, double *snr_db, int *best, bool *strong);
/* A gateway sends; false: it is sending already. */
bool study_air_send(struct study_air *air, int gateway, int64_t start_us, int64_t end_us);

#endif
