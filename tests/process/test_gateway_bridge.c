/* The real gateway-bridge between real sockets: gateways of both protocol versions over loopback UDP, written by the
 * simulator's codec, and a scripted network server on network.sock. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define V2       T_BRIDGE_V2
#define V1       T_BRIDGE_V1
#define STRANGER UINT64_C(0x1122334455667788)
#define KEPT     T_BRIDGE_KEPT

struct world {
	struct t_bridge *rig;
	struct t_upstream *network;
	const char *admin;
	struct t_gateway *v2, *v1, *stranger;
	unsigned wanted; /* of the condition that is waited for */
};

static struct world world_start(bool with_network, const char *settings)
{
	struct t_bridge *rig = t_bridge_start(with_network, settings);
	return (struct world){.rig = rig,
			      .network = rig->upstream,
			      .admin = rig->admin,
			      .v2 = t_bridge_gateway(rig, V2, 2, NULL),
			      .v1 = t_bridge_gateway(rig, V1, 1, NULL),
			      .stranger = t_bridge_gateway(rig, STRANGER, 2, NULL)};
}

static void world_stop(struct world *world)
{
	t_bridge_stop(world->rig);
}

/* Conditions: pump, then look. */
static bool uplinks_came(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->network->uplinks >= world->wanted;
}

static bool pulls_acknowledged(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->v2->pull_acks >= world->wanted && world->v1->pull_acks >= world->wanted;
}

static bool pushes_acknowledged(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->v2->push_acks >= world->wanted;
}

static bool pull_resps_came(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->v2->pull_resps + world->v1->pull_resps >= world->wanted;
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
	bool held = t_wait_until(condition, world, T_CEILING);
	return held;
}

static void pull_both(struct world *world, unsigned acknowledged)
{
	t_gateway_pull(world->v2);
	t_gateway_pull(world->v1);
	t_true("PULL_ACK to both", wait(world, pulls_acknowledged, acknowledged));
}

/* A downlink to each: version 2 answers, version 1 cannot. */
static void downlinks_work(struct world *world, uint64_t id)
{
	unsigned before = world->v2->pull_resps + world->v1->pull_resps;
	unsigned results = world->network->tx_acks;
	t_upstream_order(world->network, V2, id);
	t_true("PULL_RESP", wait(world, pull_resps_came, before + 1));
	t_uint("freq", 869525000, world->v2->last.txpk.freq_hz);
	t_gateway_answer(world->v2, SIM_JIT_OK);
	t_true("result", wait(world, results_came, results + 1));
	t_uint("id", id, world->network->tx_ack[results % KEPT].id);
	t_str("ok", "ok", gw_tx_result_name(world->network->tx_ack[results % KEPT].result));
	t_true("latency measured", world->network->tx_ack[results % KEPT].latency_us > 0);
	t_upstream_order(world->network, V1, id + 1);
	t_true("PULL_RESP of version 1", wait(world, pull_resps_came, before + 2));
	t_true("result", wait(world, results_came, results + 2));
	t_uint("id", id + 1, world->network->tx_ack[(results + 1) % KEPT].id);
	t_str("silence", "no_answer", gw_tx_result_name(world->network->tx_ack[(results + 1) % KEPT].result));
}

/* --- tests */

static void frames_go_up_and_down(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_row("the list is kept");
	t_true("list", t_bridge_has_list(world->rig));
	struct stat info;
	assert_int_equal(0, stat(world->rig->list, &info));
	t_int("for the bridge alone", 0600, info.st_mode & 0777);
	t_row("uplinks of both versions");
	t_gateway_push(world->v2, 1000);
	t_gateway_push(world->v1, 2000);
	t_true("both came", wait(world, uplinks_came, 2));
	t_true("acknowledged", wait(world, pushes_acknowledged, 1));
	bool second = lw_eui64_number(&world->network->uplink[0].gateway) == V1;
	t_uint("counter", 1000, world->network->uplink[second ? 1 : 0].ticks.us);
	t_int("protocol", GW_SEMTECH_UDP_V1, world->network->uplink[second ? 0 : 1].protocol);
	t_row("downlinks");
	pull_both(world, 1);
	downlinks_work(world, 10);
	t_row("a gateway's refusal");
	unsigned results = world->network->tx_acks;
	t_upstream_order(world->network, V2, 20);
	t_true("PULL_RESP", wait(world, pull_resps_came, 3));
	t_gateway_answer(world->v2, SIM_JIT_TX_FREQ);
	t_true("result", wait(world, results_came, results + 1));
	t_str("cause", "TX_FREQ", world->network->tx_ack[results].cause);
	t_row("a gateway that is not there");
	t_upstream_order(world->network, STRANGER, 21);
	t_true("result", wait(world, results_came, results + 2));
	t_str("no path", "no_path", gw_tx_result_name(world->network->tx_ack[results + 1].result));
	t_true("presence was told", world->network->online >= 2);
	world_stop(world);
}

