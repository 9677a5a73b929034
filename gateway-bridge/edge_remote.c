#include "gateway-bridge/edge_remote.h"

#include "common/base/check.h"
#include "gateway-bridge/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_ROOM   512
#define ARGUMENTS_MAX 32
#define SESSION       0 /* of rmtsh */

/* --- answers */

static void reply(struct gb_remote *remote, io_http_exchange exchange, int code, const char *text)
{
	enum status status = io_http_reply(remote->server, exchange, code,
					   code >= 400 ? "application/problem+json" : NULL, text,
					   strlen(text));
	(void)status; /* whoever asked may have gone */
}

static void problem(struct gb_remote *remote, io_http_exchange exchange, int code, const char *detail)
{
	char text[ANSWER_ROOM];
	snprintf(text, sizeof text, "{\"status\":%d,\"detail\":\"%s\"}", code, detail);
	reply(remote, exchange, code, text);
}

/* Fills the EUI of the path; answers 404 where it is none, or of no gateway that is listed. */
static const struct gb_gateway *gateway_of(struct gb_remote *remote, const struct io_http_request *request,
					   struct lw_eui64 *eui)
{
	const struct gb_gateway *gateway = NULL;
	if (lw_eui64_parse(io_http_request_param(request, "eui"), eui))
		gateway = gb_gateways_find(gb_bridge_gateways(remote->bridge), eui);
	if (gateway == NULL || !gateway->known)
		problem(remote, io_http_request_exchange(request), 404, "The bridge knows no such gateway.");
	return gateway && gateway->known ? gateway : NULL;
}

static void answer_remote(struct gb_remote *remote, io_http_exchange exchange, enum gb_station_remote said)
{
	switch (said) {
	case GB_REMOTE_DONE: reply(remote, exchange, 202, "{}"); break;
	case GB_REMOTE_OFF:
		problem(remote, exchange, 403,
			"Commands on stations are off: set gateway-bridge.station_remote to true.");
		break;
	case GB_REMOTE_NOT_HERE:
		problem(remote, exchange, 409, "No station of this gateway is connected.");
		break;
	case GB_REMOTE_NO_FEATURE:
		problem(remote, exchange, 409, "Its station has no remote shell (feature rmtsh).");
		break;
	case GB_REMOTE_TOO_LONG:
		problem(remote, exchange, 413, "That is longer than a station takes.");
		break;
	}
}

/* --- ping */

static void end_ping(struct gb_remote *remote, struct gb_remote_ping *ping)
{
	ping->exchange = 0;
	remote->ping_count--;
}

static void answer_ping(struct gb_remote *remote, struct now now, struct gb_remote_ping *ping,
			span_us round_trip)
{
	char text[ANSWER_ROOM], eui[LW_EUI64_TEXT], trip[32] = "null";
	lw_eui64_format(eui, &ping->eui);
	if (ping->connection)
		snprintf(trip, sizeof trip, "%" PRId64 ".%" PRId64, round_trip / US_PER_MS,
			 round_trip / 100 % 10);
	snprintf(text, sizeof text,
		 "{\"eui\":\"%s\",\"how\":\"%s\",\"round_trip_ms\":%s,\"waited_ms\":%" PRId64 "}", eui,
		 ping->connection ? "websocket_ping" : "next_datagram", trip,
		 mono_since(now.mono, ping->since) / US_PER_MS);
	reply(remote, ping->exchange, 200, text);
	end_ping(remote, ping);
}

static void on_ping(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_remote *remote = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct lw_eui64 eui;
	const struct gb_gateway *gateway = gateway_of(remote, request, &eui);
	struct gb_remote_ping *ping = NULL;
	if (gateway == NULL)
		return;
	for (size_t i = 0; i < GB_PINGS_MAX && !ping; i++)
		if (remote->pings[i].exchange == 0)
			ping = &remote->pings[i];
	if (ping == NULL) {
		problem(remote, exchange, 503, "Too many gateways are pinged at once.");
		return;
	}
	*ping = (struct gb_remote_ping){
		.exchange = exchange, .eui = eui, .datagrams = gateway->datagrams, .since = now.mono};
	if (gateway->station && !gb_bridge_station_ping(remote->bridge, now, &eui, &ping->connection)) {
		ping->exchange = 0;
		problem(remote, exchange, 503, "The ping found no room to leave.");
		return;
	}
	remote->ping_count++;
	remote->after(remote->ctx, now);
}

void gb_remote_pong(struct gb_remote *remote, struct now now, uint64_t connection, span_us round_trip)
{
	for (size_t i = 0; i < GB_PINGS_MAX && remote->ping_count > 0; i++)
		if (remote->pings[i].exchange && remote->pings[i].connection == connection)
			answer_ping(remote, now, &remote->pings[i], round_trip);
}

void gb_remote_heard(struct gb_remote *remote, struct now now)
{
	for (size_t i = 0; i < GB_PINGS_MAX && remote->ping_count > 0; i++) {
		struct gb_remote_ping *ping = &remote->pings[i];
		if (ping->exchange == 0 || ping->connection != 0)
			continue;
		const struct gb_gateway *gateway = gb_gateways_find(gb_bridge_gateways(remote->bridge),
								    &ping->eui);
		if (gateway && gateway->datagrams != ping->datagrams)
			answer_ping(remote, now, ping, 0);
	}
}

