#include "common/lorawan/packages/multicast_setup.h"

#include "common/lorawan/class_b.h"
#include "common/lorawan/packages/row_macros.h"

PACKAGE_VERSION_FIELDS;
static const struct lw_package_field mc_status_req[] = {UINT(mc_status_req, req_group_mask, 0, 4)};
static const struct lw_package_field mc_status_ans[] = {
	UINT(mc_status_ans, ans_group_mask, 0, 4),
	UINT(mc_status_ans, nb_total_groups, 4, 3),
};
static const struct lw_package_field mc_setup_req[] = {
	UINT(mc_setup_req, mc_group_id, 0, 2),         ADDRESS(mc_setup_req, mc_addr, 8),
	BYTES(mc_setup_req, mc_key_encrypted, 40, 16), UINT(mc_setup_req, min_mc_fcnt, 168, 32),
	UINT(mc_setup_req, max_mc_fcnt, 200, 32),
};
static const struct lw_package_field mc_setup_ans[] = {
	UINT(mc_setup_ans, mc_group_id, 0, 2),
	FLAG(mc_setup_ans, id_error, 2),
};
static const struct lw_package_field mc_delete_req[] = {UINT(mc_delete_req, mc_group_id, 0, 2)};
static const struct lw_package_field mc_delete_ans[] = {
	UINT(mc_delete_ans, mc_group_id, 0, 2),
	FLAG(mc_delete_ans, mc_group_undefined, 2),
};
static const struct lw_package_field class_c_session_req[] = {
	UINT(mc_session_req, mc_group_id, 0, 2), UINT(mc_session_req, session_time, 8, 32),
	UINT(mc_session_req, time_out, 40, 4),   FREQUENCY(mc_session_req, dl_frequency_hz, 48),
	UINT(mc_session_req, dr, 72, 8),
};
static const struct lw_package_field class_b_session_req[] = {
	UINT(mc_session_req, mc_group_id, 0, 2),        UINT(mc_session_req, session_time, 8, 32),
	UINT(mc_session_req, time_out, 40, 4),          UINT(mc_session_req, periodicity, 44, 3),
	FREQUENCY(mc_session_req, dl_frequency_hz, 48), UINT(mc_session_req, dr, 72, 8),
};
static const struct lw_package_field session_ans_v1[] = {
	UINT(mc_session_ans, mc_group_id, 0, 2),    FLAG(mc_session_ans, dr_error, 2),
	FLAG(mc_session_ans, freq_error, 3),        FLAG(mc_session_ans, mc_group_undefined, 4),
	UINT(mc_session_ans, time_to_start, 8, 24),
};
static const struct lw_package_field session_ans_v2[] = {
	UINT(mc_session_ans, mc_group_id, 0, 2), FLAG(mc_session_ans, dr_error, 2),
	FLAG(mc_session_ans, freq_error, 3),     FLAG(mc_session_ans, mc_group_undefined, 4),
	FLAG(mc_session_ans, start_missed, 5),   UINT(mc_session_ans, time_to_start, 8, 24),
};

/* TimeToStart is there when no error bit is set. */
#define ANS_V1 FIELDS_MORE(session_ans_v1, 3, 0x1c, 0)
#define ANS_V2 FIELDS_MORE(session_ans_v2, 3, 0x3c, 0)

static const struct lw_package_row rows[] = {
	PACKAGE_VERSION_ANS,
	{LW_UP, LW_CID_MC_GROUP_STATUS, "McGroupStatusAns", 1, 1, 2,
	 FIELDS_TAIL(mc_status_ans, LW_PACKAGE_MC_GROUPS)},
	{LW_UP, LW_CID_MC_GROUP_SETUP, "McGroupSetupAns", 1, 1, 2, FIELDS(mc_setup_ans)},
	{LW_UP, LW_CID_MC_GROUP_DELETE, "McGroupDeleteAns", 1, 1, 2, FIELDS(mc_delete_ans)},
	{LW_UP, LW_CID_MC_CLASS_C_SESSION, "McClassCSessionAns", 1, 1, 1, ANS_V1},
	{LW_UP, LW_CID_MC_CLASS_C_SESSION, "McClassCSessionAns", 1, 2, 2, ANS_V2},
	{LW_UP, LW_CID_MC_CLASS_B_SESSION, "McClassBSessionAns", 1, 1, 1, ANS_V1},
	{LW_UP, LW_CID_MC_CLASS_B_SESSION, "McClassBSessionAns", 1, 2, 2, ANS_V2},
	PACKAGE_VERSION_REQ,
	{LW_DOWN, LW_CID_MC_GROUP_STATUS, "McGroupStatusReq", 1, 1, 2, FIELDS(mc_status_req)},
	{LW_DOWN, LW_CID_MC_GROUP_SETUP, "McGroupSetupReq", 29, 1, 2, FIELDS(mc_setup_req)},
	{LW_DOWN, LW_CID_MC_GROUP_DELETE, "McGroupDeleteReq", 1, 1, 2, FIELDS(mc_delete_req)},
	{LW_DOWN, LW_CID_MC_CLASS_C_SESSION, "McClassCSessionReq", 10, 1, 2, FIELDS(class_c_session_req)},
	{LW_DOWN, LW_CID_MC_CLASS_B_SESSION, "McClassBSessionReq", 10, 1, 2, FIELDS(class_b_session_req)},
};

const struct lw_package lw_multicast_setup = {
	LW_PACKAGE_MULTICAST_SETUP, "multicast_setup", "TS005", 200, 2, rows, ARRAY_SIZE(rows)};

bool lw_mc_session_accepted(const struct lw_package_command *answer)
{
	ASSERT(answer->direction == LW_UP &&
	       (answer->cid == LW_CID_MC_CLASS_C_SESSION || answer->cid == LW_CID_MC_CLASS_B_SESSION));
	return !answer->as.mc_session_ans.dr_error && !answer->as.mc_session_ans.freq_error &&
	       !answer->as.mc_session_ans.mc_group_undefined && !answer->as.mc_session_ans.start_missed;
}

uint32_t lw_mc_session_length_s(uint8_t time_out, bool class_b)
{
	return (class_b ? LW_BEACON_PERIOD_S : UINT32_C(1)) << (time_out & 15);
}
