/* What one station says, line by line, to the bridge's core: whatever it is, the connection ends in an orderly way or stays, its
 * gateway's neighbours notice nothing, and all that goes out is bounded. */
#include "common/base/check.h"
#include "common/text/region_yaml.h"
#include "gateway-bridge/bridge_station.h"

#include <stdlib.h>
#include <string.h>

#define EUI UINT64_C(0xaa555a0000000301)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lw_region region;
static struct proto_message message;
static struct gb_station_out out;

static struct gb_bridge *make(struct rng *rng, struct now now)
{
	const struct gb_options options = {.name = "fuzz",
					   .ring_age = US_PER_S,
					   .ring_bytes = 1 << 16,
					   .per_eui = {200, 400},
					   .frames = {1000, 2000},
					   .unknown = {2000, 2000},
					   .station_url = "wss://lns.example.org:3001"};
	struct gb_bridge *bridge = gb_bridge_new(&options, rng);
	struct gw_gateway_list *list = calloc(1, sizeof *list);
	ASSERT(list != NULL);
	list->version = 1;
	list->first = list->last = true;
	list->count = 1;
	list->gateways[0] = (struct gw_gateway){
		.eui = lw_eui64_from_number(EUI), .region_id = "eu868", .accept = GW_ACCEPT_CERTIFICATE};
	ASSERT(gb_bridge_restore_list(bridge, list) == GB_LIST_CHANGED);
	free(list);
	gb_bridge_serve_stations(bridge, &(struct gb_station_service){&region, 1});
	gb_bridge_on_link_open(bridge, now);
	message.kind = PROTO_HELLO;
	message.hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	ASSERT(gb_bridge_on_network_message(bridge, now, &message) == ST_OK);
	return bridge;
}

static void empty(struct gb_bridge *bridge, struct now now)
{
	unsigned count = 0;
	while (gb_bridge_take_station(bridge, &out)) {
		ASSERT_CMP(out.length, <=, sizeof out.bytes);
		ASSERT_CMP(++count, <=, GB_STATION_OUTBOX_MAX);
	}
	while (gb_bridge_next_message(bridge, now, &message))
		gb_bridge_message_sent(bridge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(1);
	struct now now = {{1000 * US_PER_S}, {1790000000 * US_PER_S}, true};
	if (!region.id[0])
		ASSERT(region_load(&region, "eu868"));
	struct gb_bridge *bridge = make(&rng, now);
	const struct gb_presented presented = {.has_certificate = true,
					       .certificate_eui = lw_eui64_from_number(EUI),
					       .certificate_issued_us = 1,
					       .certificate_until = {INT64_MAX}};
	const struct gb_station_open open = {.path = size > 0 && data[0] == '!' ? GB_STATION_DISCOVERY
										: GB_STATION_DATA,
					     .eui = lw_eui64_from_number(EUI),
					     .tls = true,
					     .presented = &presented};
	gb_bridge_on_station_open(bridge, now, 1, &open);
	const char *text = (const char *)data, *end = text + size;
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t length = line ? (size_t)(line - text) : (size_t)(end - text);
		gb_bridge_on_station_text(bridge, now, 1, text, length);
		now.mono.us += US_PER_S;
		now.wall.us += US_PER_S;
		gb_bridge_on_tick(bridge, now);
		empty(bridge, now);
		ASSERT_CMP(gb_bridge_stations(bridge), <=, 1);
		text += length + 1;
	}
	gb_bridge_on_station_close(bridge, now, 1, GB_STATION_LEFT);
	ASSERT_CMP(gb_bridge_stations(bridge), ==, 0);
	ASSERT_CMP(gb_bridge_in_flight(bridge), ==, 0);
	gb_bridge_free(bridge);
	return 0;
}
