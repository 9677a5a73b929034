/* Remote multicast setup (TS005-1.0.0 and 2.0.0): groups that a device belongs to, and the sessions in which it listens to
 * one. Keys of a group are in keys.h: lw_key_mc_ke(), lw_key_mc_encrypted(), lw_key_mc_app_s(), lw_key_mc_nwk_s(). */
#ifndef LAMPPOST_LORAWAN_PACKAGES_MULTICAST_SETUP_H
#define LAMPPOST_LORAWAN_PACKAGES_MULTICAST_SETUP_H

#include "common/lorawan/packages/package.h"

enum lw_multicast_cid {
	LW_CID_MC_GROUP_STATUS = 0x01,
	LW_CID_MC_GROUP_SETUP = 0x02,
	LW_CID_MC_GROUP_DELETE = 0x03,
	LW_CID_MC_CLASS_C_SESSION = 0x04,
	LW_CID_MC_CLASS_B_SESSION = 0x05
};

extern const struct lw_package lw_multicast_setup;

/* Returns whether a McClassCSessionAns or McClassBSessionAns says that the device will listen: no flag of it is set. */
bool lw_mc_session_accepted(const struct lw_package_command *answer);
/* Returns the seconds after which a session of that time_out ends by itself: 2^n, for class B in periods of 128 s. */
uint32_t lw_mc_session_length_s(uint8_t time_out, bool class_b);

#endif