static void a_restart_costs_no_more_than_the_next_pull(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	pull_both(world, 1);
	downlinks_work(world, 30);
	t_row("killed, and started while the network server is away: its list is enough");
	t_process_kill(world->rig->process);
	t_process_free(world->rig->process);
	t_upstream_go_away(world->network);
	t_bridge_run(world->rig);
	t_uint("known from the file", 2, t_metric(world->admin, "lamppost_bridge_gateways{state=\"known\"}"));
	unsigned uplinks = world->network->uplinks;
	pull_both(world, 2);
	t_gateway_push(world->v2, 5000);
	t_true("acknowledged", wait(world, pushes_acknowledged, 1));
	t_row("the network server comes back: nothing was lost, and both gateways can be reached");
	t_upstream_listen(world->network);
	t_true("the frame of meanwhile", wait(world, uplinks_came, uplinks + 1));
	downlinks_work(world, 40);
	world_stop(world);
}

static void frames_wait_for_the_network_server(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	t_row("unacknowledged when the link breaks, and more while it is down");
	world->network->acknowledges = false;
	t_gateway_push(world->v2, 1);
	t_true("came", wait(world, uplinks_came, 1));
	t_upstream_go_away(world->network);
	for (uint32_t i = 2; i <= 50; i++)
		t_gateway_push(world->v2, i);
	t_true("acknowledged to the gateway all the same", wait(world, pushes_acknowledged, 50));
	t_row("all of them come after the reconnect, in order, with their age");
	world->network->uplinks = 0;
	world->network->acknowledges = true;
	t_upstream_listen(world->network);
	t_true("came", wait(world, uplinks_came, 50));
	for (unsigned i = 0; i < 50; i++)
		t_uint("counter", i + 1, world->network->uplink[i].ticks.us);
	t_true("age", world->network->uplink[0].age_us > 0);
	t_true("the oldest is the oldest",
	       world->network->uplink[0].age_us >= world->network->uplink[49].age_us);
	t_uint("once each", 50, world->network->uplinks);
	world_stop(world);
}

static bool ring_is_empty(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return t_metric(world->admin, "lamppost_bridge_ring_entries") == 0;
}

static void garbage_is_counted(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	static const struct {
		const char *name, *verdict;
		uint8_t bytes[32];
		size_t length;
	} rows[] = {
		{"one byte", "truncated", {2}, 1},
		{"version 7", "bad_version", {7, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, 12},
		{"identifier 200", "bad_identifier", {2, 0, 0, 200, 1, 2, 3, 4, 5, 6, 7, 8}, 12},
		{"a reflected PULL_ACK", "wrong_direction", {2, 0, 0, 4}, 4},
		{"a body that is no JSON",
		 "not_json",
		 {2, 0, 0, 0, 0xaa, 0x55, 0x5a, 0, 0, 0, 2, 2, '{', 0xff},
		 14},
		{"a stranger", "unknown_gateway", {2, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, '{', '}'}, 14},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		t_gateway_put(world->stranger, rows[i].bytes, rows[i].length);
	t_gateway_put(world->stranger, rows[0].bytes, 0);
	t_gateway_push(world->v2, 77);
	t_true("a good frame behind it comes through", wait(world, uplinks_came, 1));
	t_uint("and it alone", 1, world->network->uplinks);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		char metric[128];
		snprintf(metric, sizeof metric, "lamppost_bridge_verdicts_total{verdict=\"%s\"}",
			 rows[i].verdict);
		t_true("counted", t_metric(world->admin, metric) >= 1);
	}
	t_row("acknowledged entries leave the ring");
	t_true("empty", wait(world, ring_is_empty, 0));
	t_true("alive", t_process_running(world->rig->process));
	world_stop(world);
}

static void a_flood_does_not_disturb_a_neighbour(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "  rate_per_eui: 5\n");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	for (unsigned i = 0; i < 500; i++)
		t_gateway_pull(world->v2);
	t_gateway_push(world->v1, 12);
	t_true("the neighbour's frame comes", wait(world, uplinks_came, 1));
	t_true("the flood was counted",
	       t_metric(world->admin, "lamppost_bridge_verdicts_total{verdict=\"rate_eui\"}") > 100);
	t_bridge_pump(world->rig);
	t_true("and not answered", world->v2->pull_acks < 400);
	world_stop(world);
}

