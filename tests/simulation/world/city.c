/* The city's devices and gateways: as the simulator has them, and as records that the application server is told of through its
 * API, keys sealed as the command line seals them. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 1024

static const struct profile_row {
	const char *slug, *mac_version;
	bool abp;
	unsigned confirmed_every, link_check_every;
	const char *mac; /* more members of the profile */
} profiles[WORLD_PROFILE_COUNT] = {
	[WORLD_OTAA_1_0_3] = {"otaa-1-0-3", "1.0.3", false, 4, 0,
			      "\"dev_status_interval_h\": 1, \"adr_algorithm\": \"usual\""},
	[WORLD_OTAA_1_0_4] = {"otaa-1-0-4", "1.0.4", false, 3, 5,
			      "\"rx1_dr_offset\": 1, \"rx2_dr\": 3, \"rx2_freq_hz\": 869100000"},
	[WORLD_OTAA_1_1] = {"otaa-1-1", "1.1.0", false, 3, 0,
			    "\"adr_algorithm\": \"usual\", \"adr_margin_db\": 5, \"max_duty_cycle\": 3"},
	[WORLD_ABP_1_0_3] = {"abp-1-0-3", "1.0.3", true, 2, 0, "\"max_nb_trans\": 2, \"min_dr\": 1"},
};

uint64_t world_dev_eui(size_t device)
{
	return UINT64_C(0x70b3d57e00000000) + device;
}

static uint64_t gateway_eui(size_t gateway)
{
	return UINT64_C(0xaa555a0000000100) + gateway;
}

/* --- the simulator's side --- */

struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text->at, text->left, format, arguments);
	va_end(arguments);
	ASSERT(length >= 0 && (size_t)length < text->left);
	text->at += length;
	text->left -= (size_t)length;
}

static void add_key(struct text *text, const char *name, struct rng *rng)
{
	uint8_t key[16];
	char hex[33];
	rng_fill(rng, key, sizeof key);
	hex_encode(hex, key, sizeof key);
	add(text, ", %s: %s", name, hex);
}

static void add_device(struct world *world, struct text *text, size_t i, struct rng *rng)
{
	const struct profile_row *profile = &profiles[world->profiles[i]];
	add(text, "  - {name: d%zu, dev_eui: %016llx, mac_version: \"%s\", activation: %s", i,
	    (unsigned long long)world_dev_eui(i), profile->mac_version, profile->abp ? "abp" : "otaa");
	if (profile->abp) {
		add(text, ", dev_addr: %08x, rx_delay_s: 1", 0x26000000 + (unsigned)i + 1);
		add_key(text, "nwk_s_key", rng);
		add_key(text, "app_s_key", rng);
	} else {
		add(text, ", join_eui: 70b3d57e000fffff");
		add_key(text, "app_key", rng);
		if (world->profiles[i] == WORLD_OTAA_1_1)
			add_key(text, "nwk_key", rng);
	}
	/* One in four is not as the specification has it. */
	uint32_t fault = rng_below(rng, 4 * (SIM_MAC_FAULT_COUNT - 1));
	add(text, ", mac_fault: %s",
	    sim_mac_fault_names[fault < SIM_MAC_FAULT_COUNT - 1 && world->placed_count == 0 ? fault + 1
											    : SIM_MAC_SOUND]);
	for (unsigned p = 0; p < world->placed_count; p++)
		if (world->placed[p].device == i)
			add(text, ", x: %u, y: 0, dr: %u", world->placed[p].metres, world->placed[p].dr);
	add(text, ", payload: counter, interval_s: %u, confirmed_every: %u, link_check_every: %u}\n",
	    world->interval_s, profile->confirmed_every, profile->link_check_every);
}

void world_scenario_make(struct world *world)
{
	struct rng rng = rng_seeded(world->seed * 7 + 3);
	size_t room = 4096 + 512 * (size_t)(world->device_count + world->gateway_count);
	char *yaml = malloc(room), error[SIM_SCENARIO_ERROR];
	struct text text = {yaml, room};
	ASSERT(yaml);
	add(&text, "seed: %llu\nregion: %s\narea_m: %u\n", (unsigned long long)(world->seed & INT32_MAX),
	    WORLD_REGION, 400 + rng_below(&rng, 1200));
	add(&text, "path_loss: {exponent: 2.8, shadowing_db: 4, fading: rician}\ngateways:\n");
	for (size_t i = 0; i < world->gateway_count; i++)
		add(&text,
		    "  - {eui: %016llx, protocol: %s, clock_drift_ppm: %u, backhaul_ms: %u, "
		    "backhaul_jitter_ms: %u, "
		    "keepalive_s: 10%s}\n",
		    (unsigned long long)gateway_eui(i),
		    i < world->station_count ? "basics_station, prod: false, lns: 'ws://bridge:3001'"
					     : "udp2",
		    rng_below(&rng, 30), 5 + rng_below(&rng, 60), rng_below(&rng, 20),
		    world->placed_count > 0 && i == 0 ? ", x: 0, y: 0" : "");
	add(&text, "devices:\n");
	for (size_t i = 0; i < world->device_count; i++)
		add_device(world, &text, i, &rng);
	bool read = sim_scenario_load(&world->scenario, "world", yaml, (size_t)(text.at - yaml), error);
	if (!read)
		fprintf(stderr, "%s\n", error);
	ASSERT(read);
	for (size_t i = 0; world->paced_joins && i < world->scenario.device_count; i++)
		world->scenario.devices[i].join_manner = SIM_JOIN_PACED;
	free(yaml);
}

