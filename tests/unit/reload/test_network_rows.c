/* Every row of network-server: what a reload of it does in the running core. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"
#include "tests/harness/process.h"
#include "tests/harness/reload_rows.h"
#include "tests/harness/ts002_peer.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"
#include "network-server/edge_process.h"
#include "network-server/join_servers.h"
#include "network-server/mac/mac.h"
#include "network-server/reconfigure.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#define DISK     "/dev/shm"
#define SOMEBODY 4242u

static struct rig rig;
static struct rig_device device;
static struct ns_edge edge;

static char tls[T_DIR_MAX];
static uint16_t answers_port, other_port;

/* Answers of others' join servers are taken, under a certificate of a.crt. */
static void open_network(char *base, size_t capacity)
{
	snprintf(base, capacity,
		 "  join_answers.listen: \"127.0.0.1:%u\"\n  join_answers.certificate: %s/a.crt\n"
		 "  join_answers.key: %s/a.key\n  join_answers.ca: %s/ca.crt\n",
		 answers_port, tls, tls, tls);
	rig_init(&rig);
	edge.loop = io_loop_new(NULL);
	(void)ns_wanted(&rig.ns, 0); /* made once, to be made anew */
	snprintf(edge.common.state_dir, sizeof edge.common.state_dir, DISK);
}

static void close_network(void)
{
	ns_edge_join_servers_release(&edge);
	ns_edge_join_answers_release(&edge);
	edge.answers_server = NULL;
	io_loop_free(edge.loop);
	rig_release(&rig);
}

/* The process has its core inside; here the rig has it. */
static bool apply(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	(void)ctx;
	memcpy(&edge.ns, &rig.ns, sizeof edge.ns);
	bool taken = ns_edge_reconfigure(&edge, wanted, problem);
	memcpy(&rig.ns, &edge.ns, sizeof rig.ns);
	return taken;
}

/* --- how each shows -------------------------------------------------------------------------------------------- */

static bool an_uplink_is_decided_after_100_ms(void)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	rig_abp(&rig, &device, 1, 0, 0x00000001, false);
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 100 * US_PER_MS);
	return rig_events_of(&rig, PROTO_UP_EVENT) == 1;
}

static bool devices_are_to_wait_7_s(void)
{
	struct ns_wish wish;
	const struct net_profile profile = {.mac_version = LW_MAC_1_0_3};
	ns_wish(&rig.ns, &profile, &rig.regions[0], false, &wish);
	return wish.rx_delay_s == 7;
}

static bool two_MiB_are_too_much(void)
{
	uint64_t bytes = rig.ns.journal.bytes;
	rig.ns.journal.bytes = 2u << 20;
	bool open = ns_journal_open(&rig.ns.journal);
	rig.ns.journal.bytes = bytes;
	return !open;
}

static bool the_disk_has_too_little_room(void)
{
	ns_edge_check_disk(&edge);
	return edge.ns.journal.disk_low;
}

static bool devices_are_to_have_867_3(void)
{
	const struct ns_wanted *wanted = ns_wanted(&rig.ns, 0);
	return wanted->plan.freq_hz[3] == 867300000;
}

static bool devices_are_to_have_the_first_sub_band(void)
{
	char text[16];
	return strcmp("0-7,64",
		      lw_channels_format(text, sizeof text, &ns_wanted(&rig.ns, 1)->plan.enabled)) == 0;
}

static bool the_join_eui_is_ours(void)
{
	const struct lw_eui64 join_eui = lw_eui64_from_number(UINT64_C(0x70b3d57ed0000001));
	return ns_foreign_is_our_join_eui(&rig.ns.foreign, &join_eui);
}

static bool the_address_is_ours(void)
{
	return ns_foreign_is_our_addr(&rig.ns.foreign, (struct lw_dev_addr){0x26000001});
}

static bool storms_are_not_looked_for(void)
{
	return rig.ns.config.first_come;
}

static bool somebody_may_be_a_bridge(void)
{
	return callers_allow(&edge.callers, NS_CALLER_BRIDGE, SOMEBODY);
}

static bool the_maker_is_asked(void)
{
	const struct lw_eui64 join_eui = lw_eui64_from_number(UINT64_C(0x70b3d57ed0000001));
	uint8_t place = bi_join_server_for(edge.ns.config.join_servers, edge.ns.config.join_server_count,
					   &join_eui);
	return place != NS_JOIN_SERVER_OURS && edge.join_servers[place] != NULL;
}

static bool answers_are_taken_there(void)
{
	return io_http_server_port(edge.answers_server) == other_port;
}

/* While the file of the beginning is away. */
static bool reads_another(const char *name)
{
	char path[T_DIR_MAX + 16], away[T_DIR_MAX + 24];
	snprintf(path, sizeof path, "%s/%s", tls, name);
	snprintf(away, sizeof away, "%s.away", path);
	assert_int_equal(0, rename(path, away));
	bool good = io_http_server_reload_tls(edge.answers_server) == ST_OK;
	assert_int_equal(0, rename(away, path));
	return good;
}

