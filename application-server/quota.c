#include "application-server/quota.h"

#include "application-server/store_items.h"
#include "application-server/store_ledger.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/lorawan/airtime.h"

#include <stdio.h>

#define DAY_US   (86400 * US_PER_S)
#define OVERHEAD 13 /* bytes of a frame beside its payload: MHDR, FHDR, FPort, MIC */

struct wall as_quota_frees(struct wall now)
{
	return (struct wall){((int64_t)as_day_of(now) + 1) * DAY_US};
}

static void fill_agency(struct as_store *store, enum as_quota_kind kind, const struct net_uuid *agency,
			uint32_t day, struct as_quota *quota)
{
	struct as_hour_account sum;
	as_store_agency_air(store, agency, day * 24, day * 24 + 23, &sum);
	quota->used_us = kind == AS_QUOTA_AGENCY_UP ? sum.up_us : sum.down_us;
	if (kind == AS_QUOTA_AGENCY_DOWN)
		quota->waiting_us = as_store_items_airtime_of_agency(store, agency);
}

struct as_quota as_quota_of(struct as_store *store, enum as_quota_kind kind, int64_t limit_s, int64_t dev_eui,
			    const struct net_uuid *agency, struct wall now)
{
	struct as_quota quota = {.limit_s = limit_s};
	struct as_day_account account;
	if (limit_s < 0)
		return quota;
	switch (kind) {
	case AS_QUOTA_AGENCY_UP:
	case AS_QUOTA_AGENCY_DOWN: fill_agency(store, kind, agency, as_day_of(now), &quota); break;
	case AS_QUOTA_DEVICE_UP:
		as_store_day(store, dev_eui, as_day_of(now), &account);
		quota.used_us = account.up_us;
		break;
	case AS_QUOTA_DEVICE_DOWN:
		as_store_day(store, dev_eui, as_day_of(now), &account);
		quota.used_us = account.down_us;
		quota.waiting_us = as_store_items_airtime(store, dev_eui);
		break;
	case AS_QUOTAS: break;
	}
	return quota;
}

/* --- downlinks --------------------------------------------------------------------------------------------------- */

/* How long a frame with so many bytes will be on the air, as far as it can be said now. Nobody knows of a device that was not heard
 * yet: then as long as it can be. */
static uint32_t airtime_of(struct as_store *store, int64_t dev_eui, uint8_t length, struct wall now)
{
	struct as_day_account last;
	struct lw_modulation modulation = {LW_LORA, 12, 125000, 0, 0, "4/5"};
	size_t bytes = (size_t)length + OVERHEAD;
	if (as_store_heard_last(store, dev_eui, now, &last)) {
		if (last.spreading_factor == 0)
			return lw_airtime_fsk_us(50000, 5, bytes);
		modulation.spreading_factor = last.spreading_factor;
		modulation.bandwidth_hz = last.bandwidth_hz;
	}
	return lw_airtime_us(&modulation, LW_DOWN, bytes);
}

static bool is_beyond(const struct as_quota *quota, int64_t more_us)
{
	return quota->limit_s >= 0 &&
	       quota->used_us + quota->waiting_us + more_us > quota->limit_s * US_PER_S;
}

static void explain(char why[AS_QUOTA_WHY_MAX], const char *whose, const struct as_quota *quota,
		    uint32_t airtime_us, struct wall now)
{
	char text[AS_TIME_TEXT];
	snprintf(why, AS_QUOTA_WHY_MAX,
		 "%s may use %lld s of downlink airtime a day: %.3f s are used, %.3f s wait, this one takes "
		 "%.3f s; it frees at %s",
		 whose, (long long)quota->limit_s, (double)quota->used_us / 1e6,
		 (double)quota->waiting_us / 1e6, airtime_us / 1e6,
		 as_time_format(text, as_quota_frees(now)));
}

enum as_enqueued as_quota_judge(struct as_application *app, struct wall now,
				const struct as_device_info *device, struct as_item *item,
				struct as_quota *quota, char why[AS_QUOTA_WHY_MAX])
{
	static const struct {
		enum as_quota_kind kind;
		enum as_enqueued verdict;
		const char *whose;
	} rows[] = {{AS_QUOTA_DEVICE_DOWN, AS_DEVICE_QUOTA, "the device"},
		    {AS_QUOTA_AGENCY_DOWN, AS_AGENCY_QUOTA, "the agency"}};
	int64_t dev_eui = (int64_t)lw_eui64_number(&item->dev_eui);
	bool limited = false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		limited |= device->quota_s[rows[i].kind] >= 0;
	item->airtime_us = airtime_of(app->store, dev_eui, item->length, now);
	for (size_t i = 0; limited && i < ARRAY_SIZE(rows); i++) {
		*quota = as_quota_of(app->store, rows[i].kind, device->quota_s[rows[i].kind], dev_eui,
				     &device->agency, now);
		if (is_beyond(quota, item->airtime_us)) {
			explain(why, rows[i].whose, quota, item->airtime_us, now);
			return rows[i].verdict;
		}
	}
	return AS_ENQUEUED;
}

