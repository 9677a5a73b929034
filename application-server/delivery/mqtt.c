/* libmosquitto without its thread: its socket is watched by our loop, through a duplicate of the descriptor, because the
 * library closes its own whenever it likes. Its callbacks run inside its read and write calls; they only take notes, and
 * what follows from them is done when the call has returned. */
#include "application-server/delivery/mqtt.h"

#include "application-server/delivery/mqtt_connect.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CURSOR        "mqtt"
#define DELAY_FIRST   (100 * US_PER_MS)
#define DELAY_MAX     (5 * US_PER_S)
#define TICK          (250 * US_PER_MS) /* keep-alive, and the cursor of a quiet hour */
#define KEEP_ALIVE_S  30
#define CONNECT_TICKS 40  /* a broker that does not answer is given up after 10 s */
#define A_TURN        512 /* messages published in one turn */
#define TOPIC_MAX     160

enum state { WAITING, CONNECTING, UP };

struct flight {
	int mid;
	bool acknowledged;
	uint64_t seq;
};

struct as_mqtt {
	struct io_loop *loop;
	struct as_store *store;
	char host[256], username[128], password[256], ca_file[256];
	uint16_t port;
	int qos;
	enum state state;
	struct mosquitto *client;           /* owned; NULL while waiting, and lent to `connecting` */
	struct as_mqtt_connect *connecting; /* the name is asked for; NULL: it is not */
	struct io_watch *watch;
	int fd; /* our duplicate of its socket; -1: none */
	struct io_timer *timer;
	span_us delay;
	unsigned ticks;         /* in this state */
	bool refused;           /* the broker said no to our CONNECT */
	bool disconnected;      /* noted by a callback */
	int written;            /* QoS 0: the message that the socket took last, noted by a callback */
	struct flight *flights; /* owned ring of `window` entries */
	unsigned window, first, count;
	uint64_t sent;   /* the last event in flight or acknowledged */
	uint64_t cursor; /* everything up to here is acknowledged */
	uint64_t stored_cursor;
	bool cursor_due;
	uint64_t published, acknowledged, connections, failures, gaps;
};

/* --- callbacks of the library: notes ------------------------------------------------------------------------- */

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct as_mqtt *mqtt = ctx;
	(void)client;
	if (code != 0) {
		LOG_WARN("mqtt", "connected=false reason=\"%s\"", mosquitto_connack_string(code));
		mqtt->refused = true;
		return;
	}
	LOG_INFO("mqtt", "connected=true cursor=%" PRIu64, mqtt->cursor);
	mqtt->state = UP;
	mqtt->delay = DELAY_FIRST;
	mqtt->connections++;
}

static void on_disconnect(struct mosquitto *client, void *ctx, int code)
{
	struct as_mqtt *mqtt = ctx;
	(void)client, (void)code;
	mqtt->disconnected = true;
}

/* The cursor moves over everything acknowledged at the head of the ring. */
static void advance(struct as_mqtt *mqtt)
{
	while (mqtt->count && mqtt->flights[mqtt->first].acknowledged) {
		mqtt->cursor = mqtt->flights[mqtt->first].seq;
		mqtt->first = (mqtt->first + 1) % mqtt->window;
		mqtt->count--;
	}
}

/* At QoS 1 the broker has it; at QoS 0 the socket has, which the library may say before publish() knows the number. */
static void on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct as_mqtt *mqtt = ctx;
	(void)client;
	mqtt->written = mid;
	for (unsigned i = 0; i < mqtt->count; i++) {
		struct flight *flight = &mqtt->flights[(mqtt->first + i) % mqtt->window];
		if (flight->mid != mid || flight->acknowledged)
			continue;
		flight->acknowledged = true;
		mqtt->acknowledged++;
		break;
	}
	advance(mqtt);
}

/* --- connection --------------------------------------------------------------------------------------------- */

