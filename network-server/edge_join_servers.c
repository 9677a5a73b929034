/* The clients of others' join servers (join_servers.h): TS002 over HTTPS, each with connections and a bound of its own, so that
 * one that is slow takes nothing of the others'. A call that fails is told to the core, which makes it again with the same
 * bytes while there is time; so the token of an asynchronous call follows from its TransactionID and a secret of this run. */
#include "network-server/edge_join_servers.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

#define SLOT_KEPT \
	(15 * US_PER_S) /* an asynchronous call's place unless it is answered; no device waits as long */
#define TOKEN 8

static const struct bi_join_server *config_of(const struct ns_edge_join_server *server)
{
	return &server->edge->ns.config.join_servers[server->place];
}

/* --- ErrorNotif (1.1): what they answered is of no use ------------------------------------------------------------- */

static void on_notified(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	(void)ctx;
	(void)now;
	(void)id;
	(void)answer; /* whether it arrives is theirs to care about */
}

static enum status post(struct ns_edge_join_server *server, const char *text, size_t length,
			void (*on_done)(void *, struct now, io_http_call_id, const struct io_http_answer *),
			io_http_call_id *id)
{
	const struct bi_join_server *config = config_of(server);
	struct io_http_call call = {
		.method = IO_HTTP_POST,
		.url = config->url,
		.body = text,
		.length = length,
		.timeout = config->timeout,
		.answer_limit = BI_BODY_MAX,
		.on_done = on_done,
		.ctx = server,
	};
	io_http_identity_use(&server->identity, &call);
	return io_http_client_start(server->client, &call, id);
}