/* --- the application server's side --- */

static void must(struct world *world, int expected, const char *method, const char *pattern,
		 const char *collection, const char *id, const char *body)
{
	int status = world_api(world, method, pattern, collection, id, body);
	if (status != expected)
		world_break(world, "%s %s %s: %d %s: %s", method, pattern, collection ? collection : id,
			    status, world->api_problem, body);
}

static void create(struct world *world, const char *collection, const char *body)
{
	must(world, 201, "POST", "/api/v1/{collection}", collection, NULL, body);
}

static void set_key(struct world *world, const char *dev_eui, const char *field, enum sealed_key_kind kind,
		    enum world_process reader, const struct lw_key *key)
{
	uint8_t sealed[SEALED_KEY_LENGTH];
	char text[BASE64_ROOM(SEALED_KEY_LENGTH)], body[BODY_MAX];
	struct lw_eui64 eui;
	ASSERT(lw_eui64_parse(dev_eui, &eui));
	ASSERT(sealed_key_seal(sealed, secret_box_public(world->keys->box[reader]), kind, eui.bytes,
			       key->bytes) == ST_OK);
	base64_encode(text, sealed, sizeof sealed);
	snprintf(body, sizeof body, "{\"%s\": \"%s\"}", field, text);
	must(world, 204, "PUT", "/api/v1/devices/{id}/keys", NULL, dev_eui, body);
}

static void register_device(struct world *world, size_t i)
{
	const struct sim_device_config *config = &world->scenario.devices[i];
	const struct profile_row *profile = &profiles[world->profiles[i]];
	char dev_eui[LW_EUI64_TEXT], body[BODY_MAX];
	lw_eui64_format(dev_eui, &config->dev_eui);
	int length = snprintf(body, sizeof body,
			      "{\"dev_eui\": \"%s\", \"name\": \"Device %zu\", \"application\": \"meters\", "
			      "\"profile\": \"%s\", ",
			      dev_eui, i, profile->slug);
	if (profile->abp)
		snprintf(body + length, sizeof body - (size_t)length,
			 "\"activation\": \"abp\", \"dev_addr\": \"%08x\"}", config->dev_addr.value);
	else
		snprintf(body + length, sizeof body - (size_t)length, "\"join_eui\": \"70b3d57e000fffff\"}");
	create(world, "devices", body);
	if (profile->abp) {
		set_key(world, dev_eui, "nwk_s_key", SEALED_NWK_S_KEY, WORLD_NETWORK,
			&config->session_keys.f_nwk_s_int_key);
		set_key(world, dev_eui, "app_s_key", SEALED_APP_S_KEY, WORLD_APPLICATION,
			&config->session_keys.app_s_key);
		return;
	}
	set_key(world, dev_eui, "app_key", SEALED_APP_KEY, WORLD_JOIN, &config->app_key);
	if (world->profiles[i] == WORLD_OTAA_1_1)
		set_key(world, dev_eui, "nwk_key", SEALED_NWK_KEY, WORLD_JOIN, &config->nwk_key);
}

void world_register(struct world *world)
{
	char body[BODY_MAX];
	create(world, "agencies", "{\"slug\": \"parks\", \"name\": \"Parks\"}");
	create(world, "applications", "{\"slug\": \"meters\", \"name\": \"Meters\", \"agency\": \"parks\"}");
	snprintf(world->application, sizeof world->application, "%s", world->api_id);
	for (size_t i = 0; i < WORLD_PROFILE_COUNT; i++) {
		snprintf(body, sizeof body,
			 "{\"slug\": \"%s\", \"name\": \"%s\", \"region\": \"" WORLD_REGION
			 "\", \"mac_version\": \"%s\", \"rx_delay_s\": %d, %s}",
			 profiles[i].slug, profiles[i].slug, profiles[i].mac_version, profiles[i].abp ? 1 : 0,
			 profiles[i].mac);
		create(world, "profiles", body);
	}
	for (size_t i = 0; i < world->gateway_count; i++) {
		snprintf(body, sizeof body,
			 "{\"eui\": \"%016llx\", \"name\": \"Gateway %zu\", \"slug\": \"gateway-%zu\", "
			 "\"region\": \"" WORLD_REGION "\"}",
			 (unsigned long long)gateway_eui(i), i, i);
		create(world, "gateways", body);
	}
	for (size_t i = 0; i < world->device_count && !world->broken; i++)
		register_device(world, i);
}

void world_profile(struct world *world, enum world_profile profile, const char *body)
{
	must(world, 200, "PATCH", "/api/v1/{collection}/{id}", "profiles", profiles[profile].slug, body);
}