static void drop(struct as_mqtt *mqtt)
{
	io_watch_free(mqtt->watch);
	mqtt->watch = NULL;
	if (mqtt->fd >= 0)
		close(mqtt->fd);
	mqtt->fd = -1;
	if (mqtt->connecting)
		as_mqtt_connect_abandon(mqtt->connecting); /* and the client with it */
	else if (mqtt->client)
		mosquitto_destroy(mqtt->client);
	mqtt->connecting = NULL;
	mqtt->client = NULL;
	mqtt->first = mqtt->count = 0;
	mqtt->sent = mqtt->cursor; /* what was not acknowledged is sent again */
}

static void lose(struct as_mqtt *mqtt, const char *reason)
{
	if (mqtt->state == UP || mqtt->failures == 0)
		LOG_WARN("mqtt", "connected=false reason=\"%s\"", reason);
	drop(mqtt);
	mqtt->failures++;
	mqtt->state = WAITING;
	mqtt->refused = mqtt->disconnected = false;
	io_timer_start(mqtt->timer, mqtt->delay, 0);
	mqtt->delay = mqtt->delay * 2 > DELAY_MAX ? DELAY_MAX : mqtt->delay * 2;
}

/* After every call into the library: follows its notes. Returns whether the connection goes on. */
static bool settle(struct as_mqtt *mqtt, int code)
{
	if (code != MOSQ_ERR_SUCCESS || mqtt->refused || mqtt->disconnected) {
		lose(mqtt, code == MOSQ_ERR_SUCCESS ? "disconnected" : mosquitto_strerror(code));
		return false;
	}
	if (mqtt->watch)
		io_watch_set(mqtt->watch, true, mosquitto_want_write(mqtt->client));
	return true;
}

static void on_ready(void *ctx, struct now now, bool readable, bool writable)
{
	struct as_mqtt *mqtt = ctx;
	int code = MOSQ_ERR_SUCCESS;
	(void)now;
	if (writable)
		code = mosquitto_loop_write(mqtt->client, 1);
	if (code == MOSQ_ERR_SUCCESS && readable && !mqtt->disconnected)
		code = mosquitto_loop_read(mqtt->client, 1);
	settle(mqtt, code);
}

static int configure(struct as_mqtt *mqtt)
{
	mosquitto_connect_callback_set(mqtt->client, on_connect);
	mosquitto_disconnect_callback_set(mqtt->client, on_disconnect);
	mosquitto_publish_callback_set(mqtt->client, on_publish);
	int code = mosquitto_int_option(mqtt->client, MOSQ_OPT_SEND_MAXIMUM, (int)mqtt->window);
	if (code == MOSQ_ERR_SUCCESS && *mqtt->username)
		code = mosquitto_username_pw_set(mqtt->client, mqtt->username,
						 *mqtt->password ? mqtt->password : NULL);
	if (code == MOSQ_ERR_SUCCESS && *mqtt->ca_file)
		code = mosquitto_tls_set(mqtt->client, mqtt->ca_file, NULL, NULL, NULL, NULL);
	return code;
}

