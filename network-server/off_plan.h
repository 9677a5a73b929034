/* A gateway that hears frequencies outside the network's plan: its own configuration differs from its record. Then frames of
 * our devices go by unheard, which nobody sees; the foreign ones that it hears instead tell it.
 *
 *	quiet ── enough receptions off plan, and a share of all ──▶ raised
 *	raised ── they stop, or are few; or the record changes ───▶ quiet
 *
 * Kept per gateway: frequencies and counts of the last five to ten minutes, at most NS_OFF_PLAN_FREQS of them, and the last
 * four bytes of the newest frames, for seconds. Nothing tells who sent them (invariant 12): foreign frames are counted here before they
 * are dropped. A strong signal that is reported a second time, on a neighbouring frequency, is no sign: where the same
 * gateway reports the same bytes on a channel of the plan as well, the other report does not count. */
#ifndef LAMPPOST_NETWORK_SERVER_OFF_PLAN_H
#define LAMPPOST_NETWORK_SERVER_OFF_PLAN_H

#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_OFF_PLAN_FREQS  16
#define NS_OFF_PLAN_RECENT 8
#define NS_OFF_PLAN_HALF   (5 * 60 * US_PER_S) /* the window is this half and the one before it */
#define NS_OFF_PLAN_SAME   (2 * US_PER_S)      /* so close together are two reports of one signal */
#define NS_OFF_PLAN_CHECK  (30 * US_PER_S)     /* how often a raised one is looked at */
/* Raised from so many receptions and such a share on; cleared below half of both. */
#define NS_OFF_PLAN_LEAST   10
#define NS_OFF_PLAN_PERCENT 20

/* Receptions of a window, by half. */
struct ns_off_plan_count {
	uint32_t now, before;
};

struct ns_off_plan_freq {
	uint32_t freq_hz; /* 0: free */
	bool inside;
	struct ns_off_plan_count heard;
};

/* A report that another of the same signal may still turn into a ghost, or make one. */
struct ns_off_plan_report {
	struct mono at;
	uint32_t mic; /* the last four bytes */
	uint32_t freq_hz;
	bool inside, counted;
};

struct ns_off_plan {
	bool begun;
	struct mono half_began, before_began;
	struct ns_off_plan_count all, off; /* `off`: also beyond the table of frequencies */
	struct ns_off_plan_freq freqs[NS_OFF_PLAN_FREQS];
	struct ns_off_plan_report recent[NS_OFF_PLAN_RECENT];
	uint8_t next;
	bool raised;
	bool logged; /* `raised` as the edge logged it last */
};

struct ns;
struct ns_gateway;
struct gw_uplink;

/* Whether a gateway is to hear a frequency: a channel of its plan, one that the network adds, or one that some device was
 * given. */
bool ns_off_plan_inside(const struct ns *ns, const struct ns_gateway *gateway, uint32_t freq_hz);
/* Counts a reception with a good CRC; called before anything is dropped. */
void ns_off_plan_hear(struct ns *ns, struct now now, struct ns_gateway *gateway,
		      const struct gw_uplink *uplink);
/* The record changed: what was heard under the old one says nothing. Ends with the next tick where it was raised. */
void ns_off_plan_forget(struct ns *ns, struct ns_gateway *gateway);
/* The gateway is about to be removed. */
void ns_off_plan_removed(struct ns *ns, const struct ns_gateway *gateway);
/* ns_off_plan_forget() for all: the network's own channels changed. */
void ns_off_plan_forget_all(struct ns *ns);
/* Looks at the raised ones again; from ns_on_tick(). */
void ns_off_plan_tick(struct ns *ns, struct now now);
struct mono ns_off_plan_next(const struct ns *ns);

/* --- what it says --- */

/* Receptions of the window: outside the plan, in all, and its length. */
struct ns_off_plan_sum {
	uint32_t off, all;
	unsigned minutes; /* 1 at least */
	unsigned freqs;   /* how many frequencies outside are known */
	uint32_t freq_hz; /* the one that is heard most; 0: none */
};
struct ns_off_plan_sum ns_off_plan_sum(const struct ns_off_plan *off_plan, struct mono now);

#define NS_OFF_PLAN_TEXT 400
/* Fills the gateway's plan: "8-15,65", or "868.1 868.3 868.5 MHz". Returns `text`. */
const char *ns_off_plan_plan(char text[NS_OFF_PLAN_TEXT], const struct ns *ns,
			     const struct ns_gateway *gateway);
/* Fills cause and next step in words, without a character that JSON would escape. Returns `text`. */
const char *ns_off_plan_say(char text[NS_OFF_PLAN_TEXT], const struct ns *ns,
			    const struct ns_gateway *gateway, struct mono now);

#endif
