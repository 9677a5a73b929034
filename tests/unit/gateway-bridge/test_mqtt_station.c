/* One EUI by MQTT and as a station at once, in the core: the station proved who it is to us and keeps its place; what a broker says
 * under its name is dropped by name. And a place of the pool that changes its gateway. */
#include "tests/harness/harness.h"
#include "tests/harness/station_bench.h"

#include "gateway-bridge/bridge_mqtt.h"
#include "simulator/chirpstack_gateway.h"

#include <stdio.h>
#include <string.h>

static const struct gb_address broker = {.family = 4, .bytes = {192, 0, 2, 5}, .port = 1883};

static void state_of(uint64_t eui, bool online)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[64], id[17];
	snprintf(id, sizeof id, "%016llx", (unsigned long long)eui);
	snprintf(topic, sizeof topic, "eu868/gateway/%s/state/conn", id);
	const struct gb_mqtt_in message = {
		.topic = topic, .bytes = bytes, .length = sim_chirpstack_write_conn(bytes, id, online)};
	gb_bridge_on_mqtt(t_bench.bridge, t_bench.now, &message);
}

/* A frame, so that there is a context to forget: a sanitizer sees one that was not. */
static void frame_of(uint64_t eui)
{
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	char topic[64], id[17];
	snprintf(id, sizeof id, "%016llx", (unsigned long long)eui);
	snprintf(topic, sizeof topic, "eu868/gateway/%s/event/up", id);
	const struct sim_chirpstack_up up = {.id = id,
					     .phy = {0x40, 1, 2, 3, 4, 0, 5, 0, 7, 8, 9, 10},
					     .phy_length = 12,
					     .freq_hz = 868100000,
					     .modulation = {SIM_CHIRPSTACK_LORA, 125000, 7, .code_rate = 1},
					     .crc = 2,
					     .context = {0, 0, 1, 0},
					     .context_length = 4};
	const struct gb_mqtt_in message = {
		.topic = topic, .bytes = bytes, .length = sim_chirpstack_write_up(bytes, &up)};
	gb_bridge_on_mqtt(t_bench.bridge, t_bench.now, &message);
}

static void accept_mqtt_too(uint64_t eui)
{
	struct gw_gateway_list *list = &t_bench.message->gateway_list;
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	*list = (struct gw_gateway_list){.version = 77, .first = true, .last = true, .count = 1};
	list->gateways[0] = (struct gw_gateway){.eui = lw_eui64_from_number(eui),
						.region_id = "eu868",
						.accept = GW_ACCEPT_UDP | GW_ACCEPT_TOKEN |
							  GW_ACCEPT_CERTIFICATE | GW_ACCEPT_MQTT};
	t_tell();
}

static void begin(uint64_t eui)
{
	t_begin();
	accept_mqtt_too(eui);
	gb_bridge_serve_mqtt(t_bench.bridge, t_bench.now);
	gb_bridge_on_broker(t_bench.bridge, t_bench.now, &broker);
	(void)t_hear();
	(void)t_sent();
}

static void a_station_keeps_its_place(void **state)
{
	(void)state;
	begin(T_ROOF);
	uint64_t id = t_come_up(T_ROOF, 1);
	(void)t_hear();
	t_row("a broker says that it is there");
	state_of(T_ROOF, true);
	t_str("nothing told", "", t_hear());
	t_uint("named", 1, t_counted(GB_OTHER_PROTOCOL));
	t_uint("none by MQTT", 0, gb_bridge_mqtt_online(t_bench.bridge));
	t_row("or that it has left");
	state_of(T_ROOF, false);
	t_pass(3000);
	gb_bridge_on_tick(t_bench.bridge, t_bench.now);
	t_str("nothing told", "", t_hear());
	t_row("it still is the station's");
	t_uplink(id);
	t_true("heard", strncmp(t_hear(), "up(", 3) == 0);
	t_end();
}

static void a_place_of_the_pool_forgets(void **state)
{
	(void)state;
	char topic[GB_CHIRPSTACK_TOPIC_MAX];
	begin(T_ROOF);
	frame_of(T_ROOF);
	const struct gb_gateways *gateways = gb_bridge_gateways(t_bench.bridge);
	const struct lw_eui64 roof = lw_eui64_from_number(T_ROOF), tower = lw_eui64_from_number(T_TOWER);
	uint32_t place = gb_gateways_index(gateways, gb_gateways_find(gateways, &roof));
	struct gw_gateway_list *list = &t_bench.message->gateway_list;
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	*list = (struct gw_gateway_list){.version = 78, .first = true, .last = true};
	t_tell();
	t_true("gone", gb_gateways_find(gateways, &roof) == NULL);
	*list = (struct gw_gateway_list){.version = 79, .first = true, .last = true, .count = 1};
	t_bench.message->kind = PROTO_GATEWAY_LIST;
	list->gateways[0] = (struct gw_gateway){
		.eui = tower, .region_id = "eu868", .accept = GW_ACCEPT_MQTT | GW_ACCEPT_UDP};
	t_tell();
	const struct gb_gateway *there = gb_gateways_find(gateways, &tower);
	assert_non_null(there);
	t_uint("the same place", place, gb_gateways_index(gateways, there));
	t_true("without the old one's prefix", gb_bridge_mqtt_prefix(t_bench.bridge, there) == NULL);
	t_false("or its way down", gb_bridge_mqtt_path(t_bench.bridge, there, t_bench.now, topic));
	state_of(T_TOWER, true);
	t_true("its own", gb_bridge_mqtt_path(t_bench.bridge, there, t_bench.now, topic));
	t_str("by its own topic", "eu868/gateway/aa555a0000000302/command/down", topic);
	t_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_station_keeps_its_place),
		t_test(a_place_of_the_pool_forgets),
	};
	return t_run(tests);
}
