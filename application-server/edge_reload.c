#include "application-server/edge_reload.h"

#include "application-server/health/table.h"
#include "common/crypto/secret.h"

#include <stdio.h>

bool as_reconfigure(struct as_delivery *delivery, struct as_edge_api *edge_api, struct as_edge_alarms *alarms,
		    struct as_health *health, struct as_edge_app_keys *app_keys,
		    const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	const struct as_config *config = wanted->config;
	struct as_callers callers;
	struct as_delivery_files files;
	size_t row;
	if (!as_callers_init(&callers, &config->callers, edge_api->callers.own_uid, &row)) {
		snprintf(problem, CONFIG_ERROR_MAX, "application-server.callers: %s: %s",
			 config->callers.entries[row].label, AS_CALLERS_FORM);
		return false;
	}
	if (!as_delivery_read(config, &files, problem))
		return false;
	struct as_app_key_change key_servers;
	if (!as_edge_app_keys_prepare(&config->join_servers, &key_servers, problem)) {
		secret_wipe(&files, sizeof files);
		return false;
	}
	struct as_alarms_wanted *channels = as_edge_alarms_read(alarms, config, files.password, problem);
	if (!channels) {
		as_edge_app_keys_drop(&key_servers);
		secret_wipe(&files, sizeof files);
		return false;
	}
	enum status status = as_delivery_set(delivery, config, &files);
	if (status == ST_OK)
		as_edge_alarms_take(alarms, channels, files.password);
	else
		as_edge_alarms_drop(channels);
	secret_wipe(&files, sizeof files);
	if (status == ST_OK)
		as_edge_app_keys_take_over(app_keys, &key_servers);
	else
		as_edge_app_keys_drop(&key_servers);
	if (status != ST_OK) {
		snprintf(problem, CONFIG_ERROR_MAX, "application-server.mqtt: %s", status_name(status));
		return false;
	}
	as_health_set_spans(health, wanted->common->gateway_silent_us, config->gateway_offline_us);
	as_alarms_set_spans(&alarms->alarms, wanted->common->gateway_silent_us, config->gateway_offline_us);
	as_edge_api_set_callers(edge_api, &callers);
	return true;
}
