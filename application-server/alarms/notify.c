#include "application-server/alarms/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *as_channel_type_name(enum as_channel_type type)
{
	static const char *const names[] = {"webhook", "mqtt", "mail"};
	return names[type];
}

const char *as_news_kind_name(enum as_news_kind kind)
{
	static const char *const names[] = {"raised", "cleared", "worse", "still", "came_and_went"};
	return names[kind];
}

int as_notify_find(const struct as_notify *notify, const char *name)
{
	for (size_t i = 0; i < notify->count; i++)
		if (strcmp(notify->channels[i].rules.name, name) == 0)
			return (int)i;
	return -1;
}

/* --- what is due --------------------------------------------------------------------------------------------- */

/* How long a channel leaves an alarm alone that comes and goes. */
static span_us spacing(const struct as_alarm *alarm)
{
	span_us span = alarm->times > 1 ? AS_SPACING : 0;
	for (uint32_t i = 2; i < alarm->times && span < AS_SPACING_MAX; i++)
		span *= 2;
	return span < AS_SPACING_MAX ? span : AS_SPACING_MAX;
}

static bool is_spaced(const struct as_alarm *alarm, const struct as_told *told, struct now now)
{
	return told->change == 0 || now.wall.us - told->at.us >= spacing(alarm);
}

static bool is_raise_due(const struct as_notify *notify, const struct as_alarms *alarms,
			 const struct as_alarm *alarm, const struct as_told *told, struct now now)
{
	span_us delay = as_alarm_kind_of(alarm)->delay;
	if (delay > notify->delay_limit)
		delay = notify->delay_limit;
	span_us held = mono_since(now.mono, alarm->turned) -
		       as_alarms_hold_raise(alarms, as_alarm_kind_of(alarm));
	if (alarm->was_part && mono_since(now.mono, alarm->freed) < held)
		held = mono_since(now.mono, alarm->freed);
	return alarm->bad && held >= delay && is_spaced(alarm, told, now);
}

/* What there is to say of one alarm; false: nothing. */
static bool judge(const struct as_notify *notify, const struct as_channel *channel,
		  const struct as_alarms *alarms, const struct as_alarm *alarm, const struct as_told *told,
		  struct now now, enum as_news_kind *kind)
{
	if (alarm->id == 0 || alarm->state == AS_PENDING)
		return false;
	if (alarm->state == AS_CLEARED) {
		if (told->change == alarm->change)
			return false;
		*kind = told->change % 2 == 1 ? AS_NEWS_CLEARED : AS_NEWS_CAME_AND_WENT;
		return *kind == AS_NEWS_CLEARED ? is_spaced(alarm, told, now) : told->owed > told->change;
	}
	if (alarm->acknowledged || alarm->severity < channel->rules.least || as_alarm_is_part(alarms, alarm))
		return false;
	if (told->change == alarm->change) {
		*kind = alarm->severity > told->severity ? AS_NEWS_WORSE : AS_NEWS_STILL;
		return *kind == AS_NEWS_WORSE ||
		       (notify->repeat > 0 && now.wall.us - told->at.us >= notify->repeat);
	}
	*kind = AS_NEWS_RAISED;
	return is_raise_due(notify, alarms, alarm, told, now);
}

/* Whether it may leave in a quiet time: what is critical, and its end where it was told. */
static bool breaks_through(const struct as_channel *channel, const struct as_alarm *alarm,
			   enum as_news_kind kind)
{
	return channel->rules.breaks_quiet && alarm->severity == AS_CRITICAL && kind != AS_NEWS_CAME_AND_WENT;
}

/* The most severe first, then the oldest. */
static int compare(const void *left, const void *right)
{
	const struct as_news *a = left, *b = right;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->key.subject, b->key.subject);
}

/* What finds no room is the least of all, and waits for the next message. */
static void add(struct as_message *message, const struct as_news *news)
{
	if (message->count < AS_MESSAGE_ITEMS) {
		message->items[message->count++] = *news;
		return;
	}
	struct as_news *least = &message->items[0];
	for (size_t i = 1; i < message->count; i++)
		if (compare(&message->items[i], least) > 0)
			least = &message->items[i];
	if (compare(news, least) < 0)
		*least = *news;
	message->more++;
}

