#include "network-server/adr/adr_parts.h"

#include "common/base/check.h"

#include <string.h>

static const char *const names[NS_ADR_REASON_COUNT] = {
	[NS_ADR_KEEP] = "keep",
	[NS_ADR_TOO_FEW] = "too_few",
	[NS_ADR_NO_SNR] = "no_snr",
	[NS_ADR_OUTSIDE] = "outside",
	[NS_ADR_FASTER] = "faster",
	[NS_ADR_QUIETER] = "quieter",
	[NS_ADR_LOUDER] = "louder",
	[NS_ADR_REPEATS] = "repeats",
	[NS_ADR_SLOWER] = "slower",
	[NS_ADR_FIXED] = "fixed",
	[NS_ADR_FIXED_HELD] = "fixed_held",
	[NS_ADR_FIXED_NOT] = "fixed_not",
	[NS_ADR_STEADY_KEEP] = "steady_keep",
	[NS_ADR_STEADY] = "steady",
};

const char *ns_adr_reason_name(enum ns_adr_reason reason)
{
	return (unsigned)reason < NS_ADR_REASON_COUNT ? names[reason] : "unknown";
}

void ns_adr_clear(struct ns_adr_history *history)
{
	*history = (struct ns_adr_history){.count = 0};
}

void ns_adr_note(struct ns_adr_history *history, uint8_t dr, int16_t snr_cdb)
{
	if (history->count > 0 && history->dr != dr)
		ns_adr_clear(history);
	history->dr = dr;
	int quarters = snr_cdb / NS_ADR_QDB;
	quarters = quarters > INT8_MAX ? INT8_MAX : quarters < INT8_MIN ? INT8_MIN : quarters;
	memmove(history->snr_qdb + 1, history->snr_qdb, NS_ADR_HISTORY - 1);
	history->snr_qdb[0] = (int8_t)quarters;
	if (history->count < NS_ADR_HISTORY)
		history->count++;
}

uint32_t ns_adr_span(const struct ns_session *session)
{
	unsigned found = 0;
	for (uint32_t back = 0; back < NS_SEEN_BITS && back < session->fcnt_up; back++) {
		found += (unsigned)(session->seen[back / 64] >> (back % 64) & 1);
		if (found == session->adr.count)
			return back + 1;
	}
	return session->fcnt_up < NS_SEEN_BITS ? session->fcnt_up : NS_SEEN_BITS;
}

bool ns_adr_may(uint16_t bits, int index)
{
	return index >= 0 && index < 16 && (bits >> index & 1);
}

uint8_t ns_adr_next(uint16_t bits, uint8_t from, int direction)
{
	for (int i = from + direction; i >= 0 && i < 16; i += direction)
		if (ns_adr_may(bits, i))
			return (uint8_t)i;
	return from;
}

uint8_t ns_adr_nearest(uint16_t bits, uint8_t index)
{
	if (ns_adr_may(bits, index))
		return index;
	uint8_t below = ns_adr_next(bits, index, -1);
	return ns_adr_may(bits, below) ? below : ns_adr_next(bits, index, 1);
}

const struct ns_adr_algorithm ns_adr_algorithms[NET_ADR_ALGORITHMS] = {
	[NET_ADR_USUAL] = {ns_adr_usual},
	[NET_ADR_FIXED] = {ns_adr_fixed},
	[NET_ADR_STEADY] = {ns_adr_steady},
};

struct ns_adr_decision ns_adr_decide(enum net_adr_algorithm algorithm, const struct ns_adr_input *input)
{
	ASSERT_CMP(algorithm, <, NET_ADR_ALGORITHMS);
	return ns_adr_algorithms[algorithm].decide(input);
}
