/* Answers of join.sock's calls, and who may make them. */
#ifndef LAMPPOST_JOIN_SERVER_REPLY_H
#define LAMPPOST_JOIN_SERVER_REPLY_H

#include "common/io/http_server.h"
#include "join-server/callers.h"

#include <jansson.h>

/* Takes `body`; NULL: no memory, 500. `type` NULL: application/json. */
void js_reply_json(struct io_http_server *http, io_http_exchange exchange, int code, const char *type,
		   json_t *body);
/* problem+json; `field` may be NULL. */
void js_reply_problem(struct io_http_server *http, io_http_exchange exchange, int code, const char *title,
		      const char *detail, const char *field);
/* Whether the caller may; else it was answered with 403. */
bool js_reply_allowed(struct io_http_server *http, const struct js_callers *callers,
		      const struct io_http_request *request, enum js_call call);

#endif