/* There is a socket, or the library's reason why not. */
static void on_connecting(void *ctx, int code)
{
	struct as_mqtt *mqtt = ctx;
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

static void connect_broker(struct as_mqtt *mqtt)
{
	char id[64], city[AS_UUID_TEXT];
	snprintf(id, sizeof id, "lamppost-%.13s", as_uuid_format(city, as_store_city(mqtt->store)));
	mqtt->client = mosquitto_new(id, true, mqtt);
	ASSERT(mqtt->client);
	mqtt->state = CONNECTING;
	mqtt->ticks = 0;
	int code = configure(mqtt);
	if (code == MOSQ_ERR_SUCCESS)
		mqtt->connecting = as_mqtt_connect_start(mqtt->loop, mqtt->client, mqtt->host, mqtt->port,
							 KEEP_ALIVE_S, on_connecting, mqtt);
	else
		settle(mqtt, code);
}

static void on_timer(void *ctx, struct now now)
{
	struct as_mqtt *mqtt = ctx;
	(void)now;
	if (mqtt->state == WAITING) {
		connect_broker(mqtt);
		return;
	}
	mqtt->cursor_due = true;
	if (mqtt->state == CONNECTING && ++mqtt->ticks > CONNECT_TICKS)
		lose(mqtt, "no answer");
	else
		settle(mqtt, mosquitto_loop_misc(mqtt->client));
}

/* --- publishing --------------------------------------------------------------------------------------------- */

static void keep(struct as_mqtt *mqtt, uint64_t seq, int mid, bool acknowledged)
{
	ASSERT_CMP(mqtt->count, <, mqtt->window);
	mqtt->flights[(mqtt->first + mqtt->count) % mqtt->window] = (struct flight){
		.mid = mid, .acknowledged = acknowledged, .seq = seq};
	mqtt->count++;
	mqtt->sent = seq;
}

/* Returns whether the library took it. A PUBACK cannot come before this has returned: it is read by on_ready(). */
static bool publish(struct as_mqtt *mqtt, uint64_t seq, const char *topic, const char *body)
{
	int mid = 0;
	mqtt->written = 0;
	int code = mosquitto_publish(mqtt->client, &mid, topic, (int)strlen(body), body, mqtt->qos, false);
	if (code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_OVERSIZE_PACKET ||
	    code == MOSQ_ERR_MALFORMED_UTF8 || code == MOSQ_ERR_INVAL) {
		/* It will never go: it must not hold up the others. */
		LOG_ERROR("mqtt", "refused_by_library=\"%s\" seq=%" PRIu64, mosquitto_strerror(code), seq);
		keep(mqtt, seq, 0, true);
		return true;
	}
	if (code != MOSQ_ERR_SUCCESS) {
		lose(mqtt, mosquitto_strerror(code));
		return false;
	}
	bool written = mqtt->qos == 0 && mqtt->written == mid;
	keep(mqtt, seq, mid, written);
	mqtt->published++;
	mqtt->acknowledged += written;
	return true;
}

static bool publish_gap(struct as_mqtt *mqtt, uint64_t from, uint64_t to)
{
	char body[128];
	snprintf(body, sizeof body, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"count\":%" PRIu64 "}", from,
		 to, to - from + 1);
	mqtt->gaps++;
	return publish(mqtt, to, AS_MQTT_GAP_TOPIC, body);
}

static bool publish_event(struct as_mqtt *mqtt, const struct as_event *event)
{
	char topic[TOPIC_MAX], application[AS_UUID_TEXT], dev_eui[LW_EUI64_TEXT];
	if (!event->has_owner) {
		keep(mqtt, event->seq, 0, true); /* nobody's */
		return true;
	}
	lw_eui64_format(dev_eui, &event->dev_eui);
	snprintf(topic, sizeof topic, "application/%s/device/%s/event/%s",
		 as_uuid_format(application, &event->application), dev_eui, as_event_kind_name(event->kind));
	return publish(mqtt, event->seq, topic, event->body);
}

/* Whether the broker may be given another now. At QoS 0 nothing but its socket says that it is behind. */
static bool has_room(const struct as_mqtt *mqtt)
{
	return mqtt->state == UP && mqtt->count < mqtt->window &&
	       !(mqtt->qos == 0 && mosquitto_want_write(mqtt->client));
}

/* The library writes each message by itself. Corked, a turn's messages leave as few full segments: fewer wake-ups of the
 * broker, and no waiting for its TCP acknowledgements (Nagle). */
static void cork(const struct as_mqtt *mqtt, int on)
{
	if (mqtt->fd >= 0)
		(void)setsockopt(mqtt->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

/* Publishes up to a turn's worth; returns whether more waits. */
static bool publish_some(struct as_mqtt *mqtt)
{
	struct as_event event;
	for (int i = 0; has_room(mqtt) && i < A_TURN; i++) {
		if (as_store_event_next(mqtt->store, mqtt->sent, &event) != ST_OK)
			return false;
		bool gone = event.seq > mqtt->sent + 1 ? !publish_gap(mqtt, mqtt->sent + 1, event.seq - 1)
						       : !publish_event(mqtt, &event);
		if (gone)
			return false;
		if (mqtt->qos == 0)
			advance(mqtt);
	}
	return has_room(mqtt);
}

bool as_mqtt_drain(struct as_mqtt *mqtt)
{
	if (!has_room(mqtt) || mqtt->sent >= as_store_events_last(mqtt->store))
		return false;
	cork(mqtt, 1);
	bool more = publish_some(mqtt);
	cork(mqtt, 0);
	advance(mqtt); /* over what is nobody's */
	if (mqtt->watch)
		io_watch_set(mqtt->watch, true, mosquitto_want_write(mqtt->client));
	return more;
}

enum status as_mqtt_before_commit(struct as_mqtt *mqtt)
{
	if (mqtt->cursor == mqtt->stored_cursor ||
	    !(mqtt->cursor_due || as_store_is_writing_events(mqtt->store)))
		return ST_OK;
	mqtt->cursor_due = false;
	mqtt->stored_cursor = mqtt->cursor;
	return as_store_cursor_set(mqtt->store, CURSOR, mqtt->cursor);
}

/* --- life --------------------------------------------------------------------------------------------------- */

enum status as_mqtt_open(struct io_loop *loop, struct as_store *store, const struct as_mqtt_options *options,
			 struct as_mqtt **out)
{
	if (*options->ca_file && access(options->ca_file, R_OK) != 0)
		return ST_INVALID;
	struct as_mqtt *mqtt = calloc(1, sizeof *mqtt);
	if (!mqtt)
		return ST_NO_MEMORY;
	mosquitto_lib_init();
	*mqtt = (struct as_mqtt){.loop = loop,
				 .store = store,
				 .port = options->port,
				 .qos = options->qos,
				 .window = options->in_flight,
				 .fd = -1,
				 .delay = DELAY_FIRST};
	snprintf(mqtt->host, sizeof mqtt->host, "%s", options->host);
	snprintf(mqtt->username, sizeof mqtt->username, "%s", options->username);
	snprintf(mqtt->password, sizeof mqtt->password, "%s", options->password);
	snprintf(mqtt->ca_file, sizeof mqtt->ca_file, "%s", options->ca_file);
	mqtt->flights = calloc(mqtt->window, sizeof *mqtt->flights);
	ASSERT(mqtt->flights);
	mqtt->cursor = mqtt->stored_cursor = mqtt->sent = as_store_cursor_get(store, CURSOR);
	mqtt->timer = io_timer_new(loop, on_timer, mqtt);
	io_timer_start(mqtt->timer, 1, 0);
	*out = mqtt;
	return ST_OK;
}

void as_mqtt_close(struct as_mqtt *mqtt)
{
	if (!mqtt)
		return;
	bool at_rest = !mqtt->connecting; /* else the library is still at work */
	drop(mqtt);
	io_timer_free(mqtt->timer);
	if (at_rest)
		mosquitto_lib_cleanup();
	free(mqtt->flights);
	explicit_bzero(mqtt, sizeof *mqtt);
	free(mqtt);
}

struct as_mqtt_status as_mqtt_status(const struct as_mqtt *mqtt)
{
	static const char *const names[] = {[WAITING] = "waiting", [CONNECTING] = "connecting", [UP] = "up"};
	if (!mqtt)
		return (struct as_mqtt_status){.state = "off"};
	return (struct as_mqtt_status){.state = names[mqtt->state],
				       .cursor = mqtt->cursor,
				       .backlog = as_store_events_last(mqtt->store) - mqtt->cursor,
				       .in_flight = mqtt->count,
				       .published = mqtt->published,
				       .acknowledged = mqtt->acknowledged,
				       .connections = mqtt->connections,
				       .failures = mqtt->failures,
				       .gaps = mqtt->gaps};
}
