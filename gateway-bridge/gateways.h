/* Who is where. Known gateways come as a list from the network server and are kept; what is heard of each lives beside
 * it: since when, from where, the address that its downlinks go to, its counter. Unknown ones are listed as well, a
 * bounded number of them, so that an engineer sees what knocks.
 *
 *	                        any datagram                        nothing for the span  
 *	   silent ───────────────────────────────────▶ online ───────────────────────────────▶ silent
 *	   no path ──PULL_DATA──▶ path ──PULL_DATA from another host──▶ path (moved) ──none for GB_PATH_US──▶ no path
 *
 * Invariants: liveness is judged by our own monotonic clock alone; only a PULL_DATA of a known gateway, from inside its
 * pinned range, makes or moves a path; an unknown gateway has none. Pure. */
#ifndef LAMPPOST_BRIDGE_GATEWAYS_H
#define LAMPPOST_BRIDGE_GATEWAYS_H

#include "common/base/deadlines.h"
#include "common/base/decision.h"
#include "common/base/rng.h"
#include "common/base/table.h"
#include "common/proto/gateway_messages.h"
#include "gateway-bridge/address.h"
#include "gateway-bridge/health.h"
#include "gateway-bridge/rate.h"

#define GB_KNOWN_MAX   16384
#define GB_UNKNOWN_MAX 1024
#define GB_PATH_US     (90 * US_PER_S)
#define GB_FLAP_MOVES  4 /* moves within GB_FLAP_US, the latest among them, that make a gateway flap */
#define GB_FLAP_US     (60 * US_PER_S)
#define GB_FORGET_US   (600 * US_PER_S) /* an unknown one that was silent so long makes room for another */
#define GB_PASSER_US \
	(30 * US_PER_S)      /* the same for one that said little: invented EUIs do not block the list */
#define GB_PASSER_SAYS     3 /* datagrams that make more of it than that */
#define GB_TICKS_ODD_US    (10 * US_PER_S) /* a counter further off than any delay explains */
#define GB_TICKS_BEHIND_US US_PER_S /* behind, and from a new port: a forwarder that was started anew */

struct gb_gateway {
	bool used; /* the pool's: this entry is one */
	struct lw_eui64 eui;
	bool known;
	struct gw_gateway row;   /* known: as in the list */
	struct cidr source;      /* known: row.source_cidr */
	struct gb_bucket bucket; /* its rate limit: datagrams */
	struct gb_bucket frames; /* and entries of rxpk */

	bool online;
	struct mono heard;      /* the last datagram */
	struct gb_address from; /* its address */
	enum gw_protocol protocol;
	uint64_t datagrams, uplinks;
	uint64_t crc_bad; /* frames that failed their checksum */
	struct {
		const char *verdict; /* by name, lent for ever; NULL: it never was */
		struct mono at;
	} turned_away;    /* known: who called itself so and was not let in */
	uint64_t dropped; /* known: datagrams and frames over its limits, or from a foreign source */

	uint64_t station; /* the connection of its station that is up; 0: none */
	bool has_path;
	struct gb_peer path;
	struct mono pulled; /* last PULL_DATA, if path.address is set */
	bool has_pushed;
	struct mono pushed;               /* last PUSH_DATA */
	uint32_t moves;                   /* since the start; of a station: replaced connections */
	struct mono moved[GB_FLAP_MOVES]; /* the latest, at moves % GB_FLAP_MOVES */
	bool flapping;

	bool has_ticks;
	struct gw_ticks ticks;        /* at the end of the last frame */
	struct mono ticks_at;         /* when that arrived */
	struct gb_address ticks_from; /* and from where, port and all */
	span_us ticks_off;            /* how far the last one was from where it must be */
	uint32_t restarts;

	struct gb_health health; /* counted while it is in the list */

	struct deadline silence;     /* the table's: when to look whether it went silent */
	uint32_t mark, older, newer; /* the table's */
};

struct gb_gateways; /* opaque */

/* Whether this EUI is one that many devices share: all zeros, all ones, the forwarder's default. */
bool gb_eui_is_shared(const struct lw_eui64 *eui);

/* `decisions` (NULL: none) forgets a gateway that makes room or is removed; a borrow is kept. */
struct gb_gateways *gb_gateways_new(struct rng *rng, struct decision_ring *decisions);
void gb_gateways_free(struct gb_gateways *gateways); /* NULL is allowed */

/* How long nothing came of one that is silent; GW_SILENT_US until it is said. */
void gb_gateways_set_silent(struct gb_gateways *gateways, span_us silent);
span_us gb_gateways_silent(const struct gb_gateways *gateways);

