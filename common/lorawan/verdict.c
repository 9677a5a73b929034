#include "common/lorawan/verdict.h"

const char *lw_verdict_name(enum lw_verdict verdict)
{
	static const char *const names[LW_VERDICT_COUNT] = {
		[LW_OK] = "ok",
		[LW_TOO_SHORT] = "too_short",
		[LW_PROPRIETARY_FRAME] = "proprietary",
		[LW_UNSUPPORTED_MAJOR] = "unsupported_major",
		[LW_WRONG_DIRECTION] = "wrong_direction",
		[LW_OTHER_TYPE] = "other_type",
		[LW_UNKNOWN_REJOIN_TYPE] = "unknown_rejoin_type",
		[LW_BAD_LENGTH] = "bad_length",
		[LW_FOPTS_OVERRUN] = "fopts_overrun",
		[LW_FOPTS_WITH_FPORT0] = "fopts_with_fport0",
		[LW_BAD_MIC] = "bad_mic",
	};
	return (unsigned)verdict < LW_VERDICT_COUNT ? names[verdict] : "unknown";
}
