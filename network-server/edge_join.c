/* The client of the city's own join server: TS002 JoinReq and RejoinReq over join.sock. A call that fails is made again by the
 * core, with the same TransactionID, while there is time for the accept.
 *
 * So many calls are with the join server, as many as it works off in a fraction of a second; the others wait here, where one whose
 * join has been given up costs nothing. What the core asks again while it waits or is under way is not sent twice: a join server
 * that is behind must not get more to do because of it. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "network-server/join_call.h"

#include <inttypes.h>

#define SILENCE         (900 * US_PER_MS) /* under the core's retry */
#define UNDER_WAY       512               /* calls that the join server has */
#define LOG_LINES_PER_S 20

struct call_row {
	uint32_t transaction;
	enum bi_type type;
	struct lw_eui64 join_eui;
};

void ns_edge_join_fill(const struct ns_edge *edge, const struct ns_join_call *call,
		       struct bi_message *message)
{
	const struct ns_config *config = &edge->ns.config;
	const struct bi_join_server *server = call->server == NS_JOIN_SERVER_OURS
						      ? NULL
						      : &config->join_servers[call->server];
	struct bi_envelope *envelope = &message->envelope;
	*message = (struct bi_message){
		.envelope = {.protocol = server ? server->protocol : BI_PROTOCOL_1_0,
			     .type = call->type,
			     .transaction_id = call->transaction},
		.join_req = call->request,
	};
	lw_net_id_format(envelope->sender_id, server && server->has_sender ? server->sender : config->net_id);
	lw_eui64_format(envelope->receiver_id, &call->join_eui);
	if (server && server->has_ns_id) {
		envelope->has_sender_ns_id = true;
		envelope->sender_ns_id = server->ns_id;
	}
}

/* A join server that is away fails thousands of calls a second; the metrics count them all. */
static bool may_log(struct ns_edge *edge, struct now now)
{
	int64_t second = now.mono.us / US_PER_S;
	if (second != edge->join_log_second) {
		edge->join_log_second = second;
		edge->join_log_lines = 0;
	}
	return edge->join_log_lines++ < LOG_LINES_PER_S;
}

static void send_waiting(struct ns_edge *edge);

static void on_done(void *ctx, struct now now, uint64_t mark, const struct io_http_answer *answer)
{
	struct ns_edge *edge = ctx;
	uint32_t transaction = (uint32_t)mark;
	const struct call_row *row = table_get(&edge->calls, &transaction);
	ASSERT(row);
	const struct ns_join_call call = {.type = row->type,
					  .transaction = transaction,
					  .server = NS_JOIN_SERVER_OURS,
					  .join_eui = row->join_eui};
	table_remove(&edge->calls, &transaction);
	struct bi_message message, request;
	struct bi_error error;
	bool read = answer->status == ST_OK && answer->code == 200 &&
		    bi_read((const char *)answer->body, answer->length, &message, &error);
	ns_edge_join_fill(edge, &call, &request);
	bool good = read && bi_answer_match(&request.envelope, &message.envelope) == BI_MATCH_OK;
	if (read && !good)
		io_http_pipe_give_up(edge->join_pipe); /* the answers that follow belong to others too */
	if (!good) {
		edge->join_failures++;
		if (may_log(edge, now))
			LOG_WARN("join_call_failed", "status=%s code=%d", status_name(answer->status),
				 answer->code);
	} else if (message.envelope.result != BI_SUCCESS && may_log(edge, now)) {
		LOG_INFO("join_refused", "result=%s",
			 bi_result_name(message.envelope.result, message.envelope.protocol));
	}
	/* Many answers come in one turn, and none is to wait for its repetition because that is full. */
	if (!ns_turn_is_full(&edge->ns) || io_loop_end_turn_early(edge->loop))
		ns_on_join_answer(&edge->ns, now, transaction, good ? &message : NULL);
	if (read)
		bi_message_wipe(&message);
	send_waiting(edge);
}

enum status ns_edge_join_open(struct ns_edge *edge)
{
	char path[OPTION_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/join.sock", edge->common.run_dir);
	const struct io_http_pipe_options options = {
		.unix_path = path,
		.target = "/",
		.max_calls = UNDER_WAY,
		.answer_limit = BI_BODY_MAX,
		.timeout = SILENCE,
		.on_done = on_done,
		.ctx = edge,
	};
	enum status status = io_http_pipe_open(edge->loop, &options, &edge->join_pipe);
	if (status == ST_OK)
		table_init(&edge->calls, UNDER_WAY + NS_CALLS_WAITING, sizeof(struct call_row),
			   sizeof(uint32_t), &edge->rng);
	return status;
}

/* Whether it is with the join server now. */
static bool send_call(struct ns_edge *edge, const struct ns_join_call *call)
{
	struct bi_message message;
	char text[BI_WRITTEN_MAX];
	ns_edge_join_fill(edge, call, &message);
	size_t length = bi_write(&message, text, sizeof text);
	ASSERT(length > 0);
	return io_http_pipe_call(edge->join_pipe, call->transaction, text, length) == ST_OK;
}

static void send_waiting(struct ns_edge *edge)
{
	while (edge->waiting_count > 0 && io_http_pipe_in_flight(edge->join_pipe) < UNDER_WAY) {
		uint32_t transaction = edge->waiting[edge->waiting_first];
		edge->waiting_first = (edge->waiting_first + 1) % NS_CALLS_WAITING;
		edge->waiting_count--;
		const struct ns_join_call *call = ns_join_waiting(&edge->ns, transaction);
		if (call && send_call(edge, call))
			continue;
		edge->join_failures += call != NULL;
		table_remove(&edge->calls, &transaction);
	}
}

void ns_edge_join_call(struct ns_edge *edge, struct now now, const struct ns_join_call *call)
{
	bool made;
	edge->join_calls++;
	if (call->server != NS_JOIN_SERVER_OURS) {
		ns_edge_join_servers_call(edge, now, call);
		return;
	}
	if (edge->waiting_count == NS_CALLS_WAITING) {
		edge->join_failures++; /* made again by the core */
		return;
	}
	struct call_row *row = table_put(&edge->calls, &call->transaction, &made);
	ASSERT(row); /* as many rows as calls under way and waiting */
	if (!made)
		return;
	row->type = call->type;
	row->join_eui = call->join_eui;
	edge->waiting[(edge->waiting_first + edge->waiting_count++) % NS_CALLS_WAITING] = call->transaction;
	send_waiting(edge);
}
