/* Application layer clock synchronisation (TS003-1.0.0 and 2.0.0): a device that sends its own GPS time learns by how much
 * it is wrong. The versions differ in the name of one command alone. */
#ifndef LAMPPOST_LORAWAN_PACKAGES_CLOCK_SYNC_H
#define LAMPPOST_LORAWAN_PACKAGES_CLOCK_SYNC_H

#include "common/lorawan/packages/package.h"

enum lw_clock_sync_cid {
	LW_CID_APP_TIME = 0x01,
	LW_CID_DEVICE_APP_TIME_PERIODICITY = 0x02,
	LW_CID_FORCE_DEVICE_RESYNC = 0x03
};

extern const struct lw_package lw_clock_sync;

/* Returns the seconds to add to `device_time` to get `gps_s`, the time at which the uplink arrived: modulo 2^32, the
 * nearer way round (§3.2). */
int32_t lw_clock_sync_correction(uint32_t device_time, uint32_t gps_s);
/* Fills AppTimeAns for an AppTimeReq that arrived at `gps_s`. Returns false, nothing filled, when none is due: the clock
 * is right and the device does not ask for an answer in any case. */
bool lw_clock_sync_answer(const struct lw_package_command *request, uint32_t gps_s,
			  struct lw_package_command *answer);

#endif
