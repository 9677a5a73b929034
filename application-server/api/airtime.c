/* Who uses the air: agencies with what is left of their quotas, and gateways with how long they were deaf. Devices are in the list of
 * devices (device_status.c). An agency sees its own. */
#include "application-server/api/airtime.h"

#include "application-server/agencies/scope.h"
#include "application-server/api/answer.h"
#include "application-server/quota.h"
#include "application-server/store_ledger.h"
#include "application-server/store_records.h"
#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_MAX     400
#define SPANS_MAX    1000
#define HOUR_US      (3600 * US_PER_S)
#define HOURS_MAX    3000 /* rows that one page of agencies may have to read: about a millisecond */
#define GATEWAYS_MAX 20   /* of a page: for each all that is in memory is walked */

struct span {
	unsigned days;
	uint32_t first, last; /* hours */
};

/* Reads `days`: today and so many days before it less one; 1 without it. False with an answer. */
static bool read_span(const struct as_call *call, struct span *span, struct as_answer *answer)
{
	const char *text = as_call_query(call, "days");
	char *end = NULL;
	long days = text ? strtol(text, &end, 10) : 1;
	if (text && (end == text || *end || days < 1 || days > DAYS_MAX)) {
		as_answer_problem(answer, 422, "days", "days must be 1 to %d", DAYS_MAX);
		return false;
	}
	uint32_t today = as_day_of(call->now.wall);
	span->days = (unsigned)days;
	span->last = today * 24 + 23;
	span->first = today >= (uint32_t)days ? (today + 1 - (uint32_t)days) * 24 : 0;
	return true;
}

static json_t *ms_json(int64_t us)
{
	return json_integer((us + 500) / 1000);
}

static json_t *time_of_hour(uint32_t hour)
{
	char text[AS_TIME_TEXT];
	return json_string(as_time_format(text, (struct wall){(int64_t)hour * HOUR_US}));
}

static json_t *air_json(const struct as_hour_account *sum)
{
	return json_pack("{so so so sI sI}", "uplink_ms", ms_json(sum->up_us), "downlink_ms",
			 ms_json(sum->down_us), "deaf_ms", ms_json(sum->deaf_us), "uplinks",
			 (json_int_t)sum->ups, "downlinks", (json_int_t)sum->downs);
}

/* --- agencies ---------------------------------------------------------------------------------------------------- */

static json_t *quota_json(const struct as_quota *quota)
{
	if (quota->limit_s < 0)
		return json_null();
	int64_t left = quota->limit_s * US_PER_S - quota->used_us - quota->waiting_us;
	return json_pack("{sI so so so}", "quota_s", (json_int_t)quota->limit_s, "used_ms",
			 ms_json(quota->used_us), "waiting_ms", ms_json(quota->waiting_us), "left_ms",
			 ms_json(left > 0 ? left : 0));
}

static void add_quotas(struct as_api *api, const struct as_call *call, const json_t *record,
		       const struct net_uuid *agency, json_t *to)
{
	static const struct {
		const char *field, *name;
		enum as_quota_kind kind;
	} rows[] = {{"airtime_up_s_per_day", "uplink", AS_QUOTA_AGENCY_UP},
		    {"airtime_down_s_per_day", "downlink", AS_QUOTA_AGENCY_DOWN}};
	json_t *quotas = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *limit = json_object_get(record, rows[i].field);
		struct as_quota quota = as_quota_of(api->app->store, rows[i].kind,
						    json_is_integer(limit) ? json_integer_value(limit) : -1,
						    0, agency, call->now.wall);
		json_object_set_new(quotas, rows[i].name, quota_json(&quota));
	}
	json_object_set_new(to, "quotas_today", quotas);
}

