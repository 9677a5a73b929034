#include "tests/harness/station_bench.h"

#include "tests/harness/harness.h"

#include "common/lorawan/airtime.h"
#include "common/text/region_yaml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION (INT64_C(0x42) << 48)

struct t_bench t_bench;
static struct lw_region regions[3];

void t_pass(int64_t milliseconds)
{
	t_bench.now.mono.us += milliseconds * US_PER_MS;
	t_bench.now.wall.us += milliseconds * US_PER_MS;
}

static void say(char *text, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(char *text, size_t room, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + used, room - used, format, arguments);
	va_end(arguments);
}
#define SAID(...) say(t_bench.said, sizeof t_bench.said, __VA_ARGS__)
#define OUT(...)  say(t_bench.out, sizeof t_bench.out, __VA_ARGS__)

/* What the network server is told. */
const char *t_hear(void)
{
	t_bench.said[0] = 0;
	while (gb_bridge_next_message(t_bench.bridge, t_bench.now, t_bench.message)) {
		const struct proto_message *message = t_bench.message;
		switch (message->kind) {
		case PROTO_HELLO: SAID("hello "); break;
		case PROTO_GATEWAY_UPLINK:
			t_bench.uplink = message->gateway_uplink;
			SAID("up(%u) ", t_bench.uplink.ticks.us);
			break;
		case PROTO_GATEWAY_TX_ACK:
			t_bench.tx_ack = message->gateway_tx_ack;
			SAID("tx(%llu.%u,%s%s%s) ", (unsigned long long)t_bench.tx_ack.id,
			     t_bench.tx_ack.attempt, gw_tx_result_name(t_bench.tx_ack.result),
			     t_bench.tx_ack.cause[0] ? ":" : "", t_bench.tx_ack.cause);
			break;
		case PROTO_GATEWAY_PRESENCE:
			t_bench.presence = message->gateway_presence;
			SAID("%s(%s) ", t_bench.presence.online ? "here" : "gone", t_bench.presence.reason);
			break;
		default: SAID("? "); break;
		}
		gb_bridge_message_sent(t_bench.bridge);
	}
	return t_bench.said;
}

static void read_as_station(const struct gb_station_out *out)
{
	if (strncmp(out->bytes, "{\"router\"", 9) == 0)
		return;
	enum sim_station_verdict verdict = sim_station_parse(out->bytes, out->length, &t_bench.config,
							     &t_bench.down);
	t_str("a station takes it", "ok", sim_station_verdict_name(verdict));
	if (t_bench.down.kind == SIM_STATION_ROUTER_CONFIG)
		t_bench.config = t_bench.down.config;
}

/* What goes to the stations. */
const char *t_sent(void)
{
	static struct gb_station_out out;
	t_bench.out[0] = 0;
	while (gb_bridge_take_station(t_bench.bridge, &out)) {
		switch (out.kind) {
		case GB_STATION_TEXT:
			out.bytes[out.length] = 0;
			t_bench.text = out;
			read_as_station(&out);
			OUT("t_text(%" PRIu64 ") ", out.id);
			break;
		case GB_STATION_BINARY: OUT("binary(%" PRIu64 ",%zu) ", out.id, out.length); break;
		case GB_STATION_PING: OUT("ping(%" PRIu64 ") ", out.id); break;
		case GB_STATION_CLOSE:
			t_bench.close = out;
			OUT("close(%" PRIu64 ",%u) ", out.id, out.code);
			break;
		}
	}
	return t_bench.out;
}

uint64_t t_counted(enum gb_verdict verdict)
{
	return gb_bridge_counters(t_bench.bridge)->verdicts[verdict];
}

void t_tell(void)
{
	assert_int_equal(ST_OK, gb_bridge_on_network_message(t_bench.bridge, t_bench.now, t_bench.message));
}

