/* /api/v1/devices/{eui}/join-allow-once: one join for a device that lost its counter. The join server keeps it (its allow_once.h)
 * and answers; here stands who may: whoever may write the device's record allows and takes back, whoever sees it may ask.
 * Who asked for it is in the audit before the join server is asked. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/records.h"
#include "application-server/identity/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FOR_USUAL 3600
#define FOR_LEAST 60
#define FOR_MOST  86400

/* Gives a device that the caller may change; NULL with an answer. */
static json_t *own_device(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct net_uuid owner;
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	if (!device)
		return NULL;
	bool owned = as_record_owner(RECORD_DEVICE, device, &owner);
	if (as_scope_may_write(call->scope, RECORD_DEVICE, owned ? &owner : NULL))
		return device;
	as_answer_forbidden(answer);
	json_decref(device);
	return NULL;
}

static const char *eui_of(const json_t *device)
{
	return json_string_value(json_object_get(device, "dev_eui"));
}

/* `for_s` negative: only asks. */
static void ask(const json_t *device, int64_t for_s, struct as_answer *answer)
{
	answer->status = 200;
	answer->body = json_pack("{ss}", "dev_eui", eui_of(device));
	if (for_s >= 0)
		json_object_set_new(answer->body, "for_s", json_integer(for_s));
	answer->asks_join = true;
}

static void order(struct as_api *api, const struct as_call *call, const json_t *device,
		  enum as_audit_what what, int64_t for_s, struct as_answer *answer)
{
	char detail[40] = "";
	if (for_s > 0)
		snprintf(detail, sizeof detail, "for %" PRId64 " s", for_s);
	enum status status = as_audit_write(api->app->store, call->now.wall, call->who ? call->who : "nobody",
					    what, eui_of(device), detail);
	if (status == ST_OK)
		ask(device, for_s, answer);
	else
		as_answer_failed(answer, status);
}

void as_handle_allow_once_get(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *device = as_get_or_answer(api, call, RECORD_DEVICE, answer);
	if (device)
		ask(device, -1, answer);
	json_decref(device);
}

/* Reads {"for_s"?}; false with an answer. */
static bool read_body(const struct as_call *call, int64_t *for_s, struct as_answer *answer)
{
	struct record_problems problems = {.count = 0};
	const char *name;
	json_t *value;
	*for_s = FOR_USUAL;
	if (!as_call_has_object(call, answer))
		return false;
	json_object_foreach((json_t *)(uintptr_t)call->body, name, value)
	{
		if (strcmp(name, "for_s") != 0)
			record_problems_add(&problems, name, "is not known here");
		else if (!json_is_integer(value) || json_integer_value(value) < FOR_LEAST ||
			 json_integer_value(value) > FOR_MOST)
			record_problems_add(&problems, name, "must be a number of seconds from %d to %d",
					    FOR_LEAST, FOR_MOST);
		else
			*for_s = json_integer_value(value);
	}
	if (problems.count > 0)
		as_answer_problems(answer, &problems);
	return problems.count == 0;
}

void as_handle_allow_once(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	int64_t for_s;
	json_t *device = own_device(api, call, answer);
	const char *activation = json_string_value(json_object_get(device, "activation"));
	if (device && activation && strcmp(activation, "otaa") != 0)
		as_answer_problem(answer, 409, NULL, "a device of ABP does not join");
	else if (device && read_body(call, &for_s, answer))
		order(api, call, device, AS_AUDIT_JOIN_ALLOW_ONCE, for_s, answer);
	json_decref(device);
}

void as_handle_allow_once_withdraw(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	json_t *device = own_device(api, call, answer);
	if (device)
		order(api, call, device, AS_AUDIT_JOIN_ALLOW_WITHDRAW, 0, answer);
	json_decref(device);
}
