#include "join-server/edge_keks.h"

#include "common/base/check.h"
#include "join-server/edge_reply.h"
#include "join-server/kek_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reply_result(struct js_edge_keks *keks, io_http_exchange exchange, enum js_kek_result result)
{
	js_reply_problem(keks->http, exchange, js_kek_code(result), "Not done", js_kek_reason(result), NULL);
}

/* The label of the path; a longer one than any that can be is no label. */
static bool read_label(const struct io_http_request *request, struct js_kek_order *order)
{
	const char *label = io_http_request_param(request, "label");
	if (!label || strlen(label) >= sizeof order->label)
		return false;
	snprintf(order->label, sizeof order->label, "%s", label);
	return true;
}

static void on_put(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_edge_keks *keks = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct js_kek_order order = {.version = 0};
	char problem[JS_KEK_PROBLEM];
	size_t length;
	if (!js_reply_allowed(keks->http, keks->callers, request, JS_CALL_PROVISIONING))
		return;
	const uint8_t *body = io_http_request_body(request, &length);
	if (!read_label(request, &order)) {
		reply_result(keks, exchange, JS_KEK_BAD_LABEL);
		return;
	}
	if (!js_kek_order_parse(body, length, (long)io_http_request_peer(request)->uid, &order, problem)) {
		js_reply_problem(keks->http, exchange, 422, "Malformed", problem, NULL);
		return;
	}
	enum js_kek_result result = js_kek_put(keks->join, now, &order);
	if (result == JS_KEK_DONE)
		js_reply_json(keks->http, exchange, 200, NULL, js_kek_put_json(&order));
	else
		reply_result(keks, exchange, result);
}

static void on_list(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_edge_keks *keks = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	char who[JS_AUDIT_WHO];
	if (!js_reply_allowed(keks->http, keks->callers, request, JS_CALL_PROVISIONING))
		return;
	js_order_who(who, (long)io_http_request_peer(request)->uid, NULL);
	enum status status = js_audit_read(&keks->join->audit, &keks->join->options.store, now.wall, who,
					   JS_AUDIT_READ_KEKS);
	if (status != ST_OK)
		reply_result(keks, exchange, status == ST_REFUSED ? JS_KEK_AUDIT_FULL : JS_KEK_FAILED);
	else
		js_reply_json(keks->http, exchange, 200, NULL, js_keks_json(keks->join));
}

/* "version=n": 1 and more; absent: 0, all. */
static bool read_version(const struct io_http_request *request, uint32_t *version)
{
	const char *text = io_http_request_query(request, "version");
	char *end;
	*version = 0;
	if (!text)
		return true;
	unsigned long number = text[0] >= '1' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
	if (number == 0 || number > SEALED_KEK_VERSION_MAX || *end != '\0')
		return false;
	*version = (uint32_t)number;
	return true;
}

static void on_delete(void *ctx, struct now now, const struct io_http_request *request)
{
	struct js_edge_keks *keks = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct js_kek_order order = {.version = 0};
	if (!js_reply_allowed(keks->http, keks->callers, request, JS_CALL_PROVISIONING))
		return;
	const char *force = io_http_request_query(request, "force");
	order.force = force && strcmp(force, "true") == 0;
	if (!read_label(request, &order)) {
		reply_result(keks, exchange, JS_KEK_UNKNOWN);
		return;
	}
	if (!read_version(request, &order.version) ||
	    !js_order_who(order.who, (long)io_http_request_peer(request)->uid,
			  io_http_request_query(request, "who"))) {
		js_reply_problem(keks->http, exchange, 422, "Malformed",
				 "expected version=1..999999, force=true, who= printable characters", NULL);
		return;
	}
	enum js_kek_result result = js_kek_delete(keks->join, now, &order);
	if (result != JS_KEK_DONE) {
		reply_result(keks, exchange, result);
		return;
	}
	enum status status = io_http_reply(keks->http, exchange, 204, NULL, "", 0);
	(void)status; /* the client may have gone */
}

static const struct io_http_route routes[] = {
	{IO_HTTP_PUT, "/keks/{label}", on_put},
	{IO_HTTP_GET, "/keks", on_list},
	{IO_HTTP_DELETE, "/keks/{label}", on_delete},
};

void js_edge_keks_open(struct js_edge_keks *keks)
{
	io_http_server_add(keks->http, routes, ARRAY_SIZE(routes), keks);
}
