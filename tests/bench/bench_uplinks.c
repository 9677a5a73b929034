/* What an uplink costs the network server's core alone: no sockets, no store, turns of 16 uplinks, each heard by three
 * gateways, from devices drawn at random; without ADR, and with each of its algorithms at a device whose settings stay.
 *
 *	bench_uplinks [SESSIONS...]     default: 1000 1000000 */
#include "common/base/check.h"
#include "common/crypto/secret.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mic.h"
#include "common/text/region_yaml.h"
#include "network-server/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UPLINKS 200000
#define TURN    16

static struct ns ns;
static struct rng rng;
static struct aes *aes;
static struct now now = {
	.mono = {1000000000}, .wall = {INT64_C(1795284000000000)}, .wall_synchronised = true};
static struct lw_key key = {{1, 2, 3}};

static double cpu_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void end_turn(void)
{
	if (ns_journal_next(&ns.journal) > 1)
		ns.journal.stored_row = ns.journal.event_row;
	ns_turn_done(&ns);
	ns_outbox_clear(&ns.outbox);
}

/* Of whatever algorithm: a device at DR5 that is just heard keeps DR5 and full power. */
static void add_profile(uint64_t version, bool adr, enum net_adr_algorithm algorithm)
{
	struct net_profile profile = {.version = version,
				      .id = {{1}},
				      .mac_version = LW_MAC_1_0_4,
				      .region_id = "eu868",
				      .rx2_dr = 255};
	net_profile_defaults(&profile);
	profile.adr = adr;
	profile.adr_algorithm = algorithm;
	profile.adr_fixed_dr = 5;
	profile.dev_status_interval_h = 0;
	ns_on_profile(&ns, now, &profile);
}

static void choose_adr(bool adr, enum net_adr_algorithm algorithm)
{
	uint64_t version = ns.state.applied_version + 1;
	ns_on_state_begin(&ns, now, &(struct net_state_begin){.city = {{7}}});
	add_profile(version, adr, algorithm);
	ns_on_state_end(&ns, now, &(struct net_state_end){version});
	end_turn();
}

static void add_devices(uint32_t sessions)
{
	uint64_t version = 1;
	ns_on_state_begin(&ns, now, &(struct net_state_begin){.city = {{7}}, .full = true});
	add_profile(version, false, NET_ADR_USUAL);
	for (uint64_t i = 1; i <= 3; i++) {
		struct net_gateway gateway = {
			.version = version + i,
			.gateway = {.eui = lw_eui64_from_number(i), .region_id = "eu868"}};
		ns_on_gateway(&ns, now, &gateway);
	}
	version += 4;
	for (uint32_t i = 0; i < sessions; i++) {
		if (ns_turn_is_full(&ns))
			end_turn();
		struct lw_eui64 dev_eui = lw_eui64_from_number(0x70b3d50000000000 + i);
		ns_on_device(&ns, now,
			     &(struct net_device){.version = version + i,
						  .dev_eui = dev_eui,
						  .join_eui = {{1}},
						  .enabled = true,
						  .profile = {{1}}});
		struct ns_session session = {.dev_eui = dev_eui,
					     .dev_addr = {i},
					     .device = ns_device_find(&ns.sessions, &dev_eui),
					     .tag = i + 1,
					     .mac_version = LW_MAC_1_0_4,
					     .rx_delay_s = 5,
					     .rx2_freq_hz = 869525000,
					     .nb_trans = 1,
					     .f_nwk_s_int_key = key,
					     .s_nwk_s_int_key = key,
					     .nwk_s_enc_key = key};
		struct lw_channel_plan plan;
		lw_plan_init(&plan, ns_region(&ns, 0));
		ASSERT(ns_session_set_plan(&ns.sessions, &session, &plan));
		ASSERT(ns_session_add(&ns.sessions, &session) != NS_NO_SLOT);
	}
	ns_on_state_end(&ns, now, &(struct net_state_end){version + sessions});
	while (ns.state.sweeping) {
		ns_state_tick(&ns, now);
		end_turn();
	}
	ns_on_bridge(&ns, now, 7);
}

