#include "common/lorawan/packages/clock_sync.h"

#include "common/lorawan/packages/row_macros.h"

PACKAGE_VERSION_FIELDS;
static const struct lw_package_field app_time_req[] = {
	UINT(app_time_req, device_time, 0, 32),
	UINT(app_time_req, token_req, 32, 4),
	FLAG(app_time_req, ans_required, 36),
};
static const struct lw_package_field app_time_ans[] = {
	SINT(app_time_ans, time_correction, 0, 32),
	UINT(app_time_ans, token_ans, 32, 4),
};
static const struct lw_package_field periodicity_req[] = {UINT(periodicity_req, period, 0, 4)};
static const struct lw_package_field periodicity_ans[] = {
	FLAG(periodicity_ans, not_supported, 0),
	UINT(periodicity_ans, time, 8, 32),
};
static const struct lw_package_field force_device_resync[] = {
	UINT(force_device_resync, nb_transmissions, 0, 3)};

static const struct lw_package_row rows[] = {
	PACKAGE_VERSION_ANS,
	{LW_UP, LW_CID_APP_TIME, "AppTimeReq", 5, 1, 2, FIELDS(app_time_req)},
	{LW_UP, LW_CID_DEVICE_APP_TIME_PERIODICITY, "DeviceAppTimePeriodicityAns", 5, 1, 2,
	 FIELDS(periodicity_ans)},
	PACKAGE_VERSION_REQ,
	{LW_DOWN, LW_CID_APP_TIME, "AppTimeAns", 5, 1, 2, FIELDS(app_time_ans)},
	{LW_DOWN, LW_CID_DEVICE_APP_TIME_PERIODICITY, "DeviceAppTimePeriodicityReq", 1, 1, 2,
	 FIELDS(periodicity_req)},
	{LW_DOWN, LW_CID_FORCE_DEVICE_RESYNC, "ForceDeviceResyncReq", 1, 1, 1, FIELDS(force_device_resync)},
	{LW_DOWN, LW_CID_FORCE_DEVICE_RESYNC, "ForceDeviceResyncCmd", 1, 2, 2, FIELDS(force_device_resync)},
};

const struct lw_package lw_clock_sync = {LW_PACKAGE_CLOCK_SYNC, "clock_sync", "TS003", 202, 2, rows,
					 ARRAY_SIZE(rows)};

int32_t lw_clock_sync_correction(uint32_t device_time, uint32_t gps_s)
{
	return (int32_t)(gps_s - device_time);
}

bool lw_clock_sync_answer(const struct lw_package_command *request, uint32_t gps_s,
			  struct lw_package_command *answer)
{
	ASSERT(request->direction == LW_UP && request->cid == LW_CID_APP_TIME);
	int32_t correction = lw_clock_sync_correction(request->as.app_time_req.device_time, gps_s);
	if (correction == 0 && !request->as.app_time_req.ans_required)
		return false;
	*answer = (struct lw_package_command){.direction = LW_DOWN, .cid = LW_CID_APP_TIME};
	answer->as.app_time_ans.time_correction = correction;
	answer->as.app_time_ans.token_ans = request->as.app_time_req.token_req;
	return true;
}
