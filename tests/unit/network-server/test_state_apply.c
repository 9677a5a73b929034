/* Desired state: begin, records in order of version, end; what is refused, and what a full run removes. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/state_rows.h"

#include <string.h>

static struct rig rig;

static void end_at(uint64_t version)
{
	struct net_state_end end = {version};
	ns_on_state_end(&rig.ns, rig.now, &end);
	rig_turn(&rig);
}

static void all_chosen(struct net_profile *profile)
{
	profile->adr_margin_db = 15;
	profile->min_dr = 1;
	profile->max_dr = 4;
	profile->max_nb_trans = 2;
	profile->dev_status_interval_h = 8784;
	profile->max_duty_cycle = 7;
	profile->uplink_dwell = 1;
	profile->downlink_dwell = 0;
	profile->max_eirp_dbm = 14;
	profile->confirmed_downlink_tries = 8;
	profile->adr_algorithm = NET_ADR_FIXED;
	profile->adr_fixed_dr = 3;
	profile->regional_revision = LW_RP001_1_0_3A;
	profile->fcnt_16_bit = true;
	profile->quirks = NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST | NET_QUIRK_DUPLICATE_LINK_ADR_ANS;
	profile->adr_ack_limit_exp = 5;
	profile->adr_ack_delay_exp = 4;
	profile->rejoin = NET_REJOIN_KEYS;
	profile->rejoin_time_exp = 10;
	profile->rejoin_count_exp = 12;
	profile->beacon_freq_hz = 869525000;
	profile->ping_slot_freq_hz = 869400000;
	profile->ping_slot_dr = 3;
}

static void applied_and_kept(void **state)
{
	(void)state;
	rig_init(&rig);
	struct rig_device device;
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
	t_uint("applied", rig.version, rig.applied_version);
	rig_restart(&rig);
	t_uint("known after a restart", rig.version, rig.ns.state.applied_version);
	struct net_uuid city = rig_uuid(200);
	t_bytes("of that city", city.bytes, 16, rig.ns.state.city.bytes, 16);
	t_uint("devices", 1, rig.ns.sessions.devices.count);
	t_uint("gateways", 3, rig.ns.gateways.slab.count);
	rig_release(&rig);
}

/* Rows of a profile: as the first release wrote them, and as they are written now. */
static void profiles_of_every_format(void **state)
{
	(void)state;
	rig_init(&rig);
	uint8_t bytes[96];
	struct wr wr = wr_init(bytes, sizeof bytes);
	wr_u8(&wr, 1);
	wr_u64le(&wr, 3);
	wr_u8(&wr, LW_MAC_1_0_4);
	wr_copy(&wr, (const uint8_t[GW_REGION_ID_MAX]){"eu868"}, GW_REGION_ID_MAX);
	wr_copy(&wr, (const uint8_t[4]){NET_CLASS_C, 2, 1, 255}, 4);
	wr_u32le(&wr, 0);
	wr_u8(&wr, 1);
	wr_u32le(&wr, 60);
	struct net_uuid id = rig_uuid(40);
	t_true("taken", ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	const struct net_profile *profile = &rig.ns.profiles[1].record;
	t_uint("version", 3, profile->version);
	t_uint("late uplinks", 60, profile->late_uplink_s);
	t_uint("margin", 10, profile->adr_margin_db);
	t_uint("lowest data rate", 0, profile->min_dr);
	t_uint("highest data rate", NET_REGIONS_OWN, profile->max_dr);
	t_uint("NbTrans", 3, profile->max_nb_trans);
	t_uint("DevStatusReq", 24, profile->dev_status_interval_h);
	t_uint("tries", 3, profile->confirmed_downlink_tries);
	t_false("cut short",
		ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr) - 1));
	bytes[0] = 2;
	t_false("less than it says",
		ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	static const uint8_t second[] = {24, 0, 12, 1, 4, 2, 7, 1, 0, 14, 8};
	wr_copy(&wr, second, sizeof second);
	t_true("the second format",
	       ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	t_uint("its margin", 12, rig.ns.profiles[1].record.adr_margin_db);
	t_uint("its tries", 8, rig.ns.profiles[1].record.confirmed_downlink_tries);
	t_int("ADR as it was", NET_ADR_USUAL, rig.ns.profiles[1].record.adr_algorithm);
	bytes[0] = 3;
	wr_u8(&wr, NET_ADR_FIXED);
	wr_u8(&wr, 5);
	t_true("the third", ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	t_int("ADR", NET_ADR_FIXED, rig.ns.profiles[1].record.adr_algorithm);
	t_uint("its data rate", 5, rig.ns.profiles[1].record.adr_fixed_dr);
	bytes[wr_length(&wr) - 2] = 77;
	t_false("no such algorithm",
		ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	bytes[wr_length(&wr) - 2] = NET_ADR_FIXED;
	t_int("revision as it was", LW_RP002_1_0_4, rig.ns.profiles[1].record.regional_revision);
	t_uint("ADRParamSetupReq is not asked", NET_DEVICES_OWN, rig.ns.profiles[1].record.adr_ack_limit_exp);
	t_int("rejoin", NET_REJOIN_ALL, rig.ns.profiles[1].record.rejoin);
	bytes[0] = 4;
	size_t third = wr_length(&wr);
	static const uint8_t fourth[] = {
		LW_RP001_1_0_2B, 1, 7, 5, 4, NET_REJOIN_NONE, 10, 12, 0x88, 0x3c, 0xd4, 0x33, 0, 0, 0, 0, 3};
	wr_copy(&wr, fourth, sizeof fourth);
	t_true("the fourth", ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	t_int("revision", LW_RP001_1_0_2B, rig.ns.profiles[1].record.regional_revision);
	t_uint("beacon", 869547144, rig.ns.profiles[1].record.beacon_freq_hz);
	t_uint("ping slots", 3, rig.ns.profiles[1].record.ping_slot_dr);
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{0, LW_REGIONAL_REVISION_COUNT}, {2, NET_QUIRKS + 1}, {5, NET_REJOINS}};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		bytes[third + wrong[i].at] = wrong[i].value;
		t_false("out of its range",
			ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
		bytes[third + wrong[i].at] = fourth[wrong[i].at];
	}
	bytes[0] = 5;
	t_false("a format to come",
		ns_load_write(&rig.ns, NS_WRITE_PROFILE, id.bytes, 16, bytes, wr_length(&wr)));
	rig_release(&rig);

	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 41, LW_MAC_1_0_4, "eu868", all_chosen);
	rig_state_end(&rig);
	struct net_profile written = rig.ns.profiles[1].record;
	rig_restart(&rig);
	profile = &rig.ns.profiles[1].record;
	for (int i = 0; i < 2; i++) /* rows come in any order */
		if (rig.ns.profiles[i].record.version == written.version)
			profile = &rig.ns.profiles[i].record;
	t_bytes("as written", (const uint8_t *)&written, sizeof written, (const uint8_t *)profile,
		sizeof *profile);
	rig_release(&rig);
}

static void a_change_keeps_the_session(void **state)
{
	(void)state;
	rig_init(&rig);
	struct rig_device device;
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
	ns_session_at(&rig.ns.sessions, 0)->fcnt_up = 17;
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
	t_uint("counter goes on", 17,
	       ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session)->fcnt_up);
	rig_abp(&rig, &device, 1, 0, 0x26000002, false);
	t_uint("another address is another session", 0,
	       ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session)->fcnt_up);
	t_false("the old one is gone",
		ns_sessions_has_addr(&rig.ns.sessions, (struct lw_dev_addr){0x26000001}));
	rig_release(&rig);
}

