#include "application-server/application.h"

#include "application-server/custody.h"
#include "application-server/events/event_json.h"
#include "application-server/quota.h"
#include "application-server/store_device.h"
#include "application-server/store_hearing.h"
#include "application-server/store_ledger.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT_MAX (8 * 1024) /* JSON text of a codec's result */

void as_application_init(struct as_application *app, struct as_store *store, const struct as_keys *keys,
			 struct rng *rng)
{
	*app = (struct as_application){
		.store = store, .keys = keys, .rng = rng, .json = malloc(AS_EVENT_MAX)};
	ASSERT(app->json);
	decision_euis_init(&app->decisions, AS_WHY_RECORDS, AS_WHY_DEVICES, rng);
}

void as_application_release(struct as_application *app)
{
	as_codecs_clear(&app->codecs);
	decision_euis_release(&app->decisions);
	free(app->json);
	*app = (struct as_application){0};
}

/* --- uplinks ------------------------------------------------------------------------------------------------ */

struct uplink {
	const struct net_up_event *event;
	bool known;
	struct as_device_info device;
	bool encrypted; /* the payload could not be deciphered */
	bool is_held;   /* because its key is the agency's alone: */
	struct as_held held;
	uint8_t data[NET_PAYLOAD_MAX];
	json_t *object; /* owned; NULL: no codec, or it failed */
	char codec_error[AS_CODEC_CAUSE_MAX];
	struct decision said; /* what became of the payload */
	struct as_place places[NET_RECEPTIONS_MAX];
};

bool as_application_session_key(struct as_application *app, const struct lw_eui64 *dev_eui,
				const struct net_session_id *session, struct lw_key *key)
{
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	return as_store_session_get(app->store, dev_eui, session, sealed) == ST_OK &&
	       as_keys_open_session(app->keys, dev_eui, session, sealed, key);
}

