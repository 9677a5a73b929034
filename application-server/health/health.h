/* How each gateway fares now: its state with the reason, and the numbers that the state, the alarms and the people who ask go by. One
 * row for each gateway that is registered, filled from what the bridge says every few seconds (who is heard) and once a minute (its
 * counters), and from what the network server plans with (duty cycle, plan).
 *
 * States, each judged by the clocks of our own processes, never by a gateway's (invariant 9). The first that holds:
 *
 *	unknown     the bridge has not answered for 20 s (four looks): nobody can say; nothing is concluded from it
 *	never seen  no word of it ever reached us
 *	offline     its connection ended, or nothing came for `offline`
 *	silent      nothing came for `silent` (of a connection: the connection stands, and nothing comes through it)
 *	unstable    it is heard, but in the last hour its way changed or broke AS_UNSTABLE_TIMES times or more, its address flaps, or it
 *	            says that less than AS_UNSTABLE_ACKS of 1000 of its messages were answered
 *	online      none of these
 *
 * A gateway that comes back has ended an outage: silent and offline are one outage, which began when it was heard last and is
 * kept with its cause (store_health.h).
 *
 * Invariant: a count is a difference of counters that only grow; where they began anew the difference is what came since, so that
 * nothing is ever negative and a restart of anybody loses one minute at most. Pure. */
#ifndef LAMPPOST_AS_HEALTH_H
#define LAMPPOST_AS_HEALTH_H

#include "common/base/units.h"
#include "common/proto/gateway_messages.h"

#define AS_OFFLINE_US     (600 * US_PER_S) /* unless the configuration says otherwise */
#define AS_UNSTABLE_TIMES 3
#define AS_UNSTABLE_ACKS  800 /* of 1000 */

#define AS_HEALTH_SUB_BANDS 16
#define AS_HEALTH_OFF_PLAN  8 /* frequencies outside its plan that are named */
#define AS_HEALTH_TEXT      64

enum as_gateway_state {
	AS_GATEWAY_UNKNOWN,
	AS_GATEWAY_NEVER_SEEN,
	AS_GATEWAY_ONLINE,
	AS_GATEWAY_UNSTABLE,
	AS_GATEWAY_SILENT,
	AS_GATEWAY_OFFLINE,
	AS_GATEWAY_STATES
};
/* "unknown", "never_seen", "online", ... */
const char *as_gateway_state_name(enum as_gateway_state state);

/* Why it is in its state. Numbers are stored with outages: new ones come at the end. */
enum as_gateway_reason {
	AS_BECAUSE_HEARD,        /* online */
	AS_BECAUSE_NO_BRIDGE,    /* unknown: the gateway bridge does not answer */
	AS_BECAUSE_NEVER,        /* never seen */
	AS_BECAUSE_NOTHING_CAME, /* silent, offline: no datagram, no message */
	AS_BECAUSE_PEER_CLOSED,  /* offline: the gateway ended its connection */
	AS_BECAUSE_LINK_LOST,    /* offline: the connection broke */
	AS_BECAUSE_KEEP_ALIVE,   /* offline: nothing came through the connection, so the bridge ended it */
	AS_BECAUSE_MISBEHAVED,   /* offline: the bridge ended it: flood, slow reader, bad protocol */
	AS_BECAUSE_REFUSED,      /* offline: its record, certificate or token does not allow it any more */
	AS_BECAUSE_BRIDGE_ENDED, /* offline: the bridge was restarted and it has not come back */
	AS_BECAUSE_OUTAGES,      /* unstable: `reason_count` outages and new connections in the hour */
	AS_BECAUSE_FLAPPING,     /* unstable: its address goes to and fro */
	AS_BECAUSE_MOVES,        /* unstable: `reason_count` changes of its address in the hour */
	AS_BECAUSE_ACKS,         /* unstable: `reason_count` of 1000 of its messages were answered */
	AS_BECAUSE_TURNED_AWAY, /* never seen, silent, offline: it comes, and the bridge does not let it in */
	AS_GATEWAY_REASONS
};
/* "heard", "nothing_came", ...: for machines. */
const char *as_gateway_reason_name(enum as_gateway_reason reason);

