/* A datagram at the bridge: the header, the whole core with its gateway registered, and the codec's own promises. */
#include "common/base/check.h"
#include "gateway-bridge/bridge.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gb_bridge *bridge;
static struct proto_message *message;
static struct rng rng;
static struct now now = {.mono = {1000 * US_PER_S}, .wall = {1790000000 * US_PER_S}};

static void greet(void)
{
	gb_bridge_on_link_open(bridge, now);
	ASSERT(gb_bridge_next_message(bridge, now, message));
	gb_bridge_message_sent(bridge);
	message->kind = PROTO_HELLO;
	message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	enum status status = gb_bridge_on_network_message(bridge, now, message);
	ASSERT_CMP(status, ==, ST_OK);
}

/* The gateway that the datagram names is registered, and a downlink is under way to it. */
static void prepare(const struct lw_eui64 *eui, const struct gb_peer *from)
{
	message->kind = PROTO_GATEWAY_LIST;
	message->gateway_list.version++;
	message->gateway_list.first = message->gateway_list.last = true;
	message->gateway_list.count = 1;
	message->gateway_list.gateways[0] = (struct gw_gateway){.eui = *eui, .accept = GW_ACCEPT_UDP};
	enum status status = gb_bridge_on_network_message(bridge, now, message);
	ASSERT_CMP(status, ==, ST_OK);
	uint8_t pull[GB_HEADER_SIZE] = {2, 0, 0, GB_PULL_DATA};
	memcpy(pull + 4, eui->bytes, sizeof eui->bytes);
	gb_bridge_on_datagram(bridge, now, from, pull, sizeof pull);
	message->kind = PROTO_GATEWAY_DOWNLINK;
	message->gateway_downlink = (struct gw_downlink){
		.id = 1, .phy = {0x60}, .phy_length = 1, .attempt_count = 1};
	message->gateway_downlink.attempts[0] = (struct gw_tx_attempt){
		.gateway = *eui, .timing = GW_IMMEDIATELY, .freq_hz = 868100000};
	status = gb_bridge_on_network_message(bridge, now, message);
	ASSERT_CMP(status, ==, ST_OK);
}

/* Whatever leaves for the network server can be packed, and what the gateways get is short. */
static void drain(void)
{
	static uint8_t bytes[PROTO_FRAME_MAX];
	static struct gb_datagram datagram;
	size_t length;
	while (gb_bridge_next_message(bridge, now, message)) {
		enum status status = proto_pack(message, bytes, sizeof bytes, &length);
		ASSERT_CMP(status, ==, ST_OK);
		gb_bridge_message_sent(bridge);
		message->kind = PROTO_ACK;
		message->ack.seq = message->seq;
		status = gb_bridge_on_network_message(bridge, now, message);
		ASSERT_CMP(status, ==, ST_OK);
	}
	while (gb_bridge_take_datagram(bridge, &datagram))
		ASSERT_CMP(datagram.length, <=, sizeof datagram.bytes);
	struct gb_note note;
	while (gb_bridge_take_note(bridge, &note))
		ASSERT_CMP(note.verdict, <, GB_VERDICT_COUNT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gb_options options = {.name = "fuzz",
						  .ring_age = 60 * US_PER_S,
						  .ring_bytes = 1 << 20,
						  .per_eui = {200, 400},
						  .frames = {1000, 2000},
						  .unknown = {2000, 2000}};
	const struct gb_peer from = {.address = {.bytes = {192, 0, 2, 1}, .family = 4, .port = 1700}};
	if (bridge == NULL) {
		rng = rng_seeded(3);
		message = calloc(1, sizeof *message);
		ASSERT(message != NULL);
		bridge = gb_bridge_new(&options, &rng);
		greet();
	}
	now.mono.us += 20 * US_PER_MS;
	struct gb_header header;
	if (gb_header_parse(data, size, &header) == GB_ACCEPTED)
		prepare(&header.gateway, &from);
	gb_bridge_on_datagram(bridge, now, &from, data, size);
	drain();
	if (now.mono.us % US_PER_S == 0)
		gb_bridge_on_tick(bridge, now);
	return 0;
}
