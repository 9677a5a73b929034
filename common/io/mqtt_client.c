#include "common/io/mqtt_parts.h"

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
#define AUTHORITIES   "/etc/ssl/certs"

/* --- callbacks of the library: notes ------------------------------------------------------------------------- */

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct io_mqtt *mqtt = ctx;
	if (code != 0) {
		LOG_WARN(mqtt->label, "connected=false reason=\"%s\"", mosquitto_connack_string(code));
		mqtt->refused = true;
		return;
	}
	LOG_INFO(mqtt->label, "connected=true");
	mqtt->phase = IO_MQTT_UP;
	mqtt->delay = DELAY_FIRST;
	mqtt->connections++;
	if (mqtt->hooks.on_up)
		mqtt->hooks.on_up(mqtt->hooks.owner, client);
}

static void on_disconnect(struct mosquitto *client, void *ctx, int code)
{
	struct io_mqtt *mqtt = ctx;
	(void)client, (void)code;
	mqtt->disconnected = true;
}

/* --- the state ---------------------------------------------------------------------------------------------- */

static void drop(struct io_mqtt *mqtt)
{
	io_watch_free(mqtt->watch);
	mqtt->watch = NULL;
	if (mqtt->fd >= 0)
		close(mqtt->fd);
	mqtt->fd = -1;
	if (mqtt->connecting)
		io_mqtt_connect_abandon(mqtt->connecting); /* and the client with it */
	else if (mqtt->client)
		mosquitto_destroy(mqtt->client);
	mqtt->connecting = NULL;
	mqtt->client = NULL;
	mqtt->phase = IO_MQTT_WAITING;
	io_mqtt_messages_forget(mqtt);
	if (mqtt->hooks.on_lost)
		mqtt->hooks.on_lost(mqtt->hooks.owner);
}

void io_mqtt_lose(struct io_mqtt *mqtt, const char *reason)
{
	if (mqtt->phase == IO_MQTT_UP || mqtt->failures == 0)
		LOG_WARN(mqtt->label, "connected=false reason=\"%s\"", reason);
	drop(mqtt);
	mqtt->failures++;
	mqtt->refused = mqtt->disconnected = false;
	io_timer_start(mqtt->timer, mqtt->delay, 0);
	mqtt->delay = mqtt->delay * 2 > DELAY_MAX ? DELAY_MAX : mqtt->delay * 2;
}

/* After every call into the library: follows its notes. Returns whether the connection goes on. */
static bool settle(struct io_mqtt *mqtt, int code)
{
	if (code != MOSQ_ERR_SUCCESS || mqtt->refused || mqtt->disconnected) {
		io_mqtt_lose(mqtt, code == MOSQ_ERR_SUCCESS ? "disconnected" : mosquitto_strerror(code));
		return false;
	}
	if (mqtt->watch)
		io_watch_set(mqtt->watch, true, mosquitto_want_write(mqtt->client));
	return true;
}

/* A held connection writes after the commit of this turn, which comes even if nothing was read. */
static void on_ready(void *ctx, struct now now, bool readable, bool writable)
{
	struct io_mqtt *mqtt = ctx;
	int code = MOSQ_ERR_SUCCESS, reads = mqtt->held ? READS : 1;
	mqtt->now = now;
	if (writable && !mqtt->held)
		code = mosquitto_loop_write(mqtt->client, 1);
	for (; readable && reads > 0 && code == MOSQ_ERR_SUCCESS && !mqtt->disconnected; reads--)
		code = mosquitto_loop_read(mqtt->client, 1);
	settle(mqtt, code);
}

void io_mqtt_flush(struct io_mqtt *mqtt)
{
	if (!mqtt->client || !mqtt->watch)
		return;
	int code = MOSQ_ERR_SUCCESS;
	if (mqtt->held && mosquitto_want_write(mqtt->client))
		code = mosquitto_loop_write(mqtt->client, 1);
	settle(mqtt, code);
}

