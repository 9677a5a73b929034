#include "application-server/downlinks/queue.h"

#include "application-server/custody.h"
#include "application-server/quota.h"
#include "application-server/store_items.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/text/region_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *as_enqueued_reason(enum as_enqueued verdict)
{
	static const char *const reasons[AS_ENQUEUED_COUNT] = {
		[AS_ENQUEUED] = "queued",
		[AS_ENQUEUED_BEFORE] = "known by its id",
		[AS_ID_TAKEN] = "id is taken by another downlink",
		[AS_DEVICE_FULL] = "queue_full: as many downlinks as may wait for a device do",
		[AS_AGENCY_FULL] = "queue_full: as many downlinks as may wait for an agency's devices do",
		[AS_DEVICE_QUOTA] = "quota: the device's downlink airtime of today is spent",
		[AS_AGENCY_QUOTA] = "quota: the agency's downlink airtime of today is spent",
		[AS_TOO_LONG] = "longer than the region carries at any data rate",
		[AS_NO_ENCODER] = "the profile's codec only decodes: send data (base64) or hex",
		[AS_NOT_ENCODED] = "the profile's codec cannot write it",
		[AS_KEY_IS_HELD] = ("the city does not have the device's AppSKey: its agency holds it "
				    "(encrypt the command: isEncrypted "
				    "with fCntDown; lamppost downlink send --kek), or it is still being "
				    "asked for at the join "
				    "server (send it again)"),
	};
	return (unsigned)verdict < AS_ENQUEUED_COUNT ? reasons[verdict] : "unknown";
}

/* --- what a region carries ------------------------------------------------------------------------------------- */

static uint8_t longest_of(const char *id)
{
	uint8_t longest = 0;
	struct lw_region *region = malloc(sizeof *region);
	ASSERT(region);
	if (region_load(region, id))
		longest = lw_region_longest_downlink(region);
	free(region);
	return longest;
}

uint8_t as_queue_longest(struct as_application *app, const char *region)
{
	for (size_t i = 0; i < app->region_count; i++)
		if (strcmp(app->regions[i].region, region) == 0)
			return app->regions[i].longest;
	uint8_t longest = longest_of(region);
	if (longest && app->region_count < AS_REGIONS_MAX) {
		struct as_region_lengths *row = &app->regions[app->region_count++];
		snprintf(row->region, sizeof row->region, "%s", region);
		row->longest = longest;
	}
	return longest;
}

/* --- in ------------------------------------------------------------------------------------------------------- */

static bool encode(struct as_application *app, const struct as_device_info *device,
		   struct as_command *command, enum as_enqueued *verdict)
{
	_Static_assert(AS_COMMAND_WHY_MAX == AS_CODEC_CAUSE_MAX, "a cause fits");
	switch (as_codecs_encode(&app->codecs, app->store, &device->profile, command->object,
				 command->payload, NET_PAYLOAD_MAX, &command->length, command->why)) {
	case AS_CODEC_DONE: return true;
	case AS_CODEC_FAILED: *verdict = AS_NOT_ENCODED; return false;
	case AS_CODEC_NONE: break;
	}
	*verdict = AS_NO_ENCODER;
	return false;
}

/* The item as the command asks for it, payload sealed. False: `*verdict` says why not. */
static bool make_item(struct as_application *app, const struct lw_eui64 *dev_eui,
		      const struct as_device_info *device, struct as_command *command, struct as_item *item,
		      enum as_enqueued *verdict)
{
	*item = command->item;
	item->dev_eui = *dev_eui;
	item->agency = device->agency;
	if (!command->has_id)
		item->item = as_uuid_new(app->rng);
	if (!command->item.encrypted && as_custody_is_held(app, dev_eui, device)) {
		*verdict = AS_KEY_IS_HELD;
		return false;
	}
	if (command->has_object && !encode(app, device, command, verdict))
		return false;
	if (command->length > NET_PAYLOAD_MAX || command->length > as_queue_longest(app, device->region)) {
		*verdict = AS_TOO_LONG;
		return false;
	}
	as_item_seal(app->keys, item, command->payload, command->length);
	return true;
}

