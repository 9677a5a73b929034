#include "application-server/api/airtime.h"
#include "application-server/api/alarms.h"
#include "application-server/api/answer.h"
#include "application-server/api/claims.h"
#include "application-server/api/collections.h"
#include "application-server/api/device_status.h"
#include "application-server/api/identity.h"
#include "application-server/api/import.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

/* The public halves that clients seal keys to: every caller with a role may have them. */
static void handle_keys(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct as_keys *keys = api->app->keys;
	(void)call;
	as_answer_json(answer, 200,
		       json_pack("{ss ss ss}", "join-server", keys->public_keys[0], "network-server",
				 keys->public_keys[1], "application-server", keys->public_keys[2]));
}

static void handle_status(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct as_application_counters *counters = &api->app->counters;
	char city[AS_UUID_TEXT];
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 404, NULL, "no such resource");
		return;
	}
	json_t *body = json_pack(
		"{ss sI s{sI sI sI sI sI sI sI}}", "city",
		as_uuid_format(city, as_store_city(api->app->store)), "version",
		(json_int_t)as_store_version(api->app->store), "counters", "uplinks",
		(json_int_t)counters->uplinks, "joins", (json_int_t)counters->joins, "repeats",
		(json_int_t)counters->repeats, "unknown_devices", (json_int_t)counters->unknown_devices,
		"no_session_key", (json_int_t)counters->no_session_key, "codec_errors",
		(json_int_t)counters->codec_errors, "seals_refused", (json_int_t)counters->seals_refused);
	json_t *more = api->status ? api->status(api->status_ctx) : NULL;
	if (more)
		json_object_update(body, more);
	json_decref(more);
	if (api->census) {
		as_census_ask(api->census, call->now);
		json_object_set_new(body, "devices", as_census_json(api->census, call->now));
	}
	if (api->alarms)
		json_object_set_new(body, "alarms", as_alarms_summary_json(api));
	as_answer_json(answer, 200, body);
}

