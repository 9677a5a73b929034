#include "application-server/delivery/commands.h"

#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED 0x80 /* a SUBACK's reason */

struct as_commands {
	struct as_intake intake;
	struct io_mqtt *connection; /* owned */
	bool subscription_refused;
	bool dup;               /* of the message that comes next */
	struct mono complained; /* logs of what is wrong are few: one a second at most */
};

static void complain(struct as_commands *commands, struct now now, enum as_intake_verdict verdict)
{
	if (now.mono.us - commands->complained.us < US_PER_S && commands->complained.us)
		return;
	commands->complained = now.mono;
	LOG_WARN("command", "verdict=%s so_far=%llu", as_intake_verdict_name(verdict),
		 (unsigned long long)commands->intake.counts[verdict]);
}

/* The library hands over every flag of a message but DUP, and says that one in what it logs just before:
 * "Client ID received PUBLISH (d1, q1, r0, m7, ...". The process tests would tell if a later one said it otherwise. */
static void on_log(struct mosquitto *client, void *ctx, int level, const char *text)
{
	static const char before[] = " received PUBLISH (d";
	struct as_commands *commands = io_mqtt_owner(ctx);
	const char *at = strstr(text, before);
	(void)client, (void)level;
	if (at)
		commands->dup = at[sizeof before - 1] == '1';
}

static void on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *got)
{
	struct as_commands *commands = io_mqtt_owner(ctx);
	struct now now = io_mqtt_now(ctx);
	const struct as_intake_message message = {.topic = got->topic,
						  .bytes = got->payload ? got->payload : "",
						  .length = (size_t)got->payloadlen,
						  .mid = got->mid,
						  .dup = commands->dup,
						  .retained = got->retain};
	enum as_intake_verdict verdict;
	(void)client;
	if (as_intake_take(&commands->intake, now, &message, &verdict) != ST_OK) {
		LOG_ERROR("command", "stored=false");
		as_store_abandon(
			commands->intake.app->store); /* the turn will not commit, nothing is acknowledged */
	} else if (verdict >= AS_INTAKE_RETAINED) {
		complain(commands, now, verdict);
	}
}

static void on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct as_commands *commands = io_mqtt_owner(ctx);
	(void)client, (void)mid;
	commands->subscription_refused = count < 1 || granted[0] >= REFUSED;
	if (commands->subscription_refused)
		LOG_WARN("mqtt_commands", "subscribed=false reason=\"the broker refuses %s\"",
			 AS_COMMANDS_FILTER);
}

static int configure(void *owner, struct mosquitto *client)
{
	(void)owner;
	mosquitto_log_callback_set(client, on_log);
	mosquitto_message_callback_set(client, on_message);
	mosquitto_subscribe_callback_set(client, on_subscribe);
	return MOSQ_ERR_SUCCESS;
}

/* Also where the session is still there: it may be of before this filter. */
static void on_up(void *owner, struct mosquitto *client)
{
	(void)owner;
	int code = mosquitto_subscribe(client, NULL, AS_COMMANDS_FILTER, 1);
	if (code != MOSQ_ERR_SUCCESS)
		LOG_WARN("mqtt_commands", "subscribed=false reason=\"%s\"", mosquitto_strerror(code));
}

enum status as_commands_open(struct io_loop *loop, struct as_application *app,
			     const struct io_mqtt_broker *broker, struct as_commands **out)
{
	char id[64], city[AS_UUID_TEXT];
	struct as_commands *commands = calloc(1, sizeof *commands);
	if (!commands)
		return ST_NO_MEMORY;
	as_intake_init(&commands->intake, app);
	snprintf(id, sizeof id, "lamppost-%.13s-commands", as_uuid_format(city, as_store_city(app->store)));
	enum status status = io_mqtt_open(
		loop,
		&(struct io_mqtt_options){
			.broker = broker,
			.id = id,
			.label = "mqtt_commands",
			.clean = false,
			.held = true,
			.hooks = {.configure = configure, .on_up = on_up, .owner = commands}},
		&commands->connection);
	if (status == ST_OK)
		*out = commands;
	else
		as_commands_close(commands);
	return status;
}

void as_commands_change(struct as_commands *commands, const struct io_mqtt_broker *broker)
{
	if (io_mqtt_change(commands->connection, broker, false))
		commands->subscription_refused = false;
}

void as_commands_close(struct as_commands *commands)
{
	if (!commands)
		return;
	io_mqtt_close(commands->connection);
	as_intake_release(&commands->intake);
	free(commands);
}

void as_commands_drain(struct as_commands *commands)
{
	io_mqtt_flush(commands->connection);
}

const char *as_commands_state(const struct as_commands *commands)
{
	if (!commands)
		return "off";
	const char *state = io_mqtt_state(commands->connection);
	return commands->subscription_refused && strcmp(state, "up") == 0 ? "refused" : state;
}

uint64_t as_commands_count(const struct as_commands *commands, enum as_intake_verdict verdict)
{
	return commands ? commands->intake.counts[verdict] : 0;
}
