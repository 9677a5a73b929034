#include "application-server/delivery/connection.h"

#include "application-server/delivery/mqtt_connect.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DELAY_FIRST   (100 * US_PER_MS)
#define DELAY_MAX     (5 * US_PER_S)
#define TICK          (250 * US_PER_MS)
#define KEEP_ALIVE_S  30
#define CONNECT_TICKS 40 /* a broker that does not answer is given up after 10 s */
#define READS         32 /* packets of one turn: they share its commit */

enum state { WAITING, CONNECTING, UP };

struct as_connection {
	struct io_loop *loop;
	struct as_connection_hooks hooks;
	char host[256], username[128], password[256], ca_file[256], id[64];
	const char *label;
	uint16_t port;
	bool clean, held;
	enum state state;
	struct mosquitto *client;           /* owned; NULL while waiting, and lent to `connecting` */
	struct as_mqtt_connect *connecting; /* the name is asked for; NULL: it is not */
	struct io_watch *watch;
	int fd; /* our duplicate of its socket; -1: none */
	struct io_timer *timer;
	struct now now;
	span_us delay;
	unsigned ticks;    /* in this state */
	bool refused;      /* the broker said no to our CONNECT */
	bool disconnected; /* noted by a callback */
	uint64_t connections, failures;
};

/* --- callbacks of the library: notes ------------------------------------------------------------------------- */

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct as_connection *connection = ctx;
	if (code != 0) {
		LOG_WARN(connection->label, "connected=false reason=\"%s\"", mosquitto_connack_string(code));
		connection->refused = true;
		return;
	}
	LOG_INFO(connection->label, "connected=true");
	connection->state = UP;
	connection->delay = DELAY_FIRST;
	connection->connections++;
	if (connection->hooks.on_up)
		connection->hooks.on_up(connection->hooks.owner, client);
}

static void on_disconnect(struct mosquitto *client, void *ctx, int code)
{
	struct as_connection *connection = ctx;
	(void)client, (void)code;
	connection->disconnected = true;
}

/* --- the state ---------------------------------------------------------------------------------------------- */

static void drop(struct as_connection *connection)
{
	io_watch_free(connection->watch);
	connection->watch = NULL;
	if (connection->fd >= 0)
		close(connection->fd);
	connection->fd = -1;
	if (connection->connecting)
		as_mqtt_connect_abandon(connection->connecting); /* and the client with it */
	else if (connection->client)
		mosquitto_destroy(connection->client);
	connection->connecting = NULL;
	connection->client = NULL;
	connection->state = WAITING;
	if (connection->hooks.on_lost)
		connection->hooks.on_lost(connection->hooks.owner);
}

void as_connection_lose(struct as_connection *connection, const char *reason)
{
	if (connection->state == UP || connection->failures == 0)
		LOG_WARN(connection->label, "connected=false reason=\"%s\"", reason);
	drop(connection);
	connection->failures++;
	connection->refused = connection->disconnected = false;
	io_timer_start(connection->timer, connection->delay, 0);
	connection->delay = connection->delay * 2 > DELAY_MAX ? DELAY_MAX : connection->delay * 2;
}

/* After every call into the library: follows its notes. Returns whether the connection goes on. */
static bool settle(struct as_connection *connection, int code)
{
	if (code != MOSQ_ERR_SUCCESS || connection->refused || connection->disconnected) {
		as_connection_lose(connection,
				   code == MOSQ_ERR_SUCCESS ? "disconnected" : mosquitto_strerror(code));
		return false;
	}
	if (connection->watch)
		io_watch_set(connection->watch, true, mosquitto_want_write(connection->client));
	return true;
}

/* A held connection writes after the commit of this turn, which comes even if nothing was read. */
static void on_ready(void *ctx, struct now now, bool readable, bool writable)
{
	struct as_connection *connection = ctx;
	int code = MOSQ_ERR_SUCCESS, reads = connection->held ? READS : 1;
	connection->now = now;
	if (writable && !connection->held)
		code = mosquitto_loop_write(connection->client, 1);
	for (; readable && reads > 0 && code == MOSQ_ERR_SUCCESS && !connection->disconnected; reads--)
		code = mosquitto_loop_read(connection->client, 1);
	settle(connection, code);
}

void as_connection_flush(struct as_connection *connection)
{
	if (!connection->client || !connection->watch)
		return;
	int code = MOSQ_ERR_SUCCESS;
	if (connection->held && mosquitto_want_write(connection->client))
		code = mosquitto_loop_write(connection->client, 1);
	settle(connection, code);
}

