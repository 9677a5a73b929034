/* `lamppost-sim run` with Basics Stations at the real bridge over TLS: one with a client certificate, one with a token, devices of the
 * virtual world heard by both, up to a scripted network server. What the simulator says of it is its report. */
#include "tests/harness/harness.h"
#include "tests/harness/station_rig.h"

#include "gateway-bridge/identity.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TOKEN "a-token-of-the-city"

static struct world {
	struct t_stations at;
	unsigned came[2]; /* uplinks by station */
	struct t_process *sim;
} world;

static void on_uplink(void *ctx, const struct gw_uplink *uplink)
{
	(void)ctx;
	uint64_t index = lw_eui64_number(&uplink->gateway) - T_STATION_FIRST;
	if (index < 2)
		world.came[index]++;
}

static bool is_over(void *ctx)
{
	(void)ctx;
	t_bridge_pump(world.at.rig);
	return !t_process_running(world.sim);
}

static void write_scenario(const char *path)
{
	char text[4096], certificate[160], key[160];
	t_pki_gateway_files(&world.at.pki, T_STATION_FIRST, certificate, key);
	snprintf(text, sizeof text,
		 "seed: 3\nregion: eu868\narea_m: 100\nduration_s: 12\ngateways:\n"
		 "  - {eui: %016" PRIx64
		 ", x: 0, y: 0, protocol: basics_station, tls: {trust: %s, certificate: %s, key: %s}}\n"
		 "  - {eui: %016" PRIx64
		 ", x: 20, y: 0, protocol: basics_station, tls: {trust: %s, token: " TOKEN "}}\n"
		 "devices:\n"
		 "  - {count: 3, name: probe, dev_eui: 70b3d57e00000001, activation: abp, mac_version: "
		 "\"1.0.3\", "
		 "dev_addr: 26000001, nwk_s_key: 000102030405060708090a0b0c0d0e0f, "
		 "app_s_key: 101112131415161718191a1b1c1d1e1f, payload: counter, interval_s: 2, dr: 5, adr: "
		 "false, "
		 "first_s: 3}\n"
		 "expect:\n  - {what: readings_heard, at_least: 3}\n",
		 T_STATION_FIRST, world.at.pki.ca, certificate, key, T_STATION_FIRST + 1, world.at.pki.ca);
	t_write_file(path, text);
}

static void stations_of_a_scenario_prove_themselves(void **state)
{
	(void)state;
	char scenario[160], report[160], lns[64];
	t_stations_open(&world.at, 2, T_STATION_FIRST, "");
	struct t_upstream *upstream = world.at.rig->upstream;
	struct gb_presented token = {.has_token = false};
	gb_presented_token(&token, "Bearer " TOKEN);
	struct gw_gateway *second = &upstream->list[upstream->list_count - 1];
	second->accept = GW_ACCEPT_TOKEN;
	second->token_count = 1;
	memcpy(second->token_hashes[0], token.token_hash, sizeof token.token_hash);
	upstream->list_version++;
	upstream->on_uplink = on_uplink;
	t_upstream_give_list(upstream);
	t_true("list", t_bridge_has_list(world.at.rig));
	snprintf(scenario, sizeof scenario, "%s/stations.yaml", world.at.dir);
	snprintf(report, sizeof report, "%s/report.json", world.at.dir);
	snprintf(lns, sizeof lns, "wss://127.0.0.1:%u", world.at.port);
	write_scenario(scenario);
	world.sim = t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"run", scenario, "--lns", lns, "--report", report, "--quiet"},
		.dir = world.at.dir});
	t_row("the run");
	t_true("ends", t_wait_until(is_over, NULL, 2 * T_CEILING));
	t_int("what it expects holds", 0, t_process_wait(world.sim));
	t_process_free(world.sim);
	json_t *root = json_load_file(report, 0, NULL), *gateway;
	size_t i;
	t_uint("stations", 2, json_array_size(json_object_get(root, "gateways")));
	json_array_foreach(json_object_get(root, "gateways"), i, gateway)
	{
		const json_t *station = json_object_get(gateway, "station");
		long long forwarded = json_integer_value(json_object_get(station, "forwarded"));
		t_row(i == 0 ? "with a certificate" : "with a token");
		t_str("state", "running", json_string_value(json_object_get(station, "state")));
		t_int("sessions", 1, json_integer_value(json_object_get(station, "sessions")));
		t_uint("refused nothing", 0, json_object_size(json_object_get(station, "refused")));
		t_true("forwarded", forwarded >= 3);
		t_int("all of it arrived", forwarded, world.came[i]);
	}
	json_decref(root);
	t_stations_close(&world.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(stations_of_a_scenario_prove_themselves)};
	return t_run(tests);
}
