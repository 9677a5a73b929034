/* A sensor that is heard by a gateway with ChirpStack's MQTT forwarder alone, on the real processes: it joins through the broker, its
 * reading is delivered, a command comes down in a window of its next frame. The gateway is mqtt_gateway.h's, the sensor the
 * simulator's; their time is the test's own, so nothing waits for a receive window. */
#include "tests/harness/device_stand.h"
#include "tests/harness/harness.h"
#include "tests/harness/mqtt_gateway.h"
#include "tests/harness/network.h"

#include <stdio.h>
#include <string.h>

#define ROOF     UINT64_C(0x0016c001ff10a235)
#define DEV_EUI  "70b3d57ed00a0001"
#define JOIN_EUI "70b3d57ed0000001"
#define APP_KEY  "8a1f6c02d94e4b7fa3b05c6de7182955"
#define S        INT64_C(1000000)

static struct t_network *network;
static struct t_mqtt_gateway *roof;
static struct t_stand sensor;
static unsigned commands;

static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "trees", "--name", "Trees", "--agency",
		   "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "eu868",
		   "--mac-version", "1.0.4");
	t_cli_must(network, 0, "gateway", "add", "0016c001ff10a235", "--name", "Roof", "--region", "eu868",
		   "--accept-mqtt", "true", "--accept-udp", "false");
	t_cli_must(network, 0, "device", "add", DEV_EUI, "--name", "Probe 1", "--application", "trees",
		   "--profile", "probe", "--join-eui", JOIN_EUI);
	t_cli_must(network, 0, "device", "keys", "set", DEV_EUI, "--app-key", APP_KEY);
	t_network_replicated(network);
}

static void make_sensor(struct aes *aes)
{
	struct sim_device_config config = t_stand_config("eu868", LW_MAC_1_0_4, SIM_OTAA);
	assert_true(lw_eui64_parse(DEV_EUI, &config.dev_eui));
	assert_true(lw_eui64_parse(JOIN_EUI, &config.join_eui));
	assert_true(lw_key_parse(APP_KEY, &config.app_key));
	config.first_dev_nonce = 1;
	t_stand_set_up(&sensor, aes, &config);
}

static void is_heard(uint32_t ticks)
{
	t_true("sends", t_stand_sends(&sensor, sensor.now_us + 1000 * S));
	t_mqtt_gateway_hears(roof, ticks, sensor.uplink.freq_hz, sensor.uplink.spreading_factor,
			     sensor.uplink.phy, sensor.uplink.length);
}

/* The next command, as far as the gateway's part goes: both windows behind that uplink, the first as its device listens. */
static struct sim_chirpstack_down next_command(uint32_t ticks, int64_t delay_us)
{
	const uint8_t context[] = {(uint8_t)(ticks >> 24), (uint8_t)(ticks >> 16), (uint8_t)(ticks >> 8),
				   (uint8_t)ticks};
	assert_true(t_mqtt_gateway_wait(roof, ++commands));
	struct sim_chirpstack_down down = t_mqtt_gateway_command(roof);
	const struct sim_downlink wanted = t_stand_in_window(&sensor, 1);
	t_uint("both windows", 2, down.count);
	t_int("RX1", delay_us, down.items[0].time_us);
	t_int("RX2", delay_us + S, down.items[1].time_us);
	t_uint("frequency", wanted.freq_hz, down.items[0].freq_hz);
	t_uint("factor", wanted.spreading_factor, down.items[0].modulation.spreading_factor);
	t_uint("RX2 frequency", t_stand_in_window(&sensor, 2).freq_hz, down.items[1].freq_hz);
	for (size_t i = 0; i < down.count; i++) {
		t_true("polarity", down.items[i].modulation.inverted);
		t_bytes("the uplink's context", context, sizeof context, down.items[i].context,
			down.items[i].context_length);
	}
	t_mqtt_gateway_answer(roof, down.id, (const uint32_t[]){1, 0}, 2);
	return down;
}

static void joins(void)
{
	const uint32_t ticks = 100000000;
	t_row("join");
	is_heard(ticks);
	struct sim_chirpstack_down accept = next_command(ticks, 5 * S);
	t_int("the join-accept is its own", SIM_DOWN_ACCEPTED,
	      t_stand_hears(&sensor, 1, accept.items[0].phy, accept.items[0].phy_length));
	t_true("joined", sensor.device.joined);
}

static void a_reading_is_delivered(struct t_subscriber *agency)
{
	t_row("reading");
	is_heard(200000000);
	bool found = false;
	for (size_t i = 0; !found && t_subscriber_wait(agency, i + 1, T_SLOW_CEILING); i++)
		found = strstr(t_subscriber_topic(agency, i), "/device/" DEV_EUI "/event/up") != NULL &&
			strstr(t_subscriber_payload(agency, i), "0016c001ff10a235") != NULL;
	t_true("by that gateway", found);
}

static bool is_sent(void *ctx)
{
	(void)ctx;
	return t_metric(t_network_admin(network, T_GATEWAY_BRIDGE), "lamppost_bridge_downlinks_done_total") >=
	       commands;
}

static void a_command_comes_down(void)
{
	const uint32_t ticks = 4294000000u;
	t_row("command");
	t_cli_must(network, 0, "downlink", "send", DEV_EUI, "--port", "20", "--text", "hello");
	is_heard(ticks);
	struct sim_chirpstack_down down = next_command(ticks, 5 * S);
	sensor.counts[SIM_RECORD_DOWNLINK] = 0;
	t_int("it is its own", SIM_DOWN_ACCEPTED,
	      t_stand_hears(&sensor, 1, down.items[0].phy, down.items[0].phy_length));
	const struct sim_record *heard = &sensor.last[SIM_RECORD_DOWNLINK];
	t_uint("one", 1, sensor.counts[SIM_RECORD_DOWNLINK]);
	t_int("port", 20, heard->fport);
	t_bytes("payload", (const uint8_t *)"hello", 5, heard->payload, heard->length);
	t_true("each acknowledged", t_wait_until(is_sent, NULL, T_SLOW_CEILING));
}

static void a_sensor_lives_behind_an_mqtt_gateway(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	network = t_network_start_by_mqtt("");
	furnish();
	struct t_subscriber *agency = t_network_subscribe(network);
	roof = t_mqtt_gateway_start(t_mosquitto_port(t_network_broker(network)), "eu868", ROOF);
	make_sensor(aes);
	joins();
	a_reading_is_delivered(agency);
	a_command_comes_down();
	t_mqtt_gateway_free(roof);
	t_subscriber_free(agency);
	t_network_free(network);
	aes_free(aes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_sensor_lives_behind_an_mqtt_gateway)};
	return t_run(tests);
}
