/* Every row of gateway-bridge: what a reload of it does in the running core. */
#include "tests/harness/harness.h"
#include "tests/harness/reload_rows.h"

#include "common/text/region_yaml.h"
#include "gateway-bridge/bridge_station.h"
#include "gateway-bridge/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN    UINT64_C(0xaa555a0000000101)
#define STRANGER UINT64_C(0x1122334455667788)

static struct gb_config config;
static const struct config_common common = {.gateway_silent_us = GW_SILENT_US};
static struct gb_bridge *bridge;
static struct lw_region region;
static struct rng rng;
static struct now now;
static unsigned acknowledged; /* datagrams */

static void give_list(void)
{
	struct gw_gateway_list *list = calloc(1, sizeof *list);
	assert_non_null(list);
	*list = (struct gw_gateway_list){.version = 1, .first = true, .last = true, .count = 1};
	list->gateways[0] = (struct gw_gateway){.eui = lw_eui64_from_number(KNOWN),
						.region_id = "eu868",
						.accept = GW_ACCEPT_UDP | GW_ACCEPT_CERTIFICATE};
	assert_int_equal(GB_LIST_CHANGED, gb_bridge_restore_list(bridge, list));
	free(list);
}

static void open_bridge(char *base, size_t capacity)
{
	(void)base, (void)capacity;
	const struct gb_options options = gb_options_from(&common, &config);
	now = (struct now){{1000 * US_PER_S}, {1700000000 * US_PER_S}, true};
	rng = rng_seeded(1);
	bridge = gb_bridge_new(&options, &rng);
	bool loaded = region_load(&region, "eu868");
	ASSERT(loaded);
	gb_bridge_serve_stations(bridge, &(struct gb_station_service){&region, 1});
	give_list();
}

static void close_bridge(void)
{
	gb_bridge_free(bridge);
}

static bool apply(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	(void)ctx, (void)problem;
	const struct gb_options options = gb_options_from(wanted->common, wanted->config);
	gb_bridge_reconfigure(bridge, &options);
	return true;
}

/* Semtech UDP: version, token, identifier, EUI, then the JSON of a PUSH_DATA. */
static void put(uint8_t identifier, uint64_t eui, const char *json)
{
	uint8_t bytes[8192] = {2, 1, 2, identifier};
	struct gb_peer from = {.address = {.family = 4, .port = 1700, .bytes = {192, 0, 2, 1}}};
	struct gb_datagram sent;
	struct lw_eui64 number = lw_eui64_from_number(eui);
	size_t length = strlen(json);
	memcpy(bytes + 4, number.bytes, 8);
	assert_true(12 + length <= sizeof bytes);
	memcpy(bytes + 12, json, length);
	gb_bridge_on_datagram(bridge, now, &from, bytes, 12 + length);
	while (gb_bridge_take_datagram(bridge, &sent))
		acknowledged++;
}

static void push(uint64_t eui, unsigned frames)
{
	char json[8000] = "{\"rxpk\":[";
	for (unsigned i = 0; i < frames; i++)
		snprintf(json + strlen(json), sizeof json - strlen(json),
			 "%s{\"tmst\":%u,\"freq\":868.1,\"chan\":0,\"rfch\":0,\"stat\":1,\"modu\":\"LORA\","
			 "\"datr\":"
			 "\"SF7BW125\",\"codr\":\"4/5\",\"rssi\":-40,\"lsnr\":7.5,\"size\":12,\"data\":"
			 "\"QAEAACYAAQABqrvM\"}",
			 i ? "," : "", 1000 + i);
	snprintf(json + strlen(json), sizeof json - strlen(json), "]}");
	put(0, eui, json);
}

static uint64_t uplinks(void)
{
	return gb_bridge_counters(bridge)->uplinks;
}

/* --- how each shows -------------------------------------------------------------------------------------------- */

static unsigned pulls_taken(uint64_t eui)
{
	acknowledged = 0;
	for (int i = 0; i < 20; i++)
		put(2, eui, "");
	return acknowledged;
}

static bool two_datagrams_at_once(void)
{
	return pulls_taken(KNOWN) == 2;
}

static bool one_datagram_of_strangers(void)
{
	return pulls_taken(STRANGER) == 1;
}

/* Of one that was heard before the reload as well as of one that is heard after it. */
static bool silence_is_noticed_after_45_s(void)
{
	put(2, KNOWN, "");
	now.mono.us += 45 * US_PER_S;
	gb_bridge_on_tick(bridge, now);
	return gb_gateways_online(gb_bridge_gateways(bridge)) == 0;
}

static bool two_frames_at_once(void)
{
	push(KNOWN, 10);
	return uplinks() == 2;
}

static bool strangers_are_forwarded(void)
{
	push(STRANGER, 1);
	return uplinks() == 1;
}