static bool answered(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->v2->push_acks + world->v2->pull_acks >= world->wanted;
}

/* Every datagram is answered or counted before the next row looks. */
static void pull_from(struct world *world, const char *host)
{
	t_gateway_move(world->rig, world->v2, host);
	t_gateway_pull(world->v2);
	t_true("PULL_ACK", wait(world, answered, world->v2->push_acks + world->v2->pull_acks + 1));
}

static bool presence_came(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->network->presences >= world->wanted;
}

static void a_gateway_moves_at_a_pull_alone(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	char body[2048];
	t_true("list", t_bridge_has_list(world->rig));
	pull_from(world, "127.0.1.1");
	t_true("here", wait(world, presence_came, 1));
	t_row("another port is no move");
	pull_from(world, "127.0.1.1");
	t_uint("moves", 0, t_bridge_verdict(world->rig, "gateway_moved"));
	t_row("an uplink from another host moves nothing: the downlink goes where it pulled");
	struct t_gateway *other = t_bridge_gateway(world->rig, V2, 2, "127.0.9.9");
	t_gateway_push(other, 1);
	t_true("came", wait(world, uplinks_came, 1));
	t_upstream_order(world->network, V2, 1);
	t_true("PULL_RESP", wait(world, pull_resps_came, 1));
	t_uint("to the one that pulled", 1, world->v2->pull_resps);
	t_row("a TX_ACK from another host is not believed");
	other->last = world->v2->last;
	t_gateway_answer(other, SIM_JIT_OK);
	t_gateway_push(other, 2);
	t_true("came", wait(world, uplinks_came, 2));
	t_uint("counted", 1, t_bridge_verdict(world->rig, "tx_ack_foreign"));
	t_uint("results", 0, world->network->tx_acks);
	t_gateway_answer(world->v2, SIM_JIT_OK);
	t_true("its own is", wait(world, results_came, 1));
	t_row("a PULL_DATA from another host");
	pull_from(world, "127.0.1.2");
	t_true("presence", wait(world, presence_came, 2));
	t_str("moved", "moved", t_upstream_presence(world->network, V2));
	t_upstream_order(world->network, V2, 2);
	t_true("PULL_RESP", wait(world, pull_resps_came, 2));
	t_uint("to its new place", 2, world->v2->pull_resps);
	t_row("again and again");
	unsigned presences = world->network->presences;
	for (unsigned i = 0; i < 3; i++)
		pull_from(world, i % 2 ? "127.0.1.2" : "127.0.1.1");
	t_true("presence", wait(world, presence_came, presences + 4));
	t_str("told", "flapping", t_upstream_presence(world->network, V2));
	t_uint("moves", 4, t_bridge_verdict(world->rig, "gateway_moved"));
	t_uint("alarms", 1, t_bridge_verdict(world->rig, "gateway_flapping"));
	t_uint("now", 1, t_metric(world->admin, "lamppost_bridge_gateways{state=\"flapping\"}"));
	t_int("GET", 200, t_unix_get(world->admin, "/gateways?state=flapping", body, sizeof body));
	t_true("listed", strstr(body, "\"eui\":\"aa555a0000000202\"") && strstr(body, "\"moves\":4"));
	t_true("it alone", strstr(body, "aa555a0000000101") == NULL);
	t_int("GET", 200, t_unix_get(world->admin, "/healthz", body, sizeof body));
	t_true("a warning", strstr(body, "gateways_flapping") != NULL);
	world_stop(world);
}

