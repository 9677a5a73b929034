#include "join-server/allow_once.h"

#include "common/base/check.h"
#include "common/text/json.h"

#include <stdio.h>

static const struct {
	int code;
	const char *reason;
} results[] = {
	[JS_ALLOW_ONCE_DONE] = {200, ""},
	[JS_ALLOW_ONCE_UNKNOWN_DEVICE] = {404, "the join server does not know this device: its records may "
					       "be behind, or its keys are in another's join server"},
	[JS_ALLOW_ONCE_NOTHING_USED] = {409, "the device has not joined yet with its present JoinEUI: no "
					     "DevNonce of it is refused"},
	[JS_ALLOW_ONCE_FAILED] = {500, "the database could not be read or written"},
};

int js_allow_once_code(enum js_allow_once_result result)
{
	ASSERT_CMP((size_t)result, <, ARRAY_SIZE(results));
	return results[result].code;
}

const char *js_allow_once_reason(enum js_allow_once_result result)
{
	ASSERT_CMP((size_t)result, <, ARRAY_SIZE(results));
	return results[result].reason;
}

bool js_allow_once_parse(const uint8_t *body, size_t length, struct js_allow_once *order,
			 char problem[JS_ALLOW_ONCE_TEXT])
{
	struct jr_doc doc;
	*order = (struct js_allow_once){.changes = false};
	if (jr_parse(&doc, (const char *)body, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		struct jr dev_eui = jr_member(&root, "dev_eui");
		jr_hex(&dev_eui, order->dev_eui.bytes, sizeof order->dev_eui.bytes);
		struct jr for_s = jr_optional(&root, "for_s");
		order->changes = jr_is_there(&for_s);
		if (order->changes)
			order->for_s = (uint32_t)jr_int(&for_s, 0, JS_ALLOW_ONCE_MAX_S);
	}
	bool good = !doc.failed;
	if (!good)
		snprintf(problem, JS_ALLOW_ONCE_TEXT, "%s", doc.error);
	jr_release(&doc);
	return good;
}

static enum js_allow_once_result load(struct js_join *join, const struct lw_eui64 *dev_eui,
				      struct js_device *device, bool *has_nonces)
{
	const struct js_store *store = &join->options.store;
	enum status status = store->load_device(store->ctx, dev_eui, device);
	if (status == ST_NOT_FOUND || (status == ST_OK && device->run < join->state.valid_run))
		return JS_ALLOW_ONCE_UNKNOWN_DEVICE;
	if (status == ST_OK)
		status = store->load_nonces(store->ctx, &device->join_eui, dev_eui, &join->nonces);
	*has_nonces = status == ST_OK && join->nonces.count > 0;
	return status == ST_OK || status == ST_NOT_FOUND ? JS_ALLOW_ONCE_DONE : JS_ALLOW_ONCE_FAILED;
}

/* Who it was stands in the city's audit; that it was done, in ours as well. */
static enum status note(struct js_join *join, struct now now, const struct js_allow_once *order)
{
	char dev_eui[LW_EUI64_TEXT], detail[32];
	lw_eui64_format(dev_eui, &order->dev_eui);
	snprintf(detail, sizeof detail, "for %u s", order->for_s);
	return js_audit_write(&join->audit, &join->options.store, now.wall, "application-server",
			      order->for_s ? JS_AUDIT_ALLOW_ONCE : JS_AUDIT_ALLOW_WITHDRAW, dev_eui,
			      order->for_s ? detail : "");
}

enum js_allow_once_result js_allow_once(struct js_join *join, struct now now,
					const struct js_allow_once *order, span_us *left)
{
	const struct js_store *store = &join->options.store;
	struct js_device device;
	bool has_nonces = false;
	enum js_allow_once_result result = load(join, &order->dev_eui, &device, &has_nonces);
	if (result != JS_ALLOW_ONCE_DONE)
		return result;
	if (!has_nonces) {
		*left = 0;
		join->nonces.uses = 0;
		join->nonces.used_at = (struct wall){0};
		return order->changes && order->for_s > 0 ? JS_ALLOW_ONCE_NOTHING_USED : JS_ALLOW_ONCE_DONE;
	}
	if (order->changes) {
		join->nonces.allowed_until = (struct wall){
			order->for_s ? now.wall.us + order->for_s * US_PER_S : 0};
		if (store->save_nonces(store->ctx, &device.join_eui, &order->dev_eui, &join->nonces) !=
			    ST_OK ||
		    note(join, now, order) != ST_OK)
			return JS_ALLOW_ONCE_FAILED;
	}
	*left = js_nonces_allowed_for(&join->nonces, now.wall);
	return JS_ALLOW_ONCE_DONE;
}

json_t *js_allow_once_json(const struct js_join *join, const struct js_allow_once *order, span_us left)
{
	const struct js_nonces *nonces = &join->nonces; /* as js_allow_once() left them */
	char dev_eui[LW_EUI64_TEXT];
	lw_eui64_format(dev_eui, &order->dev_eui);
	return json_pack("{s:s, s:b, s:I, s:I, s:I}", "dev_eui", dev_eui, "allowed", left > 0, "left_s",
			 (json_int_t)((left + US_PER_S - 1) / US_PER_S), "key_uses", (json_int_t)nonces->uses,
			 "key_used_us", (json_int_t)nonces->used_at.us);
}
