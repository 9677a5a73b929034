/* What is known of a gateway's health beyond its record: series, outages, counts by state, a ping. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/gateway_json.h"
#include "application-server/store_health.h"
#include "application-server/time_text.h"

#include <stdio.h>
#include <string.h>

#define POINTS_MAX  1500
#define OUTAGES_MAX 1000

/* Gives the gateway's EUI, if the caller sees its record; false with an answer. */
static bool see_gateway(struct as_api *api, const struct as_call *call, struct as_answer *answer,
			struct lw_eui64 *eui)
{
	json_t *record = as_get_or_answer(api, call, RECORD_GATEWAY, answer);
	const char *text = json_string_value(json_object_get(record, "eui"));
	bool good = text && lw_eui64_parse(text, eui);
	json_decref(record);
	return good;
}

/* Reads a time of the query; false with an answer. */
static bool read_time(const struct as_call *call, const char *name, struct as_answer *answer,
		      struct wall *time)
{
	const char *text = as_call_query(call, name);
	if (!text || as_time_parse(text, time))
		return true;
	as_answer_problem(answer, 422, name, "%s must be a time as in 2027-01-15T08:00:00Z", name);
	return false;
}

/* --- GET /api/v1/gateways/{id}/health?by=minute|hour|day&from=&to= */

static bool read_level(const struct as_call *call, struct as_answer *answer, enum as_health_level *level)
{
	const char *text = as_call_query(call, "by");
	*level = AS_HEALTH_HOURS;
	if (!text)
		return true;
	for (int i = 0; i < AS_HEALTH_LEVELS; i++)
		if (strcmp(text, as_health_level_name((enum as_health_level)i)) == 0) {
			*level = (enum as_health_level)i;
			return true;
		}
	as_answer_problem(answer, 422, "by", "by must be minute, hour or day");
	return false;
}

static void add_point(void *ctx, const struct as_health_point *point)
{
	char text[AS_TIME_TEXT];
	json_t *item = as_counts_json(&point->counts);
	json_object_set_new(item, "at", json_string(as_time_format(text, point->at)));
	json_object_set_new(item, "offline_s", json_integer(point->offline_s));
	json_object_set_new(item, "trip_95_ms",
			    point->has_trip ? json_integer(point->trip_95_ms) : json_null());
	json_object_set_new(item, "drift_ppm",
			    as_number_or_null(point->has_drift, point->drift_tenths_ppm / 10.0));
	json_object_set_new(item, "temperature_c",
			    as_number_or_null(point->has_temperature, point->temperature_cdeg / 100.0));
	json_array_append_new(ctx, item);
}

void as_handle_gateway_health(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	/* Without `from`: the last hour, two days, 90 days. */
	static const int64_t usual_s[] = {3600, 2 * 86400, 90 * 86400};
	struct lw_eui64 eui;
	enum as_health_level level;
	struct wall from, to = call->now.wall;
	if (!see_gateway(api, call, answer, &eui) || !read_level(call, answer, &level) ||
	    !read_time(call, "to", answer, &to))
		return;
	from.us = to.us - usual_s[level] * US_PER_S;
	if (!read_time(call, "from", answer, &from))
		return;
	if ((to.us - from.us) / US_PER_S / as_health_level_s(level) > POINTS_MAX) {
		as_answer_problem(answer, 422, "from", "at most %d points at once: ask for a shorter time",
				  POINTS_MAX);
		return;
	}
	json_t *items = json_array();
	enum status status = as_store_series(api->app->store, &eui, level, from, to, POINTS_MAX, add_point,
					     items);
	if (status == ST_OK)
		as_answer_json(answer, 200,
			       json_pack("{ss sO}", "by", as_health_level_name(level), "items", items));
	else
		as_answer_failed(answer, status);
	json_decref(items);
}

/* --- GET /api/v1/gateways/{id}/outages?since= */

static void add_outage(void *ctx, const struct as_health_outage *outage)
{
	char began[AS_TIME_TEXT], ended[AS_TIME_TEXT];
	bool over = outage->ended.us != 0;
	json_array_append_new(ctx,
			      json_pack("{ss ss? ss so}", "began", as_time_format(began, outage->began),
					"ended", over ? as_time_format(ended, outage->ended) : NULL, "reason",
					as_gateway_reason_name(outage->reason), "seconds",
					over ? json_integer((outage->ended.us - outage->began.us) / US_PER_S)
					     : json_null()));
}

void as_handle_gateway_outages(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	unsigned limit;
	struct wall since = {call->now.wall.us - AS_OUTAGES_TIME};
	if (!see_gateway(api, call, answer, &eui) || !read_time(call, "since", answer, &since) ||
	    !as_call_limit(call, answer, &limit))
		return;
	json_t *items = json_array();
	enum status status = as_store_outages(api->app->store, &eui, since, limit, add_outage, items);
	if (status == ST_OK)
		as_answer_json(answer, 200, json_pack("{sO}", "items", items));
	else
		as_answer_failed(answer, status);
	json_decref(items);
}

/* --- GET /api/v1/gateways/summary */

void as_handle_gateways_summary(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	unsigned counts[AS_GATEWAY_STATES] = {0}, all = 0;
	const struct as_gateway_health *row;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL, "the city's gateways are counted for its engineers");
		return;
	}
	for (size_t at = 0; api->health && (row = as_health_next(api->health, &at)); all++)
		counts[row->state]++;
	json_t *states = json_object();
	for (int i = 0; i < AS_GATEWAY_STATES; i++)
		json_object_set_new(states, as_gateway_state_name((enum as_gateway_state)i),
				    json_integer(counts[i]));
	bool fresh = api->health && as_health_is_fresh(api->health, call->now.mono);
	as_answer_json(answer, 200,
		       json_pack("{si so sb}", "gateways", (int)all, "states", states, "bridge", (int)fresh));
}

/* --- POST /api/v1/gateways/{id}/ping: the bridge asks the gateway */

void as_handle_gateway_ping(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 eui;
	char text[LW_EUI64_TEXT];
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL, "the city's engineers ping gateways");
		return;
	}
	if (!see_gateway(api, call, answer, &eui))
		return;
	lw_eui64_format(text, &eui);
	answer->status = 200;
	snprintf(answer->asks_bridge, sizeof answer->asks_bridge, "/gateways/%s/ping", text);
}
