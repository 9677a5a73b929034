/* The gateways of a scenario: packet forwarders, LoRa Basics Stations, and forwarders by MQTT. */
#include "simulator/scenario_parts.h"

#include "common/base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void set_channels(struct sim_gateway_config *config, const struct sim_plan *plan, uint8_t sub_band)
{
	static const uint32_t eu868_hz[] = {868100000, 868300000, 868500000, 867100000,
					    867300000, 867500000, 867700000, 867900000};
	for (uint8_t i = 0; i < 8; i++)
		config->channels[i] = (struct sim_gateway_channel){
			plan->fixed ? sim_plan_default_freq_hz(plan, (uint8_t)(8 * (sub_band - 1) + i))
				    : eu868_hz[i],
			125000, 0};
	if (plan->fixed)
		config->channels[8] = (struct sim_gateway_channel){
			sim_plan_default_freq_hz(plan, (uint8_t)(64 + sub_band - 1)), 500000, 8};
	else
		config->channels[8] = (struct sim_gateway_channel){868300000, 250000, 7};
	config->channel_count = 9;
	config->tx_min_hz = plan->fixed ? 902000000 : 863000000;
	config->tx_max_hz = plan->fixed ? 928000000 : 870000000;
}

static void text_or_none(struct yt *tree, const struct yt_node *map, const char *key, char *out, size_t room)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	if (node != NULL)
		yt_text(tree, node, out, room);
}

/* What a station has beside what every gateway has. */
static void read_station(struct yt *tree, const struct yt_node *node, struct sim_scenario_gateway *gateway)
{
	const struct yt_node *tls = yt_optional(tree, node, "tls");
	text_or_none(tree, node, "lns", gateway->lns, sizeof gateway->lns);
	gateway->prod = sim_yaml_bool_or(tree, node, "prod", true);
	gateway->allows_commands = sim_yaml_bool_or(tree, node, "allow_commands", false);
	text_or_none(tree, node, "home", gateway->home, sizeof gateway->home);
	gateway->cups = sim_yaml_bool_or(tree, node, "cups", false);
	gateway->cups_every_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "cups_every_s", 0, 0, 86400));
	if (!tree->failed && gateway->cups && gateway->home[0] == 0)
		yt_fail(tree, node, "expected home beside cups");
	if (tls == NULL)
		return;
	if (!tree->failed && gateway->home[0] != 0)
		yt_fail(tree, tls, "expected home or tls");
	yt_expect_map(tree, tls);
	text_or_none(tree, tls, "trust", gateway->tls.trust, sizeof gateway->tls.trust);
	text_or_none(tree, tls, "certificate", gateway->tls.certificate, sizeof gateway->tls.certificate);
	text_or_none(tree, tls, "key", gateway->tls.key, sizeof gateway->tls.key);
	text_or_none(tree, tls, "token", gateway->tls.token, sizeof gateway->tls.token);
	text_or_none(tree, tls, "server_name", gateway->tls.server_name, sizeof gateway->tls.server_name);
	if (!tree->failed && (gateway->tls.certificate[0] == 0) != (gateway->tls.key[0] == 0))
		yt_fail(tree, tls, "expected certificate and key together");
	yt_done(tree, tls);
}

static void read_mqtt(struct yt *tree, const struct yt_node *node, const struct sim_scenario *scenario,
		      struct sim_scenario_gateway *gateway)
{
	const struct yt_node *map = yt_optional(tree, node, "mqtt");
	struct sim_scenario_mqtt *mqtt = &gateway->mqtt;
	snprintf(mqtt->prefix, sizeof mqtt->prefix, "%s", scenario->plan->name);
	if (map == NULL)
		return;
	yt_expect_map(tree, map);
	text_or_none(tree, map, "broker", mqtt->broker, sizeof mqtt->broker);
	text_or_none(tree, map, "prefix", mqtt->prefix, sizeof mqtt->prefix);
	text_or_none(tree, map, "username", mqtt->username, sizeof mqtt->username);
	text_or_none(tree, map, "password", mqtt->password, sizeof mqtt->password);
	text_or_none(tree, map, "trust", mqtt->trust, sizeof mqtt->trust);
	text_or_none(tree, map, "certificate", mqtt->certificate, sizeof mqtt->certificate);
	text_or_none(tree, map, "key", mqtt->key, sizeof mqtt->key);
	if (!tree->failed && (mqtt->certificate[0] == 0) != (mqtt->key[0] == 0))
		yt_fail(tree, map, "expected certificate and key together");
	yt_done(tree, map);
}

void sim_scenario_read_gateway(struct yt *tree, const struct yt_node *node,
			       const struct sim_scenario *scenario, struct rng *rng,
			       struct sim_scenario_gateway *gateway)
{
	static const char *const protocols[] = {"udp1", "udp2", "basics_station", "chirpstack_mqtt"};
	struct sim_gateway_config *config = &gateway->config;
	const struct yt_node *protocol = yt_optional(tree, node, "protocol");
	const struct yt_node *address = yt_optional(tree, node, "address");
	yt_expect_map(tree, node);
	sim_yaml_read_eui(tree, yt_member(tree, node, "eui"), &config->eui);
	double x_m = sim_yaml_place(rng, scenario->area_m), y_m = sim_yaml_place(rng, scenario->area_m);
	config->x_m = sim_yaml_number_or(tree, node, "x", x_m, -1e6, 1e6);
	config->y_m = sim_yaml_number_or(tree, node, "y", y_m, -1e6, 1e6);
	int which = protocol == NULL ? 1 : (int)yt_choice(tree, protocol, protocols, ARRAY_SIZE(protocols));
	config->version = which == 0 ? 1 : 2;
	config->is_station = which == 2;
	config->is_mqtt = which == 3;
	config->drift_ppm = sim_yaml_number_or(tree, node, "clock_drift_ppm", 0, -100, 100);
	config->first_ticks = (uint32_t)sim_yaml_int_or(tree, node, "first_tmst", rng_u32(rng), 0,
							UINT32_MAX);
	config->gps = sim_yaml_bool_or(tree, node, "gps", false);
	config->max_power_dbm = (int)sim_yaml_int_or(tree, node, "max_power_dbm",
						     scenario->plan->fixed ? 30 : 27, 0, 36);
	config->power_is_error = sim_yaml_bool_or(tree, node, "power_is_error", false);
	config->backhaul_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "backhaul_ms", 5, 0, 60000) / 1e3);
	config->jitter_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "backhaul_jitter_ms", 0, 0, 60000) / 1e3);
	config->loss_permille = (uint32_t)lround(
		10 * sim_yaml_number_or(tree, node, "backhaul_loss_percent", 0, 0, 100));
	config->keepalive_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "keepalive_s", 5, 0.1, 3600));
	config->stat_us = sim_yaml_microseconds(sim_yaml_number_or(tree, node, "stat_s", 30, 0, 86400));
	set_channels(config, scenario->plan, (uint8_t)sim_yaml_int_or(tree, node, "sub_band", 2, 1, 8));
	memcpy(gateway->address, "127.0.0.1", sizeof "127.0.0.1");
	if (address != NULL)
		yt_text(tree, address, gateway->address, sizeof gateway->address);
	if (config->is_station)
		read_station(tree, node, gateway);
	if (config->is_mqtt)
		read_mqtt(tree, node, scenario, gateway);
	yt_done(tree, node);
}
