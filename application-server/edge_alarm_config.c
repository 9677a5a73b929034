/* From the configuration to channels: secrets and passwords from their files, the rule of the time zone from the system's. */
#include "application-server/edge_alarms.h"
#include "application-server/edge_keys.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONE_FILE_MAX 65536

/* --- time zone ----------------------------------------------------------------------------------------------- */

/* The last line of a file of the time zone database is its rule for the time to come. */
static bool read_zone_file(const char *path, struct as_zone *zone)
{
	static char bytes[ZONE_FILE_MAX + 1];
	FILE *in = fopen(path, "re");
	if (!in)
		return false;
	size_t length = fread(bytes, 1, ZONE_FILE_MAX, in);
	fclose(in);
	if (length < 2 || memcmp(bytes, "TZif", 4) != 0 || bytes[length - 1] != '\n')
		return false;
	bytes[length - 1] = '\0';
	size_t start = length - 1;
	while (start > 0 && bytes[start - 1] != '\n')
		start--;
	return as_zone_parse(bytes + start, zone);
}

static bool read_zone(const char *text, struct as_zone *zone)
{
	char path[160];
	if (!*text)
		return read_zone_file("/etc/localtime", zone) || as_zone_parse("UTC0", zone);
	if (as_zone_parse(text, zone))
		return true;
	if (strstr(text, "..") || *text == '/')
		return false;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", text);
	return read_zone_file(path, zone);
}

/* --- channels ------------------------------------------------------------------------------------------------ */

/* What is read and opened before anything changes. */
struct as_alarms_wanted {
	const struct as_config *config;
	struct as_alarm_bus *bus; /* opened for it; NULL: there is one, or none is needed */
	struct as_channel_rules rules[AS_CHANNELS_MAX];
	size_t count;
	struct as_zone zone;
	char secrets[AS_CHANNELS_MAX][256], smtp_password[256];
	bool needs_bus;
};

static bool read_wanted(const struct as_config *config, struct as_alarms_wanted *wanted,
			char problem[AS_RULES_PROBLEM])
{
	*wanted = (struct as_alarms_wanted){.config = config};
	if (!as_alarm_rules(config, wanted->rules, &wanted->count, problem))
		return false;
	if (!read_zone(config->alarm_time_zone, &wanted->zone)) {
		snprintf(
			problem, AS_RULES_PROBLEM,
			"application-server.alarms.time_zone: %s: expected a name of the system's time zones "
			"or a "
			"rule such as CET-1CEST,M3.5.0,M10.5.0/3",
			config->alarm_time_zone);
		return false;
	}
	for (size_t i = 0; i < wanted->count; i++) {
		wanted->needs_bus = wanted->needs_bus || wanted->rules[i].type == AS_CHANNEL_MQTT;
		if (!as_read_secret_line(wanted->rules[i].secret_file, wanted->secrets[i], 256)) {
			snprintf(problem, AS_RULES_PROBLEM,
				 "application-server.alarms.secret_files: %s: cannot be read, or is empty",
				 wanted->rules[i].name);
			return false;
		}
	}
	if (!as_read_secret_line(config->smtp_password_file, wanted->smtp_password, 256)) {
		snprintf(problem, AS_RULES_PROBLEM,
			 "application-server.alarms.smtp.password_file: cannot be read, or is empty");
		return false;
	}
	if (*config->alarm_ca_file && access(config->alarm_ca_file, R_OK) != 0) {
		snprintf(problem, AS_RULES_PROBLEM, "application-server.alarms.ca_file: cannot be read");
		return false;
	}
	return true;
}

