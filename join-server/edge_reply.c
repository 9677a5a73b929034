#include "join-server/edge_reply.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

void js_reply_json(struct io_http_server *http, io_http_exchange exchange, int code, const char *type,
		   json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	enum status status = text ? io_http_reply(http, exchange, code, type, text, strlen(text))
				  : io_http_reply(http, exchange, 500, NULL, "{}", 2);
	free(text);
	(void)status; /* the client may have gone */
}

void js_reply_problem(struct io_http_server *http, io_http_exchange exchange, int code, const char *title,
		      const char *detail, const char *field)
{
	json_t *body = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", title, "status",
				 code, "detail", detail);
	if (body && field && field[0])
		json_object_set_new(body, "field", json_string(field));
	js_reply_json(http, exchange, code, "application/problem+json", body);
}

bool js_reply_allowed(struct io_http_server *http, const struct js_callers *callers,
		      const struct io_http_request *request, enum js_call call)
{
	const struct io_peer *peer = io_http_request_peer(request);
	if (peer && js_callers_allow(callers, call, peer->uid))
		return true;
	LOG_WARN("caller_refused", "call=%s uid=%ld", js_call_name(call), peer ? (long)peer->uid : -1);
	js_reply_problem(http, io_http_request_exchange(request), 403, "Forbidden",
			 "this user may not make this call: see join-server.callers in the configuration",
			 NULL);
	return false;
}
