/* The rows of health.h, filled. Four things are told to it:
 *
 *	live pages, every few seconds   who is heard, from where, whether a connection stands    ──▶ state, outages
 *	counter pages, once a minute    counters that only grow                                  ──▶ what came in the minute ──▶ series
 *	network pages, once a minute    duty cycle, plan
 *	the store, when a row is made   when it was heard last, the outage that is open, this month's bytes
 *
 * What is to be kept goes out through `struct as_health_keeper`. Pure: `now` comes in. */
#ifndef LAMPPOST_AS_HEALTH_TABLE_H
#define LAMPPOST_AS_HEALTH_TABLE_H

#include "application-server/health/health.h"
#include "common/base/table.h"

#include <jansson.h>

#define AS_HEALTH_MAX   16384 /* gateways; more are not watched */
#define AS_HEALTH_TENTH (600 * US_PER_S)

/* One interval between two looks at a gateway's counters, as it is kept. */
struct as_health_minute {
	struct lw_eui64 eui;
	struct wall at; /* the end of it */
	struct as_gateway_counts counts;
	uint32_t offline_s; /* of counts.seconds: silent or offline */
	bool has_trip, has_drift, has_temperature;
	uint32_t trip_95_ms;
	int32_t drift_tenths_ppm, temperature_cdeg;
};

struct as_health_outage {
	struct lw_eui64 eui;
	struct wall began, ended; /* ended.us 0: it goes on */
	enum as_gateway_reason reason;
};

/* When a gateway was heard last, beyond a restart of everybody. */
struct as_health_mark {
	bool heard;
	struct wall last;
	bool has_protocol;
	enum gw_protocol protocol;
	char address[GW_ADDRESS_MAX];
	bool out; /* an outage is open */
	struct as_health_outage outage;
	uint64_t month_bytes; /* since the first of the month */
	uint32_t outages_day;
};

/* Where it comes from and goes to; a NULL function: nowhere. */
struct as_health_keeper {
	void (*load)(void *ctx, const struct lw_eui64 *eui, struct wall now, struct as_health_mark *mark);
	void (*minute)(void *ctx, const struct as_health_minute *minute);
	void (*heard)(void *ctx, const struct as_gateway_health *row);
	void (*outage)(void *ctx, const struct as_health_outage *outage); /* began, or ended */
	void *ctx;
};

/* The counters as they were told last. */
struct as_health_before {
	bool known;
	uint64_t began; /* the bridge's */
	uint64_t received, crc_errors, forwarded, dropped, sent, bytes_up, bytes_down, moves, opened, taken;
	uint64_t results[GW_TX_RESULT_COUNT];
	struct mono at;
};

struct as_health_row {
	struct as_gateway_health facts;
	bool loaded;
	unsigned round; /* of live pages that named it last */
	/* Live. */
	bool bridge_heard; /* since the bridge began */
	struct mono heard; /* when, by our clock; may lie before our start */
	bool has_connection, connected;
	struct mono changed;           /* of the connection */
	enum as_gateway_reason closed; /* why it ended last */
	bool out;
	struct mono out_since;
	struct as_health_outage outage;
	struct mono judged;
	span_us offline_us; /* silent or offline, since its counters were looked at last */
	/* Counted. */
	struct as_health_before before;
	bool looked;                        /* its counters were looked at, or asked for at once */
	struct as_gateway_counts tenths[6]; /* of the last hour, by ten minutes */
	uint16_t tenth_outages[6], tenth_taken[6];
	int64_t tenth; /* the newest, numbered */
	uint16_t day_hours[24];
	int64_t day_hour;
	uint32_t month;      /* of month_bytes: months since year 0 */
	uint64_t airtime_ms; /* the network server's running sum, as it was told last */
	bool airtime_known;
	uint64_t airtime_new; /* that came since the last minute */
};

struct as_health {
	struct table by_eui;        /* eui → index */
	struct as_health_row *rows; /* owned, grows */
	size_t count, room;
	struct as_health_keeper keeper;
	unsigned round;
	span_us silent, offline; /* without a word: as_health_set_spans() */
	bool fresh;              /* a round was finished */
	struct mono taken;       /* when the last one was */
	struct mono listening;   /* since when the bridge has answered without a gap or a restart */
	struct mono stirred;     /* when it last began to, or a gateway came into the list */
	uint64_t began;          /* the bridge's */
	unsigned loads;          /* rows made by the page in hand: the store is asked for each */
	bool settled; /* a round of live pages was complete: who comes now is new, and counted from nought */
	bool waits;   /* a page of this round named more than were made */
};

void as_health_init(struct as_health *health, const struct as_health_keeper *keeper, struct rng *rng);
/* How long nothing came of one that is silent, of one that is offline; GW_SILENT_US and AS_OFFLINE_US until it is said. */
void as_health_set_spans(struct as_health *health, span_us silent, span_us offline);
/* How often it is worth to look at who is heard: every 5 s, and three times in the span of silence. */
span_us as_health_look_every(span_us silent);
/* When to look again: each second for half a minute after a start and after a gateway was registered, when
 * somebody stands before it and waits to see it heard; not where there are many, which takes many pages. */
span_us as_health_look_next(const struct as_health *health, struct mono now);
void as_health_release(struct as_health *health);

/* --- liveness: begin ── live() for each page ── end(): states are judged, gateways that are gone are forgotten */
void as_health_begin(struct as_health *health);
void as_health_live(struct as_health *health, const json_t *page, struct now now);
void as_health_end(struct as_health *health, struct now now);
/* Whether gateways that the round named have no row yet: the next round is due at once. */
bool as_health_waits(const struct as_health *health);
/* The bridge did not answer: when that lasts, nothing is known of anybody. */
void as_health_unheard(struct as_health *health, struct now now);
/* --- counters: a page of the bridge's /gateways?health=1; of the network server's /gateways */
void as_health_counters(struct as_health *health, const json_t *page, struct now now);
void as_health_network(struct as_health *health, const json_t *page, struct now now);

/* A gateway that has just come into the list, was heard, and whose counters nobody has looked at: for a look of its own, once. False: none. */
bool as_health_unlooked(struct as_health *health, struct lw_eui64 *eui);

size_t as_health_count(const struct as_health *health);

/* --- for the files of health/ */
struct as_health_row *as_health_row(struct as_health *health, const struct lw_eui64 *eui);
/* Moves the windows of an hour and a day on to now. */
void as_health_turn(struct as_health_row *row, struct now now);
/* Adds b to a; the seconds too. */
void as_counts_add(struct as_gateway_counts *a, const struct as_gateway_counts *b);
/* Judges one row: states.c. */
void as_health_judge(struct as_health *health, struct as_health_row *row, struct now now);
uint32_t as_month_of(struct wall at);
/* The number that a page of the bridge's begins with; 0: none. */
uint64_t as_health_began(const json_t *page);

#endif
