/* The process around the core: sockets, store, keys. One struct, made in main.c, shared by the edges; nothing else is
 * global. */
#ifndef LAMPPOST_NETWORK_SERVER_EDGE_PROCESS_H
#define LAMPPOST_NETWORK_SERVER_EDGE_PROCESS_H

#include "common/base/callers.h"
#include "common/db/checkpoint.h"
#include "common/io/admin.h"
#include "common/io/http_client.h"
#include "common/io/http_pipe.h"
#include "common/io/link.h"
#include "common/text/reload.h"
#include "network-server/config.h"
#include "network-server/store_network.h"

#define NS_CALLS_WAITING 4096 /* for the city's join server, beyond those that it has */
#define NS_METRICS_MAX   (NS_DROP_COUNT + 4 * NS_MAC_KINDS + 76 + 11 * NS_JOIN_SERVER_PLACES)

struct ns_edge_join_server; /* edge_join_servers.h */

/* What a user may be on network.sock; rows of the configuration's table. */
enum ns_caller { NS_CALLER_BRIDGE, NS_CALLER_APPLICATION, NS_CALLER_COUNT };

struct ns_edge_link {
	io_link_id id; /* 0: free */
	bool greeted;
	uint32_t uid; /* of the peer */
	enum proto_role role;
	uint64_t seq; /* last sent */
	uint64_t
		heard; /* number of the peer's last message, or what it had to be where that could not be read */
	char name[64];
	/* Bridges: the gateway list on its way. */
	uint64_t list_version;
	bool list_sent, list_running;
	uint32_t list_cursor;
};

struct ns_edge {
	struct config_common common;
	struct ns_options options;
	struct reload reload;
	struct now reload_now;     /* when it was asked for */
	struct lw_region *regions; /* owned */
	struct secret_master *master;
	struct secret_box *box;
	struct rng rng;
	struct ns ns;
	bool ns_is_up;
	struct ns_store store;
	struct checkpoint *checkpoint;
	struct io_loop *loop;
	struct io_timer *timer; /* free space, events that wait for a slow reader */

	/* edge_network.c */
	struct io_link_server *links_server;
	struct callers callers;
	struct ns_edge_link links[NS_LINKS_MAX];
	struct proto_message *message; /* scratch */
	uint8_t *bytes;                /* scratch, PROTO_FRAME_MAX */
	struct arena arena;
	io_link_id app; /* 0: not connected */
	uint64_t app_sent_row;
	bool app_live; /* has all committed events: new ones go straight out */
	uint64_t app_events_sent, links_refused;
	/* edge_join_servers.h, edge_join_answers.c: others' join servers, by their places in ns.config */
	struct ns_edge_join_server *join_servers[NS_JOIN_SERVER_PLACES]; /* owned; NULL: none there */
	struct io_http_server *answers_server;                           /* NULL: no asynchronous answers */
	uint8_t token_secret[SECRET_KEY];
	uint64_t answers_late, answers_refused, notifications;
	char join_server_labels[NS_JOIN_SERVER_PLACES][OPTION_LABEL_MAX + 16]; /* "": none there */
	/* edge_join.c */
	struct io_http_pipe *join_pipe;
	struct table calls; /* of the city's join server, waiting or under way, by transaction */
	uint32_t waiting[NS_CALLS_WAITING]; /* a ring of transactions */
	size_t waiting_first, waiting_count;
	uint64_t join_calls, join_failures;
	int64_t join_log_second;
	unsigned join_log_lines;
	/* edge_metrics.c */
	struct io_admin *admin;
	struct io_metric metrics[NS_METRICS_MAX];
	size_t metric_count;
	char labels[NS_DROP_COUNT][48];
	char mac_labels[NS_MAC_KINDS][4][48];
	uint64_t wal_pages;
	int64_t log_second;
	unsigned log_lines;
	uint64_t logged[NS_DROP_COUNT];
	uint64_t off_plan_logged; /* of `ns.off_plan_changes` */
};

/* edge_keys.c: STATE/keys, and regions. */
enum status ns_edge_keys_load(struct ns_edge *edge, struct ns_config *config) MUST_USE;
void ns_edge_keys_release(struct ns_edge *edge);

/* edge_reload.c: a `struct reload`'s apply(). */
bool ns_edge_reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX]);

/* Notes whether the disk has less room than the floor that is in force. Every second. */
void ns_edge_check_disk(struct ns_edge *edge);

/* edge_network.c */
bool ns_edge_callers_init(struct callers *callers, const struct ns_options *options,
			  char problem[CONFIG_ERROR_MAX]);