static bool source_counted(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return t_bridge_verdict(world->rig, "foreign_source") >= world->wanted;
}

static void a_pinned_gateway_speaks_from_its_range(void **state)
{
	(void)state;
	static const struct {
		const char *name, *cidr, *host;
		bool heard;
	} rows[] = {
		{"not pinned", "", "127.5.1.1", true},
		{"inside", "127.5.0.0/16", "127.5.1.1", true},
		{"outside", "127.5.0.0/16", "127.6.1.1", false},
		{"the host", "127.5.1.1", "127.5.1.1", true},
		{"next to the host", "127.5.1.1", "127.5.1.2", false},
		{"a mapped range", "::ffff:127.5.0.0/112", "127.5.1.1", true},
		{"outside a mapped range", "::ffff:127.5.0.0/112", "127.6.1.1", false},
		{"IPv6 where IPv4 is wanted", "127.0.0.0/8", "::1", false},
		{"IPv6", "::1", "::1", true},
		{"IPv4 where IPv6 is wanted", "::1/128", "127.0.0.1", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct t_bridge *rig = t_bridge_start_on("*", true, "");
		struct t_upstream *network = rig->upstream;
		snprintf(network->list[0].source_cidr, sizeof network->list[0].source_cidr, "%s",
			 rows[i].cidr);
		t_true("list", t_bridge_has_list(rig));
		struct world world = {.rig = rig, .network = network, .admin = rig->admin};
		world.v2 = t_bridge_gateway(rig, V2, 2, rows[i].host);
		world.v1 = world.v2;
		t_gateway_pull(world.v2);
		t_gateway_push(world.v2, 7);
		if (rows[i].heard)
			t_true("acknowledged", wait(&world, answered, 2));
		else
			t_true("counted", wait(&world, source_counted, 2));
		t_upstream_order(network, V2, 1);
		if (rows[i].heard) {
			t_true("PULL_RESP", wait(&world, pull_resps_came, 1));
			t_uint("uplinks", 1, network->uplinks);
		} else {
			t_true("result", wait(&world, results_came, 1));
			t_str("no path", "no_path", gw_tx_result_name(network->tx_ack[0].result));
			t_uint("uplinks", 0, network->uplinks);
			t_uint("answers", 0, world.v2->push_acks + world.v2->pull_acks);
		}
		t_bridge_stop(rig);
	}
}

static void every_answer_of_a_gateway_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *body, *result, *cause;
	} rows[] = {
		{"", "ok", ""},
		{"{\"txpk_ack\":{\"error\":\"NONE\"}}", "ok", ""},
		{"{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", "too_late", "TOO_LATE"},
		{"{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}", "too_early", "TOO_EARLY"},
		{"{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", "collision_packet", "COLLISION_PACKET"},
		{"{\"txpk_ack\":{\"error\":\"COLLISION_BEACON\"}}", "collision_beacon", "COLLISION_BEACON"},
		{"{\"txpk_ack\":{\"error\":\"TX_FREQ\"}}", "tx_freq", "TX_FREQ"},
		{"{\"txpk_ack\":{\"error\":\"TX_POWER\"}}", "tx_power", "TX_POWER"},
		{"{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":14}}", "ok", ""},
		{"{\"txpk_ack\":{\"error\":\"GPS_UNLOCKED\"}}", "gps_unlocked", "GPS_UNLOCKED"},
		{"{\"txpk_ack\":{\"error\":\"QUEUE_FULL\"}}", "queue_full", "QUEUE_FULL"},
		{"{\"txpk_ack\":{\"error\":\"DUTY_CYCLE_OVERFLOW\"}}", "duty_cycle", "DUTY_CYCLE_OVERFLOW"},
		{"{\"txpk_ack\":{\"error\":\"IGNORED\"}}", "ignored", "IGNORED"},
		{"{\"txpk_ack\":{\"error\":\"PIGEONS\"}}", "other", "PIGEONS"},
	};
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	pull_both(world, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].body[0] ? rows[i].body : "an empty TX_ACK");
		t_upstream_order(world->network, V2, 100 + i);
		t_true("PULL_RESP", wait(world, pull_resps_came, i + 1));
		t_gateway_answer_text(world->v2, rows[i].body);
		t_true("result", wait(world, results_came, i + 1));
		const struct gw_tx_ack *ack = &world->network->tx_ack[i];
		t_uint("id", 100 + i, ack->id);
		t_str("result", rows[i].result, gw_tx_result_name(ack->result));
		t_str("cause", rows[i].cause, ack->cause);
		t_int("power", strstr(rows[i].body, "value") ? 14 : 0, ack->has_power ? ack->power_dbm : 0);
	}
	world_stop(world);
}