void io_mqtt_cork(struct io_mqtt *mqtt, bool corked)
{
	int on = corked;
	if (mqtt->fd >= 0)
		(void)setsockopt(mqtt->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* --- connecting --------------------------------------------------------------------------------------------- */

static const char *or_null(const char *path)
{
	return *path ? path : NULL;
}

static int set_tls(struct io_mqtt *mqtt)
{
	if (!mqtt->tls && !*mqtt->ca_file)
		return MOSQ_ERR_SUCCESS;
	return mosquitto_tls_set(mqtt->client, or_null(mqtt->ca_file), *mqtt->ca_file ? NULL : AUTHORITIES,
				 or_null(mqtt->certificate_file), or_null(mqtt->key_file), NULL);
}

static int configure(struct io_mqtt *mqtt)
{
	struct mosquitto *client = mqtt->client;
	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_disconnect_callback_set(client, on_disconnect);
	/* "Threads of our own": then it queues and never writes by itself. */
	int code = mqtt->held ? mosquitto_threaded_set(client, true) : MOSQ_ERR_SUCCESS;
	if (mqtt->hooks.on_message)
		io_mqtt_messages_configure(mqtt);
	if (code == MOSQ_ERR_SUCCESS && mqtt->hooks.configure)
		code = mqtt->hooks.configure(mqtt->hooks.owner, client);
	if (code == MOSQ_ERR_SUCCESS && *mqtt->username)
		code = mosquitto_username_pw_set(client, mqtt->username,
						 *mqtt->password ? mqtt->password : NULL);
	if (code == MOSQ_ERR_SUCCESS && *mqtt->will_topic)
		code = mosquitto_will_set(client, mqtt->will_topic, (int)strlen(mqtt->will_text),
					  mqtt->will_text, mqtt->will_qos, mqtt->will_retain);
	return code == MOSQ_ERR_SUCCESS ? set_tls(mqtt) : code;
}

/* There is a socket, or the library's reason why not. */
static void on_connecting(void *ctx, int code)
{
	struct io_mqtt *mqtt = ctx;
	mqtt->connecting = NULL;
	if (code == MOSQ_ERR_SUCCESS) {
		mqtt->fd = fcntl(mosquitto_socket(mqtt->client), F_DUPFD_CLOEXEC, 0);
		mqtt->watch = mqtt->fd >= 0 ? io_watch_new(mqtt->loop, mqtt->fd, on_ready, mqtt) : NULL;
		if (!mqtt->watch)
			code = MOSQ_ERR_ERRNO;
	}
	if (settle(mqtt, code))
		io_timer_start(mqtt->timer, TICK, TICK);
}

static void connect_broker(struct io_mqtt *mqtt)
{
	mqtt->client = mosquitto_new(mqtt->id, mqtt->clean, mqtt);
	ASSERT(mqtt->client);
	mqtt->phase = IO_MQTT_CONNECTING;
	mqtt->ticks = 0;
	int code = configure(mqtt);
	if (code == MOSQ_ERR_SUCCESS)
		mqtt->connecting = io_mqtt_connect_start(mqtt->loop, mqtt->client, mqtt->host, mqtt->port,
							 KEEP_ALIVE_S, on_connecting, mqtt);
	else
		settle(mqtt, code);
}

static void leave_quiet(struct io_mqtt *mqtt)
{
	mqtt->quiets++;
	io_mqtt_lose(mqtt, "connected, and no message comes any more");
}

static void on_timer(void *ctx, struct now now)
{
	struct io_mqtt *mqtt = ctx;
	mqtt->now = now;
	if (mqtt->phase == IO_MQTT_WAITING) {
		connect_broker(mqtt);
		return;
	}
	if (mqtt->hooks.on_tick)
		mqtt->hooks.on_tick(mqtt->hooks.owner);
	if (mqtt->phase == IO_MQTT_CONNECTING && ++mqtt->ticks > CONNECT_TICKS)
		io_mqtt_lose(mqtt, "no answer");
	else if (mqtt->phase == IO_MQTT_UP && io_mqtt_is_quiet(mqtt, now.mono))
		leave_quiet(mqtt);
	else
		settle(mqtt, mosquitto_loop_misc(mqtt->client));
}

/* --- life --------------------------------------------------------------------------------------------------- */

static void keep(char *text, size_t capacity, const char *value)
{
	snprintf(text, capacity, "%s", value ? value : "");
}

static void set_broker(struct io_mqtt *mqtt, const struct io_mqtt_broker *broker)
{
	mqtt->port = broker->port;
	mqtt->tls = broker->tls;
	keep(mqtt->host, sizeof mqtt->host, broker->host);
	keep(mqtt->username, sizeof mqtt->username, broker->username);
	keep(mqtt->password, sizeof mqtt->password, broker->password);
	keep(mqtt->ca_file, sizeof mqtt->ca_file, broker->ca_file);
	keep(mqtt->certificate_file, sizeof mqtt->certificate_file, broker->certificate_file);
	keep(mqtt->key_file, sizeof mqtt->key_file, broker->key_file);
}

static bool same(const char *kept, const char *value)
{
	return strcmp(kept, value ? value : "") == 0;
}

static bool is_same(const struct io_mqtt *mqtt, const struct io_mqtt_broker *broker)
{
	return mqtt->port == broker->port && mqtt->tls == broker->tls && same(mqtt->host, broker->host) &&
	       same(mqtt->username, broker->username) && same(mqtt->password, broker->password) &&
	       same(mqtt->ca_file, broker->ca_file) &&
	       same(mqtt->certificate_file, broker->certificate_file) &&
	       same(mqtt->key_file, broker->key_file);
}

bool io_mqtt_change(struct io_mqtt *mqtt, const struct io_mqtt_broker *broker, bool anyway)
{
	if (is_same(mqtt, broker) && !anyway)
		return false;
	LOG_INFO(mqtt->label, "connected=false reason=\"the configuration changed\"");
	drop(mqtt);
	mqtt->refused = mqtt->disconnected = false;
	mqtt->delay = DELAY_FIRST;
	mqtt->failures = 0; /* the first one there is logged again */
	set_broker(mqtt, broker);
	io_timer_start(mqtt->timer, 1, 0);
	return true;
}

static bool is_readable(const char *path)
{
	return !path || !*path || access(path, R_OK) == 0;
}

enum status io_mqtt_open(struct io_loop *loop, const struct io_mqtt_options *options, struct io_mqtt **out)
{
	const struct io_mqtt_broker *broker = options->broker;
	if (!is_readable(broker->ca_file) || !is_readable(broker->certificate_file) ||
	    !is_readable(broker->key_file))
		return ST_INVALID;
	struct io_mqtt *mqtt = calloc(1, sizeof *mqtt);
	if (!mqtt)
		return ST_NO_MEMORY;
	mosquitto_lib_init();
	*mqtt = (struct io_mqtt){.loop = loop,
				 .hooks = options->hooks,
				 .label = options->label,
				 .clean = options->clean,
				 .held = options->held,
				 .quiet = options->quiet,
				 .will_qos = options->will.qos,
				 .will_retain = options->will.retain,
				 .fd = -1,
				 .delay = DELAY_FIRST};
	set_broker(mqtt, broker);
	keep(mqtt->id, sizeof mqtt->id, options->id);
	keep(mqtt->will_topic, sizeof mqtt->will_topic, options->will.topic);
	keep(mqtt->will_text, sizeof mqtt->will_text, options->will.text);
	mqtt->timer = io_timer_new(loop, on_timer, mqtt);
	io_timer_start(mqtt->timer, 1, 0);
	*out = mqtt;
	return ST_OK;
}

/* With a DISCONNECT, where the socket takes it: else the broker says our will. A held connection says nothing: what waits before
 * it may be acknowledgements of what was never committed. */
static void say_goodbye(struct io_mqtt *mqtt)
{
	if (mqtt->held || mqtt->phase != IO_MQTT_UP || mosquitto_disconnect(mqtt->client) != MOSQ_ERR_SUCCESS)
		return;
	if (mosquitto_want_write(mqtt->client))
		(void)mosquitto_loop_write(mqtt->client, 1);
}

void io_mqtt_close(struct io_mqtt *mqtt)
{
	if (!mqtt)
		return;
	bool at_rest = !mqtt->connecting; /* else the library is still at work */
	mqtt->hooks.on_lost = NULL;
	say_goodbye(mqtt);
	drop(mqtt);
	io_timer_free(mqtt->timer);
	if (at_rest)
		mosquitto_lib_cleanup();
	explicit_bzero(mqtt, sizeof *mqtt);
	free(mqtt);
}

struct mosquitto *io_mqtt_client(const struct io_mqtt *mqtt)
{
	return mqtt->phase == IO_MQTT_UP ? mqtt->client : NULL;
}

bool io_mqtt_peer(const struct io_mqtt *mqtt, struct io_address *address)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;
	if (mqtt->fd < 0 || getpeername(mqtt->fd, (struct sockaddr *)&peer, &length) != 0)
		return false;
	*address = io_address_from_sockaddr((struct sockaddr *)&peer);
	return true;
}

void *io_mqtt_owner(const struct io_mqtt *mqtt)
{
	return mqtt->hooks.owner;
}

struct now io_mqtt_now(const struct io_mqtt *mqtt)
{
	return mqtt->now;
}

const char *io_mqtt_state(const struct io_mqtt *mqtt)
{
	static const char *const names[] = {
		[IO_MQTT_WAITING] = "waiting", [IO_MQTT_CONNECTING] = "connecting", [IO_MQTT_UP] = "up"};
	return names[mqtt->phase];
}

uint64_t io_mqtt_count(const struct io_mqtt *mqtt)
{
	return mqtt->connections;
}

uint64_t io_mqtt_failures(const struct io_mqtt *mqtt)
{
	return mqtt->failures;
}

uint64_t io_mqtt_quiets(const struct io_mqtt *mqtt)
{
	return mqtt->quiets;
}
