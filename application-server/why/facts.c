/* What the records say about a subject, and who may see which decision. */
#include "application-server/why/why.h"

#include "application-server/store_replacements.h"
#include "application-server/store_readings.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void as_why_free(struct as_why *why)
{
	if (!why)
		return;
	json_decref(why->facts);
	json_decref(why->decisions);
	free(why);
}

/* --- who sees what ------------------------------------------------------------------------------------------- */

static bool sees_device(struct as_store *store, const struct as_scope *scope, const char *dev_eui)
{
	json_t *record = NULL;
	enum status status = as_store_record_get(store, scope, RECORD_DEVICE, dev_eui, &record);
	json_decref(record);
	return status == ST_OK;
}

/* Whether it tells an identity of a device that is not among ours, or that no session fitted: of whom it is cannot be said. */
static bool names_a_stranger(const json_t *decision)
{
	const json_t *numbers = json_object_get(decision, "numbers");
	return json_object_get(decision, "dev_addr") || json_object_get(numbers, "dev_eui") ||
	       json_object_get(numbers, "join_eui");
}

static bool is_from_before(const struct as_why *why, const json_t *decision)
{
	struct wall time;
	return why->registered.us != 0 &&
	       why_time_parse(json_string_value(json_object_get(decision, "time")), &time) &&
	       time.us + US_PER_MS <= why->registered.us;
}

/* An agency asks about its own device or gateway: what is said of it names at most devices of the agency. Of a frame, which
 * nobody owns by its MIC, an agency sees what was decided about a device of its own alone; and of what its gateway heard, nothing
 * that names a stranger. */
bool as_why_shows(struct as_store *store, struct as_why *why, const json_t *decision)
{
	if (as_scope_sees_all(&why->scope))
		return true;
	const char *device = json_string_value(json_object_get(decision, "device"));
	enum why_kind kind = why->subject.kind;
	if (is_from_before(why, decision))
		return false;
	if (!device)
		return kind != WHY_FRAME && kind != WHY_COUNTED && kind != WHY_EVENT &&
		       !(kind == WHY_GATEWAY && names_a_stranger(decision));
	if (strcmp(why->looked_up, device) != 0) {
		why->seen = sees_device(store, &why->scope, device);
		snprintf(why->looked_up, sizeof why->looked_up, "%s", device);
	}
	return why->seen;
}

/* --- facts ---------------------------------------------------------------------------------------------------- */

/* Which processes have not got a record of that version yet, by what they said last. */
static void add_behind(json_t *behind, const json_t *replication, const char *process, json_int_t version)
{
	json_int_t applied = json_integer_value(
		json_object_get(json_object_get(replication, process), "applied_version"));
	if (applied < version)
		json_array_append_new(behind, json_string(process));
}

static void add_replication(struct as_api *api, const json_t *record, json_t *facts)
{
	static const struct as_scope city = {.role = AS_CITY};
	json_t *status = api->status ? api->status(api->status_ctx) : NULL, *profile = NULL;
	const json_t *replication = json_object_get(status, "replication");
	const char *profile_id = json_string_value(json_object_get(record, "profile"));
	json_int_t version = json_integer_value(json_object_get(record, "version"));
	json_t *behind = json_array();
	if (replication) {
		json_int_t both = version;
		if (profile_id && as_store_record_get(api->app->store, &city, RECORD_PROFILE, profile_id,
						      &profile) == ST_OK) {
			json_int_t of_profile = json_integer_value(json_object_get(profile, "version"));
			both = of_profile > both ? of_profile : both;
		}
		add_behind(behind, replication, "network-server", both);
		add_behind(behind, replication, "join-server", version);
	}
	json_object_set_new(facts, "behind", behind);
	const json_t *mqtt = json_object_get(status, "mqtt");
	if (mqtt)
		json_object_set_new(facts, "delivery",
				    json_pack("{sO sO}", "state", json_object_get(mqtt, "state"), "backlog",
					      json_object_get(mqtt, "backlog")));
	json_decref(profile);
	json_decref(status);
}

static void copy(json_t *facts, const json_t *record, const char *member)
{
	json_t *value = json_object_get(record, member);
	if (value)
		json_object_set(facts, member, value);
}

json_t *as_why_device_facts(struct as_api *api, const json_t *record, const struct lw_eui64 *dev_eui)
{
	struct as_last_seen seen;
	char time[WHY_TIME_TEXT];
	json_t *facts = json_object();
	json_object_set_new(facts, "registered", json_boolean(record != NULL));
	if (!record)
		return facts;
	copy(facts, record, "name");
	copy(facts, record, "enabled");
	copy(facts, record, "profile_slug");
	copy(facts, record, "application_slug");
	copy(facts, record, "home_net_id");
	struct as_replacement by;
	if (as_store_replaced_by(api->app->store, dev_eui, &by)) {
		char other[LW_EUI64_TEXT];
		lw_eui64_format(other, &by.other);
		json_object_set_new(facts, "replaced_by", json_string(other));
	}
	bool heard = as_store_last_seen(api->app->store, dev_eui, &seen);
	json_object_set_new(facts, "last_heard",
			    heard ? json_string(why_time_format(time, seen.time)) : json_null());
	json_object_set_new(facts, "waiting",
			    json_integer((json_int_t)as_store_items_waiting(api->app->store, dev_eui)));
	add_replication(api, record, facts);
	return facts;
}

json_t *as_why_gateway_facts(const json_t *record)
{
	json_t *facts = json_object();
	json_object_set_new(facts, "registered", json_boolean(record != NULL));
	copy(facts, record, "name");
	copy(facts, record, "region");
	copy(facts, record, "channel_plan");
	copy(facts, record, "source_cidr");
	return facts;
}

json_t *as_why_item_facts(const struct as_item *item, const char *device_name)
{
	char device[LW_EUI64_TEXT];
	lw_eui64_format(device, &item->dev_eui);
	return json_pack("{ss ss* ss ss sb si si si}", "device", device, "device_name", device_name, "status",
			 net_item_status_name(item->status), "cause", item->cause, "ended", (int)item->ended,
			 "f_port", item->fport, "length", item->length, "tries", item->tries);
}