/* Whether a command of that id is known; fills `item` with it if it is the same one. */
static enum status find_before(struct as_application *app, struct as_item *item, enum as_enqueued *verdict)
{
	struct as_item known;
	enum status status = as_store_item_get(app->store, &item->item, &known);
	if (status != ST_OK)
		return status;
	*verdict = as_item_same(&known, item) ? AS_ENQUEUED_BEFORE : AS_ID_TAKEN;
	if (*verdict == AS_ENQUEUED_BEFORE)
		*item = known;
	return ST_OK;
}

static bool has_room(struct as_application *app, const struct as_item *item, enum as_enqueued *verdict)
{
	if (as_store_items_waiting(app->store, &item->dev_eui) >= AS_ITEMS_MAX)
		*verdict = AS_DEVICE_FULL;
	else if (as_store_items_of_agency(app->store, &item->agency) >= AS_AGENCY_ITEMS_MAX)
		*verdict = AS_AGENCY_FULL;
	return *verdict == AS_ENQUEUED;
}

static bool is_within_quota(struct as_application *app, struct now now, const struct as_device_info *device,
			    struct as_item *item, struct as_command *command, enum as_enqueued *verdict,
			    struct as_quota *quota)
{
	*verdict = as_quota_judge(app, now.wall, device, item, quota, command->why);
	return *verdict == AS_ENQUEUED;
}

/* Its time had passed when it came: that it came, and why it never left, is kept and told all the same. */
static enum status put_expired(struct as_application *app, struct now now, struct as_item *item)
{
	struct as_log log = {.dev_eui = item->dev_eui,
			     .time = now.wall,
			     .level = AS_LOG_ERROR,
			     .code = "EXPIRED",
			     .description = "item had expired when it came"};
	item->status = NET_ITEM_EXPIRED;
	item->ended = true;
	as_log_add_item(&log, &item->item);
	enum status status = as_store_item_put(app->store, item, now.wall);
	return status == ST_OK ? as_application_log(app, &log) : status;
}

/* What was decided, with what was too much. */
static void say(struct as_application *app, struct now now, const struct as_device_info *device,
		const struct as_item *item, size_t length, enum as_enqueued verdict,
		const struct as_quota *quota)
{
	struct decision said = {.table = AS_TABLE_COMMAND,
				.verdict = (uint8_t)verdict,
				.a = (uint32_t)length,
				.c = item->fport};
	if (verdict == AS_DEVICE_FULL)
		said.b = AS_ITEMS_MAX;
	else if (verdict == AS_AGENCY_FULL)
		said.b = AS_AGENCY_ITEMS_MAX;
	else if (verdict == AS_TOO_LONG)
		said.b = as_queue_longest(app, device->region);
	else if (verdict == AS_DEVICE_QUOTA || verdict == AS_AGENCY_QUOTA) {
		said.a = (uint32_t)((quota->used_us + quota->waiting_us) / US_PER_MS);
		said.b = (uint32_t)quota->limit_s;
	}
	as_rules_add(&app->decisions, now.wall, &item->dev_eui, &item->item, &said);
}

enum status as_queue_add(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
			 const struct as_device_info *device, struct as_command *command,
			 struct as_item *item, enum as_enqueued *verdict)
{
	enum status status = ST_OK;
	struct as_quota quota = {.limit_s = -1};
	*verdict = AS_ENQUEUED;
	if (make_item(app, dev_eui, device, command, item, verdict)) {
		status = command->has_id ? find_before(app, item, verdict) : ST_NOT_FOUND;
		if (status == ST_NOT_FOUND) {
			bool expired = item->expires.us && item->expires.us <= now.wall.us;
			status = ST_OK;
			item->created = item->changed = now.wall;
			if (expired)
				status = put_expired(app, now, item);
			else if (has_room(app, item, verdict) &&
				 is_within_quota(app, now, device, item, command, verdict, &quota))
				status = as_store_item_put(app->store, item, now.wall);
		}
	}
	if (status == ST_OK) {
		say(app, now, device, item, command->length, *verdict, &quota);
		app->counters.items += *verdict == AS_ENQUEUED;
		app->counters.items_repeated += *verdict == AS_ENQUEUED_BEFORE;
		app->counters.items_refused += *verdict > AS_ENQUEUED_BEFORE;
	}
	return status;
}

enum status as_queue_flush(struct as_application *app, const struct lw_eui64 *dev_eui,
			   const struct net_uuid *id, size_t *count)
{
	return as_store_items_flush(app->store, dev_eui, id, count);
}
