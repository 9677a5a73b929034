/* Alarms as states: what is wrong now, since when, how often, and who has taken it on. Pure: time comes in, the table goes out.
 *
 *	            bad for hold_raise                good for hold_clear
 *	(nothing) ──▶ PENDING ──────────▶ RAISED ──────────────────────▶ CLEARED ──kept AS_CLEARED_KEPT──▶ (nothing)
 *	    ▲            │good               ▲                              │bad for hold_raise: the same alarm again,
 *	    └────────────┘                   └──────────────────────────────┘ `times` one higher
 *
 * One alarm for each (kind, subject). Whoever observes says the number of a kind for a subject, round after round; a subject that
 * a round leaves out (its record was removed) is good. "Not known now" leaves an alarm as it stands: a bridge that is away is no
 * word about its gateways.
 *
 * `change` counts raises and clears: odd while raised, even while cleared. What a channel was told is a change as well
 * (notify.h): the two differ, or nothing is to be told. Nothing else is a queue, so nothing can overflow, and a restart repeats
 * nothing.
 *
 * An acknowledged alarm is not told again until it has cleared and come back, its acknowledgement runs out, or it gets worse.
 * Bounded: at most AS_ALARMS_MAX; the oldest cleared one makes room, and when all are raised a new one is counted and left out. */
#ifndef LAMPPOST_AS_ALARMS_H
#define LAMPPOST_AS_ALARMS_H

#include "application-server/alarms/kinds.h"
#include "common/base/table.h"
#include "common/proto/network_messages.h"

#define AS_ALARMS_MAX     4096
#define AS_CHANNELS_MAX   8
#define AS_ALARM_SUBJECT  60  /* with NUL */
#define AS_ALARM_NAME     96  /* of the subject, for people; with NUL */
#define AS_ALARM_DETAIL   200 /* with NUL */
#define AS_ALARM_WHO      96
#define AS_ALARM_NOTE     160
#define AS_ALARM_SENTENCE 512
#define AS_CLEARED_KEPT   (72 * 3600 * US_PER_S) /* in memory; the store keeps longer */
#define AS_TIMES_SPAN     (24 * 3600 * US_PER_S) /* one that comes back within it is the same again */

enum as_alarm_state { AS_PENDING, AS_RAISED, AS_CLEARED };
const char *as_alarm_state_name(enum as_alarm_state state); /* "pending", "raised", "cleared" */

/* What one channel knows of an alarm (notify.h). */
struct as_told {
	uint32_t change; /* told last; 0: nothing yet */
	uint32_t owed;   /* a raise that was due and could not be told: quiet, or the channel failed */
	enum as_severity severity;
	struct wall at;
};

struct as_alarm_key {
	uint8_t kind;                       /* enum as_alarm_kind_id */
	char subject[AS_ALARM_SUBJECT + 3]; /* padded with zeros */
};

struct as_alarm {
	struct as_alarm_key key;
	enum as_alarm_state state;
	bool bad;          /* what was observed last */
	bool dirty;        /* the store has an older one */
	bool acknowledged; /* until `ack_until`, or it clears, or gets worse */
	bool has_agency;   /* whose gateway it is about */
	int64_t id;        /* from the first raise on; 0 before */
	int64_t value;
	enum as_severity severity;
	struct mono turned; /* when `bad` changed last */
	struct mono freed;  /* when it stopped being part of another */
	bool was_part;      /* `freed` counts */
	unsigned round;     /* of its source, that observed it last */
	uint32_t change, times;
	int64_t part_of;              /* the id of a raised alarm that says it all; 0: none */
	struct as_alarm_key part_key; /* its key */
	struct wall first, since, cleared;
	struct wall ack_at, ack_until; /* until 0: until it clears */
	struct net_uuid agency;
	char name[AS_ALARM_NAME], detail[AS_ALARM_DETAIL];
	char ack_who[AS_ALARM_WHO], ack_note[AS_ALARM_NOTE];
	struct as_told told[AS_CHANNELS_MAX];
};

