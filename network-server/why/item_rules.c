/* What became of a downlink item. Numbers: a the downlink counter of its last frame, b0 tries, b1 the most, b2 length, b3
 * FPort, c the verdict that told. */
#include "network-server/why/book.h"

#define TRIES "try {tries:b0} of {limit:b1}, counter {fcnt:a}"

const struct decision_rule ns_item_note_rules[NS_ITEM_NOTE_COUNT] = {
	[NS_ITEM_NOTE_QUEUED] = NS_RULE("item_queued", DEBUG,
					"{item} waits for an uplink: {length:b2:bytes} for port {fport:b3}.",
					""),
	[NS_ITEM_NOTE_HELD] = NS_RULE(
		"item_held", INFO_GOING,
		"{item} ({length:b2:bytes}, port {fport:b3}) stays back from this frame: {cause:c:rule}.",
		""),
	[NS_ITEM_NOTE_PLANNED] = NS_RULE("item_planned", DEBUG,
					 "{item} is in a frame that went to {gateway}: " TRIES ".", ""),
	[NS_ITEM_NOTE_BACK] = NS_RULE("item_back", INFO_GOING,
				      "{item} is first in the queue again after " TRIES ": {cause:c:rule}.",
				      ""),
	[NS_ITEM_NOTE_WAITING] = NS_RULE(
		"item_waiting", DEBUG,
		"{item} was sent, " TRIES "; the next uplink tells whether it arrived.", ""),
	[NS_ITEM_NOTE_SENT] = NS_RULE("item_sent", DEBUG_GOOD,
				      "{item} was sent under counter {fcnt:a}, {length:b2:bytes}.", ""),
	[NS_ITEM_NOTE_ACKNOWLEDGED] = NS_RULE("item_acknowledged", DEBUG_GOOD,
					      "The device acknowledged {item}, " TRIES ".", ""),
	[NS_ITEM_NOTE_FAILED] = NS_RULE("item_failed", INFO,
					"{item} ended without success at " TRIES ": {cause:c:rule}.",
					"Send it again if it is still wanted."),
	[NS_ITEM_NOTE_EXPIRED] = NS_RULE(
		"item_expired", INFO, "{item} ended, for its time has passed, at " TRIES ": {cause:c:rule}.",
		"Send it again if it is still wanted, with a longer time."),
	[NS_ITEM_NOTE_REFUSED] = NS_RULE(
		"item_refused", INFO,
		"{item} ({length:b2:bytes}, port {fport:b3}) is not taken: {cause:c:rule}.",
		"See the verdict that stands beside it."),
	[NS_ITEM_NOTE_STALE] = NS_RULE(
		"item_stale", INFO,
		"{item} came back: it was encrypted under a counter that is spent ({cause:c:rule}).",
		"Encrypt it again under the next counter."),
};