bool as_notify_due(struct as_notify *notify, size_t place, struct as_alarms *alarms, struct now now,
		   struct as_message *message)
{
	struct as_channel *channel = &notify->channels[place];
	bool quiet = as_quiet_holds(&channel->rules.quiet, as_local_time(&notify->zone, now.wall));
	bool waits = channel->sending ||
		     (channel->has_last && mono_since(now.mono, channel->last) < notify->interval);
	struct as_alarm *alarm;
	message->count = message->more = 0;
	message->test = channel->testing && !channel->sending;
	message->digest = channel->quiet && !quiet;
	for (size_t at = 0; (alarm = as_alarms_next(alarms, &at));) {
		struct as_told *told = &alarm->told[place];
		enum as_news_kind kind;
		if (!judge(notify, channel, alarms, alarm, told, now, &kind))
			continue;
		bool held = waits || (quiet && !breaks_through(channel, alarm, kind));
		if (held && kind == AS_NEWS_RAISED && told->owed != alarm->change) {
			told->owed = alarm->change;
			alarm->dirty = true;
		}
		if (held)
			continue;
		add(message, &(struct as_news){.key = alarm->key,
					       .kind = kind,
					       .change = alarm->change,
					       .severity = alarm->severity});
	}
	if (waits && !message->test)
		return false;
	if (!waits)
		channel->quiet = quiet;
	qsort(message->items, message->count, sizeof *message->items, compare);
	return message->count > 0 || message->test;
}

/* --- what becomes of it -------------------------------------------------------------------------------------- */

void as_notify_begin(struct as_notify *notify, size_t place)
{
	struct as_channel *channel = &notify->channels[place];
	channel->sending = true;
	channel->failures = 0;
	channel->sequence++;
}

void as_notify_taken(struct as_notify *notify, size_t place, struct as_alarms *alarms,
		     const struct as_message *message, struct now now)
{
	struct as_channel *channel = &notify->channels[place];
	for (size_t i = 0; i < message->count; i++) {
		const struct as_news *item = &message->items[i];
		struct as_alarm *alarm = as_alarms_find(alarms, (enum as_alarm_kind_id)item->key.kind,
							item->key.subject);
		if (!alarm || alarm->told[place].change > item->change)
			continue;
		alarm->told[place].change = item->change;
		alarm->told[place].severity = item->severity;
		alarm->told[place].at = now.wall;
		alarm->dirty = true;
	}
	if (message->test)
		channel->testing = false;
	channel->sending = channel->failing = false;
	channel->failures = 0;
	channel->last = now.mono;
	channel->has_last = true;
	channel->problem[0] = '\0';
	channel->sent++;
}

void as_notify_failed(struct as_notify *notify, size_t place, const char *problem, struct now now)
{
	struct as_channel *channel = &notify->channels[place];
	span_us wait = AS_RETRY;
	for (unsigned i = 0; i < channel->failures && wait < AS_RETRY_MAX; i++)
		wait *= 2;
	if (!channel->failing) {
		channel->failing = true;
		channel->failing_since = now.mono;
	}
	channel->failures++;
	channel->failed++;
	channel->retry_at = mono_add(now.mono, wait < AS_RETRY_MAX ? wait : AS_RETRY_MAX);
	as_alarm_letters(channel->problem, sizeof channel->problem, problem);
}

void as_notify_observe(const struct as_notify *notify, struct as_alarms *alarms, struct now now)
{
	as_alarms_begin(alarms, AS_SOURCE_CHANNELS);
	for (size_t i = 0; i < notify->count; i++) {
		const struct as_channel *channel = &notify->channels[i];
		span_us span = channel->failing ? mono_since(now.mono, channel->failing_since) : 0;
		as_alarms_observe(alarms,
				  &(struct as_observation){.kind = AS_ALARM_CHANNEL_FAILING,
							   .subject = channel->rules.name,
							   .detail = channel->problem,
							   .value = span / US_PER_S},
				  now);
	}
	as_alarms_end(alarms, AS_SOURCE_CHANNELS, now);
}