static enum status find_device(struct as_application *app, struct uplink *uplink)
{
	enum status status = as_store_device_info(app->store, &uplink->event->head.dev_eui, &uplink->device);
	uplink->known = status == ST_OK;
	if (!uplink->known)
		app->counters.unknown_devices++;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* FPort 0 carries MAC commands, which are the network server's. */
static enum status decrypt(struct as_application *app, struct uplink *uplink)
{
	const struct net_up_event *event = uplink->event;
	struct lw_key key;
	uplink->said = (struct decision){.table = AS_TABLE_UPLINK,
					 .verdict = AS_PAYLOAD_EMPTY,
					 .a = event->fcnt_up,
					 .b = event->frm_payload_length,
					 .c = event->fport};
	bool empty = event->frm_payload_length == 0;
	bool has_key = !empty && as_application_session_key(app, &event->head.dev_eui, &event->session, &key);
	enum status status = ST_OK;
	if (!has_key && uplink->known && (!empty || uplink->device.agency_holds))
		status = as_custody_on_up(app, event, &uplink->device, &uplink->held, &uplink->is_held);
	if (empty || status != ST_OK)
		return status;
	uplink->said.verdict = AS_PAYLOAD_STORED;
	if (!has_key) {
		uplink->encrypted = true;
		memcpy(uplink->data, event->frm_payload, event->frm_payload_length);
		app->counters.no_session_key += !uplink->is_held;
		app->counters.held_uplinks += uplink->is_held;
		uplink->said.verdict = uplink->is_held ? AS_PAYLOAD_HELD : AS_PAYLOAD_NO_SESSION_KEY;
		return ST_OK;
	}
	lw_cipher_frm_payload(app->keys->aes, &key, LW_UP, event->dev_addr, event->fcnt_up,
			      event->frm_payload, event->frm_payload_length, uplink->data);
	lw_key_wipe(&key);
	return ST_OK;
}

static void decode(struct as_application *app, struct uplink *uplink)
{
	const struct net_up_event *event = uplink->event;
	if (!uplink->known || !uplink->device.has_codec || uplink->encrypted || !event->has_fport ||
	    event->fport == 0 || event->frm_payload_length == 0)
		return;
	enum as_codec_result result = as_codecs_decode(&app->codecs, app->store, &uplink->device.profile,
						       event->fport, uplink->data, event->frm_payload_length,
						       &uplink->object, uplink->codec_error, &uplink->said);
	if (result == AS_CODEC_FAILED)
		app->counters.codec_errors++;
	else
		uplink->codec_error[0] = '\0';
}

static void find_places(struct as_application *app, struct uplink *uplink)
{
	for (uint8_t i = 0; i < uplink->event->reception_count; i++) {
		const struct lw_eui64 *eui = &uplink->event->receptions[i].gateway;
		struct as_gateway_place place = as_store_gateway_place(app->store, eui);
		const struct as_gateway_health *said = place.by_gps && app->health
							       ? as_health_find(app->health, eui)
							       : NULL;
		uplink->places[i] = said && said->has_position
					    ? (struct as_place){true, said->latitude_deg, said->longitude_deg,
								said->altitude_m}
					    : (struct as_place){place.known, place.lat, place.lon,
								place.altitude_m};
	}
}

/* Writes the JSON; an event whose tags are too long for it loses the tags, never the reading. */
static void write_up(struct as_application *app, struct uplink *uplink)
{
	struct as_up_parts parts = {.event = uplink->event,
				    .device = uplink->known ? &uplink->device : NULL,
				    .data = uplink->data,
				    .data_length = uplink->event->frm_payload_length,
				    .encrypted = uplink->encrypted,
				    .held = uplink->is_held ? &uplink->held : NULL,
				    .object = uplink->object,
				    .codec_error = uplink->codec_error,
				    .places = uplink->places};
	size_t length;
	if (as_up_json(app->json, AS_EVENT_MAX, &parts, &length))
		return;
	app->counters.oversize_events++;
	uplink->device.application_tags = uplink->device.profile_tags = uplink->device.device_tags = "{}";
	bool fits = as_up_json(app->json, AS_EVENT_MAX, &parts, &length);
	ASSERT(fits); /* without tags every part is bounded */
}

static enum status store_up(struct as_application *app, struct uplink *uplink)
{
	const struct net_up_event *up = uplink->event;
	char object[OBJECT_MAX];
	size_t object_length = uplink->object ? json_dumpb(uplink->object, object, sizeof object - 1,
							   JSON_COMPACT | JSON_REAL_PRECISION(15))
					      : 0;
	object[object_length < sizeof object ? object_length : 0] = '\0';
	struct as_event event = {.id = up->head.id,
				 .kind = AS_EVENT_UP,
				 .dev_eui = up->head.dev_eui,
				 .has_owner = uplink->known,
				 .agency = uplink->device.agency,
				 .application = uplink->device.application,
				 .time = up->head.time,
				 .body = app->json};
	char held[AS_HELD_TEXT] = "";
	if (uplink->is_held)
		as_held_json(held, &uplink->held);
	const struct as_reading reading = {.dev_eui = up->head.dev_eui,
					   .agency = uplink->device.agency,
					   .time = up->head.time,
					   .fcnt_up = up->fcnt_up,
					   .has_fport = up->has_fport,
					   .fport = up->fport,
					   .payload = uplink->data,
					   .length = up->frm_payload_length,
					   .object = object_length && object_length < sizeof object ? object
												    : NULL,
					   .max_payload = up->max_payload,
					   .next_fcnt_down = up->next_fcnt_down,
					   .held = uplink->encrypted ? held : NULL};
	bool is_reading = uplink->known && (!uplink->encrypted || uplink->is_held);
	return as_store_event_put(app->store, &event, is_reading ? &reading : NULL);
}

/* What an uplink adds to the ledger, once: by the day on which it came, whatever a gateway's clock said. */
static enum status post_up(struct as_application *app, struct now now, const struct uplink *uplink)
{
	const struct net_up_event *up = uplink->event;
	struct as_posting posting = {.kind = AS_POST_UPLINK,
				     .flags = up->late ? AS_POST_LATE : 0,
				     .dev_eui = (int64_t)lw_eui64_number(&up->head.dev_eui),
				     .agency = uplink->device.agency,
				     .at = up->seen.us ? up->seen : now.wall,
				     .airtime_us = up->airtime_us,
				     .count = up->count,
				     .fcnt = up->fcnt_up,
				     .missed = up->missed,
				     .gateways = (uint16_t)up->gateway_count,
				     .dr = up->dr,
				     .spreading_factor = up->modulation.spreading_factor,
				     .bandwidth_hz = up->modulation.bandwidth_hz};
	if (up->late)
		posting.repairs = as_store_lost_on(app->store, posting.dev_eui, up->count, up->fcnt_up,
						   as_day_of(posting.at));
	as_store_hears(app->store, up, now.wall);
	enum status status = as_quota_uplink(app, now, &uplink->device, &up->head, &posting);
	return status == ST_OK ? as_store_post(app->store, &posting) : status;
}

enum status as_application_finish(struct as_application *app, const struct net_event_head *head,
				  enum status status)
{
	if (status == ST_EXISTS) {
		app->counters.repeats++;
		status = ST_OK;
	}
	if (status == ST_OK && head->row > app->stored_row)
		app->stored_row = head->row;
	return status;
}

enum status as_application_on_up(struct as_application *app, struct now now, const struct net_up_event *event)
{
	struct uplink uplink = {.event = event};
	app->counters.uplinks++;
	as_store_hold(app->store);
	enum status status = find_device(app, &uplink);
	if (status == ST_OK)
		status = decrypt(app, &uplink);
	if (status == ST_OK) {
		decode(app, &uplink);
		find_places(app, &uplink);
		write_up(app, &uplink);
		status = store_up(app, &uplink);
	}
	if (status == ST_OK && uplink.known)
		status = post_up(app, now, &uplink);
	if (status == ST_OK && uplink.known)
		as_rules_add(&app->decisions, now.wall, &event->head.dev_eui, NULL, &uplink.said);
	json_decref(uplink.object);
	secret_wipe(uplink.data, sizeof uplink.data);
	return as_application_finish(app, &event->head, status);
}

/* --- joins -------------------------------------------------------------------------------------------------- */

enum status as_application_on_join(struct as_application *app, struct now now,
				   const struct net_join_event *join)
{
	struct as_device_info device;
	size_t length;
	app->counters.joins++;
	enum status status = as_store_device_info(app->store, &join->head.dev_eui, &device);
	bool known = status == ST_OK;
	if (!known) {
		app->counters.unknown_devices++;
		if (status != ST_NOT_FOUND)
			return status;
	}
	struct as_held held;
	bool is_held = false;
	status = known ? as_custody_on_join(app, now, join, &held, &is_held) : ST_OK;
	if (status != ST_OK)
		return status;
	const struct as_held *shown = is_held ? &held : NULL;
	bool fits = as_join_json(app->json, AS_EVENT_MAX, join, known ? &device : NULL, shown, &length);
	if (!fits) {
		app->counters.oversize_events++;
		device.application_tags = device.profile_tags = device.device_tags = "{}";
		fits = as_join_json(app->json, AS_EVENT_MAX, join, &device, shown, &length);
		ASSERT(fits);
	}
	struct as_event event = {.id = join->head.id,
				 .kind = AS_EVENT_JOIN,
				 .dev_eui = join->head.dev_eui,
				 .has_owner = known,
				 .time = join->head.time,
				 .body = app->json};
	if (known) {
		event.agency = device.agency;
		event.application = device.application;
	}
	return as_application_finish(app, &join->head, as_store_event_put(app->store, &event, NULL));
}

static const enum as_posting_kind posting_kinds[NET_AIR_KIND_COUNT] = {
	[NET_AIR_REPEAT] = AS_POST_REPEAT,
	[NET_AIR_JOIN_REQUEST] = AS_POST_JOIN_REQUEST,
	[NET_AIR_JOIN_ACCEPT] = AS_POST_JOIN_ACCEPT,
	[NET_AIR_ITEM] = AS_POST_ITEM,
	[NET_AIR_MAC] = AS_POST_MAC,
};

enum status as_application_on_air(struct as_application *app, const struct net_air_event *event)
{
	struct as_posting posting = {.kind = posting_kinds[event->kind],
				     .flags = event->back ? AS_POST_BACK : 0,
				     .dev_eui = (int64_t)lw_eui64_number(&event->head.dev_eui),
				     .gateway = (int64_t)lw_eui64_number(&event->gateway),
				     .at = event->head.time,
				     .airtime_us = event->airtime_us,
				     .deaf_us = event->deaf_us};
	bool is_new;
	enum status status = as_store_post_is_new(app->store, &event->head, &is_new);
	if (status == ST_OK && !is_new)
		status = ST_EXISTS;
	if (status == ST_OK)
		status = as_store_device_agency(app->store, &event->head.dev_eui, &posting.agency);
	if (status == ST_NOT_FOUND) /* removed meanwhile: nobody's, but the gateway was deaf */
		status = ST_OK;
	if (status == ST_OK && (posting.kind == AS_POST_REPEAT || posting.kind == AS_POST_JOIN_REQUEST))
		as_quota_heard(app, &posting);
	if (status == ST_OK)
		status = as_store_post(app->store, &posting);
	return as_application_finish(app, &event->head, status);
}

/* --- what begins or ends in other files of the core ---------------------------------------------------------- */

enum status as_application_tell(struct as_application *app, enum as_event_kind kind,
				const struct net_uuid *id, const struct lw_eui64 *dev_eui, struct wall time,
				bool (*write)(char *text, size_t capacity, const void *parts,
					      const struct as_device_info *device, size_t *length),
				const void *parts)
{
	struct as_device_info device;
	size_t length;
	enum status status = as_store_device_info(app->store, dev_eui, &device);
	bool known = status == ST_OK;
	if (!known && status != ST_NOT_FOUND)
		return status;
	if (!write(app->json, AS_EVENT_MAX, parts, known ? &device : NULL, &length)) {
		app->counters.oversize_events++;
		device.application_tags = device.profile_tags = device.device_tags = "{}";
		bool fits = write(app->json, AS_EVENT_MAX, parts, &device, &length);
		ASSERT(fits); /* without tags every part is bounded */
	}
	struct as_event event = {.id = *id,
				 .kind = kind,
				 .dev_eui = *dev_eui,
				 .has_owner = known,
				 .time = time,
				 .body = app->json};
	if (known) {
		event.agency = device.agency;
		event.application = device.application;
	}
	return as_store_event_put(app->store, &event, NULL);
}

enum status as_application_log(struct as_application *app, const struct as_log *log)
{
	struct as_log told = *log;
	told.id = as_uuid_new(app->rng);
	return as_application_tell(app, AS_EVENT_LOG, &told.id, &told.dev_eui, told.time, as_log_json, &told);
}

const char *as_application_take_abp_key(struct as_application *app, struct now now,
					const struct lw_eui64 *dev_eui,
					const uint8_t blob[NET_SEALED_KEY_SIZE], enum status *status)
{
	static const struct net_session_id abp = {{0}};
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	struct lw_key key;
	*status = ST_OK;
	const char *refusal = as_keys_open_app_s_key(app->keys, dev_eui, blob, &key);
	if (refusal)
		return refusal;
	as_keys_seal_session(app->keys, dev_eui, &abp, &key, sealed);
	lw_key_wipe(&key);
	*status = as_store_session_put(app->store, dev_eui, &abp, sealed, NULL, now.wall);
	return NULL;
}
