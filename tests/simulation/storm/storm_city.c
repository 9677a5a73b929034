/* The city of a storm: where gateways, sensors and lights stand, when they send. */
#include "tests/simulation/storm/storm_parts.h"

#include "common/base/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATEWAY_SPACING_M 1800.0
#define SENSOR_MARGIN_DB  10.0
#define SENSORS_JOIN      (900 * US_PER_S) /* of calm, long before the storm */
#define DEVICE_EIRP_DBM   20               /* what such devices have, though us915 allows 30 */

static double uniform(struct rng *rng)
{
	return ((double)rng_u32(rng) + 0.5) / 4294967296.0;
}

static void make_scenario(struct storm *storm)
{
	static const char key[] = "000102030405060708090a0b0c0d0e0f";
	const struct storm_setup *setup = storm->setup;
	char text[8192], error[SIM_SCENARIO_ERROR];
	int length = snprintf(text, sizeof text,
			      "seed: %llu\nregion: %s\narea_m: %u\n"
			      "path_loss: {exponent: 3.7, shadowing_db: 6, fading: rician}\ngateways:\n",
			      (unsigned long long)setup->seed, setup->region, 1000U);
	for (unsigned i = 0; i < setup->gateways; i++)
		length += snprintf(
			text + length, sizeof text - (size_t)length,
			"  - {eui: %016llx, protocol: udp2, backhaul_ms: 20, backhaul_jitter_ms: 10, "
			"keepalive_s: 10}\n",
			0xaa555a0000000100ULL + i);
	length += snprintf(
		text + length, sizeof text - (size_t)length,
		"devices:\n"
		"  - {count: %u, name: sensor, dev_eui: %016llx, mac_version: \"1.0.3\", activation: otaa, "
		"join_eui: %016llx, app_key: %s, adr: false, payload: counter, interval_s: 180}\n",
		setup->sensors, (unsigned long long)STORM_SENSORS, (unsigned long long)STORM_JOIN_EUI, key);
	length += snprintf(
		text + length, sizeof text - (size_t)length,
		"  - {count: %u, name: light, dev_eui: %016llx, mac_version: \"1.0.3\", "
		"activation: otaa, join_eui: %016llx, app_key: %s, payload: counter, sub_band: %u, "
		"interval_s: 600}\n",
		setup->devices, (unsigned long long)STORM_LIGHTS, (unsigned long long)STORM_JOIN_EUI, key,
		strcmp(setup->region, "us915") == 0 ? 2U : 0U);
	bool read = sim_scenario_load(&storm->scenario, "storm", text, (size_t)length, error);
	if (!read)
		fprintf(stderr, "%s\n", error);
	ASSERT(read);
	storm->plan = *storm->scenario.plan;
	if (storm->plan.max_eirp_dbm > DEVICE_EIRP_DBM)
		storm->plan.max_eirp_dbm = DEVICE_EIRP_DBM;
	storm->scenario.plan = &storm->plan;
	for (size_t i = 0; i < storm->scenario.device_count; i++)
		storm->scenario.devices[i].plan = &storm->plan;
}

static void place(struct storm *storm, struct rng *rng)
{
	struct sim_scenario *scenario = &storm->scenario;
	unsigned across = (unsigned)ceil(sqrt(storm->setup->gateways));
	unsigned rows = (storm->setup->gateways + across - 1) / across;
	for (unsigned i = 0; i < storm->setup->gateways; i++) {
		struct sim_gateway_config *config = &scenario->gateways[i].config;
		config->x_m = (i % across + 0.25 + 0.5 * uniform(rng)) * GATEWAY_SPACING_M;
		config->y_m = (i / across + 0.25 + 0.5 * uniform(rng)) * GATEWAY_SPACING_M;
		config->demodulators = SIM_DEMODULATORS_MAX;
		config->full_duplex = storm->setup->open;
	}
	for (size_t i = 0; i < scenario->device_count; i++) {
		scenario->devices[i].x_m = uniform(rng) * across * GATEWAY_SPACING_M;
		scenario->devices[i].y_m = uniform(rng) * rows * GATEWAY_SPACING_M;
	}
}

/* At its best gateway, without fading. */
static double power_dbm(const struct storm *storm, size_t device, double eirp_dbm)
{
	const struct sim_scenario *scenario = &storm->scenario;
	double best = -300;
	for (size_t g = 0; g < scenario->gateway_count; g++) {
		double distance_m = hypot(scenario->devices[device].x_m - scenario->gateways[g].config.x_m,
					  scenario->devices[device].y_m - scenario->gateways[g].config.y_m);
		double loss = sim_radio_path_loss_db(&scenario->loss, scenario->plan->fixed ? 904e6 : 868e6,
						     distance_m) +
			      sim_radio_shadowing_db(&scenario->loss, scenario->seed, (uint32_t)device,
						     0x80000000u + (uint32_t)g);
		best = eirp_dbm - loss > best ? eirp_dbm - loss : best;
	}
	return best;
}

