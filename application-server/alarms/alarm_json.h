/* Alarms as JSON: for the API, for webhooks and for topics. A message that is under way is kept in this form too. */
#ifndef LAMPPOST_AS_ALARM_JSON_H
#define LAMPPOST_AS_ALARM_JSON_H

#include "application-server/alarms/notify.h"

#include <jansson.h>

/* Gives a new object; NULL: no memory. */
json_t *as_alarm_json(const struct as_alarm *alarm);
json_t *as_alarm_kind_json(const struct as_alarms *alarms, const struct as_alarm_kind *kind);
/* "lamppost/alarm/<subject>/<kind>": `+`, `#`, `/` and control characters of the subject become `-`; the city's is "city". */
#define AS_ALARM_TOPIC 160
const char *as_alarm_topic(char topic[AS_ALARM_TOPIC], const struct as_alarm *alarm);

/* A message: {"id", "channel", "time", "test", "digest", "more", "open": {...}, "alarms": [{"what", ..., "topic"}]}. `id` is the
 * same however often it is sent. */
json_t *as_message_json(const struct as_notify *notify, size_t place, const struct as_alarms *alarms,
			const struct as_message *message, const char *city, struct now now);
/* Reads back what it is about. False: not one of ours. */
bool as_message_read(const json_t *json, struct as_message *message);

#endif
