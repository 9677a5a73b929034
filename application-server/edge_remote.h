/* Commands and shells on gateways' stations, for those who were let in (api/gateway_remote.c): passes them to the bridge's admin
 * socket, and writes to the audit what came of them.
 *
 *	run     the bridge's word is the answer; rows "{"command"...}" before it is asked, and "sent" or "refused: ..." behind
 *	shell   ASKED ──200──▶ OPEN ──▶ over: rows "opened", then "closed after 75 s: ..."
 *	          └──other──▶ over: row "refused: ..."
 *
 * A shell is over when the station ends it or goes, when whoever opened it goes or reads too slowly, when somebody closes it, or
 * when nothing was said for `gateway_shell_idle`. Its place at the bridge is free then, since the call to the bridge ends with it.
 * One a gateway; only who opened it may type. */
#ifndef LAMPPOST_AS_EDGE_REMOTE_H
#define LAMPPOST_AS_EDGE_REMOTE_H

#include "application-server/api/api.h"
#include "application-server/config.h"
#include "application-server/identity/audit.h"
#include "common/io/http_client.h"
#include "common/io/http_server.h"

#define AS_SHELLS_MAX        16
#define AS_REMOTE_CALLS_MAX  32 /* commands and input under way */
#define AS_REMOTE_REASON_MAX 300

struct as_edge_remote {
	struct as_api *api;             /* borrowed */
	struct io_http_server *server;  /* borrowed: where the answers go */
	const struct as_config *config; /* borrowed */
	struct io_http_client *client;
	struct io_timer *look;
	char socket[320];
	struct as_shell {
		struct as_edge_remote *edge;
		io_http_exchange exchange; /* 0: free */
		io_http_call_id id;
		bool open;
		char eui[24], who[AS_AUDIT_WHO_MAX];
		struct now since;
		struct mono spoken; /* when something was said last, by either side */
		uint64_t sent, received;
		int code; /* while ASKED: the bridge's, with what it says */
		char said[AS_REMOTE_REASON_MAX];
		size_t said_length;
	} shells[AS_SHELLS_MAX];
	struct as_remote_call {
		struct as_edge_remote *edge;
		io_http_exchange exchange; /* 0: free */
		io_http_call_id id;
		bool command, gone; /* gone: whoever asked has left; a command's outcome is written still */
		char eui[24], who[AS_AUDIT_WHO_MAX];
	} calls[AS_REMOTE_CALLS_MAX];
};

void as_edge_remote_open(struct as_edge_remote *edge, struct io_loop *loop, struct io_http_server *server,
			 struct as_api *api, const struct as_config *config, const char *run_dir);
/* One that was never opened is allowed. */
void as_edge_remote_close(struct as_edge_remote *edge);
/* Takes what a route wants of a station; it is answered in any case. */
void as_edge_remote_ask(struct as_edge_remote *edge, struct now now, io_http_exchange exchange,
			const struct as_answer *answer);
/* Callers have changed: every shell ends, and whoever may still opens one anew. */
void as_edge_remote_end_all(struct as_edge_remote *edge);
/* The client of that exchange has gone. */
void as_edge_remote_forget(struct as_edge_remote *edge, struct now now, io_http_exchange exchange);

#endif
