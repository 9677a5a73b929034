#include "gateway-bridge/edge_notes.h"

#include "common/base/log.h"

void gb_note_log(struct gb_notes *notes, struct now now, const struct gb_note *note)
{
	const struct decision_rule *row = gb_verdict_row(note->verdict);
	struct mono *last = &notes->logged[note->verdict];
	if (last->us != 0 && mono_since(now.mono, *last) < US_PER_S) {
		notes->unlogged[note->verdict]++;
		return;
	}
	char eui[LW_EUI64_TEXT] = "-", from[GB_ADDRESS_TEXT], was[GB_ADDRESS_TEXT];
	if (note->has_gateway)
		lw_eui64_format(eui, &note->gateway);
	log_write(row->level, row->name, "gateway=%s from=%s%s%s unlogged=%u", eui,
		  gb_address_format(from, &note->from), note->was.family ? " was=" : "",
		  note->was.family ? gb_address_format(was, &note->was) : "", notes->unlogged[note->verdict]);
	notes->unlogged[note->verdict] = 0;
	*last = now.mono;
}
