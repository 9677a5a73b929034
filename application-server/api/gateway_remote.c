/* Commands and shells on a gateway's station: who may, and what of it goes on to the bridge (edge_remote.h), which refuses both
 * unless its configuration allows them.
 *
 *	POST   /api/v1/gateways/{id}/run           who asked stands in the audit before the bridge is asked
 *	POST   /api/v1/gateways/{id}/shell?term=   a stream of what the shell says
 *	POST   /api/v1/gateways/{id}/shell/input   bytes for it
 *	DELETE /api/v1/gateways/{id}/shell
 *	GET    /api/v1/gateways/shells             those that are open */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/identity/audit.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 32
#define COMMAND_MAX   2000 /* of all words together */
#define INPUT_MAX     2000 /* bytes typed at once */

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

/* Fills whom it is about; false with an answer. */
static bool wish_for(struct as_api *api, const struct as_call *call, enum as_remote_kind kind,
		     struct as_answer *answer)
{
	if (!as_scope_sees_all(call->scope)) {
		as_answer_problem(answer, 403, NULL, "the city's engineers alone do that");
		return false;
	}
	json_t *record = as_get_or_answer(api, call, RECORD_GATEWAY, answer);
	const char *eui = json_string_value(json_object_get(record, "eui"));
	if (eui) {
		answer->remote.kind = kind;
		snprintf(answer->remote.eui, sizeof answer->remote.eui, "%s", eui);
		snprintf(answer->remote.who, sizeof answer->remote.who, "%s",
			 call->who ? call->who : "nobody");
	}
	json_decref(record);
	return eui != NULL;
}

void as_handle_gateway_run(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (!wish_for(api, call, AS_REMOTE_RUN, answer))
		return;
	if (!read_command(call, answer)) {
		answer->remote.kind = AS_REMOTE_NONE;
		return;
	}
	char *detail = json_dumps(call->body, JSON_COMPACT);
	enum status status = as_audit_write(api->app->store, call->now.wall, answer->remote.who,
					    AS_AUDIT_REMOTE_COMMAND, answer->remote.eui,
					    detail ? detail : "");
	if (status != ST_OK) {
		answer->remote.kind = AS_REMOTE_NONE;
		as_answer_failed(answer, status);
	} else {
		answer->status = 202;
		answer->body = json_deep_copy(call->body);
	}
	free(detail);
}

/* --- shells */

/* A terminal's name goes into a URL and into a station's environment. */
static bool is_term(const char *term)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	return term[0] && strlen(term) < 32 && strspn(term, letters) == strlen(term);
}

void as_handle_gateway_shell(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const char *term = call->query ? call->query(call->query_ctx, "term") : NULL;
	if (term && !is_term(term)) {
		as_answer_problem(answer, 422, "term", "term must be a terminal's name, such as xterm");
		return;
	}
	if (wish_for(api, call, AS_REMOTE_SHELL, answer))
		snprintf(answer->remote.term, sizeof answer->remote.term, "%s", term ? term : "xterm");
}

void as_handle_gateway_shell_input(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	if (call->text_length == 0 || call->text_length > INPUT_MAX) {
		as_answer_problem(answer, 422, NULL, "1 to %d bytes are typed at once", INPUT_MAX);
		return;
	}
	if (!wish_for(api, call, AS_REMOTE_INPUT, answer))
		return;
	answer->octets = malloc(call->text_length);
	ASSERT(answer->octets);
	memcpy(answer->octets, call->text, call->text_length);
	answer->octet_count = call->text_length;
}

void as_handle_gateway_shell_close(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	(void)wish_for(api, call, AS_REMOTE_CLOSE, answer);
}

void as_handle_gateway_shells(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	(void)api;
	if (as_scope_sees_all(call->scope))
		answer->remote.kind = AS_REMOTE_LIST;
	else
		as_answer_problem(answer, 403, NULL, "the city's engineers alone see shells");
}