/* Lends a gateway, or NULL; valid until the list changes or an unknown one is noted. */
struct gb_gateway *gb_gateways_find(const struct gb_gateways *gateways, const struct lw_eui64 *eui);
/* Lists an unknown one, or finds it. NULL when the list of them is full of newer ones. */
struct gb_gateway *gb_gateways_note(struct gb_gateways *gateways, struct mono now,
				    const struct lw_eui64 *eui);
/* Its number, below GB_KNOWN_MAX + GB_UNKNOWN_MAX: stays while it is there. */
uint32_t gb_gateways_index(const struct gb_gateways *gateways, const struct gb_gateway *gateway);
/* Lends the gateway of a number, or NULL. */
const struct gb_gateway *gb_gateways_at(const struct gb_gateways *gateways, uint32_t index);
uint64_t gb_gateways_known(const struct gb_gateways *gateways);
uint64_t gb_gateways_unknown(const struct gb_gateways *gateways);
uint64_t gb_gateways_online(const struct gb_gateways *gateways);   /* known ones */
uint64_t gb_gateways_flapping(const struct gb_gateways *gateways); /* known ones */
/* Walks all: start with *at = 0; NULL at the end. `*at` stays good while gateways come and go: one that is there all the
 * time is met once. */
struct gb_gateway *gb_gateways_next(const struct gb_gateways *gateways, size_t *at);

/* --- the list, in parts: collected from the first, taken over as a whole with the last */
enum gb_list_verdict {
	GB_LIST_MORE,    /* collected */
	GB_LIST_SAME,    /* complete, and what we had */
	GB_LIST_CHANGED, /* complete, taken over */
	GB_LIST_BAD      /* too long, out of order, or a range that is none: what we had stays */
};
enum gb_list_verdict gb_gateways_list(struct gb_gateways *gateways, const struct gw_gateway_list *part);
uint64_t gb_gateways_list_version(const struct gb_gateways *gateways);
/* Fills the next part of the list for keeping: start with *at = 0; false after the last. */
bool gb_gateways_list_part(const struct gb_gateways *gateways, size_t *at, struct gw_gateway_list *part);

/* --- what is heard */
/* Somebody who calls himself so was not let in, for a reason of the record, not of a limit. */
static inline void gb_gateways_turned_away(struct gb_gateway *gateway, struct mono now, const char *verdict)
{
	gateway->turned_away.verdict = verdict;
	gateway->turned_away.at = now;
}
/* A datagram of this gateway was taken; returns whether it came back from silence. */
bool gb_gateways_heard(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now,
		       const struct gb_peer *from, enum gw_protocol protocol);

struct gb_pull {
	bool first; /* there was no path */
	bool moved; /* to another host */
	bool began_to_flap;
	bool settled;          /* ended to flap */
	struct gb_address was; /* moved: the address before */
};
/* A PULL_DATA of a known gateway: its downlinks go there from now on. */
struct gb_pull gb_gateways_pulled(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now,
				  const struct gb_peer *from);
/* Its connection ended: it is silent at once. */
void gb_gateways_left(struct gb_gateways *gateways, struct gb_gateway *gateway);
/* Its connection was replaced by another: a move. Returns whether it began to flap by that. */
bool gb_gateways_replaced(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now);
/* Whether it ended to flap: the last move is long ago. */
bool gb_gateways_settle(struct gb_gateways *gateways, struct gb_gateway *gateway, struct mono now);
/* Parts of it that are the gateway's own; for gateways.c. */
bool gb_gateway_moved(struct gb_gateway *gateway, struct mono now);
struct gb_pull gb_gateway_pulled(struct gb_gateway *gateway, struct mono now, const struct gb_peer *from);
/* Lends where its downlinks go, or NULL when it has not pulled for GB_PATH_US. */
const struct gb_peer *gb_gateway_path(const struct gb_gateway *gateway, struct mono now);

enum gb_ticks_verdict { GB_TICKS_FIRST, GB_TICKS_STEADY, GB_TICKS_RESTARTED, GB_TICKS_ODD };
/* A frame ended at this counter: is it where the last one and our clock put it? */
enum gb_ticks_verdict gb_gateway_ticks(struct gb_gateway *gateway, struct mono now, struct gw_ticks ticks);
/* Our time of a counter value, as far as it is known: `now` without an uplink to go by. */
struct mono gb_gateway_time(const struct gb_gateway *gateway, struct mono now, struct gw_ticks ticks);

/* Lends a known gateway that has just gone silent, or NULL when no more have. Forgets nothing of it but a path
 * that has run out, and that it flaps. */
struct gb_gateway *gb_gateways_pop_silent(struct gb_gateways *gateways, struct mono now);
struct mono gb_gateways_deadline(const struct gb_gateways *gateways);

#endif
