#include "tests/harness/join_state.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/key_file.h"
#include "common/text/region_yaml.h"
#include "join-server/key_vault.h"
#include "join-server/store_sqlite.h"
#include "network-server/store_network.h"
#include "tests/harness/join_load.h"
#include "tests/harness/process.h"

#include <stdio.h>

#define SAVED_AT_ONCE 10000

static void read_key(const struct t_join_state *state, const char *name, uint8_t key[SECRET_KEY])
{
	char path[T_DIR_MAX + 64];
	snprintf(path, sizeof path, "%s/keys/%s", state->dir, name);
	ASSERT(key_file_read(path, key, SECRET_KEY) == KEY_FILE_OK);
}

void t_join_state_fill_join(const struct t_join_state *state)
{
	char path[T_DIR_MAX + 16];
	uint8_t key[SECRET_KEY];
	struct db *db;
	snprintf(path, sizeof path, "%s/join.db", state->dir);
	ASSERT(js_store_open(path, NULL, &db) == ST_OK);
	read_key(state, "join-server.master", key);
	const struct js_key_vault vault = {.master = secret_master_from(key)};
	struct js_store store = js_store_sqlite(db);
	for (uint32_t i = 0; i < state->devices; i++) {
		struct js_device device = {.dev_eui = t_join_load_dev_eui(i),
					   .version = i + 1,
					   .enabled = true,
					   .join_eui = lw_eui64_from_number(T_JOIN_LOAD_EUI),
					   .mac_version = LW_MAC_1_0_4,
					   .has_app_key = true,
					   .app_kek_label = "application"};
		struct lw_key app_key = t_join_load_app_key(i);
		js_key_vault_seal(&vault, &device.dev_eui, SEALED_APP_KEY, &app_key, device.app_key);
		ASSERT(store.save_device(store.ctx, &device) == ST_OK);
		if (i % SAVED_AT_ONCE == SAVED_AT_ONCE - 1)
			ASSERT(js_store_commit(db) == ST_OK);
	}
	ASSERT(js_store_commit(db) == ST_OK);
	db_close(db);
}

static void commit(struct ns_store *store, struct ns *ns)
{
	ASSERT(ns_store_commit(store, ns, clock_now()) == ST_OK);
	ns_outbox_clear(&ns->outbox);
}

static void add_records(const struct t_join_state *state, struct ns_store *store, struct ns *ns)
{
	struct now now = clock_now();
	uint64_t version = 1;
	struct net_profile profile = {.version = version,
				      .id = {{1}},
				      .mac_version = LW_MAC_1_0_4,
				      .region_id = T_JOIN_STATE_REGION,
				      .rx2_dr = 255};
	net_profile_defaults(&profile);
	ns_on_state_begin(ns, now, &(struct net_state_begin){.city = {{7}}, .full = true});
	ns_on_profile(ns, now, &profile);
	for (uint32_t i = 0; i < state->gateways; i++) {
		if (ns_turn_is_full(ns))
			commit(store, ns);
		version++;
		ns_on_gateway(ns, now,
			      &(struct net_gateway){
				      .version = version,
				      .gateway = {.eui = t_join_load_gateway(i),
						  .region_id = T_JOIN_STATE_REGION,
						  .accept = GW_ACCEPT_UDP},
			      });
	}
	for (uint32_t i = 0; i < state->devices; i++) {
		if (ns_turn_is_full(ns))
			commit(store, ns);
		version++;
		ns_on_device(ns, now,
			     &(struct net_device){.version = version,
						  .dev_eui = t_join_load_dev_eui(i),
						  .join_eui = lw_eui64_from_number(T_JOIN_LOAD_EUI),
						  .enabled = true,
						  .profile = {{1}}});
	}
	ns_on_state_end(ns, now, &(struct net_state_end){version});
	while (ns->state.sweeping) {
		commit(store, ns);
		ns_state_tick(ns, clock_now());
	}
	commit(store, ns);
	ASSERT_CMP(ns->sessions.devices.count, ==, state->devices);
}

void t_join_state_fill_network(const struct t_join_state *state)
{
	static struct ns ns;
	static struct lw_region region;
	struct ns_config config = {0};
	struct ns_store store;
	struct rng rng = rng_seeded(1);
	char path[T_DIR_MAX + 16];
	uint8_t key[SECRET_KEY];
	ns_config_defaults(&config);
	ASSERT(region_load(&region, T_JOIN_STATE_REGION));
	config.regions = &region;
	config.region_count = 1;
	config.prefixes[0] = (struct lw_dev_addr_prefix){0, 7};
	config.prefix_count = 1;
	if (config.max_devices < state->devices)
		config.max_devices = state->devices;
	read_key(state, "network-server.master", key);
	config.master = secret_master_from(key);
	snprintf(path, sizeof path, "%s/network.db", state->dir);
	ASSERT(ns_store_open(&store, path, NULL) == ST_OK);
	ns_init(&ns, &config, &rng);
	add_records(state, &store, &ns);
	ns_store_close(&store);
}
