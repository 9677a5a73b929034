#include "application-server/alarms/alarm_json.h"

#include "application-server/time_text.h"
#include "application-server/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static json_t *time_json(struct wall time)
{
	char text[AS_TIME_TEXT];
	return time.us ? json_string(as_time_format(text, time)) : json_null();
}

/* The lines of a text as an array. */
static json_t *lines_json(const char *text)
{
	json_t *lines = json_array();
	while (*text) {
		size_t length = strcspn(text, "\n");
		json_array_append_new(lines, json_stringn(text, length));
		text += length + (text[length] == '\n');
	}
	return lines;
}

static json_t *acknowledgement_json(const struct as_alarm *alarm)
{
	if (!alarm->acknowledged)
		return json_null();
	return json_pack("{ss so so ss}", "by", alarm->ack_who, "at", time_json(alarm->ack_at), "until",
			 time_json(alarm->ack_until), "note", alarm->ack_note);
}

json_t *as_alarm_json(const struct as_alarm *alarm)
{
	const struct as_alarm_kind *kind = as_alarm_kind_of(alarm);
	char sentence[AS_ALARM_SENTENCE], next[AS_ALARM_SENTENCE], commands[AS_ALARM_SENTENCE];
	json_t *json = json_pack(
		"{sI ss ss ss ss ss ss ss si so so so sI ss ss ss ss so so so}", "id", (json_int_t)alarm->id,
		"kind", kind->name, "title", kind->title, "subject_type", as_subject_type_name(kind->subject),
		"subject", alarm->key.subject, "name", alarm->name, "state",
		as_alarm_state_name(alarm->state), "severity", as_severity_name(alarm->severity), "times",
		(int)alarm->times, "first", time_json(alarm->first), "since", time_json(alarm->since),
		"cleared", alarm->state == AS_CLEARED ? time_json(alarm->cleared) : json_null(), "value",
		(json_int_t)alarm->value, "unit", kind->unit, "sentence", as_alarm_sentence(sentence, alarm),
		"cause", kind->cause, "next", as_alarm_fill(next, sizeof next, kind->next, alarm), "commands",
		lines_json(as_alarm_fill(commands, sizeof commands, kind->commands, alarm)), "acknowledged",
		acknowledgement_json(alarm), "part_of",
		alarm->part_of ? json_integer(alarm->part_of) : json_null());
	if (json && alarm->has_agency) {
		char text[AS_UUID_TEXT];
		json_object_set_new(json, "agency", json_string(as_uuid_format(text, &alarm->agency)));
	}
	return json;
}

static json_t *threshold_json(int64_t value)
{
	return value == AS_NEVER || value == -AS_NEVER ? json_null() : json_integer(value);
}

json_t *as_alarm_kind_json(const struct as_alarms *alarms, const struct as_alarm_kind *kind)
{
	return json_pack("{ss ss ss ss ss sb so so so so sI sI sI ss ss ss so}", "kind", kind->name, "title",
			 kind->title, "subject_type", as_subject_type_name(kind->subject), "severity",
			 as_severity_name(kind->severity), "unit", kind->unit, "below", (int)kind->below,
			 "raise", threshold_json(kind->raise), "clear", threshold_json(kind->clear),
			 "warning", threshold_json(kind->warning), "critical", threshold_json(kind->critical),
			 "raise_after_s", (json_int_t)(as_alarms_hold_raise(alarms, kind) / US_PER_S),
			 "clear_after_s", (json_int_t)(as_alarms_hold_clear(alarms, kind) / US_PER_S),
			 "tell_after_s", (json_int_t)(kind->delay / US_PER_S), "sentence", kind->sentence,
			 "cause", kind->cause, "next", kind->next, "commands", lines_json(kind->commands));
}

