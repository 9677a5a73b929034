/* POST /api/v1/gateways/{id}/run: a command on a gateway's station. Who asked stands in the audit before the bridge is asked, which
 * refuses it unless its configuration allows commands. */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/identity/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 32
#define COMMAND_MAX   2000 /* of all words together */

/* Whether the body has a command and texts as its arguments; false with an answer. */
static bool read_command(const struct as_call *call, struct as_answer *answer)
{
	const char *command = json_string_value(json_object_get(call->body, "command"));
	const json_t *arguments = json_object_get(call->body, "arguments"), *argument;
	size_t length = command ? strlen(command) : 0, index;
	if (length == 0) {
		as_answer_problem(answer, 422, "command", "command must be the name of a program");
		return false;
	}
	if (arguments && (!json_is_array(arguments) || json_array_size(arguments) > ARGUMENTS_MAX)) {
		as_answer_problem(answer, 422, "arguments", "arguments must be an array of %d texts at most",
				  ARGUMENTS_MAX);
		return false;
	}
	json_array_foreach(arguments, index, argument)
	{
		if (!json_is_string(argument)) {
			as_answer_problem(answer, 422, "arguments", "arguments must be texts");
			return false;
		}
		length += 1 + json_string_length(argument);
	}
	if (length > COMMAND_MAX) {
		as_answer_problem(answer, 422, "command", "a command may have %d characters", COMMAND_MAX);
		return false;
	}
	return true;
}

void as_handle_gateway_run(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL, "the city's engineers run commands on gateways");
		return;
	}
	json_t *record = as_get_or_answer(api, call, RECORD_GATEWAY, answer);
	const char *eui = json_string_value(json_object_get(record, "eui"));
	if (eui && read_command(call, answer)) {
		char *detail = json_dumps(call->body, JSON_COMPACT);
		enum status status = as_audit_write(api->app->store, call->now.wall,
						    call->who ? call->who : "nobody", AS_AUDIT_REMOTE_COMMAND,
						    eui, detail ? detail : "");
		if (status != ST_OK) {
			as_answer_failed(answer, status);
		} else {
			answer->status = 202;
			answer->body = json_deep_copy(call->body);
			snprintf(answer->asks_bridge, sizeof answer->asks_bridge, "/gateways/%s/run", eui);
		}
		free(detail);
	}
	json_decref(record);
}