static void full_run_removes_what_it_does_not_name(void **state)
{
	(void)state;
	rig_init(&rig);
	struct rig_device device;
	rig_abp(&rig, &device, 1, 0, 0x26000001, false);
	struct net_enqueue item = {.item = rig_uuid(9), .dev_eui = device.dev_eui, .fport = 1};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
	rig_state_begin(&rig, true);
	rig_gateway(&rig, 1, "eu868", false);
	rig_state_end(&rig);
	t_uint("devices", 0, rig.ns.sessions.devices.count);
	t_uint("sessions", 0, rig.ns.sessions.slab.count);
	t_uint("gateways", 1, rig.ns.gateways.slab.count);
	t_uint("items", 0, rig.ns.queue.items.count);
	t_false("its JoinEUI is not ours any more",
		ns_foreign_is_our_join_eui(&rig.ns.foreign, &device.join_eui));
	rig_restart(&rig);
	t_uint("devices after a restart", 0, rig.ns.sessions.devices.count);
	t_uint("items after a restart", 0, rig.ns.queue.items.count);
	rig_release(&rig);
}

static void what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int change;
		enum ns_drop expected;
	} rows[] = {
		{"a record outside a run", 1, NS_DROP_STATE_OUT_OF_ORDER},
		{"a record older than what was applied", 2, NS_DROP_STATE_OUT_OF_ORDER},
		{"another city without a full run", 3, NS_DROP_STATE_OUT_OF_ORDER},
		{"an end before its records", 4, NS_DROP_STATE_OUT_OF_ORDER},
		{"a region that is not configured", 5, NS_DROP_STATE_INVALID},
		{"a channel plan that the region has not", 6, NS_DROP_STATE_INVALID},
		{"RxDelay 16", 7, NS_DROP_STATE_INVALID},
		{"a profile nobody sent", 8, NS_DROP_STATE_INVALID},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		uint64_t applied = rig.applied_version;
		struct net_state_begin begin = {.city = rig_uuid(rows[i].change == 3 ? 201 : 200)};
		if (rows[i].change != 1)
			ns_on_state_begin(&rig.ns, rig.now, &begin);
		struct net_profile profile = {
			.version = applied + 1, .id = rig_uuid(1), .rx2_dr = 255, .region_id = "eu868"};
		net_profile_defaults(&profile);
		struct net_gateway gateway = {.version = applied + 1,
					      .gateway = {.eui = rig_eui(8), .region_id = "us915"},
					      .channel_plan = "90-95"};
		struct net_device device = {
			.version = applied + 1, .profile = rig_uuid(77), .dev_eui = rig_eui(5)};
		if (rows[i].change == 2)
			profile.version = 1;
		if (rows[i].change == 5)
			snprintf(profile.region_id, sizeof profile.region_id, "kr920");
		if (rows[i].change == 7)
			profile.rx_delay_s = 16;
		if (rows[i].change == 6)
			ns_on_gateway(&rig.ns, rig.now, &gateway);
		else if (rows[i].change == 8)
			ns_on_device(&rig.ns, rig.now, &device);
		else if (rows[i].change != 3)
			ns_on_profile(&rig.ns, rig.now, &profile);
		end_at(rows[i].change == 4 ? 1 : applied + 1);
		t_true(ns_verdict(rows[i].expected)->name, rig.ns.drops[rows[i].expected] >= 1);
		t_uint("not acknowledged", applied, rig.applied_version);
		t_uint("no device", 0, rig.ns.sessions.devices.count);
		t_uint("no gateway", 3, rig.ns.gateways.slab.count);
		/* A later run is applied, but not said to be: what was not taken would be forgotten. */
		rig_state_begin(&rig, false);
		rig.version += 2;
		rig_profile(&rig, 2, LW_MAC_1_0_4, "eu868", NULL);
		rig_state_end(&rig);
		t_uint("nor is a later one acknowledged", applied, rig.applied_version);
		t_uint("not asked yet", 0, rig.wanted);
		rig_run(&rig, 6 * US_PER_S);
		t_uint("asked for again", 1, rig.wanted);
		t_uint("from there", applied, rig.ns.state.applied_version);
		/* The run is sent again, well formed, and heals it. */
		rig_state_begin(&rig, false);
		rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", NULL);
		rig_state_end(&rig);
		t_uint("the next run is applied", rig.version, rig.applied_version);
		rig_release(&rig);
	}
}