/* The agency's sums hour by hour or day by day, oldest first; those with nothing are left out. */
static json_t *spans_json(struct as_api *api, const struct net_uuid *agency, const struct span *span,
			  uint32_t step)
{
	json_t *list = json_array();
	for (uint32_t hour = span->first; hour <= span->last; hour += step) {
		struct as_hour_account sum;
		as_store_agency_air(api->app->store, agency, hour, hour + step - 1, &sum);
		if (sum.ups == 0 && sum.downs == 0)
			continue;
		json_t *item = air_json(&sum);
		json_object_set_new(item, "from", time_of_hour(hour));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *agency_json(struct as_api *api, const struct as_call *call, const json_t *record,
			   const struct span *span, uint32_t step)
{
	struct net_uuid id;
	struct as_hour_account sum;
	if (!as_uuid_parse(json_string_value(json_object_get(record, "id")), &id))
		return json_null();
	as_store_agency_air(api->app->store, &id, span->first, span->last, &sum);
	json_t *item = air_json(&sum);
	json_object_set(item, "agency", json_object_get(record, "id"));
	json_object_set(item, "slug", json_object_get(record, "slug"));
	json_object_set(item, "name", json_object_get(record, "name"));
	add_quotas(api, call, record, &id, item);
	if (step)
		json_object_set_new(item, "spans", spans_json(api, &id, span, step));
	return item;
}

static bool read_step(const struct as_call *call, const struct span *span, uint32_t *step,
		      struct as_answer *answer)
{
	const char *by = as_call_query(call, "by");
	*step = !by || strcmp(by, "total") == 0 ? 0 : strcmp(by, "day") == 0 ? 24 : 1;
	if (by && *step == 1 && strcmp(by, "hour") != 0) {
		as_answer_problem(answer, 422, "by", "by must be total, day or hour");
		return false;
	}
	if (*step && !as_call_query(call, "agency")) {
		as_answer_problem(answer, 422, "by", "by is for one agency: name it");
		return false;
	}
	if (*step && (span->last - span->first + 1) / *step > SPANS_MAX) {
		as_answer_problem(answer, 422, "days", "at most %d spans at once", SPANS_MAX);
		return false;
	}
	return true;
}

/* GET /api/v1/airtime?days=&agency=&by=&limit=&after= */
void as_handle_airtime(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct span span;
	uint32_t step;
	struct as_list_query query = {.after = as_call_query(call, "after")};
	char next[AS_CURSOR_TEXT] = "";
	json_t *records = NULL, *record = NULL, *found;
	const char *named = as_call_query(call, "agency");
	size_t i;
	if (!read_span(call, &span, answer) || !read_step(call, &span, &step, answer) ||
	    !as_call_limit(call, answer, &query.limit))
		return;
	unsigned most = HOURS_MAX / (span.last - span.first + 1) + 1;
	query.limit = query.limit < most ? query.limit : most;
	enum status status;
	if (named) {
		status = as_store_record_get(api->app->store, call->scope, RECORD_AGENCY, named, &record);
		records = json_array();
		if (status == ST_OK)
			json_array_append_new(records, record);
	} else {
		status = as_store_record_list(api->app->store, call->scope, RECORD_AGENCY, &query, &records,
					      next);
	}
	if (status == ST_NOT_FOUND)
		as_answer_not_found(answer, record_schema(RECORD_AGENCY));
	else if (status == ST_INVALID)
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	if (status != ST_OK) {
		json_decref(records);
		return;
	}
	found = json_array();
	json_array_foreach(records, i, record)
	{
		json_array_append_new(found, agency_json(api, call, record, &span, step));
	}
	json_decref(records);
	char frees[AS_TIME_TEXT];
	as_answer_json(answer, 200,
		       json_pack("{so si ss so ss?}", "from", time_of_hour(span.first), "days",
				 (int)span.days, "quotas_free_at",
				 as_time_format(frees, as_quota_frees(call->now.wall)), "items", found,
				 "next", *next ? next : NULL));
}

/* --- gateways ---------------------------------------------------------------------------------------------------- */

struct shares {
	struct as_api *api;
	const struct as_call *call;
	struct as_hour_account total;
	json_t *agencies; /* object by UUID */
};

static void add_share(void *ctx, const struct as_hour_account *sum)
{
	struct shares *shares = ctx;
	char id[AS_UUID_TEXT];
	/* Nor in the totals: what is left of them would be the others'. */
	if (!as_scope_sees(shares->call->scope, &sum->key.agency))
		return;
	shares->total.down_us += sum->down_us;
	shares->total.deaf_us += sum->deaf_us;
	shares->total.downs += sum->downs;
	as_uuid_format(id, &sum->key.agency);
	json_t *share = json_object_get(shares->agencies, id);
	if (!share) {
		share = json_pack("{ss sI sI}", "agency", id, "deaf_us", (json_int_t)0, "downlinks",
				  (json_int_t)0);
		json_object_set_new(shares->agencies, id, share);
	}
	json_integer_set(json_object_get(share, "deaf_us"),
			 json_integer_value(json_object_get(share, "deaf_us")) + sum->deaf_us);
	json_integer_set(json_object_get(share, "downlinks"),
			 json_integer_value(json_object_get(share, "downlinks")) + sum->downs);
}

static json_t *shares_json(struct shares *shares)
{
	json_t *list = json_array(), *share, *record;
	const char *id;
	json_object_foreach(shares->agencies, id, share)
	{
		json_int_t deaf_us = json_integer_value(json_object_get(share, "deaf_us"));
		json_object_set_new(share, "deaf_ms", ms_json(deaf_us));
		json_object_del(share, "deaf_us");
		record = NULL;
		if (as_store_record_get(shares->api->app->store, shares->call->scope, RECORD_AGENCY, id,
					&record) == ST_OK)
			json_object_set(share, "slug", json_object_get(record, "slug"));
		json_decref(record);
		json_array_append(list, share);
	}
	json_decref(shares->agencies);
	return list;
}

/* Deaf for how much of the time that has passed: today is not over yet. */
static json_t *deaf_percent(const struct span *span, struct wall now, int64_t deaf_us)
{
	int64_t passed = now.us - (int64_t)span->first * HOUR_US;
	if (passed <= 0)
		return json_null();
	int64_t parts = deaf_us * 1000000 / passed;
	return json_real((double)parts / 10000);
}

static json_t *gateway_json(struct as_api *api, const struct as_call *call, const json_t *record,
			    const struct span *span, enum status *status)
{
	struct lw_eui64 eui;
	struct shares shares = {.api = api, .call = call, .agencies = json_object()};
	const char *text = json_string_value(json_object_get(record, "eui"));
	if (text && lw_eui64_parse(text, &eui))
		*status = as_store_gateway_air(api->app->store, (int64_t)lw_eui64_number(&eui), span->first,
					       span->last, add_share, &shares);
	json_t *item = json_pack("{so so so sI so}", "downlink_ms", ms_json(shares.total.down_us), "deaf_ms",
				 ms_json(shares.total.deaf_us), "deaf_percent",
				 deaf_percent(span, call->now.wall, shares.total.deaf_us), "downlinks",
				 (json_int_t)shares.total.downs, "agencies", shares_json(&shares));
	json_object_set(item, "eui", json_object_get(record, "eui"));
	json_object_set(item, "name", json_object_get(record, "name"));
	return item;
}

/* GET /api/v1/airtime/gateways?days=&gateway=&limit=&after= : how long each gateway sent, heard nothing, and for whom. */
void as_handle_airtime_gateways(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct span span;
	struct as_list_query query = {.after = as_call_query(call, "after")};
	char next[AS_CURSOR_TEXT] = "";
	const char *named = as_call_query(call, "gateway");
	json_t *records = NULL, *record = NULL, *found;
	size_t i;
	if (!read_span(call, &span, answer) || !as_call_limit(call, answer, &query.limit))
		return;
	unsigned most = HOURS_MAX / 10 / (span.last - span.first + 1) + 1;
	most = most < GATEWAYS_MAX ? most : GATEWAYS_MAX;
	query.limit = query.limit < most ? query.limit : most;
	enum status status;
	if (named) {
		status = as_store_record_get(api->app->store, call->scope, RECORD_GATEWAY, named, &record);
		records = json_array();
		if (status == ST_OK)
			json_array_append_new(records, record);
	} else {
		status = as_store_record_list(api->app->store, call->scope, RECORD_GATEWAY, &query, &records,
					      next);
	}
	found = json_array();
	json_array_foreach(records, i, record)
	{
		if (status == ST_OK)
			json_array_append_new(found, gateway_json(api, call, record, &span, &status));
	}
	json_decref(records);
	if (status == ST_OK) {
		as_answer_json(answer, 200,
			       json_pack("{so si so ss?}", "from", time_of_hour(span.first), "days",
					 (int)span.days, "items", found, "next", *next ? next : NULL));
		return;
	}
	json_decref(found);
	if (status == ST_NOT_FOUND)
		as_answer_not_found(answer, record_schema(RECORD_GATEWAY));
	else if (status == ST_INVALID)
		as_answer_problem(answer, 422, "after", "after must be a cursor that a list gave");
	else
		as_answer_failed(answer, status);
}
