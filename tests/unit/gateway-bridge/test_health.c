/* What is counted and measured of one gateway, and how it is shown. */
#include "tests/harness/harness.h"

#include "gateway-bridge/bridge.h"
#include "gateway-bridge/edge_health.h"
#include "simulator/semtech_gateway.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define EUI UINT64_C(0xaa555a0000000101)

static struct mono at(int64_t us)
{
	return (struct mono){us};
}

/* --- measured */

/* A gateway heard every ten seconds for so long, whose counter runs `ppm` fast. Each frame is up to `jitter_us` late. */
static void hear(struct gb_health *health, int64_t minutes, int64_t ppm, uint32_t jitter_us, int64_t start_us,
		 int64_t counter_us)
{
	struct rng rng = rng_seeded(11);
	for (int64_t second = 0; second < minutes * 60; second += 10) {
		int64_t counter = counter_us + second * (US_PER_S + ppm);
		int64_t late = jitter_us ? (int64_t)(rng_u64(&rng) % jitter_us) : 0;
		gb_health_counter(health, at(start_us + second * US_PER_S + late),
				  (struct gw_ticks){(uint32_t)(uint64_t)counter}, false);
	}
}

static void drift_is_measured_through_delays(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t minutes, ppm;
		uint32_t jitter_us;
		int64_t counter_us;
		bool known;
		int32_t tolerance; /* tenths of a ppm */
	} rows[] = {
		{"a counter as good as ours", 20, 0, 0, 0, true, 1},
		{"a fast one", 20, 25, 0, 0, true, 2},
		{"a slow one, late by up to 40 ms", 30, -18, 40000, 0, true, 60},
		{"a very bad one on a mobile backhaul", 30, 150, 300000, 0, true, 400},
		{"a counter that wraps on the way", 20, 25, 0, INT64_C(4294000000), true, 2},
		{"heard for too short a time", 5, 25, 0, 0, false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_health health = {0};
		int32_t drift = 0;
		t_row(rows[i].name);
		hear(&health, rows[i].minutes, rows[i].ppm, rows[i].jitter_us, 7 * US_PER_S,
		     rows[i].counter_us);
		t_int("known", rows[i].known, gb_health_drift(&health, &drift));
		int64_t off = drift - 10 * rows[i].ppm;
		if (rows[i].known && (off > rows[i].tolerance || off < -rows[i].tolerance))
			t_int("tenths of a ppm", 10 * rows[i].ppm, drift);
	}
}

static void a_restart_begins_the_measurement_anew(void **state)
{
	(void)state;
	struct gb_health health = {0};
	int32_t drift;
	hear(&health, 20, 25, 0, 0, 0);
	t_row("a counter that began again says nothing yet");
	gb_health_counter(&health, at(1300 * US_PER_S), (struct gw_ticks){5}, true);
	t_false("known", gb_health_drift(&health, &drift));
	t_row("and is measured by what came since");
	hear(&health, 20, -30, 0, 1310 * US_PER_S, 10 * US_PER_S);
	t_true("known", gb_health_drift(&health, &drift));
	t_true("about", drift > -310 && drift < -290);
	t_row("frames that were all kept back for two minutes turn nothing");
	health = (struct gb_health){0};
	hear(&health, 8, 10, 0, 0, 0);
	for (int64_t second = 480; second < 600; second += 10)
		gb_health_counter(&health, at(600 * US_PER_S + second),
				  (struct gw_ticks){(uint32_t)(second * (US_PER_S + 10))}, false);
	hear(&health, 8, 10, 0, 610 * US_PER_S, 610 * (US_PER_S + 10));
	t_true("known", gb_health_drift(&health, &drift));
	t_true("about", drift > 90 && drift < 110);
}

static void round_trips_have_a_last_and_a_95th(void **state)
{
	(void)state;
	struct gb_health health = {0};
	t_row("none");
	t_int("last", -1, gb_health_trip_last(&health));
	t_int("95th", -1, gb_health_trip_95(&health));
	t_row("one");
	gb_health_trip(&health, 43 * US_PER_MS);
	t_int("last", 43 * US_PER_MS, gb_health_trip_last(&health));
	t_int("95th", 43 * US_PER_MS, gb_health_trip_95(&health));
	t_row("32 of 1 to 32 ms: the 31st in order; the first has gone");
	for (int64_t i = 32; i >= 1; i--)
		gb_health_trip(&health, i * US_PER_MS);
	t_int("last", 1 * US_PER_MS, gb_health_trip_last(&health));
	t_int("95th", 31 * US_PER_MS, gb_health_trip_95(&health));
	t_row("longer than there is room for");
	gb_health_trip(&health, 3600 * US_PER_S);
	t_int("last", INT64_C(6553500), gb_health_trip_last(&health));
}