void t_give_list(uint64_t version, const char *channels)
{
	const struct {
		uint64_t eui;
		const char *region, *channels;
		uint8_t accept;
	} rows[] = {
		{T_ROOF, "eu868", channels, GW_ACCEPT_CERTIFICATE | GW_ACCEPT_TOKEN},
		{T_TOWER, "us915", "8-15,65", GW_ACCEPT_CERTIFICATE},
		{T_CHINA, "cn470-20a", "0-7", GW_ACCEPT_CERTIFICATE},
		{T_CROWDED, "us915", "0-63", GW_ACCEPT_CERTIFICATE},
		{T_UDP_ONLY, "eu868", "", GW_ACCEPT_UDP},
	};
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	struct gw_gateway_list *list = &t_bench.message->gateway_list;
	*list = (struct gw_gateway_list){
		.version = version, .first = true, .last = true, .count = ARRAY_SIZE(rows)};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gw_gateway *row = &list->gateways[i];
		*row = (struct gw_gateway){.eui = lw_eui64_from_number(rows[i].eui),
					   .accept = rows[i].accept,
					   .chip = i == 1 ? GW_SX1302 : GW_SX1301};
		snprintf(row->region_id, sizeof row->region_id, "%s", rows[i].region);
		snprintf(row->channels, sizeof row->channels, "%s", rows[i].channels);
	}
	t_tell();
}

void t_end(void)
{
	free(t_bench.message);
	gb_bridge_free(t_bench.bridge);
	t_bench = (struct t_bench){.bridge = NULL};
}

static void load_regions(void)
{
	static const char *const ids[] = {"eu868", "us915", "cn470-20a"};
	for (size_t i = 0; i < ARRAY_SIZE(ids) && !regions[i].id[0]; i++) {
		bool loaded = region_load(&regions[i], ids[i]);
		ASSERT(loaded);
	}
}

void t_begin(void)
{
	load_regions();
	t_end();
	t_bench = (struct t_bench){.options = {.name = "test",
					       .ring_age = 60 * US_PER_S,
					       .ring_bytes = 1 << 20,
					       .per_eui = {200, 400},
					       .frames = {1000, 2000},
					       .unknown = {2000, 2000},
					       .station_url = "wss://lns.example.org:3001"},
				   .rng = rng_seeded(1),
				   .now = {.mono = {5000 * US_PER_S},
					   .wall = {1790000000 * US_PER_S},
					   .wall_synchronised = true},
				   .xtime = UINT64_C(0xfffff000)};
	t_bench.message = calloc(1, sizeof *t_bench.message);
	assert_non_null(t_bench.message);
	sim_station_config_default(&t_bench.config);
	t_bench.bridge = gb_bridge_new(&t_bench.options, &t_bench.rng);
	gb_bridge_serve_stations(t_bench.bridge, &(struct gb_station_service){regions, ARRAY_SIZE(regions)});
	gb_bridge_on_link_open(t_bench.bridge, t_bench.now);
	t_hear();
	t_bench.message->kind = PROTO_HELLO;
	t_bench.message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	t_tell();
	t_give_list(1, "867.1 867.3");
}

struct gb_presented t_certificate_of(uint64_t eui)
{
	return (struct gb_presented){.has_certificate = true,
				     .certificate_eui = lw_eui64_from_number(eui),
				     .certificate_issued_us = 1780000000 * US_PER_S,
				     .certificate_until = {1890000000 * US_PER_S}};
}

uint64_t t_open_with(enum gb_station_path path, uint64_t eui, uint8_t host,
		     const struct gb_presented *presented, const char *name)
{
	const struct gb_station_open open = {
		.path = path,
		.eui = lw_eui64_from_number(path == GB_STATION_DATA ? eui : 0),
		.from = {.bytes = {198, 51, 100, host}, .family = 4, .port = 4000},
		.tls = true,
		.presented = presented,
		.host = name};
	t_bench.refused = gb_bridge_admit_station(t_bench.bridge, t_bench.now, &open, t_bench.why);
	if (t_bench.refused != 0)
		return 0;
	gb_bridge_on_station_open(t_bench.bridge, t_bench.now, ++t_bench.last_id, &open);
	return t_bench.last_id;
}

