/* The real gateway-bridge with a real Mosquitto between it and gateways that speak ChirpStack's MQTT interface, written by hand
 * (simulator/chirpstack_gateway.h), and a scripted network server. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"
#include "tests/harness/mosquitto.h"
#include "tests/harness/mqtt_gateway.h"
#include "tests/harness/mqtt_script.h"
#include "tests/harness/temp.h"

#include <stdio.h>
#include <string.h>

#define ROOF  UINT64_C(0x0016c001ff10a235)
#define TOWER UINT64_C(0x0016c001ff10a236)
#define UDP   T_BRIDGE_V2 /* registered for UDP alone */

struct world {
	char broker_dir[T_DIR_MAX];
	struct t_mosquitto *broker;
	struct t_bridge *rig;
	struct t_upstream *network;
	struct t_mqtt_gateway *roof;
	unsigned wanted;
	const char *reason;
	uint64_t who;
};

static void world_start(struct world *world, const char *settings)
{
	char text[400];
	*world = (struct world){.wanted = 0};
	t_temp_dir(world->broker_dir);
	world->broker = t_mosquitto_start(world->broker_dir, 0);
	snprintf(text, sizeof text, "  mqtt.url: \"mqtt://127.0.0.1:%u\"\n%s",
		 t_mosquitto_port(world->broker), settings);
	world->rig = t_bridge_start(false, text);
	world->network = world->rig->upstream;
	t_upstream_add(world->network, ROOF)->accept = GW_ACCEPT_MQTT;
	t_upstream_add(world->network, TOWER)->accept = GW_ACCEPT_MQTT | GW_ACCEPT_UDP;
	t_upstream_listen(world->network);
	t_true("list", t_bridge_has_list(world->rig));
	world->roof = t_mqtt_gateway_start(t_mosquitto_port(world->broker), "eu868", ROOF);
}

static void world_stop(struct world *world)
{
	t_mqtt_gateway_free(world->roof);
	t_bridge_stop(world->rig);
	t_mosquitto_free(world->broker);
	t_temp_dir_remove(world->broker_dir);
}

static bool presence_is(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return strcmp(t_upstream_presence(world->network, world->who), world->reason) == 0;
}

static bool is(struct world *world, uint64_t who, const char *reason)
{
	world->who = who;
	world->reason = reason;
	return t_wait_until(presence_is, world, T_CEILING);
}

static bool uplinks_came(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->network->uplinks >= world->wanted;
}

static bool results_came(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->network->tx_acks >= world->wanted;
}

static bool wait(struct world *world, bool (*condition)(void *ctx), unsigned wanted)
{
	world->wanted = wanted;
	return t_wait_until(condition, world, T_CEILING);
}

struct verdict_wanted {
	struct world *world;
	const char *name;
	double count;
};

static bool verdict_counted(void *ctx)
{
	const struct verdict_wanted *wanted = ctx;
	t_bridge_pump(wanted->world->rig);
	return t_bridge_verdict(wanted->world->rig, wanted->name) >= wanted->count;
}

static bool verdict(struct world *world, const char *name)
{
	struct verdict_wanted wanted = {world, name, 1};
	return t_wait_until(verdict_counted, &wanted, T_CEILING);
}

/* Both windows of the answer to the uplink that came last. */
static void order(struct world *world, uint64_t id)
{
	const struct gw_uplink *up = &world->network->uplink[(world->network->uplinks - 1) % T_BRIDGE_KEPT];
	struct gw_downlink downlink = {
		.id = id, .phy = {0x60, 1, 2, 3, 4}, .phy_length = 5, .attempt_count = 2};
	for (unsigned i = 0; i < 2; i++)
		downlink.attempts[i] = (struct gw_tx_attempt){
			.gateway = up->gateway,
			.window = i ? GW_RX2 : GW_RX1,
			.timing = GW_AT_TICKS,
			.ticks = {up->ticks.us + 5000000 + i * 1000000},
			.freq_hz = i ? 869525000 : 868100000,
			.modulation = {LW_LORA, i ? 12 : 7, 125000, .code_rate = "4/5"},
			.power_dbm = 14,
			.invert_polarity = true};
	t_upstream_send(world->network, &downlink);
}

static const struct gw_tx_ack *last_ack(const struct world *world)
{
	return &world->network->tx_ack[(world->network->tx_acks - 1) % T_BRIDGE_KEPT];
}

/* --- tests */

