/* Who is to be told what, now: pure. A channel is told the difference between what it was told and what is so.
 *
 *	for each alarm and channel:   told.change == alarm.change ──▶ nothing to tell (or a reminder)
 *	                              told.change <  alarm.change ──▶ told when it is due
 *
 * Due: `delay` of the kind after the raise (a group may form), and, for an alarm that comes and goes, AS_SPACING after it was
 * told last, doubled with each time up to AS_SPACING_MAX: so flapping ends with the truth and does not ring in between.
 * Not told: what is part of another alarm, is acknowledged, or is less severe than the channel wants. All that is due at one
 * moment is one message of up to AS_MESSAGE_ITEMS; the next leaves `interval` later at the earliest.
 *
 * In quiet times nothing leaves but, where the channel wants it, critical alarms. A raise that was due meanwhile is owed: the
 * one message at the end of the quiet time tells what is so, and what came and went. The same holds for a channel that failed.
 *
 * One message of a channel is under way at a time. It is kept in the store until the receiver took it, and is sent again with
 * the same id after a restart: at least once. A failing channel is tried again after 5 s, doubled up to 10 min. */
#ifndef LAMPPOST_AS_NOTIFY_H
#define LAMPPOST_AS_NOTIFY_H

#include "application-server/alarms/alarms.h"
#include "application-server/alarms/quiet.h"

#define AS_CHANNEL_NAME   32
#define AS_CHANNEL_TARGET 256
#define AS_MESSAGE_ITEMS  40
#define AS_SPACING        (600 * US_PER_S)
#define AS_SPACING_MAX    (4 * 3600 * US_PER_S)
#define AS_RETRY          (5 * US_PER_S)
#define AS_RETRY_MAX      (600 * US_PER_S)

enum as_channel_type { AS_CHANNEL_WEBHOOK, AS_CHANNEL_MQTT, AS_CHANNEL_MAIL, AS_CHANNEL_TYPES };
const char *as_channel_type_name(enum as_channel_type type); /* "webhook", "mqtt", "mail" */

/* A channel as configured. */
struct as_channel_rules {
	char name[AS_CHANNEL_NAME];
	enum as_channel_type type;
	char target[AS_CHANNEL_TARGET]; /* URL, addresses; "" for MQTT */
	char secret_file[AS_CHANNEL_TARGET];
	enum as_severity least;
	struct as_quiet quiet;
	bool breaks_quiet; /* critical alarms do */
};

struct as_channel {
	struct as_channel_rules rules;
	bool quiet;        /* when it was looked at last */
	bool sending;      /* a message is under way */
	bool testing;      /* a test is to be sent, or is under way */
	uint64_t sequence; /* of the last message */
	unsigned failures; /* of the message under way, in a row */
	bool failing;
	struct mono failing_since, retry_at, last; /* last: of the last message that was taken */
	bool has_last;
	uint64_t sent, failed; /* counters */
	char problem[160];     /* of the last failure; "" */
};

struct as_notify {
	struct as_channel channels[AS_CHANNELS_MAX];
	size_t count;
	struct as_zone zone;
	span_us interval;    /* between two messages of a channel */
	span_us repeat;      /* reminders of what nobody acknowledged; 0: none */
	span_us delay_limit; /* a kind's delay is at most this; for those who do not want to wait */
};

enum as_news_kind {
	AS_NEWS_RAISED,
	AS_NEWS_CLEARED,
	AS_NEWS_WORSE,
	AS_NEWS_STILL,        /* a reminder */
	AS_NEWS_CAME_AND_WENT /* both while nothing could be told */
};
const char *
as_news_kind_name(enum as_news_kind kind); /* "raised", "cleared", "worse", "still", "came_and_went" */

struct as_news {
	struct as_alarm_key key;
	enum as_news_kind kind;
	uint32_t change;
	enum as_severity severity;
};

struct as_message {
	size_t count, more; /* more: what waits for the next message */
	bool digest;        /* the first after a quiet time */
	bool test;
	struct as_news items[AS_MESSAGE_ITEMS];
};

/* Takes the rules over; what a channel of the same name had told stays with the alarms at its place. */
int as_notify_find(const struct as_notify *notify, const char *name); /* the channel's place; −1 */
/* What the channel at that place is to be told now; false: nothing, or not now. Marks what is owed. */
bool as_notify_due(struct as_notify *notify, size_t place, struct as_alarms *alarms, struct now now,
		   struct as_message *message);
/* The message that was given goes out; the channel waits for its word. */
void as_notify_begin(struct as_notify *notify, size_t place);
/* The receiver took it: what it held is told. */
void as_notify_taken(struct as_notify *notify, size_t place, struct as_alarms *alarms,
		     const struct as_message *message, struct now now);
/* It did not: the same message is due again at channel.retry_at. */
void as_notify_failed(struct as_notify *notify, size_t place, const char *problem, struct now now);
/* Observes AS_ALARM_CHANNEL_FAILING of every channel. */
void as_notify_observe(const struct as_notify *notify, struct as_alarms *alarms, struct now now);

#endif