static void a_key_that_does_not_open_silences_that_device_alone(void **state)
{
	(void)state;
	rig_init(&rig);
	struct rig_device device;
	struct net_device record;
	rig_abp_record(&rig, &device, &record, 1, 0, 0x26000001, false);
	record.nwk_s_key[5] ^= 1;
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
	t_uint("counted", 1, rig.ns.drops[NS_DROP_STATE_KEY]);
	t_uint("the run is applied", rig.version, rig.applied_version);
	t_uint("no session", 0, rig.ns.sessions.slab.count);
	rig_release(&rig);
}

/* More devices than one turn has room to remove; each removal is written once, and only then is the run acknowledged. */
static void a_full_run_that_removes_more_than_a_turn_holds(void **state)
{
	(void)state;
	enum { DEVICES = NS_WRITES_MAX + 4000 };
	rig_init(&rig);
	ns_release(&rig.ns);
	rig.config.max_devices = DEVICES;
	ns_init(&rig.ns, &rig.config, &rig.rng);
	rig.version = 0;
	rig.applied_version = 0;
	rig_state_begin(&rig, true);
	rig_profile(&rig, 0, LW_MAC_1_0_3, "eu868", NULL);
	for (uint64_t i = 0; i < DEVICES; i++) {
		if (ns_turn_is_full(&rig.ns)) /* as the edge does before each message */
			ns_turn_done(&rig.ns);
		ns_on_device(&rig.ns, rig.now,
			     &(struct net_device){.version = ++rig.version,
						  .dev_eui = rig_eui(i + 1),
						  .join_eui = rig_eui(7),
						  .profile = rig_uuid(0),
						  .enabled = true});
	}
	ns_turn_done(&rig.ns);
	ns_on_state_end(&rig.ns, rig.now, &(struct net_state_end){rig.version});
	while (rig.ns.outbox.count == 0) { /* none goes, but all are looked at */
		ns_turn_done(&rig.ns);
		ns_on_tick(&rig.ns, rig.now);
	}
	t_uint("all are there", DEVICES, rig.ns.sessions.devices.count);
	ns_turn_done(&rig.ns);
	ns_outbox_clear(&rig.ns.outbox);

	rig_state_begin(&rig, true);
	t_uint("while it runs nothing is applied", 0, rig.ns.state.applied_version);
	rig.version++;
	rig_profile(&rig, 0, LW_MAC_1_0_3, "eu868", NULL);
	ns_on_state_end(&rig.ns, rig.now, &(struct net_state_end){rig.version});
	unsigned deleted = 0, turns = 0;
	bool applied = false;
	while (!applied && turns++ < DEVICES) {
		for (size_t i = 0; i < rig.ns.write_count; i++)
			deleted += rig.ns.writes[i].deleted;
		applied = rig.ns.outbox.count > 0;
		ns_turn_done(&rig.ns);
		t_true("goes on at once", applied || ns_next_deadline(&rig.ns).us <= rig.now.mono.us);
		if (!applied)
			ns_on_tick(&rig.ns, rig.now);
		if (!applied && turns == 3) { /* an increment at its heels does not spoil it */
			rig_state_begin(&rig, false);
			rig_profile(&rig, 1, LW_MAC_1_0_4, "eu868", NULL);
			ns_on_state_end(&rig.ns, rig.now, &(struct net_state_end){rig.version});
		}
	}
	t_uint("each removal is written", DEVICES, deleted);
	t_true("in slices", turns > 10);
	t_uint("none is left", 0, rig.ns.sessions.devices.count);
	t_uint("the increment's end", rig.version, rig.ns.state.applied_version);
	t_true("its profile", rig.ns.profiles[0].used && rig.ns.profiles[1].used);
	t_int("acknowledged", NS_OUT_STATE_APPLIED, rig.ns.outbox.entries[0].kind);
	rig_release(&rig);
}

