/* The application server in the world: its core, its edges to network and join server, its MQTT client, its stores, its API; what
 * main.c does around them is written again here. */
#include "tests/simulation/world/world_parts.h"

#include "application-server/api/api.h"
#include "application-server/delivery/commands.h"
#include "application-server/delivery/mqtt.h"
#include "application-server/edge_join.h"
#include "application-server/edge_network.h"
#include "application-server/store_items.h"
#include "application-server/store_private.h"
#include "common/base/check.h"
#include "common/base/deadlines.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SOON             US_PER_MS
#define CHECKPOINT_TURNS 128
#define IN_FLIGHT        16

struct application {
	struct as_store *store;
	struct as_keys keys;
	struct rng rng;
	struct as_application app;
	struct as_api api;
	struct as_edge_network network;
	struct as_edge_join join;
	struct as_mqtt *mqtt;
	struct as_commands *commands;
	struct io_timer *again;
};

static void on_again(void *ctx, struct now now)
{
	(void)ctx, (void)now;
}

static bool start(struct machine *machine)
{
	struct world *world = machine->world;
	struct application *self = calloc(1, sizeof *self);
	ASSERT(self);
	machine->self = self;
	self->rng = machine->rng = rng_seeded(rng_u64(&machine->rng));
	self->keys = (struct as_keys){.master = world->keys->master[WORLD_APPLICATION],
				      .box = world->keys->box[WORLD_APPLICATION],
				      .aes = aes_new(),
				      .has_kek = true};
	memcpy(self->keys.kek, world->keys->kek_application, sizeof self->keys.kek);
	enum status status = as_store_open(
		&(struct as_store_options){.city_path = "application/city.db",
					   .readings_path = "application/readings.db",
					   .vfs = FAULT_VFS,
					   .rng = &self->rng},
		&self->store);
	ASSERT(status == ST_OK && self->keys.aes);
	as_application_init(&self->app, self->store, &self->keys, &self->rng);
	self->api = (struct as_api){.app = &self->app,
				    .rng = &self->rng,
				    .force_rejoin = as_edge_network_force_rejoin,
				    .force_rejoin_ctx = &self->network};
	self->again = io_timer_new(&machine->loop, on_again, machine);
	status = as_edge_network_open(&self->network, &machine->loop, &self->app, WORLD_RUN_DIR, &self->rng);
	if (status == ST_OK)
		status = as_edge_join_open(&self->join, &machine->loop, &self->app, &(struct option_map){0},
					   WORLD_RUN_DIR);
	const struct as_mqtt_options mqtt = {
		.broker = {.host = "broker", .port = 1883, .username = "", .password = "", .ca_file = ""},
		.in_flight = IN_FLIGHT,
		.qos = 1};
	if (status == ST_OK)
		status = as_mqtt_open(&machine->loop, self->store, &mqtt, &self->mqtt);
	if (status == ST_OK)
		status = as_commands_open(&machine->loop, &self->app, &mqtt.broker, &self->commands);
	return status == ST_OK;
}

static void release(struct machine *machine)
{
	struct application *self = machine->self;
	as_commands_close(self->commands);
	as_mqtt_close(self->mqtt);
	as_edge_join_close(&self->join);
	as_edge_network_close(&self->network);
	as_application_release(&self->app);
	io_timer_free(self->again);
	as_store_close(self->store);
	aes_free(self->keys.aes);
	free(self);
	machine->self = NULL;
}

static void checkpoint(struct machine *machine, struct db *db)
{
	int log, done;
	if (machine->turns % CHECKPOINT_TURNS == 0)
		sqlite3_wal_checkpoint_v2(db_handle(db), NULL, SQLITE_CHECKPOINT_RESTART, &log, &done);
}

static enum status commit(struct machine *machine, struct now now)
{
	(void)now;
	struct application *self = machine->self;
	enum status status = as_mqtt_before_commit(self->mqtt);
	if (status == ST_OK)
		status = as_store_commit(self->store);
	if (status == ST_OK) {
		checkpoint(machine, self->store->city);
		checkpoint(machine, self->store->readings);
	}
	return status;
}

static void drain(struct machine *machine, struct now now)
{
	struct application *self = machine->self;
	bool more = as_edge_network_drain(&self->network);
	as_edge_join_drain(&self->join, now);
	more = as_mqtt_drain(self->mqtt) || more;
	as_commands_drain(self->commands);
	as_store_release(self->store);
	if (more)
		io_timer_start(self->again, SOON, 0);
}

static struct mono next_deadline(struct machine *machine)
{
	(void)machine;
	return MONO_NEVER;
}

static void on_tick(struct machine *machine, struct now now)
{
	(void)machine, (void)now;
}

const struct machine_kind world_application = {.name = "application",
					       .start = start,
					       .release = release,
					       .commit = commit,
					       .drain = drain,
					       .next_deadline = next_deadline,
					       .on_tick = on_tick};

/* --- calls of people --- */

static const char *no_query(void *ctx, const char *name)
{
	(void)ctx, (void)name;
	return NULL;
}

int world_api(struct world *world, const char *method, const char *pattern, const char *collection,
	      const char *id, const char *text)
{
	static const struct as_scope administrator = {.role = AS_CITY};
	struct machine *machine = &world->machines[WORLD_APPLICATION];
	struct application *self = machine->self;
	const struct as_route *route = NULL;
	for (size_t i = 0; i < as_route_count; i++)
		if (strcmp(as_routes[i].method, method) == 0 && strcmp(as_routes[i].pattern, pattern) == 0)
			route = &as_routes[i];
	ASSERT(route && machine->up);
	json_t *body = json_loads(text, 0, NULL);
	ASSERT(body);
	struct as_call call = {.scope = &administrator,
			       .now = machine_now(machine),
			       .collection = collection,
			       .id = id,
			       .body = body,
			       .query = no_query};
	struct as_answer answer = {0};
	as_api_call(&self->api, route, &call, &answer);
	int status = answer.status;
	if (status >= 300)
		snprintf(world->api_problem, sizeof world->api_problem, "%s",
			 json_string_value(json_object_get(answer.body, "detail"))
				 ? json_string_value(json_object_get(answer.body, "detail"))
				 : "");
	const char *made = json_string_value(json_object_get(answer.body, "id"));
	snprintf(world->api_id, sizeof world->api_id, "%s", made ? made : "");
	as_answer_release(&answer);
	json_decref(body);
	machine_settle(machine);
	return status;
}

bool world_item_status(struct world *world, const struct net_uuid *id, enum net_item_status *status)
{
	struct application *self = world->machines[WORLD_APPLICATION].self;
	struct as_item item;
	if (!self || as_store_item_get(self->store, id, &item) != ST_OK)
		return false;
	*status = item.status;
	return true;
}
