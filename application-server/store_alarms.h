/* Alarms in city.db: what is raised, what was within a year, when each came and went, what channels were told, and the message
 * that is under way to each channel. The table in memory (alarms/alarms.h) is what is judged; here is what outlasts a restart. */
#ifndef LAMPPOST_AS_STORE_ALARMS_H
#define LAMPPOST_AS_STORE_ALARMS_H

#include "application-server/agencies/scope.h"
#include "application-server/alarms/gateway_facts.h"
#include "application-server/alarms/notify.h"
#include "application-server/store.h"

#define AS_ALARM_CHANGES_KEPT 50 /* of one alarm */
#define AS_ALARMS_KEPT        (366 * 86400 * US_PER_S)

/* Fills the table from what is raised, and what was cleared within AS_CLEARED_KEPT. `notify` names the channels, whose state is
 * filled as well. */
enum status as_store_alarms_load(struct as_store *store, struct as_alarms *alarms,
				 const struct as_notify *notify, struct now now) MUST_USE;
/* Writes one as it is, and what the channels of `notify` were told of it. */
enum status as_store_alarm_put(struct as_store *store, const struct as_alarm *alarm,
			       const struct as_notify *notify, struct now now) MUST_USE;

struct as_alarm_query {
	bool raised, cleared; /* which states */
	int kind;             /* enum as_alarm_kind_id, or −1 */
	const char *subject;  /* NULL: any */
	struct wall since;    /* changed at or behind it */
	int64_t before;       /* ids below; 0: all */
	unsigned limit;
};
/* Fills up to `limit`, the newest first; the scope decides. */
enum status as_store_alarms_list(struct as_store *store, const struct as_scope *scope,
				 const struct as_alarm_query *query, struct as_alarm *alarms,
				 size_t *count) MUST_USE;
/* ST_NOT_FOUND: none that the scope shows. */
enum status as_store_alarm_get(struct as_store *store, const struct as_scope *scope, int64_t id,
			       struct as_alarm *alarm) MUST_USE;

struct as_alarm_turn {
	uint32_t change; /* odd: raised */
	struct wall at;
	int64_t value;
};
/* The newest first, AS_ALARM_CHANGES_KEPT at most. */
enum status as_store_alarm_turns(struct as_store *store, int64_t id,
				 struct as_alarm_turn turns[AS_ALARM_CHANGES_KEPT], size_t *count) MUST_USE;

/* The message under way to a channel: NULL: none is. */
enum status as_store_alarm_message_put(struct as_store *store, const struct as_channel *channel,
				       const char *body) MUST_USE;
/* Fills `sequence` and `quiet` of a channel that was there before, so that no id is given twice. Gives the text of the message that
 * was under way, the caller's; NULL: none was. */
char *as_store_alarm_message(struct as_store *store, struct as_channel *channel);
/* Writes at most `limit` of those that changed since they were written, and fills whether that was all: a city that falls silent at
 * once is thousands of rows, which no turn of the loop has time for. */
enum status as_store_alarms_keep(struct as_store *store, struct as_alarms *alarms,
				 const struct as_notify *notify, struct now now, unsigned limit,
				 bool *all) MUST_USE;
/* Writes those that a message was about: what it told lasts with its removal. */
enum status as_store_alarms_keep_told(struct as_store *store, struct as_alarms *alarms,
				      const struct as_notify *notify, const struct as_message *message,
				      struct now now) MUST_USE;

/* Removes up to `limit` that ended before. */
enum status as_store_alarms_prune(struct as_store *store, struct wall before, unsigned limit) MUST_USE;

/* Fills what alarms go by, of up to `limit` gateways from the EUI `*from` on (INT64_MIN: the first), and moves it behind the last:
 * page by page, so that the loop goes on between. */
enum status as_store_alarm_gateways(struct as_store *store, int64_t *from, struct as_gateway_record *records,
				    size_t limit, size_t *count) MUST_USE;
/* When the newest certificate of the bridge's listeners ends; 0: there is none. */
struct wall as_store_alarm_server_certificate(struct as_store *store);

#endif