/* The next thing that the application server is told after a crash in a full run is that we have nothing. */
static void an_interrupted_full_run_is_begun_again(void **state)
{
	(void)state;
	rig_init(&rig);
	rig_state_begin(&rig, true);
	rig_profile(&rig, 0, LW_MAC_1_0_3, "eu868", NULL);
	rig_turn(&rig);
	rig_restart(&rig);
	struct net_uuid none = {{0}};
	t_uint("version", 0, rig.ns.state.applied_version);
	t_bytes("city", none.bytes, 16, rig.ns.state.city.bytes, 16);
	rig_release(&rig);
}

static void gateway_list_in_parts(void **state)
{
	(void)state;
	static struct gw_gateway_list list;
	rig_init(&rig);
	uint32_t cursor = 0;
	t_false("one part", ns_gateway_list_part(&rig.ns, &cursor, &list));
	t_true("first and last", list.first && list.last);
	t_uint("gateways", 3, list.count);
	uint64_t version = list.version;
	rig_state_begin(&rig, false);
	struct net_gateway gone = {.version = ++rig.version, .deleted = true, .gateway = {.eui = rig_eui(2)}};
	ns_on_gateway(&rig.ns, rig.now, &gone);
	rig_state_end(&rig);
	cursor = 0;
	(void)ns_gateway_list_part(&rig.ns, &cursor, &list);
	t_true("a newer version", list.version > version);
	t_uint("gateways", 2, list.count);
	rig_release(&rig);
}

