/* Firmware management (TS006-1.0.0): what runs on a device, when it restarts, and what is done with an image that was
 * fragmented to it. */
#ifndef LAMPPOST_LORAWAN_PACKAGES_FIRMWARE_H
#define LAMPPOST_LORAWAN_PACKAGES_FIRMWARE_H

#include "common/lorawan/packages/package.h"

enum lw_firmware_cid {
	LW_CID_DEV_VERSION = 0x01,
	LW_CID_DEV_REBOOT_TIME = 0x02,
	LW_CID_DEV_REBOOT_COUNTDOWN = 0x03,
	LW_CID_DEV_UPGRADE_IMAGE = 0x04,
	LW_CID_DEV_DELETE_IMAGE = 0x05
};

#define LW_REBOOT_NOW    UINT32_C(0)          /* reboot_time: at once, not answered */
#define LW_REBOOT_CANCEL UINT32_C(0xffffffff) /* takes the request before back */

/* up_image_status of DevUpgradeImageAns. */
enum lw_up_image_status {
	LW_UP_IMAGE_NONE,
	LW_UP_IMAGE_CORRUPT,
	LW_UP_IMAGE_OTHER_HARDWARE,
	LW_UP_IMAGE_VALID
};

/* One version. */
extern const struct lw_package lw_firmware;

#endif