/* Closes the links of users who may not any more. */
void ns_edge_network_set_callers(struct ns_edge *edge, const struct callers *callers);
enum status ns_edge_network_open(struct ns_edge *edge) MUST_USE;
/* edge_network_send.c */
/* Lends the link of an id, NULL: it has gone. */
struct ns_edge_link *ns_edge_link_find(struct ns_edge *edge, io_link_id id);
/* Sends `edge->message`, which is filled. */
enum status ns_edge_link_send(struct ns_edge *edge, struct ns_edge_link *link) MUST_USE;
/* Fills `edge->message` with what is wanted of the application server. */
void ns_edge_fill_wanted(struct ns_edge *edge);
/* Sends one message of the outbox. */
void ns_edge_network_send(struct ns_edge *edge, const struct ns_out *out);
/* Gateway lists that changed, events that wait. After every commit. */
void ns_edge_network_drain(struct ns_edge *edge);
bool ns_edge_network_waits(const struct ns_edge *edge);

/* edge_join.c */
enum status ns_edge_join_open(struct ns_edge *edge) MUST_USE;
void ns_edge_join_call(struct ns_edge *edge, struct now now, const struct ns_join_call *call);
/* Fills the message of a call: JoinReq or RejoinReq, from this network to the JoinEUI. */
void ns_edge_join_fill(const struct ns_edge *edge, const struct ns_join_call *call,
		       struct bi_message *message);

/* edge_join_servers.c, edge_join_reload.c */
/* Reads keys and header files, and makes a client each. ST_REFUSED, logged. After the core has been made. */
enum status ns_edge_join_servers_open(struct ns_edge *edge) MUST_USE;
void ns_edge_join_servers_release(struct ns_edge *edge);
void ns_edge_join_servers_call(struct ns_edge *edge, struct now now, const struct ns_join_call *call);
/* A body that came as the answer to the call of that transaction, in a response or by itself. False: no call of that server
 * waits for it. */
bool ns_edge_join_servers_take(struct ns_edge *edge, struct now now, uint8_t server, const uint8_t *body,
			       size_t length);
/* edge_join_answers.c: asynchronous answers. Harmless where none are configured. */
enum status ns_edge_join_answers_open(struct ns_edge *edge) MUST_USE;
/* Listens where `options` say, with their certificates, if that is another place or there are other files; the files are read again
 * in any case. False with one line in `problem`, and all is as before. */
bool ns_edge_join_answers_change(struct ns_edge *edge, const struct ns_options *options,
				 char problem[CONFIG_ERROR_MAX]);
void ns_edge_join_answers_release(struct ns_edge *edge);

/* edge_metrics.c */
enum status ns_edge_metrics_open(struct ns_edge *edge) MUST_USE;
/* edge_off_plan.c: gateways that hear frequencies outside their plan. Logs each change of that once. */
void ns_edge_log_off_plan(struct ns_edge *edge, struct now now);
/* Appends the name of the warning to a list of them, and `,"off_plan":["..."]` to members of /healthz, where there is one. */
#define NS_EDGE_STORM_TEXT 1280
/* Fills the members of /healthz about join storms, from a comma on; nothing before the first one (edge_storm.c). */
void ns_edge_storm_health(const struct ns_edge *edge, struct now now, char *warnings, size_t warnings_room,
			  char *more, size_t room);
uint64_t ns_edge_storm_on(void *ctx);
uint64_t ns_edge_storm_waiting(void *ctx);
void ns_edge_off_plan_health(const struct ns_edge *edge, char *warnings, size_t warnings_capacity,
			     char *members, size_t members_capacity);
/* Writes `"plan":"...","off_plan":{...}` of a gateway, for GET /gateways. */
void ns_edge_write_off_plan(FILE *out, const struct ns *ns, const struct ns_gateway *gateway, struct now now);
/* edge_load.c: what is stored, into the core, which is fresh. */
enum status ns_edge_load(struct ns_edge *edge, struct now now) MUST_USE;
/* edge_gateways.c: GET /gateways of the admin socket. */
void ns_edge_gateways_open(struct ns_edge *edge);
/* edge_why.c: GET /why/... */
void ns_edge_why_open(struct ns_edge *edge);
/* edge_mac.c: GET /mac/device/{eui} */
void ns_edge_mac_open(struct ns_edge *edge);
/* Logs verdicts that were counted since the last time, one line each with its count. */
void ns_edge_log_verdicts(struct ns_edge *edge);

#endif