static void make(struct gw_uplink *uplink, uint32_t device)
{
	uint32_t fcnt = ns_session_at(&ns.sessions, device)->fcnt_up;
	static const uint8_t payload[16] = {1};
	struct lw_frame frame = {.ftype = LW_UNCONFIRMED_UP,
				 .dev_addr = {device},
				 .fctrl = {.adr = true},
				 .fcnt = (uint16_t)fcnt,
				 .has_fport = true,
				 .fport = 1,
				 .frm_payload = payload,
				 .frm_payload_length = sizeof payload};
	*uplink = (struct gw_uplink){
		.freq_hz = 868100000,
		.modulation = lw_region_data_rate(ns_region(&ns, 0), LW_UP, 5)->modulation,
		.rssi_dbm = -90,
		.has_snr = true,
		.snr_cdb = -700};
	uplink->phy_length = (uint8_t)lw_frame_encode(&frame, uplink->phy, sizeof uplink->phy);
	struct lw_mic_input input = {.direction = LW_UP,
				     .dev_addr = {device},
				     .fcnt = fcnt,
				     .msg = uplink->phy,
				     .length = (uint8_t)(uplink->phy_length - 4)};
	lw_frame_set_mic(uplink->phy, uplink->phy_length, lw_mic_1_0(aes, &key, &input));
}

/* Nanoseconds of the core for each uplink. */
static double measure(uint32_t sessions)
{
	static struct gw_uplink uplinks[TURN];
	double spent = 0;
	uint64_t seq = 0, accepted = ns.uplinks;
	for (uint32_t i = 0; i < UPLINKS; i += TURN) {
		for (int j = 0; j < TURN; j++)
			make(&uplinks[j], rng_u32(&rng) % sessions);
		double before = cpu_ns();
		for (int j = 0; j < TURN; j++)
			for (uint64_t gateway = 1; gateway <= 3; gateway++) {
				uplinks[j].gateway = lw_eui64_from_number(gateway);
				uplinks[j].ticks.us = (uint32_t)(now.mono.us + (int64_t)gateway * 1000);
				ns_on_uplink(&ns, now, 7, ++seq, &uplinks[j]);
			}
		now.mono.us += 250 * US_PER_MS;
		now.wall.us += 250 * US_PER_MS;
		ns_on_tick(&ns, now);
		spent += cpu_ns() - before;
		end_turn();
		now.mono.us += 10 * US_PER_S;
		ns_on_tick(&ns, now);
		end_turn();
	}
	ASSERT(ns.uplinks - accepted > UPLINKS * 9 / 10);
	return spent / UPLINKS;
}

static void run(uint32_t sessions, struct lw_region *region, struct secret_master *master)
{
	struct ns_config config = {0};
	ns_config_defaults(&config);
	config.regions = region;
	config.region_count = 1;
	config.prefixes[0] = (struct lw_dev_addr_prefix){0, 7};
	config.prefix_count = 1;
	config.master = master;
	rng = rng_seeded(1);
	ns_init(&ns, &config, &rng);
	add_devices(sessions);
	(void)measure(sessions);
	for (int i = 0; i < 3; i++)
		printf("%9u sessions: %6.0f ns an uplink\n", sessions, measure(sessions));
	for (enum net_adr_algorithm algorithm = 0; algorithm < NET_ADR_ALGORITHMS; algorithm++) {
		choose_adr(true, algorithm);
		(void)measure(sessions);
		printf("%9u sessions: %6.0f ns an uplink with ADR %s\n", sessions, measure(sessions),
		       net_adr_algorithm_name(algorithm));
	}
	ns_release(&ns);
}

int main(int argc, char **argv)
{
	static const char *const usual[] = {"1000", "1000000"};
	struct lw_region *region = calloc(1, sizeof *region);
	ASSERT(secret_init() == ST_OK && region && region_load(region, "eu868"));
	struct secret_master *master = secret_master_from((uint8_t[SECRET_KEY]){1});
	aes = aes_new();
	int count = argc > 1 ? argc - 1 : 2;
	for (int i = 0; i < count; i++)
		run((uint32_t)strtoul(argc > 1 ? argv[i + 1] : usual[i], NULL, 10), region, master);
	secret_master_free(master);
	aes_free(aes);
	free(region);
	return 0;
}