static struct gb_remote_shell *shell_of(struct gb_remote *remote, const struct lw_eui64 *eui)
{
	for (size_t i = 0; i < GB_SHELLS_MAX; i++)
		if (remote->shells[i].exchange && lw_eui64_equal(&remote->shells[i].eui, eui))
			return &remote->shells[i];
	return NULL;
}

static void end_shell(struct gb_remote *remote, struct now now, struct gb_remote_shell *shell)
{
	uint64_t connection;
	enum gb_station_remote said = gb_bridge_station_shell(remote->bridge, now, &shell->eui, false,
							      shell->user, "", &connection);
	(void)said; /* its station may have gone */
	io_http_stream_end(remote->server, shell->exchange);
	shell->exchange = 0;
}

/* Those whose asker has gone without a word. */
static void let_go_of_vanished(struct gb_remote *remote, struct now now)
{
	for (size_t i = 0; i < GB_SHELLS_MAX; i++)
		if (remote->shells[i].exchange &&
		    !io_http_exchange_is_open(remote->server, remote->shells[i].exchange)) {
			end_shell(remote, now, &remote->shells[i]);
			remote->after(remote->ctx, now);
		}
}

static void on_look(void *ctx, struct now now)
{
	struct gb_remote *remote = ctx;
	let_go_of_vanished(remote, now);
	for (size_t i = 0; i < GB_PINGS_MAX && remote->ping_count > 0; i++) {
		struct gb_remote_ping *ping = &remote->pings[i];
		if (ping->exchange == 0 ||
		    mono_since(now.mono, ping->since) < (ping->connection ? GB_PING_WAIT : GB_HEAR_WAIT))
			continue;
		problem(remote, ping->exchange, 504,
			ping->connection
				? "Its station did not answer the ping within 7 s."
				: "A gateway by Semtech UDP or MQTT cannot be asked, and this one said "
				  "nothing by itself within 12 s.");
		end_ping(remote, ping);
	}
}

/* --- run */

/* Reads {"command", "arguments"} into texts of `room`; false: not such a body. */
static bool read_command(struct gb_remote *remote, const struct io_http_request *request,
			 char room[GB_STATION_COMMAND_MAX], const char *arguments[ARGUMENTS_MAX + 1])
{
	enum { COMMAND, ARGUMENTS, ROWS };
	static const struct gb_member rows[ROWS] = {[COMMAND] = {"command", GB_MEMBER_STRING, 0, 0},
						    [ARGUMENTS] = {"arguments", GB_MEMBER_ARRAY, 0, 0}};
	int values[ROWS];
	size_t length, used, count = 0;
	const uint8_t *body = io_http_request_body(request, &length);
	if (length > GB_JSON_TEXT_MAX ||
	    gb_json_parse(remote->json, (const char *)body, length) != GB_ACCEPTED ||
	    gb_json_type(remote->json, 0) != GB_JSON_OBJECT ||
	    gb_schema_read(remote->json, 0, rows, ROWS, values) != GB_ACCEPTED ||
	    values[COMMAND] == GB_JSON_NONE ||
	    !gb_json_string(remote->json, values[COMMAND], room, GB_STATION_COMMAND_MAX) || room[0] == 0)
		return false;
	used = strlen(room) + 1;
	for (int at = values[ARGUMENTS] == GB_JSON_NONE ? GB_JSON_NONE
							: gb_json_first(remote->json, values[ARGUMENTS]);
	     at != GB_JSON_NONE; at = gb_json_next(remote->json, values[ARGUMENTS], at)) {
		if (count == ARGUMENTS_MAX || gb_json_type(remote->json, at) != GB_JSON_STRING ||
		    !gb_json_string(remote->json, at, room + used, GB_STATION_COMMAND_MAX - used))
			return false;
		arguments[count++] = room + used;
		used += strlen(room + used) + 1;
	}
	arguments[count] = NULL;
	return true;
}

static void on_run(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_remote *remote = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	char room[GB_STATION_COMMAND_MAX];
	const char *arguments[ARGUMENTS_MAX + 1];
	struct lw_eui64 eui;
	if (gateway_of(remote, request, &eui) == NULL)
		return;
	if (!read_command(remote, request, room, arguments)) {
		problem(remote, exchange, 422,
			"A command and an array of arguments are needed, 2 kB in all.");
		return;
	}
	answer_remote(remote, exchange, gb_bridge_station_run(remote->bridge, now, &eui, room, arguments));
	remote->after(remote->ctx, now);
}

/* --- shell */

