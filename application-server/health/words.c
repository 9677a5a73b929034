/* States and reasons for machines and for people. One row a reason: its name, the sentence, and what to do next. */
#include "application-server/health/table.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>

/* In a sentence and a next step %A is how long ago, %N the reason's number, %H the address, %E the gateway, %V the bridge's
 * verdict. */
static const struct reason_row {
	const char *name, *says, *next;
} rows[] = {
	[AS_BECAUSE_HEARD] = {"heard", "heard %A ago from %H", ""},
	[AS_BECAUSE_NO_BRIDGE] = {"no_bridge", "the gateway bridge does not answer, so nobody can say",
				  "lamppost status: is gateway-bridge running?"},
	[AS_BECAUSE_NEVER] =
		{"never", "no word of it ever came",
		 "Check its power and its line, that its EUI is this one, and that it is configured "
		 "for this server: lamppost gateway config %E"},
	[AS_BECAUSE_NOTHING_CAME] =
		{"nothing_came", "nothing heard for %A; last from %H",
		 "Check its line first (do others on the same backhaul stand?), then its power: "
		 "lamppost gateway list"},
	[AS_BECAUSE_PEER_CLOSED] =
		{"peer_closed", "it ended its connection %A ago and has not come back",
		 "It was restarted, or its configuration sends it elsewhere: look at its own log"},
	[AS_BECAUSE_LINK_LOST] = {"link_lost", "its connection broke %A ago and has not come back",
				  "Check its line, then its power"},
	[AS_BECAUSE_KEEP_ALIVE] =
		{"keep_alive", "nothing came through its connection any more, which was ended %A ago",
		 "Check its line: a modem that lost its network, a firewall that forgot the "
		 "connection"},
	[AS_BECAUSE_MISBEHAVED] =
		{"misbehaved",
		 "the bridge ended its connection %A ago: it said too much, read too slowly, or "
		 "broke the protocol",
		 "lamppost why gateway %E"},
	[AS_BECAUSE_REFUSED] = {"refused",
				"its record, certificate or token does not let it in any more, since %A",
				"lamppost gateway certificate %E show; lamppost why gateway %E"},
	[AS_BECAUSE_BRIDGE_ENDED] =
		{"bridge_ended", "the bridge was restarted %A ago and it has not come back since",
		 "Stations come back by themselves in seconds; if it does not, restart it"},
	[AS_BECAUSE_OUTAGES] =
		{"outages", "heard, but its way broke %N times in the last hour",
		 "Its line is bad: lamppost gateway show %E tells when; look at signal and plan of "
		 "its modem"},
	[AS_BECAUSE_FLAPPING] =
		{"flapping", "heard from two addresses in turn, last from %H",
		 "Two gateways with one EUI, or a NAT that changes its port's host: compare serial "
		 "numbers on site; give each its own EUI"},
	[AS_BECAUSE_MOVES] = {"moves", "heard, but its address changed %N times in the last hour",
			      "A line that is set up anew again and again: ask its operator"},
	[AS_BECAUSE_ACKS] =
		{"acks", "heard, but only %N of 1000 of its messages were answered, as it says",
		 "Packets are lost on its line or answers are filtered: check its firewall and signal"},
	[AS_BECAUSE_TURNED_AWAY] = {"turned_away", "it comes and is turned away: %V",
				    "Its line stands; what its record, its credential or its region lacks: "
				    "lamppost why gateway %E"},
};
_Static_assert(ARRAY_SIZE(rows) == AS_GATEWAY_REASONS, "a row for each");

static const struct reason_row *row_of(enum as_gateway_reason reason)
{
	ASSERT((unsigned)reason < AS_GATEWAY_REASONS);
	return &rows[reason];
}

const char *as_gateway_reason_name(enum as_gateway_reason reason)
{
	return row_of(reason)->name;
}

static int write_age(char *text, size_t room, span_us age)
{
	int64_t s = age < 0 ? 0 : age / US_PER_S;
	if (s < 120)
		return snprintf(text, room, "%" PRId64 " s", s);
	if (s < 7200)
		return snprintf(text, room, "%" PRId64 " min", s / 60);
	if (s < 172800)
		return snprintf(text, room, "%" PRId64 " h", s / 3600);
	return snprintf(text, room, "%" PRId64 " days", s / 86400);
}

static int write_one(char *text, size_t room, char letter, const struct as_gateway_health *row,
		     struct wall now)
{
	char eui[LW_EUI64_TEXT];
	struct wall since = row->state == AS_GATEWAY_ONLINE ? row->last_heard : row->since;
	switch (letter) {
	case 'A': return write_age(text, room, now.us - since.us);
	case 'N': return snprintf(text, room, "%" PRIu32, row->reason_count);
	case 'E': lw_eui64_format(eui, &row->eui); return snprintf(text, room, "%s", eui);
	case 'V': return snprintf(text, room, "%s", row->turned_away);
	default: return snprintf(text, room, "%s", row->address[0] ? row->address : "nowhere");
	}
}

static const char *write_words(char text[AS_HEALTH_WORDS], const char *words,
			       const struct as_gateway_health *row, struct wall now)
{
	size_t used = 0;
	text[0] = '\0';
	for (const char *at = words; *at && used < AS_HEALTH_WORDS - 1; at++) {
		int length = 1;
		if (*at != '%')
			text[used] = *at;
		else
			length = write_one(text + used, AS_HEALTH_WORDS - used, *++at, row, now);
		used += (size_t)length;
		used = used < AS_HEALTH_WORDS ? used : AS_HEALTH_WORDS - 1;
		text[used] = '\0';
	}
	return text;
}

const char *as_health_words(char text[AS_HEALTH_WORDS], const struct as_gateway_health *row, struct wall now)
{
	return write_words(text, row_of(row->reason)->says, row, now);
}

const char *as_gateway_next_step(char text[AS_HEALTH_WORDS], const struct as_gateway_health *row,
				 struct wall now)
{
	return write_words(text, row_of(row->reason)->next, row, now);
}
