#include "application-server/edge_delivery.h"

#include "application-server/edge_keys.h"

#include <stdio.h>
#include <unistd.h>

bool as_delivery_read(const struct as_config *config, struct as_delivery_files *files,
		      char problem[CONFIG_ERROR_MAX])
{
	*files = (struct as_delivery_files){0};
	if (!*config->mqtt_host)
		return true;
	if (!as_read_secret_line(config->mqtt_password_file, files->password, sizeof files->password)) {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "application-server.mqtt.password_file: %s: cannot be read, or is empty",
			 config->mqtt_password_file);
		return false;
	}
	if (*config->mqtt_ca_file && access(config->mqtt_ca_file, R_OK) != 0) {
		snprintf(problem, CONFIG_ERROR_MAX, "application-server.mqtt.ca_file: %s: cannot be read",
			 config->mqtt_ca_file);
		secret_wipe(files, sizeof *files);
		return false;
	}
	return true;
}

void as_delivery_close(struct as_delivery *delivery)
{
	as_commands_close(delivery->commands);
	as_mqtt_close(delivery->mqtt);
	delivery->commands = NULL;
	delivery->mqtt = NULL;
}

enum status as_delivery_set(struct as_delivery *delivery, const struct as_config *config,
			    const struct as_delivery_files *files)
{
	const struct as_mqtt_options options = {.broker = {.host = config->mqtt_host,
							   .port = (uint16_t)config->mqtt_port,
							   .username = config->mqtt_username,
							   .password = files->password,
							   .ca_file = config->mqtt_ca_file},
						.in_flight = (unsigned)config->mqtt_in_flight,
						.qos = (int)config->mqtt_qos,
						.replay = config->mqtt_replay};
	enum status status = ST_OK;
	if (!*config->mqtt_host && delivery->mqtt) {
		status = as_mqtt_save(delivery->mqtt);
		as_delivery_close(delivery);
	}
	if (!*config->mqtt_host)
		return status;
	/* What can fail comes first, and is undone. */
	struct as_mqtt *mqtt = NULL;
	struct as_commands *commands = NULL;
	if (!delivery->mqtt)
		status = as_mqtt_open(delivery->loop, delivery->app->store, &options, &mqtt);
	if (status == ST_OK && !delivery->commands)
		status = as_commands_open(delivery->loop, delivery->app, &options.broker, &commands);
	if (status != ST_OK) {
		as_mqtt_close(mqtt);
		return status;
	}
	if (delivery->mqtt)
		as_mqtt_change(delivery->mqtt, &options);
	else
		delivery->mqtt = mqtt;
	if (delivery->commands)
		as_commands_change(delivery->commands, &options.broker);
	else
		delivery->commands = commands;
	return ST_OK;
}