/* What a gateway may come by lasts over a restart, and rows of before there was a policy are read. */
static void gateways_of_every_format(void **state)
{
	(void)state;
	struct net_gateway record = {.version = 900, .channel_plan = "8-15,65"};
	struct lw_eui64 eui = rig_eui(77);
	record.gateway = (struct gw_gateway){.eui = eui,
					     .region_id = "us915",
					     .accept = GW_ACCEPT_TOKEN | GW_ACCEPT_CERTIFICATE,
					     .source_cidr = "192.0.2.0/24",
					     .token_count = 2,
					     .certificates_void_us = 1790000000000000,
					     .chip = GW_SX1301};
	memset(record.gateway.token_hashes[0], 0xa5, GW_TOKEN_HASH);
	memset(record.gateway.token_hashes[1], 0x5a, GW_TOKEN_HASH);
	rig_init(&rig);
	ns_state_write_gateway(&rig.ns, &record);
	struct ns_write write = rig.ns.writes[rig.ns.write_count - 1];
	t_row("as it is written now");
	t_true("read", ns_load_write(&rig.ns, NS_WRITE_GATEWAY, eui.bytes, 8, write.bytes, write.length));
	const struct net_gateway *got =
		&ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui))->record;
	t_uint("accept", record.gateway.accept, got->gateway.accept);
	t_str("source", record.gateway.source_cidr, got->gateway.source_cidr);
	t_uint("tokens", 2, got->gateway.token_count);
	t_bytes("the first", record.gateway.token_hashes[0], GW_TOKEN_HASH, got->gateway.token_hashes[0],
		GW_TOKEN_HASH);
	t_bytes("the second", record.gateway.token_hashes[1], GW_TOKEN_HASH, got->gateway.token_hashes[1],
		GW_TOKEN_HASH);
	t_int("void until", record.gateway.certificates_void_us, got->gateway.certificates_void_us);
	t_int("chip", GW_SX1301, got->gateway.chip);
	t_str("plan", "8-15,65", got->channel_plan);
	t_row("with three tokens");
	write.bytes[1 + 8 + 16 + 1 + 64 + 32 + 8 + 1] = 3;
	t_false("refused", ns_load_write(&rig.ns, NS_WRITE_GATEWAY, eui.bytes, 8, write.bytes, write.length));

	uint8_t first[1 + 8 + 16 + 1 + 64 + 32 + 32];
	struct wr wr = wr_init(first, sizeof first);
	char cidr[GW_CIDR_MAX] = "198.51.100.7", region[GW_REGION_ID_MAX] = "eu868", plan[32] = "";
	wr_u8(&wr, 1);
	wr_u64le(&wr, 900);
	wr_copy(&wr, (const uint8_t *)region, sizeof region);
	wr_u8(&wr, 1 | 1 << 1);
	wr_copy(&wr, (const uint8_t *)cidr, sizeof cidr);
	wr_copy(&wr, record.gateway.token_hashes[1], GW_TOKEN_HASH);
	wr_copy(&wr, (const uint8_t *)plan, sizeof plan);
	t_row("of the first format");
	eui = rig_eui(78);
	t_true("read", ns_load_write(&rig.ns, NS_WRITE_GATEWAY, eui.bytes, 8, first, wr_length(&wr)));
	got = &ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui))->record;
	t_uint("accept", GW_ACCEPT_UDP | GW_ACCEPT_TOKEN | GW_ACCEPT_CERTIFICATE, got->gateway.accept);
	t_str("source", cidr, got->gateway.source_cidr);
	t_uint("tokens", 1, got->gateway.token_count);
	t_bytes("it", record.gateway.token_hashes[1], GW_TOKEN_HASH, got->gateway.token_hashes[0],
		GW_TOKEN_HASH);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(applied_and_kept),
		t_test(profiles_of_every_format),
		t_test(gateways_of_every_format),
		t_test(a_change_keeps_the_session),
		t_test(full_run_removes_what_it_does_not_name),
		t_test(what_is_refused),
		t_test(a_full_run_that_removes_more_than_a_turn_holds),
		t_test(an_interrupted_full_run_is_begun_again),
		t_test(a_key_that_does_not_open_silences_that_device_alone),
		t_test(gateway_list_in_parts),
	};
	return t_run(tests);
}
