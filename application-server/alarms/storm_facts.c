#include "application-server/alarms/storm_facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MANY     20  /* requests before anything stands out */
#define YOUNG_S  360 /* before it there may be no estimate though all is well */
#define ADVISE_S 1800

static int64_t number(const json_t *object, const char *member)
{
	json_int_t value = json_integer_value(json_object_get(object, member));
	return value > 0 ? value : 0;
}

void as_storm_read(const json_t *health, struct as_storm *storm)
{
	static const char *const causes[AS_STORM_CAUSES] = {
		[AS_STORM_NO_TIME] = "refused_no_time",   [AS_STORM_NO_AIRTIME] = "refused_no_airtime",
		[AS_STORM_TOO_LATE] = "refused_too_late", [AS_STORM_NO_PATH] = "refused_no_path",
		[AS_STORM_TOO_WEAK] = "refused_too_weak",
	};
	const json_t *told = json_object_get(health, "join_storm");
	const json_t *over = json_object_get(told, "over_in_s");
	const char *state = json_string_value(json_object_get(told, "state"));
	*storm = (struct as_storm){
		.known = state != NULL,
		.on = state && strcmp(state, "storm") == 0,
		.lasts_s = number(told, "lasts_s"),
		.ended_s = number(told, "ended_s"),
		.devices = number(told, "devices"),
		.joined = number(told, "joined"),
		.waiting = number(told, "waiting"),
		.answered = number(told, "answered"),
		.failed = number(told, "failed"),
		.failed_no = number(told, "failed_no"),
		.failed_silent = number(told, "failed_silent"),
		.refused = number(told, "refused"),
		.has_estimate = json_is_object(over),
		.least_s = number(over, "least"),
		.most_s = number(over, "most"),
	};
	for (int i = 0; i < AS_STORM_CAUSES; i++)
		storm->refused_by[i] = number(told, causes[i]);
}

struct text {
	char *at;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text->at + text->used, AS_ALARM_DETAIL - text->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->used += (size_t)length < AS_ALARM_DETAIL - text->used
				      ? (size_t)length
				      : AS_ALARM_DETAIL - 1 - text->used;
}

/* Rounded up: nobody is told too early. */
static void add_span(struct text *text, int64_t seconds)
{
	if (seconds < 120)
		add(text, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		add(text, "%" PRId64 " min", (seconds + 59) / 60);
	else
		add(text, "%" PRId64 " h", (seconds + 3599) / 3600);
}

/* Who waits, and until when. */
static void add_course(struct text *text, const struct as_storm *storm)
{
	if (storm->waiting == 0) {
		add(text, "All %" PRId64 " devices that asked have joined.", storm->devices);
		return;
	}
	add(text, "%" PRId64 " of %" PRId64 " devices have joined, %" PRId64 " wait; ", storm->joined,
	    storm->devices, storm->waiting);
	if (storm->has_estimate) {
		add(text, "over in ");
		add_span(text, storm->least_s);
		add(text, " to ");
		add_span(text, storm->most_s);
		add(text, ".");
	} else if (storm->lasts_s < YOUNG_S) {
		add(text, "no estimate yet.");
	} else {
		add(text, "none has joined for five minutes.");
	}
}

/* What stands out among the requests that came to nothing; the join server first, since it is in nobody's power to wait for it. */
static void add_what_stands_out(struct text *text, const struct as_storm *storm)
{
	int64_t asked = storm->answered + storm->failed;
	const int64_t *by = storm->refused_by;
	if (storm->failed_silent >= MANY && storm->failed_silent * 4 > asked)
		add(text, " The join server left %" PRId64 " of %" PRId64 " requests unanswered.",
		    storm->failed_silent, asked);
	else if (storm->failed_no >= MANY && storm->failed_no * 2 > asked)
		add(text,
		    " The join server refused %" PRId64 " of %" PRId64
		    ": keys differ, or somebody asks in others' names.",
		    storm->failed_no, asked);
	else if (by[AS_STORM_NO_PATH] >= MANY && by[AS_STORM_NO_PATH] * 2 > storm->refused)
		add(text, " %" PRId64 " requests came by gateways that cannot be reached.",
		    by[AS_STORM_NO_PATH]);
	else if (storm->lasts_s >= ADVISE_S && by[AS_STORM_NO_AIRTIME] * 2 > storm->refused)
		add(text, " Duty cycle is what is short: devices that ask slowly need a gateway nearer.");
}

static void see(struct as_alarms *alarms, enum as_alarm_kind_id kind, int64_t value, const char *detail,
		bool unknown, struct now now)
{
	as_alarms_observe(alarms,
			  &(struct as_observation){.kind = kind,
						   .subject = "",
						   .name = "city",
						   .detail = detail,
						   .unknown = unknown,
						   .value = value},
			  now);
}

static void see_storm(struct as_alarms *alarms, const struct as_storm *storm, bool unknown, struct now now)
{
	char detail[AS_ALARM_DETAIL] = "";
	struct text text = {detail, 0};
	add_course(&text, storm);
	add_what_stands_out(&text, storm);
	int64_t value = storm->lasts_s > 0 ? storm->lasts_s : 1;
	see(alarms, AS_ALARM_JOIN_STORM, storm->known && storm->on ? value : 0, detail, unknown, now);
}

static void see_left(struct as_alarms *alarms, const struct as_storm *storm, bool unknown, struct now now)
{
	char detail[AS_ALARM_DETAIL] = "";
	struct text text = {detail, 0};
	add(&text, "It ended ");
	add_span(&text, storm->ended_s);
	add(&text, " ago; %" PRId64 " of %" PRId64 " devices have joined.", storm->joined, storm->devices);
	bool told = storm->known && !storm->on && storm->ended_s < AS_STORM_LEFT_S;
	see(alarms, AS_ALARM_JOIN_STORM_LEFT, told ? storm->waiting : 0, detail, unknown, now);
}

void as_storm_observe(struct as_alarms *alarms, const struct as_storm *storm, bool unknown, struct now now)
{
	see_storm(alarms, storm, unknown, now);
	see_left(alarms, storm, unknown, now);
}
