/* The broker is away, a thousand uplinks come in, the application server is killed in the midst of them and after them, the broker
 * comes back: the subscriber gets every uplink, each device's in the order of its counter, all of them in the order in which they were
 * committed. */
#include "tests/harness/harness.h"

#include "application-server/uuid.h"
#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "tests/harness/network.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UPLINKS  1000
#define DEVICES  20
#define TEXT(x)  TEXT_(x)
#define TEXT_(x) #x

static void furnish(struct t_network *network)
{
	char csv[T_PATH_MAX];
	snprintf(csv, sizeof csv, "%s/load.csv", t_network_dir(network));
	struct t_process *sessions = t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"sessions", "--devices", TEXT(DEVICES), "--csv", csv},
		.dir = t_network_dir(network),
		.name = "sessions"});
	t_int("sessions", 0, t_process_wait(sessions));
	t_process_free(sessions);
	t_cli_must(network, 0, "agency", "add", "--slug", "water", "--name", "Water");
	t_cli_must(network, 0, "application", "add", "--slug", "load", "--name", "Meters", "--agency",
		   "water");
	t_cli_must(network, 0, "profile", "add", "--slug", "load", "--name", "Meter", "--region", "us915",
		   "--mac-version", "1.0.3");
	t_cli_must(network, 0, "gateway", "add", "4c50475700000000", "--name", "One", "--region", "us915");
	t_cli_must(network, 0, "gateway", "add", "4c50475700000001", "--name", "Two", "--region", "us915");
	t_cli_must(network, 0, "gateway", "add", "4c50475700000002", "--name", "Three", "--region", "us915");
	t_cli_must(network, 0, "device", "import", csv);
	t_network_replicated(network);
}

static struct t_process *start_load(struct t_network *network)
{
	char bridge[32];
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", t_network_port(network));
	return t_process_start(&(struct t_process_options){
		.program = "lamppost-sim",
		.arguments = {"load", "--bridge", bridge, "--devices", TEXT(DEVICES), "--gateways", "3",
			      "--rate", "125", "--seconds", "8"},
		.dir = t_network_dir(network),
		.name = "load"});
}

struct uplinks_taken {
	struct t_network *network;
	double count;
};

static bool are_taken(void *ctx)
{
	const struct uplinks_taken *taken = ctx;
	return t_metric(t_network_admin(taken->network, T_NETWORK_SERVER),
			"lamppost_network_uplinks_total") >= taken->count;
}

struct order {
	struct t_subscriber *agency;
	size_t looked_at;
	long next[DEVICES]; /* counter of each device */
	json_t *ids;        /* event id → its place among the first deliveries */
	bool wrong;
};

/* One event: of the load, and the next of its device. */
static void look(struct order *order, const json_t *event)
{
	uint8_t bytes[16];
	size_t length;
	const char *data = json_string_value(json_object_get(event, "data"));
	assert_true(data && base64_decode(bytes, sizeof bytes, &length, data, strlen(data)));
	struct rd rd = rd_init(bytes, length);
	uint32_t device = rd_u32be(&rd), fcnt = rd_u32be(&rd);
	assert_true(rd_ok(&rd) && rd_left(&rd) == 0 && device < DEVICES);
	order->wrong |= !t_int("fCnt of the payload", fcnt,
			       json_integer_value(json_object_get(event, "fCnt")));
	order->wrong |= !t_int("next of its device", order->next[device], fcnt);
	order->next[device]++;
}

/* Looks at what has come since; what comes again under a known id is no first delivery. */
static bool all_came(void *ctx)
{
	struct order *order = ctx;
	size_t count = t_subscriber_count(order->agency);
	for (; order->looked_at < count && !order->wrong; order->looked_at++) {
		json_t *event = json_loads(t_subscriber_payload(order->agency, order->looked_at), 0, NULL);
		const char *id = json_string_value(json_object_get(event, "deduplicationId"));
		assert_non_null(id);
		if (!json_object_get(order->ids, id)) {
			look(order, event);
			json_object_set_new(order->ids, id,
					    json_integer((json_int_t)json_object_size(order->ids)));
		}
		json_decref(event);
	}
	return order->wrong || json_object_size(order->ids) >= UPLINKS;
}

static void committed_order_is_delivered_order(const struct t_network *network, const struct order *order)
{
	char path[T_PATH_MAX], text[AS_UUID_TEXT];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	json_int_t place = 0;
	bool in_order = true;
	snprintf(path, sizeof path, "%s/readings.db", t_network_state(network));
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
	assert_int_equal(SQLITE_OK,
			 sqlite3_prepare_v2(db, "SELECT id FROM events WHERE kind = 0 ORDER BY seq", -1,
					    &statement, NULL));
	for (; in_order && sqlite3_step(statement) == SQLITE_ROW; place++) {
		struct net_uuid id;
		memcpy(id.bytes, sqlite3_column_blob(statement, 0), sizeof id.bytes);
		const json_t *delivered = json_object_get(order->ids, as_uuid_format(text, &id));
		in_order = t_int("place of a committed event", place,
				 delivered ? json_integer_value(delivered) : -1);
	}
	t_int("events committed", UPLINKS, place);
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

static void a_thousand_uplinks_in_order(void **state)
{
	(void)state;
	struct t_network *network = t_network_start("");
	furnish(network);
	struct t_subscriber *agency = t_network_subscribe(network);
	t_mosquitto_stop(t_network_broker(network));
	struct t_process *load = start_load(network);
	t_row("killed in the midst");
	struct uplinks_taken taken = {network, UPLINKS / 3};
	t_true("taken", t_wait_until(are_taken, &taken, T_SLOW_CEILING));
	t_true("killed", t_network_kill(network, T_APPLICATION_SERVER));
	t_int("load", 0, t_process_wait(load));
	t_process_free(load);
	t_row("killed after the last");
	taken.count = UPLINKS;
	t_true("taken", t_wait_until(are_taken, &taken, T_SLOW_CEILING));
	t_true("well again", t_network_healthy(network));
	t_true("killed", t_network_kill(network, T_APPLICATION_SERVER));
	t_uint("nothing came without a broker", 0, t_subscriber_count(agency));
	t_mosquitto_resume(t_network_broker(network));
	t_row("all come, in order");
	struct order order = {.agency = agency, .ids = json_object()};
	t_true("came", t_wait_until(all_came, &order, T_SLOW_CEILING));
	t_uint("uplinks", UPLINKS, json_object_size(order.ids));
	t_network_stop(network);
	committed_order_is_delivered_order(network, &order);
	json_decref(order.ids);
	t_subscriber_free(agency);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_thousand_uplinks_in_order)};
	return t_run(tests);
}
