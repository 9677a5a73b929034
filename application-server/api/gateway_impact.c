/* GET /api/v1/gateways/{id}/impact?days=&after=: what its loss would cost, a page of its devices: which of them nobody else hears,
 * of which it is the best. Everything is estimated from the uplinks of registered devices (health/hearing.h); an agency's people
 * see their own devices. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/store_device.h"
#include "application-server/store_hearing.h"
#include "application-server/uuid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE     50 /* devices looked at in one call: some 20 us each, and a turn is to stay under 1 ms */
#define DAYS     7
#define DAYS_MAX 90
#define HOUR_US  (3600 * US_PER_S)

struct impact {
	struct as_api *api;
	const struct as_call *call;
	int64_t gateway;
	uint32_t oldest; /* hours since 1970 */
	json_t *items;
	unsigned looked_at;
};

static bool read_days(const struct as_call *call, struct as_answer *answer, unsigned *days)
{
	const char *text = as_call_query(call, "days");
	*days = DAYS;
	if (!text)
		return true;
	bool digits = text[0] && strlen(text) <= 2 && strspn(text, "0123456789") == strlen(text);
	*days = digits ? (unsigned)strtoul(text, NULL, 10) : 0;
	if (*days >= 1 && *days <= DAYS_MAX)
		return true;
	as_answer_problem(answer, 422, "days", "days must be 1 to %d", DAYS_MAX);
	return false;
}

/* `after` is the place that the page before ended at. */
static bool read_after(const struct as_call *call, struct as_answer *answer, int64_t *after)
{
	struct lw_eui64 eui;
	const char *text = as_call_query(call, "after");
	*after = INT64_MIN;
	if (!text)
		return true;
	if (!lw_eui64_parse(text, &eui)) {
		as_answer_problem(answer, 422, "after", "after must be a cursor that a page gave");
		return false;
	}
	*after = (int64_t)lw_eui64_number(&eui);
	return true;
}

/* Who else heard the device lately, and who heard it best. */
static void add_device(struct impact *impact, int64_t device)
{
	struct as_hearing_row row;
	struct net_uuid agency;
	struct lw_eui64 eui = lw_eui64_from_number((uint64_t)device);
	const struct as_hearer *own = NULL, *best = NULL;
	unsigned hearers = 0;
	char name[LW_EUI64_TEXT], owner[AS_UUID_TEXT];
	impact->looked_at++;
	if (!as_store_hearers(impact->api->app->store, device, &row))
		return;
	for (size_t i = 0; i < row.count; i++) {
		const struct as_hearer *hearer = &row.hearers[i];
		if (hearer->last < impact->oldest)
			continue;
		hearers++;
		own = hearer->gateway == impact->gateway ? hearer : own;
		best = !best || hearer->best > best->best ? hearer : best;
	}
	if (!own || as_store_device_agency(impact->api->app->store, &eui, &agency) != ST_OK)
		return; /* removed, or it was heard here longer ago */
	const struct net_uuid *mine = as_scope_agency(impact->call->scope);
	if (!as_scope_sees_all(impact->call->scope) && (!mine || memcmp(mine, &agency, sizeof agency) != 0))
		return;
	lw_eui64_format(name, &eui);
	json_array_append_new(impact->items, json_pack("{ss ss sb sb sI sI}", "dev_eui", name, "agency",
						       as_uuid_format(owner, &agency), "only", hearers == 1,
						       "best", best == own, "gateways", (json_int_t)hearers,
						       "heard", (json_int_t)own->heard));
}

void as_handle_gateway_impact(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	unsigned days;
	int64_t after, devices[PAGE];
	json_t *record = as_get_or_answer(api, call, RECORD_GATEWAY, answer);
	const char *text = json_string_value(json_object_get(record, "eui"));
	bool good = text && lw_eui64_parse(text, &eui);
	json_decref(record);
	if (!good || !read_days(call, answer, &days) || !read_after(call, answer, &after))
		return;
	struct impact impact = {.api = api,
				.call = call,
				.gateway = (int64_t)lw_eui64_number(&eui),
				.oldest = (uint32_t)(call->now.wall.us / HOUR_US) - 24 * days,
				.items = json_array()};
	size_t count = as_store_devices_of(api->app->store, impact.gateway, after, devices, PAGE);
	for (size_t i = 0; i < count; i++)
		add_device(&impact, devices[i]);
	char next[LW_EUI64_TEXT] = "";
	if (count == PAGE) {
		struct lw_eui64 last = lw_eui64_from_number((uint64_t)devices[count - 1]);
		lw_eui64_format(next, &last);
	}
	as_answer_json(answer, 200,
		       json_pack("{si so ss?}", "days", (int)days, "items", impact.items, "next",
				 next[0] ? next : NULL));
}