/* What was counted in a while. */
struct as_gateway_counts {
	uint32_t seconds; /* that were looked at: less than asked for after a start */
	uint32_t received, crc_errors, forwarded, dropped;
	uint32_t sent;                        /* downlinks handed to it */
	uint32_t results[GW_TX_RESULT_COUNT]; /* what became of them; GW_TX_OK: accepted */
	uint32_t moves, reconnects;
	uint64_t bytes_up, bytes_down;
	uint64_t airtime_ms; /* on the air itself */
};
/* Of these counts the downlinks that it or the bridge refused: all but GW_TX_OK and GW_TX_NO_ANSWER. */
uint32_t as_gateway_refused(const struct as_gateway_counts *counts);

struct as_gateway_duty {
	uint32_t min_hz, max_hz;
	uint32_t used_ms, limit_ms; /* of an hour */
};

/* The facts of one gateway. */
struct as_gateway_health {
	struct lw_eui64 eui;
	bool registered;
	/* Its state. */
	enum as_gateway_state state;
	enum as_gateway_reason reason;
	uint32_t reason_count; /* where the reason has a number */
	struct wall since;     /* of the state; of silent and offline: when it was heard last */
	bool heard;            /* ever */
	struct wall last_heard;
	bool has_protocol;
	enum gw_protocol protocol;
	char address[GW_ADDRESS_MAX];     /* that it sent from last; "": never */
	char turned_away[AS_HEALTH_TEXT]; /* the bridge's verdict, since it was heard last; "": it was not */
	/* Counted. */
	struct as_gateway_counts minute; /* the last that is complete */
	struct as_gateway_counts hour;   /* the last 50 to 60 minutes */
	uint64_t month_bytes;            /* both ways, since the first of the month, UTC */
	uint32_t outages_hour, outages_day;
	bool flapping; /* its address goes to and fro now */
	/* The same EUI from two places: taken over from another host again and again, or flapping with both sides sending. */
	bool duplicate_suspected;
	/* Measured. */
	bool has_trip;
	uint32_t trip_ms, trip_95_ms;
	bool has_drift;
	int32_t drift_tenths_ppm; /* positive: its counter runs faster than our clock */
	bool has_temperature;
	int32_t temperature_cdeg;
	bool has_acks;
	uint32_t acks_permille; /* of its own messages, as it says */
	/* What it says of itself; "": nothing. */
	char station[AS_HEALTH_TEXT], model[AS_HEALTH_TEXT], firmware[AS_HEALTH_TEXT];
	bool has_position; /* by GPS */
	double latitude_deg, longitude_deg;
	int32_t altitude_m;
	struct wall certificate_until; /* of the certificate that it came with; 0: none */
	/* What the network server says of it. */
	unsigned duty_count;
	struct as_gateway_duty duty[AS_HEALTH_SUB_BANDS];
	uint64_t airtime_hour_ms;
	bool off_plan; /* it hears frequencies outside its plan, by the network server's own threshold */
	unsigned off_plan_count;
	uint32_t off_plan_hz[AS_HEALTH_OFF_PLAN];
	char plan[AS_HEALTH_TEXT]; /* as the network server names it */
};

struct as_health; /* opaque: health/table.h fills it */

/* Lends the row of a registered gateway, or NULL; valid until the loop's next event. */
const struct as_gateway_health *as_health_find(const struct as_health *health, const struct lw_eui64 *eui);
/* Walks all registered ones: start with *at = 0; NULL at the end. */
const struct as_gateway_health *as_health_next(const struct as_health *health, size_t *at);
/* Whether the bridge answered lately: where not, every state is unknown and nothing may be concluded. */
bool as_health_is_fresh(const struct as_health *health, struct mono now);
/* The reason in words, a sentence without its full stop: "nothing heard for 4 min; last from 203.0.113.7:41022". */
#define AS_HEALTH_WORDS 240
const char *as_health_words(char text[AS_HEALTH_WORDS], const struct as_gateway_health *row, struct wall now);
/* What a person does about it, in words, its commands ready to be copied; "": nothing. */
const char *as_gateway_next_step(char text[AS_HEALTH_WORDS], const struct as_gateway_health *row,
				 struct wall now);

#endif