const struct as_route as_routes[] = {
	{"GET", "/api/v1/keys", handle_keys},
	{"GET", "/api/v1/status", handle_status},
	{"GET", "/api/v1/events", as_handle_events},
	{"GET", "/api/v1/frames", as_handle_frames},
	{"GET", "/api/v1/joins", as_handle_joins},
	{"GET", "/api/v1/airtime", as_handle_airtime},
	{"GET", "/api/v1/airtime/gateways", as_handle_airtime_gateways},
	{"POST", "/api/v1/devices/import", as_handle_import},
	{"POST", "/api/v1/devices/claim", as_handle_claim},
	{"POST", "/api/v1/devices/{id}/release", as_handle_release},
	{"POST", "/api/v1/devices/{id}/replace", as_handle_replace},
	{"DELETE", "/api/v1/devices/{id}/replacement", as_handle_replace_undo},
	{"GET", "/api/v1/stock", as_handle_stock_list},
	{"POST", "/api/v1/stock", as_handle_stock_add},
	{"DELETE", "/api/v1/stock/{id}", as_handle_stock_remove},
	{"PUT", "/api/v1/devices/{id}/keys", as_handle_keys_put},
	{"POST", "/api/v1/devices/{id}/downlinks", as_handle_downlink},
	{"POST", "/api/v1/devices/{id}/rejoin", as_handle_rejoin},
	{"GET", "/api/v1/devices/{id}/join-allow-once", as_handle_allow_once_get},
	{"POST", "/api/v1/devices/{id}/join-allow-once", as_handle_allow_once},
	{"DELETE", "/api/v1/devices/{id}/join-allow-once", as_handle_allow_once_withdraw},
	{"GET", "/api/v1/devices/{id}/downlinks", as_handle_downlinks},
	{"DELETE", "/api/v1/devices/{id}/downlinks", as_handle_downlinks_flush},
	{"GET", "/api/v1/devices/{id}/downlinks/{item}", as_handle_downlink_get},
	{"DELETE", "/api/v1/devices/{id}/downlinks/{item}", as_handle_downlink_flush},
	{"GET", "/api/v1/devices/{id}/readings", as_handle_readings},
	{"GET", "/api/v1/devices/{id}/session", as_handle_device_session},
	{"GET", "/api/v1/agencies/{id}/kek", as_handle_kek},
	{"PUT", "/api/v1/agencies/{id}/kek", as_handle_kek_put},
	{"DELETE", "/api/v1/agencies/{id}/kek", as_handle_kek_retire},
	{"GET", "/api/v1/devices/{id}/joins", as_handle_device_joins},
	{"GET", "/api/v1/devices/{id}/status", as_handle_device_status},
	{"GET", "/api/v1/devices/{id}/why", as_handle_device_why},
	{"GET", "/api/v1/devices/{id}/mac", as_handle_device_mac},
	{"GET", "/api/v1/gateways/{id}/why", as_handle_gateway_why},
	{"GET", "/api/v1/gateways/{id}/health", as_handle_gateway_health},
	{"GET", "/api/v1/gateways/{id}/outages", as_handle_gateway_outages},
	{"GET", "/api/v1/gateways/{id}/impact", as_handle_gateway_impact},
	{"POST", "/api/v1/gateways/{id}/ping", as_handle_gateway_ping},
	{"POST", "/api/v1/gateways/{id}/run", as_handle_gateway_run},
	{"POST", "/api/v1/gateways/{id}/shell", as_handle_gateway_shell},
	{"POST", "/api/v1/gateways/{id}/shell/input", as_handle_gateway_shell_input},
	{"DELETE", "/api/v1/gateways/{id}/shell", as_handle_gateway_shell_close},
	{"GET", "/api/v1/gateways/shells", as_handle_gateway_shells},
	{"GET", "/api/v1/gateways/summary", as_handle_gateways_summary},
	{"GET", "/api/v1/gateway-ca", as_handle_ca},
	{"POST", "/api/v1/gateway-ca/server", as_handle_ca_server},
	{"GET", "/api/v1/gateways/{id}/certificates", as_handle_certificates},
	{"POST", "/api/v1/gateways/{id}/certificates", as_handle_certificate_issue},
	{"DELETE", "/api/v1/gateways/{id}/certificates", as_handle_certificate_revoke},
	{"POST", "/api/v1/gateways/{id}/tokens", as_handle_token_issue},
	{"DELETE", "/api/v1/gateways/{id}/tokens", as_handle_token_revoke},
	{"POST", "/api/v1/gateways/{id}/cups", as_handle_cups},
	{"POST", "/api/v1/gateways/{id}/cups/delivered", as_handle_cups_delivered},
	{"DELETE", "/api/v1/gateways/{id}/firmware", as_handle_firmware_cancel},
	{"POST", "/api/v1/firmware-keys", as_handle_firmware_key},
	{"GET", "/api/v1/firmware", as_handle_firmware_list},
	{"POST", "/api/v1/firmware", as_handle_firmware_begin},
	{"POST", "/api/v1/firmware/pieces", as_handle_firmware_piece},
	{"GET", "/api/v1/firmware/{id}/bytes", as_handle_firmware_bytes},
	{"POST", "/api/v1/firmware/{id}/orders", as_handle_firmware_order},
	{"GET", "/api/v1/audit", as_handle_audit},
	{"GET", "/api/v1/joins/{id}/why", as_handle_join_why},
	{"GET", "/api/v1/downlinks/{id}/why", as_handle_downlink_why},
	{"GET", "/api/v1/frames/why", as_handle_frame_why},
	{"GET", "/api/v1/why/server", as_handle_why_server},
	{"GET", "/api/v1/why/rules", as_handle_why_rules},
	{"GET", "/api/v1/alarms", as_handle_alarms},
	{"GET", "/api/v1/alarms/kinds", as_handle_alarm_kinds},
	{"GET", "/api/v1/alarms/channels", as_handle_alarm_channels},
	{"POST", "/api/v1/alarms/channels/{id}/test", as_handle_alarm_test},
	{"GET", "/api/v1/alarms/{id}", as_handle_alarm},
	{"POST", "/api/v1/alarms/{id}/ack", as_handle_alarm_ack},
	{"DELETE", "/api/v1/alarms/{id}/ack", as_handle_alarm_unack},
	{"GET", "/api/v1/{collection}", as_handle_list},
	{"POST", "/api/v1/{collection}", as_handle_create},
	{"GET", "/api/v1/{collection}/{id}", as_handle_get},
	{"PATCH", "/api/v1/{collection}/{id}", as_handle_change},
	{"DELETE", "/api/v1/{collection}/{id}", as_handle_remove},
};
const size_t as_route_count = ARRAY_SIZE(as_routes);

bool as_route_takes_text(const struct as_route *route)
{
	return route->handle == as_handle_import || route->handle == as_handle_stock_add ||
	       route->handle == as_handle_gateway_shell_input;
}

bool as_route_changes_records(const struct as_route *route)
{
	return route->handle == as_handle_create || route->handle == as_handle_change ||
	       route->handle == as_handle_remove || route->handle == as_handle_keys_put ||
	       route->handle == as_handle_import || route->handle == as_handle_claim ||
	       route->handle == as_handle_release || route->handle == as_handle_replace ||
	       route->handle == as_handle_replace_undo || route->handle == as_handle_stock_add ||
	       route->handle == as_handle_stock_remove;
}

void as_api_call(struct as_api *api, const struct as_route *route, const struct as_call *call,
		 struct as_answer *answer)
{
	*answer = (struct as_answer){0};
	api->calls++;
	if (call->scope->role == AS_NOBODY)
		as_answer_problem(answer, 404, NULL, "no such resource");
	else if (as_route_changes_records(route) && as_import_goes_on(api))
		as_answer_problem(answer, 503, NULL, "an import goes on; try again when it is over");
	else
		route->handle(api, call, answer);
	if (answer->status >= 400)
		api->refused++;
}