static bool two_expired(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return t_bridge_verdict(world->rig, "ring_expired") >= 2;
}

static void frames_grow_too_old(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "  ring_seconds: 1\n");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	t_upstream_go_away(world->network);
	t_row("two frames while nobody listens for longer than they keep");
	t_gateway_push(world->v2, 1);
	t_gateway_push(world->v2, 2);
	t_true("counted", wait(world, two_expired, 0));
	t_uint("none is kept", 0, t_metric(world->admin, "lamppost_bridge_ring_entries"));
	t_row("what comes then is new");
	t_upstream_listen(world->network);
	t_true("linked", t_bridge_has_list(world->rig));
	t_gateway_push(world->v2, 3);
	t_true("came", wait(world, uplinks_came, 1));
	t_uint("counter", 3, world->network->uplink[0].ticks.us);
	world_stop(world);
}

static bool poison_given_up(void *ctx)
{
	struct world *world = ctx;
	t_bridge_pump(world->rig);
	return world->network->hang_ups >= world->wanted &&
	       t_bridge_verdict(world->rig, "report_refused") >= 1;
}

/* As a network server of another version does, or one that falls over it. */
static void a_message_that_ends_the_link_is_given_up(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool names_it;
	} rows[] = {{"named in a Bye", true}, {"without a word", false}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world fresh = world_start(true, "");
		struct world *world = &fresh;
		t_true("list", t_bridge_has_list(world->rig));
		t_row(rows[i].name);
		world->network->poison = 5000;
		world->network->names_poison = rows[i].names_it;
		t_gateway_push(world->v2, 5000);
		t_gateway_push(world->v2, 6000);
		t_true("given up", wait(world, poison_given_up, 3));
		t_true("the one behind it arrives", wait(world, uplinks_came, 1));
		t_uint("it", 6000, world->network->uplink[0].ticks.us);
		t_uint("counted once", 1, (uint64_t)t_bridge_verdict(world->rig, "report_refused"));
		world_stop(world);
	}
}

static void a_port_in_use_refuses_the_start(void **state)
{
	(void)state;
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	t_true("list", t_bridge_has_list(world->rig));
	char dir[T_DIR_MAX], config[128], text[512];
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	snprintf(text, sizeof text,
		 "common:\n  state_dir: %s\n  run_dir: %s\ngateway-bridge:\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\n",
		 dir, dir, world->rig->port);
	t_write_file(config, text);
	t_row("a second bridge on the same port");
	struct t_process *second = t_process_start(&(struct t_process_options){
		.program = "gateway-bridge", .arguments = {"-c", config}, .dir = dir});
	t_int("exit code", 1, t_process_wait(second));
	t_process_free(second);
	t_row("the first goes on");
	t_gateway_push(world->v2, 1);
	t_true("came", wait(world, uplinks_came, 1));
	t_temp_dir_remove(dir);
	world_stop(world);
}