struct as_alarms {
	struct table table; /* struct as_alarm by key */
	unsigned rounds[AS_SOURCES];
	int64_t last_id;
	span_us silent, offline;            /* of gateways: as_alarms_set_spans() */
	uint64_t raised, cleared, left_out; /* counters */
};

/* What was seen. */
struct as_observation {
	enum as_alarm_kind_id kind;
	const char *subject; /* "" for the city; cut to AS_ALARM_SUBJECT */
	const char *name;    /* for people; NULL: the subject */
	const char *detail;  /* NULL: none */
	bool unknown;        /* nobody can tell now: it stays as it is */
	int64_t value;
	const struct net_uuid *agency; /* NULL: the city's */
};

/* `last_id`: of the store, 0 for a new one. */
void as_alarms_init(struct as_alarms *alarms, struct rng *rng, int64_t last_id);
/* How long nothing came of a gateway that is silent, that is offline; GW_SILENT_US and 10 minutes until it is said. */
void as_alarms_set_spans(struct as_alarms *alarms, span_us silent, span_us offline);
/* How long one of a kind must be so before it is raised, and before it is over: as its row says; of silence in proportion where
 * the span is shorter than GW_SILENT_US. */
span_us as_alarms_hold_raise(const struct as_alarms *alarms, const struct as_alarm_kind *kind);
span_us as_alarms_hold_clear(const struct as_alarms *alarms, const struct as_alarm_kind *kind);
void as_alarms_release(struct as_alarms *alarms);
/* Takes one that the store kept (raised, or cleared lately). It stands as it is until it is observed. False: full. */
bool as_alarms_restore(struct as_alarms *alarms, const struct as_alarm *alarm, struct now now);

/* A round of one source: begin, observe what there is, end. */
void as_alarms_begin(struct as_alarms *alarms, enum as_alarm_source source);
void as_alarms_observe(struct as_alarms *alarms, const struct as_observation *seen, struct now now);
void as_alarms_end(struct as_alarms *alarms, enum as_alarm_source source, struct now now);
/* Lets time work: what held long enough is raised or cleared, acknowledgements run out, old ones go. */
void as_alarms_step(struct as_alarms *alarms, struct now now);

/* Lends; NULL: none. Valid until the next call that observes, steps or restores. */
struct as_alarm *as_alarms_find(const struct as_alarms *alarms, enum as_alarm_kind_id kind,
				const char *subject);
struct as_alarm *as_alarms_by_id(const struct as_alarms *alarms, int64_t id);
/* Walks as table_next(). */
struct as_alarm *as_alarms_next(const struct as_alarms *alarms, size_t *at);
/* Whether another raised alarm says it all. */
bool as_alarm_is_part(const struct as_alarms *alarms, const struct as_alarm *alarm);
/* Makes it part of a raised alarm, or of none (NULL). */
void as_alarm_set_part(struct as_alarm *alarm, const struct as_alarm *whole, struct now now);
/* `until` 0: until it clears. False: it is not raised. */
bool as_alarm_acknowledge(struct as_alarm *alarm, const char *who, const char *note, struct wall until,
			  struct wall now);

struct as_alarm_counts {
	unsigned open[AS_SEVERITIES]; /* raised, neither part of another nor acknowledged */
	unsigned acknowledged, parts;
};
struct as_alarm_counts as_alarms_count(const struct as_alarms *alarms);

static inline const struct as_alarm_kind *as_alarm_kind_of(const struct as_alarm *alarm)
{
	return &as_alarm_kinds[alarm->key.kind];
}

/* Copies what people and other programs wrote, so that it can be shown anywhere: cut between letters, never within one; control
 * characters become blanks, bytes that are no UTF-8 question marks. `out` may be `text`. Returns `out`. */
char *as_alarm_letters(char *out, size_t capacity, const char *text);
/* Fills a row's text with the alarm's numbers; returns `text`. */
const char *as_alarm_fill(char *text, size_t capacity, const char *pattern, const struct as_alarm *alarm);
/* The alarm's sentence. */
const char *as_alarm_sentence(char text[AS_ALARM_SENTENCE], const struct as_alarm *alarm);

#endif
