#include "application-server/delivery/mqtt.h"

#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CURSOR    "mqtt"
#define A_TURN    512 /* messages published in one turn */
#define TOPIC_MAX 160

struct flight {
	int mid;
	bool acknowledged;
	uint64_t seq;
};

struct as_mqtt {
	struct as_store *store;
	struct io_mqtt *connection; /* owned */
	int qos;
	int written;            /* QoS 0: the message that the socket took last, noted by a callback */
	struct flight *flights; /* owned ring of `window` entries */
	unsigned window, first, count;
	uint64_t sent;   /* the last event in flight or acknowledged */
	uint64_t cursor; /* everything up to here is acknowledged */
	uint64_t stored_cursor;
	bool cursor_due;
	uint64_t published, acknowledged, gaps;
};

/* --- acknowledgements --------------------------------------------------------------------------------------- */

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
	struct as_mqtt *mqtt = io_mqtt_owner(ctx);
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

static int configure(void *owner, struct mosquitto *client)
{
	const struct as_mqtt *mqtt = owner;
	mosquitto_publish_callback_set(client, on_publish);
	return mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, (int)mqtt->window);
}

static void on_lost(void *owner)
{
	struct as_mqtt *mqtt = owner;
	mqtt->first = mqtt->count = 0;
	mqtt->sent = mqtt->cursor; /* what was not acknowledged is sent again */
}

/* The cursor of a quiet hour. */
static void on_tick(void *owner)
{
	struct as_mqtt *mqtt = owner;
	mqtt->cursor_due = true;
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
	int code = mosquitto_publish(io_mqtt_client(mqtt->connection), &mid, topic, (int)strlen(body), body,
				     mqtt->qos, false);
	if (code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_OVERSIZE_PACKET ||
	    code == MOSQ_ERR_MALFORMED_UTF8 || code == MOSQ_ERR_INVAL) {
		/* It will never go: it must not hold up the others. */
		LOG_ERROR("mqtt", "refused_by_library=\"%s\" seq=%" PRIu64, mosquitto_strerror(code), seq);
		keep(mqtt, seq, 0, true);
		return true;
	}
	if (code != MOSQ_ERR_SUCCESS) {
		io_mqtt_lose(mqtt->connection, mosquitto_strerror(code));
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
	struct mosquitto *client = io_mqtt_client(mqtt->connection);
	return client && mqtt->count < mqtt->window && !(mqtt->qos == 0 && mosquitto_want_write(client));
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
	io_mqtt_cork(mqtt->connection, true);
	bool more = publish_some(mqtt);
	io_mqtt_cork(mqtt->connection, false);
	advance(mqtt); /* over what is nobody's */
	io_mqtt_flush(mqtt->connection);
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

enum status as_mqtt_save(struct as_mqtt *mqtt)
{
	mqtt->cursor_due = true;
	return as_mqtt_before_commit(mqtt);
}

/* --- life --------------------------------------------------------------------------------------------------- */

/* Where delivery goes on, or begins: noted at once, so that a broker that is not reached yet misses nothing. */
static enum status find_cursor(struct as_mqtt *mqtt, bool replay)
{
	enum status status = ST_OK;
	if (!as_store_cursor_known(mqtt->store, CURSOR))
		status = as_store_cursor_set(mqtt->store, CURSOR,
					     replay ? as_store_events_first(mqtt->store) - 1
						    : as_store_events_last(mqtt->store));
	mqtt->cursor = mqtt->stored_cursor = mqtt->sent = as_store_cursor_get(mqtt->store, CURSOR);
	return status;
}

enum status as_mqtt_open(struct io_loop *loop, struct as_store *store, const struct as_mqtt_options *options,
			 struct as_mqtt **out)
{
	char id[64], city[AS_UUID_TEXT];
	struct as_mqtt *mqtt = calloc(1, sizeof *mqtt);
	if (!mqtt)
		return ST_NO_MEMORY;
	*mqtt = (struct as_mqtt){.store = store, .qos = options->qos, .window = options->in_flight};
	mqtt->flights = calloc(mqtt->window, sizeof *mqtt->flights);
	ASSERT(mqtt->flights);
	enum status status = find_cursor(mqtt, options->replay);
	snprintf(id, sizeof id, "lamppost-%.13s", as_uuid_format(city, as_store_city(store)));
	if (status == ST_OK)
		status = io_mqtt_open(loop,
				      &(struct io_mqtt_options){.broker = &options->broker,
								.id = id,
								.label = "mqtt",
								.clean = true,
								.hooks = {.configure = configure,
									  .on_lost = on_lost,
									  .on_tick = on_tick,
									  .owner = mqtt}},
				      &mqtt->connection);
	if (status == ST_OK)
		*out = mqtt;
	else
		as_mqtt_close(mqtt);
	return status;
}

bool as_mqtt_change(struct as_mqtt *mqtt, const struct as_mqtt_options *options)
{
	bool resized = mqtt->window != options->in_flight;
	if (!io_mqtt_change(mqtt->connection, &options->broker, resized || mqtt->qos != options->qos))
		return false;
	ASSERT_CMP(mqtt->count, ==, 0); /* on_lost() */
	mqtt->qos = options->qos;
	mqtt->cursor_due = true;
	if (!resized)
		return true;
	free(mqtt->flights);
	mqtt->window = options->in_flight;
	mqtt->flights = calloc(mqtt->window, sizeof *mqtt->flights);
	ASSERT(mqtt->flights);
	return true;
}

void as_mqtt_close(struct as_mqtt *mqtt)
{
	if (!mqtt)
		return;
	io_mqtt_close(mqtt->connection);
	free(mqtt->flights);
	free(mqtt);
}

struct as_mqtt_status as_mqtt_status(const struct as_mqtt *mqtt)
{
	if (!mqtt)
		return (struct as_mqtt_status){.state = "off"};
	return (struct as_mqtt_status){.state = io_mqtt_state(mqtt->connection),
				       .cursor = mqtt->cursor,
				       .backlog = as_store_events_last(mqtt->store) - mqtt->cursor,
				       .in_flight = mqtt->count,
				       .published = mqtt->published,
				       .acknowledged = mqtt->acknowledged,
				       .connections = io_mqtt_count(mqtt->connection),
				       .failures = io_mqtt_failures(mqtt->connection),
				       .gaps = mqtt->gaps};
}
