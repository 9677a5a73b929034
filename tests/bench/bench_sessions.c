/* What a big city costs the network server at rest: fills network.db through the real store, then starts the real process on
 * it and reports how long until it answers /healthz and what it holds (PSS), and how long an orderly stop takes.
 *
 *	bench_sessions [SESSIONS...]     default: 1000 100000 1000000
 *
 * DESIGN 10: start with 1,000,000 sessions in 2 s, 500 MB. */
#include "tests/harness/process.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/key_file.h"
#include "common/text/region_yaml.h"
#include "network-server/store_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 3

static char dir[T_DIR_MAX];

static void commit(struct ns_store *store, struct ns *ns)
{
	ASSERT(ns_store_commit(store, ns, clock_now()) == ST_OK);
	ns_outbox_clear(&ns->outbox);
}

static void add_session(struct ns *ns, struct rng *rng, uint32_t number)
{
	struct lw_eui64 dev_eui = lw_eui64_from_number(0x70b3d50000000000 + number);
	struct ns_session session = {.dev_eui = dev_eui,
				     .dev_addr = {number},
				     .device = ns_device_find(&ns->sessions, &dev_eui),
				     .tag = number + 1,
				     .fcnt_up = number % 1000,
				     .n_fcnt_down = number % 100,
				     .mac_version = LW_MAC_1_0_4,
				     .rx_delay_s = 5,
				     .rx2_freq_hz = 869525000,
				     .nb_trans = 1};
	ASSERT(session.device != NS_NO_SLOT);
	rng_fill(rng, session.f_nwk_s_int_key.bytes, sizeof session.f_nwk_s_int_key.bytes);
	session.s_nwk_s_int_key = session.nwk_s_enc_key = session.f_nwk_s_int_key;
	struct lw_channel_plan plan;
	lw_plan_init(&plan, ns_region(ns, 0));
	ASSERT(ns_session_set_plan(&ns->sessions, &session, &plan));
	ASSERT(ns_session_add(&ns->sessions, &session) != NS_NO_SLOT);
}

/* Devices as desired state, sessions as rows that the sweep writes. */
static void fill(struct ns_store *store, struct ns *ns, struct rng *rng, uint32_t sessions)
{
	struct now now = clock_now();
	uint64_t version = 1;
	ns_on_state_begin(ns, now, &(struct net_state_begin){.city = {{7}}, .full = true});
	struct net_profile profile = {.version = version,
				      .id = {{1}},
				      .mac_version = LW_MAC_1_0_4,
				      .region_id = "eu868",
				      .rx2_dr = 255};
	net_profile_defaults(&profile);
	ns_on_profile(ns, now, &profile);
	for (uint32_t i = 0; i < sessions; i++) {
		if (ns_turn_is_full(ns))
			commit(store, ns);
		version++;
		ns_on_device(ns, now,
			     &(struct net_device){.version = version,
						  .dev_eui = lw_eui64_from_number(0x70b3d50000000000 + i),
						  .join_eui = {{1}},
						  .enabled = true,
						  .profile = {{1}}});
		add_session(ns, rng, i);
	}
	ns_on_state_end(ns, now, &(struct net_state_end){version});
	while (ns->state.sweeping || ns->sessions.dirty_count > 0) {
		ns->fold.next = (struct mono){0};
		commit(store, ns);
		ns_state_tick(ns, clock_now());
	}
	commit(store, ns);
	ASSERT_CMP(ns->sessions.devices.count, ==, sessions);
}

static void make_database(uint32_t sessions)
{
	static struct ns ns;
	struct ns_config config = {0};
	struct ns_store store;
	struct rng rng = rng_seeded(1);
	char path[T_DIR_MAX + 64];
	uint8_t key[SECRET_KEY];
	ASSERT(secret_init() == ST_OK);
	ns_config_defaults(&config);
	struct lw_region *region = calloc(1, sizeof *region);
	ASSERT(region && region_load(region, "eu868"));
	config.regions = region;
	config.region_count = 1;
	config.prefixes[0] = (struct lw_dev_addr_prefix){0, 7};
	config.prefix_count = 1;
	snprintf(path, sizeof path, "%s/keys/network-server.master", dir);
	ASSERT(key_file_read(path, key, sizeof key) == KEY_FILE_OK);
	struct secret_master *master = secret_master_from(key);
	config.master = master;
	snprintf(path, sizeof path, "%s/network.db", dir);
	ASSERT(ns_store_open(&store, path, NULL) == ST_OK);
	ns_init(&ns, &config, &rng);
	fill(&store, &ns, &rng, sessions);
	ns_release(&ns);
	ns_store_close(&store);
	secret_master_free(master);
	free(region);
}

/* kB of a process, from smaps_rollup. */
static unsigned pss_of(int pid)
{
	char path[64], line[256];
	unsigned pss = 0;
	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		(void)!sscanf(line, "Pss: %u", &pss);
	if (file)
		fclose(file);
	return pss;
}

static void run(uint32_t sessions)
{
	char config[T_DIR_MAX + 32], admin[T_DIR_MAX + 64];
	t_temp_dir(dir);
	struct t_process *init = t_process_start(&(struct t_process_options){
		.program = "lamppost", .arguments = {"init", "--state", dir}, .dir = dir});
	ASSERT(t_process_wait(init) == 0);
	t_process_free(init);
	make_database(sessions);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(admin, sizeof admin, "%s/run/network-server.admin.sock", dir);
	for (unsigned i = 0; i < RUNS; i++) {
		double begin = t_seconds();
		struct t_process *server = t_process_start(&(struct t_process_options){
			.program = "network-server", .arguments = {"-c", config}, .dir = dir});
		ASSERT(t_wait_until(t_is_healthy, admin, 120));
		double healthy = t_seconds();
		unsigned pss = pss_of(t_process_pid(server));
		ASSERT((uint32_t)t_metric(admin, "lamppost_network_sessions") == sessions);
		double stop = t_seconds();
		ASSERT(t_process_stop(server) == 0);
		printf("%9u sessions: start %6.3f s  PSS %4u MB  stop %5.3f s\n", sessions, healthy - begin,
		       pss / 1024, t_seconds() - stop);
		fflush(stdout);
		t_process_free(server);
	}
	t_temp_dir_remove(dir);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = {"1000", "100000", "1000000"};
	int count = argc > 1 ? argc - 1 : 3;
	for (int i = 0; i < count; i++)
		run((uint32_t)strtoul(argc > 1 ? argv[i + 1] : usual[i], NULL, 10));
	return 0;
}