/* --- uplinks ------------------------------------------------------------------------------------------------------- */

/* An agency's sum of today is asked for at every uplink that has a quota: kept, and made anew where it is not. */
static struct as_agency_day *agency_day(struct as_application *app, const struct net_uuid *agency,
					uint32_t day)
{
	for (size_t i = 0; i < AS_AGENCY_DAYS; i++)
		if (app->agency_days[i].day == day && as_uuid_equal(&app->agency_days[i].agency, agency))
			return &app->agency_days[i];
	struct as_agency_day *made = &app->agency_days[app->next_agency_day++ % AS_AGENCY_DAYS];
	struct as_hour_account sum;
	as_store_agency_air(app->store, agency, day * 24, day * 24 + 23, &sum);
	*made = (struct as_agency_day){*agency, day, sum.up_us, sum.warned};
	return made;
}

void as_quota_heard(struct as_application *app, const struct as_posting *posting)
{
	uint32_t day = as_day_of(posting->at);
	for (size_t i = 0; i < AS_AGENCY_DAYS; i++)
		if (app->agency_days[i].day == day &&
		    as_uuid_equal(&app->agency_days[i].agency, &posting->agency))
			app->agency_days[i].up_us += posting->airtime_us;
}

static enum status tell(struct as_application *app, struct now now, const struct net_event_head *head,
			bool of_agency, int64_t used_us, int64_t limit_s)
{
	char frees[AS_TIME_TEXT];
	struct as_log log = {.dev_eui = head->dev_eui,
			     .time = now.wall,
			     .level = AS_LOG_WARNING,
			     .code = "AIRTIME_QUOTA",
			     .description = of_agency
						    ? "the agency's devices use more uplink airtime than its "
						      "quota of the day"
						    : "the device uses more uplink airtime than its quota "
						      "of the day"};
	as_log_add(&log, "whose", "%s", of_agency ? "agency" : "device");
	as_log_add(&log, "used_s", "%.3f", (double)used_us / 1e6);
	as_log_add(&log, "quota_s", "%lld", (long long)limit_s);
	as_log_add(&log, "frees_at", "%s", as_time_format(frees, as_quota_frees(now.wall)));
	const struct decision said = {.table = AS_TABLE_AIRTIME,
				      .verdict = of_agency ? AS_AIRTIME_AGENCY_BEYOND
							   : AS_AIRTIME_DEVICE_BEYOND,
				      .a = (uint32_t)(used_us / US_PER_S),
				      .b = (uint32_t)limit_s};
	as_rules_add(&app->decisions, now.wall, &head->dev_eui, NULL, &said);
	app->counters.quota_warnings++;
	return as_application_log(app, &log);
}

enum status as_quota_uplink(struct as_application *app, struct now now, const struct as_device_info *device,
			    const struct net_event_head *head, struct as_posting *posting)
{
	int64_t device_s = device->quota_s[AS_QUOTA_DEVICE_UP],
		agency_s = device->quota_s[AS_QUOTA_AGENCY_UP];
	uint32_t day = as_day_of(posting->at);
	enum status status = ST_OK;
	if (device_s >= 0) {
		struct as_day_account account;
		as_store_day(app->store, posting->dev_eui, day, &account);
		int64_t used_us = account.up_us + posting->airtime_us;
		if (!account.warned && used_us > device_s * US_PER_S) {
			posting->flags |= AS_POST_WARNED_DEVICE;
			status = tell(app, now, head, false, used_us, device_s);
		}
	}
	if (agency_s >= 0 && status == ST_OK) {
		struct as_agency_day *today = agency_day(app, &device->agency, day);
		today->up_us += posting->airtime_us;
		if (!today->warned && today->up_us > agency_s * US_PER_S) {
			today->warned = true;
			posting->flags |= AS_POST_WARNED_AGENCY;
			status = tell(app, now, head, true, today->up_us, agency_s);
		}
	}
	return status;
}