static void connections_are_counted_with_their_cause(void **state)
{
	(void)state;
	struct gb_health health = {0};
	gb_health_opened(&health, at(1));
	gb_health_opened(&health, at(2));
	t_uint("opened", 2, health.opened);
	t_uint("the first was replaced", 1, health.closed[GB_CLOSE_REPLACED]);
	t_true("connected", health.connected);
	gb_health_closed(&health, at(3), GB_CLOSE_SILENT);
	t_false("connected", health.connected);
	t_int("last", GB_CLOSE_SILENT, health.last_close);
	t_int("when", 3, health.changed.us);
	for (unsigned i = 0; i < GB_CLOSE_COUNT; i++)
		t_true("has a name", gb_close_name((enum gb_close)i) != NULL);
}

/* --- shown */

static json_t *shown(const struct gb_gateway *gateway, bool health)
{
	char *text = NULL;
	size_t length = 0;
	const struct now now = {.mono = {100 * US_PER_S}, .wall = {1790000000 * US_PER_S}};
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	gb_write_gateway(out, gateway, "", now, health);
	fclose(out);
	json_t *row = json_loads(text, 0, NULL);
	if (!row)
		print_error("%s\n", text);
	assert_non_null(row);
	free(text);
	return row;
}

static json_int_t number(const json_t *row, const char *name)
{
	const json_t *value = json_object_get(json_object_get(row, "health"), name);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void a_row_is_json_whatever_a_station_says(void **state)
{
	(void)state;
	struct gb_gateway gateway = {.eui = lw_eui64_from_number(EUI), .known = true};
	t_row("never heard");
	json_t *row = shown(&gateway, true);
	t_true("no protocol", json_is_null(json_object_get(row, "protocol")));
	t_true("no connection", json_is_null(json_object_get(row, "connected")));
	t_int("no trip", -1, number(row, "trip_ms"));
	t_int("no drift", -1, number(row, "drift_tenths_ppm"));
	json_decref(row);
	t_row("liveness alone");
	row = shown(&gateway, false);
	t_true("no health", json_object_get(row, "health") == NULL);
	json_decref(row);
	t_row("a station with a hostile name, whose connection broke");
	gateway.protocol = GW_BASICS_STATION;
	gateway.datagrams = 3;
	gb_health_opened(&gateway.health, at(10 * US_PER_S));
	gb_health_closed(&gateway.health, at(40 * US_PER_S), GB_CLOSE_LOST);
	gb_health_version(&gateway.health, "2.0.6\"}\x01\x80", "a\\b", NULL);
	gb_health_trip(&gateway.health, 43600);
	gb_health_result(&gateway.health, GW_TX_TOO_LATE);
	row = shown(&gateway, true);
	t_str("protocol", "basics-station", json_string_value(json_object_get(row, "protocol")));
	t_true("not connected", json_is_false(json_object_get(row, "connected")));
	t_str("cause", "lost", json_string_value(json_object_get(row, "closed")));
	t_int("since", 60000, json_integer_value(json_object_get(row, "changed_ms")));
	t_str("station", "2.0.6?}??",
	      json_string_value(json_object_get(json_object_get(row, "health"), "station")));
	t_int("rounded", 44, number(row, "trip_ms"));
	t_int("results", 1,
	      json_integer_value(json_object_get(json_object_get(json_object_get(row, "health"), "results"),
						 "too_late")));
	json_decref(row);
	t_row("the same gateway on UDP later has no connection");
	gateway.protocol = GW_SEMTECH_UDP_V2;
	row = shown(&gateway, false);
	t_true("connected", json_is_null(json_object_get(row, "connected")));
	json_decref(row);
}

/* --- counted by the flows */

static struct gb_bridge *bridge;
static struct now now = {.mono = {5000 * US_PER_S}, .wall = {1790000000 * US_PER_S}};

static void say(enum gb_identifier identifier, const char *body)
{
	uint8_t bytes[2048] = {2, 7, 8, (uint8_t)identifier};
	struct lw_eui64 eui = lw_eui64_from_number(EUI);
	const struct gb_peer from = {.address = {.bytes = {198, 51, 100, 1}, .family = 4, .port = 1700}};
	memcpy(bytes + 4, eui.bytes, 8);
	memcpy(bytes + 12, body, strlen(body));
	gb_bridge_on_datagram(bridge, now, &from, bytes, 12 + strlen(body));
}

static void semtech_flow_counts(void **state)
{
	(void)state;
	static struct proto_message message;
	struct gb_datagram datagram;
	struct rng rng = rng_seeded(1);
	struct lw_eui64 eui = lw_eui64_from_number(EUI);
	const struct gb_options options = {.name = "test",
					   .ring_age = 60 * US_PER_S,
					   .ring_bytes = 1 << 20,
					   .per_eui = {200, 400},
					   .frames = {1000, 2000},
					   .unknown = {2000, 2000}};
	bridge = gb_bridge_new(&options, &rng);
	gb_bridge_on_link_open(bridge, now);
	message.kind = PROTO_HELLO;
	message.hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	assert_int_equal(ST_OK, gb_bridge_on_network_message(bridge, now, &message));
	message.kind = PROTO_GATEWAY_LIST;
	message.gateway_list = (struct gw_gateway_list){
		.version = 1, .first = true, .last = true, .count = 1};
	message.gateway_list.gateways[0] = (struct gw_gateway){
		.eui = eui, .region_id = "eu868", .accept = GW_ACCEPT_UDP};
	assert_int_equal(ST_OK, gb_bridge_on_network_message(bridge, now, &message));
	say(GB_PULL_DATA, "");
	say(GB_PUSH_DATA,
	    "{\"rxpk\":[{\"tmst\":1000,\"freq\":868.1,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
	    "\"data\":\"QAECAw==\"},{\"tmst\":2000,\"freq\":868.1,\"stat\":-1,\"modu\":\"LORA\","
	    "\"datr\":\"SF7BW125\",\"data\":\"QAECAw==\"},{\"tmst\":1}],"
	    "\"stat\":{\"rxnb\":3,\"ackr\":98.5,\"temp\":41.5,\"lati\":40.7,\"long\":-74.0}}");
	const struct gb_gateway *gateway = gb_gateways_find(gb_bridge_gateways(bridge), &eui);
	assert_non_null(gateway);
	const struct gb_health *health = &gateway->health;
	t_row("receptions");
	t_uint("received", 3, health->received);
	t_uint("forwarded", 1, health->forwarded);
	t_uint("crc errors", 1, health->crc_errors);
	t_row("statistics");
	t_int("temperature", 4150, health->stats.temperature_cdeg);
	t_uint("acks", 985, health->stats.ack_permille);
	t_true("position", health->has_location && health->longitude_deg == -74.0);
	t_row("bytes: what came, and an acknowledgement for each");
	t_true("up", health->bytes_up > 250);
	t_uint("down", 8, health->bytes_down);
	t_row("a downlink, and its answer after 30 ms");
	message.kind = PROTO_GATEWAY_DOWNLINK;
	message.gateway_downlink = (struct gw_downlink){
		.id = 7, .phy = {0x60, 1, 2}, .phy_length = 3, .attempt_count = 1};
	message.gateway_downlink.attempts[0] = (struct gw_tx_attempt){
		.gateway = eui,
		.timing = GW_IMMEDIATELY,
		.freq_hz = 869525000,
		.modulation = {LW_LORA, 12, 125000, 0, 0, "4/5"},
		.power_dbm = 27};
	assert_int_equal(ST_OK, gb_bridge_on_network_message(bridge, now, &message));
	t_uint("sent", 1, health->sent);
	while (gb_bridge_take_datagram(bridge, &datagram))
		;
	now.mono.us += 30 * US_PER_MS;
	uint8_t bytes[64] = {2, datagram.bytes[1], datagram.bytes[2], GB_TX_ACK};
	static const char refused[] = "{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}";
	const struct gb_peer from = {.address = {.bytes = {198, 51, 100, 1}, .family = 4, .port = 1700}};
	memcpy(bytes + 4, eui.bytes, 8);
	memcpy(bytes + 12, refused, strlen(refused));
	gb_bridge_on_datagram(bridge, now, &from, bytes, 12 + strlen(refused));
	t_uint("too late", 1, health->results[GW_TX_TOO_LATE]);
	t_int("round trip", 30 * US_PER_MS, gb_health_trip_last(health));
	gb_bridge_free(bridge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(drift_is_measured_through_delays),
		t_test(a_restart_begins_the_measurement_anew),
		t_test(round_trips_have_a_last_and_a_95th),
		t_test(connections_are_counted_with_their_cause),
		t_test(a_row_is_json_whatever_a_station_says),
		t_test(semtech_flow_counts),
	};
	return t_run(tests);
}