static bool frames_are_gone_after_two_seconds(void)
{
	push(KNOWN, 1);
	now.mono.us += 2 * US_PER_S;
	gb_bridge_on_tick(bridge, now);
	return gb_bridge_ring(bridge)->entries == 0;
}

/* A ring that was fuller before: see below. */
static bool ring_holds_64_KiB(void)
{
	for (int i = 0; i < 40; i++, now.mono.us += US_PER_S / 2)
		push(KNOWN, 20);
	return gb_bridge_ring(bridge)->bytes <= 65536 && gb_bridge_ring(bridge)->dropped_full > 0;
}

static bool stations_are_told_where(void)
{
	static struct gb_station_out out;
	static uint64_t id;
	const char question[] = "{\"router\":\"aa55:5a00::101\"}";
	const struct gb_presented presented = {.has_certificate = true,
					       .certificate_eui = lw_eui64_from_number(KNOWN),
					       .certificate_issued_us = 1,
					       .certificate_until = {INT64_MAX}};
	const struct gb_station_open open = {.presented = &presented, .host = "another:1", .tls = true};
	gb_bridge_on_station_open(bridge, now, ++id, &open);
	gb_bridge_on_station_text(bridge, now, id, question, strlen(question));
	if (!gb_bridge_take_station(bridge, &out))
		return false;
	out.bytes[out.length] = 0;
	return strstr(out.bytes, "wss://lns.city:3001/gateway/") != NULL;
}

static bool commands_are_allowed(void)
{
	const struct lw_eui64 eui = lw_eui64_from_number(KNOWN);
	const char *const none[] = {NULL};
	return gb_bridge_station_run(bridge, now, &eui, "true", none) != GB_REMOTE_OFF;
}

static const struct t_reload_case cases[] = {
	{"common.gateway_silent", "45s", silence_is_noticed_after_45_s, false},
	{"udp_listen", "[\"127.0.0.1:1701\"]", NULL, false},
	{"tls_certificate", "other.crt", NULL, false},
	{"tls_key", "other.key", NULL, false},
	{"tls_ca", "other-ca.crt", NULL, false},
	{"cups_listen", "[\"127.0.0.1:3003\"]", NULL, false},
	{"station_listen", "[\"127.0.0.1:3004\"]", NULL, false},
	{"station_tls", "false", NULL, false},
	{"station_url", "wss://lns.city:3001", stations_are_told_where, false},
	{"station_remote", "true", commands_are_allowed, false},
	{"station_ping", "7", NULL, false},
	{"station_per_source", "7", NULL, false},
	{"mqtt.url", "mqtts://broker.example:8883", NULL, false},
	{"mqtt.ca", "ca.crt", NULL, false},
	{"mqtt.certificate", "bridge.crt", NULL, false},
	{"mqtt.key", "bridge.key", NULL, false},
	{"mqtt.username", "bridge", NULL, false},
	{"mqtt.password_file", "password", NULL, false},
	{"mqtt.topic_prefixes", "[\"eu868\"]", NULL, false},
	{"mqtt.qos", "1", NULL, false},
	{"forward_unknown", "true", strangers_are_forwarded, false},
	{"ring_seconds", "1", frames_are_gone_after_two_seconds, false},
	{"ring_bytes", "65536", ring_holds_64_KiB, false},
	{"rate_per_eui", "1", two_datagrams_at_once, false},
	{"rate_frames", "1", two_frames_at_once, false},
	{"rate_unknown", "1", one_datagram_of_strangers, false},
};

static void every_row(void **state)
{
	(void)state;
	const struct t_reload_process process = {.program = {"gateway-bridge", "Tested.", gb_config_rows,
							     gb_config_row_count, &config, sizeof config},
						 .cases = cases,
						 .case_count = ARRAY_SIZE(cases),
						 .open = open_bridge,
						 .close = close_bridge,
						 .apply = apply};
	t_reload_walk(&process);
}

static void the_default_is_what_cores_have_by_themselves(void **state)
{
	(void)state;
	struct config_common read = {.gateway_silent_us = 0};
	options_set_defaults(config_common_rows, config_common_row_count, &read);
	t_int("silence", GW_SILENT_US, read.gateway_silent_us);
}

static void a_smaller_ring_lets_the_oldest_go_at_once(void **state)
{
	(void)state;
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	struct gb_report report = {.kind = PROTO_GATEWAY_STATS};
	t_row("a smaller ring");
	for (int i = 0; i < 100; i++)
		gb_ring_put(ring, now.mono, &report);
	uint64_t bytes = gb_ring_stats(ring)->bytes;
	gb_ring_limit(ring, bytes / 2, 60 * US_PER_S);
	t_uint("entries", 50, gb_ring_stats(ring)->entries);
	t_uint("counted", 50, gb_ring_stats(ring)->dropped_full);
	gb_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_row),
		t_test(the_default_is_what_cores_have_by_themselves),
		t_test(a_smaller_ring_lets_the_oldest_go_at_once),
	};
	return t_run(tests);
}