static bool another_certificate_is_shown(void)
{
	return reads_another("a.crt");
}

static bool another_key_is_used(void)
{
	return reads_another("a.key");
}

static bool others_are_trusted(void)
{
	return reads_another("ca.crt");
}

/* Each file twice, for rows that change one at a time. */
static char listen_value[32], certificate_value[T_DIR_MAX + 16], key_value[T_DIR_MAX + 16],
	ca_value[T_DIR_MAX + 16];

static void make_files(void)
{
	static const struct {
		const char *from, *to;
		char *value;
	} copies[] = {{"a.crt", "b.crt", certificate_value},
		      {"a.key", "b.key", key_value},
		      {"ca.crt", "cb.crt", ca_value}};
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	t_tls_certificate(tls, "ca", "a");
	answers_port = t_free_tcp_port();
	other_port = t_free_tcp_port();
	snprintf(listen_value, sizeof listen_value, "127.0.0.1:%u", other_port);
	for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
		static char text[16384];
		char path[T_DIR_MAX + 16];
		snprintf(path, sizeof path, "%s/%s", tls, copies[i].from);
		FILE *file = fopen(path, "re");
		assert_non_null(file);
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
		snprintf(copies[i].value, sizeof certificate_value, "%s/%s", tls, copies[i].to);
		t_write_file(copies[i].value, text);
	}
}

static char floor_value[32];

static const struct t_reload_case cases[] = {
	{"common.dev_addr_prefixes", "[\"26000000/7\"]", the_address_is_ours, false},
	{"dedup_window_ms", "50", an_uplink_is_decided_after_100_ms, false},
	{"regions", "[eu868]", NULL, false},
	{"rx_delay_s", "7", devices_are_to_wait_7_s, false},
	{"journal_limit", "1", two_MiB_are_too_much, false},
	{"disk_floor", floor_value, the_disk_has_too_little_room, false},
	{"max_devices", "2000", NULL, false},
	{"join_servers", "{maker: {join_euis: 70b3d57ed0000000/36, url: \"https://js.example/\"}}",
	 the_maker_is_asked, false},
	{"join_answers.listen", listen_value, answers_are_taken_there, false},
	{"join_answers.certificate", certificate_value, another_certificate_is_shown, false},
	{"join_answers.key", key_value, another_key_is_used, false},
	{"join_answers.ca", ca_value, others_are_trusted, false},
	{"extra_channels", "{eu868: \"867.3\"}", devices_are_to_have_867_3, false},
	{"channel_plans", "{us915: \"sub-band 1\"}", devices_are_to_have_the_first_sub_band, false},
	{"join_eui_prefixes", "[\"70b3d57ed0000000/36\"]", the_join_eui_is_ours, false},
	{"join_storm", "false", storms_are_not_looked_for, false},
	{"callers", "{bridges: \"4242\"}", somebody_may_be_a_bridge, false},
};

static void every_row(void **state)
{
	(void)state;
	struct statvfs disk;
	make_files();
	assert_int_equal(0, statvfs(DISK, &disk));
	unsigned long long free_mib = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
	snprintf(floor_value, sizeof floor_value, "%llu", free_mib + 1000);
	const struct t_reload_process process = {.program = {"network-server", "Tested.", ns_option_rows,
							     ns_option_row_count, &edge.options,
							     sizeof edge.options},
						 .cases = cases,
						 .case_count = ARRAY_SIZE(cases),
						 .open = open_network,
						 .close = close_network,
						 .apply = apply};
	t_reload_walk(&process);
	t_temp_dir_remove(tls);
}

static const struct {
	const char *name, *label, *mhz;
	const char *regions[2]; /* of the file */
	bool good;
} channels[] = {
	{"a region that runs", "eu868", "867.3", {"eu868", "us915"}, true},
	{"a region that the file adds, for the next start", "in865", "865.9", {"eu868", "in865"}, true},
	{"a region that nobody names", "in865", "865.9", {"eu868", "us915"}, false},
	{"a frequency that the region does not have", "eu868", "915.1", {"eu868", "us915"}, false},
};

static void extra_channels_are_checked_against_the_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		struct config_common common = {.net_id = "000000"};
		struct ns_options options = {.dedup_window_ms = 200, .rx_delay_s = 5, .max_devices = 1000};
		struct option_list regions = {.count = 2};
		char problem[CONFIG_ERROR_MAX];
		t_row(channels[i].name);
		rig_init(&rig);
		struct ns_config config = rig.ns.config;
		snprintf(options.extra_channels.entries[0].label, OPTION_LABEL_MAX, "%s", channels[i].label);
		snprintf(options.extra_channels.entries[0].value, OPTION_PATH_MAX, "%s", channels[i].mhz);
		options.extra_channels.count = 1;
		for (size_t j = 0; j < 2; j++)
			snprintf(regions.items[j], OPTION_ITEM_MAX, "%s", channels[i].regions[j]);
		t_int("good", channels[i].good,
		      ns_config_from(&config, &common, &options, &regions, problem));
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_row),
		t_test(extra_channels_are_checked_against_the_file),
	};
	return t_run(tests);
}