const char *as_alarm_topic(char topic[AS_ALARM_TOPIC], const struct as_alarm *alarm)
{
	char subject[AS_ALARM_SUBJECT];
	snprintf(subject, sizeof subject, "%.59s", alarm->key.subject[0] ? alarm->key.subject : "city");
	for (char *at = subject; *at; at++)
		if (strchr("+#/", *at) || (unsigned char)*at < ' ')
			*at = '-';
	snprintf(topic, AS_ALARM_TOPIC, "lamppost/alarm/%s/%s", subject, as_alarm_kind_of(alarm)->name);
	return topic;
}

/* --- messages ------------------------------------------------------------------------------------------------ */

static json_t *item_json(const struct as_alarms *alarms, const struct as_news *item)
{
	char topic[AS_ALARM_TOPIC];
	const struct as_alarm *alarm = as_alarms_find(alarms, (enum as_alarm_kind_id)item->key.kind,
						      item->key.subject);
	json_t *json = alarm ? as_alarm_json(alarm) : NULL;
	if (!json)
		return NULL;
	json_object_set_new(json, "what", json_string(as_news_kind_name(item->kind)));
	json_object_set_new(json, "change", json_integer(item->change));
	json_object_set_new(json, "topic", json_string(as_alarm_topic(topic, alarm)));
	return json;
}

json_t *as_message_json(const struct as_notify *notify, size_t place, const struct as_alarms *alarms,
			const struct as_message *message, const char *city, struct now now)
{
	const struct as_channel *channel = &notify->channels[place];
	struct as_alarm_counts counts = as_alarms_count(alarms);
	char id[AS_UUID_TEXT + AS_CHANNEL_NAME + 32];
	snprintf(id, sizeof id, "%s-%s-%" PRIu64, city, channel->rules.name, channel->sequence);
	json_t *list = json_array();
	for (size_t i = 0; i < message->count; i++) {
		json_t *item = item_json(alarms, &message->items[i]);
		if (item)
			json_array_append_new(list, item);
	}
	return json_pack("{ss ss so sb sb sI s{si si si si} so}", "id", id, "channel", channel->rules.name,
			 "time", time_json(now.wall), "test", (int)message->test, "digest",
			 (int)message->digest, "more", (json_int_t)message->more, "open", "critical",
			 (int)counts.open[AS_CRITICAL], "warning", (int)counts.open[AS_WARNING], "notice",
			 (int)counts.open[AS_NOTICE], "acknowledged", (int)counts.acknowledged, "alarms",
			 list);
}

static bool read_item(const json_t *json, struct as_news *item)
{
	const char *kind = json_string_value(json_object_get(json, "kind"));
	const char *subject = json_string_value(json_object_get(json, "subject"));
	const char *severity = json_string_value(json_object_get(json, "severity"));
	const char *what = json_string_value(json_object_get(json, "what"));
	enum as_alarm_kind_id id;
	*item = (struct as_news){.change = (uint32_t)json_integer_value(json_object_get(json, "change"))};
	if (!kind || !subject || !severity || !what || !as_alarm_kind_find(kind, &id) ||
	    !as_severity_parse(severity, &item->severity))
		return false;
	item->key.kind = (uint8_t)id;
	snprintf(item->key.subject, AS_ALARM_SUBJECT, "%.59s", subject);
	for (int i = AS_NEWS_RAISED; i <= AS_NEWS_CAME_AND_WENT; i++)
		if (strcmp(what, as_news_kind_name((enum as_news_kind)i)) == 0)
			item->kind = (enum as_news_kind)i;
	return true;
}

bool as_message_read(const json_t *json, struct as_message *message)
{
	const json_t *list = json_object_get(json, "alarms"), *item;
	size_t i;
	if (!json_is_array(list) || !json_is_string(json_object_get(json, "id")))
		return false;
	*message = (struct as_message){.test = json_is_true(json_object_get(json, "test")),
				       .digest = json_is_true(json_object_get(json, "digest")),
				       .more = (size_t)json_integer_value(json_object_get(json, "more"))};
	json_array_foreach(list, i, item)
	{
		if (message->count < AS_MESSAGE_ITEMS && read_item(item, &message->items[message->count]))
			message->count++;
	}
	return true;
}
