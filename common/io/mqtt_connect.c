#include "common/io/mqtt_connect.h"

#include "common/base/check.h"
#include "common/io/offload.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

struct io_mqtt_connect {
	struct mosquitto *client;
	char host[256];
	uint16_t port;
	int keep_alive_s, code;
	struct io_offload *offload;
	void (*done)(void *ctx, int code);
	void *ctx;
};

/* On the thread. */
static void work(void *job)
{
	struct io_mqtt_connect *connect = job;
	connect->code = mosquitto_connect_async(connect->client, connect->host, connect->port,
						connect->keep_alive_s);
}

static void discard(void *job)
{
	struct io_mqtt_connect *connect = job;
	mosquitto_destroy(connect->client);
	free(connect);
}

static void on_done(void *ctx, struct now now)
{
	struct io_mqtt_connect connect = *(struct io_mqtt_connect *)ctx;
	(void)now;
	free(ctx);
	connect.done(connect.ctx, connect.code);
}

struct io_mqtt_connect *io_mqtt_connect_start(struct io_loop *loop, struct mosquitto *client,
					      const char *host, uint16_t port, int keep_alive_s,
					      void (*done)(void *ctx, int code), void *ctx)
{
	struct io_mqtt_connect *connect = calloc(1, sizeof *connect);
	ASSERT(connect);
	*connect = (struct io_mqtt_connect){
		.client = client, .port = port, .keep_alive_s = keep_alive_s, .done = done, .ctx = ctx};
	snprintf(connect->host, sizeof connect->host, "%s", host);
	connect->offload = io_offload_start(
		loop,
		&(struct io_offload_options){
			.work = work, .done = on_done, .discard = discard, .job = connect, .ctx = connect});
	ASSERT(connect->offload);
	return connect;
}

/* The library may call back on the thread, into an owner that goes now. Each setter waits for a call that is running. */
static void silence(struct mosquitto *client)
{
	mosquitto_log_callback_set(client, NULL);
	mosquitto_connect_callback_set(client, NULL);
	mosquitto_disconnect_callback_set(client, NULL);
	mosquitto_publish_callback_set(client, NULL);
	mosquitto_message_callback_set(client, NULL);
	mosquitto_subscribe_callback_set(client, NULL);
}

void io_mqtt_connect_abandon(struct io_mqtt_connect *connect)
{
	if (!connect)
		return;
	silence(connect->client);
	io_offload_abandon(connect->offload);
}
