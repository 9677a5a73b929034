/* POST /api/v1/devices/{eui}/rejoin: the device is to renew its session (ForceRejoinReq, TS001-1.1 §5.13). What can be told at once is
 * refused at once; what becomes of the order is told by `why` and by the list of joins. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/store_records.h"
#include "common/base/check.h"
#include "common/lorawan/version.h"
#include "common/text/region_yaml.h"

#include <string.h>

#define PERIOD_USUAL  0 /* 32 s and up to 32 s more between tries */
#define RETRIES_USUAL 7

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Reads an optional number; false: a problem was added. */
static bool number(const json_t *body, const char *field, json_int_t most, json_int_t otherwise,
		   json_int_t *value, struct record_problems *problems)
{
	const json_t *given = json_object_get(body, field);
	*value = given ? json_integer_value(given) : otherwise;
	if (!given || (json_is_integer(given) && *value >= 0 && *value <= most))
		return true;
	record_problems_add(problems, field, "must be a number from 0 to %d", (int)most);
	return false;
}

static bool read_order(const json_t *body, struct net_force_rejoin *order, struct record_problems *problems)
{
	static const char *const fields[] = {"rejoin_type", "data_rate", "period", "max_retries"};
	json_int_t type, dr, period, retries;
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)body, name, value)
	{
		bool known = false;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			known |= strcmp(fields[i], name) == 0;
		if (!known)
			record_problems_add(problems, name, "is not known here");
	}
	(void)number(body, "rejoin_type", 2, 2, &type, problems);
	(void)number(body, "data_rate", 15, 0, &dr, problems);
	(void)number(body, "period", 7, PERIOD_USUAL, &period, problems);
	(void)number(body, "max_retries", 7, RETRIES_USUAL, &retries, problems);
	if (type == 1)
		record_problems_add(problems, "rejoin_type",
				    "must be 0 (session and radio parameters) or 2 (keys alone)");
	order->rejoin_type = (uint8_t)type;
	order->has_data_rate = json_object_get(body, "data_rate") != NULL;
	order->data_rate = (uint8_t)dr;
	order->period = (uint8_t)period;
	order->max_retries = (uint8_t)retries;
	return problems->count == 0;
}

/* Why such a device cannot be told; NULL: it can. */
static const char *cannot(const json_t *device, const json_t *profile, const struct net_force_rejoin *order)
{
	enum lw_mac_version version;
	enum net_rejoin allowed;
	if (strcmp(text_of(device, "activation"), "otaa") != 0)
		return "a device of ABP has no rejoin";
	if (!lw_mac_version_parse(text_of(profile, "mac_version"), &version) ||
	    !lw_behaves(version, LW_REJOINS))
		return "rejoins came with LoRaWAN 1.1, and the device's profile is of a version before it";
	if (net_rejoin_parse(text_of(profile, "rejoin"), &allowed) &&
	    (allowed == NET_REJOIN_NONE || (allowed == NET_REJOIN_KEYS && order->rejoin_type != 2)))
		return "the device's profile does not answer rejoins of that type (its field rejoin)";
	return NULL;
}

/* A data rate that no device of the region can send at; a problem was added. */
static bool is_beyond_region(const json_t *profile, const struct net_force_rejoin *order,
			     struct record_problems *problems)
{
	struct lw_region region = {.id = ""};
	if (!order->has_data_rate || !region_load(&region, text_of(profile, "region")) ||
	    lw_region_data_rate(&region, LW_UP, order->data_rate))
		return false;
	record_problems_add(problems, "data_rate", "%s has no such data rate for uplinks", region.id);
	return true;
}

static void tell(struct as_api *api, const json_t *device, const struct net_force_rejoin *order,
		 struct as_answer *answer)
{
	static const struct as_scope city = {.role = AS_CITY};
	json_t *profile = NULL;
	enum status status = as_store_record_get(api->app->store, &city, RECORD_PROFILE,
						 text_of(device, "profile"), &profile);
	const char *reason = status == ST_OK ? cannot(device, profile, order) : NULL;
	struct record_problems problems = {.count = 0};
	bool beyond = status == ST_OK && is_beyond_region(profile, order, &problems);
	json_decref(profile);
	if (status != ST_OK)
		as_answer_failed(answer, status);
	else if (reason)
		as_answer_problem(answer, 409, NULL, "%s", reason);
	else if (beyond)
		as_answer_problems(answer, &problems);
	else if (!api->force_rejoin || !api->force_rejoin(api->force_rejoin_ctx, order))
		as_answer_problem(answer, 503, NULL,
				  "the network server is not reached, or behind with such orders; try again");
	else
		as_answer_json(answer, 202,
			       json_pack("{ss si so si si ss}", "dev_eui", text_of(device, "dev_eui"),
					 "rejoin_type", order->rejoin_type, "data_rate",
					 order->has_data_rate ? json_integer(order->data_rate) : json_null(),
					 "period", order->period, "max_retries", order->max_retries, "note",
					 json_is_string(json_object_get(device, "last_seen"))
						 ? "it goes with the answer to the device's next uplink"
						 : "the device was never heard: without a session it joins "
						   "by itself, and the order is dropped"));
}

void as_handle_rejoin(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	struct record_problems problems = {.count = 0};
	struct net_force_rejoin order = {0};
	struct net_uuid owner;
	if (!device)
		return;
	bool owned = as_record_owner(RECORD_DEVICE, device, &owner);
	if (!as_scope_may_write(call->scope, RECORD_DEVICE, owned ? &owner : NULL))
		as_answer_forbidden(answer);
	else if (as_call_has_object(call, answer)) {
		ASSERT(lw_eui64_parse(text_of(device, "dev_eui"), &order.dev_eui));
		if (read_order(call->body, &order, &problems))
			tell(api, device, &order, answer);
		else
			as_answer_problems(answer, &problems);
	}
	json_decref(device);
}