static void gateways_are_listed_in_pages(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		int code;
	} wrong[] = {{"limit=0", 400},  {"limit=1001", 400},  {"limit=x", 400}, {"after=-1", 400},
		     {"after=1x", 400}, {"state=moody", 400}, {"eui=12", 400},  {"limit=1000", 200}};
	static char body[1 << 16];
	struct world fresh = world_start(true, "");
	struct world *world = &fresh;
	for (uint64_t i = 0; i < 40; i++)
		t_upstream_add(world->network, UINT64_C(0x0016c00100000000) + i);
	t_true("list", t_bridge_has_list(world->rig));
	unsigned rows = 0, pages = 0;
	char target[64] = "/gateways?limit=10";
	bool more = true;
	while (more && pages < 10) {
		t_int("GET", 200, t_unix_get(world->admin, target, body, sizeof body));
		for (const char *at = body; (at = strstr(at, "\"eui\"")) != NULL; at++)
			rows++;
		const char *next = strstr(body, "\"next\":\"");
		more = next != NULL;
		if (more)
			snprintf(target, sizeof target, "/gateways?limit=10&after=%.*s",
				 (int)strspn(next + 8, "0123456789"), next + 8);
		pages++;
	}
	t_row("42 gateways, ten a page");
	t_uint("pages", 5, pages);
	t_uint("rows", 42, rows);
	t_row("one of them");
	t_int("GET", 200, t_unix_get(world->admin, "/gateways?eui=0016c00100000007", body, sizeof body));
	t_true("it is", strstr(body, "\"eui\":\"0016c00100000007\"") && strstr(body, "\"next\":null"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		t_row(wrong[i].query);
		snprintf(target, sizeof target, "/gateways?%s", wrong[i].query);
		t_int("GET", wrong[i].code, t_unix_get(world->admin, target, body, sizeof body));
	}
	world_stop(world);
}

static void a_bad_configuration_refuses_the_start(void **state)
{
	(void)state;
	static const struct {
		const char *name, *settings;
		int code;
	} rows[] = {
		{"an unknown key", "gateway-bridge:\n  ring_second: 60\n", 2},
		{"a bad value", "gateway-bridge:\n  ring_seconds: 9999\n", 2},
		{"a listen address without a port", "gateway-bridge:\n  udp_listen: [\"127.0.0.1\"]\n", 2},
		{"good", "gateway-bridge:\n  udp_listen: [\"127.0.0.1:1700\", \"[::1]:1700\"]\n", 0},
	};
	char dir[T_DIR_MAX], config[128];
	t_temp_dir(dir);
	snprintf(config, sizeof config, "%s/lamppost.yaml", dir);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_write_file(config, rows[i].settings);
		struct t_process *bridge = t_process_start(
			&(struct t_process_options){.program = "gateway-bridge",
						    .arguments = {"-c", config, "--check-config"},
						    .dir = dir});
		t_int("exit code", rows[i].code, t_process_wait(bridge));
		t_process_free(bridge);
	}
	t_row("a run_dir that no socket's path has room for, at a real start");
	char settings[400];
	snprintf(settings, sizeof settings,
		 "common:\n  state_dir: \"%s\"\n  run_dir: \"%s/%0100d\"\ngateway-bridge:\n  udp_listen: "
		 "[\"127.0.0.1:%u\"]\n",
		 dir, dir, 0, (unsigned)t_free_udp_port());
	t_write_file(config, settings);
	struct t_process *bridge = t_process_start(&(struct t_process_options){
		.program = "gateway-bridge", .arguments = {"-c", config}, .dir = dir});
	t_int("exit code", 2, t_process_wait(bridge));
	t_process_free(bridge);
	t_temp_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(frames_go_up_and_down),
		t_test(a_restart_costs_no_more_than_the_next_pull),
		t_test(frames_wait_for_the_network_server),
		t_test(garbage_is_counted),
		t_test(a_flood_does_not_disturb_a_neighbour),
		t_test(a_gateway_moves_at_a_pull_alone),
		t_test(a_pinned_gateway_speaks_from_its_range),
		t_test(every_answer_of_a_gateway_is_told),
		t_test(frames_grow_too_old),
		t_test(a_message_that_ends_the_link_is_given_up),
		t_test(a_port_in_use_refuses_the_start),
		t_test(gateways_are_listed_in_pages),
		t_test(a_bad_configuration_refuses_the_start),
	};
	return t_run(tests);
}
