#include "common/lorawan/fcnt.h"

#include "common/lorawan/version.h"

const char *lw_fcnt_verdict_name(enum lw_fcnt_verdict verdict)
{
	static const char *const names[LW_FCNT_VERDICT_COUNT] = {
		[LW_FCNT_NEW] = "new", [LW_FCNT_REPEAT] = "repeat",       [LW_FCNT_LATE] = "late",
		[LW_FCNT_GAP] = "gap", [LW_FCNT_EXHAUSTED] = "exhausted",
	};
	return (unsigned)verdict < LW_FCNT_VERDICT_COUNT ? names[verdict] : "unknown";
}

uint32_t lw_fcnt_reconstruct(uint32_t next, uint16_t air)
{
	uint16_t ahead = (uint16_t)(air - (uint16_t)next);
	if (ahead < 0x8000)
		return next + ahead;
	uint32_t behind = 0x10000u - ahead;
	return next >= behind ? next - behind : next + ahead;
}

enum lw_fcnt_verdict lw_fcnt_judge(uint32_t next, uint32_t fcnt, enum lw_mac_version version)
{
	if (fcnt < next)
		return fcnt == next - 1 ? LW_FCNT_REPEAT : LW_FCNT_LATE;
	if (fcnt == UINT32_MAX)
		return LW_FCNT_EXHAUSTED;
	if (lw_behaves(version, LW_FCNT_GAP_LIMIT) && fcnt - next > LW_MAX_FCNT_GAP)
		return LW_FCNT_GAP;
	return LW_FCNT_NEW;
}
