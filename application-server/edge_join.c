#include "application-server/edge_join.h"

#include "application-server/keys.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 500 /* in one call */
#define DELAY_FIRST (100 * US_PER_MS)
#define DELAY_MAX   (5 * US_PER_S)
#define ASK_AGAIN   (30 * US_PER_S)

static void fail(struct as_edge_join *edge, const char *what, int code, const char *reason)
{
	char quoted[200];
	if (edge->reached || edge->failures == 0)
		LOG_WARN("provisioning", "call=%s code=%d reason=%s", what, code,
			 log_quote(quoted, sizeof quoted, reason));
	edge->failures++;
	edge->reached = false;
	as_replica_lost(&edge->replica);
	json_decref(edge->records);
	edge->records = NULL;
	io_timer_start(edge->timer, edge->delay, 0);
	edge->delay = edge->delay * 2 > DELAY_MAX ? DELAY_MAX : edge->delay * 2;
}

static json_t *body_of(const struct io_http_answer *answer)
{
	if (answer->status != ST_OK || answer->code != 200)
		return NULL;
	return json_loadb((const char *)answer->body, answer->length, 0, NULL);
}

static void call(struct as_edge_join *edge, enum io_http_method method, const char *url, const char *body,
		 void (*on_done)(void *, struct now, io_http_call_id, const struct io_http_answer *))
{
	io_http_call_id id;
	const struct io_http_call options = {.method = method,
					     .url = url,
					     .unix_path = edge->socket,
					     .body = body,
					     .length = body ? strlen(body) : 0,
					     .on_done = on_done,
					     .ctx = edge};
	edge->calls++;
	edge->calling = io_http_client_start(edge->client, &options, &id) == ST_OK;
	if (!edge->calling)
		fail(edge, "start", 0, "too many calls");
}

/* --- asking ------------------------------------------------------------------------------------------------- */

static void on_state(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_join *edge = ctx;
	struct net_uuid city = {{0}};
	json_t *body = body_of(answer);
	const char *text = json_string_value(json_object_get(body, "city"));
	const json_t *version = json_object_get(body, "applied_version");
	(void)now, (void)id;
	edge->calling = false;
	if (text && json_is_integer(version) && (!*text || as_uuid_parse(text, &city))) {
		if (!edge->reached)
			LOG_INFO("provisioning", "reached=true applied_version=%" PRId64,
				 (int64_t)json_integer_value(version));
		edge->reached = true;
		edge->delay = DELAY_FIRST;
		as_replica_wanted(&edge->replica, edge->store, &city, (uint64_t)json_integer_value(version));
		io_timer_start(edge->timer, ASK_AGAIN, 0);
	} else
		fail(edge, "state", answer->code, answer->reason);
	json_decref(body);
}

static void ask(struct as_edge_join *edge)
{
	call(edge, IO_HTTP_GET, "http://lamppost/provisioning/v1/state", NULL, on_state);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_edge_join *edge = ctx;
	(void)now;
	if (edge->calling || edge->records)
		io_timer_start(edge->timer, ASK_AGAIN, 0);
	else
		ask(edge);
}

/* --- runs --------------------------------------------------------------------------------------------------- */

static json_t *key_json(bool has, const uint8_t key[NET_SEALED_KEY_SIZE])
{
	char text[BASE64_ROOM(NET_SEALED_KEY_SIZE)];
	if (!has)
		return json_null();
	base64_encode(text, key, NET_SEALED_KEY_SIZE);
	return json_string(text);
}

static json_t *record_json(const struct as_desired *record)
{
	char dev_eui[LW_EUI64_TEXT], join_eui[LW_EUI64_TEXT];
	lw_eui64_format(dev_eui, &record->device.dev_eui);
	lw_eui64_format(join_eui, &record->device.join_eui);
	if (record->deleted)
		return json_pack("{sI ss sb}", "version", (json_int_t)record->version, "dev_eui", dev_eui,
				 "deleted", 1);
	char home[LW_NET_ID_TEXT];
	lw_net_id_format(home, record->home);
	return json_pack("{sI ss sb sb ss ss so so ss ss*}", "version", (json_int_t)record->version,
			 "dev_eui", dev_eui, "deleted", 0, "enabled", (int)record->device.enabled, "join_eui",
			 join_eui, "mac_version", lw_mac_version_name(record->mac_version), "app_key",
			 key_json(record->root_keys.has_app_key, record->root_keys.app_key), "nwk_key",
			 key_json(record->root_keys.has_nwk_key, record->root_keys.nwk_key), "app_kek_label",
			 record->app_kek_label, "home_net_id", record->has_home ? home : NULL);
}