/* Channels move to their new places with what they were told; what goes to a channel that is gone is dropped. */
static void move_channels(struct as_edge_alarms *edge, const struct as_alarms_wanted *wanted)
{
	const struct as_notify before = edge->notify;
	const struct as_channel fresh = {.quiet = false};
	char *bodies[AS_CHANNELS_MAX] = {NULL};
	struct as_message *messages = calloc(AS_CHANNELS_MAX, sizeof *messages);
	struct as_alarm *alarm;
	int from[AS_CHANNELS_MAX] = {0};
	for (size_t i = 0; i < before.count; i++)
		as_alarm_send_abandon(edge, i);
	for (size_t i = 0; i < wanted->count; i++) {
		from[i] = as_notify_find(&before, wanted->rules[i].name);
		edge->notify.channels[i] = from[i] < 0 ? fresh : before.channels[from[i]];
		edge->notify.channels[i].rules = wanted->rules[i];
		if (from[i] < 0) {
			free(as_store_alarm_message(edge->store,
						    &edge->notify.channels[i])); /* for its sequence */
			continue;
		}
		bodies[i] = edge->sending[from[i]].body;
		edge->sending[from[i]].body = NULL;
		if (messages)
			messages[i] = edge->sending[from[i]].message;
	}
	edge->notify.count = wanted->count;
	for (size_t i = 0; i < AS_CHANNELS_MAX; i++) {
		free(edge->sending[i].body);
		edge->sending[i].body = bodies[i];
		if (messages)
			edge->sending[i].message = messages[i];
		memcpy(edge->sending[i].secret, wanted->secrets[i], sizeof edge->sending[i].secret);
	}
	free(messages);
	for (size_t at = 0; (alarm = as_alarms_next(&edge->alarms, &at));) {
		struct as_told told[AS_CHANNELS_MAX] = {{0}};
		for (size_t i = 0; i < wanted->count; i++)
			if (from[i] >= 0)
				told[i] = alarm->told[from[i]];
		memcpy(alarm->told, told, sizeof told);
	}
}

static void on_bus(void *ctx, size_t place, struct now now, const char *problem)
{
	as_alarm_sent(ctx, place, problem, now);
}

static struct io_mqtt_broker broker_of(const struct as_config *config, const char *password)
{
	return (struct io_mqtt_broker){.host = config->mqtt_host,
				       .port = (uint16_t)config->mqtt_port,
				       .username = config->mqtt_username,
				       .password = password,
				       .ca_file = config->mqtt_ca_file};
}

struct as_alarms_wanted *as_edge_alarms_read(struct as_edge_alarms *edge, const struct as_config *config,
					     const char *mqtt_password, char problem[AS_RULES_PROBLEM])
{
	const struct io_mqtt_broker broker = broker_of(config, mqtt_password);
	struct as_alarms_wanted *wanted = calloc(1, sizeof *wanted);
	ASSERT(wanted != NULL);
	if (!read_wanted(config, wanted, problem)) {
		as_edge_alarms_drop(wanted);
		return NULL;
	}
	if (wanted->needs_bus && !edge->bus &&
	    as_alarm_bus_open(edge->loop, &broker, on_bus, edge, &wanted->bus) != ST_OK) {
		snprintf(problem, AS_RULES_PROBLEM,
			 "application-server.mqtt: cannot be used for alarms: ca_file cannot be read");
		as_edge_alarms_drop(wanted);
		return NULL;
	}
	return wanted;
}

void as_edge_alarms_drop(struct as_alarms_wanted *wanted)
{
	if (!wanted)
		return;
	as_alarm_bus_close(wanted->bus);
	secret_wipe(wanted, sizeof *wanted);
	free(wanted);
}

void as_edge_alarms_take(struct as_edge_alarms *edge, struct as_alarms_wanted *wanted,
			 const char *mqtt_password)
{
	const struct as_config *config = wanted->config;
	const struct io_mqtt_broker broker = broker_of(config, mqtt_password);
	edge->notify.zone = wanted->zone;
	edge->notify.interval = config->alarm_interval_us;
	edge->notify.repeat = config->alarm_repeat_us;
	edge->notify.delay_limit = config->alarm_delay_us;
	memcpy(edge->smtp_password, wanted->smtp_password, sizeof edge->smtp_password);
	move_channels(edge, wanted);
	if (!wanted->needs_bus) {
		as_alarm_bus_close(edge->bus);
		edge->bus = NULL;
	} else if (edge->bus) {
		as_alarm_bus_change(edge->bus, &broker);
	} else {
		edge->bus = wanted->bus;
		wanted->bus = NULL;
	}
	as_edge_alarms_drop(wanted);
}
