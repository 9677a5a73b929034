#include "common/lorawan/packages/firmware.h"

#include "common/lorawan/packages/row_macros.h"

PACKAGE_VERSION_FIELDS;
static const struct lw_package_field dev_version_ans[] = {
	UINT(dev_version_ans, fw_version, 0, 32),
	UINT(dev_version_ans, hw_version, 32, 32),
};
static const struct lw_package_field dev_reboot_time[] = {UINT(dev_reboot_time, reboot_time, 0, 32)};
static const struct lw_package_field dev_reboot_countdown[] = {UINT(dev_reboot_countdown, countdown, 0, 24)};
static const struct lw_package_field dev_upgrade_image_ans[] = {
	UINT(dev_upgrade_image_ans, up_image_status, 0, 2),
	UINT(dev_upgrade_image_ans, next_fw_version, 8, 32),
};
static const struct lw_package_field dev_delete_image_req[] = {UINT(dev_delete_image_req, fw_version, 0, 32)};
static const struct lw_package_field dev_delete_image_ans[] = {
	UINT(dev_delete_image_ans, error_no_valid_image, 0, 1),
	UINT(dev_delete_image_ans, error_invalid_version, 1, 1),
};

static const struct lw_package_row rows[] = {
	PACKAGE_VERSION_ANS,
	{LW_UP, LW_CID_DEV_VERSION, "DevVersionAns", 8, 1, 1, FIELDS(dev_version_ans)},
	{LW_UP, LW_CID_DEV_REBOOT_TIME, "DevRebootTimeAns", 4, 1, 1, FIELDS(dev_reboot_time)},
	{LW_UP, LW_CID_DEV_REBOOT_COUNTDOWN, "DevRebootCountdownAns", 3, 1, 1, FIELDS(dev_reboot_countdown)},
	{LW_UP, LW_CID_DEV_UPGRADE_IMAGE, "DevUpgradeImageAns", 1, 1, 1,
	 FIELDS_MORE(dev_upgrade_image_ans, 4, 3, LW_UP_IMAGE_VALID)},
	{LW_UP, LW_CID_DEV_DELETE_IMAGE, "DevDeleteImageAns", 1, 1, 1, FIELDS(dev_delete_image_ans)},
	PACKAGE_VERSION_REQ,
	{LW_DOWN, LW_CID_DEV_VERSION, "DevVersionReq", 0, 1, 1, NO_FIELDS},
	{LW_DOWN, LW_CID_DEV_REBOOT_TIME, "DevRebootTimeReq", 4, 1, 1, FIELDS(dev_reboot_time)},
	{LW_DOWN, LW_CID_DEV_REBOOT_COUNTDOWN, "DevRebootCountdownReq", 3, 1, 1,
	 FIELDS(dev_reboot_countdown)},
	{LW_DOWN, LW_CID_DEV_UPGRADE_IMAGE, "DevUpgradeImageReq", 0, 1, 1, NO_FIELDS},
	{LW_DOWN, LW_CID_DEV_DELETE_IMAGE, "DevDeleteImageReq", 4, 1, 1, FIELDS(dev_delete_image_req)},
};

const struct lw_package lw_firmware = {LW_PACKAGE_FIRMWARE, "firmware", "TS006", 203, 1, rows,
				       ARRAY_SIZE(rows)};