void as_connection_cork(struct as_connection *connection, bool corked)
{
	int on = corked;
	if (connection->fd >= 0)
		(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* --- connecting --------------------------------------------------------------------------------------------- */

static int configure(struct as_connection *connection)
{
	struct mosquitto *client = connection->client;
	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_disconnect_callback_set(client, on_disconnect);
	/* "Threads of our own": then it queues and never writes by itself. */
	int code = connection->held ? mosquitto_threaded_set(client, true) : MOSQ_ERR_SUCCESS;
	if (code == MOSQ_ERR_SUCCESS)
		code = connection->hooks.configure(connection->hooks.owner, client);
	if (code == MOSQ_ERR_SUCCESS && *connection->username)
		code = mosquitto_username_pw_set(client, connection->username,
						 *connection->password ? connection->password : NULL);
	if (code == MOSQ_ERR_SUCCESS && *connection->ca_file)
		code = mosquitto_tls_set(client, connection->ca_file, NULL, NULL, NULL, NULL);
	return code;
}

/* There is a socket, or the library's reason why not. */
static void on_connecting(void *ctx, int code)
{
	struct as_connection *connection = ctx;
	connection->connecting = NULL;
	if (code == MOSQ_ERR_SUCCESS) {
		connection->fd = fcntl(mosquitto_socket(connection->client), F_DUPFD_CLOEXEC, 0);
		connection->watch = connection->fd >= 0 ? io_watch_new(connection->loop, connection->fd,
								       on_ready, connection)
							: NULL;
		if (!connection->watch)
			code = MOSQ_ERR_ERRNO;
	}
	if (settle(connection, code))
		io_timer_start(connection->timer, TICK, TICK);
}

static void connect_broker(struct as_connection *connection)
{
	connection->client = mosquitto_new(connection->id, connection->clean, connection);
	ASSERT(connection->client);
	connection->state = CONNECTING;
	connection->ticks = 0;
	int code = configure(connection);
	if (code == MOSQ_ERR_SUCCESS)
		connection->connecting = as_mqtt_connect_start(connection->loop, connection->client,
							       connection->host, connection->port,
							       KEEP_ALIVE_S, on_connecting, connection);
	else
		settle(connection, code);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_connection *connection = ctx;
	(void)now;
	if (connection->state == WAITING) {
		connect_broker(connection);
		return;
	}
	if (connection->hooks.on_tick)
		connection->hooks.on_tick(connection->hooks.owner);
	if (connection->state == CONNECTING && ++connection->ticks > CONNECT_TICKS)
		as_connection_lose(connection, "no answer");
	else
		settle(connection, mosquitto_loop_misc(connection->client));
}

/* --- life --------------------------------------------------------------------------------------------------- */

static void set_broker(struct as_connection *connection, const struct as_broker *broker)
{
	connection->port = broker->port;
	snprintf(connection->host, sizeof connection->host, "%s", broker->host);
	snprintf(connection->username, sizeof connection->username, "%s", broker->username);
	snprintf(connection->password, sizeof connection->password, "%s", broker->password);
	snprintf(connection->ca_file, sizeof connection->ca_file, "%s", broker->ca_file);
}

static bool is_same(const struct as_connection *connection, const struct as_broker *broker)
{
	return connection->port == broker->port && strcmp(connection->host, broker->host) == 0 &&
	       strcmp(connection->username, broker->username) == 0 &&
	       strcmp(connection->password, broker->password) == 0 &&
	       strcmp(connection->ca_file, broker->ca_file) == 0;
}

bool as_connection_change(struct as_connection *connection, const struct as_broker *broker, bool anyway)
{
	if (is_same(connection, broker) && !anyway)
		return false;
	LOG_INFO(connection->label, "connected=false reason=\"the configuration changed\"");
	drop(connection);
	connection->refused = connection->disconnected = false;
	connection->delay = DELAY_FIRST;
	connection->failures = 0; /* the first one there is logged again */
	set_broker(connection, broker);
	io_timer_start(connection->timer, 1, 0);
	return true;
}

enum status as_connection_open(struct io_loop *loop, const struct as_connection_options *options,
			       struct as_connection **out)
{
	const struct as_broker *broker = options->broker;
	if (*broker->ca_file && access(broker->ca_file, R_OK) != 0)
		return ST_INVALID;
	struct as_connection *connection = calloc(1, sizeof *connection);
	if (!connection)
		return ST_NO_MEMORY;
	mosquitto_lib_init();
	*connection = (struct as_connection){.loop = loop,
					     .hooks = options->hooks,
					     .label = options->label,
					     .clean = options->clean,
					     .held = options->held,
					     .fd = -1,
					     .delay = DELAY_FIRST};
	set_broker(connection, broker);
	snprintf(connection->id, sizeof connection->id, "%s", options->id);
	connection->timer = io_timer_new(loop, on_timer, connection);
	io_timer_start(connection->timer, 1, 0);
	*out = connection;
	return ST_OK;
}

void as_connection_close(struct as_connection *connection)
{
	if (!connection)
		return;
	bool at_rest = !connection->connecting; /* else the library is still at work */
	connection->hooks.on_lost = NULL;
	drop(connection);
	io_timer_free(connection->timer);
	if (at_rest)
		mosquitto_lib_cleanup();
	explicit_bzero(connection, sizeof *connection);
	free(connection);
}

struct mosquitto *as_connection_client(const struct as_connection *connection)
{
	return connection->state == UP ? connection->client : NULL;
}

void *as_connection_owner(const struct as_connection *connection)
{
	return connection->hooks.owner;
}

struct now as_connection_now(const struct as_connection *connection)
{
	return connection->now;
}

const char *as_connection_state(const struct as_connection *connection)
{
	static const char *const names[] = {[WAITING] = "waiting", [CONNECTING] = "connecting", [UP] = "up"};
	return names[connection->state];
}

uint64_t as_connection_count(const struct as_connection *connection)
{
	return connection->connections;
}

uint64_t as_connection_failures(const struct as_connection *connection)
{
	return connection->failures;
}