static void on_applied(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct as_edge_join *edge = ctx;
	json_t *body = body_of(answer), *refused = json_object_get(body, "refused"), *item;
	const json_t *version = json_object_get(body, "applied_version");
	size_t index;
	(void)now, (void)id;
	edge->calling = false;
	if (json_is_integer(version)) {
		as_replica_applied(&edge->replica, (uint64_t)json_integer_value(version));
		json_array_foreach(refused, index, item)
		{
			const char *dev_eui = json_string_value(json_object_get(item, "dev_eui"));
			edge->refused_keys++;
			LOG_WARN("provisioning", "refused_key_of=%s", dev_eui ? dev_eui : "?");
		}
	} else
		fail(edge, "records", answer->code, answer->reason);
	json_decref(body);
}

static void post(struct as_edge_join *edge, bool end)
{
	char city[AS_UUID_TEXT];
	json_t *body = json_pack("{ss sb sb so}", "city", as_uuid_format(city, as_store_city(edge->store)),
				 "full", (int)edge->beginning, "end", (int)end, "records", edge->records);
	edge->records = end ? NULL : json_array();
	edge->beginning = false;
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	ASSERT(text);
	call(edge, IO_HTTP_POST, "http://lamppost/provisioning/v1/records", text, on_applied);
	free(text);
}

/* Takes steps until a call is full, or the run ends. A run without a device says nothing. */
void as_edge_join_drain(struct as_edge_join *edge, struct now now)
{
	const struct as_desired *record = NULL;
	as_edge_keks_drain(&edge->keks);
	as_edge_app_keys_drain(&edge->app_keys, now);
	while (!edge->calling) {
		bool full = edge->replica.full;
		switch (as_replica_next(&edge->replica, edge->store, &record)) {
		case AS_STEP_BEGIN:
			edge->records = json_array();
			edge->beginning = full;
			break;
		case AS_STEP_RECORD:
			if (record->kind != RECORD_DEVICE)
				break;
			json_array_append_new(edge->records, record_json(record));
			if (json_array_size(edge->records) == RECORDS_MAX)
				post(edge, false);
			break;
		case AS_STEP_END:
			if (full || json_array_size(edge->records) > 0)
				post(edge, true);
			else {
				json_decref(edge->records);
				edge->records = NULL;
			}
			break;
		case AS_STEP_NOTHING: return;
		case AS_STEP_FAILED: fail(edge, "store", 0, "the store failed"); return;
		}
	}
}

/* --- life --------------------------------------------------------------------------------------------------- */

enum status as_edge_join_open(struct as_edge_join *edge, struct io_loop *loop, struct as_application *app,
			      const struct option_map *join_servers, const char *run_dir)
{
	struct as_app_key_change change;
	char problem[CONFIG_ERROR_MAX];
	*edge = (struct as_edge_join){.store = app->store, .delay = DELAY_FIRST};
	snprintf(edge->socket, sizeof edge->socket, "%s/join.sock", run_dir);
	edge->client = io_http_client_new(loop, &(struct io_http_client_options){.max_calls = 4});
	if (!edge->client)
		return ST_NO_MEMORY;
	edge->timer = io_timer_new(loop, on_timer, edge);
	io_timer_start(edge->timer, 1, 0);
	enum status status = as_edge_app_keys_open(&edge->app_keys, loop, app, run_dir);
	if (status == ST_OK && !as_edge_app_keys_prepare(join_servers, &change, problem)) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		status = ST_INVALID;
	}
	if (status == ST_OK)
		as_edge_app_keys_take_over(&edge->app_keys, &change);
	return status == ST_OK ? as_edge_keks_open(&edge->keks, loop, app->store, run_dir) : status;
}

void as_edge_join_close(struct as_edge_join *edge)
{
	as_edge_keks_close(&edge->keks);
	as_edge_app_keys_close(&edge->app_keys);
	io_http_client_free(edge->client);
	io_timer_free(edge->timer);
	json_decref(edge->records);
	*edge = (struct as_edge_join){.store = NULL};
}