uint64_t t_open_data(uint64_t eui, uint8_t host)
{
	const struct gb_presented presented = t_certificate_of(eui);
	return t_open_with(GB_STATION_DATA, eui, host, &presented, NULL);
}

void t_text(uint64_t id, const char *body)
{
	gb_bridge_on_station_text(t_bench.bridge, t_bench.now, id, body, strlen(body));
}

void t_version(uint64_t id)
{
	t_text(id, "{\"msgtype\":\"version\",\"station\":\"2.0.6\",\"firmware\":\"f\",\"package\":\"p\","
		   "\"model\":"
		   "\"corecell\",\"protocol\":2,\"features\":\"rmtsh gps\"}");
}

/* A connection that is up, with nothing left to say. */
uint64_t t_come_up(uint64_t eui, uint8_t host)
{
	uint64_t id = t_open_data(eui, host);
	assert_true(id != 0);
	t_version(id);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_sent();
	t_hear();
	gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 40 * US_PER_MS);
	return id;
}

/* xtime of now by the station's clock. */
int64_t t_clock_now(void)
{
	return SESSION + (int64_t)t_bench.xtime + t_bench.now.mono.us;
}

void t_uplink_at(uint64_t id, int64_t xtime, int64_t rctx)
{
	char body[512];
	snprintf(body, sizeof body,
		 "{\"msgtype\":\"updf\",\"MHdr\":64,\"DevAddr\":-2,\"FCtrl\":0,\"FCnt\":7,\"FOpts\":\"\","
		 "\"FPort\":1,"
		 "\"FRMPayload\":\"AB\",\"MIC\":1,\"DR\":5,\"Freq\":868100000,\"upinfo\":{\"xtime\":%" PRId64
		 ",\"rctx\":%" PRId64 ",\"rssi\":-50,\"snr\":7.25,\"gpstime\":0,\"fts\":-1}}",
		 xtime, rctx);
	t_text(id, body);
}

int64_t t_uplink(uint64_t id)
{
	int64_t xtime = t_clock_now();
	t_uplink_at(id, xtime, 3);
	return xtime;
}

void t_order(uint64_t eui, uint64_t id, const struct gw_tx_attempt *attempts, uint8_t count)
{
	t_bench.message->kind = PROTO_GATEWAY_DOWNLINK;
	t_bench.message->gateway_downlink = (struct gw_downlink){
		.id = id, .phy = {0x60, 1, 2, 3}, .phy_length = 4, .attempt_count = count};
	for (uint8_t i = 0; i < count; i++) {
		t_bench.message->gateway_downlink.attempts[i] = attempts[i];
		t_bench.message->gateway_downlink.attempts[i].gateway = lw_eui64_from_number(eui);
	}
	t_tell();
}

/* RX1 and RX2, so many seconds after an uplink at those ticks. */
void t_order_both(uint64_t eui, uint64_t id, struct gw_ticks ticks, unsigned delay_s)
{
	const struct gw_tx_attempt attempts[] = {{.window = GW_RX1,
						  .timing = GW_AT_TICKS,
						  .ticks = gw_ticks_add(ticks, delay_s * US_PER_S),
						  .freq_hz = 868100000,
						  .modulation = T_SF9,
						  .invert_polarity = true},
						 {.window = GW_RX2,
						  .timing = GW_AT_TICKS,
						  .ticks = gw_ticks_add(ticks, (delay_s + 1) * US_PER_S),
						  .freq_hz = 869525000,
						  .modulation = T_SF12,
						  .invert_polarity = true}};
	t_order(eui, id, attempts, 2);
}

void t_dntxed(uint64_t id, int64_t diid, int64_t xtime)
{
	char body[256];
	snprintf(body, sizeof body,
		 "{\"msgtype\":\"dntxed\",\"seqno\":%" PRId64 ",\"diid\":%" PRId64
		 ",\"DR\":3,\"Freq\":868100000,\"DevEui\":\"01-01-01-01-01-01-01-01\",\"rctx\":3,\"xtime\":"
		 "%" PRId64 ",\"txtime\":1.5,\"gpstime\":0}",
		 diid, diid, xtime);
	t_text(id, body);
}
