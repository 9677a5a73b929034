/* Which alarms are written when. A row costs some 40 µs (the alarm, its turns, what each channel was told), a look at one that did not
 * change next to nothing: all are looked at each time, and some written. */
#include "application-server/store_alarms.h"

static enum status put(struct as_store *store, struct as_alarm *alarm, const struct as_notify *notify,
		       struct now now)
{
	enum status status = as_store_alarm_put(store, alarm, notify, now);
	if (status == ST_OK)
		alarm->dirty = false;
	return status;
}

enum status as_store_alarms_keep(struct as_store *store, struct as_alarms *alarms,
				 const struct as_notify *notify, struct now now, unsigned limit, bool *all)
{
	struct as_alarm *alarm;
	enum status status = ST_OK;
	unsigned written = 0;
	for (size_t at = 0; status == ST_OK && (alarm = as_alarms_next(alarms, &at));) {
		if (!alarm->dirty || alarm->id == 0)
			continue;
		if (written == limit) {
			*all = false;
			return ST_OK;
		}
		status = put(store, alarm, notify, now);
		written++;
	}
	*all = status == ST_OK;
	return status;
}

enum status as_store_alarms_keep_told(struct as_store *store, struct as_alarms *alarms,
				      const struct as_notify *notify, const struct as_message *message,
				      struct now now)
{
	enum status status = ST_OK;
	for (size_t i = 0; i < message->count && status == ST_OK; i++) {
		const struct as_alarm_key *key = &message->items[i].key;
		struct as_alarm *alarm = as_alarms_find(alarms, (enum as_alarm_kind_id)key->kind,
							key->subject);
		if (alarm && alarm->dirty && alarm->id != 0)
			status = put(store, alarm, notify, now);
	}
	return status;
}