static void notify(struct ns_edge_join_server *server, const struct bi_envelope *answer,
		   enum bi_result result)
{
	char text[BI_WRITTEN_MAX];
	if (answer->protocol != BI_PROTOCOL_1_1 || !bi_type_is_answer(answer->type))
		return;
	const struct bi_message message = {.envelope = bi_error_envelope(answer, result)};
	size_t length = bi_write(&message, text, sizeof text);
	ASSERT(length > 0);
	if (post(server, text, length, on_notified, NULL) == ST_OK)
		server->edge->notifications++;
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static struct ns_edge_join_slot *find_slot(struct ns_edge_join_server *server, uint32_t transaction)
{
	for (size_t i = 0; i < server->slot_count; i++)
		if (server->slots[i].used && server->slots[i].request.transaction_id == transaction)
			return &server->slots[i];
	return NULL;
}

static void fail(struct ns_edge_join_server *server, struct now now, uint32_t transaction, const char *cause)
{
	struct ns_edge *edge = server->edge;
	edge->join_failures++;
	LOG_WARN("join_call_failed", "server=%s cause=\"%s\"", config_of(server)->name, cause);
	ns_on_join_failure(&edge->ns, now, transaction, cause);
}

/* Reads a body, and matches it to the request. False with the cause. */
static bool read_answer(struct ns_edge_join_server *server, const struct ns_edge_join_slot *slot,
			const uint8_t *body, size_t length, struct bi_message *message,
			char cause[NS_JOIN_CAUSE])
{
	struct bi_error error;
	if (!bi_read((const char *)body, length, message, &error)) {
		snprintf(cause, NS_JOIN_CAUSE, "answer %s: %.20s", bi_fault_name(error.fault), error.field);
		if (error.has_envelope)
			notify(server, &message->envelope, BI_MALFORMED);
		return false;
	}
	enum bi_match match = bi_answer_match(&slot->request, &message->envelope);
	if (match == BI_MATCH_OK)
		return true;
	snprintf(cause, NS_JOIN_CAUSE, "answer of %s", bi_match_name(match));
	notify(server, &message->envelope, match == BI_MATCH_RECEIVER ? BI_UNKNOWN_RECEIVER : BI_MALFORMED);
	bi_message_wipe(message);
	return false;
}

static void take(struct ns_edge_join_server *server, struct now now, struct ns_edge_join_slot *slot,
		 const uint8_t *body, size_t length)
{
	struct ns_edge *edge = server->edge;
	struct bi_message message;
	char cause[NS_JOIN_CAUSE];
	uint32_t transaction = slot->request.transaction_id;
	bool good = read_answer(server, slot, body, length, &message, cause);
	*slot = (struct ns_edge_join_slot){0};
	if (!good) {
		fail(server, now, transaction, cause);
		return;
	}
	if (message.envelope.result != BI_SUCCESS)
		LOG_INFO("join_refused", "server=%s result=%s", config_of(server)->name,
			 bi_result_name(message.envelope.result, message.envelope.protocol));
	uint64_t unusable = edge->ns.join_server_states[server->place].unusable;
	ns_on_join_answer(&edge->ns, now, transaction, &message);
	if (edge->ns.join_server_states[server->place].unusable != unusable)
		notify(server, &message.envelope, BI_OTHER);
	bi_message_wipe(&message);
}

static const char *cause_of(const struct io_http_answer *answer, char text[NS_JOIN_CAUSE])
{
	switch (answer->status) {
	case ST_OK: snprintf(text, NS_JOIN_CAUSE, "HTTP %d", answer->code); return text;
	case ST_TIMEOUT: return "timed out";
	case ST_REFUSED: return "certificate not accepted";
	case ST_FULL: return "answer too long";
	case ST_INVALID: return "no answer of HTTP";
	default: return "not reached";
	}
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *answer)
{
	struct ns_edge_join_server *server = ctx;
	struct ns_edge_join_slot *slot = server->slots;
	while (slot < server->slots + server->slot_count && !(slot->used && slot->id == id))
		slot++;
	if (slot == server->slots + server->slot_count)
		return;
	char text[NS_JOIN_CAUSE];
	uint32_t transaction = slot->request.transaction_id;
	bool good = answer->status == ST_OK && answer->code == 200;
	if (good && answer->length > 0) {
		take(server, now, slot, answer->body, answer->length);
	} else if (good && config_of(server)->asynchronous) {
		slot->id = 0;
	} else {
		*slot = (struct ns_edge_join_slot){0};
		fail(server, now, transaction, good ? "empty answer" : cause_of(answer, text));
	}
}

bool ns_edge_join_servers_take(struct ns_edge *edge, struct now now, uint8_t place, const uint8_t *body,
			       size_t length)
{
	struct ns_edge_join_server *server = edge->join_servers[place];
	struct bi_message message;
	struct bi_error error;
	bool read = bi_read((const char *)body, length, &message, &error);
	if (!read && !error.has_envelope)
		return false;
	struct ns_edge_join_slot *slot = find_slot(server, message.envelope.transaction_id);
	bi_message_wipe(&message);
	if (slot)
		take(server, now, slot, body, length);
	return slot != NULL;
}

/* --- calls --------------------------------------------------------------------------------------------------------- */

/* The place of an earlier call of the transaction, a free one, or that of the oldest that nothing came for. */
static struct ns_edge_join_slot *take_slot(struct ns_edge_join_server *server, struct now now,
					   uint32_t transaction)
{
	struct ns_edge_join_slot *slot = find_slot(server, transaction), *oldest = &server->slots[0];
	for (size_t i = 0; i < server->slot_count && !slot; i++) {
		if (!server->slots[i].used)
			slot = &server->slots[i];
		else if (server->slots[i].since.us < oldest->since.us)
			oldest = &server->slots[i];
	}
	if (!slot && mono_since(now.mono, oldest->since) > SLOT_KEPT)
		slot = oldest;
	if (slot && slot->used && slot->id)
		io_http_client_cancel(server->client, slot->id);
	return slot;
}

static struct bi_token token_of(const struct ns_edge *edge, uint32_t transaction)
{
	uint8_t bytes[SECRET_KEY + sizeof transaction], hash[SECRET_HASH];
	struct bi_token token = {.length = TOKEN};
	memcpy(bytes, edge->token_secret, SECRET_KEY);
	memcpy(bytes + SECRET_KEY, &transaction, sizeof transaction);
	secret_hash(hash, bytes, sizeof bytes);
	memcpy(token.bytes, hash, TOKEN);
	secret_wipe(bytes, sizeof bytes);
	return token;
}

void ns_edge_join_servers_call(struct ns_edge *edge, struct now now, const struct ns_join_call *call)
{
	struct ns_edge_join_server *server = edge->join_servers[call->server];
	struct bi_message message;
	char text[BI_WRITTEN_MAX];
	if (!server)
		return; /* taken out in this turn: the join ends */
	ns_edge_join_fill(edge, call, &message);
	if (config_of(server)->asynchronous)
		message.envelope.sender_token = token_of(edge, call->transaction);
	size_t length = bi_write(&message, text, sizeof text);
	ASSERT(length > 0);
	struct ns_edge_join_slot *slot = take_slot(server, now, call->transaction);
	if (!slot) {
		edge->join_failures++; /* the core finds that no answer came */
		return;
	}
	*slot = (struct ns_edge_join_slot){.used = true, .since = now.mono, .request = message.envelope};
	if (post(server, text, length, on_done, &slot->id) != ST_OK) {
		*slot = (struct ns_edge_join_slot){0};
		edge->join_failures++;
	}
}