/* The fastest data rate of 125 kHz that leaves a margin. */
static uint8_t rate_with_margin(const struct storm *storm, size_t device, double margin_db)
{
	const struct sim_plan *plan = storm->scenario.plan;
	double power = power_dbm(storm, device, plan->max_eirp_dbm);
	uint8_t dr = plan->narrow_max_dr ? plan->narrow_max_dr : 5;
	while (dr > plan->min_dr &&
	       power - margin_db < sim_radio_sensitivity_dbm(plan->rates[dr].spreading_factor, 125000))
		dr--;
	return dr;
}

static void set_devices(struct storm *storm, struct rng *rng)
{
	const struct storm_setup *setup = storm->setup;
	for (size_t i = 0; i < setup->sensors; i++) {
		struct sim_device_config *sensor = &storm->scenario.devices[i];
		sensor->dr = rate_with_margin(storm, i, SENSOR_MARGIN_DB);
		sensor->first_us = (int64_t)(uniform(rng) * SENSORS_JOIN);
		sensor->nb_trans = setup->nb_trans;
		sensor->sub_band = strcmp(setup->region, "us915") == 0 ? 2 : 0;
	}
	for (size_t i = 0; i < setup->devices; i++) {
		struct sim_device_config *light = &storm->scenario.devices[setup->sensors + i];
		int64_t after_us = (int64_t)(uniform(rng) * setup->spread_s * US_PER_S);
		light->first_us = setup->calm ? INT64_MAX / 2 : STORM_BEGINS_US + after_us;
		/* A key of its own: else one light would take another's accept. */
		light->app_key.bytes[0] = (uint8_t)(i >> 8);
		light->app_key.bytes[1] = (uint8_t)i;
		light->join_manner = i % 10 == 9 ? SIM_JOIN_STUBBORN : SIM_JOIN_PACED;
		storm->first_us[i] = light->first_us;
	}
}

static void watch(void *ctx, const struct sim_record *record)
{
	struct storm *storm = ctx;
	unsigned sensors = storm->setup->sensors;
	if (record->device >= sensors) {
		int64_t *joined_us = &storm->joined_us[record->device - sensors];
		if (record->kind == SIM_RECORD_JOINED && *joined_us < 0)
			*joined_us = record->at_us;
		storm->result->accepts_heard += record->kind == SIM_RECORD_JOINED;
		storm->result->accepts_lost += record->kind == SIM_RECORD_DOWNLINK &&
					       record->result == SIM_DOWN_UNREADABLE && *joined_us < 0;
	} else if (record->kind == SIM_RECORD_UPLINK && record->reading && record->attempt == 1 &&
		   record->at_us >= STORM_BEGINS_US) {
		storm->made++;
	}
}

static void send(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		 size_t length)
{
	struct storm *storm = ctx;
	storm->now_us = now_us;
	storm_datagram(storm, gateway, socket, bytes, length);
}

void storm_city_open(struct storm *storm)
{
	const struct storm_setup *setup = storm->setup;
	struct rng rng = rng_seeded(setup->seed * 11 + 5);
	storm->joined_us = malloc(setup->devices * sizeof *storm->joined_us);
	storm->first_us = malloc(setup->devices * sizeof *storm->first_us);
	storm->heard = malloc(STORM_HEARD_MAX * sizeof *storm->heard);
	storm->last_heard = calloc(setup->devices, sizeof *storm->last_heard);
	ASSERT(storm->joined_us && storm->first_us && storm->heard && storm->last_heard);
	for (unsigned i = 0; i < setup->devices; i++)
		storm->joined_us[i] = -1;
	make_scenario(storm);
	place(storm, &rng);
	set_devices(storm, &rng);
	storm->world = sim_world_new(&storm->scenario, (struct wall){INT64_C(1790000000) * US_PER_S},
				     (struct sim_port){send, storm});
	ASSERT(storm->world);
	sim_world_watch(storm->world, (struct sim_sink){watch, storm});
}

void storm_city_close(struct storm *storm)
{
	sim_world_free(storm->world);
	sim_scenario_release(&storm->scenario);
	free(storm->joined_us);
	free(storm->first_us);
	free(storm->heard);
	free(storm->last_heard);
}
