/* How the rules are written; for the files that hold them (verdicts.h). */
#ifndef LAMPPOST_BRIDGE_VERDICT_ROWS_H
#define LAMPPOST_BRIDGE_VERDICT_ROWS_H

#include "gateway-bridge/verdicts.h"

#define ROW(name, level, sentence, next)                        \
	{                                                       \
		name, DECISION_AS_##level, sentence, next, NULL \
	}
#define FROM             "{from:a:ip}"
#define TIMES            " ({times:c:count time})"
#define STATION_IS_WRONG "The gateway's station writes what its protocol does not have: update it."

#endif