static void frames_go_up_and_down(void **state)
{
	(void)state;
	struct world world;
	world_start(&world, "");
	t_row("its state is heard");
	t_true("online", is(&world, ROOF, "mqtt"));
	t_uint("connected", 1, t_metric(world.rig->admin, "lamppost_bridge_mqtt_connected"));
	t_row("an uplink");
	t_mqtt_gateway_uplink(world.roof, 77000000);
	t_true("came", wait(&world, uplinks_came, 1));
	t_uint("ticks", 77000000, world.network->uplink[0].ticks.us);
	t_int("protocol", GW_CHIRPSTACK_MQTT, world.network->uplink[0].protocol);
	t_uint("frequency", 868100000, world.network->uplink[0].freq_hz);
	t_row("RX1 is refused, RX2 of the same command is taken");
	order(&world, 10);
	t_true("command", t_mqtt_gateway_wait(world.roof, 1));
	struct sim_chirpstack_down down = t_mqtt_gateway_command(world.roof);
	t_uint("both windows", 2, down.count);
	t_int("RX1", 5000000, down.items[0].time_us);
	t_int("RX2", 6000000, down.items[1].time_us);
	t_uint("frequency", 869525000, down.items[1].freq_hz);
	t_mqtt_gateway_answer(world.roof, down.id, (const uint32_t[]){2, 1}, 2);
	t_true("result", wait(&world, results_came, 1));
	t_uint("id", 10, last_ack(&world)->id);
	t_uint("the second attempt", 1, last_ack(&world)->attempt);
	t_str("taken", "ok", gw_tx_result_name(last_ack(&world)->result));
	t_true("latency measured", last_ack(&world)->latency_us > 0);
	t_row("both are refused, each status by its name");
	t_mqtt_gateway_uplink(world.roof, 88000000);
	t_true("came", wait(&world, uplinks_came, 2));
	order(&world, 11);
	t_true("command", t_mqtt_gateway_wait(world.roof, 2));
	t_mqtt_gateway_answer(world.roof, t_mqtt_gateway_command(world.roof).id, (const uint32_t[]){4, 6}, 2);
	t_true("result", wait(&world, results_came, 2));
	t_str("refused", "tx_freq", gw_tx_result_name(last_ack(&world)->result));
	t_str("cause", "TX_FREQ", last_ack(&world)->cause);
	t_row("no answer");
	t_mqtt_gateway_uplink(world.roof, 99000000);
	t_true("came", wait(&world, uplinks_came, 3));
	order(&world, 12);
	t_true("result", wait(&world, results_came, 3));
	t_str("silence", "no_answer", gw_tx_result_name(last_ack(&world)->result));
	world_stop(&world);
}

static void what_is_not_right_is_named(void **state)
{
	(void)state;
	struct world world;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	world_start(&world, "");
	t_true("online", is(&world, ROOF, "mqtt"));
	t_row("another gateway in the body");
	size_t length = sim_chirpstack_write_stats(bytes, "0016c001ff10a236", 1, 1, 1, 0, 0, 0, NULL);
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a235/event/stats", bytes, length,
			       false);
	t_true("named", verdict(&world, "id_differs"));
	t_row("a gateway that is registered for UDP alone");
	struct t_mqtt_gateway *other = t_mqtt_gateway_start(t_mosquitto_port(world.broker), "eu868", UDP);
	t_mqtt_gateway_uplink(other, 1);
	t_true("named", verdict(&world, "mqtt_not_allowed"));
	t_str("not online", "", t_upstream_presence(world.network, UDP));
	t_mqtt_gateway_free(other);
	t_row("one that is not registered");
	other = t_mqtt_gateway_start(t_mosquitto_port(world.broker), "eu868", UINT64_C(0x1122334455667788));
	t_true("named", verdict(&world, "unknown_gateway"));
	t_mqtt_gateway_free(other);
	t_row("JSON");
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a235/event/up", (const uint8_t *)"{}",
			       2, false);
	t_true("named", verdict(&world, "mqtt_json"));
	t_row("bytes of nobody's");
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a235/event/up",
			       (const uint8_t *)"\xff\xff\xff", 3, false);
	t_true("named", verdict(&world, "not_protobuf"));
	t_row("a good frame behind them comes through");
	t_mqtt_gateway_uplink(world.roof, 1000);
	t_true("came", wait(&world, uplinks_came, 1));
	t_uint("and it alone", 1, world.network->uplinks);
	t_row("a gateway without a region in front");
	other = t_mqtt_gateway_start(t_mosquitto_port(world.broker), "", TOWER);
	t_true("online", is(&world, TOWER, "mqtt"));
	t_row("UDP with its EUI");
	t_gateway_pull(t_bridge_gateway(world.rig, TOWER, 2, NULL));
	t_true("named", verdict(&world, "other_protocol"));
	t_str("still by MQTT", "mqtt", t_upstream_presence(world.network, TOWER));
	t_mqtt_gateway_free(other);
	t_true("alive", t_process_running(world.rig->process));
	world_stop(&world);
}

static bool shown(const struct world *world, const char *target, const char *text)
{
	static char body[16384];
	return t_unix_get(world->rig->admin, target, body, sizeof body) == 200 && strstr(body, text) != NULL;
}

