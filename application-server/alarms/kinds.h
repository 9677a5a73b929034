/* The kinds of alarm as rows of a table: what is measured, from where on it is an alarm and from where on it is over (two
 * thresholds, so that a value that swings about one does not ring), how long it must have been so, and what a person is told:
 * a sentence with its numbers, the cause, what to do, the commands for it.
 *
 * A kind measures one whole number of a subject. Kinds that know only yes and no measure 1 and 0, or how long (seconds, 0 for
 * no). Everything else of an alarm (alarms.h) is the same for every kind, so a new one is a row here, a line in
 * docs/alarms.md and a call of as_alarms_observe(). */
#ifndef LAMPPOST_AS_ALARM_KINDS_H
#define LAMPPOST_AS_ALARM_KINDS_H

#include "common/base/units.h"

#include <stdbool.h>
#include <stddef.h>

enum as_alarm_kind_id {
	AS_ALARM_SILENT,
	AS_ALARM_OFFLINE,
	AS_ALARM_BACKHAUL_SILENT,
	AS_ALARM_CITY_SILENT,
	AS_ALARM_UNSTABLE,
	AS_ALARM_ADDRESS_MOVES,
	AS_ALARM_CLOCK_DRIFT,
	AS_ALARM_DUTY_CYCLE,
	AS_ALARM_CRC_ERRORS,
	AS_ALARM_DOWNLINKS_REJECTED,
	AS_ALARM_PLAN_MISMATCH,
	AS_ALARM_DUPLICATE_EUI,
	AS_ALARM_UDP_OPEN,
	AS_ALARM_CERTIFICATE_EXPIRING,
	AS_ALARM_CERTIFICATE_EXPIRED,
	AS_ALARM_SERVER_CERTIFICATE,
	AS_ALARM_PERMISSION_ENDING,
	AS_ALARM_DATA_PLAN,
	AS_ALARM_TEMPERATURE,
	AS_ALARM_BRIDGE_UNHEARD,
	AS_ALARM_PROCESS_UNHEARD,
	AS_ALARM_JOURNAL_FILLING,
	AS_ALARM_DISK_FULL,
	AS_ALARM_CHANNEL_FAILING,
	AS_ALARM_JOIN_REPLAYED,
	AS_ALARM_JOIN_STORM,
	AS_ALARM_JOIN_STORM_LEFT,
	AS_ALARM_KINDS
};

enum as_severity {
	AS_NOTICE,   /* good to know: plan it */
	AS_WARNING,  /* within the working day */
	AS_CRITICAL, /* now: somebody is hit, or will be soon */
	AS_SEVERITIES
};
const char *as_severity_name(enum as_severity severity); /* "notice", "warning", "critical" */
bool as_severity_parse(const char *text, enum as_severity *severity);

enum as_subject_type {
	AS_SUBJECT_CITY,
	AS_SUBJECT_GATEWAY,
	AS_SUBJECT_BACKHAUL,
	AS_SUBJECT_PROCESS,
	AS_SUBJECT_CHANNEL,
	AS_SUBJECT_DEVICE,
	AS_SUBJECT_TYPES
};
const char *as_subject_type_name(enum as_subject_type type); /* "city", "gateway", ... */

/* Who observes: what a round of one source leaves out is over. */
enum as_alarm_source {
	AS_SOURCE_GATEWAYS,  /* gateway_facts.h */
	AS_SOURCE_GROUPS,    /* groups.h */
	AS_SOURCE_PROCESSES, /* the edge: processes, disk, journal, certificates, storms */
	AS_SOURCE_CHANNELS,  /* the edge: how notifying fares */
	AS_SOURCE_JOINS,     /* joins/replays.h */
	AS_SOURCES
};

#define AS_NEVER INT64_MAX /* a threshold that nothing reaches */

struct as_alarm_kind {
	const char *name;  /* as in the API, on the command line, in topics */
	const char *title; /* three words for a list */
	enum as_subject_type subject;
	enum as_alarm_source source;
	enum as_severity severity; /* from `raise` on */
	const char *unit;          /* of the number: "s", "days", "%", "ppm", "°C", or a plural noun */
	bool below;                /* an alarm at or below the threshold, not at or above it */
	int64_t raise, clear;      /* raised at `raise` or worse; over at `clear` or better */
	int64_t warning, critical; /* where the severity rises; AS_NEVER (below: −AS_NEVER): nowhere */
	span_us hold_raise;        /* how long before it is raised */
	span_us hold_clear;        /* how long before it is over */
	bool of_silence;           /* both are shorter where the span of silence is (alarms.h) */
	span_us delay;             /* how long before it is told: a group may form */
	/* The kind that takes this one in while it is raised for the same subject; AS_ALARM_KINDS: none. */
	enum as_alarm_kind_id within;
	/* {name} of the subject, {subject} its id, {value} with its unit, {raise}, {clear}, {detail} */
	const char *sentence;
	const char *cause;    /* what is usually behind it */
	const char *next;     /* what to do, in order */
	const char *commands; /* lines of the command line; {subject} */
};
extern const struct as_alarm_kind as_alarm_kinds[AS_ALARM_KINDS];

/* Finds a kind by its name; false: there is none. */
bool as_alarm_kind_find(const char *name, enum as_alarm_kind_id *kind);
/* The severity of a value that is an alarm. */
enum as_severity as_alarm_severity(const struct as_alarm_kind *kind, int64_t value);
/* Whether the value is at or beyond the threshold that raises; whether it is at or before the one that clears. Between
 * them an alarm stays as it is. */
bool as_alarm_is_bad(const struct as_alarm_kind *kind, int64_t value);
bool as_alarm_is_good(const struct as_alarm_kind *kind, int64_t value);

#endif
