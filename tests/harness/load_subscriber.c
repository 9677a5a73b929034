/* libmosquitto in a thread; what it notes lies under a mutex, taken once a message: nobody else takes it more than a few times a second. */
#include "tests/harness/load_subscriber.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "tests/harness/process.h"

#include <mosquitto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_DEV_EUI UINT64_C(0x4c50000000000000)
#define PAYLOAD       8 /* device number and counter, two big-endian u32 */

struct t_load_subscriber {
	struct mosquitto *client;
	int qos;
	pthread_t thread;
	pthread_mutex_t lock;
	bool subscribed;
	struct t_load_span span;
	int64_t *arrivals; /* owned; span.count of them */
	struct t_load_counts counts;
};

static int64_t now_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* The text behind `"name":`, or NULL. */
static const char *member(const char *json, const char *quoted)
{
	const char *at = strstr(json, quoted);
	return at ? at + strlen(quoted) : NULL;
}

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Which uplink of the span a message is; `count` when it is none of them. Three members have to agree. */
static size_t judge(const struct t_load_span *span, const char *json)
{
	const char *dev_eui = member(json, "\"devEui\":\""), *data = member(json, "\"data\":\""),
		   *fcnt_text = member(json, "\"fCnt\":");
	uint8_t payload[PAYLOAD + 4];
	size_t length = 0;
	if (!dev_eui || !data || !fcnt_text)
		return span->count;
	const char *end = strchr(data, '"');
	if (!end || !base64_decode(payload, sizeof payload, &length, data, (size_t)(end - data)) ||
	    length != PAYLOAD)
		return span->count;
	uint32_t number = number_at(payload), fcnt = number_at(payload + 4);
	if (strtoull(dev_eui, NULL, 16) != FIRST_DEV_EUI + number || strtoul(fcnt_text, NULL, 10) != fcnt ||
	    number < span->first_device || number - span->first_device >= span->devices ||
	    fcnt < span->first_fcnt)
		return span->count;
	size_t k = (size_t)(fcnt - span->first_fcnt) * span->devices + (number - span->first_device);
	return k < span->count ? k : span->count;
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct t_load_subscriber *subscriber = ctx;
	int64_t now = now_us();
	(void)client;
	pthread_mutex_lock(&subscriber->lock);
	/* libmosquitto ends every payload with a NUL that it does not count. */
	size_t k = message->payload ? judge(&subscriber->span, message->payload) : subscriber->span.count;
	if (k == subscriber->span.count)
		subscriber->counts.wrong++;
	else if (subscriber->arrivals[k] != 0)
		subscriber->counts.repeats++;
	else {
		subscriber->arrivals[k] = now;
		subscriber->counts.received++;
	}
	pthread_mutex_unlock(&subscriber->lock);
}

static void on_connect(struct mosquitto *client, void *ctx, int code)
{
	struct t_load_subscriber *subscriber = ctx;
	if (code == 0)
		mosquitto_subscribe(client, NULL, "application/+/device/+/event/up", subscriber->qos);
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct t_load_subscriber *subscriber = ctx;
	(void)client, (void)mid, (void)count, (void)granted;
	pthread_mutex_lock(&subscriber->lock);
	subscriber->subscribed = true;
	pthread_mutex_unlock(&subscriber->lock);
}

static bool is_subscribed(void *ctx)
{
	struct t_load_subscriber *subscriber = ctx;
	pthread_mutex_lock(&subscriber->lock);
	bool subscribed = subscriber->subscribed;
	pthread_mutex_unlock(&subscriber->lock);
	return subscribed;
}

static void *loop(void *ctx)
{
	struct t_load_subscriber *subscriber = ctx;
	mosquitto_loop_forever(subscriber->client, 1000, 1);
	return NULL;
}

struct t_load_subscriber *t_load_subscribe(uint16_t port, int qos)
{
	struct t_load_subscriber *subscriber = calloc(1, sizeof *subscriber);
	ASSERT(subscriber);
	mosquitto_lib_init();
	pthread_mutex_init(&subscriber->lock, NULL);
	subscriber->qos = qos;
	subscriber->client = mosquitto_new("load-subscriber", true, subscriber);
	ASSERT(subscriber->client);
	mosquitto_threaded_set(subscriber->client, true);
	mosquitto_connect_callback_set(subscriber->client, on_connect);
	mosquitto_subscribe_callback_set(subscriber->client, on_subscribe);
	mosquitto_message_callback_set(subscriber->client, on_message);
	ASSERT(mosquitto_connect(subscriber->client, "127.0.0.1", port, 30) == MOSQ_ERR_SUCCESS);
	ASSERT(pthread_create(&subscriber->thread, NULL, loop, subscriber) == 0);
	ASSERT(t_wait_until(is_subscribed, subscriber, T_CEILING));
	return subscriber;
}

void t_load_expect(struct t_load_subscriber *subscriber, const struct t_load_span *span)
{
	int64_t *arrivals = calloc(span->count, sizeof *arrivals);
	ASSERT(arrivals);
	pthread_mutex_lock(&subscriber->lock);
	free(subscriber->arrivals);
	subscriber->arrivals = arrivals;
	subscriber->span = *span;
	subscriber->counts = (struct t_load_counts){0};
	pthread_mutex_unlock(&subscriber->lock);
}

struct t_load_counts t_load_counts(struct t_load_subscriber *subscriber)
{
	pthread_mutex_lock(&subscriber->lock);
	struct t_load_counts counts = subscriber->counts;
	pthread_mutex_unlock(&subscriber->lock);
	return counts;
}

int64_t t_load_arrival_us(struct t_load_subscriber *subscriber, size_t k)
{
	ASSERT(k < subscriber->span.count);
	pthread_mutex_lock(&subscriber->lock);
	int64_t arrival = subscriber->arrivals[k];
	pthread_mutex_unlock(&subscriber->lock);
	return arrival;
}

double t_load_cpu_s(const struct t_load_subscriber *subscriber)
{
	clockid_t clock;
	struct timespec time = {0};
	if (pthread_getcpuclockid(subscriber->thread, &clock) == 0)
		clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void t_load_free(struct t_load_subscriber *subscriber)
{
	mosquitto_disconnect(subscriber->client);
	pthread_join(subscriber->thread, NULL);
	mosquitto_destroy(subscriber->client);
	pthread_mutex_destroy(&subscriber->lock);
	free(subscriber->arrivals);
	free(subscriber);
}