static void what_the_broker_kept_is_not_believed(void **state)
{
	(void)state;
	struct world world;
	uint8_t bytes[SIM_CHIRPSTACK_BODY_ROOM];
	world_start(&world, "");
	t_true("online", is(&world, ROOF, "mqtt"));
	t_row("where its commands go");
	t_true("its topic", shown(&world, "/gateways?eui=0016c001ff10a235",
				  "\"path\":\"eu868/gateway/0016c001ff10a235/command/down\""));
	t_row("statistics of another gateway, kept from some day, and rubbish beside them");
	size_t length = sim_chirpstack_write_stats(bytes, "0016c001ff10a236", 1, 1, 1, 0, 0, 0, NULL);
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a236/event/stats", bytes, length, true);
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a236/event/up", (const uint8_t *)"no",
			       2, true);
	t_true("live they count", is(&world, TOWER, "mqtt"));
	t_process_kill(world.rig->process);
	t_process_free(world.rig->process);
	world.network->presences = 0;
	memset(world.network->presence, 0, sizeof world.network->presence);
	t_bridge_run(world.rig);
	t_true("the roof's state is heard", is(&world, ROOF, "mqtt"));
	struct verdict_wanted both = {&world, "mqtt_retained", 2};
	t_true("both are named", t_wait_until(verdict_counted, &both, T_CEILING));
	t_str("nobody is there", "", t_upstream_presence(world.network, TOWER));
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a236/event/stats", bytes, 0, true);
	t_mqtt_gateway_publish(world.roof, "eu868/gateway/0016c001ff10a236/event/up", bytes, 0, true);
	world_stop(&world);
}

struct refusal {
	struct world *world;
	struct t_mqtt_script *broker;
};

static bool never(struct t_mqtt_script *broker)
{
	(void)broker;
	return false;
}

static bool refusals_counted(void *ctx)
{
	const struct refusal *refusal = ctx;
	(void)t_mqtt_script_run(refusal->broker, never, 0.05);
	t_bridge_pump(refusal->world->rig);
	return t_metric(refusal->world->rig->admin, "lamppost_bridge_mqtt_refused_subscriptions") == 4;
}

/* As after a change of a broker's access rules: it is reached, and nobody is heard. */
static void a_refused_subscription_shows(void **state)
{
	(void)state;
	char text[100];
	struct world world = {.wanted = 0};
	struct t_mqtt_script *broker = t_mqtt_script_open();
	struct refusal refusal = {&world, broker};
	t_mqtt_script_refuse(broker);
	snprintf(text, sizeof text, "  mqtt.url: \"mqtt://127.0.0.1:%u\"\n", t_mqtt_script_port(broker));
	world.rig = t_bridge_start(true, text);
	t_true("all four", t_wait_until(refusals_counted, &refusal, T_CEILING));
	t_uint("connected all the same", 1, t_metric(world.rig->admin, "lamppost_bridge_mqtt_connected"));
	t_true("a warning", shown(&world, "/healthz", "\"mqtt_not_subscribed\""));
	t_true("not away", !shown(&world, "/healthz", "\"mqtt_broker_away\""));
	t_uint("named", 4, t_bridge_verdict(world.rig, "mqtt_not_subscribed"));
	t_bridge_stop(world.rig);
	t_mqtt_script_free(broker);
}

static void gateways_and_brokers_go_and_come(void **state)
{
	(void)state;
	struct world world;
	world_start(&world, "");
	t_true("online", is(&world, ROOF, "mqtt"));
	t_row("a gateway whose connection breaks leaves its last will");
	t_mqtt_gateway_break(world.roof);
	t_true("offline", is(&world, ROOF, "mqtt_offline"));
	t_mqtt_gateway_free(world.roof);
	world.roof = t_mqtt_gateway_start(t_mosquitto_port(world.broker), "eu868", ROOF);
	t_true("and comes back", is(&world, ROOF, "mqtt"));
	t_row("the bridge starts anew: the retained state tells who is there");
	t_process_kill(world.rig->process);
	t_process_free(world.rig->process);
	world.network->presences = 0;
	memset(world.network->presence, 0, sizeof world.network->presence);
	t_bridge_run(world.rig);
	t_true("online", is(&world, ROOF, "mqtt"));
	t_mqtt_gateway_uplink(world.roof, 5000);
	t_true("an uplink", wait(&world, uplinks_came, 1));
	t_row("the broker goes for longer than a restart takes");
	t_mosquitto_stop(world.broker);
	t_true("the reason is the broker", is(&world, ROOF, "broker_away"));
	t_uint("one verdict", 1, t_bridge_verdict(world.rig, "mqtt_broker_away"));
	t_uint("not connected", 0, t_metric(world.rig->admin, "lamppost_bridge_mqtt_connected"));
	order(&world, 5);
	t_true("result", wait(&world, results_came, 1));
	t_str("no path", "no_path", gw_tx_result_name(last_ack(&world)->result));
	t_row("and comes back");
	t_mosquitto_resume(world.broker);
	t_true("online", is(&world, ROOF, "mqtt"));
	t_mqtt_gateway_uplink(world.roof, 9000);
	t_true("an uplink", wait(&world, uplinks_came, 2));
	order(&world, 6);
	t_true("a command", t_mqtt_gateway_wait(world.roof, 1));
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(frames_go_up_and_down),
		t_test(what_is_not_right_is_named),
		t_test(what_the_broker_kept_is_not_believed),
		t_test(a_refused_subscription_shows),
		t_test(gateways_and_brokers_go_and_come),
	};
	return t_run(tests);
}