static void on_shell(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_remote *remote = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	const char *user = io_http_request_query(request, "user"),
		   *term = io_http_request_query(request, "term");
	struct gb_remote_shell *shell = NULL;
	struct lw_eui64 eui;
	if (gateway_of(remote, request, &eui) == NULL)
		return;
	let_go_of_vanished(remote, now);
	if (shell_of(remote, &eui)) {
		problem(remote, exchange, 409, "Somebody has a shell there.");
		return;
	}
	for (size_t i = 0; i < GB_SHELLS_MAX && !shell; i++)
		if (remote->shells[i].exchange == 0)
			shell = &remote->shells[i];
	if (shell == NULL || (user && strlen(user) >= sizeof shell->user)) {
		problem(remote, exchange, shell ? 422 : 503,
			shell ? "That user's name is too long." : "Too many shells.");
		return;
	}
	*shell = (struct gb_remote_shell){.eui = eui};
	snprintf(shell->user, sizeof shell->user, "%s", user && *user ? user : "root");
	enum gb_station_remote said = gb_bridge_station_shell(remote->bridge, now, &eui, true, shell->user,
							      term && *term ? term : "xterm",
							      &shell->connection);
	if (said != GB_REMOTE_DONE)
		answer_remote(remote, exchange, said);
	else if (io_http_stream_begin(remote->server, exchange, "application/octet-stream") == ST_OK)
		shell->exchange = exchange;
	remote->after(remote->ctx, now);
}

static void on_shell_input(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_remote *remote = ctx;
	io_http_exchange exchange = io_http_request_exchange(request);
	struct lw_eui64 eui;
	size_t length;
	const uint8_t *bytes = io_http_request_body(request, &length);
	if (gateway_of(remote, request, &eui) == NULL)
		return;
	if (shell_of(remote, &eui) == NULL)
		problem(remote, exchange, 409, "Nobody has a shell there.");
	else
		answer_remote(remote, exchange,
			      gb_bridge_station_shell_input(remote->bridge, now, &eui, bytes, length));
	remote->after(remote->ctx, now);
}

static void on_shell_end(void *ctx, struct now now, const struct io_http_request *request)
{
	struct gb_remote *remote = ctx;
	struct lw_eui64 eui;
	if (gateway_of(remote, request, &eui) == NULL)
		return;
	struct gb_remote_shell *shell = shell_of(remote, &eui);
	if (shell)
		end_shell(remote, now, shell);
	reply(remote, io_http_request_exchange(request), 202, "{}");
	remote->after(remote->ctx, now);
}

/* One byte names the session. Whoever stopped reading ends his shell. */
void gb_remote_binary(struct gb_remote *remote, struct now now, uint64_t connection, const uint8_t *bytes,
		      size_t length)
{
	for (size_t i = 0; i < GB_SHELLS_MAX; i++) {
		struct gb_remote_shell *shell = &remote->shells[i];
		if (shell->exchange == 0 || shell->connection != connection || length < 1 ||
		    bytes[0] != SESSION)
			continue;
		if (io_http_stream_send(remote->server, shell->exchange, bytes + 1, length - 1) != ST_OK)
			end_shell(remote, now, shell);
	}
}

void gb_remote_text(struct gb_remote *remote, struct now now, uint64_t connection)
{
	for (size_t i = 0; i < GB_SHELLS_MAX; i++) {
		struct gb_remote_shell *shell = &remote->shells[i];
		if (shell->exchange && shell->connection == connection &&
		    gb_bridge_station_shell_ended(remote->bridge, connection))
			end_shell(remote, now, shell);
	}
}

void gb_remote_closed(struct gb_remote *remote, struct now now, uint64_t connection)
{
	for (size_t i = 0; i < GB_SHELLS_MAX; i++)
		if (remote->shells[i].exchange && remote->shells[i].connection == connection)
			end_shell(remote, now, &remote->shells[i]);
	for (size_t i = 0; i < GB_PINGS_MAX && remote->ping_count > 0; i++)
		if (remote->pings[i].exchange && remote->pings[i].connection == connection) {
			problem(remote, remote->pings[i].exchange, 504, "Its connection ended.");
			end_ping(remote, &remote->pings[i]);
		}
}

/* --- life */

void gb_remote_open(struct gb_remote *remote, struct io_loop *loop, struct gb_bridge *bridge,
		    struct io_http_server *server)
{
	static const struct io_http_route routes[] = {
		{IO_HTTP_POST, "/gateways/{eui}/ping", on_ping},
		{IO_HTTP_POST, "/gateways/{eui}/run", on_run},
		{IO_HTTP_POST, "/gateways/{eui}/shell", on_shell},
		{IO_HTTP_POST, "/gateways/{eui}/shell/input", on_shell_input},
		{IO_HTTP_DELETE, "/gateways/{eui}/shell", on_shell_end},
	};
	remote->bridge = bridge;
	remote->server = server;
	remote->json = gb_json_new();
	remote->timer = io_timer_new(loop, on_look, remote);
	io_timer_start(remote->timer, GB_SHELL_LOOK, GB_SHELL_LOOK);
	io_http_server_add(server, routes, ARRAY_SIZE(routes), remote);
}

void gb_remote_release(struct gb_remote *remote)
{
	io_timer_free(remote->timer);
	gb_json_free(remote->json);
	remote->timer = NULL;
	remote->json = NULL;
}
